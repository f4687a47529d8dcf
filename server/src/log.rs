//! The log: one line an event, with the id of the request that it is about.

use std::{fmt, time::Instant};

use axum::{
    extract::Request,
    http::{HeaderValue, Method},
    response::Response,
};
use tracing::{Event, Level, Subscriber, enabled};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    registry::LookupSpan,
};

tokio::task_local! {
    /// A span would cost each request more than its authentication does, for lines that are hardly ever written.
    static REQUEST: HeaderValue;
}

/// `2026-11-21T09:00:00.000000Z  INFO 4f1c…: what happened`
struct Lines;

/// One line a request, where somebody wants it.
pub struct Access(Option<Seen>);

struct Seen {
    method: Method,
    path: String,
    start: Instant,
}

/// Writes to standard error what `filter` lets pass.
pub fn start(filter: EnvFilter) {
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Standard error may be a file on a full disk; to complain of that there, it would panic.
        .log_internal_errors(false)
        .event_format(Lines)
        .init();
}

/// What is logged meanwhile bears this id.
pub fn within<T>(id: HeaderValue, work: impl Future<Output = T>) -> impl Future<Output = T> {
    REQUEST.scope(id, work)
}

// === impl Lines ===

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        SystemTime.format_time(&mut writer)?;
        write!(writer, " {:>5} ", event.metadata().level())?;
        REQUEST
            .try_with(|id| write!(writer, "{}: ", id.to_str().unwrap_or("-")))
            .unwrap_or(Ok(()))?;
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

// === impl Access ===

impl Access {
    pub fn of(request: &Request) -> Self {
        Self(enabled!(target: "server::access", Level::DEBUG).then(|| Seen {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            start: Instant::now(),
        }))
    }

    pub fn answered(self, response: &Response) {
        if let Some(Seen { method, path, start }) = self.0 {
            let (status, took) = (response.status().as_u16(), start.elapsed().as_millis());
            tracing::debug!(target: "server::access", status, took, "{method} {path}");
        }
    }
}
