//! Where nothing rewrites, the bytes of every command and data set arrive as they left.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::association::Association;
use crate::command::{C_GET_RQ, C_STORE_RQ, Command};
use crate::connection::Target;
use crate::corpus;
use crate::gate::{Gate, Setup};
use crate::object::{Object, short};
use crate::peers;
use crate::raw::{self, Peer, Upstream};
use crate::sink;
use crate::upper::{self, Request};

#[test]
fn what_dcmtk_can_send_direct_arrives_through_the_gate() {
    let (direct, through) = (corpus::archive(), corpus::archive());
    assert_eq!(corpus::send_with_dcmtk(direct.address, &[]), corpus::SENT_BY_DCMTK);
    let gate = Gate::start(&Setup::tls(through.address));
    let tls = peers::dcmtk_tls(&gate.site);
    let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
    assert_eq!(corpus::send_with_dcmtk(gate.address, &tls), corpus::SENT_BY_DCMTK);
    let (expected, found) =
        (counted(direct.stored(corpus::SENT_BY_DCMTK)), counted(through.stored(corpus::SENT_BY_DCMTK)));
    assert!(expected == found, "the archives hold other objects");
}

/// How often each object came: storescp gives files names of its own, and the corpus holds some objects twice.
fn counted(objects: Vec<Object>) -> BTreeMap<(String, String, String, Vec<u8>), usize> {
    let mut counts = BTreeMap::new();
    for object in objects {
        let key = (object.sop_class, object.sop_instance, object.transfer_syntax, object.data_set);
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// Files of the corpus whose meta information names another instance than their data set, and one that does not say in
/// its transfer syntax what it is.
const REFUSED: [(u16, usize); 2] = [(0xA900, 10), (0xC000, 1)];

#[test]
fn every_data_set_of_the_corpus_passes_that_is_what_its_command_says_even_a_broken_one() {
    let objects = corpus::objects();
    for (tls, maximum_length) in [(false, 16384), (true, 0), (true, 4096)] {
        let options = sink::Options { maximum_length, tls: None, checksums: true };
        let (address, totals) = sink::start(SocketAddr::from(([127, 0, 0, 1], 0)), options).expect("a sink");
        let gate = Gate::start(&Setup { tls, ..Setup::plain(address) });
        let target = if tls { gate.tls() } else { gate.plain() };
        let mut association = Association::open(&target, &corpus::request()).expect("an association");
        let statuses = corpus::store_all(&mut association, &objects);
        association.release().expect("a release");
        for (refused, count) in REFUSED {
            assert_eq!(statuses.iter().filter(|status| **status == refused).count(), count, "{refused:04X}");
        }
        let passed = objects.iter().zip(&statuses).filter(|(_, status)| **status == 0);
        let passed: Vec<Object> = passed.map(|(object, _)| object.clone()).collect();
        assert_eq!(passed.len() + REFUSED[0].1 + REFUSED[1].1, objects.len());
        assert_eq!(*totals.received.lock().expect("no panic in the sink"), corpus::digests(&passed));
        let closed = gate.event("association-closed");
        assert_eq!(closed["operations"]["C-STORE"]["success"], passed.len());
    }
}

const GET: &str = "1.2.840.10008.5.1.4.1.2.2.3";

/// Maximum lengths that peers really announce; 0 is unlimited.
const LENGTHS: [u32; 4] = [4096, 16384, 131_072, 0];

#[test]
fn each_leg_obeys_the_maximum_length_of_its_own_peer() {
    let object = Object::ct(500_000);
    for requestors in LENGTHS {
        for acceptors in LENGTHS {
            let upstream = Upstream::bind();
            let gate = Gate::start(&Setup::plain(upstream.address));
            let request = Request::new("SITE", "PACS")
                .context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE])
                .context(GET, &[upper::EXPLICIT_LITTLE])
                .maximum_length(requestors);
            let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, acceptors);
            stream(&mut requestor, &mut acceptor, &object, acceptors, 131_072);
            // The other way, an object is a sub-operation of a C-GET.
            let get = Command::new(C_GET_RQ).uid(2, GET).us(0x0110, 8).us(0x0700, 0).us(0x0800, 0);
            requestor.send_message(3, &get, Some(&short(0x0010, 0x0020, "LO", b"")), 4096);
            acceptor.message();
            stream(&mut acceptor, &mut requestor, &object, requestors, 131_072);
            raw::release(requestor, acceptor);
        }
    }
}

/// Sends a C-STORE in PDUs of `sent` bytes and asserts that it arrives whole, in even fragments that `limit` allows.
fn stream(from: &mut Peer, to: &mut Peer, object: &Object, limit: u32, sent: usize) {
    let command = Command::c_store_rq(7, &object.sop_class, &object.sop_instance);
    let (mut commands, mut data, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(|| from.send_message(1, &command, Some(&object.data_set), sent));
        let mut ended = false;
        while !ended {
            let pdu = to.pdu();
            assert_eq!(pdu.kind, upper::P_DATA);
            lengths.push(pdu.body.len());
            for pdv in pdu.pdvs().expect("PDVs that fit") {
                assert_eq!(pdv.context, 1);
                assert_eq!(pdv.value.len() % 2, 0, "an odd fragment");
                let last = pdv.control & upper::LAST != 0;
                if pdv.control & upper::COMMAND != 0 { &mut commands } else { &mut data }.extend(pdv.value);
                ended = last && pdv.control & upper::COMMAND == 0;
            }
        }
    });
    assert!(commands == command.encode() && data == object.data_set, "other bytes than were sent");
    let longest = lengths.iter().max().copied().unwrap_or_default();
    assert!(limit == 0 || longest <= limit as usize, "a PDU of {longest} bytes where {limit} is the limit");
    // The response, so that the next message is not an answer to nothing.
    to.send_message(1, &command.response(0), None, 4096);
    assert_eq!(from.message().command.field(), C_STORE_RQ | 0x8000);
}

#[test]
fn command_and_data_may_share_a_pdu_and_come_in_pieces() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let request = Request::new("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let object = Object::ct(1_000);
    let command = Command::c_store_rq(3, &object.sop_class, &object.sop_instance);
    let (head, tail) = object.data_set.split_at(400);
    let pdvs = [
        upper::pdv(1, upper::COMMAND | upper::LAST, &command.encode()),
        upper::pdv(1, 0, head),
        upper::pdv(1, upper::LAST, tail),
    ];
    let bytes = upper::pdu(upper::P_DATA, &pdvs.concat());
    for size in [1, 7, 4096] {
        let (mut requestor, mut acceptor) = raw::open(&Target { ..gate.plain() }, &upstream, &request, 16384);
        for piece in bytes.chunks(size) {
            requestor.send(piece);
        }
        let message = acceptor.message();
        assert_eq!(message.command, command);
        assert!(message.data_set.as_ref() == Some(&object.data_set), "other bytes than were sent");
        acceptor.send_message(1, &message.command.response(0), None, 4096);
        assert_eq!(requestor.message().command.number(crate::command::STATUS), Some(0));
        raw::release(requestor, acceptor);
    }
}
