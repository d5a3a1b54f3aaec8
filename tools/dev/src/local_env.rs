//! The environment variables that a function has for itself under `cargo dev up`.

use crate::workspace;
use anyhow::{Context as _, Result};
use std::path::Path;

/// Returns the variables that a function has for itself on this machine: the lines `NAME=VALUE` of
/// `functions/FUNCTION/local.env`, if there is such a file.
pub(crate) fn read(root: &Path, function: &str) -> Result<Vec<(String, String)>> {
    let path = root.join("functions").join(function).join("local.env");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let shown = || workspace::shown(&path);
    let text = std::fs::read_to_string(&path).with_context(shown)?;
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pair = |line: &str| {
        let (name, value) = line.split_once('=').with_context(|| format!("{}: {line}", shown()))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    lines.map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_names_and_values() {
        let root = std::env::temp_dir().join(format!("local-env-{}", std::process::id()));
        let folder = root.join("functions/ask");
        std::fs::create_dir_all(&folder).unwrap();
        assert_eq!(read(&root, "ask").unwrap(), []);
        let write = |text: &str| std::fs::write(folder.join("local.env"), text).unwrap();
        write("# about\n\nASK_A=on\n ASK_B = x=y \n");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read(&root, "ask").unwrap(), [pair("ASK_A", "on"), pair("ASK_B", "x=y")]);
        write("ASK_A");
        assert!(format!("{:#}", read(&root, "ask").unwrap_err()).ends_with("local.env: ASK_A"));
        std::fs::remove_dir_all(&root).unwrap();
    }
}
