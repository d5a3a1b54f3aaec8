//! `template.yaml`, read: the truth for the local stack and for contract tests.
//!
//! Intrinsic functions are kept as CloudFormation's JSON form has them (`{"Ref": …}`,
//! `{"Fn::Sub": …}`) and not evaluated, because a key schema or a route must not depend on a
//! deployment. If one is in a place whose value is needed here, reading fails and names the place.
//!
//! - `table`: tables, their keys and indexes.
//! - `function`: functions, their routes and permissions.
//! - `literal`: members that must not depend on a deployment.

mod function;
mod literal;
mod table;

use crate::{workspace, yaml};
use anyhow::{Context as _, Result, bail};
pub use function::{Function, Route};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
pub use table::{AttributeType, Index, Key, Table};

/// The logical id of the table with the counters of the callers' quotas. It is no resource's.
pub const COUNTERS: &str = "LimitsTable";

/// A template with its tables and functions taken out.
#[derive(Debug, Clone)]
pub struct Template {
    /// The whole document, intrinsic functions in their JSON form.
    pub document: Value,
    /// Every `AWS::DynamoDB::Table`, and those of `Metadata.ExistingTables`, in order of the
    /// logical id.
    pub tables: Vec<Table>,
    /// Every `AWS::Serverless::Function`, in order of the logical id.
    pub functions: Vec<Function>,
}

