//! The policy: how much a caller may use in which time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The greatest lease of any policy, in units of quota.
pub const LONGEST_LEASE: u32 = 8;

/// A lease is at most this part of the quota, so that a few processes do not hold most of it.
const PART_OF_QUOTA: u32 = 16;

/// The longest window: a day.
const LONGEST_WINDOW: u32 = 86_400;

/// A quota for each caller, in windows of fixed length.
///
/// ```
/// use rate_limits::Policy;
///
/// let policy = Policy::parse("caller", "600;w=60").unwrap().unwrap();
/// assert_eq!((policy.name(), policy.quota(), policy.window()), ("caller", 600, 60));
/// // A quota of 0 is no limit.
/// assert_eq!(Policy::parse("caller", "0;w=60"), Ok(None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    name: &'static str,
    quota: u32,
    window: u32,
}

/// The reason why a policy is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    /// The text is not of the form `600;w=60`.
    #[error("is not of the form `600;w=60`: units of quota, and the window in seconds")]
    Form,
    /// The quota is 0.
    #[error("has a quota of 0")]
    Quota,
    /// The window has no second, or more than a day.
    #[error("has a window that is not 1 to 86400 seconds")]
    Window,
    /// The name has other characters than a to z, digits and `-`, or none.
    #[error("has a name that is not made of a to z, digits and `-`")]
    Name,
}

impl Policy {
    /// Makes a policy of `quota` units for each caller in each window of `window` seconds.
    ///
    /// # Errors
    /// If the quota is 0, the window is not 1 to 86,400 seconds, or the name, which stands in
    /// header fields, has other characters than a to z, digits and `-`.
    pub fn new(name: &'static str, quota: u32, window: u32) -> Result<Self, InvalidPolicy> {
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || !name.bytes().all(is_plain) {
            return Err(InvalidPolicy::Name);
        }
        if quota == 0 {
            return Err(InvalidPolicy::Quota);
        }
        if !(1..=LONGEST_WINDOW).contains(&window) {
            return Err(InvalidPolicy::Window);
        }
        Ok(Self { name, quota, window })
    }

    /// Reads a policy in the form of a configuration, `600;w=60`: the quota, then the window in
    /// seconds. Returns `None` for a quota of 0, which means no limit.
    ///
    /// # Errors
    /// If the text has another form, or a value that [`Policy::new`] refuses.
    pub fn parse(name: &'static str, text: &str) -> Result<Option<Self>, InvalidPolicy> {
        // `u32` also reads a sign.
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        let parts = text.split_once(";w=");
        let numbers = parts.and_then(|(quota, window)| Some((number(quota)?, number(window)?)));
        let (quota, window) = numbers.ok_or(InvalidPolicy::Form)?;
        // The window is checked also if it is not used.
        let policy = Self::new(name, u32::max(quota, 1), window)?;
        Ok((quota > 0).then_some(policy))
    }

    /// Returns the name, which header fields and problems show.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the units that a caller can use in one window.
    #[must_use]
    pub fn quota(&self) -> u32 {
        self.quota
    }

    /// Returns the length of a window in seconds.
    #[must_use]
    pub fn window(&self) -> u32 {
        self.window
    }

    /// Returns the greatest lease: a sixteenth of the quota, but at least 1 and at most
    /// [`LONGEST_LEASE`].
    #[must_use]
    pub fn longest_lease(&self) -> u32 {
        (self.quota / PART_OF_QUOTA).clamp(1, LONGEST_LEASE)
    }

    /// Returns the most units that a process can hold unspent when a caller is refused, if it
    /// serves one request at a time and no request costs more than `greatest_cost`. P processes
    /// strand at most P times as many.
    #[must_use]
    pub fn stranded(&self, greatest_cost: u32) -> u32 {
        self.longest_lease().max(self.cost(greatest_cost)) - 1
    }

    /// Returns the cost that is counted: at least 1, and at most the quota, so that a request can
    /// be admitted at all.
    pub(crate) fn cost(&self, cost: u32) -> u32 {
        cost.clamp(1, self.quota)
    }

