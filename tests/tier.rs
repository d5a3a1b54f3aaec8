//! The cache tier, through the handlers: what is stored, what is found, and every way in which a
//! Redis server can fail.
//!
//! `fake` is a server of this process. `real` runs the same against a real one, where `.ci/tier` has
//! started it.

pub(crate) mod fake;
mod faults;
mod real;
mod stampede;
mod walk;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use api::{App, List, Policy, Resource, Route, Shape, Table};
use serde_json::{Value, json};

use crate::{
    proxy::{Fault, Proxy},
    stack::{Answer, Stack, event, product, sent},
    undisturbed::undisturbed_by,
};
use fake::{Fake, Trouble};

/// The time that an answer of the tier may take. A busy machine can take it longer, and then the
/// tier is left alone.
const ANSWER_TIME: Duration = Duration::from_millis(20);

/// A response, and the log line of its request.
#[derive(Debug)]
struct Sent {
    answer: Answer,
    line: Value,
}

impl Sent {
    /// Asserts what became of the tier.
    fn is(&self, tier: &str) -> &Self {
        let Self { answer, line } = self;
        assert_eq!((answer.status, line["cacheTier"].as_str()), (200, Some(tier)), "{line}");
        let shown = format!(", cache;desc={tier};dur=");
        assert!(answer.header("server-timing").unwrap().contains(&shown), "{answer:?}");
        self
    }

    fn age(&self) -> Option<u64> {
        self.answer.header("age").map(|age| age.parse().unwrap())
    }

    /// Returns calls of DynamoDB as they are counted: rounds and read units.
    fn spent(&self) -> (u64, f64) {
        (self.line["rounds"].as_u64().unwrap(), self.line["readUnits"].as_f64().unwrap())
    }

    /// Returns what a caller gets, without what differs from one time to the next.
    fn seen(&self) -> (u16, Vec<(String, String)>, String) {
        let mut headers = self.answer.headers.clone();
        headers.retain(|(name, _)| name != "age" && name != "server-timing");
        headers.sort();
        (self.answer.status, headers, self.answer.body.clone())
    }
}

async fn send(app: &App, event: &Value) -> Sent {
    send_as(app, event, "r-1", Duration::from_secs(5)).await
}

async fn send_as(app: &App, event: &Value, id: &str, left: Duration) -> Sent {
    let (answer, mut line) = sent(app, &event.to_string(), id, left).await;
    line.as_object_mut().unwrap().remove("_aws");
    Sent { answer, line }
}

fn products(query: &str) -> Value {
    event("/v1/products", None, query, None, &[])
}

fn orders(query: &str) -> Value {
    event("/v1/users/{userId}/orders", Some("me"), query, Some("u-1"), &[])
}

fn user() -> Value {
    event("/v1/users/{userId}", Some("me"), "", Some("u-1"), &[])
}

/// Each kind of read that public data has.
const LISTS: [&str; 8] = [
    "",
    "limit=5",
    "limit=7&category=laptops&sort=price_asc",
    "limit=5&brand=Rare&minRating=1",
    "limit=10&page=3",
    "limit=5&fields=productId,description",
    "limit=40&fields=sku,tags,dimensions(width)",
    "category=no-such",
];

impl Stack {
    /// Gives the functions a cache tier.
    fn with_tier(mut self, url: &str) -> Self {
        self.variables.push(("CACHE_URL", url.to_owned()));
        self
    }
}

/// A shop behind a proxy that counts, with a tier.
fn shop(fake: &Fake) -> (Stack, Proxy) {
    let mut stack = Stack::shop().with_tier(&fake.url());
    let proxy = Proxy::before(&stack.local.url, &[]);
    stack.local.url.clone_from(&proxy.url);
    (stack, proxy)
}

/// Runs a test of which a delay of an answer spoils the counts.
async fn undisturbed<T>(test: impl AsyncFn() -> T) -> T {
    undisturbed_by(ANSWER_TIME, test).await
}

