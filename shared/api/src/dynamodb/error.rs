//! The reasons why a read failed, as far as callers need to distinguish them.

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use projection::Malformed;

/// The reason why DynamoDB gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// DynamoDB throttled the call, or left keys unprocessed, until the attempts or the time ran out.
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

impl<E: ProvideErrorMetadata + std::error::Error + 'static> From<SdkError<E, HttpResponse>> for ReadError {
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        match &error {
            SdkError::TimeoutError(_) => Self::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::Timeout,
            SdkError::DispatchFailure(failure) => {
                Self::Unavailable(failure.as_connector_error().map_or_else(|| "no connection".to_owned(), |error| chain(error)))
            }
            SdkError::ResponseError(_) => Self::Malformed(chain(&error)),
            SdkError::ServiceError(service) => {
                let (status, code) = (service.raw().status().as_u16(), service.err().code().unwrap_or_default());
                tracing::debug!(status, code, message = service.err().message(), "refused");
                match status {
                    429 => Self::Throttled,
                    _ if THROTTLING.contains(&code) => Self::Throttled,
                    500.. => Self::Unavailable(format!("{status} {code}")),
                    ..400 => Self::Malformed(format!("status {status}")),
                    // Its message may repeat values of the request.
                    _ if code == "ValidationException" => Self::Refused(format!("{status} {code} (LOG_LEVEL=debug logs its message)")),
                    // The message names the role and the resource.
                    _ => Self::Refused(format!("{status} {code}: {}", service.err().message().unwrap_or_default())),
                }
            }
            _ => Self::Refused(chain(&error)),
        }
    }
}

/// The [error codes](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html) that mean throttling.
const THROTTLING: [&str; 5] =
    ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "Throttling", "RequestThrottled"];

/// Writes an error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
