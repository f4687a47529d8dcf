//! The text of an API key.
#![no_main]

#[path = "../../server/tests/it/property/key.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|raw: &str| property::holds(raw));
