//! Messages that overlap: several requests before a response, responses before the request is through, both directions at
//! once, and sockets that are closed on one side.

use std::net::Shutdown;

use serde_json::{Value, json};

use crate::command::{C_CANCEL_RQ, C_FIND_RQ, C_FIND_RSP, Command, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::object::Object;
use crate::raw::{self, Peer, Upstream, verification};
use crate::upper::{self, Request};

const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";

fn opened(setup: impl FnOnce(&mut Setup)) -> (Gate, Upstream, Peer, Peer) {
    let request = verification("SITE", "PACS")
        .context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE])
        .context(FIND, &[upper::EXPLICIT_LITTLE])
        .user_item(upper::item(0x53, &[0, 0, 0, 0]));
    raw::opened(&request, setup)
}

fn store(id: u16) -> (Command, Object) {
    let object = Object::ct(20_000).named(upper::CT_IMAGE_STORAGE, &format!("2.25.{id}"));
    (Command::c_store_rq(id, &object.sop_class, &object.sop_instance), object)
}

#[test]
fn requests_may_overlap_and_be_answered_in_another_order() {
    let (gate, _upstream, mut requestor, mut acceptor) = opened(|_| ());
    let mut stored = Vec::new();
    for id in 1..=5 {
        let (command, object) = store(id);
        requestor.send_message(3, &command, Some(&object.data_set), 16384);
        let message = acceptor.message();
        assert_eq!((&message.command, message.data_set.as_ref()), (&command, Some(&object.data_set)));
        stored.push(message.command);
    }
    for (command, status) in stored.iter().rev().zip([0, 0xB007, 0xA700, 0, 0]) {
        acceptor.send_message(3, &command.response(status), None, 16384);
        let answer = requestor.message().command;
        assert_eq!(answer, command.response(status));
    }
    raw::release(requestor, acceptor);
    assert_eq!(
        gate.event("association-closed")["operations"]["C-STORE"],
        json!({"success": 3, "warning": 1, "failure": 1, "refused": 0})
    );
    let operations = gate.records().into_iter().filter(|record| record["event"] == "operation");
    let told: Vec<Value> = operations.map(|record| record["message-id"].clone()).collect();
    assert_eq!(told, [5, 4, 3, 2, 1]);
}

