//! Nothing that is newly admitted is left out, over pairs of policies.

use std::num::NonZeroU32;
use std::sync::Arc;

use proptest::prelude::*;
use time::OffsetDateTime;

use super::{Change, Things, compare, compare_roles};
use crate::policy::query::tests::{allow_more, one, some_queries};
use crate::policy::scope::{Attribute, Condition};
use crate::policy::tests::{certificate, peer, policy, raw, role};
use crate::policy::{
    AePattern, Blocks, ContextVerdict, Direction, Factor, Facts, Grant, Hours, Operation, Peer, Policy,
    Queries, Request, Role, Scope, TlsVersion, Verdict, decide,
};
use crate::wire::Uid;
use crate::wire::associate::ProposedContext;

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

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const NETWORKS: [&str; 4] = ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16"];
const ADDRESSES: [&str; 3] = ["10.1.0.1", "10.2.0.1", "192.0.2.1"];
const PATTERNS: [&str; 5] = ["*", "A*", "AB", "?B", "CB"];
const TITLES: [&str; 4] = ["A", "AB", "CB", "D"];
const CLASSES: [&str; 3] = ["1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.1.1"];
const GROUPS: [&str; 4] = ["storage", "query-retrieve", "Verification", "all"];
const OPERATIONS: [Operation; 4] = [Operation::CStore, Operation::CFind, Operation::CMove, Operation::CEcho];
const HOURS: [&str; 3] = ["mon-fri 00:00-24:00 UTC", "mon-sun 08:00-12:00 UTC", "sat-sun 00:00-24:00 UTC"];
/// A Monday at 09:00, at 20:00, and the Saturday before at 09:00.
const MOMENTS: [i64; 3] = [1_796_029_200, 1_796_068_800, 1_795_856_400];

const SYNTAXES: [&str; 2] = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"];

const SCOPES: [&[&str]; 3] = [&["LYON"], &["LYON", "PARIS"], &["OSLO"]];

fn scope(issuers: &[&str]) -> Arc<Scope> {
    let values = issuers.iter().map(|issuer| (*issuer).into()).collect();
    let condition = Condition::one_of(Attribute::IssuerOfPatientId, values);
    Arc::new(Scope::new(vec![condition], std::time::Duration::from_secs(1)))
}

fn of<'t>(all: &[&'t str], number: u8) -> &'t str {
    all[usize::from(number) % all.len()]
}

fn a_role() -> impl Strategy<Value = Role> {
    let queries = prop_oneof![Just(Queries::default()), some_queries()];
    (any::<[u8; 8]>(), queries).prop_map(
        |([operations, class, another, hours, tls, destination, syntaxes, require], queries)| {
            let listed = OPERATIONS.iter().zip(0..).filter(|(_, bit)| operations >> bit & 1 == 1);
            let mut role = role(&listed.map(|(operation, _)| *operation).collect::<Vec<_>>());
            role.sop_classes = Default::default();
            role.sop_classes.add(of(&GROUPS, class)).unwrap();
            role.sop_classes.add(of(&GROUPS, another)).unwrap();
            role.hours = HOURS.get(usize::from(hours) % 6).map(|text| Hours::new([*text]).unwrap());
            role.minimum_tls =
                [None, None, Some(TlsVersion::V1_2), Some(TlsVersion::V1_3)][usize::from(tls) % 4];
            let pattern = PATTERNS.get(usize::from(destination) % 8);
            role.move_destinations = pattern.map(|pattern| vec![pattern.parse::<AePattern>().unwrap()]);
            role.queries = queries;
            role.transfer_syntaxes = Default::default();
            for (syntax, _) in SYNTAXES.iter().zip(0..).filter(|(_, bit)| syntaxes >> bit & 1 == 1) {
                role.transfer_syntaxes.add(syntax).unwrap();
            }
            role.require = (require % 4 == 0).then_some(Factor::Certificate).into_iter().collect();
            role
        },
    )
}

fn a_peer() -> impl Strategy<Value = Peer> {
    (any::<[u8; 6]>(), a_role()).prop_map(|([network, calling, called, upstream, rewrite, more], role)| {
        let mut peer = peer("", of(&NETWORKS, network), of(&PATTERNS, calling));
        if more % 3 == 0 {
            peer.networks.push(of(&NETWORKS, more).parse().unwrap());
        }
        peer.called = (called % 2 == 0).then(|| vec![of(&PATTERNS, called / 2).parse().unwrap()]);
        peer.listeners = (more % 4 == 0).then(|| vec!["bare".into()]);
        peer.upstream = (upstream % 3 == 0).then(|| "own".into());
        peer.rewrite = (rewrite % 3 == 0).then(|| "rules".into());
        peer.role = Arc::new(role);
        peer.scope = SCOPES.get(usize::from(more / 4) % 5).map(|issuers| scope(issuers));
        peer
    })
}

