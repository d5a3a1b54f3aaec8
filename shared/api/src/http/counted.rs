//! The outcome of a request's quota, and the header fields that report it to the caller.

use http::{HeaderMap, StatusCode, header};
use rate_limits::{Caller, Policy, Standing, fields, retry_after};

use crate::http::problem::Problem;

/// The outcome of a request's quota.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counted {
    /// It is spent.
    Admitted(Policy, Standing),
    /// It would have been exceeded.
    Refused(Policy, Standing, Caller),
    /// The limiter's table gave no answer: the request was admitted and not counted.
    Open,
}

impl Counted {
    /// Returns the problem of a refused request, or nothing.
    pub(crate) fn refusal(self) -> Option<Problem> {
        match self {
            Self::Refused(policy, ..) => Some(Problem::quota_exceeded(policy.name())),
            Self::Admitted(..) | Self::Open => None,
        }
    }

    /// Returns the word for the log line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Admitted(..) => "admitted",
            Self::Refused(..) => "refused",
            Self::Open => "open",
        }
    }

    /// Adds the header fields to a response: to a 200, 304 or 404 that no shared cache may keep
    /// (`is_shared` is false), and to a 429, which is never kept.
    pub(crate) fn tell(self, is_shared: bool, status: StatusCode, headers: &mut HeaderMap) {
        match self {
            Self::Admitted(policy, standing)
                if !is_shared
                    && matches!(
                        status,
                        StatusCode::OK | StatusCode::NOT_MODIFIED | StatusCode::NOT_FOUND
                    ) =>
            {
                headers.extend(fields(&policy, standing));
            }
            Self::Refused(policy, standing, caller) if status == StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, retry_after(caller, standing));
                headers.extend(fields(&policy, standing));
            }
            Self::Admitted(..) | Self::Refused(..) | Self::Open => {}
        }
    }
}
