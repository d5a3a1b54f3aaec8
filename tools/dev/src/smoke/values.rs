//! Values for paths and filters: those of the command line, and those of items that the API showed.

use api::{Accepts, Filter, Kind, Resource};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

pub(super) struct Values {
    given: Vec<(String, String)>,
    /// Resource, field, value. The first value of a field stays.
    learned: Vec<(&'static str, String, String)>,
}

impl Values {
    pub(super) fn new(given: &[(String, String)]) -> Self {
        Self { given: given.to_vec(), learned: Vec::new() }
    }

    /// Keeps the texts, numbers and booleans of an item; `None` if it is no item.
    pub(super) fn learn(&mut self, resource: &'static Resource, item: &Value) -> Option<()> {
        for (name, value) in item.as_object()? {
            let text = match value {
                Value::String(text) if !text.is_empty() => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                _ => continue,
            };
            self.learned.push((resource.name, name.clone(), text));
        }
        Some(())
    }

    /// Returns the value of a field: that of the command line, else of an item of the resource, else of any item.
    pub(super) fn of(&self, resource: &Resource, name: &str) -> Option<String> {
        let given = self.given.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        let own = self.learned.iter().find(|(of, other, _)| *of == resource.name && other == name);
        let any = || self.learned.iter().find(|(_, other, _)| other == name);
        given.or_else(|| own.or_else(any).map(|(_, _, value)| value)).cloned()
    }

    /// Returns a value of a filter.
    pub(super) fn of_filter(&self, resource: &Resource, filter: &Filter) -> Option<String> {
        let options = match (filter.accepts, resource.field(filter.field).map(|field| field.kind)) {
            (Accepts::OneOf(options), _) => options.first().copied(),
            (_, Some(Kind::Boolean)) => Some("true"),
            _ => None,
        };
        self.of(resource, filter.field).or_else(|| options.map(str::to_owned))
    }
}

/// Returns the scopes of a token, if it is a JWT. Nothing is verified.
pub(super) fn scopes(token: &str) -> Vec<String> {
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok());
    let claims: Value = claims.and_then(|claims| serde_json::from_slice(&claims).ok()).unwrap_or_default();
    let of = |claim: &Value| match claim {
        Value::String(text) => text.split(' ').map(str::to_owned).collect(),
        Value::Array(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    ["scope", "scp"].into_iter().flat_map(|name| of(&claims[name])).collect()
}
