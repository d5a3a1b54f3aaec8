//! Parameters: names, bounds, patterns and defaults as the functions check them.

use super::{Document, examples, reference, schemas};
use api::{
    Accepts, Access, Expansion, Field, Filter, Kind, Limits, List, MAX_PAGED_ITEM, MAX_TEXT_CHARS,
    Resource, Route, Shape, SortOption, parameter_names,
};
use pagination::{CURSOR_DAYS, MAX_CURSOR_CHARS};
use serde_json::{Map, Value, json};

/// Printable: no control character (Unicode's category Cc).
const PRINTABLE: &str = "^[^\\u0000-\\u001F\\u007F-\\u009F]+$";
/// The numbers that a filter accepts: 38 digits, DynamoDB's limit.
const DECIMAL: &str = "^-?[0-9]{1,20}(\\.[0-9]{1,18})?$";
/// The condition headers and their effects. Any text is accepted: under RFC 9110, a malformed one
/// matches nothing or is ignored.
const CONDITIONS: [(&str, &str, &str); 4] = [
    (
        "If-None-Match",
        super::ETAG,
        "An `ETag` that you have, or several; 304 if the answer would still have one of them. Goes before `If-Modified-Since`.",
    ),
    (
        "If-Modified-Since",
        super::DATE,
        "A `Last-Modified` that you have; 304 if nothing was changed since. For what has that header.",
    ),
    (
        "If-Match",
        "*",
        "412 unless it is `*`: the entity tags of this API are weak, and this comparison is strong.",
    ),
    ("If-Unmodified-Since", super::DATE, "412 if the item was changed since."),
];

/// The parameters that routes share.
pub(crate) fn components() -> Value {
    let mut members = Map::new();
    for (name, example, about) in CONDITIONS {
        let schema = json!({ "type": "string" });
        members.insert(
            component_name(name),
            parameter(name, "header", about, schema, Some(example.into())),
        );
    }
    let mut add = |component: &str, name, about: &str, schema, example| {
        members
            .insert(component.to_owned(), parameter(name, "query", about, schema, Some(example)));
    };
    let about = format!(
        "Where to go on: `page.next` or `page.prev` of an answer. It works for {} days, and only with the path, filters, sort and \
         caller that it was made for; `limit` and `fields` may change.",
        in_words(CURSOR_DAYS)
    );
    let cursor = json!({ "type": "string", "minLength": 1, "maxLength": MAX_CURSOR_CHARS, "pattern": schemas::cursor_pattern() });
    add("Cursor", "cursor", &about, cursor, examples::CURSOR.into());
    let about = format!(
        "The page of this number, for people: `(page × limit)` reaches to the item {MAX_PAGED_ITEM}, with filters on what the list is sorted \
         or grouped by; go further with `cursor`. Not together with `cursor`."
    );
    add("Page", "page", &about, whole(MAX_PAGED_ITEM), 2.into());
    Value::Object(members)
}

