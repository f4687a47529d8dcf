//! How much anybody gets: calls per second, calls at the same time, and wrong guesses.
//!
//! Programs and browser sessions of a user are counted apart, so that a runaway script cannot starve the console. Nobody's name is
//! charged with what a stranger does in it: until MLflow has taken a password, its calls are charged to the address they come from.

pub mod guess;
pub mod known;
pub mod rate;
pub mod share;
pub mod sign_in;

use std::{
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::Response,
};

use self::{
    guess::Guesses,
    known::Known,
    rate::{Charge, Rates},
    share::{Lasting, Place, Shares},
};
pub use self::{rate::Quota, sign_in::SignIns};
use crate::{
    audit::Note,
    config,
    error::{Error, Result, WrongCredentials},
    key::Key,
    principal::Principal,
    state,
};

/// What is counted, and how much of it is allowed.
pub struct Limits {
    pub sign_ins: SignIns,
    guesses: Guesses,
    known: Known,
    rates: Rates,
    shares: Arc<Shares>,
    config: RwLock<config::Limit>,
}

/// Whom a call is charged to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// One API key that has a limit of its own, by its id.
    Key(String),
    /// All programs of a user: HTTP Basic and API keys.
    Programs(String),
    /// All browser sessions of a user.
    Sessions(String),
    /// Whoever calls from this network without credentials, or with such that MLflow has not taken yet.
    Strangers(IpAddr),
}

/// Who calls, as far as limits go.
#[derive(Clone, Debug)]
pub struct Who {
    pub party: Party,
    /// With a limit of its own, perhaps, and perhaps in shadow mode.
    pub key: Option<Arc<Key>>,
}

/// Marks a call that a page makes while it is rendered: pages are not counted, nor what they are made of.
#[derive(Clone, Copy, Debug)]
pub struct OfPage;

/// Calls of one network without known credentials that may be open at the same time: each may cost MLflow several slow password checks.
const STRANGERS: usize = 8;
/// No pause between guesses is longer.
const LONGEST: Duration = Duration::from_secs(60);

/// Nobody waits for longer before a program that says nothing.
const IN_SILENCE: Duration = Duration::from_secs(10);

/// Whether MLflow's own client calls. It tries each 429 again after the pause that it is told, without a word, and in the end shows nothing
/// of the answer.
pub fn is_silent(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).map(|agent| agent.as_bytes());
    agent.is_some_and(|agent| agent.starts_with(b"mlflow-python-client/"))
}

/// The answer to a client that [`is_silent`]: of a long pause it is told with a status at which it stops and shows the sentence.
pub fn in_words(mut response: Response) -> Response {
    let pause = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|pause| pause.to_str().ok()?.parse().ok());
    if response.status() == StatusCode::TOO_MANY_REQUESTS && pause.is_some_and(|pause| Duration::from_secs(pause) > IN_SILENCE) {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    response
}

/// A call that may go on, from its arrival to the end of its answer.
pub struct Pass {
    charge: Charge,
    /// `None` where a key in shadow mode has more calls open than it may.
    place: Option<Place>,
}

/// Lets a call pass where its caller has not had too much.
///
/// # Errors
/// What to answer to one too many.
pub async fn admit(state: &state::State, principal: &Principal, note: &Note, address: IpAddr) -> Result<Pass, Box<Response>> {
    let limits = &state.limits;
    let who = limits.who(principal, address, Instant::now());
    let refuses = |party: &Party, error: &Error| {
        state.metrics.limited(party.name());
        match &who.key {
            Some(key) if key.settings.shadow => {
                key.usage.count_would_refuse();
                note.would_refuse(error.to_string());
                false
            }
            _ => true,
        }
    };

    let charge = limits.charge(&who, Instant::now());
    if let Some((error, party)) = charge.excess(&limits.config())
        && refuses(party, &error)
    {
        return Err(Box::new(charge.refuse(error)));
    }
    let place = limits.shares.enter(&who.party, limits.size(&who.party)).await;
    let why = || format!("{} as many calls open as are allowed at the same time", who.party.have());
    let crowded = place.is_none().then(|| Error::TooMany { why: why(), seconds: 1 });
    if let Some(error) = crowded.filter(|error| refuses(&who.party, error)) {
        return Err(Box::new(charge.refuse(error)));
    }
    if let Err(error) = limits.may_guess(principal, &who, address) {
        state.metrics.limited("guesses");
        return Err(Box::new(charge.refuse(error)));
    }
    if who.key.as_ref().is_none_or(|key| !key.settings.shadow) {
        // Whoever is held keeps the place: a script cannot have more calls held than open.
        charge.due().await;
    }
    Ok(Pass { charge, place })
}

// === impl Pass ===

impl Pass {
    /// The call goes on until all of its answer has gone.
    pub fn until_end(self, limits: &Limits, principal: &Principal, address: IpAddr, mut response: Response) -> Response {
        limits.learn(principal, &response, address);
        self.charge.show(response.headers_mut());
        match self.place {
            Some(place) if response.extensions().get::<Lasting>().is_none() => place.until_end(response),
            _ => response,
        }
    }
}

