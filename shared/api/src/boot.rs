//! The start of a function: logs, client and connections are ready before the first event.

use std::env;

use futures_util::future::{join, join_all};
use lambda_http::lambda_runtime::Error;
use tracing_subscriber::fmt::MakeWriter;

use crate::app::App;
use crate::config::{BootError, Config};
use crate::dynamodb::Client;
use crate::handler::answer;
use crate::route::Route;

/// Reads the environment, sets up logs, builds the client and opens the connections to DynamoDB and
/// the cache tier.
///
/// # Errors
/// Everything that is missing or wrong in the environment, in one line. `main` returns it to
/// Lambda, which logs it.
pub async fn boot(route: &'static Route) -> Result<App, BootError> {
    let config = Config::read(route, |name| env::var(name).ok())?;
    begin_logs(config.log_level);
    let client = Client::from_environment().await?;
    let app = App::new(config, client.clone());
    connect(&app, &client).await;
    Ok(app)
}

/// Sets up logs. A program that has already set up its own keeps them.
pub(crate) fn begin_logs(level: tracing::Level) {
    let _ = tracing::subscriber::set_global_default(logs(level, std::io::stdout));
}

/// Opens the connections to the table of a route and to the cache tier.
pub(crate) async fn connect(app: &App, client: &Client) {
    let table = &app.config().table;
    // The write of a lease runs while the page is read, so it needs a connection of its own.
    let connections = if app.config().limits.is_some() { 2 } else { 1 };
    let warm = (0..connections).map(|_| client.warm(table, app.route().resource.table.key));
    join(join_all(warm), app.open_tier()).await;
}

/// Boots and serves a route with the default handler of its shape ([`answer`](crate::answer)),
/// until Lambda ends the process.
///
/// # Errors
/// Those of [`boot`], or an unreachable Lambda runtime API.
pub async fn run(route: &'static Route) -> Result<(), Error> {
    boot(route).await?.serve(answer).await
}

/// Sets up logs: one JSON object a line, with the request's id.
pub(crate) fn logs<W>(level: tracing::Level, to: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(to)
        .finish()
}
