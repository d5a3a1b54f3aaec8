//! The API Gateway of the local stack: it stands before `cargo lambda watch`.
//!
//! It hands on the requests that a route of template.yaml takes, answers the others as an HTTP API
//! does, and writes one line for each request, with what a caller of `curl -i` would want to know:
//! the path, the status, what was wrong, how long it took, what it read.
//!
//! While a function does not compile, `watch` keeps its requests until the caller gives up. Then
//! they are answered here, with the reason.
//!
//! Deliberately absent: an authorizer (the functions judge local tokens themselves), throttles, and
//! CORS (`cargo dev docs` hands on what a page sends).

use crate::build::{Build, PATIENCE};
use crate::guard::{self, Body, Guard, admitted, hand_on, refusal, whole};
use crate::invoke::decompressed;
use crate::log::{self, Format};
use crate::template::Template;
use anyhow::Result;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, COOKIE, HeaderName};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The path of Lambda's Invoke, with the name of a function in its middle.
const INVOKE: [&str; 2] = ["/2015-03-31/functions/", "/invocations"];
/// The path of the function URLs of `cargo lambda watch`.
const FUNCTION_URLS: &str = "/lambda-url/";
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// The number of wrong parameters that a line names.
const SHOWN: usize = 3;

/// The routes, and the way to the functions.
pub(crate) struct Gateway {
    routes: Vec<Route>,
    /// The address of `cargo lambda watch`.
    functions: SocketAddr,
    /// The functions that do not compile.
    build: Build,
    format: Format,
}

struct Route {
    method: String,
    path: String,
    function: String,
}

impl Gateway {
    /// Takes the routes of a template.
    pub(crate) fn new(
        template: &Template,
        functions: SocketAddr,
        build: Build,
        format: Format,
    ) -> Self {
        let routes = template.functions.iter().flat_map(|function| {
            function.routes.iter().map(|route| Route {
                method: route.method.clone(),
                path: route.path.clone(),
                function: function.binary.clone(),
            })
        });
        Self { routes: routes.collect(), functions, build, format }
    }

    /// Answers requests until the result is dropped. Must be called within a runtime.
    pub(crate) fn start(self, listener: TcpListener) -> Result<Guard> {
        let gateway = Arc::new(self);
        guard::serve(listener, move |request| {
            let gateway = Arc::clone(&gateway);
            async move { gateway.answer(request).await }
        })
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let begin = Instant::now();
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let shown = match invoked(target) {
            Some(function) => format!("invoke {function}"),
            None => format!("{} {target}", request.method()),
        };
        let (head, body) = self.routed(request).await.into_parts();
        // An answer has at most 6 MB; one that ends early is handed on as far as it came.
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        if self.format == Format::Text {
            let line = line(head.status, &head.headers, &body, begin.elapsed());
            log::write(&format!("{shown}  {line}"));
        }
        Response::from_parts(head, whole(body))
    }

    async fn routed(&self, request: Request<Incoming>) -> Response<Body> {
        let mut request = match admitted(request) {
            Ok(request) => request,
            Err(refusal) => return *refusal,
        };
        *request.headers_mut() = on_one_line(request.headers());
        let path = request.uri().path();
        let function = match invoked(path) {
            Some(function) => Some(function.to_owned()),
            None if path.starts_with(FUNCTION_URLS) => None,
            None => match self.route(request.method().as_str(), path) {
                Some(route) => Some(route.function.clone()),
                // As API Gateway answers.
                None => return refusal(StatusCode::NOT_FOUND, "Not Found"),
            },
        };
        // A package that is no function is in all of them.
        let stops = |package: &str| {
            function.as_deref() == Some(package)
                || self.routes.iter().all(|route| route.function != package)
        };
        tokio::select! {
            biased;
            package = self.build.failed(stops, PATIENCE) => refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                &format!("{package} does not compile: see the terminal of `cargo dev up`"),
            ),
            response = hand_on(request, self.functions) => response,
        }
    }

    fn route(&self, method: &str, path: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.method == method && matches(&route.path, path))
    }
}

/// Returns headers of which each has one value in UTF-8. The lines of a header are joined with
/// commas, as API Gateway does: `cargo lambda watch` would hand on the first one only, and answer a
/// value in another encoding with an error of its own.
fn on_one_line(headers: &HeaderMap) -> HeaderMap {
    let value = |name: &HeaderName| {
        let lines = headers.get_all(name).iter();
        let lines: Vec<_> =
            lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect();
        let separator = if *name == COOKIE { "; " } else { "," };
        HeaderValue::try_from(lines.join(separator)).ok()
    };
    headers.keys().filter_map(|name| Some((name.clone(), value(name)?))).collect()
}

