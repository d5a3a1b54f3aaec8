//! Warm requests: their times, and the memory and the size of what answers them.

use super::count::{counted, instructions};
use super::same::same;
use super::setting::{Effort, WARM_UP, around, prepared};
use crate::candidate::Candidate;
use crate::endpoint::Traffic;
use crate::scenario::Scenario;
use crate::scene::Scene;
use crate::session::Session;
use crate::stats::{Median, median, percentile};
use anyhow::{Result, bail};
use serde::Serialize;
use std::time::Duration;

/// Warm requests of one kind, times in microseconds.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Warm {
    pub(crate) scenario: &'static str,
    pub(crate) candidate: &'static str,
    pub(crate) requests: u32,
    /// The median, with the noise between blocks.
    pub(crate) p50: Median,
    pub(crate) p99: f64,
    /// Processor time a request.
    pub(crate) cpu: f64,
    pub(crate) instructions: Option<u64>,
    pub(crate) rounds: u64,
    pub(crate) calls: u64,
    pub(crate) units: f64,
    /// Bytes of the body before compression, of Lambda's payload, and of DynamoDB's answers.
    pub(crate) body_bytes: usize,
    pub(crate) payload_bytes: usize,
    pub(crate) dynamodb_bytes: u64,
}

/// Memory after warm requests, in KiB, and sizes in bytes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Footprint {
    pub(crate) candidate: &'static str,
    pub(crate) function: &'static str,
    pub(crate) resident: u64,
    pub(crate) resident_at_most: u64,
    pub(crate) file_bytes: u64,
    pub(crate) zip_bytes: u64,
}

/// A candidate that is running, and what it has shown so far.
struct Running {
    session: Session,
    event: String,
    traffic: Traffic,
    body: usize,
    payload: usize,
    walls: Vec<Vec<f64>>,
    cpu: f64,
}

/// Sends a scenario to every candidate by turns; answers are compared before any measurement.
pub(crate) fn warm(
    candidates: &[Candidate],
    scene: &Scene,
    scenario: &Scenario,
    effort: Effort,
) -> Result<(Vec<Warm>, Vec<Footprint>)> {
    let around = around(scene, scenario);
    let mut running = Vec::new();
    let mut reference = None;
    for candidate in candidates {
        let mut session = Session::start(candidate, scenario.route, around)?;
        let event = prepared(&mut session, scenario)?;
        session.invoke(&event)?;
        let (answered, traffic) = counted(&mut session, around, &event)?;
        let (status, body) = answered.body()?;
        if status != if scenario.conditional { 304 } else { 200 } {
            bail!("{} answers {} with {status}: {body}", candidate.name, scenario.name);
        }
        same(&body, &mut reference, candidate, scenario)?;
        for _ in 0..WARM_UP {
            session.invoke(&event)?;
        }
        running.push(Running {
            session,
            event,
            traffic,
            body: body.len(),
            payload: answered.payload.len(),
            walls: Vec::new(),
            cpu: 0.0,
        });
    }
    around.endpoint.delay(effort.delay);
    for _ in 0..effort.blocks {
        for running in &mut running {
            let before = running.session.settled()?;
            let mut block = Vec::new();
            for _ in 0..effort.block {
                block.push(running.session.invoke(&running.event)?.wall.as_secs_f64() * 1e6);
            }
            running.cpu += (running.session.settled()? - before).as_secs_f64() * 1e6;
            running.walls.push(block);
        }
    }
    around.endpoint.delay(Duration::ZERO);
    let (mut rows, mut footprints) = (Vec::new(), Vec::new());
    for (candidate, running) in candidates.iter().zip(running) {
        let instructions = if effort.counted > 0 && candidate.is_native() {
            Some(instructions(candidate, around, scenario.route, &running.event, effort.counted)?)
        } else {
            None
        };
        let requests = effort.blocks * effort.block;
        let mut all: Vec<f64> = running.walls.iter().flatten().copied().collect();
        let noise =
            median(running.walls.iter().map(|block| percentile(&mut block.clone(), 0.5))).mad;
        let Traffic { calls, rounds, bytes, units } = running.traffic;
        rows.push(Warm {
            scenario: scenario.name,
            candidate: candidate.name,
            requests,
            p50: Median { value: percentile(&mut all, 0.5), mad: noise },
            p99: percentile(&mut all, 0.99),
            cpu: running.cpu / f64::from(requests.max(1)),
            instructions,
            rounds,
            calls,
            units,
            body_bytes: running.body,
            payload_bytes: running.payload,
            dynamodb_bytes: bytes,
        });
        let (resident, resident_at_most) = running.session.memory()?;
        let (file_bytes, zip_bytes) = candidate.size(scenario.route)?;
        let function = scenario.route.name();
        footprints.push(Footprint {
            candidate: candidate.name,
            function,
            resident,
            resident_at_most,
            file_bytes,
            zip_bytes,
        });
    }
    Ok((rows, footprints))
}
