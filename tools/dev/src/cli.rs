//! The command line: parse, run, one line on stderr if it fails.
//!
//! - `local`: the running stack: up, token, invoke, docs.
//! - `data`: rows of local or real tables: load, audit.
//! - `routes`: what the routes answer: explain, cost, smoke, openapi.
//! - `scaffold`: changes of the bundle: new, remove.
//! - `tables`: the options that say which tables are meant.

mod data;
mod local;
mod routes;
mod scaffold;
mod tables;

use crate::{process, runtime};
use anyhow::Result;
use clap::{Parser, Subcommand};
use data::{Audit, Load};
use local::{Docs, Invoke, Token, Up};
use routes::{Cost, Explain, Openapi, Smoke};
use scaffold::{New, Remove};
use std::ffi::OsString;
use std::process::ExitCode;

/// The local stack of this bundle, its data and its tokens.
#[derive(Debug, Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything here: DynamoDB, tables from template.yaml, data, and the functions under
    /// cargo lambda watch
    Up(Up),
    /// Load JSON Lines into local or real tables
    ///
    /// Every row is checked; those that no list or no reader could use are reported by line,
    /// written to a rejects file, and make the exit code 1. The others are loaded. Loading twice
    /// gives the same table.
    Load(Load),
    /// Print a token that only a local build accepts
    Token(Token),
    /// Send an event from events/ to a function of the running stack, and print its response
    ///
    /// The exit code is 1 if no stack runs, or the function fails or answers with 500 or more.
    Invoke(Invoke),
    /// Show how a request would be read: index, conditions, projection, rounds and read units;
    /// reads nothing
    ///
    /// The exit code is 1 if the request would be answered with a problem, which is printed.
    Explain(Explain),
    /// Print what a million requests of each route cost, with the arithmetic, measured over the
    /// sample data
    Cost(Cost),
    /// Try a deployed stack: one request for each permission of its functions, then caching, errors
    /// and headers
    ///
    /// A check that cannot be made is printed with the reason. The exit code is 1 if one failed.
    Smoke(Smoke),
    /// Find rows that no list would find (reads whole tables)
    Audit(Audit),
    /// Write a resource or a route in every place
    #[command(subcommand)]
    New(New),
    /// Remove parts of the bundle
    #[command(subcommand)]
    Remove(Remove),
    /// Write openapi.json from the declarations of shared/model and shared/api
    Openapi(Openapi),
    /// Serve the API reference on localhost, to read and to try against `cargo dev up`
    Docs(Docs),
    /// Run a program that ends with its parent
    #[command(name = process::BOUND, hide = true)]
    Bound {
        parent: u32,
        program: OsString,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Measure the functions next to their peers; docs/bench/README.md says how
    #[command(disable_help_flag = true)]
    Bench {
        /// Arguments of the benchmark: `cargo dev bench --help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

/// Runs `cargo dev` with the arguments of this process.
pub fn run() -> ExitCode {
    runtime::run(command(Cli::parse().command))
}

async fn command(command: Command) -> Result<ExitCode> {
    match command {
        Command::Up(up) => up.run().await,
        Command::Load(load) => load.run().await,
        Command::Token(token) => token.run().await,
        Command::Invoke(invoke) => invoke.run().await,
        Command::Explain(explain) => explain.run(),
        Command::Cost(cost) => cost.run().await,
        Command::Smoke(smoke) => smoke.run().await,
        Command::Audit(audit) => audit.run().await,
        Command::New(new) => new.run().await.map(|()| ExitCode::SUCCESS),
        Command::Remove(remove) => remove.run().await.map(|()| ExitCode::SUCCESS),
        Command::Openapi(openapi) => openapi.run(),
        Command::Docs(docs) => docs.run().await,
        Command::Bound { parent, program, arguments } => {
            Err(process::replace_bound(parent, &program, &arguments))
        }
        Command::Bench { arguments } => Err(process::replace_by_package("bench", &arguments)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
        assert!(Cli::try_parse_from(["cargo dev", "token", "--sub", ""]).is_err());
        assert!(Cli::try_parse_from(["cargo dev", "audit", "--shards", "0"]).is_err());
        assert!(Cli::try_parse_from(["cargo dev", "audit", "--shards", "17"]).is_err());
        let bench = Cli::try_parse_from([
            "cargo dev",
            "bench",
            "profile",
            "--lines",
            "5",
            "--help",
            "--",
            "-x",
        ])
        .unwrap();
        assert!(
            matches!(bench.command, Command::Bench { arguments } if arguments == ["profile", "--lines", "5", "--help", "--", "-x"])
        );
        assert!(
            Cli::try_parse_from(["cargo dev", "new", "route", "x", "--resource", "y", "--one"])
                .is_err(),
            "public or owner"
        );
        assert!(
            Cli::try_parse_from([
                "cargo dev",
                "new",
                "route",
                "x",
                "--resource",
                "y",
                "--public",
                "--one",
                "--list"
            ])
            .is_err()
        );
        let up = Cli::try_parse_from(["cargo dev", "up", "--once", "--load", "x"]).unwrap();
        assert!(matches!(
            up.command,
            Command::Up(Up { once: true, port: 9000, dynamodb_port: 8000, .. })
        ));
    }
}
