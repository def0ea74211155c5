//! Programs that show a token at the administration interface: signed by PyJWT, shown by Prometheus, and by whoever should not.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};

use crate::administration::{Answer, exchange};
use crate::alerts::{queried, scrape_of, scraping};
use crate::gate::{Gate, Setup, leaked, told};
use crate::monitoring::ask;
use crate::process::free_address;
use crate::raw::{Upstream, rejection};
use crate::scratch::Scratch;
use crate::tokens::{bearing, claiming, issuer, signed, site};
use crate::wait;

const AUDIENCE: &str = "dimsegate-administration";
const ACCESS: &str = "[[admin.access]]\nrole = \"viewer\"\ntoken-users = [\"login/watcher\"]\n\
                      [[admin.access]]\nrole = \"operator\"\ntoken-roles = [\"login/night-shift\"]\n";

/// A proxy whose interface knows tokens of an issuer.
struct Scene {
    gate: Gate,
    setup: Setup,
    address: SocketAddr,
    _upstream: Upstream,
}

fn interface(address: SocketAddr, access: &str, of_issuer: &str) -> &'static str {
    leaked(format!(
        "{}[admin]\nlisten = \"{address}\"\naudience = \"{AUDIENCE}\"\n{access}",
        issuer(of_issuer)
    ))
}

impl Scene {
    fn start(of_issuer: &str) -> Self {
        let (upstream, address) = (Upstream::bind(), free_address());
        let listener = "user-identity = \"accept\"\nuser-identity-in-clear = true";
        let extra = interface(address, ACCESS, of_issuer);
        let setup = Setup { listener, extra, ..Setup::plain(upstream.address) };
        Self { gate: Gate::start_in(site(), &setup), setup, address, _upstream: upstream }
    }

    fn token(&self, claims: &Value) -> String {
        let mut all = json!({"sub": "watcher", "aud": AUDIENCE, "roles": null});
        all.as_object_mut().expect("claims").extend(claims.as_object().expect("claims").clone());
        claiming(&self.gate.site, &all)
    }

    fn ask(&self, method: &str, path: &str, token: &str, content: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).expect("the interface");
        exchange(&mut stream, method, path, &bearer(token), content)
    }

    fn read(&self, token: &str) -> u16 {
        self.ask("GET", "/api/v1/associations", token, "").status
    }

    fn refused(&self, why: &str) -> Value {
        self.gate.record(why, |record| {
            record["event"] == "administration"
                && record["outcome"] == "refused"
                && record["explanation"].as_str().is_some_and(|explanation| explanation.contains(why))
        })
    }
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

#[test]
fn a_token_is_known_at_the_interface_until_it_ends_and_does_what_its_role_may() {
    let scene = Scene::start("required-claims = [\"jti\"]");
    let watcher = scene.token(&json!({"jti": "one"}));
    for _ in 0..3 {
        assert_eq!(scene.read(&watcher), 200, "whoever polls shows it again, whatever its jti");
    }
    let session = scene.ask("GET", "/api/v1/session", &watcher, "").body;
    assert_eq!(session, json!({"user": "login/watcher", "role": "viewer", "by": "token", "login": false}));
    let read = scene.gate.record("a read", |record| record["resource"] == "/api/v1/associations");
    assert_eq!((&read["user"], &read["role"]), (&json!("login/watcher"), &json!("viewer")));
    let level = r#"{"level": "debug"}"#;
    let denied = scene.ask("PUT", "/api/v1/log-level", &watcher, level);
    assert_eq!(denied.status, 403);
    assert_eq!(denied.body["detail"], "log-level is for the role operator, and login/watcher is viewer");
    // By a role that the issuer says, a browser's fields are not needed.
    let operator = scene.token(&json!({"sub": "anna", "roles": ["night-shift", "all"], "jti": "two"}));
    assert_eq!(scene.ask("PUT", "/api/v1/log-level", &operator, level).status, 200);
    let done = scene
        .gate
        .record("its record", |record| record["action"] == "log-level" && record["outcome"] == "success");
    assert_eq!((&done["user"], &done["role"]), (&json!("login/anna"), &json!("operator")));
    // Somebody whom nothing gives a role is known, and may nothing.
    let nobody = scene.token(&json!({"sub": "bob", "roles": ["all"], "jti": "three"}));
    let answer = scene.ask("GET", "/api/v1/associations", &nobody, "");
    assert_eq!(answer.status, 403, "{}", answer.body);
    let told = format!("{:?}{}", scene.gate.records(), scene.gate.output());
    for part in [&watcher, &operator, &nobody].into_iter().flat_map(|token| token.split('.')) {
        assert!(!told.contains(part), "a token is told");
    }
}

