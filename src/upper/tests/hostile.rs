//! What a peer may try. Each time: what is told of it, what the peer is told, and no memory for what it only announces.

use std::time::Duration;

use super::peer::*;
use crate::dimse::{self, Command, Status};
use crate::upper::*;
use crate::wire::pdu::{RELEASE_RP, RELEASE_RQ};

/// What an acceptor makes of first bytes, and what it says to them.
async fn first(bytes: &[u8], terms: Terms) -> (String, Option<(u8, Vec<u8>)>) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let mut peer = Peer(theirs);
    let peering = async {
        peer.send(bytes).await;
        let said = peer.pdu().await;
        drop(peer);
        said
    };
    let (accepted, said) = tokio::join!(Acceptor::accept(ours, &terms, Answer::accept_all), peering);
    (accepted.map(|_| ()).unwrap_err().to_string(), said)
}

#[tokio::test]
async fn first_bytes_that_are_no_request_are_aborted() {
    let long = &[1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1][..];
    let broken = &[1, 0, 0, 0, 0, 4, 0, 1, 0, 0][..];
    for (bytes, told, reason) in [
        (&b"GET / HTTP/1.1\r\n"[..], "PDU type 47H is none of 01H to 07H", 1),
        (long, "A-ASSOCIATE-RQ of 4294967295 bytes; at most 1048576 are read", 6),
        (broken, "A-ASSOCIATE-RQ: 16 bytes are declared and 0 are there", 6),
        (&[4, 0, 0, 0, 0, 6], "P-DATA-TF before an association is established", 2),
        (&RELEASE_RQ, "A-RELEASE-RQ before an association is established", 2),
        (&[3, 0, 0, 0, 0, 4, 0, 1, 1, 1], "an answer where an A-ASSOCIATE-RQ is expected", 2),
        (&[3, 0, 0, 0, 0, 9], "A-ASSOCIATE-RJ declares 9 bytes where 4 are the rule", 6),
    ] {
        let (error, said) = first(bytes, Terms::default()).await;
        let expected =
            format!("while answering the association request: the peer broke the protocol: {told}");
        assert_eq!(error, expected);
        assert_eq!(said, Some((7, vec![0, 0, 2, reason])), "{told}");
    }
}

#[tokio::test]
async fn silence_before_a_request_is_aborted() {
    for bytes in [&[][..], &[1, 0, 0], &request(0)[..100]] {
        let (error, said) = first(bytes, impatient()).await;
        assert_eq!(error, "while answering the association request: no byte moved in 50ms");
        assert_eq!(said, Some((7, vec![0, 0, 2, 0])));
    }
}

#[tokio::test]
async fn a_requestor_that_is_not_answered_says_so() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let mut peer = Peer(theirs);
    let (request, terms) = (asked(), impatient());
    let peering = async {
        assert_eq!(peer.pdu().await.unwrap().0, 1);
        // Half of an answer.
        peer.send(&[2, 0, 0, 0, 0, 200, 0, 1]).await;
        let said = peer.pdu().await;
        drop(peer);
        said
    };
    let (opened, said) = tokio::join!(Requestor::open(ours, &request, &terms), peering);
    assert_eq!(opened.unwrap_err().to_string(), "while asking for the association: no byte moved in 50ms");
    assert_eq!(said, Some((7, vec![0, 0, 2, 0])));
}

/// What becomes of an association whose peer sends these bytes; messages and data sets before that are taken.
async fn then(bytes: &[u8], terms: Terms) -> (String, Option<(u8, Vec<u8>)>) {
    let (mut association, mut peer) = accepted(&terms).await;
    let peering = async {
        peer.send(bytes).await;
        let said = peer.pdu().await;
        drop(peer);
        said
    };
    let receiving = async {
        loop {
            match association.receive().await {
                Ok(Some(message)) => {
                    let Some(data_set) = message.data_set else { continue };
                    if let Err(error) = data_set.whole(1 << 20).await {
                        return error.to_string();
                    }
                }
                Ok(None) => return "released".to_owned(),
                Err(error) => return error.to_string(),
            }
        }
    };
    tokio::join!(receiving, peering)
}

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "a table")]
async fn bytes_that_break_the_rules_of_messages_are_aborted() {
    let echo = dimse::echo_request(VERIFICATION, 1);
    let store = dimse::store_request(CT, "2.25.7", 1);
    let command = p_data(3, COMMAND | LAST, &store);
    let empty = p_data(1, COMMAND, &[]).repeat(1025);
    let twice = [&echo[..], &echo[12..]].concat();
    for (bytes, told, reason) in [
        (p_data(5, COMMAND | LAST, &echo), "a command fragment in context 5, which was not accepted", 6),
        (p_data(9, LAST, &[1, 2]), "a data set fragment in context 9, which was not accepted", 6),
        (p_data(3, LAST, &[1, 2]), "a data set fragment in context 3, where a command set is expected", 6),
        (
            [p_data(1, COMMAND | LAST, &echo), p_data(1, LAST, &[1, 2])].concat(),
            "a data set fragment in context 1, where a command set is expected",
            6,
        ),
        (
            [&command[..], &p_data(1, COMMAND | LAST, &echo)].concat(),
            "a command fragment in context 1, where the data set of a command in context 3 is expected",
            6,
        ),
        (
            [&command[..], &p_data(1, LAST, &[1, 2])].concat(),
            "a data set fragment in context 1, where the data set of a command in context 3 is expected",
            6,
        ),
        (
            [p_data(3, COMMAND, &store[..9]), p_data(1, COMMAND | LAST, &store[9..])].concat(),
            "a command fragment in context 1, where the rest of a command set in context 3 is expected",
            6,
        ),
        (p_data(1, COMMAND, &[0; 40_000]).repeat(2), "a command set of more than 65536 bytes", 6),
        (empty, "more than 1024 fragments in a row without a byte", 6),
        (p_data(1, COMMAND | LAST, &echo[..30]), "command set: (0000,0002) has 18 bytes, 10 are there", 6),
        (p_data(1, COMMAND | LAST, &twice), "command set: (0000,0002) comes twice", 6),
        ([&command[..], &RELEASE_RQ].concat(), "an A-RELEASE-RQ inside a message", 2),
        (RELEASE_RP.to_vec(), "an A-RELEASE-RP that nothing asked for", 2),
        ([&command[..], &RELEASE_RP].concat(), "an A-RELEASE-RP inside a message", 2),
        ([&p_data(3, COMMAND, &store[..9])[..], &RELEASE_RP].concat(), "an A-RELEASE-RP inside a message", 2),
        (request(0), "A-ASSOCIATE-RQ on an established association", 2),
        (vec![4, 0, 0, 2, 4, 1], "P-DATA-TF of 132097 bytes where at most 131072 were offered", 6),
        (vec![4, 0, 0, 0, 0, 5], "P-DATA-TF of 5 bytes holds no PDV (at least 6)", 6),
        (
            vec![4, 0, 0, 0, 0, 8, 0, 0, 0, 9, 1, 3],
            "PDV of 9 bytes in a P-DATA-TF that has 4 left (at least 2)",
            6,
        ),
        (b"garbage".to_vec(), "PDU type 67H is none of 01H to 07H", 1),
    ] {
        let (error, said) = then(&bytes, Terms::default()).await;
        assert_eq!(error, format!("while reading a message: the peer broke the protocol: {told}"));
        assert_eq!(said, Some((7, vec![0, 0, 2, reason])), "{told}");
    }
}

