//! What holds for every text that may or may not be the path of a request.

use http::Method;
use server::{
    path::Admitted,
    proxy::{
        lookup,
        table::{ROWS, What},
    },
};

const METHODS: [Method; 6] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Panics where it does not. Tells whether the path was admitted, and for how many methods it found a route.
pub fn holds(raw: &str) -> (bool, usize) {
    let Ok(path) = Admitted::parse(raw) else { return (false, 0) };
    is_plain(&path);
    let found = METHODS.iter().filter(|method| leads_where_it_seems(method, &path));
    (true, found.count())
}

/// One spelling, which nobody can read as another path.
fn is_plain(path: &Admitted) {
    let text = path.as_str();
    assert_eq!(Admitted::parse(text).as_ref(), Ok(path), "{text} has two spellings");
    assert!(
        text.bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\\?#\"<>`{}|^'".contains(&byte)),
        "{text}"
    );
    let decoded = decoded(text);
    assert!(!decoded.chars().any(|letter| letter.is_control() || letter == '\\'), "{decoded:?}");
    let inner = decoded.strip_prefix('/').expect("a path begins with a slash");
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    assert!(
        decoded == "/" || !inner.split('/').any(|segment| matches!(segment, "" | "." | "..")),
        "{decoded:?}"
    );
}

fn leads_where_it_seems(method: &Method, path: &Admitted) -> bool {
    let Ok(found) = lookup::find(method, path) else { return false };
    let (row, sent) = (found.row, found.path.as_str());
    let is_open = matches!(row.what, What::Open(..) | What::Public(_));
    assert!(is_open, "{method} {path:?} found {row:?}");
    assert!(
        row.method == *method || (*method == Method::HEAD && row.method == Method::GET),
        "{method} found {row:?}"
    );

    let again = Admitted::parse(sent).unwrap_or_else(|refused| panic!("{sent}: {refused}"));
    assert_eq!(again.as_str(), sent, "what is sent is canonical");
    is_plain(&again);
    let again = lookup::find(method, &again).unwrap_or_else(|no| panic!("{sent}: {no:?}"));
    assert!(
        std::ptr::eq(again.row, row) && again.path == sent && !again.retired,
        "{sent} is {:?}, then {again:?}",
        row
    );
    assert!(
        !again.path.contains("%2F") || row.path.contains(":path}"),
        "{sent} keeps a slash that {row:?} does not take"
    );

    // MLflow's routers decode first and split then.
    let split = decoded(sent);
    for closed in ROWS
        .iter()
        .filter(|row| matches!(row.what, What::Closed(_)) && row.method == found.row.method)
    {
        for pattern in closed.paths() {
            assert!(
                !matches(&pattern, &split),
                "{method} {sent} is {row:?} here and {closed:?} to MLflow"
            );
        }
    }
    assert!(
        row.paths().any(|pattern| matches(&pattern, &split)),
        "{sent} is no {row:?} to MLflow"
    );
    true
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .expect("UTF-8")
        .into_owned()
}

/// Whether a decoded path is one of a row's, read apart from the router of the program.
fn matches(pattern: &str, path: &str) -> bool {
    let Some((literal, rest)) = pattern.split_once('{') else {
        return pattern == path;
    };
    let Some(path) = path.strip_prefix(literal) else { return false };
    let Some((name, behind)) = rest.split_once('}') else { return false };
    let is_long = name.starts_with('*') || name.ends_with(":path");
    let ends = path.char_indices().map(|(at, _)| at).skip(1).chain([path.len()]);
    let mut ends = ends.take_while(|end| is_long || !path[..*end].contains('/'));
    !path.is_empty() && ends.any(|end| matches(behind, &path[end..]))
}
