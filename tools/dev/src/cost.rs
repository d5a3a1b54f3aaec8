//! `cargo dev cost`: what a million requests of each route cost, from what the functions read and
//! send here.
//!
//! Each route is asked once for its default answer, over the sample data in an in-process DynamoDB.
//! Units and bytes are those of the request. The time is the processor time here plus an assumed
//! time for each round of DynamoDB calls.

mod prices;
mod scale;
mod tier;

use crate::bundle::Bundle;
use crate::client;
use crate::database;
use crate::load;
use crate::plan;
use crate::rows::Rows;
use crate::sample::Sample;
use anyhow::{Context as _, Result, ensure};
use api::{Access, App, Client, Config, Route};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{Builder, Region};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prices::{
    API, DYNAMODB, DYNAMODB_WRITES, EDGE, EDGE_FUNCTION, EDGE_GB, LAMBDA, LAMBDA_GB_SECOND, LOGS,
    OUT_GB,
};
use serde_json::json;
use std::time::Duration;

/// The assumed time of a round of DynamoDB calls.
const ROUND_MS: f64 = 5.0;
/// The assumed size of a response's headers.
const HEADER_BYTES: usize = 500;
/// The assumed size of a line of API Gateway's access log.
const ACCESS_LOG_BYTES: usize = 400;
/// The shares of hits.
const HITS: [u32; 3] = [0, 50, 90];
/// Requests of one caller in a row. The fastest counts, and what all of them write for the quota: a
/// caller who sends as many to one process within a window.
const RUNS: usize = 30;
/// The quota that is measured: whatever it is from 128 up, the leases are the same.
const QUOTA: &str = "600;w=3600";

/// The resources that one request of a route takes.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The route.
    pub route: &'static Route,
    /// Read request units.
    pub units: f64,
    /// Write request units of the quota, the mean of a caller's requests.
    pub writes: f64,
    /// Rounds of DynamoDB calls.
    pub rounds: f64,
    /// Milliseconds without those in which DynamoDB was waited for.
    pub own_ms: f64,
    /// The body as it is sent to who accepts gzip, in bytes.
    pub body: usize,
    /// The lines in the logs of the function and of API Gateway, in bytes.
    pub log: usize,
    /// The pages that the cache tier would keep.
    kept: Vec<tier::Page>,
}

/// Measures each route that the sample has an item for.
///
/// # Errors
/// If the database cannot be started, or a route does not answer with 200.
pub async fn measure(bundle: &Bundle, sample: &Sample) -> Result<Vec<Measured>> {
    let local = database::start(&bundle.template)?;
    let client = client::local(&local.url);
    load::sample(&client, bundle, sample, 1).await?;
    let rows = Rows::read(&client, bundle, sample).await?;
    let tables = bundle.stored()?;
    let variable = |name: &str| match name {
        "CURSOR_SECRET" => Some("no cursor of this secret leaves the process".to_owned()),
        "SERVER_TIMING" => Some("full".to_owned()),
        "CALLER_LIMIT" => Some(QUOTA.to_owned()),
        "LIMITS_TABLE" => bundle.template.counters().map(|table| table.local_name.clone()),
        table => tables
            .iter()
            .find(|of| of.resource.table_variable == table)
            .map(|of| of.table.local_name.clone()),
    };
    let mut measured = Vec::new();
    for &route in bundle.routes {
        let owner = if let Access::Owner { field, .. } = route.access { Some(field) } else { None };
        let caller = owner
            .and_then(|field| rows.text(route.resource, field))
            .unwrap_or_else(|| rows.caller(bundle));
        let value = |name| {
            if owner == Some(name) {
                Some(caller.to_owned())
            } else {
                rows.text(route.resource, name).map(str::to_owned)
            }
        };
        let Some(path) = plan::filled(route, value) else { continue };
        let event = plan::event(
            &path,
            "",
            &json!({ "accept-encoding": "gzip" }),
            &plan::claims(route, caller),
        )
        .to_string();
        let questions = tier::Questions::default();
        let credentials = Credentials::from_keys("local", "local", None);
        let config = Builder::new()
            .region(Region::from_static("us-east-1"))
            .credentials_provider(credentials)
            .interceptor(questions.clone())
            .endpoint_url(&local.url);
        let app = App::new(Config::read(route, variable)?, Client::new(config));
        let mut best: Option<Measured> = None;
        let mut writes = 0.0;
        for _ in 0..RUNS {
            let (response, line) =
                app.respond(&event, "request-1", Duration::from_secs(5), &api::answer).await;
            let found = of(route, &serde_json::to_value(&response)?, line.len())?;
            writes += found.writes;
            if best.as_ref().is_none_or(|best| found.own_ms < best.own_ms) {
                best = Some(found);
            }
        }
        let mut kept = Vec::new();
        for (what, query) in tier::queries(route) {
            let headers = json!({ "accept-encoding": "gzip" });
            let claims = plan::claims(route, caller);
            let event = plan::event(&path, &query, &headers, &claims).to_string();
            questions.forget();
            let (response, line) =
                app.respond(&event, "request-1", Duration::from_secs(5), &api::answer).await;
            let found = of(route, &serde_json::to_value(&response)?, line.len())?;
            kept.push(tier::Page::new(what, &found, questions.sizes(&local.url).await?));
        }
        let writes = writes / RUNS as f64;
        measured.extend(best.map(|best| Measured { writes, kept, ..best }));
    }
    Ok(measured)
}

