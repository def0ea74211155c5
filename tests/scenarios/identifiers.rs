//! What the administration interface shows of patients, studies and objects: nothing, unless the configuration says so.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use serde_json::Value;

use crate::administration::get;
use crate::command::{Command, STATUS};
use crate::gate::{Gate, Setup, leaked};
use crate::object::Object;
use crate::raw::{self, Upstream};
use crate::upper::Request;
use crate::wait;

/// Patient ID, name and accession number, Study and Series Instance UID and SOP Instance UID of [`Object::ct`], which begin alike.
const IDENTIFIERS: [&str; 4] = ["PID-0815", "PHANTOM", "A-4711", "2.25.2000000000"];

/// What the interface shows while an object is stored and after it: the records as they come, and the rest.
fn shown(patient_identifiers: &str) -> (String, Vec<Value>) {
    let upstream = Upstream::bind();
    let extra = leaked(format!("[admin]\nlisten = \"unix:admin.sock\"\n{patient_identifiers}\n"));
    let audit = "patient-identifiers = \"clear\"";
    let gate = Gate::start(&Setup { extra, audit, ..Setup::plain(upstream.address) });
    let mut stream = UnixStream::connect(gate.site.path("admin.sock")).expect("the socket");
    stream.set_read_timeout(Some(wait::PATIENCE)).expect("a limit");
    stream.write_all(b"GET /api/v1/events HTTP/1.0\r\nHost: localhost\r\n\r\n").expect("a request written");
    let mut lines = BufReader::new(stream).lines();
    let mut until = |what: &str| {
        let mut all = String::new();
        while !all.contains(what) {
            all = all + &lines.next().expect("more").expect("a line") + "\n";
        }
        all
    };
    until(": records of dimsegate");
    let object = Object::ct(2_000);
    let request = Request::new("SITE", "PACS").context(&object.sop_class, &[&object.transfer_syntax]);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    let command = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
    requestor.send_message(1, &command, Some(&object.data_set), 16384);
    let message = acceptor.message();
    let id = gate.event("association-opened")["association"].as_str().expect("an id").to_owned();
    let mut rest =
        vec![get(&gate, "/api/v1/associations"), get(&gate, &format!("/api/v1/associations/{id}"))];
    assert_eq!(rest[1]["from-peer"]["operation"], "C-STORE", "it is under way");
    acceptor.send_message(1, &message.command.response(0), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
    rest.push(get(&gate, "/api/v1/associations/changes"));
    raw::release(requestor, acceptor);
    let records = until("\"association-closed\"");
    assert!(records.contains("\"C-STORE\"") && records.contains(&object.sop_class), "{records}");
    rest.push(get(&gate, "/api/v1/refusals"));
    let recorded = gate.event("operation").to_string();
    assert!(recorded.contains(IDENTIFIERS[0]), "there is something to hide: {recorded}");
    (records, rest)
}

#[test]
fn nothing_tells_of_whom_an_object_is_that_goes_through() {
    for setting in ["", "patient-identifiers = \"none\""] {
        let (records, rest) = shown(setting);
        let rest = rest.iter().map(Value::to_string);
        for text in rest.chain([records]) {
            assert_eq!(IDENTIFIERS.map(|one| text.contains(one)), [false; 4], "{text}");
        }
    }
}

#[test]
fn records_are_shown_as_recorded_where_the_configuration_says_so() {
    let (records, _) = shown("patient-identifiers = \"as-recorded\"");
    let object = Object::ct(0);
    for identifier in [IDENTIFIERS[0], "\"study\":\"2.25.2000000000", &object.sop_instance] {
        assert!(records.contains(identifier), "{identifier} in {records}");
    }
}
