//! Changes to experiments: on screen at once, taken back visibly where MLflow refuses.

use std::sync::Arc;

use crate::prelude::*;
use leptos::task::spawn_local;

use super::listing::{Row, Rows};
use crate::{
    api::{
        self, Client,
        mlflow::experiment::{self, Experiment},
    },
    part::{face::quoted, toast::Toasts},
};

/// What the page's handlers call. It may outlive the page: an undo works after one has left.
#[derive(Clone)]
pub struct Changes {
    pub client: Client,
    pub rows: RwSignal<Rows>,
    pub toasts: Toasts,
}

// === impl Changes ===

impl Changes {
    /// Moves an experiment into the bin, or back with `restore`.
    pub fn remove(&self, row: &Arc<Row>, restore: bool) {
        let (changes, row) = (self.clone(), Arc::clone(row));
        changes.take(row.id());
        spawn_local(async move {
            match changes.move_(&row, restore).await {
                Ok(()) => {
                    let word = if restore { "Restored" } else { "Deleted" };
                    let undo = (changes.clone(), Arc::clone(&row));
                    changes.toasts.undo(format!("{word} {}", quoted(&row.experiment.name)), move || {
                        undo.0.put_back(&undo.1, !restore)
                    });
                }
                Err(error) => {
                    changes.put(&row);
                    let word = if restore { "restored" } else { "deleted" };
                    changes
                        .toasts
                        .failed(&format!("{} was not {word}", quoted(&row.experiment.name)), &error);
                }
            }
        });
    }

    fn put_back(&self, row: &Arc<Row>, restore: bool) {
        let (changes, row) = (self.clone(), Arc::clone(row));
        spawn_local(async move {
            match changes.move_(&row, restore).await {
                Ok(()) => changes.put(&row),
                Err(error) => changes.toasts.failed("That could not be undone", &error),
            }
        });
    }

    async fn move_(&self, row: &Row, restore: bool) -> api::Result<()> {
        match restore {
            true => experiment::restore(&self.client, row.id()).await,
            false => experiment::delete(&self.client, row.id()).await,
        }
    }

    /// Gives an experiment another name. The answer goes to who asked, so that the dialog can show it.
    pub async fn rename(&self, id: &str, name: &str) -> api::Result<()> {
        experiment::rename(&self.client, id, name).await?;
        self.change(id, |experiment| name.clone_into(&mut experiment.name));
        Ok(())
    }

    /// Sets a tag, or takes it away.
    pub fn tag(&self, id: &str, key: String, value: Option<String>) {
        let before = self.rows.with_untracked(|rows| {
            rows.iter()
                .find(|row| row.id() == id)
                .and_then(|row| row.experiment.tag(&key).map(str::to_owned))
        });
        if before == value {
            return;
        }
        self.change(id, |experiment| experiment.put_tag(&key, value.clone()));
        let (changes, id) = (self.clone(), id.to_owned());
        spawn_local(async move {
            let answer = match &value {
                Some(value) => experiment::set_tag(&changes.client, &id, &key, value).await,
                None => experiment::delete_tag(&changes.client, &id, &key).await,
            };
            if let Err(error) = answer {
                changes.change(&id, |experiment| experiment.put_tag(&key, before));
                let what = if key == experiment::NOTE {
                    "The note was not saved".to_owned()
                } else {
                    format!("The tag {} was not changed", quoted(&key))
                };
                changes.toasts.failed(&what, &error);
            }
        });
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Experiment)) {
        self.rows.try_update(|rows| {
            if let Some(row) = rows.iter_mut().find(|row| row.id() == id) {
                let mut experiment = row.experiment.clone();
                change(&mut experiment);
                *row = Row::new(experiment);
            }
        });
    }

    fn take(&self, id: &str) {
        self.rows.try_update(|rows| rows.retain(|row| row.id() != id));
    }

    /// Shows the row, unless it is shown: the order on screen is made later.
    pub fn put(&self, row: &Arc<Row>) {
        self.rows.try_update(|rows| {
            if rows.iter().all(|other| other.id() != row.id()) {
                rows.push(Arc::clone(row));
            }
        });
    }
}
