//! The operational log: JSON where asked for, one object a line, with the spans of an association, and never a patient.

use serde_json::{Value, json};

use crate::command::{Command, STATUS};
use crate::gate::{Gate, Setup};
use crate::object::Object;
use crate::raw::{self, Upstream};
use crate::rewriting;
use crate::site::Site;
use crate::upper::{self, Request};

#[test]
fn each_line_of_a_json_log_says_which_connection_it_is_about() {
    let upstream = Upstream::bind();
    let toml = Setup::plain(upstream.address)
        .toml()
        .replace("level = \"debug\"", "level = \"trace\"\nformat = \"json\"");
    let gate = Gate::start_with(Site::new(), &toml, "");
    let request = Request::new("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    let object = Object::ct(5_000);
    let store = Command::c_store_rq(2, &object.sop_class, &object.sop_instance);
    requestor.send_message(1, &store, Some(&object.data_set), 16384);
    let stored = acceptor.message();
    acceptor.send_message(1, &stored.command.response(0), None, 16384);
    requestor.message();
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    let id = &closed["association"];
    let output = gate.output();
    let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let ours: Vec<&Value> = lines.iter().filter(|line| line["spans"][0]["id"] == *id).collect();
    assert!(ours.len() >= 2, "{output}");
    let opened = ours.iter().find(|line| line["fields"]["message"] == "association opened");
    let opened = opened.unwrap_or_else(|| panic!("no line of the opening in {output}"));
    let span = &opened["spans"][1];
    assert_eq!((&span["calling"], &span["called"]), (&json!("SITE"), &json!("PACS")));
    for secret in ["PHANTOM", "PID-0815", "A-4711"] {
        assert!(!output.contains(secret), "{secret} in the log");
    }
}

#[test]
fn a_warning_from_inside_an_association_says_which_one() {
    let upstream = Upstream::bind();
    let setup = rewriting::rewriting(upstream.address);
    let toml = setup.toml().replace("level = \"debug\"", "level = \"info\"\nformat = \"json\"");
    let gate = Gate::start_with(Site::new(), &toml, "");
    let (mut requestor, acceptor) = rewriting::ct_association(&gate, &upstream);
    let object = Object::ct(1_000);
    let store = Command::c_store_rq(3, &object.sop_class, "2.25.99");
    requestor.send_message(1, &store, Some(&object.data_set), 16384);
    assert_ne!(requestor.message().command.number(STATUS), Some(0));
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    let output = gate.output();
    let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let spans_of = |message: &str| {
        let line = lines.iter().find(|line| line["fields"]["message"] == message);
        line.unwrap_or_else(|| panic!("no {message:?} in {output}"))["spans"].clone()
    };
    let warned = spans_of("a data set could not be rewritten");
    let peer = warned[0]["peer"].as_str().filter(|peer| peer.starts_with("127.0.0.1:"));
    assert_eq!(
        warned,
        json!([
            { "name": "connection", "peer": peer, "id": closed["association"] },
            { "name": "association", "calling": "SITE", "called": "PACS" },
        ])
    );
    for other in ["association opened", "association closed"] {
        assert_eq!(spans_of(other), warned, "{other}");
    }
}
