//! The header fields that tell a caller its quota.

use http::{HeaderName, HeaderValue};

use crate::book::Standing;
use crate::caller::Caller;
use crate::policy::Policy;

/// `RateLimit-Policy`
pub const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// `RateLimit`
pub const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Returns the fields `RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers-10
/// has them (27 September 2025, sections 3 and 4). It is the only place that writes them. Later
/// texts of the draft may rename parameters of `RateLimit`, so compare this function with the newest
/// one before you rely on a name.
///
/// Never send them with an answer that a shared cache may keep: it would show one caller's numbers
/// to others.
///
/// ```
/// use rate_limits::{Policy, Standing, fields};
///
/// let policy = Policy::new("caller", 600, 60).unwrap();
/// let [(name, value), (other, hint)] = fields(&policy, Standing { remaining: 573, reset: 41 });
/// assert_eq!((name.as_str(), value.as_bytes()), ("ratelimit-policy", &br#""caller";q=600;w=60"#[..]));
/// assert_eq!((other.as_str(), hint.as_bytes()), ("ratelimit", &br#""caller";r=573;t=41"#[..]));
/// ```
#[must_use]
pub fn fields(policy: &Policy, standing: Standing) -> [(HeaderName, HeaderValue); 2] {
    let (name, Standing { remaining, reset }) = (policy.name(), standing);
    let described = format!("\"{name}\";q={};w={}", policy.quota(), policy.window());
    let left = format!("\"{name}\";r={remaining};t={reset}");
    [(RATELIMIT_POLICY, ascii(&described)), (RATELIMIT, ascii(&left))]
}

/// Returns the value of `Retry-After` for a refused caller: the seconds until the quota is whole
/// again, and up to two more that depend on the caller. Without them all callers that were refused
/// in a window would come back in the same second.
#[must_use]
pub fn retry_after(caller: Caller, standing: Standing) -> HeaderValue {
    HeaderValue::from(standing.reset.saturating_add(caller.spread()))
}

/// Makes a value of text that has printable ASCII only: a policy's name and digits.
fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The only test that has the draft's syntax in it.
    #[test]
    fn golden() {
        for (quota, window, remaining, reset, policy_field, field) in [
            (600, 60, 573, 41, r#""caller";q=600;w=60"#, r#""caller";r=573;t=41"#),
            (1, 1, 0, 1, r#""caller";q=1;w=1"#, r#""caller";r=0;t=1"#),
            (
                u32::MAX,
                86_400,
                u32::MAX,
                86_400,
                r#""caller";q=4294967295;w=86400"#,
                r#""caller";r=4294967295;t=86400"#,
            ),
        ] {
            let policy = Policy::new("caller", quota, window).unwrap();
            let [(first, policy_value), (second, value)] =
                fields(&policy, Standing { remaining, reset });
            assert_eq!((first, second), (RATELIMIT_POLICY, RATELIMIT));
            assert_eq!(
                (policy_value.to_str().unwrap(), value.to_str().unwrap()),
                (policy_field, field)
            );
        }
    }

    #[test]
    fn a_caller_waits_until_the_window_ends_and_up_to_two_seconds_more() {
        let policy = Policy::new("caller", 1, 60).unwrap();
        let standing = Standing { remaining: 0, reset: 41 };
        let mut seen: Vec<u32> = (0..50)
            .map(|i| retry_after(policy.caller(&i.to_string()), standing))
            .map(|value| value.to_str().unwrap().parse().unwrap())
            .collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [41, 42, 43]);
    }
}
