//! A PACS that takes one association at a time, and is asked for another.

use std::time::Duration;

use crate::gate::{Gate, Setup};
use crate::raw::{self, Peer, Upstream, verification};
use crate::upper;

const LOCAL_LIMIT: [u8; 4] = [0, 2, 3, 2];

/// The requestor, and the connection on which its request was refused for now.
fn refused_once(gate: &Gate, upstream: &Upstream) -> Peer {
    let mut requestor = Peer::plain(gate.address);
    requestor.send(&verification("SITE", "PACS").encode());
    let mut busy = upstream.accept();
    busy.associate(upper::ASSOCIATE_RQ);
    busy.send(&upper::reject(2, 3, 2));
    busy.rest();
    requestor
}

#[test]
fn an_upstream_that_refuses_for_now_is_asked_again() {
    let upstream = Upstream::bind();
    let upstream_keys = "wait = \"1h\"";
    let gate = Gate::start(&Setup { upstream_keys, ..Setup::plain(upstream.address) });
    let mut requestor = refused_once(&gate, &upstream);
    let mut busy = upstream.accept();
    busy.associate(upper::ASSOCIATE_RQ);
    busy.send(&upper::reject(2, 3, 1));
    let (acceptor, _) = upstream.accept_all(16384);
    requestor.associate(upper::ASSOCIATE_AC);
    raw::release(requestor, acceptor);
    gate.event("association-closed");
    assert_eq!(gate.count("association-rejected"), 0);
}

#[test]
fn its_refusal_goes_on_when_the_wait_is_over() {
    let upstream = Upstream::bind();
    let upstream_keys = "wait = \"300ms\"";
    let gate = Gate::start(&Setup { upstream_keys, ..Setup::plain(upstream.address) });
    let mut requestor = refused_once(&gate, &upstream);
    let again = crate::wait::until("another attempt, or the refusal", || {
        Some(gate.count("association-rejected") > 0).filter(|over| *over).or(upstream.try_accept().map(
            |mut busy| {
                busy.associate(upper::ASSOCIATE_RQ);
                busy.send(&upper::reject(2, 3, 2));
                false
            },
        ))
    });
    if !again {
        gate.event("association-rejected");
    }
    assert_eq!(requestor.expect(upper::ASSOCIATE_RJ), LOCAL_LIMIT);
}

#[test]
fn a_requestor_that_leaves_meanwhile_is_not_waited_for() {
    let upstream = Upstream::bind();
    let upstream_keys = "wait = \"1h\"";
    let gate = Gate::start(&Setup { upstream_keys, ..Setup::plain(upstream.address) });
    drop(refused_once(&gate, &upstream));
    assert_eq!(gate.event("connection-refused")["reason"], "connection-lost");
}

/// It has not accepted the connection yet, which waits in its kernel's queue.
#[test]
fn an_upstream_that_answers_late_has_its_wait_besides() {
    let upstream = Upstream::bind();
    let (limits, upstream_keys) = ("associate-timeout = \"1s\"", "wait = \"1h\"");
    let gate = Gate::start(&Setup { limits, upstream_keys, ..Setup::plain(upstream.address) });
    let mut requestor = Peer::plain(gate.address);
    requestor.send(&verification("SITE", "PACS").encode());
    crate::wait::beyond(Duration::from_millis(1500));
    let (acceptor, _) = upstream.accept_all(16384);
    requestor.associate(upper::ASSOCIATE_AC);
    raw::release(requestor, acceptor);
}
