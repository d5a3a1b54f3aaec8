//! The attributes of a row that are in the key of its table or of an index.

use crate::attribute::{Item, plain};
use crate::template::{self, Key, Table};
use api::{Index, Partition, Resource};
use aws_sdk_dynamodb::types::AttributeValue;
use pagination::MAX_POSITION_BYTES;

/// The maximum size of a partition key's attribute in DynamoDB, in bytes.
const MAX_PARTITION_KEY: usize = 2_048;
/// The maximum size of a sort key's attribute in DynamoDB, in bytes.
const MAX_SORT_KEY: usize = 1_024;

/// Returns the indexes of the template that the resource declares; a table that several resources
/// share can have more.
pub(super) fn own_indexes<'a>(
    resource: &Resource,
    table: &'a Table,
) -> impl Iterator<Item = &'a template::Index> {
    let own: Vec<_> = resource.table.indexes.iter().filter_map(|index| index.name).collect();
    table.indexes.iter().filter(move |index| own.contains(&index.name.as_str()))
}

/// Returns the attribute that spreads a resource's rows over partitions, which is set here and
/// never shown.
pub(super) fn shard_attribute(resource: &Resource) -> Option<&'static str> {
    resource.table.indexes.iter().find_map(|index| match index.partition {
        Partition::Shards(name) => Some(name),
        Partition::Attributes(_) => None,
    })
}

/// Checks a key attribute of a table or an index: it must be present, of its type, and not empty or
/// too long.
pub(super) fn present(item: &Item, key: &Key) -> Result<(), String> {
    let name = &key.name;
    let most = if key.hash { MAX_PARTITION_KEY } else { MAX_SORT_KEY };
    match (item.get(name), key.attribute_type) {
        (None, _) => Err(format!("no `{name}`")),
        (Some(AttributeValue::S(text)), template::AttributeType::String) if text.is_empty() => {
            Err(format!("`{name}` is empty"))
        }
        (Some(AttributeValue::S(text)), template::AttributeType::String) if text.len() > most => {
            Err(format!("`{name}` has {} bytes; a key has at most {most}", text.len()))
        }
        (Some(AttributeValue::S(_)), template::AttributeType::String)
        | (Some(AttributeValue::N(_)), template::AttributeType::Number)
        | (Some(AttributeValue::B(_)), template::AttributeType::Binary) => Ok(()),
        (Some(_), template::AttributeType::String) => Err(format!("`{name}` is no string")),
        (Some(_), template::AttributeType::Number) => Err(format!("`{name}` is no number")),
        (Some(_), template::AttributeType::Binary) => Err(format!("`{name}` is not binary")),
    }
}

/// Checks that a cursor of an index can hold the item's position, which has numbers as DynamoDB
/// returns them.
pub(super) fn in_cursor(item: &Item, index: &Index, table: &api::Table) -> Result<(), String> {
    let bytes = |name: &str| match item.get(name) {
        Some(AttributeValue::S(text)) => text.len(),
        Some(AttributeValue::N(text)) => plain(text).len(),
        _ => 0,
    };
    let names: Vec<_> = index.position_attributes(table).collect();
    match names.iter().map(|name| bytes(name)).sum::<usize>() {
        size if size > MAX_POSITION_BYTES => Err(format!(
            "`{}` have {size} bytes together; a cursor holds {MAX_POSITION_BYTES}",
            names.join("` and `")
        )),
        _ => Ok(()),
    }
}
