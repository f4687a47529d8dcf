//! The browser's files: listed once at start, named with a hash of their bytes, served compressed as they lie.

use std::{
    collections::BTreeSet,
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
use tower_http::services::ServeDir;

pub struct Assets {
    folder: PathBuf,
    /// What the document names.
    pub names: document::Assets,
}

// === impl Assets ===

impl Assets {
    /// Reads the list of what `cargo xtask dist` has made.
    ///
    /// # Errors
    /// A folder without a list, or without a file that is on it.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let missing = || {
            format!(
                "{} does not hold the browser's files; `cargo xtask dist` makes them",
                folder.display()
            )
        };
        let list = folder.join("manifest.json");
        let text = std::fs::read_to_string(&list).with_context(missing)?;
        let names: document::Assets = serde_json::from_str(&text).with_context(|| format!("{} cannot be understood", list.display()))?;
        if let Some(name) = names.files().into_iter().find(|name| !folder.join(name).is_file()) {
            bail!(
                "{} is on the list of the browser's files and not there",
                folder.join(name).display()
            );
        }
        Ok(Self {
            folder: folder.to_owned(),
            names,
        })
    }

    /// The routes of the files.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let files = ServeDir::new(&self.folder).precompressed_br().precompressed_gzip();
        let hashed = self.names.files().into_iter().map(str::to_owned).collect();
        Router::new()
            .nest_service(document::ASSETS, files)
            .layer(from_fn_with_state(Arc::new(hashed), cache))
    }
}

/// A name with the hash of its bytes never changes; anything else asks again.
async fn cache(State(hashed): State<Arc<BTreeSet<String>>>, request: Request, next: Next) -> Response {
    let asked = request.uri().path().rsplit('/').next();
    let hashed = asked.is_some_and(|name| hashed.contains(name));
    let mut response = next.run(request).await;
    let status = response.status();
    if status == StatusCode::NOT_FOUND {
        return StatusCode::NOT_FOUND.into_response();
    }
    let value = if hashed && (status.is_success() || status == StatusCode::NOT_MODIFIED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    response
}
