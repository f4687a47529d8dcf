//! Writing rows behind the newest one, with the marks by which they are found.

use std::{collections::HashSet, sync::Arc};

use sqlx::{AssertSqlSafe, Connection as _, Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments};

use super::{BLOCK, Store, move_end};
use crate::audit::{
    chain::{self, Link},
    entry::{Entry, Kind},
};

/// A statement on its way to be executed.
type Bound = Query<'static, Sqlite, SqliteArguments>;

/// What is marked already in the newest block.
#[derive(Default)]
pub struct Marked {
    /// `None` where that is not known.
    block: Option<i64>,
    /// By kind.
    words: [HashSet<String>; Kind::ALL.len()],
    /// The word that came last of each kind, which mostly comes again.
    last: [String; Kind::ALL.len()],
}

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
pub struct Inserts {
    rows: Insert,
    marks: Insert,
    blocks: Insert,
}

/// One statement for many rows: what a statement costs by itself is more than a row.
struct Insert {
    /// By the number of rows that they take, the most first.
    statements: [(usize, Arc<String>); 3],
}

/// Of what can be bound, this takes one allocation; a `&str` takes two.
fn text(text: &str) -> Arc<str> {
    Arc::from(text)
}

// === impl Store ===

impl Store {
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
            self.marked.mark(entry, block, &mut marks);
            match blocks.last_mut() {
                Some(last) if last.block == block => last.take_in(entry.at),
                _ => blocks.push(Block::new(block, entry.at)),
            }
        }
        let written = self.commit(head, &rows, &marks, &blocks).await;
        if written.is_err() {
            // What the transaction had marked is unmarked again.
            self.marked.block = None;
            self.is_broken = true;
            if chain::end(self.connection().await?, "head").await? != head {
                return written;
            }
        }
        self.head = head;
        if self.oldest.is_unknown() {
            self.look_at_oldest().await?;
        }
        Ok(())
    }

    async fn commit(&mut self, head: Link, rows: &[(Link, &Entry)], marks: &[Mark], blocks: &[Block]) -> sqlx::Result<()> {
        self.connection().await?;
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        self.inserts
            .rows
            .run(&mut transaction, rows, |query, (link, entry)| {
                query
                    .bind(link.id)
                    .bind(entry.at)
                    .bind(entry.user.as_deref().map(text))
                    .bind(text(entry.way.as_str()))
                    .bind(entry.key.as_deref().map(text))
                    .bind(text(&entry.address))
                    .bind(text(&entry.method))
                    .bind(text(&entry.route))
                    .bind(text(&entry.experiments))
                    .bind(text(&entry.runs))
                    .bind(text(&entry.models))
                    .bind(entry.status)
                    .bind(entry.took_us)
                    .bind(entry.bytes_in)
                    .bind(entry.bytes_out)
                    .bind(text(&entry.request_id))
                    .bind(entry.shadow.as_deref().map(text))
                    .bind(entry.changes)
                    .bind(link.hash.as_slice())
            })
            .await?;
        self.inserts
            .marks
            .run(&mut transaction, marks, |query, mark| {
                query.bind(text(mark.kind.as_str())).bind(text(&mark.word)).bind(mark.block)
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
}

// === impl Marked ===

impl Marked {
    fn mark(&mut self, entry: &Entry, block: i64, marks: &mut Vec<Mark>) {
        if self.block != Some(block) {
            self.block = Some(block);
            self.words.iter_mut().for_each(HashSet::clear);
            self.last.iter_mut().for_each(String::clear);
        }
        entry.marks(|kind, word| {
            let last = &mut self.last[kind as usize];
            if last == word && !word.is_empty() {
                return;
            }
            last.clear();
            last.push_str(word);
            let marked = &mut self.words[kind as usize];
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
    pub fn new() -> Self {
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
