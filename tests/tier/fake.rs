//! A Redis server of this process, which does what the tier needs: GETRANGE, PTTL, SET with PX, AUTH
//! and SELECT. It can be in trouble in every way that a real one can.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The treatment of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Every command is answered.
    None,
    /// No answer.
    Hang,
    /// The answer comes after this time.
    Slow(Duration),
    /// The first half of each answer, and then nothing.
    Half,
    /// The first half of each answer, and then the end of the connection.
    Cut,
    /// These bytes in place of each answer.
    Say(&'static [u8]),
    /// The same for one command alone.
    SayTo(&'static str, &'static [u8]),
    /// A value of 2 GB is announced, and as much of it sent as the client takes.
    Huge,
    /// The connection is closed after each answer.
    Close,
    /// The connection is closed at the first command of it.
    Reset,
    /// Each value comes back with one byte changed.
    Corrupt,
    /// Each value comes back in its first part alone, as a whole one.
    Short,
    /// Each key has the value that was stored last, whatever its key.
    Other,
    /// Each key has no expiry.
    Eternal,
    /// Each key is kept longer than it was stored for.
    Long,
}

/// A value, and when it ends.
type Stored = (Vec<u8>, Instant);

#[derive(Default)]
struct Shared {
    trouble: Mutex<Option<Trouble>>,
    store: Mutex<HashMap<Vec<u8>, Stored>>,
    last: Mutex<Vec<u8>>,
    commands: Mutex<Vec<String>>,
    connections: AtomicU64,
    sent: AtomicU64,
    open: Mutex<Vec<TcpStream>>,
}

/// A server on a port of its own.
pub(crate) struct Fake {
    address: SocketAddr,
    shared: Arc<Shared>,
    is_stopped: Option<Arc<AtomicBool>>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Fake {
    pub(crate) fn start() -> Self {
        let mut fake = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            shared: Arc::default(),
            is_stopped: None,
        };
        fake.restart();
        fake
    }

    /// Listens again on the same port; what was stored is gone.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.shared.store.lock().unwrap().clear();
        let listener = TcpListener::bind(self.address).unwrap();
        self.address = listener.local_addr().unwrap();
        let is_stopped = Arc::new(AtomicBool::new(false));
        self.is_stopped = Some(Arc::clone(&is_stopped));
        let shared = Arc::clone(&self.shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if is_stopped.load(Ordering::Relaxed) {
                    break;
                }
                shared.connections.fetch_add(1, Ordering::Relaxed);
                shared.open.lock().unwrap().push(client.try_clone().unwrap());
                let shared = Arc::clone(&shared);
                thread::spawn(move || serve(client, &shared));
            }
        });
    }

    /// Closes all connections and refuses new ones.
    pub(crate) fn stop(&mut self) {
        let Some(is_stopped) = self.is_stopped.take() else { return };
        is_stopped.store(true, Ordering::Relaxed);
        self.close_all();
        // The thread that accepts connections sees it with the next one.
        let _ = TcpStream::connect(self.address);
        while TcpListener::bind(self.address).is_err() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Closes all connections, as servers close idle ones.
    pub(crate) fn close_all(&self) {
        for client in self.shared.open.lock().unwrap().drain(..) {
            let _ = client.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(crate) fn be(&self, trouble: Trouble) {
        *self.shared.trouble.lock().unwrap() = Some(trouble);
    }

    /// Returns the commands that came since the last time.
    pub(crate) fn commands(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.commands.lock().unwrap())
    }

    /// Returns the number of connections since the last time.
    pub(crate) fn connections(&self) -> u64 {
        self.shared.connections.swap(0, Ordering::Relaxed)
    }

    /// Returns the bytes that were sent of values of 2 GB.
    pub(crate) fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }

    /// Returns the keys and values.
    pub(crate) fn content(&self) -> Vec<(String, Vec<u8>)> {
        let store = self.shared.store.lock().unwrap();
        let text = |key: &[u8]| String::from_utf8(key.to_vec()).unwrap();
        store.iter().map(|(key, (value, _))| (text(key), value.clone())).collect()
    }

    /// Returns how long each key is kept.
    pub(crate) fn expiries(&self) -> Vec<Duration> {
        let store = self.shared.store.lock().unwrap();
        store.values().map(|(_, until)| until.saturating_duration_since(Instant::now())).collect()
    }

    /// Lets this time pass for all keys.
    pub(crate) fn age(&self, by: Duration) {
        for (_, until) in self.shared.store.lock().unwrap().values_mut() {
            *until -= by;
        }
    }
}

