//! Judges answers. Each function returns what is wrong, one sentence each.

use super::client::Answer;
use api::Policy;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::Read as _;

/// Checks a representation: 200, JSON, and the headers of the policy.
pub(super) fn representation(answer: &Answer, policy: Policy) -> Vec<String> {
    let mut wrong = status(answer, 200);
    if wrong.is_empty() {
        wrong.extend(header(answer, "content-type", "application/json"));
        wrong.extend(stored(answer, policy));
        wrong.extend(quota(answer, policy));
        wrong.extend(common(answer));
    }
    wrong
}

/// Checks the fields of a quota, if there are any: both, and not on what a shared cache may keep.
fn quota(answer: &Answer, policy: Policy) -> Option<String> {
    let (described, left) = (answer.header("ratelimit-policy"), answer.header("ratelimit"));
    if described.is_empty() && left.is_empty() {
        return None;
    }
    if matches!(policy, Policy::Public { .. }) {
        return Some("ratelimit on an answer that shared caches may keep".to_owned());
    }
    let name = |field: &str| field.split(';').next().unwrap_or_default().to_owned();
    let has = |field: &str, parameters: [&str; 2]| {
        parameters.iter().all(|parameter| field.contains(parameter))
    };
    let whole = has(&described, [";q=", ";w="]) && has(&left, [";r=", ";t="]);
    (!whole || name(&described) != name(&left))
        .then(|| format!("ratelimit is `{left}` with the policy `{described}`"))
}

/// Checks a page: a representation with no more items than its limit. They have no other members
/// than `fields`.
pub(super) fn page(answer: &Answer, policy: Policy, fields: &[&str]) -> Vec<String> {
    let mut wrong = representation(answer, policy);
    if !wrong.is_empty() {
        return wrong;
    }
    let json = answer.json();
    let Some(items) = json["items"].as_array() else {
        return vec!["the body has no `items`".to_owned()];
    };
    let limit = json["page"]["limit"].as_u64();
    if limit.is_none_or(|limit| items.len() as u64 > limit) {
        wrong.push(format!("{} items, with a limit of {}", items.len(), json["page"]["limit"]));
    }
    if answer.header("link").is_empty() {
        wrong.push("no link".to_owned());
    }
    wrong.extend(items.iter().find_map(|item| members(item, fields)));
    wrong
}

/// Checks an item: a representation that has no other members than `fields`.
pub(super) fn item(answer: &Answer, policy: Policy, fields: &[&str]) -> Vec<String> {
    let mut wrong = representation(answer, policy);
    if wrong.is_empty() {
        wrong.extend(members(&answer.json(), fields));
    }
    wrong
}

/// Adds to what is wrong that `outer` of an item, or of the first of several, has another member
/// than `inner`.
pub(super) fn nested(
    mut wrong: Vec<String>,
    items: &Value,
    outer: &str,
    inner: &str,
) -> Vec<String> {
    let item = items.get(0).unwrap_or(items);
    let object = item[outer].get(0).unwrap_or(&item[outer]);
    if wrong.is_empty() && !object.is_null() {
        wrong.extend(members(object, &[inner]));
    }
    wrong
}

/// Returns the member that was not asked for.
fn members(item: &Value, fields: &[&str]) -> Option<String> {
    let Some(members) = item.as_object() else {
        return Some("an item is no JSON object".to_owned());
    };
    let other = members.keys().find(|name| !fields.contains(&name.as_str()))?;
    Some(format!("an item has `{other}`, which was not asked for"))
}

/// Checks a 304.
pub(super) fn not_modified(answer: &Answer, policy: Policy, etag: &str) -> Vec<String> {
    let mut wrong = unchanged(answer, policy.header_value().to_str().unwrap_or_default(), etag);
    if answer.status == 304 {
        wrong.extend(quota(answer, policy));
    }
    wrong
}

/// Checks a 304 to a request whose 200 had this `Cache-Control`.
pub(super) fn unchanged(answer: &Answer, cache_control: &str, etag: &str) -> Vec<String> {
    let mut wrong = status(answer, 304);
    if wrong.is_empty() {
        wrong.extend(header(answer, "etag", etag));
        wrong.extend(header(answer, "cache-control", cache_control));
        wrong.extend((!answer.body.is_empty()).then(|| "a 304 with a body".to_owned()));
    }
    wrong
}

/// Checks an answer to HEAD.
pub(super) fn head(answer: &Answer, policy: Policy) -> Vec<String> {
    let mut wrong = representation(answer, policy);
    wrong.extend((!answer.body.is_empty()).then(|| "an answer to HEAD with a body".to_owned()));
    wrong
}

/// Checks a problem that a function answers.
pub(super) fn problem(answer: &Answer, wanted: u16, parameter: Option<&str>) -> Vec<String> {
    let mut wrong = status(answer, wanted);
    if !wrong.is_empty() {
        return wrong;
    }
    wrong.extend(header(answer, "content-type", "application/problem+json"));
    wrong.extend(header(answer, "cache-control", "no-store"));
    wrong.extend(header(answer, "x-content-type-options", "nosniff"));
    let json = answer.json();
    if json["status"] != wanted || !json["type"].is_string() {
        wrong.push("the body is no problem of RFC 9457".to_owned());
    }
    if let Some(parameter) = parameter
        && json["errors"][0]["parameter"] != parameter
    {
        wrong.push(format!("the problem does not name `{parameter}`"));
    }
    wrong
}

