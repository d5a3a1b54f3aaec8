//! Quotas of callers, through the handlers: several functions of several processes over one
//! database.

use std::{
    collections::HashMap,
    time::{Duration, Instant, SystemTime},
};

use api::{Access, App, Config, Quota, Route, Shape, Weights};
use rate_limits::Policy;
use serde_json::{Value, json};
use shop::random::Random;

use crate::{
    proxy::{Fault, Proxy, THROTTLED},
    stack::{Answer, Stack, event, sent},
    undisturbed::{slow, undisturbed_by},
};

/// The time that the write of a lease may take. A busy machine can take it longer, and then requests
/// are not counted.
const WRITE_TIME: Duration = Duration::from_millis(100);

const CALLER: &str = "CALLER_LIMIT";
const USER: &str = "/v1/users/{userId}";
const ORDERS: &str = "/v1/users/{userId}/orders";

/// A third function with a quota for each caller.
static GET_PROFILE: Route = Route {
    name: "get-profile",
    path: USER,
    about: "",
    resource: &shop::USERS,
    access: Access::owner("userId"),
    quota: Quota::PerCaller(Weights::ONE),
    shape: Shape::One,
};

/// A response, and the log line of its request.
struct Sent {
    answer: Answer,
    line: Value,
}

impl Sent {
    fn is(&self, status: u16, quota: &str) -> &Self {
        assert_eq!(
            (self.answer.status, self.line["quota"].as_str()),
            (status, Some(quota)),
            "{} {}",
            self.line,
            self.answer.body
        );
        self
    }

    fn writes(&self) -> f64 {
        self.line["writeUnits"].as_f64().unwrap()
    }

    fn fields(&self) -> (Option<&str>, Option<&str>) {
        (self.answer.header("ratelimit-policy"), self.answer.header("ratelimit"))
    }
}

async fn send(app: &App, event: &Value) -> Sent {
    send_within(app, event, Duration::from_secs(5)).await
}

/// Sends an event for which Lambda has this time left.
async fn send_within(app: &App, event: &Value, left: Duration) -> Sent {
    let (answer, line) = sent(app, &event.to_string(), "r-1", left).await;
    Sent { answer, line }
}

fn get_user(caller: &str) -> Value {
    event(USER, Some("me"), "", Some(caller), &[])
}

fn list_orders(caller: &str, query: &str) -> Value {
    event(ORDERS, Some("me"), query, Some(caller), &[])
}

/// A shop of `u-1` and `u-2` in which callers have a quota, and a window that does not end during
/// the test.
async fn in_one_window(window: u32, test: impl AsyncFn()) {
    let number = || {
        let policy = Policy::new("caller", 1, window).unwrap();
        policy.window_number(SystemTime::now())
    };
    for _ in 0..3 {
        let before = number();
        undisturbed_by(WRITE_TIME, &test).await;
        if number() == before {
            return;
        }
    }
    panic!("three runs in a row met the end of a window");
}

/// Returns what is in the table of the counters.
fn counters(stack: &Stack) -> Vec<Value> {
    let request = serde_json::from_value(json!({"TableName": "limits"})).unwrap();
    let all = serde_json::to_value(stack.local.db.0.scan(request).unwrap()).unwrap();
    all["Items"].as_array().unwrap().clone()
}

