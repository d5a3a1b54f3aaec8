//! A pull scanner over JSON bytes.
//!
//! A response is read once, from its first byte to its last, and what nobody asked for is stepped over without being
//! looked at. So there is no tree and no token list: the reader asks for what it expects next and gets spans of the
//! bytes that DynamoDB sent.
//!
//! What is *read* is checked: a string is UTF-8 without raw control characters and its escapes are sound, a number is
//! a JSON number. What is *skipped* is only measured: its quotes and brackets must balance, no more.

use std::fmt;

use crate::Raw;
use crate::{number, string};

/// The bytes are not the JSON that was expected there. Nothing of the bytes is repeated: they may be private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// Where, in bytes from the start of the text.
    pub position: usize,
    /// What was expected.
    pub expected: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "malformed JSON at byte {}: {} is expected", self.position, self.expected)
    }
}

impl std::error::Error for Malformed {}

/// What kind of value comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// `{`
    Object,
    /// `[`
    Array,
    /// `"`
    String,
    /// A digit or `-`.
    Number,
    /// `t` or `f`
    Boolean,
    /// `n`
    Null,
}

/// A reader that stands somewhere in a JSON text (RFC 8259).
///
/// ```
/// use projection::{Malformed, Scan};
///
/// fn count(body: &[u8]) -> Result<(usize, Option<String>), Malformed> {
///     let (mut items, mut next) = (0, None);
///     let mut scan = Scan::new(body);
///     let mut members = scan.object()?;
///     while let Some(name) = members.next(&mut scan)? {
///         match name.bytes() {
///             b"Items" => {
///                 let mut elements = scan.array()?;
///                 while elements.next(&mut scan)? {
///                     scan.skip()?;
///                     items += 1;
///                 }
///             }
///             b"Next" => next = Some(scan.string()?.text()?.into_owned()),
///             _ => {
///                 scan.skip()?;
///             }
///         }
///     }
///     scan.end()?;
///     Ok((items, next))
/// }
///
/// let body = br#"{"Count": 2, "Items": [{"id": {"S": "a"}}, {}], "Next": "\u0062"}"#;
/// assert_eq!(count(body), Ok((2, Some("b".to_owned()))));
/// assert!(count(&body[..30]).is_err());
/// ```
#[derive(Debug, Clone)]
pub struct Scan<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

/// The members of an object that [`Scan::object`] has entered. Each member's value is to be read or skipped before
/// the next is asked for.
#[derive(Debug)]
pub struct Members {
    first: bool,
}

/// The elements of an array that [`Scan::array`] has entered. Each is to be read or skipped before the next is
/// asked for.
#[derive(Debug)]
pub struct Elements {
    first: bool,
}

impl Members {
    /// The next member's name, with the scanner before its value; `None` past the object's end.
    ///
    /// # Errors
    /// If neither a member nor the end comes.
    pub fn next<'a>(&mut self, scan: &mut Scan<'a>) -> Result<Option<Raw<'a>>, Malformed> {
        if !scan.follows(std::mem::take(&mut self.first), b'}')? {
            return Ok(None);
        }
        let name = scan.string()?;
        scan.expect(b':', "a colon")?;
        Ok(Some(name))
    }

    /// Whether no member has been read yet.
    pub(crate) fn at_first(&self) -> bool {
        self.first
    }

    /// The scanner has gone past a member's name and colon by itself.
    pub(crate) fn passed(&mut self) {
        self.first = false;
    }
}

impl Elements {
    /// Whether another element comes, with the scanner before it; `false` past the array's end.
    ///
    /// # Errors
    /// If neither an element nor the end comes.
    pub fn next(&mut self, scan: &mut Scan<'_>) -> Result<bool, Malformed> {
        scan.follows(std::mem::take(&mut self.first), b']')
    }
}

impl<'a> Scan<'a> {
    /// Stands before the first byte. Allocates nothing.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Where the scanner stands, in bytes from the start.
    pub const fn position(&self) -> usize {
        self.at
    }

