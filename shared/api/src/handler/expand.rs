//! Expansions: related items, each read once for the whole page instead of once for each row.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::future::try_join_all;
use pagination::{Budget, Fetched, MAX_FETCH, Page, Row, fetch_all};
use projection::{Join, Selection, splice};

use crate::app::App;
use crate::dynamodb::answer::Item;
use crate::http::principal::Grant;
use crate::http::problem::{Problem, ProblemKind};
use crate::http::request::Request;
use crate::route::{Expansion, MAX_PAGE_BYTES, Place};

/// Reads the expansions that stand next to `items`; the path and the owner give the key of each. An item that does not exist is omitted.
pub(crate) async fn beside(
    app: &App,
    request: &Request,
    expansions: &[&'static Expansion],
    grant: &Grant,
) -> Result<Vec<(&'static str, Item)>, Problem> {
    let wanted = expansions.iter().filter(|expansion| expansion.place == Place::Beside);
    let key = |expansion: &Expansion| expansion.resource.key(|field| grant.value(field.name).map(str::to_owned));
    let reads = wanted.filter_map(|expansion| Some((expansion, key(expansion)?)));
    let reads = reads.map(|(expansion, key)| async move {
        let selection = Selection::of(expansion.resource.fields, expansion.fields);
        let found = app.reader(expansion.resource, request, &selection, None)?.get(&expansion.resource.table, &key, &[]).await?;
        Ok::<_, Problem>(found.map(|(item, _)| (expansion.name, item)))
    });
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

/// Inserts the related items into the rows that name them, as `member`. Each is read once; an item that does not exist is omitted.
///
/// The page ends before the row that would exceed [`MAX_FETCH`] related items or [`MAX_PAGE_BYTES`]; its first row is always kept.
pub(crate) async fn within(
    app: &App,
    request: &Request,
    expansion: &'static Expansion,
    join: Join,
    member: &'static str,
    page: &mut Page<Item>,
) -> Result<(), Problem> {
    debug_assert!(matches!(expansion.place, Place::Within { join: placed, .. } if placed == join));
    let (keys, keep) = distinct_keys(page.rows());
    page.truncate(keep);
    if keys.is_empty() {
        return Ok(());
    }
    let selection = Selection::of(expansion.resource.fields, expansion.fields);
    let reader = app.reader(expansion.resource, request, &selection, None)?;
    // The element names the one part of the related item's key that is not fixed.
    let values: Option<Vec<_>> = keys.iter().map(|key| expansion.resource.key(|_| Some(key.clone()))).collect();
    let values = values.ok_or(ProblemKind::Internal)?;
    let fetched = fetch_all(&reader, &expansion.resource.table, &values, &Budget { bytes: usize::MAX, ..Budget::default() }).await?;
    let found: HashMap<String, Bytes> = keys
        .into_iter()
        .zip(fetched)
        .filter_map(|(key, fetched)| match fetched {
            Fetched::Found(item, _) => Some((key, item.json)),
            Fetched::Missing | Fetched::Unprocessed => None,
        })
        .collect();
    page.change_items(|item| {
        let json = splice(&item.json, &item.joints, member, |key| found.get(key).map(|json| &**json));
        let bytes = json.len();
        (Item { json: json.into(), joints: Vec::new() }, bytes)
    });
    page.truncate_to_bytes(MAX_PAGE_BYTES, 1);
    Ok(())
}

/// Returns the distinct keys that the rows name, in order, and the number of rows that together name at most [`MAX_FETCH`]. The first row
/// is always included, even if it alone names more.
fn distinct_keys(rows: &[Row<Item>]) -> (Vec<String>, usize) {
    let mut keys: Vec<String> = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let before = keys.len();
        for joint in &row.item.joints {
            if !keys.contains(&joint.key) {
                keys.push(joint.key.clone());
            }
        }
        if keys.len() > MAX_FETCH && i > 0 {
            keys.truncate(before);
            return (keys, i);
        }
    }
    (keys, rows.len())
}
