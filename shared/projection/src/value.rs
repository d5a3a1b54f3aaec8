//! Attribute values whose inside nothing declares, and the parts that they share with declared ones.
//!
//! [AWS: AttributeValue](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html) lists
//! the types: an object with one member, whose name is the type.

use std::cmp::Ordering;

use crate::number::{compare, is_number};
use crate::{Malformed, Raw, Scan, string};

/// How deep lists and maps may nest in one attribute. DynamoDB itself allows 32.
const MAX_DEPTH: usize = 40;

/// The type of an attribute value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    Number,
    Binary,
    Boolean,
    Null,
    Map,
    List,
    Texts,
    Numbers,
    Binaries,
}

impl Type {
    /// Reads up to the value: `{"S":`.
    #[inline]
    pub(crate) fn read(scan: &mut Scan<'_>) -> Result<Self, Malformed> {
        if let [b'{', b'"', letter, b'"', b':', ..] = scan.rest()
            && let Some(kind) = Self::lettered(*letter)
        {
            scan.at += 5;
            return Ok(kind);
        }
        Self::read_any(scan)
    }

    #[inline(never)]
    fn read_any(scan: &mut Scan<'_>) -> Result<Self, Malformed> {
        let expected = scan.malformed("an attribute value");
        let name = scan.object()?.next(scan)?.ok_or(expected)?;
        Self::named(name.bytes()).ok_or(expected)
    }

    /// Reads the `}` after the value.
    #[inline]
    pub(crate) fn close(scan: &mut Scan<'_>) -> Result<(), Malformed> {
        scan.expect(b'}', "the end of an attribute value")
    }

    #[inline]
    const fn lettered(name: u8) -> Option<Self> {
        Some(match name {
            b'S' => Self::Text,
            b'N' => Self::Number,
            b'B' => Self::Binary,
            b'M' => Self::Map,
            b'L' => Self::List,
            _ => return None,
        })
    }

    const fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            [letter] => return Self::lettered(*letter),
            b"BOOL" => Self::Boolean,
            b"NULL" => Self::Null,
            b"SS" => Self::Texts,
            b"NS" => Self::Numbers,
            b"BS" => Self::Binaries,
            _ => return None,
        })
    }
}

/// The depth below a list or map at this depth.
pub(crate) fn deeper(scan: &Scan<'_>, depth: usize) -> Result<usize, Malformed> {
    if depth < MAX_DEPTH { Ok(depth + 1) } else { Err(scan.malformed("no more than 40 levels")) }
}

/// Steps over an attribute value, unchecked.
#[inline]
pub(crate) fn skip(scan: &mut Scan<'_>) -> Result<(), Malformed> {
    if let [b'{', b'"', b'S' | b'N' | b'B', b'"', b':', b'"', ..] = scan.rest()
        && let Ok(end) = string::skip(scan.bytes, scan.at + 6)
        && scan.bytes.get(end) == Some(&b'}')
    {
        scan.at = end + 1;
        return Ok(());
    }
    scan.skip().map(|_| ())
}

/// Reads a number, which DynamoDB sends as a string.
#[inline]
pub(crate) fn number<'a>(scan: &mut Scan<'a>) -> Result<Raw<'a>, Malformed> {
    let raw = scan.string()?;
    if is_number(raw.bytes()) { Ok(raw) } else { Err(scan.malformed("a number before this")) }
}

/// Reads a value past its type and appends its JSON.
pub(crate) fn write(kind: Type, scan: &mut Scan<'_>, depth: usize, out: &mut Vec<u8>) -> Result<(), Malformed> {
    match kind {
        Type::Text | Type::Binary => quote(scan.string()?, out),
        Type::Number => out.extend_from_slice(number(scan)?.bytes()),
        Type::Boolean => out.extend_from_slice(if scan.boolean()? { b"true" } else { b"false" }),
        Type::Null => {
            scan.boolean()?;
            out.extend_from_slice(b"null");
        }
        Type::Texts | Type::Binaries => set(scan, out, Scan::string, Raw::compare, quote)?,
        Type::Numbers => set(scan, out, number, by_value, |raw, out| out.extend_from_slice(raw.bytes()))?,
        Type::List => {
            let depth = deeper(scan, depth)?;
            let mut elements = scan.array()?;
            let mut separator = b'[';
            while elements.next(scan)? {
                out.push(std::mem::replace(&mut separator, b','));
                let kind = Type::read(scan)?;
                write(kind, scan, depth, out)?;
                Type::close(scan)?;
            }
            close_array(separator, out);
        }
        Type::Map => map(scan, deeper(scan, depth)?, out)?,
    }
    Ok(())
}

/// Reads a list and appends those of its elements that are strings.
pub(crate) fn write_texts(scan: &mut Scan<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut elements = scan.array()?;
    let mut separator = b'[';
    while elements.next(scan)? {
        if Type::read(scan)? == Type::Text {
            out.push(std::mem::replace(&mut separator, b','));
            quote(scan.string()?, out);
        } else {
            scan.skip()?;
        }
        Type::close(scan)?;
    }
    close_array(separator, out);
    Ok(())
}

fn quote(raw: Raw<'_>, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(raw.bytes());
    out.push(b'"');
}

/// Ends an array of whose elements the next would be written after this separator.
fn close_array(separator: u8, out: &mut Vec<u8>) {
    if separator == b'[' {
        out.push(b'[');
    }
    out.push(b']');
}

