//! The tier over a real server, which these tests start: `REDIS_SERVER` names the program, a
//! `redis-server` or `valkey-server`. `.ci/tier` runs them.

use std::{
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use redis::Commands;
use rustix::process::{Pid, Signal, kill_process};

use super::{
    LISTS, kept_for, orders, products, renamed, second_reading, send, stampede, user, walk,
};
use crate::{
    hostile::process::Function,
    proxy::{Fault, Proxy},
    stack::Stack,
};

/// A server on a port of its own, that writes nothing to the disk.
struct Server {
    process: Child,
    port: u16,
    arguments: Vec<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let arguments = arguments.iter().map(|text| (*text).to_owned()).collect();
        Self::on(port, arguments)
    }

    fn on(port: u16, arguments: Vec<String>) -> Self {
        let program = std::env::var("REDIS_SERVER").unwrap_or_else(|_| {
            panic!("REDIS_SERVER is not set: run .ci/tier, or name a redis-server or valkey-server")
        });
        let process = Command::new(program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(&arguments)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, port, arguments };
        let began = Instant::now();
        while server.client().and_then(|mut client| client.ping::<String>()).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "the server does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn client(&self) -> redis::RedisResult<redis::Connection> {
        redis::Client::open(self.url())?.get_connection()
    }

    fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    fn signal(&self, signal: Signal) {
        kill_process(pid(&self.process), signal).unwrap();
    }

    /// Returns the keys and values.
    fn content(&self) -> Vec<(String, Vec<u8>)> {
        let mut client = self.client().unwrap();
        let keys: Vec<String> = client.keys("*").unwrap();
        keys.into_iter().map(|key| (key.clone(), client.get(&key).unwrap())).collect()
    }
}

fn pid(process: &Child) -> Pid {
    Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap()
}

#[tokio::test]
#[ignore = "needs a Redis server: .ci/tier"]
async fn the_second_reading_costs_nothing_and_is_the_same() {
    let server = Server::start(&[]);
    second_reading(&server.url()).await;
    let mut client = server.client().unwrap();
    for (key, _) in server.content() {
        let left: i64 = client.pttl(&key).unwrap();
        assert!((0..=60_000).contains(&left), "{key}: {left} ms");
    }
}

/// `WALKS` sets the number of tables.
#[tokio::test]
#[ignore = "needs a Redis server: .ci/tier"]
async fn walks_over_the_tier_are_exact() {
    let server = Server::start(&[]);
    let cases = std::env::var("WALKS").ok().and_then(|walks| walks.parse().ok()).unwrap_or(20);
    walk::walks(&server.url(), cases, 5).await;
}

#[tokio::test]
#[ignore = "needs a Redis server: .ci/tier"]
async fn nothing_private_is_stored() {
    let server = Server::start(&[]);
    let stack = Stack::shop().with_tier(&server.url());
    send(&stack.app(&shop::GET_USER), &user()).await;
    let app = stack.app(&shop::LIST_USER_ORDERS);
    for query in ["", "limit=5&expand=customer", "status=paid,shipped", "limit=5&page=2"] {
        send(&app, &orders(query)).await;
    }
    assert_eq!(server.content(), []);
    send(&app, &orders("limit=5&expand=customer,items.product")).await.is("miss");
    let content = server.content();
    assert_eq!(content.len(), 1);
    for private in ["u-1", "userId", "orderId", "sentinel", "email"] {
        let text = format!("{}{}", content[0].0, String::from_utf8_lossy(&content[0].1));
        assert!(!text.contains(private), "{private}: {text}");
    }
}

#[tokio::test]
#[ignore = "needs a Redis server: .ci/tier"]
async fn fifty_processes_that_have_nothing_read_once_each_at_most() {
    let server = Server::start(&[]);
    println!("{} reads of 50 processes that ask at once", stampede::at_once(&server.url()).await);
}

#[tokio::test]
#[ignore = "needs a Redis server: .ci/tier"]
async fn an_entry_that_ends_is_read_by_few() {
    let server = Server::start(&[]);
    stampede::with_and_without_early_refresh(&server.url()).await;
}

/// The server that is stopped while an answer is read.
static STOPPED: Mutex<Option<Pid>> = Mutex::new(None);

