//! The run on screen: changed here first, then at MLflow; asked for again while it runs.

use std::future::Future;
use std::time::Duration;

use crate::prelude::*;
use leptos::task::spawn_local;

use crate::{
    api::{
        Client, Result,
        mlflow::run::{self, Run},
    },
    browser,
    part::toast::Toasts,
};

const AGAIN: Duration = Duration::from_secs(5);

#[derive(Clone, Copy)]
pub struct Live {
    pub run: RwSignal<Run>,
    /// Whether what is drawn from now on is news.
    pub awake: StoredValue<bool>,
    pub toasts: Toasts,
    client: StoredValue<Client>,
    /// Counts our own changes: an answer from before one must not undo it on screen.
    changes: StoredValue<u32>,
}

// === impl Live ===

impl Live {
    pub fn new(run: Run) -> Self {
        let live = Self {
            run: RwSignal::new(run),
            awake: StoredValue::new(false),
            toasts: Toasts::expect(),
            client: StoredValue::new(expect_context::<Client>()),
            changes: StoredValue::new(0),
        };
        let running = Memo::new(move |_| live.run.read().is_running());
        Effect::new(move |_| {
            live.awake.set_value(true);
            if !running.get() {
                return;
            }
            let again = move || {
                if browser::visible() {
                    live.refresh();
                }
            };
            if let Ok(handle) = set_interval_with_handle(again, AGAIN) {
                on_cleanup(move || handle.clear());
            }
        });
        live
    }

    pub fn client(&self) -> Client {
        self.client.get_value()
    }

    pub fn id(&self) -> String {
        self.run.with_untracked(|run| run.info.run_id.clone())
    }

    pub fn experiment(&self) -> String {
        self.run.with_untracked(|run| run.info.experiment_id.clone())
    }

    /// Asks MLflow for it again.
    fn refresh(self) {
        let (client, id, changes) = (self.client(), self.id(), self.changes.get_value());
        spawn_local(async move {
            let Ok(run) = run::get(&client, &id).await else { return };
            if self.changes.try_get_value() == Some(changes) && self.run.with_untracked(|shown| *shown != run) {
                self.run.set(run);
            }
        });
    }

    /// Sets a tag, or takes it away.
    pub fn put_tag(self, key: String, value: Option<String>, failed: &'static str) {
        let before = self.run.with_untracked(|run| run.tag(&key).map(str::to_owned));
        self.run.update(|run| run.put_tag(&key, value.clone()));
        let (client, id, changed) = (self.client(), self.id(), key.clone());
        let send = async move {
            match value {
                Some(value) => run::set_tag(&client, &id, &changed, &value).await,
                None => run::delete_tag(&client, &id, &changed).await,
            }
        };
        self.change(failed, send, move |run| run.put_tag(&key, before));
    }

    pub fn rename(self, name: &str) {
        let name = name.trim().to_owned();
        // MLflow takes an empty name and keeps the old one.
        if name.is_empty() {
            return;
        }
        let before = self.run.with_untracked(|run| run.info.run_name.clone());
        self.run.update(|run| run.info.run_name.clone_from(&name));
        let (client, id) = (self.client(), self.id());
        self.change(
            "The run keeps its name",
            async move { run::rename(&client, &id, &name).await },
            |run| run.info.run_name = before,
        );
    }

    pub fn delete(self) {
        self.run.update(|run| run.info.lifecycle_stage = "deleted".into());
        let (client, id) = (self.client(), self.id());
        let says = self.run.with_untracked(|run| format!("Deleted the run {}", run.name()));
        let (toasts, again, back) = (self.toasts, client.clone(), id.clone());
        let send = async move {
            run::delete(&client, &id).await?;
            // The page may be left by the time that it is undone.
            toasts.undo(says, move || {
                self.run.try_update(|run| run.info.lifecycle_stage = "active".into());
                let (client, id) = (again.clone(), back.clone());
                spawn_local(async move {
                    if let Err(error) = run::restore(&client, &id).await {
                        self.run.try_update(|run| run.info.lifecycle_stage = "deleted".into());
                        toasts.failed("The run was not restored", &error);
                    }
                });
            });
            Ok(())
        };
        self.change("The run was not deleted", send, |run| run.info.lifecycle_stage = "active".into());
    }

    pub fn restore(self) {
        self.run.update(|run| run.info.lifecycle_stage = "active".into());
        let (client, id) = (self.client(), self.id());
        self.change("The run was not restored", async move { run::restore(&client, &id).await }, |run| {
            run.info.lifecycle_stage = "deleted".into()
        });
    }

    fn change(self, what: &'static str, send: impl Future<Output = Result<()>> + 'static, back: impl FnOnce(&mut Run) + 'static) {
        self.changes.update_value(|changes| *changes += 1);
        crate::page::change(self.toasts, what, send, move || {
            self.run.try_update(back);
        });
    }
}