/// Returns a small number as a word.
fn in_words(number: u16) -> String {
    const WORDS: [&str; 9] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let word = usize::from(number).checked_sub(1).and_then(|index| WORDS.get(index));
    word.map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

/// The parameters of a route.
pub(crate) fn of(route: &Route, document: &Document<'_>) -> Value {
    let mut all = Vec::new();
    all.extend(route.parameters().map(|name| path_parameter(route, name, document)));
    match &route.shape {
        Shape::One => all.push(fields(route.resource, route.resource.fields, false)),
        Shape::List(list) => {
            all.extend(parameter_names(list).iter().map(|name| listed(name, route, list, document)))
        }
    }
    all.extend(CONDITIONS.iter().map(|(name, ..)| reference("parameters", &component_name(name))));
    Value::Array(all)
}

fn listed(name: &str, route: &Route, list: &List, document: &Document<'_>) -> Value {
    let resource = route.resource;
    match name {
        "sort" => sort(list.sorts),
        "fields" => fields(resource, route.selectable(), true),
        "expand" => expand(list.expansions),
        "limit" => limit(list.limits),
        "cursor" => reference("parameters", "Cursor"),
        "page" => reference("parameters", "Page"),
        name => list
            .filters
            .iter()
            .find(|filter| filter.parameter == name)
            .map_or_else(|| json!({}), |found| filter(found, resource, document)),
    }
}

fn limit(limits: Limits) -> Value {
    let mut schema = whole(limits.greatest());
    schema["default"] = limits.default().into();
    let example = limits.greatest().min(10);
    parameter(
        "limit",
        "query",
        "How many items a page has. It may change from page to page.",
        schema,
        Some(example.into()),
    )
}

fn filter(filter: &Filter, resource: &Resource, document: &Document<'_>) -> Value {
    let value = document.examples.attribute(resource, filter.field);
    let time =
        || json!({ "type": "string", "anyOf": [{ "format": "date-time" }, { "format": "date" }] });
    let (schema, example) = match filter.accepts {
        Accepts::Text => (text(), value),
        Accepts::Prefix => (
            text(),
            value
                .as_str()
                .map_or(Value::Null, |text| text.chars().take(3).collect::<String>().into()),
        ),
        Accepts::OneOf(options) => {
            let schema = json!({ "type": "array", "minItems": 1, "items": { "type": "string", "enum": options } });
            (schema, json!([value]))
        }
        Accepts::Number => (decimal(), value),
        Accepts::Boolean => (json!({ "type": "boolean" }), true.into()),
        Accepts::AtLeast => (decimal(), "4".into()),
        Accepts::AtMost => (decimal(), "99.99".into()),
        Accepts::From => (time(), "2024-01-01T00:00:00Z".into()),
        Accepts::Before => (time(), "2025-01-01T00:00:00Z".into()),
        Accepts::Positive => (json!({ "type": "boolean" }), true.into()),
    };
    let upper = matches!(filter.accepts, Accepts::AtMost | Accepts::Before);
    let about = if upper {
        format!("{} Not below the lower end, if both are given.", filter.about)
    } else {
        filter.about.to_owned()
    };
    let about = if matches!(filter.accepts, Accepts::OneOf(_)) {
        format!("{about} Several values are separated by commas.")
    } else {
        about
    };
    let mut parameter = parameter(filter.parameter, "query", &about, schema, Some(example));
    if matches!(filter.accepts, Accepts::OneOf(_)) {
        comma_separated(&mut parameter);
    }
    parameter
}

fn comma_separated(parameter: &mut Value) {
    parameter["style"] = "form".into();
    parameter["explode"] = false.into();
}

fn sort(sorts: &[SortOption]) -> Value {
    let meanings: Vec<_> =
        sorts.iter().map(|sort| format!("`{}`: {}", sort.name, sort.about)).collect();
    let names: Vec<_> = sorts.iter().map(|sort| sort.name).collect();
    let mut schema = json!({ "type": "string", "enum": names });
    let default = names.first().map(|name| Value::from(*name));
    if let Some(name) = &default {
        schema["default"] = name.clone();
    }
    parameter("sort", "query", &format!("The order. {}.", meanings.join("; ")), schema, default)
}

fn expand(expansions: &[Expansion]) -> Value {
    let names: Vec<_> = expansions.iter().map(|expansion| expansion.name).collect();
    let meanings: Vec<_> = expansions
        .iter()
        .map(|expansion| format!("`{}`: {}", expansion.name, expansion.about))
        .collect();
    let schema =
        json!({ "type": "array", "minItems": 1, "items": { "type": "string", "enum": names } });
    let about = format!("Related items to put in, separated by commas. {}", meanings.join(" "));
    let mut parameter = parameter("expand", "query", &about, schema, Some(json!(names)));
    comma_separated(&mut parameter);
    parameter
}

fn fields(resource: &Resource, selectable: &[Field], summary: bool) -> Value {
    let left_out = if summary {
        format!("the summary (`{}`)", resource.summary.join("`, `"))
    } else {
        "all of them".to_owned()
    };
    let about = format!(
        "The fields to answer with, separated by commas; dots and parentheses reach into objects. By default {left_out}. \
         A field that an item lacks is left out of it.{}",
        if selectable.len() > resource.fields.len() {
            " Fields of related items are named below their expansion, and ask for it."
        } else {
            ""
        }
    );
    let schema = json!({ "type": "string", "minLength": 1, "pattern": format!("^{}$", selection(selectable)) });
    parameter("fields", "query", &about, schema, Some(examples::fields(resource).into()))
}

/// The grammar of `fields` (shared/projection) with the names of this resource, as a regular
/// expression; the depth is that of the fields.
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

/// A path parameter, as the field that it stands for is declared.
fn path_parameter(route: &Route, name: &'static str, document: &Document<'_>) -> Value {
    // The resource whose key it is has the best description; the route's own resource may have the
    // field too.
    let whose =
        document.bundle.resources.iter().copied().find(|resource| resource.table.key == [name]);
    let field =
        whose.and_then(|resource| resource.field(name)).or_else(|| route.resource.field(name));
    let about = field.map_or("", |field| field.about);
    let owner = matches!(route.access, Access::Owner { field, .. } if field == name);
    let (about, example) = match owner {
        true => {
            (format!("{}; `me` stands for the caller.", about.trim_end_matches('.')), "me".into())
        }
        false => (about.to_owned(), document.examples.attribute(route.resource, name)),
    };
    let number = field.is_some_and(|field| matches!(field.kind, Kind::Number | Kind::Integer));
    let mut parameter =
        parameter(name, "path", &about, if number { decimal() } else { text() }, Some(example));
    parameter["required"] = true.into();
    parameter
}

fn decimal() -> Value {
    json!({ "type": "string", "format": "decimal", "pattern": DECIMAL })
}

fn text() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": MAX_TEXT_CHARS, "pattern": PRINTABLE })
}

fn whole(maximum: u32) -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": maximum })
}

fn parameter(name: &str, place: &str, about: &str, schema: Value, example: Option<Value>) -> Value {
    let mut parameter =
        json!({ "name": name, "in": place, "description": about, "schema": schema });
    if let Some(example) = example {
        parameter["example"] = example;
    }
    parameter
}

fn component_name(header: &str) -> String {
    header.replace('-', "")
}
