//! Finds what a bundle's declarations say wrongly, so that a test refuses it before a caller gets a wrong answer.
//!
//! [`check`](crate::check) runs when a bundle compiles and stops at the first mistake. [`mistakes`] runs in a test and lists all of them. It
//! reads the declarations only; whether `template.yaml` agrees with them is the contract test's task.

mod list;

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::route::{Access, Field, Index, Kind, Policy, Projects, Resource, Route, Shape};

/// The number of attributes that an index can INCLUDE, and the number over all indexes of a table
/// ([quotas](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-secondary-indexes)).
const INCLUDED: (usize, usize) = (20, 100);
/// The environment variables that have another meaning.
const TAKEN: [&str; 6] = ["CATALOG_SHARDS", "CURSOR_SECRET", "CURSOR_SECRET_PREVIOUS", "LOG_LEVEL", "READ_ANY_SCOPE", "SERVER_TIMING"];

/// Returns everything that the declarations say wrongly, one sentence each, which begins with the name of the route or resource; empty if
/// nothing is wrong. Call it in a test, not for each request.
///
/// A declaration is wrong if it cannot be served (no index serves a filter and a sort), if its answer would be wrong (a public list whose path
/// parameter selects nothing), or if it would show or keep what it must not (a private route with a public cache policy).
#[must_use]
pub fn mistakes(resources: &[&'static Resource], routes: &[&'static Route]) -> Vec<String> {
    let mut all = Vec::new();
    for (what, names) in [
        ("resources have this name", resources.iter().map(|resource| resource.name).collect()),
        ("resources have this variable", resources.iter().map(|resource| resource.table_variable).collect()),
        ("routes have this name", routes.iter().map(|route| route.name).collect()),
        ("routes have this path", routes.iter().map(|route| route.path).collect::<Vec<_>>()),
    ] {
        all.extend(twice(names).iter().map(|name| format!("{name}: two {what}")));
    }
    for resource in resources {
        let mut wrong = Wrong::of(resource.name);
        of_resource(resource, &mut wrong);
        all.append(&mut wrong.found);
    }
    for route in routes {
        let mut wrong = Wrong::of(route.name);
        of_route(route, resources, &mut wrong);
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

fn of_resource(resource: &Resource, wrong: &mut Wrong) {
    let Resource { name, table_variable, table, fields, summary, modified, .. } = *resource;
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    wrong.unless(plain(name), "the name of a resource has letters, digits, `-` and `_`");
    let variable = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    wrong.unless(
        !table_variable.is_empty() && table_variable.chars().all(variable) && !TAKEN.contains(&table_variable),
        format_args!("`{table_variable}` cannot be the variable of a table"),
    );
    of_fields(fields, wrong);
    wrong.unless(matches!(table.key.len(), 1 | 2), "a table's key has one or two attributes");
    for key in table.key {
        let kind = kind_of(fields, key);
        wrong.unless(kind.is_some(), format_args!("the key attribute `{key}` is no field"));
        wrong.unless(kind.is_none_or(is_scalar), format_args!("the key attribute `{key}` is no text, number or time"));
        wrong.unless(summary.contains(key), format_args!("the summary lacks the key attribute `{key}`"));
    }
    for name in summary {
        wrong.unless(kind_of(fields, name).is_some(), format_args!("the summary's `{name}` is no field"));
    }
    for name in twice(summary.to_vec()) {
        wrong.add(format_args!("the summary names `{name}` twice"));
    }
    if let Some(name) = modified {
        wrong.unless(kind_of(fields, name) == Some(Kind::Timestamp), format_args!("`modified` is `{name}`, which is no field with a time"));
    }
    for mistake in table.mistakes() {
        wrong.add(mistake);
    }
    let names: Vec<_> = table.indexes.iter().filter_map(|index| index.name).collect();
    for name in twice(names) {
        wrong.add(format_args!("two indexes have the name {name}"));
    }
    let included: Vec<_> = table.indexes.iter().map(|index| (index, included(resource, index))).collect();
    for (index, count) in &included {
        let name = index.name.unwrap_or("the table itself");
        wrong.unless(*count <= INCLUDED.0, format_args!("{name} projects {count} attributes, and DynamoDB takes {}", INCLUDED.0));
        if index.sort != index.id || index.name.is_some() {
            let key = index.partition_attributes().iter().copied().chain([index.sort, index.id]).collect();
            for attribute in twice(key) {
                wrong.add(format_args!("the key of {name} has `{attribute}` twice"));
            }
        }
    }
    let count: usize = included.iter().map(|(_, count)| count).sum();
    wrong.unless(count <= INCLUDED.1, format_args!("the indexes project {count} attributes, and DynamoDB takes {} a table", INCLUDED.1));
}

/// Returns the number of attributes that the index names in addition to the keys.
fn included(resource: &Resource, index: &Index) -> usize {
    match index.projects {
        Projects::All => 0,
        Projects::Attributes(names) => names.iter().filter(|name| !index.is_key(name) && !resource.table.key.contains(name)).count(),
    }
}

fn of_fields(fields: &[Field], wrong: &mut Wrong) {
    for name in twice(fields.iter().map(|field| field.name).collect()) {
        wrong.add(format_args!("two fields have the name `{name}`"));
    }
    for Field { name, kind, about } in fields {
        let writable = |c: char| !c.is_control() && !c.is_whitespace() && !",.()".contains(c);
        wrong.unless(!name.is_empty() && name.chars().all(writable), format_args!("no caller can write the field's name `{name}`"));
        wrong.unless(about.ends_with('.'), format_args!("the description of the field `{name}` is no sentence"));
        if let Some(members) = kind.members() {
            wrong.unless(!members.is_empty(), format_args!("the field `{name}` has no members"));
            of_fields(members, wrong);
        }
    }
}

fn of_route(route: &'static Route, resources: &[&'static Resource], wrong: &mut Wrong) {
    let Route { name, path, about, resource, access, .. } = *route;
    let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    wrong.unless(!name.is_empty() && name.chars().all(kebab), "the name of a route has small letters, digits and `-`");
    wrong.unless(about.ends_with('.'), "the description of a route is a sentence");
    for read in route.resources() {
        let declared = resources.iter().any(|resource| resource.name == read.name);
        wrong.unless(declared, format_args!("the resource {} is not among the bundle's resources", read.name));
    }
    if access != Access::Public {
        let kept = matches!(resource.policy, Policy::Public { .. });
        wrong.unless(
            !kept,
            format_args!("the cache policy of {} is public, so shared caches would keep a caller's own data", resource.name),
        );
    }

    let segments = path.strip_prefix('/').unwrap_or_default().split('/');
    let parameters: Vec<_> = segments.clone().filter(|segment| segment.contains(['{', '}'])).collect();
    let literal = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    let readable = segments.clone().all(|segment| segment == "{id}" || (!segment.is_empty() && segment.chars().all(literal)));
    wrong.unless(readable && parameters.len() <= 1, format_args!("the path {path} is not made of words and at most one `{{id}}`"));

    let has_id = !parameters.is_empty();
    match (&route.shape, access) {
        (Shape::One, access) => of_item(route, access, has_id, wrong),
        (Shape::List(_), Access::Public) => {
            wrong.unless(!has_id, format_args!("nothing uses the path parameter of {path}, so every id would give the same list"));
        }
        (Shape::List(_), Access::Owner(_)) => {
            wrong.unless(has_id, format_args!("the list has an owner, and the path {path} does not name one (`{{id}}`)"));
        }
    }
    if let Shape::List(declared) = &route.shape {
        list::of_list(route, declared, wrong);
    }
}

fn of_item(route: &'static Route, access: Access, has_id: bool, wrong: &mut Wrong) {
    let Resource { table, fields, .. } = *route.resource;
    wrong.unless(has_id, format_args!("the path {} does not name the item (`{{id}}`)", route.path));
    if let [key] = table.key {
        let text = kind_of(fields, key).is_none_or(|kind| kind == Kind::Text);
        wrong.unless(text, format_args!("the key attribute `{key}` is no text, and the path's `{{id}}` is"));
        if let Access::Owner(owner) = access {
            wrong.unless(owner == *key, format_args!("the owner is `{owner}`, but the path names the item by `{key}`"));
        }
    } else {
        wrong.add(format_args!("the key has {} attributes ({}), and the path names one", table.key.len(), table.key.join(", ")));
    }
}

/// Returns the kind of a top-level field.
fn kind_of(fields: &[Field], name: &str) -> Option<Kind> {
    fields.iter().find(|field| field.name == name).map(|field| field.kind)
}

fn is_scalar(kind: Kind) -> bool {
    matches!(kind, Kind::Text | Kind::Number | Kind::Integer | Kind::Timestamp)
}

/// Returns true if the attribute is part of a key, of the table or of an index.
fn is_key(resource: &Resource, attribute: &str) -> bool {
    resource.table.key.contains(&attribute) || resource.table.indexes.iter().any(|index| index.is_key(attribute))
}

/// Returns the names that come more than once, each once.
fn twice(names: Vec<&'static str>) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    names.into_iter().filter(|name| !seen.insert(*name)).collect()
}
