//! The query line of the runs, and what goes with it.

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos::{ev, html};

use super::{
    filter,
    runs::Runs,
    sheet::{Sheet, Suggest, options},
    view::{Place, View},
    views::views,
};
use crate::{
    browser,
    part::{
        field::FieldError,
        icon::{self, Icon},
    },
    state::address::Screen as _,
};

/// `sheet`: all runs, in a browser; `counts`: of the columns, how many are shown, and there are.
pub fn line(runs: Runs, place: Place, sheet: RwSignal<Option<Sheet>>, counts: Memo<(usize, usize)>) -> AnyView {
    let view = place.view;
    let input = NodeRef::<html::Input>::new();
    let suggest = Suggest::new(input);
    let typed = Memo::new(move |_| match sheet.get() {
        Some(sheet) => sheet.draft.get(),
        None => view.read().typed.clone(),
    });
    // Where it is wrong is known here; what MLflow says is only needed where no script runs.
    let wrong = Memo::new(move |_| {
        let sheet = sheet.get()?;
        let error = sheet.parsed.get().err()?;
        // What is being typed is not wrong because it has no end yet.
        (suggest.settled.get() || error.span.end < typed.read().len()).then_some(error)
    });
    let error = Memo::new(move |_| match sheet.get() {
        Some(_) => wrong.get().map(|error| error.message),
        None => runs
            .error
            .with(|error| error.as_ref().and_then(|error| filter::explain(&typed.read(), error))),
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if let Some(sheet) = sheet.get_untracked() {
            return suggest.submit(sheet);
        }
        let Some(input) = input.get_untracked() else { return };
        let new = view.get_untracked().filtered(&input.value());
        if new == view.get_untracked() {
            runs.load(new, true);
        } else {
            place.go(&new);
        }
    };
    let key = move |event: ev::KeyboardEvent| {
        let key = event.key();
        let whole = sheet.get_untracked();
        if whole.is_some_and(|sheet| suggest.key(sheet, &key)) {
            return event.prevent_default();
        }
        match (key.as_str(), whole) {
            ("Escape", whole) => {
                if let Some(input) = input.get_untracked() {
                    if whole.is_none() {
                        input.set_value(&typed.get_untracked());
                    }
                    input.blur().ok();
                }
            }
            ("ArrowDown", Some(sheet)) if sheet.runs.ready.get_untracked() => {
                sheet.focus(None);
                event.prevent_default();
            }
            ("ArrowDown", _) if browser::step_focus(".runs a.name", true) => event.prevent_default(),
            _ => {}
        }
    };
    let write = move |_| {
        if let Some(sheet) = sheet.get_untracked() {
            suggest.typed(sheet);
        }
    };
    let focus = move |_| {
        if let Some(sheet) = sheet.get_untracked() {
            suggest.focused(sheet);
        }
    };
    let clear = place.link(|view| view.filtered(""));
    let active = place.link(|view| View { deleted: false, ..view }.first());
    let deleted = place.link(|view| View { deleted: true, ..view }.first());
    let columns = place.link(|view| View {
        panel: !view.panel,
        ..view
    });
    let shown = move || {
        let (shown, all) = counts.get();
        (all > 0).then(|| format!("{shown}/{all}"))
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
        <div class="toolbar query">
            <form class="ask" role="search" method="get" on:submit=submit><div class="search">
                <Icon icon=icon::Search/>
                <input
                    node_ref=input id="query" data-key="/" name="q" type="search" class="input mono" aria-label="Filter the runs" aria-describedby="query-says" placeholder="metrics.accuracy > 0.9 and params.model = 'resnet50', or part of a name"
                    autocomplete="off" autocapitalize="none" spellcheck="false" enterkeyhint="search" maxlength="4000"
                    value=typed.get_untracked() prop:value=typed aria-invalid=move || error.read().is_some().then_some("true") aria-autocomplete="list" aria-controls=move || suggest.is_open().then_some("offers") aria-activedescendant=move || suggest.active()
                    on:keydown=key on:input=write on:focus=focus on:blur=move |_| suggest.close()
                />
                {dynamic(move || if typed.read().is_empty() {
                    view! { <kbd>"/"</kbd> }.into_any()
                } else {
                    view! { <a class="button quiet small square" href=clear() aria-label="Clear the filter" title="Clear the filter" data-noscroll=""><Icon icon=icon::Close/></a> }.into_any()
                })}
                {dynamic(move || sheet.get().map(|sheet| suggest.view(sheet)))}
            </div>{kept}</form>
            <div class="segments" role="group" aria-label="Which runs">
                <a href=active aria-current=move || (!view.read().deleted).then_some("true") data-noscroll="">"Active"</a>
                <a href=deleted aria-current=move || view.read().deleted.then_some("true") data-noscroll="">"Deleted"</a>
            </div>
            <a class="button" href=columns aria-expanded=move || if view.read().panel { "true" } else { "false" } data-noscroll="">
                <Icon icon=icon::Columns/>"Columns"<span class="count">{shown}</span>
            </a>
            {dynamic(move || sheet.get().filter(|sheet| sheet.is_ready()).map(options))}
            {views(runs, place)}
            <div id="query-says" class="says">
                <FieldError error=Signal::derive(move || error.get())/>
                {dynamic(move || wrong.get().map(|error| marked(&typed.read(), error.span)))}
                {dynamic(move || (error.read().is_none() && filter::is_name(&typed.read())).then(|| view! {
                    <span class="faint small">"Runs with “"<bdi>{typed.get()}</bdi>"” in their name. Conditions look like metrics.accuracy > 0.9."</span>
                }))}
            </div>
        </div>
    }
    .into_any()
}

/// The query, and in it what is wrong.
fn marked(query: &str, span: std::ops::Range<usize>) -> AnyView {
    let end = span.end.min(query.len());
    let (before, rest) = query.split_at(span.start.min(end));
    let (wrong, after) = rest.split_at(end - before.len());
    // At the end there is nothing to mark yet.
    let wrong = if wrong.is_empty() { " " } else { wrong };
    view! { <code class="where" aria-hidden="true">{before.to_owned()}<mark>{wrong.to_owned()}</mark>{after.to_owned()}</code> }.into_any()
}
