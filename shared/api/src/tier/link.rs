//! The connection to the server: one, for all reads of the process.
//!
//! Every step has a time limit of its own, and after a failure the server is left alone: for a
//! second at first, then twice as long each time, up to 30 seconds. So a server that does not answer
//! costs one request in a while the time limit of one step, and no other request anything.
//!
//! A connection that has not been used for a minute is replaced: what was open while Lambda froze the
//! process may be dead without a sign of it.

use std::{
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use redis::{
    AsyncConnectionConfig, Client, Pipeline, RedisResult, TlsCertificates, Value,
    aio::MultiplexedConnection,
};

use super::{
    CacheUrl,
    failure::{ANSWER_TIME, CONNECT_TIME, Failure},
};

/// The time after a first failure in which the server is left alone.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest such time.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A connection is replaced if it was not used for this time.
const IDLE: Duration = Duration::from_secs(60);

/// The connection to one server.
pub(super) struct Link {
    address: CacheUrl,
    roots: Vec<u8>,
    state: Mutex<State>,
    /// Held while connecting, so that reads that run side by side make one connection.
    connecting: tokio::sync::Mutex<()>,
}

struct State {
    connection: Option<(MultiplexedConnection, Used)>,
    /// Counts the connections that were given up, so that several reads that lose the same one are
    /// one failure.
    generation: u64,
    paused_until: Option<Instant>,
    next_pause: Duration,
}

/// The last use of a connection, by two clocks: which of them go on during a freeze is not
/// documented.
#[derive(Clone, Copy)]
struct Used(Instant, SystemTime);

impl Used {
    fn now() -> Self {
        Self(Instant::now(), SystemTime::now())
    }

    fn is_idle(self) -> bool {
        self.0.elapsed() >= IDLE || self.1.elapsed().map_or(true, |elapsed| elapsed >= IDLE)
    }
}

type Boxed<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;

/// A connection that can be used.
struct Open {
    connection: MultiplexedConnection,
    generation: u64,
    /// False if it was just made.
    was_used: bool,
}

impl Link {
    pub(super) fn new(address: CacheUrl, roots: Vec<u8>) -> Self {
        let state =
            State { connection: None, generation: 0, paused_until: None, next_pause: FIRST_PAUSE };
        Self { address, roots, state: Mutex::new(state), connecting: tokio::sync::Mutex::default() }
    }

    /// Connects, if there is no connection yet.
    pub(super) async fn open(&self) {
        drop(self.connection(Instant::now() + 2 * CONNECT_TIME).await);
    }

    /// Returns a value of at most `longest` bytes and how long the server will keep it. The outer
    /// `None` means that the server cannot be asked, the inner one that it has no such value.
    ///
    /// One byte more is read of a longer value, so that it shows. A value without an expiry is not
    /// one of ours.
    pub(super) async fn get(
        &self,
        name: &str,
        longest: usize,
        deadline: Instant,
    ) -> Option<Option<(Vec<u8>, Duration)>> {
        let mut commands = redis::pipe();
        commands.cmd("GETRANGE").arg(name).arg(0).arg(longest).cmd("PTTL").arg(name);
        let (open, values) = self.exchange(&commands, 2, deadline).await?;
        match <[Value; 2]>::try_from(values) {
            Ok([Value::BulkString(value), Value::Int(left)]) => {
                let left = u64::try_from(left).ok().filter(|_| !value.is_empty());
                if left.is_some() {
                    self.succeeded(&open);
                }
                Some(left.map(|left| (value, Duration::from_millis(left))))
            }
            // The name has something else than a string, which the next `SET` replaces.
            Ok([Value::ServerError(error), Value::Int(_)]) if error.code() == "WRONGTYPE" => {
                Some(None)
            }
            Ok([Value::ServerError(error), _]) => {
                self.pause(open.generation, Failure::refused(error.code()));
                None
            }
            _ => {
                self.pause(open.generation, Failure::Unexpected);
                None
            }
        }
    }

    /// Stores a value for `left`. Returns `false` if the server did not take it.
    pub(super) async fn set(
        &self,
        name: &str,
        value: &[u8],
        left: Duration,
        deadline: Instant,
    ) -> bool {
        let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        let mut commands = redis::pipe();
        commands.cmd("SET").arg(name).arg(value).arg("PX").arg(left);
        let Some((open, values)) = self.exchange(&commands, 1, deadline).await else {
            return false;
        };
        let failure = match values.as_slice() {
            [Value::Okay] => {
                self.succeeded(&open);
                return true;
            }
            [Value::ServerError(error)] => Failure::refused(error.code()),
            _ => Failure::Unexpected,
        };
        self.pause(open.generation, failure);
        false
    }

    /// Sends commands and returns their answers; `None` if that failed, or if the server is left
    /// alone, or if the request has less time left than an answer may take.
    ///
    /// The commands can be repeated, so they are sent a second time if a connection that was used
    /// before turns out to be closed.
    ///
    /// Boxed, because its type would be part of that of every handler.
    fn exchange<'c>(
        &'c self,
        commands: &'c Pipeline,
        answers: usize,
        deadline: Instant,
    ) -> Boxed<'c, Option<(Open, Vec<Value>)>> {
        Box::pin(async move {
            loop {
                let mut open = self.connection(deadline).await?;
                let until = Instant::now() + ANSWER_TIME;
                if until > deadline {
                    return None;
                }
                let call = open.connection.send_packed_commands(commands, 0, answers);
                match tokio::time::timeout_at(until.into(), call).await {
                    Ok(Ok(values)) => {
                        self.used(&open);
                        return Some((open, values));
                    }
                    Ok(Err(error)) if open.was_used && error.is_connection_dropped() => {
                        self.drop_connection(open.generation);
                    }
                    Ok(Err(_)) => self.pause(open.generation, Failure::Broken),
                    Err(_) => self.pause(open.generation, Failure::AnswerTimeout),
                }
            }
        })
    }

    /// Returns the connection, or makes one.
    async fn connection(&self, deadline: Instant) -> Option<Open> {
        if let Some(open) = self.current()? {
            return Some(open);
        }
        let _connecting = self.connecting.lock().await;
        if let Some(open) = self.current()? {
            return Some(open);
        }
        let until = Instant::now() + CONNECT_TIME;
        if until > deadline {
            return None;
        }
        let generation = self.state().generation;
        let failure = match tokio::time::timeout_at(until.into(), self.connect()).await {
            Ok(Ok(connection)) => {
                self.state().connection = Some((connection.clone(), Used::now()));
                return Some(Open { connection, generation, was_used: false });
            }
            Ok(Err(_)) => Failure::Connect,
            Err(_) => Failure::ConnectTimeout,
        };
        self.pause(generation, failure);
        None
    }

    /// Returns the connection that is open, if there is one. The outer `None` means that the server
    /// is left alone.
    fn current(&self) -> Option<Option<Open>> {
        let mut state = self.state();
        if state.paused_until.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        state.connection.take_if(|(_, used)| used.is_idle());
        let generation = state.generation;
        Some(state.connection.as_ref().map(|(connection, _)| Open {
            connection: connection.clone(),
            generation,
            was_used: true,
        }))
    }

    /// Connects and logs in. Boxed, because the type of the client's future is large.
    fn connect(&self) -> Boxed<'_, RedisResult<MultiplexedConnection>> {
        Box::pin(async {
            let info = self.address.connection_info()?;
            let client = if self.address.is_tls() {
                let certificates =
                    TlsCertificates { client_tls: None, root_cert: Some(self.roots.clone()) };
                Client::build_with_tls(info, certificates)?
            } else {
                Client::open(info)?
            };
            // Its own time limits are 1 s and 500 ms. The limits here are around every call.
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(None)
                .set_response_timeout(None);
            // When its last clone is dropped, the client ends the task that reads and writes.
            client.get_multiplexed_async_connection_with_config(&config).await
        })
    }

    fn used(&self, open: &Open) {
        let mut state = self.state();
        if state.generation == open.generation
            && let Some((_, used)) = &mut state.connection
        {
            *used = Used::now();
        }
    }

    /// Begins again with the shortest pause. A value that was found or stored shows that the server
    /// works; that it has no such value does not.
    fn succeeded(&self, open: &Open) {
        let mut state = self.state();
        if state.generation == open.generation {
            state.next_pause = FIRST_PAUSE;
        }
    }

    /// Gives the connection up and leaves the server alone, unless another read has done so.
    fn pause(&self, generation: u64, failure: Failure) {
        let mut state = self.state();
        if state.generation == generation {
            let pause = state.next_pause;
            state.generation += 1;
            state.connection = None;
            state.paused_until = Some(Instant::now() + pause);
            state.next_pause = (2 * pause).min(LONGEST_PAUSE);
            drop(state);
            tracing::warn!(%failure, seconds = pause.as_secs(), "the cache tier is left alone");
        }
    }

    /// Gives the connection up without a pause.
    fn drop_connection(&self, generation: u64) {
        let mut state = self.state();
        if state.generation == generation {
            state.generation += 1;
            state.connection = None;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A freeze is seen by either clock, and a clock that was set back is no proof of use.
    #[test]
    fn a_connection_that_was_not_used_for_a_minute_is_idle() {
        let (now, time) = (Instant::now(), SystemTime::now());
        let (short, long) = (IDLE - Duration::from_secs(5), IDLE + Duration::from_millis(1));
        assert!(!Used(now, time).is_idle());
        assert!(!Used(now - short, time - short).is_idle());
        assert!(Used(now - long, time).is_idle());
        assert!(Used(now, time - long).is_idle());
        assert!(Used(now, time + long).is_idle());
    }

    /// Two requests that shared a connection find it closed: the second one leaves the connection
    /// alone that the first one has opened since.
    #[test]
    fn a_connection_is_given_up_once() {
        let link = Link::new("redis://localhost".parse().unwrap(), Vec::new());
        let seen = || {
            let state = link.state();
            (state.generation, state.paused_until.is_some(), state.next_pause)
        };
        link.drop_connection(0);
        link.drop_connection(0);
        assert_eq!(seen(), (1, false, FIRST_PAUSE));
        link.pause(0, Failure::Broken);
        assert_eq!(seen(), (1, false, FIRST_PAUSE));
        link.pause(1, Failure::Broken);
        assert_eq!(seen(), (2, true, 2 * FIRST_PAUSE));
    }
}
