//! One GET over plain HTTP to this machine, for the requests of `cargo dev up` to its own stack.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, HOST};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// Longer than a function's own deadline, and than its start under cargo.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Returns the status and body of a path.
pub(crate) async fn get(address: SocketAddr, path: &str, token: Option<&str>) -> Result<(u16, Bytes)> {
    let url = || format!("GET http://{address}{path}");
    let asked = tokio::time::timeout(TIMEOUT, ask(address, path, token)).await;
    asked.with_context(|| format!("{} took longer than {} s", url(), TIMEOUT.as_secs()))?.with_context(url)
}

async fn ask(address: SocketAddr, path: &str, token: Option<&str>) -> Result<(u16, Bytes)> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::get(path).header(HOST, address.to_string());
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok((status, body))
}