/// The route of the products whose answers are kept for so many seconds.
fn kept_for(seconds: u32) -> &'static Route {
    let Shape::List(list) = &shop::LIST_PRODUCTS.shape else { panic!("it is a list") };
    let table = &shop::PRODUCTS.table;
    let resource = Resource {
        table: Table { key: table.key, indexes: table.indexes },
        policy: Policy::Public {
            fresh: seconds,
            shared: seconds,
            stale_while_revalidate: 0,
            stale_if_error: 0,
        },
        ..shop::PRODUCTS
    };
    let shape = Shape::List(List {
        filters: list.filters,
        sorts: list.sorts,
        expansions: list.expansions,
        limits: list.limits,
    });
    let resource: &'static Resource = Box::leak(Box::new(resource));
    Box::leak(Box::new(Route { resource, shape, ..shop::LIST_PRODUCTS }))
}

#[tokio::test]
async fn the_second_reading_costs_nothing_and_is_the_same() {
    let fake = Fake::start();
    second_reading(&fake.url()).await;
    assert!(fake.expiries().iter().all(|left| *left <= Duration::from_secs(60)));
}

/// Reads each list in two processes over the server at `url`.
async fn second_reading(url: &str) {
    undisturbed(async || {
        for shards in [1, 4] {
            let mut stack = Stack::shop().with_tier(url);
            stack.shards = shards;
            let proxy = Proxy::before(&stack.local.url, &[]);
            stack.local.url.clone_from(&proxy.url);
            for query in LISTS {
                let processes = [stack.app(&shop::LIST_PRODUCTS), stack.app(&shop::LIST_PRODUCTS)];
                let first = send(&processes[0], &products(query)).await;
                assert!(first.is("miss").spent().1 > 0.0, "{query}");
                assert_eq!(first.age(), None, "{query}");
                let calls = proxy.calls();
                let second = send(&processes[1], &products(query)).await;
                assert_eq!(second.is("hit").spent(), (0, 0.0), "{query}");
                assert_eq!(proxy.calls(), [""; 0], "{query}: DynamoDB was called");
                assert_eq!(second.seen(), first.seen(), "{query}");
                assert!(second.answer.header("etag").is_some());
                assert!(second.age().is_some_and(|age| age <= 1), "{query}: {second:?}");
                assert_eq!(second.line["cacheHits"], calls.len(), "{query}: {calls:?}");
            }
        }
    })
    .await;
}

/// A request for more fields finds the positions that another one stored, and reads the items.
#[tokio::test]
async fn a_page_of_which_a_part_is_stored_is_a_miss() {
    undisturbed(async || {
        let fake = Fake::start();
        let (stack, proxy) = shop(&fake);
        let app = stack.app(&shop::LIST_PRODUCTS);
        let one = "limit=5&fields=productId,description";
        let other = "limit=5&fields=productId,description,sku";
        send(&app, &products(one)).await.is("miss");
        proxy.calls();
        // The Query for positions is the same, the fetch is not.
        let sent = send(&app, &products(other)).await;
        sent.is("miss");
        assert_eq!((&sent.line["cacheHits"], &sent.line["cacheMisses"]), (&json!(1), &json!(1)));
        assert_eq!(proxy.calls(), ["batchgetitem"]);
        send(&app, &products(other)).await.is("hit");
    })
    .await;
}

