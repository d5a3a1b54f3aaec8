//! An API Gateway event: the parts that make up a request, and nothing else.
//!
//! Payload 2.0 of an HTTP API
//! ([format](https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html))
//! or a function URL. `lambda_http`'s own conversion builds a URI, a body and a map of all headers,
//! and panics on input that they cannot hold (a raw space in the query, 40,000 headers, a 64 KB
//! path). This module keeps the raw query, the raw path, the claims, the source address, the body
//! and nine headers, borrowed where possible, and skips everything else.

use std::{borrow::Cow, collections::HashMap, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::http::edge::{EDGE_SECRET, EdgeSecret};
use crate::http::problem::{Problem, ProblemKind};
use crate::route::MAX_REQUEST_BODY_BYTES;

/// The members of an event that this crate reads.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event<'a> {
    #[serde(borrow)]
    pub(crate) version: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text_or_empty")]
    pub(crate) route_key: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text_or_empty")]
    pub(crate) raw_path: Cow<'a, str>,
    /// API Gateway sends an empty one where there is no query, `cargo lambda watch` sends null.
    #[serde(borrow, default, deserialize_with = "text_or_empty")]
    pub(crate) raw_query_string: Cow<'a, str>,
    #[serde(default)]
    pub(crate) headers: Headers,
    #[serde(default)]
    pub(crate) path_parameters: Option<HashMap<String, String>>,
    #[serde(borrow)]
    pub(crate) request_context: RequestContext<'a>,
    /// Read by [`Event::body`] alone: routes have no body, so theirs costs nothing.
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
    #[serde(borrow, default)]
    is_base64_encoded: Option<&'a RawValue>,
}

impl<'a> Event<'a> {
    /// Reads the text of an event that may have come through a CDN with this secret.
    ///
    /// # Errors
    /// 400 for another kind of event, 403 for a request that did not come through the CDN.
    pub(crate) fn read(text: &'a str, edge: Option<&EdgeSecret>) -> Result<Self, Problem> {
        let event: Self = serde_json::from_str(text).map_err(|error| {
            // The error's own text quotes the event, which can hold a token.
            let (category, line, column) = (error.classify(), error.line(), error.column());
            tracing::error!(
                ?category,
                line,
                column,
                "not an event of an HTTP API or a function URL in payload format 2.0"
            );
            Problem::from(ProblemKind::MalformedRequest)
        })?;
        if event.version != "2.0" {
            tracing::error!(
                "this function takes payload format 2.0 only: set PayloadFormatVersion to \"2.0\""
            );
            return Err(ProblemKind::MalformedRequest.into());
        }
        if edge.is_some_and(|edge| !edge.admits(&event.headers.0)) {
            tracing::warn!(
                "the request did not come through the CDN: it has no valid x-edge-secret"
            );
            return Err(ProblemKind::DirectAccess.into());
        }
        Ok(event)
    }

    /// Returns the body, decoded from base64 if the event says that it is encoded. Its length is
    /// checked before it is decoded.
    ///
    /// # Errors
    /// 413 for more than [`MAX_REQUEST_BODY_BYTES`]; 400 for base64 or text that cannot be decoded.
    pub(crate) fn body(&self) -> Result<Vec<u8>, Problem> {
        let malformed = || Problem::from(ProblemKind::MalformedRequest);
        let Some(body) = self.body else { return Ok(Vec::new()) };
        // An escape (`\u0000`) has at most six characters for a byte; base64 has four for three.
        if body.get().len() > 6 * MAX_REQUEST_BODY_BYTES + 2 {
            return Err(ProblemKind::ContentTooLarge.into());
        }
        let text = text::<serde_json::Error>(body).map_err(|_| malformed())?.unwrap_or_default();
        let encoded = self.is_base64_encoded.is_some_and(|flag| flag.get() == "true");
        let body = if encoded {
            STANDARD.decode(&*text).map_err(|_| malformed())?
        } else {
            text.into_owned().into_bytes()
        };
        if body.len() > MAX_REQUEST_BODY_BYTES {
            Err(ProblemKind::ContentTooLarge.into())
        } else {
            Ok(body)
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestContext<'a> {
    #[serde(borrow, default)]
    pub(crate) authorizer: Option<Authorizer<'a>>,
    #[serde(borrow, default, deserialize_with = "text_or_empty")]
    pub(crate) domain_name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) http: Http<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Http<'a> {
    pub(crate) method: String,
    #[serde(borrow, default, deserialize_with = "text_or_empty")]
    pub(crate) source_ip: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Authorizer<'a> {
    #[serde(borrow, default)]
    pub(crate) jwt: Option<Jwt<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Jwt<'a> {
    #[serde(borrow, default)]
    pub(crate) claims: Claims<'a>,
}

/// The claims of a token, as JSON. A claim that comes twice is an error, so that no two readers of
/// a token see different callers.
#[derive(Debug, Default)]
pub(crate) struct Claims<'a>(HashMap<String, &'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Claims<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;

