//! The second implementor of `pagination::Source`: in-process DynamoDB without the wire, counted.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::atomic::{AtomicU32, Ordering},
};

use dynoxide::{
    AttributeValue, Item,
    actions::{
        batch_get_item::BatchGetItemRequest, delete_item::DeleteItemRequest, query::QueryRequest,
    },
};
use pagination::{Answer, Fetch, Fetched, Query, Read, Row, Source, Value};

/// One table. An item is its id.
pub(crate) struct Direct {
    pub(crate) db: dynoxide::Database,
    pub(crate) table: &'static str,
    pub(crate) queries: AtomicU32,
    pub(crate) evaluated: AtomicU32,
    pub(crate) fetches: AtomicU32,
}

impl Direct {
    pub(crate) fn new(db: dynoxide::Database, table: &'static str) -> Self {
        Self {
            db,
            table,
            queries: AtomicU32::new(0),
            evaluated: AtomicU32::new(0),
            fetches: AtomicU32::new(0),
        }
    }

    /// Returns the Queries, evaluated items and fetches since the last call.
    pub(crate) fn spent(&self) -> (u32, u32, u32) {
        let take = |counter: &AtomicU32| counter.swap(0, Ordering::Relaxed);
        (take(&self.queries), take(&self.evaluated), take(&self.fetches))
    }

    pub(crate) fn put(&self, items: Vec<Item>) {
        self.db.import_items(self.table, items, dynoxide::ImportOptions::default()).unwrap();
    }

    pub(crate) fn delete(&self, key: &[(&str, &str)]) {
        let key = key
            .iter()
            .map(|(name, value)| ((*name).to_owned(), AttributeValue::S((*value).to_owned())))
            .collect();
        self.db
            .delete_item(DeleteItemRequest {
                table_name: self.table.to_owned(),
                key,
                ..DeleteItemRequest::default()
            })
            .unwrap();
    }
}

/// Converts a JSON object to an item; numbers keep their digits.
pub(crate) fn item(json: &serde_json::Value) -> Item {
    fn value(json: &serde_json::Value) -> AttributeValue {
        match json {
            serde_json::Value::Null => AttributeValue::NULL(true),
            serde_json::Value::Bool(flag) => AttributeValue::BOOL(*flag),
            serde_json::Value::Number(number) => AttributeValue::N(number.to_string()),
            serde_json::Value::String(text) => AttributeValue::S(text.clone()),
            serde_json::Value::Array(list) => AttributeValue::L(list.iter().map(value).collect()),
            serde_json::Value::Object(map) => AttributeValue::M(
                map.iter().map(|(name, json)| (name.clone(), value(json))).collect(),
            ),
        }
    }
    json.as_object().unwrap().iter().map(|(name, json)| (name.clone(), value(json))).collect()
}

fn there(value: &Value) -> AttributeValue {
    match value {
        Value::S(text) => AttributeValue::S(text.clone()),
        Value::N(text) => AttributeValue::N(text.clone()),
        Value::Bool(flag) => AttributeValue::BOOL(*flag),
    }
}

fn back(item: &Item, name: &str) -> Value {
    match &item[name] {
        AttributeValue::S(text) => Value::S(text.clone()),
        AttributeValue::N(text) => Value::N(text.clone()),
        other => panic!("{name} is no key: {other:?}"),
    }
}

impl Source for Direct {
    type Item = String;
    type Error = Infallible;

    async fn query(&self, query: &Query<'_>) -> Result<Answer<String>, Infallible> {
        let position = |item: &Item| query.position(|name| Some(back(item, name))).unwrap();
        let mut names: HashMap<String, String> = query
            .names
            .iter()
            .map(|(placeholder, name)| (placeholder.clone(), (*name).to_owned()))
            .collect();
        let count = query.read == Read::Count;
        if !count {
            names.extend(
                query
                    .position_attributes
                    .iter()
                    .enumerate()
                    .map(|(i, name)| (format!("#p{i}"), (*name).to_owned())),
            );
        }
        let placeholders: Vec<_> =
            (0..query.position_attributes.len()).map(|i| format!("#p{i}")).collect();
        let response = self
            .db
            .query(QueryRequest {
                table_name: self.table.to_owned(),
                index_name: query.index.name.map(str::to_owned),
                key_condition_expression: Some(query.key_condition.clone()),
                filter_expression: query.filter.clone(),
                projection_expression: (!count).then(|| placeholders.join(", ")),
                expression_attribute_names: Some(names),
                expression_attribute_values: Some(
                    query.values.iter().map(|(name, value)| (name.clone(), there(value))).collect(),
                ),
                exclusive_start_key: query.start.as_ref().map(|start| {
                    start.iter().map(|(name, value)| ((*name).to_owned(), there(value))).collect()
                }),
                scan_index_forward: query.forward,
                limit: Some(query.limit as usize),
                select: count.then(|| "COUNT".to_owned()),
                ..QueryRequest::default()
            })
            .unwrap_or_else(|error| panic!("{error:?} for {query:?}"));
        self.queries.fetch_add(1, Ordering::Relaxed);
        let evaluated = u32::try_from(response.scanned_count).unwrap();
        self.evaluated.fetch_add(evaluated, Ordering::Relaxed);
        assert!(evaluated <= query.limit);
        let row = |item: &Item| {
            let position = position(item);
            let Some(Value::S(id)) = position.0.last().cloned() else {
                panic!("an id is a string")
            };
            Row { position, item: id, bytes: 1 }
        };
        let rows = response.items.unwrap_or_default().iter().map(row).collect();
        Ok(Answer { rows, evaluated, last: response.last_evaluated_key.as_ref().map(position) })
    }

    async fn fetch(&self, fetch: &Fetch<'_>) -> Result<Vec<Fetched<String>>, Infallible> {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        let name = fetch.table.key[fetch.table.key.len() - 1];
        let keys: Vec<_> = fetch
            .keys
            .iter()
            .map(|key| {
                fetch
                    .table
                    .key
                    .iter()
                    .zip(key)
                    .map(|(name, value)| ((*name).to_owned(), there(value)))
                    .collect::<Item>()
            })
            .collect();
        let request = dynoxide::actions::batch_get_item::KeysAndAttributes {
            keys: keys.clone(),
            ..Default::default()
        };
        let request = BatchGetItemRequest {
            request_items: HashMap::from([(self.table.to_owned(), request)]),
            return_consumed_capacity: None,
        };
        let found: Vec<_> = self
            .db
            .batch_get_item(request)
            .unwrap()
            .responses
            .remove(self.table)
            .unwrap_or_default();
        let found = |key: &Item| found.iter().any(|item| item[name] == key[name]);
        let id = |key: &Item| match back(key, name) {
            Value::S(id) => id,
            other => panic!("{other:?}"),
        };
        Ok(keys
            .iter()
            .map(|key| if found(key) { Fetched::Found(id(key), 1) } else { Fetched::Missing })
            .collect())
    }

    /// The products of these tests are small.
    fn expected_bytes(&self) -> Option<usize> {
        Some(1)
    }
}
