//! The optional cache tier: answers of DynamoDB about public resources, kept in Redis or Valkey.
//!
//! It keeps what shared caches before the function cannot: every caller asks with other limits and
//! cursors, but the questions to DynamoDB repeat. The key is made of the question, the value is the
//! answer's bytes, so a hit costs no read unit, no signature and no call of the SDK.
//!
//! Nothing here can fail a request. A server that is down, slow, full or wrong is a miss, and then
//! left alone for a while ([`link`]).
//!
//! | file | holds |
//! |---|---|
//! | `address` | `CACHE_URL` |
//! | `link` | the connection, its time limits, and the pauses after a failure |
//! | `failure` | why the server is left alone |
//! | `entry` | the layout of a value, its age, and when it is refreshed |

mod address;
mod entry;
mod failure;
mod link;

use std::{
    fmt,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;

pub use address::{CacheUrl, InvalidCacheUrl};
pub(crate) use entry::{Draw, Key};

use crate::meter::Meter;
use crate::route::{Policy, Resource};
use link::Link;

/// The cache tier of one function.
pub(crate) struct Tier {
    link: Link,
}

impl fmt::Debug for Tier {
    // Its address may have a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tier").finish_non_exhaustive()
    }
}

impl Tier {
    /// Makes a tier at an address, which trusts the root certificates `roots` (PEM) and no others.
    /// It connects when it is first used, or with [`open`](Self::open).
    pub(crate) fn new(address: CacheUrl, roots: Vec<u8>) -> Self {
        Self { link: Link::new(address, roots) }
    }

    /// Opens the connection, so that the first request finds it. If that fails, the tier is left
    /// alone as after any other failure.
    pub(crate) async fn open(&self) {
        self.link.open().await;
    }
}

/// The tier for the answers about one public resource.
///
/// This is the only way to the tier's content, and [`PublicTier::new`] the only way to make one: it
/// takes the policy from the resource's declaration. So what is not public cannot be stored or
/// found.
#[derive(Clone, Copy)]
pub(crate) struct PublicTier<'a> {
    tier: &'a Tier,
    /// The time for which an answer may be used.
    lifetime: Duration,
    draw: Draw,
}

/// The tier's reply to a question.
pub(crate) enum Found {
    /// An answer, and its age.
    Answer(Bytes, Duration),
    /// Nothing that can be used.
    Nothing,
    /// It could not be asked.
    Unavailable,
}

impl<'a> PublicTier<'a> {
    /// Makes the tier for the answers about `resource` that become part of a reply about `replied`;
    /// `None` if the resource is not public, or must not be kept for any time.
    ///
    /// An answer is used for the shorter of the two lifetimes (`s-maxage`), so that no answer is
    /// older than its reply may be.
    pub(crate) fn new(
        tier: &'a Tier,
        resource: &'static Resource,
        replied: &'static Resource,
        draw: Draw,
    ) -> Option<Self> {
        let Policy::Public { shared, .. } = resource.policy else { return None };
        let of_the_reply = match replied.policy {
            Policy::Public { shared, .. } => shared,
            Policy::PrivateRevalidate | Policy::NoStore => shared,
        };
        let seconds = shared.min(of_the_reply).min(LONGEST_LIFETIME);
        (seconds > 0).then(|| Self { tier, lifetime: Duration::from_secs(seconds.into()), draw })
    }

    /// Looks for the answer to the question with this key.
    pub(crate) async fn get(&self, key: &Key, deadline: Instant, meter: &Meter) -> Found {
        let waiting = meter.wait_for_tier();
        let fetched = self.tier.link.get(&key.name(), entry::MAX_BYTES, deadline).await;
        drop(waiting);
        match fetched {
            None => Found::Unavailable,
            Some(stored) => stored
                .and_then(|(value, left)| {
                    entry::read(value, key, left, self.lifetime, SystemTime::now(), self.draw)
                })
                .map_or(Found::Nothing, |(body, age)| Found::Answer(body, age)),
        }
    }

    /// Stores an answer. One that is too large is not stored. Returns `false` if the tier failed.
    ///
    /// It waits until the server has it: a task of its own would be frozen with the process after
    /// the reply.
    pub(crate) async fn put(
        &self,
        key: &Key,
        body: &[u8],
        read: &Timed,
        deadline: Instant,
        meter: &Meter,
    ) -> bool {
        let value = entry::write(key, body, self.lifetime, read.began, read.took);
        // The lifetime begins with the read, because the answer may be as old as that.
        let left = self.lifetime.saturating_sub(read.since.elapsed());
        let Some(value) = value.filter(|_| left >= Duration::from_millis(1)) else { return true };
        let _waiting = meter.wait_for_tier();
        self.tier.link.set(&key.name(), &value, left, deadline).await
    }
}

/// The time of a read of DynamoDB.
pub(crate) struct Timed {
    began: SystemTime,
    since: Instant,
    took: Duration,
}

impl Timed {
    /// Runs a read, and takes its time.
    pub(crate) async fn run<T>(read: impl Future<Output = T>) -> (T, Self) {
        let (began, since) = (SystemTime::now(), Instant::now());
        let answer = read.await;
        (answer, Self { began, since, took: since.elapsed() })
    }
}

/// The longest lifetime of an entry in seconds, whatever the policy says: a day.
const LONGEST_LIFETIME: u32 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Field, Kind, Table};

    const fn resource(policy: Policy) -> Resource {
        Resource {
            name: "things",
            table_variable: "THINGS_TABLE",
            table: Table { key: &["thingId"], indexes: &[] },
            fixed: &[],
            fields: &[Field { name: "thingId", kind: Kind::Text, about: "" }],
            summary: &["thingId"],
            modified: None,
            policy,
        }
    }

    const fn public(shared: u32) -> Policy {
        Policy::Public { fresh: 1, shared, stale_while_revalidate: 0, stale_if_error: 0 }
    }

    static MINUTE: Resource = resource(public(60));
    static HOUR: Resource = resource(public(3_600));
    static NEVER: Resource = resource(public(0));
    static FOR_EVER: Resource = resource(public(u32::MAX));
    static PRIVATE: Resource = resource(Policy::PrivateRevalidate);
    static NO_STORE: Resource = resource(Policy::NoStore);

    #[test]
    fn only_a_public_resource_has_a_tier() {
        let tier = Tier::new("redis://127.0.0.1:1".parse().unwrap(), Vec::new());
        let lifetime = |resource, replied| {
            PublicTier::new(&tier, resource, replied, Draw::of("r-1"))
                .map(|tier| tier.lifetime.as_secs())
        };
        for (resource, replied, expected) in [
            (&MINUTE, &MINUTE, Some(60)),
            (&HOUR, &HOUR, Some(3_600)),
            (&HOUR, &MINUTE, Some(60)),
            (&MINUTE, &HOUR, Some(60)),
            (&HOUR, &PRIVATE, Some(3_600)),
            (&HOUR, &NO_STORE, Some(3_600)),
            (&FOR_EVER, &FOR_EVER, Some(86_400)),
            (&NEVER, &MINUTE, None),
            (&MINUTE, &NEVER, None),
            (&PRIVATE, &MINUTE, None),
            (&NO_STORE, &MINUTE, None),
            (&PRIVATE, &PRIVATE, None),
        ] {
            assert_eq!(lifetime(resource, replied), expected);
        }
    }
}
