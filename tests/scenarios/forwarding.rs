//! Audit messages on their way to repositories: each arrives, whatever happens in between.

use std::net::{SocketAddr, UdpSocket};

use crate::command::Command;
use crate::gate::{self, Gate, Setup};
use crate::object::Object;
use crate::raw::{self, Peer, Upstream, verification};
use crate::repositories::{self, Received, Rsyslog};
use crate::site::Site;
use crate::upper::{self, Request};
use crate::wait;

const CERTIFICATES: &str = r#"ca = "certs/ca.pem"
server-name = "localhost"
certificate-chain = "certs/client.pem"
private-key = "certs/client.key""#;

/// A `[[audit.repository]]` at `address` that numbers its messages.
pub fn repository(address: SocketAddr) -> String {
    format!(
        r#"[[audit.repository]]
name = "arr"
address = "{address}"
enterprise-site-id = "site-a"
host-name = "gw1.example.org"
structured-data = "sequence"
[audit.repository.tls]
{CERTIFICATES}
"#
    )
}

/// The gate before `upstream` in a site of its own, with more blocks at the end of its configuration.
fn start(site: Site, upstream: &Upstream, blocks: &str) -> Gate {
    let toml = format!("{}\n{blocks}", Setup::plain(upstream.address).toml());
    Gate::start_with(site, &toml, "")
}

