//! Routes within countries and across borders.

use std::sync::Arc;

use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::{Agreement, Borders, Country, Mechanism};
use crate::policy::tests::{ask, peer, policy};
use crate::policy::{
    Denial, Direction, KeyLines, Operation, Peer, Request, RewriteDirection, Role, SopClassSet, Stated,
    Things, TransferSyntaxSet, compare,
};
use crate::vocabulary::Reason;

const BEGIN: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);
const END: OffsetDateTime = datetime!(2027-01-01 00:00 UTC);
const DURING: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);

fn country(code: &str) -> Country {
    code.parse().unwrap()
}

fn agreement(id: &str, mechanism: Mechanism) -> Agreement {
    let line = |(key, line)| Stated { key, line };
    Agreement {
        id: id.into(),
        line: 1,
        keys: [("from", 2), ("until", 3), ("rewrite", 4)].into_iter().map(line).collect(),
        peers: vec!["lyon".into()],
        upstreams: Vec::new(),
        country: country("FR"),
        mechanism,
        reference: "contract 7".into(),
        purpose: "second opinion".into(),
        contact: None,
        from: BEGIN,
        until: END,
        allows: Arc::new(Role {
            name: "agreement".into(),
            line: 1,
            keys: KeyLines::default(),
            operations: Operation::ALL.to_vec(),
            sop_classes: SopClassSet::all(),
            transfer_syntaxes: TransferSyntaxSet::all(),
            move_destinations: None,
            minimum_tls: None,
            hours: None,
            require: Default::default(),
            queries: Default::default(),
        }),
        rewrite: None,
        consent: false,
        consent_scope: None,
    }
}

/// A proxy and its archive in Switzerland, a peer in France.
fn borders(agreements: Vec<Agreement>) -> Borders {
    Borders {
        home: Some(country("CH")),
        of_peers: [("lyon".into(), country("FR"))].into(),
        ..Borders::of(agreements.into_iter().map(Arc::new).collect())
    }
}

fn lyon() -> Peer {
    peer("lyon", "10.0.0.0/8", "*")
}

/// The id of the agreement, or why not and by which line.
fn asked(
    borders: &Borders,
    peer: &Peer,
    at: OffsetDateTime,
) -> Result<Option<String>, (Reason, Option<usize>)> {
    let agreed = borders.agreed(&peer.route_to("pacs"), at);
    let id = |agreement: Option<Arc<Agreement>>| agreement.map(|agreement| agreement.id.to_string());
    agreed.map(id).map_err(|refusal| (refusal.reason, refusal.stated.map(|stated| stated.line)))
}

#[test]
fn a_route_within_a_country_needs_nothing_until_an_agreement_is_about_it() {
    let bern = peer("bern", "10.0.0.0/8", "*");
    assert_eq!(asked(&borders(Vec::new()), &bern, DURING), Ok(None));
    assert_eq!(asked(&Borders::default(), &bern, DURING), Ok(None));
    let domestic = || Agreement {
        peers: vec!["bern".into()],
        country: country("CH"),
        ..agreement("home", Mechanism::Domestic)
    };
    assert_eq!(asked(&borders(vec![domestic()]), &bern, DURING), Ok(Some("home".into())));
    let over = Err((Reason::AgreementNotInForce, Some(3)));
    assert_eq!(asked(&borders(vec![domestic()]), &bern, END), over);
}

#[test]
fn a_route_across_a_border_is_open_while_its_agreement_holds() {
    assert_eq!(asked(&borders(Vec::new()), &lyon(), DURING), Err((Reason::AgreementMissing, None)));
    let agreed = borders(vec![agreement("fr", Mechanism::Scc)]);
    let moment = Duration::nanoseconds(1);
    assert_eq!(asked(&agreed, &lyon(), BEGIN - moment), Err((Reason::AgreementNotInForce, Some(2))));
    for at in [BEGIN, DURING, END - moment] {
        assert_eq!(asked(&agreed, &lyon(), at), Ok(Some("fr".into())), "{at}");
    }
    assert_eq!(asked(&agreed, &lyon(), END), Err((Reason::AgreementNotInForce, Some(3))));
    let next = Agreement { from: END, until: END + Duration::DAY, ..agreement("next", Mechanism::Scc) };
    let both = borders(vec![agreement("fr", Mechanism::Scc), next]);
    assert_eq!(asked(&both, &lyon(), END), Ok(Some("next".into())));
}

#[test]
fn an_agreement_of_another_kind_country_or_upstream_opens_nothing() {
    let missing = Err((Reason::AgreementMissing, None));
    for other in [
        agreement("domestic", Mechanism::Domestic),
        Agreement { country: country("DE"), ..agreement("de", Mechanism::Scc) },
        Agreement { upstreams: vec!["other".into()], ..agreement("other", Mechanism::Scc) },
        Agreement { peers: vec!["other".into()], ..agreement("other", Mechanism::Scc) },
    ] {
        assert_eq!(asked(&borders(vec![other.clone()]), &lyon(), DURING), missing, "{}", other.id);
    }
    let of_upstream =
        Agreement { peers: Vec::new(), upstreams: vec!["pacs".into()], ..agreement("pacs", Mechanism::Scc) };
    assert_eq!(asked(&borders(vec![of_upstream]), &lyon(), DURING), Ok(Some("pacs".into())));
}

