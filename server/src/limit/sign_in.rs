//! Slowing down guesses in the form: after a few failed sign-ins an address, or a name, waits longer each time.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{network, wait};

/// So many failures cost nothing: people mistype.
const FREE: u32 = 4;
/// A key is forgotten so long after its last failure.
const FORGET: Duration = Duration::from_secs(3600);
/// More keys than this at once are an attack on our memory: the oldest goes.
const MOST: usize = 20_000;

/// Failed sign-ins of the last hour, by address and by name.
#[derive(Default)]
pub struct SignIns(Mutex<HashMap<Key, Failures>>);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Name(String),
}

struct Failures {
    count: u32,
    last: Instant,
}

// === impl SignIns ===

impl SignIns {
    /// How long this address, or this name, has to wait before it may try again.
    pub fn wait(&self, address: IpAddr, name: &str, now: Instant) -> Option<Duration> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = keys(address, name).into_iter().filter_map(|key| {
            let Failures { count, last } = failures.get(&key)?;
            wait(*count, FREE, *last, now)
        });
        waits.max()
    }

    /// Somebody tries a password for this name. Counted before it is known to be wrong, so that many tries at once are no way around.
    pub fn tried(&self, name: &str, now: Instant) {
        self.count(Key::Name(name.to_owned()), now);
    }

    /// It was wrong. Only then the address counts: behind one there may be many people.
    pub fn failed(&self, address: IpAddr, now: Instant) {
        self.count(Key::Address(network(address)), now);
    }

    /// It was not wrong, or nobody could tell: no failure of this name.
    pub fn forgive(&self, name: &str) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failures) = failures.get_mut(&Key::Name(name.to_owned())) {
            failures.count = failures.count.saturating_sub(1);
        }
    }

    fn count(&self, key: Key, now: Instant) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failures.retain(|_, failures| now.duration_since(failures.last) < FORGET);
        if failures.len() >= MOST && !failures.contains_key(&key) {
            let oldest = failures
                .iter()
                .min_by_key(|(_, failures)| failures.last)
                .map(|(key, _)| key.clone());
            oldest.and_then(|key| failures.remove(&key));
        }
        let entry = failures.entry(key).or_insert(Failures { count: 0, last: now });
        *entry = Failures {
            count: entry.count.saturating_add(1),
            last: now,
        };
    }

    /// The name has shown its password. Its address keeps its failures: it may be guessing other names.
    pub fn succeeded(&self, name: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&Key::Name(name.to_owned()));
    }
}

fn keys(address: IpAddr, name: &str) -> [Key; 2] {
    [Key::Address(network(address)), Key::Name(name.to_owned())]
}

#[cfg(test)]
mod tests {
    use std::{
        net::IpAddr,
        time::{Duration, Instant},
    };

    use super::SignIns;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn fail(sign_ins: &SignIns, address: IpAddr, name: &str, now: Instant) {
        sign_ins.tried(name, now);
        sign_ins.failed(address, now);
    }

    #[test]
    fn many_tries_at_once_are_counted_and_good_ones_forgiven() {
        let (sign_ins, now) = (SignIns::default(), Instant::now());
        for _ in 0..6 {
            sign_ins.tried("alice", now);
        }
        assert!(sign_ins.wait(THERE, "alice", now).is_some());
        for _ in 0..6 {
            sign_ins.forgive("alice");
        }
        assert!(sign_ins.wait(THERE, "alice", now).is_none());
    }

    #[test]
    fn waits_grow_and_end() {
        let (sign_ins, start) = (SignIns::default(), Instant::now());
        for _ in 0..4 {
            fail(&sign_ins, HERE, "alice", start);
        }
        assert_eq!(sign_ins.wait(HERE, "alice", start), None);
        fail(&sign_ins, HERE, "alice", start);
        assert_eq!(sign_ins.wait(HERE, "alice", start), Some(Duration::from_secs(1)));
        fail(&sign_ins, HERE, "alice", start);
        assert_eq!(sign_ins.wait(HERE, "alice", start), Some(Duration::from_secs(2)));
        assert_eq!(sign_ins.wait(HERE, "alice", start + Duration::from_secs(2)), None);
        assert_eq!(sign_ins.wait(HERE, "alice", start + Duration::from_secs(4000)), None);
    }

    #[test]
    fn a_name_is_slowed_from_every_address_and_an_address_for_every_name() {
        let (sign_ins, now) = (SignIns::default(), Instant::now());
        for _ in 0..6 {
            fail(&sign_ins, HERE, "alice", now);
        }
        assert!(sign_ins.wait(THERE, "alice", now).is_some());
        assert!(sign_ins.wait(HERE, "bob", now).is_some());
        assert!(sign_ins.wait(THERE, "bob", now).is_none());
        sign_ins.succeeded("alice");
        assert!(sign_ins.wait(THERE, "alice", now).is_none());
        assert!(sign_ins.wait(HERE, "alice", now).is_some());
    }

    #[test]
    fn neighbours_in_one_ipv6_network_are_one_address() {
        let (sign_ins, now) = (SignIns::default(), Instant::now());
        for host in 1..=6 {
            fail(&sign_ins, format!("2001:db8::{host}").parse().unwrap(), &host.to_string(), now);
        }
        assert!(sign_ins.wait("2001:db8::99".parse().unwrap(), "bob", now).is_some());
    }
}
