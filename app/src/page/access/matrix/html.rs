//! The cells on screen as HTML: all of them, or those of a row or a column that comes into sight.

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
    /// With these of its rows.
    pub fn all(&self, rows: Range<usize>) -> String {
        let (heads, rows) = (self.heads(), self.rows(rows));
        format!(
            "<div role=\"row\" class=\"heads\" aria-rowindex=\"1\">{heads}</div><div class=\"above\" role=\"presentation\"></div>{rows}"
        )
    }

    /// What stands in the line of the columns' names.
    pub fn heads(&self) -> String {
        let mut out = "<div role=\"columnheader\" class=\"who\" aria-colindex=\"1\">Who</div><i></i>".to_owned();
        self.cells(&mut out, None, self.columns.clone());
        out
    }

    pub fn rows(&self, rows: Range<usize>) -> String {
        let mut out = String::new();
        for row in rows {
            let _ = write!(out, "<div role=\"row\" aria-rowindex=\"{}\">{}</div>", row + 2, self.line(row));
        }
        out
    }

    /// What stands in a row.
    pub fn line(&self, row: usize) -> String {
        let mut out = String::new();
        self.name(&mut out, row);
        self.cells(&mut out, Some(row), self.columns.clone());
        out
    }

    /// Those of a row, or the names of the columns.
    pub fn cells(&self, out: &mut String, row: Option<usize>, columns: Range<usize>) {
        let Some(row) = row else {
            return columns.for_each(|column| self.head(out, column));
        };
        let mut part = None;
        for column in columns {
            let side = column / SIDE;
            let letters = match part {
                Some((known, letters)) if known == side => letters,
                _ => self.tiles.letters(row, side),
            };
            part = Some((side, letters));
            let found = letters.and_then(|(levels, grants)| Some((*levels.get(column % SIDE)?, *grants.get(column % SIDE)?)));
            self.cell(out, (row, column), found);
        }
    }

    fn head(&self, out: &mut String, column: usize) {
        let name = self.tiles.column(column).map(|known| match known.on.kind {
            Kind::Experiment => known.name.clone(),
            kind => format!("{} {}", words::kind(kind), known.name),
        });
        let name = name.as_deref().unwrap_or("…");
        let index = column + 2;
        let _ = write!(out, "<div role=\"columnheader\" class=\"head\" aria-colindex=\"{index}\" title=\"");
        escape(out, name);
        out.push_str("\"><span>");
        escape(out, name);
        out.push_str("</span></div>");
    }

    /// Whose row it is.
    fn name(&self, out: &mut String, row: usize) {
        out.push_str("<div role=\"rowheader\" class=\"who\" aria-colindex=\"1\"");
        let Some(known) = self.tiles.row(row) else {
            return out.push_str(">…</div><i></i>");
        };
        out.push_str(" title=\"");
        escape(out, known.subject.name());
        out.push_str("\">");
        if matches!(known.subject, Subject::Role(_)) {
            out.push_str("<span>role </span>");
        }
        out.push_str("<bdi>");
        escape(out, known.subject.name());
        out.push_str(match (known.admin, known.active) {
            (_, false) => "</bdi><span> deactivated</span></div><i></i>",
            (true, _) => "</bdi><span> admin</span></div><i></i>",
            _ => "</bdi></div><i></i>",
        });
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
