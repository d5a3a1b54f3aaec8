//! Events as an HTTP API of API Gateway sends them: payload format 2.0, with the headers of a
//! browser.

use serde_json::{Map, Value, json};

/// A POST of JSON. `user` is the caller.
pub(crate) fn post(path: &str, user: Option<&str>, body: &Value) -> String {
    let headers = [("content-type", "application/json")];
    let mut event: Value = serde_json::from_str(&get(path, "", user, &headers)).unwrap_or_default();
    let key = Value::from(format!("POST {path}"));
    event["routeKey"] = key.clone();
    event["requestContext"]["routeKey"] = key;
    event["requestContext"]["http"]["method"] = "POST".into();
    let body = body.to_string();
    event["headers"]["content-length"] = body.len().to_string().into();
    event["body"] = body.into();
    event.as_object_mut().map(|members| members.remove("pathParameters"));
    event.to_string()
}

/// A GET. `user` is the caller and the path's id.
pub(crate) fn get(path: &str, query: &str, user: Option<&str>, headers: &[(&str, &str)]) -> String {
    let mut all = Map::new();
    let browser = [
        ("accept", "application/json, text/plain, */*"),
        ("accept-language", "en-GB,en;q=0.9"),
        ("content-length", "0"),
        ("host", "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"),
        ("origin", "https://example.com"),
        ("referer", "https://example.com/"),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "cross-site"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("x-amzn-trace-id", "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
    ];
    for (name, value) in browser.iter().chain(headers) {
        all.insert((*name).to_owned(), (*value).into());
    }
    let route = match user {
        None => path.to_owned(),
        Some(user) => path.replacen(user, "{userId}", 1),
    };
    let mut event = json!({
        "version": "2.0",
        "routeKey": format!("GET {route}"),
        "rawPath": path,
        "rawQueryString": query,
        "headers": all,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": "GET",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": format!("GET {route}"),
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1_767_225_600_000_u64,
        },
        "isBase64Encoded": false,
    });
    if !query.is_empty() {
        let parameter = |pair: &str| {
            pair.split_once('=').map(|(name, value)| (name.to_owned(), Value::from(value)))
        };
        event["queryStringParameters"] =
            query.split('&').filter_map(parameter).collect::<Map<_, _>>().into();
    }
    if let Some(user) = user {
        event["pathParameters"] = json!({ "userId": user });
        event["requestContext"]["authorizer"] = json!({ "jwt": {
            "claims": {
                "sub": user,
                "iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_aBcDeFgHi",
                "client_id": "1a2b3c4d5e6f7g8h9i0j",
                "token_use": "access",
                "scope": "openid",
                "auth_time": "1767225500",
                "exp": "1767229100",
                "iat": "1767225500",
                "jti": "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0",
            },
            "scopes": null,
        }});
    }
    event.to_string()
}
