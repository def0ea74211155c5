//! Those who receive audit messages: a real rsyslog, and a small FHIR server.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use crate::connection::{self, Connection};
use crate::process::{self, Process};
use crate::site::{CLIENT_NAME, Site};
use crate::wait::{self, PATIENCE};

/// rsyslogd with a configuration of its own, over TLS with certificates on both sides; killed when dropped.
pub struct Rsyslog {
    pub address: SocketAddr,
    process: Process,
}

/// What rsyslog read out of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub header: Vec<String>,
    pub xml: String,
}

/// Header fields of [`Received`].
const HEADER: [&str; 6] = ["pri", "hostname", "app-name", "procid", "msgid", "structured-data"];

impl Rsyslog {
    pub fn start(site: &Site) -> Self {
        let log = site.path("rsyslog.log");
        let (process, address) = process::listening(&log, |port| command(site, port));
        Self { address, process }
    }

    /// On the port that one before had.
    pub fn start_again(site: &Site, address: SocketAddr) -> Self {
        let process = Process::start(command(site, address.port()), &site.path("rsyslog.log"));
        wait::until("rsyslog to listen", || std::net::TcpStream::connect(address).ok());
        Self { address, process }
    }

    /// It hangs: its kernel goes on taking bytes.
    pub fn hang(&self) {
        self.process.signal("STOP");
    }

    pub fn kill(mut self) {
        self.process.signal("KILL");
        self.process.wait();
    }
}

fn command(site: &Site, port: u16) -> Command {
    let file = site.path(&format!("rsyslog-{port}.conf"));
    fs::write(&file, configuration(site, port)).expect("a configuration written");
    let mut command = Command::new("/usr/sbin/rsyslogd");
    command.arg("-n").arg("-f").arg(file).arg("-i").arg(site.path("rsyslog.pid"));
    command
}

fn configuration(site: &Site, port: u16) -> String {
    let header: Vec<String> = HEADER.iter().map(|field| format!("%{field}%")).collect();
    format!(
        r#"global(workDirectory="{root}" maxMessageSize="64k"
  defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="{root}/certs/ca.pem"
  defaultNetstreamDriverCertFile="{root}/certs/server.pem"
  defaultNetstreamDriverKeyFile="{root}/certs/server.key")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/name"
  permittedPeer=["{CLIENT_NAME}"])
template(name="fields" type="string" string="{fields}|%msg%\n")
ruleset(name="keep") {{ action(type="omfile" file="{received}" template="fields" asyncWriting="off") }}
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="keep")
"#,
        root = site.root().display(),
        fields = header.join("|"),
        received = received_file(site).display(),
    )
}

fn received_file(site: &Site) -> PathBuf {
    site.path("received.log")
}

/// Every message that rsyslog wrote down, in whole.
pub fn received(site: &Site) -> Vec<Received> {
    let text = fs::read_to_string(received_file(site)).unwrap_or_default();
    let complete = text.rsplit_once('\n').map_or("", |(complete, _)| complete);
    complete.lines().map(|line| parse(line).unwrap_or_else(|| panic!("rsyslog wrote {line}"))).collect()
}

fn parse(line: &str) -> Option<Received> {
    let mut fields = line.splitn(HEADER.len() + 1, '|');
    let header: Vec<String> = fields.by_ref().take(HEADER.len()).map(str::to_owned).collect();
    let message = fields.next()?;
    let xml = message.trim_start_matches([' ', '\u{feff}']).to_owned();
    Some(Received { header, xml })
}

impl Received {
    /// `sequenceId` of the structured data.
    pub fn number(&self) -> u64 {
        let data = self.header.last().expect("structured data");
        let digits = data.strip_prefix("[meta sequenceId=\"").and_then(|rest| rest.strip_suffix("\"]"));
        digits.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("structured data {data}"))
    }
}

