//! A question to DynamoDB as one value, of which both the call and the key of the cache tier are
//! made.
//!
//! The call takes a question apart member by member, and the key is the hash of all of them. So no
//! member can be in the call and not in the key.
//!
//! The bytes of the SDK's request would not do as a key: it writes its maps in random order.

use std::{
    collections::{BTreeMap, HashMap},
    future::ready,
    pin::Pin,
};

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity, Select},
};
use bytes::Bytes;
use pagination::{Fetch, Query, Read, Value};
use projection::{Expression, Selection};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{client::Client, error::ReadError, http_client::body_of};
use crate::tier::Key;

/// The members of a Query, or of a BatchGetItem of one table.
#[derive(Debug, Serialize)]
pub(super) enum Question<'a> {
    Query {
        table: &'a str,
        index: Option<&'a str>,
        projection: Option<String>,
        key_condition: &'a str,
        filter: Option<&'a str>,
        names: BTreeMap<String, String>,
        values: BTreeMap<&'a str, Attribute<'a>>,
        start: Option<BTreeMap<&'a str, Attribute<'a>>>,
        forward: bool,
        limit: u32,
    },
    Fetch {
        table: &'a str,
        keys: Vec<BTreeMap<&'a str, Attribute<'a>>>,
        projection: String,
        names: BTreeMap<String, String>,
    },
}

/// The value of an attribute.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) enum Attribute<'a> {
    S(&'a str),
    N(&'a str),
    Bool(bool),
}

impl<'a> From<&'a Value> for Attribute<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::S(text) => Self::S(text),
            Value::N(text) => Self::N(text),
            Value::Bool(flag) => Self::Bool(*flag),
        }
    }
}

impl From<Attribute<'_>> for AttributeValue {
    fn from(attribute: Attribute<'_>) -> Self {
        match attribute {
            Attribute::S(text) => Self::S(text.to_owned()),
            Attribute::N(text) => Self::N(text.to_owned()),
            Attribute::Bool(flag) => Self::Bool(flag),
        }
    }
}

impl<'a> Question<'a> {
    /// Makes a Query for `selection` of each item.
    pub(super) fn query(table: &'a str, query: &'a Query<'_>, selection: &Selection) -> Self {
        let projection =
            (query.read != Read::Count).then(|| selection.expression(query.position_attributes));
        let (text, names) = projection.map(|Expression { text, names }| (text, names)).unzip();
        let names = query
            .names
            .iter()
            .map(|(placeholder, name)| (placeholder.clone(), (*name).to_owned()))
            .chain(names.into_iter().flatten());
        let start = query.start.as_ref();
        let start =
            start.map(|start| start.iter().map(|(name, value)| (*name, value.into())).collect());
        Self::Query {
            table,
            index: query.index.name,
            projection: text,
            key_condition: &query.key_condition,
            filter: query.filter.as_deref(),
            names: names.collect(),
            values: query.values.iter().map(|(name, value)| (&**name, value.into())).collect(),
            start,
            forward: query.forward,
            limit: query.limit,
        }
    }

    /// Makes a BatchGetItem for `selection` of each item and for `attributes`.
    pub(super) fn fetch(
        table: &'a str,
        fetch: &'a Fetch<'_>,
        selection: &Selection,
        attributes: &[&'static str],
    ) -> Self {
        let Expression { text, names } = selection.expression(attributes);
        let names_of_key = fetch.table.key;
        let key = |key: &'a Vec<Value>| {
            names_of_key.iter().zip(key).map(|(name, value)| (*name, value.into())).collect()
        };
        Self::Fetch {
            table,
            keys: fetch.keys.iter().map(key).collect(),
            projection: text,
            names: names.into_iter().collect(),
        }
    }

