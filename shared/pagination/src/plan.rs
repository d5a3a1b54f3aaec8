//! Chooses how a list is read from its conditions and sort, and makes the Queries. Does no I/O.
//!
//! The rules are those of DynamoDB's [Query](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html), which rejects
//! anything else: every partition attribute has an equality; a condition on a key attribute of the index is a key condition and never a
//! filter; two bounds on the sort key are one BETWEEN.

use std::cmp::Ordering;

use crate::{Condition, Direction, Index, Operator, Order, Partition, Position, Query, Read, Sort, Table, Value};

/// The reason why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No index has this sort attribute, equalities for all its partition attributes, and every attribute of the other conditions.
    #[error("no index serves these conditions in this order")]
    NoIndex,
}

/// The way to read a list: the index, its partitions, the range of the sort key, and the filters.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) table: &'static Table,
    index: &'static Index,
    order: Order,
    /// The partitions' attribute values, in the order of the index's partition attributes.
    partitions: Vec<Vec<Value>>,
    low: Option<Value>,
    high: Option<Value>,
    filters: Vec<Condition>,
    covered: bool,
    canonical: Vec<String>,
}

impl Plan {
    /// Chooses an index that serves `conditions` in the order of `sort`. `wanted` are the attributes that items need to have. `shards` is the
    /// number of partitions of a [`Partition::Shards`] index, at least 1.
    ///
    /// The index with the most partition attributes is chosen, because it reads the least.
    ///
    /// # Errors
    /// [`PlanError::NoIndex`]. The possible conditions and sorts are known when a program is written, so a test can try them all.
    pub fn new<'a>(
        table: &'static Table,
        conditions: &[Condition],
        sort: Sort,
        wanted: impl IntoIterator<Item = &'a str>,
        shards: u16,
    ) -> Result<Self, PlanError> {
        let index = table
            .indexes
            .iter()
            .filter(|index| index.sort == sort.attribute && serves(table, index, conditions))
            .rev() // max_by_key takes the last of equals: the first declared shall win
            .max_by_key(|index| match index.partition {
                Partition::Attributes(names) => names.len(),
                Partition::Shards(_) => 0,
            })
            .ok_or(PlanError::NoIndex)?;

        let partitions = match index.partition {
            Partition::Attributes(names) => {
                vec![names.iter().filter_map(|name| equality(conditions, name)).cloned().collect()]
            }
            Partition::Shards(_) => (0..shards.max(1)).map(|shard| vec![Value::N(shard.to_string())]).collect(),
        };
        let (mut low, mut high) = (None, None);
        let mut filters = Vec::new();
        for condition in conditions {
            if condition.attribute == index.sort {
                if condition.operator != Operator::AtMost {
                    tighten(&mut low, &condition.value, Ordering::Greater);
                }
                if condition.operator != Operator::AtLeast {
                    tighten(&mut high, &condition.value, Ordering::Less);
                }
            } else if !index.is_key(condition.attribute) {
                filters.push(condition.clone());
            }
        }
        let covered = wanted.into_iter().all(|attribute| index.covers(table, attribute));
        let mut canonical: Vec<String> = conditions
            .iter()
            .map(|condition| format!("{}{}{}", condition.attribute, condition.operator.symbol(), condition.value.canonical()))
            .collect();
        canonical.sort();
        Ok(Self { table, index, order: sort.order, partitions, low, high, filters, covered, canonical })
    }

    /// Returns the index that the list is read from.
    #[must_use]
    pub fn index(&self) -> &'static Index {
        self.index
    }

    /// Returns true if the index holds every wanted attribute. If not, a Query reads the keys and BatchGetItem the items.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        self.covered
    }

    /// Returns true if every condition is a key condition, so that items can be skipped by counting.
    #[must_use]
    pub fn is_unfiltered(&self) -> bool {
        self.filters.is_empty()
    }

    /// Returns the number of partitions that are merged.
    #[must_use]
    pub fn partitions(&self) -> usize {
        self.partitions.len()
    }

    /// Returns true if the bounds of the sort key exclude each other. Such a list is empty, and DynamoDB would reject the BETWEEN.
    pub(crate) fn is_empty(&self) -> bool {
        matches!((&self.low, &self.high), (Some(low), Some(high)) if low.order(high) == Ordering::Greater)
    }

    /// Returns what cursors are bound to: the index, its order, and the conditions in a canonical form.
    pub(crate) fn binding(&self) -> impl Iterator<Item = &[u8]> {
        let order = match self.order {
            Order::Ascending => "ascending",
            Order::Descending => "descending",
        };
        [self.index.name.unwrap_or(""), self.index.sort, order]
            .into_iter()
            .chain(self.canonical.iter().map(String::as_str))
            .map(str::as_bytes)
    }

    /// Returns the Query that reads partition number `partition` after the position `after`, or from its beginning; `None` if nothing can
    /// follow.
    pub(crate) fn query(
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
        // A position before the range needs no start key: the range itself begins after it.
        let after = after.filter(|after| near.as_ref().is_none_or(|near| toward(near, after) != Ordering::Less));
        match (after, far) {
            (Some(after), Some(far)) if toward(far, after) == Ordering::Greater => return None,
            (Some(after), Some(far)) if toward(far, after) == Ordering::Equal => {
                // DynamoDB rejects a start key at the far bound of a range, so a condition takes its place.
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

    /// Returns ScanIndexForward for a walk in `direction`.
    pub(crate) fn scans_forward(&self, direction: Direction) -> bool {
        (self.order == Order::Ascending) == (direction == Direction::Forward)
    }

    /// Returns the primary key of the row at `position` in partition number `partition`, its values in the order of [`Table::key`].
    pub(crate) fn key(&self, partition: usize, position: &Position) -> Vec<Value> {
        let value = |name: &&'static str| {
            let partition = self.index.partition_attributes().iter().zip(&self.partitions[partition]);
            let (sort, id) = ((&self.index.sort, &position.sort), (&self.index.id, &position.id));
            partition.chain([sort, id]).find(|(attribute, _)| *attribute == name).map(|(_, value)| value.clone())
        };
        self.table.key.iter().filter_map(value).collect()
    }
}

fn equality<'a>(conditions: &'a [Condition], attribute: &str) -> Option<&'a Value> {
    let found = |condition: &&Condition| condition.attribute == attribute && condition.operator == Operator::Equal;
    conditions.iter().find(found).map(|condition| &condition.value)
}

