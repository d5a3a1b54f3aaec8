//! DynamoDB's protocol, for reads: a request is a target and a JSON body, an answer is the bytes that came.
//!
//! The SDK's runtime does attempts, pauses and timeouts; its generated client is not used. What that adds to a read (builders and maps for each
//! request, a dozen interceptors, a rule engine for endpoints, and a tree of attribute values in which each string is escaped twice) costs more
//! than the read itself, and more than a third of the binary. What is left to do is four small things: a body ([`request`]), a signature
//! ([`signer`]), a connection ([`connector`]), and here the endpoint and errors.
//!
//! [Low-level API](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html)

mod connector;
pub(crate) mod request;
mod signer;

use std::{fmt, fs, time::Duration};

use crate::config::BootError;
use aws_smithy_runtime::client::{
    orchestrator::operation::Operation,
    retries::classifiers::{HttpStatusCodeClassifier, ModeledAsRetryableClassifier, TransientErrorClassifier},
};
use aws_smithy_runtime_api::client::{
    behavior_version::BehaviorVersion,
    orchestrator::{HttpResponse, OrchestratorError},
    result::SdkError,
    stalled_stream_protection::StalledStreamProtectionConfig,
};
use aws_smithy_types::{
    body::SdkBody,
    retry::{ErrorKind, ProvideErrorKind, RetryConfig},
    timeout::TimeoutConfig,
};
use connector::Connector;
use signer::Signer;

/// A client of DynamoDB in one region, or behind one endpoint. A clone shares its connections.
#[derive(Debug, Clone)]
pub struct Client {
    operation: Operation<Call, SdkBody, Refusal>,
}

/// One call: the operation's name, and its body.
struct Call {
    target: &'static str,
    body: Vec<u8>,
}

impl fmt::Debug for Call {
    /// Without the body: keys are nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.target)
    }
}

impl Client {
    /// Reads `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` (which Lambda
    /// [sets](https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html) for as long as the process lives),
    /// `AWS_ENDPOINT_URL_DYNAMODB` (in place of the region's own endpoint) and `AWS_CA_BUNDLE` (a PEM file in place of the built-in roots).
    ///
    /// # Errors
    /// What is missing or wrong among them.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, BootError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        const REQUIRED: [&str; 3] = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        let (Some(region), Some(id), Some(secret)) = (variable(REQUIRED[0]), variable(REQUIRED[1]), variable(REQUIRED[2])) else {
            let missing: Vec<_> = REQUIRED.into_iter().filter(|name| variable(name).is_none()).collect();
            return Err(BootError(format!("{}: not set", missing.join(", "))));
        };
        let (name, url) = match variable("AWS_ENDPOINT_URL_DYNAMODB") {
            Some(url) => ("AWS_ENDPOINT_URL_DYNAMODB", url),
            None => ("AWS_REGION", endpoint(&region)),
        };
        let bundle = variable("AWS_CA_BUNDLE")
            .map(|path| fs::read(&path).map_err(|error| BootError(format!("AWS_CA_BUNDLE {path}: {error}"))))
            .transpose()?;
        let connector = Connector::new(&url, bundle.as_deref()).map_err(|error| match error {
            connector::Unusable::Url => BootError(format!("{name}: {url} is no URL of an endpoint (https://host or http://host:port)")),
            connector::Unusable::Roots => BootError("AWS_CA_BUNDLE: no PEM file of certificates".to_owned()),
            connector::Unusable::Tls(why) => BootError(format!("TLS: {why}")),
        })?;
        let signer = Signer::new(connector.authority(), &region, &id, &secret, variable("AWS_SESSION_TOKEN"));
        let operation = Operation::builder()
            .service_name("DynamoDB")
            .operation_name("read")
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&url)
            // The signature is in the request already. All attempts lie within seconds, and it holds for minutes.
            .no_auth()
            .serializer(move |call: Call| signer.request(call.target, call.body))
            .deserializer(read)
            .http_client(connector)
            .timeout_config(timeouts())
            .standard_retry(&retries())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<Refusal>::new())
            .retry_classifier(ModeledAsRetryableClassifier::<Refusal>::new())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Ok(Self { operation })
    }

    /// Calls an operation and gives the body of its answer. Attempts that failed for a passing reason are repeated.
    pub(crate) async fn call(&self, target: &'static str, body: Vec<u8>) -> Result<SdkBody, SdkError<Refusal, HttpResponse>> {
        // On the heap: it is large, and would be copied into every future around it.
        Box::pin(self.operation.invoke(Call { target, body })).await
    }
}

/// A region's endpoint ([list](https://docs.aws.amazon.com/general/latest/gr/ddb.html)). What is not in one of the partitions below is in AWS's own.
fn endpoint(region: &str) -> String {
    const PARTITIONS: [(&str, &str); 6] = [
        ("cn-", "amazonaws.com.cn"),
        ("eusc-", "amazonaws.eu"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("us-isof-", "csp.hci.ic.gov"),
    ];
    let suffix = PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("amazonaws.com", |(_, suffix)| suffix);
    format!("https://dynamodb.{region}.{suffix}")
}

/// One attempt may take a second. Refusals come soon, so with short pauses the attempts run out before the request's three seconds do, and
/// throttling ends as throttling; a server that hangs meets the request's deadline.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(1)).build()
}

/// The SDK's first pause is up to a second; a connection that died while the function was frozen would cost that much.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(25))
        .with_max_backoff(Duration::from_millis(200))
}

