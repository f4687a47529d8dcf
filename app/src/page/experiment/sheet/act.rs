//! What is done with the selected runs: a few at a time, with progress, a way to stop, what failed, and a way back.

use std::{cell::Cell, collections::VecDeque, rc::Rc};

use crate::prelude::*;
use leptos::task::spawn_local;

use super::{
    Sheet,
    bring::{Ask, TOGETHER},
};
use crate::{
    api::{ApiError, Client, Result, mlflow::run},
    part::toast::Toasts,
    table::{
        column::{self, Attribute, Family, Name},
        store::Store,
    },
};

/// A change of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `None` takes the tag away.
    Tag(String, Option<String>),
    Name(String),
    Delete,
    Restore,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub run: String,
    pub name: String,
    pub change: Change,
}

/// Many changes on their way.
#[derive(Clone, Debug, Default)]
pub struct Work {
    /// "Deleted", "Tagged".
    pub done_word: &'static str,
    pub total: usize,
    pub done: usize,
    pub failed: Vec<(Task, ApiError)>,
    /// Takes back what was done.
    pub back: Vec<Task>,
    pub is_over: bool,
}

/// Changes that are on their way at the same time.
const WIDTH: usize = 4;

// === impl Work ===

impl Work {
    /// `Deleted 3 of 5 runs`
    pub fn says(&self) -> String {
        let many = if self.total == 1 { "run" } else { "runs" };
        match self.done == self.total {
            true => format!("{} {} {many}", self.done_word, self.total),
            false => format!("{} {} of {} {many}", self.done_word, self.done, self.total),
        }
    }
}

// === impl Sheet ===

impl Sheet {
    /// The selected runs, with what `change` makes of each: its number from 1, id and name.
    pub fn tasks(self, change: impl Fn(usize, &str, &str) -> Change) -> Vec<Task> {
        self.store.with_value(|store| {
            let rows = self.chosen_rows(store);
            let task = |(index, row): (usize, &u32)| {
                let (run, name) = (store.run_id(*row), name(store, *row));
                Task {
                    run: run.to_owned(),
                    name: name.to_owned(),
                    change: change(index + 1, run, name),
                }
            };
            rows.iter().enumerate().map(task).collect()
        })
    }

    /// The selected runs as they are sorted, then those that the query does not mean.
    pub(super) fn chosen_rows(self, store: &Store) -> Vec<u32> {
        let lines = self.lines.read_untracked();
        let mut others = self.selection.read_untracked().rows(store);
        let (mut rows, selected) = (Vec::new(), others.clone());
        for row in lines.rows.iter().filter(|row| selected.contains(**row)) {
            others.remove(*row);
            rows.push(*row);
        }
        rows.extend(others.iter());
        rows
    }

    /// Does all of `tasks`, unless something is being done already.
    pub fn start(self, done_word: &'static str, tasks: Vec<Task>) {
        let busy = self.work.with_untracked(|work| work.as_ref().is_some_and(|work| !work.is_over));
        if tasks.is_empty() || busy {
            return;
        }
        self.work.set(Some(Work {
            done_word,
            total: tasks.len(),
            ..Work::default()
        }));
        // Not a signal: those go away with the form that asked for this.
        let workers = Rc::new(Cell::new(WIDTH.min(tasks.len())));
        self.queue.set_value(VecDeque::from(tasks));
        for _ in 0..workers.get() {
            let (client, workers) = (self.runs.client.get_value(), Rc::clone(&workers));
            spawn_local(async move {
                while let Some(Some(task)) = self.queue.try_update_value(VecDeque::pop_front) {
                    let back = self.store.try_with_value(|store| opposite(store, &task));
                    let done = send(&client, &task).await;
                    let Some(back) = back else { return };
                    self.took(task, back, done);
                }
                workers.set(workers.get() - 1);
                if workers.get() == 0 {
                    self.finish();
                }
            });
        }
    }

    /// What is on its way ends, the rest is not begun.
    pub fn stop_work(self) {
        self.queue.update_value(VecDeque::clear);
    }

