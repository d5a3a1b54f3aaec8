//! `cargo dev bench`: the cost of a request, compared with common alternatives on the same data
//! with the same answer.
//!
//! Every candidate is started as Lambda starts it, against a mock of the Runtime API and a TLS 1.3
//! endpoint that speaks DynamoDB. docs/bench/README.md describes the method.
//!
//! A crate of its own, so that the first `cargo dev up` does not compile it: `cargo dev bench`
//! starts it with cargo.

mod candidate;
mod case_study;
mod depth;
mod endpoint;
mod event;
mod graphql;
mod http;
mod measure;
mod plot;
mod profile;
mod quota;
mod redis;
mod report;
mod run;
mod runtime_api;
mod scenario;
mod scene;
mod session;
mod stats;
mod surroundings;
mod tier;
mod tls;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    dev::runtime::run(run::bench(run::Options::parse()))
}
