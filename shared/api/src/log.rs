//! One log line for each request, with its CloudWatch metrics in
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
//!
//! It has no path, no query, no claim, no cursor and no key of an item.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::http::counted::Counted;
use crate::meter::TierUse;

/// The members of a line.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Line<'a> {
    /// The stack that the function belongs to: two stacks of one account and region are two series
    /// of metrics.
    pub(crate) stack: &'a str,
    pub(crate) route: &'a str,
    pub(crate) request_id: &'a str,
    pub(crate) status: u16,
    /// The problem's type, if the response is a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<&'a str>,
    pub(crate) cache: &'a str,
    pub(crate) cold_start: bool,
    /// Milliseconds from the event to the response.
    pub(crate) duration: f64,
    /// Milliseconds spent waiting for DynamoDB.
    pub(crate) database: f64,
    pub(crate) rounds: u32,
    pub(crate) read_units: f64,
    pub(crate) items: usize,
    /// Bytes of the body before compression.
    pub(crate) bytes: usize,
    /// 1 for a status of the 5xx, else 0. Its sum is the number of faults, and its sample count the
    /// number of requests.
    pub(crate) faults: u8,
    /// 1 for the first request of a process.
    pub(crate) cold_starts: u8,
    /// 1 for a 304.
    pub(crate) not_modified: u8,
    /// The quota of the caller; `None`, and then no member and no metric, if the function has none.
    #[serde(flatten)]
    pub(crate) quota: Option<QuotaLine>,
    /// The use of the cache tier; `None`, and then no member and no metric, if the function has none.
    #[serde(flatten)]
    pub(crate) tier: Option<TierLine>,
}

/// The members of the line of a function with quotas.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuotaLine {
    /// `admitted`, `refused`, or `open`: the table of the quotas gave no answer, and the request was
    /// admitted without being counted. Absent if the request ended before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<&'static str>,
    write_units: f64,
    /// 1 for a refused request.
    quota_refused: u8,
    /// 1 for a request that was not counted.
    quota_open: u8,
}

impl QuotaLine {
    /// Makes the members of what became of the quota, if the request came so far.
    pub(crate) fn of(counted: Option<Counted>, write_units: f64) -> Self {
        Self {
            quota: counted.map(Counted::name),
            write_units,
            quota_refused: u8::from(matches!(counted, Some(Counted::Refused(..)))),
            quota_open: u8::from(matches!(counted, Some(Counted::Open))),
        }
    }
}

/// The members of the line of a function with a cache tier.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TierLine {
    /// `hit` if the tier answered every read that it could have answered, `miss` if it did not,
    /// `open` if it failed or was left alone after a failure, and `off` if there was no such read.
    cache_tier: &'static str,
    /// Milliseconds spent waiting for it.
    cache_wait: f64,
    /// The reads that it answered.
    cache_hits: u32,
    /// The reads that it could have answered and did not.
    cache_misses: u32,
    /// 1 for a request for which it failed or was left alone.
    cache_open: u8,
}

impl TierLine {
    /// Makes the members of the use that a request made of the tier, for which it waited `waited`.
    pub(crate) fn of(used: TierUse, waited: Duration) -> Self {
        let TierUse { hits, misses, has_failed, age: _ } = used;
        Self {
            cache_tier: used.name(),
            cache_wait: milliseconds(waited),
            cache_hits: hits,
            cache_misses: misses,
            cache_open: u8::from(has_failed),
        }
    }
}

/// The part that names the members that are metrics. Except for the time, it is the same in every
/// line of a function.
const METRICS: &str = concat!(
    r#","CloudWatchMetrics":[{"Namespace":"LeanRoutes","Dimensions":[["stack","route"]],"Metrics":["#,
    r#"{"Name":"duration","Unit":"Milliseconds"},{"Name":"database","Unit":"Milliseconds"},"#,
    r#"{"Name":"rounds","Unit":"Count"},{"Name":"readUnits","Unit":"Count"},{"Name":"items","Unit":"Count"},"#,
    r#"{"Name":"bytes","Unit":"Bytes"},{"Name":"faults","Unit":"Count"},{"Name":"coldStarts","Unit":"Count"},"#,
    r#"{"Name":"notModified","Unit":"Count"}"#
);
/// The metrics of a function with quotas. A metric that is never written costs nothing. `quotaOpen`
/// is one metric of the stack, so that one alarm watches it for all routes.
const QUOTA_METRICS: &str =
    r#",{"Name":"writeUnits","Unit":"Count"},{"Name":"quotaRefused","Unit":"Count"}"#;
const QUOTA_OF_STACK: &str = r#"{"Name":"quotaOpen","Unit":"Count"}"#;
/// Those of a function with a cache tier; `cacheOpen` is one of the stack too.
const TIER_METRICS: &str =
    r#",{"Name":"cacheHits","Unit":"Count"},{"Name":"cacheMisses","Unit":"Count"}"#;
const TIER_OF_STACK: &str = r#"{"Name":"cacheOpen","Unit":"Count"}"#;