/// An association that stores one object.
pub fn store(gate: &Gate, upstream: &Upstream, calling: &str) {
    let request = Request::new(calling, "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), upstream, &request, 16384);
    let object = Object::ct(3_000);
    let command = Command::c_store_rq(2, &object.sop_class, &object.sop_instance);
    requestor.send_message(1, &command, Some(&object.data_set), 16384);
    let message = acceptor.message();
    acceptor.send_message(1, &message.command.response(0), None, 16384);
    requestor.message();
    raw::release(requestor, acceptor);
}

/// Waits until so many different messages of a code have arrived.
pub fn arrived(site: &Site, code: &str, count: usize) -> Vec<Received> {
    let mark = format!("csd-code=\"{code}\"");
    wait::until(&format!("{count} messages of {code}"), || {
        let received = repositories::received(site);
        let mut numbers: Vec<u64> =
            received.iter().filter(|one| one.xml.contains(&mark)).map(Received::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        (numbers.len() >= count).then_some(received)
    })
}

const STARTED: &str = "110120";
const STOPPED: &str = "110121";
pub const TRANSFERRED: &str = "110104";

#[test]
fn each_record_arrives_at_rsyslog_over_mutual_tls() {
    let site = Site::new();
    let rsyslog = Rsyslog::start(&site);
    let upstream = Upstream::bind();
    let mut gate = start(site, &upstream, &repository(rsyslog.address));
    store(&gate, &upstream, "SITE");
    Peer::plain(gate.address).try_send(b"GET / HTTP/1.1\r\n\r\n");
    gate.event("connection-refused");
    assert!(gate.stop().success());
    let messages = repositories::without_gaps(&arrived(&gate.site, STOPPED, 1));
    // It writes into the site's folder.
    drop(rsyslog);
    repositories::assert_valid(&gate.site, &messages);
    for code in ["110120", "110124", "110129", "110102", "110104", "110132", "110125", "110121"] {
        let count = messages.iter().filter(|one| one.xml.contains(&format!("csd-code=\"{code}\""))).count();
        assert_eq!(count, 1, "{code} in {messages:?}");
    }
    let header = &messages[0].header;
    assert_eq!(header[0], "85");
    assert_eq!(
        header[1..5],
        ["gw1.example.org", "dimsegate", &gate.event("started")["process-id"].to_string(), "IHE+RFC-3881"]
    );
    assert!(
        messages[0]
            .xml
            .contains("AuditEnterpriseSiteID=\"site-a\" AuditSourceID=\"dimsegate@gw1.example.org\"")
    );
    let transfer = messages.iter().find(|one| one.xml.contains("csd-code=\"110104\"")).expect("a transfer");
    let patient = gate.event("operation")["patient"].as_str().expect("a keyed hash").to_owned();
    assert!(transfer.xml.contains(&patient) && !transfer.xml.contains("PID-0815"), "{}", transfer.xml);
}

#[test]
fn a_repository_that_is_away_and_a_killed_proxy_lose_nothing() {
    let site = Site::new();
    let rsyslog = Rsyslog::start(&site);
    let address = rsyslog.address;
    let upstream = Upstream::bind();
    let blocks = repository(address);
    let mut gate = start(site, &upstream, &blocks);
    store(&gate, &upstream, "FIRST");
    arrived(&gate.site, TRANSFERRED, 1);
    rsyslog.kill();
    store(&gate, &upstream, "SECOND");
    gate.record("the second association's end", |record| {
        record["event"] == "association-closed" && record["calling-ae-title"] == "SECOND"
    });
    gate.signal("KILL");
    gate.wait();
    let mut gate = start(gate.site, &upstream, &blocks);
    store(&gate, &upstream, "THIRD");
    let rsyslog = Rsyslog::start_again(&gate.site, address);
    arrived(&gate.site, TRANSFERRED, 3);
    arrived(&gate.site, STARTED, 2);
    assert!(gate.stop().success());
    let messages = repositories::without_gaps(&arrived(&gate.site, STOPPED, 1));
    for title in ["FIRST", "SECOND", "THIRD"] {
        let of = |one: &&Received| one.xml.contains(title) && one.xml.contains("csd-code=\"110104\"");
        assert_eq!(messages.iter().filter(of).count(), 1, "{title}");
    }
    drop(rsyslog);
}

/// Numbers of messages, in the order in which they came.
fn numbers(messages: &[String]) -> Vec<u64> {
    let number = |message: &String| {
        let after = message.split_once(" [meta sequenceId=\"").expect("a sequenceId").1;
        after.split_once('"').expect("its end").0.parse().expect("a number")
    };
    messages.iter().map(number).collect()
}

#[test]
fn what_a_broken_connection_may_have_lost_is_sent_again() {
    let site = Site::new();
    let (address, connections) = repositories::breaking(&site, |index, _| index == 0);
    let upstream = Upstream::bind();
    let _gate = start(site, &upstream, &repository(address));
    let told = wait::until("three messages after the first connection", || {
        let told = connections.lock().expect("no panic in the repository").clone();
        (told.iter().skip(1).flatten().count() == 3).then_some(told)
    });
    let later: Vec<String> = told[1..].concat();
    assert_eq!((numbers(&told[0]), numbers(&later)), (vec![1], vec![1, 2, 3]));
    assert_eq!(told[0][0], later[0]);
}

#[test]
fn connections_that_end_after_three_messages_get_everything_through() {
    let site = Site::new();
    let (address, connections) = repositories::breaking(&site, |_, count| count == 3);
    let upstream = Upstream::bind();
    let setup =
        Setup { peers: gate::peer("calling-ae-titles = [\"SITE\"]"), ..Setup::plain(upstream.address) };
    let toml = format!("{}\n{}", setup.toml(), repository(address));
    let mut gate = Gate::start_with(site, &toml, "");
    // Refusals of one AE title would be gathered.
    for number in 0..15 {
        raw::rejection(&gate.plain(), &verification(&format!("STRANGER{number}"), "PACS"));
    }
    // Two at the start, one for each association: all of them, and the cursor behind the last.
    wait::until("the cursor to reach the last record", || {
        let cursor = std::fs::read(gate.site.path("audit/forward-arr.cursor")).ok()?;
        let line = cursor.split(|&byte| byte == b'\n').next()?;
        let cursor: serde_json::Value = serde_json::from_slice(line).ok()?;
        let last = gate.records().last().map(|record| record["sequence"].clone());
        (gate.count("association-rejected") == 15 && Some(&cursor["sequence"]) == last.as_ref()).then_some(())
    });
    let told = connections.lock().expect("no panic in the repository").concat();
    let mut distinct = numbers(&told);
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct, (1..=distinct.len() as u64).collect::<Vec<_>>());
    assert!(distinct.len() >= 15, "{distinct:?}");
    assert!(gate.stop().success());
}

#[test]
fn a_repository_that_hangs_and_is_killed_then_loses_nothing() {
    let site = Site::new();
    let rsyslog = Rsyslog::start(&site);
    let address = rsyslog.address;
    let upstream = Upstream::bind();
    let mut gate = start(site, &upstream, &repository(address));
    store(&gate, &upstream, "FIRST");
    arrived(&gate.site, TRANSFERRED, 1);
    rsyslog.hang();
    store(&gate, &upstream, "SECOND");
    // What was sent was taken, by its kernel; the end of the stream is not answered.
    wait::until("the end of the stream to stay without an answer", || {
        gate.output().contains("audit messages wait for their repository").then_some(())
    });
    rsyslog.kill();
    store(&gate, &upstream, "THIRD");
    let rsyslog = Rsyslog::start_again(&gate.site, address);
    arrived(&gate.site, TRANSFERRED, 3);
    assert!(gate.stop().success());
    repositories::without_gaps(&arrived(&gate.site, STOPPED, 1));
    drop(rsyslog);
}

#[test]
fn no_ae_title_forges_a_frame_a_header_or_markup() {
    let site = Site::new();
    let rsyslog = Rsyslog::start(&site);
    let upstream = Upstream::bind();
    let setup =
        Setup { peers: gate::peer("calling-ae-titles = [\"SITE\"]"), ..Setup::plain(upstream.address) };
    let toml = format!("{}\n{}", setup.toml(), repository(rsyslog.address));
    let mut gate = Gate::start_with(site, &toml, "");
    let hostile =
        ["\"/><X a=\"", "9 <85>1 - - - -", "a\n<85>1 2026", "x]] [y z=\"1\"]", "&amp;<!--\u{1b}[2J", "A;B;C"];
    for title in hostile {
        raw::rejection(&gate.plain(), &verification(title, "PACS"));
    }
    assert!(gate.stop().success());
    let messages = repositories::without_gaps(&arrived(&gate.site, STOPPED, 1));
    // It writes into the site's folder.
    drop(rsyslog);
    repositories::assert_valid(&gate.site, &messages);
    let refused = messages.iter().filter(|one| one.xml.contains("csd-code=\"110147\"")).count();
    assert_eq!(refused, hostile.len());
    for message in &messages {
        assert_eq!(message.header[2], "dimsegate");
        assert!(message.xml.starts_with("<AuditMessage>") && message.xml.ends_with("</AuditMessage>"));
    }
}

#[test]
fn datagrams_carry_one_message_each() {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a socket");
    socket.set_read_timeout(Some(wait::PATIENCE)).expect("a deadline");
    let address = socket.local_addr().expect("a bound address");
    let upstream = Upstream::bind();
    let blocks =
        format!("[[audit.repository]]\nname = \"udp\"\naddress = \"{address}\"\ntransport = \"udp\"\n");
    let _gate = start(Site::new(), &upstream, &blocks);
    let mut buffer = vec![0; 65536];
    let length = socket.recv(&mut buffer).expect("a datagram");
    let text = String::from_utf8(buffer[..length].to_vec()).expect("UTF-8");
    assert!(
        text.starts_with("<85>1 20")
            && text.contains(" dimsegate ")
            && text.contains(" IHE+RFC-3881 - \u{feff}<AuditMessage>"),
        "{text}"
    );
    assert!(text.contains(&format!("csd-code=\"{STARTED}\"")) && text.ends_with("</AuditMessage>"), "{text}");
}

#[test]
fn a_fhir_server_gets_audit_events() {
    let site = Site::new();
    let (address, events) = repositories::fhir(&site);
    let upstream = Upstream::bind();
    let port = address.port();
    let blocks = format!(
        "[[audit.fhir]]\nname = \"fhir\"\nurl = \"https://localhost:{port}/fhir/AuditEvent\"\n[audit.fhir.tls]\n{CERTIFICATES}\n"
    );
    let mut gate = start(site, &upstream, &blocks);
    store(&gate, &upstream, "SITE");
    assert!(gate.stop().success());
    let events = events.lock().expect("no panic in the server").clone();
    let codes: Vec<&str> = events.iter().filter_map(|event| event["type"]["code"].as_str()).collect();
    assert_eq!(codes, ["110100", "110108", "110113", "110102", "110104", "110108", "110100"]);
    assert!(events.iter().all(|event| event["resourceType"] == "AuditEvent"));
}

#[test]
fn a_reload_begins_and_ends_forwarding() {
    let site = Site::new();
    let rsyslog = Rsyslog::start(&site);
    let upstream = Upstream::bind();
    let setup = Setup::plain(upstream.address);
    let mut gate = Gate::start_in(site, &setup);
    gate.reload(&format!("{}\n{}", setup.toml(), repository(rsyslog.address)));
    wait::until("the cursor", || gate.site.path("audit/forward-arr.cursor").exists().then_some(()));
    store(&gate, &upstream, "SITE");
    arrived(&gate.site, TRANSFERRED, 1);
    let loaded = gate.count("configuration-loaded");
    gate.reload(&setup.toml());
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    assert!(gate.stop().success());
    drop(rsyslog);
    let messages = repositories::received(&gate.site);
    assert!(!messages.iter().any(|one| one.xml.contains(&format!("csd-code=\"{STOPPED}\""))));
}
