//! Errors as callers see them: RFC 9457 `application/problem+json`.
//!
//! Whatever goes wrong anywhere becomes a [`Problem`]; its kind alone decides status, type and title. A problem of the 5xx says nothing
//! of the inside: that goes to the log.

use http::StatusCode;
use serde::Serialize;

/// The kinds of problem. Each has a page in `docs/problems.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One or more parameters are unknown, repeated, or not what they may be.
    InvalidParameter,
    /// A cursor that does not belong to this list, or has expired.
    InvalidCursor,
    /// The event or its path cannot be understood.
    MalformedRequest,
    /// No identity came with the request.
    Unauthorized,
    /// The identity may not read this.
    Forbidden,
    /// There is no such item.
    NotFound,
    /// Only GET and HEAD are answered.
    MethodNotAllowed,
    /// `If-Match` or `If-Unmodified-Since` does not hold.
    PreconditionFailed,
    /// The query string is too long.
    QueryTooLong,
    /// Something here is broken.
    Internal,
    /// DynamoDB's answer made no sense.
    BadGateway,
    /// DynamoDB is out of capacity or out of reach.
    Unavailable,
    /// DynamoDB did not answer in time.
    Timeout,
}

impl Kind {
    /// Every kind, for documents and tests.
    pub const ALL: [Self; 13] = [
        Self::InvalidParameter,
        Self::InvalidCursor,
        Self::MalformedRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::PreconditionFailed,
        Self::QueryTooLong,
        Self::Internal,
        Self::BadGateway,
        Self::Unavailable,
        Self::Timeout,
    ];

    /// The `type`, a URI reference.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::InvalidParameter => "/problems/invalid-parameter",
            Self::InvalidCursor => "/problems/invalid-cursor",
            Self::MalformedRequest => "/problems/malformed-request",
            Self::Unauthorized => "/problems/unauthorized",
            Self::Forbidden => "/problems/forbidden",
            Self::NotFound => "/problems/not-found",
            Self::MethodNotAllowed => "/problems/method-not-allowed",
            Self::PreconditionFailed => "/problems/precondition-failed",
            Self::QueryTooLong => "/problems/query-too-long",
            Self::Internal => "/problems/internal",
            Self::BadGateway => "/problems/bad-gateway",
            Self::Unavailable => "/problems/unavailable",
            Self::Timeout => "/problems/timeout",
        }
    }

    /// The `title`: the same for every problem of the kind.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::InvalidParameter => "A parameter is not valid",
            Self::InvalidCursor => "The cursor is not valid",
            Self::MalformedRequest => "The request cannot be understood",
            Self::Unauthorized => "Sign in first",
            Self::Forbidden => "This is not yours to read",
            Self::NotFound => "There is no such item",
            Self::MethodNotAllowed => "Only GET and HEAD are answered",
            Self::PreconditionFailed => "A precondition does not hold",
            Self::QueryTooLong => "The query string is too long",
            Self::Internal => "Something went wrong here",
            Self::BadGateway => "The database answered nonsense",
            Self::Unavailable => "The database is too busy",
            Self::Timeout => "The database took too long",
        }
    }

    /// The status code.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::InvalidParameter | Self::InvalidCursor | Self::MalformedRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::QueryTooLong => StatusCode::URI_TOO_LONG,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::InvalidParameter => "See `errors` for each parameter and what would be valid.",
            Self::InvalidCursor => {
                "Start again without `cursor`. A cursor works for three days, and only with the path, filters, sort and caller that it was made for."
            }
            Self::MalformedRequest => "The function takes events of an HTTP API or a function URL, payload format 2.0.",
            Self::Unauthorized => "Send an access token: `Authorization: Bearer …`.",
            Self::Forbidden => "A caller may read their own data only, unless their token has the scope for all.",
            Self::NotFound => "It never existed, or was deleted.",
            Self::MethodNotAllowed => "This API reads; it changes nothing.",
            Self::PreconditionFailed => "The entity tags of this API are weak: `If-Match` can only be `*`.",
            Self::QueryTooLong => "A query string may have 4096 bytes.",
            Self::Internal | Self::BadGateway => "Try again; if it stays, tell us the `instance`.",
            Self::Unavailable => "Try again after the seconds in `Retry-After`.",
            Self::Timeout => "Try again; a smaller `limit` or fewer filters make a lighter request.",
        }
    }
}

/// The most errors that are told at once.
pub(crate) const MAX_ERRORS: usize = 32;

/// One thing that is wrong with one parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParameterError {
    /// The parameter's name, as the caller wrote it (64 characters of it at most).
    pub parameter: String,
    /// What is wrong, and what would be valid.
    pub detail: String,
    /// The nearest valid name, where a name was not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl ParameterError {
    /// An error of a parameter that is known.
    pub fn new(parameter: &str, detail: impl Into<String>) -> Self {
        Self { parameter: excerpt(parameter), detail: detail.into(), suggestion: None }
    }
}

/// A caller's text, cut to what is fit to be shown back.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}

/// An error on its way to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind it is.
    pub kind: Kind,
    /// What exactly is wrong, for kinds about parameters.
    pub errors: Vec<ParameterError>,
}

impl From<Kind> for Problem {
    fn from(kind: Kind) -> Self {
        Self { kind, errors: Vec::new() }
    }
}

impl Problem {
    /// Everything that is wrong with the parameters; of a flood, the first 32.
    #[must_use]
    pub fn parameters(mut errors: Vec<ParameterError>) -> Self {
        errors.truncate(MAX_ERRORS);
        Self { kind: Kind::InvalidParameter, errors }
    }

    /// The body; `instance` is the request's id.
    #[must_use]
    pub fn body(&self, instance: &str) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            r#type: &'a str,
            title: &'a str,
            status: u16,
            detail: &'a str,
            instance: &'a str,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            errors: &'a [ParameterError],
        }
        let Self { kind, errors } = self;
        let (r#type, title, status, detail) = (kind.uri(), kind.title(), kind.status().as_u16(), kind.detail());
        serde_json::to_vec(&Body { r#type, title, status, detail, instance, errors }).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::MAX_QUERY_BYTES;

    #[test]
    fn the_detail_of_a_limit_is_the_limit() {
        assert!(Kind::QueryTooLong.detail().contains(&MAX_QUERY_BYTES.to_string()));
    }
}
