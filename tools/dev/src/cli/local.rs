//! The commands of the local stack: `up`, and those that find it while it runs.

use super::tables::Shards;
use crate::cache::Choice;
use crate::log::Format;
use crate::stack::{self, Stack};
use crate::{docs, invoke, rows, terminal, token, up};
use anyhow::Result;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct Up {
    /// Port of the functions
    #[arg(long, default_value_t = stack::FUNCTIONS_PORT)]
    pub(super) port: u16,
    /// Port of DynamoDB
    #[arg(long, default_value_t = stack::DYNAMODB_PORT)]
    pub(super) dynamodb_port: u16,
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
    /// Quota of each caller of a private route, in units and a window of seconds; none if left out
    #[arg(long, value_name = "UNITS/SECONDSs")]
    quota: Option<up::Quota>,
    /// Cache public data in a Redis or Valkey server that is started and ends with the stack
    #[arg(long)]
    cache: bool,
    /// The same in a server that runs, such as redis://localhost:6379
    #[arg(long, value_name = "URL", conflicts_with = "cache")]
    cache_url: Option<String>,
    /// Make the banner's requests, print the answers and end; exit code 0 only if all are 200
    #[arg(long)]
    pub(super) once: bool,
    /// How requests are logged
    #[arg(long, value_enum, default_value_t = Format::Text)]
    log: Format,
}

#[derive(Debug, Args)]
pub(super) struct Token {
    /// The subject: the id of a caller
    /// [default: one that is in the running stack's tables, else in samples/]
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    sub: Option<String>,
    /// Scopes, separated by spaces
    #[arg(long)]
    scope: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Invoke {
    /// The function: the name of its crate
    function: String,
    /// The event: `plain` is events/FUNCTION.plain.json; or the path of a JSON file
    #[arg(value_name = "CASE|FILE")]
    event: String,
    #[command(flatten)]
    stack: StackPort,
}

#[derive(Debug, Args)]
pub(super) struct Docs {
    /// Port of the page
    #[arg(long, default_value_t = 9100)]
    port: u16,
    #[command(flatten)]
    stack: StackPort,
    /// The subject of the token that the page begins with [default: as of `cargo dev token`]
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    sub: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct StackPort {
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

impl Up {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let Self {
            port,
            dynamodb_port,
            dynamodb_host,
            load,
            data,
            shards,
            quota,
            cache,
            cache_url,
            once,
            log,
        } = self;
        let cache = match cache_url {
            Some(url) => Choice::At(url),
            None if cache => Choice::Start,
            None => Choice::Off,
        };
        let options = up::Options {
            port,
            dynamodb_port,
            dynamodb_host,
            load,
            data,
            shards: shards.shards,
            quota,
            cache,
            once,
            log,
        };
        up::up(&options).await.map(|()| ExitCode::SUCCESS)
    }
}

impl Token {
    pub(super) async fn run(self) -> Result<ExitCode> {
        println!("{}", token::token(&subject(self.sub).await?, self.scope.as_deref()));
        Ok(ExitCode::SUCCESS)
    }
}

impl Invoke {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let outcome = invoke::invoke(&self.function, &self.event, self.stack.port()).await?;
        print!("{}", terminal::lines(&outcome.text));
        Ok(if outcome.succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Docs {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let Self { port, stack, sub } = self;
        let options = docs::Options { port, stack_port: stack.port(), sub: subject(sub).await? };
        docs::docs(options).await.map(|()| ExitCode::SUCCESS)
    }
}

/// Returns the given subject, else a caller that is there.
async fn subject(given: Option<String>) -> Result<String> {
    match given {
        Some(subject) => Ok(subject),
        None => rows::caller().await,
    }
}
