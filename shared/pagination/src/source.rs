//! The way to DynamoDB: a trait of two methods, and the requests and answers that it exchanges.
//!
//! Names and values are placeholders throughout, so no list of reserved words is needed.
//! Placeholders begin with `#k` and `:k` in key conditions and with `#f` and `:f` in filters. An
//! implementor is free to use any other letter in its projection.

use std::future::Future;

use crate::{Condition, Index, Position, Predicate, Table, Value};

/// Reads one table of DynamoDB.
///
/// The implementor chooses what an item is: raw JSON, a map of attribute values, a struct. It is
/// also responsible for deadlines, for credentials and for retries of failed calls. With the
/// feature `aws-sdk`, `aws_sdk::SdkSource` is one.
///
/// # Example
///
/// A source that keeps its items in memory. One for DynamoDB would send the expressions as they
/// are.
///
/// ```
/// use std::{convert::Infallible, num::NonZeroU32};
/// use pagination::*;
///
/// /// Books by year: HASH genre, RANGE (year, bookId).
/// static BOOKS: Table = Table {
///     key: &["bookId"],
///     indexes: &[Index {
///         name: Some("byGenreYear"),
///         partition: Partition::Attributes(&["genre"]),
///         range: &["year", "bookId"],
///         projects: Projects::All,
///     }],
/// };
///
/// /// Crime novels in the order of the index: year and id.
/// struct Memory(Vec<(u32, &'static str)>);
///
/// fn position(&(year, id): &(u32, &str)) -> Position {
///     Position(vec![Value::N(year.to_string()), Value::S(id.into())])
/// }
///
/// impl Source for Memory {
///     type Item = &'static str;
///     type Error = Infallible;
///
///     async fn query(&self, query: &Query<'_>) -> Result<Answer<&'static str>, Infallible> {
///         assert_eq!(query.key_condition, "#k0 = :k0");
///         let after = query.start.as_ref().map(|start| start[2].1.clone());
///         let begin = self.0.iter().position(|book| Some(&position(book).0[1]) == after.as_ref()).map_or(0, |at| at + 1);
///         let read: Vec<_> = self.0[begin..].iter().take(query.limit as usize).collect();
///         let full = read.len() == query.limit as usize; // DynamoDB does not look whether anything follows
///         Ok(Answer {
///             last: read.last().filter(|_| full).map(|book| position(book)),
///             evaluated: read.len() as u32,
///             rows: read.iter().map(|book| Row { position: position(book), item: book.1, bytes: 9 }).collect(),
///         })
///     }
///
///     async fn fetch(&self, _: &Fetch<'_>) -> Result<Vec<Fetched<&'static str>>, Infallible> {
///         unreachable!("the index holds every attribute")
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let memory = Memory(vec![(1930, "maltese"), (1939, "sleep"), (1940, "lovely")]);
/// let sealer = Sealer::new("a secret of thirty-two characters or more", None)?;
/// let crime = Condition::equal("genre", Value::S("crime".into()));
/// let plan = Plan::new(&BOOKS, &[crime], Sort::ascending("year"), ["title"], 1)?;
/// let two = NonZeroU32::new(2).ok_or("a limit is at least 1")?;
///
/// let page = run(&memory, &plan, &Start::First, two, &Budget::default()).await?;
/// assert!(page.prev().is_none());
/// let next = page.next().ok_or("two of three")?;
/// let next = sealer.seal(&next, &plan, &[b"list-books"])?;
/// assert_eq!(page.into_items(), ["maltese", "sleep"]);
///
/// let cursor = sealer.open(&next, &plan, &[b"list-books"])?;
/// let page = run(&memory, &plan, &Start::At(cursor), two, &Budget::default()).await?;
/// assert!(page.next().is_none(), "an exact end: no empty last page");
/// assert_eq!(page.into_items(), ["lovely"]);
///
/// assert!(sealer.open(&next, &plan, &[b"another-list"]).is_err());
/// # Ok(()) }
/// ```
pub trait Source {
    /// An item as the implementor reads it.
    type Item;
    /// The error of a call that failed for good.
    type Error;

    /// Runs one Query and returns its rows in DynamoDB's order. [`run`](crate::run) checks that
    /// they and [`Answer::last`] move on; the implementor checks that LastEvaluatedKey is in
    /// [the partition](Query::partition) that was asked for.
    fn query(
        &self,
        query: &Query<'_>,
    ) -> impl Future<Output = Result<Answer<Self::Item>, Self::Error>> + Send;

    /// Runs one BatchGetItem of at most [`MAX_FETCH`] distinct keys of [`Fetch::table`] and returns
    /// a result for each, in their order.
    fn fetch(
        &self,
        fetch: &Fetch<'_>,
    ) -> impl Future<Output = Result<Vec<Fetched<Self::Item>>, Self::Error>> + Send;

    /// Returns about how many bytes an item of the table has, if that is known from earlier calls.
    /// [`fetch_all`](crate::fetch_all) then asks for no more items at first than its budget can
    /// hold. It is not needed for a right answer: it saves round trips and read units.
    fn expected_bytes(&self) -> Option<usize> {
        None
    }
}

/// The most keys in one [`Source::fetch`]
/// ([BatchGetItem](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html)
/// takes 100).
pub const MAX_FETCH: usize = 100;

