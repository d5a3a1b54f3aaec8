//! Responses and their headers: those of the functions, and those of API Gateway itself.

use super::{Document, examples, is_of_interfaces, reference, schemas};
use api::{Access, Policy, ProblemKind, Quota, Route, Shape};
use serde_json::{Map, Value, json};

/// The answers of API Gateway itself, by status.
const OF_THE_GATEWAY: [(u16, &str, &str); 6] = [
    (
        401,
        "Unauthorized",
        "the token is missing, malformed, expired, or of another issuer or audience",
    ),
    (404, "Not Found", "there is no such route, as with an empty id or another method"),
    (429, "Too Many Requests", "the route's rate or burst limit, over all callers, is reached"),
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
        ProblemKind::QuotaExceeded => route.quota != Quota::None,
        // API Gateway has no route for another method; a function URL gives this answer.
        ProblemKind::MethodNotAllowed => false,
        // The published address is the CDN's, if there is one.
        ProblemKind::DirectAccess => false,
        kind if is_of_interfaces(*kind) => false,
        _ => true,
    })
}

/// The responses of a route, by status; without content for HEAD.
pub(crate) fn of(route: &Route, head: bool, document: &Document<'_>) -> Value {
    let mut responses = json!({ "200": found(route, head, document), "304": not_modified(route) });
    for (status, kinds, gateway) in failures(route) {
        responses[status.to_string()] =
            reference("responses", &name(status, &kinds, gateway, head));
    }
    responses
}

/// The statuses of a route's failures in order: the kinds of problem, and whether API Gateway has
/// one of its own.
fn failures(route: &Route) -> Vec<(u16, Vec<ProblemKind>, bool)> {
    let mut statuses: Vec<u16> = problems(route).map(|kind| kind.status().as_u16()).collect();
    // Private routes have an authorizer, and only a path with a parameter can name an item that
    // does not exist.
    statuses.extend(OF_THE_GATEWAY.iter().map(|(status, ..)| *status).filter(
        |status| match status {
            401 => route.access != Access::Public,
            404 => route.path.contains('{'),
            _ => true,
        },
    ));
    statuses.sort_unstable();
    statuses.dedup();
    let of = |status: u16| {
        let kinds = problems(route).filter(|kind| kind.status().as_u16() == status).collect();
        (status, kinds, OF_THE_GATEWAY.iter().any(|(other, ..)| *other == status))
    };
    statuses.into_iter().map(of).collect()
}

/// A component's name, made of the kinds: `InvalidParameterOrInvalidCursor`,
/// `TooManyRequestsByGateway`.
fn name(status: u16, kinds: &[ProblemKind], gateway: bool, head: bool) -> String {
    let camel = |text: &str| -> String {
        let words = text.split(['-', ' ']);
        words
            .map(|word| {
                word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default()
            })
            .collect()
    };
    let mut parts: Vec<String> =
        kinds.iter().map(|kind| camel(kind.uri().trim_start_matches("/problems/"))).collect();
    match OF_THE_GATEWAY.iter().find(|(other, ..)| gateway && *other == status) {
        Some((_, message, _)) if parts.is_empty() => parts.push(camel(message) + "ByGateway"),
        Some(_) => parts.push("Gateway".to_owned()),
        None => {}
    }
    parts.join("Or") + if head { "Head" } else { "" }
}

/// Every response that routes share.
pub(crate) fn components(routes: &[&Route]) -> Value {
    let mut members = Map::new();
    for head in [false, true] {
        for route in routes {
            for (status, kinds, gateway) in failures(route) {
                let name = name(status, &kinds, gateway, head);
                members.entry(name).or_insert_with(|| failure(status, &kinds, gateway, head));
            }
        }
    }
    let other_method = failure(405, &[ProblemKind::MethodNotAllowed], false, false);
    members.insert(name(405, &[ProblemKind::MethodNotAllowed], false, false), other_method);
    Value::Object(members)
}

