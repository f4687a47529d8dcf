//! When somebody called last.

use std::collections::HashMap;

use super::{Audit, store::BLOCK};

// === impl Audit ===

impl Audit {
    /// The time of each user's newest call, ms since 1970; only of those who have one that is kept.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_seen(&self, users: &[&str]) -> sqlx::Result<HashMap<String, i64>> {
        let mut seen = HashMap::new();
        for user in users {
            // Each a step or two down an index, and one block of rows.
            let at: Option<i64> = sqlx::query_scalar(
                "WITH newest AS (SELECT MAX(block) AS block FROM mark WHERE kind = 'user' AND value = ?1)
                 SELECT MAX(at) FROM call, newest WHERE id >= block * ?2 AND id < (block + 1) * ?2 AND user = ?1",
            )
            .bind(user)
            .bind(BLOCK)
            .fetch_one(self.readers())
            .await?;
            seen.extend(at.map(|at| ((*user).to_owned(), at)));
        }
        Ok(seen)
    }

    /// The same for everybody, to the nearest 256 calls: enough to sort by.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn roughly_last_seen(&self) -> sqlx::Result<HashMap<String, i64>> {
        let seen: Vec<(String, i64)> = sqlx::query_as(
            "SELECT value, last_at FROM (SELECT value, MAX(block) AS block FROM mark WHERE kind = 'user' GROUP BY value) JOIN block USING (block)",
        )
        .fetch_all(self.readers())
        .await?;
        Ok(seen.into_iter().collect())
    }
}
