//! The measured programs: this bundle's functions and the peers of tools/bench/peers, built as for
//! a deployment.
//!
//! - `implementation`: the routes, and the programs that are compared.
//! - `program`: a program that has been built: how it is started, and its size.
//! - `build`: the builds.
//! - `environment`: the environment in which it runs.

mod build;
mod environment;
mod implementation;
mod program;

pub(crate) use build::on_path;
pub(crate) use implementation::{Implementation, PEERS, Route};
pub(crate) use program::Candidate;
