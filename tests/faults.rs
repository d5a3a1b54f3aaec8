//! Failures of DynamoDB, and the caller's answer to each.

use std::time::{Duration, Instant};

use api::{App, Reader};
use pagination::Value;
use projection::Selection;
use serde_json::json;

use crate::{
    proxy::{Fault, Proxy, THROTTLED, Thawed},
    stack::{Answer, Stack, send_once},
    undisturbed::{ATTEMPT, REQUEST, note, slow, undisturbed},
};

/// A shop behind a proxy.
fn shop(script: &[Fault]) -> (Stack, Proxy) {
    let mut stack = Stack::shop();
    let proxy = stack.behind(script);
    (stack, proxy)
}

fn is(answer: &Answer, status: u16, problem: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.json()["type"], format!("/problems/{problem}"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn throttling_is_503_and_soon() {
    undisturbed(async || {
        let (stack, proxy) = shop(&[THROTTLED, THROTTLED]);
        assert_eq!(stack.products("").await.status, 200, "two refusals are repeated away");
        assert_eq!(proxy.calls(), ["query"; 3]);
        proxy.then(&vec![THROTTLED; 10]);
        let answer = stack.products("").await;
        is(&answer, 503, "unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(proxy.calls(), ["query"; 4], "attempts end before the time does");
    })
    .await;
}

/// A request's time is three seconds: two attempts that get no answer, and a third one.
#[tokio::test]
async fn a_server_that_hangs_twice_costs_two_attempts() {
    undisturbed(async || {
        let (stack, proxy) = shop(&[Fault::Hang, Fault::Hang]);
        slow(2 * ATTEMPT);
        assert_eq!(stack.user("").await.status, 200);
        assert_eq!(proxy.calls(), ["getitem"; 3]);
    })
    .await;
}

#[tokio::test]
async fn a_hung_server_is_504_before_lambda_s_own_timeout() {
    undisturbed(async || {
        let (stack, _proxy) = shop(&[Fault::Hang, Fault::Hang, Fault::Hang, Fault::Hang]);
        let began = Instant::now();
        slow(REQUEST);
        is(&stack.user("").await, 504, "timeout");
        assert!(began.elapsed() < REQUEST + ATTEMPT, "{:?}", began.elapsed());
    })
    .await;
}

/// Keys that DynamoDB leaves unprocessed mean throttling, also if the time ends with the next call.
#[tokio::test]
async fn a_server_that_hangs_after_unprocessed_keys_is_busy_and_not_dead() {
    undisturbed(async || {
        let script = [vec![Fault::Pass, Fault::Unprocess], vec![Fault::Hang; 4]].concat();
        let (stack, proxy) = shop(&script);
        let began = Instant::now();
        slow(REQUEST);
        let answer = stack.products("fields=productId,description&limit=40").await;
        let calls = proxy.whole_calls();
        // If the call that hangs came late, an attempt of those before it may have been given up.
        note(calls.get(2).map_or(REQUEST, |call| call.came.duration_since(began)));
        is(&answer, 503, "unavailable");
        let names: Vec<_> = calls.iter().map(|call| call.operation.as_str()).take(3).collect();
        assert_eq!(names, ["query", "batchgetitem", "batchgetitem"]);
    })
    .await;
}

#[tokio::test]
async fn broken_connections_are_repeated_away() {
    undisturbed(async || {
        let (stack, proxy) = shop(&[
            Fault::Reset,
            Fault::Pass,
            Fault::Truncate,
            Fault::Pass,
            Fault::Reply(500, "{}"),
            Fault::Pass,
        ]);
        for _ in 0..3 {
            assert_eq!(stack.products("").await.status, 200);
            assert_eq!(proxy.calls().len(), 2);
        }
        let failure = r#"{"__type":"InternalServerError","message":"secret inside"}"#;
        proxy.then(&vec![Fault::Reply(500, failure); 10]);
        let answer = stack.products("").await;
        is(&answer, 503, "unavailable");
        assert!(!answer.body.contains("secret"), "a 5xx says nothing of the inside");
    })
    .await;
}

#[tokio::test]
async fn nonsense_is_502_and_a_refusal_is_500() {
    let (stack, proxy) = shop(&[]);
    // A script for each request alone, so that one that was disturbed does not disturb the next.
    let answered = async |query: &str, script: &[Fault], status, problem| {
        undisturbed(async || {
            proxy.only(script);
            let answer = stack.products(query).await;
            is(&answer, status, problem);
            assert!(!answer.body.contains("role"), "{}", answer.body);
        })
        .await;
    };
    for nonsense in [
        "<html>maintenance</html>",
        "",
        "null",
        "[]",
        "{}",
        r#"{"Count":0,"ScannedCount":0}"#,
        r#"{"Items":[],"Count":0}"#,
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}"#,
        r#"{"Items":[{"productId":{"S":"p-1"}}],"Count":1,"ScannedCount":1}"#,
        r#"{"Items":7,"Count":0,"ScannedCount":0}"#,
        r#"{"Items":[],"Count":0,"ScannedCount":4294967295}"#,
        r#"{"Items":[],"Count":0,"ScannedCount":-1}"#,
        r#"{"Items":[],"Count":0,"ScannedCount":0}garbage"#,
        r#"{"Items":[],"#,
    ] {
        answered("", &[Fault::Reply(200, nonsense)], 502, "bad-gateway").await;
    }
    // The keys of a page, and then no items for them.
    for nonsense in [
        "{}",
        r#"{"UnprocessedKeys":{}}"#,
        r#"{"Responses":{"products":[{}]}}"#,
        r#"{"Responses":{"products":[{"productId":{"S":"x"}}]}}"#,
    ] {
        let script = [Fault::Pass, Fault::Reply(200, nonsense)];
        answered("fields=productId,description", &script, 502, "bad-gateway").await;
    }
    for redirect in [301, 302, 304] {
        answered("", &[Fault::Reply(redirect, "{}")], 502, "bad-gateway").await;
    }
    answered("", &vec![Fault::Reply(429, "slow down"); 10], 503, "unavailable").await;
    for refusal in ["AccessDeniedException", "ValidationException", "ResourceNotFoundException"] {
        let body = format!(r#"{{"__type":"com.amazon#{refusal}","message":"no role of yours"}}"#);
        let script = [Fault::Reply(400, Box::leak(body.into_boxed_str()))];
        answered("", &script, 500, "internal").await;
    }
}

/// The log says why DynamoDB refuses a request, also where it gives no code. It says nothing of the
/// request's values, which can stand in the message of a ValidationException.
#[tokio::test]
async fn a_refusal_is_explained_and_repeats_no_value_of_the_request() {
    let (stack, proxy) = shop(&[]);
    let code = |code: &str| {
        format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"the reason"}}"#)
    };
    let named = "x-amzn-errortype: AccessDeniedException:http://example.org/\r\n";
    for (status, headers, body, explained) in [
        (400, "", code(""), "400 without an error code: the reason"),
        (
            400,
            "",
            r#"{"__type":"","message":"the reason"}"#.to_owned(),
            "400 without an error code: the reason",
        ),
        (400, "", r#"{"message":"the reason"}"#.to_owned(), "400 without an error code: "),
        (400, "", "{}".to_owned(), "400 without an error code: "),
        (403, "", "<html>".to_owned(), "403 without an error code: "),
        (400, "", String::new(), "400 without an error code: "),
        (400, named, "{}".to_owned(), "400 AccessDeniedException: "),
        (400, "", code("AccessDeniedException"), "400 AccessDeniedException: the reason"),
        (
            400,
            "",
            code("ValidationException"),
            "400 ValidationException (LOG_LEVEL=debug logs its message)",
        ),
    ] {
        let body: &str = body.leak();
        undisturbed(async || {
            proxy.only(&[Fault::Answer(status, headers, body.as_bytes())]);
            let (client, meter, began) = (stack.client(), api::Meter::default(), Instant::now());
            let selection = Selection::all(shop::USERS.fields);
            let reader = Reader::new(&client, "users", began + REQUEST, &meter, &selection, None);
            let key = [Value::S("u-1".to_owned())];
            let read = reader.get(&shop::USERS.table, &key, &[]).await;
            note(began.elapsed());
            let said = read.unwrap_err().to_string();
            assert_eq!(said, format!("refused: {explained}"), "{headers}{body}");
        })
        .await;
    }
}

/// Unprocessed keys are read again until they are found, or the answer is a 503. A page is never
/// silently shorter.
#[tokio::test]
async fn unprocessed_keys_are_never_lost() {
    let query = "fields=productId,description&limit=40";
    undisturbed(async || {
        let (stack, proxy) = shop(&[]);
        let whole = stack.products(query).await.ids("productId");
        assert_eq!(whole.len(), 40);
        proxy.calls();
        proxy.then(&[Fault::Pass, Fault::Unprocess, Fault::Unprocess, Fault::Pass]);
        let answer = stack.products(query).await;
        assert_eq!(answer.ids("productId"), whole, "all of them, in order");
        assert_eq!(proxy.calls(), ["query", "batchgetitem", "batchgetitem", "batchgetitem"]);
    })
    .await;
    // The last key stays unprocessed forever, because the proxy returns half of one key: none. The
    // pauses between the attempts take most of the request's time.
    let for_ever = [vec![Fault::Pass], vec![Fault::Unprocess; 60]].concat();
    const PAUSES: Duration = Duration::from_millis(25 + 50 + 100 + 200 + 400 + 800);
    undisturbed(async || {
        let (stack, proxy) = shop(&[]);
        proxy.only(&for_ever);
        slow(PAUSES);
        is(&stack.products(query).await, 503, "unavailable");
        proxy.only(&for_ever);
        slow(PAUSES);
        is(&stack.orders("expand=items.product&limit=5").await, 503, "unavailable");
    })
    .await;
}

#[tokio::test]
async fn an_item_deleted_between_the_two_reads_is_left_out_and_the_end_is_true() {
    undisturbed(async || {
        let (stack, proxy) = shop(&[]);
        let query = "fields=productId,description&limit=10&sort=price_asc";
        let first = stack.products(query).await;
        let whole =
            stack.products("fields=productId&limit=60&sort=price_asc").await.ids("productId");
        assert_eq!(first.ids("productId"), whole[..10]);
        for victims in [vec![9], (0..10).collect::<Vec<usize>>()] {
            for victim in &victims {
                GONE.lock().unwrap().push(whole[*victim].clone());
            }
            proxy.then(&[Fault::Pass, Fault::After(delete_the_gone)]);
            let page = stack.products(query).await;
            assert_eq!(page.status, 200, "{}", page.body);
            let left: Vec<_> =
                (0..10).filter(|i| !victims.contains(i)).map(|i| whole[i].clone()).collect();
            assert_eq!(page.ids("productId"), left, "left out");
            let next = stack.products(&format!("{query}&cursor={}", page.next().unwrap())).await;
            assert_eq!(next.ids("productId"), whole[10..20], "what follows is what followed");
            for victim in &victims {
                let number: u32 = whole[*victim][2..].parse().unwrap();
                stack.put("products", std::iter::once(crate::stack::product(number)));
            }
        }
    })
    .await;
}

static GONE: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

/// Deletes an item over the wire while the proxy delays the BatchGetItem.
fn delete_the_gone(upstream: &str) {
    for id in GONE.lock().unwrap().drain(..) {
        let body = json!({"TableName": "products", "Key": {"productId": {"S": id}}}).to_string();
        let request = format!(
            "POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: DynamoDB_20120810.DeleteItem\r\ncontent-type: application/x-amz-json-1.0\r\nauthorization: \
             AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0\r\n\
             x-amz-date: 20260101T000000Z\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        use std::io::{Read, Write};
        let mut server = std::net::TcpStream::connect(upstream).unwrap();
        server.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        server.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

/// The first event's call uses the connection that was opened before it.
#[tokio::test]
async fn the_first_call_finds_the_connection_open() {
    undisturbed(async || {
        let (stack, proxy) = shop(&[]);
        let client = stack.client();
        let began = Instant::now();
        client.warm("users", &["userId"]).await;
        note(began.elapsed());
        assert_eq!((proxy.connections(), proxy.calls()), (1, vec!["getitem".to_owned()]));
        let app = stack.app_over(&shop::GET_USER, client);
        let event = crate::stack::event("/v1/users/{userId}", Some("u-1"), "", Some("u-1"), &[]);
        for _ in 0..3 {
            answered(&app, &event.to_string()).await;
        }
        assert_eq!((proxy.connections(), proxy.calls().len()), (1, 3));
    })
    .await;
}

/// Parallel calls have a connection each, and later calls reuse them. A connection that was closed
/// is replaced.
#[tokio::test]
async fn connections_are_used_again_and_replaced() {
    undisturbed(async || {
        let (_stack, proxy, app, event) = four_connections().await;
        proxy.then(&[Fault::Close, Fault::Close, Fault::Close, Fault::Close]);
        answered(&app, &event).await;
        proxy.left(4).await;
        answered(&app, &event).await;
        assert_eq!((proxy.connections(), proxy.calls().len()), (8, 8), "no call was made twice");
        // After a call without an answer the idle connections are dropped, so none of them costs
        // another attempt.
        proxy.then(&[Fault::Hang]);
        let event =
            crate::stack::event("/v1/products", None, "category=laptops&limit=5", None, &[])
                .to_string();
        slow(ATTEMPT);
        answered(&app, &event).await;
        assert_eq!((proxy.connections(), proxy.calls().len()), (9, 2));
    })
    .await;
}

/// Sends an event that must be answered with 200.
async fn answered(app: &App, event: &str) {
    let answer = send_once(app, event).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// Lambda freezes a function between events, and its connections may be lost when it continues.
/// However they were lost, the caller gets an answer.
#[tokio::test]
async fn connections_that_died_during_a_freeze_cost_no_error() {
    for lost in [Thawed::Closed, Thawed::Reset, Thawed::Dropped] {
        undisturbed(async || {
            let (_stack, proxy, app, event) = four_connections().await;
            proxy.thaw(lost);
            slow(if lost == Thawed::Dropped { ATTEMPT } else { Duration::ZERO });
            answered(&app, &event).await;
            // The proxy does not count calls on a dead connection.
            let calls = proxy.calls().len();
            assert!((4..=8).contains(&calls), "{lost:?}: {calls} calls");
            answered(&app, &event).await;
            assert_eq!(proxy.calls().len(), 4, "{lost:?}: the connections are new ones");
        })
        .await;
    }
}

/// Makes a catalogue of four shards behind a proxy, with four connections open and idle.
async fn four_connections() -> (Stack, Proxy, App, String) {
    let (mut stack, proxy) = shop(&[]);
    stack.shards = 4;
    let app = stack.app(&shop::LIST_PRODUCTS);
    let event = crate::stack::event("/v1/products", None, "limit=5", None, &[]).to_string();
    for _ in 0..3 {
        answered(&app, &event).await;
        assert_eq!((proxy.connections(), proxy.calls().len()), (4, 4));
    }
    (stack, proxy, app, event)
}
