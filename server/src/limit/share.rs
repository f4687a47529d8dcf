//! Calls at the same time: whoever has all of a share open waits in line, and everybody else does not notice.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Party;

/// So long a call waits in line for one of its own kind to end.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Shares {
    lines: Mutex<HashMap<Party, Line>>,
    patience: Duration,
}

/// Marks an answer that goes on for as long as its caller listens, and has a bound of its own: it takes nobody's place.
#[derive(Clone, Copy, Debug)]
pub struct Lasting;

/// One call, from its arrival until it is dropped.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    _visit: Visit,
}

/// Those who have a place, and those who wait for one.
struct Line {
    gate: Arc<Semaphore>,
    people: usize,
}

/// Keeps a line from being forgotten.
struct Visit {
    shares: Arc<Shares>,
    party: Party,
}

/// An answer's body that keeps the call's place until all of it has gone.
struct Placed {
    body: Body,
    _place: Place,
}

// === impl Shares ===

impl Default for Shares {
    fn default() -> Self {
        Self {
            lines: Mutex::default(),
            patience: PATIENCE,
        }
    }
}

impl Shares {
    /// Waits for one of the `size` places of a party; `None` where none becomes free in time.
    pub async fn enter(self: &Arc<Self>, party: &Party, size: usize) -> Option<Place> {
        let (gate, visit) = self.visit(party, size);
        let permit = match gate.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => tokio::time::timeout(self.patience, gate.acquire_owned()).await.ok()?.ok()?,
        };
        Some(Place {
            _permit: permit,
            _visit: visit,
        })
    }

    /// Waits as long as it takes; `None` only where the line was closed, which never happens.
    pub async fn wait(self: &Arc<Self>, party: &Party, size: usize) -> Option<Place> {
        let (gate, visit) = self.visit(party, size);
        let permit = gate.acquire_owned().await.ok()?;
        Some(Place {
            _permit: permit,
            _visit: visit,
        })
    }

    fn visit(self: &Arc<Self>, party: &Party, size: usize) -> (Arc<Semaphore>, Visit) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry(party.clone()).or_insert_with(|| Line {
            gate: Arc::new(Semaphore::new(size)),
            people: 0,
        });
        line.people += 1;
        let visit = Visit {
            shares: Arc::clone(self),
            party: party.clone(),
        };
        (line.gate.clone(), visit)
    }
}

// === impl Visit ===

impl Drop for Visit {
    fn drop(&mut self) {
        let mut lines = self.shares.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get_mut(&self.party) {
            line.people -= 1;
            if line.people == 0 {
                lines.remove(&self.party);
            }
        }
    }
}

// === impl Place ===

impl Place {
    /// A download that is still on its way is still a call.
    pub fn until_end(self, response: Response) -> Response {
        response.map(|body| Body::new(Placed { body, _place: self }))
    }
}

// === impl Placed ===

impl http_body::Body for Placed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        std::pin::Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };

    use axum::{body::Body, response::Response};
    use http_body_util::BodyExt as _;

    use super::Shares;
    use crate::limit::Party;

    fn shares() -> Arc<Shares> {
        Arc::new(Shares {
            lines: Mutex::default(),
            patience: Duration::from_millis(100),
        })
    }

    fn alice() -> Party {
        Party::Programs("alice".into())
    }

    #[tokio::test]
    async fn a_full_share_is_waited_for_and_then_refused() {
        let shares = shares();
        let _first = shares.enter(&alice(), 2).await.unwrap();
        let _second = shares.enter(&alice(), 2).await.unwrap();
        assert!(shares.enter(&alice(), 2).await.is_none());
        assert!(shares.enter(&Party::Sessions("alice".into()), 2).await.is_some());
        assert!(shares.enter(&Party::Programs("bob".into()), 2).await.is_some());
    }

    #[tokio::test]
    async fn who_waits_gets_the_place_of_the_first_that_ends() {
        let shares = Arc::new(Shares::default());
        let first = shares.enter(&alice(), 1).await.unwrap();
        let (party, waits) = (alice(), shares.clone());
        let waiting = tokio::spawn(async move { waits.enter(&party, 1).await.is_some() });
        while shares.lines.lock().unwrap()[&alice()].people < 2 {
            tokio::task::yield_now().await;
        }
        drop(first);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn an_answer_keeps_its_place_to_its_end() {
        let shares = shares();
        let place = shares.enter(&alice(), 1).await.unwrap();
        let response = place.until_end(Response::new(Body::from("all of it")));
        assert!(shares.enter(&alice(), 1).await.is_none());
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "all of it");
        assert!(shares.enter(&alice(), 1).await.is_some());
    }

    #[tokio::test]
    async fn parties_without_calls_are_forgotten() {
        let shares = shares();
        let place = shares.enter(&alice(), 1).await.unwrap();
        assert!(shares.enter(&alice(), 1).await.is_none());
        assert_eq!(shares.lines.lock().unwrap().len(), 1);
        drop(place);
        assert!(shares.lines.lock().unwrap().is_empty());
    }
}
