//! The rows of Flowdeck's groups.

use sqlx::{Sqlite, Transaction};

use super::Db;

#[derive(sqlx::FromRow)]
pub struct Row {
    pub name: String,
    pub description: String,
}

/// All of them at once.
pub struct Groups {
    pub groups: Vec<Row>,
    /// Group and user.
    pub members: Vec<(String, String)>,
    /// Group and role.
    pub roles: Vec<(String, String)>,
    /// User and role: what came with a group.
    pub assignments: Vec<(String, String)>,
}

// === impl Db ===

impl Db {
    pub async fn groups(&self) -> sqlx::Result<Groups> {
        let mut transaction = self.pool.begin().await?;
        let groups = sqlx::query_as("SELECT * FROM team").fetch_all(&mut *transaction).await?;
        let members = sqlx::query_as("SELECT team, user FROM team_member")
            .fetch_all(&mut *transaction)
            .await?;
        let roles = sqlx::query_as("SELECT team, role FROM team_role")
            .fetch_all(&mut *transaction)
            .await?;
        let assignments = sqlx::query_as("SELECT user, role FROM team_assignment")
            .fetch_all(&mut *transaction)
            .await?;
        Ok(Groups {
            groups,
            members,
            roles,
            assignments,
        })
    }

    pub async fn put_group(&self, name: &str, description: &str) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO team (name, description) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET description = excluded.description",
        )
        .bind(name)
        .bind(description)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    pub async fn delete_group(&self, name: &str) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM team WHERE name = ?")
            .bind(name)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    pub async fn put_group_member(&self, group: &str, user: &str, there: bool) -> sqlx::Result<()> {
        let sql = if there {
            "INSERT INTO team_member (team, user) VALUES (?, ?) ON CONFLICT DO NOTHING"
        } else {
            "DELETE FROM team_member WHERE team = ? AND user = ?"
        };
        self.put_pair(sql, group, user).await
    }

    pub async fn put_group_role(&self, group: &str, role: &str, there: bool) -> sqlx::Result<()> {
        let sql = if there {
            "INSERT INTO team_role (team, role) VALUES (?, ?) ON CONFLICT DO NOTHING"
        } else {
            "DELETE FROM team_role WHERE team = ? AND role = ?"
        };
        self.put_pair(sql, group, role).await
    }

    /// Whether a user's role came with a group.
    pub async fn put_group_assignment(&self, user: &str, role: &str, there: bool) -> sqlx::Result<()> {
        let sql = if there {
            "INSERT INTO team_assignment (user, role) VALUES (?, ?) ON CONFLICT DO NOTHING"
        } else {
            "DELETE FROM team_assignment WHERE user = ? AND role = ?"
        };
        self.put_pair(sql, user, role).await
    }

    /// A role of MLflow's has another name.
    pub async fn rename_role(&self, was: &str, will: &str) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for sql in [
            "UPDATE OR REPLACE team_role SET role = ? WHERE role = ?",
            "UPDATE OR REPLACE team_assignment SET role = ? WHERE role = ?",
            "UPDATE rule SET role = ?, version = version + 1 WHERE role = ?",
            "UPDATE rule_grant SET role = ? WHERE role = ?",
        ] {
            sqlx::query(sql).bind(will).bind(was).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }

    async fn put_pair(&self, sql: &'static str, a: &str, b: &str) -> sqlx::Result<()> {
        sqlx::query(sql).bind(a).bind(b).execute(&self.pool).await.map(drop)
    }
}

/// A user is gone: what groups know of them goes too.
pub(super) async fn forget(transaction: &mut Transaction<'_, Sqlite>, user: &str) -> sqlx::Result<()> {
    for sql in [
        "DELETE FROM team_member WHERE user = ?",
        "DELETE FROM team_assignment WHERE user = ?",
    ] {
        sqlx::query(sql).bind(user).execute(&mut **transaction).await?;
    }
    Ok(())
}
