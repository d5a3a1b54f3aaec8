//! Many requests at once through one function, as Lambda delivers them to a function of Lambda
//! Managed Instances. Each gets the answer, the counts and the log line that it gets alone.

use std::time::Duration;

use api::{App, Route};
use futures_util::future::join_all;
use serde_json::{Value, json};
use shop::random::Random;
use shop::{GET_USER, LIST_PRODUCTS, LIST_USER_ORDERS};

use crate::{
    proxy::{Fault, Proxy},
    stack::{Stack, event},
    undisturbed::{note, undisturbed},
};

/// The requests that a function gets at once.
const AT_ONCE: usize = 64;

/// An answer and what its log line says, without what differs from one time to the next.
#[derive(Debug, PartialEq)]
struct Seen {
    status: i64,
    body: String,
    headers: Vec<(String, String)>,
    log: Value,
}

/// Sends an event with this request id.
async fn send(app: &App, event: &str, id: &str) -> Seen {
    let (response, log) = app.respond(event, id, Duration::from_secs(5), &api::answer).await;
    let mut log: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(log["requestId"], id);
    for changing in ["_aws", "requestId", "duration", "database", "coldStart", "coldStarts"] {
        log.as_object_mut().unwrap().remove(changing);
    }
    let wire = serde_json::to_value(&response).unwrap();
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let value = value.to_str().unwrap();
        // The counts of Server-Timing, without its times.
        let value = value.split("desc=").last().unwrap().split(", total").next().unwrap();
        (name.to_string(), value.to_owned())
    };
    let body = wire["body"].as_str().unwrap_or_default().replace(id, "ID");
    assert!(!body.contains("of-request-"), "another request's id: {body}");
    let headers = response.headers.iter().map(header).collect();
    Seen { status: response.status_code, body, headers, log }
}

/// Requests that differ in what they read, in how often, and in whether they are right.
fn requests(route: &Route) -> Vec<String> {
    let of = |number: usize| match route.name {
        "list-products" => {
            let more = [
                "",
                "&category=laptops&sort=price_asc",
                "&fields=productId,description",
                "&page=2&fields=name",
                "&minRating=1",
                "&nonsense=1",
                "&cursor=nonsense",
                "&brand=Rare",
            ];
            let query = format!("limit={}{}", 1 + number / 2, more[number % more.len()]);
            event("/v1/products", None, &query, None, &[])
        }
        "get-user" => {
            let fields = ["userId", "name", "email", "address", "userId,company"];
            let (id, sub) = [("u-1", "u-1"), ("me", "u-2"), ("u-2", "u-1")][number % 3];
            let query = format!("fields={}", fields[number % fields.len()]);
            event("/v1/users/{userId}", Some(id), &query, Some(sub), &[])
        }
        _ => {
            let more = ["", "&expand=customer", "&expand=items.product", "&status=paid,shipped"];
            let query = format!("limit={}{}", 1 + number / 4, more[number % more.len()]);
            event("/v1/users/{userId}/orders", Some("me"), &query, Some("u-1"), &[])
        }
    };
    (0..AT_ONCE).map(|number| of(number).to_string()).collect()
}

/// Sends all requests at once, on one thread as a function has it.
async fn at_once(app: &App, requests: &[String]) -> Vec<Seen> {
    let began = std::time::Instant::now();
    let ids: Vec<_> = (0..requests.len()).map(|number| format!("of-request-{number:02}")).collect();
    let all = join_all(requests.iter().zip(&ids).map(|(event, id)| send(app, event, id))).await;
    note(began.elapsed());
    all
}

async fn each_gets_what_it_gets_alone(stack: &Stack, proxy: &Proxy) {
    for route in [&LIST_PRODUCTS, &GET_USER, &LIST_USER_ORDERS] {
        let app = stack.app(route);
        let requests = requests(route);
        proxy.only(&[]);
        // After the first fetch the client knows how large the items are.
        for event in &requests[..3] {
            send(&app, event, "of-request-al").await;
        }
        let mut alone = Vec::new();
        for event in &requests {
            alone.push(send(&app, event, "of-request-al").await);
        }
        let mut random = Random(1);
        for _ in 0..3 {
            // Calls come back in another order than they were made in.
            let slow = |_| Fault::Slow(Duration::from_millis(random.below(40) as u64));
            proxy.only(&(0..2 * AT_ONCE).map(slow).collect::<Vec<_>>());
            for (number, (seen, alone)) in
                at_once(&app, &requests).await.iter().zip(&alone).enumerate()
            {
                assert_eq!(seen, alone, "{}, request {number}: {}", route.name, requests[number]);
            }
        }
    }
}

#[tokio::test]
async fn sixty_four_requests_at_once_do_not_mix() {
    let mut stack = Stack::shop();
    let proxy = stack.behind(&[]);
    undisturbed(async || each_gets_what_it_gets_alone(&stack, &proxy).await).await;
}

/// One request's failure is its own.
#[tokio::test]
async fn a_request_that_fails_fails_alone() {
    let mut stack = Stack::shop();
    let proxy = stack.behind(&[]);
    undisturbed(async || {
        let app = stack.app(&LIST_PRODUCTS);
        let requests: Vec<_> = (0..AT_ONCE)
            .map(|number| {
                let fields = if number == 7 { "fields=productId,description&" } else { "" };
                let query = format!("{fields}limit={}", 1 + number % 20);
                event("/v1/products", None, &query, None, &[]).to_string()
            })
            .collect();
        proxy.always("batchgetitem", Fault::Reply(200, "{}"), 1);
        for (number, seen) in at_once(&app, &requests).await.iter().enumerate() {
            let status = if number == 7 { 502 } else { 200 };
            assert_eq!(
                (seen.status, &seen.log["status"]),
                (status, &json!(status)),
                "{number}: {}",
                seen.body
            );
        }
    })
    .await;
}
