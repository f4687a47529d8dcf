//! Long keys in addresses: six letters stand for each.

/// What stands for a key. Two of ten thousand keys have the same one in one case of a thousand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Short(u64);

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Of six bits each.
const LENGTH: usize = 6;

// === impl Short ===

impl Short {
    pub fn of(key: &str) -> Self {
        // FNV-1a; the upper bits are the better ones.
        let mut hash = 0xCBF2_9CE4_8422_2325_u64;
        for byte in key.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        Self((hash ^ (hash >> 29)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - 6 * LENGTH))
    }

    /// Some of them, one after the other.
    pub fn write(all: impl Iterator<Item = Self>) -> String {
        let letters = |short: Self| (0..LENGTH).map(move |at| char::from(LETTERS[(short.0 >> (6 * at)) as usize % 64]));
        all.flat_map(letters).collect()
    }

    /// The opposite of [`Short::write`]. What is none is left out.
    pub fn read(text: &str) -> impl Iterator<Item = Self> {
        let read = |letters: &[u8]| {
            let places = letters.iter().rev().map(|letter| LETTERS.iter().position(|known| known == letter));
            let whole = (letters.len() == LENGTH).then_some(0_u64);
            places.fold(whole, |sum, place| Some(sum? << 6 | place? as u64)).map(Self)
        };
        text.as_bytes().chunks(LENGTH).filter_map(read)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn they_are_read_again() {
        let all: Vec<Short> = ["", "a", "group\u{1f}ü", "0123456789abcdef0123456789abcdef"]
            .map(Short::of)
            .to_vec();
        let text = Short::write(all.iter().copied());
        assert_eq!((text.len(), Short::read(&text).collect::<Vec<_>>()), (24, all));
        assert_eq!((Short::read("AAA").count(), Short::read("ü!AAAAAAAAAA").count()), (0, 1));
    }

    #[test]
    fn keys_that_are_nearly_the_same_are_told_apart() {
        let all: BTreeSet<Short> = (0..20_000).map(|number| Short::of(&format!("group\u{1f}{number}"))).collect();
        assert_eq!(all.len(), 20_000);
    }
}