/// 10,000 requests of 50 callers, in random order, to 15 processes of three functions.
#[tokio::test]
async fn no_number_of_processes_admits_more_than_the_quota() {
    const QUOTA: u32 = 100;
    const WINDOW: u32 = 86_400;
    const CALLERS: usize = 50;
    const GREATEST_COST: u32 = 3; // limit=100 with one expansion
    in_one_window(WINDOW, async || {
        let stack = Stack::empty().with_quota(CALLER, &format!("{QUOTA};w={WINDOW}"));
        let functions = [(&shop::GET_USER, 2), (&GET_PROFILE, 5), (&shop::LIST_USER_ORDERS, 8)];
        let client = stack.client();
        let processes: Vec<App> = functions
            .into_iter()
            .flat_map(|(route, processes)| (0..processes).map(move |_| route))
            .map(|route| stack.app_over(route, client.clone()))
            .collect();
        let mut random = Random(7);
        let (mut admitted, mut refused) = (HashMap::new(), HashMap::new());
        let (mut writes, mut open) = (0.0, 0_u32);
        for _ in 0..10_000 {
            let caller = format!("u-{}", random.below(CALLERS));
            let app = &processes[random.below(processes.len())];
            let (event, cost) = match app.route().shape {
                Shape::One => (get_user(&caller), 1),
                Shape::List(_) => match random.below(4) {
                    0 => (list_orders(&caller, "limit=100&expand=customer"), GREATEST_COST),
                    1 => (list_orders(&caller, "limit=51"), 2),
                    _ => (list_orders(&caller, "limit=1"), 1),
                },
            };
            let sent = send(app, &event).await;
            match sent.line["quota"].as_str() {
                Some("admitted") => *admitted.entry(caller).or_insert(0) += cost,
                Some("refused") => *refused.entry(caller).or_insert(0) += cost,
                // On a busy machine a write takes too long.
                Some("open") => open += 1,
                other => panic!("{other:?} {}", sent.line),
            }
            writes += sent.writes();
        }
        let policy = Policy::new("caller", QUOTA, WINDOW).unwrap();
        let bound = policy.stranded(GREATEST_COST) * u32::try_from(processes.len()).unwrap();
        // A write that came too late may have taken its lease.
        let bound = bound + open * policy.longest_lease();
        assert!(open < 1_000, "{open} requests were not counted");
        assert_eq!(refused.len(), CALLERS, "everybody meets the quota");
        for (caller, spent) in &admitted {
            assert!(*spent <= QUOTA, "{caller}: {spent} units of {QUOTA}");
            assert!(QUOTA - spent <= bound, "{caller}: {} units are stranded", QUOTA - spent);
        }
        let units: u32 = admitted.values().sum();
        // Leases of 1, 2, 4, 6 and 6 in each process: about a third of the units are written, and
        // each process is refused once for each caller.
        let refusals = f64::from(u32::try_from(processes.len() * CALLERS).unwrap());
        assert!(writes <= 0.5 * f64::from(units) + refusals, "{writes} writes for {units} units");
        let per_caller = counters(&stack);
        assert_eq!(per_caller.len(), CALLERS, "one counter for each caller and window");
    })
    .await;
}

/// The numbers of docs/RATE-LIMITS.md.
#[tokio::test]
async fn writes_are_counted() {
    in_one_window(3_600, async || {
        let stack = Stack::shop().with_quota(CALLER, "600;w=3600");
        let app = stack.app(&shop::GET_USER);
        let mut writes = Vec::new();
        for _ in 0..30 {
            writes.push(send(&app, &get_user("u-1")).await.is(200, "admitted").writes());
        }
        let written: Vec<_> = (1..=30).filter(|i| writes[i - 1] > 0.0).collect();
        assert_eq!(written, [1, 2, 4, 8, 16, 24], "leases of 1, 2, 4, 8, 8, 8");
        assert_eq!(writes.iter().sum::<f64>(), 6.0);
        // One request for each process is one write each.
        for _ in 0..5 {
            let app = stack.app(&shop::GET_USER);
            assert_eq!(send(&app, &get_user("u-2")).await.is(200, "admitted").writes(), 1.0);
        }
    })
    .await;
}

#[tokio::test]
async fn a_refused_caller_is_told_at_once_and_nobody_else_is_refused() {
    in_one_window(3_600, async || {
        let mut stack = Stack::shop().with_quota(CALLER, "3;w=3600");
        let proxy = Proxy::before(&stack.local.url, &[]);
        stack.local.url.clone_from(&proxy.url);
        let (one, other) = (stack.app(&shop::GET_USER), stack.app(&shop::LIST_USER_ORDERS));
        for _ in 0..3 {
            send(&one, &get_user("u-1")).await.is(200, "admitted");
        }
        // The first refusal of a process costs a write and a read; it is remembered.
        let first = send(&one, &get_user("u-1")).await;
        assert_eq!(first.is(429, "refused").writes(), 1.0);
        proxy.calls();
        for _ in 0..50 {
            let again = send(&one, &get_user("u-1")).await;
            assert_eq!(again.is(429, "refused").writes(), 0.0);
            assert_eq!(
                (&again.line["rounds"], &again.line["quotaRefused"]),
                (&json!(0), &json!(1))
            );
        }
        assert!(proxy.calls().is_empty(), "without DynamoDB");
        // The quota is one for all functions.
        send(&other, &list_orders("u-1", "")).await.is(429, "refused");
        send(&one, &get_user("u-2")).await.is(200, "admitted");
        send(&other, &list_orders("u-2", "")).await.is(200, "admitted");
    })
    .await;
}

