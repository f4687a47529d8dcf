//! One user: who it is, what they have, where they are signed in, their keys, and what was done. For administrators; the rest of it for oneself.

mod account;
mod cards;

use crate::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    desk::Desk,
    grants, link,
    load::{Asked, Loaded},
    names::{self, Named, Names},
    role::through,
    way,
};
use crate::{
    Site,
    api::{
        Client, Result,
        flowdeck::{
            audit::{self, Row},
            grant::Subject,
            key::{self, Account, Key},
            user::{self, UserDetail, UserSession},
        },
        mlflow::user::{self as mlflow, User},
    },
    page::{
        admin::{AdminTabs, default},
        history::{Of, history},
        set_status,
    },
    part::{
        crumbs::{Crumb, Crumbs},
        dynamic::dynamic,
        face::Notice,
        tabs::{Tab, Tabs},
        title::Title,
    },
    route::Route,
    state::query::Query,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    name: String,
    /// For administrators.
    detail: Option<UserDetail>,
    /// `None`: MLflow has nobody of this name.
    user: Option<User>,
    /// Where it is a program and no person.
    account: Option<Account>,
    keys: Vec<Key>,
    sessions: Vec<UserSession>,
    last: Option<Row>,
}

pub fn page(name: String) -> AnyView {
    let desk = Desk::new();
    let address = desk.address;
    let tab = address.memo("tab");
    let is_history = Memo::new(move |_| tab.read().as_deref() == Some("history"));
    let link = move |to: &'static str, label: &'static str| {
        let href = move || address.with(&[("tab", Some(to)), ("cursor", None), ("all", None)]);
        view! { <Tab href=Signal::derive(href) current=Signal::derive(move || is_history.get() != to.is_empty())>{label}</Tab> }
    };
    // Who looks at themselves need not be an administrator, for whom the other pages are.
    let own = Site::expect().user == name;
    let way = match own {
        true => vec![Crumb::link("Admin", Route::Admin.href()), Crumb::here(name.clone())],
        false => way(Some(("Users", Route::Users)), name.clone()),
    };
    let (title, what) = (name.clone(), format!("the user {name}"));
    let asked = Signal::stored(Asked::User(name.clone()));
    view! {
        <Title text=name.clone()/>
        <Crumbs way=way/>
        <div class="page people user">
            <div class="title"><h1><bdi>{title}</bdi></h1></div>
            {(!own).then(|| view! { <AdminTabs here=Route::Users/> })}
            <Tabs label="User">{link("", "Profile")}{link("history", "History")}</Tabs>
            {link::card(desk)}
            {dynamic(move || match is_history.get() {
                true => history(Of::User(name.clone())),
                false => desk.show(what.clone(), asked, move |loaded| match loaded {
                    Loaded::User(shown) => known(desk, *shown),
                    _ => ().into_any(),
                }),
            })}
            {desk.dialogs()}
        </div>
    }
}

pub async fn read(client: &Client, name: &str) -> Result<Shown> {
    // Others than administrators may ask MLflow about themselves.
    let (detail, user) = match user::get(client, name).await {
        Ok(detail) => (Some(detail), None),
        Err(error) if error.status == 404 => (None, None),
        Err(error) if error.status == 403 => match mlflow::get(client, name).await {
            Err(refused) if refused.status == 403 => return Err(error),
            user => (None, Some(user?)),
        },
        Err(error) => return Err(error),
    };
    let last = Query::default().with("user", name).with("limit", "1");
    let last = audit::list(client, &last).await?.rows.into_iter().next();
    let service = detail.as_ref().is_some_and(|detail| detail.user.service);
    let accounts = if service { key::accounts(client).await? } else { Vec::new() };
    Ok(Shown {
        name: name.to_owned(),
        account: accounts.into_iter().find(|account| account.name == name),
        keys: key::list_of(client, name).await?,
        sessions: if detail.is_some() {
            user::sessions(client, name).await?
        } else {
            Vec::new()
        },
        last,
        detail,
        user,
    })
}

fn known(desk: Desk, shown: Shown) -> AnyView {
    let gone = (shown.detail.is_none() && shown.user.is_none()).then(|| {
        set_status(404);
        view! { <Notice class="careful">"MLflow has no user of this name. What one of this name did through Flowdeck stays in the history, and its API keys let nobody in."</Notice> }
    });
    let who = account::who(desk, &shown);
    let keys = cards::keys(&shown.name, &shown.keys, shown.account.is_some());
    let Some(detail) = shown.detail else {
        return view! { <div class="columns">{gone}{who}{keys}</div> };
    };
    let sessions = cards::sessions(desk, &shown.name, shown.sessions);
    let last = detail.last_admin.then(|| {
        view! { <Notice>"The last administrator who can sign in. Until somebody else is one, this one can be neither demoted, deactivated nor deleted: nobody could undo it."</Notice> }
    });
    view! { <div class="columns">{last}<div class="stack">{access(desk, detail)}</div><div class="stack">{who}{sessions}{keys}</div></div> }
}

/// Roles, groups and grants.
fn access(desk: Desk, detail: UserDetail) -> AnyView {
    let name = detail.user.name;
    let roles = Names {
        id: "roles",
        title: "Roles",
        none: "None.",
        add: "Give a role",
        find: names::roles,
        listed: detail
            .roles
            .into_iter()
            .map(|role| Named {
                to: Route::Role { name: role.role.clone() },
                name: role.role,
                fixed: !role.groups.is_empty(),
                about: through(&role.groups),
            })
            .collect(),
        all: None,
        what: ("role", name.clone()),
        edit: names::role_of_user,
    };
    let groups = Names {
        id: "groups",
        title: "Groups",
        none: "None.",
        add: "Take into a group",
        find: names::groups,
        listed: detail
            .groups
            .into_iter()
            .map(|group| Named {
                to: Route::Group { name: group.clone() },
                name: group,
                fixed: false,
                about: None,
            })
            .collect(),
        all: None,
        what: ("group", name.clone()),
        edit: names::group_of_user,
    };
    let admin = detail.user.admin.then(
        || view! { <Notice>"An administrator passes every check: what is granted or denied here counts only once they are none."</Notice> },
    );
    let default = (!detail.user.admin).then(|| default::notice(detail.default, true));
    view! { {admin}{default}{grants::card(desk, Subject::User(name), detail.grants, false)}{names::card(desk, roles)}{names::card(desk, groups)} }
}
