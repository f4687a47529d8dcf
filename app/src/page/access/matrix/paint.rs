//! The cells on screen as one text of HTML: what is drawn with each step of scrolling costs one assignment.

use std::{collections::BTreeSet, fmt::Write as _, ops::Range};

use super::tiles::{At, SIDE, Tiles};
use crate::{
    api::flowdeck::{
        access::level,
        grant::{Kind, Level, Subject},
    },
    page::review::words::{self, level_name},
};

/// What is to be seen.
pub struct Scene<'a> {
    pub tiles: &'a Tiles,
    pub rows: Range<usize>,
    pub columns: Range<usize>,
    pub at: At,
    pub chosen: &'a BTreeSet<At>,
}

/// The id of the cell that the keyboard is at.
pub const HERE: &str = "matrix-at";

// === impl Scene ===

impl Scene<'_> {
    pub fn html(&self) -> String {
        let mut out = String::with_capacity(128 * (self.rows.len() + 1) * (self.columns.len() + 1));
        self.heads(&mut out);
        out.push_str("<div class=\"above\" role=\"presentation\"></div>");
        for row in self.rows.clone() {
            self.row(&mut out, row);
        }
        out
    }

    fn heads(&self, out: &mut String) {
        out.push_str("<div role=\"row\" class=\"heads\" aria-rowindex=\"1\"><div role=\"columnheader\" class=\"who\" aria-colindex=\"1\">Who</div><i></i>");
        for column in self.columns.clone() {
            let _ = write!(
                out,
                "<div role=\"columnheader\" class=\"head\" aria-colindex=\"{}\" title=\"",
                column + 2
            );
            if let Some(known) = self.tiles.column(column) {
                let name = match known.on.kind {
                    Kind::Experiment => known.name.clone(),
                    kind => format!("{} {}", words::kind(kind), known.name),
                };
                escape(out, &name);
                out.push_str("\"><span>");
                escape(out, &name);
                out.push_str("</span></div>");
            } else {
                out.push_str("\"><span>…</span></div>");
            }
        }
        out.push_str("</div>");
    }

    fn row(&self, out: &mut String, row: usize) {
        let _ = write!(
            out,
            "<div role=\"row\" aria-rowindex=\"{}\"><div role=\"rowheader\" class=\"who\" aria-colindex=\"1\"",
            row + 2
        );
        match self.tiles.row(row) {
            None => out.push_str(">…</div><i></i>"),
            Some(known) => {
                out.push_str(" title=\"");
                escape(out, known.subject.name());
                out.push_str("\">");
                if matches!(known.subject, Subject::Role(_)) {
                    out.push_str("<span>role </span>");
                }
                out.push_str("<bdi>");
                escape(out, known.subject.name());
                out.push_str("</bdi>");
                match (known.admin, known.active) {
                    (_, false) => out.push_str("<span> deactivated</span>"),
                    (true, _) => out.push_str("<span> admin</span>"),
                    _ => {}
                }
                out.push_str("</div><i></i>");
            }
        }
        let mut part = None;
        for column in self.columns.clone() {
            let side = column / SIDE;
            let letters = match part {
                Some((known, letters)) if known == side => letters,
                _ => self.tiles.letters(row, side),
            };
            part = Some((side, letters));
            let found = letters.and_then(|(levels, grants)| Some((*levels.get(column % SIDE)?, *grants.get(column % SIDE)?)));
            self.cell(out, (row, column), found);
        }
        out.push_str("</div>");
    }

    fn cell(&self, out: &mut String, at: At, found: Option<(u8, u8)>) {
        let chosen = self.chosen.contains(&at);
        let _ = write!(
            out,
            "<div role=\"gridcell\" aria-colindex=\"{}\" aria-selected=\"{chosen}\"",
            at.1 + 2
        );
        if at == self.at {
            let _ = write!(out, " id=\"{HERE}\"");
        }
        let Some((has, granted)) = found else {
            out.push_str(" class=\"wait\"></div>");
            return;
        };
        let (has, granted) = (char::from(has), char::from(granted));
        let class = match level(has) {
            None => "none",
            Some(Level::Deny) => "deny",
            Some(Level::Manage) => "manage",
            Some(_) => "some",
        };
        let (mark, says) = if granted == '-' {
            ("", "")
        } else {
            (" granted", ", granted on it")
        };
        let letter = if has == '-' { '·' } else { has };
        let _ = write!(
            out,
            " class=\"{class}{mark}\" aria-label=\"{}{says}\">{letter}</div>",
            level_name(level(has))
        );
    }
}

/// `text` as text of HTML, and as an attribute's.
fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text() {
        let mut out = String::new();
        escape(&mut out, "<b a=\"x\">&");
        assert_eq!(out, "&lt;b a=&quot;x&quot;&gt;&amp;");
    }
}
