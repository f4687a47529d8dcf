//! The browser's files: found once at start, named with a hash of their bytes, served compressed as they lie.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use app::document;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
};
use sha2::{Digest as _, Sha256};
use tower_http::services::ServeDir;

use crate::vault::hex;

/// Where the files are served, below the base path.
const PREFIX: &str = "/assets";

pub struct Assets {
    folder: PathBuf,
    /// What the document names.
    pub names: document::Assets,
}

// === impl Assets ===

impl Assets {
    /// Reads what `cargo xtask dist` has made.
    ///
    /// # Errors
    /// A folder without exactly one of each file.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let missing = || {
            format!(
                "{} does not hold the browser's files; `cargo xtask dist` makes them",
                folder.display()
            )
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).with_context(missing)? {
            files.extend(entry?.file_name().into_string());
        }
        let find = |start: &str, end: &str| {
            let found: Vec<_> = files.iter().filter(|name| name.starts_with(start) && name.ends_with(end)).collect();
            match found[..] {
                [name] => address(folder, name),
                [] => bail!(missing()),
                _ => bail!("{} holds more than one {start}*{end}", folder.display()),
            }
        };
        let names = document::Assets {
            script: find("frontend-", ".js")?,
            wasm: find("frontend-", ".wasm")?,
            style: find("main-", ".css")?,
            icon: find("favicon", ".svg")?,
        };
        Ok(Self {
            folder: folder.to_owned(),
            names,
        })
    }

    /// The routes of the files.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let files = ServeDir::new(&self.folder).precompressed_br().precompressed_gzip();
        let names = &self.names;
        let hashed = [&names.script, &names.wasm, &names.style, &names.icon].map(Clone::clone);
        Router::new()
            .nest_service(PREFIX, files)
            .layer(from_fn_with_state(Arc::new(hashed), cache))
    }
}

/// A file's address. Trunk's hash is older than wasm-opt's output, so the bytes are hashed again here.
fn address(folder: &Path, name: &str) -> anyhow::Result<String> {
    let bytes = std::fs::read(folder.join(name)).with_context(|| format!("cannot read {name}"))?;
    Ok(format!("{PREFIX}/{name}?v={}", hex(&Sha256::digest(bytes)[..6])))
}

/// A name with the hash of its bytes never changes; anything else asks again.
async fn cache(State(hashed): State<Arc<[String; 4]>>, request: Request, next: Next) -> Response {
    let hashed = request
        .uri()
        .path_and_query()
        .is_some_and(|asked| hashed.iter().any(|address| address == asked.as_str()));
    let mut response = next.run(request).await;
    if response.status() == StatusCode::NOT_FOUND {
        return StatusCode::NOT_FOUND.into_response();
    }
    let value = if hashed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    response
}
