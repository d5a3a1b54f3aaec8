//! The log of the functions under `cargo dev up`, for a person to read: one short line a request in
//! place of its line for CloudWatch (`shared/api/src/log.rs`). All other lines stay as they are.

use crate::process::Group;
use clap::ValueEnum;
use serde::Deserialize;
use std::io::Write as _;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::task::JoinHandle;

/// A warning of lambda_runtime about a variable that `cargo lambda watch` sets, whoever the
/// function is.
const NOT_OURS: &str =
    "AWS_LAMBDA_MAX_CONCURRENCY is set to '1', but the concurrency-tokio feature is not enabled";

/// How requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One short line a request
    Text,
    /// The functions' own lines, as CloudWatch gets them
    Json,
}

/// The members of a request's line that are shown.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(rename = "_aws")]
    _aws: serde::de::IgnoredAny,
    route: String,
    status: u16,
    problem: Option<String>,
    /// `full`, `not-modified` or `none`.
    cache: String,
    cold_start: bool,
    duration: f64,
    database: f64,
    rounds: u32,
    read_units: f64,
    items: usize,
    bytes: usize,
}

/// Copies the standard output of a group, which must be piped, to this process's, until its last
/// process ends.
pub(crate) fn copy(group: &mut Group, format: Format) -> JoinHandle<()> {
    let output = group.take_stdout();
    tokio::spawn(async move {
        let Some(output) = output else { return };
        let mut lines = BufReader::new(output).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            if let Some(line) = shown(&String::from_utf8_lossy(&line), format) {
                // If nobody reads it, the functions go on.
                let _ = writeln!(std::io::stdout(), "{line}");
            }
        }
    })
}

/// Returns a line of the log as it is printed. `None` if it is not.
fn shown(line: &str, format: Format) -> Option<String> {
    if line.contains(NOT_OURS) {
        return None;
    }
    match (format, serde_json::from_str::<Line>(line)) {
        (Format::Text, Ok(request)) => Some(request.text()),
        (Format::Json, _) | (_, Err(_)) => Some(line.to_owned()),
    }
}

impl Line {
    /// Writes `list-things  400 invalid-parameter  0.2 ms`, then what the request read.
    fn text(&self) -> String {
        let problem = self.problem.as_deref().map(|uri| uri.rsplit('/').next().unwrap_or(uri));
        let mut parts = vec![
            self.route.clone(),
            [&self.status.to_string(), problem.unwrap_or_default()].join(" ").trim_end().to_owned(),
        ];
        parts.push(format!("{:.1} ms", self.duration));
        if self.rounds > 0 {
            parts.push(format!(
                "{} in {:.1} ms",
                count(self.rounds as usize, "round"),
                self.database
            ));
            parts.push(format!("{} read units", self.read_units));
        }
        if problem.is_none() {
            parts.push(count(self.items, "item"));
            parts.push(count(self.bytes, "byte"));
        }
        if self.cache != "none" {
            parts.push(format!("cache {}", self.cache));
        }
        if self.cold_start {
            parts.push("cold start".to_owned());
        }
        parts.join("  ")
    }
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"{"_aws":{"Timestamp":1,"CloudWatchMetrics":[]},"route":"list-things","requestId":"r-1","status":200,"cache":"full",
        "coldStart":true,"duration":1.54,"database":1.0,"rounds":1,"readUnits":0.5,"items":25,"bytes":9000}"#;
    const PROBLEM: &str = r#"{"_aws":{},"route":"list-things","requestId":"r-2","status":400,"problem":"/problems/invalid-parameter",
        "cache":"none","coldStart":false,"duration":0.2,"database":0.0,"rounds":0,"readUnits":0.0,"items":0,"bytes":310}"#;

    #[test]
    fn a_request_is_one_short_line() {
        let line = "list-things  200  1.5 ms  1 round in 1.0 ms  0.5 read units  25 items  9000 bytes  cache full  cold start";
        assert_eq!(shown(PAGE, Format::Text).unwrap(), line);
        assert_eq!(
            shown(PROBLEM, Format::Text).unwrap(),
            "list-things  400 invalid-parameter  0.2 ms"
        );
    }

    #[test]
    fn json_lines_stay_when_they_are_asked_for() {
        assert_eq!(shown(PAGE, Format::Json).unwrap(), PAGE);
    }

    #[test]
    fn other_lines_stay() {
        for line in [
            "thread 'main' panicked at src/main.rs:1:1:",
            r#"{"level":"ERROR","message":"panicked"}"#,
            "",
        ] {
            assert_eq!(shown(line, Format::Text).unwrap(), line);
        }
    }

    #[test]
    fn the_warning_about_the_variable_of_watch_is_left_out() {
        let line = format!(r#"{{"level":"WARN","message":"{NOT_OURS}; running sequentially"}}"#);
        assert_eq!((shown(&line, Format::Text), shown(&line, Format::Json)), (None, None));
    }
}
