//! Key-based pagination over DynamoDB that never skips and never repeats.
//!
//! DynamoDB pages by key, but leaves the rest to its caller: a page may be empty and not the last, or full and the last; a filter runs
//! after `Limit`; one list over several partitions has no order; a start key in a caller's hands is an open door. This crate is what
//! stands between that and a list that people can walk:
//!
//! - **A plan** ([`Plan`]): conditions and a sort choose the index, the key range, the filters; what the index does not hold is fetched
//!   by key, in order.
//! - **Filled pages, exact ends** ([`run`]): rounds within a [`Budget`], sized by what the filter let through so far; an ordered merge
//!   of N partitions, read side by side; forward and backward at the same cost.
//! - **Sealed cursors** ([`Sealer`]): deterministic, bound to the list and the caller, of bounded size, with expiry and rotation.
//!
//! It knows no HTTP, no Lambda and no SDK: DynamoDB is reached through a trait of two methods, [`Database`]. What an item is, is the
//! implementor's choice: raw JSON, a map of attribute values, a struct.
//!
//! # In use
//!
//! ```
//! use std::{convert::Infallible, num::NonZeroU32};
//! use pagination::*;
//!
//! /// Books by genre and year: HASH genre, RANGE year, bookId.
//! static BOOKS: Table = Table {
//!     key: &["bookId"],
//!     indexes: &[Index {
//!         name: Some("byGenreYear"),
//!         partition: Partition::Attributes(&["genre"]),
//!         sort: "year",
//!         id: "bookId",
//!         projects: Projects::All,
//!     }],
//! };
//!
//! /// Stands for an SDK client, which would pass on the expressions as they are.
//! struct Shelf(Vec<(u32, &'static str)>);
//!
//! impl Database for Shelf {
//!     type Item = &'static str;
//!     type Error = Infallible;
//!
//!     async fn query(&self, query: &Query<'_>) -> Result<Answer<&'static str>, Infallible> {
//!         assert_eq!(query.key_condition, "#k0 = :k0");
//!         let position = |&(year, id): &(u32, &str)| Position { sort: Value::N(year.to_string()), id: Value::S(id.into()) };
//!         let started = query.start.as_ref().map(|start| start[2].1.clone());
//!         let at = self.0.iter().position(|book| Some(position(book).id) == started).map_or(0, |at| at + 1);
//!         let read: Vec<_> = self.0[at..].iter().take(query.limit as usize).collect();
//!         let full = read.len() == query.limit as usize; // DynamoDB does not look whether anything follows
//!         Ok(Answer {
//!             last: read.last().filter(|_| full).map(|book| position(book)),
//!             evaluated: read.len() as u32,
//!             rows: read.iter().map(|book| Row { position: position(book), item: book.1, bytes: 9 }).collect(),
//!         })
//!     }
//!
//!     async fn fetch(&self, _: &Fetch<'_>) -> Result<Vec<Fetched<&'static str>>, Infallible> {
//!         unreachable!("the index holds everything")
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let shelf = Shelf(vec![(1930, "maltese"), (1939, "sleep"), (1940, "lovely")]);
//! let sealer = Sealer::new("a secret of thirty-two characters or more", None)?;
//! let crime = Condition { attribute: "genre", operator: Operator::Equal, value: Value::S("crime".into()) };
//! let oldest = Sort { attribute: "year", order: Order::Ascending };
//! let plan = Plan::new(&BOOKS, &[crime], oldest, ["title"], 1)?;
//! let (two, today) = (NonZeroU32::new(2).unwrap(), 20_000);
//!
//! let page = run(&shelf, &plan, &Start::First, two, &Budget::default()).await?;
//! assert!(page.prev().is_none());
//! let next = sealer.seal(&page.next().unwrap(), &plan, &[b"list-books"], today)?;
//! assert_eq!(page.into_items(), ["maltese", "sleep"]);
//!
//! let cursor = sealer.open(&next, &plan, &[b"list-books"], today)?;
//! let page = run(&shelf, &plan, &Start::At(cursor), two, &Budget::default()).await?;
//! assert!(page.next().is_none(), "an exact end: no empty last page");
//! assert_eq!(page.into_items(), ["lovely"]);
//!
//! assert!(sealer.open(&next, &plan, &[b"another-list"], today).is_err());
//! # Ok(()) }
//! ```
//!
//! # What is not here, and why
//!
//! - Scans and page numbers without bound: their cost grows with the depth. [`Start::Skip`] counts, for people, over a bounded distance.
//! - OR, functions and conditions on nested attributes: a [`Condition`] is what a list's filters need, and what can be checked in advance.
//! - Totals: DynamoDB has none to give without reading everything.
//! - Timeouts and the pauses between repeats: they belong to whoever owns the clock and the client.

mod cursor;
mod merge;
mod page;
mod plan;
mod query;
mod run;
mod table;
mod value;

pub use cursor::{
    CURSOR_DAYS, Cursor, Direction, InvalidCursor, MAX_CURSOR_CHARS, MIN_SECRET_CHARS, Position, PositionTooLong, Sealer, SecretTooShort,
};
pub use page::Page;
pub use plan::{Condition, Operator, Order, Plan, PlanError, Sort};
pub use query::{Answer, Database, Fetch, Fetched, MAX_FETCH, Query, Read, Row};
pub use run::{Budget, RunError, Start, fetch_all, run};
pub use table::{Index, Partition, Projects, Table};
pub use value::Value;
