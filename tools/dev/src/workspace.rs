//! The folders of the workspace.

use std::path::{Path, PathBuf};

/// Returns the workspace that this command was started in: the nearest folder upwards that has
/// `template.yaml` and `Cargo.toml`, else the one that this tool was built from.
pub fn root() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    here.ancestors()
        .find(|folder| {
            folder.join("template.yaml").is_file() && folder.join("Cargo.toml").is_file()
        })
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."), Path::to_path_buf)
}

/// Returns cargo's build folder: tools that this one installs and the rejects of a load go there.
pub fn target(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    }
}

/// Returns a path for messages: relative to the current folder where it lies below it.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
