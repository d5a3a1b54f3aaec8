//! `cargo dev bench tier`: public lists with the cache tier and without it, next to Node with ioredis,
//! each with the same time of a round trip to DynamoDB; and what the tier costs a start that does not
//! use it.

use crate::candidate::{Candidate, Implementation, Route};
use crate::measure::{self, Effort};
use crate::plot;
use crate::redis::Redis;
use crate::report::Report;
use crate::scenario::{self, Scenario};
use crate::scene::{Extent, Scene};
use anyhow::{Context as _, Result};
use dev::bundle::Bundle;
use dev::workspace;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The options of the measurement.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Milliseconds of a round trip to DynamoDB
    #[arg(long, default_value_t = 5, value_name = "MS")]
    pub(crate) round_trip: u64,
    /// Folder with the release binaries of another build (shop-list-products), such as one of the
    /// commit before: its cold start and its size are compared
    #[arg(long, value_name = "DIR")]
    pub(crate) before: Option<PathBuf>,
}

/// The lists that are measured: one Query, and one Query with a fetch of what its index lacks.
const LISTS: [&str; 2] = ["list-25", "list-25-hydrated"];
const EXTENT: Extent = Extent { products: 1_000, orders: 100 };

/// Runs it, prints it, and writes `tier.json` and `tier.svg` into a folder.
///
/// # Errors
/// If there is no Redis server, something does not build, or the answers differ.
pub(crate) async fn run(
    options: Options,
    bundle: &Bundle,
    build: bool,
    effort: Effort,
    mut report: Report,
    folder: &Path,
) -> Result<()> {
    let ours = Candidate::ours(&[Route::ListProducts], build).await?;
    let node = Candidate::peer(Implementation::NodeRedis, build).await;
    let node = node.map_err(|error| report.left_out.push(format!("node: {error:#}"))).ok();
    let scene = Scene::new(bundle, EXTENT).await?;
    let measured = tokio::task::spawn_blocking(move || {
        let redis = Redis::start(&scene.main.folder)?;
        let delay = Duration::from_millis(options.round_trip);
        let effort = Effort { delay, counted: 0, ..effort };
        let with = |candidate: &Candidate, name| candidate.with_cache(name, &redis.url);
        let mut candidates = vec![ours.clone(), with(&ours, "lean-routes, tier")];
        if let Some(node) = &node {
            candidates.extend([node.named("node"), with(node, "node, ioredis")]);
        }
        for scenario in scenario::all().iter().filter(|of| LISTS.contains(&of.name)) {
            // All give the same answer.
            let compared = Scenario { peers: &[Implementation::NodeRedis], ..scenario.clone() };
            let (rows, footprints) = measure::warm(&candidates, &scene, &compared, effort)?;
            report.warm.extend(rows);
            report.footprints = footprints;
        }
        let mut started = vec![ours.clone(), with(&ours, "lean-routes, tier")];
        if let Some(before) = &options.before {
            started.push(Candidate::before(before));
            let (file_bytes, zip_bytes) = Candidate::before(before).size(Route::ListProducts)?;
            let mut of_before = report.footprints.first().context("nothing was measured")?.clone();
            of_before.candidate = "before";
            (of_before.resident, of_before.resident_at_most) = (0, 0);
            (of_before.file_bytes, of_before.zip_bytes) = (file_bytes, zip_bytes);
            report.footprints.push(of_before);
        }
        let list = scenario::all().into_iter().find(|of| of.name == LISTS[0]);
        let event = list.context("there is no such scenario")?.event;
        // A cold start waits for DynamoDB as long as every other: it is left out.
        let effort = Effort { delay: Duration::ZERO, ..effort };
        report.cold =
            measure::cold(&started, Route::ListProducts, &scene, effort, &event, &|_| ())?;
        Ok::<_, anyhow::Error>(report)
    });
    let report = measured.await.context("the benchmark ended")??;
    report.print();
    compare(&report);
    report.write(folder, "tier.json")?;
    plot::tier(&report, options.round_trip, folder)?;
    println!("JSON and picture in {}", workspace::shown(folder));
    Ok(())
}

/// Prints the start of this build over that of the one before, and the difference of their zips.
fn compare(report: &Report) {
    let cold = |name: &str| report.cold.iter().find(|row| row.candidate == name);
    let zip = |name: &str| report.footprints.iter().find(|row| row.candidate == name);
    if let (Some(ours), Some(before)) = (cold("lean-routes"), cold("before")) {
        println!(
            "start without CACHE_URL ÷ before: {:.3} by the clock, {:.3} of the processor",
            ours.total_wall.value / before.total_wall.value,
            ours.total_cpu.value / before.total_cpu.value
        );
    }
    if let (Some(ours), Some(before)) = (zip("lean-routes"), zip("before")) {
        let more = i128::from(ours.zip_bytes) - i128::from(before.zip_bytes);
        println!("zip: {more:+} bytes");
    }
}
