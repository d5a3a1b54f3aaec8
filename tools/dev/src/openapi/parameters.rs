//! Parameters: names, bounds, patterns and defaults as the functions check them.

use super::node::{Node, list, map, reference};
use super::schemas;
use api::{
    Accepts, DEFAULT_LIMIT, Expansion, Field, Filter, List, MAX_LIMIT, MAX_PAGED_ITEM, MAX_TEXT_CHARS, Resource, Route, Shape, SortOption,
    parameter_names,
};

/// Printable: no control character (Unicode's category Cc).
const PRINTABLE: &str = "^[^\\u0000-\\u001F\\u007F-\\u009F]+$";
/// What a filter takes for a number: 38 digits, as DynamoDB holds them.
const DECIMAL: &str = "^-?[0-9]{1,20}(\\.[0-9]{1,18})?$";
/// The condition headers, with what they do. Any text is taken: RFC 9110 has a malformed one match nothing or be ignored.
const CONDITIONS: [(&str, &str, &str); 4] = [
    (
        "If-None-Match",
        super::ETAG,
        "An `ETag` that you have, or several; 304 if the answer would still have one of them. Goes before `If-Modified-Since`.",
    ),
    ("If-Modified-Since", super::DATE, "A `Last-Modified` that you have; 304 if nothing was changed since. For what has that header."),
    ("If-Match", "*", "412 unless it is `*`: the entity tags of this API are weak, and this comparison is strong."),
    ("If-Unmodified-Since", super::DATE, "412 if the item was changed since."),
];

/// Where the shared ones stand.
pub(crate) fn components() -> Node {
    let mut members: Vec<(String, Node)> = CONDITIONS
        .iter()
        .map(|(name, example, about)| {
            let schema = map([("type", "string".into())]);
            (component_name(name), parameter(name, "header", about, schema, Some((*example).into())))
        })
        .collect();
    let limit = whole(MAX_LIMIT).with("default", DEFAULT_LIMIT);
    members.push((
        "Limit".to_owned(),
        parameter("limit", "query", "How many items a page has. It may change from page to page.", limit, Some(10.into())),
    ));
    let cursor = map([("type", "string".into()), ("minLength", 1.into()), ("maxLength", 512.into()), ("pattern", schemas::CURSOR.into())]);
    let about = "Where to go on: `page.next` or `page.prev` of an answer. It works for three days, and only with the path, filters, sort and \
                 caller that it was made for; `limit` and `fields` may change.";
    members.push(("Cursor".to_owned(), parameter("cursor", "query", about, cursor, Some(super::examples::CURSOR.into()))));
    let about = format!(
        "The page of this number, for people: `(page × limit)` reaches to the item {MAX_PAGED_ITEM}, with filters on what the list is sorted \
         or grouped by; go further with `cursor`. Not together with `cursor`."
    );
    members.push(("Page".to_owned(), parameter("page", "query", &about, whole(MAX_PAGED_ITEM), Some(2.into()))));
    Node::Map(members)
}

/// The parameters of a route.
pub(crate) fn of(route: &Route) -> Node {
    let mut all = Vec::new();
    if route.path.contains("{id}") {
        all.push(id());
    }
    match &route.shape {
        Shape::One => all.push(fields(route.resource, false)),
        Shape::List(list) => all.extend(parameter_names(list).iter().map(|name| listed(name, route.resource, list))),
    }
    all.extend(CONDITIONS.iter().map(|(name, ..)| reference("parameters", &component_name(name))));
    Node::List(all)
}

fn listed(name: &str, resource: &Resource, list: &List) -> Node {
    match name {
        "sort" => sort(list.sorts),
        "fields" => fields(resource, true),
        "expand" => expand(list.expansions),
        "limit" => reference("parameters", "Limit"),
        "cursor" => reference("parameters", "Cursor"),
        "page" => reference("parameters", "Page"),
        name => list.filters.iter().find(|filter| filter.parameter == name).map_or_else(|| map([]), |found| filter(found, resource)),
    }
}

