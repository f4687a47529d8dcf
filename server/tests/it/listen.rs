//! The listener and the admission of requests, called over raw sockets: what is malformed, ambiguous, slow or too large.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
};
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use server::{admission, error::Error, listen};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{RwLockReadGuard, oneshot},
    task::JoinHandle,
    time::timeout,
};

use crate::app::CALM;

/// A listener before a service that tells what it saw.
struct Echo {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<io::Result<()>>,
    _calm: RwLockReadGuard<'static, ()>,
}

/// What `echo` answers: a line for the request, one for each field, and one for the body.
async fn echo(request: Request) -> String {
    let (parts, body) = request.into_parts();
    let mut text = format!("{} {}\n", parts.method, parts.uri);
    for (name, value) in &parts.headers {
        text += &format!("{name}: {}\n", value.to_str().unwrap());
    }
    match body.collect().await {
        Ok(body) => text + &format!("= {}\n", body.to_bytes().len()),
        Err(_) => text + "= broken\n",
    }
}

/// An answer that never ends.
async fn drip() -> Body {
    let pieces = futures::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok::<_, std::io::Error>("drop\n"), ()))
    });
    Body::from_stream(pieces.boxed())
}

fn quick() -> listen::Bounds {
    listen::Bounds {
        head: Duration::from_millis(300),
        idle: Duration::from_millis(900),
        body: Duration::from_millis(300),
        ..listen::Bounds::default()
    }
}

// === impl Echo ===

impl Echo {
    async fn start() -> Self {
        Self::within(quick(), Duration::from_secs(1)).await
    }

    async fn within(bounds: listen::Bounds, drain: Duration) -> Self {
        let calm = CALM.read().await;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = Router::new().route("/drip", axum::routing::get(drip)).fallback(echo).layer(from_fn(
            async move |mut request: Request, next: Next| {
                admission::admit(&mut request)?;
                Ok::<_, Error>(next.run(request).await)
            },
        ));
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            stopped.await.ok();
        };
        let ended = tokio::spawn(listen::serve_within(bounds, listener, service, shutdown, drain));
        Self {
            address,
            stop,
            ended,
            _calm: calm,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes and reads until the connection closes or nothing has come for a while.
    async fn say(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        // The other side may close before it has read all.
        stream.write_all(bytes.as_ref()).await.ok();
        read(&mut stream).await
    }
}

async fn read(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(Ok(count @ 1..)) = timeout(Duration::from_millis(200), stream.read(&mut piece)).await {
        answer.extend_from_slice(&piece[..count]);
    }
    String::from_utf8(answer).unwrap()
}

/// Whether the other side closes within `limit`, and how long it takes.
async fn closes(stream: &mut TcpStream, limit: Duration) -> Option<Duration> {
    let start = Instant::now();
    let mut piece = [0; 4096];
    loop {
        match timeout(limit.saturating_sub(start.elapsed()), stream.read(&mut piece)).await {
            Err(_) => return None,
            Ok(Ok(0) | Err(_)) => return Some(start.elapsed()),
            Ok(Ok(_)) => {}
        }
    }
}

fn status(answer: &str) -> &str {
    answer
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| answer.strip_prefix("HTTP/1.0 "))
        .map_or(answer, |rest| &rest[..3])
}

#[tokio::test]
async fn one_address_does_not_take_every_place() {
    let bounds = listen::Bounds { per_address: 2, ..quick() };
    let echo = Echo::within(bounds, Duration::from_secs(1)).await;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut stream = echo.connect().await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert!(read(&mut stream).await.starts_with("HTTP/1.1 200"));
        kept.push(stream);
    }
    assert!(closes(&mut echo.connect().await, Duration::from_secs(5)).await.is_some());
    kept.clear();
    let again = async { while !echo.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.starts_with("HTTP/1.1 200") {} };
    timeout(Duration::from_secs(5), again)
        .await
        .expect("a place that was given back is free");
}

#[tokio::test]
async fn a_plain_request_is_served() {
    let echo = Echo::start().await;
    let answer = echo
        .say("GET /a?b=c HTTP/1.1\r\nHost: ml.example.org:5050\r\nX-One: 1\r\n\r\n")
        .await;
    assert_eq!(status(&answer), "200", "{answer}");
    assert!(answer.contains("GET /a?b=c\n") && answer.contains("x-one: 1\n"), "{answer}");
}

#[tokio::test]
async fn there_is_exactly_one_valid_host() {
    let echo = Echo::start().await;
    for hosts in [
        "",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nhost: b\r\n",
        "Host:\r\n",
        "Host: a@b\r\n",
        "Host: a/b\r\n",
        "Host: a, b\r\n",
    ] {
        let answer = echo.say(format!("GET / HTTP/1.1\r\n{hosts}\r\n")).await;
        assert_eq!(status(&answer), "400", "{hosts:?}: {answer}");
        assert!(answer.contains("\"error_code\":\"INVALID_PARAMETER_VALUE\""), "{answer}");
    }
    assert_eq!(status(&echo.say("GET / HTTP/1.0\r\n\r\n").await), "400");
}

