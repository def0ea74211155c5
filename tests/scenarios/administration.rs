//! What an administrator sees of a running proxy and does to it, over the interface and with the commands on it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};

use serde_json::{Value, json};

use crate::command::Command;
use crate::gate::{self, Gate, Setup};
use crate::raw::{self, Upstream, rejection, verification};
use crate::site::Site;
use crate::terminal::Terminal;
use crate::upper;
use crate::wait;

const INTERFACE: &str = "[admin]\nlisten = \"unix:admin.sock\"\n";
/// A-ABORT by the provider, reason not specified.
const ABORTED: [u8; 4] = [0, 0, 2, 0];

fn setup(upstream: &Upstream) -> Setup {
    Setup { extra: INTERFACE, ..Setup::plain(upstream.address) }
}

/// An answer of the interface.
pub struct Answer {
    pub status: u16,
    /// In lower case.
    pub head: String,
    /// `null` where there is none.
    pub body: Value,
}

/// A request and its answer, byte by byte, on a connection of its own.
pub fn exchange(
    stream: &mut (impl Read + Write),
    method: &str,
    path: &str,
    headers: &str,
    content: &str,
) -> Answer {
    let length = content.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{content}"
    );
    stream.write_all(request.as_bytes()).expect("a request written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {answer}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let body = if body.is_empty() { "null" } else { body };
    let body = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
    Answer { status, head: head.to_ascii_lowercase(), body }
}

pub fn ask(gate: &Gate, method: &str, path: &str, content: &str) -> Answer {
    let mut stream = UnixStream::connect(gate.site.path("admin.sock")).expect("the socket");
    exchange(&mut stream, method, path, "", content)
}

