//! What is on screen, as the address says it.

use crate::{
    route::Route,
    state::{
        address::{self, Screen},
        query::{Query, join, split},
    },
};

/// Runs beside each other. What is named beyond that is not shown.
pub const MOST: usize = 100;

pub type Place = address::Place<View>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    pub tab: Tab,
    /// Their ids, from left to right; each once.
    pub runs: Vec<String>,
    /// The run that the others are compared with.
    pub baseline: Option<String>,
    /// Only what the runs do not have in common.
    pub differing: bool,
    /// What is looked for in keys, as it was typed.
    pub typed: String,
    /// Sections that show no more than their heading, by their names.
    pub closed: Vec<String>,
    /// Folders whose files are listed.
    pub open: Vec<String>,
    /// The file that is looked at.
    pub path: Option<String>,
    /// The two runs whose files are held against each other.
    pub left: Option<String>,
    pub right: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Values,
    Notes,
    Artifacts,
}

// === impl View ===

impl Screen for View {
    fn read(query: &Query) -> Self {
        let mut runs: Vec<String> = Vec::new();
        for id in list(query, "runs").map(|id| id.trim().to_owned()) {
            if !id.is_empty() && !runs.contains(&id) {
                runs.push(id);
            }
        }
        let text = |name: &'static str| query.get(name).map(str::to_owned);
        Self {
            tab: match query.get("tab") {
                Some("notes") => Tab::Notes,
                Some("artifacts") => Tab::Artifacts,
                _ => Tab::Values,
            },
            runs,
            baseline: text("baseline"),
            differing: query.get("only") == Some("differing"),
            typed: query.get("q").unwrap_or_default().to_owned(),
            closed: list(query, "closed").collect(),
            open: list(query, "open").collect(),
            path: text("path"),
            left: text("left"),
            right: text("right"),
        }
    }

    fn query(&self) -> Query {
        let tab = match self.tab {
            Tab::Values => "",
            Tab::Notes => "notes",
            Tab::Artifacts => "artifacts",
        };
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Query::default()
            .with("runs", &written(&self.runs))
            .with("tab", tab)
            .with("baseline", &text(&self.baseline))
            .with("only", if self.differing { "differing" } else { "" })
            .with("q", &self.typed)
            .with("closed", &written(&self.closed))
            .with("open", &written(&self.open))
            .with("path", &text(&self.path))
            .with("left", &text(&self.left))
            .with("right", &text(&self.right))
    }
}

impl View {
    /// The runs that have a place on the screen.
    pub fn shown(&self) -> &[String] {
        &self.runs[..self.runs.len().min(MOST)]
    }

    /// The baseline, if it is on the screen.
    pub fn baseline(&self) -> Option<&str> {
        self.baseline.as_deref().filter(|id| self.has(id))
    }

    /// The two runs whose files are held against each other: the chosen ones, else the baseline, or the first, and the next.
    pub fn pair(&self) -> Option<(&str, &str)> {
        let chosen = |id: &Option<String>| self.shown().iter().find(|shown| Some(*shown) == id.as_ref()).map(String::as_str);
        let right = chosen(&self.right);
        let left = chosen(&self.left).or(self.baseline().filter(|id| Some(*id) != right)).or(self
            .shown()
            .iter()
            .map(String::as_str)
            .find(|id| Some(*id) != right))?;
        let right = right
            .filter(|id| *id != left)
            .or(self.shown().iter().map(String::as_str).find(|id| *id != left))?;
        Some((left, right))
    }

    #[must_use]
    pub fn without(mut self, run: &str) -> Self {
        self.runs.retain(|id| id != run);
        self.baseline = self.baseline.filter(|id| id != run);
        self
    }

    /// `run` one place further left or right.
    #[must_use]
    pub fn moved(mut self, run: &str, left: bool) -> Self {
        let at = self.runs.iter().position(|id| id == run);
        let to = at.and_then(|at| if left { at.checked_sub(1) } else { Some(at + 1) });
        if let (Some(at), Some(to)) = (at, to.filter(|to| *to < self.runs.len())) {
            self.runs.swap(at, to);
        }
        self
    }

    #[must_use]
    pub fn against(self, baseline: Option<&str>) -> Self {
        let baseline = baseline.map(str::to_owned);
        Self { baseline, ..self }
    }

