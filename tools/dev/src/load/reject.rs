//! The rows that were not loaded, in a file, each with its place and its reason.

use crate::workspace;
use anyhow::{Context as _, Result};
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes `{"file", "line", "reason", "row"}` a line; `row` is the original text, so
/// `jq -r .row` prints the rows to be corrected.
pub(super) struct Rejects {
    /// No rejects are written without a path.
    path: Option<PathBuf>,
    file: Option<BufWriter<File>>,
    count: u64,
}

impl Rejects {
    pub(super) fn at(path: Option<&Path>) -> Self {
        Self { path: path.map(Path::to_owned), file: None, count: 0 }
    }

    pub(super) fn has_file(&self) -> bool {
        self.path.is_some()
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn add(&mut self, source: &str, line: u64, reason: &str, row: &[u8]) -> Result<()> {
        self.count += 1;
        let Some(path) = &self.path else { return Ok(()) };
        let shown = || format!("cannot write {}", workspace::shown(path));
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder).with_context(shown)?;
                }
                self.file.insert(BufWriter::new(File::create(path).with_context(shown)?))
            }
        };
        let reject = json!({ "file": source, "line": line, "reason": reason, "row": String::from_utf8_lossy(row) });
        writeln!(file, "{reject}").with_context(shown)
    }

    /// Returns the count, and the file if there is one; a file of an earlier run is removed if this
    /// one has no rejects.
    pub(super) fn finish(mut self) -> Result<(u64, Option<PathBuf>)> {
        let Some(path) = self.path.take() else { return Ok((self.count, None)) };
        match self.file.take() {
            Some(mut file) => {
                file.flush()
                    .with_context(|| format!("cannot write {}", workspace::shown(&path)))?;
                Ok((self.count, Some(path)))
            }
            None => {
                // The file often does not exist.
                drop(std::fs::remove_file(&path));
                Ok((0, None))
            }
        }
    }
}
