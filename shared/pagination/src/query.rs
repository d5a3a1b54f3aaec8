//! What is asked of DynamoDB: one Query of one partition, or items by their keys.
//!
//! Names and values are placeholders throughout, so no list of reserved words is needed. Placeholders begin with `#k`/`:k` in key
//! conditions and `#f`/`:f` in filters; an implementor is free to use any other letter for its projection.

use std::{cmp::Ordering, future::Future};

use crate::{Condition, Cursor, Direction, Index, Order, Plan, Position, Table, Value};

/// The way to DynamoDB, in two methods.
///
/// Deadlines, retries of failed calls and credentials are the implementor's; so is what an item is.
pub trait Database {
    /// An item as the implementor reads it.
    type Item;
    /// Why a call failed for good.
    type Error;

    /// Runs one Query and gives its rows in the order DynamoDB gave them.
    fn query(&self, query: &Query<'_>) -> impl Future<Output = Result<Answer<Self::Item>, Self::Error>> + Send;

    /// Runs one BatchGetItem of at most [`MAX_FETCH`] distinct keys of [`Fetch::table`].
    fn fetch(&self, fetch: &Fetch<'_>) -> impl Future<Output = Result<Vec<Fetched<Self::Item>>, Self::Error>> + Send;
}

/// The most keys that one [`Database::fetch`] is given
/// ([BatchGetItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html) takes 100).
pub const MAX_FETCH: usize = 100;

/// One Query of one partition.
#[derive(Debug)]
pub struct Query<'a> {
    /// The index to read.
    pub index: &'a Index,
    /// KeyConditionExpression.
    pub key_condition: String,
    /// FilterExpression.
    pub filter: Option<String>,
    /// ExpressionAttributeNames: placeholder and name.
    pub names: Vec<(String, &'a str)>,
    /// ExpressionAttributeValues: placeholder and value.
    pub values: Vec<(String, Value)>,
    /// ExclusiveStartKey: attributes and values.
    pub start: Option<Vec<(&'a str, Value)>>,
    /// ScanIndexForward.
    pub forward: bool,
    /// Limit: how many items to evaluate at most.
    pub limit: u32,
    /// What is wanted of them.
    pub read: Read,
}

/// What a Query is to bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// The item, and its position.
    Items,
    /// The position alone; [`Row::item`] is not looked at.
    Positions,
    /// Nothing but how many there are (`Select: COUNT`).
    Count,
}

/// The answer to a [`Query`].
#[derive(Debug)]
pub struct Answer<I> {
    /// The items that passed the filter.
    pub rows: Vec<Row<I>>,
    /// How many were evaluated (ScannedCount).
    pub evaluated: u32,
    /// Up to where was evaluated, if that is not the end (LastEvaluatedKey).
    pub last: Option<Position>,
}

/// One item and its place.
#[derive(Debug)]
pub struct Row<I> {
    /// Where it stands in the index.
    pub position: Position,
    /// The item.
    pub item: I,
    /// How many bytes it takes in the answer.
    pub bytes: usize,
}

/// Items to be read by their primary keys.
#[derive(Debug)]
pub struct Fetch<'a> {
    /// The table.
    pub table: &'a Table,
    /// The keys' values, in the order of [`Table::key`]; no key twice.
    pub keys: &'a [Vec<Value>],
    /// 0 at first, then counting up: before a repeat the implementor waits a little longer each time, or gives up with an error when its
    /// time is over.
    pub attempt: u32,
}

/// What became of one key of a [`Fetch`].
#[derive(Debug)]
pub enum Fetched<I> {
    /// The item, and how many bytes it takes in the answer.
    Found(I, usize),
    /// There is no such item.
    Missing,
    /// DynamoDB did not get round to it (UnprocessedKeys): it will be asked for again.
    Unprocessed,
}

impl Plan {
    /// The Query of partition number `partition` that goes on from `cursor`; `None` if nothing can follow.
    pub(crate) fn query(&self, partition: usize, cursor: &Cursor, limit: u32, read: Read) -> Option<Query<'_>> {
        let index = self.index;
        let forward = self.scans_forward(cursor.direction);
        let mut query = Query {
            index,
            key_condition: String::new(),
            filter: None,
            names: Vec::with_capacity(4),
            values: Vec::with_capacity(4),
            start: None,
            forward,
            limit,
            read,
        };
        let partition = index.partition_attributes().iter().copied().zip(self.partitions.get(partition)?);
        for (name, value) in partition.clone() {
            query.key_condition(name, "=", [value]);
        }
        let (near, far) = if forward { (&self.low, &self.high) } else { (&self.high, &self.low) };
        let toward = |bound: &Value, position: &Position| if forward { position.sort.order(bound) } else { bound.order(&position.sort) };
        // Before the range begins, the range alone is the place to start.
        let after = cursor.after.as_ref().filter(|after| near.as_ref().is_none_or(|near| toward(near, after) != Ordering::Less));
        match (after, far) {
            (Some(after), Some(far)) if toward(far, after) == Ordering::Greater => return None,
            (Some(after), Some(far)) if toward(far, after) == Ordering::Equal => {
                // DynamoDB has refused a start key at the far bound of its own range: say it as a condition instead.
                if index.id == index.sort {
                    return None;
                }
                query.key_condition(index.sort, "=", [far]);
                query.key_condition(index.id, if forward { ">" } else { "<" }, [&after.id]);
            }
            (after, _) => {
                match (&self.low, &self.high) {
                    (Some(low), Some(high)) if low.order(high) == Ordering::Equal => query.key_condition(index.sort, "=", [low]),
                    (Some(low), Some(high)) => query.key_condition(index.sort, "BETWEEN", [low, high]),
                    (Some(low), None) => query.key_condition(index.sort, ">=", [low]),
                    (None, Some(high)) => query.key_condition(index.sort, "<=", [high]),
                    (None, None) => {}
                }
                if let Some(after) = after {
                    let mut start: Vec<_> = partition.map(|(name, value)| (name, value.clone())).collect();
                    start.push((index.sort, after.sort.clone()));
                    if index.id != index.sort {
                        start.push((index.id, after.id.clone()));
                    }
                    query.start = Some(start);
                }
            }
        }
        query.filter(&self.filters);
        Some(query)
    }