        impl<'de> Visitor<'de> for Once {
            type Value = Claims<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims<'de>, A::Error> {
                let mut claims = HashMap::new();
                while let Some((name, claim)) = map.next_entry::<String, &RawValue>()? {
                    if claims.insert(name, claim).is_some() {
                        return Err(de::Error::custom("a claim comes twice"));
                    }
                }
                Ok(Claims(claims))
            }
        }

        deserializer.deserialize_map(Once)
    }
}

impl Claims<'_> {
    /// Returns a claim that is a string with at least one character. Every other claim counts as
    /// absent.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.0.get(name)?.get()).ok().filter(|text: &String| !text.is_empty())
    }

    /// Returns `true` if a claim is a string or a list of strings that has `word`. Strings are
    /// split at spaces and commas, because API Gateway writes a list as `"[a b]"`.
    pub(crate) fn has_word(&self, name: &str, word: &str) -> bool {
        let Some(claim) = self.0.get(name) else { return false };
        if let Ok(words) = serde_json::from_str::<Vec<String>>(claim.get()) {
            return words.iter().any(|other| other == word);
        }
        let words: String = serde_json::from_str(claim.get()).unwrap_or_default();
        let words =
            words.strip_prefix('[').and_then(|words| words.strip_suffix(']')).unwrap_or(&words);
        words.split([' ', ',']).any(|other| other == word)
    }
}

/// The headers that a read API needs.
static WANTED: [HeaderName; 9] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_UNMODIFIED_SINCE,
    EDGE_SECRET,
];

/// The headers of an event that are in [`WANTED`]. API Gateway has joined repeated headers with
/// commas.
#[derive(Debug, Default)]
pub(crate) struct Headers(pub(crate) HeaderMap);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Wanted;

        impl<'de> Visitor<'de> for Wanted {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of headers")
            }

            fn visit_unit<E>(self) -> Result<Headers, E> {
                Ok(Headers::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut headers = HeaderMap::new();
                while let Some(Text(name)) = map.next_key()? {
                    let Some(wanted) =
                        WANTED.iter().find(|wanted| wanted.as_str().eq_ignore_ascii_case(&name))
                    else {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    if let Some(value) = text(map.next_value()?)?
                        .and_then(|value| HeaderValue::from_str(&value).ok())
                    {
                        headers.append(wanted, value);
                    }
                }
                Ok(Headers(headers))
            }
        }

        deserializer.deserialize_any(Wanted)
    }
}

fn text_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    text(<&RawValue>::deserialize(deserializer)?).map(Option::unwrap_or_default)
}

/// Reads a JSON string; `None` for any other value. A string that is not Unicode (`"\ud800"`) is an
/// error.
fn text<E: de::Error>(value: &RawValue) -> Result<Option<Cow<'_, str>>, E> {
    if !value.get().starts_with('"') {
        return Ok(None);
    }
    serde_json::from_str(value.get()).map(|Text(text)| Some(text)).map_err(E::custom)
}

