//! The secret with which a CDN shows that a request came through it.
//!
//! An HTTP API has no resource policy, so its own address stays open when a CDN is put in front of
//! it. The CDN adds a header to every request
//! ([custom origin headers](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/add-origin-custom-headers.html)),
//! and a function refuses a request without it. It replaces no token.

use std::fmt;

use http::{HeaderMap, HeaderName};
use subtle::{Choice, ConstantTimeEq};

/// The header that holds the secret.
pub(crate) const EDGE_SECRET: HeaderName = HeaderName::from_static("x-edge-secret");

/// The minimum length of a secret, in bytes.
const SHORTEST: usize = 32;

/// One or two values of the secret; a rotation needs two.
#[derive(Clone)]
pub struct EdgeSecret {
    accepted: Vec<String>,
}

/// A secret has fewer than 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooShort;

impl EdgeSecret {
    /// Makes the check of `current`, and of `other` while the secret is rotated.
    ///
    /// # Errors
    /// If one of them has fewer than 32 bytes.
    pub fn new(current: String, other: Option<String>) -> Result<Self, TooShort> {
        let accepted: Vec<String> = std::iter::once(current).chain(other).collect();
        if accepted.iter().any(|secret| secret.len() < SHORTEST) {
            Err(TooShort)
        } else {
            Ok(Self { accepted })
        }
    }

    /// Returns `true` if the request has one of the values. The time that it takes does not depend
    /// on where a wrong value differs.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(sent) = headers.get(EDGE_SECRET) else { return false };
        let equal = |secret: &String| secret.as_bytes().ct_eq(sent.as_bytes());
        self.accepted.iter().map(equal).fold(Choice::from(0), |found, equal| found | equal).into()
    }
}

impl fmt::Debug for EdgeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeSecret").field("accepted", &self.accepted.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const OLD: &str = "the old secret of the edge, of 32 characters and more";
    const NEW: &str = "the new secret of the edge, of 32 characters and more";

    fn with(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(EDGE_SECRET, HeaderValue::from_static(value))])
    }

    #[test]
    fn only_the_accepted_values_are_admitted() {
        let one = EdgeSecret::new(OLD.into(), None).unwrap();
        assert!(one.admits(&with(OLD)) && !one.admits(&with(NEW)));
        let two = EdgeSecret::new(NEW.into(), Some(OLD.into())).unwrap();
        assert!(two.admits(&with(OLD)) && two.admits(&with(NEW)));
        for wrong in [
            "",
            "the old secret",
            "the old secret of the edge, of 32 characters and more, and more",
        ] {
            assert!(!two.admits(&with(wrong)), "{wrong}");
        }
        assert!(!two.admits(&HeaderMap::new()));
    }

    #[test]
    fn a_short_secret_is_refused_and_none_is_printed() {
        assert_eq!(EdgeSecret::new("x".repeat(31), None).unwrap_err(), TooShort);
        assert_eq!(EdgeSecret::new(NEW.into(), Some("short".into())).unwrap_err(), TooShort);
        let both = EdgeSecret::new(NEW.into(), Some(OLD.into())).unwrap();
        assert_eq!(format!("{both:?}"), "EdgeSecret { accepted: 2 }");
    }
}