/// What a resource says.
pub fn get(gate: &Gate, path: &str) -> Value {
    let answer = ask(gate, "GET", path, "");
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

/// The record of what was done through the interface.
fn done(gate: &Gate, action: &str) -> Value {
    gate.record(action, |record| record["event"] == "administration" && record["action"] == action)
}

#[test]
fn the_state_of_the_proxy_is_told_to_programs_people_and_monitors() {
    let upstream = Upstream::bind();
    let mut gate = Gate::start(&setup(&upstream));
    let status = get(&gate, "/api/v1/status");
    assert_eq!((&status["state"], &status["health"]), (&json!("running"), &json!("ok")), "{status}");
    assert_eq!(status["process-id"], gate.pid());
    assert_eq!(status["configuration"]["digest"], gate.event("started")["configuration"]);
    let run = |arguments: &[&str]| gate::run(&gate.site, arguments);
    let told = run(&["status", "-c", "dimsegate.toml"]);
    assert!(
        told.status == 0 && told.out.contains("running for") && told.out.contains("all is well"),
        "{}",
        told.out
    );
    let shown: Value =
        serde_json::from_str(&run(&["status", "--socket", "admin.sock", "--json"]).out).expect("JSON");
    assert_eq!(shown["configuration"], status["configuration"]);
    let nagios = run(&["status", "-c", "dimsegate.toml", "--nagios"]);
    assert_eq!(nagios.status, 0);
    assert!(
        nagios.out.starts_with("DIMSEGATE OK - 0 associations open")
            && nagios.out.contains(" | associations=0;400;")
    );
    assert!(gate.stop().success());
    let nobody = gate::run(&gate.site, &["status", "-c", "dimsegate.toml"]);
    assert_eq!((nobody.status, nobody.out.as_str()), (69, ""));
    assert!(nobody.err.starts_with("dimsegate: no dimsegate answers at admin.sock: "), "{}", nobody.err);
    let nagios = gate::run(&gate.site, &["status", "-c", "dimsegate.toml", "--nagios"]);
    assert!(
        nagios.status == 2 && nagios.out.starts_with("DIMSEGATE CRITICAL - no dimsegate answers"),
        "{}",
        nagios.out
    );
    let without = Setup { extra: "", ..setup(&upstream) };
    fs::write(gate.site.path("without.toml"), without.toml()).expect("a configuration written");
    let nowhere = gate::run(&gate.site, &["status", "-c", "without.toml"]);
    assert!(nowhere.status == 78 && nowhere.err.contains("it has no [admin]"), "{}", nowhere.err);
}

#[test]
fn an_association_tells_what_it_is_at_and_who_is_waited_for() {
    let request = verification("SITE", "PACS");
    let (gate, _upstream, mut requestor, mut acceptor) =
        raw::opened(&request, |setup| setup.extra = INTERFACE);
    raw::echo(&mut requestor, &mut acceptor);
    let only = || get(&gate, "/api/v1/associations")[0].clone();
    let idle =
        wait::until("the count", || Some(only()).filter(|one| one["operations"]["C-ECHO"]["success"] == 1));
    assert_eq!(
        (&idle["waits-for"], &idle["calling-ae-title"]),
        (&json!("requestor"), &json!("SITE")),
        "{idle}"
    );
    requestor.send_message(1, &Command::c_echo_rq(7), None, 16384);
    acceptor.message();
    let asked =
        wait::until("the request on its way", || Some(only()).filter(|one| one["waits-for"] == "upstream"));
    assert_eq!(
        (&asked["waits-for-what"], &asked["from-peer"]["operation"]),
        (&json!("an answer"), &json!("C-ECHO"))
    );
    assert_eq!(
        (&asked["from-peer"]["message-id"], &asked["from-peer"]["open-requests"]),
        (&json!(7), &json!(1))
    );
    let bytes = |name: &str| asked["bytes"][name].as_u64().expect("a number");
    assert!(bytes("from-requestor") > idle["bytes"]["from-requestor"].as_u64().expect("a number"));
    assert!(bytes("to-upstream") > 0 && bytes("from-upstream") > 0 && bytes("to-requestor") > 0);
    assert!(asked["bytes-per-second"].is_u64(), "{asked}");
    let id = asked["id"].as_str().expect("an id");
    let top = gate::run(&gate.site, &["top", "-c", "dimsegate.toml"]);
    let line = top.out.lines().find(|line| line.starts_with(id)).expect("a line of it");
    assert!(line.contains("C-ECHO") && line.contains("upstream"), "{}", top.out);
    assert_eq!(get(&gate, &format!("/api/v1/associations/{id}"))["peer"], "site");
    acceptor.send_message(1, &Command::c_echo_rq(7).response(0), None, 16384);
    requestor.message();
    raw::release(requestor, acceptor);
    wait::until("the association to be gone", || {
        get(&gate, "/api/v1/associations").as_array().is_some_and(Vec::is_empty).then_some(())
    });
    assert_eq!(ask(&gate, "GET", &format!("/api/v1/associations/{id}"), "").status, 404);
}

#[test]
fn top_shows_at_a_terminal_what_is_open_while_it_is_until_a_key_ends_it() {
    let request = verification("SITE", "PACS");
    let (gate, _upstream, requestor, acceptor) = raw::opened(&request, |setup| setup.extra = INTERFACE);
    let id = wait::until("the association", || {
        get(&gate, "/api/v1/associations")[0]["id"].as_str().map(str::to_owned)
    });
    let mut terminal = Terminal::start(gate.site.root(), "top -c dimsegate.toml --every 1");
    terminal.expect("\x1b[2J\x1b[Hdimsegate, running, ok: 1 association of ");
    // A narrow terminal shows the beginning of it.
    let id = &id[..8];
    terminal.expect(id);
    raw::release(requestor, acceptor);
    terminal.expect("\x1b[2J\x1b[Hdimsegate, running, ok: 0 associations of ");
    // Ctrl-C, as a key of the terminal.
    terminal.keys("\x03");
    let (status, shown) = terminal.end();
    assert_eq!(status, 128 + 2, "{shown}");
    let last = shown.rsplit("\x1b[2J").next().unwrap_or_default();
    assert!(!last.contains(id), "what is over is shown no more: {last}");
}

#[test]
fn whoever_looks_again_is_sent_what_has_changed() {
    let request = verification("SITE", "PACS");
    let (gate, _upstream, mut requestor, mut acceptor) =
        raw::opened(&request, |setup| setup.extra = INTERFACE);
    let changes = |since: &str| get(&gate, &format!("/api/v1/associations/changes{since}"));
    let first = wait::until("the association", || {
        Some(changes("")).filter(|first| first["changed"].as_array().is_some_and(|all| !all.is_empty()))
    });
    let id = first["changed"][0]["id"].clone();
    assert_eq!(first["open"], json!([id]));
    let again = |last: &Value| changes(&format!("?since={}", last["as-of"].as_str().expect("a mark")));
    let idle = wait::until("a look at which nothing is new", || {
        let (one, other) = (again(&first), changes(""));
        Some(again(&other)).filter(|idle| idle["as-of"] == one["as-of"])
    });
    assert_eq!(idle, json!({"as-of": idle["as-of"], "changed": []}));
    raw::echo(&mut requestor, &mut acceptor);
    let echoed = wait::until("the count", || {
        Some(again(&idle)).filter(|one| one["changed"][0]["operations"]["C-ECHO"]["success"] == 1)
    });
    assert_eq!((&echoed["changed"][0]["id"], &echoed["open"]), (&id, &Value::Null));
    raw::release(requestor, acceptor);
    wait::until("the end", || Some(again(&echoed)).filter(|one| one["open"] == json!([])));
    assert_eq!(again(&json!({"as-of": "0-1"}))["open"], json!([]), "a mark of another run");
    for bad in ["?since=x", "?since=", "?until=1-1"] {
        let answer = ask(&gate, "GET", &format!("/api/v1/associations/changes{bad}"), "");
        assert_eq!(answer.status, 400, "{bad}: {}", answer.body);
    }
}

#[test]
fn the_story_of_an_association_tells_each_presentation_context_with_both_answers() {
    let mut request = upper::Request::new("SITE", "PACS")
        .context(upper::VERIFICATION, &[upper::IMPLICIT_LITTLE])
        .context("1.2.840.10008.5.1.4.1.1.2", &[upper::EXPLICIT_LITTLE, upper::IMPLICIT_LITTLE])
        .context("1.2.840.10008.5.1.4.1.2.2.1", &[upper::IMPLICIT_LITTLE]);
    let class = b"1.2.840.10008.5.1.4.1.1.2";
    let role = [&[0x54, 0, 0, 29, 0, 25], &class[..], &[0, 1]].concat();
    request.user_items.push(role);
    let roles = "[[role]]\nname = \"all\"\noperations = [\"all\"]\nsop-classes = [\"Verification\", \"storage\"]\ntransfer-syntaxes = [\"all\"]\n";
    let (gate, _upstream, _requestor, _acceptor) = raw::opened(&request, |setup| {
        setup.extra = INTERFACE;
        setup.roles = roles;
    });
    let id = gate.event("association-opened")["association"].as_str().expect("an id").to_owned();
    let story = wait::until("the story", || {
        let answer = ask(&gate, "GET", &format!("/api/v1/associations/{id}"), "");
        (answer.status == 200).then_some(answer.body)
    });
    assert_eq!(story["peer"], "site");
    let contexts = story["contexts"].as_array().expect("contexts");
    let told: Vec<_> = contexts.iter().map(|one| [&one["id"], &one["upstream"], &one["requestor"]]).collect();
    let (accepted, refused) = (json!("acceptance"), json!("user-rejection"));
    assert_eq!(
        told,
        [
            [&json!(1), &accepted, &accepted],
            [&json!(3), &accepted, &accepted],
            [&json!(5), &json!("not-offered"), &refused],
        ]
    );
    let ct = &contexts[1];
    assert_eq!(ct["abstract-syntax"], json!({"uid": "1.2.840.10008.5.1.4.1.1.2", "name": "CTImageStorage"}));
    assert_eq!(ct["proposed-transfer-syntaxes"][1]["name"], "ImplicitVRLittleEndian");
    assert_eq!(ct["transfer-syntax"]["uid"], upper::EXPLICIT_LITTLE);
    assert_eq!((&ct["proposed-roles"], &contexts[0]["roles"]), (&json!(["scp"]), &json!(["scu"])));
}

#[test]
fn refusals_are_sent_again_only_where_there_is_news() {
    let upstream = Upstream::bind();
    let peers = gate::peer("calling-ae-titles = [\"LYON\"]");
    let gate = Gate::start(&Setup { peers, ..setup(&upstream) });
    let refuse = || rejection(&gate.plain(), &verification("STRANGER", "PACS"));
    let look = |known: &str| {
        let mut stream = UnixStream::connect(gate.site.path("admin.sock")).expect("the socket");
        exchange(&mut stream, "GET", "/api/v1/refusals", known, "")
    };
    refuse();
    let first = look("");
    assert_eq!(first.body[0]["count"], 1);
    let tag = first.head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag");
    let known = format!("If-None-Match: {tag}\r\n");
    let same = look(&known);
    assert_eq!((same.status, same.body), (304, Value::Null));
    refuse();
    let news = wait::until("the news", || Some(look(&known)).filter(|news| news.status == 200));
    assert_eq!(news.body[0]["count"], 2);
    let read = gate.records();
    let failed = read.iter().find(|record| record["outcome"] == "failure");
    assert!(failed.is_none(), "whoever has it already has read it: {failed:?}");
}

#[test]
fn an_association_is_ended_at_once_and_the_records_say_by_whom() {
    let request = verification("SITE", "PACS");
    let (gate, _upstream, mut requestor, mut acceptor) =
        raw::opened(&request, |setup| setup.extra = INTERFACE);
    let id = gate.event("association-opened")["association"].as_str().expect("an id").to_owned();
    wait::until("the association to be listed", || {
        get(&gate, "/api/v1/associations").as_array().is_some_and(|all| !all.is_empty()).then_some(())
    });
    let aborted = gate::run(&gate.site, &["abort", "-c", "dimsegate.toml", &id, "--reason", "wrong study"]);
    assert_eq!(
        (aborted.status, aborted.out),
        (0, format!("association {id} ends at once\n")),
        "{}",
        aborted.err
    );
    assert_eq!(requestor.expect(upper::ABORT), ABORTED);
    assert_eq!(acceptor.expect(upper::ABORT), ABORTED);
    let closed = gate.event("association-closed");
    assert_eq!(closed["ended"], "policy");
    let reason = closed["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("ended-by-administrator: ") && reason.ends_with(": wrong study"), "{reason}");
    let record = done(&gate, "abort");
    assert_eq!(
        (&record["outcome"], &record["role"]),
        (&json!("success"), &json!("administrator")),
        "{record}"
    );
    assert_eq!(record["resource"], format!("/api/v1/associations/{id}/abort"));
    // Until both have closed, it is on its way out.
    drop((requestor, acceptor));
    wait::until("the association to be gone", || {
        get(&gate, "/api/v1/associations").as_array().is_some_and(Vec::is_empty).then_some(())
    });
    let again = gate::run(&gate.site, &["abort", "-c", "dimsegate.toml", &id]);
    assert!(again.status == 69 && again.err.contains("no association with this id is open"), "{}", again.err);
}

#[test]
fn an_association_that_is_to_end_between_messages_ends_inside_of_none() {
    let request = verification("SITE", "PACS");
    let (gate, _upstream, mut requestor, mut acceptor) =
        raw::opened(&request, |setup| setup.extra = INTERFACE);
    let id = gate.event("association-opened")["association"].as_str().expect("an id").to_owned();
    let message = upper::p_data(1, upper::COMMAND, &Command::c_echo_rq(1).encode(), 16384);
    let (begun, rest) = message.split_at(message.len() / 2);
    requestor.send(begun);
    let path = format!("/api/v1/associations/{id}");
    let is_inside = |answer: &Answer| answer.status == 200 && answer.body["from-peer"]["under-way"] == true;
    wait::until("the beginning of a message", || is_inside(&ask(&gate, "GET", &path, "")).then_some(()));
    let ordered = ask(&gate, "POST", &format!("{path}/abort"), r#"{"when": "between-messages"}"#);
    assert_eq!((ordered.status, &ordered.body["when"]), (202, &json!("between-messages")));
    assert!(is_inside(&ask(&gate, "GET", &path, "")), "it goes on inside of the message");
    requestor.send(rest);
    assert_eq!(acceptor.message().command.encode(), Command::c_echo_rq(1).encode(), "all of it went on");
    assert_eq!(acceptor.expect(upper::ABORT), ABORTED);
    assert_eq!(requestor.expect(upper::ABORT), ABORTED);
    assert_eq!(gate.event("association-closed")["ended"], "policy");
}

#[test]
fn a_message_that_does_not_end_holds_up_the_end_of_its_association_for_the_grace_period_at_most() {
    let request = verification("SITE", "PACS");
    for (limits, order) in [
        ("grace = \"300ms\"", &["abort", "--between-messages"][..]),
        ("grace = \"0s\"", &["abort", "--between-messages"]),
        ("grace = \"300ms\"", &["block", "--reason", "stolen", "peer:site"]),
    ] {
        let extra = "[admin]\nlisten = \"unix:admin.sock\"\nstate-directory = \"state\"\n";
        let (gate, _upstream, mut requestor, mut acceptor) =
            raw::opened(&request, |setup| (setup.extra, setup.limits) = (extra, limits));
        let id = gate.event("association-opened")["association"].as_str().expect("an id").to_owned();
        let message = upper::p_data(1, upper::COMMAND, &Command::c_echo_rq(1).encode(), 16384);
        requestor.send(&message[..message.len() / 2]);
        let path = format!("/api/v1/associations/{id}");
        let is_inside = || ask(&gate, "GET", &path, "").body["from-peer"]["under-way"] == true;
        wait::until("the beginning of a message", || is_inside().then_some(()));
        let mut arguments = vec![order[0], "-c", "dimsegate.toml"];
        arguments.extend(&order[1..]);
        if order[0] == "abort" {
            arguments.push(&id);
        }
        let ran = gate::run(&gate.site, &arguments);
        assert_eq!(ran.status, 0, "{}", ran.err);
        assert_eq!(requestor.expect(upper::ABORT), ABORTED);
        let closed = gate.event("association-closed");
        let reason = if order[0] == "abort" { "ended-by-administrator: " } else { "blocked: " };
        assert_eq!(closed["ended"], "policy");
        assert!(closed["reason"].as_str().is_some_and(|why| why.starts_with(reason)), "{closed}");
        drop(acceptor.rest());
    }
}

#[test]
fn a_message_that_comes_after_the_order_to_end_between_messages_does_not_begin() {
    let request = verification("SITE", "PACS");
    let (gate, _upstream, mut requestor, mut acceptor) =
        raw::opened(&request, |setup| setup.extra = INTERFACE);
    let id = gate.event("association-opened")["association"].as_str().expect("an id").to_owned();
    let echo = |id| upper::p_data(1, upper::COMMAND, &Command::c_echo_rq(id).encode(), 16384);
    let (one, two) = (echo(1), echo(2));
    let (begun, rest) = one.split_at(one.len() / 2);
    requestor.send(begun);
    let path = format!("/api/v1/associations/{id}");
    wait::until("the beginning of a message", || {
        (ask(&gate, "GET", &path, "").body["from-peer"]["under-way"] == true).then_some(())
    });
    assert_eq!(ask(&gate, "POST", &format!("{path}/abort"), r#"{"when": "between-messages"}"#).status, 202);
    // In one segment with the rest of the message that is under way.
    requestor.send(&[rest, &two].concat());
    assert_eq!(acceptor.message().command.encode(), Command::c_echo_rq(1).encode());
    assert_eq!(acceptor.expect(upper::ABORT), ABORTED, "the second one is not heard of");
    assert_eq!(requestor.expect(upper::ABORT), ABORTED);
}

#[test]
fn tail_ends_with_its_reader_and_not_only_with_the_next_record() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&setup(&upstream));
    let mut tail = gate::command(&gate.site, &["tail", "-c", "dimsegate.toml"]);
    let mut tail = tail.stdout(std::process::Stdio::piped()).spawn().expect("a command that starts");
    let mut output = BufReader::new(tail.stdout.take().expect("its output"));
    gate.record("tail to look on", |record| record["resource"] == "/api/v1/events");
    let association = raw::open(&gate.plain(), &upstream, &verification("LYON", "PACS"), 16384);
    let mut first = String::new();
    output.read_line(&mut first).expect("a line");
    assert!(first.contains("opened"), "{first}");
    assert!(tail.try_wait().expect("a command").is_none(), "it looks on");
    drop(output);
    let status = wait::until("the end of tail", || tail.try_wait().expect("a command"));
    assert!(status.success());
    assert_eq!(gate.count("association-closed"), 0, "there was no other record");
    drop(association);
}

#[test]
fn an_idle_association_that_is_to_end_between_messages_ends_now() {
    let request = verification("SITE", "PACS");
    let (gate, _upstream, mut requestor, mut acceptor) =
        raw::opened(&request, |setup| setup.extra = INTERFACE);
    raw::echo(&mut requestor, &mut acceptor);
    let id = gate.event("association-opened")["association"].as_str().expect("an id").to_owned();
    let between = gate::run(&gate.site, &["abort", "--socket", "admin.sock", &id, "--between-messages"]);
    assert_eq!((between.status, between.out), (0, format!("association {id} ends between messages\n")));
    assert_eq!(requestor.expect(upper::ABORT), ABORTED);
    assert_eq!(acceptor.expect(upper::ABORT), ABORTED);
}

#[test]
fn a_refusal_is_told_with_what_would_let_it_in_and_can_be_explained_again() {
    let upstream = Upstream::bind();
    let stricter = Setup { peers: gate::peer("calling-ae-titles = [\"LYON\"]"), ..setup(&upstream) };
    let gate = Gate::start(&stricter);
    for _ in 0..3 {
        rejection(&gate.plain(), &verification("SITE", "PACS"));
    }
    let refusals = get(&gate, "/api/v1/refusals");
    let refusal = &refusals[0];
    assert_eq!((refusals.as_array().map(Vec::len), &refusal["count"]), (Some(1), &json!(3)), "{refusals}");
    assert_eq!(
        (&refusal["reason"], &refusal["calling-ae-title"]),
        (&json!("calling-ae-title-unknown"), &json!("SITE"))
    );
    assert_eq!(refusal["nearest"]["condition"], "calling-ae-titles");
    let toml = fs::read_to_string(gate.site.path("dimsegate.toml")).expect("the configuration");
    let line = refusal["nearest"]["line"].as_u64().expect("a line");
    assert_eq!(toml.lines().nth(line as usize - 1), Some("[[peer]]"));
    assert_eq!(stated(&toml, &refusal["stated"]), "calling-ae-titles = [\"LYON\"]");
    assert!(refusal["remedy"].as_str().is_some_and(|remedy| remedy.contains("SITE")), "{refusal}");
    let id = &refusal["id"];
    let explain = |question: Value| ask(&gate, "POST", "/api/v1/explain", &question.to_string());
    let again = explain(json!({ "refusal": id }));
    assert_eq!(
        (again.status, &again.body["allowed"], &again.body["remedy"]),
        (200, &json!(false), &refusal["remedy"])
    );
    let facts = json!({"listener": "remote", "from": "127.0.0.1", "calling-ae-title": "LYON", "called-ae-title": "PACS",
        "sop-classes": ["Verification"]});
    let allowed = explain(facts).body;
    assert_eq!(
        (&allowed["allowed"], &allowed["granted"]["peer"]),
        (&json!(true), &json!("site")),
        "{allowed}"
    );
    assert_eq!(allowed["granted"]["contexts"][0]["offered"], true);
    // What was refused then is what would be let in now.
    let looser = Setup { peers: gate::peer(""), ..stricter };
    fs::write(gate.site.path("dimsegate.toml"), looser.toml()).expect("a configuration written");
    assert_eq!(ask(&gate, "POST", "/api/v1/reload", "").status, 200);
    assert_eq!(explain(json!({ "refusal": id })).body["allowed"], true);
    for (question, status) in [
        (json!({ "refusal": "no-such" }), 404),
        (json!({ "listener": "remote" }), 400),
        (json!({ "nonsense": 1 }), 400),
    ] {
        let answer = explain(question);
        assert_eq!((answer.status, &answer.body["status"]), (status, &json!(status)));
        assert!(answer.head.contains("content-type: application/problem+json"), "{}", answer.head);
    }
}

#[test]
fn a_reload_says_who_asked_for_it_and_a_bad_file_leaves_everything_as_it_was() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&setup(&upstream));
    let before = get(&gate, "/api/v1/status")["configuration"]["digest"].clone();
    let toml = setup(&upstream).toml();
    let file = gate.site.path("dimsegate.toml");
    fs::write(&file, toml.replace("level = \"debug\"", "level = \"info\"")).expect("a configuration written");
    let reloaded = gate::run(&gate.site, &["reload", "-c", "dimsegate.toml"]);
    let after = get(&gate, "/api/v1/status")["configuration"]["digest"].clone();
    assert_eq!(reloaded.out, format!("configuration {} is in force\n", after.as_str().expect("a digest")));
    assert_ne!(before, after);
    let loaded = gate.record("the reload", |record| {
        record["event"] == "configuration-loaded" && record["configuration"] == after
    });
    assert_eq!((&loaded["through"], &loaded["previous-configuration"]), (&json!("administration"), &before));
    let me = rustix::process::geteuid().as_raw();
    assert_eq!((&loaded["user-id"], &done(&gate, "reload")["user-id"]), (&json!(me), &json!(me)));
    fs::write(&file, toml.replace("upstream = \"pacs\"", "upstream = \"paxs\""))
        .expect("a configuration written");
    let refused = gate::run(&gate.site, &["reload", "-c", "dimsegate.toml"]);
    assert!(
        refused.status == 69 && refused.err.contains("\"paxs\"") && refused.err.contains("\"pacs\""),
        "{}",
        refused.err
    );
    assert_eq!(get(&gate, "/api/v1/status")["configuration"]["digest"], after);
    assert_eq!(gate.event("configuration-refused")["through"], "administration");
}

#[test]
fn a_drain_ends_the_proxy_in_good_order_and_says_who_wanted_it() {
    let request = verification("SITE", "PACS");
    let (mut gate, _upstream, requestor, acceptor) = raw::opened(&request, |setup| setup.extra = INTERFACE);
    let drained = gate::run(&gate.site, &["drain", "-c", "dimsegate.toml"]);
    assert!(drained.status == 0 && drained.out.starts_with("it stops; "), "{}{}", drained.out, drained.err);
    // Nothing is under way: both are asked for the release.
    let upstream_side = std::thread::spawn(move || acceptor.expect_release());
    requestor.expect_release();
    upstream_side.join().expect("the upstream's side");
    assert!(gate.wait().success());
    let stopped = gate.event("stopped");
    let reason = stopped["reason"].as_str().expect("a reason");
    assert!(
        reason.starts_with("drained by ") && reason.ends_with("through the administration interface"),
        "{reason}"
    );
    assert_eq!(done(&gate, "drain")["outcome"], "success", "recorded before the end");
    assert!(!gate.site.path("admin.sock").exists(), "the socket goes with the proxy");
}

#[test]
fn records_come_as_they_are_written_without_what_tells_of_patients() {
    let upstream = Upstream::bind();
    let stricter = Setup { peers: gate::peer("calling-ae-titles = [\"LYON\"]"), ..setup(&upstream) };
    let mut gate = Gate::start(&stricter);
    let mut stream = UnixStream::connect(gate.site.path("admin.sock")).expect("the socket");
    stream.write_all(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("a request written");
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with(": records")), "it has begun");
    let mut tail = gate::command(&gate.site, &["tail", "-c", "dimsegate.toml"]);
    let mut tail = tail.stdout(std::process::Stdio::piped()).spawn().expect("a command that starts");
    let output = BufReader::new(tail.stdout.take().expect("its output"));
    let (tell, told) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        output.lines().map_while(Result::ok).for_each(|line| tell.send(line).expect("somebody who listens"));
    });
    wait::until("tail to look on", || {
        let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("LYON", "PACS"), 16384);
        raw::release(requestor, acceptor);
        told.try_iter().next()
    });
    rejection(&gate.plain(), &verification("LATE", "PACS"));
    let is_late = |line: &String| line.contains("association-rejected") && line.contains("\"LATE\"");
    let data = lines.find(is_late).expect("the record");
    let record: Value = serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
    assert_eq!(record["reason"], "calling-ae-title-unknown");
    assert!(gate.stop().success());
    reader.join().expect("all lines");
    assert!(tail.wait().expect("an end").success());
    let shown: Vec<String> = told.try_iter().collect();
    let late = shown.iter().position(|line| line.contains("refused  LATE to PACS from 127.0.0.1: "));
    let remedy = &shown[late.expect("a refusal") + 1];
    assert!(remedy.trim_start().starts_with("to let it in: "), "{shown:#?}");
    let line = line_of(&stricter.toml(), "calling-ae-titles = ");
    let why = &shown[late.expect("a refusal")];
    assert!(why.ends_with(&format!("of peer \"site\": LYON (calling-ae-titles in line {line})")), "{why}");
}

