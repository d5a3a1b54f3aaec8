//! A Redis server on this machine, behind TLS as ElastiCache is.

use crate::candidate::on_path;
use anyhow::{Context as _, Result, bail};
use dev::workspace;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Redis {
    child: Child,
    /// The value of `CACHE_URL`.
    pub(crate) url: String,
}

/// The time that it may take to start.
const PATIENCE: Duration = Duration::from_secs(10);
const PROGRAMS: [&str; 2] = ["valkey-server", "redis-server"];

impl Redis {
    /// Starts a server on a free port, empty, in memory alone, with the certificate in the folder of
    /// a run.
    ///
    /// # Errors
    /// If no server is on PATH, or it does not start.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let Some(program) = PROGRAMS.iter().find_map(|name| on_path(name).ok()) else {
            bail!(
                "neither valkey-server nor redis-server is on PATH: install one (Debian and Ubuntu: `apt-get install redis-server`, Homebrew: \
                 `brew install valkey`)"
            );
        };
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .context("there is no free port")?
            .port();
        let log = folder.join("redis.log");
        let to = std::fs::File::create(&log).context("cannot write a log")?;
        let mut command = Command::new(program);
        command
            .args(["--bind", "127.0.0.1", "--port", "0", "--tls-port", &port.to_string()])
            .args(["--tls-auth-clients", "no", "--save", "", "--appendonly", "no"])
            .args(["--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru"]);
        for (option, file) in [
            ("--tls-cert-file", "server.pem"),
            ("--tls-key-file", "server-key.pem"),
            ("--tls-ca-cert-file", "ca.pem"),
        ] {
            command.arg(option).arg(folder.join(file));
        }
        command.current_dir(folder).stdin(Stdio::null()).stderr(Stdio::null()).stdout(to);
        let child = command.spawn().context("cannot start a Redis server")?;
        let mut redis = Self { child, url: format!("rediss://localhost:{port}") };
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if redis.child.try_wait().is_ok_and(|ended| ended.is_some())
                || began.elapsed() > PATIENCE
            {
                bail!(
                    "the Redis server does not start (it must be built with TLS): {}",
                    workspace::shown(&log)
                );
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(redis)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
