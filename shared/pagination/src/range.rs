//! The range of an index's sort key that a list reads: bounds, or a prefix.

use std::cmp::Ordering;

use crate::{Predicate, Value};

/// The range of the first RANGE attribute.
#[derive(Debug, Clone, Default)]
pub(crate) struct Range {
    pub(crate) low: Option<Value>,
    pub(crate) high: Option<Value>,
    /// The text that strings begin with. It is given without bounds: with one, the prefix is a
    /// bound too.
    pub(crate) prefix: Option<String>,
}

impl Range {
    /// Adds a condition on the attribute.
    pub(crate) fn narrow(&mut self, predicate: &Predicate) {
        let (low, high) = match predicate {
            Predicate::Equal(value) => (Some(value), Some(value)),
            Predicate::AtLeast(value) => (Some(value), None),
            Predicate::AtMost(value) => (None, Some(value)),
            Predicate::BeginsWith(prefix) => {
                match &self.prefix {
                    Some(other) if other.starts_with(prefix) => {}
                    Some(other) if !prefix.starts_with(other) => {
                        // No text begins with both: an empty range.
                        self.low = Some(Value::S(beyond(other.max(prefix))));
                        self.high = Some(Value::S(other.min(prefix).clone()));
                    }
                    _ => self.prefix = Some(prefix.clone()),
                }
                return;
            }
            // `partitions` refuses an index whose range has this condition.
            Predicate::OneOf(_) => return,
        };
        low.into_iter().for_each(|value| tighten(&mut self.low, value, Ordering::Greater));
        high.into_iter().for_each(|value| tighten(&mut self.high, value, Ordering::Less));
    }

    /// Turns a prefix and a bound into bounds: DynamoDB takes one condition on a RANGE
    /// attribute.
    pub(crate) fn settle(&mut self) {
        if let Some(prefix) = self.prefix.take_if(|_| self.low.is_some() || self.high.is_some()) {
            tighten(&mut self.high, &Value::S(beyond(&prefix)), Ordering::Less);
            tighten(&mut self.low, &Value::S(prefix), Ordering::Greater);
        }
    }
}

/// Returns a text after all that begin with `prefix`: the last character of Unicode, which no text
/// has, follows it.
fn beyond(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

fn tighten(bound: &mut Option<Value>, value: &Value, tighter: Ordering) {
    if bound.as_ref().is_none_or(|bound| value.order(bound) == tighter) {
        *bound = Some(value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the bounds and the prefix that the conditions leave.
    fn range(predicates: &[Predicate]) -> (Option<Value>, Option<Value>, Option<String>) {
        let mut range = Range::default();
        predicates.iter().for_each(|predicate| range.narrow(predicate));
        range.settle();
        (range.low, range.high, range.prefix)
    }

    fn s(text: &str) -> Value {
        Value::S(text.to_owned())
    }

    #[test]
    fn conditions_on_one_attribute_are_one_range() {
        let prefix = |text: &str| Predicate::BeginsWith(text.to_owned());
        let from = |text| Predicate::AtLeast(s(text));
        let to = |text| Predicate::AtMost(s(text));
        let both = |low, high| (Some(s(low)), Some(s(high)), None);
        for (predicates, expected) in [
            (vec![], (None, None, None)),
            (vec![from("b"), from("a")], (Some(s("b")), None, None)),
            (vec![to("b"), to("a")], (None, Some(s("a")), None)),
            (vec![Predicate::Equal(s("a")), to("b")], both("a", "a")),
            // The longer of two prefixes, in either order.
            (vec![prefix("ab"), prefix("abc")], (None, None, Some("abc".to_owned()))),
            (vec![prefix("abc"), prefix("ab")], (None, None, Some("abc".to_owned()))),
            // No text begins with both, so that the low end lies above the high one.
            (vec![prefix("ab"), prefix("ba")], both("ba\u{10ffff}", "ab")),
            (vec![prefix("ba"), prefix("ab")], both("ba\u{10ffff}", "ab")),
            // With a bound, a prefix is a bound too.
            (vec![prefix("ab"), from("aa")], both("ab", "ab\u{10ffff}")),
            (vec![prefix("ab"), from("abc")], both("abc", "ab\u{10ffff}")),
            (vec![to("abc"), prefix("ab")], both("ab", "abc")),
            (vec![to("b"), prefix("ab")], both("ab", "ab\u{10ffff}")),
        ] {
            assert_eq!(range(&predicates), expected, "{predicates:?}");
        }
    }
}
