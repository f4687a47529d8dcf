//! One style sheet out of many: `@import "x.css";` is replaced by the file, comments and spare white space go.

use std::path::Path;

use anyhow::bail;

use crate::file;

/// The style sheet with all that it imports.
pub fn bundle(main: &Path) -> anyhow::Result<String> {
    let whole = inline(&file::read(main)?, &|name| file::read(&main.with_file_name(name)))?;
    Ok(shrink(&whole))
}

fn inline(main: &str, read: &dyn Fn(&str) -> anyhow::Result<String>) -> anyhow::Result<String> {
    let mut whole = String::new();
    for line in main.lines() {
        if let Some(import) = line.trim_start().strip_prefix("@import ") {
            let name = import.trim().strip_suffix(';').map(str::trim);
            let Some(name) = name.and_then(|name| name.strip_prefix('"')?.strip_suffix('"')) else {
                bail!("style/main.css: `{}` has to be spelled @import \"file.css\";", line.trim());
            };
            whole.push_str(&read(name)?);
        } else {
            whole.push_str(line);
        }
        whole.push('\n');
    }
    Ok(whole)
}

/// Only what is safe without understanding CSS: a space is dropped where a brace, a semicolon or a comma already separates.
fn shrink(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    let mut space = false;
    while let Some(next) = rest.chars().next() {
        if rest.starts_with("/*") {
            rest = rest[2..].split_once("*/").map_or("", |(_, after)| after);
            space = true;
            continue;
        }
        if next.is_whitespace() {
            rest = rest.trim_start();
            space = true;
            continue;
        }
        if space && !out.is_empty() && !out.ends_with(['{', '}', ';', ',']) && !matches!(next, '{' | '}' | ';' | ',') {
            out.push(' ');
        }
        space = false;
        let length = match next {
            '"' | '\'' => string(rest, next),
            other => other.len_utf8(),
        };
        if next == '}' && out.ends_with(';') {
            out.pop();
        }
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out
}

/// The length of the string that `text` begins with, its quotes included.
fn string(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{inline, shrink};

    #[test]
    fn imports_are_replaced_in_their_order() {
        let read = |name: &str| Ok(format!("/* {name} */"));
        let whole = inline("@layer a, b;\n@import \"tokens.css\";\n@import \"base.css\";\np{}", &read).unwrap();
        assert_eq!(whole, "@layer a, b;\n/* tokens.css */\n/* base.css */\np{}\n");
    }

    #[test]
    fn another_kind_of_import_is_refused() {
        assert!(inline("@import url(x.css) layer(a);", &|_| Ok(String::new())).is_err());
    }

    #[test]
    fn only_spare_space_is_dropped() {
        assert_eq!(
            shrink("/* x */ a , b {\n  color : red ;\n  width: calc(1px + 2px);\n}\n"),
            "a,b{color : red;width: calc(1px + 2px)}"
        );
        assert_eq!(
            shrink("a :hover/**/b { content: \"/* ; } \\\" */  x\"; }"),
            "a :hover b{content: \"/* ; } \\\" */  x\"}"
        );
        assert_eq!(
            shrink("@media (width < 40rem) { &.x { margin: 0 } }"),
            "@media (width < 40rem){&.x{margin: 0}}"
        );
    }
}