/// Counted from 1.
fn line_of(toml: &str, beginning: &str) -> usize {
    1 + toml.lines().position(|line| line.starts_with(beginning)).expect("the key")
}

/// The line of the configuration that the interface says refused somebody, and that it has the key which is said.
fn stated<'t>(toml: &'t str, stated: &Value) -> &'t str {
    let line = stated["line"].as_u64().unwrap_or_else(|| panic!("no line in {stated}"));
    let line = toml.lines().nth(line as usize - 1).expect("a line of the configuration");
    assert_eq!(line.split(" = ").next(), stated["key"].as_str());
    line
}

#[test]
fn a_refusal_is_told_with_the_line_of_the_key_that_refused() {
    let upstream = Upstream::bind();
    let of_peer = "called-ae-titles = [\"PACS\"]\nmax-associations = 1";
    let never = "[[peer]]\nname = \"night\"\nnetworks = [\"127.0.0.1\"]\ncalling-ae-titles = [\"NIGHT\"]\nrole = \"night\"";
    let night = "[[role]]\nname = \"night\"\noperations = [\"C-ECHO\"]\nsop-classes = [\"all\"]\nminimum-tls = \"1.3\"";
    let peers = format!("{never}\n{}\n{night}", gate::peer(of_peer));
    let setup = Setup { peers, ..setup(&upstream) };
    let (gate, toml) = (Gate::start(&setup), setup.toml());
    let _open = raw::open(&gate.plain(), &upstream, &verification("LYON", "PACS"), 16384);
    for (calling, called, expected) in [
        ("LYON", "RIS", "called-ae-titles = [\"PACS\"]"),
        ("LYON", "PACS", "max-associations = 1"),
        ("NIGHT", "PACS", "minimum-tls = \"1.3\""),
    ] {
        rejection(&gate.plain(), &verification(calling, called));
        let refusal = &get(&gate, "/api/v1/refusals")[0];
        assert_eq!(
            (&refusal["calling-ae-title"], stated(&toml, &refusal["stated"])),
            (&json!(calling), expected)
        );
        let key = expected.split(" = ").next().expect("a key");
        let line = line_of(&toml, expected);
        let record = gate.record("the refusal", |record| {
            let why = record["explanation"].as_str().unwrap_or_default();
            record["event"] == "association-rejected" && why.contains(&format!("({key} in line {line})"))
        });
        assert_eq!(record["calling-ae-title"], calling);
        // What counts associations is not asked again.
        if key != "max-associations" {
            let again =
                ask(&gate, "POST", "/api/v1/explain", &json!({ "refusal": refusal["id"] }).to_string());
            assert_eq!(stated(&toml, &again.body["stated"]), expected);
        }
    }
}

