//! `cargo dev smoke` against the endpoint over HTTP: it passes, and fails for each way in which the
//! endpoint can be broken.

use std::{convert::Infallible, path::Path};

use api::Route;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use dev::bundle::Bundle;
use dev::interface::{Document, Interface};
use dev::smoke::{Check, Options, Outcome, Report, smoke};
use graphql::Options as Endpoint;
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Full};
use hyper::{body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::stack::{CALLER, SHARED, Server};

const ORIGIN: &str = "https://app.example.org";
const PRIVATE: &str = "/v1/graphql";
const PUBLIC: &str = "/v1/graphql/public";

/// Changes an answer of the endpoint.
type Break = fn(&Parts, &mut Response<Bytes>);

/// Answers as API Gateway does with the function behind it.
async fn answer(server: &Server, request: &Parts, body: &[u8]) -> Response<Bytes> {
    let refusal = |status: u16, message: &str| {
        let response = Response::builder().status(status);
        response.body(Bytes::from(json!({"message": message}).to_string())).unwrap()
    };
    if request.method == Method::OPTIONS {
        let mut response = refusal(204, "");
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET,POST"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization,content-type"),
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        return response;
    }
    let path = request.uri.path();
    let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
    let token = request.headers.get(header::AUTHORIZATION).map(text);
    let claims = token.and_then(|token| {
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).unwrap();
        serde_json::from_slice::<Value>(&claims).ok()
    });
    match path {
        PRIVATE if claims.is_none() => return refusal(401, "Unauthorized"),
        PRIVATE | PUBLIC => {}
        _ => return refusal(404, "Not Found"),
    }
    let headers = request.headers.iter();
    let headers: Value = headers.map(|(name, value)| (name.to_string(), text(value))).collect();
    let (method, claims) = (request.method.as_str(), claims.filter(|_| path == PRIVATE));
    let event = json!({
        "version": "2.0", "routeKey": format!("{method} {path}"), "rawPath": path, "rawQueryString": request.uri.query().unwrap_or_default(),
        "headers": headers, "body": String::from_utf8_lossy(body), "isBase64Encoded": false,
        "requestContext": {
            "domainName": "example.org", "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
            "authorizer": claims.map(|claims| json!({"jwt": {"claims": claims}}))
        }
    });
    let answered = server.send_event(&event.to_string()).await;
    let mut response = Response::builder().status(answered.status);
    for (name, value) in answered.headers {
        response = response.header(name, value);
    }
    response.body(answered.body.into()).unwrap()
}

/// Serves the endpoint.
async fn serve(listener: TcpListener, server: &Server, broken: Break) -> Infallible {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = async |request: hyper::Request<hyper::body::Incoming>| {
            let (request, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let mut response = answer(server, &request, &body).await;
            broken(&request, &mut response);
            Ok::<_, Infallible>(response.map(Full::new))
        };
        // The client may close the connection first.
        let _ = http1::Builder::new()
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service_fn(service))
            .await;
    }
}

/// The endpoint that is described by the template and the folder of this crate.
fn described() -> Interface {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut interfaces = Interface::all(&Bundle::of_workspace().unwrap(), &root).unwrap();
    interfaces.retain(|interface| interface.name == "graphql");
    interfaces.remove(0)
}

async fn report_of(server: Server, options: Options, broken: Break) -> Report {
    // The routes are tried elsewhere.
    report_with(server, &[], described(), options, broken).await
}

/// Tries the endpoint; its answers are changed by `broken`.
async fn report_with(
    server: Server,
    routes: &'static [&'static Route],
    interface: Interface,
    options: Options,
    broken: Break,
) -> Report {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let bundle = Bundle::of(shop::RESOURCES, routes, shop::TEMPLATE).unwrap();
    let (options, interfaces) = (Options { url, ..options }, [interface]);
    tokio::select! {
        report = smoke(&bundle, &interfaces, &options) => report.unwrap(),
        never = serve(listener, &server, broken) => match never {},
    }
}

fn signed_in() -> Options {
    let category = shop::sample::product(1)["category"].as_str().unwrap().to_owned();
    Options {
        token: Some(dev::token::token(CALLER, None)),
        origin: Some(ORIGIN.to_owned()),
        ids: vec![("category".to_owned(), category)],
        ..Options::default()
    }
}

