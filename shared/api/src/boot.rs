//! From a process to a function that waits for its first event with everything warm: logs, client, connection.
//!
//! Of all that an SDK would look for, a Lambda function needs a region and the keys of its role, which stand in its environment.

use std::env;

use tracing_subscriber::fmt::MakeWriter;

use crate::{
    app::App,
    config::{BootError, Config},
    database::Database,
    dynamodb::Client,
    route::Route,
};

/// Reads the environment, sets up logs, builds the client and opens the connection to DynamoDB.
///
/// # Errors
/// What is missing or wrong in the environment, in one line, which `main` gives to Lambda and so to the log.
pub async fn boot(route: &'static Route) -> Result<App, BootError> {
    let variable = |name: &str| env::var(name).ok();
    let config = Config::read(route, variable)?;
    // A host that has set up logs of its own keeps them.
    let _ = tracing::subscriber::set_global_default(logs(config.log_level, std::io::stdout));
    let database = Database::new(Client::from_environment(variable)?);
    if let Some(table) = config.tables.first() {
        database.warm(table, route.resource.table.key).await;
    }
    Ok(App::new(route, config, database))
}

/// Logs as JSON, a line each, with the request that they belong to.
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
