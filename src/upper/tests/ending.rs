use super::peer::*;
use crate::dimse;
use crate::upper::*;
use crate::wire::pdu::{Abort, RELEASE_RP, RELEASE_RQ};
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn a_release_is_answered_and_told() {
    let (mut association, mut peer) = accepted(&Terms::default()).await;
    let peering = async {
        peer.send(&RELEASE_RQ).await;
        let answer = peer.pdu().await;
        peer.0.shutdown().await.unwrap();
        answer
    };
    let (received, answer) = tokio::join!(association.receive(), peering);
    assert!(received.unwrap().is_none());
    assert_eq!(answer, Some((6, vec![0; 4])));
    assert!(matches!(association.receive().await, Err(Error::Over)));
    assert!(matches!(association.send(1, &[]).await, Err(Error::Over)));
}

#[tokio::test]
async fn what_was_on_its_way_is_passed_over_by_a_release() {
    let (association, mut peer) = accepted(&Terms::default()).await;
    let peering = async {
        assert_eq!(peer.pdu().await, Some((5, vec![0; 4])));
        let echo = dimse::echo_request(VERIFICATION, 3);
        peer.send(&[&p_data(1, COMMAND | LAST, &echo)[..], &RELEASE_RP].concat()).await;
        peer.pdu().await
    };
    let (released, rest) = tokio::join!(association.release(), peering);
    released.unwrap();
    assert_eq!(rest, None);
}

/// PS3.8 §9.2.3: the requestor answers at once, the acceptor once it has its own answer.
#[tokio::test]
async fn two_releases_at_once_end_in_order() {
    let [requestor, acceptor] = both(&Terms::default()).await;
    let (first, second) = tokio::join!(requestor.release(), acceptor.release());
    first.unwrap();
    second.unwrap();
    let (association, mut peer) = accepted(&Terms::default()).await;
    let peering = async {
        peer.send(&RELEASE_RQ).await;
        assert_eq!(peer.pdu().await, Some((5, vec![0; 4])));
        peer.send(&RELEASE_RP).await;
        peer.pdu().await
    };
    let (released, answer) = tokio::join!(association.release(), peering);
    released.unwrap();
    assert_eq!(answer, Some((6, vec![0; 4])));
}

#[tokio::test]
async fn a_release_that_is_not_answered_is_an_abort() {
    let (association, mut peer) = accepted(&impatient()).await;
    let peering = async {
        assert_eq!(peer.pdu().await, Some((5, vec![0; 4])));
        let abort = peer.pdu().await;
        drop(peer);
        abort
    };
    let (released, abort) = tokio::join!(association.release(), peering);
    assert_eq!(released.unwrap_err().to_string(), "while releasing the association: no byte moved in 50ms");
    assert_eq!(abort, Some((7, vec![0, 0, 2, 0])));
}

/// Never a last fragment for a data set that was given up.
#[tokio::test]
async fn a_data_set_that_is_given_up_can_only_be_aborted() {
    let (mut association, mut peer) = accepted(&Terms::default()).await;
    let mut sending = association.begin(3, &dimse::store_request(CT, "2.25.7", 1)).unwrap();
    sending.piece(&[7; 100]).await.unwrap();
    drop(sending);
    let told = "cannot be sent: a data set has begun and not ended";
    let echo = dimse::echo_request(VERIFICATION, 2);
    assert_eq!(association.send(1, &echo).await.unwrap_err().to_string(), told);
    let peering = async {
        assert_eq!(peer.pdu().await.unwrap().1[5], COMMAND | LAST);
        let (_, fragment) = peer.pdu().await.unwrap();
        assert_eq!((fragment[5] & LAST, fragment.len() < 106), (0, true));
        let abort = peer.pdu().await;
        drop(peer);
        abort
    };
    let (released, abort) = tokio::join!(association.release(), peering);
    assert_eq!(released.unwrap_err().to_string(), told);
    assert_eq!(abort, Some((7, vec![0; 4])));
}

#[tokio::test]
async fn an_abort_is_said_and_heard() {
    let [requestor, mut acceptor] = both(&Terms::default()).await;
    let (heard, ()) = tokio::join!(acceptor.receive(), requestor.abort(Abort::USER));
    let heard = heard.map(|_| ()).unwrap_err().to_string();
    assert_eq!(heard, "while waiting for a message: the peer aborted with A-ABORT 0/0: service-user");
}

#[tokio::test]
async fn an_abort_inside_a_data_set_is_no_end_of_it() {
    let (mut association, mut peer) = accepted(&Terms::default()).await;
    let store = dimse::store_request(CT, "2.25.7", 1);
    peer.send(&[&p_data(3, COMMAND | LAST, &store)[..], &p_data(3, 0, &[7; 100])].concat()).await;
    peer.send(&Abort::USER.to_pdu()).await;
    let message = association.receive().await.unwrap().unwrap();
    let error = message.data_set.unwrap().whole(1000).await.unwrap_err().to_string();
    assert_eq!(error, "while reading a message: the peer aborted with A-ABORT 0/0: service-user");
}

#[tokio::test]
async fn a_peer_that_goes_without_a_word_is_told_of() {
    let (mut association, peer) = accepted(&Terms::default()).await;
    drop(peer);
    let error = association.receive().await.map(|_| ()).unwrap_err().to_string();
    assert_eq!(error, "while waiting for a message: the peer closed the connection");
    let (mut association, mut peer) = accepted(&Terms::default()).await;
    peer.send(&p_data(3, COMMAND | LAST, &dimse::store_request(CT, "2.25.7", 1))).await;
    drop(peer);
    let message = association.receive().await.unwrap().unwrap();
    let error = message.data_set.unwrap().whole(1000).await.unwrap_err().to_string();
    assert_eq!(error, "while reading a message: the peer closed the connection");
}
