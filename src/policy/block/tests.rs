use super::{Block, Blocked, Blocks, Known};
use crate::identity::Certificate;
use proptest::prelude::*;
use std::time::Duration;
use time::OffsetDateTime;

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn block(of: &str, until: Option<OffsetDateTime>) -> Block {
    Block {
        id: 7,
        of: of.parse().unwrap(),
        until,
        why: "stolen".into(),
        by: "anna".into(),
        since: NOW,
        automatic: false,
    }
}

#[test]
fn what_a_block_names_reads_back_as_it_is_printed() {
    let fingerprint = "ab".repeat(32);
    for text in [
        "ae-title:LYON_CT1",
        "address:203.0.113.9",
        "address:203.0.113.0/24",
        "address:2001:db8::/32",
        "peer:lyon-2.old_one",
        "user:anna.b@lyon",
        "user:keycloak/auth0|5f7c:a/b",
        "agreement:lyon-2026",
        "user-at:203.0.113.9/login/anna",
        "user-at:2001:db8::/anna",
        &format!("certificate:sha256:{fingerprint}"),
        &format!("certificate:spki-sha256:{fingerprint}"),
    ] {
        assert_eq!(text.parse::<Blocked>().unwrap().to_string(), text);
    }
    assert_eq!("address:203.0.113.9/24".parse::<Blocked>().unwrap().to_string(), "address:203.0.113.0/24");
    assert_eq!("address:::ffff:203.0.113.9".parse::<Blocked>().unwrap().to_string(), "address:203.0.113.9");
}

#[test]
fn networks_of_ipv4_that_are_written_as_ipv6_shut_out_those_of_ipv4() {
    for (text, read) in [
        ("address:::ffff:127.0.0.0/104", "address:127.0.0.0/8"),
        ("address:::ffff:203.0.113.9/120", "address:203.0.113.0/24"),
        ("address:::ffff:203.0.113.9/128", "address:203.0.113.9"),
        ("address:::ffff:0:0/96", "address:0.0.0.0/0"),
        ("address:2000::/3", "address:2000::/3"),
    ] {
        assert_eq!(text.parse::<Blocked>().unwrap().to_string(), read);
    }
    for text in ["address:::ffff:0:0/95", "address:::/0", "address:::/80"] {
        let error = text.parse::<Blocked>().unwrap_err().to_string();
        assert!(error.contains("holds addresses of IPv4"), "{error}");
    }
    let blocks = Blocks::new(vec![block("address:::ffff:127.0.0.0/104", None)]);
    assert!(blocks.of_address("127.0.0.1".parse().unwrap(), NOW).is_some());
    assert!(blocks.of_address("::ffff:127.0.0.1".parse().unwrap(), NOW).is_some());
    assert!(blocks.of_address("128.0.0.1".parse().unwrap(), NOW).is_none());
}

