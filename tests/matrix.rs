//! Tests every fault against every kind of read, and whole walks under random faults.
//!
//! A cell is one fault of one operation of one request: the status, the problem, the number of
//! attempts, the headers and the time are asserted. `HISTORIES` sets the number of walks:
//! `HISTORIES=10000 cargo test --workspace --test bundle -- --nocapture matrix::walks` is the long
//! run: a quarter of an hour, most of which passes in waiting.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use api::App;
use serde_json::{Value, json};
use shop::random::Random;

use crate::{
    proxy::{Fault, Proxy, THROTTLED},
    stack::{Answer, Stack, event, send_once, send_to, sent},
    undisturbed::{ATTEMPT, PATIENCE, REQUEST, note, slow, undisturbed, undisturbed_by},
};

/// A kind of read: a request, and the operation of it that a fault is put on.
#[derive(Debug, Clone, Copy)]
struct Target {
    name: &'static str,
    query: &'static str,
    operation: &'static str,
}

const TARGETS: [Target; 8] = [
    Target { name: "products", query: "limit=5", operation: "query" },
    Target { name: "products", query: "limit=5&category=laptops&minRating=1", operation: "query" },
    Target { name: "products", query: "limit=5&fields=productId,description", operation: "query" },
    Target {
        name: "products",
        query: "limit=5&fields=productId,description",
        operation: "batchgetitem",
    },
    Target { name: "products", query: "limit=5&page=3", operation: "query" },
    Target { name: "user", query: "", operation: "getitem" },
    Target { name: "orders", query: "limit=5&expand=customer", operation: "getitem" },
    Target { name: "orders", query: "limit=5&expand=items.product", operation: "batchgetitem" },
];

impl Target {
    fn app_and_event(&self, stack: &Stack) -> (App, Value) {
        match self.name {
            "products" => (
                stack.app(&shop::LIST_PRODUCTS),
                event("/v1/products", None, self.query, None, &[]),
            ),
            "user" => (
                stack.app(&shop::GET_USER),
                event("/v1/users/{userId}", Some("u-1"), self.query, Some("u-1"), &[]),
            ),
            _ => (
                stack.app(&shop::LIST_USER_ORDERS),
                event("/v1/users/{userId}/orders", Some("u-1"), self.query, Some("u-1"), &[]),
            ),
        }
    }
}

/// The answer that a fault must lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// 200, with the same body as without the fault.
    Right,
    /// 500: DynamoDB refuses the request, and a repeat would not help.
    Internal,
    /// 502
    BadGateway,
    /// 503
    Unavailable,
}

/// Objects without any member that an answer must have.
const NOTHING: [&[u8]; 2] =
    [b"{}", b"{\"ConsumedCapacity\":{\"TableName\":\"t\",\"CapacityUnits\":0.5}}"];

/// The attempts of a call that fails each time.
const ATTEMPTS: usize = 4;

