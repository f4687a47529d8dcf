//! What is said of a call on its way: who calls, by which route, about what.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use axum::http::Method;

use super::entry::{Way, bounded};

/// Longer texts are cut.
const LONGEST: usize = 255;
/// More ids of one kind are left out.
const MOST: usize = 32;
/// Bytes of a body.
const KEPT: usize = 64 * 1024;

/// The note of one call, an extension of its request. Cheap to clone; all clones are one note.
#[derive(Clone, Default)]
pub struct Note(Arc<Shared>);

#[derive(Default)]
struct Shared {
    told: Mutex<Told>,
    bytes_in: AtomicU64,
}

/// Everything that was said.
#[derive(Default)]
pub struct Told {
    pub way: Way,
    pub user: Option<String>,
    pub key: Option<String>,
    pub route: Option<&'static str>,
    pub experiments: Vec<String>,
    pub runs: Vec<String>,
    pub models: Vec<String>,
    pub shadow: Option<String>,
    /// The beginning of the request's body, where somebody wants it.
    body: Option<Vec<u8>>,
    /// Nobody has asked MLflow whether it knows who calls by HTTP Basic, or it has said no.
    vouched: bool,
    changes: Option<bool>,
    always: bool,
}

/// What of MLflow's a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    Experiment,
    Run,
    /// A registered model, by name.
    Model,
}

// === impl Note ===

impl Note {
    /// Who calls: the user's name, and the id of the key.
    pub fn caller(&self, way: Way, user: Option<&str>, key: Option<&str>) {
        let mut told = self.told();
        told.way = way;
        told.user = user.map(|user| bounded(user, LONGEST));
        told.key = key.map(|key| bounded(key, LONGEST));
    }

    /// The credentials of an HTTP Basic caller went to MLflow. Until then, and when MLflow refuses them, the name is anybody's invention
    /// (or a password typed in the wrong place) and is not recorded.
    pub fn vouched(&self) {
        self.told().vouched = true;
    }

    /// The pattern of the address: never with ids in it, never the query.
    pub fn route(&self, pattern: &'static str) {
        self.told().route = Some(pattern);
    }

    /// What the call is about; to be said once for each id.
    pub fn about(&self, kind: Resource, id: &str) {
        let mut told = self.told();
        let ids = match kind {
            Resource::Experiment => &mut told.experiments,
            Resource::Run => &mut told.runs,
            Resource::Model => &mut told.models,
        };
        let id = bounded(id, LONGEST);
        if !id.is_empty() && ids.len() < MOST && !ids.contains(&id) {
            ids.push(id);
        }
    }

    /// The runs that the call is about, as far as it was said.
    pub fn runs(&self) -> Vec<String> {
        self.told().runs.clone()
    }

    /// Why the key's rules would have refused this call, had they not been on trial.
    pub fn would_refuse(&self, reason: String) {
        self.told().shadow = Some(bounded(&reason, LONGEST));
    }

    /// Whether the call changes something, where its method does not tell.
    pub fn changes(&self, changes: bool) {
        self.told().changes = Some(changes);
    }

    /// A row is due, also where nobody is named.
    pub fn always(&self) {
        self.told().always = true;
    }

    /// Whether the call changes something; any method but GET, HEAD and OPTIONS does, unless somebody said otherwise.
    pub fn is_change(&self, method: &Method) -> bool {
        let by_method = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        self.told().changes.unwrap_or(by_method)
    }

    /// Whether the call, answered with `status`, is a row: somebody is named, or should have been.
    pub(super) fn is_row(&self, status: u16) -> bool {
        let told = self.told();
        told.way != Way::None || told.always || matches!(status, 401 | 403 | 429)
    }

    /// Keeps the beginning of the request's body as it passes.
    pub fn keep_body(&self) {
        self.told().body = Some(Vec::new());
    }

    /// What was kept.
    pub fn take_body(&self) -> Vec<u8> {
        self.told().body.take().unwrap_or_default()
    }

    pub(crate) fn received(&self, piece: &[u8]) {
        self.0.bytes_in.fetch_add(piece.len() as u64, Ordering::Relaxed);
        if let Some(body) = &mut self.told().body {
            let room = KEPT - body.len().min(KEPT);
            body.extend_from_slice(&piece[..piece.len().min(room)]);
        }
    }

    pub(super) fn bytes_in(&self) -> u64 {
        self.0.bytes_in.load(Ordering::Relaxed)
    }

    /// Takes what was said, once the answer has `status`.
    pub(crate) fn take(&self, status: u16) -> Told {
        let mut told = std::mem::take(&mut *self.told());
        if told.way == Way::Basic && (status == 401 || !told.vouched) {
            told.user = None;
        }
        told
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use super::{Note, Resource};
    use crate::audit::Way;

    #[test]
    fn the_method_tells_a_change_unless_somebody_knows_better() {
        let note = Note::default();
        assert!(!note.is_change(&Method::GET) && note.is_change(&Method::POST) && note.is_change(&Method::DELETE));
        note.changes(false);
        assert!(!note.is_change(&Method::POST));
    }

    #[test]
    fn a_name_that_mlflow_did_not_accept_is_not_kept() {
        let note = |vouched: bool| {
            let note = Note::default();
            note.caller(Way::Basic, Some("alice"), None);
            if vouched {
                note.vouched();
            }
            note
        };
        assert_eq!(note(true).take(200).user.as_deref(), Some("alice"));
        assert_eq!(note(true).take(401).user, None);
        assert_eq!(note(false).take(200).user, None);
        assert!(note(false).is_row(200));
    }

    #[test]
    fn only_calls_of_somebody_and_refusals_are_rows() {
        let note = Note::default();
        assert!(!note.is_row(200) && !note.is_row(404));
        assert!(note.is_row(401) && note.is_row(403) && note.is_row(429));
        note.always();
        assert!(note.is_row(200));
    }

    #[test]
    fn texts_and_lists_are_bounded() {
        let note = Note::default();
        for number in 0..100 {
            note.about(Resource::Run, &format!("{number}"));
        }
        note.about(Resource::Run, "1");
        note.about(Resource::Model, &"é\n".repeat(300));
        let told = note.take(200);
        assert_eq!(told.runs.len(), 32);
        assert!(told.models[0].len() <= 255 && told.models[0].chars().all(|c| c == 'é'));
    }
}
