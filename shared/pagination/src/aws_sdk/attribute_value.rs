//! Attribute values of the SDK: their conversion to and from [`Value`], and their size in JSON.

use aws_sdk_dynamodb::types::AttributeValue;

use super::Item;
use crate::Value;

/// The error of an attribute value that is not a string, a number or a boolean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a string, a number or a boolean")]
pub struct NotScalar;

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
pub(super) fn object_bytes(map: &Item) -> usize {
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
            ("ss", AttributeValue::Ss(vec!["é".into(), "bc".into()])),
            ("bs", AttributeValue::Bs(vec![Blob::new([0_u8; 3]), Blob::new([0_u8])])),
        ]);
        let json = concat!(
            r#"{"s":"é","n":12.50,"b":false,"z":null,"l":["a",[]],"m":{"k":[1,2]},"x":"AAAAAA==","#,
            r#""ss":["é","bc"],"bs":["AAAA","AA=="]}"#
        );
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
