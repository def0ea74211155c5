//! A peer that may see some studies only, before an Orthanc that holds those of three sites, and before a PACS of raw bytes.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;

use serde_json::json;

use crate::command::{C_FIND_RQ, C_GET_RQ, C_MOVE_RQ, Command, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::object::{Object, short};
use crate::peers::{self, Archive};
use crate::process;
use crate::raw::{self, Peer, Upstream};
use crate::scratch::Scratch;
use crate::site::Site;
use crate::upper::{self, Request};
use crate::user_identity;

pub const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
pub const MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";
pub const GET: &str = "1.2.840.10008.5.1.4.1.2.2.3";
const LYON: &str = "scope = [{ tag = \"IssuerOfPatientID\", equals = [\"LYON\"] }, { tag = \"StudyDate\", newer-than = \"36500d\" }, \
                    { tag = \"ModalitiesInStudy\", any-of = [\"CT\", \"MR\"] }]";

/// Number, issuer, date and modality: the first alone is within [`LYON`].
pub const STUDIES: [(u8, &str, &str, &str); 6] = [
    (1, "LYON", "20260102", "CT"),
    (2, "PARIS", "20260102", "CT"),
    (3, "", "20260102", "CT"),
    (4, "LYON", "18500101", "CT"),
    (5, "LYON", "20260102", "US"),
    (7, "OSLO", "20260102", "CT"),
];

pub fn uid(number: u8) -> String {
    format!("1.2.826.0.1.{number}")
}

fn object(number: u8, issuer: &str, date: &str, modality: &str) -> Object {
    of_patient(number, &format!("P{number}"), issuer, date, modality)
}

pub fn of_patient(number: u8, patient: &str, issuer: &str, date: &str, modality: &str) -> Object {
    let study = uid(number);
    let (series, instance) = (format!("{study}.1"), format!("{study}.1.1"));
    let mut header = [
        (0x0008, 0x0016, "UI", upper::CT_IMAGE_STORAGE),
        (0x0008, 0x0018, "UI", instance.as_str()),
        (0x0008, 0x0020, "DA", date),
        (0x0008, 0x0060, "CS", modality),
        (0x0010, 0x0010, "PN", "DOE^JANE"),
        (0x0010, 0x0020, "LO", patient),
        (0x0010, 0x0021, "LO", issuer),
        (0x0020, 0x000D, "UI", study.as_str()),
        (0x0020, 0x000E, "UI", series.as_str()),
    ]
    .to_vec();
    header.retain(|(_, element, _, value)| *element != 0x0021 || !value.is_empty());
    let data_set =
        header.iter().flat_map(|(group, element, vr, value)| short(*group, *element, vr, value.as_bytes()));
    Object {
        sop_class: upper::CT_IMAGE_STORAGE.into(),
        sop_instance: instance.clone(),
        transfer_syntax: upper::EXPLICIT_LITTLE.into(),
        data_set: data_set.collect(),
    }
}

pub fn filled(archive: &Archive) {
    let objects = STUDIES.map(|(number, issuer, date, modality)| object(number, issuer, date, modality));
    store(archive, &objects);
}

pub fn store(archive: &Archive, objects: &[Object]) {
    let (_folder, files) = peers::files_of(objects);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let options = ["-aet", "SITE", "-aec", "ORTHANC", "-xe", "-R"];
    peers::requestor("storescu", archive.address, &options, &files).expect_success();
}

pub fn find(address: SocketAddr, model: &str, keys: &[&str]) -> String {
    let keys = keys.iter().flat_map(|key| ["-k", key]);
    let options: Vec<&str> =
        ["-v", model, "-aet", "READER", "-aec", "ORTHANC"].into_iter().chain(keys).collect();
    peers::requestor("findscu", address, &options, &[]).output
}

/// The answers that findscu printed, without the request before them.
pub fn answers(output: &str) -> String {
    output.split_once("Find Response: 1").map_or(String::new(), |(_, answers)| answers.to_owned())
}

/// The numbers of the studies in what findscu printed.
pub fn seen(output: &str) -> BTreeSet<u8> {
    let shown = answers(output);
    let lines = shown.lines().filter(|line| line.contains("(0020,000d)"));
    let number = |line: &str| {
        let study = line.split_once('[')?.1.split_once(']')?.0.trim_end_matches([' ', '\0']).to_owned();
        study.rsplit_once('.')?.1.parse().ok()
    };
    lines.filter_map(number).collect()
}

pub fn got(address: SocketAddr, keys: &[&str]) -> (bool, Vec<String>) {
    let folder = Scratch::new();
    let path = folder.path().display().to_string();
    let keys = keys.iter().flat_map(|key| ["-k", key]);
    let options: Vec<&str> = ["-v", "-S", "-aet", "READER", "-aec", "ORTHANC", "+B", "-od", &path]
        .into_iter()
        .chain(keys)
        .collect();
    let finished = peers::requestor("getscu", address, &options, &[]);
    let files = fs::read_dir(folder.path()).expect("a folder").flatten();
    let objects = files.map(|file| Object::from_file(&file.path()).expect("an object").sop_instance);
    (finished.output.contains("0x124"), objects.collect())
}

pub fn moved(address: SocketAddr, keys: &[&str]) -> String {
    let keys = keys.iter().flat_map(|key| ["-k", key]);
    let options: Vec<&str> =
        ["-v", "-S", "-aet", "READER", "-aec", "ORTHANC", "-aem", "READER"].into_iter().chain(keys).collect();
    peers::requestor("movescu", address, &options, &[]).output
}

#[test]
fn a_reader_finds_gets_and_moves_what_is_within_its_scope_and_nothing_else() {
    let workstation = peers::storescp(&["-aet", "READER"]);
    let archive =
        peers::orthanc_with(&json!({"READER": ["READER", "127.0.0.1", workstation.address.port()]}));
    filled(&archive);
    let gate = Gate::start(&Setup { peers: gate::peer(LYON), ..Setup::plain(archive.address) });
    let study_of = |number: u8| format!("0020,000D={}", uid(number));

    // What Orthanc holds, and what of it the reader sees.
    let all = ["0008,0052=STUDY", "0020,000D", "0010,0020"];
    assert_eq!(seen(&find(archive.address, "-S", &all)), [1, 2, 3, 4, 5, 7].into());
    let shown = find(gate.address, "-S", &all);
    assert_eq!(seen(&shown), [1].into(), "{shown}");
    assert!(shown.contains("Received Final Find Response (Success)"), "{shown}");
    for unasked in ["(0010,0021)", "(0008,0020)", "(0008,0061)"] {
        assert!(!answers(&shown).contains(unasked), "{unasked}: {shown}");
    }
    let record = gate.record("the query", |record| record["operation"] == "C-FIND");
    assert_eq!((&record["withheld"], &record["status"]), (&json!(5), &json!("0x0000")));
    // What is asked for comes back, and what would be believed is looked up.
    for key in ["0010,0021=LYON", "0008,0061=CT", "0008,0020=20260102", "0010,0021"] {
        let shown = find(gate.address, "-S", &["0008,0052=STUDY", "0020,000D", key]);
        assert_eq!(seen(&shown), [1].into(), "{key}: {shown}");
        assert!(answers(&shown).contains(&format!("({})", &key[..9])), "{key}: {shown}");
    }
    assert_eq!(
        seen(&find(gate.address, "-S", &["0008,0052=STUDY", "0020,000D", "0010,0021=PARIS"])),
        [].into()
    );
    let patients = find(gate.address, "-P", &["0008,0052=PATIENT", "0010,0020"]);
    assert!(patients.contains("0x124"), "{patients}");
    for (number, ..) in STUDIES {
        let series = find(gate.address, "-S", &["0008,0052=SERIES", &study_of(number), "0020,000E"]);
        let expected: BTreeSet<u8> = if number == 1 { [1].into() } else { [].into() };
        assert_eq!(seen(&series), expected, "{series}");
        assert!(series.contains("Received Final Find Response (Success)"), "{series}");
    }

    for (number, ..) in STUDIES {
        let (is_refused, objects) = got(gate.address, &["0008,0052=STUDY", &study_of(number)]);
        let expected = if number == 1 { vec![format!("{}.1.1", uid(1))] } else { Vec::new() };
        assert_eq!((is_refused, objects), (number != 1, expected), "{number}");
        let output = moved(gate.address, &["0008,0052=STUDY", &study_of(number)]);
        assert_eq!(output.contains("Received Final Move Response (Success)"), number == 1, "{output}");
    }
    // Orthanc takes the UID of the level alone for what is retrieved, whatever study stands beside it.
    let series = format!("0020,000E={}.1", uid(2));
    let instance = format!("0008,0018={}.1.1", uid(2));
    let own_series = format!("0020,000E={}.1", uid(1));
    let borrowed: [&[&str]; 4] = [
        &["0008,0052=SERIES", &study_of(1), &series],
        &["0008,0052=IMAGE", &study_of(1), &own_series, &instance],
        &["0008,0052=SERIES", &series],
        &["0008,0052=STUDY", &format!("{}\\{}", study_of(1), uid(2))],
    ];
    for keys in borrowed {
        assert_eq!(got(gate.address, keys), (true, Vec::new()), "{keys:?}");
        let output = moved(gate.address, keys);
        assert!(!output.contains("(Success)"), "{keys:?}: {output}");
    }
    let own: [&[&str]; 2] = [
        &["0008,0052=SERIES", &study_of(1), &own_series],
        &["0008,0052=IMAGE", &study_of(1), &own_series, &format!("0008,0018={}.1.1", uid(1))],
    ];
    for keys in own {
        assert_eq!(got(gate.address, keys), (false, vec![format!("{}.1.1", uid(1))]), "{keys:?}");
    }
    let stored = workstation.stored(1);
    assert_eq!(
        stored.iter().map(|object| object.sop_instance.clone()).collect::<Vec<_>>(),
        [format!("{}.1.1", uid(1))]
    );
    assert!(gate.records().iter().filter(|record| record["reason"] == "outside-scope").count() >= 10);
    assert!(!gate.output().contains("DOE^JANE"));
}

pub fn keys(all: &[(u16, u16, &str, &str)]) -> Vec<u8> {
    all.iter().flat_map(|(group, element, vr, value)| short(*group, *element, vr, value.as_bytes())).collect()
}

pub fn request(class: &str, field: u16, id: u16) -> Command {
    let command = Command::new(field).uid(2, class).us(0x0110, id).us(0x0700, 0).us(0x0800, 0);
    if field == C_MOVE_RQ { command.bytes(0x0600, b"READER".to_vec()) } else { command }
}

pub fn answered(acceptor: &mut Peer, context: u8, command: &Command, answer: &[u8]) {
    let pending = command.response(0xFF00).us(0x0800, 0);
    acceptor.send_message(context, &pending, Some(answer), 16384);
}

fn opened() -> (Gate, Upstream, Peer, Peer) {
    let request = Request::new("READER", "PACS")
        .context(FIND, &[upper::EXPLICIT_LITTLE])
        .context(MOVE, &[upper::EXPLICIT_LITTLE])
        .context(GET, &[upper::EXPLICIT_LITTLE]);
    raw::opened(&request, |setup| {
        setup.peers = gate::peer("scope = [{ tag = \"IssuerOfPatientID\", equals = [\"LYON\"] }]");
    })
}

#[test]
fn a_pacs_gets_a_key_more_and_its_answers_come_without() {
    let (gate, _upstream, mut requestor, mut acceptor) = opened();
    let asked = keys(&[(8, 0x52, "CS", "STUDY"), (0x10, 0x10, "PN", "DOE*"), (0x20, 0x0D, "UI", "")]);
    let more = [
        (8, 0x52, "CS", "STUDY"),
        (0x10, 0x10, "PN", "DOE*"),
        (0x10, 0x21, "LO", ""),
        (0x20, 0x0D, "UI", ""),
    ];
    let command = request(FIND, C_FIND_RQ, 7);
    requestor.send_message(1, &command, Some(&asked), 16384);
    let heard = acceptor.message();
    assert_eq!((&heard.command, heard.data_set), (&command, Some(keys(&more))));
    let answer = |issuer: &str, study: &str| {
        keys(&[
            (8, 0x52, "CS", "STUDY"),
            (0x10, 0x10, "PN", "DOE^J"),
            (0x10, 0x21, "LO", issuer),
            (0x20, 0x0D, "UI", study),
        ])
    };
    for (issuer, study) in [("PARIS", "1.2"), ("LYON", "1.3"), ("", "1.4")] {
        answered(&mut acceptor, 1, &heard.command, &answer(issuer, study));
    }
    // One that cannot be read, and one of which nothing is known.
    answered(
        &mut acceptor,
        1,
        &heard.command,
        &[keys(&[(0x20, 0x0D, "UI", "1.5")]), answer("LYON", "1.5")].concat(),
    );
    acceptor.send_message(1, &heard.command.response(0), None, 16384);
    let first = requestor.message();
    let expected = keys(&[(8, 0x52, "CS", "STUDY"), (0x10, 0x10, "PN", "DOE^J"), (0x20, 0x0D, "UI", "1.3")]);
    assert_eq!((first.command.number(STATUS), first.data_set), (Some(0xFF00), Some(expected)));
    let last = requestor.message();
    assert_eq!((last.command.number(STATUS), last.data_set), (Some(0), None));
    raw::release(requestor, acceptor);
    let record = gate.record("the query", |record| record["operation"] == "C-FIND");
    assert_eq!(record["withheld"], json!(3));
}

#[test]
fn a_query_whose_answers_cannot_be_looked_up_fails_and_is_not_empty() {
    let (gate, upstream, mut requestor, mut acceptor) = opened();
    let of = |study: &str| {
        keys(&[(8, 0x52, "CS", "STUDY"), (0x10, 0x21, "LO", "LYON"), (0x20, 0x0D, "UI", study)])
    };
    requestor.send_message(1, &request(FIND, C_FIND_RQ, 7), Some(&of("")), 16384);
    let heard = acceptor.message();
    answered(&mut acceptor, 1, &heard.command, &of("1.3"));
    answered(&mut acceptor, 1, &heard.command, &of("1.4"));
    drop(upstream.accept());
    assert_eq!(acceptor.message().command.number(0x0100), Some(0x0FFF), "a C-CANCEL");
    acceptor.send_message(1, &heard.command.response(0), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0xA700));
    // The second is not looked up any more.
    upstream.expect_nobody();
    raw::release(requestor, acceptor);
    let record = gate.record("the query", |record| record["operation"] == "C-FIND");
    assert_eq!((&record["reason"], &record["status"]), (&json!("scope-not-known"), &json!("0xA700")));
}

