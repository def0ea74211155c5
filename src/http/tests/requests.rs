use super::{BOUNDS, answer, answers, connect, served};

#[tokio::test]
async fn a_path_is_answered_and_its_head_without_the_content() {
    let serving = served(BOUNDS).await;
    let got = answers(&serving, b"GET /word HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(got.starts_with("HTTP/1.1 200 OK\r\n"), "{got}");
    assert!(got.ends_with("\r\n\r\nword"), "{got}");
    let got = answers(&serving, b"HEAD /word HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(got.contains("content-length: 4\r\n") && got.ends_with("\r\n\r\n"), "{got}");
    serving.stop().await;
}

#[tokio::test]
async fn what_is_not_there_or_not_done_is_a_problem_that_a_program_can_read() {
    let serving = served(BOUNDS).await;
    let got = answers(&serving, b"GET /other HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(got.starts_with("HTTP/1.1 404 "), "{got}");
    assert!(got.contains("content-type: application/problem+json\r\n"), "{got}");
    let body =
        r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"nothing is at this path"}"#;
    assert!(got.ends_with(body), "{got}");
    for method in ["OPTIONS", "TRACE", "DELETE", "PATCH"] {
        let request = format!("{method} /word HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let got = answers(&serving, request.as_bytes()).await;
        assert!(got.starts_with("HTTP/1.1 405 ") && got.contains("allow: GET,HEAD\r\n"), "{got}");
    }
    serving.stop().await;
}

#[tokio::test]
async fn requests_that_come_together_are_answered_in_their_order() {
    let serving = served(BOUNDS).await;
    let two = b"POST /said HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n\"first\"\
        GET /word HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let got = answers(&serving, two).await;
    assert_eq!(got.matches("HTTP/1.1 200 OK").count(), 2, "{got}");
    assert!(got.find("first") < got.find("word"), "{got}");
    serving.stop().await;
}

/// What a proxy in front could read in one way, and this server in another, is read in no way: whatever follows is never
/// taken for a request.
#[tokio::test]
async fn a_request_of_which_the_end_could_be_seen_at_two_places_is_refused() {
    let inner = "GET /word HTTP/1.1\r\nHost: a\r\n\r\n";
    let shapes = [
        ("411", format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", inner.len())),
        ("411", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n".into()),
        ("411", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n".into()),
        ("400", "Transfer-Encoding: gzip\r\n\r\n".into()),
        ("400", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n".into()),
        ("400", "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd".into()),
        ("400", "Content-Length: +3\r\n\r\nabc".into()),
        ("400", "Content-Length : 3\r\n\r\nabc".into()),
        ("400", "Content-Length: 3, 3\r\n\r\nabc".into()),
        ("400", "Content-Length: 0\r\n folded: 1\r\n\r\n".into()),
        ("400", "Host: b\r\nContent-Length: 0\r\n\r\n".into()),
        ("400", "X: a\0b\r\nContent-Length: 0\r\n\r\n".into()),
    ];
    let serving = served(BOUNDS).await;
    for (status, shape) in shapes {
        let request = format!("POST /said HTTP/1.1\r\nHost: a\r\n{shape}{inner}");
        let got = answers(&serving, request.as_bytes()).await;
        assert!(got.starts_with(&format!("HTTP/1.1 {status} ")), "{shape:?}: {got}");
        assert_eq!(got.matches("HTTP/1.1 ").count(), 1, "{shape:?}: {got}");
    }
    serving.stop().await;
}

#[tokio::test]
async fn a_request_without_a_host_or_of_another_protocol_is_refused() {
    let serving = served(BOUNDS).await;
    let got = answers(&serving, b"GET /word HTTP/1.1\r\n\r\n").await;
    assert!(got.starts_with("HTTP/1.1 400 ") && got.contains("exactly one Host"), "{got}");
    for other in
        ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", "\r\r\r\n\n\x00"]
    {
        let got = answers(&serving, other.as_bytes()).await;
        assert!(!got.contains(" 200 "), "{other:?}: {got}");
    }
    serving.stop().await;
}

#[tokio::test]
async fn a_connection_is_closed_after_its_last_request() {
    let serving = served(super::Bounds { requests: 2, ..BOUNDS }).await;
    let mut stream = connect(&serving).await;
    let request = "GET /word HTTP/1.1\r\nHost: a\r\n\r\n";
    assert!(!answer(&mut stream, request).await.contains("connection: close"));
    assert!(answer(&mut stream, request).await.contains("connection: close"));
    assert_eq!(super::rest(&mut stream).await, "");
    serving.stop().await;
}
