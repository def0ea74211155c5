//! Decisions, over the refusal table.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use proptest::prelude::*;
use time::OffsetDateTime;

use super::*;
use crate::identity::Certificate;
use crate::vocabulary::Reason;
use crate::wire::associate::ProposedContext;
use crate::wire::{RawAeTitle, Uid};

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const IMPLICIT: &str = "1.2.840.10008.1.2";

pub(super) fn role(operations: &[Operation]) -> Role {
    let mut sop_classes = SopClassSet::default();
    sop_classes.add("storage").unwrap();
    Role {
        name: "modality".into(),
        line: 9,
        keys: Default::default(),
        operations: operations.to_vec(),
        sop_classes,
        transfer_syntaxes: TransferSyntaxSet::all(),
        move_destinations: None,
        minimum_tls: None,
        hours: None,
        require: Factors::default(),
        queries: Default::default(),
    }
}

pub(super) fn peer(name: &str, network: &str, calling: &str) -> Peer {
    Peer {
        name: name.into(),
        line: 1,
        keys: Default::default(),
        listeners: None,
        networks: vec![network.parse().unwrap()],
        calling: vec![calling.parse().unwrap()],
        certificates: None,
        issuers: None,
        called: None,
        role: Arc::new(role(&[Operation::CStore])),
        upstream: None,
        rewrite: None,
        tenant: None,
        rewrite_direction: RewriteDirection::Both,
        two_way: false,
        consent: None,
        strip_asynchronous_window: false,
        response_timeout: None,
        max_associations: None,
        associations_per_minute: None,
        operations_per_second: None,
        scope: None,
        bytes_per_second: None,
    }
}

pub(super) fn policy(peers: Vec<Peer>) -> Policy {
    Policy::new(
        peers.into_iter().map(Arc::new).collect(),
        vec![Route { called: "ARCHIVE*".parse().unwrap(), upstream: "archive".into(), line: 5 }],
        [("remote".into(), Some("pacs".into())), ("bare".into(), None)].into(),
        BTreeMap::new(),
    )
}

pub(super) fn certificate(name: &str) -> Certificate {
    Certificate {
        subject: format!("CN={name}"),
        san: vec![format!("dns:{name}")],
        fingerprint: "ab".repeat(32),
        key_fingerprint: "cd".repeat(32),
        serial: "01".into(),
        issuer: "CN=CA".into(),
        not_after: OffsetDateTime::UNIX_EPOCH,
        common_name: Some(name.into()),
    }
}

/// Vouches for whoever shows a certificate.
pub(super) fn authority() -> Certificate {
    Certificate { fingerprint: "ef".repeat(32), ..certificate("CA") }
}

pub(super) fn raw(title: &str) -> RawAeTitle {
    let mut field = [b' '; 16];
    field[..title.len()].copy_from_slice(title.as_bytes());
    RawAeTitle(field)
}

fn context(id: u8, abstract_syntax: &str, transfer_syntaxes: &[&str]) -> ProposedContext {
    let transfer_syntaxes = transfer_syntaxes.iter().map(|uid| uid.parse().unwrap()).collect();
    ProposedContext { id, abstract_syntax: abstract_syntax.parse().unwrap(), transfer_syntaxes }
}

/// Who asks: listener, address, certificate, calling and called AE title.
type Asks<'a> = (&'a str, &'a str, Option<&'a str>, &'a str, &'a str);

pub(super) fn ask(
    policy: &Policy,
    (listener, address, shown, calling, called): Asks<'_>,
) -> Result<Grant, Refusal> {
    let certificate = shown.map(certificate);
    let authorities = [Arc::new(authority())];
    let facts = Facts {
        listener,
        address: address.parse().unwrap(),
        certificate: certificate.as_ref(),
        tls: None,
        authorities: &authorities,
        user: None,
        calling: &raw(calling),
        called: &raw(called),
        contexts: &[context(1, CT, &[EXPLICIT, IMPLICIT]), context(3, FIND, &[EXPLICIT])],
        blocks: &Blocks::default(),
        now: OffsetDateTime::now_utc(),
    };
    match decide(policy, &facts) {
        Verdict::Allow(grant) => Ok(grant),
        Verdict::Refuse(refusal) => Err(refusal),
    }
}

