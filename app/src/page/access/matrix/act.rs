//! What the bar below the matrix says, and another level for the cells that are chosen.

use std::collections::BTreeSet;

use crate::prelude::*;
use leptos::{ev, task::spawn_local};

use super::{grid::Grid, tiles::At};
use crate::{
    api::{
        self,
        flowdeck::{
            change::Edit,
            grant::{Level, Subject},
        },
    },
    page::{
        access::{href_of, href_why},
        review::{Asked, words},
    },
    part::{button::Button, dynamic::dynamic, icon, number::count},
};

// === impl Grid ===

impl Grid {
    /// What the keyboard is at, and what is done to what is chosen.
    pub(super) fn bar(self) -> AnyView {
        let level = RwSignal::new(Some(Level::Read));
        let here = move || {
            self.news.track();
            let at = self.at.get();
            self.tiles.with_value(|tiles| {
                let (row, column) = (tiles.row(at.0)?, tiles.column(at.1)?);
                let (has, granted) = tiles.cell(at)?;
                let names = vec![(column.on.clone(), column.name.clone())];
                let why = match &row.subject {
                    Subject::User(user) => {
                        let href = href_why(Some(user), &column.on);
                        Some(view! { <a href=href>"Why"</a> })
                    }
                    Subject::Role(_) => None,
                };
                let granted = granted.map(|level| format!(" ({} granted on it)", level.name()));
                let thing = words::thing(&column.on, &names);
                let view = view! {
                    <span>{words::subject(&row.subject)}" · "<a href=href_of(&column.on)>{thing}</a>": "{words::level(has)}{granted}</span>
                    {why}
                };
                Some(view.into_any())
            })
        };
        let number = Memo::new(move |_| self.chosen.read().len());
        let set = move |_| self.ask(level.get_untracked());
        let chosen = move |event: ev::Event| level.set(Level::named(&event_target_value(&event)));
        let option = |level: Level| view! { <option value=level.name() title=level.means()>{level.name()}</option> }.into_any();
        let act = move || {
            let many = match number.get() {
                0 => return view! { <span class="faint">"Choose cells: click, Shift and Ctrl with a click or the arrow keys, Space."</span> }.into_any(),
                1 => "1 cell".to_owned(),
                cells => format!("{} cells", count(cells)),
            };
            let options = Level::ALL.map(option).collect_view();
            view! {
                <b role="status">{many}</b>
                <select class="input" id="matrix-level" aria-label="Level for the chosen cells" on:change=chosen>{options}<option value="">"no grant"</option></select>
                <button type="button" class="button primary" disabled=self.busy on:click=set>"Review…"</button>
                <Button class="quiet" icon=icon::Close label="Choose none" press=move |_| self.chosen.update(BTreeSet::clear)/>
            }
            .into_any()
        };
        let several = move |_| self.several.update(|several| *several = !*several);
        view! {
            <div class="statusbar needs-script">
                {dynamic(here)}
                <span class="spread line">
                    <button type="button" class="button small" aria-pressed=move || self.several.get().to_string() on:click=several>"Choose several"</button>
                    {dynamic(act)}
                </span>
            </div>
        }
        .into_any()
    }

    /// Another level for all that is chosen. What of it was not in sight is asked for first.
    fn ask(self, will: Option<Level>) {
        self.busy.set(true);
        spawn_local(async move {
            let asked = self.edits(will).await;
            self.busy.try_set(false);
            match asked {
                Some(Ok(asked)) if asked.edits.is_empty() => self.toasts.say("It is so already"),
                Some(Ok(asked)) => self.review.ask(asked),
                Some(Err(error)) => self.toasts.failed("The chosen cells could not be read", &error),
                None => {}
            }
        });
    }

    async fn edits(self, will: Option<Level>) -> Option<api::Result<Asked>> {
        let chosen = self.chosen.try_get_untracked()?;
        while let Some(key) = self.tiles.try_with_value(|tiles| tiles.missing(chosen.iter()))? {
            match self.fetch(key).await? {
                Ok(part) => self.put(key, part),
                Err(error) => return Some(Err(error)),
            }
        }
        self.tiles.try_with_value(|tiles| {
            let mut names = words::Names::new();
            let edit = |at: &At| {
                let (column, (_, was)) = (tiles.column(at.1)?, tiles.cell(*at)?);
                if !names.iter().any(|known| known.0 == column.on) {
                    names.push((column.on.clone(), column.name.clone()));
                }
                let (to, on) = (tiles.subject(at.0)?.clone(), column.on.clone());
                (was != will).then_some(Edit::Grant { to, on, was, will })
            };
            let edits: Vec<Edit> = chosen.iter().filter_map(edit).collect();
            let level = will.map_or("No grant", Level::name);
            let title = match edits.len() {
                1 => format!("{level} in 1 cell"),
                cells => format!("{level} in {} cells", count(cells)),
            };
            Ok(Asked {
                title,
                edits,
                undoes: None,
                names,
            })
        })
    }
}
