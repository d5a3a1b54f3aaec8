//! Tests of the whole bundle, in one binary.
//!
//! | module | ring | what |
//! |---|---|---|
//! | `routes` | 2 | events through the real conversion into the handlers, over in-process DynamoDB |
//! | `conditional` | 2 | the truth table of If-None-Match and If-Modified-Since |
//! | `cursors` | 2 | cursors changed, cut, expired, and used for another list |
//! | `hostile` | 2 | hostile events, to the handlers and to the functions' own processes |
//! | `walks` | 3 | random data, filters, sorts, limits and shards against an in-memory oracle |
//! | `costs` | 3 | round trips, evaluated items and units, counted |
//! | `sizes` | 3 | large items |
//! | `contract` | 4 | template = routes = events = crates = permissions = environment |
//! | `typed` | 2 | the official client for more than reads: a write, typed answers, missing bytes |
//! | `faults` | 5 | a proxy that throttles, hangs, resets, truncates and lies |

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod conditional;
mod contract;
mod costs;
mod cursors;
mod direct;
mod faults;
mod hostile;
mod proxy;
mod random;
mod routes;
mod sizes;
mod stack;
mod typed;
mod walks;
