//! On a clock that moves only when told, and when something waits on it.

use std::future::Future;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use governor::clock::{Clock, FakeRelativeClock};
use proptest::prelude::*;

use super::{Limiter, Limits, Time};
use crate::policy::{Operation, Peer, Policy, RewriteDirection, Role, SopClassSet, TransferSyntaxSet};
use crate::vocabulary::Reason;

impl Time for FakeRelativeClock {
    async fn sleep(&self, span: Duration) {
        self.advance(span);
    }
}

fn at_once(future: impl Future<Output = ()>) {
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(pin!(future).poll(&mut context), Poll::Ready(()));
}

const LIMITS: Limits = Limits {
    max_associations: 5,
    max_associations_per_address: 3,
    connections_per_minute_per_address: NonZeroU32::MIN.saturating_add(59),
    associations_per_minute: None,
    associations_per_minute_per_address: None,
    request_pieces: 8,
};

fn limiter(limits: Limits) -> (Limiter<FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    (Limiter::with_clock(limits, clock.clone()), clock)
}

fn peer(name: &str) -> Peer {
    let role = Role {
        name: "r".into(),
        line: 1,
        keys: Default::default(),
        operations: vec![Operation::CStore],
        sop_classes: SopClassSet::all(),
        transfer_syntaxes: TransferSyntaxSet::all(),
        move_destinations: None,
        minimum_tls: None,
        hours: None,
        require: crate::policy::Factors::default(),
        queries: Default::default(),
    };
    Peer {
        name: name.into(),
        line: 1,
        keys: Default::default(),
        listeners: None,
        networks: Vec::new(),
        calling: Vec::new(),
        certificates: None,
        issuers: None,
        called: None,
        role: Arc::new(role),
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

#[test]
fn room_for_requests_is_counted_together_and_nobody_takes_all_of_it() {
    let (limiter, _) = limiter(LIMITS);
    let of = |text: &str, pieces| limiter.request(address(text), pieces);
    let first = of("192.0.2.1", 2);
    assert!(first.is_some() && of("192.0.2.1", 1).is_none(), "a quarter is the most for one");
    let second = of("2001:db8::1", 1);
    assert!(of("2001:db8::2", 2).is_none(), "its /64 is one, and what did not suffice was given back");
    let third = of("2001:db8::2", 1);
    let others = ["192.0.2.2", "192.0.2.3"].map(|text| of(text, 2));
    assert!(others.iter().all(Option::is_some) && of("192.0.2.4", 1).is_none());
    drop((first, second, third));
    assert!(of("192.0.2.4", 2).is_some());
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn count(n: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(n)
}

#[test]
fn connections_of_an_address_come_back_as_time_passes() {
    let (limiter, clock) =
        limiter(Limits { connections_per_minute_per_address: count(2).unwrap(), ..LIMITS });
    let (one, other) = (address("10.0.0.1"), address("10.0.0.2"));
    assert!(limiter.connection(one).is_ok() && limiter.connection(one).is_ok());
    assert_eq!(limiter.connection(one).unwrap_err().reason, Reason::ConnectionRate);
    assert_eq!(limiter.connection(address("::ffff:10.0.0.1")).unwrap_err().reason, Reason::ConnectionRate);
    assert!(limiter.connection(other).is_ok());
    clock.advance(Duration::from_millis(29_999));
    assert_eq!(limiter.connection(one).unwrap_err().reason, Reason::ConnectionRate);
    clock.advance(Duration::from_millis(1));
    assert!(limiter.connection(one).is_ok());
    assert_eq!(limiter.connection(one).unwrap_err().reason, Reason::ConnectionRate);
}

#[test]
fn an_ipv6_network_of_a_host_counts_as_one_address() {
    let (limiter, _) = limiter(Limits { connections_per_minute_per_address: count(1).unwrap(), ..LIMITS });
    assert!(limiter.connection(address("2001:db8::1")).is_ok());
    assert_eq!(limiter.connection(address("2001:db8::ffff:2")).unwrap_err().reason, Reason::ConnectionRate);
    assert!(limiter.connection(address("2001:db8:0:1::1")).is_ok());
}

#[test]
fn connections_at_once_are_twice_the_associations_and_come_back_on_drop() {
    let (limiter, _) = limiter(LIMITS);
    let one = address("10.0.0.1");
    let open: Vec<_> = (0..6).map(|_| limiter.connection(one).unwrap()).collect();
    assert_eq!(limiter.connection(one).unwrap_err().reason, Reason::TooManyConnections);
    let more: Vec<_> = (0..4).map(|_| limiter.connection(address("10.0.0.2")).unwrap()).collect();
    assert_eq!(limiter.connection(address("10.0.0.3")).unwrap_err().reason, Reason::TooManyConnections);
    drop(more);
    assert!(limiter.connection(address("10.0.0.3")).is_ok());
    drop(open);
    assert!(limiter.connection(one).is_ok());
    assert_eq!((limiter.remembered().0, limiter.remembered().1), (0, 0));
}

#[test]
fn associations_at_once_of_peer_address_and_all() {
    let (limiter, _) = limiter(LIMITS);
    let mut few = peer("few");
    few.max_associations = Some(1);
    let many = peer("many");
    let first = limiter.association(&few, address("10.0.0.1")).unwrap();
    assert_eq!(
        limiter.association(&few, address("10.0.0.2")).unwrap_err().reason,
        Reason::TooManyAssociationsOfPeer
    );
    let second = limiter.association(&many, address("10.0.0.1")).unwrap();
    let third = limiter.association(&many, address("10.0.0.1")).unwrap();
    assert_eq!(
        limiter.association(&many, address("10.0.0.1")).unwrap_err().reason,
        Reason::TooManyAssociationsOfAddress
    );
    let rest: Vec<_> = (0..2).map(|_| limiter.association(&many, address("10.0.0.2")).unwrap()).collect();
    assert_eq!(
        limiter.association(&many, address("10.0.0.3")).unwrap_err().reason,
        Reason::TooManyAssociations
    );
    assert_eq!((limiter.open_associations(), limiter.open_associations_of(&many)), (5, 4));
    drop(first);
    let again = limiter.association(&few, address("10.0.0.3")).unwrap();
    drop((second, third, rest, again));
    assert_eq!((limiter.open_associations(), limiter.remembered().0, limiter.remembered().1), (0, 0, 0));
}

#[test]
fn associations_a_minute_of_peer_address_and_all() {
    let limits =
        Limits { associations_per_minute: count(4), associations_per_minute_per_address: count(3), ..LIMITS };
    let (limiter, clock) = limiter(limits);
    let mut slow = peer("slow");
    slow.associations_per_minute = Some(1);
    let fast = peer("fast");
    let open = |peer: &Peer, from: &str| {
        limiter.association(peer, address(from)).map(drop).map_err(|over| over.reason)
    };
    assert_eq!(open(&slow, "10.0.0.1"), Ok(()));
    assert_eq!(open(&slow, "10.0.0.1"), Err(Reason::AssociationRateOfPeer));
    assert_eq!((open(&fast, "10.0.0.1"), open(&fast, "10.0.0.1")), (Ok(()), Ok(())));
    assert_eq!(open(&fast, "10.0.0.1"), Err(Reason::AssociationRateOfAddress));
    assert_eq!(open(&fast, "10.0.0.2"), Ok(()));
    assert_eq!(open(&fast, "10.0.0.3"), Err(Reason::AssociationRate));
    clock.advance(Duration::from_secs(60));
    assert_eq!(open(&slow, "10.0.0.1"), Ok(()));
}

#[test]
fn operations_over_the_rate_wait_and_never_fail() {
    let (limiter, clock) = limiter(LIMITS);
    let mut peer = peer("p");
    peer.operations_per_second = Some(5);
    let pace = limiter.pace(&peer);
    for _ in 0..5 {
        at_once(pace.operation());
    }
    assert_eq!(Duration::from(clock.now()), Duration::ZERO);
    at_once(pace.operation());
    assert_eq!(Duration::from(clock.now()), Duration::from_millis(200));
    // The rate is the peer's, whichever association asks.
    let other = limiter.pace(&peer);
    at_once(other.operation());
    assert_eq!(Duration::from(clock.now()), Duration::from_millis(400));
}

#[test]
fn a_chunk_larger_than_a_second_takes_its_time() {
    let (limiter, clock) = limiter(LIMITS);
    let mut peer = peer("p");
    peer.bytes_per_second = Some(1 << 20);
    let pace = limiter.pace(&peer);
    at_once(pace.bytes(10 << 20));
    let taken = Duration::from(clock.now());
    // A tenth of a second is free.
    assert!((9_890..9_910).contains(&taken.as_millis()), "{taken:?}");
}

#[test]
fn a_peer_without_limits_waits_for_nothing() {
    let (limiter, clock) = limiter(LIMITS);
    let pace = limiter.pace(&peer("p"));
    at_once(pace.bytes(usize::MAX));
    (0..1000).for_each(|_| at_once(pace.operation()));
    assert_eq!(Duration::from(clock.now()), Duration::ZERO);
}

#[test]
fn a_reload_keeps_what_it_does_not_change() {
    let (limiter, _) = limiter(Limits { connections_per_minute_per_address: count(1).unwrap(), ..LIMITS });
    let mut one = peer("p");
    one.associations_per_minute = Some(1);
    let from = address("10.0.0.1");
    let held = limiter.association(&one, from).unwrap();
    limiter.connection(from).map(drop).unwrap();
    let policy = |peer: &Peer| {
        Policy::new(vec![Arc::new(peer.clone())], Vec::new(), Default::default(), Default::default())
    };

    let limits =
        Limits { connections_per_minute_per_address: count(1).unwrap(), max_associations: 9, ..LIMITS };
    limiter.apply(limits, &policy(&one));
    assert_eq!(limiter.connection(from).unwrap_err().reason, Reason::ConnectionRate);
    assert_eq!(limiter.association(&one, from).unwrap_err().reason, Reason::AssociationRateOfPeer);
    assert_eq!(limiter.open_associations_of(&one), 1);

    one.associations_per_minute = Some(2);
    limiter.apply(Limits { connections_per_minute_per_address: count(2).unwrap(), ..limits }, &policy(&one));
    assert!(limiter.connection(from).is_ok());
    assert!(limiter.association(&one, from).is_ok());
    drop(held);
    assert_eq!(limiter.open_associations(), 0);
}

#[test]
fn addresses_that_stay_away_are_forgotten() {
    let (limiter, clock) = limiter(Limits { max_associations: 10_000, ..LIMITS });
    for host in 0..2_000_u32 {
        assert!(limiter.connection(IpAddr::from(host.to_be_bytes())).is_ok());
        clock.advance(Duration::from_secs(2));
    }
    assert!(limiter.remembered().2 < 1_100, "{}", limiter.remembered().2);
}

proptest! {
    /// Whatever the chunks, the same bytes take the same time, give or take the unit that they are counted in.
    #[test]
    fn bytes_are_counted_once_however_they_are_cut(
        rate in 1024_u64..10_000_000,
        chunks in prop::collection::vec(0_usize..300_000, 1..40),
    ) {
        let (limiter, clock) = limiter(LIMITS);
        let mut peer = peer("p");
        peer.bytes_per_second = Some(rate);
        let pace = limiter.pace(&peer);
        chunks.iter().for_each(|chunk| at_once(pace.bytes(*chunk)));
        let taken = Duration::from(clock.now()).as_secs_f64();
        let units = (chunks.iter().sum::<usize>() / 1024) as f64;
        let a_second = (rate / 1024) as f64;
        let free = (a_second / 10.0).floor().max(a_second.min(64.0));
        let expected = ((units - free) / a_second).max(0.0);
        prop_assert!((taken - expected).abs() < 0.001 + expected / 1000.0, "{taken} {expected}");
    }
}

#[test]
fn retrievals_of_the_last_hour_are_counted_of_the_peer_and_of_the_user() {
    let (limiter, clock) = limiter(LIMITS);
    let [lyon, oslo, anna, bert]: [Arc<str>; 4] = ["lyon", "oslo", "anna", "bert"].map(Arc::from);
    let both = [count(3), count(2)];
    assert!(limiter.retrieval(&lyon, Some(&anna), both));
    clock.advance(Duration::from_secs(1800));
    assert!(limiter.retrieval(&lyon, Some(&anna), both));
    assert!(!limiter.retrieval(&lyon, Some(&anna), both), "two of the user");
    assert!(!limiter.retrieval(&oslo, Some(&anna), both), "from wherever");
    assert!(limiter.retrieval(&lyon, Some(&bert), both), "what was refused does not count");
    assert!(!limiter.retrieval(&lyon, Some(&bert), both), "three of the peer");
    assert!(!limiter.retrieval(&lyon, None, [count(3), None]));
    assert!(limiter.retrieval(&oslo, Some(&bert), both) && limiter.retrieval(&lyon, None, [None; 2]));
    clock.advance(Duration::from_secs(1799));
    assert!(!limiter.retrieval(&lyon, Some(&anna), both));
    clock.advance(Duration::from_secs(1));
    assert!(limiter.retrieval(&lyon, Some(&anna), both), "the first is an hour ago");
    assert!(!limiter.retrieval(&lyon, Some(&anna), both));
    let fewer = [count(1), None];
    assert!(!limiter.retrieval(&lyon, None, fewer), "a limit that a reload made smaller");
}
