//! The audit: which calls were made, by whom, from where, and what came of them.

use serde::{Deserialize, Serialize};

use crate::{
    api::{Client, Result},
    state::query::Query,
};

/// One call. Who may not see everything about it gets fewer facts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Grows with time.
    pub id: i64,
    /// Ms since 1970.
    pub at: i64,
    #[serde(default)]
    pub user: Option<String>,
    /// `session`, `key`, `basic`, or `none`.
    #[serde(default)]
    pub way: String,
    /// The id of the key.
    #[serde(default)]
    pub key: Option<String>,
    #[serde(default)]
    pub address: Option<String>,
    pub method: String,
    /// As the table of routes has it: `/2.0/mlflow/runs/log-batch`.
    pub route: String,
    #[serde(default)]
    pub experiments: Vec<String>,
    #[serde(default)]
    pub runs: Vec<String>,
    #[serde(default)]
    pub models: Vec<String>,
    pub status: u16,
    /// How long it took, in ms.
    #[serde(default)]
    pub ms: f64,
    #[serde(default)]
    pub bytes_in: u64,
    #[serde(default)]
    pub bytes_out: u64,
    #[serde(default)]
    pub request_id: Option<String>,
    /// Why a key in shadow mode would have been refused.
    #[serde(default)]
    pub shadow: Option<String>,
}

/// Rows, the newest first; asked for with `after` the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    pub rows: Vec<Row>,
    /// To go on with, as `cursor`.
    #[serde(default)]
    pub next: Option<String>,
    /// Where a search that found too little in its time stopped, ms since 1970; `next` goes on from there.
    #[serde(default)]
    pub searched_to: Option<i64>,
}

/// What can be asked for; beside these: `from`, `to` (ms since 1970), `limit`, `cursor`, `after`.
pub const FILTERS: [&str; 11] = [
    "q",
    "user",
    "key",
    "route",
    "method",
    "status",
    "way",
    "experiment",
    "run",
    "model",
    "shadow",
];

/// # Errors
/// 403 for what one may not see, 400 for a filter that is none.
pub async fn list(client: &Client, query: &Query) -> Result<Found> {
    client.get(&format!("/api/flowdeck/v1/audit{}", query.href())).await
}

/// The visitor's own calls.
///
/// # Errors
/// 400 for a filter that is none.
pub async fn own(client: &Client, query: &Query) -> Result<Found> {
    client.get(&format!("/api/flowdeck/v1/audit/own{}", query.href())).await
}

/// The path of the rows as a file; `format` is `csv` or `jsonl`.
pub fn export(query: &Query, format: &str) -> String {
    let query = query.clone().with("format", format);
    format!("/api/flowdeck/v1/audit/export{}", query.href())
}

/// The path of the same file with marks of its progress, which [`Sieve`] takes out again.
pub fn export_marked(query: &Query, format: &str) -> String {
    export(&query.clone().with("progress", "yes"), format)
}

/// How far an export is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// That were found.
    pub rows: usize,
    /// Calls that were looked at, and how many there are to look at.
    pub looked_at: usize,
    pub total: usize,
}

/// Takes the marks out of an export, and tells what the last one said.
#[derive(Default)]
pub struct Sieve {
    pub progress: Progress,
    /// A mark whose end has not come yet.
    mark: Option<Vec<u8>>,
}

// === impl Sieve ===

impl Sieve {
    /// No text of a row has this letter.
    const MARK: u8 = 0x1e;

    /// The next bytes of the answer, of which the file's own stay.
    pub fn sift(&mut self, bytes: &mut Vec<u8>) {
        bytes.retain(|&byte| match &mut self.mark {
            None if byte != Self::MARK => true,
            None => {
                self.mark = Some(Vec::new());
                false
            }
            Some(mark) if byte != b'\n' => {
                mark.push(byte);
                false
            }
            Some(mark) => {
                self.progress = Progress::parse(mark).unwrap_or(self.progress);
                self.mark = None;
                false
            }
        });
    }
}

// === impl Progress ===

impl Progress {
    fn parse(mark: &[u8]) -> Option<Self> {
        let mut numbers = std::str::from_utf8(mark).ok()?.split(' ').map_while(|word| word.parse().ok());
        Some(Self {
            rows: numbers.next()?,
            looked_at: numbers.next()?,
            total: numbers.next()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Progress, Sieve};

    #[test]
    fn marks_are_taken_out_wherever_the_answer_is_cut() {
        let answer = "id,at\r\n9,x\r\n\u{1e}1 20 300\n8,y\r\n\u{1e}2 300 300\n".as_bytes();
        for cut in 0..=answer.len() {
            let (mut sieve, mut file) = (Sieve::default(), Vec::new());
            for part in [&answer[..cut], &answer[cut..]] {
                let mut part = part.to_vec();
                sieve.sift(&mut part);
                file.extend(part);
            }
            assert_eq!(file, b"id,at\r\n9,x\r\n8,y\r\n", "cut at {cut}");
            assert_eq!(
                sieve.progress,
                Progress {
                    rows: 2,
                    looked_at: 300,
                    total: 300
                }
            );
        }
    }
}
