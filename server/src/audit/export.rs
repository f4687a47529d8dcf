//! All rows of a filter as a file: CSV (RFC 4180) or JSON Lines, page by page as the reader takes them.

use std::fmt::Write as _;

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::stream;

use super::{
    Audit, Entry,
    search::{self, Filter, Start},
};

/// Rows of one piece.
const PIECE: usize = 500;

/// The columns of the CSV file; whoever sees only changes has none of the last four.
const COLUMNS: [&str; 17] = [
    "id",
    "at",
    "user",
    "way",
    "method",
    "route",
    "experiments",
    "runs",
    "models",
    "status",
    "ms",
    "bytes_in",
    "bytes_out",
    "key",
    "address",
    "request_id",
    "shadow",
];
const HIDDEN: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// How far an export is. Its mark, a line that begins with a letter which no text of a row has, can be taken out again.
struct Progress {
    rows: usize,
    /// The ids between which all rows lie.
    oldest: i64,
    newest: i64,
}

/// The file, with marks of its progress between the rows where they are wanted. What it stands on may be read long after: each piece is a
/// read of its own, and rows that are deleted meanwhile are missing.
///
/// # Errors
/// When the database cannot be read.
pub async fn response(audit: Audit, filter: Filter, format: Format, progress: bool) -> sqlx::Result<Response> {
    let head = match format {
        Format::Csv => Some(header_line(!filter.changes_only)),
        Format::Jsonl => None,
    };
    let progress = match progress {
        true => Some(Progress::new(search::span(audit.readers(), &filter).await?)),
        false => None,
    };
    let pieces = stream::try_unfold((Some(Start::Newest), head, progress), move |(start, head, mut progress)| {
        let (audit, filter) = (audit.clone(), filter.clone());
        async move {
            let Some(start) = start else { return Ok(None) };
            let page = search::page(audit.readers(), &filter, start, PIECE).await?;
            let mut text = head.unwrap_or_default();
            for row in &page.rows {
                match format {
                    Format::Csv => csv(row, !filter.changes_only, &mut text),
                    Format::Jsonl => {
                        let shown = row.shown(!filter.changes_only);
                        text.push_str(&serde_json::to_string(&shown).map_err(|error| sqlx::Error::Encode(error.into()))?);
                        text.push('\n');
                    }
                }
            }
            if let Some(progress) = &mut progress {
                progress.rows += page.rows.len();
                progress.mark(page.next, &mut text);
            }
            Ok::<_, sqlx::Error>(Some((Bytes::from(text), (page.next.map(Start::Before), None, progress))))
        }
    });
    let mut response = Body::from_stream(pieces).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, format.content_type());
    headers.insert(header::CONTENT_DISPOSITION, format.disposition());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

fn header_line(whole: bool) -> String {
    let shown = COLUMNS.len() - if whole { 0 } else { HIDDEN };
    COLUMNS[..shown].join(",") + "\r\n"
}

fn csv(row: &Entry, whole: bool, out: &mut String) {
    let time = i128::from(row.at) * 1_000_000;
    let at = time::OffsetDateTime::from_unix_timestamp_nanos(time)
        .ok()
        .and_then(|time| time.format(&time::format_description::well_known::Rfc3339).ok())
        .unwrap_or_default();
    // Writing to a string cannot fail.
    write!(out, "{},{at},", row.id).ok();
    cell(row.user.as_deref().unwrap_or_default(), out);
    for text in [row.way.as_str(), &row.method, &row.route, &row.experiments, &row.runs, &row.models] {
        out.push(',');
        cell(text, out);
    }
    let ms = row.took_us as f64 / 1000.0;
    write!(out, ",{},{ms},{},{}", row.status, row.bytes_in, row.bytes_out).ok();
    if whole {
        for text in [row.key.as_deref(), Some(&row.address), Some(&row.request_id), row.shadow.as_deref()] {
            out.push(',');
            cell(text.unwrap_or_default(), out);
        }
    }
    out.push_str("\r\n");
}

/// One text. What a spreadsheet would take for a formula gets a quote before it (OWASP, CSV Injection).
pub fn cell(text: &str, out: &mut String) {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if !is_formula && !text.contains(['"', ',', '\n', '\r', ';']) {
        return out.push_str(text);
    }
    out.push('"');
    if is_formula {
        out.push('\'');
    }
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

// === impl Progress ===

impl Progress {
    fn new((oldest, newest): (i64, i64)) -> Self {
        Self { rows: 0, oldest, newest }
    }

    /// `next` is the id down to which everything was looked at; there is none at the end.
    fn mark(&self, next: Option<i64>, out: &mut String) {
        let total = (self.newest - self.oldest + 1).max(0);
        let looked_at = next.map_or(total, |next| (self.newest - next + 1).clamp(0, total));
        writeln!(out, "\u{1e}{} {looked_at} {total}", self.rows).ok();
    }
}

// === impl Format ===

impl Format {
    fn disposition(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Csv => "attachment; filename=\"audit.csv\"",
            Self::Jsonl => "attachment; filename=\"audit.jsonl\"",
        })
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/jsonl; charset=utf-8",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{cell, csv, header_line};
    use crate::audit::entry::tests::entry;

    fn celled(text: &str) -> String {
        let mut out = String::new();
        cell(text, &mut out);
        out
    }

    #[test]
    fn no_cell_is_a_formula_and_no_text_leaves_its_cell() {
        for (text, shown) in [
            ("alice", "alice"),
            ("=HYPERLINK(1)", "\"'=HYPERLINK(1)\""),
            ("@SUM(1)", "\"'@SUM(1)\""),
            ("-1", "\"'-1\""),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("1\n2", "\"1\n2\""),
        ] {
            assert_eq!(celled(text), shown);
        }
    }

    #[test]
    fn a_line_has_as_many_cells_as_the_header() {
        for whole in [true, false] {
            let mut line = String::new();
            csv(&entry(), whole, &mut line);
            assert_eq!(line.matches(',').count(), header_line(whole).matches(',').count());
            assert!(line.contains("2023-11-14T22:13:20Z"), "{line}");
            assert_eq!(line.contains("127.0.0.1"), whole);
        }
    }
}
