//! Ids in disguise, and claims of every kind.

use serde_json::{Value, json};
use shop::{GET_USER, LIST_USER_ORDERS};

use super::{
    Case, Expected::Wrong, FORBIDDEN, MALFORMED, NOT_FOUND, OK, UNAUTHORIZED, case, good_user,
    shown, spliced, with,
};
use crate::stack::event;

/// Another user's id and the caller's own, encoded in unusual ways. No encoding gives access.
pub(super) fn ids(cases: &mut Vec<Case>) {
    for id in [
        "u-2",
        "U-2",
        "u-2/",
        "./u-2",
        "../u-2",
        "u-1/../u-2",
        "me/../u-2",
        "u-2%00",
        "u-2\u{0}",
        "u-2 ",
        " u-2",
        "%75-2",
        "u%2D2",
        "ｕ-２",
        "u‐2",
        "u-2?",
        "u-2#",
        "u-1,u-2",
        "[u-2]",
        "\"u-2\"",
        "u-1 ",
        "U-1",
        "u-1%00",
        "u-1\u{0}",
        "u\u{ad}-1",
        "ME",
        "Me",
        "me ",
        "%6de",
        "",
        ".",
        "..",
        "%2e%2e",
        "null",
        "undefined",
        "*",
        "-",
        "0",
    ] {
        let orders = event("/v1/users/{userId}/orders", Some(id), "", Some("u-1"), &[]);
        cases.push(case(format!("id {id:?}"), &GET_USER, good_user(id).to_string(), FORBIDDEN));
        cases.push(case(format!("id {id:?}"), &LIST_USER_ORDERS, orders.to_string(), FORBIDDEN));
    }
    let mut path = |path: &str, answer| {
        let mut event = with(good_user("u-1"), "/routeKey", json!("$default"));
        event["requestContext"]["domainName"] = json!("abc.lambda-url.eu-central-1.on.aws");
        event["rawPath"] = json!(path);
        event["pathParameters"] = Value::Null;
        cases.push(case(shown(&format!("unrouted {path}")), &GET_USER, event.to_string(), answer));
    };
    for (raw, answer) in [
        ("/v1/users/u-1", OK),
        ("/v1/users/u%2D1", OK),
        ("/v1/users/%6d%65", OK),
        ("/v1/users/u%252D1", FORBIDDEN),
        ("/v1/users/%2e%2e", FORBIDDEN),
        ("/v1/users/..", FORBIDDEN),
        ("/v1/users/u-1%2F..%2Fu-2", FORBIDDEN),
        ("/v1/users/u-1%2Forders", FORBIDDEN),
        ("/v1/users/u-1?id=u-2", FORBIDDEN),
        ("/v1/users/u-1;v=1", FORBIDDEN),
        ("/v1/users/%", FORBIDDEN),
        ("/v1/users/%zz", FORBIDDEN),
        ("/v1/users/%FF", FORBIDDEN),
        ("/v1/users/%C0%AE%C0%AE", FORBIDDEN),
        ("/v1/users/+", FORBIDDEN),
        ("/v1/users/", NOT_FOUND),
        ("/v1/users//", NOT_FOUND),
        ("/v1/users/u-1/", NOT_FOUND),
        ("/v1/users/%2e%2e/products", NOT_FOUND),
        ("/v1/users/../users/u-1", NOT_FOUND),
        ("//v1/users/u-1", NOT_FOUND),
        ("/V1/users/u-1", NOT_FOUND),
        ("/v1/%75sers/u-1", NOT_FOUND),
        ("/prod/v1/users/u-1", NOT_FOUND),
        ("https://example.org/v1/users/u-1", NOT_FOUND),
        ("", NOT_FOUND),
        ("/", NOT_FOUND),
        ("*", NOT_FOUND),
    ] {
        path(raw, answer);
    }
    path(&format!("/v1/users/{}", "x".repeat(65_536)), FORBIDDEN);
    path(&format!("/v1/users{}", "/x".repeat(65_536)), NOT_FOUND);
    // A caller who may read every user learns that no such id can exist.
    for (id, answer) in [
        (String::new(), Wrong(&["userId"] as &[&str])),
        ("x".repeat(129), Wrong(&["userId"])),
        ("a\u{0}b".to_owned(), Wrong(&["userId"])),
        ("\u{7f}".to_owned(), Wrong(&["userId"])),
        ("..".to_owned(), NOT_FOUND),
        ("💥".repeat(128), NOT_FOUND),
    ] {
        let any = with(
            good_user(&id),
            "/requestContext/authorizer/jwt/claims/scope",
            json!("lean-routes/users:read"),
        );
        cases.push(case(shown(&format!("any id {id:?}")), &GET_USER, any.to_string(), answer));
    }
}

