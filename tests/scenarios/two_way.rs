//! A remote reader that sees and uses pseudonyms only, and a PACS that never hears of one.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use crate::command::{C_CANCEL_RQ, C_FIND_RQ, C_FIND_RSP, Command, ERROR_COMMENT, STATUS};
use crate::crosswalk::uids;
use crate::gate::{self, Gate, Setup};
use crate::object::{Object, short};
use crate::peers::{self, PythonArchive};
use crate::process::{self, Finished};
use crate::raw::{self, Peer, Upstream};
use crate::scratch::Scratch;
use crate::tap::Tap;
use crate::upper::{self, Request};

pub const REWRITE: &str = r#"
[[crosswalk]]
name = "readers"
file = "crosswalk/readers"
key-file = "conf/crosswalk.key"
[[rewrite]]
name = "site"
profile = "basic"
options = ["retain-longitudinal-modified-dates", "retain-patient-characteristics"]
keep-times = true
crosswalk = "readers"
secret-file = "conf/pseudonym.key"
rules = [
  { tag = "PatientName", action = "replace", value = "ANON^{pseudonym}" },
  { tag = "PatientID", action = "replace", value = "{pseudonym}" },
  { tag = "AccessionNumber", action = "pseudonym" },
]
"#;
const TO_PEER: &str = "rewrite = \"site\"\nrewrite-direction = \"to-peer\"\ntwo-way = true";

/// What [`Object::ct`] says of a patient, and no reader may see.
const REAL: [&str; 9] = [
    "PHANTOM^CARLA",
    "PID-0815",
    "A-4711",
    "2.25.20000000000000000000000000000000000",
    "REFERRER",
    "HOSPITAL OF",
    "19700101",
    "20260102",
    "SERIAL-99",
];
const STUDY: &str = "2.25.200000000000000000000000000000000002";
const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";

pub fn readers(upstream: SocketAddr) -> Setup {
    Setup { peers: gate::peer(TO_PEER), extra: REWRITE, ..Setup::plain(upstream) }
}

fn assert_shows_nothing(tap: &Tap) {
    for real in REAL {
        assert!(!tap.heard(real), "{real} went to the reader");
    }
}

/// The values that a DCMTK program printed of an element, in the order of the answers.
fn values(output: &str, tag: &str) -> Vec<String> {
    let lines = output.lines().filter(|line| line.contains(&format!("({tag})")));
    let value = |line: &str| {
        let (_, behind) = line.split_once('[')?;
        Some(behind.split_once(']')?.0.trim_end().trim_end_matches('\0').to_owned())
    };
    lines.filter_map(value).collect()
}

/// `findscu` with keys, as `tag=value`; its answers, and everything it printed.
fn find(address: SocketAddr, model: &str, keys: &[&str]) -> String {
    let keys = keys.iter().flat_map(|key| ["-k", key]);
    let options: Vec<&str> =
        ["-v", model, "-aet", "READER", "-aec", "ORTHANC"].into_iter().chain(keys).collect();
    peers::requestor("findscu", address, &options, &[]).output
}

/// The answers only: findscu prints the request too, before them.
fn answers(output: &str) -> String {
    output.split_once("Find Response: 1").map_or(String::new(), |(_, answers)| answers.to_owned())
}

pub fn get(address: SocketAddr, keys: &[&str]) -> (Scratch, Vec<Object>) {
    let folder = Scratch::new();
    let path = folder.path().display().to_string();
    let keys = keys.iter().flat_map(|key| ["-k", key]);
    let options: Vec<&str> =
        ["-S", "-aet", "READER", "-aec", "ORTHANC", "+B", "-od", &path].into_iter().chain(keys).collect();
    peers::requestor("getscu", address, &options, &[]).expect_success();
    let mut files: Vec<_> = fs::read_dir(folder.path()).expect("a folder").flatten().collect();
    files.sort_by_key(|file| file.file_name());
    let objects = files.iter().map(|file| Object::from_file(&file.path()).expect("an object")).collect();
    (folder, objects)
}

fn only_file(folder: &Path) -> String {
    let file = fs::read_dir(folder).expect("a folder").flatten().next().expect("a file");
    file.path().display().to_string()
}