/// Reads one command: an array of strings.
fn command(from: &mut impl BufRead) -> Option<Vec<Vec<u8>>> {
    let mut number = |sign: char| {
        let mut line = String::new();
        from.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let count = line.trim_end().strip_prefix(sign).unwrap().parse().unwrap();
        Some((count, line))
    };
    let (count, _): (usize, _) = number('*')?;
    let mut parts = Vec::with_capacity(count);
    for _ in 0..count {
        let mut line = String::new();
        from.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let length: usize = line.trim_end().strip_prefix('$').unwrap().parse().unwrap();
        let mut part = vec![0; length + 2];
        from.read_exact(&mut part).ok()?;
        part.truncate(length);
        parts.push(part);
    }
    Some(parts)
}

fn serve(client: TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut client = client;
    client.set_nodelay(true).unwrap();
    while let Some(parts) = command(&mut reader) {
        let name = String::from_utf8(parts[0].to_ascii_uppercase()).unwrap();
        shared.commands.lock().unwrap().push(name.clone());
        let trouble = shared.trouble.lock().unwrap().unwrap_or(Trouble::None);
        let answer = answer(&name, &parts, trouble, shared);
        let sent = match trouble {
            Trouble::Hang => {
                // Until the client goes.
                let _ = reader.read_to_end(&mut Vec::new());
                return;
            }
            Trouble::Reset => {
                let _ = client.shutdown(Shutdown::Both);
                return;
            }
            Trouble::Half | Trouble::Cut => {
                let _ = client.write_all(&answer[..answer.len() / 2]);
                if trouble == Trouble::Half {
                    let _ = reader.read_to_end(&mut Vec::new());
                }
                let _ = client.shutdown(Shutdown::Both);
                return;
            }
            Trouble::Huge => {
                let _ = client.write_all(b"$2147483648\r\n");
                let chunk = [b'x'; 65_536];
                while client.write_all(&chunk).is_ok() {
                    shared.sent.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                }
                return;
            }
            Trouble::Slow(time) => {
                thread::sleep(time);
                client.write_all(&answer)
            }
            Trouble::Say(what) => client.write_all(what),
            Trouble::SayTo(to, what) if to == name => client.write_all(what),
            _ => client.write_all(&answer),
        };
        if sent.is_err() {
            return;
        }
        // A pipeline is one round trip: its last command is answered too.
        if trouble == Trouble::Close && name != "GETRANGE" {
            let _ = client.shutdown(Shutdown::Both);
            return;
        }
    }
}

fn answer(name: &str, parts: &[Vec<u8>], trouble: Trouble, shared: &Shared) -> Vec<u8> {
    let text = |part: &[u8]| String::from_utf8(part.to_vec()).unwrap();
    let mut store = shared.store.lock().unwrap();
    store.retain(|_, (_, until)| Instant::now() < *until);
    match name {
        "GETRANGE" => {
            let mut value =
                store.get(&parts[1]).map(|(value, _)| value.clone()).unwrap_or_default();
            let end: usize = text(&parts[3]).parse().unwrap();
            value.truncate(end + 1);
            match trouble {
                Trouble::Corrupt => {
                    let at = value.len() / 2;
                    if let Some(byte) = value.get_mut(at) {
                        *byte ^= 1;
                    }
                }
                Trouble::Short => value.truncate(value.len() * 2 / 3),
                Trouble::Other => value.clone_from(&shared.last.lock().unwrap()),
                _ => {}
            }
            [format!("${}\r\n", value.len()).as_bytes(), &value, b"\r\n"].concat()
        }
        "PTTL" => {
            let left = store.get(&parts[1]).map(|(_, until)| *until - Instant::now());
            let left = match trouble {
                Trouble::Eternal => -1,
                Trouble::Long => 86_400_000,
                Trouble::Other => 30_000,
                _ => left.map_or(-2, |left| i64::try_from(left.as_millis()).unwrap()),
            };
            format!(":{left}\r\n").into_bytes()
        }
        "SET" => {
            assert_eq!((&*parts[3], parts.len()), (&b"PX"[..], 5), "SET without an expiry");
            let left = Duration::from_millis(text(&parts[4]).parse().unwrap());
            shared.last.lock().unwrap().clone_from(&parts[2]);
            store.insert(parts[1].clone(), (parts[2].clone(), Instant::now() + left));
            b"+OK\r\n".to_vec()
        }
        "AUTH" | "SELECT" => b"+OK\r\n".to_vec(),
        other => panic!("the tier sends {other}"),
    }
}
