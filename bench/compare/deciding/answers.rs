//! The answers of a query, through a proxy that judges each by the scope of the peer, and through one that does not.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use time::{Month, OffsetDateTime};

use super::{cpu, median};
use crate::association::{Association, receive};
use crate::command::{self, Command};
use crate::configurations;
use crate::connection::Connection;
use crate::loads::{CALLED, CALLING};
use crate::procfs;
use crate::report::Figures;
use crate::setups::{Out, Running, Setup};
use crate::site::Site;
use crate::upper::{self, Associate, Request};

/// Of one query.
const ANSWERS: usize = 20_000;

/// Study Root Query/Retrieve Information Model – FIND.
const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
const PENDING: u16 = 0xFF00;

const SCOPE: &str = "scope = [{ tag = \"IssuerOfPatientID\", equals = [\"LYON\"] }, \
    { tag = \"StudyDate\", newer-than = \"90d\" }, { tag = \"ModalitiesInStudy\", any-of = [\"CT\", \"MR\"] }]";

/// What an answer costs more under a scope of three conditions, in microseconds of CPU.
pub fn measure(site: &Site, rounds: usize) -> io::Result<Option<f64>> {
    let archive = archive()?;
    let start = |name: &str, scope: &str| {
        Running::configured(site, name, |port| {
            let toml = configurations::dimsegate(name, port, archive, Some(Out::Plain), Setup::PassThrough);
            toml.replace("role = \"all\"\n", &format!("role = \"all\"\n{scope}\n"))
        })
    };
    let (open, scoped) = (start("open", ""), start("scoped", SCOPE));
    let mut more = Vec::new();
    for _ in 0..rounds {
        let (without, with) = (query(&open)?, query(&scoped)?);
        more.push((cpu(&with) - cpu(&without)) / ANSWERS as f64);
    }
    Ok(median(&mut more))
}

/// Asks once, and takes every answer.
fn query(running: &Running) -> io::Result<Figures> {
    let usage = || running.pid().map(procfs::usage);
    let request = Request::new(CALLING, CALLED).context(FIND, &[upper::IMPLICIT_LITTLE]);
    let mut association = Association::open(&running.target, &request)?;
    let before = usage();
    let command = Command::new(command::C_FIND_RQ).uid(command::AFFECTED_SOP_CLASS, FIND);
    let command = command.us(command::MESSAGE_ID, 1).us(0x0700, 0).us(command::DATA_SET_TYPE, 0);
    association.send(1, &command, Some(&keys("", "", "", "")))?;
    let mut count = 0;
    while association.status()? == PENDING {
        count += 1;
    }
    let usage = before.zip(usage());
    association.release()?;
    match count == ANSWERS {
        true => Ok(Figures { mode: "find", count, usage, ..Figures::default() }),
        false => Err(io::Error::other(format!("{count} answers of {ANSWERS}"))),
    }
}

/// The keys of the query, or an answer, in implicit VR little endian.
fn keys(date: &str, modality: &str, patient: &str, issuer: &str) -> Vec<u8> {
    let study = if date.is_empty() { "" } else { "1.2.826.0.1.3680043.8.498.1" };
    let elements = [
        (0x0008_0020, date),
        (0x0008_0052, "STUDY"),
        (0x0008_0061, modality),
        (0x0010_0010, patient),
        (0x0010_0020, patient),
        (0x0010_0021, issuer),
        (0x0020_000D, study),
    ];
    elements.into_iter().flat_map(|(tag, value)| element(tag, value)).collect()
}

fn element(tag: u32, value: &str) -> Vec<u8> {
    let mut value = value.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(if tag == 0x0020_000D { 0 } else { b' ' });
    }
    let (group, element) = ((tag >> 16) as u16, tag as u16);
    [&group.to_le_bytes()[..], &element.to_le_bytes(), &(value.len() as u32).to_le_bytes(), &value].concat()
}

/// An archive that has as many studies as are asked for, all of one site and of today.
fn archive() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let answers: Arc<[u8]> = answers().into();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let answers = answers.clone();
            std::thread::spawn(move || serve(socket, &answers));
        }
    });
    Ok(address)
}

fn answers() -> Vec<u8> {
    let now = OffsetDateTime::now_utc();
    let date = format!("{:04}{:02}{:02}", now.year(), u8::from(now.month() as Month), now.day());
    let request = Command::new(command::C_FIND_RQ).uid(command::AFFECTED_SOP_CLASS, FIND);
    let request = request.us(command::MESSAGE_ID, 1);
    let pending = request.response(PENDING).us(command::DATA_SET_TYPE, 0).encode();
    let mut one = upper::p_data(1, upper::COMMAND, &pending, 16_384);
    one.extend(upper::p_data(1, 0, &keys(&date, "CT", "A^PATIENT", "LYON"), 16_384));
    let mut all = one.repeat(ANSWERS);
    all.extend(upper::p_data(1, upper::COMMAND, &request.response(0).encode(), 16_384));
    all
}

fn serve(socket: TcpStream, answers: &[u8]) -> io::Result<()> {
    let mut stream = Connection::accepted(socket, None, Duration::from_secs(600))?;
    let pdu = upper::read_pdu(&mut stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let request = Associate::parse(&pdu.body).ok_or(io::ErrorKind::InvalidData)?;
    let accepted = request.accept_all();
    stream.write_all(&upper::associate_ac(&request.called, &request.calling, &accepted, 131_072, &[]))?;
    stream.flush()?;
    // What is no message is the release.
    while receive(&mut stream).is_ok() {
        stream.write_all(answers)?;
        stream.flush()?;
    }
    stream.write_all(&upper::release_rp())?;
    stream.flush()
}
