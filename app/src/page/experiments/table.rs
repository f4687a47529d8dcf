//! The rows: folders, then experiments.

use std::sync::Arc;

use crate::prelude::*;
use icondata_core::IconData;
use leptos::ev;

use super::{
    STEP,
    change::Changes,
    dialogs::Opened,
    folder,
    listing::{By, FolderRow, Listing, Row, Wish, spell_tag},
};
use crate::{
    browser,
    part::{
        icon::{self, Icon},
        id::shorten,
        link::Link,
        menu::Menu,
        number::count,
        tag::Tag,
        time::Time,
    },
    route::Route,
    state::address::Address,
};

/// How many tags of an experiment are shown in its row.
const TAGS: usize = 3;

#[component]
pub fn Table(
    listing: Memo<Listing>,
    wish: Memo<Wish>,
    limit: Memo<usize>,
    opened: Opened,
    changes: Changes,
    deleted: bool,
) -> impl IntoView {
    let address = Address::here();
    let folders = move || listing.with(|listing| listing.folders.iter().take(limit.get()).cloned().collect::<Vec<_>>());
    let rows = move || {
        listing.with(|listing| {
            listing
                .rows
                .iter()
                .take(limit.get().saturating_sub(listing.folders.len()))
                .cloned()
                .collect::<Vec<_>>()
        })
    };
    let folder = Memo::new(move |_| wish.with(|wish| wish.folder.clone()));
    let keys = |event: ev::KeyboardEvent| {
        let forward = match event.key().as_str() {
            "ArrowDown" => true,
            "ArrowUp" => false,
            _ => return,
        };
        if browser::step_focus("[data-row]", forward) {
            event.prevent_default();
        } else if !forward {
            browser::focus("[data-key='/']");
        }
    };
    let more = move || {
        let left = listing
            .with(|listing| listing.rows.len() + listing.folders.len())
            .saturating_sub(limit.get());
        let show = (limit.get() + STEP).to_string();
        let label = format!("Show {} more of {}", count(left.min(STEP)), count(left));
        (left > 0).then(
            || view! { <div class="more"><a class="button" href=address.with(&[("show", Some(&show))]) data-noscroll="">{label}</a></div> },
        )
    };
    let client = changes;
    let restore = client.clone();
    let restore = Callback::new(move |row: Arc<Row>| restore.remove(&row, true));
    view! {
        <table class="grid" class:deleted=deleted on:keydown=keys>
            <caption class="unseen">{if deleted { "Deleted experiments" } else { "Experiments" }}</caption>
            <thead><tr>
                <Column label="Name" by=By::Name wish=wish class="name"/>
                <th scope="col" class="tags-column">"Tags"</th>
                <Column label="Updated" by=By::Updated wish=wish class="time"/>
                <Column label="Created" by=By::Created wish=wish class="time created"/>
                <th scope="col" class="id-column">"Id"</th>
                <th scope="col" class="act"><span class="unseen">"Actions"</span></th>
            </tr></thead>
            <tbody>
                {each(folders, Clone::clone, move |row| folder_row(address, row))}
                {each(rows, |row| Arc::as_ptr(row) as usize, move |row| experiment_row(address, &row, folder, opened.target, deleted.then_some(restore)))}
            </tbody>
        </table>
        {more}
        {(!deleted).then(|| view! { <RowMenu opened=opened changes=client/> })}
    }
}

/// The head of a column that can be sorted by.
#[component]
fn Column(label: &'static str, by: By, wish: Memo<Wish>, class: &'static str) -> impl IntoView {
    let address = Address::here();
    let sort = Memo::new(move |_| wish.with(|wish| wish.sort));
    let href = move || address.with(&[("sort", Some(sort.get().pressed(by).spell())), ("show", None)]);
    let order = move || {
        let sort = sort.get();
        (sort.by == by).then_some(if sort.down { "descending" } else { "ascending" })
    };
    let arrow = move || {
        let sort = sort.get();
        (sort.by == by).then(|| view! { <Icon icon=if sort.down { icon::ArrowDown } else { icon::ArrowUp }/> })
    };
    view! { <th scope="col" class=class aria-sort=order><a href=href data-noscroll="">{label}{arrow}</a></th> }
}

fn folder_row(address: Address, row: FolderRow) -> AnyView {
    let path = row.path.clone();
    let href = move || address.with(&[("folder", Some(&path)), ("show", None)]);
    let number = if row.count == 1 {
        "1 experiment".to_owned()
    } else {
        format!("{} experiments", count(row.count))
    };
    view! {
        <tr class="folder">
            <th scope="row" class="name"><div class="line"><Icon icon=icon::Folder/><a class="name" href=href data-row="" title=row.path><bdi>{row.name}</bdi></a><span class="faint">{number}</span></div></th>
            <td class="tags-column"></td>
            <td class="time">{row.updated.map(|at| view! { <Time at=at/> })}</td>
            <td class="time created"></td>
            <td class="id-column"></td>
            <td class="act"></td>
        </tr>
    }
    .into_any()
}