fn named(peers: &[Peer], order: &[usize]) -> Policy {
    let named = |at: &usize| Peer { name: NAMES[*at].into(), ..peers[*at].clone() };
    policy(order.iter().map(named).collect())
}

/// Two policies of which some peers are the same.
fn pair() -> impl Strategy<Value = (Policy, Policy)> {
    let orders = || {
        Just(vec![0, 1, 2, 3])
            .prop_shuffle()
            .prop_flat_map(|all| (0..=4_usize).prop_map(move |count| all[..count].to_vec()))
    };
    let peers = || prop::collection::vec(a_peer(), 4);
    (peers(), peers(), any::<[bool; 4]>(), any::<bool>(), orders(), orders()).prop_map(
        |(old, mut new, kept, is_ordered, before, after)| {
            for (at, _) in kept.iter().enumerate().filter(|(_, kept)| **kept) {
                new[at] = old[at].clone();
            }
            let after = if is_ordered { before.clone() } else { after };
            (named(&old, &before), named(&new, &after))
        },
    )
}

fn asked(policy: &Policy, numbers: [u8; 6]) -> Result<Grant, crate::policy::Refusal> {
    let [address, calling, called, listener, moment, tls] = numbers;
    let shown = certificate("site");
    let contexts = [(1, CLASSES[0]), (3, CLASSES[1])].map(|(id, class)| ProposedContext {
        id,
        abstract_syntax: class.parse().unwrap(),
        transfer_syntaxes: SYNTAXES.map(|syntax| syntax.parse().unwrap()).into(),
    });
    let facts = Facts {
        listener: of(&["remote", "bare"], listener),
        address: of(&ADDRESSES, address).parse().unwrap(),
        certificate: (tls % 2 == 0).then_some(&shown),
        tls: [None, Some(TlsVersion::V1_2), Some(TlsVersion::V1_3)][usize::from(tls) % 3],
        authorities: &[],
        user: None,
        calling: &raw(of(&TITLES, calling)),
        called: &raw(of(&TITLES, called)),
        contexts: &contexts,
        blocks: &Blocks::default(),
        now: OffsetDateTime::from_unix_timestamp(MOMENTS[usize::from(moment) % 3]).unwrap(),
    };
    match decide(policy, &facts) {
        Verdict::Allow(grant) => Ok(grant),
        Verdict::Refuse(refusal) => Err(refusal),
    }
}

/// Everything that may be asked for on an association.
fn permitted(role: &Role) -> Vec<bool> {
    let mut all = Vec::new();
    for (operation, class) in
        OPERATIONS.iter().flat_map(|one| CLASSES.iter().map(move |class| (*one, *class)))
    {
        for destination in TITLES {
            let request = Request {
                operation,
                direction: Direction::FromPeer,
                abstract_syntax: &class.parse().unwrap(),
                sop_class: None,
                move_destination: (operation == Operation::CMove).then_some(destination),
                retrieving: false,
            };
            all.push(role.permits_request(&request).is_ok());
        }
    }
    all
}

/// Whether one may ask, or see of the answers, what the other may not.
fn asks_more(new: &Grant, old: &Grant) -> bool {
    let of_one = |(operation, class): (Operation, &str)| {
        let request = Request {
            operation,
            direction: Direction::FromPeer,
            abstract_syntax: &class.parse().unwrap(),
            sop_class: None,
            move_destination: Some(TITLES[1]),
            retrieving: false,
        };
        allow_more(&new.rights, &old.rights, &request)
    };
    OPERATIONS.iter().any(|operation| of_one((*operation, CLASSES[1])))
}

/// Whether the upstream is offered a transfer syntax that it was not offered before.
fn offers_more(new: &Grant, old: &Grant) -> bool {
    let offered = |grant: &Grant, at: usize, syntax: &Uid| match &grant.contexts[at].1 {
        ContextVerdict::Offer(syntaxes) => syntaxes.contains(syntax),
        ContextVerdict::Strip(_) => false,
    };
    let syntaxes = SYNTAXES.map(|syntax| syntax.parse::<Uid>().unwrap());
    (0..2).any(|at| syntaxes.iter().any(|one| offered(new, at, one) && !offered(old, at, one)))
}

