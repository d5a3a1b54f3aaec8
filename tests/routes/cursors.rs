//! Cursors in requests: bound to their list and caller, and judged last.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::ORDERS;
use crate::stack::{Answer, Stack, event, order};

/// Returns a request of a caller who may read anybody's orders.
fn any(id: &str, sub: &str, query: &str) -> Value {
    let mut event = event(ORDERS, Some(id), query, Some(sub), &[]);
    event["requestContext"]["authorizer"]["jwt"]["claims"]["scope"] =
        json!("lean-routes/users:read");
    event
}

fn is_refused(answer: &Answer) -> bool {
    answer.status == 400 && answer.json()["type"] == "/problems/invalid-cursor"
}

#[tokio::test]
async fn a_cursor_that_was_changed_is_invalid() {
    let stack = Stack::shop();
    let cursor = stack.products("limit=5").await.next().unwrap();
    let changed = if cursor.starts_with('A') { "B" } else { "A" };
    let answer = stack.products(&format!("cursor={changed}{}", &cursor[1..])).await;
    assert_snapshot!(answer.shown());
}

#[tokio::test]
async fn a_cursor_takes_other_limits_fields_and_expansions() {
    let stack = Stack::shop();
    let cursor = stack.orders("limit=5").await.next().unwrap();
    assert_eq!(
        stack.orders(&format!("limit=7&fields=total&expand=customer&cursor={cursor}")).await.status,
        200
    );
}

#[tokio::test]
async fn a_cursor_belongs_to_its_owner_caller_filters_and_sort() {
    let stack = Stack::shop();
    stack.put("orders", (0..40).map(|number| order(number, "u-2")));
    let cursor = stack.send(&any("u-1", "u-1", "limit=5")).await.next().unwrap();
    for (id, sub, query) in [
        ("u-2", "u-1", ""),
        ("u-1", "u-2", ""),
        ("u-2", "u-2", ""),
        ("u-1", "u-1", "&status=paid"),
        ("u-1", "u-1", "&sort=oldest"),
    ] {
        let answer = stack.send(&any(id, sub, &format!("limit=5{query}&cursor={cursor}"))).await;
        assert!(is_refused(&answer), "{id} {sub} {query}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_route() {
    let stack = Stack::shop();
    let cursor = stack.orders("limit=5").await.next().unwrap();
    assert!(is_refused(&stack.products(&format!("cursor={cursor}")).await));
}

#[tokio::test]
async fn other_mistakes_are_named_before_a_wrong_cursor() {
    assert_eq!(Stack::shop().products("limit=x&cursor=x").await.wrong(), ["limit"]);
}
