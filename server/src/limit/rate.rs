//! Calls per second, by the generic cell rate algorithm (ITU-T I.371).
//!
//! What is kept of a party is the moment at which it will have its whole burst again. A moment that has passed says nothing, so the
//! entry can go: memory is bounded by what came within the last burst, not by how many names there are.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{IntoResponse as _, Response},
};
use tokio::time::sleep_until;

use super::{Party, seconds};
use crate::{config, error::Error};

/// draft-ietf-httpapi-ratelimit-headers-10: each policy's quota (`q`) and the seconds in which it comes back (`w`).
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The same draft: what is left (`r`), and the seconds until all of it is back (`t`).
const STANDING: HeaderName = HeaderName::from_static("ratelimit");

/// So long a call that comes too early is held instead of refused: a client that is told to come back would wait in silence as well.
const HELD: Duration = Duration::from_secs(1);
const SLOWEST: f64 = 1.0 / 3600.0;
const FASTEST: f64 = 1e6;
/// Fewer entries are not worth a sweep.
const FEW: usize = 1024;

/// How fast a party may call, and how many calls may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    interval: Duration,
    burst: u32,
}

pub struct Rates {
    cells: Mutex<Cells>,
    /// The longest pause that a call makes here.
    held: Duration,
}

/// What one call has cost those who pay for it, or why they cannot.
#[derive(Debug)]
pub struct Charge {
    standings: Vec<Standing>,
    /// The first party that has nothing left.
    excess: Option<usize>,
    /// When the call may go on, where that is soon.
    due: Option<Instant>,
}

#[derive(Debug)]
struct Standing {
    party: Party,
    quota: Quota,
    remaining: u32,
    /// Until the whole burst is back.
    full_in: Duration,
    /// Until there is room for this call.
    wait: Duration,
}

#[derive(Default)]
struct Cells {
    full_at: HashMap<Party, Instant>,
    /// At so many entries, those that say nothing any more are thrown out.
    sweep_at: usize,
}

// === impl Quota ===

impl Quota {
    /// `rate` is calls per second, between one an hour and a million a second; a burst is at least one call.
    pub fn new(rate: f64, burst: u32) -> Self {
        let rate = if rate.is_finite() { rate.clamp(SLOWEST, FASTEST) } else { SLOWEST };
        Self {
            interval: Duration::from_secs_f64(1.0 / rate),
            burst: burst.max(1),
        }
    }

    fn whole(self) -> Duration {
        self.interval.saturating_mul(self.burst)
    }

    /// Where a party stands after one more call, which may be held for so long.
    fn look(self, party: Party, full_at: Option<Instant>, held: Duration, now: Instant) -> Standing {
        let owed = full_at.map_or(Duration::ZERO, |full_at| full_at.saturating_duration_since(now));
        let after = owed.saturating_add(self.interval);
        let wait = after.saturating_sub(self.whole());
        let full_in = if wait <= held { after } else { owed };
        let left = self.whole().saturating_sub(full_in).as_nanos() / self.interval.as_nanos().max(1);
        Standing {
            party,
            quota: self,
            remaining: u32::try_from(left).unwrap_or(u32::MAX),
            full_in,
            wait,
        }
    }
}

// === impl Rates ===

impl Default for Rates {
    fn default() -> Self {
        Self::holding(HELD)
    }
}

impl Rates {
    fn holding(held: Duration) -> Self {
        let cells = Mutex::default();
        Self { cells, held }
    }

    /// Charges one call to both, or to none where one of them has nothing left and will have nothing soon.
    pub fn take(&self, own: Option<(Party, Quota)>, users: (Party, Quota), now: Instant) -> Charge {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let look = |(party, quota): (Party, Quota)| {
            let full_at = cells.full_at.get(&party).copied();
            quota.look(party, full_at, self.held, now)
        };
        let standings: Vec<Standing> = own.into_iter().chain([users]).map(look).collect();
        let excess = standings.iter().position(|standing| standing.wait > self.held);
        let pause = standings
            .iter()
            .map(|standing| standing.wait)
            .max()
            .filter(|pause| !pause.is_zero());
        let mut due = None;
        if excess.is_none() {
            due = pause.map(|pause| now + pause);
            for standing in &standings {
                cells.put(standing, now);
            }
        }
        Charge { standings, excess, due }
    }
}

// === impl Cells ===