fn sites() -> Policy {
    let mut lyon = peer("lyon", "203.0.113.0/24", "LYON_*");
    lyon.listeners = Some(vec!["remote".into()]);
    lyon.certificates = Some(vec!["dns:gw.lyon".parse().unwrap()]);
    lyon.called = Some(vec!["PACS".parse().unwrap(), "ARCHIVE".parse().unwrap()]);
    let mut oslo = peer("oslo", "198.51.100.0/24", "OSLO");
    oslo.upstream = Some("mirror".into());
    policy(vec![lyon, oslo])
}

/// Of a certificate that is accepted for its key alone: whoever has the key wrote the names.
#[test]
fn names_that_nobody_vouches_for_are_no_names() {
    let shown = certificate("gw.lyon");
    let (calling, called) = (raw("LYON_CT1"), raw("PACS"));
    for (binding, is_let_in) in [
        ("dns:gw.lyon".to_owned(), false),
        (format!("sha256:{}", shown.fingerprint), true),
        (format!("spki-sha256:{}", shown.key_fingerprint), true),
    ] {
        let mut lyon = peer("lyon", "203.0.113.0/24", "LYON_*");
        lyon.certificates = Some(vec![binding.parse().unwrap()]);
        let facts = Facts {
            listener: "remote",
            address: "203.0.113.9".parse().unwrap(),
            certificate: Some(&shown),
            tls: None,
            authorities: &[],
            user: None,
            calling: &calling,
            called: &called,
            contexts: &[context(1, CT, &[EXPLICIT])],
            blocks: &Blocks::default(),
            now: OffsetDateTime::now_utc(),
        };
        let verdict = decide(&policy(vec![lyon]), &facts);
        assert_eq!(matches!(verdict, Verdict::Allow(_)), is_let_in, "{binding}");
    }
}

