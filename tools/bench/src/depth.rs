//! The cost of a page by its depth, and the size of an answer by its fields.

use crate::candidate::{Candidate, Implementation, Route};
use crate::endpoint::Traffic;
use crate::event;
use crate::measure::{self, Effort};
use crate::scene::Scene;
use crate::session::Session;
use crate::stats::{Median, median};
use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::Value;

/// One page.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Depth {
    pub(crate) candidate: &'static str,
    /// From 1.
    pub(crate) page: u32,
    /// Microseconds.
    pub(crate) p50: Median,
    pub(crate) instructions: Option<u64>,
    pub(crate) rounds: u64,
    pub(crate) units: f64,
    pub(crate) dynamodb_bytes: u64,
}

/// One choice of fields.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Fields {
    pub(crate) fields: &'static str,
    pub(crate) body_bytes: usize,
    pub(crate) dynamodb_bytes: u64,
    pub(crate) units: f64,
}

/// The number of items of a page, which determines the number of pages of a run's catalogue.
pub(crate) const LIMIT: u32 = 10;
const REPEATS: u32 = 15;

/// Follows `next` and measures some pages on the way, then measures the same pages by offset.
pub(crate) fn depth(
    candidates: &[Candidate],
    scene: &Scene,
    pages: &[u32],
    effort: Effort,
    tick: &dyn Fn(&str),
) -> Result<Vec<Depth>> {
    let mut rows = Vec::new();
    for candidate in candidates.iter().filter(|candidate| {
        matches!(candidate.implementation, Implementation::Ours | Implementation::RustDefaults)
    }) {
        let name = if candidate.implementation == Implementation::Ours {
            candidate.name
        } else {
            "offset"
        };
        let mut session = Session::start(candidate, Route::ListProducts, &scene.main)?;
        let first = event::get("/v1/products", &format!("limit={LIMIT}"), None, &[]);
        for _ in 0..measure::WARM_UP {
            session.invoke(&first)?;
        }
        let mut cursor = None;
        for page in 1..=pages.last().copied().unwrap_or(1) {
            let query = match (candidate.implementation, &cursor) {
                (Implementation::Ours, None) => format!("limit={LIMIT}"),
                (Implementation::Ours, Some(cursor)) => format!("limit={LIMIT}&cursor={cursor}"),
                _ => format!("limit={LIMIT}&offset={}", (page - 1) * LIMIT),
            };
            let event = event::get("/v1/products", &query, None, &[]);
            let wanted = pages.contains(&page);
            if wanted || candidate.implementation == Implementation::Ours {
                cursor = Some(next(&session.invoke(&event)?.body()?.1)?)
                    .filter(|cursor| !cursor.is_empty());
            }
            if !wanted {
                continue;
            }
            tick(&format!("page {page} of {name}"));
            let (_, Traffic { rounds, units, bytes, .. }) =
                measure::counted(&mut session, &scene.main, &event)?;
            let walls = (0..REPEATS)
                .map(|_| session.invoke(&event).map(|answered| answered.wall.as_secs_f64() * 1e6));
            let p50 = median(walls.collect::<Result<Vec<_>>>()?);
            let instructions = if effort.counted > 0 {
                // A deep page by offset costs as much as a thousand shallow ones, so a few are
                // enough.
                let requests = if candidate.implementation == Implementation::Ours {
                    effort.counted
                } else {
                    2
                };
                Some(measure::instructions(
                    candidate,
                    &scene.main,
                    Route::ListProducts,
                    &event,
                    requests,
                )?)
            } else {
                None
            };
            rows.push(Depth {
                candidate: name,
                page,
                p50,
                instructions,
                rounds,
                units,
                dynamodb_bytes: bytes,
            });
        }
    }
    Ok(rows)
}

fn next(body: &str) -> Result<String> {
    let body: Value = serde_json::from_str(body).context("no page")?;
    Ok(body["page"]["next"].as_str().unwrap_or_default().to_owned())
}

/// Every top-level field of a product.
const ALL: &str = "productId,sku,name,description,category,brand,price,currency,rating,stock,tags,weight,dimensions,images,thumbnail,createdAt,updatedAt";

/// Measures a list of 100 with all its fields, with those of the summary, and with one.
pub(crate) fn fields(ours: &Candidate, scene: &Scene) -> Result<Vec<Fields>> {
    let mut session = Session::start(ours, Route::ListProducts, &scene.main)?;
    let choices = [
        ("all", format!("limit=100&fields={ALL}")),
        ("summary", "limit=100".to_owned()),
        ("name,price", "limit=100&fields=name,price".to_owned()),
        ("name", "limit=100&fields=name".to_owned()),
    ];
    let mut rows = Vec::new();
    for (fields, query) in choices {
        let (body, traffic) = measure::counted(
            &mut session,
            &scene.main,
            &event::get("/v1/products", &query, None, &[]),
        )?;
        rows.push(Fields {
            fields,
            body_bytes: body.body()?.1.len(),
            dynamodb_bytes: traffic.bytes,
            units: traffic.units,
        });
    }
    Ok(rows)
}