/// Checks an error that API Gateway itself may answer: its status, and that no cache keeps it for
/// others.
pub(super) fn refusal(answer: &Answer, wanted: u16) -> Vec<String> {
    let mut wrong = status(answer, wanted);
    wrong.extend(
        answer
            .lists("cache-control", "public")
            .then(|| "cache-control lets shared caches keep it".to_owned()),
    );
    wrong
}

/// Checks that gzip is sent to whoever accepts it, and that it can be read.
pub(super) fn compressed(answer: &Answer, policy: Policy) -> Vec<String> {
    let mut wrong = representation(answer, policy);
    if wrong.is_empty() {
        wrong.extend(header(answer, "content-encoding", "gzip"));
        let mut text = Vec::new();
        let read = GzDecoder::new(&*answer.body).read_to_end(&mut text);
        if wrong.is_empty() && (read.is_err() || serde_json::from_slice::<Value>(&text).is_err()) {
            wrong.push("the body is not gzip of JSON".to_owned());
        }
    }
    wrong
}

/// Checks the answer to a preflight of this method with these headers.
pub(super) fn preflight(
    answer: &Answer,
    origin: &str,
    method: &str,
    headers: &[&str],
) -> Vec<String> {
    let mut wrong = Vec::new();
    if !matches!(answer.status, 200 | 204) {
        wrong.push(format!("status {}, not 204{}", answer.status, answer.reason()));
    }
    wrong.extend(allows(answer, origin));
    let headers = headers.iter().map(|header| ("access-control-allow-headers", *header));
    for (name, value) in [("access-control-allow-methods", method)].into_iter().chain(headers) {
        wrong.extend((!answer.lists(name, value)).then(|| format!("{name} has no {value}")));
    }
    wrong
}

/// Checks the answer of an interface to a document of its own. With a caller there is no error;
/// without one, an error says that a caller is needed, its field is null, and what has no error is
/// public. Only a GET without errors may be stored.
pub(super) fn document(answer: &Answer, with_caller: bool, is_get: bool) -> Vec<String> {
    let mut wrong = status(answer, 200);
    if !wrong.is_empty() {
        return wrong;
    }
    let json = answer.json();
    if !answer.header("content-type").starts_with("application/json") {
        wrong.extend(header(answer, "content-type", "application/json"));
    }
    wrong.extend((!json["data"].is_object()).then(|| "the body has no `data`".to_owned()));
    let errors = json["errors"].as_array().map_or(&[][..], Vec::as_slice);
    for error in errors {
        let steps = || error["path"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let at = steps().collect::<Vec<_>>().join(".");
        let code = error["extensions"]["code"].as_str().unwrap_or("no code");
        if with_caller || code != "UNAUTHENTICATED" {
            let message = error["message"].as_str().unwrap_or_default();
            wrong.push(format!("{at}: {code} ({message})"));
        } else if !steps().fold(&json["data"], |value, step| &value[step]).is_null() {
            wrong.push(format!("{at} is shown without a caller"));
        }
    }
    let policy = match (is_get && errors.is_empty(), with_caller) {
        (false, _) => "no-store",
        (true, true) => "private",
        (true, false) => "public",
    };
    let stored = answer.header("cache-control");
    if !stored.starts_with(policy) {
        wrong.push(format!("cache-control is {}, not {policy}", or_missing(&stored)));
    }
    if policy == "no-store" {
        wrong.extend(header(answer, "x-content-type-options", "nosniff"));
    } else {
        wrong.extend(common(answer));
    }
    wrong
}

/// Checks the answer of an interface to the id of a document that it does not have.
pub(super) fn unknown_document(answer: &Answer) -> Vec<String> {
    let mut wrong = status(answer, 422);
    if wrong.is_empty() {
        let code = answer.json()["errors"][0]["extensions"]["code"].clone();
        if code != "DOCUMENT_NOT_FOUND" {
            wrong.push(format!("the error's code is {code}, not DOCUMENT_NOT_FOUND"));
        }
        wrong.extend(header(answer, "cache-control", "no-store"));
    }
    wrong
}

/// Checks that pages of an origin may read an answer.
pub(super) fn allows(answer: &Answer, origin: &str) -> Option<String> {
    let allowed = answer.header("access-control-allow-origin");
    (allowed != origin && allowed != "*")
        .then(|| format!("access-control-allow-origin is {}, not {origin}", or_missing(&allowed)))
}

pub(super) fn status(answer: &Answer, wanted: u16) -> Vec<String> {
    if answer.status == wanted {
        Vec::new()
    } else {
        vec![format!("status {}, not {wanted}{}", answer.status, answer.reason())]
    }
}

fn stored(answer: &Answer, policy: Policy) -> Option<String> {
    header(answer, "cache-control", policy.header_value().to_str().unwrap_or_default())
}

fn common(answer: &Answer) -> Vec<String> {
    let mut wrong: Vec<_> =
        header(answer, "x-content-type-options", "nosniff").into_iter().collect();
    wrong.extend(
        (!answer.lists("vary", "accept-encoding"))
            .then(|| "vary has no accept-encoding".to_owned()),
    );
    wrong.extend(answer.header("etag").is_empty().then(|| "no etag".to_owned()));
    wrong
}

fn header(answer: &Answer, name: &str, wanted: &str) -> Option<String> {
    let found = answer.header(name);
    (found != wanted).then(|| format!("{name} is {}, not {wanted}", or_missing(&found)))
}

fn or_missing(text: &str) -> &str {
    if text.is_empty() { "missing" } else { text }
}
