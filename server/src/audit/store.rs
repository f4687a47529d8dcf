//! The rows in their file. One connection writes; readers have their own.

use std::{collections::HashSet, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use sqlx::{
    AssertSqlSafe, Connection as _, Sqlite, SqliteConnection, SqlitePool,
    query::Query,
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    chain::{self, Link},
    entry::{Entry, Kind},
};
use crate::config;

/// So many rows are found, and deleted, together.
pub const BLOCK: i64 = 256;
/// Blocks that one step of deleting takes.
const STEP: i64 = 8;

/// The one who writes.
pub struct Store {
    connection: SqliteConnection,
    inserts: Inserts,
    limits: config::Audit,
    anchor: Link,
    head: Link,
    /// What is marked already in the newest block, by kind.
    marked: [HashSet<String>; Kind::ALL.len()],
    marked_block: i64,
    /// When the latest call of the oldest block came.
    oldest_at: Option<i64>,
}

/// A statement on its way to be executed.
type Bound = Query<'static, Sqlite, SqliteArguments>;

struct Mark {
    kind: Kind,
    word: String,
    block: i64,
}

struct Block {
    block: i64,
    first_at: i64,
    last_at: i64,
}

/// The statements that insert.
struct Inserts {
    rows: Insert,
    marks: Insert,
    blocks: Insert,
}

/// One statement for many rows: what a statement costs by itself is more than a row.
struct Insert {
    /// By the number of rows that they take, the most first.
    statements: [(usize, Arc<String>); 3],
}

/// Connections that read.
///
/// # Errors
/// When the file cannot be opened.
pub async fn readers(file: &Path) -> anyhow::Result<SqlitePool> {
    let options = options(file).read_only(true);
    let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await;
    pool.with_context(|| format!("cannot read the audit {}", file.display()))
}

fn options(file: &Path) -> SqliteConnectOptions {
    // The pages of the newest rows and marks stay in memory.
    SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(Duration::from_secs(5))
        .pragma("cache_size", "-32768")
}

// === impl Store ===

impl Store {
    /// Opens the file, making it where there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// A file that cannot be opened, or that a newer Flowdeck has written.
    pub async fn open(file: &Path, limits: &config::Audit) -> anyhow::Result<Self> {
        let options = options(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged row survives the machine going down, not only the process.
            .synchronous(SqliteSynchronous::Full)
            // Each group touches the same pages of marks again: they are put in their place once for many groups.
            .pragma("wal_autocheckpoint", "8192");
        let connection = SqliteConnection::connect_with(&options).await;
        let mut connection = connection.with_context(|| format!("cannot open the audit {}", file.display()))?;
        sqlx::migrate!("migrations/audit-sqlite")
            .run(&mut connection)
            .await
            .context("cannot bring the audit up to date")?;
        let mut store = Self {
            anchor: chain::end(&mut connection, "anchor").await?,
            head: chain::end(&mut connection, "head").await?,
            limits: limits.clone(),
            inserts: Inserts::new(),
            connection,
            marked: Default::default(),
            marked_block: -1,
            oldest_at: None,
        };
        store.look_at_oldest().await?;
        Ok(store)
    }

    /// Writes rows behind the newest one, all or none.
    ///
    /// # Errors
    /// When they are not written. What was committed without our hearing of it counts as written.
    pub async fn append(&mut self, entries: &[Entry]) -> sqlx::Result<()> {
        let (mut head, mut bytes) = (self.head, Vec::new());
        let (mut rows, mut marks, mut blocks) = (Vec::with_capacity(entries.len()), Vec::new(), Vec::<Block>::new());
        for entry in entries {
            head = head.next(entry, &mut bytes);
            rows.push((head, entry));
            let block = head.id / BLOCK;
            self.mark(entry, block, &mut marks);
            match blocks.last_mut() {
                Some(last) if last.block == block => last.take_in(entry.at),
                _ => blocks.push(Block::new(block, entry.at)),
            }
        }
        let written = self.commit(head, &rows, &marks, &blocks).await;
        if written.is_err() {
            // What the transaction had marked is unmarked again.
            self.marked_block = -1;
            if chain::end(&mut self.connection, "head").await? != head {
                return written;
            }
        }
        self.head = head;
        if self.oldest_at.is_none() {
            self.look_at_oldest().await?;
        }
        Ok(())
    }

    async fn commit(&mut self, head: Link, rows: &[(Link, &Entry)], marks: &[Mark], blocks: &[Block]) -> sqlx::Result<()> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        self.inserts
            .rows
            .run(&mut transaction, rows, |query, (link, entry)| {
                query
                    .bind(link.id)
                    .bind(entry.at)
                    .bind(entry.user.as_deref())
                    .bind(entry.way.as_str())
                    .bind(entry.key.as_deref())
                    .bind(entry.address.as_str())
                    .bind(entry.method.as_str())
                    .bind(entry.route.as_str())
                    .bind(entry.experiments.as_str())
                    .bind(entry.runs.as_str())
                    .bind(entry.models.as_str())
                    .bind(entry.status)
                    .bind(entry.took_us)
                    .bind(entry.bytes_in)
                    .bind(entry.bytes_out)
                    .bind(entry.request_id.as_str())
                    .bind(entry.shadow.as_deref())
                    .bind(entry.changes)
                    .bind(link.hash.as_slice())
            })
            .await?;
        self.inserts
            .marks
            .run(&mut transaction, marks, |query, mark| {
                query.bind(mark.kind.as_str()).bind(mark.word.as_str()).bind(mark.block)
            })
            .await?;
        self.inserts
            .blocks
            .run(&mut transaction, blocks, |query, block| {
                query.bind(block.block).bind(block.first_at).bind(block.last_at)
            })
            .await?;
        move_end(&mut transaction, "head", head).await?;
        transaction.commit().await
    }

    fn mark(&mut self, entry: &Entry, block: i64, marks: &mut Vec<Mark>) {
        if self.marked_block != block {
            self.marked_block = block;
            self.marked.iter_mut().for_each(HashSet::clear);
        }
        entry.marks(|kind, word| {
            let marked = &mut self.marked[kind as usize];
            if !marked.contains(word) {
                marked.insert(word.to_owned());
                marks.push(Mark {
                    kind,
                    word: word.to_owned(),
                    block,
                });
            }
        });
    }

    /// Deletes some of what is too old or too much, and says whether there was any. The newest block stays.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn trim(&mut self, now: i64) -> sqlx::Result<bool> {
        let keep_since = now.saturating_sub(i64::try_from(self.limits.audit_keep.as_millis()).unwrap_or(i64::MAX));
        let kept = self.head.id - self.anchor.id;
        let most = i64::try_from(self.limits.audit_most).unwrap_or(i64::MAX);
        let (first, newest) = ((self.anchor.id + 1) / BLOCK, self.head.id / BLOCK);
        let too_many = (kept - most + BLOCK - 1) / BLOCK;
        let is_due = kept > most || self.oldest_at.is_some_and(|at| at < keep_since);
        if !is_due || first >= newest {
            return Ok(false);
        }
        let too_old: i64 = sqlx::query_scalar(
            "SELECT coalesce((SELECT min(block) FROM block WHERE block BETWEEN ?1 AND ?2 AND last_at >= ?3), ?2 + 1) - ?1",
        )
        .bind(first)
        .bind(first + STEP)
        .bind(keep_since)
        .fetch_one(&mut self.connection)
        .await?;
        // Blocks before this one go.
        let end = (first + too_many.max(too_old).min(STEP)).min(newest);
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
        self.look_at_oldest().await?;
        Ok(true)
    }

    async fn look_at_oldest(&mut self) -> sqlx::Result<()> {
        self.oldest_at = sqlx::query_scalar("SELECT last_at FROM block ORDER BY block LIMIT 1")
            .fetch_optional(&mut self.connection)
            .await?;
        Ok(())
    }

    pub async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!("the audit was not closed cleanly: {error}");
        }
    }
}

