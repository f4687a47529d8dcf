//! Flowdeck's own routes, `/api/flowdeck/v1/…`.

pub mod session;
