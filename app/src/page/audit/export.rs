//! The rows that are found as a file: a link, and with a script a download that says how far it is and can be stopped.

use crate::prelude::*;
use leptos::{ev, task::spawn_local};

use super::search::Wanted;
use crate::{
    Site,
    api::{
        ApiError,
        flowdeck::audit::{self, Progress, Sieve},
    },
    browser::{self, Download},
    part::{
        button::Button,
        clock::Clock,
        dynamic::dynamic,
        icon::{self, Icon},
        menu::Menu,
        number::count,
        toast::Toasts,
    },
    state::{address::Address, query::Query},
};

pub fn menu(address: Address) -> AnyView {
    let site = StoredValue::new(Site::expect());
    let clock = Clock::expect();
    let toasts = Toasts::expect();
    let progress = RwSignal::new(None::<Progress>);
    let stopped = StoredValue::new(false);
    let path = move |format: &'static str, of: fn(&Query, &str) -> String| {
        let wanted = address.query().with(Wanted::read);
        site.with_value(|site| site.href(&of(&wanted.query(clock.now()), format)))
    };
    let start = move |event: ev::MouseEvent, format: &'static str| {
        event.prevent_default();
        if progress.read_untracked().is_some() {
            return;
        }
        progress.set(Some(Progress::default()));
        stopped.set_value(false);
        let path = untrack(|| path(format, audit::export_marked));
        spawn_local(async move {
            let mut sieve = Sieve::default();
            // It goes on when one has left the page; the last word is a notice.
            let look = |bytes: &mut Vec<u8>| {
                sieve.sift(bytes);
                progress.try_set(Some(sieve.progress));
                !stopped.try_get_value().unwrap_or(false)
            };
            let done = browser::download(&path, &format!("flowdeck-audit.{format}"), look).await;
            progress.try_set(None);
            match done {
                Download::Saved => toasts.say(match sieve.progress.rows {
                    1 => "Exported 1 row".to_owned(),
                    rows => format!("Exported {} rows", count(rows)),
                }),
                Download::Stopped => toasts.say("The export was stopped; nothing was saved"),
                Download::Failed(status) => {
                    let error = ApiError::refused(status);
                    toasts.failed("The audit was not exported", &error);
                }
            }
        });
    };
    let item = move |format: &'static str, label: &'static str| {
        view! { <a class="item" href=move || path(format, audit::export) download="" on:click=move |event| start(event, format)><Icon icon=icon::Download/>{label}</a> }
    };
    let told = move || progress.get().unwrap_or_default();
    let says = move || {
        let Progress { rows, looked_at, total } = told();
        match total {
            0 => "Looking…".to_owned(),
            total if rows == looked_at => format!("{} of {} rows", count(rows), count(total)),
            total => format!("{} rows in {} of {} calls", count(rows), count(looked_at), count(total)),
        }
    };
    let is_running = Memo::new(move |_| progress.read().is_some());
    let running = move || {
        is_running.get().then(|| view! { <span class="line export"><progress aria-label="Export" max=move || told().total.max(1) value=move || told().looked_at></progress><span>{says}</span><Button class="small" press=move |_| stopped.set_value(true)>"Stop"</Button></span> })
    };
    view! {
        {dynamic(running)}
        <button type="button" class="button" popovertarget="export-menu" aria-haspopup="true"><Icon icon=icon::Download/>"Export"</button>
        <Menu id="export-menu" label="Export">
            <div class="head">"All rows that match, as"</div>
            {item("csv", "CSV")}
            {item("jsonl", "JSON Lines")}
        </Menu>
    }
    .into_any()
}
