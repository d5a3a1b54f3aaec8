//! The command line: parse, run, one line on stderr if it fails.

mod scaffold;
mod tables;

use crate::bundle::Bundle;
use crate::load::{self, Destination};
use crate::log::Format;
use crate::sample::Sample;
use crate::stack::{self, Stack};
use crate::{
    audit, cost, docs, explain, invoke, openapi, process, rows, runtime, smoke, token, up,
};
use anyhow::Result;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand};
use scaffold::{New, Remove};
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use tables::{At, Shards};

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
    Cost,
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

#[derive(Debug, Args)]
struct Up {
    /// Port of the functions
    #[arg(long, default_value_t = stack::FUNCTIONS_PORT)]
    port: u16,
    /// Port of DynamoDB
    #[arg(long, default_value_t = stack::DYNAMODB_PORT)]
    dynamodb_port: u16,
    /// Address that DynamoDB listens on; 0.0.0.0 lets the containers of `sam local` reach it
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    dynamodb_host: IpAddr,
    /// Load this folder or file in place of the sample data
    #[arg(long, value_name = "DIR")]
    load: Option<PathBuf>,
    /// Keep the tables in this folder; in memory if left out
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    shards: Shards,
    /// Make the banner's requests, print the answers and end; exit code 0 only if all are 200
    #[arg(long)]
    once: bool,
    /// How requests are logged
    #[arg(long, value_enum, default_value_t = Format::Text)]
    log: Format,
}

