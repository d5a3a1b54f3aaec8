//! Edits of the work tree: all are made in memory, so a mistake leaves nothing half-written; then
//! they are shown or written.

use crate::workspace;
use anyhow::{Context as _, Result, bail, ensure};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The texts of the files that change, by their paths in the workspace; `None` is a file to be
/// removed.
pub(super) struct Change {
    root: PathBuf,
    files: BTreeMap<String, Option<String>>,
}

impl Change {
    /// Begins without any edit.
    ///
    /// # Errors
    /// Unless git says that nothing is changed, so that `git checkout .` and `git clean` take this
    /// change back, and no other.
    pub(super) fn begin(root: PathBuf, allow_dirty: bool) -> Result<Self> {
        if !allow_dirty {
            let status = Command::new("git")
                .current_dir(&root)
                .args(["status", "--porcelain"])
                .output()
                .context("cannot start git")?;
            ensure!(
                status.status.success(),
                "{} is not in a git repository: --allow-dirty goes on without one",
                workspace::shown(&root)
            );
            ensure!(
                status.stdout.is_empty(),
                "there are changes that are not committed: commit them first, or use --allow-dirty"
            );
        }
        Ok(Self { root, files: BTreeMap::new() })
    }

    /// Returns true if there will be a file or a folder.
    pub(super) fn exists(&self, path: &str) -> bool {
        self.files.get(path).map_or_else(|| self.root.join(path).exists(), Option::is_some)
    }

    /// Returns the text of a file, with the edits so far.
    pub(super) fn text(&self, path: &str) -> Result<String> {
        match self.files.get(path) {
            Some(Some(text)) => Ok(text.clone()),
            Some(None) => bail!("{path} is removed"),
            None => std::fs::read_to_string(self.root.join(path))
                .with_context(|| format!("cannot read {path}")),
        }
    }

