//! `cargo dev invoke`: one event to one function of the running stack, without HTTP API and without
//! other tools.
//!
//! The event goes to Lambda's
//! [Invoke](https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html) endpoint, which
//! `cargo lambda watch` serves. The answer of a function of an HTTP API is status, headers and body
//! in JSON; it is shown as a client would see it: decoded, decompressed, and with JSON indented.

use crate::template::Template;
use crate::{local_http, workspace};
use anyhow::{Context as _, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use serde_json::Value;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use tokio::net::TcpStream;

/// The largest decompressed body: Lambda's limit of a response is 6 MB.
const MAX_BODY: u64 = 64 << 20;

/// The response of a function.
#[derive(Debug)]
pub struct Outcome {
    /// Status, headers and body, to be printed; of an error of the function, Lambda's JSON.
    pub text: String,
    /// False if the function failed (an error in place of a response) or answered with 500 or more.
    pub succeeded: bool,
}

/// Sends an event to a function of the stack whose functions listen on `port`. `event` is the case
/// of a file `events/FUNCTION.CASE.json`, or the path of another JSON file.
///
/// # Errors
/// If there is no such function or event (the error lists those that there are), or no stack runs.
pub async fn invoke(function: &str, event: &str, port: u16) -> Result<Outcome> {
    let root = workspace::root();
    let template = Template::read(&root.join("template.yaml"))?;
    let functions: Vec<_> =
        template.functions.iter().map(|function| function.binary.as_str()).collect();
    if !functions.contains(&function) {
        bail!("there is no function {function}; template.yaml has: {}", functions.join(", "));
    }
    // A function that is no route's has its events in its own folder.
    let own = root.join("functions").join(function).join("events");
    let events = if own.is_dir() { own } else { root.join("events") };
    let file = file(&events, function, event)?;
    let shown = workspace::shown(&file);
    let event = std::fs::read(&file).with_context(|| format!("cannot read {shown}"))?;
    // Here, since the function's own error would not name the file.
    serde_json::from_slice::<serde::de::IgnoredAny>(&event)
        .with_context(|| format!("{shown} is not JSON"))?;

    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if TcpStream::connect(address).await.is_err() {
        bail!("no stack answers on port {port}: run `cargo dev up`");
    }
    let request = Request::post(format!("/2015-03-31/functions/{function}/invocations"));
    let request = request.header(CONTENT_TYPE, "application/json").body(Bytes::from(event))?;
    let response = local_http::send(address, request).await?;
    Ok(outcome(response.status(), response.body()))
}

/// Finds the file of an event.
fn file(events: &Path, function: &str, event: &str) -> Result<PathBuf> {
    if event.contains('/') || event.ends_with(".json") {
        return Ok(PathBuf::from(event));
    }
    let cases = cases(events, function)?;
    if !cases.iter().any(|case| case == event) {
        let shown = workspace::shown(events);
        return Err(match cases.is_empty() {
            true => anyhow!("{function} has no events: there is no {shown}/{function}.*.json"),
            false => anyhow!("{function} has no event {event}; there are: {}", cases.join(", ")),
        });
    }
    Ok(events.join(format!("{function}.{event}.json")))
}

/// Lists the cases of a function, sorted.
fn cases(events: &Path, function: &str) -> Result<Vec<String>> {
    let folder = std::fs::read_dir(events)
        .with_context(|| format!("cannot read {}", workspace::shown(events)))?;
    let names = folder.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let case = |name: String| {
        Some(name.strip_prefix(function)?.strip_prefix('.')?.strip_suffix(".json")?.to_owned())
    };
    let mut cases: Vec<_> = names.filter_map(case).collect();
    cases.sort();
    Ok(cases)
}

/// Reads the answer of the Invoke endpoint. An error of the function has no `statusCode`.
fn outcome(http: StatusCode, payload: &[u8]) -> Outcome {
    let value: Option<Value> = serde_json::from_slice(payload).ok();
    let status = value.as_ref().and_then(|value| value["statusCode"].as_u64());
    match (value, status) {
        (Some(value), Some(status)) => {
            Outcome { text: response(status, &value), succeeded: http.is_success() && status < 500 }
        }
        _ => Outcome {
            text: format!("the function failed ({http}):\n{}", pretty(payload)),
            succeeded: false,
        },
    }
}

/// Writes a
/// [response](https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html)
/// of a function as HTTP/1.1 shows it: status, headers, an empty line, the body.
fn response(status: u64, value: &Value) -> String {
    let reason = u16::try_from(status)
        .ok()
        .and_then(|status| StatusCode::from_u16(status).ok()?.canonical_reason());
    let mut text = format!("{status} {}\n", reason.unwrap_or_default());
    let mut encoding = None;
    for (name, value) in ["headers", "multiValueHeaders"]
        .iter()
        .filter_map(|member| value[member].as_object())
        .flatten()
    {
        for value in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text.push_str(&format!("{name}: {value}\n"));
            if name.eq_ignore_ascii_case("content-encoding") {
                encoding = Some(value);
            }
        }
    }
    for cookie in value["cookies"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        text.push_str(&format!("set-cookie: {cookie}\n"));
    }
    let body = value["body"].as_str().unwrap_or_default();
    let body = match value["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.decode(body).unwrap_or_else(|_| body.into()),
        _ => body.into(),
    };
    let body = if encoding.as_deref() == Some("gzip") {
        decompressed(&body).unwrap_or(body)
    } else {
        body
    };
    if !body.is_empty() {
        text.push_str(&format!("\n{}\n", pretty(&body)));
    }
    text
}

