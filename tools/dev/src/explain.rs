//! `cargo dev explain`: how a request would be read. The plan is made by the functions' own code;
//! nothing is read.

use crate::bundle::Bundle;
use crate::plan::Planner;
use crate::sample::Sample;
use anyhow::{Result, ensure};
use api::{ListPlan, Place, Problem, ProblemKind, Resource, Route};
use pagination::{Budget, Direction, Partition, Query, Read, Start, Value};
use serde_json::Value as Json;

/// An eventually consistent read of 4 KB
/// ([read capacity](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html)).
const UNITS: f64 = 0.5;
const UNIT_BYTES: f64 = 4_096.0;

/// The explanation of a request.
#[derive(Debug)]
pub struct Explained {
    /// The text to print.
    pub text: String,
    /// False if the request would be answered with a problem.
    pub is_plan: bool,
}

/// Explains a request such as `GET /v1/things?limit=5` of the caller `sub`.
///
/// # Errors
/// If the request is no GET, or has a cursor.
pub fn explain(
    bundle: &Bundle,
    sample: &Sample,
    request: &str,
    sub: &str,
    shards: u32,
) -> Result<Explained> {
    let target = request.strip_prefix("GET ").unwrap_or(request).trim();
    ensure!(target.starts_with('/'), "{request} is no request: write 'GET /path?query'");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let cursor = query.split('&').any(|part| part.starts_with("cursor="));
    ensure!(
        !cursor,
        "only the stack that made a cursor can open it: leave it out, because each page of a list is read in the same way"
    );
    let problem = |problem: Problem| Explained { text: shown(&problem), is_plan: false };
    for route in bundle.routes {
        let planner = Planner::new(route, sub, shards)?;
        let request = match planner.request(path, query) {
            Ok(request) => request,
            Err(Problem { kind: ProblemKind::NotFound, .. }) => continue,
            Err(other) => return Ok(problem(other)),
        };
        let text = match planner.planned(&request) {
            Err(other) => return Ok(problem(other)),
            Ok(None) => of_item(route, sample),
            Ok(Some(list)) => of_list(route, &list, sample)?,
        };
        return Ok(Explained { text, is_plan: true });
    }
    Ok(problem(ProblemKind::NotFound.into()))
}

fn shown(problem: &Problem) -> String {
    let mut text = format!("{} {}\n", problem.kind.status().as_u16(), problem.kind.title());
    for error in &problem.errors {
        text.push_str(&format!("  {}: {}\n", error.parameter, error.detail));
    }
    text
}

fn of_item(route: &Route, sample: &Sample) -> String {
    let resource = route.resource;
    let bytes = bytes(sample, resource, |_| true);
    let mut lines = Lines::default();
    lines.add("route", format!("{}, GET {}", route.name, route.path));
    lines.add(
        "reads",
        format!("GetItem of the table {} by {}", resource.name, resource.table.key.join(" and ")),
    );
    lines.add("rounds", "1");
    lines.add(
        "units",
        format!("about {}: an item of {bytes:.0} bytes (the mean of samples/)", units(bytes)),
    );
    lines.0
}

