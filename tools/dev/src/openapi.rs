//! `openapi.yaml`, the published contract, written from the declarations of `model` and `api`.
//!
//! What a function checks and what the document says are read from the same statics, so a filter, a field or a bound
//! cannot differ. A test fails where the committed file is not what this module writes: `cargo dev openapi` mends it.
//! What no declaration says (status codes that API Gateway answers by itself, what prose a reader needs) stands here.

mod examples;
mod node;
mod parameters;
mod responses;
mod schemas;

use crate::workspace;
use anyhow::{Context as _, Result, anyhow};
use api::{Access, Route, Shape};
use node::{Node, list, map};

/// An entity tag and a date, for examples.
const ETAG: &str = "W/\"Qf1d3bzvtgEwqcMexu1I3w\"";
const DATE: &str = "Sat, 09 Mar 2024 14:00:00 GMT";
/// The document's place in the workspace.
const FILE: &str = "openapi.yaml";
const ABOUT: &str = include_str!("openapi/about.md");

/// The document as YAML, as it stands in `openapi.yaml`.
#[must_use]
pub fn yaml() -> String {
    format!("# Written by `cargo dev openapi` from shared/model and shared/api. Change those, not this.\n{}", document().yaml())
}

/// The document as JSON, its members in the same order.
#[must_use]
pub fn json() -> String {
    serde_json::to_string(&document()).unwrap_or_default()
}

/// Writes `openapi.yaml`, or, to check it, fails if it is not what would be written.
///
/// # Errors
/// If the file cannot be read or written, or differs from what would be written.
pub fn write(check: bool) -> Result<()> {
    let path = workspace::root().join(FILE);
    let text = yaml();
    if !check {
        return std::fs::write(&path, text).with_context(|| format!("cannot write {FILE}"));
    }
    let found = std::fs::read_to_string(&path).with_context(|| format!("cannot read {FILE}"))?;
    match found.lines().zip(text.lines()).position(|(a, b)| a != b) {
        None if found == text => Ok(()),
        line => {
            let line = line.unwrap_or_else(|| found.lines().count().min(text.lines().count())) + 1;
            Err(anyhow!("{FILE} is not what shared/model and shared/api say, from line {line} on: run `cargo dev openapi`"))
        }
    }
}

fn document() -> Node {
    let routes = model::ROUTES;
    map([
        ("openapi", "3.1.1".into()),
        (
            "info",
            map([
                ("title", "Lean Routes".into()),
                ("version", env!("CARGO_PKG_VERSION").into()),
                ("summary", "Read APIs over DynamoDB: the page, the fields and the bytes that were asked for.".into()),
                ("description", ABOUT.trim().into()),
                ("license", map([("name", "MIT OR Apache-2.0".into()), ("identifier", "MIT OR Apache-2.0".into())])),
            ]),
        ),
        ("servers", servers()),
        ("tags", list(model::RESOURCES.iter().map(|resource| map([("name", resource.name.into())])))),
        ("paths", Node::Map(routes.iter().map(|route| (route.path.to_owned(), path(route))).collect())),
        (
            "components",
            map([
                ("securitySchemes", security_schemes()),
                ("parameters", parameters::components()),
                ("headers", responses::headers()),
                ("responses", responses::components(&routes)),
                ("schemas", schemas::schemas(&routes)),
            ]),
        ),
    ])
}

fn servers() -> Node {
    let variable = |default: &str, about: &str| map([("default", default.into()), ("description", about.into())]);
    let variables = map([("api", variable("example", "The HTTP API's id.")), ("region", variable("eu-central-1", "The AWS region."))]);
    list([
        map([("url", "http://localhost:9000".into()), ("description", "The local stack of `cargo dev up`.".into())]),
        map([
            ("url", "https://{api}.execute-api.{region}.amazonaws.com".into()),
            ("description", "A deployed stack; its outputs have the address.".into()),
            ("variables", variables),
        ]),
    ])
}

fn security_schemes() -> Node {
    let about = "An access token (JWT) of the issuer and for an audience that the stack names. Its `sub` is the caller's user id. `cargo dev \
                 token --sub ID` makes one for the local stack.";
    map([(
        "token",
        map([("type", "http".into()), ("scheme", "bearer".into()), ("bearerFormat", "JWT".into()), ("description", about.into())]),
    )])
}

fn path(route: &Route) -> Node {
    map([("parameters", parameters::of(route)), ("get", operation(route, false)), ("head", operation(route, true))])
}

fn operation(route: &Route, head: bool) -> Node {
    let (id, summary) = match head {
        false => (route.name.to_owned(), first_sentence(route.about).to_owned()),
        true => (format!("{}-head", route.name), format!("The headers of `GET {}`, without the body", route.path)),
    };
    let owner = "A caller reads their own; one whose token has the scope `lean-routes/users:read` (the stack may name another) reads any. Anybody \
                 else gets the same 403, whether or not there is such a user.";
    let about = match (route.access, &route.shape) {
        _ if head => "The status and headers are those of GET, but for `Content-Encoding`.".to_owned(),
        (Access::Public, _) => format!("{} No token is needed.", route.about),
        (Access::Owner(_), Shape::One | Shape::List(_)) => format!("{} {owner}", route.about),
    };
    let security = match route.access {
        Access::Public => Node::List(Vec::new()),
        Access::Owner(_) => list([map([("token", Node::List(Vec::new()))])]),
    };
    map([
        ("operationId", id.into()),
        ("tags", list([route.resource.name])),
        ("summary", summary.into()),
        ("description", about.into()),
        ("security", security),
        ("responses", responses::of(route, head)),
    ])
}

/// Without its full stop.
fn first_sentence(text: &str) -> &str {
    text.split(". ").next().unwrap_or(text).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    #[test]
    fn the_committed_document_is_what_the_declarations_say() {
        write(true).unwrap();
    }

    #[test]
    fn yaml_and_json_are_one_document() {
        let json: serde_json::Value = serde_json::from_str(&json()).unwrap();
        assert_eq!(yaml::to_json(&yaml()).unwrap(), json);
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_component_is_used() {
        let document = document();
        let text = document.yaml();
        let components = document.get("components").unwrap();
        for kind in ["parameters", "headers", "responses", "schemas"] {
            let Some(Node::Map(members)) = components.get(kind) else { panic!("no {kind}") };
            for (name, _) in members.iter().filter(|(name, _)| name != "MethodNotAllowed") {
                assert!(text.contains(&format!("'#/components/{kind}/{name}'")), "{kind}/{name} is not used");
            }
            for part in text.split(&format!("'#/components/{kind}/")).skip(1) {
                let name = part.split('\'').next().unwrap();
                assert!(members.iter().any(|(other, _)| other == name), "{kind}/{name} is not there");
            }
        }
    }

    #[test]
    fn each_route_has_get_and_head_and_its_own_parameters() {
        for route in model::ROUTES {
            let document = document();
            let path = document.get("paths").and_then(|paths| paths.get(route.path)).unwrap();
            assert!(path.get("get").is_some() && path.get("head").is_some());
            let Some(Node::List(parameters)) = path.get("parameters") else { panic!("{} has no parameters", route.path) };
            let own = match &route.shape {
                Shape::One => 1,
                Shape::List(list) => api::parameter_names(list).len(),
            };
            let in_path = usize::from(route.path.contains("{id}"));
            assert_eq!(parameters.len(), own + in_path + 4, "{}", route.path);
        }
    }
}
