//! Flowdeck before a real MLflow, called over real sockets.

#![allow(clippy::unwrap_used)]

mod absent;
mod app;
mod audit;
mod counted;
mod disk;
mod extreme;
mod forward;
mod header;
mod health;
mod kept;
mod key;
mod limit;
mod listen;
mod live;
mod managed;
mod openapi;
mod owner;
mod page;
mod property;
mod proxy;
mod query;
mod route_table;
mod sign_in;
mod slow;
mod tls;
mod together;
mod view;
