//! Connections to MLflow for calls that are handed on: kept open, one call at a time each, driven by whoever has the call.
//!
//! A client with a task for each connection wakes two tasks for each piece of an answer, and moves it between them. Here the task of the
//! call reads and writes its connection itself; a call that is dropped takes its connection with it.

use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::{BoxError, body::Body};
use bytes::Bytes;
use http::{Request, Response, Uri, uri};
use http_body::{Body as _, Frame, SizeHint};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use tokio::{
    net::TcpStream,
    runtime::{self, Handle},
    task::unconstrained,
    time::{Instant, timeout},
};
use tower::ServiceExt as _;

/// The way to one MLflow. Cheap to clone.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    connector: HttpsConnector<HttpConnector>,
    /// By the runtime that hears of what comes: elsewhere a connection would wake two threads. The one that was used last is at the back.
    idle: Mutex<HashMap<runtime::Id, VecDeque<Idle>>>,
}

/// A connection that waits for a call.
struct Idle {
    connection: Connection,
    to: uri::Authority,
    since: Instant,
}

struct Connection {
    sender: SendRequest<Body>,
    driver: Pin<Box<http1::Connection<MaybeHttpsStream<TokioIo<TcpStream>>, Body>>>,
}

/// The body of an answer. Read to its end, it gives its connection back.
pub struct Answer {
    /// What was read of it to see whether it is whole.
    first: Option<Bytes>,
    body: Incoming,
    /// `None` once it is given back.
    connection: Option<(Connection, uri::Authority)>,
    door: Door,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("no connection")]
    Connect(#[source] BoxError),
    #[error("no answer")]
    Broken(#[source] hyper::Error),
}

/// uvicorn closes connections that were idle for 5 s: we have to be first, or a call meets one that is just being closed.
const KEPT: Duration = Duration::from_secs(4);
const PATIENCE: Duration = Duration::from_secs(5);
/// An answer up to this is held in memory.
const SMALL: u64 = 64 * 1024;
/// Idle connections past this are closed: no more calls than this come at once for long.
const MOST: usize = 256;

// === impl Door ===

impl Door {
    /// # Errors
    /// When the TLS roots of this machine cannot be read.
    pub fn new() -> anyhow::Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .try_with_platform_verifier()?
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Self(Arc::new(Inner {
            connector,
            idle: Mutex::default(),
        })))
    }

    /// Sends one request, whose address says where to; its headers have to have a `Host`. Nothing is ever sent twice.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn send(&self, mut request: Request<Body>) -> Result<Response<Answer>, Failure> {
        let to = std::mem::take(request.uri_mut()).into_parts();
        // In origin form (RFC 9112 §3.2.1).
        let path = to.path_and_query.unwrap_or_else(|| uri::PathAndQuery::from_static("/"));
        *request.uri_mut() = Uri::from(path);
        let (Some(scheme), Some(authority)) = (to.scheme, to.authority) else {
            return Err(Failure::Connect("an address without a host".into()));
        };
        while let Some(mut connection) = self.kept(&authority) {
            if !connection.is_open().await {
                continue;
            }
            match connection.send(request).await {
                Ok(response) => return Ok(self.answer(response, connection, authority)),
                // It was closed before anything of the request had gone.
                Err((_, Some(unsent))) => request = unsent,
                Err((error, None)) => return Err(Failure::Broken(error)),
            }
        }
        let mut connection = timeout(PATIENCE, Box::pin(self.connect(scheme, &authority)))
            .await
            .map_err(|_| Failure::Connect("it took too long".into()))??;
        match connection.send(request).await {
            Ok(response) => Ok(self.answer(response, connection, authority)),
            Err((error, _)) => Err(Failure::Broken(error)),
        }
    }

    async fn connect(&self, scheme: uri::Scheme, authority: &uri::Authority) -> Result<Connection, Failure> {
        let address = Uri::builder()
            .scheme(scheme)
            .authority(authority.clone())
            .path_and_query("/")
            .build();
        let address = address.map_err(|error| Failure::Connect(error.into()))?;
        let stream = self.0.connector.clone().oneshot(address).await.map_err(Failure::Connect)?;
        let (sender, driver) = http1::handshake(stream).await.map_err(Failure::Broken)?;
        Ok(Connection {
            sender,
            driver: Box::pin(driver),
        })
    }

    fn answer(&self, response: Response<Incoming>, connection: Connection, to: uri::Authority) -> Response<Answer> {
        response.map(|body| Answer {
            first: None,
            body,
            connection: Some((connection, to)),
            door: self.clone(),
        })
    }

    /// The connection that was used last, which is the least likely to have been closed.
    fn kept(&self, to: &uri::Authority) -> Option<Connection> {
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = idle.entry(Handle::current().id()).or_default();
        let now = Instant::now();
        // Those at the front have waited for the longest time; another address is that of an MLflow that has ended.
        while idle.front().is_some_and(|first| now - first.since > KEPT || first.to != *to) {
            idle.pop_front();
        }
        idle.pop_back().map(|idle| idle.connection)
    }

    fn keep(&self, connection: Connection, to: uri::Authority) {
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = idle.entry(Handle::current().id()).or_default();
        if idle.len() >= MOST {
            idle.pop_front();
        }
        let since = Instant::now();
        idle.push_back(Idle { connection, to, since });
    }
}

