//! DynamoDB, as the routes read it: Query, BatchGetItem and GetItem under one deadline, counted.

use std::{
    future::Future,
    sync::Mutex,
    time::{Duration, Instant},
};

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        batch_get_item::{BatchGetItem, BatchGetItemOutput},
        get_item::{GetItem, GetItemOutput},
        query::{Query as QueryOperation, QueryOutput},
    },
    types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity, Select},
};
use aws_smithy_runtime_api::client::{interceptors::context::Output, orchestrator::HttpResponse};
use bytes::Bytes;
use pagination::{Answer, Fetch, Fetched, Query, Read, Value};
use projection::{Expression, Join, Malformed, Selection, Transcoder};

use crate::{
    raw::RawBody,
    wire::{self, Item, Metered},
};

/// A client, and what every call of it needs.
#[derive(Debug, Clone)]
pub struct Database {
    client: Client,
    query: RawBody,
    batch_get: RawBody,
    get: RawBody,
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
    /// Around a client whose timeouts and retries are set as [`crate::boot()`] sets them.
    ///
    /// # Errors
    /// If the SDK has no deserializers to step around, which would be another SDK than this one.
    pub fn new(client: Client) -> Result<Self, DatabaseError> {
        let none = || DatabaseError::Malformed("this SDK has no response deserializers".to_owned());
        Ok(Self {
            client,
            query: RawBody::of(&QueryOperation::new(), || Output::erase(QueryOutput::builder().build())).ok_or_else(none)?,
            batch_get: RawBody::of(&BatchGetItem::new(), || Output::erase(BatchGetItemOutput::builder().build())).ok_or_else(none)?,
            get: RawBody::of(&GetItem::new(), || Output::erase(GetItemOutput::builder().build())).ok_or_else(none)?,
        })
    }

