//! Measuring: cold, warm, counted.
//!
//! - `cold`: starts, each with its first request.
//! - `warm`: many requests of one kind, by turns; memory and sizes after them.
//! - `count`: what one request costs in calls, and in instructions.
//! - `setting`: the repetitions, and the servers and the event of a scenario.
//! - `same`: the comparison of the candidates' answers.

mod cold;
mod count;
mod same;
mod setting;
mod warm;

pub(crate) use cold::{Cold, cold};
pub(crate) use count::{counted, instructions, under_callgrind};
pub(crate) use setting::{Effort, WARM_UP};
pub(crate) use warm::{Footprint, Warm, warm};