fn failure(status: u16, kinds: &[ProblemKind], gateway: bool, head: bool) -> Value {
    let own = OF_THE_GATEWAY.iter().find(|(other, ..)| gateway && *other == status);
    let mut about: Vec<String> =
        kinds.iter().map(|kind| format!("{} (`{}`).", kind.title(), kind.uri())).collect();
    if kinds.contains(&ProblemKind::MethodNotAllowed) {
        about.push(
            "Behind a function URL; API Gateway has no route for other methods and answers 404."
                .to_owned(),
        );
    }
    if let Some((_, message, when)) = own {
        about
            .push(format!("From API Gateway itself, as `{{\"message\": \"{message}\"}}`: {when}."));
    }
    let mut headers = Map::new();
    if !kinds.is_empty() {
        // Only the function sends these, so they may be absent where API Gateway may answer.
        let always = !gateway;
        headers.insert(
            "Cache-Control".to_owned(),
            header(always, &["no-store"], "Nobody keeps a problem."),
        );
        headers.insert("Vary".to_owned(), shared("Vary", always));
        headers.insert("Server-Timing".to_owned(), shared("ServerTiming", always));
    }
    if kinds.contains(&ProblemKind::InvalidParameter) && !head {
        headers.insert("Content-Encoding".to_owned(), reference("headers", "ContentEncoding"));
    }
    for (of, header, component) in [
        (401, "WWW-Authenticate", "WwwAuthenticate"),
        (405, "Allow", "Allow"),
        (404, "RateLimit-Policy", "RateLimitPolicy"),
        (404, "RateLimit", "RateLimit"),
        (429, "RateLimit-Policy", "RateLimitPolicy"),
        (429, "RateLimit", "RateLimit"),
        (429, "Retry-After", "RetryAfter"),
        (503, "Retry-After", "RetryAfter"),
    ] {
        // API Gateway sends none of them with its own answers.
        if of == status && (!kinds.is_empty() || of == 503) {
            headers.insert(header.to_owned(), reference("headers", component));
        }
    }
    let mut response = json!({ "description": about.join(" ") });
    if !headers.is_empty() {
        response["headers"] = Value::Object(headers);
    }
    if !head {
        response["content"] = content(kinds, own.map(|(_, message, _)| *message));
    }
    response
}

fn content(kinds: &[ProblemKind], message: Option<&str>) -> Value {
    let mut content = json!({});
    if !kinds.is_empty() {
        let example = |kind: &ProblemKind| {
            let name = kind.uri().trim_start_matches("/problems/");
            (name.to_owned(), json!({ "summary": kind.title(), "value": examples::problem(*kind) }))
        };
        let examples: Map<_, _> = kinds.iter().map(example).collect();
        content["application/problem+json"] =
            json!({ "schema": schemas::problem_of(kinds), "examples": examples });
    }
    if let Some(message) = message {
        content["application/json"] = json!({ "schema": reference("schemas", "GatewayMessage"), "example": { "message": message } });
    }
    content
}

fn found(route: &Route, head: bool, document: &Document<'_>) -> Value {
    let mut headers = kept(route);
    if !head {
        headers["Content-Encoding"] = reference("headers", "ContentEncoding");
    }
    match &route.shape {
        Shape::One if route.resource.modified.is_some() => {
            headers["Last-Modified"] = reference("headers", "LastModified")
        }
        Shape::One => {}
        Shape::List(_) => headers["Link"] = reference("headers", "Link"),
    }
    let about = match route.shape {
        Shape::One => "The item.",
        Shape::List(_) => "A page of the list.",
    };
    let mut response = json!({ "description": about, "headers": headers });
    if head {
        return response;
    }
    let (schema, shown) = match &route.shape {
        Shape::One => (
            schemas::item_name(route.resource),
            vec![("all", document.examples.item(route.resource))],
        ),
        Shape::List(list) => (
            schemas::page_name(route, document.bundle.routes),
            document.examples.pages(route.resource, list),
        ),
    };
    let shown: Map<_, _> = shown
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!({ "value": value })))
        .collect();
    response["content"] = json!({ "application/json": { "schema": reference("schemas", &schema), "examples": shown } });
    response
}

fn not_modified(route: &Route) -> Value {
    json!({ "description": "What you have is still right. No body.", "headers": kept(route) })
}

