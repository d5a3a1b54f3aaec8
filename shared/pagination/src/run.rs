//! Reads a page by its plan: rounds of Queries until the page is full, the list ends, or the budget
//! is exhausted.

use std::{num::NonZeroU32, time::Instant};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    Answer, Budget, Cursor, Direction, Fetched, Page, Plan, Position, Query, Read, Row, Source,
    Unread,
    budget::{Exhausted, Spending},
    fetch_all, first_unread,
    merge::{self, Head, Merge, OutOfOrder},
    page::Stop,
};

/// The most Queries that [`run`] makes side by side. A list of more partitions is read in several
/// steps.
pub const MAX_QUERIES_AT_ONCE: usize = 16;

/// The place in a list at which a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// The start of the list.
    First,
    /// The position of a cursor, in its direction.
    At(Cursor),
    /// After this number of items, which are counted and not read. The plan must be
    /// [unfiltered](Plan::is_unfiltered).
    Skip(u32),
}

/// The reason why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum RunError<E> {
    /// A call of the [`Source`] failed.
    #[error("DynamoDB could not be read")]
    Source(#[from] E),
    /// [`Start::Skip`] would take more rounds than [`Budget::rounds`] allows, or the list has a
    /// filter. Cursors reach any page.
    #[error("too many items to skip by counting")]
    SkipTooFar,
    /// DynamoDB answered with positions that do not move on, are out of order, or lie outside of
    /// the range that was asked for. The answer is not used, because a page made of it would repeat
    /// or skip items.
    #[error("an answer of DynamoDB is not in the order of the index")]
    OutOfOrder,
    /// [`Budget::deadline`] left no time to count the items to skip.
    #[error("no time is left to count the items to skip")]
    SkipTimedOut,
}

/// Reads one page of at most `limit` items.
///
/// Without filters it reads `limit` + 1 items, so that [`Page::next`] is `Some` exactly if another
/// item exists. With filters it reads more rounds until the page is full. Then `next` may lead to
/// an empty page, because no round is spent only to look for one more item.
///
/// # Errors
/// [`RunError::Source`] as soon as one call fails; [`RunError::SkipTooFar`];
/// [`RunError::SkipTimedOut`]; [`RunError::OutOfOrder`].
pub async fn run<S: Source>(
    source: &S,
    plan: &Plan,
    start: &Start,
    limit: NonZeroU32,
    budget: &Budget,
) -> Result<Page<S::Item>, RunError<S::Error>> {
    let (cursor, from_end) = match start {
        Start::First | Start::Skip(0) => (Cursor::START, true),
        Start::At(cursor) => (cursor.clone(), cursor.after.is_none()),
        Start::Skip(count) => match skip(source, plan, *count, budget).await? {
            Some(after) => (Cursor { after: Some(after), ..Cursor::START }, false),
            None => return Ok(Page::new(&Cursor::START, false, Vec::new(), Stop::End)),
        },
    };
    let read = if plan.is_covered() { Read::Items } else { Read::Positions };
    let (rows, stop) = walk(source, plan, &cursor, limit.get(), read, budget).await?;
    let keys: Vec<_> = if plan.is_covered() {
        Vec::new()
    } else {
        rows.iter().map(|(i, row)| plan.key(*i, &row.position)).collect()
    };
    let mut page =
        Page::new(&cursor, from_end, rows.into_iter().map(|(_, row)| row).collect(), stop);
    if !plan.is_covered() {
        let fetched = fetch_all(source, plan.table, &keys, budget).await?;
        // Keys stay unprocessed only past the budget. Unlike missing items they have not been read,
        // so the next page begins with them.
        match first_unread(&fetched, budget.bytes) {
            Some(Unread { index, timed_out: true }) => page.truncate_timed_out(index),
            Some(Unread { index, timed_out: false }) => page.truncate(index),
            None => {}
        }
        let found = fetched.into_iter().map(|fetched| match fetched {
            Fetched::Found(item, bytes) => Some((item, bytes)),
            Fetched::Missing | Fetched::Unprocessed => None,
        });
        page.replace_items(found.collect());
        page.truncate_to_bytes(budget.bytes, 0);
    }
    Ok(page)
}

/// Returns the rows in the order of the walk, each with the number of its partition, and the reason
/// why reading stopped.
async fn walk<S: Source>(
    source: &S,
    plan: &Plan,
    cursor: &Cursor,
    limit: u32,
    read: Read,
    budget: &Budget,
) -> Result<(Vec<(usize, Row<S::Item>)>, Stop), RunError<S::Error>> {
    let mut rows = Vec::with_capacity(limit.min(128) as usize);
    if plan.is_empty() {
        return Ok((rows, Stop::End));
    }
    let filtered = !plan.is_unfiltered();
    let mut merge = Merge::new(plan, cursor);
    let mut spending = Spending::new(budget, !plan.is_covered());
    let mut bytes = 0_usize;
    loop {
        match merge.head() {
            Head::End => return Ok((rows, Stop::End)),
            Head::Row(i) => {
                bytes = bytes.saturating_add(merge.bytes(i));
                if rows.len() as u64 == u64::from(limit)
                    || (bytes > budget.bytes && !rows.is_empty())
                {
                    return Ok((rows, Stop::Full));
                }
                rows.extend(merge.take(i).map(|row| (i, row)));
            }
            Head::Blocked => {
                let missing =
                    limit - rows.len() as u32 + u32::from(!filtered || spending.rounds() == 0);
                if missing == 0 {
                    return Ok((rows, Stop::Full));
                }
                if let Some(exhausted) = spending.exhausted() {
                    return Ok((rows, Stop::Exhausted { exhausted, reached: merge.given_to() }));
                }
                let asks = merge.asks(missing, filtered, spending.evaluated_left());
                let began = Instant::now();
                let answers = asks.into_iter().map(|(i, ask)| {
                    let query = plan.query(i, cursor.direction, merge.read_to(i), ask, read);
                    async move { Ok::<_, S::Error>((i, one_query(source, query).await?)) }
                });
                let answers: Vec<_> =
                    stream::iter(answers).buffered(MAX_QUERIES_AT_ONCE).try_collect().await?;
                let evaluated =
                    answers.iter().filter_map(|(_, answer)| Some(answer.as_ref()?.evaluated));
                spending.count(began, evaluated.fold(0, u32::saturating_add));
                for (i, answer) in answers {
                    merge.fill(i, answer).map_err(|OutOfOrder| RunError::OutOfOrder)?;
                }
            }
        }
    }
}

