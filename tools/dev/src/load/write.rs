//! Writes batches, several at a time; retries unprocessed items after a pause that doubles.

use crate::attribute::Item;
use crate::failure::failure;
use anyhow::{Context as _, Result, bail};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemError;
use aws_sdk_dynamodb::types::{PutRequest, ReturnConsumedCapacity, WriteRequest};
use std::collections::HashMap;
use std::time::Duration;
use tokio::task::JoinSet;

/// The maximum number of items in one BatchWriteItem.
pub(super) const BATCH: usize = 25;
const IN_FLIGHT: usize = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The maximum number of successive rounds without progress: some two minutes.
const FRUITLESS: u32 = 18;

pub(super) struct Writer {
    client: Client,
    table: String,
    in_flight: JoinSet<Result<(u64, f64)>>,
    rows: u64,
    units: f64,
}

impl Writer {
    pub(super) fn new(client: Client, table: String) -> Self {
        Self { client, table, in_flight: JoinSet::new(), rows: 0, units: 0.0 }
    }

    /// Sends a batch; waits while too many are in progress.
    pub(super) async fn put(&mut self, batch: Vec<Item>) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        while self.in_flight.len() >= IN_FLIGHT {
            self.next().await?;
        }
        self.in_flight.spawn(send(self.client.clone(), self.table.clone(), batch));
        Ok(())
    }

    /// Waits for all batches, and returns the rows written and the units charged.
    pub(super) async fn finish(mut self) -> Result<(u64, f64)> {
        while !self.in_flight.is_empty() {
            self.next().await?;
        }
        Ok((self.rows, self.units))
    }

    async fn next(&mut self) -> Result<()> {
        if let Some(sent) = self.in_flight.join_next().await {
            let (rows, units) = sent.context("a batch was lost")??;
            self.rows += rows;
            self.units += units;
        }
        Ok(())
    }
}

async fn send(client: Client, table: String, batch: Vec<Item>) -> Result<(u64, f64)> {
    let rows = batch.len() as u64;
    let mut left: Vec<WriteRequest> = Vec::with_capacity(batch.len());
    for item in batch {
        let put = PutRequest::builder().set_item(Some(item)).build()?;
        left.push(WriteRequest::builder().put_request(put).build());
    }
    let mut units = 0.0;
    let mut fruitless = 0;
    let mut pause = FIRST_PAUSE;
    loop {
        let sent = left.len();
        let request = client
            .batch_write_item()
            .set_request_items(Some(HashMap::from([(table.clone(), left.clone())])))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match request.send().await {
            Ok(output) => {
                units += output
                    .consumed_capacity()
                    .iter()
                    .filter_map(|of| of.capacity_units())
                    .sum::<f64>();
                left = output
                    .unprocessed_items
                    .and_then(|mut tables| tables.remove(&table))
                    .unwrap_or_default();
            }
            Err(error) if is_throttling(&error) => {}
            Err(error) => return Err(failure(&error, &table)),
        }
        if left.is_empty() {
            return Ok((rows, units));
        }
        (fruitless, pause) =
            if left.len() < sent { (0, FIRST_PAUSE) } else { (fruitless + 1, pause) };
        if fruitless > FRUITLESS {
            bail!(
                "table {table} has taken nothing for minutes: it throttles; load again later (what is loaded stays)"
            );
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn is_throttling(error: &SdkError<BatchWriteItemError>) -> bool {
    const CODES: [&str; 3] =
        ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"];
    error.code().is_some_and(|code| CODES.contains(&code))
}