/// Claims of every kind. Without a subject that is a string, the request is unauthenticated; a
/// scope must match as a whole word.
pub(super) fn claims(cases: &mut Vec<Case>) {
    const CLAIMS: &str = "/requestContext/authorizer/jwt/claims";
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let mut claims = |id: &str, json: &str, answer| {
        cases.push(case(
            shown(&format!("{id} with claims {json}")),
            &GET_USER,
            spliced(good_user(id), CLAIMS, json),
            answer,
        ));
        let orders = event("/v1/users/{userId}/orders", Some(id), "", Some("u-1"), &[]);
        cases.push(case(
            shown(&format!("{id} with claims {json}")),
            &LIST_USER_ORDERS,
            spliced(orders, CLAIMS, json),
            answer,
        ));
    };
    for sub in [
        "\"\"",
        "null",
        "true",
        "1",
        "18446744073709551616",
        "[\"u-1\"]",
        "{\"sub\":\"u-1\"}",
        &deep,
    ] {
        claims("u-1", &format!("{{\"sub\":{sub}}}"), UNAUTHORIZED);
        claims(
            "me",
            &format!("{{\"sub\":{sub},\"scope\":\"lean-routes/users:read\"}}"),
            UNAUTHORIZED,
        );
    }
    claims("u-1", "{}", UNAUTHORIZED);
    claims("u-1", r#"{"Sub":"u-1","username":"u-1","sub ":"u-1"}"#, UNAUTHORIZED);
    claims("u-1", r#"{"sub":"u-2","sub":"u-1"}"#, MALFORMED);
    claims("u-1", r#"{"sub":"\ud800"}"#, UNAUTHORIZED);
    claims("u-1", r#"{"sub":1e400}"#, UNAUTHORIZED);
    claims("u-1", "7", MALFORMED);
    claims("u-1", r#"{"sub":"u-1\u0000"}"#, FORBIDDEN);
    claims("me", r#"{"sub":"u-1\u0000"}"#, Wrong(&["userId"]));
    claims("u-1", r#"{"sub":"me"}"#, FORBIDDEN);
    for scope in [
        r#""lean-routes/users""#,
        r#""lean-routes/users:read-not""#,
        r#""LEAN-ROUTES/USERS:READ""#,
        r#""xlean-routes/users:read""#,
        r#""lean-routes/users:read\u0000""#,
        r#"["lean-routes/users:reader"]"#,
        r#"["x lean-routes/users:read"]"#,
        r#"[["lean-routes/users:read"]]"#,
        r#"{"lean-routes/users:read":true}"#,
        r#""[]""#,
        r#""[lean-routes/users:reader]""#,
        "true",
        "null",
        r#""""#,
        &deep,
    ] {
        claims("u-2", &format!("{{\"sub\":\"u-1\",\"scope\":{scope}}}"), FORBIDDEN);
    }
    claims("u-2", r#"{"sub":"u-1","scope":"[openid lean-routes/users:read]"}"#, OK);
    for authorizer in [
        "null",
        "{}",
        r#"{"lambda":{"sub":"u-1"}}"#,
        r#"{"iam":{"userId":"u-1"}}"#,
        r#"{"jwt":null}"#,
        r#"{"jwt":{}}"#,
        r#"{"claims":{"sub":"u-1"}}"#,
    ] {
        let event = spliced(good_user("u-1"), "/requestContext/authorizer", authorizer);
        cases.push(case(format!("authorizer {authorizer}"), &GET_USER, event, UNAUTHORIZED));
    }
}
