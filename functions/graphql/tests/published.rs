//! The published schema and the trusted documents of the bundle that stands in this repository.

use std::path::Path;

use graphql::{Endpoint, Options};
use serde_json::Value;

use crate::stack;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");

/// After a change of the model, `GRAPHQL_UPDATE=1 cargo test --workspace --test endpoint --
/// published` writes the schema again.
#[test]
fn the_committed_schema_is_what_the_declarations_say() {
    let options = Options { introspection: false, any_document: true };
    let sdl = Endpoint::new(model::ROUTES, options).unwrap().sdl();
    if std::env::var_os("GRAPHQL_UPDATE").is_some() {
        std::fs::write(SCHEMA, &sdl).unwrap();
    }
    let committed = std::fs::read_to_string(SCHEMA).unwrap_or_default();
    assert!(
        committed == sdl,
        "schema.graphql is not what the declarations say; write it with GRAPHQL_UPDATE=1 cargo test --workspace --test endpoint -- published"
    );
}

/// A new field may be added, a field that a client knows may not go.
#[tokio::test]
async fn the_trusted_documents_are_valid_and_within_the_limits() {
    let options = Options { introspection: false, any_document: false };
    let endpoint = Endpoint::new(model::ROUTES, options).unwrap();
    assert_eq!(endpoint.wrong_documents().await, Vec::<String>::new());
}

/// Over the tables of template.yaml and the rows of samples/.
#[tokio::test]
async fn every_event_gets_the_status_that_its_name_states() {
    let server = stack::of_workspace();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut events = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let event = std::fs::read_to_string(&path).unwrap();
        let answer = server.send_event(&event).await;
        let wanted = match name.split('.').nth(1) {
            Some("bad") => 422,
            Some("unauthorized") => 401,
            _ => 200,
        };
        assert_eq!(answer.status, wanted, "{name}: {}", answer.body);
        if wanted == 200 {
            let json = answer.json();
            let nothing = json["data"].as_object().unwrap().values().all(Value::is_null);
            assert!(!nothing, "{name}: {}", answer.body);
            let found = !json["errors"].is_null();
            assert_eq!(found, name.contains("public"), "{name}: {}", answer.body);
        }
        events += 1;
    }
    assert!(events > 3);
}
