//! Edits of `template.yaml`: pure functions from text to text. Comments and order stay.
//!
//! The form of a table and of a route's block is that of the files in `scaffold/template/`. Only
//! the parts that follow from the declarations are made here. A list that a fork has removed (alarm
//! of throttles, distribution) is left out.

use super::name::{camel, pascal, screaming};
use super::resource::{AttributeKind, NewResource, SHARD};
use super::route::{NewAccess, NewRoute};
use anyhow::{Context as _, Result};
use api::{Field, Index, Partition, Resource};
use std::fmt::Write as _;

const ROUTE: &str = include_str!("template/route.yaml");
const TABLE: &str = include_str!("template/table.yaml");
const CACHE: &str = include_str!("template/cache.yaml");
/// The headings of sections in the list of resources.
const HEADING: &str = "  # ── ";
const ROUTES: &str = "  # ── Routes ";
const BLOCK: &str = "  # ── GET ";
const OUTPUTS: &str = "\nOutputs:\n";
const NO_CACHES: &str = "CacheBehaviors: []";
const CACHES: &str = "CacheBehaviors:";
/// The first line of the tables in the dashboard's list of throttles, and the line after them.
const DASHBOARD_TABLES: &str = "              [\"AWS/DynamoDB\", \"ReadThrottleEvents\"";
const DASHBOARD_END: &str = "              [\"LeanRoutes/${AWS::StackName}\", \"tooManyRequests\"";
/// The line of an output that names every table.
const LOAD: &str = "Value: !Sub cargo dev load DIR";
/// The width of a heading, and of a list of attributes.
const WIDTH: usize = 120;

/// Adds a resource's table, its alarm and its output.
pub(super) fn with_resource(template: &str, new: &NewResource) -> Result<String> {
    let id = pascal(&new.name);
    let mut attributes: Vec<(&str, &str)> = Vec::new();
    let mut sharded = false;
    let (mut indexes, mut metrics) = (String::new(), String::new());
    for field in new.fields() {
        attributes.push((&field.name, if field.kind == AttributeKind::Number { "N" } else { "S" }));
    }
    for index in &new.indexes {
        let mut hash: Vec<_> =
            index.partition.iter().map(|attribute| attribute.name.as_str()).collect();
        if hash.is_empty() {
            hash.push(SHARD);
            sharded = true;
        }
        let keys = hash.iter().map(|name| key("            ", name, "HASH"));
        let keys: String = keys
            .chain([&index.sort.name, new.id()].map(|name| key("            ", name, "RANGE")))
            .collect();
        let _ = write!(
            indexes,
            "        - IndexName: {}\n          KeySchema:\n{keys}          Projection: {{ProjectionType: ALL}}\n          \
             OnDemandThroughput: {{MaxReadRequestUnits: !Ref MaxReadUnits}}\n          \
             ContributorInsightsSpecification: {{Enabled: !If [HasContributorInsights, true, false]}}\n",
            index.name
        );
        let _ = writeln!(
            metrics,
            "        - {{Id: {0}, ReturnData: false, MetricStat: {{Period: 60, Stat: Sum, Metric: {{Namespace: AWS/DynamoDB, MetricName: \
             ReadThrottleEvents, Dimensions: [{{Name: TableName, Value: !Ref {id}Table}}, {{Name: GlobalSecondaryIndexName, Value: {0}}}]}}}}}}",
            index.name
        );
    }
    if sharded {
        attributes.push((SHARD, "N"));
    }
    let definitions = attributes.iter().map(|(name, kind)| {
        format!("        - {{AttributeName: {name}, AttributeType: {kind}}}\n")
    });
    let kinds = ["HASH", "RANGE"];
    let own = new
        .key
        .iter()
        .zip(kinds)
        .map(|(attribute, kind)| key("        ", &attribute.name, kind))
        .collect::<String>();
    let indexes = if indexes.is_empty() {
        indexes
    } else {
        format!("      GlobalSecondaryIndexes:\n{indexes}")
    };
    let table = filled(
        TABLE,
        &[
            ("Resource", &id),
            ("attributes", &definitions.collect::<String>()),
            ("key", &own),
            ("indexes", &indexes),
            ("metrics", metrics.trim_end_matches('\n')),
        ],
    );
    let at = template
        .find(ROUTES)
        .with_context(|| format!("there is no heading `{}`", ROUTES.trim()))?;
    let template = inserted(template, at, &format!("{}\n\n", table.trim_end()));
    let outputs = template.find(OUTPUTS).context("there are no Outputs")? + OUTPUTS.len();
    let before =
        |name: &str| template[outputs..].find(&format!("  {name}:\n")).map(|at| outputs + at);
    let at = before("CursorSecret").unwrap_or(template.len());
    let output = format!(
        "  {id}Table:\n    Description: Table of the {}\n    Value: !Ref {id}Table\n",
        new.name
    );
    let template = inserted(&template, at, &output);
    let shown =
        format!("[\"AWS/DynamoDB\", \"ReadThrottleEvents\", \"TableName\", \"${{{id}Table}}\"],");
    let template = on_dashboard(&template, &[DASHBOARD_END], &shown);
    Ok(on_line(&template, LOAD, |line| format!("{line} --table {}=${{{id}Table}}", new.name)))
}

