use dicom_ul::pdu::{
    PDataValue, PDataValueType, Pdu, PresentationContextNegotiated, PresentationContextResultReason,
};

use super::super::command::{Command, status};
use super::service::Service;

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

fn service(folder: &std::path::Path) -> Service {
    let context = |id, reason| PresentationContextNegotiated {
        id,
        reason,
        transfer_syntax: "1.2.840.10008.1.2.1".into(),
        abstract_syntax: CT.into(),
    };
    let contexts = vec![
        context(1, PresentationContextResultReason::Acceptance),
        context(3, PresentationContextResultReason::TransferSyntaxesNotSupported),
    ];
    Service::new(folder.to_owned(), contexts, "CT_DEMO")
}

fn fragment(context: u8, value_type: PDataValueType, is_last: bool, data: &[u8]) -> PDataValue {
    PDataValue { presentation_context_id: context, value_type, is_last, data: data.to_vec() }
}

fn status_of(response: Option<Pdu>) -> (u16, u16) {
    match response {
        Some(Pdu::PData { data }) => {
            let command = Command::decode(&data[0].data).unwrap();
            (command.field, command.status.unwrap())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_data_set_is_kept_byte_for_byte_after_its_meta_information() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = service(folder.path());
    let command = Command::store(9, CT, "2.25.77").encode().unwrap();
    let data_set = b"\x08\x00\x60\x00CS\x02\x00CTnot even an element";
    let (head, tail) = command.split_at(11);
    assert_eq!(service.receive(fragment(1, PDataValueType::Command, false, head)).await, Ok(None));
    assert_eq!(service.receive(fragment(1, PDataValueType::Command, true, tail)).await, Ok(None));
    assert_eq!(service.receive(fragment(1, PDataValueType::Data, false, &data_set[..7])).await, Ok(None));
    assert_eq!(
        std::fs::metadata(folder.path().join("2.25.77.dcm")).err().unwrap().kind(),
        std::io::ErrorKind::NotFound
    );
    let response = service.receive(fragment(1, PDataValueType::Data, true, &data_set[7..])).await.unwrap();
    assert_eq!(status_of(response), (0x8001, status::SUCCESS));

    let file = std::fs::read(folder.path().join("2.25.77.dcm")).unwrap();
    assert!(file.ends_with(data_set));
    let meta = dicom_object::FileMetaTable::from_reader(&file[128..]).unwrap();
    assert_eq!(meta.media_storage_sop_instance_uid(), "2.25.77");
    assert_eq!(meta.transfer_syntax(), "1.2.840.10008.1.2.1");
    let preamble_magic_and_group_length = 128 + 4 + 12;
    let header = preamble_magic_and_group_length + usize::try_from(meta.information_group_length).unwrap();
    assert_eq!(&file[header..], data_set);
}

#[tokio::test]
async fn an_instance_uid_that_is_a_path_is_refused_after_its_data_set() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("archive");
    std::fs::create_dir(&inner).unwrap();
    let mut service = service(&inner);
    let command = Command::store(9, CT, "../escaped").encode().unwrap();
    assert_eq!(service.receive(fragment(1, PDataValueType::Command, true, &command)).await, Ok(None));
    let response = service.receive(fragment(1, PDataValueType::Data, true, b"data")).await.unwrap();
    assert_eq!(status_of(response), (0x8001, status::INVALID_SOP_INSTANCE));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read_dir(&inner).unwrap().count(), 0);
}

#[tokio::test]
async fn an_operation_it_does_not_know_is_said_so_and_its_data_set_swallowed() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = service(folder.path());
    let find =
        Command { field: 0x0020, ..Command::store(4, "1.2.840.10008.5.1.4.1.2.2.1", "") }.encode().unwrap();
    assert_eq!(service.receive(fragment(1, PDataValueType::Command, true, &find)).await, Ok(None));
    let response = service.receive(fragment(1, PDataValueType::Data, true, b"identifier")).await.unwrap();
    assert_eq!(status_of(response), (0x8020, status::UNRECOGNIZED_OPERATION));
    let echo = Command::echo(5).encode().unwrap();
    let response = service.receive(fragment(1, PDataValueType::Command, true, &echo)).await.unwrap();
    assert_eq!(status_of(response), (0x8030, status::SUCCESS));
}

#[tokio::test]
async fn fragments_out_of_order_abort() {
    let folder = tempfile::tempdir().unwrap();
    let echo = Command::echo(5).encode().unwrap();
    let store = Command::store(9, CT, "2.25.77").encode().unwrap();
    let lone_data = fragment(1, PDataValueType::Data, true, b"data");
    assert!(service(folder.path()).receive(lone_data).await.unwrap_err().contains("out of order"));
    let refused_context = fragment(3, PDataValueType::Command, true, &echo);
    assert!(service(folder.path()).receive(refused_context).await.unwrap_err().contains("not accepted"));
    let endless = fragment(1, PDataValueType::Command, false, &vec![0; 65_537]);
    assert!(service(folder.path()).receive(endless).await.unwrap_err().contains("longer"));
    let mut interrupted = service(folder.path());
    assert_eq!(interrupted.receive(fragment(1, PDataValueType::Command, true, &store)).await, Ok(None));
    let command_again = fragment(1, PDataValueType::Command, true, &echo);
    assert!(interrupted.receive(command_again).await.unwrap_err().contains("out of order"));
    drop(interrupted);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