#[test]
fn a_message_id_that_waits_for_its_response_is_not_taken_twice() {
    let (gate, _upstream, mut requestor, mut acceptor) = opened(|_| ());
    let (command, object) = store(7);
    requestor.send_message(3, &command, Some(&object.data_set), 16384);
    let first = acceptor.message();
    requestor.send_message(1, &Command::c_echo_rq(7), None, 16384);
    // PS3.7 C.5.3: duplicate invocation.
    assert_eq!(requestor.message().command.number(STATUS), Some(0x0210));
    acceptor.send_message(3, &first.command.response(0), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
    requestor.send_message(1, &Command::c_echo_rq(7), None, 16384);
    let echo = acceptor.message();
    acceptor.send_message(1, &echo.command.response(0), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
    raw::release(requestor, acceptor);
    assert_eq!(gate.event("association-closed")["operations"]["C-ECHO"]["refused"], 1);
    let refused = gate.because("duplicate-invocation");
    assert_eq!((&refused["operation"], &refused["status"]), (&json!("C-ECHO"), &json!("0x0210")));
}

#[test]
fn a_response_to_nothing_or_to_something_else_ends_the_association() {
    for wrong in
        [Command::c_echo_rq(9).response(0), Command::c_echo_rq(1).response(0), store(9).0.response(0)]
    {
        let (gate, _upstream, mut requestor, mut acceptor) = opened(|_| ());
        let (command, object) = store(1);
        requestor.send_message(3, &command, Some(&object.data_set), 16384);
        acceptor.message();
        acceptor.send_message(3, &wrong, None, 16384);
        assert_eq!(requestor.expect(upper::ABORT)[2], 2, "{wrong:?}");
        assert_eq!(acceptor.expect(upper::ABORT)[2], 2, "{wrong:?}");
        let closed = gate.event("association-closed");
        assert_eq!(closed["ended"], "protocol-error");
        assert_eq!(closed["operations"]["C-STORE"]["success"], 0, "a false success");
    }
}

#[test]
fn an_archive_may_answer_before_the_data_set_is_through() {
    let (gate, _upstream, mut requestor, mut acceptor) = opened(|_| ());
    let (command, object) = store(4);
    let data = upper::p_data(3, 0, &object.data_set, 4096);
    let (begin, rest) = data.split_at(data.len() / 2);
    requestor.send(&upper::p_data(3, upper::COMMAND, &command.encode(), 4096));
    requestor.send(begin);
    acceptor.expect(upper::P_DATA);
    acceptor.send_message(3, &command.response(0xA700), None, 4096);
    assert_eq!(requestor.message().command.number(STATUS), Some(0xA700));
    requestor.send(rest);
    let mut ended = false;
    while !ended {
        ended = acceptor.pdu().pdvs().expect("PDVs").iter().any(|pdv| pdv.control == upper::LAST);
    }
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    assert_eq!(
        (&closed["operations"]["C-STORE"]["failure"], &closed["ended"]),
        (&json!(1), &json!("released"))
    );
}

#[test]
fn both_directions_flow_at_once() {
    let (gate, _upstream, mut requestor, mut acceptor) = opened(|_| ());
    let query = crate::object::short(0x0010, 0x0010, "PN", b"*");
    let find = Command::new(C_FIND_RQ).uid(2, FIND).us(0x0110, 1).us(0x0700, 0).us(0x0800, 0);
    requestor.send_message(5, &find, Some(&query), 16384);
    acceptor.message();
    let (command, object) = store(2);
    requestor.send(&upper::p_data(3, upper::COMMAND, &command.encode(), 16384));
    // In the middle of a data set to the upstream, answers come back, and are whole.
    for piece in object.data_set.chunks(2000) {
        requestor.send(&upper::pdu(upper::P_DATA, &upper::pdv(3, 0, piece)));
        let pending = find.response(0xFF00).us(0x0800, 0);
        acceptor.send_message(5, &pending, Some(&query), 16384);
        let answer = requestor.message();
        assert_eq!((answer.command.field(), answer.data_set.as_ref()), (C_FIND_RSP, Some(&query)));
    }
    requestor.send(&upper::pdu(upper::P_DATA, &upper::pdv(3, upper::LAST, &[])));
    let stored = acceptor.message();
    assert!(stored.data_set == Some(object.data_set), "other bytes than were sent");
    // A cancel of the query, before the store is answered.
    requestor.send_message(5, &Command::new(C_CANCEL_RQ).us(0x0120, 1).us(0x0800, 0x0101), None, 16384);
    assert_eq!(acceptor.message().command.field(), C_CANCEL_RQ);
    for response in [stored.command.response(0), find.response(0xFE00)] {
        acceptor.send_message(if response.field() == C_FIND_RSP { 5 } else { 3 }, &response, None, 16384);
        assert_eq!(requestor.message().command, response);
    }
    raw::release(requestor, acceptor);
    gate.event("association-closed");
    let records = gate.records();
    let find = records.iter().find(|record| record["operation"] == "C-FIND").expect("its record");
    // Patients are recorded as keyed hashes here, so the values asked for are not.
    assert_eq!(find["query"], json!({"transfer-syntax": "1.2.840.10008.1.2.1", "keys": ["00100010"]}));
}

#[test]
fn a_cancel_for_nothing_goes_nowhere() {
    let (_gate, _upstream, mut requestor, acceptor) = opened(|_| ());
    requestor.send_message(5, &Command::new(C_CANCEL_RQ).us(0x0120, 3).us(0x0800, 0x0101), None, 16384);
    // The next thing that the upstream sees is the release.
    raw::release(requestor, acceptor);
}

#[test]
fn a_cancel_in_a_context_that_was_not_accepted_is_ignored() {
    let (gate, _upstream, mut requestor, mut acceptor) = opened(|_| ());
    let query = crate::object::short(0x0010, 0x0010, "PN", b"*");
    let find = Command::new(C_FIND_RQ).uid(2, FIND).us(0x0110, 1).us(0x0700, 0).us(0x0800, 0);
    requestor.send_message(5, &find, Some(&query), 16384);
    acceptor.message();
    let cancel = Command::new(C_CANCEL_RQ).us(0x0120, 1).us(0x0800, 0x0101);
    requestor.send_message(77, &cancel, None, 16384);
    // In a context that was accepted it goes on in that of its query.
    requestor.send_message(1, &cancel, None, 16384);
    let seen = acceptor.message();
    assert_eq!((seen.context, seen.command), (5, cancel));
    acceptor.send_message(5, &find.response(0xFE00), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0xFE00));
    // Anything else in such a context is what it was.
    requestor.send_message(77, &Command::c_echo_rq(2), None, 16384);
    assert_eq!(requestor.expect(upper::ABORT)[2..], [2, 6]);
    assert_eq!(gate.event("association-closed")["ended"], "protocol-error");
}

#[test]
fn a_response_in_another_accepted_context_is_matched_by_its_message_id() {
    let (gate, _upstream, mut requestor, mut acceptor) = opened(|_| ());
    let (command, object) = store(1);
    requestor.send_message(3, &command, Some(&object.data_set), 16384);
    acceptor.message();
    acceptor.send_message(1, &command.response(0x0122), None, 16384);
    let answer = requestor.message();
    assert_eq!((answer.context, answer.command), (3, command.response(0x0122)));
    // A data set is written in the transfer syntax of its context, so there it has to be the right one.
    let query = crate::object::short(0x0010, 0x0010, "PN", b"*");
    let find = Command::new(C_FIND_RQ).uid(2, FIND).us(0x0110, 2).us(0x0700, 0).us(0x0800, 0);
    requestor.send_message(5, &find, Some(&query), 16384);
    acceptor.message();
    acceptor.send_message(3, &find.response(0xFF00).us(0x0800, 0), Some(&query), 16384);
    assert_eq!(requestor.expect(upper::ABORT)[2..], [2, 6]);
    let operation = gate.record("the store", |record| record["operation"] == "C-STORE");
    assert_eq!(
        (&operation["status"], &operation["tolerated"]),
        (&json!("0x0122"), &json!(["response-context"]))
    );
}

const REPOSITORY_QUERY: &str = "1.2.840.10008.5.1.4.1.1.201.6";

#[test]
fn a_repository_query_may_go_on_behind_the_warning_that_there_is_more() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let request = Request::new("SITE", "PACS").context(REPOSITORY_QUERY, &[upper::EXPLICIT_LITTLE]);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    let query = crate::object::short(0x0010, 0x0010, "PN", b"*");
    let find =
        |id| Command::new(C_FIND_RQ).uid(2, REPOSITORY_QUERY).us(0x0110, id).us(0x0700, 0).us(0x0800, 0);
    let answered = |requestor: &mut Peer, acceptor: &mut Peer, id: u16, statuses: &[u16]| {
        requestor.send_message(1, &find(id), Some(&query), 16384);
        acceptor.message();
        for status in statuses {
            let is_last = *status == 0;
            let response = find(id).response(*status).us(0x0800, if is_last { 0x0101 } else { 0 });
            acceptor.send_message(1, &response, (!is_last).then_some(&query[..]), 16384);
            let seen = requestor.message();
            assert_eq!((seen.command, seen.data_set), (response, (!is_last).then(|| query.clone())));
        }
    };
    // One archive says another word, as pynetdicom waits for it; the next has said its last, and uses the number again.
    answered(&mut requestor, &mut acceptor, 1, &[0xFF00, 0xB001, 0]);
    answered(&mut requestor, &mut acceptor, 2, &[0xFF00, 0xB001]);
    answered(&mut requestor, &mut acceptor, 2, &[0xB001]);
    answered(&mut requestor, &mut acceptor, 3, &[0xB001]);
    raw::release(requestor, acceptor);
    gate.event("association-closed");
    let operations = gate.records().into_iter().filter(|record| record["event"] == "operation");
    let mut told: Vec<Value> =
        operations.map(|record| json!([record["message-id"], record["status"], record["reason"]])).collect();
    told.sort_by_key(ToString::to_string);
    let warned = |id: u16| json!([id, "0xB001", null]);
    assert_eq!(told, [json!([1, "0x0000", null]), warned(2), warned(2), warned(3)]);
}

