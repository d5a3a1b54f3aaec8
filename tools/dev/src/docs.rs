//! `cargo dev docs`: serves the published contract on this machine, as a page that also sends
//! requests.
//!
//! This binary contains one page, a style sheet and a script. The page loads nothing from
//! elsewhere; its Content-Security-Policy allows only requests to the API. The page has another
//! origin than the stack, and scripts of another origin see few of an answer's headers, so requests
//! to the stack go through this server.
//!
//! Deliberately absent: TLS, addresses of other machines, methods other than GET and HEAD.

use crate::bundle::Bundle;
use crate::gateway::matches;
use crate::sample::Sample;
use crate::{database, openapi, token};
use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, TRANSFER_ENCODING,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

const PAGE: &str = include_str!("docs/page.html");
const STYLE: &str = include_str!("docs/page.css");
const SCRIPT: &str = include_str!("docs/page.js");
/// Allows only this server's own files; requests may go to any API that a reader names.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src *; img-src data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";
/// Longer than the start of a function under cargo.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The options of `cargo dev docs`.
#[derive(Debug, Clone)]
pub struct Options {
    /// The page's port.
    pub port: u16,
    /// The port of the stack's functions.
    pub stack_port: u16,
    /// The subject of the token that the page starts with.
    pub sub: String,
}

/// Serves the page until it is ended from outside (drop the future).
///
/// # Errors
/// If the port is taken.
pub async fn docs(options: Options) -> Result<()> {
    let listener =
        database::bind(IpAddr::V4(Ipv4Addr::LOCALHOST), options.port).context("--port")?;
    let listener = tokio::net::TcpListener::from_std(listener).context("--port")?;
    let (bundle, sample) = (Bundle::of_workspace()?, Sample::of_workspace()?);
    let server = Arc::new(Server { openapi: openapi::text(&bundle, &sample), bundle, options });
    let Options { port, stack_port, .. } = server.options;
    println!(
        "API reference: http://localhost:{port}   (requests go to port {stack_port})   Ctrl-C ends it."
    );
    loop {
        // A connection that fails early does not end the server.
        let Ok((stream, _)) = listener.accept().await else { continue };
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let service = service_fn(|request| async {
                Ok::<_, std::convert::Infallible>(answer(request, &server).await)
            });
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// The things that are served.
struct Server {
    openapi: String,
    bundle: Bundle,
    options: Options,
}

async fn answer(request: Request<Incoming>, server: &Server) -> Response<Full<Bytes>> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(is_this_machine) {
        return message(StatusCode::MISDIRECTED_REQUEST, "this server answers to localhost only");
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return message(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD only");
    }
    match request.uri().path() {
        "/" => file("text/html; charset=utf-8", page(&server.options)),
        "/page.css" => file("text/css; charset=utf-8", STYLE),
        "/page.js" => file("text/javascript; charset=utf-8", SCRIPT),
        "/openapi.json" => file("application/json", server.openapi.clone()),
        path if server.bundle.routes.iter().any(|route| matches(route.path, path)) => {
            let asked =
                tokio::time::timeout(TIMEOUT, hand_on(request, server.options.stack_port)).await;
            let asked =
                asked.unwrap_or_else(|_| Err(anyhow!("no answer in {} s", TIMEOUT.as_secs())));
            asked.unwrap_or_else(|error| message(StatusCode::BAD_GATEWAY, &format!("{error:#}")))
        }
        _ => message(StatusCode::NOT_FOUND, "there is no such page and no such route"),
    }
}

/// Returns the page with the address of the stack and a token that only a local build accepts.
fn page(options: &Options) -> String {
    let sub: String = options.sub.chars().filter(|c| !c.is_control()).collect();
    PAGE.replace("{{stack}}", &format!("http://localhost:{}", options.stack_port))
        .replace("{{token}}", &token::token(&sub, None))
}

/// Passes a request to the stack and returns the answer, both unchanged.
async fn hand_on(mut request: Request<Incoming>, port: u16) -> Result<Response<Full<Bytes>>> {
    let failed = || format!("nothing answers on port {port}: run `cargo dev up`");
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.with_context(failed)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.with_context(failed)?;
    let connection = tokio::spawn(connection);
    let host = HeaderValue::try_from(format!("127.0.0.1:{port}")).with_context(failed)?;
    request.headers_mut().insert(HOST, host);
    request.headers_mut().remove(CONNECTION);
    let response =
        sender.send_request(request.map(|_| Empty::<Bytes>::new())).await.with_context(failed)?;
    let (mut head, body) = response.into_parts();
    let body = body.collect().await.with_context(failed)?.to_bytes();
    connection.abort();
    for hop in [CONNECTION, TRANSFER_ENCODING] {
        head.headers.remove(hop);
    }
    Ok(Response::from_parts(head, Full::new(body)))
}

/// Returns true for a local name. Others are refused, since a page elsewhere could make one that
/// leads here (DNS rebinding).
fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1")
}

fn file(kind: &'static str, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn message(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = file("application/json", serde_json::json!({ "message": text }).to_string());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_local_names_are_answered() {
        assert!(is_this_machine("localhost:9100") && is_this_machine("127.0.0.1"));
        assert!(!is_this_machine("localhost.example.com:9100") && !is_this_machine("example.com"));
    }

    #[test]
    fn the_page_fetches_nothing_from_elsewhere() {
        let options = Options { port: 1, stack_port: 9000, sub: "c-1".to_owned() };
        let page = page(&options);
        assert!(!page.contains("{{") && page.contains("http://localhost:9000"));
        for text in [PAGE, STYLE, SCRIPT] {
            assert!(
                !text.contains("//cdn")
                    && !text.contains("https://")
                    && !text.contains("@import")
                    && !text.contains("innerHTML")
            );
        }
        assert!(PAGE.lines().count() + STYLE.lines().count() + SCRIPT.lines().count() < 600);
    }
}