fn of_list(route: &Route, list: &ListPlan<'_>, sample: &Sample) -> Result<String> {
    let (plan, request, resource) = (list.plan(), list.request(), route.resource);
    let (index, limit) = (plan.index(), request.limit().get());
    let read = if plan.is_covered() { Read::Items } else { Read::Positions };
    let mut lines = Lines::default();
    lines.add("route", format!("{}, GET {}", route.name, route.path));
    lines.add(
        "index",
        format!("{} of the table {}", index.name.unwrap_or("the table itself"), resource.name),
    );
    let Some(query) =
        plan.query(0, Direction::Forward, None, limit + 1, read).filter(|_| !plan.is_empty())
    else {
        lines.add("reads", "nothing: the conditions exclude each other, so the list is empty");
        return Ok(lines.0);
    };
    lines.add("key", filled(&query.key_condition, &query));
    if let Some(filter) = &query.filter {
        lines.add("filter", filled(filter, &query));
    }
    let attribute =
        index.range.first().map_or(String::new(), |attribute| format!(" by {attribute}"));
    lines.add(
        "order",
        format!("{}{attribute}", if query.forward { "ascending" } else { "descending" }),
    );
    let partitions = plan.partitions();
    let what = if matches!(index.partition, Partition::Shards(_)) { " (shards)" } else { "" };
    lines.add("partitions", format!("{partitions}{what}"));
    let expression = match read {
        Read::Items => request.selection().expression(query.position_attributes),
        _ => Default::default(),
    };
    let projection = if read == Read::Items {
        named(&expression.text, &expression.names)
    } else {
        query.position_attributes.join(", ")
    };
    lines.add("projection", projection);

    let in_index = bytes(sample, resource, |name| index.covers(&resource.table, name));
    let (mut rounds, mut sum, mut terms) = (1, 0.0, Vec::new());
    let mut term = |units: f64, text: String| {
        sum += units;
        terms.push(format!("{units} for {text}"));
    };
    if let Start::Skip(count @ 1..) = list.start() {
        rounds += 1;
        let each = if partitions > 1 { " from each partition" } else { "" };
        term(
            partitions as f64 * units(f64::from(*count) * in_index),
            format!("{count} items that are only counted{each}"),
        );
    }
    // A share of the page, and some more, in each partition; all of it where there is one.
    let asked = f64::from(limit + 1);
    let each = if partitions > 1 {
        let share = asked / partitions as f64;
        f64::min(asked, share + 3.0 * share.sqrt()).ceil()
    } else {
        asked
    };
    let of_query = partitions as f64 * units(each * in_index);
    term(of_query, format!("{partitions} × Query of {each} items of {in_index:.0} bytes"));
    if !plan.is_covered() {
        rounds += 1;
        let bytes = bytes(sample, resource, |_| true);
        term(
            f64::from(limit) * units(bytes),
            format!(
                "BatchGetItem of {limit} items of {bytes:.0} bytes, for fields that the index lacks"
            ),
        );
    }
    for api::Expanded { expansion, .. } in request.expansions() {
        let bytes = bytes(sample, expansion.resource, |_| true);
        match expansion.place {
            Place::NextToItems => term(
                units(bytes),
                format!("GetItem of {} next to the page", expansion.resource.name),
            ),
            Place::Within { join, .. } => {
                rounds += 1;
                let keys = (f64::from(limit) * elements(sample, resource, join.list))
                    .ceil()
                    .min(pagination::MAX_FETCH as f64);
                term(
                    keys * units(bytes),
                    format!("BatchGetItem of at most {keys} {}", expansion.resource.name),
                );
            }
        }
    }
    let filtered = !plan.is_unfiltered();
    let more = format!(
        " to {}: a filter makes more Queries until the page is full",
        rounds + Budget::default().rounds - 1
    );
    lines.add("rounds", format!("{rounds}{}", if filtered { more.as_str() } else { "" }));
    let least = if filtered { "at least " } else { "" };
    lines.add(
        "units",
        format!("{least}about {sum}, with item sizes from samples/: {}", terms.join(", ")),
    );
    Ok(lines.0)
}

/// Lines of a name and a text.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, text: impl std::fmt::Display) {
        self.0.push_str(&format!("{name:<11} {text}\n"));
    }
}

/// Writes names and values in place of an expression's placeholders.
fn filled(expression: &str, query: &Query<'_>) -> String {
    let value = |value: &Value| match value {
        Value::S(text) => format!("{text:?}"),
        Value::N(number) => number.clone(),
        Value::Bool(value) => value.to_string(),
    };
    let values =
        query.values.iter().map(|(placeholder, given)| (placeholder.clone(), value(given)));
    let names =
        query.names.iter().map(|(placeholder, name)| (placeholder.clone(), (*name).to_owned()));
    named(expression, &values.chain(names).collect::<Vec<_>>())
}

/// Replaces each placeholder: `#` or `:`, and letters and digits.
fn named(expression: &str, of: &[(String, String)]) -> String {
    let mut text = String::new();
    let mut rest = expression;
    while let Some(at) = rest.find(['#', ':']) {
        let (before, from) = rest.split_at(at);
        let length = from[1..]
            .find(|c: char| !c.is_ascii_alphanumeric())
            .map_or(from.len(), |length| length + 1);
        let (placeholder, after) = from.split_at(length);
        let found =
            of.iter().find(|(other, _)| other == placeholder).map_or(placeholder, |(_, name)| name);
        text.push_str(before);
        text.push_str(found);
        rest = after;
    }
    text.push_str(rest);
    text.replace(',', ", ").replace(",  ", ", ")
}

