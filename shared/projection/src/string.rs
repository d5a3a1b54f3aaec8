//! JSON strings: found eight bytes at a time, kept as they are escaped, decoded only where their text is needed.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::Malformed;

/// A string as it stands between its quotes, escapes and all.
///
/// It has been checked when it was read, so that it can be copied into another JSON text as it is.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) escaped: bool,
}

impl<'a> Raw<'a> {
    /// The bytes between the quotes, with their escapes.
    pub const fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The text that the string stands for. Borrowed unless there is an escape in it.
    ///
    /// # Errors
    /// None that a string read by a [`Scan`](crate::Scan) has; the check is there because the type cannot say so.
    pub fn text(self) -> Result<Cow<'a, str>, Malformed> {
        let text = std::str::from_utf8(self.bytes).map_err(|error| invalid(error.valid_up_to()))?;
        if self.escaped { decode(text).map(Cow::Owned) } else { Ok(Cow::Borrowed(text)) }
    }

    /// Whether the string stands for this text.
    pub fn is(self, text: &str) -> bool {
        if self.escaped { self.text().is_ok_and(|own| own == text) } else { self.bytes == text.as_bytes() }
    }

    /// Orders by the bytes of the texts that the strings stand for.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        if (self.escaped || other.escaped)
            && let (Ok(own), Ok(other)) = (self.text(), other.text())
        {
            return own.cmp(&other);
        }
        self.bytes.cmp(other.bytes)
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Of each byte that is a quote or a backslash the high bit; exact up to and with the lowest one. Other bits are noise.
///
/// Both are below 0x80, so a byte that became zero by the exclusive or had no high bit before either.
const fn marks(word: u64) -> u64 {
    let quotes = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let slashes = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    (quotes | slashes) & !word
}

/// Whether `bytes` start with `start`: most of them are short, and a call would cost more than the comparison.
#[inline]
pub(crate) fn starts(bytes: &[u8], start: &[u8]) -> bool {
    let Some(bytes) = bytes.get(..start.len()) else { return false };
    match (bytes.first_chunk::<8>(), start.first_chunk::<8>()) {
        (Some(head), Some(expected)) if start.len() <= 16 => head == expected && bytes.last_chunk::<8>() == start.last_chunk::<8>(),
        (Some(head), Some(expected)) => head == expected && bytes == start,
        _ => bytes.iter().zip(start).all(|(byte, expected)| byte == expected),
    }
}

#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

const fn unended(position: usize) -> Malformed {
    Malformed { position, expected: "the end of a string" }
}

const fn invalid(position: usize) -> Malformed {
    Malformed { position, expected: "a valid string" }
}

/// Reads the string whose opening quote is just before `start`; returns it and where its closing quote has passed.
#[inline]
pub(crate) fn read(bytes: &[u8], start: usize) -> Result<(Raw<'_>, usize), Malformed> {
    let end = plain(bytes, start);
    match (bytes.get(end), bytes.get(start..end)) {
        (Some(b'"'), Some(bytes)) => Ok((Raw { bytes, escaped: false }, end + 1)),
        _ => read_any(bytes, start),
    }
}

/// Where the first byte is that is not plain ASCII text: the closing quote of most strings.
#[inline]
pub(crate) fn plain(bytes: &[u8], mut at: usize) -> usize {
    let (chunks, _) = bytes.get(at..).unwrap_or_default().as_chunks::<8>();
    for chunk in chunks {
        let word = u64::from_le_bytes(*chunk);
        let quotes = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
        let slashes = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
        let controls = word.wrapping_sub(ONES * 0x20);
        let stops = (quotes | slashes | controls | word) & HIGHS;
        if stops != 0 {
            return at + stops.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let is_plain = |byte: &u8| matches!(byte, 0x20..0x80) && !matches!(byte, b'"' | b'\\');
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !is_plain(byte)).unwrap_or(rest.len())
}

/// Reads a string with escapes or other than ASCII in it, or finds what is wrong with it.
#[inline(never)]
fn read_any(bytes: &[u8], start: usize) -> Result<(Raw<'_>, usize), Malformed> {
    let mut at = start;
    let (mut escaped, mut high) = (false, 0);
    let end = loop {
        let length = if let Some(word) = word(bytes, at) {
            let controls = word.wrapping_sub(ONES * 0x20) & !word;
            let stops = (marks(word) | controls) & HIGHS;
            if stops == 0 {
                high |= word;
                at += 8;
                continue;
            }
            high |= word & (stops & stops.wrapping_neg()).wrapping_sub(1);
            stops.trailing_zeros() as usize / 8
        } else {
            high |= HIGHS;
            0
        };
        at += length;
        match bytes.get(at) {
            Some(b'"') => break at,
            Some(b'\\') => {
                escaped = true;
                at += 2;
            }
            Some(0..0x20) => return Err(invalid(at)),
            Some(_) => at += 1,
            None => return Err(unended(at)),
        }
    };
    let raw = Raw { bytes: &bytes[start..end], escaped };
    if escaped || high & HIGHS != 0 {
        check(raw, start)?;
    }
    Ok((raw, end + 1))
}

/// Steps over the string whose opening quote is just before `at`, unchecked.
pub(crate) fn skip(bytes: &[u8], mut at: usize) -> Result<usize, Malformed> {
    loop {
        if let Some(word) = word(bytes, at) {
            let stops = marks(word) & HIGHS;
            if stops == 0 {
                at += 8;
                continue;
            }
            at += stops.trailing_zeros() as usize / 8;
        }
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
            None => return Err(unended(at)),
        }
    }
}

