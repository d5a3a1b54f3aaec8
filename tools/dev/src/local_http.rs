//! One request over plain HTTP to this machine: what `cargo dev` asks its own stack.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// Longer than a function's own deadline, and than its start under cargo.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Reads a path, with a bearer token if one is given.
///
/// # Errors
/// Those of [`send`].
pub(crate) async fn get(
    address: SocketAddr,
    path: &str,
    token: Option<&str>,
) -> Result<Response<Bytes>> {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    send(address, request.body(Bytes::new())?).await
}

/// Sends a request and reads the whole response.
///
/// # Errors
/// If nothing listens, or the response is not complete after a minute. The error names the request.
pub(crate) async fn send(address: SocketAddr, request: Request<Bytes>) -> Result<Response<Bytes>> {
    let shown = format!("{} http://{address}{}", request.method(), request.uri());
    let response = tokio::time::timeout(TIMEOUT, ask(address, request)).await;
    response
        .with_context(|| format!("{shown} took longer than {} s", TIMEOUT.as_secs()))?
        .context(shown)
}

async fn ask(address: SocketAddr, mut request: Request<Bytes>) -> Result<Response<Bytes>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    request.headers_mut().insert(HOST, address.to_string().try_into()?);
    let (head, body) = sender.send_request(request.map(Full::new)).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    connection.abort();
    Ok(Response::from_parts(head, body))
}
