//! `cargo dev smoke`: tries a stack from outside, as callers see it.
//!
//! The requests come from the declarations: each makes a function use another permission (a Query
//! of each index, BatchGetItem, a count, expansions, GetItem). Values for paths and filters come
//! from the answers. Then caching, errors, headers and CORS are tried.

mod client;
mod judge;
mod values;

use crate::banner::encoded;
use crate::bundle::Bundle;
use crate::plan::{ANY, Planner, filled};
use anyhow::{Result, anyhow};
use api::{Accepts, Access, Field, Filter, Kind, List, Place, Route, Shape};
use client::{Answer, Ask, Client};
use std::fmt;
use values::Values;

/// A value of a path parameter that no item has.
const NOBODY: &str = "nobody-of-the-smoke-test";

/// The options of `cargo dev smoke`.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The address of the API, without a path's slash at its end.
    pub url: String,
    /// An access token, for routes that are not public.
    pub token: Option<String>,
    /// An origin that the stack allows.
    pub origin: Option<String>,
    /// Values of path parameters and filters' fields, by name.
    pub ids: Vec<(String, String)>,
}

/// All checks, in the order in which they were made. Displayed as a table.
#[derive(Debug, Default)]
pub struct Report(pub Vec<Check>);

/// One check.
#[derive(Debug)]
pub struct Check {
    /// The route's name and what is tried.
    pub name: String,
    /// The request: method, path and query.
    pub request: String,
    /// The result.
    pub outcome: Outcome,
}

/// The result of a check.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer is what it should be.
    Held,
    /// The reason why it failed.
    Failed(Vec<String>),
    /// The reason why the check could not be made.
    Skipped(String),
}

/// Tries every route of a bundle.
///
/// # Errors
/// If the URL is none, or a route's declaration cannot be planned. A request that fails is a failed
/// check.
pub async fn smoke(bundle: &Bundle, options: &Options) -> Result<Report> {
    let values = Values::new(&options.ids);
    let scope = bundle.read_any_scope();
    let mut run = Run {
        client: Client::new(&options.url)?,
        options,
        scope,
        values,
        report: Report::default(),
    };
    // A list first, because its items have the values of other paths.
    let mut left: Vec<_> = bundle.routes.to_vec();
    left.sort_by_key(|route| !route.is_list());
    while !left.is_empty() {
        let ready = left.iter().position(|route| run.path(route).is_ok()).unwrap_or(0);
        run.route(left.remove(ready)).await?;
    }
    let missing = Ask::get(format!("/{NOBODY}"));
    run.check("a path that is none", missing, |answer| judge::refusal(answer, 404)).await;
    run.preflight(bundle.routes).await;
    Ok(run.report)
}

struct Run<'a> {
    client: Client,
    options: &'a Options,
    /// The scope that may read everybody's items.
    scope: String,
    values: Values,
    report: Report,
}

