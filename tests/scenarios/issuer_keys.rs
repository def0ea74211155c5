//! Keys of an issuer that are fetched from an OAuth server that nobody here wrote (oidc-provider), over TLS.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::administration::exchange;
use crate::gate::{self, Gate, Setup, leaked};
use crate::peers::{PythonArchive, peers_folder};
use crate::process::{Finished, Process};
use crate::raw::{Peer, verification};
use crate::scratch::Scratch;
use crate::site::Site;
use crate::upper;
use crate::wait;

/// Who cannot be checked now.
const CONGESTION: [u8; 4] = [0, 2, 3, 1];
/// Asked again and again.
const OFTEN: &str = "connections-per-minute-per-address = 10000\n";
const FAILED: &str = "the keys of the issuer cannot be fetched";

struct Server {
    _process: Process,
    port: u16,
    /// Of its certificate.
    ca: String,
    _folder: Scratch,
}

fn node(arguments: &[&str]) -> Command {
    let folder = peers_folder().join("node");
    let mut command = Command::new(folder.join("node"));
    command.env("NODE_PATH", folder.join("node_modules"));
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/issuer.js")).args(arguments);
    command
}

impl Server {
    fn start(site: &Site) -> Self {
        let folder = Scratch::new();
        let [certificate, key, ca] =
            ["server.pem", "server.key", "ca.pem"].map(|name| site.text(&format!("certs/{name}")));
        let mut process =
            Process::start(node(&["serve", &certificate, &key, &ca]), &folder.path().join("output.log"));
        let port = wait::until("oidc-provider to listen", || {
            assert!(process.ended().is_none(), "{}", process.output());
            process.output().lines().find_map(|line| line.strip_prefix("listening ")?.parse().ok())
        });
        Self { _process: process, port, ca, _folder: folder }
    }

    fn order(&self, what: &str) -> String {
        let url = format!("https://localhost:{}/order/{what}", self.port);
        Finished::run(node(&["ask", &self.ca, &url])).expect_success().trim().to_owned()
    }

    /// `[[issuer]]`, and what may not be the same twice.
    fn issuer(&self, max_age: &str) -> String {
        format!(
            "[[issuer]]\nname = \"login\"\nissuer = \"https://localhost:{0}\"\naudience = \"dimsegate\"\n\
             algorithms = [\"ES256\"]\nkeys = \"https://localhost:{0}/jwks\"\nkeys-max-age = \"{max_age}\"\n\
             roles-claim = \"scope\"\n[issuer.tls]\nca = \"certs/ca.pem\"\n",
            self.port
        )
    }

    /// 58H of type 5 with a token that nobody has used.
    fn request(&self) -> upper::Request {
        Self::with_token(&self.order("token/all"))
    }

    fn with_token(token: &str) -> upper::Request {
        let length = u16::try_from(token.len()).expect("a field that fits");
        let item = [&[5, 0], &length.to_be_bytes()[..], token.as_bytes(), &[0, 0]].concat();
        verification("SITE", "PACS").user_item(upper::item(0x58, &item))
    }
}

/// Nothing where whoever comes is let in, and else the A-ASSOCIATE-RJ.
fn refusal(gate: &Gate, request: &upper::Request) -> Option<Vec<u8>> {
    let mut requestor = Peer::connect(&gate.tls());
    requestor.send(&request.encode());
    let answer = requestor.pdu();
    if answer.kind != upper::ASSOCIATE_AC {
        return Some(answer.body);
    }
    requestor.release();
    None
}

fn start(max_age: &str) -> (Gate, Server, PythonArchive, Setup) {
    let (site, archive) = (Site::new(), PythonArchive::start(&[]));
    let server = Server::start(&site);
    let extra = leaked(format!("{}[admin]\nlisten = \"unix:admin.sock\"\n", server.issuer(max_age)));
    let setup = Setup {
        listener: "user-identity = \"require\"",
        limits: OFTEN,
        extra,
        ..Setup::tls(archive.address())
    };
    let gate = Gate::start_in(site, &setup);
    wait::until("the keys", || refusal(&gate, &server.request()).is_none().then_some(()));
    (gate, server, archive, setup)
}

#[test]
fn keys_are_fetched_from_an_oauth_server_and_no_answer_of_it_takes_the_last_good_ones_away() {
    let (gate, server, _archive, setup) = start("1d");
    let closed = gate.event("association-closed");
    assert_eq!((&closed["user"], &closed["factors"]), (&json!("login/modality"), &json!(["token"])));
    let again = |number: usize| {
        let limits = leaked(format!("{OFTEN}max-associations = {}\n", 100 + number));
        let before = gate.count("configuration-loaded");
        gate.reload(&Setup { limits, peers: setup.peers.clone(), ..setup }.toml());
        wait::until("the reload", || (gate.count("configuration-loaded") > before).then_some(()));
    };
    let bad = [
        ("redirect", "the server answers 302 Found; redirections are not followed"),
        ("nonsense", "the answer holds no key that verifies signatures"),
        ("large", "the answer is longer than 512 KiB"),
        ("endless", "the answer is not over after 10 seconds"),
    ];
    for (number, (order, told)) in bad.into_iter().enumerate() {
        server.order(order);
        again(number);
        wait::until(told, || gate.output().contains(told).then_some(()));
        assert_eq!(refusal(&gate, &server.request()), None, "{order}: the last good ones count");
    }
    assert!(
        gate.output().matches(FAILED).count() <= bad.len(),
        "once for each thing that was wrong: {}",
        gate.output()
    );
    assert_eq!(gate.count("security-alert"), 1, "it is one fault");
    server.order("keys");
    again(bad.len());
    gate.record("keys again", |record| record["reason"] == "issuer-keys-fetched");
}

