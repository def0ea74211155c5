//! Patients who have to consent: by a list, by what objects say, and by a server of FHIR.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::command::{C_STORE_RQ, Command, STATUS};
use crate::gate::{self, Gate, Setup, leaked};
use crate::object::{Object, short};
use crate::peers::{self, Archive, PythonArchive};
use crate::process::Process;
use crate::raw::{self, Peer, Upstream};
use crate::scope::{find, got, moved, of_patient, seen, store, uid};
use crate::scratch::Scratch;
use crate::site::Site;
use crate::two_way;
use crate::upper::{self, Request};
use crate::wait;
use crate::watched_files::refused;

const LIST: &str = "[[consent]]\nname = \"study\"\nsource = \"file\"\nfile = \"consents.csv\"\n";
const FOR_RESEARCH: &str = "consent = \"study\"\nconsent-scope = \"research\"";
const OFTEN: &str = "reload-files = \"50ms\"";
const CONSENTS: &str = "identifier,issuer,decision,scope,until\n\
    PAT-0001,,granted,research,\nPAT-0002,,withdrawn,,\nPAT-0004,,granted,,2026-01-01\nPAT-0005,,granted,teaching,\n\
    PAT-0006,LYON,granted,,\n";

/// A study of its own for each patient.
fn of(number: u8, issuer: &str) -> Object {
    of_patient(number, &format!("PAT-{number:04}"), issuer, "20260102", "CT")
}

/// A site with a list.
fn site(list: &str) -> Site {
    let site = Site::new();
    fs::write(site.path("consents.csv"), list).expect("a list");
    site
}

fn put(gate: &Gate, list: &str) {
    let (next, file) = (gate.site.path("consents-next"), gate.site.path("consents.csv"));
    let before = gate.count("configuration-loaded");
    fs::write(&next, list).expect("a list");
    fs::rename(next, file).expect("its name");
    wait::until("the list", || (gate.count("configuration-loaded") > before).then_some(()));
}

/// Sends files one after the other, whatever became of the one before.
fn send(gate: &Gate, objects: &[Object]) -> String {
    let (_folder, files) = peers::files_of(objects);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    peers::requestor("storescu", gate.address, &["-v", "-nh", "-xe", "-aet", "SITE", "-aec", "PACS"], &files)
        .output
}

fn instances(archive: &Archive, count: usize) -> BTreeSet<String> {
    archive.stored(count).into_iter().map(|object| object.sop_instance).collect()
}

fn instance(number: u8) -> String {
    format!("{}.1.1", uid(number))
}

/// Status, reason and patient of each C-STORE, in the order of the records.
fn told(gate: &Gate) -> Vec<Value> {
    let stored = gate.records().into_iter().filter(|record| record["operation"] == "C-STORE");
    stored.map(|record| json!([record["status"], record["reason"], record["patient"]])).collect()
}

#[test]
fn an_object_goes_on_where_its_patient_has_consented_to_that_and_no_byte_of_another_does() {
    let archive = peers::storescp(&[]);
    let setup = Setup { peers: gate::peer(FOR_RESEARCH), extra: LIST, ..Setup::plain(archive.address) };
    let gate = Gate::start_in(site(CONSENTS), &setup);
    let objects =
        [of(1, ""), of(2, ""), of(3, ""), of(4, ""), of(5, ""), of(6, "LYON"), of(6, ""), of(1, "PARIS")];
    // The last two are of somebody else than the list says.
    let shown = send(&gate, &objects);
    assert_eq!(instances(&archive, 2), [instance(1), instance(6)].into());
    assert_eq!(archive.files().len(), 2);
    assert_eq!(shown.matches("0x124").count(), 6, "{shown}");
    wait::until("every record", || (told(&gate).len() == 8).then_some(()));
    let expected = |number: u8, is_refused: bool| {
        let patient = gate.hashed(&format!("PAT-{number:04}"));
        if is_refused { json!(["0x0124", "no-consent", patient]) } else { json!(["0x0000", null, patient]) }
    };
    let outcome = [(1, false), (2, true), (3, true), (4, true), (5, true), (6, false), (6, true), (1, true)];
    assert_eq!(told(&gate), outcome.map(|(number, is_refused)| expected(number, is_refused)));
    let written = format!("{:?}{}", gate.records(), gate.output());
    assert!(!written.contains("PAT-000") && !written.contains("DOE^JANE"), "{written}");
}

