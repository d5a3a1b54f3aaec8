//! Texts of a row, as callers see and send them.

use crate::attribute::{Item, plain};
use crate::bundle::Stored;
use api::{Kind, MAX_FRACTION_DIGITS, MAX_TEXT_CHARS, MAX_WHOLE_DIGITS, Resource};
use aws_sdk_dynamodb::types::AttributeValue;

/// Returns a field of an item, as callers see it, if it is a text.
pub(super) fn shown<'a>(item: &'a Item, resource: &Resource, name: &str) -> Option<&'a str> {
    let field = resource.field(name)?;
    match (item.get(field.attribute())?, field.kind) {
        (AttributeValue::S(text), Kind::Prefixed { prefix, .. }) => text.strip_prefix(prefix),
        (AttributeValue::S(text), _) => Some(text),
        _ => None,
    }
}

/// Checks a text or a number that callers put into a path or a filter: a key of the table, or an
/// equality condition of an index.
pub(super) fn in_path(item: &Item, of: Stored<'_>, attribute: &str) -> Result<(), String> {
    let resource = of.resource;
    let field = resource.fields.iter().find(|field| field.attribute() == attribute);
    if let Some(AttributeValue::N(number)) = item.get(attribute) {
        let plain = plain(number);
        let (whole, fraction) = plain
            .trim_start_matches('-')
            .split_once('.')
            .unwrap_or((plain.trim_start_matches('-'), ""));
        if whole.len() > MAX_WHOLE_DIGITS || fraction.len() > MAX_FRACTION_DIGITS {
            return Err(format!(
                "`{attribute}` has more than {MAX_WHOLE_DIGITS} digits before the point or {MAX_FRACTION_DIGITS} after it: no request can ask for it"
            ));
        }
    }
    let Some(text) = field.and_then(|field| shown(item, resource, field.name)) else {
        return Ok(());
    };
    if text.chars().any(char::is_control) {
        return Err(format!("`{attribute}` has unprintable characters: no request can ask for it"));
    }
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err(format!(
            "`{attribute}` is longer than {MAX_TEXT_CHARS} characters: no request can ask for it"
        ));
    }
    let is_key = of.table.key.iter().any(|key| key.name == attribute);
    match text {
        "." | ".." if is_key => Err(format!("`{attribute}` is `{text}`, which no path can name")),
        "me" if field.is_some_and(|field| of.is_owner_in_path(field.name)) => {
            Err(format!("`{attribute}` is `me`, which stands for the caller"))
        }
        _ => Ok(()),
    }
}

/// Returns the beginning of a text, for a message.
pub(super) fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
