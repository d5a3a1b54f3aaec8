//! Makes the Query that reads one partition of a plan from a position on.

use std::cmp::Ordering;

use super::Plan;
use crate::{Direction, Position, Query, Read, Value, range::Range};

impl Plan {
    /// Returns the Query that reads partition number `partition` after the position `after`, or
    /// from its beginning; `None` if nothing can follow. [`run`](crate::run) makes all of a page's
    /// Queries itself; call this to show one.
    #[must_use]
    pub fn query(
        &self,
        partition: usize,
        direction: Direction,
        after: Option<&Position>,
        limit: u32,
        read: Read,
    ) -> Option<Query<'_>> {
        let index = self.index;
        let forward = self.scans_forward(direction);
        let mut query = Query {
            index,
            position_attributes: &self.position_attributes,
            key_condition: String::new(),
            filter: None,
            names: Vec::with_capacity(4),
            values: Vec::with_capacity(4),
            start: None,
            forward,
            limit,
            read,
        };
        let partition =
            index.partition_attributes().iter().copied().zip(self.partitions.get(partition)?);
        for (name, value) in partition.clone() {
            query.key_condition(name, "# = :", [value.clone()]);
        }
        let start = |after: &Position| {
            let position = self.position_attributes.iter().copied().zip(&after.0);
            partition
                .clone()
                .chain(position)
                .map(|(name, value)| (name, value.clone()))
                .collect::<Vec<_>>()
        };
        let mut after = after;
        if let Some(&sort) = index.range.first() {
            let Range { low, high, prefix } = &self.range;
            let (near, far) = if forward { (low, high) } else { (high, low) };
            let beyond = |position: &Position, bound: &Value| {
                let order = position.0.first().map_or(Ordering::Less, |value| value.order(bound));
                if forward { order } else { order.reverse() }
            };
            // A position before the range needs no start key: the range itself begins after it.
            after = after.filter(|after| {
                near.as_ref().is_none_or(|near| beyond(after, near) != Ordering::Less)
            });
            let at_far = after.zip(far.as_ref()).map(|(after, far)| (beyond(after, far), far));
            match (at_far, low.clone(), high.clone()) {
                (Some((Ordering::Greater, _)), ..) => return None,
                // Only items with the same sort value can follow. DynamoDB takes a start key at the
                // end of an equality.
                (Some((Ordering::Equal, _)), ..)
                    if index.range.len() == 1 && index.is_unique(self.table) =>
                {
                    return None;
                }
                (Some((Ordering::Equal, far)), ..) => {
                    query.key_condition(sort, "# = :", [far.clone()])
                }
                (_, Some(low), Some(high)) if low.order(&high) == Ordering::Equal => {
                    query.key_condition(sort, "# = :", [low])
                }
                (_, Some(low), Some(high)) => {
                    query.key_condition(sort, "# BETWEEN : AND :", [low, high])
                }
                (_, Some(low), None) => query.key_condition(sort, "# >= :", [low]),
                (_, None, Some(high)) => query.key_condition(sort, "# <= :", [high]),
                (_, None, None) => {
                    if let Some(prefix) = prefix {
                        query.key_condition(sort, "begins_with(#, :)", [Value::S(prefix.clone())]);
                    }
                }
            }
        }
        query.start = after.map(start);
        query.filter(&self.filters);
        Some(query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Condition, Index, Order, Partition, Projects, Sort, Table};

    static SHELF: Table = Table {
        key: &["bookId"],
        indexes: &[Index {
            name: Some("byGenreYear"),
            partition: Partition::Attributes(&["genre"]),
            range: &["year", "bookId"],
            projects: Projects::All,
        }],
    };
    /// A table whose own sort key is unique.
    static DIARY: Table = Table {
        key: &["author", "day"],
        indexes: &[Index {
            name: None,
            partition: Partition::Attributes(&["author"]),
            range: &["day"],
            projects: Projects::All,
        }],
    };

    fn s(text: &str) -> Value {
        Value::S(text.into())
    }

    fn n(text: &str) -> Value {
        Value::N(text.into())
    }

    fn plan(more: &[Condition], order: Order) -> Plan {
        let conditions: Vec<_> = std::iter::once(Condition::equal("genre", s("crime")))
            .chain(more.iter().cloned())
            .collect();
        Plan::new(&SHELF, &conditions, Sort { attribute: Some("year"), order }, [], 1).unwrap()
    }

    fn from_to() -> [Condition; 2] {
        [Condition::at_least("year", n("1930")), Condition::at_most("year", n("1940"))]
    }

