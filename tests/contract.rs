//! Ring 4: facts that are stated in several places agree.
//!
//! `template.yaml` is the truth for tables, indexes, routes, permissions and environment; the model for fields, filters and sorts. The
//! emulator checks neither an index's projection nor any permission, so both are checked here. (`openapi.json` is checked where it is
//! generated, in `tools/dev`.)

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use api::{Accepts, Access, Filter, Kind, List, Order, Partition, Place, Projects, Resource, Route, Shape};
use dev::template::{self, Template};
use model::{RESOURCES, ROUTES};
use pagination::{Condition, Plan, Predicate, Sort, Value};
use serde_json::{Value as Json, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn template() -> Template {
    Template::of_workspace().unwrap()
}

type Names<'a> = BTreeSet<&'a str>;

fn names<'a>(list: &[&'a str]) -> Names<'a> {
    let set: Names<'_> = list.iter().copied().collect();
    assert_eq!(set.len(), list.len(), "twice in {list:?}");
    set
}

/// Returns the strings of a JSON string or array.
fn strings(json: &Json) -> Names<'_> {
    match json {
        Json::String(text) => [text.as_str()].into(),
        Json::Array(list) => list.iter().map(|text| text.as_str().unwrap()).collect(),
        other => panic!("{other} is no string nor a list of them"),
    }
}

fn logical_id(resource: &Resource) -> String {
    template().table(resource.name).unwrap().logical_id.clone()
}

#[test]
fn the_model_is_consistent() {
    for resource in RESOURCES.iter().copied() {
        assert_eq!(resource.table.mistakes(), Vec::<String>::new());
        fields_are_named_once(resource.fields);
        let fields: Vec<_> = resource.fields.iter().map(|field| field.name).collect();
        assert!(names(resource.summary).is_subset(&names(&fields)), "{}: a summary of fields", resource.name);
        assert!(resource.modified.is_none_or(|name| fields.contains(&name)));
        for key in resource.table.key {
            assert!(resource.summary.contains(key), "{}: the summary has the key {key}", resource.name);
        }
        for index in resource.table.indexes {
            for filter in routes_of(resource).filter_map(list).flat_map(|list| list.filters) {
                assert!(index.covers(&resource.table, filter.field), "{}: {:?} has no {}", resource.name, index.name, filter.field);
            }
            let default = resource.summary.iter().all(|name| index.covers(&resource.table, name));
            assert!(default, "{}: a default list is one Query of {:?}", resource.name, index.name);
        }
    }
    for route in ROUTES.iter().copied() {
        assert!(RESOURCES.iter().any(|resource| resource.name == route.resource.name));
        if let Some(list) = list(route) {
            let parameters = api::parameter_names(list);
            names(&parameters);
            for expansion in list.expansions {
                let fields: Vec<_> = expansion.resource.fields.iter().map(|field| field.name).collect();
                assert!(names(expansion.fields).is_subset(&names(&fields)));
                if let Place::Within { join, .. } = expansion.place {
                    let field = route.resource.fields.iter().find(|field| field.name == join.list).unwrap();
                    assert!(matches!(field.kind, Kind::Objects(_)));
                    assert_eq!(expansion.resource.table.key.len(), 1, "joined by one key attribute");
                }
            }
        }
        let private = route.parameters().next().is_some() && matches!(route.access, Access::Owner { .. });
        assert!(private || route.access == Access::Public);
    }
}

fn fields_are_named_once(fields: &[api::Field]) {
    names(&fields.iter().map(|field| field.name).collect::<Vec<_>>());
    for field in fields {
        assert!(field.name.chars().all(char::is_alphanumeric), "{}: a plain name", field.name);
        assert!(field.about.ends_with('.'), "{}: a sentence", field.name);
        if let Some(members) = field.kind.members() {
            fields_are_named_once(members);
        }
    }
}

fn routes_of(resource: &Resource) -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().copied().filter(|route| route.resource.name == resource.name)
}

