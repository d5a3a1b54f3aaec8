//! The measured programs: this bundle's functions and the peers of tools/bench/peers, built as for
//! a deployment.
//!
//! - `kind`: the routes and the kinds of programs.
//! - `program`: a program that has been built: how it is started, and its size.
//! - `build`: the builds.
//! - `environment`: the environment in which it runs.

mod build;
mod environment;
mod kind;
mod program;

pub(crate) use build::on_path;
pub(crate) use kind::{Kind, PEERS, Route};
pub(crate) use program::Candidate;
