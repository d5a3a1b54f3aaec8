//! The limits on the work for one page, and what has been used of them.

use std::time::{Duration, Instant};

/// The limits on the work for one page. A page that reaches one comes back short, with a cursor that goes on from there.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Rounds of concurrent Queries.
    pub rounds: u32,
    /// Items evaluated in all rounds together. No Query asks for more than what is left, but the Queries of one round do not share it.
    pub evaluated: u32,
    /// Bytes of the page's items, as the source counts them. A page has at least one item, however large.
    pub bytes: usize,
    /// No round begins that would end after this time if it took as long as the longest round so far.
    pub deadline: Option<Instant>,
}

impl Default for Budget {
    /// 4 rounds, 4,000 items evaluated, 1 MiB, no deadline.
    fn default() -> Self {
        Self { rounds: 4, evaluated: 4_000, bytes: 1 << 20, deadline: None }
    }
}

/// The part of a budget that is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exhausted {
    /// [`Budget::rounds`] or [`Budget::evaluated`].
    Reads,
    /// [`Budget::deadline`].
    Time,
}

/// Measures the rounds of one page against a [`Budget`].
pub(crate) struct Meter<'a> {
    budget: &'a Budget,
    rounds: u32,
    evaluated: u32,
    longest: Duration,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(budget: &'a Budget) -> Self {
        Self { budget, rounds: 0, evaluated: 0, longest: Duration::ZERO }
    }

    /// Counts a round that began at `began` and evaluated this many items.
    pub(crate) fn count(&mut self, began: Instant, evaluated: u32) {
        self.rounds += 1;
        self.evaluated = self.evaluated.saturating_add(evaluated);
        self.longest = self.longest.max(began.elapsed());
    }

    pub(crate) fn rounds(&self) -> u32 {
        self.rounds
    }

    /// How many more items may be evaluated.
    pub(crate) fn evaluated_left(&self) -> u32 {
        self.budget.evaluated.saturating_sub(self.evaluated)
    }

    /// Why no other round may begin; `None` if one may. The first round always may.
    pub(crate) fn exhausted(&self) -> Option<Exhausted> {
        if self.rounds == 0 {
            return None;
        }
        if self.rounds >= self.budget.rounds || self.evaluated_left() == 0 {
            return Some(Exhausted::Reads);
        }
        let too_late = |deadline| Instant::now() + self.longest > deadline;
        self.budget.deadline.is_some_and(too_late).then_some(Exhausted::Time)
    }
}
