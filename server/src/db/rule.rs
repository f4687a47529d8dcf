//! The rows of rules over names, and of the grants that they have made. Times are ms since 1970.

use super::Db;

#[derive(Clone, sqlx::FromRow)]
pub struct Row {
    pub id: String,
    pub kind: String,
    pub pattern: String,
    pub role: String,
    pub level: String,
    pub enabled: bool,
    pub by: String,
    pub changed_at: i64,
    pub kept_at: Option<i64>,
    pub trouble: Option<String>,
    pub version: i64,
}

/// A grant that a rule has made.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Made {
    pub rule: String,
    pub role: String,
    pub kind: String,
    pub id: String,
    pub level: String,
}

// === impl Db ===

impl Db {
    pub async fn rules(&self) -> sqlx::Result<Vec<Row>> {
        sqlx::query_as("SELECT * FROM rule ORDER BY pattern, role, id")
            .fetch_all(&self.pool)
            .await
    }

    pub async fn rule(&self, id: &str) -> sqlx::Result<Option<Row>> {
        sqlx::query_as("SELECT * FROM rule WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.pool)
            .await
    }

    /// The patterns of the rules that are kept up with a user's credentials.
    pub async fn rules_of(&self, user: &str) -> sqlx::Result<Vec<String>> {
        sqlx::query_scalar("SELECT pattern FROM rule WHERE by = ? ORDER BY pattern")
            .bind(user)
            .fetch_all(&self.pool)
            .await
    }

    pub async fn insert_rule(&self, row: &Row) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO rule (id, kind, pattern, role, level, enabled, by, changed_at, kept_at, trouble, version)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&row.id)
        .bind(&row.kind)
        .bind(&row.pattern)
        .bind(&row.role)
        .bind(&row.level)
        .bind(row.enabled)
        .bind(&row.by)
        .bind(row.changed_at)
        .bind(row.kept_at)
        .bind(&row.trouble)
        .bind(row.version)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Writes a rule that has the version before `row`'s; false where it has another one, or is gone.
    pub async fn update_rule(&self, row: &Row) -> sqlx::Result<bool> {
        let done = sqlx::query(
            "UPDATE rule SET kind = ?, pattern = ?, role = ?, level = ?, enabled = ?, by = ?, changed_at = ?, version = ?
             WHERE id = ? AND version = ?",
        )
        .bind(&row.kind)
        .bind(&row.pattern)
        .bind(&row.role)
        .bind(&row.level)
        .bind(row.enabled)
        .bind(&row.by)
        .bind(row.changed_at)
        .bind(row.version)
        .bind(&row.id)
        .bind(row.version - 1)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    pub async fn delete_rule(&self, id: &str) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM rule WHERE id = ?")
            .bind(id)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// How keeping a rule up has gone.
    pub async fn note_rule(&self, id: &str, kept_at: Option<i64>, trouble: Option<&str>) -> sqlx::Result<()> {
        sqlx::query("UPDATE rule SET kept_at = COALESCE(?, kept_at), trouble = ? WHERE id = ?")
            .bind(kept_at)
            .bind(trouble)
            .bind(id)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    pub async fn rule_grants(&self) -> sqlx::Result<Vec<Made>> {
        sqlx::query_as("SELECT * FROM rule_grant").fetch_all(&self.pool).await
    }

    /// What a rule has made, in the place of what it had.
    pub async fn put_rule_grants(&self, rule: &str, made: &[Made]) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM rule_grant WHERE rule = ?")
            .bind(rule)
            .execute(&mut *transaction)
            .await?;
        for made in made {
            sqlx::query("INSERT INTO rule_grant (rule, role, kind, id, level) VALUES (?, ?, ?, ?, ?)")
                .bind(rule)
                .bind(&made.role)
                .bind(&made.kind)
                .bind(&made.id)
                .bind(&made.level)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }
}
