//! Counts that do not depend on the machine's load: calls of DynamoDB, and instructions.

use super::setting::{around, prepared};
use crate::candidate::{Candidate, Route};
use crate::endpoint::Traffic;
use crate::scenario::Scenario;
use crate::scene::Scene;
use crate::session::{Answered, Session};
use crate::surroundings::Surroundings;
use anyhow::Result;
use std::path::Path;
use std::time::Duration;

/// A delay of every answer that is longer than the calls of one round are apart.
const OVERLAP: Duration = Duration::from_millis(5);

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