#[test]
fn a_key_that_is_not_there_is_looked_for_soon() {
    let (gate, server, _archive, _setup) = start("1d");
    server.order("rotate");
    let token = server.request();
    assert_eq!(refusal(&gate, &token), Some(vec![0, 1, 2, 1]), "nobody waits for a server");
    // They would be fetched again after five minutes.
    wait::until("the new keys", || refusal(&gate, &server.request()).is_none().then_some(()));
    assert_eq!(refusal(&gate, &token), None, "it was not used up");
}

#[test]
fn keys_count_over_a_restart_while_their_server_is_away() {
    let (mut gate, server, _archive, setup) = start("1d");
    let requests = [server.request(), server.request()];
    let token = server.order("token/all");
    drop(server);
    gate.stop();
    let site = std::mem::replace(&mut gate.site, Site::new());
    // Nobody is asked for keys that a command needs: it takes those that the proxy has kept.
    fs::write(site.path("token"), &token).expect("a file written");
    let explained = |site: &Site| {
        let facts = ["--listener", "remote", "--from", "127.0.0.1", "--calling", "SITE", "--called", "PACS"];
        let given = ["--certificate", "certs/client.pem", "--token", "token"];
        gate::told(site, &[&["explain", "-c", "dimsegate.toml"], &facts[..], &given].concat())
    };
    let (status, output) = explained(&site);
    assert!(status == 0 && output.contains("login/modality, proven by token"), "{status} {output}");
    let kept = site.text("state/keys-login.json");
    let gate = Gate::start_with(site, &setup.toml(), "");
    let [first, second] = &requests;
    wait::until("the keys of before", || refusal(&gate, first).is_none().then_some(()));
    let failing = gate.record("an alert", |record| record["reason"] == "issuer-keys-failing");
    assert_eq!((&failing["event"], &failing["about"]), (&json!("security-alert"), &json!("login")));
    let ask = |path: &str| {
        let mut stream = UnixStream::connect(gate.site.path("admin.sock")).expect("the socket");
        exchange(&mut stream, "GET", path, "", "").body
    };
    let issuer = &ask("/api/v1/issuers")[0];
    let keys = &issuer["keys"];
    assert_eq!((&issuer["name"], &keys["count"]), (&json!("login"), &json!(true)), "{issuer}");
    assert!(
        keys["fetched"].as_str() < keys["count-until"].as_str() && keys["failing"].is_string(),
        "{issuer}"
    );
    let problems = ask("/api/v1/status")["problems"].to_string();
    assert!(problems.contains("the keys of issuer \\\"login\\\" cannot be fetched"), "{problems}");
    // What others can write is nobody's keys.
    let mut gate = gate;
    gate.stop();
    let site = std::mem::replace(&mut gate.site, Site::new());
    fs::set_permissions(site.path("state/keys-login.json"), Permissions::from_mode(0o666)).expect("a mode");
    assert_eq!(fs::read_to_string(kept).expect("keys").matches("\"source\"").count(), 1);
    let (status, output) = explained(&site);
    assert!(
        status == 3 && output.contains("those that the proxy has kept in state-directory"),
        "{status} {output}"
    );
    let gate = Gate::start_with(site, &setup.toml(), "");
    gate.record("an alert", |record| record["reason"] == "issuer-keys-failing");
    assert_eq!(refusal(&gate, second), Some(CONGESTION.to_vec()));
}

#[test]
fn keys_of_a_server_that_is_gone_count_for_their_time_and_that_is_said_once() {
    let (gate, server, _archive, _) = start("12s");
    let requests = [server.request(), server.request()];
    drop(server);
    let [before, after] = &requests;
    assert_eq!(refusal(&gate, before), None, "they count for a while");
    let old =
        wait::until("keys that are too old", || refusal(&gate, after).filter(|answer| *answer == CONGESTION));
    assert_eq!(old, CONGESTION);
    // A connection that breaks off, and one that is refused.
    let said = gate.output().matches(FAILED).count();
    assert!((1..=2).contains(&said), "{}", gate.output());
    let told = gate.record("no keys", |record| {
        record["reason"] == "user-identity-unchecked" && record["user"] == "unknown"
    });
    assert!(
        told["explanation"].as_str().is_some_and(|why| why.contains("issuer \"login\" has no keys now")),
        "{told}"
    );
}
