//! Large items: DynamoDB cuts a Query at 1 MB, the page is cut at 1 MiB of JSON, and a walk still gives each item once.

use serde_json::{Value, json};

use crate::stack::{Answer, Stack};

const MIB: usize = 1 << 20;

/// Makes a product whose name or description takes about this many bytes.
fn product(number: usize, attribute: &str, bytes: usize) -> Value {
    let mut product = json!({
        "productId": format!("p-{number:03}"), "category": "big", "price": number, "shard": 0,
        "createdAt": format!("2024-01-01T00:00:00.{number:03}Z")
    });
    product[attribute] = json!("x".repeat(bytes));
    product
}

/// Requests a page that its size alone has cut. One that the time cut says so (`no-store`, 503 or 504), and is requested again.
async fn page(stack: &Stack, query: &str) -> Answer {
    for _ in 0..20 {
        let answer = stack.products(query).await;
        let in_time = answer.header("cache-control") != Some("no-store");
        if in_time {
            assert_eq!(answer.status, 200, "{}", &answer.body[..answer.body.len().min(500)]);
            assert!(answer.body.len() <= MIB + 2_048 || answer.ids("productId").len() == 1);
            return answer;
        }
        assert!(matches!(answer.status, 200 | 503 | 504), "{}", &answer.body[..answer.body.len().min(500)]);
    }
    panic!("no page in time, {query}");
}

/// Walks forward, then back from the last page; returns the number of pages.
async fn walk(stack: &Stack, query: &str, expected: usize) -> usize {
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    let mut last = None;
    loop {
        let page = page(stack, &format!("{query}{cursor}")).await;
        seen.extend(page.ids("productId"));
        pages += 1;
        last = page.prev().or(last);
        match page.next() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let whole: Vec<_> = (0..expected).map(|number| format!("p-{number:03}")).collect();
    assert_eq!(seen, whole);
    let mut back = Vec::new();
    while let Some(prev) = last.take() {
        let page = page(stack, &format!("{query}&cursor={prev}")).await;
        back.splice(0..0, page.ids("productId"));
        last = page.prev();
    }
    assert!(!back.is_empty());
    assert_eq!(back, whole[..back.len()], "cut at the end that the walk is heading to");
    pages
}

#[tokio::test]
async fn items_that_fill_the_index_s_query() {
    let stack = Stack::empty();
    stack.put("products", (0..20).map(|number| product(number, "name", 390_000)));
    let pages = walk(&stack, "category=big&sort=price_asc&limit=100", 20).await;
    assert_eq!(pages, 10, "two of 390 KB fit into a mebibyte");
    assert_eq!(walk(&stack, "category=big&sort=price_asc&limit=1", 20).await, 20);
    // The whole catalogue, from three shards that each have their own limit.
    let mut sharded = Stack::empty();
    sharded.shards = 3;
    let sharded_product = |number: usize| {
        let mut product = product(number, "name", 300_000);
        product["shard"] = json!(number % 3);
        product
    };
    sharded.put("products", (0..20).map(sharded_product));
    walk(&sharded, "sort=price_asc&limit=50", 20).await;
}

#[tokio::test]
async fn items_that_fill_the_fetch() {
    let stack = Stack::empty();
    stack.put("products", (0..12).map(|number| product(number, "description", 395_000)));
    let pages = walk(&stack, "category=big&sort=price_asc&limit=100&fields=productId,description", 12).await;
    assert_eq!(pages, 6);
    let page = page(&stack, "category=big&sort=price_asc&limit=100").await;
    assert_eq!(page.ids("productId").len(), 12, "the summary does not read what it does not show");
}
