//! Attribute values in DynamoDB's JSON.
//!
//! [AWS: AttributeValue](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html)
//! lists the types: an object with one member, whose name is the type.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

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

/// Reads an attribute value from the map that it is: `value` reads the one member's value, by its
/// type.
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

/// An attribute value. A string without escapes is borrowed from the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attribute<'a> {
    Text(Text<'a>),
    /// The base64 of it.
    Binary(Text<'a>),
    /// A JSON number, digit for digit.
    Number(Cow<'a, str>),
    Boolean(bool),
    Null,
    /// A map, list or set, with its text in the input.
    Nested(Type, &'a str),
}

impl<'de: 'a, 'a> Deserialize<'de> for Attribute<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;

        impl<'de> Visitor<'de> for One {
            type Value = Attribute<'de>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("an attribute value")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Attribute<'de>, A::Error> {
                single(map, |kind, map| {
                    Ok(match kind {
                        Type::Text => Attribute::Text(map.next_value()?),
                        Type::Binary => Attribute::Binary(map.next_value()?),
                        Type::Number => {
                            let Text(number) = map.next_value()?;
                            if !is_number(&number) {
                                return Err(A::Error::custom(
                                    "an attribute of type N is not a number",
                                ));
                            }
                            Attribute::Number(number)
                        }
                        Type::Boolean => Attribute::Boolean(map.next_value()?),
                        Type::Null => map.next_value::<bool>().map(|_| Attribute::Null)?,
                        Type::Map | Type::List | Type::Texts | Type::Numbers | Type::Binaries => {
                            Attribute::Nested(kind, map.next_value::<&RawValue>()?.get())
                        }
                    })
                })
            }
        }

        deserializer.deserialize_map(One)
    }
}

/// A string, borrowed from the input if it has no escapes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Characters;

        impl<'de> Visitor<'de> for Characters {
            type Value = Text<'de>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Characters)
    }
}

/// Returns whether the text is a JSON number (RFC 8259, section 6), which DynamoDB's numbers are:
/// `12`, `-0.5`, `1E+30`.
fn is_number(text: &str) -> bool {
    is_plain_number(text)
        || matches!(text.as_bytes(), [b'-' | b'0'..=b'9', ..])
            && matches!(text.as_bytes(), [.., b'0'..=b'9'])
            && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Returns whether the text is digits, with or without a fraction: most numbers are, and need no
/// parser.
fn is_plain_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_numbers_and_nothing_else() {
        let long = "12345678901234567890123456789012345678";
        for text in [
            "0",
            "-0",
            "12",
            "-0.5",
            "1E+30",
            "1e-130",
            "0.000",
            "9.99E125",
            "1E+99999999999999999999",
            long,
        ] {
            assert!(is_number(text), "{text}");
        }
        for text in [
            "", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "1 ", " 1", "NaN", "Infinity",
            "1.2.3", "--1", "1,1", "1 1", "[1",
        ] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn texts_are_decoded() {
        let text =
            |json| serde_json::from_str::<Text<'_>>(json).map(|Text(text)| text.into_owned()).ok();
        assert_eq!(
            text(r#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00é""#).as_deref(),
            Some("\"\\/\u{8}\u{c}\n\r\tAé😀é")
        );
        assert!(matches!(serde_json::from_str("\"é\""), Ok(Text(Cow::Borrowed("é")))));
        for wrong in [
            r#""\x""#,
            r#""\u12""#,
            r#""\u12g4""#,
            r#""\ud83d""#,
            r#""\ud83dx\ude00""#,
            r#""\ude00""#,
            r#""\ud83d\u0041""#,
        ] {
            assert!(text(wrong).is_none(), "{wrong}");
        }
        for wrong in ["", "\"", "1", "null", "[]"] {
            assert!(text(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn an_attribute_value_has_one_type_that_exists() {
        let read = |json| serde_json::from_str::<Attribute<'_>>(json).ok();
        let a = || Attribute::Text(Text("a".into()));
        assert_eq!(read(r#"{"S":"a"}"#), Some(a()));
        assert_eq!(read(" { \"S\" : \"a\" } "), Some(a()));
        assert_eq!(read(r#"{"\u0053":"a"}"#), Some(a()));
        assert_eq!(read(r#"{"N":"-1.50E+3"}"#), Some(Attribute::Number("-1.50E+3".into())));
        assert_eq!(read(r#"{"B":"AA=="}"#), Some(Attribute::Binary(Text("AA==".into()))));
        assert_eq!(
            (read(r#"{"BOOL":true}"#), read(r#"{"NULL":true}"#)),
            (Some(Attribute::Boolean(true)), Some(Attribute::Null))
        );
        assert_eq!(
            read(r#"{"L":[{"S":"a"}]}"#),
            Some(Attribute::Nested(Type::List, r#"[{"S":"a"}]"#))
        );
        assert_eq!(
            read(r#"{"BS":["AA=="]}"#),
            Some(Attribute::Nested(Type::Binaries, r#"["AA=="]"#))
        );
        for wrong in [
            "{}",
            "1",
            "\"S\"",
            "null",
            r#"{"X":"a"}"#,
            r#"{"s":"a"}"#,
            r#"{"S":"a","N":"1"}"#,
            r#"{"S":"a","S":"a"}"#,
            r#"{"S":1}"#,
            r#"{"N":"x"}"#,
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
