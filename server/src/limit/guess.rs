//! Slowing down programs that guess: wrong passwords and API keys, by the address they come from.
//!
//! By the address alone, never by the name: a stranger must not be able to lock out somebody's scripts.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{network, wait};

/// So many cost nothing: behind one address there may be a cluster whose jobs all have the same old password.
const FREE: u32 = 20;
/// An address is forgotten so long after its last failure.
const FORGET: Duration = Duration::from_secs(3600);
/// More addresses than this at once are an attack on our memory: the oldest goes.
const MOST: usize = 20_000;
/// Of so many names an address's failures are told apart; those of more are forgiven by nobody.
const NAMES: usize = 64;

/// Failures of the last hour, by address.
#[derive(Default)]
pub struct Guesses {
    addresses: Mutex<HashMap<IpAddr, Failures>>,
    /// Names can be long: what is kept is their hash.
    names: RandomState,
}

struct Failures {
    count: u32,
    last: Instant,
    by_name: HashMap<u64, u32>,
}

// === impl Guesses ===

impl Guesses {
    /// How long this address has to wait before it may try again.
    pub fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let addresses = self.lock();
        let failures = addresses.get(&network(address))?;
        wait(failures.count, FREE, failures.last, now)
    }

    /// What came from this address was wrong; `name` is whom it named.
    pub fn failed(&self, address: IpAddr, name: Option<&str>, now: Instant) {
        let address = network(address);
        let name = name.map(|name| self.names.hash_one(name));
        let mut addresses = self.lock();
        if addresses.len() >= MOST && !addresses.contains_key(&address) {
            addresses.retain(|_, failures| now.duration_since(failures.last) < FORGET);
            let oldest = addresses.iter().min_by_key(|(_, failures)| failures.last);
            if let Some(oldest) = oldest.map(|(address, _)| *address).filter(|_| addresses.len() >= MOST) {
                addresses.remove(&oldest);
            }
        }
        let failures = addresses.entry(address).or_insert_with(|| Failures::none(now));
        if now.duration_since(failures.last) >= FORGET {
            *failures = Failures::none(now);
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
        if let Some(name) = name
            && (failures.by_name.len() < NAMES || failures.by_name.contains_key(&name))
        {
            *failures.by_name.entry(name).or_default() += 1;
        }
    }

    /// The name has shown its password from this address: what failed in its name was mistyped. The address keeps the rest.
    pub fn forgive(&self, address: IpAddr, name: &str) {
        let (address, name) = (network(address), self.names.hash_one(name));
        let mut addresses = self.lock();
        let Some(failures) = addresses.get_mut(&address) else { return };
        if let Some(count) = failures.by_name.remove(&name) {
            failures.count = failures.count.saturating_sub(count);
        }
        if failures.count == 0 {
            addresses.remove(&address);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Failures>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Failures ===

impl Failures {
    fn none(now: Instant) -> Self {
        Self {
            count: 0,
            last: now,
            by_name: HashMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::{IpAddr, Ipv4Addr},
        time::{Duration, Instant},
    };

    use super::{FREE, Guesses, MOST};

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

    fn fail(guesses: &Guesses, count: u32, address: IpAddr, name: Option<&str>, now: Instant) {
        for _ in 0..count {
            guesses.failed(address, name, now);
        }
    }

    #[test]
    fn waits_grow_and_end() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        fail(&guesses, FREE, HERE, None, start);
        assert_eq!(guesses.wait(HERE, start), None);
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            fail(&guesses, 1, HERE, None, start);
            assert_eq!(guesses.wait(HERE, start), Some(Duration::from_secs(seconds)));
        }
        assert_eq!(guesses.wait(HERE, start + Duration::from_secs(60)), None);
        assert_eq!(guesses.wait(THERE, start), None);
        fail(&guesses, 1, HERE, None, start + Duration::from_secs(4000));
        assert_eq!(guesses.wait(HERE, start + Duration::from_secs(4000)), None);
    }

    #[test]
    fn a_success_forgives_only_its_own_failures_at_its_own_address() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        fail(&guesses, FREE, HERE, Some("alice"), now);
        fail(&guesses, FREE, HERE, Some("bob"), now);
        fail(&guesses, FREE + 1, THERE, Some("alice"), now);
        guesses.forgive(HERE, "carol");
        assert!(guesses.wait(HERE, now).is_some());
        guesses.forgive(HERE, "alice");
        assert!(guesses.wait(HERE, now).is_none());
        fail(&guesses, 1, HERE, None, now);
        assert!(guesses.wait(HERE, now).is_some());
        assert!(guesses.wait(THERE, now).is_some());
    }

    #[test]
    fn more_names_than_can_be_told_apart_are_not_forgiven() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        for number in 0..100 {
            fail(&guesses, 1, HERE, Some(&number.to_string()), now);
        }
        for number in 0..100 {
            guesses.forgive(HERE, &number.to_string());
        }
        assert!(guesses.wait(HERE, now).is_some());
    }

    #[test]
    fn neighbours_in_one_ipv6_network_are_one_address() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        for host in 0..=FREE {
            fail(&guesses, 1, format!("2001:db8::{host:x}").parse().unwrap(), None, now);
        }
        assert!(guesses.wait("2001:db8::ffff".parse().unwrap(), now).is_some());
        assert!(guesses.wait("2001:db8:0:1::1".parse().unwrap(), now).is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        for number in 0..MOST as u32 + 500 {
            guesses.failed(
                IpAddr::from(number.to_be_bytes()),
                None,
                start + Duration::from_nanos(number.into()),
            );
        }
        assert!(guesses.lock().len() <= MOST);
    }
}
