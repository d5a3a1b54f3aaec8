//! `cargo dev audit`: rows that no list would find.
//!
//! A row is in an index only if it has all of the index's key attributes, of the right type, and in
//! a list over shards only if its shard is one that the functions ask for. This reads whole tables
//! (a Scan: half a unit for every 4 KB), which a deployed function never does.

use crate::attribute::Item;
use crate::bundle::Stored;
use crate::failure::failure;
use crate::row::{self, Rules};
use anyhow::Result;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::HashMap;

/// The result of an audit.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// Rows read.
    pub read: u64,
    /// Read units that the database charged.
    pub units: f64,
    /// The rows that a list would not find, with all reasons.
    pub lost: Vec<Lost>,
}

/// One row that a list would not find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Its key.
    pub id: String,
    /// The reasons.
    pub reasons: Vec<String>,
}

/// Reads the table of a resource, `name` in the database, and judges every row by the keys of the
/// indexes.
///
/// # Errors
/// If the database fails.
pub async fn audit(client: &Client, of: Stored<'_>, name: &str, shards: u32) -> Result<Audit> {
    let placeholders: HashMap<_, _> = row::read_by_audit(of)
        .into_iter()
        .enumerate()
        .map(|(index, name)| (format!("#a{index}"), name))
        .collect();
    let mut names: Vec<_> = placeholders.keys().cloned().collect();
    names.sort();
    let rules = Rules::new(of, shards);
    let mut found = Audit::default();
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{msg} {spinner} {human_pos} rows") {
        bar.set_style(style);
    }
    bar.set_message(of.resource.name);
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
        found.units +=
            page.consumed_capacity().and_then(|of| of.capacity_units()).unwrap_or_default();
        for item in page.items().iter().filter(|item| rules.is_own(item)) {
            found.read += 1;
            let reasons = rules.lost(item);
            if !reasons.is_empty() {
                found.lost.push(Lost { id: id(item, of), reasons });
            }
        }
        bar.set_position(found.read);
        from = page.last_evaluated_key;
        if from.is_none() {
            bar.finish_and_clear();
            found.lost.sort_by(|a, b| a.id.cmp(&b.id));
            return Ok(found);
        }
    }
}

fn id(item: &Item, of: Stored<'_>) -> String {
    let parts = of.table.key.iter().map(|key| match item.get(&key.name) {
        Some(AttributeValue::S(text)) => text.escape_debug().to_string(),
        Some(AttributeValue::N(number)) => number.clone(),
        _ => "?".to_owned(),
    });
    parts.collect::<Vec<_>>().join(" ")
}
