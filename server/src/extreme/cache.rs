//! What was found once of runs that have ended, on disk. It may be deleted at any time: everything in it can be found again.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use anyhow::Context as _;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::Extremes;
use crate::clock;

/// The file in the data folder.
pub const FILE: &str = "cache.db";

/// Some 150 MB.
const MOST: i64 = 500_000;
/// In ms.
const DAY: i64 = 86_400_000;

pub struct Cache {
    pool: SqlitePool,
    most: i64,
    /// Rows written since it was last looked how many there are.
    written: AtomicI64,
}

/// By run and metric: what MLflow told of the run then, and what was found.
pub type Known = HashMap<(String, String), (String, Extremes)>;

/// What was found of one metric.
pub struct Finding<'a> {
    pub run: &'a str,
    pub metric: &'a str,
    pub told: &'a str,
    pub extremes: &'a Extremes,
}

#[derive(sqlx::FromRow)]
struct Row {
    run: String,
    metric: String,
    told: String,
    extremes: String,
    used_on: i64,
}

// === impl Cache ===

impl Cache {
    /// Opens the file, making it where there is none. One that cannot be opened is made anew.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub async fn open(file: &Path) -> anyhow::Result<Self> {
        match Self::try_open(file).await {
            Ok(cache) => Ok(cache),
            Err(error) => {
                tracing::warn!("{error:#}; it is made anew");
                for end in ["", "-wal", "-shm"] {
                    let mut name = file.as_os_str().to_owned();
                    name.push(end);
                    std::fs::remove_file(PathBuf::from(name)).ok();
                }
                Self::try_open(file).await
            }
        }
    }

    async fn try_open(file: &Path) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await;
        let pool = pool.with_context(|| format!("cannot open the cache {}", file.display()))?;
        sqlx::migrate!("migrations/cache-sqlite")
            .run(&pool)
            .await
            .with_context(|| format!("cannot use the cache {}", file.display()))?;
        Ok(Self {
            pool,
            most: MOST,
            written: AtomicI64::new(MOST),
        })
    }

    /// What is known of these metrics of these runs.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn known(&self, runs: &[&str], metrics: &[String]) -> sqlx::Result<Known> {
        let (runs, metrics) = (serde_json::json!(runs).to_string(), serde_json::json!(metrics).to_string());
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM extremes WHERE run IN (SELECT value FROM json_each(?)) AND metric IN (SELECT value FROM json_each(?))",
        )
        .bind(&runs)
        .bind(&metrics)
        .fetch_all(&self.pool)
        .await?;
        let today = clock::now() / DAY;
        if rows.iter().any(|row| row.used_on < today) {
            sqlx::query(
                "UPDATE extremes SET used_on = ? WHERE used_on < ?
                 AND run IN (SELECT value FROM json_each(?)) AND metric IN (SELECT value FROM json_each(?))",
            )
            .bind(today)
            .bind(today)
            .bind(&runs)
            .bind(&metrics)
            .execute(&self.pool)
            .await?;
        }
        let known = rows.into_iter().filter_map(|row| {
            let extremes = serde_json::from_str(&row.extremes).ok()?;
            Some(((row.run, row.metric), (row.told, extremes)))
        });
        Ok(known.collect())
    }

    /// Keeps what was found, and from time to time forgets what was not asked for longest.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn keep(&self, findings: &[Finding<'_>]) -> sqlx::Result<()> {
        let today = clock::now() / DAY;
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for finding in findings {
            let extremes = serde_json::json!(finding.extremes).to_string();
            sqlx::query("INSERT OR REPLACE INTO extremes (run, metric, told, extremes, used_on) VALUES (?, ?, ?, ?, ?)")
                .bind(finding.run)
                .bind(finding.metric)
                .bind(finding.told)
                .bind(extremes)
                .bind(today)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        // Counting goes through all of it.
        let written = self.written.fetch_add(findings.len() as i64, Ordering::Relaxed) + findings.len() as i64;
        if written >= self.most / 20 {
            self.written.store(0, Ordering::Relaxed);
            self.trim().await?;
        }
        Ok(())
    }

    async fn trim(&self) -> sqlx::Result<()> {
        sqlx::query(
            "DELETE FROM extremes WHERE (run, metric) IN
             (SELECT run, metric FROM extremes ORDER BY used_on LIMIT MAX(0, (SELECT COUNT(*) FROM extremes) - ?))",
        )
        .bind(self.most)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::{Cache, DAY, Finding};
    use crate::{
        clock,
        extreme::{Extremes, Number},
    };

    const FOUND: Extremes = Extremes {
        count: 1,
        min: None,
        min_step: None,
        max: None,
        max_step: None,
        first: Number(f64::INFINITY),
        last: Number(1.5),
    };

    async fn keep(cache: &Cache, run: &str) {
        let finding = Finding {
            run,
            metric: "loss",
            told: "x",
            extremes: &FOUND,
        };
        cache.keep(&[finding]).await.unwrap();
    }

    async fn is_known(cache: &Cache, run: &str) -> bool {
        let known = cache.known(&[run], &["loss".into()]).await.unwrap();
        known
            .get(&(run.to_owned(), "loss".to_owned()))
            .is_some_and(|(told, found)| told == "x" && *found == FOUND)
    }

    #[tokio::test]
    async fn what_was_not_asked_for_longest_is_forgotten_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut cache = Cache::open(&folder.path().join("cache.db")).await.unwrap();
        cache.most = 20;
        for number in 0..20 {
            clock::tests::at(number * DAY, keep(&cache, &number.to_string())).await;
        }
        assert!(clock::tests::at(30 * DAY, is_known(&cache, "0")).await);
        clock::tests::at(31 * DAY, keep(&cache, "new")).await;
        assert!(!is_known(&cache, "1").await);
        assert!(is_known(&cache, "0").await && is_known(&cache, "2").await && is_known(&cache, "new").await);
    }

    #[tokio::test]
    async fn a_file_that_is_no_cache_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache.db");
        std::fs::write(&file, "no database at all, but longer than the head of one would be: ".repeat(20)).unwrap();
        let cache = Cache::open(&file).await.unwrap();
        keep(&cache, "r").await;
        cache.close().await;
        let cache = Cache::open(&file).await.unwrap();
        assert!(is_known(&cache, "r").await);
    }
}
