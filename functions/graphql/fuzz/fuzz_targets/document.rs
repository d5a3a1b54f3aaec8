//! Any text in place of a document: it is answered or refused, and never with a panic or a 5xx that
//! is the function's own.
//!
//! The requests have no time left and no database is there, so a read ends with 504, or with 503 if
//! its connection is refused before its time is looked at.
#![no_main]

use std::{sync::LazyLock, time::Duration};

use api::Interface;
use graphql::{Endpoint, Options, PATHS};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

struct Server {
    interface: Interface,
    endpoint: Endpoint,
    runtime: Runtime,
    event: Value,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let configs = shop::ROUTES.iter().map(|route| fuzz::config(route)).collect();
    let on = |name: &str| (name == "GRAPHQL_INTROSPECTION").then(|| "on".to_owned());
    let options = Options::read(on).expect("options that are valid");
    let event = include_str!("../../events/graphql.public.json");
    Server {
        interface: Interface::new("graphql", PATHS, configs, &fuzz::client()).expect("routes"),
        endpoint: Endpoint::new(shop::ROUTES, options).expect("a schema"),
        runtime: Builder::new_current_thread().enable_all().build().expect("a runtime"),
        event: serde_json::from_str(event).expect("an event"),
    }
});

fuzz_target!(|document: &str| {
    let Server { interface, endpoint, runtime, event } = &*SERVER;
    let mut event = event.clone();
    event["body"] = json!({ "query": document }).to_string().into();
    let handler = async |interface: &Interface, call: &api::Call| endpoint.answer(interface, call).await;
    let (response, line) = runtime.block_on(interface.respond(
        &event.to_string(),
        "fuzz",
        Duration::ZERO,
        &handler,
    ));
    let status = response.status_code;
    assert!(matches!(status, 200 | 400 | 413 | 422 | 503 | 504), "{status}");
    serde_json::from_str::<Value>(&line).expect("the log line is JSON");
});