    /// Returns the key of the answer that `place` gives: the address of the table's account and
    /// region.
    ///
    /// The hash is over JSON with sorted members, so every difference is one of the hash too.
    pub(super) fn key(&self, place: &str) -> Option<Key> {
        let text = serde_json::to_vec(&(place, self)).ok()?;
        Some(Key::new(Sha256::digest(&text).into()))
    }

    /// Asks DynamoDB. The answer's bytes are `None` if there was no body.
    pub(super) fn ask(self, client: &Client) -> Asking {
        match self {
            Self::Query {
                table,
                index,
                projection,
                key_condition,
                filter,
                names,
                values,
                start,
                forward,
                limit,
            } => {
                // A projection implies this value; it is sent so that the role's condition on
                // `dynamodb:Select` always finds one.
                let select =
                    projection.as_ref().map_or(Select::Count, |_| Select::SpecificAttributes);
                let call = client
                    .sdk()
                    .query()
                    .table_name(table)
                    .set_index_name(index.map(str::to_owned))
                    .select(select)
                    .set_projection_expression(projection)
                    .key_condition_expression(key_condition)
                    .set_filter_expression(filter.map(str::to_owned))
                    .set_expression_attribute_names(Some(names.into_iter().collect()))
                    .set_expression_attribute_values(Some(attributes(values)))
                    .set_exclusive_start_key(start.map(attributes))
                    .scan_index_forward(forward)
                    .limit(i32::try_from(limit).unwrap_or(i32::MAX))
                    .return_consumed_capacity(ReturnConsumedCapacity::Total);
                boxed(call.send())
            }
            Self::Fetch { table, keys, projection, names } => {
                let wanted = KeysAndAttributes::builder()
                    .set_keys(Some(keys.into_iter().map(attributes).collect()))
                    .projection_expression(projection)
                    .set_expression_attribute_names(Some(names.into_iter().collect()))
                    .build();
                let wanted = match wanted {
                    Ok(wanted) => wanted,
                    Err(error) => {
                        return Box::pin(ready(Err(ReadError::Refused(error.to_string()))));
                    }
                };
                let call = client
                    .sdk()
                    .batch_get_item()
                    .request_items(table, wanted)
                    .return_consumed_capacity(ReturnConsumedCapacity::Total);
                boxed(call.send())
            }
        }
    }
}

/// A call in progress. It is boxed, because the types of the calls are large and differ.
pub(super) type Asking = Pin<Box<dyn Future<Output = Result<Option<Bytes>, ReadError>> + Send>>;

/// Makes a call of its SDK's future.
pub(super) fn boxed<O: 'static, E>(
    call: impl Future<Output = Result<O, SdkError<E, HttpResponse>>> + Send + 'static,
) -> Asking
where
    E: ProvideErrorMetadata + std::error::Error + Send + 'static,
{
    let call = body_of(call);
    Box::pin(async move { Ok(call.await?) })
}

