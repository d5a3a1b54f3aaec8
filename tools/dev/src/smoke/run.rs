//! A run: its options, what it knows so far, and one check at a time.

use super::client::{Answer, Ask, Client};
use super::report::{Check, Outcome, Report};
use super::{judge, values::Values};
use crate::plan::filled;
use anyhow::Result;
use api::{Access, Route};

/// A value of a path parameter that no item has.
pub(super) const NOBODY: &str = "nobody-of-the-smoke-test";

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

/// The input of a run, and its findings so far.
pub(super) struct Run<'a> {
    pub(super) client: Client,
    pub(super) options: &'a Options,
    /// The scope that may read everybody's items.
    pub(super) scope: String,
    pub(super) values: Values,
    pub(super) report: Report,
}

impl<'a> Run<'a> {
    pub(super) fn new(options: &'a Options, scope: String) -> Result<Self> {
        Ok(Self {
            client: Client::new(&options.url)?,
            options,
            scope,
            values: Values::new(&options.ids),
            report: Report::default(),
        })
    }

    /// Returns the path of a route, or the name of the parameter that has no value.
    pub(super) fn path(&self, route: &'static Route) -> Result<String, &'static str> {
        let missing = route.parameters().find(|name| self.value(route, name).is_none());
        let path = filled(route, |name| self.value(route, name));
        path.ok_or(missing.unwrap_or_default())
    }

    /// Returns a value of a path parameter: for the owner `me`, unless the command line names
    /// somebody whom a service's token may read.
    pub(super) fn value(&self, route: &'static Route, name: &str) -> Option<String> {
        if owner(route) == Some(name) {
            Some(self.values.given(name).unwrap_or("me").to_owned())
        } else {
            self.values.of(route.resource, name)
        }
    }

    /// Sends a request and judges the answer; returns it if nothing is wrong.
    pub(super) async fn check(
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

    /// Sends a request again, with the entity tag of its answer.
    pub(super) async fn not_modified(
        &mut self,
        name: String,
        ask: &Ask,
        plain: &Answer,
        judge: impl FnOnce(&Answer, &str) -> Vec<String>,
    ) {
        let known = |etag: &str| ask.clone().with("if-none-match", etag);
        let mut etag = plain.header("etag");
        // An item may have been written since: then the new tag must give the 304.
        if let Ok(newer) = self.client.send(&known(&etag)).await
            && newer.status == 200
        {
            etag = newer.header("etag");
        }
        self.check(name, known(&etag), |answer| judge(answer, &etag)).await;
    }

    /// Asks as a browser does before a request with this method and these headers from another
    /// origin.
    pub(super) async fn preflight(
        &mut self,
        name: String,
        path: &str,
        method: &str,
        headers: &[&str],
    ) {
        let Some(origin) = &self.options.origin else {
            return self.skip(name, path, "no --origin");
        };
        let ask = Ask { method: "OPTIONS", ..Ask::get(path) }
            .with("origin", origin.clone())
            .with("access-control-request-method", method)
            .with("access-control-request-headers", headers.join(","));
        self.check(name, ask, |answer| judge::preflight(answer, origin, method, headers)).await;
    }

    /// Notes a check that cannot be made.
    pub(super) fn skip(&mut self, name: String, path: &str, reason: &str) {
        self.report.0.push(Check {
            name,
            request: format!("GET {path}"),
            outcome: Outcome::Skipped(reason.to_owned()),
        });
    }
}

/// Returns the field that names the owner of a route's items.
pub(super) fn owner(route: &Route) -> Option<&'static str> {
    if let Access::Owner { field, .. } = route.access { Some(field) } else { None }
}
