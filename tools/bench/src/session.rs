//! One process of a candidate, started as by Lambda, from its start to its end.

use crate::candidate::{Candidate, Route};
use crate::runtime_api::{Act, RuntimeApi};
use crate::surroundings::Surroundings;
use anyhow::{Context as _, Result, anyhow, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Time by the clock and by the processor.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

/// A process that waits for events. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Session {
    child: Child,
    api: RuntimeApi,
    name: String,
    log: PathBuf,
    patience: Duration,
    /// From the start to the first wait for an event.
    pub(crate) init: Cost,
}

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    /// From the event's first byte to the answer's last.
    pub(crate) wall: Duration,
    /// Lambda's form of it.
    pub(crate) payload: Vec<u8>,
}

/// The time limit, longer than any candidate takes. Under callgrind it is longer, because
/// candidates are much slower there.
const PATIENCE: Duration = Duration::from_secs(60);
const PATIENCE_OF_CALLGRIND: Duration = Duration::from_secs(300);
/// The time for a process to become idle after it has asked for an event.
const SETTLE: Duration = Duration::from_millis(2);

impl Session {
    /// Starts a candidate and waits until it is ready.
    pub(crate) fn start(
        candidate: &Candidate,
        route: Route,
        around: &Surroundings,
    ) -> Result<Self> {
        Self::spawn(candidate, route, around, None)
    }

    /// Starts a candidate under callgrind, which counts its instructions.
    pub(crate) fn start_counted(
        candidate: &Candidate,
        route: Route,
        around: &Surroundings,
        out: &Path,
    ) -> Result<Self> {
        Self::spawn(candidate, route, around, Some(out))
    }

    fn spawn(
        candidate: &Candidate,
        route: Route,
        around: &Surroundings,
        callgrind: Option<&Path>,
    ) -> Result<Self> {
        let api = RuntimeApi::start()?;
        let name = format!("{} ({})", candidate.name, route.name());
        let (program, arguments) = candidate.command(route);
        let log = around.folder.join(format!("{}.log", candidate.name));
        let to = std::fs::File::create(&log).context("cannot write a log")?;
        let mut command = match callgrind {
            None => Command::new(program),
            Some(out) => {
                let mut command = Command::new("valgrind");
                command
                    .args(["--tool=callgrind", "--log-file=%q{CALLGRIND_LOG}"])
                    .arg(format!("--callgrind-out-file={}", out.display()));
                command.arg(program);
                command
            }
        };
        command.args(arguments).env_clear().envs(candidate.environment(
            route,
            around,
            &api.address.to_string(),
        ));
        command.env("CALLGRIND_LOG", around.folder.join("callgrind.log"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(to);
        let began = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let patience = if callgrind.is_some() { PATIENCE_OF_CALLGRIND } else { PATIENCE };
        let mut session = Self { child, api, name, log, patience, init: Cost::default() };
        let ready = session.waits()?;
        session.init = Cost { wall: ready - began, cpu: session.settled()? };
        Ok(session)
    }

    /// Sends an event and waits for the answer and for the next request for an event.
    pub(crate) fn invoke(&mut self, event: &str) -> Result<Answered> {
        self.api.send(event)?;
        match self.next()? {
            Act::Answered(sent, done, payload) => {
                self.waits()?;
                Ok(Answered { wall: done - sent, payload })
            }
            Act::Failed(why) => Err(anyhow!("{} failed: {why}", self.name)),
            Act::Waits(_) => Err(anyhow!("{} did not answer an event", self.name)),
        }
    }

    /// Returns the processor time of all threads so far, once the process is idle.
    pub(crate) fn settled(&self) -> Result<Duration> {
        std::thread::sleep(SETTLE);
        let failed = "cannot read the time of a process in /proc (Linux alone has it)";
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).context(failed)?;
        let mut nanoseconds = 0;
        for task in tasks.flatten() {
            let text = std::fs::read_to_string(task.path().join("schedstat")).context(failed)?;
            nanoseconds += text
                .split(' ')
                .next()
                .and_then(|text| text.parse::<u64>().ok())
                .unwrap_or_default();
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Returns the resident memory in KiB: now, and the maximum.
    pub(crate) fn memory(&self) -> Result<(u64, u64)> {
        let failed = "cannot read the memory of a process in /proc (Linux alone has it)";
        let text =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).context(failed)?;
        let of = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
        };
        Ok((of("VmRSS:"), of("VmHWM:")))
    }

    /// Ends the process with a signal after which callgrind still writes its count, and reads the
    /// count.
    pub(crate) fn instructions(mut self, folder: &Path) -> Result<u64> {
        let failed = "callgrind did not say how many instructions it has counted";
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context(failed)?, Signal::TERM).context(failed)?;
        self.child.wait().context(failed)?;
        let log = std::fs::read_to_string(folder.join("callgrind.log")).context(failed)?;
        let count =
            log.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
        count.context(failed)
    }

    fn waits(&mut self) -> Result<Instant> {
        match self.next()? {
            Act::Waits(since) => Ok(since),
            Act::Failed(why) => Err(anyhow!("{} failed: {why}", self.name)),
            Act::Answered(..) => Err(anyhow!("{} answered what was not asked", self.name)),
        }
    }

    fn next(&mut self) -> Result<Act> {
        let began = Instant::now();
        while began.elapsed() < self.patience {
            if let Some(act) = self.api.next(Duration::from_millis(500))? {
                return Ok(act);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                let last = log
                    .lines()
                    .rev()
                    .find(|line| !line.trim().is_empty())
                    .unwrap_or("it said nothing");
                bail!("{} ended ({status}): {last}", self.name);
            }
        }
        Err(anyhow!("{} did nothing for {} s", self.name, self.patience.as_secs()))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answered {
    /// Returns the status and the body that API Gateway would send, before compression.
    pub(crate) fn body(&self) -> Result<(u64, String)> {
        let failed = "an answer that API Gateway would not take";
        let payload: Value = serde_json::from_slice(&self.payload).context(failed)?;
        let status = payload["statusCode"].as_u64().context(failed)?;
        let body = payload["body"].as_str().unwrap_or_default().to_owned();
        if payload["isBase64Encoded"] != true {
            return Ok((status, body));
        }
        let bytes = BASE64_STANDARD.decode(body).context(failed)?;
        let mut text = String::new();
        if payload["headers"]["content-encoding"] == "gzip" {
            std::io::Read::read_to_string(
                &mut flate2::read::GzDecoder::new(bytes.as_slice()),
                &mut text,
            )
            .context(failed)?;
        } else {
            text = String::from_utf8(bytes).context(failed)?;
        }
        Ok((status, text))
    }

    /// A header of the answer.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let payload: Value = serde_json::from_slice(&self.payload).ok()?;
        Some(payload["headers"][name].as_str()?.to_owned())
    }
}
