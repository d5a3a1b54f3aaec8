//! The client of `cargo dev load` and `audit`: the local database or a real one.

use anyhow::{Result, anyhow};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder as Config, Region};
use aws_smithy_http_client::{Builder, tls};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Where `cargo dev up` puts the database if nothing else is said.
pub const LOCAL_ENDPOINT: &str = "http://127.0.0.1:8000";
/// The region of the local stack; the emulator has only one.
pub const LOCAL_REGION: &str = "us-east-1";

/// Which database is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The in-process database of `cargo dev up`: no account, no TLS.
    Local {
        /// `http://127.0.0.1:8000`
        endpoint: String,
    },
    /// Amazon's, or one behind another endpoint, with the credentials of the environment.
    Aws {
        /// The region that requests are signed for.
        region: String,
        /// An endpoint other than the region's own.
        endpoint: Option<String>,
    },
}

impl Target {
    /// Plain HTTP on this machine is local; a region or any other endpoint is not.
    pub fn choose(endpoint: Option<String>, region: Option<String>) -> Result<Self> {
        match (endpoint, region) {
            (None, None) => Ok(Self::Local { endpoint: LOCAL_ENDPOINT.to_owned() }),
            (Some(endpoint), None) if is_this_machine(&endpoint) => Ok(Self::Local { endpoint }),
            (Some(endpoint), None) => Err(anyhow!("{endpoint} is not on this machine: say its --region as well")),
            (endpoint, Some(region)) => Ok(Self::Aws { region, endpoint }),
        }
    }

    /// Whether tables have the local names.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Local { .. })
    }

    /// The endpoint or region, for people.
    pub fn shown(&self) -> String {
        match self {
            Self::Local { endpoint } => endpoint.clone(),
            Self::Aws { region, endpoint: None } => format!("DynamoDB in {region}"),
            Self::Aws { region, endpoint: Some(endpoint) } => format!("{endpoint} ({region})"),
        }
    }

    /// A client for it. AWS credentials are those of `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
    pub fn client(&self) -> Result<Client> {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_secs(15))
            .operation_timeout(Duration::from_secs(60));
        let config = Config::new()
            .behavior_version(BehaviorVersion::latest())
            .retry_config(RetryConfig::standard().with_max_attempts(5).with_initial_backoff(Duration::from_millis(50)))
            .timeout_config(timeouts.build());
        let config = match self {
            Self::Local { endpoint } => config
                .endpoint_url(endpoint)
                .region(Region::from_static(LOCAL_REGION))
                .credentials_provider(Credentials::from_keys("local", "local", None))
                .http_client(Builder::new().build_http()),
            Self::Aws { region, endpoint } => {
                let mut config = config.region(Region::new(region.clone())).credentials_provider(from_environment()?);
                config.set_endpoint_url(endpoint.clone());
                let plain = endpoint.as_ref().is_some_and(|url| url.starts_with("http://"));
                let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
                config.http_client(if plain { Builder::new().build_http() } else { Builder::new().tls_provider(provider).build_https() })
            }
        };
        Ok(Client::from_conf(config.build()))
    }
}

/// A local endpoint: plain HTTP to this machine.
fn is_this_machine(endpoint: &str) -> bool {
    let host = endpoint.strip_prefix("http://").unwrap_or_default();
    let host = host.split(['/', ':']).next().unwrap_or_default();
    host == "localhost" || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified())
}

fn from_environment() -> Result<Credentials> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
        (Some(id), Some(secret)) => Ok(Credentials::from_keys(id, secret, variable("AWS_SESSION_TOKEN"))),
        _ => Err(anyhow!(
            "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (for a profile: \
             eval \"$(aws configure export-credentials --format env)\")"
        )),
    }
}

/// Returns the text at the bottom of an error: the one that says something in the errors of the SDK.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
        let of = |endpoint: &str| Target::choose(Some(endpoint.to_owned()), None);
        assert!(Target::choose(None, None).unwrap().is_local());
        assert!(of("http://127.0.0.1:8123").unwrap().is_local());
        assert!(of("http://localhost:8000/").unwrap().is_local());
        assert!(of("https://dynamodb.eu-west-1.amazonaws.com").is_err());
        assert!(of("http://127.0.0.1.example.com").is_err());
        assert!(!Target::choose(None, Some("eu-west-1".to_owned())).unwrap().is_local());
    }
}
