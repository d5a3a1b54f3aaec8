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
