//! API keys: who a program is when it shows one, and how far the key lets it go.
//!
//! All keys are in memory, found by the hash of their text, so that checking one costs no query; the database is written first.

pub mod body;
pub mod rest;
mod row;
pub mod token;

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use self::token::{Hash, Token};
use crate::{
    clock,
    db::{Db, key::Row},
    proxy::table::Family,
    scope::{Scope, Scopes},
    vault::hex,
};

/// How often the last use of keys is written.
const WRITE_USE: Duration = Duration::from_secs(10);

/// What the owner of a key decides about it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Settings {
    pub name: String,
    #[schema(value_type = Vec<Scope>)]
    pub scopes: Scopes,
    /// Families of routes; empty is all.
    pub families: BTreeSet<Family>,
    /// Experiment ids. Empty, like `models`, is all; else a call has to be about one of these or of those.
    pub experiments: BTreeSet<String>,
    /// Names of registered models.
    pub models: BTreeSet<String>,
    /// Empty is everywhere.
    #[schema(value_type = Vec<String>)]
    pub allowed_networks: Vec<IpNet>,
    pub rate_per_second: Option<f64>,
    pub burst: Option<u32>,
    /// Ms since 1970.
    pub expires_at: Option<i64>,
    /// Nothing is refused for these settings' sake; what would have been is counted.
    pub shadow: bool,
}

/// Whether a key works, as its owner has set it. Expiry is a matter of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = KeyState)]
pub enum State {
    Active,
    Disabled,
    /// For good.
    Revoked,
}

/// One API key, as it is at this moment. Times are ms since 1970.
#[derive(Clone, Debug)]
pub struct Key {
    pub id: String,
    pub user: String,
    /// The first letters of its text.
    pub start: String,
    pub settings: Settings,
    pub state: State,
    pub created_at: i64,
    pub created_by: String,
    pub rotated_at: Option<i64>,
    /// So long the text before the last rotation works.
    pub previous_until: Option<i64>,
    pub usage: Arc<Usage>,
    /// Cancelled when the key is disabled, revoked, or rotated without grace: what it has begun ends then.
    pub ended: CancellationToken,
    hash: Hash,
    previous: Option<Hash>,
}

/// What a key has been used for; shared by all states of one key.
#[derive(Debug, Default)]
pub struct Usage {
    last: Mutex<Option<(i64, IpAddr)>>,
    would_refuse: AtomicI64,
    unwritten: AtomicBool,
}

/// Why a key is not taken. Only whoever holds the key learns what became of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("Flowdeck does not know this API key: check that it was copied whole, or make a new one under API keys in your account")]
    Unknown,
    #[error("this is no API key: a letter is wrong or missing; copy it whole, as it was shown when it was made")]
    Malformed,
    #[error("the API key \"{0}\" is disabled; it can be enabled under API keys in the account of its user")]
    Disabled(String),
    #[error("the API key \"{0}\" was revoked; make a new one under API keys in your account")]
    Revoked(String),
    #[error("the API key \"{0}\" has expired; give it a later date, or make a new one, under API keys in your account")]
    Expired(String),
    #[error("the API key \"{0}\" was rotated, and this is its old secret; use the new one")]
    Rotated(String),
}

/// A key that is not taken, and which one it was, where there is such a key.
#[derive(Debug, thiserror::Error)]
#[error("{refusal}")]
pub struct Refused {
    pub refusal: Refusal,
    pub key: Option<Arc<Key>>,
}

/// Every key of this Flowdeck. Cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    db: Db,
    index: RwLock<Index>,
    /// One change at a time: each starts from what the last one left.
    changing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Index {
    by_id: HashMap<String, Arc<Key>>,
    by_hash: HashMap<Hash, Arc<Key>>,
}

// === impl Keys ===

