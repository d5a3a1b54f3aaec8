//! Turns a Lambda event into a reply, so that a route is a declaration and not a copy of the same
//! code.
//!
//! This crate is the only one that knows Lambda events, the HTTP interface and the DynamoDB client.
//! A route declares what it is, as data ([`Route`], [`Resource`]):
//!
//! ```no_run
//! use api::*;
//!
//! static THINGS: Resource = Resource {
//!     name: "things",
//!     table_variable: "THINGS_TABLE",
//!     table: Table {
//!         key: &["thingId"],
//!         indexes: &[Index {
//!             name: Some("byKindSize"),
//!             partition: Partition::Attributes(&["kind"]),
//!             range: &["size", "thingId"],
//!             projects: Projects::All,
//!         }],
//!     },
//!     fixed: &[],
//!     fields: &[
//!         Field { name: "thingId", kind: Kind::Text, about: "The thing's id." },
//!         Field { name: "size", kind: Kind::Number, about: "How big it is." },
//!     ],
//!     summary: &["thingId", "size"],
//!     modified: None,
//!     policy: Policy::PUBLIC_READ_MOSTLY,
//! };
//! static LIST_THINGS: Route = Route {
//!     name: "list-things",
//!     path: "/v1/things",
//!     about: "List things of a kind, the biggest first.",
//!     resource: &THINGS,
//!     access: Access::Public,
//!     quota: Quota::None,
//!     shape: Shape::List(List {
//!         filters: &[Filter { parameter: "kind", field: "kind", accepts: Accepts::Text, about: "Things of this kind." }],
//!         sorts: &[SortOption { name: "size", field: "size", order: Order::Descending, about: "the biggest first" }],
//!         expansions: &[],
//!         limits: Limits::USUAL,
//!     }),
//! };
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Error> {
//!     run(&LIST_THINGS).await
//! }
//! ```
//!
//! [`run`] boots and serves with [`answer`], the default handler. A custom handler calls the same
//! steps itself and is passed to [`App::serve`]; see `examples/custom_handler.rs`.
//!
//! Parameters are checked once, before any read, and all errors are reported together
//! ([`ParameterError`]). Every failure is one enum ([`ProblemKind`]) and one body (RFC 9457). The
//! cost of a request is in one log line and in the `Server-Timing` header.

#[cfg(all(feature = "local-tokens", not(debug_assertions)))]
compile_error!(
    "`local-tokens` accepts unsigned tokens: it is for `cargo dev` and debug builds only"
);

mod app;
mod boot;
mod config;
mod dynamodb;
mod handler;
mod http;
mod interface;
mod limits;
mod log;
mod meter;
mod mistakes;
mod route;
mod serve;
mod stored;
mod tier;
mod timestamp;

pub use app::{App, AppShape, ItemApp, ListApp};
pub use boot::{boot, run};
pub use config::{BootError, Config, LimitsConfig};
pub use dynamodb::{Client, Item, ReadError, Reader};
pub use handler::{
    Expanded, FoundItem, ItemRequest, ListPage, ListPlan, ListRequest, Listed, ListedItem, answer,
    parameter_names,
};
pub use http::{Answer, Call, InterfacePath};
pub use http::{
    EdgeSecret, ParameterError, Principal, Problem, ProblemKind, Reply, Request, excerpt,
};
pub use interface::Interface;
pub use lambda_http::lambda_runtime::Error;
pub use meter::Meter;
pub use mistakes::mistakes;
pub use route::*;
pub use tier::{CacheUrl, InvalidCacheUrl};
