//! Data sets rewritten in flight, end to end: every real object that can be parsed, judged by pydicom and dcmdump; C-GET
//! sub-operations on their way back; and what each side is told where a rewrite fails.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::bad_input::nested;
use crate::command::{AFFECTED_SOP_INSTANCE, C_STORE_RQ, C_STORE_RSP, Command, ERROR_COMMENT, STATUS};
use crate::corpus;
use crate::gate::{self, Gate, Setup};
use crate::object::{Object, short};
use crate::peers::{self, PythonArchive};
use crate::raw::{self, Peer, Upstream};
use crate::scratch::Scratch;
use crate::store::Plan;
use crate::upper::{self, Request};

/// tests/peers/judge.py knows these rules too.
const RULES: &str = r#"[[rewrite]]
name = "site"
profile = "none"
secret-file = "conf/pseudonym.key"
rules = [
  { tag = "PatientName", action = "empty" },
  { tag = "PatientID", action = "pseudonym", length = 16 },
  { tag = "InstitutionName", action = "replace", value = "SITE-07" },
  { tag = "DeidentificationMethod", action = "set", value = "dimsegate" },
  { tag = "SOPInstanceUID", action = "uid" },
  { tag = "StudyInstanceUID", action = "uid" },
  { tag = "SeriesInstanceUID", action = "uid" },
  { tag = "ReferencedSOPInstanceUID", action = "uid" },
  { tag = "FrameOfReferenceUID", action = "uid" },
  { tag = "ContentSequence", action = "remove" },
  { tag = "(xxx1,xxxx)", action = "remove" },
  { tag = "(xxx3,xxxx)", action = "remove" },
  { tag = "(xxx5,xxxx)", action = "remove" },
  { tag = "(xxx7,xxxx)", action = "remove" },
  { tag = "(xxx9,xxxx)", action = "remove" },
  { tag = "(xxxB,xxxx)", action = "remove" },
  { tag = "(xxxD,xxxx)", action = "remove" },
  { tag = "(xxxF,xxxx)", action = "remove" },
]"#;

pub fn rewriting(upstream: std::net::SocketAddr) -> Setup {
    let peers = gate::peer("rewrite = \"site\"");
    Setup { extra: RULES, peers, limits: MANY, ..Setup::plain(upstream) }
}

const MANY: &str = "connections-per-minute-per-address = 100000";

/// One object through the gate: what the requestor was answered, and what the upstream got, if it got anything whole.
pub struct Passed {
    pub status: u16,
    pub comment: Option<String>,
    pub received: Option<(Command, Vec<u8>)>,
}

pub fn pass(gate: &Gate, upstream: &Upstream, object: &Object) -> Option<Passed> {
    let request = Request::new("SITE", "PACS").context(&object.sop_class, &[&object.transfer_syntax]);
    let mut requestor = Peer::connect(&gate.plain());
    requestor.send(&request.encode());
    let sent = Command::c_store_rq(9, &object.sop_class, &object.sop_instance);
    let store = [
        upper::p_data(1, upper::COMMAND, &sent.encode(), 16384),
        upper::p_data(1, 0, &object.data_set, 16384),
    ]
    .concat();
    // Where no transfer syntax can be rewritten, the upstream is never asked.
    let readable = is_rewritable(&object.transfer_syntax);
    if !readable {
        let answer = requestor.associate(upper::ASSOCIATE_AC);
        assert_eq!((answer.contexts[0].0, answer.contexts[0].1), (1, 1));
        upstream.expect_nobody();
        return None;
    }
    let (mut acceptor, _) = upstream.accept_all(16384);
    requestor.associate(upper::ASSOCIATE_AC);
    let (answer, received) = std::thread::scope(|scope| {
        let archive = scope.spawn(move || {
            let received = archived(&mut acceptor);
            (acceptor, received)
        });
        requestor.send(&store);
        let answer = requestor.message().command;
        // A gate that aborted upstream aborts here too; one that did not gets its release.
        requestor.try_send(&upper::release_rq());
        let (mut acceptor, received) = archive.join().expect("no panic");
        if received.is_some() {
            acceptor.expect_release();
        } else {
            acceptor.rest();
        }
        (answer, received)
    });
    // The requestor reads its own UID, whatever the archive calls the object.
    assert_eq!(answer.text(AFFECTED_SOP_INSTANCE), Some(object.sop_instance.clone()));
    assert_eq!((answer.field(), answer.number(0x0120)), (C_STORE_RSP, Some(9)));
    let status = answer.number(STATUS).expect("a status");
    Some(Passed { status, comment: answer.text(ERROR_COMMENT), received })
}