/// One Query of one partition
/// ([Query](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html)).
#[derive(Debug)]
pub struct Query<'a> {
    /// The index to read.
    pub index: &'a Index,
    /// The attributes whose values make a [`Position`], in its order.
    pub position_attributes: &'a [&'static str],
    /// KeyConditionExpression.
    pub key_condition: String,
    /// FilterExpression.
    pub filter: Option<String>,
    /// ExpressionAttributeNames: placeholder and name.
    pub names: Vec<(String, &'a str)>,
    /// ExpressionAttributeValues: placeholder and value.
    pub values: Vec<(String, Value)>,
    /// ExclusiveStartKey: attribute and value.
    pub start: Option<Vec<(&'a str, Value)>>,
    /// ScanIndexForward.
    pub forward: bool,
    /// Limit: the most items to evaluate.
    pub limit: u32,
    /// The part of each item that the answer needs to hold.
    pub read: Read,
}

/// The result that a Query needs to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// Items and their positions.
    Items,
    /// Positions alone: [`Row::item`] is not used, and [`Row::bytes`] should be 0.
    Positions,
    /// The number of items (`Select: COUNT`), and no rows.
    Count,
}

/// The answer to a [`Query`].
#[derive(Debug)]
pub struct Answer<I> {
    /// The items that the filter let through.
    pub rows: Vec<Row<I>>,
    /// The number of items evaluated (ScannedCount).
    pub evaluated: u32,
    /// The position of the last item evaluated (LastEvaluatedKey); `None` at the end of the
    /// partition or range.
    pub last: Option<Position>,
}

/// An item and its position.
#[derive(Debug)]
pub struct Row<I> {
    /// The position in the index.
    pub position: Position,
    /// The item.
    pub item: I,
    /// The item's size in what the caller is sent, in bytes.
    pub bytes: usize,
}

/// Items to read by their primary keys.
#[derive(Debug)]
pub struct Fetch<'a> {
    /// The table's declaration.
    pub table: &'a Table,
    /// The keys' values, in the order of [`Table::key`]. No key stands here twice.
    pub keys: &'a [Vec<Value>],
    /// 0 for the first attempt, then counted up. Before attempt 1 and later ones the implementor
    /// waits, longer each time, or returns an error when its time is over.
    pub attempt: u32,
}

/// The result for one key of a [`Fetch`].
#[derive(Debug)]
pub enum Fetched<I> {
    /// The item, and its size in what the caller is sent, in bytes.
    Found(I, usize),
    /// The table has no such item.
    Missing,
    /// DynamoDB did not process the key (UnprocessedKeys). [`fetch_all`](crate::fetch_all) asks for
    /// it again.
    Unprocessed,
}

impl<'a> Query<'a> {
    /// Returns the attributes of the HASH key with the values of the partition that is read.
    pub fn partition(&self) -> impl Iterator<Item = (&'a str, &Value)> {
        // The key condition begins with them.
        let pairs =
            self.names.iter().zip(&self.values).take(self.index.partition_attributes().len());
        pairs.map(|((_, name), (_, value))| (*name, value))
    }

    /// Adds a key condition on `name`: `pattern` with the placeholder of the name for `#` and those
    /// of `values` for each `:`.
    pub(crate) fn key_condition<const N: usize>(
        &mut self,
        name: &'static str,
        pattern: &str,
        values: [Value; N],
    ) {
        let mut values = values.into_iter();
        if !self.key_condition.is_empty() {
            self.key_condition.push_str(" AND ");
        }
        for character in pattern.chars() {
            match character {
                '#' => {
                    let placeholder = format!("#k{}", self.names.len());
                    self.key_condition.push_str(&placeholder);
                    self.names.push((placeholder, name));
                }
                ':' => {
                    let placeholder = format!(":k{}", self.values.len());
                    self.key_condition.push_str(&placeholder);
                    self.values.extend(values.next().map(|value| (placeholder, value)));
                }
                other => self.key_condition.push(other),
            }
        }
    }

    /// Adds the conditions as a FilterExpression.
    pub(crate) fn filter(&mut self, filters: &'a [Condition]) {
        for (i, Condition { attribute, predicate }) in filters.iter().enumerate() {
            let (name, value) = (format!("#f{i}"), format!(":f{i}"));
            let comparison = |symbol: &str| format!("{name} {symbol} {value}");
            let (text, values) = match predicate {
                Predicate::Equal(operand) => (comparison("="), vec![(value, operand.clone())]),
                Predicate::AtLeast(operand) => (comparison(">="), vec![(value, operand.clone())]),
                Predicate::AtMost(operand) => (comparison("<="), vec![(value, operand.clone())]),
                Predicate::BeginsWith(prefix) => (
                    format!("begins_with({name}, {value})"),
                    vec![(value, Value::S(prefix.clone()))],
                ),
                Predicate::OneOf(operands) => {
                    let values: Vec<_> = operands
                        .iter()
                        .enumerate()
                        .map(|(j, operand)| (format!("{value}_{j}"), operand.clone()))
                        .collect();
                    let placeholders: Vec<_> =
                        values.iter().map(|(placeholder, _)| placeholder.as_str()).collect();
                    (format!("{name} IN ({})", placeholders.join(", ")), values)
                }
            };
            let filter = self.filter.get_or_insert_default();
            if i > 0 {
                filter.push_str(" AND ");
            }
            filter.push_str(&text);
            self.names.push((name, attribute));
            self.values.extend(values);
        }
    }

    /// Returns the position of an item, whose attributes `attribute` returns by name; `None` if it
    /// lacks one of them.
    pub fn position(&self, attribute: impl Fn(&str) -> Option<Value>) -> Option<Position> {
        self.position_attributes
            .iter()
            .map(|name| attribute(name))
            .collect::<Option<_>>()
            .map(Position)
    }
}
