//! The trail read on, cursors kept, and messages to receivers on this machine.

use super::cursor::{Cursor, path_of};
use super::position::Position;
use super::progress::Progress;
use super::reader::Reader;
use super::seal::Seal;
use super::sender::Parcel;
use super::udp::Datagrams;
use super::*;
use crate::audit::SecurityAlert;
use crate::audit::files::{Form, TrailFile};
use crate::audit::hold::Hold;
use crate::audit::messages::{Message, Renderer, Source, State, read};
use crate::audit::reviewers::{Reviewers, new_identity};
use crate::audit::tests::{PATIENCE, until};
use crate::audit::{Keeping, unsent};
use crate::scratch::Scratch;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use time::macros::date;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

const PACE: Pace = Pace {
    poll: Duration::from_millis(2),
    patience: Duration::from_secs(10),
    unacknowledged: Duration::from_secs(10),
    stream: Duration::from_millis(100),
    stream_bytes: 1 << 20,
    lull: Duration::from_millis(5),
    bare_end: Duration::from_secs(3),
    between_datagrams: Duration::ZERO,
    between_cursors: Duration::ZERO,
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
    Forwarding::start_at(PACE, home.to_owned(), std::slice::from_ref(to), Hold::default(), |_| {}).unwrap()
}

/// The lines that are there now.
fn text_of(reader: &mut Reader) -> String {
    let mut text = String::new();
    while let Some(line) = reader.next().unwrap() {
        text.push_str(std::str::from_utf8(line).unwrap());
        text.push(' ');
    }
    text
}

#[test]
fn only_whole_lines_are_read_and_days_follow_each_other() {
    let home = Scratch::new();
    let mut reader = Reader::new(home.path(), Position::default());
    assert_eq!(text_of(&mut reader), "");
    append(home.path(), FIRST, "one\ntw");
    append(home.path(), "forward-x.cursor", "{}");
    append(home.path(), "audit-2026-01-03.jsonl.zst", "x");
    assert_eq!(text_of(&mut reader), "one ");
    assert_eq!(text_of(&mut reader), "");
    append(home.path(), FIRST, "o\n");
    assert_eq!(reader.peek().unwrap(), Some(&b"two"[..]));
    append(home.path(), SECOND, "three\n");
    assert_eq!(reader.position().behind(home.path()).unwrap(), 10);
    assert_eq!(text_of(&mut reader), "two three ");
    let at = reader.position().clone();
    assert_eq!((at.day(), at.behind(home.path()).unwrap()), (date!(2026 - 01 - 03), 0));
    append(home.path(), SECOND, "fo");
    assert_eq!(Position::at_end(home.path()).unwrap(), at);
}

#[test]
fn a_file_that_is_gone_is_passed_over_and_one_that_shrank_is_read_again() {
    let home = Scratch::new();
    append(home.path(), SECOND, "new\n");
    for file in [FIRST, SECOND] {
        let mut reader = Reader::new(home.path(), Position { file: file.into(), offset: 77 });
        assert_eq!(text_of(&mut reader), "new ");
        assert_eq!(reader.position(), &Position { file: SECOND.into(), offset: 4 });
    }
}

#[test]
fn a_line_without_end_does_not_stop_the_others() {
    let home = Scratch::new();
    append(home.path(), FIRST, &format!("{}\nafter\n", "x".repeat(600 * 1024)));
    assert!(text_of(&mut Reader::new(home.path(), Position::default())).ends_with("x after "));
}

fn load(home: &Path, begin: Begin) -> Cursor {
    Cursor::load(home, "arr", begin, &Seal::of(home).unwrap()).unwrap()
}

/// What a renderer remembers of an association that sent an object of a study.
fn remembered() -> State {
    let mut renderer = Renderer::new(source(), State::default());
    for line in [OPENED, STORED] {
        renderer.render(&read(line.as_bytes()).unwrap());
    }
    renderer.state().clone()
}

const OPENED: &str = r#"{"time":"2026-01-02T03:04:05.000006Z","event":"association-opened","sequence":1,"association":"a1-of-4711","address":"192.0.2.7","calling-ae-title":"SCANNER","called-ae-title":"PACS"}"#;
const STORED: &str = r#"{"time":"2026-01-02T03:04:05.000007Z","event":"operation","sequence":2,"association":"a1-of-4711","operation":"C-STORE","direction":"from-peer","sop-class":"1.2.840.10008.5.1.4.1.1.2","study":"1.2.840.99.77","patient":"hmac:0815","status":"0x0000","duration-ms":1}"#;

