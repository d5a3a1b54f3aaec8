//! The response to a handler's reply: validators, preconditions, compression, headers.

use std::{
    io::Write,
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use cache_headers::{
    ETag, HttpDate, Outcome, Policy, Validators, encoding, evaluate, not_modified, vary,
};
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, aws_lambda_events::apigw::ApiGatewayV2httpResponse};

use crate::http::problem::{Problem, ProblemKind};

/// Bodies shorter than this are sent uncompressed: gzip would save less than a packet.
const COMPRESS_FROM_BYTES: usize = 1024;

/// A handler's result: a representation and its cache policy.
#[derive(Debug)]
pub struct Reply {
    pub(crate) body: Vec<u8>,
    pub(crate) policy: Policy,
    /// The time of the last change, in the item's own form.
    pub(crate) modified: Option<String>,
    /// The `Link` header.
    pub(crate) link: Option<String>,
    /// The number of items in the body.
    pub(crate) items: usize,
}

/// The result of a request's preconditions, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheOutcome {
    /// The whole representation was sent.
    Full,
    /// The response was a 304.
    NotModified,
    /// The response was a problem.
    None,
}

impl CacheOutcome {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::NotModified => "not-modified",
            Self::None => "none",
        }
    }
}

/// A response before it is converted to Lambda's form.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) outcome: CacheOutcome,
}

impl Reply {
    /// Makes the response to a request with these headers: 200 or 304. `age` is that of the oldest
    /// stored answer in it, if there is one.
    ///
    /// # Errors
    /// 412 if a precondition fails.
    pub(crate) fn respond(
        self,
        method: &Method,
        request: &HeaderMap,
        age: Option<Duration>,
        now: SystemTime,
    ) -> Result<Response, Problem> {
        let etag = ETag::weak_of(&self.body);
        let last_modified =
            self.modified.and_then(|modified| HttpDate::last_modified(&modified, now));
        let validators = Validators { etag: Some(etag), last_modified };
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.policy.insert_into(&mut headers);
        validators.insert_into(&mut headers);
        vary::add(&mut headers, &header::ACCEPT_ENCODING);
        if let Policy::Public { shared, .. } = self.policy {
            insert_age(&mut headers, age, shared);
            // API Gateway adds the CORS headers, and only to requests with an `Origin`. A shared
            // cache must not give an answer without them to a browser that needs them.
            vary::add(&mut headers, &header::ORIGIN);
        }
        if let Some(link) = self.link.and_then(|link| HeaderValue::try_from(link).ok()) {
            headers.insert(header::LINK, link);
        }
        conditional(method, request, &validators, headers, self.body)
    }
}

/// Adds the age of the oldest stored answer in a response that shared caches may keep for `shared`
/// seconds. They take it from that time (RFC 9111, section 4.2.3), so that the lifetimes of two
/// caches do not add up.
pub(crate) fn insert_age(headers: &mut HeaderMap, age: Option<Duration>, shared: u32) {
    if let Some(age) = age {
        let seconds = age.as_secs() + u64::from(age.subsec_nanos() > 0);
        headers.insert(header::AGE, HeaderValue::from(seconds.min(shared.into())));
    }
}

/// Makes a 200 with this body or, if the request's preconditions say so, a 304.
///
/// # Errors
/// 412 if a precondition fails.
pub(crate) fn conditional(
    method: &Method,
    request: &HeaderMap,
    validators: &Validators,
    mut headers: HeaderMap,
    body: Vec<u8>,
) -> Result<Response, Problem> {
    match evaluate(method, request, validators) {
        Outcome::Proceed => {
            Ok(Response { status: StatusCode::OK, headers, body, outcome: CacheOutcome::Full })
        }
        Outcome::NotModified => {
            not_modified::strip(&mut headers);
            Ok(Response {
                status: StatusCode::NOT_MODIFIED,
                headers,
                body: Vec::new(),
                outcome: CacheOutcome::NotModified,
            })
        }
        Outcome::PreconditionFailed => Err(ProblemKind::PreconditionFailed.into()),
    }
}

