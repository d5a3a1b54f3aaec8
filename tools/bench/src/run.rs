//! A run: its options, the order of measurements, and the place of the figures.

use crate::candidate::{self, Candidate, Implementation, PEERS, Route};
use crate::case_study;
use crate::depth;
use crate::graphql;
use crate::measure::{self, Effort};
use crate::plot;
use crate::profile;
use crate::quota;
use crate::report::Report;
use crate::scenario::{self, Scenario};
use crate::scene::{Extent, Scene};
use crate::tier;
use anyhow::{Context as _, Error, Result, bail};
use dev::bundle::Bundle;
use dev::workspace;
use indicatif::ProgressBar;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Measure the functions next to their peers; docs/bench/README.md says how
#[derive(Debug, Clone, clap::Parser)]
#[command(
    name = "cargo dev bench",
    bin_name = "cargo dev bench",
    version,
    disable_help_subcommand = true
)]
pub(crate) struct Options {
    /// A minute or two in place of twenty: this bundle and the floor, few runs; counts are checked,
    /// times are not
    #[arg(long, global = true)]
    quick: bool,
    /// Take all programs as an earlier run built them
    #[arg(long, global = true)]
    no_build: bool,
    /// Folder for JSON and pictures [default: docs/bench, with --quick target/bench/quick]
    #[arg(long, global = true, value_name = "DIR")]
    out: Option<PathBuf>,
    /// One part alone
    #[command(subcommand)]
    part: Option<Part>,
}

/// The parts that can be run by themselves.
#[derive(Debug, Clone, clap::Subcommand)]
enum Part {
    /// A user with 10,000 orders: the naive route against this one, 5 ms a round trip
    CaseStudy,
    /// A cold start of get-user without and with a quota for each caller
    Quota,
    /// Public lists with the cache tier and without it, next to Node with ioredis
    Tier(tier::Options),
    /// The function graphql, next to Apollo Server on Node
    Graphql,
    /// Where the instructions of one kind of request go
    Profile {
        /// A scenario, as the table names it
        #[arg(default_value = "list-50")]
        scenario: String,
        /// Requests to count; with 1 it is a cold start that is seen, with hundreds it is hardly
        /// seen
        #[arg(long, default_value_t = 300)]
        requests: u32,
        /// Functions to list
        #[arg(long, default_value_t = 60)]
        lines: usize,
        /// Whose: lean-routes, floor or rust-defaults
        #[arg(long, default_value = "lean-routes")]
        candidate: String,
    },
}

/// Pages whose cost is measured.
const PAGES: [u32; 8] = [1, 50, 100, 200, 400, 600, 800, 1_000];
const PAGES_QUICKLY: [u32; 3] = [1, 10, 100];
/// The catalogue ends after the last of them.
const EXTENT: Extent = Extent { products: 1_001 * depth::LIMIT, orders: 10_000 };

impl Options {
    fn effort(&self) -> Effort {
        let counted = if candidate::on_path("valgrind").is_ok() { 100 } else { 0 };
        if self.quick {
            Effort { starts: 3, blocks: 3, block: 20, counted: 0, delay: Duration::ZERO }
        } else {
            Effort { starts: 30, blocks: 20, block: 50, counted, delay: Duration::ZERO }
        }
    }

    fn command_line(&self) -> String {
        let quick = if self.quick { " --quick" } else { "" };
        let part = match &self.part {
            Some(Part::CaseStudy) => " case-study".to_owned(),
            Some(Part::Graphql) => " graphql".to_owned(),
            Some(Part::Tier(tier)) => format!(" tier --round-trip {}", tier.round_trip),
            _ => String::new(),
        };
        format!("cargo dev bench{quick}{part}")
    }

    fn folder(&self) -> PathBuf {
        let root = workspace::root();
        self.out.clone().unwrap_or_else(|| {
            if self.quick {
                workspace::target(&root).join("bench/quick")
            } else {
                root.join("docs/bench")
            }
        })
    }
}

