//! The commands from outside: what they print, what they end with, and that the offline ones say what the proxy does.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::gate::{self, Gate, Ran, Setup, run};
use crate::process;
use crate::raw::{Peer, Upstream};
use crate::site::{CLIENT_NAME, Site};
use crate::upper;

const COMMANDS: [&[&str]; 27] = [
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
    &["init"],
    &["user"],
    &["user", "add"],
    &["user", "list"],
    &["user", "disable"],
    &["user", "enable"],
    &["user", "passcode"],
    &["user", "one-time-code"],
    &["user", "remove"],
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
            "init",
            "status",
            "tail",
            "top",
            "trace",
            "reload",
            "drain",
            "abort",
            "block",
            "unblock",
            "notify",
            "log-level",
            "check",
            "conformance",
            "propose",
            "explain",
            "rewrite",
            "pseudonyms",
            "crosswalk",
            "echo",
            "certs",
            "user",
            "audit",
            "backup",
            "restore",
            "review",
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