impl Keys {
    /// Reads all keys.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn load(db: Db) -> anyhow::Result<Self> {
        let mut index = Index::default();
        for row in db.api_keys().await.context("cannot read the API keys")? {
            let id = row.id.clone();
            index.put(Key::try_from(row).with_context(|| format!("the API key {id} cannot be read"))?);
        }
        Ok(Self(Arc::new(Inner {
            db,
            index: RwLock::new(index),
            changing: tokio::sync::Mutex::new(()),
        })))
    }

    /// The key of this text, if it works at this time (ms since 1970).
    ///
    /// # Errors
    /// Why not, in a sentence for whoever shows it.
    pub fn identify(&self, text: &str, now: i64) -> Result<Arc<Key>, Refused> {
        let hash = token::hash(text);
        let Some(key) = self.index(|index| index.by_hash.get(&hash).cloned()) else {
            let refusal = match Token::parse(text) {
                Ok(_) => Refusal::Unknown,
                Err(_) => Refusal::Malformed,
            };
            return Err(Refused { refusal, key: None });
        };
        match key.refusal(&hash, now) {
            None => Ok(key),
            Some(refusal) => Err(Refused { refusal, key: Some(key) }),
        }
    }

    pub fn get(&self, id: &str) -> Option<Arc<Key>> {
        self.index(|index| index.by_id.get(id).cloned())
    }

    /// Newest first.
    pub fn list(&self, chosen: impl Fn(&Key) -> bool) -> Vec<Arc<Key>> {
        let mut keys: Vec<_> = self.index(|index| index.by_id.values().filter(|key| chosen(key)).cloned().collect());
        keys.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        keys
    }

    /// A new key of `user`, and its text, which nobody can ever see again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn create(&self, user: &str, by: &str, settings: Settings) -> sqlx::Result<(Arc<Key>, Token)> {
        let token = Token::generate();
        let key = Key {
            id: hex(&rand::random::<[u8; 8]>()),
            user: user.to_owned(),
            start: token.start().to_owned(),
            settings,
            state: State::Active,
            created_at: clock::now(),
            created_by: by.to_owned(),
            rotated_at: None,
            previous_until: None,
            usage: Arc::default(),
            ended: CancellationToken::new(),
            hash: token.hash(),
            previous: None,
        };
        let _one = self.0.changing.lock().await;
        Ok((self.write(key).await?, token))
    }

    /// Changes a key; `None` where there is none.
    ///
    /// # Errors
    /// As `change`, and when the database cannot be written: then nothing has changed.
    pub async fn change<E: From<sqlx::Error>>(
        &self,
        id: &str,
        change: impl FnOnce(&mut Key) -> Result<(), E>,
    ) -> Result<Option<Arc<Key>>, E> {
        let _one = self.0.changing.lock().await;
        let Some(old) = self.get(id) else { return Ok(None) };
        let mut key = Key::clone(&old);
        change(&mut key)?;
        if key.state == State::Active && old.ended.is_cancelled() {
            key.ended = CancellationToken::new();
        }
        let key = self.write(key).await?;
        if key.state != State::Active {
            key.ended.cancel();
        }
        Ok(Some(key))
    }

    /// Ends all keys of `user` for good, and says how many there were to end.
    ///
    /// # Errors
    /// When the database cannot be written: then some may have ended.
    pub async fn revoke_all(&self, user: &str) -> sqlx::Result<usize> {
        let _one = self.0.changing.lock().await;
        let ending = self.list(|key| key.user == user && key.state != State::Revoked);
        for old in &ending {
            let mut key = Key::clone(old);
            key.state = State::Revoked;
            self.write(key).await?.ended.cancel();
        }
        Ok(ending.len())
    }

    /// Gives a key, as it was `seen`, a new text; `None` where it has another one by now, or is no more. The old one works for `grace` more;
    /// without grace, what it has begun ends.
    ///
    /// # Errors
    /// When the database cannot be written: then nothing has changed.
    pub async fn rotate(&self, seen: &Key, grace: Duration) -> sqlx::Result<Option<(Arc<Key>, Token)>> {
        let (token, now) = (Token::generate(), clock::now());
        let _one = self.0.changing.lock().await;
        let same = |key: &Arc<Key>| key.hash == seen.hash && key.state != State::Revoked;
        let Some(old) = self.get(&seen.id).filter(same) else {
            return Ok(None);
        };
        let mut key = Key::clone(&old);
        key.previous = Some(key.hash);
        // Not even `now`: a clock that goes back would let the old secret in once more.
        key.previous_until = (!grace.is_zero()).then(|| now + grace.as_millis() as i64);
        key.hash = token.hash();
        key.start = token.start().to_owned();
        key.rotated_at = Some(now);
        if grace.is_zero() {
            key.ended = CancellationToken::new();
        }
        let key = self.write(key).await?;
        if grace.is_zero() {
            old.ended.cancel();
        }
        Ok(Some((key, token)))
    }

    /// Forgets a key as if it had never been.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget(&self, id: &str) -> sqlx::Result<()> {
        let _one = self.0.changing.lock().await;
        self.0.db.delete_api_key(id).await?;
        let mut index = self.0.index.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = index.by_id.remove(id) {
            index.by_hash.retain(|_, other| other.id != id);
            key.ended.cancel();
        }
        Ok(())
    }

    /// Writes down the use of keys, for ever and ever; to be spawned.
    pub async fn keep_use(self) {
        let mut every = tokio::time::interval(WRITE_USE);
        loop {
            every.tick().await;
            self.write_use().await;
        }
    }

    /// Writes down what keys were used for since the last time.
    pub async fn write_use(&self) {
        let used = self.list(|key| key.usage.unwritten.swap(false, Ordering::Relaxed));
        for key in used {
            let last = key.usage.last();
            let address = last.map(|(_, address)| address.to_string());
            let would_refuse = key.usage.would_refuse();
            let (at, address) = (last.map(|(at, _)| at), address.as_deref());
            if let Err(error) = self.0.db.put_api_key_use(&key.id, at, address, would_refuse).await {
                key.usage.unwritten.store(true, Ordering::Relaxed);
                tracing::warn!("cannot write when API keys were used: {error}");
            }
        }
    }

    async fn write(&self, key: Key) -> sqlx::Result<Arc<Key>> {
        self.0.db.put_api_key(&Row::from(&key)).await?;
        let mut index = self.0.index.write().unwrap_or_else(PoisonError::into_inner);
        index.by_hash.retain(|_, other| other.id != key.id);
        Ok(index.put(key))
    }

    fn index<T>(&self, look: impl FnOnce(&Index) -> T) -> T {
        look(&self.0.index.read().unwrap_or_else(PoisonError::into_inner))
    }
}