    /// ScanIndexForward for a walk in `direction`.
    pub(crate) fn scans_forward(&self, direction: Direction) -> bool {
        (self.order == Order::Ascending) == (direction == Direction::Forward)
    }
}

impl<'a> Query<'a> {
    /// Adds `name operator value`, or `name BETWEEN value AND value`.
    fn key_condition<const N: usize>(&mut self, name: &'a str, operator: &str, values: [&Value; N]) {
        let placeholder = format!("#k{}", self.names.len());
        if !self.key_condition.is_empty() {
            self.key_condition.push_str(" AND ");
        }
        self.key_condition.push_str(&format!("{placeholder} {operator}"));
        self.names.push((placeholder, name));
        for (i, value) in values.into_iter().enumerate() {
            let placeholder = format!(":k{}", self.values.len());
            self.key_condition.push_str(&format!("{}{placeholder}", if i == 0 { " " } else { " AND " }));
            self.values.push((placeholder, value.clone()));
        }
    }

    fn filter(&mut self, filters: &'a [Condition]) {
        for (i, Condition { attribute, operator, value }) in filters.iter().enumerate() {
            let text = self.filter.get_or_insert_default();
            let joint = if i == 0 { "" } else { " AND " };
            text.push_str(&format!("{joint}#f{i} {} :f{i}", operator.symbol()));
            self.names.push((format!("#f{i}"), attribute));
            self.values.push((format!(":f{i}"), value.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Operator, Partition, Projects, Sort};

    static SHELF: Table = Table {
        key: &["bookId"],
        indexes: &[Index {
            name: Some("byGenreYear"),
            partition: Partition::Attributes(&["genre"]),
            sort: "year",
            id: "bookId",
            projects: Projects::All,
        }],
    };
    /// A table whose own sort key is unique.
    static DIARY: Table = Table {
        key: &["author", "day"],
        indexes: &[Index { name: None, partition: Partition::Attributes(&["author"]), sort: "day", id: "day", projects: Projects::All }],
    };

    fn s(text: &str) -> Value {
        Value::S(text.into())
    }

    fn n(text: &str) -> Value {
        Value::N(text.into())
    }

    fn plan(more: &[(&'static str, Operator, Value)], order: Order) -> Plan {
        let genre = ("genre", Operator::Equal, s("crime"));
        let conditions: Vec<_> = std::iter::once(&genre)
            .chain(more)
            .map(|(attribute, operator, value)| Condition { attribute, operator: *operator, value: value.clone() })
            .collect();
        Plan::new(&SHELF, &conditions, Sort { attribute: "year", order }, [], 1).unwrap()
    }

    fn from_to() -> [(&'static str, Operator, Value); 2] {
        [("year", Operator::AtLeast, n("1930")), ("year", Operator::AtMost, n("1940"))]
    }

    fn after(direction: Direction, year: &str) -> Cursor {
        Cursor { direction, after: Some(Position { sort: n(year), id: s("b-7") }) }
    }

    /// The key condition with names and values put in, and whether a start key goes with it.
    fn shown(plan: &Plan, cursor: &Cursor) -> Option<(String, bool)> {
        let query = plan.query(0, cursor, 10, Read::Items)?;
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
        let begin = Cursor { direction: Direction::Forward, after: None };
        let shown = |more: &[_]| shown(&plan(more, Order::Ascending), &begin).unwrap().0;
        assert_eq!(shown(&[]), "genre = crime");
        assert_eq!(shown(&from_to()), "genre = crime AND year BETWEEN 1930 AND 1940");
        assert_eq!(shown(&from_to()[..1]), "genre = crime AND year >= 1930");
        assert_eq!(shown(&from_to()[1..]), "genre = crime AND year <= 1940");
        assert_eq!(shown(&[("year", Operator::Equal, n("1939"))]), "genre = crime AND year = 1939");
    }

    #[test]
    fn a_place_within_the_range_is_a_start_key() {
        let plan = plan(&from_to(), Order::Ascending);
        let range = "genre = crime AND year BETWEEN 1930 AND 1940";
        for direction in [Direction::Forward, Direction::Backward] {
            assert_eq!(shown(&plan, &after(direction, "1935")), Some((range.to_owned(), true)));
        }
        // The near bound is no trouble.
        assert_eq!(shown(&plan, &after(Direction::Forward, "1930")), Some((range.to_owned(), true)));
        assert_eq!(shown(&plan, &after(Direction::Backward, "1940")), Some((range.to_owned(), true)));
    }

    #[test]
    fn a_place_at_the_far_bound_is_a_condition() {
        let up = plan(&from_to(), Order::Ascending);
        let down = plan(&from_to(), Order::Descending);
        let forward = Some(("genre = crime AND year = 1940 AND bookId > b-7".to_owned(), false));
        let backward = Some(("genre = crime AND year = 1930 AND bookId < b-7".to_owned(), false));
        assert_eq!(shown(&up, &after(Direction::Forward, "1940.0")), forward);
        assert_eq!(shown(&down, &after(Direction::Backward, "1940")), forward);
        assert_eq!(shown(&up, &after(Direction::Backward, "1930")), backward);
        assert_eq!(shown(&down, &after(Direction::Forward, "1930")), backward);
        let open = plan(&from_to()[1..], Order::Ascending);
        assert_eq!(shown(&open, &after(Direction::Forward, "1940")), forward);
    }

    #[test]
    fn a_place_outside_the_range_is_its_beginning_or_its_end() {
        let plan = plan(&from_to(), Order::Ascending);
        let range = "genre = crime AND year BETWEEN 1930 AND 1940".to_owned();
        assert_eq!(shown(&plan, &after(Direction::Forward, "1900")), Some((range, false)));
        assert_eq!(shown(&plan, &after(Direction::Forward, "1941")), None);
    }

    #[test]
    fn a_unique_sort_key_stands_once_in_the_start_key() {
        let conditions = [
            Condition { attribute: "author", operator: Operator::Equal, value: s("a") },
            Condition { attribute: "day", operator: Operator::AtMost, value: s("9") },
        ];
        let plan = Plan::new(&DIARY, &conditions, Sort { attribute: "day", order: Order::Ascending }, [], 1).unwrap();
        let at = |day: &str| Cursor { direction: Direction::Forward, after: Some(Position { sort: s(day), id: s(day) }) };
        let query = plan.query(0, &at("5"), 10, Read::Items).unwrap();
        assert_eq!(query.start, Some(vec![("author", s("a")), ("day", s("5"))]));
        assert!(plan.query(0, &at("9"), 10, Read::Items).is_none(), "nothing lies beyond the far bound");
    }

    #[test]
    fn filters_have_placeholders_of_their_own() {
        let pages = ("pages", Operator::AtLeast, n("300"));
        let plan = plan(&[pages], Order::Ascending);
        let query = plan.query(0, &Cursor { direction: Direction::Forward, after: None }, 10, Read::Items).unwrap();
        assert_eq!(query.filter.as_deref(), Some("#f0 >= :f0"));
        assert!(query.names.contains(&("#f0".to_owned(), "pages")));
        assert!(query.values.contains(&(":f0".to_owned(), n("300"))));
    }
}
