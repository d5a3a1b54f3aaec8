//! Hostile events: the function answers each in its own form and keeps running.

mod cases;
pub(crate) mod process;

use std::time::{Duration, Instant};

use serde_json::Value;
use shop::random::Random;
use shop::{GET_USER, LIST_PRODUCTS, LIST_USER_ORDERS, ROUTES};

use crate::{
    stack::{Answer, Stack, event, send_once, send_to},
    undisturbed::undisturbed,
};
use cases::{Case, Expected};

/// Checks an answer to a case, from a handler or a process.
fn check(case: &Case, answer: &Answer) {
    let Case { name, route, answer: expected, .. } = case;
    let context = || {
        format!(
            "{name} ({}): {} {}",
            route.name,
            answer.status,
            answer.body.chars().take(400).collect::<String>()
        )
    };
    assert!(!answer.body.contains("sentinel"), "{}", context());
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{}", context());
    let (status, kind) = match expected {
        Expected::Answered(status) => (*status, None),
        Expected::Problem(kind) => (kind.status().as_u16(), Some(kind.uri())),
        Expected::Wrong(_) => (400, Some("/problems/invalid-parameter")),
    };
    assert_eq!(answer.status, status, "{}", context());
    let Some(kind) = kind else {
        assert_eq!(answer.body.is_empty(), status == 304, "{}", context());
        assert!(status == 304 || answer.json().is_object(), "{}", context());
        return;
    };
    let problem = answer.json();
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", context());
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", context());
    assert_eq!(
        (&problem["type"], &problem["status"]),
        (&Value::from(kind), &Value::from(status)),
        "{}",
        context()
    );
    if let Expected::Wrong(parameters) = expected {
        let mut named: Vec<_> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["parameter"].as_str().unwrap())
            .collect();
        assert!(
            problem["errors"]
                .as_array()
                .unwrap()
                .iter()
                .all(|error| error["detail"].as_str().is_some_and(|detail| !detail.is_empty()))
        );
        named.dedup(); // `fields` may have several errors
        assert_eq!(named, *parameters, "{}", context());
    }
}

#[tokio::test]
async fn each_hostile_event_is_answered_by_the_same_living_app() {
    let stack = Stack::shop();
    let cases = cases::all();
    println!("{} events", cases.len());
    assert!(cases.len() >= 60);
    let apps: Vec<_> = ROUTES.iter().map(|route| stack.app(route)).collect();
    let slowest = Duration::from_secs(2);
    for case in &cases {
        let app = apps.iter().find(|app| app.route().name == case.route.name).unwrap();
        undisturbed(async || {
            let began = Instant::now();
            check(case, &send_once(app, &case.event).await);
            assert!(began.elapsed() < slowest, "{} took {:?}", case.name, began.elapsed());
        })
        .await;
    }
    for (app, good) in apps.iter().zip(good_events()) {
        assert_eq!(send_to(app, &good).await.status, 200);
    }
}

#[tokio::test]
async fn a_hidden_field_is_never_suggested() {
    let stack = Stack::shop();
    for near in [
        "costPric",
        "costprice",
        "shrd",
        "Shard",
        "pasword",
        "passwordhash",
        "dimensions.secre",
        "address.doorCod",
        "items.margn",
    ] {
        for answer in [
            stack.products(&format!("fields={near}")).await,
            stack.user(&format!("fields={near}")).await,
            stack.orders(&format!("fields={near}")).await,
        ] {
            assert_eq!(answer.wrong(), ["fields"]);
            for hidden in [
                "costPrice",
                "shard\"",
                "passwordHash",
                "\"secret",
                "doorCode",
                "margin",
                "paymentToken",
            ] {
                assert!(!answer.body.contains(hidden), "{near}: {}", answer.body);
            }
        }
    }
}

fn good_events() -> [String; 3] {
    [
        event("/v1/products", None, "limit=1", None, &[]),
        event("/v1/users/{userId}", Some("u-1"), "", Some("u-1"), &[]),
        event("/v1/users/{userId}/orders", Some("me"), "limit=1", Some("u-1"), &[]),
    ]
    .map(|event| event.to_string())
}

/// One process answers 200 hostile events in a row from a shuffled corpus: the one that answered
/// the first also answers the last.
#[test]
fn the_process_that_answered_the_first_hostile_event_answers_the_last() {
    let stack = Stack::shop();
    let mut random = Random(20_240_229);
    for (route, good) in
        [&LIST_PRODUCTS, &GET_USER, &LIST_USER_ORDERS].into_iter().zip(good_events())
    {
        let corpus: Vec<_> =
            cases::all().into_iter().filter(|case| case.route.name == route.name).collect();
        let mut order: Vec<usize> = (0..200).map(|number| number % corpus.len()).collect();
        for at in (1..order.len()).rev() {
            order.swap(at, random.below(at + 1));
        }
        let mut function = process::Function::start(route, &stack);
        let first = function.id();
        for at in order {
            check(&corpus[at], &function.answer(&corpus[at].event));
        }
        assert_eq!(function.answer(&good).status, 200);
        assert_eq!(function.still_runs_as(), first, "{}", route.name);
    }
}
