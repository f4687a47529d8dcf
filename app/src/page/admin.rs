//! How this Flowdeck and its MLflow are doing, now and over the last day, for administrators.

pub mod default;
mod figures;

use std::time::Duration;

use crate::prelude::*;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};

use super::trouble::Trouble;
use crate::{
    api::{
        Client, Result,
        flowdeck::{
            health::{self, History, Mlflow, Point},
            overview,
        },
    },
    browser,
    part::{
        copy::Copy,
        crumbs::{Crumb, Crumbs},
        dynamic::dynamic,
        face::{Loading, Notice, Stale},
        icon::{self, Icon},
        number::short,
        spark::{Line, Series, Spark},
        tabs::{Tab, Tabs},
        title::Title,
    },
    route::Route,
    state::address::Address,
};

const AGAIN: Duration = Duration::from_secs(30);
/// More points than pixels would tell nothing more.
const MOST: usize = 240;
const HOUR: i64 = 3_600_000;

/// How far back: as the address has it, as people read it.
const SPANS: [(&str, &str, i64); 3] = [("", "3 hours", 3), ("12", "12 hours", 12), ("24", "24 hours", 24)];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Shown {
    mlflow: Option<Mlflow>,
    history: History,
}

#[component]
pub fn Admin() -> impl IntoView {
    let address = Address::here();
    let span = address.memo("hours");
    let hours = Memo::new(move |_| {
        let span = span.get().unwrap_or_default();
        SPANS.iter().find(|known| known.0 == span).map_or(SPANS[0].2, |known| known.2)
    });
    let client = expect_context::<Client>();
    let found = {
        let client = client.clone();
        Resource::new(
            || (),
            move |()| {
                let client = client.clone();
                async move { read(&client, hours.get_untracked()).await }
            },
        )
    };
    let client = StoredValue::new(client);
    view! {
        <Title text="Admin"/>
        <Crumbs way=vec![Crumb::here("Admin")]/>
        <div class="page admin">
            <Transition fallback=|| view! { <Loading/> }>
                {dynamic(move || Suspend::new(async move {
                    match found.await {
                        Ok(shown) => known(address, client.get_value(), hours, shown),
                        Err(error) => view! { <Trouble whole=true what="how this Flowdeck is doing" error=error retry=move |()| found.refetch()/> }.into_any(),
                    }
                }))}
            </Transition>
        </div>
    }
}

async fn read(client: &Client, hours: i64) -> Result<Shown> {
    // Who is no administrator is refused here.
    let history = health::history(client).await?;
    Ok(Shown {
        mlflow: health::mlflow(client).await.ok(),
        history: history.last(hours * HOUR, MOST),
    })
}

fn known(address: Address, client: Client, hours: Memo<i64>, shown: Shown) -> AnyView {
    let mlflow = RwSignal::new(shown.mlflow);
    let history = RwSignal::new(shown.history);
    let late = RwSignal::new(None::<i64>);
    let read_at = StoredValue::new(crate::part::clock::Clock::expect().now());
    Effect::new(move |before: Option<i64>| {
        let client = client.clone();
        let unknown = mlflow.read_untracked().is_none();
        let span = hours.get();
        let again = move || {
            let client = client.clone();
            if browser::visible() {
                spawn_local(async move {
                    let answer = read(&client, span).await;
                    // Another span is wanted by now.
                    if hours.try_get_untracked() != Some(span) {
                        return;
                    }
                    match answer {
                        Ok(shown) => {
                            mlflow.try_set(shown.mlflow);
                            history.try_set(shown.history);
                            late.try_set(None);
                            read_at.try_set_value(browser::now());
                        }
                        Err(_) => drop(late.try_set(read_at.try_get_value())),
                    }
                });
            }
        };
        // The server may not have waited for it.
        if unknown || before.is_some_and(|before| before != span) {
            again();
        }
        if let Ok(timer) = set_interval_with_handle(again, AGAIN) {
            on_cleanup(move || timer.clear());
        }
        span
    });
    let step = Memo::new(move |_| history.read().step_ms / 60_000);
    let says = move || match step.get() {
        0 | 1 => "A point a minute.".to_owned(),
        minutes => format!("A point every {minutes} minutes: the highest of them."),
    };
    let span = move |(value, label, _): (&'static str, &'static str, i64)| {
        let current = move || (address.get("hours").unwrap_or_default() == value).then_some("true");
        view! { <a href=move || address.with(&[("hours", Some(value))]) aria-current=current data-noscroll="">{label}</a> }
    };
    let to_audit = |query: &str, label: &'static str| view! { <a href=format!("{}?{query}", Route::Audit.href())>{label}</a> };
    let none = Memo::new(move |_| history.read().points.is_empty());
    view! {
        <div class="title"><h1>"Admin"</h1><span class="facts">{dynamic(move || late.get().map(|since| view! { <Stale since=since/> }))}</span></div>
        <AdminTabs here=Route::Admin/>
        {dynamic(move || now(mlflow.get()))}
        {overview()}
        <h2 class="over">"Over time"</h2>
        <div class="line over">
            <nav class="segments" aria-label="How far back">{SPANS.map(span).collect_view()}</nav>
            <span class="muted">{says}</span>
            <span class="spread line">{to_audit("status=5xx&last=1h", "Failed calls of the last hour")}{to_audit("status=4xx&last=1h", "Refused ones")}</span>
        </div>
        {dynamic(move || if none.get() {
            view! { <div class="lead"><Notice>"Flowdeck has just started: the first point comes within a minute."</Notice></div> }.into_any()
        } else {
            charts(history)
        })}
    }
    .into_any()
}

