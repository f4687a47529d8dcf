//! The query line of the runs, and what goes with it.

use crate::part::dynamic::dynamic;
use leptos::{ev, html, prelude::*};

use super::{
    filter,
    runs::Runs,
    view::{Place, View},
};
use crate::{
    browser,
    part::{
        field::FieldError,
        icon::{self, Icon},
    },
};

pub fn line(runs: Runs, place: Place) -> AnyView {
    let view = place.view;
    let input = NodeRef::<html::Input>::new();
    let typed = Memo::new(move |_| view.read().typed.clone());
    let error = Memo::new(move |_| {
        runs.error
            .with(|error| error.as_ref().and_then(|error| filter::explain(&typed.read(), error)))
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Some(input) = input.get_untracked() else { return };
        let new = view.get_untracked().filtered(&input.value());
        if new == view.get_untracked() {
            runs.load(new, true);
        } else {
            place.go(&new);
        }
    };
    let escape = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "Escape" => {
            if let Some(input) = input.get_untracked() {
                input.set_value(&typed.get_untracked());
                input.blur().ok();
            }
        }
        "ArrowDown" if browser::step_focus(".runs a.name", true) => event.prevent_default(),
        _ => {}
    };
    let clear = place.link(|view| view.filtered(""));
    let active = place.link(|view| View { deleted: false, ..view }.first());
    let deleted = place.link(|view| View { deleted: true, ..view }.first());
    let columns = place.link(|view| View {
        panel: !view.panel,
        ..view
    });
    let shown = move || {
        runs.page
            .with(|page| page.as_ref().map(|page| format!("{}/{}", page.columns.len(), page.offered.len())))
    };
    // What a form sends without a script besides the query line.
    let kept = move || {
        let query = view.read().clone().first().filtered("").query();
        query
            .pairs()
            .map(|(name, value)| view! { <input type="hidden" name=name.to_owned() value=value.to_owned()/> })
            .collect_view()
    };
    view! {
        <form class="toolbar query" role="search" method="get" on:submit=submit>
            <div class="search">
                <Icon icon=icon::Search/>
                <input
                    node_ref=input id="query" data-key="/" name="q" type="search" class="input mono" aria-label="Filter the runs" aria-describedby="query-says" placeholder="metrics.accuracy > 0.9 and params.model = 'resnet50', or part of a name"
                    autocomplete="off" autocapitalize="none" spellcheck="false" enterkeyhint="search" maxlength="4000"
                    value=typed.get_untracked() prop:value=typed aria-invalid=move || error.read().is_some().then_some("true") on:keydown=escape
                />
                {dynamic(move || if typed.read().is_empty() {
                    view! { <kbd>"/"</kbd> }.into_any()
                } else {
                    view! { <a class="button quiet small square" href=clear() aria-label="Clear the filter" title="Clear the filter" data-noscroll=""><Icon icon=icon::Close/></a> }.into_any()
                })}
            </div>
            {kept}
            <div class="segments" role="group" aria-label="Which runs">
                <a href=active aria-current=move || (!view.read().deleted).then_some("true") data-noscroll="">"Active"</a>
                <a href=deleted aria-current=move || view.read().deleted.then_some("true") data-noscroll="">"Deleted"</a>
            </div>
            <a class="button" href=columns aria-expanded=move || if view.read().panel { "true" } else { "false" } data-noscroll="">
                <Icon icon=icon::Columns/>"Columns"<span class="count">{shown}</span>
            </a>
            <div id="query-says" class="says">
                <FieldError error=Signal::derive(move || error.get())/>
                {dynamic(move || (error.read().is_none() && filter::is_name(&typed.read())).then(|| view! {
                    <span class="faint small">"Runs with “"<bdi>{typed.get()}</bdi>"” in their name. Conditions look like metrics.accuracy > 0.9."</span>
                }))}
            </div>
        </form>
    }
    .into_any()
}
