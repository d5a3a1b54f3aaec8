//! Answers to wrong requests.

use insta::assert_snapshot;
use serde_json::json;

use crate::stack::{Stack, event};

#[tokio::test]
async fn all_that_is_wrong_is_named_at_once() {
    let answer = Stack::shop().products("categry=x&limit=0&sort=best&minPrice=ten&fields=nmae,costPrice&page=1&page=2&inStock=yes").await;
    assert_snapshot!(answer.shown());
}

#[tokio::test]
async fn the_nearest_valid_values_are_suggested() {
    assert_snapshot!(Stack::shop().orders("status=shiped&sort=newst&expand=custmer").await.shown());
}

#[tokio::test]
async fn each_wrong_parameter_is_named() {
    let stack = Stack::shop();
    let long = format!("category={}", "x".repeat(129));
    for (query, wrong) in [
        ("minPrice=5&maxPrice=4", vec!["maxPrice"]),
        ("page=41", vec!["page"]),
        ("page=1&brand=x", vec!["page"]),
        ("page=1&minPrice=1", vec!["page"]), // by price, but sorted by time
        ("page=1&cursor=x", vec!["page"]),
        (&long, vec!["category"]),
    ] {
        assert_eq!(stack.products(query).await.wrong(), wrong, "{query}");
    }
    for (query, wrong) in [
        ("from=2024-01-02T00:00:00Z&to=2024-01-01T00:00:00Z", vec!["to"]),
        ("status=lost&expand=customer,all", vec!["status", "expand"]),
        ("status=paid,lost", vec!["status"]),
        ("status=paid,", vec!["status"]),
    ] {
        assert_eq!(stack.orders(query).await.wrong(), wrong, "{query}");
    }
    assert_eq!(stack.user("limit=1").await.wrong(), ["limit"], "one item has no pages");
}

#[tokio::test]
async fn a_hidden_field_is_one_that_does_not_exist() {
    let stack = Stack::shop();
    let hidden = stack.products("fields=costPrice").await.body.replace("costPrice", "X");
    assert_eq!(hidden, stack.products("fields=costPryce").await.body.replace("costPryce", "X"));
}

#[tokio::test]
async fn a_query_beyond_4096_bytes_is_too_long() {
    let stack = Stack::shop();
    assert_snapshot!(stack.products(&"x".repeat(4_097)).await.shown());
    assert_eq!(stack.products(&"x".repeat(4_096)).await.status, 400);
}

#[tokio::test]
async fn another_method_is_not_allowed() {
    let mut event = event("/v1/products", None, "", None, &[]);
    event["requestContext"]["http"]["method"] = json!("POST");
    assert_snapshot!(Stack::shop().send(&event).await.shown());
}

/// Each name of `fields` can be wrong, and an answer has a bound.
#[tokio::test]
async fn of_many_errors_the_first_32_are_named() {
    let stack = Stack::shop();
    for (wrong, named) in [(31, 31), (32, 32), (33, 32), (500, 32)] {
        let fields: Vec<_> = (0..wrong).map(|number| format!("x{number}")).collect();
        let answer = stack.products(&format!("fields={}", fields.join(","))).await;
        assert_eq!(answer.wrong(), vec!["fields"; named], "{wrong} are wrong");
    }
}
