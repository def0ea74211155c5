//! From the bytes of an A-ASSOCIATE-RQ to a verdict: nobody is let in for whom no peer's every condition holds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, LazyLock};

use dimsegate::policy::{
    Blocks, ContextVerdict, Facts, Operation, Peer, Policy, RewriteDirection, Role, SopClassSet,
    TransferSyntaxSet, Verdict, decide,
};
use dimsegate::wire::associate::AssociateRq;

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let peers = vec![
        peer("bound", "10.0.0.0/8", "CT1", Some("PACS"), true),
        peer("exact", "10.1.0.0/16", "CT1", Some("PACS"), false),
        peer("glob", "2001:db8::/32", "MR*", None, false),
    ];
    let listeners = [(Arc::from("remote"), Some(Arc::from("pacs")))].into();
    Policy::new(peers, Vec::new(), listeners, std::collections::BTreeMap::new())
});

fn peer(name: &str, network: &str, calling: &str, called: Option<&str>, bound: bool) -> Arc<Peer> {
    let (mut sop_classes, mut transfer_syntaxes) = (SopClassSet::default(), TransferSyntaxSet::default());
    sop_classes.add(CT).expect("a SOP class");
    transfer_syntaxes.add(EXPLICIT).expect("a transfer syntax");
    let role = Role {
        name: "role".into(),
        line: 1,
        keys: Default::default(),
        operations: vec![Operation::CStore],
        sop_classes,
        transfer_syntaxes,
        move_destinations: None,
        minimum_tls: None,
        hours: None,
        require: dimsegate::policy::Factors::default(),
        queries: Default::default(),
    };
    Arc::new(Peer {
        name: name.into(),
        line: 1,
        keys: Default::default(),
        listeners: None,
        networks: vec![network.parse().expect("a network")],
        calling: vec![calling.parse().expect("a pattern")],
        issuers: None,
        certificates: bound.then(|| vec!["dns:gw.example".parse().expect("a binding")]),
        called: called.map(|called| vec![called.parse().expect("a pattern")]),
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
    })
}

pub fn check(input: &[u8]) {
    let &[choice, ref body @ ..] = input else { return };
    let address = match choice % 4 {
        0 => IpAddr::V4(Ipv4Addr::new(10, 1, choice, 1)),
        1 => IpAddr::V4(Ipv4Addr::new(10, choice, 0, 1)),
        2 => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8 + u16::from(choice >> 7), 0, 0, 0, 0, 0, 1)),
        _ => IpAddr::V6(Ipv4Addr::new(10, 1, 0, choice).to_ipv6_mapped()),
    };
    let Ok(request) = AssociateRq::decode(body) else { return };
    let facts = Facts {
        listener: "remote",
        address,
        certificate: None,
        tls: None,
        authorities: &[],
        user: None,
        calling: &request.calling,
        called: &request.called,
        contexts: &request.contexts,
        blocks: &Blocks::default(),
        now: std::time::SystemTime::now().into(),
    };
    let (calling, called) = (trimmed(&request.calling.0), trimmed(&request.called.0));
    let allowed = allowed(address, calling, called);
    match decide(&POLICY, &facts) {
        Verdict::Allow(grant) => {
            assert_eq!(Some(&*grant.peer.name), allowed);
            assert_eq!(grant.contexts.len(), request.contexts.len());
            for (id, verdict) in &grant.contexts {
                let proposed =
                    request.contexts.iter().find(|context| context.id == *id).expect("a proposed context");
                let ContextVerdict::Offer(syntaxes) = verdict else { continue };
                assert_eq!(proposed.abstract_syntax.as_str(), CT);
                assert!(
                    !syntaxes.is_empty() && syntaxes.iter().all(|uid| uid.as_str() == EXPLICIT),
                    "{syntaxes:?}"
                );
            }
        }
        Verdict::Refuse(refusal) => {
            assert_eq!(allowed, None, "{refusal}");
            assert!(refusal.reason.rejection().is_some() || address_unknown(address), "{refusal}");
            let said = format!("{refusal} {}", refusal.remedy);
            assert!(!said.contains(|c: char| c.is_control()), "{said:?}");
        }
    }
}

/// Spaces around a title do not count (PS3.8 Table 9-11), nor NULs behind it, which some requestors write in their place.
fn trimmed(title: &[u8]) -> &[u8] {
    let end = title.iter().rposition(|byte| !matches!(byte, 0 | b' ')).map_or(0, |last| last + 1);
    let start = title[..end].iter().position(|byte| *byte != b' ').unwrap_or(end);
    &title[start..end]
}

/// The peers above, read by hand; nobody here shows a certificate.
fn allowed(address: IpAddr, calling: &[u8], called: &[u8]) -> Option<&'static str> {
    let printable =
        |title: &[u8]| !title.is_empty() && title.iter().all(|b| (b' '..=b'~').contains(b) && *b != b'\\');
    if !printable(calling) || !printable(called) {
        return None;
    }
    match address.to_canonical() {
        IpAddr::V4(v4) if v4.octets()[..2] == [10, 1] && calling == b"CT1" && called == b"PACS" => {
            Some("exact")
        }
        IpAddr::V6(v6) if v6.segments()[..2] == [0x2001, 0xdb8] && calling.starts_with(b"MR") => Some("glob"),
        _ => None,
    }
}

fn address_unknown(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.octets()[0] != 10,
        IpAddr::V6(v6) => v6.segments()[..2] != [0x2001, 0xdb8],
    }
}