/// The message that came whole, answered with success; `None` where the gate released or aborted first.
fn archived(acceptor: &mut Peer) -> Option<(Command, Vec<u8>)> {
    let (mut command, mut data) = (Vec::new(), Vec::new());
    loop {
        let pdu = acceptor.pdu();
        if pdu.kind == upper::RELEASE_RQ {
            assert!(command.is_empty(), "a release in mid message");
            acceptor.send(&upper::release_rp());
            return None;
        }
        if pdu.kind == upper::ABORT {
            return None;
        }
        for pdv in pdu.pdvs().expect("PDVs") {
            let last = pdv.control & upper::LAST != 0;
            if pdv.control & upper::COMMAND != 0 { &mut command } else { &mut data }.extend(pdv.value);
            if last && pdv.control & upper::COMMAND == 0 {
                let command = Command::parse(&command).expect("a command set");
                assert_eq!(command.field(), C_STORE_RQ);
                acceptor.send_message(1, &command.response(0), None, 16384);
                return Some((command, data));
            }
        }
    }
}

/// The objects of the corpus that can be parsed to their end and say which instance they are; the others are cut off, have
/// elements twice with two values, or lack (0008,0018), as directories do.
const REWRITTEN: usize = 234;

/// PS3.5 Annex A as far as the corpus goes: the standard's own syntaxes but for JPIP.
fn is_rewritable(transfer_syntax: &str) -> bool {
    transfer_syntax.starts_with("1.2.840.10008.1.2") && !transfer_syntax.ends_with(".4.94")
}

#[test]
fn every_real_object_is_rewritten_as_pydicom_and_dcmdump_read_it_or_refused() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&rewriting(upstream.address));
    let folder = Scratch::new();
    let (mut pairs, mut refused, mut syntaxes) = (Vec::new(), Vec::new(), std::collections::BTreeMap::new());
    for (index, (path, object)) in corpus_with_paths().into_iter().enumerate() {
        let Some(Passed { status, comment, received }) = pass(&gate, &upstream, &object) else {
            refused.push((path, "transfer syntax".to_owned()));
            continue;
        };
        let Some((command, data_set)) = received else {
            assert_eq!(status & 0xFF00 | 0x00FF, if status >= 0xC000 { 0xC0FF } else { 0xA9FF }, "{path:?}");
            refused.push((path, comment.expect("an Error Comment")));
            continue;
        };
        assert_eq!(status, 0, "{path:?}");
        let sop_instance = command.text(AFFECTED_SOP_INSTANCE).expect("a UID");
        *syntaxes.entry(object.transfer_syntax.clone()).or_insert(0) += 1;
        let rewritten = Object { sop_instance, data_set, ..object.clone() };
        let to = folder.path().join(format!("{index:06}.dcm"));
        fs::write(&to, rewritten.to_part10()).expect("a file written");
        pairs.push((path, to));
    }
    // Shown where the scenario fails.
    println!("{} rewritten: {syntaxes:?}; refused: {refused:#?}", pairs.len());
    assert!(!gate.output().contains("panicked"), "{}", gate.output());
    assert!(gate.peak_resident_kib() < 128 << 10, "{} KiB", gate.peak_resident_kib());
    assert_eq!(pairs.len(), REWRITTEN, "another number of objects went through");
    for syntax in ["", ".1", ".2", ".1.99", ".4.50", ".4.70", ".4.90", ".5"] {
        assert!(syntaxes.contains_key(&format!("1.2.840.10008.1.2{syntax}")), "no object in {syntax}");
    }
    let verdict = judged(&gate, &pairs);
    assert_eq!(verdict["differences"], json!([]), "{verdict:#}");
    assert_eq!((&verdict["compared"], &verdict["unreadable"]), (&json!(REWRITTEN), &Value::Null));
    for (path, to) in &pairs {
        assert!(!dumps(path) || dumps(to), "dcmdump reads {} but not what became of it", path.display());
    }
}

