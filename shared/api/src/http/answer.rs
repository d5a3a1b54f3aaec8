//! The answer of an interface over several routes: a body with a status and a media type of its
//! own.

use std::time::Duration;

use cache_headers::{ETag, Policy, Validators, vary};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::http::problem::Problem;
use crate::http::response::{CacheOutcome, Response, conditional, insert_age};

/// An answer of an [`Interface`](crate::Interface).
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The `Content-Type`, which depends on the request's `Accept`.
    pub media_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// The cache policy. Only a 200 to GET can be stored.
    pub policy: Policy,
    /// The number of items in the body, for the log.
    pub items: usize,
    /// The reason of a refusal, for the log.
    pub refusal: Option<&'static str>,
    /// `Allow`, for a 405.
    pub allow: Option<&'static str>,
}

impl Answer {
    /// Makes the response to a request with these headers. A 200 to GET that may be stored has an
    /// entity tag, and can be a 304. `age` is that of the oldest stored answer in it, if there is
    /// one.
    ///
    /// # Errors
    /// 412 if a precondition fails.
    pub(crate) fn respond(
        self,
        method: &Method,
        request: &HeaderMap,
        age: Option<Duration>,
    ) -> Result<Response, Problem> {
        let Self { status, media_type, body, policy, allow, .. } = self;
        let is_stored =
            status == StatusCode::OK && *method == Method::GET && policy != Policy::NoStore;
        let policy = if is_stored { policy } else { Policy::NoStore };
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        policy.insert_into(&mut headers);
        vary::add(&mut headers, &header::ACCEPT);
        vary::add(&mut headers, &header::ACCEPT_ENCODING);
        if let Some(allow) = allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if !is_stored {
            let outcome = if status.is_success() { CacheOutcome::Full } else { CacheOutcome::None };
            return Ok(Response { status, headers, body, outcome });
        }
        if let Policy::Public { shared, .. } = policy {
            insert_age(&mut headers, age, shared);
            vary::add(&mut headers, &header::ORIGIN);
        }
        // The same body as another media type is another representation.
        let tagged = [media_type.as_bytes(), b"\n", &body].concat();
        let validators = Validators { etag: Some(ETag::weak_of(&tagged)), last_modified: None };
        validators.insert_into(&mut headers);
        conditional(method, request, &validators, headers, body)
    }
}