#[tokio::test]
async fn a_429_is_a_problem_that_names_the_policy_and_says_when_to_come_back() {
    in_one_window(3_600, async || {
        let stack = Stack::shop().with_quota(CALLER, "1;w=3600");
        let app = stack.app(&shop::GET_USER);
        send(&app, &get_user("u-1")).await.is(200, "admitted");
        let refused = send(&app, &get_user("u-1")).await;
        refused.is(429, "refused");
        let (answer, json) = (&refused.answer, refused.answer.json());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(
            (&json["type"], &json["status"], &json["violated-policies"]),
            (&json!("/problems/quota-exceeded"), &json!(429), &json!(["caller"]))
        );
        let (policy, left) = refused.fields();
        assert_eq!(policy, Some(r#""caller";q=1;w=3600"#));
        let reset: u32 = left.unwrap().strip_prefix(r#""caller";r=0;t="#).unwrap().parse().unwrap();
        let after: u32 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=3_600).contains(&reset) && (reset..=reset + 2).contains(&after));
    })
    .await;
}

#[tokio::test]
async fn a_request_that_reads_more_costs_more() {
    in_one_window(3_600, async || {
        let stack = Stack::shop().with_quota(CALLER, "600;w=3600");
        let app = stack.app(&shop::LIST_USER_ORDERS);
        let mut left = 600;
        for (query, cost) in [
            ("", 1),
            ("limit=50", 1),
            ("limit=51", 2),
            ("limit=100", 2),
            ("limit=1&expand=customer", 2),
            ("limit=100&expand=customer,items.product", 4),
            ("limit=1&fields=orderId,customer(name)", 2),
        ] {
            let sent = send(&app, &list_orders("u-1", query)).await;
            left -= cost;
            let field = sent.is(200, "admitted").fields().1.unwrap();
            assert!(field.starts_with(&format!("\"caller\";r={left};t=")), "{query}: {field}");
        }
    })
    .await;
}

/// Rounds, bytes and tags are the same with and without a quota; so is what is written to the log
/// without one.
#[tokio::test]
async fn an_admitted_request_takes_no_round_more() {
    let without = Stack::shop();
    let with = Stack::shop().with_quota(CALLER, "600;w=3600");
    for (route, queries) in [
        (&shop::GET_USER, &["", "fields=name"][..]),
        (
            &shop::LIST_USER_ORDERS,
            &[
                "",
                "limit=5",
                "limit=5&page=3",
                "status=paid,shipped",
                "limit=5&expand=customer",
                "limit=5&expand=items.product",
                "limit=5&expand=customer,items.product",
                "fields=orderId,items(product(name))",
            ][..],
        ),
    ] {
        let (free, counted) = (without.app(route), with.app(route));
        let mut wrote = 0.0;
        for query in queries {
            let event = event(route.path, Some("u-1"), query, Some("u-1"), &[]);
            let (free, counted) = (send(&free, &event).await, send(&counted, &event).await);
            counted.is(200, "admitted");
            let rounds = |sent: &Sent| sent.answer.spent().0;
            assert_eq!(rounds(&free), rounds(&counted), "{} {query}", route.name);
            assert_eq!(free.line["readUnits"], counted.line["readUnits"]);
            assert_eq!(free.answer.body, counted.answer.body);
            assert_eq!(free.answer.header("etag"), counted.answer.header("etag"));
            wrote += counted.writes();
            for member in ["quota", "writeUnits", "quotaRefused", "quotaOpen"] {
                assert!(free.line[member].is_null(), "{member}");
            }
            assert_eq!(free.fields(), (None, None));
        }
        assert!(wrote > 1.0, "some of them took leases");
    }
}

#[tokio::test]
async fn fields_are_on_private_answers_alone() {
    in_one_window(3_600, async || {
        let stack =
            Stack::shop().with_quota(CALLER, "600;w=3600").with_quota("ADDRESS_LIMIT", "3;w=3600");
        let user = stack.app(&shop::GET_USER);
        let found = send(&user, &get_user("u-1")).await;
        assert_eq!(found.is(200, "admitted").fields().0, Some(r#""caller";q=600;w=3600"#));
        let tag = found.answer.header("etag").unwrap().to_owned();
        let with =
            |name: &str, value: &str| event(USER, Some("me"), "", Some("u-1"), &[(name, value)]);
        let not_modified = send(&user, &with("if-none-match", &tag)).await;
        assert!(not_modified.is(304, "admitted").fields().1.is_some());
        let mut head = get_user("u-1");
        head["requestContext"]["http"]["method"] = json!("HEAD");
        assert!(send(&user, &head).await.is(200, "admitted").fields().1.is_some());
        let gone = send(&user, &event(USER, Some("me"), "", Some("u-gone"), &[])).await;
        assert!(gone.is(404, "admitted").fields().1.is_some());
        let failed = send(&user, &with("if-match", "\"x\"")).await;
        assert_eq!(failed.is(412, "admitted").fields(), (None, None));
        // What ends before the quota spends nothing.
        for (event, status) in [
            (event(USER, Some("me"), "fields=nope", Some("u-1"), &[]), 400),
            (event(USER, Some("me"), "", None, &[]), 401),
            (event(USER, Some("u-2"), "", Some("u-1"), &[]), 403),
        ] {
            let sent = send(&user, &event).await;
            assert_eq!((sent.answer.status, sent.fields()), (status, (None, None)));
            assert_eq!((&sent.line["quota"], sent.writes()), (&Value::Null, 0.0));
        }
        let orders = stack.app(&shop::LIST_USER_ORDERS);
        for query in ["cursor=x", "limit=0"] {
            let sent = send(&orders, &list_orders("u-1", query)).await;
            assert_eq!((sent.answer.status, sent.writes()), (400, 0.0), "{query}");
        }
        // A shared cache may keep the catalogue, so its answers have none; a 429 is never kept.
        let products = stack.app(&shop::LIST_PRODUCTS);
        let list = event("/v1/products", None, "limit=2", None, &[]);
        for _ in 0..3 {
            let sent = send(&products, &list).await;
            assert_eq!(sent.is(200, "admitted").fields(), (None, None));
        }
        let refused = send(&products, &list).await;
        assert!(refused.is(429, "refused").fields().1.unwrap().starts_with(r#""address";r=0;"#));
        assert_eq!(refused.answer.header("cache-control"), Some("no-store"));
        let mut elsewhere = list.clone();
        elsewhere["requestContext"]["http"]["sourceIp"] = json!("192.0.2.77");
        send(&products, &elsewhere).await.is(200, "admitted");
        // Without an address nobody is counted.
        elsewhere["requestContext"]["http"]["sourceIp"] = json!("somewhere");
        assert_eq!(send(&products, &elsewhere).await.line["quota"], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn services_have_a_quota_of_their_own_or_none() {
    let service = |id: &str| {
        let mut event = event(USER, Some(id), "", Some("service-1"), &[]);
        event["requestContext"]["authorizer"]["jwt"]["claims"]["scope"] =
            json!("lean-routes/users:read");
        event
    };
    in_one_window(3_600, async || {
        let stack = Stack::shop().with_quota(CALLER, "1;w=3600");
        let app = stack.app(&shop::GET_USER);
        for _ in 0..3 {
            let sent = send(&app, &service("u-1")).await;
            assert_eq!((sent.answer.status, &sent.line["quota"]), (200, &Value::Null));
        }
        let stack =
            Stack::shop().with_quota("SERVICE_LIMIT", "2;w=3600").with_quota(CALLER, "0;w=60");
        let app = stack.app(&shop::GET_USER);
        let first = send(&app, &service("u-1")).await;
        assert_eq!(first.is(200, "admitted").fields().0, Some(r#""service";q=2;w=3600"#));
        send(&app, &service("u-2")).await.is(200, "admitted");
        send(&app, &service("u-1")).await.is(429, "refused");
        assert_eq!(
            send(&app, &get_user("u-1")).await.line["quota"],
            Value::Null,
            "callers have none"
        );
    })
    .await;
}

#[tokio::test]
async fn the_table_holds_no_subject_and_forgets_each_counter() {
    let (began, [counter]) = undisturbed_by(WRITE_TIME, async || {
        let stack = Stack::shop().with_quota(CALLER, "600;w=60");
        let began = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        send(&stack.app(&shop::GET_USER), &get_user("u-1")).await.is(200, "admitted");
        (began, counters(&stack).try_into().unwrap())
    })
    .await;
    let names: Vec<_> = counter.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(!counter.to_string().contains("u-1"), "{counter}");
    assert_eq!(counter["caller"]["S"].as_str().unwrap().len(), 22);
    assert_eq!(counter["used"]["N"], "1");
    let number = |name: &str| counter[name]["N"].as_str().unwrap().parse::<u64>().unwrap();
    assert!((began / 60..=began / 60 + 1).contains(&number("window")));
    assert!((began + 3_600..=began + 3_660 + 5).contains(&number("expires")));
}

/// A function of a shop behind a proxy; its only caller is `u-1`.
fn behind_a_proxy(quota: &str) -> (Stack, Proxy, App) {
    let mut stack = Stack::shop().with_quota(CALLER, quota);
    let proxy = Proxy::before(&stack.local.url, &[]);
    stack.local.url.clone_from(&proxy.url);
    let app = stack.app(&shop::GET_USER);
    (stack, proxy, app)
}

fn writes(proxy: &Proxy) -> usize {
    proxy.calls().iter().filter(|call| *call == "updateitem").count()
}

const THROTTLED_TABLE: Fault = Fault::Reply(
    400,
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"x","throttlingReasons":[{"reason":"TableWriteMaxOnDemandThroughputExceeded","resource":"arn:x"}]}"#,
);
const THROTTLED_KEY: Fault = Fault::Reply(
    400,
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"x","throttlingReasons":[{"reason":"TableWriteKeyRangeThroughputExceeded","resource":"arn:x"}]}"#,
);

/// Whatever is wrong with the table of the quotas, callers are served; one attempt is made, and
/// none within the next second.
#[tokio::test]
async fn a_table_that_fails_opens_the_quota() {
    for (name, fault) in [
        ("hang", Fault::Hang),
        ("slow", Fault::Slow(Duration::from_millis(400))),
        ("reset", Fault::Reset),
        ("truncated", Fault::Truncate),
        ("500", Fault::Reply(500, r#"{"__type":"InternalServerError"}"#)),
        ("503", Fault::Reply(503, "")),
        (
            "refused",
            Fault::Reply(400, r#"{"__type":"AccessDeniedException","message":"not authorized"}"#),
        ),
        ("no table", Fault::Reply(400, r#"{"__type":"ResourceNotFoundException","message":"x"}"#)),
        ("account", Fault::Reply(400, r#"{"__type":"RequestLimitExceeded","message":"x"}"#)),
        ("table throttled", THROTTLED_TABLE),
        ("html", Fault::Answer(200, "", b"<html>maintenance</html>")),
        ("nothing", Fault::Answer(200, "", b"{}")),
        ("no counter", Fault::Answer(200, "", br#"{"Attributes":{"expires":{"N":"1"}}}"#)),
        ("a text", Fault::Answer(200, "", br#"{"Attributes":{"used":{"S":"1"}}}"#)),
        ("negative", Fault::Answer(200, "", br#"{"Attributes":{"used":{"N":"-1"}}}"#)),
        ("zero", Fault::Answer(200, "", br#"{"Attributes":{"used":{"N":"0"}}}"#)),
        ("a fraction", Fault::Answer(200, "", br#"{"Attributes":{"used":{"N":"1.5"}}}"#)),
    ] {
        undisturbed_by(WRITE_TIME, async || {
            let (_stack, proxy, app) = behind_a_proxy("600;w=3600");
            proxy.always("updateitem", fault.clone(), 100);
            let began = Instant::now();
            slow(WRITE_TIME);
            let sent = send(&app, &get_user("u-1")).await;
            assert_eq!(sent.answer.status, 200, "{name}: {}", sent.answer.body);
            sent.is(200, "open");
            assert_eq!(sent.fields(), (None, None), "{name}");
            assert_eq!(sent.line["quotaOpen"], 1, "{name}");
            assert!(began.elapsed() < Duration::from_millis(900), "{name}: {:?}", began.elapsed());
            assert_eq!(writes(&proxy), 1, "{name}: one attempt");
            send(&app, &get_user("u-1")).await.is(200, "open");
            assert_eq!(writes(&proxy), 0, "{name}: none within a second");
        })
        .await;
    }
}

#[tokio::test]
async fn a_table_that_works_again_counts_again() {
    undisturbed_by(WRITE_TIME, async || {
        let (_stack, proxy, app) = behind_a_proxy("600;w=3600");
        proxy.always("updateitem", Fault::Reply(503, ""), 1);
        send(&app, &get_user("u-1")).await.is(200, "open");
        tokio::time::sleep(Duration::from_millis(1_050)).await;
        send(&app, &get_user("u-1")).await.is(200, "admitted");
    })
    .await;
}

/// A caller whose own key is throttled sends more than any quota allows.
#[tokio::test]
async fn a_throttled_key_refuses_its_caller_for_a_second_and_nobody_else() {
    for fault in [THROTTLED, THROTTLED_KEY, Fault::Reply(429, "")] {
        undisturbed_by(WRITE_TIME, async || {
            let (_stack, proxy, app) = behind_a_proxy("600;w=3600");
            proxy.always("updateitem", fault.clone(), 1);
            let refused = send(&app, &get_user("u-1")).await;
            let after: u32 =
                refused.is(429, "refused").answer.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=3).contains(&after));
            assert_eq!(writes(&proxy), 1, "one attempt");
            send(&app, &get_user("u-1")).await.is(429, "refused");
            assert!(proxy.calls().is_empty(), "without DynamoDB");
            send(&app, &get_user("u-2")).await.is(200, "admitted");
            tokio::time::sleep(Duration::from_millis(1_050)).await;
            send(&app, &get_user("u-1")).await.is(200, "admitted");
        })
        .await;
    }
}

/// The time limits and answers of the read are those without a quota, even if both hang.
#[tokio::test]
async fn the_deadline_of_the_request_is_untouched() {
    undisturbed_by(WRITE_TIME, async || {
        let (_stack, proxy, app) = behind_a_proxy("600;w=3600");
        proxy.always("", Fault::Hang, 100);
        // 250 ms are Lambda's, so the request has 20 ms: less than a write may take.
        slow(Duration::from_millis(20));
        let sent = send_within(&app, &get_user("u-1"), Duration::from_millis(270)).await;
        sent.is(504, "open");
        let took = sent.line["duration"].as_f64().unwrap();
        assert!(took < 100.0, "the write waited on: {took} ms");
    })
    .await;
    undisturbed_by(WRITE_TIME, async || {
        let (_stack, proxy, app) = behind_a_proxy("600;w=3600");
        proxy.always("getitem", Fault::Reply(503, ""), 100);
        let sent = send(&app, &get_user("u-1")).await;
        assert_eq!(sent.is(503, "admitted").fields(), (None, None));
        assert_eq!(sent.answer.header("retry-after"), Some("1"));
    })
    .await;
}

#[test]
fn a_malformed_quota_does_not_start() {
    let read = |route: &'static Route, set: &[(&str, &str)]| {
        let tables = [("USERS_TABLE", "users"), ("PRODUCTS_TABLE", "products")];
        let secret = [("CURSOR_SECRET", "a secret for tests, of more than 32 characters")];
        let all: HashMap<_, _> = tables.iter().chain(&secret).chain(set).copied().collect();
        Config::read(route, |name| all.get(name).map(|value| (*value).to_owned()))
            .map(|config| config.limits.is_some())
            .map_err(|error| error.to_string())
    };
    let user = |set: &[(&str, &str)]| read(&shop::GET_USER, set);
    const TABLE: (&str, &str) = ("LIMITS_TABLE", "limits");
    for off in
        [&[][..], &[TABLE], &[(CALLER, "")], &[(CALLER, "0;w=60")], &[(CALLER, "0;w=60"), TABLE]]
    {
        assert_eq!(user(off), Ok(false), "{off:?}");
    }
    assert_eq!(user(&[(CALLER, "600;w=60"), TABLE]), Ok(true));
    assert_eq!(user(&[("SERVICE_LIMIT", "600;w=60"), TABLE]), Ok(true));
    let form = "is not of the form `600;w=60`: units of quota, and the window in seconds";
    for (value, reason) in [
        ("600", form),
        ("600;w=1m", form),
        ("-1;w=60", form),
        ("600;w=0", "has a window that is not 1 to 86400 seconds"),
    ] {
        assert_eq!(
            user(&[(CALLER, value), TABLE]),
            Err(format!("does not start: CALLER_LIMIT {reason}"))
        );
    }
    assert_eq!(
        user(&[(CALLER, "600;w=60")]),
        Err("does not start: LIMITS_TABLE is not set (the name of the table of the quotas)".into())
    );
    // A public route reads the quota of addresses alone.
    assert_eq!(read(&shop::LIST_PRODUCTS, &[(CALLER, "nonsense"), TABLE]), Ok(false));
    assert_eq!(read(&shop::LIST_PRODUCTS, &[("ADDRESS_LIMIT", "10;w=60"), TABLE]), Ok(true));
}
