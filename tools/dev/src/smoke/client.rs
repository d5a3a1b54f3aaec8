//! Requests over HTTPS, or over plain HTTP to a local stack. No redirect is followed and no body is
//! decoded.

use anyhow::{Context as _, Result, anyhow, ensure};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use serde_json::Value;
use std::time::Duration;

/// Longer than API Gateway waits for a function.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A client of one API.
pub(super) struct Client {
    connector: Connector,
    base: String,
}

/// A request, as it is sent and shown.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: &'static str,
    /// Path and query.
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    /// Empty, but for a POST.
    pub(super) body: String,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

impl Client {
    pub(super) fn new(url: &str) -> Result<Self> {
        ensure!(
            url.starts_with("https://") || url.starts_with("http://"),
            "--url {url} is no URL: write https://{url}"
        );
        let connector =
            Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
        Ok(Self { connector, base: url.trim_end_matches('/').to_owned() })
    }

    pub(super) async fn send(&self, ask: &Ask) -> Result<Answer> {
        let mut request = HttpRequest::get(format!("{}{}", self.base, ask.path))?;
        request.set_method(ask.method)?;
        if !ask.body.is_empty() {
            *request.body_mut() = SdkBody::from(ask.body.as_str());
        }
        for (name, value) in &ask.headers {
            request
                .headers_mut()
                .try_insert(*name, value.clone())
                .map_err(|_| anyhow!("{name} has characters that no header can have"))?;
        }
        let answered = async {
            let response = self.connector.call(request).await.map_err(|error| anyhow!(error))?;
            let status = response.status().as_u16();
            let headers = response
                .headers()
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let body = ByteStream::new(response.into_body()).collect().await?.into_bytes();
            Ok(Answer { status, headers, body })
        };
        tokio::time::timeout(TIMEOUT, answered)
            .await
            .with_context(|| format!("no answer after {} s", TIMEOUT.as_secs()))?
    }
}

impl Ask {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), headers: Vec::new(), body: String::new() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Answer {
    /// Returns the values of a header, joined by commas; empty if it is missing.
    pub(super) fn header(&self, name: &str) -> String {
        let values =
            self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str());
        values.collect::<Vec<_>>().join(", ")
    }

    /// Returns true if a header that is a list has this value, or `*`.
    pub(super) fn lists(&self, name: &str, value: &str) -> bool {
        self.header(name)
            .split(',')
            .map(str::trim)
            .any(|other| other == "*" || other.eq_ignore_ascii_case(value))
    }

    /// Returns the body as JSON; `null` if it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns what the body says of an error, for a message.
    pub(super) fn reason(&self) -> String {
        let json = self.json();
        let said = [&json["title"], &json["message"], &json["errors"][0]["message"]];
        let said = said.iter().find_map(|said| said.as_str().map(str::to_owned));
        let instance =
            json["instance"].as_str().map(|id| format!(", instance {id}")).unwrap_or_default();
        said.map(|said| format!(" ({said}{instance})")).unwrap_or_default()
    }
}
