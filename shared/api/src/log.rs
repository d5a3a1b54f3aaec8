//! One log line for each request, with its CloudWatch metrics in
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
//!
//! It has no path, no query, no claim, no cursor and no key of an item.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::http::counted::Counted;

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
const QUOTA_METRICS: &str = concat!(
    r#",{"Name":"writeUnits","Unit":"Count"},{"Name":"quotaRefused","Unit":"Count"}]},"#,
    r#"{"Namespace":"LeanRoutes","Dimensions":[["stack"]],"Metrics":["#,
    r#"{"Name":"quotaOpen","Unit":"Count"}"#
);

impl Line<'_> {
    /// Writes the line.
    pub(crate) fn text(&self, now: SystemTime) -> String {
        let milliseconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let members = serde_json::to_string(self).unwrap_or_default();
        let more = if self.quota.is_some() { QUOTA_METRICS } else { "" };
        format!(
            "{{\"_aws\":{{\"Timestamp\":{milliseconds}{METRICS}{more}]}}]}},{}",
            members.strip_prefix('{').unwrap_or("}")
        )
    }
}

/// Returns milliseconds with three decimals.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(quota: Option<QuotaLine>) -> Line<'static> {
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
        }
    }

    #[test]
    fn the_line_is_one_json_object_whose_metrics_are_members() {
        for quota in [None, Some(None), Some(Some(Counted::Open))] {
            is_one_json_object(&line(quota.map(|counted| QuotaLine::of(counted, 1.0))));
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

    fn is_one_json_object(line: &Line<'_>) {
        let text = line.text(UNIX_EPOCH + Duration::from_millis(1_750_000_000_123));
        assert!(!text.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["_aws"]["Timestamp"], 1_750_000_000_123_u64);
        let directives = value["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        assert_eq!(directives.len(), 1 + usize::from(line.quota.is_some()));
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
