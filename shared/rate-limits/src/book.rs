//! The leases and refusals of one process.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use crate::caller::Caller;
use crate::policy::{Policy, seconds_up};

/// The number of callers that a book remembers, unless it is made with another.
pub const MAX_CALLERS: usize = 1_024;

/// The time for which a caller stays refused after the store throttled the caller's key.
const THROTTLED_FOR: Duration = Duration::from_secs(1);

/// The leases and refusals of one process, under one policy. It can be shared by the threads of the
/// process.
#[derive(Debug)]
pub struct Book {
    policy: Policy,
    capacity: usize,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    of: HashMap<Caller, Page>,
    /// The number of asks so far, to know which caller asked least recently.
    asks: u64,
}

/// The state of one caller in one window, as the process knows it.
#[derive(Debug, Clone, Copy)]
struct Page {
    window: u64,
    /// The units in hand.
    left: u32,
    /// The size of the next lease.
    next: u32,
    /// The units that all processes together had taken, when the store last answered.
    used: u64,
    /// The store has no unit left.
    exhausted: bool,
    /// The caller is refused until this time.
    closed: Option<SystemTime>,
    asked: u64,
}

impl Page {
    fn of(window: u64) -> Self {
        Self { window, left: 0, next: 1, used: 0, exhausted: false, closed: None, asked: 0 }
    }

    fn standing(&self, policy: &Policy, reset: u32) -> Standing {
        let unleased = u64::from(policy.quota()).saturating_sub(self.used);
        // At most the quota, so it fits.
        let unleased = u32::try_from(unleased).unwrap_or(u32::MAX);
        Standing { remaining: self.left.saturating_add(unleased).min(policy.quota()), reset }
    }
}

/// The rest of a quota that a caller may use, as far as this process knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The units that are left: those in hand, and those that nobody had taken when the store last
    /// answered. It is a hint: other processes may have taken or returned nothing since.
    pub remaining: u32,
    /// The seconds until the quota is whole again, rounded up.
    pub reset: u32,
}

/// The decision on one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The request is within the quota. Its cost is spent.
    Admitted(Standing),
    /// The request would exceed the quota. It costs nothing.
    Refused(Standing),
}

/// The answer to [`Book::ask`].
#[derive(Debug)]
pub enum Asked {
    /// This process can decide alone.
    Decided(Verdict),
    /// The store must be asked for more units.
    Lease(Lease),
}

/// Units of quota that a process wants to take. End it with [`Book::granted`], [`Book::failed`] or
/// [`Book::throttled`].
#[derive(Debug)]
#[must_use = "the request is decided by `Book::granted`"]
pub struct Lease {
    caller: Caller,
    window: u64,
    expires: u64,
    reset: u32,
    cost: u32,
    /// The units in hand that this request will use, too.
    held: u32,
    units: u32,
}

impl Lease {
    /// Returns the key of the counter in the store: the caller and the number of the window.
    #[must_use]
    pub fn key(&self) -> (Caller, u64) {
        (self.caller, self.window)
    }

    /// Returns the units to add to the counter.
    #[must_use]
    pub fn units(&self) -> u32 {
        self.units
    }

    /// Returns the time from which the store can forget the counter, in seconds since 1970: an hour
    /// after the window's end, so that a process with a slow clock still finds it.
    #[must_use]
    pub fn expires(&self) -> u64 {
        self.expires
    }
}

