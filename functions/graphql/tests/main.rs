//! The endpoint over the fixture bundle, with a database in this process.
//!
//! | module | tests |
//! |---|---|
//! | `queries` | what queries answer |
//! | `transport` | media types, statuses, caches |
//! | `limits` | what is refused, and how fast |
//! | `same` | random queries, and the requests to the routes that say the same |
//! | `published` | `schema.graphql` and the trusted documents of the real bundle |
//! | `smoke` | `cargo dev smoke` against the endpoint, whole and broken in one way |

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod limits;
mod published;
mod queries;
mod same;
mod smoke;
mod stack;
mod transport;