fn of(route: &'static Route, response: &serde_json::Value, log: usize) -> Result<Measured> {
    ensure!(
        response["statusCode"] == 200,
        "{} answers with {}: {}",
        route.name,
        response["statusCode"],
        response["body"]
    );
    let body = response["body"].as_str().unwrap_or_default();
    let body =
        if response["isBase64Encoded"] == true { STANDARD.decode(body)?.len() } else { body.len() };
    let timing = response["headers"]["server-timing"].as_str().unwrap_or_default();
    let number = |name: &str| -> Result<f64> {
        let text =
            timing.split(name).nth(1).and_then(|rest| rest.split([' ', '"', ';', ',']).next());
        text.and_then(|text| text.parse().ok())
            .with_context(|| format!("server-timing has no {name}: {timing}"))
    };
    let own_ms = number("total;dur=")? - number("db;dur=")?;
    Ok(Measured {
        route,
        // The name of the other units ends with it, too.
        units: number(" units=")?,
        writes: number("write-units=").unwrap_or_default(),
        rounds: number("rounds=")?,
        own_ms,
        body,
        log: log + ACCESS_LOG_BYTES,
        kept: Vec::new(),
    })
}

/// Returns the memory of the functions, in GB.
fn memory(bundle: &Bundle) -> Result<f64> {
    let memory = bundle.template.document["Globals"]["Function"]["MemorySize"].as_f64();
    Ok(memory.context("template.yaml has no Globals.Function.MemorySize")? / 1_024.0)
}

impl Measured {
    /// Returns the assumed time of a request, in milliseconds.
    fn ms(&self) -> f64 {
        self.rounds * ROUND_MS + self.own_ms
    }

    /// Returns the share of hits from which on the CDN is cheaper than none, with its arithmetic.
    ///
    /// With h hits, `edge + (1 - h) × function` is less than `function + out`.
    fn edge_pays(&self, gb: f64) -> String {
        let (function, _) = self.function(gb);
        let bytes = (self.body + HEADER_BYTES) as f64;
        let (saved, sent) = (bytes / 1_000.0 * OUT_GB, bytes / 1_000.0 * EDGE_GB);
        let share = (EDGE + EDGE_FUNCTION + sent - saved) / function;
        format!(
            "{}: {:.0} % = ({EDGE:.2} CloudFront + {EDGE_FUNCTION:.2} its function + {sent:.2} - {saved:.2} for {bytes} B sent) ÷ {function:.2} behind it",
            self.route.name,
            share * 100.0
        )
    }

    /// Returns the cost of a million requests that reach the function, without sending the answer,
    /// and its arithmetic.
    fn function(&self, gb: f64) -> (f64, String) {
        let ms = self.ms();
        let time = ms * 1_000.0 * gb * LAMBDA_GB_SECOND;
        let (reads, log) = (self.units * DYNAMODB, self.log as f64 / 1_000.0 * LOGS);
        let writes = self.writes * DYNAMODB_WRITES;
        let sum = API + LAMBDA + time + reads + writes + log;
        let counted = match self.writes {
            0.0 => String::new(),
            units => format!(" + {writes:.3} ({units} writes × {DYNAMODB_WRITES})"),
        };
        let text = format!(
            "{API:.2} API + {LAMBDA:.2} Lambda + {time:.3} ({ms:.1} ms × {gb} GB × {LAMBDA_GB_SECOND:.10} × 1000) + {reads:.3} ({} units × \
             {DYNAMODB}){counted} + {log:.2} ({} B of log × {LOGS:.2} ÷ 1000)",
            self.units, self.log
        );
        (sum, text)
    }

