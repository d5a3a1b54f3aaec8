//! Key-based pagination over DynamoDB that never skips and never repeats an item.
//!
//! DynamoDB pages by key and leaves the rest to its caller. A page may be empty and not the last,
//! or full and the last. A filter runs after `Limit`. A list over several partitions has no order.
//! A start key that callers hold lets them read what they should not. This crate turns that into
//! lists that people can page through:
//!
//! - **A plan** ([`Plan`]): conditions and a sort choose the index, the key range and the filters.
//!   Attributes that the index does not hold are read from the table by key, in order.
//! - **Filled pages with exact ends** ([`run`]): rounds of Queries within a [`Budget`], sized by
//!   what the filter let through so far; an ordered merge of N partitions that are read
//!   concurrently; forward and backward at the same cost.
//! - **Sealed cursors** ([`Sealer`]): encrypted, deterministic, bound to the list and its caller,
//!   at most [`MAX_CURSOR_CHARS`] long, with expiry and rotation of secrets.
//!
//! It knows no HTTP and no Lambda. DynamoDB is reached through a trait of two methods, [`Source`].
//! The feature `aws-sdk` has one over the official SDK's client: `aws_sdk::SdkSource`.
//!
//! # Example
//!
//! Two books a page, the oldest first. The README has this as a whole program.
//!
//! ```
//! # #[cfg(feature = "aws-sdk")] mod example {
//! use std::{error::Error, num::NonZeroU32};
//!
//! use aws_sdk_dynamodb::Client;
//! use pagination::{aws_sdk::{Item, SdkSource}, *};
//!
//! /// Its index has the key HASH genre, RANGE (year, bookId).
//! static BOOKS: Table = Table {
//!     key: &["bookId"],
//!     indexes: &[Index {
//!         name: Some("byGenreYear"),
//!         partition: Partition::Attributes(&["genre"]),
//!         range: &["year", "bookId"],
//!         projects: Projects::Attributes(&["title"]),
//!     }],
//! };
//!
//! async fn list_books(client: Client, sealer: &Sealer, cursor: Option<&str>) -> Result<(Vec<Item>, Option<String>), Box<dyn Error>> {
//!     // Pure: the index, the key range, the filters.
//!     let crime = Condition::equal("genre", Value::S("crime".into()));
//!     let plan = Plan::new(&BOOKS, &[crime], Sort::ascending("year"), ["title"], 1)?;
//!
//!     let start = match cursor {
//!         Some(text) => Start::At(sealer.open(text, &plan, &[b"list-books"])?),
//!         None => Start::First,
//!     };
//!     let limit = NonZeroU32::new(2).ok_or("a limit is at least 1")?;
//!     // Usually one Query.
//!     let page = run(&SdkSource::new(client, "books"), &plan, &start, limit, &Budget::default()).await?;
//!     let next = page.next().map(|cursor| sealer.seal(&cursor, &plan, &[b"list-books"])).transpose()?;
//!     Ok((page.into_items(), next))
//! }
//! # }
//! ```
//!
//! [`Source`] has an example that reads from memory, and runs as a test.
//!
//! # What is not here, and why
//!
//! - Scans and page numbers without a bound: their cost grows with the depth. [`Start::Skip`]
//!   counts items over a bounded distance.
//! - OR, functions and conditions on nested attributes: a [`Condition`] is what the filters of a
//!   list need, and can be checked in advance.
//! - Totals: DynamoDB has none without reading everything.
//! - Timeouts of calls: they belong to the client.

#[cfg(feature = "aws-sdk")]
pub mod aws_sdk;
mod budget;
mod condition;
mod cursor;
mod fetch;
mod merge;
mod page;
mod plan;
mod range;
mod run;
mod sealer;
mod source;
mod table;
mod value;

pub use budget::Budget;
pub use condition::{Condition, Order, Predicate, Sort};
pub use cursor::{Cursor, Direction, Position};
pub use fetch::{MAX_FETCHES_AT_ONCE, Unread, fetch_all, first_unread};
pub use page::Page;
pub use plan::{MAX_PARTITIONS, Plan, PlanError};
pub use run::{MAX_QUERIES_AT_ONCE, RunError, Start, run};
pub use sealer::{
    CURSOR_DAYS, InvalidCursor, MAX_CURSOR_CHARS, MAX_POSITION_BYTES, MIN_SECRET_CHARS,
    PositionTooLong, Sealer, SecretTooShort,
};
pub use source::{Answer, Fetch, Fetched, MAX_FETCH, Query, Read, Row, Source};
pub use table::{Index, Partition, Projects, Table};
pub use value::Value;
