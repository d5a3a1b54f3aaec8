//! Chooses how a list is read from its conditions and sort, and makes the Queries. Does no I/O.
//!
//! The rules are those of DynamoDB's
//! [Query](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html), which
//! rejects anything else: every partition attribute has an equality; a condition on a key attribute
//! of the index is a key condition and never a filter; two bounds on the sort key are one BETWEEN.

use std::cmp::Ordering;

use crate::{
    Condition, Direction, Index, Order, Partition, Position, Predicate, Query, Read, Sort, Table,
    Value, range::Range,
};

/// The reason why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No index has this sort attribute, a value for each of its partition attributes, and every
    /// attribute of the other conditions.
    #[error("no index serves these conditions in this order")]
    NoIndex,
}

/// The most partitions of a list whose partition attributes have several values each.
const MAX_PARTITIONS: usize = 16;

/// The way to read a list: the index, its partitions, the range of the sort key, and the filters.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) table: &'static Table,
    index: &'static Index,
    position_attributes: Vec<&'static str>,
    order: Order,
    /// The partitions' attribute values, in the order of the index's partition attributes.
    partitions: Vec<Vec<Value>>,
    range: Range,
    filters: Vec<Condition>,
    covered: bool,
    canonical: Vec<String>,
}

impl Plan {
    /// Chooses an index that serves `conditions` in the order of `sort`. `wanted` are the
    /// attributes that items need to have. `shards` is the number of partitions of a
    /// [`Partition::Shards`] index, at least 1.
    ///
    /// The index that reads the least is chosen: the one with the most partition attributes, then
    /// with the most conditions in its range, then one that holds all that is wanted.
    ///
    /// # Errors
    /// [`PlanError::NoIndex`]. The possible conditions and sorts are known when a program is
    /// written, so a test can try them all.
    pub fn new<'a>(
        table: &'static Table,
        conditions: &[Condition],
        sort: Sort,
        wanted: impl IntoIterator<Item = &'a str>,
        shards: u16,
    ) -> Result<Self, PlanError> {
        let wanted: Vec<_> = wanted.into_iter().collect();
        let covered = |index: &Index| wanted.iter().all(|attribute| index.covers(table, attribute));
        let fitness = |index: &&Index| {
            let partition = match index.partition {
                Partition::Attributes(names) => names.len(),
                Partition::Shards(_) => 0,
            };
            let in_range = conditions
                .iter()
                .filter(|condition| index.range.first() == Some(&condition.attribute))
                .count();
            (partition, in_range, covered(index))
        };
        let served = table.indexes.iter().filter(|index| {
            sort.attribute.is_none_or(|attribute| index.range.first() == Some(&attribute))
        });
        let served =
            served.filter_map(|index| Some((index, partitions(table, index, conditions, shards)?)));
        // max_by_key takes the last of equals: the first declared shall win.
        let served: Vec<_> = served.collect();
        let (index, partitions) = served
            .into_iter()
            .rev()
            .max_by_key(|(index, _)| fitness(index))
            .ok_or(PlanError::NoIndex)?;

        let mut range = Range::default();
        let mut filters = Vec::new();
        for condition in conditions {
            if index.range.first() == Some(&condition.attribute) {
                range.narrow(&condition.predicate);
            } else if !index.is_key(condition.attribute) {
                filters.push(condition.clone());
            }
        }
        range.settle();
        let mut canonical: Vec<String> = conditions.iter().map(Condition::canonical).collect();
        canonical.sort();
        let position_attributes = index.position_attributes(table).collect();
        let covered = covered(index);
        Ok(Self {
            table,
            index,
            position_attributes,
            order: sort.order,
            partitions,
            range,
            filters,
            covered,
            canonical,
        })
    }

    /// Returns the index that the list is read from.
    #[must_use]
    pub fn index(&self) -> &'static Index {
        self.index
    }

    /// Returns true if the index holds every wanted attribute. If not, a Query reads the keys and
    /// BatchGetItem the items.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        self.covered
    }

    /// Returns true if every condition is a key condition, so that items can be skipped by
    /// counting.
    #[must_use]
    pub fn is_unfiltered(&self) -> bool {
        self.filters.is_empty()
    }

    /// Returns the number of partitions that are merged.
    #[must_use]
    pub fn partitions(&self) -> usize {
        self.partitions.len()
    }

    /// Returns the attributes whose values make a position, in its order.
    #[must_use]
    pub fn position_attributes(&self) -> &[&'static str] {
        &self.position_attributes
    }

    /// Returns true if the conditions exclude each other. Such a list is empty, and DynamoDB would
    /// reject the BETWEEN.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let reversed = matches!((&self.range.low, &self.range.high), (Some(low), Some(high)) if low.order(high) == Ordering::Greater);
        reversed || self.partitions.is_empty()
    }

    /// Returns true if a position lies within the range of the first RANGE attribute.
    pub(crate) fn is_within(&self, position: &Position) -> bool {
        let Range { low, high, prefix } = &self.range;
        let Some(value) = position.0.first().filter(|_| !self.index.range.is_empty()) else {
            return true;
        };
        low.as_ref().is_none_or(|low| value.order(low) != Ordering::Less)
            && high.as_ref().is_none_or(|high| value.order(high) != Ordering::Greater)
            && prefix
                .as_ref()
                .is_none_or(|prefix| matches!(value, Value::S(text) if text.starts_with(prefix)))
    }

    /// Compares two positions in the order of a walk; `None` if only DynamoDB knows which of the
    /// two items comes first.
    pub(crate) fn order(
        &self,
        direction: Direction,
        a: &Position,
        b: &Position,
    ) -> Option<Ordering> {
        let order = a.order(b, self.index.range.len());
        let order = if self.scans_forward(direction) { order } else { order.reverse() };
        (order.is_ne() || self.index.is_unique(self.table) || a == b).then_some(order)
    }

    /// Returns what cursors are bound to: the index, its order, and the conditions in a canonical
    /// form.
    pub(crate) fn binding(&self) -> impl Iterator<Item = &[u8]> {
        let order = match self.order {
            Order::Ascending => "ascending",
            Order::Descending => "descending",
        };
        [self.index.name.unwrap_or(""), self.index.range.first().copied().unwrap_or(""), order]
            .into_iter()
            .chain(self.canonical.iter().map(String::as_str))
            .map(str::as_bytes)
    }

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

    /// Returns ScanIndexForward for a walk in `direction`.
    pub(crate) fn scans_forward(&self, direction: Direction) -> bool {
        (self.order == Order::Ascending) == (direction == Direction::Forward)
    }

    /// Returns the primary key of the row at `position` in partition number `partition`, its values
    /// in the order of [`Table::key`].
    pub(crate) fn key(&self, partition: usize, position: &Position) -> Vec<Value> {
        let partition = self.index.partition_attributes().iter().zip(&self.partitions[partition]);
        let known = partition.chain(self.position_attributes.iter().zip(&position.0));
        let value = |name: &&'static str| {
            known.clone().find(|(attribute, _)| *attribute == name).map(|(_, value)| value.clone())
        };
        self.table.key.iter().filter_map(value).collect()
    }
}

