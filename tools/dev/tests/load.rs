//! Files into tables, over the wire.

use aws_sdk_dynamodb::types::AttributeValue;
use dev::bundle::Bundle;
use dev::client;
use dev::database::{self, Local};
use dev::load::{self, Destination, Report};
use dev::sample::Sample;
use dev::shard::shard;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

type Item = HashMap<String, AttributeValue>;

/// A database, a client of it, and a folder that goes with it.
struct Bench {
    bundle: Bundle,
    _local: Local,
    client: aws_sdk_dynamodb::Client,
    folder: PathBuf,
}

impl Bench {
    fn new(name: &str) -> anyhow::Result<Self> {
        let bundle = Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE)?;
        let local = database::start(&bundle.template)?;
        let client = client::local(&local.url);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(Self { bundle, _local: local, client, folder })
    }

    fn to(&self, table: &'static str, shards: u32) -> anyhow::Result<Destination<'_>> {
        Ok(Destination {
            client: Some(&self.client),
            of: self.bundle.find(table)?,
            name: table,
            shards,
        })
    }

    async fn load(&self, table: &'static str, text: &[u8], shards: u32) -> anyhow::Result<Report> {
        let file = self.folder.join(format!("{table}.jsonl"));
        std::fs::write(&file, text)?;
        load::file(
            self.to(table, shards)?,
            &file,
            &self.folder.join(format!("{table}.rejects.jsonl")),
        )
        .await
    }

    async fn all(&self, table: &str) -> BTreeMap<String, Item> {
        let mut pages = self.client.scan().table_name(table).into_paginator().items().send();
        let mut items = BTreeMap::new();
        while let Some(Ok(item)) = pages.next().await {
            items.insert(
                format!(
                    "{:?}{:?}",
                    item.get("userId"),
                    item.get("orderId").or(item.get("productId"))
                ),
                item,
            );
        }
        items
    }
}

fn product(id: &str) -> String {
    format!(
        r#"{{"productId":"{id}","name":"x","category":"audio","price":10.10,"createdAt":"2024-01-01T00:00:00.000Z"}}"#
    )
}

