//! The commands from outside: what they print, what they end with, and that the offline ones say what the proxy does.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use crate::corpus;
use crate::gate::{self, Gate, Setup, UPSTREAM_TLS};
use crate::object::Object;
use crate::peers;
use crate::process;
use crate::raw::{Peer, Upstream, verification};
use crate::site::{CLIENT_NAME, Site};
use crate::upper;

/// Exit status, standard output, standard error.
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

pub fn run(site: &Site, arguments: &[&str]) -> Ran {
    let Output { status, stdout, stderr } =
        gate::command(site, arguments).output().expect("a command that starts");
    let [out, err] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    Ran { status: status.code().expect("an exit status, not a signal"), out, err }
}

const COMMANDS: [&[&str]; 18] = [
    &["run"],
    &["demo"],
    &["check"],
    &["explain"],
    &["rewrite"],
    &["pseudonyms"],
    &["echo"],
    &["crosswalk"],
    &["crosswalk", "show"],
    &["crosswalk", "export"],
    &["crosswalk", "erase"],
    &["crosswalk", "rotate-key"],
    &["certs"],
    &["certs", "init"],
    &["certs", "issue"],
    &["certs", "show"],
    &["certs", "revoke"],
    &["certs", "crl"],
];

#[test]
fn every_command_explains_itself_with_an_example() {
    let site = Site::new();
    for command in COMMANDS {
        let Ran { status, out, err } = run(&site, &[command, &["--help"]].concat());
        assert_eq!((status, err.as_str()), (0, ""), "{command:?}");
        let example = format!("dimsegate {} ", command.join(" "));
        let shown = out.split_once("Example").map_or("", |(_, behind)| behind);
        assert!(shown.contains(&example), "no example of {command:?} in {out}");
    }
}

#[test]
fn what_does_not_work_yet_is_not_listed() {
    let help = run(&Site::new(), &["--help"]);
    let listed: Vec<&str> = (help.out.lines().skip_while(|line| *line != "Commands:").skip(1))
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next().filter(|word| !word.is_empty()))
        .collect();
    assert_eq!(
        listed,
        [
            "run",
            "demo",
            "check",
            "explain",
            "rewrite",
            "pseudonyms",
            "crosswalk",
            "echo",
            "certs",
            "audit",
            "man",
            "completions",
            "help"
        ]
    );
}

#[test]
fn a_listener_that_cannot_be_bound_is_69_and_a_bad_configuration_78() {
    let site = Site::new();
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = taken.local_addr().expect("a bound address").to_string();
    let toml = Setup::plain(process::free_address()).toml().replace("127.0.0.1:0", &address);
    fs::write(site.path("dimsegate.toml"), &toml).expect("a configuration written");
    let Ran { status, err, .. } = run(&site, &["run", "-c", "dimsegate.toml"]);
    assert_eq!(status, 69, "{err}");
    let said = err.lines().last().unwrap_or_default();
    assert!(said.contains("remote") && said.contains(&address), "{err}");
    fs::write(site.path("dimsegate.toml"), "nonsense = 1\n").expect("a configuration written");
    for command in [&["run"][..], &["check"], &["echo", "--upstream", "pacs"]] {
        let Ran { status, err, .. } = run(&site, &[command, &["-c", "dimsegate.toml"]].concat());
        assert_eq!(status, 78, "{command:?}: {err}");
        let place = "dimsegate.toml:1:1: nonsense: ";
        assert!(err.lines().any(|line| line.starts_with(place)), "{command:?}: {err}");
    }
    assert_eq!(run(&site, &["run", "-c", "missing.toml"]).status, 78);
}

