//! A resource in the template: its table, the alarm of its throttles, its output.

use super::super::name::pascal;
use super::super::resource::{AttributeKind, NewResource, SHARD};
use super::places::{
    DASHBOARD_END, LOAD, OUTPUTS, ROUTES, filled, inserted, on_dashboard, on_line,
};
use anyhow::{Context as _, Result};
use std::fmt::Write as _;

const TABLE: &str = include_str!("table.yaml");

/// Adds a resource's table, its alarm and its output.
pub(in crate::scaffold) fn with_resource(template: &str, new: &NewResource) -> Result<String> {
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

fn key(indent: &str, name: &str, kind: &str) -> String {
    format!("{indent}- {{AttributeName: {name}, KeyType: {kind}}}\n")
}
