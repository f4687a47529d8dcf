//! What pages keep and follow: Leptos's, compiled once for values of all types.
//!
//! Leptos compiles each of these anew for each type. Here a handle knows the type of its value, and what is kept is a value of any type.

mod kept;
mod resource;

pub use self::resource::Resource;
