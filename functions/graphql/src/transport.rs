//! A request as GraphQL over HTTP has it, by GET or POST
//! ([draft](https://graphql.github.io/graphql-over-http/draft/)).

use api::{Call, Problem, ProblemKind};
use async_graphql::Variables;
use http::{Method, header};
use serde_json::{Map, Value};

/// The media type of a GraphQL answer.
pub(crate) const GRAPHQL: &str = "application/graphql-response+json; charset=utf-8";
/// The media type of older clients.
pub(crate) const JSON: &str = "application/json; charset=utf-8";

/// The parameters of a request.
#[derive(Debug)]
pub(crate) struct Parameters {
    pub(crate) document: Document,
    pub(crate) operation_name: Option<String>,
    pub(crate) variables: Variables,
}

/// The document that a request names.
#[derive(Debug)]
pub(crate) enum Document {
    Text(String),
    /// `sha256:` and the hash of a trusted one.
    Id(String),
}

/// A request that cannot be run: 400 for what is no JSON, else 422.
#[derive(Debug)]
pub(crate) struct Malformed {
    pub(crate) is_no_json: bool,
    pub(crate) message: String,
}

impl Malformed {
    fn new(message: &str) -> Self {
        Self { is_no_json: false, message: message.to_owned() }
    }

    fn no_json(what: &str) -> Self {
        Self { is_no_json: true, ..Self::new(&format!("{what} is not JSON")) }
    }
}

/// Chooses the media type of the answer. Without a preference it is `application/json`.
///
/// # Errors
/// 406 if the client accepts neither.
pub(crate) fn media_type(accept: Option<&str>) -> Result<&'static str, Problem> {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else { return Ok(JSON) };
    // The quality of a type is that of the most specific range that names it (RFC 9110, section
    // 12.5.1).
    let quality = |wanted: &str| {
        let ranges = accept.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next()?.to_ascii_lowercase();
            let precision = match name.as_str() {
                name if name == wanted => 3,
                "application/*" => 2,
                "*/*" => 1,
                _ => return None,
            };
            let quality = parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.strip_prefix('='));
            Some((precision, quality.map_or(1.0, weight)))
        });
        let best: Option<(u8, f32)> = ranges.max_by_key(|(precision, _)| *precision);
        best.unwrap_or((0, 0.0))
    };
    let (named, graphql) = quality("application/graphql-response+json");
    let (_, json) = quality("application/json");
    if graphql <= 0.0 && json <= 0.0 {
        Err(ProblemKind::NotAcceptable.into())
    } else if graphql > json || (graphql >= json && named == 3) {
        Ok(GRAPHQL)
    } else {
        Ok(JSON)
    }
}

/// Reads the parameters of a request.
///
/// # Errors
/// A problem for what is no request of GraphQL: another media type, a query string that cannot be
/// read. [`Malformed`] for one that is not well-formed.
pub(crate) fn parameters(call: &Call) -> Result<Result<Parameters, Malformed>, Problem> {
    if call.method() == Method::POST {
        let is_json = call.header(&header::CONTENT_TYPE).is_some_and(is_json);
        return if is_json {
            Ok(of_body(call.body()))
        } else {
            Err(ProblemKind::UnsupportedMediaType.into())
        };
    }
    let known = ["query", "operationName", "variables", "extensions", "documentId"];
    let [query, operation_name, variables, extensions, id] = call.query(known)?;
    let object = |text: Option<String>, what| match text {
        None => Ok(Value::Null),
        Some(text) => serde_json::from_str(&text).map_err(|_| Malformed::no_json(what)),
    };
    let read = || {
        let (variables, extensions) =
            (object(variables, "`variables`")?, object(extensions, "`extensions`")?);
        let text = |text: Option<String>| text.map_or(Value::Null, Value::String);
        let members = [
            ("query", text(query)),
            ("operationName", text(operation_name)),
            ("variables", variables),
            ("extensions", extensions),
            ("documentId", text(id)),
        ];
        of_members(members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
    };
    Ok(read())
}

/// Returns true for `application/json` in UTF-8.
fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(|part| part.trim().to_ascii_lowercase());
    parts.next().as_deref() == Some("application/json")
        && parts.all(|part| match part.strip_prefix("charset=") {
            Some(charset) => charset.trim_matches('"') == "utf-8",
            None => true,
        })
}

fn of_body(body: &[u8]) -> Result<Parameters, Malformed> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => of_members(members),
        Ok(Value::Array(_)) => Err(Malformed::new("a batch is not taken: send one request")),
        Ok(_) => Err(Malformed::new("the body is not a JSON object")),
        Err(_) => Err(Malformed::no_json("the body")),
    }
}

