//! `/api/flowdeck/v1/overview`: how all of it is doing. For owners.

use std::path::Path;

use app::api::flowdeck::{
    grant::{Kind, Target},
    overview::{Busy, BusyExperiment, Disk, Overview, People},
};
use axum::{Extension, Json, extract::State};

use super::{rule::Rule, world::World};
use crate::{caller, clock, db::rule::Made, error::Result, principal::Principal, session::Store, state};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const DAYS: usize = 30;
/// What MLflow takes at the least to hash a password, and how often it does at each call if it does not remember
/// (`mlflow::cache`), in seconds.
const HASH: f64 = 0.05 * 2.0;

/// `GET /api/flowdeck/v1/overview` → figures of now and of the last hours
#[utoipa::path(get, path = "/overview", tag = "Overview", responses((status = 200, body = Overview)))]
pub async fn show(State(state): State<state::State>, Extension(principal): Extension<Principal>) -> Result<Json<Overview>> {
    let (who, look) = tokio::join!(caller::reader_without_mlflow(&state, &principal), state.health.look(&state));
    who?;
    let mlflow_up = look.latency.is_some();
    // What was read last is told with its age where MLflow does not answer.
    let world = match mlflow_up {
        true => Some(state.index.world(&state, &principal).await?),
        false => state.index.last(),
    };
    let now = clock::now();
    let busy = state.audit.busy(now - DAY).await?;
    let (calls, failed, refused) = state.health.history.calls(now - HOUR);
    let remembers = state.health.cache.is_on();
    let interrupted = state.db.open_changes().await?.into_iter().filter(|row| row.state == "interrupted");
    let interrupted = interrupted.map(|row| row.id).collect();
    let told = |(name, calls, p95_ms)| Busy { name, calls, p95_ms };
    let data_dir = state.config.data.data_dir.clone();
    let disk = tokio::task::spawn_blocking(move || disk(&data_dir))
        .await
        .map_err(anyhow::Error::from)?;
    let name = |on: &Target| world.as_ref().and_then(|world| world.things.name(on)).unwrap_or(&on.id).to_owned();
    let experiments = busy.experiments.into_iter().map(|(id, calls)| {
        let on = Target::new(Kind::Experiment, id);
        BusyExperiment {
            name: name(&on),
            on,
            calls,
        }
    });
    Ok(Json(Overview {
        mlflow_up,
        mlflow_down_since: state.health.down_since(),
        mlflow_version: state.upstream.vetted.get().map(ToString::to_string),
        sessions: Store::new(state.db.clone(), state.config.session.clone()).count().await?,
        keys: state.keys.list(|key| key.is_live(now)).len(),
        calls,
        failed,
        refused,
        busiest_users: busy.users.into_iter().map(told).collect(),
        slowest_routes: busy.routes.into_iter().map(told).collect(),
        busiest_experiments: experiments.collect(),
        remembers_passwords: remembers,
        password_seconds: (remembers == Some(false)).then_some(calls as f64 * HASH),
        disk,
        interrupted,
        people: match &world {
            Some(world) => Some(people(&state, world, now).await?),
            None => None,
        },
    }))
}

async fn people(state: &state::State, world: &World, now: i64) -> Result<People> {
    let made = state.db.rule_grants().await?;
    let mut drifted = 0;
    for row in state.db.rules().await? {
        let made: Vec<Made> = made.iter().filter(|made| made.rule == row.id).cloned().collect();
        drifted += super::rule::counts(&Rule::of(&row)?.produced(world, &made)).drifted;
    }
    let count = |kind: Kind| world.things.all.keys().filter(|on| on.kind == kind).count();
    Ok(People {
        default: world.default_level(),
        default_known: world.default.is_known(),
        users: world.users.len(),
        admins: world.admins().count(),
        inactive: world.users.values().filter(|user| !user.active).count(),
        roles: world.roles.len(),
        grants: grants(world),
        experiments: count(Kind::Experiment),
        models: count(Kind::RegisteredModel),
        experiments_by_day: by_day(world, now),
        drifted,
        read_at: world.read_at,
    })
}

fn grants(world: &World) -> usize {
    let direct: usize = world.users.values().map(|user| user.grants.len()).sum();
    let of_roles: usize = world.roles.values().map(|role| role.grants.len()).sum();
    direct + of_roles
}

/// Experiments that were made on each of the last days, the oldest first.
fn by_day(world: &World, now: i64) -> Vec<usize> {
    let mut days = vec![0; DAYS];
    for (on, (_, made_at)) in &world.things.all {
        let Some(ago) = made_at.filter(|_| on.kind == Kind::Experiment).map(|at| (now - at).max(0) / DAY) else {
            continue;
        };
        if let Some(day) = DAYS.checked_sub(1 + ago as usize) {
            days[day] += 1;
        }
    }
    days
}

/// The files of Flowdeck's state, and of the MLflow that it manages.
fn disk(folder: &Path) -> Vec<Disk> {
    let mut found: Vec<Disk> = Vec::new();
    for (below, folder) in [("", folder.to_owned()), ("mlflow/", folder.join("mlflow"))] {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // SQLite keeps a database in up to three files.
            let name = name.trim_end_matches("-wal").trim_end_matches("-shm").to_owned();
            let Some(bytes) = entry.metadata().ok().filter(|data| data.is_file()).map(|data| data.len()) else {
                continue;
            };
            if !Path::new(&name).extension().is_some_and(|kind| kind == "db" || kind == "log") {
                continue;
            }
            let name = format!("{below}{name}");
            match found.iter_mut().find(|disk| disk.name == name) {
                Some(disk) => disk.bytes += bytes,
                None => found.push(Disk { name, bytes }),
            }
        }
    }
    found.sort_by_key(|disk| std::cmp::Reverse(disk.bytes));
    found
}