/// Returns the faults: a name, the fault, how often it comes, the outcome, and the number of
/// attempts.
fn faults() -> Vec<(String, Fault, u32, Outcome, usize)> {
    const OFTEN: u32 = 100;
    let mut all = Vec::new();
    let text = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };

    // A success that is none: one attempt.
    let nonsense: [&'static [u8]; 25] = [
        NOTHING[0],
        NOTHING[1],
        b"{\"__type\":\"com.amazonaws.dynamodb.v20120810#InternalServerError\"}",
        b"",
        b" ",
        b"null",
        b"true",
        b"7",
        b"\"Items\"",
        b"[]",
        b"[{}]",
        b"{",
        b"{\"Items\":[",
        b"{}{}",
        b"{}garbage",
        b"{}\0",
        b"<html>maintenance</html>",
        b"{\"Items\":null,\"Responses\":null,\"Item\":null,\"Count\":1,\"ScannedCount\":0}",
        b"{\"Items\":{},\"Responses\":[],\"Item\":[],\"Count\":1,\"ScannedCount\":0}",
        b"{\"Items\":7,\"Responses\":7,\"Item\":7,\"Count\":1,\"ScannedCount\":0}",
        b"{\"Items\":[[]],\"Responses\":{\"t\":[[]]},\"Item\":{\"a\":[]},\"Count\":-1,\"ScannedCount\":0}",
        b"{\"Items\":[{}],\"Responses\":{\"t\":[{}]},\"Item\":{},\"Count\":1,\"ScannedCount\":0}",
        b"{\"Items\":[\xff],\"Responses\":{\"t\":[\xff]},\"Item\":{\"a\":{\"S\":\"\xff\"}},\"Count\":0,\"ScannedCount\":1.5}",
        b"{\"Items\":[],\"Responses\":{},\"Item\":{\"a\":{\"N\":\"x\"}},\"Count\":0,\"ScannedCount\":\"0\",\"UnprocessedKeys\":7}",
        b"\xef\xbb\xbf{}",
    ];
    for body in nonsense {
        all.push((
            format!("200 {}", String::from_utf8_lossy(body)),
            Fault::Answer(200, "", body),
            OFTEN,
            Outcome::BadGateway,
            1,
        ));
    }
    let empty: &'static [u8] = b"{\"Items\":[],\"Responses\":{},\"Count\":0,\"ScannedCount\":0}";
    for status in [201, 202, 203, 206, 300, 301, 302, 303, 307, 308] {
        all.push((
            status.to_string(),
            Fault::Answer(status, "location: http://127.0.0.1:1/\r\n", empty),
            OFTEN,
            Outcome::BadGateway,
            1,
        ));
    }
    all.push((
        "101".to_owned(),
        Fault::Answer(101, "connection: upgrade\r\nupgrade: x\r\n", b""),
        OFTEN,
        Outcome::BadGateway,
        1,
    ));
    all.push(("204".to_owned(), Fault::Answer(204, "", b""), OFTEN, Outcome::BadGateway, 1));
    all.push(("304".to_owned(), Fault::Answer(304, "", b""), OFTEN, Outcome::BadGateway, 1));

    // Refusals: one attempt.
    for status in [400, 401, 402, 403, 404, 405, 406, 409, 410, 412, 413, 415, 418, 422, 451] {
        for body in [&b""[..], b"<html>secret</html>", b"{\"message\":\"secret\"}"] {
            let what = format!("{status} {}", String::from_utf8_lossy(body));
            all.push((what, Fault::Answer(status, "", body), OFTEN, Outcome::Internal, 1));
        }
    }
    let named = |code: &str| {
        text(format!(
            r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"secret"}}"#
        ))
    };
    for code in [
        "AccessDeniedException",
        "ConditionalCheckFailedException",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "ResourceNotFoundException",
        "SerializationException",
        "UnknownOperationException",
        "UnrecognizedClientException",
        "ValidationException",
        "",
    ] {
        let body = named(code);
        all.push((
            format!("400 {code}"),
            Fault::Answer(400, "", body.as_bytes()),
            OFTEN,
            Outcome::Internal,
            1,
        ));
    }

    // Throttling and failures of DynamoDB or a proxy: repeated.
    let mut overload = Vec::new();
    for code in [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "Throttling",
    ] {
        let body = named(code);
        overload.push((format!("400 {code}"), Fault::Answer(400, "", body.as_bytes())));
        let header = text(format!("x-amzn-errortype: {code}:http://example.org/\r\n"));
        for body in [&b""[..], b"{}", b"secret"] {
            overload.push((
                format!("400 {header:?} {}", String::from_utf8_lossy(body)),
                Fault::Answer(400, header, body),
            ));
        }
    }
    for body in [&b""[..], b"slow down, secret", b"{}", b"{\"__type\":\"secret\"}"] {
        overload
            .push((format!("429 {}", String::from_utf8_lossy(body)), Fault::Answer(429, "", body)));
    }
    for status in [500, 501, 502, 503, 504, 505, 507, 511, 520, 599] {
        for body in [&b""[..], b"{\"__type\":\"InternalServerError\",\"message\":\"secret\"}"] {
            overload.push((
                format!("{status} {}", String::from_utf8_lossy(body)),
                Fault::Answer(status, "", body),
            ));
        }
    }
    overload.push(("reset".to_owned(), Fault::Reset));
    overload.push(("truncated".to_owned(), Fault::Truncate));
    for (name, fault) in overload {
        all.push((format!("once {name}"), fault.clone(), 1, Outcome::Right, 2));
        all.push((name, fault, OFTEN, Outcome::Unavailable, ATTEMPTS));
    }
    // A changed byte is no page, and after the last attempt it is nonsense.
    all.push(("once corrupt".to_owned(), Fault::Corrupt, 1, Outcome::Right, 2));
    all.push(("corrupt".to_owned(), Fault::Corrupt, OFTEN, Outcome::BadGateway, ATTEMPTS));
    for sum in ["1", "0", "-1", "x", ""] {
        let header = text(format!("x-amz-crc32: {sum}\r\n"));
        all.push((
            format!("crc {sum}"),
            Fault::Answer(200, header, b"{}"),
            OFTEN,
            Outcome::BadGateway,
            ATTEMPTS,
        ));
    }
    all.push(("closed".to_owned(), Fault::Close, OFTEN, Outcome::Right, 1));
    all.push(("slow".to_owned(), Fault::Slow(Duration::from_millis(30)), OFTEN, Outcome::Right, 1));
    all
}