#[tokio::test]
async fn a_reply_carries_the_age_of_its_oldest_answer() {
    undisturbed(async || {
        let fake = Fake::start();
        let (stack, _proxy) = shop(&fake);
        let app = stack.app(&shop::LIST_PRODUCTS);
        let query = "limit=5&fields=productId,description";
        // The Query is older than the fetch.
        send(&app, &products("limit=5&fields=productId,sku")).await.is("miss");
        fake.age(Duration::from_secs(20));
        send(&app, &products(query)).await.is("miss");
        fake.age(Duration::from_secs(10));
        let sent = send(&app, &products(query)).await;
        assert!(matches!(sent.is("hit").age(), Some(30 | 31)), "{sent:?}");
        assert_eq!(sent.answer.header("cache-control"), stack_policy().as_deref());
        let tag = sent.answer.header("etag").unwrap();
        let known = event("/v1/products", None, query, None, &[("if-none-match", tag)]);
        let sent = send(&app, &known).await;
        assert_eq!(sent.answer.status, 304);
        assert!(matches!(sent.age(), Some(30 | 31)), "{sent:?}");
        let mut head = products(query);
        head["requestContext"]["http"]["method"] = json!("HEAD");
        let sent = send(&app, &head).await;
        assert!(matches!(sent.is("hit").age(), Some(30 | 31)), "{sent:?}");
        // What is wrong with a request has no age.
        let sent = send(&app, &products("limit=0")).await;
        assert_eq!((sent.answer.status, sent.age()), (400, None));
        assert_eq!(sent.line["cacheTier"], "off");
        // Of the last half second of the minute, the age is not more than the minute.
        fake.age(Duration::from_millis(9_500));
        let sent = send(&app, &products("limit=5&fields=productId,sku")).await;
        if sent.line["cacheTier"] == "hit" {
            assert!(sent.age().unwrap() <= 60);
        }
        fake.age(Duration::from_secs(60));
        let sent = send(&app, &products(query)).await;
        assert_eq!(sent.is("miss").age(), None);
    })
    .await;
}

fn stack_policy() -> Option<String> {
    Some(shop::PRODUCTS.policy.header_value().to_str().unwrap().to_owned())
}

/// The parameters of a request have an order and the question does not.
#[tokio::test]
async fn the_same_question_in_another_order_is_the_same_key() {
    undisturbed(async || {
        let fake = Fake::start();
        let (stack, _proxy) = shop(&fake);
        let app = stack.app(&shop::LIST_PRODUCTS);
        let one = "limit=5&minRating=1&inStock=true&category=laptops&fields=productId,name";
        let other = "fields=name,productId&category=laptops&inStock=true&minRating=1&limit=5";
        send(&app, &products(one)).await.is("miss");
        let stored = fake.content().len();
        send(&app, &products(other)).await.is("hit");
        assert_eq!(fake.content().len(), stored);
        for different in ["limit=6", "limit=5&sort=price_asc", "limit=5&minRating=2"] {
            send(&app, &products(different)).await.is("miss");
        }
    })
    .await;
}

/// Two tables of the same name and content are not the same table.
#[tokio::test]
async fn two_bundles_on_one_server_do_not_meet() {
    undisturbed(async || {
        let fake = Fake::start();
        let (one, _proxy) = shop(&fake);
        let (other, _other_proxy) = shop(&fake);
        other.put("products", (60..90).map(product));
        for query in LISTS {
            let first = send(&one.app(&shop::LIST_PRODUCTS), &products(query)).await;
            first.is("miss");
            send(&other.app(&shop::LIST_PRODUCTS), &products(query)).await.is("miss");
            // Neither has replaced the other's answer.
            let again = send(&one.app(&shop::LIST_PRODUCTS), &products(query)).await;
            assert_eq!(again.is("hit").seen(), first.seen(), "{query}");
        }
        // The same endpoint, and another region.
        let abroad = one.client_in("eu-west-3", &one.local.url);
        let app = one.app_over(&shop::LIST_PRODUCTS, abroad);
        send(&app, &products("")).await.is("miss");
        let same = one.client_in("eu-central-1", &one.local.url);
        let app = one.app_over(&shop::LIST_PRODUCTS, same);
        send(&app, &products("")).await.is("hit");
    })
    .await;
}

