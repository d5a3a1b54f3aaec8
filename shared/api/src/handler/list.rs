//! The steps of a list route: parse, plan and run; `reply` is the fourth.

mod listed;
mod reply;

pub use listed::{Listed, ListedItem};

use std::num::NonZeroU32;

use futures_util::future::try_join;
use pagination::{
    Budget, Condition, Cursor, Direction, Order, Page, Plan, PlanError, RunError, Sort, Start,
};
use projection::{Field, Selection};

use crate::app::ListApp;
use crate::config::ListConfig;
use crate::dynamodb::ReadError;
use crate::dynamodb::answer::Item;
use crate::handler::expand::{self, Expanded};
use crate::handler::parameters;
use crate::http::principal::Grant;
use crate::http::problem::{ParameterError, Problem, ProblemKind};
use crate::http::query_string::QueryString;
use crate::http::request::Request;
use crate::route::{MAX_BODY_BYTES, Place, Resource, Route, SortOption};
use crate::stored::stored;

/// A request for a page, its parameters checked one by one.
#[derive(Debug)]
pub struct ListRequest<'r> {
    app: ListApp<'r>,
    request: &'r Request,
    query: QueryString<'r>,
    conditions: Vec<Condition>,
    sort: Sort,
    selection: Selection,
    expansions: Vec<Expanded<'r>>,
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
    next_to_items: Vec<(&'static str, Item)>,
    /// The expansions that were cut, because with the page's first item they have more than an
    /// answer can hold, or could not be read in time.
    partial: Vec<&'static str>,
}

impl<'r> ListRequest<'r> {
    /// Reads the parameters that the route declares.
    ///
    /// # Errors
    /// 401 and 403 before any other check; then 414; then one 400 that lists every wrong parameter.
    pub fn parse(list_app: ListApp<'r>, request: &'r Request) -> Result<Self, Problem> {
        let (app, ListConfig { list, expansions, .. }) = (list_app.app(), list_app.config());
        let route = app.route();
        let grant = request.grant(route)?;
        let mut errors = Vec::new();
        let query = request.query(&parameters::parameter_names(list), &mut errors)?;
        let mut conditions =
            parameters::conditions(&query, route.resource, list.filters, &mut errors);
        conditions.extend(grant.values.iter().map(|(field, value)| {
            Condition::equal(field.attribute(), stored(field, value.clone()))
        }));
        conditions.extend(route.resource.conditions(&conditions));
        let sort = order(route.resource, parameters::sort(&query, list.sorts, &mut errors));
        // Without `fields` it is the summary. A text that is wrong is read again, for its errors: they
        // list the fields that can be named.
        let text = query.get("fields");
        let named = text.and_then(|text| Selection::parse(text, app.selectable_by_name()).ok());
        let fields = named.clone().unwrap_or_else(|| {
            let summary = Selection::of(app.selectable(), route.resource.summary);
            parameters::fields(&query, app.selectable(), summary, &mut errors)
        });
        let expansions = expand::chosen(&query, expansions, named.as_ref(), &mut errors);
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
                app: list_app,
                request,
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
    pub fn expansions(&self) -> &[Expanded<'r>] {
        &self.expansions
    }

    /// Chooses the access path and opens the cursor.
    ///
    /// # Errors
    /// 400 for a cursor that was not made for this list and caller, and for filters with more values
    /// than a list can be merged from.
    pub fn plan(self) -> Result<ListPlan<'r>, Problem> {
        let ListConfig { list, sealer, shards, .. } = self.app.config();
        let table = &self.route().resource.table;
        let plan = Plan::new(
            table,
            &self.conditions,
            self.sort,
            self.selection.attributes(),
            *shards,
        )
        .map_err(|error| match error {
            PlanError::TooManyPartitions { attributes } => {
                let resource = self.route().resource;
                Problem::parameters(parameters::too_many_values(
                    resource,
                    list.filters,
                    &self.conditions,
                    attributes,
                ))
            }
            PlanError::NoIndex => {
                tracing::error!(%error, "the model offers filters and a sort that no index serves");
                ProblemKind::Internal.into()
            }
        })?;
        let start = match (self.query.get("cursor"), self.skip) {
            (Some(cursor), _) => {
                let opened = sealer.open(cursor, &plan, &self.context());
                Start::At(opened.map_err(|_| ProblemKind::InvalidCursor)?)
            }
            (None, Some(skip)) => Start::Skip(skip),
            (None, None) => Start::First,
        };
        Ok(ListPlan { request: self, plan, start })
    }

