//! Reads by primary key: in batches, in order, repeated until every key is processed.

use futures_util::future::try_join_all;

use crate::{Fetch, Fetched, MAX_FETCH, Source, Table, Value};

/// Reads items by their keys and returns them in the order of `keys`.
///
/// The keys are read in concurrent batches of [`MAX_FETCH`]. Keys that DynamoDB leaves unprocessed are read again. Once the items found
/// have more than `bytes` bytes together, the keys after them may stay [`Fetched::Unprocessed`].
///
/// # Errors
/// The first error of a call. [`Source::fetch`] decides when to stop repeating.
pub async fn fetch_all<S: Source>(source: &S, table: &Table, keys: &[Vec<Value>], bytes: usize) -> Result<Vec<Fetched<S::Item>>, S::Error> {
    let mut all: Vec<Fetched<S::Item>> = keys.iter().map(|_| Fetched::Unprocessed).collect();
    for attempt in 0.. {
        let open = unprocessed(&all, bytes);
        if open.is_empty() {
            break;
        }
        let batches = open.chunks(MAX_FETCH).map(|batch| async move {
            let keys: Vec<_> = batch.iter().map(|&i| keys[i].clone()).collect();
            let fetched = source.fetch(&Fetch { table, keys: &keys, attempt }).await?;
            Ok((batch, fetched))
        });
        for (batch, fetched) in try_join_all(batches).await? {
            for (&i, fetched) in batch.iter().zip(fetched) {
                all[i] = fetched;
            }
        }
    }
    Ok(all)
}

/// The indexes of the unprocessed keys, up to the item at which those found so far have more than `bytes` bytes.
fn unprocessed<I>(all: &[Fetched<I>], bytes: usize) -> Vec<usize> {
    let mut sum = 0;
    let before = all.iter().take_while(|fetched| {
        let fits = sum <= bytes;
        if let Fetched::Found(_, bytes) = fetched {
            sum += bytes;
        }
        fits
    });
    before.enumerate().filter(|(_, fetched)| matches!(fetched, Fetched::Unprocessed)).map(|(i, _)| i).collect()
}
