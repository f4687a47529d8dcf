//! The vault's rows.

use super::Db;

/// One user's sealed password.
#[derive(sqlx::FromRow)]
pub struct Row {
    pub user: String,
    /// Which key of the ring seals it.
    pub key_id: String,
    pub sealed: Vec<u8>,
}

// === impl Db ===

impl Db {
    pub async fn vault_row(&self, user: &str) -> sqlx::Result<Option<Row>> {
        sqlx::query_as("SELECT user, key_id, sealed FROM vault WHERE user = ?")
            .bind(user)
            .fetch_optional(&self.pool)
            .await
    }

    /// The rows that another key than `key_id` seals.
    pub async fn vault_rows_not_under(&self, key_id: &str) -> sqlx::Result<Vec<Row>> {
        sqlx::query_as("SELECT user, key_id, sealed FROM vault WHERE key_id <> ?")
            .bind(key_id)
            .fetch_all(&self.pool)
            .await
    }

    /// Passwords of those who have neither a session nor a key left, unless they came since `before`: somebody may be signing in.
    /// Nobody knows a service account's password but the vault: it stays.
    pub async fn delete_unused_vault_rows(&self, now: i64, before: i64) -> sqlx::Result<()> {
        sqlx::query(
            "DELETE FROM vault WHERE updated_at < ?
             AND user NOT IN (SELECT user FROM session)
             AND user NOT IN (SELECT user FROM api_key WHERE state <> 'revoked' AND (expires_at IS NULL OR expires_at > ?))
             AND user NOT IN (SELECT name FROM service_account)",
        )
        .bind(before)
        .bind(now)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    pub async fn delete_vault_row(&self, user: &str) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM vault WHERE user = ?")
            .bind(user)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    pub async fn put_vault_row(&self, row: &Row, now: i64) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO vault (user, key_id, sealed, updated_at) VALUES (?, ?, ?, ?)
             ON CONFLICT (user) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed, updated_at = excluded.updated_at",
        )
        .bind(&row.user)
        .bind(&row.key_id)
        .bind(&row.sealed)
        .bind(now)
        .execute(&self.pool)
        .await
        .map(drop)
    }
}
