//! The machine of an association between two peers that say anything, in any order, while legs are lost and time passes: no
//! promise of its own is broken, what a side hears can be read to its end, what goes on whole was whole, and the same comes of
//! the same bytes however they are cut.

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use dimsegate::dimse::Command;
use dimsegate::policy::{
    Direction, Grant, Operation, Peer, RewriteDirection, Rights, Role, SopClassSet, TransferSyntaxSet,
};
use dimsegate::relay::played::{ANSWER, Happens, MAXIMUM_LENGTH, Played, Stage, play};
use dimsegate::rewrite::{RuleSpec, Ruleset, RulesetSpec};
use dimsegate::wire::{Deframer, Event, Kind, Uid};

/// Presentation contexts: ID, abstract syntax, transfer syntax.
const CONTEXTS: [(u8, &str, &str); 4] = [
    (1, "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1"),
    (3, "1.2.840.10008.1.1", "1.2.840.10008.1.2"),
    (5, "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.1.2.1"),
    (7, "1.2.840.10008.5.1.4.1.2.2.3", "1.2.840.10008.1.2.1"),
];

/// What a side heard: messages that were whole, with the data set where they have one, and whatever else a PDU says. How much of
/// a message had gone before it failed depends on how its bytes came.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    Message { context_id: u8, command: Vec<u8>, data: Option<Vec<u8>> },
    Other(String),
}

static ACCEPTED: LazyLock<Vec<(u8, Uid, Uid)>> = LazyLock::new(|| {
    let uid = |text: &str| text.parse().expect("a UID");
    CONTEXTS.iter().map(|(id, class, syntax)| (*id, uid(class), uid(syntax))).collect()
});

static RULES: LazyLock<Arc<Ruleset>> = LazyLock::new(|| {
    let rule =
        |tag: &str, action: &str| RuleSpec { tag: tag.into(), action: action.into(), ..RuleSpec::default() };
    let rules = vec![rule("PatientName", "remove"), rule("AccessionNumber", "empty")];
    Arc::new(Ruleset::compile(RulesetSpec { rules, ..RulesetSpec::default() }).expect("rules"))
});

static GRANT: LazyLock<Grant> = LazyLock::new(|| {
    use Operation::{CEcho, CFind, CGet, CStore};
    let mut sop_classes = SopClassSet::default();
    sop_classes.add("all").expect("all SOP classes");
    let role = Arc::new(Role {
        name: "role".into(),
        line: 1,
        keys: Default::default(),
        operations: vec![CEcho, CStore, CFind, CGet],
        sop_classes,
        transfer_syntaxes: TransferSyntaxSet::all(),
        move_destinations: None,
        minimum_tls: None,
        hours: None,
        require: Default::default(),
        queries: Default::default(),
    });
    let peer = Peer {
        name: "peer".into(),
        line: 1,
        keys: Default::default(),
        listeners: None,
        networks: Vec::new(),
        calling: Vec::new(),
        certificates: None,
        issuers: None,
        called: None,
        role: Arc::clone(&role),
        scope: None,
        upstream: None,
        tenant: None,
        rewrite: Some("rules".into()),
        rewrite_direction: RewriteDirection::FromPeer,
        two_way: false,
        consent: None,
        strip_asynchronous_window: false,
        response_timeout: None,
        max_associations: None,
        associations_per_minute: None,
        operations_per_second: None,
        bytes_per_second: None,
    };
    Grant {
        peer: Arc::new(peer),
        rights: Rights::of_peer(role),
        calling: "CT1".parse().expect("an AE title"),
        called: "PACS".parse().expect("an AE title"),
        upstream: "pacs".into(),
        contexts: Vec::new(),
    }
});

/// A byte for rules and sizes, then what happens: a byte for its kind, and what that needs. Gives how many data sets went on whole.
pub fn check(input: &[u8]) -> usize {
    let Some((&choice, script)) = input.split_first() else { return 0 };
    let script = happenings(script);
    let rules = (choice & 1 == 1).then(|| Arc::clone(&RULES));
    let takes = [usize::MAX, 1_000, 37, 5_000][usize::from(choice >> 1 & 3)];
    let whole = played(&script, rules.clone(), takes);
    let heard = whole.heard.clone().map(|bytes| read(&bytes));
    let cut = usize::from(choice >> 3) * 41 + 7;
    let pieces: Vec<_> = script.iter().flat_map(|happens| cut_up(*happens, cut)).collect();
    let pieces = played(&pieces, rules.clone(), 700);
    assert_eq!(heard, pieces.heard.clone().map(|bytes| read(&bytes)));
    assert_eq!((&whole.records, &whole.ended), (&pieces.records, &pieces.ended));
    let data_sets = |heard: &[Heard]| -> Vec<Vec<u8>> {
        let data = heard.iter().filter_map(|heard| match heard {
            Heard::Message { data, .. } => data.clone(),
            Heard::Other(_) => None,
        });
        data.collect()
    };
    let went_on = heard.each_ref().map(|heard| data_sets(heard));
    if rules.is_none() {
        for (went_on, direction) in went_on.iter().zip([Direction::FromPeer, Direction::ToPeer]) {
            let said = said(&script, direction);
            assert!(went_on.iter().all(|data| said.contains(data)), "a data set that nobody said");
        }
    }
    went_on.iter().map(Vec::len).sum()
}

