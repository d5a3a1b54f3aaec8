//! Finds what a bundle's declarations say wrongly, so that a test refuses it before a caller gets a
//! wrong answer.
//!
//! [`check`](crate::check) runs when a bundle compiles and stops at the first mistake. [`mistakes`]
//! runs in a test and lists all of them. It reads the declarations only; whether `template.yaml`
//! agrees with them is the contract test's task.

mod list;

use std::collections::BTreeSet;
use std::fmt::Display;

use projection::attribute_in;

use crate::route::{
    Access, Field, Index, Kind, Policy, Projects, Resource, Route, Shape, parameter,
};

/// The number of attributes that an index can INCLUDE, and the number over all indexes of a table
/// ([quotas](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-secondary-indexes)).
const INCLUDED: (usize, usize) = (20, 100);
/// The environment variables that have another meaning.
const TAKEN: [&str; 6] = [
    "CATALOG_SHARDS",
    "CURSOR_SECRET",
    "CURSOR_SECRET_PREVIOUS",
    "LOG_LEVEL",
    "READ_ANY_SCOPE",
    "SERVER_TIMING",
];

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
        of_resource(resource, &mut wrong);
        for other in
            resources.iter().take(i).filter(|other| other.table_variable == resource.table_variable)
        {
            of_shared_table(resource, other, &mut wrong);
        }
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
    let plain = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    wrong.unless(plain(name), "the name of a resource has letters, digits, `-` and `_`");
    let variable = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    wrong.unless(
        !table_variable.is_empty()
            && table_variable.chars().all(variable)
            && !TAKEN.contains(&table_variable),
        format_args!("`{table_variable}` cannot be the variable of a table"),
    );
    of_fields(fields, wrong);
    for attribute in twice(fields.iter().map(Field::attribute).collect()) {
        wrong.add(format_args!("two fields are in the attribute `{attribute}`"));
    }
    for (attribute, text) in resource.fixed {
        wrong.unless(
            !text.is_empty(),
            format_args!("the fixed attribute `{attribute}` has an empty text"),
        );
        wrong.unless(
            !attribute_in(fields, attribute),
            format_args!("the attribute `{attribute}` is fixed and a field's"),
        );
    }
    for key in table.key {
        let fixed = resource.fixed.iter().any(|(attribute, _)| attribute == key);
        match fields.iter().find(|field| field.attribute() == *key) {
            Some(field) => {
                wrong.unless(
                    is_scalar(field.kind),
                    format_args!("the key attribute `{key}` is no text, number or time"),
                );
                wrong.unless(
                    summary.contains(&field.name),
                    format_args!("the summary lacks `{}`, which is in the key", field.name),
                );
            }
            None => wrong.unless(
                fixed,
                format_args!("the key attribute `{key}` is neither a field's nor fixed"),
            ),
        }
    }
    for name in summary {
        wrong.unless(
            kind_of(fields, name).is_some(),
            format_args!("the summary's `{name}` is no field"),
        );
    }
    for name in twice(summary.to_vec()) {
        wrong.add(format_args!("the summary names `{name}` twice"));
    }
    if let Some(name) = modified {
        let time = matches!(kind_of(fields, name), Some(Kind::Timestamp | Kind::Epoch(_)));
        wrong.unless(time, format_args!("`modified` is `{name}`, which is no field with a time"));
    }
    for mistake in table.mistakes() {
        wrong.add(mistake);
    }
    let names: Vec<_> = table.indexes.iter().filter_map(|index| index.name).collect();
    for name in twice(names) {
        wrong.add(format_args!("two indexes have the name {name}"));
    }
    let included: Vec<_> =
        table.indexes.iter().map(|index| (index, included(resource, index))).collect();
    for (index, count) in &included {
        let name = index.name.unwrap_or("the table itself");
        wrong.unless(
            *count <= INCLUDED.0,
            format_args!("{name} projects {count} attributes, and DynamoDB takes {}", INCLUDED.0),
        );
    }
    let count: usize = included.iter().map(|(_, count)| count).sum();
    wrong.unless(
        count <= INCLUDED.1,
        format_args!(
            "the indexes project {count} attributes, and DynamoDB takes {} a table",
            INCLUDED.1
        ),
    );
}

/// Returns the number of attributes that the index names in addition to the keys.
fn included(resource: &Resource, index: &Index) -> usize {
    match index.projects {
        Projects::All => 0,
        Projects::Attributes(names) => names
            .iter()
            .filter(|name| !index.is_key(name) && !resource.table.key.contains(name))
            .count(),
    }
}

/// Two resources in one table have the same keys and indexes, and something that tells their items
/// apart.
fn of_shared_table(resource: &Resource, other: &Resource, wrong: &mut Wrong) {
    let with = format_args!("{}, with which it shares {}", other.name, resource.table_variable);
    wrong.unless(
        resource.table.key == other.table.key,
        format_args!("its key is not that of {with}"),
    );
    let marks = |resource: &Resource| {
        let prefixes = resource.fields.iter().filter_map(|field| match field.kind {
            Kind::Prefixed { attribute, prefix } => Some((attribute, prefix, true)),
            _ => None,
        });
        resource
            .fixed
            .iter()
            .map(|(attribute, text)| (*attribute, *text, false))
            .chain(prefixes)
            .collect::<Vec<_>>()
    };
    let apart = marks(resource).iter().any(|(attribute, text, is_prefix)| {
        marks(other).iter().any(|(same, other, other_is_prefix)| {
            let both = (*is_prefix && other.starts_with(text))
                || (*other_is_prefix && text.starts_with(other))
                || text == other;
            attribute == same && !both
        })
    });
    wrong.unless(apart, format_args!("nothing tells its items from those of {with}: give them another prefix or a fixed attribute"));
}

