//! Cursors in the clear: a place in a list, and the direction in which to go on from it.

use std::cmp::Ordering;

use crate::Value;

/// The place of an item in a partition of an index: the values of
/// [`Index::position_attributes`](crate::Index::position_attributes).
///
/// [`Query::position`](crate::Query::position) makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position(pub Vec<Value>);

impl Position {
    /// Compares the first `count` values of two positions of an index, value by value.
    pub(crate) fn order(&self, other: &Self, count: usize) -> Ordering {
        let orders = self.0.iter().zip(&other.0).take(count).map(|(a, b)| a.order(b));
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
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
    /// The exclusive start: the next page begins after this position. `None` begins at the first
    /// item of the list or, backward, at the last.
    pub after: Option<Position>,
}

impl Cursor {
    /// The start of a list.
    pub(crate) const START: Self = Self { direction: Direction::Forward, after: None };
}