#[test]
fn who_may_only_look_is_told_so_and_recorded() {
    let upstream = Upstream::bind();
    let address = crate::process::free_address();
    let extra = gate::leaked(format!("[admin]\nlisten = \"{address}\"\n"));
    let gate = Gate::start(&Setup { extra, ..Setup::plain(upstream.address) });
    let ask = |method: &str, path: &str, headers: &str| {
        let mut stream = TcpStream::connect(address).expect("the interface");
        exchange(&mut stream, method, path, headers, "")
    };
    assert_eq!(ask("GET", "/api/v1/associations", "").status, 200);
    for (method, path) in
        [("POST", "/api/v1/reload"), ("POST", "/api/v1/associations/x/abort"), ("PUT", "/api/v1/log-level")]
    {
        let refused = ask(method, path, "");
        assert_eq!(refused.status, 403, "{path}");
        assert!(refused.head.contains("content-type: application/problem+json"), "{}", refused.head);
    }
    let record = done(&gate, "reload");
    assert_eq!(
        (&record["outcome"], &record["user"], &record["role"]),
        (&json!("refused"), &json!("unknown"), &json!("viewer"))
    );
    assert_eq!(record["address"], "127.0.0.1");
    assert_eq!(gate.count("configuration-loaded"), 1, "nothing was done");
    let foreign = ask("GET", "/api/v1/status", "Origin: https://evil.example\r\n");
    assert_eq!(foreign.status, 403);
    assert_eq!(ask("GET", "/api/v1/nothing", "").status, 404);
    assert_eq!(ask("DELETE", "/api/v1/status", "").status, 405);
    let no_text = ask("GET", "/api/v1/associations/%ff", "");
    assert_eq!((no_text.status, &no_text.body["title"]), (400, &json!("Bad Request")));
    assert!(no_text.head.contains("cache-control: no-store"), "{}", no_text.head);
    assert_eq!(ask("GET", "/nothing", "").body["title"], "Not Found");
    let document = ask("GET", "/api/openapi.json", "").body;
    assert!(document["paths"]["/api/v1/associations/{id}/abort"]["post"].is_object());
}

