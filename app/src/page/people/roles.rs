//! All roles, and a new one.

use crate::prelude::*;
use leptos::ev;

use super::{
    desk::Desk,
    list,
    load::{Asked, Loaded},
    role, way,
};
use crate::{
    api::flowdeck::role::{RolePage, RoleRow},
    page::{
        admin::{AdminTabs, default},
        filter::search,
    },
    part::{button::Button, crumbs::Crumbs, dynamic::dynamic, face::Empty, icon, link::Link, number::count, title::Title},
    route::{Route, escape},
};

pub fn page() -> AnyView {
    let desk = Desk::new();
    let address = desk.address;
    let query = address.query();
    let asked = Memo::new(move |_| Asked::Roles(query.with(|query| list::asked(query, &["q", "sort"]))));
    let sort = move || {
        address
            .get("sort")
            .map(|sort| view! { <input type="hidden" name="sort" value=sort/> })
    };
    view! {
        <Title text="Roles"/>
        <Crumbs way=way(None, "Roles".into())/>
        <div class="page people">
            <div class="title">
                <h1>"Roles"</h1><span class="facts">"grants under a name, for whoever has it"</span>
                <div class="actions"><span class="needs-script"><Button class="primary" icon=icon::Plus attr:data-key="n" press=move |_| role::make(desk)>"New role"</Button></span></div>
            </div>
            <AdminTabs here=Route::Roles/>
            <form class="toolbar" role="search" method="get" on:submit=|event: ev::SubmitEvent| event.prevent_default()>
                {search(address, "q", "Search roles", list::FIRST)}{dynamic(sort)}
                <button class="button without-script" type="submit">"Search"</button>
            </form>
            {desk.show("the roles", asked.into(), move |loaded| match loaded {
                Loaded::Roles(page) => table(desk, page),
                _ => ().into_any(),
            })}
            {desk.dialogs()}
        </div>
    }
}

fn table(desk: Desk, page: RolePage) -> AnyView {
    let banner = view! { <div class="lead">{default::notice(page.default, page.default_known)}</div> };
    let pages = list::pages(desk, page.roles.len(), page.total, page.read_at, "roles");
    if page.all == 0 {
        return view! {
            {banner}
            <Empty icon=icon::User title="No roles yet">
                <p>"A role has grants and members. Give a team one, and a new colleague needs a single change."</p>
                <div class="actions needs-script"><Button class="primary" icon=icon::Plus press=move |_| role::make(desk)>"New role"</Button></div>
            </Empty>
        };
    }
    if page.roles.is_empty() {
        return view! { {banner}<Empty icon=icon::Search title="No role matches"><p>"Looked in names and descriptions."</p></Empty>{pages} };
    }
    let head = move |key, label, number| list::head(desk.address, key, label, number);
    let rows = page.roles.into_iter().map(row).collect_view();
    view! {
        {banner}
        <div class="grid-scroll">
            <table class="grid cards">
                <caption class="unseen">"Roles"</caption>
                <thead><tr>{head("name", "Name", false)}<th scope="col">"What it is for"</th>{head("members", "Members", true)}{head("grants", "Grants", true)}<th scope="col">"Filled by"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {pages}
    }
}

fn row(role: RoleRow) -> AnyView {
    let members = format!("?role={}", escape(&role.name));
    let to = Route::Role { name: role.name.clone() };
    let all = role
        .manages_all
        .then(|| view! { <span class="tag on"><span class="value">"manages everything"</span></span> });
    let filled = filled(&role);
    let described = role.description.lines().next().unwrap_or_default().to_owned();
    view! {
        <tr>
            <th scope="row"><span class="line"><Link to=to class="name"><bdi>{role.name}</bdi></Link>{all}</span></th>
            <td data-label="For" class="described" class:zero=described.is_empty() title=role.description><bdi>{described}</bdi></td>
            <td data-label="Members" class="number"><Link to=Route::Users query=members>{count(role.members)}</Link></td>
            <td data-label="Grants" class="number">{count(role.grants)}</td>
            <td data-label="Filled by" class:zero=role.groups.is_empty() && role.rules.is_empty()><span class="tags one-line">{filled}</span></td>
        </tr>
    }
}

/// The groups that give it members and the rules that give it grants.
pub fn filled(role: &RoleRow) -> AnyView {
    let groups = role.groups.iter().map(|name| {
        let to = Route::Group { name: name.clone() };
        view! { <a class="tag" href=to.href()><span class="key">"group"</span><bdi class="value">{name.clone()}</bdi></a> }
    });
    let rules = role.rules.iter().map(|pattern| {
        view! { <a class="tag" href=Route::Rules.href()><span class="key">"rule"</span><bdi class="value">{pattern.clone()}</bdi></a> }
    });
    view! { {groups.collect_view()}{rules.collect_view()} }
}
