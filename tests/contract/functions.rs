//! Each route has a function in `template.yaml`, a crate, and an entry in the router of
//! `cargo lambda watch`. A function that is no route's serves all of them behind an interface of its
//! own, so it has the environment of all.

use std::collections::BTreeMap;

use api::{Access, Policy, Quota, Resource, Route};
use dev::template::{COUNTERS, Function};
use serde_json::{Value as Json, json};

use super::{Checkout, Names, differences};

/// API Gateway and the router derive neither from the other.
const METHODS: [&str; 2] = ["GET", "HEAD"];
/// The maximum number of lines of a function's main.rs: it boots and serves.
const MAX_LINES: usize = 20;

pub(super) fn mistakes(bundle: &Checkout) -> Vec<String> {
    let interfaces = bundle.interfaces();
    let routes = bundle.routes.iter().map(|route| route.name);
    let interface_names = interfaces.iter().map(|function| function.binary.as_str());
    let routes: Names<'_> = routes.chain(interface_names).collect();
    let functions =
        bundle.template.functions.iter().map(|function| function.binary.as_str()).collect();
    let mut mistakes = differences(
        "template.yaml",
        "the list of functions",
        &functions,
        &routes,
        "which is no route",
    );
    let crates = bundle.names_in("functions");
    let crates: Names<'_> = crates.iter().map(String::as_str).collect();
    mistakes.extend(differences("functions/", "the folder", &crates, &routes, "which is no route"));
    mistakes.extend(router(bundle));
    for route in bundle.routes {
        if let Some(function) = bundle.template.function(route.name) {
            mistakes.extend(of_function(bundle, route, function));
        }
    }
    let named = routes.iter().filter(|name| crates.contains(*name));
    mistakes.extend(named.flat_map(|name| of_crate(bundle, name)));
    mistakes
}

fn of_function(bundle: &Checkout, route: &Route, function: &Function) -> Vec<String> {
    let events: Vec<_> =
        function.routes.iter().map(|there| format!("{} {}", there.method, there.path)).collect();
    let given = events.iter().map(String::as_str).collect();
    let wanted = METHODS.map(|method| format!("{method} {}", route.path));
    let wanted = wanted.iter().map(String::as_str).collect();
    let mut mistakes =
        differences(route.name, "template.yaml", &given, &wanted, "which is not the route's");
    let declared = bundle.template.resource(&function.logical_id);
    for there in &function.routes {
        let event = declared.map_or(&Json::Null, |function| {
            &function["Properties"]["Events"][&there.event]["Properties"]
        });
        let at = format!("{}: {} {}", route.name, there.method, there.path);
        match (route.access, event["Auth"]["Authorizer"].as_str().filter(|name| *name != "NONE")) {
            (Access::Public, Some(name)) => {
                mistakes.push(format!("{at} has the authorizer {name}, and the route is public"))
            }
            (Access::SignedIn | Access::Scope(_) | Access::Owner { .. }, None) => {
                mistakes.push(format!("{at} has no authorizer, and the route is not public"));
            }
            (Access::Public, None) | (_, Some(_)) => {}
        }
        if event["PayloadFormatVersion"].as_str().is_some_and(|version| version != "2.0") {
            mistakes.push(format!("{at} has another PayloadFormatVersion than 2.0"));
        }
    }
    mistakes
}

fn of_crate(bundle: &Checkout, name: &str) -> Vec<String> {
    let mut mistakes = Vec::new();
    let manifest = bundle.text(&format!("functions/{}/Cargo.toml", name));
    if !manifest.contains("local-tokens = [\"api/local-tokens\"]") || manifest.contains("default =")
    {
        mistakes.push(format!("functions/{}/Cargo.toml: the feature local-tokens is `[\"api/local-tokens\"]`, and no default", name));
    }
    let lines = bundle.text(&format!("functions/{}/src/main.rs", name)).lines().count();
    if lines == 0 || lines > MAX_LINES {
        mistakes.push(format!("functions/{}/src/main.rs has {lines} lines: it boots and serves, in {MAX_LINES} at most", name));
    }
    mistakes
}

/// Compares the router with the routes.
fn router(bundle: &Checkout) -> Vec<String> {
    let manifest = bundle.text("Cargo.toml");
    let (_, router) =
        manifest.split_once("[workspace.metadata.lambda.watch.router]").unwrap_or_default();
    let router = router.split("\n[").next().unwrap_or_default();
    // `"/path" = [{ method = "GET", function = "name" }, …]`, on one line or on several: every
    // second part is within quotes.
    let (mut path, mut method, mut given) = ("", "", Vec::new());
    let parts: Vec<_> = router.split('"').collect();
    for pair in parts.chunks_exact(2) {
        match pair {
            [before, quoted] if before.trim_end().ends_with("method =") => method = quoted,
            [before, quoted] if before.trim_end().ends_with("function =") => {
                given.push(format!("{method} {path} = {quoted}"))
            }
            [_, quoted] => path = quoted,
            _ => {}
        }
    }
    let given = given.iter().map(String::as_str).collect();
    let wanted =
        |route: &&Route| METHODS.map(|method| format!("{method} {} = {}", route.path, route.name));
    let mut wanted: Vec<_> =
        bundle.routes.iter().copied().flat_map(|route| wanted(&route)).collect();
    for function in bundle.interfaces() {
        let name = &function.binary;
        let routes = function.routes.iter();
        wanted.extend(routes.map(|route| format!("{} {} = {name}", route.method, route.path)));
    }
    let wanted = wanted.iter().map(String::as_str).collect();
    differences("Cargo.toml", "the router", &given, &wanted, "which is no route")
}

