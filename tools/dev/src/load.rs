//! `cargo dev load`: JSON Lines into tables, local or real.
//!
//! Every row is accounted for: one that is not loaded is in the rejects file with its line and its
//! reason. A row is a put, so loading twice gives the same table; a repeated key in one file is
//! refused, because it would be undefined which of the two rows stays.

mod reject;
mod write;

use crate::attribute::{Item, plain};
use crate::bundle::{Bundle, Stored};
use crate::row::Rules;
use crate::sample::Sample;
use crate::{terminal, workspace};
use anyhow::{Context as _, Result, bail};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use indicatif::{ProgressBar, ProgressStyle};
use reject::Rejects;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use write::{BATCH, Writer};

/// Reasons that are printed on stderr; all are in the rejects file.
const SAID: u64 = 10;

/// The most shards that the functions read a page from; template.yaml has the same limit.
pub const MAX_SHARDS: u32 = 16;

/// The destination of the rows.
#[derive(Debug, Clone, Copy)]
pub struct Destination<'a> {
    /// The client of the database; without one, the rows are only checked and nothing is written.
    pub client: Option<&'a Client>,
    /// The resource, whose rules the rows follow.
    pub of: Stored<'a>,
    /// The table's name in the database.
    pub name: &'a str,
    /// `CATALOG_SHARDS` of the functions that will read it.
    pub shards: u32,
}

/// The result of loading a file.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The resource.
    pub resource: &'static str,
    /// Rows that are right, and in the table now if there is a client.
    pub loaded: u64,
    /// Rows that were rejected.
    pub rejected: u64,
    /// Write units that the database charged.
    pub units: f64,
    /// The duration of the load.
    pub time: Duration,
    /// The rejects file, if there are any rejects.
    pub rejects: Option<PathBuf>,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { resource, loaded, units, time, .. } = self;
        write!(
            f,
            "{resource}: {loaded} rows in {:.1} s, {units:.0} write units",
            time.as_secs_f64()
        )?;
        match &self.rejects {
            Some(path) => write!(f, "; {} rejected, see {}", self.rejected, workspace::shown(path)),
            None => Ok(()),
        }
    }
}

/// Returns the files to load, with their resources: all files of a folder that are named after a
/// resource, or the given file.
pub fn files<'a>(path: &Path, bundle: &'a Bundle) -> Result<Vec<(PathBuf, Stored<'a>)>> {
    let shown = workspace::shown(path);
    if path.is_dir() {
        let file = |of: Stored<'a>| (path.join(format!("{}.jsonl", of.resource.name)), of);
        let found: Vec<_> =
            bundle.stored()?.into_iter().map(file).filter(|(file, _)| file.is_file()).collect();
        if found.is_empty() {
            let names: Vec<_> = bundle
                .resources
                .iter()
                .map(|resource| format!("{}.jsonl", resource.name))
                .collect();
            bail!("{shown} has none of {}", names.join(", "));
        }
        return Ok(found);
    }
    if !path.is_file() {
        bail!("{shown} is neither a file nor a folder");
    }
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let found = bundle
        .find(stem)
        .with_context(|| format!("{shown}: name it after its resource, as NAME.jsonl"))?;
    Ok(vec![(path.to_owned(), found)])
}

/// Loads a file. The rejects go to `rejects`, which is removed if there are none.
pub async fn file(to: Destination<'_>, path: &Path, rejects: &Path) -> Result<Report> {
    let shown = workspace::shown(path);
    let file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let bar =
        ProgressBar::new(size).with_style(style("{msg} {wide_bar} {bytes}/{total_bytes} {eta}"));
    bar.set_message(to.of.resource.name);
    let lines = BufReader::with_capacity(1 << 16, file).split(b'\n');
    let lines = lines.map(|line| line.with_context(|| format!("cannot read {shown}")));
    let report = rows(to, lines, &shown, rejects, &bar).await;
    bar.finish_and_clear();
    report
}

