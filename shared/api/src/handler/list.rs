//! The four steps of a list route: parse, plan, run, reply.

use std::num::NonZeroU32;

use futures_util::future::try_join;
use pagination::{Budget, Condition, Order, Page, Plan, RunError, Sort, Start};
use projection::{Field, Selection};

use crate::app::App;
use crate::dynamodb::ReadError;
use crate::dynamodb::answer::Item;
use crate::handler::expand::{self, Expanded};
use crate::handler::parameters;
use crate::http::principal::Grant;
use crate::http::problem::{ParameterError, Problem, ProblemKind};
use crate::http::query::Query;
use crate::http::request::Request;
use crate::http::response::Reply;
use crate::route::{List, MAX_BODY_BYTES, Place, Policy, Resource, Route, Shape, SortOption};
use crate::stored::stored;

/// A request for a page, its parameters checked one by one.
#[derive(Debug)]
pub struct ListRequest<'r> {
    route: &'static Route,
    query: Query<'r>,
    conditions: Vec<Condition>,
    sort: Sort,
    selection: Selection,
    expansions: Vec<Expanded>,
    limit: NonZeroU32,
    skip: Option<u32>,
    grant: Grant,
}

/// A page that can be read: parameters, access path and start position.
#[derive(Debug)]
pub struct ListPlan<'r> {
    request: ListRequest<'r>,
    plan: Plan,
    start: Start,
}

/// A page that has been read.
#[derive(Debug)]
pub struct ListPage<'r> {
    plan: ListPlan<'r>,
    page: Page<Item>,
    /// JSON members next to `items`.
    beside: Vec<(&'static str, Item)>,
    /// The expansion that was cut, because the only item on the page names more related items than
    /// an answer can hold.
    partial: Option<&'static str>,
}

impl<'r> ListRequest<'r> {
    /// Reads the parameters that the route declares.
    ///
    /// # Errors
    /// 401 and 403 before any other check; then 414; then one 400 that lists every wrong parameter.
    pub fn parse(app: &App, request: &'r Request) -> Result<Self, Problem> {
        let route = app.route();
        let Shape::List(list) = &route.shape else { return Err(ProblemKind::Internal.into()) };
        let grant = request.grant(route)?;
        let mut errors = Vec::new();
        let query = request.query(&parameter_names(list), &mut errors)?;
        let mut conditions =
            parameters::conditions(&query, route.resource, list.filters, &mut errors);
        conditions.extend(grant.values.iter().map(|(field, value)| {
            Condition::equal(field.attribute(), stored(field, value.clone()))
        }));
        conditions.extend(route.resource.conditions(&conditions));
        let sort = order(route.resource, parameters::sort(&query, list.sorts, &mut errors));
        let summary = Selection::of(app.selectable(), route.resource.summary);
        let fields = parameters::fields(&query, app.selectable(), summary, &mut errors);
        let expansions = expand::chosen(&query, list.expansions, &fields, &mut errors);
        let mut selection = fields.restricted_to(route.resource.fields);
        for Expanded { expansion, .. } in &expansions {
            // An expansion needs its list selected, so add the list if no part of it is.
            if let Place::Within { join, .. } = expansion.place
                && !selection.contains(join.list)
            {
                selection = selection.with(join.list);
            }
        }
        let limit = parameters::limit(&query, list.limits, &mut errors);
        let skip = parameters::skipped_by_page(&query, limit, &mut errors);
        if skip.is_some()
            && let Ok(plan) = Plan::new(&route.resource.table, &conditions, sort, [], 1)
            && !plan.is_unfiltered()
        {
            let detail = "goes only with filters on what the list is sorted or grouped by; leave out the other filters, or walk with `cursor`";
            errors.push(ParameterError::new("page", detail));
        }
        match NonZeroU32::new(limit) {
            Some(limit) if errors.is_empty() => Ok(Self {
                route,
                query,
                conditions,
                sort,
                selection,
                expansions,
                limit,
                skip,
                grant,
            }),
            _ => Err(Problem::parameters(errors)),
        }
    }

    /// Returns the number of items on a page.
    #[must_use]
    pub fn limit(&self) -> NonZeroU32 {
        self.limit
    }

    /// Returns the fields that are shown.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Returns the chosen expansions.
    #[must_use]
    pub fn expansions(&self) -> &[Expanded] {
        &self.expansions
    }