/// As a requestor sends them that reads the SOP instance UID where it belongs: in some of them, the file meta
/// information has another one.
fn corpus_with_paths() -> Vec<(PathBuf, Object)> {
    let paths = corpus::files().into_iter();
    let with_meta = paths.filter(|path| Object::from_part10(&fs::read(path).expect("a file")).is_some());
    let mut all: Vec<(PathBuf, Object)> = with_meta.zip(corpus::objects()).collect();
    let lines: String = all.iter().map(|(path, _)| format!("{}\n", path.display())).collect();
    let identified = judge("identify", &lines);
    let identified = identified.as_array().expect("a list");
    assert_eq!(identified.len(), all.len());
    for ((_, object), uid) in all.iter_mut().zip(identified) {
        if let Some(uid) = uid.as_str().filter(|uid| !uid.is_empty()) {
            object.sop_instance = uid.to_owned();
        }
    }
    all
}

fn judged(gate: &Gate, pairs: &[(PathBuf, PathBuf)]) -> Value {
    let lines: String =
        pairs.iter().map(|(from, to)| format!("{} {}\n", from.display(), to.display())).collect();
    judge(&gate.site.text("conf/pseudonym.key"), &lines)
}

fn judge(argument: &str, lines: &str) -> Value {
    let mut judge = peers::python("judge.py");
    judge.arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut judge = judge.spawn().expect("judge.py");
    judge.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("lines written");
    let output = judge.wait_with_output().expect("judge.py ended");
    serde_json::from_slice(&output.stdout).expect("a JSON object of judge.py")
}

fn dumps(path: &Path) -> bool {
    let output = Program::new("dcmdump").arg("-q").arg(path).output().expect("dcmdump, of dcmtk");
    output.status.success()
}

pub fn ct_association(gate: &Gate, upstream: &Upstream) -> (Peer, Peer) {
    let request = Request::new("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    raw::open(&gate.plain(), upstream, &request, 16384)
}

/// The object with one element more behind its last, which no data set may have there (PS3.5 §7.1).
fn spoiled(mut object: Object) -> Object {
    object.data_set.extend(short(0x0008, 0x0090, "PN", b"DOE^JOHN"));
    object
}

#[test]
fn a_rewrite_that_fails_in_the_header_leaves_the_upstream_untouched_and_the_association_alive() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&rewriting(upstream.address));
    let (mut requestor, mut acceptor) = ct_association(&gate, &upstream);
    let good = Object::ct(1_000);
    let mut twice = good.clone();
    twice.data_set.splice(0..0, short(0x0008, 0x0005, "CS", b"ISO_IR 192"));
    let mut other_instance = good.clone();
    other_instance.sop_instance = "2.25.99".into();
    let cut = Object { data_set: good.data_set[..good.data_set.len() - 3].to_vec(), ..good.clone() };
    let nothing = Object { data_set: Vec::new(), ..good.clone() };
    for (id, (object, status)) in
        [(&twice, 0xC000), (&other_instance, 0xA900), (&cut, 0xC000), (&nothing, 0xA900)]
            .into_iter()
            .enumerate()
    {
        let store = Command::c_store_rq(id as u16, &object.sop_class, &object.sop_instance);
        requestor.send_message(1, &store, Some(&object.data_set), 4096);
        let answer = requestor.message().command;
        assert_eq!((answer.field(), answer.number(STATUS)), (C_STORE_RSP, Some(status)), "{id}");
        assert_eq!(answer.text(AFFECTED_SOP_INSTANCE), Some(object.sop_instance.clone()));
        let comment = answer.text(ERROR_COMMENT).unwrap_or_default();
        assert!(!comment.is_empty() && comment.len() <= 64 && !comment.contains("PHANTOM"), "{comment}");
    }
    // The first thing that the upstream sees is the good one.
    let store = Command::c_store_rq(7, &good.sop_class, &good.sop_instance);
    requestor.send_message(1, &store, Some(&good.data_set), 4096);
    let stored = acceptor.message();
    assert_eq!(stored.command.number(0x0110), Some(7));
    acceptor.send_message(1, &stored.command.response(0), None, 4096);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    assert_eq!(
        closed["operations"]["C-STORE"],
        json!({"success": 1, "warning": 0, "failure": 3, "refused": 1})
    );
    let other = gate.record("another instance", |record| record["reason"] == "data-set-mismatch");
    assert_eq!(
        (&other["status"], &other["sop-instance"], &other["data-set-sop-instance"]),
        (&json!("0xA900"), &json!(gate.hashed("2.25.99")), &json!(gate.hashed(&good.sop_instance)))
    );
    let failed = gate.record("a failed rewrite", |record| record["reason"] == "rewrite-failed");
    assert_eq!((&failed["event"], &failed["status"]), (&json!("operation"), &json!("0xC000")));
    assert_eq!(closed["ended"], "released");
}

