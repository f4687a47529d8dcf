//! Which columns the table has.

use crate::prelude::*;

use super::{
    column::Column,
    view::{Place, View},
};
use crate::{
    part::{
        button::Button,
        dynamic::dynamic,
        icon::{self, Icon},
        number::count,
    },
    state::address::Screen as _,
};

/// Columns of a family that are listed; others are found by their name.
const LISTED: usize = 200;

/// The families, as the panel has them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Fixed,
    Metric,
    Param,
    Tag,
}

const FAMILIES: [(Family, &str); 4] = [
    (Family::Fixed, "Run"),
    (Family::Metric, "Metrics"),
    (Family::Param, "Params"),
    (Family::Tag, "Tags"),
];

fn family(column: &Column) -> Family {
    match column {
        Column::Metric(_) | Column::Stat(..) => Family::Metric,
        Column::Param(_) => Family::Param,
        Column::Tag(_) => Family::Tag,
        _ => Family::Fixed,
    }
}

/// `offered`: all that there are; `found`: those that the table shows of itself.
pub fn panel(offered: Memo<Vec<Column>>, found: Memo<Vec<Column>>, place: Place) -> AnyView {
    let find = RwSignal::new(String::new());
    // What was chosen counts at once, also while the table for it is still on its way.
    let shown = Memo::new(move |_| place.view.read().columns.clone().unwrap_or_else(|| found.get()));
    let choose = move |columns: Option<Vec<Column>>| place.replace(&place.now().with_columns(columns));
    let reset = place.link(|view| view.with_columns(None));
    // Without a script the form sends its boxes, and everything else that the address has.
    let kept = move || {
        let query = View {
            columns: None,
            panel: true,
            ..place.view.get()
        }
        .query();
        query
            .pairs()
            .map(|(name, value)| view! { <input type="hidden" name=name.to_owned() value=value.to_owned()/> })
            .collect_view()
    };
    let group = move |(kind, name): (Family, &'static str)| {
        let columns = Memo::new(move |_| {
            offered
                .read()
                .iter()
                .filter(|column| family(column) == kind)
                .cloned()
                .collect::<Vec<_>>()
        });
        let all = move |_| {
            let mut chosen = shown.get_untracked();
            let more: Vec<_> = columns
                .get_untracked()
                .into_iter()
                .filter(|column| !chosen.contains(column) && matches(column, &find.read_untracked()))
                .collect();
            chosen.extend(more);
            choose(Some(chosen));
        };
        let none = move |_| {
            let mut chosen = shown.get_untracked();
            chosen.retain(|column| family(column) != kind || !matches(column, &find.read_untracked()));
            choose(Some(chosen));
        };
        // Of thousands one looks for the right one anyway.
        let fitting = move || {
            columns
                .read()
                .iter()
                .filter(|column| matches(column, &find.read()))
                .cloned()
                .collect::<Vec<_>>()
        };
        let listed = Memo::new(move |_| {
            let mut fitting = fitting();
            fitting.truncate(LISTED);
            fitting
        });
        let more = move || {
            let left = fitting().len().saturating_sub(LISTED);
            (left > 0).then(|| view! { <p class="faint small">{format!("{} more: look for one by its name.", count(left))}</p> })
        };
        let item = move |column: Column| {
            let (id, label) = (column.id(), column.label().to_owned());
            let stat = column.family().filter(|_| matches!(column, Column::Stat(..)));
            let asked = column.clone();
            let on = Memo::new(move |_| shown.read().contains(&asked));
            let toggle = move |_| {
                let mut chosen = shown.get_untracked();
                match chosen.iter().position(|other| *other == column) {
                    Some(at) => drop(chosen.remove(at)),
                    None => chosen.push(column.clone()),
                }
                choose(Some(chosen));
            };
            view! {
                <label class="item">
                    <input type="checkbox" name="col" value=id checked=on.get_untracked() prop:checked=on on:change=toggle/>
                    <bdi class="clip" title=label.clone()>{label.clone()}</bdi>{stat.map(|stat| view! { <span class="faint small">{stat}</span> })}
                </label>
            }
        };
        let counts = move || {
            format!(
                "{}/{}",
                shown.read().iter().filter(|column| family(column) == kind).count(),
                columns.read().len()
            )
        };
        view! {
            <fieldset hidden=move || columns.read().is_empty()>
                <legend>{name}<span class="count">{counts}</span></legend>
                <span class="line needs-script">
                    <Button class="quiet small" press=all>"All"</Button>
                    <Button class="quiet small" press=none>"None"</Button>
                </span>
                {each(move || listed.get(), Column::id, item)}
                {dynamic(more)}
            </fieldset>
        }
    };
    view! {
        <aside class="panel" aria-label="Columns">
            <header class="line">
                <h2>"Columns"</h2>
                <a class="button quiet small spread" href=reset data-noscroll="">"Reset"</a>
                <a class="button quiet small square" href=place.link(|view| View { panel: false, ..view }) aria-label="Close the columns" title="Close the columns" data-noscroll=""><Icon icon=icon::Close/></a>
            </header>
            <div class="search needs-script">
                <Icon icon=icon::Search/>
                <input class="input" type="search" aria-label="Find a column" placeholder="Find a column" autocomplete="off" prop:value=find on:input=move |event| find.set(event_target_value(&event))/>
            </div>
            <form method="get">
                {kept}
                {FAMILIES.into_iter().map(group).collect_view()}
                <button class="button primary without-script" type="submit">"Apply"</button>
            </form>
        </aside>
    }
    .into_any()
}

fn matches(column: &Column, find: &str) -> bool {
    let find = find.trim().to_ascii_lowercase();
    find.is_empty() || column.label().to_ascii_lowercase().contains(&find)
}