/// Figures that take longer to find than the rest.
fn overview() -> AnyView {
    let client = expect_context::<Client>();
    let found = Resource::new(
        || (),
        move |()| {
            let client = client.clone();
            async move { overview::get(&client).await }
        },
    );
    let drawn = move || {
        Suspend::new(async move {
            match found.await {
                Ok(overview) => figures::figures(overview),
                Err(error) => view! { <Trouble what="the figures" error=error retry=move |()| found.refetch()/> }.into_any(),
            }
        })
    };
    view! { <Transition fallback=|| view! { <Loading rows=4/> }>{dynamic(drawn)}</Transition> }
}

/// MLflow as it is at the moment.
fn now(mlflow: Option<Mlflow>) -> AnyView {
    let Some(mlflow) = mlflow else {
        return view! { <Loading rows=2 label="Asking MLflow…"/> }.into_any();
    };
    let state = if mlflow.reachable {
        view! { <span class="status positive"><Icon icon=icon::CircleCheck/>"Up"</span> }
    } else {
        view! { <span class="status danger"><Icon icon=icon::CircleX/>"Does not answer"</span> }
    };
    let fact = |name: &'static str, value: Option<String>| value.map(|value| view! { <dt>{name}</dt><dd>{value}</dd> });
    let cache = mlflow.credential_cache.map(|on| if on { "on" } else { "off" }.to_owned());
    let advice = mlflow.advice.map(|advice| {
        view! { <Notice class="careful"><span class="line"><span>{advice.clone()}</span><Copy text=advice label="Copy the advice"/></span></Notice> }
    });
    view! {
        <section class="card now" aria-labelledby="mlflow-title">
            <header><h2 id="mlflow-title">"MLflow"</h2>{state}</header>
            <div class="body stack">
                <dl class="facts-line">
                    {fact("Version", mlflow.version)}
                    {fact("Answers in", mlflow.latency_ms.map(|ms| format!("{} ms", short(ms))))}
                    {fact("Sign-in", mlflow.auth)}
                    {fact("Credential cache", cache)}
                </dl>
                {advice}
            </div>
        </section>
    }
    .into_any()
}

fn charts(history: RwSignal<History>) -> AnyView {
    type Of = fn(&Point) -> Option<f64>;
    let series = move |lines: &'static [(&'static str, Of)], outages: bool| {
        Signal::derive(move || {
            history.with(|History { points, .. }| Series {
                times: points.iter().map(|point| point.at).collect(),
                lines: lines
                    .iter()
                    .map(|(name, of)| Line {
                        name,
                        values: points.iter().map(of).collect(),
                    })
                    .collect(),
                bad: if outages {
                    points.iter().map(|point| !point.mlflow_up).collect()
                } else {
                    Vec::new()
                },
            })
        })
    };
    const REQUESTS: &[(&str, Of)] = &[
        ("all", |point| Some(point.requests)),
        ("refused", |point| Some(point.refused)),
        ("failed", |point| Some(point.errors)),
    ];
    const LATENCY: &[(&str, Of)] = &[("half within", |point| point.p50_ms), ("95 % within", |point| point.p95_ms)];
    const MLFLOW: &[(&str, Of)] = &[("answers in", |point| point.mlflow_ms)];
    const OPEN: &[(&str, Of)] = &[("open", |point| Some(point.calls_open))];
    const SESSIONS: &[(&str, Of)] = &[("signed in", |point| Some(point.sessions))];
    view! {
        <div class="charts">
            <Spark title="Calls a minute" unit="" series=series(REQUESTS, false)/>
            <Spark title="How long they take" unit=" ms" series=series(LATENCY, false)/>
            <Spark title="MLflow" unit=" ms" series=series(MLFLOW, true) bad="does not answer"/>
            <Spark title="Calls to MLflow at the same time" unit="" series=series(OPEN, false)/>
            <Spark title="Browser sessions" unit="" series=series(SESSIONS, false)/>
        </div>
    }
    .into_any()
}

/// The pages for administrators, side by side.
#[component]
pub fn AdminTabs(here: Route) -> impl IntoView {
    let tab = |(to, label): (Route, &'static str)| {
        let current = to == here;
        view! { <Tab href=to.href() current=current>{label}</Tab> }
    };
    let tabs = [
        (Route::Admin, "Overview"),
        (Route::Users, "Users"),
        (Route::Roles, "Roles"),
        (Route::Groups, "Groups"),
        (Route::Permissions, "Permissions"),
        (Route::Rules, "Rules"),
        (Route::Changes, "Changes"),
        (Route::Audit, "Audit"),
        (Route::AllKeys, "API keys"),
        (Route::Settings, "Settings"),
    ];
    let tabs = tabs.map(tab).collect_view();
    view! { <Tabs label="Admin">{tabs}</Tabs> }
}
