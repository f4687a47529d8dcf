//! The files of the runs taken together, folder by folder.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde::{Deserialize, Serialize};

use super::{bring::WIDTH, view::View};
use crate::api::{
    Client, Result,
    mlflow::artifact::{self, Listing},
};

/// Runs whose files are listed: each folder is a question for each of them.
pub const MOST: usize = 20;
/// Files and folders of one folder that are shown.
pub const FILES: usize = 500;

/// The runs whose files are listed, and the folders that are open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub runs: Vec<String>,
    /// `""`, the top, is always among them.
    pub folders: Vec<String>,
}

/// What was answered, by run and folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Listings(Vec<Answer>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Answer {
    run: String,
    folder: String,
    listing: Result<Listing>,
}

/// A file or a folder that any of the runs has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub path: String,
    pub is_dir: bool,
    pub depth: usize,
    /// How large it is in each run that has it.
    pub sizes: BTreeMap<String, Option<i64>>,
}

// === impl Wanted ===

impl Wanted {
    /// The two runs that are held against each other, then the others in their order.
    pub fn of(view: &View) -> Self {
        let mut runs: Vec<String> = Vec::new();
        let pair = view.pair().into_iter().flat_map(|(left, right)| [left, right]);
        for id in pair.chain(view.shown().iter().map(String::as_str)) {
            if runs.len() < MOST && !runs.iter().any(|run| run == id) {
                runs.push(id.to_owned());
            }
        }
        let mut folders = vec![String::new()];
        folders.extend(view.open.iter().filter(|folder| !folder.is_empty()).cloned());
        // The chosen file is seen whatever is open.
        let path = view.path.as_deref().unwrap_or_default();
        for (at, _) in path.match_indices('/') {
            if !folders.iter().any(|folder| folder == &path[..at]) {
                folders.push(path[..at].to_owned());
            }
        }
        Self { runs, folders }
    }
}

// === impl Listings ===

impl Listings {
    /// What is wanted; `before` has some of it already.
    pub async fn bring(client: &Client, wanted: &Wanted, before: Self) -> Self {
        let mut answers = before.0;
        answers.retain(|answer| answer.listing.is_ok());
        let mut missing: Vec<(String, String)> = Vec::new();
        for folder in &wanted.folders {
            for run in &wanted.runs {
                if !answers.iter().any(|answer| answer.run == *run && answer.folder == *folder) {
                    missing.push((run.clone(), folder.clone()));
                }
            }
        }
        for some in missing.chunks(WIDTH) {
            let asked = some.iter().map(|(run, folder)| async move {
                let listing = artifact::list(client, run, folder).await;
                Answer {
                    run: run.clone(),
                    folder: folder.clone(),
                    listing,
                }
            });
            answers.extend(join_all(asked).await);
        }
        Self(answers)
    }

    /// Whether the server has left something to the browser.
    pub fn is_deferred(&self) -> bool {
        let error = |answer: &Answer| answer.listing.as_ref().is_err_and(crate::api::ApiError::is_deferred);
        self.0.iter().any(error)
    }

    /// Everything in the open folders, each followed by what is in it; and whether there is more.
    pub fn entries(&self, wanted: &Wanted) -> (Vec<Entry>, bool) {
        let (mut entries, mut more) = (Vec::new(), false);
        self.list("", 0, wanted, &mut entries, &mut more);
        (entries, more)
    }

    fn list(&self, folder: &str, depth: usize, wanted: &Wanted, into: &mut Vec<Entry>, more: &mut bool) {
        // Folders first, then by name.
        let mut found: BTreeMap<(bool, &str), BTreeMap<String, Option<i64>>> = BTreeMap::new();
        let answers = self
            .0
            .iter()
            .filter(|answer| answer.folder == folder && wanted.runs.contains(&answer.run));
        for answer in answers {
            for file in answer.listing.iter().flat_map(|listing| &listing.files) {
                let sizes = found.entry((!file.is_dir, file.path.as_str())).or_default();
                sizes.insert(answer.run.clone(), file.file_size.filter(|_| !file.is_dir));
            }
        }
        *more |= found.len() > FILES;
        for ((is_file, path), sizes) in found.into_iter().take(FILES) {
            into.push(Entry {
                path: path.to_owned(),
                is_dir: !is_file,
                depth,
                sizes,
            });
            // A folder is within the one that it is listed in, or this would not end.
            let within = path.len() > folder.len() && path.starts_with(folder);
            if !is_file && within && wanted.folders.iter().any(|open| open == path) {
                self.list(path, depth + 1, wanted, into, more);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::mlflow::artifact::File,
        state::{address::Screen as _, query::Query},
    };

    fn wanted(query: &str) -> Wanted {
        Wanted::of(&View::read(&Query::parse(query)))
    }

    /// A run, a folder, and what is in it; folders have no size.
    type Known<'a> = (&'a str, &'a str, &'a [(&'a str, Option<i64>)]);

    fn listings(all: &[Known<'_>]) -> Listings {
        let file = |(path, size): &(&str, Option<i64>)| File {
            path: (*path).to_owned(),
            is_dir: size.is_none(),
            file_size: *size,
        };
        let answer = |(run, folder, files): &Known<'_>| Answer {
            run: (*run).to_owned(),
            folder: (*folder).to_owned(),
            listing: Ok(Listing {
                files: files.iter().map(file).collect(),
                ..Listing::default()
            }),
        };
        Listings(all.iter().map(answer).collect())
    }

    #[test]
    fn the_pair_comes_first_and_the_chosen_file_is_in_sight() {
        let wanted = wanted("runs=a,b,c&left=c&right=b&open=x,y/z&path=m/d/f.txt");
        assert_eq!(wanted.runs, ["c", "b", "a"]);
        assert_eq!(wanted.folders, ["", "x", "y/z", "m", "m/d"]);
    }

    #[test]
    fn not_all_of_many_runs_are_asked() {
        let many: Vec<String> = (0..40).map(|number| number.to_string()).collect();
        let wanted = wanted(&format!("runs={}&left=39", many.join(",")));
        assert_eq!((wanted.runs.len(), wanted.runs[0].as_str()), (MOST, "39"));
    }

    #[test]
    fn files_are_put_together() {
        let listings = listings(&[
            ("a", "", &[("m", None), ("x.txt", Some(1))]),
            ("b", "", &[("x.txt", Some(2)), ("y.txt", Some(3)), ("m", Some(9))]),
            ("a", "m", &[("m/w.bin", Some(4))]),
            ("b", "m", &[]),
        ]);
        let says = |query: &str| -> Vec<String> {
            let (entries, more) = listings.entries(&wanted(query));
            assert!(!more);
            let says = |entry: &Entry| format!("{}{} {}", " ".repeat(entry.depth), entry.path, entry.sizes.len());
            entries.iter().map(says).collect()
        };
        assert_eq!(says("runs=a,b"), ["m 1", "m 1", "x.txt 2", "y.txt 1"]);
        assert_eq!(says("runs=a,b&open=m"), ["m 1", " m/w.bin 1", "m 1", "x.txt 2", "y.txt 1"]);
        assert_eq!(says("runs=a"), ["m 1", "x.txt 1"]);
    }
}
