//! Schemas: items from the fields of a resource, pages, problems.

use super::{is_of_interfaces, reference};
use api::{
    Expansion, Field, Kind, List, MAX_BODY_BYTES, MAX_LIMIT, Place, ProblemKind, Resource, Route,
    Shape,
};
use pagination::MAX_CURSOR_CHARS;
use serde_json::{Map, Value, json};

/// A cursor's alphabet and length, as a regular expression.
pub(crate) fn cursor_pattern() -> String {
    format!("^[A-Za-z0-9_-]{{1,{MAX_CURSOR_CHARS}}}$")
}

/// The name of the schema of one item: `BlogPost` of `blog-posts`.
pub(crate) fn item_name(resource: &Resource) -> String {
    let name = match resource.name.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => resource.name.strip_suffix('s').unwrap_or(resource.name).to_owned(),
    };
    name.split('-').map(capitalized).collect()
}

/// The name of the schema of a route's page: `BlogPostPage`, or `ListBlogPostsPage` if several
/// lists show the resource, because their limits and expansions differ.
pub(crate) fn page_name(route: &Route, routes: &[&Route]) -> String {
    let lists = of_resource(route.resource, routes).filter(|route| route.is_list()).count();
    if lists > 1 { of_route(route, "page") } else { item_name(route.resource) + "Page" }
}

/// The name of the schema of an item on a route's page: that of the resource, or one of its own if
/// lists of the resource put different items into theirs.
fn listed_name(route: &Route, routes: &[&Route]) -> String {
    match (within(route), same_within(route.resource, routes)) {
        (Some(_), None) => of_route(route, "item"),
        _ => item_name(route.resource),
    }
}

/// The name of the schema of the fields that an expansion shows: `BlogPostSummary`, or one of its
/// own if expansions show different fields of the resource.
fn summary_name(route: &Route, expansion: &Expansion, routes: &[&Route]) -> String {
    let mut all = routes.iter().flat_map(|route| route.expansions());
    let same = all.all(|other| {
        other.resource.name != expansion.resource.name || other.fields == expansion.fields
    });
    if same { item_name(expansion.resource) + "Summary" } else { of_route(route, expansion.name) }
}

/// `ListBlogPostsPage` of the route `list-blog-posts` and `page`.
fn of_route(route: &Route, part: &str) -> String {
    route.name.split('-').chain(part.split('.')).map(capitalized).collect()
}

fn of_resource<'a>(
    resource: &Resource,
    routes: &'a [&'a Route],
) -> impl Iterator<Item = &'a Route> {
    routes.iter().copied().filter(|route| route.resource.name == resource.name)
}

/// The expansion that a route puts into its items.
fn within(route: &Route) -> Option<&'static Expansion> {
    let mut all = route.expansions().iter();
    all.find(|expansion| matches!(expansion.place, Place::Within { .. }))
}

/// A list of a resource that puts an expansion into its items, if every other one that does puts in
/// the same; `None` if they differ.
fn same_within<'a>(resource: &Resource, routes: &'a [&'a Route]) -> Option<Option<&'a Route>> {
    let mut all = of_resource(resource, routes).filter(|route| within(route).is_some());
    let first = all.next();
    let what =
        |route: &Route| within(route).map(|of| (of.name, of.resource.name, of.fields, of.place));
    all.all(|other| what(other) == first.and_then(what)).then_some(first)
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + chars.as_str())
        .unwrap_or_default()
}

/// Every schema of these routes.
pub(crate) fn schemas(routes: &[&Route]) -> Value {
    let mut members = Map::new();
    let mut add = |name: String, schema: Value| {
        members.entry(name).or_insert(schema);
    };
    for route in routes {
        let resource = route.resource;
        let own = |route| within(route).map(|of| (of, summary_name(route, of, routes)));
        let name = listed_name(route, routes);
        let whose = match same_within(resource, routes) {
            Some(same) => same,
            None => Some(*route).filter(|_| name != item_name(resource)),
        };
        add(name, item(resource, whose.and_then(own)));
        if let Shape::List(list) = &route.shape {
            add(page_name(route, routes), page(route, list, routes));
        }
        for expansion in route.expansions() {
            let shown: Vec<_> = expansion
                .resource
                .fields
                .iter()
                .filter(|field| expansion.fields.contains(&field.name))
                .collect();
            let about = format!("What other answers show of the {}.", expansion.resource.name);
            add(summary_name(route, expansion, routes), described(object(&shown, None), &about));
        }
    }
    add("PageInfo".to_owned(), page_info());
    add("Problem".to_owned(), problem());
    add("ParameterError".to_owned(), parameter_error());
    add("GatewayMessage".to_owned(), gateway_message());
    Value::Object(members)
}

/// A schema with a description, which comes last.
fn described(mut schema: Value, about: &str) -> Value {
    schema["description"] = about.into();
    schema
}

/// An item. Nothing is required: an item has the fields that were chosen, less those that it lacks.
fn item(resource: &Resource, within: Within) -> Value {
    let fields: Vec<_> = resource.fields.iter().collect();
    let about = format!(
        "One of the {}. It has exactly the fields that were chosen, less those that this one lacks.",
        resource.name
    );
    described(object(&fields, within.as_ref()), &about)
}

/// An expansion within an item, and the name of the schema of what it shows.
type Within = Option<(&'static Expansion, String)>;

/// A closed object of these fields; an expansion puts a member into the elements of one of its
/// lists.
fn object(fields: &[&Field], within: Option<&(&'static Expansion, String)>) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let within = within.and_then(|(expansion, schema)| match expansion.place {
            Place::Within { join, member } if join.list == field.name => {
                Some((member, expanded(expansion, schema)))
            }
            Place::Within { .. } | Place::NextToItems => None,
        });
        properties.insert(field.name.to_owned(), described(kind(field.kind, within), field.about));
    }
    closed(Value::Object(properties), &[])
}

