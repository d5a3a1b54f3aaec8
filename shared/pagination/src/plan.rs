//! Chooses how a list is read from its conditions and sort, and makes the Queries. Does no I/O.
//!
//! The rules are those of DynamoDB's
//! [Query](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html), which
//! rejects anything else: every partition attribute has an equality; a condition on a key attribute
//! of the index is a key condition and never a filter; two bounds on the sort key are one BETWEEN.

mod query;

use std::cmp::Ordering;

use crate::{
    Condition, Direction, Index, Order, Partition, Position, Predicate, Sort, Table, Value,
    range::Range,
};

/// The reason why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No index has this sort attribute, a value for each of its partition attributes, and every
    /// attribute of the other conditions.
    #[error("no index serves these conditions in this order")]
    NoIndex,
    /// An index serves the list, but the values of its partition attributes have more than
    /// [`MAX_PARTITIONS`] combinations.
    #[error("the list would be merged from more than {MAX_PARTITIONS} partitions")]
    TooManyPartitions {
        /// The partition attributes of the index.
        attributes: &'static [&'static str],
    },
}

/// The most partitions from which a list is merged whose partition attributes have several values
/// each. Shards are not counted.
pub const MAX_PARTITIONS: usize = 16;

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
    /// with the most conditions in its range, then the first. What is wanted does not matter, so
    /// that a cursor stays valid whatever fields the next page has.
    ///
    /// # Errors
    /// [`PlanError::NoIndex`]: the possible conditions and sorts are known when a program is
    /// written, so a test can try them all. [`PlanError::TooManyPartitions`] depends on the
    /// number of values.
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
            (partition, in_range)
        };
        let served = table.indexes.iter().filter(|index| {
            sort.attribute.is_none_or(|attribute| index.range.first() == Some(&attribute))
        });
        let (mut error, mut best) = (PlanError::NoIndex, None);
        for index in served {
            match partitions(table, index, conditions, shards) {
                // The first of equals is kept.
                Ok(partitions)
                    if best.as_ref().is_none_or(|(known, _)| fitness(&index) > fitness(known)) =>
                {
                    best = Some((index, partitions));
                }
                Ok(_) | Err(PlanError::NoIndex) => {}
                Err(too_many) => error = too_many,
            }
        }
        let (index, partitions) = best.ok_or(error)?;

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