fn storing() -> Request {
    Request::new("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE])
}

/// Sends an object over an open association; the status that its sender gets, of the archive where it went on.
fn over((requestor, acceptor): (&mut Peer, &mut Peer), id: u16, object: &Object, goes: bool) -> Option<u16> {
    let command = Command::new(C_STORE_RQ)
        .uid(2, &object.sop_class)
        .us(0x0110, id)
        .us(0x0700, 0)
        .us(0x0800, 0)
        .uid(0x1000, &object.sop_instance);
    requestor.send_message(1, &command, Some(&object.data_set), 16384);
    if goes {
        let heard = acceptor.message();
        assert_eq!(heard.data_set.as_ref(), Some(&object.data_set));
        acceptor.send_message(1, &heard.command.response(0), None, 16384);
    }
    requestor.message().command.number(STATUS)
}

#[test]
fn a_withdrawal_counts_for_open_associations_and_a_bad_list_leaves_the_last_good_one() {
    let upstream = Upstream::bind();
    let setup = Setup {
        peers: gate::peer(FOR_RESEARCH),
        extra: LIST,
        limits: OFTEN,
        ..Setup::plain(upstream.address)
    };
    let gate = Gate::start_in(site(CONSENTS), &setup);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &storing(), 16384);
    let one = of(1, "");
    assert_eq!(over((&mut requestor, &mut acceptor), 1, &one, true), Some(0));
    put(&gate, "identifier,decision\nPAT-0001,withdrawn\n");
    assert_eq!(over((&mut requestor, &mut acceptor), 2, &one, false), Some(0x0124));
    put(&gate, CONSENTS);
    assert_eq!(over((&mut requestor, &mut acceptor), 3, &one, true), Some(0));
    for (number, (bad, line)) in [
        ("identifier,decision\nPAT-0001,withdrawn\nPAT-0001,granted\n", 3),
        ("identifier,decision\nPAT-0001\n", 2),
    ]
    .into_iter()
    .enumerate()
    {
        fs::write(gate.site.path("consents.csv"), bad).expect("a list");
        let told = wait::until("the refusal", || refused(&gate).into_iter().nth(number));
        let problem = told["problems"][0].as_str().expect("a problem");
        assert!(problem.contains("consents.csv") && problem.contains(&format!("line {line} ")), "{problem}");
        assert!(!problem.contains("PAT-0001"), "{problem}");
        let id = 4 + u16::try_from(number).expect("small");
        assert_eq!(over((&mut requestor, &mut acceptor), id, &one, true), Some(0));
    }
    raw::release(requestor, acceptor);
}

