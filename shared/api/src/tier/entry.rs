//! The layout of a stored value.
//!
//! | bytes | content |
//! |---|---|
//! | 1 | version of the layout |
//! | 32 | the whole hash of the question |
//! | 8 | the time at which the read began, in milliseconds since 1970 |
//! | 4 | the lifetime in milliseconds |
//! | 4 | the time that the read took, in microseconds |
//! | 8 | XXH3 of all other bytes |
//! | rest | the answer's body |
//!
//! Numbers are little-endian. A value that is not exactly this is no entry, and is replaced.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// The hash of a question: its name in the server.
///
/// It is SHA-256, because callers choose what is hashed, and an answer to another question with the
/// same hash would be a wrong answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// Makes a key of a hash.
    pub(crate) fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Returns the name under which the answer is stored.
    pub(crate) fn name(&self) -> String {
        format!("lr1:{}", URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// A number from 0 to 1 that decides whether a request refreshes an entry before its end. It is
/// drawn from the request's id, which is random already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw(f64);

impl Draw {
    /// Draws for the request with this id.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub(crate) fn of(request_id: &str) -> Self {
        let bits = xxh3_64(request_id.as_bytes()) >> 11;
        // Never 0, whose logarithm is infinite.
        Self((bits + 1) as f64 / (1_u64 << 53) as f64)
    }

    /// Returns how long before its end an entry is refreshed, if reading it took `cost`: mostly
    /// less than that, seldom several times as long
    /// ([Vattani et al., VLDB 2015](https://doi.org/10.14778/2757807.2757813)). So one process
    /// refreshes it while the others still use it.
    fn ahead(self, cost: Duration) -> Duration {
        cost.mul_f64(-self.0.ln())
    }
}

const VERSION: u8 = 1;
/// The part before the checksum.
const CHECKED_HEADER: usize = 1 + 32 + 8 + 4 + 4;
const HEADER: usize = CHECKED_HEADER + 8;
/// The largest body that is stored. A larger one would cost as much to fetch as to read.
const MAX_BODY: usize = 256 * 1024;
/// The largest value.
pub(super) const MAX_BYTES: usize = HEADER + MAX_BODY;

/// Makes the value of an answer whose read began at `began` and took `cost`; `None` if it is too
/// large.
pub(super) fn write(
    key: &Key,
    body: &[u8],
    lifetime: Duration,
    began: SystemTime,
    cost: Duration,
) -> Option<Vec<u8>> {
    if body.len() > MAX_BODY {
        return None;
    }
    let mut value = Vec::with_capacity(HEADER + body.len());
    value.push(VERSION);
    value.extend_from_slice(&key.0);
    value.extend_from_slice(&milliseconds(began)?.to_le_bytes());
    value.extend_from_slice(&u32::try_from(lifetime.as_millis()).ok()?.to_le_bytes());
    let cost = u32::try_from(cost.as_micros()).unwrap_or(u32::MAX);
    value.extend_from_slice(&cost.to_le_bytes());
    value.extend_from_slice(&checksum(&value, body).to_le_bytes());
    value.extend_from_slice(body);
    Some(value)
}

/// Reads a value that the server keeps for `left`: the body and its age.
///
/// Returns `None` if it is no entry of this question, if it is older than `lifetime`, or if this
/// request is to refresh it.
///
/// The age is the lifetime less what is left of it, by the server's clock. Where the clocks of the
/// processes say that it is older, they are believed: a server that was stopped before it stored
/// the value counts from when it went on.
pub(super) fn read(
    value: Vec<u8>,
    key: &Key,
    left: Duration,
    lifetime: Duration,
    now: SystemTime,
    draw: Draw,
) -> Option<(Bytes, Duration)> {
    let value = Bytes::from(value);
    let (header, body) = value.split_at_checked(HEADER)?;
    let (checked, sum) = header.split_at_checked(CHECKED_HEADER)?;
    let (version, rest) = checked.split_first()?;
    let (hash, rest) = rest.split_first_chunk::<32>()?;
    let (began, rest) = rest.split_first_chunk::<8>()?;
    let (stored_for, cost) = rest.split_first_chunk::<4>()?;
    if *version != VERSION
        || *hash != key.0
        || body.len() > MAX_BODY
        || *sum != checksum(checked, body).to_le_bytes()
    {
        return None;
    }
    let stored_for = Duration::from_millis(u32::from_le_bytes(*stored_for).into());
    let cost = Duration::from_micros(u32::from_le_bytes(cost.try_into().ok()?).into());
    // More than all of it left: somebody has changed the expiry.
    let by_the_server = stored_for.checked_sub(left)?;
    let by_the_clock =
        Duration::from_millis(milliseconds(now)?.saturating_sub(u64::from_le_bytes(*began)));
    let age = by_the_server.max(by_the_clock);
    let lifetime = lifetime.min(stored_for);
    let is_used = age + draw.ahead(cost) < lifetime;
    is_used.then(|| (value.slice(HEADER..), age))
}

fn checksum(header: &[u8], body: &[u8]) -> u64 {
    let mut sum = Xxh3::new();
    sum.update(header);
    sum.update(body);
    sum.digest()
}

fn milliseconds(time: SystemTime) -> Option<u64> {
    u64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key([7; 32]);
    const LIFETIME: Duration = Duration::from_secs(60);
    const COST: Duration = Duration::from_millis(5);
    /// A request that never refreshes early.
    const NEVER: Draw = Draw(1.0);

    fn began() -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(1_800_000_000_123)
    }

    fn value(body: &[u8]) -> Vec<u8> {
        write(&KEY, body, LIFETIME, began(), COST).unwrap()
    }

    /// Reads a value `age` after its read began, by all clocks.
    fn read_after(value: Vec<u8>, age: Duration, draw: Draw) -> Option<(Bytes, Duration)> {
        read(value, &KEY, LIFETIME.saturating_sub(age), LIFETIME, began() + age, draw)
    }

    #[test]
    fn what_is_written_is_read() {
        for body in [&b""[..], b"{}", &vec![b'x'; MAX_BODY]] {
            let age = Duration::from_millis(1_500);
            let (read, found) = read_after(value(body), age, NEVER).unwrap();
            assert_eq!((&*read, found), (body, age));
        }
        assert_eq!(write(&KEY, &vec![b'x'; MAX_BODY + 1], LIFETIME, began(), COST), None);
        assert_eq!(value(b"").len(), HEADER);
        assert_eq!(value(&vec![b'x'; MAX_BODY]).len(), MAX_BYTES);
    }

    #[test]
    fn a_value_that_is_changed_in_any_byte_or_cut_is_no_entry() {
        let good = value(br#"{"Items":[]}"#);
        let age = Duration::from_secs(1);
        for at in 0..good.len() {
            for bit in [1, 0x80] {
                let mut bad = good.clone();
                bad[at] ^= bit;
                assert_eq!(read_after(bad, age, NEVER), None, "byte {at}");
            }
            assert_eq!(read_after(good[..at].to_vec(), age, NEVER), None, "cut to {at}");
        }
        let mut long = good.clone();
        long.push(b' ');
        assert_eq!(read_after(long, age, NEVER), None);
        assert!(read_after(good, age, NEVER).is_some());
    }

    #[test]
    fn an_entry_answers_its_own_question_alone() {
        let mut other = KEY;
        other.0[31] ^= 1;
        let read = read(value(b"{}"), &other, LIFETIME, LIFETIME, began(), NEVER);
        assert_eq!(read, None);
        assert_ne!(KEY.name(), other.name());
        assert_eq!(KEY.name().len(), 4 + 43);
    }

    #[test]
    fn an_entry_is_used_until_its_lifetime_or_a_shorter_one_is_over() {
        let age = |age, lifetime| {
            let left = LIFETIME.saturating_sub(age);
            read(value(b"{}"), &KEY, left, lifetime, began() + age, NEVER).map(|(_, age)| age)
        };
        let seconds = Duration::from_secs;
        assert_eq!(age(seconds(0), LIFETIME), Some(seconds(0)));
        assert_eq!(
            age(LIFETIME - Duration::from_millis(1), LIFETIME).map(|age| age.as_millis()),
            Some(59_999)
        );
        assert_eq!(age(LIFETIME, LIFETIME), None);
        // The policy was made shorter since, or longer.
        assert_eq!(age(seconds(9), seconds(10)), Some(seconds(9)));
        assert_eq!(age(seconds(10), seconds(10)), None);
        assert_eq!(age(LIFETIME, seconds(3_600)), None);
    }

    #[test]
    fn the_older_of_two_clocks_is_believed() {
        let seconds = Duration::from_secs;
        let age =
            |left, now| read(value(b"{}"), &KEY, left, LIFETIME, now, NEVER).map(|(_, age)| age);
        // A server that was stopped for 20 seconds before it stored the value.
        assert_eq!(age(seconds(50), began() + seconds(30)), Some(seconds(30)));
        // A process whose clock is behind.
        assert_eq!(age(seconds(50), began() - seconds(300)), Some(seconds(10)));
        assert_eq!(age(seconds(50), began() + LIFETIME), None);
        // More left than it was stored for.
        assert_eq!(age(seconds(61), began()), None);
    }

    #[test]
    fn an_entry_is_refreshed_early_by_chance() {
        let refreshed =
            |left: Duration, draw| read_after(value(b"{}"), LIFETIME - left, draw).is_none();
        let half = Draw(0.5); // 0.69 of the cost ahead
        assert!(!refreshed(COST, half) && refreshed(COST / 2, half));
        let rare = Draw((-10.0_f64).exp()); // ten times the cost ahead
        assert!(!refreshed(11 * COST, rare) && refreshed(9 * COST, rare));
        assert!(!refreshed(Duration::from_millis(1), NEVER));
        // Of many requests in the last 5 ms, e to the -1 are as early as that.
        let early = (0..10_000).filter(|id| refreshed(COST, Draw::of(&format!("r-{id}")))).count();
        assert!((3_400..3_950).contains(&early), "{early}");
    }

    #[test]
    fn a_draw_is_never_nothing_and_the_same_for_the_same_request() {
        for id in 0..10_000 {
            let Draw(drawn) = Draw::of(&id.to_string());
            assert!(drawn > 0.0 && drawn <= 1.0);
        }
        assert_eq!(Draw::of("r-1").0.to_bits(), Draw::of("r-1").0.to_bits());
        let _ = Draw(1.0 / (1_u64 << 53) as f64).ahead(Duration::from_secs(4_294));
    }
}