#[derive(Debug, Args)]
struct Load {
    /// A folder with RESOURCE.jsonl files, or one such file
    #[arg(value_name = "DIR|FILE")]
    path: PathBuf,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    shards: Shards,
    /// Only check the rows: connect to no database and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Folder for the rows that were not loaded, as NAME.rejects.jsonl [default: target/rejects]
    #[arg(long, value_name = "DIR")]
    rejects: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Token {
    /// The subject: the id of a caller
    /// [default: one that is in the running stack's tables, else in samples/]
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    sub: Option<String>,
    /// Scopes, separated by spaces
    #[arg(long)]
    scope: Option<String>,
}

#[derive(Debug, Args)]
struct Audit {
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    shards: Shards,
}

#[derive(Debug, Args)]
struct Openapi {
    /// Only compare: exit code 1 if the file is not what would be written
    #[arg(long)]
    check: bool,
}

#[derive(Debug, Args)]
struct StackPort {
    /// Port of the functions [default: that of the `cargo dev up` that runs, else 9000]
    #[arg(long, value_name = "PORT")]
    stack_port: Option<u16>,
}

impl StackPort {
    fn port(&self) -> u16 {
        self.stack_port
            .or_else(|| Stack::running().map(|stack| stack.port))
            .unwrap_or(stack::FUNCTIONS_PORT)
    }
}

#[derive(Debug, Args)]
struct Invoke {
    /// The function: the name of its crate
    function: String,
    /// The event: `plain` is events/FUNCTION.plain.json; or the path of a JSON file
    #[arg(value_name = "CASE|FILE")]
    event: String,
    #[command(flatten)]
    stack: StackPort,
}

#[derive(Debug, Args)]
struct Explain {
    /// The request, such as 'GET /v1/things?limit=5'
    request: String,
    /// The id of the caller, for routes that are not public
    #[arg(long, value_name = "ID", default_value = "caller-1", value_parser = NonEmptyStringValueParser::new())]
    sub: String,
    #[command(flatten)]
    shards: Shards,
}

#[derive(Debug, Args)]
struct Smoke {
    /// The address of the API: the stack's output ApiUrl
    #[arg(long)]
    url: String,
    /// An access token; without it only what needs none is tried
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    token: Option<String>,
    /// An origin that the stack allows; without it CORS is not tried
    #[arg(long)]
    origin: Option<String>,
    /// A value of a path parameter or a filter's field that no list shows
    #[arg(long = "id", value_name = "NAME=VALUE", value_parser = name_and_value)]
    ids: Vec<(String, String)>,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[derive(Debug, Args)]
struct Docs {
    /// Port of the page
    #[arg(long, default_value_t = 9100)]
    port: u16,
    #[command(flatten)]
    stack: StackPort,
    /// The subject of the token that the page begins with [default: as of `cargo dev token`]
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    sub: Option<String>,
}

/// Runs `cargo dev` with the arguments of this process.
pub fn run() -> ExitCode {
    runtime::run(command(Cli::parse().command))
}

async fn command(command: Command) -> Result<ExitCode> {
    match command {
        Command::Up(Up {
            port,
            dynamodb_port,
            dynamodb_host,
            load,
            data,
            shards: Shards { shards },
            once,
            log,
        }) => {
            let options =
                up::Options { port, dynamodb_port, dynamodb_host, load, data, shards, once, log };
            up::up(&options).await.map(|()| ExitCode::SUCCESS)
        }
        Command::Load(options) => load(options).await,
        Command::Token(Token { sub, scope }) => {
            println!("{}", token::token(&subject(sub).await?, scope.as_deref()));
            Ok(ExitCode::SUCCESS)
        }
        Command::Audit(options) => audit(options).await,
        Command::Explain(Explain { request, sub, shards: Shards { shards } }) => {
            let explained = explain::explain(
                &Bundle::of_workspace()?,
                &Sample::of_workspace()?,
                &request,
                &sub,
                shards,
            )?;
            print!("{}", explained.text);
            Ok(if explained.is_plan { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Cost => {
            let bundle = Bundle::of_workspace()?;
            let measured = cost::measure(&bundle, &Sample::of_workspace()?).await?;
            print!("{}", cost::text(&measured, cost::memory(&bundle)?));
            Ok(ExitCode::SUCCESS)
        }
        Command::Smoke(Smoke { url, token, origin, ids }) => {
            let report =
                smoke::smoke(&Bundle::of_workspace()?, &smoke::Options { url, token, origin, ids })
                    .await?;
            print!("{report}");
            Ok(if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::New(new) => new.run().await.map(|()| ExitCode::SUCCESS),
        Command::Remove(remove) => remove.run().await.map(|()| ExitCode::SUCCESS),
        Command::Openapi(Openapi { check }) => openapi::write(check).map(|()| ExitCode::SUCCESS),
        Command::Docs(Docs { port, stack, sub }) => {
            let options =
                docs::Options { port, stack_port: stack.port(), sub: subject(sub).await? };
            docs::docs(options).await.map(|()| ExitCode::SUCCESS)
        }
        Command::Invoke(Invoke { function, event, stack }) => {
            let outcome = invoke::invoke(&function, &event, stack.port()).await?;
            print!("{}", outcome.text);
            Ok(if outcome.succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Bound { parent, program, arguments } => {
            Err(process::replace_bound(parent, &program, &arguments))
        }
        Command::Bench { arguments } => Err(process::replace_by_package("bench", &arguments)),
    }
}

/// Returns the given subject, else a caller that is there.
async fn subject(given: Option<String>) -> Result<String> {
    match given {
        Some(subject) => Ok(subject),
        None => rows::caller().await,
    }
}

async fn load(options: Load) -> Result<ExitCode> {
    let Load { path, at, shards: Shards { shards }, dry_run, rejects } = options;
    let bundle = Bundle::of_workspace()?;
    let mut files = load::files(&path, &bundle)?;
    files.retain(|(_, of)| at.picks(of.resource.name));
    let target = at.target()?;
    // All names are checked before the first row is written, so that a missing option does not end
    // a load half way.
    let resources: Vec<_> = files.iter().map(|(_, of)| of.resource.name).collect();
    let names = if dry_run {
        vec![String::new(); files.len()]
    } else {
        at.names(&bundle, &resources, &target)?
    };
    let client = if dry_run { None } else { Some(target.connect().await?) };
    let (begin, mut loaded, mut units, mut rejected) = (Instant::now(), 0, 0.0, 0);
    for ((file, of), name) in files.iter().zip(&names) {
        let to = Destination { client: client.as_ref(), of: *of, name, shards };
        let report = load::file(to, file, &up::rejects(rejects.as_deref(), file)).await?;
        if client.is_some() {
            println!("{report}");
        }
        (loaded, units, rejected) =
            (loaded + report.loaded, units + report.units, rejected + report.rejected);
    }
    let seconds = begin.elapsed().as_secs_f64();
    match client {
        Some(client) => println!(
            "{loaded} rows in {seconds:.1} s, {units:.0} write units, {rejected} rejected: {}",
            target.shown(&client)
        ),
        None => println!(
            "{loaded} rows can be loaded, {rejected} would be rejected; nothing was written"
        ),
    }
    Ok(if rejected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn audit(options: Audit) -> Result<ExitCode> {
    let Audit { at, shards: Shards { shards } } = options;
    let bundle = Bundle::of_workspace()?;
    let target = at.target()?;
    let (listed, others): (Vec<_>, Vec<_>) = bundle
        .stored()?
        .into_iter()
        .filter(|of| at.picks(of.resource.name))
        .partition(|of| of.resource.table.indexes.iter().any(|index| index.name.is_some()));
    let names =
        at.names(&bundle, &listed.iter().map(|of| of.resource.name).collect::<Vec<_>>(), &target)?;
    let client = target.connect().await?;
    for of in others {
        println!(
            "{}: not read, because the table has no index that could lack a row",
            of.resource.name
        );
    }
    let mut lost = 0;
    for (of, name) in listed.iter().zip(&names) {
        let found = audit::audit(&client, *of, name, shards).await?;
        let resource = of.resource.name;
        for row in &found.lost {
            println!("{resource} {}: {}", row.id, row.reasons.join("; "));
        }
        println!(
            "{resource}: {} of {} rows would be missing from lists ({:.1} read units)",
            found.lost.len(),
            found.read,
            found.units
        );
        lost += found.lost.len();
    }
    Ok(if lost == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
