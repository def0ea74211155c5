//! What is proposed is what was used, and nothing that a stranger chose can make it more.

use proptest::prelude::*;
use toml::{Table, Value};

use super::comment;
use super::gathered::{Gathered, as_sent};
use super::written::proposal;
use crate::audit::record::{Authority, Context, Tls};
use crate::audit::{
    AssociationClosed, AssociationOpened, AssociationRejected, Direction, Event, Operation, Record, Requestor,
};
use crate::policy::AePattern;
use crate::wire::AeTitle;

const CONFIGURATION: &str = "[[peer]]\nname = \"wide\"\nnetworks = [\"0.0.0.0/0\"]\ncalling-ae-titles = [\"*\"]\n\
    role = \"all\"\nrewrite = \"r\"\nmax-associations = 7\n[[role]]\nname = \"all\"\noperations = [\"all\"]\n\
    sop-classes = [\"all\"]\nminimum-tls = \"1.2\"\nmax-answers = 5\n";
const VERIFICATION: &str = "1.2.840.10008.1.1";

fn requestor(calling: &str, called: &str, address: &str) -> Requestor {
    Requestor {
        listener: "remote".into(),
        peer: Some("wide".into()),
        address: address.parse().unwrap(),
        calling_ae_title: calling.into(),
        called_ae_title: called.into(),
        ..Requestor::default()
    }
}

fn at(event: Event) -> Record {
    Record { time: "2026-03-01T08:00:00.000000Z".into(), sequence: 0, event }
}

/// Somebody who opened an association and asked for one operation.
fn came(gathered: &mut Gathered, id: &str, requestor: Requestor, operation: &str, class: &str) {
    let opened = AssociationOpened {
        association: id.into(),
        requestor,
        contexts: vec![Context::default()],
        ..AssociationOpened::default()
    };
    gathered.take(&at(Event::AssociationOpened(Box::new(opened))));
    let mut done = Operation::new(id.into(), operation.to_owned(), 1, Direction::FromPeer);
    done.sop_class = Some(class.into());
    gathered.take(&at(Event::Operation(Box::new(done))));
}

fn one_of(kind: &str, tables: &str) -> Table {
    let root: Table = tables.parse().unwrap();
    let all = root[kind].as_array().unwrap();
    assert_eq!(all.len(), 1, "{tables}");
    all[0].as_table().unwrap().clone()
}