/// Everything that comes until the A-ABORT, none of it a last fragment of a data set.
fn aborted_without_a_last_fragment(peer: &mut Peer) -> Vec<u8> {
    let mut data = 0;
    loop {
        let pdu = peer.pdu();
        if pdu.kind == upper::ABORT {
            assert!(data > 0, "nothing had been sent");
            return pdu.body;
        }
        for pdv in pdu.pdvs().expect("PDVs").iter().filter(|pdv| pdv.control & upper::COMMAND == 0) {
            assert_eq!(pdv.control & upper::LAST, 0, "a cut-off object was called complete");
            data += pdv.value.len();
        }
    }
}

#[test]
fn a_rewrite_that_fails_late_aborts_the_upstream_and_tells_the_requestor_first() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&rewriting(upstream.address));
    let (mut requestor, mut acceptor) = ct_association(&gate, &upstream);
    let object = spoiled(Object::ct(400_000));
    let store = Command::c_store_rq(3, &object.sop_class, &object.sop_instance);
    std::thread::scope(|scope| {
        let archive = scope.spawn(|| {
            assert_eq!(aborted_without_a_last_fragment(&mut acceptor)[2], 2);
            acceptor.expect_close();
        });
        requestor.send_message(1, &store, Some(&object.data_set), 16384);
        let answer = requestor.message().command;
        assert_eq!((answer.number(STATUS), answer.number(0x0120)), (Some(0xC000), Some(3)));
        assert_eq!(answer.text(AFFECTED_SOP_INSTANCE), Some(object.sop_instance.clone()));
        assert_eq!(answer.text(ERROR_COMMENT).as_deref(), Some("(0008,0090): out of order"));
        assert_eq!(requestor.expect(upper::ABORT)[2], 2);
        archive.join().expect("no panic");
    });
    let closed = gate.event("association-closed");
    assert_eq!(closed["ended"], "policy", "{closed}");
    assert_eq!(
        closed["operations"]["C-STORE"],
        json!({"success": 0, "warning": 0, "failure": 1, "refused": 0})
    );
    assert!(!gate.output().contains("DOE^JOHN"), "a name in the log");
}

