//! The state of the build: the functions that do not compile, read from what cargo writes under `cargo lambda watch`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The time in which `cargo lambda watch` begins to compile a function again whose code has
/// changed, once it is asked for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// The packages that did not compile. Clones share one state.
#[derive(Debug, Clone)]
pub(crate) struct Build(Arc<watch::Sender<State>>);

#[derive(Debug, Default)]
struct State {
    /// The packages, each with the number of its failure.
    failed: BTreeMap<String, u64>,
    /// The number of the last failure.
    last: u64,
}

impl State {
    fn failure(&self, counts: impl Fn(&str) -> bool) -> Option<(String, u64)> {
        let failure = self.failed.iter().find(|(package, _)| counts(package));
        failure.map(|(package, number)| (package.clone(), *number))
    }
}

impl Default for Build {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }
}

impl Build {
    /// Reads a line of cargo, which may have colours.
    pub(crate) fn read(&self, line: &str) {
        let line = plain(line);
        if let Some((_, rest)) = line.split_once("could not compile `") {
            let package = rest.split('`').next().unwrap_or_default().to_owned();
            self.0.send_modify(|state| {
                state.last += 1;
                state.failed.insert(package, state.last);
            });
        } else if let Some(rest) = line.trim_start().strip_prefix("Compiling ") {
            let package = rest.split(' ').next().unwrap_or_default();
            self.0.send_if_modified(|state| state.failed.remove(package).is_some());
        } else if line.trim_start().starts_with("Finished ") {
            self.0.send_if_modified(|state| !std::mem::take(&mut state.failed).is_empty());
        }
    }

    /// Waits until a package that `counts` fails, and returns its name.
    ///
    /// One that has failed before may have been corrected since. So it counts only if it fails
    /// again, or is not compiled again within `patience`.
    pub(crate) async fn failed(&self, counts: impl Fn(&str) -> bool, patience: Duration) -> String {
        let mut state = self.0.subscribe();
        let before = state.borrow_and_update().failure(&counts);
        let known = before.as_ref().map(|(_, number)| *number);
        let new =
            |state: &State| state.failure(&counts).is_none_or(|(_, number)| Some(number) != known);
        if let Some((package, _)) = before
            && tokio::time::timeout(patience, state.wait_for(new)).await.is_err()
        {
            return package;
        }
        loop {
            if let Some((package, _)) = state.borrow_and_update().failure(&counts) {
                return package;
            }
            if state.changed().await.is_err() {
                // Nobody is left who could read another line.
                return std::future::pending().await;
            }
        }
    }
}

/// Returns a line without the [codes](https://en.wikipedia.org/wiki/ANSI_escape_code) of colours.
fn plain(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const FAILED: &str =
        "error: could not compile `get-thing` (bin \"get-thing\") due to 1 previous error";

    /// Returns the package that has failed, if one has.
    async fn failed(build: &Build) -> Option<String> {
        let failed = build.failed(|_| true, Duration::ZERO);
        tokio::time::timeout(Duration::from_millis(20), failed).await.ok()
    }

    #[tokio::test]
    async fn a_package_has_failed_until_it_is_compiled_again() {
        let build = Build::default();
        assert_eq!(failed(&build).await, None);
        build.read(FAILED);
        assert_eq!(failed(&build).await.as_deref(), Some("get-thing"));
        build.read("   Compiling list-things v0.1.0 (functions/list-things)");
        assert_eq!(failed(&build).await.as_deref(), Some("get-thing"));
        build.read(
            "\u{1b}[1m\u{1b}[92m   Compiling\u{1b}[0m get-thing v0.1.0 (functions/get-thing)",
        );
        assert_eq!(failed(&build).await, None);
    }

    #[tokio::test]
    async fn a_build_that_is_finished_has_no_failures() {
        let build = Build::default();
        build
            .read(&format!("\u{1b}[1m\u{1b}[91m{}", FAILED.replacen("error", "error\u{1b}[0m", 1)));
        assert_eq!(failed(&build).await.as_deref(), Some("get-thing"));
        build.read("    Finished `dev` profile [unoptimized] target(s) in 0.31s");
        assert_eq!(failed(&build).await, None);
    }

    #[tokio::test]
    async fn other_packages_do_not_count() {
        let build = Build::default();
        build.read(FAILED);
        let other = build.failed(|package| package == "list-things", Duration::ZERO);
        assert!(tokio::time::timeout(Duration::from_millis(20), other).await.is_err());
    }

    #[tokio::test]
    async fn a_failure_of_before_counts_if_the_package_fails_again_or_is_not_compiled() {
        let build = Build::default();
        build.read(FAILED);
        let long = Duration::from_secs(60);
        let waits = async { tokio::time::sleep(Duration::from_millis(20)).await };
        tokio::select! {
            package = build.failed(|_| true, long) => panic!("{package}"),
            () = waits => {}
        }
        let fails_again = async {
            tokio::task::yield_now().await;
            build.read("   Compiling get-thing v0.1.0 (functions/get-thing)");
            build.read(FAILED);
        };
        let (package, ()) = tokio::join!(build.failed(|_| true, long), fails_again);
        assert_eq!(package, "get-thing");
        let short = Duration::from_millis(5);
        assert_eq!(build.failed(|_| true, short).await, "get-thing");
    }
}
