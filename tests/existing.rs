//! Four bundles over tables as teams have them, with nothing moved: docs/EXISTING-TABLES.md is
//! their guide.
//!
//! | module | tables |
//! |---|---|
//! | `single_table` | one table, keys `PK` and `SK` with prefixes: users, their orders, the lines of an order |
//! | `classic` | classic indexes over times as numbers; one index has no sort key; a local index |
//! | `by_type` | one table by a bare id, whose items a `type` attribute tells apart |
//! | `tenant` | every member of a tenant reads the tenant's items, by a claim of the token |
//!
//! `openapi` and `explain` check what is said of them: the published contract, and the plans.

mod by_type;
pub(crate) mod classic;
mod explain;
mod openapi;
pub(crate) mod single_table;
pub(crate) mod tenant;

use api::Route;
use serde_json::{Value, json};

use crate::stack::{Answer, Stack, send_to};

/// Sends a request to a route.
async fn ask(
    stack: &Stack,
    route: &'static Route,
    path: &[(&str, &str)],
    query: &str,
    claims: Value,
) -> Answer {
    send_to(&stack.app(route), &event(route, path, query, claims).to_string()).await
}

/// Makes the event of a request as API Gateway does: path parameters by name, claims of the token
/// if there is one.
pub(crate) fn event(route: &Route, path: &[(&str, &str)], query: &str, claims: Value) -> Value {
    let parameters: serde_json::Map<_, _> =
        path.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    let mut event = json!({
        "version": "2.0", "routeKey": format!("GET {}", route.path), "rawPath": route.path, "rawQueryString": query, "headers": {},
        "pathParameters": parameters,
        "requestContext": {"http": {"method": "GET", "path": route.path}},
        "isBase64Encoded": false
    });
    if !claims.is_null() {
        event["requestContext"]["authorizer"] = json!({"jwt": {"claims": claims, "scopes": null}});
    }
    event
}

/// Walks a list forward, then back from its end, and returns the values of `field` in the order of
/// the list. Both ways must show the same.
async fn walk(
    stack: &Stack,
    route: &'static Route,
    path: &[(&str, &str)],
    query: &str,
    claims: &Value,
    field: &str,
) -> Vec<String> {
    let (mut all, mut cursor, mut back) = (Vec::new(), String::new(), None);
    loop {
        let page = ask(stack, route, path, &format!("{query}{cursor}"), claims.clone()).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(!page.body.contains("sentinel"), "{}", page.body);
        back = page.prev().map(|prev| (prev, all.len())).or(back);
        all.extend(page.ids(field));
        match page.next() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    if let Some((prev, before)) = back {
        let (mut seen, mut cursor) = (Vec::new(), prev);
        loop {
            let page =
                ask(stack, route, path, &format!("{query}&cursor={cursor}"), claims.clone()).await;
            assert_eq!(page.status, 200, "{}", page.body);
            seen.splice(0..0, page.ids(field));
            match page.prev() {
                Some(prev) => cursor = prev,
                None => break,
            }
        }
        assert_eq!(seen, all[..before]);
    }
    all
}
