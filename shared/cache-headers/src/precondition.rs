//! Preconditions: whether the client already has what it asks for (304), or asks for something that is no
//! longer there (412). The order in which the fields count is the part that goes wrong most easily, so it
//! stands in one function.

use http::{HeaderMap, HeaderName, Method, header};

use crate::etag::{self, Comparison, Listed};
use crate::{ETag, HttpDate};

/// What identifies the representation that a request has selected (RFC 9110, section 8.8).
///
/// Take them from the 200 that would be sent: the body that it would have, not the stored thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// Its entity tag, if it has one.
    pub etag: Option<ETag>,
    /// When it was last changed, if that is known. A list has none: a deletion would not change it.
    pub last_modified: Option<HttpDate>,
}

impl Validators {
    /// Sets `ETag` and `Last-Modified`; a field whose validator is absent is taken away, so that what is
    /// sent is what [`evaluate`] compared.
    pub fn insert_into(&self, headers: &mut HeaderMap) {
        let etag = self.etag.as_ref().map(ETag::header_value);
        let last_modified = self.last_modified.map(HttpDate::header_value);
        for (name, value) in [(header::ETAG, etag), (header::LAST_MODIFIED, last_modified)] {
            match value {
                Some(value) => headers.insert(name, value),
                None => headers.remove(name),
            };
        }
    }
}

/// What becomes of a request that, without its preconditions, would get a 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// Answer as if there were no preconditions.
    Proceed,
    /// Answer 304 without a body, with the headers that [`not_modified::strip`](crate::not_modified::strip)
    /// leaves of the 200's.
    NotModified,
    /// Answer 412. It is an error like any other: not to be cached, and without the 200's validators.
    PreconditionFailed,
}

/// Evaluates a request's preconditions in the order of RFC 9110, section 13.2.2.
///
/// Call it **only where the answer would be a 200**: any other status stands, whatever the request's
/// preconditions (section 13.2.1). So the representation exists, and `*` always matches it.
///
/// 1. `If-Match` (13.1.1), strong comparison: not matched → [`PreconditionFailed`](Outcome::PreconditionFailed).
///    A weak tag never matches, on either side.
/// 2. Without `If-Match`: `If-Unmodified-Since` (13.1.4): changed since → `PreconditionFailed`.
/// 3. `If-None-Match` (13.1.2), weak comparison: matched → [`NotModified`](Outcome::NotModified) for GET
///    and HEAD, `PreconditionFailed` for other methods.
/// 4. Without `If-None-Match`, for GET and HEAD: `If-Modified-Since` (13.1.3): not changed since →
///    `NotModified`.
///
/// CONNECT, OPTIONS and TRACE select no representation and always [`Proceed`](Outcome::Proceed). For a
/// method that changes something, call it before the change.
///
/// # Malformed fields
///
/// - `If-None-Match` and `If-Match` may be lists, over several lines. If any part is malformed, the whole
///   field matches nothing: the one then gives the full answer, the other 412. It is there all the same,
///   so it still puts the date of its pair out of account, as the RFC has it for its presence alone.
/// - A date field that is no date, or more than one (a list, several lines), is ignored, as is one on a
///   representation without [`last_modified`](Validators::last_modified): the RFC says so for each.
/// - A date in the future counts as any other.
pub fn evaluate(method: &Method, request: &HeaderMap, current: &Validators) -> Outcome {
    if matches!(*method, Method::CONNECT | Method::OPTIONS | Method::TRACE) {
        return Outcome::Proceed;
    }
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    let listed = |name, comparison| etag::listed(request, name, current.etag.as_ref(), comparison);

    match listed(&header::IF_MATCH, Comparison::Strong) {
        Listed::Yes => {}
        Listed::No => return Outcome::PreconditionFailed,
        Listed::Absent => {
            if changed_since(request, &header::IF_UNMODIFIED_SINCE, current) == Some(true) {
                return Outcome::PreconditionFailed;
            }
        }
    }
    match listed(&header::IF_NONE_MATCH, Comparison::Weak) {
        Listed::Yes if is_read => Outcome::NotModified,
        Listed::Yes => Outcome::PreconditionFailed,
        Listed::No => Outcome::Proceed,
        Listed::Absent => {
            let changed = changed_since(request, &header::IF_MODIFIED_SINCE, current);
            if is_read && changed == Some(false) { Outcome::NotModified } else { Outcome::Proceed }
        }
    }
}

/// Whether the representation is later than a field's date; `None` if the field is to be ignored.
fn changed_since(request: &HeaderMap, name: &HeaderName, current: &Validators) -> Option<bool> {
    let last_modified = current.last_modified?;
    let mut lines = request.get_all(name).into_iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return None;
    };
    let date = HttpDate::parse(line.as_bytes())?;
    Some(last_modified > date)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn an_absent_validator_takes_its_field_away() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, HeaderValue::from_static("\"old\""));
        headers.insert(header::LAST_MODIFIED, HeaderValue::from_static("old"));
        let validators = Validators { etag: ETag::parse(b"\"new\""), last_modified: None };
        validators.insert_into(&mut headers);
        assert_eq!(headers[header::ETAG], "\"new\"");
        assert!(!headers.contains_key(header::LAST_MODIFIED));
    }
}