/// What DynamoDB said in place of an answer
/// ([errors](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html)).
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    code: String,
    message: String,
}

impl Refusal {
    /// Of an answer's body; what is no text in it is left out.
    fn read(body: &[u8]) -> Self {
        let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        // A namespace stands before the name.
        let code = text("__type").rsplit('#').next().unwrap_or_default().to_owned();
        let message = [text("message"), text("Message")].into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned();
        Self { code, message }
    }

    /// The error's name; empty if the answer gave none.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// Whether it says "slower".
    pub(crate) fn is_throttling(&self) -> bool {
        const THROTTLING: [&str; 5] =
            ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "Throttling", "RequestThrottled"];
        THROTTLING.contains(&self.code())
    }
}

impl fmt::Display for Refusal {
    /// The name, and the message where it can hold nothing of a request: it then names the role and the resource.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code() {
            "ValidationException" => write!(f, "ValidationException (LOG_LEVEL=debug logs its message)"),
            code => write!(f, "{code}: {}", self.message),
        }
    }
}

impl std::error::Error for Refusal {}

impl ProvideErrorKind for Refusal {
    fn retryable_error_kind(&self) -> Option<ErrorKind> {
        self.is_throttling().then_some(ErrorKind::ThrottlingError)
    }

    fn code(&self) -> Option<&str> {
        Some(self.code())
    }
}

fn read(response: &HttpResponse) -> Result<SdkBody, OrchestratorError<Refusal>> {
    if response.status().is_success() {
        // Bytes that have come whole are shared, not copied.
        return response.body().try_clone().ok_or_else(|| OrchestratorError::other("a body that is still to come"));
    }
    let refusal = response.body().bytes().map(Refusal::read).unwrap_or_default();
    tracing::debug!(code = refusal.code, message = refusal.message, "refused");
    Err(OrchestratorError::operation(refusal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_bundle(content: &[u8]) -> Result<Client, BootError> {
        let path = std::env::temp_dir().join(format!("api-bundle-{}-{}.pem", std::process::id(), content.len()));
        fs::write(&path, content).unwrap();
        let client = Client::from_environment(|name| match name {
            "AWS_REGION" => Some("eu-central-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("x".to_owned()),
            "AWS_CA_BUNDLE" => Some(path.to_str().unwrap().to_owned()),
            _ => None,
        });
        fs::remove_file(path).unwrap();
        client
    }

    #[test]
    fn a_bundle_takes_the_place_of_the_roots() {
        assert!(with_bundle(connector::ROOTS).is_ok());
        for bad in [b"".as_slice(), b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let error = with_bundle(bad).unwrap_err().to_string();
            assert!(error.contains("AWS_CA_BUNDLE"), "{error}");
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let error = Client::from_environment(|_| None).unwrap_err();
        assert_eq!(format!("{error:?}"), "does not start: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: not set");
        for (wrong, value) in [
            ("AWS_ENDPOINT_URL_DYNAMODB", "localhost:8000"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "ftp://localhost"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "https://"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "https://a b"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:8000/path"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:99999"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "https://user:password@host"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "https://host?query"),
            ("AWS_REGION", "x#y"),
            ("AWS_REGION", "eu central"),
            ("AWS_REGION", "x/y"),
            ("AWS_REGION", "x\r\nhost: y"),
        ] {
            let error = Client::from_environment(|name| match name {
                _ if name == wrong => Some(value.to_owned()),
                "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("x".to_owned()),
                _ => None,
            });
            assert!(error.as_ref().is_err_and(|error| error.to_string().contains(wrong)), "{wrong}={value}: {error:?}");
        }
    }

    #[test]
    fn a_refusal_is_read_however_odd_it_is() {
        for (body, code, message) in [
            (
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"Slow down"}"#,
                "ThrottlingException",
                "Slow down",
            ),
            (r#"{"__type":"a#AccessDeniedException","Message":"role"}"#, "AccessDeniedException", "role"),
            (r#"{"__type":"X","message":null}"#, "X", ""),
            (r#"{"__type":"X","message":"a","Message":"b"}"#, "X", "a"),
            (r#"{"__type":7,"message":[]}"#, "", ""),
            ("<html>", "", ""),
            ("", "", ""),
        ] {
            let refusal = Refusal::read(body.as_bytes());
            assert_eq!((refusal.code(), refusal.message.as_str()), (code, message), "{body}");
        }
        let refused = Refusal::read(br#"{"__type":"a#ValidationException","message":"AttributeValue: {N:5}"}"#);
        assert!(!refused.to_string().contains("N:5"), "a message that holds values is not in the log");
    }

    #[tokio::test]
    async fn every_region_has_the_endpoint_that_the_sdk_gives_it() {
        use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
        let resolver = DefaultResolver::new();
        for region in [
            "us-east-1",
            "us-gov-west-1",
            "eu-central-1",
            "ap-southeast-7",
            "mx-central-1",
            "il-central-1",
            "xy-future-9",
            "cn-north-1",
            "cn-northwest-1",
            "eusc-de-east-1",
            "us-iso-east-1",
            "us-isob-east-1",
            "eu-isoe-west-1",
            "us-isof-south-1",
        ] {
            let params = Params::builder().region(region).use_fips(false).use_dual_stack(false).build().unwrap();
            let wanted = resolver.resolve_endpoint(&params).await.unwrap();
            assert_eq!(endpoint(region), wanted.url(), "{region}");
        }
    }
}