    fn took(self, task: Task, back: Change, done: Result<()>) {
        let is_done = done.is_ok();
        self.work.try_update(|work| {
            let Some(work) = work else { return };
            match done {
                Ok(()) => {
                    work.done += 1;
                    work.back.push(Task {
                        change: back,
                        ..task.clone()
                    });
                }
                Err(error) => work.failed.push((task.clone(), error)),
            }
        });
        if is_done {
            let moves = matches!(task.change, Change::Delete | Change::Restore);
            self.store.try_update_value(|store| apply(store, &task));
            if self.drawn.try_get_untracked().is_some() {
                self.changed(moves);
            }
        }
    }

    fn finish(self) {
        let Some(Some(work)) = self.work.try_update(|work| {
            if let Some(work) = work {
                work.is_over = true;
            }
            work.clone()
        }) else {
            return;
        };
        // Which list they belong to now; and what was heard of them meanwhile may have been from before.
        let ids: Vec<String> = work.back.iter().map(|task| task.run.clone()).collect();
        for ids in ids.chunks(TOGETHER) {
            self.ask(&[Ask::These(ids.to_vec())]);
        }
        if work.failed.is_empty() {
            self.work.set(None);
        }
        if work.done > 0 {
            let (client, toasts, back) = (self.runs.client.get_value(), self.toasts, work.back.clone());
            toasts.undo(work.says(), move || match self.turn.try_get_value() {
                Some(_) => self.start("Took back", back.clone()),
                None => unseen(client.clone(), toasts, back.clone()),
            });
        }
    }

    /// Tries again what failed.
    pub fn retry_failed(self) {
        let Some(work) = self.work.get_untracked() else { return };
        self.work.set(None);
        self.start(work.done_word, work.failed.into_iter().map(|(task, _)| task).collect());
    }
}

/// Does all of `tasks` after the page was left.
fn unseen(client: Client, toasts: Toasts, tasks: Vec<Task>) {
    spawn_local(async move {
        for task in tasks {
            if let Err(error) = send(&client, &task).await {
                toasts.failed(&format!("{} is as it was", task.name), &error);
            }
        }
    });
}

async fn send(client: &Client, task: &Task) -> Result<()> {
    match &task.change {
        Change::Tag(key, Some(value)) => run::set_tag(client, &task.run, key, value).await,
        Change::Tag(key, None) => run::delete_tag(client, &task.run, key).await,
        Change::Name(name) => run::rename(client, &task.run, name).await,
        Change::Delete => run::delete(client, &task.run).await,
        Change::Restore => run::restore(client, &task.run).await,
    }
}

/// What takes the change back.
fn opposite(store: &Store, task: &Task) -> Change {
    match &task.change {
        Change::Tag(key, _) => {
            let before = store.row(&task.run).map(|row| store.cell(row, &Name::new(Family::Tag, key)));
            Change::Tag(
                key.clone(),
                match before {
                    Some(column::Cell::Text(value)) => Some(value.to_owned()),
                    _ => None,
                },
            )
        }
        Change::Name(_) => Change::Name(task.name.clone()),
        Change::Delete => Change::Restore,
        Change::Restore => Change::Delete,
    }
}

/// Shows the change before MLflow is asked again.
fn apply(store: &mut Store, task: &Task) {
    let Some(row) = store.row(&task.run) else { return };
    match &task.change {
        Change::Tag(key, value) => {
            let cell = value.as_deref().map_or(column::Cell::Missing, column::Cell::Text);
            store.set(row, &Name::new(Family::Tag, key), cell);
        }
        Change::Name(name) => {
            store.set(row, &Attribute::Name.name(), column::Cell::Text(name));
        }
        // It goes to the other list.
        Change::Delete | Change::Restore => {
            store.remove(&task.run);
        }
    }
}

/// What people call the run.
fn name(store: &Store, row: u32) -> &str {
    match store.cell(row, &Attribute::Name.name()) {
        column::Cell::Text(name) if !name.is_empty() => name,
        _ => store.run_id(row),
    }
}

/// The name that `pattern` makes: `{name}` is the one of before, `{n}` the run's number among those renamed.
pub fn renamed(pattern: &str, number: usize, name: &str) -> String {
    pattern.replace("{n}", &number.to_string()).replace("{name}", name)
}

#[cfg(test)]
mod tests {
    use super::renamed;

    #[test]
    fn patterns_make_names() {
        assert_eq!(renamed("sweep-{n} of {name}", 7, "a {n}"), "sweep-7 of a {n}");
    }
}
