//! The API keys' and service accounts' rows. Times are ms since 1970, lists are JSON arrays.

use super::Db;

/// One API key as it is kept.
#[derive(Clone, sqlx::FromRow)]
pub struct Row {
    pub id: String,
    /// SHA-256 of the key's text.
    pub hash: Vec<u8>,
    pub previous_hash: Option<Vec<u8>>,
    pub previous_until: Option<i64>,
    pub start: String,
    pub user: String,
    pub name: String,
    pub scopes: String,
    pub families: String,
    pub experiments: String,
    pub models: String,
    pub allowed_networks: String,
    pub rate_per_second: Option<f64>,
    pub burst: Option<i64>,
    pub shadow: bool,
    pub state: String,
    pub created_at: i64,
    pub created_by: String,
    pub expires_at: Option<i64>,
    pub rotated_at: Option<i64>,
    pub last_used_at: Option<i64>,
    pub last_used_address: Option<String>,
    pub would_refuse: i64,
}

/// An MLflow user whose password nobody knows.
#[derive(sqlx::FromRow)]
pub struct Account {
    pub name: String,
    pub created_at: i64,
    pub created_by: String,
}

// === impl Db ===

impl Db {
    pub async fn api_keys(&self) -> sqlx::Result<Vec<Row>> {
        sqlx::query_as("SELECT * FROM api_key ORDER BY created_at, id")
            .fetch_all(&self.pool)
            .await
    }

    /// Writes the whole row, new or known, but for its use.
    pub async fn put_api_key(&self, row: &Row) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO api_key (id, hash, previous_hash, previous_until, start, user, name, scopes, families, experiments, models,
                 allowed_networks, rate_per_second, burst, shadow, state, created_at, created_by, expires_at, rotated_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, previous_hash = excluded.previous_hash,
                 previous_until = excluded.previous_until, start = excluded.start, name = excluded.name, scopes = excluded.scopes,
                 families = excluded.families, experiments = excluded.experiments, models = excluded.models,
                 allowed_networks = excluded.allowed_networks, rate_per_second = excluded.rate_per_second, burst = excluded.burst,
                 shadow = excluded.shadow, state = excluded.state, expires_at = excluded.expires_at, rotated_at = excluded.rotated_at",
        )
        .bind(&row.id)
        .bind(&row.hash)
        .bind(&row.previous_hash)
        .bind(row.previous_until)
        .bind(&row.start)
        .bind(&row.user)
        .bind(&row.name)
        .bind(&row.scopes)
        .bind(&row.families)
        .bind(&row.experiments)
        .bind(&row.models)
        .bind(&row.allowed_networks)
        .bind(row.rate_per_second)
        .bind(row.burst)
        .bind(row.shadow)
        .bind(&row.state)
        .bind(row.created_at)
        .bind(&row.created_by)
        .bind(row.expires_at)
        .bind(row.rotated_at)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// When and whence a key was last used, and how often it would have been refused.
    pub async fn put_api_key_use(&self, id: &str, at: Option<i64>, address: Option<&str>, would_refuse: i64) -> sqlx::Result<()> {
        sqlx::query("UPDATE api_key SET last_used_at = ?, last_used_address = ?, would_refuse = ? WHERE id = ?")
            .bind(at)
            .bind(address)
            .bind(would_refuse)
            .bind(id)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    pub async fn delete_api_key(&self, id: &str) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM api_key WHERE id = ?")
            .bind(id)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    pub async fn service_accounts(&self) -> sqlx::Result<Vec<Account>> {
        sqlx::query_as("SELECT * FROM service_account ORDER BY name")
            .fetch_all(&self.pool)
            .await
    }

    pub async fn put_service_account(&self, account: &Account) -> sqlx::Result<()> {
        sqlx::query("INSERT INTO service_account (name, created_at, created_by) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(&account.name)
            .bind(account.created_at)
            .bind(&account.created_by)
            .execute(&self.pool)
            .await
            .map(drop)
    }
}