impl Problem {
    /// Makes the response. `instance` is the request's id.
    pub(crate) fn respond(&self, instance: &str) -> Response {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        Policy::NoStore.insert_into(&mut headers);
        vary::add(&mut headers, &header::ACCEPT_ENCODING);
        let more = match self.kind {
            ProblemKind::Unauthorized => Some((header::WWW_AUTHENTICATE, "Bearer")),
            ProblemKind::MethodNotAllowed => Some((header::ALLOW, "GET, HEAD")),
            ProblemKind::Unavailable => Some((header::RETRY_AFTER, "1")),
            ProblemKind::InvalidParameter
            | ProblemKind::InvalidCursor
            | ProblemKind::MalformedRequest
            | ProblemKind::Forbidden
            | ProblemKind::DirectAccess
            | ProblemKind::NotFound
            | ProblemKind::NotAcceptable
            | ProblemKind::PreconditionFailed
            | ProblemKind::ContentTooLarge
            | ProblemKind::QueryTooLong
            | ProblemKind::UnsupportedMediaType
            // Its `Retry-After` comes with the other fields of the quota.
            | ProblemKind::QuotaExceeded
            | ProblemKind::Internal
            | ProblemKind::BadGateway
            | ProblemKind::Timeout => None,
        };
        if let Some((name, value)) = more {
            headers.insert(name, HeaderValue::from_static(value));
        }
        Response {
            status: self.kind.status(),
            headers,
            body: self.body(instance),
            outcome: CacheOutcome::None,
        }
    }
}

