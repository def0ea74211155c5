//! Every DIMSE service in both directions, between implementations that know nothing of dimsegate.

use serde_json::{Value, json};

use crate::gate::{self, Gate, Setup};
use crate::object::Object;
use crate::peers::{self, PythonArchive};
use crate::scratch::Scratch;

/// A gate of either kind, and what a pynetdicom requestor has to be told to use it.
fn gates(setup: &Setup) -> Vec<(Gate, Vec<String>)> {
    let plain = Gate::start(setup);
    let tls = Gate::start(&Setup { tls: true, peers: setup.peers.clone(), ..*setup });
    let options = peers::scu_tls(&tls.site);
    vec![(plain, Vec::new()), (tls, options)]
}

fn scu(service: &str, gate: &Gate, tls: &[String], more: &[&str]) -> Value {
    let options: Vec<&str> = tls.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let answer = peers::scu(service, gate.address, &options);
    assert_eq!((&answer["established"], &answer["released"]), (&json!(true), &json!(true)), "{answer}");
    answer
}

/// The closing record of the only association, with nothing but successes of `operations`.
fn assert_closed(gate: &Gate, operations: &[(&str, u64)]) {
    let closed = gate.event("association-closed");
    assert_eq!(closed["ended"], "released", "{closed}");
    let counts = operations.iter().map(|(name, count)| {
        (name.to_string(), json!({"success": count, "warning": 0, "failure": 0, "refused": 0}))
    });
    assert_eq!(closed["operations"], Value::Object(counts.collect()), "{closed}");
}

#[test]
fn c_echo() {
    let archive = PythonArchive::start(&[]);
    for (gate, tls) in gates(&Setup::plain(archive.address())) {
        assert_eq!(scu("echo", &gate, &tls, &[])["status"], 0);
        assert_closed(&gate, &[("C-ECHO", 1)]);
    }
}

#[test]
fn c_store_keeps_every_byte_and_the_archives_status() {
    let object = Object::ct(300_000);
    let (_folder, files) = peers::files_of(std::slice::from_ref(&object));
    for status in ["0", "B007", "A700", "C123"] {
        let archive = PythonArchive::start(&["--status", status, "--maximum-length", "4096"]);
        for (gate, tls) in gates(&Setup::plain(archive.address())) {
            let answer = scu("store", &gate, &tls, &[&files[0]]);
            assert_eq!(answer["statuses"], json!([i64::from_str_radix(status, 16).expect("hexadecimal")]));
            let closed = gate.event("association-closed");
            let kind = match status {
                "0" => "success",
                "B007" => "warning",
                _ => "failure",
            };
            assert_eq!(closed["operations"]["C-STORE"][kind], 1, "{closed}");
        }
        let stored: Vec<Value> =
            archive.events().into_iter().filter(|event| event["event"] == "C-STORE").collect();
        assert_eq!(stored.len(), 2);
        for event in stored {
            assert_eq!(event["sop_instance"], object.sop_instance);
            assert!(archive.data_set(&event) == object.data_set, "other bytes than were sent");
        }
    }
}

#[test]
fn c_find() {
    let archive = PythonArchive::start(&["--answers", "40"]);
    for (gate, tls) in gates(&Setup::plain(archive.address())) {
        let answer = scu("find", &gate, &tls, &[]);
        let names: Vec<String> = (0..40).map(|number| format!("ANSWER^{number}")).collect();
        assert_eq!((&answer["names"], &answer["status"]), (&json!(names), &json!(0)));
        assert_closed(&gate, &[("C-FIND", 1)]);
    }
}

#[test]
fn a_c_cancel_ends_a_c_find() {
    let archive = PythonArchive::start(&["--answers", "2000"]);
    for (gate, tls) in gates(&Setup::plain(archive.address())) {
        let answer = scu("find", &gate, &tls, &["--cancel-after", "3"]);
        assert_eq!(answer["status"], 0xFE00, "{answer}");
        let answers = answer["names"].as_array().map_or(0, Vec::len);
        assert!((3..2000).contains(&answers), "{answers} answers");
        let closed = gate.event("association-closed");
        let operations = closed["operations"].as_object().expect("operations").clone();
        assert_eq!(operations.keys().collect::<Vec<_>>(), ["C-CANCEL", "C-FIND"]);
        assert_eq!(operations["C-CANCEL"]["success"], 1);
    }
    assert_eq!(archive.events().iter().filter(|event| event["event"] == "C-CANCEL").count(), 2);
}

