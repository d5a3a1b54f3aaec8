//! Merges the partitions of a list in order: with one partition a queue, with N of them a k-way
//! merge.
//!
//! An item is next once no partition can still return a lesser one. A partition is *dry* if its
//! buffer is empty and it has not been read to its end. Its next item can have any key after the
//! last one read, so a dry partition blocks everything after that key and nothing before it.

use std::{cmp::Ordering, collections::VecDeque};

use crate::{Answer, Cursor, Direction, Plan, Position, Row};

/// An answer that no Query of the list can have: its positions do not move on, are out of order, or
/// lie outside of the list's range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfOrder;

/// The partitions that one page is read from.
pub(crate) struct Merge<'a, I> {
    streams: Vec<Stream<I>>,
    plan: &'a Plan,
    direction: Direction,
    given: u32,
}

struct Stream<I> {
    buffer: VecDeque<Row<I>>,
    /// The position up to which it has been read. The next Query starts after it.
    read_to: Option<Position>,
    done: bool,
    /// Rows that became part of the page.
    given: u32,
    /// Rows that the filter let through.
    passed: u32,
    /// Items that were evaluated.
    evaluated: u32,
}

/// The state of the merge.
pub(crate) enum Head {
    /// The next row is in this partition's buffer.
    Row(usize),
    /// A dry partition must be read first.
    Blocked,
    /// No row is left, in any partition.
    End,
}

impl<'a, I> Merge<'a, I> {
    /// Starts at `cursor` in all partitions of `plan`.
    pub(crate) fn new(plan: &'a Plan, cursor: &Cursor) -> Self {
        let stream = || Stream {
            buffer: VecDeque::new(),
            read_to: cursor.after.clone(),
            done: false,
            given: 0,
            passed: 0,
            evaluated: 0,
        };
        Self {
            streams: (0..plan.partitions()).map(|_| stream()).collect(),
            plan,
            direction: cursor.direction,
            given: 0,
        }
    }

    /// Returns where the next row is.
    pub(crate) fn head(&self) -> Head {
        let least = self
            .streams
            .iter()
            .enumerate()
            .filter_map(|(i, stream)| Some((i, &stream.buffer.front()?.position)));
        let least = least.min_by(|(_, a), (_, b)| self.order(a, b));
        let reached = self.reached();
        match (least, reached) {
            (Some((i, _)), Reached::Everywhere) => Head::Row(i),
            (Some((i, position)), Reached::To(held))
                if self.order(position, held) != Ordering::Greater =>
            {
                Head::Row(i)
            }
            (None, Reached::Everywhere) => Head::End,
            _ => Head::Blocked,
        }
    }

    /// The size in bytes of the row at the head of partition `i`.
    pub(crate) fn bytes(&self, i: usize) -> usize {
        self.streams[i].buffer.front().map_or(0, |row| row.bytes)
    }

    /// Removes and returns the row at the head of partition `i`.
    pub(crate) fn take(&mut self, i: usize) -> Option<Row<I>> {
        let row = self.streams[i].buffer.pop_front()?;
        self.streams[i].given += 1;
        self.given += 1;
        Some(row)
    }

    /// Returns the dry partitions, and the Limit of each one's next Query so that together they
    /// return `missing` more rows.
    ///
    /// With one partition that is `missing`. With N, the share of a partition is estimated from
    /// what it gave so far (at first 1/N), plus three standard deviations, so that a second round
    /// is rare. With a filter, the estimate is divided by the share of items that passed so far.
    pub(crate) fn asks(&self, missing: u32, filtered: bool, most: u32) -> Vec<(usize, u32)> {
        let partitions = self.streams.len() as f64;
        let dry = self.streams.iter().enumerate().filter(|(_, stream)| stream.is_dry());
        dry.map(|(i, stream)| {
            let mut rows = f64::from(missing);
            if self.streams.len() > 1 {
                let share = (f64::from(stream.given) + 1.0) / (f64::from(self.given) + partitions);
                rows = f64::min(rows, rows * share + 3.0 * (rows * share).sqrt());
            }
            if filtered && stream.evaluated > 0 {
                rows *= MARGIN * f64::from(stream.evaluated) / f64::from(stream.passed.max(1));
            }
            (i, (rows.ceil() as u32).clamp(1, most.max(1)))
        })
        .collect()
    }

    /// The exclusive start of the next Query of partition `i`.
    pub(crate) fn read_to(&self, i: usize) -> Option<&Position> {
        self.streams[i].read_to.as_ref()
    }

    /// Adds the answer to a Query of partition `i`; `None` if no Query was needed because nothing
    /// can follow.
    ///
    /// # Errors
    /// If the answer is [out of order](check).
    pub(crate) fn fill(&mut self, i: usize, answer: Option<Answer<I>>) -> Result<(), OutOfOrder> {
        let stream = &mut self.streams[i];
        let Some(answer) = answer else {
            stream.done = true;
            return Ok(());
        };
        check(self.plan, self.direction, stream.read_to.as_ref(), &answer)?;
        stream.evaluated = stream.evaluated.saturating_add(answer.evaluated);
        stream.passed =
            stream.passed.saturating_add(u32::try_from(answer.rows.len()).unwrap_or(u32::MAX));
        stream.buffer.extend(answer.rows);
        stream.done = answer.last.is_none();
        if answer.last.is_some() {
            stream.read_to = answer.last;
        }
        Ok(())
    }

