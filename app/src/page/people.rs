//! People and what they have, for owners: users, roles, groups, grants from a file, and settings.

mod create;
mod desk;
mod grants;
mod group;
mod import;
mod link;
mod list;
mod load;
mod names;
mod role;
mod roles;
mod settings;
mod user;
mod users;

use crate::{prelude::*, route::Route};

/// One of these pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Users,
    User(String),
    Import,
    Roles,
    Role(String),
    Groups,
    Group(String),
    Settings,
}

// === impl Place ===

impl Place {
    /// What is at `page`, below `/admin/`.
    pub fn named(page: &str) -> Option<Self> {
        let (folder, name) = page.split_once('/').map_or((page, None), |(folder, name)| (folder, Some(name)));
        match (folder, name.filter(|name| !name.is_empty()).map(str::to_owned)) {
            ("users", Some(name)) => Some(Self::User(name)),
            ("roles", Some(name)) => Some(Self::Role(name)),
            ("groups", Some(name)) => Some(Self::Group(name)),
            ("users", None) => Some(Self::Users),
            ("import", None) => Some(Self::Import),
            ("roles", None) => Some(Self::Roles),
            ("groups", None) => Some(Self::Groups),
            ("settings", None) => Some(Self::Settings),
            _ => None,
        }
    }
}

pub fn page(place: Place) -> AnyView {
    match place {
        Place::Users => users::page(),
        Place::User(name) => user::page(name),
        Place::Import => import::page(),
        Place::Roles => roles::page(),
        Place::Role(name) => role::page(name),
        Place::Groups => group::all(),
        Place::Group(name) => group::page(name),
        Place::Settings => settings::page(),
    }
}

/// The pages above one of these.
fn way(above: Option<(&'static str, Route)>, here: String) -> Vec<crate::part::crumbs::Crumb> {
    use crate::part::crumbs::Crumb;
    let mut way = vec![Crumb::link("Admin", Route::Admin.href())];
    way.extend(above.map(|(label, to)| Crumb::link(label, to.href())));
    way.push(Crumb::here(here));
    way
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn addresses_lead_to_pages() {
        assert_eq!(Place::named("users"), Some(Place::Users));
        assert_eq!(Place::named("users/a/b"), Some(Place::User("a/b".into())));
        assert_eq!(Place::named("roles/"), Some(Place::Roles));
        assert_eq!(Place::named("import/x"), None);
        assert_eq!(Place::named(""), None);
    }
}
