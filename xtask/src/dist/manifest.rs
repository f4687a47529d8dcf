//! The list of the browser's files, by which the server names them in its documents.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::file;

#[derive(Deserialize, Serialize)]
pub struct Manifest {
    pub script: String,
    pub wasm: String,
    /// Loads the modules.
    pub loader: String,
    pub style: String,
    pub icon: String,
    /// The files of each module that is not part of the first page.
    pub modules: BTreeMap<String, Vec<String>>,
}

// === impl Manifest ===

impl Manifest {
    pub const FILE: &str = "manifest.json";

    pub fn read(site: &Path) -> anyhow::Result<Self> {
        Ok(serde_json::from_str(&file::read(&site.join(Self::FILE))?)?)
    }

    /// What is loaded with later pages, each file once.
    pub fn later(&self) -> BTreeSet<&str> {
        self.modules.values().flatten().map(String::as_str).collect()
    }
}
