//! Any text in place of a document: it is answered or refused, and never with a panic, a 5xx that is
//! the function's own, or errors that are large.
//!
//! A zero byte ends the document. What follows is the JSON of `variables`, up to another zero byte,
//! and `operationName`.
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
    let mut event: Value = serde_json::from_str(event).expect("an event");
    // What is compressed has no size that could be compared.
    event["headers"]["accept-encoding"] = "identity".into();
    Server {
        interface: Interface::new("graphql", PATHS, configs, &fuzz::client()).expect("routes"),
        endpoint: Endpoint::new(shop::ROUTES, options).expect("a schema"),
        runtime: Builder::new_current_thread().enable_all().build().expect("a runtime"),
        event,
    }
});

/// The errors of an answer have at most 16 KiB, and there is no more in it but names.
const MAX_REFUSAL: usize = 20 << 10;

fuzz_target!(|input: &str| {
    let Server { interface, endpoint, runtime, event } = &*SERVER;
    let mut event = event.clone();
    let mut parts = input.splitn(3, '\0');
    let mut part = || parts.next().filter(|part| !part.is_empty());
    let (document, variables, name) = (part(), part(), part());
    // As it is: it need not be JSON.
    let variables = variables.unwrap_or("null");
    event["body"] = format!(
        r#"{{"query":{},"operationName":{},"variables":{variables}}}"#,
        json!(document),
        json!(name)
    )
    .into();
    let handler =
        async |interface: &Interface, call: &api::Call| endpoint.answer(interface, call).await;
    let (response, line) =
        runtime.block_on(interface.respond(&event.to_string(), "fuzz", Duration::ZERO, &handler));
    let status = response.status_code;
    assert!(matches!(status, 200 | 400 | 413 | 422 | 503 | 504), "{status}");
    let length = response.body.as_deref().map_or(0, <[u8]>::len);
    assert!(status == 200 || length < MAX_REFUSAL, "{status}: {length} bytes");
    serde_json::from_str::<Value>(&line).expect("the log line is JSON");
});