// === impl Index ===

impl Index {
    fn put(&mut self, key: Key) -> Arc<Key> {
        let key = Arc::new(key);
        self.by_hash.extend(key.previous.map(|hash| (hash, key.clone())));
        self.by_hash.insert(key.hash, key.clone());
        self.by_id.insert(key.id.clone(), key.clone());
        key
    }
}

// === impl Key ===

impl Key {
    pub fn is_expired(&self, now: i64) -> bool {
        self.settings.expires_at.is_some_and(|at| now >= at)
    }

    /// Why the text with this hash, which is this key's or was, is not taken now.
    fn refusal(&self, hash: &Hash, now: i64) -> Option<Refusal> {
        let name = || self.settings.name.clone();
        match self.state {
            State::Revoked => Some(Refusal::Revoked(name())),
            State::Disabled => Some(Refusal::Disabled(name())),
            State::Active if self.is_expired(now) => Some(Refusal::Expired(name())),
            State::Active if self.hash != *hash && self.previous_until.is_none_or(|until| now >= until) => Some(Refusal::Rotated(name())),
            State::Active => None,
        }
    }

    /// Whether it can be used now, or may yet be.
    pub fn is_live(&self, now: i64) -> bool {
        self.state != State::Revoked && !self.is_expired(now)
    }

    pub fn is_narrowed(&self) -> bool {
        !self.settings.experiments.is_empty() || !self.settings.models.is_empty()
    }

    pub fn allows(&self, address: IpAddr) -> bool {
        let networks = &self.settings.allowed_networks;
        networks.is_empty() || networks.iter().any(|network| network.contains(&address))
    }
}

// === impl Usage ===

