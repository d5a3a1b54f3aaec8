//! `Vary`: the request headers that a response depends on. Several layers add names (compression,
//! CORS, content types). A layer that replaces the names of another makes a cache mix up two
//! responses.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Adds a request header's name to `Vary` (RFC 9110, section 12.5.5).
///
/// The names that are there stay, in their order and case; several lines become one. A name that is
/// there already, in any case, is not repeated. If `*` is there or is added
/// (`HeaderName::from_static("*")`), the field becomes `*` alone.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(header::VARY, HeaderValue::from_static("Origin"));
/// cache_headers::vary::add(&mut headers, &header::ACCEPT_ENCODING);
/// cache_headers::vary::add(&mut headers, &header::ORIGIN);
/// assert_eq!(headers[header::VARY], "Origin, accept-encoding");
/// ```
pub fn add(headers: &mut HeaderMap, name: &HeaderName) {
    let value = {
        let mut members: Vec<&[u8]> = Vec::new();
        let present = crate::list_members(headers, &header::VARY);
        for member in present.chain([name.as_str().as_bytes()]) {
            if !members.iter().any(|known| known.eq_ignore_ascii_case(member)) {
                members.push(member);
            }
        }
        if members.contains(&&b"*"[..]) {
            HeaderValue::from_bytes(b"*")
        } else {
            HeaderValue::from_bytes(&members.join(&b", "[..]))
        }
    };
    match value {
        Ok(value) => headers.insert(header::VARY, value).is_some(),
        // Cannot happen with parts of header values. One more line would mean the same.
        Err(_) => headers.append(header::VARY, HeaderValue::from(name.clone())),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges() {
        for (lines, name, expected) in [
            (&[][..], "accept-encoding", "accept-encoding"),
            (&[""], "accept-encoding", "accept-encoding"),
            (&["origin"], "accept-encoding", "origin, accept-encoding"),
            (&["accept-encoding"], "accept-encoding", "accept-encoding"),
            (&["Accept-Encoding"], "accept-encoding", "Accept-Encoding"),
            (&["ORIGIN,Accept-ENCODING"], "accept-encoding", "ORIGIN, Accept-ENCODING"),
            (&["origin", "accept"], "accept-encoding", "origin, accept, accept-encoding"),
            (&["origin", "Origin, accept"], "origin", "origin, accept"),
            (&[" ,origin ,, \t accept,"], "x", "origin, accept, x"),
            (&["accept-encodings"], "accept-encoding", "accept-encodings, accept-encoding"),
            (&["*"], "accept-encoding", "*"),
            (&["origin, *"], "accept-encoding", "*"),
            (&["origin", "*"], "origin", "*"),
            (&["origin", "accept"], "*", "*"),
            (&[], "*", "*"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ETAG, HeaderValue::from_static("\"1\""));
            for line in lines {
                headers.append(header::VARY, HeaderValue::from_static(line));
            }
            for _ in 0..2 {
                add(&mut headers, &HeaderName::from_static(name));
                let after: Vec<_> = headers.get_all(header::VARY).iter().collect();
                assert_eq!(after, [expected], "{lines:?} + {name}");
            }
            assert_eq!(headers.len(), 2);
        }
    }

    #[test]
    fn bytes_that_are_no_names_stay_too() {
        let mut headers = HeaderMap::new();
        let odd = HeaderValue::from_bytes(b"a b, \xFF").unwrap();
        headers.insert(header::VARY, odd);
        add(&mut headers, &header::ORIGIN);
        assert_eq!(headers[header::VARY].as_bytes(), b"a b, \xFF, origin");
    }
}
