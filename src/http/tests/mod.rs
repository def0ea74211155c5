mod bounds;
mod places;
mod requests;
mod sockets;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Extension;
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::{Bounds, Caller, Listen, Serving, bind};

/// Longer than any test lasts.
const LONG: Duration = Duration::from_secs(600);

const BOUNDS: Bounds = Bounds {
    connections: 8,
    share: 8,
    head_bytes: 8192,
    head_time: LONG,
    body_bytes: 1000,
    body_time: LONG,
    requests: 1000,
};

/// `/word` says one, `/said` what it was told, `/caller` who asks, `/later` waits for `told`.
fn router(told: &Arc<Notify>) -> Router {
    let told = told.clone();
    Router::new()
        .route("/word", get(|| async { "word" }))
        .route("/said", post(|Json(said): Json<String>| async move { said }))
        .route("/caller", get(|Extension(caller): Extension<Caller>| async move { format!("{caller:?}") }))
        .route(
            "/later",
            get(move || async move {
                told.notified().await;
                "later"
            }),
        )
        .route("/much", get(|| async { vec![b'x'; 64 << 20] }))
}

/// On a port that the system chose.
async fn served(bounds: Bounds) -> Serving {
    let listen = Listen::Address(([127, 0, 0, 1], 0).into());
    bind(&listen, bounds).await.unwrap().serve(router(&Arc::default()))
}

async fn connect(serving: &Serving) -> TcpStream {
    let Listen::Address(address) = serving.address() else { unreachable!("an address") };
    TcpStream::connect(address).await.unwrap()
}

/// What is answered to these bytes until the connection is closed.
async fn answers(serving: &Serving, bytes: &[u8]) -> String {
    let mut stream = connect(serving).await;
    stream.write_all(bytes).await.unwrap();
    rest(&mut stream).await
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    stream.read_to_end(&mut read).await.unwrap();
    String::from_utf8(read).unwrap()
}

/// One answer of a connection that is kept.
async fn answer(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            if length.is_none_or(|length| body.len() >= length.parse().unwrap()) {
                return text.into_owned();
            }
        }
        let mut byte = [0; 4096];
        let got = stream.read(&mut byte).await.unwrap();
        assert_ne!(got, 0, "closed after {:?}", String::from_utf8_lossy(&read));
        read.extend(&byte[..got]);
    }
}
