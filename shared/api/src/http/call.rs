//! A request to an interface over several routes: its own paths and methods, a body, and requests
//! to the routes made of it.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use http::{HeaderMap, HeaderName, Method};

use crate::http::counted::Counted;
use crate::http::edge::EdgeSecret;
use crate::http::event::Event;
use crate::http::principal::Principal;
use crate::http::problem::{ParameterError, Problem, ProblemKind};
use crate::http::query_string::QueryString;
use crate::http::request::{Request, principal};
use crate::meter::Meter;
use crate::route::{MAX_QUERY_BYTES, Route};
use crate::tier::Draw;

/// A path of an interface. The authorizer of an HTTP API cannot be optional, so an interface that
/// shows public and private routes has two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterfacePath {
    /// The path, without parameters.
    pub path: &'static str,
    /// True if the path has an authorizer. Without a caller it is a 401. On another path nobody is
    /// the caller, whatever the request has.
    pub authorized: bool,
}

/// One request to an [`Interface`](crate::Interface).
#[derive(Debug)]
pub struct Call {
    method: Method,
    path: InterfacePath,
    pub(crate) headers: HeaderMap,
    raw_query: String,
    body: Vec<u8>,
    /// The caller, as each route sees it.
    principals: Vec<(&'static str, Option<Principal>)>,
    pub(crate) address: String,
    pub(crate) deadline: Instant,
    pub(crate) meter: Arc<Meter>,
    pub(crate) draw: Draw,
    pub(crate) counted: Arc<Mutex<Option<Counted>>>,
}

impl Call {
    /// Reads an event for an interface with these paths over these routes.
    ///
    /// # Errors
    /// 400 for another kind of event, 403 for a request that did not come through the CDN, 404 for
    /// another path, 405 for another method, 401 for a path that needs a caller, 413 for a body of
    /// more than [`MAX_REQUEST_BODY_BYTES`](crate::MAX_REQUEST_BODY_BYTES), 414 for a query string
    /// of more than [`MAX_QUERY_BYTES`].
    pub(crate) fn read(
        event: &str,
        request_id: &str,
        paths: &[InterfacePath],
        routes: impl Iterator<Item = &'static Route>,
        edge: Option<&EdgeSecret>,
        read_any: Option<&str>,
        deadline: Instant,
    ) -> Result<Self, Problem> {
        let event = Event::read(event, edge)?;
        let method = match event.request_context.http.method.as_str() {
            "GET" => Method::GET,
            "POST" => Method::POST,
            _ => return Err(ProblemKind::MethodNotAllowed.into()),
        };
        // An event that API Gateway has routed names the path of the template; another one, in
        // which a stage may stand first, the path that was asked for.
        let is = |path: &&InterfacePath| match event.route_key.split_once(' ') {
            Some((_, routed)) => routed == path.path,
            None => event.raw_path.ends_with(path.path),
        };
        let path = *paths.iter().find(is).ok_or(ProblemKind::NotFound)?;
        if event.raw_query_string.len() > MAX_QUERY_BYTES {
            return Err(ProblemKind::QueryTooLong.into());
        }
        let body = if method == Method::POST { event.body()? } else { Vec::new() };
        let (raw_query, headers) = (event.raw_query_string.into_owned(), event.headers.0);
        let address = event.request_context.http.source_ip.into_owned();
        let routes: Vec<_> = routes.collect();
        let nobody = || routes.iter().map(|route| (route.name, None)).collect::<Vec<_>>();
        let principals = if path.authorized {
            let caller = principal(event.request_context.authorizer, &headers, |claims| {
                let of = |route: &&'static Route| {
                    (route.name, Principal::of(claims, route.access, read_any))
                };
                let all: Vec<_> = routes.iter().map(of).collect();
                all.iter().any(|(_, principal)| principal.is_some()).then_some(all)
            });
            caller.ok_or(ProblemKind::Unauthorized)?
        } else {
            nobody()
        };
        Ok(Self {
            method,
            path,
            headers,
            raw_query,
            body,
            principals,
            address,
            deadline,
            meter: Arc::default(),
            draw: Draw::of(request_id),
            counted: Arc::default(),
        })
    }

    /// Returns the method, GET or POST.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the path that was called.
    #[must_use]
    pub fn path(&self) -> InterfacePath {
        self.path
    }

    /// Returns a header that is text: `accept` or `content-type`.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the body of a POST, decoded.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the values of these parameters of the query string, in the order of `known`; an
    /// empty one counts as absent.
    ///
    /// # Errors
    /// 400 that lists every parameter that is not known, repeated, or cannot be decoded.
    pub fn query<const N: usize>(&self, known: [&str; N]) -> Result<[Option<String>; N], Problem> {
        let mut errors: Vec<ParameterError> = Vec::new();
        let query = QueryString::parse(&self.raw_query, &known, &mut errors);
        if !errors.is_empty() {
            return Err(Problem::parameters(errors));
        }
        let value = |name| query.get(name).filter(|value| !value.is_empty()).map(str::to_owned);
        Ok(known.map(value))
    }

    /// Makes a request to a route: these values of its path, and this query string. Rights, limits
    /// and errors are those that the route itself has for the same caller; what it reads counts for
    /// this call.
    #[must_use]
    pub fn to(
        &self,
        route: &'static Route,
        path: Vec<(&'static str, String)>,
        query: String,
    ) -> Request {
        Request::within(self, route, path, query)
    }

    pub(crate) fn principal(&self, route: &Route) -> Option<&Principal> {
        self.principals.iter().find(|(name, _)| *name == route.name)?.1.as_ref()
    }
}
