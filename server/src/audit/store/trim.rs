//! Deleting what is too old or too much, whole blocks from the oldest on.

use std::collections::HashSet;

use sqlx::{Connection as _, SqliteConnection};

use super::{BLOCK, Store, move_end};
use crate::audit::{chain::Link, entry::Entry};

/// Blocks that one step takes.
const STEP: i64 = 8;

/// What tells whether anything has to go, so that hardly ever the database has to be asked.
#[derive(Default)]
pub struct Oldest {
    /// When the latest call of the oldest block came.
    at: Option<i64>,
    /// The newest block when the file was last measured, and the bytes of it that are in use.
    measured: Option<(i64, u64)>,
}

// === impl Oldest ===

impl Oldest {
    pub fn is_unknown(&self) -> bool {
        self.at.is_none()
    }
}

// === impl Store ===

impl Store {
    /// Deletes some of what is too old or too much, and says whether there was any. The newest block stays.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn trim(&mut self, now: i64) -> sqlx::Result<bool> {
        let trimmed = self.trim_step(now).await;
        self.is_broken |= trimmed.is_err();
        trimmed
    }

    async fn trim_step(&mut self, now: i64) -> sqlx::Result<bool> {
        let keep_since = now.saturating_sub(i64::try_from(self.limits.audit_keep.as_millis()).unwrap_or(i64::MAX));
        let (first, newest) = ((self.anchor.id + 1) / BLOCK, self.head.id / BLOCK);
        if first >= newest {
            return Ok(false);
        }
        self.connection().await?;
        let most = i64::try_from(self.limits.audit_most).unwrap_or(i64::MAX);
        let too_many = (self.head.id - self.anchor.id - most + BLOCK - 1) / BLOCK;
        let too_large = self.too_large(first, newest).await?;
        let is_old = self.oldest.at.is_some_and(|at| at < keep_since);
        if too_many <= 0 && too_large <= 0 && !is_old {
            return Ok(false);
        }
        let too_old = self.too_old(first, keep_since).await?;
        // Blocks before this one go.
        let end = (first + too_many.max(too_large).max(too_old).min(STEP)).min(newest);
        let going: Vec<Entry> = sqlx::query_as("SELECT * FROM call WHERE id < ? ORDER BY id")
            .bind(end * BLOCK)
            .fetch_all(&mut self.connection)
            .await?;
        let mut marks = HashSet::new();
        for entry in &going {
            entry.marks(|kind, word| {
                marks.insert((kind.as_str(), word.to_owned(), entry.id / BLOCK));
            });
        }
        let marks = serde_json::to_string(&marks).map_err(|error| sqlx::Error::Encode(error.into()))?;

        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let anchor: Link = sqlx::query_as("SELECT id, hash FROM call WHERE id = ?")
            .bind(end * BLOCK - 1)
            .fetch_one(&mut *transaction)
            .await?;
        sqlx::query(
            "DELETE FROM mark WHERE (kind, value, block) IN (SELECT m.value ->> 0, m.value ->> 1, m.value ->> 2 FROM json_each(?) AS m)",
        )
        .bind(marks)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM block WHERE block < ?")
            .bind(end)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM call WHERE id <= ?")
            .bind(anchor.id)
            .execute(&mut *transaction)
            .await?;
        move_end(&mut transaction, "anchor", anchor).await?;
        transaction.commit().await?;
        self.anchor = anchor;
        self.oldest.measured = None;
        self.look_at_oldest().await?;
        Ok(true)
    }

    /// Of the blocks from `first` on, how many in a row are too old.
    async fn too_old(&mut self, first: i64, keep_since: i64) -> sqlx::Result<i64> {
        sqlx::query_scalar("SELECT coalesce((SELECT min(block) FROM block WHERE block BETWEEN ?1 AND ?2 AND last_at >= ?3), ?2 + 1) - ?1")
            .bind(first)
            .bind(first + STEP)
            .bind(keep_since)
            .fetch_one(&mut self.connection)
            .await
    }

    /// How many blocks are too much for the size, if all take the same. Measured once a block.
    async fn too_large(&mut self, first: i64, newest: i64) -> sqlx::Result<i64> {
        let used = match self.oldest.measured {
            Some((block, used)) if block == newest => used,
            _ => used(&mut self.connection).await?,
        };
        self.oldest.measured = Some((newest, used));
        let over = used.saturating_sub(self.limits.audit_size.0);
        let blocks = u128::try_from(newest - first + 1).unwrap_or_default();
        let going = (blocks * u128::from(over)).div_ceil(u128::from(used).max(1));
        Ok(i64::try_from(going).unwrap_or(i64::MAX))
    }

    pub(super) async fn look_at_oldest(&mut self) -> sqlx::Result<()> {
        self.oldest.at = sqlx::query_scalar("SELECT last_at FROM block ORDER BY block LIMIT 1")
            .fetch_optional(&mut self.connection)
            .await?;
        Ok(())
    }
}

