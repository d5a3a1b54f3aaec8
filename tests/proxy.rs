//! A proxy between the client and DynamoDB. A script sets the fault of each call: pass, throttle,
//! hang, reset, truncate, lie.

use std::{
    collections::VecDeque,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// The treatment of one call.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    Pass,
    /// The proxy answers itself, with this status and body.
    Reply(u16, &'static str),
    /// The same with more headers, each with its line end.
    Answer(u16, &'static str, &'static [u8]),
    /// The call passes after this time.
    Slow(Duration),
    /// The proxy sends the real answer with one byte changed. Its checksum is that of the real one.
    Corrupt,
    /// The proxy sends what the function makes of the body of the real answer.
    Change(fn(&mut Value)),
    /// No answer for longer than any deadline.
    Hang,
    /// The connection is closed without an answer, after the request was read.
    Reset,
    /// The proxy sends the first half of the real answer, and then nothing.
    Truncate,
    /// The proxy sends the real answer and closes the connection, as servers close idle ones.
    Close,
    /// The second half of a BatchGetItem's items comes back as unprocessed keys.
    Unprocess,
    /// The proxy runs this before the call passes.
    After(fn(&str)),
}

/// The state of the connections that were open while a function was frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thawed {
    /// The server has closed them.
    Closed,
    /// The network has dropped them: nothing that is sent gets an answer.
    Dropped,
    /// A reset answers anything that is sent.
    Reset,
}

/// A call that came.
#[derive(Debug)]
pub(crate) struct Call {
    /// The operation, such as `query`.
    pub(crate) operation: String,
    pub(crate) came: Instant,
    body: Vec<u8>,
}

impl Call {
    /// Returns the number of items that the call can read: the Limit of a Query, the keys of a
    /// BatchGetItem, one of a GetItem.
    pub(crate) fn reads(&self) -> u64 {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        match body["RequestItems"].as_object() {
            Some(tables) => {
                tables.values().map(|table| table["Keys"].as_array().unwrap().len() as u64).sum()
            }
            None => body["Limit"].as_u64().unwrap_or(1),
        }
    }
}

/// One open connection, and the treatment of its next request.
type Open = (TcpStream, Arc<Mutex<Option<Thawed>>>);

/// DynamoDB's throttling error.
pub(crate) const THROTTLED: Fault = Fault::Reply(
    400,
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"Rate exceeded"}"#,
);

