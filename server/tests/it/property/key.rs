//! What holds for every text that may or may not be an API key.

use server::key::token::{LENGTH, PREFIX, Token};

/// Panics where it does not.
pub fn holds(raw: &str) {
    if let Ok(token) = Token::parse(raw) {
        is_one(&token, raw);
    }
    // Chance alone hardly ever makes a key, so one is made of the text.
    let mut secret = [0; 32];
    secret.iter_mut().zip(raw.bytes()).for_each(|(byte, given)| *byte = given);
    let made = Token::of(&secret);
    is_one(&made, made.expose());
}

fn is_one(token: &Token, text: &str) {
    assert_eq!(token.expose(), text, "a key is its text and nothing else");
    assert!(text.len() == LENGTH && text.starts_with(PREFIX) && text.starts_with(token.start()));
    assert!(text.bytes().skip(PREFIX.len()).all(|byte| byte.is_ascii_alphanumeric()), "{text}");
    let again = Token::parse(text).expect("a key is one");
    assert_eq!(again.hash(), token.hash());
    for at in 0..text.len() {
        for other in [1_u8, 7, 32] {
            let mut changed = text.as_bytes().to_vec();
            changed[at] ^= other;
            let changed = String::from_utf8(changed).expect("ASCII");
            assert!(Token::parse(&changed).is_err(), "{changed} is not {text}");
        }
        assert!(Token::parse(&text[..at]).is_err() && Token::parse(&text[at + 1..]).is_err());
    }
    for longer in [format!("{text}0"), format!("{text} "), format!(" {text}"), format!("{text}\n")] {
        assert!(Token::parse(&longer).is_err(), "{longer:?}");
    }
}
