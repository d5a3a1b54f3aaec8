//! The cost of reads, counted: round trips, evaluated items, read units.
//!
//! [`the_calls_of_each_kind_of_request`] is the table of all kinds of index and request. Large items
//! are in [`sizes`](crate::sizes).

use std::num::NonZeroU32;

use api::Route;
use dev::{database, template::Template};
use pagination::{Budget, Condition, Order, Plan, Sort, Start, Value, run};
use serde_json::json;
use shop::{GET_USER, LIST_PRODUCTS, LIST_USER_ORDERS, PRODUCTS};

use crate::{
    direct::{Direct, item},
    existing::{
        self,
        classic::{self, OF_BATCH, OF_DEVICE, OF_SITE},
        single_table::{self, LIST_BY_STATUS, LIST_LINES, LIST_ORDERS},
        tenant::{self, LIST_PROJECTS, LIST_TASKS},
    },
    stack::{Stack, send_once},
    undisturbed::undisturbed,
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

/// Makes one table of a template with these rows.
fn table(
    template: &str,
    name: &'static str,
    rows: impl Iterator<Item = serde_json::Value>,
) -> Direct {
    let db = database::open(None).unwrap();
    database::create_tables(&db, &Template::parse(template).unwrap()).unwrap();
    let direct = Direct::new(db.0, name);
    direct.put(rows.map(|row| item(&row)).collect());
    direct
}

/// 5,010 items in one partition of every index of the tables that teams have, with ties.
#[tokio::test]
async fn page_one_and_page_one_thousand_of_every_kind_of_index_cost_the_same() {
    let text = |text: &str| Value::S(text.to_owned());
    let of_user = || Condition::equal("PK", text("USER#u-1"));
    let orders = || Condition::begins_with("SK", "ORDER#");
    let order = |number: u32| json!({"PK": "USER#u-1", "SK": format!("ORDER#{number:05}"), "status": "paid"});
    let reading = |number: u32| {
        json!({
            "deviceId": "d-1", "readingId": format!("r-{number:05}"), "site": "oslo", "batch": "b-1", "level": number % 4,
            "takenAt": 1_704_067_200 + number / 10
        })
    };
    let task = |number: u32| json!({"taskId": format!("k-{number:05}"), "tenantId": "t-1", "projectId": "p-1"});
    let app = table(single_table::TEMPLATE, "app", (0..5_010).map(order));
    let readings = table(classic::TEMPLATE, "readings", (0..5_010).map(reading));
    let tasks = table(tenant::TEMPLATE, "tasks", (0..5_010).map(task));
    let (app_table, readings_table) = (&single_table::ORDERS.table, &classic::READINGS.table);
    let equal = |name, value| Condition::equal(name, text(value));
    for (name, direct, table, conditions, sort) in [
        ("the table itself, a prefix", &app, app_table, vec![of_user(), orders()], Some("SK")),
        (
            "a classic index, a prefix",
            &app,
            app_table,
            vec![equal("status", "paid"), orders()],
            Some("SK"),
        ),
        (
            "a classic index, a time",
            &readings,
            readings_table,
            vec![equal("site", "oslo")],
            Some("takenAt"),
        ),
        ("a local index", &readings, readings_table, vec![equal("deviceId", "d-1")], Some("level")),
        ("an index without a range", &readings, readings_table, vec![equal("batch", "b-1")], None),
        (
            "two HASH attributes",
            &tasks,
            &tenant::TASKS.table,
            vec![equal("tenantId", "t-1"), equal("projectId", "p-1")],
            None,
        ),
    ] {
        let by = Sort { attribute: sort, order: Order::Descending };
        let plan = Plan::new(table, &conditions, by, [], 1).unwrap();
        let mut start = Start::First;
        for number in 1..=1_000 {
            let (read, spent) = page(direct, &plan, &start, 5).await;
            assert_eq!(spent, (1, 6, 0), "{name}, page {number}: one Query, limit + 1 items");
            start = Start::At(read.next().unwrap());
        }
    }
}

/// Two partitions of one index: a page is a round of two Queries, wherever it is.
#[tokio::test]
async fn a_list_of_two_states_costs_a_round_of_two_queries_on_every_page() {
    let states = ["paid", "shipped"];
    let order = |number: u32| {
        json!({
            "userId": "u-1", "orderId": format!("o-{number:05}"), "status": states[number.wrapping_mul(2_654_435_761) as usize >> 16 & 1],
            "placedAt": format!("2024-01-{:02}T{:02}:{:02}:00.000Z", 1 + number / 1440, number / 60 % 24, number % 60)
        })
    };
    let direct = table(shop::TEMPLATE, "orders", (0..5_010).map(order));
    let text = |text: &str| Value::S(text.to_owned());
    let conditions = [
        Condition::equal("userId", text("u-1")),
        Condition::one_of("status", states.map(text).to_vec()),
    ];
    let plan =
        Plan::new(&shop::ORDERS.table, &conditions, Sort::descending("placedAt"), [], 1).unwrap();
    let (mut start, mut rounds_of_one) = (Start::First, 0);
    for number in 1..=500 {
        let (read, (queries, evaluated, fetches)) = page(&direct, &plan, &start, 10).await;
        assert_eq!((read.rows().len(), fetches), (10, 0), "page {number}");
        assert!(evaluated <= 22, "page {number}: {evaluated} items evaluated for 10");
        rounds_of_one += u32::from(queries == 2);
        start = Start::At(read.next().unwrap());
    }
    println!("{rounds_of_one} of 500 pages in one round");
    assert!(rounds_of_one == 500);
}

/// A request, and the calls that it makes: each with the number of items that it can read at most.
struct Row {
    what: &'static str,
    event: serde_json::Value,
    rounds: u32,
    calls: &'static [(&'static str, u64)],
}

