//! The client: the SDK's, with this bundle's HTTP client and time limits.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use aws_runtime::{invocation_id::InvocationIdInterceptor, request_info::RequestInfoInterceptor};
use aws_sdk_dynamodb::{
    config::{
        BehaviorVersion, Builder, ConfigBag, Intercept, RuntimeComponents,
        StalledStreamProtectionConfig,
        interceptors::{
            BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
        },
        retry::RetryConfig,
        timeout::TimeoutConfig,
    },
    error::BoxError,
    types::AttributeValue,
};
use aws_smithy_runtime_api::client::interceptors::{disable_interceptor, dyn_dispatch_hint};
use tokio::sync::OnceCell;

use super::{
    environment,
    error::Overload,
    http_client::{KeepingClient, body_of},
};
use crate::config::BootError;

/// A client of DynamoDB. A clone shares its connections.
#[derive(Debug, Clone)]
pub struct Client {
    sdk: aws_sdk_dynamodb::Client,
    sizes: Arc<ItemSizes>,
    http_client: KeepingClient,
    /// The answer of [`Client::place`].
    place: Arc<OnceCell<Option<String>>>,
}

/// The mean sizes of the items that were fetched by key, in bytes, by table. They decide how many
/// items a fetch asks for at first.
#[derive(Debug, Default)]
pub(super) struct ItemSizes(Mutex<HashMap<String, usize>>);

impl ItemSizes {
    /// Returns the mean size of the table's items.
    pub(super) fn of(&self, table: &str) -> Option<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(table).copied()
    }

    /// Adds a fetch that found `items` items for this many read units. Later fetches count more
    /// than earlier ones.
    pub(super) fn add(&self, table: &str, items: usize, units: f64) {
        let Some(size) = size_of_one(items, units) else { return };
        let mut sizes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match sizes.get_mut(table) {
            Some(mean) => *mean = (*mean).midpoint(size),
            None => drop(sizes.insert(table.to_owned(), size)),
        }
    }
}

/// Returns the mean size of items by what reading them cost: an eventually consistent read is half
/// a unit for each 4 KB of each item
/// ([units](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html)).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an estimate; the cast saturates"
)]
fn size_of_one(items: usize, units: f64) -> Option<usize> {
    (items > 0).then(|| (units * 8_192.0 / items as f64) as usize)
}

impl Client {
    /// Makes a client of a configuration: region, credentials and endpoint are the caller's; the
    /// HTTP client (with the built-in root certificates), time limits and retries are set here.
    #[must_use]
    pub fn new(config: Builder) -> Self {
        Self::over(config, KeepingClient::with_built_in_roots())
    }

    fn over(config: Builder, http_client: KeepingClient) -> Self {
        let config = config
            .behavior_version(BehaviorVersion::latest())
            .http_client(http_client.clone())
            .timeout_config(time_limits())
            .retry_config(retries())
            .retry_classifier(Overload)
            .interceptor(FewerHeaders)
            // The time limits make it unnecessary, and it ended calls that were in progress while a
            // function was frozen.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        Self {
            sdk: aws_sdk_dynamodb::Client::from_conf(config.build()),
            sizes: Arc::default(),
            http_client,
            place: Arc::default(),
        }
    }

    /// Makes a client from the
    /// [environment](https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html):
    /// `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`,
    /// `AWS_ENDPOINT_URL_DYNAMODB`, `AWS_ENDPOINT_URL`, `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`,
    /// `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`, `AWS_SDK_UA_APP_ID`, and
    /// `AWS_CA_BUNDLE` (a PEM file that replaces the built-in roots).
    ///
    /// Builds with the feature `credential-chain` (those of `cargo dev`) support profiles, SSO and
    /// `credential_process` as well.
    ///
    /// # Errors
    /// Everything that is missing or wrong, on one line.
    pub async fn from_environment() -> Result<Self, BootError> {
        let (config, http_client) = environment::read().await?;
        Ok(Self::over(config, http_client))
    }

    /// Returns the SDK's client, for any operation; its answers are typed.
    #[must_use]
    pub fn sdk(&self) -> &aws_sdk_dynamodb::Client {
        &self.sdk
    }

    pub(super) fn sizes(&self) -> &ItemSizes {
        &self.sizes
    }

    /// Returns the root certificates that the client trusts, in PEM.
    pub(crate) fn roots(&self) -> &[u8] {
        self.http_client.roots()
    }

    /// Returns what tells the tables that the client reads from those of the same names elsewhere:
    /// the region, and the endpoint as the SDK finds it. `None` if it finds none.
    pub(super) async fn place(&self) -> Option<&str> {
        self.place.get_or_init(|| self.find_place()).await.as_deref()
    }

    fn find_place(&self) -> Pin<Box<dyn Future<Output = Option<String>> + Send>> {
        let region = self.sdk.config().region().map(ToString::to_string).unwrap_or_default();
        let address = Address::default();
        // The call ends before it is signed, with an error.
        let call = self.sdk.list_tables().customize().interceptor(address.clone());
        let call = body_of(call.send());
        Box::pin(async move {
            drop(call.await);
            Some(format!("{region} {}", address.0.get()?))
        })
    }

    /// Opens the connection with a read of a key that does not exist, for half a read unit. Its
    /// answer is ignored; if it fails or takes longer than two seconds, the first request opens the
    /// connection.
    pub async fn warm(&self, table: &str, key: &[&'static str]) {
        let Some(first) = key.first() else { return };
        let mut read = self
            .sdk
            .get_item()
            .table_name(table)
            .projection_expression("#p0")
            .expression_attribute_names("#p0", *first);
        for name in key {
            read = read.key(*name, AttributeValue::S("-".to_owned()));
        }
        let _ = tokio::time::timeout(WARM_TIMEOUT, body_of(read.send())).await;
    }
}

/// Notes the address of a call, and ends the call before it is signed.
#[derive(Debug, Clone, Default)]
struct Address(Arc<OnceLock<String>>);

#[dyn_dispatch_hint]
impl Intercept for Address {
    fn name(&self) -> &'static str {
        "address"
    }

    fn read_before_signing(
        &self,
        call: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let _ = self.0.set(call.request().uri().to_owned());
        Err("not sent".into())
    }
}

/// Leaves out two headers that DynamoDB ignores: the id of the invocation (`amz-sdk-invocation-id`)
/// and the number of the attempt (`amz-sdk-request`). The SDK would make, sign and send them for
/// each call.
#[derive(Debug)]
struct FewerHeaders;

#[dyn_dispatch_hint]
impl Intercept for FewerHeaders {
    fn name(&self) -> &'static str {
        "fewer headers"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let state = config.interceptor_state();
        state.store_put(disable_interceptor::<InvocationIdInterceptor>("DynamoDB ignores it"));
        state.store_put(disable_interceptor::<RequestInfoInterceptor>("DynamoDB ignores it"));
        Ok(())
    }
}

/// Ends an attempt after one second. Throttling answers come quickly, so with short pauses the
/// attempts run out before the request's three seconds, and the caller gets the error for
/// throttling. If the server hangs, the request's deadline ends the call.
fn time_limits() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(1)).build()
}

/// Pauses for 25 ms before the first retry. The SDK's default is up to a second, which each
/// connection lost during a freeze would cost.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(25))
        .with_max_backoff(Duration::from_millis(200))
}

/// The time that the start of a function waits for the connection. Lambda allows ten seconds for a
/// start.
const WARM_TIMEOUT: Duration = Duration::from_secs(2);
