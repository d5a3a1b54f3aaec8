//! The measured programs: this bundle's functions and the peers of tools/bench/peers, built as for
//! a deployment.

use crate::surroundings::Surroundings;
use anyhow::{Context as _, Result};
use dev::process;
use dev::workspace;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::Write;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The routes that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Route {
    /// `GET /v1/users/{userId}`
    GetUser,
    /// `GET /v1/products`
    ListProducts,
    /// `GET /v1/users/{userId}/orders`
    ListUserOrders,
}

impl Route {
    /// The function that answers it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::GetUser => "get-user",
            Self::ListProducts => "list-products",
            Self::ListUserOrders => "list-user-orders",
        }
    }

    /// The binary of the package `tests` that answers it.
    fn binary(self) -> String {
        format!("shop-{}", self.name())
    }
}

/// The kinds of candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// This bundle.
    Ours,
    /// Minimal Rust: the lower bound.
    Floor,
    /// Rust with all defaults.
    RustDefaults,
    /// Node with AWS SDK v3.
    Node,
    /// Python with boto3.
    Python,
}

/// The peers, in the order of tables.
pub(crate) const PEERS: [Kind; 4] = [Kind::Floor, Kind::RustDefaults, Kind::Node, Kind::Python];

/// A candidate that has been built.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) kind: Kind,
    /// Its name in tables, files and JSON.
    pub(crate) name: &'static str,
    /// The folder that its program is in.
    folder: PathBuf,
    /// The interpreter, if it has one.
    interpreter: Option<PathBuf>,
}

/// The secret and the scope of a run; no other stack uses them.
const CURSOR_SECRET: &str = "benchmark-only-cursor-secret-0123456789";
/// The length of a session token in bytes, as Lambda gives it.
const TOKEN_BYTES: usize = 800;