    /// Returns the cost of a million requests of which `hits` % are served without the function,
    /// and its arithmetic.
    ///
    /// A public answer is kept by CloudFront. A private one is kept by the caller, who then gets a
    /// 304: only its body is saved.
    fn million(&self, gb: f64, hits: u32) -> (f64, String) {
        let (function, arithmetic) = self.function(gb);
        let bytes = self.body + HEADER_BYTES;
        let sent = |bytes: f64, price: f64| bytes / 1_000.0 * price;
        if hits == 0 {
            let out = sent(bytes as f64, OUT_GB);
            return (
                function + out,
                format!("{arithmetic} + {out:.2} ({bytes} B sent × {OUT_GB} ÷ 1000)"),
            );
        }
        let missed = f64::from(100 - hits) / 100.0;
        if self.route.access == Access::Public {
            let (through, out) = (missed * function, sent(bytes as f64, EDGE_GB));
            let text = format!(
                "{EDGE:.2} CloudFront + {EDGE_FUNCTION:.2} its function + {out:.2} ({bytes} B sent × {EDGE_GB} ÷ 1000) + {through:.2} ({missed} × \
                 {function:.2} behind it)"
            );
            return (EDGE + EDGE_FUNCTION + out + through, text);
        }
        let bytes = HEADER_BYTES as f64 + missed * self.body as f64;
        let out = sent(bytes, OUT_GB);
        (
            function + out,
            format!(
                "{function:.2} as without hits, because a 304 is read too + {out:.2} ({bytes:.0} B sent × {OUT_GB} ÷ 1000)"
            ),
        )
    }
}

/// Returns the text to print; `bundle` is that of [`measure`].
///
/// # Errors
/// If template.yaml does not state the memory of all functions.
pub fn text(bundle: &Bundle, measured: &[Measured]) -> Result<String> {
    let gb = memory(bundle)?;
    Ok(of_measured(measured, tier::routes(bundle), gb))
}

fn of_measured(measured: &[Measured], cached: usize, gb: f64) -> String {
    let mut text = format!(
        "USD for a million requests: list prices of us-east-1, November 2026, without free tiers. Measured over the sample data in this build; \
         {ROUND_MS} ms are assumed for a round of DynamoDB calls, {HEADER_BYTES} bytes for headers, {ACCESS_LOG_BYTES} for the \
         access log, and {RUNS} requests of a caller to a process in each window of the quota. Public hits are served by CloudFront; private ones are a caller's own, without CloudFront.\n"
    );
    for of in measured {
        let Measured { route, units, writes, rounds, own_ms, body, log, .. } = of;
        text.push_str(&format!(
            "\n{} (GET {}): {rounds} rounds, {units} units, {writes} writes, {own_ms:.1} ms of its own, {body} bytes of body, {log} bytes of log\n",
            route.name, route.path
        ));
        for hits in HITS {
            let (sum, arithmetic) = of.million(gb, hits);
            text.push_str(&format!("  {hits:>2} % hits: {sum:.2} = {arithmetic}\n"));
        }
    }
    text.push_str(&scale::text(measured, gb));
    text.push_str(&tier::text(measured, cached, gb));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_is_the_sum_of_its_parts() {
        let of = |route| Measured {
            route,
            units: 1.5,
            writes: 0.2,
            rounds: 1.0,
            own_ms: 3.0,
            body: 2_500,
            log: 1_000,
            kept: Vec::new(),
        };
        let public = Measured { writes: 0.0, ..of(&shop::LIST_PRODUCTS) };
        // 1 + 0.2 + 8 ms × 0.25 GB × 13.3334e-6 × 1000 + 1.5 × 0.125 + 0.5
        assert!((public.function(0.25).0 - 1.914_166_8).abs() < 1e-6);
        assert!((public.million(0.25, 0).0 - 2.184_166_8).abs() < 1e-6, "and 3,000 bytes at 0.09");
        assert!((public.million(0.25, 90).0 - (1.1 + 0.255 + 0.191_416_68)).abs() < 1e-6);
        let private = of(&shop::GET_USER);
        assert!(
            (private.million(0.25, 90).0 - (1.914_166_8 + 0.2 * 0.625 + 0.067_5)).abs() < 1e-6,
            "750 bytes at 0.09, and 0.2 writes at 0.625"
        );
    }

    #[tokio::test]
    async fn units_and_bytes_are_those_of_the_functions() {
        let bundle = Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE).unwrap();
        let sample = Sample::of(bundle.resources, |resource| {
            shop::sample::lines(resource.name).take(30).collect()
        });
        let measured = measure(&bundle, &sample).await.unwrap();
        let names: Vec<_> = measured.iter().map(|of| of.route.name).collect();
        assert_eq!(names, ["list-products", "get-user", "list-user-orders"]);
        assert_eq!(
            (measured[1].units, measured[1].rounds),
            (0.5, 1.0),
            "one item of less than 4 KB"
        );
        let writes: Vec<_> = measured.iter().map(|of| of.writes).collect();
        assert_eq!(writes, [0.0, 0.2, 0.2], "6 of 30 requests of a caller write");
        assert!(
            measured.iter().all(|of| of.body > 100 && of.log > 100 && of.own_ms > 0.0),
            "{measured:?}"
        );
        let text = of_measured(&measured, 2, 0.25);
        assert_eq!(text.matches(" % hits: ").count(), 9);
        assert_eq!(text.matches(" million reads a month on").count(), 2, "of products: {text}");
    }
}
