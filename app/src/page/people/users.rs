//! All users: found, sorted and paged by the server.

use crate::prelude::*;
use leptos::ev;

use super::{
    create,
    desk::Desk,
    link, list,
    load::{Asked, Loaded},
    way,
};
use crate::{
    Site,
    api::flowdeck::{
        access::EXPORT,
        user::{FILTERS, UserPage, UserRow},
    },
    page::{
        admin::AdminTabs,
        filter::{choice, search},
    },
    part::{
        button::Button,
        crumbs::Crumbs,
        dynamic::dynamic,
        face::Empty,
        icon::{self, Icon},
        link::Link,
        number::count,
        time::Time,
        title::Title,
    },
    route::{Route, escape},
};

/// Roles that stand in a line of the list.
const ROLES: usize = 3;

/// All users, sorted as they are, from the first page.
const NO_FILTER: [(&str, Option<&str>); 6] = [
    ("q", None),
    ("role", None),
    ("group", None),
    ("kind", None),
    ("state", None),
    ("offset", None),
];

pub fn page() -> AnyView {
    let desk = Desk::new();
    let query = desk.address.query();
    let asked = Memo::new(move |_| Asked::Users(query.with(|query| list::asked(query, &FILTERS))));
    let new = move |_| desk.ask("New user", move || create::form(desk));
    let export = Site::expect().href(EXPORT);
    view! {
        <Title text="Users"/>
        <Crumbs way=way(None, "Users".into())/>
        <div class="page people">
            <div class="title">
                <h1>"Users"</h1>
                <div class="actions">
                    <a class="button" href=export download="grants.csv" title="All grants that people have directly, as CSV"><Icon icon=icon::Download/>"Export grants"</a>
                    <Link to=Route::Import class="button">"Import grants"</Link>
                    <span class="needs-script"><Button class="primary" icon=icon::Plus attr:data-key="n" press=new>"New user"</Button></span>
                </div>
            </div>
            <AdminTabs here=Route::Users/>
            {link::card(desk)}
            {filters(desk)}
            {desk.show("the users", asked.into(), move |loaded| match loaded {
                Loaded::Users(page) => table(desk, page),
                _ => ().into_any(),
            })}
            {desk.dialogs()}
        </div>
    }
}

fn filters(desk: Desk) -> AnyView {
    let address = desk.address;
    let kinds = vec![
        ("", "Any kind"),
        ("admin", "Administrators"),
        ("person", "People"),
        ("service", "Service accounts"),
    ];
    let states = vec![
        ("", "Any state"),
        ("active", "Active"),
        ("invited", "Invited"),
        ("inactive", "Deactivated"),
    ];
    let named = move |mut names: Vec<String>, name: &'static str, any: &str| -> Vec<(String, String)> {
        // One of those that are not told first may be in the address.
        names.extend(address.get_untracked(name).filter(|now| !names.contains(now)));
        let any = (String::new(), any.to_owned());
        std::iter::once(any)
            .chain(names.into_iter().map(|name| (name.clone(), name)))
            .collect()
    };
    let choices = desk.show("", Signal::stored(Asked::Choices), move |loaded| match loaded {
        Loaded::Choices { roles, groups } => {
            let roles = (!roles.is_empty()).then(|| choice(address, "role", "Role", named(roles, "role", "Any role"), list::FIRST));
            let groups = (!groups.is_empty()).then(|| choice(address, "group", "Group", named(groups, "group", "Any group"), list::FIRST));
            view! { {roles}{groups} }
        }
        _ => ().into_any(),
    });
    let sort = move || {
        address
            .get("sort")
            .map(|sort| view! { <input type="hidden" name="sort" value=sort/> })
    };
    let any = move || FILTERS.iter().any(|name| *name != "sort" && address.get(name).is_some());
    let clear = move || {
        view! { <a class="button quiet" href=address.with(&NO_FILTER) data-noscroll=""><Icon icon=icon::Close/>"Clear"</a> }
    };
    view! {
        <form class="toolbar" role="search" method="get" on:submit=|event: ev::SubmitEvent| event.prevent_default()>
            {search(address, "q", "Search users", list::FIRST)}
            {choice(address, "kind", "Kind", kinds, list::FIRST)}
            {choice(address, "state", "State", states, list::FIRST)}
            {choices}
            {dynamic(sort)}
            <button class="button without-script" type="submit">"Search"</button>
            {dynamic(move || any().then(clear))}
        </form>
    }
}