/// An answer, or a key list, of [`opened`].
fn of_lyon(study: &str) -> Vec<u8> {
    keys(&[(8, 0x52, "CS", "STUDY"), (0x10, 0x21, "LO", "LYON"), (0x20, 0x0D, "UI", study)])
}

/// The PACS is asked about a study over an association of dimsegate's own, and says whose it is.
pub fn says(own: &mut Peer, study: &str, issuer: &str) {
    let heard = own.message();
    let of =
        |issuer| keys(&[(8, 0x52, "CS", "STUDY"), (0x10, 0x21, "LO", issuer), (0x20, 0x0D, "UI", study)]);
    assert_eq!(heard.data_set, Some(of("")), "{study}");
    answered(own, 1, &heard.command, &of(issuer));
    own.send_message(1, &heard.command.response(0), None, 16384);
}

#[test]
fn the_answers_of_a_query_are_looked_up_over_one_association() {
    let (gate, upstream, mut requestor, mut acceptor) = opened();
    requestor.send_message(1, &request(FIND, C_FIND_RQ, 7), Some(&of_lyon("")), 16384);
    let heard = acceptor.message();
    let studies: Vec<String> = (0..40).map(|number| format!("1.3.{number}")).collect();
    for study in &studies {
        answered(&mut acceptor, 1, &heard.command, &of_lyon(study));
    }
    let (mut own, _) = upstream.accept_all(16384);
    let mut seen = Vec::new();
    for (study, issuer) in studies.iter().zip(["LYON", "PARIS"].into_iter().cycle()) {
        says(&mut own, study, issuer);
        seen.extend((issuer == "LYON").then(|| requestor.message().data_set));
    }
    let inside: Vec<_> = studies.iter().step_by(2).map(|study| Some(of_lyon(study))).collect();
    assert_eq!(seen, inside);
    // It is for this operation, or a while: it takes a place at the PACS.
    acceptor.send_message(1, &heard.command.response(0), None, 16384);
    own.expect_release();
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
    upstream.expect_nobody();
    raw::release(requestor, acceptor);
    let record = gate.record("the query", |record| record["operation"] == "C-FIND");
    assert_eq!(record["withheld"], json!(20));
}

