//! Children that never outlive this process.
//!
//! Each is started in a process group of its own, and a signal to the group ends it with its
//! children. `cargo lambda watch` puts every function into yet another group, so a group is not
//! enough: every child also inherits a mark in its environment, and every process with this mark is
//! ended.

use crate::workspace;
use anyhow::{Context as _, Error, Result, anyhow};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

const MARK: &str = "LEAN_ROUTES_DEV";
/// The hidden subcommand of `cargo dev` that calls [`replace_bound`].
pub(crate) const BOUND: &str = "bound";
/// The time that a child has to end by itself.
const PATIENCE: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_millis(50);

/// A child with its process group.
pub(crate) struct Group {
    child: Child,
    pid: Option<Pid>,
    mark: String,
}

impl Group {
    /// Starts a command. `what` names it in errors.
    pub(crate) fn start(mut command: Command, what: &str) -> Result<Self> {
        let mark = format!("{}-{:?}", std::process::id(), std::time::Instant::now());
        without_cargo_variables(command.as_std_mut());
        command.env(MARK, &mark).process_group(0).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("cannot start {what}"))?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, pid, mark })
    }

    /// Takes the child's standard output and standard error, once, if the command was given pipes
    /// for them.
    pub(crate) fn take_output(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits for the child to end by itself.
    pub(crate) async fn wait(&mut self) -> Result<ExitStatus> {
        self.child.wait().await.context("cannot wait for a child")
    }

    /// Asks the group to end, then kills the remaining processes.
    pub(crate) async fn end(mut self) {
        self.signal(Signal::TERM);
        let mut waited = Duration::ZERO;
        while waited < PATIENCE
            && (matches!(self.child.try_wait(), Ok(None)) || !self.left().is_empty())
        {
            tokio::time::sleep(STEP).await;
            waited += STEP;
            // Processes in other groups did not get the signal.
            if !matches!(self.child.try_wait(), Ok(None)) {
                self.left().into_iter().for_each(|pid| send(pid, Signal::TERM));
            }
        }
        // Dropping kills the rest.
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid {
            // It is no error if the group is already empty.
            let _ = kill_process_group(pid, signal);
        }
    }

    /// Returns the processes with the mark.
    #[cfg(target_os = "linux")]
    fn left(&self) -> Vec<Pid> {
        let mark = format!("{MARK}={}", self.mark);
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        processes
            .filter_map(|entry| {
                let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
                // The environment of another account's process cannot be read, and a zombie's is
                // empty.
                let environment = std::fs::read(entry.path().join("environ")).ok()?;
                environment
                    .split(|byte| *byte == 0)
                    .any(|variable| variable == mark.as_bytes())
                    .then_some(pid)
            })
            .collect()
    }

    /// Descendants of the child: elsewhere than on Linux the environment of others cannot be read
    /// for sure.
    #[cfg(not(target_os = "linux"))]
    fn left(&self) -> Vec<Pid> {
        let listing = std::process::Command::new("ps").args(["-axo", "pid=,ppid="]).output();
        let listing = listing
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
            .unwrap_or_default();
        let pairs: Vec<(i32, i32)> = listing
            .lines()
            .filter_map(|line| {
                let mut numbers = line.split_whitespace().map(str::parse);
                Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
            })
            .collect();
        let mut family: Vec<i32> = self.pid.iter().map(|pid| pid.as_raw_nonzero().get()).collect();
        let mut next = 0;
        while let Some(parent) = family.get(next).copied() {
            family.extend(pairs.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
            next += 1;
        }
        family.into_iter().skip(1).filter_map(Pid::from_raw).collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let left = self.left();
        if matches!(self.child.try_wait(), Ok(None)) || !left.is_empty() {
            self.signal(Signal::KILL);
            left.into_iter().for_each(|pid| send(pid, Signal::KILL));
        }
    }
}

/// Signals a process. It is no error if the process has already ended.
fn send(pid: Pid, signal: Signal) {
    let _ = kill_process(pid, signal);
}

/// Removes the variables about this package that cargo sets for the programs it runs, because they
/// would mislead another cargo.
fn without_cargo_variables(command: &mut std::process::Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
            .iter()
            .any(|of| name.starts_with(of))
        {
            command.env_remove(name);
        }
    }
}

/// Runs a binary of this workspace with cargo in the place of this process: arguments, signals and
/// exit status are its own.
///
/// # Errors
/// Returns only if cargo cannot be started.
pub(crate) fn replace_by_package(package: &str, arguments: &[OsString]) -> Error {
    let mut cargo =
        std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    without_cargo_variables(&mut cargo);
    cargo
        .args(["run", "--quiet", "--package", package, "--manifest-path"])
        .arg(workspace::root().join("Cargo.toml"));
    cargo.arg("--").args(arguments);
    anyhow!("cannot start cargo: {}", cargo.exec())
}

/// A command that gets SIGTERM when this process ends, even if that is killed. Elsewhere than on
/// Linux it is the program alone.
///
/// Only the child itself can ask for the signal, and no safe code runs in it before its program: so
/// this binary starts once more, asks, and gives its place to the program ([`replace_bound`]).
pub(crate) fn bound(program: &Path) -> Result<Command> {
    if !cfg!(target_os = "linux") {
        return Ok(Command::new(program));
    }
    let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
    command.args([BOUND, &std::process::id().to_string(), "--"]).arg(program);
    Ok(command)
}

/// Asks for SIGTERM at the end of the parent, whose process id is given, and runs a program in the
/// place of this process.
///
/// # Errors
/// Returns only if the parent has ended, or the program cannot be started.
pub(crate) fn replace_bound(parent: u32, program: &OsString, arguments: &[OsString]) -> Error {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(Signal::TERM)) {
        return anyhow!("cannot ask for the signal: {error}");
    }
    // It may have ended before the signal was asked for.
    if std::os::unix::process::parent_id() != parent {
        return anyhow!("process {parent} has ended");
    }
    anyhow!(
        "cannot start {}: {}",
        program.display(),
        std::process::Command::new(program).args(arguments).exec()
    )
}

/// Runs a command to its end; if the future is dropped before that, the command is killed.
///
/// # Errors
/// If it cannot be started or does not succeed. `what` names it in errors.
pub async fn run(command: Command, what: &str) -> Result<()> {
    let mut group = Group::start(command, what)?;
    match group.wait().await? {
        status if status.success() => Ok(()),
        status => Err(anyhow!("{what} failed ({status}): see above")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn a_child_that_ignores_the_signal_ends_with_its_own_children() {
        // `setsid`: a group of its own, as cargo-lambda's functions have.
        let script = "trap '' TERM; setsid sleep 300 & sleep 300";
        let group = Group::start(shell(script), "sh").unwrap();
        let (pid, mark) = (group.pid, group.mark.clone());
        while group.left().len() < 3 {
            tokio::time::sleep(STEP).await;
        }
        group.end().await;
        let gone = Group { child: shell("true").spawn().unwrap(), pid, mark };
        for _ in 0..40 {
            if gone.left().is_empty() {
                break;
            }
            tokio::time::sleep(STEP).await;
        }
        assert!(gone.left().is_empty());
    }

    #[tokio::test]
    async fn a_command_that_fails_or_is_not_there_is_named() {
        let error = run(shell("exit 3"), "the build").await.unwrap_err().to_string();
        assert!(error.contains("the build failed"), "{error}");
        let error = run(Command::new("no-such-tool-here"), "no-such-tool-here")
            .await
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("cannot start no-such-tool-here"), "{error}");
    }
}
