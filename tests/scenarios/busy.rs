//! A PACS that takes one association at a time, and is asked for another.

use std::thread;
use std::time::Duration;

use crate::association::Association;
use crate::connection::Target;
use crate::gate::{Gate, Setup};
use crate::raw::{self, Peer, Upstream, verification};
use crate::{peers, process, upper, wait};

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

/// dcmqrscp refuses what is more than `MaxAssociations` with 2/3/2.
#[test]
fn a_second_association_with_a_dcmqrscp_that_takes_one_is_kept_waiting_and_then_served() {
    let archive = peers::dcmqrscp_of(process::free_address(), 1);
    let request = verification("SITE", "QR");
    let mut direct = Association::open(&Target::plain(archive.address), &request).expect("an association");
    assert_eq!(raw::rejection(&Target::plain(archive.address), &request), LOCAL_LIMIT);
    direct.release().expect("a release");
    drop(direct);
    let gate = Gate::start(&Setup { upstream_keys: "wait = \"1h\"", ..Setup::plain(archive.address) });
    let mut first = Association::open(&gate.plain(), &request).expect("an association");
    let refusals = || archive.process.output().matches("TooManyAssociations").count();
    let before = refusals();
    thread::scope(|scope| {
        let second = scope.spawn(|| Association::open(&gate.plain(), &request).expect("an association"));
        wait::until("dcmqrscp to refuse the second", || (refusals() > before + 1).then_some(()));
        assert_eq!(first.echo(1, 1).expect("an answer"), 0);
        first.release().expect("a release");
        let mut second = second.join().expect("no panic");
        assert_eq!(second.echo(1, 1).expect("an answer"), 0);
        second.release().expect("a release");
    });
    wait::until("both to be recorded", || (gate.count("association-closed") == 2).then_some(()));
    assert_eq!(gate.count("association-rejected"), 0);
    let records = gate.records();
    let mut closed = records.iter().filter(|record| record["event"] == "association-closed");
    assert!(closed.all(|record| record["ended"] == "released"), "{records:#?}");
}