#[test]
fn c_get_with_its_sub_operations_flowing_back() {
    let objects = [Object::ct(200_000), Object { sop_instance: "2.25.5".into(), ..Object::ct(3_000) }];
    let (folder, _) = peers::files_of(&objects);
    let archive = PythonArchive::start(&["--serve", &folder.path().display().to_string()]);
    for (gate, tls) in gates(&Setup::plain(archive.address())) {
        let got = Scratch::new();
        let answer = scu("get", &gate, &tls, &["--folder", &got.path().display().to_string()]);
        assert_eq!(
            (&answer["status"], &answer["Completed"], &answer["Failed"]),
            (&json!(0), &json!(2), &json!(0))
        );
        for (index, object) in objects.iter().enumerate() {
            let received = std::fs::read(got.path().join(format!("{index:06}.dataset"))).expect("an object");
            assert!(received == object.data_set, "other bytes than were served");
        }
        assert_closed(&gate, &[("C-GET", 1), ("C-STORE", 2)]);
        let operations = gate.records().into_iter().filter(|record| record["event"] == "operation");
        let directions: Vec<Value> = operations
            .filter(|record| record["operation"] == "C-STORE")
            .map(|record| record["direction"].clone())
            .collect();
        assert_eq!(directions, ["to-peer", "to-peer"]);
    }
    let roles = &archive.event("A-ASSOCIATE")["roles"];
    assert_eq!(roles, &json!({"1.2.840.10008.5.1.4.1.1.2": [false, true]}));
}

#[test]
fn c_move_names_its_destination_to_the_archive() {
    let destination = peers::storescp(&["-aet", "DESTINATION"]);
    let (folder, _) = peers::files_of(&[Object::ct(20_000)]);
    let destination_option = format!("DESTINATION={}", destination.address.port());
    let archive = PythonArchive::start(&[
        "--serve",
        &folder.path().display().to_string(),
        "--destination",
        &destination_option,
    ]);
    let gate = Gate::start(&Setup::plain(archive.address()));
    let answer = scu("move", &gate, &[], &[]);
    assert_eq!((&answer["status"], &answer["Completed"]), (&json!(0), &json!(1)), "{answer}");
    assert_eq!(archive.event("C-MOVE")["destination"], "DESTINATION");
    assert_eq!(destination.stored(1).len(), 1);
    assert_closed(&gate, &[("C-MOVE", 1)]);
    let operation = gate.record("C-MOVE", |record| record["event"] == "operation");
    assert_eq!(operation["move-destination"], "DESTINATION");
}

#[test]
fn mpps() {
    let archive = PythonArchive::start(&[]);
    for (gate, tls) in gates(&Setup::plain(archive.address())) {
        let answer = scu("mpps", &gate, &tls, &[]);
        assert_eq!((&answer["create"], &answer["set"]), (&json!(0), &json!(0)));
        assert_closed(&gate, &[("N-CREATE", 1), ("N-SET", 1)]);
    }
    assert_eq!(archive.event("N-CREATE")["AffectedSOPInstanceUID"], "2.25.9001");
    let changed = archive.data_set(&archive.event("N-SET"));
    assert!(changed.windows(9).any(|window| window == b"COMPLETED"));
}

#[test]
fn storage_commitment_is_reported_on_the_same_association() {
    let archive = PythonArchive::start(&[]);
    for (gate, tls) in gates(&Setup::plain(archive.address())) {
        let answer = scu("commit", &gate, &tls, &[]);
        assert_eq!(answer["action"], 0);
        assert_eq!(
            answer["report"],
            json!({"transaction": "2.25.8001", "instances": ["2.25.4711"], "type": 1})
        );
        assert_closed(&gate, &[("N-ACTION", 1), ("N-EVENT-REPORT", 1)]);
    }
    assert_eq!(archive.event("N-EVENT-REPORT-RSP")["status"], 0);
}

#[test]
fn n_get_n_create_n_action_n_delete() {
    let archive = PythonArchive::start(&[]);
    for (gate, tls) in gates(&Setup::plain(archive.address())) {
        let answer = scu("print", &gate, &tls, &[]);
        assert_eq!((&answer["get"], &answer["printer"]), (&json!(0), &json!("NORMAL")));
        assert_eq!(
            (&answer["create"], &answer["action"], &answer["delete"]),
            (&json!(0), &json!(0), &json!(0))
        );
        assert_closed(&gate, &[("N-ACTION", 1), ("N-CREATE", 1), ("N-DELETE", 1), ("N-GET", 1)]);
    }
}

