//! A table of the template: its keys, its indexes, and the CreateTable request for it.

use super::literal::{list, plain, text};
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One table.
#[derive(Debug, Clone)]
pub struct Table {
    /// `BlogPostsTable`
    pub logical_id: String,
    /// Its name in the local database, and its resource's: `blog-posts`.
    pub local_name: String,
    /// DynamoDB's CreateTable request: name, key schema, attribute definitions, indexes, on demand.
    pub create: Value,
    /// The table's own key, partition key first.
    pub key: Vec<Key>,
    /// Its secondary indexes, as listed.
    pub indexes: Vec<Index>,
}

/// A secondary index.
#[derive(Debug, Clone)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its key attributes: partition keys first, up to four of each kind.
    pub key: Vec<Key>,
    /// `ALL`, `KEYS_ONLY` or `INCLUDE`.
    pub projection: String,
    /// The attributes that INCLUDE names (the keys of index and table are always projected too).
    pub non_key_attributes: Vec<String>,
}

/// A key attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The attribute's name.
    pub name: String,
    /// A partition key (HASH), not a sort key (RANGE).
    pub hash: bool,
    /// Its type.
    pub attribute_type: AttributeType,
}

/// The types that a key attribute can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeType {
    /// `S`
    String,
    /// `N`
    Number,
    /// `B`
    Binary,
}

/// The local name of a table: `BlogPostsTable` is `blog-posts`.
fn local_name(logical_id: &str) -> String {
    let mut name = String::new();
    for (index, c) in logical_id.strip_suffix("Table").unwrap_or(logical_id).char_indices() {
        if c.is_uppercase() && index > 0 {
            name.push('-');
        }
        name.extend(c.to_lowercase());
    }
    name
}

impl Table {
    pub(super) fn read(logical_id: &str, properties: &Value) -> Result<Self> {
        let mut types = BTreeMap::new();
        for definition in list(properties, "AttributeDefinitions")? {
            let attribute_type = match text(definition, "AttributeType")? {
                "S" => AttributeType::String,
                "N" => AttributeType::Number,
                "B" => AttributeType::Binary,
                other => bail!("AttributeType `{other}` is none of S, N, B"),
            };
            types.insert(text(definition, "AttributeName")?.to_owned(), attribute_type);
        }
        let local_name = local_name(logical_id);
        let mut create = json!({
            "TableName": local_name,
            "AttributeDefinitions": plain(properties, "AttributeDefinitions")?,
            "KeySchema": plain(properties, "KeySchema")?,
            "BillingMode": "PAY_PER_REQUEST",
        });
        let mut indexes = Vec::new();
        for member in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
            if properties[member].is_null() {
                continue;
            }
            let mut requests = Vec::new();
            for index in list(properties, member)? {
                let name = text(index, "IndexName")?;
                indexes.push(Index::read(index, &types).context(name.to_owned())?);
                requests.push(json!({
                    "IndexName": name,
                    "KeySchema": plain(index, "KeySchema")?,
                    "Projection": plain(index, "Projection")?,
                }));
            }
            create[member] = Value::Array(requests);
        }
        let key = keys(properties, &types)?;
        Ok(Self { logical_id: logical_id.to_owned(), local_name, create, key, indexes })
    }

    /// Every attribute that a key of the table or of an index names, with its type; the table's own
    /// first.
    pub fn key_attributes(&self) -> Vec<&Key> {
        let mut found: Vec<&Key> = Vec::new();
        for key in self.key.iter().chain(self.indexes.iter().flat_map(|index| &index.key)) {
            if !found.iter().any(|known| known.name == key.name) {
                found.push(key);
            }
        }
        found
    }

    /// The index with a name.
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == name)
    }
}

impl Index {
    fn read(index: &Value, types: &BTreeMap<String, AttributeType>) -> Result<Self> {
        let projection = &index["Projection"];
        let included = projection["NonKeyAttributes"].as_array().into_iter().flatten();
        Ok(Self {
            name: text(index, "IndexName")?.to_owned(),
            key: keys(index, types)?,
            projection: text(projection, "ProjectionType")?.to_owned(),
            non_key_attributes: included.filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    }
}

fn keys(of: &Value, types: &BTreeMap<String, AttributeType>) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    for element in list(of, "KeySchema")? {
        let name = text(element, "AttributeName")?;
        let Some(attribute_type) = types.get(name) else {
            bail!("key attribute `{name}` is not in AttributeDefinitions");
        };
        keys.push(Key {
            name: name.to_owned(),
            hash: text(element, "KeyType")? == "HASH",
            attribute_type: *attribute_type,
        });
    }
    Ok(keys)
}
