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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_some_statuses_tell_the_quota() {
        let policy = Policy::new("caller", 10, 60).unwrap();
        let standing = Standing { remaining: 0, reset: 7 };
        let admitted = Counted::Admitted(policy, standing);
        let refused = Counted::Refused(policy, standing, policy.caller("u-1"));
        let told = |counted: Counted, is_shared, status: u16| {
            let mut headers = HeaderMap::new();
            counted.tell(is_shared, StatusCode::from_u16(status).unwrap(), &mut headers);
            (headers.contains_key("ratelimit"), headers.contains_key(header::RETRY_AFTER))
        };
        for status in [200, 304, 404] {
            assert_eq!(told(admitted, false, status), (true, false), "{status}");
            assert_eq!(told(admitted, true, status), (false, false), "{status}, shared");
        }
        for status in [200, 400, 403, 503] {
            assert_eq!(told(refused, false, status), (false, false), "{status}, refused");
        }
        for status in [400, 403, 429, 503] {
            assert_eq!(told(admitted, false, status), (false, false), "{status}");
            assert_eq!(told(Counted::Open, false, status), (false, false), "{status}, open");
        }
        assert_eq!(told(refused, false, 429), (true, true));
        assert_eq!(told(refused, true, 429), (true, true));
    }
}
