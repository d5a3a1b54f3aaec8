//! Stands before a server of the local stack and lets in only what programs of this machine send.
//!
//! A browser sends a request for any page that it shows, also to this machine. So a page of another
//! origin could read and delete what `cargo dev up` holds: the emulator allows every origin, and
//! neither it nor `cargo lambda watch` looks at `Host`, so a name that leads here (DNS rebinding)
//! would make the page's origin the same as the stack's.
//!
//! The emulator has nothing but the guard before it, the functions have [`crate::gateway`].
//!
//! Deliberately absent: a check of the caller. Every program of this machine may use the stack.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, ORIGIN, TRANSFER_ENCODING};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Headers that API Gateway never sends. `cargo lambda watch` hands them on, and a function ends at
/// one that it cannot read (lambda_runtime 1.5.0).
const OF_THE_RUNTIME: [&str; 2] =
    ["lambda-runtime-client-context", "lambda-runtime-cognito-identity"];

pub(crate) type Body = BoxBody<Bytes, hyper::Error>;

/// A guard that is running. It ends when this is dropped.
pub(crate) struct Guard(JoinHandle<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Hands requests to `listener` on to the emulator at `to`, except those that have an `Origin`:
/// nothing in a browser has to reach it. Must be called within a runtime.
pub(crate) fn start(listener: std::net::TcpListener, to: SocketAddr) -> Result<Guard> {
    serve(listener, move |request| async move {
        match admitted(request) {
            Ok(request) if request.headers().contains_key(ORIGIN) => {
                refusal(StatusCode::FORBIDDEN, "no requests from pages")
            }
            Ok(request) => hand_on(request, to).await,
            Err(refusal) => *refusal,
        }
    })
}

/// Answers requests to `listener`. Must be called within a runtime.
pub(crate) fn serve<F>(
    listener: std::net::TcpListener,
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
) -> Result<Guard>
where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let listener = tokio::net::TcpListener::from_std(listener).context("cannot listen")?;
    Ok(Guard(tokio::spawn(async move {
        loop {
            // A connection that fails early does not end the guard.
            let Ok((stream, _)) = listener.accept().await else { continue };
            let answer = answer.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let answered = answer(request);
                    async { Ok::<_, Infallible>(answered.await) }
                });
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    })))
}

/// Returns the request as it may be handed on, or the refusal if its `Host` is another machine's.
pub(crate) fn admitted(
    mut request: Request<Incoming>,
) -> Result<Request<Incoming>, Box<Response<Body>>> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(is_local) {
        return Err(Box::new(refusal(
            StatusCode::MISDIRECTED_REQUEST,
            "this server answers to this machine's own names only",
        )));
    }
    for name in OF_THE_RUNTIME {
        request.headers_mut().remove(name);
    }
    Ok(request)
}

/// Returns the answer of the server at `to`; 502 if there is none.
pub(crate) async fn hand_on(request: Request<Incoming>, to: SocketAddr) -> Response<Body> {
    let answer = ask(request, to).await;
    answer.unwrap_or_else(|error| refusal(StatusCode::BAD_GATEWAY, &format!("{error:#}")))
}

async fn ask(mut request: Request<Incoming>, to: SocketAddr) -> Result<Response<Body>> {
    let failed = "the server does not answer";
    let stream = TcpStream::connect(to).await.context(failed)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.context(failed)?;
    tokio::spawn(connection);
    request.headers_mut().remove(CONNECTION);
    let (mut head, body) = sender.send_request(request).await.context(failed)?.into_parts();
    for hop in [CONNECTION, TRANSFER_ENCODING] {
        head.headers.remove(hop);
    }
    Ok(Response::from_parts(head, body.boxed()))
}

/// Returns true for the names of this machine, and for addresses: a page elsewhere can make a name
/// that leads here, but no address.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    matches!(name, "localhost" | "host.docker.internal") || address.parse::<IpAddr>().is_ok()
}