/// Runs the benchmark.
///
/// # Errors
/// If this bundle does not build, a candidate's answer differs from the others, or a count is not
/// the expected one.
pub(crate) async fn bench(options: Options) -> Result<ExitCode> {
    let bundle = Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE)?;
    if let Some(Part::Profile { scenario, requests, lines, candidate }) = options.part.clone() {
        let found = scenario::all().into_iter().find(|other| other.name == scenario);
        let scenario =
            found.with_context(|| format!("no such scenario; there are {}", scenario::names()))?;
        let candidate =
            Candidate::with_symbols(&candidate, scenario.route, !options.no_build).await?;
        let scene = Scene::new(&bundle, EXTENT).await?;
        let profile = tokio::task::spawn_blocking(move || {
            profile::profile(&candidate, &scene, &scenario, requests, lines)
        });
        profile.await.context("the profile ended")??;
        return Ok(ExitCode::SUCCESS);
    }
    if matches!(options.part, Some(Part::Quota)) {
        let ours = Candidate::ours(&[Route::GetUser], !options.no_build).await?;
        let scene = Scene::new(&bundle, Extent { products: 100, orders: 100 }).await?;
        let starts = if options.quick { 5 } else { 60 };
        let effort = Effort { starts, ..options.effort() };
        let run = tokio::task::spawn_blocking(move || quota::starts(&ours, &scene, effort));
        run.await.context("the benchmark ended")??;
        return Ok(ExitCode::SUCCESS);
    }
    let report = Report {
        command: options.command_line(),
        date: now(),
        machine: machine(),
        ..Report::default()
    };
    if let Some(Part::Tier(tier)) = options.part.clone() {
        let (effort, folder) = (options.effort(), options.folder());
        tier::run(tier, &bundle, !options.no_build, effort, report, &folder).await?;
        return Ok(ExitCode::SUCCESS);
    }
    if matches!(options.part, Some(Part::Graphql)) {
        let (effort, folder) = (options.effort(), options.folder());
        graphql::run(&bundle, !options.no_build, effort, report, &folder).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let begin = std::time::Instant::now();
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    let case_study = matches!(options.part, Some(Part::CaseStudy));
    let peers: &[Implementation] = match (case_study, options.quick) {
        (true, _) => &[Implementation::RustDefaults],
        (false, true) => &[Implementation::Floor],
        (false, false) => &PEERS,
    };
    let mut report = report;
    let mut candidates = Vec::new();
    bar.set_message("building lean-routes");
    candidates.push(
        Candidate::ours(
            &[Route::GetUser, Route::ListProducts, Route::ListUserOrders],
            !options.no_build,
        )
        .await?,
    );
    for implementation in peers {
        bar.set_message(format!("building {}", implementation.name()));
        match Candidate::peer(*implementation, !options.no_build).await {
            Ok(candidate) => candidates.push(candidate),
            Err(error) => report.left_out.push(format!("{}: {error:#}", implementation.name())),
        }
    }
    if options.effort().counted == 0 {
        report.left_out.push(format!(
            "instructions: {}",
            if options.quick { "--quick" } else { "no valgrind on PATH" }
        ));
    }
    bar.set_message("filling the tables");
    let scene = Scene::new(&bundle, EXTENT).await?;
    let (effort, quick) = (options.effort(), options.quick);
    let tick = bar.clone();
    let measured = tokio::task::spawn_blocking(move || {
        let tick = |message: &str| tick.set_message(message.to_owned());
        if !case_study {
            measure_all(&mut report, &candidates, &scene, effort, quick, &tick)?;
        }
        if case_study || !quick {
            report.case_study =
                Some(case_study::case_study(&candidates, &scene, EXTENT.orders, 300, &tick)?);
        }
        Ok::<_, Error>(report)
    });
    let mut report = measured.await.context("the benchmark ended")??;
    bar.finish_and_clear();
    report.judge();
    report.print();
    let folder = options.folder();
    report.write(&folder, if case_study { "case-study.json" } else { "bench.json" })?;
    plot::all(&report, &folder)?;
    println!(
        "{:.0} s; JSON and pictures in {}",
        begin.elapsed().as_secs_f64(),
        workspace::shown(&folder)
    );
    Ok(ExitCode::SUCCESS)
}

fn measure_all(
    report: &mut Report,
    candidates: &[Candidate],
    scene: &Scene,
    effort: Effort,
    quick: bool,
    tick: &dyn Fn(&str),
) -> Result<()> {
    let scenarios = scenario::all();
    if let Some(first) = scenarios.first() {
        report.cold = measure::cold(candidates, Route::GetUser, scene, effort, &first.event, tick)?;
    }
    let mut wrong = Vec::new();
    for scenario in &scenarios {
        tick(scenario.name);
        let asked = |candidate: &&Candidate| {
            candidate.implementation == Implementation::Ours
                || scenario.peers.contains(&candidate.implementation)
        };
        let asked: Vec<_> = candidates.iter().filter(asked).cloned().collect();
        let (rows, footprints) = measure::warm(&asked, scene, scenario, effort)?;
        wrong.extend(difference(scenario, &rows));
        report.warm.extend(rows);
        // Keeps the last measurement of a function, which comes after the most requests.
        for footprint in footprints {
            report.footprints.retain(|other| {
                (other.candidate, other.function) != (footprint.candidate, footprint.function)
            });
            report.footprints.push(footprint);
        }
    }
    if !wrong.is_empty() {
        bail!("counts are not as scenario.rs has them: {}", wrong.join("; "));
    }
    report.depth =
        depth::depth(candidates, scene, if quick { &PAGES_QUICKLY } else { &PAGES }, effort, tick)?;
    if let Some(ours) = candidates.first() {
        report.fields = depth::fields(ours, scene)?;
    }
    Ok(())
}

/// Compares the counts, which do not depend on the machine, with the ones in scenario.rs.
fn difference(scenario: &Scenario, rows: &[measure::Warm]) -> Option<String> {
    let ours = rows.first()?;
    let found = scenario::Expected {
        rounds: ours.rounds,
        calls: ours.calls,
        units: ours.units,
        bytes: ours.body_bytes,
    };
    (found != scenario.expected)
        .then(|| format!("{} is {found:?}, not {:?}", scenario.name, scenario.expected))
}

/// Returns the time in the form of RFC 3339, to the minute.
fn now() -> String {
    let now = OffsetDateTime::now_utc().replace_second(0).and_then(|now| now.replace_nanosecond(0));
    now.ok().and_then(|now| now.format(&Rfc3339).ok()).unwrap_or_default()
}

/// The machine's class.
fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{} {}, {processors} processors", std::env::consts::ARCH, std::env::consts::OS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
        let options = Options::try_parse_from([
            "cargo dev bench",
            "profile",
            "get-user",
            "--no-build",
            "--lines",
            "5",
        ])
        .unwrap();
        assert!(
            options.no_build
                && matches!(options.part, Some(Part::Profile { lines: 5, requests: 300, .. }))
        );
        assert_eq!(
            Options::parse_from(["cargo dev bench", "case-study", "--quick"]).command_line(),
            "cargo dev bench --quick case-study"
        );
    }
}
