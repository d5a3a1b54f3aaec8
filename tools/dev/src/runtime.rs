//! One command from its start to its end: a Tokio runtime, signals, and one line on stderr if it
//! fails.

use crate::terminal;
use anyhow::{Context as _, Result};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Runs a command to its end, or until SIGINT, SIGTERM or SIGHUP. An error is one line on stderr
/// and the exit code 1.
pub fn run(command: impl Future<Output = Result<ExitCode>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = runtime.context("cannot start a runtime").and_then(|runtime| {
        let outcome = runtime.block_on(until_signalled(command));
        // A name that is still being looked up must not delay the exit.
        runtime.shutdown_background();
        outcome
    });
    outcome.unwrap_or_else(|error| {
        eprintln!("{}", terminal::lines(&format!("error: {error:#}")));
        ExitCode::FAILURE
    })
}

/// Drops the command at a signal, which ends every process that it started.
async fn until_signalled(command: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    let on = |kind| signal(kind).context("cannot listen for signals");
    let (mut interrupt, mut terminate, mut hangup) =
        (on(SignalKind::interrupt())?, on(SignalKind::terminate())?, on(SignalKind::hangup())?);
    // The exit code of a shell: 128 plus the signal's number.
    tokio::select! {
        outcome = command => outcome,
        _ = interrupt.recv() => Ok(ExitCode::from(130)),
        _ = terminate.recv() => Ok(ExitCode::from(143)),
        _ = hangup.recv() => Ok(ExitCode::from(129)),
    }
}
