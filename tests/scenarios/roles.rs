//! Who matches which peer, what its role lets it do, and which upstream it gets.

use serde_json::json;

use crate::command::{C_GET_RQ, C_MOVE_RQ, Command, ERROR_COMMENT, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::raw::{self, Peer, Upstream, rejection, verification};
use crate::site::Site;
use crate::upper::{self, Request};

const MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";
const UNKNOWN_CALLED: [u8; 4] = [0, 1, 1, 7];

/// One more `[[peer]]` on loopback.
fn also(name: &str, keys: &str) -> String {
    format!("\n[[peer]]\nname = \"{name}\"\nnetworks = [\"127.0.0.0/8\"]\n{keys}\nrole = \"all\"")
}

#[test]
fn conditions_of_two_peers_do_not_add_up() {
    let upstream = Upstream::bind();
    let peers = gate::peer("calling-ae-titles = [\"CT\"]\ncalled-ae-titles = [\"PACS\"]")
        + &also("other", "calling-ae-titles = [\"MR\"]\ncalled-ae-titles = [\"RESEARCH\"]");
    let gate = Gate::start(&Setup { peers, ..Setup::plain(upstream.address) });
    assert_eq!(rejection(&gate.plain(), &verification("CT", "RESEARCH")), UNKNOWN_CALLED);
    let rejected = gate.event("association-rejected");
    let explanation = rejected["explanation"].as_str().unwrap_or_default();
    assert!(explanation.contains("RESEARCH") && explanation.contains("\"site\""), "{explanation}");
    upstream.expect_nobody();
    for (calling, called) in [("CT", "PACS"), ("MR", "RESEARCH")] {
        let (requestor, acceptor) =
            raw::open(&gate.plain(), &upstream, &verification(calling, called), 16384);
        raw::release(requestor, acceptor);
    }
}

#[test]
fn the_first_peer_that_matches_decides_and_its_upstream_comes_before_any_route() {
    let (usual, routed, own) = (Upstream::bind(), Upstream::bind(), Upstream::bind());
    let peers = gate::peer("calling-ae-titles = [\"CT1\"]\nupstream = \"own\"")
        + &also("others", "calling-ae-titles = [\"CT*\"]");
    let blocks = format!(
        "\n[[upstream]]\nname = \"routed\"\naddresses = [\"{}\"]\n[[upstream]]\nname = \"own\"\naddresses = [\"{}\"]\n\
         [[route]]\ncalled-ae-title = \"RES*\"\nupstream = \"routed\"\n",
        routed.address, own.address
    );
    let toml = Setup { peers, ..Setup::plain(usual.address) }.toml() + &blocks;
    let gate = Gate::start_with(Site::new(), &toml, "");
    for (calling, called, upstream, peer) in [
        ("CT1", "RESEARCH", &own, "site"),
        ("CT1", "PACS", &own, "site"),
        ("CT2", "RESEARCH", &routed, "others"),
        ("CT2", "PACS", &usual, "others"),
    ] {
        let (requestor, acceptor) = raw::open(&gate.plain(), upstream, &verification(calling, called), 16384);
        raw::release(requestor, acceptor);
        let closed = gate.record(calling, |record| {
            let titles = (&record["calling-ae-title"], &record["called-ae-title"]);
            record["event"] == "association-closed" && titles == (&json!(calling), &json!(called))
        });
        assert_eq!(closed["peer"], peer);
        assert_eq!(closed["upstream"]["address"], upstream.address.to_string());
    }
}

#[test]
fn a_c_move_goes_to_the_destinations_of_its_role_only() {
    let upstream = Upstream::bind();
    let roles = "[[role]]\nname = \"all\"\noperations = [\"C-MOVE\"]\nsop-classes = [\"query-retrieve\"]\n\
        move-destinations = [\"READER*\"]";
    let gate = Gate::start(&Setup { roles, ..Setup::plain(upstream.address) });
    let request = Request::new("SITE", "PACS").context(MOVE, &[upper::IMPLICIT_LITTLE]);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    let command = |id: u16, destination: &[u8]| {
        let command = Command::new(C_MOVE_RQ).uid(2, MOVE).us(0x0110, id).us(0x0700, 0).us(0x0800, 0);
        command.bytes(0x0600, destination.to_vec())
    };
    let query = crate::object::short(0x0020, 0x000D, "UI", b"1.2.3");
    for (id, destination) in [(1, &b"ELSEWHERE "[..]), (2, b""), (3, b"reader1 ")] {
        requestor.send_message(1, &command(id, destination), Some(&query), 16384);
        let answer = requestor.message().command;
        assert_eq!((answer.number(0x0120), answer.number(STATUS)), (Some(id), Some(0xA801)));
        assert!(answer.text(ERROR_COMMENT).is_some_and(|comment| !comment.is_empty()));
    }
    let allowed = command(4, b"READER1 ");
    requestor.send_message(1, &allowed, Some(&query), 16384);
    let seen = acceptor.message();
    assert_eq!((&seen.command, seen.data_set.as_ref()), (&allowed, Some(&query)));
    acceptor.send_message(1, &seen.command.response(0), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
    raw::release(requestor, acceptor);
    let moves = &gate.event("association-closed")["operations"]["C-MOVE"];
    assert_eq!(moves, &json!({"success": 1, "warning": 0, "failure": 0, "refused": 3}));
    let refused = gate.because("move-destination-not-allowed");
    assert_eq!((&refused["operation"], &refused["status"]), (&json!("C-MOVE"), &json!("0xA801")));
}

#[test]
fn an_upstream_may_not_ask_a_peer_for_what_the_role_does_not_hold() {
    let upstream = Upstream::bind();
    let roles = "[[role]]\nname = \"all\"\noperations = [\"C-ECHO\"]\nsop-classes = [\"all\"]";
    let gate = Gate::start(&Setup { roles, ..Setup::plain(upstream.address) });
    let request = verification("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    let object = crate::object::Object::ct(50_000);
    let store = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
    acceptor.send_message(3, &store, Some(&object.data_set), 16384);
    let answer = acceptor.message().command;
    assert_eq!(answer.number(STATUS), Some(0x0124));
    // Nothing of it reached the requestor: the next thing that it reads is the answer to its echo.
    requestor.send_message(1, &Command::c_echo_rq(5), None, 16384);
    let echo = acceptor.message();
    acceptor.send_message(1, &echo.command.response(0), None, 16384);
    assert_eq!(requestor.message().command.number(0x0120), Some(5));
    raw::release(requestor, acceptor);
    let operation = gate.record("the refusal", |record| record["direction"] == "to-peer");
    assert_eq!((&operation["operation"], &operation["status"]), (&json!("C-STORE"), &json!("0x0124")));
}

const GET: &str = "1.2.840.10008.5.1.4.1.2.2.3";

#[test]
fn an_object_of_the_upstream_reaches_a_peer_only_while_its_c_get_is_open() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let request = verification("SITE", "PACS")
        .context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE])
        .context(GET, &[upper::EXPLICIT_LITTLE]);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    let object = crate::object::Object::ct(50_000);
    let store = |id| Command::c_store_rq(id, &object.sop_class, &object.sop_instance);
    let refused = |acceptor: &mut Peer, id| {
        acceptor.send_message(3, &store(id), Some(&object.data_set), 16384);
        let answer = acceptor.message().command;
        assert_eq!((answer.number(0x0120), answer.number(STATUS)), (Some(id), Some(0x0124)));
        assert_eq!(answer.text(ERROR_COMMENT).as_deref(), Some("no C-GET of this peer is open"));
    };
    refused(&mut acceptor, 1);
    let get = Command::new(C_GET_RQ).uid(2, GET).us(0x0110, 9).us(0x0700, 0).us(0x0800, 0);
    let query = crate::object::short(0x0020, 0x000D, "UI", b"1.2.3");
    requestor.send_message(5, &get, Some(&query), 16384);
    acceptor.message();
    for id in [2, 3] {
        acceptor.send_message(3, &store(id), Some(&object.data_set), 16384);
        // Nothing of the first one: what reaches the requestor is what it asked for.
        let seen = requestor.message();
        assert_eq!((&seen.command, seen.data_set.as_ref()), (&store(id), Some(&object.data_set)));
        requestor.send_message(3, &store(id).response(0), None, 16384);
        assert_eq!(acceptor.message().command, store(id).response(0));
    }
    acceptor.send_message(5, &get.response(0), None, 16384);
    assert_eq!(requestor.message().command, get.response(0));
    refused(&mut acceptor, 4);
    // What a role lists, it lists for the peer.
    let find = Command::new(C_GET_RQ).uid(2, GET).us(0x0110, 5).us(0x0700, 0).us(0x0800, 0);
    acceptor.send_message(5, &find, Some(&query), 16384);
    assert_eq!(acceptor.message().command.number(STATUS), Some(0x0124));
    raw::release(requestor, acceptor);
    gate.event("association-closed");
    let records: Vec<_> = (gate.records().into_iter())
        .filter(|record| record["direction"] == "to-peer" && record["status"] == "0x0124")
        .map(|record| record["reason"].clone())
        .collect();
    assert_eq!(records, ["not-asked-for", "not-asked-for", "operation-not-allowed"]);
}