#[cold]
fn check(raw: Raw<'_>, start: usize) -> Result<(), Malformed> {
    raw.text().map(|_| ()).map_err(|error| invalid(start + error.position))
}

fn decode(text: &str) -> Result<String, Malformed> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        decoded.push_str(plain);
        let (character, length) = unescape(escape.as_bytes()).ok_or(invalid(text.len() - escape.len()))?;
        decoded.push(character);
        rest = escape.get(length..).unwrap_or_default();
    }
    decoded.push_str(rest);
    Ok(decoded)
}

/// The character of the escape after this backslash, and the escape's length (RFC 8259, section 7). Half a
/// surrogate pair is no character.
fn unescape(escape: &[u8]) -> Option<(char, usize)> {
    let character = match escape.first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let high = hex(escape.get(1..5)?)?;
            if !(0xD800..0xDC00).contains(&high) {
                return char::from_u32(high).map(|character| (character, 5));
            }
            let low = hex(escape.get(5..11)?.strip_prefix(b"\\u")?)?;
            let low = low.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
            return char::from_u32(0x10000 + ((high - 0xD800) << 10) + low).map(|character| (character, 11));
        }
        _ => return None,
    };
    Some((character, 1))
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scan;

    fn text(json: &str) -> Result<String, Malformed> {
        Scan::new(json.as_bytes()).string()?.text().map(Cow::into_owned)
    }

    #[test]
    fn texts_of_any_length_are_found() {
        for length in 0..40 {
            for tail in ["", "  more than eight bytes"] {
                let plain = "x".repeat(length);
                assert_eq!(text(&format!("\"{plain}\"{tail}")).as_deref(), Ok(plain.as_str()));
                assert_eq!(text(&format!("\"{plain}é\"{tail}")), Ok(format!("{plain}é")));
                assert_eq!(text(&format!("\"{plain}\\\"{plain}\"{tail}")), Ok(format!("{plain}\"{plain}")));
                assert!(text(&format!("\"{plain}{tail}")).is_err());
                assert!(text(&format!("\"{plain}\u{1f}\"{tail}")).is_err());
                assert!(text(&format!("\"{plain}\\")).is_err());
            }
        }
    }

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(text(r#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00""#).as_deref(), Ok("\"\\/\u{8}\u{c}\n\r\tAé😀"));
        for wrong in [r#""\x""#, r#""\u12""#, r#""\u12g4""#, r#""\ud83d""#, r#""\ud83dx\ude00""#, r#""\ude00""#] {
            assert!(text(wrong).is_err(), "{wrong}");
        }
        assert!(text(r#""\ud83d\u0041""#).is_err() && text(r#""\ué""#).is_err());
    }

    #[test]
    fn bytes_that_are_not_utf8_are_malformed() {
        for bytes in [b"\"\xff\"".as_slice(), b"\"12345678\xff12345678\" and more", b"\"1234567\xc3\"12345678"] {
            assert!(Scan::new(bytes).string().is_err());
        }
    }

    #[test]
    fn strings_are_compared_by_what_they_stand_for() {
        let raw = |json: &'static str| Scan::new(json.as_bytes()).string().unwrap();
        assert_eq!(raw(r#""\u0062""#).compare(raw(r#""a""#)), Ordering::Greater);
        assert_eq!(raw(r#""\u0061""#).compare(raw(r#""a""#)), Ordering::Equal);
        assert!(raw(r#""\u0061b""#).is("ab") && raw("\"ab\"").is("ab") && !raw("\"ab\"").is("a"));
    }
}
