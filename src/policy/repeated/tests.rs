use super::{AutomaticBlocks, MOST, Repeated, counted_against, weight, weight_of_request};
use crate::policy::Blocked;
use crate::vocabulary::Reason;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

fn rules(refusals: u32) -> AutomaticBlocks {
    let (within, lasting) = (Duration::from_secs(60), Duration::from_secs(600));
    AutomaticBlocks { refusals, within, lasting, exempt: Vec::new() }
}

fn address(number: u32) -> Blocked {
    counted_against(IpAddr::V4(Ipv4Addr::from_bits(number)), None, None)
}

#[test]
fn so_many_refusals_within_the_time_are_enough_and_begin_anew_afterwards() {
    let (mut counted, began, rules) = (Repeated::default(), Instant::now(), rules(3));
    let at = |seconds| began + Duration::from_secs(seconds);
    let mut one = |seconds, weight| counted.count(&address(1), weight, at(seconds), &rules);
    assert_eq!([one(0, 1), one(30, 1)], [None, None]);
    // The first is over by a moment.
    assert_eq!(one(61, 1), None);
    assert_eq!(one(90, 1), Some(3));
    assert_eq!([one(90, 1), one(90, 1)], [None, None], "they begin anew");
    assert_eq!(one(90, 5), Some(7));
    assert_eq!(one(91, 5), Some(5), "one of a scanner is enough by itself");
}

#[test]
fn each_is_counted_by_itself_and_what_is_remembered_is_bounded() {
    let (mut counted, now, rules) = (Repeated::default(), Instant::now(), rules(3));
    assert_eq!(counted.count(&address(0), 1, now, &rules), None);
    assert_eq!(counted.count(&address(0), 1, now, &rules), None);
    let others = u32::try_from(MOST).unwrap() - 2;
    for number in 1..=others {
        assert_eq!(counted.count(&address(number), 1, now, &rules), None);
    }
    assert_eq!(counted.remembered(), (MOST, MOST - 1, MOST - 1));
    // One more, and whoever was refused least lately is forgotten, with both.
    assert_eq!(counted.count(&address(others + 1), 1, now, &rules), None);
    assert_eq!(counted.remembered(), (MOST - 1, MOST - 1, MOST - 1));
    assert_eq!(counted.count(&address(0), 1, now, &rules), None);
    assert_eq!(counted.count(&address(others), 2, now, &rules), Some(3), "who came lately is not");
}

#[test]
fn whoever_has_proven_who_they_are_is_counted_as_that_and_nobody_as_an_ae_title() {
    let gw = crate::policy::tests::certificate("gw");
    let against = |address: &str, certificate, user| {
        counted_against(address.parse().unwrap(), certificate, user).to_string()
    };
    assert_eq!(against("203.0.113.9", None, None), "address:203.0.113.9");
    assert_eq!(against("::ffff:203.0.113.9", None, None), "address:203.0.113.9");
    assert_eq!(against("2001:db8::9", None, None), "address:2001:db8::/64");
    assert_eq!(against("203.0.113.9", Some(&gw), None), format!("certificate:sha256:{}", "ab".repeat(32)));
    assert_eq!(against("203.0.113.9", Some(&gw), Some("anna")), "user-at:203.0.113.9/anna");
    assert_eq!(against("2001:db8::9", None, Some("login/anna")), "user-at:2001:db8::/login/anna");
}

#[test]
fn nobody_is_shut_out_for_what_is_not_theirs() {
    for reason in [
        Reason::Blocked,
        Reason::ConnectionLost,
        Reason::HealthCheck,
        Reason::ProxyHeaderMalformed,
        Reason::TooManyConnections,
        Reason::TooManyAssociations,
        Reason::TooManyAssociationsOfPeer,
        Reason::AssociationRate,
        Reason::AssociationRateOfPeer,
        Reason::OutsideHours,
        Reason::AgreementNotInForce,
        Reason::RevocationListExpired,
        Reason::UserIdentityUnchecked,
        Reason::UpstreamUnreachable,
        Reason::RecordsUnavailable,
        Reason::ShuttingDown,
    ] {
        assert_eq!(weight_of_request(reason, "ECHOSCU", "ANY-SCP", Some("NMAP_NSE_1")), 0, "{reason:?}");
    }
}

#[test]
fn what_no_device_speaks_counts_as_five_and_so_does_a_refusal_of_what_calls_itself_a_scanner() {
    for reason in
        [Reason::HttpOnDicomPort, Reason::UnknownProtocol, Reason::TlsOnPlainPort, Reason::MalformedPdu]
    {
        assert_eq!(weight(reason), 5, "{reason:?}");
    }
    let named =
        |calling, called, version| weight_of_request(Reason::CallingAeTitleUnknown, calling, called, version);
    assert_eq!(named("ECHOSCU", "ANY-SCP", None), 5);
    assert_eq!(named("CT1", "PACS", Some("NMAP_NSE_1")), 5);
    assert_eq!(named("ECHOSCU", "PACS", Some("OFFIS_DCMTK_367")), 1);
}
