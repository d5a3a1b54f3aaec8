//! Large items: DynamoDB cuts a Query at 1 MB, the page is cut at 1 MiB of JSON, and a walk still
//! gives each item once.

use api::App;
use serde_json::{Value, json};
use shop::random::Random;

use crate::stack::{Answer, Stack, event, send_to};

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

/// Requests a page that its size alone has cut. One that the time cut says so (`no-store`, 503 or
/// 504), and is requested again.
async fn page(app: &App, query: &str) -> Answer {
    let event = event("/v1/products", None, query, None, &[]).to_string();
    for _ in 0..20 {
        let answer = send_to(app, &event).await;
        let in_time = answer.header("cache-control") != Some("no-store");
        if in_time {
            assert_eq!(answer.status, 200, "{}", &answer.body[..answer.body.len().min(500)]);
            assert!(answer.body.len() <= MIB + 2_048 || answer.ids("productId").len() == 1);
            return answer;
        }
        assert!(
            matches!(answer.status, 200 | 503 | 504),
            "{}",
            &answer.body[..answer.body.len().min(500)]
        );
    }
    panic!("no page in time, {query}");
}

/// Returns the length of a 200's body.
fn bytes(answer: &Answer) -> usize {
    assert_eq!(answer.status, 200, "{}", &answer.body[..answer.body.len().min(500)]);
    answer.body.len()
}

