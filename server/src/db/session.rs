//! The sessions' rows. Times are ms since 1970.

use super::Db;

/// One session as it is kept.
#[derive(sqlx::FromRow)]
pub struct Row {
    /// SHA-256 of the ticket: what the cookie holds is not in the database.
    pub ticket_hash: Vec<u8>,
    /// The name by which its person can see and end it.
    pub id: String,
    pub user: String,
    /// The body, sealed with a key that only the ticket gives.
    pub sealed: Vec<u8>,
    pub user_agent: String,
    pub address: String,
    pub created_at: i64,
    pub used_at: i64,
    pub expires_at: i64,
}

// === impl Db ===

impl Db {
    /// False where the ticket's hash is taken.
    pub async fn insert_session(&self, row: &Row) -> sqlx::Result<bool> {
        let done = sqlx::query(
            "INSERT INTO session (ticket_hash, id, user, sealed, user_agent, address, created_at, used_at, expires_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(&row.ticket_hash)
        .bind(&row.id)
        .bind(&row.user)
        .bind(&row.sealed)
        .bind(&row.user_agent)
        .bind(&row.address)
        .bind(row.created_at)
        .bind(row.used_at)
        .bind(row.expires_at)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    pub async fn update_session_body(&self, ticket_hash: &[u8], sealed: &[u8]) -> sqlx::Result<()> {
        sqlx::query("UPDATE session SET sealed = ? WHERE ticket_hash = ?")
            .bind(sealed)
            .bind(ticket_hash)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    pub async fn session_row(&self, ticket_hash: &[u8]) -> sqlx::Result<Option<Row>> {
        sqlx::query_as("SELECT * FROM session WHERE ticket_hash = ?")
            .bind(ticket_hash)
            .fetch_optional(&self.pool)
            .await
    }

    pub async fn touch_session(&self, ticket_hash: &[u8], now: i64) -> sqlx::Result<()> {
        sqlx::query("UPDATE session SET used_at = ? WHERE ticket_hash = ?")
            .bind(now)
            .bind(ticket_hash)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    pub async fn delete_session(&self, ticket_hash: &[u8]) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM session WHERE ticket_hash = ?")
            .bind(ticket_hash)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// The live sessions of one user, last used first.
    pub async fn sessions_of(&self, user: &str, now: i64, idle_since: i64) -> sqlx::Result<Vec<Row>> {
        sqlx::query_as("SELECT * FROM session WHERE user = ? AND expires_at > ? AND used_at > ? ORDER BY used_at DESC, id LIMIT 200")
            .bind(user)
            .bind(now)
            .bind(idle_since)
            .fetch_all(&self.pool)
            .await
    }

    /// Who has used a session that still lives, the last ones first.
    pub async fn last_here(&self, now: i64, idle_since: i64, most: i64) -> sqlx::Result<Vec<String>> {
        sqlx::query_scalar("SELECT user FROM session WHERE expires_at > ? AND used_at > ? GROUP BY user ORDER BY MAX(used_at) DESC LIMIT ?")
            .bind(now)
            .bind(idle_since)
            .bind(most)
            .fetch_all(&self.pool)
            .await
    }

    pub async fn count_sessions(&self, now: i64, idle_since: i64) -> sqlx::Result<i64> {
        sqlx::query_scalar("SELECT COUNT(*) FROM session WHERE expires_at > ? AND used_at > ?")
            .bind(now)
            .bind(idle_since)
            .fetch_one(&self.pool)
            .await
    }

    /// Ends one session of `user`, and says whether there was one.
    pub async fn end_session(&self, user: &str, id: &str) -> sqlx::Result<bool> {
        let done = sqlx::query("DELETE FROM session WHERE user = ? AND id = ?")
            .bind(user)
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Ends every session of `user` but one.
    pub async fn end_other_sessions(&self, user: &str, kept_id: &str) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM session WHERE user = ? AND id <> ?")
            .bind(user)
            .bind(kept_id)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Ends every session of `user`, and says how many there were.
    pub async fn end_sessions(&self, user: &str) -> sqlx::Result<u64> {
        let done = sqlx::query("DELETE FROM session WHERE user = ?")
            .bind(user)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected())
    }

    pub async fn delete_ended_sessions(&self, now: i64, idle_since: i64) -> sqlx::Result<u64> {
        let done = sqlx::query("DELETE FROM session WHERE expires_at <= ? OR used_at <= ?")
            .bind(now)
            .bind(idle_since)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected())
    }
}
