//! Examples: rows of the sample data as an answer shows them, and problems as the code writes them.

use crate::sample::Sample;
use api::{Expansion, Field, Kind, List, ParameterError, Place, Problem, ProblemKind, Resource};
use serde_json::{Map, Value, json};

/// A text in the form of a cursor; no list accepts it.
pub(crate) const CURSOR: &str =
    "EQPCmx4yryWLdCvwmQA2lKNIxL9fy_7xgQ1iog4EzecNdu8OWOzXmJQfjdFxyWo0X5wbXIwu";
/// A request's id.
const INSTANCE: &str = "3e2e2ed3-21ab-45e1-bc15-b9cb69ead553";

/// The sample rows from which examples are made.
pub(crate) struct Examples<'a>(pub(crate) &'a Sample);

impl Examples<'_> {
    /// Returns a row that has every field that any row has: the first one, completed with values of
    /// those after it.
    fn row(&self, resource: &Resource) -> Value {
        let mut example = Map::new();
        for row in self.0.rows(resource) {
            if let Value::Object(row) = row {
                complete(&mut example, as_shown(row, resource.fields), resource.fields);
            }
        }
        Value::Object(example)
    }

    /// Returns the example's value of an attribute.
    pub(crate) fn attribute(&self, resource: &Resource, name: &str) -> Value {
        self.row(resource).get(name).cloned().unwrap_or_default()
    }

    /// Returns one item with all its fields.
    pub(crate) fn item(&self, resource: &Resource) -> Value {
        self.shown(&self.row(resource), resource.fields, &|_| true, None)
    }

    /// Returns the paths of the fields that no row has a value of.
    pub(crate) fn missing(&self, resource: &Resource) -> Vec<String> {
        let mut missing = Vec::new();
        lacking(&self.row(resource), resource.fields, resource.name, &mut missing);
        missing
    }

    /// Returns pages of one item: with the summary, and with every expansion.
    pub(crate) fn pages(&self, resource: &Resource, offers: &List) -> Vec<(&'static str, Value)> {
        let page = |item: Value, page_members: Vec<(String, Value)>| {
            let mut page = Map::from_iter([("items".to_owned(), json!([item]))]);
            page.extend(page_members);
            page.insert("page".to_owned(), json!({ "limit": 1, "next": CURSOR, "prev": null }));
            Value::Object(page)
        };
        let example = self.row(resource);
        let summary = |name: &str| resource.summary.contains(&name);
        let mut pages = vec![(
            "summary",
            page(self.shown(&example, resource.fields, &summary, None), Vec::new()),
        )];
        if !offers.expansions.is_empty() {
            let within = offers
                .expansions
                .iter()
                .find(|expansion| matches!(expansion.place, Place::Within { .. }));
            let list_of = within.and_then(|expansion| match expansion.place {
                Place::Within { join, .. } => Some(join.list),
                Place::NextToItems => None,
            });
            let item = self.shown(
                &example,
                resource.fields,
                &|name| summary(name) || list_of == Some(name),
                within,
            );
            let page_members =
                offers.expansions.iter().filter(|expansion| expansion.place == Place::NextToItems);
            let page_members = page_members
                .map(|expansion| {
                    (
                        expansion.name.to_owned(),
                        self.related(expansion, &self.row(expansion.resource)),
                    )
                })
                .collect();
            pages.push(("expanded", page(item, page_members)));
        }
        pages
    }

    /// Returns the fields of a row that an expansion shows.
    fn related(&self, expansion: &Expansion, row: &Value) -> Value {
        self.shown(row, expansion.resource.fields, &|name| expansion.fields.contains(&name), None)
    }

    /// Returns the row that this element of a list names.
    fn joined(&self, expansion: &Expansion, key: &str, element: &Value) -> Value {
        let Resource { table, fields, .. } = expansion.resource;
        // The one field of the key: the rest of the key is fixed.
        let own = fields.iter().find(|field| table.key.contains(&field.attribute()));
        let mut rows = self.0.rows(expansion.resource).filter_map(|row| match row {
            Value::Object(row) => Some(as_shown(row, fields)),
            _ => None,
        });
        let row = rows.find(|row| own.and_then(|own| row.get(own.name)) == element.get(key));
        row.map_or(Value::Null, Value::Object)
    }

    /// Returns the chosen fields of a row, in the model's order.
    fn shown(
        &self,
        row: &Value,
        fields: &[Field],
        chosen: &dyn Fn(&str) -> bool,
        within: Option<&Expansion>,
    ) -> Value {
        let mut members = Map::new();
        let below = |value: &Value, fields: &[Field]| self.shown(value, fields, &|_| true, None);
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
                            element[member] =
                                self.related(expansion, &self.joined(expansion, join.key, value));
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
}