impl Kind {
    /// Its name in tables, files and JSON; a peer's folder.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "lean-routes",
            Self::Floor => "floor",
            Self::RustDefaults => "rust-defaults",
            Self::Node => "node",
            Self::Python => "python",
        }
    }
}

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
        Ok(Self::at(Kind::Ours, workspace::target(&root).join("release"), None))
    }

    /// Builds a peer. The error names what is missing.
    pub(crate) async fn peer(kind: Kind, build: bool) -> Result<Self> {
        let root = workspace::root();
        let name = kind.name();
        let (from, to) = (
            root.join("tools/bench/peers").join(name),
            workspace::target(&root).join("bench").join(name),
        );
        std::fs::create_dir_all(&to)
            .with_context(|| format!("cannot make {}", workspace::shown(&to)))?;
        match kind {
            Kind::Ours | Kind::Floor | Kind::RustDefaults => {
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
                Ok(Self::at(kind, to.join("release"), None))
            }
            Kind::Node => {
                let node = on_path("node")?;
                if !build {
                    return Ok(Self::at(kind, to, Some(node)));
                }
                copy(
                    &from,
                    &to,
                    &["package.json", "package-lock.json", "bootstrap.mjs", "handler.mjs"],
                )?;
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
                // At run time the bundle requires only Node's own modules.
                esbuild.arg("--banner:js=import{createRequire}from'node:module';const require=createRequire(import.meta.url);");
                process::run(esbuild, "esbuild").await?;
                Ok(Self::at(kind, to, Some(node)))
            }
            Kind::Python => {
                let python = on_path("python3")?;
                copy(&from, &to, &["requirements.txt", "bootstrap.py", "handler.py"])?;
                let venv = to.join("venv");
                if !build {
                    return Ok(Self::at(kind, to, Some(venv.join("bin/python3"))));
                }
                let mut make = Command::new(python);
                make.args(["-m", "venv"]).arg(&venv);
                process::run(make, "python3 -m venv").await?;
                let mut pip = Command::new(venv.join("bin/pip"));
                pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"])
                    .arg(to.join("requirements.txt"));
                process::run(pip, "pip install").await?;
                Ok(Self::at(kind, to, Some(venv.join("bin/python3"))))
            }
        }
    }

    /// Builds a native candidate as it is deployed, but with names for a profiler.
    pub(crate) async fn with_symbols(name: &str, route: Route, build: bool) -> Result<Self> {
        let kinds = [Kind::Ours, Kind::Floor, Kind::RustDefaults];
        let kind = kinds
            .into_iter()
            .find(|kind| kind.name() == name)
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
        match kind {
            Kind::Ours => {
                cargo.current_dir(&root).args(["--package", "tests", "--bin", &route.binary()])
            }
            _ => cargo.current_dir(root.join("tools/bench/peers").join(name)).arg("--locked"),
        };
        if build {
            process::run(cargo, "the build").await?;
        }
        Ok(Self::at(kind, to.join("release"), None))
    }

    fn at(kind: Kind, folder: PathBuf, interpreter: Option<PathBuf>) -> Self {
        Self { kind, name: kind.name(), folder, interpreter }
    }

    /// Returns true if callgrind's count means something: that of machine code that is not compiled
    /// at run time.
    pub(crate) fn is_native(&self) -> bool {
        self.interpreter.is_none()
    }

    /// The program and its arguments.
    pub(crate) fn command(&self, route: Route) -> (PathBuf, Vec<PathBuf>) {
        let program = match self.kind {
            Kind::Ours => route.binary(),
            Kind::Floor | Kind::RustDefaults => self.name.to_owned(),
            Kind::Node => "bundle.mjs".to_owned(),
            Kind::Python => "bootstrap.py".to_owned(),
        };
        let program = self.folder.join(program);
        match &self.interpreter {
            None => (program, Vec::new()),
            Some(interpreter) => (interpreter.clone(), vec![program]),
        }
    }

    /// The environment of Lambda and template.yaml, and the settings with which each trusts the
    /// endpoint of a run.
    pub(crate) fn environment(
        &self,
        route: Route,
        around: &Surroundings,
        api: &str,
    ) -> Vec<(&'static str, String)> {
        let path = |name: &str| around.folder.join(name).display().to_string();
        let mut all = vec![
            ("AWS_LAMBDA_RUNTIME_API", api.to_owned()),
            ("AWS_LAMBDA_FUNCTION_NAME", route.name().to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench".to_owned()),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[1]0123456789abcdef".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
            ("AWS_SESSION_TOKEN", "t".repeat(TOKEN_BYTES)),
            ("AWS_ENDPOINT_URL_DYNAMODB", around.endpoint.url()),
            ("_HANDLER", "bootstrap".to_owned()),
            ("LANG", "en_US.UTF-8".to_owned()),
            ("TZ", ":UTC".to_owned()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
            ("PRODUCTS_TABLE", "products".to_owned()),
            ("USERS_TABLE", "users".to_owned()),
            ("ORDERS_TABLE", "orders".to_owned()),
            ("CATALOG_SHARDS", around.shards.to_string()),
            ("CURSOR_SECRET", CURSOR_SECRET.to_owned()),
            ("LOG_LEVEL", "info".to_owned()),
        ];
        all.push(match self.kind {
            Kind::Ours | Kind::Floor | Kind::Python => ("AWS_CA_BUNDLE", path("ca.pem")),
            // This peer has no variable for a CA bundle; by default it reads the machine's store.
            Kind::RustDefaults => ("SSL_CERT_FILE", path("store.pem")),
            Kind::Node => ("NODE_EXTRA_CA_CERTS", path("ca.pem")),
        });
        all
    }

    /// The size of the deployed files in bytes: uncompressed, and as a zip archive (deflate at its
    /// default level).
    pub(crate) fn size(&self, route: Route) -> Result<(u64, u64)> {
        let files: Vec<PathBuf> = match self.kind {
            Kind::Ours | Kind::Floor | Kind::RustDefaults => vec![self.command(route).0],
            Kind::Node => vec![self.folder.join("bundle.mjs")],
            Kind::Python => {
                ["bootstrap.py", "handler.py"].map(|name| self.folder.join(name)).to_vec()
            }
        };
        /// The size of a local header, a central directory entry and its end, with names of this
        /// length.
        const ZIP_BYTES: u64 = 150;
        let (mut bytes, mut zip) = (0, 0);
        for file in files {
            let content = std::fs::read(&file)
                .with_context(|| format!("cannot read {}", workspace::shown(&file)))?;
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            let packed = encoder
                .write_all(&content)
                .and_then(|()| encoder.finish())
                .context("cannot compress")?;
            bytes += content.len() as u64;
            zip += packed.len() as u64 + ZIP_BYTES;
        }
        Ok((bytes, zip))
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
