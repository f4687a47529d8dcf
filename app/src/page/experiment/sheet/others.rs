//! Runs of several experiments in one table.

use std::collections::BTreeMap;

use crate::prelude::*;
use leptos::task::spawn_local;

use super::{Sheet, bring::Phase};
use crate::{
    api::{ApiError, mlflow::experiment},
    page::experiment::view::{EVERY, EXPERIMENTS, View},
    part::{
        dynamic::dynamic,
        icon::{self, Icon},
        toast::Toasts,
    },
};

/// So many are offered.
const OFFERED: usize = 8;

// === impl Sheet ===

impl Sheet {
    /// Keeps the names of the experiments whose runs are here, and finds all where all are wanted.
    pub(super) fn follow_others(self) {
        let first = self.runs.experiment.get_value();
        let others = Memo::new(move |_| {
            let view = self.place.view.read();
            (view.is_every(&first), view.others.clone())
        });
        Effect::new(move |_| {
            let (every, others) = others.get();
            self.looked_for.track();
            if others.is_empty() && !every {
                return self.among.set(Some(Vec::new()));
            }
            if every {
                self.among.set(None);
            } else {
                self.among.set(Some(others.clone()));
            }
            let client = self.runs.client.get_value();
            spawn_local(async move {
                let mut names = BTreeMap::new();
                if every {
                    match experiment::named(&client, "", EXPERIMENTS).await {
                        Ok(all) => names.extend(all),
                        Err(error) => return self.not_found(error),
                    }
                } else {
                    let first = self.runs.experiment.try_get_value();
                    for id in others.into_iter().chain(first) {
                        if let Ok(found) = experiment::get(&client, &id).await {
                            names.insert(id, found.name);
                        }
                    }
                }
                if self.among.is_disposed() {
                    return;
                }
                if every {
                    self.among.set(Some(names.keys().cloned().collect()));
                }
                self.names.set(names);
            });
        });
    }

    /// All experiments whose runs are wanted; `None`: it is not known yet.
    pub(super) fn experiments(self) -> Option<Vec<String>> {
        let first = self.runs.experiment.get_value();
        let among = self.among.get()?;
        let others = among.into_iter().filter(|id| *id != first);
        let all = std::iter::once(first.clone()).chain(others);
        Some(all.filter(|id| id != EVERY).collect())
    }

    /// Which experiments there are is not known.
    fn not_found(self, error: ApiError) {
        if self.among.is_disposed() {
            return;
        }
        self.health.report(&error);
        self.phase.set(Phase::Failed(error.clone()));
        self.runs.error.set(Some(error));
    }

    /// Looks for them once more, where they are not known. Whether that is so.
    pub(super) fn look_for_others(self) -> bool {
        let missing = self.among.read_untracked().is_none();
        if missing {
            self.looked_for.update(|times| *times += 1);
        }
        missing
    }

    pub(super) fn is_alone(self) -> bool {
        let view = self.place.view.read();
        self.runs.experiment.with_value(|first| view.is_alone(first))
    }

    /// Whether there are more experiments than are asked for.
    pub(super) fn is_cut(self) -> bool {
        !self.is_alone() && self.names.read().len() >= EXPERIMENTS
    }
}

/// Chooses them.
pub fn others(sheet: Sheet) -> AnyView {
    if sheet.runs.experiment.with_value(|first| first == EVERY) {
        return ().into_any();
    }
    let place = sheet.place;
    let toasts = Toasts::expect();
    let found = RwSignal::new(Vec::<(String, String)>::new());
    let asked = StoredValue::new(0_u32);
    let find = move |text: String| {
        let turn = asked.try_update_value(|asked| {
            *asked += 1;
            *asked
        });
        let client = sheet.runs.client.get_value();
        spawn_local(async move {
            let answer = experiment::named(&client, text.trim(), OFFERED).await;
            if asked.try_get_value() != turn {
                return;
            }
            match answer {
                Ok(experiments) => found.set(experiments),
                Err(error) => toasts.failed("Experiments could not be looked for", &error),
            }
        });
    };
    let offers = move || {
        let now = place.view.get();
        let first = sheet.runs.experiment.get_value();
        let fitting = found.get().into_iter().filter(|(id, _)| *id != first && !now.others.contains(id));
        let item = |(id, name): (String, String)| {
            let mut others = now.others.clone();
            others.retain(|other| other != EVERY);
            others.push(id);
            let href = place.href(&View { others, ..now.clone() }.first());
            view! { <a class="item" href=href data-noscroll=""><Icon icon=icon::Plus/><bdi class="clip">{name}</bdi></a> }
        };
        fitting.map(item).collect::<Vec<_>>()
    };
    let chosen = move || {
        let now = place.view.get();
        let names = sheet.names.get();
        let item = |id: &String| {
            let name = match id.as_str() {
                EVERY => "all experiments".to_owned(),
                id => names.get(id).cloned().unwrap_or_else(|| id.to_owned()),
            };
            let others = now.others.iter().filter(|other| *other != id).cloned().collect();
            let href = place.href(&View { others, ..now.clone() }.first());
            let label = format!("Without the runs of {name}");
            view! { <a class="item" href=href aria-label=label data-noscroll=""><Icon icon=icon::Close/><bdi class="clip">{name}</bdi></a> }
        };
        now.others.iter().map(item).collect::<Vec<_>>()
    };
    let every = place.link(|view| {
        View {
            others: vec![EVERY.into()],
            ..view
        }
        .first()
    });
    view! {
        <hr/>
        <div class="head">"With the runs of"</div>
        {dynamic(chosen)}
        <div class="field"><input class="input" type="search" aria-label="Add the runs of another experiment" placeholder="Another experiment" autocomplete="off" on:input=move |event| find(event_target_value(&event)) on:focus=move |event| find(event_target_value(&event))/></div>
        {dynamic(offers)}
        <a class="item" href=every data-noscroll=""><Icon icon=icon::Search/>"All experiments"</a>
    }
    .into_any()
}
