//! The requests that every route gets: without a token, HEAD, conditional, compressed, from another
//! origin, with an unknown parameter, for somebody else's items.

use super::client::Ask;
use super::run::{NOBODY, Run, owner};
use super::{judge, values};
use crate::plan::filled;
use anyhow::Result;
use api::{Access, Route, Shape};

impl Run<'_> {
    /// Makes the requests of a route.
    pub(super) async fn route(&mut self, route: &'static Route) -> Result<()> {
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
            self.not_modified(at("not modified"), &ask(path.clone()), &plain, |answer, etag| {
                judge::not_modified(answer, policy, etag)
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
}
