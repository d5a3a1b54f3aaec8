//! Converts JSON text to DynamoDB's attribute values, with the digits of numbers unchanged, and
//! computes an item's size.
//!
//! The text of a number is kept unchanged: no float is used between a file and the table. Limits
//! are those of "Service, account, and table quotas in Amazon DynamoDB" and "Data types" in its
//! developer guide.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashMap;

/// The maximum depth of nested lists and maps.
const MAX_DEPTH: usize = 32;
/// Significant digits of a number.
const MAX_DIGITS: usize = 38;
/// A number's magnitude: 1E-130 to 9.99…E+125.
const EXPONENTS: std::ops::RangeInclusive<i64> = -130..=125;

/// An item in DynamoDB's form.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// An object's members in their order, as raw JSON. Repeated names are kept, so that they can be
/// refused.
pub(crate) struct Members<'a>(pub(crate) Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Vec<(String, &'de RawValue)>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Object).map(Members)
    }
}

/// Converts a JSON object to an item.
pub(crate) fn item(members: Members<'_>) -> Result<Item, String> {
    map(members, 0)
}

fn map(members: Members<'_>, depth: usize) -> Result<Item, String> {
    let mut item = HashMap::with_capacity(members.0.len());
    for (name, raw) in members.0 {
        if name.is_empty() {
            return Err("an attribute without a name".to_owned());
        }
        let value = value(raw, depth + 1).map_err(|reason| format!("`{name}`: {reason}"))?;
        if item.insert(name.clone(), value).is_some() {
            return Err(format!("duplicate key `{name}`"));
        }
    }
    Ok(item)
}

fn value(raw: &RawValue, depth: usize) -> Result<AttributeValue, String> {
    if depth > MAX_DEPTH {
        return Err(format!("nested deeper than {MAX_DEPTH} levels"));
    }
    let text = raw.get();
    let broken = |error: serde_json::Error| error.to_string();
    Ok(match text.as_bytes().first() {
        Some(b'"') => AttributeValue::S(serde_json::from_str(text).map_err(broken)?),
        Some(b'{') => AttributeValue::M(map(serde_json::from_str(text).map_err(broken)?, depth)?),
        Some(b'[') => {
            let raws: Vec<&RawValue> = serde_json::from_str(text).map_err(broken)?;
            let element = |(index, raw)| {
                value(raw, depth + 1).map_err(|reason| format!("[{index}]: {reason}"))
            };
            AttributeValue::L(raws.into_iter().enumerate().map(element).collect::<Result<_, _>>()?)
        }
        Some(b't' | b'f') => AttributeValue::Bool(text == "true"),
        Some(b'n') => AttributeValue::Null(true),
        _ => {
            number(text)?;
            AttributeValue::N(text.to_owned())
        }
    })
}

/// Returns the size of an item in bytes, as DynamoDB counts it: names and values, and a byte for
/// each element of a nested list or map.
pub(crate) fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + size_of_value(value)).sum()
}

fn size_of_value(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(text) => significant(text).len().max(1).div_ceil(2) + 1,
        AttributeValue::M(map) => 3 + size(map) + map.len(),
        AttributeValue::L(values) => {
            3 + values.iter().map(|value| size_of_value(value) + 1).sum::<usize>()
        }
        // JSON has only booleans and null besides.
        _ => 1,
    }
}

/// Returns the digits of a JSON number from the first to the last that is not zero, without the
/// point.
fn significant(text: &str) -> String {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').to_owned()
}

/// Writes a JSON number as DynamoDB returns it: without an exponent and without zeros that say
/// nothing. Two texts of one number become the same.
pub(crate) fn plain(text: &str) -> String {
    let digits = significant(text);
    if digits.is_empty() {
        return "0".to_owned();
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let mantissa = mantissa.trim_start_matches('-');
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let leading = all.len() - all.trim_start_matches('0').len();
    // The number of digits before the point. `number` has checked that it is small.
    let exponent: i64 = exponent.parse().unwrap_or_default();
    let places = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    let point = (places(whole.len()) - places(leading)).saturating_add(exponent);
    let zeros = |count: i64| "0".repeat(usize::try_from(count.clamp(0, 200)).unwrap_or_default());
    match usize::try_from(point) {
        Ok(point @ 1..) if point < digits.len() => {
            format!("{sign}{}.{}", &digits[..point], &digits[point..])
        }
        Ok(1..) => format!("{sign}{digits}{}", zeros(point - places(digits.len()))),
        _ => format!("{sign}0.{}{digits}", zeros(-point)),
    }
}

/// Returns true if a JSON number has no fraction: `5`, `5.0`, `0.5e1`.
pub(crate) fn is_whole(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let fraction =
        mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.trim_end_matches('0').len());
    let zeros = mantissa
        .split('.')
        .next()
        .map_or(0, |whole| whole.len() - whole.trim_end_matches('0').len());
    let exponent = exponent.parse::<i64>().unwrap_or_default();
    let last_digit = if fraction > 0 {
        -i64::try_from(fraction).unwrap_or(i64::MAX)
    } else {
        i64::try_from(zeros).unwrap_or_default()
    };
    last_digit.saturating_add(exponent) >= 0
}

