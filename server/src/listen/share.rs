//! How many connections an address has: one that takes all of them, however slowly it uses them, would lock out everybody else.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

#[derive(Default)]
pub struct Shares(Mutex<HashMap<IpAddr, usize>>);

/// One connection of an address, until it is dropped.
pub struct Share {
    shares: Arc<Shares>,
    address: IpAddr,
}

// === impl Shares ===

impl Shares {
    /// `None` where the address has `most` connections already.
    pub fn take(self: &Arc<Self>, address: IpAddr, most: usize) -> Option<Share> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Share {
            shares: Arc::clone(self),
            address,
        })
    }
}

// === impl Share ===

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.shares.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Shares;

    #[test]
    fn an_address_gets_back_what_it_gives_back() {
        let shares = Arc::new(Shares::default());
        let (here, there) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let first = shares.take(here, 2).unwrap();
        let _second = shares.take(here, 2).unwrap();
        assert!(shares.take(here, 2).is_none());
        assert!(shares.take(there, 2).is_some());
        drop(first);
        assert!(shares.take(here, 2).is_some());
    }
}