#[test]
fn an_agreement_that_asks_for_a_rewrite_opens_nothing_without_it() {
    let asks = Agreement { rewrite: Some("pseudonyms".into()), ..agreement("fr", Mechanism::Scc) };
    let agreed = borders(vec![asks]);
    let with = |rewrite: Option<&str>| Peer { rewrite: rewrite.map(Into::into), ..lyon() };
    let lacking = Err((Reason::AgreementNotInForce, Some(4)));
    assert_eq!(asked(&agreed, &with(None), DURING), lacking);
    assert_eq!(asked(&agreed, &with(Some("other")), DURING), lacking);
    assert_eq!(asked(&agreed, &with(Some("pseudonyms")), DURING), Ok(Some("fr".into())));
}

#[test]
fn under_an_agreement_with_a_rewrite_only_what_it_sees_crosses() {
    use RewriteDirection::{Both, FromPeer, ToPeer};
    let asks = || always(Agreement { rewrite: Some("x".into()), ..agreement("fr", Mechanism::Scc) });
    let allowed = |rewrite_direction, two_way, agreement: Agreement| {
        let role = Arc::new(crate::policy::tests::role(&Operation::ALL));
        let lyon = Peer { role, rewrite: Some("x".into()), rewrite_direction, two_way, ..lyon() };
        let policy = policy(vec![lyon]).within(borders(vec![agreement]));
        let mut granted = ask(&policy, ("remote", "10.0.0.1", None, "A", "B")).unwrap().rights.operations();
        granted.sort_unstable_by_key(|operation| operation.name());
        granted
    };
    use Operation::{CEcho, CGet, CStore};
    assert_eq!(allowed(Both, false, asks()), [CEcho, CGet, CStore]);
    assert_eq!(allowed(FromPeer, false, asks()), [CEcho, CStore]);
    assert_eq!(allowed(ToPeer, false, asks()), [CEcho, CGet]);
    assert_eq!(allowed(ToPeer, true, asks()).len(), Operation::ALL.len());
    let any = Agreement { rewrite: None, ..asks() };
    assert_eq!(allowed(Both, false, any).len(), Operation::ALL.len());
}

/// What the rights of an association under an agreement say of an operation of the peer, or of one towards it.
fn said(
    agreement: Agreement,
    direction: Direction,
    operation: Operation,
    to: Option<&str>,
) -> Result<(), Denial> {
    let role = Arc::new(crate::policy::tests::role(&Operation::ALL));
    let policy = policy(vec![Peer { role, ..lyon() }]).within(borders(vec![agreement]));
    let granted = ask(&policy, ("remote", "10.0.0.1", None, "A", "B")).unwrap();
    let class = "1.2.840.10008.5.1.4.1.1.2".parse().unwrap();
    granted.rights.permits_request(&Request {
        operation,
        direction,
        abstract_syntax: &class,
        sop_class: None,
        move_destination: to,
        retrieving: true,
    })
}

#[test]
fn an_agreement_bounds_both_directions_and_where_a_c_move_may_send_to() {
    use Direction::{FromPeer, ToPeer};
    let about = |operations: &[Operation], destinations: Option<&str>| {
        let known = always(agreement("fr", Mechanism::Scc));
        let destinations = destinations.map(|one| one.parse().unwrap()).into_iter().collect();
        let allows = Role {
            operations: operations.to_vec(),
            move_destinations: Some(destinations),
            ..(*known.allows).clone()
        };
        Agreement { allows: Arc::new(allows), ..known }
    };
    let store = || about(&[Operation::CStore], None);
    assert_eq!(said(store(), FromPeer, Operation::CStore, None), Ok(()));
    assert_eq!(said(store(), FromPeer, Operation::CEcho, None), Err(Denial::Operation));
    // A sub-operation is what a C-GET is about.
    assert_eq!(said(store(), ToPeer, Operation::CStore, None), Err(Denial::Operation));
    assert_eq!(said(about(&[Operation::CGet], None), ToPeer, Operation::CStore, None), Ok(()));
    let moves = |destinations, to| {
        said(about(&[Operation::CMove], destinations), FromPeer, Operation::CMove, Some(to))
    };
    assert_eq!(moves(None, "ANYWHERE"), Err(Denial::MoveDestination));
    assert_eq!(moves(Some("LYON_*"), "ANYWHERE"), Err(Denial::MoveDestination));
    assert_eq!(moves(Some("LYON_*"), "LYON_WS"), Ok(()));
}

/// Rewrites and upstreams are what they were.
struct Same;

impl Things for Same {
    fn is_other_rewrite(&self, _: &str) -> bool {
        false
    }

    fn is_other_upstream(&self, _: &str) -> bool {
        false
    }

