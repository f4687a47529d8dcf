//! Flowdeck's own routes, `/api/flowdeck/v1/…`.

pub mod audit;
pub mod extremes;
pub mod health;
pub mod key;
pub mod session;
pub mod view;
