//! A list's partitions, merged in order: for one partition a queue, for N of them a k-way merge.
//!
//! An item may be given once no unread partition can still bring a lesser one. A partition that has been read up to some key and has
//! nothing buffered (it is *dry*) may go on right behind that key, so it holds back everything beyond it, and nothing before it.

use std::{cmp::Ordering, collections::VecDeque};

use crate::{Answer, Cursor, Plan, Position, Row};

/// The partitions of one page's walk.
pub(crate) struct Merge<I> {
    streams: Vec<Stream<I>>,
    /// Whether the sort key grows along the walk.
    ascending: bool,
    given: u32,
}

struct Stream<I> {
    buffer: VecDeque<Row<I>>,
    /// Up to where it has been read; the next Query goes on from here.
    read_to: Option<Position>,
    done: bool,
    /// Rows that were given from it, passed its filter, and were evaluated for it.
    given: u32,
    passed: u32,
    evaluated: u32,
}

/// What comes next in the merge.
pub(crate) enum Head {
    /// The next row is in this partition's buffer.
    Row(usize),
    /// Some partition must be read first.
    Blocked,
    /// Nothing is left.
    End,
}

impl<I> Merge<I> {
    /// All partitions of `plan`, to be read on from `cursor`.
    pub(crate) fn new(plan: &Plan, cursor: &Cursor) -> Self {
        let stream = || Stream { buffer: VecDeque::new(), read_to: cursor.after.clone(), done: false, given: 0, passed: 0, evaluated: 0 };
        Self { streams: (0..plan.partitions()).map(|_| stream()).collect(), ascending: plan.scans_forward(cursor.direction), given: 0 }
    }

    /// What comes next.
    pub(crate) fn head(&self) -> Head {
        let least = self.streams.iter().enumerate().filter_map(|(i, stream)| Some((i, &stream.buffer.front()?.position)));
        let least = least.min_by(|(_, a), (_, b)| self.order(a, b));
        let reached = self.reached();
        match (least, reached) {
            (Some((i, _)), Reached::Everywhere) => Head::Row(i),
            (Some((i, position)), Reached::To(held)) if self.order(position, held) != Ordering::Greater => Head::Row(i),
            (None, Reached::Everywhere) => Head::End,
            _ => Head::Blocked,
        }
    }

    /// The size in the answer of the row at the head of partition `i`.
    pub(crate) fn bytes(&self, i: usize) -> usize {
        self.streams[i].buffer.front().map_or(0, |row| row.bytes)
    }

    /// Takes the row at the head of partition `i`.
    pub(crate) fn take(&mut self, i: usize) -> Option<Row<I>> {
        let row = self.streams[i].buffer.pop_front()?;
        self.streams[i].given += 1;
        self.given += 1;
        Some(row)
    }

    /// The dry partitions, and how many items each is to be asked for so that `missing` more rows come together.
    ///
    /// With one partition that is what is missing. With N, a partition's share is guessed from what it gave so far (at first 1/N) and
    /// three standard deviations are added, so that a second round is rare. With a filter it is divided by the share that passed so far.
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

    /// Where the next Query of partition `i` goes on from.
    pub(crate) fn read_to(&self, i: usize) -> Option<&Position> {
        self.streams[i].read_to.as_ref()
    }

    /// Takes in what a Query of partition `i` brought; `None` if nothing can follow there.
    pub(crate) fn fill(&mut self, i: usize, answer: Option<Answer<I>>) {
        let stream = &mut self.streams[i];
        let Some(answer) = answer else {
            stream.done = true;
            return;
        };
        stream.evaluated += answer.evaluated;
        stream.passed += u32::try_from(answer.rows.len()).unwrap_or(u32::MAX);
        stream.buffer.extend(answer.rows);
        stream.done = answer.last.is_none();
        if answer.last.is_some() {
            stream.read_to = answer.last;
        }
    }

    /// Up to where every partition has been read and given: where a walk goes on whose page could not be filled.
    pub(crate) fn given_to(&self) -> Option<Position> {
        match self.reached() {
            Reached::To(position) => Some(position.clone()),
            Reached::Everywhere | Reached::Nowhere => None,
        }
    }

    /// The least key to which a dry partition was read.
    fn reached(&self) -> Reached<'_> {
        let mut reached = Reached::Everywhere;
        for stream in self.streams.iter().filter(|stream| stream.is_dry()) {
            reached = match (reached, &stream.read_to) {
                (Reached::Nowhere, _) | (_, None) => Reached::Nowhere,
                (Reached::To(least), Some(read_to)) if self.order(least, read_to) != Ordering::Greater => Reached::To(least),
                (_, Some(read_to)) => Reached::To(read_to),
            };
        }
        reached
    }

    fn order(&self, a: &Position, b: &Position) -> Ordering {
        let order = a.sort.order(&b.sort).then_with(|| a.id.order(&b.id));
        if self.ascending { order } else { order.reverse() }
    }
}

/// A little more than the guess, since to fall short costs a round trip and to overshoot a few read units.
const MARGIN: f64 = 1.25;

/// Up to where the dry partitions have been read.
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
