//! Responses and their headers: what a function answers, and what API Gateway answers by itself.

use super::node::{Node, list, map, reference};
use super::{examples, schemas};
use api::{Access, Policy, ProblemKind, Route, Shape};

/// What API Gateway answers by itself, by status.
const OF_THE_GATEWAY: [(u16, &str, &str); 6] = [
    (401, "Unauthorized", "the token is missing, malformed, expired, or of another issuer or audience"),
    (404, "Not Found", "there is no such route, as with an empty id or another method"),
    (429, "Too Many Requests", "the route's rate or burst limit is reached"),
    (500, "Internal Server Error", "the function crashed or could not be called"),
    (503, "Service Unavailable", "the function did not answer, or none was free to"),
    (504, "Endpoint request timed out", "the function did not answer in time"),
];

/// The problems that a route may answer with.
fn problems(route: &Route) -> impl Iterator<Item = ProblemKind> {
    ProblemKind::ALL.into_iter().filter(|kind| match kind {
        ProblemKind::Unauthorized | ProblemKind::Forbidden => route.access != Access::Public,
        ProblemKind::NotFound => !route.is_list(),
        ProblemKind::InvalidCursor => route.is_list(),
        // API Gateway has no route for another method; this is what a function URL shows.
        ProblemKind::MethodNotAllowed => false,
        _ => true,
    })
}

/// What a route may answer, by status; without content for HEAD.
pub(crate) fn of(route: &Route, head: bool) -> Node {
    let mut responses = vec![("200".to_owned(), found(route, head)), ("304".to_owned(), not_modified(route))];
    for (status, kinds, gateway) in failures(route) {
        responses.push((status.to_string(), reference("responses", &name(status, &kinds, gateway, head))));
    }
    Node::Map(responses)
}

/// The statuses of a route's failures in order: the kinds of problem, and whether API Gateway has one of its own.
fn failures(route: &Route) -> Vec<(u16, Vec<ProblemKind>, bool)> {
    let mut statuses: Vec<u16> = problems(route).map(|kind| kind.status().as_u16()).collect();
    // An authorizer stands before private routes, and only a path with a parameter can be missed by a value.
    statuses.extend(OF_THE_GATEWAY.iter().map(|(status, ..)| *status).filter(|status| match status {
        401 => route.access != Access::Public,
        404 => route.path.contains('{'),
        _ => true,
    }));
    statuses.sort_unstable();
    statuses.dedup();
    let of = |status: u16| {
        let kinds = problems(route).filter(|kind| kind.status().as_u16() == status).collect();
        (status, kinds, OF_THE_GATEWAY.iter().any(|(other, ..)| *other == status))
    };
    statuses.into_iter().map(of).collect()
}

/// A component's name, made of the kinds: `InvalidParameterOrInvalidCursor`, `TooManyRequestsByGateway`.
fn name(status: u16, kinds: &[ProblemKind], gateway: bool, head: bool) -> String {
    let camel = |text: &str| -> String {
        let words = text.split(['-', ' ']);
        words.map(|word| word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default()).collect()
    };
    let mut parts: Vec<String> = kinds.iter().map(|kind| camel(kind.uri().trim_start_matches("/problems/"))).collect();
    match OF_THE_GATEWAY.iter().find(|(other, ..)| gateway && *other == status) {
        Some((_, message, _)) if parts.is_empty() => parts.push(camel(message) + "ByGateway"),
        Some(_) => parts.push("Gateway".to_owned()),
        None => {}
    }
    parts.join("Or") + if head { "Head" } else { "" }
}

/// Every response that routes share.
pub(crate) fn components(routes: &[&Route]) -> Node {
    let mut members: Vec<(String, Node)> = Vec::new();
    for head in [false, true] {
        for route in routes {
            for (status, kinds, gateway) in failures(route) {
                let name = name(status, &kinds, gateway, head);
                if members.iter().all(|(other, _)| *other != name) {
                    members.push((name, failure(status, &kinds, gateway, head)));
                }
            }
        }
    }
    let other_method = failure(405, &[ProblemKind::MethodNotAllowed], false, false);
    members.push((name(405, &[ProblemKind::MethodNotAllowed], false, false), other_method));
    Node::Map(members)
}

fn failure(status: u16, kinds: &[ProblemKind], gateway: bool, head: bool) -> Node {
    let own = OF_THE_GATEWAY.iter().find(|(other, ..)| gateway && *other == status);
    let mut about: Vec<String> = kinds.iter().map(|kind| format!("{} (`{}`).", kind.title(), kind.uri())).collect();
    if kinds.contains(&ProblemKind::MethodNotAllowed) {
        about.push("Behind a function URL; API Gateway has no route for other methods and answers 404.".to_owned());
    }
    if let Some((_, message, when)) = own {
        about.push(format!("From API Gateway itself, as `{{\"message\": \"{message}\"}}`: {when}."));
    }
    let mut headers = Vec::new();
    if !kinds.is_empty() {
        // Only the function sends these, so that where API Gateway may answer they may be missing.
        let always = !gateway;
        headers.push(("Cache-Control", header(always, &["no-store"], "Nobody keeps a problem.")));
        headers.push(("Vary", shared("Vary", always)));
        headers.push(("Server-Timing", shared("ServerTiming", always)));
    }
    if kinds.contains(&ProblemKind::InvalidParameter) && !head {
        headers.push(("Content-Encoding", reference("headers", "ContentEncoding")));
    }
    for (of, header, component) in
        [(401, "WWW-Authenticate", "WwwAuthenticate"), (405, "Allow", "Allow"), (503, "Retry-After", "RetryAfter")]
    {
        if of == status {
            headers.push((header, reference("headers", component)));
        }
    }
    let mut response = map([("description", about.join(" ").into())]);
    if !headers.is_empty() {
        response = response.with("headers", Node::Map(headers.into_iter().map(|(name, node)| (name.to_owned(), node)).collect()));
    }
    if head { response } else { response.with("content", content(kinds, own.map(|(_, message, _)| *message))) }
}