/// Checks a JSON number against DynamoDB's limits.
fn number(text: &str) -> Result<(), String> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            (mantissa, exponent.parse::<i64>().map_err(|_| format!("{text} is out of range"))?)
        }
        None => (text, 0),
    };
    let (whole, fraction) = mantissa
        .trim_start_matches('-')
        .split_once('.')
        .unwrap_or((mantissa.trim_start_matches('-'), ""));
    let digits = format!("{whole}{fraction}");
    let significant = significant(text);
    if significant.is_empty() {
        return Ok(());
    }
    if significant.len() > MAX_DIGITS {
        return Err(format!(
            "a number of {} digits; DynamoDB keeps {MAX_DIGITS}",
            significant.len()
        ));
    }
    // The power of ten of the first significant digit.
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let place = i64::try_from(whole.len()).unwrap_or(i64::MAX)
        - 1
        - i64::try_from(leading).unwrap_or(i64::MAX);
    if place.checked_add(exponent).is_none_or(|place| !EXPONENTS.contains(&place)) {
        return Err(format!("{text} is out of range (1E-130 to 9.99E+125)"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_of_a_number_has_one_plain_text() {
        for (text, expected) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("0e5", "0"),
            ("1", "1"),
            ("1.0", "1"),
            ("-1.50", "-1.5"),
            ("1E2", "100"),
            ("12.5e1", "125"),
            ("12.5e+2", "1250"),
            ("125e-2", "1.25"),
            ("0.00125e2", "0.125"),
            ("5e-3", "0.005"),
            ("100", "100"),
            ("0.10", "0.1"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
        assert_eq!(plain("1E-130").len(), 132);
        assert_eq!(plain("9.9E125").len(), 126);
    }

    #[test]
    fn an_attribute_has_a_name() {
        for text in [r#"{"":1}"#, r#"{"a":{"":1}}"#, r#"{"a":[{"b":{"":1}}]}"#] {
            assert!(read(text).unwrap_err().contains("an attribute without a name"), "{text}");
        }
    }

    fn read(text: &str) -> Result<Item, String> {
        item(serde_json::from_str(text).map_err(|error| error.to_string())?)
    }

    #[test]
    fn numbers_keep_their_digits() {
        for text in [
            "10.10",
            "0",
            "-0.0",
            "1e5",
            "12345678901234567890123456789012345678",
            "1E-130",
            "9.99e125",
            "5.00",
        ] {
            let item = read(&format!("{{\"n\": {text}}}")).unwrap();
            assert_eq!(item["n"], AttributeValue::N(text.to_owned()));
        }
        for text in [
            "123456789012345678901234567890123456789",
            "1e126",
            "1e-131",
            "1e99999999999999999999",
            "0.1e-130",
        ] {
            assert!(read(&format!("{{\"n\": {text}}}")).is_err(), "{text}");
        }
    }

    #[test]
    fn every_json_type_has_its_attribute() {
        let item = read(r#"{"s":"aé","b":true,"z":null,"l":[1,"x"],"m":{"k":""}}"#).unwrap();
        assert_eq!(item["s"], AttributeValue::S("aé".to_owned()));
        assert_eq!(item["b"], AttributeValue::Bool(true));
        assert_eq!(item["z"], AttributeValue::Null(true));
        let list = vec![AttributeValue::N("1".to_owned()), AttributeValue::S("x".to_owned())];
        assert_eq!(item["l"], AttributeValue::L(list));
        let map = HashMap::from([("k".to_owned(), AttributeValue::S(String::new()))]);
        assert_eq!(item["m"], AttributeValue::M(map));
        // s: 1+3, b: 1+1, z: 1+1, l: 1+3+(2+1)+(1+1), m: 1+3+(1+0+1)
        assert_eq!(size(&item), 4 + 2 + 2 + 9 + 6);
        assert_eq!(size(&read(r#"{"n":0.00,"m":-120.50}"#).unwrap()), (1 + 2) + (1 + 3));
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point_or_an_exponent() {
        for text in ["5", "-5", "0", "0.0", "5.0", "0.5e1", "1.25E2", "500e-2", "1e5"] {
            assert!(is_whole(text), "{text}");
        }
        for text in ["0.5", "5.01", "1.25e1", "5e-1", "505e-2"] {
            assert!(!is_whole(text), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_an_item_is_refused_with_its_place() {
        assert!(read("[1]").is_err());
        assert_eq!(read(r#"{"a":1,"a":2}"#).unwrap_err(), "duplicate key `a`");
        assert_eq!(read(r#"{"a":[1,{"b":1,"b":1}]}"#).unwrap_err(), "`a`: [1]: duplicate key `b`");
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
        assert!(read(&deep).unwrap_err().contains("32 levels"));
    }
}