#[test]
fn roles_are_those_of_the_configuration_in_force() {
    let upstream = Upstream::bind();
    let nobody = "[admin]\nlisten = \"unix:admin.sock\"\n[[admin.access]]\nrole = \"administrator\"\nunix-users = [\"somebody-else\"]\n";
    let gate = Gate::start(&Setup { extra: nobody, ..Setup::plain(upstream.address) });
    let refused = gate::run(&gate.site, &["status", "-c", "dimsegate.toml"]);
    assert!(refused.status == 69 && refused.err.contains("has no role here"), "{}", refused.err);
    assert_eq!(gate.event("administration")["outcome"], "refused");
    // Who may is read again with everything else.
    let viewer = nobody
        .replace("administrator", "viewer")
        .replace("unix-users = [\"somebody-else\"]", "unix-groups = [\"root\"]");
    let loaded = gate.count("configuration-loaded");
    gate.reload(&Setup { extra: gate::leaked(viewer), ..Setup::plain(upstream.address) }.toml());
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    if rustix::process::getegid().is_root() {
        assert_eq!(gate::run(&gate.site, &["status", "-c", "dimsegate.toml"]).status, 0);
        let denied = gate::run(&gate.site, &["reload", "-c", "dimsegate.toml"]);
        assert!(
            denied.status == 69 && denied.err.contains("is for the role administrator"),
            "{}",
            denied.err
        );
    }
}

