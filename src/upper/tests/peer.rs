//! A peer that writes and reads bytes, and pairs with one.

use std::time::Duration;

use dicom_ul::pdu::{AssociationRQ, Pdu, PresentationContextProposed, UserVariableItem};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::upper::*;
use crate::wire::AeTitle;

pub(super) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(super) const VERIFICATION: &str = "1.2.840.10008.1.1";
pub(super) const IMPLICIT: &str = "1.2.840.10008.1.2";
pub(super) const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub(super) const COMMAND: u8 = 1;
pub(super) const LAST: u8 = 2;

pub(super) struct Peer(pub DuplexStream);

impl Peer {
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The next PDU: its type and its body. `None` is the end of the stream.
    pub(super) async fn pdu(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut header = [0; 6];
        self.0.read_exact(&mut header).await.ok()?;
        let length = u32::from_be_bytes(header[2..].try_into().unwrap());
        let mut body = vec![0; length as usize];
        self.0.read_exact(&mut body).await.unwrap();
        Some((header[0], body))
    }

    /// The body of the A-ABORT or A-ASSOCIATE-RJ that comes next.
    pub(super) async fn told(&mut self) -> (u8, [u8; 4]) {
        let (kind, body) = self.pdu().await.unwrap();
        (kind, body.try_into().unwrap())
    }
}

/// A P-DATA-TF with one PDV.
pub(super) fn p_data(context: u8, control: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    let (pdu, pdv) = ((length + 6).to_be_bytes(), (length + 2).to_be_bytes());
    [&[4, 0][..], &pdu, &pdv, &[context, control], bytes].concat()
}

/// An A-ASSOCIATE-RQ by dicom-ul: contexts 1 (Verification), 3 and 5 (CT).
pub(super) fn request(max_length: u32) -> Vec<u8> {
    let context = |id, abstract_syntax: &str, syntaxes: &[&str]| PresentationContextProposed {
        id,
        abstract_syntax: abstract_syntax.into(),
        transfer_syntaxes: syntaxes.iter().map(ToString::to_string).collect(),
    };
    let request = AssociationRQ {
        protocol_version: 1,
        calling_ae_title: "PEER".into(),
        called_ae_title: "DIMSEGATE".into(),
        application_context_name: "1.2.840.10008.3.1.1.1".into(),
        presentation_contexts: vec![
            context(1, VERIFICATION, &[IMPLICIT]),
            context(3, CT, &[EXPLICIT, IMPLICIT]),
            context(5, CT, &[IMPLICIT]),
        ],
        user_variables: vec![UserVariableItem::MaxLength(max_length)],
    };
    let mut bytes = Vec::new();
    dicom_ul::write_pdu(&mut bytes, &Pdu::AssociationRQ(request)).unwrap();
    bytes
}

/// As [`request`], asked by dimsegate.
pub(super) fn asked() -> Request {
    let title = |title: &str| title.parse::<AeTitle>().unwrap();
    let mut request = Request::new(title("PEER"), title("DIMSEGATE"));
    assert_eq!(request.propose(VERIFICATION, &[IMPLICIT]).unwrap(), 1);
    assert_eq!(request.propose(CT, &[EXPLICIT, IMPLICIT]).unwrap(), 3);
    assert_eq!(request.propose(CT, &[IMPLICIT]).unwrap(), 5);
    request
}

/// Short enough for a test that waits for one to pass.
pub(super) fn impatient() -> Terms {
    let short = Duration::from_millis(50);
    let deadlines = Deadlines { associate: short, answer: short, progress: short, release: short };
    Terms { deadlines, ..Terms::default() }
}

/// All of it is accepted but context 5; a peer of bytes as its requestor.
pub(super) async fn accepted(terms: &Terms) -> (Association<DuplexStream>, Peer) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let mut peer = Peer(theirs);
    peer.send(&request(16_384)).await;
    let association = Acceptor::accept(ours, terms, choose).await.unwrap().unwrap();
    assert_eq!(peer.pdu().await.unwrap().0, 2);
    (association, peer)
}

/// Both ends are dimsegate's, requestor first.
pub(super) async fn both(terms: &Terms) -> [Association<DuplexStream>; 2] {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let request = asked();
    let (requestor, acceptor) =
        tokio::join!(Requestor::open(ours, &request, terms), Acceptor::accept(theirs, terms, choose));
    [requestor.unwrap(), acceptor.unwrap().unwrap()]
}

fn choose(request: &crate::wire::associate::AssociateRq) -> Answer {
    use crate::wire::associate::ContextResult::UserRejection;
    Answer::Accept(Box::new(Acceptance::of(request, |context| match context.id {
        5 => Err(UserRejection),
        _ => Ok(&context.transfer_syntaxes[0]),
    })))
}
