//! The conditions and the sort of a list.

use crate::Value;

/// A condition on an attribute. The conditions of a list are combined with AND.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The attribute, at the top level of the item.
    pub attribute: &'static str,
    /// The test of its value.
    pub predicate: Predicate,
}

/// A test of an attribute's value. An attribute that is missing, or of another type, fails it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Predicate {
    /// Equal to this.
    Equal(Value),
    /// Equal to one of these. On a partition attribute it reads a partition for each.
    OneOf(Vec<Value>),
    /// At least this.
    AtLeast(Value),
    /// At most this. For an exclusive end, pass the greatest value before it: BETWEEN includes both
    /// of its bounds.
    AtMost(Value),
    /// A string that begins with this text.
    BeginsWith(String),
}

impl Condition {
    /// `attribute = value`
    #[must_use]
    pub const fn equal(attribute: &'static str, value: Value) -> Self {
        Self { attribute, predicate: Predicate::Equal(value) }
    }

    /// `attribute IN (values)`
    #[must_use]
    pub const fn one_of(attribute: &'static str, values: Vec<Value>) -> Self {
        Self { attribute, predicate: Predicate::OneOf(values) }
    }

    /// `attribute >= value`
    #[must_use]
    pub const fn at_least(attribute: &'static str, value: Value) -> Self {
        Self { attribute, predicate: Predicate::AtLeast(value) }
    }

    /// `attribute <= value`
    #[must_use]
    pub const fn at_most(attribute: &'static str, value: Value) -> Self {
        Self { attribute, predicate: Predicate::AtMost(value) }
    }

    /// `begins_with(attribute, prefix)`
    #[must_use]
    pub fn begins_with(attribute: &'static str, prefix: impl Into<String>) -> Self {
        Self { attribute, predicate: Predicate::BeginsWith(prefix.into()) }
    }

    /// Returns the same text for every way to write the condition.
    pub(crate) fn canonical(&self) -> String {
        let (symbol, mut values) = match &self.predicate {
            Predicate::Equal(value) => ("=", vec![value.canonical()]),
            Predicate::OneOf(values) => ("in", values.iter().map(Value::canonical).collect()),
            Predicate::AtLeast(value) => (">=", vec![value.canonical()]),
            Predicate::AtMost(value) => ("<=", vec![value.canonical()]),
            Predicate::BeginsWith(prefix) => ("begins", vec![prefix.clone()]),
        };
        values.sort();
        values.dedup();
        // With their lengths, so that no list of values reads like another.
        let values: String =
            values.iter().map(|value| format!(" {}:{value}", value.len())).collect();
        format!("{} {symbol}{values}", self.attribute)
    }
}

impl Predicate {
    /// Returns true if a value passes the test.
    #[must_use]
    pub fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Equal(other) => value.order(other).is_eq(),
            Self::OneOf(others) => others.iter().any(|other| value.order(other).is_eq()),
            Self::AtLeast(bound) => value.is_like(bound) && value.order(bound).is_ge(),
            Self::AtMost(bound) => value.is_like(bound) && value.order(bound).is_le(),
            Self::BeginsWith(prefix) => matches!(value, Value::S(text) if text.starts_with(prefix)),
        }
    }
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The attribute that the list is sorted by: the first RANGE attribute of an index. `None`
    /// takes the order of the index that reads the least, for lists that promise no order.
    pub attribute: Option<&'static str>,
    /// Ascending or descending.
    pub order: Order,
}

impl Sort {
    /// The least value of `attribute` first.
    #[must_use]
    pub const fn ascending(attribute: &'static str) -> Self {
        Self { attribute: Some(attribute), order: Order::Ascending }
    }

    /// The greatest value of `attribute` first.
    #[must_use]
    pub const fn descending(attribute: &'static str) -> Self {
        Self { attribute: Some(attribute), order: Order::Descending }
    }
}

/// Ascending or descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The least value first.
    Ascending,
    /// The greatest value first.
    Descending,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(text: &str) -> Value {
        Value::N(text.to_owned())
    }

    fn s(text: &str) -> Value {
        Value::S(text.to_owned())
    }

    #[test]
    fn a_predicate_holds_for_values_of_its_type() {
        let one_of = |values: &[Value]| Predicate::OneOf(values.to_vec());
        for (predicate, passes, fails) in [
            (Predicate::Equal(n("2")), vec![n("2"), n("2.0")], vec![n("3"), s("2")]),
            (one_of(&[s("a"), n("1")]), vec![s("a"), n("1")], vec![s("b"), s("1"), n("2")]),
            (one_of(&[]), vec![], vec![s("a")]),
            (
                Predicate::AtLeast(n("2")),
                vec![n("2"), n("10")],
                vec![n("1"), s("3"), Value::Bool(true)],
            ),
            (
                Predicate::AtMost(s("b")),
                vec![s("a"), s("b"), s("")],
                vec![s("c"), n("1"), Value::Bool(false)],
            ),
            (
                Predicate::BeginsWith("a".to_owned()),
                vec![s("a"), s("ab")],
                vec![s("b"), s("ba"), s(""), n("1")],
            ),
        ] {
            for value in passes {
                assert!(predicate.holds(&value), "{predicate:?} of {value:?}");
            }
            for value in fails {
                assert!(!predicate.holds(&value), "{predicate:?} of {value:?}");
            }
        }
    }

    /// A cursor is bound to the conditions by this text.
    #[test]
    fn conditions_that_say_the_same_have_one_text_and_others_have_others() {
        let condition = |attribute, predicate| Condition { attribute, predicate }.canonical();
        let one_of =
            |values: &[&str]| Predicate::OneOf(values.iter().map(|text| s(text)).collect());
        assert_eq!(condition("a", one_of(&["x", "y", "x"])), condition("a", one_of(&["y", "x"])));
        assert_eq!(
            condition("a", Predicate::Equal(n("1"))),
            condition("a", Predicate::Equal(n("1.0")))
        );
        let texts = [
            condition("a", Predicate::Equal(s("x"))),
            condition("b", Predicate::Equal(s("x"))),
            condition("a", Predicate::Equal(s("y"))),
            condition("a", Predicate::Equal(n("1"))),
            condition("a", Predicate::Equal(s("1"))),
            condition("a", Predicate::AtLeast(s("x"))),
            condition("a", Predicate::AtMost(s("x"))),
            condition("a", Predicate::BeginsWith("x".to_owned())),
            condition("a", one_of(&["x"])),
            condition("a", one_of(&["x", "y"])),
            condition("a", one_of(&["x 1:y"])),
            condition("a", one_of(&["xy"])),
        ];
        for (i, text) in texts.iter().enumerate() {
            assert!(!texts[i + 1..].contains(text), "{text}");
        }
    }
}
