//! Every page address, side by side: [`Route`] makes them, [`Table`] matches them. Only this file and [`crate::Site`] know the base path.

use crate::prelude::*;
use leptos_router::{
    NavigateOptions,
    components::{Route as RouteItem, Routes},
    hooks::use_navigate,
    path,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    Site,
    page::{self, module::Module},
    state::query::Query,
};

/// A page of the console. Ids are MLflow's.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    Experiments,
    Experiment {
        id: String,
    },
    Run {
        experiment: String,
        run: String,
    },
    /// Runs side by side, of whatever experiments; opened from this one.
    Compare {
        experiment: String,
    },
    Account,
    /// One's own API keys.
    Keys,
    /// How this Flowdeck and its MLflow are doing.
    Admin,
    Audit,
    /// Everybody's API keys.
    AllKeys,
    Users,
    User {
        name: String,
    },
    /// A file of grants, tried out before it is made so.
    Import,
    Roles,
    Role {
        name: String,
    },
    Groups,
    Group {
        name: String,
    },
    Settings,
    /// Who has access to one thing, which the query names.
    Access,
    /// Why somebody may see a thing; who and what is in the query.
    Why,
    Permissions,
    /// Rules over names.
    Rules,
    /// Changes of who may do what.
    Changes,
    /// One's own roles and grants.
    OwnAccess,
}

/// The modules that the page at `address` (below the base, with its query) comes from, beside the first one.
pub fn modules(address: &str) -> impl Iterator<Item = Module> + use<> {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let module = module(path);
    let is_shared = module == Some(Module::Runs) && Query::parse(query).get("tab") == Some("access");
    module.into_iter().chain(is_shared.then_some(Module::Access))
}

fn module(path: &str) -> Option<Module> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments[..] {
        ["experiments", _] | ["experiments", _, "runs", _] | ["runs", _] => Some(Module::Runs),
        ["experiments", _, "compare"] => Some(Module::Compare),
        ["account"] => Some(Module::Account),
        ["account" | "admin", "keys"] => Some(Module::Keys),
        ["admin"] | ["admin", "audit"] => Some(Module::Admin),
        ["admin", "users" | "roles" | "groups", _] | ["admin", "users" | "import" | "roles" | "groups" | "settings"] => {
            Some(Module::People)
        }
        ["admin", "access" | "why" | "permissions" | "rules" | "changes"] | ["account", "access"] => Some(Module::Access),
        _ => None,
    }
}

/// What may stand unescaped in a path segment or a query value (RFC 3986, unreserved).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// `text` as one path segment or one query value.
pub fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

// === impl Route ===

impl Route {
    /// The path below the base.
    pub fn path(&self) -> String {
        match self {
            Self::Experiments => "/experiments".into(),
            Self::Experiment { id } => format!("/experiments/{}", escape(id)),
            Self::Run { experiment, run } => format!("/experiments/{}/runs/{}", escape(experiment), escape(run)),
            Self::Compare { experiment } => format!("/experiments/{}/compare", escape(experiment)),
            Self::Account => "/account".into(),
            Self::Keys => "/account/keys".into(),
            Self::Admin => "/admin".into(),
            Self::Audit => "/admin/audit".into(),
            Self::AllKeys => "/admin/keys".into(),
            Self::Users => "/admin/users".into(),
            Self::User { name } => format!("/admin/users/{}", escape(name)),
            Self::Import => "/admin/import".into(),
            Self::Roles => "/admin/roles".into(),
            Self::Role { name } => format!("/admin/roles/{}", escape(name)),
            Self::Groups => "/admin/groups".into(),
            Self::Group { name } => format!("/admin/groups/{}", escape(name)),
            Self::Settings => "/admin/settings".into(),
            Self::Access => "/admin/access".into(),
            Self::Why => "/admin/why".into(),
            Self::Permissions => "/admin/permissions".into(),
            Self::Rules => "/admin/rules".into(),
            Self::Changes => "/admin/changes".into(),
            Self::OwnAccess => "/account/access".into(),
        }
    }

    /// The full address, base included.
    pub fn href(&self) -> String {
        Site::expect().href(&self.path())
    }
}

/// Goes to a path below the base (with its query) without loading the document anew. Call it while a component is set up; use the result in handlers.
pub fn navigator() -> impl Fn(&str, NavigateOptions) + Clone {
    let navigate = use_navigate();
    move |path, options| navigate(path, options)
}

#[component]
pub fn Table() -> impl IntoView {
    leptos::view! {
        <Routes fallback=page::not_found::NotFound>
            <RouteItem path=path!("/") view=page::experiments::Experiments/>
            <RouteItem path=path!("/experiments") view=page::experiments::Experiments/>
            <RouteItem path=path!("/experiments/:experiment") view=page::module::ExperimentPage/>
            <RouteItem path=path!("/experiments/:experiment/*page") view=page::module::ExperimentPages/>
            <RouteItem path=path!("/runs/:run") view=page::module::RunPage/>
            <RouteItem path=path!("/account/*page") view=page::module::AccountPages/>
            <RouteItem path=path!("/admin/*page") view=page::module::AdminPages/>
        </Routes>
    }
}
