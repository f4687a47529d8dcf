//! What pages keep and follow: Leptos's, compiled once for values of all types.
//!
//! Leptos compiles each of these anew for each type. Here a handle knows the type of its value, and what is kept is a value of any type.

mod effect;
mod kept;
mod memo;
mod resource;

pub use self::{effect::Effect, memo::Memo, resource::Resource};
