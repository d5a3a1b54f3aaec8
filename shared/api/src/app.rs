//! The running function: its parts, and the path of an event through it.

mod shape;

pub use shape::{AppShape, ItemApp, ListApp};

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant, SystemTime},
};

use futures_util::future::join;
use http::{HeaderMap, Method};
use lambda_http::{aws_lambda_events::apigw::ApiGatewayV2httpResponse, lambda_runtime::Error};
use projection::{Field, Join, Selection};
use tracing::Instrument;

use crate::config::Config;
use crate::dynamodb::{Client, ReadError, Reader};
use crate::http::problem::{Problem, ProblemKind};
use crate::http::request::Request;
use crate::http::response::Reply;
use crate::limits::{Admission, Limits};
use crate::meter::Meter;
use crate::route::{Policy, Resource, Route};
use crate::serve::{Ended, caught, caught_in, deadline, serve};
use crate::tier::{Draw, PublicTier, Tier};

/// One function: its route, its environment, its database.
#[derive(Debug)]
pub struct App {
    config: Config,
    client: Client,
    /// The fields that `fields` can name: the resource's, with the list's expansions among them.
    selectable: &'static [Field],
    selectable_by_name: &'static [Field],
    limits: Option<Arc<Limits>>,
    tier: Option<Arc<Tier>>,
    cold: AtomicBool,
}

impl App {
    /// Makes an app of the parts that [`crate::boot()`] makes; tests pass their own.
    #[must_use]
    pub fn new(config: Config, client: Client) -> Self {
        let route = config.route;
        Self {
            selectable: route.selectable(),
            selectable_by_name: route.selectable_by_name(),
            limits: Limits::new(config.limits.as_ref()).map(Arc::new),
            tier: config
                .cache
                .clone()
                .map(|address| Arc::new(Tier::new(address, client.roots().to_vec()))),
            config,
            client,
            cold: AtomicBool::new(true),
        }
    }

