//! What a page keeps between visits: in its address, in local storage.

pub mod address;
pub mod query;
pub mod short;
