//! Keeps the columns of folders that runs are grouped by.

use crate::prelude::*;

use super::Sheet;
use crate::{page::experiment::column::Column, table::folder::Folder};

// === impl Sheet ===

impl Sheet {
    pub(super) fn follow_folders(self) {
        let wanted = Memo::new(move |_| {
            let folder = |column: &Column| match column {
                Column::Folder(folder) => Some(*folder),
                _ => None,
            };
            self.place.view.read().group.iter().filter_map(folder).collect::<Vec<Folder>>()
        });
        Effect::new(move |_| {
            let wanted = wanted.get();
            if wanted.is_empty() {
                return;
            }
            self.drawn.track();
            let before = self.store.with_value(|store| store.generation());
            self.names.with(|names| {
                self.store
                    .update_value(|store| wanted.iter().for_each(|folder| folder.fill(store, names)));
            });
            if self.store.with_value(|store| store.generation()) != before {
                self.changed(false);
            }
        });
    }
}