fn filter(filter: &Filter, resource: &Resource) -> Node {
    let of = |name: &str| map([("type", name.into())]);
    let value = super::examples::attribute(resource, filter.attribute);
    let (schema, example): (Node, Option<Node>) = match filter.accepts {
        Accepts::Text => (text(), Some(value)),
        Accepts::OneOf(options) => (of("string").with("enum", list(options.iter().copied())), Some(value)),
        Accepts::AtLeast => (of("string").with("format", "decimal").with("pattern", DECIMAL), Some("4".into())),
        Accepts::AtMost => (of("string").with("format", "decimal").with("pattern", DECIMAL), Some("99.99".into())),
        Accepts::From => (of("string").with("format", "date-time"), Some("2024-01-01T00:00:00Z".into())),
        Accepts::Before => (of("string").with("format", "date-time"), Some("2025-01-01T00:00:00Z".into())),
        Accepts::Positive => (of("boolean"), Some(true.into())),
    };
    let upper = matches!(filter.accepts, Accepts::AtMost | Accepts::Before);
    let about = if upper { format!("{} Not below the lower end, if both are given.", filter.about) } else { filter.about.to_owned() };
    parameter(filter.parameter, "query", &about, schema, example)
}

fn sort(sorts: &[SortOption]) -> Node {
    let meanings: Vec<_> = sorts.iter().map(|sort| format!("`{}`: {}", sort.name, sort.about)).collect();
    let schema = map([("type", "string".into()), ("enum", list(sorts.iter().map(|sort| sort.name)))]);
    let default = sorts.first().map(|sort| Node::from(sort.name));
    let schema = match &default {
        Some(name) => schema.with("default", name.clone()),
        None => schema,
    };
    parameter("sort", "query", &format!("The order. {}.", meanings.join("; ")), schema, default)
}

fn expand(expansions: &[Expansion]) -> Node {
    let names = || list(expansions.iter().map(|expansion| expansion.name));
    let meanings: Vec<_> = expansions.iter().map(|expansion| format!("`{}`: {}", expansion.name, expansion.about)).collect();
    let schema = map([("type", "array".into()), ("minItems", 1.into()), ("items", map([("type", "string".into()), ("enum", names())]))]);
    let about = format!("Related items to put in, separated by commas. {}", meanings.join(" "));
    parameter("expand", "query", &about, schema, Some(names())).with("style", "form").with("explode", false)
}

fn fields(resource: &Resource, summary: bool) -> Node {
    let left_out = if summary { format!("the summary (`{}`)", resource.summary.join("`, `")) } else { "all of them".to_owned() };
    let about = format!(
        "The fields to answer with, separated by commas; dots and parentheses reach into objects. By default {left_out}. \
         A field that an item lacks is left out of it."
    );
    let schema = map([("type", "string".into()), ("minLength", 1.into()), ("pattern", format!("^{}$", selection(resource.fields)).into())]);
    parameter("fields", "query", &about, schema, Some(super::examples::fields(resource).into()))
}

/// The grammar of `fields` (shared/projection) with the names of this resource, as a regular expression; the depth is that of the fields.
fn selection(fields: &[Field]) -> String {
    let member = members(fields);
    format!("{member}(,{member})*")
}

fn members(fields: &[Field]) -> String {
    let member = |field: &Field| match field.kind.members() {
        Some(below) => format!("{}(\\.{}|\\({}\\))?", field.name, members(below), selection(below)),
        None => field.name.to_owned(),
    };
    format!("({})", fields.iter().map(member).collect::<Vec<_>>().join("|"))
}

fn id() -> Node {
    parameter("id", "path", "The user's id; `me` stands for the caller.", text(), Some("me".into())).with("required", true)
}

fn text() -> Node {
    let length = u32::try_from(MAX_TEXT_CHARS).unwrap_or(u32::MAX);
    map([("type", "string".into()), ("minLength", 1.into()), ("maxLength", length.into()), ("pattern", PRINTABLE.into())])
}

fn whole(maximum: u32) -> Node {
    map([("type", "integer".into()), ("minimum", 1.into()), ("maximum", maximum.into())])
}

fn parameter(name: &str, place: &str, about: &str, schema: Node, example: Option<Node>) -> Node {
    let parameter = map([("name", name.into()), ("in", place.into()), ("description", about.into()), ("schema", schema)]);
    match example {
        Some(example) => parameter.with("example", example),
        None => parameter,
    }
}

fn component_name(header: &str) -> String {
    header.replace('-', "")
}