impl Usage {
    pub fn used(&self, now: i64, address: IpAddr) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, address));
        self.unwritten.store(true, Ordering::Relaxed);
    }

    pub fn count_would_refuse(&self) {
        self.would_refuse.fetch_add(1, Ordering::Relaxed);
        self.unwritten.store(true, Ordering::Relaxed);
    }

    /// When (ms since 1970) and from where.
    pub fn last(&self) -> Option<(i64, IpAddr)> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn would_refuse(&self) -> i64 {
        self.would_refuse.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::{Key, Keys, Refusal, Refused, Settings, State};
    use crate::{
        clock,
        db::Db,
        scope::{Scope, Scopes},
    };

    pub(super) fn settings(name: &str) -> Settings {
        Settings {
            name: name.into(),
            scopes: Scopes::from_iter([Scope::Read]),
            families: [crate::proxy::table::Family::Runs].into(),
            experiments: ["7".to_owned()].into(),
            models: Default::default(),
            allowed_networks: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
            rate_per_second: Some(0.5),
            burst: Some(3),
            expires_at: None,
            shadow: true,
        }
    }

    async fn db() -> (Db, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (Db::open(&folder.path().join("state.db")).await.unwrap(), folder)
    }

    fn to(state: State) -> impl FnOnce(&mut Key) -> sqlx::Result<()> {
        move |key| {
            key.state = state;
            Ok(())
        }
    }

    fn seen(found: Result<Arc<Key>, Refused>) -> Result<String, Refusal> {
        found.map(|key| key.id.clone()).map_err(|refused| refused.refusal)
    }

    #[tokio::test]
    async fn a_key_and_its_use_outlive_a_restart() {
        let (db, _folder) = db().await;
        let keys = Keys::load(db.clone()).await.unwrap();
        let (made, token) = keys.create("alice", "root", settings("laptop")).await.unwrap();
        made.usage.used(5, "10.1.2.3".parse().unwrap());
        made.usage.count_would_refuse();
        keys.write_use().await;

        let again = Keys::load(db).await.unwrap();
        let key = again.identify(token.expose(), clock::now()).unwrap();
        assert_eq!((&key.id, key.user.as_str(), key.created_by.as_str()), (&made.id, "alice", "root"));
        assert_eq!(key.settings, settings("laptop"));
        assert_eq!(key.usage.last(), Some((5, "10.1.2.3".parse().unwrap())));
        assert_eq!(key.usage.would_refuse(), 1);
        assert!(key.allows("10.9.9.9".parse().unwrap()) && key.allows("2001:db8::1".parse().unwrap()));
        assert!(!key.allows("11.0.0.1".parse().unwrap()));
    }

    #[tokio::test]
    async fn a_disabled_key_comes_back_and_a_revoked_one_does_not_work() {
        let (db, _folder) = db().await;
        let keys = Keys::load(db).await.unwrap();
        let (made, token) = keys.create("alice", "alice", settings("laptop")).await.unwrap();
        let set = |state| keys.change(&made.id, to(state));
        set(State::Disabled).await.unwrap();
        assert!(made.ended.is_cancelled());
        assert_eq!(seen(keys.identify(token.expose(), 0)), Err(Refusal::Disabled("laptop".into())));
        let enabled = set(State::Active).await.unwrap().unwrap();
        assert!(!enabled.ended.is_cancelled());
        assert_eq!(seen(keys.identify(token.expose(), 0)), Ok(made.id.clone()));
        set(State::Revoked).await.unwrap();
        assert_eq!(seen(keys.identify(token.expose(), 0)), Err(Refusal::Revoked("laptop".into())));
        keys.forget(&made.id).await.unwrap();
        assert_eq!(seen(keys.identify(token.expose(), 0)), Err(Refusal::Unknown));
    }

    #[tokio::test]
    async fn a_key_expires_at_its_time() {
        let (db, _folder) = db().await;
        let keys = Keys::load(db).await.unwrap();
        let expires_at = Some(1_000);
        let (made, token) = keys
            .create(
                "alice",
                "alice",
                Settings {
                    expires_at,
                    ..settings("laptop")
                },
            )
            .await
            .unwrap();
        assert_eq!(seen(keys.identify(token.expose(), 999)), Ok(made.id.clone()));
        assert_eq!(seen(keys.identify(token.expose(), 1_000)), Err(Refusal::Expired("laptop".into())));
    }

    /// What a key may do depends on the time of the call alone: a jump leaves nothing behind.
    #[tokio::test]
    async fn a_clock_that_jumps_leaves_nothing_behind_in_a_key() {
        let (db, _folder) = db().await;
        let keys = Keys::load(db).await.unwrap();
        let mut wanted = settings("laptop");
        wanted.expires_at = Some(1_000);
        let (made, token) = clock::tests::at(500, keys.create("alice", "alice", wanted)).await.unwrap();
        for (now, works) in [
            (900, true),
            (i64::MAX, false),
            (900, true),
            (0, true),
            (-1, true),
            (i64::MIN, true),
            (1_000, false),
        ] {
            assert_eq!(keys.identify(token.expose(), now).is_ok(), works, "{now}");
        }
        let rotation = clock::tests::at(900, keys.rotate(&made, Duration::from_secs(60)));
        let (rotated, new) = rotation.await.unwrap().unwrap();
        for now in [i64::MIN, 0, 500, 1_000, i64::MAX] {
            assert_eq!(keys.identify(token.expose(), now).is_ok(), now < 1_000, "the old secret, {now}");
            assert_eq!(keys.identify(new.expose(), now).is_ok(), now < 1_000, "the new secret, {now}");
        }
        let rotation = clock::tests::at(950, keys.rotate(&rotated, Duration::ZERO));
        let (_, newest) = rotation.await.unwrap().unwrap();
        for now in [0, 500, 949, 950] {
            let rotated = keys.identify(new.expose(), now).is_err();
            assert!(
                rotated && keys.identify(newest.expose(), now).is_ok(),
                "what was rotated at once is over at once, {now}"
            );
        }
        keys.change(&made.id, to(State::Revoked)).await.unwrap();
        for now in [i64::MIN, 0, 500] {
            assert!(keys.identify(newest.expose(), now).is_err(), "a revoked key stays revoked, {now}");
        }
    }

    #[tokio::test]
    async fn both_secrets_work_for_the_grace_of_a_rotation() {
        let (db, _folder) = db().await;
        let keys = Keys::load(db.clone()).await.unwrap();
        let (made, old) = keys.create("alice", "alice", settings("laptop")).await.unwrap();
        let (rotated, new) = keys.rotate(&made, Duration::from_secs(60)).await.unwrap().unwrap();
        // Who has seen it before would end the grace.
        assert!(keys.rotate(&made, Duration::ZERO).await.unwrap().is_none());
        assert!(!made.ended.is_cancelled());
        let until = rotated.previous_until.unwrap();
        for keys in [&keys, &Keys::load(db).await.unwrap()] {
            assert_eq!(seen(keys.identify(old.expose(), until - 1)), Ok(made.id.clone()));
            assert_eq!(seen(keys.identify(old.expose(), until)), Err(Refusal::Rotated("laptop".into())));
            assert_eq!(seen(keys.identify(new.expose(), until)), Ok(made.id.clone()));
        }
        let (_, newest) = keys.rotate(&rotated, Duration::ZERO).await.unwrap().unwrap();
        assert!(made.ended.is_cancelled());
        assert_eq!(seen(keys.identify(old.expose(), 0)), Err(Refusal::Unknown));
        assert_eq!(
            seen(keys.identify(new.expose(), clock::now() + 1)),
            Err(Refusal::Rotated("laptop".into()))
        );
        assert_eq!(seen(keys.identify(newest.expose(), 0)), Ok(made.id.clone()));
        let revoked = keys.change(&made.id, to(State::Revoked)).await.unwrap().unwrap();
        assert!(keys.rotate(&revoked, Duration::ZERO).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_is_no_key_is_told_from_one_that_nobody_knows() {
        let (db, _folder) = db().await;
        let keys = Keys::load(db).await.unwrap();
        let token = super::Token::generate();
        assert_eq!(seen(keys.identify(token.expose(), 0)), Err(Refusal::Unknown));
        for text in ["", "fd_", "hello", &token.expose()[1..], &format!("{} ", token.expose())] {
            assert_eq!(seen(keys.identify(text, 0)), Err(Refusal::Malformed), "{text}");
        }
    }
}
