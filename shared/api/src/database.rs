//! DynamoDB, as the routes read it: Query, BatchGetItem and GetItem under one deadline, counted.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::body::SdkBody;
use pagination::{Answer, Fetch, Fetched, Query, Read};
use projection::{Expression, Join, Malformed, Selection, Transcoder};
use serde::Serialize;

use crate::{
    dynamodb::{
        Client, Refusal,
        request::{Attribute, BatchGetItem, Capacity, GetItem, KeysAndAttributes, Pairs, Query as QueryRequest, Select},
    },
    wire::{self, Item, Metered},
};

/// DynamoDB behind a client.
#[derive(Debug, Clone)]
pub struct Database {
    client: Client,
}

/// Why DynamoDB gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseError {
    /// Throttled, or keys left unprocessed, until the attempts or the time ran out.
    Throttled,
    /// It is down, or cannot be reached.
    Unavailable(String),
    /// It did not answer in time.
    Timeout,
    /// It answered what cannot be read.
    Malformed(String),
    /// It refused the request: a permission that is missing, or a mistake of ours.
    Refused(String),
}

impl std::fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Throttled => f.write_str("throttled"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Unavailable(why) => write!(f, "unavailable: {why}"),
            Self::Malformed(why) => write!(f, "malformed answer: {why}"),
            Self::Refused(why) => write!(f, "refused: {why}"),
        }
    }
}

impl std::error::Error for DatabaseError {}

impl From<Malformed> for DatabaseError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed.to_string())
    }
}

/// What one request has cost so far.
#[derive(Debug, Default)]
pub struct Meter {
    spent: Mutex<Spent>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Spent {
    calls: u32,
    in_flight: u32,
    /// The most calls that followed one another, begun and ended.
    rounds_begun: u32,
    rounds_ended: u32,
    units: f64,
    waited: Duration,
    /// Since when calls have been in flight.
    since: Option<Instant>,
}

impl Meter {
    /// Round trips one after another: a call counts one more than those that had ended when it began, so calls side by side are one.
    #[must_use]
    pub fn rounds(&self) -> u32 {
        self.with(|spent| spent.rounds_begun)
    }

    /// Calls.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.with(|spent| spent.calls)
    }

    /// Read capacity units.
    #[must_use]
    pub fn units(&self) -> f64 {
        self.with(|spent| spent.units)
    }

    /// The time during which at least one call was under way.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.with(|spent| spent.waited)
    }

    /// A call begins; it ends when what this gives is dropped.
    fn begin(&self) -> InFlight<'_> {
        let round = self.with(|spent| {
            let round = spent.rounds_ended + 1;
            spent.calls += 1;
            spent.in_flight += 1;
            spent.rounds_begun = spent.rounds_begun.max(round);
            spent.since.get_or_insert_with(Instant::now);
            round
        });
        InFlight { meter: self, round }
    }

    fn with<T>(&self, f: impl FnOnce(&mut Spent) -> T) -> T {
        f(&mut self.spent.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// A call under way. One that is given up, because another beside it failed, ends as well.
struct InFlight<'a> {
    meter: &'a Meter,
    round: u32,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.meter.with(|spent| {
            spent.in_flight -= 1;
            spent.rounds_ended = spent.rounds_ended.max(self.round);
            if spent.in_flight == 0 {
                spent.waited += spent.since.take().map_or(Duration::ZERO, |since| since.elapsed());
            }
        });
    }
}

impl Database {
    /// Around a client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Opens the connection with a read of a key that does not exist, for half a read unit. What it answers does not matter; if it fails or takes
    /// longer than two seconds, the first request opens the connection.
    pub async fn warm(&self, table: &str, key: &[&'static str]) {
        let Some(first) = key.first() else { return };
        let request = GetItem {
            table_name: table,
            key: key.iter().map(|name| (*name, Attribute::S("-"))).collect(),
            projection_expression: "#p0",
            expression_attribute_names: Pairs(vec![("#p0", first)]),
            return_consumed_capacity: Capacity::Total,
        };
        if let Ok(body) = serde_json::to_vec(&request) {
            let _ = tokio::time::timeout(WARM_TIMEOUT, self.client.call("GetItem", body)).await;
        }
    }
}

/// Reads of one table within one request: the implementor of [`pagination::Database`].
pub struct Reader<'a> {
    database: &'a Database,
    table: &'a str,
    deadline: Instant,
    meter: &'a Meter,
    selection: &'a Selection,
    join: Option<Join>,
}

impl<'a> Reader<'a> {
    /// Reads `selection` of the items of `table`; `join` notes the places where its elements can be expanded.
    #[must_use]
    pub fn new(
        database: &'a Database,
        table: &'a str,
        deadline: Instant,
        meter: &'a Meter,
        selection: &'a Selection,
        join: Option<Join>,
    ) -> Self {
        Self { database, table, deadline, meter, selection, join }
    }

