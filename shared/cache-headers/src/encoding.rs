//! The choice between gzip and plain bytes. `Accept-Encoding` looks like a list of names but is a
//! list of weights: a search for the word `gzip` accepts `gzip;q=0` and rejects `*`.

use http::{HeaderMap, header};

/// The form in which a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Choice {
    /// Send it compressed, with `Content-Encoding: gzip`.
    Gzip,
    /// Send it as it is, without `Content-Encoding`.
    Identity,
}

/// Chooses between gzip and the plain bytes by a request's `Accept-Encoding` (RFC 9110, section
/// 12.5.3).
///
/// Chooses gzip if its weight is above 0 and not below the weight of `identity`:
///
/// - Without the field, or with an empty one, the choice is the plain bytes.
/// - `*` is the weight of every coding that is not named, `identity` included. If neither
///   `identity` nor `*` is named, `identity` is acceptable with the lowest weight: `gzip;q=0.1`
///   chooses gzip.
/// - `x-gzip` is gzip (section 8.4.1.3). The case of names and of `q` does not count. The field can
///   have several lines.
/// - A malformed member is ignored. If a coding is named twice, the lower weight counts, so that a
///   refusal holds.
/// - If neither is acceptable (`identity;q=0` without gzip, `*;q=0`), the choice is the plain
///   bytes, not a 406: the section lets a server disregard the field in that case.
///
/// The response depends on the field either way, so add it to `Vary` with
/// [`vary::add`](crate::vary::add).
///
/// ```
/// use cache_headers::encoding::{Choice, accepts_gzip};
/// use http::{HeaderMap, HeaderValue, header};
///
/// let mut request = HeaderMap::new();
/// assert_eq!(accepts_gzip(&request), Choice::Identity);
/// request.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("br, gzip;q=0.8, *;q=0"));
/// assert_eq!(accepts_gzip(&request), Choice::Gzip);
/// ```
pub fn accepts_gzip(request: &HeaderMap) -> Choice {
    let (mut gzip, mut identity, mut any) = (None, None, None);
    let members = crate::list_members(request, &header::ACCEPT_ENCODING);
    for (coding, weight) in members.filter_map(weighted) {
        let named = |name: &[u8]| coding.eq_ignore_ascii_case(name);
        let slot = if named(b"gzip") || named(b"x-gzip") {
            &mut gzip
        } else if named(b"identity") {
            &mut identity
        } else if named(b"*") {
            &mut any
        } else {
            continue;
        };
        *slot = Some(slot.map_or(weight, |lower: Weight| lower.min(weight)));
    }
    let gzip = gzip.or(any).unwrap_or(0);
    let identity = identity.or(any).unwrap_or(0);
    if gzip > 0 && gzip >= identity { Choice::Gzip } else { Choice::Identity }
}

/// A q-value in thousandths, 0 to 1000.
type Weight = u16;

/// Reads `codings [ weight ]`: the coding and its weight, which is 1 if it is left out.
fn weighted(member: &[u8]) -> Option<(&[u8], Weight)> {
    let Some(semicolon) = member.iter().position(|&byte| byte == b';') else {
        return Some((member, 1000));
    };
    let (coding, parameter) = member.split_at(semicolon);
    let (b'q' | b'Q', value) = parameter.get(1..)?.trim_ascii_start().split_first()? else {
        return None;
    };
    Some((coding.trim_ascii_end(), thousandths(value.strip_prefix(b"=")?)?))
}