/// Loads all copies of the sample rows into the table of every resource, by local names.
///
/// # Errors
/// If a row is rejected, or the database fails.
pub async fn sample(
    client: &Client,
    bundle: &Bundle,
    sample: &Sample,
    shards: u32,
) -> Result<Vec<Report>> {
    let mut reports = Vec::new();
    for of in bundle.stored()? {
        let name = of.resource.name;
        let to = Destination { client: Some(client), of, name: &of.table.local_name, shards };
        let bar = ProgressBar::new_spinner().with_style(style("{msg} {spinner}"));
        bar.set_message(format!("sample {name}"));
        let lines = sample.grown(of.resource).map(|line| Ok(line.into_bytes()));
        let rejects = std::env::temp_dir()
            .join(format!("sample-{name}-{}.rejects.jsonl", std::process::id()));
        let report = rows(to, lines, &format!("samples/{name}.jsonl"), &rejects, &bar).await?;
        bar.finish_and_clear();
        if report.rejected > 0 {
            bail!("rows of samples/{name}.jsonl are not right: {report}");
        }
        reports.push(report);
    }
    Ok(reports)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

async fn rows(
    to: Destination<'_>,
    lines: impl Iterator<Item = Result<Vec<u8>>>,
    source: &str,
    rejects: &Path,
    bar: &ProgressBar,
) -> Result<Report> {
    let begin = Instant::now();
    let rules = Rules::new(to.of, to.shards);
    let mut writer = to.client.map(|client| Writer::new(client.clone(), to.name.to_owned()));
    let mut rejects = Rejects::at(to.client.map(|_| rejects));
    let mut keys: HashMap<String, u64> = HashMap::new();
    let mut batch: Vec<Item> = Vec::with_capacity(BATCH);
    let mut right = 0;
    for (line, number) in lines.zip(1_u64..) {
        let line = line?;
        bar.inc(line.len() as u64 + 1);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        // A byte order mark is not part of the first row, and an empty line is not a row.
        let line = if number == 1 {
            line.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(line)
        } else {
            line
        };
        if line.trim_ascii().is_empty() {
            continue;
        }
        match checked(line, &rules, to.of, number, &mut keys) {
            Ok(item) => {
                right += 1;
                batch.push(item);
            }
            Err(reason) => {
                if rejects.count() < SAID || !rejects.has_file() {
                    let said = terminal::line(&format!("{source}:{number}: {reason}"));
                    bar.suspend(|| eprintln!("{said}"));
                }
                rejects.add(source, number, &reason, line)?;
            }
        }
        if batch.len() == BATCH {
            let batch = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            if let Some(writer) = &mut writer {
                writer.put(batch).await?;
            }
        }
    }
    let mut units = 0.0;
    if let Some(mut writer) = writer {
        writer.put(batch).await?;
        (right, units) = writer.finish().await?;
    }
    if rejects.has_file() && rejects.count() > SAID {
        eprintln!("{source}: {} more rows rejected", rejects.count() - SAID);
    }
    let (rejected, rejects) = rejects.finish()?;
    Ok(Report {
        resource: to.of.resource.name,
        loaded: right,
        rejected,
        units,
        time: begin.elapsed(),
        rejects,
    })
}

fn checked(
    line: &[u8],
    rules: &Rules<'_>,
    of: Stored<'_>,
    number: u64,
    keys: &mut HashMap<String, u64>,
) -> Result<Item, String> {
    let text = std::str::from_utf8(line)
        .map_err(|error| format!("not UTF-8 from byte {}", error.valid_up_to() + 1))?;
    let item = rules.read(text)?;
    let parts = of.table.key.iter().map(|key| match item.get(&key.name) {
        Some(AttributeValue::S(text)) => serde_json::Value::from(text.as_str()).to_string(),
        Some(AttributeValue::N(number)) => plain(number),
        _ => String::new(),
    });
    let key = parts.collect::<Vec<_>>().join(", ");
    match keys.insert(key.clone(), number) {
        None => Ok(item),
        Some(first) => {
            keys.insert(key.clone(), first);
            Err(format!("the key {key} is already in line {first}"))
        }
    }
}
