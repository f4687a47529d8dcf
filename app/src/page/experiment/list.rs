//! The runs: query line, table, pages.

use std::time::Duration;

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos::{ev, html, wasm_bindgen::JsCast, web_sys};

use super::{
    column::Column,
    filter,
    line::line,
    panel::panel,
    row,
    runs::Runs,
    sheet::{self, Sheet},
    table::{Page, Row},
    turn::bar,
    view::{EVERY, Place, Tab},
};
use crate::{
    Site, browser,
    part::{
        face::{Empty, Failed, Loading},
        icon,
    },
    route::Route,
};

/// While a run is running the page is asked for again so often.
pub const AGAIN: Duration = Duration::from_secs(10);

pub fn list(runs: Runs, place: Place) -> AnyView {
    let view = place.view;
    let scroll = NodeRef::<html::Div>::new();
    // All runs come into the browser; until the first of them are here, what the server drew stays.
    let sheet = RwSignal::new(None::<Sheet>);
    Effect::new(move |_| sheet.set(Some(Sheet::new(runs, place))));
    on_cleanup(move || {
        runs.ready.try_set(false);
        runs.count.try_set(None);
    });
    let whole = Memo::new(move |_| sheet.get().filter(|sheet| sheet.is_ready()).is_some());
    let ready = move || sheet.get().filter(|_| whole.get());
    keys(sheet);
    Effect::new(move |_| {
        let again = move || {
            let running = runs.page.with_untracked(|page| page.as_ref().is_some_and(|page| page.is_running()));
            if running
                && !runs.ready.get_untracked()
                && browser::visible()
                && !runs.busy.get_untracked()
                && view.with_untracked(|view| view.tab == Tab::Runs)
            {
                runs.load(view.get_untracked(), true);
            }
        };
        if let Ok(handle) = set_interval_with_handle(again, AGAIN) {
            on_cleanup(move || handle.clear());
        }
    });
    // Another page of runs begins at its top.
    Effect::new(move |before: Option<Option<String>>| {
        let token = view.read().token.clone();
        if before.is_some_and(|before| before != token)
            && let Some(scroll) = scroll.get_untracked()
        {
            scroll.set_scroll_top(0);
        }
        token
    });
    let columns = Memo::new(move |_| {
        runs.page
            .with(|page| page.as_ref().map(|page| page.columns.clone()).unwrap_or_default())
    });
    let state = Memo::new(move |_| {
        runs.page.with(|page| match page {
            Some(page) if page.rows.is_empty() => State::Nothing,
            Some(_) => State::Rows,
            None if runs.error.with(|error| {
                error
                    .as_ref()
                    .is_some_and(|error| view.with(|view| filter::explain(&view.typed, error).is_none()))
            }) =>
            {
                State::Failed
            }
            None if runs.error.read().is_some() => State::Refused,
            None => State::Loading,
        })
    });
    let open = Memo::new(move |_| view.read().panel);
    let page = move |part: fn(&Page) -> &Vec<Column>| {
        runs.page
            .with(|page| page.as_ref().map(|page| part(page).clone()).unwrap_or_default())
    };
    let offered = Memo::new(move |_| ready().map_or_else(|| page(|page| &page.offered), Sheet::offered));
    let found = Memo::new(move |_| ready().map_or_else(|| page(|page| &page.columns), Sheet::columns));
    let counts = Memo::new(move |_| (found.read().len(), offered.read().len()));
    let paged = move || {
        view! {
            <div class="grid-scroll" class:dim=move || runs.error.read().is_some() && state.get() == State::Rows node_ref=scroll aria-busy=move || runs.busy.get().then_some("true")>
                {dynamic(move || match state.get() {
                    State::Rows => table(runs, place, columns),
                    State::Nothing => nothing(runs, place, None),
                    State::Loading => view! { <Loading rows=16/> }.into_any(),
                    State::Refused => view! { <Empty title="The query line cannot be read" icon=icon::Search><p>{EXAMPLES}</p></Empty> }.into_any(),
                    State::Failed => match runs.error.get() {
                        Some(error) => view! { <Failed what="the runs" error=error retry=move |()| retry(runs, place, sheet)/> }.into_any(),
                        None => ().into_any(),
                    },
                })}
            </div>
        }
        .into_any()
    };
    view! {
        {line(runs, place, sheet, counts)}
        <div class="split" class:open=open>
            {dynamic(move || match ready() {
                None => paged(),
                Some(sheet) => {
                    let empty = Memo::new(move |_| sheet.is_empty());
                    // The table stays: to make it anew with the next letter of a query takes long.
                    view! {
                        {dynamic(move || empty.get().then(|| view! { <div class="grid-scroll">{nothing(runs, place, Some(sheet.draft))}</div> }))}
                        {sheet::grid(sheet, empty)}
                    }
                    .into_any()
                }
            })}
            {dynamic(move || open.get().then(|| panel(offered, found, place)))}
        </div>
        {dynamic(move || match ready() {
            None => bar(runs, place),
            Some(sheet) => view! { {sheet::chosen(sheet)}{sheet::bar(sheet)} }.into_any(),
        })}
    }
    .into_any()
}