impl Template {
    /// Reads a template from a file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", workspace::shown(path)))?;
        Self::parse(&text).with_context(|| workspace::shown(path))
    }

    /// Reads the workspace's own `template.yaml`.
    pub fn of_workspace() -> Result<Self> {
        Self::read(&workspace::root().join("template.yaml"))
    }

    /// Reads a template from text.
    pub fn parse(text: &str) -> Result<Self> {
        let document = yaml::to_json(text)?;
        let Some(resources) = document["Resources"].as_object() else {
            bail!("no Resources");
        };
        let mut tables = Vec::new();
        let mut functions = Vec::new();
        for (id, resource) in resources {
            let at = || format!("Resources.{id}");
            match resource["Type"].as_str() {
                Some("AWS::DynamoDB::Table") => {
                    tables.push(Table::read(id, &resource["Properties"]).with_context(at)?)
                }
                Some("AWS::Serverless::Function") => {
                    functions.push(
                        Function::read(id, resources, &document["Globals"]["Function"])
                            .with_context(at)?,
                    );
                }
                _ => {}
            }
        }
        // Tables that exist already: only their keys and indexes are declared, under the name of
        // the parameter with the table's name.
        for (id, properties) in
            document["Metadata"]["ExistingTables"].as_object().into_iter().flatten()
        {
            tables.push(
                Table::read(id, properties)
                    .with_context(|| format!("Metadata.ExistingTables.{id}"))?,
            );
        }
        tables.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
        functions.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
        Ok(Self { document, tables, functions })
    }

    /// The resource of a logical id.
    pub fn resource(&self, logical_id: &str) -> Option<&Value> {
        self.document["Resources"].get(logical_id)
    }

    /// The table of a local name.
    pub fn table(&self, local_name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.local_name == local_name)
    }

    /// The table with the counters of the callers' quotas, if there is one.
    pub fn counters(&self) -> Option<&Table> {
        self.tables.iter().find(|table| table.logical_id == COUNTERS)
    }

    /// The function that runs a binary (`list-things`).
    pub fn function(&self, binary: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.binary == binary)
    }

    /// Environment variables that name a table (`THINGS_TABLE` → `things`), over all functions.
    pub fn table_variables(&self) -> BTreeMap<String, String> {
        let variables = self.functions.iter().flat_map(|function| &function.environment);
        variables
            .filter_map(|(name, value)| {
                let id = value["Ref"].as_str()?;
                let table = self.tables.iter().find(|table| table.logical_id == id)?;
                Some((name.clone(), table.local_name.clone()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SMALL: &str = r"
Globals:
  Function:
    Environment: {Variables: {LOG_LEVEL: info}}
Resources:
  OrderLinesTable:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub '${AWS::StackName}-lines'
      AttributeDefinitions:
        - {AttributeName: accountId, AttributeType: S}
        - {AttributeName: lineId, AttributeType: S}
        - {AttributeName: total, AttributeType: N}
      KeySchema:
        - {AttributeName: accountId, KeyType: HASH}
        - {AttributeName: lineId, KeyType: RANGE}
      GlobalSecondaryIndexes:
        - IndexName: byTotal
          KeySchema:
            - {AttributeName: accountId, KeyType: HASH}
            - {AttributeName: total, KeyType: RANGE}
            - {AttributeName: lineId, KeyType: RANGE}
          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [status]}
  ListLinesFunction:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: list-lines}}
    Properties:
      CodeUri: .
      Environment: {Variables: {LINES_TABLE: !Ref OrderLinesTable}}
      Events:
        Get: {Type: HttpApi, Properties: {Path: '/v1/accounts/{accountId}/lines', Method: get}}
      Policies:
        - Version: 2012-10-17
          Statement:
            - {Effect: Allow, Action: dynamodb:Query, Resource: !Sub '${OrderLinesTable.Arn}/index/byTotal'}
        - AWSXRayDaemonWriteAccess
";

    #[test]
    fn tables_and_functions_are_taken_out() {
        let template = Template::parse(SMALL).unwrap();
        let table = template.table("order-lines").unwrap();
        assert_eq!(table.logical_id, "OrderLinesTable");
        assert_eq!(table.create["TableName"], "order-lines");
        assert_eq!(
            table.create["GlobalSecondaryIndexes"][0]["KeySchema"].as_array().unwrap().len(),
            3
        );
        let names: Vec<_> = table.key_attributes().iter().map(|key| key.name.as_str()).collect();
        assert_eq!(names, ["accountId", "lineId", "total"]);
        assert_eq!(table.index("byTotal").unwrap().non_key_attributes, ["status"]);
        assert_eq!(table.index("byTotal").unwrap().key[1].attribute_type, AttributeType::Number);

        let function = template.function("list-lines").unwrap();
        assert_eq!(function.environment["LOG_LEVEL"], "info");
        assert_eq!(function.environment["LINES_TABLE"], json!({"Ref": "OrderLinesTable"}));
        let route = Route {
            path: "/v1/accounts/{accountId}/lines".to_owned(),
            method: "GET".to_owned(),
            event: "Get".to_owned(),
        };
        assert_eq!(function.routes, [route]);
        assert_eq!(function.statements[0]["Action"], "dynamodb:Query");
        assert_eq!(function.other_policies, [json!("AWSXRayDaemonWriteAccess")]);
        assert_eq!(template.table_variables()["LINES_TABLE"], "order-lines");
    }

    #[test]
    fn the_permissions_of_a_function_are_those_of_its_role() {
        let with_role = |role: &str| {
            let function = format!(
                r"
Resources:
  GetThing:
    Type: AWS::Serverless::Function
    Properties: {{CodeUri: functions/get-thing, Role: {role}}}
  GetThingRole:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/X']
      Policies:
        - {{PolicyName: one, PolicyDocument: {{Statement: [{{Action: dynamodb:GetItem}}, {{Action: dynamodb:Query}}]}}}}
        - !If [Traced, {{PolicyName: two, PolicyDocument: {{Statement: {{Action: xray:PutTraceSegments}}}}}}, !Ref AWS::NoValue]
"
            );
            Template::parse(&function).unwrap().function("get-thing").unwrap().clone()
        };
        let own = with_role("!GetAtt GetThingRole.Arn");
        let actions: Vec<_> =
            own.statements.iter().map(|statement| statement["Action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["dynamodb:GetItem", "dynamodb:Query", "xray:PutTraceSegments"]);
        assert_eq!(
            (own.role.as_deref(), own.other_policies),
            (Some("GetThingRole"), vec![json!("arn:aws:iam::aws:policy/X")])
        );
        let foreign = with_role("'arn:aws:iam::1:role/admin'");
        assert_eq!(
            (foreign.role, foreign.other_policies),
            (None, vec![json!("arn:aws:iam::1:role/admin")])
        );
    }

    #[test]
    fn what_cannot_be_made_locally_is_named() {
        let error =
            format!("{:#}", Template::parse(&SMALL.replace("[status]", "!Ref Names")).unwrap_err());
        assert!(error.contains("OrderLinesTable") && error.contains("Projection"), "{error}");
        let other = SMALL.replace(
            "{AttributeName: total, AttributeType: N}",
            "{AttributeName: sum, AttributeType: N}",
        );
        let error = format!("{:#}", Template::parse(&other).unwrap_err());
        assert!(error.contains("`total` is not in AttributeDefinitions"), "{error}");
        assert!(Template::parse("Resources: 3").is_err());
    }
}
