//! Folders that runs are grouped by: of the names of their experiments, and of their own.

use std::collections::BTreeMap;

use super::{
    cells::Value,
    column::{Attribute, Cell, Family, Name},
    store::Store,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Folder {
    /// `team/vision` of the experiment `team/vision/resnet`.
    Experiment,
    /// `team` of it.
    TopOfExperiment,
    /// `sweep/lr` of the run `sweep/lr/7`.
    Run,
    /// `sweep` of it.
    TopOfRun,
}

// === impl Folder ===

impl Folder {
    pub const ALL: [Self; 4] = [Self::Experiment, Self::TopOfExperiment, Self::Run, Self::TopOfRun];

    pub fn key(self) -> &'static str {
        match self {
            Self::Experiment => "experiment",
            Self::TopOfExperiment => "experiment.top",
            Self::Run => "run",
            Self::TopOfRun => "run.top",
        }
    }

    /// The opposite of [`Folder::key`].
    pub fn read(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|folder| folder.key() == key)
    }

    pub fn name(self) -> Name {
        Name::new(Family::Folder, self.key())
    }

    /// Of something with this name; `None`: it lies in none.
    fn of(self, name: &str) -> Option<&str> {
        let folder = match self {
            Self::Experiment | Self::Run => name.rsplit_once('/')?.0,
            Self::TopOfExperiment | Self::TopOfRun => name.split_once('/')?.0,
        };
        Some(folder).filter(|folder| !folder.is_empty())
    }

    /// Writes the folder of each run into its column. `names`: of experiments, by their ids.
    pub fn fill(self, store: &mut Store, names: &BTreeMap<String, String>) {
        let is_run = matches!(self, Self::Run | Self::TopOfRun);
        let source = store.attribute(if is_run { Attribute::Name } else { Attribute::Experiment });
        let Some(texts) = source.text() else { return };
        // Once for each distinct text.
        let folder = |text: &str| {
            let name = if is_run { Some(text) } else { names.get(text).map(String::as_str) };
            self.of(name?).map(str::to_owned)
        };
        let folders: Vec<Option<String>> = texts.dict.iter().map(|(_, text)| folder(text)).collect();
        let of_row = |row: u32| match texts.codes.get(row) {
            code if code.is_none() => None,
            code => Some(code as usize),
        };
        let rows: Vec<(u32, Option<usize>)> = store.rows().iter().map(|row| (row, of_row(row))).collect();
        let column = self.name();
        for (row, code) in rows {
            let text = code.and_then(|code| folders[code].as_deref());
            store.set(row, &column, text.map_or(Cell::Missing, Cell::Text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_lie_in_folders() {
        let mut store = Store::default();
        let load = |store: &mut Store, id: &str, name: &str, experiment: &str| {
            let run = format!(r#"{{"runs":[{{"info":{{"run_id":"{id}","run_name":"{name}","experiment_id":"{experiment}"}}}}]}}"#);
            store.load(run.as_bytes()).unwrap();
        };
        load(&mut store, "a", "sweep/lr/7", "1");
        load(&mut store, "b", "plain", "2");
        load(&mut store, "c", "/odd", "9");
        let names = [("1", "team/vision/resnet"), ("2", "alone")].map(|(id, name)| (id.to_owned(), name.to_owned()));
        let folders = |store: &mut Store, folder: Folder| {
            folder.fill(store, &names.clone().into());
            let cell = |row| match store.cell(row, &folder.name()) {
                Cell::Text(text) => text.to_owned(),
                _ => "-".into(),
            };
            [0, 1, 2].map(cell).join(" ")
        };
        assert_eq!(folders(&mut store, Folder::Experiment), "team/vision - -");
        assert_eq!(folders(&mut store, Folder::TopOfExperiment), "team - -");
        assert_eq!(folders(&mut store, Folder::Run), "sweep/lr - -");
        assert_eq!(folders(&mut store, Folder::TopOfRun), "sweep - -");
        // A run that MLflow tells of again keeps it, one that is renamed goes along.
        let before = store.generation();
        load(&mut store, "a", "sweep/lr/7", "1");
        assert_eq!(
            (store.generation(), folders(&mut store, Folder::Run).as_str()),
            (before, "sweep/lr - -")
        );
        load(&mut store, "a", "seven", "1");
        assert_eq!(folders(&mut store, Folder::Run), "- - -");
    }
}
