//! The setting of a measurement: the repetitions, and the servers and the event of a scenario.

use crate::scenario::Scenario;
use crate::scene::Scene;
use crate::session::Session;
use crate::surroundings::Surroundings;
use anyhow::{Context as _, Result};
use serde_json::Value;
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
    /// The minimum time of each round trip to DynamoDB while warm requests are timed.
    pub(crate) delay: Duration,
}

/// Requests before anything warm is measured.
pub(crate) const WARM_UP: u32 = 30;

/// Returns the servers of a scenario.
pub(super) fn around<'a>(scene: &'a Scene, scenario: &Scenario) -> &'a Surroundings {
    if scenario.sharded { &scene.sharded } else { &scene.main }
}

/// Returns the event to send, with the validator of a first answer if the scenario needs it.
pub(super) fn prepared(session: &mut Session, scenario: &Scenario) -> Result<String> {
    if !scenario.conditional {
        return Ok(scenario.event.clone());
    }
    let etag = session.invoke(&scenario.event)?.header("etag");
    let mut event: Value = serde_json::from_str(&scenario.event).unwrap_or_default();
    event["headers"]["if-none-match"] = etag.context("no ETag")?.into();
    Ok(event.to_string())
}
