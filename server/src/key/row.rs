//! A key as the database keeps it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicI64},
};

use anyhow::Context as _;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{Key, Settings, State, Usage, token::Hash};
use crate::db::key::Row;

impl From<&Key> for Row {
    fn from(key: &Key) -> Self {
        fn list<T: Serialize>(items: T) -> String {
            serde_json::json!(items).to_string()
        }
        let settings = &key.settings;
        Self {
            id: key.id.clone(),
            hash: key.hash.to_vec(),
            previous_hash: key.previous.map(|hash| hash.to_vec()),
            previous_until: key.previous_until,
            start: key.start.clone(),
            user: key.user.clone(),
            name: settings.name.clone(),
            scopes: list(settings.scopes),
            families: list(&settings.families),
            experiments: list(&settings.experiments),
            models: list(&settings.models),
            allowed_networks: list(&settings.allowed_networks),
            rate_per_second: settings.rate_per_second,
            burst: settings.burst.map(i64::from),
            shadow: settings.shadow,
            state: match key.state {
                State::Active => "active",
                State::Disabled => "disabled",
                State::Revoked => "revoked",
            }
            .to_owned(),
            created_at: key.created_at,
            created_by: key.created_by.clone(),
            expires_at: settings.expires_at,
            rotated_at: key.rotated_at,
            last_used_at: None,
            last_used_address: None,
            would_refuse: 0,
        }
    }
}

impl TryFrom<Row> for Key {
    type Error = anyhow::Error;

    fn try_from(row: Row) -> anyhow::Result<Self> {
        let hash = |bytes: Vec<u8>| Hash::try_from(bytes).ok().context("a hash of another length");
        let state = match row.state.as_str() {
            "active" => State::Active,
            "disabled" => State::Disabled,
            _ => State::Revoked,
        };
        let last = row
            .last_used_at
            .zip(row.last_used_address.as_deref().and_then(|text| text.parse().ok()));
        let ended = CancellationToken::new();
        if state != State::Active {
            ended.cancel();
        }
        Ok(Self {
            user: row.user,
            start: row.start,
            settings: Settings {
                name: row.name,
                scopes: serde_json::from_str(&row.scopes)?,
                families: serde_json::from_str(&row.families)?,
                experiments: serde_json::from_str(&row.experiments)?,
                models: serde_json::from_str(&row.models)?,
                allowed_networks: serde_json::from_str(&row.allowed_networks)?,
                rate_per_second: row.rate_per_second,
                burst: row.burst.map(u32::try_from).transpose()?,
                expires_at: row.expires_at,
                shadow: row.shadow,
            },
            state,
            created_at: row.created_at,
            created_by: row.created_by,
            rotated_at: row.rotated_at,
            previous_until: row.previous_until,
            usage: Arc::new(Usage {
                last: Mutex::new(last),
                would_refuse: AtomicI64::new(row.would_refuse),
                unwritten: AtomicBool::new(false),
            }),
            ended,
            hash: hash(row.hash)?,
            previous: row.previous_hash.map(hash).transpose()?,
            id: row.id,
        })
    }
}
