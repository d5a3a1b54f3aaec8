//! One page of a list, and the cursors to both sides of it.

use crate::{Cursor, Direction, Position, Row, budget::Exhausted};

/// One page.
///
/// While it is being worked on, its rows stand in the order in which they were read: the list's order forward, the reverse backward.
/// So what is cut off by [`Page::truncate`] is always what the walk has not yet come to. [`Page::into_items`] gives the list's order.
#[derive(Debug)]
pub struct Page<I> {
    direction: Direction,
    /// Whether the walk began at an end of the list, so that nothing lies behind.
    from_end: bool,
    rows: Vec<Row<I>>,
    /// The positions of the first and the last item read, even if the item was gone when it was fetched.
    first: Option<Position>,
    last: Option<Position>,
    stop: Stop,
}

/// The reason why reading stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The list ended.
    End,
    /// The page is full, and something follows or may follow.
    Full,
    /// The budget was exhausted. Everything up to `reached` has been evaluated and given.
    Exhausted { exhausted: Exhausted, reached: Option<Position> },
}

impl<I> Page<I> {
    pub(crate) fn new(cursor: &Cursor, from_end: bool, rows: Vec<Row<I>>, stop: Stop) -> Self {
        let first = rows.first().map(|row| row.position.clone());
        let last = rows.last().map(|row| row.position.clone());
        Self { direction: cursor.direction, from_end, rows, first, last, stop }
    }

    /// The rows in the order in which they were read.
    #[must_use]
    pub fn rows(&self) -> &[Row<I>] {
        &self.rows
    }

    /// Whether the deadline ended the page: what another moment would have brought is missing, so it is not worth keeping.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        matches!(self.stop, Stop::Exhausted { exhausted: Exhausted::Time, .. })
    }

    /// Keeps the first `keep` rows read, and says that more follow. One row stays in any case: a page has to move on.
    pub fn truncate(&mut self, keep: usize) {
        let keep = keep.max(1);
        if keep < self.rows.len() {
            self.rows.truncate(keep);
            self.last = self.rows.last().map(|row| row.position.clone());
            self.stop = Stop::Full;
        }
    }

    /// Keeps as many rows, one at least, as make up to `budget` bytes together, each with `overhead` more bytes (a comma, say).
    pub fn truncate_to_bytes(&mut self, budget: usize, overhead: usize) {
        let mut bytes = 0;
        let fits = |row: &&Row<I>| {
            bytes += row.bytes + overhead;
            bytes <= budget
        };
        let keep = self.rows.iter().take_while(fits).count();
        self.truncate(keep);
    }

    /// Changes every item, and says how many bytes it takes then.
    pub fn change_items(&mut self, mut change: impl FnMut(&I) -> (I, usize)) {
        for row in &mut self.rows {
            (row.item, row.bytes) = change(&row.item);
        }
    }

    /// The way to the next page; none if this one ends the list.
    #[must_use]
    pub fn next(&self) -> Option<Cursor> {
        self.cursor(Direction::Forward)
    }

    /// The way to the page before; none if this one begins the list.
    #[must_use]
    pub fn prev(&self) -> Option<Cursor> {
        self.cursor(Direction::Backward)
    }

    /// The items in the list's order.
    #[must_use]
    pub fn into_items(self) -> Vec<I> {
        let backward = self.direction == Direction::Backward;
        let mut items: Vec<I> = self.rows.into_iter().map(|row| row.item).collect();
        if backward {
            items.reverse();
        }
        items
    }

    /// Puts the fetched item in every row's place; a row without one (deleted meanwhile) goes, but still counts as read.
    pub(crate) fn replace_items(&mut self, items: Vec<Option<(I, usize)>>) {
        let rows = std::mem::take(&mut self.rows).into_iter().zip(items);
        let found = rows.filter_map(|(row, item)| item.map(|(item, bytes)| Row { position: row.position, item, bytes }));
        self.rows = found.collect();
    }

    /// How far was evaluated, if the budget ended the page.
    fn reached(&self) -> Option<&Position> {
        match &self.stop {
            Stop::Exhausted { reached, .. } => reached.as_ref(),
            Stop::End | Stop::Full => None,
        }
    }

    fn cursor(&self, direction: Direction) -> Option<Cursor> {
        let (exists, after) = if direction == self.direction {
            (!matches!(self.stop, Stop::End), self.reached().or(self.last.as_ref()))
        } else {
            // The way back begins at the first item read; if there was none, at the last one evaluated; if there was none either, the walk
            // had come to the end of the list, and the way back begins there.
            (!self.from_end, self.first.as_ref().or_else(|| self.reached()))
        };
        exists.then(|| Cursor { direction, after: after.cloned() })
    }
}
