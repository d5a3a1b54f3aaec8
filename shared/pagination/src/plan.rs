//! From conditions and a sort to one access path: pure, without I/O.
//!
//! The rules are DynamoDB's, each a validation error otherwise
//! ([Query](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html)): every partition attribute has an
//! equality; a condition on a key of the index is a key condition and never a filter; two bounds on the sort key are one BETWEEN.

use std::cmp::Ordering;

use crate::{Index, Partition, Table, Value};

/// A condition on an attribute. Conditions are combined with AND.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The attribute, at the top level of the item.
    pub attribute: &'static str,
    /// How it compares.
    pub operator: Operator,
    /// With what.
    pub value: Value,
}

/// How an attribute compares with a value.
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
    /// The attribute that the list is sorted by; an index must have it as its `sort`.
    pub attribute: &'static str,
    /// Up or down.
    pub order: Order,
}

/// Up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The least first.
    Ascending,
    /// The greatest first.
    Descending,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanError {
    /// No index has this sort attribute, all its partition attributes bound by equalities, and room for the other conditions.
    NoIndex,
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoIndex => f.write_str("no index serves these conditions in this order"),
        }
    }
}

impl std::error::Error for PlanError {}

/// How a list will be read: which index, which partitions, which range, which filters.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) table: &'static Table,
    pub(crate) index: &'static Index,
    pub(crate) order: Order,
    /// The partitions' attribute values, in the order of the index's partition attributes.
    pub(crate) partitions: Vec<Vec<Value>>,
    pub(crate) low: Option<Value>,
    pub(crate) high: Option<Value>,
    pub(crate) filters: Vec<Condition>,
    pub(crate) covered: bool,
    canonical: Vec<String>,
}

impl Plan {
    /// Chooses the index for `conditions` in the order of `sort`, to bring the attributes `wanted`. `shards` is how many partitions a
    /// [`Partition::Shards`] index has (at least one).
    ///
    /// The index whose partition takes in the most conditions wins: it reads the least.
    ///
    /// # Errors
    /// [`PlanError::NoIndex`]. Which conditions and sorts there are is known when a program is written: a test can try them all.
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

    /// The index that the list is read from.
    #[must_use]
    pub fn index(&self) -> &'static Index {
        self.index
    }

    /// Whether one Query brings everything wanted. If not, the index brings keys and BatchGetItem the items.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        self.covered
    }

    /// Whether every condition is a key condition, so that items can be skipped by counting.
    #[must_use]
    pub fn is_unfiltered(&self) -> bool {
        self.filters.is_empty()
    }

    /// How many partitions are merged.
    #[must_use]
    pub fn partitions(&self) -> usize {
        self.partitions.len()
    }

    /// Whether the bounds of the sort key exclude each other: the list is empty, and DynamoDB would refuse the BETWEEN.
    pub(crate) fn is_empty(&self) -> bool {
        matches!((&self.low, &self.high), (Some(low), Some(high)) if low.order(high) == Ordering::Greater)
    }

    /// What a cursor is bound to: the index, its order, and the conditions in one canonical form.
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
}

fn equality<'a>(conditions: &'a [Condition], attribute: &str) -> Option<&'a Value> {
    let found = |condition: &&Condition| condition.attribute == attribute && condition.operator == Operator::Equal;
    conditions.iter().find(found).map(|condition| &condition.value)
}

/// Whether the index has its partition from the conditions and can take the rest as a range or as filters.
fn serves(table: &Table, index: &Index, conditions: &[Condition]) -> bool {
    let partition_given = match index.partition {
        Partition::Attributes(names) => names.iter().all(|name| equality(conditions, name).is_some()),
        Partition::Shards(_) => true,
    };
    partition_given
        && conditions.iter().all(|condition| {
            let in_partition = index.partition_attributes().contains(&condition.attribute);
            if in_partition {
                // Two different equalities of one attribute, or a range of it, is nothing that a HASH key can hold.
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
