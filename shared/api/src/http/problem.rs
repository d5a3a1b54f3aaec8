//! Errors as callers see them: RFC 9457 `application/problem+json`.
//!
//! Every error becomes a [`Problem`]. Its kind alone decides status, type and title. A problem of
//! the 5xx has no internal details: those go to the log.

use http::StatusCode;
use serde::Serialize;

mod parameter_error;

pub use parameter_error::{ParameterError, excerpt};

/// The kinds of problem. Each has a section in `docs/problems.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// One or more parameters are unknown, repeated, or have an invalid value.
    InvalidParameter,
    /// A cursor that does not belong to this list, or has expired.
    InvalidCursor,
    /// The event is not one of an HTTP API or a function URL in payload format 2.0.
    MalformedRequest,
    /// The request has no identity.
    Unauthorized,
    /// The identity may not read this.
    Forbidden,
    /// The request did not come through the CDN.
    DirectAccess,
    /// The item or the path does not exist.
    NotFound,
    /// The method is not GET or HEAD.
    MethodNotAllowed,
    /// `Accept` names no media type that the path can answer with.
    NotAcceptable,
    /// `If-Match` or `If-Unmodified-Since` does not hold.
    PreconditionFailed,
    /// The body is too large.
    ContentTooLarge,
    /// The query string is too long.
    QueryTooLong,
    /// The body has another media type than the one that the path takes.
    UnsupportedMediaType,
    /// The caller has used up its quota.
    QuotaExceeded,
    /// The function or its configuration has a fault.
    Internal,
    /// DynamoDB's response could not be read.
    BadGateway,
    /// DynamoDB throttles or cannot be reached.
    Unavailable,
    /// DynamoDB did not respond before the deadline.
    Timeout,
}

impl ProblemKind {
    /// Every kind, for documents and tests.
    pub const ALL: [Self; 18] = [
        Self::InvalidParameter,
        Self::InvalidCursor,
        Self::MalformedRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::DirectAccess,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::PreconditionFailed,
        Self::ContentTooLarge,
        Self::QueryTooLong,
        Self::UnsupportedMediaType,
        Self::QuotaExceeded,
        Self::Internal,
        Self::BadGateway,
        Self::Unavailable,
        Self::Timeout,
    ];

    /// Defines each kind in one row.
    const fn spec(self) -> Spec {
        match self {
            Self::InvalidParameter => Spec {
                uri: "/problems/invalid-parameter",
                status: StatusCode::BAD_REQUEST,
                title: "Invalid parameter",
                detail: "See `errors` for each parameter and what would be valid.",
            },
            Self::InvalidCursor => Spec {
                uri: "/problems/invalid-cursor",
                status: StatusCode::BAD_REQUEST,
                title: "Invalid cursor",
                detail: "Start again without `cursor`. A cursor is valid for three days and only for the same path, filters, sort and caller.",
            },
            Self::MalformedRequest => Spec {
                uri: "/problems/malformed-request",
                status: StatusCode::BAD_REQUEST,
                title: "Malformed request",
                detail: "The function accepts events of an HTTP API or a function URL in payload format 2.0.",
            },
            Self::Unauthorized => Spec {
                uri: "/problems/unauthorized",
                status: StatusCode::UNAUTHORIZED,
                title: "Authentication required",
                detail: "Send an access token: `Authorization: Bearer …`.",
            },
            Self::Forbidden => Spec {
                uri: "/problems/forbidden",
                status: StatusCode::FORBIDDEN,
                title: "Access denied",
                detail: "Callers can read only their own data, unless their token has the scope that reads everybody's.",
            },
            Self::DirectAccess => Spec {
                uri: "/problems/direct-access",
                status: StatusCode::FORBIDDEN,
                title: "Direct access denied",
                detail: "Use the public address of this API. This address serves only its content delivery network.",
            },
            Self::NotFound => Spec {
                uri: "/problems/not-found",
                status: StatusCode::NOT_FOUND,
                title: "Not found",
                detail: "The path names nothing that exists; an item may have been deleted.",
            },
            Self::MethodNotAllowed => Spec {
                uri: "/problems/method-not-allowed",
                status: StatusCode::METHOD_NOT_ALLOWED,
                title: "Method not allowed",
                detail: "This API is read-only. Use GET or HEAD.",
            },
            Self::NotAcceptable => Spec {
                uri: "/problems/not-acceptable",
                status: StatusCode::NOT_ACCEPTABLE,
                title: "Not acceptable",
                detail: "Accept `application/json`, or leave `Accept` out.",
            },
            Self::PreconditionFailed => Spec {
                uri: "/problems/precondition-failed",
                status: StatusCode::PRECONDITION_FAILED,
                title: "Precondition failed",
                detail: "Entity tags of this API are weak, so `If-Match` can only be `*`.",
            },
            Self::ContentTooLarge => Spec {
                uri: "/problems/content-too-large",
                status: StatusCode::PAYLOAD_TOO_LARGE,
                title: "Content too large",
                detail: "A body can have at most 16384 bytes.",
            },
            Self::QueryTooLong => Spec {
                uri: "/problems/query-too-long",
                status: StatusCode::URI_TOO_LONG,
                title: "Query string too long",
                detail: "A query string can have at most 4096 bytes.",
            },
            Self::UnsupportedMediaType => Spec {
                uri: "/problems/unsupported-media-type",
                status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                title: "Unsupported media type",
                detail: "Send the body as `application/json` in UTF-8.",
            },
            Self::QuotaExceeded => Spec {
                uri: "/problems/quota-exceeded",
                status: StatusCode::TOO_MANY_REQUESTS,
                title: "Quota exceeded",
                detail: "Try again after the number of seconds in `Retry-After`. `RateLimit-Policy` names the quota.",
            },
            Self::Internal => Spec {
                uri: "/problems/internal",
                status: StatusCode::INTERNAL_SERVER_ERROR,
                title: "Internal error",
                detail: "Try again. If the error persists, report the `instance`.",
            },
            Self::BadGateway => Spec {
                uri: "/problems/bad-gateway",
                status: StatusCode::BAD_GATEWAY,
                title: "Invalid database response",
                detail: "Try again. If the error persists, report the `instance`.",
            },
            Self::Unavailable => Spec {
                uri: "/problems/unavailable",
                status: StatusCode::SERVICE_UNAVAILABLE,
                title: "Database unavailable",
                detail: "Try again after the number of seconds in `Retry-After`.",
            },
            Self::Timeout => Spec {
                uri: "/problems/timeout",
                status: StatusCode::GATEWAY_TIMEOUT,
                title: "Database timeout",
                detail: "Try again. A smaller `limit` or fewer filters make the request faster.",
            },
        }
    }