fn list(route: &'static Route) -> Option<&'static List> {
    match &route.shape {
        Shape::List(list) => Some(list),
        Shape::One => None,
    }
}

#[test]
fn tables_and_indexes() {
    let template = template();
    assert_eq!(template.tables.len(), RESOURCES.len());
    for resource in RESOURCES.iter().copied() {
        let table = template.table(resource.name).unwrap_or_else(|| panic!("template.yaml has no table for {}", resource.name));
        assert_eq!(table.key.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), resource.table.key);
        let declared: Vec<_> = resource.table.indexes.iter().filter_map(|index| index.name).collect();
        assert_eq!(table.indexes.iter().map(|index| index.name.as_str()).collect::<BTreeSet<_>>(), names(&declared));
        let mut projected = 0;
        for index in resource.table.indexes {
            let name = index.name.unwrap();
            let there = table.index(name).unwrap();
            let part = |hash: bool| there.key.iter().filter(|key| key.hash == hash).map(|key| key.name.as_str()).collect::<Vec<_>>();
            assert_eq!(part(true), index.partition_attributes(), "{name}: HASH");
            assert_eq!(part(false), index.range, "{name}: RANGE, in this order");
            assert!(part(true).len() <= 4, "{name}: DynamoDB takes four HASH attributes");
            let kind = |name: &str| there.key.iter().find(|key| key.name == name).unwrap().kind;
            if let Partition::Shards(shard) = index.partition {
                assert_eq!(kind(shard), template::Kind::Number);
            }
            match index.projects {
                Projects::All => assert_eq!(there.projection, "ALL"),
                Projects::Attributes(attributes) => {
                    assert_eq!(there.projection, "INCLUDE");
                    let keys: Names<'_> =
                        index.partition_attributes().iter().chain(index.range).chain(resource.table.key).copied().collect();
                    let beside_keys: Names<'_> = names(attributes).difference(&keys).copied().collect();
                    assert_eq!(there.non_key_attributes.iter().map(String::as_str).collect::<BTreeSet<_>>(), beside_keys, "{name}");
                    assert!(beside_keys.len() <= 20, "{name}: DynamoDB takes 20");
                    projected += beside_keys.len();
                }
            }
        }
        assert!(projected <= 100, "{}: DynamoDB takes 100 projected attributes a table", resource.name);
    }
}

#[test]
fn functions_crates_routes_events_and_router() {
    let template = template();
    let expected: Vec<_> = ROUTES.iter().map(|route| route.name).collect();
    let functions: Vec<_> = template.functions.iter().map(|function| function.binary.as_str()).collect();
    assert_eq!(names(&functions), names(&expected));

    let crates = fs::read_dir(root().join("functions")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(crates.collect::<BTreeSet<_>>(), expected.iter().map(|name| (*name).to_owned()).collect());

    let events: BTreeSet<_> = events().map(|(route, _)| route.name).collect();
    assert_eq!(events, names(&expected), "events/<function>.<case>.json");

    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, router) = manifest.split_once("[workspace.metadata.lambda.watch.router]").unwrap();
    let router = router.split("\n[").next().unwrap();
    assert_eq!(router.matches("method = ").count(), 2 * ROUTES.len(), "two methods a route");
    for route in ROUTES.iter().copied() {
        let function = template.function(route.name).unwrap();
        let methods: BTreeSet<_> = function.routes.iter().map(|route| route.method.as_str()).collect();
        assert_eq!(methods, ["GET", "HEAD"].into(), "{}: API Gateway derives neither from the other", route.name);
        let at = format!("\"{}\" = [", route.path);
        let entry = router.split_once(&at).unwrap_or_else(|| panic!("the router has no {}", route.path)).1;
        let entry = entry.split_once(']').unwrap().0;
        for method in ["GET", "HEAD"] {
            assert!(entry.contains(&format!("method = \"{method}\", function = \"{}\"", route.name)), "{at}{entry}");
        }
        for there in &function.routes {
            assert_eq!(there.path, route.path);
            let event = &template.resource(&function.logical_id).unwrap()["Properties"]["Events"][&there.event]["Properties"];
            let authorizer = event["Auth"]["Authorizer"].as_str();
            let wanted = if route.access == Access::Public { None } else { Some("Jwt") };
            assert_eq!(authorizer, wanted, "{} {}", there.method, there.path);
            assert!(event["PayloadFormatVersion"].as_str().is_none_or(|version| version == "2.0"));
        }
        // No crate enables local tokens by default.
        let manifest = fs::read_to_string(root().join("functions").join(route.name).join("Cargo.toml")).unwrap();
        assert!(manifest.contains("local-tokens = [\"api/local-tokens\"]") && !manifest.contains("default ="));
    }
    let api = fs::read_to_string(root().join("shared/api/Cargo.toml")).unwrap();
    assert!(api.contains("local-tokens = [\"credential-chain\"]") && !api.contains("default ="));
}

