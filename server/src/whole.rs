//! What is not left half done.

use crate::error::{Error, Result};

/// Does `work` to its end: who hangs up in the middle does not stop it there.
///
/// # Errors
/// As `work`.
pub async fn whole<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    tokio::spawn(work).await.map_err(|error| Error::Internal(error.into()))?
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::{Router, routing::get};
    use tokio::{
        io::AsyncWriteExt as _,
        net::{TcpListener, TcpStream},
        sync::oneshot,
    };

    use super::whole;

    #[tokio::test]
    async fn a_connection_that_hangs_up_does_not_stop_the_work() {
        let (begun, has_begun) = oneshot::channel();
        let (asker, asker_is_gone) = oneshot::channel::<()>();
        let (go_on, may_go_on) = oneshot::channel();
        let (done, is_done) = oneshot::channel();
        let once = Arc::new(Mutex::new(Some((begun, asker, may_go_on, done))));
        let work = move || async move {
            let (begun, _asker, may_go_on, done) = once.lock().unwrap().take().unwrap();
            let work = async move {
                begun.send(()).unwrap();
                may_go_on.await.unwrap();
                done.send(()).unwrap();
                Ok("done")
            };
            whole(work).await
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/", get(work))).await });

        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
        has_begun.await.unwrap();
        drop(connection);
        asker_is_gone.await.unwrap_err();
        go_on.send(()).unwrap();
        is_done.await.unwrap();
    }
}