fn played(script: &[Happens<'_>], ruleset: Option<Arc<Ruleset>>, takes: usize) -> Played {
    let began = (Instant::now(), time::macros::date!(2026 - 01 - 01));
    let mut grant = GRANT.clone();
    if ruleset.is_none() {
        // With a rewrite and without its rules nothing goes on.
        grant.peer = Arc::new(Peer { rewrite: None, ..(*grant.peer).clone() });
    }
    let stage = Stage { grant, ruleset, contexts: &ACCEPTED, began, takes };
    let played = play(&stage, script.iter().copied());
    assert!(!played.is_defect, "{played:?}");
    played
}

fn happenings(mut script: &[u8]) -> Vec<Happens<'_>> {
    let mut happenings = Vec::new();
    while let &[kind, high, low, ref rest @ ..] = script {
        let number = u16::from_be_bytes([high, low]);
        let direction = if kind & 1 == 0 { Direction::FromPeer } else { Direction::ToPeer };
        script = rest;
        happenings.push(match kind {
            b'A'..=b'D' => {
                let (bytes, behind) = rest.split_at(rest.len().min(number.into()));
                script = behind;
                Happens::Bytes(direction, bytes)
            }
            b'L' | b'M' => Happens::Lost(direction),
            b'S' => Happens::Seconds(number),
            b'W' => Happens::Drain,
            b'N' => Happens::NoMore,
            _ => continue,
        });
    }
    happenings
}

/// The same bytes in several pieces. How much a half reads at once is decided by kernel and network.
fn cut_up(happens: Happens<'_>, size: usize) -> Vec<Happens<'_>> {
    match happens {
        Happens::Bytes(direction, bytes) if !bytes.is_empty() => {
            bytes.chunks(size).map(|piece| Happens::Bytes(direction, piece)).collect()
        }
        other => vec![other],
    }
}

/// Data sets that were said whole.
fn said(script: &[Happens<'_>], direction: Direction) -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    for happens in script {
        if let Happens::Bytes(of, some) = happens
            && *of == direction
        {
            bytes.extend_from_slice(some);
        }
    }
    let (mut whole, mut begun) = (Vec::new(), Vec::new());
    deframed(&bytes, |event| {
        let Event::Fragment(fragment) = event else { return };
        if fragment.kind == Kind::DataSet {
            begun.extend_from_slice(fragment.bytes);
            if fragment.last {
                whole.push(std::mem::take(&mut begun));
            }
        }
    });
    whole
}

/// What dimsegate says can be read to its end, and an abort is its last word.
fn read(bytes: &[u8]) -> Vec<Heard> {
    let (mut heard, mut command, mut data) = (Vec::new(), Vec::new(), Vec::new());
    let left = deframed(bytes.strip_prefix(&ANSWER).unwrap_or(bytes), |event| match event {
        Event::Fragment(fragment) => {
            let (begun, is_data) = match fragment.kind {
                Kind::Command => (&mut command, false),
                Kind::DataSet => (&mut data, true),
            };
            begun.extend_from_slice(fragment.bytes);
            let ends = fragment.last && (is_data || !has_data_set(&command));
            if ends {
                let (command, data) =
                    (std::mem::take(&mut command), is_data.then(|| std::mem::take(&mut data)));
                heard.push(Heard::Message { context_id: fragment.context_id, command, data });
            }
        }
        other => heard.push(Heard::Other(format!("{other:?}"))),
    });
    assert!(left.is_none(), "{left:?}");
    let abort = |heard: &Heard| matches!(heard, Heard::Other(what) if what.starts_with("Abort"));
    let first = heard.iter().position(abort);
    assert!(first.is_none_or(|at| at + 1 == heard.len()), "words behind an abort: {heard:?}");
    heard
}

fn has_data_set(command: &[u8]) -> bool {
    Command::parse(command.to_vec()).is_ok_and(|command| command.has_data_set)
}

/// Shows each event; gives why reading ended before the bytes did.
fn deframed(bytes: &[u8], mut show: impl FnMut(Event<'_>)) -> Option<String> {
    let (mut deframer, mut at) = (Deframer::new(MAXIMUM_LENGTH), 0);
    loop {
        match deframer.next(&bytes[at..]) {
            Err(malformed) => return Some(malformed.to_string()),
            Ok((_, None)) => return None,
            Ok((used, Some(event))) => {
                at += used;
                show(event);
            }
        }
    }
}
