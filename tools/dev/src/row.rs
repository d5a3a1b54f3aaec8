//! Converts one line of a file to one item, with every check at which the table, a list or a reader
//! would otherwise fail later.
//!
//! The checks follow from the declarations: keys and types from the template, kinds from the
//! fields, fixed sets of values from the filters. An attribute that is not declared is hidden from
//! callers and may hold anything.

mod kind;

use crate::attribute::{self, Item, Members};
use crate::bundle::Stored;
use crate::shard::shard;
use crate::template::{self, Key, Table};
use crate::timestamp;
use api::{Field, Index, Kind, MAX_TEXT_CHARS, Partition, Resource};
use aws_sdk_dynamodb::types::AttributeValue;
use pagination::MAX_POSITION_BYTES;

/// The maximum size of an item in DynamoDB.
const MAX_ITEM: usize = 400 * 1024;
/// The maximum size of a partition key's attribute in DynamoDB, in bytes.
const MAX_PARTITION_KEY: usize = 2_048;
/// The maximum size of a sort key's attribute in DynamoDB, in bytes.
const MAX_SORT_KEY: usize = 1_024;

/// The rules of one resource's rows.
#[derive(Debug)]
pub(crate) struct Rules<'a> {
    of: Stored<'a>,
    shards: u32,
    enumerations: Vec<(&'static str, &'static [&'static str])>,
}

impl<'a> Rules<'a> {
    /// Takes the rules from the declarations. `shards` is the `CATALOG_SHARDS` of the readers.
    pub(crate) fn new(of: Stored<'a>, shards: u32) -> Self {
        Self { of, shards, enumerations: of.enumerations() }
    }

    /// Reads and checks one line. The error is a sentence without file and line.
    pub(crate) fn read(&self, line: &str) -> Result<Item, String> {
        let Stored { resource, table, .. } = self.of;
        if line.trim_start().starts_with('[') {
            return Err("an array: one object a line; `jq -c .[]` makes that".to_owned());
        }
        // The line number of the error is always 1, so it is removed; the caller adds the line of
        // the file.
        let broken = |error: serde_json::Error| {
            format!(
                "no JSON object: {}",
                error.to_string().replace(" at line 1 column ", " at column ")
            )
        };
        let members: Members<'_> = serde_json::from_str(line).map_err(broken)?;
        let mut item = attribute::item(members)?;
        for key in &table.key {
            present(&item, key)?;
            self.in_path(&item, &key.name)?;
        }
        self.set_shard(&mut item);
        for (name, text) in resource.fixed {
            if !matches!(item.get(*name), Some(AttributeValue::S(given)) if given == text) {
                return Err(format!(
                    "`{name}` is not `{text}`, as in every row of {}",
                    resource.name
                ));
            }
        }
        for index in own_indexes(resource, table) {
            for key in &index.key {
                present(&item, key)
                    .map_err(|reason| format!("{reason}: `{}` would not list it", index.name))?;
            }
        }
        kind::check(&mut item, resource.fields)?;
        for index in resource.table.indexes {
            if let Partition::Attributes(names) = index.partition {
                names.iter().try_for_each(|name| self.in_path(&item, name))?;
            }
            in_cursor(&item, index, &resource.table)?;
        }
        for (name, values) in &self.enumerations {
            match shown(&item, resource, name) {
                Some(text) if !values.contains(&text) => {
                    return Err(format!(
                        "`{name}` is `{}`, none of {}",
                        short(text),
                        values.join(", ")
                    ));
                }
                _ => {}
            }
        }
        match attribute::size(&item) {
            size if size > MAX_ITEM => Err(format!("{size} bytes; DynamoDB takes {MAX_ITEM}")),
            _ => Ok(item),
        }
    }

    /// Returns the reasons why lists would not find an item, or would find it in the wrong place.
    pub(crate) fn lost(&self, item: &Item) -> Vec<String> {
        let resource = self.of.resource;
        let shard = shard_attribute(resource);
        let mut reasons = Vec::new();
        for key in judged(self.of) {
            match (present(item, key), item.get(&key.name)) {
                (Err(reason), _) => reasons.push(reason),
                (Ok(()), Some(AttributeValue::N(number)))
                    if shard == Some(key.name.as_str())
                        && !number.parse::<u32>().is_ok_and(|shard| shard < self.shards) =>
                {
                    reasons.push(format!(
                        "`{}` is {number}, not one of 0 to {}",
                        key.name,
                        self.shards.saturating_sub(1)
                    ));
                }
                (Ok(()), Some(AttributeValue::S(text)))
                    if kind::is_timestamp(resource, &key.name) && !timestamp::is_time(text) =>
                {
                    reasons.push(format!(
                        "`{}` is not a UTC time with milliseconds: it sorts in the wrong place",
                        key.name
                    ));
                }
                _ => {}
            }
        }
        reasons
    }

    /// Returns true if an item is of this resource: others can be in the same table.
    pub(crate) fn is_own(&self, item: &Item) -> bool {
        let resource = self.of.resource;
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

    /// Sets the attribute that spreads the rows over partitions, whatever the row says.
    fn set_shard(&self, item: &mut Item) {
        let id = self.of.table.key.first().and_then(|key| item.get(&key.name));
        if let (Some(name), Some(AttributeValue::S(id))) = (shard_attribute(self.of.resource), id) {
            let shard = shard(id, self.shards);
            item.insert(name.to_owned(), AttributeValue::N(shard.to_string()));
        }
    }

    /// Checks a text that callers put into a path or a filter: a key of the table, or an equality
    /// condition of an index.
    fn in_path(&self, item: &Item, attribute: &str) -> Result<(), String> {
        let resource = self.of.resource;
        let field = resource.fields.iter().find(|field| field.attribute() == attribute);
        let Some(text) = field.and_then(|field| shown(item, resource, field.name)) else {
            return Ok(());
        };
        if text.chars().any(char::is_control) {
            return Err(format!(
                "`{attribute}` has unprintable characters: no request can ask for it"
            ));
        }
        if text.chars().count() > MAX_TEXT_CHARS {
            return Err(format!(
                "`{attribute}` is longer than {MAX_TEXT_CHARS} characters: no request can ask for it"
            ));
        }
        let is_key = self.of.table.key.iter().any(|key| key.name == attribute);
        match text {
            "." | ".." if is_key => {
                Err(format!("`{attribute}` is `{text}`, which no path can name"))
            }
            "me" if field.is_some_and(|field| self.of.is_owner_in_path(field.name)) => {
                Err(format!("`{attribute}` is `me`, which stands for the caller"))
            }
            _ => Ok(()),
        }
    }
}

/// Returns a field of an item, as callers see it, if it is a text.
fn shown<'a>(item: &'a Item, resource: &Resource, name: &str) -> Option<&'a str> {
    let field = resource.field(name)?;
    match (item.get(field.attribute())?, field.kind) {
        (AttributeValue::S(text), Kind::Prefixed { prefix, .. }) => text.strip_prefix(prefix),
        (AttributeValue::S(text), _) => Some(text),
        _ => None,
    }
}