impl Line<'_> {
    /// Writes the line.
    pub(crate) fn text(&self, now: SystemTime) -> String {
        let milliseconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let members = serde_json::to_string(self).unwrap_or_default();
        let (quota, tier) = (self.quota.is_some(), self.tier.is_some());
        let of_route = [(quota, QUOTA_METRICS), (tier, TIER_METRICS)];
        let of_route: String =
            of_route.into_iter().filter(|(is, _)| *is).map(|(_, metrics)| metrics).collect();
        let of_stack = match (quota, tier) {
            (false, false) => String::new(),
            (true, false) => of_stack(QUOTA_OF_STACK),
            (false, true) => of_stack(TIER_OF_STACK),
            (true, true) => of_stack(&format!("{QUOTA_OF_STACK},{TIER_OF_STACK}")),
        };
        format!(
            "{{\"_aws\":{{\"Timestamp\":{milliseconds}{METRICS}{of_route}]}}{of_stack}]}},{}",
            members.strip_prefix('{').unwrap_or("}")
        )
    }
}

/// Returns the part that names metrics of the whole stack.
fn of_stack(metrics: &str) -> String {
    format!(
        ",{{\"Namespace\":\"LeanRoutes\",\"Dimensions\":[[\"stack\"]],\"Metrics\":[{metrics}]}}"
    )
}

/// Returns milliseconds with three decimals.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(quota: Option<QuotaLine>) -> Line<'static> {
        line_of(quota, None)
    }

    fn line_of(quota: Option<QuotaLine>, tier: Option<TierLine>) -> Line<'static> {
        Line {
            stack: "things-dev",
            route: "list-things",
            request_id: "r-1",
            status: 200,
            problem: None,
            cache: "full",
            cold_start: true,
            duration: 1.5,
            database: 1.0,
            rounds: 1,
            read_units: 0.5,
            items: 25,
            bytes: 9_000,
            faults: 0,
            cold_starts: 1,
            not_modified: 0,
            quota,
            tier,
        }
    }

    #[test]
    fn the_line_is_one_json_object_whose_metrics_are_members() {
        for quota in [None, Some(None), Some(Some(Counted::Open))] {
            for tier in [None, Some(TierUse::default())] {
                let quota = quota.map(|counted| QuotaLine::of(counted, 1.0));
                let tier = tier.map(|used| TierLine::of(used, Duration::ZERO));
                is_one_json_object(&line_of(quota, tier));
            }
        }
    }

    #[test]
    fn a_function_without_quotas_writes_nothing_of_them() {
        let text = line(None).text(UNIX_EPOCH);
        assert!(!text.contains("quota") && !text.contains("writeUnits"), "{text}");
        let text = line(Some(QuotaLine::of(Some(Counted::Open), 1.0))).text(UNIX_EPOCH);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&value["quota"], &value["quotaOpen"]), (&"open".into(), &1.into()));
        assert_eq!((&value["writeUnits"], &value["quotaRefused"]), (&1.0.into(), &0.into()));
    }

    #[test]
    fn a_function_without_a_tier_writes_nothing_of_it() {
        assert!(
            !line(None).text(UNIX_EPOCH).contains("cache_")
                && !line(None).text(UNIX_EPOCH).contains("cacheH")
        );
        let used = |hits, misses, has_failed| {
            let used = TierUse { hits, misses, has_failed, age: None };
            let text = line_of(None, Some(TierLine::of(used, Duration::from_micros(1_500))));
            let value: serde_json::Value = serde_json::from_str(&text.text(UNIX_EPOCH)).unwrap();
            assert_eq!((&value["cache"], &value["cacheWait"]), (&"full".into(), &1.5.into()));
            assert_eq!(
                (&value["cacheHits"], &value["cacheMisses"]),
                (&hits.into(), &misses.into())
            );
            assert_eq!(value["cacheOpen"], u8::from(has_failed));
            value["cacheTier"].as_str().unwrap().to_owned()
        };
        for (hits, misses, has_failed, name) in [
            (0, 0, false, "off"),
            (2, 0, false, "hit"),
            (2, 1, false, "miss"),
            (0, 1, false, "miss"),
            (0, 0, true, "open"),
            (2, 1, true, "open"),
        ] {
            assert_eq!(used(hits, misses, has_failed), name);
        }
    }

    fn is_one_json_object(line: &Line<'_>) {
        let text = line.text(UNIX_EPOCH + Duration::from_millis(1_750_000_000_123));
        assert!(!text.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["_aws"]["Timestamp"], 1_750_000_000_123_u64);
        let directives = value["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        let has_more = line.quota.is_some() || line.tier.is_some();
        assert_eq!(directives.len(), 1 + usize::from(has_more));
        for metric in directives.iter().flat_map(|of| of["Metrics"].as_array().unwrap()) {
            assert!(value[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
        }
        let directive = &directives[0];
        let dimensions: Vec<_> = directive["Dimensions"][0]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| &value[name.as_str().unwrap()])
            .collect();
        assert_eq!(dimensions, ["things-dev", "list-things"]);
        assert_eq!((&value["faults"], &value["coldStarts"]), (&0.into(), &1.into()));
    }
}
