//! Finds cargo-lambda, or installs the pinned version into the build folder.

use crate::{process, workspace};
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// The version that this workspace is tried with.
pub(crate) const VERSION: &str = "1.9.2";
/// The SHA-256 of each of its wheels on PyPI: macOS (Intel, ARM), Linux (ARM, Intel), Windows.
const WHEELS: [&str; 5] = [
    "05efdab4db99fd976f5718b67bb4e72089335d1aab209168f2dfe20907b0e341",
    "28e2f698b4e0e367097cd30a8ded8ddc6851dba6f4d53b907b4659a635ae3665",
    "3350315e8b4e88f7134967f51546bf51aa5db37a6d39a17380545362ae27e289",
    "db2c0b1d53d7ed0055198fd045f641addc91b180b20d794fcf78cc9a9efacb38",
    "59df0f604a822755889b6923b1263cf94b07b24c860bf968e84f1d09c646bc76",
];
/// The first that routes by the workspace's metadata and hands on path parameters; a new major may
/// differ.
const ACCEPTED: std::ops::Range<(u32, u32)> = (1, 9)..(2, 0);

/// Returns the binary: from PATH if its version is supported, else from the build folder, where it
/// is installed if it is missing.
pub(crate) async fn find(root: &Path) -> Result<PathBuf> {
    let on_path = PathBuf::from("cargo-lambda");
    match version(&on_path).await {
        Some(found) if ACCEPTED.contains(&found) => return Ok(on_path),
        Some((major, minor)) => {
            eprintln!("cargo-lambda {major}.{minor} on PATH is not supported, {VERSION} is used")
        }
        None => {}
    }
    let folder = workspace::target(root).join("tools").join(format!("cargo-lambda-{VERSION}"));
    let binary = folder.join("bin").join("cargo-lambda");
    if version(&binary).await.is_some() {
        return Ok(binary);
    }
    eprintln!(
        "cargo-lambda is not installed: installing {VERSION} into {}",
        workspace::shown(&folder)
    );
    install(&folder, &binary).await?;
    Ok(binary)
}

/// Reads the version of a binary: `cargo-lambda 1.9.2 (…)` is (1, 9). `None` if it does not run.
async fn version(binary: &Path) -> Option<(u32, u32)> {
    let output = Command::new(binary)
        .args(["lambda", "--version"])
        .stderr(Stdio::null())
        .output()
        .await
        .ok()?;
    parse(&String::from_utf8_lossy(&output.stdout))
}

fn parse(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix("cargo-lambda ")?.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

/// The wheel from PyPI has the binary inside and takes seconds; building it from source takes
/// minutes.
async fn install(folder: &Path, binary: &Path) -> Result<()> {
    let package = folder.join("requirements.txt");
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make {}", workspace::shown(folder)))?;
    std::fs::write(&package, requirements())
        .with_context(|| format!("cannot write {}", workspace::shown(&package)))?;
    // Without dependencies: the wheel asks for Zig, which only cross-compiling needs.
    let wheel = [
        "install",
        "--quiet",
        "--require-hashes",
        "--no-deps",
        "--only-binary=:all:",
        "--disable-pip-version-check",
    ];
    let wheel = ["-m", "pip"].into_iter().chain(wheel);
    let mut pip = Command::new("python3");
    pip.args(wheel.clone())
        .args(["--root-user-action=ignore", "--upgrade", "--target"])
        .arg(folder)
        .arg("-r")
        .arg(&package);
    if quietly(pip).await && version(binary).await.is_some() {
        return Ok(());
    }
    // A Python without pip of its own can often still make an environment that has one.
    let environment = folder.join("venv");
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(&environment);
    let mut pip = Command::new(environment.join("bin").join("python"));
    pip.args(wheel).arg("--target").arg(folder).arg("-r").arg(&package);
    if quietly(venv).await && quietly(pip).await && version(binary).await.is_some() {
        return Ok(());
    }
    eprintln!(
        "python3 cannot install a wheel of it: building cargo-lambda with cargo, which takes some minutes"
    );
    let mut cargo = Command::new("cargo");
    cargo
        .args(["install", "cargo-lambda", "--version", VERSION, "--locked", "--force", "--root"])
        .arg(folder);
    let help = || format!("install cargo-lambda {VERSION} by hand and put it on PATH");
    process::run(cargo, "cargo install cargo-lambda").await.with_context(help)?;
    version(binary)
        .await
        .map(drop)
        .with_context(|| format!("cargo-lambda was installed but does not run: {}", help()))
}

/// Returns the wheel and its hashes, as pip reads them.
fn requirements() -> String {
    let hashes: String = WHEELS.iter().map(|hash| format!(" --hash=sha256:{hash}")).collect();
    format!("cargo-lambda=={VERSION}{hashes}\n")
}

async fn quietly(mut command: Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    process::run(command, "python3").await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_is_told_the_hash_of_each_wheel() {
        let requirements = requirements();
        let mut words = requirements.split_whitespace();
        assert_eq!(words.next(), Some(format!("cargo-lambda=={VERSION}").as_str()));
        assert!(
            words.clone().count() == 5
                && words.all(|word| word.len() == "--hash=sha256:".len() + 64),
            "{requirements}"
        );
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(parse("cargo-lambda 1.9.2 (67129fc 2026-08-21Z)\n"), Some((1, 9)));
        assert_eq!(parse("cargo 1.95.0"), None);
        assert!(
            ACCEPTED.contains(&(1, 12))
                && !ACCEPTED.contains(&(1, 8))
                && !ACCEPTED.contains(&(2, 0))
        );
    }
}
