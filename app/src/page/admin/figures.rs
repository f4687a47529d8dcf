//! Figures of now and of the last hours, each leading to where it comes from.

use crate::prelude::*;

use super::default;
use crate::{
    api::flowdeck::overview::{Busy, Disk, Overview, People},
    page::run::size,
    part::{
        face::Notice,
        link::Link,
        number::{count, short},
        spark::{Line, Series, Spark},
        time::Time,
    },
    route::{Route, escape},
};

const DAY: i64 = 86_400_000;
/// Of those that are busiest and slowest.
const LISTED: usize = 5;

pub fn figures(overview: Overview) -> AnyView {
    let figure = |number: String, label: &'static str, href: String| {
        view! { <a class="figure" href=href><b>{number}</b><span>{label}</span></a> }
    };
    let counted = |number: usize, one: &'static str, several: &'static str, href: String| {
        figure(count(number), if number == 1 { one } else { several }, href)
    };
    let of = |route: Route, query: &str| route.href() + query;
    let sessions = usize::try_from(overview.sessions).unwrap_or_default();
    let own = [
        counted(sessions, "session", "sessions", of(Route::Users, "?sort=-sessions")),
        counted(overview.keys, "API key", "API keys", Route::AllKeys.href()),
        figure(count(overview.calls as usize), "calls in an hour", of(Route::Audit, "?last=1h")),
        figure(
            rate(overview.failed, overview.calls),
            "of them failed",
            of(Route::Audit, "?status=5xx&last=1h"),
        ),
        figure(
            rate(overview.refused, overview.calls),
            "of them refused",
            of(Route::Audit, "?status=4xx&last=1h"),
        ),
    ];
    let people = overview.people.as_ref().map(|people| {
        [
            counted(people.users, "user", "users", Route::Users.href()),
            counted(people.admins, "administrator", "administrators", of(Route::Users, "?kind=admin")),
            figure(count(people.inactive), "deactivated", of(Route::Users, "?state=inactive")),
            counted(people.roles, "role", "roles", Route::Roles.href()),
            counted(people.grants, "grant", "grants", Route::Permissions.href()),
            counted(people.experiments, "experiment", "experiments", Route::Experiments.href()),
            counted(people.models, "model", "models", of(Route::Permissions, "?kind=registered_model")),
        ]
        .collect_view()
    });
    let read_at = overview.people.as_ref().map(|people| people.read_at);
    let as_of = read_at.map(|at| view! { <p class="muted small as-of">"Users, roles and grants as of "<Time at=at/></p> });
    let away = (!overview.mlflow_up).then(|| {
        let since = overview.mlflow_down_since.map(|at| view! { ", seen first "<Time at=at/> });
        let says = if read_at.is_some() {
            ". Users, roles and grants are shown as they were read last."
        } else {
            ". Users, roles and grants are not known until it does."
        };
        view! { <Notice class="failed">"MLflow does not answer"{since}{says}</Notice> }
    });
    let interrupted = (!overview.interrupted.is_empty()).then(|| {
        let says = match overview.interrupted.len() {
            1 => "A change of permissions was interrupted".to_owned(),
            many => format!("{} changes of permissions were interrupted", count(many)),
        };
        view! { <Notice class="careful">{says}": "<Link to=Route::Changes>"go on with it or take it back"</Link>"."</Notice> }
    });
    let drifted = overview.people.as_ref().map_or(0, |people| people.drifted);
    let drifted = (drifted > 0).then(|| {
        let says = match drifted {
            1 => "One grant differs from its rule over names".to_owned(),
            many => format!("{} grants differ from their rules over names", count(many)),
        };
        view! { <Notice class="careful">{says}": "<Link to=Route::Rules>"look at the rules"</Link>"."</Notice> }
    });
    let passwords = overview.password_seconds.filter(|seconds| *seconds >= 1.0).map(|seconds| {
        let says = format!(
            "MLflow has hashed passwords for at least {} s in the last hour, since it does not remember those that it has checked.",
            short(seconds.round())
        );
        view! { <Notice class="careful">{says}</Notice> }
    });
    let experiments = overview.busiest_experiments.iter().take(LISTED).map(|busy| {
        let to = Route::Experiment { id: busy.on.id.clone() };
        line(to, busy.name.clone(), busy.calls)
    });
    let experiments = experiments.collect_view();
    let none = |listed: bool| (!listed).then(|| view! { <p class="body muted">"No calls in the last 24 hours."</p> });
    let made = overview.people.as_ref().map(growth);
    let default = overview
        .people
        .as_ref()
        .map(|people| default::notice(people.default, people.default_known));
    view! {
        <div class="lead stack notices">{away}{default}{interrupted}{drifted}{passwords}</div>
        <nav class="figures" aria-label="Figures">{people}{own.collect_view()}</nav>
        {as_of}
        <div class="charts">
            <section class="card" aria-labelledby="busy-users"><header><h2 id="busy-users">"Busiest users"</h2><span class="muted small spread">"calls in 24 h"</span></header>
                {none(!overview.busiest_users.is_empty())}<ul class="named">{overview.busiest_users.iter().take(LISTED).map(user).collect_view()}</ul></section>
            <section class="card" aria-labelledby="slow-routes"><header><h2 id="slow-routes">"Slowest routes"</h2><span class="muted small spread">"95 % within"</span></header>
                {none(!overview.slowest_routes.is_empty())}<ul class="named">{overview.slowest_routes.iter().take(LISTED).map(route).collect_view()}</ul></section>
            <section class="card" aria-labelledby="busy-experiments"><header><h2 id="busy-experiments">"Busiest experiments"</h2><span class="muted small spread">"calls in 24 h"</span></header>
                {none(!overview.busiest_experiments.is_empty())}<ul class="named">{experiments}</ul></section>
            <section class="card" aria-labelledby="disk"><header><h2 id="disk">"Disk"</h2><span class="muted small spread">"of Flowdeck's own state"</span></header>
                <ul class="named">{overview.disk.iter().take(LISTED).map(disk).collect_view()}</ul></section>
            {made}
        </div>
    }
}

