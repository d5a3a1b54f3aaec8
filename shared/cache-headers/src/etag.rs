//! Entity tags: a hash of a representation's bytes, which a client sends back to ask whether its
//! copy is current. They are weak, because the same representation is sent plain and compressed,
//! and a strong tag would have to differ between the two (RFC 9110, section 8.8.3.3).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue};
use xxhash_rust::xxh3::xxh3_128;

/// An entity tag, `"…"` or `W/"…"` (RFC 9110, section 8.8.3).
///
/// It holds its header value, so that [`header_value`](Self::header_value) and `clone` copy no
/// bytes.
///
/// `==` means the same tag, weakness included. Validators are compared with
/// [`weak_eq`](Self::weak_eq) or [`strong_eq`](Self::strong_eq).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag(HeaderValue);

impl ETag {
    /// Makes the weak tag of a representation: 22 characters of base64url (RFC 4648, section 5) of
    /// the bytes' XXH3-128 hash, 26 with `W/` and the quotes.
    ///
    /// Pass the body *before* compression. The same bytes give the same tag on every machine and in
    /// every version of this crate, because clients store tags. XXH3 is fast and spreads well, but
    /// is not a cryptographic hash: somebody who can choose both an old and a new body can give
    /// them the same tag, which keeps caches on the old one. Where that matters, make the tag
    /// yourself and read it with [`parse`](Self::parse).
    ///
    /// ```
    /// # use cache_headers::ETag;
    /// assert_eq!(ETag::weak_of(b"{}").header_value(), r#"W/"3HBI-Ph0f1YTSc3hJ3BcFg""#);
    /// ```
    pub fn weak_of(representation: &[u8]) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(xxh3_128(representation).to_be_bytes());
        Self(crate::header_value_of_ascii(format!("W/\"{hash}\"").as_bytes()))
    }

    /// Reads one entity tag, in the form of an `ETag` field. Whitespace around it is allowed.
    ///
    /// Returns `None` for anything else: missing quotes, a quote, space or control character inside
    /// them, `w/` in place of `W/`, or more than one tag.
    ///
    /// ```
    /// # use cache_headers::ETag;
    /// let tag = ETag::parse(br#"W/"v1, final""#);
    /// assert_eq!(tag, None); // a space
    /// let tag = ETag::parse(br#"W/"v1,final""#).ok_or("not a tag")?;
    /// assert!(tag.is_weak());
    /// assert_eq!(tag.opaque(), b"v1,final");
    /// # Ok::<(), &str>(())
    /// ```
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        let (_, rest) = Tag::read(text)?;
        if !rest.is_empty() {
            return None;
        }
        HeaderValue::from_bytes(text).ok().map(Self)
    }

    /// Returns the value of an `ETag` field.
    pub fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }

    /// Returns true for a weak tag, `W/"…"`.
    pub fn is_weak(&self) -> bool {
        self.0.as_bytes().first() == Some(&b'W')
    }

    /// Returns the bytes between the quotes. They can be empty, and can be above 0x7F.
    pub fn opaque(&self) -> &[u8] {
        let text = self.0.as_bytes();
        let start = if self.is_weak() { 3 } else { 1 };
        text.get(start..text.len().saturating_sub(1)).unwrap_or_default()
    }

    /// Compares weakly (RFC 9110, section 8.8.3.2), as `If-None-Match` does: the opaque parts are
    /// equal, and either tag can be weak.
    pub fn weak_eq(&self, other: &Self) -> bool {
        self.opaque() == other.opaque()
    }

    /// Compares strongly (RFC 9110, section 8.8.3.2), as `If-Match` does: the opaque parts are
    /// equal and neither tag is weak. A tag of [`weak_of`](Self::weak_of) is never equal to any
    /// other in this way.
    pub fn strong_eq(&self, other: &Self) -> bool {
        !self.is_weak() && !other.is_weak() && self.opaque() == other.opaque()
    }
}

impl From<ETag> for HeaderValue {
    fn from(tag: ETag) -> Self {
        tag.0
    }
}

/// The two ways to compare entity tags.
#[derive(Clone, Copy)]
pub(crate) enum Comparison {
    Weak,
    Strong,
}

/// The result of looking for the current tag in `If-Match` or `If-None-Match`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Listed {
    /// The request does not have the field.
    Absent,
    /// The field is `*` or a list with the current tag.
    Yes,
    /// The field is a list without the current tag, or is malformed.
    No,
}

/// Looks for `current` in the list of a field, over all its lines.
///
/// If any part of the field is malformed, or `*` is combined with anything else, the whole field
/// matches nothing. Empty members are skipped.
pub(crate) fn listed(
    headers: &HeaderMap,
    name: &HeaderName,
    current: Option<&ETag>,
    comparison: Comparison,
) -> Listed {
    let mut lines = headers.get_all(name).into_iter().peekable();
    if lines.peek().is_none() {
        return Listed::Absent;
    }
    let (mut stars, mut tags, mut found) = (0_usize, 0_usize, false);
    for line in lines {
        let mut rest = line.as_bytes();
        loop {
            rest = rest.trim_ascii_start();
            if let Some(after) = rest.strip_prefix(b"*") {
                stars += 1;
                rest = after;
            } else if !matches!(rest.first(), None | Some(b',')) {
                let Some((tag, after)) = Tag::read(rest) else {
                    return Listed::No;
                };
                tags += 1;
                found |= current.is_some_and(|current| tag.equals(current, comparison));
                rest = after;
            }
            match rest.trim_ascii_start().split_first() {
                None => break,
                Some((b',', after)) => rest = after,
                Some(_) => return Listed::No,
            }
        }
    }
    match (stars, tags, found) {
        (1, 0, _) | (0, _, true) => Listed::Yes,
        _ => Listed::No,
    }
}

