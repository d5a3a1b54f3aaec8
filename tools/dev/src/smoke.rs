//! `cargo dev smoke`: tries a stack from outside, as callers see it.
//!
//! The requests come from the declarations: each makes a function use another permission (a Query
//! of each index, BatchGetItem, a count, expansions, GetItem). Values for paths and filters come
//! from the answers. Then caching, errors, headers and CORS are tried.
//!
//! - `client`: HTTP requests and answers.
//! - `values`: values for paths and filters.
//! - `judge`: what is wrong with an answer.
//! - `report`: the checks and their table.
//! - `run`: the options, and one check at a time.
//! - `route`, `list`, `item`: the requests of a route, of a list and of an item.
//! - `interface`: the requests of an interface over all routes.

mod client;
mod interface;
mod item;
mod judge;
mod list;
mod report;
mod route;
mod run;
mod values;

use crate::bundle::Bundle;
use crate::interface::Interface;
use anyhow::Result;
use client::Ask;
pub use report::{Check, Outcome, Report};
pub use run::Options;
use run::{NOBODY, Run};

/// Tries every route of a bundle, and its interfaces over all routes.
///
/// # Errors
/// If the URL is none, or a route's declaration cannot be planned. A request that fails is a failed
/// check.
pub async fn smoke(bundle: &Bundle, interfaces: &[Interface], options: &Options) -> Result<Report> {
    let mut run = Run::new(options, bundle.read_any_scope())?;
    // A list first, because its items have the values of other paths.
    let mut left: Vec<_> = bundle.routes.to_vec();
    left.sort_by_key(|route| !route.is_list());
    while !left.is_empty() {
        let ready = left.iter().position(|route| run.path(route).is_ok()).unwrap_or(0);
        run.route(left.remove(ready)).await?;
    }
    for interface in interfaces {
        run.interface(interface, bundle.routes).await;
    }
    let missing = Ask::get(format!("/{NOBODY}"));
    run.check("a path that is none", missing, |answer| judge::refusal(answer, 404)).await;
    if let Some(route) = bundle.routes.first() {
        let path = run.path(route).unwrap_or_else(|_| route.path.to_owned());
        run.preflight("preflight".to_owned(), &path, "GET", &["authorization"]).await;
    }
    Ok(run.report)
}
