//! The headers of a 304. A cache merges them into the response that it has stored (RFC 9111,
//! section 4.3.4): a missing one leaves it with an old policy, and an additional one can describe a
//! body that was not sent.

use http::{HeaderMap, HeaderName, header};

/// The headers that describe a body, which a 304 does not have. They do not guide the update of a
/// cache.
const BODY_HEADERS: [HeaderName; 12] = [
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::LINK,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
];

/// Turns the headers of a 200 into the headers of the 304 that replaces it (RFC 9110, section
/// 15.4.5).
///
/// - **Kept**, because the section requires them if the 200 has them: `Cache-Control`,
///   `Content-Location`, `Date`, `ETag`, `Expires`, `Vary`.
/// - **Removed**, because they describe a representation that is not sent: `Content-Type`,
///   `Content-Encoding`, `Content-Language`, `Content-Length`, `Content-Range`,
///   `Content-Disposition`, `Link` (the client stored it with the representation),
///   `Content-Digest`, `Repr-Digest`, `Digest`; and `Transfer-Encoding` and `Trailer`, which
///   describe the framing.
/// - **`Last-Modified`** is removed if there is an `ETag` and kept otherwise: the section allows it
///   where there is no entity tag to select the stored response.
/// - **Kept** too, because they belong to the exchange and not to the representation: all others,
///   such as CORS, `Server-Timing`, a request id, security headers, `Set-Cookie`.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
/// headers.insert(header::ETAG, HeaderValue::from_static("\"1\""));
/// headers.insert("x-request-id", HeaderValue::from_static("r-1"));
/// cache_headers::not_modified::strip(&mut headers);
/// assert!(!headers.contains_key(header::CONTENT_TYPE));
/// assert_eq!(headers[header::ETAG], "\"1\"");
/// assert_eq!(headers["x-request-id"], "r-1");
/// ```
pub fn strip(headers: &mut HeaderMap) {
    for name in BODY_HEADERS {
        headers.remove(name);
    }
    if headers.contains_key(header::ETAG) {
        headers.remove(header::LAST_MODIFIED);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const DATE: &str = "Tue, 02 Jan 2024 01:00:00 GMT";

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let lines = lines
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        lines.collect()
    }

    #[test]
    fn keeps_what_is_required_and_what_is_not_of_the_body() {
        let kept = [
            ("cache-control", "private, no-cache"),
            ("content-location", "/things/1"),
            ("date", DATE),
            ("etag", "W/\"1\""),
            ("expires", DATE),
            ("vary", "accept-encoding, origin"),
            ("access-control-allow-origin", "*"),
            ("access-control-expose-headers", "etag, link"),
            ("content-security-policy", "default-src 'none'"),
            ("server-timing", "total;dur=3"),
            ("x-request-id", "r-1"),
        ];
        let removed = [
            ("content-digest", "sha-256=:AA==:"),
            ("content-disposition", "inline"),
            ("content-encoding", "gzip"),
            ("content-language", "en"),
            ("content-length", "12"),
            ("content-range", "bytes 0-1/2"),
            ("content-type", "application/json"),
            ("digest", "x"),
            ("last-modified", DATE),
            ("link", "</things>; rel=\"first\""),
            ("repr-digest", "sha-256=:AA==:"),
            ("trailer", "x"),
            ("transfer-encoding", "chunked"),
        ];
        let mut all = headers(&kept);
        all.extend(headers(&removed));
        all.append("link", HeaderValue::from_static("</things?2>; rel=\"next\""));
        assert_eq!(all.len(), kept.len() + removed.len() + 1);
        strip(&mut all);
        assert_eq!(all, headers(&kept));
    }

    #[test]
    fn every_line_of_a_kept_field_stays() {
        let mut all = headers(&[("vary", "accept-encoding"), ("etag", "\"1\"")]);
        all.append("vary", HeaderValue::from_static("origin"));
        strip(&mut all);
        assert_eq!(all.get_all("vary").iter().count(), 2);
    }

    #[test]
    fn without_an_etag_the_date_stays() {
        let mut all = headers(&[("last-modified", DATE), ("content-type", "text/plain")]);
        strip(&mut all);
        assert_eq!(all, headers(&[("last-modified", DATE)]));
    }
}
