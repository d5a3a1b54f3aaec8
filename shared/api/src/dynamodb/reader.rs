//! Reads of one resource's table within one request: Query, BatchGetItem and GetItem under one
//! deadline, counted.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity, Select},
};
use bytes::Bytes;
use pagination::{Answer, Fetch, Fetched, Query, Read, Table, Value};
use projection::{Expression, Join, Selection, Transcoder};

use super::{client::Client, error::ReadError, http_client::body_of};
use crate::dynamodb::answer::{self, Asked, Item, Metered};
use crate::meter::Meter;

/// Reads the table of one resource: the implementor of [`pagination::Source`].
pub struct Reader<'a> {
    client: &'a Client,
    table: &'a str,
    deadline: Instant,
    meter: &'a Meter,
    selection: &'a Selection,
    join: Option<Join>,
}

impl<'a> Reader<'a> {
    /// Makes a reader of `selection` from the items of `table`; `join` names the list whose
    /// elements can be expanded.
    #[must_use]
    pub fn new(
        client: &'a Client,
        table: &'a str,
        deadline: Instant,
        meter: &'a Meter,
        selection: &'a Selection,
        join: Option<Join>,
    ) -> Self {
        Self { client, table, deadline, meter, selection, join }
    }

    /// Reads one item by its key, the values in the order of [`Table::key`]. The scalars of the
    /// attributes `picks` are returned with it.
    ///
    /// # Errors
    /// Any [`ReadError`].
    pub async fn get(
        &self,
        table: &Table,
        key: &[Value],
        picks: &[&'static str],
    ) -> Result<Option<(Item, Vec<Option<Value>>)>, ReadError> {
        let all: Vec<&'static str> = table.key.iter().chain(picks).copied().collect();
        let Expression { text, names } = self.selection.expression(&all);
        let call = self.client.sdk().get_item().table_name(self.table);
        let call = table
            .key
            .iter()
            .zip(key)
            .fold(call, |call, (name, value)| call.key(*name, attribute(value)));
        let call = call
            .projection_expression(text)
            .set_expression_attribute_names(Some(names.into_iter().collect()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = self.call(call.send()).await?;
        Ok(self.count(answer::get(&answer, &Transcoder::new(self.selection, &all, None), key)?))
    }

    /// Makes a call within the deadline and returns the bytes of its answer.
    fn call<'c, O, E>(
        &'c self,
        call: impl Future<Output = Result<O, SdkError<E, HttpResponse>>> + Send + 'c,
    ) -> impl Future<Output = Result<Bytes, ReadError>> + Send + 'c
    where
        O: 'c,
        E: ProvideErrorMetadata + std::error::Error + Send + 'static,
    {
        // Not in the async block: the call's own type must not be part of it (see `body_of`).
        let call = body_of(call);
        async move {
            let in_flight = self.meter.begin();
            let outcome = tokio::time::timeout_at(self.deadline.into(), call).await;
            drop(in_flight);
            let body = outcome.map_err(|_| ReadError::Timeout)??;
            body.ok_or_else(|| ReadError::Malformed("no body".to_owned()))
        }
    }

    fn count<T>(&self, Metered { content, units }: Metered<T>) -> T {
        self.meter.add_units(units);
        content
    }
}

impl pagination::Source for Reader<'_> {
    type Item = Item;
    type Error = ReadError;

    async fn query(&self, query: &Query<'_>) -> Result<Answer<Item>, ReadError> {
        let picks = query.position_attributes;
        let selection = if query.read == Read::Items { self.selection } else { &NOTHING };
        let projection = (query.read != Read::Count).then(|| selection.expression(picks));
        // A projection implies this value; it is sent so that the role's condition on
        // `dynamodb:Select` always finds one.
        let select = if projection.is_some() { Select::SpecificAttributes } else { Select::Count };
        let (text, names) = projection.map(|Expression { text, names }| (text, names)).unzip();
        let names = query
            .names
            .iter()
            .map(|(placeholder, name)| (placeholder.clone(), (*name).to_owned()))
            .chain(names.into_iter().flatten());
        let call = self
            .client
            .sdk()
            .query()
            .table_name(self.table)
            .set_index_name(query.index.name.map(str::to_owned))
            .select(select)
            .set_projection_expression(text)
            .key_condition_expression(query.key_condition.as_str())
            .set_filter_expression(query.filter.clone())
            .set_expression_attribute_names(Some(names.collect()))
            .set_expression_attribute_values(Some(
                query.values.iter().map(|(name, value)| (name.clone(), attribute(value))).collect(),
            ))
            .set_exclusive_start_key(query.start.as_ref().map(|start| {
                start.iter().map(|(name, value)| ((*name).to_owned(), attribute(value))).collect()
            }))
            .scan_index_forward(query.forward)
            .limit(i32::try_from(query.limit).unwrap_or(i32::MAX))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = self.call(call.send()).await?;
        let partition: Vec<_> = query.partition().collect();
        let asked = Asked { position: picks, partition: &partition, limit: query.limit };
        let mut answer = self.count(match query.read {
            Read::Count => answer::count(&answer, asked),
            Read::Items | Read::Positions => {
                answer::query(&answer, &Transcoder::new(selection, picks, self.join), asked)
            }
        }?);
        if query.read == Read::Positions {
            answer.rows.iter_mut().for_each(|row| row.bytes = 0);
        }
        Ok(answer)
    }

    async fn fetch(&self, fetch: &Fetch<'_>) -> Result<Vec<Fetched<Item>>, ReadError> {
        if fetch.attempt > 0 {
            let pause = REPEAT_PAUSE * 2_u32.saturating_pow(fetch.attempt - 1).min(64);
            // Unprocessed keys mean throttling, so that is the reason when the time is up.
            if Instant::now() + pause >= self.deadline {
                return Err(ReadError::Throttled);
            }
            tokio::time::sleep(pause).await;
        }
        let names = fetch.table.key;
        let Expression { text, names: placeholders } = self.selection.expression(names);
        let keys = fetch.keys.iter().map(|key| {
            names
                .iter()
                .zip(key)
                .map(|(name, value)| ((*name).to_owned(), attribute(value)))
                .collect()
        });
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys.collect()))
            .projection_expression(text)
            .set_expression_attribute_names(Some(placeholders.into_iter().collect()))
            .build()
            .map_err(|error| ReadError::Refused(error.to_string()))?;
        let call = self
            .client
            .sdk()
            .batch_get_item()
            .request_items(self.table, wanted)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = self.call(call.send()).await.map_err(|error| match error {
            ReadError::Timeout if fetch.attempt > 0 => ReadError::Throttled,
            error => error,
        })?;
        let answer = answer::batch_get(
            &answer,
            &Transcoder::new(self.selection, names, self.join),
            names,
            fetch.keys,
        )?;
        let found =
            answer.content.iter().filter(|fetched| matches!(fetched, Fetched::Found(..))).count();
        self.client.sizes().add(self.table, found, answer.units);
        Ok(self.count(answer))
    }

    fn expected_bytes(&self) -> Option<usize> {
        self.client.sizes().of(self.table)
    }
}

fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::S(text) => AttributeValue::S(text.clone()),
        Value::N(text) => AttributeValue::N(text.clone()),
        Value::Bool(flag) => AttributeValue::Bool(*flag),
    }
}

/// The selection of a list of bare positions.
static NOTHING: Selection = Selection::all(&[]);

/// The pause before the first retry of unprocessed keys; it doubles with each retry.
const REPEAT_PAUSE: Duration = Duration::from_millis(25);