/// The behaviour of the proxy for the calls that come.
#[derive(Debug, Default)]
struct Script {
    next: VecDeque<Fault>,
    /// After the script: this fault of each call of this operation, so often.
    always: Option<(&'static str, Fault, u32)>,
}

impl Script {
    fn next(&mut self, operation: &str) -> Fault {
        if let Some(fault) = self.next.pop_front() {
            return fault;
        }
        match &mut self.always {
            Some((of, fault, left)) if (of.is_empty() || *of == operation) && *left > 0 => {
                *left -= 1;
                fault.clone()
            }
            Some(_) | None => Fault::Pass,
        }
    }
}

/// A proxy on a port of its own. Calls after the end of the script pass.
pub(crate) struct Proxy {
    pub(crate) url: String,
    script: Arc<Mutex<Script>>,
    calls: Arc<Mutex<Vec<Call>>>,
    connections: Arc<AtomicU32>,
    left: Arc<AtomicU32>,
    open: Arc<Mutex<Vec<Open>>>,
    ended: Arc<AtomicBool>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // The thread that accepts connections sees it with the next one.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

impl Proxy {
    pub(crate) fn before(upstream: &str, script: &[Fault]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script =
            Arc::new(Mutex::new(Script { next: script.iter().cloned().collect(), always: None }));
        let calls = Arc::new(Mutex::new(Vec::new()));
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let (script_there, calls_there) = (Arc::clone(&script), Arc::clone(&calls));
        let connections = Arc::new(AtomicU32::new(0));
        let connections_there = Arc::clone(&connections);
        let left = Arc::new(AtomicU32::new(0));
        let left_there = Arc::clone(&left);
        let open = Arc::new(Mutex::new(Vec::new()));
        let open_there = Arc::clone(&open);
        let ended = Arc::new(AtomicBool::new(false));
        let ended_there = Arc::clone(&ended);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if ended_there.load(Ordering::Relaxed) {
                    break;
                }
                connections_there.fetch_add(1, Ordering::Relaxed);
                let (upstream, script, calls) =
                    (upstream.clone(), Arc::clone(&script_there), Arc::clone(&calls_there));
                let thawed = Arc::new(Mutex::new(None));
                open_there.lock().unwrap().push((client.try_clone().unwrap(), Arc::clone(&thawed)));
                let left = Arc::clone(&left_there);
                thread::spawn(move || serve(client, &upstream, &script, &calls, &left, &thawed));
            }
        });
        Self { url, script, calls, connections, left, open, ended }
    }

    /// Replaces the script.
    pub(crate) fn only(&self, faults: &[Fault]) {
        *self.script.lock().unwrap() = Script::default();
        self.then(faults);
    }

    /// Replaces the script by a fault of the next `times` calls of an operation, such as `query`,
    /// or of any (an empty text).
    pub(crate) fn always(&self, operation: &'static str, fault: Fault, times: u32) {
        *self.script.lock().unwrap() =
            Script { next: VecDeque::new(), always: Some((operation, fault, times)) };
    }

    /// Adds to the script.
    pub(crate) fn then(&self, faults: &[Fault]) {
        self.script.lock().unwrap().next.extend(faults.iter().cloned());
    }

    /// Changes all open connections as a freeze of the function can. Later connections are not
    /// affected.
    pub(crate) fn thaw(&self, as_: Thawed) {
        for (stream, thawed) in self.open.lock().unwrap().drain(..) {
            *thawed.lock().unwrap() = Some(as_);
            if as_ == Thawed::Closed {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }

    /// Returns the number of connections that were made to the proxy.
    pub(crate) fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Waits until the client has left this many of the connections that [`Fault::Close`] closed.
    pub(crate) async fn left(&self, connections: u32) {
        while self.left.load(Ordering::Relaxed) < connections {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Returns the operations that were called since the last time, repeats included.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.whole_calls().into_iter().map(|call| call.operation).collect()
    }

    /// Does the same, with all that is known of each call.
    pub(crate) fn whole_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

/// Handles the calls of one connection, one after another.
fn serve(
    mut client: TcpStream,
    upstream: &str,
    script: &Mutex<Script>,
    calls: &Mutex<Vec<Call>>,
    left: &AtomicU32,
    thawed: &Mutex<Option<Thawed>>,
) {
    while let Some((head, body)) = message(&mut client) {
        match *thawed.lock().unwrap() {
            Some(Thawed::Dropped) => {
                thread::sleep(Duration::from_secs(8));
                return;
            }
            Some(Thawed::Reset) => {
                // Closing without a FIN: the kernel sends a reset.
                rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
                return;
            }
            Some(Thawed::Closed) | None => {}
        }
        let operation = head.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("x-amz-target: dynamodb_20120810.")
                .map(str::to_owned)
        });
        let operation = operation.unwrap_or_default();
        let fault = script.lock().unwrap().next(&operation);
        calls.lock().unwrap().push(Call { operation, came: Instant::now(), body: body.clone() });
        if let Fault::After(run) = fault {
            run(upstream);
        }
        let answer = match fault {
            Fault::Hang => {
                thread::sleep(Duration::from_secs(8));
                return;
            }
            Fault::Reset => {
                let _ = client.shutdown(Shutdown::Both);
                return;
            }
            Fault::Reply(status, body) => response(status, body.as_bytes()),
            Fault::Answer(status, headers, body) => answer(status, headers, body),
            Fault::Slow(time) => {
                thread::sleep(time);
                forward(upstream, &head, &body)
            }
            Fault::Corrupt => {
                let mut whole = forward(upstream, &head, &body);
                // A name in the last member: the body stays JSON.
                let at = whole.iter().rposition(u8::is_ascii_alphabetic).unwrap();
                whole[at] ^= 1;
                whole
            }
            Fault::Change(change) => {
                let whole = forward(upstream, &head, &body);
                let at = whole.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
                let mut json = serde_json::from_slice(&whole[at..]).unwrap();
                change(&mut json);
                response(200, &serde_json::to_vec(&json).unwrap())
            }
            Fault::Pass | Fault::After(_) => forward(upstream, &head, &body),
            Fault::Truncate => {
                let whole = forward(upstream, &head, &body);
                let _ = client.write_all(&whole[..whole.len() / 2]);
                let _ = client.shutdown(Shutdown::Both);
                return;
            }
            Fault::Close => {
                let _ = client.write_all(&forward(upstream, &head, &body));
                let _ = client.shutdown(Shutdown::Write);
                let _ = client.read_to_end(&mut Vec::new());
                left.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Fault::Unprocess => {
                let whole = forward(upstream, &head, &body);
                let at = whole.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
                response(200, &unprocess(&body, &whole[at..]))
            }
        };
        if client.write_all(&answer).is_err() {
            return;
        }
    }
}

/// Returns a BatchGetItem's answer in which the second half of the items is unprocessed.
fn unprocess(request: &[u8], answer: &[u8]) -> Vec<u8> {
    let request: Value = serde_json::from_slice(request).unwrap();
    let mut answer: Value = serde_json::from_slice(answer).unwrap();
    let (table, asked) = request["RequestItems"].as_object().unwrap().iter().next().unwrap();
    let items = answer["Responses"][table].as_array_mut().unwrap();
    let taken = items.split_off(items.len() / 2);
    let names: Vec<_> = asked["Keys"][0].as_object().unwrap().keys().cloned().collect();
    let key = |item: &Value| {
        names
            .iter()
            .map(|name| (name.clone(), item[name].clone()))
            .collect::<serde_json::Map<_, _>>()
    };
    let keys: Vec<_> = taken.iter().map(key).collect();
    if !keys.is_empty() {
        answer["UnprocessedKeys"] =
            json!({table: {"Keys": keys, "ProjectionExpression": asked["ProjectionExpression"]}});
    }
    serde_json::to_vec(&answer).unwrap()
}

fn response(status: u16, body: &[u8]) -> Vec<u8> {
    answer(status, "", body)
}

fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.0\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn forward(upstream: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let mut server = TcpStream::connect(upstream).unwrap();
    server.write_all(head.as_bytes()).unwrap();
    server.write_all(body).unwrap();
    let (head, body) = message(&mut server).unwrap();
    [head.as_bytes(), &body].concat()
}

/// Reads one HTTP message with a content-length: its head with the blank line, and its body.
fn message(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 65_536]);
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length:")
            .map(|length| length.trim().parse().unwrap())
    });
    let mut body = bytes.split_off(end);
    while body.len() < length.unwrap_or(0_usize) {
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        body.extend_from_slice(&chunk[..read]);
    }
    Some((head, body))
}