    /// The position up to which all rows of all partitions have been given. A page that could not
    /// be filled goes on from there.
    pub(crate) fn given_to(&self) -> Option<Position> {
        match self.reached() {
            Reached::To(position) => Some(position.clone()),
            Reached::Everywhere | Reached::Nowhere => None,
        }
    }

    /// The least position up to which a dry partition has been read.
    fn reached(&self) -> Reached<'_> {
        let mut reached = Reached::Everywhere;
        for stream in self.streams.iter().filter(|stream| stream.is_dry()) {
            reached = match (reached, &stream.read_to) {
                (Reached::Nowhere, _) | (_, None) => Reached::Nowhere,
                (Reached::To(least), Some(read_to))
                    if self.order(least, read_to) != Ordering::Greater =>
                {
                    Reached::To(least)
                }
                (_, Some(read_to)) => Reached::To(read_to),
            };
        }
        reached
    }

    fn order(&self, a: &Position, b: &Position) -> Ordering {
        // Only unique indexes are merged, so that the order is always known.
        self.plan.order(self.direction, a, b).unwrap_or(Ordering::Equal)
    }
}

/// Checks that an answer moves on: its rows ascend strictly from the position `after`, within the
/// list's range, and LastEvaluatedKey lies behind `after` and not before the last row.
///
/// DynamoDB always answers so. Anything else would repeat items, skip them, or read the same page
/// for ever.
pub(crate) fn check<I>(
    plan: &Plan,
    direction: Direction,
    after: Option<&Position>,
    answer: &Answer<I>,
) -> Result<(), OutOfOrder> {
    let before =
        |a: &Position, b: &Position| plan.order(direction, a, b).is_none_or(Ordering::is_lt);
    let mut reached = after;
    for Row { position, .. } in &answer.rows {
        let moves_on = reached.is_none_or(|reached| before(reached, position));
        if !moves_on || !plan.is_within(position) {
            return Err(OutOfOrder);
        }
        reached = Some(position);
    }
    let Some(last) = &answer.last else { return Ok(()) };
    // It is the key of the last row, unless a filter hid the items after that one.
    let is_last_row = |reached| {
        !answer.rows.is_empty() && plan.order(direction, reached, last) == Some(Ordering::Equal)
    };
    let moves_on = reached.is_none_or(|reached| before(reached, last) || is_last_row(reached));
    if moves_on && plan.is_within(last) { Ok(()) } else { Err(OutOfOrder) }
}

/// The factor on an estimate: asking for too few items costs a round trip, asking for too many
/// costs a few read units.
const MARGIN: f64 = 1.25;

/// The position up to which all dry partitions have been read.
#[derive(Clone, Copy)]
enum Reached<'a> {
    Nowhere,
    To(&'a Position),
    Everywhere,
}

impl<I> Stream<I> {
    fn is_dry(&self) -> bool {
        self.buffer.is_empty() && !self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Condition, Index, Partition, Projects, Sort, Table, Value};

    static THINGS: Table = Table {
        key: &["id"],
        indexes: &[Index {
            name: Some("byShardSize"),
            partition: Partition::Shards("shard"),
            range: &["size", "id"],
            projects: Projects::All,
        }],
    };

    /// Returns the Limits of all partitions, which have given, passed and evaluated so many items.
    fn limits(partitions: &[[u32; 3]], missing: u32, filtered: bool, most: u32) -> Vec<u32> {
        let color = [Condition::equal("color", Value::S("red".to_owned()))];
        let conditions = if filtered { &color[..] } else { &[] };
        let count = u16::try_from(partitions.len()).unwrap();
        let plan = Plan::new(&THINGS, conditions, Sort::ascending("size"), [], count).unwrap();
        let start = Cursor { direction: Direction::Forward, after: None };
        let mut merge = Merge::<u32>::new(&plan, &start);
        for (stream, [given, passed, evaluated]) in merge.streams.iter_mut().zip(partitions) {
            (stream.given, stream.passed, stream.evaluated) = (*given, *passed, *evaluated);
            merge.given += given;
        }
        let asks = merge.asks(missing, filtered, most);
        assert!(asks.iter().enumerate().all(|(i, (partition, _))| i == *partition));
        asks.into_iter().map(|(_, limit)| limit).collect()
    }

    #[test]
    fn a_partition_is_asked_for_its_share_and_a_margin() {
        const NEW: [u32; 3] = [0, 0, 0];
        // One partition gives all.
        assert_eq!(limits(&[NEW], 21, false, 4_000), [21]);
        assert_eq!(limits(&[NEW], 21, false, 20), [20], "at most what may be evaluated");
        assert_eq!(limits(&[NEW], 21, false, 0), [1], "at least one");
        // A quarter of 100 and three times its root.
        assert_eq!(limits(&[NEW; 4], 100, false, 4_000), [40; 4]);
        assert_eq!(limits(&[NEW; 4], 3, false, 4_000), [3; 4], "never more than all");
        // (8 + 1) of (9 + 3) and (1 + 1) of (9 + 3), and the one that gave nothing.
        assert_eq!(limits(&[[8, 8, 8], [1, 1, 1], NEW], 48, false, 4_000), [48, 17, 10]);
        // A filter that one in ten passes: ten times as many, and a quarter more.
        assert_eq!(limits(&[[2, 2, 20]], 8, true, 4_000), [100]);
        assert_eq!(limits(&[[0, 0, 20]], 8, true, 4_000), [200], "none passed: as if one had");
        assert_eq!(limits(&[[2, 2, 20]], 8, false, 4_000), [8]);
        assert_eq!(limits(&[NEW], 8, true, 4_000), [8], "nothing is known of the filter yet");
    }
}
