//! Tests that a busy machine cannot make fail.
//!
//! The client gives up an attempt after a second, and a request ends after three. On a machine that
//! is busy with something else, an answer can come too late for that: attempts are repeated, and a
//! 504 comes in place of a 200. So a failure counts only if no answer took a second longer than the
//! test itself makes it take. Otherwise the test is run again.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, resume_unwind},
    time::{Duration, Instant},
};

use futures_util::FutureExt;

/// The time after which the client gives up an attempt and makes another.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(1);

/// The time limit of a request.
pub(crate) const REQUEST: Duration = Duration::from_secs(3);

/// The time after which a test fails although the machine was busy in each of its runs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

thread_local! {
    /// The greatest delay of an answer since this thread began a run of [`undisturbed`].
    static DELAY: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    /// The time that the test makes the next answer take.
    static WANTED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Says how long the next answer takes by what the test puts in its way, such as a server that
/// hangs.
pub(crate) fn slow(wanted: Duration) {
    WANTED.set(wanted);
}

/// Notes the time that an answer took.
pub(crate) fn note(took: Duration) {
    DELAY.set(DELAY.get().max(took.saturating_sub(WANTED.take())));
}

/// Runs a test until it passes, or fails although each of its answers came in time.
pub(crate) async fn undisturbed<T>(test: impl AsyncFn() -> T) -> T {
    undisturbed_by(ATTEMPT, test).await
}

/// The same for a test that a shorter delay spoils.
pub(crate) async fn undisturbed_by<T>(delay: Duration, test: impl AsyncFn() -> T) -> T {
    let began = Instant::now();
    loop {
        DELAY.take();
        WANTED.take();
        match AssertUnwindSafe(test()).catch_unwind().await {
            Ok(passed) => return passed,
            Err(failure) if DELAY.get() < delay || began.elapsed() > PATIENCE => {
                resume_unwind(failure)
            }
            Err(_) => {}
        }
    }
}

#[tokio::test]
async fn a_failure_counts_if_every_answer_came_in_time() {
    let runs = Cell::new(0);
    let run = async |wanted, took| {
        runs.set(0);
        let test = async || {
            runs.set(runs.get() + 1);
            slow(wanted);
            note(took);
            assert_eq!(runs.get(), 2, "the first run fails");
        };
        let outcome = AssertUnwindSafe(undisturbed(test)).catch_unwind().await;
        (outcome.is_ok(), runs.get())
    };
    let milliseconds = Duration::from_millis;
    assert_eq!(run(Duration::ZERO, milliseconds(999)).await, (false, 1));
    assert_eq!(run(Duration::ZERO, milliseconds(1_000)).await, (true, 2));
    assert_eq!(run(REQUEST, milliseconds(3_999)).await, (false, 1));
    assert_eq!(run(REQUEST, milliseconds(4_000)).await, (true, 2));
}
