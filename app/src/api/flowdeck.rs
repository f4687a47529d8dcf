//! Flowdeck's own routes, `/api/flowdeck/v1/…`.

pub mod access;
pub mod audit;
pub mod change;
pub mod explain;
pub mod extremes;
pub mod grant;
pub mod group;
pub mod health;
pub mod invite;
pub mod kept;
pub mod key;
pub mod overview;
pub mod role;
pub mod rule;
pub mod session;
pub mod setting;
pub mod user;
pub mod view;
