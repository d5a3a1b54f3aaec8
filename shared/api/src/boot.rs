//! From a process to a function that waits for its first event with everything warm: logs, client, connection.
//!
//! `aws-config` is not used: of all that it can find, a Lambda function needs a region and the keys of its role, which stand in its
//! environment ([variables](https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html)), for as long as the process lives.

use std::{env, fs, panic::AssertUnwindSafe, time::Duration};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, IdentityCache, Region, SharedHttpClient, retry::RetryConfig, timeout::TimeoutConfig},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};

use crate::{
    app::App,
    config::{BootError, Config},
    database::Database,
    route::Route,
};

/// The roots that sign DynamoDB's endpoints: [Amazon Trust Services](https://www.amazontrust.com/repository/), Root CA 1 to 4 and Starfield G2.
/// A machine's own store is some 145 certificates, and reading them two thirds of a lean start.
const ROOTS: &[u8] = include_bytes!("roots.pem");

/// How a certificate begins in a PEM file ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468#section-5.1)).
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Reads the environment, sets up logs, builds the client and opens the connection to DynamoDB.
///
/// # Errors
/// What is missing or wrong in the environment: one line, also in the log.
pub async fn boot(route: &'static Route) -> Result<App, BootError> {
    let variable = |name: &str| env::var(name).ok();
    let config = Config::read(route, variable)?;
    tracing_subscriber::fmt().json().with_max_level(config.log_level).with_ansi(false).init();
    let client = client(variable)?;
    let database = Database::new(client).map_err(|error| BootError(error.to_string()))?;
    if let Some(table) = config.tables.first() {
        database.warm(table, route.resource.table.key).await;
    }
    Ok(App::new(route, config, database))
}

/// The client: rustls on ring, the few roots above, keys from the environment, and timeouts and retries that fit into a request.
///
/// # Errors
/// What is missing or wrong among `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_CA_BUNDLE`.
pub fn client(variable: impl Fn(&str) -> Option<String>) -> Result<Client, BootError> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    const REQUIRED: [&str; 3] = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let (Some(region), Some(id), Some(key)) = (variable(REQUIRED[0]), variable(REQUIRED[1]), variable(REQUIRED[2])) else {
        let missing: Vec<_> = REQUIRED.into_iter().filter(|name| variable(name).is_none()).collect();
        return Err(BootError(format!("{}: not set", missing.join(", "))));
    };
    let token = variable("AWS_SESSION_TOKEN");
    let mut config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(Credentials::new(id, key, token, None, "environment"))
        .identity_cache(IdentityCache::no_cache())
        .http_client(https(variable("AWS_CA_BUNDLE"))?)
        .timeout_config(timeouts())
        .retry_config(retries())
        .stalled_stream_protection(aws_sdk_dynamodb::config::StalledStreamProtectionConfig::disabled());
    if let Some(url) = variable("AWS_ENDPOINT_URL_DYNAMODB") {
        config = config.endpoint_url(url);
    }
    // The SDK takes a certificate that it cannot read for a panic; here it is one more line of what is wrong.
    std::panic::catch_unwind(AssertUnwindSafe(|| Client::from_conf(config.build()))).map_err(|_| unreadable())
}

fn unreadable() -> BootError {
    BootError("AWS_CA_BUNDLE: no PEM file of certificates".to_owned())
}

/// One attempt may take a second: with three attempts and short pauses, attempts run out before the request's three seconds do, so that
/// throttling ends as throttling.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(Duration::from_millis(500)).operation_attempt_timeout(Duration::from_secs(1)).build()
}

/// The SDK's first pause is up to a second; a connection that died while the function was frozen would cost that much.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(25))
        .with_max_backoff(Duration::from_millis(200))
}

fn https(bundle: Option<String>) -> Result<SharedHttpClient, BootError> {
    let pem = match bundle {
        Some(path) => fs::read(&path).map_err(|error| BootError(format!("AWS_CA_BUNDLE {path}: {error}")))?,
        None => ROOTS.to_vec(),
    };
    if !pem.windows(CERTIFICATE.len()).any(|window| window == CERTIFICATE) {
        return Err(unreadable());
    }
    let trust = TrustStore::empty().with_pem_certificate(pem);
    let context = TlsContext::builder().with_trust_store(trust).build().map_err(|error| BootError(error.to_string()))?;
    Ok(Builder::new().tls_provider(Provider::rustls(CryptoMode::Ring)).tls_context(context).build_https())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_bundle(content: &[u8]) -> Result<Client, BootError> {
        let path = env::temp_dir().join(format!("api-bundle-{}-{}.pem", std::process::id(), content.len()));
        fs::write(&path, content).unwrap();
        let client = client(|name| match name {
            "AWS_REGION" => Some("eu-central-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("x".to_owned()),
            "AWS_CA_BUNDLE" => Some(path.to_str().unwrap().to_owned()),
            _ => None,
        });
        fs::remove_file(path).unwrap();
        client
    }

    #[test]
    fn the_roots_are_five_certificates_and_a_bundle_replaces_them() {
        assert_eq!(ROOTS.windows(CERTIFICATE.len()).filter(|window| *window == CERTIFICATE).count(), 5);
        assert!(with_bundle(ROOTS).is_ok());
        for bad in [b"".as_slice(), b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let error = with_bundle(bad).unwrap_err().to_string();
            assert!(error.contains("AWS_CA_BUNDLE"), "{error}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = client(|_| None).unwrap_err();
        assert_eq!(format!("{error:?}"), "does not start: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: not set");
    }
}
