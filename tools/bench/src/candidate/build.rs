//! The builds of the programs, each as it is built for a deployment.

use super::implementation::{Implementation, Route};
use super::program::Candidate;
use anyhow::{Context as _, Result, ensure};
use dev::{process, workspace};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The folder of the GraphQL endpoint, if the bundle has one.
const GRAPHQL: &str = "functions/graphql";

impl Candidate {
    /// Builds the fixture bundle's functions, with the features of their crate alone, as
    /// `sam build` does.
    pub(crate) async fn ours(routes: &[Route], build: bool) -> Result<Self> {
        let root = workspace::root();
        if build {
            let mut cargo = Command::new("cargo");
            cargo.current_dir(&root).args(["build", "--quiet", "--release", "--package", "tests"]);
            cargo.args(routes.iter().map(|route| format!("--bin={}", route.binary())));
            process::run(cargo, "the build of the functions").await?;
        }
        Ok(Self::at(Implementation::Ours, workspace::target(&root).join("release"), None))
    }

    /// Builds the function `graphql`, which serves the bundle's own routes; the fixture's tables and
    /// rows are those of the same sample.
    ///
    /// # Errors
    /// If the bundle has no such function, or it does not build.
    pub(crate) async fn graphql(build: bool) -> Result<Self> {
        let root = workspace::root();
        ensure!(root.join(GRAPHQL).is_dir(), "the bundle has no function graphql");
        if build {
            let mut cargo = Command::new("cargo");
            cargo.current_dir(&root).args(["build", "--quiet", "--release"]);
            cargo.args(["--package", "graphql", "--bin", "graphql"]);
            process::run(cargo, "the build of the function graphql").await?;
        }
        Ok(Self::at(Implementation::Graphql, workspace::target(&root).join("release"), None))
    }

    /// Builds a peer. The error names what is missing.
    pub(crate) async fn peer(implementation: Implementation, build: bool) -> Result<Self> {
        let root = workspace::root();
        let name = implementation.name();
        let (from, to) = (
            root.join("tools/bench/peers").join(name),
            workspace::target(&root).join("bench").join(name),
        );
        std::fs::create_dir_all(&to)
            .with_context(|| format!("cannot make {}", workspace::shown(&to)))?;
        match implementation {
            Implementation::Ours
            | Implementation::Graphql
            | Implementation::Floor
            | Implementation::RustDefaults => {
                let mut cargo = Command::new("cargo");
                cargo
                    .current_dir(&from)
                    .args(["build", "--quiet", "--release", "--locked", "--target-dir"])
                    .arg(&to);
                // `cargo run` passes on what the workspace's configuration sets, and that would win
                // over the peer's own.
                cargo.env_remove("AWS_LC_SYS_NO_JITTER_ENTROPY");
                if build {
                    process::run(cargo, &format!("the build of {name}")).await?;
                }
                Ok(Self::at(implementation, to.join("release"), None))
            }
            Implementation::Node | Implementation::NodeRedis | Implementation::Apollo => {
                let node = on_path("node")?;
                if !build {
                    return Ok(Self::at(implementation, to, Some(node)));
                }
                copy(&from, &to, &["package.json", "package-lock.json", "handler.mjs"])?;
                // One loop over the Runtime API serves all peers on Node.
                copy(&root.join("tools/bench/peers/node"), &to, &["bootstrap.mjs"])?;
                if implementation == Implementation::Apollo {
                    copy(&root.join(GRAPHQL), &to, &["schema.graphql"])?;
                }
                let mut npm = Command::new("npm");
                npm.current_dir(&to).args(["ci", "--silent", "--no-audit", "--no-fund"]);
                process::run(npm, "npm ci").await?;
                let mut esbuild = Command::new(to.join("node_modules/.bin/esbuild"));
                esbuild.current_dir(&to).args([
                    "bootstrap.mjs",
                    "--bundle",
                    "--minify",
                    "--platform=node",
                    "--target=node20",
                ]);
                esbuild.args(["--format=esm", "--outfile=bundle.mjs", "--log-level=warning"]);
                esbuild.arg("--loader:.graphql=text");
                // At run time the bundle requires only Node's own modules.
                esbuild.arg("--banner:js=import{createRequire}from'node:module';const require=createRequire(import.meta.url);");
                process::run(esbuild, "esbuild").await?;
                Ok(Self::at(implementation, to, Some(node)))
            }
            Implementation::Python => {
                let python = on_path("python3")?;
                copy(&from, &to, &["requirements.txt", "bootstrap.py", "handler.py"])?;
                let venv = to.join("venv");
                if !build {
                    return Ok(Self::at(implementation, to, Some(venv.join("bin/python3"))));
                }
                let mut make = Command::new(python);
                make.args(["-m", "venv"]).arg(&venv);
                process::run(make, "python3 -m venv").await?;
                let mut pip = Command::new(venv.join("bin/pip"));
                pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"])
                    .arg(to.join("requirements.txt"));
                process::run(pip, "pip install").await?;
                Ok(Self::at(implementation, to, Some(venv.join("bin/python3"))))
            }
        }
    }

    /// Builds a native candidate as it is deployed, but with names for a profiler.
    pub(crate) async fn with_symbols(name: &str, route: Route, build: bool) -> Result<Self> {
        let implementations =
            [Implementation::Ours, Implementation::Floor, Implementation::RustDefaults];
        let implementation = implementations
            .into_iter()
            .find(|implementation| implementation.name() == name)
            .with_context(|| format!("`{name}` cannot be profiled"))?;
        let root = workspace::root();
        let to = workspace::target(&root).join("bench/profile");
        let mut cargo = Command::new("cargo");
        cargo.args([
            "build",
            "--quiet",
            "--release",
            "--config",
            "profile.release.debug=1",
            "--config",
            "profile.release.strip=false",
        ]);
        cargo.arg("--target-dir").arg(&to);
        match implementation {
            Implementation::Ours => {
                cargo.current_dir(&root).args(["--package", "tests", "--bin", &route.binary()])
            }
            _ => cargo.current_dir(root.join("tools/bench/peers").join(name)).arg("--locked"),
        };
        if build {
            process::run(cargo, "the build").await?;
        }
        Ok(Self::at(implementation, to.join("release"), None))
    }
}

/// The place of a program.
pub(crate) fn on_path(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.with_context(|| format!("no {name} on PATH"))
}

/// Copies sources into the build folder, so that the source folder stays as it is in git.
fn copy(from: &Path, to: &Path, names: &[&str]) -> Result<()> {
    for name in names {
        std::fs::copy(from.join(name), to.join(name))
            .with_context(|| format!("cannot copy {name} of {}", workspace::shown(from)))?;
    }
    Ok(())
}