/// Returns the partitions of `index` that hold the list, or `None` if the index cannot serve its
/// conditions.
fn partitions(
    table: &Table,
    index: &Index,
    conditions: &[Condition],
    shards: u16,
) -> Option<Vec<Vec<Value>>> {
    let on = |attribute: &'static str| {
        conditions.iter().filter(move |condition| condition.attribute == attribute)
    };
    let served = conditions.iter().all(|Condition { attribute, predicate }| {
        if index.partition_attributes().contains(attribute) {
            matches!(index.partition, Partition::Attributes(_))
        } else if index.range.first() == Some(attribute) {
            !matches!(predicate, Predicate::OneOf(_))
        } else {
            !index.is_key(attribute) && index.covers(table, attribute)
        }
    });
    if !served {
        return None;
    }
    let Partition::Attributes(names) = index.partition else {
        return Some((0..shards.max(1)).map(|shard| vec![Value::N(shard.to_string())]).collect());
    };
    let mut all = vec![Vec::with_capacity(names.len())];
    for &name in names {
        let given = on(name).filter_map(|condition| match &condition.predicate {
            Predicate::Equal(value) => Some(vec![value.clone()]),
            Predicate::OneOf(values) => Some(values.clone()),
            Predicate::AtLeast(_) | Predicate::AtMost(_) | Predicate::BeginsWith(_) => None,
        });
        // The values of one condition that pass the others too. If none does, the list is empty.
        let mut values = given.min_by_key(Vec::len)?;
        values.sort_by(Value::order);
        values.dedup_by(|a, b| a.order(b).is_eq());
        values.retain(|value| on(name).all(|condition| condition.predicate.holds(value)));
        all = all
            .into_iter()
            .flat_map(|partition: Vec<Value>| {
                values
                    .iter()
                    .map(move |value| [partition.as_slice(), std::slice::from_ref(value)].concat())
            })
            .collect();
    }
    (all.len() <= 1 || (all.len() <= MAX_PARTITIONS && index.is_unique(table))).then_some(all)
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
                range: &["year", "bookId"],
                projects: Projects::Attributes(&["title", "pages"]),
            },
            Index {
                name: Some("byShardYear"),
                partition: Partition::Shards("shard"),
                range: &["year", "bookId"],
                projects: Projects::Attributes(&["title", "pages", "genre"]),
            },
        ],
    };
    const NEWEST: Sort = Sort::descending("year");

    fn n(text: &str) -> Value {
        Value::N(text.into())
    }

    fn genre() -> Condition {
        Condition::equal("genre", Value::S("crime".into()))
    }

    #[test]
    fn the_most_specific_partition_wins() {
        let plan =
            |conditions: &[Condition]| Plan::new(&SHELF, conditions, NEWEST, ["title"], 4).unwrap();
        assert_eq!(plan(&[genre()]).index.name, Some("byGenreYear"));
        assert_eq!(plan(&[genre()]).partitions, [[Value::S("crime".into())]]);
        assert_eq!(plan(&[]).index.name, Some("byShardYear"));
        assert_eq!(plan(&[]).partitions(), 4);
    }

    #[test]
    fn bounds_on_the_sort_key_are_one_range_and_the_rest_are_filters() {
        let bounds = [
            genre(),
            Condition::at_least("year", n("1990")),
            Condition::at_least("year", n("1995")),
            Condition::at_most("year", n("2000")),
            Condition::at_least("pages", n("300")),
        ];
        let plan = Plan::new(&SHELF, &bounds, NEWEST, ["title"], 1).unwrap();
        assert_eq!((&plan.range.low, &plan.range.high), (&Some(n("1995")), &Some(n("2000"))));
        assert_eq!(plan.filters, [bounds[4].clone()]);
        assert!(!plan.is_unfiltered());
    }

    #[test]
    fn an_attribute_outside_the_index_is_not_covered_and_cannot_filter() {
        let plan = |wanted| Plan::new(&SHELF, &[genre()], NEWEST, [wanted], 1).unwrap();
        assert!(
            plan("title").is_covered() && plan("bookId").is_covered() && plan("genre").is_covered()
        );
        assert!(!plan("blurb").is_covered());
        let blurb = Condition::equal("blurb", n("1"));
        assert_eq!(
            Plan::new(&SHELF, &[blurb], NEWEST, ["title"], 1).unwrap_err(),
            PlanError::NoIndex
        );
    }

    #[test]
    fn no_filter_on_a_key_of_the_index() {
        let id = Condition::equal("bookId", Value::S("b-1".into()));
        assert_eq!(
            Plan::new(&SHELF, &[genre(), id], NEWEST, ["title"], 1).unwrap_err(),
            PlanError::NoIndex
        );
        let range = Condition::at_least("genre", Value::S("a".into()));
        let plan = Plan::new(&SHELF, &[range], NEWEST, ["title"], 1).unwrap();
        assert_eq!(
            plan.index.name,
            Some("byShardYear"),
            "a range of a HASH attribute is a filter of another index"
        );
    }

    #[test]
    fn reversed_bounds_are_an_empty_list_and_no_query() {
        let reversed =
            [Condition::at_least("year", n("2000")), Condition::at_most("year", n("1990"))];
        assert!(Plan::new(&SHELF, &reversed, NEWEST, ["title"], 1).unwrap().is_empty());
    }

    #[test]
    fn the_binding_does_not_depend_on_how_the_request_was_written() {
        let a = [genre(), Condition::at_least("year", n("1990"))];
        let b = [Condition::at_least("year", n("1.99E3")), genre()];
        let plan = |conditions: &[Condition], wanted| {
            Plan::new(&SHELF, conditions, NEWEST, [wanted], 1).unwrap()
        };
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
