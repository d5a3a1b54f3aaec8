//! `cargo dev bench case-study`: a user with ten thousand orders, on an account page that shows the
//! last ones with their products.

use crate::candidate::{Candidate, Implementation, Route};
use crate::event;
use crate::measure;
use crate::scene::{Scene, USER};
use crate::session::Session;
use crate::stats::{lossless, median};
use crate::surroundings::Surroundings;
use anyhow::Result;
use serde::Serialize;
use std::time::Duration;

/// Both ways.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CaseStudy {
    pub(crate) orders: u32,
    pub(crate) round_trip_milliseconds: u64,
    pub(crate) rows: Vec<Way>,
}

/// One way.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Way {
    pub(crate) candidate: &'static str,
    pub(crate) what: String,
    /// Milliseconds.
    pub(crate) wall: f64,
    pub(crate) rounds: f64,
    pub(crate) units: f64,
    /// Bytes of DynamoDB's answers.
    pub(crate) dynamodb_bytes: f64,
    /// Bytes of the answer; at most 5 MB for the naive way, because of Lambda's limit.
    pub(crate) body_bytes: usize,
    /// True if the figures are extrapolated from measured ones.
    pub(crate) extrapolated: bool,
}

const ROUND_TRIP: Duration = Duration::from_millis(5);
const QUERY: &str = "fields=orderId,status,placedAt,total,currency,items(name,quantity)&expand=customer,items.product";
const REPEATS: u32 = 15;

/// Measures this bundle's way and, if that peer is there, the naive one: all orders, each with its
/// customer and its products fetched one by one. The naive way is measured for `enrich` orders; the
/// rest is extrapolated and marked as such.
pub(crate) fn case_study(
    candidates: &[Candidate],
    scene: &Scene,
    orders: u32,
    enrich: u32,
    tick: &dyn Fn(&str),
) -> Result<CaseStudy> {
    let path = format!("/v1/users/{USER}/orders");
    let mut rows = Vec::new();
    for candidate in candidates {
        match candidate.implementation {
            Implementation::Ours => {
                tick("case study: one page");
                let event = event::get(&path, QUERY, Some(USER), &[]);
                let mut session = Session::start(candidate, Route::ListUserOrders, &scene.main)?;
                rows.push(way(
                    &mut session,
                    candidate.name,
                    "the first page, fields, expand",
                    &scene.main,
                    &event,
                    REPEATS,
                )?);
            }
            Implementation::RustDefaults => {
                let mut session = Session::start(candidate, Route::ListUserOrders, &scene.main)?;
                let mut naive = |enrich: u32| {
                    tick(&format!(
                        "case study: all orders, {enrich} of them with customer and products"
                    ));
                    let event = event::get(&path, &format!("enrich={enrich}"), Some(USER), &[]);
                    let what = format!("all {orders} orders, {enrich} enriched one by one");
                    way(&mut session, "naive", &what, &scene.main, &event, 1)
                };
                let (bare, some) = (naive(0)?, naive(enrich)?);
                let whole = |f: fn(&Way) -> f64| {
                    f(&bare) + (f(&some) - f(&bare)) / f64::from(enrich.max(1)) * f64::from(orders)
                };
                rows.push(some.clone());
                rows.push(Way {
                    what: format!("all {orders} orders enriched: extrapolated from {enrich}"),
                    wall: whole(|way| way.wall),
                    rounds: whole(|way| way.rounds),
                    units: whole(|way| way.units),
                    dynamodb_bytes: whole(|way| way.dynamodb_bytes),
                    extrapolated: true,
                    ..bare
                });
            }
            Implementation::Floor
            | Implementation::Node
            | Implementation::NodeRedis
            | Implementation::Graphql
            | Implementation::Apollo
            | Implementation::Python => {}
        }
    }
    let milliseconds = u64::try_from(ROUND_TRIP.as_millis()).unwrap_or_default();
    Ok(CaseStudy { orders, round_trip_milliseconds: milliseconds, rows })
}

fn way(
    session: &mut Session,
    candidate: &'static str,
    what: &str,
    around: &Surroundings,
    event: &str,
    repeats: u32,
) -> Result<Way> {
    // One run without the delay, so that the endpoint has recorded all answers.
    session.invoke(event)?;
    let (answered, traffic) = measure::counted(session, around, event)?;
    around.endpoint.delay(ROUND_TRIP);
    let walls: Result<Vec<f64>> = (0..repeats)
        .map(|_| session.invoke(event).map(|answered| answered.wall.as_secs_f64() * 1e3))
        .collect();
    around.endpoint.delay(Duration::ZERO);
    Ok(Way {
        candidate,
        what: what.to_owned(),
        wall: median(walls?).value,
        rounds: lossless(traffic.rounds),
        units: traffic.units,
        dynamodb_bytes: lossless(traffic.bytes),
        body_bytes: answered.body()?.1.len(),
        extrapolated: false,
    })
}

impl CaseStudy {
    /// As a table.
    pub(crate) fn print(&self) {
        println!(
            "case study: a user with {} orders, {} ms a round trip",
            self.orders, self.round_trip_milliseconds
        );
        println!(
            "{:<12} {:<48} {:>12} {:>9} {:>10} {:>12} {:>12}",
            "", "", "ms", "rounds", "units", "bytes read", "body bytes"
        );
        for Way { candidate, what, wall, rounds, units, dynamodb_bytes, body_bytes, .. } in
            &self.rows
        {
            println!(
                "{candidate:<12} {what:<48} {wall:>12.1} {rounds:>9.0} {units:>10.1} {dynamodb_bytes:>12.0} {body_bytes:>12}"
            );
        }
        println!();
    }
}
