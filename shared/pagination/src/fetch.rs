//! Reads by primary key: in batches, in order, repeated until every key is processed.

use std::{collections::HashSet, time::Instant};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{Budget, Fetch, Fetched, MAX_FETCH, Source, Table, Value};

/// The most [`Source::fetch`] calls that [`fetch_all`] makes side by side.
pub const MAX_FETCHES_AT_ONCE: usize = 4;

/// The keys of the first round if no item's size is known: as many as a usual page has. If each
/// item has the greatest size, 400 KB, they are 10 MB, which cost 1,250 read units.
const FIRST_FETCH: usize = 25;

/// Reads items by their keys and returns them in the order of `keys`.
///
/// Each round asks for as many keys as [`Budget::bytes`] can hold, by the sizes of the items found
/// so far and, before the first one, by [`Source::expected_bytes`]. Keys that DynamoDB leaves
/// unprocessed are read again. A key that no item can have (see [`Table::can_hold`]) is
/// [`Fetched::Missing`] and is not asked for; a key that stands in `keys` again is missing at the
/// later places.
///
/// Keys stay [`Fetched::Unprocessed`] for two reasons: the items before them have more bytes than
/// the budget, or another round would not end before [`Budget::deadline`] (with
/// [`Budget::rounds_after`] held back); [`first_unread`] tells which. The first round is always
/// made.
///
/// # Errors
/// The first error of a call. [`Source::fetch`] decides when to stop repeating.
pub async fn fetch_all<S: Source>(
    source: &S,
    table: &Table,
    keys: &[Vec<Value>],
    budget: &Budget,
) -> Result<Vec<Fetched<S::Item>>, S::Error> {
    let mut known = HashSet::new();
    let new = |key: &Vec<Value>| {
        table.can_hold(key) && known.insert(key.iter().map(Value::canonical).collect::<Vec<_>>())
    };
    let mut all: Vec<_> = keys
        .iter()
        .map(new)
        .map(|ask| if ask { Fetched::Unprocessed } else { Fetched::Missing })
        .collect();
    let (mut attempt, mut longest) = (0, None);
    let mut most = source.expected_bytes().map_or(FIRST_FETCH, |size| that_fit(budget.bytes, size));
    loop {
        let (mut open, sizes) = unprocessed(&all, budget.bytes);
        open.truncate(sizes.next(budget.bytes).unwrap_or(most));
        if open.is_empty()
            || (attempt == 0 && longest.is_some_and(|longest| budget.is_too_late(longest)))
        {
            break;
        }
        let began = Instant::now();
        let batches = open.chunks(MAX_FETCH).map(|batch| async move {
            let keys: Vec<_> = batch.iter().map(|&i| keys[i].clone()).collect();
            let fetched = source.fetch(&Fetch { table, keys: &keys, attempt }).await?;
            Ok((batch, fetched))
        });
        let batches: Vec<_> =
            stream::iter(batches).buffered(MAX_FETCHES_AT_ONCE).try_collect().await?;
        for (batch, fetched) in batches {
            for (&i, fetched) in batch.iter().zip(fetched) {
                all[i] = fetched;
            }
        }
        longest = longest.max(Some(began.elapsed()));
        let repeats = open.iter().any(|&i| matches!(all[i], Fetched::Unprocessed));
        attempt = if repeats { attempt + 1 } else { 0 };
        most = MAX_FETCH;
    }
    Ok(all)
}

/// The first key that [`fetch_all`] left [`Fetched::Unprocessed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread {
    /// Its index.
    pub index: usize,
    /// True if the time was up. Otherwise the items before it have more bytes than the budget.
    pub timed_out: bool,
}

/// Returns the first key that [`fetch_all`] did not read with a budget of so many `bytes`; `None` if
/// it read all.
#[must_use]
pub fn first_unread<I>(fetched: &[Fetched<I>], bytes: usize) -> Option<Unread> {
    let index = fetched.iter().position(|fetched| matches!(fetched, Fetched::Unprocessed))?;
    Some(Unread { index, timed_out: !unprocessed(fetched, bytes).0.is_empty() })
}

/// The items found so far.
struct Sizes {
    found: usize,
    bytes: usize,
}

impl Sizes {
    /// Returns the number of keys to ask for next so that the items found have `budget` bytes;
    /// `None` if none was found yet.
    fn next(&self, budget: usize) -> Option<usize> {
        let mean = self.bytes.checked_div(self.found)?;
        Some(that_fit(budget.saturating_sub(self.bytes), mean))
    }
}

/// Returns how many items of this size are needed to have more than `bytes` bytes, at most what one
/// round can fetch.
fn that_fit(bytes: usize, size: usize) -> usize {
    let most = MAX_FETCHES_AT_ONCE * MAX_FETCH;
    bytes.checked_div(size).map_or(most, |fit| (fit + 1).min(most))
}

/// Returns the indexes of the unprocessed keys, up to the item at which those found so far have
/// more than `bytes` bytes, and the sizes of the items before it.
fn unprocessed<I>(all: &[Fetched<I>], bytes: usize) -> (Vec<usize>, Sizes) {
    let (mut open, mut sizes) = (Vec::new(), Sizes { found: 0, bytes: 0 });
    for (i, fetched) in all.iter().enumerate() {
        if sizes.bytes > bytes {
            break;
        }
        match fetched {
            Fetched::Found(_, bytes) => {
                sizes.found += 1;
                sizes.bytes = sizes.bytes.saturating_add(*bytes);
            }
            Fetched::Unprocessed => open.push(i),
            Fetched::Missing => {}
        }
    }
    (open, sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_behind_what_the_page_holds_are_not_asked_for() {
        let all = [
            Fetched::Found((), 100),
            Fetched::Missing,
            Fetched::Unprocessed,
            Fetched::Found((), 100),
            Fetched::Unprocessed,
        ];
        let open = |bytes| unprocessed(&all, bytes).0;
        assert_eq!(open(99), [0; 0], "the first item alone is too large");
        assert_eq!(open(100), [2]);
        assert_eq!(open(199), [2]);
        assert_eq!(open(200), [2, 4], "there may be room for an item without a byte");
        let timed_out =
            |bytes| first_unread(&all, bytes).map(|unread| (unread.index, unread.timed_out));
        assert_eq!(timed_out(99), Some((2, false)));
        assert_eq!(timed_out(100), Some((2, true)), "items behind it do not count");
        assert_eq!(timed_out(1_000), Some((2, true)));
        assert_eq!(first_unread(&all[..2], 1), None);
    }
}
