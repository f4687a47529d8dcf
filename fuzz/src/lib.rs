//! Of the server, only what is tried: all of it would take a quarter of an hour to build.

#[path = "../../server/src/path.rs"]
pub mod path;
#[path = "../../server/src/scope.rs"]
pub mod scope;

#[path = "../../server/src/key"]
pub mod key {
    //! API keys.
    pub mod token;
}

#[path = "../../server/src/proxy"]
pub mod proxy {
    //! The routes of MLflow.
    pub mod lookup;
    pub mod table;
}
