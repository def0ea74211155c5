//! What pseudonyms stand for: on the disk before they go out, over kill -9, full and locked disks, restarts, keys.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command as Program, Output};
use std::sync::Mutex;

use rusqlite::Connection;
use serde_json::Value;

use crate::command::{AFFECTED_SOP_INSTANCE, Command, ERROR_COMMENT, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::object::{Object, short};
use crate::raw::{self, Peer, Upstream};
use crate::site::Site;
use crate::upper::{self, Request};
use crate::wait;

pub const RULES: &str = r#"
[[crosswalk]]
name = "domain"
file = "crosswalk/domain"
key-file = "conf/crosswalk.key"
[[rewrite]]
name = "site"
secret-file = "conf/pseudonym.key"
crosswalk = "domain"
rules = [
  { tag = "PatientName", action = "replace", value = "ANON^{pseudonym}" },
  { tag = "PatientID", action = "replace", value = "{pseudonym}" },
  { tag = "AccessionNumber", action = "pseudonym", length = 16 },
  { tag = "SOPInstanceUID", action = "uid" },
  { tag = "StudyInstanceUID", action = "uid" },
  { tag = "SeriesInstanceUID", action = "uid" },
  { tag = "FrameOfReferenceUID", action = "uid" },
  { tag = "DigitalSignatureUID", action = "uid" },
]
"#;

/// A write over the limit is an error as on a full disk, not the end of the process (setrlimit(2)).
const DISK_THAT_CAN_BE_FULL: &str = "trap '' XFSZ; exec \"$@\"";

pub fn remembering(upstream: SocketAddr) -> Setup {
    let limits = "connections-per-minute-per-address = 100000";
    Setup { extra: RULES, peers: gate::peer("rewrite = \"site\""), limits, ..Setup::plain(upstream) }
}

pub fn database(site: &Site) -> PathBuf {
    site.path("crosswalk/domain")
}

/// The `number`th instance of a CT series, all of the same patient.
pub fn ct(number: usize, bytes: usize) -> Object {
    let mut object = Object::ct(bytes);
    let instance = format!("2.25.20000000000000000000000000001{number:07}");
    let old = std::mem::replace(&mut object.sop_instance, instance).into_bytes();
    let at = object.data_set.windows(old.len()).position(|window| window == old).expect("the instance");
    object.data_set[at..at + old.len()].copy_from_slice(object.sop_instance.as_bytes());
    object
}

pub fn association(gate: &Gate, upstream: &Upstream) -> (Peer, Peer) {
    let request = Request::new("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    raw::open(&gate.plain(), upstream, &request, 16384)
}

fn request(object: &Object, id: u16) -> Command {
    Command::c_store_rq(id, &object.sop_class, &object.sop_instance)
}

/// Sends one object and takes it on the other side: what it is called there.
pub fn stored(requestor: &mut Peer, acceptor: &mut Peer, object: &Object, id: u16) -> (String, Vec<u8>) {
    std::thread::scope(|scope| {
        let archive = scope.spawn(|| {
            let message = acceptor.message();
            acceptor.send_message(1, &message.command.response(0), None, 16384);
            message
        });
        requestor.send_message(1, &request(object, id), Some(&object.data_set), 16384);
        assert_eq!(requestor.message().command.number(STATUS), Some(0));
        let message = archive.join().expect("no panic");
        let instance = message.command.text(AFFECTED_SOP_INSTANCE).expect("a UID");
        (instance, message.data_set.expect("a data set"))
    })
}

/// Sends one object that cannot be remembered: the Error Comment.
fn refused(requestor: &mut Peer, object: &Object, id: u16) -> String {
    requestor.send_message(1, &request(object, id), Some(&object.data_set), 16384);
    let answer = requestor.message().command;
    assert_eq!((answer.number(0x0120), answer.number(STATUS)), (Some(id), Some(0xA700)));
    assert_eq!(answer.text(AFFECTED_SOP_INSTANCE), Some(object.sop_instance.clone()));
    answer.text(ERROR_COMMENT).expect("an Error Comment")
}

pub fn command(site: &Site, arguments: &[&str]) -> (i32, String, String) {
    let config = ["-c", "dimsegate.toml"];
    let Output { status, stdout, stderr } =
        gate::command(site, &[&["crosswalk"], &arguments[..1], &config, &arguments[1..]].concat())
            .output()
            .expect("a command that starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code().expect("an exit status"), text(stdout), text(stderr))
}

pub fn exported(site: &Site) -> Vec<Value> {
    let (status, out, err) = command(site, &["export", "--json"]);
    assert_eq!((status, err.as_str()), (0, ""));
    out.lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
}

/// Pseudonymous UID to real one.
pub fn uids(site: &Site) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let uids = exported(site).into_iter().filter(|one| one["kind"] == "uid" || one["kind"] == "own-uid");
    uids.map(|one| (text(&one["pseudonym"]), text(&one["real"]))).collect()
}

pub fn of<'v>(all: &'v [Value], kind: &str, attribute: &str) -> Vec<&'v Value> {
    all.iter()
        .filter(|one| one["kind"] == kind && one["attribute"].as_str().unwrap_or("") == attribute)
        .collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn what_went_out_leads_back_after_a_restart_and_nothing_of_it_is_readable() {
    let upstream = Upstream::bind();
    let setup = remembering(upstream.address);
    let mut gate = Gate::start(&setup);
    let (mut requestor, mut acceptor) = association(&gate, &upstream);
    let (first, data_set) = stored(&mut requestor, &mut acceptor, &ct(1, 20_000), 1);
    raw::release(requestor, acceptor);
    let all = exported(&gate.site);
    let [id] = of(&all, "value", "PatientID")[..] else { panic!("{all:#?}") };
    assert_eq!((&id["real"], &id["patient"]), (&"PID-0815".into(), &"PID-0815".into()));
    let [name] = of(&all, "of-patient", "PatientName")[..] else { panic!("{all:#?}") };
    assert_eq!(name["real"], "PHANTOM^CARLA");
    assert_eq!(name["pseudonym"], format!("ANON^{}", id["pseudonym"].as_str().expect("a string")));
    let [accession] = of(&all, "value", "AccessionNumber")[..] else { panic!("{all:#?}") };
    assert_eq!(accession["real"], "A-4711");
    for one in [id, name, accession] {
        assert!(holds(&data_set, one["pseudonym"].as_str().expect("a string")), "{one}");
    }
    assert_eq!(uids(&gate.site).len(), 4);
    assert_eq!(uids(&gate.site)[&first], ct(1, 0).sop_instance);
    assert_unreadable(&gate.site, &all);
    assert!(gate.stop().success());
    assert_unreadable(&gate.site, &all);

    // Another secret makes other pseudonyms, of what has none yet.
    fs::write(gate.site.path("conf/pseudonym.key"), [9; 48]).expect("a secret written");
    let Gate { site, .. } = gate;
    let gate = Gate::start_in(site, &setup);
    let (mut requestor, mut acceptor) = association(&gate, &upstream);
    let (again, same) = stored(&mut requestor, &mut acceptor, &ct(1, 20_000), 1);
    assert_eq!((again == first, same == data_set), (true, true));
    let (second, _) = stored(&mut requestor, &mut acceptor, &ct(2, 20_000), 2);
    raw::release(requestor, acceptor);
    assert_eq!(uids(&gate.site)[&second], ct(2, 0).sop_instance);
    assert_eq!(exported(&gate.site).len(), all.len() + 1);
    let log = gate.output();
    assert!(!log.contains("PHANTOM") && !log.contains("0815"), "{log}");
}

fn assert_unreadable(site: &Site, all: &[Value]) {
    let files =
        fs::read_dir(site.path("crosswalk")).expect("a folder").map(|entry| entry.expect("an entry").path());
    for file in files {
        let mode = fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        let bytes = fs::read(&file).expect("a file");
        for value in all.iter().flat_map(|one| [&one["real"], &one["pseudonym"]]) {
            let value = value.as_str().expect("a string");
            assert!(value.len() < 6 || !holds(&bytes, value), "{value} in {}", file.display());
        }
    }
}

/// Every SOP Instance UID of a command that arrives, whatever becomes of its data set, until the connection ends.
fn archive(mut acceptor: Peer, seen: &Mutex<Vec<String>>) {
    let (mut command, mut answer) = (Vec::new(), None);
    while let Ok(Some(pdu)) = upper::read_pdu(&mut acceptor.stream) {
        for pdv in pdu.pdvs().unwrap_or_default() {
            let last = pdv.control & upper::LAST != 0;
            if pdv.control & upper::COMMAND != 0 {
                command.extend(pdv.value);
                if last {
                    let request = Command::parse(&std::mem::take(&mut command)).expect("a command set");
                    seen.lock().unwrap().push(request.text(AFFECTED_SOP_INSTANCE).expect("a UID"));
                    answer = Some(request.response(0));
                }
            } else if let Some(answer) = answer.take_if(|_| last) {
                acceptor.try_send(&upper::p_data(1, upper::COMMAND, &answer.encode(), 16384));
            }
        }
    }
}

#[test]
fn kill_9_loses_no_pseudonym_that_went_out() {
    let upstream = Upstream::bind();
    let setup = remembering(upstream.address);
    let mut site = Site::new();
    let seen = Mutex::new(Vec::new());
    for round in 0..4 {
        let mut gate = Gate::start_in(site, &setup);
        let before = seen.lock().unwrap().len();
        std::thread::scope(|scope| {
            for sender in 0..3 {
                let (mut requestor, acceptor) = association(&gate, &upstream);
                scope.spawn(|| archive(acceptor, &seen));
                scope.spawn(move || {
                    for number in 0.. {
                        let object = ct(round * 1_000_000 + sender * 100_000 + number, 8_000);
                        requestor.try_send(&upper::p_data(
                            1,
                            upper::COMMAND,
                            &request(&object, 1).encode(),
                            16384,
                        ));
                        requestor.try_send(&upper::p_data(1, 0, &object.data_set, 16384));
                        // Until the gate is gone.
                        let Ok(Some(_)) = upper::read_pdu(&mut requestor.stream) else { break };
                    }
                });
            }
            wait::until("objects upstream", || {
                (seen.lock().unwrap().len() > before + 40 + round * 7).then_some(())
            });
            gate.signal("KILL");
            assert!(!gate.wait().success());
        });
        site = gate.site;
    }
    let (seen, known) = (seen.into_inner().unwrap(), uids(&site));
    assert!(seen.len() > 160);
    for instance in &seen {
        let real = known.get(instance).unwrap_or_else(|| panic!("{instance} of {} is lost", seen.len()));
        assert!(real.starts_with("2.25.20000000000000000000000000001"), "{real}");
    }
    let (status, shown, _) = command(&site, &["show"]);
    assert!(status == 0 && shown.contains("intact"), "{shown}");
}

/// Another program that keeps SQLite's writer waiting, as an administrator's might.
fn locked(site: &Site) -> Connection {
    let connection = Connection::open(database(site)).expect("the database");
    connection.execute_batch("BEGIN IMMEDIATE").expect("the writer's lock");
    connection
}

#[test]
fn nothing_goes_out_before_what_it_stands_for_is_on_the_disk() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&remembering(upstream.address));
    let (mut requestor, mut acceptor) = association(&gate, &upstream);
    let lock = locked(&gate.site);
    let comment = refused(&mut requestor, &ct(1, 100_000), 1);
    assert_eq!(comment, "the crosswalk is not available");
    drop(lock);
    // The first that the upstream sees is what could be remembered, the same object too.
    for number in [2, 1] {
        let (instance, _) = stored(&mut requestor, &mut acceptor, &ct(number, 100_000), number as u16);
        assert_eq!(uids(&gate.site)[&instance], ct(number, 0).sop_instance);
    }
    raw::release(requestor, acceptor);
    let failed = gate.record("the refusal", |record| record["status"] == "0xA700");
    assert_eq!(failed["reason"], "rewrite-failed");
    let closed = gate.event("association-closed");
    assert_eq!(
        (&closed["operations"]["C-STORE"]["failure"], &closed["ended"]),
        (&1.into(), &"released".into())
    );
}