    /// Opens the connection with a read of a key that does not exist. Half a read unit; whatever it answers, the connection is open.
    pub async fn warm(&self, table: &str, key: &[&'static str]) {
        let Some(first) = key.first() else { return };
        let absent = || AttributeValue::S("-".to_owned());
        let call = self.client.get_item().table_name(table).projection_expression("#p0").expression_attribute_names("#p0", *first);
        let call = call.set_key(Some(key.iter().map(|name| ((*name).to_owned(), absent())).collect()));
        let _ = tokio::time::timeout(WARM_TIMEOUT, call.customize().interceptor(self.get.fresh()).send()).await;
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
        let key = key.iter().map(|(name, value)| ((*name).to_owned(), AttributeValue::S((*value).to_owned()))).collect();
        let call = self.database.client.get_item().table_name(self.table).set_key(Some(key)).projection_expression(text);
        let call = call.set_expression_attribute_names(Some(names.into_iter().collect()));
        let raw = self.database.get.fresh();
        let call = call.return_consumed_capacity(ReturnConsumedCapacity::Total).customize().interceptor(raw.clone());
        let body = self.call(raw, call.send()).await?;
        self.count(wire::get(&body, &mut Transcoder::new(self.selection, &also, None))?)
    }

    /// Waits for a call within the deadline.
    async fn call<O, E: ProvideErrorMetadata + std::error::Error + 'static>(
        &self,
        raw: RawBody,
        call: impl Future<Output = Result<O, SdkError<E, HttpResponse>>>,
    ) -> Result<Bytes, DatabaseError> {
        let in_flight = self.meter.begin();
        let outcome = tokio::time::timeout_at(self.deadline.into(), call).await;
        drop(in_flight);
        outcome.map_err(|_| DatabaseError::Timeout)?.map_err(sorted)?;
        raw.take().ok_or_else(|| DatabaseError::Malformed("no body".to_owned()))
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
        let mut names: Vec<(String, String)> =
            query.names.iter().map(|(placeholder, name)| (placeholder.clone(), (*name).to_owned())).collect();
        let mut call = self.database.client.query().table_name(self.table).set_index_name(query.index.name.map(str::to_owned));
        if query.read == Read::Count {
            call = call.select(Select::Count);
        } else {
            let projection = selection.expression(&picks);
            names.extend(projection.names);
            // What a projection implies; said, so that the role's condition on it always finds it.
            call = call.projection_expression(projection.text).select(Select::SpecificAttributes);
        }
        let values = query.values.iter().map(|(placeholder, value)| (placeholder.clone(), attribute(value)));
        let start = query.start.as_ref().map(|start| start.iter().map(|(name, value)| ((*name).to_owned(), attribute(value))).collect());
        let raw = self.database.query.fresh();
        let call = call
            .key_condition_expression(&query.key_condition)
            .set_filter_expression(query.filter.clone())
            .set_expression_attribute_names(Some(names.into_iter().collect()))
            .set_expression_attribute_values(Some(values.collect()))
            .set_exclusive_start_key(start)
            .scan_index_forward(query.forward)
            .limit(i32::try_from(query.limit).unwrap_or(i32::MAX))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .customize()
            .interceptor(raw.clone());
        let body = self.call(raw, call.send()).await?;
        let mut answer = self.count(wire::query(&body, &mut Transcoder::new(selection, &picks, self.join), (picks[0], picks[1]))?)?;
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
        let keys = fetch.keys.iter().map(|key| names.iter().zip(key).map(|(name, value)| ((*name).to_owned(), attribute(value))).collect());
        let request = KeysAndAttributes::builder()
            .set_keys(Some(keys.collect()))
            .projection_expression(projection.text)
            .set_expression_attribute_names(Some(projection.names.into_iter().collect()))
            .build()
            .map_err(|error| DatabaseError::Refused(error.to_string()))?;
        let raw = self.database.batch_get.fresh();
        let call = self.database.client.batch_get_item().request_items(self.table, request);
        let call = call.return_consumed_capacity(ReturnConsumedCapacity::Total).customize().interceptor(raw.clone());
        let body = self.call(raw, call.send()).await?;
        self.count(wire::batch_get(&body, &mut Transcoder::new(self.selection, names, self.join), names, fetch.keys)?)
    }
}

/// What a list of bare positions selects.
static NOTHING: Selection = Selection::all(&[]);

/// Init has ten seconds; a connection that takes longer than this is left to the first request.
const WARM_TIMEOUT: Duration = Duration::from_secs(2);

/// The pause before keys left unprocessed are asked for a second time; it doubles from then on.
const REPEAT_PAUSE: Duration = Duration::from_millis(25);

fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::S(text) => AttributeValue::S(text.clone()),
        Value::N(text) => AttributeValue::N(text.clone()),
        Value::Bool(flag) => AttributeValue::Bool(*flag),
    }
}

/// The SDK's error, as what a caller can do about it.
fn sorted<E: ProvideErrorMetadata + std::error::Error + 'static>(error: SdkError<E, HttpResponse>) -> DatabaseError {
    /// [Errors](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html) that say "slower".
    const THROTTLED: [&str; 5] =
        ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "Throttling", "RequestThrottled"];
    match &error {
        SdkError::TimeoutError(_) => DatabaseError::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => DatabaseError::Timeout,
        SdkError::DispatchFailure(failure) => {
            DatabaseError::Unavailable(failure.as_connector_error().map_or_else(|| "no connection".to_owned(), |error| chain(error)))
        }
        SdkError::ResponseError(_) => DatabaseError::Malformed(chain(&error)),
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("no code");
            match service.raw().status().as_u16() {
                _ if THROTTLED.contains(&code) => DatabaseError::Throttled,
                500.. => DatabaseError::Unavailable(code.to_owned()),
                // The message names the role and the resource, or the part of an expression; it holds no values.
                _ => DatabaseError::Refused(format!("{code}: {}", service.err().message().unwrap_or(""))),
            }
        }
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