/// An entity tag, borrowed from a field.
struct Tag<'a> {
    weak: bool,
    opaque: &'a [u8],
}

impl<'a> Tag<'a> {
    /// Reads `entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE`. Returns it with the bytes that follow.
    fn read(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (weak, quoted) = match text.strip_prefix(b"W/") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let inside = quoted.strip_prefix(b"\"")?;
        let end = inside.iter().position(|&byte| !is_etagc(byte))?;
        let (opaque, rest) = inside.split_at(end);
        let rest = rest.strip_prefix(b"\"")?;
        Some((Self { weak, opaque }, rest))
    }

    fn equals(&self, current: &ETag, comparison: Comparison) -> bool {
        let both_strong = !self.weak && !current.is_weak();
        self.opaque == current.opaque()
            && match comparison {
                Comparison::Weak => true,
                Comparison::Strong => both_strong,
            }
    }
}

/// Matches `etagc = %x21 / %x23-7E / obs-text`
const fn is_etagc(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x7E | 0x80..=0xFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> ETag {
        ETag::parse(text.as_bytes()).unwrap()
    }

    /// Compares with values of the reference implementation (`xxhash.xxh3_128(…).digest()`,
    /// base64url without padding).
    #[test]
    fn golden_tags() {
        let thousand: Vec<u8> = (0..1000_u32).map(|index| (index % 256) as u8).collect();
        let page: &[u8] = br#"{"items":[],"page":{"limit":25,"next":null,"prev":null}}"#;
        for (bytes, expected) in [
            (&b""[..], r#"W/"maoG0wFHmNhgAcMkRo1Jfw""#),
            (b"{}", r#"W/"3HBI-Ph0f1YTSc3hJ3BcFg""#),
            (page, r#"W/"McC4ajLG_NKFuoeEbrlg9w""#),
            (&thousand, r#"W/"B29-ArcSDSrTPdgLRvYOUA""#),
        ] {
            assert_eq!(ETag::weak_of(bytes).header_value(), expected);
        }
    }

    #[test]
    fn parses_what_the_grammar_has_and_nothing_else() {
        for (text, weak, opaque) in [
            (&br#""""#[..], false, &b""[..]),
            (br#"W/"""#, true, b""),
            (br#""a""#, false, b"a"),
            (br#" W/"a,b" "#, true, b"a,b"),
            (br#""W/""#, false, b"W/"),
            (b"\"\xE4\xFF\"", false, b"\xE4\xFF"),
        ] {
            let tag = ETag::parse(text).unwrap();
            assert_eq!((tag.is_weak(), tag.opaque()), (weak, opaque));
        }
        for text in [
            &b""[..],
            b"a",
            b"\"",
            b"\"a",
            b"a\"",
            b"W/a",
            b"W/",
            b"W/\"",
            b"w/\"a\"",
            b"W /\"a\"",
            b"W/ \"a\"",
            b"\"a b\"",
            b"\"a\tb\"",
            b"\"a\x7F\"",
            b"\"a\0\"",
            b"\"a\n\"",
            b"\"a\"b\"",
            b"\"a\",\"b\"",
            b"\"a\" x",
            b"*",
            b"'a'",
        ] {
            assert_eq!(ETag::parse(text), None, "{}", text.escape_ascii());
        }
    }

    /// The table of RFC 9110, section 8.8.3.2.
    #[test]
    fn comparison() {
        for (a, b, strong, weak) in [
            (r#"W/"1""#, r#"W/"1""#, false, true),
            (r#"W/"1""#, r#"W/"2""#, false, false),
            (r#"W/"1""#, r#""1""#, false, true),
            (r#""1""#, r#""1""#, true, true),
        ] {
            for (a, b) in [(tag(a), tag(b)), (tag(b), tag(a))] {
                assert_eq!(a.strong_eq(&b), strong);
                assert_eq!(a.weak_eq(&b), weak);
            }
        }
    }

    #[test]
    fn lists_over_lines() {
        let current = tag(r#"W/"x""#);
        for (lines, expected) in [
            (&[][..], Listed::Absent),
            (&[r#""x""#], Listed::Yes),
            (&[r#""a",W/"x""#], Listed::Yes),
            (&[r#""a" , ,, "x","#], Listed::Yes),
            (&[r#""a""#, r#"W/"x""#], Listed::Yes),
            (&[r#""a,b", "x""#], Listed::Yes),
            (&["*"], Listed::Yes),
            (&[" * ,"], Listed::Yes),
            (&["", "*"], Listed::Yes),
            (&[r#""a", "b""#], Listed::No),
            (&[r#""x,y""#], Listed::No),
            (&[""], Listed::No),
            (&[" , ,"], Listed::No),
            (&["x"], Listed::No),
            (&["**"], Listed::No),
            (&["*", "*"], Listed::No),
            (&[r#"*, "x""#], Listed::No),
            (&[r#""x""#, "*"], Listed::No),
            (&[r#""x" "a""#], Listed::No),
            (&[r#""x", a"#], Listed::No),
            (&[r#"a, "x""#], Listed::No),
            (&[r#""x""#, r#""a"#], Listed::No),
        ] {
            let name = http::header::IF_NONE_MATCH;
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(&name, HeaderValue::from_static(line));
            }
            let found = listed(&headers, &name, Some(&current), Comparison::Weak);
            assert_eq!(found, expected, "{lines:?}");
        }
    }
}