#[test]
fn whoever_meets_every_condition_is_let_in() {
    let grant = ask(&sites(), ("remote", "203.0.113.9", Some("gw.lyon"), "LYON_CT1", "PACS")).unwrap();
    assert_eq!((&*grant.peer.name, &*grant.upstream), ("lyon", "pacs"));
    assert_eq!((grant.calling.as_str(), grant.called.as_str()), ("LYON_CT1", "PACS"));
    let offer = ContextVerdict::Offer(vec![EXPLICIT.parse().unwrap(), IMPLICIT.parse().unwrap()]);
    assert_eq!(grant.contexts, [(1, offer), (3, ContextVerdict::Strip(ContextRefusal::SopClass))]);
    assert!(grant.offers_any());
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table")]
fn every_refusal_names_the_nearest_peer_and_what_would_fix_it() {
    use Condition::*;
    let sites = sites();
    for (asks, reason, nearest, detail, remedy) in [
        (
            ("remote", "192.0.2.1", None, "LYON_CT1", "PACS"),
            Reason::AddressNotAllowed,
            Some(("lyon", Network)),
            "192.0.2.1 is not among the networks of peer \"lyon\": 203.0.113.0/24",
            "add \"192.0.2.1\" to the networks of peer \"lyon\"",
        ),
        (
            ("remote", "203.0.113.9", Some("gw.lyon"), "PARIS", "PACS"),
            Reason::CallingAeTitleUnknown,
            Some(("lyon", CallingAeTitle)),
            "calling AE title \"PARIS\" is not among the calling-ae-titles of peer \"lyon\": LYON_*",
            "add \"PARIS\" to the calling-ae-titles of peer \"lyon\", or correct the requestor's AE title",
        ),
        (
            ("remote", "203.0.113.9", Some("gw.oslo"), "LYON_CT1", "PACS"),
            Reason::CertificateMismatch,
            Some(("lyon", Certificate)),
            "certificate CN=gw.oslo (dns:gw.oslo) is not among the certificates of peer \"lyon\": dns:gw.lyon",
            "if this certificate is the peer's, add \"sha256:abab",
        ),
        (
            ("remote", "203.0.113.9", None, "LYON_CT1", "PACS"),
            Reason::CertificateMismatch,
            Some(("lyon", Certificate)),
            "no certificate is not among the certificates of peer \"lyon\": dns:gw.lyon",
            "connect to a TLS listener and show the peer's certificate",
        ),
        (
            ("remote", "203.0.113.9", Some("gw.lyon"), "LYON_CT1", "RIS"),
            Reason::CalledAeTitleUnknown,
            Some(("lyon", CalledAeTitle)),
            "called AE title \"RIS\" is not among the called-ae-titles of peer \"lyon\": PACS, ARCHIVE",
            "add \"RIS\" to the called-ae-titles of peer \"lyon\", or correct what the requestor calls",
        ),
        (
            ("bare", "203.0.113.9", Some("gw.lyon"), "LYON_CT1", "PACS"),
            Reason::AddressNotAllowed,
            Some(("oslo", Network)),
            "203.0.113.9 is not among the networks of peer \"oslo\": 198.51.100.0/24",
            "add \"203.0.113.9\" to the networks of peer \"oslo\"",
        ),
        (
            ("remote", "203.0.113.9", Some("gw.lyon"), "", "PACS"),
            Reason::CallingAeTitleIllegal,
            None,
            "the AE title is blank",
            "give the requestor a legal calling AE title",
        ),
        (
            ("remote", "203.0.113.9", Some("gw.lyon"), "LYON_CT1", "P\\S"),
            Reason::CalledAeTitleIllegal,
            None,
            "\"P\\\\S\" has a character that an AE title may not have",
            "give the requestor a legal called AE title",
        ),
    ] {
        let refusal = ask(&sites, asks).unwrap_err();
        assert_eq!(refusal.reason, reason, "{asks:?}");
        let found = refusal.nearest.as_ref().map(|(peer, condition)| (&*peer.name, *condition));
        assert_eq!(found, nearest, "{asks:?}");
        assert!(refusal.detail.starts_with(detail), "{}", refusal.detail);
        assert!(refusal.remedy.starts_with(remedy), "{}", refusal.remedy);
    }
    let nobody = ask(&Policy::default(), ("remote", "10.0.0.1", None, "A", "B")).unwrap_err();
    assert_eq!((nobody.reason, nobody.detail.as_str()), (Reason::AddressNotAllowed, "no peer is configured"));
}

#[test]
fn the_conditions_of_two_peers_do_not_add_up() {
    let refusal = ask(&sites(), ("remote", "198.51.100.7", Some("gw.lyon"), "LYON_CT1", "PACS")).unwrap_err();
    assert_eq!(refusal.reason, Reason::CallingAeTitleUnknown);
}

#[test]
fn the_first_peer_that_matches_decides() {
    let policy = policy(vec![peer("narrow", "10.1.0.0/16", "A"), peer("wide", "10.0.0.0/8", "*")]);
    let name = |address, calling| {
        ask(&policy, ("remote", address, None, calling, "PACS")).unwrap().peer.name.clone()
    };
    assert_eq!(&*name("10.1.2.3", "A"), "narrow");
    assert_eq!(&*name("10.1.2.3", "B"), "wide");
    assert_eq!(&*name("10.2.2.3", "A"), "wide");
}

#[test]
fn a_peers_upstream_goes_before_a_route_and_a_route_before_the_listeners() {
    let upstream = |asks| ask(&sites(), asks).map(|grant| grant.upstream);
    let lyon = Some("gw.lyon");
    assert_eq!(upstream(("remote", "203.0.113.9", lyon, "LYON_CT1", "PACS")).unwrap(), "pacs".into());
    assert_eq!(upstream(("remote", "203.0.113.9", lyon, "LYON_CT1", "ARCHIVE")).unwrap(), "archive".into());
    assert_eq!(upstream(("remote", "198.51.100.7", None, "OSLO", "ARCHIVE")).unwrap(), "mirror".into());
    let nowhere = policy(vec![peer("p", "10.0.0.0/8", "*")]);
    assert_eq!(&*ask(&nowhere, ("bare", "10.0.0.1", None, "A", "ARCHIVE2")).unwrap().upstream, "archive");
    let refusal = ask(&nowhere, ("bare", "10.0.0.1", None, "A", "PACS")).unwrap_err();
    assert_eq!(refusal.reason, Reason::CalledAeTitleUnknown);
    assert!(refusal.remedy.starts_with("add a [[route]] for \"PACS\""), "{}", refusal.remedy);
}

#[test]
fn a_mapped_address_counts_as_ipv4() {
    let sites = sites();
    let mapped = "::ffff:203.0.113.9";
    assert!(sites.admits_address("remote", mapped.parse().unwrap()).is_ok());
    assert!(ask(&sites, ("remote", mapped, Some("gw.lyon"), "LYON_CT1", "PACS")).is_ok());
    assert!(sites.admits_address("remote", "::ffff:192.0.2.1".parse().unwrap()).is_err());
}

#[test]
fn an_address_is_admitted_only_where_a_peer_of_the_listener_has_it() {
    let sites = sites();
    let admits = |listener, address: &str| sites.admits_address(listener, address.parse().unwrap());
    assert!(admits("remote", "203.0.113.9").is_ok() && admits("bare", "198.51.100.1").is_ok());
    let refusal = admits("bare", "203.0.113.9").unwrap_err();
    assert_eq!((refusal.reason, refusal.reason.rejection()), (Reason::AddressNotAllowed, None));
}

#[test]
fn transfer_syntaxes_that_are_not_allowed_are_left_out() {
    let mut peer = peer("p", "10.0.0.0/8", "*");
    let mut role = role(&[Operation::CStore]);
    role.transfer_syntaxes = TransferSyntaxSet::default();
    role.transfer_syntaxes.add(IMPLICIT).unwrap();
    peer.role = Arc::new(role);
    let policy = policy(vec![peer]);
    let contexts = [context(1, CT, &[EXPLICIT, IMPLICIT]), context(5, CT, &[EXPLICIT])];
    let (calling, called) = (raw("A"), raw("B"));
    let address: IpAddr = "10.0.0.1".parse().unwrap();
    let facts = Facts {
        listener: "remote",
        address,
        certificate: None,
        tls: None,
        user: None,
        authorities: &[],
        calling: &calling,
        called: &called,
        contexts: &contexts,
        blocks: &Blocks::default(),
        now: OffsetDateTime::now_utc(),
    };
    let Verdict::Allow(grant) = decide(&policy, &facts) else { panic!("refused") };
    let offer = ContextVerdict::Offer(vec![IMPLICIT.parse().unwrap()]);
    assert_eq!(grant.contexts, [(1, offer), (5, ContextVerdict::Strip(ContextRefusal::TransferSyntax))]);
}

fn permits(role: &Role, operation: Operation, direction: Direction, class: &str) -> Result<(), Denial> {
    let abstract_syntax: Uid = class.parse().unwrap();
    let move_destination = (operation == Operation::CMove).then_some("READER1");
    role.permits_request(&Request {
        operation,
        direction,
        abstract_syntax: &abstract_syntax,
        sop_class: None,
        move_destination,
        retrieving: true,
    })
}

#[test]
fn what_a_role_does_not_list_is_denied_in_both_directions() {
    use Direction::{FromPeer, ToPeer};
    use Operation::*;
    for (listed, operation, direction, allowed) in [
        (CStore, CStore, FromPeer, true),
        (CStore, CStore, ToPeer, false),
        (CStore, CFind, FromPeer, false),
        (CGet, CStore, ToPeer, true),
        (CGet, CStore, FromPeer, false),
        (CGet, CFind, ToPeer, false),
        (NAction, NEventReport, ToPeer, true),
        (NCreate, NEventReport, ToPeer, true),
        (NAction, NEventReport, FromPeer, false),
        (NSet, NEventReport, ToPeer, false),
        (NEventReport, NEventReport, FromPeer, true),
        (NEventReport, NEventReport, ToPeer, true),
        (CEcho, CEcho, ToPeer, true),
        (CFind, CFind, ToPeer, false),
        (CGet, CGet, ToPeer, false),
        (NSet, NSet, ToPeer, false),
    ] {
        let found = permits(&role(&[listed]), operation, direction, CT);
        let expected = if allowed { Ok(()) } else { Err(Denial::Operation) };
        assert_eq!(found, expected, "{listed} {operation} {direction:?}");
    }
}

#[test]
fn a_sub_operation_needs_its_c_get() {
    let role = role(&[Operation::CStore, Operation::CGet]);
    let class: Uid = CT.parse().unwrap();
    let store = |direction, retrieving| {
        role.permits_request(&Request {
            operation: Operation::CStore,
            direction,
            abstract_syntax: &class,
            sop_class: None,
            move_destination: None,
            retrieving,
        })
    };
    assert_eq!(store(Direction::ToPeer, true), Ok(()));
    assert_eq!(store(Direction::ToPeer, false), Err(Denial::Unasked));
    assert_eq!(store(Direction::FromPeer, false), Ok(()));
}

#[test]
fn a_request_has_to_suit_its_context() {
    let role = role(&[Operation::CStore]);
    let with = |class: &str, context: &str| {
        let (class, context): (Uid, Uid) = (class.parse().unwrap(), context.parse().unwrap());
        role.permits_request(&Request {
            operation: Operation::CStore,
            direction: Direction::FromPeer,
            abstract_syntax: &context,
            sop_class: Some(&class),
            move_destination: None,
            retrieving: false,
        })
    };
    assert_eq!(with(CT, CT), Ok(()));
    assert_eq!(with(FIND, CT), Err(Denial::SopClass));
    assert_eq!(with(CT, FIND), Err(Denial::SopClass));
    assert_eq!(Denial::SopClass.status(), 0x0122);
    assert_eq!(Denial::Operation.status(), 0x0124);
}

#[test]
fn a_c_move_goes_only_where_the_role_says() {
    let mut role = role(&[Operation::CMove]);
    role.sop_classes = SopClassSet::all();
    let to = |role: &Role, destination: Option<&str>| {
        let abstract_syntax: Uid = FIND.parse().unwrap();
        role.permits_request(&Request {
            operation: Operation::CMove,
            direction: Direction::FromPeer,
            abstract_syntax: &abstract_syntax,
            sop_class: None,
            move_destination: destination,
            retrieving: false,
        })
    };
    assert_eq!(to(&role, Some("ANYWHERE")), Ok(()));
    assert_eq!(to(&role, None), Ok(()));
    assert_eq!(to(&role, Some("A TITLE OF TWENTY-ONE")), Err(Denial::MoveDestination));
    role.move_destinations = Some(vec!["READER*".parse().unwrap()]);
    assert_eq!(to(&role, Some("READER1 ")), Ok(()));
    for elsewhere in [Some("THIEF"), Some(""), Some("reader1"), None] {
        assert_eq!(to(&role, elsewhere), Err(Denial::MoveDestination), "{elsewhere:?}");
    }
    assert_eq!(Denial::MoveDestination.status(), 0xA801);
}

#[test]
fn error_comments_fit_their_element() {
    for denial in [Denial::Operation, Denial::SopClass, Denial::MoveDestination] {
        assert!(denial.to_string().len() <= 64, "{denial}");
    }
}

prop_compose! {
    fn some_peer()(
        octet in 0_u8..4,
        prefix in 8_u8..=32,
        calling in "[AB*?]{1,3}",
        called in prop::option::of("[AB*]{1,3}"),
        bound in prop::option::of("dns:[ab]"),
        listener in prop::option::of("remote|bare"),
    ) -> Peer {
        let mut peer = peer("p", &format!("10.0.0.{octet}/{prefix}"), &calling);
        peer.called = called.map(|called| vec![called.parse().unwrap()]);
        peer.certificates = bound.map(|bound| vec![bound.parse().unwrap()]);
        peer.listeners = listener.map(|name| vec![name.as_str().into()]);
        peer
    }
}

/// Written apart from `decide`, condition by condition.
fn meets(peer: &Peer, asks: Asks<'_>) -> bool {
    let (listener, address, shown, calling, called) = asks;
    let address: IpAddr = address.parse().unwrap();
    let (calling, called) = (calling.parse().unwrap(), called.parse().unwrap());
    peer.listeners.iter().flatten().all(|name| **name == *listener)
        && peer.networks.iter().any(|network| network.contains(&address))
        && peer.calling.iter().any(|pattern| pattern.matches(&calling))
        && peer.called.iter().flatten().all(|pattern| pattern.matches(&called))
        && peer
            .certificates
            .iter()
            .flatten()
            .all(|bound| shown.is_some_and(|name| bound.matches(&certificate(name))))
}

proptest! {
    #[test]
    fn nobody_is_let_in_whom_no_peer_matches_and_the_first_match_decides(
        peers in prop::collection::vec(some_peer(), 0..5),
        octet in 0_u8..4,
        shown in prop::option::of("[abc]"),
        calling in "[AB]{1,3}",
        called in "[AB]{1,3}",
        listener in "remote|bare",
    ) {
        let address = format!("10.0.0.{octet}");
        let asks = (listener.as_str(), address.as_str(), shown.as_deref(), calling.as_str(), called.as_str());
        let expected = peers.iter().position(|peer| meets(peer, asks));
        let policy = policy(peers);
        match (ask(&policy, asks), expected) {
            (Ok(grant), Some(first)) => prop_assert!(Arc::ptr_eq(&grant.peer, &policy.peers[first])),
            // A peer may match and still have no upstream on the listener that has none.
            (Err(refusal), Some(_)) => prop_assert!(listener == "bare" && refusal.reason == Reason::CalledAeTitleUnknown),
            (found, None) => prop_assert!(found.is_err()),
        }
    }
}

#[test]
fn two_ways_every_message_has_its_treatment_and_one_way_only_objects_do() {
    use Content::{Attributes, Keys, Object};
    use Operation::{CFind, CGet, CMove, CStore};
    use Treatment::{AsItCame, Pseudonymise, Restore, Rewrite};
    let peer = |rewrite: Option<&str>, rewrite_direction, two_way| Peer {
        rewrite: rewrite.map(Into::into),
        rewrite_direction,
        two_way,
        ..peer("reader", "10.0.0.0/8", "*")
    };
    let ways = [Direction::FromPeer, Direction::ToPeer];
    let (there, back) = (RewriteDirection::ToPeer, RewriteDirection::FromPeer);
    for operation in Operation::ALL {
        let request = match operation {
            CStore => Object,
            CFind | CMove | CGet => Keys,
            _ => Attributes,
        };
        for (part, content) in [(Part::Request, request), (Part::Response, Attributes)] {
            let of = |peer: Peer| ways.map(|way| peer.treatment(operation, part, way));
            assert_eq!(of(peer(None, there, false)), [AsItCame; 2]);
            assert_eq!(of(peer(Some("r"), there, true)), [Restore(content), Pseudonymise(content)]);
            assert_eq!(of(peer(Some("r"), back, true)), [Pseudonymise(content), Restore(content)]);
            let object = if content == Object { Rewrite } else { AsItCame };
            assert_eq!(of(peer(Some("r"), there, false)), [AsItCame, object]);
            assert_eq!(of(peer(Some("r"), back, false)), [object, AsItCame]);
            assert_eq!(of(peer(Some("r"), RewriteDirection::Both, false)), [object; 2]);
        }
    }
}

#[test]
fn a_peer_bound_to_issuers_takes_no_certificate_of_another() {
    let with = |issuers: &[&str]| {
        let issuers = Some(issuers.iter().map(|text| text.parse().unwrap()).collect());
        policy(vec![Peer { issuers, ..peer("lyon", "10.0.0.0/8", "CT*") }])
    };
    let shown = || Some("gw.lyon.example");
    for right in [&["cn:CA"][..], &["cn:other", &format!("sha256:{}", "ef".repeat(32))]] {
        assert!(ask(&with(right), ("remote", "10.1.2.3", shown(), "CT1", "PACS")).is_ok());
    }
    // Not the name that the certificate itself carries, nor its own fingerprint.
    for wrong in ["cn:gw.lyon.example", &format!("sha256:{}", "ab".repeat(32))] {
        let refusal = ask(&with(&[wrong]), ("remote", "10.1.2.3", shown(), "CT1", "PACS")).unwrap_err();
        assert_eq!(refusal.reason, Reason::CertificateMismatch);
        assert_eq!(refusal.nearest.map(|(_, condition)| condition), Some(Condition::Issuer));
        assert!(refusal.remedy.contains(&format!("sha256:{}", "ef".repeat(32))), "{}", refusal.remedy);
    }
}
