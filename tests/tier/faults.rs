//! Every way in which a Redis server can be in trouble: the answers are those without it, and the
//! attempts are counted.

use std::time::{Duration, Instant};

use api::App;
use serde_json::{Value, json};

use super::{
    LISTS, Sent,
    fake::{Fake, Trouble},
    orders, products, send, send_as, shop, undisturbed,
};
use crate::{
    hostile::process::Function,
    stack::{Stack, event},
    undisturbed::{PATIENCE, slow},
};

/// The troubles for which the server is left alone after the first attempt.
const FAILURES: [(&str, Trouble); 18] = [
    ("hangs", Trouble::Hang),
    ("slow", Trouble::Slow(Duration::from_millis(60))),
    ("half an answer", Trouble::Half),
    ("half an answer and the end", Trouble::Cut),
    ("closes at once", Trouble::Reset),
    ("garbage", Trouble::Say(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    ("bytes", Trouble::Say(b"\x00\xff\xfe\r\n\r\n")),
    ("an array without an end", Trouble::Say(b"*2147483647\r\n")),
    ("an array of arrays", Trouble::Say(b"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n")),
    ("a number", Trouble::Say(b":1\r\n")),
    ("a status", Trouble::Say(b"+OK\r\n")),
    ("loading", Trouble::Say(b"-LOADING Redis is loading the dataset in memory\r\n")),
    ("moved", Trouble::Say(b"-MOVED 3999 127.0.0.1:6381\r\n")),
    ("login", Trouble::Say(b"-NOAUTH Authentication required.\r\n")),
    ("error", Trouble::Say(b"-ERR unknown command 'GETRANGE', with args: 'secret'\r\n")),
    ("one command is forbidden", Trouble::SayTo("GETRANGE", b"-NOPERM no permissions\r\n")),
    ("no value", Trouble::SayTo("GETRANGE", b"$-1\r\n")),
    ("2 GB", Trouble::Huge),
];

/// The troubles that are misses: what the server says is understood, and is not an answer.
const MISSES: [(&str, Trouble); 6] = [
    ("wrong type", Trouble::SayTo("GETRANGE", b"-WRONGTYPE Operation against a key\r\n")),
    ("one byte changed", Trouble::Corrupt),
    ("cut", Trouble::Short),
    ("of another question", Trouble::Other),
    ("without an expiry", Trouble::Eternal),
    ("an expiry that was changed", Trouble::Long),
];

/// The requests of each kind, and what they get without a tier.
fn requests() -> Vec<(&'static api::Route, Value)> {
    let mut all: Vec<_> =
        LISTS.iter().map(|query| (&shop::LIST_PRODUCTS, products(query))).collect();
    all.push((
        &shop::LIST_PRODUCTS,
        event("/v1/products", None, "", None, &[("if-none-match", "*")]),
    ));
    all.push((&shop::LIST_PRODUCTS, products("nonsense=1")));
    all.push((&shop::LIST_USER_ORDERS, orders("limit=5&expand=items.product")));
    all
}

/// Returns the answers to the requests without a tier.
async fn without_a_tier(shards: u16) -> Vec<Sent> {
    let mut stack = Stack::shop();
    stack.shards = shards;
    let mut all = Vec::new();
    for (route, event) in requests() {
        all.push(send(&stack.app(route), &event).await);
    }
    all
}

/// Sends each request to a function of its own. The answers must be those without a tier.
async fn are(expected: &[Sent], stack: &Stack, what: &str) -> Vec<Sent> {
    let mut all = Vec::new();
    for ((route, event), expected) in requests().into_iter().zip(expected) {
        let sent = send(&stack.app(route), &event).await;
        assert_eq!(sent.seen(), expected.seen(), "{what}: {event}");
        all.push(sent);
    }
    all
}

/// The matrix: each trouble, before anything is stored and after, against each kind of request.
#[tokio::test]
async fn whatever_is_wrong_with_the_server_the_answers_are_those_without_it() {
    for shards in [1, 3] {
        let expected = without_a_tier(shards).await;
        let mut stack = Stack::shop();
        stack.shards = shards;
        for (what, trouble) in FAILURES.into_iter().chain(MISSES) {
            let fake = Fake::start();
            stack.variables = vec![("CACHE_URL", fake.url())];
            fake.be(trouble);
            are(&expected, &stack, what).await;
            fake.be(Trouble::None);
            are(&expected, &stack, &format!("after {what}")).await;
            fake.be(trouble);
            are(&expected, &stack, &format!("stored, then {what}")).await;
        }
    }
}

/// Nobody listens, or nobody is there: the kernel refuses.
#[tokio::test]
async fn a_server_that_refuses_connections_changes_no_answer() {
    let expected = without_a_tier(1).await;
    let mut fake = Fake::start();
    let (stack, _proxy) = shop(&fake);
    fake.stop();
    for sent in are(&expected, &stack, "refused").await {
        assert!(["open", "off"].contains(&sent.line["cacheTier"].as_str().unwrap()), "{sent:?}");
    }
    let nowhere = Stack::shop().with_tier("redis://no-such-host.invalid");
    are(&expected, &nowhere, "no such host").await;
}

/// An app, and the attempts at the server that it makes for each of some requests.
async fn attempts(fake: &Fake, app: &App, requests: usize) -> Vec<usize> {
    let mut all = Vec::new();
    fake.commands();
    fake.connections();
    for _ in 0..requests {
        let sent = send(app, &products("limit=5")).await;
        assert_eq!(sent.answer.status, 200);
        // The commands of one pipeline, or a connection that came to nothing.
        let commands = fake.commands();
        all.push(commands.iter().filter(|name| *name == "GETRANGE").count());
    }
    all
}

/// The first request of a process loses the time of one answer, and those of the next second
/// nothing.
#[tokio::test]
async fn a_server_that_fails_is_asked_once_and_then_left_alone() {
    for (what, trouble) in FAILURES {
        undisturbed(async || {
            let fake = Fake::start();
            let (stack, _proxy) = shop(&fake);
            let app = stack.app(&shop::LIST_PRODUCTS);
            fake.be(trouble);
            slow(Duration::from_millis(20));
            assert_eq!(attempts(&fake, &app, 10).await, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0], "{what}");
            let sent = send(&app, &products("limit=5")).await;
            assert_eq!((&sent.is("open").line["cacheOpen"], sent.age()), (&json!(1), None));
            assert!(sent.line["cacheWait"].as_f64().unwrap() < 5.0, "{what}: {}", sent.line);
        })
        .await;
    }
}

/// The same with a connection that worked before. One that turns out to be closed is replaced, and
/// the commands sent again, once.
#[tokio::test]
async fn a_server_that_fails_later_is_asked_twice_at_most() {
    for (what, trouble) in FAILURES {
        undisturbed(async || {
            let fake = Fake::start();
            let (stack, _proxy) = shop(&fake);
            let app = stack.app(&shop::LIST_PRODUCTS);
            send(&app, &products("limit=5")).await.is("miss");
            send(&app, &products("limit=5")).await.is("hit");
            fake.be(trouble);
            slow(Duration::from_millis(20));
            let asked = attempts(&fake, &app, 10).await;
            assert!((1..=2).contains(&asked[0]) && asked[1..] == [0; 9], "{what}: {asked:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_no_answer_is_a_miss_and_is_replaced() {
    for (what, trouble) in MISSES {
        undisturbed(async || {
            let fake = Fake::start();
            let (stack, proxy) = shop(&fake);
            let app = stack.app(&shop::LIST_PRODUCTS);
            send(&app, &products("limit=5")).await.is("miss");
            // `Other` gives what was stored last, which must be of another question.
            send(&app, &products("limit=6")).await.is("miss");
            fake.be(trouble);
            proxy.calls();
            let sent = send(&app, &products("limit=5")).await;
            assert_eq!(sent.is("miss").age(), None, "{what}");
            assert_eq!(proxy.calls(), ["query"], "{what}");
            fake.be(Trouble::None);
            send(&app, &products("limit=5")).await.is("hit");
        })
        .await;
    }
}

/// A server that is full takes no value; what it has, it gives.
#[tokio::test]
async fn a_server_that_stores_nothing_is_left_alone() {
    for answer in [
        &b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"[..],
        b"-READONLY You can't write against a read only replica.\r\n",
        b"-MISCONF Redis is configured to save RDB snapshots\r\n",
        b"$-1\r\n",
        b":1\r\n",
    ] {
        undisturbed(async || {
            let fake = Fake::start();
            let (stack, _proxy) = shop(&fake);
            let app = stack.app(&shop::LIST_PRODUCTS);
            fake.be(Trouble::SayTo("SET", answer));
            send(&app, &products("limit=5")).await.is("open");
            assert_eq!(fake.commands(), ["GETRANGE", "PTTL", "SET"]);
            for _ in 0..3 {
                send(&app, &products("limit=5")).await.is("open");
            }
            assert_eq!(fake.commands(), [""; 0]);
        })
        .await;
    }
}

/// After a second the server is asked again, then after two; a server that works is used at once.
#[tokio::test]
async fn the_pauses_grow_and_end_with_a_success() {
    undisturbed(async || {
        let fake = Fake::start();
        let (stack, _proxy) = shop(&fake);
        let app = stack.app(&shop::LIST_PRODUCTS);
        let after = async |milliseconds| {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            slow(Duration::from_millis(20));
            attempts(&fake, &app, 1).await[0]
        };
        fake.be(Trouble::Hang);
        assert_eq!(after(0).await, 1);
        assert_eq!(after(900).await, 0);
        assert_eq!(after(150).await, 1, "after a second");
        assert_eq!(after(1_050).await, 0, "two seconds now");
        fake.be(Trouble::None);
        assert_eq!(after(1_000).await, 1);
        assert_eq!(after(0).await, 1, "it works again");
        send(&app, &products("limit=5")).await.is("hit");
        fake.be(Trouble::Hang);
        assert_eq!(after(0).await, 1);
        assert_eq!(after(1_050).await, 1, "a second again");
    })
    .await;
}

/// A connection that the server closes between two requests costs nothing.
#[tokio::test]
async fn a_connection_that_was_closed_is_replaced_without_a_pause() {
    undisturbed(async || {
        let fake = Fake::start();
        let (stack, _proxy) = shop(&fake);
        let app = stack.app(&shop::LIST_PRODUCTS);
        send(&app, &products("limit=5")).await.is("miss");
        assert_eq!(fake.connections(), 1, "one for all");
        for _ in 0..3 {
            fake.close_all();
            // The client may notice before or during the next request.
            send(&app, &products("limit=5")).await.is("hit");
            assert_eq!(fake.connections(), 1);
        }
        fake.be(Trouble::Close);
        for _ in 0..3 {
            send(&app, &products("limit=5")).await.is("hit");
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_restarts_is_used_again() {
    undisturbed(async || {
        let mut fake = Fake::start();
        let (stack, _proxy) = shop(&fake);
        let app = stack.app(&shop::LIST_PRODUCTS);
        send(&app, &products("limit=5")).await.is("miss");
        fake.restart();
        send(&app, &products("limit=5")).await.is("miss");
        send(&app, &products("limit=5")).await.is("hit");
        fake.stop();
        send(&app, &products("limit=5")).await.is("open");
        fake.restart();
        send(&app, &products("limit=5")).await.is("open");
        tokio::time::sleep(Duration::from_millis(1_050)).await;
        send(&app, &products("limit=5")).await.is("miss");
        send(&app, &products("limit=5")).await.is("hit");
    })
    .await;
}

/// Reads side by side make one connection, and one failure.
#[tokio::test]
async fn reads_side_by_side_share_the_connection_and_its_failure() {
    undisturbed(async || {
        let fake = Fake::start();
        let (mut stack, proxy) = shop(&fake);
        stack.shards = 8;
        let app = stack.app(&shop::LIST_PRODUCTS);
        send(&app, &products("limit=5")).await.is("miss");
        let reads = proxy.calls().len();
        assert!(reads >= 8, "{reads}");
        let sent = send(&app, &products("limit=5")).await;
        assert_eq!((&sent.is("hit").line["cacheHits"], fake.connections()), (&json!(reads), 1));
        fake.be(Trouble::Hang);
        slow(Duration::from_millis(20));
        send(&app, &products("limit=5")).await.is("open");
        tokio::time::sleep(Duration::from_millis(1_050)).await;
        // One pause of a second: eight reads that fail together are one failure.
        fake.commands();
        slow(Duration::from_millis(20));
        send(&app, &products("limit=5")).await.is("open");
        assert!(!fake.commands().is_empty(), "it was left alone for longer");
    })
    .await;
}

/// A request that has little time left does not spend it on the tier.
#[tokio::test]
async fn the_deadline_of_the_request_is_untouched() {
    undisturbed(async || {
        let fake = Fake::start();
        let (stack, proxy) = shop(&fake);
        let app = stack.app(&shop::LIST_PRODUCTS);
        send(&app, &products("limit=5")).await.is("miss");
        fake.be(Trouble::Hang);
        fake.commands();
        // 250 ms are Lambda's, so the request has 15 ms: less than an answer may take.
        let sent = send_as(&app, &products("limit=6"), "r-1", Duration::from_millis(265)).await;
        assert_eq!(sent.line["cacheTier"], "open");
        assert_eq!((fake.commands().len(), proxy.calls().len()), (0, 2));
        // It was no failure.
        fake.be(Trouble::None);
        send(&app, &products("limit=5")).await.is("hit");
    })
    .await;
}

/// Returns the resident memory of this process in bytes.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1_024)
}

/// A value of 2 GB is read for as long as an answer may take, and not longer.
#[tokio::test]
async fn an_announced_value_of_2_gb_takes_no_such_memory() {
    let fake = Fake::start();
    let stack = Stack::shop().with_tier(&fake.url());
    let app = stack.app(&shop::LIST_PRODUCTS);
    let expected = send(&stack.app(&shop::LIST_PRODUCTS), &products("limit=5")).await;
    fake.be(Trouble::Huge);
    let before = resident();
    let sent = send(&app, &products("limit=5")).await;
    assert_eq!(sent.is("open").seen(), expected.seen());
    // The task that reads ends with the connection.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let taken = fake.sent();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(fake.sent(), taken, "the connection is closed");
    assert!(taken < 1 << 30, "{taken} bytes were taken");
    if let (Some(before), Some(after)) = (before, resident()) {
        assert!(after - before < 1 << 30, "{} bytes more at the highest", after - before);
    }
}

/// A process of its own: it starts and answers, whatever is at the address.
#[test]
fn a_function_starts_without_its_server() {
    let mut fake = Fake::start();
    let stack = Stack::shop().with_tier(&fake.url());
    let without = Function::start(&shop::LIST_PRODUCTS, &Stack::shop())
        .answer(&products("limit=5").to_string());
    let mut function = Function::start(&shop::LIST_PRODUCTS, &stack);
    // It connects before the first event, and that is the connection that the event uses.
    let (began, mut connections) = (Instant::now(), 0);
    while connections == 0 {
        assert!(began.elapsed() < PATIENCE, "it does not connect");
        std::thread::sleep(Duration::from_millis(1));
        connections = fake.connections();
    }
    assert_eq!(function.answer(&products("limit=5").to_string()).body, without.body);
    assert_eq!(
        (connections + fake.connections(), fake.commands()),
        (1, vec!["GETRANGE".into(), "PTTL".into(), "SET".into()])
    );
    let answer =
        || Function::start(&shop::LIST_PRODUCTS, &stack).answer(&products("limit=5").to_string());
    fake.be(Trouble::Hang);
    assert_eq!(answer().body, without.body);
    fake.stop();
    assert_eq!(answer().body, without.body);
}
