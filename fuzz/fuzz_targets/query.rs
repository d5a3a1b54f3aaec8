//! Any text in place of a query string, on each route: it is accepted, or the answer names its
//! errors.
#![no_main]

use std::sync::LazyLock;

use api::App;
use libfuzzer_sys::fuzz_target;

static APPS: LazyLock<Vec<App>> = LazyLock::new(fuzz::apps);

fuzz_target!(|query: &str| {
    let quoted = serde_json::to_string(query).expect("a string is JSON");
    let event = format!(
        r#"{{"version":"2.0","routeKey":"GET /","rawQueryString":{quoted},"pathParameters":{{"userId":"u-1"}},
            "requestContext":{{"http":{{"method":"GET"}},"authorizer":{{"jwt":{{"claims":{{"sub":"u-1"}}}}}}}}}}"#
    );
    for app in &*APPS {
        let status = fuzz::send(app, &event);
        assert!(matches!(status, 400 | 404 | 414), "{status}");
        assert_eq!(status == 414, query.len() > 4096);
    }
});
