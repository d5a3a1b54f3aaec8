//! The plan of a list, made by the functions' own code without a database.

use anyhow::{Result, anyhow};
use api::{Access, App, Client, Config, ListRequest, Request, Route};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{Builder, Region};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

/// The function of a list route, without a table behind it.
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
    /// # Errors
    /// If the function of the route could not start.
    pub(crate) fn new(route: &'static Route) -> Result<Self> {
        let variable = |name: &str| match name {
            "CURSOR_SECRET" => Some("no cursor is ever made with this secret".to_owned()),
            table => route.resources().find(|resource| resource.table_variable == table).map(|resource| resource.name.to_owned()),
        };
        let config = Config::read(route, variable)?;
        let credentials = Credentials::from_keys("none", "none", None);
        let client = Client::new(Builder::new().region(Region::from_static("us-east-1")).credentials_provider(credentials));
        let mut claims = json!({ "iss": "none", "sub": "1" });
        match route.access {
            Access::Owner { claim, .. } => claims[claim] = json!("1"),
            Access::Scope(scope) => claims["scope"] = json!(scope),
            Access::Public | Access::SignedIn => {}
        }
        Ok(Self { app: App::new(route, config, client), claims })
    }

    /// Plans the route's list with this query; path parameters have any value.
    ///
    /// # Errors
    /// If the function would answer with a problem.
    pub(crate) fn plan(&self, query: &str) -> Result<Planned> {
        let route = self.app.route();
        let parameters: Map<_, _> = route.parameters().map(|name| (name.to_owned(), json!("1"))).collect();
        let event = json!({
            "version": "2.0",
            "routeKey": format!("GET {}", route.path),
            "rawPath": route.path,
            "rawQueryString": query,
            "pathParameters": parameters,
            "headers": {},
            "requestContext": { "http": { "method": "GET" }, "authorizer": { "jwt": { "claims": self.claims } } },
        });
        let problem = |problem: api::Problem| anyhow!("{}: {:?}", problem.kind.title(), problem.errors);
        let deadline = Instant::now() + Duration::from_secs(1);
        let request = Request::read(&event.to_string(), route, None, None, deadline).map_err(problem)?;
        let list = ListRequest::parse(&self.app, &request).and_then(|list| list.plan(&self.app)).map_err(problem)?;
        let plan = list.plan();
        Ok(Planned { index: plan.index().name, covered: plan.is_covered() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_is_that_of_the_function() {
        let plan = |route, query| Planner::new(route).unwrap().plan(query);
        let (index, covered) = (Some("byShardCreatedAt"), true);
        assert_eq!(plan(&shop::LIST_PRODUCTS, "").unwrap(), Planned { index, covered });
        assert_eq!(plan(&shop::LIST_PRODUCTS, "fields=sku").unwrap(), Planned { index, covered: false });
        assert_eq!(plan(&shop::LIST_USER_ORDERS, "status=paid").unwrap().index, Some("byStatus"));
        assert!(plan(&shop::LIST_PRODUCTS, "nonsense=1").is_err());
    }
}
