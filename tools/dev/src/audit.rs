//! `cargo dev audit`: products that no list would find.
//!
//! A product is in an index only if it has all of the index's key attributes, of the right type, and in a list of the
//! whole catalogue only if its shard is one that the functions ask for. This reads the whole table (a Scan: half a unit
//! for every 4 KB of it), which a deployed function never does.

use crate::failure::failure;
use crate::row::{self, Item, SHARD};
use crate::template::Table;
use crate::timestamp::is_time;
use anyhow::Result;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use std::collections::HashMap;

/// The result of an audit.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// Products read.
    pub read: u64,
    /// Read units that the database charged.
    pub units: f64,
    /// The products that a list would not find, with all reasons.
    pub lost: Vec<Lost>,
}

/// One product that a list would not find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Its key.
    pub id: String,
    /// The reasons.
    pub reasons: Vec<String>,
}

/// Reads a table and judges every item by the keys of the template's indexes.
pub async fn audit(client: &Client, table: &Table, name: &str, shards: u32) -> Result<Audit> {
    let attributes: Vec<_> = table.key_attributes().iter().map(|key| key.name.clone()).collect();
    let placeholders: HashMap<_, _> = attributes.iter().enumerate().map(|(index, name)| (format!("#a{index}"), name.clone())).collect();
    let mut names: Vec<_> = placeholders.keys().cloned().collect();
    names.sort();
    let mut found = Audit::default();
    let mut from = None;
    loop {
        let page = client
            .scan()
            .table_name(name)
            .projection_expression(names.join(", "))
            .set_expression_attribute_names(Some(placeholders.clone()))
            .set_exclusive_start_key(from)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| failure(&error, name))?;
        found.units += page.consumed_capacity().and_then(|of| of.capacity_units()).unwrap_or_default();
        for item in page.items() {
            found.read += 1;
            let reasons = reasons(item, table, shards);
            if !reasons.is_empty() {
                found.lost.push(Lost { id: id(item, table), reasons });
            }
        }
        from = page.last_evaluated_key;
        if from.is_none() {
            found.lost.sort_by(|a, b| a.id.cmp(&b.id));
            return Ok(found);
        }
    }
}

fn reasons(item: &Item, table: &Table, shards: u32) -> Vec<String> {
    let mut reasons = Vec::new();
    for key in table.key_attributes() {
        match (row::indexed(item, key), item.get(&key.name)) {
            (Err(reason), _) => reasons.push(reason),
            (Ok(()), Some(AttributeValue::N(number))) if key.name == SHARD && !number.parse::<u32>().is_ok_and(|shard| shard < shards) => {
                reasons.push(format!("`shard` is {number}, not one of 0 to {}", shards.saturating_sub(1)));
            }
            (Ok(()), Some(AttributeValue::S(text))) if key.name == "createdAt" && !is_time(text) => {
                reasons.push("`createdAt` is not a UTC time with milliseconds: it sorts in the wrong place".to_owned());
            }
            _ => {}
        }
    }
    reasons
}

fn id(item: &Item, table: &Table) -> String {
    let parts = table.key.iter().map(|key| match item.get(&key.name) {
        Some(AttributeValue::S(text)) => text.escape_debug().to_string(),
        Some(AttributeValue::N(number)) => number.clone(),
        _ => "?".to_owned(),
    });
    parts.collect::<Vec<_>>().join(" ")
}