pub fn store(address: SocketAddr, file: &str) {
    let options = ["-aet", "READER", "-aec", "ORTHANC", "-xe", "-R"];
    peers::requestor("storescu", address, &options, &[file]).expect_success();
}

pub fn made(arguments: &[&str]) -> Value {
    let mut command = peers::python("made.py");
    command.args(arguments);
    let output = Finished::run(command).expect_success();
    serde_json::from_str(output.trim()).unwrap_or(Value::Null)
}

fn dump(file: &Path) -> String {
    let mut command = peers::dcmtk("dcmdump");
    command.arg("+L").arg(file);
    Finished::run(command).expect_success()
}

#[test]
fn a_reader_finds_gets_moves_and_reports_by_pseudonyms() {
    let outbound = process::free_address();
    let workstation = peers::storescp(&["-aet", "READER"]);
    let archive = peers::orthanc_with(&json!({"READER": ["READER", "127.0.0.1", outbound.port()]}));
    let setup = Setup {
        peers: format!(
            "{}\n\
             [[listener]]\nname = \"outbound\"\naddress = \"{outbound}\"\nupstream = \"workstation\"\n\
             [[upstream]]\nname = \"workstation\"\naddresses = [\"{}\"]\n\
             [[peer]]\nname = \"archive\"\nlisteners = [\"outbound\"]\nnetworks = [\"127.0.0.0/8\"]\n\
             calling-ae-titles = [\"ORTHANC\"]\nrole = \"all\"\nrewrite = \"site\"\n\
             rewrite-direction = \"from-peer\"\ntwo-way = true",
            gate::peer(&format!("{TO_PEER}\nlisteners = [\"remote\"]")),
            workstation.address,
        ),
        ..readers(archive.address)
    };
    let gate = Gate::start(&setup);
    let tap = Tap::before(gate.address);
    let original = Object::ct(60_000);
    let (_folder, files) = peers::files_of(std::slice::from_ref(&original));
    store(archive.address, &files[0]);

    let asked = ["0008,0052=STUDY", "0008,0020", "0008,0050", "0010,0010", "0010,0020", "0020,000D"];
    let shown = answers(&find(tap.address, "-S", &asked));
    let [patient, name, study] =
        ["0010,0020", "0010,0010", "0020,000d"].map(|tag| values(&shown, tag).remove(0));
    assert_eq!((patient.len(), name.as_str()), (16, format!("ANON^{patient}").as_str()), "{shown}");
    assert_ne!(values(&shown, "0008,0020"), ["20260102"]);

    let count = |key: &str| {
        let output = find(tap.address, "-S", &["0008,0052=STUDY", "0020,000D", "0010,0020", key]);
        (values(&answers(&output), "0020,000d").len(), output)
    };
    for key in [format!("0010,0020={patient}"), format!("0010,0020={patient}*"), format!("0020,000D={study}")]
    {
        assert_eq!(count(&key).0, 1, "{key}");
    }
    for key in ["0010,0020=PID-0815", "0010,0020=0123456789ABCDEF", "0010,0010=PHANTOM^CARLA"] {
        let (found, output) = count(key);
        assert_eq!(found, 0, "{key}: {output}");
        assert!(output.contains("Received Final Find Response (Success)"), "{key}: {output}");
    }
    for key in ["0010,0020=PID*", "0010,0010=PHA*", "0010,0030=19700101", "0008,0020=20260101-20261231"] {
        let (found, output) = count(key);
        assert_eq!(found, 0, "{key}: {output}");
        assert!(output.contains("Response (Error: DataSetDoesNotMatchSOPClass)"), "{key}: {output}");
    }
    assert_eq!(
        values(
            &answers(&find(
                tap.address,
                "-S",
                &["0008,0052=STUDY", "0020,000D", &format!("0010,0010={name}"), "0010,0020",]
            )),
            "0020,000d"
        ),
        [study.as_str()]
    );

    let study_key = format!("0020,000D={study}");
    let (got, objects) = get(tap.address, &["0008,0052=STUDY", &study_key]);
    let [object] = objects.as_slice() else { panic!("{} objects", objects.len()) };
    let bytes = String::from_utf8_lossy(&object.data_set).into_owned();
    assert!(REAL.iter().all(|real| !bytes.contains(real)) && bytes.contains(&study), "an object as it was");

    let options = [
        "-S",
        "-aet",
        "READER",
        "-aec",
        "ORTHANC",
        "-aem",
        "READER",
        "-k",
        "0008,0052=STUDY",
        "-k",
        &study_key,
    ];
    peers::requestor("movescu", tap.address, &options, &[]).expect_success();
    let moved = workstation.stored(1);
    assert_eq!(moved[0].sop_instance, object.sop_instance, "one instance, two pseudonyms");
    let bytes = String::from_utf8_lossy(&moved[0].data_set).into_owned();
    assert!(REAL.iter().all(|real| !bytes.contains(real)), "moved as it was");

    let sent_back = peers::requestor(
        "storescu",
        tap.address,
        &["-v", "-aet", "READER", "-aec", "ORTHANC", "-xe", "-R"],
        &[&only_file(got.path())],
    );
    assert!(sent_back.output.contains("0x111"), "a poorer copy replaced its original: {}", sent_back.output);

    let report = got.path().join("report");
    let made = made(&["report", &only_file(got.path()), &report.display().to_string()]);
    store(tap.address, &report.display().to_string());
    let real_key = format!("0020,000D={STUDY}");
    let (kept, _) = get(archive.address, &["0008,0052=STUDY", &real_key]);
    let named = |uid: &Value| uids(&gate.site)[uid.as_str().unwrap_or_default()].clone();
    let (own, own_series) = (named(&made["sop_instance"]), named(&made["series"]));
    let files: Vec<_> =
        fs::read_dir(kept.path()).expect("a folder").flatten().map(|file| file.path()).collect();
    assert_eq!(files.len(), 2, "the image and the report, in the real study");
    let report =
        files.iter().map(|file| dump(file)).find(|dump| dump.contains("CONTAINER")).expect("a report");
    for (tag, value) in [
        ("0008,0018", own.as_str()),
        ("0008,0020", "20260102"),
        ("0008,0023", made["today"].as_str().unwrap_or_default()),
        ("0008,0050", "A-4711"),
        ("0008,0080", "READERS OF THE TEST"),
        ("0008,1155", &original.sop_instance),
        ("0010,0010", "PHANTOM^CARLA"),
        ("0010,0020", "PID-0815"),
        ("0010,0040", "F"),
        ("0020,000d", STUDY),
        ("0020,000e", &own_series),
        ("0040,a160", "No phantom was harmed."),
    ] {
        assert!(values(&report, tag).contains(&value.to_owned()), "{tag} {value}: {report}");
    }
    assert!(!report.contains("(0012,0062)") && !report.contains(&patient), "{report}");

    let own = made["sop_instance"].as_str().unwrap_or_default();
    let own_key = format!("0008,0018={own}");
    let series_key = format!("0020,000E={}", made["series"].as_str().unwrap_or_default());
    let found = answers(&find(tap.address, "-S", &["0008,0052=IMAGE", &study_key, &series_key, &own_key]));
    assert_eq!(values(&found, "0008,0018"), [own], "the reader's own report has its own name");

    assert_shows_nothing(&tap);
    let stored = gate.record("the report", |record| {
        record["operation"] == "C-STORE"
            && record["direction"] == "from-peer"
            && record["peer"] != "archive"
            && record["sop-instance"] == own
    });
    assert_eq!((&stored["study"], &stored["new-study"]), (&json!(study), &json!(gate.hashed(STUDY))));
    gate.record("an unknown patient", |record| {
        record["operation"] == "C-FIND"
            && record["reason"] == "unknown-pseudonym"
            && record["status"] == "0x0000"
    });
    let written = format!("{:?}{}", gate.records(), gate.output());
    assert!(
        !written.contains("PHANTOM^CARLA") && !written.contains("PID-0815"),
        "a patient in the records or the log"
    );
}

