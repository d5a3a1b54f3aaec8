//! The file that says where the stack of `cargo dev up` listens, so that the other commands find it
//! on any port.
//!
//! It is `dev/stack.json` in cargo's build folder. A stack that was killed leaves it behind: it
//! counts only while its process lives. If two stacks share a build folder, the file is that of the
//! one that started last.

use crate::workspace;
use anyhow::{Context as _, Result};
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The port of the functions, unless another is given.
pub const FUNCTIONS_PORT: u16 = 9000;
/// The port of DynamoDB, unless another is given.
pub const DYNAMODB_PORT: u16 = 8000;

/// Where a stack listens on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    /// The process of `cargo dev up`.
    pub pid: u32,
    /// The port of the functions.
    pub port: u16,
    /// The port of DynamoDB.
    pub dynamodb_port: u16,
}

impl Stack {
    /// Returns the stack of this workspace, if one runs. A file that cannot be read, or whose
    /// process has ended, is ignored.
    pub fn running() -> Option<Self> {
        Self::read(&file(&workspace::root()))
    }

    /// Returns the address of its database.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.dynamodb_port)
    }

    /// Writes the file, which is removed when the result is dropped.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn register(self, root: &Path) -> Result<Registered> {
        let file = file(root);
        let failed = || format!("cannot write {}", workspace::shown(&file));
        std::fs::create_dir_all(file.parent().unwrap_or(root)).with_context(failed)?;
        // Renamed into its place, so that no other command reads half of it.
        let new = file.with_extension(format!("{}.new", self.pid));
        std::fs::write(&new, serde_json::to_string(&self)? + "\n").with_context(failed)?;
        std::fs::rename(&new, &file).with_context(failed)?;
        Ok(Registered { file, stack: self })
    }

    fn read(file: &Path) -> Option<Self> {
        let stack: Self = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
        let pid = Pid::from_raw(i32::try_from(stack.pid).ok()?)?;
        test_kill_process(pid).is_ok().then_some(stack)
    }
}

/// A stack whose file is there while this is.
pub(crate) struct Registered {
    file: PathBuf,
    stack: Stack,
}

impl Drop for Registered {
    fn drop(&mut self) {
        // The file of a stack that started later stays.
        if Stack::read(&self.file).as_ref() == Some(&self.stack) {
            let _ = std::fs::remove_file(&self.file);
        }
    }
}

fn file(root: &Path) -> PathBuf {
    workspace::target(root).join("dev").join("stack.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("stack-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder.join("stack.json")
    }

    fn stack(pid: u32) -> Stack {
        Stack { pid, port: 9300, dynamodb_port: 8300 }
    }

    fn written(name: &str, stack: &Stack) -> PathBuf {
        let file = scratch(name);
        std::fs::write(&file, serde_json::to_string(stack).unwrap()).unwrap();
        file
    }

    #[test]
    fn a_stack_that_runs_is_found() {
        let file = written("runs", &stack(std::process::id()));
        assert_eq!(Stack::read(&file), Some(stack(std::process::id())));
        assert_eq!(Stack::read(&file).unwrap().endpoint(), "http://127.0.0.1:8300");
    }

    #[test]
    fn a_file_whose_process_has_ended_is_ignored() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert_eq!(Stack::read(&written("ended", &stack(child.id()))), None);
    }

    #[test]
    fn a_file_that_is_not_there_or_not_whole_is_ignored() {
        let file = scratch("broken");
        assert_eq!(Stack::read(&file), None);
        std::fs::write(&file, r#"{"pid":1,"po"#).unwrap();
        assert_eq!(Stack::read(&file), None);
    }

    #[test]
    fn a_stack_that_ends_removes_its_own_file_only() {
        let file = written("end", &stack(std::process::id()));
        let later = Stack { port: 9301, ..stack(std::process::id()) };
        drop(Registered { file: file.clone(), stack: later });
        assert!(file.exists());
        drop(Registered { file: file.clone(), stack: stack(std::process::id()) });
        assert!(!file.exists());
    }
}