fn check(what: &str, answer: &Answer, outcome: Outcome, expected: &str) {
    let (status, problem) = match outcome {
        Outcome::Right => {
            assert_eq!((answer.status, answer.body.as_str()), (200, expected), "{what}");
            return;
        }
        Outcome::Internal => (500, "internal"),
        Outcome::BadGateway => (502, "bad-gateway"),
        Outcome::Unavailable => (503, "unavailable"),
    };
    assert_eq!(answer.status, status, "{what}: {}", answer.body);
    is_problem(what, answer, &format!("/problems/{problem}"));
    assert_eq!(answer.header("retry-after").is_some(), status == 503, "{what}");
}

/// A problem is small, is cached by nobody, and says nothing of the inside.
fn is_problem(what: &str, answer: &Answer, kind: &str) {
    assert_eq!(answer.json()["type"], kind, "{what}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}");
    for name in ["etag", "last-modified", "link"] {
        assert_eq!(answer.header(name), None, "{what}: {name}");
    }
    assert!(
        !answer.body.contains("secret") && answer.body.len() < 1_000,
        "{what}: {}",
        answer.body
    );
}

#[test]
fn every_fault_of_every_read_has_its_answer() {
    let faults = faults();
    assert!(faults.len() >= 60);
    let cells = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for target in TARGETS {
            let (faults, cells) = (&faults, &cells);
            scope.spawn(move || {
                let mut stack = Stack::shop();
                let proxy = stack.behind(&[]);
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    for fault in faults {
                        // To a GetItem it says that there is no such item.
                        let says_nothing =
                            matches!(fault.1, Fault::Answer(200, "", body) if NOTHING.contains(&body));
                        if target.operation == "getitem" && says_nothing {
                            continue;
                        }
                        undisturbed(async || cell(target, fault, &stack, &proxy).await).await;
                        cells.fetch_add(1, Ordering::Relaxed);
                    }
                });
            });
        }
    });
    println!("{} faults, {} reads: {} cells", faults.len(), TARGETS.len(), cells.into_inner());
}

/// Sends a request without the fault, then with it.
async fn cell(
    target: Target,
    (name, fault, times, outcome, attempts): &(String, Fault, u32, Outcome, usize),
    stack: &Stack,
    proxy: &Proxy,
) {
    let what = format!("{target:?}, {name}");
    // An app of its own, so that the budget for retries is not that of the cell before.
    let (app, event) = target.app_and_event(stack);
    let calls =
        || proxy.calls().into_iter().filter(|operation| operation == target.operation).count();
    proxy.only(&[]);
    calls();
    let whole = send_once(&app, &event.to_string()).await;
    assert_eq!(whole.status, 200, "{what}: {}", whole.body);
    let usual = calls();
    proxy.always(target.operation, fault.clone(), *times);
    let began = Instant::now();
    let answer = send_once(&app, &event.to_string()).await;
    assert!(began.elapsed() < REQUEST + ATTEMPT, "{what}: {:?}", began.elapsed());
    check(&what, &answer, *outcome, &whole.body);
    let more = if *outcome == Outcome::Right { usual - 1 } else { 0 };
    assert_eq!(calls(), attempts + more, "{what}: attempts");
}

