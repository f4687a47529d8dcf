//! How the table is laid out: groups, nested runs, which columns.

use crate::prelude::*;
use leptos::ev;

use super::{Sheet, lines::Line, others::others};
use crate::{
    page::experiment::{
        column::Column,
        folded::Folded,
        view::{Aggregate, View},
    },
    part::{
        dynamic::dynamic,
        icon::{self, Icon},
        menu::Menu,
    },
    table::folder::Folder,
};

/// Columns that are offered to group by.
const OFFERED: usize = 200;

pub fn options(sheet: Sheet) -> AnyView {
    let place = sheet.place;
    let view = place.view;
    let offered = Memo::new(move |_| {
        let grouped = view.read().group.clone();
        let mut offered: Vec<Column> = sheet
            .offered()
            .into_iter()
            .filter(|column| groups(column) && !grouped.contains(column))
            .collect();
        offered.truncate(OFFERED);
        let folders = if sheet.is_alone() { &Folder::ALL[2..] } else { &Folder::ALL };
        let folders = folders.iter().copied().map(Column::Folder);
        offered.extend(folders.filter(|column| !grouped.contains(column)));
        offered
    });
    let add = move |event: ev::Event| {
        if let Some(column) = Column::read(&event_target_value(&event)) {
            let mut view = place.now();
            view.group.push(column);
            place.go(&view);
        }
    };
    let show = move |event: ev::Event| {
        let word = event_target_value(&event);
        let aggregate = Aggregate::ALL
            .into_iter()
            .find(|aggregate| aggregate.word() == word)
            .unwrap_or_default();
        place.go(&View { aggregate, ..place.now() });
    };
    let chips = move || {
        let chip = |column: &Column| {
            let without = {
                let column = column.clone();
                place.link(move |mut view| {
                    view.group.retain(|other| *other != column);
                    view
                })
            };
            let label = format!("Do not group by {}", column.label());
            view! { <a class="button small" href=without() title=label.clone() aria-label=label data-noscroll=""><bdi class="clip">{column.label().to_owned()}</bdi><Icon icon=icon::Close/></a> }
        };
        view.read().group.iter().map(chip).collect::<Vec<_>>()
    };
    let link = move |label: &'static str, on: fn(&View) -> bool, make: fn(View) -> View| {
        let href = place.link(make);
        view! { <a class="item" href=href data-noscroll="" aria-current=move || on(&view.read()).then_some("true")>{dynamic(move || on(&view.read()).then(|| view! { <Icon icon=icon::Check/> }))}{label}</a> }
    };
    view! {
        <button type="button" class="button" popovertarget="layout-menu"><Icon icon=icon::Folder/>"Layout"</button>
        {dynamic(chips)}
        <Menu id="layout-menu" label="Layout">
            <label class="item">"Group by "
                <select class="input" aria-label="Group by" on:change=add>
                    <option value="">"…"</option>
                    {dynamic(move || offered.get().into_iter().map(|column| view! { <option value=column.id()>{column.label().to_owned()}</option> }).collect::<Vec<_>>())}
                </select>
            </label>
            <label class="item">"Groups show "
                <select class="input" aria-label="Groups show" on:change=show prop:value=move || view.read().aggregate.word()>
                    {Aggregate::ALL.map(|aggregate| view! { <option value=aggregate.word()>{says(aggregate)}</option> })}
                </select>
            </label>
            {link("Nested runs", |view| !view.flat, |view| View { flat: !view.flat, ..view })}
            {link("Only columns that differ", |view| view.differing, |view| View { differing: !view.differing, ..view })}
            {link("Keep the first column in sight", |view| view.pinned > 0, |view| View { pinned: usize::from(view.pinned == 0), ..view })}
            {link("Also runs out of sight", |view| view.hidden, |view| View { hidden: !view.hidden, ..view })}
            {dynamic(move || can_fold(sheet).then(|| view! {
                {link("Close all", |_| false, |view| View { closed: Folded::all(), ..view })}
                {link("Open all", |_| false, |view| View { closed: Folded::default(), ..view })}
            }))}
            {dynamic(move || view.read().baseline.is_some().then(|| link("Compare with no run", |_| false, |view| View { baseline: None, ..view })))}
            {others(sheet)}
        </Menu>
    }
    .into_any()
}

/// Whether anything can be closed: there are groups, or runs that others belong to.
fn can_fold(sheet: Sheet) -> bool {
    let lines = sheet.lines.read();
    let is_parent = |line: &Line| matches!(line, Line::Group { .. } | Line::Run { children: 1.., .. });
    lines.lines.iter().any(is_parent)
}

fn says(aggregate: Aggregate) -> &'static str {
    match aggregate {
        Aggregate::Mean => "the mean",
        Aggregate::Min => "the smallest",
        Aggregate::Max => "the largest",
        Aggregate::Std => "the standard deviation",
        Aggregate::Count => "how many runs have it",
    }
}

/// Whether it makes sense to group by it.
pub fn groups(column: &Column) -> bool {
    matches!(
        column,
        Column::Status
            | Column::User
            | Column::Source
            | Column::Commit
            | Column::Experiment
            | Column::Dataset
            | Column::Parent
            | Column::Folder(_)
            | Column::Param(_)
            | Column::Tag(_)
    )
}
