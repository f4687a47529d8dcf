//! Finding rows: pages of any filter, each in bounded time however many rows there are.

use std::time::{Duration, Instant};

use sqlx::{QueryBuilder, Sqlite, SqlitePool};

use super::{
    chain::Link,
    entry::{Entry, Kind, Way},
    store::BLOCK,
};

/// A page that has looked for so long ends with what it has found.
const PATIENCE: Duration = Duration::from_millis(80);
/// Blocks whose marks are looked at in one statement, and blocks that it may name: each statement takes milliseconds.
const WINDOW: i64 = 8192;
const NAMED: i64 = 64;
/// Blocks that are read in one statement, at first one, then twice as many each time.
const WIDEST: usize = 8;

/// What to find; all of it has to hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    pub key: Option<String>,
    pub user: Option<String>,
    pub route: Option<String>,
    /// `404`, or `4xx`.
    pub status: Option<String>,
    pub method: Option<String>,
    pub way: Option<Way>,
    pub experiment: Option<String>,
    pub run: Option<String>,
    pub model: Option<String>,
    /// Only what a key in shadow mode would have been refused.
    pub shadow: bool,
    /// Only what changed something.
    pub changes: bool,
    /// Ms since 1970, both included.
    pub from: Option<i64>,
    pub to: Option<i64>,
    /// A part of any text of the row, in any case.
    pub q: Option<String>,
    /// Only what changed something, and nothing found by what its reader may not see.
    pub changes_only: bool,
}

/// Where a page begins, and in which direction it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Newest first.
    Newest,
    /// Newest first, of the rows before this id.
    Before(i64),
    /// Oldest first, of the rows after this id.
    After(i64),
}

#[derive(Debug)]
pub struct Page {
    pub rows: Vec<Entry>,
    /// Where the next page begins: an id for [`Start::Before`], or for [`Start::After`], as it was. `None` at the oldest row.
    pub next: Option<i64>,
    /// The page is not full, and ended here (ms since 1970), since it had looked for long enough.
    pub searched_to: Option<i64>,
}

/// Reads one page of at most `limit` rows.
///
/// # Errors
/// When the database cannot be read.
pub async fn page(readers: &SqlitePool, filter: &Filter, start: Start, limit: usize) -> sqlx::Result<Page> {
    let deadline = Instant::now() + PATIENCE;
    let (oldest, newest) = ends(readers).await?;
    let mut range = match start {
        Start::Newest => Range::new(oldest, newest, Direction::Down),
        Start::Before(id) => Range::new(oldest, newest.min(id.saturating_sub(1)), Direction::Down),
        Start::After(id) => Range::new(oldest.max(id.saturating_add(1)), newest, Direction::Up),
    };
    let marks = filter.marks();
    let mut rows: Vec<Entry> = Vec::new();
    let mut searched = false;
    'search: while !range.is_empty() {
        let blocks = candidates(readers, filter, &marks, &range).await?;
        let (mut at, mut width) = (0, 1);
        while at < blocks.found.len() {
            let chunk = &blocks.found[at..blocks.found.len().min(at + width)];
            // One more than is wanted tells whether there is a next page.
            rows.extend(read(readers, filter, &range, chunk, limit + 1 - rows.len()).await?);
            if rows.len() > limit {
                break 'search;
            }
            range.pass(chunk[chunk.len() - 1]);
            at += chunk.len();
            width = (2 * width).min(WIDEST);
            if Instant::now() > deadline {
                searched = true;
                break 'search;
            }
        }
        if blocks.whole {
            range.pass(blocks.end);
        }
        if Instant::now() > deadline {
            searched = true;
            break;
        }
    }
    let is_full = rows.len() > limit;
    rows.truncate(limit);
    let ended_early = searched && !range.is_empty() && !is_full;
    let searched_to = if ended_early { range.time(readers).await? } else { None };
    let next = match (range.direction, is_full || ended_early) {
        (_, true) if is_full => rows.last().map(|row| row.id),
        (Direction::Down, true) => Some(range.newest + 1),
        (Direction::Down, false) => None,
        (Direction::Up, _) => Some(range.oldest - 1),
    };
    Ok(Page { rows, next, searched_to })
}

