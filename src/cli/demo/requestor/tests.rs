use std::collections::BTreeMap;
use std::path::Path;

use dicom_object::DefaultDicomObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{RequestorError, StoreOutcome, secure, send_study};
use crate::cli::demo::archive::Archive;
use crate::cli::demo::site::{MODALITY_NAME, Site};
use crate::cli::demo::{certificates, phantom};
use crate::scratch::Scratch;
use crate::tls::{ClientAuthentication, Profile, ServerSettings};
use crate::upper::Error;

fn data_sets(objects: &[DefaultDicomObject]) -> BTreeMap<String, Vec<u8>> {
    let data_set = |object: &DefaultDicomObject| {
        let mut bytes = Vec::new();
        object.write_dataset(&mut bytes).unwrap();
        (object.meta().media_storage_sop_instance_uid().trim_end_matches('\0').to_owned(), bytes)
    };
    objects.iter().map(data_set).collect()
}

async fn round_trip(max_pdu_length: u32) {
    let folder = Scratch::new();
    let archive =
        Archive::start_with_max_pdu_length(folder.path().join("archive"), max_pdu_length).await.unwrap();
    let study = phantom::study().unwrap();
    let stream = TcpStream::connect(archive.address()).await.unwrap();
    let outcomes = send_study(stream, "CT_DEMO", "ARCHIVE", &study).await.unwrap();
    assert_eq!(outcomes.len(), study.len());
    assert!(outcomes.iter().all(super::StoreOutcome::stored), "{outcomes:?}");
    let kept: Vec<_> =
        archive.files().unwrap().iter().map(|path| dicom_object::open_file(path).unwrap()).collect();
    assert_eq!(data_sets(&kept), data_sets(&study));
}

#[tokio::test]
async fn a_study_arrives_as_it_was_sent() {
    round_trip(131_072).await;
}

#[tokio::test]
async fn a_study_arrives_in_small_fragments() {
    round_trip(1_018).await;
}

#[tokio::test]
async fn an_archive_that_is_dropped_closes_its_port_and_associations() {
    let folder = Scratch::new();
    let archive = Archive::start(folder.path().to_owned()).await.unwrap();
    let address = archive.address();
    let mut open = TcpStream::connect(address).await.unwrap();
    drop(archive);
    assert!(matches!(open.read(&mut [0; 1]).await, Ok(0) | Err(_)));
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

/// What `send_study` says to a peer that answers the A-ASSOCIATE-RQ with `answer` and closes.
async fn answered_with(answer: Vec<u8>) -> RequestorError {
    let (ours, mut theirs) = tokio::io::duplex(1 << 16);
    let peer = async move {
        let mut request = vec![0; 6];
        theirs.read_exact(&mut request).await.unwrap();
        let length = u32::from_be_bytes(request[2..].try_into().unwrap());
        theirs.read_exact(&mut vec![0; length as usize]).await.unwrap();
        theirs.write_all(&answer).await.unwrap();
    };
    let study = phantom::study().unwrap();
    tokio::join!(send_study(ours, "CT_DEMO", "ARCHIVE", &study[..1]), peer).0.unwrap_err()
}

#[tokio::test]
async fn what_the_peer_says_instead_of_yes_is_told() {
    assert_eq!(
        answered_with(vec![3, 0, 0, 0, 0, 4, 0, 1, 1, 3]).await.to_string(),
        "A-ASSOCIATE-RJ 1/1/3: rejected-permanent, calling-AE-title-not-recognized"
    );
    assert_eq!(
        answered_with(vec![7, 0, 0, 0, 0, 4, 0, 0, 2, 1]).await.to_string(),
        "while asking for the association: the peer aborted with A-ABORT 2/1: service-provider, unrecognized-PDU"
    );
    let closed = answered_with(Vec::new()).await;
    assert!(matches!(closed, RequestorError::Association(Error::Closed { .. })), "{closed}");
    let long = answered_with(vec![2, 0, 0xff, 0xff, 0xff, 0xff]).await;
    assert!(matches!(long, RequestorError::Association(Error::Malformed { .. })), "{long}");
}

#[tokio::test]
async fn a_study_arrives_through_mutual_tls() {
    let folder = Scratch::new();
    let site = Site::open(Some(folder.path())).unwrap();
    certificates::make(&site.certificates(), MODALITY_NAME).unwrap();
    let archive = Archive::start(site.archive()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = acceptor(&site.certificates());
    let upstream = archive.address();
    let relaying = tokio::spawn(async move {
        let mut downstream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        let shown = downstream.get_ref().1.peer_certificates().unwrap().len();
        let mut upstream = TcpStream::connect(upstream).await.unwrap();
        // Neither side has to close its TLS session before its socket.
        let _ = tokio::io::copy_bidirectional(&mut downstream, &mut upstream).await;
        shown
    });
    let stream = secure::connect(address, &site.modality()).await.unwrap();
    assert_eq!(secure::session(&stream), "TLS 1.3, X25519MLKEM768");
    let study = phantom::study().unwrap();
    let outcomes = send_study(stream, "CT_DEMO", "ARCHIVE", &study).await.unwrap();
    assert!(outcomes.len() == study.len() && outcomes.iter().all(StoreOutcome::stored));
    assert_eq!(archive.files().unwrap().len(), study.len());
    assert_eq!(relaying.await.unwrap(), 1);
}

fn acceptor(certificates: &Path) -> TlsAcceptor {
    let settings = ServerSettings {
        certificate_chain: certificates.join("server.pem"),
        private_key: certificates.join("server.key"),
        private_key_passphrase_file: None,
        client_authentication: ClientAuthentication::Required,
        client_ca: vec![certificates.join("ca.pem")],
        pins: Vec::new(),
        revocation_lists: Vec::new(),
        profile: Profile::Bcp195,
    };
    TlsAcceptor::from(crate::tls::server(&settings).unwrap().config)
}
