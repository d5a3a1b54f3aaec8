//! Seals cursors, so that callers can neither read nor change them, nor use them for another list.
//!
//! Cursors are part of a response, and entity tags are made from its bytes. So sealing is
//! deterministic (AES-SIV, [RFC 5297](https://www.rfc-editor.org/rfc/rfc5297)): the same cursor
//! sealed on the same day is the same text. The identity of the list (route, conditions, order,
//! caller) is associated data, so a cursor opens only for the list that it was made for.

use std::time::{SystemTime, UNIX_EPOCH};

use aes_siv::{KeyInit, siv::Aes256Siv};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::{Cursor, Direction, Plan, Position, Value};

/// The greatest length of a sealed cursor, in characters.
pub const MAX_CURSOR_CHARS: usize = 512;
/// The size, in bytes, that the values of a position may have together: a cursor of
/// [`MAX_CURSOR_CHARS`] has room for six of them.
pub const MAX_POSITION_BYTES: usize = 346;
/// The least length of a secret, in characters.
pub const MIN_SECRET_CHARS: usize = 32;
/// The number of days (UTC) after the day of sealing during which a cursor opens.
pub const CURSOR_DAYS: u16 = 3;

const VERSION: u8 = 2;
const BACKWARD: u8 = 0b01;
const PLACED: u8 = 0b10;

/// The error of a secret with fewer than [`MIN_SECRET_CHARS`] characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cursor secret has {MIN_SECRET_CHARS} characters or more")]
pub struct SecretTooShort;

/// The error of a cursor that does not open: cut, changed, expired, made for another list or with
/// another secret. The reason is not given, so that a forger learns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor does not belong to this list, or has expired")]
pub struct InvalidCursor;

/// The error of a position that is too long for a cursor of [`MAX_CURSOR_CHARS`]. One of
/// [`MAX_POSITION_BYTES`] always fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the keys of an item are too long for a cursor of {MAX_CURSOR_CHARS} characters")]
pub struct PositionTooLong;

/// Seals and opens cursors with a secret and, while secrets are rotated, the previous one.
#[derive(Clone)]
pub struct Sealer {
    current: [u8; 64],
    previous: Option<[u8; 64]>,
    clock: Clock,
}

/// The source of the time.
#[derive(Debug, Clone, Copy)]
enum Clock {
    System,
    Stopped(SystemTime),
}

impl Clock {
    /// The number of days since 1970.
    fn today(self) -> u16 {
        let now = match self {
            Self::System => SystemTime::now(),
            Self::Stopped(time) => time,
        };
        let days = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 86_400;
        u16::try_from(days).unwrap_or(u16::MAX)
    }
}

impl std::fmt::Debug for Sealer {
    /// Shows no key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer")
            .field("previous", &self.previous.is_some())
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

impl Sealer {
    /// Derives the keys from the secrets (HKDF-SHA256,
    /// [RFC 5869](https://www.rfc-editor.org/rfc/rfc5869)). Cursors are sealed with `secret`, and
    /// open if they were sealed with `secret` or `previous`.
    ///
    /// # Errors
    /// [`SecretTooShort`] for either of them. To have no previous secret pass `None`: an empty one
    /// is too short.
    pub fn new(secret: &str, previous: Option<&str>) -> Result<Self, SecretTooShort> {
        Ok(Self {
            current: derive(secret)?,
            previous: previous.map(derive).transpose()?,
            clock: Clock::System,
        })
    }

    /// Returns a sealer with the same secrets whose clock stands still at `time`, in place of the
    /// system's. Tests need it: of expiry, and of answers that must not change from one day to the
    /// next.
    #[must_use]
    pub fn at(&self, time: SystemTime) -> Self {
        Self { clock: Clock::Stopped(time), ..self.clone() }
    }

    /// Seals a cursor for the list of `plan` in `context`: an ordered list of at most 64 parts,
    /// such as the route and, for a private list, its owner and the caller. The cursor holds the
    /// day (UTC) on which it was sealed, and the same cursor sealed on the same day is the same
    /// text.
    ///
    /// # Errors
    /// [`PositionTooLong`].
    pub fn seal(
        &self,
        cursor: &Cursor,
        plan: &Plan,
        context: &[&[u8]],
    ) -> Result<String, PositionTooLong> {
        let plaintext = encode(cursor, self.clock.today());
        let headers = context.iter().copied().chain(plan.binding());
        let sealed = Aes256Siv::new(&self.current.into())
            .encrypt(headers, &plaintext)
            .map_err(|_| PositionTooLong)?;
        let text = URL_SAFE_NO_PAD.encode(sealed);
        if text.len() > MAX_CURSOR_CHARS { Err(PositionTooLong) } else { Ok(text) }
    }

