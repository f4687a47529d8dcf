//! What Flowdeck keeps of MLflow's users beside sessions and keys: who is deactivated, and who has a link to set a password.

use super::{Db, group};

/// Somebody who may not sign in for now.
#[derive(sqlx::FromRow)]
pub struct Inactive {
    pub name: String,
    pub at: i64,
    pub by: String,
    /// A JSON array: the ids of the keys that worked before.
    pub keys: String,
}

/// A one-time link.
#[derive(sqlx::FromRow)]
pub struct Invite {
    pub hash: Vec<u8>,
    pub user: String,
    /// The password until then, which only the token opens.
    pub sealed: Vec<u8>,
    pub made_by: String,
    pub made_at: i64,
    pub expires_at: i64,
    pub is_new: bool,
}

// === impl Db ===

impl Db {
    pub async fn inactive_users(&self) -> sqlx::Result<Vec<Inactive>> {
        sqlx::query_as("SELECT * FROM inactive_user").fetch_all(&self.pool).await
    }

    pub async fn inactive_user(&self, name: &str) -> sqlx::Result<Option<Inactive>> {
        sqlx::query_as("SELECT * FROM inactive_user WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.pool)
            .await
    }

    pub async fn put_inactive_user(&self, row: &Inactive) -> sqlx::Result<()> {
        sqlx::query("INSERT INTO inactive_user (name, at, by, keys) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(&row.name)
            .bind(row.at)
            .bind(&row.by)
            .bind(&row.keys)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    pub async fn delete_inactive_user(&self, name: &str) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM inactive_user WHERE name = ?")
            .bind(name)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// In the place of the one that the user had.
    pub async fn put_invite(&self, invite: &Invite) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM invite WHERE user = ? OR expires_at <= ?")
            .bind(&invite.user)
            .bind(invite.made_at)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO invite (hash, user, sealed, made_by, made_at, expires_at, is_new) VALUES (?, ?, ?, ?, ?, ?, ?)")
            .bind(&invite.hash)
            .bind(&invite.user)
            .bind(&invite.sealed)
            .bind(&invite.made_by)
            .bind(invite.made_at)
            .bind(invite.expires_at)
            .bind(invite.is_new)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }

    pub async fn invite(&self, hash: &[u8]) -> sqlx::Result<Option<Invite>> {
        sqlx::query_as("SELECT * FROM invite WHERE hash = ?")
            .bind(hash)
            .fetch_optional(&self.pool)
            .await
    }

    /// Takes a link out, so that nobody else can use it; false where somebody has already.
    pub async fn take_invite(&self, hash: &[u8]) -> sqlx::Result<bool> {
        let done = sqlx::query("DELETE FROM invite WHERE hash = ?")
            .bind(hash)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    pub async fn delete_invite_of(&self, user: &str) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM invite WHERE user = ?")
            .bind(user)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Who has a link that can be used.
    pub async fn invited(&self, now: i64) -> sqlx::Result<Vec<String>> {
        sqlx::query_scalar("SELECT user FROM invite WHERE expires_at > ?")
            .bind(now)
            .fetch_all(&self.pool)
            .await
    }

    /// How many live sessions each user has, and when one was last used.
    pub async fn sessions_by_user(&self, now: i64, idle_since: i64) -> sqlx::Result<Vec<(String, i64, i64)>> {
        sqlx::query_as("SELECT user, COUNT(*), MAX(used_at) FROM session WHERE expires_at > ? AND used_at > ? GROUP BY user")
            .bind(now)
            .bind(idle_since)
            .fetch_all(&self.pool)
            .await
    }

    pub async fn count_views(&self, owner: &str) -> sqlx::Result<i64> {
        sqlx::query_scalar("SELECT COUNT(*) FROM view WHERE owner = ?")
            .bind(owner)
            .fetch_one(&self.pool)
            .await
    }

    /// A user is gone from MLflow: what Flowdeck keeps of them goes too, but for keys, which are revoked, and shared views.
    pub async fn forget_user(&self, user: &str) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for sql in [
            "DELETE FROM session WHERE user = ?",
            "DELETE FROM inactive_user WHERE name = ?",
            "DELETE FROM invite WHERE user = ?",
            "DELETE FROM service_account WHERE name = ?",
            "DELETE FROM view WHERE owner = ? AND NOT shared",
        ] {
            sqlx::query(sql).bind(user).execute(&mut *transaction).await?;
        }
        group::forget(&mut transaction, user).await?;
        transaction.commit().await
    }
}
