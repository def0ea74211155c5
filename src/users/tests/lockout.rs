use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::at;
use crate::users::lockout::{Lockout, NotNow};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

fn fail(lockout: &Arc<Lockout>, name: &str, address: IpAddr, seconds: i64) {
    let turn = lockout.begin(name, address, at(seconds)).unwrap_or_else(|why| panic!("{seconds}: {why:?}"));
    turn.failed(at(seconds));
}

#[test]
fn delays_double_and_end() {
    let lockout = Arc::new(Lockout::default());
    for _ in 0..4 {
        fail(&lockout, "anna", HERE, 0);
    }
    let mut now = 0;
    for delay in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600] {
        fail(&lockout, "anna", HERE, now);
        let locked = lockout.begin("anna", HERE, at(now + delay - 1)).err();
        assert_eq!(locked, Some(NotNow::Locked { until: at(now + delay) }), "{delay}");
        now += delay;
    }
    // Tomorrow it is forgotten, and so it is after a success.
    assert!(lockout.begin("anna", HERE, at(now)).is_ok());
    fail(&lockout, "anna", HERE, now + 86_400);
    assert!(lockout.begin("anna", HERE, at(now + 86_400)).is_ok());
}

#[test]
fn nobody_locks_somebody_out_from_elsewhere() {
    let lockout = Arc::new(Lockout::default());
    for _ in 0..5 {
        fail(&lockout, "anna", ELSEWHERE, 0);
    }
    assert!(lockout.begin("anna", ELSEWHERE, at(0)).is_err());
    assert!(lockout.begin("anna", HERE, at(0)).is_ok());
    assert!(lockout.begin("bert", ELSEWHERE, at(0)).is_ok());
}

#[test]
fn an_address_of_ipv6_is_its_network_and_a_mapped_one_that_of_ipv4() {
    let lockout = Arc::new(Lockout::default());
    for host in ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4:5:6:7", "2001:db8::9"] {
        fail(&lockout, "anna", host.parse().unwrap(), 0);
    }
    assert!(lockout.begin("anna", "2001:db8::a".parse().unwrap(), at(0)).is_err());
    assert!(lockout.begin("anna", "2001:db8:0:1::a".parse().unwrap(), at(0)).is_ok());
    for address in ["10.0.0.7", "::ffff:10.0.0.7", "10.0.0.7", "::ffff:10.0.0.7", "10.0.0.7"] {
        fail(&lockout, "bert", address.parse().unwrap(), 0);
    }
    assert!(lockout.begin("bert", HERE, at(0)).is_err());
}

#[test]
fn attempts_at_once_are_no_way_around_the_count() {
    let lockout = Arc::new(Lockout::default());
    let turns: Vec<_> = (0..5).map(|_| lockout.begin("anna", HERE, at(0)).ok().unwrap()).collect();
    assert_eq!(lockout.begin("anna", HERE, at(0)).err(), Some(NotNow::Busy));
    turns.into_iter().for_each(|turn| turn.failed(at(0)));
    assert!(matches!(lockout.begin("anna", HERE, at(0)).err(), Some(NotNow::Locked { .. })));
    // After the delay, one at a time.
    let one = lockout.begin("anna", HERE, at(1)).ok().unwrap();
    assert_eq!(lockout.begin("anna", HERE, at(1)).err(), Some(NotNow::Busy));
    one.succeeded();
    assert_eq!(lockout.len(), 0);
}

#[test]
fn an_address_and_all_together_have_a_bound() {
    let lockout = Arc::new(Lockout::default());
    let mut turns: Vec<_> =
        (0..8).map(|user| lockout.begin(&format!("user{user}"), HERE, at(0)).ok().unwrap()).collect();
    assert_eq!(lockout.begin("anna", HERE, at(0)).err(), Some(NotNow::Busy));
    let address = |host: u8| IpAddr::V4(Ipv4Addr::new(10, 0, 1, host));
    turns.extend((0..56).map(|host| lockout.begin("anna", address(host), at(0)).ok().unwrap()));
    assert_eq!(lockout.begin("anna", address(99), at(0)).err(), Some(NotNow::Busy));
    drop(turns);
    assert_eq!(lockout.len(), 0, "what was let go is forgotten");
    assert!(lockout.begin("anna", address(99), at(0)).is_ok());
}

#[test]
fn the_table_is_bounded_and_whoever_failed_most_stays() {
    let lockout = Arc::new(Lockout::default());
    for _ in 0..5 {
        fail(&lockout, "anna", HERE, 0);
    }
    for user in 0..5_000 {
        fail(&lockout, &format!("user{user}"), HERE, 0);
    }
    assert_eq!(lockout.len(), 4096);
    assert!(matches!(lockout.begin("anna", HERE, at(0)).err(), Some(NotNow::Locked { .. })));
}

#[test]
fn a_clock_that_was_put_back_locks_nobody_out_for_longer() {
    let lockout = Arc::new(Lockout::default());
    for _ in 0..5 {
        fail(&lockout, "anna", HERE, 1_000_000);
    }
    assert!(lockout.begin("anna", HERE, at(0)).is_ok());
}
