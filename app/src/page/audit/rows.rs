//! The rows: a line each, opened to all facts, and new ones while one looks.

use std::time::Duration;

use crate::prelude::*;
use leptos::task::spawn_local;

use super::search::{Page, Wanted};
use crate::{
    api::{
        Client,
        flowdeck::audit::{self, Row},
    },
    browser,
    part::{
        clock::Clock,
        copy::Copy,
        dynamic::dynamic,
        face::Empty,
        icon::{self, Icon},
        id::shorten,
        link::Link,
        number::{count, short},
        time::{Time, iso},
    },
    route::Route,
    state::{address::Address, query::Query},
};

const AGAIN: Duration = Duration::from_secs(2);
/// So many new rows one call brings; and while one looks no more than some of these are kept.
const MANY: usize = 500;

pub fn rows(address: Address, page: Page) -> AnyView {
    let (older, newest, searched_to) = (page.older, page.newest, page.searched_to);
    let first = page.rows.first().map(|row| row.id);
    let own = page.own;
    let shown = RwSignal::new(page.rows);
    let coming = RwSignal::new(Vec::<Row>::new());
    let wants_live = address.memo("live");
    let live = Memo::new(move |_| newest && wants_live.read().is_some());
    let late = RwSignal::new(false);
    follow(address, own, live, shown, coming, late);

    let opened = address.memo("row");
    let none = Memo::new(move |_| shown.read().is_empty());
    let row = move |row: Row| line(address, opened, row);
    let table = move || {
        view! {
            <div class="grid-scroll">
                <table class="grid cards calls">
                    <caption class="unseen">"Calls, newest first"</caption>
                    <thead><tr>
                        <th scope="col">"Time"</th><th scope="col">"User"</th><th scope="col">"Way in"</th><th scope="col">"Call"</th>
                        <th scope="col">"Status"</th><th scope="col" class="number">"ms"</th><th scope="col">"About"</th>
                    </tr></thead>
                    <tbody>{each(move || shown.get(), |row| row.id, row)}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    let empty = move || {
        match (searched_to, newest) {
        (Some(_), _) => view! { <Empty icon=icon::Search title="Nothing found so far"><p>"The search goes back step by step: go on below."</p></Empty> }.into_any(),
        (None, true) => view! { <Empty icon=icon::Search title="No call matches"><p>"Calls are kept for a time, and then they are gone. With “Live”, what comes from now on appears here."</p></Empty> }.into_any(),
        (None, false) => view! { <Empty icon=icon::Search title="There are no older calls"><p>"This is the end."</p></Empty> }.into_any(),
    }
    };
    let show = move |_| {
        shown.update(|shown| {
            let mut new = std::mem::take(&mut *coming.write());
            new.append(shown);
            new.truncate(2 * MANY);
            *shown = new;
        });
    };
    let waiting = move || match coming.read().len() {
        0 => None,
        number => Some(
            view! { <button type="button" class="button primary small" on:click=show><Icon icon=icon::ArrowUp/>{format!("{} new", count(number))}</button> },
        ),
    };
    let bar = view! {
        <div class="statusbar">
            <a class="button small needs-script" role="switch" aria-checked=move || live.get().to_string() data-noscroll=""
                href=move || address.with(&[("live", (!live.get()).then_some("1")), ("cursor", None), ("after", None)])>
                <Icon icon=icon::Loader/>"Live"</a>
            <span role="status">{dynamic(waiting)}{dynamic(move || (live.get() && late.get()).then_some("No answer just now; asking again…"))}</span>
        </div>
    };
    let onward = older.map(|cursor| {
        let label = if searched_to.is_some() { "Go on" } else { "Older" };
        view! { <a class="button" href=move || address.with(&[("cursor", Some(&cursor)), ("after", None), ("live", None), ("row", None)])>{label}</a> }
    });
    let so_far = searched_to.map(|at| view! { <span class="muted">"Searched so far back to "{moment(at)}"."</span> });
    let back = (!newest).then(|| {
        let after = first.map(|id| id.to_string());
        let newer = after.map(|id| view! { <a class="button" href=move || address.with(&[("after", Some(&id)), ("cursor", None), ("row", None)])>"Newer"</a> });
        view! { <a class="button" href=move || address.with(&[("after", None), ("cursor", None), ("row", None)])>"Newest"</a>{newer} }
    });
    view! {
        {bar}
        {dynamic(move || if none.get() { empty() } else { table() })}
        <nav class="statusbar" aria-label="Pages">{back}{onward}{so_far}</nav>
    }
    .into_any()
}

/// Asks for newer rows every two seconds while somebody looks.
fn follow(address: Address, own: bool, live: Memo<bool>, shown: RwSignal<Vec<Row>>, coming: RwSignal<Vec<Row>>, late: RwSignal<bool>) {
    let client = StoredValue::new(expect_context::<Client>());
    let user = StoredValue::new(crate::Site::expect().user);
    let asking = StoredValue::new(false);
    // A span is counted from the moment the page was asked for: later rows are in it anyway.
    let wanted = address.query().with_untracked(Wanted::read);
    let query = StoredValue::new(wanted.filters);
    let last = StoredValue::new(shown.with_untracked(|rows| rows.first().map_or(0, |row| row.id)));
    let ask = move || {
        if !browser::visible() || asking.get_value() {
            return;
        }
        asking.set_value(true);
        let mut query = query
            .get_value()
            .with("after", &last.get_value().to_string())
            .with("limit", &MANY.to_string());
        if own {
            query = query.with("user", &user.get_value());
        }
        spawn_local(async move {
            let Some(client) = client.try_get_value() else { return };
            let found = audit::list(&client, &query).await;
            asking.try_set_value(false);
            late.try_set(found.is_err());
            if let Ok(found) = found {
                let newest = found.rows.last().map(|row| row.id);
                let read_to = found.next.and_then(|next| next.parse().ok()).max(newest);
                if let Some(read_to) = read_to {
                    last.try_set_value(read_to);
                }
                if newest.is_some() {
                    coming.try_update(|coming| {
                        let mut new: Vec<Row> = found.rows.into_iter().rev().collect();
                        new.append(coming);
                        new.truncate(2 * MANY);
                        *coming = new;
                    });
                }
            }
        });
    };
    Effect::new(move |_| {
        if live.get() {
            ask();
            if let Ok(timer) = set_interval_with_handle(ask, AGAIN) {
                on_cleanup(move || timer.clear());
            }
        }
    });
}

fn line(address: Address, opened: Memo<Option<String>>, row: Row) -> AnyView {
    let id = row.id.to_string();
    let own = id.clone();
    let open = Memo::new(move |_| opened.read().as_deref() == Some(own.as_str()));
    let href = move || address.with(&[("row", (!open.get()).then_some(id.as_str()))]);
    let user = match row.user.clone() {
        Some(user) => view! { <Link to=Route::User { name: user.clone() }><bdi>{user}</bdi></Link> }.into_any(),
        None => view! { <span class="muted">"nobody"</span> }.into_any(),
    };
    let about = about(&row);
    let kept = StoredValue::new(row.clone());
    view! {
        <tr aria-selected=move || open.get().to_string()>
            <th scope="row"><a class="open" href=href aria-expanded=move || open.get().to_string() data-noscroll=""><Icon icon=icon::ChevronRight/>{moment(row.at)}</a></th>
            <td data-label="User">{user}</td>
            <td data-label="Way in">{way(&row.way)}</td>
            <td data-label="Call"><span class="mono"><b>{row.method.clone()}</b>" "{row.route.clone()}</span></td>
            <td data-label="Status"><span class=status_class(row.status)>{row.status}</span></td>
            <td data-label="ms" class="number">{short(row.ms)}</td>
            <td data-label="About">{about}</td>
        </tr>
        {dynamic(move || open.get().then(|| kept.with_value(|row| facts(address, row))))}
    }
    .into_any()
}

/// Everything about a call.
fn facts(address: Address, row: &Row) -> AnyView {
    let fact = |name: &'static str, value: AnyView| view! { <dt>{name}</dt><dd>{value}</dd> };
    let text = |text: &Option<String>| text.clone().map(|text| view! { <bdi>{text}</bdi> }.into_any());
    let user = row.user.clone().map(|user| {
        let (name, all) = (user.clone(), narrow(address, "user", user.clone(), "all calls".into()));
        view! { <Link to=Route::User { name: user }><bdi>{name}</bdi></Link>" · "{all} }.into_any()
    });
    let key = row.key.clone().map(|key| narrow(address, "key", key.clone(), key));
    let request = row
        .request_id
        .clone()
        .map(|id| view! { <span class="line"><code>{id.clone()}</code><Copy text=id label="Copy the request id"/></span> }.into_any());
    let shadow = row
        .shadow
        .clone()
        .map(|why| view! { <span class="warning">"would have been refused: "{why}</span> }.into_any());
    let experiments = row.experiments.iter().map(|id| {
        let says = format!("experiment {id}");
        view! { <Link to=Route::Experiment { id: id.clone() }>{says}</Link>" " }
    });
    let runs = row
        .runs
        .iter()
        .map(|id| view! { <a href=run_href(id)>"run "<code>{id.clone()}</code></a>" " });
    let models = row
        .models
        .iter()
        .map(|name| narrow(address, "model", name.clone(), format!("model {name}")));
    let none = row.experiments.is_empty() && row.runs.is_empty() && row.models.is_empty();
    let about = (!none).then(|| view! { {experiments.collect_view()}{runs.collect_view()}{models.collect_view()} }.into_any());
    let size = |bytes: u64| format!("{} bytes", count(bytes as usize));
    let facts = [
        ("When", Some(view! { {moment(row.at)}" · "<Time at=row.at/> }.into_any())),
        ("User", user),
        ("Way in", Some(way(&row.way).into_any())),
        ("Key", key),
        ("Address", text(&row.address)),
        ("Call", Some(view! { <code class="wrap">{row.method.clone()}" "{row.route.clone()}</code>" · "{narrow(address, "route", row.route.clone(), "all of these".into())} }.into_any())),
        ("Answer", Some(view! { <span class=status_class(row.status)>{row.status}</span>{format!(" after {} ms", short(row.ms))} }.into_any())),
        ("Bodies", Some(format!("{} in, {} out", size(row.bytes_in), size(row.bytes_out)).into_any())),
        ("About", about),
        ("Changed", changed(row)),
        ("Shadow mode", shadow),
        ("Request id", request),
    ];
    let facts = facts.into_iter().filter_map(|(name, value)| Some(fact(name, value?)));
    view! { <tr class="facts-row"><td colspan="7"><dl class="facts-list">{facts.collect_view()}</dl></td></tr> }.into_any()
}

/// Where what was so before stands, and the way back.
fn changed(row: &Row) -> Option<AnyView> {
    let room = row.route.strip_prefix("/api/flowdeck/v1/")?.split('/').next()?;
    if row.method == "GET" || row.status >= 400 || !["users", "invites", "rules", "changes"].contains(&room) {
        return None;
    }
    let query = Query::default().with("request", row.request_id.as_deref()?);
    let href = Route::Changes.href() + &query.href();
    Some(view! { <a href=href>"before and after, and the way back"</a> }.into_any())
}

/// What the call was about, in short.
fn about(row: &Row) -> AnyView {
    match (row.runs.first(), row.experiments.first(), row.models.first()) {
        (Some(run), _, _) => view! { <a href=run_href(run)>"run "<span class="mono">{shorten(run)}</span></a> }.into_any(),
        (None, Some(id), _) => {
            let says = format!("experiment {}", shorten(id));
            view! { <Link to=Route::Experiment { id: id.clone() }>{says}</Link> }
        }
        (None, None, Some(model)) => view! { "model "<bdi>{model.clone()}</bdi> }.into_any(),
        (None, None, None) => ().into_any(),
    }
}

fn run_href(id: &str) -> String {
    crate::Site::expect().href(&format!("/runs/{}", crate::route::escape(id)))
}

/// A link that looks for the same.
fn narrow(address: Address, name: &'static str, value: String, label: String) -> AnyView {
    let href = move || address.with(&[(name, Some(&value)), ("cursor", None), ("after", None), ("row", None)]);
    view! { <a href=href data-noscroll=""><bdi>{label}</bdi></a> }.into_any()
}

fn way(way: &str) -> &'static str {
    match way {
        "session" => "browser",
        "key" => "API key",
        "basic" => "password",
        _ => "none",
    }
}

fn status_class(status: u16) -> &'static str {
    match status {
        500.. => "danger",
        400..500 => "warning",
        _ => "",
    }
}

/// The exact time, to the second.
fn moment(at: i64) -> AnyView {
    let clock = Clock::expect();
    let text = move || clock.exact(at).chars().take(19).collect::<String>();
    view! { <time datetime=iso(at) title=move || clock.exact(at)>{dynamic(text)}</time> }.into_any()
}
