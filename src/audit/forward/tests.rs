//! The trail read on, cursors kept, and messages to receivers on this machine.

mod cursors;
mod delivery;
mod reading;

use super::cursor::{Cursor, path_of};
use super::parcel::Parcel;
use super::position::Position;
use super::progress::Progress;
use super::reader::Reader;
use super::seal::Seal;
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

fn load(home: &Path, begin: Begin) -> Cursor {
    Cursor::load(home, "arr", begin, &Seal::of(home).unwrap()).unwrap()
}
