//! The cache tier of the local stack: a Redis or Valkey server that is started here and ends with
//! the stack, or one that runs already.

use crate::guard;
use crate::process::{self, Group};
use anyhow::{Context as _, Result, anyhow, bail};
use api::CacheUrl;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::process::Command;

/// The programs that can serve, the first that is found.
const PROGRAMS: [&str; 2] = ["valkey-server", "redis-server"];
/// The time that a server may take to start.
const START: Duration = Duration::from_secs(10);
/// The memory of the server. As a managed one does, it forgets what was not used for longest.
const MEMORY: [&str; 4] = ["--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru"];

/// The cache tier that a stack is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// None.
    Off,
    /// A server of its own.
    Start,
    /// The server at this address, which may have a password.
    At(String),
}

/// The cache tier of a running stack. A server that was started ends with it.
pub(crate) struct Cache {
    /// `CACHE_URL`; empty if there is none.
    pub(crate) url: String,
    _server: Option<Group>,
}

impl Cache {
    /// Checks the address, or starts the server.
    ///
    /// # Errors
    /// An address that the functions would not take; no program on PATH; a server that does not
    /// start.
    pub(crate) async fn start(choice: &Choice) -> Result<Self> {
        match choice {
            Choice::Off => Ok(Self { url: String::new(), _server: None }),
            Choice::At(url) => match url.parse::<CacheUrl>() {
                Ok(_) => Ok(Self { url: url.clone(), _server: None }),
                Err(error) => bail!("--cache-url {error}"),
            },
            Choice::Start => {
                let path = std::env::var_os("PATH").unwrap_or_default();
                let program = found(&path).ok_or_else(missing)?;
                let name = program.file_name().unwrap_or_default().to_string_lossy();
                Self::serve(process::bound(&program)?, &name).await
            }
        }
    }

    /// Starts a program at an address that a page in a browser cannot guess. It writes nothing to
    /// the disk.
    async fn serve(mut command: Command, name: &str) -> Result<Self> {
        let address = guard::hidden()?.local_addr().context("no free port")?;
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        command
            .args(["--bind", &host, "--port", &port])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(MEMORY)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let mut server = Group::start(command, name)?;
        tokio::select! {
            listens = until_it_listens(address) => listens.with_context(|| name.to_owned())?,
            ended = server.wait() => bail!("{name} ended by itself ({})", ended?),
        }
        eprintln!("cache: {name} on redis://{address}");
        Ok(Self { url: format!("redis://{address}"), _server: Some(server) })
    }
}

async fn until_it_listens(address: SocketAddr) -> Result<()> {
    let begin = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        if begin.elapsed() > START {
            bail!("does not listen on {address} after {} s", START.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Returns the program in the folders of a PATH.
fn found(path: &OsStr) -> Option<PathBuf> {
    let programs = PROGRAMS
        .iter()
        .flat_map(|program| std::env::split_paths(path).map(move |folder| folder.join(program)));
    programs.into_iter().find(|program| program.is_file())
}

fn missing() -> anyhow::Error {
    anyhow!(
        "--cache needs valkey-server or redis-server on PATH: install the package valkey-server or redis-server (Debian, Ubuntu), or valkey (brew); \
         or give a server that runs with --cache-url"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valkey_comes_before_redis_and_either_will_do() {
        let folder = std::env::temp_dir().join(format!("dev-cache-{}", std::process::id()));
        let (one, other) = (folder.join("one"), folder.join("other"));
        std::fs::create_dir_all(&one).unwrap();
        std::fs::create_dir_all(&other).unwrap();
        let path = std::env::join_paths([&one, &other]).unwrap();
        assert_eq!(found(&path), None);
        std::fs::write(one.join("redis-server"), "").unwrap();
        assert_eq!(found(&path), Some(one.join("redis-server")));
        std::fs::write(other.join("valkey-server"), "").unwrap();
        assert_eq!(found(&path), Some(other.join("valkey-server")));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_missing_is_said_with_what_to_install() {
        let text = missing().to_string();
        assert!(text.contains("redis-server (Debian, Ubuntu)") && text.contains("--cache-url"));
    }

    #[tokio::test]
    async fn an_address_is_checked_and_not_shown() {
        let start = async |url: &str| Cache::start(&Choice::At(url.to_owned())).await;
        let error = start("http://:s3cret@host").await.err().unwrap().to_string();
        assert!(error.starts_with("--cache-url must be a URL like ") && !error.contains("s3cret"));
        assert_eq!(start("redis://:s3cret@host").await.unwrap().url, "redis://:s3cret@host");
        assert_eq!(Cache::start(&Choice::Off).await.unwrap().url, "");
    }

    /// A program in place of the server.
    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn a_server_that_ends_by_itself_is_named() {
        let error = Cache::serve(shell("exit 3"), "some-server").await.err().unwrap().to_string();
        assert!(error.starts_with("some-server ended by itself"), "{error}");
    }
}
