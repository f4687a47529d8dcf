//! Primitives: they know no page and no endpoint.

pub mod button;
pub mod clock;
pub mod copy;
pub mod crumbs;
pub mod csv;
pub mod dialog;
pub mod duration;
pub mod dynamic;
pub mod editable;
pub mod face;
pub mod field;
pub mod health;
pub mod icon;
pub mod id;
pub mod json;
pub mod link;
pub mod markdown;
pub mod menu;
pub mod note;
pub mod number;
pub mod status;
pub mod tabs;
pub mod tag;
pub mod time;
pub mod title;
pub mod toast;
