//! Sessions as tickets: the cookie holds 128 random bits; the database knows their hash, and a body sealed with a key
//! that only they give. Who reads the database can take over no session.

use std::time::Duration;

use async_trait::async_trait;
use axum::{extract::FromRequestParts, http::request::Parts};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tower_sessions::{
    Expiry, SessionManagerLayer, SessionStore,
    cookie::SameSite,
    session::{Id, Record},
    session_store::{Error, Result},
};

use crate::{
    clock, config,
    db::{Db, session::Row},
    principal::Principal,
    seal::Key,
    vault::{Vault, hex},
};

/// The one entry of a session's body.
pub const PERSON: &str = "person";

/// How often "last used" is written at most: not at every request.
const TOUCH: Duration = Duration::from_secs(60);

/// A password is in the vault before its session is there: so long at most, in ms.
const SIGNING_IN: i64 = 60_000;

/// Whose session it is, and where it began.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Person {
    pub user: String,
    pub user_agent: String,
    pub address: String,
    /// Ms since 1970.
    pub signed_in_at: i64,
}

pub type Layer = SessionManagerLayer<Store>;

/// The session of a handler that begins or ends one.
pub struct Current(pub tower_sessions::Session);

/// Keeps sessions in the state database.
#[derive(Clone)]
pub struct Store {
    db: Db,
    limits: config::Session,
}

// === impl Current ===

impl<S: Sync> FromRequestParts<S> for Current {
    type Rejection = crate::error::Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Self::Rejection> {
        let session = parts.extensions.get::<tower_sessions::Session>().cloned();
        let refused = || crate::error::Error::BadRequest("this is for browsers: send it without Authorization and X-API-Key".into());
        session.map(Self).ok_or_else(refused)
    }
}

// === impl Store ===

impl Store {
    pub fn new(db: Db, limits: config::Session) -> Self {
        Self { db, limits }
    }

    /// How many sessions are alive.
    pub async fn count(&self) -> sqlx::Result<i64> {
        let now = clock::now();
        self.db.count_sessions(now, self.idle_since(now)).await
    }

    /// Sessions last used before this time are over.
    pub fn idle_since(&self, now: i64) -> i64 {
        now - self.limits.session_idle.as_millis() as i64
    }

