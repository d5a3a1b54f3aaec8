//! The conditions and the sort of a list.

use crate::Value;

/// A condition on an attribute. The conditions of a list are combined with AND.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The attribute, at the top level of the item.
    pub attribute: &'static str,
    /// The comparison.
    pub operator: Operator,
    /// The value that the attribute is compared with.
    pub value: Value,
}

/// A comparison of an attribute with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// `=`
    Equal,
    /// `>=`
    AtLeast,
    /// `<=`. For an exclusive end, pass the greatest value before it: BETWEEN includes both of its bounds.
    AtMost,
}

impl Operator {
    pub(crate) const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
        }
    }
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The attribute that the list is sorted by. An index must have it as its `sort`.
    pub attribute: &'static str,
    /// Ascending or descending.
    pub order: Order,
}

/// Ascending or descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The least value first.
    Ascending,
    /// The greatest value first.
    Descending,
}
