use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;

use super::{BOUNDS, Bounds, Listen, answer, bind, connect, rest, router, served};

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
    let serving = bind(&listen, BOUNDS).await.unwrap().serve(router(&told));
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

/// A request of which the content is waited for, and does not come.
async fn half_sent(stream: &mut TcpStream) {
    let head = "POST /said HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n";
    assert!(answer(stream, head).await.starts_with("HTTP/1.1 100 "));
}

#[tokio::test]
async fn who_does_not_say_what_he_wants_makes_room_for_who_does() {
    let serving = served(BOUNDS).await;
    let mut waiting = Vec::new();
    for _ in 0..BOUNDS.connections * 2 {
        let mut stream = connect(&serving).await;
        half_sent(&mut stream).await;
        waiting.push(stream);
    }
    let mut stream = connect(&serving).await;
    assert!(answer(&mut stream, WORD).await.ends_with("word"));
    // Who came last still has his place.
    let last = waiting.last_mut().unwrap();
    let said = "HTTP/1.1 200 OK";
    last.write_all(b"\"7 bytes\"").await.unwrap();
    let mut got = vec![0; said.len()];
    last.read_exact(&mut got).await.unwrap();
    assert_eq!(String::from_utf8(got).unwrap(), said);
    serving.stop().await;
}

#[tokio::test]
async fn nobody_takes_more_than_his_share_of_the_places_and_makes_room_himself() {
    let told = Arc::new(Notify::new());
    let listen = Listen::Address(([127, 0, 0, 1], 0).into());
    let bounds = Bounds { share: 2, ..BOUNDS };
    let serving = bind(&listen, bounds).await.unwrap().serve(router(&told));
    let Listen::Address(address) = serving.address() else { unreachable!("an address") };
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 2], 0).into()).unwrap();
    let mut other = socket.connect(*address).await.unwrap();
    assert!(answer(&mut other, WORD).await.ends_with("word"));
    let (mut first, mut second) = (connect(&serving).await, connect(&serving).await);
    for stream in [&mut first, &mut second] {
        assert!(answer(stream, WORD).await.ends_with("word"));
    }
    let mut third = connect(&serving).await;
    assert!(answer(&mut third, WORD).await.ends_with("word"));
    assert!(first.read(&mut [0]).await.is_ok_and(|read| read == 0));
    for stream in [&mut second, &mut third, &mut other] {
        assert!(answer(stream, WORD).await.ends_with("word"));
    }
    serving.stop().await;
}

#[tokio::test]
async fn what_is_under_way_is_answered_before_it_stops() {
    let told = Arc::new(Notify::new());
    let listen = Listen::Address(([127, 0, 0, 1], 0).into());
    let serving = bind(&listen, BOUNDS).await.unwrap().serve(router(&told));
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
    assert!(bind(&address, BOUNDS).await.is_ok(), "the socket is free again");
}
