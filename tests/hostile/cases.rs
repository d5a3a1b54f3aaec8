//! The corpus of hostile events, each with its expected answer.

mod callers;
mod events;
mod queries;

use api::{ProblemKind, Route};
use serde_json::{Value, json};

use crate::stack::event;

/// An event for one of the functions, and its expected answer.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) route: &'static Route,
    pub(crate) event: String,
    pub(crate) answer: Expected,
}

/// The expected answer of a case.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    /// 200 or 304.
    Answered(u16),
    /// A problem of this kind.
    Problem(ProblemKind),
    /// A 400 that names exactly these parameters.
    Wrong(&'static [&'static str]),
}

use Expected::{Answered, Problem};

const OK: Expected = Answered(200);
const MALFORMED: Expected = Problem(ProblemKind::MalformedRequest);
const FORBIDDEN: Expected = Problem(ProblemKind::Forbidden);
const UNAUTHORIZED: Expected = Problem(ProblemKind::Unauthorized);
const NOT_FOUND: Expected = Problem(ProblemKind::NotFound);
const CURSOR: Expected = Problem(ProblemKind::InvalidCursor);
const TOO_LONG: Expected = Problem(ProblemKind::QueryTooLong);

/// Returns all cases, in the order of their declaration.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    events::events(&mut cases);
    events::lambda_http_panics(&mut cases);
    queries::queries(&mut cases);
    queries::parameters(&mut cases);
    queries::hidden_fields(&mut cases);
    queries::cursors(&mut cases);
    callers::ids(&mut cases);
    callers::claims(&mut cases);
    events::headers(&mut cases);
    cases
}

fn case(
    name: impl Into<String>,
    route: &'static Route,
    event: impl Into<String>,
    answer: Expected,
) -> Case {
    Case { name: name.into(), route, event: event.into(), answer }
}

fn good_products(query: &str) -> Value {
    event("/v1/products", None, query, None, &[])
}

fn good_user(id: &str) -> Value {
    event("/v1/users/{userId}", Some(id), "", Some("u-1"), &[])
}

fn good_orders(query: &str) -> Value {
    event("/v1/users/{userId}/orders", Some("u-1"), query, Some("u-1"), &[])
}

/// Returns a valid event with the member at `pointer` replaced.
fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap()[name] = value;
    event
}

/// Returns a valid event, with the text `"@"` replaced by JSON that a `Value` cannot hold.
fn spliced(event: Value, pointer: &str, json: &str) -> String {
    with(event, pointer, json!("@")).to_string().replacen("\"@\"", json, 1)
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
