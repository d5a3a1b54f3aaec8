//! From a Lambda event to a reply, and everything that a route would otherwise write again.
//!
//! This crate is the only one that knows Lambda events, the HTTP face and the DynamoDB client. A route declares what it is, as data
//! ([`Route`], [`Resource`]), and handles a request in four verbs:
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
//!             sort: "size",
//!             id: "thingId",
//!             projects: Projects::All,
//!         }],
//!     },
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
//!     shape: Shape::List(List {
//!         filters: &[Filter { parameter: "kind", attribute: "kind", accepts: Accepts::Text, about: "Things of this kind." }],
//!         sorts: &[SortOption { name: "size", attribute: "size", order: Order::Descending, about: "the biggest first" }],
//!         expansions: &[],
//!     }),
//! };
//!
//! async fn list_things(app: &App, request: &Request) -> Result<Reply, Problem> {
//!     let asked = ListRequest::parse(app, request)?;
//!     let plan = asked.plan(app)?;
//!     let page = plan.run(app, request).await?;
//!     page.reply(app)
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Error> {
//!     boot(&LIST_THINGS).await?.serve(list_things).await
//! }
//! ```
//!
//! What a caller may send is decided once, at the edge, and told at once ([`ParameterError`]); what may go wrong becomes one enum
//! ([`ProblemKind`]) and one body (RFC 9457); what was spent stands in one log line and the `Server-Timing` header.

#[cfg(all(feature = "local-tokens", not(debug_assertions)))]
compile_error!("`local-tokens` accepts unsigned tokens: it is for `cargo dev` and debug builds only");

mod app;
mod boot;
mod config;
mod dynamodb;
mod event;
mod expand;
mod item;
mod list;
mod log;
mod meter;
mod parameters;
mod principal;
mod problem;
mod query;
mod reply;
mod request;
mod route;
mod timestamp;
mod wire;

pub use app::App;
pub use boot::boot;
pub use config::{BootError, Config};
pub use dynamodb::{Client, ReadError, Reader};
pub use item::{FoundItem, ItemRequest};
pub use lambda_http::lambda_runtime::Error;
pub use list::{ListPage, ListPlan, ListRequest, parameter_names};
pub use meter::Meter;
pub use principal::Principal;
pub use problem::{ParameterError, Problem, ProblemKind};
pub use reply::Reply;
pub use request::Request;
pub use route::*;
pub use wire::Item;
