//! What arrives, at receivers of syslog and at FHIR servers that the tests play.

use super::*;

fn rendered(line: &str) -> Message {
    let record = read(line.as_bytes()).unwrap();
    Renderer::new(source(), State::default()).render(&record).remove(0)
}

#[test]
fn a_syslog_message_is_rfc_5424_and_its_frame_rfc_5425() {
    let Kind::Syslog(settings) = syslog("x:1".into(), Transport::Udp) else { unreachable!() };
    let message = rendered(&configured(3));
    let bytes =
        crate::audit::forward::syslog::message(&message, &source(), &settings, Some(4711), 2_147_483_648);
    let head = "<85>1 2026-01-02T03:00:00.500000Z gw1.example.org dimsegate 4711 IHE+RFC-3881 [meta sequenceId=\"1\"] \u{feff}<AuditMessage><EventIdentification ";
    assert_eq!(std::str::from_utf8(&bytes).unwrap().get(..head.len()), Some(head));
    let frame = crate::audit::forward::syslog::frame(&bytes);
    assert!(frame.starts_with(format!("{} <85>1 ", bytes.len()).as_bytes()));
    assert_eq!(frame.len(), bytes.len() + bytes.len().to_string().len() + 1);
    let odd = Source { host: "a b\n".into(), application: "é".into(), ..source() };
    let unnumbered = Syslog { numbered: false, ..settings };
    let bytes = crate::audit::forward::syslog::message(&message, &odd, &unnumbered, None, 1);
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
    until(|| forwarding.deliveries().now()[0].1.delivered == 4).await;
    let changed = Destination { begin: Begin::Oldest, ..to };
    forwarding.reload(std::slice::from_ref(&changed));
    append(home.path(), SECOND, &configured(5));
    assert_eq!(number(&datagram(&socket).await), 4);
    forwarding.reload(&[]);
    assert_eq!(forwarding.deliveries().now(), []);
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
    until(|| forwarding.deliveries().now()[0].1.delivered == 3).await;
    let delivery = forwarding.deliveries().now()[0].1;
    assert_eq!((delivery.sent, delivery.refused, delivery.failures), (2, 1, 1));
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
    let delivery = || forwarding.deliveries().now()[0].1;
    // Whatever was looked at before everything was there is looked at again.
    until(|| delivery().backlog_records == 3 && delivery().failures >= 2).await;
    let bytes = (waiting.len() + configured(9).len()) as u64;
    let oldest = time::macros::datetime!(2026-01-02 03:00:00 UTC).unix_timestamp();
    assert_eq!((delivery().backlog, delivery().oldest), (bytes, oldest.unsigned_abs()));
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
