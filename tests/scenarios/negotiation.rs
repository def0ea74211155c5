//! Negotiation goes upstream before the requestor is answered, and what the upstream says is what the requestor reads.

use serde_json::json;

use crate::gate::{self, Gate, Setup};
use crate::raw::{self, Peer, Upstream, verification};
use crate::upper::{self, Request};

const GET: &str = "1.2.840.10008.5.1.4.1.2.2.3";
const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";

#[test]
fn results_and_transfer_syntaxes_are_the_upstreams() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let classes =
        ["1.2.840.10008.1.1", upper::CT_IMAGE_STORAGE, "1.2.3.4.5.6.7", "1.2.840.10008.5.1.4.1.1.4", FIND];
    let private = "1.2.840.113619.5.2";
    let mut request = classes.iter().fold(Request::new("SITE", "PACS"), |request, class| {
        request.context(class, &[private, upper::EXPLICIT_LITTLE, upper::IMPLICIT_LITTLE])
    });
    // Ids need not be in order, nor without gaps.
    for (context, id) in request.contexts.iter_mut().zip([255, 3, 1, 77, 5]) {
        context.0 = id;
    }
    let mut requestor = Peer::connect(&gate.plain());
    requestor.send(&request.encode());
    let mut acceptor = upstream.accept();
    let seen = acceptor.associate(upper::ASSOCIATE_RQ);
    let proposed: Vec<_> =
        request.contexts.iter().map(|(id, class, list)| (*id, 0, class.clone(), list.clone())).collect();
    assert_eq!(seen.contexts, proposed);
    let answers: Vec<(u8, u8, String)> = vec![
        (255, 0, upper::IMPLICIT_LITTLE.into()),
        (3, 1, private.into()),
        (1, 0, private.into()),
        (77, 3, private.into()),
        (5, 4, private.into()),
    ];
    acceptor.send(&upper::associate_ac("PACS", "SITE", &answers, 16384, &[]));
    let answer = requestor.associate(upper::ASSOCIATE_AC);
    let results: Vec<(u8, u8)> = answer.contexts.iter().map(|(id, result, ..)| (*id, *result)).collect();
    assert_eq!(results, [(255, 0), (3, 1), (1, 0), (77, 3), (5, 4)]);
    assert_eq!(answer.contexts[0].3, [upper::IMPLICIT_LITTLE]);
    assert_eq!(answer.contexts[2].3, [private]);
    assert_eq!((answer.called.as_str(), answer.calling.as_str()), ("PACS", "SITE"));
    raw::release(requestor, acceptor);
    let contexts = gate.event("association-closed")["contexts"].clone();
    assert_eq!(contexts.as_array().map(Vec::len), Some(5));
    assert_eq!((&contexts[0]["id"], &contexts[0]["result"]), (&json!(255), &json!(0)));
    assert_eq!(contexts[0]["transfer-syntax"], upper::IMPLICIT_LITTLE);
    assert_eq!(contexts[0]["abstract-syntax"], "1.2.840.10008.1.1");
}

/// A role selection sub-item (PS3.7 D.3.3.4).
fn role(class: &str, scu: u8, scp: u8) -> Vec<u8> {
    let mut value = (class.len() as u16).to_be_bytes().to_vec();
    value.extend(class.bytes());
    value.extend([scu, scp]);
    upper::item(0x54, &value)
}

/// SOP class extended negotiation (PS3.7 D.3.3.5).
fn extended(class: &str, information: &[u8]) -> Vec<u8> {
    let mut value = (class.len() as u16).to_be_bytes().to_vec();
    value.extend(class.bytes());
    value.extend(information);
    upper::item(0x56, &value)
}

