//! Events of other kinds and shapes, events that make `lambda_http` panic, and headers.

use api::ProblemKind;
use serde_json::{Value, json};
use shop::{GET_USER, LIST_PRODUCTS};

use super::{
    Case,
    Expected::{Answered, Problem, Wrong},
    FORBIDDEN, MALFORMED, OK, TOO_LONG, UNAUTHORIZED, case, good_products, good_user, shown,
    spliced, with,
};
use crate::stack::event;

/// Other kinds of events, members that are missing or have another type, and JSON at its limits.
pub(super) fn events(cases: &mut Vec<Case>) {
    let mut raw =
        |name: &str, event: &str, answer| cases.push(case(name, &LIST_PRODUCTS, event, answer));
    for (name, text) in [
        ("null", "null"),
        ("a number", "7"),
        ("an empty array", "[]"),
        ("an empty object", "{}"),
        ("a string", "\"2.0\""),
        ("only a version", r#"{"version":"2.0"}"#),
        ("no method", r#"{"version":"2.0","requestContext":{"http":{}}}"#),
        (
            "a method of another kind",
            r#"{"version":"2.0","requestContext":{"http":{"method":["GET"]}}}"#,
        ),
        ("no context", r#"{"version":"2.0","requestContext":null}"#),
        (
            "a version that is a number",
            r#"{"version":2.0,"requestContext":{"http":{"method":"GET"}}}"#,
        ),
        (
            "a version twice",
            r#"{"version":"2.0","version":"2.0","requestContext":{"http":{"method":"GET"}}}"#,
        ),
        ("payload 1.0", include_str!("../../corpus/rest.json")),
        ("a load balancer", include_str!("../../corpus/alb.json")),
        ("a websocket", include_str!("../../corpus/websocket.json")),
        ("a queue", r#"{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}"#),
    ] {
        raw(name, text, MALFORMED);
    }
    raw(
        "the least that is a request",
        r#"{"version":"2.0","requestContext":{"http":{"method":"GET"}}}"#,
        OK,
    );

    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (name, pointer, json, answer) in [
        ("headers null", "/headers", "null", OK),
        ("headers an array", "/headers", "[1]", MALFORMED),
        ("headers a string", "/headers", "\"x\"", MALFORMED),
        (
            "headers of all kinds",
            "/headers",
            r#"{"accept-encoding":7,"if-none-match":["*"],"if-match":{"*":1},"if-modified-since":null}"#,
            OK,
        ),
        ("headers of deep nesting", "/headers", &format!(r#"{{"if-none-match":{deep}}}"#), OK),
        ("query null", "/rawQueryString", "null", OK),
        ("query a number", "/rawQueryString", "5", OK),
        ("query an object", "/rawQueryString", r#"{"limit":"5"}"#, OK),
        ("query with a lone surrogate", "/rawQueryString", r#""category=\ud800""#, MALFORMED),
        ("query with half a pair", "/rawQueryString", r#""category=\udc00\ud800""#, MALFORMED),
        ("query twice", "/rawQueryString", r#""","rawQueryString":"limit=1""#, MALFORMED),
        ("path with a lone surrogate", "/rawPath", r#""/v1/\udfff""#, MALFORMED),
        ("path of another kind", "/rawPath", "[[]]", OK),
        ("route key null", "/routeKey", "null", OK),
        ("path parameters of another kind", "/pathParameters", "\"id\"", MALFORMED),
        ("an id of another kind", "/pathParameters", r#"{"userId":["u-1"]}"#, MALFORMED),
        ("an authorizer of another kind", "/requestContext/authorizer", "\"jwt\"", MALFORMED),
        ("claims null", "/requestContext/authorizer", r#"{"jwt":{"claims":null}}"#, MALFORMED),
        (
            "a context twice",
            "/requestContext",
            r#"{},"requestContext":{"http":{"method":"GET"}}"#,
            MALFORMED,
        ),
        (
            "an unknown member twice",
            "/stageVariables",
            r#"1,"stageVariables":{"a":"\ud800","a":2}"#,
            OK,
        ),
        ("an unknown member of deep nesting", "/stageVariables", &deep, OK),
        (
            "huge numbers",
            "/stageVariables",
            "[1e999999,-1e-999999,123456789012345678901234567890123456789012345678901234567890]",
            OK,
        ),
    ] {
        raw(name, &spliced(good_products(""), pointer, json), answer);
    }
    for method in [
        "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "GET ", "",
        "G\u{0}T", "GÉT",
    ] {
        let event = with(good_products(""), "/requestContext/http/method", json!(method));
        raw(
            &format!("method {method:?}"),
            &event.to_string(),
            Problem(ProblemKind::MethodNotAllowed),
        );
    }
}

/// Events that make lambda_http's own conversion panic.
pub(super) fn lambda_http_panics(cases: &mut Vec<Case>) {
    for character in
        [' ', '"', '<', '>', '#', '?', '\\', '^', '`', '{', '|', 'é', '\u{202e}', '\u{ffff}', '💥']
    {
        let query = format!("category={character}&limit=1");
        cases.push(case(
            format!("raw {character:?} in the query"),
            &LIST_PRODUCTS,
            good_products(&query).to_string(),
            OK,
        ));
        let id = format!("u-{character}");
        cases.push(case(
            format!("raw {character:?} in the path"),
            &GET_USER,
            good_user(&id).to_string(),
            FORBIDDEN,
        ));
    }
    for character in ['\u{0}', '\t', '\r', '\n', '\u{1b}', '\u{7f}', '\u{85}'] {
        let query = format!("category={character}");
        cases.push(case(
            format!("raw {character:?} in the query"),
            &LIST_PRODUCTS,
            good_products(&query).to_string(),
            Wrong(&["category"]),
        ));
        let id = format!("u-1{character}");
        cases.push(case(
            format!("raw {character:?} in the path"),
            &GET_USER,
            good_user(&id).to_string(),
            FORBIDDEN,
        ));
    }
    let kib_64 = "x".repeat(65_536);
    let mut products = |name: &str, pointer: &str, value: Value, answer| {
        cases.push(case(
            name,
            &LIST_PRODUCTS,
            with(good_products(""), pointer, value).to_string(),
            answer,
        ));
    };
    products("64 KiB of query", "/rawQueryString", json!(kib_64), TOO_LONG);
    products("64 KiB of ampersands", "/rawQueryString", json!("&".repeat(65_536)), TOO_LONG);
    products(
        "4,097 bytes of query",
        "/rawQueryString",
        json!(format!("category={}", "é".repeat(2_044))),
        TOO_LONG,
    );
    products("64 KiB of path", "/rawPath", json!(format!("/{kib_64}")), OK);
    products("64 KiB of header", "/headers", json!({"x-a": kib_64, "user-agent": kib_64}), OK);
    let many: serde_json::Map<_, _> =
        (0..40_000).map(|number| (format!("x-{number}"), json!(""))).collect();
    products("40,000 headers", "/headers", Value::Object(many), OK);
    for scheme in ["https,http", "", "javascript", "https://", "\u{0}", "é"] {
        products(
            &format!("x-forwarded-proto {scheme:?}"),
            "/headers",
            json!({"x-forwarded-proto": scheme}),
            OK,
        );
    }
    for host in ["", " ", "a b", "a:b:c", "[::1", "user@host", "host:99999", "é", "\r\nx: y", "/"]
    {
        products(&format!("host {host:?}"), "/headers", json!({"host": host, "Host": host}), OK);
    }
    for name in ["", " ", "a b", "é", "\r\n", ":", "content-length", "transfer-encoding"] {
        products(&format!("a header named {name:?}"), "/headers", json!({name: "-1"}), OK);
    }
    products("6 MB of body", "/body", json!("x".repeat(6_291_456)), OK);
    products("a domain that is none", "/requestContext/domainName", json!("<>"), OK);
    let twice = ["\"if-none-match\":\"\\\"x\\\"\","; 40_000].concat();
    let event = spliced(good_products(""), "/headers", &format!("{{{twice}\"host\":\"\"}}"));
    cases.push(case("one header 40,000 times", &LIST_PRODUCTS, event, OK));
    let mut body = with(good_products(""), "/body", json!("!!not base64!!"));
    body["isBase64Encoded"] = json!(true);
    cases.push(case("a body that is not base64", &LIST_PRODUCTS, body.to_string(), OK));
}

/// Invalid validators and content codings.
pub(super) fn headers(cases: &mut Vec<Case>) {
    let mut user = |name: String, headers: Value, answer| {
        cases.push(case(
            name,
            &GET_USER,
            with(good_user("u-1"), "/headers", headers).to_string(),
            answer,
        ));
    };
    let tags = (0..5_000).map(|number| format!("\"{number}\"")).collect::<Vec<_>>().join(", ");
    for value in [
        "x".repeat(65_536),
        "\"".repeat(65_536),
        ",".repeat(65_536),
        tags.clone(),
        format!("{tags}, \"unterminated"),
        format!("{tags}, *"),
        "W/".into(),
        "w/\"x\"".into(),
        "\"\\\"".into(),
        "\u{0}".into(),
        "\"é\", \"\u{85}\"".into(),
        "\"a\"\r\nx: y".into(),
    ] {
        user(shown(&format!("if-none-match {value:?}")), json!({"if-none-match": value}), OK);
    }
    user("if-none-match *".into(), json!({"IF-NONE-MATCH": " , * , "}), Answered(304));
    user("if-match".into(), json!({"if-match": "\"x\""}), Problem(ProblemKind::PreconditionFailed));
    user(
        "if-match of 64 KiB".into(),
        json!({"if-match": tags}),
        Problem(ProblemKind::PreconditionFailed),
    );
    user(
        "if-unmodified-since long ago".into(),
        json!({"if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT"}),
        Problem(ProblemKind::PreconditionFailed),
    );
    for date in [
        "",
        "yesterday",
        "0",
        "Fri, 31 Feb 2024 00:00:00 GMT",
        "Fri, 01 Mar 99999 00:00:00 GMT",
        "2024-03-01T00:00:00Z",
        "Fri, 01 Mar 2024 00:00:00 GMT, x",
        "\u{0}",
    ] {
        user(
            format!("if-modified-since {date:?}"),
            json!({"if-modified-since": date, "if-unmodified-since": date}),
            OK,
        );
    }
    for coding in [
        "",
        "gzip;q=",
        "gzip;q=2",
        "gzip;q=0.0001",
        ";;;,,,",
        "*;q=0",
        "identity;q=0",
        "\u{0}",
        "gzip\r\n",
        "g zip",
        "é",
        &"gzip,".repeat(13_000),
    ] {
        user(shown(&format!("accept-encoding {coding:?}")), json!({"accept-encoding": coding}), OK);
    }
    for token in [
        "Bearer",
        "Bearer ",
        "Bearer ..",
        "Bearer a.b.c",
        "Basic dTotMQ==",
        "\u{0}",
        &"x".repeat(65_536),
    ] {
        let event = event("/v1/users/{userId}", Some("u-1"), "", None, &[("authorization", token)]);
        cases.push(case(
            shown(&format!("authorization {token:?}")),
            &GET_USER,
            event.to_string(),
            UNAUTHORIZED,
        ));
    }
}
