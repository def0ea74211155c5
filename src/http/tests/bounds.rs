use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{BOUNDS, Bounds, answers, connect, rest, served};

const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_gigabyte_that_is_announced_is_refused_before_it_comes() {
    let serving = served(BOUNDS).await;
    let head = b"POST /said HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n\r\n";
    let got = answers(&serving, head).await;
    assert!(
        got.starts_with("HTTP/1.1 413 ") && got.contains("at most 1000 bytes of content are taken"),
        "{got}"
    );
    let expecting =
        b"POST /said HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1073741824\r\n\r\n";
    assert!(answers(&serving, expecting).await.starts_with("HTTP/1.1 413 "));
    serving.stop().await;
}

#[tokio::test]
async fn who_goes_on_sending_still_reads_why_nobody_takes_it() {
    let serving = served(BOUNDS).await;
    let mut stream = connect(&serving).await;
    stream.write_all(b"POST /said HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n").await.unwrap();
    stream.write_all(&vec![b' '; 1_000_000]).await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 413 "));
    serving.stop().await;
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_whether_or_not_it_ends() {
    let serving = served(BOUNDS).await;
    let long = "y".repeat(9000);
    let got =
        answers(&serving, format!("GET /word HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n").as_bytes()).await;
    assert!(got.starts_with("HTTP/1.1 431 "), "{got}");
    let got = answers(&serving, format!("GET /{long}").as_bytes()).await;
    assert!(got.starts_with("HTTP/1.1 4"), "{got}");
    serving.stop().await;
}

#[tokio::test]
async fn a_head_that_takes_too_long_ends_the_connection() {
    let serving = served(Bounds { head_time: SHORT, ..BOUNDS }).await;
    for begun in ["", "GET /word HT", "GET /word HTTP/1.1\r\nHost: a\r\nX: "] {
        assert_eq!(answers(&serving, begun.as_bytes()).await, "", "{begun:?}");
    }
    serving.stop().await;
}

/// The time counts from the beginning: a byte is no reason to wait longer. Whoever waits for each would come to a head that is too
/// long, and say so.
#[tokio::test]
async fn a_head_that_comes_byte_by_byte_gets_no_more_time_for_any_of_them() {
    let serving = served(Bounds { head_time: SHORT, ..BOUNDS }).await;
    let mut stream = connect(&serving).await;
    stream.write_all(b"GET /word HTTP/1.1\r\nHost: a\r\nX: ").await.unwrap();
    for _ in 0..BOUNDS.head_bytes {
        if stream.write_all(b"y").await.is_err() {
            break;
        }
        tokio::time::sleep(SHORT / 10).await;
    }
    let mut told = Vec::new();
    let _ = stream.read_to_end(&mut told).await;
    assert_eq!(String::from_utf8_lossy(&told), "");
    serving.stop().await;
}

#[tokio::test]
async fn content_that_takes_too_long_is_refused() {
    let serving = served(Bounds { body_time: SHORT, ..BOUNDS }).await;
    let got = answers(&serving, b"POST /said HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc").await;
    assert!(got.starts_with("HTTP/1.1 408 "), "{got}");
    serving.stop().await;
}

#[tokio::test]
async fn who_does_not_read_his_answer_does_not_keep_it() {
    let serving = served(Bounds { body_time: SHORT, connections: 1, ..BOUNDS }).await;
    let mut stream = connect(&serving).await;
    stream.write_all(b"GET /much HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    stream.read_exact(&mut [0; 4]).await.unwrap();
    // The only place is his until the answer is given up: it is never idle.
    let word = "GET /word HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    loop {
        let mut other = connect(&serving).await;
        let mut read = Vec::new();
        if other.write_all(word.as_bytes()).await.is_ok()
            && other.read_to_end(&mut read).await.is_ok_and(|n| n > 0)
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read).await;
    assert!(read.len() < 64 << 20, "{}", read.len());
    serving.stop().await;
}
