//! The truth table of conditional reads (RFC 9110, section 13), row by row, through the handlers.

use serde_json::json;

use crate::stack::{Answer, Stack, event};

/// The values of `If-Modified-Since`: the columns of the tables below.
const SINCE: [(&str, Option<&str>); 5] = [
    ("absent", None),
    ("older", Some("Thu, 29 Feb 2024 23:59:59 GMT")),
    ("equal", Some("Fri, 01 Mar 2024 00:00:00 GMT")),
    ("newer", Some("Fri, 01 Mar 2024 00:00:01 GMT")),
    ("malformed", Some("2024-03-01T00:00:00Z")),
];

/// One item: it has a tag and a date. `W/"…"` and `"…"` stand for the current tag. If there is an
/// `If-None-Match`, it alone decides.
const ONE: [(&str, Option<&str>, [u16; 5]); 7] = [
    //                                       absent older equal newer malformed
    ("absent", None, [200, 200, 304, 304, 200]),
    ("match", Some("\"…\""), [304, 304, 304, 304, 304]),
    ("weak match", Some("W/\"…\""), [304, 304, 304, 304, 304]),
    ("list", Some("\"a\", W/\"b\", W/\"…\""), [304, 304, 304, 304, 304]),
    ("*", Some("*"), [304, 304, 304, 304, 304]),
    ("malformed", Some("…"), [200, 200, 200, 200, 200]),
    ("no match", Some("\"other\""), [200, 200, 200, 200, 200]),
];

/// A list: it has a tag and no date, so `If-Modified-Since` is always ignored.
const LIST: [(&str, Option<&str>, [u16; 5]); 7] = [
    //                                       absent older equal newer malformed
    ("absent", None, [200, 200, 200, 200, 200]),
    ("match", Some("\"…\""), [304, 304, 304, 304, 304]),
    ("weak match", Some("W/\"…\""), [304, 304, 304, 304, 304]),
    ("list", Some("\"a\", W/\"b\", W/\"…\""), [304, 304, 304, 304, 304]),
    ("*", Some("*"), [304, 304, 304, 304, 304]),
    ("malformed", Some("…"), [200, 200, 200, 200, 200]),
    ("no match", Some("\"other\""), [200, 200, 200, 200, 200]),
];

/// A resource: its URL, whether it exists, and its table.
struct Resource {
    path: &'static str,
    id: Option<&'static str>,
    found: bool,
    table: &'static [(&'static str, Option<&'static str>, [u16; 5]); 7],
}

const RESOURCES: [Resource; 4] = [
    Resource { path: "/v1/users/{userId}", id: Some("u-1"), found: true, table: &ONE },
    Resource { path: "/v1/users/{userId}", id: Some("u-99"), found: false, table: &ONE },
    Resource { path: "/v1/products", id: None, found: true, table: &LIST },
    Resource { path: "/v1/users/{userId}/orders", id: Some("u-1"), found: true, table: &LIST },
];

async fn ask(stack: &Stack, resource: &Resource, method: &str, headers: &[(&str, &str)]) -> Answer {
    let mut event = event(resource.path, resource.id, "", Some("u-1"), headers);
    event["requestContext"]["http"]["method"] = json!(method);
    event["requestContext"]["authorizer"]["jwt"]["claims"]["scope"] =
        json!("lean-routes/users:read");
    stack.send(&event).await
}

/// Returns the headers that must be the same in every response.
fn lasting(answer: &Answer) -> Vec<(&str, &str)> {
    let headers = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut headers: Vec<_> =
        headers.filter(|(name, _)| !["server-timing", "content-length"].contains(name)).collect();
    headers.sort_unstable();
    headers
}

#[tokio::test]
async fn every_row() {
    let stack = Stack::shop();
    let mut rows = 0;
    for resource in &RESOURCES {
        let full = ask(&stack, resource, "GET", &[]).await;
        assert_eq!(full.status, if resource.found { 200 } else { 404 }, "{}", full.body);
        let opaque = full
            .header("etag")
            .map_or("none", |tag| tag.trim_start_matches("W/").trim_matches('"'))
            .to_owned();
        for (tag, tag_value, row) in resource.table {
            for ((since, since_value), status) in SINCE.iter().zip(row) {
                for method in ["GET", "HEAD"] {
                    let tags = tag_value.map(|value| value.replace('…', &opaque));
                    let mut headers = Vec::new();
                    headers.extend(tags.as_deref().map(|value| ("if-none-match", value)));
                    headers.extend(since_value.map(|value| ("if-modified-since", value)));
                    let answer = ask(&stack, resource, method, &headers).await;
                    let row = format!(
                        "{method} {} {:?}, If-None-Match {tag}, If-Modified-Since {since}",
                        resource.path, resource.id
                    );
                    check(&answer, &full, if resource.found { *status } else { 404 }, method, &row);
                    rows += 1;
                }
            }
        }
    }
    assert_eq!(rows, RESOURCES.len() * 7 * 5 * 2);
}

fn check(answer: &Answer, full: &Answer, status: u16, method: &str, row: &str) {
    assert_eq!(answer.status, status, "{row}: {}", answer.body);
    if status == 304 {
        assert_eq!(answer.body, "", "{row}");
        // Section 15.4.5: these headers as in the 200, and none that describes the body. A response
        // with a tag needs no `Last-Modified`.
        let kept = ["cache-control", "etag", "vary", "x-content-type-options"]
            .map(|name| (name, full.header(name).unwrap()));
        assert_eq!(lasting(answer), kept, "{row}");
        return;
    }
    // A 200 has the whole body, and a 404 is never conditional.
    assert_eq!(answer.body, if method == "HEAD" { "" } else { &full.body }, "{row}");
    assert_eq!(lasting(answer), lasting(full), "{row}");
    let length = (method == "HEAD").then(|| full.body.len().to_string());
    assert_eq!(answer.header("content-length"), length.as_deref(), "{row}");
    if status == 404 {
        assert_eq!(
            (answer.header("etag"), answer.header("last-modified"), answer.header("cache-control")),
            (None, None, Some("no-store")),
            "{row}"
        );
    }
}
