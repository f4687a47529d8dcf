//! The owner's rooms: who may do what in MLflow, why, and changing it. MLflow decides; what is written are its own grants, with the
//! credentials of whoever changes them.

pub mod access;
pub mod change;
pub mod explain;
pub mod group;
pub mod index;
pub mod invite;
pub mod journal;
pub mod role;
pub mod user;
pub mod world;
