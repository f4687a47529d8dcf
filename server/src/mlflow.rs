//! The MLflow behind Flowdeck: one that it installs and runs itself, or one that somebody else runs.

pub mod ask;
pub mod cache;
pub mod experiment;
pub mod external;
pub mod history;
pub mod install;
pub mod managed;
pub mod roster;
pub mod run;
pub mod user;

pub use self::{
    ask::NotTold,
    cache::remembers_credentials,
    experiment::{Experiment, experiment, may_edit, sees_folder},
    external::{Fault, Version, asks_for_password, version, vet},
    user::{PasswordError, SignInError, Who, change_password, check_password, may_read, who},
};

/// The MLflow that Flowdeck installs, and the release that its route table is taken from.
pub const VERSION: &str = "3.17.2";
