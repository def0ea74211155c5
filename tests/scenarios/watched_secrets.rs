//! Lists, secrets, keys and the certificates of forwarding that somebody replaces on disk, and says nothing to dimsegate: the new ones
//! count, and a bad one leaves the last good one and is told once, everywhere.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

use dimsegate::users::{Key, OneTimeSecret};
use serde_json::json;

use crate::administration;
use crate::association::Association;
use crate::browser::{Browser, tunnel};
use crate::forwarding::{TRANSFERRED, arrived, repository, store};
use crate::full_disk::sink;
use crate::gate::{Gate, Setup, leaked};
use crate::login::{self, PASSCODE};
use crate::object::Object;
use crate::process::Finished;
use crate::raw::{Upstream, verification};
use crate::repositories::Rsyslog;
use crate::rewriting::{pass, rewriting};
use crate::site::Site;
use crate::wait;
use crate::watched_files::{put_in_place, refused};

const OFTEN: &str = "reload-files = \"50ms\"";
const INTERFACE: &str = "[admin]\nlisten = \"unix:admin.sock\"\n";

/// Waits until what these files hold now was taken.
fn taken(gate: &Gate, files: &[&str]) {
    gate.record("what was read again", |record| {
        record["event"] == "configuration-loaded" && record["watched-files"] == json!(files)
    });
}