/// Adds a route's block, its throttles and, if it is public, its place in the distribution.
pub(super) fn with_route(template: &str, new: &NewRoute, table: &str) -> Result<String> {
    let routes = template
        .find(ROUTES)
        .with_context(|| format!("there is no heading `{}`", ROUTES.trim()))?;
    let mut headings =
        template[routes + 1..].match_indices("\n  # ── ").map(|(at, _)| routes + 1 + at + 1);
    let end = headings
        .find(|at| !template[*at..].starts_with(BLOCK))
        .context("no heading follows the routes")?;
    let template = inserted(template, end, &block(new, table));
    let function = pascal(&new.name);
    let throttles = format!(
        "        - {{Id: {}, ReturnData: false, MetricStat: {{Period: 300, Stat: Sum, Metric: {{Namespace: AWS/Lambda, MetricName: Throttles, \
         Dimensions: [{{Name: FunctionName, Value: !Ref {function}}}]}}}}}}\n",
        camel(&new.name)
    );
    let template = appended(&template, "ThrottleAlarm", &throttles);
    let shown = format!("[\"AWS/Lambda\", \"Throttles\", \"FunctionName\", \"${{{function}}}\"],");
    let template = on_dashboard(&template, &[DASHBOARD_TABLES, DASHBOARD_END], &shown);
    if new.access != NewAccess::Public {
        return Ok(template);
    }
    let pattern = new
        .path
        .split('/')
        .map(|segment| if segment.starts_with('{') { "*" } else { segment })
        .collect::<Vec<_>>()
        .join("/");
    let pattern = if pattern.contains('*') { format!("'{pattern}'") } else { pattern };
    let Some(at) = template.find("\n        CustomErrorResponses:") else { return Ok(template) };
    Ok(inserted(&template, at + 1, &filled(CACHE, &[("pattern", &pattern)]))
        .replacen(NO_CACHES, CACHES, 1))
}

/// Removes resources and routes, with all that was added with them.
pub(super) fn without(template: &str, resources: &[&str], functions: &[&str]) -> String {
    let mut text = String::new();
    let (mut in_routes, mut skipped) = (false, false);
    let ids: Vec<_> = resources
        .iter()
        .flat_map(|name| ["Table", "Throttles"].map(|what| format!("  {}{what}:", pascal(name))))
        .collect();
    let throttled: Vec<_> =
        functions.iter().map(|name| format!("!Ref {}}}", pascal(name))).collect();
    let throttles = |line: &str| {
        line.contains("MetricName: Throttles")
            && throttled.iter().any(|function| line.contains(function))
    };
    let shown = functions
        .iter()
        .map(|name| pascal(name))
        .chain(resources.iter().map(|name| pascal(name) + "Table"));
    let shown: Vec<_> = shown.map(|id| format!("\"${{{id}}}\"")).collect();
    let is_shown = |line: &str| {
        line.starts_with("              [\"AWS/") && shown.iter().any(|id| line.contains(id))
    };
    let mut in_cache = false;
    for line in template.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        if line.starts_with(HEADING) {
            in_routes = line.starts_with(BLOCK);
        }
        // A member of the resources or outputs begins at two spaces; all that is deeper, and the
        // empty lines, belong to it.
        if indent <= 2 && !line.trim().is_empty() {
            skipped = ids.iter().any(|id| line.trim_end() == id);
        }
        in_cache &= indent > 10 || line.starts_with("          - ");
        if skipped || in_routes || in_cache || throttles(line) || is_shown(line) {
            continue;
        }
        if line.trim_start().starts_with(CACHES) {
            in_cache = true;
            text.push_str(&line.replacen(CACHES, NO_CACHES, 1));
        } else {
            text.push_str(line);
        }
    }
    // The options that name tables come last.
    on_line(&text, LOAD, |line| line.split(" --table ").next().unwrap_or_default().to_owned())
}

