//! `cargo dev smoke` against the fixture bundle over HTTP: it passes, and fails for each way in
//! which a stack can be broken.

use std::{convert::Infallible, time::Duration};

use api::{Access, Resource, Route};
use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use dev::bundle::Bundle;
use dev::smoke::{Options, Outcome, Report, smoke};
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};
use http_body_util::Full;
use hyper::{body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use lambda_http::Body;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::stack::Stack;

const ORIGIN: &str = "https://app.example.org";

/// Changes an answer of the stack.
type Break = fn(&Parts, &mut Response<Bytes>);

/// A bundle that is served.
pub(crate) struct Served {
    pub(crate) stack: Stack,
    pub(crate) resources: &'static [&'static Resource],
    pub(crate) routes: &'static [&'static Route],
    pub(crate) template: &'static str,
}

fn shop() -> Served {
    Served {
        stack: Stack::shop(),
        resources: shop::RESOURCES,
        routes: shop::ROUTES,
        template: shop::TEMPLATE,
    }
}

/// Answers as API Gateway does with the functions behind it.
async fn answer(served: &Served, request: &Parts) -> Response<Bytes> {
    let reply = |status: u16, body: &str| {
        let response =
            Response::builder().status(status).header("content-type", "application/json");
        response.body(Bytes::from(body.to_owned())).unwrap()
    };
    if request.method == Method::OPTIONS {
        let mut response = reply(204, "");
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET,HEAD"));
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("authorization,if-none-match"),
        );
        return response;
    }
    let segments: Vec<_> = request.uri.path().split('/').collect();
    let found = served.routes.iter().find(|route| {
        let wanted: Vec<_> = route.path.split('/').collect();
        wanted.len() == segments.len()
            && wanted.iter().zip(&segments).all(|(a, b)| a.starts_with('{') || a == b)
    });
    let Some(route) = found else { return reply(404, r#"{"message":"Not Found"}"#) };
    let token = request
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|token| token.to_str().ok()?.split('.').nth(1));
    let claims = token.map(|claims| {
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
    });
    if route.access != Access::Public && claims.is_none() {
        return reply(401, r#"{"message":"Unauthorized"}"#);
    }
    let headers: serde_json::Map<_, _> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()))
        .collect();
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": request.uri.path(), "rawQueryString": request.uri.query().unwrap_or_default(),
        "headers": headers,
        "requestContext": {"http": {"method": request.method.as_str()}, "authorizer": claims.map(|claims| json!({"jwt": {"claims": claims}}))}
    });
    let (answer, _) = served
        .stack
        .app(route)
        .respond(&event.to_string(), "r-1", Duration::from_secs(5), &api::answer)
        .await;
    let body = match answer.body.unwrap() {
        Body::Text(text) if answer.is_base64_encoded => STANDARD.decode(text).unwrap(),
        Body::Text(text) => text.into_bytes(),
        _ => Vec::new(),
    };
    let mut response = Response::new(body.into());
    *response.status_mut() =
        StatusCode::from_u16(u16::try_from(answer.status_code).unwrap()).unwrap();
    *response.headers_mut() = answer.headers;
    response
}

/// Serves a bundle; its answers are changed by `broken`.
async fn serve(listener: TcpListener, served: &Served, broken: Break) -> Infallible {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service =
            service_fn(move |request: hyper::Request<hyper::body::Incoming>| async move {
                let (request, _) = request.into_parts();
                let mut response = answer(served, &request).await;
                response
                    .headers_mut()
                    .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static(ORIGIN));
                broken(&request, &mut response);
                Ok::<_, Infallible>(response.map(Full::new))
            });
        // The client may close the connection first.
        let _ = http1::Builder::new()
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }
}

fn bundle(served: &Served) -> Bundle {
    Bundle::of(served.resources, served.routes, served.template).unwrap()
}

/// Tries a bundle whose answers are changed by `broken`.
async fn report_of(served: Served, options: Options, broken: Break) -> Report {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (bundle, options) = (bundle(&served), Options { url, ..options });
    tokio::select! {
        report = smoke(&bundle, &[], &options) => report.unwrap(),
        never = serve(listener, &served, broken) => match never {},
    }
}

async fn report_with(options: Options, broken: Break) -> Report {
    report_of(shop(), options, broken).await
}

/// Tries a whole bundle with a token of these claims and values for paths. Returns the names of the
/// checks, of which none may fail.
pub(crate) async fn whole(served: Served, claims: &Value, ids: &[(&str, &str)]) -> Vec<String> {
    let token = format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let ids = ids.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let report = report_of(
        served,
        Options { token: Some(token), ids, origin: Some(ORIGIN.into()), ..Options::default() },
        |_, _| (),
    )
    .await;
    assert!(report.0.iter().all(|check| check.outcome == Outcome::Held), "{report}");
    report.0.into_iter().map(|check| check.name).collect()
}