#[tokio::test]
async fn an_absolute_target_agrees_with_its_host() {
    let echo = Echo::start().await;
    let answer = echo.say("GET http://a.example/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n").await;
    assert!(answer.contains("GET /x?y\n"), "{answer}");
    for target in ["http://b.example/x", "http://a.example:81/x", "http://u@a.example/x"] {
        assert_eq!(
            status(&echo.say(format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n")).await),
            "400",
            "{target}"
        );
    }
}

#[tokio::test]
async fn tunnels_and_echoes_are_refused() {
    let echo = Echo::start().await;
    assert_eq!(status(&echo.say("TRACE / HTTP/1.1\r\nHost: a\r\nCookie: s=1\r\n\r\n").await), "405");
    assert_eq!(status(&echo.say("CONNECT b:80 HTTP/1.1\r\nHost: b:80\r\n\r\n").await), "405");
}

/// Two readers, one of whom believes the length and one the chunks, would see different requests. Here the chunks count, and whatever
/// follows is never read.
#[tokio::test]
async fn a_length_beside_chunks_hides_nothing() {
    let echo = Echo::start().await;
    let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    for fields in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 44\r\n",
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
    ] {
        let mut stream = echo.connect().await;
        stream
            .write_all(format!("POST /open HTTP/1.1\r\nHost: a\r\n{fields}\r\n0\r\n\r\n{hidden}").as_bytes())
            .await
            .unwrap();
        let answer = read(&mut stream).await;
        assert!(!answer.contains("/hidden"), "{fields}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{fields}: {answer}");
        assert!(
            answer.contains("= 0\n") && !answer.contains("content-length: 4"),
            "{fields}: {answer}"
        );
        assert!(
            closes(&mut stream, Duration::from_millis(100)).await.is_some(),
            "{fields}: the connection stays open"
        );
    }
}

#[tokio::test]
async fn malformed_framing_is_refused() {
    let echo = Echo::start().await;
    for fields in [
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: 1, 2\r\n",
        "Content-Length: +1\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x1\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Content-Length : 1\r\n",
        "X: a\r\n folded\r\n",
        "X: a\0b\r\n",
        "X: a\rb\r\n",
        "X Y: a\r\n",
        ": a\r\n",
    ] {
        let answer = echo.say(format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\nx")).await;
        assert_eq!(status(&answer), "400", "{fields:?}: {answer}");
    }
    assert_eq!(
        status(
            &echo
                .say("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
                .await
        ),
        "400"
    );
    // Two equal lengths are one length (RFC 9110 §8.6), and are handed on as one.
    let answer = echo
        .say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx")
        .await;
    assert_eq!(answer.matches("content-length: 1\n").count(), 1, "{answer}");
}

/// RFC 9112 §2.2 lets a reader take a bare LF for a line's end. What counts is that it ends one request and begins no second.
#[tokio::test]
async fn a_bare_line_feed_makes_no_second_request() {
    let echo = Echo::start().await;
    let answer = echo.say("GET /one HTTP/1.1\nHost: a\nX-One: 1\n\n").await;
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    assert!(answer.contains("GET /one\n") && answer.contains("x-one: 1\n"), "{answer}");
}

#[tokio::test]
async fn ambiguous_fields_are_dropped() {
    let echo = Echo::start().await;
    let fields = "X_Forwarded_For: 127.0.0.1\r\nX-Kept: 1\r\nConnection: keep-alive, X-Foo\r\nX-Foo: 1\r\nx-foo: 2\r\n";
    let answer = echo.say(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")).await;
    assert!(answer.contains("x-kept: 1\n"), "{answer}");
    assert!(!answer.contains("x-foo:") && !answer.contains("x_forwarded_for"), "{answer}");
    for name in ["Host", "Cookie", "authorization", "X-Forwarded-For", "content-length", "X-API-Key"] {
        assert_eq!(
            status(
                &echo
                    .say(format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close, {name}\r\n\r\n"))
                    .await
            ),
            "400",
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_large_head_is_refused() {
    let echo = Echo::start().await;
    for size in [33_000, 60_000] {
        let answer = echo
            .say(format!("GET / HTTP/1.1\r\nHost: a\r\nX-Large: {}\r\n\r\n", "x".repeat(size)))
            .await;
        assert_eq!(status(&answer), "431", "{size}: {answer}");
    }
    for size in [66_000, 1_000_000] {
        let answer = echo
            .say(format!("GET / HTTP/1.1\r\nHost: a\r\nX-Large: {}\r\n\r\n", "x".repeat(size)))
            .await;
        // What was sent and not read resets the connection, and may take the answer with it.
        assert!(answer.is_empty() || status(&answer) == "431", "{size}: {answer}");
    }
    let answer = echo
        .say(format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X-A: 1\r\n".repeat(120)))
        .await;
    assert_eq!(status(&answer), "431", "{answer}");
    let answer = echo
        .say(format!("GET / HTTP/1.1\r\nHost: a\r\nX-Large: {}\r\n\r\n", "x".repeat(30_000)))
        .await;
    assert_eq!(status(&answer), "200");
}

#[tokio::test]
async fn a_slow_head_closes_the_connection() {
    let echo = Echo::start().await;
    let mut silent = echo.connect().await;
    silent.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n").await.unwrap();
    let took = closes(&mut silent, Duration::from_secs(2))
        .await
        .expect("a head that stops is closed");
    assert!((200..700).contains(&took.as_millis()), "{took:?}");

    // Whoever sends a little now and then is not spared, on a second request neither.
    let mut trickle = echo.connect().await;
    trickle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(status(&read(&mut trickle).await), "200");
    let start = Instant::now();
    while trickle.write_all(b"G").await.is_ok() && start.elapsed() < Duration::from_secs(2) {
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    assert!((200..900).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_idle_connection_lives_longer_than_a_slow_head_and_not_for_ever() {
    let echo = Echo::start().await;
    let mut stream = echo.connect().await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(450)).await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert_eq!(status(&read(&mut stream).await), "200");
    }
    let took = closes(&mut stream, Duration::from_secs(3))
        .await
        .expect("an idle connection is closed");
    assert!((400..1500).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test]
async fn a_body_that_stands_still_ends() {
    let echo = Echo::start().await;
    let answer = echo.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc").await;
    assert!(answer.is_empty(), "{answer}");
    let mut stream = echo.connect().await;
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(read(&mut stream).await.contains("= broken\n"));
}

#[tokio::test]
async fn a_client_may_wait_for_the_go_ahead() {
    let echo = Echo::start().await;
    let mut stream = echo.connect().await;
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        .await
        .unwrap();
    assert!(read(&mut stream).await.starts_with("HTTP/1.1 100 Continue"));
    stream.write_all(b"abc").await.unwrap();
    assert!(read(&mut stream).await.contains("= 3\n"));
}

#[tokio::test]
async fn idle_connections_keep_nobody_out() {
    let bounds = listen::Bounds {
        connections: 8,
        head: Duration::from_secs(60),
        idle: Duration::from_secs(60),
        ..quick()
    };
    let echo = Echo::within(bounds, Duration::from_secs(1)).await;
    let mut idle = Vec::new();
    for number in 0..40 {
        let mut stream = echo.connect().await;
        if number % 2 == 0 {
            stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        }
        idle.push(stream);
    }
    let start = Instant::now();
    let answer = echo.say("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status(&answer), "200", "{answer}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn busy_connections_are_not_cut_for_new_ones() {
    let echo = Echo::within(listen::Bounds { connections: 2, ..quick() }, Duration::from_secs(1)).await;
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut stream = echo.connect().await;
        stream.write_all(b"GET /drip HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut piece = [0; 4096];
        assert!(stream.read(&mut piece).await.unwrap() > 0);
        busy.push(stream);
    }
    assert_eq!(echo.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await, "", "the house is full");
    for stream in &mut busy {
        assert!(
            closes(stream, Duration::from_millis(200)).await.is_none(),
            "a busy connection was closed"
        );
    }
    drop(busy);
    assert_eq!(status(&echo.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await), "200");
}

#[tokio::test]
async fn a_stop_lets_open_requests_end_but_not_for_ever() {
    let echo = Echo::within(
        listen::Bounds {
            idle: Duration::from_secs(60),
            ..quick()
        },
        Duration::from_millis(600),
    )
    .await;
    let mut idle = echo.connect().await;
    let mut endless = echo.connect().await;
    endless.write_all(b"GET /drip HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut piece = [0; 4096];
    assert!(endless.read(&mut piece).await.unwrap() > 0);
    let mut late = echo.connect().await;
    late.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;

    let start = Instant::now();
    echo.stop.send(()).unwrap();
    assert!(
        closes(&mut idle, Duration::from_millis(300)).await.is_some(),
        "an idle connection outlives the stop"
    );
    assert!(TcpStream::connect(echo.address).await.is_err(), "the port is still open");
    late.write_all(b"abc").await.unwrap();
    assert!(read(&mut late).await.contains("= 3\n"), "an open request was cut");
    assert!(closes(&mut endless, Duration::from_secs(2)).await.is_some());
    timeout(Duration::from_secs(2), echo.ended)
        .await
        .expect("the listener ends")
        .unwrap()
        .unwrap();
    assert!((400..1500).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn small_answers_are_not_delayed() {
    let echo = Echo::start().await;
    let mut stream = echo.connect().await;
    let start = Instant::now();
    for _ in 0..50 {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut piece = [0; 4096];
        assert!(stream.read(&mut piece).await.unwrap() > 0);
    }
    // With Nagle's algorithm each exchange may wait 40 ms.
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}