impl Cells {
    fn put(&mut self, standing: &Standing, now: Instant) {
        let full_at = now + standing.full_in;
        if let Some(cell) = self.full_at.get_mut(&standing.party) {
            *cell = full_at;
            return;
        }
        if self.full_at.len() >= self.sweep_at {
            self.full_at.retain(|_, full_at| *full_at > now);
            self.sweep_at = FEW.max(self.full_at.len() * 2);
        }
        self.full_at.insert(standing.party.clone(), full_at);
    }
}

// === impl Charge ===

impl Charge {
    /// What to say where the call was one too many, and whose limit it is.
    pub fn excess(&self, config: &config::Limit) -> Option<(Error, &Party)> {
        let Standing { party, quota, wait, .. } = &self.standings[self.excess?];
        let why = match party {
            Party::Key(_) => format!(
                "this API key's own limit is reached ({} at once): slow this program down, or have the key's limit raised",
                quota.burst
            ),
            Party::Programs(_) => format!(
                "your programs together make more than {} calls a second: slow them down, or ask for a higher FLOWDECK_USER_RATE",
                config.user_rate
            ),
            Party::Sessions(_) => format!("your browser sessions make more than {} calls a second", config.user_rate),
            Party::Strangers(_) => format!("more than {} calls a second come from your address", config.user_rate),
        };
        let seconds = seconds(*wait);
        Some((Error::TooMany { why, seconds }, party))
    }

    /// Waits until the call may go on.
    pub async fn due(&self) {
        if let Some(due) = self.due {
            sleep_until(due.into()).await;
        }
    }

    /// The answer to a call that may not go on.
    pub fn refuse(&self, error: Error) -> Response {
        let mut response = error.into_response();
        self.show(response.headers_mut());
        response
    }

    /// Writes the `RateLimit` fields.
    pub fn show(&self, headers: &mut HeaderMap) {
        let (mut policies, mut standings) = (String::with_capacity(80), String::with_capacity(80));
        let mut digits = itoa::Buffer::new();
        for (place, standing) in self.standings.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            let (name, quota) = (standing.party.name(), standing.quota);
            let mut write = |text: &mut String, first: (&str, u32), second: (&str, u64)| {
                for part in [comma, "\"", name, "\"", first.0] {
                    text.push_str(part);
                }
                text.push_str(digits.format(first.1));
                text.push_str(second.0);
                text.push_str(digits.format(second.1));
            };
            write(&mut policies, (";q=", quota.burst), (";w=", seconds(quota.whole())));
            write(&mut standings, (";r=", standing.remaining), (";t=", seconds(standing.full_in)));
        }
        for (name, text) in [(POLICY, policies), (STANDING, standings)] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use axum::http::HeaderMap;

    use super::{Charge, Quota, Rates};
    use crate::limit::Party;

    fn user(name: &str) -> Party {
        Party::Programs(name.into())
    }

    fn passes(charge: &Charge) -> bool {
        charge.excess.is_none()
    }

    /// How many of so many calls pass at one moment.
    fn passed(rates: &Rates, count: usize, party: &Party, quota: Quota, now: Instant) -> usize {
        (0..count)
            .filter(|_| passes(&rates.take(None, (party.clone(), quota), now)))
            .count()
    }

    #[test]
    fn a_burst_passes_and_then_the_rate_counts() {
        let (rates, start, quota) = (Rates::holding(Duration::ZERO), Instant::now(), Quota::new(10.0, 5));
        assert_eq!(passed(&rates, 20, &user("alice"), quota, start), 5);
        assert_eq!(passed(&rates, 20, &user("bob"), quota, start), 5);
        let later = start + Duration::from_millis(100);
        assert_eq!(passed(&rates, 20, &user("alice"), quota, later), 1);
        assert_eq!(passed(&rates, 20, &user("alice"), quota, later + Duration::from_secs(3600)), 5);
    }

    #[test]
    fn who_comes_a_little_early_is_held_and_charged() {
        let (rates, start, quota) = (Rates::holding(Duration::from_secs(1)), Instant::now(), Quota::new(2.0, 1));
        let take = |later: u64| rates.take(None, (user("alice"), quota), start + Duration::from_millis(later));
        let due = |charge: &Charge| charge.due.map(|due| due.duration_since(start).as_millis());
        for expected in [None, Some(500), Some(1000)] {
            let charge = take(0);
            assert!(passes(&charge));
            assert_eq!(due(&charge), expected);
        }
        let refused = take(0);
        assert!(!passes(&refused) && refused.due.is_none());
        assert_eq!(refused.standings[0].wait, Duration::from_millis(1500));
        assert_eq!(due(&take(600)), Some(1500));
        assert_eq!(due(&take(60_000)), None);
    }

