//! Events of a route, as API Gateway sends them (payload format 2.0). The case's name states the
//! expected status.

use serde_json::{Map, Value, json};

/// The facts of a route that its events show.
pub(super) struct Example<'a> {
    pub(super) path: &'a str,
    /// The path parameters with their values.
    pub(super) values: Vec<(&'a str, &'a str)>,
    /// The field that names the owner, and the subject of the token; `None` for a public route.
    pub(super) owner: Option<(&'a str, &'a str)>,
    pub(super) is_list: bool,
}

/// Returns the cases of a route with their events.
pub(super) fn all(of: &Example<'_>) -> Vec<(&'static str, String)> {
    let wrong = if of.is_list { "limit=0" } else { "fields=." };
    let mut cases =
        vec![("plain", event(of, "", None, true)), ("bad", event(of, wrong, None, true))];
    if let Some((owner, _)) = of.owner {
        // Without the owner in the path, a caller sees their own.
        if of.values.iter().any(|(name, _)| *name == owner) {
            cases.push(("forbidden", event(of, "", Some(owner), true)));
        }
        cases.push(("unauthorized", event(of, "", None, false)));
    }
    let text = |event: Value| serde_json::to_string_pretty(&event).unwrap_or_default() + "\n";
    cases.into_iter().map(|(case, event)| (case, text(event))).collect()
}

/// Makes an event; the parameter `strange` has the value of somebody else.
fn event(of: &Example<'_>, query: &str, strange: Option<&str>, with_token: bool) -> Value {
    let value = |name: &str| match strange == Some(name) {
        true => "somebody-else",
        false => of.values.iter().find(|(other, _)| *other == name).map_or("", |(_, value)| value),
    };
    let segment =
        |segment: &str| match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => value(name).to_owned(),
            None => segment.to_owned(),
        };
    let raw_path = of.path.split('/').map(segment).collect::<Vec<_>>().join("/");
    let route_key = format!("GET {}", of.path);
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": {
            "accept": "application/json",
            "accept-encoding": "gzip",
            "host": "api.example.org",
            "user-agent": "curl/8.5.0",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
    });
    if let Some((name, value)) = query.split_once('=') {
        event["queryStringParameters"] = json!({ name: value });
    }
    let mut context = json!({ "accountId": "123456789012", "apiId": "a1b2c3d4e5" });
    if let (Some((_, caller)), true) = (of.owner, with_token) {
        let claims = json!({
            "aud": "client", "exp": "1893456000", "iss": "https://issuer.example.org", "sub": caller, "token_use": "access",
        });
        context["authorizer"] = json!({ "jwt": { "claims": claims, "scopes": null } });
    }
    let rest = json!({
        "domainName": "api.example.org",
        "domainPrefix": "api",
        "http": { "method": "GET", "path": raw_path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "curl/8.5.0" },
        "requestId": "JKJaXmPLvHcESHA=",
        "routeKey": route_key,
        "stage": "$default",
        "time": "12/Mar/2026:19:03:58 +0000",
        "timeEpoch": 1_773_342_238_000_u64,
    });
    for (name, value) in rest.as_object().into_iter().flatten() {
        context[name.as_str()] = value.clone();
    }
    event["requestContext"] = context;
    if !of.values.is_empty() {
        event["pathParameters"] = of
            .values
            .iter()
            .map(|(name, _)| ((*name).to_owned(), Value::from(value(name))))
            .collect::<Map<_, _>>()
            .into();
    }
    event["isBase64Encoded"] = false.into();
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_list_has_a_case_for_each_status() {
        let values = vec![("authorId", "author-1")];
        let of = Example {
            path: "/v1/authors/{authorId}/articles",
            values,
            owner: Some(("authorId", "author-1")),
            is_list: true,
        };
        let cases = all(&of);
        assert_eq!(
            cases.iter().map(|(case, _)| *case).collect::<Vec<_>>(),
            ["plain", "bad", "forbidden", "unauthorized"]
        );
        let event = |index: usize| serde_json::from_str::<Value>(&cases[index].1).unwrap();
        assert_eq!(event(0)["rawPath"], "/v1/authors/author-1/articles");
        assert_eq!(event(0)["requestContext"]["authorizer"]["jwt"]["claims"]["sub"], "author-1");
        assert_eq!(event(1)["queryStringParameters"], json!({ "limit": "0" }));
        assert_eq!(event(2)["pathParameters"]["authorId"], "somebody-else");
        assert!(event(3)["requestContext"]["authorizer"].is_null());
    }
}
