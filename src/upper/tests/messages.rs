use super::peer::*;
use crate::dimse::{self, CommandField, Operation, Status};
use crate::upper::*;

fn store(message_id: u16) -> Vec<u8> {
    dimse::store_request(CT, "2.25.77", message_id)
}

fn data_set(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

#[tokio::test]
async fn an_operation_gets_its_status() {
    let [mut requestor, mut acceptor] = both(&Terms::default()).await;
    let sent = data_set(600_000);
    let serving = async {
        for status in [Status::SUCCESS, Status::OUT_OF_RESOURCES] {
            let message = acceptor.receive().await.unwrap().unwrap();
            let (context, command) = (message.context, message.command);
            if let Some(data_set) = message.data_set {
                assert_eq!(data_set.whole(1 << 20).await.unwrap(), sent);
            }
            acceptor.send(context, &dimse::response(&command, status)).await.unwrap();
        }
        assert!(acceptor.receive().await.unwrap().is_none());
    };
    let asking = async {
        let echo = dimse::echo_request(VERIFICATION, 1);
        assert_eq!(requestor.perform(1, &echo, None).await.unwrap(), Status::SUCCESS);
        assert_eq!(requestor.perform(3, &store(2), Some(&sent)).await.unwrap(), Status::OUT_OF_RESOURCES);
        requestor.release().await.unwrap();
    };
    tokio::join!(serving, asking);
}

#[tokio::test]
async fn a_response_to_something_else_ends_the_association() {
    let [mut requestor, mut acceptor] = both(&Terms::default()).await;
    let serving = async {
        let message = acceptor.receive().await.unwrap().unwrap();
        let context = message.context;
        drop(message);
        let other = crate::dimse::Command::parse(dimse::echo_request(VERIFICATION, 9)).unwrap();
        acceptor.send(context, &dimse::response(&other, Status::SUCCESS)).await.unwrap();
        acceptor.receive().await.unwrap_err().to_string()
    };
    let echo = dimse::echo_request(VERIFICATION, 1);
    let (heard, got) = tokio::join!(serving, requestor.perform(1, &echo, None));
    assert_eq!(
        heard,
        "while waiting for a message: the peer aborted with A-ABORT 2/6: service-provider, invalid-PDU-parameter-value"
    );
    let got = got.unwrap_err().to_string();
    assert!(got.contains("expected the C-ECHO-RSP to message 1, got Response"), "{got}");
    assert!(matches!(requestor.receive().await, Err(Error::Over)));
}

#[tokio::test]
async fn a_data_set_comes_in_pieces_and_may_be_left() {
    let (mut association, mut peer) = accepted(&Terms::default()).await;
    let (command, sent) = (store(7), data_set(9000));
    for last_of_command in [true, false] {
        // The second message has its command set in two fragments.
        let (head, tail) = command.split_at(if last_of_command { command.len() } else { 11 });
        peer.send(&p_data(3, COMMAND | if last_of_command { LAST } else { 0 }, head)).await;
        if !last_of_command {
            peer.send(&p_data(3, COMMAND | LAST, tail)).await;
        }
        peer.send(&[p_data(3, 0, &sent[..8000]), p_data(3, LAST, &sent[8000..])].concat()).await;
    }
    let message = association.receive().await.unwrap().unwrap();
    assert_eq!(message.context, 3);
    let first = message.data_set.unwrap().piece().await.unwrap().unwrap().to_vec();
    assert_eq!(first, sent[..first.len()]);
    let message = association.receive().await.unwrap().unwrap();
    let expected = CommandField::Request { operation: Operation::CStore, message_id: 7 };
    assert_eq!((message.command.field, message.command.bytes()), (expected, &command[..]));
    assert_eq!(message.data_set.unwrap().whole(9000).await.unwrap(), sent);
}

#[tokio::test]
async fn a_data_set_that_is_too_long_is_passed_over() {
    let (mut association, mut peer) = accepted(&Terms::default()).await;
    let sent = data_set(5000);
    for _ in 0..2 {
        peer.send(&[p_data(3, COMMAND | LAST, &store(7)), p_data(3, LAST, &sent)].concat()).await;
    }
    let message = association.receive().await.unwrap().unwrap();
    let error = message.data_set.unwrap().whole(4999).await.unwrap_err();
    assert_eq!(error.to_string(), "a data set of more than 4999 bytes");
    let message = association.receive().await.unwrap().unwrap();
    assert_eq!(message.data_set.unwrap().whole(5000).await.unwrap(), sent);
}

#[tokio::test]
async fn an_empty_data_set_has_no_piece() {
    let (mut association, mut peer) = accepted(&Terms::default()).await;
    peer.send(&[p_data(3, COMMAND | LAST, &store(7)), p_data(3, 0, &[]), p_data(3, LAST, &[])].concat())
        .await;
    let message = association.receive().await.unwrap().unwrap();
    let mut data_set = message.data_set.unwrap();
    assert_eq!(data_set.piece().await.unwrap(), None);
    assert_eq!(data_set.piece().await.unwrap(), None);
}

/// Fragments within the maximum that the peer gave, and the last one with the last bytes.
#[tokio::test]
async fn what_is_sent_fits_the_peer() {
    let (mut association, mut peer) = accepted(&Terms::default()).await;
    let sent = data_set(100_001);
    let mut sending = association.begin(3, &store(7)).unwrap();
    for piece in sent.chunks(30_011) {
        sending.piece(piece).await.unwrap();
    }
    sending.end().await.unwrap();
    association.send(1, &dimse::echo_request(VERIFICATION, 8)).await.unwrap();
    let (kind, command) = peer.pdu().await.unwrap();
    assert_eq!((kind, &command[4..6], &command[6..]), (4, &[3, COMMAND | LAST][..], &store(7)[..]));
    let mut came = Vec::new();
    loop {
        let (kind, body) = peer.pdu().await.unwrap();
        assert!(kind == 4 && body.len() <= 16_384 && body[4] == 3 && body[5] & COMMAND == 0);
        came.extend_from_slice(&body[6..]);
        if body[5] & LAST != 0 {
            break;
        }
    }
    assert_eq!(came, sent);
    assert_eq!(peer.pdu().await.unwrap().1[4..6], [1, COMMAND | LAST]);
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_and_harms_nothing() {
    let (mut association, mut peer) = accepted(&Terms::default()).await;
    for (context, command, told) in [
        (5, dimse::echo_request(VERIFICATION, 1), "presentation context 5 was not accepted"),
        (7, dimse::echo_request(VERIFICATION, 1), "presentation context 7 was not accepted"),
        (3, store(1), "(0000,0800) of the command set says a data set"),
        (3, vec![0; 3], "command set: 3 stray bytes at its end"),
    ] {
        let error = association.send(context, &command).await.unwrap_err().to_string();
        assert_eq!(error, format!("cannot be sent: {told}"));
    }
    let error = association.begin(1, &dimse::echo_request(VERIFICATION, 1)).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "cannot be sent: (0000,0800) of the command set says no data set");
    association.send(1, &dimse::echo_request(VERIFICATION, 2)).await.unwrap();
    assert_eq!(peer.pdu().await.unwrap().1[6..], dimse::echo_request(VERIFICATION, 2));
}

/// Whoever waits for a message and for something else loses none of its bytes.
#[tokio::test]
async fn a_wait_that_is_given_up_loses_nothing() {
    let (mut association, mut peer) = accepted(&Terms::default()).await;
    let bytes = p_data(1, COMMAND | LAST, &dimse::echo_request(VERIFICATION, 3));
    for byte in &bytes[..bytes.len() - 1] {
        peer.send(&[*byte]).await;
        tokio::select! {
            biased;
            _ = association.receive() => panic!("half a message"),
            () = tokio::task::yield_now() => {}
        }
    }
    peer.send(&bytes[bytes.len() - 1..]).await;
    let message = association.receive().await.unwrap().unwrap();
    assert_eq!(message.command.bytes(), dimse::echo_request(VERIFICATION, 3));
}
