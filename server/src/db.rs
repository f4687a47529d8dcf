//! Flowdeck's own state. `db/<thing>.rs` owns that thing's SQL.

pub mod change;
pub mod group;
pub mod key;
pub mod rule;
pub mod session;
pub mod setting;
pub mod user;
pub mod vault;
pub mod view;

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// The state database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: SqlitePool,
}

// === impl Db ===

impl Db {
    /// Opens the database file, making it where there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// A file that cannot be opened, or that a newer Flowdeck has written.
    pub async fn open(file: &Path) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged write survives the machine going down, not only the process.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .foreign_keys(true);
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await;
        let pool = pool.with_context(|| format!("cannot open the state database {}", file.display()))?;
        sqlx::migrate!("migrations/sqlite")
            .run(&pool)
            .await
            .context("cannot bring the state database up to date")?;
        Ok(Self { pool })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> sqlx::Result<()> {
        sqlx::query("SELECT 1").execute(&self.pool).await.map(drop)
    }

    /// Waits until what is open is written, then closes.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
