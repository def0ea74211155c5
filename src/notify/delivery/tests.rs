//! Targets that take what they are told, and others.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac::{HMAC_SHA256, Key};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Notifying, send, test};
use crate::notify::message::signature;
use crate::notify::{Hook, Message, Occasion, Target, Way};

const REFUSED: &str =
    r#"{"event":"configuration-refused","sequence":7,"problems":["a.toml:3:1: peer: is missing"]}"#;

fn target(address: String) -> Target {
    let hook = Hook { authority: address.clone(), address, path: "/told?by=gate".into(), tls: None };
    Target {
        name: "on-call".into(),
        way: Way::Hook(hook),
        when: [Occasion::ConfigurationRefused].into(),
        repeat: Duration::from_secs(3600),
        key: Some(Key::new(HMAC_SHA256, b"a key")),
        fingerprint: "one".into(),
    }
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// Reads one request, answers, and gives its head and body.
async fn serve(listener: &TcpListener, answer: &str) -> (String, String) {
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut text = Vec::new();
    let (head, body) = loop {
        let mut piece = [0; 4096];
        let count = socket.read(&mut piece).await.unwrap();
        text.extend_from_slice(&piece[..count]);
        let whole = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = whole.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                break (head.to_owned(), body.to_owned());
            }
        }
    };
    socket.write_all(answer.as_bytes()).await.unwrap();
    (head, body)
}

#[tokio::test]
async fn a_hook_gets_a_signed_message_of_what_it_wants_to_be_told_and_nothing_else() {
    let (listener, address) = listener().await;
    let notifying = Notifying::start(&[Arc::new(target(address))], "gate-1");
    notifying.record(r#"{"event":"started","sequence":1}"#);
    notifying.record(REFUSED);
    let (head, body) = serve(&listener, "HTTP/1.1 204 No Content\r\n\r\n").await;
    assert!(head.starts_with("POST /told?by=gate HTTP/1.1\r\n"), "{head}");
    let signed = signature(&Key::new(HMAC_SHA256, b"a key"), body.as_bytes());
    assert!(head.contains(&format!("dimsegate-signature: {signed}")), "{head}");
    let told: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(told["occasion"], "configuration-refused");
    assert_eq!(told["explanation"], "a.toml:3:1: peer: is missing");
    assert_eq!(
        (&told["host"], &told["notification"], &told["count"]),
        (&"gate-1".into(), &"on-call".into(), &1.into())
    );
}

#[tokio::test]
async fn what_happens_while_a_target_is_slow_is_counted_to_the_last() {
    let (listener, address) = listener().await;
    let notifying = Notifying::start(&[Arc::new(target(address))], "gate-1");
    for _ in 0..1000 {
        notifying.record(REFUSED);
    }
    let (_, body) = serve(&listener, "HTTP/1.1 204 No Content\r\n\r\n").await;
    let told: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(told["count"], 1000);
}

#[tokio::test]
async fn a_redirection_is_not_followed_and_is_said() {
    let (listener, address) = listener().await;
    let circle =
        format!("HTTP/1.1 302 Found\r\nlocation: http://{address}/told\r\ncontent-length: 0\r\n\r\n");
    let target = target(address);
    let message = message();
    let (sent, _) = tokio::join!(send(&target, &message, super::PATIENCE), serve(&listener, &circle));
    assert_eq!(sent.unwrap_err().to_string(), "the hook answers 302 Found; redirections are not followed");
}

#[tokio::test]
async fn a_hook_that_never_answers_is_not_waited_for_without_end() {
    let (_listener, address) = listener().await;
    let sent = send(&target(address), &message(), Duration::from_millis(50)).await;
    assert_eq!(sent.unwrap_err().to_string(), "no answer within 50ms");
}

#[tokio::test]
async fn a_target_can_be_tested() {
    let (listener, address) = listener().await;
    let target = target(address);
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let (sent, (_, body)) = tokio::join!(test(&target, "gate-1"), serve(&listener, ok));
    sent.unwrap();
    assert!(body.contains("this is a test"), "{body}");
    let told: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&told["occasion"], &told["reason"]), (&"test".into(), &serde_json::Value::Null));
    assert!(!Occasion::ALL.contains(&Occasion::Test), "no value of when");
}

fn message() -> Message {
    Message {
        time: "2026-11-30T10:00:00Z".into(),
        host: "gate-1".into(),
        notification: "on-call".into(),
        occasion: Occasion::Disk,
        reason: String::new(),
        peer: String::new(),
        explanation: "full".into(),
        count: 1,
    }
}