/// Sends the requests to a bundle whose calls are counted.
async fn cost(mut stack: Stack, routes: &[&'static Route], rows: Vec<Row>) {
    let proxy = stack.behind(&[]);
    for Row { what, event, rounds, calls } in rows {
        let path = event["routeKey"].as_str().unwrap().trim_start_matches("GET ");
        let route = routes.iter().find(|route| route.path == path).unwrap();
        undisturbed(async || {
            let app = stack.app(route);
            proxy.calls();
            let answer = send_once(&app, &event.to_string()).await;
            assert_eq!(answer.status, 200, "{what}: {}", answer.body);
            let mut made: Vec<_> = proxy
                .whole_calls()
                .into_iter()
                .map(|call| (call.operation.clone(), call.reads()))
                .collect();
            // Calls of one round come in any order.
            made.sort();
            let mut wanted: Vec<_> =
                calls.iter().map(|(name, reads)| ((*name).to_owned(), *reads)).collect();
            wanted.sort();
            assert_eq!((answer.spent().0, made), (rounds, wanted), "{what}");
        })
        .await;
    }
}

/// Counts the cost of requests: a default list is one Query of `limit` + 1 in every kind of index.
#[tokio::test]
async fn the_calls_of_each_kind_of_request() {
    let row = |what, event, rounds, calls| Row { what, event, rounds, calls };
    let ask =
        |route, path: &[(&str, &str)], query, claims| existing::event(route, path, query, claims);
    let user = json!({"sub": "u-1"});
    let me = [("userId", "me")];
    let products = |query| ask(&LIST_PRODUCTS, &[], query, serde_json::Value::Null);
    let orders = |query| ask(&LIST_USER_ORDERS, &me, query, user.clone());
    cost(
        Stack::shop(),
        shop::ROUTES,
        vec![
            row("one item", ask(&GET_USER, &me, "", user.clone()), 1, &[("getitem", 1)]),
            row("a default list", products(""), 1, &[("query", 26)]),
            row("of a category", products("category=laptops"), 1, &[("query", 26)]),
            row("two HASH attributes", orders("status=paid"), 1, &[("query", 26)]),
            row(
                "two partitions",
                orders("status=paid,shipped&limit=10"),
                1,
                &[("query", 11), ("query", 11)],
            ),
            row(
                "an expansion next to the items",
                orders("expand=customer"),
                1,
                &[("query", 26), ("getitem", 1)],
            ),
            row(
                "an expansion within",
                orders("limit=5&expand=items.product"),
                2,
                &[("query", 6), ("batchgetitem", 6)],
            ),
            row(
                "fields by key",
                products("limit=5&fields=sku"),
                2,
                &[("query", 6), ("batchgetitem", 5)],
            ),
            row(
                "a page by number",
                products("page=3&limit=10"),
                2,
                &[("query", 20), ("query", 11)],
            ),
            row("an empty range", orders("from=2024-01-02&to=2024-01-02"), 0, &[]),
        ],
    )
    .await;
    let staff = json!({"sub": "s-1", "scope": "orders:read"});
    cost(
        single_table::stack(),
        single_table::ROUTES,
        vec![
            row(
                "the table itself, a prefix",
                ask(&LIST_ORDERS, &me, "", user.clone()),
                1,
                &[("query", 26)],
            ),
            row(
                "a narrower prefix",
                ask(&LIST_ORDERS, &me, "since=o-1", user.clone()),
                1,
                &[("query", 26)],
            ),
            row(
                "the lines of an order",
                ask(&LIST_LINES, &[("orderId", "o-00")], "", staff.clone()),
                1,
                &[("query", 26)],
            ),
            row(
                "a classic index, a prefix",
                ask(&LIST_BY_STATUS, &[("status", "paid")], "", staff),
                1,
                &[("query", 11)],
            ),
            row(
                "users of one page",
                ask(&LIST_ORDERS, &me, "limit=5&expand=approvals.user", user.clone()),
                2,
                &[("query", 6), ("batchgetitem", 3)],
            ),
            row(
                "the owner next to the items",
                ask(&LIST_ORDERS, &me, "expand=customer", user.clone()),
                1,
                &[("query", 26), ("getitem", 1)],
            ),
        ],
    )
    .await;
    let nobody = serde_json::Value::Null;
    let (oslo, device, batch) = ([("site", "oslo")], [("deviceId", "d-1")], [("batch", "b-1")]);
    cost(
        classic::stack(),
        classic::ROUTES,
        vec![
            row(
                "a classic index, a time",
                ask(&OF_SITE, &oslo, "", nobody.clone()),
                1,
                &[("query", 26)],
            ),
            row(
                "a range of times",
                ask(&OF_SITE, &oslo, "from=2024-01-01&to=2024-01-02", nobody.clone()),
                1,
                &[("query", 26)],
            ),
            row("a local index", ask(&OF_DEVICE, &device, "", nobody.clone()), 1, &[("query", 26)]),
            row(
                "an index without a range",
                ask(&OF_BATCH, &batch, "", nobody.clone()),
                1,
                &[("query", 26)],
            ),
            row(
                "fields by key",
                ask(&OF_SITE, &oslo, "limit=5&fields=valid", nobody),
                2,
                &[("query", 6), ("batchgetitem", 5)],
            ),
        ],
    )
    .await;
    let member = json!({"sub": "u-1", "tenant": "t-1"});
    let tasks = [("tenantId", "me"), ("projectId", "p-01")];
    cost(
        tenant::stack(),
        tenant::ROUTES,
        vec![
            row(
                "the table itself",
                ask(&LIST_PROJECTS, &[], "", member.clone()),
                1,
                &[("query", 26)],
            ),
            row("two HASH attributes", ask(&LIST_TASKS, &tasks, "", member), 1, &[("query", 26)]),
        ],
    )
    .await;
}

/// Read units, as DynamoDB counts them.
#[tokio::test]
async fn units_are_those_of_what_is_read() {
    let stack = Stack::shop();
    // 26 summaries of about 300 bytes: 2 x 4 KB of index at half a unit each, eventually
    // consistent.
    let (_, units) = stack.products("").await.spent();
    assert!(units <= 1.5, "{units} units for a default list");
    assert_eq!(stack.user("").await.spent(), (1, 0.5));
}
