use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::service::Service;
use crate::dimse::{self, Status};
use crate::scratch::Scratch;
use crate::upper::{Acceptor, Answer, Association, Error, Request, Requestor, Terms};

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";

/// An association with the archive in `folder`; context 1 is CT in explicit VR.
async fn with_archive(folder: &Path) -> Association<DuplexStream> {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let service = Service::new(folder.to_owned(), "CT_DEMO".into());
    tokio::spawn(async move {
        let accepted = Acceptor::accept(theirs, &Terms::default(), Answer::accept_all).await.unwrap();
        service.serve(accepted.unwrap()).await
    });
    let mut request = Request::new("CT_DEMO".parse().unwrap(), "ARCHIVE".parse().unwrap());
    request.propose(CT, &[EXPLICIT]).unwrap();
    Requestor::open(ours, &request, &Terms::default()).await.unwrap()
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[tokio::test]
async fn a_data_set_is_kept_byte_for_byte_after_its_meta_information() {
    let folder = Scratch::new();
    let mut association = with_archive(folder.path()).await;
    let data_set = b"\x08\x00\x60\x00CS\x02\x00CTnot even an element";
    let store = dimse::store_request(CT, "2.25.77", 9);
    assert_eq!(association.perform(1, &store, Some(data_set)).await.unwrap(), Status::SUCCESS);
    association.release().await.unwrap();

    let file = std::fs::read(folder.path().join("2.25.77.dcm")).unwrap();
    assert!(file.ends_with(data_set));
    let meta = dicom_object::FileMetaTable::from_reader(&file[128..]).unwrap();
    assert_eq!(meta.media_storage_sop_instance_uid(), "2.25.77");
    assert_eq!(meta.transfer_syntax(), "1.2.840.10008.1.2.1");
    assert_eq!(meta.source_application_entity_title.as_deref().map(str::trim), Some("CT_DEMO"));
    let preamble_magic_and_group_length = 128 + 4 + 12;
    let header = preamble_magic_and_group_length + usize::try_from(meta.information_group_length).unwrap();
    assert_eq!(&file[header..], data_set);
}

#[tokio::test]
async fn an_instance_uid_that_is_a_path_is_refused_after_its_data_set() {
    let folder = Scratch::new();
    let inner = folder.path().join("archive");
    std::fs::create_dir(&inner).unwrap();
    let mut association = with_archive(&inner).await;
    let store = dimse::store_request(CT, "../escaped", 9);
    let status = association.perform(1, &store, Some(&[0; 9000])).await.unwrap();
    assert_eq!(status, Status::INVALID_INSTANCE);
    association.release().await.unwrap();
    assert_eq!((files(folder.path()), files(&inner)), (1, 0));
}

#[tokio::test]
async fn an_operation_it_does_not_know_is_said_so_and_its_data_set_swallowed() {
    let folder = Scratch::new();
    let mut association = with_archive(folder.path()).await;
    let mut find = dimse::store_request(CT, "2.25.77", 4);
    // The command field of a C-FIND-RQ.
    let field = find.windows(4).position(|tag| tag == [0, 0, 0, 1]).unwrap() + 8;
    find[field] = 0x20;
    let status = association.perform(1, &find, Some(b"identifier")).await.unwrap();
    assert_eq!(status, Status::UNRECOGNIZED_OPERATION);
    let echo = dimse::echo_request(CT, 5);
    assert_eq!(association.perform(1, &echo, None).await.unwrap(), Status::SUCCESS);
}

#[tokio::test]
async fn a_response_that_it_did_not_ask_for_is_aborted() {
    let folder = Scratch::new();
    let mut association = with_archive(folder.path()).await;
    let asked = crate::dimse::Command::parse(dimse::echo_request(CT, 5)).unwrap();
    association.send(1, &dimse::response(&asked, Status::SUCCESS)).await.unwrap();
    assert!(matches!(association.receive().await, Err(Error::Aborted { .. })));
}

#[tokio::test]
async fn half_an_object_leaves_nothing() {
    let folder = Scratch::new();
    let (mut ours, theirs) = tokio::io::duplex(1 << 16);
    let service = Service::new(folder.path().to_owned(), "CT_DEMO".into());
    let serving = tokio::spawn(async move {
        let accepted = Acceptor::accept(theirs, &Terms::default(), Answer::accept_all).await.unwrap();
        service.serve(accepted.unwrap()).await
    });
    let mut request = Request::new("CT_DEMO".parse().unwrap(), "ARCHIVE".parse().unwrap());
    request.propose(CT, &[EXPLICIT]).unwrap();
    ours.write_all(&request.to_rq(16_384).unwrap().encode().unwrap()).await.unwrap();
    // The answer has begun to come.
    ours.read_u8().await.unwrap();
    let mut packer = crate::wire::Packer::new(16_384);
    packer.command(1, &dimse::store_request(CT, "2.25.77", 9));
    let input = [7; 5000];
    let span = crate::wire::Span { source: crate::wire::Source::Input, range: 0..5000 };
    packer.data_set(1, &[span], &input, &[], false).unwrap();
    for span in packer.plan() {
        ours.write_all(packer.bytes(span, &input, &[]).unwrap()).await.unwrap();
    }
    drop(ours);
    assert!(matches!(serving.await.unwrap(), Err(Error::Closed { .. })));
    assert_eq!(files(folder.path()), 0);
}