#[test]
fn a_reader_finds_gets_and_moves_the_studies_of_those_who_have_consented() {
    let workstation = peers::storescp(&["-aet", "READER"]);
    let archive =
        peers::orthanc_with(&json!({"READER": ["READER", "127.0.0.1", workstation.address.port()]}));
    store(&archive, &[1, 2, 3, 4, 5].map(|number| of(number, "")));
    let setup = Setup { peers: gate::peer(FOR_RESEARCH), extra: LIST, ..Setup::plain(archive.address) };
    let gate = Gate::start_in(site(CONSENTS), &setup);
    let all = find(gate.address, "-S", &["0008,0052=STUDY", "0020,000D"]);
    assert_eq!(seen(&all), [1].into(), "{all}");
    assert!(all.contains("Received Final Find Response (Success)"), "{all}");
    assert!(!all.contains("PAT-0001"), "nobody asked for it: {all}");
    let record = gate.record("the query", |record| record["operation"] == "C-FIND");
    assert_eq!((&record["withheld"], &record["status"]), (&json!(4), &json!("0x0000")));
    let patients = find(gate.address, "-P", &["0008,0052=PATIENT", "0010,0020"]);
    assert!(patients.contains("PAT-0001") && !patients.contains("PAT-0002"), "{patients}");
    for number in [1, 2, 3] {
        let (level, study) = ("0008,0052=STUDY", format!("0020,000D={}", uid(number)));
        let series = find(gate.address, "-S", &["0008,0052=SERIES", &study, "0020,000E"]);
        assert_eq!(seen(&series).len(), usize::from(number == 1), "{series}");
        let (_, objects) = got(gate.address, &[level, &study]);
        assert_eq!(objects, if number == 1 { vec![instance(1)] } else { Vec::new() });
        let output = moved(gate.address, &[level, &study]);
        assert_eq!(output.contains("Received Final Move Response (Success)"), number == 1, "{output}");
    }
    assert_eq!(instances(&workstation, 1), [instance(1)].into());
    // What a C-GET brings is refused object by object; what a C-MOVE would send elsewhere, before it is asked for.
    // Where many are refused, their records are gathered.
    let reasons = |operation: &str| -> BTreeSet<String> {
        let of_it = gate.records().into_iter().filter(|record| record["operation"] == operation);
        of_it.map(|record| format!("{} {}", record["status"], record["reason"])).collect()
    };
    let all = [r#""0x0000" null"#.to_owned(), r#""0x0124" "no-consent""#.to_owned()];
    for operation in ["C-STORE", "C-MOVE"] {
        assert_eq!(reasons(operation), all.clone().into(), "{operation}");
    }
    let nothing = r#""0x0000" "no-consent""#.to_owned();
    assert_eq!(reasons("C-FIND"), [all[0].clone(), nothing].into());
}

/// With what its patient says of clinical trials: an item for each flag, type and protocol.
fn with_items(object: &Object, items: &[(&str, &str, &str)]) -> Object {
    let item = |(flag, kind, protocol): &(&str, &str, &str)| {
        let protocol =
            if protocol.is_empty() { Vec::new() } else { short(0x0012, 0x0020, "LO", protocol.as_bytes()) };
        let elements = [
            protocol,
            short(0x0012, 0x0084, "CS", kind.as_bytes()),
            short(0x0012, 0x0085, "CS", flag.as_bytes()),
        ]
        .concat();
        let length = u32::try_from(elements.len()).expect("small").to_le_bytes();
        [&[0xFE, 0xFF, 0x00, 0xE0][..], &length, &elements].concat()
    };
    let items: Vec<u8> = items.iter().flat_map(item).collect();
    let length = u32::try_from(items.len()).expect("small").to_le_bytes();
    let sequence = [&[0x12, 0x00, 0x83, 0x00, b'S', b'Q', 0, 0][..], &length, &items].concat();
    let study = [0x20, 0x00, 0x0D, 0x00];
    let at = object.data_set.windows(4).position(|bytes| bytes == study).expect("a study");
    let (before, behind) = object.data_set.split_at(at);
    Object { data_set: [before, &sequence, behind].concat(), ..object.clone() }
}

#[test]
fn an_object_that_says_its_patients_consent_to_a_trial_goes_on_for_that_trial() {
    const ELEMENT: &str = "[[consent]]\nname = \"trial\"\nsource = \"element\"\n";
    let archive = PythonArchive::start(&[]);
    let peers = gate::peer("consent = \"trial\"\nconsent-scope = \"TRIAL-1\"");
    let gate = Gate::start(&Setup { peers, extra: ELEMENT, ..Setup::plain(archive.address()) });
    let own = ("YES", "NAMED_PROTOCOL", "TRIAL-1");
    let objects = [
        with_items(&of(1, ""), &[own]),
        with_items(&of(2, ""), &[("YES", "NAMED_PROTOCOL", "TRIAL-2")]),
        with_items(&of(3, ""), &[own, ("WITHDRAWN", "NAMED_PROTOCOL", "TRIAL-1")]),
        of(4, ""),
        with_items(&of(5, ""), &[("YES", "PUBLIC_RELEASE", "")]),
    ];
    let shown = send(&gate, &objects);
    assert_eq!(shown.matches("0x124").count(), 3, "{shown}");
    let is_stored = |event: &Value| event["event"] == "C-STORE";
    let stored: Vec<Value> = archive.events().into_iter().filter(is_stored).collect();
    let sets: Vec<Vec<u8>> = stored.iter().map(|event| archive.data_set(event)).collect();
    assert_eq!(sets, [objects[0].data_set.clone(), objects[4].data_set.clone()]);
    // What brings no object is refused, and it was said before.
    let query = find(gate.address, "-S", &["0008,0052=STUDY", "0020,000D"]);
    assert!(query.contains("0x124"), "{query}");
    let (_, told) = gate::told(&gate.site, &["check", "-c", "dimsegate.toml"]);
    assert!(told.contains("finds consent in objects alone, and its role allows C-FIND, C-MOVE"), "{told}");
}

/// tests/peers/fhir.py.
struct Server {
    process: Process,
    port: u16,
    folder: Scratch,
}

impl Server {
    fn start(site: &Site, known: &Value) -> Self {
        let folder = Scratch::new();
        fs::write(folder.path().join("known.json"), known.to_string()).expect("a file");
        let mut command = peers::python("fhir.py");
        command.args(["server.pem", "server.key"].map(|name| site.text(&format!("certs/{name}"))));
        command.arg(folder.path().join("known.json"));
        let mut process = Process::start(command, &folder.path().join("output.log"));
        let port = wait::until("the server of FHIR", || {
            assert!(process.ended().is_none(), "{}", process.output());
            process.output().lines().find_map(|line| line.strip_prefix("listening ")?.parse().ok())
        });
        Self { process, port, folder }
    }

    fn knows(&self, known: &Value) {
        let next = self.folder.path().join("next.json");
        fs::write(&next, known.to_string()).expect("a file");
        fs::rename(next, self.folder.path().join("known.json")).expect("its name");
    }

    fn consent(&self, more: &str) -> String {
        format!(
            "[[consent]]\nname = \"study\"\nsource = \"fhir\"\nurl = \"https://localhost:{}/r4\"\nsystem = \"urn:oid:1.2.3\"\n\
             {more}\n[consent.tls]\nca = \"certs/ca.pem\"\n",
            self.port
        )
    }

    fn asked(&self) -> usize {
        self.process.output().lines().filter(|line| line.starts_with("asked ")).count()
    }
}

fn permit(status: &str) -> Value {
    json!([{"resourceType": "Consent", "status": status, "scope": {"coding": [{"code": "research"}]}, "provision": {"type": "permit"}}])
}

#[test]
fn a_server_of_fhir_is_asked_once_for_each_patient_and_what_it_cannot_say_goes_nowhere() {
    let known = json!({"PAT-0001": permit("active"), "PAT-0002": permit("inactive"), "PAT-0004": "garbage"});
    let (site, archive) = (Site::new(), peers::storescp(&[]));
    let server = Server::start(&site, &known);
    let extra = leaked(server.consent("cache-for = \"1h\""));
    let setup = Setup { peers: gate::peer(FOR_RESEARCH), extra, ..Setup::plain(archive.address) };
    let gate = Gate::start_in(site, &setup);
    send(&gate, &[of(1, ""), of(2, ""), of(3, ""), of(1, ""), of(4, "")]);
    wait::until("every record", || (told(&gate).len() == 5).then_some(()));
    let outcome: Vec<Value> = told(&gate).into_iter().map(|told| told[1].clone()).collect();
    let none = json!("no-consent");
    assert_eq!(outcome, [json!(null), none.clone(), none, json!(null), json!("consent-not-known")]);
    assert_eq!(server.asked(), 4, "the first patient once");
    assert_eq!(instances(&archive, 1), [instance(1)].into());
    let log = gate.output();
    assert!(log.contains("the server of consents cannot be asked") && log.contains("is not JSON"), "{log}");
    assert!(!log.contains("PAT-000"), "{log}");
}

#[test]
fn a_server_that_is_silent_too_long_or_elsewhere_lets_nothing_through_even_where_the_unknown_passes() {
    for kind in ["silent", "long", "elsewhere", "failing"] {
        let (site, archive) = (Site::new(), peers::storescp(&[]));
        let server = Server::start(&site, &json!({"PAT-0001": kind, "PAT-0002": permit("inactive")}));
        let extra = leaked(server.consent("cache-for = \"0s\"\ndeadline = \"1s\"\nunknown = \"pass\""));
        let setup = Setup { peers: gate::peer(FOR_RESEARCH), extra, ..Setup::plain(archive.address) };
        let gate = Gate::start_in(site, &setup);
        // Nothing is known of the third; the server says so.
        send(&gate, &[of(3, ""), of(2, ""), of(1, "")]);
        wait::until("every record", || (told(&gate).len() == 3).then_some(()));
        let outcome: Vec<Value> = told(&gate).into_iter().map(|told| json!([told[0], told[1]])).collect();
        let refused = |reason: &str| json!(["0x0124", reason]);
        assert_eq!(
            outcome,
            [json!(["0x0000", null]), refused("no-consent"), refused("consent-not-known")],
            "{kind}"
        );
        assert_eq!(instances(&archive, 1), [instance(3)].into());
        // Once it can be asked again, it is.
        server.knows(&json!({"PAT-0001": permit("active")}));
        wait::until("the first patient", || send(&gate, &[of(1, "")]).contains("(Success)").then_some(()));
    }
}

#[test]
fn what_comes_from_pseudonyms_is_judged_by_whose_it_is_really() {
    const GRANTED: &str = "identifier,decision\nPID-0815,granted\n";
    let archive = peers::orthanc();
    let keys = "rewrite = \"site\"\nrewrite-direction = \"to-peer\"\ntwo-way = true\nconsent = \"study\"";
    let extra = leaked(format!("{}{LIST}", two_way::REWRITE));
    let setup = Setup { peers: gate::peer(keys), extra, limits: OFTEN, ..Setup::plain(archive.address) };
    let gate = Gate::start_in(site(GRANTED), &setup);
    let (_folder, files) = peers::files_of(&[Object::ct(2_000)]);
    two_way::store(archive.address, &files[0]);
    let (folder, objects) =
        two_way::get(gate.address, &["0008,0052=STUDY", &format!("0020,000D={}", study_of(&gate))]);
    assert_eq!(objects.len(), 1);
    let report = |name: &str| {
        let path = folder.path().join(name).display().to_string();
        let image = fs::read_dir(folder.path()).expect("a folder").flatten();
        let image = image
            .map(|file| file.path())
            .find(|path| Object::from_file(path).is_ok_and(|one| one.sop_class == upper::CT_IMAGE_STORAGE));
        two_way::made(&["report", &image.expect("the image").display().to_string(), &path]);
        path
    };
    let sent = |file: &str| {
        let options = ["-v", "-aet", "READER", "-aec", "ORTHANC", "-xe", "-R"];
        peers::requestor("storescu", gate.address, &options, &[file]).output
    };
    let first = report("first");
    let output = sent(&first);
    assert!(output.contains("(Success)"), "{output}");
    put(&gate, "identifier,decision\nPID-0815,withdrawn\n");
    let output = sent(&report("second"));
    assert!(output.contains("0x124"), "{output}");
    let record = gate
        .record("the refusal", |record| record["operation"] == "C-STORE" && record["reason"] == "no-consent");
    assert_eq!(record["patient"], json!(gate.hashed("PID-0815")), "{record}");
    let log = gate.output();
    assert!(!log.contains("PID-0815"), "{log}");
}

/// The pseudonym of the only study.
fn study_of(gate: &Gate) -> String {
    let shown = find(gate.address, "-S", &["0008,0052=STUDY", "0020,000D"]);
    let answers = crate::scope::answers(&shown);
    let line = answers.lines().find(|line| line.contains("(0020,000d)")).unwrap_or_else(|| panic!("{shown}"));
    let value = line.split_once('[').and_then(|(_, behind)| behind.split_once(']')).expect("a value").0;
    value.trim_end_matches([' ', '\0']).to_owned()
}

#[test]
fn an_agreement_that_requires_consent_needs_a_peer_that_asks_for_it() {
    let (site, upstream) = (site(CONSENTS), Upstream::bind());
    let agreement = |more: &str| {
        leaked(format!(
            "{LIST}[policy]\ncountry = \"CH\"\n[[agreement]]\nid = \"lyon\"\nparties = [\"site\"]\ncountry = \"FR\"\nmechanism = \"scc\"\n\
             reference = \"7\"\npurpose = \"research\"\nfrom = \"2020-01-01\"\nuntil = \"2099-12-31\"\nconsent = \"required\"\n{more}\n"
        ))
    };
    let told = |keys: &str, more: &str| {
        let peers = gate::peer(&format!("country = \"FR\"\n{keys}"));
        let setup = Setup { peers, extra: agreement(more), ..Setup::plain(upstream.address) };
        fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration");
        gate::told(&site, &["check", "-c", "dimsegate.toml"])
    };
    let (status, nobody) = told("", "");
    assert!(
        status != 0
            && nobody.contains("is required, and peer \"site\" in line ")
            && nobody.contains("asks nobody"),
        "{nobody}"
    );
    let (status, other) =
        told("consent = \"study\"\nconsent-scope = \"teaching\"", "consent-scope = \"research\"");
    assert!(status != 0 && other.contains("has consent-scope = \"teaching\""), "{other}");
    let (_, fine) = told(FOR_RESEARCH, "consent-scope = \"research\"");
    assert!(!fine.contains("is required"), "{fine}");
}
