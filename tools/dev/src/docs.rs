//! `cargo dev docs`: serves the published contract on this machine, as a page that also sends
//! requests.
//!
//! This binary contains one page, a style sheet and a script. The page loads nothing from
//! elsewhere; its Content-Security-Policy allows only requests to the API. The page has another
//! origin than the stack, and scripts of another origin see few of an answer's headers, so requests
//! to the stack go through this server.
//!
//! An interface over all routes, such as GraphQL, has a section with its schema and a form for
//! queries. Only to its paths this server takes POST, and only from its own page or from a program.
//!
//! Deliberately absent: TLS, addresses of other machines, other methods, and GraphiQL, which comes
//! as npm packages only.

use crate::bundle::{Bundle, SCHEMA};
use crate::gateway::matches;
use crate::interface::Interface;
use crate::sample::Sample;
use crate::{database, openapi, token, workspace};
use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, EXPECT, HOST, HeaderName,
    ORIGIN, TRANSFER_ENCODING,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Body;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::error::Error as StdError;
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
/// The maximum size of a body, in bytes. It is above that of a function, whose refusal can be seen.
const MAX_BODY_BYTES: usize = 4 * api::MAX_REQUEST_BODY_BYTES;
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
    let interfaces = Interface::all(&bundle, &workspace::root())?;
    let openapi = openapi::text(&bundle, &sample);
    let server = Arc::new(Server { openapi, bundle, interfaces, options });
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
    interfaces: Vec<Interface>,
    options: Options,
}

impl Server {
    fn is_interface(&self, path: &str) -> bool {
        let mut entries = self.interfaces.iter().flat_map(|interface| &interface.paths);
        entries.any(|entry| entry.path == path)
    }

    fn is_route(&self, path: &str) -> bool {
        self.bundle.routes.iter().any(|route| matches(route.path, path))
    }

    /// Returns what the page shows of the interfaces.
    fn interfaces(&self) -> Value {
        let of = |interface: &Interface| {
            let paths = interface.paths.iter();
            let paths: Vec<_> = paths
                .map(|entry| json!({"path": entry.path, "authorized": entry.authorized}))
                .collect();
            json!({
                "name": interface.name, "schema": schema_path(interface), "paths": paths,
                // A query to begin with, which works whatever documents the stack takes.
                "query": interface.documents.first().map_or("{ __typename }", |first| &first.text),
            })
        };
        self.interfaces.iter().map(of).collect()
    }
}

fn schema_path(interface: &Interface) -> String {
    format!("/{}/{SCHEMA}", interface.name)
}

