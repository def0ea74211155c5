//! What a trace tells of associations between real peers, and what it never tells.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use crate::administration::exchange;
use crate::command::{Command, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::object::Object;
use crate::peers;
use crate::process::{Finished, Process};
use crate::raw::{self, Upstream, rejection, verification};
use crate::upper::{self, Request};
use crate::wait;

const INTERFACE: &str = "[admin]\nlisten = \"unix:admin.sock\"\n";
const AS_RECORDED: &str = "[admin]\nlisten = \"unix:admin.sock\"\npatient-identifiers = \"as-recorded\"\n";

/// `dimsegate trace`, once the proxy has said what it traces.
fn begun(gate: &Gate, output: &str, options: &[&str]) -> Process {
    let fixed = ["trace", "-c", "dimsegate.toml", "-o", output];
    let command = gate::command(&gate.site, &[&fixed[..], options].concat());
    let mut process = Process::start(command, &gate.site.path(&format!("{output}.log")));
    wait::until("the trace to begin", || {
        if let Some(status) = process.ended() {
            panic!("it ended with {status}: {}", process.output());
        }
        Some(read(gate, output)).filter(|text| text.contains('\n'))
    });
    process
}

fn read(gate: &Gate, output: &str) -> String {
    fs::read_to_string(gate.site.path(output)).unwrap_or_default()
}

/// Waits until both legs of so many associations are closed in the file, then ends the trace; its lines.
fn ended(gate: &Gate, output: &str, mut trace: Process, closings: usize) -> String {
    wait::until("all legs to be closed in the trace", || {
        let text = read(gate, output);
        let closed = text.matches("\"what\":\"closed\"").count() + text.matches(" closed by ").count();
        (closed >= closings).then_some(())
    });
    trace.signal("INT");
    assert!(trace.wait().success(), "{}", trace.output());
    read(gate, output)
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

/// The one event with these values.
fn the<'v>(events: &'v [Value], wanted: &[(&str, &str)]) -> &'v Value {
    let is = |event: &&Value| wanted.iter().all(|(key, value)| event[*key] == *value);
    let found: Vec<&Value> = events.iter().filter(is).collect();
    assert_eq!(found.len(), 1, "{wanted:?} in {events:#?}");
    found[0]
}

fn element(command: &Value, name: &str) -> Value {
    let elements = command["elements"].as_array().expect("elements");
    elements
        .iter()
        .find(|element| element["name"] == name)
        .map_or(Value::Null, |found| found["value"].clone())
}

/// A record of the interface.
fn done(gate: &Gate, action: &str) -> Value {
    gate.record(action, |record| record["event"] == "administration" && record["action"] == action)
}

