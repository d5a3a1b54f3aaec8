//! Quotas per caller that hold over any number of processes.
//!
//! A counter in the memory of a process does not limit a caller of a serverless function: each
//! process has its own, so the caller gets the quota as often as there are processes. A counter in
//! a shared store does, and a store that can add to a number atomically is enough. But a write for
//! each request costs money and time. Here a process takes several units of the quota with one
//! write, a lease, and spends them without another.
//!
//! This crate decides; it has no store, no clock, no timer and no framework. A caller's request
//! goes through three steps:
//!
//! 1. [`Book::ask`] with the caller, the cost of the request and the time. The answer is
//!    [`Verdict::Admitted`] (a lease is in hand), [`Verdict::Refused`] (the quota is used up, and
//!    this process knows it), or a [`Lease`] to take.
//! 2. For a lease, add [`Lease::units`] to the number in your store under [`Lease::key`], and let
//!    it tell the new value. With DynamoDB that is one unconditional UpdateItem,
//!    `ADD used :n`, which returns `UPDATED_NEW`.
//! 3. [`Book::granted`] with that value admits or refuses the request.
//!
//! # Guarantees
//!
//! - The requests that are admitted in one window never cost more than the quota, in whatever order
//!   any number of processes ask. This holds also if their clocks differ: the number of the window
//!   is part of the key.
//! - Two windows meet, so a caller can spend two quotas within less than a window's length, before
//!   and after the edge. Choose a short window.
//! - Leases that are not spent are lost when the window ends. Of P processes that serve one request
//!   at a time, each strands at most [`Policy::stranded`] units.
//! - Clocks that differ by some seconds only move the edges of a process's windows by as much.
//!
//! The property test (`tests/properties.rs`) tries random interleavings of several processes.
//!
//! # Example
//!
//! ```
//! use std::collections::HashMap;
//! use std::time::{Duration, UNIX_EPOCH};
//!
//! use rate_limits::{Asked, Book, Policy, Verdict, fields};
//!
//! let policy = Policy::new("caller", 2, 60).unwrap();
//! let book = Book::new(policy);
//! let caller = policy.caller("u-1"); // a hash: the store holds no name
//! let mut store = HashMap::new(); // in the place of a database
//!
//! let now = UNIX_EPOCH + Duration::from_secs(1_750_000_020);
//! let mut request = || match book.ask(caller, 1, now) {
//!     Asked::Decided(verdict) => verdict,
//!     Asked::Lease(lease) => {
//!         let used = store.entry(lease.key()).or_insert(0);
//!         *used += u64::from(lease.units());
//!         book.granted(lease, *used).unwrap() // it fails only if the counter lost something
//!     }
//! };
//! let Verdict::Admitted(standing) = request() else { panic!() };
//! let [(_, described), (_, left)] = fields(&policy, standing);
//! assert_eq!(described, r#""caller";q=2;w=60"#);
//! assert_eq!(left, r#""caller";r=1;t=60"#);
//!
//! assert!(matches!(request(), Verdict::Admitted(_)));
//! let Verdict::Refused(standing) = request() else { panic!() };
//! assert_eq!((standing.remaining, standing.reset), (0, 60));
//! ```

mod book;
mod caller;
mod fields;
mod policy;

pub use book::{Asked, Book, Lease, MAX_CALLERS, Standing, Verdict};
pub use caller::Caller;
pub use fields::{RATELIMIT, RATELIMIT_POLICY, fields, retry_after};
pub use policy::{InvalidPolicy, LONGEST_LEASE, Policy};

/// The example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
