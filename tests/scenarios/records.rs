//! What a security reviewer reads: every field that the contract promises, and nothing that it does not.

use serde_json::{Value, json};

use crate::command::Command;
use crate::gate::{self, Gate, Setup};
use crate::object::{Object, short};
use crate::raw::{self, Upstream, verification};
use crate::site::{CLIENT_NAME, Site};
use crate::upper::{self, Request};

/// One association over TLS with an echo, a store, and a store that the archive refuses.
fn told() -> (Gate, std::net::SocketAddr, Object) {
    let upstream = Upstream::bind();
    let upstream_keys = "called-ae-title = \"ARCHIVE\"";
    let gate = Gate::start(&Setup { upstream_keys, ..Setup::tls(upstream.address) });
    let version = upper::item(0x55, b"RAW_1");
    let request = verification("SITE", "PACS")
        .context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE])
        .user_item(version);
    let (mut requestor, mut acceptor) = raw::open(&gate.tls(), &upstream, &request, 16384);
    let object = Object::ct(10_000);
    let store = Command::c_store_rq(2, &object.sop_class, &object.sop_instance);
    for (context, command, data, status) in [
        (1, Command::c_echo_rq(1), None, 0),
        (3, store.clone(), Some(&object.data_set[..]), 0),
        (3, store.us(0x0110, 3), Some(&object.data_set[..]), 0xA700),
    ] {
        requestor.send_message(context, &command, data, 16384);
        let message = acceptor.message();
        acceptor.send_message(context, &message.command.response(status), None, 16384);
        requestor.message();
    }
    raw::release(requestor, acceptor);
    gate.event("association-closed");
    (gate, upstream.address, object)
}

#[test]
fn the_closing_record_alone_tells_the_whole_story() {
    let (gate, upstream, object) = told();
    let closed = gate.event("association-closed");
    assert_eq!(closed["listener"], "remote");
    assert_eq!(closed["peer"], "site");
    assert_eq!(closed["address"], "127.0.0.1");
    assert!(closed["port"].as_u64().is_some_and(|port| port > 0));
    let tls = &closed["tls"];
    assert_eq!(tls["version"], "1.3");
    assert!(
        tls["cipher"]
            .as_str()
            .is_some_and(|cipher| cipher.starts_with("TLS13_") || cipher.starts_with("TLS_")),
        "{tls}"
    );
    assert!(tls["subject"].as_str().is_some_and(|subject| subject.contains("client")), "{tls}");
    assert_eq!(tls["san"], json!([format!("dns:{CLIENT_NAME}")]));
    assert!(
        tls["fingerprint"].as_str().is_some_and(|print| print.trim_start_matches("sha256:").len() == 64),
        "{tls}"
    );
    assert_eq!((&closed["calling-ae-title"], &closed["called-ae-title"]), (&json!("SITE"), &json!("PACS")));
    let implementation = &closed["implementation"];
    assert_eq!(implementation["class-uid"], "2.25.301234567890123456789012345678901234");
    assert_eq!(implementation["version-name"], "RAW_1");
    assert_eq!(
        closed["upstream"],
        json!({"name": "pacs", "address": upstream.to_string(), "called-ae-title": "ARCHIVE", "calling-ae-title": "SITE"})
    );
    assert_eq!(
        closed["contexts"],
        json!([
            {"id": 1, "abstract-syntax": upper::VERIFICATION, "result": 0, "transfer-syntax": upper::IMPLICIT_LITTLE},
            {"id": 3, "abstract-syntax": upper::CT_IMAGE_STORAGE, "result": 0, "transfer-syntax": upper::EXPLICIT_LITTLE},
        ])
    );
    assert_eq!(
        closed["operations"],
        json!({
            "C-ECHO": {"success": 1, "warning": 0, "failure": 0, "refused": 0},
            "C-STORE": {"success": 1, "warning": 0, "failure": 1, "refused": 0},
        })
    );
    let sent = 2 * object.data_set.len() as u64;
    assert!(
        closed["bytes"]["in"].as_u64().is_some_and(|bytes| (sent..sent + 2_000).contains(&bytes)),
        "{closed}"
    );
    assert!(closed["bytes"]["out"].as_u64().is_some_and(|bytes| (100..2_000).contains(&bytes)), "{closed}");
    assert_eq!(
        (&closed["rewrite"], &closed["ended"], &closed["reason"]),
        (&Value::Null, &json!("released"), &Value::Null)
    );
    assert_eq!(closed["configuration"], gate.event("started")["configuration"]);
    assert!(closed["duration-ms"].is_u64());
}