/// Returns an answer in the form of API Gateway's own errors.
pub(crate) fn refusal(status: StatusCode, text: &str) -> Response<Body> {
    let body = serde_json::json!({ "message": text }).to_string();
    let mut response = Response::new(whole(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Returns bytes as the body of an answer.
pub(crate) fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

/// Takes a port for the server behind a guard. Where the machine has more addresses of its own than
/// one, it is one that a page cannot guess.
pub(crate) fn hidden() -> Result<std::net::TcpListener> {
    let [a, b, c, ..] = RandomState::new().build_hasher().finish().to_ne_bytes();
    let address = IpAddr::from([127, a, b, c.clamp(2, 250)]);
    crate::database::bind(address, 0)
        .or_else(|_| crate::database::bind(IpAddr::from([127, 0, 0, 1]), 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database;
    use std::io::{Read as _, Write as _};
    use std::net::Ipv4Addr;

    /// Sends a request as it is and returns the whole response.
    fn send(address: SocketAddr, head: &str) -> String {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    async fn sent(address: SocketAddr, head: &'static str) -> String {
        tokio::task::spawn_blocking(move || send(address, head)).await.unwrap()
    }

    #[tokio::test]
    async fn only_programs_of_this_machine_reach_the_emulator() {
        let local = database::serve(
            database::bind(Ipv4Addr::LOCALHOST.into(), 0).unwrap(),
            database::open(None).unwrap(),
        )
        .unwrap();
        let to = local.url.trim_start_matches("http://").parse().unwrap();
        let listener = database::bind(Ipv4Addr::LOCALHOST.into(), 0).unwrap();
        let address = listener.local_addr().unwrap();
        let _guard = start(listener, to).unwrap();
        let list = "POST / HTTP/1.1\r\nhost: localhost:8000\r\nx-amz-target: DynamoDB_20120810.ListTables\r\n\
                    content-type: application/x-amz-json-1.0\r\nauthorization: AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/dynamodb/\
                    aws4_request, SignedHeaders=host;x-amz-date, Signature=0\r\nx-amz-date: 20260101T000000Z\r\ncontent-length: 2\r\n\
                    connection: close\r\n\r\n{}";
        let listed = sent(address, list).await;
        assert!(listed.starts_with("HTTP/1.1 200") && listed.contains("TableNames"), "{listed}");
        for (head, status) in [
            ("GET / HTTP/1.1\r\nhost: 127.0.0.1:8000\r\n", "200"),
            ("GET / HTTP/1.1\r\nhost: 127.0.0.1:8000\r\norigin: https://evil.example\r\n", "403"),
            ("GET / HTTP/1.1\r\nhost: 127.0.0.1:8000\r\norigin: null\r\n", "403"),
            (
                "OPTIONS / HTTP/1.1\r\nhost: localhost\r\norigin: https://evil.example\r\naccess-control-request-method: POST\r\n",
                "403",
            ),
            ("GET / HTTP/1.1\r\nhost: rebound.evil.example\r\n", "421"),
            ("GET / HTTP/1.1\r\nhost: localhost.evil.example:8000\r\n", "421"),
            ("GET / HTTP/1.1\r\n", "421"),
        ] {
            let answer = sent(address, head).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{head}: {answer}");
            assert!(!answer.to_ascii_lowercase().contains("access-control"), "{head}: {answer}");
        }
        drop(local);
        assert!(
            sent(address, "GET / HTTP/1.1\r\nhost: localhost\r\n")
                .await
                .starts_with("HTTP/1.1 502")
        );
    }

    #[tokio::test]
    async fn what_ends_a_function_is_not_handed_on_and_the_rest_is() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let to = server.local_addr().unwrap();
        let got = std::thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let mut head = vec![0; 4_096];
            let read = stream.read(&mut head).unwrap();
            stream
                .write_all(
                    b"HTTP/1.1 200 OK\r\ncontent-length: 12345\r\ncontent-encoding: gzip\r\n\r\n",
                )
                .unwrap();
            String::from_utf8_lossy(&head[..read]).to_ascii_lowercase()
        });
        let listener = database::bind(Ipv4Addr::LOCALHOST.into(), 0).unwrap();
        let address = listener.local_addr().unwrap();
        let _guard =
            serve(
                listener,
                move |request| async move { hand_on(admitted(request).unwrap(), to).await },
            )
            .unwrap();
        let answer = sent(
            address,
            "HEAD /v1/x?a=%2F HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost:9100\r\nlambda-runtime-client-context: x\r\n\
             Lambda-Runtime-Cognito-Identity: x\r\nif-none-match: \"a\"\r\n",
        );
        let answer = answer.await.to_ascii_lowercase();
        assert!(
            answer.contains("content-length: 12345") && answer.contains("content-encoding: gzip"),
            "{answer}"
        );
        let got = got.join().unwrap();
        assert!(
            got.starts_with("head /v1/x?a=%2f http/1.1")
                && got.contains("if-none-match: \"a\"")
                && got.contains("origin:"),
            "{got}"
        );
        assert!(!got.contains("lambda-runtime"), "{got}");
    }

    #[test]
    fn addresses_and_own_names_are_local() {
        for host in [
            "localhost",
            "localhost:9000",
            "127.0.0.1:8000",
            "[::1]:8000",
            "[::1]",
            "172.17.0.1:8000",
            "host.docker.internal:8000",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "",
            ":8000",
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:80",
            "127.1",
            "2130706433",
            "evil:x",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }
}