/// Returns the events, each with the route that its file name states.
pub(crate) fn events() -> impl Iterator<Item = (&'static Route, PathBuf)> {
    let mut files: Vec<_> = fs::read_dir(root().join("events")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")).map(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        let function = name.split('.').next().unwrap();
        let route = ROUTES.iter().copied().find(|route| route.name == function);
        (route.unwrap_or_else(|| panic!("{name}: no function {function}")), file)
    })
}

/// Every function's environment has exactly the variables that `Config` reads for its route.
#[test]
fn environment() {
    let template = template();
    for route in ROUTES.iter().copied() {
        let mut wanted: BTreeMap<&str, Json> = BTreeMap::new();
        for resource in route.resources() {
            wanted.insert(resource.table_variable, json!({"Ref": logical_id(resource)}));
        }
        let sharded = route.is_list() && route.resource.table.indexes.iter().any(|index| matches!(index.partition, Partition::Shards(_)));
        let function = template.function(route.name).unwrap();
        let given: BTreeSet<_> = function.environment.keys().map(String::as_str).collect();
        let mut names: BTreeSet<_> = wanted.keys().copied().collect();
        names.insert("LOG_LEVEL");
        if route.is_list() {
            names.extend(["CURSOR_SECRET", "CURSOR_SECRET_PREVIOUS"]);
        }
        if sharded {
            names.insert("CATALOG_SHARDS");
        }
        if route.access != Access::Public {
            names.insert("READ_ANY_SCOPE");
        }
        assert_eq!(given, names, "{}", route.name);
        for (name, value) in wanted {
            assert_eq!(function.environment[name], value, "{}: {name}", route.name);
        }
    }
}

/// The exact permissions: each action on each table and index that the route's plans reach, with conditions that name the
/// attributes of the requests.
#[test]
fn permissions() {
    let template = template();
    for route in ROUTES.iter().copied() {
        let function = template.function(route.name).unwrap();
        assert_eq!(function.other_policies, Vec::<Json>::new(), "{}: inline statements only", route.name);
        // (action, resource) → the attributes that the conditions allow.
        let mut given: BTreeMap<(String, String), Names<'_>> = BTreeMap::new();
        for statement in &function.statements {
            assert_eq!(statement["Effect"], "Allow");
            let resources = match &statement["Resource"] {
                Json::Array(list) => list.clone(),
                one => vec![one.clone()],
            };
            let condition = &statement["Condition"];
            let attributes = strings(&condition["ForAllValues:StringEquals"]["dynamodb:Attributes"]);
            for action in strings(&statement["Action"]) {
                let select = strings(&condition["StringEquals"]["dynamodb:Select"]);
                let wanted: Names<'_> =
                    if action == "dynamodb:Query" { ["SPECIFIC_ATTRIBUTES", "COUNT"].into() } else { ["SPECIFIC_ATTRIBUTES"].into() };
                assert_eq!(select, wanted, "{}: {action} never without a projection", route.name);
                for resource in &resources {
                    let twice = given.insert((action.to_owned(), arn(resource)), attributes.clone());
                    assert!(twice.is_none(), "{}: {action} {resource} twice", route.name);
                }
            }
        }
        assert_eq!(given, wanted_permissions(route), "{}", route.name);
    }
}

/// `Table` or `Table/index/name`.
fn arn(resource: &Json) -> String {
    if let Some(target) = resource["Fn::GetAtt"].as_array() {
        assert_eq!(target[1], "Arn");
        return target[0].as_str().unwrap().to_owned();
    }
    if let Some(target) = resource["Fn::GetAtt"].as_str() {
        return target.strip_suffix(".Arn").unwrap().to_owned();
    }
    let text = resource["Fn::Sub"].as_str().unwrap_or_else(|| panic!("{resource} is no exact ARN"));
    let (table, rest) = text.strip_prefix("${").unwrap().split_once(".Arn}").unwrap();
    assert!(!text.contains('*'));
    format!("{table}{rest}")
}

