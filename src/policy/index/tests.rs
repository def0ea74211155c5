//! The index against a walk over all peers.

use std::sync::Arc;

use proptest::prelude::*;
use time::OffsetDateTime;

use super::{Holds, Sought};
use crate::identity::{Certificate, CertificateBinding};
use crate::policy::tests::{authority, certificate, peer, policy, raw};
use crate::policy::{Blocks, Condition, Facts, Peer, Policy, Verdict, decide};
use crate::wire::AeTitle;

const LISTENERS: [&str; 2] = ["remote", "bare"];
const NETWORKS: [&str; 7] =
    ["0.0.0.0/0", "10.0.0.0/8", "10.1.2.3/16", "10.1.0.0/16", "10.1.2.3/32", "2001:db8::/32", "::/0"];
const ADDRESSES: [&str; 5] = ["10.1.2.3", "10.2.0.1", "::ffff:10.1.2.3", "2001:db8::1", "192.0.2.1"];
const PATTERNS: [&str; 7] = ["*", "A*", "AB", "AB?", "?B", "*C", "ABC"];
/// The first is a name of [`authority`].
const ISSUERS: [&str; 2] = ["dns:ca", "dns:another"];
const TITLES: [&str; 5] = ["A", "AB", "ABC", "CB", "D"];

/// One of some, by whatever number.
fn of<'t>(all: &[&'t str], number: u8) -> &'t str {
    all[usize::from(number) % all.len()]
}

fn a_peer() -> impl Strategy<Value = Peer> {
    let numbers = (any::<[u8; 7]>(), any::<[bool; 4]>());
    numbers.prop_map(
        |([network, another, calling, other, listener, called, issuer], [two, bound, here, only])| {
            let mut peer = peer("p", of(&NETWORKS, network), of(&PATTERNS, calling));
            if two {
                peer.networks.push(of(&NETWORKS, another).parse().unwrap());
                peer.calling.push(of(&PATTERNS, other).parse().unwrap());
            }
            peer.certificates = bound.then(|| vec!["dns:gw".parse().unwrap()]);
            peer.listeners = here.then(|| vec![of(&LISTENERS, listener).into()]);
            peer.called = only.then(|| vec![of(&PATTERNS, called).parse().unwrap()]);
            peer.issuers = (issuer % 3 > 0).then(|| vec![of(&ISSUERS, issuer).parse().unwrap()]);
            peer
        },
    )
}

/// One of many that share network and title.
fn one_alike() -> impl Strategy<Value = Peer> {
    a_peer().prop_map(|drawn| {
        let alike = peer("p", "10.0.0.0/8", "A*");
        Peer { networks: alike.networks, calling: alike.calling, ..drawn }
    })
}

/// Of these, none is let in by its certificate, by who vouches for it, or by what it calls: `failing` says which.
fn one_outside(failing: Condition) -> impl Strategy<Value = Peer> {
    one_alike().prop_map(move |drawn| match failing {
        Condition::Certificate => Peer { certificates: Some(vec!["dns:nobody".parse().unwrap()]), ..drawn },
        Condition::Issuer => Peer { issuers: Some(vec![ISSUERS[1].parse().unwrap()]), ..drawn },
        _ => Peer { called: Some(vec!["ZZ*".parse().unwrap()]), ..drawn },
    })
}

/// The first that has all conditions, or the first of those that fail last.
fn walked<'p>(policy: &'p Policy, facts: &Facts<'_>) -> Option<(&'p Arc<Peer>, Option<Condition>)> {
    let title = |raw: &crate::wire::RawAeTitle| raw.parse().unwrap();
    let (calling, called): (AeTitle, AeTitle) = (title(facts.calling), title(facts.called));
    let bound = |peer: &Peer| {
        let shown =
            |one: &Certificate| peer.certificates.iter().flatten().any(|binding| binding.matches(one));
        peer.certificates.is_none() || facts.certificate.is_some_and(shown)
    };
    let issued = |peer: &Peer| {
        let vouch = |binding: &CertificateBinding| facts.authorities.iter().any(|one| binding.matches(one));
        peer.issuers.as_ref().is_none_or(|issuers| issuers.iter().any(vouch))
    };
    let failed = |peer: &Peer| {
        [
            (!peer.uses_listener(facts.listener), Condition::Listener),
            (!peer.holds_address(facts.address), Condition::Network),
            (!peer.calling.iter().any(|pattern| pattern.matches(&calling)), Condition::CallingAeTitle),
            (!bound(peer), Condition::Certificate),
            (!issued(peer), Condition::Issuer),
            (
                peer.called.as_ref().is_some_and(|all| !all.iter().any(|pattern| pattern.matches(&called))),
                Condition::CalledAeTitle,
            ),
        ]
        .into_iter()
        .find(|(failed, _)| *failed)
        .map(|(_, condition)| condition)
    };
    let all: Vec<_> = policy.peers.iter().map(|peer| (peer, failed(peer))).collect();
    let last = all.iter().filter_map(|(_, failed)| *failed).max();
    all.iter()
        .find(|(_, failed)| failed.is_none())
        .or_else(|| all.iter().find(|(_, one)| *one == last))
        .copied()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_index_decides_as_a_walk_over_all_peers_does(
        peers in prop_oneof![
            prop::collection::vec(a_peer(), 0..12),
            prop::collection::vec(one_alike(), 17..40),
            prop::collection::vec(one_outside(Condition::Certificate), 17..40),
            prop::collection::vec(one_outside(Condition::Issuer), 17..40),
            prop::collection::vec(one_outside(Condition::CalledAeTitle), 17..40),
        ],
        [listener, address, calling, called] in any::<[u8; 4]>(),
        shows in any::<bool>(),
    ) {
        let policy = policy(peers);
        let (shown, authorities) = (certificate("gw"), [Arc::new(authority())]);
        let (calling, called) = (raw(of(&TITLES, calling)), raw(of(&TITLES, called)));
        let facts = Facts {
            listener: of(&LISTENERS, listener),
            address: of(&ADDRESSES, address).parse().unwrap(),
            certificate: shows.then_some(&shown),
            tls: None,
            authorities: &authorities,
            user: None,
            calling: &calling,
            called: &called,
            contexts: &[],
            blocks: &Blocks::default(),
            now: OffsetDateTime::UNIX_EPOCH,
        };
        let expected = walked(&policy, &facts);
        let same = |one: &Arc<Peer>| expected.is_some_and(|(peer, _)| Arc::ptr_eq(one, peer));
        match decide(&policy, &facts) {
            Verdict::Allow(grant) => prop_assert!(same(&grant.peer) && expected.unwrap().1.is_none()),
            Verdict::Refuse(refusal) => match (refusal.nearest, expected) {
                // Its listener has no upstream.
                (Some((peer, Condition::CalledAeTitle)), Some((_, None))) => prop_assert!(same(&peer)),
                (Some((peer, failed)), Some((_, condition))) => {
                    prop_assert!(same(&peer), "{failed:?} where {condition:?} is expected");
                    prop_assert_eq!(Some(failed), condition);
                }
                (nearest, expected) => prop_assert!(nearest.is_none() && expected.is_none()),
            },
        }
        let here = |peer: &&Arc<Peer>| peer.uses_listener(facts.listener) && peer.holds_address(facts.address);
        let admitted = policy.admits_address(facts.listener, facts.address).is_ok();
        prop_assert_eq!(admitted, policy.peers.iter().any(|peer| here(&peer)));
    }
}