/// It counts with its last byte, and not with its status.
#[tokio::test]
async fn a_response_whose_data_set_does_not_end_is_none() {
    let (mut association, mut peer) = accepted(&impatient()).await;
    let echo = dimse::echo_request(VERIFICATION, 1);
    let mut response = dimse::refusal(&Command::parse(echo.clone()).unwrap(), Status(0), "");
    let none = [0, 0, 0, 8, 2, 0, 0, 0, 1, 1];
    let at = response.windows(10).position(|part| part == none).unwrap();
    response[at + 8..at + 10].fill(0);
    peer.send(&[p_data(1, COMMAND | LAST, &response), p_data(1, 0, &[7; 10])].concat()).await;
    let error = association.perform(1, &echo, None).await.unwrap_err();
    assert_eq!(error.to_string(), "while reading a message: no byte moved in 50ms");
}

#[tokio::test]
async fn silence_is_aborted_wherever_it_falls() {
    let store = p_data(3, COMMAND | LAST, &dimse::store_request(CT, "2.25.7", 1));
    let reading = "while reading a message: no byte moved in 50ms";
    for (bytes, told) in [
        (&[][..], "while waiting for a message: no byte moved in 50ms"),
        (&store[..3], reading),
        (&store[..40], reading),
        (&store[..], reading),
    ] {
        let (error, said) = then(bytes, impatient()).await;
        assert_eq!((error.as_str(), said), (told, Some((7, vec![0, 0, 2, 0]))));
    }
}

/// A byte now and then is not enough.
#[tokio::test]
async fn a_message_that_hardly_moves_is_aborted() {
    let terms = Terms { min_bytes_per_second: 1 << 20, ..impatient() };
    let (mut association, mut peer) = accepted(&terms).await;
    peer.send(&p_data(3, COMMAND | LAST, &dimse::store_request(CT, "2.25.7", 1))).await;
    let dripping = async {
        let mut told = None;
        while told.is_none() {
            peer.send(&p_data(3, 0, &[7])).await;
            tokio::select! {
                pdu = peer.pdu() => told = pdu,
                () = tokio::time::sleep(Duration::from_millis(1)) => {}
            }
        }
        drop(peer);
        told
    };
    let message = association.receive().await.unwrap().unwrap();
    let (whole, told) = tokio::join!(message.data_set.unwrap().whole(1 << 20), dripping);
    let error = whole.unwrap_err();
    assert!(matches!(error, Error::Slow { doing: Doing::Receiving, least: 52_428, .. }), "{error}");
    assert_eq!(told, Some((7, vec![0, 0, 2, 0])));
}

/// Its buffers are full, and it reads no more.
#[tokio::test]
async fn a_peer_that_reads_nothing_holds_nobody() {
    let (ours, theirs) = tokio::io::duplex(4096);
    let mut peer = Peer(theirs);
    peer.send(&request(0)).await;
    let mut association = Acceptor::accept(ours, &impatient(), Answer::accept_all).await.unwrap().unwrap();
    let store = dimse::store_request(CT, "2.25.7", 1);
    let sent = tokio::join!(association.send_with(3, &store, &[7; 100_000]), peer.pdu()).0;
    assert_eq!(sent.unwrap_err().to_string(), "while sending a message: no byte moved in 50ms");
    assert!(matches!(association.send(1, &[]).await, Err(Error::Over)));
}
