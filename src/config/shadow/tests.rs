//! The index finds what comparing everybody with everybody finds, and compares few.

use std::sync::Arc;

use proptest::prelude::*;

use super::{FEW, Shadows, covers};
use crate::policy::{Operation, Peer, Role, SopClassSet, TransferSyntaxSet};

/// A peer that has these conditions, separated by blanks.
fn peer(networks: &str, calling: &str, certificates: &str, called: &str) -> Arc<Peer> {
    let role = Role {
        name: "r".into(),
        line: 1,
        keys: Default::default(),
        operations: Operation::ALL.to_vec(),
        sop_classes: SopClassSet::default(),
        transfer_syntaxes: TransferSyntaxSet::all(),
        move_destinations: None,
        minimum_tls: None,
        hours: None,
        require: crate::policy::Factors::default(),
        queries: Default::default(),
    };
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Arc::new(Peer {
        name: "p".into(),
        line: 1,
        keys: Default::default(),
        listeners: None,
        networks: networks.split(' ').map(|one| one.parse().unwrap()).collect(),
        calling: calling.split(' ').map(|one| one.parse().unwrap()).collect(),
        certificates: some(certificates).map(|all| all.split(' ').map(|one| one.parse().unwrap()).collect()),
        issuers: None,
        called: some(called).map(|all| all.split(' ').map(|one| one.parse().unwrap()).collect()),
        role: Arc::new(role),
        upstream: None,
        tenant: None,
        rewrite: None,
        rewrite_direction: crate::policy::RewriteDirection::Both,
        two_way: false,
        consent: None,
        strip_asynchronous_window: false,
        response_timeout: None,
        max_associations: None,
        associations_per_minute: None,
        operations_per_second: None,
        scope: None,
        bytes_per_second: None,
    })
}

/// The same peer, on these listeners only, if any are named.
fn on(listeners: &str, peer: Arc<Peer>) -> Arc<Peer> {
    let listeners = (!listeners.is_empty()).then(|| listeners.split(' ').map(Arc::from).collect());
    Arc::new(Peer { listeners, ..Arc::into_inner(peer).unwrap() })
}

/// How many comparisons a file of such peers takes at most for one of them.
fn most_compared(count: usize, peer: impl Fn(usize) -> Arc<Peer>) -> usize {
    let mut shadows = Shadows::default();
    let compared = (0..count).map(|at| {
        let one = peer(at);
        let compared = shadows.candidates(&one).len();
        shadows.covering(&one);
        compared
    });
    compared.max().unwrap_or(0)
}

#[test]
fn however_many_peers_there_are_each_is_compared_with_few() {
    let network = |at: usize| format!("10.{}.{}.0/24", at / 250, at % 250);
    let title = |at: usize| format!("SITE{at:05}*");
    let name = |at: usize| format!("dns:gw{at}.example");
    for count in [200, 2000] {
        assert!(most_compared(count, |at| peer(&network(at), "CT*", "dns:gw.example", "")) <= FEW);
        assert!(most_compared(count, |at| peer("10.0.0.0/8", &title(at), "", "")) <= FEW);
        assert!(most_compared(count, |at| peer("0.0.0.0/0", "*", &name(at), "PACS")) <= FEW);
        assert!(most_compared(count, |at| peer("0.0.0.0/0", "*", "", &title(at))) <= FEW);
        assert!(
            most_compared(count, |at| peer(
                &format!("10.0.0.0/8 11.{}.0.0/16", at % 250),
                &title(at),
                "",
                ""
            )) <= FEW
        );
        assert!(most_compared(count, |at| on(&name(at), peer("0.0.0.0/0", "*", "", ""))) <= FEW);
        // All alike: the first covers all others.
        assert!(most_compared(count, |_| peer("10.0.0.0/8", "A*", "", "")) <= FEW);
        // A grid of networks and titles: as many as share the rarer of the two.
        let grid = |at: usize| peer(&network(at % 45), &title(at / 45), "", "");
        assert!(most_compared(count, grid) <= 45);
    }
}

fn any_peer() -> impl Strategy<Value = Arc<Peer>> {
    let networks = prop::collection::vec(
        prop::sample::select(vec![
            "0.0.0.0/0",
            "10.0.0.0/8",
            "10.1.0.0/16",
            "10.1.2.3/32",
            "::/0",
            "2001:db8::/32",
        ]),
        1..3,
    );
    let titles = || prop::sample::select(vec!["*", "A*", "A?", "AB", "AB*", "B", "*B", "?"]);
    let names = prop::sample::select(vec!["", "", "dns:a", "dns:b", "dns:a dns:b"]);
    let listeners = prop::sample::select(vec!["", "", "l", "m", "l m"]);
    let calling = prop::collection::vec(titles(), 1..3);
    let called = prop::collection::vec(titles(), 0..2);
    (listeners, networks, calling, names, called).prop_map(|(listeners, networks, calling, names, called)| {
        on(listeners, peer(&networks.join(" "), &calling.join(" "), names, &called.join(" ")))
    })
}

proptest! {
    #[test]
    fn the_index_finds_the_first_that_covers(peers in prop::collection::vec(any_peer(), 1..40)) {
        let mut shadows = Shadows::default();
        for (at, narrow) in peers.iter().enumerate() {
            let expected = peers.iter().take(at).find(|wide| covers(wide, narrow));
            let found = shadows.covering(narrow);
            prop_assert_eq!(found.as_ref().map(Arc::as_ptr), expected.map(Arc::as_ptr));
        }
    }
}