/// Bytes of the file that hold something. The file itself does not shrink: what is free in it is written again.
async fn used(connection: &mut SqliteConnection) -> sqlx::Result<u64> {
    let bytes: i64 = sqlx::query_scalar(
        "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
    )
    .fetch_one(connection)
    .await?;
    Ok(bytes.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Store};
    use crate::{
        audit::{
            self,
            chain::Verdict,
            search::{Filter, Start},
            store::{
                readers,
                tests::{DAY, all, filled, limits, rows},
            },
        },
        config::audit::Bytes,
    };

    #[tokio::test]
    async fn old_rows_go_and_the_rest_is_still_a_chain() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(audit::FILE);
        filled(&folder, &rows(10 * BLOCK)).await.close().await;
        let mut store = Store::open(&file, &limits(365, 1_000_000)).await.unwrap();
        // All of the first four blocks is older than a year.
        let now = 4 * BLOCK * DAY + 365 * DAY;
        assert!(store.trim(now).await.unwrap());
        assert!(!store.trim(now).await.unwrap());
        store.append(&rows(1)).await.unwrap();
        store.close().await;

        let first = 4 * BLOCK;
        assert!(matches!(audit::verify(&file).await.unwrap(), Verdict::Whole { first: here, .. } if here == first));
        let readers = readers(&file).await.unwrap();
        assert_eq!(all(&readers, Filter::default(), Start::After(0), 500).await[0], first);
        let filter = Filter {
            run: Some("needle".into()),
            ..Filter::default()
        };
        assert!(all(&readers, filter, Start::Newest, 10).await.is_empty());
        let marks: i64 = sqlx::query_scalar("SELECT count(*) FROM mark WHERE block < ?")
            .bind(first / BLOCK)
            .fetch_one(&readers)
            .await
            .unwrap();
        assert_eq!(marks, 0);
    }

    #[tokio::test]
    async fn no_more_rows_are_kept_than_wished() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(audit::FILE);
        filled(&folder, &rows(30 * BLOCK)).await.close().await;
        let mut store = Store::open(&file, &limits(1_000_000, 1000)).await.unwrap();
        while store.trim(0).await.unwrap() {}
        store.close().await;
        let readers = readers(&file).await.unwrap();
        let kept = all(&readers, Filter::default(), Start::Newest, 500).await.len() as i64;
        assert!((1000 - BLOCK..=1000).contains(&kept), "{kept}");
        assert!(matches!(audit::verify(&file).await.unwrap(), Verdict::Whole { .. }));
    }

    #[tokio::test]
    async fn the_newest_block_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(audit::FILE);
        filled(&folder, &rows(10)).await.close().await;
        let mut store = Store::open(&file, &limits(1, 1_000_000)).await.unwrap();
        assert!(!store.trim(i64::MAX).await.unwrap());
        store.close().await;
    }

    #[tokio::test]
    async fn the_file_takes_no_more_room_than_wished() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(audit::FILE);
        let mut limits = limits(1_000_000, 1_000_000);
        limits.audit_size = Bytes(1 << 20);
        let mut store = Store::open(&file, &limits).await.unwrap();
        for _ in 0..5 {
            for group in rows(20 * BLOCK).chunks(500) {
                store.append(group).await.unwrap();
                while store.trim(0).await.unwrap() {}
            }
        }
        assert!(store.anchor.id > 50 * BLOCK, "the oldest went");
        assert!(store.head.id - store.anchor.id > 5 * BLOCK, "and not more than was needed");
        store.close().await;
        // What is written between two looks comes on top.
        let size = file.metadata().unwrap().len();
        assert!(size < (1 << 20) + (1 << 19), "{size} bytes");
        assert!(matches!(audit::verify(&file).await.unwrap(), Verdict::Whole { .. }));
    }
}
