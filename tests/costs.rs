//! The cost of reads, counted: round trips, evaluated items, read units.

use std::num::NonZeroU32;

use dev::{database, template::Template};
use pagination::{Budget, Condition, Plan, Sort, Start, Value, run};
use serde_json::json;
use shop::PRODUCTS;

use crate::{
    direct::{Direct, item},
    stack::Stack,
};

const NEWEST: Sort = Sort::descending("createdAt");

/// Makes `count` products over `shards`; one in twenty has the brand `Rare`, all have a rating.
fn catalogue(count: u32, shards: u32) -> Direct {
    let db = database::open(None).unwrap();
    database::create_tables(&db, &Template::parse(shop::TEMPLATE).unwrap()).unwrap();
    let direct = Direct::new(db.0, "products");
    let product = |number: u32| {
        json!({
            "productId": format!("p-{number:06}"), "category": "c", "price": number % 97, "rating": 4, "stock": 1,
            "brand": if number % 20 == 7 { "Rare" } else { "Common" },
            "createdAt": format!("2024-01-{:02}T{:02}:{:02}:00.000Z", 1 + number / 1440, number / 60 % 24, number % 60),
            "shard": number.wrapping_mul(2_654_435_761) >> 16 & 0xffff & (shards - 1)
        })
    };
    direct.put((0..count).map(|number| item(&product(number))).collect());
    direct
}

fn plan(conditions: &[Condition], shards: u16, wanted: &str) -> Plan {
    Plan::new(&PRODUCTS.table, conditions, NEWEST, [wanted], shards).unwrap()
}

async fn page(
    direct: &Direct,
    plan: &Plan,
    start: &Start,
    limit: u32,
) -> (pagination::Page<String>, (u32, u32, u32)) {
    direct.spent();
    let page = run(direct, plan, start, NonZeroU32::new(limit).unwrap(), &Budget::default())
        .await
        .unwrap();
    (page, direct.spent())
}

#[tokio::test]
async fn page_one_and_page_one_thousand_cost_the_same() {
    let direct = catalogue(5_010, 1);
    let plan = plan(&[], 1, "name");
    let mut start = Start::First;
    for number in 1..=1_000 {
        let (read, spent) = page(&direct, &plan, &start, 5).await;
        assert_eq!(spent, (1, 6, 0), "page {number}: one Query, limit + 1 items");
        start = Start::At(read.next().unwrap());
    }
}

#[tokio::test]
async fn a_filter_that_passes_one_in_twenty_costs_four_round_trips_at_most() {
    let direct = catalogue(5_000, 1);
    let rare = Condition::equal("brand", Value::S("Rare".into()));
    let plan = plan(&[rare], 1, "name");
    let mut start = Start::First;
    for _ in 0..9 {
        let (read, (queries, evaluated, _)) = page(&direct, &plan, &start, 25).await;
        assert_eq!(read.rows().len(), 25, "the page is filled");
        assert!(queries <= 4, "{queries} round trips");
        assert!(evaluated <= 2 * 25 * 20, "{evaluated} items evaluated for 25");
        start = Start::At(read.next().unwrap());
    }
}

#[tokio::test]
async fn a_filter_that_passes_all_reads_no_more_than_limit_and_one() {
    let direct = catalogue(500, 1);
    let good = Condition::at_least("rating", Value::N("3".into()));
    let (read, spent) = page(&direct, &plan(&[good], 1, "name"), &Start::First, 25).await;
    assert_eq!((read.rows().len(), spent), (25, (1, 26, 0)));
}

#[tokio::test]
async fn n_shards_are_one_round_of_n_queries_and_at_most_twice_the_items() {
    for shards in [1_u16, 2, 4, 8] {
        let direct = catalogue(4_000, u32::from(shards));
        let plan = plan(&[], shards, "name");
        let (mut start, mut rounds_of_one) = (Start::First, 0);
        for _ in 0..20 {
            let (read, (queries, evaluated, _)) = page(&direct, &plan, &start, 100).await;
            assert_eq!(read.rows().len(), 100);
            assert!(evaluated <= 200, "{evaluated} items evaluated for 100 over {shards} shards");
            rounds_of_one += u32::from(queries == u32::from(shards));
            start = Start::At(read.next().unwrap());
        }
        assert!(rounds_of_one >= 19, "{shards} shards: {rounds_of_one} of 20 pages in one round");
    }
}

#[tokio::test]
async fn a_hydrated_page_is_a_query_and_a_fetch() {
    let direct = catalogue(300, 1);
    let (read, spent) = page(&direct, &plan(&[], 1, "description"), &Start::First, 100).await;
    assert_eq!((read.rows().len(), spent), (100, (1, 101, 1)));
}

/// Through the handlers: calls and read units, as DynamoDB counts them.
#[tokio::test]
async fn through_the_handlers() {
    let stack = Stack::shop();
    // 26 summaries of about 300 bytes: 2 x 4 KB of index at half a unit each, eventually
    // consistent.
    let (rounds, units) = stack.products("").await.spent();
    assert_eq!(rounds, 1);
    assert!(units <= 1.5, "{units} units for a default list");
    assert_eq!(stack.user("").await.spent(), (1, 0.5));
    assert_eq!(stack.orders("limit=5").await.spent().0, 1);
    assert_eq!(
        stack.orders("limit=5&expand=customer").await.spent().0,
        1,
        "the customer is read beside the page"
    );
    assert_eq!(stack.orders("limit=5&expand=items.product").await.spent().0, 2);
    assert_eq!(stack.products("fields=sku").await.spent().0, 2);
    let not_modified = stack.products("").await;
    assert_eq!(not_modified.spent().0, 1);
}