#[test]
fn a_c_store_over_tls_is_told_on_both_legs_without_a_value_of_its_data_set_or_of_its_user() {
    let archive = peers::storescp(&[]);
    let gate = Gate::start(&Setup { extra: INTERFACE, ..Setup::tls(archive.address) });
    let trace = begun(&gate, "trace.jsonl", &["--peer", "site", "--json"]);
    let object = Object::ct(300_000);
    let (_folder, files) = peers::files_of(std::slice::from_ref(&object));
    let tls = peers::dcmtk_tls(&gate.site);
    let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
    let identity =
        ["-usr", "secret-user", "-pwd", "secret-passcode", "-aet", "CT1", "-aec", "PACS", "-xe", "-R"];
    peers::requestor("storescu", gate.address, &[&tls[..], &identity].concat(), &[&files[0]])
        .expect_success();
    let text = ended(&gate, "trace.jsonl", trace, 2);
    let events = json_lines(&text);

    let began = the(&events, &[("what", "trace-started")]);
    assert_eq!((&began["of"], &began["identifiers"]), (&json!("peer site"), &json!("none")));
    let connection = the(&events, &[("what", "connection")]);
    assert_eq!(connection["listener"], "remote");
    assert_eq!(connection["association"], gate.event("association-opened")["association"]);
    let session = the(&events, &[("what", "tls"), ("leg", "requestor")]);
    assert!(session["version"].is_string() && session["cipher"].is_string(), "{session}");
    assert_eq!(session["subject"], "CN=client");
    let admitted = the(&events, &[("what", "admitted")]);
    assert_eq!((&admitted["peer"], &admitted["upstream"]), (&json!("site"), &json!("pacs")));
    the(&events, &[("what", "dialled"), ("upstream", "pacs")]);

    for (leg, rq, ac) in [("requestor", "requestor", "dimsegate"), ("upstream", "dimsegate", "upstream")] {
        let request = the(&events, &[("pdu", "A-ASSOCIATE-RQ"), ("leg", leg), ("from", rq)]);
        assert_eq!(request["calling-ae-title"], "CT1");
        let context = &request["contexts"][0];
        let proposed = &*object.sop_class;
        assert_eq!(context["abstract-syntax"], proposed, "{request}");
        let answer = the(&events, &[("pdu", "A-ASSOCIATE-AC"), ("leg", leg), ("from", ac)]);
        assert_eq!(answer["contexts"][0]["result"], "0, acceptance");
        let store = the(&events, &[("message", "C-STORE-RQ"), ("leg", leg), ("from", rq)]);
        assert_eq!(element(store, "Affected SOP Instance UID"), "instance 1", "the same one on both legs");
        assert_eq!(element(store, "Affected SOP Class UID"), proposed);
        let data = the(&events, &[("what", "data-set"), ("leg", leg), ("from", rq)]);
        assert_eq!((&data["bytes"], &data["whole"]), (&json!(object.data_set.len()), &json!(true)));
        assert!(data["fragments"].as_u64().is_some_and(|count| count > 1), "{data}");
        let response = the(&events, &[("message", "C-STORE-RSP"), ("leg", leg), ("from", ac)]);
        assert_eq!(element(response, "Status"), "0x0000 success");
        the(&events, &[("text", "A-RELEASE-RQ"), ("leg", leg), ("from", rq)]);
        the(&events, &[("text", "A-RELEASE-RP"), ("leg", leg), ("from", ac)]);
        the(&events, &[("what", "closed"), ("leg", leg)]);
    }
    let asked = the(&events, &[("pdu", "A-ASSOCIATE-RQ"), ("leg", "requestor")]);
    // Not how long either field is.
    assert_eq!(asked["user-identity"], json!({"type": 2, "positive-response-requested": false}));
    let end = the(&events, &[("what", "ended")]);
    assert_eq!(end["ended"], "released");
    assert!(end["waited-for"]["upstream-us"].is_u64(), "{end}");
    let times: Vec<u64> = events.iter().filter_map(|event| event["at-us"].as_u64()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(events.last().expect("a line")["why"], "it was interrupted");

    for secret in ["secret-user", "secret-passcode", "PHANTOM", "PID-0815", "STUDY-7", &object.sop_instance] {
        assert!(!text.contains(secret), "{secret} in the trace");
    }
    let mode = fs::metadata(gate.site.path("trace.jsonl")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let started = done(&gate, "trace-started");
    assert_eq!(started["explanation"], "trace 1 of peer site, for 600s", "{started}");
    let over = done(&gate, "trace-ended");
    let explanation = over["explanation"].as_str().expect("an explanation");
    assert!(explanation.starts_with("trace 1: its reader has gone, after "), "{explanation}");
    assert!(explanation.ends_with(" events, 0 lost"), "{explanation}");
}

#[test]
fn with_recorded_identifiers_a_trace_in_words_names_instances_and_what_the_archive_wrote() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { extra: AS_RECORDED, ..Setup::plain(upstream.address) });
    let trace = begun(&gate, "trace.txt", &["--calling", "SITE"]);
    let request = verification("SITE", "PACS");
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    requestor.send_message(1, &Command::c_echo_rq(1), None, 16384);
    let asked = acceptor.message().command;
    let comment = b"no room for DOE^JANE".to_vec();
    acceptor.send_message(1, &asked.response(0x0122).bytes(0x0902, comment), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0x0122));
    raw::release(requestor, acceptor);
    let text = ended(&gate, "trace.txt", trace, 2);
    assert!(text.starts_with("# dimsegate ") && text.contains("with UIDs of SOP instances"), "{text}");
    assert!(text.contains("(0000,0902) Error Comment: no room for DOE^JANE"), "{text}");
    assert!(text.contains("upstream > dimsegate  C-ECHO-RSP, context 1, "), "{text}");
    assert!(text.contains("(0000,0900) Status: 0x0122 failure"), "{text}");
    let context = "context 1: 1.2.840.10008.1.1 Verification: 1.2.840.10008.1.2 ImplicitVRLittleEndian";
    assert!(text.contains(context), "{text}");
    assert!(text.contains("; waited for upstream, gap "), "{text}");
    assert!(text.ends_with("# The trace ended: it was interrupted\n"), "{text}");
}

