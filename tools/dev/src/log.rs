//! The log under `cargo dev up`: what the functions and cargo write, and the line of a request that
//! `gateway.rs` writes.
//!
//! A function's line for CloudWatch (`shared/api/src/log.rs`) is for machines: it is shown only if
//! it is asked for, in place of the short line. All other lines stay as they are.

use crate::build::Build;
use crate::process::Group;
use crate::terminal;
use clap::ValueEnum;
use std::io::Write;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::task::JoinHandle;

/// A warning of lambda_runtime about a variable that `cargo lambda watch` sets, whoever the
/// function is.
const NOT_OURS: &str =
    "AWS_LAMBDA_MAX_CONCURRENCY is set to '1', but the concurrency-tokio feature is not enabled";
/// The beginning of a function's line for CloudWatch.
const METRICS: &str = "{\"_aws\":";

/// How requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One short line a request
    Text,
    /// The functions' own lines, as CloudWatch gets them
    Json,
}

/// Copies the standard output and the standard error of a group, which must be piped, to this
/// process's, until its last process ends. Reads from cargo's lines whether the functions compile.
pub(crate) fn copy(group: &mut Group, format: Format, build: Build) -> JoinHandle<()> {
    let (output, errors) = group.take_output();
    tokio::spawn(async move {
        let output = each_line(output, |line| {
            if is_shown(&line, format) {
                print(std::io::stdout(), &terminal::colored(&line));
            }
        });
        let errors = each_line(errors, |line| {
            build.read(&line);
            print(std::io::stderr(), &terminal::colored(&line));
        });
        tokio::join!(output, errors);
    })
}

/// Writes a line of the log, which may repeat what a request or an answer said.
pub(crate) fn write(line: &str) {
    write_to(std::io::stdout(), line);
}

fn write_to(output: impl Write, line: &str) {
    print(output, &terminal::line(line));
}

fn print(mut output: impl Write, line: &str) {
    // If nobody reads it, the functions go on.
    let _ = writeln!(output, "{line}");
}

/// Writes `1 round`, `2 rounds`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

async fn each_line(from: Option<impl AsyncRead + Unpin>, mut take: impl FnMut(String)) {
    let Some(from) = from else { return };
    let mut lines = BufReader::new(from).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        take(String::from_utf8_lossy(&line).into_owned());
    }
}

/// Returns true for a line of the functions that is printed.
fn is_shown(line: &str, format: Format) -> bool {
    !line.contains(NOT_OURS) && (format == Format::Json || !line.starts_with(METRICS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = r#"{"_aws":{"Timestamp":1},"route":"list-things","status":200}"#;

    #[test]
    fn lines_for_cloudwatch_are_shown_when_they_are_asked_for() {
        assert!(is_shown(REQUEST, Format::Json) && !is_shown(REQUEST, Format::Text));
    }

    #[test]
    fn a_line_is_one_line_that_the_terminal_does_not_obey() {
        let mut output = Vec::new();
        write_to(&mut output, "GET /v1/things  400 \u{1b}]52;c;eA==\u{7}: is unknown\nGET /  200");
        let shown = "GET /v1/things  400 \\u{1b}]52;c;eA==\\u{7}: is unknown\\nGET /  200\n";
        assert_eq!(String::from_utf8(output).unwrap(), shown);
    }

    #[test]
    fn other_lines_stay() {
        for line in [
            "thread 'main' panicked at src/main.rs:1:1:",
            r#"{"level":"ERROR","message":"panicked"}"#,
            "",
        ] {
            assert!(is_shown(line, Format::Text), "{line}");
        }
    }

    #[test]
    fn the_warning_about_the_variable_of_watch_is_left_out() {
        let line = format!(r#"{{"level":"WARN","message":"{NOT_OURS}; running sequentially"}}"#);
        assert!(!is_shown(&line, Format::Text) && !is_shown(&line, Format::Json));
    }
}
