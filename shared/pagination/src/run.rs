//! From a plan to a page: rounds of Queries until the page is full, the list has ended, or the budget is spent.

use std::{num::NonZeroU32, time::Instant};

use futures_util::future::try_join_all;

use crate::{
    Answer, Cursor, Database, Direction, Fetch, Fetched, MAX_FETCH, Page, Plan, Position, Query, Read, Row, Table, Value,
    merge::{Head, Merge},
    page::Stop,
};

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At the list's start.
    First,
    /// Where a cursor says.
    At(Cursor),
    /// After this many items, which are counted and not read. Needs [`Plan::is_unfiltered`].
    Skip(u32),
}

/// What one page may cost. A page that would cost more comes back short, with a cursor that goes on from there.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Rounds of concurrent Queries.
    pub rounds: u32,
    /// Items evaluated in all rounds. No Query asks for more than what is left; those of one round do not know of each other.
    pub evaluated: u32,
    /// Bytes of items in the answer; one item is given in any case.
    pub bytes: usize,
    /// No round is begun that would not be over by then if it took as long as the longest so far.
    pub deadline: Option<Instant>,
}

impl Default for Budget {
    /// 4 rounds, 4,000 items evaluated, 1 MiB, no deadline.
    fn default() -> Self {
        Self { rounds: 4, evaluated: 4_000, bytes: 1 << 20, deadline: None }
    }
}

/// Why there is no page.
#[derive(Debug)]
pub enum RunError<E> {
    /// A call failed.
    Database(E),
    /// [`Start::Skip`] would take more rounds than [`Budget::rounds`] allows, or stands with a filter: go by cursors instead.
    SkipTooFar,
}

impl<E: std::fmt::Display> std::fmt::Display for RunError<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database(error) => error.fmt(f),
            Self::SkipTooFar => f.write_str("too many items to skip by counting"),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for RunError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Database(error) => Some(error),
            Self::SkipTooFar => None,
        }
    }
}

impl<E> From<E> for RunError<E> {
    fn from(error: E) -> Self {
        Self::Database(error)
    }
}

