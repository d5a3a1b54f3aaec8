//! Cursors in the clear: a place in a list, and the direction in which to go on from it.

use crate::Value;

/// The place of an item in an index: its sort value, and its id among items with the same sort value.
///
/// [`Index::position`](crate::Index::position) makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The value of the index's `sort` attribute.
    pub sort: Value,
    /// The value of the index's `id` attribute.
    pub id: Value,
}

/// The direction of a walk. Pages show their items in the list's order either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Toward the end of the list, by `next` cursors.
    Forward,
    /// Toward the start of the list, by `prev` cursors.
    Backward,
}

/// A place in a list and the direction in which to go on from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The direction.
    pub direction: Direction,
    /// The exclusive start: the next page begins after this position. `None` begins at the first item of the list or, backward, at the
    /// last.
    pub after: Option<Position>,
}

impl Cursor {
    /// The start of a list.
    pub(crate) const START: Self = Self { direction: Direction::Forward, after: None };
}
