//! From a process to a function that waits for its first event with everything warm: logs, client, connection.
//!
//! Of all that an SDK would look for, a Lambda function needs a region and the keys of its role, which stand in its environment.

use std::env;

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
/// What is missing or wrong in the environment: one line, also in the log.
pub async fn boot(route: &'static Route) -> Result<App, BootError> {
    let variable = |name: &str| env::var(name).ok();
    let config = Config::read(route, variable)?;
    tracing_subscriber::fmt().json().with_max_level(config.log_level).with_ansi(false).init();
    let database = Database::new(Client::from_environment(variable)?);
    if let Some(table) = config.tables.first() {
        database.warm(table, route.resource.table.key).await;
    }
    Ok(App::new(route, config, database))
}
