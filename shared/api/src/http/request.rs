//! A request as handlers see it, read from one event.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use http::{HeaderMap, Method};

use crate::handler::parameters;
use crate::http::call::Call;
use crate::http::counted::Counted;
use crate::http::edge::EdgeSecret;
use crate::http::event::{Authorizer, Claims, Event};
use crate::http::principal::{Grant, Principal};
use crate::http::problem::{ParameterError, Problem, ProblemKind};
use crate::http::query_string::{self, QueryString};
use crate::meter::Meter;
use crate::route::{Access, MAX_QUERY_BYTES, Quota, Route, parameter};
use crate::tier::Draw;

/// One request.
#[derive(Debug)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) deadline: Instant,
    pub(crate) meter: Arc<Meter>,
    /// Decides whether the request refreshes what the cache tier has.
    pub(crate) draw: Draw,
    raw_query: String,
    /// The path parameters, each with its value, decoded once; `None` if it cannot be decoded.
    path: Vec<(&'static str, Option<String>)>,
    principal: Option<Principal>,
    /// The caller's address, on a route with a quota for each address.
    address: Option<String>,
    /// The outcome of the caller's quota.
    counted: Arc<Mutex<Option<Counted>>>,
}

impl Request {
    /// Reads an event for `route`. `edge` is the secret of the CDN, if there is one; `read_any` is
    /// the scope that allows reading everybody's items.
    ///
    /// [`App::respond`](crate::App::respond) calls this first.
    ///
    /// # Errors
    /// 400 for another kind of event, 403 for a request that did not come through the CDN, 404 for
    /// another path, 405 for another method.
    pub fn read(
        event: &str,
        route: &'static Route,
        edge: Option<&EdgeSecret>,
        read_any: Option<&str>,
        deadline: Instant,
    ) -> Result<Self, Problem> {
        let event = Event::read(event, edge)?;
        let method = match event.request_context.http.method.as_str() {
            "GET" => Method::GET,
            "HEAD" => Method::HEAD,
            _ => return Err(ProblemKind::MethodNotAllowed.into()),
        };
        let path = path_parameters(&event, route)?;
        let raw_query = event.raw_query_string.into_owned();
        let headers = event.headers.0;
        let address = matches!(route.quota, Quota::PerAddress(_))
            .then(|| event.request_context.http.source_ip.into_owned());
        let of = |claims: &Claims<'_>| Principal::of(claims, route.access, read_any);
        let principal = principal(event.request_context.authorizer, &headers, of);
        Ok(Self {
            method,
            headers,
            deadline,
            meter: Arc::default(),
            draw: Draw::of(""),
            raw_query,
            path,
            principal,
            address,
            counted: Arc::default(),
        })
    }

    /// Sets the draw of the request's id.
    pub(crate) fn with_draw(self, draw: Draw) -> Self {
        Self { draw, ..self }
    }

