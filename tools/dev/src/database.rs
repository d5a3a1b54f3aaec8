//! DynamoDB in this process: real wire protocol, tables made from the template. No Docker, no Java.
//!
//! It has no throttling, no IAM and no TLS, so none of those can be tested with it.

use crate::template::{Table, Template};
use crate::workspace;
use anyhow::{Context as _, Result, anyhow, bail};
use dynoxide::Database;
use dynoxide::actions::create_table::CreateTableRequest;
use dynoxide::actions::describe_table::DescribeTableRequest;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The time that a server waits for its requests when it ends, so that a file is closed complete.
const PATIENCE: Duration = Duration::from_secs(2);

/// A database that is being served. It ends when this is dropped.
#[derive(Debug)]
pub struct Local {
    /// `http://127.0.0.1:40123`
    pub url: String,
    /// The same database without the wire.
    pub db: Handle,
    shutdown: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

/// The database itself, for tests that change it without going over the wire.
#[derive(Clone)]
pub struct Handle(pub Database);

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database")
    }
}

/// Serves the template's tables, empty and in memory, on a free port of this machine.
///
/// The server has a thread and a runtime of its own: it outlives the runtime of the test that
/// starts it.
pub fn start(template: &Template) -> Result<Local> {
    let db = open(None)?;
    create_tables(&db, template)?;
    serve(bind(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)?, db)
}

/// Opens a database: in memory, or in a folder that is made if it is not there.
pub fn open(data: Option<&Path>) -> Result<Handle> {
    let db = match data {
        None => Database::memory().context("cannot open a database in memory")?,
        Some(folder) => {
            let shown = workspace::shown(folder);
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {shown}"))?;
            let file = folder.join("dynamodb.sqlite");
            let Some(file) = file.to_str() else {
                bail!("{shown} is not a UTF-8 path: choose another --data");
            };
            Database::new(file)
                .with_context(|| format!("cannot open {file}: if it is broken, remove it"))?
        }
    };
    Ok(Handle(db))
}

/// Makes the template's tables where they are not there yet; and returns the local names of those
/// that it made.
///
/// A table that was made from an older template is an error: a changed index would otherwise go
/// unnoticed.
pub fn create_tables(db: &Handle, template: &Template) -> Result<Vec<String>> {
    if template.tables.is_empty() {
        bail!("the template has no AWS::DynamoDB::Table: `cargo dev new resource` makes one");
    }
    let mut made = Vec::new();
    for table in &template.tables {
        let name = &table.local_name;
        let describe = DescribeTableRequest { table_name: name.clone() };
        if let Ok(there) = db.0.describe_table(describe) {
            let there =
                serde_json::to_value(there).with_context(|| format!("cannot read table {name}"))?;
            if !same(&there["Table"], table) {
                bail!(
                    "table `{name}` was made from another template.yaml: remove the --data folder or choose another"
                );
            }
            continue;
        }
        let request: CreateTableRequest = serde_json::from_value(table.create.clone())
            .with_context(|| format!("{}: no valid table", table.logical_id))?;
        db.0.create_table(request)
            .with_context(|| format!("{}: cannot make the table", table.logical_id))?;
        made.push(name.clone());
    }
    Ok(made)
}

/// Returns true if a table has the keys, indexes and projections of the template.
fn same(there: &Value, table: &Table) -> bool {
    fn indexes(of: &Value) -> Vec<String> {
        let index = |index: &Value| {
            let mut included: Vec<_> =
                index["Projection"]["NonKeyAttributes"].as_array().cloned().unwrap_or_default();
            included.sort_by_key(Value::to_string);
            format!(
                "{} {} {} {included:?}",
                index["IndexName"], index["KeySchema"], index["Projection"]["ProjectionType"]
            )
        };
        let mut all: Vec<_> = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"]
            .iter()
            .flat_map(|member| of[*member].as_array().into_iter().flatten().map(index))
            .collect();
        all.sort();
        all
    }
    there["KeySchema"] == table.create["KeySchema"] && indexes(there) == indexes(&table.create)
}

/// Takes a port, so that no later program can take it. 0 is any free one.
pub fn bind(host: IpAddr, port: u16) -> Result<TcpListener> {
    let address = SocketAddr::from((host, port));
    let listener = TcpListener::bind(address).map_err(|error| {
        anyhow!("cannot listen on {address} ({error}): stop what does, or choose another port")
    })?;
    listener.set_nonblocking(true).with_context(|| format!("cannot listen on {address}"))?;
    Ok(listener)
}

/// Serves a database on a port that [`bind`] took.
pub fn serve(listener: TcpListener, db: Handle) -> Result<Local> {
    let address = listener.local_addr().context("the listener has no address")?;
    let (shutdown, until) = oneshot::channel::<()>();
    let (db_there, runtime) =
        (db.0.clone(), tokio::runtime::Builder::new_current_thread().enable_all().build());
    let runtime = runtime.context("cannot start a runtime")?;
    let server = std::thread::Builder::new().name("dynamodb".to_owned()).spawn(move || {
        runtime.block_on(async move {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    let ended = async { drop(until.await) };
                    if let Err(error) =
                        dynoxide::server::serve_with_shutdown(listener, db_there, ended).await
                    {
                        eprintln!("the local DynamoDB ended: {error}");
                    }
                }
                Err(error) => eprintln!("the local DynamoDB cannot listen: {error}"),
            }
        });
    });
    let server = server.context("cannot start a thread")?;
    // If every address is served, the URL names this machine.
    let host =
        if address.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address.ip() };
    let url = format!("http://{}", SocketAddr::from((host, address.port())));
    Ok(Local { url, db, shutdown: Some(shutdown), server: Some(server) })
}

impl Drop for Local {
    fn drop(&mut self) {
        drop(self.shutdown.take());
        let Some(server) = self.server.take() else { return };
        let until = Instant::now() + PATIENCE;
        while !server.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Template {
        Template::parse(shop::TEMPLATE).unwrap()
    }

    #[test]
    fn tables_come_from_the_template_and_are_made_once() {
        let folder = std::env::temp_dir().join(format!("dev-database-{}", std::process::id()));
        let db = open(Some(&folder)).unwrap();
        assert_eq!(
            create_tables(&db, &template()).unwrap(),
            ["limits", "orders", "products", "users"]
        );
        drop(db);
        let again = open(Some(&folder)).unwrap();
        assert!(create_tables(&again, &template()).unwrap().is_empty());
        let mut other = template();
        other.tables[1].create["GlobalSecondaryIndexes"][0]["IndexName"] = "byOther".into();
        let error = create_tables(&again, &other).unwrap_err().to_string();
        assert!(error.contains("another template.yaml"), "{error}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_port_in_use_is_one_clear_line() {
        let first = bind(Ipv4Addr::LOCALHOST.into(), 0).unwrap();
        let error = bind(Ipv4Addr::LOCALHOST.into(), first.local_addr().unwrap().port())
            .unwrap_err()
            .to_string();
        assert!(error.contains("choose another port"), "{error}");
    }

    #[test]
    fn it_ends_when_dropped() {
        let local = start(&template()).unwrap();
        let address = local.url.strip_prefix("http://").unwrap().to_owned();
        assert!(std::net::TcpStream::connect(&address).is_ok());
        drop(local);
        assert!(std::net::TcpStream::connect(&address).is_err());
    }
}
