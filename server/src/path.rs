//! Path admission: one decoding, one spelling, and no path that two readers could read differently.
//!
//! Proxies and servers disagree on `//`, `..`, `%2e%2e`, `%2F` and `\`: one checks what the other will not see. A path is
//! therefore decoded once, refused if any reader could take it for another path, and from then on known only by its
//! [canonical spelling](Admitted::as_str), which decodes to the same segments everywhere.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays as it is in a segment: `unreserved` and the harmless part of `pchar` (RFC 3986 §3.3). WHATWG URL parsers, which
/// build the upstream's address, leave all of these alone.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// A path that means the same to everybody who reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted(String);

/// The path is malformed or ambiguous; it is answered as if nothing were there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is nothing at this address")]
pub struct Refused;

// === impl Admitted ===

impl Admitted {
    /// Takes the path of a request target, as it came.
    ///
    /// # Errors
    /// [`Refused`] for an empty, `.` or `..` segment, a backslash, a control character, a malformed escape, and bytes that are
    /// not UTF-8 – all of it after decoding, and also in what an encoded slash separates.
    pub fn parse(raw: &str) -> Result<Self, Refused> {
        let rest = raw.strip_prefix('/').ok_or(Refused)?;
        let (rest, end) = match rest.strip_suffix('/') {
            Some(rest) if !rest.is_empty() => (rest, "/"),
            Some(_) => return Err(Refused),
            None if rest.is_empty() => return Ok(Self("/".to_owned())),
            None => (rest, ""),
        };
        let mut text = String::with_capacity(raw.len());
        for segment in rest.split('/') {
            if is_plain_word(segment) {
                text.push('/');
                text.push_str(segment);
                continue;
            }
            let decoded = decode(segment)?;
            if !decoded.split('/').all(is_plain) {
                return Err(Refused);
            }
            text.push('/');
            text.extend(utf8_percent_encode(&decoded, SEGMENT));
        }
        text.push_str(end);
        Ok(Self(text))
    }

    /// The canonical spelling: an escape only where it is needed, in capitals. A slash inside a segment is `%2F`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether some segment holds a slash, which many a server cannot tell from two segments.
    pub fn has_encoded_slash(&self) -> bool {
        self.0.contains("%2F")
    }
}

/// Most segments are: nothing to decode, nothing to escape.
fn is_plain_word(segment: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain)
}

fn decode(segment: &str) -> Result<Cow<'_, str>, Refused> {
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' && !(bytes.next().is_some_and(|b| b.is_ascii_hexdigit()) && bytes.next().is_some_and(|b| b.is_ascii_hexdigit())) {
            return Err(Refused);
        }
    }
    percent_decode_str(segment).decode_utf8().map_err(|_| Refused)
}

fn is_plain(part: &str) -> bool {
    !matches!(part, "" | "." | "..") && !part.chars().any(|c| c == '\\' || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::{Admitted, Refused};

    fn admitted(raw: &str) -> String {
        Admitted::parse(raw)
            .unwrap_or_else(|_| panic!("{raw} is refused"))
            .as_str()
            .to_owned()
    }

    #[test]
    fn a_path_has_one_spelling() {
        for (raw, canonical) in [
            ("/", "/"),
            ("/api/2.0/mlflow/runs/get", "/api/2.0/mlflow/runs/get"),
            ("/%61pi/%7e", "/api/~"),
            ("/a%2fb/c", "/a%2Fb/c"),
            ("/jobs/", "/jobs/"),
            ("/caf\u{e9}", "/caf%C3%A9"),
            ("/caf%c3%a9 x\"'", "/caf%C3%A9%20x%22%27"),
            ("/models/a:b@1;c=d", "/models/a:b@1;c=d"),
            ("/%252e%252e", "/%252e%252e"),
            ("/...", "/..."),
            ("/.hidden", "/.hidden"),
        ] {
            assert_eq!(admitted(raw), canonical, "{raw}");
            assert_eq!(admitted(canonical), canonical, "{raw}, again");
        }
    }

    #[test]
    fn an_ambiguous_path_is_refused() {
        for raw in [
            "",
            "api",
            "*",
            "//",
            "//api",
            "/api//x",
            "/api/x//",
            "/.",
            "/..",
            "/../api",
            "/api/.",
            "/api/..",
            "/api/../x",
            "/api/./x",
            "/api/%2e%2e/x",
            "/api/%2E./x",
            "/api/.%2e",
            "/a\\b",
            "/a%5cb",
            "/a%5Cb",
            "/a%00b",
            "/a%0ab",
            "/a%0d",
            "/a%7f",
            "/a%c2%85",
            "/a%2f",
            "/%2fa",
            "/a%2f%2fb",
            "/a%2f..%2fb",
            "/a%2F%2e%2e",
            "/a%2f.",
            "/a%",
            "/a%2",
            "/a%zz",
            "/%",
            "/%ff",
            "/%c0%ae%c0%ae/x",
        ] {
            assert_eq!(Admitted::parse(raw), Err(Refused), "{raw}");
        }
    }

    #[test]
    fn an_encoded_slash_is_known() {
        assert!(Admitted::parse("/a%2fb").unwrap().has_encoded_slash());
        assert!(!Admitted::parse("/a%252Fb/c").unwrap().has_encoded_slash());
    }

    /// What is admitted survives a WHATWG URL parser (which collapses dot segments and turns `\` round), and decodes there to
    /// what was decoded here.
    #[test]
    fn a_url_parser_reads_the_same_path() {
        const PIECES: &[&str] = &[
            "/", "/", "/", "a", "b.c", ".", "..", "%2e", "%2E", "%2f", "%2F", "\\", "%5c", "%00", "%25", "%252e", ";", ":", "@", "'", "\"",
            "|", "^", "`", "{", "}", "<", ">", "[", "]", "%20", "%23", "%3F", "+", "&", "=", "é", "%c3%a9", "%ff", "%", "%7C", "~", "*",
            "!", "$", "(",
        ];
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = |bound: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed % bound as u64) as usize
        };
        let mut taken = 0;
        for _ in 0..200_000 {
            let mut raw = "/".to_owned();
            for _ in 0..next(9) {
                raw.push_str(PIECES[next(PIECES.len())]);
            }
            let Ok(path) = Admitted::parse(&raw) else { continue };
            taken += 1;
            let url = reqwest::Url::parse(&format!("http://upstream/base{}", path.as_str())).unwrap();
            assert_eq!(url.path(), format!("/base{}", path.as_str()), "{raw}");
            assert_eq!(url.query(), None, "{raw}");
            assert_eq!(url.fragment(), None, "{raw}");
            let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
            assert_eq!(decode(path.as_str()), decode(&raw), "{raw}");
            assert_eq!(path.as_str().parse::<http::Uri>().unwrap().path(), path.as_str(), "{raw}");
        }
        assert!(taken > 20_000, "only {taken} paths were admitted: the test has lost its force");
    }
}
