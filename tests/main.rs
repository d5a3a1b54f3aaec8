//! Tests of the whole bundle, in one binary.
//!
//! | module | ring | what |
//! |---|---|---|
//! | `routes` | 2 | events through the real conversion into the handlers, over in-process DynamoDB |
//! | `walks` | 3 | random data, filters, sorts, limits and shards against an in-memory oracle |
//! | `costs` | 3 | round trips, evaluated items and units, counted |

mod contract;
mod costs;
mod direct;
mod random;
mod routes;
mod stack;
mod walks;
