//! `openapi.json`, the published contract, written from the declarations of `model` and `api`.
//!
//! Functions and document read the same statics, so a filter, a field or a bound cannot differ. A
//! test fails if the committed file differs from this module's output; `cargo dev openapi` writes
//! it again. Facts that are in no declaration (statuses of API Gateway itself, prose for readers)
//! are written here.

mod examples;
mod parameters;
mod responses;
mod schemas;

use crate::bundle::Bundle;
use crate::sample::Sample;
use crate::workspace;
use anyhow::{Context as _, Result, bail};
use api::{Access, ProblemKind, Route};
use examples::Examples;
use serde_json::{Map, Value, json};

/// An entity tag and a date, for examples.
const ETAG: &str = "W/\"Qf1d3bzvtgEwqcMexu1I3w\"";
const DATE: &str = "Sat, 09 Mar 2024 14:00:00 GMT";
/// The document's place in the workspace.
const FILE: &str = "openapi.json";
const ABOUT: &str = include_str!("openapi/about.md");

/// The bundle, with the examples that its documents show.
pub(crate) struct Document<'a> {
    pub(crate) bundle: &'a Bundle,
    pub(crate) examples: Examples<'a>,
}

/// Returns true for the problems that no route answers with, but an interface over several routes.
const fn is_of_interfaces(kind: ProblemKind) -> bool {
    matches!(
        kind,
        ProblemKind::NotAcceptable
            | ProblemKind::ContentTooLarge
            | ProblemKind::UnsupportedMediaType
    )
}

/// Returns the text of `openapi.json`.
#[must_use]
pub fn text(bundle: &Bundle, sample: &Sample) -> String {
    // Writing a tree of strings, numbers and lists cannot fail.
    serde_json::to_string_pretty(&document(bundle, sample)).unwrap_or_default() + "\n"
}

/// Returns the declared fields that no row of the sample has a value of, as `RESOURCE.FIELD`.
#[must_use]
pub fn without_example(bundle: &Bundle, sample: &Sample) -> Vec<String> {
    bundle.resources.iter().flat_map(|resource| Examples(sample).missing(resource)).collect()
}

/// Writes `openapi.json`, or, to check it, fails if it is not what would be written.
///
/// # Errors
/// If the file cannot be read or written, or differs from what would be written, or a field has no
/// value in `samples/`.
pub fn write(check: bool) -> Result<()> {
    let (bundle, sample) = (Bundle::of_workspace()?, Sample::of_workspace()?);
    let missing = without_example(&bundle, &sample);
    if !missing.is_empty() {
        bail!(
            "no row of samples/ has a value of {}: the examples of {FILE} come from there",
            missing.join(", ")
        );
    }
    let path = workspace::root().join(FILE);
    let text = text(&bundle, &sample);
    if !check {
        return std::fs::write(&path, text).with_context(|| format!("cannot write {FILE}"));
    }
    let found = std::fs::read_to_string(&path).with_context(|| format!("cannot read {FILE}"))?;
    if found == text {
        return Ok(());
    }
    let same = found.lines().zip(text.lines()).take_while(|(a, b)| a == b).count();
    bail!(
        "{FILE} is not what shared/model, shared/api and samples/ say, from line {} on: run `cargo dev openapi`",
        same + 1
    )
}

fn document(bundle: &Bundle, sample: &Sample) -> Value {
    let of = &Document { bundle, examples: Examples(sample) };
    let routes = bundle.routes;
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Lean Routes",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Read APIs over DynamoDB: the page, the fields and the bytes that were asked for.",
            "description": ABOUT.trim(),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": servers(),
        "tags": bundle.resources.iter().map(|resource| json!({ "name": resource.name })).collect::<Vec<_>>(),
        "paths": routes.iter().map(|route| (route.path.to_owned(), path(route, of))).collect::<Map<_, _>>(),
        "components": {
            "securitySchemes": security_schemes(),
            "parameters": parameters::components(),
            "headers": responses::headers(),
            "responses": responses::components(routes),
            "schemas": schemas::schemas(routes),
        },
    })
}

/// Returns a reference to a component.
fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

fn servers() -> Value {
    json!([
        { "url": "http://localhost:9000", "description": "The local stack of `cargo dev up`." },
        {
            "url": "https://{api}.execute-api.{region}.amazonaws.com",
            "description": "A deployed stack; its outputs have the address.",
            "variables": {
                "api": { "default": "example", "description": "The HTTP API's id." },
                "region": { "default": "eu-central-1", "description": "The AWS region." },
            },
        },
    ])
}