    fn year(year: &str) -> Option<Position> {
        Some(Position(vec![n(year), s("b-7")]))
    }

    /// The key condition with its names and values, and true if the Query has a start key.
    fn shown(plan: &Plan, direction: Direction, after: Option<Position>) -> Option<(String, bool)> {
        let query = plan.query(0, direction, after.as_ref(), 10, Read::Items)?;
        let mut text = query.key_condition;
        for (placeholder, name) in &query.names {
            text = text.replace(placeholder, name);
        }
        for (placeholder, value) in &query.values {
            let (Value::S(value) | Value::N(value)) = value else { panic!("{value:?}") };
            text = text.replace(placeholder, value);
        }
        Some((text, query.start.is_some()))
    }

    #[test]
    fn bounds_are_one_between_and_equal_bounds_an_equality() {
        let shown =
            |more: &[_]| shown(&plan(more, Order::Ascending), Direction::Forward, None).unwrap().0;
        assert_eq!(shown(&[]), "genre = crime");
        assert_eq!(shown(&from_to()), "genre = crime AND year BETWEEN 1930 AND 1940");
        assert_eq!(shown(&from_to()[..1]), "genre = crime AND year >= 1930");
        assert_eq!(shown(&from_to()[1..]), "genre = crime AND year <= 1940");
        assert_eq!(shown(&[Condition::equal("year", n("1939"))]), "genre = crime AND year = 1939");
    }

    #[test]
    fn a_place_within_the_range_is_a_start_key() {
        let plan = plan(&from_to(), Order::Ascending);
        let range = "genre = crime AND year BETWEEN 1930 AND 1940";
        for direction in [Direction::Forward, Direction::Backward] {
            assert_eq!(shown(&plan, direction, year("1935")), Some((range.to_owned(), true)));
        }
        // A start key at the near bound is accepted.
        assert_eq!(shown(&plan, Direction::Forward, year("1930")), Some((range.to_owned(), true)));
        assert_eq!(shown(&plan, Direction::Backward, year("1940")), Some((range.to_owned(), true)));
    }

    #[test]
    fn after_a_place_at_the_far_bound_only_its_ties_follow() {
        let up = plan(&from_to(), Order::Ascending);
        let down = plan(&from_to(), Order::Descending);
        let forward = Some(("genre = crime AND year = 1940".to_owned(), true));
        let backward = Some(("genre = crime AND year = 1930".to_owned(), true));
        assert_eq!(shown(&up, Direction::Forward, year("1940.0")), forward);
        assert_eq!(shown(&down, Direction::Backward, year("1940")), forward);
        assert_eq!(shown(&up, Direction::Backward, year("1930")), backward);
        assert_eq!(shown(&down, Direction::Forward, year("1930")), backward);
        let open = plan(&from_to()[1..], Order::Ascending);
        assert_eq!(shown(&open, Direction::Forward, year("1940")), forward);
    }

    #[test]
    fn a_place_outside_the_range_is_its_beginning_or_its_end() {
        let plan = plan(&from_to(), Order::Ascending);
        let range = "genre = crime AND year BETWEEN 1930 AND 1940".to_owned();
        assert_eq!(shown(&plan, Direction::Forward, year("1900")), Some((range, false)));
        assert_eq!(shown(&plan, Direction::Forward, year("1941")), None);
    }

    #[test]
    fn a_unique_sort_key_stands_once_in_the_start_key() {
        let conditions = [Condition::equal("author", s("a")), Condition::at_most("day", s("9"))];
        let plan = Plan::new(&DIARY, &conditions, Sort::ascending("day"), [], 1).unwrap();
        let at = |day: &str| Position(vec![s(day)]);
        let query = plan.query(0, Direction::Forward, Some(&at("5")), 10, Read::Items).unwrap();
        assert_eq!(query.start, Some(vec![("author", s("a")), ("day", s("5"))]));
        assert!(
            plan.query(0, Direction::Forward, Some(&at("9")), 10, Read::Items).is_none(),
            "nothing lies beyond the far bound"
        );
    }

    #[test]
    fn filters_have_placeholders_of_their_own() {
        let pages = Condition::at_least("pages", n("300"));
        let plan = plan(&[pages], Order::Ascending);
        let query = plan.query(0, Direction::Forward, None, 10, Read::Items).unwrap();
        assert_eq!(query.filter.as_deref(), Some("#f0 >= :f0"));
        assert!(query.names.contains(&("#f0".to_owned(), "pages")));
        assert!(query.values.contains(&(":f0".to_owned(), n("300"))));
    }
}
