//! Attribute values in DynamoDB's JSON.
//!
//! [AWS: AttributeValue](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html) lists
//! the types: an object with one member, whose name is the type.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::Malformed;

/// The text of one JSON value that has been checked, without white space around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Json<'a>(pub(crate) &'a str);

/// The type of an attribute value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(field_identifier)]
pub(crate) enum Type {
    #[serde(rename = "S")]
    Text,
    #[serde(rename = "N")]
    Number,
    #[serde(rename = "B")]
    Binary,
    #[serde(rename = "BOOL")]
    Boolean,
    #[serde(rename = "NULL")]
    Null,
    #[serde(rename = "M")]
    Map,
    #[serde(rename = "L")]
    List,
    #[serde(rename = "SS")]
    Texts,
    #[serde(rename = "NS")]
    Numbers,
    #[serde(rename = "BS")]
    Binaries,
}

/// Reads an attribute value from the map that it is: `value` reads the one member's value, by its type.
pub(crate) fn single<'de, A: MapAccess<'de>, T>(
    mut map: A,
    value: impl FnOnce(Type, &mut A) -> Result<T, A::Error>,
) -> Result<T, A::Error> {
    let kind = map.next_key()?.ok_or_else(|| A::Error::custom("an attribute value has no type"))?;
    let value = value(kind, &mut map)?;
    match map.next_key::<Type>()? {
        Some(_) => Err(A::Error::custom("an attribute value has more than one type")),
        None => Ok(value),
    }
}

/// An attribute value: its type, and the text of its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attribute<'a>(pub(crate) Type, pub(crate) Json<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Attribute<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;

        impl<'de> Visitor<'de> for One {
            type Value = Attribute<'de>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("an attribute value")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Attribute<'de>, A::Error> {
                single(map, |kind, map| map.next_value().map(|value| Attribute(kind, value)))
            }
        }

        deserializer.deserialize_map(One)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Self(raw.get()))
    }
}

impl<'a> Json<'a> {
    /// Reads the whole text.
    pub(crate) fn parse<T: Deserialize<'a>>(self) -> Result<T, Malformed> {
        Ok(serde_json::from_str(self.0)?)
    }

    /// Returns the text if it is that of a string, with its quotes and escapes.
    pub(crate) fn string(self) -> Result<&'a str, Malformed> {
        if self.0.starts_with('"') { Ok(self.0) } else { Err(Malformed::Content("an attribute of type S or B is not a string")) }
    }

    /// Reads a string. Borrowed unless there is an escape in it; half a surrogate pair is an error.
    pub(crate) fn text(self) -> Result<Cow<'a, str>, Malformed> {
        match self.unquoted() {
            Some(text) if !text.contains('\\') => Ok(Cow::Borrowed(text)),
            _ => self.parse().map(Cow::Owned),
        }
    }

    /// Reads a number, which DynamoDB sends as a string: digit for digit, and itself JSON.
    pub(crate) fn number(self) -> Result<&'a str, Malformed> {
        self.unquoted().filter(|text| is_number(text)).ok_or(Malformed::Content("an attribute of type N is not a number"))
    }

    /// The text between the quotes of a string.
    fn unquoted(self) -> Option<&'a str> {
        self.0.strip_prefix('"')?.strip_suffix('"')
    }
}

/// Returns whether the text is a JSON number (RFC 8259, section 6), which DynamoDB's numbers are: `12`, `-0.5`, `1E+30`.
fn is_number(text: &str) -> bool {
    matches!(text.as_bytes(), [b'-' | b'0'..=b'9', ..])
        && matches!(text.as_bytes(), [.., b'0'..=b'9'])
        && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_numbers_and_nothing_else() {
        let long = "12345678901234567890123456789012345678";
        for text in ["0", "-0", "12", "-0.5", "1E+30", "1e-130", "0.000", "9.99E125", "1E+99999999999999999999", long] {
            assert!(is_number(text), "{text}");
        }
        for text in ["", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "1 ", " 1", "NaN", "Infinity", "1.2.3", "--1", "1,1", "1 1", "[1"]
        {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn texts_are_decoded() {
        let text = |json| Json(json).text().map(Cow::into_owned);
        assert_eq!(text(r#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00é""#).as_deref(), Ok("\"\\/\u{8}\u{c}\n\r\tAé😀é"));
        assert!(matches!(Json("\"é\"").text(), Ok(Cow::Borrowed("é"))));
        for wrong in [r#""\x""#, r#""\u12""#, r#""\u12g4""#, r#""\ud83d""#, r#""\ud83dx\ude00""#, r#""\ude00""#, r#""\ud83d\u0041""#] {
            assert!(text(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "\"", "1", "null", "[]"] {
            assert!(text(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_attribute_value_has_one_type_that_exists() {
        let read = |json| Json(json).parse().map(|Attribute(kind, value)| (kind, value.0));
        assert_eq!(read(r#"{"S":"a"}"#), Ok((Type::Text, "\"a\"")));
        assert_eq!(read(" { \"S\" : \"a\" } "), Ok((Type::Text, "\"a\"")));
        assert_eq!(read(r#"{"\u0053":"a"}"#), Ok((Type::Text, "\"a\"")));
        assert_eq!(read(r#"{"L":[{"S":"a"}]}"#), Ok((Type::List, r#"[{"S":"a"}]"#)));
        assert_eq!(read(r#"{"BS":["AA=="]}"#), Ok((Type::Binaries, r#"["AA=="]"#)));
        for wrong in ["{}", "1", "\"S\"", "null", r#"{"X":"a"}"#, r#"{"s":"a"}"#, r#"{"S":"a","N":"1"}"#, r#"{"S":"a","S":"a"}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
