//! Reads of one resource's table within one request: Query, BatchGetItem and GetItem under one
//! deadline, counted.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use bytes::Bytes;
use pagination::{Answer, Condition, Fetch, Fetched, Query, Read, Table, Value};
use projection::{Expression, Join, Malformed, Selection, Transcoder};

use super::{
    client::Client,
    error::ReadError,
    question::{Asking, Question, boxed},
};
use crate::dynamodb::answer::{self, Asked, Item, Metered};
use crate::meter::Meter;
use crate::tier::{Found, Key, PublicTier, Timed};

/// Reads the table of one resource: the implementor of [`pagination::Source`].
pub struct Reader<'a> {
    client: &'a Client,
    table: &'a str,
    deadline: Instant,
    meter: &'a Meter,
    selection: &'a Selection,
    join: Option<Join>,
    /// What an item that is read by its key must have besides: one that has not is missing.
    conditions: Vec<Condition>,
    tier: Option<PublicTier<'a>>,
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
        let conditions = Vec::new();
        Self { client, table, deadline, meter, selection, join, conditions, tier: None }
    }

    /// Treats an item that is read by its key as missing if it does not fulfil all of `conditions`.
    pub(crate) fn with_conditions(
        mut self,
        conditions: impl IntoIterator<Item = Condition>,
    ) -> Self {
        self.conditions.extend(conditions);
        self
    }

    /// Looks for answers in the cache tier first, and stores them there, if there is one.
    pub(crate) fn with_tier(self, tier: Option<PublicTier<'a>>) -> Self {
        Self { tier, ..self }
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
        let mut all = self.by_key(table);
        all.extend(picks);
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
        let answer = self.call(boxed(call.send())).await?;
        let Metered { content, units } = answer::get(
            &answer,
            &Transcoder::new(self.selection, &all, None),
            key,
            &self.conditions,
        )?;
        self.meter.add_units(units);
        Ok(content)
    }

    /// Returns the attributes that every read by key needs: the key's, then those of the conditions.
    fn by_key(&self, table: &Table) -> Vec<&'static str> {
        let conditions = self.conditions.iter().map(|condition| condition.attribute);
        table.key.iter().copied().chain(conditions).collect()
    }

    /// Makes a call within the deadline and returns the bytes of its answer.
    async fn call(&self, call: Asking) -> Result<Bytes, ReadError> {
        let in_flight = self.meter.begin();
        let outcome = tokio::time::timeout_at(self.deadline.into(), call).await;
        drop(in_flight);
        let body = outcome.map_err(|_| ReadError::Timeout)??;
        body.ok_or_else(|| ReadError::Malformed("no body".to_owned()))
    }

    /// Returns the answer to a question as `read` reads it, and counts what it cost.
    ///
    /// It comes from the tier if that has one that can be read and is complete, as `is_whole` says;
    /// otherwise from DynamoDB, and then it is stored.
    async fn answer<T>(
        &self,
        tier: Option<PublicTier<'_>>,
        question: Question<'_>,
        read: impl Fn(&[u8]) -> Result<Metered<T>, Malformed>,
        is_whole: impl Fn(&T) -> bool,
    ) -> Result<Metered<T>, ReadError> {
        let mut key = None;
        if let Some(tier) = tier {
            key = self.key(&question).await;
            let found = match &key {
                Some(key) => tier.get(key, self.deadline, self.meter).await,
                None => Found::Unavailable,
            };
            match found {
                Found::Answer(body, age) => {
                    if let Ok(answer) = read(&body)
                        && is_whole(&answer.content)
                    {
                        self.meter.add_hit(age);
                        return Ok(answer);
                    }
                    self.meter.add_miss();
                }
                Found::Nothing => self.meter.add_miss(),
                Found::Unavailable => {
                    self.meter.tier_failed();
                    key = None;
                }
            }
        }
        let (body, timed) = Timed::run(self.call(question.ask(self.client))).await;
        let body = body?;
        let answer = read(&body)?;
        self.meter.add_units(answer.units);
        if let (Some(tier), Some(key)) = (tier, key)
            && is_whole(&answer.content)
            && !tier.put(&key, &body, &timed, self.deadline, self.meter).await
        {
            self.meter.tier_failed();
        }
        Ok(answer)
    }

    async fn key(&self, question: &Question<'_>) -> Option<Key> {
        let place = tokio::time::timeout_at(self.deadline.into(), self.client.place()).await;
        question.key(place.ok()??)
    }
}

