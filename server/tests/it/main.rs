//! Flowdeck before a real MLflow, called over real sockets.

#![allow(clippy::unwrap_used)]

mod app;
mod forward;
mod key;
mod listen;
mod managed;
mod page;
mod proxy;
mod route_table;
mod sign_in;