    /// The sessions that `user` could still use.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn of(&self, user: &str) -> sqlx::Result<Vec<Row>> {
        let now = clock::now();
        self.db.sessions_of(user, now, self.idle_since(now)).await
    }

    /// Deletes what is over, for ever and ever; to be spawned.
    pub async fn sweep(self, vault: Vault) {
        let mut every = tokio::time::interval(Duration::from_secs(600));
        loop {
            every.tick().await;
            let now = clock::now();
            if let Err(error) = self.db.delete_ended_sessions(now, self.idle_since(now)).await {
                tracing::warn!("cannot delete ended sessions: {error}");
            }
            if let Err(error) = vault.forget_unused(now, now - SIGNING_IN).await {
                tracing::warn!("cannot delete passwords that nobody needs: {error}");
            }
        }
    }

    fn is_over(&self, row: &Row, now: i64) -> bool {
        row.expires_at <= now || row.used_at <= self.idle_since(now)
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let person: Person = record
            .data
            .get(PERSON)
            .cloned()
            .map(serde_json::from_value)
            .transpose()
            .map_err(encode)?
            .ok_or_else(|| Error::Encode("a session begins with a sign-in".into()))?;
        loop {
            let ticket = Ticket::of(&record.id);
            let now = clock::now();
            let row = Row {
                id: ticket.public_id(),
                user: person.user.clone(),
                sealed: ticket.seal(record)?,
                user_agent: person.user_agent.clone(),
                address: person.address.clone(),
                created_at: now,
                used_at: now,
                expires_at: (record.expiry_date.unix_timestamp_nanos() / 1_000_000) as i64,
                ticket_hash: ticket.hash.clone(),
            };
            if self.db.insert_session(&row).await.map_err(backend)? {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let ticket = Ticket::of(&record.id);
        self.db
            .update_session_body(&ticket.hash, &ticket.seal(record)?)
            .await
            .map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let ticket = Ticket::of(id);
        let Some(row) = self.db.session_row(&ticket.hash).await.map_err(backend)? else {
            return Ok(None);
        };
        let now = clock::now();
        if self.is_over(&row, now) {
            self.db.delete_session(&ticket.hash).await.map_err(backend)?;
            return Ok(None);
        }
        if now - row.used_at > TOUCH.as_millis() as i64 {
            self.db.touch_session(&ticket.hash, now).await.map_err(backend)?;
        }
        Ok(Some(Record {
            id: *id,
            data: ticket.open(&row)?,
            expiry_date: date(row.expires_at)?,
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.db.delete_session(&Ticket::of(id).hash).await.map_err(backend)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

/// What the cookie's 128 bits give.
struct Ticket {
    hash: Vec<u8>,
    key: Key,
}

// === impl Ticket ===

impl Ticket {
    fn of(id: &Id) -> Self {
        let bytes = id.0.to_be_bytes();
        let hash = Sha256::new()
            .chain_update(b"flowdeck session")
            .chain_update(bytes)
            .finalize()
            .to_vec();
        Self {
            hash,
            key: Key::derive(&bytes, "flowdeck session body"),
        }
    }

    /// A name that gives nothing away.
    fn public_id(&self) -> String {
        hex(&Sha256::new()
            .chain_update(b"flowdeck session id")
            .chain_update(&self.hash)
            .finalize()[..8])
    }

    fn seal(&self, record: &Record) -> Result<Vec<u8>> {
        let body = serde_json::to_vec(&record.data).map_err(encode)?;
        Ok(self.key.seal(&self.hash, &body))
    }

    fn open<D: serde::de::DeserializeOwned>(&self, row: &Row) -> Result<D> {
        let body = self
            .key
            .open(&self.hash, &row.sealed)
            .map_err(|error| Error::Decode(error.to_string()))?;
        serde_json::from_slice(&body).map_err(|error| Error::Decode(error.to_string()))
    }
}

/// The name by which `/account` lists the session with this ticket.
pub fn public_id(id: &Id) -> String {
    Ticket::of(id).public_id()
}

/// Reads the cookie and writes it back. Sessions load only where somebody asks for them.
pub fn layer(store: Store, listen: &config::Listen, limits: &config::Session) -> Layer {
    let lifetime = time::Duration::try_from(limits.session_lifetime).unwrap_or(time::Duration::days(30));
    SessionManagerLayer::new(store)
        .with_name(cookie_name(listen))
        .with_path(listen.base_path.cookie_path().to_owned())
        .with_secure(listen.is_https())
        .with_http_only(true)
        // Lax and not Strict: a link from a chat or a mail should find its reader signed in.
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(lifetime))
}

/// The cookie without a ticket.
pub fn emptied_cookie(listen: &config::Listen) -> String {
    let secure = if listen.is_https() { "; Secure" } else { "" };
    format!(
        "{}=; HttpOnly; SameSite=Lax; Path={}; Max-Age=60{secure}",
        cookie_name(listen),
        listen.base_path.cookie_path()
    )
}

/// The prefixes make browsers refuse a cookie that another host or path tries to plant (RFC 6265bis §4.1.3).
pub fn cookie_name(listen: &config::Listen) -> &'static str {
    match (listen.is_https(), listen.base_path.as_str()) {
        (false, _) => "flowdeck",
        (true, "") => "__Host-flowdeck",
        (true, _) => "__Secure-flowdeck",
    }
}

/// The caller that this session stands for.
///
/// # Errors
/// When the database cannot be read.
pub async fn principal(session: &tower_sessions::Session) -> std::result::Result<Principal, tower_sessions::session::Error> {
    let person = session.get::<Person>(PERSON).await?;
    Ok(match (person, session.id()) {
        (Some(person), Some(id)) => Principal::Session(crate::principal::Session {
            user: person.user,
            id: public_id(&id),
        }),
        _ => Principal::Anonymous,
    })
}

fn date(ms: i64) -> Result<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).map_err(|error| Error::Decode(error.to_string()))
}

fn backend(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}

fn encode(error: serde_json::Error) -> Error {
    Error::Encode(error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};
    use tower_sessions::{SessionStore as _, session::Record};

    use super::{PERSON, Person, Store, date};
    use crate::{clock::tests::at, config, db::Db};

    const DAY: i64 = 86_400_000;

    /// Unused for three days, or thirty days old, a session is over, and stays so.
    #[tokio::test]
    async fn a_clock_that_jumps_ends_sessions_and_revives_none() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("state.db")).await.unwrap();
        let limits = config::Session::augment_args(clap::Command::new("flowdeck")).get_matches_from(["flowdeck"]);
        let store = Store::new(db, config::Session::from_arg_matches(&limits).unwrap());
        let person = Person {
            user: "alice".into(),
            user_agent: String::new(),
            address: String::new(),
            signed_in_at: 100 * DAY,
        };
        for (jump, lives) in [
            (DAY, true),
            (3 * DAY, false),
            (40 * DAY, false),
            (-DAY, true),
            (-100 * DAY, true),
            (-200 * DAY, true),
        ] {
            let mut record = Record {
                id: Default::default(),
                data: [(PERSON.to_owned(), serde_json::to_value(&person).unwrap())].into(),
                expiry_date: date(130 * DAY).unwrap(),
            };
            at(100 * DAY, store.create(&mut record)).await.unwrap();
            let there = at(100 * DAY + jump, store.load(&record.id)).await.unwrap();
            assert_eq!(there.is_some(), lives, "{jump}");
            let back = at(100 * DAY, store.load(&record.id)).await.unwrap();
            assert_eq!(back.is_some(), lives, "after {jump}");
        }
    }
}