/// Returns true if conditions give the index's partition, and the others can be a range or filters.
fn serves(table: &Table, index: &Index, conditions: &[Condition]) -> bool {
    let partition_given = match index.partition {
        Partition::Attributes(names) => names.iter().all(|name| equality(conditions, name).is_some()),
        Partition::Shards(_) => true,
    };
    partition_given
        && conditions.iter().all(|condition| {
            let in_partition = index.partition_attributes().contains(&condition.attribute);
            if in_partition {
                // A HASH key takes one equality: no second value, and no range.
                condition.operator == Operator::Equal && equality(conditions, condition.attribute) == Some(&condition.value)
            } else {
                condition.attribute == index.sort || (condition.attribute != index.id && index.covers(table, condition.attribute))
            }
        })
}

fn tighten(bound: &mut Option<Value>, value: &Value, tighter: Ordering) {
    if bound.as_ref().is_none_or(|bound| value.order(bound) == tighter) {
        *bound = Some(value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Projects;

    static SHELF: Table = Table {
        key: &["bookId"],
        indexes: &[
            Index {
                name: Some("byGenreYear"),
                partition: Partition::Attributes(&["genre"]),
                sort: "year",
                id: "bookId",
                projects: Projects::Attributes(&["title", "pages"]),
            },
            Index {
                name: Some("byShardYear"),
                partition: Partition::Shards("shard"),
                sort: "year",
                id: "bookId",
                projects: Projects::Attributes(&["title", "pages", "genre"]),
            },
        ],
    };
    const NEWEST: Sort = Sort { attribute: "year", order: Order::Descending };

    fn condition(attribute: &'static str, operator: Operator, value: Value) -> Condition {
        Condition { attribute, operator, value }
    }

    fn n(text: &str) -> Value {
        Value::N(text.into())
    }

    fn genre() -> Condition {
        condition("genre", Operator::Equal, Value::S("crime".into()))
    }

    #[test]
    fn the_most_specific_partition_wins() {
        let plan = |conditions: &[Condition]| Plan::new(&SHELF, conditions, NEWEST, ["title"], 4).unwrap();
        assert_eq!(plan(&[genre()]).index.name, Some("byGenreYear"));
        assert_eq!(plan(&[genre()]).partitions, [[Value::S("crime".into())]]);
        assert_eq!(plan(&[]).index.name, Some("byShardYear"));
        assert_eq!(plan(&[]).partitions(), 4);
    }

    #[test]
    fn bounds_on_the_sort_key_are_one_range_and_the_rest_are_filters() {
        let bounds = [
            genre(),
            condition("year", Operator::AtLeast, n("1990")),
            condition("year", Operator::AtLeast, n("1995")),
            condition("year", Operator::AtMost, n("2000")),
            condition("pages", Operator::AtLeast, n("300")),
        ];
        let plan = Plan::new(&SHELF, &bounds, NEWEST, ["title"], 1).unwrap();
        assert_eq!((&plan.low, &plan.high), (&Some(n("1995")), &Some(n("2000"))));
        assert_eq!(plan.filters, [bounds[4].clone()]);
        assert!(!plan.is_unfiltered());
    }

    #[test]
    fn an_attribute_outside_the_index_is_not_covered_and_cannot_filter() {
        let plan = |wanted| Plan::new(&SHELF, &[genre()], NEWEST, [wanted], 1).unwrap();
        assert!(plan("title").is_covered() && plan("bookId").is_covered() && plan("genre").is_covered());
        assert!(!plan("blurb").is_covered());
        let blurb = condition("blurb", Operator::Equal, n("1"));
        assert_eq!(Plan::new(&SHELF, &[blurb], NEWEST, ["title"], 1).unwrap_err(), PlanError::NoIndex);
    }

    #[test]
    fn no_filter_on_a_key_of_the_index() {
        let id = condition("bookId", Operator::Equal, Value::S("b-1".into()));
        assert_eq!(Plan::new(&SHELF, &[genre(), id], NEWEST, ["title"], 1).unwrap_err(), PlanError::NoIndex);
        let range = condition("genre", Operator::AtLeast, Value::S("a".into()));
        let plan = Plan::new(&SHELF, &[range], NEWEST, ["title"], 1).unwrap();
        assert_eq!(plan.index.name, Some("byShardYear"), "a range of a HASH attribute is a filter of another index");
    }

    #[test]
    fn reversed_bounds_are_an_empty_list_and_no_query() {
        let reversed = [condition("year", Operator::AtLeast, n("2000")), condition("year", Operator::AtMost, n("1990"))];
        assert!(Plan::new(&SHELF, &reversed, NEWEST, ["title"], 1).unwrap().is_empty());
    }

    #[test]
    fn the_binding_does_not_depend_on_how_the_request_was_written() {
        let a = [genre(), condition("year", Operator::AtLeast, n("1990"))];
        let b = [condition("year", Operator::AtLeast, n("1.99E3")), genre()];
        let plan = |conditions: &[Condition], wanted| Plan::new(&SHELF, conditions, NEWEST, [wanted], 1).unwrap();
        assert!(plan(&a, "title").binding().eq(plan(&b, "blurb").binding()));
        assert!(!plan(&a, "title").binding().eq(plan(&[genre()], "title").binding()));
    }
}

#[cfg(test)]
mod query_tests {
    use super::*;
    use crate::Projects;

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

    fn year(year: &str) -> Option<Position> {
        Some(Position { sort: n(year), id: s("b-7") })
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
        let shown = |more: &[_]| shown(&plan(more, Order::Ascending), Direction::Forward, None).unwrap().0;
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
            assert_eq!(shown(&plan, direction, year("1935")), Some((range.to_owned(), true)));
        }
        // A start key at the near bound is accepted.
        assert_eq!(shown(&plan, Direction::Forward, year("1930")), Some((range.to_owned(), true)));
        assert_eq!(shown(&plan, Direction::Backward, year("1940")), Some((range.to_owned(), true)));
    }

    #[test]
    fn a_place_at_the_far_bound_is_a_condition() {
        let up = plan(&from_to(), Order::Ascending);
        let down = plan(&from_to(), Order::Descending);
        let forward = Some(("genre = crime AND year = 1940 AND bookId > b-7".to_owned(), false));
        let backward = Some(("genre = crime AND year = 1930 AND bookId < b-7".to_owned(), false));
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
        let conditions = [
            Condition { attribute: "author", operator: Operator::Equal, value: s("a") },
            Condition { attribute: "day", operator: Operator::AtMost, value: s("9") },
        ];
        let plan = Plan::new(&DIARY, &conditions, Sort { attribute: "day", order: Order::Ascending }, [], 1).unwrap();
        let at = |day: &str| Position { sort: s(day), id: s(day) };
        let query = plan.query(0, Direction::Forward, Some(&at("5")), 10, Read::Items).unwrap();
        assert_eq!(query.start, Some(vec![("author", s("a")), ("day", s("5"))]));
        assert!(plan.query(0, Direction::Forward, Some(&at("9")), 10, Read::Items).is_none(), "nothing lies beyond the far bound");
    }

    #[test]
    fn filters_have_placeholders_of_their_own() {
        let pages = ("pages", Operator::AtLeast, n("300"));
        let plan = plan(&[pages], Order::Ascending);
        let query = plan.query(0, Direction::Forward, None, 10, Read::Items).unwrap();
        assert_eq!(query.filter.as_deref(), Some("#f0 >= :f0"));
        assert!(query.names.contains(&("#f0".to_owned(), "pages")));
        assert!(query.values.contains(&(":f0".to_owned(), n("300"))));
    }
}
