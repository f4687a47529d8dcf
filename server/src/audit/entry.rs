//! One row: its columns, the bytes that its hash is over, and the words by which it is found.

use serde::Serialize;
use utoipa::ToSchema;

/// One call. Lists are lines of one text.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Entry {
    /// 0 until it is written.
    pub id: i64,
    /// When the call came, in ms since 1970.
    pub at: i64,
    pub user: Option<String>,
    pub way: Way,
    pub key: Option<String>,
    pub address: String,
    pub method: String,
    pub route: String,
    pub experiments: String,
    pub runs: String,
    pub models: String,
    pub status: u16,
    /// Until the answer began, in µs.
    pub took_us: i64,
    /// Of the bodies, without heads, before compression.
    pub bytes_in: i64,
    pub bytes_out: i64,
    pub request_id: String,
    pub shadow: Option<String>,
    pub changes: bool,
}

/// A row as the REST API shows it. The last four are left out for those who see only what was changed.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditRow)]
pub struct Shown<'a> {
    id: i64,
    /// When the call came.
    at: i64,
    user: Option<&'a str>,
    way: Way,
    method: &'a str,
    /// The pattern of the address.
    route: &'a str,
    /// Ids that the call names.
    experiments: Vec<&'a str>,
    runs: Vec<&'a str>,
    /// Names of registered models.
    models: Vec<&'a str>,
    /// 499 where the caller went away before the answer.
    status: u16,
    /// Until the answer began.
    ms: f64,
    bytes_in: i64,
    bytes_out: i64,
    /// The id of the API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    key: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    /// Why the key would have been refused, were it not in shadow mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    shadow: Option<Option<&'a str>>,
}

/// How the caller showed who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "lowercase")]
#[sqlx(rename_all = "lowercase")]
pub enum Way {
    Session,
    Key,
    Basic,
    /// Not at all.
    #[default]
    None,
}

/// What a row can be found by without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Run,
    Model,
    Experiment,
    Key,
    User,
    Route,
    /// Twice a row: `404` and `4xx`.
    Status,
    Method,
    Way,
    /// `yes`: a key in shadow mode would have been refused.
    Shadow,
}

/// `text` without control characters, cut to so many bytes.
pub fn bounded(text: &str, most: usize) -> String {
    let text = &text[..text.floor_char_boundary(most.min(text.len()))];
    if text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return text.to_owned();
    }
    text.chars().filter(|letter| !letter.is_control()).collect()
}

// === impl Entry ===

impl Entry {
    /// What the hash is over: each column in order; texts with their length before them, so that no two rows share their bytes.
    pub fn encode(&self, id: i64, out: &mut Vec<u8>) {
        out.clear();
        let number = |out: &mut Vec<u8>, number: i64| out.extend_from_slice(&number.to_le_bytes());
        let text = |out: &mut Vec<u8>, text: Option<&str>| {
            // No text is that long: it stands for NULL.
            let length = text.map_or(u32::MAX, |text| text.len() as u32);
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(text.unwrap_or_default().as_bytes());
        };
        number(out, id);
        number(out, self.at);
        text(out, self.user.as_deref());
        text(out, Some(self.way.as_str()));
        text(out, self.key.as_deref());
        for column in [
            &self.address,
            &self.method,
            &self.route,
            &self.experiments,
            &self.runs,
            &self.models,
        ] {
            text(out, Some(column));
        }
        for column in [i64::from(self.status), self.took_us, self.bytes_in, self.bytes_out] {
            number(out, column);
        }
        text(out, Some(&self.request_id));
        text(out, self.shadow.as_deref());
        number(out, i64::from(self.changes));
    }

