//! Any text in place of an event: each function answers, and never with a panic or a 5xx.
#![no_main]

use std::sync::LazyLock;

use api::App;
use libfuzzer_sys::fuzz_target;

static APPS: LazyLock<Vec<App>> = LazyLock::new(fuzz::apps);

fuzz_target!(|event: &str| {
    for app in &*APPS {
        fuzz::send(app, event);
    }
});