    /// Returns the route that this function serves.
    #[must_use]
    pub fn route(&self) -> &'static Route {
        self.config.route
    }

    /// Returns the official DynamoDB client, for a handler that does more than read: any operation,
    /// with typed answers.
    #[must_use]
    pub fn client(&self) -> &aws_sdk_dynamodb::Client {
        self.client.sdk()
    }

    /// Returns reads of a resource's table within one request.
    pub(crate) fn reader<'a>(
        &'a self,
        resource: &'static Resource,
        table: &'a str,
        request: &'a Request,
        selection: &'a Selection,
        join: Option<Join>,
    ) -> Reader<'a> {
        let tier = self.tier.as_deref();
        let own = self.route().resource;
        let tier = tier.and_then(|tier| PublicTier::new(tier, resource, own, request.draw));
        let (deadline, meter) = (request.deadline, &request.meter);
        Reader::new(&self.client, table, deadline, meter, selection, join)
            .with_conditions(resource.conditions_beside_key())
            .with_tier(tier)
    }

    /// Connects to the cache tier, if there is one.
    pub(crate) async fn open_tier(&self) {
        if let Some(tier) = &self.tier {
            tier.open().await;
        }
    }

    /// Runs the reads of a request within its caller's quota, of which it costs `cost` units.
    ///
    /// [`ListPlan::run`](crate::ListPlan::run) and [`ItemRequest::run`](crate::ItemRequest::run) do
    /// this. A handler with reads of its own passes them here, after everything that is wrong with
    /// the request has been found. Without a quota this is `read` alone.
    ///
    /// If the quota's table has to be asked, that happens while `read` runs.
    ///
    /// # Errors
    /// 429 if the caller has used up the quota, and the errors of `read`.
    pub async fn within_quota<T>(
        &self,
        request: &Request,
        cost: u32,
        read: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let Some(limits) = &self.limits else { return read.await };
        let (counted, answer) = match limits.ask(self.route(), request, cost) {
            Admission::Free => return read.await,
            Admission::Decided(counted) => {
                request.count(counted);
                return match counted.refusal() {
                    Some(problem) => Err(problem),
                    None => read.await,
                };
            }
            // Both run to their end: a connection whose request got no answer is lost.
            Admission::Lease(book, lease) => {
                join(limits.take(self.client.sdk(), request, book, lease), read).await
            }
        };
        request.count(counted);
        counted.refusal().map_or(answer, Err)
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Takes over what the routes of one function share, so that a process has one book of each quota
    /// and one connection to the cache tier.
    pub(crate) fn share(&mut self, limits: Option<Arc<Limits>>, tier: Option<Arc<Tier>>) {
        self.limits = limits;
        self.tier = tier;
    }

    pub(crate) fn tier(&self) -> Option<&Arc<Tier>> {
        self.tier.as_ref()
    }

    pub(crate) fn selectable(&self) -> &'static [Field] {
        self.selectable
    }

    pub(crate) fn selectable_by_name(&self) -> &'static [Field] {
        self.selectable_by_name
    }

    /// Serves events until Lambda ends the process.
    ///
    /// # Errors
    /// If the Lambda runtime API cannot be reached.
    pub async fn serve(
        self,
        handler: impl AsyncFn(&Self, &Request) -> Result<Reply, Problem>,
    ) -> Result<(), Error> {
        serve(async |event, id, left| self.respond(event, id, left, &handler).await).await
    }

    /// Answers one event within `left`. Every event gets a response of this crate's own and exactly
    /// one log line.
    pub async fn respond(
        &self,
        event: &str,
        request_id: &str,
        left: Duration,
        handler: &impl AsyncFn(&Self, &Request) -> Result<Reply, Problem>,
    ) -> (ApiGatewayV2httpResponse, String) {
        // Every log line of the request carries the id that is also a problem's `instance`.
        let span = tracing::error_span!("request", requestId = request_id);
        self.answer(event, request_id, left, handler).instrument(span).await
    }

    async fn answer(
        &self,
        event: &str,
        request_id: &str,
        left: Duration,
        handler: &impl AsyncFn(&Self, &Request) -> Result<Reply, Problem>,
    ) -> (ApiGatewayV2httpResponse, String) {
        let route = self.route();
        let (began, now) = (Instant::now(), SystemTime::now());
        let deadline = deadline(began, left);
        let read = || {
            Request::read(
                event,
                route,
                self.config.edge.as_ref(),
                self.config.read_any_scope.as_deref(),
                deadline,
            )
            .map(|request| request.with_draw(Draw::of(request_id)))
        };
        let request = caught(read);
        let answer = match &request {
            Err(problem) => Err(problem.clone()),
            Ok(request) => caught_in(handler(self, request)).await,
        };
        let (nothing, spent) = (HeaderMap::new(), Meter::default());
        let (method, headers, meter) =
            request.as_ref().map_or((&Method::GET, &nothing, &spent), |request| {
                (&request.method, &request.headers, &request.meter)
            });
        let items = answer.as_ref().map_or(0, |reply| reply.items);
        let tier = self.tier.as_ref().map(|_| meter.tier());
        let age = tier.and_then(|tier| tier.age);
        let answer = answer.and_then(|reply| reply.respond(method, headers, age, now));
        let problem = answer.as_ref().err().map(|problem| problem.kind.uri());
        let mut response = answer.unwrap_or_else(|problem| problem.respond(request_id));
        let ended = Ended {
            name: route.name,
            config: &self.config,
            is_shared: matches!(route.resource.policy, Policy::Public { .. }),
            has_quota: self.limits.is_some(),
            counted: request.as_ref().ok().and_then(Request::counted),
            is_cold: &self.cold,
            request_id,
            problem,
            meter,
            tier,
            items,
            total: began.elapsed(),
            now,
        };
        let line = ended.tell(&mut response);
        (response.encode(method, headers), line)
    }
}

