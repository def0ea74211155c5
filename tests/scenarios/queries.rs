//! What a role allows of queries and retrievals: at which levels, by which keys, what its answers show, and how many there may be.

use std::fs;

use serde_json::{Value, json};

use crate::command::{C_CANCEL_RQ, C_FIND_RQ, C_FIND_RSP, Command, ERROR_COMMENT, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::object::{Object, short};
use crate::peers::{self, PythonArchive};
use crate::raw::{self, Peer, verification};
use crate::scratch::Scratch;
use crate::two_way;
use crate::upper::{self, Request};
use crate::wait;

const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
const WORKLIST: &str = "1.2.840.10008.5.1.4.31";
const BIG: &str = "1.2.840.10008.1.2.2";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const STUDY: &str = "2.25.200000000000000000000000000000000002";

/// A role that may do everything, with more keys.
fn role(keys: &str) -> &'static str {
    gate::leaked(format!("{}\n{keys}", gate::ROLE_ALL))
}

const NARROW: &str = "query-levels = [\"STUDY\", \"SERIES\"]\nquery-keys = [\"PatientID\", \"StudyDate\"]\n\
    query-min-length = 4\nhide = [\"PatientBirthDate\", \"(0008,009x)\", \"RequestAttributesSequence\"]";

fn request(id: u16) -> Command {
    Command::new(C_FIND_RQ).uid(2, FIND).us(0x0110, id).us(0x0700, 0).us(0x0800, 1)
}

fn response(id: u16, status: u16, data_set: bool) -> Command {
    let announced = if data_set { 1 } else { 0x0101 };
    Command::new(C_FIND_RSP).uid(2, FIND).us(0x0120, id).us(0x0800, announced).us(STATUS, status)
}

fn finding(keys: &str) -> (Gate, Peer, Peer) {
    let asked = verification("SITE", "PACS").context(FIND, &[upper::EXPLICIT_LITTLE]);
    let (gate, _upstream, requestor, acceptor) = raw::opened(&asked, |setup| setup.roles = role(keys));
    (gate, requestor, acceptor)
}

/// The answers of `findscu` and everything else that it printed.
fn find(gate: &Gate, called: &str, keys: &[&str]) -> String {
    let keys = keys.iter().flat_map(|key| ["-k", key]);
    let options: Vec<&str> = ["-v", "-S", "-aet", "SITE", "-aec", called].into_iter().chain(keys).collect();
    peers::requestor("findscu", gate.address, &options, &[]).output
}

fn answers(output: &str) -> &str {
    output.split_once("Find Response: 1").map_or("", |(_, answers)| answers)
}

fn reasons(gate: &Gate, operation: &str) -> Vec<Value> {
    let records = gate.records().into_iter().filter(|record| record["operation"] == operation);
    records.map(|record| json!([record["status"], record["reason"]])).collect()
}

/// Explicit VR big endian.
fn big(tag: (u16, u16), vr: &[u8], value: &[u8]) -> Vec<u8> {
    let length = (value.len() as u16).to_be_bytes();
    [&tag.0.to_be_bytes(), &tag.1.to_be_bytes(), vr, &length, value].concat()
}

fn implicit(tag: (u16, u16), value: &[u8]) -> Vec<u8> {
    let length = (value.len() as u32).to_le_bytes();
    [&tag.0.to_le_bytes(), &tag.1.to_le_bytes(), length.as_slice(), value].concat()
}

/// One stored block (RFC 1951 §3.2.4), as any deflate stream may be.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    [&[1], &length.to_le_bytes()[..], &(!length).to_le_bytes(), bytes].concat()
}