#[test]
fn user_information_travels_both_ways() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let common = {
        let storage = "1.2.840.10008.4.2";
        let mut value = (upper::CT_IMAGE_STORAGE.len() as u16).to_be_bytes().to_vec();
        value.extend(upper::CT_IMAGE_STORAGE.bytes());
        value.extend((storage.len() as u16).to_be_bytes());
        value.extend(storage.bytes());
        value.extend([0, 0]);
        upper::item(0x57, &value)
    };
    let asked = [
        role(upper::CT_IMAGE_STORAGE, 0, 1),
        role(GET, 1, 0),
        extended(FIND, &[1, 1, 0, 1]),
        common,
        upper::item(0x5D, b"\x00an item of a later edition\xff"),
    ];
    let answered =
        [role(upper::CT_IMAGE_STORAGE, 0, 1), extended(FIND, &[1, 0, 0, 0]), upper::item(0x5D, b"noted")];
    let request = asked.iter().cloned().fold(
        Request::new("SITE", "PACS")
            .context(GET, &[upper::EXPLICIT_LITTLE])
            .context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE])
            .context(FIND, &[upper::EXPLICIT_LITTLE]),
        Request::user_item,
    );
    let mut requestor = Peer::connect(&gate.plain());
    requestor.send(&request.encode());
    let mut acceptor = upstream.accept();
    let seen = acceptor.associate(upper::ASSOCIATE_RQ);
    assert_eq!(sub_items(&seen, &[0x54, 0x56, 0x57, 0x5D]), asked.map(|item| (item[0], item[4..].to_vec())));
    acceptor.send(&upper::associate_ac("PACS", "SITE", &seen.accept_all(), 16384, &answered));
    let answer = requestor.associate(upper::ASSOCIATE_AC);
    assert_eq!(
        sub_items(&answer, &[0x54, 0x56, 0x57, 0x5D]),
        answered.map(|item| (item[0], item[4..].to_vec()))
    );
    raw::release(requestor, acceptor);
}

/// The sub-items of those types, by type.
fn sub_items(associate: &upper::Associate, kinds: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let of =
        |kind: &u8| associate.user_items.iter().filter(|item| item.0 == *kind).cloned().collect::<Vec<_>>();
    kinds.iter().flat_map(of).collect()
}

#[test]
fn the_asynchronous_window_is_the_upstreams_answer_and_absent_unless_asked_for() {
    let window = |invoked: u8, performed: u8| upper::item(0x53, &[0, invoked, 0, performed]);
    for (asked, answered, expected) in [
        (Some(window(8, 8)), Some(window(4, 1)), Some(vec![0u8, 4, 0, 1])),
        (Some(window(8, 8)), None, None),
        (None, None, None),
    ] {
        let upstream = Upstream::bind();
        let gate = Gate::start(&Setup::plain(upstream.address));
        let request = asked.iter().cloned().fold(verification("SITE", "PACS"), Request::user_item);
        let mut requestor = Peer::connect(&gate.plain());
        requestor.send(&request.encode());
        let mut acceptor = upstream.accept();
        let seen = acceptor.associate(upper::ASSOCIATE_RQ);
        assert_eq!(seen.user_item(0x53), asked.as_ref().map(|item| &item[4..]));
        let items: Vec<_> = answered.into_iter().collect();
        acceptor.send(&upper::associate_ac("PACS", "SITE", &seen.accept_all(), 16384, &items));
        let answer = requestor.associate(upper::ASSOCIATE_AC);
        assert_eq!(answer.user_item(0x53).map(<[u8]>::to_vec), expected);
        raw::release(requestor, acceptor);
    }
}

#[test]
fn each_leg_is_told_our_own_maximum_length() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { limits: "max-pdu-length = 32768", ..Setup::plain(upstream.address) });
    let mut requestor = Peer::connect(&gate.plain());
    requestor.send(&verification("SITE", "PACS").maximum_length(4096).encode());
    let (acceptor, seen) = upstream.accept_all(0);
    let answer = requestor.associate(upper::ASSOCIATE_AC);
    assert_eq!((seen.maximum_length, answer.maximum_length), (Some(32768), Some(32768)));
    raw::release(requestor, acceptor);
}

#[test]
fn a_hundred_and_twenty_eight_contexts_are_carried() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let request = (0..128).fold(Request::new("SITE", "PACS"), |request, index| {
        request.context(&format!("1.2.3.4.{index}"), &[upper::EXPLICIT_LITTLE, upper::IMPLICIT_LITTLE])
    });
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    requestor.send_message(255, &crate::command::Command::c_echo_rq(1), None, 4096);
    let echo = acceptor.message();
    assert_eq!(echo.context, 255);
    acceptor.send_message(255, &echo.command.response(0), None, 4096);
    assert_eq!(requestor.message().context, 255);
    raw::release(requestor, acceptor);
    assert_eq!(gate.event("association-closed")["contexts"].as_array().map(Vec::len), Some(128));
}