fn metrics(gate: &Gate) -> String {
    let mut stream = UnixStream::connect(gate.site.path("admin.sock")).expect("the socket");
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n").expect("a request written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// Makes a file a bad one, and looks at what says so: a record, the log, a metric, the state, and the page that shows it; each once.
fn spoil(gate: &Gate, file: &str, content: &[u8], says: &str) {
    fs::write(gate.site.path(file), content).expect("a file written");
    let told = wait::until("the refusal", || refused(gate).pop());
    assert_eq!(told["watched-files"], json!([file]));
    let problem = told["problems"][0].as_str().expect("a problem");
    assert!(problem.contains(says), "{problem}");
    // Some looks later.
    wait::beyond(Duration::from_millis(400));
    assert_eq!(refused(gate).len(), 1);
    let log = gate.output();
    assert_eq!(log.matches("configuration refused; the one before stays in force").count(), 1, "{log}");
    let counted = metrics(gate);
    assert!(counted.contains("dimsegate_configuration_reloads_total{result=\"refused\"} 1"), "{counted}");
    let problems = administration::get(gate, "/api/v1/status")["problems"].take();
    let told =
        |problem: &&serde_json::Value| problem["what"].as_str().is_some_and(|what| what.contains(says));
    assert_eq!(problems.as_array().expect("problems").iter().filter(told).count(), 1, "{problems}");
}

#[test]
fn a_revocation_list_that_is_replaced_counts_for_whoever_comes_next_and_a_bad_one_does_not() {
    let listener_tls = "certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\n\
                        client-authentication = \"required\"\nclient-ca = \"certs/ca.pem\"\nrevocation-lists = [\"certs/now.crl\"]";
    let (site, (upstream, _)) = (Site::new(), sink());
    site.list_of_revoked("now", &[]);
    let gate = Gate::start_in(
        site,
        &Setup { listener_tls, limits: OFTEN, extra: INTERFACE, ..Setup::tls(upstream) },
    );
    let comes_in = |client: &str| {
        let target = gate.site.tls(gate.address, "ca", Some(client));
        Association::open(&target, &verification("SITE", "PACS")).is_ok()
    };
    assert!(comes_in("client") && comes_in("revoked"));
    gate.site.list_of_revoked("now", &["revoked"]);
    taken(&gate, &["certs/now.crl"]);
    assert!(comes_in("client") && !comes_in("revoked"));
    gate.because("certificate-revoked");
    spoil(&gate, "certs/now.crl", b"", "certs/now.crl");
    assert!(comes_in("client") && !comes_in("revoked"), "by the last good list");
    let browser = Browser::start();
    browser.open(&format!("http://{}/", tunnel(gate.site.path("admin.sock"))));
    browser.until("document.querySelector('#findings').innerText.includes('certs/now.crl')");
}

#[test]
fn the_secret_of_a_rewrite_that_is_replaced_gives_other_pseudonyms_and_a_bad_one_leaves_them() {
    let upstream = Upstream::bind();
    let setup = rewriting(upstream.address);
    let extra = leaked(format!("{}\n{INTERFACE}", setup.extra));
    let gate = Gate::start(&Setup { limits: OFTEN, extra, ..setup });
    let object = Object::ct(3_000);
    let rewritten = || pass(&gate, &upstream, &object).expect("an answer").received.expect("an object").1;
    let (secret, first) = ("conf/pseudonym.key", rewritten());
    let own = fs::read(gate.site.path(secret)).expect("the secret");
    let other = fs::read(gate.site.path("conf/pseudonym-2.key")).expect("another secret");
    fs::write(gate.site.path(secret), &other).expect("a file written");
    taken(&gate, &[secret]);
    let second = rewritten();
    assert_ne!(first, second);
    spoil(&gate, secret, b"", secret);
    assert_eq!(rewritten(), second, "by the last good secret");
    let loaded = gate.count("configuration-loaded");
    fs::write(gate.site.path(secret), &own).expect("a file written");
    wait::until("the first secret", || (gate.count("configuration-loaded") > loaded).then_some(()));
    assert_eq!(rewritten(), first);
}

fn code_of(secret: &OneTimeSecret) -> String {
    let mut command = Command::new("oathtool");
    command.args(["--totp", "-b", secret.base32().as_str()]);
    Finished::run(command).expect_success().trim().to_owned()
}

#[test]
fn a_key_of_the_users_that_does_not_open_their_secrets_leaves_the_last_good_one_and_one_that_does_is_taken() {
    let scene = login::Scene::start_with("", |setup| setup.limits = OFTEN);
    let (gate, file) = (&scene.gate, "conf/audit.key");
    let other = fs::read(gate.site.path("conf/pseudonym-2.key")).expect("another key");
    spoil(gate, file, &other, "does not open the one-time secret of \"anna\"");
    assert_eq!(scene.log_in("anna", PASSCODE, &scene.code()).status, 200, "by the last good key");
    // Somebody makes all one-time secrets anew, with a new key.
    let renewed = [&other[..], b" renewed"].concat();
    let (key, secret) = (Key::new(&renewed).expect("a key"), OneTimeSecret::generate().expect("a secret"));
    let sealed = |name: &str| Some(key.seal(name, &secret).expect("a sealed secret"));
    scene.change("anna", |user| user.one_time = sealed("anna"));
    scene.add("olga", "viewer");
    scene.change("olga", |user| user.one_time = sealed("olga"));
    fs::write(gate.site.path(file), &renewed).expect("a file written");
    taken(gate, &[file]);
    assert_eq!(scene.log_in("olga", PASSCODE, &code_of(&secret)).status, 200, "by the new key");
}

#[test]
fn the_certificates_of_forwarding_that_are_replaced_are_shown_to_the_repository_and_a_bad_key_is_not() {
    let (site, upstream) = (Site::new(), Upstream::bind());
    let rsyslog = Rsyslog::start(&site);
    let setup = Setup { limits: OFTEN, extra: INTERFACE, ..Setup::plain(upstream.address) };
    let toml = format!("{}\n{}", setup.toml(), repository(rsyslog.address));
    let gate = Gate::start_with(site, &toml, "");
    store(&gate, &upstream, "SITE");
    arrived(&gate.site, TRANSFERRED, 1);
    // Another CA signs for both sides now, and the repository takes nobody of the one before.
    let address = rsyslog.address;
    rsyslog.kill();
    let files = ["server.pem", "server.key", "ca.pem", "client.pem", "client.key"]
        .map(|file| format!("certs/{file}"));
    put_in_place(&gate, &Site::new(), &files.each_ref().map(String::as_str));
    let rsyslog = Rsyslog::start_again(&gate.site, address);
    taken(&gate, &["certs/ca.pem", "certs/client.key", "certs/client.pem"]);
    store(&gate, &upstream, "SITE");
    arrived(&gate.site, TRANSFERRED, 2);
    spoil(&gate, "certs/client.key", b"", "certs/client.key");
    // What it had open is gone: it has to show a certificate once more.
    rsyslog.kill();
    let _rsyslog = Rsyslog::start_again(&gate.site, address);
    store(&gate, &upstream, "SITE");
    arrived(&gate.site, TRANSFERRED, 3);
}