/// Returns true if a path is of a route, segment for segment. No parameter is empty.
pub(crate) fn matches(route: &str, path: &str) -> bool {
    route.split('/').count() == path.split('/').count()
        && route.split('/').zip(path.split('/')).all(|(wanted, given)| {
            wanted == given || (wanted.starts_with('{') && !given.is_empty())
        })
}

/// Returns the function that a path invokes directly, without HTTP API.
fn invoked(path: &str) -> Option<&str> {
    path.strip_prefix(INVOKE[0])?.strip_suffix(INVOKE[1])
}

/// Writes an answer as `400 limit: must be a whole number from 1 to 100  0.2 ms`.
fn line(status: StatusCode, headers: &HeaderMap, body: &Bytes, elapsed: Duration) -> String {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let plain = match text(CONTENT_ENCODING) {
        Some("gzip") => decompressed(body).unwrap_or_default(),
        _ => body.to_vec(),
    };
    let json: Value = serde_json::from_slice(&plain).unwrap_or_default();
    // The answer to an invocation has the response in its JSON.
    let (status, json, timing) = match json["statusCode"].as_u64() {
        Some(status) => {
            let body = json["body"].as_str().unwrap_or_default();
            let timing = json["headers"]["server-timing"].as_str().map(str::to_owned);
            (status.to_string(), serde_json::from_str(body).unwrap_or_default(), timing)
        }
        None => (status.as_str().to_owned(), json, text(SERVER_TIMING).map(str::to_owned)),
    };
    let mut parts = vec![match reason(&status, &json) {
        Some(reason) => format!("{status} {reason}"),
        None => status,
    }];
    match timing.as_deref().and_then(Timing::parse) {
        Some(timing) => parts.extend(timing.parts()),
        None => parts.push(format!("{:.1} ms", elapsed.as_secs_f64() * 1e3)),
    }
    if !body.is_empty() {
        parts.push(log::count(body.len(), "byte"));
    }
    parts.join("  ")
}

/// Returns why an answer is not a success: the wrong parameters, else the title of the problem,
/// else the message of an error that is not a function's own.
fn reason(status: &str, json: &Value) -> Option<String> {
    if status < "400" {
        return None;
    }
    let member = |of: &Value, name: &str| of[name].as_str().map(str::to_owned);
    let errors: Vec<_> = json["errors"].as_array().into_iter().flatten().collect();
    let shown = errors.iter().take(SHOWN).filter_map(|error| {
        let parameter =
            || Some(format!("{}: {}", member(error, "parameter")?, member(error, "detail")?));
        // Other interfaces have messages.
        parameter().or_else(|| member(error, "message"))
    });
    let mut shown = shown.collect::<Vec<_>>().join("; ");
    if errors.len() > SHOWN {
        shown += &format!("; and {} more", errors.len() - SHOWN);
    }
    Some(shown)
        .filter(|shown| !shown.is_empty())
        .or_else(|| member(json, "title"))
        .or_else(|| member(json, "message"))
}

/// The functions' `Server-Timing`: `db;dur=1.2;desc="rounds=1 units=0.5", total;dur=1.5`.
struct Timing {
    /// Milliseconds.
    total: f64,
    database: f64,
    rounds: usize,
    units: f64,
    /// Units that were written for a quota.
    write_units: f64,
    /// The outcome of the cache tier, if the request could use it.
    cache: Option<String>,
}

impl Timing {
    fn parse(text: &str) -> Option<Self> {
        let after = |name: &str| {
            let value = text.split_once(name)?.1;
            let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
            Some(&value[..end])
        };
        Some(Self {
            total: after("total;dur=")?.parse().ok()?,
            database: after("db;dur=")?.parse().ok()?,
            rounds: after("rounds=")?.parse().ok()?,
            units: after(" units=")?.parse().ok()?,
            write_units: after("write-units=").map_or(Some(0.0), |units| units.parse().ok())?,
            cache: text
                .split_once("cache;desc=")
                .and_then(|(_, state)| state.split([';', ',']).next())
                .filter(|state| *state != "off")
                .map(str::to_owned),
        })
    }