/// By value, and among spellings of one value by their bytes.
fn by_value(a: Raw<'_>, b: Raw<'_>) -> Ordering {
    let value = match (std::str::from_utf8(a.bytes()), std::str::from_utf8(b.bytes())) {
        (Ok(a), Ok(b)) => compare(a, b),
        _ => Ordering::Equal,
    };
    value.then_with(|| a.bytes().cmp(b.bytes()))
}

/// Sets have no order of their own, so they are given one.
fn set<'a>(
    scan: &mut Scan<'a>,
    out: &mut Vec<u8>,
    read: impl Fn(&mut Scan<'a>) -> Result<Raw<'a>, Malformed>,
    order: impl Fn(Raw<'a>, Raw<'a>) -> Ordering,
    write: impl Fn(Raw<'a>, &mut Vec<u8>),
) -> Result<(), Malformed> {
    let mut members = Vec::new();
    let mut elements = scan.array()?;
    while elements.next(scan)? {
        members.push(read(scan)?);
    }
    // Members of a set differ, so no order among equals is lost.
    members.sort_unstable_by(|a, b| order(*a, *b));
    let mut separator = b'[';
    for member in members {
        out.push(std::mem::replace(&mut separator, b','));
        write(member, out);
    }
    close_array(separator, out);
    Ok(())
}

/// Writes a map's members by their decoded names. Of two with one name the first stays.
fn map(scan: &mut Scan<'_>, depth: usize, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let base = out.len();
    out.push(b'{');
    let mut written: Vec<(Raw<'_>, usize, usize)> = Vec::new();
    let mut ascending = true;
    let mut members = scan.object()?;
    while let Some(name) = members.next(scan)? {
        if let Some((last, ..)) = written.last() {
            ascending &= last.compare(name) == Ordering::Less;
            out.push(b',');
        }
        let start = out.len();
        quote(name, out);
        out.push(b':');
        let kind = Type::read(scan)?;
        write(kind, scan, depth, out)?;
        Type::close(scan)?;
        written.push((name, start, out.len()));
    }
    if !ascending {
        let unordered = out.split_off(base);
        written.sort_by(|a, b| a.0.compare(b.0));
        written.dedup_by(|later, kept| later.0.compare(kept.0) == Ordering::Equal);
        let mut separator = b'{';
        for (_, start, end) in written {
            out.push(std::mem::replace(&mut separator, b','));
            out.extend_from_slice(unordered.get(start - base..end - base).unwrap_or_default());
        }
    }
    out.push(b'}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: &str) -> Result<String, Malformed> {
        let (mut scan, mut out) = (Scan::new(value.as_bytes()), b"before".to_vec());
        let kind = Type::read(&mut scan)?;
        write(kind, &mut scan, 0, &mut out)?;
        Type::close(&mut scan)?;
        scan.end()?;
        Ok(String::from_utf8(out[6..].to_vec()).unwrap())
    }

    #[test]
    fn each_type_has_its_json() {
        for (value, expected) in [
            (r#"{"S":"a\"\u00e9é"}"#, r#""a\"\u00e9é""#),
            (r#"{"N":"12345678901234567890123456789012345678"}"#, "12345678901234567890123456789012345678"),
            (r#"{"N":"1E+30"}"#, "1E+30"),
            (r#"{"B":"AAE="}"#, r#""AAE=""#),
            (r#"{"BOOL":true}"#, "true"),
            (r#" { "BOOL" : false } "#, "false"),
            (r#"{"NULL":true}"#, "null"),
            (r#"{"L":[]}"#, "[]"),
            (r#"{"L":[{"S":"a"},{"L":[{"N":"1"}]}]}"#, r#"["a",[1]]"#),
            (r#"{"SS":["b","a","B"]}"#, r#"["B","a","b"]"#),
            (r#"{"NS":["10","9","-1","1E+1"]}"#, "[-1,9,10,1E+1]"),
            (r#"{"BS":["Bg==","AA=="]}"#, r#"["AA==","Bg=="]"#),
            (r#"{"M":{}}"#, "{}"),
            (r#"{"M":{"a":{"S":"1"}}}"#, r#"{"a":"1"}"#),
            (r#"{"M":{"b":{"S":"1"},"a":{"M":{"d":{"N":"1"},"c":{"N":"2"}}}}}"#, r#"{"a":{"c":2,"d":1},"b":"1"}"#),
            (r#"{"M":{"b":{"N":"1"},"\u0062":{"N":"2"},"\u0061":{"N":"3"}}}"#, r#"{"\u0061":3,"b":1}"#),
        ] {
            assert_eq!(json(value).as_deref(), Ok(expected), "{value}");
        }
    }

    #[test]
    fn what_is_no_attribute_value_is_malformed() {
        for value in [
            "{}",
            "1",
            r#"{"X":1}"#,
            r#"{"S":1}"#,
            r#"{"N":1}"#,
            r#"{"N":"1x"}"#,
            r#"{"N":""}"#,
            r#"{"N":"NaN"}"#,
            r#"{"S":"a","N":"1"}"#,
            r#"{"BOOL":"true"}"#,
            r#"{"L":{}}"#,
            r#"{"M":[]}"#,
            r#"{"SS":"a"}"#,
            r#"{"NS":["a"]}"#,
            r#"{"L":[1]}"#,
            r#"{"M":{"a":1}}"#,
        ] {
            assert!(json(value).is_err(), "{value}");
        }
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| r#"{"L":["#.repeat(depth) + &"]}".repeat(depth);
        assert!(json(&nested(40)).is_ok());
        assert!(json(&nested(41)).is_err());
        assert!(json(&nested(10_000)).is_err());
    }
}