fn strings(table: &Table, key: &str) -> Vec<String> {
    table[key].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_peer_is_what_was_used_and_keeps_what_the_one_before_it_had() {
    let mut gathered = Gathered::default();
    came(&mut gathered, "a", requestor("CT1", "PACS", "10.0.0.7"), "C-ECHO", VERIFICATION);
    came(&mut gathered, "b", requestor("CT1", "ARCHIVE", "10.0.0.8"), "C-STORE", "1.2.840.10008.5.1.4.1.1.2");
    let tables = proposal(CONFIGURATION, None, &gathered).tables;
    let (peer, role) = (one_of("peer", &tables), one_of("role", &tables));
    assert_eq!(peer["name"].as_str(), Some("ct1"));
    assert_eq!((peer["rewrite"].as_str(), peer["max-associations"].as_integer()), (Some("r"), Some(7)));
    assert_eq!(strings(&peer, "networks"), ["10.0.0.7/32", "10.0.0.8/32"]);
    assert_eq!(strings(&peer, "calling-ae-titles"), ["CT1"]);
    assert_eq!(strings(&peer, "called-ae-titles"), ["ARCHIVE", "PACS"]);
    assert_eq!(strings(&peer, "listeners"), ["remote"]);
    assert_eq!(strings(&role, "operations"), ["C-ECHO", "C-STORE"]);
    assert_eq!(strings(&role, "sop-classes"), [VERIFICATION, "1.2.840.10008.5.1.4.1.1.2"]);
    assert_eq!(role["minimum-tls"].as_str(), Some("1.2"));
    // Nothing was asked for, so that nothing is said of the answers.
    assert!(!role.contains_key("max-answers") && !role.contains_key("move-destinations"), "{tables}");
}

#[test]
fn a_certificate_is_named_by_its_first_name_and_one_that_is_trusted_itself_by_its_digest() {
    let digest = "ab".repeat(32);
    for (authority, expected) in
        [("cd".repeat(32), "dns:gw.lyon.example".to_owned()), (digest.clone(), format!("sha256:{digest}"))]
    {
        let tls = Tls {
            san: vec!["dns:*.lyon.example".into(), "dns:gw.lyon.example".into()],
            fingerprint: Some(digest.clone()),
            authority: Some(Authority { fingerprint: authority, ..Authority::default() }),
            ..Tls::default()
        };
        let mut gathered = Gathered::default();
        // Two titles of one certificate are one peer.
        for title in ["CT1", "CT2"] {
            let requestor = Requestor { tls: Some(tls.clone()), ..requestor(title, "PACS", "10.0.0.7") };
            came(&mut gathered, title, requestor, "C-ECHO", VERIFICATION);
        }
        let peer = one_of("peer", &proposal(CONFIGURATION, None, &gathered).tables);
        assert_eq!(strings(&peer, "certificates"), [expected]);
        assert_eq!(strings(&peer, "calling-ae-titles"), ["CT1", "CT2"]);
        // What the peer before was bound to is never widened.
        let bound = CONFIGURATION.replace(
            "role = \"all\"\n",
            "role = \"all\"\ncertificates = [\"spki-sha256:x\", \"dns:other\"]\n",
        );
        let peer = one_of("peer", &proposal(&bound, None, &gathered).tables);
        assert_eq!(strings(&peer, "certificates"), ["spki-sha256:x"]);
    }
}

#[test]
fn many_addresses_of_a_network_are_that_network_and_a_title_that_is_a_pattern_is_left_out() {
    let mut gathered = Gathered::default();
    for host in 1..=9 {
        let from = requestor("CT1", "PACS", &format!("10.0.0.{host}"));
        came(&mut gathered, &host.to_string(), from, "C-ECHO", VERIFICATION);
    }
    came(&mut gathered, "x", requestor("CT1", "*", "192.0.2.1"), "C-ECHO", VERIFICATION);
    came(&mut gathered, "y", requestor("?", "PACS", "192.0.2.1"), "C-ECHO", VERIFICATION);
    let tables = proposal(CONFIGURATION, None, &gathered).tables;
    let peer = one_of("peer", &tables);
    assert_eq!(strings(&peer, "networks"), ["10.0.0.0/24", "192.0.2.1/32"]);
    assert_eq!(strings(&peer, "called-ae-titles"), ["PACS"]);
    assert!(
        tables.contains("# Left out, since they would be patterns or are no AE titles: \"*\"\n"),
        "{tables}"
    );
    assert!(tables.contains("# Not proposed: none of its AE titles"), "{tables}");
}

#[test]
fn what_was_refused_is_a_comment_and_never_proposed() {
    let mut gathered = Gathered::default();
    let rejected = AssociationRejected {
        requestor: requestor("SPY\n[[peer]]", "PACS", "192.0.2.9"),
        reason: "calling-ae-title-unknown".into(),
        count: Some(3),
        ..AssociationRejected::default()
    };
    gathered.take(&at(Event::AssociationRejected(Box::new(rejected))));
    let stripped =
        AssociationClosed { requestor: requestor("CT9", "PACS", "10.0.0.9"), ..AssociationClosed::default() };
    gathered.take(&at(Event::AssociationClosed(Box::new(stripped))));
    came(&mut gathered, "a", requestor("CT1", "PACS", "10.0.0.7"), "C-ECHO", VERIFICATION);
    let mut denied = Operation::new("a".into(), "C-FIND", 2, Direction::FromPeer);
    denied.reason = Some("operation-not-allowed".into());
    gathered.take(&at(Event::Operation(Box::new(denied))));
    let tables = proposal(CONFIGURATION, None, &gathered).tables;
    assert_eq!(strings(&one_of("role", &tables), "operations"), ["C-ECHO"]);
    assert!(!tables.contains("192.0.2.9") && !tables.contains("10.0.0.9"), "{tables}");
    let refused = comment::refused(&gathered);
    assert!(refused.lines().all(|line| line.is_empty() || line.starts_with("# ")), "{refused}");
    for line in [
        "# 3 x calling-ae-title-unknown from 192.0.2.9 as SPY\\u{a}[[peer]] to PACS\n",
        "# 1 x C-FIND operation-not-allowed as CT1\n",
        "# 1 x no presentation context was allowed from 10.0.0.9 as CT9 to PACS\n",
    ] {
        assert!(refused.contains(line), "{line} in {refused}");
    }
}

#[test]
fn what_was_open_before_counts_by_its_end() {
    let mut gathered = Gathered::default();
    let counts = crate::audit::OperationCounts { success: 1, ..Default::default() };
    let closed = AssociationClosed {
        requestor: requestor("CT1", "PACS", "10.0.0.7"),
        upstream: Some(crate::audit::Upstream::default()),
        operations: [("C-STORE".into(), counts)].into_iter().collect(),
        ..AssociationClosed::default()
    };
    gathered.take(&at(Event::AssociationClosed(Box::new(closed))));
    assert_eq!(gathered.associations(), 1);
    // Which SOP classes these were is not known any more.
    assert!(
        proposal(CONFIGURATION, None, &gathered).tables.contains("# Not proposed: it asked for no operation")
    );
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{1,16}", "\\PC{0,20}", "(\"|'|\n|\\\\|#|\\[|\\]|=|\\*|\\?|\u{7f}|\u{202e}|[A-Z]){1,16}"]
}

proptest! {
    #[test]
    fn nothing_that_a_peer_chooses_is_more_than_a_title(calling in hostile(), called in hostile(), subject in hostile()) {
        let mut gathered = Gathered::default();
        let tls = Tls { san: vec![format!("dns:{subject}"), subject.clone()], fingerprint: Some(subject.clone()), subject: Some(subject.clone()), ..Tls::default() };
        came(&mut gathered, "a", requestor(&calling, &called, "10.0.0.7"), "C-ECHO", &subject);
        came(&mut gathered, "b", requestor(&calling, &called, "10.0.0.7"), "C-ECHO", VERIFICATION);
        came(&mut gathered, "c", Requestor { tls: Some(tls), ..requestor(&calling, &called, "10.0.0.7") }, "C-ECHO", VERIFICATION);
        let rejected = AssociationRejected { requestor: requestor(&calling, &called, "10.0.0.7"), reason: subject.into(), ..AssociationRejected::default() };
        gathered.take(&at(Event::AssociationRejected(Box::new(rejected))));
        let proposal = proposal(CONFIGURATION, None, &gathered);
        let text = [comment::about("x", ("y", "z"), &gathered), proposal.tables, comment::refused(&gathered)].concat();
        prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", text);
        let root: Table = text.parse().unwrap();
        prop_assert!(root.keys().all(|key| key == "peer" || key == "role"), "{}", text);
        let peers = root.get("peer").and_then(Value::as_array).cloned().unwrap_or_default();
        prop_assert!(peers.len() <= 2);
        for peer in peers.iter().filter_map(Value::as_table) {
            for (key, came) in [("calling-ae-titles", as_sent(&calling)), ("called-ae-titles", as_sent(&called))] {
                prop_assert_eq!(strings(peer, key), std::slice::from_ref(&came));
                let title: AeTitle = came.parse().unwrap();
                let pattern: AePattern = came.parse().unwrap();
                prop_assert!(pattern.matches(&title) && !came.contains(['*', '?']));
            }
            prop_assert_eq!(strings(peer, "networks"), ["10.0.0.7/32"]);
            let merged: Table = proposal.merged.parse().unwrap();
            prop_assert_eq!(merged["peer"].as_array().map(Vec::len), Some(peers.len()));
        }
    }
}