/// Returns a route's block of resources; `table` is the logical id of its table.
fn block(new: &NewRoute, table: &str) -> String {
    let (function, resource) = (pascal(&new.name), pascal(new.resource.name));
    let heading = format!("{BLOCK}{}: {} ", new.path, new.name);
    let heading =
        format!("{heading}{}", "─".repeat(WIDTH.saturating_sub(heading.chars().count() + 1)));
    let owner = new.access != NewAccess::Public;
    let sharded = new.is_list
        && new
            .resource
            .table
            .indexes
            .iter()
            .any(|index| matches!(index.partition, Partition::Shards(_)));
    let (mut description, mut version, mut environment) =
        (format!("GET {} (", new.path), format!("table ${{{resource}}}"), String::new());
    let mut variables =
        format!("        - {resource}: !Select [1, !Split ['-{table}-', !Ref {table}]]\n");
    let _ = writeln!(environment, "          {}_TABLE: !Ref {table}", screaming(new.resource.name));
    if sharded {
        version += ", shards ${CatalogShards}";
        environment += "          CATALOG_SHARDS: !Ref CatalogShards\n";
    }
    if owner {
        version += ", scope ${ScopeServer}/${ReadAnyScope}";
        environment += "          READ_ANY_SCOPE: !If [HasScopeServer, !Sub '${ScopeServer}/${ReadAnyScope}', !Ref ReadAnyScope]\n";
    }
    if new.is_list {
        description += "cursor secret ${CursorSecretGeneration}, ";
        version += ", cursors ${Cursors} ${CursorSecretGeneration}${CursorSecretAlso}";
        variables += "          Cursors: !Select [6, !Split [':', !Ref CursorSecret]]\n";
        environment += "          CURSOR_SECRET: !Sub '{{resolve:secretsmanager:${CursorSecret}}}'\n          \
                        CURSOR_SECRET_PREVIOUS: !If # also the next one, see CursorSecret\n            - HasSecondCursorSecret\n            \
                        - !Sub '{{resolve:secretsmanager:${CursorSecret}:SecretString::${CursorSecretAlso}}}'\n            - !Ref AWS::NoValue\n";
    }
    description += "edge secret ${EdgeSecretGeneration})";
    let secrets = match new.is_list {
        true => {
            "A cursor authorizes nothing, and the edge''s secret does not replace a token; who may read the configuration may read both"
        }
        false => {
            "The edge''s secret does not replace a token; who may read the configuration may read it"
        }
    };
    filled(
        ROUTE,
        &[
            ("heading", &heading),
            ("Function", &function),
            ("function", &new.name),
            ("secrets", secrets),
            ("description", &description),
            ("version", &version),
            ("variables", &variables),
            ("environment", &environment),
            (
                "path",
                &if new.path.contains('{') { format!("'{}'", new.path) } else { new.path.clone() },
            ),
            ("auth", if owner { ", Auth: {Authorizer: Jwt}" } else { "" }),
            ("statements", &statements(new.resource, new.is_list, table)),
        ],
    )
}

