//! The settings, and the quotas to ask AWS for, at 10, 1,000 and 100,000 requests a second.

use super::Measured;
use super::prices::{
    API_QUOTA, DYNAMODB, DYNAMODB_UNIT_HOUR, EDGE_QUOTA, LAMBDA_GROWTH, LAMBDA_QUOTA,
    LAMBDA_UNRESERVED, PARTITION, TABLE_QUOTA, TABLE_WARM,
};
use api::Access;

/// Requests a second to each route.
const RATES: [f64; 3] = [10.0, 1_000.0, 100_000.0];
/// A peak above the rate that is still served.
const PEAK: f64 = 1.5;
/// The longest time of a request, in seconds, and the routes of a function: GET and HEAD.
const REQUEST_SECONDS: f64 = 3.0;
const METHODS: f64 = 2.0;
/// The seconds and hours of 30 days.
const MONTH: f64 = 2_592_000.0;
const HOURS: f64 = 720.0;
/// The part of provisioned units that is used on average.
const USED: f64 = 0.7;
/// The highest CATALOG_SHARDS.
const SHARDS: f64 = 16.0;

/// A row of the table: a figure for each rate, and how it is worked out.
struct Row {
    what: &'static str,
    cells: [String; 3],
    arithmetic: String,
}

/// Makes a row of `of(rate)`. What is above `limit` is marked with `!`.
fn row(
    what: &'static str,
    arithmetic: impl Into<String>,
    limit: f64,
    of: impl Fn(f64) -> f64,
) -> Row {
    let cells = RATES.map(|rate| {
        let value = of(rate);
        format!("{}{}", grouped(value), if value > limit { " !" } else { "" })
    });
    Row { what, cells, arithmetic: arithmetic.into() }
}

