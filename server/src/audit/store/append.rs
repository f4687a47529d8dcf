//! Writing rows behind the newest one, with the marks by which they are found.

use std::{collections::HashSet, thread};

use rusqlite::{Transaction, TransactionBehavior, params};

use super::{BLOCK, Store, end, move_end};
use crate::audit::{
    chain::Link,
    entry::{Entry, Kind},
};

/// After so many rows, whoever else is ready gets the processor: many rows take long enough for a call to wait noticeably.
const STRETCH: usize = 16;

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

// === impl Store ===

impl Store {
    /// Writes rows behind the newest one, all or none.
    ///
    /// # Errors
    /// When they are not written. What was committed without our hearing of it counts as written.
    pub fn append(&mut self, entries: &[Entry]) -> rusqlite::Result<()> {
        let (mut head, mut bytes) = (self.head, Vec::new());
        let (mut rows, mut marks, mut blocks) = (Vec::with_capacity(entries.len()), Vec::new(), Vec::<Block>::new());
        for entry in stretches(entries) {
            head = head.next(entry, &mut bytes);
            rows.push((head, entry));
            let block = head.id / BLOCK;
            self.marked.mark(entry, block, &mut marks);
            match blocks.last_mut() {
                Some(last) if last.block == block => last.take_in(entry.at),
                _ => blocks.push(Block::new(block, entry.at)),
            }
        }
        let written = self.commit(head, &rows, &marks, &blocks);
        if written.is_err() {
            // What the transaction had marked is unmarked again.
            self.marked.block = None;
            if end(&self.connection, "head")? != head {
                return written;
            }
        }
        self.head = head;
        if self.oldest.is_unknown() {
            self.look_at_oldest()?;
        }
        Ok(())
    }

    fn commit(&mut self, head: Link, rows: &[(Link, &Entry)], marks: &[Mark], blocks: &[Block]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        put_rows(&transaction, rows)?;
        put_marks(&transaction, marks)?;
        put_blocks(&transaction, blocks)?;
        move_end(&transaction, "head", head)?;
        transaction.commit()
    }
}

/// The items, with a pause for others after each stretch.
fn stretches<T>(items: &[T]) -> impl Iterator<Item = &T> {
    items.chunks(STRETCH).enumerate().flat_map(|(number, stretch)| {
        if number > 0 {
            thread::yield_now();
        }
        stretch
    })
}

fn put_rows(transaction: &Transaction<'_>, rows: &[(Link, &Entry)]) -> rusqlite::Result<()> {
    let mut insert = transaction
        .prepare_cached("INSERT INTO call VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)")?;
    for (link, entry) in stretches(rows) {
        insert.execute(params![
            link.id,
            entry.at,
            entry.user,
            entry.way.as_str(),
            entry.key,
            entry.address,
            entry.method,
            entry.route,
            entry.experiments,
            entry.runs,
            entry.models,
            entry.status,
            entry.took_us,
            entry.bytes_in,
            entry.bytes_out,
            entry.request_id,
            entry.shadow,
            entry.changes,
            link.hash,
        ])?;
    }
    Ok(())
}

fn put_marks(transaction: &Transaction<'_>, marks: &[Mark]) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached("INSERT OR IGNORE INTO mark (kind, value, block) VALUES (?1, ?2, ?3)")?;
    for mark in marks {
        insert.execute(params![mark.kind.as_str(), mark.word, mark.block])?;
    }
    Ok(())
}

fn put_blocks(transaction: &Transaction<'_>, blocks: &[Block]) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO block (block, first_at, last_at) VALUES (?1, ?2, ?3) ON CONFLICT (block)
         DO UPDATE SET first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)",
    )?;
    for block in blocks {
        insert.execute(params![block.block, block.first_at, block.last_at])?;
    }
    Ok(())
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
