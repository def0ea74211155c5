//! Associations with a certificate only, beside somebody who tries a thousand wrong passcodes a second.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use dimsegate::users::{Hash, Store, User};

use super::median;
use crate::association::Association;
use crate::configurations;
use crate::connection::Target;
use crate::loads::{CALLED, CALLING};
use crate::report::Figures;
use crate::rounds;
use crate::setups::{Out, Running, Setup};
use crate::sink;
use crate::site::Site;
use crate::upper::{self, Request};

/// A second.
const GUESSES: u32 = 1_000;

/// Guesses that wait for their answer at the most: more than are ever let wait for a hash, so that those who are refused at once
/// come again.
const AT_ONCE: usize = 32;

/// In a round.
const ASSOCIATIONS: usize = 500;

const ECHOES: usize = 2_000;

/// Before anything is measured, so that every turn is taken.
const WARM_UP: Duration = Duration::from_millis(500);

/// What guesses leave to others.
pub struct Left {
    /// The p99 of a C-ECHO on an association that is open, in ms.
    pub echo: Option<f64>,
    /// The p99 of an association as a whole, from its connection to its release, in ms.
    pub association: Option<f64>,
    /// Guesses a second that there were.
    pub guesses: Option<f64>,
}

/// A proxy of its own.
pub fn measure(site: &Site, rounds: usize) -> io::Result<Left> {
    let options = sink::Options { maximum_length: 131_072, tls: None, checksums: false };
    let (pacs, _totals) = sink::start(SocketAddr::from(([127, 0, 0, 1], 0)), options)?;
    somebody(site)?;
    let running = Running::configured(site, "guesses", |port| {
        let toml = configurations::dimsegate("guesses", port, pacs, Some(Out::Plain), Setup::PassThrough);
        let users = format!("[users]\nfile = \"{}\"\n", site.text("conf/guessed.toml"));
        toml.replace("[listener.tls]\n", "user-identity = \"accept\"\n[listener.tls]\n") + &users
    });
    let (mut echoes, mut whole, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let ([echo, association], rate) = beside_guesses(&running.target)?;
        echoes.push(echo.percentile(99) / 1e3);
        whole.push(association.percentile(99) / 1e3);
        rates.push(rate);
    }
    Ok(Left { echo: median(&mut echoes), association: median(&mut whole), guesses: median(&mut rates) })
}

/// A file with a user in it: names that nobody has cost as much.
fn somebody(site: &Site) -> io::Result<()> {
    let user = User {
        name: "anna".into(),
        hash: Hash::of("seven quiet herons").map_err(io::Error::other)?,
        one_time: None,
        roles: vec!["all".into()],
        not_after: None,
        disabled: false,
        peers: Vec::new(),
    };
    Store::new(&site.path("conf/guessed.toml")).add(user).map_err(io::Error::other)
}

fn beside_guesses(target: &Target) -> io::Result<([Figures; 2], f64)> {
    let (begin, begun, is_over) = (Instant::now(), AtomicU32::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let guessers: Vec<_> =
            (0..AT_ONCE).map(|_| scope.spawn(|| guess(target, begin, &begun, &is_over))).collect();
        thread::park_timeout(WARM_UP);
        let (before, since) = (begun.load(Relaxed), Instant::now());
        let figures = rounds::echo(target, CALLING, CALLED, ECHOES)
            .and_then(|echoes| Ok([echoes, associations(target)?]));
        let rate = f64::from(begun.load(Relaxed) - before) / since.elapsed().as_secs_f64();
        is_over.store(true, Relaxed);
        for guesser in guessers {
            guesser.join().expect("no panic in a guesser")?;
        }
        Ok((figures?, rate))
    })
}

/// Each whole, one after the other.
fn associations(target: &Target) -> io::Result<Figures> {
    let request = Request::new(CALLING, CALLED).context(upper::VERIFICATION, &[upper::IMPLICIT_LITTLE]);
    let mut latencies = Vec::with_capacity(ASSOCIATIONS);
    for _ in 0..ASSOCIATIONS {
        let begin = Instant::now();
        let mut association = Association::open(target, &request)?;
        association.echo(1, 1)?;
        association.release()?;
        latencies.push(begin.elapsed());
    }
    Ok(Figures { mode: "guesses", count: ASSOCIATIONS, latencies, ..Figures::default() })
}

/// Each at its time, with a name of its own, which no lock-out knows yet.
fn guess(target: &Target, begin: Instant, begun: &AtomicU32, is_over: &AtomicBool) -> io::Result<()> {
    while !is_over.load(Relaxed) {
        let number = begun.fetch_add(1, Relaxed);
        let due = begin + Duration::from_secs(1) * number / GUESSES;
        thread::park_timeout(due.saturating_duration_since(Instant::now()));
        let mut stream = target.connect()?;
        stream.write_all(&wrong(number).encode())?;
        stream.flush()?;
        let answer = upper::read_pdu(&mut stream)?.map(|pdu| pdu.kind);
        if answer != Some(upper::ASSOCIATE_RJ) {
            return Err(io::Error::other(format!("a wrong passcode was answered by {answer:?}")));
        }
    }
    Ok(())
}

fn wrong(number: u32) -> Request {
    let request = Request::new(CALLING, CALLED).context(upper::VERIFICATION, &[upper::IMPLICIT_LITTLE]);
    let field = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
    let fields = [&[2, 0][..], &field(&format!("guessed-{number}")), &field("a guess of twelve")].concat();
    request.user_item(upper::item(0x58, &fields))
}
