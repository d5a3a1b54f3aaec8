//! The start of a function: logs, client and connection are ready before the first event.

use std::env;

use futures_util::future::join;
use lambda_http::lambda_runtime::Error;
use tracing_subscriber::fmt::MakeWriter;

use crate::app::App;
use crate::config::{BootError, Config};
use crate::dynamodb::Client;
use crate::handler::answer;
use crate::route::Route;

/// Reads the environment, sets up logs, builds the client and opens the connection to DynamoDB.
///
/// # Errors
/// Everything that is missing or wrong in the environment, in one line. `main` returns it to
/// Lambda, which logs it.
pub async fn boot(route: &'static Route) -> Result<App, BootError> {
    let config = Config::read(route, |name| env::var(name).ok())?;
    // A program that has already set up its own logs keeps them.
    let _ = tracing::subscriber::set_global_default(logs(config.log_level, std::io::stdout));
    let client = Client::from_environment().await?;
    if let Some(table) = config.tables.first() {
        let warm = || client.warm(table, route.resource.table.key);
        match config.limits {
            None => warm().await,
            // The write of a lease runs while the page is read, so it needs a connection of its own.
            Some(_) => drop(join(warm(), warm()).await),
        }
    }
    Ok(App::new(route, config, client))
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
