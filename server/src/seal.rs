//! Sealing: XChaCha20-Poly1305 with a random nonce in front, bound to what the text belongs to.

use chacha20poly1305::{
    AeadCore as _, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, OsRng, Payload},
};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

const NONCE: usize = 24;

/// A 256-bit key, wiped when dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

/// The text was sealed with another key, for something else, or was changed.
#[derive(Debug, thiserror::Error)]
#[error("the seal does not open")]
pub struct Broken;

// === impl Key ===

impl Key {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A key from a secret of at least 128 random bits (HKDF, RFC 5869). `purpose` keeps keys of one secret apart.
    pub fn derive(secret: &[u8], purpose: &str) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        // 32 bytes are far below HKDF's limit of 255 blocks, the only way to fail.
        Hkdf::<Sha256>::new(None, secret)
            .expand(purpose.as_bytes(), bytes.as_mut())
            .expect("a length that HKDF allows");
        Self(bytes)
    }

    /// `owner` is what the text belongs to: it opens for no other.
    pub fn seal(&self, owner: &[u8], text: &[u8]) -> Vec<u8> {
        let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
        let sealed = self
            .cipher()
            .encrypt(&nonce, Payload { msg: text, aad: owner })
            .expect("a text shorter than 256 GiB");
        [nonce.as_slice(), &sealed].concat()
    }

    /// # Errors
    /// [`Broken`], whatever the reason.
    pub fn open(&self, owner: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Broken> {
        let (nonce, text) = sealed.split_at_checked(NONCE).ok_or(Broken)?;
        let opened = self.cipher().decrypt(XNonce::from_slice(nonce), Payload { msg: text, aad: owner });
        opened.map(Zeroizing::new).map_err(|_| Broken)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.as_slice().into())
    }
}

#[cfg(test)]
mod tests {
    use super::Key;
    use crate::vault::hex;

    /// The example of draft-irtf-cfrg-xchacha-03, A.3.1.
    #[test]
    fn it_is_the_cipher_that_it_says() {
        let key = Key::new(std::array::from_fn(|number| 0x80 + number as u8));
        let nonce: Vec<u8> = (0x40..0x58).collect();
        let owner = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
        let sealed = concat!(
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216",
            "cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13",
            "b52ec0875924c1c7987947deafd8780acf49",
        );
        let sealed: Vec<u8> = (0..sealed.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&sealed[at..at + 2], 16).unwrap())
            .collect();
        let opened = key.open(&owner, &[nonce, sealed].concat()).unwrap();
        assert!(opened.starts_with(b"Ladies and Gentlemen of the class of '99"));
    }

    /// RFC 5869, A.3: no salt, no purpose.
    #[test]
    fn a_derived_key_is_hkdf() {
        let key = Key::derive(&[0x0b; 22], "");
        assert_eq!(
            hex(key.0.as_slice()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
        );
    }

    #[test]
    fn opens_for_its_owner_only() {
        let key = Key::new([7; 32]);
        let sealed = key.seal(b"alice", b"hunter2");
        assert_eq!(key.open(b"alice", &sealed).unwrap().as_slice(), b"hunter2");
        assert!(key.open(b"bob", &sealed).is_err());
        assert!(Key::new([8; 32]).open(b"alice", &sealed).is_err());
    }

    #[test]
    fn a_changed_or_short_text_does_not_open() {
        let key = Key::derive(b"sixteen bytes...", "test");
        let mut sealed = key.seal(b"", b"text");
        *sealed.last_mut().unwrap() ^= 1;
        assert!(key.open(b"", &sealed).is_err());
        assert!(key.open(b"", &sealed[..10]).is_err());
    }
}
