//! From a method and an admitted path to the row of the table, and to the path that MLflow will see.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use http::Method;
use matchit::{Params, Router};
use percent_encoding::percent_decode_str;

use super::table::{Prefix, ROWS, Row, What};
use crate::path::Admitted;

/// A request that may go to MLflow.
#[derive(Debug)]
pub struct Match {
    pub row: &'static Row,
    /// Canonical and percent-encoded.
    pub path: String,
    /// The caller asked for a route that MLflow has retired; `row` is its successor, and the query wants translating.
    pub retired: bool,
}

// === impl Match ===

impl Match {
    /// The decoded value of a parameter in the row's path.
    pub fn param(&self, name: &str) -> Option<String> {
        let bare = ["/api", "/ajax-api"].into_iter().find_map(|prefix| self.path.strip_prefix(prefix));
        let path = if self.row.prefix == Prefix::Bare { &self.path } else { bare? };
        let names = |part: &str, tail| {
            let inner = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            inner.is_some_and(|inner| {
                if tail {
                    inner.strip_prefix('*') == Some(name)
                } else {
                    inner.trim_end_matches(":path") == name
                }
            })
        };
        let is_tail = self.row.path.rsplit('/').next().is_some_and(|last| names(last, true));
        let at = self.row.path.split('/').position(|part| names(part, is_tail))?;
        let value = if is_tail {
            path.splitn(at + 1, '/').nth(at)?
        } else {
            path.split('/').nth(at)?
        };
        Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoMatch {
    /// Nothing is forwarded at this path.
    Path,
    /// Something is, but only with these methods, as `Allow` lists them.
    Method(String),
}

/// All rows that share a path.
struct Node {
    rows: Vec<&'static Row>,
    /// The parameters that may hold an encoded slash.
    slashes: BTreeSet<&'static str>,
}

struct Table {
    router: Router<Node>,
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

/// MLflow's router for MCP servers decodes a path before it splits it, and splits at these words: a name that holds one would
/// be one route here and another there.
const MCP_WORDS: [&str; 4] = ["versions", "endpoints", "tags", "aliases"];

/// Here the endpoint `mlflow` and the path `invocations` behind `proxy`; to MLflow, the endpoint `proxy`.
const TWO_READINGS: &str = "/gateway/proxy/mlflow/invocations";

/// Finds the row for a request.
///
/// # Errors
/// [`NoMatch`] tells a 404 from a 405.
pub fn find(method: &Method, path: &Admitted) -> Result<Match, NoMatch> {
    TABLE.find(method, path)
}

// === impl Table ===

impl Table {
    fn new() -> Self {
        let mut nodes: BTreeMap<String, Node> = BTreeMap::new();
        for row in ROWS.iter().filter(|row| !matches!(row.what, What::Closed(_))) {
            for path in row.paths() {
                let node = nodes.entry(route(&path)).or_insert_with(|| Node {
                    rows: Vec::new(),
                    slashes: slashes(row.path),
                });
                node.rows.push(row);
            }
        }
        let mut router = Router::new();
        for (path, node) in nodes {
            if let Err(error) = router.insert(&path, node) {
                panic!("the route table cannot hold {path}: {error}");
            }
        }
        Self { router }
    }

    fn find(&self, method: &Method, path: &Admitted) -> Result<Match, NoMatch> {
        let found = self.router.at(path.as_str()).map_err(|_| NoMatch::Path)?;
        let node = found.value;
        if path.as_str() == TWO_READINGS || (path.has_encoded_slash() && !node.takes_slashes(&found.params)) {
            return Err(NoMatch::Path);
        }
        let here = || {
            node.rows
                .iter()
                .filter(|row| verb(row.path).is_none_or(|verb| path.as_str().ends_with(verb)))
        };
        here().next().ok_or(NoMatch::Path)?;
        // RFC 9110 §9.3.2: HEAD is GET without the content.
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let row = here()
            .find(|row| row.method == *wanted)
            .ok_or_else(|| NoMatch::Method(allowed(here())))?;
        match row.what {
            What::Retired(successor) => {
                let prefix = path.as_str().strip_suffix(row.path).ok_or(NoMatch::Path)?;
                let path = format!("{prefix}{successor}");
                let found = self.router.at(&path).map_err(|_| NoMatch::Path)?;
                let row = found.value.rows.iter().find(|row| row.method == *wanted).ok_or(NoMatch::Path)?;
                Ok(Match { row, path, retired: true })
            }
            _ => Ok(Match {
                row,
                path: rebuild(row, path),
                retired: false,
            }),
        }
    }
}

/// The methods of some rows as a list, with the HEAD that goes with GET.
fn allowed<'a>(rows: impl Iterator<Item = &'a &'static Row>) -> String {
    let methods = rows.flat_map(|row| {
        let head = (row.method == Method::GET).then_some("HEAD");
        std::iter::once(row.method.as_str()).chain(head)
    });
    methods.collect::<Vec<_>>().join(", ")
}

// === impl Node ===

impl Node {
    fn takes_slashes(&self, params: &Params<'_, '_>) -> bool {
        params.iter().all(|(name, value)| {
            !value.contains("%2F")
                || (self.slashes.contains(name) && (self.is_tail(name) || !value.split("%2F").any(|part| MCP_WORDS.contains(&part))))
        })
    }

    fn is_tail(&self, name: &str) -> bool {
        self.rows.iter().any(|row| row.path.ends_with(&format!("{{*{name}}}")))
    }
}

/// In a tail, an encoded slash and a slash are one to MLflow, which decodes first; so only the plain one is sent.
fn rebuild(row: &Row, path: &Admitted) -> String {
    match row.path.split_once("{*") {
        Some(_) => path.as_str().replace("%2F", "/"),
        None => path.as_str().to_owned(),
    }
}

/// A row's path as matchit spells it: no `:path`, and a verb behind a parameter (`{name}:generateContent`) left off.
fn route(path: &str) -> String {
    let path = verb(path).map_or(path, |verb| path.trim_end_matches(verb));
    path.replace(":path}", "}")
}

/// `:generateContent`, the custom method (AIP-136) at the end of some paths.
fn verb(path: &str) -> Option<&str> {
    path.rsplit_once('}').map(|(_, rest)| rest).filter(|rest| rest.starts_with(':'))
}

fn slashes(path: &'static str) -> BTreeSet<&'static str> {
    let parameters = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    parameters
        .filter_map(|name| name.strip_suffix(":path").or_else(|| name.strip_prefix('*')))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use http::Method;

    use super::{Match, NoMatch, find};
    use crate::{
        path::Admitted,
        proxy::table::{Family, ROWS, What},
    };

    fn look(method: Method, path: &str) -> Result<Match, NoMatch> {
        find(&method, &Admitted::parse(path).map_err(|_| NoMatch::Path)?)
    }

    fn example(path: &str) -> String {
        let mut text = String::new();
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('{') {
            let (_, behind) = after.split_once('}').unwrap();
            text = text + before + "x-1";
            rest = behind;
        }
        text + rest
    }

    #[test]
    fn each_row_is_found_and_each_closed_one_is_not() {
        for row in ROWS {
            for path in row.paths() {
                let path = example(&path);
                match row.what {
                    What::Closed(_) => assert!(look(row.method.clone(), &path).is_err(), "{} {path} is not closed", row.method),
                    What::Retired(_) => assert!(look(row.method.clone(), &path).unwrap().retired),
                    What::Open(..) | What::Public(_) => {
                        let found = look(row.method.clone(), &path).unwrap_or_else(|no| panic!("{} {path}: {no:?}", row.method));
                        assert!(std::ptr::eq(found.row, row), "{} {path} found {:?}", row.method, found.row);
                        assert_eq!(found.path, path);
                    }
                }
            }
        }
    }

    #[test]
    fn no_row_is_there_twice() {
        let mut seen = BTreeSet::new();
        for row in ROWS {
            for path in row.paths() {
                assert!(seen.insert(format!("{} {path}", row.method)), "{} {path}", row.method);
            }
        }
    }

    #[test]
    fn only_server_info_is_public() {
        let public: Vec<_> = ROWS.iter().filter(|row| row.is_public()).map(|row| row.path).collect();
        assert_eq!(public, ["/3.0/mlflow/server-info"]);
    }

    #[test]
    fn what_is_not_named_is_not_there() {
        for (method, path) in [
            (Method::GET, "/"),
            (Method::GET, "/health"),
            (Method::GET, "/ajax-api/3.0/mlflow/assistant/config"),
            (Method::POST, "/ajax-api/3.0/mlflow/assistant/message"),
            (Method::POST, "/ajax-api/3.0/mlflow/assistant"),
            (Method::POST, "/api/3.0/mlflow/assistant/message"),
            (Method::POST, "/ajax-api/3.0/jobs/"),
            (Method::POST, "/graphql"),
            (Method::GET, "/API/2.0/mlflow/experiments/search"),
            (Method::GET, "/api/3.0/mlflow/experiments/search"),
            (Method::GET, "/api/2.0/mlflow/experiments/search/"),
            (Method::GET, "/api/2.0/mlflow/users%2Flist"),
            (Method::GET, "/api/2.0/mlflow//users/list"),
            (Method::GET, "/api/2.0/mlflow/x/../users/list"),
            (Method::GET, "/api/2.0/mlflow/x/%2e%2e/users/list"),
            (Method::GET, "/static-files/../api/2.0/mlflow/users/list"),
            (Method::GET, "/api/2.0/mlflow-artifacts/artifacts/1/../../../users/list"),
            (Method::GET, "/api/2.0/mlflow-artifacts/artifacts/1/%2e%2e%2f%2e%2e/x"),
            (Method::GET, "/api/2.0/mlflow/logged-models/a%2Fb"),
            (Method::DELETE, "/api/2.0/mlflow/logged-models/m-1/tags/a%2fb"),
            (Method::GET, "/api/3.0/mlflow/mcp-servers/io.x%2fs%2fversions"),
            (Method::DELETE, "/api/3.0/mlflow/mcp-servers/io.x%2ftags%2fk"),
            (Method::POST, "/gateway/proxy/mlflow/invocations"),
            (Method::POST, "/gateway/a%2fb/mlflow/invocations"),
            (Method::POST, "/gateway/gemini/v1beta/models/e:deleteEverything"),
            (Method::GET, "/api/2.0/preview/mlflow/experiments/list"),
        ] {
            assert_eq!(
                look(method.clone(), path).map(|found| found.path),
                Err(NoMatch::Path),
                "{method} {path}"
            );
        }
    }

    #[test]
    fn a_wrong_method_is_told_from_a_wrong_path() {
        for method in [Method::PUT, Method::OPTIONS, Method::TRACE, Method::CONNECT, Method::DELETE] {
            assert_eq!(
                look(method, "/api/2.0/mlflow/runs/get").unwrap_err(),
                NoMatch::Method("GET, HEAD".into())
            );
        }
        assert_eq!(
            look(Method::HEAD, "/api/2.0/mlflow/runs/create").unwrap_err(),
            NoMatch::Method("POST".into())
        );
        assert_eq!(
            look(Method::GET, "/gateway/gemini/v1beta/models/e:generateContent").unwrap_err(),
            NoMatch::Method("POST".into())
        );
    }

    #[test]
    fn a_path_is_rebuilt() {
        for (method, path, rebuilt) in [
            (Method::HEAD, "/get-artifact", "/get-artifact"),
            (Method::GET, "/%61pi/2.0/mlflow/runs/get", "/api/2.0/mlflow/runs/get"),
            (
                Method::PUT,
                "/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts/a%2Fb c/\u{e9}.txt",
                "/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts/a/b%20c/%C3%A9.txt",
            ),
            (
                Method::GET,
                "/api/2.0/mlflow-artifacts/artifacts/%252e%252e",
                "/api/2.0/mlflow-artifacts/artifacts/%252e%252e",
            ),
            (
                Method::GET,
                "/api/3.0/mlflow/mcp-servers/io.github%2fserver",
                "/api/3.0/mlflow/mcp-servers/io.github%2Fserver",
            ),
            (
                Method::GET,
                "/api/3.0/mlflow/mcp-servers/io.github%2Fs/versions/1.0%2Fa",
                "/api/3.0/mlflow/mcp-servers/io.github%2Fs/versions/1.0%2Fa",
            ),
            (
                Method::POST,
                "/gateway/gemini/v1beta/models/my%20model:streamGenerateContent",
                "/gateway/gemini/v1beta/models/my%20model:streamGenerateContent",
            ),
        ] {
            assert_eq!(look(method, path).unwrap().path, rebuilt);
        }
    }

    #[test]
    fn the_retired_list_is_answered_by_search() {
        for prefix in ["/api", "/ajax-api"] {
            let found = look(Method::GET, &format!("{prefix}/2.0/mlflow/experiments/list")).unwrap();
            assert_eq!(found.path, format!("{prefix}/2.0/mlflow/experiments/search"));
            assert_eq!(found.row.family(), Some(Family::Experiments));
            assert_eq!(found.row.method, Method::GET);
            assert!(found.retired);
        }
        assert_eq!(
            look(Method::POST, "/api/2.0/mlflow/experiments/list").unwrap_err(),
            NoMatch::Method("GET, HEAD".into())
        );
    }
}