#[test]
fn what_a_cursor_remembers_of_studies_is_sealed_and_read_again() {
    let home = Scratch::new();
    let position = Position { file: FIRST.into(), offset: 4 };
    let kept = Cursor { position, sequence: 2, messages: 1, state: remembered() };
    kept.store(home.path(), "arr", &Seal::of(home.path()).unwrap()).unwrap();
    let path = path_of(home.path(), "arr");
    let bytes = fs::read(&path).unwrap();
    let shown = String::from_utf8_lossy(&bytes);
    assert!(
        shown.starts_with(
            "{\"file\":\"audit-2026-01-02.jsonl\",\"offset\":4,\"sequence\":2,\"messages\":1}\n"
        ),
        "{shown}"
    );
    for secret in ["1.2.840", "0815", "SCANNER", "192.0.2", "a1-of-4711"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(load(home.path(), Begin::Now), kept);
    // As an earlier version wrote it.
    let mut clear = serde_json::to_value(&kept).unwrap();
    assert!(clear.get("state").is_none());
    clear["state"] = serde_json::to_value(&kept.state).unwrap();
    fs::write(&path, clear.to_string()).unwrap();
    assert_eq!(load(home.path(), Begin::Now), kept);
}

#[test]
fn a_cursor_that_its_seal_does_not_vouch_for_begins_with_the_oldest_record_and_says_so() {
    let home = Scratch::new();
    append(home.path(), FIRST, &configured(1));
    let position = Position { file: FIRST.into(), offset: 4 };
    let kept = Cursor { position, sequence: 2, messages: 1, state: remembered() };
    kept.store(home.path(), "arr", &Seal::of(home.path()).unwrap()).unwrap();
    let path = path_of(home.path(), "arr");
    let bytes = fs::read(&path).unwrap();
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap();
    let flipped =
        |at: usize| bytes.iter().enumerate().map(|(i, b)| b ^ u8::from(i == at)).collect::<Vec<_>>();
    let moved =
        [&br#"{"file":"audit-2026-01-02.jsonl","offset":9,"sequence":2,"messages":1}"#[..], &bytes[end..]];
    let broken = [
        ("moved on", moved.concat()),
        ("damaged", flipped(bytes.len() - 1)),
        ("of another nonce", flipped(end + 1)),
        ("cut off within the seal", bytes[..end + 9].to_vec()),
        ("cut off before the seal", bytes[..=end].to_vec()),
        ("without its seal", bytes[..end].to_vec()),
        ("empty", Vec::new()),
    ];
    for (how, broken) in broken {
        fs::write(&path, broken).unwrap();
        let log = logged(|| assert_eq!(load(home.path(), Begin::Now), Cursor::default(), "{how}"));
        assert_eq!(log.matches("all records are sent again").count(), 1, "{how}: {log}");
    }
    fs::write(&path, &bytes).unwrap();
    fs::write(home.path().join("forward.key"), [7; 32]).unwrap();
    let log = logged(|| assert_eq!(load(home.path(), Begin::Now), Cursor::default(), "another key"));
    assert!(log.contains("all records are sent again"), "{log}");
}

/// What is logged on this thread while `work` is done.
fn logged(work: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            Write::write(&mut *self.0.lock().unwrap(), bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let to = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || to.clone()).with_ansi(false).finish();
    tracing::subscriber::with_default(subscriber, work);
    String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn a_cursor_that_cannot_be_stored_is_told_once_and_when_it_can_again() {
    let home = Scratch::new();
    append(home.path(), FIRST, &configured(1));
    let to =
        Destination { begin: Begin::Oldest, ..destination(syslog("127.0.0.1:9".into(), Transport::Udp)) };
    let mut progress = Progress::new(home.path().to_owned(), to, Hold::default(), Arc::default()).unwrap();
    assert!(progress.next().unwrap().is_some());
    progress.settle();
    let in_the_way = home.path().join("forward-arr.cursor-new");
    fs::create_dir_all(in_the_way.join("x")).unwrap();
    let log = logged(|| (0..20).for_each(|_| progress.store()));
    assert_eq!(log.matches("cannot store how far").count(), 1, "{log}");
    fs::remove_dir_all(in_the_way).unwrap();
    let log = logged(|| (0..3).for_each(|_| progress.store()));
    assert_eq!((log.lines().count(), log.matches("is stored again").count()), (1, 1), "{log}");
    assert_eq!(load(home.path(), Begin::Now).sequence, 1);
}

#[test]
fn a_cursor_that_cannot_be_read_means_everything_again() {
    let home = Scratch::new();
    append(home.path(), FIRST, "one\n");
    let fresh = load(home.path(), Begin::Now);
    assert_eq!(fresh.position, Position { file: FIRST.into(), offset: 4 });
    assert_eq!(load(home.path(), Begin::Oldest), Cursor::default());
    let kept = Cursor { sequence: 7, messages: 9, ..fresh };
    kept.store(home.path(), "arr", &Seal::of(home.path()).unwrap()).unwrap();
    assert_eq!(load(home.path(), Begin::Oldest), kept);
    fs::write(path_of(home.path(), "arr"), b"{\"file\":").unwrap();
    assert_eq!(load(home.path(), Begin::Now), Cursor::default());
}

fn rendered(line: &str) -> Message {
    let record = read(line.as_bytes()).unwrap();
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

async fn datagram(socket: &UdpSocket) -> String {
    let mut buffer = vec![0; 65536];
    let received = tokio::time::timeout(PATIENCE, socket.recv(&mut buffer)).await;
    let length = received.expect("a datagram").unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

fn number(message: &str) -> u64 {
    let after = message.split_once("sequenceId=\"").unwrap().1;
    after.split_once('"').unwrap().0.parse().unwrap()
}

#[tokio::test]
async fn a_restart_goes_on_where_the_cursor_is() {
    let home = Scratch::new();
    append(home.path(), FIRST, &configured(1));
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = destination(syslog(socket.local_addr().unwrap().to_string(), Transport::Udp));
    let forwarding = start(home.path(), &to);
    append(home.path(), FIRST, &format!("{}torn{{\n{}", configured(2), configured(3)));
    assert_eq!([number(&datagram(&socket).await), number(&datagram(&socket).await)], [1, 2]);
    forwarding.stop().await;
    assert_eq!(load(home.path(), Begin::Now).sequence, 3);
    append(home.path(), SECOND, &configured(4));
    let mut forwarding = start(home.path(), &to);
    assert_eq!(number(&datagram(&socket).await), 3);
    until(|| forwarding.standings().now()[0].1.delivered == 4).await;
    let changed = Destination { begin: Begin::Oldest, ..to };
    forwarding.reload(std::slice::from_ref(&changed));
    append(home.path(), SECOND, &configured(5));
    assert_eq!(number(&datagram(&socket).await), 4);
    forwarding.reload(&[]);
    assert_eq!(forwarding.standings().now(), []);
    forwarding.over().await;
}

#[tokio::test]
async fn what_was_delivered_is_needed_no_more() {
    let home = Scratch::new();
    append(home.path(), FIRST, &configured(1));
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = destination(syslog(socket.local_addr().unwrap().to_string(), Transport::Udp));
    let hold = Hold::default();
    hold.expect([to.name.clone()]);
    let directory = home.path().to_owned();
    let mut forwarding =
        Forwarding::start_at(PACE, directory, std::slice::from_ref(&to), hold.clone(), |_| {}).unwrap();
    let needed = |hold: &Hold| [hold.needed_of(date!(2026 - 01 - 02)), hold.needed_of(date!(2026 - 01 - 03))];
    let first = configured(1).len() as u64;
    assert_eq!(needed(&hold), [Some(first), Some(0)]);
    append(home.path(), SECOND, &configured(2));
    datagram(&socket).await;
    until(|| needed(&hold) == [None, Some(first)]).await;
    forwarding.reload(&[]);
    until(|| needed(&hold) == [None, None]).await;
    forwarding.over().await;
}

#[tokio::test]
async fn what_was_kept_of_a_closed_day_is_sent_and_deleted() {
    let home = Scratch::new();
    append(home.path(), FIRST, &(1..=3).map(configured).collect::<String>());
    append(home.path(), SECOND, &configured(4));
    let position = Position { file: FIRST.into(), offset: configured(1).len() as u64 };
    let cursor = Cursor { position, sequence: 1, messages: 1, ..Cursor::default() };
    cursor.store(home.path(), "arr", &Seal::of(home.path()).unwrap()).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = destination(syslog(socket.local_addr().unwrap().to_string(), Transport::Udp));
    let (_, public) = new_identity().unwrap();
    let reviewers = Reviewers::new(&[&public]).unwrap();
    let keeping = Keeping { compress: true, reviewers, ..Keeping::default() };
    keeping.hold.is_at(&to.name, cursor.position.day(), cursor.position.offset);
    let closed = TrailFile::new(home.path(), cursor.position.day(), Form::default());
    unsent::keep(&closed, &keeping).unwrap();
    fs::remove_file(closed.path).unwrap();
    let directory = home.path().to_owned();
    let hold = keeping.hold.clone();
    let forwarding = Forwarding::start_at(PACE, directory, std::slice::from_ref(&to), hold, |_| {}).unwrap();
    for expected in 2..=4 {
        assert_eq!(number(&datagram(&socket).await), expected);
    }
    until(|| unsent::list(home.path()).unwrap().is_empty()).await;
    forwarding.over().await;
}

#[tokio::test]
async fn datagrams_follow_each_other_at_a_distance() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let between = Duration::from_millis(20);
    let begun = tokio::time::Instant::now();
    let mut way = Datagrams::open(&socket.local_addr().unwrap().to_string(), between).await.unwrap();
    for number in 1..=4 {
        let parcel = Parcel { bytes: vec![b'x'; 100], sequence: number, number };
        assert!(way.send(&parcel).await.unwrap());
    }
    assert!(begun.elapsed() >= between * 3, "a burst");
}

#[tokio::test]
async fn a_cursor_moves_with_each_event_that_a_fhir_server_takes() {
    let home = Scratch::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let endpoint =
        Endpoint { path: "/fhir/AuditEvent".into(), authority: address.clone(), address, tls: None };
    let to = Destination { begin: Begin::Oldest, ..destination(Kind::Fhir(endpoint)) };
    append(home.path(), FIRST, &(1..=5).map(configured).collect::<String>());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for _ in 0..3 {
            request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        }
        request(&mut stream).await;
        // And never answers.
        std::future::pending::<()>().await;
    });
    let forwarding = start(home.path(), &to);
    let stored = || load(home.path(), Begin::Now);
    until(|| stored().sequence == 3).await;
    assert_eq!((stored().messages, stored().position.offset), (3, configured(1).len() as u64 * 3));
    drop(server);
    forwarding.over().await;
}

#[tokio::test]
async fn a_destination_that_is_taken_away_and_comes_back_goes_on_behind_what_is_under_way() {
    let home = Scratch::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let endpoint =
        Endpoint { path: "/fhir/AuditEvent".into(), authority: address.clone(), address, tls: None };
    let to = Destination { begin: Begin::Oldest, ..destination(Kind::Fhir(endpoint)) };
    append(home.path(), FIRST, &configured(1));
    let hold = Hold::default();
    let directory = home.path().to_owned();
    let mut forwarding =
        Forwarding::start_at(PACE, directory, std::slice::from_ref(&to), hold.clone(), |_| {}).unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    request(&mut stream).await;
    // While the first record is under way.
    forwarding.reload(&[]);
    forwarding.reload(std::slice::from_ref(&to));
    append(home.path(), FIRST, &configured(2).replace("\"x\"", "\"second\""));
    stream.write_all(b"HTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    assert!(request(&mut stream).await.contains("second"), "what is under way is not sent twice");
    let day = date!(2026 - 01 - 02);
    assert_eq!(hold.needed_of(day), Some(configured(1).len() as u64), "the rest is kept for it");
    drop(forwarding);
}

#[test]
fn a_trail_that_begins_anew_is_sent_though_a_cursor_is_years_beyond_it() {
    let home = Scratch::new();
    append(home.path(), FIRST, &configured(1));
    let position = Position { file: "audit-2036-01-02.jsonl".into(), offset: 77 };
    let cursor = Cursor { position, sequence: 70, messages: 60, ..Cursor::default() };
    cursor.store(home.path(), "arr", &Seal::of(home.path()).unwrap()).unwrap();
    let to = destination(syslog("127.0.0.1:9".into(), Transport::Udp));
    let begin =
        || Progress::new(home.path().to_owned(), to.clone(), Hold::default(), Arc::default()).unwrap();
    let log = logged(|| {
        let mut progress = begin();
        let parcels = progress.next().unwrap().unwrap();
        assert_eq!((parcels[0].sequence, parcels[0].number), (1, 61), "a number is not given twice");
        progress.settle();
        progress.store();
    });
    assert_eq!(log.matches("it is sent from its beginning").count(), 1, "{log}");
    assert!(begin().next().unwrap().is_none(), "once");
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
    let home = Scratch::new();
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
    until(|| forwarding.standings().now()[0].1.delivered == 3).await;
    let standing = forwarding.standings().now()[0].1;
    assert_eq!((standing.sent, standing.refused, standing.failures), (2, 1, 1));
    forwarding.over().await;
}

#[tokio::test]
async fn what_a_repository_has_not_had_is_counted_and_an_old_backlog_is_one_alert() {
    let home = Scratch::new();
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
    let forwarding =
        Forwarding::start_at(PACE, directory, std::slice::from_ref(&to), Hold::default(), tell).unwrap();
    let waiting = [configured(7), configured(8)].concat();
    append(home.path(), FIRST, &waiting);
    append(home.path(), SECOND, &configured(9));
    let standing = || forwarding.standings().now()[0].1;
    // Whatever was looked at before everything was there is looked at again.
    until(|| standing().backlog_records == 3 && standing().failures >= 2).await;
    let bytes = (waiting.len() + configured(9).len()) as u64;
    let oldest = time::macros::datetime!(2026-01-02 03:00:00 UTC).unix_timestamp();
    assert_eq!((standing().backlog, standing().oldest), (bytes, oldest.unsigned_abs()));
    forwarding.over().await;
    let alerts = alerts.lock().unwrap();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0].reason, "repository-behind");
    assert!(alerts[0].explanation.contains("\"arr\""), "{alerts:?}");
}

#[tokio::test]
async fn a_backlog_from_before_a_clock_was_set_back_is_an_alert_too() {
    let home = Scratch::new();
    append(home.path(), FIRST, &configured(6).replace("2026", "2126"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let endpoint = Endpoint { path: "/".into(), authority: address.clone(), address, tls: None };
    let to = Destination { begin: Begin::Oldest, ..destination(Kind::Fhir(endpoint)) };
    drop(listener);
    let alerts: Arc<Mutex<Vec<SecurityAlert>>> = Arc::default();
    let telling = alerts.clone();
    let tell = move |alert| telling.lock().unwrap().push(alert);
    let pace = Pace { alarm: Duration::from_millis(1), ..PACE };
    let directory = home.path().to_owned();
    let _forwarding =
        Forwarding::start_at(pace, directory, std::slice::from_ref(&to), Hold::default(), tell).unwrap();
    until(|| !alerts.lock().unwrap().is_empty()).await;
    assert_eq!(alerts.lock().unwrap()[0].reason, "repository-behind");
}

#[tokio::test]
async fn a_destination_that_could_not_begin_again_is_tried_at_the_next_reload() {
    let home = Scratch::new();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = destination(syslog(socket.local_addr().unwrap().to_string(), Transport::Udp));
    let all = std::slice::from_ref(&to);
    let mut forwarding = start(home.path(), &to);
    let (ends, end) = tokio::sync::oneshot::channel::<()>();
    forwarding.lingers("arr", async move { drop(end.await) });
    forwarding.reload(all);
    // Nothing can be read or stored there.
    let directory = home.path().to_owned();
    let away = directory.with_extension("away");
    std::fs::rename(&directory, &away).unwrap();
    ends.send(()).unwrap();
    until(|| !forwarding.runs("arr")).await;
    std::fs::rename(&away, &directory).unwrap();
    forwarding.reload(all);
    append(home.path(), FIRST, &configured(6));
    assert!(datagram(&socket).await.contains("<AuditMessage>"));
    assert!(forwarding.runs("arr"));
    forwarding.over().await;
}
