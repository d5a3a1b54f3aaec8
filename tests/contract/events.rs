//! `events/<function>.<case>.json`: each route has events, and each event gets the status that its
//! case states. Those of an interface are in its own folder, with its tests.

use api::Route;
use serde_json::Value as Json;

use super::{Checkout, Names, differences, events_of};
use crate::stack::{self, Stack};

pub(super) fn mistakes(bundle: &Checkout) -> Vec<String> {
    let files = files(bundle);
    let given: Names<'_> = files.iter().map(|file| function(file)).collect();
    let wanted = bundle.routes.iter().map(|route| route.name).collect();
    let mut mistakes = differences("events/", "the folder", &given, &wanted, "which is no route");
    for file in &files {
        let Some(route) = route(bundle, file) else { continue };
        let key = read(bundle, &format!("events/{file}"))["routeKey"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let fits = key.split_once(' ').is_some_and(|(_, path)| path == route.path);
        if !fits {
            mistakes.push(format!(
                "events/{file}: the routeKey is {key:?}, and the route's path {}",
                route.path
            ));
        }
    }
    for function in bundle.interfaces() {
        let folder = events_of(&function.binary);
        let names = bundle.names_in(&folder);
        if names.is_empty() {
            mistakes.push(format!("{folder}: {} has no event", function.binary));
        }
        for file in names {
            let path = format!("{folder}/{file}");
            let key = read(bundle, &path)["routeKey"].as_str().unwrap_or_default().to_owned();
            let routes = &function.routes;
            let is =
                |there: &dev::template::Route| format!("{} {}", there.method, there.path) == key;
            if !routes.iter().any(is) {
                mistakes.push(format!("{path}: the routeKey {key:?} is no event of template.yaml"));
            }
        }
    }
    mistakes
}

/// Sends each event to its function, over the sample rows.
pub(super) async fn answers(bundle: &Checkout) -> Vec<String> {
    let files = files(bundle);
    if files.is_empty() {
        return Vec::new(); // A bundle without events can have no table either.
    }
    let stack = Stack::with_samples(bundle);
    let mut mistakes = Vec::new();
    for file in files {
        let Some(route) = route(bundle, &file) else { continue };
        let answer =
            stack::send_to(&stack.app(route), &read(bundle, &format!("events/{file}")).to_string())
                .await;
        let wanted = match file.split('.').nth(1) {
            Some("not-modified") => 304,
            Some("bad") => 400,
            Some("unauthorized") => 401,
            Some("forbidden") => 403,
            Some("missing") => 404,
            _ => 200,
        };
        if answer.status != wanted {
            mistakes
                .push(format!("events/{file}: {}, not {wanted}: {}", answer.status, answer.body));
        }
        if answer.status == 200
            && route.is_list()
            && !answer.body.is_empty()
            && answer.json()["items"].as_array().is_none_or(Vec::is_empty)
        {
            mistakes.push(format!("events/{file}: no item, so it shows nothing"));
        }
        if answer.body.contains("sentinel") {
            mistakes.push(format!("events/{file}: something hidden is shown: {}", answer.body));
        }
    }
    mistakes
}

fn files(bundle: &Checkout) -> Vec<String> {
    let mut files = bundle.names_in("events");
    files.retain(|file| file.ends_with(".json"));
    files
}

fn function(file: &str) -> &str {
    file.split('.').next().unwrap_or_default()
}

fn route(bundle: &Checkout, file: &str) -> Option<&'static Route> {
    bundle.routes.iter().copied().find(|route| route.name == function(file))
}

fn read(bundle: &Checkout, path: &str) -> Json {
    serde_json::from_str(&bundle.text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