/// Reads one page of at most `limit` items.
///
/// Without a filter it reads `limit` + 1 items, so that [`Page::next`] is there exactly if another item is. With filters it goes on in
/// further rounds until the page is full, and a `next` may lead to an empty page: no round is spent only to look for one more item.
///
/// # Errors
/// [`RunError::Database`] as soon as one call fails, [`RunError::SkipTooFar`].
pub async fn run<D: Database>(
    database: &D,
    plan: &Plan,
    start: &Start,
    limit: NonZeroU32,
    budget: &Budget,
) -> Result<Page<D::Item>, RunError<D::Error>> {
    let begin = Cursor { direction: Direction::Forward, after: None };
    let (cursor, from_end) = match start {
        Start::First | Start::Skip(0) => (begin, true),
        Start::At(cursor) => (cursor.clone(), cursor.after.is_none()),
        Start::Skip(count) => match skip(database, plan, *count, budget).await? {
            Some(after) => (Cursor { after: Some(after), ..begin }, false),
            None => return Ok(Page::new(&begin, false, Vec::new(), Stop::End)),
        },
    };
    let read = if plan.is_covered() { Read::Items } else { Read::Positions };
    let (rows, stop) = walk(database, plan, &cursor, limit.get(), read, budget).await?;
    let keys: Vec<_> = if plan.is_covered() { Vec::new() } else { rows.iter().map(|(i, row)| plan.key(*i, &row.position)).collect() };
    let mut page = Page::new(&cursor, from_end, rows.into_iter().map(|(_, row)| row).collect(), stop);
    if !plan.is_covered() {
        let fetched = fetch_all(database, plan.table, &keys, budget.bytes).await?;
        // What stayed unprocessed lies behind the budget: it was not read, as what is missing was.
        if let Some(unread) = fetched.iter().position(|fetched| matches!(fetched, Fetched::Unprocessed)) {
            page.truncate(unread);
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

/// Reads items by their keys, in the order of `keys`: in batches, side by side, and what DynamoDB left unprocessed again until it is there.
/// Only behind the first `bytes` bytes of items something may stay [`Fetched::Unprocessed`].
///
/// # Errors
/// The first failing call's. It is up to [`Database::fetch`] to give up on repeats.
pub async fn fetch_all<D: Database>(
    database: &D,
    table: &Table,
    keys: &[Vec<Value>],
    bytes: usize,
) -> Result<Vec<Fetched<D::Item>>, D::Error> {
    let mut all: Vec<Fetched<D::Item>> = keys.iter().map(|_| Fetched::Unprocessed).collect();
    for attempt in 0.. {
        let open = unprocessed(&all, bytes);
        if open.is_empty() {
            break;
        }
        let batches = open.chunks(MAX_FETCH).map(|batch| async move {
            let keys: Vec<_> = batch.iter().map(|&i| keys[i].clone()).collect();
            let fetched = database.fetch(&Fetch { table, keys: &keys, attempt }).await?;
            Ok((batch, fetched))
        });
        for (batch, fetched) in try_join_all(batches).await? {
            for (&i, fetched) in batch.iter().zip(fetched) {
                all[i] = fetched;
            }
        }
    }
    Ok(all)
}

/// The unprocessed keys before the place where the items found so far fill `bytes`.
fn unprocessed<I>(all: &[Fetched<I>], bytes: usize) -> Vec<usize> {
    let mut sum = 0;
    let before = all.iter().take_while(|fetched| {
        let fits = sum <= bytes;
        if let Fetched::Found(_, bytes) = fetched {
            sum += bytes;
        }
        fits
    });
    before.enumerate().filter(|(_, fetched)| matches!(fetched, Fetched::Unprocessed)).map(|(i, _)| i).collect()
}

/// The rows in walk order, each with the partition that it comes from, and why they are not more.
async fn walk<D: Database>(
    database: &D,
    plan: &Plan,
    cursor: &Cursor,
    limit: u32,
    read: Read,
    budget: &Budget,
) -> Result<(Vec<(usize, Row<D::Item>)>, Stop), D::Error> {
    let mut rows = Vec::with_capacity(limit.min(128) as usize);
    if plan.is_empty() {
        return Ok((rows, Stop::End));
    }
    let filtered = !plan.is_unfiltered();
    let mut merge = Merge::new(plan, cursor);
    let mut meter = Meter::new(budget);
    let mut bytes = 0;
    loop {
        match merge.head() {
            Head::End => return Ok((rows, Stop::End)),
            Head::Row(i) => {
                bytes += merge.bytes(i);
                if rows.len() as u64 == u64::from(limit) || (bytes > budget.bytes && !rows.is_empty()) {
                    return Ok((rows, Stop::Full));
                }
                rows.extend(merge.take(i).map(|row| (i, row)));
            }
            Head::Blocked => {
                let missing = limit - rows.len() as u32 + u32::from(!filtered || meter.rounds == 0);
                if missing == 0 {
                    return Ok((rows, Stop::Full));
                }
                if let Some(timed_out) = meter.is_spent() {
                    return Ok((rows, Stop::Spent { reached: merge.given_to(), timed_out }));
                }
                let asks = merge.asks(missing, filtered, meter.evaluated_left());
                let began = Instant::now();
                let answers = asks.into_iter().map(|(i, ask)| {
                    let query = plan.query(i, &Cursor::moved(cursor.direction, merge.read_to(i)), ask, read);
                    async move { Ok((i, one_query(database, query).await?)) }
                });
                let answers = try_join_all(answers).await?;
                meter.round(began, answers.iter().filter_map(|(_, answer)| Some(answer.as_ref()?.evaluated)).sum());
                for (i, answer) in answers {
                    merge.fill(i, answer);
                }
            }
        }
    }
}

async fn one_query<D: Database>(database: &D, query: Option<Query<'_>>) -> Result<Option<Answer<D::Item>>, D::Error> {
    match query {
        Some(query) => database.query(&query).await.map(Some),
        None => Ok(None),
    }
}

/// The position after `count` items; `None` if the list has no more than that.
///
/// One partition is counted: no item crosses the wire. Several have to be merged to know the order, so their positions are read.
async fn skip<D: Database>(database: &D, plan: &Plan, count: u32, budget: &Budget) -> Result<Option<Position>, RunError<D::Error>> {
    let start = Cursor { direction: Direction::Forward, after: None };
    if plan.is_empty() {
        return Ok(None);
    }
    if !plan.is_unfiltered() {
        return Err(RunError::SkipTooFar);
    }
    if plan.partitions() > 1 {
        let (mut rows, stop) = walk(database, plan, &start, count, Read::Positions, budget).await?;
        return match stop {
            Stop::End => Ok(None),
            Stop::Full if rows.len() as u64 == u64::from(count) => Ok(rows.pop().map(|(_, row)| row.position)),
            Stop::Full | Stop::Spent { .. } => Err(RunError::SkipTooFar),
        };
    }
    let mut meter = Meter::new(budget);
    let (mut left, mut after) = (count, None);
    while left > 0 {
        if meter.is_spent().is_some() {
            return Err(RunError::SkipTooFar);
        }
        let began = Instant::now();
        let query = plan.query(0, &Cursor::moved(Direction::Forward, after.as_ref()), left, Read::Count);
        let Some(answer) = one_query(database, query).await? else { return Ok(None) };
        meter.round(began, answer.evaluated);
        left = left.saturating_sub(answer.evaluated);
        match answer.last {
            Some(last) => after = Some(last),
            None => return Ok(None),
        }
    }
    Ok(after)
}

/// What has been spent of a [`Budget`].
struct Meter<'a> {
    budget: &'a Budget,
    rounds: u32,
    evaluated: u32,
    longest: std::time::Duration,
}

impl<'a> Meter<'a> {
    fn new(budget: &'a Budget) -> Self {
        Self { budget, rounds: 0, evaluated: 0, longest: std::time::Duration::ZERO }
    }

    fn round(&mut self, began: Instant, evaluated: u32) {
        self.rounds += 1;
        self.evaluated += evaluated;
        self.longest = self.longest.max(began.elapsed());
    }

    fn evaluated_left(&self) -> u32 {
        self.budget.evaluated.saturating_sub(self.evaluated)
    }

    /// Whether another round is too much; if so, whether that is the deadline's fault. The first round is never too much.
    fn is_spent(&self) -> Option<bool> {
        if self.rounds == 0 {
            return None;
        }
        if self.rounds >= self.budget.rounds || self.evaluated_left() == 0 {
            return Some(false);
        }
        let too_late = |deadline| Instant::now() + self.longest > deadline;
        self.budget.deadline.is_some_and(too_late).then_some(true)
    }
}

impl Plan {
    /// The primary key of the row at `position` in partition number `partition`.
    fn key(&self, partition: usize, position: &Position) -> Vec<Value> {
        let of = |name: &&'static str| {
            let partition = self.index.partition_attributes().iter().zip(&self.partitions[partition]);
            let (sort, id) = ((&self.index.sort, &position.sort), (&self.index.id, &position.id));
            partition.chain([sort, id]).find(|(attribute, _)| *attribute == name).map(|(_, value)| value.clone())
        };
        self.table.key.iter().filter_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::{Index, Order, Partition, Projects, Sort};

    static THINGS: Table = Table {
        key: &["id"],
        indexes: &[Index {
            name: Some("bySize"),
            partition: Partition::Shards("shard"),
            sort: "size",
            id: "id",
            projects: Projects::Attributes(&[]),
        }],
    };

    /// Three things, whose fetch brings only the first that is asked for.
    struct Slow;

    impl Database for Slow {
        type Item = Value;
        type Error = Infallible;

        async fn query(&self, _: &Query<'_>) -> Result<Answer<Value>, Infallible> {
            let row = |id: &str| {
                let id = Value::S(id.to_owned());
                Row { position: Position { sort: Value::N("1".to_owned()), id: id.clone() }, item: id, bytes: 0 }
            };
            Ok(Answer { rows: ["a", "b", "c"].map(row).into(), evaluated: 3, last: None })
        }

        async fn fetch(&self, fetch: &Fetch<'_>) -> Result<Vec<Fetched<Value>>, Infallible> {
            let found = |(i, key): (usize, &Vec<Value>)| if i == 0 { Fetched::Found(key[0].clone(), 10) } else { Fetched::Unprocessed };
            Ok(fetch.keys.iter().enumerate().map(found).collect())
        }
    }

    #[tokio::test]
    async fn what_is_left_unprocessed_behind_the_budget_is_not_lost() {
        let plan = Plan::new(&THINGS, &[], Sort { attribute: "size", order: Order::Ascending }, ["text"], 1).unwrap();
        for (bytes, given) in [(5, 1), (10, 1), (25, 2), (30, 3), (1_000, 3)] {
            let budget = Budget { bytes, ..Budget::default() };
            let page = run(&Slow, &plan, &Start::First, NonZeroU32::new(10).unwrap(), &budget).await.unwrap();
            let next = page.next().map(|next| next.after.unwrap().id);
            let items = page.into_items();
            assert_eq!(items.len(), given, "{bytes} bytes");
            assert_eq!(next.as_ref(), (given < 3).then(|| &items[given - 1]), "{bytes} bytes: the rest follows");
        }
    }
}