    /// Returns the number of the window that holds `now`. A time before 1970 is 1970.
    #[must_use]
    pub fn window_number(&self, now: SystemTime) -> u64 {
        since_epoch(now).as_secs() / u64::from(self.window)
    }

    /// Returns the time when a window ends, in seconds since 1970.
    #[must_use]
    pub fn window_end(&self, number: u64) -> u64 {
        number.saturating_add(1).saturating_mul(u64::from(self.window))
    }

    /// Returns the seconds from `now` to the end of its window: at least 1, rounded up.
    pub(crate) fn reset(&self, now: SystemTime) -> u32 {
        let end = Duration::from_secs(self.window_end(self.window_number(now)));
        seconds_up(end.saturating_sub(since_epoch(now)))
    }
}

/// Returns a duration in seconds, rounded up, and at least 1.
pub(crate) fn seconds_up(duration: Duration) -> u32 {
    let up = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    u32::try_from(up).unwrap_or(u32::MAX).max(1)
}

fn since_epoch(now: SystemTime) -> Duration {
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_strands_less_than_a_lease_or_a_request() {
        let stranded = |quota, cost| Policy::new("caller", quota, 60).unwrap().stranded(cost);
        for (quota, cost, expected) in [(160, 1, 7), (160, 25, 24), (1, 1, 0), (3, 9, 2)] {
            assert_eq!(stranded(quota, cost), expected, "{quota} units, a cost of {cost}");
        }
    }

    #[test]
    fn what_is_no_policy_is_an_error() {
        for text in [
            "",
            "600",
            "600;w",
            "600;w=",
            ";w=60",
            "600;w=60;x=1",
            "600; w=60",
            " 600;w=60",
            "600;w=60 ",
            "-1;w=60",
            "+1;w=60",
            "1e3;w=60",
            "600;w=1.5",
            "4294967296;w=60",
            "600;W=60",
            "600,w=60",
            "6OO;w=60",
            "0;w=",
        ] {
            assert_eq!(Policy::parse("caller", text), Err(InvalidPolicy::Form), "{text}");
        }
        for text in ["600;w=0", "600;w=86401", "0;w=0"] {
            assert_eq!(Policy::parse("caller", text), Err(InvalidPolicy::Window), "{text}");
        }
        assert_eq!(Policy::new("caller", 0, 60), Err(InvalidPolicy::Quota));
        for name in ["", "Caller", "a b", "a\"", "é", "a;b"] {
            assert_eq!(Policy::new(name, 1, 60), Err(InvalidPolicy::Name), "{name}");
        }
    }

    #[test]
    fn the_ends_of_the_ranges_are_policies() {
        for (text, quota, window) in
            [("1;w=1", 1, 1), ("4294967295;w=86400", u32::MAX, 86_400), ("0600;w=060", 600, 60)]
        {
            let policy = Policy::parse("caller", text).unwrap().unwrap();
            assert_eq!((policy.quota(), policy.window()), (quota, window), "{text}");
        }
    }

    #[test]
    fn a_lease_is_a_sixteenth_of_the_quota_and_at_most_eight() {
        let longest = |quota| Policy::new("caller", quota, 60).unwrap().longest_lease();
        assert_eq!(
            [1, 15, 31, 32, 64, 127, 128, 600, u32::MAX].map(longest),
            [1, 1, 1, 2, 4, 7, 8, 8, 8]
        );
    }

    #[test]
    fn a_window_ends_where_the_next_begins() {
        let policy = Policy::new("caller", 600, 60).unwrap();
        let at = |milliseconds| UNIX_EPOCH + Duration::from_millis(milliseconds);
        for (now, number, reset) in
            [(0, 0, 60), (1, 0, 60), (59_000, 0, 1), (59_999, 0, 1), (60_000, 1, 60)]
        {
            assert_eq!(policy.window_number(at(now)), number, "{now}");
            assert_eq!(policy.reset(at(now)), reset, "{now}");
        }
        assert_eq!(policy.window_end(0), 60);
        assert_eq!(policy.window_number(UNIX_EPOCH - Duration::from_secs(1)), 0);
        assert_eq!(policy.window_end(u64::MAX), u64::MAX);
    }
}