#[test]
fn a_token_that_is_not_good_for_the_interface_proves_nobody_there() {
    let scene = Scene::start("");
    let nothing =
        exchange(&mut TcpStream::connect(scene.address).expect("it"), "GET", "/api/v1/limits", "", "");
    assert_eq!(nothing.status, 401, "being on this machine alone is no role any more");
    assert!(nothing.head.contains("www-authenticate: bearer realm=\"dimsegate\"\r\n"), "{}", nothing.head);
    let ended = json!({"iat": 1_700_000_000, "exp": 1_700_000_300});
    let good = scene.token(&json!({}));
    let (rest, signature) = good.rsplit_once('.').expect("three parts");
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{rest}.{other}{}", &signature[1..]);
    for (token, why, reason) in [
        (scene.token(&json!({"aud": "dimsegate"})), "it is for another audience (aud)", "token-wrong"),
        (scene.token(&ended), "it ended at 2023-11-14T22:18:20Z", "token-ended"),
        (forged, "its signature is not by the key of issuer \"login\"", "token-wrong"),
        (signed(&scene.gate.site, &["--algorithm", "HS256"]), "it is signed by \"HS256\"", "token-wrong"),
        (signed(&scene.gate.site, &["--algorithm", "none"]), "it is signed by \"none\"", "token-wrong"),
        ("x".repeat(9000), "it is no JSON Web Token", "token-wrong"),
        (format!("{good}\r\nAuthorization: Bearer {good}"), "it is no JSON Web Token", "token-wrong"),
    ] {
        let answer = scene.ask("GET", "/api/v1/limits", &token, "");
        assert_eq!(answer.status, 401, "{why}: {}", answer.body);
        let detail = &answer.body["detail"];
        assert_eq!(detail, "the token is not accepted; the records say why", "whoever tries learns no more");
        assert!(answer.head.contains("error=\"invalid_token\""), "{}", answer.head);
        assert_eq!(scene.refused(why)["reason"], reason, "{why}");
    }
    // It counts alone: neither a cookie nor the connection helps a token that is none.
    let cookie = format!("x\r\nCookie: __Host-dimsegate={}", "0".repeat(64));
    assert_eq!(scene.ask("GET", "/api/v1/limits", &cookie, "").status, 401);
    // And one for the interface opens no association.
    assert_eq!(rejection(&scene.gate.plain(), &bearing(&good)), [0, 1, 2, 1]);
    let rejected = scene.gate.event("association-rejected");
    assert_eq!(rejected["reason"], "token-wrong");
    assert_eq!(scene.read(&good), 200);
}

#[test]
fn whoever_looks_on_with_a_token_does_so_until_a_reload_takes_the_role_away() {
    let scene = Scene::start("");
    let token = scene.token(&json!({}));
    let mut stream = TcpStream::connect(scene.address).expect("the interface");
    stream.set_read_timeout(Some(wait::PATIENCE)).expect("a limit");
    let request = format!("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n{}\r\n", bearer(&token));
    stream.write_all(request.as_bytes()).expect("a request");
    let mut lines =
        BufReader::new(stream).lines().map(|line| line.expect("a line, or the end, within patience"));
    assert!(lines.next().is_some_and(|status| status.contains(" 200 ")));
    assert!(lines.any(|line| line.contains("records of dimsegate")));
    let less = ACCESS.replace("login/watcher", "login/another");
    let extra = interface(scene.address, &less, "");
    scene.gate.reload(&Setup { extra, peers: scene.setup.peers.clone(), ..scene.setup }.toml());
    lines.for_each(drop);
    wait::until("the role to be gone", || (scene.read(&token) == 403).then_some(()));
}

#[test]
fn prometheus_scrapes_the_interface_with_a_token() {
    let scene = Scene::start("");
    let folder = Scratch::new();
    fs::write(folder.path().join("token"), scene.token(&json!({}))).expect("a file written");
    let known = "static_configs:\n      - targets";
    let scrape = scrape_of(scene.address).replace("rule_files:\n  - rules.yml\n", "");
    let with = format!("authorization: {{credentials_file: token}}\n    {known}");
    let (_process, prometheus) = scraping(folder.path(), &scrape.replace(known, &with));
    wait::until("a scrape", || {
        let (_, content) = ask(prometheus, "/api/v1/query?query=dimsegate_records_writable").ok()?;
        content.contains("dimsegate_records_writable").then_some(())
    });
    assert_eq!(queried(prometheus, "up{job=\"dimsegate\"}")[0]["value"][1], "1");
    assert_eq!(queried(prometheus, "dimsegate_records_writable")[0]["value"][1], "1");
}

#[test]
fn what_is_said_of_tokens_has_to_fit_the_issuers_that_there_are() {
    let site = site();
    let check_of = |of_issuer: &str, access: &str, audience: &str| {
        let admin = format!("[admin]\nlisten = \"127.0.0.1:8765\"\n{audience}\n{access}");
        let extra = leaked(format!("{}{admin}", issuer(of_issuer)));
        let setup = Setup { extra, ..Setup::tls("127.0.0.1:104".parse().expect("an address")) };
        fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration");
        told(&site, &["check", "-c", "dimsegate.toml"])
    };
    let check = |access: &str, audience: &str| check_of("", access, audience);
    let users = |user: &str| format!("[[admin.access]]\nrole = \"viewer\"\ntoken-users = [{user:?}]\n");
    let audience = format!("audience = {AUDIENCE:?}");
    let (status, said) = check(&users("login/watcher"), &audience);
    assert_eq!(status, 0, "{said}");
    assert!(!said.contains("admin") && !said.contains("issuer:"), "{said}");
    for (access, audience, expected) in [
        (users("watcher"), &*audience, "\"watcher\" does not say of which issuer"),
        (users("logon/watcher"), &*audience, "no [[issuer]] is called \"logon\""),
        (users("login/watcher"), "", "admin.audience: is missing"),
        (users("login/watcher"), "audience = \"dimsegate\"", "is an audience of issuer \"login\", too"),
    ] {
        let (status, said) = check(&access, audience);
        assert!(status == 78 && said.contains(expected), "{status} {said}");
    }
    let (status, said) = check("", &audience);
    assert!(status == 0 && said.contains("admin.audience: has no effect"), "{said}");
    let (status, said) = check_of("bound-to-certificate = true", &users("login/watcher"), &audience);
    assert!(status == 0 && said.contains("lets nobody in by a token of issuer \"login\""), "{said}");
}