async fn one_query<S: Source>(
    source: &S,
    query: Option<Query<'_>>,
) -> Result<Option<Answer<S::Item>>, S::Error> {
    match query {
        Some(query) => source.query(&query).await.map(Some),
        None => Ok(None),
    }
}

/// Returns the position of item number `count`; `None` if no item follows it.
///
/// A single partition is counted, and no item is sent. Several partitions must be merged to know
/// the order, so their positions are read.
async fn skip<S: Source>(
    source: &S,
    plan: &Plan,
    count: u32,
    budget: &Budget,
) -> Result<Option<Position>, RunError<S::Error>> {
    if plan.is_empty() {
        return Ok(None);
    }
    if !plan.is_unfiltered() {
        return Err(RunError::SkipTooFar);
    }
    if plan.partitions() > 1 {
        let (mut rows, stop) =
            walk(source, plan, &Cursor::START, count, Read::Positions, budget).await?;
        return match stop {
            Stop::End => Ok(None),
            Stop::Full if rows.len() as u64 == u64::from(count) => {
                Ok(rows.pop().map(|(_, row)| row.position))
            }
            Stop::Exhausted { exhausted: Exhausted::Time, .. } => Err(RunError::SkipTimedOut),
            Stop::Full | Stop::Exhausted { exhausted: Exhausted::Reads, .. } => {
                Err(RunError::SkipTooFar)
            }
        };
    }
    // The page itself is at least one round more.
    let mut spending = Spending::new(budget, true);
    let (mut left, mut after) = (count, None);
    while left > 0 {
        match spending.exhausted() {
            Some(Exhausted::Time) => return Err(RunError::SkipTimedOut),
            Some(Exhausted::Reads) => return Err(RunError::SkipTooFar),
            None => {}
        }
        let began = Instant::now();
        let query = plan.query(0, Direction::Forward, after.as_ref(), left, Read::Count);
        let Some(answer) = one_query(source, query).await? else { return Ok(None) };
        merge::check(plan, Direction::Forward, after.as_ref(), &answer)
            .map_err(|OutOfOrder| RunError::OutOfOrder)?;
        spending.count(began, answer.evaluated);
        left = left.saturating_sub(answer.evaluated);
        match answer.last {
            Some(last) => after = Some(last),
            None => return Ok(None),
        }
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::{Fetch, Index, Partition, Projects, Sort, Table, Value};

    static THINGS: Table = Table {
        key: &["id"],
        indexes: &[Index {
            name: Some("bySize"),
            partition: Partition::Shards("shard"),
            range: &["size", "id"],
            projects: Projects::Attributes(&[]),
        }],
    };

    /// Has three things; each fetch returns only the first one that it is asked for.
    struct Slow;

    impl Source for Slow {
        type Item = Value;
        type Error = Infallible;

        async fn query(&self, _: &Query<'_>) -> Result<Answer<Value>, Infallible> {
            let row = |id: &str| {
                let id = Value::S(id.to_owned());
                Row {
                    position: Position(vec![Value::N("1".to_owned()), id.clone()]),
                    item: id,
                    bytes: 0,
                }
            };
            Ok(Answer { rows: ["a", "b", "c"].map(row).into(), evaluated: 3, last: None })
        }

        async fn fetch(&self, fetch: &Fetch<'_>) -> Result<Vec<Fetched<Value>>, Infallible> {
            let found = |(i, key): (usize, &Vec<Value>)| {
                if i == 0 { Fetched::Found(key[0].clone(), 10) } else { Fetched::Unprocessed }
            };
            Ok(fetch.keys.iter().enumerate().map(found).collect())
        }
    }

    #[tokio::test]
    async fn what_is_left_unprocessed_behind_the_budget_is_not_lost() {
        let plan = Plan::new(&THINGS, &[], Sort::ascending("size"), ["text"], 1).unwrap();
        for (bytes, given) in [(5, 1), (10, 1), (25, 2), (30, 3), (1_000, 3)] {
            let budget = Budget { bytes, ..Budget::default() };
            let page = run(&Slow, &plan, &Start::First, NonZeroU32::new(10).unwrap(), &budget)
                .await
                .unwrap();
            let next = page.next().map(|next| next.after.unwrap().0[1].clone());
            let items = page.into_items();
            assert_eq!(items.len(), given, "{bytes} bytes");
            assert_eq!(
                next.as_ref(),
                (given < 3).then(|| &items[given - 1]),
                "{bytes} bytes: the rest follows"
            );
        }
    }
}