#[test]
fn a_requestor_that_stops_after_a_late_failure_is_not_waited_for() {
    let upstream = Upstream::bind();
    let limits = "dimse-timeout = \"1s\"";
    let gate = Gate::start(&Setup { limits, ..rewriting(upstream.address) });
    let (mut requestor, mut acceptor) = ct_association(&gate, &upstream);
    let object = spoiled(Object::ct(400_000));
    let store = Command::c_store_rq(3, &object.sop_class, &object.sop_instance);
    requestor.send(&upper::p_data(1, upper::COMMAND, &store.encode(), 16384));
    let mut stream = upper::p_data(1, 0, &object.data_set, 16384);
    // The last PDU is there but for the bit that says so: the message goes on, and nothing comes.
    let last = stream.len() - (object.data_set.len() % (16384 - 6)) - 1;
    stream[last] &= !upper::LAST;
    std::thread::scope(|scope| {
        scope.spawn(|| assert_eq!(aborted_without_a_last_fragment(&mut acceptor)[2], 2));
        requestor.try_send(&stream);
        assert_eq!(requestor.expect(upper::ABORT)[2], 2);
    });
    let closed = gate.event("association-closed");
    assert_eq!(closed["operations"]["C-STORE"]["failure"], 1, "{closed}");
    assert_eq!(closed["operations"]["C-STORE"]["success"], 0, "{closed}");
}

#[test]
fn transfer_syntaxes_that_cannot_be_read_never_reach_the_upstream_where_rules_apply() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&rewriting(upstream.address));
    let private = "1.2.840.113619.5.2";
    let jpip = "1.2.840.10008.1.2.4.94";
    let request = Request::new("SITE", "PACS")
        .context(upper::CT_IMAGE_STORAGE, &[private, jpip, upper::EXPLICIT_LITTLE])
        .context(upper::CT_IMAGE_STORAGE, &[private]);
    let mut requestor = Peer::connect(&gate.plain());
    requestor.send(&request.encode());
    let (acceptor, seen) = upstream.accept_all(16384);
    let seen: Vec<_> = seen.contexts.into_iter().map(|(id, _, _, syntaxes)| (id, syntaxes)).collect();
    assert_eq!(seen, [(1, vec![upper::EXPLICIT_LITTLE.to_string()])]);
    let answer = requestor.associate(upper::ASSOCIATE_AC);
    let results: Vec<(u8, u8)> = answer.contexts.iter().map(|(id, result, ..)| (*id, *result)).collect();
    assert_eq!(results, [(1, 0), (3, 1)]);
    raw::release(requestor, acceptor);
}

#[test]
fn sub_operations_of_a_c_get_are_rewritten_on_their_way_to_the_peer() {
    let objects = [Object::ct(200_000), Object { sop_instance: "2.25.5".into(), ..Object::ct(3_000) }];
    let second = objects[1].clone();
    // Two instances: the second's data set says so too.
    let second = Object { data_set: with_instance(&second.data_set, b"2.25.5"), ..second };
    let objects = [objects[0].clone(), second];
    let (folder, _) = peers::files_of(&objects);
    let archive = PythonArchive::start(&["--serve", &folder.path().display().to_string()]);
    for (direction, rewritten) in [("both", true), ("to-peer", true), ("from-peer", false)] {
        let peers = gate::peer(&format!("rewrite = \"site\"\nrewrite-direction = \"{direction}\""));
        let gate = Gate::start(&Setup { peers, ..rewriting(archive.address()) });
        let got = Scratch::new();
        let answer = peers::scu("get", gate.address, &["--folder", &got.path().display().to_string()]);
        assert_eq!((&answer["status"], &answer["Completed"]), (&json!(0), &json!(2)), "{answer}");
        for (index, object) in objects.iter().enumerate() {
            let received = fs::read(got.path().join(format!("{index:06}.dataset"))).expect("an object");
            assert_eq!(received == object.data_set, !rewritten, "{direction}");
            assert_eq!(holds(&received, b"PHANTOM^CARLA"), !rewritten, "{direction}");
            assert_eq!(holds(&received, b"SITE-07"), rewritten, "{direction}");
            let announced = answer["received"][index]["sop_instance"].as_str().expect("a UID");
            assert!(holds(&received, announced.as_bytes()), "the command names another instance");
            assert_eq!(announced != object.sop_instance, rewritten, "{direction}");
        }
        let closed = gate.event("association-closed");
        assert_eq!(closed["operations"]["C-STORE"]["success"], 2, "{closed}");
    }
    // What the archive is answered is about its own instances.
    let answered = archive.events().into_iter().filter(|event| event["event"] == "C-STORE-RSP");
    let answered: Vec<Value> = answered.map(|event| event["sop_instance"].clone()).collect();
    let asked = objects.iter().map(|object| json!(object.sop_instance));
    assert_eq!(answered, asked.cycle().take(6).collect::<Vec<_>>());
}

