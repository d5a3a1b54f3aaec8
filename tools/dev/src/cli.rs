//! The command line: parse, run, one line on stderr if it fails.

use crate::client::Target;
use crate::load::{self, Destination};
use crate::log::Format;
use crate::stack::{self, Stack};
use crate::template::Template;
use crate::{audit, docs, invoke, openapi, process, runtime, token, up};
use anyhow::{Context as _, Result, anyhow};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// The local stack of this bundle, its data and its tokens.
#[derive(Debug, Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything here: DynamoDB, tables from template.yaml, data, and the functions under cargo lambda watch
    Up(Up),
    /// Load JSON Lines into local or real tables
    ///
    /// Every row is checked; those that no list or no reader could use are reported by line, written to a rejects
    /// file, and make the exit code 1. The others are loaded. Loading twice gives the same table.
    Load(Load),
    /// Print a token that only a local build accepts
    Token(Token),
    /// Send an event from events/ to a function of the running stack, and print its response
    ///
    /// The exit code is 1 if no stack runs, or the function fails or answers with 500 or more.
    Invoke(Invoke),
    /// Find products that no list would find (reads the whole table)
    Audit(Audit),
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
struct Shards {
    /// Partitions of the whole catalogue: the CATALOG_SHARDS of the functions
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(load::MAX_SHARDS)), value_name = "N")]
    shards: u32,
}

#[derive(Debug, Args)]
#[command(after_help = "The local database is meant unless --region or --profile is given: AWS_PROFILE alone does not change that. \
                        With one of them, the rest (credentials, region) comes from the AWS configuration as in other tools: \
                        environment, profiles, SSO, credential_process, containers.")]
