//! A request as handlers see it, read from one event.

use std::{borrow::Cow, time::Instant};

use http::{HeaderMap, Method};

use crate::handler::parameters;
use crate::http::event::Event;
use crate::http::principal::Principal;
use crate::http::problem::{ParameterError, Problem, ProblemKind};
use crate::http::query::{self, Query};
use crate::meter::Meter;
use crate::route::{Access, MAX_QUERY_BYTES, Route};

/// One request.
#[derive(Debug)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) deadline: Instant,
    pub(crate) meter: Meter,
    raw_query: String,
    /// The id in the path, decoded once, or `None` if it cannot be decoded.
    id: Option<String>,
    principal: Option<Principal>,
}

impl Request {
    /// Reads an event for `route`. `read_any` is the scope that allows reading every user.
    ///
    /// [`App::respond`](crate::App::respond) calls this first.
    ///
    /// # Errors
    /// 400 for another kind of event, 404 for another path, 405 for another method.
    pub fn read(event: &str, route: &Route, read_any: Option<&str>, deadline: Instant) -> Result<Self, Problem> {
        let event: Event<'_> = serde_json::from_str(event).map_err(|error| {
            // The error's own text quotes the event, which can hold a token.
            let (category, line, column) = (error.classify(), error.line(), error.column());
            tracing::error!(?category, line, column, "not an event of an HTTP API or a function URL in payload format 2.0");
            Problem::from(ProblemKind::MalformedRequest)
        })?;
        if event.version != "2.0" {
            tracing::error!("this function takes payload format 2.0 only: set PayloadFormatVersion to \"2.0\"");
            return Err(ProblemKind::MalformedRequest.into());
        }
        let method = match event.request_context.http.method.as_str() {
            "GET" => Method::GET,
            "HEAD" => Method::HEAD,
            _ => return Err(ProblemKind::MethodNotAllowed.into()),
        };
        let id = path_id(&event, route)?;
        let raw_query = event.raw_query_string.into_owned();
        let headers = event.headers.0;
        let claims = event.request_context.authorizer.and_then(|authorizer| authorizer.jwt).map(|jwt| jwt.claims);
        #[cfg(feature = "local-tokens")]
        let claims = claims.or_else(|| crate::http::principal::local_claims(&headers));
        let principal = claims.and_then(|claims| Principal::of(claims, read_any));
        Ok(Self { method, headers, deadline, meter: Meter::default(), raw_query, id, principal })
    }

    /// Returns the id of the user whose data the path names, and the caller, who can read it. Call this before every other check.
    ///
    /// # Errors
    /// 401 without a principal, 403 for another user, and 400 for an id that no user can have (only to callers who can read every user).
    pub(crate) fn owner(&self) -> Result<(String, &Principal), Problem> {
        let principal = self.principal.as_ref().ok_or(ProblemKind::Unauthorized)?;
        // An id that cannot be decoded matches no caller.
        let id = principal.may_read(self.id.as_deref().unwrap_or(""))?;
        match parameters::plain_text(&id) {
            Ok(_) => Ok((id, principal)),
            Err(detail) => Err(Problem::parameters(vec![ParameterError::new("id", detail)])),
        }
    }

    /// Returns the key of the item that the path names, if the caller can read it.
    ///
    /// # Errors
    /// Those of [`Self::owner`]; on a public route, 400 for an id that no item can have.
    pub(crate) fn item_id(&self, access: Access) -> Result<String, Problem> {
        match access {
            Access::Owner(_) => self.owner().map(|(id, _)| id),
            Access::Public => {
                let id = self.id.as_deref().unwrap_or("");
                parameters::plain_text(id).map(str::to_owned).map_err(|detail| Problem::parameters(vec![ParameterError::new("id", detail)]))
            }
        }
    }

    /// Parses the query. Errors of single parameters are added to `errors`.
    ///
    /// # Errors
    /// 414 for a query string of more than [`MAX_QUERY_BYTES`].
    pub(crate) fn query(&self, known: &[&str], errors: &mut Vec<ParameterError>) -> Result<Query<'_>, Problem> {
        if self.raw_query.len() > MAX_QUERY_BYTES {
            return Err(ProblemKind::QueryTooLong.into());
        }
        Ok(Query::parse(&self.raw_query, known, errors))
    }
}

/// Returns the id in the path, decoded exactly once, or `None` if it cannot be decoded.
///
/// An HTTP API matches the route and delivers path parameters decoded. An event with the route key `$default` (a function URL,
/// `cargo lambda watch`) has not been routed and has the path as it was sent, so this function matches and decodes it.
fn path_id(event: &Event<'_>, route: &Route) -> Result<Option<String>, Problem> {
    if event.route_key != "$default" {
        return Ok(event.path_parameters.as_ref().and_then(|parameters| parameters.id.clone()));
    }
    let (mut segments, mut id) = (event.raw_path.split('/'), None);
    for wanted in route.path.split('/') {
        match segments.next() {
            Some(segment) if wanted == "{id}" && !segment.is_empty() => id = query::percent_decode(segment).map(Cow::into_owned),
            Some(segment) if segment == wanted => {}
            _ => return Err(ProblemKind::NotFound.into()),
        }
    }
    if segments.next().is_some() { Err(ProblemKind::NotFound.into()) } else { Ok(id) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Field;
    use crate::Kind;
    use crate::Policy;
    use crate::Resource;
    use crate::Shape;
    use crate::route::Table;

    static THINGS: Resource = Resource {
        name: "things",
        table_variable: "THINGS_TABLE",
        table: Table { key: &["thingId"], indexes: &[] },
        fields: &[Field { name: "thingId", kind: Kind::Text, about: "The thing's id." }],
        summary: &["thingId"],
        modified: None,
        policy: Policy::NoStore,
    };
    static GET_THING: Route = Route {
        name: "get-thing",
        path: "/v1/things/{id}",
        about: "Get a thing.",
        resource: &THINGS,
        access: Access::Public,
        shape: Shape::One,
    };

    #[test]
    fn an_event_of_the_wrong_shape_is_not_quoted_in_the_log() {
        for event in [
            r#"{"version":"2.0","requestContext":"Bearer SECRET"}"#,
            r#"{"version":"2.0","requestContext":{"http":{"method":["SECRET"]}}}"#,
            r#"{"version":"SECRET"#,
        ] {
            let (log, writer) = std::io::pipe().unwrap();
            let subscriber = tracing_subscriber::fmt().json().with_writer(Arc::new(writer)).finish();
            let problem = tracing::subscriber::with_default(subscriber, || Request::read(event, &GET_THING, None, Instant::now()));
            assert_eq!(problem.unwrap_err().kind, ProblemKind::MalformedRequest);
            let log = std::io::read_to_string(log).unwrap();
            assert!(log.contains("\"line\":1") && log.contains("\"category\":"), "{log}");
            assert!(!log.contains("SECRET"), "{log}");
        }
    }
}
