//! For an audit: whether lists find a row that is in a table.

use super::key::{own_indexes, present, shard_attribute};
use super::kind;
use crate::attribute::Item;
use crate::bundle::Stored;
use crate::template::Key;
use api::{Field, Kind, Resource};
use aws_sdk_dynamodb::types::AttributeValue;

/// Returns the reasons why lists would not find an item, or would find it in the wrong place.
pub(super) fn lost(item: &Item, of: Stored<'_>, shards: u32) -> Vec<String> {
    let resource = of.resource;
    let shard = shard_attribute(resource);
    let mut reasons = Vec::new();
    for key in judged(of) {
        match (present(item, key), item.get(&key.name)) {
            (Err(reason), _) => reasons.push(reason),
            (Ok(()), Some(AttributeValue::N(number)))
                if shard == Some(key.name.as_str())
                    && !number.parse::<u32>().is_ok_and(|shard| shard < shards) =>
            {
                reasons.push(format!(
                    "`{}` is {number}, not one of 0 to {}",
                    key.name,
                    shards.saturating_sub(1)
                ));
            }
            (Ok(()), Some(AttributeValue::S(text))) => {
                if let Some(form) = kind::other_form(resource, &key.name, text) {
                    reasons.push(format!(
                        "`{}` is not a {form}: it sorts in the wrong place",
                        key.name
                    ));
                }
            }
            _ => {}
        }
    }
    reasons
}

/// Returns true if an item is of this resource: others can be in the same table.
pub(super) fn is_own(item: &Item, resource: &Resource) -> bool {
    let text = |name: &str| match item.get(name) {
        Some(AttributeValue::S(text)) => text.as_str(),
        _ => "",
    };
    let has_prefix = |field: &Field| match field.kind {
        Kind::Prefixed { attribute, prefix } => text(attribute).starts_with(prefix),
        _ => true,
    };
    resource.fixed.iter().all(|(name, fixed)| text(name) == *fixed)
        && resource.fields.iter().all(has_prefix)
}

/// Returns the key attributes that [`lost`] judges.
fn judged(of: Stored<'_>) -> Vec<&Key> {
    let own: Vec<_> = of
        .table
        .key
        .iter()
        .chain(own_indexes(of.resource, of.table).flat_map(|index| &index.key))
        .collect();
    of.table.key_attributes().into_iter().filter(|key| own.contains(key)).collect()
}

/// Returns the attributes that an audit reads: the keys, and those that tell the resource's items
/// from others.
pub(crate) fn read_by_audit(of: Stored<'_>) -> Vec<String> {
    let fixed = of.resource.fixed.iter().map(|(name, _)| *name);
    let prefixed = of
        .resource
        .fields
        .iter()
        .filter(|field| matches!(field.kind, Kind::Prefixed { .. }))
        .map(Field::attribute);
    let mut names: Vec<_> = judged(of)
        .into_iter()
        .map(|key| key.name.clone())
        .chain(fixed.chain(prefixed).map(str::to_owned))
        .collect();
    names.sort();
    names.dedup();
    names
}
