//! How a call travels: by `fetch` in the browser, through the server's own router in process while rendering.

#[cfg(feature = "hydrate")]
mod browser;
#[cfg(not(feature = "hydrate"))]
mod server;

#[cfg(feature = "hydrate")]
pub use self::browser::Transport;
#[cfg(not(feature = "hydrate"))]
pub use self::server::Transport;

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub request_id: Option<String>,
}
