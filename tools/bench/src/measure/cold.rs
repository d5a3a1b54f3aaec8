//! Cold starts.

use super::setting::Effort;
use crate::candidate::{Candidate, Route};
use crate::scene::Scene;
use crate::session::{Cost, Session};
use crate::stats::{Median, median};
use anyhow::Result;
use serde::Serialize;
use std::time::Duration;

/// A cold start, in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Cold {
    pub(crate) candidate: &'static str,
    pub(crate) starts: u32,
    pub(crate) init_wall: Median,
    pub(crate) init_cpu: Median,
    pub(crate) first_wall: Median,
    pub(crate) first_cpu: Median,
    pub(crate) total_wall: Median,
    pub(crate) total_cpu: Median,
}

/// Init, the first answer's time, and the processor time of both.
type Start = (Cost, Duration, Duration);

/// Starts each candidate by turns and sends one event.
pub(crate) fn cold(
    candidates: &[Candidate],
    route: Route,
    scene: &Scene,
    effort: Effort,
    event: &str,
    tick: &dyn Fn(&str),
) -> Result<Vec<Cold>> {
    let mut runs = vec![Vec::new(); candidates.len()];
    for start in 0..=effort.starts {
        tick(&format!("cold start {start} of {}", effort.starts));
        for (candidate, runs) in candidates.iter().zip(&mut runs) {
            let mut session = Session::start(candidate, route, &scene.main)?;
            let answered = session.invoke(event)?;
            let cpu = session.settled()?;
            // The very first start fills the caches of the machine and the endpoint.
            if start > 0 {
                runs.push((session.init, answered.wall, cpu));
            }
        }
    }
    let row = |candidate: &Candidate, runs: &[Start]| {
        let of =
            |f: fn(&Start) -> Duration| median(runs.iter().map(|run| f(run).as_secs_f64() * 1e3));
        Cold {
            candidate: candidate.name,
            starts: effort.starts,
            init_wall: of(|run| run.0.wall),
            init_cpu: of(|run| run.0.cpu),
            first_wall: of(|run| run.1),
            first_cpu: of(|run| run.2.saturating_sub(run.0.cpu)),
            total_wall: of(|run| run.0.wall + run.1),
            total_cpu: of(|run| run.2),
        }
    };
    Ok(candidates.iter().zip(&runs).map(|(candidate, runs)| row(candidate, runs)).collect())
}