/// Returns the indexes of the template that the resource declares; a table that several resources
/// share can have more.
fn own_indexes<'a>(
    resource: &Resource,
    table: &'a Table,
) -> impl Iterator<Item = &'a template::Index> {
    let own: Vec<_> = resource.table.indexes.iter().filter_map(|index| index.name).collect();
    table.indexes.iter().filter(move |index| own.contains(&index.name.as_str()))
}

/// Returns the attribute that spreads a resource's rows over partitions, which is set here and
/// never shown.
fn shard_attribute(resource: &Resource) -> Option<&'static str> {
    resource.table.indexes.iter().find_map(|index| match index.partition {
        Partition::Shards(name) => Some(name),
        Partition::Attributes(_) => None,
    })
}

/// Returns the key attributes that [`Rules::lost`] judges.
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

/// Checks a key attribute of a table or an index: it must be present, of its type, and not empty or
/// too long.
fn present(item: &Item, key: &Key) -> Result<(), String> {
    let name = &key.name;
    let most = if key.hash { MAX_PARTITION_KEY } else { MAX_SORT_KEY };
    match (item.get(name), key.kind) {
        (None, _) => Err(format!("no `{name}`")),
        (Some(AttributeValue::S(text)), template::Kind::String) if text.is_empty() => {
            Err(format!("`{name}` is empty"))
        }
        (Some(AttributeValue::S(text)), template::Kind::String) if text.len() > most => {
            Err(format!("`{name}` has {} bytes; a key has at most {most}", text.len()))
        }
        (Some(AttributeValue::S(_)), template::Kind::String)
        | (Some(AttributeValue::N(_)), template::Kind::Number)
        | (Some(AttributeValue::B(_)), template::Kind::Binary) => Ok(()),
        (Some(_), template::Kind::String) => Err(format!("`{name}` is no string")),
        (Some(_), template::Kind::Number) => Err(format!("`{name}` is no number")),
        (Some(_), template::Kind::Binary) => Err(format!("`{name}` is not binary")),
    }
}