/// Writes a number with separators, and with decimals if it is small.
fn grouped(value: f64) -> String {
    if value < 10.0 && (value - value.round()).abs() > 1e-9 {
        return format!("{value:.2}");
    }
    let digits = format!("{:.0}", (value - 1e-6).ceil().max(0.0));
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns the table, with a line for each setting and each quota.
pub(super) fn text(measured: &[Measured], gb: f64) -> String {
    let Some(most) = measured.iter().max_by(|a, b| a.units.total_cmp(&b.units)) else {
        return String::new();
    };
    let slowest = measured.iter().map(Measured::ms).fold(0.0, f64::max);
    let (units, routes) = (most.units, measured.len() as f64);
    let public: Vec<_> = measured.iter().filter(|of| of.route.access == Access::Public).collect();
    let reserved = PEAK * REQUEST_SECONDS * METHODS;
    let month = |hits| {
        move |rate: f64| {
            rate * MONTH / 1e6 * measured.iter().map(|of| of.million(gb, hits).0).sum::<f64>()
        }
    };
    let mut rows = vec![
        row("RateLimit", format!("{PEAK} × r: a peak above the rate"), f64::MAX, |r| PEAK * r),
        row("BurstLimit", "2 × RateLimit", f64::MAX, |r| 2.0 * PEAK * r),
        row(
            "API Gateway: requests a second",
            format!("{routes} routes × RateLimit; quota {}", grouped(API_QUOTA)),
            API_QUOTA,
            |r| routes * PEAK * r,
        ),
        row(
            "Lambda: executions of a route, usually",
            format!("r × {slowest:.2} ms ÷ 1000, of the slowest route"),
            LAMBDA_QUOTA,
            |r| r * slowest / 1_000.0,
        ),
        row(
            "ReservedConcurrency",
            format!(
                "RateLimit × {REQUEST_SECONDS} s × {METHODS} (GET and HEAD): if DynamoDB hangs"
            ),
            LAMBDA_QUOTA - LAMBDA_UNRESERVED,
            |r| reserved * r,
        ),
        row(
            "Lambda: executions of the account",
            format!(
                "{routes} functions × ReservedConcurrency + {LAMBDA_UNRESERVED} unreserved; quota {}",
                grouped(LAMBDA_QUOTA)
            ),
            LAMBDA_QUOTA,
            |r| routes * reserved * r + LAMBDA_UNRESERVED,
        ),
        row(
            "Lambda: seconds from nothing to that rate",
            format!("executions of a route, usually ÷ {} × 10 s", grouped(LAMBDA_GROWTH)),
            f64::MAX,
            |r| r * slowest / 1_000.0 / LAMBDA_GROWTH * 10.0,
        ),
        row(
            "MaxReadUnits",
            format!(
                "RateLimit × {units} units of {}; a new table takes {} at once, its quota is {}",
                most.route.name,
                grouped(TABLE_WARM),
                grouped(TABLE_QUOTA)
            ),
            TABLE_WARM,
            |r| PEAK * r * units,
        ),
    ];
    if let Some(list) = measured.iter().find(|of| of.route.is_sharded()) {
        rows.push(row(
            "CatalogShards",
            format!(
                "RateLimit × {} units of {} ÷ {} of a partition; at most {SHARDS}",
                list.units,
                list.route.name,
                grouped(PARTITION)
            ),
            SHARDS,
            |r| (PEAK * r * list.units / PARTITION).ceil().max(1.0),
        ));
    }
    rows.push(row(
        "On demand, USD a month",
        format!("r × {units} units × {} s × {DYNAMODB} ÷ 1,000,000", grouped(MONTH)),
        f64::MAX,
        |r| r * units * MONTH * DYNAMODB / 1e6,
    ));
    rows.push(row(
        "Provisioned, USD a month",
        format!(
            "r × {units} units ÷ {USED} × {HOURS} h × {DYNAMODB_UNIT_HOUR}, if {USED} of it is used"
        ),
        f64::MAX,
        |r| r * units / USED * HOURS * DYNAMODB_UNIT_HOUR,
    ));
    if !public.is_empty() {
        let count = public.len();
        rows.push(row(
            "CloudFront: requests a second",
            format!("{count} public × RateLimit; quota {}", grouped(EDGE_QUOTA)),
            EDGE_QUOTA,
            |r| count as f64 * PEAK * r,
        ));
        rows.push(row(
            "Past it at 90 % hits",
            "r × 0.1 for each public route: read the column of that rate",
            f64::MAX,
            |r| r * 0.1,
        ));
    }
    for (what, hits) in [("All routes, USD a month", 0), ("The same at 90 % hits", 90)] {
        rows.push(row(
            what,
            format!(
                "r × {} s ÷ 1,000,000 × the sum of the routes' figures at {hits} % hits",
                grouped(MONTH)
            ),
            f64::MAX,
            month(hits),
        ));
    }
    let mut text = "\nWhat to change, for r requests a second to each route (! is above what AWS \
                    gives by default, or a limit here)\n\n"
        .to_owned();
    let wide = rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
    let line = |what: &str, cells: [&str; 3], arithmetic: &str| {
        let [few, more, most] = cells;
        format!("  {what:<wide$}  {few:>9}  {more:>11}  {most:>14}   {arithmetic}\n")
    };
    text.push_str(&line("", ["10", "1,000", "100,000"], ""));
    for Row { what, cells, arithmetic } in &rows {
        text.push_str(&line(what, [&cells[0], &cells[1], &cells[2]], arithmetic));
    }
    text.push_str(ADVICE);
    for of in public {
        text.push_str(&format!("  {}\n", of.edge_pays(gb)));
    }
    text
}

/// The action that a marked figure asks for.
const ADVICE: &str = "
  10: the template's defaults do. In prod, reserve concurrency, so that the account's other
    functions keep theirs.
  1,000: ReservedConcurrency is for a DynamoDB that hangs. Ask AWS for that many executions (Service
    Quotas, `Concurrent executions`), or reserve ten times what is usual and accept that Lambda
    refuses requests meanwhile. Put the CDN in front of public routes. If the load is steady,
    provisioned capacity is cheaper than on demand.
  100,000: no account has executions for every request to hang: reserve what is usual and half of
    it. Ask for quotas of API Gateway, Lambda and each table; warm tables and indexes up before the
    load comes (`aws dynamodb update-table --warm-throughput`), or provision their capacity; serve
    public routes from the CDN.

The CDN pays from this share of hits on:
";

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Vec<Measured> {
        [&shop::LIST_PRODUCTS, &shop::GET_USER]
            .map(|route| Measured {
                route,
                units: 2.0,
                writes: 0.0,
                rounds: 1.0,
                own_ms: 3.0,
                body: 2_500,
                log: 1_000,
                kept: Vec::new(),
            })
            .to_vec()
    }

    #[test]
    fn figures_are_those_of_their_arithmetic() {
        let text = text(&measured(), 0.25);
        let cells = |what: &str| {
            let line = text.lines().find(|line| line.trim_start().starts_with(what));
            let line = line.unwrap_or_else(|| panic!("no {what} in {text}"));
            line.trim_start()[what.len()..].trim_start().to_owned()
        };
        for (what, figures) in [
            ("RateLimit", "15 1,500 150,000"),
            ("BurstLimit", "30 3,000 300,000"),
            // 2 routes × 1.5 × r
            ("API Gateway: requests a second", "30 3,000 300,000 !"),
            // 5 ms of a round and 3 ms: r × 0.008
            ("Lambda: executions of a route, usually", "0.08 8 800"),
            // 1.5 × 3 × 2 × r
            ("ReservedConcurrency", "90 9,000 ! 900,000 !"),
            ("Lambda: executions of the account", "280 18,100 ! 1,800,100 !"),
            ("MaxReadUnits", "30 3,000 300,000 !"),
            // 300,000 ÷ 3,000
            ("CatalogShards", "1 1 100 !"),
            // 10 × 2 × 2,592,000 × 0.125 ÷ 1,000,000, and 10 × 2 ÷ 0.7 × 720 × 0.00013
            ("On demand, USD a month", "6.48 648 64,800"),
            ("Provisioned, USD a month", "2.67 268 26,743"),
            ("CloudFront: requests a second", "15 1,500 150,000"),
        ] {
            let found = cells(what).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(found.starts_with(figures), "{what}: {found}");
        }
        // (1.10 + 0.255 - 0.27) ÷ (1 + 0.2 + 0.0267 + 0.25 + 0.5)
        assert!(text.contains("list-products: 55 % ="), "{text}");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            [0.126, 7.0, 999.0, 1_000.0, 1_234_567.2].map(grouped),
            ["0.13", "7", "999", "1,000", "1,234,568"]
        );
    }
}