#[test]
fn a_look_up_is_asked_anew_once_where_the_association_that_was_kept_has_ended() {
    let (_gate, upstream, mut requestor, mut acceptor) = opened();
    requestor.send_message(1, &request(FIND, C_FIND_RQ, 7), Some(&of_lyon("")), 16384);
    let heard = acceptor.message();
    answered(&mut acceptor, 1, &heard.command, &of_lyon("1.3"));
    let (mut own, _) = upstream.accept_all(16384);
    says(&mut own, "1.3", "LYON");
    assert_eq!(requestor.message().data_set, Some(of_lyon("1.3")));
    // The PACS has had enough of it between two answers, and then of the next one, too.
    drop(own);
    answered(&mut acceptor, 1, &heard.command, &of_lyon("1.4"));
    let (mut own, _) = upstream.accept_all(16384);
    says(&mut own, "1.4", "LYON");
    assert_eq!(requestor.message().data_set, Some(of_lyon("1.4")));
    drop(own);
    answered(&mut acceptor, 1, &heard.command, &of_lyon("1.5"));
    let (own, _) = upstream.accept_all(16384);
    drop(own);
    assert_eq!(acceptor.message().command.number(0x0100), Some(0x0FFF), "a C-CANCEL");
    acceptor.send_message(1, &heard.command.response(0), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0xA700));
    upstream.expect_nobody();
    raw::release(requestor, acceptor);
}

