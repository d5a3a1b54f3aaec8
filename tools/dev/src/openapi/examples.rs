//! Examples: rows of the sample data as an answer shows them, and problems as the code writes them.

use crate::sample;
use api::{Expansion, Field, Kind, List, ParameterError, Place, Problem, ProblemKind, Resource};
use serde_json::{Map, Value, json};

/// A text in the form of a cursor; no list accepts it.
pub(crate) const CURSOR: &str = "EQPCmx4yryWLdCvwmQA2lKNIxL9fy_7xgQ1iog4EzecNdu8OWOzXmJQfjdFxyWo0X5wbXIwu";
/// A request's id.
const INSTANCE: &str = "3e2e2ed3-21ab-45e1-bc15-b9cb69ead553";

/// Returns a row of the sample data that has every field.
fn row(resource: &Resource) -> Value {
    rows(resource).find(|row| resource.fields.iter().all(|field| row.get(field.name).is_some())).unwrap_or_default()
}

fn rows(resource: &Resource) -> impl Iterator<Item = Value> {
    sample::lines(resource.name).filter_map(|line| serde_json::from_str(&line).ok())
}

/// Returns the example's value of an attribute.
pub(crate) fn attribute(resource: &Resource, name: &str) -> Value {
    row(resource).get(name).cloned().unwrap_or_default()
}

/// Returns a selection of fields: the first, the third, and the first member of the first object.
pub(crate) fn fields(resource: &Resource) -> String {
    let plain = resource.fields.iter().filter(|field| field.kind.members().is_none()).map(|field| field.name.to_owned());
    let nested = resource.fields.iter().find_map(|field| Some(format!("{}.{}", field.name, field.kind.members()?.first()?.name)));
    plain.step_by(2).take(2).chain(nested).collect::<Vec<_>>().join(",")
}

/// Returns one item with all its fields.
pub(crate) fn item(resource: &Resource) -> Value {
    shown(&row(resource), resource.fields, &|_| true, None)
}

/// Returns pages of one item: with the summary, and with every expansion.
pub(crate) fn pages(resource: &Resource, offers: &List) -> Vec<(&'static str, Value)> {
    let page = |item: Value, beside: Vec<(String, Value)>| {
        let mut page = Map::from_iter([("items".to_owned(), json!([item]))]);
        page.extend(beside);
        page.insert("page".to_owned(), json!({ "limit": 1, "next": CURSOR, "prev": null }));
        Value::Object(page)
    };
    let example = row(resource);
    let summary = |name: &str| resource.summary.contains(&name);
    let mut pages = vec![("summary", page(shown(&example, resource.fields, &summary, None), Vec::new()))];
    if !offers.expansions.is_empty() {
        let within = offers.expansions.iter().find(|expansion| matches!(expansion.place, Place::Within { .. }));
        let list_of = within.and_then(|expansion| match expansion.place {
            Place::Within { join, .. } => Some(join.list),
            Place::Beside => None,
        });
        let item = shown(&example, resource.fields, &|name| summary(name) || list_of == Some(name), within);
        let beside = offers.expansions.iter().filter(|expansion| expansion.place == Place::Beside);
        let beside = beside.map(|expansion| (expansion.name.to_owned(), related(expansion, &row(expansion.resource)))).collect();
        pages.push(("expanded", page(item, beside)));
    }
    pages
}

/// Returns the fields of a row that an expansion shows.
fn related(expansion: &Expansion, row: &Value) -> Value {
    shown(row, expansion.resource.fields, &|name| expansion.fields.contains(&name), None)
}

/// Returns the row that this element of a list names.
fn joined(expansion: &Expansion, key: &str, element: &Value) -> Value {
    let own_key = expansion.resource.table.key.first().copied().unwrap_or_default();
    rows(expansion.resource).find(|row| row.get(own_key) == element.get(key)).unwrap_or_default()
}

/// Returns the chosen fields of a row, in the model's order.
fn shown(row: &Value, fields: &[Field], chosen: &dyn Fn(&str) -> bool, within: Option<&Expansion>) -> Value {
    let mut members = Map::new();
    let below = |value: &Value, fields: &[Field]| shown(value, fields, &|_| true, None);
    for field in fields.iter().filter(|field| chosen(field.name)) {
        let Some(value) = row.get(field.name) else { continue };
        let value = match (field.kind, value) {
            (Kind::Object(fields), value) => below(value, fields),
            (Kind::Objects(fields), Value::Array(values)) => {
                let element = |value: &Value| {
                    let mut element = below(value, fields);
                    if let Some(expansion) = within
                        && let Place::Within { join, member } = expansion.place
                        && join.list == field.name
                    {
                        element[member] = related(expansion, &joined(expansion, join.key, value));
                    }
                    element
                };
                values.iter().take(1).map(element).collect()
            }
            (_, value) => value.clone(),
        };
        members.insert(field.name.to_owned(), value);
    }
    Value::Object(members)
}

/// A problem as the functions write it.
pub(crate) fn problem(kind: ProblemKind) -> Value {
    let errors = match kind {
        ProblemKind::InvalidParameter => {
            let detail = "is not a parameter of this route; did you mean `limit`? Valid parameters: …";
            let unknown = ParameterError { suggestion: Some("limit".to_owned()), ..ParameterError::new("limits", detail) };
            vec![unknown, ParameterError::new("fields", "\"nmae\" is not a field; …")]
        }
        _ => Vec::new(),
    };
    let body = Problem { kind, errors }.body(INSTANCE);
    serde_json::from_slice(&body).unwrap_or_default()
}