/// Returns the mean size of the sample's items: names and values of the attributes that `holds`
/// accepts. 0 without rows.
fn bytes(sample: &Sample, resource: &'static Resource, holds: impl Fn(&str) -> bool) -> f64 {
    let size = |value: &Json| value.as_str().map_or_else(|| value.to_string().len(), str::len);
    let row = |row: Json| {
        let members = row.as_object().into_iter().flatten().filter(|(name, _)| holds(name));
        members.map(|(name, value)| name.len() + size(value)).sum::<usize>()
    };
    mean(sample.rows(resource).map(row))
}

/// Returns the mean number of elements of a list in the sample's items.
fn elements(sample: &Sample, resource: &Resource, list: &str) -> f64 {
    mean(sample.rows(resource).map(|row| row[list].as_array().map_or(0, Vec::len)))
}

fn mean(numbers: impl Iterator<Item = usize>) -> f64 {
    let numbers: Vec<_> = numbers.collect();
    numbers.iter().sum::<usize>() as f64 / numbers.len().max(1) as f64
}

/// Returns the units of one read of so many bytes.
fn units(bytes: f64) -> f64 {
    UNITS * (bytes / UNIT_BYTES).ceil().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(request: &str) -> Explained {
        let bundle = Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE).unwrap();
        let sample = Sample::of(bundle.resources, |resource| {
            shop::sample::lines(resource.name).take(20).collect()
        });
        explain(&bundle, &sample, request, "u-1", 4).unwrap()
    }

    fn line(request: &str, name: &str) -> String {
        let explained = of(request);
        assert!(explained.is_plan, "{}", explained.text);
        let line =
            explained.text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().to_owned()
    }

    #[test]
    fn a_list_has_its_index_its_conditions_and_its_projection() {
        let request = "GET /v1/products?category=a%20b&sort=price_asc&minPrice=5&brand=x&fields=name,price&limit=5";
        assert_eq!(line(request, "index"), "byCategoryPrice of the table products");
        assert_eq!(line(request, "key"), r#"category = "a b" AND price >= 5"#);
        assert_eq!(line(request, "filter"), r#"brand = "x""#);
        assert_eq!(line(request, "order"), "ascending by price");
        assert_eq!(line(request, "projection"), "name, price, productId");
        assert_eq!(
            line(request, "rounds"),
            "1 to 4: a filter makes more Queries until the page is full"
        );
        assert!(line(request, "units").contains("1 × Query of 6 items of "));
        assert_eq!(line("/v1/products", "partitions"), "4 (shards)");
    }

    #[test]
    fn what_is_read_besides_the_index_is_counted() {
        let by_key = "GET /v1/products?category=x&fields=sku&limit=5";
        assert_eq!(line(by_key, "rounds"), "2");
        assert!(line(by_key, "units").contains("BatchGetItem of 5 items"));
        let expanded = "GET /v1/users/me/orders?expand=customer,items.product";
        assert_eq!(line(expanded, "key"), r#"userId = "u-1""#);
        assert_eq!(line(expanded, "rounds"), "2");
        let units = line(expanded, "units");
        assert!(
            units.contains("0.5 for GetItem of users next to the page")
                && units.contains("BatchGetItem of at most "),
            "{units}"
        );
        let counted = line("GET /v1/users/me/orders?page=3&limit=10", "units");
        assert!(counted.contains("for 20 items that are only counted"), "{counted}");
        assert_eq!(line("GET /v1/users/me", "reads"), "GetItem of the table users by userId");
    }

    #[test]
    fn a_wrong_request_shows_the_problem() {
        let wrong = of("GET /v1/products?limit=0&categry=x");
        assert!(!wrong.is_plan);
        assert!(wrong.text.starts_with("400 Invalid parameter\n  "), "{}", wrong.text);
        assert!(
            wrong.text.contains("  limit: must be a whole number")
                && wrong.text.contains("did you mean `category`"),
            "{}",
            wrong.text
        );
        assert_eq!(of("GET /v1/nothing").text, "404 Not found\n");
        assert_eq!(of("GET /v1/users/u-2").text, "403 Access denied\n");
    }
}
