//! The exact permissions: each action on each table and index that a route's plans reach, with
//! conditions that name the attributes of the requests.

use std::collections::{BTreeMap, BTreeSet};

use api::{Field, Index, Kind, Place, Quota, Resource, Route, Shape};
use dev::template::{COUNTERS, Function};
use serde_json::Value as Json;

use super::functions::reads_public_pages;
use super::{Checkout, Names, differences};

/// An action and what it acts on: `Table` or `Table/index/name`.
type Call = (String, String);

pub(super) fn mistakes(bundle: &Checkout) -> Vec<String> {
    let pairs = bundle
        .routes
        .iter()
        .filter_map(|route| Some((*route, bundle.template.function(route.name)?)));
    let of_routes = pairs.flat_map(|(route, function)| of_function(bundle, &[route], function));
    // An interface asks all routes.
    let of_interfaces = bundle.interfaces().into_iter();
    let of_interfaces =
        of_interfaces.flat_map(|function| of_function(bundle, bundle.routes, function));
    of_routes.chain(of_interfaces).collect()
}

fn of_function(bundle: &Checkout, routes: &[&'static Route], function: &Function) -> Vec<String> {
    let at = function.binary.as_str();
    // In a set, because a statement for several tables or actions has the same mistake for each.
    let mut mistakes = BTreeSet::new();
    if !function.other_policies.is_empty() {
        mistakes.insert(format!(
            "{at}: a policy is no inline statement, so nothing compares it with the requests"
        ));
    }
    match &function.role {
        None => drop(
            mistakes.insert(format!("{at}: the function has no role of its own in template.yaml")),
        ),
        Some(role) => {
            let others = bundle.template.functions.iter().filter(|other| {
                other.role.as_ref() == Some(role) && other.binary != function.binary
            });
            mistakes.extend(
                others.map(|other| format!("{at}: {role} is also the role of {}", other.binary)),
            );
        }
    }
    let mut wanted = BTreeMap::new();
    routes.iter().for_each(|route| calls(bundle, route, &mut wanted));
    let mut given = BTreeSet::new();
    for (number, statement) in function.statements.iter().enumerate() {
        let name = statement["Sid"]
            .as_str()
            .map_or_else(|| format!("number {}", number + 1), str::to_owned);
        let permission = format!("permission {name}");
        if is_not_for_code(statement) {
            continue;
        }
        if statement["Effect"] != "Allow" {
            mistakes.insert(format!("{at}: {permission} is no Allow"));
        }
        if let Some(wrong) = of_every_function(bundle, function, statement, &permission) {
            mistakes.extend(wrong);
            continue;
        }
        let attributes =
            strings(&statement["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]);
        let equals = &statement["Condition"]["StringEquals"];
        let select = strings(&equals["dynamodb:Select"]);
        for action in strings(&statement["Action"]) {
            let selected: Names<'_> = match action {
                "dynamodb:Query" => ["SPECIFIC_ATTRIBUTES", "COUNT"].into(),
                "dynamodb:UpdateItem" => Names::new(),
                _ => ["SPECIFIC_ATTRIBUTES"].into(),
            };
            if action == "dynamodb:UpdateItem" {
                let what = format!("dynamodb:ReturnValues of {permission}");
                let stated = strings(&equals["dynamodb:ReturnValues"]);
                mistakes.extend(differences(
                    at,
                    &what,
                    &stated,
                    &["UPDATED_NEW"].into(),
                    "which no request has",
                ));
            }
            let what = format!("dynamodb:Select of {permission}");
            mistakes.extend(differences(at, &what, &select, &selected, "which no request has"));
            for resource in list(&statement["Resource"]) {
                let Some(arn) = arn(resource) else {
                    mistakes.insert(format!("{at}: {permission} is on {resource}, which is no exact ARN of a table or index"));
                    continue;
                };
                let call = (action.to_owned(), arn);
                if given.contains(&call) {
                    mistakes.insert(format!(
                        "{at}: {permission} allows {} on {} again",
                        call.0, call.1
                    ));
                }
                match wanted.get(&call) {
                    Some(wanted) => mistakes.extend(differences(
                        at,
                        &permission,
                        &attributes,
                        wanted,
                        "which no request names",
                    )),
                    None => drop(mistakes.insert(format!(
                        "{at}: {permission} allows {} on {}, which no request does",
                        call.0, call.1
                    ))),
                }
                given.insert(call);
            }
        }
    }
    if routes.iter().any(|route| reads_public_pages(route)) {
        let has = |test: fn(&Json) -> bool| function.statements.iter().any(test);
        if !has(is_for_interfaces) {
            mistakes.insert(format!(
                "{at}: no permission lets Lambda connect the function to the network of the cache"
            ));
        }
        if !has(is_not_for_code) {
            mistakes.insert(format!(
                "{at}: nothing keeps the function's code from making network interfaces"
            ));
        }
    }
    let missing = wanted.keys().filter(|call| !given.contains(call));
    mistakes
        .extend(missing.map(|(action, resource)| {
            format!("{at}: no permission allows {action} on {resource}")
        }));
    mistakes.into_iter().collect()
}

/// Returns `true` for the statement with which Lambda connects a function to a network.
fn is_for_interfaces(statement: &Json) -> bool {
    statement["Effect"] == "Allow" && strings(&statement["Action"]) == INTERFACES.into()
}

/// Returns `true` for the statement that takes from the function's code what only Lambda needs.
fn is_not_for_code(statement: &Json) -> bool {
    let of_code = &statement["Condition"]["ArnLike"]["lambda:SourceFunctionArn"]["Fn::Sub"];
    statement["Effect"] == "Deny"
        && statement["Action"] == "ec2:*"
        && of_code.as_str().is_some_and(|arn| arn.ends_with(":function:*"))
}

/// The permissions with which Lambda connects a function to a network.
const INTERFACES: [&str; 6] = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
];

/// Returns what is wrong with a permission that does not depend on the route's requests: to write
/// into its own log group, to send traces, and, if it uses the cache tier, to be in a network.
/// `None` for any other permission.
fn of_every_function(
    bundle: &Checkout,
    function: &Function,
    statement: &Json,
    permission: &str,
) -> Option<Vec<String>> {
    let actions = strings(&statement["Action"]);
    let service = actions.first()?.split(':').next()?;
    let wanted: Names<'_> = match service {
        "logs" => ["logs:CreateLogStream", "logs:PutLogEvents"].into(),
        "xray" => ["xray:PutTelemetryRecords", "xray:PutTraceSegments"].into(),
        "ec2" if function.environment.contains_key("CACHE_URL") => INTERFACES.into(),
        _ => return None,
    };
    let mut wrong =
        differences(&function.binary, permission, &actions, &wanted, "which no function needs");
    let group =
        bundle.template.resource(&function.logical_id)?["Properties"]["LoggingConfig"]["LogGroup"]
            ["Ref"]
            .as_str();
    if service == "logs" && (group.is_none() || arn(&statement["Resource"]).as_deref() != group) {
        wrong.push(format!(
            "{}: {permission} is not on the function's own log group",
            function.binary
        ));
    }
    Some(wrong)
}

