//! Values for paths and filters: those of the command line, and those of items that the API showed.

use api::{Accepts, Field, Filter, Kind, Resource};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

pub(super) struct Values {
    given: Vec<(String, String)>,
    /// Items that were shown, each with its resource.
    items: Vec<(&'static str, Value)>,
}

impl Values {
    pub(super) fn new(given: &[(String, String)]) -> Self {
        Self { given: given.to_vec(), items: Vec::new() }
    }

    /// Returns the value of a field on the command line.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Keeps items that were shown.
    pub(super) fn learn<'a>(
        &mut self,
        resource: &'static Resource,
        items: impl IntoIterator<Item = &'a Value>,
    ) {
        self.items.extend(items.into_iter().map(|item| (resource.name, item.clone())));
    }

    /// Returns the value of a field: that of the command line, else of an item of the resource,
    /// else of any item.
    ///
    /// Only items with the values of the command line count, so that several parameters of a path
    /// name one item.
    pub(super) fn of(&self, resource: &Resource, name: &str) -> Option<String> {
        self.find(Some(resource.name), name)
    }

    /// Returns the value of a field of any resource.
    pub(super) fn named(&self, name: &str) -> Option<String> {
        self.find(None, name)
    }

    fn find(&self, resource: Option<&str>, name: &str) -> Option<String> {
        if let Some(value) = self.given(name) {
            return Some(value.to_owned());
        }
        let agrees = |item: &Value| {
            self.given
                .iter()
                .all(|(name, value)| text(&item[name]).is_none_or(|other| other == *value))
        };
        let all = || self.items.iter().filter(|(_, item)| agrees(item));
        let own = all().filter(|(of, _)| Some(*of) == resource);
        own.chain(all()).find_map(|(_, item)| text(&item[name]))
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

/// Returns the first field that has members, and its first member.
pub(super) fn nested(fields: &[Field]) -> Option<(&'static str, &'static str)> {
    fields.iter().find_map(|field| Some((field.name, field.kind.members()?.first()?.name)))
}

/// Returns a value as it stands in a path or a query.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Returns the scopes of a token, if it is a JWT. Nothing is verified.
pub(super) fn scopes(token: &str) -> Vec<String> {
    let claims = token
        .split('.')
        .nth(1)
        .and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok());
    let claims: Value =
        claims.and_then(|claims| serde_json::from_slice(&claims).ok()).unwrap_or_default();
    let of = |claim: &Value| match claim {
        Value::String(text) => text.split(' ').map(str::to_owned).collect(),
        Value::Array(values) => {
            values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    ["scope", "scp"].into_iter().flat_map(|name| of(&claims[name])).collect()
}