// === impl Limits ===

impl Limits {
    pub fn new(config: config::Limit) -> Self {
        Self {
            sign_ins: SignIns::default(),
            guesses: Guesses::default(),
            known: Known::default(),
            rates: Rates::default(),
            shares: Arc::default(),
            config: RwLock::new(config),
        }
    }

    /// What holds at the moment.
    pub fn config(&self) -> config::Limit {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Holds from now on.
    pub fn set_config(&self, config: config::Limit) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// For a key without a quota of its own, `None`: the user's holds for it. A rate without a burst lets one second's calls come at once.
    fn quota(&self, rate: Option<f64>, burst: Option<u32>) -> Option<Quota> {
        match (rate, burst) {
            (None, None) => None,
            (rate, Some(burst)) => Some(Quota::new(rate.unwrap_or(self.config().user_rate), burst)),
            (Some(rate), None) => Some(Quota::new(rate, rate.ceil() as u32)),
        }
    }

    /// Before credentials from this address are checked that are not known.
    ///
    /// # Errors
    /// 429 for an address from which too many wrong ones have come.
    pub fn may_try(&self, address: IpAddr) -> Result<()> {
        match self.guesses.wait(address, Instant::now()) {
            None => Ok(()),
            Some(wait) => Err(Error::TooMany {
                why: "too many wrong passwords or API keys came from your address: correct what your programs send".into(),
                seconds: seconds(wait),
            }),
        }
    }

    /// The credentials were wrong. `user` is whom they named, if anybody.
    pub fn guessed(&self, address: IpAddr, user: Option<&str>) {
        self.guesses.failed(address, user, Instant::now());
    }

    fn who(&self, principal: &Principal, address: IpAddr, now: Instant) -> Who {
        let party = match principal {
            Principal::Session(session) => Party::Sessions(session.user.clone()),
            Principal::Basic(basic) if self.known.holds(&basic.authorization, now) => Party::Programs(basic.user.clone()),
            Principal::Basic(_) | Principal::Anonymous => Party::Strangers(network(address)),
            Principal::Key(key) => Party::Programs(key.user.clone()),
        };
        let key = match principal {
            Principal::Key(key) => Some(key.clone()),
            _ => None,
        };
        Who { party, key }
    }

    fn charge(&self, who: &Who, now: Instant) -> Charge {
        let own = who.key.as_ref().and_then(|key| {
            Some((
                Party::Key(key.id.clone()),
                self.quota(key.settings.rate_per_second, key.settings.burst)?,
            ))
        });
        let config = self.config();
        let users = Quota::new(config.user_rate, config.user_burst.get());
        self.rates.take(own, (who.party.clone(), users), now)
    }

    fn size(&self, party: &Party) -> usize {
        match party {
            Party::Strangers(_) => STRANGERS,
            _ => self.config().user_calls.get() as usize,
        }
    }

    /// Asked when the call has its place: of many guesses at once, those that wait in line see the failures of the first.
    fn may_guess(&self, principal: &Principal, who: &Who, address: IpAddr) -> Result<()> {
        match (principal, &who.party) {
            (Principal::Basic(_), Party::Strangers(_)) => self.may_try(address),
            _ => Ok(()),
        }
    }

    fn learn(&self, principal: &Principal, response: &Response, address: IpAddr) {
        let Principal::Basic(basic) = principal else { return };
        if response.extensions().get::<WrongCredentials>().is_some() {
            self.known.forget(&basic.authorization);
            self.guessed(address, Some(&basic.user));
        } else if response.status().is_success() && self.known.learn(&basic.authorization, Instant::now()) {
            self.guesses.forgive(address, &basic.user);
        }
    }
}

// === impl Party ===

impl Party {
    /// Whose a call is that MLflow is asked for.
    pub fn of(principal: &Principal) -> Self {
        let user = principal.user().unwrap_or_default().to_owned();
        match principal {
            Principal::Session(_) => Self::Sessions(user),
            Principal::Basic(_) | Principal::Key(_) | Principal::Anonymous => Self::Programs(user),
        }
    }

    /// The name of its policy in the `RateLimit` fields, and in the metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Programs(_) => "user",
            Self::Sessions(_) => "session",
            Self::Strangers(_) => "address",
        }
    }

    fn have(&self) -> &'static str {
        match self {
            Self::Key(_) => "this API key has",
            Self::Programs(_) => "your programs have",
            Self::Sessions(_) => "your browser sessions have",
            Self::Strangers(_) => "programs at your address that have not shown a right password yet have",
        }
    }
}

/// 1 s, 2 s, 4 s … after the failures that are free.
fn wait(count: u32, free: u32, last: Instant, now: Instant) -> Option<Duration> {
    let power = count.checked_sub(free + 1)?;
    let pause = Duration::from_secs(1 << power.min(16)).min(LONGEST);
    (last + pause).checked_duration_since(now).filter(|left| !left.is_zero())
}

/// One household has a whole IPv6 /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::from((u128::from(v6) & (u128::MAX << 64)).to_be_bytes()),
    }
}

/// Whole seconds for `Retry-After`, never too few.
fn seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}
