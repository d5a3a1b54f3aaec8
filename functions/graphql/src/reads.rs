//! The reads of an operation: each field of a route is one request to that route.
//!
//! The arguments are the route's parameters, and the picked fields are its `fields`, expansions
//! included. So the request is the one that a client would send, and its plan, cost, rights, limits
//! and errors are the route's.
//!
//! The cost of a request is the read units of a page whose items have at most 4 KB: half a unit for
//! each item, the same again if the plan fetches fields by key, the same for an expansion within
//! the items, and half a unit for one next to them. Two things are not in it, because only the rows
//! tell them, and the route bounds them: what a filter that is no key condition skips, and how many
//! related items an item names (100 on a page, or up to 1,000 of its first item).

use std::fmt::Write as _;

use api::{
    AppShape, Call, Interface, ItemRequest, ListRequest, Listed, ParameterError, Place, Policy,
    Problem, Request, Route,
};
use async_graphql::{Pos, Value};
use pagination::Direction;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::arguments::{AFTER, BEFORE, FIRST, LAST};
use crate::graph::{Graph, Member, Of, Root};
use crate::picked::Picked;

/// The read units of an item, and of a fetch of one.
const UNIT: f64 = 0.5;

/// One request to a route.
#[derive(Debug)]
pub(crate) struct Read {
    /// The keys of the answer on the way to the field.
    pub(crate) path: Vec<String>,
    pub(crate) at: Pos,
    pub(crate) route: &'static Route,
    request: Request,
    direction: Option<Direction>,
    /// An error of the arguments that the route cannot see.
    wrong: Option<ParameterError>,
}

/// The outcome of a read.
#[derive(Debug)]
pub(crate) enum Found {
    /// The JSON of an item.
    Item(Vec<u8>),
    List(Listed),
}

/// Returns the reads of an operation.
pub(crate) fn reads(graph: &Graph, call: &Call, picked: &[Picked<'_>]) -> Vec<Read> {
    let mut reads = Vec::new();
    for picked in picked {
        if let Some(root) = graph.roots.iter().position(|root| root.name == picked.name) {
            add(graph, call, root, picked, &[], &[], &mut reads);
        }
    }
    reads
}

fn add(
    graph: &Graph,
    call: &Call,
    number: usize,
    picked: &Picked<'_>,
    above: &[String],
    given: &[(&'static str, String)],
    reads: &mut Vec<Read>,
) {
    let Some(root) = graph.roots.get(number) else { return };
    let path = [above, &[picked.key.to_owned()]].concat();
    let mut values = Vec::new();
    for argument in root.arguments.iter().filter(|argument| argument.in_path) {
        let known = given.iter().find(|(name, _)| *name == argument.name);
        let value = known.map(|(_, value)| value.clone());
        let value = value.or_else(|| text(&picked.argument(argument.name)?));
        values.push((
            argument.name,
            value.or(argument.default.map(str::to_owned)).unwrap_or_default(),
        ));
    }
    let (query, direction, wrong) = query(graph, root, picked);
    let members = &graph.objects[root.item].members;
    let nested = |picked: &&Picked<'_>| match member(members, picked.name) {
        Some(Member { of: Of::Route(_), .. }) => true,
        Some(_) | None => false,
    };
    // An item of which only lists below it are picked need not be read.
    let is_read = root.route.is_list()
        || picked.below.is_empty()
        || !picked.below.iter().all(|below| nested(&below));
    if is_read {
        reads.push(Read {
            path: path.clone(),
            at: picked.at,
            route: root.route,
            request: call.to(root.route, values.clone(), query),
            direction,
            wrong,
        });
    }
    if root.route.is_list() {
        return;
    }
    for below in picked.below.iter().filter(nested) {
        if let Some(Member { of: Of::Route(inner), .. }) = member(members, below.name) {
            add(graph, call, *inner, below, &path, &values, reads);
        }
    }
}

pub(crate) fn member<'a>(members: &'a [Member], name: &str) -> Option<&'a Member> {
    members.iter().find(|member| member.name == name)
}

/// Writes a value as a parameter has it; `None` for null.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        Value::Enum(name) => Some(name.to_string()),
        Value::List(values) => {
            let texts: Vec<_> = values.iter().filter_map(text).collect();
            Some(texts.join(","))
        }
        Value::Binary(_) | Value::Object(_) => None,
    }
}

type Query = (String, Option<Direction>, Option<ParameterError>);

/// Writes the query string of a field.
fn query(graph: &Graph, root: &Root, picked: &Picked<'_>) -> Query {
    let mut query = String::new();
    let mut put = |name: &str, value: &str| {
        let separator = if query.is_empty() { "" } else { "&" };
        let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
        let _ = write!(query, "{separator}{name}={value}");
    };
    let (mut direction, mut wrong) = (None, None);
    if root.route.is_list() {
        let list = [FIRST, AFTER, LAST, BEFORE];
        let of = |name: &str| text(&picked.argument(name)?);
        let [first, after, last, before] = list.map(of);
        if (first.is_some() || after.is_some()) && (last.is_some() || before.is_some()) {
            let detail = "goes with `after`, and `last` with `before`; a page has one direction";
            wrong = Some(ParameterError::new(FIRST, detail));
        }
        if last.is_some() || before.is_some() {
            direction = Some(Direction::Backward);
        } else if after.is_some() {
            direction = Some(Direction::Forward);
        }
        for argument in root.arguments.iter().filter(|argument| !argument.in_path) {
            if !list.contains(&argument.name)
                && let Some(value) = of(argument.name)
            {
                put(argument.name, &value);
            }
        }
        for (name, value) in [("limit", first.or(last)), ("cursor", after.or(before))] {
            if let Some(value) = value {
                put(name, &value);
            }
        }
    }
    put("fields", &fields(graph, root, picked));
    (query, direction, wrong)
}