    /// Opens a cursor that [`Self::seal`] made for the same list in the same context, at most
    /// [`CURSOR_DAYS`] days ago.
    ///
    /// # Errors
    /// [`InvalidCursor`], whatever the reason.
    pub fn open(
        &self,
        text: &str,
        plan: &Plan,
        context: &[&[u8]],
    ) -> Result<Cursor, InvalidCursor> {
        if text.len() > MAX_CURSOR_CHARS {
            return Err(InvalidCursor);
        }
        let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        let open = |key: &[u8; 64]| {
            let headers = context.iter().copied().chain(plan.binding());
            Aes256Siv::new(&(*key).into()).decrypt(headers, &sealed).ok()
        };
        let plaintext = open(&self.current)
            .or_else(|| self.previous.as_ref().and_then(open))
            .ok_or(InvalidCursor)?;
        decode(&plaintext, self.clock.today(), plan.position_attributes().len())
            .ok_or(InvalidCursor)
    }
}

fn derive(secret: &str) -> Result<[u8; 64], SecretTooShort> {
    if secret.chars().count() < MIN_SECRET_CHARS {
        return Err(SecretTooShort);
    }
    let mut key = [0; 64];
    Hkdf::<Sha256>::new(None, secret.as_bytes())
        .expand(b"pagination cursor 1", &mut key)
        .map_err(|_| SecretTooShort)?;
    Ok(key)
}

/// Version, day (2 bytes), flags; then, if there is a position, each of its values with its type
/// and length (2 bytes).
fn encode(cursor: &Cursor, today: u16) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend(today.to_be_bytes());
    let way = if cursor.direction == Direction::Backward { BACKWARD } else { 0 };
    bytes.push(way | if cursor.after.is_some() { PLACED } else { 0 });
    for value in cursor.after.iter().flat_map(|position| &position.0) {
        let (tag, text) = tagged(value);
        bytes.push(tag);
        // A value whose length does not fit makes the cursor too long, which `seal` reports.
        bytes.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// Reads what [`encode`] wrote, with a position of `values` values.
fn decode(bytes: &[u8], today: u16, values: usize) -> Option<Cursor> {
    let (&[version, day_high, day_low, flags], mut rest) = bytes.split_first_chunk::<4>()?;
    let day = u16::from_be_bytes([day_high, day_low]);
    // One day ahead is possible: the clock of another machine, near midnight.
    if version != VERSION
        || day > today.saturating_add(1)
        || today > day.saturating_add(CURSOR_DAYS)
    {
        return None;
    }
    let direction = if flags & BACKWARD == 0 { Direction::Forward } else { Direction::Backward };
    let mut after = None;
    if flags & PLACED != 0 {
        let mut position = Vec::with_capacity(values);
        for _ in 0..values {
            let (&[tag, high, low], after) = rest.split_first_chunk::<3>()?;
            let (value, after) =
                after.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
            position.push(untagged(tag, value)?);
            rest = after;
        }
        after = Some(Position(position));
    }
    rest.is_empty().then_some(Cursor { direction, after })
}

fn tagged(value: &Value) -> (u8, &str) {
    match value {
        Value::S(text) => (0, text),
        Value::N(text) => (1, text),
        Value::Bool(flag) => (2, if *flag { "true" } else { "false" }),
    }
}

fn untagged(tag: u8, bytes: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(bytes).ok()?.to_owned();
    match tag {
        0 => Some(Value::S(text)),
        1 => Some(Value::N(text)),
        _ => None, // a boolean is never a key
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Index, Partition, Projects, Sort, Table};

    static ALL: Table = Table {
        key: &["id"],
        indexes: &[Index {
            name: Some("bySize"),
            partition: Partition::Shards("shard"),
            range: &["size", "id"],
            projects: Projects::All,
        }],
    };
    const SECRET: &str = "a secret that has more than thirty-two characters";
    const OTHER: &str = "another secret with more than thirty-two characters";

    fn sealer() -> Sealer {
        on(&Sealer::new(SECRET, None).unwrap(), 20_000)
    }

    /// A sealer for which it is this day since 1970.
    fn on(sealer: &Sealer, day: u64) -> Sealer {
        sealer.at(UNIX_EPOCH + Duration::from_secs(day * 86_400))
    }

    fn plan() -> Plan {
        Plan::new(&ALL, &[], Sort::ascending("size"), [], 1).unwrap()
    }

    fn cursor() -> Cursor {
        let position = Position(vec![Value::N("12.50".into()), Value::S("é-1".into())]);
        Cursor { direction: Direction::Backward, after: Some(position) }
    }

    #[test]
    fn what_was_sealed_opens_and_is_the_same_every_time() {
        let sealer = sealer();
        for cursor in [
            cursor(),
            Cursor { direction: Direction::Forward, after: None },
            Cursor { direction: Direction::Backward, after: None },
        ] {
            let text = sealer.seal(&cursor, &plan(), &[b"r"]).unwrap();
            assert_eq!(text, sealer.seal(&cursor, &plan(), &[b"r"]).unwrap());
            assert_eq!(sealer.open(&text, &plan(), &[b"r"]), Ok(cursor));
        }
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_refused() {
        let sealer = sealer();
        let text = sealer.seal(&cursor(), &plan(), &[b"r"]).unwrap();
        for length in 0..text.len() {
            assert!(sealer.open(&text[..length], &plan(), &[b"r"]).is_err());
        }
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(sealer.open(&URL_SAFE_NO_PAD.encode(changed), &plan(), &[b"r"]).is_err());
        }
    }

    #[test]
    fn a_cursor_of_the_greatest_length_opens() {
        let sealer = sealer();
        let of = |length: usize| Cursor {
            direction: Direction::Forward,
            after: Some(Position(vec![Value::N("1".into()), Value::S("k".repeat(length))])),
        };
        let seal = |length| sealer.seal(&of(length), &plan(), &[]);
        let length = (0..).take_while(|length| seal(*length).is_ok()).last().unwrap();
        let text = seal(length).unwrap();
        assert_eq!(text.len(), MAX_CURSOR_CHARS);
        assert_eq!(sealer.open(&text, &plan(), &[]), Ok(of(length)));
    }

    #[test]
    fn no_key_is_printed() {
        assert_eq!(
            format!("{:?}", Sealer::new(SECRET, Some(OTHER)).unwrap()),
            "Sealer { previous: true, clock: System, .. }"
        );
    }

    #[test]
    fn the_context_is_a_list_and_not_a_concatenation() {
        let sealer = sealer();
        let text = sealer.seal(&cursor(), &plan(), &[b"ab", b"c"]).unwrap();
        for context in [
            [b"a".as_slice(), b"bc"].as_slice(),
            &[b"abc"],
            &[b"ab", b"c", b""],
            &[b"c", b"ab"],
            &[],
        ] {
            assert!(sealer.open(&text, &plan(), context).is_err(), "{context:?}");
        }
    }

    #[test]
    fn secrets_rotate() {
        let old = Sealer::new(SECRET, None).unwrap();
        let new = Sealer::new(OTHER, Some(SECRET)).unwrap();
        let text = old.seal(&cursor(), &plan(), &[]).unwrap();
        assert!(new.open(&text, &plan(), &[]).is_ok());
        assert_ne!(new.seal(&cursor(), &plan(), &[]).unwrap(), text);
        assert!(Sealer::new(OTHER, None).unwrap().open(&text, &plan(), &[]).is_err());
        assert_eq!(Sealer::new("short", None).unwrap_err(), SecretTooShort);
        assert_eq!(Sealer::new(SECRET, Some("")).unwrap_err(), SecretTooShort);
    }

    #[test]
    fn cursors_expire_after_three_days() {
        let sealer = sealer();
        let text = sealer.seal(&cursor(), &plan(), &[]).unwrap();
        let opens = |day| on(&sealer, day).open(&text, &plan(), &[]).is_ok();
        assert!(opens(19_999) && opens(20_000) && opens(20_003));
        assert!(!opens(19_998) && !opens(20_004));
    }

    #[test]
    fn a_position_that_is_too_long_is_refused_when_it_is_sealed() {
        let sealer = sealer();
        let of = |length: usize| {
            let position = Position(vec![Value::N("1".into()), Value::S("x".repeat(length))]);
            sealer.seal(
                &Cursor { direction: Direction::Forward, after: Some(position) },
                &plan(),
                &[],
            )
        };
        assert_eq!(of(350).unwrap().len(), 503);
        assert_eq!(of(100_000), Err(PositionTooLong));
        assert!(of(357).unwrap().len() <= MAX_CURSOR_CHARS && of(358).is_err());
        let six = Position(
            [1, 1, 1, 1, 1, MAX_POSITION_BYTES - 5]
                .map(|length| Value::S("x".repeat(length)))
                .to_vec(),
        );
        let sealed = sealer
            .seal(&Cursor { direction: Direction::Forward, after: Some(six) }, &plan(), &[])
            .unwrap();
        assert_eq!(sealed.len(), MAX_CURSOR_CHARS);
    }
}