impl Run<'_> {
    async fn route(&mut self, route: &'static Route) -> Result<()> {
        let at = |what: &str| format!("{}: {what}", route.name);
        if route.access != Access::Public {
            let path = self
                .path(route)
                .unwrap_or_else(|_| filled(route, |_| Some(NOBODY.to_owned())).unwrap_or_default());
            self.check(at("no token"), Ask::get(path), |answer| judge::refusal(answer, 401)).await;
        }
        let (token, path) = match self.entry(route) {
            Ok(entry) => entry,
            Err(reason) => {
                self.skip(at("all else"), route.path, &reason);
                return Ok(());
            }
        };
        let ask = |path: String| match &token {
            Some(token) => Ask::get(path).with("authorization", format!("Bearer {token}")),
            None => Ask::get(path),
        };
        let policy = route.resource.policy;
        let plain = match &route.shape {
            Shape::List(list) => self.list(route, list, &path, &ask).await?,
            Shape::One => self.item(route, &path, &ask).await,
        };
        self.check(at("HEAD"), Ask { method: "HEAD", ..ask(path.clone()) }, |answer| {
            judge::head(answer, policy)
        })
        .await;
        if let Some(plain) = plain {
            let known = |etag: &str| ask(path.clone()).with("if-none-match", etag);
            let mut etag = plain.header("etag");
            // An item may have been written since: then the new tag must give the 304.
            if let Ok(newer) = self.client.send(&known(&etag)).await
                && newer.status == 200
            {
                etag = newer.header("etag");
            }
            self.check(at("not modified"), known(&etag), |answer| {
                judge::not_modified(answer, policy, &etag)
            })
            .await;
            if plain.body.len() >= 1_024 {
                let gzip = ask(path.clone()).with("accept-encoding", "gzip");
                self.check(at("gzip"), gzip, |answer| judge::compressed(answer, policy)).await;
            }
        }
        if let Some(origin) = &self.options.origin {
            let from = ask(path.clone()).with("origin", origin.clone());
            self.check(at("from the origin"), from, |answer| {
                judge::allows(answer, origin).into_iter().collect()
            })
            .await;
        }
        let nonsense = ask(format!("{path}?nonsense=1"));
        self.check(at("unknown parameter"), nonsense, |answer| {
            judge::problem(answer, 400, Some("nonsense"))
        })
        .await;
        self.somebody_else(route, &ask).await;
        Ok(())
    }

    /// Returns the token and the path for a route, or the reason why there is none.
    fn entry(&self, route: &'static Route) -> Result<(Option<String>, String), String> {
        let token = match (route.access, &self.options.token) {
            (Access::Public, _) => None,
            (_, None) => return Err("no --token".to_owned()),
            (Access::Scope(scope), Some(token))
                if !values::scopes(token).iter().any(|other| other == scope) =>
            {
                return Err(format!("the token has no scope {scope}"));
            }
            (_, Some(token)) => Some(token.clone()),
        };
        let path = self
            .path(route)
            .map_err(|name| format!("no value for {name}: give --id {name}=VALUE"))?;
        Ok((token, path))
    }

    /// Makes a list's requests; returns the answer to the first.
    async fn list(
        &mut self,
        route: &'static Route,
        list: &'static List,
        path: &str,
        ask: &impl Fn(String) -> Ask,
    ) -> Result<Option<Answer>> {
        let at = |what: &str| format!("{}: {what}", route.name);
        let (resource, policy, planner) =
            (route.resource, route.resource.policy, Planner::new(route, ANY, 1)?);
        let summary = resource.summary;
        let all: Vec<_> = resource.fields.iter().map(|field| field.name).collect();
        let plain = self
            .check(at("list"), ask(path.to_owned()), |answer| judge::page(answer, policy, summary))
            .await;
        let shown = plain.as_ref().map(Answer::json).unwrap_or_default();
        let empty = shown["items"].as_array().is_some_and(Vec::is_empty);
        self.values.learn(resource, shown["items"].as_array().into_iter().flatten());

        // One request for each index that a sort or a filter reaches, and one for fields that an
        // index lacks.
        let whole = format!("fields={}", all.join(","));
        let first = planner
            .plan("")
            .map_err(|problem| {
                anyhow!("{} cannot be planned: {}", route.name, problem.kind.title())
            })?
            .index;
        let (mut reached, mut by_key) = (vec![first], false);
        for (sort, filter) in choices(list) {
            let sample = filter.map(|filter| (filter, sample(filter)));
            let Ok(planned) = planner.plan(&query(sort, sample.as_ref(), &whole)) else { continue };
            let index = planned.index.unwrap_or("the table itself");
            let value = filter.map(|filter| (filter, self.values.of_filter(resource, filter)));
            let value = match value {
                Some((filter, None)) if !reached.contains(&planned.index) => {
                    let reason = format!("no item shows {0}: give --id {0}=VALUE", filter.field);
                    self.skip(at(index), &format!("{path}?{}=…", filter.parameter), &reason);
                    reached.push(planned.index);
                    continue;
                }
                Some((_, None)) => continue,
                Some((filter, Some(value))) => Some((filter, value)),
                None => None,
            };
            if !reached.contains(&planned.index) {
                reached.push(planned.index);
                let request = ask(format!("{path}?{}", query(sort, value.as_ref(), "limit=2")));
                self.check(at(index), request, |answer| judge::page(answer, policy, summary)).await;
            }
            if !planned.covered && !by_key {
                by_key = true;
                let request =
                    format!("{path}?{}", query(sort, value.as_ref(), &format!("{whole}&limit=2")));
                if empty {
                    self.skip(at("fields by key"), &request, "the list is empty");
                } else if let Some(answer) = self
                    .check(at("fields by key"), ask(request), |answer| {
                        judge::page(answer, policy, &all)
                    })
                    .await
                {
                    self.values
                        .learn(resource, answer.json()["items"].as_array().into_iter().flatten());
                }
            }
        }
        if planner.plan("page=2&limit=1").is_ok() {
            self.check(at("count"), ask(format!("{path}?page=2&limit=1")), |answer| {
                judge::page(answer, policy, summary)
            })
            .await;
        }
        if let Some((outer, inner)) = nested(resource.fields) {
            let request = ask(format!("{path}?fields={outer}({inner})&limit=2"));
            let wanted = |answer: &Answer| {
                judge::nested(
                    judge::page(answer, policy, &[outer]),
                    &answer.json()["items"],
                    outer,
                    inner,
                )
            };
            self.check(at("nested fields"), request, wanted).await;
        }
        for expansion in list.expansions {
            let request = format!("{path}?expand={}&limit=2", expansion.name);
            let what = at(&format!("expand {}", expansion.name));
            match expansion.place {
                Place::Within { .. } if empty => self.skip(what, &request, "the list is empty"),
                Place::Within { join, .. } => {
                    let fields: Vec<_> = summary.iter().copied().chain([join.list]).collect();
                    self.check(what, ask(request), |answer| judge::page(answer, policy, &fields))
                        .await;
                }
                Place::Beside => {
                    self.check(what, ask(request), |answer| judge::page(answer, policy, summary))
                        .await;
                }
            }
        }
        Ok(plain)
    }

    /// Makes an item's requests; returns the answer to the first.
    async fn item(
        &mut self,
        route: &'static Route,
        path: &str,
        ask: &impl Fn(String) -> Ask,
    ) -> Option<Answer> {
        let at = |what: &str| format!("{}: {what}", route.name);
        let (resource, policy) = (route.resource, route.resource.policy);
        let all: Vec<_> = resource.fields.iter().map(|field| field.name).collect();
        let plain = self
            .check(at("item"), ask(path.to_owned()), |answer| judge::item(answer, policy, &all))
            .await;
        if let Some(plain) = &plain {
            self.values.learn(resource, [&plain.json()]);
        }
        if let Some((outer, inner)) = nested(resource.fields) {
            let request = ask(format!("{path}?fields={outer}({inner})"));
            let wanted = |answer: &Answer| {
                judge::nested(judge::item(answer, policy, &[outer]), &answer.json(), outer, inner)
            };
            self.check(at("nested fields"), request, wanted).await;
        }
        let text = |name: &str| {
            resource
                .field(name)
                .is_some_and(|field| !matches!(field.kind, Kind::Number | Kind::Integer))
        };
        let unknown = route
            .parameters()
            .filter(|name| owner(route) != Some(*name))
            .last()
            .filter(|name| text(name));
        if let Some(unknown) = unknown
            && let Some(path) = filled(route, |name| {
                if name == unknown { Some(NOBODY.to_owned()) } else { self.value(route, name) }
            })
        {
            self.check(at("no such item"), ask(path), |answer| judge::problem(answer, 404, None))
                .await;
        }
        plain
    }

    /// Asks for what belongs to somebody else, if the path names an owner.
    async fn somebody_else(&mut self, route: &'static Route, ask: &impl Fn(String) -> Ask) {
        let Some(owner) =
            owner(route).filter(|owner| route.parameters().any(|name| name == *owner))
        else {
            return;
        };
        let path = filled(route, |name| {
            if name == owner { Some(NOBODY.to_owned()) } else { self.value(route, name) }
        });
        let (what, path) = (format!("{}: somebody else's", route.name), path.unwrap_or_default());
        let scopes = self.options.token.as_deref().map(values::scopes).unwrap_or_default();
        if scopes.contains(&self.scope) {
            return self.skip(what, &path, "the token may read everybody's");
        }
        self.check(what, ask(path), |answer| judge::problem(answer, 403, None)).await;
    }

    async fn preflight(&mut self, routes: &[&'static Route]) {
        let Some(route) = routes.first() else { return };
        let path = self.path(route).unwrap_or_else(|_| route.path.to_owned());
        let Some(origin) = &self.options.origin else {
            return self.skip("preflight".to_owned(), &path, "no --origin");
        };
        let request = Ask { method: "OPTIONS", ..Ask::get(path) }
            .with("origin", origin.clone())
            .with("access-control-request-method", "GET")
            .with("access-control-request-headers", "authorization");
        self.check("preflight", request, |answer| judge::preflight(answer, origin)).await;
    }

    /// Returns the path of a route, or the name of the parameter that has no value.
    fn path(&self, route: &'static Route) -> Result<String, &'static str> {
        let missing = route.parameters().find(|name| self.value(route, name).is_none());
        let path = filled(route, |name| self.value(route, name));
        path.ok_or(missing.unwrap_or_default())
    }

    fn value(&self, route: &'static Route, name: &str) -> Option<String> {
        if owner(route) == Some(name) {
            Some("me".to_owned())
        } else {
            self.values.of(route.resource, name)
        }
    }

    /// Sends a request and judges the answer; returns it if nothing is wrong.
    async fn check(
        &mut self,
        name: impl Into<String>,
        ask: Ask,
        judge: impl FnOnce(&Answer) -> Vec<String>,
    ) -> Option<Answer> {
        let request = format!("{} {}", ask.method, ask.path);
        let (wrong, answer) = match self.client.send(&ask).await {
            Ok(answer) => (judge(&answer), Some(answer)),
            Err(error) => (vec![format!("{error:#}")], None),
        };
        let answer = answer.filter(|_| wrong.is_empty());
        let outcome = if wrong.is_empty() { Outcome::Held } else { Outcome::Failed(wrong) };
        self.report.0.push(Check { name: name.into(), request, outcome });
        answer
    }

    fn skip(&mut self, name: String, path: &str, reason: &str) {
        self.report.0.push(Check {
            name,
            request: format!("GET {path}"),
            outcome: Outcome::Skipped(reason.to_owned()),
        });
    }
}

/// Returns the field that names the owner of a route's items.
fn owner(route: &Route) -> Option<&'static str> {
    if let Access::Owner { field, .. } = route.access { Some(field) } else { None }
}