#[test]
fn dcmtk_stores_finds_gets_and_moves_at_dcmqrscp() {
    let destination = peers::storescp(&["-aet", "DESTINATION"]);
    let archive = peers::dcmqrscp(destination.address);
    let object = Object::ct(150_000);
    let (_folder, files) = peers::files_of(std::slice::from_ref(&object));
    let gate = Gate::start(&Setup::tls(archive.address));
    let tls = peers::dcmtk_tls(&gate.site);
    let common: Vec<&str> = tls.iter().map(String::as_str).chain(["-aet", "SITE", "-aec", "QR"]).collect();
    // DCMTK 3.6.7 has no TLS in movescu and getscu, so these two come in by a plain gate.
    let plain = Gate::start(&Setup::plain(archive.address));
    let run = |program: &str, more: &[&str], rest: &[&str]| {
        let (gate, common) = match program {
            "movescu" | "getscu" => (&plain, &common[common.len() - 4..]),
            _ => (&gate, &common[..]),
        };
        peers::requestor(program, gate.address, &[common, more].concat(), rest).expect_success()
    };
    let study = ["-k", "0008,0052=STUDY", "-k", "0020,000D", "-k", "0010,0010"];
    run("echoscu", &[], &[]);
    run("storescu", &["-xe", "-R"], &[&files[0]]);
    assert!(run("findscu", &[&["-S"], &study[..]].concat(), &[]).contains("PHANTOM^CARLA"));
    run("movescu", &[&["-S", "-aem", "DESTINATION"], &study[..]].concat(), &[]);
    assert_eq!(destination.stored(1)[0].sop_instance, object.sop_instance);
    let got = Scratch::new();
    let folder = got.path().display().to_string();
    run("getscu", &[&["-S", "+B", "-od", &folder], &study[..]].concat(), &[]);
    let files: Vec<_> = std::fs::read_dir(got.path()).expect("a folder").flatten().collect();
    assert_eq!(files.len(), 1);
    let received = Object::from_file(&files[0].path()).expect("a file that getscu wrote");
    assert!(received.data_set == object.data_set, "other bytes than were stored");
    let ended = || gate.count("association-closed") + plain.count("association-closed") == 5;
    crate::wait::until("five closing records", || ended().then_some(()));
}

#[test]
fn orthanc_behind_the_gate_stores_and_answers() {
    let archive = peers::orthanc();
    let (_folder, files) = peers::files_of(&[Object::ct(60_000)]);
    let gate = Gate::start(&Setup::plain(archive.address));
    let ae = ["-aet", "SITE", "-aec", "ORTHANC"];
    peers::requestor("storescu", gate.address, &[&ae[..], &["-xe", "-R"]].concat(), &[&files[0]])
        .expect_success();
    let keys = ["-S", "-k", "0008,0052=STUDY", "-k", "0010,0010"];
    let found = peers::requestor("findscu", gate.address, &[&ae[..], &keys].concat(), &[]).expect_success();
    assert!(found.contains("PHANTOM^CARLA"), "{found}");
}

#[test]
fn an_upstream_is_reached_over_tls_with_a_certificate_of_our_own() {
    let site = crate::site::Site::new();
    let [certificate, key, ca] =
        ["pacs.pem", "pacs.key", "ca.pem"].map(|file| site.text(&format!("certs/{file}")));
    let archive = PythonArchive::start(&["--certificate", &certificate, "--key", &key, "--client-ca", &ca]);
    let gate =
        Gate::start_in(site, &Setup { upstream_tls: gate::UPSTREAM_TLS, ..Setup::tls(archive.address()) });
    let tls = peers::scu_tls(&gate.site);
    assert_eq!(scu("echo", &gate, &tls, &[])["status"], 0);
    assert_eq!(scu("commit", &gate, &tls, &[])["action"], 0);
}

#[test]
fn an_upstream_with_another_name_or_ca_is_not_trusted() {
    let site = crate::site::Site::new();
    let [certificate, key] = ["stranger.pem", "stranger.key"].map(|file| site.text(&format!("certs/{file}")));
    let archive = PythonArchive::start(&["--certificate", &certificate, "--key", &key]);
    let gate =
        Gate::start_in(site, &Setup { upstream_tls: gate::UPSTREAM_TLS, ..Setup::plain(archive.address()) });
    let answer = peers::scu("echo", gate.address, &[]);
    assert_eq!(answer["refusal"], json!([2, 3, 1]), "{answer}");
    assert_eq!(gate.event("association-rejected")["reason"], "upstream-tls");
}
