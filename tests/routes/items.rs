//! One item.

use insta::assert_snapshot;
use serde_json::json;

use super::USER;
use crate::stack::{Stack, event};

#[tokio::test]
async fn a_caller_reads_their_own_record() {
    let answer = Stack::shop().user("").await;
    assert_snapshot!(answer.shown());
    assert_eq!(answer.spent().0, 1, "one GetItem");
}

#[tokio::test]
async fn fields_reach_into_objects_and_merge() {
    let answer =
        Stack::shop().user("fields=name,email,address(city,coordinates.lat),address.city").await;
    assert_eq!(
        answer.body,
        r#"{"name":"User 1","email":"u1@example.org","address":{"city":"Oslo","coordinates":{"lat":59.91}}}"#
    );
}

#[tokio::test]
async fn me_is_the_caller() {
    let answer =
        Stack::shop().send(&event(USER, Some("me"), "fields=userId", Some("u-1"), &[])).await;
    assert_eq!(answer.body, r#"{"userId":"u-1"}"#);
}

#[tokio::test]
async fn an_item_that_does_not_exist_is_not_found() {
    let mut event = event(USER, Some("u-99"), "", Some("u-1"), &[]);
    event["requestContext"]["authorizer"]["jwt"]["claims"]["scope"] =
        json!("[lean-routes/users:read]");
    assert_snapshot!(Stack::shop().send(&event).await.shown());
}
