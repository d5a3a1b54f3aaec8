//! The client of `cargo dev load` and `audit`: the local database or a real one.

use anyhow::{Context as _, Result, ensure};
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder as Config, Region};
use aws_smithy_http_client::{Builder, tls};
use std::net::Ipv4Addr;
use std::time::Duration;

/// The address of the database of `cargo dev up`, unless a port is given.
pub const LOCAL_ENDPOINT: &str = "http://127.0.0.1:8000";
/// The region of the local stack; the emulator has only one.
pub const LOCAL_REGION: &str = "us-east-1";

/// The database of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The in-process database of `cargo dev up`: no account, no TLS.
    Local {
        /// `http://127.0.0.1:8000`
        endpoint: String,
    },
    /// Amazon's, or one behind another endpoint. What is not given comes from the
    /// [default chain](https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html).
    Aws {
        /// The region that requests are signed for.
        region: Option<String>,
        /// The profile of the AWS configuration files whose credentials are used, before those of
        /// the environment.
        profile: Option<String>,
        /// An endpoint other than the region's own.
        endpoint: Option<String>,
    },
}

impl Target {
    /// Chooses the local database unless a region or a profile is given. `AWS_PROFILE` alone does
    /// not send a load to AWS.
    ///
    /// # Errors
    /// If the endpoint is no URL, or is on another machine without a region or a profile.
    pub fn choose(
        endpoint: Option<String>,
        region: Option<String>,
        profile: Option<String>,
    ) -> Result<Self> {
        if let Some(endpoint) = &endpoint {
            let scheme =
                if is_this_machine(&format!("http://{endpoint}")) { "http" } else { "https" };
            let is_url = endpoint.starts_with("http://") || endpoint.starts_with("https://");
            ensure!(is_url, "--endpoint-url {endpoint} is no URL: write {scheme}://{endpoint}");
        }
        if region.is_some() || profile.is_some() {
            return Ok(Self::Aws { region, profile, endpoint });
        }
        let endpoint = endpoint.unwrap_or_else(|| LOCAL_ENDPOINT.to_owned());
        ensure!(
            is_this_machine(&endpoint),
            "{endpoint} is not on this machine: --region or --profile is required"
        );
        Ok(Self::Local { endpoint })
    }

    /// Returns true if tables have the local names.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Local { .. })
    }

    /// Makes a client, which reads the AWS configuration files if the target is not local.
    ///
    /// # Errors
    /// If no region is found. Credentials are looked for at the first request.
    pub async fn connect(&self) -> Result<Client> {
        let (region, profile, endpoint) = match self {
            Self::Local { endpoint } => return Ok(local(endpoint)),
            Self::Aws { region, profile, endpoint } => (region, profile, endpoint),
        };
        let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let http = Builder::new().tls_provider(ring).build_https();
        let mut chain = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http.clone())
            .retry_config(attempts())
            .timeout_config(timeouts());
        if let Some(region) = region {
            chain = chain.region(Region::new(region.clone()));
        }
        if let Some(profile) = profile {
            chain = chain.profile_name(profile);
        }
        if let Some(endpoint) = endpoint {
            chain = chain.endpoint_url(endpoint);
        }
        let found = chain.load().await;
        let region = found.region().context(
            "no AWS region: --region is required where neither AWS_REGION nor the profile has one",
        )?;
        let mut config = Config::from(&found);
        if let Some(profile) = profile {
            // In the default chain the keys of the environment come first; a profile that was asked
            // for comes before them.
            let settings = ProviderConfig::without_region()
                .with_http_client(http)
                .with_region(Some(region.clone()));
            config = config.credentials_provider(
                ProfileFileCredentialsProvider::builder()
                    .configure(&settings)
                    .profile_name(profile)
                    .build(),
            );
        }
        Ok(Client::from_conf(config.build()))
    }

    /// Returns the endpoint or the region of a client of this target, for messages.
    pub fn shown(&self, client: &Client) -> String {
        let region = client.config().region().map_or("", |region| region.as_ref());
        match self {
            Self::Local { endpoint } => endpoint.clone(),
            Self::Aws { endpoint: None, .. } => format!("DynamoDB in {region}"),
            Self::Aws { endpoint: Some(endpoint), .. } => format!("{endpoint} ({region})"),
        }
    }
}

/// Makes a client of a local database.
pub fn local(endpoint: &str) -> Client {
    let config = Config::new()
        .behavior_version(BehaviorVersion::latest())
        .retry_config(attempts())
        .timeout_config(timeouts())
        .endpoint_url(endpoint)
        .region(Region::from_static(LOCAL_REGION))
        .credentials_provider(Credentials::from_keys("local", "local", None))
        .http_client(Builder::new().build_http());
    Client::from_conf(config.build())
}

fn attempts() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(5).with_initial_backoff(Duration::from_millis(50))
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(15))
        .operation_timeout(Duration::from_secs(60))
        .build()
}

/// Returns true for plain HTTP to this machine.
fn is_this_machine(endpoint: &str) -> bool {
    let host = endpoint.strip_prefix("http://").unwrap_or_default();
    let host = host.split(['/', ':']).next().unwrap_or_default();
    host == "localhost"
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(endpoint: &str) -> Result<Target> {
        Target::choose(Some(endpoint.to_owned()), None, None)
    }

    #[test]
    fn only_this_machine_is_local() {
        assert!(Target::choose(None, None, None).unwrap().is_local());
        assert!(of("http://127.0.0.1:8123").unwrap().is_local());
        assert!(of("http://localhost:8000/").unwrap().is_local());
        assert!(of("https://dynamodb.eu-west-1.amazonaws.com").is_err());
        assert!(of("http://127.0.0.1.example.com").is_err());
        assert!(!Target::choose(None, Some("eu-west-1".to_owned()), None).unwrap().is_local());
        assert!(!Target::choose(None, None, Some("staging".to_owned())).unwrap().is_local());
    }

    #[test]
    fn an_endpoint_without_a_scheme_is_shown_with_one() {
        assert!(
            of("localhost:8361").unwrap_err().to_string().ends_with("write http://localhost:8361")
        );
        assert!(
            of("db.example.com").unwrap_err().to_string().ends_with("write https://db.example.com")
        );
    }
}