/// Reads `qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )` (RFC 9110, section 12.4.2)
fn thousandths(text: &[u8]) -> Option<Weight> {
    let (whole, rest) = text.split_first()?;
    let digits = match rest {
        [] => rest,
        [b'.', digits @ ..] if digits.len() <= 3 => digits,
        _ => return None,
    };
    let digit = |index: usize| match digits.get(index) {
        None => Some(0),
        Some(digit) => digit.is_ascii_digit().then(|| Weight::from(digit - b'0')),
    };
    let fraction = digit(0)? * 100 + digit(1)? * 10 + digit(2)?;
    match whole {
        b'0' => Some(fraction),
        b'1' if fraction == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::Choice::{Gzip, Identity};
    use super::*;

    fn choice(lines: &[&[u8]]) -> Choice {
        let mut request = HeaderMap::new();
        for line in lines {
            let value = HeaderValue::from_bytes(line).unwrap();
            request.append(header::ACCEPT_ENCODING, value);
        }
        accepts_gzip(&request)
    }

    #[test]
    fn a_weight_has_three_digits_at_most() {
        for (text, expected) in [
            ("0", Some(0)),
            ("0.", Some(0)),
            ("0.1", Some(100)),
            ("0.12", Some(120)),
            ("0.123", Some(123)),
            ("0.009", Some(9)),
            ("1.000", Some(1_000)),
            ("1.001", None),
            ("0.1234", None),
            ("0.1x", None),
            ("2", None),
            ("", None),
        ] {
            assert_eq!(thousandths(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn one_line() {
        for (line, expected) in [
            ("", Identity),
            (" , ,", Identity),
            ("gzip", Gzip),
            ("GZip", Gzip),
            ("x-gzip", Gzip),
            ("x-gzip;q=0", Identity),
            ("gzip, deflate, br, zstd", Gzip),
            ("br;q=1.0, gzip;q=0.8, *;q=0.1", Gzip),
            ("deflate, br", Identity),
            ("gzipped", Identity),
            ("gzip;q=0", Identity),
            ("gzip;q=0.0", Identity),
            ("gzip;q=0.000", Identity),
            ("gzip;q=0.001", Gzip),
            ("gzip;q=0.", Identity),
            ("gzip;q=1.", Gzip),
            ("gzip;q=1.000", Gzip),
            ("gzip;Q=0.5", Gzip),
            ("gzip ;\t q=0.5 ", Gzip),
            ("gzip;q=0, *", Identity),
            ("identity", Identity),
            ("identity, gzip", Gzip),
            ("identity;q=1, gzip;q=0.5", Identity),
            ("identity;q=0.5, gzip;q=0.5", Gzip),
            ("identity;q=0.5, gzip;q=0.499", Identity),
            ("identity;q=0", Identity),
            ("identity;q=0, gzip;q=0", Identity),
            ("identity;q=0, gzip;q=0.001", Gzip),
            ("*", Gzip),
            ("*;q=0", Identity),
            ("*;q=0, gzip", Gzip),
            ("*;q=0, identity", Identity),
            ("*;q=0.5, identity", Identity),
            ("*;q=0.5, identity;q=0.4", Gzip),
            ("*;q=0.5, gzip;q=0.3", Identity),
            ("identity;q=0, *", Gzip),
            ("gzip, gzip;q=0", Identity),
            ("gzip;q=0, x-gzip", Identity),
        ] {
            assert_eq!(choice(&[line.as_bytes()]), expected, "{line}");
        }
    }

    #[test]
    fn a_malformed_member_is_as_if_it_were_not_there() {
        for member in [
            "gzip;",
            "gzip;q",
            "gzip;q=",
            "gzip;q=x",
            "gzip;q=-1",
            "gzip;q=+1",
            "gzip;q=.5",
            "gzip;q=2",
            "gzip;q=1.1",
            "gzip;q=1.001",
            "gzip;q=0.1234",
            "gzip;q=00",
            "gzip;q =1",
            "gzip;q= 1",
            "gzip;q=1;q=1",
            "gzip;level=9",
            "gzip;level=9;q=1",
            "gzip=1",
            "gzip q=1",
            ";q=1",
            "\"gzip\"",
        ] {
            assert_eq!(choice(&[member.as_bytes()]), Identity, "{member}");
            let member = format!("gzip;q=0.7, {member}");
            assert_eq!(choice(&[member.as_bytes()]), Gzip, "{member}");
        }
        assert_eq!(choice(&[b"\xFF, gzip"]), Gzip);
    }

    #[test]
    fn several_lines_are_one_list() {
        assert_eq!(choice(&[]), Identity);
        assert_eq!(choice(&[b"br", b"gzip"]), Gzip);
        assert_eq!(choice(&[b"gzip;q=0.5", b"identity"]), Identity);
        assert_eq!(choice(&[b"*", b"gzip;q=0"]), Identity);
        assert_eq!(choice(&[b"", b"*"]), Gzip);
    }
}