/// A server that hangs costs the request's time, and no more.
#[test]
fn a_server_that_hangs_is_a_timeout_in_every_read() {
    std::thread::scope(|scope| {
        for target in TARGETS {
            scope.spawn(move || {
                let mut stack = Stack::shop();
                let proxy = stack.behind(&[]);
                let (app, event) = target.app_and_event(&stack);
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(undisturbed(async || {
                    proxy.always(target.operation, Fault::Hang, 100);
                    let began = Instant::now();
                    slow(REQUEST);
                    let answer = send_once(&app, &event.to_string()).await;
                    assert_eq!(answer.status, 504, "{target:?}: {}", answer.body);
                    is_problem(&format!("{target:?}"), &answer, "/problems/timeout");
                    assert!(began.elapsed() < REQUEST + ATTEMPT, "{:?}", began.elapsed());
                }));
            });
        }
    });
}

/// Answers that are well formed, and that DynamoDB cannot give to the request.
#[tokio::test]
async fn an_answer_to_another_request_is_no_page() {
    let mut stack = Stack::shop();
    let proxy = stack.behind(&[]);
    type Change = fn(&mut Value);
    let list = "limit=5&category=laptops";
    let cases: [(&str, &str, Change); 14] = [
        (list, "query", |json| json["LastEvaluatedKey"]["category"] = json!({"S": "beauty"})),
        (list, "query", |json| json["LastEvaluatedKey"]["createdAt"] = json!({"S": "9999"})),
        (list, "query", |json| json["LastEvaluatedKey"] = json!({})),
        (list, "query", |json| json["Items"].as_array_mut().unwrap().reverse()),
        (list, "query", |json| {
            let first = json["Items"][0].clone();
            json["Items"][1] = first;
        }),
        (list, "query", |json| json["Count"] = json!(99)),
        (list, "query", |json| json["ScannedCount"] = json!(1)),
        (list, "query", |json| json["ScannedCount"] = json!(7)),
        (list, "query", |json| drop(json["Items"][0].as_object_mut().unwrap().remove("productId"))),
        ("limit=5&category=laptops&page=2", "query", |json| {
            json["LastEvaluatedKey"]["category"] = json!({"S": "beauty"})
        }),
        ("limit=5&category=laptops&page=2", "query", |json| json["Count"] = json!(99)),
        ("limit=5&fields=description", "batchgetitem", |json| {
            json["Responses"]["products"][0]["productId"] = json!({"S": "p-other"})
        }),
        ("limit=5&fields=description", "batchgetitem", |json| {
            drop(json["Responses"]["products"][0].as_object_mut().unwrap().remove("productId"));
        }),
        ("limit=5&fields=description", "batchgetitem", |json| {
            json["UnprocessedKeys"] =
                json!({"products": {"Keys": [{"productId": {"S": "p-other"}}]}});
        }),
    ];
    for (number, (query, operation, change)) in cases.into_iter().enumerate() {
        undisturbed(async || {
            proxy.only(&[]);
            assert_eq!(stack.products(query).await.status, 200);
            proxy.always(operation, Fault::Change(change), 1);
            let answer = stack.products(query).await;
            check(&format!("case {number}: {query}"), &answer, Outcome::BadGateway, "");
        })
        .await;
    }
    // Another user's record, and one without its key.
    let changes: [Change; 2] = [
        |json| json["Item"]["userId"] = json!({"S": "u-2"}),
        |json| drop(json["Item"].as_object_mut().unwrap().remove("userId")),
    ];
    for change in changes {
        undisturbed(async || {
            for query in ["", "fields=name"] {
                proxy.always("getitem", Fault::Change(change), 1);
                check("another user", &stack.user(query).await, Outcome::BadGateway, "");
            }
            proxy.always("getitem", Fault::Change(change), 1);
            let answer = stack.orders("limit=5&expand=customer").await;
            check("another customer", &answer, Outcome::BadGateway, "");
        })
        .await;
    }
}

