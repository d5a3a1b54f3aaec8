//! A page in parts, for an interface that writes an answer of its own.

use bytes::Bytes;
use pagination::{Cursor, Direction, Plan};

use super::{ListPage, ListPlan, ListRequest};
use crate::http::problem::{Problem, ProblemKind};
use crate::route::Policy;

/// A page in parts. Every cursor goes forward from the place for which it stands;
/// [`ListPlan::toward`] turns one.
#[derive(Debug)]
pub struct Listed {
    /// The items, in the list's order.
    pub items: Vec<ListedItem>,
    /// The expansions that stand once next to the items, as JSON. One that does not exist is left
    /// out.
    pub next_to_items: Vec<(&'static str, Bytes)>,
    /// The expansions that were cut, because with the page's first item they have more than an
    /// answer can hold, or could not be read in time.
    pub partial: Vec<&'static str>,
    /// The end of the page, if a page follows.
    pub next: Option<String>,
    /// The begin of the page, if a page is before it.
    pub prev: Option<String>,
    /// The policy of an answer with this page.
    pub policy: Policy,
}

/// An item of a page, with the cursor of its place.
#[derive(Debug)]
pub struct ListedItem {
    /// The item's JSON.
    pub json: Bytes,
    /// The cursor with which the list goes on after the item.
    pub cursor: String,
}

impl ListRequest<'_> {
    /// Seals a cursor of the list.
    pub(super) fn seal(
        &self,
        plan: &Plan,
        cursor: Option<Cursor>,
    ) -> Result<Option<String>, Problem> {
        let sealer = &self.app.config().sealer;
        cursor.map(|cursor| sealer.seal(&cursor, plan, &self.context())).transpose().map_err(
            |error| {
                tracing::error!(%error, "an item's key is too long");
                ProblemKind::Internal.into()
            },
        )
    }
}

impl ListPage<'_> {
    /// Returns the parts of the page.
    ///
    /// # Errors
    /// 500 if an item's key is too long for a cursor.
    pub fn listed(self) -> Result<Listed, Problem> {
        let Self { plan: ListPlan { request, plan, .. }, page, next_to_items, partial } = self;
        let forward = |cursor: Cursor| Cursor { direction: Direction::Forward, ..cursor };
        let seal = |cursor: Option<Cursor>| request.seal(&plan, cursor.map(forward));
        let (next, prev) = (seal(page.next())?, seal(page.prev())?);
        let policy =
            if page.timed_out() { Policy::NoStore } else { request.route().resource.policy };
        let mut items = Vec::with_capacity(page.rows().len());
        for row in page.into_rows() {
            let cursor = Cursor { direction: Direction::Forward, after: Some(row.position) };
            let cursor = seal(Some(cursor))?.unwrap_or_default();
            items.push(ListedItem { json: row.item.json, cursor });
        }
        let next_to_items =
            next_to_items.into_iter().map(|(name, item)| (name, item.json)).collect();
        Ok(Listed { items, next_to_items, partial, next, prev, policy })
    }
}
