//! An MLflow behind TLS: one whose certificate nobody vouches for is not spoken to.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use reqwest::{Certificate, Client, StatusCode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

use crate::app::TestApp;

/// Of `localhost`, for a hundred years: `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 36500`.
const CERTIFICATE: &[u8] = include_bytes!("tls/certificate.der");
const KEY: &[u8] = include_bytes!("tls/key.der");

/// Answers whatever comes over TLS, and counts it.
async fn stand_in(reached: Arc<AtomicU32>) -> u16 {
    let key = PrivateKeyDer::Pkcs8(KEY.into());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![CERTIFICATE.into()], key)
        .unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, reached) = (acceptor.clone(), Arc::clone(&reached));
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                if stream.read(&mut [0; 4096]).await.is_ok_and(|length| length > 0) {
                    reached.fetch_add(1, Ordering::SeqCst);
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
                        .await
                        .ok();
                    stream.shutdown().await.ok();
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn an_mlflow_that_vouches_for_itself_is_refused() {
    let reached = Arc::new(AtomicU32::new(0));
    let url = format!("https://localhost:{}/", stand_in(Arc::clone(&reached)).await);
    let app = TestApp::before(url.parse().unwrap(), &[]).await;
    for caller in [app.known("alice", "secret"), app.anonymous()] {
        let answer = caller.get("/api/3.0/mlflow/server-info").await;
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
        let text = answer.text().await.unwrap();
        assert!(text.contains("MLflow cannot be reached"), "{text}");
    }
    assert_eq!(app.anonymous().get("/health/ready").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reached.load(Ordering::SeqCst), 0, "something was said to it");

    // It is the certificate alone: whoever trusts it is answered.
    let trusted = Certificate::from_der(CERTIFICATE).unwrap();
    let client = Client::builder().no_proxy().tls_certs_only([trusted]).build().unwrap();
    assert_eq!(client.get(url).send().await.unwrap().status(), StatusCode::OK);
}