/// A time well within an attempt's.
const CALL: Duration = Duration::from_millis(640);

/// Calls of 640 ms, each well within an attempt's time. A list that needs another call after its
/// rounds gives short pages that move on.
#[tokio::test]
async fn a_slow_database_gives_short_pages_that_move_on_and_are_not_kept() {
    let mut stack = Stack::shop();
    let sparse = |number: u32| {
        let mut product = crate::stack::product(number);
        product["productId"] = json!(format!("q-{number:04}"));
        product["category"] = json!("sparse");
        product["price"] = json!(number);
        product["rating"] = json!(if number.is_power_of_two() { 4 } else { 0 });
        product
    };
    stack.put("products", (0..1_500).map(sparse));
    let proxy = stack.behind(&[]);
    proxy.always("", Fault::Slow(CALL), 1_000);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..3 {
        let query = format!(
            "category=sparse&sort=price_asc&limit=15&minRating=1&fields=price,description{cursor}"
        );
        let page = undisturbed(async || {
            proxy.calls();
            let began = Instant::now();
            // Two rounds and a fetch. Without time held back, no run is in time.
            slow(3 * CALL);
            let page = stack.products(&query).await;
            assert_eq!(page.status, 200, "{}", page.body);
            assert!(began.elapsed() < REQUEST + ATTEMPT, "{:?}", began.elapsed());
            assert!((2..=4).contains(&proxy.calls().len()), "at most three rounds and a fetch");
            page
        })
        .await;
        seen.extend(page.column("price"));
        let Some(next) = page.next() else { break };
        assert_eq!(
            page.header("cache-control"),
            Some("no-store"),
            "another time the page would be longer"
        );
        assert_ne!(format!("&cursor={next}"), cursor, "the page moves on");
        cursor = format!("&cursor={next}");
    }
    let expected: Vec<_> = (0..1_500_u32).filter(|number| number.is_power_of_two()).collect();
    assert!(!cursor.is_empty() && seen.len() > 4 && seen == expected[..seen.len()], "{seen:?}");
}

