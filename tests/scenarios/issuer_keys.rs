//! Keys of an issuer that are fetched from an OAuth server that nobody here wrote (oidc-provider), over TLS.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::gate::{Gate, Setup, leaked};
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
        let token = self.order("token/all");
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
    let extra = leaked(server.issuer(max_age));
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
    server.order("keys");
    server.order("rotate");
    again(bad.len());
    wait::until("the new keys", || refusal(&gate, &server.request()).is_none().then_some(()));
    assert!(
        gate.output().matches(FAILED).count() <= bad.len(),
        "once for each configuration: {}",
        gate.output()
    );
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
    assert_eq!(gate.output().matches(FAILED).count(), 1, "{}", gate.output());
    let told = gate.record("no keys", |record| {
        record["reason"] == "user-identity-unchecked" && record["user"] == "unknown"
    });
    assert!(
        told["explanation"].as_str().is_some_and(|why| why.contains("issuer \"login\" has no keys now")),
        "{told}"
    );
}