#[test]
fn check_tells_errors_from_risks() {
    let site = Site::new();
    let setup = Setup::plain(process::free_address());
    fs::write(site.path("clean.toml"), setup.toml()).expect("a configuration written");
    let open = Setup { peers: gate::peer("networks = [\"0.0.0.0/0\"]"), ..setup };
    fs::write(site.path("risky.toml"), open.toml()).expect("a configuration written");
    fs::write(site.path("bad.toml"), open.toml().replace("upstream = \"pacs\"", "upstream = \"pax\""))
        .expect("a configuration written");
    let status = |arguments: &[&str]| run(&site, &[&["check", "-c"], arguments].concat()).status;
    assert_eq!(status(&["risky.toml"]), 0);
    assert_eq!(status(&["risky.toml", "--strict"]), 1);
    assert_eq!(status(&["bad.toml"]), 78);
    assert_eq!(status(&["bad.toml", "--strict"]), 78);
    let Ran { out, err, .. } = run(&site, &["check", "-c", "risky.toml", "--json"]);
    let told: Value = serde_json::from_str(&out).expect("one JSON object");
    assert_eq!((&told["errors"], err.as_str()), (&json!([]), ""));
    let risk = &told["warnings"][0];
    assert_eq!(risk["path"], "risky.toml");
    for key in ["line", "column", "key", "problem", "remedy"] {
        assert!(!risk[key].is_null(), "{key} in {risk}");
    }
    let Ran { out, .. } = run(&site, &["check", "-c", "bad.toml", "--json"]);
    let told: Value = serde_json::from_str(&out).expect("one JSON object");
    assert!(told["errors"][0]["remedy"].as_str().is_some_and(|remedy| remedy.contains("pacs")), "{told}");
}

/// What a requestor gets who asks for a CT over TLS: a verdict in the words of `explain`.
fn asked(gate: &Gate, upstream: &Upstream, calling: &str, called: &str, identity: &str) -> &'static str {
    let target = gate.site.tls(gate.address, "ca", Some(identity));
    let request =
        upper::Request::new(calling, called).context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let mut requestor = Peer::connect(&target);
    requestor.send(&request.encode());
    let mut acceptor = None;
    // Either the upstream is asked, or the requestor is answered.
    let answer = std::thread::scope(|scope| {
        let answer = scope.spawn(|| requestor.pdu());
        while !answer.is_finished() {
            acceptor = acceptor.or_else(|| {
                upstream.try_accept().map(|mut peer| {
                    let request = peer.associate(upper::ASSOCIATE_RQ);
                    let contexts = request.accept_all();
                    peer.send(&upper::associate_ac(&request.called, &request.calling, &contexts, 16384, &[]));
                    peer
                })
            });
        }
        answer.join().expect("an answer")
    });
    match (answer.kind, answer.body.get(1..4)) {
        (upper::ASSOCIATE_AC, _) => {
            let result = upper::Associate::parse(&answer.body).expect("an answer").contexts[0].1;
            if result == 0 { "is offered upstream" } else { "result 1 (user-rejection)" }
        }
        (upper::ASSOCIATE_RJ, Some([1, 1, 3])) => "A-ASSOCIATE-RJ 1/1/3",
        (upper::ASSOCIATE_RJ, Some([1, 1, 7])) => "A-ASSOCIATE-RJ 1/1/7",
        other => panic!("{other:?}"),
    }
}

