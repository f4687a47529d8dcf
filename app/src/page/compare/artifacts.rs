//! The files of the runs: which there are, and one of them in two runs.

use std::sync::Arc;

use crate::prelude::*;
use leptos::ev;

use super::{
    bring::Known,
    listing::{Entry, FILES, Listings, MOST, Wanted},
    pair::{Side, pair},
    toolbar::kept,
    view::{Place, View},
};
use crate::{
    api::Client,
    page::run::size,
    part::{
        dynamic::dynamic,
        face::{Empty, Loading, Notice},
        icon::{self, Icon},
        number::count,
    },
    state::address::Screen as _,
};

pub fn artifacts(known: Arc<Known>, place: Place) -> AnyView {
    let client = expect_context::<Client>();
    let view = place.view;
    let known = StoredValue::new(known);
    let wanted = Memo::new(move |_| {
        let mut wanted = Wanted::of(&view.read());
        known.with_value(|known| wanted.runs.retain(|id| known.run(id).is_ok()));
        wanted
    });
    // Each folder of each run is asked for once.
    let here = StoredValue::new(Listings::default());
    let listings = Resource::new(
        move || wanted.get(),
        move |wanted| {
            let (client, before) = (client.clone(), here.get_value());
            async move { Ok(Listings::bring(&client, &wanted, before).await) }
        },
    );
    let many = Memo::new(move |_| (wanted.read().runs.len(), view.read().shown().len()));
    let bound = move || {
        let (listed, shown) = many.get();
        (listed == MOST && shown > MOST).then(|| {
            view! { <div class="body"><Notice class="careful">{format!("The files of {listed} of these {} runs are listed: the two that are compared, and the first of the others.", count(shown))}</Notice></div> }
        })
    };
    view! {
        {dynamic(move || chooser(&known.get_value(), place))}
        {dynamic(bound)}
        <Transition fallback=|| view! { <Loading/> }>
            {dynamic(move || Suspend::new(async move {
                let found = listings.await.unwrap_or_default();
                if found.is_deferred() {
                    Effect::new(move |_| listings.refetch());
                    return view! { <Loading/> }.into_any();
                }
                here.try_set_value(found.clone());
                files(&known.get_value(), &found, &wanted.get_untracked(), place)
            }))}
        </Transition>
    }
    .into_any()
}

/// Which two runs are held against each other.
fn chooser(known: &Known, place: Place) -> AnyView {
    let view = place.view.get();
    let Some((left, right)) = view.pair() else {
        return ().into_any();
    };
    let select = |field: &'static str, label: &'static str, chosen: &str| {
        let option = |id: &String| view! { <option value=id.clone() selected=id == chosen>{known.name(id)}</option> };
        let options = view.shown().iter().map(option).collect_view();
        let choose = move |event: ev::Event| {
            let id = Some(event_target_value(&event));
            let now = place.now();
            // What is left as it is is said too, so that it stays.
            let (left, right) = now
                .pair()
                .map(|(left, right)| (Some(left.to_owned()), Some(right.to_owned())))
                .unzip();
            let (left, right) = (left.flatten(), right.flatten());
            place.go(&match field {
                "left" if id == right => View {
                    right: left,
                    left: id,
                    ..now
                },
                "left" => View { left: id, right, ..now },
                _ if id == left => View {
                    left: right,
                    right: id,
                    ..now
                },
                _ => View { left, right: id, ..now },
            });
        };
        view! { <select class="input" name=field aria-label=label on:change=choose prop:value=chosen.to_owned()>{options}</select> }
    };
    let swapped = place.href(&View {
        left: Some(right.to_owned()),
        right: Some(left.to_owned()),
        ..view.clone()
    });
    view! {
        <form class="toolbar" method="get" action=place.path() on:submit=|event: ev::SubmitEvent| event.prevent_default()>
            {kept(&view.query(), &["left", "right"])}
            <label class="line"><span class="muted">"Left"</span>{select("left", "Left run", left)}</label>
            <label class="line"><span class="muted">"Right"</span>{select("right", "Right run", right)}</label>
            <button type="submit" class="button without-script">"Show"</button>
            <a class="button" href=swapped data-noscroll="">"Swap"</a>
        </form>
    }
    .into_any()
}

