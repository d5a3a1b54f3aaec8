//! The cache tier: its price, what a page costs with it, and from how many reads on it pays.

use super::prices::{
    ALARM, CACHE_GB_HOUR, CACHE_LEAST_GB, CACHE_UNITS, DYNAMODB, LAMBDA_GB_SECOND, METRIC, SECRET,
};
use super::{Measured, ROUND_MS};
use crate::bundle::Bundle;
use crate::local_http;
use anyhow::{Context as _, Result, ensure};
use api::{Policy, Resource, Route};
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use bytes::Bytes;
use http::Request;
use std::sync::{Arc, Mutex, PoisonError};

/// The assumed share of reads that the cache has, among those that reach a function.
const HITS: f64 = 0.9;
/// The assumed time of a command to the cache.
const COMMAND_MS: f64 = 1.0;
/// The hours of a month.
const HOURS: f64 = 730.0;
/// Alarms of the tier: on requests that went without it, and on refused commands.
const ALARMS: f64 = 2.0;

/// A page that the cache keeps.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// `default page`
    what: &'static str,
    /// Read request units, without the cache.
    units: f64,
    /// Rounds of DynamoDB calls.
    rounds: f64,
    /// The sizes of DynamoDB's answers, in bytes. Each is a key of the cache.
    answers: Vec<usize>,
}

/// Records the questions to DynamoDB: the headers, and the body, which makes a key of the cache.
#[derive(Debug, Clone, Default)]
pub(super) struct Questions(Arc<Mutex<Vec<Question>>>);