#[test]
fn a_stream_of_records_ends_when_its_reader_may_not_look_any_more() {
    let upstream = Upstream::bind();
    let peers = gate::peer("calling-ae-titles = [\"LYON\"]");
    let before = Setup { peers, ..setup(&upstream) };
    let gate = Gate::start(&before);
    let mut stream = UnixStream::connect(gate.site.path("admin.sock")).expect("the socket");
    stream.set_read_timeout(Some(wait::PATIENCE)).expect("a limit");
    stream
        .write_all(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .expect("a request written");
    let mut reader = BufReader::new(stream);
    let mut come_to = |what: &str| {
        let mut line = String::new();
        while !line.contains(what) {
            line.clear();
            assert_ne!(reader.read_line(&mut line).expect("a line"), 0, "{what} comes");
        }
    };
    come_to(": records");
    // A reload that leaves the role leaves the stream.
    assert_eq!(gate::run(&gate.site, &["reload", "-c", "dimsegate.toml"]).status, 0);
    rejection(&gate.plain(), &verification("EARLY", "PACS"));
    come_to("\"EARLY\"");
    let loaded = gate.count("configuration-loaded");
    let others =
        format!("{INTERFACE}[[admin.access]]\nrole = \"administrator\"\nunix-users = [\"somebody-else\"]\n");
    gate.reload(&Setup { extra: gate::leaked(others), ..before }.toml());
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    // It would be shown long before the next look at who looks on.
    rejection(&gate.plain(), &verification("LATE", "PACS"));
    let mut rest = String::new();
    reader.read_to_string(&mut rest).expect("an end of the stream, not of the patience");
    assert!(!rest.contains("LATE"), "{rest}");
}

#[test]
fn certificates_say_who_it_is_behind_tls() {
    let upstream = Upstream::bind();
    let address = crate::process::free_address();
    let extra = format!(
        "[admin]\nlisten = \"{address}\"\n[admin.tls]\n{}\n[[admin.access]]\nrole = \"operator\"\ncertificates = [\"cn:client\"]\n",
        gate::LISTENER_TLS
    );
    let gate = Gate::start(&Setup { extra: gate::leaked(extra), ..Setup::plain(upstream.address) });
    let ask = |method: &str, path: &str| {
        let mut stream = gate.site.tls(address, "ca", Some("client")).connect().expect("TLS");
        exchange(&mut stream, method, path, "", "")
    };
    assert_eq!(ask("GET", "/api/v1/peers").status, 200);
    let reader = gate.record("the read", |record| record["resource"] == "/api/v1/peers");
    assert_eq!((&reader["role"], &reader["user"]), (&json!("operator"), &json!("CN=client")), "{reader}");
    assert!(reader["fingerprint"].as_str().is_some_and(|one| one.len() == 64), "{reader}");
    assert_eq!(ask("POST", "/api/v1/drain").status, 403, "that is for administrators");
    // In TLS 1.3 a client hears only after its handshake that a certificate is wanted.
    let nobody = gate.site.tls(address, "ca", None).connect();
    let read = nobody.map(|mut connection| connection.read(&mut [0; 1]).unwrap_or(0));
    assert_eq!(read.unwrap_or(0), 0, "nothing is answered");
}

#[test]
fn the_log_level_is_changed_until_the_next_reload() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&setup(&upstream));
    let bad = gate::run(&gate.site, &["log-level", "-c", "dimsegate.toml", "a=b=c"]);
    assert!(bad.status == 69 && bad.err.contains("\"a=b=c\" is not a level; write"), "{}", bad.err);
    let set = gate::run(&gate.site, &["log-level", "-c", "dimsegate.toml", "off"]);
    assert_eq!((set.status, set.out.as_str()), (0, "log level off is in force\n"));
    let before = gate.output();
    rejection(&gate.plain(), &verification("BAD\\TITLE", "PACS"));
    gate.record("the refusal", |record| record["event"] == "association-rejected");
    assert_eq!(gate.output(), before, "nothing more is logged");
    let quieter = gate::run(&gate.site, &["reload", "-c", "dimsegate.toml"]);
    assert_eq!(quieter.status, 0);
    rejection(&gate.plain(), &verification("BAD\\OTHER", "PACS"));
    wait::until("the log to go on", || (gate.output() != before).then_some(()));
}