    fn route(&self) -> &'static Route {
        self.app.app().route()
    }

    /// Returns the context that cursors are bound to, in addition to the list itself.
    fn context(&self) -> Vec<&[u8]> {
        // The conditions, which the list is bound to, have the owner.
        std::iter::once(self.route().name)
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

    /// Returns the same plan in a direction: a page that ends before the place of its cursor, or
    /// begins after it, whatever the direction for which the cursor was made. Backward without a
    /// cursor it is the last page.
    #[must_use]
    pub fn toward(self, direction: Direction) -> Self {
        let start = match (self.start, direction) {
            (Start::At(cursor), _) => Start::At(Cursor { direction, ..cursor }),
            (Start::First, Direction::Backward) => Start::At(Cursor { direction, after: None }),
            (start @ (Start::First | Start::Skip(_)), _) => start,
        };
        Self { start, ..self }
    }

    /// Returns the parameters of the page.
    #[must_use]
    pub fn request(&self) -> &ListRequest<'r> {
        &self.request
    }

    /// Reads the page and its expansions.
    ///
    /// # Errors
    /// 429 if the caller's quota is used up; 502, 503 and 504 for failures of DynamoDB; 400 if
    /// `page` lies beyond the counting limit.
    pub async fn run(self) -> Result<ListPage<'r>, Problem> {
        let &ListRequest { app, request, ref expansions, limit, .. } = &self.request;
        let expansions = u32::try_from(expansions.len()).unwrap_or(u32::MAX);
        let cost = app.app().route().quota.weights().cost(limit.get(), expansions);
        app.app().within_quota(request, cost, self.read()).await
    }

    async fn read(self) -> Result<ListPage<'r>, Problem> {
        let ListRequest { app, request, selection, expansions, limit, grant, .. } = &self.request;
        let app = app.app();
        let resource = app.route().resource;
        let within = expansions.iter().find_map(|expanded| match expanded.expansion.place {
            Place::Within { join, member } => Some((expanded, join, member)),
            Place::NextToItems => None,
        });
        let join = within.map(|(_, join, _)| join);
        let reader = app.reader(resource, &app.config().table, request, selection, join);
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
        let next_to_items = expand::next_to_items(app, request, expansions, grant);
        let (mut page, mut next_to_items) = try_join(page, next_to_items).await?;
        // The first row is in every page. What stands next to it is left out if it does not fit.
        let first = page.rows().first().map_or(0, |row| row.item.json.len());
        let (mut bytes, mut partial) = (bytes, Vec::new());
        next_to_items.retain(|(name, item)| {
            let size = name.len() + 4 + item.json.len();
            let fits = first + size <= bytes;
            if fits {
                bytes -= size;
            } else {
                partial.push(*name);
            }
            fits
        });
        page.truncate_to_bytes(bytes, 1);
        if let Some((expanded, join, member)) = within
            && expand::within(app, request, expanded, join, member, &mut page, bytes).await?
        {
            partial.push(expanded.expansion.name);
        }
        Ok(ListPage { plan: self, page, next_to_items, partial })
    }
}

/// The part of [`MAX_BODY_BYTES`] that is kept for what stands around the items: two cursors, and
/// the names of the members.
const FRAME_BYTES: usize = 2_048;

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