#[test]
fn who_is_refused_is_in_the_trace_of_the_peer_that_came_nearest() {
    let upstream = Upstream::bind();
    let peers = gate::peer("calling-ae-titles = [\"LYON\"]");
    let gate = Gate::start(&Setup { extra: INTERFACE, peers, ..Setup::tls(upstream.address) });
    let trace = begun(&gate, "trace.jsonl", &["--peer", "site", "--json"]);
    rejection(&gate.tls(), &verification("LATE", "PACS"));
    // Without its certificate there is no A-ASSOCIATE-RQ to name anybody.
    gate::show(&gate, "stranger");
    wait::until("both to be refused in the trace", || {
        (read(&gate, "trace.jsonl").matches("\"what\":\"refused\"").count() == 2).then_some(())
    });
    let events = json_lines(&ended(&gate, "trace.jsonl", trace, 1));
    let request = the(&events, &[("pdu", "A-ASSOCIATE-RQ"), ("leg", "requestor")]);
    assert_eq!(request["calling-ae-title"], "LATE");
    let refused = the(&events, &[("what", "refused"), ("reason", "calling-ae-title-unknown")]);
    assert!(refused["explanation"].as_str().is_some_and(|why| why.contains("To let it in: ")), "{refused}");
    let answers = events.iter().filter_map(|event| event["text"].as_str());
    let told = "A-ASSOCIATE-RJ 1/1/3: rejected-permanent, calling-AE-title-not-recognized";
    assert_eq!(answers.filter(|text| *text == told).count(), 1);
    let of_tls = events.iter().filter(|event| event["what"] == "refused" && event["alert"].is_string());
    assert_eq!(of_tls.count(), 1, "{events:#?}");
}

#[test]
fn a_trace_is_refused_in_words_where_it_cannot_be() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { extra: INTERFACE, ..Setup::plain(upstream.address) });
    let run = |options: &[&str]| {
        gate::run(&gate.site, &[&["trace", "-c", "dimsegate.toml", "-o", "new.txt"], options].concat())
    };
    let unknown = run(&["--peer", "sitee"]);
    assert_eq!(unknown.status, 69);
    assert!(unknown.err.contains("no [[peer]] named \"sitee\"; did you mean site?"), "{}", unknown.err);
    let long = run(&["--for", "2h"]);
    assert!(long.status == 69 && long.err.contains("a trace lasts 1ms to 1h"), "{}", long.err);
    let nowhere = run(&["--address", "nowhere"]);
    assert!(nowhere.status == 69 && nowhere.err.contains("address: "), "{}", nowhere.err);
    assert!(!gate.site.path("new.txt").exists(), "nothing is left of what did not begin");
    fs::write(gate.site.path("new.txt"), "of yesterday").expect("a file written");
    let exists = run(&[]);
    assert!(exists.status == 73 && exists.err.contains("new.txt is there already"), "{}", exists.err);
    assert_eq!(read(&gate, "new.txt"), "of yesterday");

    let open: Vec<Process> = ["1", "2", "3", "4"].map(|name| begun(&gate, name, &["--json"])).into();
    let more = run(&["--overwrite"]);
    assert_eq!(more.status, 69);
    assert!(more.err.contains("4 traces are open already; wait until one of them ends"), "{}", more.err);
    assert_eq!(read(&gate, "new.txt"), "of yesterday", "it is written over once there is something to write");
    let failed = gate.record("the refusal", |record| {
        record["action"] == "trace-started" && record["outcome"] == "failure"
    });
    assert!(failed["explanation"].is_string(), "{failed}");
    for mut trace in open {
        trace.signal("INT");
        assert!(trace.wait().success());
    }
    // Their places are free once the proxy has heard of it.
    wait::until("a place for one more", || {
        let over = run(&["--overwrite", "--for", "10ms"]);
        (over.status == 0).then_some(())
    });
    let text = read(&gate, "new.txt");
    assert!(text.ends_with("# The trace ended: its time is over; 0 events\n"), "{text}");
}

