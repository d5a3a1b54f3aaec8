//! The official SDK's client as a [`Source`] (feature `aws-sdk`).
//!
//! [`SdkSource`] reads one table with [`aws_sdk_dynamodb::Client`]. Its items are the SDK's own
//! maps of attribute values. Region, credentials, endpoint, timeouts and retries are those of the
//! client. The README has a whole program.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes, Select},
};

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
pub enum ReadError {
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

/// The error of an attribute value that is not a string, a number or a boolean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a string, a number or a boolean")]
pub struct NotScalar;

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
    type Error = ReadError;

    async fn query(&self, query: &Query<'_>) -> Result<Answer<Item>, ReadError> {
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
            return Err(ReadError::Malformed("LastEvaluatedKey is in another partition"));
        }
        let items = if query.read == Read::Count {
            Vec::new()
        } else {
            output.items.ok_or(ReadError::Malformed("Items is missing"))?
        };
        Ok(Answer {
            rows: items.into_iter().map(row).collect::<Result<_, ReadError>>()?,
            evaluated: u32::try_from(output.scanned_count)
                .map_err(|_| ReadError::Malformed("ScannedCount is negative"))?,
            last: output.last_evaluated_key.map(|key| position(query, &key)).transpose()?,
        })
    }

    /// Waits before a repeat: 25 ms, then twice as long each time. Fails after 8 attempts.
    async fn fetch(&self, fetch: &Fetch<'_>) -> Result<Vec<Fetched<Item>>, ReadError> {
        if fetch.attempt >= MAX_ATTEMPTS {
            return Err(ReadError::Unprocessed);
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
            .ok_or(ReadError::Malformed("Responses is missing"))?
            .into_values()
            .flatten();
        let keyed = |item: Item| Ok((identity(&item).ok_or(NOT_ASKED)?, item));
        let mut found: HashMap<_, _> = items.map(keyed).collect::<Result<_, ReadError>>()?;
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

const NOT_ASKED: ReadError =
    ReadError::Malformed("a BatchGetItem's answer has a key that was not asked for");

/// The pause before unprocessed keys are asked for a second time.
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// How often keys are asked for at most: the pauses between 8 attempts take 3.2 seconds.
const MAX_ATTEMPTS: u32 = 8;

fn sdk_error(error: impl Into<aws_sdk_dynamodb::Error>) -> ReadError {
    Box::new(error.into()).into()
}

fn named((name, value): &(&str, Value)) -> (String, AttributeValue) {
    ((*name).to_owned(), value.into())
}

fn scalar(item: &Item, name: &str) -> Option<Value> {
    item.get(name).and_then(|value| value.try_into().ok())
}

fn position(query: &Query<'_>, item: &Item) -> Result<Position, ReadError> {
    query
        .position(|name| scalar(item, name))
        .ok_or_else(|| ReadError::Key(query.position_attributes.join(", ")))
}

impl From<&Value> for AttributeValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::S(text) => Self::S(text.clone()),
            Value::N(text) => Self::N(text.clone()),
            Value::Bool(flag) => Self::Bool(*flag),
        }
    }
}

impl TryFrom<&AttributeValue> for Value {
    type Error = NotScalar;

    fn try_from(value: &AttributeValue) -> Result<Self, NotScalar> {
        match value {
            AttributeValue::S(text) => Ok(Self::S(text.clone())),
            AttributeValue::N(text) => Ok(Self::N(text.clone())),
            AttributeValue::Bool(flag) => Ok(Self::Bool(*flag)),
            _ => Err(NotScalar),
        }
    }
}

/// The length of a map's JSON: a name has two quotes and a colon.
fn object_bytes(map: &Item) -> usize {
    list_bytes(map.iter().map(|(name, value)| name.len() + 3 + json_bytes(value)))
}

/// The length of a JSON array or object whose members have these lengths: two brackets, and commas
/// between members.
fn list_bytes(members: impl Iterator<Item = usize>) -> usize {
    members.map(|member| member + 1).sum::<usize>().max(1) + 1
}

fn json_bytes(value: &AttributeValue) -> usize {
    let string = |text: &String| text.len() + 2;
    let base64 = |bytes: &[u8]| bytes.len().div_ceil(3) * 4 + 2;
    match value {
        AttributeValue::S(text) => string(text),
        AttributeValue::N(text) => text.len(),
        AttributeValue::Bool(flag) => if *flag { "true" } else { "false" }.len(),
        AttributeValue::B(blob) => base64(blob.as_ref()),
        AttributeValue::Ss(texts) => list_bytes(texts.iter().map(string)),
        AttributeValue::Ns(texts) => list_bytes(texts.iter().map(String::len)),
        AttributeValue::Bs(blobs) => list_bytes(blobs.iter().map(|blob| base64(blob.as_ref()))),
        AttributeValue::L(values) => list_bytes(values.iter().map(json_bytes)),
        AttributeValue::M(map) => object_bytes(map),
        // NULL, and types that this version of the SDK does not know: it gives them no content.
        _ => "null".len(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::primitives::Blob;

    use super::*;

    #[test]
    fn sizes_are_those_of_compact_json() {
        let s = |text: &str| AttributeValue::S(text.to_owned());
        let map = |members: &[(&str, AttributeValue)]| {
            members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
        };
        let item: Item = map(&[
            ("s", s("é")),
            ("n", AttributeValue::N("12.50".into())),
            ("b", AttributeValue::Bool(false)),
            ("z", AttributeValue::Null(true)),
            ("l", AttributeValue::L(vec![s("a"), AttributeValue::L(vec![])])),
            (
                "m",
                AttributeValue::M(map(&[("k", AttributeValue::Ns(vec!["1".into(), "2".into()]))])),
            ),
            ("x", AttributeValue::B(Blob::new([0_u8; 4]))),
        ]);
        let json =
            r#"{"s":"é","n":12.50,"b":false,"z":null,"l":["a",[]],"m":{"k":[1,2]},"x":"AAAAAA=="}"#;
        assert_eq!(object_bytes(&item), json.len());
        assert_eq!(object_bytes(&Item::new()), "{}".len());
    }

    #[test]
    fn values_survive_the_conversion_both_ways() {
        for value in [Value::S("é".into()), Value::N("1E+2".into()), Value::Bool(true)] {
            assert_eq!(Value::try_from(&AttributeValue::from(&value)), Ok(value));
        }
        assert_eq!(Value::try_from(&AttributeValue::Null(true)), Err(NotScalar));
    }
}
