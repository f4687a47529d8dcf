//! `/api/flowdeck/v1/settings`: what can be changed while Flowdeck runs, and where everything else comes from. For owners.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicI64, Ordering},
};

use app::api::flowdeck::setting::{Setting, SettingChange, SettingWish, Settings};
use axum::{Extension, Json, extract::State};

use crate::{
    caller, clock,
    config::{self, limit::parse_rate},
    db::setting::Row,
    error::{Error, Result},
    extract,
    principal::Principal,
    state,
};

/// Changes that are told.
const TOLD: i64 = 100;

/// What holds of the settings that are nobody else's, and how Flowdeck was started.
pub struct Live {
    /// One line a setting, as `flowdeck check-config` tells it: `name = value  (source)`.
    report: String,
    invite_hours: AtomicI64,
}

/// A setting that can be changed while Flowdeck runs.
struct Known {
    name: &'static str,
    says: &'static str,
    /// Of what Flowdeck was started with.
    started: fn(&state::State) -> String,
    /// Whether the text is a value, and makes it hold.
    set: fn(&state::State, &str, bool) -> std::result::Result<(), String>,
}

const INVITE_HOURS: i64 = 72;

const KNOWN: [Known; 4] = [
    Known {
        name: "user_rate",
        says: "API calls per second of one user's programs, and as many of the user's browser sessions",
        started: |state| state.config.limit.user_rate.to_string(),
        set: |state, text, hold| {
            let user_rate = parse_rate(text)?;
            limits(state, hold, |limit| limit.user_rate = user_rate);
            Ok(())
        },
    },
    Known {
        name: "user_burst",
        says: "How many API calls may come at once, after a pause, before the rate counts",
        started: |state| state.config.limit.user_burst.to_string(),
        set: |state, text, hold| {
            let user_burst = count(text)?;
            limits(state, hold, |limit| limit.user_burst = user_burst);
            Ok(())
        },
    },
    Known {
        name: "user_calls",
        says: "How many API calls of one user's programs may be open at the same time; browser sessions have as many of their own",
        started: |state| state.config.limit.user_calls.to_string(),
        set: |state, text, hold| {
            let user_calls = count(text)?;
            limits(state, hold, |limit| limit.user_calls = user_calls);
            Ok(())
        },
    },
    Known {
        name: "invite_hours",
        says: "How many hours a one-time link works by which a person sets their password",
        started: |_| INVITE_HOURS.to_string(),
        set: |state, text, hold| {
            let hours = text.parse().ok().filter(|hours| (1..=24 * 30).contains(hours));
            let hours = hours.ok_or("expected 1 to 720 hours")?;
            if hold {
                state.settings.invite_hours.store(hours, Ordering::Relaxed);
            }
            Ok(())
        },
    },
];

fn count(text: &str) -> std::result::Result<NonZeroU32, String> {
    let count = text.parse().ok().filter(|count: &NonZeroU32| count.get() <= 1_000_000);
    count.ok_or_else(|| "expected 1 to 1000000 calls".to_owned())
}

fn limits(state: &state::State, hold: bool, change: impl FnOnce(&mut config::Limit)) {
    if hold {
        let mut limit = state.limits.config();
        change(&mut limit);
        state.limits.set_config(limit);
    }
}

// === impl Live ===

impl Live {
    pub fn new(report: String) -> Self {
        Self {
            report,
            invite_hours: AtomicI64::new(INVITE_HOURS),
        }
    }

    pub fn invite_hours(&self) -> i64 {
        self.invite_hours.load(Ordering::Relaxed)
    }

    /// Name, value and source of each setting that Flowdeck was started with.
    fn started(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.report.lines().filter_map(|line| {
            let (name, rest) = line.split_once(" = ")?;
            let (value, source) = rest.strip_suffix(')')?.rsplit_once("  (")?;
            Some((name, value, source))
        })
    }
}

/// Makes what was changed before hold again. To be called at start.
///
/// # Errors
/// When the database cannot be read.
pub async fn restore(state: &state::State) -> sqlx::Result<()> {
    for row in state.db.settings().await? {
        let known = KNOWN.iter().find(|known| known.name == row.name);
        if let (Some(known), Some(value)) = (known, &row.value)
            && let Err(error) = (known.set)(state, value, true)
        {
            tracing::warn!("the setting {} cannot be {value}: {error}", row.name);
        }
    }
    Ok(())
}

