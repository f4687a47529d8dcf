//! Flowdeck before a real MLflow, called over real sockets.

#![allow(clippy::unwrap_used)]

mod app;
mod audit;
mod forward;
mod health;
mod key;
mod limit;
mod listen;
mod managed;
mod openapi;
mod page;
mod proxy;
mod route_table;
mod sign_in;
