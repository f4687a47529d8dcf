//! Deleting what is too old or too much, whole blocks from the oldest on.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior};

use super::{BLOCK, Store, link, move_end};
use crate::audit::{
    chain::Link,
    entry::{Entry, Way},
};

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
    pub fn trim(&mut self, now: i64) -> rusqlite::Result<bool> {
        let keep_since = now.saturating_sub(i64::try_from(self.limits.audit_keep.as_millis()).unwrap_or(i64::MAX));
        let (first, newest) = ((self.anchor.id + 1) / BLOCK, self.head.id / BLOCK);
        if first >= newest {
            return Ok(false);
        }
        let most = i64::try_from(self.limits.audit_most).unwrap_or(i64::MAX);
        let too_many = (self.head.id - self.anchor.id - most + BLOCK - 1) / BLOCK;
        let too_large = self.too_large(first, newest)?;
        let is_old = self.oldest.at.is_some_and(|at| at < keep_since);
        if too_many <= 0 && too_large <= 0 && !is_old {
            return Ok(false);
        }
        let too_old = self.too_old(first, keep_since)?;
        // Blocks before this one go.
        let end = (first + too_many.max(too_large).max(too_old).min(STEP)).min(newest);
        self.anchor = self.delete(end)?;
        self.oldest.measured = None;
        self.look_at_oldest()?;
        Ok(true)
    }

    /// Deletes the blocks before this one, and gives the last call that went.
    fn delete(&mut self, end: i64) -> rusqlite::Result<Link> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut marks = HashSet::new();
        let mut select = transaction.prepare_cached("SELECT * FROM call WHERE id < ?1")?;
        let mut rows = select.query([end * BLOCK])?;
        while let Some(row) = rows.next()? {
            let entry = entry(row)?;
            entry.marks(|kind, word| {
                marks.insert((kind.as_str(), word.to_owned(), entry.id / BLOCK));
            });
        }
        drop(rows);
        drop(select);
        let anchor = transaction.query_row("SELECT id, hash FROM call WHERE id = ?1", [end * BLOCK - 1], link)?;
        let mut unmark = transaction.prepare_cached("DELETE FROM mark WHERE kind = ?1 AND value = ?2 AND block = ?3")?;
        for mark in marks {
            unmark.execute(mark)?;
        }
        drop(unmark);
        transaction.execute("DELETE FROM block WHERE block < ?1", [end])?;
        transaction.execute("DELETE FROM call WHERE id <= ?1", [anchor.id])?;
        move_end(&transaction, "anchor", anchor)?;
        transaction.commit()?;
        Ok(anchor)
    }

    /// Of the blocks from `first` on, how many in a row are too old.
    fn too_old(&self, first: i64, keep_since: i64) -> rusqlite::Result<i64> {
        self.connection.query_row(
            "SELECT coalesce((SELECT min(block) FROM block WHERE block BETWEEN ?1 AND ?2 AND last_at >= ?3), ?2 + 1) - ?1",
            [first, first + STEP, keep_since],
            |row| row.get(0),
        )
    }

    /// How many blocks are too much for the size, if all take the same. Measured once a block.
    fn too_large(&mut self, first: i64, newest: i64) -> rusqlite::Result<i64> {
        let used = match self.oldest.measured {
            Some((block, used)) if block == newest => used,
            _ => used(&self.connection)?,
        };
        self.oldest.measured = Some((newest, used));
        let over = used.saturating_sub(self.limits.audit_size.0);
        let blocks = u128::try_from(newest - first + 1).unwrap_or_default();
        let going = (blocks * u128::from(over)).div_ceil(u128::from(used).max(1));
        Ok(i64::try_from(going).unwrap_or(i64::MAX))
    }

    pub(super) fn look_at_oldest(&mut self) -> rusqlite::Result<()> {
        let oldest = "SELECT last_at FROM block ORDER BY block LIMIT 1";
        self.oldest.at = self.connection.query_row(oldest, [], |row| row.get(0)).optional()?;
        Ok(())
    }
}

/// A row of `call`, without its hash.
fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let way: String = row.get("way")?;
    Ok(Entry {
        id: row.get("id")?,
        at: row.get("at")?,
        user: row.get("user")?,
        way: Way::ALL.into_iter().find(|known| known.as_str() == way).unwrap_or_default(),
        key: row.get("key")?,
        address: row.get("address")?,
        method: row.get("method")?,
        route: row.get("route")?,
        experiments: row.get("experiments")?,
        runs: row.get("runs")?,
        models: row.get("models")?,
        status: row.get("status")?,
        took_us: row.get("took_us")?,
        bytes_in: row.get("bytes_in")?,
        bytes_out: row.get("bytes_out")?,
        request_id: row.get("request_id")?,
        shadow: row.get("shadow")?,
        changes: row.get("changes")?,
    })
}

/// Bytes of the file that hold something. The file itself does not shrink: what is free in it is written again.
fn used(connection: &Connection) -> rusqlite::Result<u64> {
    let used = "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    connection.query_row(used, [], |row| row.get(0)).map(i64::unsigned_abs)
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
        assert!(store.trim(now).unwrap());
        assert!(!store.trim(now).unwrap());
        store.append(&rows(1)).unwrap();
        store.close();

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
        while store.trim(0).unwrap() {}
        store.close();
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
        assert!(!store.trim(i64::MAX).unwrap());
        store.close();
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
                store.append(group).unwrap();
                while store.trim(0).unwrap() {}
            }
        }
        assert!(store.anchor.id > 50 * BLOCK, "the oldest went");
        assert!(store.head.id - store.anchor.id > 5 * BLOCK, "and not more than was needed");
        store.close();
        // What is written between two looks comes on top.
        let size = file.metadata().unwrap().len();
        assert!(size < (1 << 20) + (1 << 19), "{size} bytes");
        assert!(matches!(audit::verify(&file).await.unwrap(), Verdict::Whole { .. }));
    }
}
