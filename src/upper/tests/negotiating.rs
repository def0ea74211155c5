use super::peer::*;
use crate::upper::*;
use crate::wire::associate::{AnsweredContext, AssociateAc, AssociateRq, ContextResult, UserInformation};
use crate::wire::pdu::Rejection;

#[tokio::test]
async fn both_ends_know_what_was_agreed() {
    let [requestor, acceptor] = both(&Terms::default()).await;
    for association in [&requestor, &acceptor] {
        let contexts = association.contexts();
        let agreed: Vec<_> = contexts
            .iter()
            .map(|context| {
                (context.id, context.agreed.as_ref().map(ToString::to_string).map_err(|refused| *refused))
            })
            .collect();
        let refused = Err(ContextResult::UserRejection);
        assert_eq!(agreed, [(1, Ok(IMPLICIT.to_owned())), (3, Ok(EXPLICIT.to_owned())), (5, refused)]);
        assert_eq!(contexts.transfer_syntax(3).unwrap().as_str(), EXPLICIT);
        assert_eq!((contexts.transfer_syntax(5), contexts.transfer_syntax(7)), (None, None));
        // Of two contexts that could do, the accepted one.
        assert_eq!(contexts.accepted(CT, IMPLICIT).map(|(id, _)| id).unwrap(), 3);
        assert_eq!(
            contexts.accepted("1.2.3", IMPLICIT).unwrap_err().to_string(),
            "the peer did not accept 1.2.3: 2, no-reason"
        );
        assert_eq!(association.peer().maximum_length, Some(131_072));
        assert_eq!(association.peer().implementation_version_name.as_deref(), Some(&b"DIMSEGATE"[..]));
    }
}

#[test]
fn what_cannot_be_proposed_is_told() {
    let mut request = asked();
    for (abstract_syntax, syntaxes, told) in [
        ("CT", &[IMPLICIT][..], "a presentation context of what is no UID: \"CT\" is not a UID"),
        (CT, &["implicit"], "a presentation context of what is no UID: \"implicit\" is not a UID"),
        (CT, &[], "presentation context of 1.2.840.10008.5.1.4.1.1.2 without a transfer syntax"),
    ] {
        let refused = request.propose(abstract_syntax, syntaxes).unwrap_err().to_string();
        assert!(refused.starts_with(told), "{refused}");
    }
    for id in (7..=255).step_by(2) {
        assert_eq!(request.propose(CT, &[IMPLICIT]), Ok(id));
    }
    assert_eq!(request.propose(CT, &[IMPLICIT]), Err(Unproposable::TooMany));
}

/// What a requestor makes of an answer, and what it says to it.
async fn answered(bytes: Vec<u8>) -> (String, Option<(u8, Vec<u8>)>) {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let mut peer = Peer(theirs);
    let (request, terms) = (asked(), Terms::default());
    let peering = async {
        assert_eq!(peer.pdu().await.unwrap().0, 1);
        peer.send(&bytes).await;
        let said = peer.pdu().await;
        drop(peer);
        said
    };
    let (opened, said) = tokio::join!(Requestor::open(ours, &request, &terms), peering);
    (opened.unwrap_err().to_string(), said)
}

#[tokio::test]
async fn a_refusal_is_told_in_the_standards_words_and_not_answered() {
    let rejection = Rejection { result: 1, source: 1, reason: 7 };
    let (told, said) = answered(rejection.to_pdu().to_vec()).await;
    assert_eq!(told, "A-ASSOCIATE-RJ 1/1/7: rejected-permanent, called-AE-title-not-recognized");
    assert_eq!(said, None);
    let (told, said) = answered(vec![7, 0, 0, 0, 0, 4, 0, 0, 2, 1]).await;
    assert_eq!(
        told,
        "while asking for the association: the peer aborted with A-ABORT 2/1: service-provider, unrecognized-PDU"
    );
    assert_eq!(said, None);
}

#[tokio::test]
async fn an_answer_that_contradicts_the_request_is_aborted() {
    let asked = asked().to_rq(16_384).unwrap();
    let accept = |id, syntax: &str| AnsweredContext {
        id,
        result: ContextResult::Acceptance,
        transfer_syntax: Some(syntax.parse().unwrap()),
    };
    let answer = |contexts, maximum_length| AssociateAc {
        protocol_version: 1,
        called: asked.called,
        calling: asked.calling,
        reserved: [0; 32],
        application_context: asked.application_context.clone(),
        contexts,
        user: UserInformation { maximum_length: Some(maximum_length), ..UserInformation::default() },
    };
    for (answer, expected) in [
        (answer(vec![accept(7, IMPLICIT)], 0), "context 7 is answered, which was not proposed"),
        (
            answer(vec![accept(1, EXPLICIT)], 0),
            "context 1 is accepted in 1.2.840.10008.1.2.1, which was not proposed for it",
        ),
        (answer(vec![accept(1, IMPLICIT)], 100), "it takes 100 bytes at once, too few for a message"),
    ] {
        let (told, said) = answered(answer.encode().unwrap()).await;
        assert_eq!(
            told,
            format!("while asking for the association: the peer broke the protocol: {expected}")
        );
        assert_eq!(said, Some((7, vec![0, 0, 2, 6])));
    }
    let (told, said) = answered(request(0)).await;
    assert!(told.ends_with("an A-ASSOCIATE-RQ where its answer is expected"), "{told}");
    assert_eq!(said, Some((7, vec![0, 0, 2, 2])));
}

/// What an acceptor makes of a request that it never asks about, and what it says to it.
async fn refused(change: impl FnOnce(&mut AssociateRq)) -> [u8; 4] {
    let mut request = asked().to_rq(16_384).unwrap();
    change(&mut request);
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let mut peer = Peer(theirs);
    let terms = Terms::default();
    let peering = async {
        peer.send(&request.encode().unwrap()).await;
        let (kind, told) = peer.told().await;
        assert_eq!(kind, 3);
        drop(peer);
        told
    };
    let judge = |_: &AssociateRq| panic!("it was judged");
    let (accepted, told) = tokio::join!(Acceptor::accept(ours, &terms, judge), peering);
    assert!(accepted.unwrap().is_none());
    told
}

#[tokio::test]
async fn what_no_acceptor_may_take_is_refused_unasked() {
    assert_eq!(refused(|request| request.protocol_version = 2).await, [0, 1, 2, 2]);
    let other = |request: &mut AssociateRq| request.application_context = "1.2.3".parse().unwrap();
    assert_eq!(refused(other).await, [0, 1, 1, 2]);
    assert_eq!(refused(|request| request.user.maximum_length = Some(127)).await, [0, 1, 1, 1]);
}

#[tokio::test]
async fn a_judge_refuses_with_a_reason_of_its_own() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let mut peer = Peer(theirs);
    let terms = Terms::default();
    let reject = |request: &AssociateRq| {
        assert_eq!(
            (request.calling.to_string(), request.called.to_string()),
            ("PEER".into(), "DIMSEGATE".into())
        );
        Answer::Reject(Rejection { result: 2, source: 3, reason: 1 })
    };
    let peering = async {
        peer.send(&request(0)).await;
        let told = peer.told().await;
        drop(peer);
        told
    };
    let (accepted, told) = tokio::join!(Acceptor::accept(ours, &terms, reject), peering);
    assert!(accepted.unwrap().is_none());
    assert_eq!(told, (3, [0, 2, 3, 1]));
}