fn experiment_row(
    address: Address,
    row: &Arc<Row>,
    inside: Memo<String>,
    target: RwSignal<Option<Arc<Row>>>,
    restore: Option<Callback<Arc<Row>>>,
) -> AnyView {
    let experiment = &row.experiment;
    let name = experiment.name.clone();
    // In a list across folders the way stands before the name.
    let shown = move || {
        let inside = inside.get();
        let rest = folder::below(&inside, &name).unwrap_or(&name);
        let (_, last) = folder::around(rest);
        let way = &rest[..rest.len() - last.len()];
        let way = (!way.is_empty()).then(|| view! { <span class="way">{way.to_owned()}</span> });
        view! { <bdi>{way}{last.to_owned()}</bdi> }
    };
    let note = excerpt(experiment.note());
    let note = (!note.is_empty()).then(|| view! { <bdi class="note clip">{note}</bdi> });
    let tags = experiment
        .own_tags()
        .take(TAGS)
        .map(|tag| chip(address, &tag.key, &tag.value))
        .collect_view();
    let hidden = experiment
        .own_tags()
        .skip(TAGS)
        .map(|tag| format!("{}: {}", tag.key, tag.value))
        .collect::<Vec<_>>();
    let hidden = (!hidden.is_empty()).then(|| view! { <span class="tag" title=hidden.join("\n")>{format!("+{}", hidden.len())}</span> });
    let time = |at: Option<i64>| at.map(|at| view! { <Time at=at/> });
    let (own, label) = (Arc::clone(row), format!("Actions for {}", experiment.name));
    let act = match restore {
        Some(restore) => view! {
            <button type="button" class="button small needs-script" on:click=move |_| restore.run(Arc::clone(&own))><Icon icon=icon::Undo/>"Restore"</button>
        }
        .into_any(),
        None => view! {
            <button type="button" class="button quiet small square needs-script" popovertarget="row-menu" aria-haspopup="true" aria-label=label title="Actions" on:click=move |_| target.set(Some(Arc::clone(&own)))><Icon icon=icon::More/></button>
        }
        .into_any(),
    };
    let id = row.id().to_owned();
    view! {
        <tr>
            <th scope="row" class="name"><div class="line"><Icon icon=icon::Flask/>
                <Link to=Route::Experiment { id: id.clone() } class="name" attr:data-row=id.clone() attr:title=experiment.name.clone()>{shown}</Link>{note}</div></th>
            <td class="tags-column"><div class="tags one-line">{tags}{hidden}</div></td>
            <td class="time">{time(experiment.last_update_time)}</td>
            <td class="time created">{time(experiment.creation_time)}</td>
            <td class="id-column"><data class="exact mono" value=id.clone() title=id.clone()>{shorten(&id)}</data></td>
            <td class="act">{act}</td>
        </tr>
    }
    .into_any()
}

/// A tag that filters by itself.
fn chip(address: Address, key: &str, value: &str) -> AnyView {
    let spelt = spell_tag(key, value);
    let href = Signal::derive(move || {
        let tags = address.all("tag");
        let mut changes: Vec<(&str, Option<&str>)> = tags
            .iter()
            .filter(|tag| **tag != spelt)
            .map(|tag| ("tag", Some(tag.as_str())))
            .collect();
        changes.extend([("tag", Some(spelt.as_str())), ("show", None)]);
        address.with(&changes)
    });
    view! { <Tag key=key.to_owned() value=value.to_owned() href=href/> }
}

/// The beginning of a note, without the marks of Markdown.
fn excerpt(note: &str) -> String {
    let line = note
        .lines()
        .map(|line| line.trim_start_matches(['#', '>', '-', '*', ' ']))
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    line.chars().filter(|letter| !matches!(letter, '*' | '`' | '_')).take(160).collect()
}

/// One menu for all rows: the button that opens it says for which.
#[component]
fn RowMenu(opened: Opened, changes: Changes) -> impl IntoView {
    let delete = move |_| {
        if let Some(row) = opened.target.get_untracked() {
            changes.remove(&row, false);
        }
    };
    let item = |icon: &'static IconData, label: &'static str, open: RwSignal<bool>| {
        view! { <button type="button" class="item" on:click=move |_| open.set(true)><Icon icon=icon/>{label}</button> }
    };
    view! {
        <Menu id="row-menu" label="Actions for the experiment">
            {item(icon::Pencil, "Rename…", opened.rename)}
            {item(icon::Tag, "Tags…", opened.tags)}
            {item(icon::File, "Note…", opened.note)}
            <hr/>
            <button type="button" class="item danger" on:click=delete><Icon icon=icon::Trash/>"Delete"</button>
        </Menu>
    }
}
