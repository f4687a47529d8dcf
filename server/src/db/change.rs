//! The rows of changes: what was found, what was made of it, and how far one is.

use super::Db;

/// One change as it is kept. Times are ms since 1970.
#[derive(Clone, sqlx::FromRow)]
pub struct Row {
    pub number: i64,
    pub id: String,
    pub at: i64,
    pub by: String,
    pub reason: String,
    pub state: String,
    /// A JSON array.
    pub edits: String,
    /// So many of the edits are made.
    pub done: i64,
    /// They are being taken back.
    pub backwards: bool,
    pub request_id: String,
    pub undoes: Option<String>,
    pub undone_by: Option<String>,
    pub trouble: Option<String>,
}

// === impl Db ===

impl Db {
    /// Adds a change, whose number is not read, with what it is about.
    pub async fn insert_change(&self, row: &Row, about: &[String]) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let done = sqlx::query(
            "INSERT INTO change (id, at, by, reason, state, edits, done, backwards, request_id, undoes, undone_by, trouble)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&row.id)
        .bind(row.at)
        .bind(&row.by)
        .bind(&row.reason)
        .bind(&row.state)
        .bind(&row.edits)
        .bind(row.done)
        .bind(row.backwards)
        .bind(&row.request_id)
        .bind(&row.undoes)
        .bind(&row.undone_by)
        .bind(&row.trouble)
        .execute(&mut *transaction)
        .await?;
        let number = done.last_insert_rowid();
        for what in about {
            sqlx::query("INSERT INTO change_about (what, number) VALUES (?, ?) ON CONFLICT DO NOTHING")
                .bind(what)
                .bind(number)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    /// How far a change is.
    pub async fn step_change(&self, id: &str, done: usize) -> sqlx::Result<()> {
        sqlx::query("UPDATE change SET done = ? WHERE id = ?")
            .bind(done as i64)
            .bind(id)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// From here on a change is taken back, and why.
    pub async fn turn_change(&self, id: &str, trouble: &str) -> sqlx::Result<()> {
        sqlx::query("UPDATE change SET backwards = TRUE, trouble = ? WHERE id = ?")
            .bind(trouble)
            .bind(id)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// What is under way while nothing runs yet was interrupted.
    pub async fn interrupt_changes(&self) -> sqlx::Result<()> {
        sqlx::query(
            "UPDATE change SET state = 'interrupted', trouble = coalesce(trouble, 'Flowdeck was stopped in the middle of it')
             WHERE state = 'applying'",
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// What became of a change; one that takes another back marks that one.
    pub async fn end_change(&self, id: &str, state: &str, trouble: Option<&str>) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE change SET state = ?, trouble = ? WHERE id = ?")
            .bind(state)
            .bind(trouble)
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        if state == "applied" {
            sqlx::query("UPDATE change SET undone_by = ?1 WHERE id = (SELECT undoes FROM change WHERE id = ?1)")
                .bind(id)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    pub async fn change(&self, id: &str) -> sqlx::Result<Option<Row>> {
        sqlx::query_as("SELECT * FROM change WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.pool)
            .await
    }

    /// The newest first, of those before a number; about this, where something is said, by them, and of this call.
    pub async fn changes(
        &self,
        what: Option<&str>,
        by: Option<&str>,
        request_id: Option<&str>,
        before: i64,
        limit: i64,
    ) -> sqlx::Result<Vec<Row>> {
        sqlx::query_as(
            "SELECT * FROM change WHERE number < ?1 AND (?2 IS NULL OR by = ?2)
             AND (?3 IS NULL OR number IN (SELECT number FROM change_about WHERE what = ?3))
             AND (?5 IS NULL OR request_id = ?5)
             ORDER BY number DESC LIMIT ?4",
        )
        .bind(before)
        .bind(by)
        .bind(what)
        .bind(limit)
        .bind(request_id)
        .fetch_all(&self.pool)
        .await
    }

    /// What was begun and has not ended, the oldest first.
    pub async fn open_changes(&self) -> sqlx::Result<Vec<Row>> {
        sqlx::query_as("SELECT * FROM change WHERE state IN ('applying', 'interrupted') ORDER BY number")
            .fetch_all(&self.pool)
            .await
    }
}
