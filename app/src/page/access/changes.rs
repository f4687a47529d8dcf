//! What was changed of who may do what: by whom, from what to what; taken back, or gone on with.

use crate::prelude::*;
use leptos::{ev, task::spawn_local};

use super::{
    load::{Asked, Loaded, ask},
    needs_script, search,
};
use crate::{
    api::{
        Client,
        flowdeck::{
            change::{self, Change, ChangePage, ChangeState},
            grant::{Kind, Target},
        },
    },
    page::{
        admin::AdminTabs,
        review::{self, Review, words},
    },
    part::{
        button::Button,
        crumbs::{Crumb, Crumbs},
        dynamic::dynamic,
        face::{Empty, quoted, sentence},
        icon::{self, Icon},
        link::Link,
        number::count,
        time::Time,
        title::Title,
        toast::Toasts,
    },
    route::Route,
    state::{address::Address, query::Query},
};

/// Of one change so many edits are listed.
const LISTED: usize = 500;

/// What the address filters by, as the server calls it too.
const FILTERS: [&str; 8] = ["user", "role", "group", "kind", "id", "by", "request", "before"];

pub fn changes() -> AnyView {
    let address = Address::here();
    let query = address.query();
    let found = ask(Memo::new(move |_| {
        let wanted = |query: &Query| {
            let wanted = |wanted: Query, key: &str| wanted.with(key, query.get(key).unwrap_or_default());
            FILTERS.into_iter().fold(Query::default(), wanted)
        };
        Asked::Changes(query.with(wanted))
    }));
    let again = Callback::new(move |()| found.again());
    let review = Review::new(move || again.run(()));
    let list = found.view("what was changed", move |loaded| {
        Ok(match loaded? {
            Loaded::Changes(page) => known(address, page, again, review),
            _ => AnyView::Nothing,
        })
    });
    const PLACE: &[(&str, Option<&str>)] = &[("before", None)];
    // Of these the server takes one at a time.
    const ABOUT_USER: &[(&str, Option<&str>)] = &[("before", None), ("role", None), ("group", None), ("kind", None), ("id", None)];
    const ABOUT_ROLE: &[(&str, Option<&str>)] = &[("before", None), ("user", None), ("group", None), ("kind", None), ("id", None)];
    view! {
        <Title text="Changes"/>
        <Crumbs way=vec![Crumb::link("Admin", Route::Admin.href()), Crumb::here("Changes")]/>
        <div class="page access">
            <div class="title"><h1>"Changes"</h1><span class="facts">"of who may do what"</span></div>
            <AdminTabs here=Route::Changes/>
            <form class="toolbar" role="search" method="get" on:submit=|event: ev::SubmitEvent| event.prevent_default()>
                {search(address, "user", "Of this user", ABOUT_USER)}
                {search(address, "role", "Of this role", ABOUT_ROLE)}
                {search(address, "by", "Made by", PLACE)}
                <button class="button without-script" type="submit">"Search"</button>
            </form>
            {dynamic(move || narrowed(address))}
            {needs_script()}
            {list}
            {review.dialog()}
        </div>
    }
    .into_any()
}

/// Says that not all changes are shown, where no field above says so.
fn narrowed(address: Address) -> Option<AnyView> {
    let about = match (address.get("group"), address.get("kind"), address.get("id"), address.get("request")) {
        (Some(group), ..) => format!("Only changes of the group {}", quoted(&group)),
        (_, Some(kind), Some(id), _) => {
            let on = Kind::named(&kind).map(|kind| Target::new(kind, id))?;
            format!("Only changes of grants on {}", words::thing(&on, &words::Names::new()))
        }
        (.., Some(_)) => "Only what one call has changed".to_owned(),
        _ => return None,
    };
    let all = address.with(&[("group", None), ("kind", None), ("id", None), ("request", None), ("before", None)]);
    Some(
        view! { <div class="statusbar"><span>{about}</span><a class="button small" href=all data-noscroll="">"Show all"</a></div> }
            .into_any(),
    )
}

