//! People log in at the administration interface, and do what their roles allow.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use dimsegate::users::{Hash, Key, OneTimeSecret, Store, User};
use serde_json::{Value, json};

use crate::administration::{Answer, exchange};
use crate::gate::{self, Gate, Setup};
use crate::process::{Finished, free_address};
use crate::raw::Upstream;
use crate::site::Site;

pub const PASSCODE: &str = "seven quiet herons";
const USERS: &str = "[users]\nfile = \"conf/users.toml\"\nkey-file = \"conf/audit.key\"\n";
/// Whatever was wrong.
const WRONG: &str = "these are not the name, passcode and one-time code of a user who may log in here";

/// A proxy with people, and a secret of anna's app.
pub struct Scene {
    pub gate: Gate,
    pub upstream: Upstream,
    pub address: SocketAddr,
    secret: OneTimeSecret,
}

/// One who may do what a role says, without a second factor.
pub fn user(name: &str, role: &str, hash: &Hash) -> User {
    User {
        name: name.into(),
        hash: hash.clone(),
        one_time: None,
        roles: vec![role.into()],
        not_after: None,
        disabled: false,
        peers: Vec::new(),
    }
}

impl Scene {
    /// anna is an operator with a second factor, vera a viewer, and nora may use DICOM alone.
    pub fn start(more: &str) -> Self {
        Self::start_with(more, |_| ())
    }

    pub fn start_with(more: &str, change: impl FnOnce(&mut Setup)) -> Self {
        let site = Site::new();
        let key = Key::new(&fs::read(site.path("conf/audit.key")).expect("a key")).expect("a key");
        let (store, secret) =
            (Store::new(&site.path("conf/users.toml")), OneTimeSecret::generate().expect("a secret"));
        let hash = Hash::of(PASSCODE).expect("a hash");
        let one_time = Some(key.seal("anna", &secret).expect("a sealed secret"));
        for user in [
            User { one_time, ..user("anna", "operator", &hash) },
            user("vera", "viewer", &hash),
            user("nora", "reader", &hash),
        ] {
            store.add(user).expect("a user");
        }
        let (upstream, address) = (Upstream::bind(), free_address());
        let admin = format!("[admin]\nlisten = [\"unix:admin.sock\", \"{address}\"]\n{more}{USERS}");
        let mut setup = Setup { extra: gate::leaked(admin), ..Setup::plain(upstream.address) };
        change(&mut setup);
        Self { gate: Gate::start_in(site, &setup), upstream, address, secret }
    }

    pub fn ask(&self, method: &str, path: &str, headers: &str, content: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).expect("the interface");
        exchange(&mut stream, method, path, headers, content)
    }

    pub fn log_in(&self, user: &str, passcode: &str, code: &str) -> Answer {
        let content = json!({"user": user, "passcode": passcode, "code": code}).to_string();
        self.ask("POST", "/api/v1/session", "", &content)
    }

    /// The code that another implementation makes of anna's secret now.
    pub fn code(&self) -> String {
        let mut command = Command::new("oathtool");
        command.args(["--totp", "-b", self.secret.base32().as_str()]);
        Finished::run(command).expect_success().trim().to_owned()
    }

    pub fn done(&self, action: &str, user: &str, outcome: &str) -> Value {
        self.gate.record(&format!("{action} by {user}"), |record| {
            (record["event"] == "administration" && record["action"] == action)
                && (record["user"] == user && record["outcome"] == outcome)
        })
    }

    /// One more user, with the passcode of all.
    pub fn add(&self, name: &str, role: &str) {
        let hash = Hash::of(PASSCODE).expect("a hash");
        Store::new(&self.gate.site.path("conf/users.toml")).add(user(name, role, &hash)).expect("a user");
    }

    pub fn change(&self, name: &str, change: impl FnOnce(&mut User)) {
        Store::new(&self.gate.site.path("conf/users.toml")).change(name, change).expect("a change");
    }
}

/// What a browser sends with a session from a page of the interface.
pub fn with(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let line = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    let (pair, attributes) = line.split_once("; ").expect("attributes");
    assert_eq!(attributes, "secure; httponly; samesite=strict; path=/");
    let (name, value) = pair.split_once('=').expect("a value");
    assert!(name == "__host-dimsegate" && value.len() == 64, "{pair}");
    format!("Cookie: __Host-dimsegate={value}\r\n")
}

pub const OWN_PAGE: &str = "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n";

