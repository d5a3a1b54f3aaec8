//! Trusted documents: those of the folder `documents`, compiled in. A request names one by its
//! hash,
//! `sha256:` and what `sha256sum FILE` prints.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

include!(concat!(env!("OUT_DIR"), "/documents.rs"));

/// The trusted documents, by their hash.
#[derive(Debug)]
pub(crate) struct Documents(HashMap<String, &'static str>);

impl Documents {
    /// Takes the documents of the folder.
    pub(crate) fn compiled_in() -> Self {
        Self(DOCUMENTS.iter().map(|text| (hash(text), *text)).collect())
    }

    /// Returns the document of an id, `sha256:…`.
    pub(crate) fn get(&self, id: &str) -> Option<&'static str> {
        self.0.get(&id.strip_prefix("sha256:")?.to_ascii_lowercase()).copied()
    }

    /// Returns true if a text is one of the documents.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.0.contains_key(&hash(text))
    }

    /// Returns the documents.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &'static str> {
        self.0.values().copied()
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