#[test]
fn what_a_role_says_of_queries_holds_within_a_scope_too() {
    let asked = Request::new("READER", "PACS").context(FIND, &[upper::EXPLICIT_LITTLE]);
    let (gate, _upstream, mut requestor, mut acceptor) = raw::opened(&asked, |setup| {
        setup.peers = gate::peer("scope = [{ tag = \"IssuerOfPatientID\", equals = [\"LYON\"] }]");
        setup.roles = gate::leaked(format!(
            "{}\nquery-levels = [\"STUDY\"]\nquery-keys = [\"PatientID\"]\nhide = [\"PatientName\"]\nmax-answers = 1",
            gate::ROLE_ALL
        ));
    });
    let query = |level: &str, name: &str, patient: &str, issuer: Option<&str>, study: &str| {
        let mut all = [
            (8, 0x52, "CS", level),
            (0x10, 0x10, "PN", name),
            (0x10, 0x20, "LO", patient),
            (0x10, 0x21, "LO", issuer.unwrap_or_default()),
            (0x20, 0x0D, "UI", study),
        ]
        .to_vec();
        all.retain(|(_, element, ..)| *element != 0x21 || issuer.is_some());
        keys(&all)
    };
    // Too wide, by what is hidden, and at a level that the role does not have: the PACS hears of none.
    for (id, refused) in [
        query("STUDY", "", "", None, ""),
        query("STUDY", "DOE*", "P1", None, ""),
        query("SERIES", "", "P1", None, "1.3"),
    ]
    .iter()
    .enumerate()
    {
        let command = request(FIND, C_FIND_RQ, 20 + u16::try_from(id).expect("small"));
        requestor.send_message(1, &command, Some(refused), 16384);
        assert_eq!(requestor.message().command.number(STATUS), Some(0x0124), "{id}");
    }
    requestor.send_message(1, &request(FIND, C_FIND_RQ, 7), Some(&query("STUDY", "", "P1", None, "")), 16384);
    let heard = acceptor.message();
    assert_eq!(heard.command.number(0x0110), Some(7));
    assert_eq!(heard.data_set, Some(query("STUDY", "", "P1", Some(""), "")));
    for (issuer, study) in [("PARIS", "1.2"), ("LYON", "1.3"), ("LYON", "1.4")] {
        let answer = query("STUDY", "DOE^J", "P1", Some(issuer), study);
        answered(&mut acceptor, 1, &heard.command, &answer);
    }
    let first = requestor.message();
    let shown = keys(&[(8, 0x52, "CS", "STUDY"), (0x10, 0x20, "LO", "P1"), (0x20, 0x0D, "UI", "1.3")]);
    assert_eq!((first.command.number(STATUS), first.data_set), (Some(0xFF00), Some(shown)));
    // The one outside does not count; the third would be the second, and the PACS is told to stop.
    assert_eq!(acceptor.message().command.number(0x0100), Some(0x0FFF));
    acceptor.send_message(1, &heard.command.response(0xFE00), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0xA700));
    raw::release(requestor, acceptor);
    let record = gate.record("the query", |record| record["reason"] == "too-many-answers");
    assert_eq!(record["withheld"], json!(1));
}

