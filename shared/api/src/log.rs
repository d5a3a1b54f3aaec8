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
}

/// The part that names the members that are metrics. It is the same in every line, except for the time.
const METRICS: &str = concat!(
    r#","CloudWatchMetrics":[{"Namespace":"LeanRoutes","Dimensions":[["route"]],"Metrics":["#,
    r#"{"Name":"duration","Unit":"Milliseconds"},{"Name":"database","Unit":"Milliseconds"},"#,
    r#"{"Name":"rounds","Unit":"Count"},{"Name":"readUnits","Unit":"Count"},{"Name":"items","Unit":"Count"},"#,
    r#"{"Name":"bytes","Unit":"Bytes"}]}]},"#
);

impl Line<'_> {
    /// Writes the line.
    pub(crate) fn text(&self, now: SystemTime) -> String {
        let milliseconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let members = serde_json::to_string(self).unwrap_or_default();
        format!("{{\"_aws\":{{\"Timestamp\":{milliseconds}{METRICS}{}", members.strip_prefix('{').unwrap_or("}"))
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
        };
        let text = line.text(UNIX_EPOCH + Duration::from_millis(1_750_000_000_123));
        assert!(!text.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["_aws"]["Timestamp"], 1_750_000_000_123_u64);
        let directive = &value["_aws"]["CloudWatchMetrics"][0];
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(value[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
        }
        assert_eq!(value[directive["Dimensions"][0][0].as_str().unwrap()], "list-things");
    }
}