/// A study query by this Patient ID, with a sequence of undefined length, in each encoding.
fn identifiers(level: &[u8], patient: &[u8]) -> [Vec<u8>; 4] {
    let item = |elements: &[u8]| {
        let (item, end, last) = ([0xFE, 0xFF, 0, 0xE0], [0xFE, 0xFF, 0x0D, 0xE0], [0xFE, 0xFF, 0xDD, 0xE0]);
        [&item, &[0xFF; 4][..], elements, &end, &[0; 4], &last, &[0; 4]].concat()
    };
    let sequence = |head: &[u8], elements: &[u8]| [head, &[0xFF; 4], &item(elements)].concat();
    let inner = implicit((0x0008, 0x1155), b"");
    let plain = [
        implicit((0x0008, 0x0052), level),
        sequence(&[0x08, 0, 0x10, 0x11], &inner),
        implicit((0x0010, 0x0020), patient),
    ];
    let inner = short(0x0008, 0x1155, "UI", b"");
    let explicit = [
        short(0x0008, 0x0052, "CS", level),
        sequence(&[0x08, 0, 0x10, 0x11, b'S', b'Q', 0, 0], &inner),
        short(0x0010, 0x0020, "LO", patient),
    ]
    .concat();
    let big = [big((0x0008, 0x0052), b"CS", level), big((0x0010, 0x0020), b"LO", patient)];
    [plain.concat(), deflated(&explicit), explicit, big.concat()]
}

#[test]
fn an_identifier_in_any_encoding_and_any_pieces_is_judged_before_the_pacs_hears_of_it() {
    let syntaxes = [upper::IMPLICIT_LITTLE, DEFLATED, upper::EXPLICIT_LITTLE, BIG];
    let asked = syntaxes
        .iter()
        .fold(verification("SITE", "PACS"), |request, syntax| request.context(FIND, &[syntax]));
    let (gate, _upstream, mut requestor, mut acceptor) =
        raw::opened(&asked, |setup| setup.roles = role(NARROW));
    let (good, level, short) =
        (identifiers(b"STUDY ", b"4711"), identifiers(b"PATIENT ", b"4711"), identifiers(b"STUDY ", b"471*"));
    let mut id = 0;
    for (at, context) in [3, 5, 7, 9].into_iter().enumerate() {
        for maximum in [7, 16384] {
            for (identifier, comment) in [
                (&level[at], "query level not allowed for this peer"),
                (&short[at], "no key of the query narrows it as far as it has to"),
            ] {
                id += 1;
                requestor.send_message(context, &request(id), Some(identifier), maximum);
                let refused = requestor.message().command;
                assert_eq!((refused.number(0x0120), refused.number(STATUS)), (Some(id), Some(0x0124)));
                assert_eq!(refused.text(ERROR_COMMENT).as_deref(), Some(comment), "{context} {maximum}");
            }
            id += 1;
            requestor.send_message(context, &request(id), Some(&good[at]), maximum);
            // Nothing of the two before it: what reaches the PACS is this one, byte for byte.
            let seen = acceptor.message();
            assert_eq!((&seen.command, seen.data_set.as_ref()), (&request(id), Some(&good[at])));
            assert_eq!(seen.context, context);
            acceptor.send_message(context, &response(id, 0, false), None, 16384);
            assert_eq!(requestor.message().command.number(STATUS), Some(0));
        }
    }
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    let counts = json!({"success": 8, "warning": 0, "failure": 0, "refused": 16});
    assert_eq!(closed["operations"]["C-FIND"], counts, "{closed}");
    let refused = gate.record("a refusal", |record| record["reason"] == "query-level-not-allowed");
    assert_eq!(refused["status"], "0x0124");
    assert_eq!(refused["query"]["keys"], json!(["00080052", "00081110", "00100020"]), "{refused}");
    assert!(gate.records().iter().any(|record| record["reason"] == "query-too-wide"));
}

