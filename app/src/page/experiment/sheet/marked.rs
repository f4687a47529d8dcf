//! The selection in the address: whoever opens a copied link has the same runs selected.

use std::{collections::BTreeSet, time::Duration};

use crate::prelude::*;
use leptos::leptos_dom::helpers::TimeoutHandle;

use super::{Sheet, bring::Phase};
use crate::{
    page::experiment::view::{SELECTED, View},
    state::short::Short,
    table::store::Store,
};

/// The address follows so long after the last change.
const PAUSE: Duration = Duration::from_millis(300);

// === impl Sheet ===

impl Sheet {
    /// Keeps selection and address in step. An address that names none, as links have it, leaves what is selected.
    pub(super) fn follow_selection(self) {
        let named = Memo::new(move |_| self.place.view.read().selected.clone());
        Effect::new(move |_| {
            let named = named.get();
            if !named.is_empty() && named != self.marked() {
                self.selection.write().clear();
                self.wanted.set_value(named);
                self.find_wanted();
            }
        });
        Effect::new(move |_| {
            self.drawn.track();
            self.find_wanted();
            if self.phase.get() == Phase::Here {
                self.wanted.update_value(BTreeSet::clear);
            }
        });
        let timer = StoredValue::new(None::<TimeoutHandle>);
        Effect::new(move |_| {
            self.selection.track();
            self.place.view.track();
            if let Some(timer) = timer.get_value() {
                timer.clear();
            }
            let write = move || {
                if !self.selection.is_disposed() {
                    self.mark();
                }
            };
            timer.set_value(set_timeout_with_handle(write, PAUSE).ok());
        });
    }

    /// Selects those of the runs that are here.
    fn find_wanted(self) {
        if self.wanted.with_value(BTreeSet::is_empty) {
            return;
        }
        let found: Vec<u32> = self.store.with_value(|store| {
            self.wanted
                .try_update_value(|wanted| store.rows().iter().filter(|row| wanted.remove(&short(store, *row))).collect())
                .unwrap_or_default()
        });
        if !found.is_empty() {
            self.store
                .with_value(|store| self.selection.update(|selection| selection.add(store, &found)));
        }
    }

    /// What the address is to say; of too many runs nothing.
    fn marked(self) -> BTreeSet<Short> {
        let mut marked = self.wanted.get_value();
        self.store.with_value(|store| {
            let rows = self.selection.read_untracked().rows(store);
            if rows.count() > SELECTED {
                marked.clear();
            } else {
                marked.extend(rows.iter().map(|row| short(store, row)));
            }
        });
        marked
    }

    fn mark(self) {
        let (selected, now) = (self.marked(), self.place.now());
        if now.selected != selected {
            self.place.replace(&View { selected, ..now });
        }
    }
}

fn short(store: &Store, row: u32) -> Short {
    Short::of(store.run_id(row))
}
