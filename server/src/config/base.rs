//! The base path: where on its host Flowdeck lives.

use std::{fmt, str::FromStr};

/// `""` for the root, or `/a/b`: begins with a slash and does not end with one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

#[derive(Debug, thiserror::Error)]
#[error("a base path looks like /mlflow or /services/mlflow: letters, digits, and - _ . ~ between slashes")]
pub struct BadBasePath;

// === impl BasePath ===

impl BasePath {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of `path` (which begins with a slash) below the base.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// What is left of `path` below the base; `None` where it lies outside. `/mlflowX` is not below `/mlflow`.
    pub fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(self.0.as_str())?;
        rest.starts_with('/').then_some(rest)
    }

    /// The `Path` attribute of a cookie.
    pub fn cookie_path(&self) -> &str {
        if self.0.is_empty() { "/" } else { &self.0 }
    }
}

impl FromStr for BasePath {
    type Err = BadBasePath;

    fn from_str(text: &str) -> Result<Self, BadBasePath> {
        let text = text.trim_end_matches('/');
        if text.is_empty() {
            return Ok(Self::default());
        }
        let good = |segment: &str| {
            !segment.is_empty()
                && segment != "."
                && segment != ".."
                && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
        };
        let segments = text.strip_prefix('/').ok_or(BadBasePath)?;
        if !segments.split('/').all(good) {
            return Err(BadBasePath);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::BasePath;

    #[test]
    fn the_root_has_two_spellings() {
        for text in ["", "/"] {
            assert_eq!(text.parse::<BasePath>().unwrap().as_str(), "");
        }
    }

    #[test]
    fn a_trailing_slash_is_forgiven_and_odd_paths_are_not() {
        assert_eq!("/services/mlflow/".parse::<BasePath>().unwrap().as_str(), "/services/mlflow");
        for text in ["mlflow", "//a", "/a//b", "/a/../b", "/a b", "/a?b", "/%2e"] {
            assert!(text.parse::<BasePath>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_whole_segments_are_below_the_base() {
        let base: BasePath = "/mlflow".parse().unwrap();
        assert_eq!(base.strip("/mlflow/runs/1"), Some("/runs/1"));
        assert_eq!(base.strip("/mlflowX/runs"), None);
        assert_eq!(base.strip("/mlflow"), None);
    }
}
