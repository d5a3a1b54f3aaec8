//! DynamoDB through the official client: [`Client`] makes the calls, [`Reader`] reads a resource's
//! table within one request.
//!
//! The client signs, retries and finds its endpoint as the AWS SDK always does. One thing is
//! different: the answers to Query, GetItem and BatchGetItem are not turned into maps of attribute
//! values. [`http_client`] keeps their bytes, [`answer`](crate::dynamodb::answer) reads them once,
//! and each item becomes JSON in the same pass. A call made outside of [`http_client::body_of`] is
//! typed, as in any program that uses the SDK.
//!
//! Nothing in this folder knows HTTP requests to the API, routes or handlers.

pub(crate) mod answer;
mod client;
mod environment;
mod error;
mod http_client;
mod question;
mod reader;

pub use answer::Item;
pub use client::Client;
pub use error::ReadError;
pub use reader::Reader;
