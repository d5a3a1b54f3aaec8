//! A function in service: what boot made, and the way of every event through it.

use std::{
    io::Write,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use lambda_http::{
    aws_lambda_events::apigw::ApiGatewayV2httpResponse,
    lambda_runtime::{Error, LambdaEvent, Runtime, service_fn},
};
use pagination::Sealer;
use serde_json::value::RawValue;

use crate::{
    config::Config,
    database::{Database, DatabaseError, Meter},
    log::{self, Line},
    problem::{Kind, Problem},
    reply::{CacheOutcome, Reply, Response},
    request::Request,
    route::{Resource, Route},
};

/// One function: its route, its environment, its database.
#[derive(Debug)]
pub struct App {
    route: &'static Route,
    config: Config,
    database: Database,
    cold: AtomicBool,
}

impl App {
    /// From the parts that [`crate::boot()`] makes; tests bring their own.
    #[must_use]
    pub fn new(route: &'static Route, config: Config, database: Database) -> Self {
        Self { route, config, database, cold: AtomicBool::new(true) }
    }

    /// The route that this function serves.
    #[must_use]
    pub fn route(&self) -> &'static Route {
        self.route
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn shards(&self) -> u16 {
        self.config.shards
    }

    /// The number of days since 1970.
    #[expect(clippy::unused_self, reason = "time belongs to the app, not to its callers")]
    pub(crate) fn today(&self) -> u16 {
        let days = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 86_400;
        u16::try_from(days).unwrap_or(u16::MAX)
    }

    pub(crate) fn sealer(&self) -> Result<&Sealer, Problem> {
        self.config.sealer.as_ref().ok_or_else(|| Kind::Internal.into())
    }

    /// The name of the table of one of the route's resources.
    pub(crate) fn table(&self, resource: &'static Resource) -> Result<&str, Problem> {
        let names = self.route.resources().zip(&self.config.tables);
        let found = names.into_iter().find(|(other, _)| other.name == resource.name);
        found.map(|(_, table)| table.as_str()).ok_or_else(|| Kind::Internal.into())
    }

    /// Serves events until Lambda ends the process.
    ///
    /// # Errors
    /// If the Lambda runtime API cannot be reached.
    pub async fn serve(self, handler: impl AsyncFn(&Self, &Request) -> Result<Reply, Problem>) -> Result<(), Error> {
        let serve = service_fn(async |event: LambdaEvent<Box<RawValue>>| {
            // Lambda hands out no event whose time is up; `cargo lambda watch` dates every deadline to 1970.
            let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or(Duration::MAX);
            let (response, line) = self.respond(event.payload.get(), &event.context.request_id, left, &handler).await;
            // A log that cannot be written does not stop a request.
            let _ = writeln!(std::io::stdout(), "{line}");
            Ok::<_, Error>(response)
        });
        Runtime::new(serve).run().await
    }

    /// Answers one event, whatever it is, within `left`: every way leads to a response of ours, and to the one line that the log gets.
    pub async fn respond(
        &self,
        event: &str,
        request_id: &str,
        left: Duration,
        handler: &impl AsyncFn(&Self, &Request) -> Result<Reply, Problem>,
    ) -> (ApiGatewayV2httpResponse, String) {
        let (began, now) = (Instant::now(), SystemTime::now());
        let deadline = began + left.saturating_sub(LAMBDA_MARGIN).min(REQUEST_TIME);
        // Reading an event panics on nothing known; that it stays so is not left to chance.
        let read = || Request::read(event, self.route, self.config.read_any_scope.as_deref(), deadline);
        let request = std::panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(Kind::Internal.into()));
        let answer = match &request {
            Err(problem) => Err(problem.clone()),
            Ok(request) => {
                let handled = AssertUnwindSafe(handler(self, request)).catch_unwind().await;
                handled.unwrap_or_else(|_| Err(Kind::Internal.into()))
            }
        };
        let (nothing, spent) = (HeaderMap::new(), Meter::default());
        let (method, headers, meter) =
            request.as_ref().map_or((&Method::GET, &nothing, &spent), |request| (&request.method, &request.headers, &request.meter));
        let items = answer.as_ref().map_or(0, |reply| reply.items);
        let answer = answer.and_then(|reply| reply.respond(method, headers, now));
        let problem = answer.as_ref().err().map(|problem| problem.kind.uri());
        let mut response = answer.unwrap_or_else(|problem| problem.respond(request_id));
        let total = began.elapsed();
        self.time(&mut response, meter, total);
        let line = Line {
            route: self.route.name,
            request_id,
            status: response.status.as_u16(),
            problem,
            cache: response.outcome.name(),
            cold_start: self.cold.swap(false, Ordering::Relaxed),
            duration: log::milliseconds(total),
            database: log::milliseconds(meter.waited()),
            rounds: meter.rounds(),
            read_units: meter.units(),
            items: if response.outcome == CacheOutcome::Full { items } else { 0 },
            bytes: response.body.len(),
        };
        (response.encode(method, headers), line.text(now))
    }

    /// The `Server-Timing` header ([W3C](https://www.w3.org/TR/server-timing/)): milliseconds, and on request what they were spent on.
    fn time(&self, response: &mut Response, meter: &Meter, total: Duration) {
        let spent =
            if self.config.full_timing { format!(";desc=\"rounds={} units={}\"", meter.rounds(), meter.units()) } else { String::new() };
        let (database, total) = (log::milliseconds(meter.waited()), log::milliseconds(total));
        if let Ok(value) = HeaderValue::try_from(format!("db;dur={database}{spent}, total;dur={total}")) {
            response.headers.insert(SERVER_TIMING, value);
        }
    }
}

/// What a request may take.
const REQUEST_TIME: Duration = Duration::from_secs(3);
/// What is kept back of the time that Lambda gives, so that the answer is ours and not Lambda's timeout.
const LAMBDA_MARGIN: Duration = Duration::from_millis(250);
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

impl From<DatabaseError> for Problem {
    /// The one place where what DynamoDB did becomes what a caller is told; the rest goes to the log.
    fn from(error: DatabaseError) -> Self {
        tracing::error!(%error, "DynamoDB");
        match error {
            DatabaseError::Throttled | DatabaseError::Unavailable(_) => Kind::Unavailable,
            DatabaseError::Timeout => Kind::Timeout,
            DatabaseError::Malformed(_) => Kind::BadGateway,
            DatabaseError::Refused(_) => Kind::Internal,
        }
        .into()
    }
}
