//! The data of a run and the servers in front of it.

use crate::endpoint::Endpoint;
use crate::surroundings::Surroundings;
use crate::tls::Authority;
use anyhow::{Context as _, Error, Result, bail};
use dev::bundle::Bundle;
use dev::database::{self, Local};
use dev::load::{self, Destination};
use dev::{client, workspace};
use shop::sample;
use std::io::{BufWriter, Write};
use std::path::Path;

/// The amount of data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// Products of the catalogue in one partition; they determine the number of pages.
    pub(crate) products: u32,
    /// Orders of `u-1`.
    pub(crate) orders: u32,
}

/// Two databases, each behind an endpoint.
#[derive(Debug)]
pub(crate) struct Scene {
    /// One partition of the catalogue, and one user with a long history.
    pub(crate) main: Surroundings,
    /// The sample's products over [`SHARDS`] partitions.
    pub(crate) sharded: Surroundings,
    _databases: [Local; 2],
}

/// Partitions of the sharded catalogue.
pub(crate) const SHARDS: u32 = 4;
/// The user with a long history.
pub(crate) const USER: &str = "u-1";

impl Scene {
    /// Makes data, databases, certificates and endpoints.
    pub(crate) async fn new(bundle: &Bundle, extent: Extent) -> Result<Self> {
        let folder = workspace::target(&workspace::root()).join("bench/run");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", workspace::shown(&folder)))?;
        let authority = Authority::new()?;
        write(&folder.join("ca.pem"), &authority.pem)?;
        write(&folder.join("server.pem"), &authority.server_pem.0)?;
        write(&folder.join("server-key.pem"), &authority.server_pem.1)?;
        let store = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];
        let store =
            store.iter().find_map(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        write(&folder.join("store.pem"), &format!("{store}\n{}", authority.pem))?;

        let product = |number: u32| sample::product(number).to_string();
        let order = |number: u32| {
            let mut order = sample::order(number);
            order["userId"] = USER.into();
            order.to_string()
        };
        lines(&folder.join("products.jsonl"), (1..=extent.products).map(product))?;
        lines(
            &folder.join("users.jsonl"),
            (1..=sample::USERS).map(|number| sample::user(number).to_string()),
        )?;
        lines(&folder.join("orders.jsonl"), (1..=extent.orders).map(order))?;
        let main = filled(bundle, &folder, 1, &["products", "users", "orders"]).await?;
        lines(&folder.join("products.jsonl"), (1..=sample::PRODUCTS).map(product))?;
        let sharded = filled(bundle, &folder, SHARDS, &["products"]).await?;
        let around = |local: &Local, shards| {
            let endpoint = Endpoint::start(&local.url, authority.server.clone())?;
            Ok::<_, Error>(Surroundings { folder: folder.clone(), endpoint, shards })
        };
        Ok(Self {
            main: around(&main, 1)?,
            sharded: around(&sharded, SHARDS)?,
            _databases: [main, sharded],
        })
    }
}

async fn filled(bundle: &Bundle, folder: &Path, shards: u32, names: &[&str]) -> Result<Local> {
    let local = database::start(&bundle.template)?;
    let client = client::local(&local.url);
    for name in names {
        let to = Destination { client: Some(&client), of: bundle.find(name)?, name, shards };
        let report =
            load::file(to, &folder.join(format!("{name}.jsonl")), &folder.join("rejects.jsonl"))
                .await?;
        if report.rejected > 0 {
            bail!("the data of the benchmark does not fit its bundle: {report}");
        }
    }
    Ok(local)
}

fn lines(path: &Path, lines: impl Iterator<Item = String>) -> Result<()> {
    let failed = || format!("cannot write {}", workspace::shown(path));
    let mut file = BufWriter::new(std::fs::File::create(path).with_context(failed)?);
    for line in lines {
        writeln!(file, "{line}").with_context(failed)?;
    }
    file.flush().with_context(failed)
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", workspace::shown(path)))
}
