//! Random rows through the loader: each is loaded or rejected by its line, and what is loaded can
//! be read, listed and walked.
//!
//! `ROWS` sets the number of rows of each table, `SEED` the rows:
//! `ROWS=20000 cargo test --workspace --test bundle loaded::` is the long run.

use std::{collections::BTreeSet, path::Path};

use dev::{
    bundle::Bundle,
    client,
    load::{self, Destination},
};
use serde_json::{Value, json};
use shop::random::Random;

use crate::stack::{Answer, Stack, event};

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// A text that is odd in some way, or just one of a few.
fn text(random: &mut Random) -> String {
    const ODD: [&str; 30] = [
        "", " ", ".", "..", "me", "ME", "null", "a/b", "a,b", "a b", "a+b", "%2F", "%", "a&b=c",
        "#", "?", "'", "\"", "\\", "<b>", "é", "e\u{301}", "💥", "a\nb", "\0", "\u{7f}", "\u{85}",
        "\u{200b}", "\u{202e}", "-1",
    ];
    const LENGTHS: [usize; 12] = [1, 64, 86, 87, 127, 128, 129, 341, 1_024, 1_025, 2_048, 2_049];
    match random.below(12) {
        0 => (*random.pick(&ODD)).to_owned(),
        1 => (*random.pick(&["x", "é", "💥"])).repeat(*random.pick(&LENGTHS)),
        _ => (*random.pick(&["a", "b", "c"])).to_owned(),
    }
}

/// A text that is most often another one each time.
fn id(random: &mut Random) -> String {
    format!("{}{}", text(random), if random.chance(10) { 0 } else { random.below(100_000) })
}

/// The JSON of a number, or of what is none.
fn number(random: &mut Random) -> String {
    const ODD: [&str; 18] = [
        "0",
        "-0.0",
        "1.50",
        "1e5",
        "1E-130",
        "9.99e125",
        "1e126",
        "0.1e-130",
        "-1",
        "9007199254740993",
        "12345678901234567890123456789012345678",
        "123456789012345678901234567890123456789",
        "1234567890.1234567890123456789012345678",
        "\"1\"",
        "null",
        "true",
        "[1]",
        "{}",
    ];
    if random.chance(6) { (*random.pick(&ODD)).to_owned() } else { random.below(50).to_string() }
}

fn time(random: &mut Random) -> &'static str {
    const TIMES: [&str; 11] = [
        "2024-01-01T00:00:00.000Z",
        "2024-01-01T00:00:00Z",
        "2024-01-01t01:00:00.5+01:00",
        "2024-02-29T23:59:59.9999-05:30",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-01:00",
        "2024-01-01 00:00:00Z",
        "2024-01-01",
        "2023-02-29T00:00:00Z",
        "",
    ];
    let known = if random.chance(3) { TIMES.len() } else { 4 };
    TIMES[random.below(known)]
}

/// A row, as text: its number of digits would not survive in a value.
fn row(random: &mut Random, members: &[(&str, String)]) -> String {
    let mut line: Vec<_> =
        members.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    if random.chance(20) {
        line.remove(random.below(line.len()));
    }
    format!("{{{}}}", line.join(","))
}

fn product(random: &mut Random) -> String {
    let text = |text: String| json!(text).to_string();
    let members = [
        ("productId", text(id(random))),
        ("name", text(self::text(random))),
        ("category", text(self::text(random))),
        ("price", number(random)),
        ("rating", number(random)),
        ("createdAt", text(time(random).to_owned())),
    ];
    row(random, &members)
}

fn user(random: &mut Random) -> String {
    let members =
        [("userId", json!(id(random)).to_string()), ("name", json!(text(random)).to_string())];
    row(random, &members)
}

fn order(random: &mut Random) -> String {
    let status = random.pick(&["pending", "paid", "shipped", "delivered", "cancelled", "lost", ""]);
    let lines: Vec<_> =
        (0..random.below(4)).map(|_| json!({"productId": id(random), "quantity": 1})).collect();
    let members = [
        ("orderId", json!(id(random)).to_string()),
        ("userId", json!(text(random)).to_string()),
        ("status", json!(status).to_string()),
        ("placedAt", json!(time(random)).to_string()),
        ("total", number(random)),
        ("items", json!(lines).to_string()),
    ];
    row(random, &members)
}

