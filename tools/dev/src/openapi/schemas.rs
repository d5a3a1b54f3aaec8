//! Schemas: items from the fields of a resource, pages, problems.

use super::node::{Node, list, map, reference};
use api::{DEFAULT_LIMIT, Expansion, Field, Kind, List, MAX_LIMIT, Place, ProblemKind, Resource, Route, Shape};

/// A cursor's alphabet and length.
pub(crate) const CURSOR: &str = "^[A-Za-z0-9_-]{1,512}$";

/// The name of the schema of one item: `Product` of `products`.
pub(crate) fn item_name(resource: &Resource) -> String {
    let name = match resource.name.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => resource.name.strip_suffix('s').unwrap_or(resource.name).to_owned(),
    };
    capitalized(&name)
}

/// The name of the schema of a page: `ProductPage`.
pub(crate) fn page_name(resource: &Resource) -> String {
    item_name(resource) + "Page"
}

/// The name of the schema of the fields that an expansion shows: `UserSummary`.
fn summary_name(expansion: &Expansion) -> String {
    item_name(expansion.resource) + "Summary"
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

/// Every schema of these routes.
pub(crate) fn schemas(routes: &[&Route]) -> Node {
    let mut members: Vec<(String, Node)> = Vec::new();
    let mut add = |name: String, schema: Node| {
        if members.iter().all(|(other, _)| *other != name) {
            members.push((name, schema));
        }
    };
    for route in routes {
        let expansions = match &route.shape {
            Shape::One => [].as_slice(),
            Shape::List(list) => list.expansions,
        };
        add(item_name(route.resource), item(route.resource, expansions));
        if let Shape::List(list) = &route.shape {
            add(page_name(route.resource), page(route.resource, list));
        }
        for expansion in expansions {
            let shown: Vec<_> = expansion.resource.fields.iter().filter(|field| expansion.fields.contains(&field.name)).collect();
            let about = format!("What other answers show of the {}.", expansion.resource.name);
            add(summary_name(expansion), object(&shown, &[]).with("description", about));
        }
    }
    add("PageInfo".to_owned(), page_info());
    add("Problem".to_owned(), problem());
    add("ParameterError".to_owned(), parameter_error());
    add("GatewayMessage".to_owned(), gateway_message());
    Node::Map(members)
}

/// An item. Nothing is required: an item has the fields that were chosen, less those that it lacks.
fn item(resource: &Resource, expansions: &[Expansion]) -> Node {
    let fields: Vec<_> = resource.fields.iter().collect();
    let about = format!("One of the {}. It has exactly the fields that were chosen, less those that this one lacks.", resource.name);
    object(&fields, expansions).with("description", about)
}

/// A closed object of these fields; expansions put a member into the elements of one of its lists.
fn object(fields: &[&Field], expansions: &[Expansion]) -> Node {
    let mut properties = Vec::new();
    for field in fields {
        let within = expansions.iter().find_map(|expansion| match expansion.place {
            Place::Within { join, member } if join.list == field.name => Some((member, expansion)),
            Place::Within { .. } | Place::Beside => None,
        });
        properties.push((field.name.to_owned(), kind(field.kind, within).with("description", field.about)));
    }
    closed(properties, &[])
}

fn kind(kind: Kind, within: Option<(&str, &Expansion)>) -> Node {
    let of = |name: &str| map([("type", name.into())]);
    let below = |members: &'static [Field]| object(&members.iter().collect::<Vec<_>>(), &[]);
    match kind {
        Kind::Text => of("string"),
        Kind::Number => of("number"),
        Kind::Integer => of("integer"),
        Kind::Boolean => of("boolean"),
        Kind::Timestamp => of("string").with("format", "date-time"),
        Kind::Texts => of("array").with("items", of("string")),
        Kind::Object(members) => below(members),
        Kind::Objects(members) => {
            let mut element = below(members);
            if let (Some((member, expansion)), Node::Map(schema)) = (within, &mut element)
                && let Some((_, Node::Map(properties))) = schema.iter_mut().find(|(name, _)| name == "properties")
            {
                let about = format!("With `expand={}`, unless it has vanished.", expansion.name);
                properties.push((member.to_owned(), reference("schemas", &summary_name(expansion)).with("description", about)));
            }
            of("array").with("items", element)
        }
    }
}

fn closed(properties: Vec<(String, Node)>, required: &[&str]) -> Node {
    let schema = map([("type", "object".into()), ("additionalProperties", false.into())]);
    let schema = if required.is_empty() { schema } else { schema.with("required", list(required.iter().copied())) };
    schema.with("properties", Node::Map(properties))
}

fn page(resource: &Resource, offers: &List) -> Node {
    let items = map([("type", "array".into()), ("maxItems", MAX_LIMIT.into()), ("items", reference("schemas", &item_name(resource)))]);
    let mut properties = vec![("items".to_owned(), items)];
    for expansion in offers.expansions.iter().filter(|expansion| expansion.place == Place::Beside) {
        let about = format!("With `expand={}`, unless it has vanished.", expansion.name);
        properties.push((expansion.name.to_owned(), reference("schemas", &summary_name(expansion)).with("description", about)));
    }
    properties.push(("page".to_owned(), reference("schemas", "PageInfo")));
    closed(properties, &["items", "page"]).with("description", format!("A page of {}.", resource.name))
}

fn page_info() -> Node {
    let cursor = |about: &str| {
        map([("type", list(["string", "null"])), ("maxLength", 512.into()), ("pattern", CURSOR.into()), ("description", about.into())])
    };
    let limit = map([
        ("type", "integer".into()),
        ("minimum", 1.into()),
        ("maximum", MAX_LIMIT.into()),
        ("description", format!("The `limit` of this page; {DEFAULT_LIMIT} if none was given.").into()),
    ]);
    let properties = vec![
        ("limit".to_owned(), limit),
        ("next".to_owned(), cursor("The `cursor` of the page after this one; null at the end.")),
        ("prev".to_owned(), cursor("The `cursor` of the page before this one; null at the beginning.")),
    ];
    closed(properties, &["limit", "next", "prev"]).with("description", "Where this page stands in its list.")
}

fn problem() -> Node {
    let text = |about: &str| map([("type", "string".into()), ("description", about.into())]);
    let types = list(ProblemKind::ALL.map(ProblemKind::uri));
    let mut statuses: Vec<u32> = ProblemKind::ALL.map(|kind| u32::from(kind.status().as_u16())).to_vec();
    statuses.dedup();
    let properties = vec![
        ("type".to_owned(), map([("type", "string".into()), ("format", "uri-reference".into()), ("enum", types)])),
        ("title".to_owned(), text("The same for every problem of the type.")),
        ("status".to_owned(), map([("type", "integer".into()), ("enum", list(statuses))])),
        ("detail".to_owned(), text("What to do about it.")),
        ("instance".to_owned(), text("The id of the request, for whoever looks into the log.")),
        (
            "errors".to_owned(),
            map([
                ("type", "array".into()),
                ("minItems", 1.into()),
                ("maxItems", 32.into()),
                ("items", reference("schemas", "ParameterError")),
                ("description", "Of `/problems/invalid-parameter`: all that is wrong, not the first thing alone.".into()),
            ]),
        ),
    ];
    let about = "RFC 9457. docs/problems.md has a section for each `type`.";
    closed(properties, &["type", "title", "status", "detail", "instance"]).with("description", about)
}

fn parameter_error() -> Node {
    let text = |about: &str| map([("type", "string".into()), ("description", about.into())]);
    let properties = vec![
        ("parameter".to_owned(), text("The parameter, as it was written.").with("maxLength", 64)),
        ("detail".to_owned(), text("What is wrong, and what would be valid.")),
        ("suggestion".to_owned(), text("The nearest valid name, if one is near.")),
    ];
    closed(properties, &["parameter", "detail"])
}

fn gateway_message() -> Node {
    let properties = vec![("message".to_owned(), map([("type", "string".into())]))];
    let about = "What API Gateway answers by itself, before or in place of a function. It is no problem document.";
    closed(properties, &["message"]).with("description", about)
}

/// A problem of one of these kinds, which have one status.
pub(crate) fn problem_of(kinds: &[ProblemKind]) -> Node {
    let status = kinds.first().map_or(0, |kind| u32::from(kind.status().as_u16()));
    let properties =
        map([("type", map([("enum", list(kinds.iter().map(|kind| kind.uri())))])), ("status", map([("const", status.into())]))]);
    reference("schemas", "Problem").with("properties", properties)
}