fn kind(kind: Kind, within: Option<(&str, Value)>) -> Value {
    let below = |members: &'static [Field]| object(&members.iter().collect::<Vec<_>>(), None);
    match kind {
        Kind::Text | Kind::Prefixed { .. } => json!({ "type": "string" }),
        Kind::Number => json!({ "type": "number" }),
        Kind::Integer => json!({ "type": "integer" }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Timestamp | Kind::Epoch(_) => json!({ "type": "string", "format": "date-time" }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Object(members) => below(members),
        Kind::Objects(members) => {
            let mut element = below(members);
            if let Some((member, schema)) = within {
                element["properties"][member] = schema;
            }
            json!({ "type": "array", "items": element })
        }
    }
}

/// The member that an expansion adds.
fn expanded(expansion: &Expansion, schema: &str) -> Value {
    let about = format!("With `expand={}`, unless it has vanished.", expansion.name);
    described(reference("schemas", schema), &about)
}

/// An object that has no other members than these.
fn closed(properties: Value, required: &[&str]) -> Value {
    let mut schema = json!({ "type": "object", "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema["properties"] = properties;
    schema
}

fn page(route: &Route, offers: &List, routes: &[&Route]) -> Value {
    let item = reference("schemas", &listed_name(route, routes));
    let items = json!({ "type": "array", "maxItems": offers.limits.greatest(), "items": item });
    let mut properties = json!({ "items": items });
    for expansion in
        offers.expansions.iter().filter(|expansion| expansion.place == Place::NextToItems)
    {
        properties[expansion.name] = expanded(expansion, &summary_name(route, expansion, routes));
    }
    let partial: Map<_, _> = offers
        .expansions
        .iter()
        .map(|expansion| (expansion.name.to_owned(), json!({ "const": "partial" })))
        .collect();
    if !partial.is_empty() {
        let about = format!(
            "Names the expansions that are not complete: with the first item of the page they have more than an answer of {MAX_BODY_BYTES} bytes \
             can hold, or more than can be read in time. Of the items that it names, the first ones are given; an item that would stand next to it is left out."
        );
        properties["expansion"] = described(closed(Value::Object(partial), &[]), &about);
    }
    properties["page"] = reference("schemas", "PageInfo");
    described(
        closed(properties, &["items", "page"]),
        &format!("A page of {}.", route.resource.name),
    )
}

fn page_info() -> Value {
    let cursor = |about: &str| json!({ "type": ["string", "null"], "maxLength": MAX_CURSOR_CHARS, "pattern": cursor_pattern(), "description": about });
    let properties = json!({
        "limit": {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_LIMIT,
            "description": "The `limit` of this page; the default of its list if none was given.",
        },
        "next": cursor("The `cursor` of the page after this one; null at the end."),
        "prev": cursor("The `cursor` of the page before this one; null at the beginning."),
    });
    described(closed(properties, &["limit", "next", "prev"]), "Where this page stands in its list.")
}

fn text(about: &str) -> Value {
    json!({ "type": "string", "description": about })
}

fn problem() -> Value {
    let kinds = ProblemKind::ALL.into_iter().filter(|kind| !is_of_interfaces(*kind));
    let types: Vec<_> = kinds.clone().map(ProblemKind::uri).collect();
    let mut statuses: Vec<_> = kinds.map(|kind| kind.status().as_u16()).collect();
    statuses.dedup();
    let properties = json!({
        "type": { "type": "string", "format": "uri-reference", "enum": types },
        "title": text("The same for every problem of the type."),
        "status": { "type": "integer", "enum": statuses },
        "detail": text("What to do about it."),
        "instance": text("The id of the request, for whoever looks into the log."),
        "errors": {
            "type": "array",
            "minItems": 1,
            "maxItems": 32,
            "items": reference("schemas", "ParameterError"),
            "description": "Of `/problems/invalid-parameter`: all that is wrong, not the first thing alone.",
        },
        "violated-policies": {
            "type": "array",
            "minItems": 1,
            "items": { "type": "string" },
            "description": "Of `/problems/quota-exceeded`: the names in `RateLimit-Policy` that the request would exceed.",
        },
    });
    let about = "RFC 9457. docs/problems.md has a section for each `type`.";
    described(closed(properties, &["type", "title", "status", "detail", "instance"]), about)
}

fn parameter_error() -> Value {
    let mut parameter = text("The parameter, as it was written.");
    parameter["maxLength"] = 64.into();
    let properties = json!({
        "parameter": parameter,
        "detail": text("What is wrong, and what would be valid."),
        "suggestion": text("The nearest valid name or value, if one is near."),
    });
    closed(properties, &["parameter", "detail"])
}

fn gateway_message() -> Value {
    let about = "What API Gateway answers by itself, before or in place of a function. It is no problem document.";
    described(closed(json!({ "message": { "type": "string" } }), &["message"]), about)
}

/// A problem of one of these kinds, which have one status.
pub(crate) fn problem_of(kinds: &[ProblemKind]) -> Value {
    let mut schema = reference("schemas", "Problem");
    let types: Vec<_> = kinds.iter().map(|kind| kind.uri()).collect();
    let status = kinds.first().map_or(0, |kind| kind.status().as_u16());
    schema["properties"] = json!({ "type": { "enum": types }, "status": { "const": status } });
    schema
}