/// An answer is never used for longer than its lifetime, counted from its read, and what `Age` and
/// `max-age` promise ends before that: also if the server was stopped with the answer on its way.
#[tokio::test]
#[ignore = "needs a Redis server: .ci/tier"]
async fn a_write_is_seen_after_the_lifetime_at_most() {
    const LIFETIME: u64 = 3;
    for stops in [false, true] {
        let server = Server::start(&[]);
        let mut stack = Stack::shop().with_tier(&server.url());
        let proxy = Proxy::before(&stack.local.url, &[]);
        stack.local.url.clone_from(&proxy.url);
        let app = stack.app(kept_for(u32::try_from(LIFETIME).unwrap()));
        if stops {
            *STOPPED.lock().unwrap() = Some(pid(&server.process));
            proxy.only(&[Fault::After(|_| {
                kill_process(STOPPED.lock().unwrap().unwrap(), Signal::STOP).unwrap();
            })]);
        }
        let first = send(&app, &products("limit=1")).await;
        first.is(if stops { "open" } else { "miss" });
        // The read began before this.
        let read = proxy.whole_calls()[0].came;
        stack.put("products", std::iter::once(renamed(&first)));
        let written = Instant::now();
        if stops {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            server.signal(Signal::CONT);
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert_eq!(server.content().len(), 1, "the server has stored what was on its way");
        }
        let mut hits = 0;
        loop {
            let asked = Instant::now();
            let sent = send(&app, &products("limit=1")).await;
            if sent.answer.body.contains("renamed") {
                break;
            }
            hits += 1;
            sent.is("hit");
            let age = sent.age().unwrap();
            // A cache may keep the reply for what is left of its lifetime.
            let promised = asked + Duration::from_secs(LIFETIME.saturating_sub(age));
            assert!(
                promised <= read + Duration::from_secs(LIFETIME),
                "{age} s, {:?}",
                asked - read
            );
            assert!(written.elapsed() < Duration::from_secs(LIFETIME));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(hits > 10, "{hits} hits before the write was seen");
    }
}

/// The server is killed and started again, while four processes ask.
#[tokio::test]
#[ignore = "needs a Redis server: .ci/tier"]
async fn a_server_that_is_killed_and_restarted_under_load_changes_no_answer() {
    let mut server = Server::start(&[]);
    let stack = Stack::shop().with_tier(&server.url());
    let without = Stack::shop();
    let mut expected = Vec::new();
    for query in LISTS {
        expected.push(send(&without.app(&shop::LIST_PRODUCTS), &products(query)).await);
    }
    let apps: Vec<_> = (0..4).map(|_| stack.app(&shop::LIST_PRODUCTS)).collect();
    let mut outcomes = std::collections::BTreeMap::<String, u32>::new();
    for phase in ["runs", "killed", "runs again", "killed again", "runs at last"] {
        match phase {
            "killed" | "killed again" => server.kill(),
            "runs" => {}
            _ => {
                server = Server::on(server.port, server.arguments.clone());
                tokio::time::sleep(Duration::from_millis(2_050)).await;
            }
        }
        let mut hits = 0;
        for round in 0..40 {
            let (app, number) = (&apps[round % 4], round % LISTS.len());
            let sent = send(app, &products(LISTS[number])).await;
            assert_eq!(sent.seen(), expected[number].seen(), "{phase}");
            let tier = sent.line["cacheTier"].as_str().unwrap();
            hits += u32::from(tier == "hit");
            *outcomes.entry(format!("{phase}: {tier}")).or_default() += 1;
        }
        assert!(hits > 10 || phase.starts_with("killed"), "{phase}: {outcomes:?}");
    }
    println!("{outcomes:?}");
}

/// A server whose memory is full, and that must not forget anything.
#[tokio::test]
#[ignore = "needs a Redis server: .ci/tier"]
async fn a_full_server_changes_no_answer() {
    let server = Server::start(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]);
    let (stack, without) = (Stack::shop().with_tier(&server.url()), Stack::shop());
    for query in LISTS {
        let expected = send(&without.app(&shop::LIST_PRODUCTS), &products(query)).await;
        let sent = send(&stack.app(&shop::LIST_PRODUCTS), &products(query)).await;
        assert_eq!(sent.is("open").seen(), expected.seen());
    }
    assert_eq!(server.content(), []);
}

/// Something else stands at the name of an answer.
#[tokio::test]
#[ignore = "needs a Redis server: .ci/tier"]
async fn a_name_that_is_taken_is_replaced() {
    let server = Server::start(&[]);
    let stack = Stack::shop().with_tier(&server.url());
    let app = stack.app(&shop::LIST_PRODUCTS);
    send(&app, &products("")).await.is("miss");
    let [(key, value)] = server.content().try_into().unwrap();
    let mut client = server.client().unwrap();
    for set in [
        redis::cmd("LPUSH").arg(&key).arg("x").clone(),
        redis::cmd("SET").arg(&key).arg(&value).clone(),
        redis::cmd("SET").arg(&key).arg("x").arg("PX").arg(50_000).clone(),
        redis::cmd("SETRANGE").arg(&key).arg(300_000).arg("x").clone(),
    ] {
        let _: () = client.del(&key).unwrap();
        set.exec(&mut client).unwrap();
        send(&app, &products("")).await.is("miss");
        send(&app, &products("")).await.is("hit");
    }
}

/// TLS with the certificates of `AWS_CA_BUNDLE`, and with no others: not those of the machine.
#[test]
#[ignore = "needs a Redis server: .ci/tier"]
fn tls_trusts_the_same_roots_as_the_client_of_dynamodb() {
    let folder = std::env::temp_dir().join(format!("tier-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(file("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(file("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    drop(listener);
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    let server = Server::start(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &cert,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &cert,
        "--tls-auth-clients",
        "no",
    ]);
    let url = format!("rediss://localhost:{port}");
    let answer = |variables: &[(&'static str, &str)]| {
        let mut stack = Stack::shop().with_tier(&url);
        let variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned()));
        stack.variables.extend(variables);
        let answer =
            Function::start(&shop::LIST_PRODUCTS, &stack).answer(&products("limit=5").to_string());
        assert_eq!(answer.status, 200);
        let content = server.content().len();
        let _: () = server.client().unwrap().flushall().unwrap();
        content
    };
    assert_eq!(answer(&[]), 0, "the built-in certificates do not sign it");
    assert_eq!(answer(&[("AWS_CA_BUNDLE", &cert)]), 1);
    // The certificates of the machine are not read: they would be these, which are none.
    let nothing = file("nothing.pem");
    assert_eq!(answer(&[("AWS_CA_BUNDLE", &cert), ("SSL_CERT_FILE", &nothing)]), 1);
    assert_eq!(answer(&[("SSL_CERT_FILE", &cert)]), 0);
    std::fs::remove_dir_all(folder).unwrap();
}