    /// Opens or closes a section.
    #[must_use]
    pub fn turned(mut self, section: &str) -> Self {
        toggle(&mut self.closed, section);
        self
    }

    /// Opens or closes a folder, with all below it.
    #[must_use]
    pub fn unfolded(mut self, folder: &str) -> Self {
        if self.open.iter().any(|open| open == folder) {
            let below = format!("{folder}/");
            self.open.retain(|open| open != folder && !open.starts_with(&below));
        } else {
            self.open.push(folder.to_owned());
        }
        self
    }

    fn has(&self, run: &str) -> bool {
        self.shown().iter().any(|id| id == run)
    }
}

/// The address of these runs side by side, opened from an experiment.
pub fn href(experiment: String, runs: Vec<String>, baseline: Option<String>) -> String {
    let baseline = baseline.filter(|id| runs.contains(id));
    let view = View {
        runs,
        baseline,
        ..View::default()
    };
    Route::Compare { experiment }.href() + &view.query().href()
}

fn toggle(list: &mut Vec<String>, item: &str) {
    match list.iter().position(|other| other == item) {
        Some(at) => drop(list.remove(at)),
        None => list.push(item.to_owned()),
    }
}

fn list(query: &Query, name: &'static str) -> impl Iterator<Item = String> {
    query.get(name).into_iter().flat_map(split)
}

fn written(parts: &[String]) -> String {
    join(parts.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> View {
        View::read(&Query::parse(query))
    }

    #[test]
    fn everything_is_read_again() {
        let view = View {
            tab: Tab::Artifacts,
            runs: vec!["a".into(), "b".into(), "c".into()],
            baseline: Some("b".into()),
            differing: true,
            typed: "lr & 'x'".into(),
            closed: vec!["tags".into()],
            open: vec!["a, b".into(), "model/data".into()],
            path: Some("a, b/ü.txt".into()),
            left: Some("c".into()),
            right: Some("a".into()),
        };
        assert_eq!(read(&view.query().href()), view);
        assert_eq!(read(""), View::default());
        assert_eq!(View::default().query().href(), "");
    }

    #[test]
    fn each_run_is_there_once_and_not_too_many() {
        assert_eq!(read("runs=a,b,,a,%20b,c").runs, ["a", "b", "c"]);
        let many: Vec<String> = (0..140).map(|number| number.to_string()).collect();
        let view = read(&format!("runs={}&baseline=120", many.join(",")));
        assert_eq!((view.runs.len(), view.shown().len(), view.baseline()), (140, MOST, None));
    }

    #[test]
    fn runs_change_places_and_go() {
        let view = read("runs=a,b,c&baseline=b");
        assert_eq!(view.clone().moved("c", true).runs, ["a", "c", "b"]);
        assert_eq!(view.clone().moved("a", true).runs, ["a", "b", "c"]);
        assert_eq!(view.clone().moved("c", false).runs, ["a", "b", "c"]);
        assert_eq!(view.clone().moved("a", false).runs, ["b", "a", "c"]);
        let without = view.clone().without("b");
        assert_eq!((without.runs.len(), without.baseline), (2, None));
        assert_eq!(view.without("a").baseline(), Some("b"));
    }

    #[test]
    fn two_runs_are_held_against_each_other() {
        assert_eq!(read("runs=a,b,c").pair(), Some(("a", "b")));
        assert_eq!(read("runs=a,b,c&baseline=c").pair(), Some(("c", "a")));
        assert_eq!(read("runs=a,b,c&baseline=c&right=b").pair(), Some(("c", "b")));
        assert_eq!(read("runs=a,b,c&baseline=c&right=c").pair(), Some(("a", "c")));
        assert_eq!(read("runs=a,b,c&left=b&right=b").pair(), Some(("b", "a")));
        assert_eq!(read("runs=a,b,c&left=x&right=a").pair(), Some(("b", "a")));
        assert_eq!(read("runs=a").pair(), None);
    }

    #[test]
    fn folders_close_with_all_below_them() {
        let view = read("open=a,a/b,ab").unfolded("a");
        assert_eq!(view.open, ["ab"]);
        assert_eq!(view.unfolded("a").open, ["ab", "a"]);
    }
}