#[test]
fn explain_says_what_the_proxy_does() {
    let upstream = Upstream::bind();
    let peers = gate::peer(&format!(
        "calling-ae-titles = [\"CT?\"]\ncalled-ae-titles = [\"PACS\"]\ncertificates = [\"dns:{CLIENT_NAME}\"]"
    )) + "\n[[peer]]\nname = \"viewer\"\nnetworks = [\"127.0.0.0/8\"]\ncalling-ae-titles = [\"VIEWER*\"]\nrole = \"reader\"";
    let extra = "[[role]]\nname = \"reader\"\noperations = [\"C-FIND\"]\nsop-classes = [\"query-retrieve\"]";
    let gate = Gate::start(&Setup { peers, extra, ..Setup::tls(upstream.address) });
    let cases = [
        ("CT1", "PACS", "client", "is offered upstream"),
        ("CT12", "PACS", "client", "A-ASSOCIATE-RJ 1/1/3"),
        ("CT1", "PACS", "server", "A-ASSOCIATE-RJ 1/1/3"),
        ("CT1", "PACS2", "client", "A-ASSOCIATE-RJ 1/1/7"),
        ("VIEWER-7", "ANY", "client", "result 1 (user-rejection)"),
    ];
    for (calling, called, identity, expected) in cases {
        let certificate = format!("certs/{identity}.pem");
        let asked_for = ["--from", "127.0.0.1", "--calling", calling, "--called", called];
        let more = ["--certificate", &certificate, "--sop-class", "CTImageStorage"];
        let arguments =
            [&["explain", "-c", "dimsegate.toml", "--listener", "remote"], &asked_for[..], &more].concat();
        let Ran { status, out, err } = run(&gate.site, &arguments);
        assert!(out.contains(expected), "{calling} {called} {identity}: {out}{err}");
        assert_eq!(status, if expected.ends_with("upstream") { 0 } else { 3 }, "{out}");
        assert_eq!(asked(&gate, &upstream, calling, called, identity), expected, "{calling} {called}");
        // The rule that decided, or came nearest, with its line.
        let peer = if calling.starts_with("CT") { "site" } else { "viewer" };
        let text = fs::read_to_string(gate.site.path("dimsegate.toml")).expect("the configuration");
        let name = text.lines().position(|line| line == format!("name = \"{peer}\"")).expect("the peer");
        assert!(out.contains(&format!("\"{peer}\" (dimsegate.toml:{name})")), "line {name} in {out}");
    }
}

#[test]
fn echo_asks_as_the_proxy_would() {
    let site = Site::new();
    let [key, certificate, ca] =
        ["pacs.key", "pacs.pem", "ca.pem"].map(|file| site.text(&format!("certs/{file}")));
    let archive = peers::storescp(&["+tls", &key, &certificate, "+cf", &ca]);
    let setup = Setup { upstream_tls: UPSTREAM_TLS, ..Setup::plain(archive.address) };
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration written");
    let echo = |name: &str| run(&site, &["echo", "-c", "dimsegate.toml", "--upstream", name]);
    let Ran { status, out, err } = echo("pacs");
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    let address = archive.address.to_string();
    for expected in [address.as_str(), "TLS", "1.3", "CN=pacs", "OFFIS_DCMTK_367", "0x0000"] {
        assert!(out.contains(expected), "{expected} in {out}");
    }
    let unknown = echo("pax");
    assert_eq!(unknown.status, 78);
    assert!(unknown.err.contains("dimsegate.toml") && unknown.err.contains("pacs"), "{}", unknown.err);
    let nobody = Setup::plain(process::free_address());
    fs::write(site.path("dimsegate.toml"), nobody.toml()).expect("a configuration written");
    let Ran { status, out, err } = echo("pacs");
    assert_eq!((status, out.as_str()), (69, ""));
    assert!(err.contains("pacs") && err.lines().count() == 1, "{err}");
}

#[test]
fn echo_hears_an_answer_that_comes_in_pieces() {
    let (site, upstream) = (Site::new(), Upstream::bind());
    fs::write(site.path("dimsegate.toml"), Setup::plain(upstream.address).toml()).expect("a file written");
    std::thread::scope(|scope| {
        let echo = scope.spawn(|| run(&site, &["echo", "-c", "dimsegate.toml", "--upstream", "pacs"]));
        let (mut acceptor, request) = upstream.accept_all(16384);
        assert_eq!((request.calling.as_str(), request.called.as_str()), ("DIMSEGATE", "DIMSEGATE"));
        let asked = acceptor.message();
        let answer = upper::p_data(1, upper::COMMAND, &asked.command.response(0).encode(), 16384);
        answer.iter().for_each(|byte| acceptor.send(&[*byte]));
        acceptor.expect_release();
        let Ran { status, err, .. } = echo.join().expect("no panic");
        assert_eq!((status, err.as_str()), (0, ""));
    });
}

