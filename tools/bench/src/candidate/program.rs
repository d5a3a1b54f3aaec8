//! A program that has been built: how it is started, and its size.

use super::implementation::{Implementation, Route};
use anyhow::{Context as _, Result};
use dev::workspace;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A candidate that has been built.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) implementation: Implementation,
    /// Its name in tables, files and JSON.
    pub(crate) name: &'static str,
    /// The folder that its program is in.
    folder: PathBuf,
    /// The interpreter, if it has one.
    interpreter: Option<PathBuf>,
    /// More environment variables.
    pub(super) more: Vec<(&'static str, String)>,
}

/// The environment of a function with a quota for each caller.
const QUOTA: &[(&str, &str)] = &[("LIMITS_TABLE", "limits"), ("CALLER_LIMIT", "600;w=60")];

impl Candidate {
    pub(super) fn at(
        implementation: Implementation,
        folder: PathBuf,
        interpreter: Option<PathBuf>,
    ) -> Self {
        Self { implementation, name: implementation.name(), folder, interpreter, more: Vec::new() }
    }

    /// Returns the same program with a quota for each caller.
    pub(crate) fn with_quota(&self) -> Self {
        let more = QUOTA.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { name: "with-quota", more, ..self.clone() }
    }

    /// Returns the same program under another name.
    pub(crate) fn named(&self, name: &'static str) -> Self {
        Self { name, ..self.clone() }
    }

    /// Returns the same program with a cache.
    pub(crate) fn with_cache(&self, name: &'static str, url: &str) -> Self {
        Self { name, more: vec![("CACHE_URL", url.to_owned())], ..self.clone() }
    }

    /// Returns this bundle's functions as another build has left them in a folder.
    pub(crate) fn before(folder: &Path) -> Self {
        Self::at(Implementation::Ours, folder.to_owned(), None).named("before")
    }

    /// Returns true if callgrind's count means something: that of machine code that is not compiled
    /// at run time.
    pub(crate) fn is_native(&self) -> bool {
        self.interpreter.is_none()
    }

    /// The program and its arguments.
    pub(crate) fn command(&self, route: Route) -> (PathBuf, Vec<PathBuf>) {
        let program = match self.implementation {
            Implementation::Ours => route.binary(),
            Implementation::Floor | Implementation::RustDefaults => self.name.to_owned(),
            Implementation::Graphql => route.name().to_owned(),
            Implementation::Node | Implementation::NodeRedis | Implementation::Apollo => {
                "bundle.mjs".to_owned()
            }
            Implementation::Python => "bootstrap.py".to_owned(),
        };
        let program = self.folder.join(program);
        match &self.interpreter {
            None => (program, Vec::new()),
            Some(interpreter) => (interpreter.clone(), vec![program]),
        }
    }

    /// The size of the deployed files in bytes: uncompressed, and as a zip archive (deflate at its
    /// default level).
    pub(crate) fn size(&self, route: Route) -> Result<(u64, u64)> {
        let files: Vec<PathBuf> = match self.implementation {
            Implementation::Ours
            | Implementation::Graphql
            | Implementation::Floor
            | Implementation::RustDefaults => {
                vec![self.command(route).0]
            }
            Implementation::Node | Implementation::NodeRedis | Implementation::Apollo => {
                vec![self.folder.join("bundle.mjs")]
            }
            Implementation::Python => {
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
