//! Tests of the whole bundle, in one binary.
//!
//! | module | ring | what |
//! |---|---|---|
//! | `routes` | 2 | events through the real conversion into the handlers, over in-process DynamoDB |
//! | `walks` | 3 | random data, filters, sorts, limits and shards against an in-memory oracle |
//! | `costs` | 3 | round trips, evaluated items and units, counted |
//! | `sizes` | 3 | large items |
//! | `contract` | 4 | template = routes = events = crates = permissions = environment |
//! | `faults` | 5 | a proxy that throttles, hangs, resets, truncates and lies |

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod contract;
mod costs;
mod direct;
mod faults;
mod proxy;
mod random;
mod routes;
mod sizes;
mod stack;
mod walks;