    /// Chooses the access path and opens the cursor.
    ///
    /// # Errors
    /// 400 for a cursor that was not made for this list and caller.
    pub fn plan(self, app: &App) -> Result<ListPlan<'r>, Problem> {
        let table = &self.route.resource.table;
        let plan = Plan::new(
            table,
            &self.conditions,
            self.sort,
            self.selection.attributes(),
            app.shards(),
        )
        .map_err(|error| {
            tracing::error!(%error, "the model offers filters and a sort that no index serves");
            Problem::from(ProblemKind::Internal)
        })?;
        let start = match (self.query.get("cursor"), self.skip) {
            (Some(cursor), _) => {
                let opened = app.sealer()?.open(cursor, &plan, &self.context());
                Start::At(opened.map_err(|_| ProblemKind::InvalidCursor)?)
            }
            (None, Some(skip)) => Start::Skip(skip),
            (None, None) => Start::First,
        };
        Ok(ListPlan { request: self, plan, start })
    }

    /// Returns the context that cursors are bound to, in addition to the list itself.
    fn context(&self) -> Vec<&[u8]> {
        // The conditions, which the list is bound to, have the owner.
        std::iter::once(self.route.name)
            .chain(self.grant.caller.as_deref())
            .map(str::as_bytes)
            .collect()
    }
}

impl<'r> ListPlan<'r> {
    /// Returns the access path: the index, its partitions and conditions.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns the place at which the page begins.
    #[must_use]
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// Returns the parameters of the page.
    #[must_use]
    pub fn request(&self) -> &ListRequest<'r> {
        &self.request
    }

    /// Reads the page and its expansions.
    ///
    /// # Errors
    /// 502, 503 and 504 for failures of DynamoDB; 400 if `page` lies beyond the counting limit.
    pub async fn run(self, app: &App, request: &Request) -> Result<ListPage<'r>, Problem> {
        let ListRequest { route, selection, expansions, limit, grant, .. } = &self.request;
        let within = expansions.iter().find_map(|expanded| match expanded.expansion.place {
            Place::Within { join, member } => Some((expanded, join, member)),
            Place::Beside => None,
        });
        let reader =
            app.reader(route.resource, request, selection, within.map(|(_, join, _)| join))?;
        let bytes = MAX_BODY_BYTES - FRAME_BYTES;
        let budget = Budget {
            bytes,
            deadline: Some(request.deadline),
            rounds_after: u32::from(within.is_some()),
            ..Budget::default()
        };
        let page = async {
            pagination::run(&reader, &self.plan, &self.start, *limit, &budget)
                .await
                .map_err(problem)
        };
        let beside = expand::beside(app, request, expansions, grant);
        let (mut page, beside) = try_join(page, beside).await?;
        let bytes = beside.iter().fold(bytes, |bytes, (name, item)| {
            bytes.saturating_sub(name.len() + 4 + item.json.len())
        });
        page.truncate_to_bytes(bytes, 1);
        let partial = match within {
            Some((expanded, join, member)) => {
                let cut =
                    expand::within(app, request, expanded, join, member, &mut page, bytes).await?;
                cut.then_some(expanded.expansion.name)
            }
            None => None,
        };
        Ok(ListPage { plan: self, page, beside, partial })
    }
}

impl ListPage<'_> {
    /// Makes the reply: the page and its `Link` header.
    ///
    /// # Errors
    /// 500 if an item's key is too long for a cursor.
    pub fn reply(self, app: &App) -> Result<Reply, Problem> {
        let Self { plan: ListPlan { request, plan, .. }, page, beside, partial } = self;
        let seal = |cursor: Option<pagination::Cursor>| {
            let sealer = app.sealer()?;
            cursor
                .map(|cursor| sealer.seal(&cursor, &plan, &request.context()))
                .transpose()
                .map_err(|error| {
                    tracing::error!(%error, "an item's key is too long");
                    Problem::from(ProblemKind::Internal)
                })
        };
        let (next, prev) = (seal(page.next())?, seal(page.prev())?);
        let policy = if page.timed_out() { Policy::NoStore } else { request.route.resource.policy };
        let items = page.into_items();

        let mut body =
            Vec::with_capacity(items.iter().map(|item| item.json.len() + 1).sum::<usize>() + 1_024);
        body.extend_from_slice(b"{\"items\":[");
        for (i, item) in items.iter().enumerate() {
            body.extend_from_slice(if i == 0 { b"" } else { b"," });
            body.extend_from_slice(&item.json);
        }
        body.push(b']');
        for (name, item) in beside {
            body.extend_from_slice(format!(",\"{name}\":").as_bytes());
            body.extend_from_slice(&item.json);
        }
        if let Some(name) = partial {
            body.extend_from_slice(format!(",\"expansion\":{{\"{name}\":\"partial\"}}").as_bytes());
        }
        // A cursor is base64url: nothing in it needs escaping.
        let quoted = |cursor: &Option<String>| {
            cursor.as_ref().map_or_else(|| "null".to_owned(), |cursor| format!("\"{cursor}\""))
        };
        let page = format!(
            ",\"page\":{{\"limit\":{},\"next\":{},\"prev\":{}}}}}",
            request.limit,
            quoted(&next),
            quoted(&prev)
        );
        body.extend_from_slice(page.as_bytes());
        let link = link(&request.query, prev.as_deref(), next.as_deref());
        Ok(Reply { body, policy, modified: None, link, items: items.len() })
    }
}