fn user(busy: &Busy) -> AnyView {
    line(Route::User { name: busy.name.clone() }, busy.name.clone(), busy.calls)
}

fn line(to: Route, name: String, calls: u64) -> AnyView {
    view! { <li><a href=to.href()><bdi>{name}</bdi></a><span class="spread">{count(calls as usize)}</span></li> }
}

fn route(busy: &Busy) -> AnyView {
    let href = format!("{}?route={}&last=24h", Route::Audit.href(), escape(&busy.name));
    view! { <li><a class="mono" href=href>{busy.name.clone()}</a><span class="spread">{format!("{} ms", short(busy.p95_ms.round()))}</span></li> }
}

fn disk(disk: &Disk) -> AnyView {
    view! { <li><code>{disk.name.clone()}</code><span class="spread">{size(i64::try_from(disk.bytes).unwrap_or(i64::MAX))}</span></li> }
}

/// Experiments that were made, by day.
fn growth(people: &People) -> AnyView {
    let days = people.experiments_by_day.len() as i64;
    let series = Series {
        times: (0..days).map(|day| people.read_at - (days - 1 - day) * DAY).collect(),
        lines: vec![Line {
            name: "made",
            values: people.experiments_by_day.iter().map(|number| Some(*number as f64)).collect(),
        }],
        bad: Vec::new(),
    };
    view! { <Spark title="New experiments a day" unit="" days=true series=Signal::stored(series)/> }
}

/// `0.4%` of all.
fn rate(part: u64, all: u64) -> String {
    match (part, all) {
        (0, _) | (_, 0) => "0%".into(),
        (part, all) => format!("{}%", short((part as f64 / all as f64 * 1000.0).ceil() / 10.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn shares_are_said() {
        assert_eq!([rate(0, 0), rate(1, 3000), rate(1, 4)], ["0%", "0.1%", "25%"]);
    }
}