// === impl Connection ===

impl Connection {
    /// Whether MLflow has not closed it meanwhile. Its task is not to be woken for what it does itself: the call that is sent next.
    async fn is_open(&mut self) -> bool {
        poll_fn(|cx| match self.drive(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(()) => Poll::Ready(false),
            Poll::Pending => self.sender.poll_ready(cx).map(|ready| ready.is_ok()),
        })
        .await
    }

    /// Waits for the head of the answer. With the error comes the request, where nothing of it has gone.
    async fn send(&mut self, request: Request<Body>) -> Result<Response<Incoming>, (hyper::Error, Option<Request<Body>>)> {
        // It comes from the driver, and is asked for right after it: nobody has to be woken for it, nor may it be put off.
        let mut answer = pin!(unconstrained(self.sender.try_send_request(request)));
        let driver = &mut self.driver;
        let mut ended = false;
        poll_fn(|cx| {
            if !ended {
                // What ends it is told to the one who waits for an answer.
                ended = driver.as_mut().poll(cx).is_ready();
            }
            answer.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        })
        .await
        .map_err(|mut error| {
            let unsent = error.take_message();
            (error.into_error(), unsent)
        })
    }

    /// Reads and writes what can be; ready when the connection has ended.
    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.driver.as_mut().poll(cx).map(|_| ())
    }
}

// === impl Answer ===

impl Answer {
    /// All of it, where it is small and has come already: then nothing needs to be watched.
    pub fn whole(&mut self) -> Option<Bytes> {
        if self.size_hint().exact().is_none_or(|length| length > SMALL) {
            return None;
        }
        // Nothing is waited for, so nobody is to be woken; whoever waits for the rest polls all of it again.
        let cx = &mut Context::from_waker(Waker::noop());
        if self
            .connection
            .as_mut()
            .is_some_and(|(connection, _)| connection.drive(cx).is_ready())
        {
            self.connection = None;
        }
        let frame = Pin::new(&mut *self).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = frame {
            self.first = frame.into_data().ok();
        }
        if self.body.is_end_stream() { self.first.take() } else { None }
    }

    /// Gives back a connection that can take the next call. One that still sends the request, which MLflow has not waited for, cannot.
    fn settle(&mut self, cx: &mut Context<'_>) {
        if let Some((mut connection, to)) = self.connection.take()
            && connection.drive(cx).is_pending()
            && connection.sender.is_ready()
        {
            self.door.keep(connection, to);
        }
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let mut frame = Pin::new(&mut this.body).poll_frame(cx);
        if frame.is_pending()
            && let Some((connection, _)) = &mut this.connection
        {
            if connection.drive(cx).is_ready() {
                this.connection = None;
            }
            frame = Pin::new(&mut this.body).poll_frame(cx);
        }
        if matches!(frame, Poll::Ready(None)) || this.body.is_end_stream() {
            this.settle(cx);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (first, rest) = (self.first.as_ref().map_or(0, Bytes::len) as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + first);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + first);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use axum::body::Body;
    use bytes::Bytes;
    use futures::stream;
    use http::{Method, Request, Response};
    use http_body::Body as _;
    use http_body_util::BodyExt as _;
    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
        net::{TcpListener, TcpStream},
        sync::mpsc,
    };

    use super::{Answer, Door};

