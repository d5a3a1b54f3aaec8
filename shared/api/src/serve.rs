//! Everything around a request that each function does, whatever it serves: events from the runtime,
//! the deadline, the times and the fields of a quota in the response, the log line.

use std::{
    io::Write,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant, SystemTime},
};

use futures_util::FutureExt;
use lambda_http::{
    aws_lambda_events::apigw::ApiGatewayV2httpResponse,
    lambda_runtime::{Error, LambdaEvent, Runtime, service_fn},
};
use serde_json::value::RawValue;

use crate::config::Config;
use crate::http::counted::Counted;
use crate::http::problem::{Problem, ProblemKind};
use crate::http::response::{CacheOutcome, Response};
use crate::http::timing;
use crate::log::{self, Line, QuotaLine, TierLine};
use crate::meter::{Meter, TierUse};

/// Serves events with `respond`, which gets an event, the request's id and the time that is left,
/// and returns the response and the log line, until Lambda ends the process.
pub(crate) async fn serve(
    respond: impl AsyncFn(&str, &str, Duration) -> (ApiGatewayV2httpResponse, String),
) -> Result<(), Error> {
    let serve = service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        // Lambda delivers no event whose time is up; `cargo lambda watch` sets every deadline
        // to 1970.
        let left =
            event.context.deadline().duration_since(SystemTime::now()).unwrap_or(Duration::MAX);
        let (response, line) = respond(event.payload.get(), &event.context.request_id, left).await;
        // A log that cannot be written does not stop a request.
        let _ = writeln!(std::io::stdout(), "{line}");
        Ok::<_, Error>(response)
    });
    Runtime::new(serve).run().await
}

/// Returns the time by which a request that began at `began` is answered, if Lambda gives it `left`.
pub(crate) fn deadline(began: Instant, left: Duration) -> Instant {
    began + left.saturating_sub(LAMBDA_MARGIN).min(REQUEST_TIME)
}

/// A request whose response has been made, for the headers and the log line.
pub(crate) struct Ended<'a> {
    /// The name of the function.
    pub(crate) name: &'a str,
    pub(crate) config: &'a Config,
    /// True if a shared cache may keep the response.
    pub(crate) is_shared: bool,
    pub(crate) has_quota: bool,
    pub(crate) counted: Option<Counted>,
    /// True until the first request has ended.
    pub(crate) is_cold: &'a AtomicBool,
    pub(crate) request_id: &'a str,
    pub(crate) problem: Option<&'a str>,
    pub(crate) meter: &'a Meter,
    /// The use of the cache tier, if the function has one.
    pub(crate) tier: Option<TierUse>,
    pub(crate) items: usize,
    pub(crate) total: Duration,
    pub(crate) now: SystemTime,
}

impl Ended<'_> {
    /// Adds the header fields of the quota and the times to the response, and returns the log line.
    pub(crate) fn tell(self, response: &mut Response) -> String {
        let Self { config, counted, meter, total, .. } = self;
        if let Some(counted) = counted {
            counted.tell(self.is_shared, response.status, &mut response.headers);
        }
        let is_full = config.full_timing;
        timing::add(&mut response.headers, meter, self.tier, total, is_full);
        let cold_start = self.is_cold.swap(false, Ordering::Relaxed);
        let line = Line {
            stack: &config.stack,
            route: self.name,
            request_id: self.request_id,
            status: response.status.as_u16(),
            problem: self.problem,
            cache: response.outcome.name(),
            cold_start,
            duration: log::milliseconds(total),
            database: log::milliseconds(meter.waited()),
            rounds: meter.rounds(),
            read_units: meter.units(),
            items: if response.outcome == CacheOutcome::Full { self.items } else { 0 },
            bytes: response.body.len(),
            faults: u8::from(response.status.is_server_error()),
            cold_starts: u8::from(cold_start),
            not_modified: u8::from(response.outcome == CacheOutcome::NotModified),
            quota: self.has_quota.then(|| QuotaLine::of(counted, meter.write_units())),
            tier: self.tier.map(|tier| TierLine::of(tier, meter.tier_waited())),
        };
        line.text(self.now)
    }
}

/// Runs `step`, and turns a panic in it into a 500. The parsing is not known to panic.
pub(crate) fn caught<T>(step: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    std::panic::catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|_| Err(panicked()))
}

/// Awaits `step`, and turns a panic in it into a 500.
pub(crate) async fn caught_in<T>(
    step: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    AssertUnwindSafe(step).catch_unwind().await.unwrap_or_else(|_| Err(panicked()))
}

/// Logs a panic. Rust has already written its message to standard error; this line adds the
/// request's id.
fn panicked() -> Problem {
    tracing::error!("panicked: see the lines before this one");
    ProblemKind::Internal.into()
}

/// The time limit of a request.
const REQUEST_TIME: Duration = Duration::from_secs(3);
/// The part of Lambda's time that is kept in reserve, so that the function answers before Lambda's
/// timeout ends it.
const LAMBDA_MARGIN: Duration = Duration::from_millis(250);
