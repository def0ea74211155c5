//! Data sets that break the standard, in flight: what has one reading goes on as it should have been, what has two or none is
//! refused, and both are told: to the requestor, in the records, never with a byte of a value.

use serde_json::json;

use crate::association::Association;
use crate::command::{Command, ERROR_COMMENT, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::object::{Object, short};
use crate::peers;
use crate::raw::{self, Peer, Upstream};
use crate::rewriting::{Passed, pass};
use crate::upper::{self, Request};

const OFFENDING_ELEMENT: u16 = 0x0901;
const RULES: &str = r#"[[rewrite]]
name = "site"
profile = "none"
rules = [{ tag = "PatientName", action = "replace", value = "NOBODY" }]"#;

fn start(upstream: &Upstream, keys: &'static str) -> Gate {
    let extra: &'static str = Box::leak(format!("{RULES}\n{keys}").into_boxed_str());
    Gate::start(&Setup { extra, peers: gate::peer("rewrite = \"site\""), ..Setup::plain(upstream.address) })
}

fn object(elements: &[Vec<u8>]) -> Object {
    let ct = Object::ct(2_000);
    let (class, instance) = (ct.sop_class.as_bytes(), ct.sop_instance.as_bytes());
    let uid = |uid: &[u8]| if uid.len() % 2 == 1 { [uid, b"\0"].concat() } else { uid.to_vec() };
    let named = [short(8, 0x16, "UI", &uid(class)), short(8, 0x18, "UI", &uid(instance))];
    Object { data_set: [named.concat(), elements.concat()].concat(), ..ct }
}

fn name(text: &[u8]) -> Vec<u8> {
    short(0x10, 0x10, "PN", text)
}

/// (0012,0064), with a text where its items should be.
fn text_in_a_sequence() -> Object {
    let sequence = [b"\x12\0\x64\0SQ\0\0\x0A\0\0\0", &b"SMITH JOHN"[..]].concat();
    object(&[name(b"DOE^JANE"), sequence])
}

#[test]
fn a_refusal_names_the_element_to_the_requestor_and_in_the_records_and_no_byte_of_a_value() {
    let upstream = Upstream::bind();
    let gate = start(&upstream, "");
    let request = Request::new("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let (mut requestor, acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    let wrong = text_in_a_sequence();
    let store = Command::c_store_rq(1, &wrong.sop_class, &wrong.sop_instance);
    requestor.send_message(1, &store, Some(&wrong.data_set), 16384);
    let answer = requestor.message().command;
    assert_eq!(answer.number(STATUS), Some(0xC000));
    assert_eq!(answer.get(OFFENDING_ELEMENT), Some(&[0x12, 0, 0x64, 0][..]));
    assert_eq!(answer.text(ERROR_COMMENT).as_deref(), Some("(0012,0064): an item was expected"));
    let record = gate.record("the refusal", |record| record["reason"] == "rewrite-failed");
    let fault = &record["fault"];
    assert_eq!(
        (&fault["element"], &fault["problem"]),
        (&json!("(0012,0064)"), &json!("an item was expected"))
    );
    assert_eq!(fault["offset"], wrong.data_set.len() - 10);
    assert!(fault["expected"].as_str().is_some_and(|expected| expected.contains("item")), "{fault}");
    // A length that is two too small: the next tag is said to be the last two bytes of the name and two more.
    let mut short_of_two = object(&[name(b"DOE^JANE"), short(0x10, 0x20, "LO", b"4711")]);
    let at = short_of_two.data_set.windows(4).position(|tag| tag == [0x10, 0, 0x10, 0]).expect("a name");
    short_of_two.data_set[at + 6] -= 2;
    let store = Command::c_store_rq(2, &wrong.sop_class, &wrong.sop_instance);
    requestor.send_message(1, &store, Some(&short_of_two.data_set), 16384);
    let answer = requestor.message().command;
    assert_eq!((answer.number(STATUS), answer.get(OFFENDING_ELEMENT)), (Some(0xC000), None));
    let comment = answer.text(ERROR_COMMENT).expect("a comment");
    let record = gate.record("the second refusal", |record| {
        record["reason"] == "rewrite-failed" && record["message-id"] == 2
    });
    assert!(record["fault"]["element"].is_null() && record["fault"]["offset"].is_u64(), "{record}");
    raw::release(requestor, acceptor);
    let told = [gate.output(), record.to_string(), comment].concat().to_uppercase();
    for text in ["SMIT", "JOHN", "JANE"] {
        assert!(!told.contains(text), "{text}: {told}");
    }
    // As what a tag shows of them. Four digits alone may be of the identifier of an association, or of a hash.
    for digits in ["4D53", "534D", "5449", "4954", "454E", "4E45"] {
        for half in [format!("({digits},"), format!(",{digits})")] {
            assert!(!told.contains(&half), "{half}: {told}");
        }
    }
    for tag in ["4D535449", "534D4954", "454E0010", "4E450010"] {
        assert!(!told.contains(tag), "{tag}: {told}");
    }
}

#[test]
fn what_has_one_reading_goes_on_right_and_is_recorded() {
    let upstream = Upstream::bind();
    let gate = start(&upstream, "");
    let (study, right) = (short(0x20, 0xD, "UI", b"1.2.3.4\0"), short(8, 0x70, "LO", b"ACME"));
    let unknown = short(0x19, 0x1001, "??", b"ABCD");
    let known = b"\x19\0\x01\x10UN\0\0\x04\0\0\0ABCD".to_vec();
    let cases = [
        (
            "data-set-order",
            vec![name(b"DOE^JANE"), study.clone(), right.clone()],
            vec![right, name(b"NOBODY"), study.clone()],
        ),
        (
            "data-set-vr",
            vec![name(b"DOE^JANE"), unknown, study.clone()],
            vec![name(b"NOBODY"), known, study.clone()],
        ),
        (
            "data-set-trailing-nuls",
            vec![name(b"DOE^JANE"), study.clone(), vec![0; 30]],
            vec![name(b"NOBODY"), study],
        ),
    ];
    for (word, sent, wanted) in cases {
        let passed = pass(&gate, &upstream, &object(&sent)).expect("a syntax that can be rewritten");
        assert_eq!(passed.status, 0, "{word}: {:?}", passed.comment);
        assert!(passed.received.expect("an object").1 == object(&wanted).data_set, "{word}");
        let record = gate.record(word, |record| record["tolerated"] == json!([word]));
        assert_eq!((&record["event"], &record["status"]), (&json!("operation"), &json!("0x0000")));
    }
    let strict = start(&upstream, "tolerance = \"strict\"");
    let wrong = object(&[name(b"DOE^JANE"), short(8, 0x70, "LO", b"ACME")]);
    let Passed { status, received, .. } =
        pass(&strict, &upstream, &wrong).expect("a syntax that can be rewritten");
    assert!(status == 0xC000 && received.is_none(), "{status:04X}");
    assert!(strict.record("the refusal", |record| record["fault"].is_object())["tolerated"].is_null());
}

/// Behind it, what comes goes on at once.
fn long() -> Vec<u8> {
    short(0x20, 0x4000, "LT", &[b'x'; 9000])
}

/// (0040,0275) with one item of these elements, both of defined length.
fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
    let item = elements.concat();
    let length = |length: usize| u32::try_from(length).expect("a length").to_le_bytes();
    let head = [&b"\xFE\xFF\0\xE0"[..], &length(item.len())].concat();
    [&b"\x40\0\x75\x02SQ\0\0"[..], &length(head.len() + item.len()), &head, &item].concat()
}

#[test]
fn what_is_wrong_behind_a_long_value_goes_on_right_and_dcmtk_reads_it() {
    let archive = peers::storescp(&[]);
    let extra = RULES;
    let gate = Gate::start(&Setup {
        extra,
        peers: gate::peer("rewrite = \"site\""),
        ..Setup::plain(archive.address)
    });
    let request = Request::new("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let mut association = Association::open(&gate.plain(), &request).expect("an association");
    let end_of_item = b"\xFE\xFF\x0D\xE0\0\0\0\0".to_vec();
    let unknown = |text: &[u8]| short(0x40, 0x254, "??", text);
    let item = [name(b"DOE^JANE"), short(0x19, 0x1001, "  ", b"ABCD"), end_of_item];
    let wrong = object(&[name(b"DOE^JANE"), long(), unknown(b"CT HEAD"), sequence(&item)]);
    let store = Command::c_store_rq(1, &wrong.sop_class, &wrong.sop_instance);
    association.send(1, &store, Some(&wrong.data_set)).expect("sent");
    assert_eq!(association.status().expect("an answer"), 0);
    association.release().expect("a release");
    let private = b"\x19\0\x01\x10UN\0\0\x04\0\0\0ABCD".to_vec();
    let known = short(0x40, 0x254, "LO", b"CT HEAD");
    let right = object(&[name(b"NOBODY"), long(), known, sequence(&[name(b"NOBODY"), private])]);
    assert!(archive.stored(1)[0].data_set == right.data_set);
    let mut dump = peers::dcmtk("dcmdump");
    dump.arg(&archive.files()[0]);
    let dumped = String::from_utf8_lossy(&dump.output().expect("dcmdump").stdout).into_owned();
    assert!(dumped.contains("(0040,0254) LO [CT HEAD]"), "{dumped}");
    assert!(dumped.matches("(0010,0010) PN [NOBODY]").count() == 2 && !dumped.contains("JANE"), "{dumped}");
    let record = gate.record("the object", |record| record["event"] == "operation");
    assert_eq!(record["tolerated"], json!(["data-set-vr", "data-set-delimiter"]));
}

#[test]
fn what_belongs_before_a_long_value_that_went_on_is_refused_behind_it() {
    let upstream = Upstream::bind();
    let gate = start(&upstream, "");
    for late in [name(b"DOE^JANE"), short(2, 0x10, "UI", b"1.2.840.10008.1.2.1\0")] {
        let passed =
            pass(&gate, &upstream, &object(&[long(), late])).expect("a syntax that can be rewritten");
        assert!(passed.status == 0xC000 && passed.received.is_none(), "{:04X}", passed.status);
    }
}

#[test]
fn names_in_private_sequences_of_defined_length_do_not_go_out() {
    let upstream = Upstream::bind();
    let gate = start(&upstream, "");
    let hidden = b"\xFE\xFF\0\xE0\x10\0\0\0\x10\0\x10\0\x08\0\0\0DOE^JANE";
    let private = [&b"\x09\0\x01\x10UN\0\0"[..], &(hidden.len() as u32).to_le_bytes(), hidden].concat();
    let sent = object(&[short(9, 0x10, "LO", b"ACME"), private]);
    let passed = pass(&gate, &upstream, &sent).expect("a syntax that can be rewritten");
    let (_, received) = passed.received.expect("an object");
    let holds = |text: &[u8]| received.windows(text.len()).any(|window| window == text);
    assert!(holds(b"NOBODY") && !holds(b"JANE"));
}

#[test]
fn ae_titles_padded_with_nuls_are_those_that_they_pad() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let padded = |title: &[u8]| {
        let mut field = title.to_vec();
        field.resize(16, 0);
        field
    };
    let mut request = raw::verification("SITE", "PACS").encode();
    request[10..26].copy_from_slice(&padded(b"PACS"));
    request[26..42].copy_from_slice(&padded(b"SITE"));
    let mut requestor = Peer::connect(&gate.plain());
    requestor.send(&request);
    let mut acceptor = upstream.accept();
    let seen = acceptor.expect(upper::ASSOCIATE_RQ);
    assert_eq!((&seen[4..20], &seen[20..36]), (&b"PACS            "[..], &b"SITE            "[..]));
    let contexts = [(1, 0, upper::IMPLICIT_LITTLE.into())];
    acceptor.send(&upper::associate_ac("PACS", "SITE", &contexts, 16384, &[]));
    let answer = requestor.expect(upper::ASSOCIATE_AC);
    assert_eq!(
        (&answer[4..20], &answer[20..36]),
        (&padded(b"PACS")[..], &padded(b"SITE")[..]),
        "as they came"
    );
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    assert_eq!((&closed["calling-ae-title"], &closed["called-ae-title"]), (&json!("SITE"), &json!("PACS")));
}