fn attributes(of: BTreeMap<&str, Attribute<'_>>) -> HashMap<String, AttributeValue> {
    of.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

#[cfg(test)]
mod tests {
    use pagination::{Index, Partition, Projects, Table};
    use projection::{Field, Kind};

    use super::*;

    static FIELDS: [Field; 2] = [
        Field { name: "id", kind: Kind::Text, about: "" },
        Field { name: "price", kind: Kind::Number, about: "" },
    ];
    static INDEX: Index = index(Some("byKind"));
    static OTHER_INDEX: Index = index(Some("byOther"));
    static ITSELF: Index = index(None);

    const fn index(name: Option<&'static str>) -> Index {
        let partition = Partition::Attributes(&["kind"]);
        Index { name, partition, range: &["id"], projects: Projects::All }
    }
    static TABLE: Table = Table { key: &["id"], indexes: &[] };

    const PLACE: &str = "https://dynamodb.eu-central-1.amazonaws.com/";

    fn text(text: &str) -> Value {
        Value::S(text.to_owned())
    }

    fn question() -> Query<'static> {
        Query {
            index: &INDEX,
            position_attributes: &["id"],
            key_condition: "#k0 = :k0".to_owned(),
            filter: None,
            names: vec![("#k0".to_owned(), "kind"), ("#k1".to_owned(), "id")],
            values: vec![(":k0".to_owned(), text("a")), (":k1".to_owned(), text("b"))],
            start: None,
            forward: true,
            limit: 10,
            read: Read::Items,
        }
    }

    fn key_of(query: &Query<'_>) -> Key {
        Question::query("things", query, &Selection::all(&FIELDS)).key(PLACE).unwrap()
    }

    #[test]
    fn the_same_question_has_the_same_key_in_whatever_order_its_parts_come() {
        let mut other = question();
        other.names.reverse();
        other.values.reverse();
        assert_eq!(key_of(&question()), key_of(&other));
    }

    #[test]
    fn every_part_of_a_query_is_part_of_its_key() {
        type Change = fn(&mut Query<'static>);
        let changes: [(&str, Change); 16] = [
            ("nothing", |_| {}),
            ("index", |query| query.index = &OTHER_INDEX),
            ("no index", |query| query.index = &ITSELF),
            ("position", |query| query.position_attributes = &["id", "kind"]),
            ("key condition", |query| query.key_condition.push_str(" AND #k1 = :k1")),
            ("filter", |query| query.filter = Some("#k1 = :k1".to_owned())),
            ("a name", |query| query.names[0].1 = "sort"),
            ("a placeholder", |query| query.names[0].0 = "#k2".to_owned()),
            ("a value", |query| query.values[0].1 = text("c")),
            ("another type", |query| query.values[0].1 = Value::N("1".to_owned())),
            ("a text of digits", |query| query.values[0].1 = text("1")),
            ("values exchanged", |query| {
                query.values = vec![(":k0".to_owned(), text("b")), (":k1".to_owned(), text("a"))];
            }),
            ("start", |query| query.start = Some(vec![("id", text("x"))])),
            ("direction", |query| query.forward = false),
            ("limit", |query| query.limit = 11),
            ("count", |query| query.read = Read::Count),
        ];
        let mut keys = Vec::new();
        for (what, change) in changes {
            let mut query = question();
            change(&mut query);
            let key = key_of(&query);
            assert!(!keys.contains(&key), "{what}");
            keys.push(key);
        }
        let query = question();
        for other in [
            Question::query("others", &query, &Selection::all(&FIELDS)).key(PLACE),
            Question::query("things", &query, &Selection::all(&FIELDS[..1])).key(PLACE),
            Question::query("things", &query, &Selection::all(&FIELDS))
                .key("https://dynamodb.eu-west-1.amazonaws.com/"),
        ] {
            assert!(!keys.contains(&other.unwrap()));
        }
    }

    #[test]
    fn every_part_of_a_fetch_is_part_of_its_key() {
        let (one, other) = ([vec![text("a")], vec![text("b")]], [vec![text("b")], vec![text("a")]]);
        let with = |table, keys: &[Vec<Value>], fields: &'static [Field], also: &[&'static str]| {
            let fetch = Fetch { table: &TABLE, keys, attempt: 0 };
            Question::fetch(table, &fetch, &Selection::all(fields), also).key(PLACE).unwrap()
        };
        let key = |table, keys: &[Vec<Value>], fields| with(table, keys, fields, TABLE.key);
        let all = [
            key("things", &one, &FIELDS),
            // The answers to the keys of a page are in its order.
            key("things", &other, &FIELDS),
            key("things", &one[..1], &FIELDS),
            key("others", &one, &FIELDS),
            key("things", &one, &FIELDS[..1]),
            with("things", &one, &FIELDS, &["id", "type"]),
        ];
        for (i, key) in all.iter().enumerate() {
            assert!(!all[..i].contains(key), "{i}");
        }
        let query = key_of(&question());
        assert!(!all.contains(&query));
    }
}
