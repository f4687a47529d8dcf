//! What one may do oneself: one's roles and grants, each with why.

use crate::prelude::*;

use super::{
    about_default, href_of, href_why,
    load::{Asked, Loaded, ask},
    search,
};
use crate::{
    api::flowdeck::{
        access::{OwnAccess, OwnRole},
        grant::{Grant, Kind},
    },
    page::{
        account::{AccountTab, AccountTabs},
        review::words,
    },
    part::{
        crumbs::{Crumb, Crumbs},
        dynamic::dynamic,
        face::Notice,
        number::count,
        title::Title,
    },
    route::Route,
    state::address::Address,
};

/// Of each list so many are shown.
const SHOWN: usize = 200;

pub fn own() -> AnyView {
    let address = Address::here();
    let found = ask(Memo::new(|_| Asked::Own));
    let lists = found.view("what you may do", move |loaded| {
        Ok(match loaded? {
            Loaded::Own(own) => known(address, own),
            _ => AnyView::Nothing,
        })
    });
    view! {
        <Title text="Access"/>
        <Crumbs way=vec![Crumb::link("Account", Route::Account.href()), Crumb::here("Access")]/>
        <div class="page access">
            <div class="title"><h1>"What you may do"</h1></div>
            <AccountTabs here=AccountTab::Access/>
            {lists}
        </div>
    }
    .into_any()
}

fn known(address: Address, own: OwnAccess) -> AnyView {
    let admin = own.admin.then(
        || view! { <Notice>"You are an administrator of this MLflow: you pass every check, whatever is granted or denied."</Notice> },
    );
    let q = address.memo("q");
    let (direct, roles) = (own.grants, own.roles);
    let lists = move || {
        let q = q.get().unwrap_or_default().to_lowercase();
        let roles = roles.iter().map(|role| card(Some(role), &role.grants, &q)).collect_view();
        view! { {card(None, &direct, &q)}{roles} }
    };
    view! {
        <div class="lead stack">{admin}{about_default(own.default, own.default_known)}</div>
        <form class="toolbar" role="search" method="get">
            {search(address, "q", "Name of an experiment or model", &[])}
            <button class="button without-script" type="submit">"Search"</button>
        </form>
        <div class="columns own">{dynamic(lists)}</div>
    }
    .into_any()
}

fn card(role: Option<&OwnRole>, grants: &[Grant], q: &str) -> AnyView {
    let name = role.map_or_else(|| "Granted to you".to_owned(), |role| format!("Through the role {}", role.role));
    let groups = role.filter(|role| !role.groups.is_empty());
    let groups = groups.map(|role| view! { <span class="muted">{format!("as a member of {}", role.groups.join(", "))}</span> });
    let names = |grant: &Grant| {
        grant
            .name
            .clone()
            .map(|name| (grant.on.clone(), name))
            .into_iter()
            .collect::<words::Names>()
    };
    let said = |grant: &Grant| words::thing(&grant.on, &names(grant));
    let matching: Vec<&Grant> = grants
        .iter()
        .filter(|grant| q.is_empty() || said(grant).to_lowercase().contains(q))
        .collect();
    let row = |grant: &&Grant| {
        let thing = said(grant);
        let linked = matches!(grant.on.kind, Kind::Experiment | Kind::RegisteredModel | Kind::Prompt) && !grant.on.is_all();
        let why = linked.then(|| {
            let label = format!("Why: {thing}");
            view! { <a class="button quiet small" href=href_why(None, &grant.on) aria-label=label>"Why"</a> }
        });
        let name = if linked && grant.on.kind == Kind::Experiment && grant.name.is_some() {
            let to = Route::Experiment { id: grant.on.id.clone() }.href();
            view! { <a href=to>{thing}</a> }.into_any()
        } else if linked {
            view! { <a href=href_of(&grant.on)>{thing}</a> }.into_any()
        } else {
            thing.into_any()
        };
        view! { <tr><th scope="row">{name}</th><td data-label="Level">{words::level(Some(grant.level))}</td><td class="act">{why}</td></tr> }.into_any()
    };
    let rows = matching.iter().take(SHOWN).map(row).collect_view();
    let more = (matching.len() > SHOWN)
        .then(|| view! { <p class="body muted">{format!("and {} more: search for them", count(matching.len() - SHOWN))}</p> });
    let empty = match (grants.is_empty(), matching.is_empty()) {
        (true, _) => Some("Nothing is granted here."),
        (_, true) => Some("Nothing of this name."),
        _ => None,
    };
    let body = match empty {
        Some(says) => view! { <p class="body muted">{says}</p> }.into_any(),
        None => view! {
            <table class="grid cards"><caption class="unseen">{name.clone()}</caption>
                <thead class="unseen"><tr><th scope="col">"What"</th><th scope="col">"Level"</th><th scope="col">"Why"</th></tr></thead>
                <tbody>{rows}</tbody></table>{more}
        }
        .into_any(),
    };
    view! { <section class="card"><header><h2><bdi>{name}</bdi></h2>{groups}</header>{body}</section> }.into_any()
}
