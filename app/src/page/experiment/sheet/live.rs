//! Hears what becomes of the runs while one looks at them; Flowdeck asks MLflow once for all who listen.

use crate::prelude::*;
use serde::Deserialize;

use super::{
    Sheet,
    bring::{Ask, Phase, TOGETHER},
};
use crate::{
    Site,
    api::{json, mlflow::run::Stage},
    browser,
    page::experiment::view::Tab,
    route::escape,
    table::{store::Store, walk::Walk},
};

/// What a `runs` event says.
#[derive(Deserialize)]
struct Told {
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    what: What,
    run: serde_json::Value,
    /// Only its `info` is there.
    #[serde(default)]
    partial: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Deleted,
    Restored,
    #[serde(other)]
    Other,
}

const EVENTS: [&str; 6] = ["hello", "runs", "reset", "away", "back", "end"];

// === impl Sheet ===

impl Sheet {
    /// Listens while all runs are here and the page is in sight.
    pub(super) fn listen(self) {
        let visible = RwSignal::new(browser::visible());
        let handle = window_event_listener_untyped("visibilitychange", move |_| visible.set(browser::visible()));
        on_cleanup(move || handle.remove());
        let wanted = Memo::new(move |_| {
            visible.get()
                && self.phase.get() == Phase::Here
                && self.place.view.read().tab == Tab::Runs
                && !self.refused.get()
                && self.is_alone()
        });
        let base = Site::expect().base;
        let again = StoredValue::new(false);
        Effect::new(move |_| {
            self.listener.set_value(None);
            self.is_live.set_value(false);
            if wanted.get() {
                let experiment = self.runs.experiment.get_value();
                let path = format!("{base}/api/flowdeck/v1/experiments/{}/live", escape(&experiment));
                self.listener
                    .set_value(browser::listen(&path, &EVENTS, move |name, data| self.heard(name, data, again)));
            }
        });
    }

    /// `again`: it has been listened before.
    fn heard(self, name: &str, data: &str, again: StoredValue<bool>) {
        // The page may be gone.
        if self.turn.try_get_value().is_none() {
            return;
        }
        match name {
            "hello" => {
                self.is_live.set_value(true);
                // What has changed since the runs came, or while nobody listened: what one sees at once, then all.
                self.walk_once_more();
                self.ask(&[Ask::Newest, Ask::Running]);
                let seen = if again.get_value() { self.in_sight() } else { Vec::new() };
                if !seen.is_empty() {
                    self.ask(&[Ask::These(seen)]);
                }
                again.set_value(true);
            }
            "runs" => self.take(data),
            "reset" => {
                self.walk_once_more();
                self.ask(&[Ask::Newest, Ask::Running, Ask::Again]);
            }
            "away" => self.runs.stale.set(Some(browser::now())),
            "back" => self.runs.stale.set(None),
            "end" => {
                self.is_live.set_value(false);
                // The browser would try again and again.
                self.refused.set(!data.contains("\"stopping\""));
            }
            _ => self.is_live.set_value(false),
        }
    }

    /// Has all runs looked at from now on. A walk that is under way has seen some of them before.
    fn walk_once_more(self) {
        let is_done = self.walk.with_value(Walk::is_done);
        self.walks.set_value(if is_done { 1 } else { 2 });
    }

    /// The runs that one sees.
    fn in_sight(self) -> Vec<String> {
        let (lines, seen) = (self.lines.get_untracked(), self.down.get_untracked());
        let seen = seen.filter_map(|at| lines.lines.get(at)?.row()).take(TOGETHER);
        self.store
            .with_value(|store| seen.map(|row| store.run_id(row).to_owned()).collect())
    }

    fn take(self, data: &str) {
        let Ok(told) = json::from_str::<Told>(data) else { return };
        let stage = self.stage.get_value().unwrap_or(Stage::ActiveOnly);
        let moves = self
            .store
            .try_update_value(|store| apply(store, &told.changes, stage))
            .unwrap_or_default();
        let unknown: Vec<String> = told.changes.iter().filter(|change| change.partial).filter_map(Change::id).collect();
        if !unknown.is_empty() {
            self.ask(&[Ask::These(unknown)]);
        }
        self.runs.stale.set(None);
        self.changed(moves);
    }
}

// === impl Change ===

impl Change {
    fn id(&self) -> Option<String> {
        self.run.get("info")?.get("run_id")?.as_str().map(str::to_owned)
    }
}

/// Whether runs went away, so that lines of theirs cannot stay.
fn apply(store: &mut Store, changes: &[Change], stage: Stage) -> bool {
    let mut gone = false;
    for change in changes {
        let leaves = match change.what {
            What::Deleted => stage == Stage::ActiveOnly,
            What::Restored => stage == Stage::DeletedOnly,
            What::Other => false,
        };
        if leaves {
            gone |= change.id().is_some_and(|id| store.remove(&id));
        } else if !change.partial {
            let page = serde_json::json!({ "runs": [change.run] });
            // What cannot be read is asked for with the next page.
            store.load(page.to_string().as_bytes()).ok();
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_come_change_and_go() {
        let mut store = Store::default();
        let told = |what: &str, name: &str| {
            let text = format!(r#"{{"changes":[{{"what":"{what}","run":{{"info":{{"run_id":"a","run_name":"{name}"}},"data":{{}}}}}}]}}"#);
            serde_json::from_str::<Told>(&text).unwrap().changes
        };
        assert!(!apply(&mut store, &told("created", "x"), Stage::ActiveOnly));
        assert_eq!(store.len(), 1);
        apply(&mut store, &told("renamed", "y"), Stage::ActiveOnly);
        let name = crate::table::column::Attribute::Name.name();
        assert_eq!(store.cell(0, &name), crate::table::column::Cell::Text("y"));
        assert!(!apply(&mut store, &told("deleted", "y"), Stage::DeletedOnly));
        assert!(apply(&mut store, &told("deleted", "y"), Stage::ActiveOnly));
        assert_eq!(store.len(), 0);
        apply(&mut store, &told("restored", "y"), Stage::ActiveOnly);
        assert_eq!(store.len(), 1);
    }
}