fn of_members(mut members: Map<String, Value>) -> Result<Parameters, Malformed> {
    let mut take = |name: &str| members.remove(name).unwrap_or_default();
    let text = |value, name| match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(Malformed::new(&format!("`{name}` is not a string"))),
    };
    let query = text(take("query"), "query")?.filter(|query| !query.is_empty());
    let id = text(take("documentId"), "documentId")?;
    let operation_name = text(take("operationName"), "operationName")?;
    let operation_name = operation_name.filter(|name| !name.is_empty());
    let (variables, extensions) = (take("variables"), take("extensions"));
    if !matches!(extensions, Value::Null | Value::Object(_)) {
        return Err(Malformed::new("`extensions` is not an object"));
    }
    if !matches!(variables, Value::Null | Value::Object(_)) {
        return Err(Malformed::new("`variables` is not an object"));
    }
    let document = match (query, id) {
        (Some(query), None) => Document::Text(query),
        (None, Some(id)) => Document::Id(id),
        (None, None) => return Err(Malformed::new("send `query` or `documentId`")),
        (Some(_), Some(_)) => {
            return Err(Malformed::new("send either `query` or `documentId`, not both"));
        }
    };
    Ok(Parameters { document, operation_name, variables: Variables::from_json(variables) })
}

/// Reads a weight; what is none is 0.
fn weight(text: &str) -> f32 {
    text.parse().ok().filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_is_the_one_that_the_client_prefers() {
        for (accept, chosen) in [
            (None, JSON),
            (Some(""), JSON),
            (Some("*/*"), JSON),
            (Some("application/*"), JSON),
            (Some("application/json"), JSON),
            (Some("Application/GraphQL-Response+JSON"), GRAPHQL),
            (Some("application/graphql-response+json, application/json;q=0.9"), GRAPHQL),
            (Some("application/graphql-response+json;q=0.1, application/json"), JSON),
            (Some("application/json, application/graphql-response+json"), GRAPHQL),
            (Some("application/json; q=0.5, */*;q=0.1"), JSON),
            (Some("application/json;q=0, */*"), GRAPHQL),
            (Some("application/graphql-response+json;Q=0, application/json"), JSON),
            (Some("application/graphql-response+json;q=NaN, application/json;q=0.1"), JSON),
            // Some clients leave the zero out, or have more than three digits.
            (Some("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"), JSON),
            (Some("application/json;q=0.8333"), JSON),
            (Some("application/graphql-response+json;q=-1, application/json;q=0.1"), JSON),
            (Some("application/graphql-response+json; q=inf, application/json"), JSON),
            (Some("text/html, application/graphql-response+json; charset=utf-8"), GRAPHQL),
        ] {
            assert_eq!(media_type(accept).unwrap(), chosen, "{accept:?}");
        }
        for accept in ["text/html", "application/json;q=0", "*/*;q=0"] {
            assert_eq!(media_type(Some(accept)).unwrap_err().kind, ProblemKind::NotAcceptable);
        }
    }

    #[test]
    fn a_body_is_json_in_utf_8() {
        for good in [
            "application/json",
            "application/json; charset=UTF-8",
            "Application/JSON;charset=\"utf-8\"",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in ["", "text/plain", "application/json; charset=latin1", "application/graphql"] {
            assert!(!is_json(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_named() {
        for (body, message) in [
            ("", "the body is not JSON"),
            ("{", "the body is not JSON"),
            ("[]", "a batch is not taken: send one request"),
            ("7", "the body is not a JSON object"),
            ("{}", "send `query` or `documentId`"),
            (r#"{"query":""}"#, "send `query` or `documentId`"),
            (r#"{"query":{}}"#, "`query` is not a string"),
            (
                r#"{"query":"{a}","documentId":"x"}"#,
                "send either `query` or `documentId`, not both",
            ),
            (r#"{"query":"{a}","variables":[]}"#, "`variables` is not an object"),
            (r#"{"query":"{a}","extensions":1}"#, "`extensions` is not an object"),
            (r#"{"query":"{a}","operationName":1}"#, "`operationName` is not a string"),
        ] {
            assert_eq!(of_body(body.as_bytes()).unwrap_err().message, message, "{body}");
        }
        let parameters = of_body(br#"{"query":"{a}","variables":null,"operationName":"","x":1}"#);
        assert_eq!(parameters.unwrap().operation_name, None);
    }
}
