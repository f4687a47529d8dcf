//! Named views of the runs page: what stands behind the question mark of its address, kept under a name, alone or for the team.

pub mod rest;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    db::view::Row,
    mlflow::{Experiment, experiment::folders},
};

/// Where a view is offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ViewPlace)]
pub enum Place {
    /// At one experiment, by its id.
    Experiment(String),
    /// At every experiment whose name begins with this and a slash.
    Folder(String),
}

/// For whom the page opens with a view, where its address says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ViewDefault)]
pub enum DefaultFor {
    Owner,
    /// And everyone who has no default of their own there.
    Everyone,
}

/// The view that the page of an experiment opens with: `user`'s own default before everyone's, the nearer place before the wider.
pub fn default<'a>(views: &'a [Row], user: &str, experiment: &Experiment) -> Option<&'a str> {
    let places = places(experiment);
    let first = |chosen: &dyn Fn(&Row) -> bool| {
        let at = |place: &String| views.iter().find(|view| view.place == *place && chosen(view));
        places.iter().find_map(at)
    };
    let own = first(&|view| view.owner == user && view.default_for.is_some());
    let everyone = || first(&|view| view.shared && view.default_for.as_deref() == Some(DefaultFor::Everyone.name()));
    own.or_else(everyone).map(|view| view.id.as_str())
}

/// All places whose views are offered at an experiment, the nearest first.
pub fn places(experiment: &Experiment) -> Vec<String> {
    let here = Place::Experiment(experiment.id.clone());
    let around = folders(&experiment.name).map(|folder| Place::Folder(folder.to_owned()));
    let places = std::iter::once(here).chain(around).map(|place| Place::to_column(Some(&place)));
    places.chain([Place::to_column(None)]).collect()
}

// === impl Place ===

impl Place {
    /// As the database has it; `None` is everywhere.
    pub fn to_column(place: Option<&Self>) -> String {
        match place {
            None => String::new(),
            Some(Self::Experiment(id)) => format!("experiment:{id}"),
            Some(Self::Folder(path)) => format!("folder:{path}"),
        }
    }

    pub fn of_column(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some(("experiment", id)) => Some(Self::Experiment(id.to_owned())),
            Some(("folder", path)) => Some(Self::Folder(path.to_owned())),
            _ => None,
        }
    }
}

// === impl DefaultFor ===

impl DefaultFor {
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Everyone => "everyone",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        [Self::Owner, Self::Everyone].into_iter().find(|default| default.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, default, places};
    use crate::{db::view::Row, mlflow::Experiment};

    fn experiment() -> Experiment {
        Experiment {
            id: "12".into(),
            name: "team-a/vision/resnet".into(),
        }
    }

    fn view(id: &str, owner: &str, place: &str, default_for: Option<&str>) -> Row {
        Row {
            id: id.into(),
            owner: owner.into(),
            name: id.into(),
            state: String::new(),
            place: place.into(),
            shared: true,
            default_for: default_for.map(str::to_owned),
            created_at: 0,
            updated_at: 0,
            version: 1,
        }
    }

    #[test]
    fn nearer_places_come_first() {
        assert_eq!(
            places(&experiment()),
            ["experiment:12", "folder:team-a/vision", "folder:team-a", ""]
        );
        for place in places(&experiment()) {
            assert_eq!(Place::to_column(Place::of_column(&place).as_ref()), place);
        }
    }

    #[test]
    fn ones_own_default_comes_before_everyones_and_the_nearer_before_the_wider() {
        let mut views = vec![
            view("wide", "alice", "", Some("owner")),
            view("bobs", "bob", "experiment:12", Some("owner")),
            view("teams", "bob", "folder:team-a", Some("everyone")),
            view("none", "alice", "experiment:12", None),
        ];
        assert_eq!(default(&views, "alice", &experiment()), Some("wide"));
        assert_eq!(default(&views, "bob", &experiment()), Some("bobs"));
        assert_eq!(default(&views, "carol", &experiment()), Some("teams"));
        views.push(view("near", "alice", "folder:team-a/vision", Some("owner")));
        assert_eq!(default(&views, "alice", &experiment()), Some("near"));
        assert_eq!(default(&views[..2], "carol", &experiment()), None);
    }
}