#[tokio::test]
async fn good_rows_are_loaded_and_bad_ones_are_kept_with_their_reason() {
    let bench = Bench::new("bad-rows").unwrap();
    let mut text = Vec::new();
    text.extend_from_slice(b"\xEF\xBB\xBF");
    text.extend_from_slice(product("p-1").as_bytes());
    text.extend_from_slice(b"\r\n\n");
    text.extend_from_slice(product("p-1").as_bytes()); // line 3: again
    text.extend_from_slice(b"\n{\"productId\":\"p-2\"}\nnot json\n\xFF\xFE\n");
    text.extend_from_slice(product("p-3").replace("10.10", "\"10\"").as_bytes());
    text.push(b'\n');
    text.extend_from_slice(product("p-4").replace("T00:00:00.000Z", "").as_bytes());
    text.push(b'\n');
    text.extend_from_slice(product("p-5").as_bytes()); // no newline at the end
    let report = bench.load("products", &text, 1).await.unwrap();
    assert_eq!((report.loaded, report.rejected), (2, 6));
    assert!(report.units >= 2.0);
    assert_eq!(bench.all("products").await.len(), 2);

    let rejects = std::fs::read_to_string(report.rejects.unwrap()).unwrap();
    let rejects: Vec<serde_json::Value> =
        rejects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lines: Vec<_> = rejects.iter().map(|reject| reject["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8]);
    let reason = |index: usize| rejects[index]["reason"].as_str().unwrap();
    assert!(reason(0).contains("is already in line 1"), "{}", reason(0));
    assert!(reason(1).starts_with("no `"), "{}", reason(1));
    assert!(reason(2).starts_with("no JSON object"), "{}", reason(2));
    assert!(reason(3).starts_with("not UTF-8"), "{}", reason(3));
    assert!(reason(4).contains("`price` is no number"), "{}", reason(4));
    assert!(reason(5).contains("`createdAt` is `2024-01-01`"), "{}", reason(5));
    assert_eq!(rejects[1]["row"], "{\"productId\":\"p-2\"}");

    // Once the file has no mistakes, the rejects file is removed.
    let report = bench.load("products", product("p-1").as_bytes(), 1).await.unwrap();
    assert!(report.rejects.is_none());
    assert!(!bench.folder.join("products.rejects.jsonl").exists());
}

#[tokio::test]
async fn loading_twice_gives_the_same_table() {
    let bench = Bench::new("twice").unwrap();
    for table in ["orders", "users"] {
        let text: Vec<_> = shop::sample::lines(table).take(260).collect();
        let text = text.join("\n");
        let first = bench.load(table, text.as_bytes(), 1).await.unwrap();
        let once = bench.all(table).await;
        let second = bench.load(table, text.as_bytes(), 1).await.unwrap();
        assert_eq!((first.loaded, first.rejected), (260, 0));
        assert_eq!(first.loaded, second.loaded);
        assert_eq!(once.len(), 260);
        assert_eq!(once, bench.all(table).await);
    }
}

#[tokio::test]
async fn numbers_arrive_digit_for_digit_and_shards_are_stamped() {
    let bench = Bench::new("shards").unwrap();
    let exact = "1234567890123456789.0123456789012345678";
    let mut lines: Vec<_> = (0..100).map(|number| product(&format!("p-{number}"))).collect();
    lines[7] = lines[7].replace("10.10", exact);
    for shards in [1, 4] {
        let report = bench.load("products", lines.join("\n").as_bytes(), shards).await.unwrap();
        assert_eq!(report.loaded, 100);
        for item in bench.all("products").await.values() {
            let id = item["productId"].as_s().unwrap();
            assert_eq!(item["shard"], AttributeValue::N(shard(id, shards).to_string()));
            if id == "p-7" {
                assert_eq!(item["price"], AttributeValue::N(exact.to_owned()));
            }
        }
    }
}

#[tokio::test]
async fn a_row_without_a_client_is_only_checked() {
    let bench = Bench::new("dry-run").unwrap();
    let file = bench.folder.join("products.jsonl");
    std::fs::write(&file, [&product("p-1"), "{}"].join("\n")).unwrap();
    let to = Destination { client: None, ..bench.to("products", 1).unwrap() };
    let rejects = bench.folder.join("x.rejects.jsonl");
    let report = load::file(to, &file, &rejects).await.unwrap();
    assert_eq!((report.loaded, report.rejected, report.rejects), (1, 1, None));
    assert!(!rejects.exists() && bench.all("products").await.is_empty());
}

#[tokio::test]
async fn the_sample_is_grown_and_a_wrong_row_of_it_is_an_error() {
    let bench = Bench::new("sample").unwrap();
    let lines = |name: &str, wrong: bool| {
        let mut lines: Vec<_> = shop::sample::lines(name).take(5).collect();
        lines[1] = if wrong { lines[1].replace("Id", "") } else { lines[1].clone() };
        lines
    };
    let sample = |wrong| Sample::of(shop::RESOURCES, |resource| lines(resource.name, wrong));
    let reports = load::sample(&bench.client, &bench.bundle, &sample(false), 1).await.unwrap();
    let loaded: Vec<_> = reports.iter().map(|report| (report.resource, report.loaded)).collect();
    assert_eq!(loaded, [("products", 200), ("users", 200), ("orders", 200)]);
    let error =
        load::sample(&bench.client, &bench.bundle, &sample(true), 1).await.unwrap_err().to_string();
    assert!(
        error.starts_with("rows of samples/products.jsonl are not right: products: 160 rows"),
        "{error}"
    );
}

#[tokio::test]
async fn what_cannot_be_loaded_says_what_to_do() {
    let bench = Bench::new("errors").unwrap();
    let error = load::files(Path::new("/no/such/folder"), &bench.bundle).unwrap_err().to_string();
    assert!(error.contains("neither a file nor a folder"), "{error}");
    let other = bench.folder.join("things.jsonl");
    std::fs::write(&other, "{}").unwrap();
    let error = format!("{:#}", load::files(&other, &bench.bundle).unwrap_err());
    assert!(
        error.ends_with(
            "as NAME.jsonl: there is no resource things; there are: products, users, orders"
        ),
        "{error}"
    );

    let file = bench.folder.join("products.jsonl");
    std::fs::write(&file, product("p-1")).unwrap();
    let missing = Destination { name: "elsewhere", ..bench.to("products", 1).unwrap() };
    let error = load::file(missing, &file, &bench.folder.join("x.rejects.jsonl"))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("there is no table elsewhere"), "{error}");
    let nobody = client::local("http://127.0.0.1:9");
    let unreachable = Destination { client: Some(&nobody), ..bench.to("products", 1).unwrap() };
    let error = load::file(unreachable, &file, &bench.folder.join("x.rejects.jsonl"))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("cannot reach the database: is `cargo dev up` running"), "{error}");
}
