//! The client's part of the environment, read through `aws-config`.
//!
//! A deployed function needs only the variables that Lambda sets, so it uses `aws-config`'s
//! providers for those and not its loader, which links the whole chain of profiles, SSO and
//! instance metadata. A build with the feature `credential-chain` uses that chain.
//!
//! `aws-config` ignores values that it cannot read. Here they make the start fail, because a
//! function could otherwise call another endpoint than the configured one.

use std::{env, fs, panic};

use aws_sdk_dynamodb::config::Builder;
use http::Uri;

use super::http_client::KeepingClient;
use crate::config::BootError;

/// Reads the client's configuration and HTTP client from the process's environment.
///
/// # Errors
/// Everything that is missing or wrong, on one line.
pub(super) async fn read() -> Result<(Builder, KeepingClient), BootError> {
    let mut wrong = Vec::new();
    check_flags(&mut wrong);
    check_endpoint(&mut wrong);
    check_region(&mut wrong);
    let http_client = http_client().map_err(|error| wrong.push(error)).ok();
    match (http_client, settings(&mut wrong).await) {
        (Some(http_client), Some(config)) if wrong.is_empty() => Ok((config, http_client)),
        _ => Err(BootError::new(&wrong)),
    }
}

/// Returns a variable's value, if it is there and not empty.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

const FIPS: &str = "AWS_USE_FIPS_ENDPOINT";
const DUAL_STACK: &str = "AWS_USE_DUALSTACK_ENDPOINT";
const IGNORE_ENDPOINTS: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"];

fn is_true(name: &str) -> bool {
    variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn check_flags(wrong: &mut Vec<String>) {
    for name in [FIPS, DUAL_STACK, IGNORE_ENDPOINTS] {
        if variable(name).is_some_and(|value| {
            !["true", "false"].iter().any(|valid| value.eq_ignore_ascii_case(valid))
        }) {
            wrong.push(format!("{name} must be true or false"));
        }
    }
}

fn check_endpoint(wrong: &mut Vec<String>) {
    for name in ENDPOINTS {
        let Some(url) = variable(name) else { continue };
        let uri = url.parse::<Uri>().ok().filter(|uri| uri.query().is_none() && !url.contains('#'));
        let is_http = uri
            .as_ref()
            .and_then(Uri::scheme_str)
            .is_some_and(|scheme| ["http", "https"].contains(&scheme));
        // `Uri` accepts an invalid port and returns `None` for it.
        let authority = uri.as_ref().and_then(Uri::authority).filter(|authority| {
            let after_host = authority.as_str().strip_prefix(authority.host());
            !authority.host().is_empty()
                && after_host.is_some_and(|port| {
                    port.is_empty() || authority.port_u16().is_some_and(|port| port > 0)
                })
        });
        if !is_http || authority.is_none() {
            wrong.push(format!("{name} must be a URL like https://host or http://host:port"));
        } else if !is_true(IGNORE_ENDPOINTS) && (is_true(FIPS) || is_true(DUAL_STACK)) {
            wrong.push(format!("{name} cannot be combined with {FIPS} or {DUAL_STACK}: they choose an endpoint of the region"));
        }
    }
}

fn check_region(wrong: &mut Vec<String>) {
    let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
    if region.is_some_and(|region| {
        !region
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    }) {
        wrong.push("AWS_REGION must be the name of a region like eu-central-1".to_owned());
    }
}

/// Makes the HTTP client, with the certificates of `AWS_CA_BUNDLE` or the built-in ones.
fn http_client() -> Result<KeepingClient, String> {
    let Some(path) = variable("AWS_CA_BUNDLE") else {
        return Ok(KeepingClient::with_built_in_roots());
    };
    let bundle = fs::read(&path).map_err(|error| format!("AWS_CA_BUNDLE {path}: {error}"))?;
    let no_certificates = || format!("AWS_CA_BUNDLE {path}: no PEM file of certificates");
    if !bundle.windows(BEGIN.len()).any(|window| window == BEGIN) {
        return Err(no_certificates());
    }
    // Checked here, because the SDK's HTTP client panics on a certificate that it cannot read.
    panic::catch_unwind(|| KeepingClient::new(bundle)).map_err(|_| no_certificates())
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

#[cfg(not(feature = "credential-chain"))]
async fn settings(wrong: &mut Vec<String>) -> Option<Builder> {
    use aws_config::{
        default_provider::{
            app_name, endpoint_url, ignore_configured_endpoint_urls, use_dual_stack, use_fips,
        },
        environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider},
        meta::region::ProvideRegion,
        provider_config::ProviderConfig,
    };
    use aws_sdk_dynamodb::config::{IdentityCache, ProvideCredentials};

    let providers = ProviderConfig::without_region();
    let region = EnvironmentVariableRegionProvider::new().region().await;
    // Lambda sets them once for the life of the process, so they are read once.
    let credentials =
        EnvironmentVariableCredentialsProvider::new().provide_credentials().await.ok();
    let missing = [
        (region.is_none(), "AWS_REGION"),
        (variable("AWS_ACCESS_KEY_ID").is_none(), "AWS_ACCESS_KEY_ID"),
        (variable("AWS_SECRET_ACCESS_KEY").is_none(), "AWS_SECRET_ACCESS_KEY"),
    ];
    wrong.extend(
        missing
            .into_iter()
            .filter(|(missing, _)| *missing)
            .map(|(_, name)| format!("{name} is not set")),
    );
    let ignore_endpoints =
        ignore_configured_endpoint_urls::ignore_configured_endpoint_urls_provider(&providers)
            .await
            .unwrap_or(false);
    let endpoint = match variable(ENDPOINTS[0]) {
        _ if ignore_endpoints => None,
        Some(url) => Some(url),
        None => endpoint_url::endpoint_url_provider(&providers).await,
    };
    let mut config = Builder::new()
        .region(region?)
        .credentials_provider(credentials?)
        .identity_cache(IdentityCache::no_cache());
    config.set_endpoint_url(endpoint);
    config.set_use_fips(use_fips::use_fips_provider(&providers).await);
    config.set_use_dual_stack(use_dual_stack::use_dual_stack_provider(&providers).await);
    config.set_app_name(app_name::default_provider().app_name().await);
    Some(config)
}

#[cfg(feature = "credential-chain")]
async fn settings(wrong: &mut Vec<String>) -> Option<Builder> {
    use aws_config::BehaviorVersion;

    let http_client = http_client().ok()?;
    let shared =
        aws_config::defaults(BehaviorVersion::latest()).http_client(http_client).load().await;
    if shared.region().is_none() {
        wrong.push("no region: set AWS_REGION, or a profile with one in AWS_PROFILE".to_owned());
    }
    Some(Builder::from(&shared))
}
