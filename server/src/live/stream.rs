//! What one person hears, under their own permission.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::{
    sync::{broadcast, watch},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{Membership, feed::Cursor};
use crate::{
    caller, clock,
    error::{Error, Result},
    mlflow::{self, NotTold, run},
    principal::Principal,
    session::Store,
    state::State,
};

/// The events of one person, one after the other.
pub struct Stream {
    membership: Membership,
    principal: Principal,
    news: watch::Receiver<()>,
    doubts: broadcast::Receiver<Arc<str>>,
    at: Cursor,
    ready: VecDeque<Bytes>,
    /// MLflow has said lately that this person may read the experiment's runs. Not before there was one to ask about, nor when it did not
    /// answer: then nothing is told of runs before it has.
    is_permitted: bool,
    /// Was told that MLflow does not answer.
    is_away: bool,
    check_at: Instant,
    beat_at: Instant,
    /// Flowdeck is stopping.
    stopping: CancellationToken,
    is_over: bool,
}

/// Why a stream ends, in a word and a sentence.
pub struct End(&'static str, String);

enum Woken {
    News,
    Check,
    Beat,
    KeyEnded,
    Stopping,
}

// === impl Stream ===

impl Stream {
    /// From `since`, where it is told, or from now.
    ///
    /// # Errors
    /// 403 where MLflow does not let the caller read the runs of an experiment that they may read; 401, 502.
    pub async fn begin(membership: Membership, principal: Principal, since: Option<Cursor>, stopping: CancellationToken) -> Result<Self> {
        let mut news = membership.watch.news();
        let pace = membership.watch.pace();
        let unready = || Error::Upstream("MLflow does not answer at the moment".into());
        let first = async { while !membership.watch.is_ready() && news.changed().await.is_ok() {} };
        // A look may have to wait for one that MLflow takes long for.
        tokio::time::timeout(pace.check, first).await.map_err(|_| unready())?;
        let now = membership.watch.with_feed(super::feed::Feed::cursor);
        let mut stream = Self {
            doubts: membership.state.live.doubts.subscribe(),
            at: since.unwrap_or(now),
            ready: VecDeque::new(),
            is_permitted: false,
            is_away: false,
            check_at: Instant::now() + pace.check,
            beat_at: Instant::now() + pace.beat,
            is_over: false,
            membership,
            principal,
            news,
            stopping,
        };
        match stream.is_permitted().await {
            Ok(true) => {}
            Ok(false) => return Err(Error::Forbidden("MLflow does not let you read the runs of this experiment".into())),
            Err(error) => return Err(caller::not_told(&stream.principal, &error)),
        }
        let hello = event("hello", &json!({ "cursor": stream.at.to_string() }), Some(stream.at));
        stream.ready.push_back(Bytes::from(format!("retry: 3000\n{hello}")));
        Ok(stream)
    }

    /// What to send next; `None` at the end.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.beat_at = Instant::now() + self.membership.watch.pace().beat;
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            if let Err(End(reason, message)) = self.listen().await {
                self.is_over = true;
                let data = json!({ "reason": reason, "message": message });
                self.ready.push_back(event("end", &data, None).into());
            }
        }
    }

    /// Waits for something to send, or to do.
    async fn listen(&mut self) -> Result<(), End> {
        self.news.mark_unchanged();
        let is_away = self.membership.watch.is_away();
        if std::mem::replace(&mut self.is_away, is_away) != is_away {
            let name = if is_away { "away" } else { "back" };
            self.ready.push_back(event(name, &json!({}), None).into());
            return Ok(());
        }
        let waiting = self.membership.watch.with_feed(|feed| match feed.after(self.at) {
            Some((events, end)) => (events, end),
            None => {
                let now = feed.cursor();
                (vec![event("reset", &json!({}), Some(now)).into()], now)
            }
        });
        let (events, end) = waiting;
        if !events.is_empty() {
            if !self.is_permitted {
                self.check().await?;
            }
            if self.is_permitted {
                self.at = end;
                self.ready.extend(events);
                return Ok(());
            }
        }
        match self.woken().await {
            Woken::News => {}
            Woken::Check => self.check().await?,
            Woken::Beat => self.ready.push_back(Bytes::from_static(b": still here\n\n")),
            Woken::KeyEnded => return Err(End("key", "this API key was disabled, revoked or rotated".into())),
            Woken::Stopping => return Err(End("stopping", "Flowdeck is stopping: try again in a moment".into())),
        }
        Ok(())
    }

    async fn woken(&mut self) -> Woken {
        let key = match &self.principal {
            Principal::Key(key) => Some(key.ended.clone()),
            _ => None,
        };
        let key_ended = async {
            match key {
                Some(ended) => ended.cancelled_owned().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Woken::Stopping,
            () = key_ended => Woken::KeyEnded,
            () = doubted(&mut self.doubts, &self.membership.user) => Woken::Check,
            () = sleep_until(self.check_at) => Woken::Check,
            () = sleep_until(self.beat_at) => Woken::Beat,
            // What waits for a permission that MLflow does not tell at the moment is no news.
            Ok(()) = self.news.changed() => Woken::News,
        }
    }

    /// Whether this person is still who they were, and may still read.
    async fn check(&mut self) -> Result<(), End> {
        let pace = self.membership.watch.pace();
        self.check_at = Instant::now() + pace.check;
        is_signed_in(&self.membership.state, &self.principal).await?;
        match self.is_permitted().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(End(
                "refused",
                "MLflow does not let you read the runs of this experiment any more".into(),
            )),
            Err(NotTold::Unauthenticated) => Err(End("credentials", caller::refused(&self.principal).into())),
            Err(NotTold::Fault(_)) => {
                self.is_permitted = false;
                self.check_at = Instant::now() + pace.check / 6;
                Ok(())
            }
        }
    }

    /// Whether MLflow lets this person read the runs. There is a permission for runs besides the one for experiments, of which only a
    /// run can tell: where there is none yet, this is not settled.
    async fn is_permitted(&mut self) -> Result<bool, NotTold> {
        let Membership { state, watch, .. } = &self.membership;
        let Ok(authorization) = caller::authorization(state, &self.principal).await else {
            return Err(NotTold::Unauthenticated);
        };
        let Some(sample) = watch.sample() else {
            let found = mlflow::experiment(&state.upstream, &authorization, watch.experiment()).await?;
            return Ok(found.is_some());
        };
        self.is_permitted = run::may_read(&state.upstream, &authorization, watch.experiment(), &sample).await?;
        Ok(self.is_permitted)
    }
}

/// Waits until somebody doubts that this user may still watch.
async fn doubted(doubts: &mut broadcast::Receiver<Arc<str>>, user: &str) {
    loop {
        match doubts.recv().await {
            Ok(name) if *name != *user => {}
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Whether the session or the key that somebody came with is still good; MLflow knows of passwords.
pub async fn is_signed_in(state: &State, principal: &Principal) -> Result<(), End> {
    match principal {
        Principal::Session(session) => {
            let store = Store::new(state.db.clone(), state.config.session.clone());
            let sessions = store.of(&session.user).await.unwrap_or_else(|error| {
                tracing::error!("cannot read sessions: {error}");
                Vec::new()
            });
            match sessions.iter().any(|row| row.id == session.id) {
                true => Ok(()),
                false => Err(End("session", "your session has ended: sign in again".into())),
            }
        }
        Principal::Key(key) => match state.keys.get(&key.id).is_some_and(|key| key.is_live(clock::now())) {
            true => Ok(()),
            false => Err(End("key", "this API key has expired".into())),
        },
        Principal::Basic(_) | Principal::Anonymous => Ok(()),
    }
}

fn event(name: &str, data: &Value, id: Option<Cursor>) -> String {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("{id}event: {name}\ndata: {data}\n\n")
}