/// What follows the Queries of a page has its time too: the fetch of related items, and each of its
/// rounds. Where the time is not enough for all of them, the page is short and moves on.
#[tokio::test]
async fn a_slow_database_leaves_time_for_related_items() {
    let mut stack = Stack::empty();
    stack.put("products", (0..30).map(crate::stack::product));
    // The orders that are paid name 20 products, those that are shipped 30.
    let placed = |number: u32, status: &str, products: u32| {
        let mut order = crate::stack::order(number, "u-1");
        order["status"] = json!(status);
        order["placedAt"] = json!(format!("2024-01-01T00:{number:02}:00.000Z"));
        order["items"] = json!([{"productId": format!("p-{}", number % products)}]);
        order
    };
    stack.put("orders", (0..60).map(|number| placed(number, "paid", 20)));
    stack.put("orders", (60..90).map(|number| placed(number, "shipped", 30)));
    let proxy = stack.behind(&[]);
    // The first page needs two rounds of Queries and a fetch; the second one a Query and, since no
    // size is known, a fetch of 25 products and one of five. There is time for two of the three.
    let left = Duration::from_millis(250) + 2 * CALL + CALL / 2;
    const LATE: Duration = Duration::from_millis(300);
    for (query, whole) in [
        ("status=paid,shipped&limit=40&sort=oldest&expand=items.product", 40),
        ("status=shipped&limit=30&sort=oldest&expand=items.product", 30),
    ] {
        let event = event("/v1/users/{userId}/orders", Some("u-1"), query, Some("u-1"), &[]);
        undisturbed_by(LATE, async || {
            proxy.only(&[]);
            let expected = stack.orders(query).await.ids("orderId");
            assert_eq!(expected.len(), whole);
            let app = stack.app(&shop::LIST_USER_ORDERS);
            proxy.always("", Fault::Slow(CALL), 1_000);
            slow(2 * CALL);
            let (page, _) = sent(&app, &event.to_string(), "r-1", left).await;
            assert_eq!(page.status, 200, "{query}: {}", page.body);
            assert_eq!(page.header("cache-control"), Some("no-store"), "{query}");
            let ids = page.ids("orderId");
            assert!(!ids.is_empty() && ids.len() < whole, "{query}: {ids:?}");
            assert_eq!(ids, expected[..ids.len()], "{query}");
            for order in page.json()["items"].as_array().unwrap() {
                assert!(order["items"][0]["product"].is_object(), "{query}: {order}");
            }
            // The parts of the page, for an interface that writes an answer of its own.
            let policy = std::sync::Mutex::new(None);
            let parts = async |app: &App, request: &api::Request| {
                let api::AppShape::List(list) = app.shape() else { panic!("it is a list") };
                let plan = api::ListRequest::parse(list, request)?.plan()?;
                let listed = plan.run().await?.listed()?;
                *policy.lock().unwrap() = Some((listed.policy, listed.items.len()));
                Err(api::ProblemKind::NotFound.into())
            };
            let app = stack.app(&shop::LIST_USER_ORDERS);
            slow(2 * CALL);
            let began = Instant::now();
            app.respond(&event.to_string(), "r-1", left, &parts).await;
            note(began.elapsed());
            assert_eq!(
                policy.into_inner().unwrap(),
                Some((api::Policy::NoStore, ids.len())),
                "{query}"
            );
            proxy.only(&[]);
            let next = page.next().unwrap();
            let rest = stack.orders(&format!("{query}&cursor={next}")).await.ids("orderId");
            assert_eq!(rest[..whole - ids.len()], expected[ids.len()..], "{query}");
        })
        .await;
    }
}