fn is_more(new: &Grant, old: &Grant) -> bool {
    let beyond =
        permitted(&new.peer.role).into_iter().zip(permitted(&old.peer.role)).any(|(new, old)| new && !old);
    let sees_more = !crate::policy::scope::covers(old.peer.scope.as_deref(), new.peer.scope.as_deref());
    let goes_elsewhere = new.upstream != old.upstream || new.peer.rewrite != old.peer.rewrite;
    beyond || offers_more(new, old) || sees_more || asks_more(new, old) || goes_elsewhere
}

fn admitted<'c>(changes: &'c [Change], peer: &str) -> Option<&'c Change> {
    changes.iter().find(|change| change.admits && *change.peer == *peer)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_is_newly_admitted_is_told_of_the_peer_that_decides(
        (old, new) in pair(),
        asks in prop::collection::vec(any::<[u8; 6]>(), 32),
    ) {
        let changes = compare(&old, &new, &Same);
        for numbers in asks {
            let Ok(grant) = asked(&new, numbers) else { continue };
            let is_new = asked(&old, numbers).map_or(true, |before| is_more(&grant, &before));
            prop_assert!(!is_new || admitted(&changes, &grant.peer.name).is_some(), "{:?}: {changes:?}", grant.peer);
        }
    }

    #[test]
    fn nothing_differs_from_itself((old, _) in pair()) {
        prop_assert_eq!(compare(&old, &old, &Same), []);
    }

    /// Of one role: whoever is let in then was let in before, and may do no more.
    #[test]
    fn a_permission_that_is_taken_away_never_admits_more(
        (before, _) in pair(),
        [which, what] in any::<[u8; 2]>(),
        asks in prop::collection::vec(any::<[u8; 6]>(), 32),
    ) {
        let mut peers: Vec<Peer> = before.peers.iter().map(|peer| (**peer).clone()).collect();
        prop_assume!(!peers.is_empty());
        let at = usize::from(which) % peers.len();
        let mut role = (*peers[at].role).clone();
        if what % 6 == 5 {
            peers[at].scope = Some(scope(&["LYON"])).filter(|narrow| {
                crate::policy::scope::covers(peers[at].scope.as_deref(), Some(narrow))
            }).or_else(|| peers[at].scope.clone());
        }
        match what % 15 {
            0 => drop(role.operations.pop()),
            1 => role.sop_classes = Default::default(),
            2 => role.minimum_tls = Some(TlsVersion::V1_3),
            3 => role.hours = role.hours.is_none().then(|| Hours::new(["mon 08:00-09:30 UTC"]).unwrap()).or(role.hours),
            4 => role.queries.levels = Some(Vec::new()),
            5 => drop(role.queries.levels.as_mut().map(Vec::pop)),
            6 => role.queries.keys = Some(Vec::new()),
            7 => role.queries.min_length += 2,
            8 => role.queries.hide.push(one(0x0008_0060)),
            9 => role.queries.max_answers = NonZeroU32::new(1),
            10 => role.queries.max_retrievals_per_hour = NonZeroU32::new(1),
            11 => role.require = role.require.with(Factor::Certificate),
            12 => role.transfer_syntaxes = Default::default(),
            13 => role.queries.max_patients_per_day = NonZeroU32::new(1),
            _ => role.move_destinations = Some(Vec::new()),
        }
        peers[at].role = Arc::new(role);
        let after = policy(peers);
        for numbers in asks {
            let Ok(grant) = asked(&after, numbers) else { continue };
            let allowed = asked(&before, numbers);
            prop_assert!(allowed.is_ok_and(|before| !is_more(&grant, &before)));
        }
        prop_assert!(compare(&before, &after, &Same).iter().all(|change| !change.admits));
    }
}

#[test]
fn what_came_and_what_went_is_told_by_key() {
    let mut old = peer("lyon", "10.0.0.0/9", "LYON_*");
    old.role = Arc::new(role(&[Operation::CStore, Operation::CEcho]));
    let mut new = peer("lyon", "10.0.0.0/8", "LYON_CT*");
    new.role = Arc::new(Role {
        hours: Some(Hours::new(["mon-fri 07:00-19:00 Europe/Paris"]).unwrap()),
        ..role(&[Operation::CStore, Operation::CFind])
    });
    let gone = peer("oslo", "192.0.2.0/24", "OSLO");
    let told = compare(&policy(vec![gone, old]), &policy(vec![new]), &Same);
    let told: Vec<_> =
        told.iter().map(|one| (one.admits, &*one.peer, one.what, one.detail.as_str())).collect();
    assert_eq!(
        told,
        [
            (true, "lyon", "networks", "10.0.0.0/8"),
            (false, "lyon", "calling-ae-titles", "LYON_*"),
            (true, "lyon", "operations", "C-FIND"),
            (false, "lyon", "operations", "C-ECHO"),
            (false, "lyon", "hours", "always"),
            (false, "oslo", "peer", "OSLO from 192.0.2.0/24: C-STORE"),
        ]
    );
}