#[test]
fn the_rest_of_what_there_is_to_see() {
    let upstream = Upstream::bind();
    let peers = gate::peer("max-associations = 7");
    let gate = Gate::start(&Setup { peers, tls: true, ..setup(&upstream) });
    assert_eq!(get(&gate, "/api/v1/peers")[0]["max-associations"], 7);
    assert_eq!(get(&gate, "/api/v1/upstreams")[0]["addresses"], json!([upstream.address.to_string()]));
    let limits = get(&gate, "/api/v1/limits");
    assert_eq!(limits["peers"][0], json!({"peer": "site", "in-use": 0, "allowed": 7}));
    assert!(limits["descriptors"]["in-use"].as_u64().is_some_and(|open| open > 3), "{limits}");
    let certificates = get(&gate, "/api/v1/certificates");
    assert!(
        certificates.as_array().is_some_and(|all| all.iter().any(|one| one["file"] == "certs/server.pem")),
        "{certificates}"
    );
    let configuration = get(&gate, "/api/v1/configuration");
    assert_eq!(
        configuration["keys"]["audit.secret-file"], "\"conf/audit.key\"",
        "the name of a file is no secret"
    );
    let secret = fs::read(gate.site.path("conf/audit.key")).expect("the secret");
    let shown = configuration.to_string();
    assert!(!shown.contains(&*String::from_utf8_lossy(&secret)), "{shown}");
    let reads = wait::until("the records of reads", || {
        let records = gate.records();
        let reads: Vec<Value> = records.into_iter().filter(|record| record["action"] == "read").collect();
        (reads.len() == 5).then_some(reads)
    });
    assert!(
        reads.iter().all(|record| record["outcome"] == "success" && record.get("count").is_none()),
        "{reads:?}"
    );
}