struct At {
    /// The database's address [default: that of the `cargo dev up` that runs, else http://127.0.0.1:8000]
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
    /// Real tables in this AWS region
    #[arg(long)]
    region: Option<String>,
    /// Real tables, with the credentials of this profile of the AWS configuration files
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Name of the real products table (template.yaml's outputs have it)
    #[arg(long, value_name = "NAME")]
    products_table: Option<String>,
}

impl At {
    fn target(&self) -> Result<Target> {
        let local = self.endpoint_url.is_none() && self.region.is_none() && self.profile.is_none();
        let endpoint = if local { Stack::running().map(|stack| stack.endpoint()) } else { self.endpoint_url.clone() };
        Target::choose(endpoint, self.region.clone(), self.profile.clone())
    }
}

#[derive(Debug, Args)]
struct Load {
    /// A folder with products.jsonl, users.jsonl or orders.jsonl, or one such file
    #[arg(value_name = "DIR|FILE")]
    path: PathBuf,
    #[command(flatten)]
    at: At,
    /// Name of the real users table
    #[arg(long, value_name = "NAME")]
    users_table: Option<String>,
    /// Name of the real orders table
    #[arg(long, value_name = "NAME")]
    orders_table: Option<String>,
    #[command(flatten)]
    shards: Shards,
    /// Folder for the rows that were not loaded, as NAME.rejects.jsonl [default: target/rejects]
    #[arg(long, value_name = "DIR")]
    rejects: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Token {
    /// The subject: a user id, as u-1
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    sub: String,
    /// Scopes, separated by spaces, as lean-routes/users:read
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
        self.stack_port.or_else(|| Stack::running().map(|stack| stack.port)).unwrap_or(stack::FUNCTIONS_PORT)
    }
}

#[derive(Debug, Args)]
struct Invoke {
    /// The function, as get-user
    function: String,
    /// The event: `plain` is events/FUNCTION.plain.json; or the path of a JSON file
    #[arg(value_name = "CASE|FILE")]
    event: String,
    #[command(flatten)]
    stack: StackPort,
}

#[derive(Debug, Args)]
struct Docs {
    /// Port of the page
    #[arg(long, default_value_t = 9100)]
    port: u16,
    #[command(flatten)]
    stack: StackPort,
    /// The subject of the token that the page begins with
    #[arg(long, default_value = "u-1", value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    sub: String,
}

/// Runs `cargo dev` with the arguments of this process.
pub fn run() -> ExitCode {
    runtime::run(command(Cli::parse().command))
}

async fn command(command: Command) -> Result<ExitCode> {
    match command {
        Command::Up(Up { port, dynamodb_port, dynamodb_host, load, data, shards: Shards { shards }, once, log }) => {
            let options = up::Options { port, dynamodb_port, dynamodb_host, load, data, shards, once, log };
            up::up(&options).await.map(|()| ExitCode::SUCCESS)
        }
        Command::Load(options) => load(options).await,
        Command::Token(Token { sub, scope }) => {
            println!("{}", token::token(&sub, scope.as_deref()));
            Ok(ExitCode::SUCCESS)
        }
        Command::Audit(options) => audit(options).await,
        Command::Openapi(Openapi { check }) => openapi::write(check).map(|()| ExitCode::SUCCESS),
        Command::Docs(Docs { port, stack, sub }) => {
            docs::docs(docs::Options { port, stack_port: stack.port(), sub }).await.map(|()| ExitCode::SUCCESS)
        }
        Command::Invoke(Invoke { function, event, stack }) => {
            let outcome = invoke::invoke(&function, &event, stack.port()).await?;
            print!("{}", outcome.text);
            Ok(if outcome.succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Bound { parent, program, arguments } => Err(process::replace_bound(parent, &program, &arguments)),
        Command::Bench { arguments } => Err(process::replace_by_package("bench", &arguments)),
    }
}

async fn load(options: Load) -> Result<ExitCode> {
    let Load { path, at, users_table, orders_table, shards: Shards { shards }, rejects } = options;
    let template = Template::of_workspace()?;
    let files = load::files(&path, &template)?;
    let target = at.target()?;
    // All names are checked before the first row is written, so that a missing flag does not end a load half way.
    let mut plan = Vec::new();
    for (file, table) in files {
        let given = match table.local_name.as_str() {
            "products" => at.products_table.clone(),
            "users" => users_table.clone(),
            "orders" => orders_table.clone(),
            _ => None,
        };
        plan.push((file, table, name(given, &table.local_name, &target)?));
    }
    let client = target.connect().await?;
    let (begin, mut loaded, mut units, mut rejected) = (Instant::now(), 0, 0.0, 0);
    for (file, table, name) in &plan {
        let to = Destination { client: &client, table, name, shards };
        let report = load::file(to, file, &up::rejects(rejects.as_deref(), file)).await?;
        println!("{report}");
        (loaded, units, rejected) = (loaded + report.loaded, units + report.units, rejected + report.rejected);
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!("{loaded} rows in {seconds:.1} s, {units:.0} write units, {rejected} rejected: {}", target.shown(&client));
    Ok(if rejected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn audit(options: Audit) -> Result<ExitCode> {
    let Audit { at, shards: Shards { shards } } = options;
    let template = Template::of_workspace()?;
    let table = template.table("products").context("template.yaml has no ProductsTable")?;
    let target = at.target()?;
    let name = name(at.products_table, &table.local_name, &target)?;
    let found = audit::audit(&target.connect().await?, table, &name, shards).await?;
    for lost in &found.lost {
        println!("{}: {}", lost.id, lost.reasons.join("; "));
    }
    println!("{} of {} products would be missing from lists ({:.1} read units)", found.lost.len(), found.read, found.units);
    Ok(if found.lost.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns a table's name: the given one, else the local one. A real table must be named.
fn name(given: Option<String>, local: &str, target: &Target) -> Result<String> {
    match given {
        Some(name) => Ok(name),
        None if target.is_local() => Ok(local.to_owned()),
        None => Err(anyhow!("--{local}-table is required: the outputs of the deployed stack have the table's name")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
        assert!(Cli::try_parse_from(["cargo dev", "token"]).is_err());
        assert!(Cli::try_parse_from(["cargo dev", "token", "--sub", ""]).is_err());
        assert!(Cli::try_parse_from(["cargo dev", "audit", "--shards", "0"]).is_err());
        assert!(Cli::try_parse_from(["cargo dev", "audit", "--shards", "17"]).is_err());
        let bench = Cli::try_parse_from(["cargo dev", "bench", "profile", "--lines", "5", "--help", "--", "-x"]).unwrap();
        assert!(matches!(bench.command, Command::Bench { arguments } if arguments == ["profile", "--lines", "5", "--help", "--", "-x"]));
        let up = Cli::try_parse_from(["cargo dev", "up", "--once", "--load", "x"]).unwrap();
        assert!(matches!(up.command, Command::Up(Up { once: true, port: 9000, dynamodb_port: 8000, .. })));
    }

    #[test]
    fn a_real_table_must_be_named() {
        let real = Target::choose(None, Some("eu-west-1".to_owned()), None).unwrap();
        let error = name(None, "orders", &real).unwrap_err().to_string();
        assert!(error.contains("--orders-table"), "{error}");
    }
}