#[test]
fn a_wider_scope_is_newly_admitted() {
    let with = |issuers: Option<&[&str]>| {
        policy(vec![Peer { scope: issuers.map(scope), ..peer("lyon", "10.0.0.0/8", "*") }])
    };
    let told = |old, new| {
        let changes = compare(&with(old), &with(new), &Same);
        changes.into_iter().map(|one| (one.admits, one.what, one.detail)).collect::<Vec<_>>()
    };
    let both = "IssuerOfPatientID equals LYON, PARIS".to_owned();
    assert_eq!(told(Some(&["LYON"]), Some(&["LYON", "PARIS"])), [(true, "scope", both.clone())]);
    assert_eq!(told(Some(&["LYON", "PARIS"]), Some(&["LYON"])), [(false, "scope", both)]);
    assert_eq!(told(Some(&["LYON"]), None), [(true, "scope", "every study".to_owned())]);
    assert_eq!(told(None, Some(&["LYON"])), [(false, "scope", "every study".to_owned())]);
    assert_eq!(told(Some(&["LYON"]), Some(&["OSLO"])).len(), 2);
    assert_eq!(told(Some(&["LYON"]), Some(&["LYON"])), []);
}

#[test]
fn a_peer_that_no_longer_stands_before_another_one_leaves_it_more() {
    let narrow = |operations: &[Operation]| Peer {
        role: Arc::new(role(operations)),
        ..peer("narrow", "10.1.0.0/16", "*")
    };
    let wide = || Peer {
        role: Arc::new(role(&[Operation::CStore, Operation::CFind])),
        ..peer("wide", "10.0.0.0/8", "*")
    };
    let order = |old: Policy, new: Policy| {
        compare(&old, &new, &Same).into_iter().filter(|one| one.what == "order").count()
    };
    let one = || narrow(&[Operation::CStore]);
    assert_eq!(order(policy(vec![one(), wide()]), policy(vec![wide()])), 1);
    assert_eq!(order(policy(vec![one(), wide()]), policy(vec![wide(), one()])), 1);
    assert_eq!(order(policy(vec![wide(), one()]), policy(vec![wide()])), 0);
    let strong = || narrow(&[Operation::CStore, Operation::CFind, Operation::CEcho]);
    assert_eq!(order(policy(vec![strong(), wide()]), policy(vec![wide()])), 0, "it could do all that before");
}

#[test]
fn a_factor_less_and_a_transfer_syntax_more_are_newly_admitted() {
    let one = role(&[Operation::CStore]);
    let syntaxes = |all: &[&str]| {
        let mut role = one.clone();
        role.transfer_syntaxes = Default::default();
        all.iter().for_each(|syntax| role.transfer_syntaxes.add(syntax).unwrap());
        role
    };
    let requires = |factors: &[Factor]| Role { require: factors.iter().copied().collect(), ..one.clone() };
    let told = |old: &Role, new: &Role| -> Vec<_> {
        let of_roles = compare_roles(old, new).into_iter().map(|one| (one.admits, one.what, one.detail));
        let of = |role: &Role| {
            policy(vec![Peer { role: Arc::new(role.clone()), ..peer("lyon", "10.0.0.0/8", "*") }])
        };
        let of_peers =
            compare(&of(old), &of(new), &Same).into_iter().map(|one| (one.admits, one.what, one.detail));
        let of_peers: Vec<_> = of_peers.collect();
        assert_eq!(of_roles.collect::<Vec<_>>(), of_peers, "a role is compared as that of a peer is");
        of_peers
    };
    let (fewer, more) = (syntaxes(&SYNTAXES[..1]), syntaxes(&SYNTAXES));
    let implicit = "ImplicitVRLittleEndian".to_owned();
    assert_eq!(told(&fewer, &more), [(true, "transfer-syntaxes", implicit.clone())]);
    assert_eq!(told(&more, &fewer), [(false, "transfer-syntaxes", implicit)]);
    let (lax, strict) =
        (requires(&[Factor::Certificate]), requires(&[Factor::Certificate, Factor::Passcode]));
    assert_eq!(told(&strict, &lax), [(true, "require", "without passcode".to_owned())]);
    assert_eq!(told(&lax, &strict), [(false, "require", "without passcode".to_owned())]);
}