/// Brings a stored row into the form that callers see: without prefixes, and with times in RFC
/// 3339.
fn as_shown(mut row: Map<String, Value>, fields: &[Field]) -> Map<String, Value> {
    for field in fields {
        let stored = row.get(field.attribute());
        let text =
            stored.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let shown = match (field.kind, text, stored) {
            (Kind::Prefixed { prefix, .. }, Some(text), _) => {
                text.strip_prefix(prefix).map(Value::from)
            }
            (Kind::Epoch(epoch), Some(text), _) => epoch.shown(&text).map(Value::from),
            (Kind::Object(members), _, Some(Value::Object(below))) => {
                Some(Value::Object(as_shown(below.clone(), members)))
            }
            (Kind::Objects(members), _, Some(Value::Array(values))) => {
                let element = |value: &Value| {
                    value.as_object().map_or(Value::Null, |below| {
                        Value::Object(as_shown(below.clone(), members))
                    })
                };
                Some(values.iter().map(element).collect())
            }
            _ => continue,
        };
        if let Some(shown) = shown {
            row.insert(field.name.to_owned(), shown);
        }
    }
    row
}

/// Adds to an example the declared members that it lacks and a row has, at every level of objects.
fn complete(example: &mut Map<String, Value>, row: Map<String, Value>, fields: &[Field]) {
    for (name, value) in row {
        let members =
            fields.iter().find(|field| field.name == name).and_then(|field| field.kind.members());
        match (example.get_mut(&name), value, members) {
            (None, value, _) => {
                example.insert(name, value);
            }
            (Some(Value::Object(example)), Value::Object(row), Some(members)) => {
                complete(example, row, members)
            }
            // An empty list shows nothing.
            (Some(example), value, _) if example.as_array().is_some_and(Vec::is_empty) => {
                *example = value
            }
            _ => {}
        }
    }
}

/// Adds the paths of the fields that an example lacks.
fn lacking(example: &Value, fields: &[Field], path: &str, missing: &mut Vec<String>) {
    for field in fields {
        let path = format!("{path}.{}", field.name);
        match (example.get(field.name), field.kind) {
            (None, _) => missing.push(path),
            (Some(value), Kind::Object(members)) => lacking(value, members, &path, missing),
            (Some(values), Kind::Objects(members)) => {
                lacking(values.get(0).unwrap_or(&Value::Null), members, &path, missing)
            }
            _ => {}
        }
    }
}

/// Returns a selection of fields: the first, the third, and the first member of the first object.
pub(crate) fn fields(resource: &Resource) -> String {
    let plain = resource
        .fields
        .iter()
        .filter(|field| field.kind.members().is_none())
        .map(|field| field.name.to_owned());
    let nested = resource
        .fields
        .iter()
        .find_map(|field| Some(format!("{}.{}", field.name, field.kind.members()?.first()?.name)));
    plain.step_by(2).take(2).chain(nested).collect::<Vec<_>>().join(",")
}

/// A problem as the functions write it.
pub(crate) fn problem(kind: ProblemKind) -> Value {
    let errors = match kind {
        ProblemKind::InvalidParameter => {
            let detail =
                "is not a parameter of this route; did you mean `limit`? Valid parameters: …";
            let unknown = ParameterError {
                suggestion: Some("limit".to_owned()),
                ..ParameterError::new("limits", detail)
            };
            vec![unknown, ParameterError::new("fields", "\"nmae\" is not a field; …")]
        }
        _ => Vec::new(),
    };
    let problem = match kind {
        ProblemKind::QuotaExceeded => Problem::quota_exceeded("caller"),
        _ => Problem { errors, ..kind.into() },
    };
    let body = problem.body(INSTANCE);
    serde_json::from_slice(&body).unwrap_or_default()
}
