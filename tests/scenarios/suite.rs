//! pynetdicom's own test suite, whose requestors and acceptors have dimsegate between them and do not know it.
//!
//! What a suite of somebody else expects of a peer, dimsegate has to give. Where it does not, [`DIFFERS`] says why.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::json;

use crate::gate::{Gate, Setup};
use crate::peers::peers_folder;
use crate::process::{Finished, free_address};
use crate::scratch::Scratch;

/// The modules in which requestors and acceptors meet.
const MODULES: [&str; 12] = [
    "acse",
    "ae",
    "assoc",
    "assoc_n",
    "service_n",
    "service_non_patient",
    "service_qr",
    "service_relevant_patient",
    "service_storage",
    "service_substance_admin",
    "service_verification",
    "service_class",
];

/// What has to do with the machine and not with a peer: a second address family, signals, hosts beyond loopback.
const LEFT_OUT: &str =
    "not ipv6 and not keyboard_interrupt and not association_timeouts and not connection_timeout";

/// The tests that end in another way, each with the reason.
const DIFFERS: [(&str, &str); 8] = [
    ("TestAssociation::test_invalid_context", "a message in a context that was not accepted ends both legs"),
    ("TestAEGoodAssociation::test_associate_max_pdu", "each leg has a maximum length of its own"),
    ("TestNonPatientObjectStorageServiceClass::test_scp_failed_ds_decode", UNREADABLE),
    ("TestStorageServiceClass::test_scp_failed_ds_decode", UNREADABLE),
    ("TestStorageServiceClass::test_status_enum", UNREADABLE),
    ("TestStorageServiceClass::test_scp_handler_sop_extended", EXTENDED),
    ("TestSOPClassExtendedNegotiation::test_req_response_sop_class_ext", EXTENDED),
    ("TestSOPClassCommonExtendedNegotiation::test_functional_response", EXTENDED),
];

/// A message behind its sender's release is aborted, unless the release was answered before it came.
const RACES: &str = "TestNegotiateRelease::test_release_c_echo_request";

const UNREADABLE: &str = "an object whose data set cannot be read does not reach the archive";
const EXTENDED: &str = "what is negotiated for a SOP class that was not proposed goes no further";

/// Workers of pytest, most of whose time is spent waiting. One that crashes is replaced by one with the next number.
const WORKERS: usize = 8;
const SPARE: usize = 4;

struct Worker {
    acceptor: SocketAddr,
    other: SocketAddr,
    gate: Gate,
}

impl Worker {
    fn start() -> Self {
        let [acceptor, other] = [free_address(), free_address()];
        let gate = Gate::start(&Setup {
            limits: "connections-per-minute-per-address = 100000",
            upstream_keys: "user-identity = \"pass\"",
            ..Setup::plain(acceptor)
        });
        Self { acceptor, other, gate }
    }
}

/// Runs what of the suite is `selected`; the tests that failed.
fn failed(workers: &[Worker], through: bool, selected: &[String]) -> BTreeSet<String> {
    let ports: Vec<_> = workers
        .iter()
        .map(|worker| {
            json!([worker.acceptor.port(), worker.other.port(), through.then(|| worker.gate.address.port())])
        })
        .collect();
    let folder = Scratch::new();
    let mut command = std::process::Command::new(peers_folder().join("venv/bin/python"));
    command
        // The suite keeps what it makes there.
        .env("TMPDIR", folder.path())
        .env("PYTHONPATH", Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("DIMSEGATE_THROUGH", json!(ports).to_string())
        .args(["-m", "pytest", "-p", "through", "-n", &WORKERS.to_string(), "-q", "--tb=line", "-rfE"])
        .arg("--rootdir")
        .arg(peers_folder())
        .args(["-p", "no:cacheprovider", "--timeout", "60", "-k", LEFT_OUT, "--pyargs"])
        .args(selected);
    let output = Finished::run(command).output;
    assert!(output.lines().any(|line| line.contains(" passed") || line.contains(" failed")), "{output}");
    let ends = output.lines().filter_map(|line| line.strip_prefix("FAILED ").or(line.strip_prefix("ERROR ")));
    ends.filter_map(|line| line.split(" - ").next()?.rsplit_once("/tests/"))
        .map(|(_, test)| test.into())
        .collect()
}

/// As pytest wants to be told which tests.
fn selected(tests: &BTreeSet<String>) -> Vec<String> {
    tests.iter().map(|test| format!("pynetdicom.tests.{}", test.replacen(".py", "", 1))).collect()
}

fn differs(test: &str) -> bool {
    DIFFERS.iter().any(|(name, _)| test.ends_with(name))
}

#[test]
fn the_suite_of_pynetdicom_ends_as_it_does_without_dimsegate_but_for_what_is_listed() {
    let workers: Vec<Worker> = (0..WORKERS + SPARE).map(|_| Worker::start()).collect();
    let all = MODULES.map(|module| format!("pynetdicom.tests.test_{module}"));
    let (known, mut unknown): (BTreeSet<_>, BTreeSet<_>) = failed(&workers, true, &all)
        .into_iter()
        .filter(|test| !test.ends_with(RACES))
        .partition(|test| differs(test));
    // The suite waits for guessed times; what fails on a busy machine alone, or without dimsegate too, is no difference.
    for through in [true, true, false] {
        if !unknown.is_empty() {
            let again = failed(&workers, through, &selected(&unknown));
            unknown = if through { again } else { &unknown - &again };
        }
    }
    assert!(unknown.is_empty(), "it made a difference to {unknown:#?}");
    assert_eq!(known.len(), DIFFERS.len(), "what is listed and makes no difference any more: {known:#?}");
}