/// The oldest and the newest id between which all rows of the filter lie; told from marks and blocks, so that no row is read for it. Where
/// there can be none, the oldest is behind the newest.
///
/// # Errors
/// When the database cannot be read.
pub async fn span(readers: &SqlitePool, filter: &Filter) -> sqlx::Result<(i64, i64)> {
    let (oldest, newest) = ends(readers).await?;
    let (mut low, mut high) = (oldest / BLOCK, newest / BLOCK);
    for (kind, value) in filter.marks() {
        let mark = |order: &str| {
            let mut query: QueryBuilder<Sqlite> = QueryBuilder::new("SELECT block FROM mark WHERE kind = ");
            query.push_bind(kind.as_str()).push(" AND value = ").push_bind(value.to_owned());
            query.push(format_args!(" ORDER BY block {order} LIMIT 1"));
            query
        };
        let first: Option<i64> = mark("ASC").build_query_scalar().fetch_optional(readers).await?;
        let last: Option<i64> = mark("DESC").build_query_scalar().fetch_optional(readers).await?;
        low = low.max(first.unwrap_or(high + 1));
        high = high.min(last.unwrap_or(low - 1));
    }
    if let Some(from) = filter.from {
        let first: Option<i64> = sqlx::query_scalar("SELECT block FROM block WHERE last_at >= ? ORDER BY block LIMIT 1")
            .bind(from)
            .fetch_optional(readers)
            .await?;
        low = low.max(first.unwrap_or(high + 1));
    }
    if let Some(to) = filter.to {
        let last: Option<i64> = sqlx::query_scalar("SELECT block FROM block WHERE first_at <= ? ORDER BY block DESC LIMIT 1")
            .bind(to)
            .fetch_optional(readers)
            .await?;
        high = high.min(last.unwrap_or(low - 1));
    }
    Ok((oldest.max(low * BLOCK), newest.min(high * BLOCK + BLOCK - 1)))
}

/// The oldest id that is kept, and the newest.
async fn ends(readers: &SqlitePool) -> sqlx::Result<(i64, i64)> {
    let ends: Vec<Link> = sqlx::query_as("SELECT id, hash FROM chain ORDER BY place = 'head'")
        .fetch_all(readers)
        .await?;
    let [anchor, head] = ends[..] else {
        return Err(sqlx::Error::RowNotFound);
    };
    Ok((anchor.id + 1, head.id))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// From the newest to the oldest.
    Down,
    Up,
}

/// The rows that are still to be looked at, both ends included.
struct Range {
    oldest: i64,
    newest: i64,
    direction: Direction,
}

/// Blocks worth reading, nearest first.
struct Candidates {
    found: Vec<i64>,
    /// The last block that was looked at.
    end: i64,
    /// There are no others up to `end`.
    whole: bool,
}

// === impl Range ===

impl Range {
    fn new(oldest: i64, newest: i64, direction: Direction) -> Self {
        Self { oldest, newest, direction }
    }

    fn is_empty(&self) -> bool {
        self.oldest > self.newest
    }

    /// The block and all before it are done.
    fn pass(&mut self, block: i64) {
        match self.direction {
            Direction::Down => self.newest = self.newest.min(block * BLOCK - 1),
            Direction::Up => self.oldest = self.oldest.max((block + 1) * BLOCK).min(self.newest + 1),
        }
    }

    /// When the row came at which the search stands.
    async fn time(&self, readers: &SqlitePool) -> sqlx::Result<Option<i64>> {
        let here = match self.direction {
            Direction::Down => self.newest,
            Direction::Up => self.oldest,
        };
        sqlx::query_scalar("SELECT at FROM call WHERE id = ?")
            .bind(here)
            .fetch_optional(readers)
            .await
    }

