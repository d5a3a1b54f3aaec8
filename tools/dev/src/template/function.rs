//! A function of the template: its binary, routes, environment and permissions.

use super::literal::text;
use anyhow::{Context as _, Result};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One function.
#[derive(Debug, Clone)]
pub struct Function {
    /// `ListThings`
    pub logical_id: String,
    /// The binary that it runs, which is the crate: `Metadata.BuildProperties.Binary`, else
    /// CodeUri's last part.
    pub binary: String,
    /// Its HTTP API events.
    pub routes: Vec<Route>,
    /// Its environment, that of `Globals` included. Values may be intrinsic functions.
    pub environment: BTreeMap<String, Value>,
    /// The role that it runs with, if the template has one for it: `ListThingsRole`.
    pub role: Option<String>,
    /// The statements of the inline policies of its role and of its own, those that depend on a
    /// condition included.
    pub statements: Vec<Value>,
    /// Everything else that gives it permissions: managed policies, names, ARNs, SAM's policy
    /// templates, a role from elsewhere.
    pub other_policies: Vec<Value>,
}

/// A route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// `/v1/things/{thingId}`
    pub path: String,
    /// In capitals: `GET`.
    pub method: String,
    /// The event's name in the template.
    pub event: String,
}

impl Function {
    pub(super) fn read(
        logical_id: &str,
        resources: &Map<String, Value>,
        globals: &Value,
    ) -> Result<Self> {
        let resource = resources.get(logical_id).unwrap_or(&Value::Null);
        let properties = &resource["Properties"];
        let code = properties["CodeUri"].as_str().or(globals["CodeUri"].as_str());
        let binary = resource["Metadata"]["BuildProperties"]["Binary"]
            .as_str()
            .or_else(|| code?.trim_end_matches('/').rsplit('/').next())
            .context("neither Metadata.BuildProperties.Binary nor CodeUri names its binary")?;
        let mut environment = BTreeMap::new();
        for variables in
            [&globals["Environment"]["Variables"], &properties["Environment"]["Variables"]]
        {
            environment
                .extend(members(variables).map(|(name, value)| (name.clone(), value.clone())));
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
        let mut policies = list(&properties["Policies"]);
        let role = attribute_of(&properties["Role"]).filter(|role| {
            resources.get(*role).is_some_and(|role| role["Type"] == "AWS::IAM::Role")
        });
        match role {
            Some(role) => {
                let properties = &resources[role]["Properties"];
                policies.extend(list(&properties["Policies"]).into_iter().flat_map(|policy| {
                    match &policy["Fn::If"] {
                        Value::Array(branches) => branches
                            .iter()
                            .skip(1)
                            .filter(|branch| branch["Ref"] != "AWS::NoValue")
                            .collect(),
                        _ => vec![policy],
                    }
                }));
                policies.extend(list(&properties["ManagedPolicyArns"]));
            }
            None if properties["Role"].is_null() => {}
            None => policies.push(&properties["Role"]),
        }
        let mut statements = Vec::new();
        let mut other = Vec::new();
        for policy in policies {
            match policy.get("PolicyDocument").unwrap_or(policy).get("Statement") {
                Some(inline) => statements.extend(list(inline).into_iter().cloned()),
                None => other.push(policy.clone()),
            }
        }
        Ok(Self {
            logical_id: logical_id.to_owned(),
            binary: binary.to_owned(),
            routes,
            environment,
            role: role.map(str::to_owned),
            statements,
            other_policies: other,
        })
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// The elements of a list, or the one value that stands in place of a list.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// The logical id in `!GetAtt ID.Arn`.
fn attribute_of(value: &Value) -> Option<&str> {
    match &value["Fn::GetAtt"] {
        Value::Array(parts) => parts.first()?.as_str(),
        Value::String(text) => text.strip_suffix(".Arn"),
        _ => None,
    }
}