/// Every function's environment has exactly the variables that `Config` reads for its route; that of
/// an interface has those of all routes, and some of its own, which begin with its name.
pub(super) fn environment(bundle: &Checkout) -> Vec<String> {
    let mut mistakes = Vec::new();
    for route in bundle.routes {
        let Some(function) = bundle.template.function(route.name) else { continue };
        mistakes.extend(of_environment(function, variables(bundle, route), None));
    }
    for function in bundle.interfaces() {
        let of_routes = bundle.routes.iter().flat_map(|route| variables(bundle, route));
        let own = function.binary.to_uppercase().replace('-', "_") + "_";
        mistakes.extend(of_environment(function, of_routes.collect(), Some(&own)));
    }
    mistakes
}

/// Returns the variables of a route, each with the table that it names, if it names one.
fn variables(bundle: &Checkout, route: &Route) -> BTreeMap<&'static str, Option<Json>> {
    let tables = route
        .resources()
        .map(|resource| (resource.table_variable, Some(json!({"Ref": bundle.table_id(resource)}))));
    let mut wanted: BTreeMap<_, _> = tables.collect();
    let limits: &[&str] = match route.quota {
        Quota::None => &[],
        Quota::PerCaller(_) => &["CALLER_LIMIT", "SERVICE_LIMIT", "READ_ANY_SCOPE"],
        Quota::PerAddress(_) => &["ADDRESS_LIMIT"],
    };
    if !limits.is_empty() {
        wanted.insert("LIMITS_TABLE", Some(json!({"Ref": COUNTERS})));
    }
    let mut more = vec!["LOG_LEVEL", "STACK_NAME", "EDGE_SECRET", "EDGE_SECRET_PREVIOUS"];
    more.extend(limits);
    if route.is_list() {
        more.extend(["CURSOR_SECRET", "CURSOR_SECRET_PREVIOUS"]);
    }
    if route.is_sharded() {
        more.push("CATALOG_SHARDS");
    }
    if matches!(route.access, Access::Owner { .. }) {
        more.push("READ_ANY_SCOPE");
    }
    if reads_public_pages(route) {
        more.push("CACHE_URL");
    }
    wanted.extend(more.into_iter().map(|name| (name, None)));
    wanted
}

/// Compares the environment of a function; variables that begin with `own` are its own.
fn of_environment(
    function: &Function,
    wanted: BTreeMap<&str, Option<Json>>,
    own: Option<&str>,
) -> Vec<String> {
    let given =
        function.environment.keys().map(String::as_str).filter(|name| {
            *name != "SERVER_TIMING" && !own.is_some_and(|own| name.starts_with(own))
        });
    let names = wanted.keys().copied().collect();
    let otherwise = "which the route does not read";
    let at = &function.binary;
    let mut mistakes = differences(at, "the environment", &given.collect(), &names, otherwise);
    for (name, table) in wanted {
        let Some(table) = table else { continue };
        if function.environment.get(name).is_some_and(|given| *given != table) {
            let table = table["Ref"].as_str().unwrap_or_default();
            mistakes.push(format!("{at}: {name} is not `!Ref {table}`"));
        }
    }
    mistakes
}

/// Returns `true` if the cache tier keeps something that the route reads: pages or expansions of a
/// resource with a public policy.
pub(super) fn reads_public_pages(route: &Route) -> bool {
    let is_public = |resource: &Resource| matches!(resource.policy, Policy::Public { .. });
    route.is_list() && route.resources().any(is_public)
}

/// Compares the metrics that alarms watch: a metric of one function is one of all functions.
pub(super) fn alarms(bundle: &Checkout) -> Vec<String> {
    let template = &bundle.template;
    let wanted: Names<'_> =
        template.functions.iter().map(|function| function.logical_id.as_str()).collect();
    let mut watched: BTreeMap<&str, Names<'_>> = BTreeMap::new();
    let resources = template.document["Resources"].as_object().into_iter().flatten();
    for (_, alarm) in resources.filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm")
    {
        let properties = &alarm["Properties"];
        let terms = properties["Metrics"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|term| &term["MetricStat"]["Metric"]);
        for metric in terms.chain([properties]).filter(|metric| metric["Namespace"] == "AWS/Lambda")
        {
            let dimensions = metric["Dimensions"].as_array().into_iter().flatten();
            let functions = dimensions
                .filter(|dimension| dimension["Name"] == "FunctionName")
                .filter_map(|dimension| dimension["Value"]["Ref"].as_str());
            watched
                .entry(metric["MetricName"].as_str().unwrap_or_default())
                .or_default()
                .extend(functions);
        }
    }
    let of = |(metric, given): (&str, Names<'_>)| {
        differences("the alarms", metric, &given, &wanted, "which is no function")
    };
    watched.into_iter().flat_map(of).collect()
}