    fn order(&self) -> &'static str {
        match self.direction {
            Direction::Down => " DESC",
            Direction::Up => " ASC",
        }
    }
}

/// The next blocks in which everything that is asked for occurs, though perhaps not in one row.
async fn candidates(readers: &SqlitePool, filter: &Filter, marks: &[(Kind, &str)], range: &Range) -> sqlx::Result<Candidates> {
    let (low, high) = (range.oldest / BLOCK, range.newest / BLOCK);
    let (low, high) = match range.direction {
        Direction::Down => (low.max(high - WINDOW), high),
        Direction::Up => (low, high.min(low + WINDOW)),
    };
    let mut query: QueryBuilder<Sqlite> = QueryBuilder::new("SELECT b.block FROM ");
    // The first mark is the rarest kind: its blocks lead, the others are asked whether they have them.
    match marks.first() {
        Some((kind, value)) => {
            query.push("mark AS m CROSS JOIN block AS b ON b.block = m.block WHERE m.kind = ");
            query.push_bind(kind.as_str()).push(" AND m.value = ").push_bind(value.to_string());
            query.push(" AND m.block BETWEEN ").push_bind(low).push(" AND ").push_bind(high);
        }
        None => {
            query
                .push("block AS b WHERE b.block BETWEEN ")
                .push_bind(low)
                .push(" AND ")
                .push_bind(high);
        }
    }
    if let Some(from) = filter.from {
        query.push(" AND b.last_at >= ").push_bind(from);
    }
    if let Some(to) = filter.to {
        query.push(" AND b.first_at <= ").push_bind(to);
    }
    for (kind, value) in marks.iter().skip(1) {
        query.push(" AND EXISTS (SELECT 1 FROM mark WHERE kind = ").push_bind(kind.as_str());
        query
            .push(" AND value = ")
            .push_bind(value.to_string())
            .push(" AND block = b.block)");
    }
    let leader = if marks.is_empty() { "b" } else { "m" };
    query.push(format_args!(" ORDER BY {leader}.block{} LIMIT {NAMED}", range.order()));
    let found: Vec<i64> = query.build_query_scalar().fetch_all(readers).await?;
    Ok(Candidates {
        whole: found.len() < NAMED as usize,
        end: if range.direction == Direction::Down { low } else { high },
        found,
    })
}

async fn read(readers: &SqlitePool, filter: &Filter, range: &Range, blocks: &[i64], limit: usize) -> sqlx::Result<Vec<Entry>> {
    let blocks = format!("[{}]", blocks.iter().map(i64::to_string).collect::<Vec<_>>().join(","));
    let mut query: QueryBuilder<Sqlite> = QueryBuilder::new("SELECT c.* FROM json_each(");
    query.push_bind(blocks).push(") AS b CROSS JOIN call AS c");
    query.push(format_args!(
        " WHERE c.id BETWEEN max(b.value * {BLOCK}, {}) AND min(b.value * {BLOCK} + {BLOCK} - 1, {})",
        range.oldest, range.newest
    ));
    filter.conditions(&mut query);
    query.push(format_args!(" ORDER BY c.id{} LIMIT {limit}", range.order()));
    query.build_query_as().fetch_all(readers).await
}

// === impl Filter ===

impl Filter {
    /// The marks of all blocks that can hold a row, the rarest kind first.
    fn marks(&self) -> Vec<(Kind, &str)> {
        let words = [
            (Kind::Run, self.run.as_deref()),
            (Kind::Model, self.model.as_deref()),
            (Kind::Experiment, self.experiment.as_deref()),
            (Kind::Shadow, self.shadow.then_some("yes")),
            (Kind::Key, self.key.as_deref()),
            (Kind::User, self.user.as_deref()),
            (Kind::Route, self.route.as_deref()),
            (Kind::Status, self.status.as_deref()),
            (Kind::Method, self.method.as_deref()),
            (Kind::Way, self.way.map(Way::as_str)),
        ];
        words.into_iter().filter_map(|(kind, word)| Some((kind, word?))).collect()
    }