    fn is_other_consent(&self, _: &str) -> bool {
        false
    }
}

#[test]
fn what_opens_a_route_and_what_closes_it_is_told() {
    let told = |old: &Borders, new: &Borders| {
        let with = |borders: &Borders| {
            policy(vec![Peer { upstream: Some("pacs".into()), ..lyon() }]).within(borders.clone())
        };
        let changes = compare(&with(old), &with(new), &Same).into_iter();
        changes.map(|one| (one.admits, one.what, one.detail)).collect::<Vec<_>>()
    };
    let (free, needs) = (Borders::default(), borders(Vec::new()));
    let agreed = borders(vec![agreement("fr", Mechanism::Scc)]);
    let towards = |what: &str| format!("towards pacs: {what}");
    let none = "an agreement is needed, and there is none";
    assert_eq!(told(&agreed, &agreed), []);
    assert_eq!(told(&free, &needs), [(false, "agreement", towards(none))]);
    assert_eq!(told(&needs, &free), [(true, "agreement", towards("no agreement is needed"))]);
    let by = || towards("agreement \"fr\"");
    assert_eq!(told(&needs, &agreed), [(true, "agreement", by())]);
    assert_eq!(told(&agreed, &needs), [(false, "agreement", towards(none))]);
    let longer = borders(vec![Agreement { until: END + Duration::DAY, ..agreement("fr", Mechanism::Scc) }]);
    assert_eq!(told(&agreed, &longer), [(true, "agreement", by()), (false, "agreement", by())]);
}

fn always(agreement: Agreement) -> Agreement {
    Agreement { from: OffsetDateTime::UNIX_EPOCH, until: datetime!(9999-01-01 00:00 UTC), ..agreement }
}

#[test]
fn a_blocked_country_is_reached_by_an_authorization_for_it_only() {
    let blocked = |agreements| Borders { blocked: vec![country("FR")], ..borders(agreements) };
    let refused = Err((Reason::CountryBlocked, None));
    assert_eq!(asked(&blocked(Vec::new()), &lyon(), DURING), refused);
    assert_eq!(asked(&blocked(vec![agreement("fr", Mechanism::Scc)]), &lyon(), DURING), refused);
    let authorized = agreement("fr", Mechanism::Authorization);
    assert_eq!(asked(&blocked(vec![authorized.clone()]), &lyon(), DURING), Ok(Some("fr".into())));
    let of_home = Agreement { country: country("CH"), ..authorized };
    assert_eq!(asked(&blocked(vec![of_home]), &lyon(), DURING), refused);
    // Within a blocked country nothing crosses a border, and nothing goes on all the same.
    let inside = |agreements| Borders { home: Some(country("FR")), ..blocked(agreements) };
    assert_eq!(asked(&inside(Vec::new()), &lyon(), DURING), refused);
    let authorized = || agreement("fr", Mechanism::Authorization);
    assert_eq!(asked(&inside(vec![authorized()]), &lyon(), DURING), Ok(Some("fr".into())));
    // Who is let out of one blocked country is not let into another one.
    let both = Borders { blocked: vec![country("CH"), country("FR")], ..borders(vec![authorized()]) };
    assert_eq!(asked(&both, &lyon(), DURING), refused);
}

#[test]
fn where_one_end_is_unknown_the_route_counts_as_one_that_crosses() {
    let unknown = Borders { home: None, ..borders(Vec::new()) };
    let refusal = unknown.agreed(&lyon().route_to("pacs"), DURING).unwrap_err();
    assert_eq!(refusal.reason, Reason::AgreementMissing);
    assert!(refusal.detail.contains("from FR to ?"), "{}", refusal.detail);
}

#[test]
fn the_index_finds_what_looking_through_all_of_them_finds() {
    let names = |list: &[&str]| list.iter().map(|name| Arc::from(*name)).collect::<Vec<Arc<str>>>();
    let sets = [names(&[]), names(&["a"]), names(&["b"]), names(&["a", "b"])];
    let of = |peers: &Vec<Arc<str>>, upstreams: &Vec<Arc<str>>| Agreement {
        peers: peers.clone(),
        upstreams: upstreams.clone(),
        ..agreement(&format!("{peers:?}-{upstreams:?}"), Mechanism::Scc)
    };
    let all = sets.iter().flat_map(|peers| sets.iter().map(|upstreams| of(peers, upstreams)));
    // One without any party is nobody's.
    let all: Vec<Agreement> = all.filter(|one| !(one.peers.is_empty() && one.upstreams.is_empty())).collect();
    let borders = borders(all.clone());
    for (peer, upstream) in [("a", "a"), ("a", "b"), ("b", "a"), ("b", "c"), ("c", "c")] {
        let mut found: Vec<&str> = borders.about(peer, upstream).map(|one| &*one.id).collect();
        let mut there: Vec<&str> =
            all.iter().filter(|one| one.is_about(peer, upstream)).map(|one| &*one.id).collect();
        found.sort_unstable();
        there.sort_unstable();
        assert_eq!(found, there, "{peer} {upstream}");
    }
}