/// Returns the statements that the plans of a route need, as the contract test derives them.
fn statements(resource: &Resource, is_list: bool, table: &str) -> String {
    let fixed = resource.fixed.iter().map(|(attribute, _)| *attribute);
    let fields: Vec<_> = resource.fields.iter().map(Field::attribute).chain(fixed).collect();
    let own = format!(" !GetAtt {table}.Arn\n");
    if !is_list {
        return statement("Get", "dynamodb:GetItem", &own, "SPECIFIC_ATTRIBUTES", &fields);
    }
    let indexes = resource.table.indexes;
    let keys = indexes
        .iter()
        .flat_map(|index| index.partition_attributes().iter().chain(index.range))
        .copied();
    let held = |name: &&str| {
        indexes.iter().any(|index| index.covers(&resource.table, name) || index.is_key(name))
    };
    let mut queried: Vec<_> = Vec::new();
    // What is hidden comes first.
    for name in
        keys.filter(|name| !fields.contains(name)).chain(fields.iter().copied().filter(held))
    {
        if !queried.contains(&name) {
            queried.push(name);
        }
    }
    let arn = |index: &Index| match index.name {
        Some(name) => format!("                  - !Sub ${{{table}.Arn}}/index/{name}\n"),
        None => format!("                  - !GetAtt {table}.Arn\n"),
    };
    let arns: String = indexes.iter().map(arn).collect();
    let list = statement(
        "List",
        "dynamodb:Query",
        &format!("\n{arns}"),
        "[SPECIFIC_ATTRIBUTES, COUNT]",
        &queried,
    );
    let all_covered =
        fields.iter().all(|name| indexes.iter().all(|index| index.covers(&resource.table, name)));
    let read = match all_covered {
        true => statement(
            "Connect",
            "dynamodb:GetItem",
            &own,
            "SPECIFIC_ATTRIBUTES",
            resource.table.key,
        ),
        false => statement(
            "Fetch",
            "[dynamodb:GetItem, dynamodb:BatchGetItem]",
            &own,
            "SPECIFIC_ATTRIBUTES",
            &fields,
        ),
    };
    list + &read
}

fn statement(sid: &str, action: &str, resource: &str, select: &str, attributes: &[&str]) -> String {
    const INDENT: usize = 20;
    let mut list = format!("{}dynamodb:Attributes: [", " ".repeat(INDENT));
    let mut column = list.len();
    for (index, name) in attributes.iter().enumerate() {
        let last = if index + 1 == attributes.len() { "]" } else { "," };
        if column + name.len() + 2 > WIDTH {
            let _ = write!(list, "\n{}", " ".repeat(INDENT + 2));
            column = INDENT + 2;
        } else if index > 0 {
            list.push(' ');
            column += 1;
        }
        let _ = write!(list, "{name}{last}");
        column += name.len() + 1;
    }
    format!(
        "              - Sid: {sid}\n                Effect: Allow\n                Action: {action}\n                Resource:{resource}                \
         Condition:\n                  StringEquals: {{dynamodb:Select: {select}}}\n                  ForAllValues:StringEquals:\n{list}\n"
    )
}

fn key(indent: &str, name: &str, kind: &str) -> String {
    format!("{indent}- {{AttributeName: {name}, KeyType: {kind}}}\n")
}

/// Replaces each `@name@` by its value.
fn filled(pattern: &str, values: &[(&str, &str)]) -> String {
    values
        .iter()
        .fold(pattern.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), value))
}

fn inserted(text: &str, at: usize, what: &str) -> String {
    format!("{}{what}{}", &text[..at], &text[at..])
}

/// Adds a line behind the last `- {Id: …}` of an alarm. Without the alarm the text stays as it is.
fn appended(template: &str, alarm: &str, line: &str) -> String {
    let Some(begin) = template.find(&format!("\n  {alarm}:\n")).map(|at| at + 1) else {
        return template.to_owned();
    };
    let end = template[begin..].find("\n\n").map_or(template.len(), |end| begin + end + 1);
    let last = template[begin..end].rfind("        - {Id: ").map_or(end, |at| begin + at);
    let at = template[last..].find('\n').map_or(template.len(), |end| last + end + 1);
    inserted(template, at, line)
}

/// Inserts a line of the dashboard before the first one that begins with one of these texts, the
/// first text that there is.
fn on_dashboard(template: &str, before: &[&str], line: &str) -> String {
    match before.iter().find_map(|before| template.find(before)) {
        Some(at) => inserted(template, at, &format!("              {line}\n")),
        None => template.to_owned(),
    }
}