/// Adds the calls of a route, each with the attributes that it names.
fn calls(bundle: &Checkout, route: &'static Route, wanted: &mut BTreeMap<Call, Names<'static>>) {
    let mut allow = |action: &str, resource: String, attributes: Names<'static>| {
        wanted.entry((format!("dynamodb:{action}"), resource)).or_default().extend(attributes);
    };
    let resource = route.resource;
    let (id, table) = (bundle.table_id(resource), &resource.table);
    let attributes = |resource: &'static Resource| {
        let fixed = resource.fixed.iter().map(|(attribute, _)| *attribute);
        resource.fields.iter().map(Field::attribute).chain(fixed)
    };
    if route.quota != Quota::None {
        let counter = ["caller", "window", "used", "expires"].into();
        allow("UpdateItem", COUNTERS.to_owned(), counter);
    }
    let public: Names<'static> = attributes(resource).collect();
    let key: Names<'static> = table.key.iter().copied().collect();
    match &route.shape {
        Shape::One => allow("GetItem", id, public),
        Shape::List(list) => {
            let all_covered = table
                .indexes
                .iter()
                .all(|index| public.iter().all(|name| index.covers(table, name)));
            let held = |index: &'static Index| {
                public.iter().copied().filter(|name| index.covers(table, name))
            };
            let keys = |index: &'static Index| {
                index.partition_attributes().iter().copied().chain(index.range.iter().copied())
            };
            let queried: Names<'static> =
                table.indexes.iter().flat_map(|index| held(index).chain(keys(index))).collect();
            for index in table.indexes {
                let of = index.name.map_or_else(|| id.clone(), |name| format!("{id}/index/{name}"));
                allow("Query", of, queried.clone());
            }
            // The call that opens the connection.
            allow("GetItem", id.clone(), if all_covered { key } else { public.clone() });
            if !all_covered {
                allow("BatchGetItem", id, public);
            }
            for expansion in list.expansions {
                let of = expansion.resource;
                // What is shown, and what tells the resource's items from others in its table.
                let named = of.fields.iter().filter(|field| {
                    expansion.fields.contains(&field.name)
                        || matches!(field.kind, Kind::Prefixed { .. })
                });
                let fixed = of.fixed.iter().map(|(attribute, _)| *attribute);
                let shown = named
                    .map(Field::attribute)
                    .chain(fixed)
                    .chain(of.table.key.iter().copied())
                    .collect();
                let action =
                    if expansion.place == Place::NextToItems { "GetItem" } else { "BatchGetItem" };
                allow(action, bundle.table_id(of), shown);
            }
        }
    }
}

/// Returns the elements of a JSON array, or the one value that stands for it.
fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice)
}

fn strings(json: &Json) -> Names<'_> {
    list(json).iter().filter_map(Json::as_str).collect()
}

/// Returns `Table` or `Table/index/name`, if the resource is exactly one.
fn arn(resource: &Json) -> Option<String> {
    match &resource["Fn::GetAtt"] {
        Json::Array(target) if target[1] == "Arn" => return target[0].as_str().map(str::to_owned),
        Json::String(target) => return target.strip_suffix(".Arn").map(str::to_owned),
        _ => {}
    }
    let text = resource["Fn::Sub"].as_str()?;
    let (table, rest) = match text
        .strip_prefix("arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${")
    {
        Some(existing) => existing.split_once('}')?,
        None => text.strip_prefix("${")?.split_once(".Arn}")?,
    };
    (!rest.contains(['*', '?', '$'])).then(|| format!("{table}{rest}"))
}