    /// Makes a request for `route` that is part of another one: these values of its path and this
    /// query string. It has the caller, the deadline and the meter of the whole.
    pub(crate) fn within(
        call: &Call,
        route: &'static Route,
        path: Vec<(&'static str, String)>,
        query: String,
    ) -> Self {
        Self {
            method: Method::GET,
            headers: HeaderMap::new(),
            deadline: call.deadline,
            meter: Arc::clone(&call.meter),
            draw: call.draw,
            raw_query: query,
            path: path.into_iter().map(|(name, value)| (name, Some(value))).collect(),
            principal: call.principal(route).cloned(),
            address: matches!(route.quota, Quota::PerAddress(_)).then(|| call.address.clone()),
            counted: Arc::clone(&call.counted),
        }
    }

    /// Returns the caller, if there is one.
    pub(crate) fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    /// Returns the caller's address, on a route with a quota for each address.
    pub(crate) fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// Notes what became of the caller's quota.
    pub(crate) fn count(&self, counted: Counted) {
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some(counted);
    }

    /// Returns what became of the caller's quota, if the request came so far.
    pub(crate) fn counted(&self) -> Option<Counted> {
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks that the caller may read what the path names. Call this before every other check.
    ///
    /// # Errors
    /// 401 without a principal, 403 for somebody else's items; then 400 that lists every path
    /// parameter with a value that no item can have.
    pub(crate) fn grant(&self, route: &'static Route) -> Result<Grant, Problem> {
        let resource = route.resource;
        let mut grant =
            Grant { values: Vec::with_capacity(self.path.len()), caller: None, of_anybody: false };
        let mut owner = None;
        if route.access != Access::Public {
            let principal = self.principal.as_ref().ok_or(ProblemKind::Unauthorized)?;
            principal.may_use(route.access)?;
            grant.caller = Some(principal.subject.clone());
            if let Access::Owner { field, .. } = route.access {
                let named = self.path.iter().find(|(name, _)| *name == field);
                // A value that cannot be decoded matches no caller.
                let value = match named {
                    Some((_, named)) => principal.may_read(named.as_deref().unwrap_or_default())?,
                    None => principal.owner()?,
                };
                grant.of_anybody = named.is_none() && principal.reads_any();
                owner = Some((field, value));
            }
        }
        let mut errors = Vec::new();
        let path = self.path.iter().map(|(name, value)| (*name, value.clone().unwrap_or_default()));
        let path = path.filter(|(name, _)| owner.as_ref().is_none_or(|(owner, _)| owner != name));
        for (name, value) in owner.clone().into_iter().chain(path) {
            let Some(field) = resource.field(name) else {
                tracing::error!(name, "the path has a parameter that is no field of the resource");
                return Err(ProblemKind::Internal.into());
            };
            match parameters::path_value(field, &value) {
                Ok(()) => grant.values.push((field, value)),
                Err(detail) => errors.push(ParameterError::new(name, detail)),
            }
        }
        if errors.is_empty() { Ok(grant) } else { Err(Problem::parameters(errors)) }
    }

    /// Parses the query. Errors of single parameters are added to `errors`.
    ///
    /// # Errors
    /// 414 for a query string of more than [`MAX_QUERY_BYTES`].
    pub(crate) fn query(
        &self,
        known: &[&str],
        errors: &mut Vec<ParameterError>,
    ) -> Result<QueryString<'_>, Problem> {
        if self.raw_query.len() > MAX_QUERY_BYTES {
            return Err(ProblemKind::QueryTooLong.into());
        }
        Ok(QueryString::parse(&self.raw_query, known, errors))
    }
}

/// Returns the caller of an event: what `of` makes of the authorizer's claims or, in a build of
/// `cargo dev`, of those of a local token.
pub(crate) fn principal<T>(
    authorizer: Option<Authorizer<'_>>,
    #[cfg_attr(not(feature = "local-tokens"), expect(unused_variables, reason = "a local token"))]
    headers: &HeaderMap,
    of: impl Fn(&Claims<'_>) -> Option<T>,
) -> Option<T> {
    let caller = authorizer.and_then(|authorizer| authorizer.jwt).and_then(|jwt| of(&jwt.claims));
    #[cfg(feature = "local-tokens")]
    let caller = caller.or_else(|| {
        let token = crate::http::principal::local_token(headers)?;
        of(&serde_json::from_slice(&token).ok()?)
    });
    caller
}

/// Returns the path parameters, each decoded exactly once; the value is `None` if it cannot be
/// decoded.
///
/// An HTTP API matches the route and delivers path parameters decoded. An event with the route key
/// `$default` has not been routed, so this function matches the path. A function URL and
/// `cargo lambda watch` deliver it as it was sent, an HTTP API decoded, after its stage or base
/// path.
fn path_parameters(
    event: &Event<'_>,
    route: &'static Route,
) -> Result<Vec<(&'static str, Option<String>)>, Problem> {
    if event.route_key != "$default" {
        let given = |name: &'static str| {
            let value = event.path_parameters.as_ref()?.get(name)?;
            Some((name, Some(value.clone())))
        };
        let all: Option<Vec<_>> = route.parameters().map(given).collect();
        return all.ok_or_else(|| {
            let (path, key) = (route.path, &event.route_key);
            tracing::error!(path, %key, "the event lacks a path parameter: API Gateway's route must have the path of the declaration");
            ProblemKind::MalformedRequest.into()
        });
    }
    if is_decoded(&event.request_context.domain_name) {
        return decoded_parameters(&event.raw_path, route.path)
            .ok_or_else(|| ProblemKind::NotFound.into());
    }
    let mut segments = event.raw_path.split('/');
    let mut parameters = Vec::new();
    for wanted in route.path.split('/') {
        match (segments.next(), parameter(wanted)) {
            (Some(segment), Some(name)) if !segment.is_empty() => {
                parameters.push((name, query_string::percent_decode(segment).map(Cow::into_owned)));
            }
            (Some(segment), None) if segment == wanted => {}
            _ => return Err(ProblemKind::NotFound.into()),
        }
    }
    if segments.next().is_some() { Err(ProblemKind::NotFound.into()) } else { Ok(parameters) }
}

/// Returns true if events of this domain come from an HTTP API. `cargo lambda watch` says
/// `localhost`.
fn is_decoded(domain: &str) -> bool {
    !domain.is_empty() && domain != "localhost" && !domain.contains(".lambda-url.")
}

/// Returns the parameters in a decoded path, in which they can have slashes. The path can begin
/// with a stage or a base path.
fn decoded_parameters(
    path: &str,
    pattern: &'static str,
) -> Option<Vec<(&'static str, Option<String>)>> {
    let mut parts = pattern.split('{');
    let (_, mut rest) = path.split_once(parts.next()?)?;
    let mut parameters = Vec::new();
    let mut parts = parts.filter_map(|part| part.split_once('}')).peekable();
    while let Some((name, literal)) = parts.next() {
        let value;
        (value, rest) = if parts.peek().is_some() {
            rest.split_once(literal)?
        } else {
            (rest.strip_suffix(literal)?, "")
        };
        if value.is_empty() {
            return None;
        }
        parameters.push((name, Some(value.to_owned())));
    }
    rest.is_empty().then_some(parameters)
}

#[cfg(test)]
mod tests {
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
        fixed: &[],
        fields: &[Field { name: "thingId", kind: Kind::Text, about: "The thing's id." }],
        summary: &["thingId"],
        modified: None,
        policy: Policy::NoStore,
    };
    static GET_THING: Route = Route {
        name: "get-thing",
        path: "/v1/things/{thingId}",
        about: "Get a thing.",
        resource: &THINGS,
        access: Access::Public,
        quota: Quota::None,
        shape: Shape::One,
    };

