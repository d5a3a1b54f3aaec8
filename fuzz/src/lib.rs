//! The code that the targets share: the three functions, without a database.
//!
//! A target sends an event to an app and checks the rules for every answer: it has the app's own
//! form, is no 5xx, and can be sent. A panic ends the process, although the app would catch it,
//! because libFuzzer's hook comes first.

use std::{
    borrow::Cow,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use api::{
    App, AppShape, Client, Config, ItemRequest, ListRequest, Problem, ProblemKind, Reply, Request,
    Route,
};
use aws_sdk_dynamodb::config::{Builder, Credentials, Region};
use serde::{Deserialize, de::IgnoredAny};
use shop::ROUTES;

/// The bundle's functions. No database is at their address, and no target calls it.
pub fn apps() -> Vec<App> {
    ROUTES.iter().copied().map(app).collect()
}

fn app(route: &'static Route) -> App {
    App::new(config(route), client())
}

/// The configuration of a function.
pub fn config(route: &'static Route) -> Config {
    let variable = |name: &str| {
        let value = match name {
            "PRODUCTS_TABLE" | "USERS_TABLE" | "ORDERS_TABLE" => "table",
            "CURSOR_SECRET" => "a secret for fuzzing, of more than 32 characters",
            "READ_ANY_SCOPE" => "any",
            _ => return None,
        };
        Some(value.to_owned())
    };
    Config::read(route, variable).expect("an environment that is whole")
}

/// A client of an address at which there is no database.
pub fn client() -> Client {
    let config = Builder::new()
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "fuzz"))
        .endpoint_url("http://127.0.0.1:1");
    Client::new(config)
}

/// Runs the part of a handler that needs no database. A request that passes it gets a 404.
async fn parse_and_plan(app: &App, request: &Request) -> Result<Reply, Problem> {
    match app.shape() {
        AppShape::One(item) => drop(ItemRequest::parse(item, request)?),
        AppShape::List(list) => drop(ListRequest::parse(list, request)?.plan()?),
    }
    Err(ProblemKind::NotFound.into())
}

/// Sends an event, checks the rules for every answer, and returns the status.
pub fn send(app: &App, event: &str) -> i64 {
    let mut answer = pin!(app.respond(event, "fuzz", Duration::from_secs(1), &parse_and_plan));
    let Poll::Ready((response, line)) =
        answer.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("parsing waits for something")
    };
    let status = response.status_code;
    assert!(matches!(status, 400 | 401 | 403 | 404 | 405 | 414), "{status}");
    assert_eq!(response.headers["cache-control"], "no-store");
    assert!(!line.contains('\n'));
    serde_json::from_str::<IgnoredAny>(&line).expect("the log line is JSON");
    let body = response.body.as_deref().unwrap_or_default();
    if body.is_empty() || response.is_base64_encoded {
        return status; // HEAD, or compressed
    }
    let problem: Body<'_> = serde_json::from_slice(body).expect("a problem is JSON");
    assert_eq!((problem.status, problem.instance), (status, "fuzz"));
    assert!(problem.errors.len() <= 32);
    for Wrong { parameter, detail } in &problem.errors {
        assert!(parameter.chars().count() <= 64 && !detail.is_empty());
    }
    status
}

#[derive(Deserialize)]
struct Body<'a> {
    status: i64,
    instance: &'a str,
    #[serde(borrow, default)]
    errors: Vec<Wrong<'a>>,
}

#[derive(Deserialize)]
struct Wrong<'a> {
    #[serde(borrow)]
    parameter: Cow<'a, str>,
    #[serde(borrow)]
    detail: Cow<'a, str>,
}