/// Whatever a caller sends, the keys are hashes, and what is stored for one question does not
/// answer another.
#[tokio::test]
async fn a_caller_cannot_choose_a_key() {
    undisturbed(async || {
        let fake = Fake::start();
        let (stack, _proxy) = shop(&fake);
        let app = stack.app(&shop::LIST_PRODUCTS);
        let (mut names, mut asked) = (BTreeSet::new(), 0);
        for value in [
            "lr1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "x%0D%0ASET%20a%20b",
            "%22%7D%2C%7B%22",
            "a%22%2C%22limit%22%3A1",
            "%F0%9F%98%80",
            "*1",
        ] {
            for query in [format!("category={value}"), format!("category={value}&brand={value}")] {
                let sent = send(&app, &products(&query)).await;
                // Some of them are refused before anything is read.
                asked += usize::from(sent.line["cacheTier"] == "miss");
            }
            names = fake.content().into_iter().map(|(name, _)| name).collect();
        }
        assert!(asked >= 8 && names.len() == asked, "{asked} {names:?}");
        for name in names {
            let hash = name.strip_prefix("lr1:").unwrap();
            let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            assert!(hash.len() == 43 && hash.bytes().all(is_base64url), "{name}");
        }
    })
    .await;
}

/// Users and orders: no key, no byte. Public products in an order's lines may be stored.
#[tokio::test]
async fn nothing_private_is_stored_or_looked_for() {
    undisturbed(async || {
        let fake = Fake::start();
        let (stack, _proxy) = shop(&fake);
        let app = stack.app(&shop::GET_USER);
        let sent = send(&app, &user()).await;
        // The function reads nothing public, so it has no tier.
        assert_eq!((sent.answer.status, &sent.line["cacheTier"]), (200, &Value::Null));
        let app = stack.app(&shop::LIST_USER_ORDERS);
        for query in ["", "limit=5&expand=customer", "status=paid,shipped", "limit=5&page=2"] {
            let sent = send(&app, &orders(query)).await;
            assert_eq!(sent.is("off").age(), None, "{query}");
        }
        assert_eq!((fake.connections(), fake.commands().len(), fake.content().len()), (0, 0, 0));
        let query = "limit=5&expand=customer,items.product";
        let first = send(&app, &orders(query)).await;
        first.is("miss");
        let second = send(&app, &orders(query)).await;
        // A private reply has no age: no shared cache keeps it.
        assert_eq!(second.is("hit").age(), None);
        assert_eq!(second.seen(), first.seen());
        assert_eq!(second.spent().0, 1, "the orders are read each time");
        let content = fake.content();
        assert_eq!(content.len(), 1, "the products");
        let text = String::from_utf8_lossy(&content[0].1).into_owned();
        assert!(text.contains("productId"), "{text}");
        for private in ["u-1", "userId", "orderId", "o-00", "sentinel", "email"] {
            assert!(
                !text.contains(private) && !content[0].0.contains(private),
                "{private}: {text}"
            );
        }
    })
    .await;
}