fn names(report: &Report, wanted: impl Fn(&Outcome) -> bool) -> Vec<&str> {
    let checks = report.0.iter().filter(|check| wanted(&check.outcome));
    let names = checks.map(|check| check.name.as_str());
    // Every stack has this one.
    names.filter(|name| *name != "a path that is none").collect()
}

#[tokio::test]
async fn a_whole_endpoint_passes_whatever_its_parameters_are() {
    for any_document in [true, false] {
        let server = SHARED.server(Endpoint { introspection: false, any_document });
        let report = report_of(server, signed_in(), |_, _| ()).await;
        let tried = names(&report, |outcome| *outcome == Outcome::Held);
        let wanted = [
            "graphql, public: unknown document",
            "graphql, public: account",
            "graphql, public: both-ways",
            "graphql, public: not modified",
            "graphql, public: POST",
            "graphql, public: catalogue",
            "graphql, public: preflight",
            "graphql, with a token: none by GET",
            "graphql, with a token: none by POST",
            "graphql, with a token: unknown document",
            "graphql, with a token: account",
            "graphql, with a token: not modified",
            "graphql, with a token: POST",
            "graphql, with a token: both-ways",
            "graphql, with a token: catalogue",
            "graphql, with a token: preflight",
        ];
        assert_eq!(tried, wanted, "{report}");
        let category = format!("&variables=%7B%22category%22%3A%22{}", signed_in().ids[0].1);
        assert_eq!(report.to_string().matches(&category).count(), 5, "{report}");
    }
}

/// Returns the checks of the endpoint that were skipped, each with the reason.
fn skipped(report: &Report) -> Vec<String> {
    let reason = |check: &Check| match &check.outcome {
        Outcome::Skipped(reason) => Some(format!("{}: {reason}", check.name)),
        _ => None,
    };
    let of_endpoint = report.0.iter().filter(|check| check.name.starts_with("graphql"));
    of_endpoint.filter_map(reason).collect()
}

#[tokio::test]
async fn what_cannot_be_tried_is_skipped_with_the_reason() {
    let mut interface = described();
    let text = "query ($orderId: ID!) { order(orderId: $orderId) { total } }".to_owned();
    interface.documents = vec![Document { name: "order".to_owned(), text }];
    let report = report_with(SHARED.usual(), &[], interface, Options::default(), |_, _| ()).await;
    let wanted = [
        "graphql, public: order: no value for $orderId: give --id orderId=VALUE",
        "graphql, public: not modified, POST: no document has an answer without errors",
        "graphql, public: preflight: no --origin",
        "graphql, with a token: all else: no --token",
    ];
    assert_eq!((skipped(&report), report.failed()), (wanted.map(str::to_owned).to_vec(), 0));
}

#[tokio::test]
async fn a_service_is_not_asked_for_rows_of_its_own() {
    const ROUTES: &[&Route] = &[&shop::GET_USER];
    let mut options = signed_in();
    options.ids.push(("userId".to_owned(), CALLER.to_owned()));
    let report = report_with(SHARED.usual(), ROUTES, described(), options, |_, _| ()).await;
    let wanted = "graphql, with a token: account: the document has no $userId";
    assert_eq!(skipped(&report), [wanted], "{report}");
}

/// The endpoint of each test is broken in one way: the checks that name it fail, and no others.
macro_rules! broken {
    ($($name:ident: $broken:expr => $failed:expr, $remark:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let report = report_of(SHARED.usual(), signed_in(), $broken).await;
            let failed = names(&report, |outcome| *outcome != Outcome::Held);
            assert_eq!(failed, $failed, "{report}");
            let lines = report.to_string();
            let mut lines = lines.lines().filter(|line| line.starts_with("FAILED"));
            assert!(lines.all(|line| line.contains($remark)), "{report}");
        }
    )*};
}

fn is(request: &Parts, method: Method, path: &str) -> bool {
    request.method == method && request.uri.path() == path
}

fn change(response: &mut Response<Bytes>, change: impl FnOnce(&mut Value)) {
    if let Ok(mut json) = serde_json::from_slice(response.body()) {
        change(&mut json);
        *response.body_mut() = json.to_string().into();
    }
}

