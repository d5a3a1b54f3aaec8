//! DynamoDB behind TLS 1.3, on this machine: answers are recorded from the local database once and
//! given from memory from then on, so that only the function is measured. Round trips, bytes and
//! capacity units are counted.

use crate::http::{self, Message};
use anyhow::{Context as _, Result};
use flate2::Crc;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use std::collections::HashMap;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// A server. It ends with this process.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    port: u16,
    state: Arc<State>,
}

/// The traffic since it was last taken.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Traffic {
    /// Calls.
    pub(crate) calls: u64,
    /// Rounds: parallel calls count as one.
    pub(crate) rounds: u64,
    /// Bytes of the answers' bodies.
    pub(crate) bytes: u64,
    /// Read capacity units.
    pub(crate) units: f64,
}

#[derive(Debug)]
struct State {
    upstream: SocketAddr,
    tls: Arc<ServerConfig>,
    canned: RwLock<HashMap<Vec<u8>, Arc<Canned>>>,
    delay_micros: AtomicU64,
    /// The traffic, and the round of the last call that has ended.
    traffic: Mutex<(Traffic, u64)>,
}

#[derive(Debug)]
struct Canned {
    /// Status line and headers without the time, which is added because clients set their clocks by
    /// it.
    head: String,
    body: Vec<u8>,
    units: f64,
}

impl Endpoint {
    /// Serves the answers of the database at `upstream` (`http://127.0.0.1:40123`).
    pub(crate) fn start(upstream: &str, tls: Arc<ServerConfig>) -> Result<Self> {
        let failed = "cannot start a TLS endpoint";
        let upstream = upstream.trim_start_matches("http://").parse().context(failed)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context(failed)?;
        let port = listener.local_addr().context(failed)?.port();
        let state = State {
            upstream,
            tls,
            canned: RwLock::default(),
            delay_micros: AtomicU64::new(0),
            traffic: Mutex::default(),
        };
        let endpoint = Self { port, state: Arc::new(state) };
        let state = Arc::clone(&endpoint.state);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                // If a client goes away or does not trust the certificate, the session that waits
                // for its answer fails.
                std::thread::spawn(move || drop(state.serve(socket)));
            }
        });
        Ok(endpoint)
    }

    /// The value of `AWS_ENDPOINT_URL_DYNAMODB`.
    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// Sets the minimum duration of every round trip.
    pub(crate) fn delay(&self, delay: Duration) {
        self.state
            .delay_micros
            .store(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Returns the traffic since the last call of this method.
    pub(crate) fn take(&self) -> Traffic {
        let mut traffic = self.state.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *traffic).0
    }
}

impl State {
    fn serve(&self, socket: TcpStream) -> Result<()> {
        let failed = "connection";
        socket.set_nodelay(true).context(failed)?;
        let connection = ServerConnection::new(Arc::clone(&self.tls)).context(failed)?;
        let mut stream = StreamOwned::new(connection, socket);
        let mut left = Vec::new();
        let mut upstream = None;
        while let Some(request) = http::read(&mut stream, &mut left).context(failed)? {
            let mut round = 0;
            self.count(|(traffic, ended)| {
                // This call can depend on every call that has ended, and on no other.
                round = *ended + 1;
                traffic.calls += 1;
                traffic.rounds = traffic.rounds.max(round);
            });
            let canned = self.answer(&request, &mut upstream);
            let delay = self.delay_micros.load(Ordering::Relaxed);
            if delay > 0 {
                std::thread::sleep(Duration::from_micros(delay));
            }
            self.count(|(traffic, ended)| {
                *ended = round.max(*ended);
                if let Ok(canned) = &canned {
                    traffic.bytes += canned.body.len() as u64;
                    traffic.units += canned.units;
                }
            });
            let canned = canned?;
            let head = format!(
                "{}date: {}\r\n\r\n",
                canned.head,
                httpdate::fmt_http_date(SystemTime::now())
            );
            stream
                .write_all(&[head.as_bytes(), &canned.body].concat())
                .and_then(|()| stream.flush())
                .context(failed)?;
        }
        Ok(())
    }

    fn count(&self, f: impl FnOnce(&mut (Traffic, u64))) {
        f(&mut self.traffic.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn answer(&self, request: &Message, upstream: &mut Option<TcpStream>) -> Result<Arc<Canned>> {
        let target = request.header("x-amz-target").unwrap_or_default();
        let mut key = target.as_bytes().to_vec();
        key.extend_from_slice(&request.body);
        if let Some(canned) = self.lookup(&key) {
            return Ok(canned);
        }
        // The same members in another order are the same request.
        let mut body: Value =
            serde_json::from_slice(&request.body).with_context(|| format!("{target}: no JSON"))?;
        body.sort_all_objects();
        key.truncate(target.len());
        key.extend_from_slice(body.to_string().as_bytes());
        if let Some(canned) = self.lookup(&key) {
            return Ok(canned);
        }
        let asked = body.get("ReturnConsumedCapacity").is_some_and(|asked| asked != "NONE");
        body["ReturnConsumedCapacity"] = "TOTAL".into();
        let canned = Arc::new(record(self.upstream, upstream, request, &body, asked)?);
        self.canned
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, Arc::clone(&canned));
        Ok(canned)
    }

    fn lookup(&self, key: &[u8]) -> Option<Arc<Canned>> {
        self.canned.read().unwrap_or_else(PoisonError::into_inner).get(key).map(Arc::clone)
    }
}

/// Sends a request to the database. The capacity is always requested and counted, and removed if
/// the caller did not request it.
fn record(
    address: SocketAddr,
    upstream: &mut Option<TcpStream>,
    request: &Message,
    body: &Value,
    asked: bool,
) -> Result<Canned> {
    let failed = "the local database does not answer";
    let body = body.to_string();
    let mut head =
        format!("POST / HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in &request.headers {
        if name.starts_with("x-amz-") || ["authorization", "content-type"].contains(&name.as_str())
        {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str("\r\n");
    let stream = match upstream {
        Some(stream) => stream,
        None => upstream.insert(TcpStream::connect(address).context(failed)?),
    };
    stream.set_nodelay(true).context(failed)?;
    stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body.as_bytes()))
        .context(failed)?;
    let answer = http::read(stream, &mut Vec::new()).context(failed)?;
    let answer = answer.context(failed)?;
    let mut content: Value = serde_json::from_slice(&answer.body).context(failed)?;
    let units = match &content["ConsumedCapacity"] {
        Value::Array(tables) => {
            tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum()
        }
        table => table["CapacityUnits"].as_f64().unwrap_or_default(),
    };
    let bytes = if asked {
        answer.body
    } else {
        content.as_object_mut().map(|members| members.remove("ConsumedCapacity"));
        content.to_string().into_bytes()
    };
    let mut crc = Crc::new();
    crc.update(&bytes);
    let status = answer.first.strip_prefix("HTTP/1.1 ").unwrap_or("500 ");
    let head = format!(
        "HTTP/1.1 {status}\r\nserver: Server\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\nconnection: keep-alive\r\n\
         x-amzn-requestid: 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFG\r\nx-amz-crc32: {}\r\n",
        bytes.len(),
        crc.sum()
    );
    Ok(Canned { head, body: bytes, units })
}