impl Response {
    /// Compresses the body if the caller accepts gzip and the body is long enough.
    ///
    /// A response to HEAD has the headers of the response to GET, and no body (RFC 9110, section
    /// 9.3.2). Its `Content-Length` is that of the body that GET would get (section 8.6); otherwise
    /// a server would add one of 0.
    pub(crate) fn encode(
        mut self,
        method: &Method,
        request: &HeaderMap,
    ) -> ApiGatewayV2httpResponse {
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = i64::from(self.status.as_u16());
        let compresses = self.body.len() >= COMPRESS_FROM_BYTES
            && encoding::accepts_gzip(request) == encoding::Choice::Gzip;
        if compresses {
            self.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            self.body = gzip(&self.body);
        }
        if self.body.is_empty() {
            response.body = Some(Body::Empty);
        } else if *method == Method::HEAD {
            self.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
            response.body = Some(Body::Empty);
        } else if compresses {
            // API Gateway decodes base64 before it sends the body.
            response.body = Some(Body::Text(STANDARD.encode(&self.body)));
            response.is_base64_encoded = true;
        } else {
            response.body =
                Some(Body::Text(String::from_utf8(self.body).unwrap_or_else(|error| {
                    String::from_utf8_lossy(error.as_bytes()).into_owned()
                })));
        }
        // A browser must never read the JSON as HTML, even if it repeats text of a caller.
        self.headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response.headers = self.headers;
        response
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    /// Saves bytes over level 1 for some microseconds; higher levels save almost nothing on a page.
    const LEVEL: Compression = Compression::new(3);
    // A Vec takes every write, so neither step can fail.
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 2), LEVEL);
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_the_headers_of_its_get_and_the_length_of_its_body() {
        for bytes in [0, 1, COMPRESS_FROM_BYTES - 1, COMPRESS_FROM_BYTES, 100_000] {
            for accepted in ["", "gzip"] {
                let mut request = HeaderMap::new();
                request.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
                let answer = |method| {
                    let reply = Reply {
                        body: vec![b'x'; bytes],
                        policy: Policy::PUBLIC_READ_MOSTLY,
                        modified: None,
                        link: None,
                        items: 1,
                    };
                    reply
                        .respond(&method, &request, None, SystemTime::UNIX_EPOCH)
                        .unwrap()
                        .encode(&method, &request)
                };
                let (get, mut head) = (answer(Method::GET), answer(Method::HEAD));
                let length = match get.body.unwrap() {
                    Body::Text(text) if get.is_base64_encoded => {
                        STANDARD.decode(text).unwrap().len()
                    }
                    Body::Text(text) => text.len(),
                    _ => 0,
                };
                assert_eq!((head.body, head.is_base64_encoded), (Some(Body::Empty), false));
                let stated = head
                    .headers
                    .remove(header::CONTENT_LENGTH)
                    .map(|stated| stated.to_str().unwrap().to_owned());
                assert_eq!(stated, (bytes > 0).then(|| length.to_string()), "{bytes} {accepted}");
                assert_eq!(head.headers, get.headers, "{bytes} {accepted}");
                assert_eq!(
                    head.headers.contains_key(header::CONTENT_ENCODING),
                    accepted == "gzip" && bytes >= COMPRESS_FROM_BYTES
                );
            }
        }
    }

    /// The age is rounded up, so that a cache never keeps a response for too long, and only what a
    /// shared cache may keep has one.
    #[test]
    fn a_public_response_of_a_stored_answer_has_its_age() {
        let age = |policy, age: Option<u64>, etag: &'static str| {
            let mut request = HeaderMap::new();
            request.insert(header::IF_NONE_MATCH, HeaderValue::from_static(etag));
            let reply =
                Reply { body: b"{}".to_vec(), policy, modified: None, link: None, items: 1 };
            let age = age.map(Duration::from_millis);
            let response =
                reply.respond(&Method::GET, &request, age, SystemTime::UNIX_EPOCH).unwrap();
            let age = response.headers.get(header::AGE);
            (response.status.as_u16(), age.map(|age| age.to_str().unwrap().to_owned()))
        };
        let public = Policy::PUBLIC_READ_MOSTLY;
        for (milliseconds, expected) in
            [(0, "0"), (1, "1"), (1_000, "1"), (1_001, "2"), (59_999, "60"), (61_000, "60")]
        {
            for (etag, status) in [("\"other\"", 200), ("*", 304)] {
                let expected = (status, Some(expected.to_owned()));
                assert_eq!(age(public, Some(milliseconds), etag), expected, "{milliseconds}");
            }
        }
        assert_eq!(age(public, None, "*"), (304, None));
        for policy in [Policy::PrivateRevalidate, Policy::NoStore] {
            assert_eq!(age(policy, Some(1_000), "\"other\""), (200, None));
        }
    }

    #[test]
    fn every_response_forbids_content_sniffing() {
        let reply = || Reply {
            body: b"{}".to_vec(),
            policy: Policy::NoStore,
            modified: None,
            link: None,
            items: 1,
        };
        let none = HeaderMap::new();
        let mut known = HeaderMap::new();
        known.insert(header::IF_NONE_MATCH, HeaderValue::from_static("*"));
        let mut responses = vec![
            (
                StatusCode::OK,
                reply().respond(&Method::GET, &none, None, SystemTime::now()).unwrap(),
            ),
            (
                StatusCode::NOT_MODIFIED,
                reply().respond(&Method::GET, &known, None, SystemTime::now()).unwrap(),
            ),
        ];
        responses.extend(
            ProblemKind::ALL.map(|kind| (kind.status(), Problem::from(kind).respond("r-1"))),
        );
        for (status, response) in responses {
            for method in [Method::GET, Method::HEAD] {
                let response = Response {
                    status: response.status,
                    headers: response.headers.clone(),
                    body: response.body.clone(),
                    outcome: response.outcome,
                };
                let encoded = response.encode(&method, &none);
                assert_eq!(encoded.status_code, i64::from(status.as_u16()));
                assert_eq!(
                    encoded.headers[header::X_CONTENT_TYPE_OPTIONS],
                    "nosniff",
                    "{status} {method}"
                );
            }
        }
    }
}