#[test]
fn a_person_logs_in_with_a_code_that_works_once_and_acts_by_role_until_the_logout() {
    let scene = Scene::start("");
    let nobody = scene.ask("GET", "/api/v1/session", "", "").body;
    assert_eq!(nobody, json!({"user": "unknown", "by": "loopback", "login": true}));
    let first = scene.ask("GET", "/api/v1/associations", "", "");
    assert!(first.status == 401 && first.head.contains("www-authenticate: session"), "{}", first.head);
    let code = scene.code();
    let session = scene.log_in("anna", PASSCODE, &code);
    let anna = with(&session);
    assert_eq!(
        (&session.body["user"], &session.body["role"], &session.body["by"]),
        (&json!("anna"), &json!("operator"), &json!("session"))
    );
    let again = scene.log_in("anna", PASSCODE, &code);
    assert_eq!((again.status, &again.body["detail"]), (401, &json!(WRONG)), "a code works once");
    let known = scene.ask("GET", "/api/v1/session", &anna, "").body;
    assert!(known["role"] == "operator" && known["ends-at"].is_string(), "{known}");
    assert_eq!(scene.ask("GET", "/api/v1/associations", &anna, "").status, 200);
    let level =
        |headers: &str| scene.ask("PUT", "/api/v1/log-level", headers, r#"{"level": "debug"}"#).status;
    assert_eq!(level(&format!("{anna}{OWN_PAGE}")), 200);
    assert_eq!(level(&format!("{anna}Sec-Fetch-Site: same-origin\r\n")), 200);
    for foreign in [
        "",
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: http://localhost:1\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: none\r\n",
    ] {
        assert_eq!(level(&format!("{anna}{foreign}")), 403, "{foreign}");
    }
    assert_eq!(scene.ask("POST", "/api/v1/reload", &format!("{anna}{OWN_PAGE}"), "").status, 403);
    let refused = scene.done("reload", "anna", "refused");
    assert_eq!(
        (&refused["role"], &refused["address"]),
        (&json!("operator"), &json!("127.0.0.1")),
        "{refused}"
    );
    assert_eq!(scene.ask("DELETE", "/api/v1/session", &anna, "").status, 403, "no page asks");
    let out = scene.ask("DELETE", "/api/v1/session", &format!("{anna}{OWN_PAGE}"), "");
    assert!(
        out.status == 204 && out.head.contains("set-cookie: __host-dimsegate=; max-age=0;"),
        "{}",
        out.head
    );
    let over = scene.ask("GET", "/api/v1/associations", &anna, "");
    assert_eq!((over.status, &over.body["detail"]), (401, &json!("the session is over; log in again")));
    assert_eq!(scene.done("login", "anna", "success")["role"], "operator");
    scene.done("logout", "anna", "success");
    let failed = scene.done("login", "anna", "refused");
    assert_eq!(failed["explanation"], "the one-time code was used before");
    let told = gate::run(&scene.gate.site, &["status", "-c", "dimsegate.toml"]);
    assert_eq!(told.status, 0, "commands ask the socket: {}", told.err);
    let all = serde_json::to_string(&scene.gate.records()).expect("records") + &scene.gate.output();
    assert!(!all.contains(PASSCODE) && !all.contains(&code), "a secret was written down");
}

#[test]
fn whatever_is_wrong_the_answer_is_one_and_who_goes_on_has_to_wait_and_is_told_of() {
    let scene = Scene::start("");
    for (user, passcode, code) in [
        ("anna", "another one altogether", ""),
        ("anna", PASSCODE, ""),
        ("anna", PASSCODE, "12345x"),
        ("nobody-of-them", PASSCODE, ""),
        ("nora", PASSCODE, ""),
        ("vera", "", ""),
    ] {
        let answer = scene.log_in(user, passcode, code);
        assert_eq!((answer.status, &answer.body["detail"]), (401, &json!(WRONG)), "{user}");
        assert!(
            !answer.head.contains("set-cookie") && !answer.head.contains("retry-after"),
            "{}",
            answer.head
        );
    }
    let reason = |user: &str| scene.done("login", user, "refused")["explanation"].clone();
    assert_eq!(reason("unknown"), "no user is called so");
    assert_eq!(reason("nora"), "the user has no role in the administration");
    let label = |user: &str| scene.done("login", user, "refused")["reason"].clone();
    assert_eq!(
        [label("anna"), label("unknown"), label("nora")],
        ["user-identity-wrong", "user-identity-wrong", "user-not-allowed"]
    );
    // Four are free, the fifth begins the waiting.
    let (wrong, right) = ("another one altogether", PASSCODE);
    for _ in 0..4 {
        scene.log_in("vera", wrong, "");
    }
    let locked = scene.log_in("vera", right, "");
    assert_eq!((locked.status, &locked.body["detail"]), (401, &json!(WRONG)));
    assert!(locked.head.contains("retry-after: "), "{}", locked.head);
    scene
        .gate
        .record("a lock-out", |record| record["user"] == "vera" && record["reason"] == "user-locked-out");
    let alert = scene.gate.event("security-alert");
    assert_eq!(
        (&alert["reason"], &alert["address"]),
        (&json!("logins-go-on"), &json!("127.0.0.1")),
        "{alert}"
    );
    assert!(alert["explanation"].as_str().is_some_and(|text| text.ends_with("\"vera\"")), "{alert}");
    let bad = scene.ask("POST", "/api/v1/session", "", r#"{"user": "vera", "passcode": 123456789012}"#);
    assert!(bad.status == 400 && !bad.body.to_string().contains("123456789012"), "{}", bad.body);
    scene.gate.record("no login at all", |record| {
        record["explanation"] == "it is not what a login is" && record["reason"].is_null()
    });
    let records = scene.gate.records();
    assert!(!serde_json::to_string(&records).expect("records").contains("nobody-of-them"));
    assert!(!serde_json::to_string(&records).expect("records").contains(wrong));
}

#[test]
fn a_viewer_may_only_look_and_who_is_changed_in_the_file_is_out_with_the_next_request() {
    let scene = Scene::start("");
    let page = |cookie: &str| format!("{cookie}{OWN_PAGE}");
    let vera = with(&scene.log_in("vera", PASSCODE, ""));
    let look = |cookie: &str| scene.ask("GET", "/api/v1/peers", cookie, "").status;
    assert_eq!(look(&vera), 200);
    assert_eq!(scene.ask("POST", "/api/v1/associations/x/abort", &page(&vera), "").status, 403);
    assert_eq!(scene.done("abort", "vera", "refused")["role"], "viewer");
    scene.change("vera", |user| user.disabled = true);
    assert_eq!(look(&vera), 401);
    scene.change("vera", |user| user.disabled = false);
    assert_eq!(look(&vera), 401, "what has ended does not come back");
    let vera = with(&scene.log_in("vera", PASSCODE, ""));
    scene.change("vera", |user| user.roles = vec!["administrator".into()]);
    assert_eq!(look(&vera), 401, "with another role they log in again");
    let vera = with(&scene.log_in("vera", PASSCODE, ""));
    assert_eq!(scene.ask("POST", "/api/v1/reload", &page(&vera), "").status, 200);
    let loaded = scene.gate.record("the reload", |record| {
        record["event"] == "configuration-loaded" && record["through"] == "administration"
    });
    assert_eq!(loaded["user"], "vera");
    assert_eq!(look(&vera), 200, "a reload ends no session");
    scene.change("vera", |user| user.hash = Hash::of("another one altogether").expect("a hash"));
    assert_eq!(look(&vera), 401, "with another passcode they log in again");
    for bogus in ["Cookie: __Host-dimsegate=00\r\n", "Cookie: __Host-dimsegate=\r\n", &vera.repeat(2)] {
        assert_eq!(look(bogus), 401, "{bogus}");
    }
}

#[test]
fn a_page_that_nobody_touches_keeps_no_session_alive() {
    let scene = Scene::start("session-idle = \"2s\"\n");
    let vera = with(&scene.log_in("vera", PASSCODE, ""));
    let looking_on = format!("{vera}Looks-On: ?1\r\n");
    crate::wait::until("the end of the session", || {
        (scene.ask("GET", "/api/v1/status", &looking_on, "").status == 401).then_some(())
    });
}

#[test]
fn a_request_inside_of_another_one_is_none() {
    let scene = Scene::start("");
    let vera = with(&scene.log_in("vera", PASSCODE, ""));
    let inside = format!("DELETE /api/v1/session HTTP/1.1\r\nHost: localhost\r\n{vera}{OWN_PAGE}\r\n");
    for framing in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Content-Length: 0\r\nContent-Length: 5\r\n",
    ] {
        let mut stream = TcpStream::connect(scene.address).expect("the interface");
        let head =
            format!("POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n0\r\n\r\n{inside}");
        stream.write_all(head.as_bytes()).expect("a request written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 4") && answer.matches("HTTP/1.1 ").count() == 1, "{answer}");
    }
    assert_eq!(scene.ask("GET", "/api/v1/peers", &vera, "").status, 200, "nobody was logged out");
}