/// `GET /api/flowdeck/v1/settings` → all settings, where they come from, and who changed which when
#[utoipa::path(get, path = "/settings", tag = "Settings", responses((status = 200, body = Settings)))]
pub async fn list(State(state): State<state::State>, Extension(principal): Extension<Principal>) -> Result<Json<Settings>> {
    caller::reader_without_mlflow(&state, &principal).await?;
    let rows = state.db.settings().await?;
    let mut settings: Vec<Setting> = KNOWN.iter().map(|known| told(&state, known, &rows)).collect();
    let others = state
        .settings
        .started()
        .filter(|(name, ..)| !KNOWN.iter().any(|known| known.name == *name));
    settings.extend(others.map(|(name, value, source)| Setting {
        name: name.to_owned(),
        value: value.to_owned(),
        says: String::new(),
        source: source.to_owned(),
        live: false,
        started_with: value.to_owned(),
        version: 0,
        changed_at: None,
        changed_by: None,
    }));
    let history = state.db.setting_changes(TOLD).await?.into_iter().map(|change| SettingChange {
        name: change.name,
        at: change.at,
        by: change.by,
        was: change.was,
        will: change.will,
    });
    Ok(Json(Settings {
        settings,
        history: history.collect(),
    }))
}

/// `PATCH /api/flowdeck/v1/settings/{name}` → the setting, which holds at once; 409 where it has another `version` by now
#[utoipa::path(patch, path = "/settings/{name}", tag = "Settings", params(("name" = String, Path)), request_body = SettingWish, responses((status = 200, body = Setting)))]
pub async fn change(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(name): extract::Path<String>,
    extract::Json(wish): extract::Json<SettingWish>,
) -> Result<Json<Setting>> {
    state.audit.can_write()?;
    let who = caller::owner(&state, &principal).await?;
    let known = KNOWN.iter().find(|known| known.name == name);
    let known = known.ok_or_else(|| Error::NotFound("there is no setting of that name that can be changed at run time".into()))?;
    let value = wish.value.map(|value| value.trim().to_owned());
    let holds = value.clone().unwrap_or_else(|| (known.started)(&state));
    (known.set)(&state, &holds, false).map_err(|says| Error::BadRequest(format!("`value`: {says}")))?;
    let row = Row {
        name,
        value,
        changed_at: clock::now(),
        changed_by: who.user,
        version: wish.version + 1,
    };
    if !state.db.put_setting(&row).await? {
        return Err(Error::Conflict("this setting was changed meanwhile: load it again".into()));
    }
    (known.set)(&state, &holds, true).map_err(|says| Error::BadRequest(format!("`value`: {says}")))?;
    tracing::info!(name = row.name, by = row.changed_by, "a setting was changed");
    Ok(Json(told(&state, known, &[row])))
}

fn told(state: &state::State, known: &Known, rows: &[Row]) -> Setting {
    let row = rows.iter().find(|row| row.name == known.name);
    let started = (known.started)(state);
    let from = state.settings.started().find(|(name, ..)| *name == known.name);
    let changed = row.and_then(|row| row.value.clone());
    Setting {
        name: known.name.to_owned(),
        source: match &changed {
            Some(_) => "here".to_owned(),
            None => from.map_or("default", |(.., source)| source).to_owned(),
        },
        value: changed.unwrap_or_else(|| started.clone()),
        says: known.says.to_owned(),
        live: true,
        started_with: started,
        version: row.map_or(0, |row| row.version),
        changed_at: row.map(|row| row.changed_at),
        changed_by: row.map(|row| row.changed_by.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::Live;

    #[test]
    fn how_it_was_started_is_read_from_the_report() {
        let live = Live::new("base_path = /a (b)  (--base-path)\nsecret_key = (hidden)  (configuration file)\n".into());
        let told: Vec<_> = live.started().collect();
        assert_eq!(
            told,
            [
                ("base_path", "/a (b)", "--base-path"),
                ("secret_key", "(hidden)", "configuration file")
            ]
        );
    }
}
