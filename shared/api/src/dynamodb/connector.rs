//! Connections to one endpoint: HTTP/1.1, over TLS unless the endpoint is plain HTTP (a local one).
//!
//! A function answers one request at a time, and asks DynamoDB at most a few things at once, so idle connections are a stack: the one that was
//! used last is the warmest. The SDK's connector is made for every service, protocol and proxy, and brings HTTP/2 with it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

/// The roots that sign DynamoDB's endpoints: [Amazon Trust Services](https://www.amazontrust.com/repository/), Root CA 1 to 4 and Starfield G2.
/// A machine's own store is some 145 certificates, and reading them two thirds of a lean start.
pub(super) const ROOTS: &[u8] = include_bytes!("../roots.pem");

/// For the name, TCP and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// How long a connection may have been idle. What lies between may have forgotten it by then, and would say so only when an attempt's time
/// is up.
const IDLE_TIME: Duration = Duration::from_secs(90);

/// A way to one endpoint. A clone shares its connections.
#[derive(Clone)]
pub(super) struct Connector {
    endpoint: Arc<Endpoint>,
}

struct Endpoint {
    /// As the header `host` has it.
    authority: String,
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// Since when, the last one last.
    idle: Mutex<Vec<(Instant, Connection)>>,
}

type Connection = SendRequest<Full<Bytes>>;

/// Why there is no way to an endpoint.
pub(super) enum Unusable {
    /// The URL is none of an endpoint.
    Url,
    /// The roots are none.
    Roots,
    /// rustls refuses.
    Tls(rustls::Error),
}

impl Connector {
    /// To `https://host` or `http://host:port`, trusting `roots` (PEM) or the built-in ones.
    pub(super) fn new(url: &str, roots: Option<&[u8]>) -> Result<Self, Unusable> {
        // What a parser would leave out without a word.
        if url.contains(['@', '#', '?']) {
            return Err(Unusable::Url);
        }
        let url: Uri = url.parse().map_err(|_| Unusable::Url)?;
        let (Some(scheme), Some(authority), "/") = (url.scheme_str(), url.authority(), url.path()) else { return Err(Unusable::Url) };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let (port, tls) = match scheme {
            "http" => (80, None),
            "https" => {
                let name = ServerName::try_from(host.clone()).map_err(|_| Unusable::Url)?;
                (443, Some((tls(roots.unwrap_or(ROOTS))?, name)))
            }
            _ => return Err(Unusable::Url),
        };
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => port,
            _ => authority.port_u16().ok_or(Unusable::Url)?,
        };
        let endpoint = Endpoint { authority: authority.to_string(), host, port, tls, idle: Mutex::default() };
        Ok(Self { endpoint: Arc::new(endpoint) })
    }

    /// What requests to it say in their header `host`.
    pub(super) fn authority(&self) -> &str {
        &self.endpoint.authority
    }
}

fn tls(roots: &[u8]) -> Result<TlsConnector, Unusable> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(roots) {
        store.add(certificate.map_err(|_| Unusable::Roots)?).map_err(|_| Unusable::Roots)?;
    }
    if store.is_empty() {
        return Err(Unusable::Roots);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Unusable::Tls)?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

impl Endpoint {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let mut request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?.map(|body: SdkBody| {
            // A request's body is in memory: it is what has just been signed.
            Full::new(Bytes::copy_from_slice(body.bytes().unwrap_or_default()))
        });
        *request.uri_mut() = Uri::from_static("/");
        loop {
            let idle = self.take_idle();
            let used = idle.is_some();
            let mut connection = match idle {
                Some(connection) => connection,
                None => self.connect().await?,
            };
            let mut answered = Answered { endpoint: self, answered: false };
            match connection.try_send_request(request).await {
                Ok(response) => {
                    let (head, body) = response.into_parts();
                    let body = body.collect().await.map_err(|error| ConnectorError::io(error.into()))?.to_bytes();
                    answered.answered = true;
                    if connection.ready().await.is_ok() {
                        self.idle().push((Instant::now(), connection));
                    }
                    return Ok(HttpResponse::new(head.status.into(), SdkBody::from(body)));
                }
                // It was closed while it was idle, before anything of the request was sent: the next one.
                Err(mut error) => match error.take_message() {
                    Some(unsent) if used => request = unsent,
                    _ => return Err(ConnectorError::io(error.into_error().into())),
                },
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Instant, Connection)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that was used last. If that is too long ago, the others have waited longer still.
    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle();
        let (since, connection) = idle.pop()?;
        if since.elapsed() < IDLE_TIME {
            return Some(connection);
        }
        idle.clear();
        None
    }

    async fn connect(&self) -> Result<Connection, ConnectorError> {
        let connecting = async {
            let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
            tcp.set_nodelay(true)?;
            let stream: Box<dyn Stream> = match &self.tls {
                Some((tls, name)) => Box::new(tls.connect(name.clone(), tcp).await?),
                None => Box::new(tcp),
            };
            Ok::<_, std::io::Error>(stream)
        };
        let stream = match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Err(elapsed) => return Err(ConnectorError::timeout(elapsed.into())),
            Ok(connected) => connected.map_err(|error| ConnectorError::io(error.into()))?,
        };
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| ConnectorError::io(error.into()))?;
        // It ends with the sender, or with an error that the sender then tells.
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// A call that ends without an answer (it failed, or its time was up) takes the idle connections with it: they have waited longer than its own
/// had, and an attempt spent on each of them would be the request's last.
struct Answered<'a> {
    endpoint: &'a Endpoint,
    answered: bool,
}

impl Drop for Answered<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.endpoint.idle().clear();
        }
    }
}

/// Plain or encrypted.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let endpoint = Arc::clone(&self.endpoint);
        HttpConnectorFuture::new(async move { endpoint.call(request).await })
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connector").field(&self.endpoint.authority).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_five_roots() {
        assert_eq!(CertificateDer::pem_slice_iter(ROOTS).filter(Result::is_ok).count(), 5);
    }

    /// Answers one request on each of `connections`, closes it, and says so.
    fn one_each(connections: usize) -> (String, std::sync::mpsc::Receiver<()>) {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (closed, when_closed) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for client in listener.incoming().take(connections) {
                let (mut client, mut request) = (client.unwrap(), [0; 4_096]);
                let mut read = 0;
                while !request[..read].ends_with(b"{}") {
                    read += client.read(&mut request[read..]).unwrap();
                }
                client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
                drop(client);
                closed.send(()).unwrap();
            }
        });
        (url, when_closed)
    }

    /// As after a freeze. The connector sees to it by itself: no attempt fails, and no pause is made.
    #[tokio::test]
    async fn a_connection_that_was_closed_while_idle_is_replaced() {
        let (url, when_closed) = one_each(3);
        let Ok(connector) = Connector::new(&url, None) else { panic!("{url}") };
        for _ in 0..3 {
            let mut request = HttpRequest::new(SdkBody::from("{}"));
            request.set_method("POST").unwrap();
            request.headers_mut().insert("host", connector.authority().to_owned());
            let response = connector.endpoint.call(request).await.unwrap();
            assert_eq!((response.status().as_u16(), response.body().bytes()), (200, Some(b"{}".as_slice())));
            when_closed.recv().unwrap();
            // The runtime sees what has come in whenever it waits, as a function does between two events.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
