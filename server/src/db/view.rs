//! The named views' rows. Times are ms since 1970.

use sqlx::{Sqlite, Transaction};

use super::Db;

/// One view as it is kept.
#[derive(Clone, sqlx::FromRow)]
pub struct Row {
    pub id: String,
    pub owner: String,
    pub name: String,
    pub state: String,
    pub place: String,
    pub shared: bool,
    pub default_for: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
    pub version: i64,
}

// === impl Db ===

impl Db {
    pub async fn view(&self, id: &str) -> sqlx::Result<Option<Row>> {
        sqlx::query_as("SELECT * FROM view WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.pool)
            .await
    }

    /// One user's, by name.
    pub async fn views_of(&self, owner: &str) -> sqlx::Result<Vec<Row>> {
        sqlx::query_as("SELECT * FROM view WHERE owner = ? ORDER BY name, id")
            .bind(owner)
            .fetch_all(&self.pool)
            .await
    }

    /// Everybody's, by name.
    pub async fn views(&self) -> sqlx::Result<Vec<Row>> {
        sqlx::query_as("SELECT * FROM view ORDER BY name, id").fetch_all(&self.pool).await
    }

    /// One user's and the shared ones at some places (a JSON array), by name; of more than `most`, the user's own and the newest.
    pub async fn views_at(&self, places: &str, user: &str, most: i64) -> sqlx::Result<Vec<Row>> {
        sqlx::query_as(
            "SELECT * FROM (
                 SELECT * FROM view WHERE place IN (SELECT value FROM json_each(?)) AND (owner = ? OR shared)
                 ORDER BY owner = ? DESC, default_for = 'everyone' DESC, updated_at DESC LIMIT ?
             ) ORDER BY name, id",
        )
        .bind(places)
        .bind(user)
        .bind(user)
        .bind(most)
        .fetch_all(&self.pool)
        .await
    }

    /// Adds a view; false where its owner has `most` already.
    pub async fn insert_view(&self, row: &Row, most: i64) -> sqlx::Result<bool> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM view WHERE owner = ?")
            .bind(&row.owner)
            .fetch_one(&mut *transaction)
            .await?;
        if count >= most {
            return Ok(false);
        }
        make_way(&mut transaction, row).await?;
        sqlx::query(
            "INSERT INTO view (id, owner, name, state, place, shared, default_for, created_at, updated_at, version)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&row.id)
        .bind(&row.owner)
        .bind(&row.name)
        .bind(&row.state)
        .bind(&row.place)
        .bind(row.shared)
        .bind(&row.default_for)
        .bind(row.created_at)
        .bind(row.updated_at)
        .bind(row.version)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Writes what can be changed of a view that has the version before `row`'s; false where it has another one, or is gone.
    pub async fn update_view(&self, row: &Row) -> sqlx::Result<bool> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        make_way(&mut transaction, row).await?;
        let done = sqlx::query(
            "UPDATE view SET name = ?, state = ?, place = ?, shared = ?, default_for = ?, updated_at = ?, version = ?
             WHERE id = ? AND version = ?",
        )
        .bind(&row.name)
        .bind(&row.state)
        .bind(&row.place)
        .bind(row.shared)
        .bind(&row.default_for)
        .bind(row.updated_at)
        .bind(row.version)
        .bind(&row.id)
        .bind(row.version - 1)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        transaction.commit().await?;
        Ok(true)
    }

    pub async fn delete_view(&self, id: &str) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM view WHERE id = ?")
            .bind(id)
            .execute(&self.pool)
            .await
            .map(drop)
    }
}

/// A new default takes the place of the one before it, whose version is another then. What was everyone's stays its owner's.
async fn make_way(transaction: &mut Transaction<'_, Sqlite>, row: &Row) -> sqlx::Result<()> {
    let Some(default_for) = &row.default_for else { return Ok(()) };
    sqlx::query(
        "UPDATE view SET default_for = NULL, version = version + 1
         WHERE owner = ? AND place = ? AND id <> ? AND default_for IS NOT NULL",
    )
    .bind(&row.owner)
    .bind(&row.place)
    .bind(&row.id)
    .execute(&mut **transaction)
    .await?;
    if default_for == "everyone" {
        sqlx::query(
            "UPDATE view SET default_for = 'owner', version = version + 1 WHERE place = ? AND default_for = 'everyone' AND id <> ?",
        )
        .bind(&row.place)
        .bind(&row.id)
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}
