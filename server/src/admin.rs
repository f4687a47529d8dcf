//! The owner's rooms: who may do what in MLflow, why, and changing it. MLflow decides; what is written are its own grants, with the
//! credentials of whoever changes them.

pub mod access;
pub mod account;
pub mod change;
pub mod explain;
pub mod group;
pub mod guard;
pub mod import;
pub mod index;
pub mod invite;
pub mod journal;
pub mod overview;
pub mod role;
pub mod rule;
pub mod service;
pub mod setting;
pub mod user;
pub mod world;

use std::time::Duration;

use crate::state::State;

const STEP: Duration = Duration::from_secs(10);
/// Rules are kept up each so many steps.
const RULES: u32 = 6;

/// Goes on with changes that were interrupted and keeps rules up, for ever; to be spawned.
pub async fn keep(state: State) {
    let mut is_new = true;
    let mut steps = tokio::time::interval(STEP);
    steps.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for step in 1_u32.. {
        steps.tick().await;
        if state.upstream.url("/").is_err() {
            continue;
        }
        if std::mem::take(&mut is_new) {
            let state = state.clone();
            tokio::spawn(async move {
                if let Err(error) = state.index.begin(&state).await {
                    tracing::warn!("users and roles cannot be read before somebody asks: {error}");
                }
            });
        }
        if let Err(error) = journal::resume_all(&state).await {
            tracing::warn!("interrupted changes cannot be read: {error}");
        }
        if step % RULES == 0
            && let Err(error) = rule::keep_all(&state).await
        {
            tracing::warn!("rules cannot be kept up: {error}");
        }
    }
}