impl From<ReadError> for Problem {
    /// Converts a failed read to the problem that the caller gets. Details go to the log only.
    /// There is no other such conversion.
    fn from(error: ReadError) -> Self {
        tracing::error!(%error, "DynamoDB");
        match error {
            ReadError::Throttled | ReadError::Unavailable(_) => ProblemKind::Unavailable,
            ReadError::Timeout => ProblemKind::Timeout,
            ReadError::Malformed(_) => ProblemKind::BadGateway,
            ReadError::Refused(_) => ProblemKind::Internal,
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{
            Mutex,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use aws_sdk_dynamodb::config::{Credentials, Region};

    use super::*;
    use crate::Access;
    use crate::Field;
    use crate::Kind;
    use crate::Shape;
    use crate::Table;

    static THINGS: Resource = Resource {
        name: "things",
        table_variable: "THINGS_TABLE",
        table: Table { key: &["thingId"], indexes: &[] },
        fixed: &[],
        fields: &[Field { name: "thingId", kind: Kind::Text, about: "" }],
        summary: &["thingId"],
        modified: None,
        policy: Policy::NoStore,
    };
    static GET_THING: Route = Route {
        name: "get-thing",
        path: "/v1/things/{thingId}",
        about: "",
        resource: &THINGS,
        access: Access::Public,
        quota: crate::Quota::None,
        shape: Shape::One,
    };

    static LIST_THINGS: Route = Route {
        name: "list-things",
        path: "/v1/things",
        about: "",
        resource: &THINGS,
        access: Access::Public,
        quota: crate::Quota::None,
        shape: Shape::List(crate::List {
            filters: &[],
            sorts: &[],
            expansions: &[],
            limits: crate::Limits::USUAL,
        }),
    };

    /// The logged detail, as text.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn app() -> App {
        app_of(&GET_THING)
    }

    /// Makes a function whose database cannot be reached.
    fn app_of(route: &'static Route) -> App {
        let variable = |name: &str| match name {
            "THINGS_TABLE" => Some("things".to_owned()),
            "CURSOR_SECRET" => Some("a secret for tests, of more than 32 characters".to_owned()),
            _ => None,
        };
        let config = Config::read(route, variable).unwrap();
        // No server listens at this address.
        let unreachable = aws_sdk_dynamodb::Config::builder()
            .region(Region::from_static("eu-central-1"))
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .endpoint_url("http://127.0.0.1:1");
        App::new(config, Client::new(unreachable))
    }

    const EVENT: &str = r#"{"version":"2.0","routeKey":"GET /v1/things/{thingId}","rawPath":"/v1/things/t","pathParameters":{"thingId":"t"},
        "requestContext":{"http":{"method":"GET"}}}"#;

    /// Returns true in a process of its own, in which only this test runs, and lets that process run
    /// the test otherwise. While there is one subscriber, `tracing` asks the thread that meets a span
    /// first whether anybody wants it, and the threads of other tests have no subscriber.
    fn is_alone(name: &str) -> bool {
        const ALONE: &str = "LOG_TEST_ALONE";
        if std::env::var_os(ALONE).is_some() {
            return true;
        }
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("app::tests::{name}"), "--nocapture"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        false
    }

    /// Runs a test and returns the lines that it logs.
    fn logged(test: impl Future<Output = ()>) -> Vec<serde_json::Value> {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = crate::boot::logs(tracing::Level::INFO, move || writer.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tracing::subscriber::with_default(subscriber, || runtime.block_on(test));
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// A handler for the other shape ends the start, before the first event.
    #[tokio::test]
    async fn a_handler_for_the_other_shape_does_not_start() {
        let list = async |list: ListApp<'_>, request: &Request| {
            crate::ListRequest::parse(list, request)?.plan()?.run().await?.reply()
        };
        let error = app().serve_list(list).await.unwrap_err().to_string();
        assert_eq!(error, "does not start: the handler is for a list, and get-thing is none");
        let item = async |item: ItemApp<'_>, request: &Request| {
            Ok(crate::ItemRequest::parse(item, request)?.run().await?.reply())
        };
        let error = app_of(&LIST_THINGS).serve_item(item).await.unwrap_err().to_string();
        assert_eq!(error, "does not start: the handler is for one item, and list-things is a list");
    }

    #[test]
    fn what_is_logged_carries_the_id_that_the_caller_is_told() {
        if !is_alone("what_is_logged_carries_the_id_that_the_caller_is_told") {
            return;
        }
        let app = app();
        let lines = logged(async {
            let left = Duration::from_secs(5);
            let (response, _) = app.respond(EVENT, "r-of-the-503", left, &crate::answer).await;
            assert_eq!(response.status_code, 503);
            let panics =
                async |_: &App, _: &Request| -> Result<Reply, Problem> { panic!("on purpose") };
            let (response, _) = app.respond(EVENT, "r-of-the-500", left, &panics).await;
            assert_eq!(response.status_code, 500);
        });
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines[0]["span"]["requestId"], "r-of-the-503");
        assert!(
            lines[0]["error"].as_str().is_some_and(|error| error.starts_with("unavailable: ")),
            "{lines:?}"
        );
        assert_eq!(lines[1]["span"]["requestId"], "r-of-the-500");
        assert!(
            lines[1]["message"].as_str().is_some_and(|message| message.starts_with("panicked")),
            "{lines:?}"
        );
    }

