//! `cargo dev bench quota`: what a quota for each caller costs a cold start.

use crate::candidate::{Candidate, Route};
use crate::measure::{self, Effort};
use crate::scenario;
use crate::scene::Scene;
use anyhow::{Context as _, Result};

/// Prints the cold starts of a function without and with a quota, by turns.
pub(crate) fn starts(ours: &Candidate, scene: &Scene, effort: Effort) -> Result<()> {
    let scenarios = scenario::all();
    let first = scenarios.first().context("there is no scenario")?;
    let rows = measure::cold(
        &[ours.clone(), ours.with_quota()],
        Route::GetUser,
        scene,
        effort,
        &first.event,
        &|_| (),
    )?;
    println!("ms, median of {} starts      init       first answer  total", effort.starts);
    for row in &rows {
        println!(
            "{:<12} by the clock  {:>8.3}  {:>12.3}  {:>8.3}",
            row.candidate, row.init_wall.value, row.first_wall.value, row.total_wall.value
        );
        println!(
            "{:<12} processor     {:>8.3}  {:>12.3}  {:>8.3}",
            "", row.init_cpu.value, row.first_cpu.value, row.total_cpu.value
        );
    }
    if let [without, with] = rows.as_slice() {
        let more = |of: fn(&measure::Cold) -> f64| 100.0 * (of(with) / of(without) - 1.0);
        println!(
            "with the quota: {:+.1} % by the clock, {:+.1} % of the processor",
            more(|row| row.total_wall.value),
            more(|row| row.total_cpu.value)
        );
    }
    Ok(())
}