#[test]
fn every_operation_has_a_record() {
    let (gate, _, object) = told();
    let records = gate.records();
    let operations: Vec<&Value> = records.iter().filter(|record| record["event"] == "operation").collect();
    let shown: Vec<(&Value, &Value, &Value)> = (operations.iter())
        .map(|record| (&record["operation"], &record["message-id"], &record["status"]))
        .collect();
    let (echo, store) = (json!("C-ECHO"), json!("C-STORE"));
    let (success, failure) = (json!("0x0000"), json!("0xA700"));
    assert_eq!(
        shown,
        [(&echo, &json!(1), &success), (&store, &json!(2), &success), (&store, &json!(3), &failure)]
    );
    let stored = operations[1];
    assert_eq!(stored["sop-class"], object.sop_class);
    assert_eq!(stored["sop-instance"], object.sop_instance);
    assert_eq!(stored["study"], "2.25.200000000000000000000000000000000002");
    assert_eq!(stored["bytes"], object.data_set.len());
    assert!(stored["duration-ms"].is_u64());
}

#[test]
fn records_are_ordered_dated_and_tied_together() {
    let (mut gate, ..) = told();
    assert!(gate.stop().success());
    let records = gate.records();
    let events: Vec<&str> = records.iter().filter_map(|record| record["event"].as_str()).collect();
    let told = ["association-opened", "operation", "operation", "operation", "association-closed", "stopped"];
    assert_eq!(events[events.len() - told.len()..], told);
    assert!(events.contains(&"started"));
    let sequences: Vec<u64> = records.iter().filter_map(|record| record["sequence"].as_u64()).collect();
    assert_eq!(sequences.len(), records.len());
    assert!(sequences.windows(2).all(|pair| pair[1] == pair[0] + 1), "{sequences:?}");
    for record in &records {
        let time = record["time"].as_str().unwrap_or_default();
        assert!(time.len() == 27 && time.ends_with('Z') && time.as_bytes()[19] == b'.', "{record}");
    }
    let of_one: Vec<&Value> = (records.iter().filter(|record| record["event"] != "started"))
        .filter_map(|record| record.get("association"))
        .collect();
    assert_eq!(of_one.len(), 5);
    assert!(of_one.iter().all(|id| *id == of_one[0]), "{of_one:?}");
}