fn known(address: Address, page: ChangePage, again: Callback<()>, review: Review) -> AnyView {
    if page.changes.is_empty() {
        let is_narrowed = FILTERS.iter().any(|name| address.get(name).is_some());
        let title = if is_narrowed { "No such change" } else { "No changes yet" };
        return view! {
            <Empty title=title icon=icon::Clock><p>"Each change of users, roles, groups and grants that is made through Flowdeck is kept here, with what was so before, and can be taken back."</p></Empty>
        }
        .into_any();
    }
    let client = StoredValue::new(expect_context::<Client>());
    let toasts = Toasts::expect();
    let names = page.names.into_iter().map(|named| (named.on, named.name)).collect();
    let row = |change: Change| row(change, &names, client, toasts, again, review);
    let rows = page.changes.into_iter().map(row).collect_view();
    let older = page.next.map(|id| {
        view! { <div class="statusbar"><a class="button" href=move || address.with(&[("before", Some(&id))]) data-noscroll="">"Older"</a></div> }
    });
    view! {
        <div class="grid-scroll">
            <table class="grid cards changes">
                <caption class="unseen">"Changes, the last one first"</caption>
                <thead><tr><th scope="col">"What"</th><th scope="col">"By"</th><th scope="col">"When"</th><th scope="col">"State"</th><th scope="col"><span class="unseen">"Actions"</span></th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {older}
    }
    .into_any()
}

fn row(change: Change, names: &words::Names, client: StoredValue<Client>, toasts: Toasts, again: Callback<()>, review: Review) -> AnyView {
    let number = change.edits.len();
    let line = |edit| view! { <li>{words::edit(edit, names)}</li> }.into_any();
    let first = change.edits.iter().take(2).map(line).collect_view();
    let rest = (number > 2).then(|| {
        let rest = change.edits.iter().skip(2).take(LISTED).map(line).collect_view();
        let more = (number > LISTED + 2).then(|| view! { <li>{format!("and {} more", count(number - LISTED - 2))}</li> });
        view! { <details><summary>{format!("and {} more", count(number - 2))}</summary><ul class="edits">{rest}{more}</ul></details> }
    });
    let reason = (!change.reason.is_empty()).then(|| view! { <p class="muted"><bdi>{change.reason.clone()}</bdi></p> });
    let trouble = change
        .trouble
        .clone()
        .map(|text| view! { <p class="danger small">{sentence(&text)}</p> });
    let (icon, class, state) = match (change.state, &change.undone_by) {
        (ChangeState::Applied, Some(_)) => (icon::Undo, "status faint", "Taken back"),
        (ChangeState::Applied, None) => (icon::CircleCheck, "status positive", "Made"),
        (ChangeState::Applying, _) => (icon::Loader, "status", "Under way"),
        (ChangeState::Reverted, _) => (icon::CircleX, "status warning", "Failed, nothing changed"),
        (ChangeState::Interrupted, _) => (icon::Warning, "status danger", "Interrupted"),
    };
    let id = change.id.clone();
    let act = match (change.state, change.can_undo) {
        (ChangeState::Interrupted, _) => {
            let resume = move |_| {
                let id = id.clone();
                spawn_local(async move {
                    let Some(client) = client.try_get_value() else { return };
                    match change::resume(&client, &id).await {
                        Ok(change) if change.state == ChangeState::Applied => toasts.say("Made to its end"),
                        Ok(_) => toasts.say("It could not be made, and was taken back"),
                        Err(error) => toasts.failed("It could not go on", &error),
                    }
                    again.try_run(());
                });
            };
            Some(view! { <Button class="small" icon=icon::Retry press=resume>"Go on"</Button> }.into_any())
        }
        (_, true) => {
            let known: words::Names = names.clone();
            let undo = move |_| {
                review.ask(review::Asked {
                    title: "Take it back".into(),
                    edits: Vec::new(),
                    undoes: Some(id.clone()),
                    names: known.clone(),
                });
            };
            Some(view! { <Button class="small" icon=icon::Undo press=undo>"Undo…"</Button> }.into_any())
        }
        (ChangeState::Applied, false) if change.undone_by.is_none() => {
            Some(view! { <span class="muted small">"A password is not put back"</span> }.into_any())
        }
        _ => None,
    };
    let (to, by) = (Route::User { name: change.by.clone() }, change.by.clone());
    view! {
        <tr>
            <th scope="row"><ul class="edits">{first}</ul>{rest}{reason}{trouble}</th>
            <td data-label="By"><Link to=to><bdi>{by}</bdi></Link></td>
            <td data-label="When"><Time at=change.at/></td>
            <td data-label="State"><span class=class><Icon icon=icon/>{state}</span></td>
            <td class="act"><span class="needs-script">{act}</span></td>
        </tr>
    }
    .into_any()
}