fn with_instance(data_set: &[u8], instance: &[u8]) -> Vec<u8> {
    let at = data_set.windows(4).position(|tag| tag == [8, 0, 0x18, 0]).expect("(0008,0018)");
    let length = usize::from(u16::from_le_bytes([data_set[at + 6], data_set[at + 7]]));
    let mut changed = data_set.to_vec();
    changed.splice(at..at + 8 + length, short(8, 0x18, "UI", instance));
    changed
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn what_getscu_gets_from_dcmqrscp_is_rewritten() {
    let archive = peers::dcmqrscp(crate::process::free_address());
    let object = Object::ct(150_000);
    let (_folder, files) = peers::files_of(std::slice::from_ref(&object));
    peers::requestor("storescu", archive.address, &["-xe", "-aec", "QR"], &[&files[0]]).expect_success();
    let gate = Gate::start(&rewriting(archive.address));
    let got = Scratch::new();
    let folder = got.path().display().to_string();
    let keys = ["-S", "-aec", "QR", "+B", "-od", &folder, "-k", "0008,0052=STUDY", "-k", "0020,000D"];
    peers::requestor("getscu", gate.address, &keys, &[]).expect_success();
    let files: Vec<PathBuf> =
        fs::read_dir(got.path()).expect("a folder").flatten().map(|entry| entry.path()).collect();
    assert_eq!(files.len(), 1);
    let received = Object::from_file(&files[0]).expect("a file that getscu wrote");
    assert!(holds(&received.data_set, b"SITE-07") && !holds(&received.data_set, b"PHANTOM^CARLA"));
    assert!(received.sop_instance.starts_with("2.25.") && received.sop_instance != object.sop_instance);
    assert!(holds(&received.data_set, received.sop_instance.as_bytes()));
    assert!(dumps(&files[0]));
    let pixels = |object: &Object| object.data_set[object.data_set.len() - 140_000..].to_vec();
    assert!(pixels(&received) == pixels(&object), "other pixels than were stored");
}

#[test]
fn memory_does_not_depend_on_the_size_of_a_rewritten_object() {
    let options = crate::sink::Options { maximum_length: 131_072, tls: None, checksums: false };
    let (address, totals) =
        crate::sink::start(std::net::SocketAddr::from(([127, 0, 0, 1], 0)), options).expect("a sink");
    let gate = Gate::start(&rewriting(address));
    let (object, target) = (Object::ct(200 << 20), gate.plain());
    let plan = Plan {
        target: &target,
        calling: "SITE",
        called: "PACS",
        object: &object,
        objects: 1,
        associations: 1,
        maximum_length: 131_072,
    };
    plan.run().expect("an object stored");
    let bytes = totals.bytes.load(std::sync::atomic::Ordering::Relaxed);
    assert!(bytes > (200 << 20) - 4096 && bytes != object.data_set.len() as u64, "{bytes}");
    assert!(gate.peak_resident_kib() < 64 << 10, "{} KiB", gate.peak_resident_kib());
}

/// Frames of an enhanced object, each with an instance that it refers to, before the pixels.
fn with_frames(frames: usize, referred: &str) -> Object {
    let mut object = Object::ct(2_000);
    let at = object.data_set.windows(4).position(|tag| tag == [0xE0, 0x7F, 0x10, 0x00]).expect("pixel data");
    let pixels = object.data_set.split_off(at);
    let frame = [short(0x0008, 0x1155, "UI", referred.as_bytes()), short(0x0020, 0x4000, "LT", &[b'c'; 40])];
    let item =
        |frame: &[u8]| [&[0xFE, 0xFF, 0x00, 0xE0], &(frame.len() as u32).to_le_bytes()[..], frame].concat();
    object.data_set.extend([&[0x00, 0x52, 0x30, 0x92][..], b"SQ\0\0", &[0xFF; 4]].concat());
    object.data_set.extend(item(&frame.concat()).repeat(frames));
    object.data_set.extend([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
    object.data_set.extend(pixels);
    object
}

#[test]
fn a_header_of_five_megabytes_is_de_identified_as_it_streams() {
    let upstream = Upstream::bind();
    let extra = RULES.replace("profile = \"none\"", "profile = \"basic\"").leak();
    let gate = Gate::start(&Setup { extra, ..rewriting(upstream.address) });
    let (frames, referred) = (55_000, "1.2.826.0.1.3680043.8.498.77");
    pass(&gate, &upstream, &with_frames(10, referred)).expect("a syntax that can be rewritten");
    let before = gate.peak_resident_kib();
    let object = with_frames(frames, referred);
    assert!(object.data_set.len() > 5_000_000, "{}", object.data_set.len());
    let passed = pass(&gate, &upstream, &object).expect("a syntax that can be rewritten");
    let (_, received) = passed.received.expect("an object");
    assert_eq!(passed.status, 0);
    assert!(!holds(&received, referred.as_bytes()) && !holds(&received, &[b'c'; 40]));
    let references = received.windows(6).filter(|tag| tag == b"\x08\0\x55\x11UI").count();
    assert_eq!(references, frames, "each frame refers to its new instance");
    let grown = gate.peak_resident_kib() - before;
    assert!(grown < 2 << 10, "{grown} KiB more for a header of 5 MB than for a short one");
}

#[test]
fn sequences_may_be_nested_as_deep_as_is_configured_and_no_deeper() {
    for (keys, deepest) in [("", 32), ("max-depth = 3", 3)] {
        let upstream = Upstream::bind();
        let extra = RULES.replace("profile = \"none\"", &format!("profile = \"none\"\n{keys}")).leak();
        let gate = Gate::start(&Setup { extra, ..rewriting(upstream.address) });
        let passed = pass(&gate, &upstream, &nested(deepest)).expect("a syntax that can be rewritten");
        assert!(passed.status == 0 && passed.received.is_some(), "{:?}", passed.comment);
        let refused = pass(&gate, &upstream, &nested(deepest + 1)).expect("a syntax that can be rewritten");
        assert_eq!((refused.status, refused.received), (0xC000, None), "{keys}");
        let comment = refused.comment.unwrap_or_default();
        assert!(comment.contains("nested too deep"), "{comment}");
    }
}

#[test]
fn orthanc_knows_what_came_over_tls_by_its_pseudonym_only() {
    let archive = peers::orthanc();
    let gate = Gate::start(&Setup { tls: true, ..rewriting(archive.address) });
    let (_folder, files) = peers::files_of(&[Object::ct(60_000)]);
    let tls = peers::dcmtk_tls(&gate.site);
    let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
    let ae = ["-aet", "SITE", "-aec", "ORTHANC"];
    let store = [&tls[..], &ae, &["-xe", "-R"]].concat();
    peers::requestor("storescu", gate.address, &store, &[&files[0]]).expect_success();
    let find = |patient: &str| {
        let key = format!("0010,0020={patient}");
        let keys = ["-S", "-aec", "ORTHANC", "-k", "0008,0052=STUDY", "-k", &key, "-k", "0020,000D"];
        peers::requestor("findscu", archive.address, &keys, &[]).expect_success()
    };
    let key = aws_lc_rs::hmac::Key::new(
        aws_lc_rs::hmac::HMAC_SHA256,
        &fs::read(gate.site.path("conf/pseudonym.key")).expect("the secret"),
    );
    let digest = aws_lc_rs::hmac::sign(&key, b"pseudonym\0PID-0815");
    let pseudonym: String = digest.as_ref()[..8].iter().map(|byte| format!("{byte:02X}")).collect();
    let found = find(&pseudonym);
    assert!(found.contains(&pseudonym) && found.contains("2.25."), "{found}");
    assert!(!find("PID-0815").contains("0020,000d"), "the patient's own number is known");
}
