//! Measuring: cold, warm, counted.

use crate::candidate::{Candidate, Route};
use crate::endpoint::Traffic;
use crate::scenario::Scenario;
use crate::scene::Scene;
use crate::session::{Answered, Cost, Session};
use crate::stats::{Median, median, percentile};
use crate::surroundings::Surroundings;
use anyhow::{Context as _, Result, anyhow, bail};
use serde::Serialize;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// The number of repetitions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Starts of each candidate.
    pub(crate) starts: u32,
    /// Blocks of warm requests of each candidate, and requests a block.
    pub(crate) blocks: u32,
    pub(crate) block: u32,
    /// Requests whose instructions are counted, after those that warm up the process. 0: none.
    pub(crate) counted: u32,
}

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

/// Init, the first answer's time, and the processor time of both.
type Start = (Cost, Duration, Duration);

/// Requests before anything warm is measured.
pub(crate) const WARM_UP: u32 = 30;
const OVERLAP: Duration = Duration::from_millis(5);

/// Starts each candidate by turns and asks for one user.
pub(crate) fn cold(
    candidates: &[Candidate],
    scene: &Scene,
    effort: Effort,
    event: &str,
    tick: &dyn Fn(&str),
) -> Result<Vec<Cold>> {
    let mut runs = vec![Vec::new(); candidates.len()];
    for start in 0..=effort.starts {
        tick(&format!("cold start {start} of {}", effort.starts));
        for (candidate, runs) in candidates.iter().zip(&mut runs) {
            let mut session = Session::start(candidate, Route::GetUser, &scene.main)?;
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

/// Returns the servers of a scenario.
fn around<'a>(scene: &'a Scene, scenario: &Scenario) -> &'a Surroundings {
    if scenario.sharded { &scene.sharded } else { &scene.main }
}

/// Returns the event to send, with the validator of a first answer if the scenario needs it.
fn prepared(session: &mut Session, scenario: &Scenario) -> Result<String> {
    if !scenario.conditional {
        return Ok(scenario.event.clone());
    }
    let etag = session.invoke(&scenario.event)?.header("etag");
    let mut event: Value = serde_json::from_str(&scenario.event).unwrap_or_default();
    event["headers"]["if-none-match"] = etag.context("no ETag")?.into();
    Ok(event.to_string())
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

/// Sends one request and returns its traffic with DynamoDB. The delay makes sure that parallel
/// calls overlap.
pub(crate) fn counted(
    session: &mut Session,
    around: &Surroundings,
    event: &str,
) -> Result<(Answered, Traffic)> {
    session.invoke(event)?;
    around.endpoint.delay(OVERLAP);
    around.endpoint.take();
    let answered = session.invoke(event);
    around.endpoint.delay(Duration::ZERO);
    Ok((answered?, around.endpoint.take()))
}

struct Running {
    session: Session,
    event: String,
    traffic: Traffic,
    body: usize,
    payload: usize,
    walls: Vec<Vec<f64>>,
    cpu: f64,
}

/// Instructions a request: those of many requests less those of a few, so that start and end cancel
/// out.
pub(crate) fn instructions(
    candidate: &Candidate,
    around: &Surroundings,
    route: Route,
    event: &str,
    counted: u32,
) -> Result<u64> {
    const FEW: u32 = 10;
    let total = |requests: u32| {
        let mut session = Session::start_counted(candidate, route, around, Path::new("/dev/null"))?;
        for _ in 0..requests {
            session.invoke(event)?;
        }
        session.instructions(&around.folder)
    };
    Ok(total(FEW + counted)?.saturating_sub(total(FEW)?) / u64::from(counted.max(1)))
}

/// Runs a scenario under callgrind, which writes `out`.
pub(crate) fn under_callgrind(
    candidate: &Candidate,
    scene: &Scene,
    scenario: &Scenario,
    requests: u32,
    out: &Path,
) -> Result<()> {
    let around = around(scene, scenario);
    let mut session = Session::start_counted(candidate, scenario.route, around, out)?;
    let event = prepared(&mut session, scenario)?;
    for _ in 0..requests {
        session.invoke(&event)?;
    }
    session.instructions(&around.folder).map(drop)
}

/// Checks that the JSON equals the first candidate's, except for cursors, which differ between
/// candidates.
fn same(
    body: &str,
    reference: &mut Option<Value>,
    candidate: &Candidate,
    scenario: &Scenario,
) -> Result<()> {
    if scenario.peers.is_empty() {
        return Ok(());
    }
    let mut value: Value =
        serde_json::from_str(body).with_context(|| format!("{}: no JSON", candidate.name))?;
    plain(&mut value);
    match value.pointer_mut("/page/next") {
        Some(next) if next.is_string() => *next = "a cursor".into(),
        _ => {}
    }
    let reference = reference.get_or_insert_with(|| value.clone());
    if *reference == value {
        return Ok(());
    }
    let shown = |value: &Value| value.to_string().chars().take(300).collect::<String>();
    Err(anyhow!(
        "{} answers {} with other JSON than the first: {} instead of {}",
        candidate.name,
        scenario.name,
        shown(&value),
        shown(reference)
    ))
}

/// Normalizes numbers: 4, 4.0 and 4e0 are equal.
fn plain(value: &mut Value) {
    match value {
        Value::Number(number) => *value = number.as_f64().into(),
        Value::Array(elements) => elements.iter_mut().for_each(plain),
        Value::Object(members) => members.values_mut().for_each(plain),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
