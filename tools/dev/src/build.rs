//! Whether the functions compile, read from what cargo writes under `cargo lambda watch`.

use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::watch;

/// The packages that did not compile. Clones share one state.
#[derive(Debug, Clone)]
pub(crate) struct Build(Arc<watch::Sender<BTreeSet<String>>>);

impl Default for Build {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(BTreeSet::new())))
    }
}

impl Build {
    /// Reads a line of cargo, which may have colours.
    pub(crate) fn read(&self, line: &str) {
        let line = plain(line);
        if let Some((_, rest)) = line.split_once("could not compile `") {
            let package = rest.split('`').next().unwrap_or_default().to_owned();
            self.0.send_modify(|failed| {
                failed.insert(package);
            });
        } else if let Some(rest) = line.trim_start().strip_prefix("Compiling ") {
            let package = rest.split(' ').next().unwrap_or_default();
            self.0.send_if_modified(|failed| failed.remove(package));
        } else if line.trim_start().starts_with("Finished ") {
            self.0.send_if_modified(|failed| !std::mem::take(failed).is_empty());
        }
    }

    /// Waits until a package that `counts` has failed, and returns its name.
    pub(crate) async fn failed(&self, counts: impl Fn(&str) -> bool) -> String {
        let mut state = self.0.subscribe();
        loop {
            let found = state.borrow_and_update().iter().find(|package| counts(package)).cloned();
            if let Some(package) = found {
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
        tokio::time::timeout(Duration::from_millis(20), build.failed(|_| true)).await.ok()
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
        let other = build.failed(|package| package == "list-things");
        assert!(tokio::time::timeout(Duration::from_millis(20), other).await.is_err());
    }
}
