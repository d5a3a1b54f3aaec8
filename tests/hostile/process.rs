//! A function as Lambda runs it: a process of its own that gets events from the
//! [runtime API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) over HTTP. Here
//! the API is this test.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use api::Route;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use shop::RESOURCES;

use crate::{
    stack::{Answer, Stack},
    undisturbed::{ATTEMPT, PATIENCE},
};

/// Returns the program of a route: a binary of this package, so that cargo has built it before it
/// runs the tests.
fn program(route: &Route) -> &'static str {
    match route.name {
        "list-products" => env!("CARGO_BIN_EXE_shop-list-products"),
        "get-user" => env!("CARGO_BIN_EXE_shop-get-user"),
        "list-user-orders" => env!("CARGO_BIN_EXE_shop-list-user-orders"),
        other => panic!("no binary for {other}"),
    }
}

/// A running function, and the runtime API that delivers its events.
pub(crate) struct Function {
    process: Child,
    events: mpsc::Sender<String>,
    answers: mpsc::Receiver<Result<Vec<u8>, String>>,
}

impl Function {
    pub(crate) fn start(route: &Route, stack: &Stack) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (events, waiting) = mpsc::channel();
        let (answered, answers) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (waiting, answered) = (Arc::clone(&waiting), answered.clone());
                thread::spawn(move || serve(connection, &waiting, &answered));
            }
        });
        let process = Command::new(program(route))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .envs([
                ("AWS_LAMBDA_FUNCTION_NAME", route.name),
                ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ])
            .envs(RESOURCES.iter().map(|resource| (resource.table_variable, resource.name)))
            .envs([
                ("CURSOR_SECRET", "a secret for tests, of more than 32 characters"),
                ("READ_ANY_SCOPE", "lean-routes/users:read"),
            ])
            .envs([
                ("AWS_REGION", "eu-central-1"),
                ("AWS_ACCESS_KEY_ID", "local"),
                ("AWS_SECRET_ACCESS_KEY", "local"),
            ])
            .envs([("AWS_ENDPOINT_URL_DYNAMODB", stack.local.url.as_str()), ("LOG_LEVEL", "error")])
            .envs(stack.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, events, answers }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Returns the id of the process, which must be the one that was started.
    pub(crate) fn still_runs_as(&mut self) -> u32 {
        assert_eq!(self.process.try_wait().unwrap(), None, "the process has ended");
        self.process.id()
    }

    /// Returns the function's response to an event, after decompression. If the machine was too
    /// busy to answer in time, the event is sent again.
    pub(crate) fn answer(&mut self, event: &str) -> Answer {
        let began = Instant::now();
        loop {
            let sent = Instant::now();
            let answer = self.answer_once(event);
            let late = matches!(answer.status, 503 | 504) && sent.elapsed() >= ATTEMPT;
            if !late || began.elapsed() > PATIENCE {
                return answer;
            }
        }
    }

    fn answer_once(&mut self, event: &str) -> Answer {
        self.events.send(event.to_owned()).unwrap();
        let body = match self.answers.recv_timeout(PATIENCE) {
            Ok(Ok(body)) => body,
            Ok(Err(error)) => panic!("the runtime was told of an error: {error}"),
            Err(_) => panic!("no answer; the process: {:?}", self.process.try_wait()),
        };
        let wire: Value = serde_json::from_slice(&body).unwrap();
        let headers = wire["headers"].as_object().unwrap().iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect();
        let compressed = headers.iter().any(|(name, _)| name == "content-encoding");
        let text = wire["body"].as_str().unwrap_or_default();
        let body = if wire["isBase64Encoded"] == true {
            let mut body = String::new();
            flate2::read::GzDecoder::new(STANDARD.decode(text).unwrap().as_slice())
                .read_to_string(&mut body)
                .unwrap();
            body
        } else {
            text.to_owned()
        };
        Answer {
            status: u16::try_from(wire["statusCode"].as_u64().unwrap()).unwrap(),
            headers,
            body,
            compressed,
        }
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves one connection of the function, which asks for events and sends answers, until one side
/// closes it.
fn serve(
    connection: TcpStream,
    waiting: &Mutex<mpsc::Receiver<String>>,
    answered: &mpsc::Sender<Result<Vec<u8>, String>>,
) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    let mut writer = connection;
    loop {
        let (mut line, mut length) = (String::new(), 0);
        reader.read_line(&mut line).ok().filter(|&read| read > 0)?;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            match header.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().ok()?
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let reply = if line.starts_with("GET") {
            let event = waiting.lock().ok()?.recv().ok()?;
            let deadline = (SystemTime::now() + Duration::from_secs(10))
                .duration_since(UNIX_EPOCH)
                .ok()?
                .as_millis();
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nlambda-runtime-aws-request-id: r-1\r\n\
                 lambda-runtime-deadline-ms: {deadline}\r\nlambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:123456789012:function:f\r\n\
                 lambda-runtime-trace-id: Root=1-0-0\r\ncontent-length: {}\r\n\r\n{event}",
                event.len()
            )
        } else {
            let failed = line.split(' ').nth(1).is_some_and(|path| path.ends_with("/error"));
            answered
                .send(if failed {
                    Err(String::from_utf8_lossy(&body).into_owned())
                } else {
                    Ok(body)
                })
                .ok()?;
            "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned()
        };
        writer.write_all(reply.as_bytes()).ok()?;
    }
}
