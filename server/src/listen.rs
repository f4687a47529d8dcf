//! The public listener: bounded in every direction in which a caller could take his time.
//!
//! `axum::serve` has no such bounds; so this drives hyper's HTTP/1 itself. What it does of its own accord, and we rely on: a request
//! with `Transfer-Encoding` and `Content-Length` loses the latter, whichever comes first, and its connection is closed after the answer
//! (RFC 9112 §6.3), so that nothing hidden in it is ever read as a request; two different lengths are 400; a head that is too large is 431.

mod crew;
mod guard;
mod rest;
mod roster;
mod share;

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
    http::header,
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Service, ServiceExt as _};

use self::{
    crew::Crew,
    guard::{Guard, Served},
    rest::WithRest,
    roster::{Peer, Roster},
    share::Shares,
};
use crate::stall::Stall;

/// How much of anything a caller gets.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// From the first byte of a request's head to its last.
    pub head: Duration,
    /// Between requests. Longer than what proxies in front keep a connection for (60 s, mostly), so that it is they who close it:
    /// the other way round, a request can meet a connection that is just being closed.
    pub idle: Duration,
    /// Without a piece of the request's body that somebody waits for.
    pub body: Duration,
    /// Without the caller's taking any of the answer.
    pub write: Duration,
    /// Bytes of a request's head, which has no more than 100 fields besides (hyper's own bound).
    pub head_size: usize,
    /// At once. Each takes a file descriptor and some 20 KiB; past this, connections without a request make room for new ones.
    pub connections: usize,
    /// Of these, for one address.
    pub per_address: usize,
}

/// Tells an answer that would never end that Flowdeck is stopping; an extension of the request.
#[derive(Clone, Debug)]
pub struct Stopping(pub CancellationToken);

/// Serves until `shutdown`, then lets open requests go on for at most `drain`.
///
/// # Errors
/// When the threads that serve cannot be made.
pub async fn serve<S>(listener: TcpListener, service: S, shutdown: impl Future<Output = ()>, drain: Duration) -> io::Result<()>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    serve_within(Bounds::default(), listener, service, shutdown, drain).await
}

/// [`serve`], with other bounds.
///
/// # Errors
/// As [`serve`].
pub async fn serve_within<S>(
    bounds: Bounds,
    listener: TcpListener,
    service: S,
    shutdown: impl Future<Output = ()>,
    drain: Duration,
) -> io::Result<()>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    let crew = Crew::new()?;
    let roster = Arc::new(Roster::new(bounds.connections));
    let shares = Arc::new(Shares::default());
    let (tasks, draining) = (TaskTracker::new(), CancellationToken::new());
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let accepted = accepted.and_then(|(stream, address)| Ok((stream.into_std()?, address)));
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: waiting is all that helps. A caller who is gone already is worth a moment too.
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(share) = shares.take(address.ip().to_canonical(), bounds.per_address) else {
            tracing::debug!("{address} has too many connections already");
            continue;
        };
        let peer = tokio::select! {
            peer = roster.admit() => peer,
            () = &mut shutdown => break,
        };
        let (service, draining) = (service.clone(), draining.clone());
        crew.spawn(tasks.track_future(async move {
            // Whoever serves it hears of what comes.
            match TcpStream::from_std(stream) {
                Ok(stream) => connection(bounds, stream, address, peer, service, draining).await,
                Err(error) => tracing::warn!("cannot serve a connection: {error}"),
            }
            drop(share);
        }));
    }
    drop(listener);
    draining.cancel();
    roster.close_idle();
    tasks.close();
    if tokio::time::timeout(drain, tasks.wait()).await.is_err() {
        tracing::warn!("{} requests were cut off after {} s", roster.len(), drain.as_secs());
        roster.close_all();
        tasks.wait().await;
    }
    Ok(())
}

async fn connection<S>(bounds: Bounds, stream: TcpStream, address: SocketAddr, peer: Peer, service: S, draining: CancellationToken)
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    // Without it, the second small segment of an answer waits for the acknowledgement of the first: 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("cannot set TCP_NODELAY: {error}");
    }
    let line = peer.line();
    let answered = line.clone();
    let stopping = draining.clone();
    let answer = hyper::service::service_fn(move |request: http::Request<Incoming>| {
        let line = answered.clone();
        line.begin();
        // Who waits for a word before sending sends nothing after the answer.
        let waits = request.headers().contains_key(header::EXPECT);
        let mut request = request.map(|body| {
            let body = Stall::new(body, bounds.body);
            if waits { Body::new(body) } else { Body::new(WithRest::new(body)) }
        });
        request.extensions_mut().insert(ConnectInfo(address));
        request.extensions_mut().insert(Stopping(stopping.clone()));
        let answer = service.clone().oneshot(request);
        async move { answer.await.map(|response| response.map(|body| Served::new(body, line))) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        // hyper's clock runs also between requests, so it is the one for idle connections; the guard has the one for heads.
        .header_read_timeout(bounds.idle)
        // The one bound holds for complete heads, the other for what is kept of an incomplete one.
        .max_header_size(bounds.head_size)
        .max_buf_size(2 * bounds.head_size);
    let guard = Guard::new(stream, bounds, line.clone());
    let mut serving = pin!(http.serve_connection(TokioIo::new(guard), answer));
    let mut told = false;
    loop {
        tokio::select! {
            ended = &mut serving => {
                if let Err(error) = ended {
                    tracing::debug!("a connection of {address} ended: {error}");
                }
                return;
            }
            () = line.closed() => return,
            () = draining.cancelled(), if !told => {
                told = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

// === impl Bounds ===

impl Default for Bounds {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(5),
            idle: Duration::from_secs(75),
            body: Duration::from_secs(60),
            write: Duration::from_secs(300),
            head_size: 32 * 1024,
            connections: 4096,
            per_address: 2048,
        }
    }
}
