//! The cost of one request: calls, rounds, units and time.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The cost of one request so far.
#[derive(Debug, Default)]
pub struct Meter {
    spent: Mutex<Spent>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Spent {
    calls: u32,
    in_flight: u32,
    /// The longest chain of calls that followed one another, counting those that have begun, and
    /// those that have ended.
    rounds_begun: u32,
    rounds_ended: u32,
    units: f64,
    write_units: f64,
    waited: Duration,
    /// The start of the current period with at least one call in progress.
    since: Option<Instant>,
}

impl Meter {
    /// Returns the number of rounds: a call is one round later than the calls that ended before it
    /// began, so parallel calls are one round.
    #[must_use]
    pub fn rounds(&self) -> u32 {
        self.with(|spent| spent.rounds_begun)
    }

    /// Returns the number of calls.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.with(|spent| spent.calls)
    }

    /// Returns the read capacity units.
    #[must_use]
    pub fn units(&self) -> f64 {
        self.with(|spent| spent.units)
    }

    /// Returns the write capacity units.
    #[must_use]
    pub fn write_units(&self) -> f64 {
        self.with(|spent| spent.write_units)
    }

    /// Returns the time during which at least one call was in progress.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.with(|spent| spent.waited)
    }

    /// Adds read capacity units.
    pub(crate) fn add_units(&self, units: f64) {
        self.with(|spent| spent.units += units);
    }

    /// Adds write capacity units.
    pub(crate) fn add_write_units(&self, units: f64) {
        self.with(|spent| spent.write_units += units);
    }

    /// Begins a call, which ends when the returned guard is dropped.
    pub(crate) fn begin(&self) -> InFlight<'_> {
        let round = self.with(|spent| {
            let round = spent.rounds_ended + 1;
            spent.calls += 1;
            spent.in_flight += 1;
            spent.rounds_begun = spent.rounds_begun.max(round);
            spent.since.get_or_insert_with(Instant::now);
            round
        });
        InFlight { meter: self, round }
    }

    fn with<T>(&self, f: impl FnOnce(&mut Spent) -> T) -> T {
        f(&mut self.spent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A call in progress. It also ends if it is dropped, for example because a parallel call failed.
pub(crate) struct InFlight<'a> {
    meter: &'a Meter,
    round: u32,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.meter.with(|spent| {
            spent.in_flight -= 1;
            spent.rounds_ended = spent.rounds_ended.max(self.round);
            if spent.in_flight == 0 {
                spent.waited += spent.since.take().map_or(Duration::ZERO, |since| since.elapsed());
            }
        });
    }
}
