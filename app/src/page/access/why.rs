//! Why somebody may see a thing, or may not: what they have in the end, and each step that led to it, with the place where it is changed.

use crate::prelude::*;

use super::{
    choice, href_of, kinds,
    load::{Asked, Loaded, ask},
    target,
};
use crate::{
    Site,
    api::flowdeck::explain::{Explanation, Place, Step, Why},
    page::{admin::AdminTabs, review::words},
    part::{
        crumbs::{Crumb, Crumbs},
        dynamic::dynamic,
        face::{Empty, Notice, quoted},
        icon::{self, Icon},
        link::Link,
        time::Time,
        title::Title,
    },
    route::Route,
    state::address::Address,
};

pub fn why() -> AnyView {
    let address = Address::here();
    let (on, user) = (target(address), address.memo("user"));
    let own = Site::expect().user;
    let found = ask(Memo::new(move |_| match on.get() {
        Some(on) => Asked::Why(user.get().filter(|user| *user != own), on),
        None => Asked::Nothing,
    }));
    let told = found.view("why", |loaded| {
        Ok(match loaded? {
            Loaded::Why(told) => known(told),
            _ => view! { <Empty title="Who, and what?" icon=icon::Search><p>"A person's name, and an experiment by its id or name, or a model or prompt by its name."</p></Empty> }.into_any(),
        })
    });
    let is_own = move || user.get().is_none_or(|user| user == Site::expect().user);
    let way = move || {
        let before = match is_own() {
            true => [
                Crumb::link("Account", Route::Account.href()),
                Crumb::link("Access", Route::OwnAccess.href()),
            ],
            false => [
                Crumb::link("Admin", Route::Admin.href()),
                Crumb::link("Permissions", Route::Permissions.href()),
            ],
        };
        before.into_iter().chain([Crumb::here("Why")]).collect()
    };
    let whose = move || user.get().unwrap_or_else(|| Site::expect().user);
    view! {
        <Title text="Why"/>
        <Crumbs way=Signal::derive(way)/>
        <div class="page access">
            <div class="title"><h1>"Why may somebody see this?"</h1></div>
            {dynamic(move || (!is_own()).then(|| view! { <AdminTabs here=Route::Permissions/> }))}
            <form class="toolbar" method="get" role="search">
                <input class="input" name="user" aria-label="User" placeholder="User" autocomplete="off" spellcheck="false" dir="auto" value=whose()/>
                {choice(address, "kind", "Kind", kinds(None), &[("id", None)])}
                <input class="input which" name="id" aria-label="Id or name" placeholder="Id or name" required=true autocomplete="off" dir="auto" value=address.get_untracked("id")/>
                <button class="button" type="submit">"Explain"</button>
            </form>
            {told}
        </div>
    }
    .into_any()
}

fn known(told: Explanation) -> AnyView {
    let names = told.name.clone().map(|name| (told.on.clone(), name)).into_iter().collect();
    let thing = words::thing(&told.on, &names);
    let can = told.can;
    let able = |can: bool, word: &'static str| {
        let (icon, class) = if can { (icon::Check, "positive") } else { (icon::Close, "faint") };
        let says = if can { word.to_owned() } else { format!("not {word}") };
        view! { <li class=format!("line {class}")><Icon icon=icon/>{says}</li> }.into_any()
    };
    let unknown = (!told.default_known).then(|| {
        view! { <Notice class="careful">"MLflow's default permission could not be learned and is taken to be nothing."</Notice> }
    });
    let inactive = (!told.active).then(|| view! { <Notice class="careful">"Is deactivated in Flowdeck and cannot sign in."</Notice> });
    let steps = told.steps.iter().map(|step| self::step(&told, step)).collect_view();
    let user = told.user.clone();
    view! {
        <section class="card explained" aria-labelledby="why-title">
            <header><h2 id="why-title"><bdi>{user}</bdi>" has "{words::level(told.level)}" on "<a href=href_of(&told.on)>{thing}</a></h2></header>
            <div class="body stack">
                {unknown}{inactive}
                <ul class="able" aria-label="What this allows">{able(can.read, "read")}{able(can.edit, "edit")}{able(can.delete, "delete")}{able(can.manage, "say who else may")}</ul>
                <h3>"Step by step, as MLflow reckons"</h3>
                <ol class="steps-of">{steps}</ol>
                <p class="faint small">"as of "<Time at=told.read_at/></p>
            </div>
        </section>
    }
    .into_any()
}

fn step(told: &Explanation, step: &Step) -> AnyView {
    let (icon, class, mark) = if step.decides {
        (icon::CircleCheck, "decides", "decides")
    } else {
        (icon::Circle, "muted", "would have counted")
    };
    let mark = if step.why == Why::Inactive { "" } else { mark };
    let groups = step
        .groups
        .iter()
        .map(|group| view! { " · through the group "<a href=Route::Group { name: group.clone() }.href()>{quoted(group)}</a> }.into_any());
    let level = step.level.map(|level| words::level(Some(level)));
    view! {
        <li class=class><Icon icon=icon/><div><p>{step.says.clone()}{groups.collect_view()}</p><p class="line small">{level}<span class="faint">{mark}</span>{change(told, step)}</p></div></li>
    }
    .into_any()
}

/// Where what a step says is changed.
fn change(told: &Explanation, step: &Step) -> Option<AnyView> {
    let link = |href: String, label: &'static str| Some(view! { <a href=href>{label}</a> }.into_any());
    match (step.change.as_ref()?, step.on.as_ref()) {
        (Place::User(_), Some(on)) if !on.is_all() => link(href_of(on), "Change it where access to this is granted"),
        (Place::User(name), _) if *name == told.user => {
            let name = name.clone();
            Some(view! { <Link to=Route::User { name }>"Change it at the user"</Link> }.into_any())
        }
        (Place::User(name), _) => link(Route::User { name: name.clone() }.href(), "Change it at the user"),
        (Place::Role(name), _) => link(Route::Role { name: name.clone() }.href(), "Change it at the role"),
        (Place::Group(name), _) => link(Route::Group { name: name.clone() }.href(), "Change it at the group"),
        (Place::Mlflow(key), _) => Some(view! { <span>"Changed in MLflow's auth.ini: "<code>{key.clone()}</code></span> }.into_any()),
    }
}
