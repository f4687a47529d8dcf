//! The path of a request: admission, and the route that it finds.
#![no_main]

#[path = "../../server/tests/it/property/path.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|raw: &str| {
    property::holds(raw);
});