    /// Reads one item by its key: names and values. The text of the attribute `modified` comes with it.
    ///
    /// # Errors
    /// Any [`DatabaseError`].
    pub async fn get(&self, key: &[(&'static str, &str)], modified: Option<&'static str>) -> Result<Option<Item>, DatabaseError> {
        let also: Vec<&'static str> = modified.into_iter().collect();
        let Expression { text, names } = self.selection.expression(&also);
        let request = GetItem {
            table_name: self.table,
            key: key.iter().map(|(name, value)| (*name, Attribute::S(value))).collect(),
            projection_expression: &text,
            expression_attribute_names: placeholders(&names).collect(),
            return_consumed_capacity: Capacity::Total,
        };
        let answer = self.call("GetItem", &request).await?;
        self.count(wire::get(bytes(&answer)?, &mut Transcoder::new(self.selection, &also, None))?)
    }

    /// Calls an operation within the deadline.
    async fn call(&self, operation: &'static str, request: &impl Serialize) -> Result<SdkBody, DatabaseError> {
        let body = serde_json::to_vec(request).map_err(|error| DatabaseError::Refused(error.to_string()))?;
        let in_flight = self.meter.begin();
        let outcome = tokio::time::timeout_at(self.deadline.into(), self.database.client.call(operation, body)).await;
        drop(in_flight);
        outcome.map_err(|_| DatabaseError::Timeout)?.map_err(sorted)
    }

    fn count<T>(&self, Metered { content, units }: Metered<T>) -> Result<T, DatabaseError> {
        self.meter.with(|spent| spent.units += units);
        Ok(content)
    }
}

impl pagination::Database for Reader<'_> {
    type Item = Item;
    type Error = DatabaseError;

    async fn query(&self, query: &Query<'_>) -> Result<Answer<Item>, DatabaseError> {
        let picks = [query.index.sort, query.index.id];
        let selection = if query.read == Read::Items { self.selection } else { &NOTHING };
        let projection = (query.read != Read::Count).then(|| selection.expression(&picks));
        let names = query.names.iter().map(|(placeholder, name)| (placeholder.as_str(), *name));
        let request = QueryRequest {
            table_name: self.table,
            index_name: query.index.name,
            select: if projection.is_some() { Select::SpecificAttributes } else { Select::Count },
            projection_expression: projection.as_ref().map(|projection| projection.text.as_str()),
            key_condition_expression: &query.key_condition,
            filter_expression: query.filter.as_deref(),
            expression_attribute_names: names.chain(projection.iter().flat_map(|projection| placeholders(&projection.names))).collect(),
            expression_attribute_values: query.values.iter().map(|(placeholder, value)| (placeholder.as_str(), value.into())).collect(),
            exclusive_start_key: query.start.as_ref().map(|start| start.iter().map(|(name, value)| (*name, value.into())).collect()),
            scan_index_forward: query.forward,
            limit: query.limit,
            return_consumed_capacity: Capacity::Total,
        };
        let answer = self.call("Query", &request).await?;
        let mut transcoder = Transcoder::new(selection, &picks, self.join);
        let mut answer = self.count(wire::query(bytes(&answer)?, &mut transcoder, (picks[0], picks[1]))?)?;
        if query.read == Read::Positions {
            answer.rows.iter_mut().for_each(|row| row.bytes = 0);
        }
        Ok(answer)
    }

    async fn fetch(&self, fetch: &Fetch<'_>) -> Result<Vec<Fetched<Item>>, DatabaseError> {
        if fetch.attempt > 0 {
            let pause = REPEAT_PAUSE * 2_u32.saturating_pow(fetch.attempt - 1).min(64);
            // Unprocessed keys are throttling: when the time is up, that is what it was.
            if Instant::now() + pause >= self.deadline {
                return Err(DatabaseError::Throttled);
            }
            tokio::time::sleep(pause).await;
        }
        let names = fetch.table.key;
        let projection = self.selection.expression(names);
        let wanted = KeysAndAttributes {
            keys: fetch.keys.iter().map(|key| names.iter().zip(key).map(|(name, value)| (*name, value.into())).collect()).collect(),
            projection_expression: &projection.text,
            expression_attribute_names: placeholders(&projection.names).collect(),
        };
        let request = BatchGetItem { request_items: Pairs(vec![(self.table, wanted)]), return_consumed_capacity: Capacity::Total };
        let answer = self.call("BatchGetItem", &request).await.map_err(|error| match error {
            DatabaseError::Timeout if fetch.attempt > 0 => DatabaseError::Throttled,
            error => error,
        })?;
        self.count(wire::batch_get(bytes(&answer)?, &mut Transcoder::new(self.selection, names, self.join), names, fetch.keys)?)
    }
}

fn placeholders(names: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    names.iter().map(|(placeholder, name)| (placeholder.as_str(), name.as_str()))
}

/// What has come whole, as everything has.
fn bytes(answer: &SdkBody) -> Result<&[u8], DatabaseError> {
    answer.bytes().ok_or_else(|| DatabaseError::Malformed("no body".to_owned()))
}

/// What a list of bare positions selects.
static NOTHING: Selection = Selection::all(&[]);

/// Init has ten seconds; a connection that takes longer than this is left to the first request.
const WARM_TIMEOUT: Duration = Duration::from_secs(2);

/// The pause before keys left unprocessed are asked for a second time; it doubles from then on.
const REPEAT_PAUSE: Duration = Duration::from_millis(25);

/// The client's error, as what a caller can do about it.
fn sorted(error: SdkError<Refusal, HttpResponse>) -> DatabaseError {
    match &error {
        SdkError::TimeoutError(_) => DatabaseError::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => DatabaseError::Timeout,
        SdkError::DispatchFailure(failure) => {
            DatabaseError::Unavailable(failure.as_connector_error().map_or_else(|| "no connection".to_owned(), |error| chain(error)))
        }
        SdkError::ResponseError(_) => DatabaseError::Malformed(chain(&error)),
        SdkError::ServiceError(service) => match service.raw().status().as_u16() {
            _ if service.err().is_throttling() => DatabaseError::Throttled,
            status @ 500.. => DatabaseError::Unavailable(format!("{status} {}", service.err().code())),
            status => DatabaseError::Refused(format!("{status} {}", service.err())),
        },
        _ => DatabaseError::Refused(chain(&error)),
    }
}

/// An error and what caused it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
