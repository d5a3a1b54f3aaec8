//! Expansions: related items, each read once for the whole page, instead of once a line.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::future::try_join_all;
use pagination::{Fetched, MAX_FETCH, Page, Row, Value, fetch_all};
use projection::{Join, Selection, splice};

use crate::app::App;
use crate::dynamodb::answer::Item;
use crate::http::problem::Problem;
use crate::http::request::Request;
use crate::route::{Expansion, MAX_PAGE_BYTES, Place};

/// The items that stand beside the page: each the one that the path's owner names. A vanished one is left out.
pub(crate) async fn beside(
    app: &App,
    request: &Request,
    expansions: &[&'static Expansion],
    owner: Option<&str>,
) -> Result<Vec<(&'static str, Item)>, Problem> {
    let wanted = expansions.iter().filter(|expansion| expansion.place == Place::Beside);
    let reads = wanted.filter_map(|expansion| Some((expansion, *expansion.resource.table.key.first()?, owner?)));
    let reads = reads.map(|(expansion, key, owner)| async move {
        let selection = Selection::of(expansion.resource.fields, expansion.fields);
        let item = app.reader(expansion.resource, request, &selection, None)?.get(&[(key, owner)], None).await?;
        Ok::<_, Problem>(item.map(|item| (expansion.name, item)))
    });
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

/// Puts the items that the page's lines name into those lines, as `member`. Each is read once; a vanished one is left out.
///
/// The page is cut before it names more than [`MAX_FETCH`] of them, and before it grows beyond [`MAX_PAGE_BYTES`].
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
    let values: Vec<_> = keys.iter().map(|key| vec![Value::S(key.clone())]).collect();
    let fetched = fetch_all(&reader, &expansion.resource.table, &values, usize::MAX).await?;
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
        (Item { json: json.into(), joints: Vec::new(), modified: None }, bytes)
    });
    page.truncate_to_bytes(MAX_PAGE_BYTES, 1);
    Ok(())
}

/// The distinct keys that the rows name, in their order, and how many rows name no more than [`MAX_FETCH`] of them. The first row counts
/// however many it names.
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
