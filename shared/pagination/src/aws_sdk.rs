//! The official SDK's client as a [`Source`] (feature `aws-sdk`).
//!
//! [`SdkSource`] reads one table with [`aws_sdk_dynamodb::Client`]. Its items are the SDK's own
//! maps of attribute values. Region, credentials, endpoint, timeouts and retries are those of the
//! client. The README has a whole program.

mod attribute_value;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes, Select},
};

pub use attribute_value::NotScalar;

use attribute_value::object_bytes;

use crate::{Answer, Fetch, Fetched, Position, Query, Read, Row, Source, Value};

/// An item: attribute names and values.
pub type Item = HashMap<String, AttributeValue>;

/// Reads one table with the SDK's client.
///
/// Sizes in bytes ([`Row::bytes`]) are an estimate: the length of the item's compact JSON without
/// DynamoDB's type descriptors, with binary values in base64. Escapes in strings are not counted.
#[derive(Debug, Clone)]
pub struct SdkSource {
    client: Client,
    table_name: String,
    attributes: Vec<String>,
}

/// The error of a read.
#[derive(Debug, thiserror::Error)]
pub enum SdkSourceError {
    /// The SDK's error: DynamoDB refused the request or could not be reached, and the client made
    /// no more attempts.
    #[error("DynamoDB did not answer the request")]
    Sdk(#[from] Box<aws_sdk_dynamodb::Error>),
    /// DynamoDB left keys unprocessed in each of 8 attempts: the table is throttled.
    #[error("keys stayed unprocessed after {MAX_ATTEMPTS} attempts")]
    Unprocessed,
    /// DynamoDB's answer lacks a member that it must have, or is not the answer to the request.
    #[error("malformed answer: {0}")]
    Malformed(&'static str),
    /// A key attribute of the index is missing in an item, or is not a string or number. These are
    /// the key attributes.
    #[error("an item has no string or number in one of its key attributes: {0}")]
    Key(String),
}

impl SdkSource {
    /// Reads every attribute of the table `table_name`. From an index, a Query returns what the
    /// index projects.
    pub fn new(client: Client, table_name: impl Into<String>) -> Self {
        Self { client, table_name: table_name.into(), attributes: Vec::new() }
    }

    /// Reads only these top-level attributes, and the key attributes that paging needs. Name those
    /// that the plan was made for, or items lack the others.
    #[must_use]
    pub fn attributes(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { attributes: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// The projection of `wanted` and `keys`, each attribute once.
    fn projection<'a>(wanted: &'a [String], keys: &[&'a str]) -> Projection {
        let mut attributes: Vec<&str> = Vec::new();
        for attribute in wanted.iter().map(String::as_str).chain(keys.iter().copied()) {
            if !attributes.contains(&attribute) {
                attributes.push(attribute);
            }
        }
        let names: HashMap<_, _> = attributes
            .iter()
            .enumerate()
            .map(|(i, name)| (format!("#p{i}"), (*name).to_owned()))
            .collect();
        let placeholders: Vec<_> = (0..attributes.len()).map(|i| format!("#p{i}")).collect();
        Projection { expression: Some(placeholders.join(", ")), names }
    }
}

/// A ProjectionExpression and its names; empty for all attributes.
#[derive(Default)]
struct Projection {
    expression: Option<String>,
    names: HashMap<String, String>,
}

impl Source for SdkSource {
    type Item = Item;
    type Error = SdkSourceError;

    async fn query(&self, query: &Query<'_>) -> Result<Answer<Item>, SdkSourceError> {
        let keys = query.position_attributes;
        let Projection { expression, mut names } = match query.read {
            Read::Items if !self.attributes.is_empty() => Self::projection(&self.attributes, keys),
            Read::Positions => Self::projection(&[], keys),
            Read::Items | Read::Count => Projection::default(),
        };
        names.extend(
            query.names.iter().map(|(placeholder, name)| (placeholder.clone(), (*name).to_owned())),
        );
        let values =
            query.values.iter().map(|(placeholder, value)| (placeholder.clone(), value.into()));
        let request = self
            .client
            .query()
            .table_name(&self.table_name)
            .set_index_name(query.index.name.map(str::to_owned))
            .key_condition_expression(&query.key_condition)
            .set_filter_expression(query.filter.clone())
            .set_projection_expression(expression)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values.collect()))
            .set_exclusive_start_key(
                query.start.as_ref().map(|start| start.iter().map(named).collect()),
            )
            .set_select((query.read == Read::Count).then_some(Select::Count))
            .scan_index_forward(query.forward)
            .limit(i32::try_from(query.limit).unwrap_or(i32::MAX));
        let output = request.send().await.map_err(sdk_error)?;
        let row = |item: Item| {
            let bytes = if query.read == Read::Items { object_bytes(&item) } else { 0 };
            Ok(Row { position: position(query, &item)?, item, bytes })
        };
        let is_elsewhere = |key: &Item| {
            query.partition().any(|(name, value)| {
                scalar(key, name).is_none_or(|other| other.order(value).is_ne())
            })
        };
        if output.last_evaluated_key.as_ref().is_some_and(is_elsewhere) {
            return Err(SdkSourceError::Malformed("LastEvaluatedKey is in another partition"));
        }
        let items = if query.read == Read::Count {
            Vec::new()
        } else {
            output.items.ok_or(SdkSourceError::Malformed("Items is missing"))?
        };
        Ok(Answer {
            rows: items.into_iter().map(row).collect::<Result<_, SdkSourceError>>()?,
            evaluated: u32::try_from(output.scanned_count)
                .map_err(|_| SdkSourceError::Malformed("ScannedCount is negative"))?,
            last: output.last_evaluated_key.map(|key| position(query, &key)).transpose()?,
        })
    }

    /// Waits before a repeat: 25 ms, then twice as long each time. Fails after 8 attempts.
    async fn fetch(&self, fetch: &Fetch<'_>) -> Result<Vec<Fetched<Item>>, SdkSourceError> {
        if fetch.attempt >= MAX_ATTEMPTS {
            return Err(SdkSourceError::Unprocessed);
        }
        if let Some(doublings) = fetch.attempt.checked_sub(1) {
            tokio::time::sleep(FIRST_PAUSE * (1 << doublings)).await;
        }
        let names = fetch.table.key;
        let projection = if self.attributes.is_empty() {
            Projection::default()
        } else {
            Self::projection(&self.attributes, names)
        };
        let key = |key: &Vec<Value>| {
            names
                .iter()
                .copied()
                .zip(key.iter().cloned())
                .map(|pair| named(&pair))
                .collect::<Item>()
        };
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(fetch.keys.iter().map(key).collect()))
            .set_projection_expression(projection.expression)
            .set_expression_attribute_names(
                Some(projection.names).filter(|names| !names.is_empty()),
            )
            .build()
            .map_err(sdk_error)?;
        let output = self
            .client
            .batch_get_item()
            .request_items(&self.table_name, wanted)
            .send()
            .await
            .map_err(sdk_error)?;

        // One table is asked for, so whatever comes is of that table, by name or by ARN.
        let identity = |item: &Item| -> Option<Vec<String>> {
            names.iter().map(|name| Some(scalar(item, name)?.canonical())).collect()
        };
        let items = output
            .responses
            .ok_or(SdkSourceError::Malformed("Responses is missing"))?
            .into_values()
            .flatten();
        let keyed = |item: Item| Ok((identity(&item).ok_or(NOT_ASKED)?, item));
        let mut found: HashMap<_, _> = items.map(keyed).collect::<Result<_, SdkSourceError>>()?;
        let unprocessed = output.unprocessed_keys.unwrap_or_default();
        let unprocessed: HashSet<_> =
            unprocessed.values().flat_map(|keys| &keys.keys).filter_map(identity).collect();
        let fetched = |key: &Vec<Value>| {
            let key: Vec<_> = key.iter().map(Value::canonical).collect();
            match found.remove(&key) {
                Some(item) => {
                    let bytes = object_bytes(&item);
                    Fetched::Found(item, bytes)
                }
                None if unprocessed.contains(&key) => Fetched::Unprocessed,
                None => Fetched::Missing,
            }
        };
        let all = fetch.keys.iter().map(fetched).collect();
        // Each key that was asked for has taken its item.
        if found.is_empty() { Ok(all) } else { Err(NOT_ASKED) }
    }
}

const NOT_ASKED: SdkSourceError =
    SdkSourceError::Malformed("a BatchGetItem's answer has a key that was not asked for");

/// The pause before unprocessed keys are asked for a second time.
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// How often keys are asked for at most: the pauses between 8 attempts take 3.2 seconds.
const MAX_ATTEMPTS: u32 = 8;

fn sdk_error(error: impl Into<aws_sdk_dynamodb::Error>) -> SdkSourceError {
    Box::new(error.into()).into()
}

fn named((name, value): &(&str, Value)) -> (String, AttributeValue) {
    ((*name).to_owned(), value.into())
}

fn scalar(item: &Item, name: &str) -> Option<Value> {
    item.get(name).and_then(|value| value.try_into().ok())
}

fn position(query: &Query<'_>, item: &Item) -> Result<Position, SdkSourceError> {
    query
        .position(|name| scalar(item, name))
        .ok_or_else(|| SdkSourceError::Key(query.position_attributes.join(", ")))
}