fn signed_in() -> Options {
    Options {
        token: Some(dev::token::token("u-1", None)),
        origin: Some(ORIGIN.into()),
        ..Options::default()
    }
}

#[tokio::test]
async fn a_whole_stack_passes() {
    let report = report_with(signed_in(), |_, _| ()).await;
    assert!(report.0.iter().all(|check| check.outcome == Outcome::Held), "{report}");
    let requests: Vec<_> = report.0.iter().map(|check| check.name.as_str()).collect();
    let wanted = [
        "list-products: list",
        "list-products: byCategoryPrice",
        "list-products: byCategoryCreatedAt",
        "list-products: byShardPrice",
        "list-products: fields by key",
        "list-products: count",
        "list-products: nested fields",
        "list-products: gzip",
        "list-user-orders: no token",
        "list-user-orders: byStatus",
        "list-user-orders: expand customer",
        "list-user-orders: expand items.product",
        "list-user-orders: somebody else's",
        "get-user: item",
        "get-user: not modified",
        "get-user: HEAD",
        "get-user: unknown parameter",
        "preflight",
    ];
    for name in wanted {
        assert!(requests.contains(&name), "{name} was not tried: {report}");
    }
}

#[tokio::test]
async fn what_cannot_be_tried_is_skipped_with_the_reason() {
    let report = report_with(Options::default(), |_, _| ()).await;
    assert_eq!(report.failed(), 0, "{report}");
    let lines = report.to_string();
    let skipped: Vec<_> = lines
        .lines()
        .filter(|line| line.starts_with("skipped"))
        .filter_map(|line| line.find("GET ").map(|at| &line[at..]))
        .collect();
    let wanted = [
        "GET /v1/users/{userId}/orders: no --token",
        "GET /v1/users/{userId}: no --token",
        "GET /v1/products: no --origin",
    ];
    assert_eq!(skipped, wanted, "{report}");
}

#[tokio::test]
async fn a_token_that_may_read_everybody_s_is_not_refused_anything() {
    let token = dev::token::token("u-1", Some(&bundle(&shop()).read_any_scope()));
    let report = report_with(Options { token: Some(token), ..signed_in() }, |_, _| ()).await;
    assert_eq!(report.failed(), 0, "{report}");
    assert_eq!(
        report.to_string().matches(": the token may read everybody's").count(),
        2,
        "{report}"
    );
}

#[tokio::test]
async fn a_service_reads_the_rows_that_are_named() {
    // The scope of the fixture's stack, and that of its template.
    let scopes = format!("lean-routes/users:read {}", bundle(&shop()).read_any_scope());
    let token = dev::token::token("a-service", Some(&scopes));
    let ids = vec![("userId".to_owned(), "u-1".to_owned())];
    let report = report_with(Options { token: Some(token), ids, ..signed_in() }, |_, _| ()).await;
    assert_eq!(report.failed(), 0, "{report}");
    let requests: Vec<_> = report.0.iter().map(|check| check.request.as_str()).collect();
    assert!(requests.contains(&"GET /v1/users/u-1"), "{report}");
}

#[tokio::test]
async fn a_stack_with_quotas_passes() {
    let stack = Stack::shop().with_quota("CALLER_LIMIT", "600;w=3600");
    let served = Served { stack, ..shop() };
    let report = report_of(served, signed_in(), |request, response| {
        let counted = response.headers().contains_key("ratelimit");
        assert_eq!(
            counted,
            response.status() == StatusCode::OK && request.uri.path() != "/v1/products"
                || response.status() == StatusCode::NOT_MODIFIED
                    && request.uri.path() != "/v1/products",
            "{} {}",
            request.uri,
            response.status()
        );
    })
    .await;
    assert!(report.0.iter().all(|check| check.outcome == Outcome::Held), "{report}");
}

/// The stack of each test is broken in one way: the checks that name it fail, and no others.
macro_rules! broken {
    ($($name:ident: $broken:expr => $failed:expr, $remark:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let report = report_with(signed_in(), $broken).await;
            let failed: Vec<_> = report.0.iter().filter(|check| check.outcome != Outcome::Held).map(|check| check.name.as_str()).collect();
            assert_eq!(failed, $failed, "{report}");
            let lines = report.to_string();
            assert!(lines.lines().filter(|line| line.starts_with("FAILED")).all(|line| line.contains($remark)), "{report}");
        }
    )*};
}