#[test]
fn an_identifier_that_cannot_be_read_is_refused_and_the_association_lives() {
    let (gate, mut requestor, mut acceptor) = finding(NARROW);
    let good = [short(0x08, 0x52, "CS", b"STUDY "), short(0x10, 0x20, "LO", b"4711")].concat();
    let twice = [&good[..], &short(0x10, 0x20, "LO", b"*")].concat();
    let out_of_order = [&good[14..], &good[..14]].concat();
    let cut = &good[..good.len() - 1];
    let long: Vec<u8> = (0..70).flat_map(|at| short(0x20, 2 * at + 1, "LO", &[b'x'; 1000])).collect();
    let all = [&twice[..], &out_of_order, cut, &[good.clone(), long].concat(), &[0xFF; 40]];
    for (id, identifier) in (1..).zip(all) {
        requestor.send_message(3, &request(id), Some(identifier), 1000);
        let refused = requestor.message().command;
        assert_eq!((refused.number(0x0120), refused.number(STATUS)), (Some(id), Some(0xC000)), "{id}");
        assert!(refused.text(ERROR_COMMENT).is_some_and(|comment| comment.starts_with("the identifier")));
    }
    requestor.send_message(3, &request(9).us(0x0800, 0x0101), None, 1000);
    assert_eq!(requestor.message().command.number(STATUS), Some(0xC000));
    requestor.send_message(3, &request(10), Some(&good), 1000);
    assert_eq!(acceptor.message().command, request(10));
    acceptor.send_message(3, &response(10, 0, false), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
    raw::release(requestor, acceptor);
    gate.event("association-closed");
    let mut expected = vec![json!(["0xC000", "query-unreadable"]); 6];
    expected.push(json!(["0x0000", null]));
    assert_eq!(reasons(&gate, "C-FIND"), expected);
}

#[test]
fn findscu_sees_of_orthanc_what_its_role_shows_and_does_not_ask_by_the_rest() {
    let archive = peers::orthanc();
    let (_folder, files) = peers::files_of(&[Object::ct(20_000)]);
    peers::requestor("storescu", archive.address, &["-xe", "-aec", "ORTHANC"], &[&files[0]]).expect_success();
    let setup = Setup { roles: role(NARROW), ..Setup::plain(archive.address) };
    let (open, gate) = (Gate::start(&Setup::plain(archive.address)), Gate::start(&setup));
    let keys = [
        "0008,0052=STUDY",
        "0010,0020=PID-0815",
        "0010,0010",
        "0010,0030",
        "0008,0090",
        "0020,000D",
        "0008,0050=*",
    ];
    let (whole, shown) = (find(&open, "ORTHANC", &keys), find(&gate, "ORTHANC", &keys));
    for there in ["19700101", "REFERRER"] {
        assert!(answers(&whole).contains(there), "Orthanc does not say {there}: {whole}");
        assert!(!answers(&shown).contains(there), "{there} in {shown}");
    }
    for tag in ["(0010,0030)", "(0008,0090)"] {
        assert!(!answers(&shown).contains(tag), "{tag} in {shown}");
    }
    for there in ["PHANTOM^CARLA", "PID-0815", STUDY, "STUDY", "A-4711"] {
        assert!(answers(&shown).contains(there), "{there} is not in {shown}");
    }
    for denied in [
        &["0008,0052=STUDY", "0010,0020=PID-0815", "0010,0030=19700101"][..],
        &["0008,0052=STUDY", "0010,0020=PID-0815", "0008,0090=REF*"],
        &["0008,0052=SERIES", "0010,0020=PID-0815", "0040,0275[0].0040,1001=RP1"],
        &["0008,0052=PATIENT", "0010,0020=PID-0815"],
        &["0008,0052=IMAGE", "0010,0020=PID-0815"],
        &["0008,0052=STUDY", "0010,0020=PI*"],
        &["0008,0052=STUDY", "0010,0010=PHANTOM^CARLA"],
        &["0008,0052=STUDY", "0008,0020=20260101-"],
    ] {
        let output = find(&gate, "ORTHANC", denied);
        assert!(output.contains("Final Find Response") && output.contains("0x124"), "{denied:?}: {output}");
        assert!(answers(&output).is_empty(), "{denied:?}: {output}");
    }
    let ranged = find(&gate, "ORTHANC", &["0008,0052=STUDY", "0008,0020=20260101-20260201", "0020,000D"]);
    assert!(answers(&ranged).contains(STUDY), "{ranged}");
    wait::until("ten closing records", || (gate.count("association-closed") == 10).then_some(()));
    let [hidden, level, wide] = ["query-key-hidden", "query-level-not-allowed", "query-too-wide"]
        .map(|reason| reasons(&gate, "C-FIND").iter().filter(|record| record[1] == reason).count());
    assert_eq!((hidden, level, wide), (3, 2, 3));
    // Who is asked for stands in the record as the configuration says, and never in clear where it does not.
    let records = format!("{:?}", gate.records());
    assert!(!records.contains("PID-0815") && !records.contains("REF*"), "{records}");
}

#[test]
fn an_answer_that_cannot_be_read_is_withheld_where_something_is_hidden() {
    let (gate, mut requestor, mut acceptor) =
        finding("hide = [\"PatientBirthDate\", \"RequestAttributesSequence\"]");
    let keys = [short(0x08, 0x52, "CS", b"STUDY "), short(0x10, 0x20, "LO", b"")].concat();
    requestor.send_message(3, &request(5), Some(&keys), 16384);
    assert_eq!(acceptor.message().data_set.as_ref(), Some(&keys));
    // At every depth, in a sequence of undefined length, and in pieces; a sequence goes as a whole.
    let item =
        |inner: &[u8]| [&[0xFE, 0xFF, 0, 0xE0][..], &(inner.len() as u32).to_le_bytes(), inner].concat();
    let sequence = |element: u16, group: u16, items: &[u8]| {
        let head = [group.to_le_bytes(), element.to_le_bytes(), *b"SQ", [0, 0]].concat();
        [&head, &[0xFF; 4][..], items, &[0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]].concat()
    };
    let (birth, kept) = (short(0x10, 0x30, "DA", b"19700101"), short(0x10, 0x20, "LO", b"4711"));
    let nested = |inner: &[u8]| sequence(0x1110, 0x0008, &item(inner));
    let requested = sequence(0x0275, 0x0040, &item(&short(0x40, 0x1001, "SH", b"RP1 ")));
    let whole = [&nested(&[&kept[..], &birth].concat())[..], &kept, &birth, &requested].concat();
    let shown = [&nested(&kept)[..], &kept].concat();
    for maximum in [9, 16384] {
        acceptor.send_message(3, &response(5, 0xFF00, true), Some(&whole), maximum);
        let seen = requestor.message();
        assert_eq!((&seen.command, seen.data_set), (&response(5, 0xFF00, true), Some(shown.clone())));
    }
    let bad = [kept, short(0x10, 0x20, "LO", b"4712")].concat();
    acceptor.send_message(3, &response(5, 0xFF00, true), Some(&bad), 16384);
    let cancel = acceptor.message().command;
    assert_eq!((cancel.field(), cancel.number(0x0120)), (C_CANCEL_RQ, Some(5)));
    acceptor.send_message(3, &response(5, 0xFF00, true), Some(&whole), 16384);
    acceptor.send_message(3, &response(5, 0xFE00, false), None, 16384);
    let failed = requestor.message().command;
    assert_eq!(failed.number(STATUS), Some(0xC000), "{failed:?}");
    raw::echo(&mut requestor, &mut acceptor);
    raw::release(requestor, acceptor);
    let record = gate.record("the query", |record| record["operation"] == "C-FIND");
    assert_eq!((&record["status"], &record["reason"]), (&json!("0xC000"), &json!("rewrite-failed")));
}

#[test]
fn more_answers_than_the_role_allows_are_withheld_and_the_query_cancelled() {
    let many = PythonArchive::start(&["--answers", "2000"]);
    let gate = Gate::start(&Setup { roles: role("max-answers = 3"), ..Setup::plain(many.address()) });
    let answer = peers::scu("find", gate.address, &[]);
    assert_eq!(answer["names"], json!(["ANSWER^0", "ANSWER^1", "ANSWER^2"]));
    assert_eq!((&answer["status"], &answer["released"]), (&json!(0xA700), &json!(true)));
    let cancelled = many.event("C-CANCEL");
    assert!(cancelled["answered"].as_u64().is_some_and(|answered| answered < 2000), "{cancelled}");
    let closed = gate.event("association-closed");
    assert_eq!(closed["operations"]["C-FIND"]["failure"], 1, "{closed}");
    assert_eq!(reasons(&gate, "C-FIND"), [json!(["0xA700", "too-many-answers"])]);
    // As many as there may be are an answer like any other.
    let three = PythonArchive::start(&["--answers", "3"]);
    let gate = Gate::start(&Setup { roles: role("max-answers = 3"), ..Setup::plain(three.address()) });
    let answer = peers::scu("find", gate.address, &[]);
    assert_eq!((answer["names"].as_array().map(Vec::len), &answer["status"]), (Some(3), &json!(0)));
    gate.event("association-closed");
    assert_eq!(reasons(&gate, "C-FIND"), [json!(["0x0000", null])]);
}

#[test]
fn getscu_and_movescu_fetch_by_uid_and_no_more_often_than_the_role_allows() {
    let destination = peers::storescp(&["-aet", "DESTINATION"]);
    let archive = peers::dcmqrscp(destination.address);
    let (_folder, files) = peers::files_of(&[Object::ct(20_000)]);
    peers::requestor("storescu", archive.address, &["-xe", "-aec", "QR"], &[&files[0]]).expect_success();
    let keys = "query-levels = [\"STUDY\"]\nquery-keys = [\"PatientID\"]\nmax-retrievals-per-hour = 2";
    let gate = Gate::start(&Setup { roles: role(keys), ..Setup::plain(archive.address) });
    let got = Scratch::new();
    let folder = got.path().display().to_string();
    let study = format!("0020,000D={STUDY}");
    let run = |program: &str, more: &[&str], keys: &[&str]| {
        let keys = keys.iter().flat_map(|key| ["-k", key]);
        let options: Vec<&str> = ["-v", "-S", "-aet", "SITE", "-aec", "QR"]
            .into_iter()
            .chain(more.iter().copied())
            .chain(keys)
            .collect();
        peers::requestor(program, gate.address, &options, &[]).output
    };
    let get = |keys: &[&str]| run("getscu", &["+B", "-od", &folder], keys);
    let moved = |keys: &[&str]| run("movescu", &["-aem", "DESTINATION"], keys);
    get(&["0008,0052=STUDY", "0020,000D"]);
    get(&["0008,0052=SERIES", &study, "0020,000E=1.2.3"]);
    assert_eq!(fs::read_dir(got.path()).expect("a folder").count(), 0, "what was refused brought something");
    get(&["0008,0052=STUDY", &study]);
    assert_eq!(fs::read_dir(got.path()).expect("a folder").count(), 1);
    moved(&["0008,0052=STUDY", &study]);
    assert_eq!(destination.stored(1).len(), 1);
    moved(&["0008,0052=STUDY", &study]);
    get(&["0008,0052=STUDY", &study]);
    wait::until("six closing records", || (gate.count("association-closed") == 6).then_some(()));
    assert_eq!(
        reasons(&gate, "C-GET"),
        [
            json!(["0x0124", "query-too-wide"]),
            json!(["0x0124", "query-level-not-allowed"]),
            json!(["0x0000", null]),
            json!(["0xA702", "too-many-retrievals"]),
        ]
    );
    assert_eq!(reasons(&gate, "C-MOVE"), [json!(["0x0000", null]), json!(["0xA702", "too-many-retrievals"])]);
    assert_eq!(destination.files().len(), 1);
}

#[test]
fn under_pseudonyms_keys_are_those_that_the_reader_writes_and_dates_stay_moved_without_the_patient() {
    let archive = peers::orthanc();
    let (_folder, files) = peers::files_of(&[Object::ct(20_000)]);
    peers::requestor("storescu", archive.address, &["-xe", "-aec", "ORTHANC"], &[&files[0]]).expect_success();
    let setup = two_way::readers(archive.address);
    let gate = Gate::start(&setup);
    let value = |output: &str, tag: &str| {
        let line = answers(output).lines().find(|line| line.contains(tag))?.to_owned();
        Some(line.split_once('[')?.1.split_once(']')?.0.trim().to_owned())
    };
    let wanted = ["0010,0010", "0010,0020", "0008,0020", "0020,000D"];
    let whole = find(&gate, "ORTHANC", &[&["0008,0052=STUDY"], &wanted[..]].concat());
    let (patient, date) = (value(&whole, "(0010,0020)").expect("a pseudonym"), value(&whole, "(0008,0020)"));
    assert!(date.as_ref().is_some_and(|date| date != "20260102"), "{whole}");
    let limited = Setup {
        roles: role(
            "query-levels = [\"STUDY\"]\nquery-keys = [\"PatientID\"]\nquery-min-length = 9\nhide = [\"PatientName\"]",
        ),
        peers: setup.peers.clone(),
        ..setup
    };
    let loaded = gate.count("configuration-loaded");
    gate.reload(&limited.toml());
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    let by_pseudonym = format!("0010,0020={patient}");
    let shown =
        find(&gate, "ORTHANC", &["0008,0052=STUDY", &by_pseudonym, "0010,0010", "0008,0020", "0020,000D"]);
    assert_eq!(
        (value(&shown, "(0008,0020)"), value(&shown, "(0010,0020)")),
        (date.clone(), Some(patient)),
        "{shown}"
    );
    assert!(!answers(&shown).contains("(0010,0010)") && !shown.contains("PHANTOM"), "{shown}");
    let refused = find(&gate, "ORTHANC", &["0008,0052=STUDY", "0010,0020=PID-0815", "0010,0010"]);
    assert!(answers(&refused).is_empty(), "{refused}");
    wait::until("three closing records", || (gate.count("association-closed") == 3).then_some(()));
    // A real Patient ID has eight letters and digits here, one too few, and stands for nothing besides.
    assert_eq!(reasons(&gate, "C-FIND").last(), Some(&json!(["0x0124", "query-too-wide"])));
    let hiding = Setup {
        roles: role("hide = [\"PatientID\"]"),
        peers: two_way::readers(archive.address).peers,
        ..two_way::readers(archive.address)
    };
    let loaded = gate.count("configuration-loaded");
    gate.reload(&hiding.toml());
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    let shown = find(&gate, "ORTHANC", &[&["0008,0052=STUDY"], &wanted[..]].concat());
    assert_eq!(value(&shown, "(0008,0020)"), date, "the date moves as the patient's do: {shown}");
    assert!(!answers(&shown).contains("(0010,0020)"), "{shown}");
}

#[test]
fn a_worklist_is_asked_by_what_its_procedure_step_says() {
    let keys =
        "query-levels = [\"STUDY\"]\nquery-keys = [\"ScheduledProcedureStepStartDate\", \"PatientID\"]";
    let asked = Request::new("SITE", "PACS").context(WORKLIST, &[upper::EXPLICIT_LITTLE]);
    let (_gate, _upstream, mut requestor, mut acceptor) =
        raw::opened(&asked, |setup| setup.roles = role(keys));
    let step = |date: &[u8]| {
        let inner = short(0x40, 0x02, "DA", date);
        let item = [&[0xFE, 0xFF, 0, 0xE0][..], &(inner.len() as u32).to_le_bytes(), &inner].concat();
        let head = [&[0x40, 0, 0, 1][..], b"SQ", &[0, 0], &(item.len() as u32).to_le_bytes()].concat();
        [head, item].concat()
    };
    let request = |id| Command::new(C_FIND_RQ).uid(2, WORKLIST).us(0x0110, id).us(0x0700, 0).us(0x0800, 1);
    requestor.send_message(1, &request(1), Some(&step(b"")), 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0x0124));
    requestor.send_message(1, &request(2), Some(&step(b"20260102")), 16384);
    assert_eq!(acceptor.message().data_set, Some(step(b"20260102")));
    acceptor.send_message(1, &request(2).response(0), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
    raw::release(requestor, acceptor);
}

#[test]
fn a_reload_that_allows_less_of_queries_ends_an_association_and_one_that_allows_more_does_not() {
    let (gate, upstream, mut requestor, mut acceptor) =
        raw::opened(&verification("SITE", "PACS"), |setup| setup.roles = role("max-answers = 5"));
    let reload = |keys: &str| {
        let loaded = gate.count("configuration-loaded");
        gate.reload(&Setup { roles: role(keys), ..Setup::plain(upstream.address) }.toml());
        wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    };
    reload("max-answers = 6");
    raw::echo(&mut requestor, &mut acceptor);
    reload("max-answers = 6\nhide = [\"PatientName\"]");
    assert_eq!(requestor.expect(upper::ABORT), acceptor.expect(upper::ABORT));
    let closed = gate.event("association-closed");
    assert_eq!(closed["ended"], "policy", "{closed}");
    let reason = closed["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("policy-changed: ") && reason.contains("allows less"), "{reason}");
}

#[test]
fn explain_check_and_a_comparison_tell_what_a_role_says_of_queries() {
    let upstream = "127.0.0.1:104".parse().expect("an address");
    let site = crate::site::Site::new();
    let of = |keys: &str| Setup { roles: role(keys), ..Setup::tls(upstream) }.toml();
    let write =
        |name: &str, keys: &str| fs::write(site.path(name), of(keys)).expect("a configuration written");
    write("dimsegate.toml", NARROW);
    let asks = ["explain", "-c", "dimsegate.toml", "--listener", "remote", "--from", "127.0.0.1"];
    let who = ["--calling", "SITE", "--called", "PACS", "--certificate", "certs/client.pem"];
    let (status, text) = gate::told(&site, &[&asks[..], &who].concat());
    assert_eq!(status, 0, "{text}");
    for said in [
        "queries    query-levels: STUDY, SERIES",
        "query-keys: PatientID, StudyDate",
        "query-min-length: 4",
        "hide: PatientBirthDate, (0008,009x), RequestAttributesSequence",
    ] {
        assert!(text.contains(said), "{said} in {text}");
    }
    write("old.toml", NARROW);
    write("new.toml", "query-levels = [\"STUDY\", \"IMAGE\"]\nhide = [\"(0008,00xx)\"]\nmax-answers = 9");
    let told = gate::run(&site, &["check", "--diff", "old.toml", "new.toml", "--strict"]);
    assert_eq!(told.status, 1, "{}{}", told.out, told.err);
    let expected = "newly admitted:\n  peer \"site\" (role \"all\")\n    query-levels        IMAGE\n    \
        query-keys          none needed\n    hide                shows PatientBirthDate,\n                        \
        RequestAttributesSequence\nnewly denied:\n  peer \"site\" (role \"all\")\n    query-levels        SERIES\n    \
        hide                shows (0008,00xx)\n    max-answers         any number\n";
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(&told.out), words(expected), "{}", told.out);
    for (keys, said) in [
        (
            "query-levels = [\"STUDYS\"]",
            "query-levels[0]: \"STUDYS\" is no query level, did you mean \"STUDY\"?",
        ),
        ("query-keys = [\"PatentID\"]", "did you mean PatientID?"),
        ("query-keys = [\"(0010,xxxx)\"]", "stands for several attributes"),
        ("query-keys = [\"RequestAttributesSequence\"]", "is nothing that a query looks for by a value"),
        ("hide = [\"QueryRetrieveLevel\"]", "cannot be left out of answers"),
        ("hide = [\"(0009,ACME,10)\"]", "no private creator can be named here, write (0009,xx10)"),
        ("max-answers = 0", "is out of range"),
        ("max-retrievals-per-hour = 10001", "is out of range"),
    ] {
        write("dimsegate.toml", keys);
        let told = gate::run(&site, &["check", "-c", "dimsegate.toml"]);
        let text = words(&format!("{}{}", told.out, told.err));
        assert!(told.status == 78 && text.contains(said), "{keys}: {text}");
    }
    write("dimsegate.toml", "query-min-length = 3");
    let told = gate::run(&site, &["check", "-c", "dimsegate.toml"]);
    let text = words(&format!("{}{}", told.out, told.err));
    assert!(told.status == 0 && text.contains("no query-keys have to have a value"), "{text}");
}
