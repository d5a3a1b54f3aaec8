//! Any interleaving of processes keeps the quota, and strands no more than is stated.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::collection::vec;
use proptest::prelude::*;
use rate_limits::{Asked, Book, Caller, Lease, Policy, Verdict};

const WINDOW: u32 = 10;
const CALLERS: [&str; 3] = ["u-1", "u-2", "u-3"];

/// One thing that happens to one of the processes.
#[derive(Debug, Clone)]
enum Step {
    /// A request comes.
    Ask { process: usize, caller: usize, cost: u32 },
    /// The store adds a lease's units, and the answer arrives.
    Answer { process: usize },
    /// The store adds a lease's units, and the answer gets lost.
    Lose { process: usize },
    /// The store refuses a lease.
    Fail { process: usize },
    /// Time passes, in milliseconds.
    Wait(u64),
}

fn step(greatest_cost: u32) -> impl Strategy<Value = Step> {
    let process = 0..8_usize;
    let ask = (process.clone(), 0..CALLERS.len(), 1..=greatest_cost)
        .prop_map(|(process, caller, cost)| Step::Ask { process, caller, cost });
    prop_oneof![
        20 => ask,
        20 => process.clone().prop_map(|process| Step::Answer { process }),
        1 => process.clone().prop_map(|process| Step::Lose { process }),
        1 => process.prop_map(|process| Step::Fail { process }),
        2 => (0..2_500_u64).prop_map(Step::Wait),
    ]
}

/// The units of a caller in a window that were admitted, and those that its processes still hold.
#[derive(Debug, Default)]
struct Tally {
    admitted: u64,
    /// Units that a lost answer took.
    lost: u64,
    is_refused: bool,
}

struct Process {
    book: Book,
    /// The difference to the true time, in milliseconds.
    skew: u64,
    /// Leases without an answer, with the costs of their requests.
    open: Vec<(Lease, u32)>,
}

struct World {
    policy: Policy,
    now: SystemTime,
    processes: Vec<Process>,
    store: HashMap<(Caller, u64), u64>,
    tallies: HashMap<(Caller, u64), Tally>,
    at_once: usize,
    writes: u64,
}

impl World {
    fn new(quota: u32, skews: &[u64], at_once: usize) -> Self {
        let policy = Policy::new("caller", quota, WINDOW).unwrap();
        let process =
            |skew: &u64| Process { book: Book::new(policy), skew: *skew, open: Vec::new() };
        Self {
            policy,
            now: UNIX_EPOCH + Duration::from_secs(1_750_000_000),
            processes: skews.iter().map(process).collect(),
            store: HashMap::new(),
            tallies: HashMap::new(),
            at_once,
            writes: 0,
        }
    }

    fn run(&mut self, step: &Step) {
        let count = self.processes.len();
        match *step {
            Step::Wait(milliseconds) => self.now += Duration::from_millis(milliseconds),
            Step::Ask { process, caller, cost } => {
                let process = &mut self.processes[process % count];
                if process.open.len() >= self.at_once {
                    return;
                }
                let now = self.now + Duration::from_millis(process.skew);
                let caller = self.policy.caller(CALLERS[caller]);
                match process.book.ask(caller, cost, now) {
                    Asked::Decided(verdict) => {
                        let key = (caller, self.policy.window_number(now));
                        self.count(key, cost, verdict);
                    }
                    Asked::Lease(lease) => {
                        self.writes += 1;
                        process.open.push((lease, cost));
                    }
                }
            }
            Step::Answer { process } => {
                let process = process % count;
                let Some((lease, cost)) = self.processes[process].open.pop() else { return };
                let key = lease.key();
                let used = self.add(&lease);
                let verdict = self.processes[process].book.granted(lease, used).unwrap();
                self.count(key, cost, verdict);
            }
            Step::Lose { process } => {
                let process = process % count;
                let Some((lease, _)) = self.processes[process].open.pop() else { return };
                self.add(&lease);
                self.tallies.entry(lease.key()).or_default().lost += u64::from(lease.units());
                self.processes[process].book.failed(lease);
            }
            Step::Fail { process } => {
                let process = &mut self.processes[process % count];
                if let Some((lease, _)) = process.open.pop() {
                    process.book.failed(lease);
                }
            }
        }
    }

    fn add(&mut self, lease: &Lease) -> u64 {
        let used = self.store.entry(lease.key()).or_default();
        *used += u64::from(lease.units());
        *used
    }

    fn count(&mut self, key: (Caller, u64), cost: u32, verdict: Verdict) {
        let tally = self.tallies.entry(key).or_default();
        match verdict {
            Verdict::Admitted(standing) => {
                // A cost above the quota counts as the quota.
                tally.admitted += u64::from(cost.min(self.policy.quota()));
                assert!(standing.remaining <= self.policy.quota());
            }
            Verdict::Refused(standing) => {
                tally.is_refused = true;
                assert!(standing.reset >= 1 && standing.reset <= WINDOW);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 1_000 }))]

    /// Whatever the clocks, the number of requests at once, and the answers that get lost.
    #[test]
    fn no_more_than_the_quota_is_admitted_in_a_window(
        quota in prop_oneof![1..20_u32, 100..300_u32],
        skews in vec(0..4_000_u64, 1..8),
        at_once in 1..4_usize,
        steps in vec(step(7), 0..600),
    ) {
        let mut world = World::new(quota, &skews, at_once);
        for step in &steps {
            world.run(step);
            for (key, tally) in &world.tallies {
                prop_assert!(tally.admitted <= u64::from(quota), "{key:?} {tally:?}");
            }
        }
    }

    /// When a caller has been refused, all of the quota was used except what the processes hold
    /// unspent, and what lost answers took.
    #[test]
    fn no_more_than_is_stated_is_stranded(
        quota in prop_oneof![1..20_u32, 100..300_u32],
        skews in vec(0..4_000_u64, 1..8),
        greatest_cost in 1..8_u32,
        steps in vec(step(7), 0..600),
    ) {
        let mut world = World::new(quota, &skews, 1);
        for step in &steps {
            world.run(&match *step {
                Step::Ask { process, caller, cost } => {
                    Step::Ask { process, caller, cost: cost.min(greatest_cost) }
                }
                ref other => other.clone(),
            });
        }
        // Leases whose answers have not come hold units, too. Their answers come now.
        for process in 0..skews.len() {
            world.run(&Step::Answer { process });
        }
        let bound = u64::from(world.policy.stranded(greatest_cost)) * skews.len() as u64;
        for (key, tally) in world.tallies.iter().filter(|(_, tally)| tally.is_refused) {
            let stranded = u64::from(quota) - tally.admitted;
            prop_assert!(stranded <= bound + tally.lost, "{key:?} {tally:?} {bound}");
        }
    }
}
