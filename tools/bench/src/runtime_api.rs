//! Lambda's side of a function: the
//! [Runtime API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), for one process
//! at a time.

use crate::http;
use anyhow::{Context as _, Result, anyhow};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// An action of a function.
#[derive(Debug)]
pub(crate) enum Act {
    /// The function waits for an event, since this moment.
    Waits(Instant),
    /// The function answered: the times at which the event was sent and the answer was complete,
    /// and the answer.
    Answered(Instant, Instant, Vec<u8>),
    /// The function reported an error.
    Failed(String),
}

/// A mock of the Runtime API at an address of its own.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) address: SocketAddr,
    acts: Receiver<Act>,
    events: Sender<String>,
    ended: Arc<AtomicBool>,
}

struct Server {
    acts: Sender<Act>,
    events: Arc<Mutex<(Receiver<String>, Option<Instant>)>>,
}

impl RuntimeApi {
    /// Listens.
    pub(crate) fn start() -> Result<Self> {
        let failed = "cannot start a Runtime API";
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context(failed)?;
        let address = listener.local_addr().context(failed)?;
        let (acts_in, acts) = channel();
        let (events, events_out) = channel();
        let events_out = Arc::new(Mutex::new((events_out, None)));
        let ended = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ended);
        std::thread::spawn(move || {
            for socket in
                listener.incoming().flatten().take_while(|_| !until.load(Ordering::Relaxed))
            {
                let server = Server { acts: acts_in.clone(), events: Arc::clone(&events_out) };
                // A connection ends when its process ends, which is handled elsewhere.
                let _ = std::thread::spawn(move || drop(server.serve(socket)));
            }
        });
        Ok(Self { address, acts, events, ended })
    }

    /// Gives the waiting function its next event.
    pub(crate) fn send(&self, event: &str) -> Result<()> {
        self.events.send(event.to_owned()).context("the Runtime API has ended")
    }

    /// Returns what the function does next; `None` if that takes longer than `patience`.
    pub(crate) fn next(&self, patience: Duration) -> Result<Option<Act>> {
        match self.acts.recv_timeout(patience) {
            Ok(act) => Ok(Some(act)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(anyhow!("the Runtime API has ended")),
        }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the listener, so that it sees the end.
        drop(TcpStream::connect(self.address));
    }
}

impl Server {
    fn serve(&self, mut socket: TcpStream) -> Result<()> {
        let failed = "connection";
        socket.set_nodelay(true).context(failed)?;
        let mut left = Vec::new();
        while let Some(request) = http::read(&mut socket, &mut left).context(failed)? {
            let now = Instant::now();
            let (_, path) = request.words();
            let (act, response) = if path.ends_with("/invocation/next") {
                self.acts.send(Act::Waits(now)).context(failed)?;
                let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
                let event = events.0.recv().context(failed)?;
                let response = next(&event);
                events.1 = Some(Instant::now());
                drop(events);
                (None, response)
            } else {
                let sent = self.events.lock().unwrap_or_else(PoisonError::into_inner).1.take();
                let act = match sent {
                    Some(sent) if path.ends_with("/response") => {
                        Act::Answered(sent, now, request.body)
                    }
                    _ => Act::Failed(String::from_utf8_lossy(&request.body).into_owned()),
                };
                let body = r#"{"status":"OK"}"#;
                let response = format!(
                    "HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                (Some(act), response)
            };
            // Reported before it is confirmed, because a function may ask for the next event on
            // another connection.
            if let Some(act) = act {
                self.acts.send(act).context(failed)?;
            }
            socket.write_all(response.as_bytes()).context(failed)?;
        }
        Ok(())
    }
}

fn next(event: &str) -> String {
    /// As in template.yaml's `Timeout`, in milliseconds, and much more: under callgrind a function
    /// takes fifty times as long.
    const LEFT: u128 = 300_000;
    let deadline =
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() + LEFT;
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nlambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
         lambda-runtime-deadline-ms: {deadline}\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:bench\r\n\
         lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n\
         content-length: {}\r\n\r\n{event}",
        event.len()
    )
}