#[test]
fn what_is_known_already_needs_no_writing() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&remembering(upstream.address));
    let (mut requestor, mut acceptor) = association(&gate, &upstream);
    let (first, _) = stored(&mut requestor, &mut acceptor, &ct(1, 20_000), 1);
    let lock = locked(&gate.site);
    let (again, _) = stored(&mut requestor, &mut acceptor, &ct(1, 20_000), 2);
    assert_eq!(first, again);
    drop(lock);
    raw::release(requestor, acceptor);
}

#[test]
fn a_pseudonym_behind_the_pixels_is_remembered_before_its_fragment_or_the_object_never_ends() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&remembering(upstream.address));
    let (mut requestor, mut acceptor) = association(&gate, &upstream);
    let mut object = ct(1, 400_000);
    let item = short(0x0400, 0x0100, "UI", b"2.25.4711");
    let mut signatures = vec![0xFA, 0xFF, 0xFA, 0xFF, b'S', b'Q', 0, 0];
    signatures.extend((item.len() as u32 + 8).to_le_bytes());
    signatures.extend([0xFE, 0xFF, 0x00, 0xE0]);
    signatures.extend((item.len() as u32).to_le_bytes());
    signatures.extend(item);
    object.data_set.extend(signatures);
    let stream = upper::p_data(1, 0, &object.data_set, 16384);
    let (header, rest) = stream.split_at(200_000);
    requestor.send(&upper::p_data(1, upper::COMMAND, &request(&object, 1).encode(), 16384));
    requestor.send(header);
    // Once the beginning is upstream, the header is remembered.
    let mut seen = 0;
    while seen < 100_000 {
        seen += acceptor.pdu().body.len();
    }
    let lock = locked(&gate.site);
    std::thread::scope(|scope| {
        let archive = scope.spawn(|| {
            loop {
                let pdu = acceptor.pdu();
                if pdu.kind == upper::ABORT {
                    break;
                }
                for pdv in pdu.pdvs().expect("PDVs") {
                    assert_eq!(pdv.control & upper::LAST, 0, "a cut-off object was called complete");
                }
            }
        });
        requestor.send(rest);
        let answer = requestor.message().command;
        assert_eq!(answer.number(STATUS), Some(0xA700));
        assert_eq!(requestor.expect(upper::ABORT)[2], 2);
        archive.join().expect("no panic");
    });
    drop(lock);
    let (mut requestor, mut acceptor) = association(&gate, &upstream);
    let (instance, data_set) = stored(&mut requestor, &mut acceptor, &object, 1);
    let known = uids(&gate.site);
    assert_eq!(known[&instance], object.sop_instance);
    let late: Vec<_> = known.iter().filter(|(_, real)| *real == "2.25.4711").collect();
    assert!(late.len() == 1 && holds(&data_set, late[0].0), "{known:?}");
    raw::release(requestor, acceptor);
}

