use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use super::{BOUNDS, Listen, answer, bind, connect, rest, router, served};

const WORD: &str = "GET /word HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn however_many_connect_there_are_no_more_places_and_the_longest_idle_makes_room() {
    const MANY: usize = 400;
    let serving = served(BOUNDS).await;
    let mut streams = Vec::new();
    for _ in 0..MANY {
        let mut stream = connect(&serving).await;
        assert!(answer(&mut stream, WORD).await.ends_with("word"));
        streams.push(stream);
    }
    for stream in &mut streams[..MANY - BOUNDS.connections] {
        // Closed without a word, however it shows.
        assert!(stream.read(&mut [0]).await.is_ok_and(|read| read == 0) || stream.write(b"x").await.is_err());
    }
    for stream in &mut streams[MANY - BOUNDS.connections..] {
        assert!(answer(stream, WORD).await.ends_with("word"));
    }
    serving.stop().await;
}

#[tokio::test]
async fn who_waits_for_an_answer_makes_no_room() {
    let told = Arc::new(Notify::new());
    let listen = Listen::Address(([127, 0, 0, 1], 0).into());
    let serving = bind(&listen, None, BOUNDS).await.unwrap().serve(router(&told));
    let mut waiting = connect(&serving).await;
    waiting.write_all(b"GET /later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut streams = Vec::new();
    for _ in 0..BOUNDS.connections * 3 {
        let mut stream = connect(&serving).await;
        assert!(answer(&mut stream, WORD).await.ends_with("word"));
        streams.push(stream);
    }
    told.notify_one();
    assert!(rest(&mut waiting).await.ends_with("later"));
    serving.stop().await;
}

#[tokio::test]
async fn what_is_under_way_is_answered_before_it_stops() {
    let told = Arc::new(Notify::new());
    let listen = Listen::Address(([127, 0, 0, 1], 0).into());
    let serving = bind(&listen, None, BOUNDS).await.unwrap().serve(router(&told));
    let mut stream = connect(&serving).await;
    // The first answer says that the connection is served.
    assert!(answer(&mut stream, WORD).await.ends_with("word"));
    stream.write_all(b"GET /later HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let address = serving.address().clone();
    told.notify_one();
    let (got, ()) = tokio::join!(rest(&mut stream), async {
        tokio::task::yield_now().await;
        serving.stop().await;
    });
    assert!(got.is_empty() || got.ends_with("later"), "{got}");
    assert!(bind(&address, None, BOUNDS).await.is_ok(), "the socket is free again");
}
