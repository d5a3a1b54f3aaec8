//! One log line for each request, with its CloudWatch metrics in
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
//!
//! It has no path, no query, no claim, no cursor and no key of an item.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

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
}

/// The part that names the members that are metrics. It is the same in every line, except for the
/// time.
const METRICS: &str = concat!(
    r#","CloudWatchMetrics":[{"Namespace":"LeanRoutes","Dimensions":[["stack","route"]],"Metrics":["#,
    r#"{"Name":"duration","Unit":"Milliseconds"},{"Name":"database","Unit":"Milliseconds"},"#,
    r#"{"Name":"rounds","Unit":"Count"},{"Name":"readUnits","Unit":"Count"},{"Name":"items","Unit":"Count"},"#,
    r#"{"Name":"bytes","Unit":"Bytes"},{"Name":"faults","Unit":"Count"},{"Name":"coldStarts","Unit":"Count"},"#,
    r#"{"Name":"notModified","Unit":"Count"}]}]},"#
);

impl Line<'_> {
    /// Writes the line.
    pub(crate) fn text(&self, now: SystemTime) -> String {
        let milliseconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let members = serde_json::to_string(self).unwrap_or_default();
        format!(
            "{{\"_aws\":{{\"Timestamp\":{milliseconds}{METRICS}{}",
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

    #[test]
    fn the_line_is_one_json_object_whose_metrics_are_members() {
        let line = Line {
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
        };
        let text = line.text(UNIX_EPOCH + Duration::from_millis(1_750_000_000_123));
        assert!(!text.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["_aws"]["Timestamp"], 1_750_000_000_123_u64);
        let directive = &value["_aws"]["CloudWatchMetrics"][0];
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(value[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
        }
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