/// A walk in which any call can fail in any way, by a caller that repeats a failed page. Every item
/// comes once and in order.
#[test]
fn walks_under_random_faults_are_exact() {
    let histories: u64 =
        std::env::var("HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(40);
    let first: u64 = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let stack = Stack::shop();
    let totals = [const { AtomicUsize::new(0) }; 3];
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed) as u64;
                    if number >= histories {
                        break;
                    }
                    let counted = runtime.block_on(history(&stack, first + number));
                    for (total, count) in totals.iter().zip(counted) {
                        total.fetch_add(count, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let [pages, faults, failures] = totals.map(AtomicUsize::into_inner);
    println!(
        "{histories} walks: {pages} pages, {faults} faults, {failures} failed answers: every item exactly once, in order"
    );
}

/// Returns the number of pages, of faults, and of answers that failed.
async fn history(stack: &Stack, seed: u64) -> [usize; 3] {
    let mut random = Random(seed);
    let queries = [
        "sort=price_asc",
        "sort=newest&minRating=2",
        "category=beauty&fields=productId,description",
        "sort=oldest&fields=productId,sku&inStock=true",
    ];
    let query = *random.pick(&queries);
    let proxy = Proxy::before(&stack.local.url, &[]);
    let app = stack.app_over(&shop::LIST_PRODUCTS, stack.client_of(&proxy.url));
    let page = async |query: &str| {
        send_once(&app, &event("/v1/products", None, query, None, &[]).to_string()).await
    };
    let expected = loop {
        let whole = page(&format!("{query}&limit=100")).await;
        // On a busy machine the time may have cut it.
        if whole.status == 200 && whole.next().is_none() {
            break whole.ids("productId");
        }
    };
    let one_in = 1 + random.below(6);
    let [mut pages, mut faults, mut failures] = [0; 3];
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let limit = 5 + random.below(25);
        let answer = loop {
            let script: Vec<_> = (0..6)
                .map(|_| if random.chance(one_in) { fault(&mut random) } else { Fault::Pass })
                .collect();
            faults += script.iter().filter(|fault| !matches!(fault, Fault::Pass)).count();
            proxy.only(&script);
            let answer = page(&format!("{query}&limit={limit}{cursor}")).await;
            if answer.status == 200 {
                break answer;
            }
            failures += 1;
            assert!(
                [502, 503, 504].contains(&answer.status),
                "SEED={seed}: {} {}",
                answer.status,
                answer.body
            );
            assert_eq!(answer.header("cache-control"), Some("no-store"), "SEED={seed}");
            assert!(failures < 10_000, "SEED={seed}: never answered");
        };
        pages += 1;
        seen.extend(answer.ids("productId"));
        match answer.next() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, expected, "SEED={seed}");
    [pages, faults, failures]
}

/// Faults that take no second.
fn fault(random: &mut Random) -> Fault {
    let faults = [
        THROTTLED,
        Fault::Reset,
        Fault::Truncate,
        Fault::Close,
        Fault::Corrupt,
        Fault::Reply(500, "{}"),
        Fault::Reply(503, ""),
        Fault::Reply(429, "slow down"),
        Fault::Reply(200, "{}"),
        Fault::Reply(200, r#"{"Items":[]}"#),
        Fault::Reply(302, ""),
        Fault::Change(|json| {
            drop(
                json.as_object_mut()
                    .unwrap()
                    .remove("ScannedCount")
                    .or_else(|| json.as_object_mut()?.remove("Responses")),
            )
        }),
    ];
    random.pick(&faults).clone()
}

/// The database is stopped and started again while callers read. They get answers or a 503, and
/// answers again once it is back.
#[test]
fn a_database_that_restarts_under_load_costs_errors_only_while_it_is_away() {
    let mut stack = Stack::shop();
    let address = stack.local.url.trim_start_matches("http://").to_owned();
    let port = address.rsplit(':').next().unwrap().parse().unwrap();
    let db = stack.local.db.clone();
    let [ended, answered, failed] = [const { AtomicUsize::new(0) }; 3];
    std::thread::scope(|scope| {
        let url = stack.local.url.clone();
        for caller in 0..6 {
            let app = stack.app_over(&shop::LIST_PRODUCTS, stack.client_of(&url));
            let (ended, answered, failed) = (&ended, &answered, &failed);
            scope.spawn(move || {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let query =
                        ["limit=5", "limit=5&fields=description", "page=2&limit=5"][caller % 3];
                    let event = event("/v1/products", None, query, None, &[]).to_string();
                    while ended.load(Ordering::Relaxed) == 0 {
                        let began = Instant::now();
                        let answer = send_once(&app, &event).await;
                        match answer.status {
                            200 => answered.fetch_add(1, Ordering::Relaxed),
                            503 => failed.fetch_add(1, Ordering::Relaxed),
                            // Too late, on a machine that is busy with something else: neither.
                            504 if began.elapsed() >= REQUEST => 0,
                            other => panic!("{other}: {}", answer.body),
                        };
                    }
                    assert_eq!(send_to(&app, &event).await.status, 200, "the database is back");
                });
            });
        }
        let wait = |counter: &AtomicUsize, more: usize| {
            let until = counter.load(Ordering::Relaxed) + more;
            let began = Instant::now();
            while counter.load(Ordering::Relaxed) < until {
                assert!(began.elapsed() < PATIENCE, "nothing happens");
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        for _ in 0..3 {
            wait(&answered, 20);
            let gone =
                dev::database::start(&dev::template::Template::parse(shop::TEMPLATE).unwrap())
                    .unwrap();
            drop(std::mem::replace(&mut stack.local, gone));
            wait(&failed, 6);
            let listener = dev::database::bind(std::net::Ipv4Addr::LOCALHOST.into(), port).unwrap();
            stack.local = dev::database::serve(listener, db.clone()).unwrap();
        }
        wait(&answered, 20);
        ended.store(1, Ordering::Relaxed);
    });
    println!(
        "three restarts: {} answers, {} times 503",
        answered.into_inner(),
        failed.into_inner()
    );
}