#[test]
fn unknown_top_level_items_are_ignored() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let mut request = verification("SITE", "PACS");
    request.trailing_items.push(upper::item(0x7E, b"from the future"));
    let mut requestor = Peer::connect(&gate.plain());
    requestor.send(&request.encode());
    let mut acceptor = upstream.accept();
    let body = acceptor.expect(upper::ASSOCIATE_RQ);
    assert!(!body.windows(15).any(|window| window == b"from the future"), "the unknown item went upstream");
    let seen = upper::Associate::parse(&body).expect("a request");
    acceptor.send(&upper::associate_ac("PACS", "SITE", &seen.accept_all(), 16384, &[]));
    requestor.associate(upper::ASSOCIATE_AC);
    raw::release(requestor, acceptor);
}

#[test]
fn ae_titles_are_rewritten_upstream_and_put_back_in_the_answer() {
    let upstream = Upstream::bind();
    let upstream_keys = "called-ae-title = \"ARCHIVE\"\ncalling-ae-title = \"DIMSEGATE\"";
    let gate = Gate::start(&Setup { upstream_keys, ..Setup::plain(upstream.address) });
    let mut requestor = Peer::connect(&gate.plain());
    requestor.send(&verification("SITE", "PACS").encode());
    let (acceptor, seen) = upstream.accept_all(16384);
    assert_eq!((seen.called.as_str(), seen.calling.as_str()), ("ARCHIVE", "DIMSEGATE"));
    let answer = requestor.associate(upper::ASSOCIATE_AC);
    assert_eq!((answer.called.as_str(), answer.calling.as_str()), ("PACS", "SITE"));
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    assert_eq!((&closed["calling-ae-title"], &closed["called-ae-title"]), (&json!("SITE"), &json!("PACS")));
    let named = &closed["upstream"];
    assert_eq!(
        (&named["calling-ae-title"], &named["called-ae-title"]),
        (&json!("DIMSEGATE"), &json!("ARCHIVE"))
    );
}

#[test]
fn a_route_decides_the_upstream_by_the_called_ae_title() {
    let (usual, other) = (Upstream::bind(), Upstream::bind());
    let blocks = format!(
        "\n[[upstream]]\nname = \"research\"\naddresses = [\"{}\"]\n[[route]]\ncalled-ae-title = \"RESEARCH\"\nupstream = \"research\"\n",
        other.address
    );
    let toml = Setup::plain(usual.address).toml() + &blocks;
    let gate = Gate::start_with(crate::site::Site::new(), &toml, "");
    for (called, upstream, silent) in [("RESEARCH", &other, &usual), ("PACS", &usual, &other)] {
        let (requestor, acceptor) = raw::open(&gate.plain(), upstream, &verification("SITE", called), 16384);
        silent.expect_nobody();
        raw::release(requestor, acceptor);
    }
}

#[test]
fn two_readers_cannot_see_two_requests() {
    let repeated = verification("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let mut same_id = repeated.clone();
    same_id.contexts[1].0 = 1;
    let mut even_id = repeated.clone();
    even_id.contexts[1].0 = 2;
    let mut two_user_items = repeated;
    two_user_items.trailing_items.push(upper::item(0x50, &upper::item(0x51, &[0, 0, 64, 0])));
    for (what, request) in
        [("one id twice", same_id), ("an even id", even_id), ("two user informations", two_user_items)]
    {
        let upstream = Upstream::bind();
        let gate = Gate::start(&Setup { peers: gate::peer(""), ..Setup::plain(upstream.address) });
        let mut requestor = Peer::connect(&gate.plain());
        requestor.send(&request.encode());
        let pdu = requestor.pdu();
        assert_eq!((pdu.kind, pdu.body[2]), (upper::ABORT, 2), "{what}: {pdu:?}");
        requestor.expect_close();
        upstream.expect_nobody();
        assert_eq!(gate.event("connection-refused")["reason"], "malformed-pdu", "{what}");
    }
}
