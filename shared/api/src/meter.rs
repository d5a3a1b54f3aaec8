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
    /// The longest chain of calls that followed one another, counting those that have begun, and
    /// those that have ended.
    rounds_begun: u32,
    rounds_ended: u32,
    units: f64,
    write_units: f64,
    database: Waited,
    tier: TierUse,
    tier_waited: Waited,
}

/// The time during which at least one of several things is in progress.
#[derive(Debug, Default, Clone, Copy)]
struct Waited {
    in_progress: u32,
    total: Duration,
    /// The start of the current period with at least one in progress.
    since: Option<Instant>,
}

impl Waited {
    fn begin(&mut self) {
        self.in_progress += 1;
        self.since.get_or_insert_with(Instant::now);
    }

    fn end(&mut self) {
        self.in_progress -= 1;
        if self.in_progress == 0 {
            self.total += self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        }
    }
}

/// The use that a request made of the cache tier. None of it is part of the other counts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TierUse {
    /// The reads that the tier answered.
    pub(crate) hits: u32,
    /// The reads that it could have answered, and had no usable answer to.
    pub(crate) misses: u32,
    /// True if it failed, or was left alone after a failure.
    pub(crate) has_failed: bool,
    /// The age of the oldest answer that it gave.
    pub(crate) age: Option<Duration>,
}

impl TierUse {
    /// Returns the word for the log line. It says `hit` only if all reads that the tier could have
    /// answered were hits.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self { has_failed: true, .. } => "open",
            Self { misses: 1.., .. } => "miss",
            Self { hits: 1.., .. } => "hit",
            Self { .. } => "off",
        }
    }
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
        self.with(|spent| spent.database.total)
    }

    /// Returns the use that the request made of the cache tier.
    pub(crate) fn tier(&self) -> TierUse {
        self.with(|spent| spent.tier)
    }

    /// Returns the time during which the tier was waited for.
    pub(crate) fn tier_waited(&self) -> Duration {
        self.with(|spent| spent.tier_waited.total)
    }

    /// Counts a read that the tier answered with an answer of this age.
    pub(crate) fn add_hit(&self, age: Duration) {
        self.with(|spent| {
            spent.tier.hits += 1;
            spent.tier.age = spent.tier.age.max(Some(age));
        });
    }

    /// Counts a read to which the tier had no usable answer.
    pub(crate) fn add_miss(&self) {
        self.with(|spent| spent.tier.misses += 1);
    }

    /// Notes that the tier failed or was left alone.
    pub(crate) fn tier_failed(&self) {
        self.with(|spent| spent.tier.has_failed = true);
    }

    /// Begins to wait for the tier, until the returned guard is dropped.
    pub(crate) fn wait_for_tier(&self) -> WaitingForTier<'_> {
        self.with(|spent| spent.tier_waited.begin());
        WaitingForTier(self)
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
            spent.rounds_begun = spent.rounds_begun.max(round);
            spent.database.begin();
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
            spent.rounds_ended = spent.rounds_ended.max(self.round);
            spent.database.end();
        });
    }
}

/// The tier is waited for.
pub(crate) struct WaitingForTier<'a>(&'a Meter);

impl Drop for WaitingForTier<'_> {
    fn drop(&mut self) {
        self.0.with(|spent| spent.tier_waited.end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls side by side are one wait, which ends with the last of them.
    #[test]
    fn time_in_which_several_calls_wait_counts_once() {
        let meter = Meter::default();
        let (first, second) = (meter.begin(), meter.begin());
        drop(first);
        assert_eq!(meter.waited(), Duration::ZERO, "the second one still waits");
        std::thread::sleep(Duration::from_millis(2));
        drop(second);
        let waited = meter.waited();
        assert!(waited >= Duration::from_millis(2));
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(meter.waited(), waited, "nothing waits");
        assert_eq!(meter.rounds(), 1);
        drop(meter.begin());
        assert_eq!((meter.rounds(), meter.calls()), (2, 3));
    }

    #[test]
    fn the_wait_for_the_tier_is_none_for_the_database() {
        let meter = Meter::default();
        let waiting = meter.wait_for_tier();
        std::thread::sleep(Duration::from_millis(2));
        drop(waiting);
        assert!(meter.tier_waited() >= Duration::from_millis(2));
        assert_eq!((meter.waited(), meter.rounds(), meter.calls()), (Duration::ZERO, 0, 0));
    }
}