    /// Returns the paths of the files below a folder that there are before the edits, sorted. A
    /// folder that is not there has none.
    pub(super) fn files(&self, folder: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            if !self.root.join(&folder).is_dir() {
                continue;
            }
            for entry in std::fs::read_dir(self.root.join(&folder))
                .with_context(|| format!("cannot read {folder}"))?
            {
                let entry = entry.with_context(|| format!("cannot read {folder}"))?;
                let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
                if entry.path().is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Adds a file that must not be there yet.
    pub(super) fn create(&mut self, path: &str, text: String) -> Result<()> {
        ensure!(!self.exists(path), "{path} is there already");
        self.set(path, text);
        Ok(())
    }

    /// Replaces the text of a file by what a function makes of it. The function's error gets the
    /// file's name.
    pub(super) fn edit(
        &mut self,
        path: &str,
        edit: impl FnOnce(&str) -> Result<String>,
    ) -> Result<()> {
        let text = edit(&self.text(path)?).with_context(|| path.to_owned())?;
        self.set(path, text);
        Ok(())
    }

    /// Writes a file, whether or not it is there.
    pub(super) fn set(&mut self, path: &str, text: String) {
        self.files.insert(path.to_owned(), Some(text));
    }

    /// Removes a file.
    pub(super) fn remove(&mut self, path: &str) {
        self.files.insert(path.to_owned(), None);
    }

    /// Formats the Rust files, then prints the difference (`dry_run`), or writes it and prints the
    /// files with their line counts.
    pub(super) fn finish(mut self, dry_run: bool) -> Result<()> {
        for (path, text) in &mut self.files {
            if let (true, Some(text)) = (path.ends_with(".rs"), text.as_mut()) {
                *text = formatted(&self.root, text);
            }
        }
        let scratch =
            workspace::target(&self.root).join(format!("dev/change-{}", std::process::id()));
        let outcome = self.difference(&scratch, dry_run);
        // It is only a copy.
        let _ = std::fs::remove_dir_all(&scratch);
        outcome?;
        if dry_run {
            return Ok(());
        }
        for (path, text) in &self.files {
            let file = self.root.join(path);
            match text {
                Some(text) => put(&file, text)?,
                None => take(&self.root, &file)?,
            }
        }
        Ok(())
    }

    /// Copies the files, old and new, into a folder and lets git compare them.
    fn difference(&self, scratch: &Path, whole: bool) -> Result<()> {
        for side in ["old", "new"] {
            std::fs::create_dir_all(scratch.join(side))
                .with_context(|| format!("cannot make {}", workspace::shown(scratch)))?;
        }
        for (path, text) in &self.files {
            if let Ok(old) = std::fs::read_to_string(self.root.join(path)) {
                put(&scratch.join("old").join(path), &old)?;
            }
            if let Some(text) = text {
                put(&scratch.join("new").join(path), text)?;
            }
        }
        let mut git = Command::new("git");
        git.current_dir(scratch).args(["diff", "--no-index", "--no-prefix", "--no-renames"]);
        if whole {
            git.args(["old", "new"]).status().context("cannot start git")?;
            return Ok(());
        }
        let numbers = git.args(["--numstat", "old", "new"]).output().context("cannot start git")?;
        for line in String::from_utf8_lossy(&numbers.stdout).lines() {
            let mut parts = line.split('\t');
            if let (Some(added), Some(removed), Some(path)) =
                (parts.next(), parts.next(), parts.next())
            {
                println!(
                    "{:>6} {:>6}  {}",
                    format!("+{added}"),
                    format!("-{removed}"),
                    plain(path)
                );
            }
        }
        Ok(())
    }
}

/// Returns the path of a file in git's list: `{old => new}/a`, `/dev/null => new/a`,
/// `old/a => /dev/null`.
fn plain(path: &str) -> &str {
    let path = path
        .strip_prefix("/dev/null => ")
        .or_else(|| path.strip_suffix(" => /dev/null"))
        .unwrap_or(path);
    ["{old => new}/", "new/", "old/"]
        .iter()
        .find_map(|side| path.strip_prefix(side))
        .unwrap_or(path)
}

fn put(file: &Path, text: &str) -> Result<()> {
    let failed = || format!("cannot write {}", workspace::shown(file));
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    std::fs::write(file, text).with_context(failed)
}

/// Removes a file, and its folders as far as they are empty then.
fn take(root: &Path, file: &Path) -> Result<()> {
    std::fs::remove_file(file)
        .with_context(|| format!("cannot remove {}", workspace::shown(file)))?;
    for folder in file.ancestors().skip(1).take_while(|folder| *folder != root) {
        if std::fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

/// Formats Rust as the workspace does; returns the text as it is if rustfmt is not there or cannot
/// read it.
fn formatted(root: &Path, text: &str) -> String {
    let rustfmt = || -> std::io::Result<Option<String>> {
        let mut rustfmt = Command::new("rustfmt");
        rustfmt.current_dir(root).args(["--edition", "2024", "--emit", "stdout", "--quiet"]);
        let mut child =
            rustfmt.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        child.stdin.take().map(|mut stdin| stdin.write_all(text.as_bytes())).transpose()?;
        let output = child.wait_with_output()?;
        Ok(String::from_utf8(output.stdout)
            .ok()
            .filter(|text| output.status.success() && !text.is_empty()))
    };
    rustfmt().ok().flatten().unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("change-{name}-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("a/b")).unwrap();
        std::fs::write(folder.join("a/b/old.rs"), "fn old() {}\n").unwrap();
        folder
    }

    #[test]
    fn edits_are_written_at_the_end_and_empty_folders_go() {
        let root = folder("write");
        let mut change = Change::begin(root.clone(), true).unwrap();
        change.remove("a/b/old.rs");
        change.create("c/new.rs", "fn  new( ) {}".to_owned()).unwrap();
        assert!(root.join("a/b/old.rs").exists() && !root.join("c").exists());
        assert!(!change.exists("a/b/old.rs") && change.exists("c/new.rs"));
        change.finish(false).unwrap();
        assert!(!root.join("a").exists());
        assert_eq!(std::fs::read_to_string(root.join("c/new.rs")).unwrap(), "fn new() {}\n");
    }

    #[test]
    fn a_dry_run_writes_nothing() {
        let root = folder("dry");
        let mut change = Change::begin(root.clone(), true).unwrap();
        change.edit("a/b/old.rs", |text| Ok(text.replace("old", "new"))).unwrap();
        change.finish(true).unwrap();
        assert_eq!(std::fs::read_to_string(root.join("a/b/old.rs")).unwrap(), "fn old() {}\n");
    }

    #[test]
    fn a_file_that_is_there_is_not_created() {
        let mut change = Change::begin(folder("there"), true).unwrap();
        assert_eq!(
            change.create("a/b/old.rs", String::new()).unwrap_err().to_string(),
            "a/b/old.rs is there already"
        );
    }

    #[test]
    fn changes_that_are_not_committed_are_refused() {
        let root = folder("git");
        let git = |arguments: &[&str]| {
            Command::new("git").current_dir(&root).args(arguments).output().unwrap()
        };
        git(&["init", "-q"]);
        let error = Change::begin(root.clone(), false).err().unwrap().to_string();
        assert!(error.starts_with("there are changes that are not committed"), "{error}");
        git(&["add", "-A"]);
        git(&["-c", "user.name=n", "-c", "user.email=e@example.com", "commit", "-qm", "m"]);
        assert!(Change::begin(root, false).is_ok());
    }

    #[test]
    fn a_path_is_read_out_of_the_list_of_git() {
        assert_eq!(plain("{old => new}/Cargo.toml"), "Cargo.toml");
        assert_eq!(plain("/dev/null => new/a/b.rs"), "a/b.rs");
        assert_eq!(plain("old/a.rs => /dev/null"), "a.rs");
    }
}