/// Decompresses gzip; `None` if it is none.
pub(crate) fn decompressed(body: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    GzDecoder::new(body).take(MAX_BODY).read_to_end(&mut plain).ok()?;
    Some(plain)
}

/// Indents JSON; other text stays as it is, and of other bytes only the number is written.
fn pretty(body: &[u8]) -> String {
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        return format!("{value:#}");
    }
    std::str::from_utf8(body).map_or_else(
        |_| format!("({} bytes that are no text)", body.len()),
        |text| text.trim_end().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_response_is_shown_with_status_headers_and_indented_body() {
        let payload = br#"{"statusCode":400,"headers":{"content-type":"application/json"},"body":"{\"b\":1,\"a\":[]}"}"#;
        let outcome = outcome(StatusCode::OK, payload);
        assert!(outcome.succeeded);
        assert_eq!(
            outcome.text,
            "400 Bad Request\ncontent-type: application/json\n\n{\n  \"b\": 1,\n  \"a\": []\n}\n"
        );
    }

    #[test]
    fn a_compressed_body_is_decompressed() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"[1]").unwrap();
        let body = STANDARD.encode(gzip.finish().unwrap());
        let payload = serde_json::json!({
            "statusCode": 200, "headers": {"Content-Encoding": "gzip"}, "body": body, "isBase64Encoded": true,
        });
        let outcome = outcome(StatusCode::OK, payload.to_string().as_bytes());
        assert_eq!(outcome.text, "200 OK\nContent-Encoding: gzip\n\n[\n  1\n]\n");
    }

    #[test]
    fn an_error_of_the_function_is_a_failure() {
        let failed = outcome(
            StatusCode::INTERNAL_SERVER_ERROR,
            br#"{"errorType":"Runtime.ExitError","errorMessage":"x"}"#,
        );
        assert!(!failed.succeeded);
        assert!(
            failed.text.starts_with(
                "the function failed (500 Internal Server Error):\n{\n  \"errorType\""
            ),
            "{}",
            failed.text
        );
        assert!(!outcome(StatusCode::OK, br#"{"statusCode":503,"body":"x"}"#).succeeded);
        assert!(!outcome(StatusCode::NOT_FOUND, b"no such function").succeeded);
    }

    #[test]
    fn an_unknown_case_lists_those_that_there_are() {
        let events = std::env::temp_dir().join(format!("invoke-{}", std::process::id()));
        std::fs::create_dir_all(&events).unwrap();
        for name in ["get-thing.plain.json", "get-thing.bad.json", "get-thing-more.plain.json"] {
            std::fs::write(events.join(name), "{}").unwrap();
        }
        assert_eq!(
            file(&events, "get-thing", "plain").unwrap(),
            events.join("get-thing.plain.json")
        );
        assert_eq!(file(&events, "get-thing", "a/b.json").unwrap(), PathBuf::from("a/b.json"));
        let error = file(&events, "get-thing", "plan").unwrap_err().to_string();
        assert_eq!(error, "get-thing has no event plan; there are: bad, plain");
        assert!(
            file(&events, "get-other", "plain")
                .unwrap_err()
                .to_string()
                .starts_with("get-other has no events")
        );
    }
}
