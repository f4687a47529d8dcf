//! The text of an API key: `fd_`, 256 random bits and a checksum of them, all in base62 and of one length.
//!
//! The fixed beginning and the checksum let a scanner tell a leaked key from chance, and anybody a typing error from an unknown key
//! without asking a server (as GitHub's tokens do).

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

pub const PREFIX: &str = "fd_";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 > 2^256.
const SECRET: usize = 43;
/// 62^6 > 2^32.
const CHECKSUM: usize = 6;
/// Of the whole text, in bytes.
pub const LENGTH: usize = PREFIX.len() + SECRET + CHECKSUM;
/// So much of a key is kept and shown, for people to tell their keys apart: 24 of 256 bits.
const START: usize = PREFIX.len() + 4;

/// What the database knows of a key's text.
pub type Hash = [u8; 32];

/// The whole text. Wiped when dropped, never shown by `Debug`.
pub struct Token(Zeroizing<String>);

/// Not an API key: of another shape, or a letter is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an API key")]
pub struct Malformed;

/// SHA-256. A key has 256 random bits: nothing slower is needed against guessing.
pub fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

// === impl Token ===

impl Token {
    pub fn generate() -> Self {
        Self::of(&Zeroizing::new(rand::random()))
    }

    /// The key that these bits make.
    pub fn of(secret: &[u8; 32]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        text.push_str(PREFIX);
        encode(secret, SECRET, &mut text);
        let checksum = crc32fast::hash(&text.as_bytes()[PREFIX.len()..]);
        encode(&checksum.to_be_bytes(), CHECKSUM, &mut text);
        Self(text)
    }

    /// Checks shape and checksum; whether there is such a key, only the server knows.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let rest = text.strip_prefix(PREFIX).ok_or(Malformed)?;
        if text.len() != LENGTH || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Malformed);
        }
        let (secret, checksum) = rest.split_at(SECRET);
        let mut expected = String::with_capacity(CHECKSUM);
        encode(&crc32fast::hash(secret.as_bytes()).to_be_bytes(), CHECKSUM, &mut expected);
        if checksum != expected {
            return Err(Malformed);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    pub fn hash(&self) -> Hash {
        hash(&self.0)
    }

    /// For people to recognise it by.
    pub fn start(&self) -> &str {
        &self.0[..START]
    }

    /// To be shown once, to whoever made it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// Big-endian `bytes` as a number of `digits` base62 digits, zeros in front.
fn encode(bytes: &[u8], digits: usize, text: &mut String) {
    let mut number = Zeroizing::new(bytes.to_vec());
    let mut reversed = Zeroizing::new(Vec::with_capacity(digits));
    for _ in 0..digits {
        let mut rest = 0_u32;
        for byte in number.iter_mut() {
            let value = rest << 8 | u32::from(*byte);
            *byte = (value / 62) as u8;
            rest = value % 62;
        }
        reversed.push(ALPHABET[rest as usize]);
    }
    text.extend(reversed.iter().rev().map(|digit| char::from(*digit)));
}

#[cfg(test)]
mod tests {
    use super::{LENGTH, Malformed, PREFIX, Token, encode};
    use crate::vault::hex;

    #[test]
    fn a_new_key_is_one() {
        for _ in 0..100 {
            let token = Token::generate();
            assert_eq!(token.expose().len(), LENGTH);
            assert!(token.expose().starts_with(PREFIX));
            assert_eq!(token.start().len(), 7);
            assert_eq!(Token::parse(token.expose()).unwrap().hash(), token.hash());
        }
        assert_ne!(Token::generate().hash(), Token::generate().hash());
        assert_eq!(format!("{:?}", Token::generate()), "Token");
    }

    #[test]
    fn what_is_kept_of_a_key_is_the_sha_256_of_its_text() {
        let token = Token::of(&[7; 32]);
        assert_eq!(
            hex(&token.hash()),
            "5d240b72797a53eb4e4cd1c5d376b950e25b5720591cde79ad6e718e59e36bef"
        );
    }

    #[test]
    fn each_wrong_letter_is_noticed() {
        let token = Token::generate();
        let good = token.expose();
        for at in 0..good.len() {
            for other in ["0", "1", "z", "-", " ", "é", "\0"] {
                let bad = format!("{}{other}{}", &good[..at], &good[at + 1..]);
                if bad != good {
                    assert_eq!(Token::parse(&bad).err(), Some(Malformed), "{at} {other:?}");
                }
            }
            let mut swapped = good.to_owned().into_bytes();
            swapped.swap(at, (at + 1) % good.len());
            let swapped = String::from_utf8(swapped).unwrap();
            assert!(swapped == good || Token::parse(&swapped).is_err(), "{at}");
        }
        for bad in [
            "",
            "fd_",
            &good[1..],
            &good[..LENGTH - 1],
            &format!("{good}0"),
            &good.to_lowercase(),
            &format!(" {good}"),
        ] {
            assert!(bad == good || Token::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn numbers_keep_their_order_and_length() {
        let spell = |bytes: &[u8], digits| {
            let mut text = String::new();
            encode(bytes, digits, &mut text);
            text
        };
        assert_eq!(spell(&[0], 3), "000");
        assert_eq!(spell(&[61], 3), "00z");
        assert_eq!(spell(&62_u32.to_be_bytes(), 3), "010");
        assert_eq!(spell(&[255; 32], 43).len(), 43);
        assert!(spell(&[255; 32], 43) > spell(&[254; 32], 43));
    }
}