impl Book {
    /// Makes an empty book for at most [`MAX_CALLERS`] callers.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self::with_capacity(policy, MAX_CALLERS)
    }

    /// Makes an empty book for at most this many callers, but at least one. If more callers ask in
    /// one window, the one who asked least recently is forgotten: its lease is stranded, or its
    /// refusal costs another write.
    #[must_use]
    pub fn with_capacity(policy: Policy, callers: usize) -> Self {
        Self { policy, capacity: callers.max(1), pages: Mutex::default() }
    }

    /// Returns the policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Returns the number of callers that are remembered.
    #[must_use]
    pub fn callers(&self) -> usize {
        self.pages().of.len()
    }

    /// Asks for `cost` units at the time `now`. A cost of 0 counts as 1, and one above the quota as
    /// the whole quota.
    ///
    /// The first lease has one unit, each next one of the window twice as many, up to
    /// [`Policy::longest_lease`], but always enough for this request. So a caller who sends a
    /// single request strands nothing, and one who sends many costs few writes.
    pub fn ask(&self, caller: Caller, cost: u32, now: SystemTime) -> Asked {
        let window = self.policy.window_number(now);
        let (cost, reset) = (self.policy.cost(cost), self.policy.reset(now));
        let mut pages = self.pages();
        pages.asks += 1;
        let asked = pages.asks;
        if !pages.of.contains_key(&caller) {
            pages.make_room(window, self.capacity);
        }
        let page = pages.of.entry(caller).or_insert_with(|| Page::of(window));
        if page.window != window {
            // What is left of another window cannot be used in this one.
            *page = Page::of(window);
        }
        page.asked = asked;
        if let Some(until) = page.closed {
            match until.duration_since(now) {
                Ok(left) if !left.is_zero() => {
                    return refused(Standing { remaining: 0, reset: seconds_up(left) });
                }
                _ => page.closed = None,
            }
        }
        if page.left >= cost {
            page.left -= cost;
            return Asked::Decided(Verdict::Admitted(page.standing(&self.policy, reset)));
        }
        if page.exhausted {
            return refused(page.standing(&self.policy, reset));
        }
        // The units in hand belong to this request now, in case another one asks meanwhile.
        let held = std::mem::take(&mut page.left);
        let units = page.next.max(cost - held);
        page.next = page.next.saturating_mul(2).min(self.policy.longest_lease());
        let expires = self.policy.window_end(window).saturating_add(KEPT_SECONDS);
        Asked::Lease(Lease { caller, window, expires, reset, cost, held, units })
    }

    /// Decides on the request of a lease. `used` is the counter after the lease's units were added
    /// to it.
    ///
    /// Returns `None` if the counter is less than what was added to it: then it is no counter, and
    /// the lease counts as [failed](Self::failed).
    #[must_use]
    pub fn granted(&self, lease: Lease, used: u64) -> Option<Verdict> {
        let Some(before) = used.checked_sub(u64::from(lease.units)) else {
            self.failed(lease);
            return None;
        };
        let free = u64::from(self.policy.quota()).saturating_sub(before);
        let granted = u32::try_from(free).unwrap_or(u32::MAX).min(lease.units);
        let total = lease.held.saturating_add(granted);
        Some(self.on_page(&lease, |page| {
            page.used = page.used.max(used);
            page.exhausted |= granted < lease.units;
            let rest = total.checked_sub(lease.cost);
            page.left = page.left.saturating_add(rest.unwrap_or(total));
            let standing = page.standing(&self.policy, lease.reset);
            match rest {
                Some(_) => Verdict::Admitted(standing),
                None => Verdict::Refused(standing),
            }
        }))
    }

    /// Ends a lease that the store did not answer, or not with a counter. Whether its request is
    /// admitted is the owner's choice; nothing is spent of what is in hand. Units that the store
    /// added all the same are stranded.
    pub fn failed(&self, lease: Lease) {
        self.on_page(&lease, |page| page.left = page.left.saturating_add(lease.held));
    }

    /// Refuses the request of a lease whose key the store throttled, and every other request of the
    /// caller to this process within a second after `now`.
    ///
    /// A store that counts one caller's requests throttles the key of a caller only if the caller
    /// sends more requests than any quota allows. To admit them would lift the limit for exactly
    /// the caller that it is for.
    #[must_use]
    pub fn throttled(&self, lease: Lease, now: SystemTime) -> Standing {
        self.on_page(&lease, |page| {
            page.left = page.left.saturating_add(lease.held);
            page.closed = now.checked_add(THROTTLED_FOR);
        });
        Standing { remaining: 0, reset: seconds_up(THROTTLED_FOR) }
    }

    /// Changes the page of a lease's window. If the caller has been forgotten or is in another
    /// window by now, the change is lost with that window.
    fn on_page<T>(&self, lease: &Lease, change: impl FnOnce(&mut Page) -> T) -> T {
        match self.pages().of.get_mut(&lease.caller) {
            Some(page) if page.window == lease.window => change(page),
            _ => change(&mut Page::of(lease.window)),
        }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    /// Makes room for one more caller: forgets those of other windows, then the one who asked least
    /// recently.
    fn make_room(&mut self, window: u64, capacity: usize) {
        if self.of.len() < capacity {
            return;
        }
        self.of.retain(|_, page| page.window == window);
        while self.of.len() >= capacity {
            let Some(oldest) =
                self.of.iter().min_by_key(|(_, page)| page.asked).map(|(caller, _)| *caller)
            else {
                return;
            };
            self.of.remove(&oldest);
        }
    }
}