    /// Returns the `type`, a URI reference.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        self.spec().uri
    }

    /// Returns the `title`, the same for every problem of the kind.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.spec().title
    }

    /// Returns the status code.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.spec().status
    }
}

/// A row of [`ProblemKind::spec`].
struct Spec {
    uri: &'static str,
    status: StatusCode,
    title: &'static str,
    /// The advice to the caller.
    detail: &'static str,
}

/// The maximum number of errors in one response.
pub(crate) const MAX_ERRORS: usize = 32;

/// An error for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The kind.
    pub kind: ProblemKind,
    /// The errors of single parameters, for [`ProblemKind::InvalidParameter`].
    pub errors: Vec<ParameterError>,
    /// The names of the policies that the request would exceed, for
    /// [`ProblemKind::QuotaExceeded`].
    pub violated_policies: Vec<&'static str>,
}

impl From<ProblemKind> for Problem {
    fn from(kind: ProblemKind) -> Self {
        Self { kind, errors: Vec::new(), violated_policies: Vec::new() }
    }
}

impl Problem {
    /// Makes a problem of the errors of parameters; only the first 32 are kept.
    #[must_use]
    pub fn parameters(mut errors: Vec<ParameterError>) -> Self {
        errors.truncate(MAX_ERRORS);
        Self { errors, ..ProblemKind::InvalidParameter.into() }
    }

    /// Makes the problem of a request that would exceed the quota of `policy`.
    #[must_use]
    pub fn quota_exceeded(policy: &'static str) -> Self {
        Self { violated_policies: vec![policy], ..ProblemKind::QuotaExceeded.into() }
    }

    /// Writes the JSON body. `instance` is the request's id.
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
            #[serde(rename = "violated-policies", skip_serializing_if = "<[_]>::is_empty")]
            violated_policies: &'a [&'static str],
        }
        let Self { kind, errors, violated_policies } = self;
        let Spec { uri, status, title, detail } = kind.spec();
        serde_json::to_vec(&Body {
            r#type: uri,
            title,
            status: status.as_u16(),
            detail,
            instance,
            errors,
            violated_policies,
        })
        .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::{MAX_QUERY_BYTES, MAX_REQUEST_BODY_BYTES};

    #[test]
    fn every_kind_has_a_type_of_its_own() {
        for (i, kind) in ProblemKind::ALL.iter().enumerate() {
            assert!(kind.uri().starts_with("/problems/"), "{kind:?}");
            assert!(
                ProblemKind::ALL[..i].iter().all(|other| other.uri() != kind.uri()),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn the_detail_of_a_limit_is_the_limit() {
        assert!(ProblemKind::QueryTooLong.spec().detail.contains(&MAX_QUERY_BYTES.to_string()));
        let detail = ProblemKind::ContentTooLarge.spec().detail;
        assert!(detail.contains(&MAX_REQUEST_BODY_BYTES.to_string()));
    }
}
