//! The reasons why a read failed, as far as callers need to distinguish them.

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use aws_smithy_runtime_api::client::{
    interceptors::context::InterceptorContext,
    retries::classifiers::{ClassifyRetry, RetryAction},
};
use projection::Malformed;

use super::http_client::ChecksumMismatch;

/// The reason why DynamoDB gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// DynamoDB throttled the call, or left keys unprocessed, until the attempts or the time ran
    /// out.
    #[error("throttled")]
    Throttled,
    /// DynamoDB is down or cannot be reached.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// DynamoDB did not answer in time.
    #[error("no answer in time")]
    Timeout,
    /// DynamoDB's answer cannot be read.
    #[error("malformed answer: {0}")]
    Malformed(String),
    /// DynamoDB refused the call: a permission is missing, or the request is wrong.
    #[error("refused: {0}")]
    Refused(String),
}

impl From<Malformed> for ReadError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed.to_string())
    }
}

impl<E: ProvideErrorMetadata + std::error::Error + 'static> From<SdkError<E, HttpResponse>>
    for ReadError
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        match &error {
            SdkError::TimeoutError(_) => Self::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::Timeout,
            SdkError::DispatchFailure(_)
                if causes(&error).any(|cause| cause.is::<ChecksumMismatch>()) =>
            {
                Self::Malformed(chain(&error))
            }
            SdkError::DispatchFailure(failure) => Self::Unavailable(
                failure
                    .as_connector_error()
                    .map_or_else(|| "no connection".to_owned(), |error| chain(error)),
            ),
            SdkError::ResponseError(_) => Self::Malformed(chain(&error)),
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                let code = service
                    .err()
                    .code()
                    .filter(|code| !code.is_empty())
                    .or_else(|| code_in_header(service.raw()))
                    .unwrap_or("without an error code");
                tracing::debug!(status, code, message = service.err().message(), "refused");
                match status {
                    _ if is_throttling(service.raw()) || THROTTLING.contains(&code) => {
                        Self::Throttled
                    }
                    500.. => Self::Unavailable(format!("{status} {code}")),
                    ..400 => Self::Malformed(format!("status {status}")),
                    // Its message may repeat values of the request.
                    _ if code == "ValidationException" => {
                        Self::Refused(format!("{status} {code} (LOG_LEVEL=debug logs its message)"))
                    }
                    // The message names the role and the resource.
                    _ => Self::Refused(format!(
                        "{status} {code}: {}",
                        service.err().message().unwrap_or_default()
                    )),
                }
            }
            _ => Self::Refused(chain(&error)),
        }
    }
}

impl ReadError {
    /// Returns true if an error means throttling, of whatever kind.
    pub(crate) fn is_throttling<E: ProvideErrorMetadata>(
        error: &SdkError<E, HttpResponse>,
    ) -> bool {
        let SdkError::ServiceError(service) = error else { return false };
        is_throttling(service.raw())
            || service.err().code().is_some_and(|code| THROTTLING.contains(&code))
    }
}

/// The
/// [error codes](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html)
/// that mean throttling.
const THROTTLING: [&str; 5] = [
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "Throttling",
    "RequestThrottled",
];

/// Returns true if a response means throttling by its status or its headers. Its body may be that
/// of a proxy.
fn is_throttling(response: &HttpResponse) -> bool {
    response.status().as_u16() == 429
        || code_in_header(response).is_some_and(|code| THROTTLING.contains(&code))
}

/// Returns the error code in the header `x-amzn-errortype`, which can have a namespace before it
/// and a URL after it.
fn code_in_header(response: &HttpResponse) -> Option<&str> {
    let code = response.headers().get("x-amzn-errortype")?.split(':').next()?;
    code.rsplit('#').next().map(str::trim).filter(|code| !code.is_empty())
}

/// Repeats what the SDK's own classifiers do not: throttling that is named only by the status 429
/// or by a header, and every 5xx (the SDK repeats 500, 502, 503 and 504).
#[derive(Debug)]
pub(super) struct Overload;

impl ClassifyRetry for Overload {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response() {
            Some(response) if is_throttling(response) => RetryAction::throttling_error(),
            Some(response) if response.status().as_u16() >= 500 => RetryAction::transient_error(),
            Some(_) | None => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "overload"
    }
}

/// Returns an error's causes.
fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |cause| cause.source())
}

/// Writes an error and its causes on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    causes(error).fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_written_with_its_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Error(&'static str, #[source] Option<Box<Self>>);
        let error = |text, cause: Option<Error>| Error(text, cause.map(Box::new));
        let refused = error("dispatch", Some(error("connect", Some(error("refused", None)))));
        assert_eq!(chain(&refused), "dispatch: connect: refused");
        assert_eq!(chain(&error("alone", None)), "alone");
    }
}
