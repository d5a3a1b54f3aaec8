//! Preconditions: the client already has the current representation (304), or asks for one that has
//! changed (412). The order in which the fields are evaluated is easy to get wrong, so one function
//! defines it.

use http::{HeaderMap, HeaderName, Method, header};

use crate::etag::{self, Comparison, Listed};
use crate::{ETag, HttpDate};

/// The validators of the representation that a request selects (RFC 9110, section 8.8).
///
/// Make them of the body that the 200 would have, not of the stored data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The entity tag, if there is one.
    pub etag: Option<ETag>,
    /// The date of the last change, if it is known. A list has none, because a deletion would not
    /// change it.
    pub last_modified: Option<HttpDate>,
}

impl Validators {
    /// Sets `ETag` and `Last-Modified`. Removes the field of an absent validator, so that the
    /// response has exactly the validators that [`evaluate`] compared.
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

/// The result of [`evaluate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// Respond as if there were no preconditions.
    Proceed,
    /// Respond with 304 and no body. [`not_modified::strip`](crate::not_modified::strip) makes its
    /// headers from those of the 200.
    NotModified,
    /// Respond with 412. Like any error it must not be cached and does not have the validators of
    /// the 200.
    PreconditionFailed,
}

/// Evaluates a request's preconditions in the order of RFC 9110, section 13.2.2.
///
/// Call it **only where the response would be a 200**: preconditions do not change any other status
/// (section 13.2.1). So the representation exists, and `*` always matches it.
///
/// 1. `If-Match` (13.1.1), strong comparison: not matched →
///    [`PreconditionFailed`](Outcome::PreconditionFailed). A weak tag never matches, on either
///    side.
/// 2. Without `If-Match`: `If-Unmodified-Since` (13.1.4): changed since → `PreconditionFailed`.
/// 3. `If-None-Match` (13.1.2), weak comparison: matched → [`NotModified`](Outcome::NotModified)
///    for GET and HEAD, `PreconditionFailed` for other methods.
/// 4. Without `If-None-Match`, for GET and HEAD: `If-Modified-Since` (13.1.3): not changed since →
///    `NotModified`.
///
/// CONNECT, OPTIONS and TRACE select no representation and always [`Proceed`](Outcome::Proceed).
/// For a method that changes data, call it before the change.
///
/// # Malformed fields
///
/// - `If-None-Match` and `If-Match` can be lists over several lines. If any part is malformed, the
///   whole field matches nothing: for `If-None-Match` the response is the full one, for `If-Match`
///   a 412. Its date field is still ignored, because the RFC makes that depend on presence alone.
/// - A date field that is not exactly one date is ignored, as the RFC says. So is a date field if
///   the representation has no [`last_modified`](Validators::last_modified).
/// - A date in the future is compared like any other.
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

/// Returns true if the representation is later than a field's date, or `None` if the field is
/// ignored.
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
