//! The tables and indexes of `template.yaml` are those of the model.

use api::{Field, Index, Kind, Partition, Projects, Quota, Resource};
use dev::template::{self, COUNTERS, Key, Table};

use serde_json::json;

use super::{Checkout, Names, differences};

pub(super) fn mistakes(bundle: &Checkout) -> Vec<String> {
    let of_resources = bundle.template.tables.iter().filter(|table| table.logical_id != COUNTERS);
    let given: Names<'_> = of_resources.map(|table| table.local_name.as_str()).collect();
    let wanted = bundle.resources.iter().map(|resource| resource.name).collect();
    let mut mistakes =
        differences("template.yaml", "the list of tables", &given, &wanted, "which is no resource");
    mistakes.extend(of_counters(bundle));
    for resource in bundle.resources {
        if let Some(table) = bundle.template.table(resource.name) {
            mistakes.extend(of_table(resource, table));
        }
    }
    mistakes
}

/// Compares the table of the quotas' counters with what the functions write.
fn of_counters(bundle: &Checkout) -> Vec<String> {
    let Some(table) = bundle.template.counters() else {
        let counted = bundle.routes.iter().any(|route| route.quota != Quota::None);
        return counted
            .then(|| format!("template.yaml has no {COUNTERS}, and a route has a quota"))
            .into_iter()
            .collect();
    };
    let mut mistakes = Vec::new();
    mistakes.extend(key(COUNTERS, "the table's key", &names(&table.key), &["caller", "window"]));
    let kinds = [template::AttributeType::String, template::AttributeType::Number];
    if table.key.iter().zip(kinds).any(|(key, kind)| key.attribute_type != kind) {
        mistakes.push(format!("{COUNTERS}: `caller` is an S and `window` an N"));
    }
    let forgets = bundle.template.resource(COUNTERS).is_some_and(|table| {
        table["Properties"]["TimeToLiveSpecification"]
            == json!({"AttributeName": "expires", "Enabled": true})
    });
    if !forgets {
        mistakes.push(format!("{COUNTERS}: no TimeToLiveSpecification on `expires`"));
    }
    mistakes
}

fn of_table(resource: &Resource, table: &Table) -> Vec<String> {
    let at = resource.name;
    let mut mistakes = Vec::new();
    mistakes.extend(key(at, "the table's key", &names(&table.key), resource.table.key));
    let given = table.indexes.iter().map(|index| index.name.as_str()).collect();
    let wanted = resource.table.indexes.iter().filter_map(|index| index.name).collect();
    mistakes.extend(differences(
        at,
        "template.yaml",
        &given,
        &wanted,
        "which is no index of the model",
    ));
    for attribute in table.key_attributes() {
        let wanted = kind(resource, &attribute.name);
        if wanted.is_some_and(|wanted| wanted != attribute.attribute_type) {
            mistakes.push(format!(
                "{at}: the type of {:?} in template.yaml is not that of the model",
                attribute.name
            ));
        }
    }
    for index in resource.table.indexes {
        if let Some(there) = index.name.and_then(|name| table.index(name)) {
            mistakes.extend(of_index(resource, index, there));
        }
    }
    mistakes
}

fn of_index(resource: &Resource, index: &Index, there: &template::Index) -> Vec<String> {
    let (resource_name, at) = (resource.name, format!("{}: {}", resource.name, there.name));
    let part = |hash: bool| {
        there
            .key
            .iter()
            .filter(|key| key.hash == hash)
            .map(|key| key.name.as_str())
            .collect::<Vec<_>>()
    };
    let mut mistakes = Vec::new();
    mistakes.extend(key(&at, "HASH", &part(true), index.partition_attributes()));
    mistakes.extend(key(&at, "RANGE", &part(false), index.range));
    match index.projects {
        Projects::All if there.projection != "ALL" => {
            mistakes.push(format!("{at}: the projection is {}, not ALL", there.projection))
        }
        Projects::Attributes(_) if there.projection == "ALL" => {
            mistakes.push(format!("{at}: the projection is ALL, not INCLUDE"))
        }
        Projects::All => {}
        Projects::Attributes(attributes) => {
            let is_key = |name: &&&str| index.is_key(name) || resource.table.key.contains(name);
            let wanted = attributes.iter().filter(|name| !is_key(name)).copied().collect();
            let given = there.non_key_attributes.iter().map(String::as_str).collect();
            let index = format!("the projection of {}", there.name);
            mistakes.extend(differences(
                resource_name,
                &index,
                &given,
                &wanted,
                "which the model does not name",
            ));
        }
    }
    mistakes
}

/// Compares the attributes of a key, in order.
fn key(at: &str, what: &str, given: &[&str], wanted: &[&str]) -> Option<String> {
    let shown = |names: &[&str]| names.join(", ");
    (given != wanted).then(|| {
        format!(
            "{at}: {what} is ({}) in template.yaml and ({}) in the model",
            shown(given),
            shown(wanted)
        )
    })
}

fn names(keys: &[Key]) -> Vec<&str> {
    keys.iter().map(|key| key.name.as_str()).collect()
}

/// Returns the type of an attribute, as the model has it; `None` for a hidden attribute.
fn kind(resource: &Resource, attribute: &str) -> Option<template::AttributeType> {
    let is_shard =
        |index: &Index| matches!(index.partition, Partition::Shards(name) if name == attribute);
    if resource.table.indexes.iter().any(is_shard) {
        return Some(template::AttributeType::Number);
    }
    match resource.fields.iter().find(|field: &&Field| field.attribute() == attribute)?.kind {
        Kind::Number | Kind::Integer => Some(template::AttributeType::Number),
        Kind::Epoch(epoch) if !epoch.is_text() => Some(template::AttributeType::Number),
        _ => Some(template::AttributeType::String),
    }
}
