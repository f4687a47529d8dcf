//! What has happened in an experiment lately, as server-sent events that all who watch it share.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Bytes of older events that are kept for who was cut off.
const KEPT: usize = 1 << 20;
/// Bytes of the data of one event.
const LARGEST: usize = 64 * 1024;

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = RunChange)]
pub enum What {
    Created,
    /// Metrics, parameters, tags, or it was taken up again.
    Changed,
    Ended,
    Renamed,
    Deleted,
    Restored,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub what: What,
    pub run: Value,
}

/// A place in a feed, as it is told: behind the event of this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Which feed: a new one has seen nothing of what the one before it told.
    feed: u64,
    number: u64,
}

pub struct Feed {
    id: u64,
    events: VecDeque<Bytes>,
    /// How many events there ever were.
    last: u64,
    bytes: usize,
}

// === impl Feed ===

impl Default for Feed {
    fn default() -> Self {
        Self {
            id: rand::random(),
            events: VecDeque::new(),
            last: 0,
            bytes: 0,
        }
    }
}

impl Feed {
    /// Here and now.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            feed: self.id,
            number: self.last,
        }
    }

    /// The events behind a cursor, and the cursor behind them; `None` where some of them are not known any more.
    pub fn after(&self, cursor: Cursor) -> Option<(Vec<Bytes>, Cursor)> {
        let first = self.last - self.events.len() as u64;
        if cursor.feed != self.id || cursor.number < first || cursor.number > self.last {
            return None;
        }
        let events = self.events.iter().skip((cursor.number - first) as usize).cloned().collect();
        Some((events, self.cursor()))
    }

    /// Tells what has changed, in as many events as it takes.
    pub fn changed(&mut self, changes: Vec<Change>) {
        self.trim();
        let mut data = String::new();
        for change in changes {
            let change = text(change);
            if !data.is_empty() && data.len() + change.len() > LARGEST {
                self.push("runs", &format!("{{\"changes\":[{data}]}}"));
                data.clear();
            }
            if !data.is_empty() {
                data.push(',');
            }
            data.push_str(&change);
        }
        if !data.is_empty() {
            self.push("runs", &format!("{{\"changes\":[{data}]}}"));
        }
    }

    /// Tells that more has changed than can be told.
    pub fn reset(&mut self) {
        self.trim();
        self.push("reset", "{}");
    }

    fn push(&mut self, event: &str, data: &str) {
        self.last += 1;
        let event = Bytes::from(format!("id: {}\nevent: {event}\ndata: {data}\n\n", self.cursor()));
        self.bytes += event.len();
        self.events.push_back(event);
    }

    /// Makes room. What is told together is never too much, else nobody would hear all of it.
    fn trim(&mut self) {
        while self.bytes > KEPT {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.len();
        }
    }
}

/// A run that does not fit into an event is told without its data.
fn text(change: Change) -> String {
    let Change { what, mut run } = change;
    let whole = json!({ "what": what, "run": run }).to_string();
    if whole.len() <= LARGEST {
        return whole;
    }
    json!({ "what": what, "run": { "info": run["info"].take() }, "partial": true }).to_string()
}

// === impl Cursor ===

impl Cursor {
    pub fn parse(text: &str) -> Option<Self> {
        let (feed, number) = text.split_once('-')?;
        Some(Self {
            feed: u64::from_str_radix(feed, 16).ok()?,
            number: number.parse().ok()?,
        })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}-{}", self.feed, self.number)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Change, Cursor, Feed, KEPT, What};

    fn change(bytes: usize) -> Change {
        Change {
            what: What::Changed,
            run: json!({ "info": { "run_id": "r" }, "data": { "tags": [{ "key": "t", "value": "x".repeat(bytes) }] } }),
        }
    }

    #[test]
    fn who_was_cut_off_hears_what_was_missed_or_that_it_is_not_known() {
        let mut feed = Feed::default();
        let begin = feed.cursor();
        feed.changed(vec![change(1)]);
        let middle = Cursor::parse(&feed.cursor().to_string()).unwrap();
        feed.reset();
        assert_eq!(feed.after(begin).unwrap().0.len(), 2);
        let (events, end) = feed.after(middle).unwrap();
        let text = String::from_utf8(events[0].to_vec()).unwrap();
        assert_eq!(text, format!("id: {end}\nevent: reset\ndata: {{}}\n\n"));
        assert!(feed.after(end).unwrap().0.is_empty());
        for foreign in [Feed::default().cursor(), Cursor { number: 3, ..begin }] {
            assert!(feed.after(foreign).is_none());
        }
        for _ in 0..KEPT / 50_000 + 2 {
            feed.changed(vec![change(50_000)]);
        }
        assert!(feed.after(begin).is_none() && feed.after(end).is_none());
        assert!(feed.bytes <= KEPT + 2 * 50_200);
        assert!(Cursor::parse("").is_none() && Cursor::parse("x-1").is_none() && Cursor::parse("1-").is_none());
    }

    #[test]
    fn much_is_split_and_a_large_run_is_cut() {
        let mut feed = Feed::default();
        let begin = feed.cursor();
        feed.changed(vec![change(40_000), change(40_000), change(1), change(100_000)]);
        let (events, _) = feed.after(begin).unwrap();
        assert_eq!(events.len(), 2);
        assert!(events.iter().all(|event| event.len() < 66_000));
        let last = String::from_utf8(events[1].to_vec()).unwrap();
        assert_eq!(last.matches("\"partial\":true").count(), 1);
    }
}
