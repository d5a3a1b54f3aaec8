//! Finds what a bundle's declarations say wrongly, so that a test refuses it before a caller gets a
//! wrong answer.
//!
//! [`check`](crate::check) runs when a bundle compiles and stops at the first mistake. [`mistakes`]
//! runs in a test and lists all of them. It reads the declarations only; whether `template.yaml`
//! agrees with them is the contract test's task.

mod list;
mod resource;
mod route;

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::route::{Access, Field, Kind, Resource, Route};

/// Returns everything that the declarations say wrongly, one sentence each, which begins with the
/// name of the route or resource; empty if nothing is wrong. Call it in a test, not for each
/// request.
///
/// A declaration is wrong if it cannot be served (no index serves a filter and a sort), if its
/// answer would be wrong (a public list whose path parameter selects nothing), or if it would show
/// or keep what it must not (a private route with a public cache policy).
#[must_use]
pub fn mistakes(resources: &[&'static Resource], routes: &[&'static Route]) -> Vec<String> {
    let mut all = Vec::new();
    for (what, names) in [
        ("resources have this name", resources.iter().map(|resource| resource.name).collect()),
        ("routes have this name", routes.iter().map(|route| route.name).collect()),
        ("routes have this path", routes.iter().map(|route| route.path).collect::<Vec<_>>()),
    ] {
        all.extend(twice(names).iter().map(|name| format!("{name}: two {what}")));
    }
    for (i, resource) in resources.iter().enumerate() {
        let mut wrong = Wrong::of(resource.name);
        resource::of_resource(resource, &mut wrong);
        for other in
            resources.iter().take(i).filter(|other| other.table_variable == resource.table_variable)
        {
            resource::of_shared_table(resource, other, &mut wrong);
        }
        all.append(&mut wrong.found);
    }
    for route in routes {
        let mut wrong = Wrong::of(route.name);
        route::of_route(route, resources, &mut wrong);
        all.append(&mut wrong.found);
    }
    all
}

/// The mistakes of one declaration.
struct Wrong {
    name: &'static str,
    found: Vec<String>,
}

impl Wrong {
    fn of(name: &'static str) -> Self {
        Self { name, found: Vec::new() }
    }

    /// Adds a sentence.
    fn add(&mut self, sentence: impl Display) {
        self.found.push(format!("{}: {sentence}", self.name));
    }

    /// Adds a sentence unless `holds`.
    fn unless(&mut self, holds: bool, sentence: impl Display) {
        if !holds {
            self.add(sentence);
        }
    }
}

/// Returns the field that names the owner.
fn owner(route: &Route) -> Option<&'static str> {
    match route.access {
        Access::Owner { field, .. } => Some(field),
        Access::Public | Access::SignedIn | Access::Scope(_) => None,
    }
}

/// Returns the kind of a top-level field.
fn kind_of(fields: &[Field], name: &str) -> Option<Kind> {
    fields.iter().find(|field| field.name == name).map(|field| field.kind)
}

fn is_scalar(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Text
            | Kind::Number
            | Kind::Integer
            | Kind::Timestamp
            | Kind::Epoch(_)
            | Kind::Prefixed { .. }
    )
}

/// Returns the names that come more than once, each once.
fn twice(names: Vec<&'static str>) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    names.into_iter().filter(|name| !seen.insert(*name)).collect()
}
