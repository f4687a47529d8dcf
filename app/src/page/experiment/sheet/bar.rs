//! Below the table: whether all runs are here, and what is on its way.

use crate::prelude::*;

use super::{Sheet, bring::Phase};
use crate::{
    page::experiment::view::{EXPERIMENTS, View},
    part::{button::Button, clock::Clock, dynamic::dynamic, face::Stale, icon, number::count, time::relative},
};

pub fn bar(sheet: Sheet) -> AnyView {
    let clock = Clock::expect();
    let says = move || {
        let runs = count(sheet.here());
        let these = if runs == "1" { "run is" } else { "runs are" };
        if let Some(at) = sheet.as_of.get().filter(|_| sheet.phase.get() != Phase::Here) {
            let runs = if runs == "1" {
                "The only run".into()
            } else {
                format!("All {runs} runs")
            };
            let then = match sheet.phase.get() {
                Phase::Stopped => "not looked for changes since".into(),
                Phase::Failed(error) => format!("changes could not be looked for: {}", error.message),
                _ => "looking for changes".to_owned(),
            };
            return format!("{runs}, as seen {}; {then}", relative(at, clock.minute.get()));
        }
        match sheet.phase.get() {
            Phase::Here if runs == "0" => "No runs".into(),
            Phase::Here if runs == "1" => "The only run is here".into(),
            Phase::Here => format!("All {runs} runs are here"),
            Phase::Coming => format!("{runs} {these} here, more are coming"),
            Phase::Stopped => format!("{runs} {these} here, there are more"),
            Phase::Failed(error) => format!("{runs} {these} here; the others could not be loaded: {}", error.message),
        }
    };
    let meant = move || (!sheet.query.with(|query| query.expr.is_none())).then(|| format!("{} · ", sheet.matching()));
    let elsewhere = move || {
        let searched = !sheet.has_all() && !sheet.query.with(|query| query.split().filter.is_empty());
        searched.then(|| view! { <span class="muted">"MLflow searches among the others"</span> })
    };
    let act = move || match sheet.phase.get() {
        Phase::Here => ().into_any(),
        Phase::Coming => view! { <Button class="small" press=move |_| sheet.stop()>"Stop"</Button> }.into_any(),
        Phase::Stopped => view! { <Button class="small" press=move |_| sheet.go_on()>"Load the others"</Button> }.into_any(),
        Phase::Failed(_) => view! { <Button class="small" icon=icon::Retry press=move |_| sheet.go_on()>"Try again"</Button> }.into_any(),
    };
    let cut = move || {
        sheet
            .is_cut()
            .then(|| view! { <span class="muted">{format!("of the {} experiments that were changed last", count(EXPERIMENTS))}</span> })
    };
    let hidden = move || {
        let many = sheet.lines.read().hidden;
        let show = sheet.place.link(|view| View { hidden: true, ..view });
        (many > 0).then(
            || view! { <span class="muted">{format!("{} out of sight", count(many))}</span><a href=show() data-noscroll="">"Show"</a> },
        )
    };
    let histories = move || {
        sheet.extremes_error().map(|error| {
            view! {
                <span class="danger">{format!("Histories could not be read: {}", error.message)}</span>
                <Button class="small" icon=icon::Retry press=move |_| sheet.retry_extremes()>"Read them again"</Button>
            }
        })
    };
    let failed = move || matches!(*sheet.phase.read(), Phase::Failed(_));
    view! {
        <footer class="statusbar">
            <span role="status" class:danger=failed>{meant}{says}</span>
            {dynamic(elsewhere)}
            {dynamic(cut)}
            {dynamic(hidden)}
            {dynamic(histories)}
            {dynamic(act)}
            {dynamic(move || sheet.runs.stale.get().map(|since| view! { <Stale since=since/> }))}
            {dynamic(move || (sheet.phase.get() == Phase::Coming).then(|| view! { <span class="busy" role="status" aria-label="Loading"></span> }))}
        </footer>
    }
    .into_any()
}

// === impl Sheet ===

impl Sheet {
    fn here(self) -> usize {
        self.drawn.track();
        self.store.with_value(crate::table::store::Store::len)
    }

    /// `12 runs match`
    fn matching(self) -> String {
        match self.lines.read().rows.len() {
            0 => "No run matches".into(),
            1 => "1 run matches".into(),
            many => format!("{} runs match", count(many)),
        }
    }

    /// How many runs there are, in the page's title.
    pub(super) fn says(self) -> String {
        let all = self.here();
        let more = if self.has_all() { "" } else { "+" };
        let many = if all == 1 && more.is_empty() { "" } else { "s" };
        format!("{}{more} run{many}", count(all))
    }
}
