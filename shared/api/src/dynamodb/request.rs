//! The bodies of requests, as the [API reference](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html)
//! has them: what this bundle asks, and no more.

use pagination::Value;
use serde::{Serialize, Serializer};

/// [GetItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html)
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetItem<'a> {
    pub(crate) table_name: &'a str,
    pub(crate) key: Attributes<'a>,
    pub(crate) projection_expression: &'a str,
    pub(crate) expression_attribute_names: Names<'a>,
    pub(crate) return_consumed_capacity: Capacity,
}

/// [Query](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html)
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Query<'a> {
    pub(crate) table_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index_name: Option<&'a str>,
    pub(crate) select: Select,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) projection_expression: Option<&'a str>,
    pub(crate) key_condition_expression: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filter_expression: Option<&'a str>,
    pub(crate) expression_attribute_names: Names<'a>,
    pub(crate) expression_attribute_values: Attributes<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exclusive_start_key: Option<Attributes<'a>>,
    pub(crate) scan_index_forward: bool,
    pub(crate) limit: u32,
    pub(crate) return_consumed_capacity: Capacity,
}

/// [BatchGetItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html)
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchGetItem<'a> {
    pub(crate) request_items: Pairs<&'a str, KeysAndAttributes<'a>>,
    pub(crate) return_consumed_capacity: Capacity,
}

/// What is read of one table.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KeysAndAttributes<'a> {
    pub(crate) keys: Vec<Attributes<'a>>,
    pub(crate) projection_expression: &'a str,
    pub(crate) expression_attribute_names: Names<'a>,
}

/// What a Query gives back. A projection implies `SPECIFIC_ATTRIBUTES`; it is said, so that the role's condition on it always finds it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Select {
    SpecificAttributes,
    Count,
}

/// That the answer shall say what it cost.
#[derive(Debug, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Capacity {
    Total,
}

/// A JSON object, member by member.
#[derive(Debug)]
pub(crate) struct Pairs<K, V>(pub(crate) Vec<(K, V)>);

/// Names of attributes, or placeholders, and values.
pub(crate) type Attributes<'a> = Pairs<&'a str, Attribute<'a>>;
/// Placeholders and names.
pub(crate) type Names<'a> = Pairs<&'a str, &'a str>;

impl<K: Serialize, V: Serialize> Serialize for Pairs<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<K, V> FromIterator<(K, V)> for Pairs<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// [AttributeValue](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html), as far as keys and conditions
/// have them.
#[derive(Debug, Serialize)]
pub(crate) enum Attribute<'a> {
    S(&'a str),
    N(&'a str),
    #[serde(rename = "BOOL")]
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
