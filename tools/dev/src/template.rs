//! `template.yaml`, read: the truth for the local stack and for contract tests.
//!
//! Intrinsic functions are kept as CloudFormation's JSON form has them (`{"Ref": …}`,
//! `{"Fn::Sub": …}`) and not evaluated, because a key schema or a route must not depend on a
//! deployment. If one is in a place whose value is needed here, reading fails and names the place.

mod function;

use crate::{workspace, yaml};
use anyhow::{Context as _, Result, anyhow, bail};
pub use function::{Function, Route};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

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

/// One table.
#[derive(Debug, Clone)]
pub struct Table {
    /// `BlogPostsTable`
    pub logical_id: String,
    /// Its name in the local database, and its resource's: `blog-posts`.
    pub local_name: String,
    /// DynamoDB's CreateTable request: name, key schema, attribute definitions, indexes, on demand.
    pub create: Value,
    /// The table's own key, partition key first.
    pub key: Vec<Key>,
    /// Its secondary indexes, as listed.
    pub indexes: Vec<Index>,
}

/// A secondary index.
#[derive(Debug, Clone)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its key attributes: partition keys first, up to four of each kind.
    pub key: Vec<Key>,
    /// `ALL`, `KEYS_ONLY` or `INCLUDE`.
    pub projection: String,
    /// The attributes that INCLUDE names (the keys of index and table are always projected too).
    pub non_key_attributes: Vec<String>,
}

/// A key attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The attribute's name.
    pub name: String,
    /// A partition key (HASH), not a sort key (RANGE).
    pub hash: bool,
    /// Its type.
    pub kind: Kind,
}

/// The types that a key attribute can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `S`
    String,
    /// `N`
    Number,
    /// `B`
    Binary,
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

/// The local name of a table: `BlogPostsTable` is `blog-posts`.
fn local_name(logical_id: &str) -> String {
    let mut name = String::new();
    for (index, c) in logical_id.strip_suffix("Table").unwrap_or(logical_id).char_indices() {
        if c.is_uppercase() && index > 0 {
            name.push('-');
        }
        name.extend(c.to_lowercase());
    }
    name
}

impl Table {
    fn read(logical_id: &str, properties: &Value) -> Result<Self> {
        let mut kinds = BTreeMap::new();
        for definition in list(properties, "AttributeDefinitions")? {
            let kind = match text(definition, "AttributeType")? {
                "S" => Kind::String,
                "N" => Kind::Number,
                "B" => Kind::Binary,
                other => bail!("AttributeType `{other}` is none of S, N, B"),
            };
            kinds.insert(text(definition, "AttributeName")?.to_owned(), kind);
        }
        let local_name = local_name(logical_id);
        let mut create = json!({
            "TableName": local_name,
            "AttributeDefinitions": plain(properties, "AttributeDefinitions")?,
            "KeySchema": plain(properties, "KeySchema")?,
            "BillingMode": "PAY_PER_REQUEST",
        });
        let mut indexes = Vec::new();
        for member in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
            if properties[member].is_null() {
                continue;
            }
            let mut requests = Vec::new();
            for index in list(properties, member)? {
                let name = text(index, "IndexName")?;
                indexes.push(Index::read(index, &kinds).context(name.to_owned())?);
                requests.push(json!({
                    "IndexName": name,
                    "KeySchema": plain(index, "KeySchema")?,
                    "Projection": plain(index, "Projection")?,
                }));
            }
            create[member] = Value::Array(requests);
        }
        let key = keys(properties, &kinds)?;
        Ok(Self { logical_id: logical_id.to_owned(), local_name, create, key, indexes })
    }

    /// Every attribute that a key of the table or of an index names, with its type; the table's own
    /// first.
    pub fn key_attributes(&self) -> Vec<&Key> {
        let mut found: Vec<&Key> = Vec::new();
        for key in self.key.iter().chain(self.indexes.iter().flat_map(|index| &index.key)) {
            if !found.iter().any(|known| known.name == key.name) {
                found.push(key);
            }
        }
        found
    }

    /// The index with a name.
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == name)
    }
}

impl Index {
    fn read(index: &Value, kinds: &BTreeMap<String, Kind>) -> Result<Self> {
        let projection = &index["Projection"];
        let included = projection["NonKeyAttributes"].as_array().into_iter().flatten();
        Ok(Self {
            name: text(index, "IndexName")?.to_owned(),
            key: keys(index, kinds)?,
            projection: text(projection, "ProjectionType")?.to_owned(),
            non_key_attributes: included.filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    }
}

fn keys(of: &Value, kinds: &BTreeMap<String, Kind>) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    for element in list(of, "KeySchema")? {
        let name = text(element, "AttributeName")?;
        let Some(kind) = kinds.get(name) else {
            bail!("key attribute `{name}` is not in AttributeDefinitions");
        };
        keys.push(Key {
            name: name.to_owned(),
            hash: text(element, "KeyType")? == "HASH",
            kind: *kind,
        });
    }
    Ok(keys)
}

fn text<'a>(of: &'a Value, member: &str) -> Result<&'a str> {
    of[member].as_str().with_context(|| format!("{member} must be a literal string"))
}

fn list<'a>(of: &'a Value, member: &str) -> Result<&'a Vec<Value>> {
    of[member].as_array().with_context(|| format!("{member} must be a literal list"))
}

/// A part of a CreateTable request: there, and free of intrinsic functions.
fn plain(of: &Value, member: &str) -> Result<Value> {
    fn has_intrinsic(value: &Value) -> bool {
        match value {
            Value::Object(object) => {
                object.iter().any(|(k, v)| k == "Ref" || k.starts_with("Fn::") || has_intrinsic(v))
            }
            Value::Array(items) => items.iter().any(has_intrinsic),
            _ => false,
        }
    }
    match &of[member] {
        Value::Null => Err(anyhow!("{member} is missing")),
        value if has_intrinsic(value) => {
            Err(anyhow!("{member} depends on the deployment, so no local table can be made of it"))
        }
        value => Ok(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(table.index("byTotal").unwrap().key[1].kind, Kind::Number);

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
