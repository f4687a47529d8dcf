//! Artifacts: folders and files of a run.

use serde::{Deserialize, Serialize};

use super::number;
use crate::{
    api::{Client, Method, Result},
    order::sort_by,
    route::escape,
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    #[serde(default)]
    pub root_uri: String,
    #[serde(default)]
    pub files: Vec<File>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// From the run's artifact root.
    pub path: String,
    #[serde(default)]
    pub is_dir: bool,
    #[serde(default, deserialize_with = "number::maybe_whole", skip_serializing_if = "Option::is_none")]
    pub file_size: Option<i64>,
}

/// How a file can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Image,
    Json,
    /// Columns apart by this character.
    Table(char),
    Markdown,
    Html,
    Text,
    /// Only to download.
    Other,
}

// === impl File ===

impl File {
    /// The last part of the path.
    pub fn name(&self) -> &str {
        name(&self.path)
    }
}

// === impl Kind ===

impl Kind {
    /// From the name's ending.
    pub fn of(path: &str) -> Self {
        let name = name(path);
        let Some((_, ending)) = name.rsplit_once('.') else {
            return if matches!(name, "MLmodel" | "LICENSE" | "README" | "Dockerfile" | "Makefile") {
                Self::Text
            } else {
                Self::Other
            };
        };
        let mut ending = ending.to_owned();
        ending.make_ascii_lowercase();
        match ending.as_str() {
            "png" | "jpg" | "jpeg" | "gif" | "webp" | "svg" | "bmp" | "ico" | "avif" => Self::Image,
            "json" | "ipynb" | "geojson" => Self::Json,
            "csv" => Self::Table(','),
            "tsv" => Self::Table('\t'),
            "md" | "markdown" => Self::Markdown,
            "html" | "htm" => Self::Html,
            "txt" | "log" | "yaml" | "yml" | "toml" | "ini" | "cfg" | "conf" | "py" | "rs" | "js" | "ts" | "css" | "sh" | "sql" | "xml"
            | "jsonl" | "ndjson" | "r" | "c" | "h" | "cpp" | "java" | "tex" | "diff" | "patch" | "env" | "lock" | "err" | "out" | "dot" => {
                Self::Text
            }
            _ => Self::Other,
        }
    }

    /// Whether the browser has to fetch the text to show it.
    pub fn is_text(self) -> bool {
        !matches!(self, Self::Image | Self::Other)
    }
}

/// The last part of a path.
pub fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Where the bytes are, below the base path.
pub fn download_path(run: &str, path: &str) -> String {
    format!("/get-artifact?run_id={}&path={}", escape(run), escape(path))
}

fn list_path(run: &str, folder: &str) -> String {
    let run = escape(run);
    if folder.is_empty() {
        format!("/api/2.0/mlflow/artifacts/list?run_id={run}")
    } else {
        format!("/api/2.0/mlflow/artifacts/list?run_id={run}&path={}", escape(folder))
    }
}

/// What is in a folder (`""`: the top): folders first, then files, each by name. Empty for a file, and for what is not there.
///
/// # Errors
/// MLflow's.
pub async fn list(client: &Client, run: &str, folder: &str) -> Result<Listing> {
    let mut listing: Listing = client.get(&list_path(run, folder)).await?;
    sort_by(&mut listing.files, |a, b| (!a.is_dir, &a.path).cmp(&(!b.is_dir, &b.path)));
    Ok(listing)
}

/// A file as text. Ask for small ones only.
///
/// # Errors
/// MLflow's, and that it is not text.
pub async fn text(client: &Client, run: &str, path: &str) -> Result<String> {
    client.text(Method::Get, &download_path(run, path), None).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_come_from_the_ending() {
        assert_eq!(Kind::of("images/a.PNG"), Kind::Image);
        assert_eq!(Kind::of("d.d/x.json"), Kind::Json);
        assert_eq!(Kind::of("t.tsv"), Kind::Table('\t'));
        assert_eq!(Kind::of("model/MLmodel"), Kind::Text);
        assert_eq!(Kind::of("model.pkl"), Kind::Other);
        assert_eq!(Kind::of("a.txt/data"), Kind::Other);
    }

    #[test]
    fn paths_are_escaped_whole() {
        assert_eq!(
            download_path("r1", "a b/ü#?&+%20.txt"),
            "/get-artifact?run_id=r1&path=a%20b%2F%C3%BC%23%3F%26%2B%2520.txt"
        );
        assert_eq!(list_path("r1", ""), "/api/2.0/mlflow/artifacts/list?run_id=r1");
        assert_eq!(list_path("r1", "d/e"), "/api/2.0/mlflow/artifacts/list?run_id=r1&path=d%2Fe");
    }

    #[test]
    fn an_answer_of_mlflow() {
        let listing: Listing = serde_json::from_str(include_str!("testdata/artifacts.json")).unwrap();
        assert_eq!(listing.files.len(), 9);
        assert_eq!(
            listing.files[0],
            File {
                path: "big.log".into(),
                is_dir: false,
                file_size: Some(400_000)
            }
        );
        assert!(listing.files[1].is_dir);
        assert_eq!(listing.files[7].name(), "text");
        assert_eq!(serde_json::from_str::<Listing>("{}").unwrap(), Listing::default());
    }
}