// === impl Block ===

impl Block {
    fn new(block: i64, at: i64) -> Self {
        Self {
            block,
            first_at: at,
            last_at: at,
        }
    }

    fn take_in(&mut self, at: i64) {
        self.first_at = self.first_at.min(at);
        self.last_at = self.last_at.max(at);
    }
}

// === impl Insert ===

impl Inserts {
    fn new() -> Self {
        Self {
            rows: Insert::new("INSERT INTO call VALUES ", 19, ""),
            marks: Insert::new("INSERT OR IGNORE INTO mark (kind, value, block) VALUES ", 3, ""),
            blocks: Insert::new(
                "INSERT INTO block (block, first_at, last_at) VALUES ",
                3,
                " ON CONFLICT (block) DO UPDATE SET first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)",
            ),
        }
    }
}

impl Insert {
    fn new(head: &str, columns: usize, tail: &str) -> Self {
        let row = format!("({})", vec!["?"; columns].join(","));
        let statement = |rows: usize| Arc::new(format!("{head}{}{tail}", vec![row.as_str(); rows].join(",")));
        Self {
            statements: [64, 8, 1].map(|rows| (rows, statement(rows))),
        }
    }

    async fn run<T>(&self, connection: &mut SqliteConnection, rows: &[T], bind: impl Fn(Bound, &T) -> Bound) -> sqlx::Result<()> {
        let mut rest = rows;
        for (width, statement) in &self.statements {
            while let Some((now, later)) = rest.split_at_checked(*width) {
                let query = sqlx::query(AssertSqlSafe(Arc::clone(statement)));
                now.iter().fold(query, &bind).execute(&mut *connection).await?;
                rest = later;
            }
        }
        Ok(())
    }
}