fn of_fields(fields: &[Field], wrong: &mut Wrong) {
    for name in twice(fields.iter().map(|field| field.name).collect()) {
        wrong.add(format_args!("two fields have the name `{name}`"));
    }
    for Field { name, kind, about } in fields {
        let writable = |c: char| !c.is_control() && !c.is_whitespace() && !",.()".contains(c);
        wrong.unless(
            !name.is_empty() && name.chars().all(writable),
            format_args!("no caller can write the field's name `{name}`"),
        );
        wrong.unless(
            about.ends_with('.'),
            format_args!("the description of the field `{name}` is no sentence"),
        );
        if let Some(members) = kind.members() {
            wrong.unless(!members.is_empty(), format_args!("the field `{name}` has no members"));
            of_fields(members, wrong);
            for member in
                members.iter().filter(|member| matches!(member.kind, Kind::Prefixed { .. }))
            {
                wrong.add(format_args!(
                    "the member `{}` of `{name}` has a prefix, which only fields of the top level can have",
                    member.name
                ));
            }
        }
    }
}

fn of_route(route: &'static Route, resources: &[&'static Resource], wrong: &mut Wrong) {
    let Route { name, path, about, resource, access, .. } = *route;
    let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    wrong.unless(
        !name.is_empty() && name.chars().all(kebab),
        "the name of a route has small letters, digits and `-`",
    );
    wrong.unless(about.ends_with('.'), "the description of a route is a sentence");
    for read in route.resources() {
        let declared = resources.iter().any(|resource| resource.name == read.name);
        wrong.unless(
            declared,
            format_args!("the resource {} is not among the bundle's resources", read.name),
        );
    }
    if access != Access::Public {
        let kept = matches!(resource.policy, Policy::Public { .. });
        wrong.unless(
            !kept,
            format_args!(
                "the cache policy of {} is public, so shared caches would keep a caller's own data",
                resource.name
            ),
        );
    }

    let literal = |segment: &str| {
        !segment.is_empty()
            && segment.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c))
    };
    let segments = path.strip_prefix('/').map(|path| path.split('/'));
    let readable = segments.is_some_and(|mut segments| {
        segments.all(|segment| {
            parameter(segment).is_some_and(|name| !name.is_empty()) || literal(segment)
        })
    });
    wrong.unless(
        readable,
        format_args!("the path {path} is not made of words and parameters such as `{{name}}`"),
    );
    for name in twice(route.parameters().collect()) {
        wrong.add(format_args!("the path {path} has the parameter `{name}` twice"));
    }
    for name in route.parameters() {
        match kind_of(resource.fields, name) {
            None => wrong.add(format_args!(
                "the path's parameter `{name}` is no field of {}",
                resource.name
            )),
            Some(Kind::Text | Kind::Number | Kind::Integer | Kind::Prefixed { .. }) => {}
            Some(_) => {
                wrong.add(format_args!("the path's parameter `{name}` is no text or number"))
            }
        }
    }
    if let Access::Owner { field, claim } = access {
        let text =
            matches!(kind_of(resource.fields, field), Some(Kind::Text | Kind::Prefixed { .. }));
        wrong.unless(
            text,
            format_args!("the owner's field `{field}` is no text field of {}", resource.name),
        );
        wrong.unless(!claim.is_empty(), "the claim that names the owner has no name");
    }
    if let Access::Scope(scope) = access {
        let word = !scope.is_empty()
            && scope.chars().all(|c| matches!(c, '!' | '#'..='[' | ']'..='~') && c != ',');
        wrong.unless(
            word,
            format_args!("`{scope}` is no scope (RFC 6749, section 3.3, without a comma)"),
        );
    }
    match &route.shape {
        Shape::One => of_item(route, wrong),
        Shape::List(declared) => list::of_list(route, declared, wrong),
    }
}

/// The path, the owner and the fixed attributes give the item's key, and the path has nothing more.
fn of_item(route: &'static Route, wrong: &mut Wrong) {
    let Route { path, resource, .. } = *route;
    let owner = owner(route);
    for key in resource
        .table
        .key
        .iter()
        .filter(|key| resource.fixed.iter().all(|(attribute, _)| attribute != *key))
    {
        let Some(field) = resource.fields.iter().find(|field| field.attribute() == *key) else {
            continue;
        };
        let given = owner == Some(field.name) || route.parameters().any(|name| name == field.name);
        wrong.unless(
            given,
            format_args!(
                "the path {path} does not give `{}`, which is in the item's key",
                field.name
            ),
        );
    }
    for name in route.parameters() {
        let used = resource
            .field(name)
            .is_none_or(|field| resource.table.key.contains(&field.attribute()));
        wrong.unless(used, format_args!("the path's parameter `{name}` is not in the item's key, so every value would give the same item"));
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