fn fail(response: &mut Response<Bytes>) {
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    *response.body_mut() = Bytes::from_static(br#"{"title":"Internal error","instance":"r-1"}"#);
}

fn asks(request: &Parts, text: &str) -> bool {
    request.uri.query().unwrap_or_default().contains(text)
}

fn set(response: &mut Response<Bytes>, name: &'static str, value: &'static str) {
    if response.status() == StatusCode::OK {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
}

broken! {
    no_304: |_, response| {
        if response.status() == StatusCode::NOT_MODIFIED {
            *response.status_mut() = StatusCode::OK;
        }
    } => ["list-products: not modified", "list-user-orders: not modified", "get-user: not modified"], ": status 200, not 304";

    a_quota_on_what_shared_caches_keep: |request, response| {
        if request.uri.path() == "/v1/products" && asks(request, "page=2") {
            set(response, "ratelimit", "\"caller\";r=1;t=1");
        }
    } => ["list-products: count"], ": ratelimit on an answer that shared caches may keep";

    half_of_a_quota: |request, response| {
        if asks(request, "expand=customer") {
            set(response, "ratelimit-policy", "\"caller\";q=1;w=1");
        }
    } => ["list-user-orders: expand customer"], ": ratelimit is `` with the policy `\"caller\";q=1;w=1`";

    a_wrong_content_type: |request, response| {
        if asks(request, "expand=customer") {
            set(response, "content-type", "text/html");
        }
    } => ["list-user-orders: expand customer"], ": content-type is text/html, not application/json";

    no_permission_to_read_by_key: |request, response| {
        if asks(request, "fields=productId") {
            fail(response);
        }
    } => ["list-products: fields by key"], ": status 500, not 200 (Internal error, instance r-1)";

    no_permission_to_count: |request, response| {
        if asks(request, "page=2") && request.uri.path() == "/v1/products" {
            fail(response);
        }
    } => ["list-products: count"], "page=2&limit=1: status 500, not 200";

    no_permission_on_an_index: |request, response| {
        if asks(request, "status=") {
            fail(response);
        }
    } => ["list-user-orders: byStatus"], ": status 500, not 200";

    no_permission_to_expand: |request, response| {
        if asks(request, "expand=items.product") {
            fail(response);
        }
    } => ["list-user-orders: expand items.product"], ": status 500, not 200";

    a_public_policy_on_a_private_item: |request, response| {
        if request.uri.path() == "/v1/users/me" {
            set(response, "cache-control", "public, max-age=30");
        }
    } => ["get-user: item", "get-user: nested fields", "get-user: HEAD"], ": cache-control is public, max-age=30, not private, no-cache";

    no_nosniff: |_, response| {
        if response.status() == StatusCode::BAD_REQUEST {
            response.headers_mut().remove("x-content-type-options");
        }
    } => ["list-products: unknown parameter", "list-user-orders: unknown parameter", "get-user: unknown parameter"],
        ": x-content-type-options is missing, not nosniff";

    no_vary: |request, response| {
        if asks(request, "page=2") {
            set(response, "vary", "origin");
        }
    } => ["list-products: count", "list-user-orders: count"], ": vary has no accept-encoding";

    no_authorizer: |request, response| {
        if !request.headers.contains_key("authorization") && response.status() == StatusCode::UNAUTHORIZED {
            *response.status_mut() = StatusCode::OK;
        }
    } => ["list-user-orders: no token", "get-user: no token"], ": status 200, not 401";

    everybody_is_shown: |_, response| {
        if response.status() == StatusCode::FORBIDDEN {
            *response.status_mut() = StatusCode::OK;
        }
    } => ["list-user-orders: somebody else's", "get-user: somebody else's"], ": status 200, not 403";

    an_error_that_is_no_problem: |_, response| {
        if response.status() == StatusCode::BAD_REQUEST {
            *response.body_mut() = Bytes::from_static(br#"{"message":"Bad Request"}"#);
        }
    } => ["list-products: unknown parameter", "list-user-orders: unknown parameter", "get-user: unknown parameter"],
        ": the body is no problem of RFC 9457; the problem does not name `nonsense`";

    no_route_for_head: |request, response| {
        if request.method == Method::HEAD {
            *response.status_mut() = StatusCode::NOT_FOUND;
        }
    } => ["list-products: HEAD", "list-user-orders: HEAD", "get-user: HEAD"], ": status 404, not 200";

    a_page_for_every_path: |_, response| {
        if response.status() == StatusCode::NOT_FOUND {
            *response.status_mut() = StatusCode::OK;
        }
    } => ["a path that is none"], ": status 200, not 404";

    an_origin_that_is_not_allowed: |request, response| {
        if request.method == Method::OPTIONS {
            response.headers_mut().remove("access-control-allow-origin");
        }
    } => ["preflight"], ": access-control-allow-origin is missing, not https://app.example.org";

    a_hidden_field: |request, response| {
        if request.uri.path() == "/v1/products" && asks(request, "sort=price_asc") {
            let body = String::from_utf8(response.body().to_vec()).unwrap();
            *response.body_mut() = body.replace("\"price\"", "\"costPrice\"").into();
        }
    } => ["list-products: byShardPrice", "list-products: byCategoryPrice"], ": an item has `costPrice`, which was not asked for";

    gzip_that_is_none: |request, response| {
        if request.headers.contains_key("accept-encoding") {
            *response.body_mut() = Bytes::from_static(b"H4sI");
        }
    } => ["list-products: gzip", "list-user-orders: gzip"], ": the body is not gzip of JSON";
}