fn retry(runs: Runs, place: Place, sheet: RwSignal<Option<Sheet>>) {
    runs.load(place.now(), true);
    if let Some(sheet) = sheet.get_untracked() {
        sheet.go_on();
    }
}

const EXAMPLES: &str = "For example: metrics.accuracy > 0.9 and params.model = 'resnet50' and tags.stage != 'test' and attributes.status = 'FAILED'. Plain words look for runs by name.";

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Loading,
    Rows,
    Nothing,
    Refused,
    Failed,
}

fn table(runs: Runs, place: Place, columns: Memo<Vec<Column>>) -> AnyView {
    let head = move || columns.get().into_iter().map(|column| row::heading(column, place)).collect_view();
    // With other columns every row is another one.
    let rows = move || {
        let drawn = columns.get();
        let listed = move || {
            runs.page
                .with(|page| page.as_ref().map(|page| page.rows.clone()).unwrap_or_default())
        };
        view! {
            {each(listed, Row::stamp, move |run| row::row(run, &drawn))}
        }
    };
    view! {
        <table class="grid runs">
            <caption class="unseen">"Runs"</caption>
            <thead><tr>{row::heading(Column::Name, place)}{head}</tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// `draft`: what is typed in the query line, which the address follows a moment later.
fn nothing(runs: Runs, place: Place, draft: Option<RwSignal<String>>) -> AnyView {
    let is_asked = Memo::new(move |_| match draft {
        Some(draft) => !draft.read().trim().is_empty(),
        None => !place.view.read().typed.is_empty(),
    });
    let origin = RwSignal::new(String::new());
    Effect::new(move |_| origin.set(browser::origin()));
    let site = Site::expect();
    let experiment = runs.experiment.get_value();
    let face = move || {
        let now = place.view.get();
        if is_asked.get() {
            let all = place.href(&now.filtered(""));
            return view! {
                <Empty title="No run matches" icon=icon::Search>
                    <p>{EXAMPLES}</p>
                    <p class="actions"><a class="button" href=all>"Show all runs"</a></p>
                </Empty>
            }
            .into_any();
        }
        if now.token.is_some() {
            let first = place.href(&now.first());
            return view! { <Empty title="There are no runs on this page any more" icon=icon::Search><p class="actions"><a class="button" href=first>"To the first page"</a></p></Empty> }.into_any();
        }
        if now.deleted {
            return view! { <Empty title="No deleted runs" icon=icon::Trash><p>"Runs that are deleted stay here, and can be restored, until MLflow's garbage collection takes them."</p></Empty> }.into_any();
        }
        if experiment == EVERY {
            return view! { <Empty title="No runs yet"><p>"Runs of all experiments that you may read stand here."</p><p class="actions"><a class="button" href=Route::Experiments.href()>"To the experiments"</a></p></Empty> }.into_any();
        }
        let origin = Some(origin.get()).filter(|origin| !origin.is_empty());
        let address = origin.unwrap_or_else(|| "https://…".into()) + &site.base;
        let snippet = format!(
            "import mlflow\n\nmlflow.set_tracking_uri(\"{address}\")\nmlflow.set_experiment(experiment_id=\"{experiment}\")\n\nwith mlflow.start_run():\n    mlflow.log_param(\"lr\", 0.01)\n    for step in range(10):\n        mlflow.log_metric(\"loss\", 1 / (step + 1), step=step)"
        );
        view! { <Empty title="No runs yet" snippet=snippet><p>"A run is one execution of your code: its params, metrics, tags and artifacts. Log the first one:"</p></Empty> }.into_any()
    };
    face.into_any()
}

/// `j` and `k` or the arrows go from run to run; Enter opens, as on any link.
fn keys(sheet: RwSignal<Option<Sheet>>) {
    Effect::new(move |_| {
        let handle = window_event_listener(ev::keydown, move |event| {
            if event.ctrl_key()
                || event.meta_key()
                || event.alt_key()
                || event.shift_key()
                || event.default_prevented()
                || browser::is_writing(&event)
            {
                return;
            }
            let forward = match event.key().as_str() {
                "j" | "ArrowDown" => true,
                "k" | "ArrowUp" => false,
                _ => return,
            };
            let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
            if target.is_some_and(|target| target.closest(sheet::TABLE).is_ok_and(|table| table.is_some())) {
                return;
            }
            let whole = sheet.get_untracked().filter(|sheet| sheet.runs.ready.get_untracked());
            if let Some(sheet) = whole {
                sheet.focus(Some(forward));
                event.prevent_default();
            } else if browser::step_focus(".runs a.name", forward) {
                event.prevent_default();
            }
        });
        on_cleanup(move || handle.remove());
    });
}
