//! Storage commitment and N-GET of a peer that may see some studies only, or whose patients are counted: before Orthanc, before a
//! pynetdicom archive, and before a PACS of raw bytes.

use serde_json::{Value, json};

use crate::command::{Command, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::object::short;
use crate::peers::{self, PythonArchive};
use crate::raw::{self, Peer};
use crate::scope::{self, FIND, answered, keys, of_patient, uid};
use crate::upper::{self, Request};

const OF_LYON: &str = "scope = [{ tag = \"IssuerOfPatientID\", equals = [\"LYON\"] }]";
const COMMITMENT: &str = "1.2.840.10008.1.20.1";
/// Its one instance (PS3.4 J.3.5).
const WELL_KNOWN: &str = "1.2.840.10008.1.20.1.1";
/// Of Modality Performed Procedure Step Retrieve, which has an N-GET (PS3.4 F.8).
const STEP_RETRIEVE: &str = "1.2.840.10008.3.1.2.3.4";
const N_ACTION_RQ: u16 = 0x0130;
const N_EVENT_REPORT_RQ: u16 = 0x0100;

fn instance(number: u8) -> String {
    format!("{}.1.1", uid(number))
}

fn asked(gate: &Gate, service: &str, options: &[&str]) -> Value {
    let all = [&["--calling", "READER", "--called", "PACS"], options].concat();
    peers::scu(service, gate.address, &all)
}

/// Whether each of these was refused, by what the records say.
fn reasons(gate: &Gate, operation: &str) -> Vec<String> {
    let records = gate.records();
    let of_it = records.iter().filter(|record| record["operation"] == operation);
    of_it.map(|record| record["reason"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn orthanc_is_asked_to_keep_what_is_inside_or_was_brought() {
    let archive = peers::orthanc_with(&json!({"READER": ["READER", "127.0.0.1", 1]}));
    scope::filled(&archive);
    let gate = Gate::start(&Setup { peers: gate::peer(OF_LYON), ..Setup::plain(archive.address) });
    let commits = |named: &[String], files: &[&str]| {
        let named = named.join(",");
        asked(&gate, "commit", &[&["--unreported", "--instance", &named], files].concat())["action"].clone()
    };
    assert_eq!(commits(&[instance(1)], &[]), json!(0));
    assert_eq!(commits(&[instance(1), instance(4)], &[]), json!(0));
    for others in
        [vec![instance(2)], vec![instance(3)], vec!["1.2.3.4".into()], vec![instance(1), instance(7)]]
    {
        assert_eq!(commits(&others, &[]), json!(0x0124), "{others:?}");
    }
    // Of what it brings, it may ask, also later; who did not bring it may not.
    let own = of_patient(8, "P8", "PARIS", "20260102", "CT");
    let (_folder, files) = peers::files_of(&[own]);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    assert_eq!(commits(&[instance(8)], &files), json!(0));
    assert_eq!(commits(&[instance(8), instance(1)], &[]), json!(0));
    let named = instance(8);
    let other = ["--unreported", "--instance", &named, "--calling", "OTHER", "--called", "PACS"];
    assert_eq!(peers::scu("commit", gate.address, &other)["action"], json!(0x0124));
    assert!(reasons(&gate, "N-ACTION").iter().any(|reason| *reason == "outside-scope"));
}

#[test]
fn a_report_says_what_is_kept_and_what_was_brought_and_is_lost() {
    let objects =
        [of_patient(1, "P1", "LYON", "20260102", "CT"), of_patient(2, "P2", "PARIS", "20260102", "CT")];
    let (folder, _) = peers::files_of(&objects);
    let archive = PythonArchive::start(&["--index", &folder.path().display().to_string()]);
    let gate = Gate::start(&Setup { peers: gate::peer(OF_LYON), ..Setup::plain(archive.address()) });
    let own = of_patient(8, "P8", "PARIS", "20260102", "CT");
    let (_folder, files) = peers::files_of(&[own]);
    let both = format!("{},{}", instance(1), instance(8));
    let answer = asked(&gate, "commit", &["--instance", &both, &files[0]]);
    assert_eq!(answer["action"], json!(0), "{answer}");
    assert_eq!(answer["report"]["instances"], json!([instance(1), instance(8)]), "{answer}");
    assert_eq!(archive.event("N-EVENT-REPORT-RSP")["status"], 0);
    let own = archive
        .events()
        .into_iter()
        .find(|event| event["event"] == "A-ASSOCIATE" && event["extended"] != json!({}));
    assert_eq!(own.expect("a look-up")["extended"], json!({ FIND: "01" }), "relational queries are proposed");
    let refused = asked(&gate, "commit", &["--instance", &instance(2)]);
    assert_eq!(refused["action"], json!(0x0124), "{refused}");
    let unknown = asked(&gate, "commit", &["--instance", "1.2.3.4"]);
    assert_eq!(unknown["action"], json!(0x0124), "{unknown}");
    drop(archive);

    // Another archive takes what it is given and knows nothing of it.
    let lost = PythonArchive::start(&["--index", &folder.path().display().to_string(), "--loses"]);
    let gate = Gate::start(&Setup { peers: gate::peer(OF_LYON), ..Setup::plain(lost.address()) });
    let answer = asked(&gate, "commit", &["--instance", &both, &files[0]]);
    assert_eq!(answer["report"]["instances"], json!([instance(1)]), "{answer}");
    assert_eq!(answer["report"]["failed"], json!([instance(8)]), "{answer}");
}

#[test]
fn attributes_of_an_instance_are_told_where_they_say_that_it_is_inside() {
    let objects =
        [of_patient(1, "P1", "LYON", "20260102", "CT"), of_patient(2, "P2", "PARIS", "20260102", "CT")];
    let (folder, _) = peers::files_of(&objects);
    let archive = PythonArchive::start(&["--index", &folder.path().display().to_string()]);
    let gate = Gate::start(&Setup { peers: gate::peer(OF_LYON), ..Setup::plain(archive.address()) });
    let gets = |number: u8, attributes: &str| {
        let named = instance(number);
        let options = ["--sop-class", STEP_RETRIEVE, "--instance", &named, "--attributes", attributes];
        let answer = asked(&gate, "attributes", &options);
        (answer["status"].clone(), answer["study"].clone())
    };
    assert_eq!(gets(1, ""), (json!(0), json!(uid(1))));
    assert_eq!(gets(1, "00100021,0020000D"), (json!(0), json!(uid(1))));
    // Who asks for less than what is judged is told nothing.
    for (number, attributes) in [(1, "00100020"), (1, "00100021"), (2, ""), (9, "")] {
        assert_eq!(gets(number, attributes).0, json!(0x0124), "{number} {attributes}");
    }
    let heard = archive.events().into_iter().filter(|event| event["event"] == "N-GET").count();
    assert_eq!(heard, 4, "what is outside the archive never hears of");
}

#[test]
fn patients_of_named_instances_are_counted() {
    let objects = [1, 2].map(|number| of_patient(number, &format!("P{number}"), "LYON", "20260102", "CT"));
    let (folder, _) = peers::files_of(&objects);
    crate::patients::on_one_day(|| {
        let archive = PythonArchive::start(&["--index", &folder.path().display().to_string()]);
        let roles = gate::leaked(format!("{}\nmax-patients-per-day = 1", gate::ROLE_ALL));
        let gate = Gate::start(&Setup { roles, ..Setup::plain(archive.address()) });
        let commits = |named: &str| asked(&gate, "commit", &["--instance", named])["action"].clone();
        let both = format!("{},{}", instance(1), instance(2));
        assert_eq!(commits(&both), json!(0x0124));
        assert_eq!((commits(&instance(1)), commits(&instance(1))), (json!(0), json!(0)));
        assert_eq!(commits(&instance(2)), json!(0x0124));
        let gets = |number: u8| {
            let named = instance(number);
            let options = ["--sop-class", STEP_RETRIEVE, "--instance", &named];
            asked(&gate, "attributes", &options)["status"].clone()
        };
        assert_eq!((gets(1), gets(2)), (json!(0), json!(0x0124)));
        gate.record("one too many", |record| {
            record["operation"] == "N-ACTION" && record["reason"] == "too-many-patients"
        });
    });
}

/// The one instance of a study, as it is called on the side of the pseudonyms.
fn instance_of(gate: &Gate, study: &str) -> String {
    let study = format!("0020,000D={study}");
    let keys = ["0008,0052=IMAGE", &study, "0020,000E", "0008,0018"].into_iter().flat_map(|key| ["-k", key]);
    let options: Vec<&str> = ["-v", "-S", "-aet", "ALL", "-aec", "PACS"].into_iter().chain(keys).collect();
    let output = peers::requestor("findscu", gate.address, &options, &[]).output;
    let shown = scope::answers(&output);
    let line = shown.lines().find(|line| line.contains("(0008,0018)"));
    let line = line.unwrap_or_else(|| panic!("no instance of {study}: {output}"));
    let named = line.split_once('[').and_then(|(_, behind)| behind.split_once(']'));
    named.expect("a value").0.trim_end_matches([' ', '\0']).to_owned()
}

#[test]
fn under_pseudonyms_named_instances_are_judged_by_what_is_real() {
    let objects =
        [of_patient(1, "P1", "LYON", "20260102", "CT"), of_patient(2, "P2", "PARIS", "20260102", "CT")];
    let (folder, _) = peers::files_of(&objects);
    let archive = PythonArchive::start(&["--index", &folder.path().display().to_string()]);
    let gate = scope::under_pseudonyms(&archive.archive);
    let (all, own) = (scope::pseudonyms(&gate, "ALL"), scope::pseudonyms(&gate, "READER"));
    assert_eq!((all.len(), own.len()), (2, 1));
    for study in &all {
        let named = instance_of(&gate, study);
        let may = own.contains(study);
        let answer = asked(&gate, "commit", &["--instance", &named]);
        assert_eq!(answer["action"], json!(if may { 0 } else { 0x0124 }), "{answer}");
        let got = asked(&gate, "attributes", &["--sop-class", STEP_RETRIEVE, "--instance", &named]);
        assert_eq!(got["status"], json!(if may { 0 } else { 0x0124 }), "{got}");
        if may {
            assert_eq!((&answer["report"]["instances"], &got["study"]), (&json!([named]), &json!(study)));
        }
    }
    // What is real is nobody's name on this side, and what there is not is as what is outside.
    for named in [instance(1), "1.2.3.4".into()] {
        assert_eq!(asked(&gate, "commit", &["--instance", &named])["action"], json!(0x0124));
        let got = asked(&gate, "attributes", &["--sop-class", STEP_RETRIEVE, "--instance", &named]);
        assert_eq!(got["status"], json!(0x0124));
    }
}

fn commitment(instances: &[&str]) -> Vec<u8> {
    let items = instances.iter().flat_map(|named| {
        let of = |element, value: &str| short(0x0008, element, "UI", value.as_bytes());
        let content = [of(0x1150, upper::CT_IMAGE_STORAGE), of(0x1155, named)].concat();
        let length = u32::try_from(content.len()).expect("a short item").to_le_bytes();
        [&[0xFE, 0xFF, 0x00, 0xE0][..], &length, &content].concat()
    });
    let items: Vec<u8> = items.collect();
    let length = u32::try_from(items.len()).expect("a short sequence").to_le_bytes();
    let sequence = [&[8, 0, 0x99, 0x11, b'S', b'Q', 0, 0][..], &length, &items].concat();
    [short(0x0008, 0x1195, "UI", b"1.2.9"), sequence].concat()
}

fn action(id: u16, kind: u16) -> Command {
    let command = Command::new(N_ACTION_RQ).uid(3, COMMITMENT).us(0x0110, id).us(0x0800, 0);
    command.uid(0x1001, WELL_KNOWN).us(0x1008, kind)
}

/// An instance and its study, or a study and its issuer.
type Pairs = &'static [(&'static str, &'static str)];

/// The PACS is asked for the studies of instances, and says this of each.
fn says(own: &mut Peer, named: &[&str], studies: &[(&str, &str)]) {
    let heard = own.message();
    let of = |instances: &str, study: &str| {
        keys(&[
            (8, 0x18, "UI", instances),
            (8, 0x52, "CS", "IMAGE"),
            (0x20, 0x0D, "UI", study),
            (0x20, 0x0E, "UI", ""),
        ])
    };
    assert_eq!(heard.data_set, Some(of(&named.join("\\"), "")));
    for (instance, study) in studies {
        answered(own, 1, &heard.command, &of(instance, study));
    }
    own.send_message(1, &heard.command.response(0), None, 16384);
}

#[test]
fn a_pacs_is_asked_for_the_studies_of_instances_and_nothing_goes_on_that_it_does_not_tell() {
    let asks = Request::new("READER", "PACS").context(COMMITMENT, &[upper::EXPLICIT_LITTLE]);
    let (gate, upstream, mut requestor, mut acceptor) =
        raw::opened(&asks, |setup| setup.peers = gate::peer(OF_LYON));
    let data = commitment(&["1.3.1", "1.3.2"]);
    // Two instances of two studies; one that is of two studies; one that is not told; one of no study, alone or beside one; a study outside.
    let cases: [(Pairs, Pairs, bool); 6] = [
        (&[("1.3.1", "1.3"), ("1.3.2", "1.4")], &[("1.3", "LYON"), ("1.4", "LYON")], true),
        (&[("1.3.1", "1.3"), ("1.3.2", "1.3"), ("1.3.2", "1.5")], &[("1.5", "PARIS")], false),
        (&[("1.3.1", "1.3"), ("1.3.3", "1.3")], &[], false),
        (&[("1.3.1", "1.3"), ("1.3.2", "")], &[], false),
        (&[("1.3.1", "1.3"), ("1.3.2", "1.3"), ("1.3.2", "")], &[], false),
        (&[("1.3.1", "1.6"), ("1.3.2", "1.3")], &[("1.6", "PARIS")], false),
    ];
    for (id, (instances, studies, may)) in (1..).zip(cases) {
        requestor.send_message(1, &action(id, 1), Some(&data), 16384);
        let (mut own, _) = upstream.accept_all(16384);
        says(&mut own, &["1.3.1", "1.3.2"], instances);
        studies.iter().for_each(|(study, issuer)| scope::says(&mut own, study, issuer));
        if may {
            let heard = acceptor.message();
            assert_eq!((&heard.command, heard.data_set.as_deref()), (&action(id, 1), Some(&data[..])));
            acceptor.send_message(1, &heard.command.response(0), None, 16384);
        }
        own.expect_release();
        assert_eq!(requestor.message().command.number(STATUS), Some(if may { 0 } else { 0x0124 }), "{id}");
    }
    // Another action than the one of the service, and a PACS that says nothing.
    requestor.send_message(1, &action(8, 2), Some(&data), 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0x0124));
    requestor.send_message(1, &action(9, 1), Some(&data), 16384);
    drop(upstream.accept());
    assert_eq!(requestor.message().command.number(STATUS), Some(0x0124));
    // A report of what was granted, and one that names more.
    let report = Command::new(N_EVENT_REPORT_RQ).uid(2, COMMITMENT).us(0x0800, 0).uid(0x1000, WELL_KNOWN);
    let reports = |id: u16| report.clone().us(0x0110, id).us(0x1002, 1);
    acceptor.send_message(1, &reports(3), Some(&commitment(&["1.3.1", "1.3.7"])), 16384);
    assert_eq!(acceptor.message().command.number(STATUS), Some(0x0124));
    acceptor.send_message(1, &reports(4), Some(&data), 16384);
    let heard = requestor.message();
    assert_eq!(heard.data_set.as_deref(), Some(&data[..]));
    requestor.send_message(1, &heard.command.response(0), None, 16384);
    assert_eq!(acceptor.message().command.number(STATUS), Some(0));
    raw::release(requestor, acceptor);
    let actions = &gate.event("association-closed")["operations"]["N-ACTION"];
    assert_eq!(actions, &json!({"success": 1, "warning": 0, "failure": 1, "refused": 6}));
    gate.record("what is not known", |record| record["reason"] == "scope-not-known");
}