#[test]
fn a_study_is_looked_up_once_and_refused_alike_whether_it_is_there_or_not() {
    let (gate, upstream, mut requestor, mut acceptor) = opened();
    let retrieval = |study: &str| keys(&[(8, 0x52, "CS", "STUDY"), (0x20, 0x0D, "UI", study)]);
    let looked_up = |study: &str, issuer: Option<&str>| {
        let (mut own, asked) = upstream.accept_all(16384);
        assert_eq!((asked.calling.trim(), asked.called.trim()), ("READER", "PACS"));
        let heard = own.message();
        let empty = [(8, 0x52, "CS", "STUDY"), (0x10, 0x21, "LO", ""), (0x20, 0x0D, "UI", study)];
        assert_eq!(heard.data_set, Some(keys(&empty)));
        if let Some(issuer) = issuer {
            let said = [(8, 0x52, "CS", "STUDY"), (0x10, 0x21, "LO", issuer), (0x20, 0x0D, "UI", study)];
            answered(&mut own, 1, &heard.command, &keys(&said));
        }
        own.send_message(1, &heard.command.response(0), None, 16384);
        own
    };
    let (mut refusals, mut before) = (Vec::new(), Vec::new());
    // That a study is outside is not remembered.
    for (study, issuer) in [("1.2", Some("PARIS")), ("1.9", None), ("1.2", Some("PARIS"))] {
        requestor.send_message(3, &request(MOVE, C_MOVE_RQ, 5), Some(&retrieval(study)), 16384);
        // With each operation ends what was opened for it.
        before.push(looked_up(study, issuer));
        refusals.push(requestor.message().command);
    }
    before.into_iter().for_each(Peer::expect_release);
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]));
    assert_eq!(refusals[0].number(STATUS), Some(0x0124));
    for id in [6, 7] {
        let command = request(MOVE, C_MOVE_RQ, id);
        requestor.send_message(3, &command, Some(&retrieval("1.3")), 16384);
        if id == 6 {
            looked_up("1.3", Some("LYON")).expect_release();
        }
        let heard = acceptor.message();
        assert_eq!((&heard.command, heard.data_set), (&command, Some(retrieval("1.3"))));
        acceptor.send_message(3, &heard.command.response(0), None, 16384);
        assert_eq!(requestor.message().command.number(STATUS), Some(0));
    }
    // It is remembered: nobody is asked again.
    upstream.expect_nobody();
    // No retrieval without its study.
    let cannot = keys(&[(8, 0x52, "CS", "SERIES"), (0x20, 0x0E, "UI", "1.3.1")]);
    for (context, class, field) in [(3, MOVE, C_MOVE_RQ), (5, GET, C_GET_RQ)] {
        requestor.send_message(context, &request(class, field, 8), Some(&cannot), 16384);
        assert_eq!(requestor.message().command.number(STATUS), Some(0x0124));
    }
    // One that is too long to be judged is recorded as far as it was read.
    let (name, study) = ("A".repeat(8_000), "1.2.1\\".repeat(10_000));
    let long = keys(&[(8, 0x52, "CS", "STUDY"), (0x10, 0x10, "PN", &name), (0x20, 0x0D, "UI", &study)]);
    requestor.send_message(5, &request(GET, C_GET_RQ, 9), Some(&long), 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0x0124));
    let record =
        gate.record("the long one", |record| record["operation"] == "C-GET" && record["message-id"] == 9);
    assert!(record["bytes"].as_u64().is_some_and(|bytes| bytes > 65_536), "{record}");
    assert!(record["query"].is_object(), "{record}");
    raw::release(requestor, acceptor);
    let moves = &gate.event("association-closed")["operations"]["C-MOVE"];
    assert_eq!(moves, &json!({"success": 2, "warning": 0, "failure": 0, "refused": 4}));
}