/// Walks forward, then back from the last page; returns the number of pages.
async fn walk(stack: &Stack, query: &str, expected: usize) -> usize {
    // One function for the whole walk: after its first page it knows how large the items are.
    let app = stack.app(&shop::LIST_PRODUCTS);
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    let mut last = None;
    loop {
        let page = page(&app, &format!("{query}{cursor}")).await;
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
        let page = page(&app, &format!("{query}&cursor={prev}")).await;
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
    let pages =
        walk(&stack, "category=big&sort=price_asc&limit=100&fields=productId,description", 12)
            .await;
    assert_eq!(pages, 6);
    let page =
        page(&stack.app(&shop::LIST_PRODUCTS), "category=big&sort=price_asc&limit=100").await;
    assert_eq!(page.ids("productId").len(), 12, "the summary does not read what it does not show");
}

/// Sizes are known from the first fetch on: after it, a page of large items reads what it can hold
/// and not what DynamoDB would send.
#[tokio::test]
async fn a_page_of_large_items_costs_what_it_holds() {
    let stack = Stack::empty();
    stack.put("products", (0..90).map(|number| product(number, "description", 200_000)));
    let app = stack.app(&shop::LIST_PRODUCTS);
    let (mut cursor, mut costs, mut seen) = (String::new(), Vec::new(), 0);
    loop {
        let query =
            format!("category=big&sort=price_asc&limit=100&fields=productId,description{cursor}");
        let page = send_to(&app, &event("/v1/products", None, &query, None, &[]).to_string()).await;
        assert!(bytes(&page) <= MIB);
        let (rounds, units) = page.spent();
        assert_eq!(rounds, 2);
        costs.push(units);
        seen += page.ids("productId").len();
        match page.next() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((seen, costs.len()), (90, 18));
    // Five items of 200 KB are 122.5 units, and one more is read to know that it does not fit.
    // DynamoDB sends 83 for 2,033.5 units.
    assert!(costs[0] <= 25.0 * 24.5 + 10.0, "{costs:?}");
    assert!(costs[1..].iter().all(|units| *units <= 6.0 * 24.5 + 10.0), "{costs:?}");
}

fn order(number: usize, lines: usize, mut key: impl FnMut(usize) -> Value) -> Value {
    let lines: Vec<_> =
        (0..lines).map(|line| json!({"productId": key(line), "quantity": 1})).collect();
    json!({
        "orderId": format!("o-{number:04}"), "userId": "u-1", "status": "paid", "placedAt": format!("2024-01-01T00:00:00.{number:03}Z"),
        "items": lines
    })
}

fn named(id: &str, bytes: usize) -> Value {
    json!({"productId": id, "name": "x".repeat(bytes), "category": "c", "price": 1, "shard": 0, "createdAt": "2024-01-01T00:00:00.000Z"})
}

/// The lines of the first item that have their product, which must be the first ones.
fn expanded(answer: &Answer) -> usize {
    let json = answer.json();
    let lines = json["items"][0]["items"].as_array().unwrap();
    let with = lines.iter().take_while(|line| line.get("product").is_some()).count();
    assert!(lines[with..].iter().all(|line| line.get("product").is_none()));
    with
}

#[tokio::test]
async fn one_item_whose_expansions_pass_the_limit_keeps_those_that_fit_and_says_so() {
    let stack = Stack::empty();
    stack.put(
        "products",
        [named("fat", 20_000)]
            .into_iter()
            .chain((0..2_000).map(|number| named(&format!("thin-{number}"), 10))),
    );
    let one = |lines, key: fn(usize) -> Value| {
        [order(1, lines, key), order(2, 1, |_| json!("thin-1")), order(3, 1, |_| json!("thin-2"))]
    };
    type Key = fn(usize) -> Value;
    let cases: [(usize, Key, usize); 4] = [
        // One product, which would be sent 3,000 times.
        (3_000, |_| json!("fat"), 47),
        // More distinct products than one request reads.
        (1_500, |line| json!(format!("thin-{line}")), 1_000),
        // Exactly as many as one request reads.
        (1_000, |line| json!(format!("thin-{line}")), 1_000),
        (40, |_| json!("fat"), 40),
    ];
    for (lines, key, expected) in cases {
        stack.put("orders", one(lines, key).into_iter());
        let query = "sort=oldest&expand=items.product&fields=items";
        let answer = stack.orders(query).await;
        assert!(bytes(&answer) <= MIB);
        assert_eq!(expanded(&answer), expected, "{lines} lines");
        let partial = expected < lines;
        let note = answer.json().get("expansion").cloned();
        assert_eq!(note, partial.then(|| json!({"items.product": "partial"})), "{lines} lines");
        if partial {
            assert_eq!(
                answer.json()["items"].as_array().unwrap().len(),
                1,
                "the note is about the only item"
            );
        }
        // The rest of the list follows, with nothing left out.
        assert!(answer.next().is_some() || lines == 40);
        let Some(next) = answer.next() else { continue };
        let rest = stack.orders(&format!("{query}&cursor={next}")).await;
        assert_eq!(rest.json().get("expansion"), None);
        assert_eq!((rest.json()["items"].as_array().unwrap().len(), expanded(&rest)), (2, 1));
    }
}

/// Text that JSON escapes takes twice its bytes.
#[tokio::test]
async fn an_item_next_to_the_list_is_left_out_if_it_does_not_fit_and_the_page_says_so() {
    let stack = Stack::empty();
    let escaped = |bytes| json!("\"".repeat(bytes));
    let mut large = order(1, 0, |_| Value::Null);
    large["currency"] = escaped(390_000);
    stack.put("orders", [large, order(2, 0, |_| Value::Null)].into_iter());
    let query = "sort=oldest&expand=customer&fields=currency";
    for (customer, fits) in [(100_000, true), (390_000, false)] {
        stack.put("users", [json!({"userId": "u-1", "name": escaped(customer)})].into_iter());
        let page = stack.orders(query).await;
        assert!(bytes(&page) <= MIB, "{}", page.body.len());
        let json = page.json();
        assert_eq!(json.get("customer").is_some(), fits, "{customer}");
        let note = (!fits).then(|| json!({"customer": "partial"}));
        assert_eq!(json.get("expansion"), note.as_ref(), "{customer}");
        assert_eq!(json["items"].as_array().unwrap().len(), 2);
    }
}

/// Keys that DynamoDB refuses are not asked for: such a line has no product, as one whose product
/// has vanished.
#[tokio::test]
async fn lines_with_a_key_that_no_product_can_have_cost_no_error() {
    let stack = Stack::empty();
    stack.put("products", [named("num-00", 10), named(&"k".repeat(2_048), 10)].into_iter());
    let keys = [
        json!("num-00"),
        json!(""),
        json!("k".repeat(2_049)),
        json!("é".repeat(1_025)),
        json!(7),
        json!(null),
        json!(true),
        json!("k".repeat(2_048)),
    ];
    let count = keys.len();
    stack.put("orders", std::iter::once(order(1, count, |line| keys[line].clone())));
    for query in
        ["expand=items.product&fields=items.productId", "limit=1&expand=items.product&fields=items"]
    {
        let answer = stack.orders(query).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let json = answer.json();
        let with: Vec<_> = json["items"][0]["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line.get("product").is_some())
            .collect();
        assert_eq!(with, [true, false, false, false, false, false, false, true]);
    }
    // Nothing but such keys: nothing is asked for.
    stack.put("orders", std::iter::once(order(1, 3, |_| json!(""))));
    let answer = stack.orders("expand=items.product&fields=items").await;
    assert_eq!((answer.status, answer.spent().0), (200, 1));
}

/// Random sizes of everything that is in an answer: no body has more than a mebibyte, every order
/// comes once, and only a note explains a line without its product. `SIZES` sets the number of
/// cases.
#[tokio::test]
async fn no_body_has_more_than_a_mebibyte() {
    let cases: u64 = std::env::var("SIZES").ok().and_then(|text| text.parse().ok()).unwrap_or(6);
    let mut partial = 0;
    for seed in 0..cases {
        let mut random = Random(seed);
        let size = |random: &mut Random, most: usize| match random.below(4) {
            0 => random.below(most),
            1 => random.below(most / 10),
            _ => random.below(200),
        };
        let stack = Stack::empty();
        let user = size(&mut random, 390_000);
        stack.put("users", std::iter::once(json!({"userId": "u-1", "name": "x".repeat(user)})));
        let products = 1 + random.below(300);
        stack.put(
            "products",
            (0..products).map(|number| named(&format!("p-{number}"), size(&mut random, 60_000))),
        );
        let orders = 1 + random.below(12);
        let made: Vec<_> = (0..orders)
            .map(|number| {
                let lines = size(&mut random, 4_000);
                let mut order =
                    order(number, lines, |_| json!(format!("p-{}", random.below(products + 2))));
                order["currency"] = json!("x".repeat(size(&mut random, 100_000)));
                order
            })
            .collect();
        stack.put("orders", made.into_iter());
        let (mut seen, mut cursor) = (0, String::new());
        loop {
            let query = format!(
                "sort=oldest&limit=100&fields=orderId,currency,items&expand=items.product,customer{cursor}"
            );
            let page = stack.orders(&query).await;
            assert!(bytes(&page) <= MIB, "case {seed}: {} bytes", page.body.len());
            let json = page.json();
            let items = json["items"].as_array().unwrap();
            let cut = json.get("expansion").is_some();
            partial += usize::from(cut);
            assert!(!cut || items.len() == 1, "case {seed}");
            for line in items.iter().flat_map(|item| item["items"].as_array().unwrap()) {
                let exists =
                    line["productId"].as_str().unwrap()[2..].parse::<usize>().unwrap() < products;
                assert!(
                    line.get("product").is_some() == exists || cut && exists,
                    "case {seed}: {}",
                    line["productId"]
                );
            }
            seen += items.len();
            match page.next() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, orders, "case {seed}");
    }
    println!(
        "{cases} cases: no body over {MIB} bytes, {partial} items with a part of their expansions"
    );
}