    fn conditions(&self, query: &mut QueryBuilder<Sqlite>) {
        for (column, word) in [
            ("key", self.key.as_deref()),
            ("user", self.user.as_deref()),
            ("route", self.route.as_deref()),
            ("method", self.method.as_deref()),
            ("way", self.way.map(Way::as_str)),
        ] {
            if let Some(word) = word {
                query.push(format_args!(" AND c.{column} = ")).push_bind(word.to_owned());
            }
        }
        match self.status.as_deref().map(|status| (status, status.strip_suffix("xx"))) {
            None => {}
            Some((_, Some(class))) => {
                query
                    .push(" AND c.status / 100 = CAST(")
                    .push_bind(class.to_owned())
                    .push(" AS INTEGER)");
            }
            Some((status, None)) => {
                query
                    .push(" AND c.status = CAST(")
                    .push_bind(status.to_owned())
                    .push(" AS INTEGER)");
            }
        }
        for (column, word) in [("experiments", &self.experiment), ("runs", &self.run), ("models", &self.model)] {
            if let Some(word) = word {
                query.push(format_args!(" AND instr(char(10) || c.{column} || char(10), "));
                query.push_bind(format!("\n{word}\n")).push(")");
            }
        }
        if self.shadow {
            query.push(" AND c.shadow IS NOT NULL");
        }
        if let Some(from) = self.from {
            query.push(" AND c.at >= ").push_bind(from);
        }
        if let Some(to) = self.to {
            query.push(" AND c.at <= ").push_bind(to);
        }
        if self.changes || self.changes_only {
            query.push(" AND c.changes");
        }
        if let Some(q) = &self.q {
            let open = "c.user, c.method, c.route, c.status, c.experiments, c.runs, c.models";
            let more = if self.changes_only {
                ""
            } else {
                ", c.key, c.address, c.request_id, c.shadow"
            };
            let escaped = q.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            query.push(format_args!(" AND concat_ws(char(10), {open}{more}) LIKE "));
            query.push_bind(format!("%{escaped}%")).push(" ESCAPE '\\'");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Filter, span};
    use crate::audit::{
        self, Entry,
        entry::tests::entry,
        store::{Store, readers, tests::limits},
    };

    #[tokio::test]
    async fn a_span_has_all_rows_of_the_filter_and_few_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(audit::FILE);
        // Rows of 1970 are kept, too.
        let mut store = Store::open(&file, &limits(40_000, 1_000_000)).await.unwrap();
        let empty = readers(&file).await.unwrap();
        let (oldest, newest) = span(&empty, &Filter::default()).await.unwrap();
        assert!(oldest > newest, "there is nothing yet");
        let row = |at: i64| Entry {
            at,
            user: Some(if (600..700).contains(&at) { "rare" } else { "often" }.into()),
            ..entry()
        };
        let rows: Vec<Entry> = (1..=2000).map(row).collect();
        store.append(&rows).unwrap();
        store.close();
        let readers = readers(&file).await.unwrap();

        let of = |user: &str| Filter {
            user: Some(user.into()),
            ..Filter::default()
        };
        assert_eq!(span(&readers, &Filter::default()).await.unwrap(), (1, 2000));
        assert_eq!(span(&readers, &of("often")).await.unwrap(), (1, 2000));
        assert_eq!(span(&readers, &of("rare")).await.unwrap(), (2 * BLOCK, 3 * BLOCK - 1));
        let (oldest, newest) = span(&readers, &of("nobody")).await.unwrap();
        assert!(oldest > newest);
        let late = Filter {
            from: Some(1000),
            to: Some(1100),
            ..Filter::default()
        };
        assert_eq!(span(&readers, &late).await.unwrap(), (3 * BLOCK, 5 * BLOCK - 1));
        let (oldest, newest) = span(&readers, &Filter { to: Some(0), ..late }).await.unwrap();
        assert!(oldest > newest);
    }
}