#[test]
fn a_requestor_that_closes_its_side_after_the_release_still_gets_the_answer() {
    let (gate, _upstream, mut requestor, mut acceptor) = opened(|_| ());
    requestor.send(&upper::release_rq());
    requestor.stream.socket().shutdown(Shutdown::Write).expect("a connection");
    acceptor.expect(upper::RELEASE_RQ);
    acceptor.send(&upper::release_rp());
    requestor.expect(upper::RELEASE_RP);
    assert_eq!(gate.event("association-closed")["ended"], "released");
}

#[test]
fn a_side_that_closes_without_a_release_is_lost_even_if_it_still_reads() {
    let (gate, _upstream, requestor, mut acceptor) = opened(|_| ());
    requestor.stream.socket().shutdown(Shutdown::Write).expect("a connection");
    assert_eq!(acceptor.expect(upper::ABORT)[2], 2);
    acceptor.expect_close();
    assert_eq!(gate.event("association-closed")["ended"], "lost-requestor");
    let (gate, _upstream, mut requestor, acceptor) = opened(|_| ());
    acceptor.stream.socket().shutdown(Shutdown::Write).expect("a connection");
    assert_eq!(requestor.expect(upper::ABORT)[2], 2);
    requestor.expect_close();
    assert_eq!(gate.event("association-closed")["ended"], "lost-upstream");
}

