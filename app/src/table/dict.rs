//! The distinct texts of a column, each with a number: its code. Codes count from 0 and are never given up.

use std::{cmp::Ordering, fmt};

use super::{
    bits::Bits,
    copy::{Reader, Writer},
    natural,
};
use crate::order::sort_by;

#[derive(Default)]
pub struct Dict {
    /// All texts, one after another.
    text: String,
    /// Where each ends.
    ends: Vec<u32>,
    /// A hash table: code + 1, or 0.
    slots: Vec<u32>,
}

/// The place of each code among all of a [`Dict`], in natural order.
#[derive(Default)]
pub struct Ranks {
    /// Codes, sorted.
    order: Vec<u32>,
    /// By code. Texts that count as the same number have places of their own.
    places: Vec<u32>,
}

// === impl Dict ===

impl Dict {
    pub fn len(&self) -> u32 {
        self.ends.len() as u32
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn text(&self, code: u32) -> &str {
        let end = self.ends[code as usize] as usize;
        let begin = if code == 0 { 0 } else { self.ends[code as usize - 1] as usize };
        &self.text[begin..end]
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        (0..self.len()).map(|code| (code, self.text(code)))
    }

    pub fn find(&self, text: &str) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        self.slots[self.slot(text)].checked_sub(1)
    }

    /// The code of `text`, a new one where it has none.
    pub fn code(&mut self, text: &str) -> u32 {
        if (self.ends.len() + 1) * 8 > self.slots.len() * 7 {
            self.spread((self.slots.len() * 2).max(4));
        }
        let slot = self.slot(text);
        if let Some(code) = self.slots[slot].checked_sub(1) {
            return code;
        }
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
        self.slots[slot] = self.ends.len() as u32;
        self.ends.len() as u32 - 1
    }

    /// Where `text` is in the table, or where it would go.
    fn slot(&self, text: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash(text) as usize & mask;
        loop {
            match self.slots[slot].checked_sub(1) {
                Some(code) if self.text(code) != text => slot = (slot + 1) & mask,
                _ => return slot,
            }
        }
    }

    /// Over so many slots, a power of two.
    fn spread(&mut self, slots: usize) {
        self.slots = vec![0; slots];
        let mask = self.slots.len() - 1;
        for code in 0..self.len() {
            let mut slot = hash(self.text(code)) as usize & mask;
            while self.slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = code + 1;
        }
    }

    /// The texts of these codes; the others are empty.
    pub fn write(&self, of: &Bits, out: &mut Writer) {
        let (mut text, mut ends) = (String::new(), Vec::new());
        for (code, one) in self.iter() {
            text.push_str(if of.contains(code) { one } else { "" });
            ends.push(text.len() as u32);
        }
        out.text(&text);
        out.u32s(&ends);
    }

    pub fn read(from: &mut Reader<'_>) -> Option<Self> {
        let text = from.text()?.to_owned();
        let ends = from.u32s()?;
        let whole = ends.is_sorted() && ends.last().copied().unwrap_or_default() as usize == text.len();
        if !whole || !ends.iter().all(|end| text.is_char_boundary(*end as usize)) {
            return None;
        }
        let slots = (ends.len() * 8 / 7 + 1).next_power_of_two().max(4);
        let mut dict = Self {
            text,
            ends,
            slots: Vec::new(),
        };
        dict.spread(slots);
        Some(dict)
    }

    /// In bytes.
    pub fn memory(&self) -> usize {
        self.text.capacity() + (self.ends.capacity() + self.slots.capacity()) * 4
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Spreads well over a table whose size is a power of two.
fn hash(text: &str) -> u64 {
    const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = text.len() as u64;
    for chunk in text.as_bytes().chunks(8) {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(bytes)).wrapping_mul(MIX);
        hash ^= hash >> 29;
    }
    hash = hash.wrapping_mul(MIX);
    hash ^ hash >> 32
}

// === impl Ranks ===

impl Ranks {
    /// By code. Those of the last [`Ranks::catch_up`].
    pub fn places(&self) -> &[u32] {
        &self.places
    }

    /// Sorts in what `dict` has got since the last call.
    pub fn catch_up(&mut self, dict: &Dict) {
        let new = self.order.len() as u32..dict.len();
        if new.is_empty() {
            return;
        }
        if new.len() * 16 < self.order.len() {
            let compare = |a: u32, b: u32| natural::order(dict.text(a), dict.text(b));
            let mut new = new.collect::<Vec<u32>>();
            sort_by(&mut new, |a, b| compare(*a, *b));
            let mut merged = Vec::with_capacity(dict.len() as usize);
            let mut rest = self.order.as_slice();
            for code in new {
                let (before, after) = rest.split_at(rest.partition_point(|other| compare(*other, code) == Ordering::Less));
                merged.extend_from_slice(before);
                merged.push(code);
                rest = after;
            }
            merged.extend_from_slice(rest);
            self.order = merged;
        } else {
            self.order = natural::sorted(dict);
        }
        self.places.resize(self.order.len(), 0);
        for (place, code) in self.order.iter().enumerate() {
            self.places[*code as usize] = place as u32;
        }
    }

    /// In bytes.
    pub fn memory(&self) -> usize {
        (self.order.capacity() + self.places.capacity()) * 4
    }
}

impl fmt::Debug for Ranks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ranks")
    }
}

#[cfg(test)]
mod tests {
    use super::{Dict, Ranks};

    #[test]
    fn a_text_keeps_its_code() {
        let mut dict = Dict::default();
        assert_eq!(dict.find("a"), None);
        let codes: Vec<u32> = (0..1000).map(|number| dict.code(&format!("text {number}"))).collect();
        assert_eq!(codes, (0..1000).collect::<Vec<_>>());
        assert_eq!(dict.code("text 7"), 7);
        assert_eq!(dict.find("text 999"), Some(999));
        assert_eq!(dict.find("text 1000"), None);
        assert_eq!(dict.text(0), "text 0");
        assert_eq!(dict.code(""), 1000);
        assert_eq!((dict.text(1000), dict.find("")), ("", Some(1000)));
    }

    #[test]
    fn ranks_follow_what_is_added() {
        let mut dict = Dict::default();
        let mut ranks = Ranks::default();
        ["b", "10", "9", "a"].into_iter().for_each(|text| {
            dict.code(text);
        });
        ranks.catch_up(&dict);
        assert_eq!(ranks.places(), [3, 1, 0, 2]);
        dict.code("1e1");
        dict.code("-1");
        ranks.catch_up(&dict);
        assert_eq!(ranks.places(), [5, 3, 1, 4, 2, 0]);
        (0..500).for_each(|number| {
            dict.code(&format!("Text {:03}", number * 7 % 500));
        });
        ranks.catch_up(&dict);
        ["text 10", "0", "text 10x", "text 010"].into_iter().for_each(|text| {
            dict.code(text);
        });
        ranks.catch_up(&dict);
        let mut anew = Ranks::default();
        anew.catch_up(&dict);
        assert_eq!(ranks.places(), anew.places());
    }
}