/// Changes the line that contains a text, if there is one.
fn on_line(text: &str, part: &str, change: impl Fn(&str) -> String) -> String {
    let line = |line: &str| match line.strip_suffix('\n') {
        Some(line) if line.contains(part) => change(line) + "\n",
        _ => line.to_owned(),
    };
    text.split_inclusive('\n').map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    /// A bundle without resources and routes, in the form of template.yaml.
    const EMPTY: &str = include_str!("template/empty.yaml");

    fn things() -> NewResource {
        NewResource::parse(
            "blog-posts",
            "postId",
            &["byAuthor:authorId,publishedAt".to_owned(), "byVotes:votes=number".to_owned()],
        )
        .unwrap()
    }

    fn list(access: NewAccess) -> NewRoute {
        let path = "/v1/users/{userId}/orders".to_owned();
        NewRoute {
            name: "list-orders".to_owned(),
            path,
            resource: &shop::ORDERS,
            access,
            is_list: true,
        }
    }

    #[test]
    fn a_table_has_keys_indexes_and_an_output() {
        let text = with_resource(EMPTY, &things()).unwrap();
        let template = Template::parse(&text).unwrap();
        let table = template.table("blog-posts").unwrap();
        assert_eq!(table.key[0].name, "postId");
        let keys = |index: &str| {
            table
                .index(index)
                .unwrap()
                .key
                .iter()
                .map(|key| (key.name.as_str(), key.hash))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            keys("byAuthor"),
            [("authorId", true), ("publishedAt", false), ("postId", false)]
        );
        assert_eq!(keys("byVotes"), [("shard", true), ("votes", false), ("postId", false)]);
        assert_eq!(
            table.create["AttributeDefinitions"][4],
            serde_json::json!({"AttributeName": "shard", "AttributeType": "N"})
        );
        assert_eq!(
            template.document["Outputs"]["BlogPostsTable"]["Value"]["Ref"],
            "BlogPostsTable"
        );
        assert!(text.contains("\n              [\"AWS/DynamoDB\", \"ReadThrottleEvents\", \"TableName\", \"${BlogPostsTable}\"],\n"));
        assert!(text.contains(
            "cargo dev load DIR --region ${AWS::Region} --table blog-posts=${BlogPostsTable}\n"
        ));
    }

    #[test]
    fn a_list_has_a_block_and_throttles() {
        let table =
            with_resource(EMPTY, &NewResource::parse("orders", "userId,orderId", &[]).unwrap())
                .unwrap();
        let text = with_route(&table, &list(NewAccess::Owner("userId".to_owned())), "OrdersTable")
            .unwrap();
        let template = Template::parse(&text).unwrap();
        let function = template.function("list-orders").unwrap();
        assert_eq!(function.routes[0].path, "/v1/users/{userId}/orders");
        assert!(
            ["ORDERS_TABLE", "CURSOR_SECRET", "READ_ANY_SCOPE"]
                .iter()
                .all(|name| function.environment.contains_key(*name))
        );
        assert!(!function.environment.contains_key("CATALOG_SHARDS"));
        let throttles = &template.document["Resources"]["ThrottleAlarm"]["Properties"]["Metrics"];
        assert_eq!(
            throttles[1]["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Ref"],
            "ListOrders"
        );
        assert!(text.contains("\n  # ── GET /v1/users/{userId}/orders: list-orders ────"));
        assert!(text.lines().all(|line| !line.contains('@')), "a placeholder is left");
    }

    #[test]
    fn a_public_route_is_cached_by_the_distribution() {
        let route = NewRoute {
            path: "/v1/users/{userId}".to_owned(),
            is_list: false,
            resource: &shop::USERS,
            ..list(NewAccess::Public)
        };
        let text = with_route(EMPTY, &route, "UsersTable").unwrap();
        let document = Template::parse(&text).unwrap().document;
        let caches = &document["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["CacheBehaviors"];
        assert_eq!(
            (caches[0]["PathPattern"].as_str(), caches[1].is_null()),
            (Some("/v1/users/*"), true)
        );
    }

    #[test]
    fn what_was_added_can_be_removed() {
        let table = with_resource(EMPTY, &things()).unwrap();
        let route = NewRoute { resource: &shop::PRODUCTS, ..list(NewAccess::Public) };
        let full = with_route(&table, &route, "BlogPostsTable").unwrap();
        assert_eq!(without(&full, &["blog-posts"], &["list-orders"]), EMPTY);
    }

    #[test]
    fn permissions_are_those_of_the_plans() {
        let text = statements(&shop::PRODUCTS, true, "ProductsTable");
        assert!(
            text.contains("dynamodb:Attributes: [shard, productId, name, category, brand, price,"),
            "{text}"
        );
        assert!(
            text.contains("Action: [dynamodb:GetItem, dynamodb:BatchGetItem]")
                && text.lines().all(|line| line.len() <= WIDTH),
            "{text}"
        );
        let text = statements(&shop::ORDERS, true, "OrdersTable");
        assert!(
            text.contains("Sid: Connect")
                && text.contains("dynamodb:Attributes: [userId, orderId]\n"),
            "{text}"
        );
        assert!(statements(&shop::USERS, false, "UsersTable").contains("Sid: Get\n"));
    }
}