fn files(known: &Known, listings: &Listings, wanted: &Wanted, place: Place) -> AnyView {
    let (entries, more) = listings.entries(wanted);
    if entries.is_empty() {
        return view! { <Empty title="No artifacts" icon=icon::Folder><p>"None of these runs keeps a file."</p></Empty> }.into_any();
    }
    let entries = Arc::new(entries);
    let of = wanted.runs.len();
    let sides = {
        let known = StoredValue::new(known.clone());
        Memo::new(move |_| {
            let view = place.view.read();
            let side = |id: &str| Side {
                id: id.to_owned(),
                name: known.with_value(|known| known.name(id)),
            };
            view.pair().map(|(left, right)| (side(left), side(right)))
        })
    };
    let chosen = Memo::new(move |_| place.view.read().path.clone());
    let rows = {
        let (entries, wanted) = (entries.clone(), wanted.clone());
        move || {
            let (pair, chosen) = (sides.get(), chosen.get());
            let row = |entry: &Entry| row(entry, of, pair.as_ref(), chosen.as_deref(), &wanted, place);
            entries.iter().map(row).collect_view()
        }
    };
    let look = move || {
        let (path, (left, right)) = (chosen.get()?, sides.get()?);
        let file = |side: &Side| {
            let mut with = entries.iter().filter(|entry| entry.path == path && !entry.is_dir);
            with.find_map(|entry| entry.sizes.get(&side.id)).copied()
        };
        Some(pair(&path, (left.clone(), file(&left)), (right.clone(), file(&right))))
    };
    let columns = move || {
        let column =
            |side: &Side| view! { <th scope="col" class="number"><bdi class="clip" title=side.name.clone()>{side.name.clone()}</bdi></th> };
        sides.get().map(|(left, right)| view! { {column(&left)}{column(&right)} })
    };
    view! {
        <div class="artifacts">
            <section class="card files" aria-label="Files">
                <div class="grid-scroll">
                    <table class="grid values">
                        <thead><tr><th scope="col">"File"</th><th scope="col" class="number">"Runs"</th>{dynamic(columns)}</tr></thead>
                        <tbody>{dynamic(rows)}</tbody>
                    </table>
                </div>
                {more.then(|| view! { <p class="body faint">{format!("Of each folder the first {FILES} are shown.")}</p> })}
            </section>
            {dynamic(look)}
        </div>
    }
    .into_any()
}

fn row(entry: &Entry, of: usize, pair: Option<&(Side, Side)>, chosen: Option<&str>, wanted: &Wanted, place: Place) -> AnyView {
    let name = entry.path.rsplit('/').next().unwrap_or(&entry.path).to_owned();
    let open = entry.is_dir && wanted.folders.contains(&entry.path);
    let on = !entry.is_dir && chosen == Some(entry.path.as_str());
    let href = {
        let (path, is_dir) = (entry.path.clone(), entry.is_dir);
        place.link(move |view| match is_dir {
            true => view.unfolded(&path),
            false => View {
                path: Some(path.clone()),
                ..view
            },
        })
    };
    let icon = match (entry.is_dir, open) {
        (true, true) => icon::ChevronDown,
        (true, false) => icon::ChevronRight,
        _ => icon::File,
    };
    let has = match entry.sizes.len() {
        all if all == of => view! { <span class="faint">"all"</span> }.into_any(),
        some => format!("{some} of {of}").into_any(),
    };
    let cell = |side: &Side| match entry.sizes.get(&side.id) {
        Some(bytes) => view! { <td class="number muted">{bytes.map(size)}</td> }.into_any(),
        None => view! { <td class="number faint" title="This run does not have it">"–"</td> }.into_any(),
    };
    let depth = match entry.depth {
        0 => "line",
        1 => "line depth-1",
        2 => "line depth-2",
        3 => "line depth-3",
        _ => "line depth-4",
    };
    let expanded = entry.is_dir.then_some(if open { "true" } else { "false" });
    view! {
        <tr aria-selected=on.then_some("true")>
            <th scope="row"><a class=depth href=href aria-current=on.then_some("true") aria-expanded=expanded data-noscroll="">
                <Icon icon=icon/><bdi class="clip" title=entry.path.clone()>{name}</bdi>
            </a></th>
            <td class="number">{has}</td>
            {pair.map(|(left, right)| view! { {cell(left)}{cell(right)} })}
        </tr>
    }
    .into_any()
}