    /// Answers each request, by its number on its connection, with some bytes; those end it that hold `close`.
    async fn server(answer: fn(usize) -> &'static str) -> (String, Arc<AtomicUsize>, mpsc::UnboundedReceiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        let (closed, closes) = mpsc::unbounded_channel();
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let closed = closed.clone();
                tokio::spawn(async move {
                    attend(stream, answer).await;
                    closed.send(()).ok();
                });
            }
        });
        (address, connections, closes)
    }

    async fn attend(stream: TcpStream, answer: fn(usize) -> &'static str) {
        let mut stream = BufReader::new(stream);
        for number in 0.. {
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            let answer = answer(number);
            if stream.get_mut().write_all(answer.as_bytes()).await.is_err() || answer.contains("close") {
                return;
            }
        }
    }

    fn request(address: &str, body: Body) -> Request<Body> {
        Request::get(format!("http://{address}/x"))
            .header("host", address)
            .body(body)
            .unwrap()
    }

    async fn ask(door: &Door, address: &str) -> Response<Answer> {
        door.send(request(address, Body::empty())).await.unwrap()
    }

    async fn text(answer: Response<Answer>) -> Bytes {
        answer.into_body().collect().await.unwrap().to_bytes()
    }

    #[tokio::test]
    async fn a_connection_serves_one_call_after_the_other() {
        let (address, connections, _closes) = server(|_| "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        let door = Door::new().unwrap();
        for _ in 0..5 {
            assert_eq!(text(ask(&door, &address).await).await, "ok");
        }
        assert_eq!(connections.load(Ordering::SeqCst), 1);
        let (first, second) = (ask(&door, &address).await, ask(&door, &address).await);
        assert_eq!(connections.load(Ordering::SeqCst), 2);
        assert_eq!((text(first).await, text(second).await), ("ok".into(), "ok".into()));
    }

    #[tokio::test]
    async fn chunks_and_answers_without_content_give_their_connection_back_too() {
        let (address, connections, _closes) = server(|number| match number % 3 {
            0 => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            1 => "HTTP/1.1 204 No Content\r\n\r\n",
            _ => "HTTP/1.1 304 Not Modified\r\n\r\n",
        })
        .await;
        let door = Door::new().unwrap();
        for _ in 0..6 {
            text(ask(&door, &address).await).await;
        }
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_connection_that_mlflow_has_closed_is_not_used() {
        let (address, connections, mut closes) = server(|_| "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nclose").await;
        let door = Door::new().unwrap();
        for number in 1..=3 {
            assert_eq!(text(ask(&door, &address).await).await, "close");
            closes.recv().await.unwrap();
            assert_eq!(connections.load(Ordering::SeqCst), number);
        }
    }

    #[tokio::test]
    async fn an_answer_before_the_end_of_the_request_spends_the_connection() {
        let (address, connections, _closes) = server(|_| "HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno").await;
        let door = Door::new().unwrap();
        let endless = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let mut request = request(&address, endless);
        // hyper sends no chunks with a GET.
        *request.method_mut() = Method::POST;
        let answer = door.send(request).await.unwrap();
        assert_eq!(text(answer).await, "no");
        assert_eq!(text(ask(&door, &address).await).await, "no");
        assert_eq!(connections.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_takes_its_connection_with_it() {
        let (address, _connections, mut closes) = server(|_| "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await;
        let door = Door::new().unwrap();
        let answer = ask(&door, &address).await;
        let mut body = pin!(answer.into_body());
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "half");
        assert_eq!(body.size_hint().exact(), Some(5));
        // Its `pin!` keeps it until the end of this scope.
        body.set(ask(&door, &address).await.into_body());
        closes.recv().await.unwrap();
    }

    #[tokio::test]
    async fn a_small_answer_that_is_there_is_whole() {
        let (address, ..) = server(|_| "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        let door = Door::new().unwrap();
        assert_eq!(ask(&door, &address).await.into_body().whole().unwrap_or_default(), "ok");
        let (address, ..) = server(|_| "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await;
        let mut half = ask(&door, &address).await.into_body();
        assert_eq!(half.whole(), None);
        assert_eq!(half.frame().await.unwrap().unwrap().into_data().unwrap(), "half");
    }

    #[tokio::test]
    async fn nobody_there_is_told_from_somebody_who_breaks_off() {
        let door = Door::new().unwrap();
        let nobody = door.send(request("127.0.0.1:1", Body::empty())).await.err().unwrap();
        assert!(matches!(nobody, super::Failure::Connect(_)), "{nobody}");
        let (address, ..) = server(|_| "HTTP/1.1 close").await;
        let broken = door.send(request(&address, Body::empty())).await.err().unwrap();
        assert!(matches!(broken, super::Failure::Broken(_)), "{broken}");
    }
}
