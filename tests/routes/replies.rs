//! Replies of every route: entity tags, HEAD, compression, and nothing hidden.

use serde_json::{Value, json};

use super::{ORDERS, USER};
use crate::stack::{Stack, event, send_to};

/// Returns a request of each route, with headers.
fn requests<'a>(headers: &'a [(&'a str, &'a str)]) -> [Value; 3] {
    [("/v1/products", None, "limit=3"), (USER, Some("u-1"), ""), (ORDERS, Some("u-1"), "limit=3")]
        .map(|(path, id, query)| event(path, id, query, id, headers))
}

#[tokio::test]
async fn the_same_question_has_the_same_answer() {
    let stack = Stack::shop();
    for request in requests(&[]) {
        let (first, second) = (stack.send(&request).await, stack.send(&request).await);
        assert_eq!(
            (first.status, &first.body, first.header("etag")),
            (200, &second.body, second.header("etag"))
        );
    }
}

#[tokio::test]
async fn a_known_tag_gets_a_304_with_the_same_headers() {
    let stack = Stack::shop();
    for (i, request) in requests(&[]).iter().enumerate() {
        let first = stack.send(request).await;
        let known = format!("\"other\", {}", first.header("etag").unwrap());
        let again = stack.send(&requests(&[("if-none-match", &known)])[i]).await;
        assert_eq!((again.status, again.body.as_str()), (304, ""));
        for name in ["etag", "cache-control", "vary"] {
            assert_eq!(again.header(name), first.header(name));
        }
        assert_eq!(again.header("content-type"), None);
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let stack = Stack::shop();
    for (i, request) in requests(&[]).iter().enumerate() {
        let get = stack.send(request).await;
        let mut head = requests(&[("accept-encoding", "gzip")])[i].clone();
        head["requestContext"]["http"]["method"] = json!("HEAD");
        let head = stack.send(&head).await;
        assert_eq!(
            (head.status, head.body.as_str(), head.header("etag")),
            (200, "", get.header("etag"))
        );
        assert_eq!(head.header("content-encoding"), None);
    }
}

#[tokio::test]
async fn a_body_above_1_kib_is_compressed_for_those_who_take_it() {
    let stack = Stack::shop();
    let ask = |accept| event("/v1/products", None, "", None, &[("accept-encoding", accept)]);
    let plain = stack.send(&ask("identity")).await;
    let packed = stack.send(&ask("br, gzip;q=0.8")).await;
    assert!(packed.compressed && !plain.compressed);
    assert_eq!(packed.body, plain.body);
    assert_eq!(packed.header("etag"), plain.header("etag"), "a weak tag: one for both");
    assert!(!stack.send(&ask("gzip;q=0, *")).await.compressed);
    let small =
        event(USER, Some("u-1"), "fields=name", Some("u-1"), &[("accept-encoding", "gzip")]);
    assert!(!stack.send(&small).await.compressed, "below 1 KiB");
}

#[tokio::test]
async fn nothing_hidden_is_ever_shown() {
    let stack = Stack::shop();
    let mut answers = vec![stack.user("").await];
    for query in [
        "",
        "fields=dimensions,productId",
        "limit=100&fields=dimensions,images,tags,sku,description,weight,updatedAt",
    ] {
        answers.push(stack.products(query).await);
    }
    for query in ["limit=100&fields=items,orderId", "expand=customer,items.product"] {
        answers.push(stack.orders(query).await);
    }
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(
            !answer.body.contains("sentinel") && !answer.body.contains("shard"),
            "{}",
            answer.body
        );
    }
}

/// Rounds and read units are shown with `SERVER_TIMING=full` alone; times always.
#[tokio::test]
async fn what_a_request_cost_is_shown_only_if_the_environment_says_so() {
    let stack = Stack::shop();
    let event = event("/v1/products", None, "limit=1", None, &[]).to_string();
    for full in [true, false] {
        let mut config = stack.config(&shop::LIST_PRODUCTS);
        config.full_timing = full;
        let app = api::App::new(config, stack.client());
        let answer = send_to(&app, &event).await;
        let timing = answer.header("server-timing").unwrap();
        assert!(timing.starts_with("db;dur=") && timing.contains(", total;dur="), "{timing}");
        for cost in ["desc", "rounds", "units"] {
            assert_eq!(timing.contains(cost), full, "{timing}");
        }
    }
}

/// The log line counts the items that were sent: none with a 304.
#[tokio::test]
async fn a_log_line_counts_the_items_that_were_sent() {
    let stack = Stack::shop();
    let app = stack.app(&shop::LIST_PRODUCTS);
    let left = std::time::Duration::from_secs(5);
    let ask = async |headers: &[(&str, &str)]| {
        let event = event("/v1/products", None, "limit=2", None, headers).to_string();
        crate::stack::sent(&app, &event, "r-1", left).await
    };
    let (full, line) = ask(&[]).await;
    assert_eq!((full.status, &line["items"], &line["notModified"]), (200, &json!(2), &json!(0)));
    let (empty, line) = ask(&[("if-none-match", full.header("etag").unwrap())]).await;
    assert_eq!((empty.status, &line["items"], &line["notModified"]), (304, &json!(0), &json!(1)));
}

/// A handler that panics gives the app's own 500, and the next request is served.
#[tokio::test]
async fn a_panic_is_a_500_from_a_process_that_lives_on() {
    let stack = Stack::shop();
    let app = stack.app(&shop::LIST_PRODUCTS);
    let event = event("/v1/products", None, "limit=1", None, &[]).to_string();
    let left = std::time::Duration::from_secs(5);
    let panics = async |_: &api::App, _: &api::Request| -> Result<api::Reply, api::Problem> {
        panic!("sentinel-panic")
    };
    let (response, log) = app.respond(&event, "r-1", left, &panics).await;
    assert_eq!(response.status_code, 500);
    assert!(!format!("{response:?}{log}").contains("sentinel"));
    let (response, _) = app.respond(&event, "r-2", left, &api::answer).await;
    assert_eq!(response.status_code, 200);
}