/// An answer that is no answer is never stored.
#[tokio::test]
async fn only_whole_answers_are_stored() {
    undisturbed(async || {
        let fake = Fake::start();
        let (stack, proxy) = shop(&fake);
        let app = stack.app(&shop::LIST_PRODUCTS);
        for fault in [
            Fault::Reply(200, "{}"),
            Fault::Reply(200, "<html>maintenance</html>"),
            Fault::Reply(200, r#"{"Items":[],"ScannedCount":99}"#),
            Fault::Reply(400, r#"{"__type":"AccessDeniedException"}"#),
        ] {
            proxy.only(&[fault]);
            let sent = send(&app, &products("")).await;
            assert!(matches!(sent.answer.status, 500 | 502), "{sent:?}");
            assert_eq!((fake.content().len(), sent.age()), (0, None));
        }
        // Of forty keys half come back unprocessed, and are then read.
        let query = "limit=40&fields=productId,description";
        proxy.only(&[Fault::Pass, Fault::Unprocess]);
        let first = send(&app, &products(query)).await;
        first.is("miss");
        assert_eq!(first.answer.ids("productId").len(), 40);
        assert!(proxy.calls().contains(&"batchgetitem".to_owned()));
        assert_eq!(fake.content().len(), 1, "the Query alone");
        let second = send(&app, &products(query)).await;
        assert_eq!(second.is("miss").answer.body, first.answer.body);
        send(&app, &products(query)).await.is("hit");
    })
    .await;
}

#[tokio::test]
async fn a_large_answer_is_not_stored() {
    undisturbed(async || {
        let fake = Fake::start();
        let (stack, _proxy) = shop(&fake);
        let large = |number| {
            let mut product = product(number);
            product["description"] = "x".repeat(60_000).into();
            product
        };
        stack.put("products", (0..60).map(large));
        let app = stack.app(&shop::LIST_PRODUCTS);
        for (limit, expected) in [(2, "hit"), (6, "miss")] {
            let query = format!("limit={limit}&fields=productId,description");
            send(&app, &products(&query)).await.is("miss");
            send(&app, &products(&query)).await.is(expected);
        }
        assert!(fake.content().iter().all(|(_, value)| value.len() < 262_144 + 64));
    })
    .await;
}

/// The lifetime is that of the policy, and an answer that is used is never older.
#[tokio::test]
async fn a_write_is_seen_after_the_lifetime_at_most() {
    undisturbed(async || {
        let fake = Fake::start();
        let (stack, _proxy) = shop(&fake);
        let route = kept_for(1);
        let app = stack.app(route);
        let before = send(&app, &products("limit=1")).await;
        before.is("miss");
        let written = Instant::now();
        stack.put("products", std::iter::once(renamed(&before)));
        loop {
            let asked = written.elapsed();
            let sent = send(&app, &products("limit=1")).await;
            if sent.answer.body.contains("renamed") {
                break;
            }
            assert!(asked < Duration::from_secs(1), "seen {asked:?} after the write");
            assert!(sent.age().is_some_and(|age| age <= 1), "{sent:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// Returns the first product of a page with another name.
fn renamed(page: &Sent) -> Value {
    let number = page.answer.ids("productId")[0].strip_prefix("p-").unwrap().parse().unwrap();
    let mut product = product(number);
    product["name"] = "renamed".into();
    product
}

#[test]
fn a_function_that_reads_nothing_public_ignores_the_address() {
    let stack = Stack::shop().with_tier("nonsense");
    assert!(stack.config(&shop::GET_USER).cache.is_none());
    let stack = Stack::shop().with_tier("");
    assert!(stack.config(&shop::LIST_PRODUCTS).cache.is_none());
    let stack = Stack::shop().with_tier("redis://:secret@127.0.0.1:6379/2");
    let config = stack.config(&shop::LIST_PRODUCTS);
    assert!(config.cache.is_some());
    assert!(!format!("{config:?}").contains("secret"));
}

#[tokio::test]
async fn without_an_address_nothing_of_it_is_there() {
    let stack = Stack::shop();
    let app = stack.app(&shop::LIST_PRODUCTS);
    for _ in 0..2 {
        let sent = send(&app, &products("")).await;
        assert!(!sent.line.to_string().contains("cacheTier"), "{}", sent.line);
        assert!(!sent.line.to_string().contains("cacheHits"), "{}", sent.line);
        assert!(!sent.answer.header("server-timing").unwrap().contains("cache"));
        assert_eq!(sent.age(), None);
    }
}

/// The login and the database of the address are used.
#[tokio::test]
async fn the_connection_logs_in_and_chooses_its_database() {
    undisturbed(async || {
        let fake = Fake::start();
        let url = fake.url().replace("redis://", "redis://user:p%40ss@") + "/3";
        let stack = Stack::shop().with_tier(&url);
        let app = stack.app(&shop::LIST_PRODUCTS);
        send(&app, &products("")).await.is("miss");
        assert_eq!(fake.commands(), ["AUTH", "SELECT", "GETRANGE", "PTTL", "SET"]);
        fake.be(Trouble::SayTo("AUTH", b"-WRONGPASS invalid username-password pair\r\n"));
        fake.close_all();
        send(&app, &products("")).await.is("open");
        assert_eq!(fake.commands(), ["AUTH", "SELECT"]);
    })
    .await;
}
