//! One page of a list, and the cursors of the pages before and after it.

use crate::{Cursor, Direction, Position, Row, budget::Exhausted};

/// One page of a list.
///
/// Its rows are in the order in which they were read: forward the list's order, backward the
/// reverse. So [`Page::truncate`] always removes what was read last. [`Page::into_items`] returns
/// the list's order.
#[derive(Debug)]
pub struct Page<I> {
    direction: Direction,
    /// True if the page begins at an end of the list, so that there is no page on that side.
    from_end: bool,
    rows: Vec<Row<I>>,
    /// The positions of the first and the last row read, even if BatchGetItem no longer found the
    /// item.
    first: Option<Position>,
    last: Option<Position>,
    stop: Stop,
    timed_out: bool,
}

/// The reason why reading stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The list has no more items.
    End,
    /// The page is full, and more items follow or may follow.
    Full,
    /// The budget was exhausted. All items up to `reached` have been evaluated, and those that the
    /// filter let through are on the page.
    Exhausted { exhausted: Exhausted, reached: Option<Position> },
}

impl<I> Page<I> {
    pub(crate) fn new(cursor: &Cursor, from_end: bool, rows: Vec<Row<I>>, stop: Stop) -> Self {
        let first = rows.first().map(|row| row.position.clone());
        let last = rows.last().map(|row| row.position.clone());
        let timed_out = matches!(stop, Stop::Exhausted { exhausted: Exhausted::Time, .. });
        Self { direction: cursor.direction, from_end, rows, first, last, stop, timed_out }
    }

    /// Returns the rows in the order in which they were read.
    #[must_use]
    pub fn rows(&self) -> &[Row<I>] {
        &self.rows
    }

    /// Returns true if [`Budget::deadline`](crate::Budget::deadline) ended the page. The same
    /// request may return more items at another time, so such a page should not be cached.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.timed_out
    }

    /// Removes all rows but the first `keep` ones read. The next page begins with the rows removed.
    /// One row always stays, so that every page makes progress.
    pub fn truncate(&mut self, keep: usize) {
        let keep = keep.max(1);
        if keep < self.rows.len() {
            self.rows.truncate(keep);
            self.last = self.rows.last().map(|row| row.position.clone());
            self.stop = Stop::Full;
            self.timed_out = false;
        }
    }

    /// [Truncates](Self::truncate) the page because the deadline left no time to read what the
    /// other rows need.
    pub fn truncate_timed_out(&mut self, keep: usize) {
        self.truncate(keep);
        self.timed_out = true;
    }

    /// Removes the rows that do not fit into `budget` bytes, where each row takes `overhead` bytes
    /// more than its own (such as a comma). One row always stays.
    pub fn truncate_to_bytes(&mut self, budget: usize, overhead: usize) {
        let mut bytes = 0;
        let fits = |row: &&Row<I>| {
            bytes = row.bytes.saturating_add(overhead).saturating_add(bytes);
            bytes <= budget
        };
        let keep = self.rows.iter().take_while(fits).count();
        self.truncate(keep);
    }

    /// Replaces every item by what `change` returns: the new item and its size in bytes.
    pub fn change_items(&mut self, mut change: impl FnMut(&I) -> (I, usize)) {
        for row in &mut self.rows {
            (row.item, row.bytes) = change(&row.item);
        }
    }

    /// Returns the cursor of the next page; `None` if this is the last one.
    #[must_use]
    pub fn next(&self) -> Option<Cursor> {
        self.cursor(Direction::Forward)
    }

    /// Returns the cursor of the page before; `None` if this is the first one.
    #[must_use]
    pub fn prev(&self) -> Option<Cursor> {
        self.cursor(Direction::Backward)
    }

    /// Returns the items in the list's order.
    #[must_use]
    pub fn into_items(self) -> Vec<I> {
        self.into_rows().into_iter().map(|row| row.item).collect()
    }

    /// Returns the rows in the list's order. A cursor after any of them is made of its position.
    #[must_use]
    pub fn into_rows(self) -> Vec<Row<I>> {
        let mut rows = self.rows;
        if self.direction == Direction::Backward {
            rows.reverse();
        }
        rows
    }

    /// Replaces the item of every row. Rows without a new item (deleted meanwhile) are removed, but
    /// count as read: the cursors do not change.
    pub(crate) fn replace_items(&mut self, items: Vec<Option<(I, usize)>>) {
        let rows = std::mem::take(&mut self.rows).into_iter().zip(items);
        let found = rows.filter_map(|(row, item)| {
            item.map(|(item, bytes)| Row { position: row.position, item, bytes })
        });
        self.rows = found.collect();
    }

    /// The position up to which items were evaluated, if the budget ended the page.
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
            // The other way begins at the first row read. Without one it begins at the last item
            // evaluated, and without that at the end of the list, which the walk had reached.
            (!self.from_end, self.first.as_ref().or_else(|| self.reached()))
        };
        exists.then(|| Cursor { direction, after: after.cloned() })
    }
}
