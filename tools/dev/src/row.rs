//! Converts one line of a file to one item, with every check at which the table or a list would otherwise fail later.

use crate::attribute::{self, Members};
use crate::shard::shard;
use crate::template::{Key, Kind, Table};
use crate::timestamp;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;

/// The maximum size of an item in DynamoDB.
const MAX_ITEM: usize = 400 * 1024;
/// The ids that the API accepts in a path.
const MAX_ID_CHARACTERS: usize = 128;
const MAX_ID_BYTES: usize = 256;
/// The attribute of the catalogue's partition, which is set here and never shown.
pub(crate) const SHARD: &str = "shard";
/// Attributes that are times in every table.
const TIMES: [&str; 3] = ["createdAt", "updatedAt", "placedAt"];

/// An item in DynamoDB's form.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Reads and checks one line. The error is a sentence without file and line.
pub(crate) fn read(line: &str, table: &Table, shards: u32) -> Result<Item, String> {
    if line.trim_start().starts_with('[') {
        return Err("no JSON object but an array: a line holds one object; `jq -c .[] FILE` writes an array that way".to_owned());
    }
    // The line number of the error is always 1, so it is removed; the caller adds the line of the file.
    let broken = |error: serde_json::Error| format!("no JSON object: {}", error.to_string().replace(" at line 1 column ", " at column "));
    let members: Members<'_> = serde_json::from_str(line).map_err(broken)?;
    let (mut item, mut size) = attribute::item(members)?;
    for key in &table.key {
        id(&item, key)?;
    }
    let sharded = table.key_attributes().iter().any(|key| key.name == SHARD);
    if let (true, Some(AttributeValue::S(of))) = (sharded, table.key.first().and_then(|key| item.get(&key.name))) {
        let shard = shard(of, shards).to_string();
        size += SHARD.len() + shard.len() + 2;
        item.insert(SHARD.to_owned(), AttributeValue::N(shard));
    }
    for index in &table.indexes {
        for key in &index.key {
            indexed(&item, key).map_err(|reason| format!("{reason}: `{}` would not list it", index.name))?;
        }
    }
    for name in TIMES {
        match item.get_mut(name) {
            Some(AttributeValue::S(text)) => {
                let time = timestamp::normalized(text)
                    .ok_or_else(|| format!("`{name}` is `{}`, not a time of RFC 3339 like 2024-01-31T09:30:00Z", short(text)))?;
                size = size - text.len() + time.len();
                *text = time;
            }
            Some(_) => return Err(format!("`{name}` is no string")),
            None => {}
        }
    }
    if size > MAX_ITEM {
        return Err(format!("{size} bytes; DynamoDB takes {MAX_ITEM}"));
    }
    Ok(item)
}

/// Checks a key attribute of an index: it must be present, of its type, and not empty.
pub(crate) fn indexed(item: &Item, key: &Key) -> Result<(), String> {
    let name = &key.name;
    match (item.get(name), key.kind) {
        (None, _) => Err(format!("no `{name}`")),
        (Some(AttributeValue::S(text)), Kind::String) if text.is_empty() => Err(format!("`{name}` is empty")),
        (Some(AttributeValue::S(_)), Kind::String)
        | (Some(AttributeValue::N(_)), Kind::Number)
        | (Some(AttributeValue::B(_)), Kind::Binary) => Ok(()),
        (Some(_), Kind::String) => Err(format!("`{name}` is no string")),
        (Some(_), Kind::Number) => Err(format!("`{name}` is no number")),
        (Some(_), Kind::Binary) => Err(format!("`{name}` is not binary")),
    }
}

/// Checks a key attribute of the table itself, which is also an id that callers put into paths.
fn id(item: &Item, key: &Key) -> Result<(), String> {
    indexed(item, key)?;
    let name = &key.name;
    match item.get(name) {
        Some(AttributeValue::S(text)) if text.chars().any(char::is_control) => Err(format!("`{name}` has unprintable characters")),
        Some(AttributeValue::S(text)) if text.chars().count() > MAX_ID_CHARACTERS || text.len() > MAX_ID_BYTES => {
            Err(format!("`{name}` is longer than {MAX_ID_CHARACTERS} characters or {MAX_ID_BYTES} bytes"))
        }
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
    use crate::template::Template;

    fn refused(table: &str, line: &str) -> String {
        let template = Template::parse(include_str!("../tests/fixtures/template.yaml")).unwrap();
        read(line, template.table(table).unwrap(), 4).unwrap_err()
    }

    #[test]
    fn reasons_name_the_attribute() {
        let p = |rest: &str| format!(r#"{{"productId":"p-1","category":"c","price":1,"createdAt":"2024-01-01T00:00:00.000Z"{rest}}}"#);
        assert!(refused("products", "{").starts_with("no JSON object"));
        assert!(refused("products", "[{}]").contains("jq -c"));
        assert_eq!(refused("products", "not json"), "no JSON object: expected ident at column 2");
        assert_eq!(refused("products", "{}"), "no `productId`");
        assert_eq!(refused("products", r#"{"productId":7}"#), "`productId` is no string");
        assert_eq!(refused("products", r#"{"productId":""}"#), "`productId` is empty");
        assert_eq!(refused("products", r#"{"productId":"a\u0007"}"#), "`productId` has unprintable characters");
        assert!(refused("products", &format!(r#"{{"productId":"{}"}}"#, "é".repeat(129))).contains("128 characters"));
        assert_eq!(refused("products", &p("").replace("\"category\":\"c\",", "")), "no `category`: `byCategoryPrice` would not list it");
        assert_eq!(
            refused("products", &p("").replace("\"price\":1", "\"price\":\"1\"")),
            "`price` is no number: `byCategoryPrice` would not list it"
        );
        assert!(refused("products", &p("").replace("T00", " 00")).starts_with("`createdAt` is `2024-01-01 00:00:00.000Z`, not"));
        assert_eq!(refused("products", &p(r#","updatedAt":5"#)), "`updatedAt` is no string");
        assert!(refused("products", &p(&format!(r#","description":"{}""#, "x".repeat(410_000)))).contains("409600"));
        assert_eq!(refused("orders", r#"{"orderId":"o-1"}"#), "no `userId`");
    }

    #[test]
    fn the_shard_is_stamped_whatever_the_row_says() {
        let template = Template::parse(include_str!("../tests/fixtures/template.yaml")).unwrap();
        let line = r#"{"productId":"p-1","category":"c","price":1.50,"createdAt":"2024-01-01T00:00:00.000Z","shard":99}"#;
        let item = read(line, template.table("products").unwrap(), 4).unwrap();
        assert_eq!(item["shard"], AttributeValue::N(shard("p-1", 4).to_string()));
        assert_eq!(item["price"], AttributeValue::N("1.50".to_owned()));
    }

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        let template = Template::parse(include_str!("../tests/fixtures/template.yaml")).unwrap();
        let line = r#"{"productId":"p-1","category":"c","price":1,"createdAt":"2025-01-01T02:00:00+02:00"}"#;
        let item = read(line, template.table("products").unwrap(), 1).unwrap();
        assert_eq!(item["createdAt"], AttributeValue::S("2025-01-01T00:00:00.000Z".to_owned()));
    }
}