    /// What kind of value comes next; nothing but white space is consumed.
    ///
    /// # Errors
    /// If no value comes.
    pub fn peek(&mut self) -> Result<Next, Malformed> {
        match self.blank() {
            Some(b'{') => Ok(Next::Object),
            Some(b'[') => Ok(Next::Array),
            Some(b'"') => Ok(Next::String),
            Some(b'-' | b'0'..=b'9') => Ok(Next::Number),
            Some(b't' | b'f') => Ok(Next::Boolean),
            Some(b'n') => Ok(Next::Null),
            _ => Err(self.malformed("a value")),
        }
    }

    /// Enters an object.
    ///
    /// # Errors
    /// If something else comes.
    pub fn object(&mut self) -> Result<Members, Malformed> {
        self.expect(b'{', "an object")?;
        Ok(Members { first: true })
    }

    /// Enters an array.
    ///
    /// # Errors
    /// If something else comes.
    pub fn array(&mut self) -> Result<Elements, Malformed> {
        self.expect(b'[', "an array")?;
        Ok(Elements { first: true })
    }

    /// Reads a string.
    ///
    /// # Errors
    /// If something else comes, or the string is no valid JSON string in UTF-8.
    pub fn string(&mut self) -> Result<Raw<'a>, Malformed> {
        self.expect(b'"', "a string")?;
        let (raw, end) = string::read(self.bytes, self.at)?;
        self.at = end;
        Ok(raw)
    }

    /// Reads a number, as its text.
    ///
    /// # Errors
    /// If something else comes.
    pub fn number(&mut self) -> Result<&'a str, Malformed> {
        self.blank();
        let rest = self.rest();
        let part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let text = &rest[..rest.iter().position(|byte| !part(byte)).unwrap_or(rest.len())];
        match std::str::from_utf8(text) {
            Ok(text) if number::is_number(text.as_bytes()) => {
                self.at += text.len();
                Ok(text)
            }
            _ => Err(self.malformed("a number")),
        }
    }

    /// Reads `true` or `false`.
    ///
    /// # Errors
    /// If something else comes.
    pub fn boolean(&mut self) -> Result<bool, Malformed> {
        self.blank();
        if self.passes(b"true") {
            Ok(true)
        } else if self.passes(b"false") {
            Ok(false)
        } else {
            Err(self.malformed("true or false"))
        }
    }

    /// Reads `null`.
    ///
    /// # Errors
    /// If something else comes.
    pub fn null(&mut self) -> Result<(), Malformed> {
        self.blank();
        if self.passes(b"null") { Ok(()) } else { Err(self.malformed("null")) }
    }

    /// Steps over a value of any depth without recursion, and returns its bytes, unchecked.
    ///
    /// # Errors
    /// If no value comes or it does not end.
    pub fn skip(&mut self) -> Result<&'a [u8], Malformed> {
        self.blank();
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => self.at = string::skip(self.bytes, self.at + 1)?,
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                Some(b'}' | b']') if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                Some(b'}' | b']' | b',' | b':') if depth == 0 => {
                    return Err(self.malformed("a value"));
                }
                Some(_) if depth == 0 => {
                    let rest = self.rest();
                    let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
                    let length = rest.iter().position(|byte| !word(byte)).unwrap_or(rest.len());
                    if length == 0 {
                        return Err(self.malformed("a value"));
                    }
                    self.at += length;
                }
                Some(_) => {
                    self.at += 1;
                    continue;
                }
                None => return Err(self.malformed("the rest of the value")),
            }
            if depth == 0 {
                return Ok(&self.bytes[start..self.at]);
            }
        }
    }

    /// Checks that only white space is left.
    ///
    /// # Errors
    /// If anything else is left.
    pub fn end(&mut self) -> Result<(), Malformed> {
        if self.blank().is_none() { Ok(()) } else { Err(self.malformed("the end")) }
    }

    pub(crate) const fn malformed(&self, expected: &'static str) -> Malformed {
        Malformed { position: self.at, expected }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Steps over exactly these bytes, if they come.
    #[inline]
    pub(crate) fn passes(&mut self, bytes: &[u8]) -> bool {
        let passes = string::starts(self.rest(), bytes);
        self.at += if passes { bytes.len() } else { 0 };
        passes
    }

    /// Steps over white space to this byte and over it.
    #[inline]
    pub(crate) fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), Malformed> {
        if self.bytes.get(self.at) == Some(&byte) || self.blank() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.malformed(expected))
    }

    /// Steps over white space and returns the byte after it.
    fn blank(&mut self) -> Option<u8> {
        while let Some(byte) = self.bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Whether a member or element follows (after a comma unless it is the first), or the end, which is consumed.
    #[inline]
    fn follows(&mut self, first: bool, end: u8) -> Result<bool, Malformed> {
        match self.blank() {
            Some(byte) if byte == end => {
                self.at += 1;
                Ok(false)
            }
            Some(_) if first => Ok(true),
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.malformed("a comma or the end of the object or array")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipping_returns_the_bytes_of_any_value() {
        for value in ["1", "-1.5E+3", "true", "null", r#""a\"]}""#, "[]", "{}", r#"{"a":[1,{"b":"}"}],"c":null}"#] {
            for text in [value.to_owned(), format!(" {value} "), format!("{value},1"), format!("{value}]")] {
                assert_eq!(Scan::new(text.as_bytes()).skip(), Ok(value.as_bytes()), "{text}");
            }
        }
        for text in ["", " ", ",", "]", "[", "{\"a\"", "\"a", "\"a\\", "\"a\\\"", "[[]", ":", "\u{e9}"] {
            assert!(Scan::new(text.as_bytes()).skip().is_err(), "{text}");
        }
    }

    #[test]
    fn skipping_is_not_recursive() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(Scan::new(deep.as_bytes()).skip().map(<[u8]>::len), Ok(200_000));
        assert!(Scan::new("{\"a\":".repeat(100_000).as_bytes()).skip().is_err());
    }

    #[test]
    fn values_are_read_one_by_one() {
        let mut scan = Scan::new(b" [ 1 , \"a\" , true , false , null , { } , { \"a\" : [ ] } ] ");
        let mut elements = scan.array().unwrap();
        let mut seen = Vec::new();
        while elements.next(&mut scan).unwrap() {
            let next = scan.peek().unwrap();
            seen.push(next);
            match next {
                Next::Number => assert_eq!(scan.number(), Ok("1")),
                Next::String => assert_eq!(scan.string().unwrap().bytes(), b"a"),
                Next::Boolean => assert!(scan.boolean().is_ok()),
                Next::Null => assert_eq!(scan.null(), Ok(())),
                Next::Object => {
                    let mut members = scan.object().unwrap();
                    while let Some(name) = members.next(&mut scan).unwrap() {
                        assert_eq!(name.bytes(), b"a");
                        let mut inner = scan.array().unwrap();
                        assert_eq!(inner.next(&mut scan), Ok(false));
                    }
                }
                Next::Array => panic!("there is none"),
            }
        }
        let scalars = [Next::Number, Next::String, Next::Boolean, Next::Boolean, Next::Null];
        assert_eq!(seen[..5], scalars);
        assert_eq!(seen[5..], [Next::Object, Next::Object]);
        assert_eq!(scan.end(), Ok(()));
    }

    #[test]
    fn what_does_not_fit_is_malformed_with_its_place() {
        let error = Scan::new(b"  [").object().unwrap_err();
        assert_eq!(error.to_string(), "malformed JSON at byte 2: an object is expected");
        let mut scan = Scan::new(b"[1 2]");
        let mut elements = scan.array().unwrap();
        assert_eq!((elements.next(&mut scan), scan.number()), (Ok(true), Ok("1")));
        assert!(elements.next(&mut scan).is_err());
        assert!(Scan::new(b"01").number().is_err());
        assert!(Scan::new(b"tru").boolean().is_err());
        assert!(Scan::new(b"nul").null().is_err());
        assert!(Scan::new(b"x").peek().is_err());
        assert!(Scan::new(b"1 x").end().is_err());
        let mut scan = Scan::new(b"{\"a\" 1}");
        let mut members = scan.object().unwrap();
        assert!(members.next(&mut scan).is_err());
    }
}