#[test]
fn a_session_counts_alone_beside_a_certificate_of_a_higher_role() {
    let tls = gate::LISTENER_TLS;
    let access = "[[admin.access]]\nrole = \"administrator\"\ncertificates = [\"cn:client\"]\n";
    let scene = Scene::start(&format!("[admin.tls]\n{tls}\n{access}"));
    let ask = |method: &str, path: &str, headers: &str, content: &str| {
        let mut stream = scene.gate.site.tls(scene.address, "ca", Some("client")).connect().expect("TLS");
        exchange(&mut stream, method, path, headers, content)
    };
    let known = ask("GET", "/api/v1/session", "", "").body;
    assert_eq!((&known["by"], &known["role"]), (&json!("certificate"), &json!("administrator")), "{known}");
    let vera = json!({"user": "vera", "passcode": PASSCODE}).to_string();
    let vera = with(&ask("POST", "/api/v1/session", "", &vera));
    let page = format!("{vera}Origin: https://localhost\r\n");
    assert_eq!(ask("POST", "/api/v1/reload", &page, "").status, 403);
    assert_eq!(scene.done("reload", "vera", "refused")["role"], "viewer");
    assert_eq!(
        ask("POST", "/api/v1/reload", "", "").status,
        200,
        "without the cookie the certificate counts"
    );
}
