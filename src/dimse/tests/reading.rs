//! Command sets that are not as PS3.7 has them.

use super::super::table::{ELEMENTS, MESSAGES};
use super::{read, store_request, write};
use crate::dimse::{Command, CommandField, Operation, Status, Tolerated};
use dicom_dictionary_std::tags;

/// The elements of the command sets in these tests, in the order of the call.
fn encoded(elements: &[(u16, u16, &[u8])]) -> Vec<u8> {
    let element = |(group, element, value): &(u16, u16, &[u8])| {
        let length = u32::try_from(value.len()).unwrap().to_le_bytes();
        [&group.to_le_bytes()[..], &element.to_le_bytes(), &length, value].concat()
    };
    elements.iter().flat_map(element).collect()
}

fn with_length(elements: &[u8]) -> Vec<u8> {
    let length = u32::try_from(elements.len()).unwrap().to_le_bytes();
    [&[0, 0, 0, 0, 4, 0, 0, 0], &length[..], elements].concat()
}

const ECHO: [(u16, u16, &[u8]); 4] = [
    (0, 0x0002, b"1.2.840.10008.1.1\0"),
    (0, 0x0100, &[0x30, 0]),
    (0, 0x0110, &[1, 0]),
    (0, 0x0800, &[1, 1]),
];

#[track_caller]
fn assert_put_right(bytes: Vec<u8>, expected: &[u8], tolerated: &[Tolerated]) {
    let command = Command::parse(bytes).unwrap();
    assert_eq!(command.bytes(), expected);
    assert_eq!(command.tolerated(), tolerated);
    let again = Command::parse(command.bytes().to_vec()).unwrap();
    assert_eq!((again.bytes(), again.tolerated()), (expected, &[][..]));
}

#[test]
fn a_group_length_that_is_absent_zero_or_wrong_is_put_right() {
    let elements = encoded(&ECHO);
    let good = with_length(&elements);
    assert_put_right(good.clone(), &good, &[]);
    assert_put_right(elements, &good, &[Tolerated::GroupLength]);
    for wrong in [[0; 4], 58_u32.to_le_bytes(), 2_u32.to_le_bytes(), [0xFF; 4]] {
        let mut bytes = good.clone();
        bytes[8..12].copy_from_slice(&wrong);
        assert_put_right(bytes, &good, &[Tolerated::GroupLength]);
    }
    let short = [&[0, 0, 0, 0, 2, 0, 0, 0, 56, 0], &good[12..]].concat();
    assert_put_right(short, &good, &[Tolerated::GroupLength]);
}

#[test]
fn elements_in_any_order_go_on_in_theirs() {
    let good = with_length(&encoded(&ECHO));
    let mut elements = ECHO;
    elements.reverse();
    assert_put_right(with_length(&encoded(&elements)), &good, &[Tolerated::Order]);
    let last = [encoded(&ECHO), good[..12].to_vec()].concat();
    assert_put_right(last, &good, &[Tolerated::Order]);
}

#[test]
fn what_the_message_does_not_have_is_left_out() {
    let good = with_length(&encoded(&ECHO));
    // Message Set ID, which is retired, Priority, which a C-ECHO does not have, and elements of another group.
    let more: [(u16, u16, &[u8]); 5] = [
        (0, 0x0700, &[0, 0]),
        (0, 0x5010, b"DOE "),
        (8, 0x0000, &[20, 0, 0, 0]),
        (8, 0x0058, b"1.2.3\0"),
        (8, 0x0058, b"1.2.4\0"),
    ];
    let left_out = [(8, 0x0000), (8, 0x0058), (8, 0x0058), (0, 0x0700), (0, 0x5010)];
    let left_out = left_out.map(|(group, element)| Tolerated::LeftOut(group, element));
    let in_group = encoded(&[&ECHO[..], &more[..2]].concat());
    let ordered = [with_length(&in_group), encoded(&more[2..])].concat();
    let mut expected = left_out.to_vec();
    expected.push(Tolerated::Order);
    expected.rotate_right(1);
    // Priority stands before Command Data Set Type.
    let order = expected.remove(0);
    expected.insert(3, order);
    assert_put_right(ordered, &good, &expected);
    let many: Vec<_> = (0..5000).map(|number| (9, number, &b""[..])).collect();
    let command = Command::parse([good.clone(), encoded(&many)].concat()).unwrap();
    assert_eq!(command.bytes(), good);
    assert_eq!((command.tolerated().len(), command.tolerated().last()), (9, Some(&Tolerated::MoreLeftOut)));
}

#[test]
fn a_value_goes_on_as_it_was_understood() {
    let store = |instance: &[u8], title: &[u8]| {
        let mut elements = ECHO.to_vec();
        elements[1].2 = &[1, 0];
        elements[3].2 = &[0, 0];
        let all = [&elements[..], &[(0, 0x1000, instance), (0, 0x1030, title)]].concat();
        with_length(&encoded(&all))
    };
    let good = store(b"1.2.3\0", b"WS");
    assert_put_right(good.clone(), &good, &[]);
    assert_put_right(store(b"1.2.3\0", b"WS\0\0\0\0"), &good, &[Tolerated::Padding]);
    assert_put_right(store(b"1.2.3", b"WS"), &good, &[Tolerated::Padding]);
    assert_put_right(store(b" 1.2.3\0\0\0", b"WS\0"), &good, &[Tolerated::Padding]);
    // Spaces around an AE title mean nothing and are no fault.
    let spaces = store(b"1.2.3\0", b"WS              ");
    assert_put_right(spaces.clone(), &spaces, &[]);
    let told = Tolerated::LeftOut(0, 0x1030);
    let without = with_length(&good[12..good.len() - 10]);
    assert_put_right(store(b"1.2.3\0", b"a title of twenty-one"), &without, &[told]);
    assert_put_right(store(b"1.2.3\0", b"A\\B "), &without, &[told]);
}