/// Loads rows and returns those that were not rejected.
async fn loaded(stack: &Stack, table: &'static str, rows: &[String]) -> Vec<Value> {
    let bundle = Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("loaded-{table}"));
    std::fs::create_dir_all(&folder).unwrap();
    let (file, rejects) = (folder.join("rows.jsonl"), folder.join("rejects.jsonl"));
    std::fs::write(&file, rows.join("\n")).unwrap();
    let client = client::local(&stack.local.url);
    let of = bundle.find(table).unwrap();
    let to = Destination { client: Some(&client), of, name: table, shards: 1 };
    let report = load::file(to, &file, &rejects).await.unwrap();
    let mut right: Vec<_> = rows.iter().map(Some).collect();
    for reject in std::fs::read_to_string(&rejects).unwrap_or_default().lines() {
        let reject: Value = serde_json::from_str(reject).unwrap();
        let line = reject["line"].as_u64().unwrap() as usize;
        assert!(reject["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
        right[line - 1] = None;
    }
    let right: Vec<Value> =
        right.into_iter().flatten().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert_eq!(
        (report.loaded, report.loaded + report.rejected),
        (right.len() as u64, rows.len() as u64)
    );
    println!("{table}: {} of {} rows were loaded", right.len(), rows.len());
    assert!(right.len() * 5 > rows.len() && report.rejected > 0, "{report}");
    right
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn names(rows: &[Value], name: &str) -> BTreeSet<String> {
    rows.iter().map(|row| row[name].as_str().unwrap().to_owned()).collect()
}

/// Walks a list to its end, and returns the ids.
async fn walked(page: impl AsyncFn(&str) -> Answer, query: &str, id: &str) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = page(&format!("{query}{cursor}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        seen.extend(answer.ids(id));
        match answer.next() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seen,
        }
    }
}

/// Checks that a walk gives each of these once.
fn once(seen: Vec<String>, expected: &BTreeSet<String>, what: &str) {
    assert_eq!(seen.len(), expected.len(), "{what}");
    assert_eq!(&seen.into_iter().collect::<BTreeSet<_>>(), expected, "{what}");
}

#[tokio::test]
async fn what_the_loader_takes_can_be_read_listed_and_walked() {
    let (count, seed) = (setting("ROWS", 400), setting("SEED", 1));
    let stack = Stack::empty();
    let mut random = Random(seed);
    let mut made = |one: fn(&mut Random) -> String| -> Vec<_> {
        (0..count).map(|_| one(&mut random)).collect()
    };

    let products = loaded(&stack, "products", &made(product)).await;
    let page = async |query: &str| stack.products(query).await;
    for query in [
        "sort=newest&limit=100",
        "sort=price_asc&limit=100",
        "sort=price_desc&limit=100&fields=productId,name,updatedAt",
    ] {
        once(walked(page, query, "productId").await, &names(&products, "productId"), query);
    }
    for category in names(&products, "category") {
        let of: Vec<_> =
            products.iter().filter(|row| row["category"] == category.as_str()).cloned().collect();
        let query = format!("category={}&limit=7", encoded(&category));
        once(walked(page, &query, "productId").await, &names(&of, "productId"), &query);
    }

    let users = loaded(&stack, "users", &made(user)).await;
    for id in names(&users, "userId") {
        let event = event("/v1/users/{userId}", Some(&id), "fields=userId", Some(&id), &[]);
        let answer = stack.send(&event).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"userId": id})), "{id:?}");
    }

    let orders = loaded(&stack, "orders", &made(order)).await;
    for owner in names(&orders, "userId") {
        let of: Vec<_> =
            orders.iter().filter(|row| row["userId"] == owner.as_str()).cloned().collect();
        let page = async |query: &str| {
            let path = "/v1/users/{userId}/orders";
            stack.send(&event(path, Some(&owner), query, Some(&owner), &[])).await
        };
        let query = "limit=5&expand=items.product";
        once(walked(page, query, "orderId").await, &names(&of, "orderId"), &owner);
        for status in names(&of, "status") {
            let of: Vec<_> =
                of.iter().filter(|row| row["status"] == status.as_str()).cloned().collect();
            let query = format!("limit=3&status={status}");
            once(walked(page, &query, "orderId").await, &names(&of, "orderId"), &query);
        }
    }
}