#[test]
fn what_names_nobody_is_refused_with_what_would_be_right() {
    for (text, told) in [
        ("LYON_CT1", "\"LYON_CT1\" is not what a block names: write ae-title:LYON_CT1"),
        ("host:gw", "\"host:gw\" is not what a block names"),
        ("address:gw.lyon", "address: \"gw.lyon\" is neither an address nor a network"),
        ("ae-title:", "ae-title: \"\" is no AE title"),
        ("certificate:dns:gw.lyon", "is a name, which the holder"),
        ("peer:", "peer: \"\" is no name"),
        ("peer:lyon: the old one", "is no name"),
        ("user:", "user: \"\" is no name"),
        ("user-at:gw/anna", "user-at: \"gw/anna\" is no address, a slash, and the name of a user"),
        ("user-at:203.0.113.9/", "is no address, a slash"),
        ("agreement:lyon 2026", "agreement: \"lyon 2026\" is no id"),
        ("user:anna b", "is no name"),
        ("user:/anna", "is no name"),
        ("user:keycloak/", "is no name"),
        ("user:keycloak/an\"na", "is no name"),
        (&format!("peer:{}", "a".repeat(60 << 10)), "is no name"),
        ("ae-title:\x1b[2J", "ae-title: \"\\x1b[2J\" is no AE title"),
    ] {
        let error = text.parse::<Blocked>().unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn each_kind_shuts_out_whom_it_names_for_as_long_as_it_lasts_and_nobody_else() {
    let known = |calling, peer| Known {
        address: "::ffff:203.0.113.9".parse().unwrap(),
        certificate: None,
        user: Some("anna"),
        calling,
        peer,
    };
    let (ct, mr) = ("LYON_CT1".parse().unwrap(), "LYON_MR1".parse().unwrap());
    let later = NOW + Duration::from_secs(60);
    for (of, title, peer, is_shut_out) in [
        ("ae-title:LYON_CT1", &ct, "lyon", true),
        ("ae-title:LYON_CT1", &mr, "lyon", false),
        ("address:203.0.113.0/24", &ct, "lyon", true),
        ("address:198.51.100.9", &ct, "lyon", false),
        ("peer:lyon", &mr, "lyon", true),
        ("peer:lyon", &mr, "lyon-2", false),
        ("user:anna", &mr, "nice", true),
        ("user:bert", &mr, "nice", false),
    ] {
        let blocks = Blocks::new(vec![block("peer:oslo", None), block(of, Some(later))]);
        assert_eq!(blocks.of(&known(title, peer), NOW).is_some(), is_shut_out, "{of}");
        assert!(blocks.of(&known(title, peer), later).is_none(), "{of} after its end");
    }
}

/// What `Blocks::of` is held against: each block asked in turn.
fn one_by_one<'b>(blocks: &'b Blocks, known: &Known<'_>, now: OffsetDateTime) -> Option<&'b Block> {
    let holds = |of: &Blocked| match of {
        Blocked::AeTitle(title) => title == known.calling,
        Blocked::Network(network) => network.contains(&known.address.to_canonical()),
        Blocked::Certificate(binding) => known.certificate.is_some_and(|shown| binding.matches(shown)),
        Blocked::Peer(name) => **name == *known.peer,
        Blocked::User(name) => known.user == Some(name),
        Blocked::UserAt(name, address) => known.user == Some(name) && *address == known.address,
        Blocked::Agreement(_) => false,
    };
    blocks.iter().find(|block| holds(&block.of) && block.is_in_force(now))
}

fn certificate(byte: u8, key: u8) -> Certificate {
    let digest = |byte: u8| format!("{byte:02x}").repeat(32);
    Certificate {
        fingerprint: digest(byte),
        key_fingerprint: digest(key),
        ..crate::policy::tests::certificate("gw")
    }
}

proptest! {
    #[test]
    fn the_index_finds_the_first_block_that_is_in_force_as_asking_each_in_turn_does(
        made in proptest::collection::vec((0usize..16, proptest::option::of(0u64..6)), 0..60),
        (last, title, peer, user, shown) in (0u8..4, 0u8..2, 0u8..2, 0u8..3, 0u8..3),
        now in 0u64..6,
    ) {
        let (of_a, of_key) = ("01".repeat(32), "02".repeat(32));
        let names = [
            "ae-title:A0", "ae-title:A1", "address:203.0.113.1", "address:203.0.113.0/31", "address:203.0.113.0/24",
            "address:0.0.0.0/0", "address:2001:db8::/32", "peer:p0", "peer:p1", "user-at:203.0.113.1/u1", "user-at:203.0.113.2/u0", "user:u0", "user:u1", "agreement:a",
            &format!("certificate:sha256:{of_a}"), &format!("certificate:spki-sha256:{of_key}"),
        ];
        let moment = |seconds: u64| NOW + Duration::from_secs(seconds);
        let made = made.iter().enumerate().map(|(at, (name, until))| {
            let id = at as u64 + 1;
            Block { id, ..block(names[*name], until.map(moment)) }
        });
        let blocks = Blocks::new(made.collect());
        let (calling, peer) = (format!("A{title}").parse().unwrap(), format!("p{peer}"));
        let user = format!("u{user}");
        let certificate = (shown > 0).then(|| certificate(shown, 3 - shown));
        let address = format!("203.0.113.{last}").parse().unwrap();
        let known = Known { address, certificate: certificate.as_ref(), user: Some(&user), calling: &calling, peer: &peer };
        let id = |block: Option<&Block>| block.map(|block| block.id);
        prop_assert_eq!(id(blocks.of(&known, moment(now))), id(one_by_one(&blocks, &known, moment(now))));
        let is_it = |block: &&Block| block.is_in_force(moment(now)) && matches!(&block.of, Blocked::Network(network) if network.contains(&address));
        prop_assert_eq!(id(blocks.of_address(address, moment(now))), id(blocks.iter().find(is_it)));
    }
}

#[test]
fn an_agreement_is_shut_out_by_its_id_for_as_long_as_its_block_lasts() {
    let later = NOW + Duration::from_secs(60);
    let blocks = Blocks::new(vec![block("agreement:lyon-2026", Some(later)), block("peer:lyon-2027", None)]);
    assert!(blocks.of_agreement("lyon-2026", NOW).is_some());
    assert!(blocks.of_agreement("lyon-2026", later).is_none());
    assert!(blocks.of_agreement("lyon-2027", NOW).is_none());
}

#[test]
fn an_automatic_block_of_an_address_is_about_those_who_come_anew_and_of_a_user_about_one_address() {
    let ct = "LYON_CT1".parse().unwrap();
    let known = |address: &str| Known {
        address: address.parse().unwrap(),
        certificate: None,
        user: Some("anna"),
        calling: &ct,
        peer: "lyon",
    };
    let automatic = |of| Block { automatic: true, ..block(of, None) };
    let blocks = Blocks::new(vec![automatic("address:203.0.113.9"), automatic("user-at:203.0.113.8/anna")]);
    let address = "203.0.113.9".parse().unwrap();
    assert!(blocks.of_address(address, NOW).is_some());
    assert!(blocks.of(&known("203.0.113.9"), NOW).is_none(), "what was let in from there goes on");
    assert!(blocks.of(&known("203.0.113.8"), NOW).is_some());
    assert!(blocks.of(&known("203.0.113.7"), NOW).is_none(), "anna comes from elsewhere");
}
