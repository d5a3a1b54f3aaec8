//! A strict query string: a parameter that cannot be decoded, is repeated, or is unknown is an
//! error.

use std::borrow::Cow;

use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode,
};

use crate::http::problem::{MAX_ERRORS, ParameterError};

/// The parameters of a query string, decoded, each at most once.
#[derive(Debug, Default)]
pub(crate) struct QueryString<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> QueryString<'a> {
    /// Decodes `raw` (`application/x-www-form-urlencoded`: `+` is a space) and checks each name
    /// against `known`. Adds an error for each wrong parameter to `errors` (at most [`MAX_ERRORS`])
    /// and keeps the others.
    pub(crate) fn parse(raw: &'a str, known: &[&str], errors: &mut Vec<ParameterError>) -> Self {
        let mut pairs: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            if errors.len() >= MAX_ERRORS {
                break; // the rest would not be reported, and each costs a search for the nearest name
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(name) = decode(name) else {
                errors.push(ParameterError::new(name, "the name is not percent-encoded UTF-8"));
                continue;
            };
            if !known.contains(&&*name) {
                if !errors.iter().any(|error| error.parameter == name) {
                    errors.push(ParameterError::unknown_name(&name, known));
                }
            } else if pairs.iter().any(|(other, _)| *other == name) {
                errors.push(ParameterError::new(&name, "is given more than once; give it once"));
            } else if let Some(value) = decode(value) {
                pairs.push((name, value));
            } else {
                errors.push(ParameterError::new(&name, "the value is not percent-encoded UTF-8"));
            }
        }
        Self { pairs }
    }

    /// Returns the value of `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(other, _)| other == name).map(|(_, value)| &**value)
    }

    /// Writes the query string again in a canonical encoding, without `except` and with `cursor` at
    /// its end.
    pub(crate) fn link(&self, except: &[&str], cursor: Option<&str>) -> String {
        let mut link = String::from("?");
        let kept = self
            .pairs
            .iter()
            .filter(|(name, _)| !except.contains(&&**name))
            .map(|(name, value)| (&**name, &**value));
        for (name, value) in kept.chain(cursor.map(|cursor| ("cursor", cursor))) {
            if link.len() > 1 {
                link.push('&');
            }
            link.extend(encode(name).chain(["="]).chain(encode(value)));
        }
        link
    }
}

/// Percent-decodes a name or value, in which `+` is a space.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if text.contains('+') {
        percent_decode(&text.replace('+', " ")).map(|text| Cow::Owned(text.into_owned()))
    } else {
        percent_decode(text)
    }
}

/// Percent-decodes a text (RFC 3986, section 2.1).
///
/// Returns `None` for a `%` without two hexadecimal digits and for bytes that are not UTF-8.
pub(crate) fn percent_decode(text: &str) -> Option<Cow<'_, str>> {
    let is_encoded = |rest: &str| {
        rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if text.split('%').skip(1).all(is_encoded) {
        percent_decode_str(text).decode_utf8().ok()
    } else {
        None
    }
}

/// The bytes that a link percent-encodes: all but the unreserved ones (RFC 3986, section 2.3),
/// colons and parentheses. A comma would be allowed, but it also separates the values of `Link`,
/// and simple parsers split there.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'(')
    .remove(b')');

fn encode(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, ENCODED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &str) -> (QueryString<'_>, Vec<ParameterError>) {
        let mut errors = Vec::new();
        (QueryString::parse(raw, &["category", "limit", "minPrice"], &mut errors), errors)
    }

    #[test]
    fn what_is_right_can_be_taken() {
        let (query, errors) = parse("category=smart%20phones%2B+x&&limit=5&");
        assert_eq!(errors, []);
        assert_eq!(query.get("category"), Some("smart phones+ x"));
        assert_eq!(query.get("limit"), Some("5"));
        assert_eq!(query.get("minPrice"), None);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let (_, errors) =
            parse("minprice=1&limit=1&limit=2&category=%FF&x%zz=1&qqqqqqqq=1&qqqqqqqq=2");
        let said: Vec<_> = errors
            .iter()
            .map(|error| (error.parameter.as_str(), error.suggestion.as_deref()))
            .collect();
        assert_eq!(
            said,
            [
                ("minprice", Some("minPrice")),
                ("limit", None),
                ("category", None),
                ("x%zz", None),
                ("qqqqqqqq", None)
            ]
        );
    }

    #[test]
    fn of_a_flood_only_the_first_are_looked_at() {
        let flood: String = (0..1_000).map(|number| format!("{number}&")).collect();
        let (_, errors) = parse(&flood);
        assert_eq!((errors.len(), errors[MAX_ERRORS - 1].parameter.as_str()), (MAX_ERRORS, "31"));
    }

    #[test]
    fn a_link_keeps_the_rest_and_survives_a_second_parse() {
        let (query, _) = parse("category=a%26b,(c:d)%3B%3E%20%C3%A9&limit=5");
        let link = query.link(&["limit"], Some("abc"));
        assert_eq!(link, "?category=a%26b%2C(c:d)%3B%3E%20%C3%A9&cursor=abc");
        assert_eq!(parse(&link[1..]).0.get("category"), Some("a&b,(c:d);> é"));
        assert_eq!(parse("").0.link(&[], None), "?");
    }

    #[test]
    fn decoding_is_strict() {
        for bad in [
            "%",
            "%4",
            "%zz",
            "%+1",
            "%C3",
            "%ED%A0%80",
            "%FF",
            "a%",
            "%%41",
            "%4%31",
            "%é",
            "%C3+",
            "a+%",
        ] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        for (good, text) in
            [("%41", "A"), ("%c3%A9", "é"), ("%2B+%25", "+ %"), ("%00", "\0"), ("é", "é"), ("", "")]
        {
            assert_eq!(decode(good).as_deref(), Some(text), "{good}");
        }
        assert_eq!(percent_decode("a+b%2B").as_deref(), Some("a+b+"));
    }
}
