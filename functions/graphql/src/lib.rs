//! The routes as one GraphQL endpoint: a client that would make three requests makes one.
//!
//! A field of the query is a route, its arguments are the route's parameters, and the fields that a
//! client picks are the route's `fields`. So a query is the requests to the routes that say the
//! same: the same plans, read units, rights, quotas, cursors and errors. docs/GRAPHQL.md describes
//! it for callers.
//!
//! | file | holds |
//! |---|---|
//! | `transport` | a request by GET or POST, and the media type of its answer |
//! | `documents`, `options` | trusted documents; the environment |
//! | `tokens`, `limits` | what is refused before it is parsed, and before it is validated |
//! | `graph`, `arguments`, `names`, `schema` | types and fields, made of the routes' declarations |
//! | `conflicts` | fields of one key that are not the same field |
//! | `picked` | the fields of an operation, fragments put in |
//! | `reads` | the requests to the routes, and their cost |
//! | `refused` | a request that is not run, and its status |
//! | `answer`, `errors` | the data and the errors of an answer |
//! | `endpoint` | all of these, one after the other |
//!
//! This folder holds everything that is GraphQL's. Without it, the lines in Cargo.toml and the
//! function in template.yaml, the rest of the bundle is whole.

mod answer;
mod arguments;
mod conflicts;
mod documents;
mod endpoint;
mod errors;
mod graph;
mod limits;
mod names;
mod options;
mod picked;
mod reads;
mod refused;
mod schema;
mod tokens;
mod transport;

use api::{Interface, InterfacePath, Route};

pub use endpoint::Endpoint;
pub use options::Options;

/// The paths: with a caller, and for everybody.
pub const PATHS: &[InterfacePath] = &[
    InterfacePath { path: "/v1/graphql", authorized: true },
    InterfacePath { path: "/v1/graphql/public", authorized: false },
];

/// Boots and serves these routes until Lambda ends the process.
///
/// # Errors
/// Everything that is missing or wrong in the environment, or an unreachable Lambda runtime API.
pub async fn run(routes: &[&'static Route]) -> Result<(), api::Error> {
    let options = Options::read(|name| std::env::var(name).ok())?;
    let endpoint = Endpoint::new(routes, options)?;
    let interface = Interface::boot("graphql", PATHS, routes).await?;
    interface.serve(async |interface, call| endpoint.answer(interface, call).await).await
}
