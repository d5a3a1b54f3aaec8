//! A query string, taken apart strictly: what cannot be decoded, comes twice, or is not known is an error, never a guess.

use std::borrow::Cow;

use crate::problem::{MAX_ERRORS, ParameterError, excerpt};

/// The parameters of a query string, decoded, each at most once.
#[derive(Debug, Default)]
pub(crate) struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Query<'a> {
    /// Decodes `raw` (`application/x-www-form-urlencoded`: `+` is a space) and checks each name against `known`.
    /// What is wrong is added to `errors` (of a flood, [`MAX_ERRORS`]); what is right can be taken.
    pub(crate) fn parse(raw: &'a str, known: &[&str], errors: &mut Vec<ParameterError>) -> Self {
        let mut pairs: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            if errors.len() >= MAX_ERRORS {
                break; // nobody is told more, and looking for near names is dear: 4 KiB hold a thousand
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(name) = decode(name) else {
                errors.push(ParameterError::new(name, "the name is not percent-encoded UTF-8"));
                continue;
            };
            if !known.contains(&&*name) {
                if !errors.iter().any(|error| error.parameter == name) {
                    errors.push(unknown(&name, known));
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

    /// The value of `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(other, _)| other == name).map(|(_, value)| &**value)
    }

    /// The query string again, encoded one way, without `except` and with `cursor` at its end.
    pub(crate) fn link(&self, except: &[&str], cursor: Option<&str>) -> String {
        let mut link = String::from("?");
        let kept = self.pairs.iter().filter(|(name, _)| !except.contains(&&**name)).map(|(name, value)| (&**name, &**value));
        for (name, value) in kept.chain(cursor.map(|cursor| ("cursor", cursor))) {
            if link.len() > 1 {
                link.push('&');
            }
            encode(name, &mut link);
            link.push('=');
            encode(value, &mut link);
        }
        link
    }
}

/// "Unknown", with the nearest known name if one is near.
fn unknown(name: &str, known: &[&str]) -> ParameterError {
    let name = excerpt(name);
    let lowercase = name.to_lowercase();
    let characters = lowercase.chars().count();
    let near = known.iter().map(|known| (*known, 2.max(known.len() / 3)));
    // No text is nearer than the difference in length: that spares almost every comparison.
    let near = near.filter(|(known, near)| known.chars().count().abs_diff(characters) <= *near);
    let near = near.map(|(known, near)| (strsim::damerau_levenshtein(&lowercase, &known.to_lowercase()), known, near));
    let suggestion = near.filter(|(distance, _, near)| distance <= near).min().map(|(_, known, _)| known.to_owned());
    let valid = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let detail = match &suggestion {
        Some(near) => format!("is not a parameter of this route; did you mean `{near}`? There are: {valid}"),
        None => format!("is not a parameter of this route; there are: {valid}"),
    };
    ParameterError { parameter: name, detail, suggestion }
}

/// Percent-decoding and UTF-8, both strict; `None` if either fails.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Some(Cow::Borrowed(text));
    }
    let text = text.replace('+', " ");
    percent_decode(&text).map(Cow::Owned)
}

/// Percent-decoding alone (RFC 3986 section 2.1), as paths have it; `None` for a stray `%` or what is not UTF-8 then.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Percent-encodes what is not unreserved (RFC 3986 section 2.3), nor a comma or colon or parenthesis, which a query may hold as they are.
fn encode(text: &str, out: &mut String) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~,:()".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &str) -> (Query<'_>, Vec<ParameterError>) {
        let mut errors = Vec::new();
        (Query::parse(raw, &["category", "limit", "minPrice"], &mut errors), errors)
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
        let (_, errors) = parse("minprice=1&limit=1&limit=2&category=%FF&x%zz=1&qqqqqqqq=1&qqqqqqqq=2");
        let said: Vec<_> = errors.iter().map(|error| (error.parameter.as_str(), error.suggestion.as_deref())).collect();
        assert_eq!(said, [("minprice", Some("minPrice")), ("limit", None), ("category", None), ("x%zz", None), ("qqqqqqqq", None)]);
    }

    #[test]
    fn of_a_flood_only_the_first_are_looked_at() {
        let flood: String = (0..1_000).map(|number| format!("{number}&")).collect();
        let (_, errors) = parse(&flood);
        assert_eq!((errors.len(), errors[MAX_ERRORS - 1].parameter.as_str()), (MAX_ERRORS, "31"));
    }

    #[test]
    fn a_name_is_suggested_only_if_it_is_near() {
        let suggestion = |raw: &str| parse(raw).1.remove(0).suggestion;
        for (near, known) in [("LIMIT", "limit"), ("lmit", "limit"), ("limi", "limit"), ("imt", "limit"), ("catgeroy", "category")] {
            assert_eq!(suggestion(near).as_deref(), Some(known), "{near}");
        }
        for far in ["l", "limits-of-all", "cat", "xxxxx", ""] {
            assert_eq!(suggestion(&format!("{far}=1")), None, "{far}");
        }
    }

    #[test]
    fn a_link_keeps_the_rest_and_survives_a_second_parse() {
        let (query, _) = parse("category=a%26b%20%C3%A9&limit=5");
        let link = query.link(&["limit"], Some("abc"));
        assert_eq!(link, "?category=a%26b%20%C3%A9&cursor=abc");
        assert_eq!(parse(&link[1..]).0.get("category"), Some("a&b é"));
        assert_eq!(parse("").0.link(&[], None), "?");
    }

    #[test]
    fn decoding_is_strict() {
        for bad in ["%", "%4", "%zz", "%+1", "%C3", "%ED%A0%80", "%FF", "a%"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