#[test]
fn a_pacs_that_does_not_answer_lets_nothing_be_retrieved() {
    let (gate, upstream, mut requestor, acceptor) = opened();
    let retrieval = keys(&[(8, 0x52, "CS", "STUDY"), (0x20, 0x0D, "UI", "1.2")]);
    requestor.send_message(3, &request(MOVE, C_MOVE_RQ, 5), Some(&retrieval), 16384);
    drop(upstream.accept());
    assert_eq!(requestor.message().command.number(STATUS), Some(0xA701));
    raw::release(requestor, acceptor);
    let record = gate.record("the retrieval", |record| record["operation"] == "C-MOVE");
    assert_eq!(record["reason"], "scope-not-known");
}

#[test]
fn a_study_is_looked_up_for_the_user_whom_the_pacs_is_told_of() {
    let retrieval = keys(&[(8, 0x52, "CS", "STUDY"), (0x20, 0x0D, "UI", "1.2")]);
    let passcode = user_identity::PASSCODE.as_bytes();
    let bert = user_identity::identity(2, b"bert", passcode);
    let named: Option<&[u8]> = Some(b"\x01\x00\x00\x04bert\x00\x00");
    // What the PACS shows to one user says nothing of what it shows to another, where it is told of them.
    for (forward, asked_for) in [("replace", vec![named, None]), ("strip", vec![None]), ("pass", vec![None])]
    {
        let upstream = Upstream::bind();
        let (gate, _) = user_identity::start(&Setup {
            listener: "user-identity = \"accept\"\nuser-identity-in-clear = true",
            upstream_keys: gate::leaked(format!("user-identity = \"{forward}\"")),
            peers: gate::peer("scope = [{ tag = \"IssuerOfPatientID\", equals = [\"LYON\"] }]"),
            ..Setup::plain(upstream.address)
        });
        let mut to_be_asked = asked_for.into_iter();
        for is_bert in [true, false, true, false] {
            let asked = Request::new("READER", "PACS").context(MOVE, &[upper::EXPLICIT_LITTLE]);
            let asked = if is_bert { asked.user_item(bert.clone()) } else { asked };
            let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &asked, 16384);
            requestor.send_message(1, &request(MOVE, C_MOVE_RQ, 5), Some(&retrieval), 16384);
            if let Some(user) = to_be_asked.next() {
                let (mut own, asked) = upstream.accept_all(16384);
                assert_eq!(asked.user_item(0x58), user, "{forward}");
                says(&mut own, "1.2", "LYON");
                own.expect_release();
            }
            let heard = acceptor.message();
            acceptor.send_message(1, &heard.command.response(0), None, 16384);
            assert_eq!(requestor.message().command.number(STATUS), Some(0), "{forward}");
            raw::release(requestor, acceptor);
        }
        upstream.expect_nobody();
    }
}

#[test]
fn patients_are_found_by_an_issuer_within_the_scope() {
    const OF_LYON: &str = "scope = [{ tag = \"IssuerOfPatientID\", equals = [\"LYON\"] }]";
    let archive = peers::orthanc();
    filled(&archive);
    let gate = Gate::start(&Setup { peers: gate::peer(OF_LYON), ..Setup::plain(archive.address) });
    let patients = |issuer: &str| {
        let output = find(gate.address, "-P", &["0008,0052=PATIENT", "0010,0020", issuer]);
        let shown = answers(&output);
        let names =
            (1..=9).map(|number| format!("P{number}")).filter(|name| shown.contains(&format!("[{name}")));
        (names.collect::<Vec<_>>(), output.contains("0x124"))
    };
    let of_lyon = ["P1", "P4", "P5"].map(String::from).to_vec();
    for issuer in ["0010,0021", "0010,0021=LYON"] {
        assert_eq!(patients(issuer), (of_lyon.clone(), false), "{issuer}");
    }
    assert_eq!(patients("0010,0021=PARIS"), (Vec::new(), false));
    assert_eq!(patients("0010,0021=LY*"), (Vec::new(), true));
}

