//! The trail read on, cursors kept, and messages to receivers on this machine.

use super::cursor::{Cursor, path_of};
use super::position::Position;
use super::*;
use crate::audit::SecurityAlert;
use crate::audit::messages::{Message, Record, Renderer, Source, State};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use time::Date;
use time::macros::date;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

const PACE: Pace = Pace {
    poll: Duration::from_millis(2),
    patience: Duration::from_secs(10),
    unacknowledged: Duration::from_secs(10),
    settling: Duration::from_millis(20),
    alarm: Duration::from_secs(60),
};
const FIRST: &str = "audit-2026-01-02.jsonl";
const SECOND: &str = "audit-2026-01-03.jsonl";

fn append(home: &Path, file: &str, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(home.join(file)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn configured(sequence: u64) -> String {
    format!(
        "{{\"time\":\"2026-01-02T03:00:00.5Z\",\"event\":\"configuration-loaded\",\"sequence\":{sequence},\"file\":\"x\"}}\n"
    )
}

fn source() -> Source {
    let (host, application) = ("gw1.example.org".into(), "dimsegate".into());
    Source { id: "dimsegate@gw1".into(), enterprise_site: None, host, application }
}

fn syslog(address: String, transport: Transport) -> Kind {
    let message_id = "IHE+RFC-3881".into();
    Kind::Syslog(Syslog { address, transport, facility: 10, severity: 5, message_id, numbered: true })
}

fn destination(kind: Kind) -> Destination {
    Destination { name: "arr".into(), source: source(), begin: Begin::Now, kind }
}

fn start(home: &Path, to: &Destination) -> Forwarding {
    Forwarding::start_at(PACE, home.to_owned(), std::slice::from_ref(to), |_| {}, |_| {}).unwrap()
}

fn text_of(home: &Path, from: &mut Position) -> String {
    let chunk = from.read(home).unwrap();
    *from = chunk.end;
    String::from_utf8(chunk.lines).unwrap()
}

#[test]
fn only_whole_lines_are_read_and_days_follow_each_other() {
    let home = TempDir::new().unwrap();
    let mut at = Position::default();
    assert_eq!(text_of(home.path(), &mut at), "");
    append(home.path(), FIRST, "one\ntw");
    append(home.path(), "forward-x.cursor", "{}");
    append(home.path(), "audit-2026-01-03.jsonl.zst", "x");
    assert_eq!(text_of(home.path(), &mut at), "one\n");
    assert_eq!(text_of(home.path(), &mut at), "");
    append(home.path(), FIRST, "o\n");
    append(home.path(), SECOND, "three\n");
    assert_eq!(text_of(home.path(), &mut at), "two\n");
    assert_eq!(at.behind(home.path()).unwrap(), 6);
    assert_eq!(text_of(home.path(), &mut at), "three\n");
    assert_eq!((at.day(), at.behind(home.path()).unwrap()), (date!(2026 - 01 - 03), 0));
    append(home.path(), SECOND, "fo");
    assert_eq!(Position::at_end(home.path()).unwrap(), at);
}

#[test]
fn a_file_that_is_gone_is_passed_over_and_one_that_shrank_is_read_again() {
    let home = TempDir::new().unwrap();
    append(home.path(), SECOND, "new\n");
    let mut at = Position { file: FIRST.into(), offset: 77 };
    assert_eq!(text_of(home.path(), &mut at), "new\n");
    let mut beyond = Position { file: SECOND.into(), offset: 77 };
    assert_eq!(text_of(home.path(), &mut beyond), "new\n");
}

#[test]
fn a_line_without_end_does_not_stop_the_others() {
    let home = TempDir::new().unwrap();
    append(home.path(), FIRST, &format!("{}\nafter\n", "x".repeat(600 * 1024)));
    let mut at = Position::default();
    assert_eq!(text_of(home.path(), &mut at), "");
    assert!(text_of(home.path(), &mut at).ends_with("x\nafter\n"));
}

#[test]
fn a_cursor_that_cannot_be_read_means_everything_again() {
    let home = TempDir::new().unwrap();
    append(home.path(), FIRST, "one\n");
    let fresh = Cursor::load(home.path(), "arr", Begin::Now).unwrap();
    assert_eq!(fresh.position, Position { file: FIRST.into(), offset: 4 });
    assert_eq!(Cursor::load(home.path(), "arr", Begin::Oldest).unwrap(), Cursor::default());
    let kept = Cursor { sequence: 7, messages: 9, ..fresh };
    kept.store(home.path(), "arr").unwrap();
    assert_eq!(Cursor::load(home.path(), "arr", Begin::Oldest).unwrap(), kept);
    fs::write(path_of(home.path(), "arr"), b"{\"file\":").unwrap();
    assert_eq!(Cursor::load(home.path(), "arr", Begin::Now).unwrap(), Cursor::default());
}

fn rendered(line: &str) -> Message {
    let record = Record::read(line.as_bytes()).unwrap();
    Renderer::new(source(), State::default()).render(&record).remove(0)
}

#[test]
fn a_syslog_message_is_rfc_5424_and_its_frame_rfc_5425() {
    let Kind::Syslog(settings) = syslog("x:1".into(), Transport::Udp) else { unreachable!() };
    let message = rendered(&configured(3));
    let bytes = super::syslog::message(&message, &source(), &settings, Some(4711), 2_147_483_648);
    let head = "<85>1 2026-01-02T03:00:00.500000Z gw1.example.org dimsegate 4711 IHE+RFC-3881 [meta sequenceId=\"1\"] \u{feff}<AuditMessage><EventIdentification ";
    assert_eq!(std::str::from_utf8(&bytes).unwrap().get(..head.len()), Some(head));
    let frame = super::syslog::frame(&bytes);
    assert!(frame.starts_with(format!("{} <85>1 ", bytes.len()).as_bytes()));
    assert_eq!(frame.len(), bytes.len() + bytes.len().to_string().len() + 1);
    let odd = Source { host: "a b\n".into(), application: "é".into(), ..source() };
    let unnumbered = Syslog { numbered: false, ..settings };
    let bytes = super::syslog::message(&message, &odd, &unnumbered, None, 1);
    assert!(
        bytes.starts_with("<85>1 2026-01-02T03:00:00.500000Z ab - - IHE+RFC-3881 - \u{feff}<".as_bytes())
    );
}

async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn datagram(socket: &UdpSocket) -> String {
    let mut buffer = vec![0; 65536];
    let length = socket.recv(&mut buffer).await.unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

fn number(message: &str) -> u64 {
    let after = message.split_once("sequenceId=\"").unwrap().1;
    after.split_once('"').unwrap().0.parse().unwrap()
}

#[tokio::test]
async fn a_restart_goes_on_where_the_cursor_is() {
    let home = TempDir::new().unwrap();
    append(home.path(), FIRST, &configured(1));
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = destination(syslog(socket.local_addr().unwrap().to_string(), Transport::Udp));
    let forwarding = start(home.path(), &to);
    append(home.path(), FIRST, &format!("{}torn{{\n{}", configured(2), configured(3)));
    assert_eq!([number(&datagram(&socket).await), number(&datagram(&socket).await)], [1, 2]);
    forwarding.stop().await;
    assert_eq!(Cursor::load(home.path(), "arr", Begin::Now).unwrap().sequence, 3);
    append(home.path(), SECOND, &configured(4));
    let mut forwarding = start(home.path(), &to);
    assert_eq!(number(&datagram(&socket).await), 3);
    until(|| forwarding.standings()[0].1.delivered == 4).await;
    let changed = Destination { begin: Begin::Oldest, ..to };
    forwarding.reload(std::slice::from_ref(&changed));
    append(home.path(), SECOND, &configured(5));
    assert_eq!(number(&datagram(&socket).await), 4);
    forwarding.reload(&[]);
    assert_eq!(forwarding.standings(), []);
}

#[tokio::test]
async fn files_are_held_until_they_have_been_delivered() {
    let home = TempDir::new().unwrap();
    append(home.path(), FIRST, &configured(1));
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = destination(syslog(socket.local_addr().unwrap().to_string(), Transport::Udp));
    let held: Arc<Mutex<Vec<Option<Date>>>> = Arc::default();
    let telling = held.clone();
    let tell = move |day| telling.lock().unwrap().push(day);
    let mut forwarding =
        Forwarding::start_at(PACE, home.path().to_owned(), std::slice::from_ref(&to), tell, |_| {}).unwrap();
    append(home.path(), SECOND, &configured(2));
    datagram(&socket).await;
    until(|| held.lock().unwrap().len() == 3).await;
    forwarding.reload(&[]);
    let days = [Some(Date::MIN), Some(date!(2026 - 01 - 02)), Some(date!(2026 - 01 - 03)), None];
    assert_eq!(*held.lock().unwrap(), days);
}

/// Answers each POST of a connection with the next of these statuses, then closes; gives the bodies.
async fn fhir_server(listener: TcpListener, answers: Vec<Vec<u16>>) -> Vec<String> {
    let mut bodies = Vec::new();
    for connection in answers {
        let (mut stream, _) = listener.accept().await.unwrap();
        for status in connection {
            bodies.push(request(&mut stream).await);
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\n{{}}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }
    bodies
}

async fn request(stream: &mut tokio::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "the request ends early");
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            assert!(head.starts_with("POST /fhir/AuditEvent HTTP/1.1\r\n"), "{head}");
            assert!(head.to_lowercase().contains("content-type: application/fhir+json"), "{head}");
            return body.to_owned();
        }
    }
}

#[tokio::test]
async fn a_fhir_server_gets_each_event_until_it_takes_it_and_refuses_only_its_own() {
    let home = TempDir::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let endpoint =
        Endpoint { path: "/fhir/AuditEvent".into(), authority: address.clone(), address, tls: None };
    let server = tokio::spawn(fhir_server(listener, vec![vec![201, 503], vec![422, 201]]));
    let forwarding = start(home.path(), &destination(Kind::Fhir(endpoint)));
    for sequence in 1..=3 {
        append(home.path(), FIRST, &configured(sequence).replace("\"x\"", &format!("\"file{sequence}\"")));
    }
    let told: Vec<String> =
        server.await.unwrap().iter().map(|body| body.split("\"file").nth(1).unwrap()[..1].into()).collect();
    // The second is tried again until it is refused for good; the first is not sent again for that.
    assert_eq!(told, ["1", "2", "2", "3"]);
    until(|| forwarding.standings()[0].1.delivered == 3).await;
    let standing = forwarding.standings()[0].1;
    assert_eq!((standing.sent, standing.refused, standing.failures), (2, 1, 1));
}

#[tokio::test]
async fn what_a_repository_has_not_had_is_counted_and_an_old_backlog_is_one_alert() {
    let home = TempDir::new().unwrap();
    append(home.path(), FIRST, &configured(6));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let endpoint = Endpoint { path: "/".into(), authority: address.clone(), address, tls: None };
    let to = destination(Kind::Fhir(endpoint));
    let alerts: Arc<Mutex<Vec<SecurityAlert>>> = Arc::default();
    let telling = alerts.clone();
    let tell = move |alert| telling.lock().unwrap().push(alert);
    let directory = home.path().to_owned();
    drop(listener);
    let forwarding = Forwarding::start_at(PACE, directory, std::slice::from_ref(&to), |_| {}, tell).unwrap();
    let waiting = [configured(7), configured(8)].concat();
    append(home.path(), FIRST, &waiting);
    append(home.path(), SECOND, &configured(9));
    let standing = || forwarding.standings()[0].1;
    // Whatever was looked at before everything was there is looked at again.
    until(|| standing().backlog_records == 3 && standing().failures >= 2).await;
    let bytes = (waiting.len() + configured(9).len()) as u64;
    let oldest = time::macros::datetime!(2026-01-02 03:00:00 UTC).unix_timestamp();
    assert_eq!((standing().backlog, standing().oldest), (bytes, oldest.unsigned_abs()));
    let alerts = alerts.lock().unwrap();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0].reason, "repository-behind");
    assert!(alerts[0].explanation.contains("\"arr\""), "{alerts:?}");
}
