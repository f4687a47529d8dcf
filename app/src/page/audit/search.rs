//! What the address asks the audit for, and the page of rows that comes back.

use serde::{Deserialize, Serialize};

use crate::{
    api::{
        Client, Result,
        flowdeck::audit::{self, FILTERS, Found, Row},
    },
    state::query::Query,
};

/// Rows on a page.
pub const LIMIT: usize = 100;

/// Spans that end now: as the address has them, as people read them, in ms.
pub const SPANS: [(&str, &str, i64); 4] = [
    ("1h", "Last hour", 3_600_000),
    ("24h", "Last 24 hours", 86_400_000),
    ("7d", "Last 7 days", 7 * 86_400_000),
    ("30d", "Last 30 days", 30 * 86_400_000),
];

/// The part of the address that decides which rows are shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    pub filters: Query,
    span: Option<i64>,
    place: Place,
}

/// Where in all the rows the page is. Ids of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Place {
    #[default]
    Newest,
    Before(i64),
    After(i64),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Newest first.
    pub rows: Vec<Row>,
    /// The rows are the visitor's own, since they may see no others.
    pub own: bool,
    /// It begins with the newest row.
    pub newest: bool,
    /// What goes on with older rows.
    pub older: Option<String>,
    /// Where the search stopped before the page was full, ms since 1970.
    pub searched_to: Option<i64>,
}

// === impl Wanted ===

impl Wanted {
    pub fn read(query: &Query) -> Self {
        let mut filters = Query::default();
        for name in FILTERS.into_iter().chain(["from", "to"]) {
            if let Some(value) = query.get(name) {
                filters = filters.with(name, value.trim());
            }
        }
        let number = |name| query.get(name).and_then(|text| text.parse().ok());
        let place = match (number("cursor"), number("after")) {
            (Some(id), _) => Place::Before(id),
            (None, Some(id)) => Place::After(id),
            (None, None) => Place::Newest,
        };
        let span = query.get("last").and_then(|last| SPANS.iter().find(|span| span.0 == last));
        Self {
            filters,
            span: span.map(|span| span.2),
            place,
        }
    }

    /// The filters as the server takes them, `now` being ms since 1970.
    pub fn query(&self, now: i64) -> Query {
        match self.span {
            Some(span) => self.filters.clone().with("from", &(now - span).to_string()).with("to", ""),
            None => self.filters.clone(),
        }
    }
}

/// The page that is wanted; of the calls of `user`, the visitor, where others' are not for them.
pub async fn search(client: &Client, wanted: &Wanted, user: &str, now: i64) -> Result<Page> {
    let query = wanted.query(now).with("limit", &LIMIT.to_string());
    match page(client, wanted.place, query.clone()).await {
        Err(error) if error.status == 403 && query.get("user") != Some(user) => {
            let page = page(client, wanted.place, query.with("user", user)).await?;
            Ok(Page { own: true, ..page })
        }
        page => page,
    }
}

async fn page(client: &Client, place: Place, query: Query) -> Result<Page> {
    let (name, id) = match place {
        Place::Newest => ("cursor", String::new()),
        Place::Before(id) => ("cursor", id.to_string()),
        Place::After(id) => ("after", id.to_string()),
    };
    let mut found = audit::list(client, &query.clone().with(name, &id)).await?;
    if name == "after" {
        // Fewer than a page are newer: the newest page has them all.
        if found.rows.len() < LIMIT {
            found = audit::list(client, &query).await?;
            return Ok(Page::of(found, true));
        }
        found.rows.reverse();
        found.next = found.rows.last().map(|row| row.id.to_string());
        found.searched_to = None;
        return Ok(Page::of(found, false));
    }
    Ok(Page::of(found, place == Place::Newest))
}

// === impl Page ===

impl Page {
    fn of(found: Found, newest: bool) -> Self {
        Self {
            rows: found.rows,
            own: false,
            newest,
            older: found.next,
            searched_to: found.searched_to,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_decides() {
        let wanted = |text: &str| Wanted::read(&Query::parse(text));
        assert_eq!(wanted("?row=7&live=1&q=&user=ada"), wanted("?user=ada"));
        assert_eq!(wanted("?cursor=12").place, Place::Before(12));
        assert_eq!(wanted("?after=12").place, Place::After(12));
        let href = |text: &str| wanted(text).query(10_000_000).href();
        assert_eq!(href("?last=1h&q=a%20b&to=9"), "?q=a%20b&from=6400000");
        assert_eq!(href("?from=5&to=9&last=sometime"), "?from=5&to=9");
    }
}