/// Writes the `Link` header (RFC 8288). Its targets are relative to the request's URI, so they are
/// valid behind any domain and base path.
///
/// Each target repeats the query. If all of them have more than [`MAX_LINK_BYTES`], the first page
/// is left out, then the previous one, then the next one. The body has both cursors in any case.
fn link(query: &Query<'_>, prev: Option<&str>, next: Option<&str>) -> Option<String> {
    let target =
        |rel: &str, cursor| format!("<{}>; rel=\"{rel}\"", query.link(&["cursor", "page"], cursor));
    let mut links: Vec<_> = [("prev", prev), ("next", next)]
        .into_iter()
        .filter_map(|(rel, cursor)| Some(target(rel, Some(cursor?))))
        .collect();
    links.insert(0, target("first", None));
    while links.iter().map(|link| link.len() + 2).sum::<usize>() > MAX_LINK_BYTES {
        links.remove(0);
    }
    (!links.is_empty()).then(|| links.join(", "))
}

/// The maximum length of the `Link` header. A proxy must hold all headers of a response in one
/// buffer, which nginx gives 4 KB by default (`proxy_buffer_size`); the other headers have less
/// than 1 KB.
const MAX_LINK_BYTES: usize = 3_072;

/// The part of [`MAX_BODY_BYTES`] that is kept for what stands around the items: two cursors, and
/// the names of the members.
const FRAME_BYTES: usize = 2_048;

/// Returns every query parameter that a list takes, filters first.
#[must_use]
pub fn parameter_names(list: &List) -> Vec<&'static str> {
    let filters = list.filters.iter().map(|filter| filter.parameter);
    let sort = (!list.sorts.is_empty()).then_some("sort");
    let expand = (!list.expansions.is_empty()).then_some("expand");
    filters.chain(sort).chain(["fields"]).chain(expand).chain(["limit", "cursor", "page"]).collect()
}

/// Returns the order of the list; without a sort it is that of the index.
fn order(resource: &Resource, sort: Option<&SortOption>) -> Sort {
    let attribute = sort.and_then(|sort| resource.field(sort.field)).map(Field::attribute);
    Sort { attribute, order: sort.map_or(Order::Ascending, |sort| sort.order) }
}

/// Converts an error of pagination to the problem that the caller gets.
fn problem(error: RunError<ReadError>) -> Problem {
    match error {
        RunError::Source(error) => error.into(),
        RunError::OutOfOrder => ReadError::Malformed(error.to_string()).into(),
        RunError::SkipTimedOut => ReadError::Timeout.into(),
        RunError::SkipTooFar => Problem::parameters(vec![ParameterError::new(
            "page",
            "lies too far into this list to be counted; walk with `cursor`",
        )]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_query_leaves_links_out_and_never_makes_a_header_that_a_proxy_refuses() {
        let cursor = "c".repeat(pagination::MAX_CURSOR_CHARS);
        let mut relations = Vec::new();
        for length in 0..=crate::route::MAX_QUERY_BYTES {
            // Each of these characters takes three in a link.
            let raw = format!("fields={}", "é".repeat(length / 2));
            let query = Query::parse(&raw, &["fields"], &mut Vec::new());
            let link = link(&query, Some(&cursor), Some(&cursor)).unwrap_or_default();
            assert!(link.len() <= MAX_LINK_BYTES, "{length}");
            let names: Vec<_> =
                link.split("rel=\"").skip(1).map(|rest| rest[..4].to_owned()).collect();
            if relations.last() != Some(&names) {
                relations.push(names);
            }
        }
        let all: [&[&str]; 4] = [&["firs", "prev", "next"], &["prev", "next"], &["next"], &[]];
        assert_eq!(relations, all);
    }
}
