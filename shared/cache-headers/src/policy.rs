//! Cache policies: how long a response can be stored, and by whom. A policy is named by its intent
//! and written as `Cache-Control` in one place, because a typing error in a header written by hand
//! can let a shared cache store a private response.

use http::{HeaderMap, HeaderValue, header};

/// The cache policy of a response, by intent (RFC 9111, section 5.2.2; RFC 5861).
///
/// Writing it cannot fail. [`PrivateRevalidate`](Self::PrivateRevalidate),
/// [`NoStore`](Self::NoStore) and [`PUBLIC_READ_MOSTLY`](Self::PUBLIC_READ_MOSTLY) are static
/// values and cost no allocation.
///
/// ```
/// use cache_headers::Policy;
///
/// assert_eq!(
///     Policy::PUBLIC_READ_MOSTLY.header_value(),
///     "public, max-age=30, s-maxage=60, stale-while-revalidate=300, stale-if-error=86400",
/// );
/// assert_eq!(Policy::PrivateRevalidate.header_value(), "private, no-cache");
/// assert_eq!(Policy::NoStore.header_value(), "no-store");
///
/// /// A policy of your own.
/// const HOURLY: Policy = Policy::Public {
///     fresh: 600,
///     shared: 3_600,
///     stale_while_revalidate: 0,
///     stale_if_error: 0,
/// };
/// assert_eq!(HOURLY.header_value(), "public, max-age=600, s-maxage=3600");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Policy {
    /// The response is the same for everyone who asks for the URL: any cache can store it.
    ///
    /// `public` lets a shared cache store a response **even to a request with `Authorization`**
    /// (RFC 9111, section 3.5). Never use it for a response that depends on the caller.
    ///
    /// All values are seconds. Caches read values above 2^31 as 2^31 (RFC 9111, section 1.2.2).
    Public {
        /// `max-age`: how long a browser, and a shared cache that does not know `s-maxage`, uses it
        /// without asking. 0 means that it asks each time.
        fresh: u32,
        /// `s-maxage`: the same for shared caches (a CDN), in place of `max-age`. A cache that
        /// follows RFC 9111, section 5.2.2.10 strictly never serves it stale, whatever the next two
        /// values are.
        shared: u32,
        /// `stale-while-revalidate` (RFC 5861, section 3): how long after its freshness a cache can
        /// still serve it while it asks for a newer one. 0 leaves the directive out.
        stale_while_revalidate: u32,
        /// `stale-if-error` (RFC 5861, section 4): how long after its freshness a cache can serve
        /// it in place of an error (a 5xx, or no response). 0 leaves the directive out.
        stale_if_error: u32,
    },
    /// The response depends on the caller: only the caller's own cache can store it, and it must
    /// ask before each use. With an [`ETag`](crate::ETag), a use costs a 304 in place of a body.
    PrivateRevalidate,
    /// No cache stores the response: for errors, and for responses that the same request would not
    /// get again.
    NoStore,
}

impl Policy {
    /// The policy for public data that is read far more often than written, where half a minute of
    /// age does not matter, and an old response is better than a slow one or none:
    /// `public, max-age=30, s-maxage=60, stale-while-revalidate=300, stale-if-error=86400`.
    pub const PUBLIC_READ_MOSTLY: Self =
        Self::Public { fresh: 30, shared: 60, stale_while_revalidate: 300, stale_if_error: 86_400 };

    /// Returns the value of `Cache-Control`.
    pub fn header_value(self) -> HeaderValue {
        match self {
            Self::PUBLIC_READ_MOSTLY => HeaderValue::from_static(
                "public, max-age=30, s-maxage=60, stale-while-revalidate=300, stale-if-error=86400",
            ),
            Self::Public { fresh, shared, stale_while_revalidate, stale_if_error } => {
                render_public(fresh, shared, stale_while_revalidate, stale_if_error)
            }
            Self::PrivateRevalidate => HeaderValue::from_static("private, no-cache"),
            Self::NoStore => HeaderValue::from_static("no-store"),
        }
    }

    /// Sets `Cache-Control` to this policy, in place of any value that is there.
    pub fn insert_into(self, headers: &mut HeaderMap) {
        headers.insert(header::CACHE_CONTROL, self.header_value());
    }
}

fn render_public(
    fresh: u32,
    shared: u32,
    stale_while_revalidate: u32,
    stale_if_error: u32,
) -> HeaderValue {
    let mut text = format!("public, max-age={fresh}, s-maxage={shared}");
    for (directive, seconds) in
        [("stale-while-revalidate", stale_while_revalidate), ("stale-if-error", stale_if_error)]
    {
        if seconds > 0 {
            text.push_str(&format!(", {directive}={seconds}"));
        }
    }
    crate::header_value_of_ascii(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_static_text_is_what_rendering_gives() {
        assert_eq!(Policy::PUBLIC_READ_MOSTLY.header_value(), render_public(30, 60, 300, 86_400));
    }

    #[test]
    fn zero_leaves_only_the_stale_directives_out() {
        for (policy, expected) in [
            ((0, 0, 0, 0), "public, max-age=0, s-maxage=0"),
            ((1, 2, 3, 0), "public, max-age=1, s-maxage=2, stale-while-revalidate=3"),
            ((1, 2, 0, 4), "public, max-age=1, s-maxage=2, stale-if-error=4"),
            ((u32::MAX, 0, 0, 0), "public, max-age=4294967295, s-maxage=0"),
        ] {
            let (fresh, shared, stale_while_revalidate, stale_if_error) = policy;
            let policy = Policy::Public { fresh, shared, stale_while_revalidate, stale_if_error };
            assert_eq!(policy.header_value(), expected);
        }
    }

    #[test]
    fn inserting_replaces_every_line_that_was_there() {
        let mut headers = HeaderMap::new();
        headers.append(header::CACHE_CONTROL, HeaderValue::from_static("public"));
        headers.append(header::CACHE_CONTROL, HeaderValue::from_static("max-age=9"));
        Policy::NoStore.insert_into(&mut headers);
        let lines: Vec<_> = headers.get_all(header::CACHE_CONTROL).iter().collect();
        assert_eq!(lines, ["no-store"]);
    }
}
