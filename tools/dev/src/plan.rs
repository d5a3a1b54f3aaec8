//! The plan of a list, made by the functions' own code without a database.

use crate::banner::encoded;
use anyhow::Result;
use api::{
    Access, App, AppShape, Client, Config, ItemRequest, ListPlan, ListRequest, Problem,
    ProblemKind, Request, Route,
};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{Builder, Region};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A text that is also a number: a value for any parameter.
pub(crate) const ANY: &str = "1";

/// The function of a route, without a table behind it.
pub(crate) struct Planner {
    app: App,
    claims: Value,
}

/// The access path of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Planned {
    /// The index; `None` is the table itself.
    pub(crate) index: Option<&'static str>,
    /// False if the items' other attributes are read by key (BatchGetItem).
    pub(crate) covered: bool,
}

impl Planner {
    /// Makes the function of a route, for a caller whose id is `sub`. A sharded list has `shards`
    /// partitions.
    ///
    /// # Errors
    /// If the function could not start.
    pub(crate) fn new(route: &'static Route, sub: &str, shards: u32) -> Result<Self> {
        let variable = |name: &str| match name {
            "CURSOR_SECRET" => Some("no cursor is ever made with this secret".to_owned()),
            "CATALOG_SHARDS" => Some(shards.to_string()),
            table => route
                .resources()
                .find(|resource| resource.table_variable == table)
                .map(|resource| resource.name.to_owned()),
        };
        let config = Config::read(route, variable)?;
        let credentials = Credentials::from_keys("none", "none", None);
        let client = Client::new(
            Builder::new()
                .region(Region::from_static("us-east-1"))
                .credentials_provider(credentials),
        );
        Ok(Self { app: App::new(config, client), claims: claims(route, sub) })
    }

    /// Reads a request for this path, as it is sent.
    ///
    /// # Errors
    /// 404 if it is not the route's path.
    pub(crate) fn request(&self, path: &str, query: &str) -> Result<Request, Problem> {
        let event = event(path, query, &json!({}), &self.claims);
        Request::read(
            &event.to_string(),
            self.app.route(),
            None,
            None,
            Instant::now() + Duration::from_secs(1),
        )
    }

    /// Plans a request for a list; checks one for an item, which has no plan.
    ///
    /// # Errors
    /// Those that the function would answer with, before it reads.
    pub(crate) fn planned<'r>(
        &'r self,
        request: &'r Request,
    ) -> Result<Option<ListPlan<'r>>, Problem> {
        match self.app.shape() {
            AppShape::One(item) => ItemRequest::parse(item, request).map(|_| None),
            AppShape::List(list) => ListRequest::parse(list, request)?.plan().map(Some),
        }
    }

    /// Plans the route's list with this query; path parameters have any value.
    ///
    /// # Errors
    /// Those that the function would answer with; 404 if the route is not a list.
    pub(crate) fn plan(&self, query: &str) -> Result<Planned, Problem> {
        let segments = self
            .app
            .route()
            .path
            .split('/')
            .map(|segment| if segment.starts_with('{') { ANY } else { segment });
        let request = self.request(&segments.collect::<Vec<_>>().join("/"), query)?;
        let list = self.planned(&request)?.ok_or(ProblemKind::NotFound)?;
        Ok(Planned { index: list.plan().index().name, covered: list.plan().is_covered() })
    }
}

/// Returns the claims of a caller whose token is enough for the route.
pub(crate) fn claims(route: &Route, sub: &str) -> Value {
    let mut claims = json!({ "iss": "none", "sub": sub });
    match route.access {
        Access::Owner { claim, .. } => claims[claim] = json!(sub),
        Access::Scope(scope) => claims["scope"] = json!(scope),
        Access::Public | Access::SignedIn => {}
    }
    claims
}

/// Returns the event of a GET of this path, as it is sent.
pub(crate) fn event(path: &str, query: &str, headers: &Value, claims: &Value) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": { "http": { "method": "GET" }, "authorizer": { "jwt": { "claims": claims } } },
    })
}

/// Returns a route's path with values, if each of its parameters has one.
pub(crate) fn filled(
    route: &'static Route,
    value: impl Fn(&'static str) -> Option<String>,
) -> Option<String> {
    route.parameters().try_fold(route.path.to_owned(), |path, name| {
        Some(path.replace(&format!("{{{name}}}"), &encoded(&value(name)?)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_is_that_of_the_function() {
        let plan = |route, query| Planner::new(route, ANY, 1).unwrap().plan(query);
        let (index, covered) = (Some("byShardCreatedAt"), true);
        assert_eq!(plan(&shop::LIST_PRODUCTS, "").unwrap(), Planned { index, covered });
        assert_eq!(
            plan(&shop::LIST_PRODUCTS, "fields=sku").unwrap(),
            Planned { index, covered: false }
        );
        assert_eq!(plan(&shop::LIST_USER_ORDERS, "status=paid").unwrap().index, Some("byStatus"));
        assert!(plan(&shop::LIST_PRODUCTS, "nonsense=1").is_err());
    }
}
