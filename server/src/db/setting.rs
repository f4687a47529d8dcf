//! The rows of settings that were changed at run time, and of each change. Times are ms since 1970.

use super::Db;

#[derive(Clone, sqlx::FromRow)]
pub struct Row {
    pub name: String,
    /// `None`: what Flowdeck was started with.
    pub value: Option<String>,
    pub changed_at: i64,
    pub changed_by: String,
    pub version: i64,
}

#[derive(sqlx::FromRow)]
pub struct Changed {
    pub name: String,
    pub at: i64,
    pub by: String,
    pub was: Option<String>,
    pub will: Option<String>,
}

// === impl Db ===

impl Db {
    pub async fn settings(&self) -> sqlx::Result<Vec<Row>> {
        sqlx::query_as("SELECT * FROM setting").fetch_all(&self.pool).await
    }

    /// Writes a setting that has the version before `row`'s; false where it has another one.
    pub async fn put_setting(&self, row: &Row) -> sqlx::Result<bool> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let was: Option<(Option<String>, i64)> = sqlx::query_as("SELECT value, version FROM setting WHERE name = ?")
            .bind(&row.name)
            .fetch_optional(&mut *transaction)
            .await?;
        let (was, version) = was.unwrap_or_default();
        if version != row.version - 1 {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO setting (name, value, changed_at, changed_by, version) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at, changed_by = excluded.changed_by,
                 version = excluded.version",
        )
        .bind(&row.name)
        .bind(&row.value)
        .bind(row.changed_at)
        .bind(&row.changed_by)
        .bind(row.version)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("INSERT INTO setting_change (name, at, by, was, will) VALUES (?, ?, ?, ?, ?)")
            .bind(&row.name)
            .bind(row.changed_at)
            .bind(&row.changed_by)
            .bind(was)
            .bind(&row.value)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The newest first.
    pub async fn setting_changes(&self, most: i64) -> sqlx::Result<Vec<Changed>> {
        sqlx::query_as("SELECT * FROM setting_change ORDER BY at DESC, rowid DESC LIMIT ?")
            .bind(most)
            .fetch_all(&self.pool)
            .await
    }
}