/// User name and passcode (PS3.7 D.3.3.7), a positive response asked for.
fn identity() -> Vec<u8> {
    upper::item(0x58, b"\x02\x01\x00\x05alice\x00\x06sesame")
}

#[test]
fn a_user_identity_reaches_the_upstream_only_where_the_administrator_says_so() {
    for (upstream_keys, passed) in
        [("", false), ("user-identity = \"strip\"", false), ("user-identity = \"pass\"", true)]
    {
        let upstream = Upstream::bind();
        let gate = Gate::start(&Setup { upstream_keys, ..Setup::plain(upstream.address) });
        let mut requestor = Peer::connect(&gate.plain());
        requestor.send(&verification("SITE", "PACS").user_item(identity()).encode());
        let mut acceptor = upstream.accept();
        let seen = acceptor.associate(upper::ASSOCIATE_RQ);
        assert_eq!(seen.user_item(0x58), passed.then_some(&identity()[4..]), "{upstream_keys}");
        let response = upper::item(0x59, b"\x00\x02ok");
        let items = if passed { vec![response.clone()] } else { Vec::new() };
        acceptor.send(&upper::associate_ac("PACS", "SITE", &seen.accept_all(), 16384, &items));
        let answer = requestor.associate(upper::ASSOCIATE_AC);
        assert_eq!(answer.user_item(0x59), passed.then_some(&response[4..]), "{upstream_keys}");
        raw::release(requestor, acceptor);
        gate.event("association-closed");
        let told = format!("{:?}{}", gate.records(), gate.output());
        assert!(!told.contains("sesame"), "a passcode in the records or the log");
    }
}

#[test]
fn an_asynchronous_window_can_be_kept_from_devices_that_cannot_cope() {
    let upstream = Upstream::bind();
    let peers = gate::peer("strip-asynchronous-window = true");
    let gate = Gate::start(&Setup { peers, ..Setup::plain(upstream.address) });
    let window = upper::item(0x53, &[0, 8, 0, 8]);
    let mut requestor = Peer::connect(&gate.plain());
    requestor.send(&verification("SITE", "PACS").user_item(window).encode());
    let (acceptor, seen) = upstream.accept_all(16384);
    assert_eq!(seen.user_item(0x53), None);
    assert_eq!(requestor.associate(upper::ASSOCIATE_AC).user_item(0x53), None);
    raw::release(requestor, acceptor);
}