#[test]
fn who_may_only_look_gets_no_trace_and_that_is_recorded() {
    let upstream = Upstream::bind();
    let address = crate::process::free_address();
    let extra = gate::leaked(format!("[admin]\nlisten = \"{address}\"\n"));
    let gate = Gate::start(&Setup { extra, ..Setup::plain(upstream.address) });
    let mut stream = std::net::TcpStream::connect(address).expect("the interface");
    let refused = exchange(&mut stream, "POST", "/api/v1/trace", "", "{}");
    assert_eq!(refused.status, 403);
    let record = done(&gate, "trace-started");
    assert_eq!((&record["outcome"], &record["role"]), (&json!("refused"), &json!("viewer")), "{record}");
}

/// A trace that a program asks for, read by hand.
fn by_hand(gate: &Gate) -> BufReader<UnixStream> {
    let mut stream = UnixStream::connect(gate.site.path("admin.sock")).expect("the socket");
    stream.set_read_timeout(Some(wait::PATIENCE)).expect("a limit");
    let request =
        "POST /api/v1/trace HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    stream.write_all(request.as_bytes()).expect("a request written");
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while !line.contains("event: trace") {
        line.clear();
        assert_ne!(reader.read_line(&mut line).expect("a line"), 0, "it begins");
    }
    reader
}

#[test]
fn a_trace_ends_when_its_reader_is_no_operator_any_more() {
    let upstream = Upstream::bind();
    let before = Setup { extra: INTERFACE, ..Setup::plain(upstream.address) };
    let gate = Gate::start(&before);
    let mut reader = by_hand(&gate);
    let mut id = std::process::Command::new("id");
    id.arg("-un");
    let user = Finished::run(id).expect_success();
    let others =
        format!("{INTERFACE}[[admin.access]]\nrole = \"viewer\"\nunix-users = [\"{}\"]\n", user.trim());
    gate.reload(&Setup { extra: gate::leaked(others), ..before }.toml());
    let mut rest = String::new();
    reader.read_to_string(&mut rest).expect("an end of the stream, not of the patience");
    assert!(rest.contains("its reader may not look any more"), "{rest}");
    let over = done(&gate, "trace-ended");
    assert!(over["explanation"].as_str().is_some_and(|why| why.contains("may not look")), "{over}");
}

#[test]
fn a_trace_ends_with_the_proxy_and_is_recorded_before_it() {
    let upstream = Upstream::bind();
    let mut gate = Gate::start(&Setup { extra: INTERFACE, ..Setup::plain(upstream.address) });
    let mut trace = begun(&gate, "trace.txt", &[]);
    assert!(gate.stop().success());
    assert_eq!(trace.wait().code(), Some(69));
    assert!(read(&gate, "trace.txt").ends_with("# The trace ended: the proxy stopped\n"));
    assert!(
        done(&gate, "trace-ended")["explanation"].as_str().is_some_and(|why| why.contains("the proxy stops"))
    );
}

#[test]
fn a_reader_that_takes_nothing_holds_up_no_association_and_loses_what_it_does_not_take() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { extra: INTERFACE, ..Setup::plain(upstream.address) });
    let reader = by_hand(&gate);
    let mut request = verification("SITE", "PACS");
    for _ in 0..100 {
        request = request.context(upper::CT_IMAGE_STORAGE, &[upper::IMPLICIT_LITTLE; 16]);
    }
    // Each of them takes 320 KB of the 8 MiB that may wait.
    for _ in 0..60 {
        let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
        raw::echo(&mut requestor, &mut acceptor);
        raw::release(requestor, acceptor);
    }
    drop(reader);
    let over = done(&gate, "trace-ended");
    let explanation = over["explanation"].as_str().expect("an explanation");
    assert!(!explanation.ends_with(", 0 lost"), "{explanation}");
}

#[test]
fn an_association_that_was_open_before_is_named_and_not_traced() {
    let request = Request::new("SITE", "PACS").context(upper::VERIFICATION, &[upper::IMPLICIT_LITTLE]);
    let (gate, _upstream, mut requestor, mut acceptor) =
        raw::opened(&request, |setup| setup.extra = INTERFACE);
    let id = gate.event("association-opened")["association"].as_str().expect("an id").to_owned();
    let mut trace = begun(&gate, "trace.txt", &["--peer", "site"]);
    raw::echo(&mut requestor, &mut acceptor);
    raw::release(requestor, acceptor);
    gate.event("association-closed");
    trace.signal("INT");
    assert!(trace.wait().success());
    let text = read(&gate, "trace.txt");
    assert!(text.contains(&format!("not traced (dimsegate abort ends them): {id}")), "{text}");
    assert!(!text.contains("C-ECHO"), "{text}");
}
