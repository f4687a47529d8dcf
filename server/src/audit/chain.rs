//! The chain: each row's hash is SHA-256 over the hash before it and the row; and the check that nobody has touched it.

use std::fmt;

use sha2::{Digest as _, Sha256};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::entry::Entry;
use futures::TryStreamExt as _;

/// A place in the chain: a row's id and its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub id: i64,
    pub hash: [u8; 32],
}

/// What `flowdeck audit verify` has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// From the first kept row to the last one, each follows the one before.
    Whole {
        first: i64,
        last: Link,
    },
    Broken(Break),
}

/// The first place where the chain does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// This row is not there.
    Missing(i64),
    /// This row, or the hash of the one before it, is not what was written.
    Changed(i64),
    /// This row is there, and none was written after the head.
    Added(i64),
}

// === impl Link ===

impl Link {
    /// The place of the row that follows; `bytes` is used up on the way.
    pub fn next(&self, entry: &Entry, bytes: &mut Vec<u8>) -> Self {
        let id = self.id + 1;
        entry.encode(id, bytes);
        let hash = Sha256::new().chain_update(self.hash).chain_update(bytes).finalize().into();
        Self { id, hash }
    }
}

impl sqlx::FromRow<'_, SqliteRow> for Link {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let hash: Vec<u8> = row.try_get("hash")?;
        let hash = hash.try_into().map_err(|_| sqlx::Error::Decode("a hash is 32 bytes".into()))?;
        Ok(Self {
            id: row.try_get("id")?,
            hash,
        })
    }
}

/// Goes along the whole chain, as it is at this moment.
///
/// # Errors
/// When the database cannot be read.
pub async fn verify(connection: &mut SqliteConnection) -> sqlx::Result<Verdict> {
    use sqlx::Connection as _;
    let mut snapshot = connection.begin().await?;
    let anchor = end(&mut snapshot, "anchor").await?;
    let head = end(&mut snapshot, "head").await?;
    let (mut last, mut bytes) = (anchor, Vec::new());
    let mut rows = sqlx::query("SELECT * FROM call ORDER BY id").fetch(&mut *snapshot);
    while let Some(row) = rows.try_next().await? {
        use sqlx::FromRow as _;
        // A row that cannot be read was not written by us.
        let (Ok(entry), Ok(stored)) = (Entry::from_row(&row), Link::from_row(&row)) else {
            return Ok(Verdict::Broken(Break::Changed(row.try_get("id")?)));
        };
        let expected = last.next(&entry, &mut bytes);
        let broken = match () {
            () if stored.id > head.id => Some(Break::Added(stored.id)),
            () if stored.id > expected.id => Some(Break::Missing(expected.id)),
            () if stored != expected => Some(Break::Changed(stored.id)),
            () => None,
        };
        if let Some(broken) = broken {
            return Ok(Verdict::Broken(broken));
        }
        last = stored;
    }
    Ok(match () {
        () if last.id < head.id => Verdict::Broken(Break::Missing(last.id + 1)),
        () if last != head => Verdict::Broken(Break::Changed(last.id)),
        () => Verdict::Whole {
            first: anchor.id + 1,
            last,
        },
    })
}

/// One end of the chain: `anchor` or `head`.
///
/// # Errors
/// When the database cannot be read.
pub async fn end(connection: &mut SqliteConnection, place: &'static str) -> sqlx::Result<Link> {
    sqlx::query_as("SELECT id, hash FROM chain WHERE place = ?")
        .bind(place)
        .fetch_one(connection)
        .await
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(id) => write!(f, "row {id} is missing"),
            Self::Changed(id) => write!(f, "row {id} is not as it was written, or does not follow row {}", id - 1),
            Self::Added(id) => write!(f, "row {id} was added behind the end"),
        }
    }
}