    #[test]
    fn requests_at_once_log_with_their_own_ids() {
        if !is_alone("requests_at_once_log_with_their_own_ids") {
            return;
        }
        let app = app();
        let mut ids: Vec<_> = (0..64).map(|number| format!("r-{number:02}")).collect();
        // Each request logs, waits for its turn, in another order than they began in, and logs again.
        let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let handler = async |_: &App, request: &Request| -> Result<Reply, Problem> {
            tracing::info!(deadline = ?request.deadline, "begins");
            let turn = begun.fetch_add(1, Ordering::Relaxed) * 37 % 64;
            while begun.load(Ordering::Relaxed) < 64 || ended.load(Ordering::Relaxed) < turn {
                tokio::task::yield_now().await;
            }
            tracing::info!(deadline = ?request.deadline, "ends");
            ended.fetch_add(1, Ordering::Relaxed);
            Err(ProblemKind::NotFound.into())
        };
        let lines = logged(async {
            let all = ids.iter().enumerate().map(|(number, id)| {
                let left = Duration::from_millis(500 + number as u64);
                app.respond(EVENT, id, left, &handler)
            });
            futures_util::future::join_all(all).await;
        });
        assert_eq!(lines.len(), 128);
        for message in ["begins", "ends"] {
            let of = lines.iter().filter(|line| line["message"] == message);
            let mut found: Vec<_> =
                of.map(|line| line["span"]["requestId"].as_str().unwrap().to_owned()).collect();
            found.sort();
            assert_eq!(found, ids, "{message}");
        }
        // A request's own deadline stands in its own lines.
        ids.retain(|id| {
            let of: Vec<_> =
                lines.iter().filter(|line| line["span"]["requestId"] == **id).collect();
            of[0]["deadline"] != of[1]["deadline"]
        });
        assert_eq!(ids, Vec::<String>::new());
    }

    /// A request ends 250 ms before Lambda's time, and after three seconds at most.
    #[tokio::test]
    async fn a_request_s_time_is_what_lambda_has_left_less_a_margin() {
        let app = app();
        for (left, time) in
            [(1_000, 750), (3_249, 2_999), (3_250, 3_000), (60_000, 3_000), (250, 0), (100, 0)]
        {
            let deadline = Mutex::new(None);
            let before = Instant::now();
            let handler = async |_: &App, request: &Request| -> Result<Reply, Problem> {
                *deadline.lock().unwrap() = Some((request.deadline, Instant::now()));
                Err(ProblemKind::NotFound.into())
            };
            app.respond(EVENT, "r", Duration::from_millis(left), &handler).await;
            let (deadline, after) = deadline.into_inner().unwrap().unwrap();
            let time = Duration::from_millis(time);
            assert!(before + time <= deadline && deadline <= after + time, "{left} ms");
        }
    }
}
