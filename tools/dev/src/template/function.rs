//! A function of the template: its binary, routes, environment and permissions.

use super::text;
use anyhow::{Context as _, Result};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One function.
#[derive(Debug, Clone)]
pub struct Function {
    /// `ListProductsFunction`
    pub logical_id: String,
    /// The binary that it runs, which is the crate: `Metadata.BuildProperties.Binary`, else CodeUri's last part.
    pub binary: String,
    /// Its HTTP API events.
    pub routes: Vec<Route>,
    /// Its environment, that of `Globals` included. Values may be intrinsic functions.
    pub environment: BTreeMap<String, Value>,
    /// The statements of its inline policies.
    pub statements: Vec<Value>,
    /// The entries of `Policies` that are not inline documents: names, ARNs, SAM's policy templates.
    pub other_policies: Vec<Value>,
}

/// A route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// `/v1/users/{userId}`
    pub path: String,
    /// In capitals: `GET`.
    pub method: String,
    /// The event's name in the template.
    pub event: String,
}

impl Function {
    pub(super) fn read(logical_id: &str, resource: &Value, globals: &Value) -> Result<Self> {
        let properties = &resource["Properties"];
        let code = properties["CodeUri"].as_str().or(globals["CodeUri"].as_str());
        let binary = resource["Metadata"]["BuildProperties"]["Binary"]
            .as_str()
            .or_else(|| code?.trim_end_matches('/').rsplit('/').next())
            .context("neither Metadata.BuildProperties.Binary nor CodeUri names its binary")?;
        let mut environment = BTreeMap::new();
        for variables in [&globals["Environment"]["Variables"], &properties["Environment"]["Variables"]] {
            environment.extend(members(variables).map(|(name, value)| (name.clone(), value.clone())));
        }
        let mut routes = Vec::new();
        for (event, definition) in members(&properties["Events"]) {
            if definition["Type"].as_str() == Some("HttpApi") {
                let properties = &definition["Properties"];
                let of = || format!("Events.{event}");
                routes.push(Route {
                    path: text(properties, "Path").with_context(of)?.to_owned(),
                    method: text(properties, "Method").with_context(of)?.to_uppercase(),
                    event: event.clone(),
                });
            }
        }
        let policies = &properties["Policies"];
        let policies: Vec<&Value> = match policies {
            Value::Array(list) => list.iter().collect(),
            Value::Null => Vec::new(),
            one => vec![one],
        };
        let (inline, other): (Vec<_>, Vec<_>) = policies.into_iter().partition(|policy| policy.get("Statement").is_some());
        let statements = inline.into_iter().flat_map(|policy| match &policy["Statement"] {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        });
        Ok(Self {
            logical_id: logical_id.to_owned(),
            binary: binary.to_owned(),
            routes,
            environment,
            statements: statements.collect(),
            other_policies: other.into_iter().cloned().collect(),
        })
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}