    #[test]
    fn a_request_past_the_edge_is_refused_before_all_else() {
        let edge =
            EdgeSecret::new("the secret of the edge, of 32 characters and more".into(), None)
                .unwrap();
        let event = |headers: &str, method: &str| {
            format!(
                r#"{{"version":"2.0","routeKey":"GET /v1/things/{{thingId}}","pathParameters":{{"thingId":"t"}},"headers":{headers},"requestContext":{{"http":{{"method":"{method}"}}}}}}"#
            )
        };
        let read = |headers, method, edge| {
            Request::read(&event(headers, method), &GET_THING, edge, None, Instant::now())
        };
        let sent = r#"{"X-Edge-Secret":"the secret of the edge, of 32 characters and more"}"#;
        for method in ["GET", "POST"] {
            for headers in [
                "null",
                r#"{"x-edge-secret":"another secret, of 32 characters and more"}"#,
                r#"{"x-edge-secret":7}"#,
            ] {
                assert_eq!(
                    read(headers, method, Some(&edge)).unwrap_err().kind,
                    ProblemKind::DirectAccess,
                    "{method} {headers}"
                );
            }
        }
        assert!(read(sent, "GET", Some(&edge)).is_ok());
        assert_eq!(
            read(sent, "POST", Some(&edge)).unwrap_err().kind,
            ProblemKind::MethodNotAllowed
        );
        assert!(read("null", "GET", None).is_ok());
    }

    #[test]
    fn an_event_of_the_wrong_shape_is_not_quoted_in_the_log() {
        for event in [
            r#"{"version":"2.0","requestContext":"Bearer SECRET"}"#,
            r#"{"version":"2.0","requestContext":{"http":{"method":["SECRET"]}}}"#,
            r#"{"version":"SECRET"#,
            r#"{"version":"2.0","headers":"SECRET","requestContext":{"http":{"method":"GET"}}}"#,
            r#"{"version":"2.0","pathParameters":"SECRET","requestContext":{"http":{"method":"GET"}}}"#,
            r#"{"version":"2.0","requestContext":{"authorizer":"SECRET","http":{"method":"GET"}}}"#,
            r#"{"version":"2.0","requestContext":{"authorizer":{"jwt":{"claims":"SECRET"}},"http":{"method":"GET"}}}"#,
            r#"{"version":"2.0","requestContext":{"authorizer":{"jwt":{"claims":{"SECRET":1,"SECRET":2}}},"http":{"method":"GET"}}}"#,
        ] {
            let (log, writer) = std::io::pipe().unwrap();
            let subscriber =
                tracing_subscriber::fmt().json().with_writer(Arc::new(writer)).finish();
            let problem = tracing::subscriber::with_default(subscriber, || {
                Request::read(event, &GET_THING, None, None, Instant::now())
            });
            assert_eq!(problem.unwrap_err().kind, ProblemKind::MalformedRequest);
            let log = std::io::read_to_string(log).unwrap();
            assert!(log.contains("\"line\":1") && log.contains("\"category\":"), "{log}");
            assert!(!log.contains("SECRET"), "{log}");
        }
    }

    fn event(route_key: &str, domain: &str, path: &str) -> String {
        format!(
            r#"{{"version":"2.0","routeKey":"{route_key}","rawPath":"{path}","requestContext":{{"domainName":"{domain}","http":{{"method":"GET"}}}}}}"#
        )
    }