fn refused(standing: Standing) -> Asked {
    Asked::Decided(Verdict::Refused(standing))
}

/// The time for which a counter is kept after its window.
const KEPT_SECONDS: u64 = 3_600;

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    /// A book with the only counter, in a store that fails on demand.
    struct Shop {
        book: Book,
        used: HashMap<(Caller, u64), u64>,
        writes: u32,
    }

    impl Shop {
        fn new(quota: u32) -> Self {
            let policy = Policy::new("caller", quota, 60).unwrap();
            Self { book: Book::new(policy), used: HashMap::new(), writes: 0 }
        }

        fn caller(&self, name: &str) -> Caller {
            self.book.policy().caller(name)
        }

        fn request(&mut self, name: &str, cost: u32, second: u64) -> Verdict {
            match self.book.ask(self.caller(name), cost, at(second)) {
                Asked::Decided(verdict) => verdict,
                Asked::Lease(lease) => {
                    self.writes += 1;
                    let used = self.used.entry(lease.key()).or_default();
                    *used += u64::from(lease.units());
                    self.book.granted(lease, *used).unwrap()
                }
            }
        }

        fn lease(&self, cost: u32, second: u64) -> Lease {
            match self.book.ask(self.caller("u-1"), cost, at(second)) {
                Asked::Lease(lease) => lease,
                other => panic!("{other:?}"),
            }
        }
    }

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    fn is_admitted(verdict: Verdict) -> bool {
        matches!(verdict, Verdict::Admitted(_))
    }

    #[test]
    fn thirty_requests_of_one_caller_are_six_writes() {
        let mut shop = Shop::new(600);
        for i in 0..30 {
            assert!(is_admitted(shop.request("u-1", 1, i)));
        }
        assert_eq!(shop.writes, 6, "leases of 1, 2, 4, 8, 8, 8");
        assert_eq!(shop.used.values().sum::<u64>(), 31);
    }

    #[test]
    fn a_refusal_is_remembered_until_the_window_ends_and_costs_no_write() {
        let mut shop = Shop::new(3);
        let verdicts: Vec<_> = (0..3).map(|i| is_admitted(shop.request("u-1", 1, i))).collect();
        assert_eq!(verdicts, [true; 3]);
        let writes = shop.writes;
        for second in 3..60 {
            let reset = u32::try_from(60 - second).unwrap();
            let refused = Verdict::Refused(Standing { remaining: 0, reset });
            assert_eq!(shop.request("u-1", 1, second), refused);
        }
        assert_eq!(shop.writes, writes + 1);
        assert!(is_admitted(shop.request("u-2", 1, 59)), "another caller");
        assert!(is_admitted(shop.request("u-1", 1, 60)), "the next window");
    }

    #[test]
    fn a_request_costs_what_it_costs() {
        let mut shop = Shop::new(10);
        assert!(is_admitted(shop.request("u-1", 4, 0)));
        assert!(is_admitted(shop.request("u-1", 5, 0)));
        let left = Verdict::Refused(Standing { remaining: 1, reset: 60 });
        assert_eq!(shop.request("u-1", 2, 0), left, "one is left, which is too little");
        assert!(is_admitted(shop.request("u-1", 1, 0)), "and enough for this");
        assert!(!is_admitted(shop.request("u-1", 1, 0)));
        // Above the quota: admitted if nothing else was spent in the window.
        assert!(is_admitted(shop.request("u-2", 11, 0)));
        assert!(!is_admitted(shop.request("u-2", 0, 0)), "0 counts as 1");
    }

    #[test]
    fn the_hint_is_what_is_in_hand_and_what_nobody_took() {
        let mut shop = Shop::new(600);
        let remaining: Vec<_> = (0..5)
            .map(|second| match shop.request("u-1", 1, second) {
                Verdict::Admitted(standing) => standing.remaining,
                Verdict::Refused(_) => panic!("refused"),
            })
            .collect();
        assert_eq!(remaining, [599, 598, 597, 596, 595]);
    }

    #[test]
    fn a_failed_lease_spends_nothing_and_a_throttled_one_closes_for_a_second() {
        let shop = Shop::new(160);
        let lease = shop.lease(1, 0);
        shop.book.failed(lease);
        let lease = shop.lease(1, 0);
        assert_eq!(shop.book.granted(lease, 0), None, "a counter below what was added");
        let lease = shop.lease(1, 0);
        assert_eq!(lease.units(), 4, "each ask of a window asks for more");
        assert_eq!(shop.book.throttled(lease, at(0)), Standing { remaining: 0, reset: 1 });
        let ask = |time| shop.book.ask(shop.caller("u-1"), 1, time);
        assert!(matches!(
            ask(at(0) + Duration::from_millis(999)),
            Asked::Decided(Verdict::Refused(_))
        ));
        assert!(matches!(ask(at(1)), Asked::Lease(_)));
    }

    #[test]
    fn what_is_in_hand_belongs_to_one_request() {
        let shop = Shop::new(160);
        let first = shop.lease(1, 0);
        assert_eq!(shop.book.granted(first, 1).map(is_admitted), Some(true));
        let second = shop.lease(1, 0);
        assert_eq!(second.units(), 2);
        assert_eq!(shop.book.granted(second, 3).map(is_admitted), Some(true));
        // One unit is in hand. A request of 3 takes it, and one that comes meanwhile does not.
        let third = shop.lease(3, 0);
        let fourth = shop.lease(1, 0);
        assert_eq!((third.held, fourth.held), (1, 0));
        shop.book.failed(third);
        shop.book.failed(fourth);
        let in_hand = shop.book.ask(shop.caller("u-1"), 1, at(0));
        assert!(matches!(in_hand, Asked::Decided(Verdict::Admitted(_))), "it was given back");
    }

    #[test]
    fn a_grant_for_a_window_that_has_ended_leaves_nothing_in_the_next() {
        let mut shop = Shop::new(160);
        for _ in 0..3 {
            shop.request("u-1", 1, 0);
        }
        let late = shop.lease(1, 59);
        assert_eq!(late.units(), 4);
        assert!(is_admitted(shop.request("u-1", 1, 60)));
        assert_eq!(shop.book.granted(late, 7).map(is_admitted), Some(true));
        assert_eq!(shop.lease(1, 60).held, 0);
    }

    /// The edge of a window for two processes whose clocks differ by 2 s: each window's quota holds,
    /// and within 2 s of the edge a caller can use parts of both.
    #[test]
    fn clocks_that_differ_by_two_seconds_move_the_edges_and_break_no_quota() {
        let policy = Policy::new("caller", 10, 60).unwrap();
        let (slow, fast) = (Book::new(policy), Book::new(policy));
        let caller = policy.caller("u-1");
        let mut used: HashMap<(Caller, u64), u64> = HashMap::new();
        let mut request = |book: &Book, second: u64| {
            let verdict = match book.ask(caller, 1, at(second)) {
                Asked::Decided(verdict) => verdict,
                Asked::Lease(lease) => {
                    let counter = used.entry(lease.key()).or_default();
                    *counter += u64::from(lease.units());
                    book.granted(lease, *counter).unwrap()
                }
            };
            u32::from(is_admitted(verdict))
        };
        // Per true second: what each process admits of 15 requests. The fast clock is 2 s ahead.
        let mut admitted = Vec::new();
        for second in 57..=63 {
            let both = (0..15).fold((0, 0), |(by_slow, by_fast), _| {
                (by_slow + request(&slow, second), by_fast + request(&fast, second + 2))
            });
            admitted.push(both);
        }
        // 57: both are in the first window and share its quota. 58: the fast one is in the second.
        assert_eq!(admitted[0].0 + admitted[0].1, 10);
        assert_eq!(admitted[1], (0, 10));
        // 60: the slow one follows, and finds the quota of the second window used up.
        assert_eq!(admitted[2..], [(0, 0); 5]);
    }

    #[test]
    fn the_number_of_callers_is_bounded_and_the_least_recent_is_forgotten() {
        let policy = Policy::new("caller", 160, 60).unwrap();
        let book = Book::with_capacity(policy, 3);
        let names = ["a", "b", "c", "a", "d"];
        let lease = |name: &str, second| match book.ask(policy.caller(name), 1, at(second)) {
            Asked::Lease(lease) => lease.units(),
            other => panic!("{other:?}"),
        };
        let sizes: Vec<_> = names.iter().map(|name| lease(name, 0)).collect();
        assert_eq!((sizes, book.callers()), (vec![1, 1, 1, 2, 1], 3));
        assert_eq!((lease("a", 0), lease("b", 0)), (4, 1), "`b` was forgotten, `a` was not");
        assert_eq!((lease("e", 60), book.callers()), (1, 1), "other windows are forgotten first");
        assert_eq!((lease("f", 120), book.callers()), (1, 2), "and only to make room");
    }

    #[test]
    fn of_many_callers_the_least_recent_are_forgotten() {
        let policy = Policy::new("caller", 160, 60).unwrap();
        let book = Book::with_capacity(policy, 64);
        let lease = |number: u32| match book.ask(policy.caller(&number.to_string()), 1, at(0)) {
            Asked::Lease(lease) => lease.units(),
            other => panic!("{other:?}"),
        };
        for number in 0..64 {
            assert_eq!(lease(number), 1);
        }
        // The first half asks again, so the second half is forgotten, in its order.
        for number in 0..32 {
            assert_eq!(lease(number), 2);
        }
        for number in 64..96 {
            assert_eq!(lease(number), 1);
        }
        for number in 0..32 {
            assert_eq!(lease(number), 4, "{number} was forgotten");
        }
    }

    #[test]
    fn a_lease_says_what_to_add_and_how_long_to_keep_it() {
        let mut shop = Shop::new(160);
        let lease = shop.lease(1, 59);
        assert_eq!((lease.units(), lease.key().1, lease.expires()), (1, 0, 60 + 3_600));
        shop.book.failed(lease);
        let lease = shop.lease(1, 60);
        assert_eq!((lease.units(), lease.key().1, lease.expires()), (1, 1, 120 + 3_600));
        shop.book.failed(lease);
        shop.request("u-1", 1, 60);
        // A request takes what is in hand and asks for the rest of its cost, if that is more than
        // the next lease.
        let lease = shop.lease(30, 60);
        assert_eq!((lease.held, lease.units()), (1, 29));
    }
}