/// Returns the partitions of `index` that hold the list.
///
/// # Errors
/// The index cannot serve the conditions, or its partitions cannot be merged, or they are too many.
fn partitions(
    table: &Table,
    index: &Index,
    conditions: &[Condition],
    shards: u16,
) -> Result<Vec<Vec<Value>>, PlanError> {
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
        return Err(PlanError::NoIndex);
    }
    let merged = |all: Vec<_>, constant: &[&str]| {
        let can_be = all.len() <= 1 || index.is_mergeable(table, constant);
        if can_be { Ok(all) } else { Err(PlanError::NoIndex) }
    };
    let Partition::Attributes(names) = index.partition else {
        let all = (0..shards.max(1)).map(|shard| vec![Value::N(shard.to_string())]).collect();
        return merged(all, &[]);
    };
    let (mut all, mut constant) = (vec![Vec::with_capacity(names.len())], Vec::new());
    for &name in names {
        let given = on(name).filter_map(|condition| match &condition.predicate {
            Predicate::Equal(value) => Some(vec![value.clone()]),
            Predicate::OneOf(values) => Some(values.clone()),
            Predicate::AtLeast(_) | Predicate::AtMost(_) | Predicate::BeginsWith(_) => None,
        });
        // The values of one condition that pass the others too. If none does, the list is empty.
        let mut values = given.min_by_key(Vec::len).ok_or(PlanError::NoIndex)?;
        values.sort_by(Value::order);
        values.dedup_by(|a, b| a.order(b).is_eq());
        values.retain(|value| on(name).all(|condition| condition.predicate.holds(value)));
        if values.len() == 1 {
            constant.push(name);
        }
        if all.len() * values.len() > MAX_PARTITIONS {
            return Err(PlanError::TooManyPartitions { attributes: names });
        }
        all = all
            .into_iter()
            .flat_map(|partition: Vec<Value>| {
                values
                    .iter()
                    .map(move |value| [partition.as_slice(), std::slice::from_ref(value)].concat())
            })
            .collect();
    }
    merged(all, &constant)
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

    /// Two items of different regions can have the same event id, so that the place after one of
    /// them says nothing about the other.
    #[test]
    fn partitions_are_merged_only_if_no_two_of_them_have_the_same_position() {
        static EVENTS: Table = Table {
            key: &["region", "eventId"],
            indexes: &[
                Index {
                    name: None,
                    partition: Partition::Attributes(&["region"]),
                    range: &["eventId"],
                    projects: Projects::All,
                },
                Index {
                    name: Some("byRegionKind"),
                    partition: Partition::Attributes(&["region", "kind"]),
                    range: &["at", "eventId"],
                    projects: Projects::All,
                },
            ],
        };
        static SHARDED: Table = Table {
            key: &["shard", "at"],
            indexes: &[Index {
                name: None,
                partition: Partition::Shards("shard"),
                range: &["at"],
                projects: Projects::All,
            }],
        };
        let of = |attribute, values: &[&str]| {
            Condition::one_of(attribute, values.iter().copied().map(n).collect())
        };
        let partitions = |table, conditions: &[Condition], attribute, shards| {
            let plan = Plan::new(table, conditions, Sort::ascending(attribute), [], shards);
            plan.ok().map(|plan| plan.partitions())
        };
        let events = |regions: &[&str], kinds: &[&str], attribute| {
            let kinds = (!kinds.is_empty()).then(|| of("kind", kinds));
            let conditions: Vec<_> = kinds.into_iter().chain([of("region", regions)]).collect();
            partitions(&EVENTS, &conditions, attribute, 1)
        };
        assert_eq!(events(&["1"], &[], "eventId"), Some(1));
        assert_eq!(events(&["1", "2"], &[], "eventId"), None);
        assert_eq!(events(&["1"], &["1", "2"], "at"), Some(2));
        assert_eq!(events(&["1", "2"], &["1"], "at"), None);
        assert_eq!(partitions(&SHARDED, &[], "at", 1), Some(1));
        assert_eq!(partitions(&SHARDED, &[], "at", 2), None);
        assert_eq!(
            SHARDED.mistakes(),
            ["the table itself: shards can be merged only if its range has shard"]
        );
    }

    #[test]
    fn a_list_is_merged_from_sixteen_partitions_at_most() {
        let genres = |count: u32| {
            let genres = (0..count).map(|genre| n(&genre.to_string())).collect();
            Plan::new(&SHELF, &[Condition::one_of("genre", genres)], NEWEST, [], 1)
                .ok()
                .map(|plan| (plan.index.name, plan.partitions()))
        };
        assert_eq!(genres(16), Some((Some("byGenreYear"), 16)));
        // The genre is a filter of the other index.
        assert_eq!(genres(17), Some((Some("byShardYear"), 1)));
        static BY_GENRE: Table = Table { key: SHELF.key, indexes: &[SHELF.indexes[0]] };
        let genres = (0..17).map(|genre| n(&genre.to_string())).collect();
        let conditions = [Condition::one_of("genre", genres)];
        assert_eq!(
            Plan::new(&BY_GENRE, &conditions, NEWEST, [], 1).unwrap_err(),
            PlanError::TooManyPartitions { attributes: &["genre"] }
        );
    }

    /// A cursor is bound to the index, so what is wanted of an item must not choose it.
    #[test]
    fn what_is_wanted_does_not_choose_the_index() {
        static LIKE: Table = Table {
            key: &["bookId"],
            indexes: &[
                Index { name: Some("first"), ..SHELF.indexes[0] },
                Index { name: Some("all"), projects: Projects::All, ..SHELF.indexes[0] },
            ],
        };
        for wanted in ["title", "blurb"] {
            let plan = Plan::new(&LIKE, &[genre()], NEWEST, [wanted], 1).unwrap();
            assert_eq!(plan.index.name, Some("first"), "{wanted}");
        }
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
