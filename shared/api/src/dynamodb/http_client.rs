//! The SDK's HTTP client, wrapped for three reasons: to keep the bytes of an answer, to check their
//! checksum, and to replace all connections after a call that got no answer.
//!
//! The generated deserializers build a map of attribute values for each item, which costs several
//! times what the read itself does. [`body_of`] polls a call with a task-local slot set; the
//! wrapper leaves a successful body there and shows the SDK `{}`, which is a valid answer to every
//! operation that reads. Errors, retries and time limits remain the SDK's.
//!
//! DynamoDB sends the CRC-32 of each body in `x-amz-crc32`. The SDK for Rust does not check it, so
//! the wrapper does: a body that does not match is an I/O error, which the SDK repeats.

use std::{
    cell::RefCell,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
};

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use bytes::Bytes;
use flate2::Crc;

tokio::task_local! {
    /// The body of the last successful answer to the call that is being polled.
    static BODY: RefCell<Option<Bytes>>;
}

/// Makes a call and returns the bytes of its answer, or `None` if [`KeepingClient`] saw no
/// successful body.
///
/// The call is boxed, because its large type would otherwise be part of the type of every future
/// around it.
pub(super) fn body_of<'c, O, E>(
    call: impl Future<Output = Result<O, E>> + Send + 'c,
) -> impl Future<Output = Result<Option<Bytes>, E>> + Send + 'c
where
    E: 'c,
    O: 'c,
{
    let call: Pin<Box<dyn Future<Output = Result<O, E>> + Send + 'c>> = Box::pin(call);
    BODY.scope(RefCell::default(), async move {
        call.await?;
        Ok(BODY.with(RefCell::take))
    })
}

/// The HTTP client of the SDK on rustls and ring, with connections that are kept open.
#[derive(Debug, Clone)]
pub(super) struct KeepingClient {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// The root certificates to trust, in PEM.
    roots: Vec<u8>,
    connector: RwLock<SharedHttpConnector>,
}

/// The certificates that sign DynamoDB's endpoints
/// ([Amazon Trust Services](https://www.amazontrust.com/repository/)): Amazon Root CA 1 to 4 and
/// Starfield Services G2.
const ROOTS: &[u8] = include_bytes!("../roots.pem");

impl KeepingClient {
    /// Trusts the certificates that sign DynamoDB's endpoints.
    pub(super) fn with_built_in_roots() -> Self {
        Self::new(ROOTS.to_vec())
    }

    /// Trusts these root certificates (PEM) and no others.
    ///
    /// # Panics
    /// The SDK's HTTP client panics if one of them is not a certificate. [`super::environment`]
    /// checks a file that replaces them first.
    pub(super) fn new(roots: Vec<u8>) -> Self {
        let connector = RwLock::new(connector(&roots));
        Self { shared: Arc::new(Shared { roots, connector }) }
    }

    /// Returns the certificates that are trusted.
    pub(super) fn roots(&self) -> &[u8] {
        &self.shared.roots
    }
}

/// Makes a connector without connections. It uses plain HTTP for `http://` endpoints.
fn connector(roots: &[u8]) -> SharedHttpConnector {
    let store = TrustStore::empty().with_pem_certificate(roots);
    // This cannot fail: `build` has read the certificates.
    let context = TlsContext::builder().with_trust_store(store).build().unwrap_or_default();
    SharedHttpConnector::new(
        Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context)
            .build(),
    )
}

impl HttpClient for KeepingClient {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for KeepingClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector =
            self.shared.connector.read().unwrap_or_else(PoisonError::into_inner).clone();
        let shared = Arc::clone(&self.shared);
        HttpConnectorFuture::new(async move {
            let mut unanswered = Unanswered { shared, armed: true };
            let response = connector.call(request).await;
            let response = match response {
                Ok(response) => check(response).await,
                error => error,
            };
            unanswered.armed = false;
            response
        })
    }
}

/// The error of a body that has another checksum than the one that was sent with it.
#[derive(Debug, thiserror::Error)]
#[error("the body does not have the checksum of x-amz-crc32")]
pub(super) struct ChecksumMismatch;

/// Reads and checks the body. If the slot is set and the call succeeded, the body is left there,
/// and an empty object in its place.
async fn check(mut response: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let body = std::mem::replace(response.body_mut(), SdkBody::empty());
    let body = ByteStream::new(body)
        .collect()
        .await
        .map_err(|error| ConnectorError::io(error.into()))?
        .into_bytes();
    if response.headers().get("x-amz-crc32").is_some_and(|sent| !matches(sent, &body)) {
        return Err(ConnectorError::io(ChecksumMismatch.into()));
    }
    let is_kept = response.status().as_u16() == 200
        && BODY.try_with(|slot| slot.replace(Some(body.clone()))).is_ok();
    *response.body_mut() = if is_kept { SdkBody::from("{}") } else { SdkBody::from(body) };
    if is_kept {
        response.headers_mut().remove("content-length");
    }
    Ok(response)
}

fn matches(sent: &str, body: &[u8]) -> bool {
    let mut crc = Crc::new();
    crc.update(body);
    sent.trim().parse() == Ok(crc.sum())
}

/// Replaces the connector when a call is dropped without an answer, as a time limit does.
///
/// Connections that were silently cut while the function was frozen look idle. Each would cost
/// another attempt a second; with a new connector none of them is used again.
struct Unanswered {
    shared: Arc<Shared>,
    armed: bool,
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if self.armed {
            *self.shared.connector.write().unwrap_or_else(PoisonError::into_inner) =
                connector(&self.shared.roots);
        }
    }
}