fn content(kinds: &[ProblemKind], message: Option<&str>) -> Node {
    let mut content = map([]);
    if !kinds.is_empty() {
        let examples = kinds.iter().map(|kind| {
            let name = kind.uri().trim_start_matches("/problems/");
            (name.to_owned(), map([("summary", kind.title().into()), ("value", examples::problem(*kind))]))
        });
        let problem = map([("schema", schemas::problem_of(kinds)), ("examples", Node::Map(examples.collect()))]);
        content = content.with("application/problem+json", problem);
    }
    if let Some(message) = message {
        let example = map([("message", message.into())]);
        content = content.with("application/json", map([("schema", reference("schemas", "GatewayMessage")), ("example", example)]));
    }
    content
}

fn found(route: &Route, head: bool) -> Node {
    let mut headers = kept(route).with("Content-Encoding", reference("headers", "ContentEncoding"));
    if head {
        headers = kept(route);
    }
    match &route.shape {
        Shape::One if route.resource.modified.is_some() => headers = headers.with("Last-Modified", reference("headers", "LastModified")),
        Shape::One => {}
        Shape::List(_) => headers = headers.with("Link", reference("headers", "Link")),
    }
    let about = match route.shape {
        Shape::One => "The item.",
        Shape::List(_) => "A page of the list.",
    };
    let response = map([("description", about.into()), ("headers", headers)]);
    if head {
        return response;
    }
    let example = |value: Node| map([("value", value)]);
    let (schema, shown) = match &route.shape {
        Shape::One => (schemas::item_name(route.resource), vec![("all".to_owned(), example(examples::item(route.resource)))]),
        Shape::List(list) => {
            let pages = examples::pages(route.resource, list).into_iter();
            (schemas::page_name(route.resource), pages.map(|(name, page)| (name.to_owned(), example(page))).collect())
        }
    };
    let json = map([("schema", reference("schemas", &schema)), ("examples", Node::Map(shown))]);
    response.with("content", map([("application/json", json)]))
}

fn not_modified(route: &Route) -> Node {
    map([("description", "What you have is still right. No body.".into()), ("headers", kept(route))])
}

/// The headers that a 304 repeats of the 200.
fn kept(route: &Route) -> Node {
    let policy = route.resource.policy.header_value();
    let policy = policy.to_str().unwrap_or_default();
    let cut = Policy::NoStore.header_value();
    let (values, about): (Vec<&str>, _) = match route.shape {
        Shape::One => (vec![policy], "Who may keep the answer, and for how long."),
        Shape::List(_) => (
            vec![policy, cut.to_str().unwrap_or_default()],
            "Who may keep the answer, and for how long; `no-store` where time cut the page short.",
        ),
    };
    map([
        ("ETag", reference("headers", "ETag")),
        ("Cache-Control", header(true, &values, about)),
        ("Vary", shared("Vary", true)),
        ("Server-Timing", shared("ServerTiming", true)),
    ])
}

fn header(required: bool, values: &[&str], about: &str) -> Node {
    let schema = map([("type", "string".into()), ("enum", list(values.iter().copied()))]);
    map([("description", about.into()), ("required", required.into()), ("schema", schema)])
}

/// A shared header, which comes always or not always.
fn shared(name: &str, always: bool) -> Node {
    reference("headers", &if always { name.to_owned() } else { format!("{name}OfFunction") })
}

/// Every header that responses share.
pub(crate) fn headers() -> Node {
    let of = |required: bool, pattern: &str, example: &str, about: &str| {
        let schema = map([("type", "string".into()), ("pattern", pattern.into())]);
        map([("description", about.into()), ("required", required.into()), ("schema", schema), ("example", example.into())])
    };
    let vary = |required| {
        let about = "`accept-encoding`, and `origin` where CORS adds it.";
        of(required, "(^|, *)[Aa]ccept-[Ee]ncoding(,|$)", "accept-encoding", about)
    };
    let timing = |required| {
        let about = "Milliseconds that DynamoDB took, and in total (W3C Server Timing).";
        of(required, "^db;dur=[0-9.]+(;desc=\"[^\"]*\")?, total;dur=[0-9.]+$", "db;dur=3.322, total;dur=4.12", about)
    };
    let date = "^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$";
    let link = "The first, previous and next page (RFC 8288), relative to this request's own URI, with its other parameters.";
    map([
        ("ETag", of(true, "^W/\"[A-Za-z0-9_-]{22}\"$", super::ETAG, "A weak tag of exactly this answer.")),
        ("LastModified", of(false, date, super::DATE, "When the item was last changed, if it says so.")),
        ("Vary", vary(true)),
        ("VaryOfFunction", vary(false)),
        ("ServerTiming", timing(true)),
        ("ServerTimingOfFunction", timing(false)),
        ("Link", of(true, "^<\\?[^>]*>; rel=\"first\"(, <\\?[^>]*>; rel=\"(prev|next)\"){0,2}$", "<?limit=10>; rel=\"first\"", link)),
        ("ContentEncoding", of(false, "^gzip$", "gzip", "Where the caller takes gzip and the body is 1 KiB or longer.")),
        ("WwwAuthenticate", of(true, "^Bearer", "Bearer", "How to sign in (RFC 6750).")),
        ("RetryAfter", of(false, "^[0-9]+$", "1", "Seconds to wait. From the function.")),
        ("Allow", of(true, "^GET, HEAD$", "GET, HEAD", "The methods that there are.")),
    ])
}