#[test]
fn a_patient_is_a_keyed_hash_unless_the_administrator_chose_otherwise() {
    for (audit, name) in
        [("", false), ("patient-identifiers = \"none\"", false), ("patient-identifiers = \"clear\"", true)]
    {
        let upstream = Upstream::bind();
        let gate = Gate::start(&Setup { audit, ..Setup::plain(upstream.address) });
        let request =
            Request::new("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
        let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
        let object = Object::ct(3_000);
        let store = Command::c_store_rq(2, &object.sop_class, &object.sop_instance);
        requestor.send_message(1, &store, Some(&object.data_set), 16384);
        let message = acceptor.message();
        acceptor.send_message(1, &message.command.response(0), None, 16384);
        requestor.message();
        raw::release(requestor, acceptor);
        gate.event("association-closed");
        let text = format!("{:?}{}", gate.records(), gate.output());
        assert_eq!(text.contains("PID-0815"), name, "{audit}");
        assert!(!text.contains("PHANTOM^CARLA"), "{audit}: a name in the records or the log");
        let operation = gate.event("operation");
        assert_eq!(operation.get("patient").is_some(), !audit.contains("none"), "{operation}");
    }
}

/// Specific Character Set and Patient ID as they are written: one patient thrice, and one whose text nobody can tell.
const WRITTEN: [(&[u8], &[u8]); 4] = [
    (b"ISO_IR 100", b"M\xDCLLER-1"),
    (b"ISO_IR 192", "M\u{dc}LLER-1".as_bytes()),
    (b"\\ISO 2022 IR 100", b"M\x1B-A\xDCLLER-1"),
    (b"ISO_IR 192", b"M\xDCLLER-1"),
];

#[test]
fn one_patient_is_one_in_every_character_set() {
    let rules = r#"[[rewrite]]
name = "site"
profile = "none"
secret-file = "conf/pseudonym.key"
rules = [{ tag = "InstitutionName", action = "remove" }]"#;
    for (rewrite, audit) in [("", ""), ("rewrite = \"site\"", ""), ("", "patient-identifiers = \"clear\"")] {
        let upstream = Upstream::bind();
        let extra = if rewrite.is_empty() { "" } else { rules };
        let gate = Gate::start(&Setup {
            audit,
            extra,
            peers: gate::peer(rewrite),
            ..Setup::plain(upstream.address)
        });
        let request =
            Request::new("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
        let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
        for (id, (set, patient)) in WRITTEN.into_iter().enumerate() {
            let store = Command::c_store_rq(id as u16, upper::CT_IMAGE_STORAGE, "2.25.1");
            let data_set = [
                short(8, 5, "CS", set),
                short(8, 0x16, "UI", upper::CT_IMAGE_STORAGE.as_bytes()),
                short(8, 0x18, "UI", b"2.25.1"),
                short(0x10, 0x20, "LO", patient),
            ];
            // In fragments so small that no element comes whole.
            requestor.send_message(1, &store, Some(&data_set.concat()), if id == 0 { 16384 } else { 16 });
            let message = acceptor.message();
            acceptor.send_message(1, &message.command.response(0), None, 16384);
            requestor.message();
        }
        raw::release(requestor, acceptor);
        gate.event("association-closed");
        let operations: Vec<_> =
            gate.records().into_iter().filter(|record| record["event"] == "operation").collect();
        let patients: Vec<&str> =
            operations.iter().map(|record| record["patient"].as_str().expect("a patient")).collect();
        assert_eq!(patients.len(), 4);
        assert!(patients[0] == patients[1] && patients[1] == patients[2], "{rewrite} {audit} {patients:?}");
        assert_ne!(patients[3], patients[0]);
        assert_eq!(patients[0] == "M\u{dc}LLER-1", !audit.is_empty());
    }
}

#[test]
fn rewritten_objects_are_told_with_both_of_their_uids() {
    let upstream = Upstream::bind();
    let extra = r#"[[rewrite]]
name = "site"
profile = "none"
secrets = [{ version = 3, file = "conf/pseudonym.key" }]
rules = [
  { tag = "InstitutionName", action = "set", value = "{tenant}-{sequence}" },
  { tag = "SOPInstanceUID", action = "uid" },
  { tag = "StudyInstanceUID", action = "uid" },
  { tag = "PatientID", action = "pseudonym", length = 16 },
  { tag = "PatientName", action = "remove" },
]"#;
    let gate = Gate::start_in(
        Site::new(),
        &Setup {
            extra,
            peers: gate::peer("rewrite = \"site\"\ntenant = \"lyon\""),
            ..Setup::tls(upstream.address)
        },
    );
    let request = Request::new("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let (mut requestor, mut acceptor) = raw::open(&gate.tls(), &upstream, &request, 16384);
    let object = Object::ct(3_000);
    let store = Command::c_store_rq(2, &object.sop_class, &object.sop_instance);
    requestor.send_message(1, &store, Some(&object.data_set), 16384);
    let message = acceptor.message();
    let new = message.command.text(crate::command::AFFECTED_SOP_INSTANCE).expect("a UID");
    assert!(new.starts_with("2.25.") && new != object.sop_instance, "{new}");
    let data_set = message.data_set.expect("a data set");
    assert!(holds(&data_set, new.as_bytes()) && !holds(&data_set, object.sop_instance.as_bytes()));
    assert!(!holds(&data_set, b"PID-0815") && !holds(&data_set, b"PHANTOM^CARLA"));
    assert!(holds(&data_set, b"lyon-1"));
    acceptor.send_message(1, &message.command.response(0), None, 16384);
    // The requestor reads the UID that it sent.
    let answer = requestor.message().command;
    assert_eq!(answer.text(crate::command::AFFECTED_SOP_INSTANCE), Some(object.sop_instance.clone()));
    raw::release(requestor, acceptor);
    let operation = gate.event("operation");
    // Both in clear would be a table that leads back: the original is there as patients are.
    assert_eq!(operation["sop-instance"], gate.hashed(&object.sop_instance));
    assert_eq!(operation["study"], gate.hashed("2.25.200000000000000000000000000000000002"));
    assert_eq!(operation["new-sop-instance"], new);
    assert!(!operation.to_string().contains(&object.sop_instance), "{operation}");
    let found = |arguments: &[&str]| {
        let all = [&["audit", "search", "audit", "--json"], arguments].concat();
        let done = gate::command(&gate.site, &all).output().expect("a search");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("UTF-8").lines().count()
    };
    for named in
        [["--sop-instance", &object.sop_instance], ["--study", "2.25.200000000000000000000000000000000002"]]
    {
        assert_eq!(found(&[&named[..], &["-c", "dimsegate.toml"]].concat()), 1, "{named:?}");
        assert_eq!(found(&named), 0, "{named:?}");
    }
    assert_eq!(
        (found(&["--sop-instance", &new]), found(&["--sop-instance", &new, "-c", "dimsegate.toml"])),
        (1, 1)
    );
    assert!(operation["new-study"].as_str().is_some_and(|study| study.starts_with("2.25.")), "{operation}");
    assert_eq!(
        gate.event("association-closed")["rewrite"],
        json!({"name": "site", "elements": 5, "secret-version": 3})
    );
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