    /// Calls `each` with every word by which this row is found.
    pub fn marks(&self, mut each: impl FnMut(Kind, &str)) {
        for (kind, lines) in [
            (Kind::Run, &self.runs),
            (Kind::Model, &self.models),
            (Kind::Experiment, &self.experiments),
        ] {
            lines.lines().for_each(|id| each(kind, id));
        }
        for (kind, word) in [(Kind::Key, &self.key), (Kind::User, &self.user)] {
            if let Some(word) = word {
                each(kind, word);
            }
        }
        each(Kind::Route, &self.route);
        each(Kind::Status, &self.status.to_string());
        each(Kind::Status, class(self.status));
        each(Kind::Method, &self.method);
        each(Kind::Way, self.way.as_str());
        if self.shadow.is_some() {
            each(Kind::Shadow, "yes");
        }
    }

    /// For the REST API. `whole` is false for those who may see that something was changed, and not from where.
    pub fn shown(&self, whole: bool) -> Shown<'_> {
        Shown {
            id: self.id,
            at: self.at,
            user: self.user.as_deref(),
            way: self.way,
            method: &self.method,
            route: &self.route,
            experiments: self.experiments.lines().collect(),
            runs: self.runs.lines().collect(),
            models: self.models.lines().collect(),
            status: self.status,
            ms: self.took_us as f64 / 1000.0,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            key: whole.then_some(self.key.as_deref()),
            address: whole.then_some(&self.address),
            request_id: whole.then_some(&self.request_id),
            shadow: whole.then_some(self.shadow.as_deref()),
        }
    }
}

// === impl Way ===

impl Way {
    pub const ALL: [Self; 4] = [Self::Session, Self::Key, Self::Basic, Self::None];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Key => "key",
            Self::Basic => "basic",
            Self::None => "none",
        }
    }
}

// === impl Kind ===

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::Run,
        Self::Model,
        Self::Experiment,
        Self::Key,
        Self::User,
        Self::Route,
        Self::Status,
        Self::Method,
        Self::Way,
        Self::Shadow,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Model => "model",
            Self::Experiment => "experiment",
            Self::Key => "key",
            Self::User => "user",
            Self::Route => "route",
            Self::Status => "status",
            Self::Method => "method",
            Self::Way => "way",
            Self::Shadow => "shadow",
        }
    }
}

/// `404` → `4xx`
pub fn class(status: u16) -> &'static str {
    ["0xx", "1xx", "2xx", "3xx", "4xx"].get(usize::from(status / 100)).unwrap_or(&"5xx")
}

#[cfg(test)]
pub mod tests {
    use super::{Entry, Way, bounded};

    /// A row like many.
    pub fn entry() -> Entry {
        Entry {
            id: 0,
            at: 1_700_000_000_000,
            user: Some("alice".into()),
            way: Way::Session,
            key: None,
            address: "127.0.0.1".into(),
            method: "POST".into(),
            route: "/2.0/mlflow/runs/log-batch".into(),
            experiments: "7".into(),
            runs: "0123456789abcdef0123456789abcdef".into(),
            models: String::new(),
            status: 200,
            took_us: 1500,
            bytes_in: 100,
            bytes_out: 2,
            request_id: "9a1b2c3d-0000-4000-8000-000000000000".into(),
            shadow: None,
            changes: true,
        }
    }

    #[test]
    fn neighbouring_columns_do_not_run_into_each_other() {
        let bytes = |entry: &Entry| {
            let mut out = Vec::new();
            entry.encode(1, &mut out);
            out
        };
        let (mut one, mut other) = (entry(), entry());
        (one.experiments, one.runs) = ("12".into(), "3".into());
        (other.experiments, other.runs) = ("1".into(), "23".into());
        assert_ne!(bytes(&one), bytes(&other));
        let (mut null, mut empty) = (entry(), entry());
        (null.user, empty.user) = (None, Some(String::new()));
        assert_ne!(bytes(&null), bytes(&empty));
    }

    #[test]
    fn texts_are_cut_between_letters() {
        assert_eq!(bounded("aé", 2), "a");
        assert_eq!(bounded("a\u{0}\r\nb\u{1b}[0m", 99), "ab[0m");
    }
}