impl pagination::Source for Reader<'_> {
    type Item = Item;
    type Error = ReadError;

    async fn query(&self, query: &Query<'_>) -> Result<Answer<Item>, ReadError> {
        let picks = query.position_attributes;
        let selection = if query.read == Read::Items { self.selection } else { &NOTHING };
        let partition: Vec<_> = query.partition().collect();
        let asked = Asked { position: picks, partition: &partition, limit: query.limit };
        let read = |answer: &[u8]| match query.read {
            Read::Count => answer::count(answer, asked),
            Read::Items | Read::Positions => {
                answer::query(answer, &Transcoder::new(selection, picks, self.join), asked)
            }
        };
        let question = Question::query(self.table, query, selection);
        let mut answer = self.answer(self.tier, question, read, |_| true).await?.content;
        if query.read == Read::Positions {
            answer.rows.iter_mut().for_each(|row| row.bytes = 0);
        }
        Ok(answer)
    }

    async fn fetch(&self, fetch: &Fetch<'_>) -> Result<Vec<Fetched<Item>>, ReadError> {
        if fetch.attempt > 0 {
            // Unprocessed keys mean throttling, so that is the reason when the time is up.
            let left = self.deadline.saturating_duration_since(Instant::now());
            let pause = pause_before(fetch.attempt, left).ok_or(ReadError::Throttled)?;
            tokio::time::sleep(pause).await;
        }
        let attributes = self.by_key(fetch.table);
        let read = |answer: &[u8]| {
            let transcoder = Transcoder::new(self.selection, &attributes, self.join);
            answer::batch_get(answer, &transcoder, fetch, &self.conditions)
        };
        let is_whole = |fetched: &Vec<Fetched<Item>>| {
            !fetched.iter().any(|fetched| matches!(fetched, Fetched::Unprocessed))
        };
        let question = Question::fetch(self.table, fetch, self.selection, &attributes);
        // The keys that are left of an earlier attempt are hardly ever asked for again.
        let tier = self.tier.filter(|_| fetch.attempt == 0);
        let answer =
            self.answer(tier, question, read, is_whole).await.map_err(|error| match error {
                ReadError::Timeout if fetch.attempt > 0 => ReadError::Throttled,
                error => error,
            })?;
        let found =
            answer.content.iter().filter(|fetched| matches!(fetched, Fetched::Found(..))).count();
        self.client.sizes().add(self.table, found, answer.units);
        Ok(answer.content)
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

/// Returns the pause before retry `attempt` (the first is 1) of unprocessed keys: it doubles with
/// each retry, up to 64 times the first. `None` if it would take all of the time that is left.
fn pause_before(attempt: u32, left: Duration) -> Option<Duration> {
    let pause = REPEAT_PAUSE * 2_u32.saturating_pow(attempt.saturating_sub(1)).min(64);
    (pause < left).then_some(pause)
}

/// The pause before the first retry of unprocessed keys.
const REPEAT_PAUSE: Duration = Duration::from_millis(25);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_between_retries_double_and_leave_time_for_the_retry() {
        let pauses = [1, 2, 3, 4, 7, 8, 100].map(|attempt| {
            pause_before(attempt, Duration::from_secs(60)).map(|pause| pause.as_millis())
        });
        assert_eq!(pauses, [25, 50, 100, 200, 1_600, 1_600, 1_600].map(Some));
        for (left, pause) in [(0, None), (25, None), (26, Some(REPEAT_PAUSE))] {
            assert_eq!(pause_before(1, Duration::from_millis(left)), pause, "{left} ms");
        }
    }
}