#[test]
fn a_response_says_nothing_in_a_value_of_another_kind() {
    let elements: [(u16, u16, &[u8]); 10] = [
        (0, 0x0002, b"DOE^JANE"),
        (0, 0x0100, &[0x01, 0x80]),
        (0, 0x0120, &[7, 0]),
        (0, 0x0800, &[1, 1]),
        (0, 0x0900, &[0, 0xA7]),
        (0, 0x0901, b"DOE^JA"),
        (0, 0x0902, b"no room "),
        (0, 0x0903, b"DOE^"),
        (0, 0x1000, b"DOE^JANE"),
        (0, 0x1021, b"DO"),
    ];
    let kept = [&elements[1..5], &elements[6..7]].concat();
    let left_out = [0x0002, 0x0901, 0x0903, 0x1000, 0x1021].map(|element| Tolerated::LeftOut(0, element));
    assert_put_right(with_length(&encoded(&elements)), &with_length(&encoded(&kept)), &left_out);
}

/// As Orthanc answers a C-GET of which its requestor could not take one object.
#[test]
fn counts_and_status_of_a_retrieval_are_read_beside_a_list_that_has_no_place_in_a_command_set() {
    let elements: [(u16, u16, &[u8]); 9] = [
        (0, 0x0002, b"1.2.840.10008.5.1.4.1.2.2.3\0"),
        (0, 0x0100, &[0x10, 0x80]),
        (0, 0x0120, &[1, 0]),
        (0, 0x0800, &[1, 1]),
        (0, 0x0900, &[0, 0xB0]),
        (0, 0x1020, &[0, 0]),
        (0, 0x1021, &[2, 0]),
        (0, 0x1022, &[1, 0]),
        (0, 0x1023, &[0, 0]),
    ];
    let good = with_length(&encoded(&elements));
    let list = encoded(&[(8, 0x0000, &36_u32.to_le_bytes()), (8, 0x0058, b"1.2.826.0.1.3680043.10.999.7")]);
    let left_out = [Tolerated::LeftOut(8, 0x0000), Tolerated::LeftOut(8, 0x0058)];
    assert_put_right([good.clone(), list].concat(), &good, &left_out);
    let field = Command::parse(good).unwrap().field;
    let status = Status(0xB000);
    assert_eq!(field, CommandField::Response { operation: Operation::CGet, responding_to: 1, status });
}

#[test]
fn more_than_one_reading_is_refused() {
    let whole = store_request();
    let mut stray = whole.clone();
    stray.extend_from_slice(&[0, 0, 0]);
    let mut too_long = whole.clone();
    too_long[16..20].copy_from_slice(&[0xff; 4]);
    let twice = [whole.clone(), encoded(&[(0, 0x1000, b"1.2.4\0")])].concat();
    let same_twice = [whole.clone(), encoded(&[(0, 0x1000, b"1.2.3\0")])].concat();
    let two_lengths = [whole.clone(), whole[..12].to_vec()].concat();
    let cut_off = [whole.clone(), encoded(&[(8, 0x0058, b"1.2.3\0")])].concat();
    let cut_off = cut_off[..cut_off.len() - 1].to_vec();
    for (bad, told) in [
        (stray, "3 stray bytes at its end"),
        (too_long, "(0000,0002) has 4294967295 bytes"),
        (twice, "(0000,1000) comes twice"),
        (same_twice, "(0000,1000) comes twice"),
        (two_lengths, "(0000,0000) comes twice"),
        (cut_off, "(0008,0058) has 6 bytes, 5 are there"),
        (Vec::new(), "is missing"),
        (whole[..40].to_vec(), "(0000,0002) has"),
    ] {
        let error = Command::parse(bad).unwrap_err().to_string();
        assert!(error.contains(told), "{told} in {error}");
    }
}

#[test]
fn contradictions_are_seen_before_anything_is_left_out() {
    let mut request = read(&store_request());
    let mut put = |uid: &str| {
        request.put_str(tags::REQUESTED_SOP_INSTANCE_UID, dicom_core::VR::UI, uid);
        Command::parse(write(&request)).unwrap()
    };
    let same = put("1.2.3");
    assert!(!same.names_two_objects());
    assert_eq!(same.bytes(), store_request());
    let other = put("1.2.4");
    assert!(other.names_two_objects());
    assert_eq!(other.sop_instance().as_deref(), Some("1.2.3"));
}

#[test]
fn the_lists_of_the_standard_are_whole_and_in_order() {
    assert_eq!(MESSAGES.len(), 2 * Operation::ALL.len() + 1);
    for operation in Operation::ALL {
        for field in [operation.request_field(), operation.request_field() | 0x8000] {
            let (_, listed) = MESSAGES.iter().find(|(message, _)| *message == field).unwrap();
            assert!(
                listed.is_sorted() && listed.contains(&0x0100) && listed.contains(&0x0800),
                "{field:04X}"
            );
            let known = |element: &u16| ELEMENTS.iter().any(|(known, _)| known == element);
            assert!(listed.iter().all(known), "{field:04X}");
        }
    }
    assert!(ELEMENTS.is_sorted_by_key(|(element, _)| *element));
}