/// Asserts that messages are numbered from 1 without a gap, and that those sent twice were the same both times.
pub fn without_gaps(received: &[Received]) -> Vec<Received> {
    let mut numbered: BTreeMap<u64, Received> = BTreeMap::new();
    for message in received {
        let first = numbered.entry(message.number()).or_insert_with(|| message.clone());
        assert_eq!(first, message, "two messages of one number");
    }
    let numbers: Vec<u64> = numbered.keys().copied().collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    numbered.into_values().collect()
}

/// Asserts that xmllint finds every message valid.
pub fn assert_valid(site: &Site, messages: &[Received]) {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/audit_message.xsd");
    let mut lint = Command::new("xmllint");
    lint.args(["--noout", "--nonet", "--schema", schema]);
    for (number, message) in messages.iter().enumerate() {
        let file = site.path(&format!("message-{number}.xml"));
        fs::write(&file, &message.xml).expect("a file written");
        lint.arg(file);
    }
    process::Finished::run(lint).expect_success();
}

/// A repository that takes one connection after the other and gives the messages of each. It ends a connection, by its
/// index, by a reset, as soon as it has had so many messages that `breaks` says so.
pub fn breaking(
    site: &Site,
    breaks: impl Fn(usize, usize) -> bool + Send + 'static,
) -> (SocketAddr, Arc<Mutex<Vec<Vec<String>>>>) {
    let (listener, config) = listen(site);
    let address = listener.local_addr().expect("a bound address");
    let connections: Arc<Mutex<Vec<Vec<String>>>> = Arc::default();
    let told = connections.clone();
    std::thread::spawn(move || {
        for (index, socket) in listener.incoming().flatten().enumerate() {
            told.lock().expect("no panic in the repository").push(Vec::new());
            let Ok(itself) = socket.try_clone() else { continue };
            let Ok(mut stream) = Connection::accepted(socket, Some(&config), PATIENCE) else { continue };
            let mut count = 0;
            while let Some(message) = frame(&mut stream) {
                told.lock().expect("no panic in the repository")[index].push(message);
                count += 1;
                if breaks(index, count) {
                    // What it read ahead and dropped must not look as if it had been taken.
                    let _ = socket2::SockRef::from(&itself).set_linger(Some(std::time::Duration::ZERO));
                    break;
                }
            }
        }
    });
    (address, connections)
}

/// The next message by its length in octets (RFC 5425 §4.3); `None` when the connection ends.
fn frame(stream: &mut Connection) -> Option<String> {
    let mut length = 0;
    loop {
        let mut octet = [0];
        stream.read_exact(&mut octet).ok()?;
        match octet[0] {
            b' ' => break,
            digit => length = length * 10 + usize::from(digit - b'0'),
        }
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message).ok()?;
    String::from_utf8(message).ok()
}

/// On loopback, for clients with a certificate of the site.
fn listen(site: &Site) -> (TcpListener, Arc<rustls::ServerConfig>) {
    let file = |name: &str| site.path(&format!("certs/{name}"));
    let config = connection::server_config(&file("server.pem"), &file("server.key"), Some(&file("ca.pem")));
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    (listener, config.expect("a server configuration"))
}

/// A FHIR server that takes every AuditEvent; it wants a client certificate.
pub fn fhir(site: &Site) -> (SocketAddr, Arc<Mutex<Vec<serde_json::Value>>>) {
    let (listener, config) = listen(site);
    let address = listener.local_addr().expect("a bound address");
    let events: Arc<Mutex<Vec<serde_json::Value>>> = Arc::default();
    let taken = events.clone();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let Ok(mut stream) = Connection::accepted(socket, Some(&config), PATIENCE) else { continue };
            while let Some(body) = post(&mut stream) {
                taken.lock().expect("no panic in the server").push(body);
                let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
                if stream.write_all(answer).and_then(|()| stream.flush()).is_err() {
                    break;
                }
            }
        }
    });
    (address, events)
}

/// The body of the next request; `None` when the connection ends.
fn post(stream: &mut Connection) -> Option<serde_json::Value> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())?;
            if bytes.len() >= end + 4 + length {
                return serde_json::from_slice(&bytes[end + 4..]).ok();
            }
        }
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
    }
}
