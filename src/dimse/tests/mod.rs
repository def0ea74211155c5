mod reading;

use super::*;
use dicom_core::{DataElement, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dicom_transfer_syntax_registry::entries::IMPLICIT_VR_LITTLE_ENDIAN;
use proptest::prelude::*;

/// A C-STORE-RQ as dicom-object writes it.
fn store_request() -> Vec<u8> {
    let object = InMemDicomObject::command_from_element_iter([
        DataElement::new(
            tags::AFFECTED_SOP_CLASS_UID,
            VR::UI,
            dicom_value!(Str, "1.2.840.10008.5.1.4.1.1.2"),
        ),
        DataElement::new(tags::COMMAND_FIELD, VR::US, dicom_value!(U16, [1])),
        DataElement::new(tags::MESSAGE_ID, VR::US, dicom_value!(U16, [7])),
        DataElement::new(tags::PRIORITY, VR::US, dicom_value!(U16, [0])),
        DataElement::new(tags::COMMAND_DATA_SET_TYPE, VR::US, dicom_value!(U16, [0])),
        DataElement::new(tags::AFFECTED_SOP_INSTANCE_UID, VR::UI, dicom_value!(Str, "1.2.3")),
        DataElement::new(tags::MOVE_ORIGINATOR_APPLICATION_ENTITY_TITLE, VR::AE, dicom_value!(Str, "WS")),
    ]);
    write(&object)
}

fn write(object: &InMemDicomObject) -> Vec<u8> {
    let mut out = Vec::new();
    object.write_dataset_with_ts(&mut out, &IMPLICIT_VR_LITTLE_ENDIAN.erased()).unwrap();
    out
}

fn read(bytes: &[u8]) -> InMemDicomObject {
    InMemDicomObject::read_dataset_with_ts(bytes, &IMPLICIT_VR_LITTLE_ENDIAN.erased()).unwrap()
}

#[test]
fn a_request_that_another_library_wrote_is_read() {
    let command = Command::parse(store_request()).unwrap();
    assert_eq!(command.field, CommandField::Request { operation: Operation::CStore, message_id: 7 });
    assert!(command.has_data_set);
    assert_eq!(command.sop_class().unwrap(), "1.2.840.10008.5.1.4.1.1.2");
    assert_eq!(command.affected_sop_instance().unwrap(), "1.2.3");
    assert_eq!(command.bytes(), store_request());
}

#[test]
fn a_refusal_answers_its_request_and_says_why() {
    let request = Command::parse(store_request()).unwrap();
    let comment = "a comment \u{e9}\\\n that is longer than the sixty-four characters of an LO value";
    let response = read(&refusal(&request, Status::NOT_AUTHORIZED, comment));
    let int = |tag| response.element(tag).unwrap().to_int::<u32>().unwrap();
    assert_eq!(int(tags::COMMAND_FIELD), 0x8001);
    assert_eq!(int(tags::MESSAGE_ID_BEING_RESPONDED_TO), 7);
    assert_eq!(int(tags::STATUS), 0x0124);
    assert_eq!(int(tags::COMMAND_DATA_SET_TYPE), 0x0101);
    let text = response.element(tags::ERROR_COMMENT).unwrap().to_str().unwrap().to_string();
    assert_eq!(text, "a comment ??? that is longer than the sixty-four characters of a");
    let parsed = Command::parse(refusal(&request, Status::NOT_AUTHORIZED, "no")).unwrap();
    let status = Status::NOT_AUTHORIZED;
    assert_eq!(
        parsed.field,
        CommandField::Response { operation: Operation::CStore, responding_to: 7, status }
    );
    assert!(!parsed.has_data_set);
}

#[test]
fn another_instance_uid_changes_that_element_and_the_group_length_only() {
    let request = Command::parse(store_request()).unwrap();
    let changed = read(&with_affected_sop_instance(&request, "2.25.12345"));
    let mut expected = read(&store_request());
    expected.put_str(tags::AFFECTED_SOP_INSTANCE_UID, VR::UI, "2.25.12345");
    expected.remove_element(tags::COMMAND_GROUP_LENGTH);
    let mut without = changed;
    without.remove_element(tags::COMMAND_GROUP_LENGTH);
    assert_eq!(write(&without), write(&expected));
    assert!(Command::parse(with_affected_sop_instance(&request, "2.25.12345")).is_ok());
}

#[test]
fn paths_and_escapes_in_an_instance_uid_are_seen() {
    let request = Command::parse(store_request()).unwrap();
    for (uid, dangerous) in
        [("1.2.3", false), ("../../x", true), ("1..2", true), ("1.2\u{1b}", true), ("a\\b", true)]
    {
        let command = Command::parse(with_affected_sop_instance(&request, uid)).unwrap();
        assert_eq!(command.has_dangerous_sop_instance(), dangerous, "{uid:?}");
    }
}

#[test]
fn statuses_belong_to_the_classes_of_annex_c() {
    let classes = [
        (0x0000, Outcome::Success),
        (0xFF01, Outcome::Pending),
        (0xB000, Outcome::Warning),
        (0xFE00, Outcome::Warning),
        (0xA700, Outcome::Failure),
        (0xC123, Outcome::Failure),
        (0x0124, Outcome::Failure),
    ];
    for (code, outcome) in classes {
        assert_eq!(Status(code).outcome(), outcome, "{code:04X}");
    }
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(at in 0usize..150, value: u8, cut in 0usize..150) {
        let mut bytes = store_request();
        let length = bytes.len();
        bytes[at % length] = value;
        let _ = Command::parse(bytes[..cut % (length + 1)].to_vec());
        let _ = Command::parse(bytes);
    }
}

#[test]
fn a_command_set_crosses_with_another_instance_and_nothing_else_that_could_tell() {
    let told = Command::parse(refusal(&Command::parse(store_request()).unwrap(), Status(0xC001), "DOE^JANE"));
    let told = told.unwrap();
    let named = |instance| Named { class: None, instance };
    let crossed = read(&across(&told, named(Some("2.25.7")), FreeText::Withheld));
    assert_eq!(crossed.element(tags::AFFECTED_SOP_INSTANCE_UID).unwrap().to_str().unwrap(), "2.25.7");
    assert_eq!(crossed.element(tags::STATUS).unwrap().to_int::<u32>().unwrap(), 0xC001);
    assert!(crossed.element(tags::ERROR_COMMENT).is_err());
    let as_it_was = told.sop_instance();
    assert_eq!(across(&told, named(as_it_was.as_deref()), FreeText::Passes), told.bytes());
    let nameless = read(&across(&told, named(None), FreeText::Passes));
    assert!(
        nameless.element(tags::AFFECTED_SOP_INSTANCE_UID).is_err(),
        "an instance that nobody has looked at"
    );
    // (0000,4010) Message Set ID, retired.
    let mut retired = store_request();
    retired.extend([0, 0, 0x10, 0x40, 4, 0, 0, 0, b'D', b'O', b'E', b' ']);
    let length = u32::try_from(retired.len() - 12).unwrap().to_le_bytes();
    retired[8..12].copy_from_slice(&length);
    let retired = Command::parse(retired).unwrap();
    let as_it_was = retired.sop_instance();
    assert_eq!(across(&retired, named(as_it_was.as_deref()), FreeText::Passes), store_request());
}

#[test]
fn who_asked_for_a_move_can_be_withheld() {
    let mut command = Command::parse(store_request()).unwrap();
    command.withhold_move_originator();
    let left = read(command.bytes());
    assert!(left.element(tags::MOVE_ORIGINATOR_APPLICATION_ENTITY_TITLE).is_err());
    let whole = read(&store_request());
    let kept =
        |object: &InMemDicomObject| object.iter().map(|element| element.header().tag).collect::<Vec<_>>();
    assert_eq!(kept(&left).len(), kept(&whole).len() - 1);
    assert_eq!(Command::parse(command.bytes().to_vec()).unwrap().bytes(), command.bytes());
}

#[test]
fn text_in_the_place_of_numbers_and_another_class_do_not_cross() {
    let told = |element: u16, value: &[u8]| {
        let mut all: Vec<(u16, &[u8])> = vec![
            (0x0002, b"1.2.840.10008.5.1.4.1.2.2.1\0"),
            (0x0100, &[0x20, 0x80]),
            (0x0120, &[7, 0]),
            (0x0800, &[1, 1]),
            (0x0900, &[1, 0xC0]),
        ];
        all.retain(|(known, _)| *known != element);
        all.push((element, value));
        all.sort();
        let mut bytes = vec![0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0];
        for (element, value) in all {
            bytes.extend([0, 0, element as u8, (element >> 8) as u8, value.len() as u8, 0, 0, 0]);
            bytes.extend(value);
        }
        let length = u32::try_from(bytes.len() - 12).unwrap().to_le_bytes();
        bytes[8..12].copy_from_slice(&length);
        Command::parse(bytes).unwrap()
    };
    let named = |class| Named { class, instance: None };
    let text: [(u16, &[u8]); 6] = [
        (0x0002, b"DOE^JANE"),
        (0x0901, b"DOE^JANE"),
        (0x0903, b"DOE^JANE"),
        (0x1002, b"DOE^JANE"),
        (0x1005, b"DOE^JANE"),
        (0x1020, b"JANE"),
    ];
    for (element, value) in text {
        let told = told(element, value);
        let failure = Failure { status: Status(0xC000), comment: String::new(), offending: None };
        for bytes in [across(&told, named(None), FreeText::Passes), failed_response(&told, &failure)] {
            assert!(!bytes.windows(4).any(|part| part == b"JANE"), "{element:04X}");
            assert!(Command::parse(bytes).is_ok());
        }
    }
    let request = Command::parse(store_request()).unwrap();
    let class = request.sop_class().unwrap();
    let instance = request.sop_instance();
    let named = |class| Named { class, instance: instance.as_deref() };
    assert_eq!(across(&request, named(Some(&class)), FreeText::Passes), store_request());
    let crossed = read(&across(&request, named(Some("1.2.3.4711")), FreeText::Passes));
    assert!(crossed.element(tags::AFFECTED_SOP_CLASS_UID).is_err());
}

#[test]
fn what_nothing_matches_is_a_success_and_a_retrieval_of_nothing() {
    let request = |field: u16| {
        let object = InMemDicomObject::command_from_element_iter([
            DataElement::new(tags::AFFECTED_SOP_CLASS_UID, VR::UI, dicom_value!(Str, "1.2.3")),
            DataElement::new(tags::COMMAND_FIELD, VR::US, dicom_value!(U16, [field])),
            DataElement::new(tags::MESSAGE_ID, VR::US, dicom_value!(U16, [9])),
            DataElement::new(tags::COMMAND_DATA_SET_TYPE, VR::US, dicom_value!(U16, [1])),
        ]);
        Command::parse(write(&object)).unwrap()
    };
    for (field, operation, counts) in
        [(0x20, Operation::CFind, None), (0x21, Operation::CMove, Some(0)), (0x10, Operation::CGet, Some(0))]
    {
        let bytes = nothing_matches(&request(field));
        let parsed = Command::parse(bytes.clone()).unwrap();
        let status = Status::SUCCESS;
        assert_eq!(parsed.field, CommandField::Response { operation, responding_to: 9, status });
        let count = read(&bytes)
            .element(tags::NUMBER_OF_COMPLETED_SUBOPERATIONS)
            .ok()
            .map(|e| e.to_int::<u32>().unwrap());
        assert_eq!((count, parsed.has_data_set), (counts, false));
    }
    assert_eq!(Command::parse(cancel(9)).unwrap().field, CommandField::Cancel { responding_to: 9 });
}

#[test]
fn a_response_that_failed_on_its_way_answers_the_same_request() {
    let request = Command::parse(store_request()).unwrap();
    let response = Command::parse(refusal(&request, Status(0xB000), "well")).unwrap();
    let comment = "(0010,0010): out of order".to_owned();
    let failure = Failure { status: Status(0xC000), comment, offending: Some((0x10, 0x10)) };
    let failed = failed_response(&response, &failure);
    let status = Status(0xC000);
    let field = CommandField::Response { operation: Operation::CStore, responding_to: 7, status };
    assert_eq!(Command::parse(failed.clone()).unwrap().field, field);
    assert!(read(&failed).element(tags::AFFECTED_SOP_INSTANCE_UID).is_err());
}
