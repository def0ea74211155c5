//! dicom-ul at the other end.

use std::net::TcpListener;
use std::thread;

use dicom_ul::association::client::ClientAssociationOptions;
use dicom_ul::association::server::{AcceptAny, ServerAssociationOptions};
use dicom_ul::pdu::{PDataValue, PDataValueType, Pdu};
use tokio::net::TcpStream;

use super::peer::*;
use crate::dimse::{self, Command, Status};
use crate::upper::*;

/// Answers C-ECHO and C-STORE with success; gives the data sets that came. It is strict: one byte more in a PDU than it said
/// would end the association.
fn acceptor(listener: &TcpListener, max_pdu_length: u32) -> Vec<Vec<u8>> {
    let options = ServerAssociationOptions::new()
        .ae_access_control(AcceptAny)
        .promiscuous(true)
        .strict(true)
        .max_pdu_length(max_pdu_length);
    let mut association = options.establish(listener.accept().unwrap().0).unwrap();
    let (mut data_sets, mut asked, mut came) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match association.receive().unwrap() {
            Pdu::PData { data } => {
                for value in data {
                    let command = value.value_type == PDataValueType::Command;
                    if command { &mut asked } else { &mut came }.extend_from_slice(&value.data);
                    let id = value.presentation_context_id;
                    if value.is_last && (!command || id == 1) {
                        let request = Command::parse(std::mem::take(&mut asked)).unwrap();
                        data_sets.extend((!command).then(|| std::mem::take(&mut came)));
                        association.send(&message(id, dimse::response(&request, Status::SUCCESS))).unwrap();
                    }
                }
            }
            Pdu::ReleaseRQ => {
                association.send(&Pdu::ReleaseRP).unwrap();
                return data_sets;
            }
            other => panic!("{other:?}"),
        }
    }
}

fn message(presentation_context_id: u8, data: Vec<u8>) -> Pdu {
    let value_type = PDataValueType::Command;
    Pdu::PData { data: vec![PDataValue { presentation_context_id, value_type, is_last: true, data }] }
}

#[tokio::test]
async fn our_requestor_is_understood() {
    for max_pdu_length in [1_018, 131_072] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = thread::spawn(move || acceptor(&listener, max_pdu_length));
        let stream = TcpStream::connect(address).await.unwrap();
        let mut association = Requestor::open(stream, &asked(), &Terms::default()).await.unwrap();
        let echo = dimse::echo_request(VERIFICATION, 1);
        assert_eq!(association.perform(1, &echo, None).await.unwrap(), Status::SUCCESS);
        let sent: Vec<Vec<u8>> = [10, 300_000].map(|length| (0..length).map(|at| at as u8).collect()).into();
        for (message_id, data_set) in (2..).zip(&sent) {
            let store = dimse::store_request(CT, "2.25.7", message_id);
            let stored = association.perform(3, &store, Some(data_set)).await.unwrap();
            assert_eq!(stored, Status::SUCCESS);
        }
        association.release().await.unwrap();
        assert_eq!(accepting.join().unwrap(), sent);
    }
}

#[tokio::test]
async fn our_acceptor_is_understood() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requesting = thread::spawn(move || {
        let options = ClientAssociationOptions::new()
            .with_presentation_context(VERIFICATION, vec![IMPLICIT])
            .with_presentation_context(CT, vec![EXPLICIT]);
        let mut association = options.establish(address).unwrap();
        let agreed: Vec<u8> = association.presentation_contexts().iter().map(|context| context.id).collect();
        association.send(&message(1, dimse::echo_request(VERIFICATION, 5))).unwrap();
        let answer = association.receive().unwrap();
        association.release().unwrap();
        (agreed, answer)
    });
    let (stream, _) = listener.accept().await.unwrap();
    let accepted = Acceptor::accept(stream, &Terms::default(), Answer::accept_all).await;
    let mut association = accepted.unwrap().unwrap();
    let message = association.receive().await.unwrap().unwrap();
    let (context, command) = (message.context, message.command);
    let response = dimse::response(&command, Status::SUCCESS);
    association.send(context, &response).await.unwrap();
    assert!(association.receive().await.unwrap().is_none());
    let (agreed, answer) = requesting.join().unwrap();
    let Pdu::PData { data } = answer else { panic!("{answer:?}") };
    assert_eq!((agreed, &data[0].data), (vec![1, 3], &response));
}