    #[test]
    fn over_a_minute_no_more_than_the_rate_passes() {
        let (rates, start, quota) = (Rates::holding(Duration::ZERO), Instant::now(), Quota::new(7.0, 3));
        let passed: usize = (0..60_000)
            .map(|ms| passed(&rates, 1, &user("alice"), quota, start + Duration::from_millis(ms)))
            .sum();
        assert!((7 * 60..=7 * 60 + 3).contains(&passed), "{passed}");
    }

    #[test]
    fn one_call_an_hour_is_one_call_an_hour() {
        let (rates, start, quota) = (Rates::holding(Duration::ZERO), Instant::now(), Quota::new(1.0 / 3600.0, 1));
        assert!(passes(&rates.take(None, (user("a"), quota), start)));
        let charge = rates.take(None, (user("a"), quota), start + Duration::from_secs(1));
        assert!(!passes(&charge));
        assert_eq!(charge.standings[0].wait, Duration::from_secs(3599));
        assert!(passes(&rates.take(None, (user("a"), quota), start + Duration::from_secs(3600))));
    }

    #[test]
    fn odd_rates_are_bounded() {
        for rate in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            assert_eq!(Quota::new(rate, 0), Quota::new(1.0 / 3600.0, 1));
        }
        let (rates, now) = (Rates::holding(Duration::ZERO), Instant::now());
        assert!(passes(&rates.take(None, (user("a"), Quota::new(0.0, u32::MAX)), now)));
        assert!(passes(&rates.take(None, (user("b"), Quota::new(1e30, u32::MAX)), now)));
    }

    #[test]
    fn who_cannot_pay_his_own_does_not_charge_the_user() {
        let (rates, now) = (Rates::holding(Duration::ZERO), Instant::now());
        let own = || Some((Party::Key("k1".into()), Quota::new(1.0, 1)));
        let users = || (user("alice"), Quota::new(1.0, 3));
        assert!(passes(&rates.take(own(), users(), now)));
        for _ in 0..10 {
            assert_eq!(rates.take(own(), users(), now).excess, Some(0));
        }
        assert_eq!(passed(&rates, 10, &user("alice"), users().1, now), 2);
        // And the other way round: what the user cannot pay, the key keeps.
        let (other, quota) = (Party::Key("k2".into()), Quota::new(1.0, 1));
        assert_eq!(rates.take(Some((other.clone(), quota)), users(), now).excess, Some(1));
        assert_eq!(passed(&rates, 10, &other, quota, now), 1);
    }

    #[test]
    fn names_that_say_nothing_any_more_are_forgotten() {
        let (rates, start, quota) = (Rates::holding(Duration::ZERO), Instant::now(), Quota::new(100.0, 400));
        for number in 0..100_000_u64 {
            let now = start + Duration::from_millis(number);
            rates.take(None, (user(&number.to_string()), quota), now);
        }
        let kept = rates.cells.lock().unwrap().full_at.len();
        assert!(kept <= 2048, "{kept}");
    }

    #[test]
    fn the_fields_tell_policies_and_what_is_left() {
        let (rates, now) = (Rates::holding(Duration::ZERO), Instant::now());
        let own = Some((Party::Key("k".into()), Quota::new(0.5, 3)));
        let mut headers = HeaderMap::new();
        rates.take(own, (user("alice"), Quota::new(100.0, 400)), now).show(&mut headers);
        assert_eq!(headers["ratelimit-policy"], r#""key";q=3;w=6, "user";q=400;w=4"#);
        assert_eq!(headers["ratelimit"], r#""key";r=2;t=2, "user";r=399;t=1"#);
    }

    /// The clock is the monotonic one. Two threads may still come with their moments in the wrong order.
    #[test]
    fn a_moment_before_the_last_gives_nothing_and_costs_nothing() {
        let (rates, quota) = (Rates::holding(Duration::ZERO), Quota::new(1.0, 3));
        let now = Instant::now() + Duration::from_secs(3600);
        assert_eq!(passed(&rates, 5, &user("alice"), quota, now), 3);
        for back in [1, 60, 3600] {
            let before = now - Duration::from_secs(back);
            assert_eq!(passed(&rates, 5, &user("alice"), quota, before), 0, "{back} s before");
        }
        assert_eq!(passed(&rates, 5, &user("alice"), quota, now + Duration::from_secs(3)), 3);
        assert_eq!(
            passed(&rates, 5, &user("alice"), quota, now + Duration::from_secs(1_000_000_000)),
            3
        );
    }
}
