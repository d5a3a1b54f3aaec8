//! Failed calls of a database, as one line with the remedy.

use anyhow::{Error, anyhow};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// Describes why a call for a table failed.
pub(crate) fn failure<E>(error: &SdkError<E>, table: &str) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let mut cause: &dyn std::error::Error = error;
    let mut credentials = false;
    while let Some(next) = cause.source() {
        credentials |= next.is::<CredentialsError>();
        cause = next;
    }
    if credentials {
        return anyhow!(
            "no AWS credentials: name a profile with --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY ({cause})"
        );
    }
    let status = error.raw_response().map(|response| response.status().as_u16());
    match (error, error.code(), status) {
        (SdkError::DispatchFailure(_) | SdkError::TimeoutError(_), ..) => {
            anyhow!(
                "cannot reach the database: is `cargo dev up` running, and is --endpoint-url right? ({cause})"
            )
        }
        (_, Some("ResourceNotFoundException"), _) => {
            anyhow!("there is no table {table}: deploy it, or give its name (see --help)")
        }
        (_, Some(code), _) => {
            anyhow!("table {table}: {code}: {}", error.message().unwrap_or("no message"))
        }
        (_, None, Some(status)) => {
            anyhow!("no DynamoDB answers there ({status}): is --endpoint-url right?")
        }
        (_, None, None) => anyhow!("table {table}: {cause}"),
    }
}