#[test]
fn certificates_are_made_shown_and_never_overwritten() {
    let site = Site::new();
    assert_eq!(run(&site, &["certs", "init", "own"]).status, 0);
    let issued = run(&site, &["certs", "issue", "own", "gw", "--client", "--san", "gw.lyon.example"]);
    assert_eq!(issued.status, 0, "{}", issued.err);
    for secret in ["own/ca.key", "own/gw.key"] {
        let mode = fs::metadata(site.path(secret)).expect("a key").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
    let before = fs::read(site.path("own/gw.key")).expect("a key");
    for again in [&["init", "own"][..], &["issue", "own", "gw", "--san", "other.example"]] {
        let Ran { status, err, .. } = run(&site, &[&["certs"], again].concat());
        assert!(status != 0 && err.contains("own/"), "{status}: {err}");
    }
    assert_eq!(fs::read(site.path("own/gw.key")).expect("a key"), before);
    let shown = run(&site, &["certs", "show", "own/gw.pem"]);
    for expected in ["CN=gw", "dns:gw.lyon.example", "sha256:", "client"] {
        assert!(shown.out.contains(expected), "{expected} in {}", shown.out);
    }
    let key = run(&site, &["certs", "show", "own/gw.key"]);
    let secret = String::from_utf8(before).expect("PEM");
    let line = secret.lines().nth(1).expect("a line of the key");
    assert!(!key.out.contains(line), "a key was shown");
    assert_eq!(run(&site, &["certs", "show", "own/none.pem"]).status, 65);
}

#[test]
fn the_demonstration_ends_well_and_leaves_what_it_promises() {
    let site = Site::new();
    let Ran { status, out, err } = run(&site, &["demo", "--once", "--dir", "demo"]);
    assert_eq!(status, 0, "{out}{err}");
    let mut files = fs::read_dir(site.path("demo/audit")).expect("records").flatten();
    let records =
        files.find(|file| file.file_name().to_string_lossy().starts_with("audit-20")).expect("a file");
    let records = fs::read_to_string(records.path()).expect("records");
    let closed = records.lines().find(|line| line.contains("\"association-closed\"")).expect("a record");
    let closed: Value = serde_json::from_str(closed).expect("a record");
    assert_eq!(closed["ended"], "released");
    let sent = closed["operations"]["C-STORE"]["success"].as_u64().expect("a number");
    let archived = fs::read_dir(site.path("demo/archive")).expect("an archive").count() as u64;
    assert!(sent > 0 && archived == sent, "{archived} of {sent}");
    assert!(out.contains("PatientName") && out.contains("SITE-07"), "{out}");
}

const RULES: &str = r#"[[rewrite]]
name = "site"
profile = "none"
secret-file = "conf/pseudonym.key"
rules = [
  { tag = "PatientName", action = "empty" },
  { tag = "PatientID", action = "pseudonym", length = 16 },
  { tag = "SOPInstanceUID", action = "uid" },
  { tag = "(0009,xxxx)", action = "remove" },
]"#;

#[test]
fn rewrite_does_every_file_that_can_be_read_and_names_the_others() {
    let site = Site::new();
    let setup = Setup { extra: RULES, ..Setup::plain(process::free_address()) };
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration written");
    let all: Vec<String> = corpus::files().iter().map(|path| path.display().to_string()).collect();
    let (mut out, mut problems, mut done) = (String::new(), Vec::new(), 0);
    // The corpus has some instances in several files; each round writes one of them into a folder of its own.
    let mut files: Vec<&str> = all.iter().map(String::as_str).collect();
    for round in 0.. {
        let folder = format!("out{round}");
        let options = ["rewrite", "-c", "dimsegate.toml", "--rewrite", "site", "-o", &folder, "--diff"];
        let ran = run(&site, &[&options[..], &files].concat());
        let doubles = |line: &&str| line.contains(" exists already");
        let (again, broken): (Vec<&str>, Vec<&str>) = ran.err.lines().partition(doubles);
        assert_eq!(ran.status, if ran.err.is_empty() { 0 } else { 65 }, "{}", ran.err);
        done += checked(&site, &folder, &ran.out);
        problems.extend(broken.into_iter().map(str::to_owned));
        out += &ran.out;
        files.retain(|file| again.iter().any(|line| line.starts_with(&format!("{file}: "))));
        if files.is_empty() {
            break;
        }
    }
    assert_eq!((done, done + problems.len()), (REWRITTEN, all.len()), "{problems:#?}");
    for line in &problems {
        assert!(all.iter().any(|file| line.starts_with(&format!("{file}: "))), "{line}");
    }
    let files = all;
    let ct = files.iter().find(|file| file.ends_with("test_files/CT_small.dcm")).expect("a CT");
    let table: Vec<&str> = (out.lines().skip_while(|line| !line.starts_with(ct)).skip(1))
        .take_while(|line| line.starts_with("  "))
        .collect();
    let rows: Vec<Vec<&str>> = table.iter().map(|line| line.split_whitespace().take(2).collect()).collect();
    for row in [
        ["(0008,0018)", "SOPInstanceUID"],
        ["(0009,0010)", "PrivateCreator"],
        ["(0010,0010)", "PatientName"],
        ["(0010,1002)[2].(0010,0020)", "PatientID"],
    ] {
        assert!(rows.iter().any(|found| found == &row), "{row:?} in {table:#?}");
    }
    assert!(!table.iter().any(|line| line.contains("(0010,0030)")), "what no rule names was changed");
}

/// Of the files that have file meta information, an instance in both places, and an end.
const REWRITTEN: usize = 225;

/// How many files a round wrote, after looking at each.
fn checked(site: &Site, folder: &str, diff: &str) -> usize {
    let done = rewritten(diff);
    assert_eq!(fs::read_dir(site.path(folder)).expect("the folder").count(), done.len());
    for (from, to) in &done {
        let (old, new) = (object(from), object(&site.path(folder).join(to)));
        assert_eq!((&old.transfer_syntax, &old.sop_class), (&new.transfer_syntax, &new.sop_class));
        assert_eq!(format!("{}.dcm", new.sop_instance), *to);
    }
    done.len()
}

/// From the lines `FROM -> TO: N elements changed`.
fn rewritten(diff: &str) -> BTreeMap<PathBuf, String> {
    let named = |line: &str| {
        let (from, rest) = line.strip_suffix(" elements changed")?.split_once(" -> ")?;
        let (to, _) = rest.rsplit_once(": ")?;
        Some((PathBuf::from(from), to.to_owned()))
    };
    diff.lines().filter(|line| !line.starts_with(' ')).filter_map(named).collect()
}

fn object(path: &Path) -> Object {
    Object::from_file(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn rewrite_writes_what_the_proxy_sends() {
    let upstream = Upstream::bind();
    let peers = gate::peer("rewrite = \"site\"");
    let gate = Gate::start(&Setup { extra: RULES, peers, ..Setup::plain(upstream.address) });
    let sent = Object::ct(100_000);
    let (_folder, files) = peers::files_of(std::slice::from_ref(&sent));
    let options = ["rewrite", "-c", "dimsegate.toml", "--rewrite", "site", "-o", "out", &files[0]];
    let Ran { status, out, err } = run(&gate.site, &options);
    assert_eq!((status, out.as_str(), err.as_str()), (0, "", ""));
    let written = fs::read_dir(gate.site.path("out")).expect("a folder").flatten().next().expect("a file");
    let request = verification("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let (mut requestor, mut acceptor) = crate::raw::open(&gate.plain(), &upstream, &request, 16384);
    let store = crate::command::Command::c_store_rq(1, &sent.sop_class, &sent.sop_instance);
    requestor.send_message(3, &store, Some(&sent.data_set), 16384);
    let stored = acceptor.message();
    acceptor.send_message(3, &stored.command.response(0), None, 16384);
    requestor.message();
    crate::raw::release(requestor, acceptor);
    let written = object(&written.path());
    assert!(stored.data_set == Some(written.data_set), "two engines");
    assert_eq!(stored.command.text(crate::command::AFFECTED_SOP_INSTANCE), Some(written.sop_instance));
    let unknown = run(&gate.site, &["rewrite", "-c", "dimsegate.toml", "--rewrite", "sight", "-o", "o", "x"]);
    assert!(unknown.status == 78 && unknown.err.contains("site"), "{}", unknown.err);
}