#[derive(Debug, Clone)]
struct Question {
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Questions {
    /// Forgets the questions so far.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Asks the local database the same again, and returns the sizes of its answers in bytes: what
    /// the functions read keeps no sizes.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(super) async fn sizes(&self, url: &str) -> Result<Vec<usize>> {
        let address =
            url.trim_start_matches("http://").parse().context("the database's address")?;
        let questions = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut sizes = Vec::new();
        for Question { headers, body } in questions {
            let mut request = Request::post("/");
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let request = request.body(body)?;
            let answer = local_http::send(address, request).await?;
            ensure!(answer.status().is_success(), "the local database answers {}", answer.status());
            sizes.push(answer.body().len());
        }
        Ok(sizes)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Questions {
    fn name(&self) -> &'static str {
        "Questions"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let headers = request.headers().iter().filter(|(name, _)| *name != "host");
        let question = Question {
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: Bytes::copy_from_slice(request.body().bytes().unwrap_or_default()),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(question);
        Ok(())
    }
}

/// Returns the queries of the pages that the cache keeps: the default page, and one of all fields.
/// There are none for a route whose own items are private.
pub(super) fn queries(route: &Route) -> Vec<(&'static str, String)> {
    if !route.is_list() || !is_public(route.resource) {
        return Vec::new();
    }
    let fields: Vec<_> = route.resource.fields.iter().map(|field| field.name).collect();
    vec![
        ("default page", String::new()),
        ("page of all fields", format!("fields={}", fields.join(","))),
    ]
}

fn is_public(resource: &Resource) -> bool {
    matches!(resource.policy, Policy::Public { .. })
}

/// Returns the number of routes whose functions use the cache.
pub(super) fn routes(bundle: &Bundle) -> usize {
    let uses = |route: &&&Route| route.is_list() && route.resources().any(is_public);
    bundle.routes.iter().filter(uses).count()
}

impl Page {
    pub(super) fn new(what: &'static str, measured: &Measured, answers: Vec<usize>) -> Self {
        Self { what, units: measured.units, rounds: measured.rounds, answers }
    }

    /// Returns what a million reads of the page cost less with the cache, and the arithmetic.
    fn saved(&self, gb: f64) -> (f64, String) {
        let missed = 1.0 - HITS;
        // A unit is a KB read or written, and at least one a command.
        let kilobytes: f64 =
            self.answers.iter().map(|bytes| (*bytes as f64 / 1_000.0).max(1.0)).sum();
        let commands = self.answers.len() as f64;
        // A read is a GETRANGE and a PTTL; a miss finds nothing, and adds a SET.
        let used = HITS * (kilobytes + commands) + missed * (2.0 * commands + kilobytes);
        let ms = self.rounds * (HITS * (ROUND_MS - COMMAND_MS) - missed * 2.0 * COMMAND_MS);
        let (reads, time, cache) = (
            HITS * self.units * DYNAMODB,
            ms * 1_000.0 * gb * LAMBDA_GB_SECOND,
            used * CACHE_UNITS,
        );
        let text = format!(
            "{reads:.3} ({HITS} × {} units × {DYNAMODB}) + {time:.3} ({ms:.1} ms less × {gb} GB × {LAMBDA_GB_SECOND:.10} × 1000) - {cache:.3} \
             ({used:.1} units of the cache × {CACHE_UNITS})",
            self.units
        );
        (reads + time - cache, text)
    }
}

/// Returns the price a month of a cache that holds little, and the arithmetic.
fn fixed(routes: usize) -> (f64, String) {
    let metrics = 2.0 * routes as f64 + 1.0;
    let data = CACHE_LEAST_GB * CACHE_GB_HOUR * HOURS;
    let text = format!(
        "{data:.2} ({CACHE_LEAST_GB} GB, the least × {CACHE_GB_HOUR} × {HOURS} h) + {SECRET:.2} secret + {:.2} ({ALARMS} alarms × {ALARM:.2}) + {:.2} \
         ({metrics} metrics × {METRIC:.2})",
        ALARMS * ALARM,
        metrics * METRIC
    );
    (data + SECRET + ALARMS * ALARM + metrics * METRIC, text)
}

/// Returns the text to print; it is empty if no route lists public items.
pub(super) fn text(measured: &[Measured], routes: usize, gb: f64) -> String {
    if measured.iter().all(|of| of.kept.is_empty()) {
        return String::new();
    }
    let (a_month, arithmetic) = fixed(routes);
    let mut text = format!(
        "\nThe cache tier (CacheTier=valkey), if it has {:.0} % of the reads that reach a function: those that the CDN does not answer\n  {a_month:.2} a month = \
         {arithmetic}\n",
        HITS * 100.0
    );
    for of in measured {
        for page in &of.kept {
            let (saved, arithmetic) = page.saved(gb);
            let pays = if saved > 0.0 {
                let millions = a_month / saved;
                format!(
                    "pays from {millions:.1} million reads a month on, {:.1} a second",
                    millions * 1e6 / (HOURS * 3_600.0)
                )
            } else {
                "never pays".to_owned()
            };
            text.push_str(&format!(
                "  {}, {}: {pays}: a million cost {saved:.3} less = {arithmetic}\n",
                of.route.name, page.what
            ));
        }
    }
    text.push_str(&format!(
        "  {COMMAND_MS} ms is assumed for a command. Not counted: data that crosses availability zones, and what more than {CACHE_LEAST_GB} GB of answers take.\n"
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(units: f64, answers: &[usize]) -> Page {
        Page { what: "default page", units, rounds: 1.0, answers: answers.to_vec() }
    }

    #[test]
    fn a_page_saves_its_units_less_those_of_the_cache() {
        let (saved, text) = page(1.5, &[9_000]).saved(0.25);
        // 0.9 × 1.5 × 0.125 + 3.4 ms × 0.25 × 0.0000133334 × 1000 - (0.9 × 10 + 0.1 × 11) × 0.0023
        assert!((saved - (0.168_75 + 0.011_333 - 0.023_23)).abs() < 1e-5, "{saved} = {text}");
        let (short, _) = page(0.0, &[10]).saved(0.0);
        assert!(
            (short + 2.1 * 0.0023).abs() < 1e-9,
            "a command is a unit: two, or three for a miss"
        );
    }

    #[test]
    fn the_price_and_the_break_even_are_those_of_their_arithmetic() {
        let (a_month, text) = fixed(2);
        assert!((a_month - (6.132 + 0.4 + 0.2 + 1.5)).abs() < 1e-9, "{text}");
        let of = |kept| {
            let route: &'static Route = &shop::LIST_PRODUCTS;
            let (units, rounds, own_ms) = (1.5, 1.0, 3.0);
            Measured { route, units, writes: 0.0, rounds, own_ms, body: 1, log: 1, kept }
        };
        assert_eq!(super::text(&[of(Vec::new())], 2, 0.25), "");
        let text = super::text(&[of(vec![page(1.5, &[9_000]), page(0.1, &[9_000])])], 2, 0.25);
        assert!(
            text.contains("list-products, default page: pays from 52.5 million reads"),
            "{text}"
        );
        assert!(text.contains("default page: pays from 52.5") && text.contains("8.23 a month"));
        let text = super::text(&[of(vec![page(0.0, &[99_000])])], 2, 0.25);
        assert!(text.contains("never pays"), "{text}");
    }

    #[test]
    fn only_lists_of_public_items_are_kept() {
        assert_eq!(queries(&shop::LIST_PRODUCTS).len(), 2);
        assert!(queries(&shop::GET_USER).is_empty() && queries(&shop::LIST_USER_ORDERS).is_empty());
        let bundle = Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE).unwrap();
        assert_eq!(routes(&bundle), 2, "the orders expand public items");
    }
}