/// Returns each sort (`None` if the list has none) alone and with each filter that compares for
/// equality.
fn choices(
    list: &'static List,
) -> impl Iterator<Item = (Option<&'static str>, Option<&'static Filter>)> {
    let sorts =
        list.sorts.iter().map(|sort| Some(sort.name)).chain(list.sorts.is_empty().then_some(None));
    let equal = |filter: &&Filter| {
        matches!(
            filter.accepts,
            Accepts::Text | Accepts::OneOf(_) | Accepts::Number | Accepts::Boolean
        )
    };
    let filters = std::iter::once(None).chain(list.filters.iter().filter(equal).map(Some));
    sorts.flat_map(move |sort| filters.clone().map(move |filter| (sort, filter)))
}

/// Returns a value that a filter accepts.
fn sample(filter: &Filter) -> String {
    match filter.accepts {
        Accepts::OneOf(options) => options.first().copied().unwrap_or_default(),
        Accepts::Boolean => "true",
        _ => "1",
    }
    .to_owned()
}

fn query(sort: Option<&str>, filter: Option<&(&'static Filter, String)>, more: &str) -> String {
    let sort = sort.map(|sort| format!("sort={sort}"));
    let filter = filter.map(|(filter, value)| format!("{}={}", filter.parameter, encoded(value)));
    sort.into_iter().chain(filter).chain([more.to_owned()]).collect::<Vec<_>>().join("&")
}

/// Returns the first field that has members, and its first member.
fn nested(fields: &[Field]) -> Option<(&'static str, &'static str)> {
    fields.iter().find_map(|field| Some((field.name, field.kind.members()?.first()?.name)))
}

impl Report {
    /// Returns the number of checks that failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    fn count(&self, wanted: impl Fn(&Outcome) -> bool) -> usize {
        self.0.iter().filter(|check| wanted(&check.outcome)).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
        for Check { name, request, outcome } in &self.0 {
            let (result, remark) = match outcome {
                Outcome::Held => ("ok", String::new()),
                Outcome::Failed(wrong) => ("FAILED", format!(": {}", wrong.join("; "))),
                Outcome::Skipped(reason) => ("skipped", format!(": {reason}")),
            };
            writeln!(f, "{result:<7}  {name:<width$}  {request}{remark}")?;
        }
        let (held, skipped) = (
            self.count(|outcome| *outcome == Outcome::Held),
            self.count(|outcome| matches!(outcome, Outcome::Skipped(_))),
        );
        writeln!(f, "{held} ok, {} failed, {skipped} skipped", self.failed())
    }
}