async fn answer<B>(request: Request<B>, server: &Server) -> Response<Full<Bytes>>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let header = |name: HeaderName| request.headers().get(name).map(|value| value.to_str());
    let host = header(HOST).and_then(Result::ok).filter(|host| is_this_machine(host));
    let Some(host) = host else {
        return message(StatusCode::MISDIRECTED_REQUEST, "this server answers to localhost only");
    };
    let path = request.uri().path().to_owned();
    if *request.method() == Method::POST && server.is_interface(&path) {
        let own = format!("http://{host}");
        if header(ORIGIN).is_some_and(|origin| origin.ok() != Some(own.as_str())) {
            return message(StatusCode::FORBIDDEN, "no POST from pages of another origin");
        }
        let kind = header(CONTENT_TYPE).and_then(Result::ok).unwrap_or_default();
        if kind.split(';').next().map(str::trim) != Some("application/json") {
            return message(StatusCode::UNSUPPORTED_MEDIA_TYPE, "application/json only");
        }
        return sent(request, server.options.stack_port).await;
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return message(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD only");
    }
    let schema = server.interfaces.iter().find(|interface| schema_path(interface) == path);
    if let Some(interface) = schema {
        return file("text/plain; charset=utf-8", interface.schema.clone());
    }
    match path.as_str() {
        "/" => file("text/html; charset=utf-8", page(&server.options)),
        "/page.css" => file("text/css; charset=utf-8", STYLE),
        "/page.js" => file("text/javascript; charset=utf-8", SCRIPT),
        "/openapi.json" => file("application/json", server.openapi.clone()),
        "/interfaces.json" => file("application/json", server.interfaces().to_string()),
        path if server.is_route(path) || server.is_interface(path) => {
            sent(request, server.options.stack_port).await
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

/// Reads a request's body, which is small, and returns the stack's answer.
async fn sent<B>(request: Request<B>, port: u16) -> Response<Full<Bytes>>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else {
        let text = format!("the body cannot be read, or has more than {MAX_BODY_BYTES} bytes");
        return message(StatusCode::PAYLOAD_TOO_LARGE, &text);
    };
    let request = Request::from_parts(head, Full::new(body.to_bytes()));
    let asked = tokio::time::timeout(TIMEOUT, hand_on(request, port)).await;
    let asked = asked.unwrap_or_else(|_| Err(anyhow!("no answer in {} s", TIMEOUT.as_secs())));
    asked.unwrap_or_else(|error| message(StatusCode::BAD_GATEWAY, &format!("{error:#}")))
}

/// Passes a request to the stack and returns the answer, both unchanged.
async fn hand_on(mut request: Request<Full<Bytes>>, port: u16) -> Result<Response<Full<Bytes>>> {
    let failed = || format!("nothing answers on port {port}: run `cargo dev up`");
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.with_context(failed)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.with_context(failed)?;
    let connection = tokio::spawn(connection);
    let host = HeaderValue::try_from(format!("127.0.0.1:{port}")).with_context(failed)?;
    request.headers_mut().insert(HOST, host);
    for hop in [CONNECTION, TRANSFER_ENCODING, EXPECT] {
        request.headers_mut().remove(hop);
    }
    let response = sender.send_request(request).await.with_context(failed)?;
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
    use crate::interface::Entry;
    use std::io::{Read as _, Write as _};

    #[test]
    fn only_local_names_are_answered() {
        assert!(is_this_machine("localhost:9100") && is_this_machine("127.0.0.1"));
        assert!(!is_this_machine("localhost.example.com:9100") && !is_this_machine("example.com"));
    }

    /// A server of the shop's routes, and of an interface if there is one.
    fn server(interfaces: Vec<Interface>, stack_port: u16) -> Server {
        let bundle = Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE).unwrap();
        let options = Options { port: 1, stack_port, sub: "c-1".to_owned() };
        Server { openapi: "{}".to_owned(), bundle, interfaces, options }
    }

    fn interface() -> Interface {
        Interface {
            name: "ask".to_owned(),
            paths: vec![Entry { path: "/ask".to_owned(), authorized: false }],
            schema: "type Query { a: Int }".to_owned(),
            documents: Vec::new(),
        }
    }

    /// Sends a request with these header lines; returns the status and the body of the answer.
    async fn ask(server: &Server, head: &str, body: &str) -> (u16, String) {
        let mut lines = head.lines();
        let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let (head, body) = answer(request, server).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn only_an_interface_is_sent_a_body_and_only_by_this_page_or_a_program() {
        let stack = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = server(vec![interface()], stack.local_addr().unwrap().port());
        // Answers with what it was sent.
        std::thread::spawn(move || {
            for stream in stack.incoming() {
                let mut stream = stream.unwrap();
                let (mut got, mut part) = (Vec::new(), [0; 4_096]);
                let is_whole = |got: &[u8]| {
                    got.ends_with(b"{}") || (got.starts_with(b"GET") && got.ends_with(b"\r\n\r\n"))
                };
                while !is_whole(&got) {
                    let read = stream.read(&mut part).unwrap();
                    got.extend_from_slice(&part[..read]);
                }
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", got.len());
                stream.write_all(&[head.as_bytes(), &got].concat()).unwrap();
            }
        });
        const JSON: &str = "content-type: application/json";
        let large = " ".repeat(MAX_BODY_BYTES + 1);
        for (head, body, status) in [
            (format!("POST /ask\nhost: localhost:1\n{JSON}"), "{}", 200),
            (format!("POST /ask\nhost: localhost:1\n{JSON}; charset=utf-8"), "{}", 200),
            (
                format!("POST /ask\nhost: localhost:1\n{JSON}\norigin: http://localhost:1"),
                "{}",
                200,
            ),
            (
                format!("POST /ask\nhost: localhost:1\n{JSON}\norigin: http://localhost:2"),
                "{}",
                403,
            ),
            (
                format!("POST /ask\nhost: localhost:1\n{JSON}\norigin: https://evil.example"),
                "{}",
                403,
            ),
            (format!("POST /ask\nhost: localhost:1\n{JSON}\norigin: null"), "{}", 403),
            (
                format!("POST /ask\nhost: evil.example\n{JSON}\norigin: http://evil.example"),
                "{}",
                421,
            ),
            ("POST /ask\nhost: localhost:1\ncontent-type: text/plain".to_owned(), "{}", 415),
            ("POST /ask\nhost: localhost:1".to_owned(), "{}", 415),
            (format!("POST /ask\nhost: localhost:1\n{JSON}"), &large, 413),
            (format!("PUT /ask\nhost: localhost:1\n{JSON}"), "{}", 405),
            (format!("POST /v1/products\nhost: localhost:1\n{JSON}"), "{}", 405),
            (format!("POST /\nhost: localhost:1\n{JSON}"), "{}", 405),
            ("GET /ask?query=a\nhost: localhost:1".to_owned(), "", 200),
            ("GET /v1/products\nhost: localhost:1".to_owned(), "", 200),
        ] {
            let (given, answer) = ask(&server, &head, body).await;
            assert_eq!(given, status, "{head}: {answer}");
            if head.starts_with("POST") && status == 200 {
                assert!(answer.starts_with("POST /ask HTTP/1.1"), "{head}: {answer}");
                assert!(answer.ends_with("\r\n\r\n{}"), "{head}: {answer}");
            }
        }
    }

    #[tokio::test]
    async fn the_schema_is_served_if_there_is_one() {
        let (with, without) = (server(vec![interface()], 1), server(Vec::new(), 1));
        let get =
            async |server, path| ask(server, &format!("GET {path}\nhost: localhost"), "").await;
        let schema = "type Query { a: Int }".to_owned();
        assert_eq!(get(&with, "/ask/schema.graphql").await, (200, schema));
        let (_, interfaces) = get(&with, "/interfaces.json").await;
        let about = json!([{
            "name": "ask", "schema": "/ask/schema.graphql", "query": "{ __typename }",
            "paths": [{"path": "/ask", "authorized": false}]
        }]);
        assert_eq!(serde_json::from_str::<Value>(&interfaces).unwrap(), about);
        assert_eq!(get(&without, "/ask/schema.graphql").await.0, 404);
        assert_eq!(get(&without, "/interfaces.json").await, (200, "[]".to_owned()));
        let post = "POST /ask\nhost: localhost\ncontent-type: application/json";
        assert_eq!(ask(&without, post, "{}").await.0, 405);
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
