//! The caching half of an HTTP read API, on [`http`] types alone.
//!
//! A response that a cache or a browser already has does not need to be sent again. A handful of
//! headers makes that work. Their rules are spread over two RFCs, and common mistakes serve a wrong
//! body: a 304 without `Vary`, an `If-Modified-Since` that overrules an `If-None-Match`, a CORS
//! layer that replaces `Vary`, a `gzip;q=0` that is read as acceptance. This crate implements the
//! rules as pure functions over a
//! [`http::HeaderMap`]: no I/O, no clock, no framework.
//!
//! | to | use |
//! |---|---|
//! | state how long a response can be stored, and by whom | [`Policy`] |
//! | make an entity tag of a body's bytes | [`ETag::weak_of`] |
//! | make `Last-Modified` | [`HttpDate::last_modified`] |
//! | decide between 200, 304 and 412 | [`Validators`], [`evaluate`], [`Outcome`] |
//! | turn the headers of a 200 into those of a 304 | [`not_modified::strip`] |
//! | name the request headers that a response depends on | [`vary::add`] |
//! | choose between gzip and the plain bytes | [`encoding::accepts_gzip`] |
//!
//! # Example
//!
//! ```
//! use std::time::{Duration, UNIX_EPOCH};
//!
//! use cache_headers::{ETag, HttpDate, Outcome, Policy, Validators, evaluate, not_modified, vary};
//! use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
//!
//! fn reply(method: &Method, request: &HeaderMap, body: &[u8]) -> (StatusCode, HeaderMap) {
//!     let now = UNIX_EPOCH + Duration::from_secs(1_750_000_000); // the caller's clock
//!     let validators = Validators {
//!         etag: Some(ETag::weak_of(body)),
//!         last_modified: HttpDate::last_modified("2024-01-02T01:00:00.000Z", now),
//!     };
//!
//!     let mut headers = HeaderMap::new();
//!     headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
//!     headers.insert(header::CACHE_CONTROL, Policy::PrivateRevalidate.header_value());
//!     validators.insert_into(&mut headers);
//!     vary::add(&mut headers, &header::ACCEPT_ENCODING);
//!
//!     match evaluate(method, request, &validators) {
//!         Outcome::Proceed => (StatusCode::OK, headers),
//!         Outcome::NotModified => {
//!             not_modified::strip(&mut headers);
//!             (StatusCode::NOT_MODIFIED, headers)
//!         }
//!         // An error: the headers above describe the 200.
//!         Outcome::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, HeaderMap::new()),
//!     }
//! }
//!
//! let (status, first) = reply(&Method::GET, &HeaderMap::new(), b"{}");
//! assert_eq!(status, StatusCode::OK);
//! assert_eq!(first[header::ETAG], r#"W/"3HBI-Ph0f1YTSc3hJ3BcFg""#);
//! assert_eq!(first[header::LAST_MODIFIED], "Tue, 02 Jan 2024 01:00:00 GMT");
//!
//! // The client asks again with the tag that it received.
//! let mut again = HeaderMap::new();
//! again.insert(header::IF_NONE_MATCH, first[header::ETAG].clone());
//! let (status, second) = reply(&Method::GET, &again, b"{}");
//! assert_eq!(status, StatusCode::NOT_MODIFIED);
//! assert_eq!(second[header::ETAG], first[header::ETAG]);
//! assert_eq!(second[header::CACHE_CONTROL], "private, no-cache");
//! assert_eq!(second[header::VARY], "accept-encoding");
//! assert!(!second.contains_key(header::CONTENT_TYPE));
//! ```
//!
//! # Malformed headers
//!
//! No function panics or returns an error, whatever bytes a request contains. A malformed field has
//! the effect that its RFC defines, or else the effect that cannot serve a wrong body. The
//! documentation of each function says which.
//!
//! # Not included
//!
//! Range requests (`Range`, `If-Range`, 206), codings other than gzip, compression itself, strong
//! tags of bytes, reading a request's `Cache-Control`, and a cache.

pub mod encoding;
pub mod not_modified;
pub mod vary;

mod date;
mod etag;
mod policy;
mod precondition;

pub use date::HttpDate;
pub use etag::ETag;
pub use policy::Policy;
pub use precondition::{Outcome, Validators, evaluate};

/// Runs the example of README.md with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Makes a header value of text that this crate wrote itself in printable ASCII.
#[expect(
    clippy::expect_used,
    reason = "only for text made here, never for what a peer sent; printable ASCII is always a valid value"
)]
fn header_value_of_ascii(text: &[u8]) -> http::HeaderValue {
    http::HeaderValue::from_bytes(text).expect("printable ASCII")
}

/// Returns the members of a list field, over all its lines, without the whitespace around them.
///
/// The members must not have quoted strings. Empty members are skipped (RFC 9110, section 5.6.1.2).
fn list_members<'a>(
    headers: &'a http::HeaderMap,
    name: &http::HeaderName,
) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(name)
        .into_iter()
        .flat_map(|line| line.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}
