//! The tests of the platform, on the fixture bundle in `shop/`, and the contract of the bundle that
//! stands in this repository, in one binary.
//!
//! | module | tests |
//! |---|---|
//! | `contract` | the real bundle: model = template = crates = router = events = permissions = environment |
//! | `routes` | events through the real conversion into the handlers, over in-process DynamoDB |
//! | `conditional` | the truth table of If-None-Match and If-Modified-Since |
//! | `cursors` | cursors changed, cut, expired, and used for another list |
//! | `walks` | random data, filters, sorts, limits and shards against an in-memory oracle |
//! | `existing` | tables as teams have them: one table for all, classic indexes, tenants |
//! | `costs` | round trips, evaluated items and units, counted |
//! | `loaded` | random rows through the loader: what it takes can be read, listed and walked |
//! | `concurrent` | many requests at once through one function |
//! | `sizes` | large items |
//! | `smoke` | `cargo dev smoke` against a whole stack, and against stacks that are broken in one way |
//! | `typed` | the official client for more than reads: a write, typed answers, missing bytes |
//! | `hostile` | hostile events, to the handlers and to the functions' own processes |
//! | `limits` | quotas of callers: many processes, faults, header fields, what is written |
//! | `soak` | many requests to one process, whose memory stays as it was |
//! | `tier` | the cache tier: what is stored and found, and a server in every kind of trouble |
//! | `faults` | a proxy that throttles, hangs, resets, truncates and lies |
//! | `matrix` | every fault against every kind of read, and walks under random faults |
//!
//! `stack` is a bundle in this process, `direct` a table without the wire, `proxy` what stands
//! between the client and DynamoDB, `undisturbed` runs what a busy machine has spoilt again.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod concurrent;
mod conditional;
mod contract;
mod costs;
mod cursors;
mod direct;
mod existing;
mod faults;
mod hostile;
mod limits;
mod loaded;
mod matrix;
mod proxy;
mod routes;
mod sizes;
mod smoke;
mod soak;
mod stack;
mod tier;
mod typed;
mod undisturbed;
mod walks;