fn table(desk: Desk, page: UserPage) -> AnyView {
    let address = desk.address;
    let pages = list::pages(desk, page.users.len(), page.total, page.read_at, "users");
    if page.users.is_empty() {
        let (title, says) = match page.total {
            0 => ("No user matches", "Looked in names, with these filters."),
            _ => ("There are no further users", "This is beyond the last page."),
        };
        let all = move || address.with(&NO_FILTER);
        return view! {
            <Empty icon=icon::Search title=title><p>{says}</p><div class="actions"><a class="button" href=all data-noscroll="">"Show all"</a></div></Empty>
            {pages}
        };
    }
    let head = move |key, label, number| list::head(address, key, label, number);
    let own = Site::expect().user;
    let rows = page.users.into_iter().map(|user| row(user, &own)).collect_view();
    view! {
        <div class="grid-scroll">
            <table class="grid cards">
                <caption class="unseen">"Users"</caption>
                <thead><tr>
                    {head("name", "Name", false)}<th scope="col">"State"</th>{head("roles", "Roles", false)}{head("grants", "Grants", true)}
                    {head("sessions", "Sessions", true)}{head("keys", "Keys", true)}{head("last_seen", "Last seen", true)}
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {pages}
    }
}

fn row(user: UserRow, own: &str) -> AnyView {
    let to = Route::User { name: user.name.clone() };
    let tag = |text: &'static str| view! { <span class="tag on"><span class="value">{text}</span></span> };
    let tags = [(user.admin, "admin"), (user.service, "service account"), (user.name == own, "you")];
    let tags = tags.into_iter().filter(|tag| tag.0).map(|(_, text)| tag(text)).collect_view();
    let more = user.roles.len().saturating_sub(ROLES);
    let all = user.roles.join(", ");
    let role = |name: &String| {
        let to = Route::Role { name: name.clone() };
        view! { <a class="tag" href=to.href()><bdi class="value">{name.clone()}</bdi></a> }
    };
    let roles = user.roles.iter().take(ROLES).map(role).collect_view();
    let more = (more > 0).then(|| view! { <span class="muted" title=all>{format!("and {}", count(more))}</span> });
    let keys = match user.keys {
        0 => "0".into_any(),
        keys => {
            let query = format!("?user={}", escape(&user.name));
            view! { <Link to=Route::AllKeys query=query>{count(keys)}</Link> }
        }
    };
    let seen = match user.last_seen {
        Some(at) => view! { <Time at=at/> },
        None => view! { <span class="muted">"not yet"</span> },
    };
    // Zeros say nothing on a phone.
    let zero = |number: usize| if number == 0 { "number zero" } else { "number" };
    view! {
        <tr class:over=!user.active>
            <th scope="row"><span class="line"><Link to=to class="name"><bdi>{user.name}</bdi></Link>{tags}</span></th>
            <td data-label="State">{state(user.active, user.invited)}</td>
            <td data-label="Roles" class:zero=user.roles.is_empty()><span class="tags one-line">{roles}{more}</span></td>
            <td data-label="Grants" class=zero(user.grants)>{count(user.grants)}</td>
            <td data-label="Sessions" class=zero(user.sessions)>{count(user.sessions)}</td>
            <td data-label="Keys" class=zero(user.keys)>{keys}</td>
            <td data-label="Last seen" class="number">{seen}</td>
        </tr>
    }
}

/// Whether somebody can sign in.
pub fn state(active: bool, invited: bool) -> AnyView {
    let (icon, class, label) = match (active, invited) {
        (false, _) => (icon::Ban, "status warning", "Deactivated"),
        (true, true) => (icon::Clock, "status", "Invited"),
        (true, false) => (icon::CircleCheck, "status positive", "Active"),
    };
    view! { <span class=class><Icon icon=icon/>{label}</span> }
}
