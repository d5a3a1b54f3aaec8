//! The commands that write or read the rows of local or real tables.

use super::tables::{At, Shards};
use crate::bundle::Bundle;
use crate::load::{self, Destination};
use crate::{audit, terminal, up};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

#[derive(Debug, Args)]
pub(super) struct Load {
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
pub(super) struct Audit {
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    shards: Shards,
}

impl Load {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let Load { path, at, shards: Shards { shards }, dry_run, rejects } = self;
        let bundle = Bundle::of_workspace()?;
        let mut files = load::files(&path, &bundle)?;
        files.retain(|(_, of)| at.picks(of.resource.name));
        let target = at.target()?;
        // All names are checked before the first row is written, so that a missing option does not
        // end a load half way.
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
}

impl Audit {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let Audit { at, shards: Shards { shards } } = self;
        let bundle = Bundle::of_workspace()?;
        let target = at.target()?;
        let (listed, others): (Vec<_>, Vec<_>) = bundle
            .stored()?
            .into_iter()
            .filter(|of| at.picks(of.resource.name))
            .partition(|of| of.resource.table.indexes.iter().any(|index| index.name.is_some()));
        let names = at.names(
            &bundle,
            &listed.iter().map(|of| of.resource.name).collect::<Vec<_>>(),
            &target,
        )?;
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
                let found = format!("{resource} {}: {}", row.id, row.reasons.join("; "));
                println!("{}", terminal::line(&found));
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
}
