//! Errors as callers see them: RFC 9457 `application/problem+json`.
//!
//! Every error becomes a [`Problem`]. Its kind alone decides status, type and title. A problem of
//! the 5xx has no internal details: those go to the log.

use http::StatusCode;
use projection::nearest;
use serde::Serialize;

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
    /// `If-Match` or `If-Unmodified-Since` does not hold.
    PreconditionFailed,
    /// The query string is too long.
    QueryTooLong,
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
    pub const ALL: [Self; 14] = [
        Self::InvalidParameter,
        Self::InvalidCursor,
        Self::MalformedRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::DirectAccess,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::PreconditionFailed,
        Self::QueryTooLong,
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
            Self::PreconditionFailed => Spec {
                uri: "/problems/precondition-failed",
                status: StatusCode::PRECONDITION_FAILED,
                title: "Precondition failed",
                detail: "Entity tags of this API are weak, so `If-Match` can only be `*`.",
            },
            Self::QueryTooLong => Spec {
                uri: "/problems/query-too-long",
                status: StatusCode::URI_TOO_LONG,
                title: "Query string too long",
                detail: "A query string can have at most 4096 bytes.",
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

/// One error of one parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParameterError {
    /// The parameter's name as the caller wrote it, cut to 64 characters.
    pub parameter: String,
    /// The reason, and the values that would be valid.
    pub detail: String,
    /// The nearest valid name or value, if one is near.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl ParameterError {
    /// Makes an error without a suggestion.
    pub fn new(parameter: &str, detail: impl Into<String>) -> Self {
        Self { parameter: excerpt(parameter), detail: detail.into(), suggestion: None }
    }

    /// Makes the error of a parameter whose name is not in `valid`.
    pub(crate) fn unknown_name(name: &str, valid: &[&str]) -> Self {
        Self::unknown(name, "is not a parameter of this route", name, "parameters", valid)
    }

    /// Makes the error of a parameter with a value, or one value of a list, that is not in `valid`.
    pub(crate) fn unknown_value(parameter: &str, value: &str, valid: &[&str]) -> Self {
        Self::unknown(
            parameter,
            &format!("`{}` is not a valid value", excerpt(value)),
            value,
            "values",
            valid,
        )
    }

    fn unknown(parameter: &str, reason: &str, text: &str, noun: &str, valid: &[&str]) -> Self {
        let suggestion = nearest(&excerpt(text), valid.iter().copied()).map(str::to_owned);
        let list = valid.join(", ");
        let detail = match &suggestion {
            Some(nearest) => format!("{reason}; did you mean `{nearest}`? Valid {noun}: {list}"),
            None => format!("{reason}; valid {noun}: {list}"),
        };
        Self { suggestion, ..Self::new(parameter, detail) }
    }
}

/// Cuts a caller's text to 64 characters, to be repeated in a response.
fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}

/// An error for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The kind.
    pub kind: ProblemKind,
    /// The errors of single parameters, for [`ProblemKind::InvalidParameter`].
    pub errors: Vec<ParameterError>,
}

impl From<ProblemKind> for Problem {
    fn from(kind: ProblemKind) -> Self {
        Self { kind, errors: Vec::new() }
    }
}

impl Problem {
    /// Makes a problem of the errors of parameters; only the first 32 are kept.
    #[must_use]
    pub fn parameters(mut errors: Vec<ParameterError>) -> Self {
        errors.truncate(MAX_ERRORS);
        Self { kind: ProblemKind::InvalidParameter, errors }
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
        }
        let Self { kind, errors } = self;
        let Spec { uri, status, title, detail } = kind.spec();
        serde_json::to_vec(&Body {
            r#type: uri,
            title,
            status: status.as_u16(),
            detail,
            instance,
            errors,
        })
        .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::MAX_QUERY_BYTES;

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
    fn a_name_is_suggested_only_if_it_is_near() {
        let suggestion = |name: &str| {
            ParameterError::unknown_name(name, &["category", "limit", "minPrice"]).suggestion
        };
        for (near, known) in [
            ("LIMIT", "limit"),
            ("lmit", "limit"),
            ("limi", "limit"),
            ("catgeroy", "category"),
            ("minprice", "minPrice"),
        ] {
            assert_eq!(suggestion(near).as_deref(), Some(known), "{near}");
        }
        for far in ["l", "limits-of-all", "cat", "xxxxx", ""] {
            assert_eq!(suggestion(far), None, "{far}");
        }
    }

    #[test]
    fn an_unknown_value_is_told_with_the_valid_ones() {
        let error = |value| ParameterError::unknown_value("status", value, &["pending", "shipped"]);
        let near = error("shiped");
        assert_eq!(
            near.detail,
            "`shiped` is not a valid value; did you mean `shipped`? Valid values: pending, shipped"
        );
        assert_eq!(
            (near.parameter.as_str(), near.suggestion.as_deref()),
            ("status", Some("shipped"))
        );
        assert_eq!(
            error("lost").detail,
            "`lost` is not a valid value; valid values: pending, shipped"
        );
        assert!(error(&"é".repeat(4096)).detail.len() < 256);
    }

    #[test]
    fn the_detail_of_a_limit_is_the_limit() {
        assert!(ProblemKind::QueryTooLong.spec().detail.contains(&MAX_QUERY_BYTES.to_string()));
    }
}
