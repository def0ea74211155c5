//! The peers without the proxy: what is asserted of dimsegate elsewhere holds between them alone, so that a scenario
//! that fails points at dimsegate.

use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;

use serde_json::json;

use crate::association::Association;
use crate::connection::{self, Target};
use crate::object::Object;
use crate::peers::{self, PythonArchive};
use crate::process::free_address;
use crate::raw::{self, Upstream};
use crate::scratch::Scratch;
use crate::site::Site;
use crate::store::Plan;
use crate::upper::{self, Request};
use crate::{corpus, self_check, sink};

#[test]
fn the_load_generator_and_dcmtk_understand_each_other() {
    let lines = self_check::run().expect("both directions");
    assert_eq!(lines[0], "generator -> storescp: 529000 bytes as they were sent");
    assert_eq!(lines[1], "storescu -> sink: 529000 bytes as they were sent");
}

#[test]
fn the_load_generator_stores_over_mutual_tls() {
    let site = Site::new();
    let path = |name: &str| site.path(&format!("certs/{name}"));
    let tls = connection::server_config(&path("server.pem"), &path("server.key"), Some(&path("ca.pem")));
    let options = sink::Options {
        maximum_length: 16384,
        tls: Some(tls.expect("a server configuration")),
        checksums: true,
    };
    let (address, totals) = sink::start(SocketAddr::from(([127, 0, 0, 1], 0)), options).expect("a sink");
    let (target, object) = (site.tls(address, "ca", Some("client")), Object::ct(300_000));
    let plan = Plan {
        target: &target,
        calling: "LOAD",
        called: "SINK",
        object: &object,
        objects: 7,
        associations: 2,
        maximum_length: 131_072,
    };
    let figures = plan.run().expect("seven objects stored");
    assert_eq!((figures.count, figures.bytes, figures.latencies.len()), (7, 2_100_000, 7));
    assert_eq!((totals.objects.load(Relaxed), totals.associations.load(Relaxed)), (7, 2));
    let received = totals.received.lock().expect("no panic in the sink").clone();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &object.data_set).as_ref().to_vec();
    assert_eq!(received, vec![(300_000, digest); 7]);
}

#[test]
fn a_raw_requestor_and_storescp() {
    let archive = peers::storescp(&[]);
    let request = Request::new("RAW", "STORESCP").context(upper::VERIFICATION, &[upper::IMPLICIT_LITTLE]);
    let mut association =
        Association::open(&Target::plain(archive.address), &request).expect("an association");
    assert_eq!(
        association.answer.contexts,
        vec![(1, 0, String::new(), vec![upper::IMPLICIT_LITTLE.to_string()])]
    );
    assert_eq!(association.maximum, 16384);
    assert_eq!(association.echo(1, 9).expect("an answer"), 0);
    association.release().expect("a release");
}

#[test]
fn storescu_and_a_raw_upstream() {
    let upstream = Upstream::bind();
    let address = upstream.address;
    let object = Object::ct(20_000);
    let (_folder, files) = peers::files_of(std::slice::from_ref(&object));
    let storescu =
        std::thread::spawn(move || peers::requestor("storescu", address, &["-xe", "-R"], &[&files[0]]));
    let (mut acceptor, request) = upstream.accept_all(4096);
    assert_eq!((request.calling.as_str(), request.called.as_str()), ("STORESCU", "ANY-SCP"));
    let message = acceptor.message();
    assert_eq!(message.command.text(crate::command::AFFECTED_SOP_INSTANCE), Some(object.sop_instance));
    assert_eq!(message.data_set, Some(object.data_set));
    acceptor.send_message(message.context, &message.command.response(0), None, 4096);
    acceptor.expect_release();
    storescu.join().expect("no panic").expect_success();
}

#[test]
fn pynetdicom_does_every_service() {
    let (folder, files) = peers::files_of(&[Object::ct(5_000)]);
    let serve = folder.path().display().to_string();
    let archive = PythonArchive::start(&["--serve", &serve]);
    let [echo, store, find, mpps, commit, print] =
        ["echo", "store", "find", "mpps", "commit", "print"].map(|service| {
            let options = if service == "store" { vec![files[0].as_str()] } else { Vec::new() };
            peers::scu(service, archive.address(), &options)
        });
    let got = Scratch::new();
    let get = peers::scu("get", archive.address(), &["--folder", &got.path().display().to_string()]);
    assert_eq!((&get["status"], &get["Completed"]), (&json!(0), &json!(1)));
    assert_eq!(
        std::fs::read(got.path().join("000000.dataset")).expect("an object"),
        Object::ct(5_000).data_set
    );
    assert_eq!(echo["status"], 0);
    assert_eq!(store["statuses"], json!([0]));
    assert_eq!(archive.data_set(&archive.event("C-STORE")), Object::ct(5_000).data_set);
    assert_eq!(find["names"], json!(["ANSWER^0", "ANSWER^1", "ANSWER^2"]));
    assert_eq!((&mpps["create"], &mpps["set"]), (&json!(0), &json!(0)));
    assert_eq!(commit["report"], json!({"transaction": "2.25.8001", "instances": ["2.25.4711"], "type": 1}));
    assert_eq!((&print["printer"], &print["delete"]), (&json!("NORMAL"), &json!(0)));
}

