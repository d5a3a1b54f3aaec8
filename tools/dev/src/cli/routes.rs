//! The commands that say what the routes read, cost and answer.

use super::tables::Shards;
use crate::bundle::Bundle;
use crate::interface::Interface;
use crate::sample::Sample;
use crate::{cost, explain, openapi, smoke, terminal, workspace};
use anyhow::Result;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The request, such as 'GET /v1/things?limit=5'
    request: String,
    /// The id of the caller, for routes that are not public
    #[arg(long, value_name = "ID", default_value = "caller-1", value_parser = NonEmptyStringValueParser::new())]
    sub: String,
    #[command(flatten)]
    shards: Shards,
}

#[derive(Debug, Args)]
pub(super) struct Cost {}

#[derive(Debug, Args)]
pub(super) struct Smoke {
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

#[derive(Debug, Args)]
pub(super) struct Openapi {
    /// Only compare: exit code 1 if the file is not what would be written
    #[arg(long)]
    check: bool,
}

impl Explain {
    pub(super) fn run(self) -> Result<ExitCode> {
        let Self { request, sub, shards: Shards { shards } } = self;
        let (bundle, sample) = (Bundle::of_workspace()?, Sample::of_workspace()?);
        let explained = explain::explain(&bundle, &sample, &request, &sub, shards)?;
        print!("{}", terminal::lines(&explained.text));
        Ok(if explained.is_plan { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Cost {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let bundle = Bundle::of_workspace()?;
        let measured = cost::measure(&bundle, &Sample::of_workspace()?).await?;
        print!("{}", terminal::lines(&cost::text(&bundle, &measured)?));
        Ok(ExitCode::SUCCESS)
    }
}

impl Smoke {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let Self { url, token, origin, ids } = self;
        let options = smoke::Options { url, token, origin, ids };
        let bundle = Bundle::of_workspace()?;
        let interfaces = Interface::all(&bundle, &workspace::root())?;
        let report = smoke::smoke(&bundle, &interfaces, &options).await?;
        print!("{}", terminal::lines(&report.to_string()));
        Ok(if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Openapi {
    pub(super) fn run(self) -> Result<ExitCode> {
        openapi::write(self.check).map(|()| ExitCode::SUCCESS)
    }
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