#[test]
fn a_requestor_that_does_not_read_its_answers_is_not_waited_for() {
    let (gate, _upstream, mut requestor, mut acceptor) =
        opened(|setup| setup.limits = "dimse-timeout = \"1s\"");
    let query = vec![0x20; 100_000];
    let find = Command::new(C_FIND_RQ).uid(2, FIND).us(0x0110, 1).us(0x0700, 0).us(0x0800, 0);
    requestor.send_message(5, &find, Some(&crate::object::short(0x0010, 0x0010, "PN", b"*")), 16384);
    acceptor.message();
    let answer = [
        upper::p_data(5, upper::COMMAND, &find.response(0xFF00).us(0x0800, 0).encode(), 131_072),
        upper::p_data(5, 0, &query, 131_072),
    ]
    .concat();
    acceptor.send_until_closed(&answer);
    assert_eq!(gate.event("association-closed")["ended"], "timeout");
}

#[test]
fn being_slowed_down_is_no_stall() {
    let limits = "dimse-timeout = \"1s\"\nidle-timeout = \"1s\"";
    let (gate, _upstream, mut requestor, mut acceptor) = opened(|setup| {
        setup.limits = limits;
        setup.peers = gate::peer("bytes-per-second = \"64KiB\"\noperations-per-second = 1");
    });
    let object = Object::ct(300_000);
    for id in 1..=3 {
        let command = Command::c_store_rq(id, &object.sop_class, &object.sop_instance);
        let data = (id == 1).then_some(&object);
        let (command, context) = match data {
            Some(_) => (command, 3),
            None => (Command::c_echo_rq(id), 1),
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let message = acceptor.message();
                acceptor.send_message(context, &message.command.response(0), None, 16384);
            });
            requestor.send_message(context, &command, data.map(|object| &object.data_set[..]), 16384);
            assert_eq!(requestor.message().command.number(STATUS), Some(0));
        });
    }
    raw::release(requestor, acceptor);
    assert_eq!(gate.event("association-closed")["ended"], "released");
}

#[test]
fn contexts_of_one_sop_class_with_different_syntaxes_are_kept_apart() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let request = Request::new("SITE", "PACS")
        .context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE])
        .context(upper::CT_IMAGE_STORAGE, &["1.2.840.10008.1.2.4.70"]);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    for context in [3, 1, 3] {
        let (command, object) = store(u16::from(context));
        requestor.send_message(context, &command, Some(&object.data_set), 16384);
        let stored = acceptor.message();
        assert_eq!(stored.context, context);
        // A response on the other context is no answer to this request; on its own it is.
        acceptor.send_message(context, &stored.command.response(0), None, 16384);
        assert_eq!(requestor.message().context, context);
    }
    raw::release(requestor, acceptor);
}

/// Two writes would wake the archive twice for each object.
#[test]
fn a_command_set_that_comes_alone_goes_on_with_the_beginning_of_its_data_set() {
    let (gate, _upstream, mut requestor, mut acceptor) = opened(|_| ());
    let (command, object) = store(1);
    let alone = |command: &Command| upper::p_data(3, upper::COMMAND, &command.encode(), 16384);
    requestor.send(&alone(&command));
    std::thread::park_timeout(std::time::Duration::from_millis(100));
    requestor.send(&upper::p_data(3, 0, &object.data_set, 16384));
    let message = acceptor.message();
    assert_eq!((&message.command, message.data_set.as_ref()), (&command, Some(&object.data_set)));
    acceptor.send_message(3, &command.response(0), None, 16384);
    assert_eq!(requestor.message().command, command.response(0));

    // One whose data set never begins is not heard of.
    let (command, _) = store(2);
    requestor.send(&alone(&command));
    std::thread::park_timeout(std::time::Duration::from_millis(100));
    requestor.send(&upper::abort(0, 0));
    assert_eq!(acceptor.rest(), upper::abort(0, 0));
    let closed = gate.event("association-closed");
    assert_eq!(
        closed["operations"]["C-STORE"],
        json!({"success": 1, "warning": 0, "failure": 1, "refused": 0})
    );
}
