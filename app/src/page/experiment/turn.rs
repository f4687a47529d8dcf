//! Below the runs: where one is, and the pages before and after.

use crate::part::dynamic::dynamic;
use crate::prelude::*;

use super::{runs::Runs, view::Place};
use crate::part::{face::Stale, number::count};

pub fn bar(runs: Runs, place: Place) -> AnyView {
    let view = place.view;
    let says = move || {
        let page = runs.page.get()?;
        let (skipped, rows) = (page.skipped, page.rows.len());
        Some(match rows {
            0 => "No runs".into(),
            _ if skipped == 0 && page.next.is_none() => page.count(),
            _ => format!("{}–{} of {}", count(skipped + 1), count(skipped + rows), page.count()),
        })
    };
    let previous = move || view.read().previous().map(|view| place.href(&view));
    let next = move || {
        runs.page
            .with(|page| page.as_ref().and_then(|page| page.next.clone()))
            .map(|token| place.href(&view.read().next(&token)))
    };
    let turn = |href: Option<String>, word: &'static str, rel: &'static str| match href {
        Some(href) => view! { <a class="button" href=href rel=rel data-noscroll="">{word}</a> }.into_any(),
        None => view! { <span class="button" aria-disabled="true">{word}</span> }.into_any(),
    };
    let unsorted = move || {
        let order = view.read().order().into_iter().find(|sort| sort.column.mlflow().is_none());
        order.map(|sort| view! { <span class="warning">"MLflow cannot sort by "{sort.column.label().to_owned()}</span> })
    };
    view! {
        <footer class="statusbar">
            <span role="status">{says}</span>
            {unsorted}
            {dynamic(move || runs.stale.get().filter(|_| runs.page.read().is_some()).map(|since| view! { <Stale since=since/> }))}
            {dynamic(move || (runs.busy.get() && runs.page.read().is_some()).then(|| view! { <span class="busy" role="status" aria-label="Loading"></span> }))}
            <nav class="line spread" aria-label="Pages of runs">
                {dynamic(move || turn(previous(), "Previous", "prev"))}
                {dynamic(move || turn(next(), "Next", "next"))}
            </nav>
        </footer>
    }
    .into_any()
}