/// Checks that a cursor of an index can hold the item's position.
fn in_cursor(item: &Item, index: &Index, table: &api::Table) -> Result<(), String> {
    let bytes = |name: &str| match item.get(name) {
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => text.len(),
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

/// Returns the beginning of a text, for a message.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Bundle;
    use crate::template::Template;

    fn shop() -> Bundle {
        Bundle {
            resources: shop::RESOURCES,
            routes: shop::ROUTES,
            template: Template::parse(shop::TEMPLATE).unwrap(),
        }
    }

    fn read(resource: &str, line: &str) -> Result<Item, String> {
        Rules::new(shop().find(resource).unwrap(), 4).read(line)
    }

    fn refused(resource: &str, line: &str) -> String {
        read(resource, line).unwrap_err()
    }

    fn product(rest: &str) -> String {
        format!(
            r#"{{"productId":"p-1","category":"c","price":1,"createdAt":"2024-01-01T00:00:00.000Z"{rest}}}"#
        )
    }

    fn order(rest: &str) -> String {
        format!(
            r#"{{"orderId":"o-1","userId":"u-1","status":"paid","placedAt":"2024-01-01T00:00:00Z"{rest}}}"#
        )
    }

    #[test]
    fn a_line_that_is_no_object_is_refused() {
        assert!(refused("products", "{").starts_with("no JSON object"));
        assert_eq!(
            refused("products", "[{}]"),
            "an array: one object a line; `jq -c .[]` makes that"
        );
        assert_eq!(refused("products", "not json"), "no JSON object: expected ident at column 2");
    }

    #[test]
    fn a_key_is_there_and_can_stand_in_a_path() {
        let id = |id: &str| refused("products", &format!(r#"{{"productId":{id}}}"#));
        assert_eq!(refused("products", "{}"), "no `productId`");
        assert_eq!(id("7"), "`productId` is no string");
        assert_eq!(id("\"\""), "`productId` is empty");
        assert_eq!(
            id(r#""a\u0007""#),
            "`productId` has unprintable characters: no request can ask for it"
        );
        assert_eq!(
            id(&format!("{:?}", "é".repeat(129))),
            "`productId` is longer than 128 characters: no request can ask for it"
        );
        assert_eq!(
            id(&format!("{:?}", "x".repeat(2_049))),
            "`productId` has 2049 bytes; a key has at most 2048"
        );
        assert_eq!(id("\"..\""), "`productId` is `..`, which no path can name");
        assert_eq!(
            refused("users", r#"{"userId":"me"}"#),
            "`userId` is `me`, which stands for the caller"
        );
        assert_eq!(refused("orders", r#"{"orderId":"o-1"}"#), "no `userId`");
    }

    #[test]
    fn an_attribute_of_an_index_is_there_and_of_its_type() {
        let without = product("").replace("\"category\":\"c\",", "");
        assert_eq!(
            refused("products", &without),
            "no `category`: `byCategoryPrice` would not list it"
        );
        let text = product("").replace("\"price\":1", "\"price\":\"1\"");
        assert_eq!(
            refused("products", &text),
            "`price` is no number: `byCategoryPrice` would not list it"
        );
        let long = product("").replace("\"c\"", &format!("{:?}", "c".repeat(129)));
        assert_eq!(
            refused("products", &long),
            "`category` is longer than 128 characters: no request can ask for it"
        );
    }

    #[test]
    fn a_sort_value_and_an_id_fit_in_a_cursor() {
        static BY_BRAND: Index = Index {
            name: Some("byBrand"),
            partition: Partition::Attributes(&["x"]),
            range: &["brand"],
            projects: api::Projects::All,
        };
        let item = |bytes: usize| {
            read("products", &product(&format!(",\"brand\":{:?}", "x".repeat(bytes)))).unwrap()
        };
        assert_eq!(in_cursor(&item(343), &BY_BRAND, &shop::PRODUCTS.table), Ok(()));
        assert_eq!(
            in_cursor(&item(344), &BY_BRAND, &shop::PRODUCTS.table).unwrap_err(),
            "`brand` and `productId` have 347 bytes together; a cursor holds 346"
        );
    }

    #[test]
    fn a_fixed_set_of_values_is_that_of_the_filter() {
        let reason = "`status` is `lost`, none of pending, paid, shipped, delivered, cancelled";
        assert_eq!(refused("orders", &order("").replace("paid", "lost")), reason);
    }

    #[test]
    fn a_row_is_not_larger_than_an_item() {
        assert!(
            refused("products", &product(&format!(r#","description":"{}""#, "x".repeat(410_000))))
                .contains("409600")
        );
    }

    #[test]
    fn the_shard_is_stamped_whatever_the_row_says() {
        let item =
            read("products", &product(",\"shard\":99").replace("\"price\":1", "\"price\":1.50"))
                .unwrap();
        assert_eq!(item["shard"], AttributeValue::N(shard("p-1", 4).to_string()));
        assert_eq!(item["price"], AttributeValue::N("1.50".to_owned()));
    }

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        let item = read("orders", &order("").replace("T00:00:00Z", "T02:00:00+02:00")).unwrap();
        assert_eq!(item["placedAt"], AttributeValue::S("2024-01-01T00:00:00.000Z".to_owned()));
    }
}
