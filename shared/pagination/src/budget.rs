//! The limits on the work for one page, and what has been used of them.

use std::time::{Duration, Instant};

/// The limits on the work for one page. A page that reaches one comes back short, with a cursor
/// that goes on from there.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Rounds of concurrent Queries.
    pub rounds: u32,
    /// Items evaluated in all rounds together. No Query asks for more than what is left, but the
    /// Queries of one round do not share it.
    pub evaluated: u32,
    /// Bytes of the page's items, as the source counts them. A page has at least one item, however
    /// large.
    pub bytes: usize,
    /// No round begins if it, or what must follow the last round, would end after this time. Each
    /// is expected to take as long as the longest round so far.
    pub deadline: Option<Instant>,
    /// The rounds of calls that the caller makes for the finished page, such as one for related
    /// items. Their time is held back. For the fetch by key of a plan that is not
    /// [covered](crate::Plan::is_covered), [`run`](crate::run) holds back a round itself.
    pub rounds_after: u32,
}

impl Default for Budget {
    /// 4 rounds, 4,000 items evaluated, 1 MiB, no deadline.
    fn default() -> Self {
        Self { rounds: 4, evaluated: 4_000, bytes: 1 << 20, deadline: None, rounds_after: 0 }
    }
}

impl Budget {
    /// Returns true if a round that takes this long, and what the caller must do after it, would
    /// end after the deadline.
    pub(crate) fn is_too_late(&self, longest: Duration) -> bool {
        let needed = longest.saturating_mul(self.rounds_after.saturating_add(1));
        self.deadline
            .is_some_and(|deadline| needed > deadline.saturating_duration_since(Instant::now()))
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
pub(crate) struct Spending<'a> {
    budget: &'a Budget,
    /// True if a fetch by key follows the rounds that are measured here.
    fetches: bool,
    rounds: u32,
    evaluated: u32,
    longest: Duration,
}

impl<'a> Spending<'a> {
    pub(crate) fn new(budget: &'a Budget, fetches: bool) -> Self {
        Self { budget, fetches, rounds: 0, evaluated: 0, longest: Duration::ZERO }
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
        let budget = Budget {
            rounds_after: self.budget.rounds_after.saturating_add(u32::from(self.fetches)),
            ..*self.budget
        };
        budget.is_too_late(self.longest).then_some(Exhausted::Time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(700);

    /// Returns true if a second round may begin, after a first one of 700 seconds, with this many
    /// seconds left.
    fn may_begin(left: u64, fetches: bool, rounds_after: u32) -> bool {
        let now = Instant::now();
        let budget = Budget {
            deadline: Some(now + Duration::from_secs(left)),
            rounds_after,
            ..Budget::default()
        };
        let mut spending = Spending::new(&budget, fetches);
        spending.count(now.checked_sub(LONG).unwrap(), 1);
        spending.exhausted().is_none()
    }

    #[test]
    fn a_round_begins_only_if_it_and_what_follows_can_end_in_time() {
        assert!(!may_begin(600, false, 0), "the round itself would end too late");
        assert!(may_begin(800, false, 0));
        assert!(!may_begin(1_300, true, 0), "the fetch would end too late");
        assert!(may_begin(1_500, true, 0));
        assert!(!may_begin(1_300, false, 1), "the expansion would end too late");
        assert!(may_begin(1_500, false, 1));
        assert!(!may_begin(2_000, true, 1), "the fetch or the expansion would end too late");
        assert!(may_begin(2_200, true, 1));
    }

    #[test]
    fn a_deadline_that_has_passed_stops_all_but_the_first_round() {
        let past = Instant::now().checked_sub(LONG).unwrap();
        let budget = Budget { deadline: Some(past), ..Budget::default() };
        let mut spending = Spending::new(&budget, false);
        assert_eq!(spending.exhausted(), None);
        spending.count(past, 1);
        assert_eq!(spending.exhausted(), Some(Exhausted::Time));
    }

    #[test]
    fn counts_do_not_wrap() {
        let budget = Budget { rounds: u32::MAX, evaluated: u32::MAX, ..Budget::default() };
        let mut spending = Spending::new(&budget, true);
        for _ in 0..3 {
            spending.count(Instant::now(), u32::MAX - 1);
        }
        assert_eq!(spending.evaluated_left(), 0);
        assert_eq!(spending.exhausted(), Some(Exhausted::Reads));
    }
}