    fn parts(&self) -> Vec<String> {
        let mut parts = vec![format!("{:.1} ms", self.total)];
        parts.extend(self.cache.as_ref().map(|state| format!("cache {state}")));
        if self.rounds > 0 {
            let rounds = log::count(self.rounds, "round");
            parts.push(format!("{rounds} in {:.1} ms", self.database));
            parts.push(format!("{} read units", self.units));
        }
        if self.write_units > 0.0 {
            let plural = if self.write_units == 1.0 { "" } else { "s" };
            parts.push(format!("{} write unit{plural}", self.write_units));
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{database, local_http};
    use std::io::{Read as _, Write as _};
    use std::net::Ipv4Addr;

    fn shown(status: u16, timing: &str, body: &str) -> String {
        let mut headers = HeaderMap::new();
        if !timing.is_empty() {
            headers.insert(SERVER_TIMING, timing.parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        line(status, &headers, &Bytes::from(body.to_owned()), Duration::from_millis(7))
    }

    #[test]
    fn a_success_is_shown_with_what_it_read() {
        let timing = "db;dur=1.04;desc=\"rounds=2 units=12.5\", total;dur=1.54";
        assert_eq!(
            shown(200, timing, "{}"),
            "200  1.5 ms  2 rounds in 1.0 ms  12.5 read units  2 bytes"
        );
        let timing = "db;dur=1.04;desc=\"rounds=1 units=0.5 write-units=1\", total;dur=1.54";
        assert_eq!(
            shown(200, timing, ""),
            "200  1.5 ms  1 round in 1.0 ms  0.5 read units  1 write unit"
        );
        let timing = "db;dur=0;desc=\"rounds=0 units=0\", total;dur=0.2";
        assert_eq!(shown(304, timing, ""), "304  0.2 ms");
    }

    #[test]
    fn the_state_of_the_cache_is_shown_if_the_request_could_use_it() {
        let line = |state: &str, counts: &str| {
            let cache = format!(", cache;desc={state};dur=0.5");
            shown(200, &format!("db;dur=0;desc=\"{counts}\"{cache}, total;dur=0.9"), "")
        };
        assert_eq!(line("hit", "rounds=0 units=0"), "200  0.9 ms  cache hit");
        let miss = line("miss", "rounds=1 units=1.5");
        assert_eq!(miss, "200  0.9 ms  cache miss  1 round in 0.0 ms  1.5 read units");
        assert_eq!(line("open", "rounds=0 units=0"), "200  0.9 ms  cache open");
        assert_eq!(line("off", "rounds=0 units=0"), "200  0.9 ms");
    }

    #[test]
    fn a_problem_is_shown_with_what_is_wrong() {
        let timing = "db;dur=0;desc=\"rounds=0 units=0\", total;dur=0.2";
        let one = r#"{"title":"Invalid parameter","errors":[{"parameter":"limit","detail":"must be a whole number from 1 to 100"}]}"#;
        let line = shown(400, timing, one);
        assert!(
            line.starts_with("400 limit: must be a whole number from 1 to 100  0.2 ms"),
            "{line}"
        );
        let error = r#"{"parameter":"a","detail":"b"}"#;
        let many = format!(r#"{{"errors":[{}]}}"#, [error; 5].join(","));
        assert!(shown(400, timing, &many).starts_with("400 a: b; a: b; a: b; and 2 more  0.2 ms"));
        let message = r#"{"errors":[{"message":"Unknown field"}]}"#;
        assert!(shown(422, timing, message).starts_with("422 Unknown field  0.2 ms"));
        assert!(
            shown(403, timing, r#"{"title":"Access denied"}"#).starts_with("403 Access denied  ")
        );
        assert!(shown(404, "", r#"{"message":"Not Found"}"#).starts_with("404 Not Found  7.0 ms"));
    }

    #[test]
    fn an_invocation_is_shown_with_the_status_of_its_response() {
        let payload = r#"{"statusCode":403,"headers":{"server-timing":"db;dur=0;desc=\"rounds=0 units=0\", total;dur=0.3"},"body":"{\"title\":\"Access denied\"}"}"#;
        assert!(shown(200, "", payload).starts_with("403 Access denied  0.3 ms"));
        assert_eq!(invoked("/2015-03-31/functions/get-thing/invocations"), Some("get-thing"));
        assert_eq!(invoked("/v1/things"), None);
    }

    #[test]
    fn paths_match_segment_for_segment() {
        assert!(matches("/v1/things/{id}", "/v1/things/a%2Fb"));
        assert!(matches("/v1/parts", "/v1/parts"));
        for other in
            ["/v1/things", "/v1/things/", "/v1/things/a/", "/v1/things/a/parts", "/v2/things/a"]
        {
            assert!(!matches("/v1/things/{id}", other), "{other}");
        }
    }

    const TEMPLATE: &str = r"
Resources:
  ListThings:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/list-things
      Events: {Get: {Type: HttpApi, Properties: {Path: /v1/things, Method: GET}}}
  GetThing:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/get-thing
      Events: {Get: {Type: HttpApi, Properties: {Path: '/v1/things/{id}', Method: GET}}}
";

    /// Starts a gateway before a server that answers requests with 200 and what came, except those
    /// for one thing: they wait.
    fn before_a_server(build: Build) -> (Guard, SocketAddr) {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = server.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut waiting = Vec::new();
            while let Ok((mut stream, _)) = server.accept() {
                let mut head = [0; 4_096];
                let read = stream.read(&mut head).unwrap_or_default();
                let head = &head[..read];
                if head.starts_with(b"GET /v1/things/") {
                    waiting.push(stream);
                } else {
                    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {read}\r\n\r\n");
                    let _ = stream.write_all(&[answer.as_bytes(), head].concat());
                }
            }
        });
        let listener = database::bind(Ipv4Addr::LOCALHOST.into(), 0).unwrap();
        let address = listener.local_addr().unwrap();
        let template = Template::parse(TEMPLATE).unwrap();
        (Gateway::new(&template, to, build, Format::Json).start(listener).unwrap(), address)
    }

    #[tokio::test]
    async fn a_path_that_is_no_route_is_answered_as_api_gateway_does() {
        let (_gateway, address) = before_a_server(Build::default());
        for path in ["/", "/v1/things/", "/v1/things/t-1/parts"] {
            let response = local_http::get(address, path, None).await.unwrap();
            assert_eq!(
                (response.status().as_u16(), &response.body()[..]),
                (404, &br#"{"message":"Not Found"}"#[..])
            );
            assert_eq!(response.headers()["content-type"], "application/json");
        }
        let response = local_http::get(address, "/v1/things?limit=5", None).await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        assert!(response.body().starts_with(b"GET /v1/things?limit=5 "), "{response:?}");
    }

    /// Sends a request with these header lines and returns the whole response, in small letters.
    async fn sent(address: SocketAddr, method: &'static str, lines: &'static [u8]) -> String {
        let send = move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            let begin = format!("{method} /v1/things HTTP/1.1\r\n");
            let end = b"connection: close\r\n\r\n";
            stream.write_all(&[begin.as_bytes(), lines, end].concat()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer.to_ascii_lowercase()
        };
        tokio::task::spawn_blocking(send).await.unwrap()
    }

    #[tokio::test]
    async fn pages_of_other_origins_reach_no_function() {
        let (_gateway, address) = before_a_server(Build::default());
        for (method, lines, status) in [
            ("GET", &b"host: localhost:9000\r\norigin: https://evil.example\r\n"[..], "200"),
            ("GET", b"host: rebound.evil.example\r\norigin: https://evil.example\r\n", "421"),
            ("GET", b"host: localhost.evil.example:9000\r\n", "421"),
            ("GET", b"", "421"),
            (
                "OPTIONS",
                b"host: 127.0.0.1\r\norigin: https://evil.example\r\naccess-control-request-method: GET\r\n",
                "404",
            ),
        ] {
            let answer = sent(address, method, lines).await;
            let lines = String::from_utf8_lossy(lines);
            assert!(answer.starts_with(&format!("http/1.1 {status}")), "{lines}: {answer}");
            assert!(!answer.contains("access-control-allow"), "{lines}: {answer}");
        }
    }

    #[tokio::test]
    async fn a_function_gets_the_headers_that_api_gateway_sends() {
        let (_gateway, address) = before_a_server(Build::default());
        let lines = b"host: localhost\r\nif-none-match: \"a\"\r\nIf-None-Match: W/\"b\"\r\naccept-encoding: br\r\n\
            accept-encoding: gzip\r\nif-match: \"caf\xe9\"\r\naccept: caf\xc3\xa9\r\ncookie: a=1\r\ncookie: b=2\r\n\
            lambda-runtime-client-context: x\r\nlambda-runtime-cognito-identity: x\r\n";
        let answer = sent(address, "GET", lines).await;
        let head = answer.split_once("\r\n\r\n").unwrap().1;
        for line in [
            "if-none-match: \"a\",w/\"b\"",
            "accept-encoding: br,gzip",
            "if-match: \"caf\u{fffd}\"",
            "accept: café",
            "cookie: a=1; b=2",
        ] {
            assert!(head.contains(&format!("\r\n{line}\r\n")), "{line}: {head}");
        }
        assert!(!head.contains("lambda-runtime"), "{head}");
    }

    #[tokio::test]
    async fn a_request_to_a_function_that_does_not_compile_is_answered_at_once() {
        let build = Build::default();
        let (_gateway, address) = before_a_server(build.clone());
        let fails = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            build.read("error: could not compile `get-thing` (bin \"get-thing\")");
        };
        let (answered, ()) = tokio::join!(local_http::get(address, "/v1/things/t-1", None), fails);
        let response = answered.unwrap();
        assert_eq!(response.status(), 503);
        assert!(String::from_utf8_lossy(response.body()).contains("get-thing does not compile"));
        let response = local_http::get(address, "/v1/things", None).await.unwrap();
        assert_eq!(response.status(), 200, "the others are served");
    }
}
