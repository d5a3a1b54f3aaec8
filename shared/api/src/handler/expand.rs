//! Expansions: related items, each read once for the whole page instead of once for each row.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use futures_util::future::try_join_all;
use pagination::{Budget, Fetched, MAX_FETCH, Page, Row, fetch_all, first_unread};
use projection::{Join, Selection, splice};

use crate::app::App;
use crate::dynamodb::answer::Item;
use crate::http::principal::Grant;
use crate::http::problem::{ParameterError, Problem, ProblemKind};
use crate::http::query_string::QueryString;
use crate::http::request::Request;
use crate::route::{Expansion, Place};

/// An expansion that a request asked for, and the fields of the related items that are shown.
#[derive(Debug)]
pub struct Expanded<'r> {
    /// The declaration.
    pub expansion: &'static Expansion,
    /// The name of the related items' table.
    pub(crate) table: &'r str,
    /// The fields: those that the request named below the expansion, else all that the declaration
    /// shows.
    pub selection: Selection,
}

/// Reads the expansions: those that `expand` names, and those that `fields` does, which is a
/// selection of the fields of [`Route::selectable_by_name`](crate::Route).
pub(crate) fn chosen<'r>(
    query: &QueryString<'_>,
    offered: &'r [(&'static Expansion, String)],
    fields: Option<&Selection>,
    errors: &mut Vec<ParameterError>,
) -> Vec<Expanded<'r>> {
    let text = query.get("expand");
    let named: Vec<_> = text.into_iter().flat_map(|text| text.split(',')).collect();
    if let Some(unknown) =
        named.iter().find(|name| offered.iter().all(|(expansion, _)| expansion.name != **name))
    {
        let names: Vec<_> = offered.iter().map(|(expansion, _)| expansion.name).collect();
        errors.push(ParameterError::unknown_value("expand", unknown, &names));
    }
    let one = |(expansion, table): &'r (&'static Expansion, String)| {
        let part = fields.and_then(|fields| match &expansion.place {
            Place::NextToItems => fields.part(&[expansion.name]),
            Place::Within { join, member } => fields.part(&[join.list, member]),
        });
        let wanted = part.is_some() || named.contains(&expansion.name);
        let all = || Selection::of(expansion.resource.fields, expansion.fields);
        wanted.then(|| Expanded { expansion, table, selection: part.unwrap_or_else(all) })
    };
    offered.iter().filter_map(one).collect()
}

/// Reads the expansions that stand next to `items`; the path and the owner give the key of each. An
/// item that does not exist is omitted.
pub(crate) async fn next_to_items(
    app: &App,
    request: &Request,
    expansions: &[Expanded<'_>],
    grant: &Grant,
) -> Result<Vec<(&'static str, Item)>, Problem> {
    let wanted =
        expansions.iter().filter(|expanded| expanded.expansion.place == Place::NextToItems);
    let key = |expanded: &Expanded| {
        expanded.expansion.resource.key(|field| grant.value(field.name).map(str::to_owned))
    };
    let reads = wanted.filter_map(|expanded| Some((expanded, key(expanded)?)));
    let reads = reads.map(|(Expanded { expansion, table, selection }, key)| async move {
        let found = app
            .reader(expansion.resource, table, request, selection, None)
            .get(&expansion.resource.table, &key, &[])
            .await?;
        Ok::<_, Problem>(found.map(|(item, _)| (expansion.name, item)))
    });
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

/// Inserts the related items into the rows that name them, as `member`. Each is read once; an item
/// that does not exist is omitted.
///
/// The page ends before the row with which it would name more than [`MAX_FETCH`] related items,
/// have more than `bytes` bytes, or need more time than there is. The first row is always kept, so
/// that every page makes progress: of its related items as many are inserted, in the row's order,
/// as were read and fit.
///
/// Returns true if the row that was kept lacks related items for that reason. It is then the only
/// row.
pub(crate) async fn within(
    app: &App,
    request: &Request,
    Expanded { expansion, table, selection }: &Expanded<'_>,
    join: Join,
    member: &'static str,
    page: &mut Page<Item>,
    bytes: usize,
) -> Result<bool, Problem> {
    debug_assert!(matches!(expansion.place, Place::Within { join: placed, .. } if placed == join));
    let (mut keys, keep) = distinct_keys(page.rows());
    page.truncate(keep);
    if keys.is_empty() {
        return Ok(false);
    }
    keys.truncate(MAX_EXPANDED);
    let reader = app.reader(expansion.resource, table, request, selection, None);
    // The element names the one part of the related item's key that is not fixed.
    let values: Option<Vec<_>> =
        keys.iter().map(|key| expansion.resource.key(|_| Some(key.clone()))).collect();
    let values = values.ok_or(ProblemKind::Internal)?;
    let budget = Budget { bytes, deadline: Some(request.deadline), ..Budget::default() };
    let fetched = fetch_all(&reader, &expansion.resource.table, &values, &budget).await?;
    let is_late = first_unread(&fetched, bytes).is_some_and(|unread| unread.timed_out);
    let known: HashMap<String, Option<Bytes>> = keys
        .into_iter()
        .zip(fetched)
        .filter_map(|(key, fetched)| match fetched {
            Fetched::Found(item, _) => Some((key, Some(item.json))),
            Fetched::Missing => Some((key, None)),
            Fetched::Unprocessed => None,
        })
        .collect();

    let is_known = |row: &Row<Item>| {
        row.item.insertions.iter().all(|insertion| known.contains_key(&insertion.key))
    };
    let complete = page.rows().iter().take_while(|row| is_known(row)).count();
    match (complete < page.rows().len(), is_late) {
        (true, true) => page.truncate_timed_out(complete),
        (true, false) => page.truncate(complete),
        (false, _) => {}
    }
    let (mut left, mut first, mut partial) = (bytes, true, complete == 0);
    page.change_items(|item| {
        // A related item that was not read ends the row's expansion, as one that does not fit does.
        let end = item
            .insertions
            .iter()
            .position(|insertion| !known.contains_key(&insertion.key))
            .unwrap_or(item.insertions.len());
        let (json, fits) = splice(&item.json, &item.insertions[..end], member, left, |key| {
            known.get(key)?.as_deref()
        });
        left = left.saturating_sub(json.len() + 1);
        partial |= first && !fits;
        // Only the first row can be partial. The page is cut before another one.
        let bytes = if fits || first { json.len() } else { usize::MAX };
        first = false;
        (Item { json: json.into(), insertions: Vec::new() }, bytes)
    });
    if partial {
        page.truncate(1);
    }
    page.truncate_to_bytes(bytes, 1);
    Ok(partial)
}

/// The most related items that one request reads. Only a page's first row can name so many; they
/// are ten BatchGetItems.
const MAX_EXPANDED: usize = 10 * MAX_FETCH;

/// Returns the distinct keys that the rows name, in order, and the number of rows that together
/// name at most [`MAX_FETCH`]. The first row is always included, even if it alone names more.
fn distinct_keys(rows: &[Row<Item>]) -> (Vec<String>, usize) {
    let (mut keys, mut seen) = (Vec::new(), HashSet::new());
    for (i, row) in rows.iter().enumerate() {
        let before = keys.len();
        for insertion in &row.item.insertions {
            if seen.insert(insertion.key.as_str()) {
                keys.push(insertion.key.clone());
            }
        }
        if keys.len() > MAX_FETCH && i > 0 {
            keys.truncate(before);
            return (keys, i);
        }
    }
    (keys, rows.len())
}