async fn move_end(connection: &mut SqliteConnection, place: &'static str, link: Link) -> sqlx::Result<()> {
    sqlx::query("UPDATE chain SET id = ?, hash = ? WHERE place = ?")
        .bind(link.id)
        .bind(link.hash.as_slice())
        .bind(place)
        .execute(connection)
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use sqlx::{Connection as _, SqliteConnection, SqlitePool, sqlite::SqliteConnectOptions};
    use tempfile::TempDir;

    use super::{BLOCK, Store, readers};
    use crate::{
        audit::{
            self, Entry,
            chain::{Break, Verdict},
            entry::tests::entry,
            search::{Filter, Start, page},
        },
        config,
    };

    const DAY: i64 = 86_400_000;

    fn limits(keep_days: u64, most: u64) -> config::Audit {
        config::Audit {
            audit_keep: Duration::from_secs(keep_days * 86_400),
            audit_most: most,
        }
    }

    async fn filled(folder: &TempDir, rows: &[Entry]) -> SqlitePool {
        let file = folder.path().join(audit::FILE);
        let mut store = Store::open(&file, &limits(365, 1_000_000)).await.unwrap();
        for group in rows.chunks(100) {
            store.append(group).await.unwrap();
        }
        store.close().await;
        readers(&file).await.unwrap()
    }

    /// One row a day, alternating between two users; each tenth fails, one is about a run of its own.
    fn rows(count: i64) -> Vec<Entry> {
        let row = |number: i64| Entry {
            at: number * DAY,
            user: Some(if number % 2 == 0 { "alice" } else { "bob" }.into()),
            status: if number % 10 == 0 { 404 } else { 200 },
            runs: if number == 300 { "needle\nanother".into() } else { String::new() },
            ..entry()
        };
        (1..=count).map(row).collect()
    }

    async fn all(readers: &SqlitePool, filter: Filter, first: Start, limit: usize) -> Vec<i64> {
        let (mut ids, mut start) = (Vec::new(), Some(first));
        while let Some(here) = start {
            let page = page(readers, &filter, here, limit).await.unwrap();
            assert!(page.rows.len() <= limit);
            let end = page.rows.is_empty();
            ids.extend(page.rows.iter().map(|row| row.id));
            start = match first {
                Start::After(_) => page.next.filter(|_| !end).map(Start::After),
                _ => page.next.map(Start::Before),
            };
        }
        ids
    }

    #[tokio::test]
    async fn pages_of_every_filter_have_all_its_rows_once() {
        let folder = tempfile::tempdir().unwrap();
        let readers = filled(&folder, &rows(1000)).await;
        let text = |text: &str| Some(text.to_owned());
        type Expected = fn(i64) -> bool;
        let cases: [(Filter, Expected); 9] = [
            (Filter::default(), |_| true),
            (
                Filter {
                    user: text("alice"),
                    ..Filter::default()
                },
                |id| id % 2 == 0,
            ),
            (
                Filter {
                    user: text("nobody"),
                    ..Filter::default()
                },
                |_| false,
            ),
            (
                Filter {
                    status: text("404"),
                    ..Filter::default()
                },
                |id| id % 10 == 0,
            ),
            (
                Filter {
                    status: text("4xx"),
                    user: text("bob"),
                    ..Filter::default()
                },
                |_| false,
            ),
            (
                Filter {
                    run: text("another"),
                    ..Filter::default()
                },
                |id| id == 300,
            ),
            (
                Filter {
                    run: text("need"),
                    ..Filter::default()
                },
                |_| false,
            ),
            (
                Filter {
                    q: text("NEEDLE"),
                    ..Filter::default()
                },
                |id| id == 300,
            ),
            (
                Filter {
                    from: Some(400 * DAY),
                    to: Some(600 * DAY),
                    user: text("bob"),
                    ..Filter::default()
                },
                |id| (400..=600).contains(&id) && id % 2 == 1,
            ),
        ];
        for (filter, expected) in cases {
            let expected: Vec<i64> = (1..=1000).filter(|id| expected(*id)).collect();
            for limit in [7, 100, 500] {
                let mut ids = all(&readers, filter.clone(), Start::Newest, limit).await;
                ids.reverse();
                assert_eq!(ids, expected, "{filter:?} newest first by {limit}");
                let ids = all(&readers, filter.clone(), Start::After(0), limit).await;
                assert_eq!(ids, expected, "{filter:?} oldest first by {limit}");
            }
        }
    }

    #[tokio::test]
    async fn a_tail_sees_what_is_new() {
        let folder = tempfile::tempdir().unwrap();
        let readers = filled(&folder, &rows(300)).await;
        let newest = page(&readers, &Filter::default(), Start::Newest, 1).await.unwrap().rows[0].id;
        let nothing = page(&readers, &Filter::default(), Start::After(newest), 10).await.unwrap();
        assert_eq!((nothing.rows.len(), nothing.next), (0, Some(newest)));
        filled(&folder, &rows(2)).await;
        let two = page(&readers, &Filter::default(), Start::After(newest), 10).await.unwrap();
        assert_eq!(two.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [301, 302]);
    }

    #[tokio::test]
    async fn percent_signs_are_looked_for_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let odd = Entry {
            models: "50%_\\".into(),
            ..entry()
        };
        let readers = filled(&folder, &[entry(), odd]).await;
        for q in ["50%", "%_", "_\\"] {
            let filter = Filter {
                q: Some(q.into()),
                ..Filter::default()
            };
            assert_eq!(all(&readers, filter, Start::Newest, 10).await, [2], "{q}");
        }
    }

    async fn verdict(folder: &TempDir, damage: &str) -> Verdict {
        let file = folder.path().join(audit::FILE);
        let copy = folder.path().join("copy.db");
        std::fs::copy(&file, &copy).unwrap();
        execute(&copy, damage).await;
        audit::verify(&copy).await.unwrap()
    }

    async fn execute(file: &Path, statement: &str) {
        let options = SqliteConnectOptions::new().filename(file);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()))
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    }

    #[tokio::test]
    async fn every_kind_of_damage_is_found_and_named() {
        let folder = tempfile::tempdir().unwrap();
        filled(&folder, &rows(600)).await.close().await;
        assert!(matches!(verdict(&folder, "SELECT 1").await, Verdict::Whole { first: 1, last } if last.id == 600));
        for (damage, found) in [
            ("UPDATE call SET user = 'mallory' WHERE id = 300", Break::Changed(300)),
            ("UPDATE call SET at = at + 1 WHERE id = 1", Break::Changed(1)),
            ("UPDATE call SET shadow = '' WHERE id = 600", Break::Changed(600)),
            ("UPDATE call SET hash = zeroblob(32) WHERE id = 10", Break::Changed(10)),
            ("UPDATE call SET hash = x'00' WHERE id = 10", Break::Changed(10)),
            ("UPDATE call SET way = 'spell' WHERE id = 10", Break::Changed(10)),
            ("DELETE FROM call WHERE id = 300", Break::Missing(300)),
            ("DELETE FROM call WHERE id <= 10", Break::Missing(1)),
            ("DELETE FROM call WHERE id > 590", Break::Missing(591)),
            ("DELETE FROM call", Break::Missing(1)),
            ("UPDATE chain SET id = 599 WHERE place = 'head'", Break::Added(600)),
            ("UPDATE chain SET hash = zeroblob(32) WHERE place = 'head'", Break::Changed(600)),
            (
                "UPDATE call SET id = 0 WHERE id = 7; UPDATE call SET id = 7 WHERE id = 8; UPDATE call SET id = 8 WHERE id = 0",
                Break::Changed(7),
            ),
        ] {
            assert_eq!(verdict(&folder, damage).await, Verdict::Broken(found), "{damage}");
        }
    }

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
}
