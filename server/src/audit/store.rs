//! The rows in their file. One connection writes; readers have their own.

mod append;
mod trim;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use rusqlite::Row;
use sqlx::{
    Connection as _, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};

use self::{append::Marked, trim::Oldest};
use super::chain::Link;
use crate::config;

/// So many rows are found, and deleted, together.
pub const BLOCK: i64 = 256;

/// How long to wait for whoever else has the file open.
const BUSY: Duration = Duration::from_secs(5);
/// The pages of the newest rows and marks stay in memory, in KiB.
const CACHE: i64 = 32 * 1024;

/// The one who writes. Each call blocks its thread: from one to another, the way would take longer than the work.
pub struct Store {
    /// SQLite's write-ahead log, in which commits are.
    log: PathBuf,
    connection: rusqlite::Connection,
    limits: config::Audit,
    anchor: Link,
    head: Link,
    marked: Marked,
    oldest: Oldest,
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
    SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(BUSY)
        .pragma("cache_size", format!("-{CACHE}"))
}

/// Makes the file where there is none, and brings its tables up to date.
async fn migrate(file: &Path) -> anyhow::Result<()> {
    let options = options(file).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let connection = SqliteConnection::connect_with(&options).await;
    let mut connection = connection.with_context(|| format!("cannot open the audit {}", file.display()))?;
    sqlx::migrate!("migrations/audit-sqlite")
        .run(&mut connection)
        .await
        .context("cannot bring the audit up to date")?;
    connection.close().await.context("cannot close the audit")
}

/// The connection that writes.
fn connect(file: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(file)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "cache_size", -CACHE)?;
    // A committed row survives the end of the process; `sync` sees to the end of the machine.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // Each group touches the same pages of marks again: they are put in their place once for many groups.
    connection.pragma_update(None, "wal_autocheckpoint", 8192)?;
    Ok(connection)
}

// === impl Store ===

impl Store {
    /// Opens the file, making it where there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// A file that cannot be opened, or that a newer Flowdeck has written.
    pub async fn open(file: &Path, limits: &config::Audit) -> anyhow::Result<Self> {
        migrate(file).await?;
        let connection = connect(file).with_context(|| format!("cannot open the audit {}", file.display()))?;
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        let mut store = Self {
            log: log.into(),
            anchor: end(&connection, "anchor")?,
            head: end(&connection, "head")?,
            connection,
            limits: limits.clone(),
            marked: Marked::default(),
            oldest: Oldest::default(),
        };
        store.look_at_oldest()?;
        Ok(store)
    }

    /// Brings to the disk what is committed, so that it survives a power failure too.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn sync(&self) -> io::Result<()> {
        File::open(&self.log)?.sync_data()
    }

    pub fn close(self) {
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!("the audit was not closed cleanly: {error}");
        }
    }
}

/// One end of the chain: `anchor` or `head`.
fn end(connection: &rusqlite::Connection, place: &'static str) -> rusqlite::Result<Link> {
    connection.query_row("SELECT id, hash FROM chain WHERE place = ?1", [place], link)
}

fn link(row: &Row<'_>) -> rusqlite::Result<Link> {
    Ok(Link {
        id: row.get("id")?,
        hash: row.get("hash")?,
    })
}

fn move_end(connection: &rusqlite::Connection, place: &'static str, link: Link) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached("UPDATE chain SET id = ?1, hash = ?2 WHERE place = ?3")?;
    update.execute((link.id, link.hash, place)).map(drop)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{path::Path, time::Duration};

    use sqlx::{Connection as _, SqliteConnection, SqlitePool, sqlite::SqliteConnectOptions};
    use tempfile::TempDir;

    use super::{Store, readers};
    use crate::{
        audit::{
            self, Entry,
            chain::{Break, Verdict},
            entry::tests::entry,
            search::{Filter, Start, page},
        },
        config::{self, audit::Bytes},
    };

    pub const DAY: i64 = 86_400_000;

    pub fn limits(keep_days: u64, most: u64) -> config::Audit {
        config::Audit {
            audit_keep: Duration::from_secs(keep_days * 86_400),
            audit_most: most,
            audit_size: Bytes(u64::MAX),
        }
    }

    pub async fn filled(folder: &TempDir, rows: &[Entry]) -> SqlitePool {
        let file = folder.path().join(audit::FILE);
        let mut store = Store::open(&file, &limits(365, 1_000_000)).await.unwrap();
        for group in rows.chunks(100) {
            store.append(group).unwrap();
        }
        store.close();
        readers(&file).await.unwrap()
    }

    /// One row a day, alternating between two users; each tenth fails, one is about a run of its own.
    pub fn rows(count: i64) -> Vec<Entry> {
        let row = |number: i64| Entry {
            at: number * DAY,
            user: Some(if number % 2 == 0 { "alice" } else { "bob" }.into()),
            status: if number % 10 == 0 { 404 } else { 200 },
            runs: if number == 300 { "needle\nanother".into() } else { String::new() },
            ..entry()
        };
        (1..=count).map(row).collect()
    }

    pub async fn all(readers: &SqlitePool, filter: Filter, first: Start, limit: usize) -> Vec<i64> {
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

    #[tokio::test]
    async fn quotes_are_looked_for_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let odd = "' OR '1'='1'; DROP TABLE call; --";
        let readers = filled(
            &folder,
            &[
                entry(),
                Entry {
                    runs: odd.into(),
                    ..entry()
                },
            ],
        )
        .await;
        let text = Some(odd.to_owned());
        let by_run = Filter {
            run: text.clone(),
            ..Filter::default()
        };
        let by_user = Filter {
            user: text.clone(),
            ..Filter::default()
        };
        let anywhere = Filter {
            q: text,
            ..Filter::default()
        };
        for (filter, found) in [
            (by_run, vec![2]),
            (by_user, vec![]),
            (anywhere, vec![2]),
            (Filter::default(), vec![2, 1]),
        ] {
            assert_eq!(all(&readers, filter, Start::Newest, 10).await, found);
        }
    }

    /// Rows stand in the order of writing, whatever their time.
    #[tokio::test]
    async fn a_clock_that_jumps_breaks_no_chain_and_hides_no_row() {
        let folder = tempfile::tempdir().unwrap();
        let jumps = [100 * DAY, 100 * DAY + 1, 0, -1, i64::MIN, 200 * DAY, i64::MAX, 101 * DAY];
        let rows: Vec<Entry> = jumps.map(|at| vec![Entry { at, ..entry() }; 100]).concat();
        let readers = filled(&folder, &rows).await;
        let file = folder.path().join(audit::FILE);
        assert!(matches!(audit::verify(&file).await.unwrap(), Verdict::Whole { first: 1, last } if last.id == 800));
        let ids = all(&readers, Filter::default(), Start::After(0), 70).await;
        assert_eq!(ids, (1..=800).collect::<Vec<_>>());
        let of = |from, to| Filter {
            from: Some(from),
            to: Some(to),
            ..Filter::default()
        };
        let found = all(&readers, of(100 * DAY, 101 * DAY), Start::After(0), 70).await;
        assert_eq!(found, (1..=200).chain(701..=800).collect::<Vec<_>>());
        assert_eq!(all(&readers, of(i64::MIN, -1), Start::After(0), 70).await.len(), 200);

        // Back at its time, the clock lets only go what is old by it.
        let mut store = Store::open(&file, &limits(365, 1_000_000)).await.unwrap();
        for now in [101 * DAY, 0, -1, i64::MIN] {
            assert!(!store.trim(now).unwrap(), "{now}");
        }
        store.close();
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
}