/// Writes the picked fields in the grammar of `fields`.
fn fields(graph: &Graph, root: &Root, picked: &Picked<'_>) -> String {
    let mut names: Vec<String> = Vec::new();
    if root.route.is_list() {
        let edges = picked.below.iter().filter(|below| below.name == "edges");
        let nodes: Vec<_> =
            edges.flat_map(|edges| &edges.below).filter(|below| below.name == "node").collect();
        let below = nodes.iter().flat_map(|node| &node.below);
        names.extend(selection(below));
        let expansions = picked.below.iter().filter(|below| {
            root.next_to_items.iter().any(|(expansion, _)| expansion.name == below.name)
        });
        let key = key(root.route);
        // Without a field of the items, their key: an index always holds it.
        if names.is_empty() {
            names.extend(key);
        }
        names.extend(selection(expansions));
    } else {
        let members = &graph.objects[root.item].members;
        let own = picked.below.iter().filter(|below| {
            !matches!(member(members, below.name), Some(Member { of: Of::Route(_), .. }))
        });
        names.extend(selection(own));
        if names.is_empty() {
            names.extend(key(root.route));
        }
    }
    names.join(",")
}

/// Returns the first field of the key of a route's resource.
fn key(route: &Route) -> Option<String> {
    let table = &route.resource.table;
    let in_key = route.resource.fields.iter().find(|field| table.key.contains(&field.attribute()));
    in_key.or(route.resource.fields.first()).map(|field| field.name.to_owned())
}

/// Returns each picked field once, with what is picked below it: `name`, `address(city,country)`.
fn selection<'a>(picked: impl Iterator<Item = &'a Picked<'a>>) -> Vec<String> {
    let mut fields: Vec<(&str, Vec<&Picked<'_>>)> = Vec::new();
    for picked in picked.filter(|picked| picked.name != TYPENAME) {
        match fields.iter_mut().find(|(name, _)| *name == picked.name) {
            Some((_, below)) => below.extend(&picked.below),
            None => fields.push((picked.name, picked.below.iter().collect())),
        }
    }
    let write = |(name, below): (&str, Vec<&Picked<'_>>)| {
        let inner = selection(below.into_iter());
        if inner.is_empty() { name.to_owned() } else { format!("{name}({})", inner.join(",")) }
    };
    fields.into_iter().map(write).collect()
}

/// The field that every type has: its name.
pub(crate) const TYPENAME: &str = "__typename";

impl Read {
    /// Returns the cost in read units. A request that the route refuses costs nothing.
    pub(crate) fn cost(&self, interface: &Interface) -> f64 {
        let Ok(app) = interface.app(self.route) else { return 0.0 };
        let AppShape::List(list) = app.shape() else { return UNIT };
        let Ok(request) = ListRequest::parse(list, &self.request) else { return 0.0 };
        let items = f64::from(request.limit().get());
        let expansions = request.expansions().iter().map(|expanded| expanded.expansion.place);
        let expansions: f64 = expansions
            .map(|place| if place == Place::NextToItems { UNIT } else { UNIT * items })
            .sum();
        let Ok(plan) = request.plan() else { return 0.0 };
        let fetches = if plan.plan().is_covered() { 0.0 } else { UNIT * items };
        UNIT * items + fetches + expansions
    }

    /// Asks the route.
    pub(crate) async fn run(&self, interface: &Interface) -> Result<Found, Problem> {
        if let Some(wrong) = &self.wrong {
            return Err(Problem::parameters(vec![wrong.clone()]));
        }
        match interface.app(self.route)?.shape() {
            AppShape::One(item) => {
                let found = ItemRequest::parse(item, &self.request)?.run().await?;
                Ok(Found::Item(found.into_json()))
            }
            AppShape::List(list) => {
                let mut plan = ListRequest::parse(list, &self.request)?.plan()?;
                if let Some(direction) = self.direction {
                    plan = plan.toward(direction);
                }
                Ok(Found::List(plan.run().await?.listed()?))
            }
        }
    }
}

/// Returns the stricter of two policies: the one that lets fewer caches keep an answer, for less
/// long.
pub(crate) fn stricter(one: Policy, other: Policy) -> Policy {
    match (one, other) {
        (Policy::NoStore, _) | (_, Policy::NoStore) => Policy::NoStore,
        (Policy::PrivateRevalidate, _) | (_, Policy::PrivateRevalidate) => {
            Policy::PrivateRevalidate
        }
        (
            Policy::Public { fresh, shared, stale_while_revalidate, stale_if_error },
            Policy::Public {
                fresh: other_fresh,
                shared: other_shared,
                stale_while_revalidate: other_stale,
                stale_if_error: other_error,
            },
        ) => Policy::Public {
            fresh: fresh.min(other_fresh),
            shared: shared.min(other_shared),
            stale_while_revalidate: stale_while_revalidate.min(other_stale),
            stale_if_error: stale_if_error.min(other_error),
        },
    }
}
