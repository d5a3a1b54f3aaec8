//! `cargo dev bench graphql`: the function graphql next to Apollo Server on Node, with the same schema
//! and the same data.

use crate::candidate::{Candidate, Implementation, Route};
use crate::event;
use crate::measure::{self, Effort};
use crate::plot;
use crate::report::Report;
use crate::scenario::{Expected, Scenario};
use crate::scene::{Extent, Scene, USER};
use anyhow::{Context as _, Result};
use dev::bundle::Bundle;
use dev::workspace;
use serde_json::json;
use std::path::Path;

const EXTENT: Extent = Extent { products: 1_000, orders: 100 };
/// A page of the catalogue: one Query.
const CATALOGUE: &str = "{ products(first: 25) { edges { node { productId name category brand price currency rating stock thumbnail createdAt } } \
                         pageInfo { hasNextPage } } }";
/// The caller, the last orders side by side, and the products of all their lines.
const ACCOUNT: &str = "{ user { name email orders(first: 10) { edges { node { orderId status placedAt total currency items { quantity name product { \
                       name thumbnail } } } } pageInfo { hasNextPage } } } }";

fn scenarios() -> [Scenario; 2] {
    let of = |name, path: &str, user, query: &str| Scenario {
        name,
        route: Route::Graphql,
        sharded: false,
        event: event::post(path, user, &json!({ "query": query })),
        peers: &[Implementation::Apollo],
        conditional: false,
        // Nothing is compared with it.
        expected: Expected { rounds: 0, calls: 0, units: 0.0, bytes: 0 },
    };
    [
        of("graphql-catalogue", "/v1/graphql/public", None, CATALOGUE),
        of("graphql-account", "/v1/graphql", Some(USER), ACCOUNT),
    ]
}

/// Runs it, prints it, and writes `graphql.json` and `graphql.svg` into a folder.
///
/// # Errors
/// If the bundle has no function graphql, something does not build, or the answers differ.
pub(crate) async fn run(
    bundle: &Bundle,
    build: bool,
    effort: Effort,
    mut report: Report,
    folder: &Path,
) -> Result<()> {
    let mut candidates = vec![Candidate::graphql(build).await?];
    match Candidate::peer(Implementation::Apollo, build).await {
        Ok(apollo) => candidates.push(apollo),
        Err(error) => report.left_out.push(format!("apollo: {error:#}")),
    }
    let scene = Scene::new(bundle, EXTENT).await?;
    let measured = tokio::task::spawn_blocking(move || {
        let scenarios = scenarios();
        let [catalogue, _] = &scenarios;
        report.cold =
            measure::cold(&candidates, Route::Graphql, &scene, effort, &catalogue.event, &|_| ())?;
        for scenario in &scenarios {
            let (rows, footprints) = measure::warm(&candidates, &scene, scenario, effort)?;
            report.warm.extend(rows);
            report.footprints = footprints;
        }
        Ok::<_, anyhow::Error>(report)
    });
    let report = measured.await.context("the benchmark ended")??;
    report.print();
    report.write(folder, "graphql.json")?;
    plot::graphql(&report, folder)?;
    println!("JSON and picture in {}", workspace::shown(folder));
    Ok(())
}