/// READER has a scope, and ALL has none; both see pseudonyms.
pub fn under_pseudonyms(archive: &Archive) -> Gate {
    let keys = "rewrite = \"site\"\nrewrite-direction = \"to-peer\"\ntwo-way = true\ncalling-ae-titles = ";
    let all =
        format!("\n[[peer]]\nname = \"all\"\nnetworks = [\"127.0.0.0/8\"]\n{keys}[\"ALL\"]\nrole = \"all\"");
    let peers = gate::peer(&format!("{keys}[\"READER\"]\n{LYON}")) + &all;
    Gate::start(&Setup { peers, extra: crate::two_way::REWRITE, ..Setup::plain(archive.address) })
}

/// Those of all studies that somebody is shown.
pub fn pseudonyms(gate: &Gate, calling: &str) -> BTreeSet<String> {
    let asked = ["0008,0052=STUDY", "0020,000D", "0010,0020"];
    let options: Vec<&str> = ["-v", "-S", "-aet", calling, "-aec", "ORTHANC"]
        .into_iter()
        .chain(asked.iter().flat_map(|key| ["-k", key]))
        .collect();
    let output = peers::requestor("findscu", gate.address, &options, &[]).output;
    assert!(output.contains("Received Final Find Response (Success)"), "{output}");
    let shown = answers(&output);
    let lines = shown.lines().filter(|line| line.contains("(0020,000d)"));
    let study = |line: &str| {
        let (_, behind) = line.split_once('[')?;
        Some(behind.split_once(']')?.0.trim_end_matches([' ', '\0']).to_owned())
    };
    lines.filter_map(study).collect()
}

#[test]
fn under_pseudonyms_the_scope_speaks_of_real_values() {
    let archive = peers::orthanc();
    filled(&archive);
    let gate = under_pseudonyms(&archive);
    let (all, own) = (pseudonyms(&gate, "ALL"), pseudonyms(&gate, "READER"));
    assert_eq!((all.len(), own.len()), (STUDIES.len(), 1));
    assert!(own.is_subset(&all) && !own.contains(&uid(1)), "{own:?}");
    for study in &all {
        let key = format!("0020,000D={study}");
        let (is_refused, objects) = got(gate.address, &["0008,0052=STUDY", &key]);
        assert_eq!(
            (is_refused, objects.len()),
            (!own.contains(study), usize::from(own.contains(study))),
            "{study}"
        );
        let series = find(gate.address, "-S", &["0008,0052=SERIES", &key, "0020,000E"]);
        assert_eq!(answers(&series).contains("(0020,000e)"), own.contains(study), "{series}");
    }
    let record =
        gate.record("the query", |record| record["operation"] == "C-FIND" && !record["withheld"].is_null());
    assert_eq!(record["withheld"], json!(5));
}

#[test]
fn under_pseudonyms_a_retrieval_to_elsewhere_moves_what_is_within_the_scope() {
    let workstation = peers::storescp(&["-aet", "READER"]);
    let archive =
        peers::orthanc_with(&json!({"READER": ["READER", "127.0.0.1", workstation.address.port()]}));
    filled(&archive);
    let gate = under_pseudonyms(&archive);
    let (all, own) = (pseudonyms(&gate, "ALL"), pseudonyms(&gate, "READER"));
    assert_eq!((all.len(), own.len()), (STUDIES.len(), 1));
    for study in &all {
        let key = format!("0020,000D={study}");
        let told = moved(gate.address, &["0008,0052=STUDY", &key]);
        let is_moved = told.contains("Received Final Move Response (Success)");
        assert_eq!((is_moved, told.contains("0x124")), (own.contains(study), !own.contains(study)), "{told}");
    }
    // A real UID is nobody's name on this side.
    let real = moved(gate.address, &["0008,0052=STUDY", &format!("0020,000D={}", uid(1))]);
    assert!(!real.contains("Received Final Move Response (Success)"), "{real}");
    let stored = workstation.stored(1);
    let studies: BTreeSet<String> = stored.iter().map(|object| object.sop_instance.clone()).collect();
    assert_eq!(studies, [format!("{}.1.1", uid(1))].into(), "the archive itself sends what is real");
}

