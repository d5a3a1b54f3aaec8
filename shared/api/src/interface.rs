//! One function that serves several routes behind an interface of its own, such as a query
//! language.
//!
//! The interface has its own paths, methods and answers. What it reads it asks the routes, with
//! requests that [`Call::to`] makes and the steps of the default handlers
//! ([`ListRequest`](crate::ListRequest), [`ItemRequest`](crate::ItemRequest)), each with the
//! [`App`] of its route. So plans, costs, rights, quotas, cursors and errors are those of the
//! routes.

use std::{
    env,
    sync::{Arc, PoisonError, atomic::AtomicBool},
    time::{Duration, Instant, SystemTime},
};

use http::{HeaderMap, HeaderValue, Method, header};
use lambda_http::{aws_lambda_events::apigw::ApiGatewayV2httpResponse, lambda_runtime::Error};
use tracing::Instrument;

use crate::app::App;
use crate::boot::{begin_logs, connect};
use crate::config::{BootError, Config, LimitsConfig};
use crate::dynamodb::Client;
use crate::http::problem::{Problem, ProblemKind};
use crate::http::{Answer, Call, InterfacePath};
use crate::limits::Limits;
use crate::meter::Meter;
use crate::route::{Policy, Route};
use crate::serve::{Ended, caught, caught_in, deadline, serve};

/// A function over several routes.
#[derive(Debug)]
pub struct Interface {
    name: &'static str,
    paths: &'static [InterfacePath],
    apps: Vec<App>,
    has_quota: bool,
    cold: AtomicBool,
}

impl Interface {
    /// Makes a function of the configurations of its routes, at least one. The routes share the
    /// client and the quotas.
    ///
    /// # Errors
    /// Without a route.
    pub fn new(
        name: &'static str,
        paths: &'static [InterfacePath],
        routes: Vec<Config>,
        client: &Client,
    ) -> Result<Self, BootError> {
        if routes.is_empty() {
            return Err(BootError::new(&["there is no route".to_owned()]));
        }
        let of_routes = routes.iter().filter_map(|config| config.limits.as_ref());
        let limits = of_routes.cloned().reduce(LimitsConfig::with);
        let limits = Limits::new(limits.as_ref()).map(Arc::new);
        let app = |config| App::new(config, client.clone());
        let mut apps: Vec<_> = routes.into_iter().map(app).collect();
        let tier = apps.iter().find_map(App::tier).cloned();
        for app in &mut apps {
            let has_quota = app.config().limits.is_some();
            app.share(limits.clone().filter(|_| has_quota), tier.clone());
        }
        Ok(Self { name, paths, apps, has_quota: limits.is_some(), cold: AtomicBool::new(true) })
    }

    /// Reads the environment of all routes, sets up logs, builds the client and opens the
    /// connection to DynamoDB.
    ///
    /// # Errors
    /// Everything that is missing or wrong in the environment, in one line.
    pub async fn boot(
        name: &'static str,
        paths: &'static [InterfacePath],
        routes: &[&'static Route],
    ) -> Result<Self, BootError> {
        let read = |route: &&'static Route| Config::read(route, |name| env::var(name).ok());
        let configs = routes.iter().map(read).collect::<Result<Vec<_>, BootError>>()?;
        if let Some(config) = configs.first() {
            begin_logs(config.log_level);
        }
        let client = Client::from_environment().await?;
        let interface = Self::new(name, paths, configs, &client)?;
        if let Some(app) = interface.apps.first() {
            connect(app, &client).await;
        }
        Ok(interface)
    }

    /// Returns the routes.
    pub fn routes(&self) -> impl Iterator<Item = &'static Route> {
        self.apps.iter().map(App::route)
    }

    /// Returns the part of the function that serves a route.
    ///
    /// # Errors
    /// 500 if it is none of the function's.
    pub fn app(&self, route: &Route) -> Result<&App, Problem> {
        let found = self.apps.iter().find(|app| app.route().name == route.name);
        found.ok_or_else(|| ProblemKind::Internal.into())
    }

    /// Serves events until Lambda ends the process.
    ///
    /// # Errors
    /// If the Lambda runtime API cannot be reached.
    pub async fn serve(
        self,
        handler: impl AsyncFn(&Self, &Call) -> Result<Answer, Problem>,
    ) -> Result<(), Error> {
        serve(async |event, id, left| self.respond(event, id, left, &handler).await).await
    }

    /// Answers one event within `left`, as [`App::respond`] does for a route.
    pub async fn respond(
        &self,
        event: &str,
        request_id: &str,
        left: Duration,
        handler: &impl AsyncFn(&Self, &Call) -> Result<Answer, Problem>,
    ) -> (ApiGatewayV2httpResponse, String) {
        let span = tracing::error_span!("request", requestId = request_id);
        self.answer(event, request_id, left, handler).instrument(span).await
    }

    async fn answer(
        &self,
        event: &str,
        request_id: &str,
        left: Duration,
        handler: &impl AsyncFn(&Self, &Call) -> Result<Answer, Problem>,
    ) -> (ApiGatewayV2httpResponse, String) {
        let (began, now) = (Instant::now(), SystemTime::now());
        // `new` takes no interface without a route, whose configuration every route has.
        let config = self.apps[0].config();
        let read = || {
            Call::read(
                event,
                request_id,
                self.paths,
                self.routes(),
                config.edge.as_ref(),
                config.read_any_scope.as_deref(),
                deadline(began, left),
            )
        };
        let call = caught(read);
        let answer = match &call {
            Err(problem) => Err(problem.clone()),
            Ok(call) => caught_in(handler(self, call)).await,
        };
        let (nothing, spent) = (HeaderMap::new(), Meter::default());
        let (method, headers, meter) =
            call.as_ref().map_or((&Method::GET, &nothing, &spent), |call| {
                (call.method(), &call.headers, &*call.meter)
            });
        let items = answer.as_ref().map_or(0, |answer| answer.items);
        let refusal = answer.as_ref().ok().and_then(|answer| answer.refusal);
        let is_shared =
            answer.as_ref().is_ok_and(|answer| matches!(answer.policy, Policy::Public { .. }));
        let tier = self.apps[0].tier().map(|_| meter.tier());
        let age = tier.and_then(|tier| tier.age);
        let answer = answer.and_then(|answer| answer.respond(method, headers, age));
        let problem = answer.as_ref().err().map(|problem| problem.kind.uri()).or(refusal);
        let mut response = answer.unwrap_or_else(|problem| problem.respond(request_id));
        if call.as_ref().is_err_and(|problem| problem.kind == ProblemKind::MethodNotAllowed) {
            response.headers.insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
        }
        let counted = call.as_ref().ok();
        let counted =
            counted.and_then(|call| *call.counted.lock().unwrap_or_else(PoisonError::into_inner));
        let ended = Ended {
            name: self.name,
            config,
            is_shared,
            has_quota: self.has_quota,
            counted,
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