/// A JSON string, borrowed if it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Event<'_>, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn what_matters_is_kept() {
        let event = read(
            r#"{"version":"2.0","routeKey":"GET /v1/things/{thingId}","rawPath":"/v1/things/t-1","rawQueryString":"a=%20b c",
                "cookies":["x"],"headers":{"If-None-Match":"\"x\"","host":"h","accept-encoding":7},
                "requestContext":{"http":{"method":"GET","path":"/"},"authorizer":{"jwt":{"claims":{"sub":"u-1","scope":["a"]},"scopes":null}}},
                "pathParameters":{"id":"u-1"},"isBase64Encoded":true,"body":"!!"}"#,
        )
        .unwrap();
        assert_eq!(event.raw_query_string, "a=%20b c");
        assert_eq!(event.headers.0.len(), 1);
        assert_eq!(event.headers.0[header::IF_NONE_MATCH], "\"x\"");
        let claims = event.request_context.authorizer.unwrap().jwt.unwrap().claims;
        assert_eq!((claims.text("sub").as_deref(), claims.text("scope")), (Some("u-1"), None));
        assert!(claims.has_word("scope", "a") && !claims.has_word("sub", "u"));
        assert_eq!(event.path_parameters.unwrap()["id"], "u-1");
    }

    #[test]
    fn only_strings_are_text() {
        for (value, expected) in [
            (r#""u-1""#, Some("u-1")),
            (r#" "u\u002d1" "#, Some("u-1")),
            ("null", None),
            ("true", None),
            ("-1", None),
            ("1.5e300", None),
            (r#"["u-1"]"#, None),
            (r#"{"u-1":"u-1"}"#, None),
        ] {
            let claims = format!(r#"{{"sub":{value}}}"#);
            let claims: Claims<'_> = serde_json::from_str(&claims).unwrap();
            assert_eq!(claims.text("sub").as_deref(), expected, "{value}");
            let event = format!(
                r#"{{"version":"2.0","rawPath":{value},"requestContext":{{"http":{{"method":"GET"}}}}}}"#
            );
            assert_eq!(read(&event).unwrap().raw_path, expected.unwrap_or_default(), "{value}");
        }
        assert_eq!(
            serde_json::from_str::<Claims<'_>>(r#"{"sub":"\ud800"}"#).unwrap().text("sub"),
            None
        );
    }

    #[test]
    fn a_body_is_decoded_and_bounded() {
        let body = |members: &str| {
            let event = format!(
                r#"{{"version":"2.0",{members},"requestContext":{{"http":{{"method":"POST"}}}}}}"#
            );
            read(&event).unwrap().body().map_err(|problem| problem.kind)
        };
        let text = |text: &str| Ok(text.as_bytes().to_vec());
        assert_eq!(body(r#""body":null"#), text(""));
        assert_eq!(body(r#""body":7"#), text(""));
        assert_eq!(body(r#""body":"{\"a\":\"\u00e9\"}""#), text(r#"{"a":"é"}"#));
        assert_eq!(body(r#""body":"e30=","isBase64Encoded":true"#), text("{}"));
        assert_eq!(body(r#""body":"e30=","isBase64Encoded":"true""#), text("e30="));
        let malformed = Err(ProblemKind::MalformedRequest);
        assert_eq!(body(r#""body":"!!","isBase64Encoded":true"#), malformed);
        assert_eq!(body(r#""body":"\ud800""#), malformed);
        let most = MAX_REQUEST_BODY_BYTES;
        let of = |letter: &str, count: usize| format!(r#""body":"{}""#, letter.repeat(count));
        assert_eq!(body(&of("a", most)), text(&"a".repeat(most)));
        assert_eq!(body(&of("\\u0061", most)), text(&"a".repeat(most)));
        for large in [of("a", most + 1), of("\\u0061", most + 1), of("a", 6 * most + 1)] {
            assert_eq!(body(&large), Err(ProblemKind::ContentTooLarge));
        }
    }

    #[test]
    fn a_text_without_escapes_is_borrowed() {
        let event = read(r#"{"version":"2.0","rawPath":"/v1/things/t-1","requestContext":{"http":{"method":"GET"}}}"#).unwrap();
        assert!(matches!(event.raw_path, Cow::Borrowed("/v1/things/t-1")));
    }

    #[test]
    fn what_is_no_event_is_an_error_and_what_is_odd_is_not() {
        for bad in [
            "null",
            "[]",
            "{}",
            r#"{"version":"2.0"}"#,
            r#"{"version":2,"requestContext":{"http":{"method":"GET"}}}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        for odd in [
            r#"{"version":"2.0","rawQueryString":null,"headers":null,"pathParameters":null,"requestContext":{"authorizer":null,"http":{"method":"GET"}}}"#,
            r#"{"version":"2.0","requestContext":{"authorizer":{"iam":{"accountId":"x"}},"http":{"method":"\u0000"}}}"#,
            r#"{"version":"2.0","requestContext":{"authorizer":{"jwt":{"claims":{"sub":{"a":[1]},"scope":1.5}}},"http":{"method":""}}}"#,
        ] {
            assert!(read(odd).is_ok(), "{odd}");
        }
        let many: String = (0..40_000).map(|i| format!("\"x-{i}\":\"\",")).collect();
        let event = format!(
            r#"{{"version":"2.0","headers":{{{many}"host":""}},"requestContext":{{"http":{{"method":"GET"}}}}}}"#
        );
        assert!(read(&event).unwrap().headers.0.is_empty());
    }
}
