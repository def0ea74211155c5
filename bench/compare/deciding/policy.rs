//! A decision over ten thousand peers, a thousand users and ten thousand blocks, and `check` of that configuration.

use std::fmt::Write;
use std::fs;
use std::hint::black_box;
use std::io;
use std::process::{Command, Stdio};
use std::time::Instant;

use dimsegate::policy::{Block, Blocks, Factor, Factors, Facts, ProvenUser, Verdict, decide};
use dimsegate::users::{Hash, Store, User, Users};
use dimsegate::wire::associate::AssociateRq;
use time::OffsetDateTime;

use super::median;
use crate::procfs;
use crate::site::Site;
use crate::upper;

const PEERS: usize = 10_000;
const USERS: usize = 1_000;
const BLOCKS: usize = 10_000;

/// In a round.
const DECISIONS: u32 = 2_000;

/// Presentation contexts of the request.
const CONTEXTS: usize = 64;

/// A decision in microseconds, and `check` in seconds of CPU.
pub fn measure(site: &Site, rounds: usize) -> io::Result<(Option<f64>, Option<f64>)> {
    fs::write(site.path("large.toml"), configuration(&site.text("conf/users.toml")))?;
    people(site)?;
    let (mut decisions, mut checks) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        checks.push(check(site)?);
    }
    let loaded = dimsegate::config::load(&site.path("large.toml"))
        .map_err(|error| io::Error::other(format!("{error:?}")))?;
    let users = Users::open(&site.path("conf/users.toml"), None).map_err(io::Error::other)?;
    for _ in 0..rounds {
        decisions.push(decided(&loaded.settings.policy, &users));
    }
    Ok((median(&mut decisions), median(&mut checks)))
}

/// Each peer has an address and a title of its own, and the last one asks.
fn configuration(users: &str) -> String {
    let mut text = format!(
        "[audit]\ndirectory = \"audit-large\"\npatient-identifiers = \"none\"\n\
         [users]\nfile = \"{users}\"\n\
         [[listener]]\nname = \"local\"\naddress = \"127.0.0.1:0\"\nupstream = \"pacs\"\n\
         user-identity = \"accept\"\nuser-identity-in-clear = true\n\
         [[upstream]]\nname = \"pacs\"\naddresses = [\"127.0.0.1:104\"]\n\
         [[role]]\nname = \"modality\"\noperations = [\"all\"]\nsop-classes = [\"Verification\", \"storage\"]\n\
         [[role]]\nname = \"reader\"\noperations = [\"all\"]\nsop-classes = [\"storage\"]\n",
    );
    for number in 0..PEERS {
        let (high, low) = (number >> 8, number & 0xFF);
        write!(
            text,
            "[[peer]]\nname = \"site-{number}\"\nnetworks = [\"10.0.{high}.{low}/32\"]\n\
             calling-ae-titles = [\"SITE{number}\"]\ncalled-ae-titles = [\"PACS\"]\nrole = \"modality\"\n"
        )
        .expect("a text grows");
    }
    text
}

/// As many entries as there are users, all with one passcode: a file that `Store` has begun.
fn people(site: &Site) -> io::Result<()> {
    let path = site.path("conf/users.toml");
    let hash = Hash::of("seven quiet herons").map_err(io::Error::other)?;
    let user = User {
        name: "user-0".into(),
        hash,
        one_time: None,
        roles: vec!["reader".into()],
        not_after: None,
        disabled: false,
        peers: Vec::new(),
    };
    Store::new(&path).add(user).map_err(io::Error::other)?;
    let one = fs::read_to_string(&path)?;
    let all: String =
        (0..USERS).map(|number| one.replace("\"user-0\"", &format!("\"user-{number}\""))).collect();
    fs::write(&path, all)
}

fn check(site: &Site) -> io::Result<f64> {
    let before = procfs::of_ended_children();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dimsegate"));
    command.current_dir(site.root()).args(["check", "-c", "large.toml"]);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    match status.success() {
        true => Ok(procfs::of_ended_children().saturating_sub(before).as_secs_f64()),
        false => Err(io::Error::other(format!("check: {status}"))),
    }
}

/// Of every kind, and of nobody who asks; in networks of many lengths.
fn blocked(now: OffsetDateTime) -> Blocks {
    let of = |number: usize| match number % 6 {
        0 => format!("ae-title:OTHER{number}"),
        1 => format!("address:172.16.{}.{}/{}", number >> 8, number & 0xFF, 16 + number % 17),
        2 => format!("certificate:sha256:{number:064x}"),
        3 => format!("peer:other-{number}"),
        4 => format!("user:other-{number}"),
        _ => format!("agreement:other-{number}"),
    };
    let one = |number: usize| Block {
        id: number as u64,
        of: of(number).parse().expect("somebody to block"),
        until: None,
        why: "measured".into(),
        by: "bench".into(),
        since: now,
        automatic: false,
    };
    Blocks::new((0..BLOCKS).map(one).collect())
}

/// The last peer, and the last user, who is looked up each time.
fn decided(policy: &dimsegate::policy::Policy, users: &Users) -> f64 {
    let mut request = upper::Request::new(&format!("SITE{}", PEERS - 1), "PACS");
    for _ in 0..CONTEXTS {
        request = request.context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE, upper::IMPLICIT_LITTLE]);
    }
    let requested = AssociateRq::decode(&request.encode()[6..]).expect("a request that decodes");
    let proven = ProvenUser {
        name: format!("user-{}", USERS - 1).into(),
        factors: Factors::default().with(Factor::Passcode),
        roles: vec!["reader".into()],
        peers: Vec::new(),
        ends: None,
    };
    let (high, low) = ((PEERS - 1) >> 8, (PEERS - 1) & 0xFF);
    let now = OffsetDateTime::now_utc();
    let facts = Facts {
        listener: "local",
        address: format!("10.0.{high}.{low}").parse().expect("an address"),
        certificate: None,
        tls: None,
        authorities: &[],
        user: Some(&proven),
        calling: &requested.calling,
        called: &requested.called,
        contexts: &requested.contexts,
        blocks: &blocked(now),
        now,
    };
    let begin = Instant::now();
    for _ in 0..DECISIONS {
        black_box(users.still(black_box(&proven.name), now)).expect("a user");
        let verdict = black_box(decide(policy, black_box(&facts)));
        assert!(matches!(verdict, Verdict::Allow(_)), "{verdict:?}");
    }
    begin.elapsed().as_secs_f64() * 1e6 / f64::from(DECISIONS)
}