/// Ten thousand sites in one network, and one that is nobody's.
#[test]
fn few_of_ten_thousand_peers_are_asked() {
    let peers = (0..10_000).map(|number| peer("p", "10.0.0.0/8", &format!("SITE{number:05}*"))).collect();
    let policy = policy(peers);
    let asked = |calling: &str| asked(&policy, (calling, "PACS"), None, Holds::CallingAeTitle).len();
    assert_eq!([asked("SITE04711CT"), asked("STRANGER")], [1, 0]);
}

/// They share network and title, and are told apart by their certificates.
#[test]
fn few_of_ten_thousand_peers_are_asked_who_differ_by_certificate_alone() {
    let bound = |number: usize| {
        let binding = match number % 2 {
            0 => format!("dns:gw{number}.example"),
            _ => format!("sha256:{number:064x}"),
        };
        Peer { certificates: Some(vec![binding.parse().unwrap()]), ..peer("p", "10.0.0.0/8", "*") }
    };
    let mut peers: Vec<Peer> = (0..10_000).map(bound).collect();
    peers.push(peer("open", "10.0.0.0/8", "*"));
    let policy = policy(peers);
    let likely = |certificate: Option<&Certificate>| {
        asked(&policy, ("CT1", "PACS"), certificate, Holds::CalledAeTitle)
    };
    let named = certificate("GW4710.example");
    assert_eq!((likely(Some(&named)), likely(None)), (vec![4710, 10_000], vec![10_000]));
    let pinned = Certificate { fingerprint: format!("{:064x}", 4711), ..certificate("other") };
    assert_eq!(likely(Some(&pinned)), [4711, 10_000]);
    assert_eq!(asked(&policy, ("CT1", "PACS"), None, Holds::CallingAeTitle).len(), 10_001);
}

fn asked(
    policy: &Policy,
    (calling, called): (&str, &str),
    certificate: Option<&Certificate>,
    holds: Holds,
) -> Vec<usize> {
    let authorities = [Arc::new(authority())];
    let (calling, called) = (calling.parse().unwrap(), called.parse().unwrap());
    let sought = Sought::new("10.1.2.3".parse().unwrap(), (&calling, &called), certificate, &authorities);
    policy.index.of_whom(&sought, holds).collect()
}

/// They share network, title and certificate, and are told apart by what they call or by who vouches for them.
#[test]
fn few_of_ten_thousand_peers_are_asked_who_differ_by_called_title_or_issuer_alone() {
    let calls = |number: usize| Peer {
        called: Some(vec![format!("SITE{number:05}*").parse().unwrap()]),
        ..peer("p", "10.0.0.0/8", "*")
    };
    let by_called = policy((0..10_000).map(calls).collect());
    let likely = |called: &str| asked(&by_called, ("CT1", called), None, Holds::CalledAeTitle);
    assert_eq!((likely("SITE04711CT"), likely("PACS")), (vec![4711], vec![]));
    let trusts = |number: usize| Peer {
        issuers: Some(vec![format!("sha256:{number:064x}").parse().unwrap()]),
        ..peer("p", "10.0.0.0/8", "*")
    };
    let mut peers: Vec<Peer> = (0..10_000).map(trusts).collect();
    let own = format!("sha256:{}", authority().fingerprint);
    peers.push(Peer { issuers: Some(vec![own.parse().unwrap()]), ..peer("p", "10.0.0.0/8", "*") });
    let by_issuer = policy(peers);
    assert_eq!(asked(&by_issuer, ("CT1", "PACS"), None, Holds::CalledAeTitle), [10_000]);
    // Who is refused is compared with those that come nearest, until the first.
    assert_eq!(asked(&by_issuer, ("CT1", "PACS"), None, Holds::Issuer), [10_000]);
    assert_eq!(asked(&by_issuer, ("CT1", "PACS"), None, Holds::Certificate).len(), 10_001);
}