fn wanted_permissions(route: &'static Route) -> BTreeMap<(String, String), Names<'static>> {
    let mut wanted = BTreeMap::new();
    let mut allow = |action: &str, resource: String, attributes: Names<'static>| {
        wanted.entry((format!("dynamodb:{action}"), resource)).or_insert_with(Names::new).extend(attributes);
    };
    let resource = route.resource;
    let (id, table) = (logical_id(resource), &resource.table);
    let public: Names<'static> = resource.fields.iter().map(|field| field.name).collect();
    let key: Names<'static> = table.key.iter().copied().collect();
    match &route.shape {
        Shape::One => allow("GetItem", id, public),
        Shape::List(list) => {
            let covered = |index: &api::Index| public.iter().all(|name| index.covers(table, name));
            let all_covered = table.indexes.iter().all(covered);
            let queried: Names<'static> = table
                .indexes
                .iter()
                .flat_map(|index| public.iter().copied().filter(|name| index.covers(table, name)).chain(keys_of(index)))
                .collect();
            for index in table.indexes {
                allow("Query", format!("{id}/index/{}", index.name.unwrap()), queried.clone());
            }
            // The call that opens the connection.
            allow("GetItem", id.clone(), if all_covered { key } else { public.clone() });
            if !all_covered {
                allow("BatchGetItem", id, public);
            }
            for expansion in list.expansions {
                let shown = expansion.fields.iter().chain(expansion.resource.table.key).copied().collect();
                let action = if expansion.place == Place::Beside { "GetItem" } else { "BatchGetItem" };
                allow(action, logical_id(expansion.resource), shown);
            }
        }
    }
    wanted
}

fn keys_of(index: &'static api::Index) -> impl Iterator<Item = &'static str> {
    let partition: Vec<&'static str> = match index.partition {
        Partition::Attributes(names) => names.to_vec(),
        Partition::Shards(name) => vec![name],
    };
    partition.into_iter().chain(index.range.iter().copied())
}

/// Every combination of filters and sort has a plan whose attributes are in its index. The emulator does not check that.
#[test]
fn plans() {
    let template = template();
    for route in ROUTES.iter().copied() {
        let Some(list) = list(route) else { continue };
        let there = template.table(route.resource.name).unwrap();
        for chosen in 0..1_u32 << list.filters.len() {
            let filters: Vec<_> = list.filters.iter().enumerate().filter(|(i, _)| chosen >> i & 1 == 1).map(|(_, filter)| filter).collect();
            let mut conditions: Vec<_> = filters.iter().map(|filter| condition(filter)).collect();
            if let Access::Owner { field, .. } = route.access {
                conditions.push(Condition::equal(field, Value::S("u-1".into())));
            }
            for sort in list.sorts {
                let by = Sort { attribute: Some(sort.field), order: sort.order };
                for field in route.resource.fields {
                    let plan = Plan::new(&route.resource.table, &conditions, by, [field.name], 4);
                    let plan = plan.unwrap_or_else(|error| panic!("{}: {conditions:?} by {}: {error}", route.name, sort.name));
                    let index = there.index(plan.index().name.unwrap()).unwrap();
                    let holds = |name: &str| {
                        index.non_key_attributes.iter().any(|other| other == name)
                            || index.key.iter().chain(&there.key).any(|key| key.name == name)
                    };
                    assert!(conditions.iter().all(|condition| holds(condition.attribute)), "{}", index.name);
                    assert_eq!(plan.is_covered(), holds(field.name), "{}: {}", index.name, field.name);
                }
            }
        }
        assert!(list.sorts.iter().any(|sort| sort.order == Order::Descending));
    }
}

fn condition(filter: &Filter) -> Condition {
    let predicate = match filter.accepts {
        Accepts::Text => Predicate::Equal(Value::S("x".into())),
        Accepts::Prefix => Predicate::BeginsWith("x".into()),
        Accepts::OneOf(options) => Predicate::Equal(Value::S(options[0].into())),
        Accepts::Boolean => Predicate::Equal(Value::Bool(true)),
        Accepts::Number => Predicate::Equal(Value::N("1".into())),
        Accepts::AtLeast | Accepts::Positive => Predicate::AtLeast(Value::N("1".into())),
        Accepts::AtMost => Predicate::AtMost(Value::N("5".into())),
        Accepts::From => Predicate::AtLeast(Value::S("2024-01-01T00:00:00.000Z".into())),
        Accepts::Before => Predicate::AtMost(Value::S("2024-02-01T00:00:00.000Z".into())),
    };
    Condition { attribute: filter.field, predicate }
}

/// Rules of this repository that readers rely on.
#[test]
fn the_house() {
    for route in ROUTES.iter().copied() {
        let source = root().join("functions").join(route.name).join("src/main.rs");
        let lines = fs::read_to_string(source).unwrap().lines().count();
        assert!(lines < 20, "functions/{}/src/main.rs has {lines} lines: it boots and serves, no more", route.name);
    }
}