    /// The values of the path parameters.
    fn values(event: &str, path: &'static str) -> Result<Vec<Option<String>>, ProblemKind> {
        let route = Box::leak(Box::new(Route { path, shape: Shape::One, ..GET_THING }));
        let request = Request::read(event, route, None, None, Instant::now())
            .map_err(|problem| problem.kind)?;
        Ok(request.path.into_iter().map(|(_, value)| value).collect())
    }

    #[test]
    fn the_path_of_a_catch_all_is_decoded_exactly_once() {
        const THING: &str = "/v1/things/{thingId}";
        const PARTS: &str = "/v1/things/{thingId}/parts";
        let http_api = |path: &str, pattern| {
            values(&event("$default", "abc.execute-api.eu-central-1.amazonaws.com", path), pattern)
        };
        let some = |id: &str| Ok(vec![Some(id.to_owned())]);
        for decoded in ["t-1", "100%", "%75-1", "a/b", "a/b/", "é", "v1/things/x", "{thingId}"] {
            for prefix in ["", "/prod", "/base/path"] {
                assert_eq!(
                    http_api(&format!("{prefix}/v1/things/{decoded}"), THING),
                    some(decoded),
                    "{prefix} {decoded}"
                );
                assert_eq!(
                    http_api(&format!("{prefix}/v1/things/{decoded}/parts"), PARTS),
                    some(decoded),
                    "{prefix} {decoded}"
                );
            }
        }
        assert_eq!(
            values(&event("$default", "api.example.org", "/v1/things/%75"), THING),
            some("%75"),
            "a domain of one's own"
        );
        for wrong in ["", "/", "/v1/things", "/v1/things/", "/v2/things/x", "/prod"] {
            assert_eq!(http_api(wrong, THING), Err(ProblemKind::NotFound), "{wrong}");
        }
        assert_eq!(http_api("/v1/things/t-1", PARTS), Err(ProblemKind::NotFound));
        assert_eq!(http_api("/v1/things/parts", PARTS), Err(ProblemKind::NotFound));
        let two = "/v1/things/{thingId}/parts/{partId}";
        assert_eq!(
            http_api("/prod/v1/things/a%2F/parts/b/c", two),
            Ok(vec![Some("a%2F".to_owned()), Some("b/c".to_owned())])
        );
        assert_eq!(http_api("/v1/things/a/parts/", two), Err(ProblemKind::NotFound));
        assert_eq!(http_api("/v1/things//parts/b", two), Err(ProblemKind::NotFound));
        assert_eq!(http_api("/prod/v1/things", "/v1/things"), Ok(vec![]));
        assert_eq!(http_api("/v1/things/x", "/v1/things"), Err(ProblemKind::NotFound));

        for domain in ["abc.lambda-url.eu-central-1.on.aws", "localhost", ""] {
            let sent = |path: &str| values(&event("$default", domain, path), THING);
            assert_eq!(sent("/v1/things/%75-1"), some("u-1"), "{domain}");
            assert_eq!(sent("/v1/things/a%2Fb"), some("a/b"), "{domain}");
            assert_eq!(sent("/v1/things/100%"), Ok(vec![None]), "{domain}");
            for wrong in ["/v1/things/a/b", "/prod/v1/things/a", "/v1/things/"] {
                assert_eq!(sent(wrong), Err(ProblemKind::NotFound), "{domain} {wrong}");
            }
        }
    }

    #[test]
    fn a_route_without_its_parameter_is_the_operator_s_mistake_and_logged() {
        for (route_key, parameters) in [
            ("GET /v1/things/{id}", r#","pathParameters":{"id":"t-1"}"#),
            ("ANY /{proxy+}", r#","pathParameters":{"proxy":"v1/things/t-1"}"#),
            ("GET /v1/things/{thingId}", ""),
            ("GET /v1/things/{thingId}", r#","pathParameters":null"#),
            ("", ""),
        ] {
            let (log, writer) = std::io::pipe().unwrap();
            let subscriber =
                tracing_subscriber::fmt().json().with_writer(Arc::new(writer)).finish();
            let event = event(route_key, "api.example.org", "/v1/things/t-1").replacen(
                r#","rawPath""#,
                &format!(r#"{parameters},"rawPath""#),
                1,
            );
            let problem = tracing::subscriber::with_default(subscriber, || {
                values(&event, "/v1/things/{thingId}")
            });
            assert_eq!(problem, Err(ProblemKind::MalformedRequest), "{event}");
            let log = std::io::read_to_string(log).unwrap();
            assert!(
                log.contains("lacks a path parameter")
                    && log.contains("/v1/things/{thingId}")
                    && !log.contains("t-1"),
                "{log}"
            );
        }
    }
}