/// The value of an element of a file, as `dcmdump` prints its bytes.
fn printed(file: &Path, tag: &str) -> Option<String> {
    let dump = dump(file);
    let line = dump.lines().find(|line| line.starts_with(&format!("({tag})")))?;
    Some(line.split_once('#')?.0.trim_end().to_owned())
}

#[test]
fn names_and_identifiers_of_any_script_are_looked_for_and_come_back_as_the_archive_wrote_them() {
    for (set, name, patient, accession) in [
        ("ISO_IR 100", "MÜLLER^ÄNNE", "PID-MÜ", "Ä-4711"),
        ("\\ISO 2022 IR 149", "Hong^Gildong=洪^吉洞=홍^길동", "PID-0817", "A-4712"),
        ("ISO 2022 IR 13\\ISO 2022 IR 87", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", "PID-0818", "A-4713"),
    ] {
        let archive = peers::orthanc();
        let gate = Gate::start(&readers(archive.address));
        let tap = Tap::before(gate.address);
        let (folder, files) = peers::files_of(&[Object::ct(2_000)]);
        let original = folder.path().join("renamed");
        made(&["renamed", &files[0], &original.display().to_string(), set, name, patient, accession]);
        store(archive.address, &original.display().to_string());

        let asked = ["0008,0052=STUDY", "0008,0050", "0010,0010", "0010,0020", "0020,000D"];
        let shown = answers(&find(tap.address, "-S", &asked));
        let of = |tag| values(&shown, tag).remove(0);
        let (shown_accession, shown_patient, study) = (of("0008,0050"), of("0010,0020"), of("0020,000d"));
        for key in [format!("0010,0020={shown_patient}"), format!("0008,0050={shown_accession}")] {
            let output = find(tap.address, "-S", &["0008,0052=STUDY", "0020,000D", "0010,0020", &key]);
            assert_eq!(values(&answers(&output), "0020,000d"), [study.as_str()], "{set} {key}: {output}");
        }
        let (got, _) = get(tap.address, &["0008,0052=STUDY", &format!("0020,000D={study}")]);
        let report = got.path().join("report");
        made(&["report", &only_file(got.path()), &report.display().to_string()]);
        store(tap.address, &report.display().to_string());
        let (kept, _) = get(archive.address, &["0008,0052=STUDY", &format!("0020,000D={STUDY}")]);
        let kept: Vec<_> =
            fs::read_dir(kept.path()).expect("a folder").flatten().map(|file| file.path()).collect();
        assert_eq!(kept.len(), 2, "{set}");
        for tag in ["0008,0005", "0008,0050", "0010,0010", "0010,0020"] {
            let real = printed(&original, tag);
            assert!(real.is_some() && kept.iter().all(|file| printed(file, tag) == real), "{set} {tag}");
        }
    }
}

#[test]
fn commitment_and_procedure_steps_mean_the_same_on_both_sides() {
    let original = Object::ct(3_000);
    let (folder, _) = peers::files_of(std::slice::from_ref(&original));
    let archive = PythonArchive::start(&["--serve", &folder.path().display().to_string(), "--answers", "3"]);
    let gate = Gate::start(&readers(archive.address()));
    let tap = Tap::before(gate.address);
    let got = Scratch::new();
    let answer = peers::scu("get", tap.address, &["--folder", &got.path().display().to_string()]);
    assert_eq!((&answer["status"], &answer["Completed"]), (&json!(0), &json!(1)), "{answer}");
    let instance = answer["received"][0]["sop_instance"].as_str().expect("an instance").to_owned();
    assert!(instance.starts_with("2.25.") && instance != original.sop_instance);
    let data_set = fs::read(got.path().join("000000.dataset")).expect("an object");
    let element = |tag: [u8; 4]| {
        let at = data_set.windows(4).position(|window| window == tag).expect("an element") + 8;
        let length = usize::from(data_set[at - 2]);
        String::from_utf8_lossy(&data_set[at..at + length]).trim_end_matches(['\0', ' ']).to_owned()
    };
    let (patient, study) = (element([0x10, 0, 0x20, 0]), element([0x20, 0, 0x0D, 0]));

    let answer = peers::scu("commit", tap.address, &["--instance", &instance]);
    assert_eq!(answer["action"], 0, "{answer}");
    let told = json!({"transaction": "2.25.8001", "instances": [instance], "type": 1});
    assert_eq!(answer["report"], told);
    let contains = |event: &str, what: &str| {
        let data_set = archive.data_set(&archive.event(event));
        data_set.windows(what.len()).any(|window| window == what.as_bytes())
    };
    assert!(contains("N-ACTION", &original.sop_instance) && !contains("N-ACTION", &instance));
    let named = |own: &str| uids(&gate.site)[own].clone();
    assert!(contains("N-ACTION", &named("2.25.8001")) && !contains("N-ACTION", "2.25.8001"));

    let step = ["--patient", &patient, "--study", &study, "--step", "2.25.9001"];
    let answer = peers::scu("mpps", tap.address, &step);
    assert_eq!((&answer["create"], &answer["set"]), (&json!(0), &json!(0)), "{answer}");
    assert_eq!(archive.event("N-CREATE")["AffectedSOPInstanceUID"], named("2.25.9001"));
    assert_eq!(archive.event("N-SET")["RequestedSOPInstanceUID"], named("2.25.9001"));
    assert!(
        contains("N-CREATE", "PID-0815") && contains("N-CREATE", STUDY) && !contains("N-CREATE", &patient)
    );

    let answer = peers::scu("find", tap.address, &[]);
    assert_eq!((&answer["names"], &answer["status"]), (&json!(["", "", ""]), &json!(0)), "{answer}");
    assert!(!tap.heard("ANSWER"));
    assert_shows_nothing(&tap);

    // What it was never shown, it cannot name; a refusal names what it asked for.
    for step in ["2.25.9999", &original.sop_instance] {
        let answer = peers::scu("mpps", tap.address, &["--only-set", "--step", step]);
        assert_eq!(answer["set"], 0x0112, "{answer}");
    }
    let answer =
        peers::scu("mpps", tap.address, &["--patient", "PID-0815", "--study", &study, "--step", "2.25.9003"]);
    assert_eq!(answer["create"], 0x0110, "{answer}");
    let sets = archive.events().into_iter().filter(|event| event["event"] == "N-SET").count();
    assert_eq!(sets, 1, "one of the PACS's own instances was changed");
}

#[test]
fn a_worklist_is_read_in_pseudonyms() {
    let folder = Scratch::new();
    let entries = folder.path().join("ORTHANC");
    fs::create_dir(&entries).expect("a new folder");
    fs::write(entries.join("lockfile"), "").expect("a file written");
    for (file, patient, name, accession) in
        [("a.wl", "PID-0815", "PHANTOM^CARLA", "A-4711"), ("b.wl", "PID-0816", "PHANTOM^CARL", "A-4712")]
    {
        let [file, patient, name, accession, study] = [
            entries.join(file).display().to_string(),
            format!("PatientID={patient}"),
            format!("PatientName={name}"),
            format!("AccessionNumber={accession}"),
            format!("StudyInstanceUID={STUDY}"),
        ];
        made(&["worklist", &file, &patient, &name, &accession, &study]);
    }
    let path = folder.path().display().to_string();
    let (_process, address) = process::listening(&folder.path().join("output.log"), |port| {
        let mut command = peers::dcmtk("wlmscpfs");
        command.args(["-v", "-dfp", &path]).arg(port.to_string());
        command
    });
    let gate = Gate::start(&readers(address));
    let tap = Tap::before(gate.address);
    let step = "(0040,0100)[0].Modality=CT";
    let asked = ["0010,0010", "0010,0020", "0008,0050", "0020,000D", step, "(0040,0100)[0].0040,0006"];
    let shown = answers(&find(tap.address, "-W", &asked));
    let patients = values(&shown, "0010,0020");
    assert_eq!(patients.len(), 2, "{shown}");
    assert_eq!(values(&shown, "0008,0060"), ["CT", "CT"]);
    let one = format!("0010,0020={}", patients[0]);
    let shown = answers(&find(tap.address, "-W", &["0010,0010", &one, step]));
    assert_eq!(values(&shown, "0010,0010"), [format!("ANON^{}", patients[0])], "{shown}");
    let refused = find(tap.address, "-W", &["0010,0010", "(0040,0100)[0].0040,0006=PERF*"]);
    assert!(refused.contains("Response (Error: DataSetDoesNotMatchSOPClass)"), "{refused}");
    for key in ["0040,0001=OTHER", "0040,0002=20260102"] {
        let refused = find(tap.address, "-W", &["0010,0010", &format!("(0040,0100)[0].{key}")]);
        assert!(refused.contains("Response (Error: DataSetDoesNotMatchSOPClass)"), "{key}: {refused}");
    }
    assert_shows_nothing(&tap);
    assert!(!tap.heard("PERFORMER") && !tap.heard("PID-0816"));

    // What a modality says of itself: its AE title, and beside that the day and the kind of its schedule.
    for extra in ["", "\"retain-device-identity\", "] {
        let rewrite = REWRITE.replace("options = [", &format!("options = [{extra}"));
        let gate = Gate::start(&Setup { extra: rewrite.leak(), ..readers(address) });
        let own = [
            "0010,0010",
            "0010,0020",
            "(0040,0100)[0].0008,0060=CT",
            "(0040,0100)[0].0040,0001=READER",
            "(0040,0100)[0].0040,0002=20260101-20260103",
            "(0040,0100)[0].0040,0003",
        ];
        let output = find(gate.address, "-W", &own);
        let shown = answers(&output);
        assert_eq!(values(&shown, "0010,0020").len(), 2, "{output}");
        for (tag, value) in [("0040,0001", "READER"), ("0040,0002", "20260102"), ("0040,0003", "101500")] {
            assert_eq!(values(&shown, tag), [value, value], "{tag}: {output}");
        }
        assert!(REAL.iter().all(|real| *real == "20260102" || !shown.contains(real)), "{output}");
        let another = own.map(|key| key.replace("20260101-20260103", "20260103"));
        let output = find(gate.address, "-W", &another.each_ref().map(String::as_str));
        assert!(answers(&output).is_empty() && output.contains("(Success)"), "{output}");
    }
}

fn finding(setup: &Setup, upstream: &Upstream) -> (Gate, Peer, Peer) {
    let gate = Gate::start(setup);
    let request = Request::new("READER", "PACS").context(FIND, &[upper::EXPLICIT_LITTLE]);
    let (requestor, acceptor) = raw::open(&gate.plain(), upstream, &request, 16384);
    (gate, requestor, acceptor)
}

fn request(id: u16) -> Command {
    Command::new(C_FIND_RQ).uid(2, FIND).us(0x0110, id).us(0x0700, 0).us(0x0800, 1)
}

/// A C-FIND-RSP; `data_set` says that one follows.
fn response(id: u16, status: u16, data_set: bool) -> Command {
    let announced = if data_set { 1 } else { 0x0101 };
    Command::new(C_FIND_RSP).uid(2, FIND).us(0x0120, id).us(0x0800, announced).us(STATUS, status)
}

#[test]
fn an_answer_that_cannot_be_read_is_withheld_and_the_query_fails() {
    let upstream = Upstream::bind();
    let (gate, mut requestor, mut acceptor) = finding(&readers(upstream.address), &upstream);
    let keys = short(0x10, 0x20, "LO", b"");
    requestor.send_message(1, &request(5), Some(&keys), 16384);
    let with_issuer = [&keys[..], &short(0x10, 0x21, "LO", b"")[..]].concat();
    assert_eq!(acceptor.message().data_set, Some(with_issuer));
    let good = short(0x10, 0x20, "LO", b"PID-0815");
    acceptor.send_message(1, &response(5, 0xFF00, true), Some(&good), 16384);
    let shown = requestor.message();
    assert_eq!(
        (shown.command.number(STATUS), shown.data_set.as_ref().map(Vec::len)),
        (Some(0xFF00), Some(24))
    );
    // Twice: what a reader would make of it, nobody knows.
    let bad = [good.clone(), short(0x10, 0x20, "LO", b"PID-0816")].concat();
    acceptor.send_message(1, &response(5, 0xFF00, true), Some(&bad), 16384);
    let cancel = acceptor.message().command;
    assert_eq!((cancel.field(), cancel.number(0x0120)), (C_CANCEL_RQ, Some(5)));
    acceptor.send_message(1, &response(5, 0xFF00, true), Some(&good), 16384);
    acceptor.send_message(1, &response(5, 0xFE00, false), None, 16384);
    let failed = requestor.message().command;
    assert_eq!(failed.number(STATUS), Some(0xC000), "{failed:?}");
    assert_eq!(failed.text(ERROR_COMMENT).as_deref(), Some("(0010,0020): comes twice"));
    let record = gate.record("the query", |record| record["operation"] == "C-FIND");
    assert_eq!((&record["status"], &record["reason"]), (&json!("0xC000"), &json!("rewrite-failed")));
    // The association lives, and its next query too.
    requestor.send_message(1, &request(5), Some(&keys), 16384);
    acceptor.message();
    acceptor.send_message(1, &response(5, 0, false), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
    raw::release(requestor, acceptor);
}

#[test]
fn a_cancel_crosses_with_nothing_but_what_it_has_to_say() {
    let upstream = Upstream::bind();
    let (_gate, mut requestor, mut acceptor) = finding(&readers(upstream.address), &upstream);
    let keys = short(0x10, 0x20, "LO", b"");
    requestor.send_message(1, &request(5), Some(&keys), 16384);
    acceptor.message();
    let cancel = Command::new(C_CANCEL_RQ).us(0x0120, 5).us(0x0800, 0x0101);
    let talkative = cancel.bytes(ERROR_COMMENT, b"no DOE^JANE here".to_vec());
    requestor.send_message(1, &talkative, None, 16384);
    let heard = acceptor.message().command;
    assert_eq!((heard.field(), heard.number(0x0120)), (C_CANCEL_RQ, Some(5)));
    assert_eq!(heard.text(ERROR_COMMENT), None, "{heard:?}");
    acceptor.send_message(1, &response(5, 0xFE00, false), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0xFE00));
    raw::release(requestor, acceptor);
}

#[test]
fn what_a_pacs_comments_stays_with_it() {
    let upstream = Upstream::bind();
    let (_gate, mut requestor, mut acceptor) = finding(&readers(upstream.address), &upstream);
    let keys = short(0x10, 0x20, "LO", b"");
    requestor.send_message(1, &request(1), Some(&keys), 16384);
    acceptor.message();
    // (0000,4010), retired, and a comment.
    let told = response(1, 0xC001, false)
        .bytes(ERROR_COMMENT, b"no DOE^JANE here".to_vec())
        .bytes(0x4010, b"DOE^JANE".to_vec());
    acceptor.send_message(1, &told, None, 16384);
    let answer = requestor.message().command;
    assert_eq!(answer.number(STATUS), Some(0xC001));
    assert_eq!((answer.get(ERROR_COMMENT), answer.get(0x4010)), (None, None), "{answer:?}");
    // Text in the place of tags, of numbers and of the SOP class.
    for (id, element) in (2..).zip([0x0002, 0x0901, 0x0903, 0x1000, 0x1002, 0x1005, 0x1008, 0x1020, 0x1031]) {
        requestor.send_message(1, &request(id), Some(&keys), 16384);
        acceptor.message();
        let told = Command::new(C_FIND_RSP).us(0x0120, id).us(0x0800, 0x0101).us(STATUS, 0xC001);
        acceptor.send_message(1, &told.bytes(element, b"DOE^JANE".to_vec()), None, 16384);
        let answer = requestor.message().command;
        assert_eq!(answer.number(STATUS), Some(0xC001));
        assert_ne!(answer.get(element), Some(&b"DOE^JANE"[..]), "{answer:?}");
    }
    raw::release(requestor, acceptor);
}

#[test]
fn a_query_for_what_is_hidden_never_reaches_the_pacs() {
    let upstream = Upstream::bind();
    let (gate, mut requestor, acceptor) = finding(&readers(upstream.address), &upstream);
    for (id, keys, status, comment) in [
        (
            1,
            short(0x10, 0x10, "PN", b"DOE*"),
            0xA900,
            "(0010,0010): a pseudonym cannot be looked for with * or ?",
        ),
        (2, short(0x10, 0x30, "DA", b"19700101"), 0xA900, "(0010,0030): cannot be looked for by its value"),
        (3, short(0x10, 0x20, "LO", b"PID-0815"), 0x0000, ""),
        (4, short(0x20, 0x0D, "UI", b"1.2.3\0"), 0x0000, ""),
    ] {
        requestor.send_message(1, &request(id), Some(&keys), 16384);
        let answer = requestor.message();
        assert_eq!(answer.command.number(STATUS), Some(status), "{comment}");
        assert_eq!(answer.command.text(ERROR_COMMENT).unwrap_or_default(), comment);
        assert_eq!((answer.command.number(0x0120), answer.data_set), (Some(id), None));
    }
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    assert_eq!(
        closed["operations"]["C-FIND"],
        json!({"success": 2, "warning": 0, "failure": 2, "refused": 0})
    );
}