fn security_schemes() -> Value {
    let about = "An access token (JWT) of the issuer and for an audience that the stack names. Its `sub` is the caller's id. `cargo dev \
                 token --sub ID` makes one for the local stack.";
    json!({ "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": about } })
}

fn path(route: &Route, of: &Document<'_>) -> Value {
    json!({ "parameters": parameters::of(route, of), "get": operation(route, false, of), "head": operation(route, true, of) })
}

fn operation(route: &Route, head: bool, of: &Document<'_>) -> Value {
    let (id, summary) = match head {
        false => (route.name.to_owned(), first_sentence(route.about).to_owned()),
        true => (
            format!("{}-head", route.name),
            format!("The headers of `GET {}`, without the body", route.path),
        ),
    };
    let owner = format!(
        "A caller reads their own; one whose token has the scope `{}` (the stack may name another) reads any. Anybody else gets the same \
         answer, whether or not there is such an item.",
        of.bundle.read_any_scope()
    );
    let about = match (route.access, &route.shape) {
        _ if head => "The status and headers are those of GET.".to_owned(),
        (Access::Public, _) => format!("{} No token is needed.", route.about),
        (Access::SignedIn, _) => format!("{} Any caller with a token reads it.", route.about),
        (Access::Scope(scope), _) => {
            format!("{} The token needs the scope `{scope}`.", route.about)
        }
        (Access::Owner { .. }, _) => format!("{} {owner}", route.about),
    };
    let security = match route.access {
        Access::Public => json!([]),
        Access::SignedIn | Access::Owner { .. } => json!([{ "token": [] }]),
        Access::Scope(scope) => json!([{ "token": [scope] }]),
    };
    json!({
        "operationId": id,
        "tags": [route.resource.name],
        "summary": summary,
        "description": about,
        "security": security,
        "responses": responses::of(route, head, of),
    })
}

/// Returns the text without its full stop.
fn first_sentence(text: &str) -> &str {
    text.split(". ").next().unwrap_or(text).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document of the fixture bundle.
    fn of_shop() -> Value {
        let bundle = Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE).unwrap();
        let sample = Sample::of(bundle.resources, |resource| {
            shop::sample::lines(resource.name).take(20).collect()
        });
        assert_eq!(without_example(&bundle, &sample), Vec::<String>::new());
        document(&bundle, &sample)
    }

    #[test]
    fn a_field_without_a_value_is_named() {
        let bundle = Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE).unwrap();
        let lines = |name: &str| match name {
            "users" => shop::sample::lines(name)
                .take(1)
                .map(|line| line.replace("\"email\"", "\"e\"").replace("\"lat\"", "\"l\""))
                .collect(),
            _ => shop::sample::lines(name).take(20).collect::<Vec<_>>(),
        };
        let sample = Sample::of(bundle.resources, |resource| lines(resource.name));
        assert_eq!(
            without_example(&bundle, &sample),
            ["users.email", "users.address.coordinates.lat"]
        );
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_component_is_used() {
        let document = of_shop();
        let text = document.to_string();
        for kind in ["parameters", "headers", "responses", "schemas"] {
            let members = document["components"][kind].as_object().unwrap();
            for name in members.keys().filter(|name| *name != "MethodNotAllowed") {
                assert!(
                    text.contains(&format!("\"#/components/{kind}/{name}\"")),
                    "{kind}/{name} is not used"
                );
            }
            for part in text.split(&format!("\"#/components/{kind}/")).skip(1) {
                let name = part.split('"').next().unwrap();
                assert!(members.contains_key(name), "{kind}/{name} is not there");
            }
        }
    }

    #[test]
    fn members_stand_in_the_order_in_which_they_are_written() {
        let document = of_shop();
        let names: Vec<_> = document.as_object().unwrap().keys().collect();
        assert_eq!(names, ["openapi", "info", "servers", "tags", "paths", "components"]);
    }

    #[test]
    fn each_route_has_get_and_head_and_its_own_parameters() {
        let document = of_shop();
        for route in shop::ROUTES {
            let path = &document["paths"][route.path];
            assert!(path["get"].is_object() && path["head"].is_object());
            let own = match &route.shape {
                api::Shape::One => 1,
                api::Shape::List(list) => api::parameter_names(list).len(),
            };
            let in_path = route.parameters().count();
            assert_eq!(
                path["parameters"].as_array().unwrap().len(),
                own + in_path + 4,
                "{}",
                route.path
            );
        }
    }
}
