//! The rows that are found as a file: a link, and with a script a download that says how far it is and can be stopped.

use leptos::{ev, prelude::*, task::spawn_local};

use super::search::Wanted;
use crate::{
    Site,
    api::{ApiError, flowdeck::audit},
    browser::{self, Download},
    part::{
        button::Button,
        clock::Clock,
        dynamic::dynamic,
        icon::{self, Icon},
        menu::Menu,
        number::{count, short},
        toast::Toasts,
    },
    state::address::Address,
};

/// How far an export is.
#[derive(Clone, Copy, Default)]
struct Progress {
    bytes: usize,
    lines: usize,
}

pub fn menu(address: Address) -> AnyView {
    let site = StoredValue::new(Site::expect());
    let clock = Clock::expect();
    let toasts = Toasts::expect();
    let progress = RwSignal::new(None::<Progress>);
    let stopped = StoredValue::new(false);
    let path = move |format: &'static str| {
        let wanted = address.query().with(Wanted::read);
        site.with_value(|site| site.href(&audit::export(&wanted.query(clock.now()), format)))
    };
    let start = move |event: ev::MouseEvent, format: &'static str| {
        event.prevent_default();
        if progress.read_untracked().is_some() {
            return;
        }
        progress.set(Some(Progress::default()));
        stopped.set_value(false);
        let path = untrack(|| path(format));
        spawn_local(async move {
            // It goes on when one has left the page; the last word is a notice.
            let go_on = move |bytes, lines| {
                progress.try_set(Some(Progress { bytes, lines }));
                !stopped.try_get_value().unwrap_or(false)
            };
            let done = browser::download(&path, &format!("flowdeck-audit.{format}"), go_on).await;
            progress.try_set(None);
            match done {
                Download::Saved { lines } => toasts.say(format!("Exported {}", rows(format, lines))),
                Download::Stopped => toasts.say("The export was stopped; nothing was saved"),
                Download::Failed(status) => {
                    let error = ApiError::refused(status);
                    toasts.failed("The audit was not exported", &error);
                }
            }
        });
    };
    let item = move |format: &'static str, label: &'static str| {
        view! { <a class="item" href=move || path(format) download="" on:click=move |event| start(event, format)><Icon icon=icon::Download/>{label}</a> }
    };
    let running = move || {
        progress.get().map(|progress| {
            let far = format!("{} so far, {} MB", count(progress.lines), short(progress.bytes as f64 / 1e6));
            view! { <span class="line" role="status"><span class="busy"></span>{far}<Button class="small" on:click=move |_| stopped.set_value(true)>"Stop"</Button></span> }
        })
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

/// A CSV has a line of names before its rows.
fn rows(format: &str, lines: usize) -> String {
    match lines - usize::from(format == "csv" && lines > 0) {
        1 => "1 row".to_owned(),
        rows => format!("{} rows", count(rows)),
    }
}
