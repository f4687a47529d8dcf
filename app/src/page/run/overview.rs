//! The overview of a run: metrics and params, the note, and everything about it at the side.

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos::ev;

use super::{facts, live::Live};
use crate::{
    api::mlflow::{
        metric::Metric,
        run::{Pair, tag},
    },
    order::sort_by,
    part::{
        copy::Copy,
        icon::{self, Icon},
        note::Note,
        number::{Number, count},
        time::Time,
    },
    state::address::Address,
};

pub fn overview(live: Live) -> AnyView {
    let address = Address::here();
    let find = address.memo("find");
    let wanted = Memo::new(move |_| find.get().unwrap_or_default().trim().to_ascii_lowercase());
    let run = live.run;
    let metrics = Memo::new(move |_| {
        let mut metrics = run.read().data.metrics.clone();
        sort_by(&mut metrics, |a, b| a.key.cmp(&b.key));
        metrics
    });
    let params = Memo::new(move |_| {
        let mut params = run.read().data.params.clone();
        sort_by(&mut params, |a, b| a.key.cmp(&b.key));
        params
    });
    let note = Memo::new(move |_| run.read().tag(tag::NOTE).unwrap_or_default().to_owned());
    let input = move |event: ev::Event| {
        let text = event_target_value(&event);
        address.replace(&[("find", Some(text.as_str()))]);
    };
    let many = Memo::new(move |_| metrics.read().len() + params.read().len() > 8);
    view! {
        <div class="about">
            <div class="stack">
                {dynamic(move || (many.get() || find.read().is_some()).then(|| view! {
                    <form class="search" role="search" method="get" on:submit=|event: ev::SubmitEvent| event.prevent_default()>
                        <Icon icon=icon::Search/>
                        <input class="input" type="search" name="find" data-key="/" aria-label="Find a metric or a param" placeholder="Find a metric or a param" autocomplete="off"
                            value=find.get_untracked() prop:value=move || find.get().unwrap_or_default() on:input=input/>
                        <kbd>"/"</kbd>
                    </form>
                }))}
                <div class="pair">
                    {metric_card(live, metrics, wanted)}
                    {param_card(params, wanted)}
                </div>
                <Note id="note" text=note save=move |text: String| live.put_tag(tag::NOTE.into(), Some(text), "The note was not saved") empty="No note yet. Say what was tried, what came out, what to do next."/>
            </div>
            <div class="stack">{facts::facts(live)}</div>
        </div>
    }
    .into_any()
}

fn head(id: &'static str, title: &'static str, all: Signal<usize>, shown: Signal<usize>) -> AnyView {
    let says = move || match (shown.get(), all.get()) {
        (shown, all) if shown == all => count(all),
        (shown, all) => format!("{} of {}", count(shown), count(all)),
    };
    view! { <header><h2 id=id>{title}</h2><span class="faint">{says}</span></header> }.into_any()
}

fn metric_card(live: Live, metrics: Memo<Vec<Metric>>, wanted: Memo<String>) -> AnyView {
    let found = Memo::new(move |_| {
        metrics
            .read()
            .iter()
            .filter(|metric| matches(&metric.key, &wanted.read()))
            .cloned()
            .collect::<Vec<_>>()
    });
    // A new value is a new row.
    let key = |metric: &Metric| (metric.key.clone(), metric.value.to_bits(), metric.step, metric.timestamp);
    let row = move |metric: Metric| {
        let value = metric.value;
        let class = match (value.is_nan(), live.awake.get_value()) {
            (true, _) => "number danger",
            (false, true) => "number flash",
            (false, false) => "number",
        };
        view! {
            <tr>
                <th scope="row"><bdi title=metric.key.clone()>{metric.key.clone()}</bdi></th>
                <td class=class><Number value=value/></td>
                <td class="number muted">{metric.step}</td>
                <td class="muted">{(metric.timestamp > 0).then(|| view! { <Time at=metric.timestamp/> })}</td>
            </tr>
        }
    };
    let body = move || {
        match (metrics.read().is_empty(), found.read().is_empty()) {
        (true, _) => view! { <p class="body muted">"No metrics logged."</p> }.into_any(),
        (_, true) => view! { <p class="body muted">"No metric matches."</p> }.into_any(),
        _ => view! {
            <div class="grid-scroll tall" tabindex="0" role="group" aria-label="Table of metrics">
                <table class="grid values">
                    <thead><tr><th scope="col">"Metric"</th><th scope="col" class="number">"Last"</th><th scope="col" class="number">"Step"</th><th scope="col">"Logged"</th></tr></thead>
                    <tbody>{each(move || found.get(), key, row)}</tbody>
                </table>
            </div>
        }
        .into_any(),
    }
    };
    let state = Memo::new(move |_| (metrics.read().is_empty(), found.read().is_empty()));
    view! {
        <section class="card" aria-labelledby="metrics">
            {head("metrics", "Metrics", Signal::derive(move || metrics.read().len()), Signal::derive(move || found.read().len()))}
            {dynamic(move || {
                state.get();
                untrack(body)
            })}
        </section>
    }
    .into_any()
}

fn param_card(params: Memo<Vec<Pair>>, wanted: Memo<String>) -> AnyView {
    let found = Memo::new(move |_| {
        params
            .read()
            .iter()
            .filter(|pair| matches(&pair.key, &wanted.read()) || matches(&pair.value, &wanted.read()))
            .cloned()
            .collect::<Vec<_>>()
    });
    let row = move |pair: Pair| {
        let empty = pair.value.is_empty();
        view! {
            <tr>
                <th scope="row"><bdi title=pair.key.clone()>{pair.key.clone()}</bdi></th>
                <td class="mono wrap">{if empty { view! { <span class="faint">"empty"</span> }.into_any() } else { view! { <bdi>{pair.value.clone()}</bdi> }.into_any() }}</td>
                <td class="act">{(!empty).then(|| view! { <Copy text=pair.value.clone() label="Copy the value"/> })}</td>
            </tr>
        }
    };
    let body = move || {
        match (params.read().is_empty(), found.read().is_empty()) {
        (true, _) => view! { <p class="body muted">"No params logged."</p> }.into_any(),
        (_, true) => view! { <p class="body muted">"No param matches."</p> }.into_any(),
        _ => view! {
            <div class="grid-scroll tall" tabindex="0" role="group" aria-label="Table of params">
                <table class="grid values">
                    <thead><tr><th scope="col">"Param"</th><th scope="col">"Value"</th><th><span class="unseen">"Copy"</span></th></tr></thead>
                    <tbody>{each(move || found.get(), |pair| (pair.key.clone(), pair.value.clone()), row)}</tbody>
                </table>
            </div>
        }
        .into_any(),
    }
    };
    let state = Memo::new(move |_| (params.read().is_empty(), found.read().is_empty()));
    view! {
        <section class="card" aria-labelledby="params">
            {head("params", "Params", Signal::derive(move || params.read().len()), Signal::derive(move || found.read().len()))}
            {dynamic(move || {
                state.get();
                untrack(body)
            })}
        </section>
    }
    .into_any()
}

fn matches(text: &str, wanted: &str) -> bool {
    wanted.is_empty() || text.to_ascii_lowercase().contains(wanted)
}
