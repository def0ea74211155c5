//! schemathesis asks the administration interface whatever its document allows, and what it does not.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::login::{PASSCODE, Scene, with};
use crate::peers::{self, peers_folder};
use crate::process::Finished;

/// Left out, each for its reason: it stops the proxy, and the session of all the others ends.
const ENDS: [&str; 2] = ["POST /api/v1/drain", "DELETE /api/v1/session"];
/// Answered with a stream that has no end, which it would wait for. `interface_document` asks them, and `drain`, too.
const STREAMS: [&str; 2] = ["GET /api/v1/events", "POST /api/v1/trace"];

/// The document cannot say which names there are, so that a schema does not make a request right.
const NOT_TOLD: &str = "positive_data_acceptance";

/// What it tells, once it has found nothing, of so many requests of each operation. The same ones each time.
fn finds_nothing(scene: &Scene, document: &Value, session: Option<&str>, most: &str) -> String {
    let file = scene.gate.site.path("openapi.json");
    fs::write(&file, document.to_string()).expect("a document written");
    let url = format!("http://{}", scene.address);
    let mut command = Command::new(peers_folder().join("schemathesis/bin/schemathesis"));
    command.current_dir(scene.gate.site.root()).env("HOME", scene.gate.site.root());
    command.arg("run").arg(file).args(["--url", &url, "--header", &format!("Origin:{url}"), "--no-color"]);
    command.args(session.iter().flat_map(|session| ["--header", session]));
    command.args(ENDS.iter().chain(&STREAMS).flat_map(|operation| ["--exclude-name", operation]));
    command.args(["--phases", "examples,coverage,fuzzing", "--checks", "all", "--exclude-checks", NOT_TOLD]);
    command.args(["--generation-deterministic", "--max-examples", most, "--request-timeout", "20"]);
    command.args(["--continue-on-failure", "--no-shrink"]);
    Finished::run(command).expect_success()
}

fn operations(document: &Value) -> usize {
    let paths = document["paths"].as_object().expect("paths").values();
    paths.map(|path| path.as_object().expect("operations").len()).sum()
}

#[test]
fn schemathesis_finds_nothing_with_a_session_of_an_administrator_nor_without_one() {
    let archive = peers::storescp(&[]);
    let scene = Scene::start_with("", |setup| setup.upstream = archive.address);
    scene.add("adam", "administrator");
    let cookie = with(&scene.log_in("adam", PASSCODE, ""));
    let document = scene.ask("GET", "/api/openapi.json", &cookie, "").body;
    let asked = operations(&document) - ENDS.len() - STREAMS.len();
    let tested = format!("Tested: {asked}\n");
    let told = finds_nothing(&scene, &document, Some(cookie.trim()), "20");
    assert!(told.contains(&tested) && !told.contains("Authentication failed"), "{told}");
    assert_eq!(scene.ask("GET", "/api/v1/status", &cookie, "").status, 200, "it goes on");
    let told = finds_nothing(&scene, &document, None, "10");
    assert!(told.contains(&tested) && told.contains("Authentication failed"), "{told}");
    let log = scene.gate.output();
    assert!(!log.contains("please report it"), "{log}");
}