#[test]
fn an_upstream_is_asked_for_an_echo_through_the_proxy() {
    let upstream = Upstream::bind();
    let address: SocketAddr = upstream.address;
    let gate = Gate::start(&setup(&upstream));
    let archive = std::thread::spawn(move || {
        let (mut peer, _) = upstream.accept_all(16384);
        let message = peer.message();
        peer.send_message(1, &message.command.response(0), None, 16384);
        peer.expect_release();
        upstream
    });
    let echoed = ask(&gate, "POST", "/api/v1/upstreams/pacs/echo", "");
    assert_eq!((echoed.status, &echoed.body["success"]), (200, &json!(true)), "{}", echoed.body);
    assert_eq!(echoed.body["address"], address.to_string());
    drop(archive.join().expect("the archive"));
    let nobody = ask(&gate, "POST", "/api/v1/upstreams/pacs/echo", "");
    assert_eq!(nobody.status, 502);
    assert_eq!(ask(&gate, "POST", "/api/v1/upstreams/none/echo", "").status, 404);
    let outcomes: Vec<Value> = wait::until("the records", || {
        let all = gate.records().into_iter().filter(|record| record["action"] == "echo");
        let outcomes: Vec<Value> = all.map(|record| record["outcome"].clone()).collect();
        (outcomes.len() == 3).then_some(outcomes)
    });
    assert_eq!(outcomes, [json!("success"), json!("failure"), json!("failure")]);
}

/// What `run` ends with and says, where it cannot begin.
fn refused_start(site: &Site) -> (i32, String) {
    gate::told(site, &["run", "-c", "dimsegate.toml"])
}

#[test]
fn a_folder_that_takes_no_socket_ends_the_start_and_is_named() {
    let upstream = Upstream::bind();
    let site = Site::new();
    let toml = setup(&upstream).toml().replace("unix:admin.sock", "unix:closed/admin.sock");
    fs::write(site.path("dimsegate.toml"), toml).expect("a configuration written");
    fs::create_dir(site.path("closed")).expect("a folder");
    fs::set_permissions(site.path("closed"), fs::Permissions::from_mode(0o500)).expect("its mode");
    let mut command = std::process::Command::new("setpriv");
    // Root may write everywhere, unless it cannot pass over modes.
    if rustix::process::geteuid().is_root() {
        command.arg("--bounding-set=-dac_override");
    }
    command.current_dir(site.root()).args([env!("CARGO_BIN_EXE_dimsegate"), "run", "-c", "dimsegate.toml"]);
    let output = crate::process::output(command);
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(said.contains("closed/admin.sock") && said.contains("Permission denied"), "{said}");
}

#[test]
fn a_socket_that_cannot_be_had_is_said_and_one_that_is_left_is_removed() {
    let upstream = Upstream::bind();
    let site = Site::new();
    fs::write(site.path("dimsegate.toml"), setup(&upstream).toml()).expect("a configuration written");
    let other = UnixListener::bind(site.path("admin.sock")).expect("a socket");
    let (status, said) = refused_start(&site);
    assert!(status == 69 && said.contains("another process answers at that socket"), "{status} {said}");
    let nowhere = setup(&upstream).toml().replace("unix:admin.sock", "unix:none/admin.sock");
    fs::write(site.path("dimsegate.toml"), nowhere).expect("a configuration written");
    let (status, said) = refused_start(&site);
    assert!(status == 69 && said.contains("there is no folder none"), "{status} {said}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    fs::write(site.path("dimsegate.toml"), setup(&upstream).toml().replace("unix:admin.sock", &address))
        .expect("a configuration written");
    let (status, said) = refused_start(&site);
    let expected = format!("cannot listen at {address}: another program listens there already");
    assert!(status == 69 && said.contains(&expected), "{status} {said}");
    // Whoever made the socket is gone.
    drop(other);
    let gate = Gate::start_in(site, &setup(&upstream));
    let metadata = fs::symlink_metadata(gate.site.path("admin.sock")).expect("the socket");
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o660);
    assert_eq!(get(&gate, "/api/v1/status")["state"], "running");
}