#[test]
fn dcmqrscp_answers_getscu_and_movescu() {
    let destination = peers::storescp(&["-aet", "DESTINATION"]);
    let archive = peers::dcmqrscp(destination.address);
    let object = Object::ct(5_000);
    let (_folder, files) = peers::files_of(std::slice::from_ref(&object));
    peers::requestor("storescu", archive.address, &["-xe", "-aec", "QR"], &[&files[0]]).expect_success();
    let study = ["-k", "0008,0052=STUDY", "-k", "0020,000D"];
    let got = Scratch::new();
    let folder = got.path().display().to_string();
    let options = [&["-S", "-aec", "QR", "+B", "-od", &folder], &study[..]].concat();
    peers::requestor("getscu", archive.address, &options, &[]).expect_success();
    let files: Vec<_> = std::fs::read_dir(got.path()).expect("a folder").flatten().collect();
    assert_eq!(files.len(), 1);
    let options = [&["-S", "-aec", "QR", "-aem", "DESTINATION"], &study[..]].concat();
    peers::requestor("movescu", archive.address, &options, &[]).expect_success();
    assert_eq!(destination.stored(1)[0].sop_instance, object.sop_instance);
}

#[test]
fn orthanc_stores_and_finds() {
    let archive = peers::orthanc();
    let (_folder, files) = peers::files_of(&[Object::ct(5_000)]);
    peers::requestor("echoscu", archive.address, &["-aec", "ORTHANC"], &[]).expect_success();
    peers::requestor("storescu", archive.address, &["-xe", "-aec", "ORTHANC"], &[&files[0]]).expect_success();
    let keys = ["-S", "-aec", "ORTHANC", "-k", "0008,0052=STUDY", "-k", "0010,0010"];
    let found = peers::requestor("findscu", archive.address, &keys, &[]).expect_success();
    assert!(found.contains("PHANTOM^CARLA"), "{found}");
}

#[test]
fn dcmtk_does_tls_with_the_certificates_of_a_site() {
    let site = Site::new();
    let [key, certificate, ca] =
        ["server.key", "server.pem", "ca.pem"].map(|file| site.text(&format!("certs/{file}")));
    let archive = peers::storescp(&["+tls", &key, &certificate, "+cf", &ca]);
    let options = peers::dcmtk_tls(&site);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    peers::requestor("echoscu", archive.address, &options, &[]).expect_success();
    assert!(!peers::requestor("echoscu", archive.address, &[], &[]).success, "plain DICOM on a TLS port");
}

#[test]
fn raw_ends_open_an_association_without_anything_between_them() {
    let upstream = Upstream::bind();
    let request = Request::new("A", "B").context(upper::VERIFICATION, &[upper::IMPLICIT_LITTLE]);
    let target = Target::plain(upstream.address);
    let requestor = std::thread::spawn(move || Association::open(&target, &request).expect("an association"));
    let (acceptor, seen) = upstream.accept_all(16384);
    let association = requestor.join().expect("no panic");
    assert_eq!(seen.contexts[0].2, upper::VERIFICATION);
    let release = std::thread::spawn(move || acceptor.expect_release());
    raw::Peer { stream: association.stream }.release();
    release.join().expect("a release answered");
    upstream.expect_nobody();
    assert_ne!(free_address(), upstream.address);
}

#[test]
fn storescu_sends_the_corpus_to_storescp() {
    let archive = corpus::archive();
    assert_eq!(corpus::send_with_dcmtk(archive.address, &[]), corpus::SENT_BY_DCMTK);
    assert_eq!(archive.files().len(), corpus::SENT_BY_DCMTK);
}

#[test]
fn a_raw_requestor_sends_the_corpus_to_the_sink() {
    let options = sink::Options { maximum_length: 131_072, tls: None, checksums: true };
    let (address, totals) = sink::start(SocketAddr::from(([127, 0, 0, 1], 0)), options).expect("a sink");
    let objects = corpus::objects();
    let mut association =
        Association::open(&Target::plain(address), &corpus::request()).expect("an association");
    let statuses = corpus::store_all(&mut association, &objects);
    assert_eq!(statuses, vec![0; objects.len()]);
    association.release().expect("a release");
    let received = totals.received.lock().expect("no panic in the sink").clone();
    assert_eq!(received, corpus::digests(&objects));
}