/// The headers that a 304 repeats of the 200.
fn kept(route: &Route) -> Value {
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
    let mut headers = json!({
        "ETag": reference("headers", "ETag"),
        "Cache-Control": header(true, &values, about),
        "Vary": shared("Vary", true),
        "Server-Timing": shared("ServerTiming", true),
    });
    if matches!(route.resource.policy, Policy::Public { .. }) {
        headers["Age"] = reference("headers", "Age");
    }
    if matches!(route.quota, Quota::PerCaller(_)) {
        headers["RateLimit-Policy"] = reference("headers", "RateLimitPolicy");
        headers["RateLimit"] = reference("headers", "RateLimit");
    }
    headers
}

fn header(required: bool, values: &[&str], about: &str) -> Value {
    json!({ "description": about, "required": required, "schema": { "type": "string", "enum": values } })
}

/// Returns a shared header, which is always present or optional.
fn shared(name: &str, always: bool) -> Value {
    reference("headers", &if always { name.to_owned() } else { format!("{name}OfFunction") })
}

/// Every header that responses share.
pub(crate) fn headers() -> Value {
    let of = |required: bool, pattern: &str, example: &str, about: &str| {
        let schema = json!({ "type": "string", "pattern": pattern });
        json!({ "description": about, "required": required, "schema": schema, "example": example })
    };
    let vary = |required| {
        let about = "`accept-encoding`; `origin` too where a shared cache may keep the answer, and where CORS adds it.";
        of(required, "(^|, *)[Aa]ccept-[Ee]ncoding(,|$)", "accept-encoding", about)
    };
    let timing = |required| {
        let about = "Milliseconds that DynamoDB took, and in total (W3C Server Timing); between them what became of the \
                     cache tier, if the stack has one.";
        of(
            required,
            "^db;dur=[0-9.]+(;desc=\"[^\"]*\")?(, cache;desc=(hit|miss|open|off);dur=[0-9.]+)?, total;dur=[0-9.]+$",
            "db;dur=3.322, total;dur=4.12",
            about,
        )
    };
    let policy = "The quota of the caller: units in a window of seconds. Where the stack sets one, on private answers \
                  and on 429 (draft-ietf-httpapi-ratelimit-headers-10).";
    let left = "A hint at what remains of it, and the seconds until it is whole again. A request costs 1, and more if it reads more.";
    let age = "Seconds since the oldest part of the answer was read, if it comes from a cache. Of the stack itself it is \
               never more than `s-maxage`.";
    let date = "^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$";
    let link = "The first, previous and next page (RFC 8288), relative to this request's own URI, with its other parameters. \
                Those with which the header would have more than 3,072 bytes are left out: the body has the cursors.";
    json!({
        "ETag": of(true, "^W/\"[A-Za-z0-9_-]{22}\"$", super::ETAG, "A weak tag of exactly this answer."),
        "LastModified": of(false, date, super::DATE, "When the item was last changed, if it says so."),
        "Vary": vary(true),
        "VaryOfFunction": vary(false),
        "ServerTiming": timing(true),
        "ServerTimingOfFunction": timing(false),
        "Link": of(false, "^<\\?[^>]*>; rel=\"(first|prev|next)\"(, <\\?[^>]*>; rel=\"(prev|next)\"){0,2}$", "<?limit=10>; rel=\"first\"", link),
        "ContentEncoding": of(false, "^gzip$", "gzip", "Where the caller takes gzip and the body is 1 KiB or longer."),
        "WwwAuthenticate": of(true, "^Bearer", "Bearer", "How to sign in (RFC 6750)."),
        "RateLimitPolicy": of(false, "^\"[a-z0-9-]+\";q=[0-9]+;w=[0-9]+$", "\"caller\";q=600;w=60", policy),
        "RateLimit": of(false, "^\"[a-z0-9-]+\";r=[0-9]+;t=[0-9]+$", "\"caller\";r=573;t=41", left),
        "Age": of(false, "^[0-9]+$", "12", age),
        "RetryAfter": of(false, "^[0-9]+$", "1", "Seconds to wait. From the function."),
        "Allow": of(true, "^GET, HEAD$", "GET, HEAD", "The methods that there are."),
    })
}