/// The size that files of the proxy may have from now on, by prlimit(1).
fn limit_files(gate: &Gate, bytes: &str) {
    let limit = ["--pid", &gate.pid().to_string(), &format!("--fsize={bytes}:unlimited")];
    let status = Program::new("prlimit").args(limit).status();
    assert!(status.expect("prlimit, of util-linux").success());
}

#[test]
fn a_full_disk_refuses_with_a700_until_there_is_room_again() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { shell: DISK_THAT_CAN_BE_FULL, ..remembering(upstream.address) });
    let (mut requestor, mut acceptor) = association(&gate, &upstream);
    let (first, _) = stored(&mut requestor, &mut acceptor, &ct(0, 20_000), 1);
    let journal = fs::metadata(gate.site.path("crosswalk/domain-wal")).expect("the journal").len();
    limit_files(&gate, &(journal + 4096).to_string());
    for number in 1..4 {
        assert_eq!(refused(&mut requestor, &ct(number, 20_000), 2), "the crosswalk is not available");
    }
    // What is known passes all the same.
    let (again, _) = stored(&mut requestor, &mut acceptor, &ct(0, 20_000), 3);
    assert_eq!(first, again);
    limit_files(&gate, "unlimited");
    let (instance, _) = stored(&mut requestor, &mut acceptor, &ct(1, 20_000), 4);
    raw::release(requestor, acceptor);
    let known = uids(&gate.site);
    assert_eq!(known[&instance], ct(1, 0).sop_instance);
    assert!(!known.values().any(|real| *real == ct(2, 0).sop_instance), "half done");
    let log = gate.output();
    assert_eq!(log.matches("pseudonyms cannot be remembered").count(), 1, "{log}");
    assert!(log.contains("pseudonyms are remembered again"), "{log}");
}