#[test]
fn before_an_archive_of_rewritten_objects_the_scope_speaks_of_those() {
    const OF_SITE: &str = "scope = [{ tag = \"IssuerOfPatientID\", equals = [\"SITE\"] }]\nrewrite = \"named\"\n\
                           rewrite-direction = \"from-peer\"";
    const NAMED: &str = "[[rewrite]]\nname = \"named\"\n\
                         rules = [{ tag = \"IssuerOfPatientID\", action = \"replace\", value = \"SITE\" }]";
    let archive = peers::orthanc();
    filled(&archive);
    let setup = Setup { peers: gate::peer(OF_SITE), extra: NAMED, ..Setup::plain(archive.address) };
    let gate = Gate::start(&setup);
    let (_folder, files) = peers::files_of(&[object(8, "PARIS", "20260102", "CT")]);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let options = ["-aet", "READER", "-aec", "ORTHANC", "-xe", "-R"];
    peers::requestor("storescu", gate.address, &options, &files).expect_success();
    assert_eq!(seen(&find(gate.address, "-S", &["0008,0052=STUDY", "0020,000D"])), [8].into());
    for (number, may) in [(8, true), (1, false)] {
        let study = format!("0020,000D={}", uid(number));
        let (is_refused, objects) = got(gate.address, &["0008,0052=STUDY", &study]);
        assert_eq!((is_refused, objects.len()), (!may, usize::from(may)), "{number}");
    }
    // Where the archive has pseudonyms, nothing that it says can be judged.
    let two_ways = OF_SITE.replace("\"named\"", "\"site\"\ntwo-way = true");
    let setup = Setup {
        peers: gate::peer(&two_ways),
        extra: crate::two_way::REWRITE,
        ..Setup::plain(archive.address)
    };
    let site = Site::new();
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a file written");
    let (status, output) = gate::told(&site, &["check", "-c", "dimsegate.toml"]);
    assert!(status == 78 && output.contains("cannot be judged: with two-way"), "{status} {output}");
}

#[test]
fn check_and_explain_say_what_a_scope_does() {
    let site = Site::new();
    let upstream = process::free_address();
    let toml = |scope: &str| Setup { peers: gate::peer(scope), ..Setup::plain(upstream) }.toml();
    let checked = |scope: &str| {
        fs::write(site.path("dimsegate.toml"), toml(scope)).expect("a file written");
        gate::told(&site, &["check", "-c", "dimsegate.toml"])
    };
    let wrong = [
        ("tag = \"PatientNames\", equals = [\"A\"]", "is no attribute that a scope can speak of"),
        ("tag = \"StudyDate\", equals = [\"20260101\"]", "is a date"),
        ("tag = \"StudyID\", newer-than = \"90d\"", "is no date"),
        ("tag = \"StudyDate\", newer-than = \"90h\"", "is no number of days"),
        ("tag = \"ModalitiesInStudy\", equals = [\"CT\"]", "has several values"),
        ("tag = \"StudyID\"", "says nothing of it"),
        ("tag = \"StudyID\", equals = [\"A\"], any-of = [\"B\"]", "says more than one thing of it"),
        ("tag = \"StudyID\", equals = [\"A\\\\B\"]", "is no value that can be compared"),
        ("equals = [\"A\"]", "is missing"),
    ];
    for (condition, problem) in wrong {
        let (status, output) = checked(&format!("scope = [{{ {condition} }}]"));
        assert!(status == 78 && output.contains(problem), "{condition}: {status} {output}");
    }
    let (status, output) = checked("scope-cache = \"5m\"");
    assert!(status == 0 && output.contains("has no effect without a scope"), "{output}");
    let (status, output) = checked(LYON);
    assert!(
        status == 0
            && output.contains("N-ACTION but for storage commitment, ")
            && output.contains("cannot be judged"),
        "{status} {output}"
    );

    let explained = |more: &[&str]| {
        let facts = [
            "explain",
            "-c",
            "dimsegate.toml",
            "--listener",
            "remote",
            "--from",
            "127.0.0.1",
            "--calling",
            "READER",
            "--called",
            "PACS",
        ];
        gate::told(&site, &[&facts, more].concat())
    };
    let study = ["--study", "IssuerOfPatientID=LYON", "--study", "StudyDate=20260102", "--study"];
    let (status, output) = explained(&[&study[..], &["ModalitiesInStudy=SR\\CT"]].concat());
    assert!(status == 0 && output.contains("inside: every condition holds"), "{output}");
    let (status, output) = explained(&[&study[..], &["ModalitiesInStudy=US"]].concat());
    assert!(
        status == 3 && output.contains("outside: ModalitiesInStudy any-of CT, MR does not hold"),
        "{output}"
    );
    let (status, output) = explained(&["--study", "IssuerOfPatientID=LYON"]);
    assert!(
        status == 3 && output.contains("outside: StudyDate newer-than 36500d cannot be judged"),
        "{output}"
    );
    for operation in [&["N-SET"][..], &["N-ACTION", "--sop-class", "1.2.840.10008.5.1.1.2"]] {
        let (status, output) = explained(&[&["--operation"], operation].concat());
        assert!(status == 3 && output.contains("the scope of the peer cannot judge it"), "{output}");
    }
    for operation in [&["N-GET"][..], &["N-ACTION", "--sop-class", "1.2.840.10008.1.20.1"]] {
        let (status, output) = explained(&[&["--operation"], operation].concat());
        assert!(status == 0 && output.contains("is allowed"), "{output}");
    }
}