fn set(response: &mut Response<Bytes>, name: header::HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

broken! {
    no_authorizer_for_get: |request, response| {
        if is(request, Method::GET, PRIVATE) && response.status() == StatusCode::UNAUTHORIZED {
            *response.status_mut() = StatusCode::OK;
        }
    } => ["graphql, with a token: none by GET"], ": status 200, not 401";

    no_authorizer_for_post: |request, response| {
        if is(request, Method::POST, PRIVATE) && response.status() == StatusCode::UNAUTHORIZED {
            *response.status_mut() = StatusCode::OK;
        }
    } => ["graphql, with a token: none by POST"], ": status 200, not 401";

    no_route_for_post: |request, response| {
        if is(request, Method::POST, PUBLIC) {
            *response.status_mut() = StatusCode::NOT_FOUND;
            *response.body_mut() = Bytes::from_static(br#"{"message":"Not Found"}"#);
        }
    } => ["graphql, public: POST"], ": status 404, not 200 (Not Found)";

    no_permission: |_, response| change(response, |json| {
        if json["data"]["user"].is_object() {
            json["data"]["user"] = Value::Null;
            json["errors"] = json!([{"path": ["user"], "message": "Internal error", "extensions": {"code": "INTERNAL"}}]);
        }
    }) => ["graphql, with a token: account"], ": user: INTERNAL (Internal error); cache-control is private, no-cache, not no-store";

    a_field_that_needs_a_caller_is_shown: |request, response| {
        if is(request, Method::GET, PUBLIC) {
            change(response, |json| if json["data"]["user"].is_null() && json["errors"].is_array() && json["data"].is_object() {
                json["data"]["user"] = json!({"name": "somebody"});
            });
        }
    } => ["graphql, public: account"], ": user is shown without a caller";

    a_private_answer_on_the_public_path: |request, response| {
        if is(request, Method::GET, PUBLIC) && response.body().starts_with(b"{\"errors\"") && response.status() == StatusCode::OK {
            *response.body_mut() = Bytes::from_static(br#"{"data":{"user":{"name":"somebody"}}}"#);
            set(response, header::CACHE_CONTROL, "private, no-cache");
        }
    } => ["graphql, public: account"], ": cache-control is private, no-cache, not public";

    a_public_answer_on_the_private_path: |request, response| {
        if is(request, Method::GET, PRIVATE) && response.headers().contains_key("etag") {
            set(response, header::CACHE_CONTROL, "public, max-age=30");
        }
    } => ["graphql, with a token: account", "graphql, with a token: both-ways", "graphql, with a token: catalogue", "graphql, with a token: not modified, POST"],
        ": cache-control is public, max-age=30, not private";

    a_post_that_is_stored: |request, response| {
        if is(request, Method::POST, PUBLIC) {
            set(response, header::CACHE_CONTROL, "public, max-age=30");
        }
    } => ["graphql, public: POST"], ": cache-control is public, max-age=30, not no-store";

    no_etag: |request, response| {
        if is(request, Method::GET, PUBLIC) {
            response.headers_mut().remove("etag");
        }
    } => ["graphql, public: both-ways", "graphql, public: catalogue", "graphql, public: not modified, POST"], ": no etag";

    no_304: |_, response| {
        if response.status() == StatusCode::NOT_MODIFIED {
            *response.status_mut() = StatusCode::OK;
        }
    } => ["graphql, public: not modified", "graphql, with a token: not modified"], ": status 200, not 304";

    every_id_is_a_document: |_, response| {
        if response.status() == StatusCode::UNPROCESSABLE_ENTITY {
            *response.status_mut() = StatusCode::OK;
        }
    } => ["graphql, public: unknown document", "graphql, with a token: unknown document"], ": status 200, not 422";

    an_error_without_its_code: |_, response| {
        if response.status() == StatusCode::UNPROCESSABLE_ENTITY {
            change(response, |json| json["errors"][0]["extensions"] = Value::Null);
        }
    } => ["graphql, public: unknown document", "graphql, with a token: unknown document"],
        ": the error's code is null, not DOCUMENT_NOT_FOUND";

    another_media_type: |request, response| {
        if is(request, Method::POST, PUBLIC) {
            set(response, header::CONTENT_TYPE, "text/html");
        }
    } => ["graphql, public: POST"], ": content-type is text/html, not application/json";

    no_post_from_other_origins: |request, response| {
        if is(request, Method::OPTIONS, PRIVATE) {
            set(response, header::ACCESS_CONTROL_ALLOW_METHODS, "GET");
        }
    } => ["graphql, with a token: preflight"], ": access-control-allow-methods has no POST";
}
