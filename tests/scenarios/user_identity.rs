//! Who a requestor says its user is (PS3.7 D.3.3.7): checked where the listener says so, and what a user then may.

use std::fs;
use std::process::Command;

use dimsegate::users::{Hash, Key, OneTimeSecret, Store, User};
use serde_json::{Value, json};

use crate::gate::{self, Gate, Setup, run};
use crate::login;
use crate::object::Object;
use crate::peers::{self, PythonArchive};
use crate::process::Finished;
use crate::raw::{self, Peer, Upstream, verification};
use crate::scratch::Scratch;
use crate::site::Site;
use crate::upper;
use crate::wait;

pub const PASSCODE: &str = "seven quiet herons";
pub const USERS: &str = "[users]\nfile = \"conf/users.toml\"\nkey-file = \"conf/audit.key\"\n";
const ACCEPT: &str = "user-identity = \"accept\"";
const REQUIRE: &str = "user-identity = \"require\"";
/// Behind a load balancer on loopback that says which address it is, over plain TCP.
const BALANCED: &str =
    "user-identity = \"accept\"\nuser-identity-in-clear = true\nproxy-protocol-from = [\"127.0.0.0/8\"]";
/// What the standard has for each no to a user identity.
const NO: [u8; 4] = [0, 1, 2, 1];
const CONGESTION: [u8; 4] = [0, 2, 3, 1];
pub const ROLES: &str = "[[role]]\nname = \"all\"\noperations = [\"all\"]\nsop-classes = [\"all\"]\n\
                     [[role]]\nname = \"echo\"\noperations = [\"C-ECHO\"]\nsop-classes = [\"Verification\"]\n";

/// A folder whose users are anna, who has a one-time secret, bert, who has none, and nora, who may do C-ECHO only.
pub fn site() -> (Site, OneTimeSecret) {
    let site = Site::new();
    let key = Key::new(&fs::read(site.path("conf/audit.key")).expect("a key")).expect("a key");
    let secret = OneTimeSecret::generate().expect("a secret");
    let (store, hash) = (Store::new(&site.path("conf/users.toml")), Hash::of(PASSCODE).expect("a hash"));
    let one_time = Some(key.seal("anna", &secret).expect("a sealed secret"));
    let user = |name: &str, role: &str| login::user(name, role, &hash);
    let all = [User { one_time, ..user("anna", "all") }, user("bert", "all"), user("nora", "echo")];
    all.into_iter().for_each(|user| store.add(user).expect("a user"));
    (site, secret)
}

/// The code that another implementation makes now.
fn code(secret: &OneTimeSecret) -> String {
    let mut command = Command::new("oathtool");
    command.args(["--totp", "-b", secret.base32().as_str()]);
    Finished::run(command).expect_success().trim().to_owned()
}

pub fn start(setup: &Setup) -> (Gate, OneTimeSecret) {
    let (site, secret) = site();
    let users: String = format!("{}\n{USERS}", setup.extra);
    let peers = setup.peers.clone();
    (Gate::start_in(site, &Setup { extra: gate::leaked(users), roles: ROLES, peers, ..*setup }), secret)
}

/// 58H, a positive response asked for.
pub fn identity(kind: u8, primary: &[u8], secondary: &[u8]) -> Vec<u8> {
    let field = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).expect("a field that fits");
        [&length.to_be_bytes(), bytes].concat()
    };
    upper::item(0x58, &[&[kind, 1], &*field(primary), &field(secondary)].concat())
}

pub fn as_user(name: &str, passcode: &str) -> upper::Request {
    verification("SITE", "PACS").user_item(identity(2, name.as_bytes(), passcode.as_bytes()))
}

fn rejected(gate: &Gate, reason: &str) -> Value {
    gate.record(reason, |record| record["event"] == "association-rejected" && record["reason"] == reason)
}

#[test]
fn a_store_by_dcmtk_needs_the_passcode_and_a_code_that_works_once_also_after_a_restart() {
    let archive = peers::storescp(&[]);
    let setup = Setup { listener: REQUIRE, ..Setup::tls(archive.address) };
    let (mut gate, secret) = start(&setup);
    let toml = Setup { extra: USERS, roles: ROLES, ..setup }.toml();
    let (_folder, files) = peers::files_of(&[Object::ct(4096)]);
    let store = |gate: &Gate, user: &[&str]| {
        let tls = peers::dcmtk_tls(&gate.site);
        let options: Vec<&str> = tls.iter().map(String::as_str).chain(user.iter().copied()).collect();
        peers::requestor("storescu", gate.address, &options, &[&files[0]])
    };
    let refused = |finished: &Finished| finished.output.contains("Reason: No Reason");
    assert!(refused(&store(&gate, &[])));
    assert_eq!(rejected(&gate, "user-identity-missing")["user"], Value::Null);
    assert!(refused(&store(&gate, &["-usr", "bert"])), "a name proves nothing");
    assert!(refused(&store(&gate, &["-usr", "bert", "-pwd", "seven quiet heron"])));
    let told = rejected(&gate, "user-identity-wrong");
    assert_eq!((&told["user"], &told["user-identity"]), (&json!("bert"), &json!("claimed")));
    assert!(told["explanation"].as_str().is_some_and(|why| why.contains("the passcode is wrong")), "{told}");
    store(&gate, &["-usr", "bert", "-pwd", PASSCODE, "-rsp"]).expect_success();
    assert!(refused(&store(&gate, &["-usr", "anna", "-pwd", PASSCODE])), "without a code");
    let with_code = format!("{PASSCODE}{}", code(&secret));
    store(&gate, &["-usr", "anna", "-pwd", &with_code]).expect_success();
    assert!(refused(&store(&gate, &["-usr", "anna", "-pwd", &with_code])), "a code twice");
    gate.stop();
    let site = std::mem::replace(&mut gate.site, Site::new());
    let gate = Gate::start_with(site, &toml, "");
    assert!(refused(&store(&gate, &["-usr", "anna", "-pwd", &with_code])), "a code after a restart");
    archive.stored(1);
    let closed = gate.record("anna's association", |record| {
        record["event"] == "association-closed" && record["user"] == "anna"
    });
    assert_eq!(closed["user-identity"], "proven");
    assert_eq!(closed["factors"], json!(["passcode", "one-time-code"]));
    let told = format!("{:?}{}", gate.records(), gate.output());
    assert!(!told.contains("quiet") && !told.contains(&with_code[PASSCODE.len()..]), "a secret is told");
}

#[test]
fn each_type_of_pynetdicom_is_accepted_answered_or_refused_as_it_can_be_checked() {
    let acceptor = PythonArchive::start(&[]);
    let (mut gate, _) = start(&Setup { listener: ACCEPT, ..Setup::tls(acceptor.address()) });
    let (address, tls) = (gate.address, peers::scu_tls(&gate.site));
    let echo = |more: &[&str]| {
        let options: Vec<&str> = tls.iter().map(String::as_str).chain(more.iter().copied()).collect();
        peers::scu("echo", address, &options)
    };
    // On a busy machine pynetdicom may see the end of the connection before the rejection that came with it.
    let is_refused = |answer: &Value| {
        let refusal = &answer["refusal"];
        answer["established"] == false && (refusal.is_null() || *refusal == json!([1, 2, 1]))
    };
    assert_eq!(echo(&[])["identity"], Value::Null);
    let claimed = echo(&["--identity", "1", "--primary", "bert", "--response"]);
    assert_eq!((&claimed["status"], &claimed["identity"]), (&json!(0), &json!("")));
    let bert = ["--identity", "2", "--primary", "bert", "--secondary"];
    let with = |passcode, more: &[&'static str]| echo(&[&bert[..], &[passcode], more].concat());
    assert_eq!(with(PASSCODE, &["--response"])["identity"], "");
    assert_eq!(with(PASSCODE, &[])["identity"], Value::Null, "nobody asked for it");
    assert!(is_refused(&with("another passcode", &["--response"])));
    for kind in ["3", "4", "5"] {
        let answer = echo(&["--identity", kind, "--primary", "ticket-of-bert", "--response"]);
        assert!(is_refused(&answer), "type {kind}: {answer}");
    }
    let told = rejected(&gate, "user-identity-unsupported");
    assert_eq!(told["user"], Value::Null);
    assert_eq!(told["rejection"], json!({"result": 1, "source": 2, "reason": 1}));
    gate.stop();
    assert_eq!(gate.refusals("user-identity-unsupported"), 3);
    assert_eq!(gate.refusals("user-identity-wrong"), 1);
    let told = format!("{:?}{}", gate.records(), gate.output());
    assert!(!told.contains("ticket-of-bert"), "a ticket is told");
}

#[test]
fn the_upstream_is_told_of_the_user_only_what_the_administrator_says() {
    let both = identity(2, b"bert", PASSCODE.as_bytes());
    let name = upper::item(0x58, b"\x01\x00\x00\x04bert\x00\x00");
    for (forward, seen) in [("strip", None), ("pass", Some(&both)), ("replace", Some(&name))] {
        let upstream = Upstream::bind();
        let upstream_keys = gate::leaked(format!("user-identity = \"{forward}\""));
        let setup = Setup { listener: ACCEPT, upstream_keys, ..Setup::tls(upstream.address) };
        let (gate, _) = start(&setup);
        let mut requestor = Peer::connect(&gate.tls());
        requestor.send(&as_user("bert", PASSCODE).encode());
        let mut acceptor = upstream.accept();
        let request = acceptor.associate(upper::ASSOCIATE_RQ);
        assert_eq!(request.user_item(0x58), seen.map(|item| &item[4..]), "{forward}");
        let response = upper::item(0x59, b"\x00\x02ok");
        acceptor.send(&upper::associate_ac("PACS", "SITE", &request.accept_all(), 16384, &[response]));
        let answer = requestor.associate(upper::ASSOCIATE_AC);
        assert_eq!(answer.user_item(0x59), Some(&b"\x00\x00"[..]), "{forward}: dimsegate's own");
        raw::release(requestor, acceptor);
        // A name that nothing proves is not vouched for.
        let mut requestor = Peer::connect(&gate.tls());
        let claimed = identity(1, b"bert", b"");
        requestor.send(&verification("SITE", "PACS").user_item(claimed.clone()).encode());
        let (acceptor, request) = upstream.accept_all(16384);
        let passed = (forward == "pass").then_some(&claimed[4..]);
        assert_eq!(request.user_item(0x58), passed, "{forward}");
        requestor.associate(upper::ASSOCIATE_AC);
        raw::release(requestor, acceptor);
    }
}

#[test]
fn a_user_gets_what_peer_and_user_both_may_and_is_seen_and_blocked_while_it_lasts() {
    let upstream = Upstream::bind();
    let admin = "[admin]\nlisten = [\"unix:admin.sock\"]\n";
    let setup = Setup { listener: ACCEPT, extra: admin, ..Setup::tls(upstream.address) };
    let (gate, _) = start(&setup);
    let request = as_user("nora", PASSCODE).context("1.2.840.10008.5.1.4.1.1.2", &[upper::IMPLICIT_LITTLE]);
    let mut requestor = Peer::connect(&gate.tls());
    requestor.send(&request.encode());
    let (mut acceptor, seen) = upstream.accept_all(16384);
    assert_eq!(seen.contexts.len(), 1, "CT storage is not nora's");
    requestor.associate(upper::ASSOCIATE_AC);
    raw::echo(&mut requestor, &mut acceptor);
    let admin = |arguments: &[&str]| {
        let ran = run(&gate.site, &[arguments, &["-c", "dimsegate.toml"]].concat());
        assert_eq!(ran.status, 0, "{}", ran.err);
        ran.out
    };
    let wrong = run(&gate.site, &["block", "user:noar", "--reason", "x", "-c", "dimsegate.toml"]);
    assert!(wrong.err.contains("has nobody of this name"), "{}", wrong.err);
    admin(&["block", "user:nora", "--reason", "lost her badge"]);
    requestor.expect(upper::ABORT);
    acceptor.expect(upper::ABORT);
    let closed = gate.event("association-closed");
    assert_eq!((&closed["user"], &closed["ended"]), (&json!("nora"), &json!("policy")));
    assert_eq!(raw::rejection(&gate.tls(), &request), [0, 1, 1, 1]);
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &as_user("bert", PASSCODE), 16384);
    raw::release(requestor, acceptor);
    let found = run(&gate.site, &["audit", "search", "audit", "--user", "nora", "--json"]);
    assert!(found.out.lines().count() >= 3 && !found.out.contains("\"bert\""), "{}", found.out);
}

#[test]
fn who_guesses_is_locked_out_at_that_address_and_the_user_gets_in_from_another() {
    let upstream = Upstream::bind();
    let peers = gate::peer("networks = [\"203.0.113.0/24\"]");
    let (gate, _) = start(&Setup { listener: BALANCED, peers, ..Setup::plain(upstream.address) });
    let from = |address: &str, request: &upper::Request| {
        let mut requestor = Peer::connect(&gate.plain());
        requestor.send(format!("PROXY TCP4 {address} 127.0.0.1 50000 104\r\n").as_bytes());
        requestor.send(&request.encode());
        requestor
    };
    for _ in 0..5 {
        let mut guess = from("203.0.113.7", &as_user("bert", "a guess of twelve"));
        assert_eq!(guess.expect(upper::ASSOCIATE_RJ), NO);
    }
    let mut right = from("203.0.113.7", &as_user("bert", PASSCODE));
    assert_eq!(right.expect(upper::ASSOCIATE_RJ), NO);
    assert!(
        rejected(&gate, "user-locked-out")["explanation"].as_str().is_some_and(|why| why.contains("bert"))
    );
    let mut elsewhere = from("203.0.113.8", &as_user("bert", PASSCODE));
    let (acceptor, _) = upstream.accept_all(16384);
    elsewhere.associate(upper::ASSOCIATE_AC);
    raw::release(elsewhere, acceptor);
}

#[test]
fn hundreds_of_wrong_passcodes_at_once_wait_in_a_bounded_queue_and_harm_nobody_else() {
    const GUESSES: usize = 300;
    let upstream = Upstream::bind();
    let peers = gate::peer("networks = [\"203.0.113.0/24\", \"198.51.100.0/24\"]");
    let limits = "connections-per-minute-per-address = 10000\nmax-associations-per-address = 400\nassociate-timeout = \"60s\"";
    let (gate, _) = start(&Setup { listener: BALANCED, peers, limits, ..Setup::plain(upstream.address) });
    let from = |address: String, request: upper::Request| {
        let mut requestor = Peer::connect(&gate.plain());
        requestor.send(format!("PROXY TCP4 {address} 127.0.0.1 50000 104\r\n").as_bytes());
        requestor.send(&request.encode());
        requestor
    };
    let guess = |index: usize| {
        let name = format!("guessed-{index}");
        from(format!("203.0.113.{}", index % 200 + 1), as_user(&name, "a guess of twelve"))
    };
    let guesses: Vec<Peer> = (0..GUESSES).map(guess).collect();
    let mut machine = from("198.51.100.1".into(), verification("SITE", "PACS"));
    let (mut acceptor, _) = upstream.accept_all(16384);
    machine.associate(upper::ASSOCIATE_AC);
    raw::echo(&mut machine, &mut acceptor);
    for mut guess in guesses {
        let answer = guess.expect(upper::ASSOCIATE_RJ);
        assert!(answer == NO || answer == CONGESTION, "{answer:?}");
    }
    raw::echo(&mut machine, &mut acceptor);
    raw::release(machine, acceptor);
    upstream.expect_nobody();
}

#[test]
fn hostile_names_and_passcodes_are_refused_and_told_so_that_they_can_be_shown() {
    let upstream = Upstream::bind();
    let (gate, _) = start(&Setup { listener: ACCEPT, ..Setup::tls(upstream.address) });
    let long = vec![b'a'; 65_000];
    let names: [&[u8]; 6] =
        [b"bert\0", b"\x1b[2J\r\n{\"event\":\"forged\"}", b"\xff\xfe", "\u{202e}treb".as_bytes(), b"", &long];
    for name in names {
        let request = verification("SITE", "PACS").user_item(identity(2, name, PASSCODE.as_bytes()));
        assert_eq!(raw::rejection(&gate.tls(), &request), NO);
    }
    for passcode in [&long[..], b"\xff", b"", b"seven quiet herons\0"] {
        let request = verification("SITE", "PACS").user_item(identity(2, b"nora", passcode));
        assert_eq!(raw::rejection(&gate.tls(), &request), NO);
    }
    for kind in [0, 6, 255] {
        let request = verification("SITE", "PACS").user_item(identity(kind, b"bert", b""));
        assert_eq!(raw::rejection(&gate.tls(), &request), NO, "type {kind}");
    }
    upstream.expect_nobody();
    let all = wait::until("every refusal", || {
        let records = gate.records();
        let names = |record: &Value| record["user"].as_str().map(str::to_owned);
        let names: Vec<String> = records.iter().filter_map(names).collect();
        (!names.is_empty()).then_some(names)
    });
    // A name that nobody has may be a passcode.
    assert!(all.iter().all(|name| ["unknown", "nora"].contains(&&**name)), "{all:?}");
    let told = format!("{}{}", fs_text(&gate), gate.output());
    for other in ["\u{1b}", "quiet", "forged", "treb", "aaaa"] {
        assert!(!told.contains(other), "{other:?} in {told}");
    }
}

#[test]
fn a_name_without_a_proof_is_recorded_so_that_it_can_be_shown_and_each_for_itself() {
    let upstream = Upstream::bind();
    let (gate, _) = start(&Setup { listener: REQUIRE, ..Setup::tls(upstream.address) });
    let long = "a".repeat(60_000);
    let names = ["bert\0", "\x1b[2J\r\n{\"event\":\"forged\"}", "\u{202e}treb", "anna", &long];
    for name in names {
        let request = verification("SITE", "PACS").user_item(identity(1, name.as_bytes(), b""));
        assert_eq!(raw::rejection(&gate.tls(), &request), NO);
    }
    let all = wait::until("every refusal", || {
        let named =
            |record: &Value| Some((record["user"].as_str()?.to_owned(), record["user-identity"].clone()));
        let all: Vec<_> = gate.records().iter().filter_map(named).collect();
        (all.len() == names.len()).then_some(all)
    });
    let fits =
        |name: &str| name.len() <= 70 && !name.chars().any(|one| one.is_control() || one == '\u{202e}');
    assert!(all.iter().all(|(name, how)| fits(name) && how == "claimed"), "{all:?}");
    assert!(!gate.output().contains('\u{1b}') && !fs_text(&gate).contains("\"event\":\"forged\""));
}

#[test]
fn who_it_is_comes_before_which_user_and_explain_says_so_too() {
    let upstream = Upstream::bind();
    let peers = gate::peer("calling-ae-titles = [\"SITE\"]\nassociations-per-minute = 1");
    let (gate, _) = start(&Setup { listener: REQUIRE, peers, ..Setup::tls(upstream.address) });
    assert_eq!(raw::rejection(&gate.tls(), &verification("OTHER", "PACS")), [0, 1, 1, 3]);
    let facts = ["explain", "-c", "dimsegate.toml", "--listener", "remote", "--from", "127.0.0.1"];
    let shown = ["--calling", "OTHER", "--called", "PACS", "--certificate", "certs/client.pem"];
    let said = run(&gate.site, &[facts.as_slice(), &shown].concat());
    assert!(said.status == 3 && said.out.contains("(calling-ae-title-unknown)"), "{}", said.out);
    // Nor is anybody's passcode tried who could not be served: a guess costs a place.
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &as_user("bert", PASSCODE), 16384);
    raw::release(requestor, acceptor);
    assert_eq!(raw::rejection(&gate.tls(), &as_user("bert", "seven quiet heron")), [0, 2, 3, 2]);
}

/// The lines of the records as they are.
fn fs_text(gate: &Gate) -> String {
    let files = fs::read_dir(gate.site.path("audit")).expect("records").flatten().map(|file| file.path());
    let days = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl"));
    days.map(|day| fs::read_to_string(day).expect("a day")).collect()
}

#[test]
fn a_factor_that_is_missing_is_refused_by_name_and_explain_says_the_same() {
    let upstream = Upstream::bind();
    let roles = "[[role]]\nname = \"strict\"\noperations = [\"all\"]\nsop-classes = [\"all\"]\n\
                 require = [\"certificate\", \"passcode\", \"one-time-code\"]\n";
    let peers = format!("{}\n{roles}", gate::peer("role = \"strict\""));
    let (gate, secret) = start(&Setup { listener: ACCEPT, peers, ..Setup::tls(upstream.address) });
    let explain = |more: &[&str]| {
        let facts = ["explain", "-c", "dimsegate.toml", "--listener", "remote", "--from", "127.0.0.1"];
        let shown = ["--calling", "SITE", "--called", "PACS", "--certificate", "certs/client.pem"];
        run(&gate.site, &[&facts[..], &shown[..], more].concat())
    };
    assert_eq!(raw::rejection(&gate.tls(), &verification("SITE", "PACS")), NO);
    let told = rejected(&gate, "factor-missing");
    assert_eq!(told["peer"], "site");
    let missing = "requires \"passcode\"; proven: certificate";
    assert!(told["explanation"].as_str().is_some_and(|why| why.contains(missing)), "{told}");
    let said = explain(&[]);
    assert!(
        said.status == 3 && said.out.contains(missing) && said.out.contains("(factor-missing)"),
        "{}",
        said.out
    );
    assert_eq!(raw::rejection(&gate.tls(), &as_user("bert", PASSCODE)), NO);
    let said = explain(&["--user", "bert", "--factors", "certificate,passcode"]);
    let missing = "requires \"one-time-code\"; proven: certificate, passcode";
    assert!(said.status == 3 && said.out.contains(missing), "{}", said.out);
    let said = explain(&["--user", "anna", "--factors", "passcode"]);
    assert!(said.status == 3 && said.out.contains("the one-time code is missing"), "{}", said.out);
    let with_code = format!("{PASSCODE}{}", code(&secret));
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &as_user("anna", &with_code), 16384);
    raw::release(requestor, acceptor);
    let said = explain(&["--user", "anna"]);
    let proven = "anna, proven by passcode, one-time-code";
    assert!(said.status == 0 && said.out.contains(proven), "{}{}", said.out, said.err);
    assert_eq!(explain(&["--user", "nobody"]).status, 64);
}

#[test]
fn who_waits_for_a_turn_to_be_checked_for_longer_than_associate_timeout_is_refused_and_machines_are_not() {
    // As many as there may ever be turns, and each is let in by the passcode and by a code that is to be marked as used.
    const HOLDING: [&str; 4] = ["holds-1", "holds-2", "holds-3", "holds-4"];
    let ((site, secret), upstream) = (site(), Upstream::bind());
    let store = Store::new(&site.path("conf/users.toml"));
    let key = Key::new(&fs::read(site.path("conf/audit.key")).expect("a key")).expect("a key");
    let bert = dimsegate::users::read(&site.path("conf/users.toml")).expect("users").remove(1);
    for name in HOLDING {
        let one_time = Some(key.seal(name, &secret).expect("a sealed secret"));
        store.add(User { name: name.into(), one_time, ..bert.clone() }).expect("a user");
    }
    let listener = "user-identity = \"accept\"\nuser-identity-in-clear = true";
    let limits = "associate-timeout = \"1s\"";
    let setup = Setup { listener, limits, extra: USERS, roles: ROLES, ..Setup::plain(upstream.address) };
    let gate = Gate::start_in(site, &setup);
    let send = |name: &str, passcode: &str| {
        let mut requestor = Peer::connect(&gate.plain());
        requestor.send(&as_user(name, passcode).encode());
        requestor
    };
    // Somebody writes to the file, so that whoever has a turn keeps it: no machine hashes so fast that one comes free.
    let file = fs::File::open(gate.site.path("conf/users.toml")).expect("the users");
    file.lock().expect("the file to itself");
    let with_code = format!("{PASSCODE}{}", code(&secret));
    for mut holding in HOLDING.map(|name| send(name, &with_code)) {
        assert_eq!(holding.expect(upper::ASSOCIATE_RJ), CONGESTION);
    }
    let mut nora = send("nora", PASSCODE);
    let (mut machine, mut acceptor) =
        raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::echo(&mut machine, &mut acceptor);
    assert_eq!(nora.expect(upper::ASSOCIATE_RJ), CONGESTION);
    raw::echo(&mut machine, &mut acceptor);
    let told = rejected(&gate, "user-identity-unchecked");
    let why = "its turn to be checked did not come within associate-timeout";
    assert!(told["explanation"].as_str().is_some_and(|told| told.contains(why)), "{told}");
    assert_eq!(told["rejection"], json!({"result": 2, "source": 3, "reason": 1}));
    file.unlock().expect("the file for everybody");
    let (nora, behind) = raw::open(&gate.plain(), &upstream, &as_user("nora", PASSCODE), 16384);
    raw::release(nora, behind);
    raw::release(machine, acceptor);
}

const PASS: &str = "user-identity = \"accept\"\nuser-identity-pass = [\"kerberos\"]";

#[test]
fn a_ticket_goes_on_as_it_came_where_the_listener_lets_it_through_and_is_a_claim_here() {
    let ticket = identity(3, b"\x60\x82ticket", b"");
    for (forward, reaches) in [("pass", true), ("strip", false), ("replace", false)] {
        let upstream = Upstream::bind();
        let upstream_keys = gate::leaked(format!("user-identity = \"{forward}\""));
        let (gate, _) = start(&Setup { listener: PASS, upstream_keys, ..Setup::tls(upstream.address) });
        let mut requestor = Peer::connect(&gate.tls());
        requestor.send(&verification("SITE", "PACS").user_item(ticket.clone()).encode());
        let mut acceptor = upstream.accept();
        let request = acceptor.associate(upper::ASSOCIATE_RQ);
        assert_eq!(request.user_item(0x58), reaches.then_some(&ticket[4..]), "{forward}");
        let response = upper::item(0x59, b"\x00\x06answer");
        acceptor.send(&upper::associate_ac("PACS", "SITE", &request.accept_all(), 16384, &[response]));
        let answer = requestor.associate(upper::ASSOCIATE_AC);
        assert_eq!(answer.user_item(0x59), reaches.then_some(&b"\x00\x06answer"[..]), "{forward}");
        raw::release(requestor, acceptor);
        let closed = gate.event("association-closed");
        assert_eq!((&closed["user"], &closed["user-identity"]), (&json!("unknown"), &json!("claimed")));
        let assertion = verification("SITE", "PACS").user_item(identity(4, b"<saml/>", b""));
        assert_eq!(raw::rejection(&gate.tls(), &assertion), NO, "the other type");
        rejected(&gate, "user-identity-unsupported");
    }
    // It opens nothing that asks for a proof.
    let upstream = Upstream::bind();
    let strict = "[[role]]\nname = \"strict\"\noperations = [\"all\"]\nsop-classes = [\"all\"]\nrequire = [\"passcode\"]\n";
    let peers = format!("{}\n{strict}", gate::peer("role = \"strict\""));
    let upstream_keys = "user-identity = \"pass\"";
    let (gate, _) = start(&Setup { listener: PASS, peers, upstream_keys, ..Setup::tls(upstream.address) });
    assert_eq!(raw::rejection(&gate.tls(), &verification("SITE", "PACS").user_item(ticket)), NO);
    rejected(&gate, "factor-missing");
}

#[test]
fn dcmtk_and_pynetdicom_show_tickets_and_assertions_to_an_archive_that_answers_them() {
    let archive = PythonArchive::start(&[]);
    let listener = "user-identity = \"accept\"\nuser-identity-pass = [\"kerberos\", \"saml\"]";
    let upstream_keys = "user-identity = \"pass\"";
    let (gate, _) = start(&Setup { listener, upstream_keys, ..Setup::tls(archive.address()) });
    let (_folder, files) = peers::files_of(&[Object::ct(4096)]);
    let shown = gate.site.text("shown");
    fs::write(&shown, "ticket of dcmtk").expect("a file written");
    for (option, kind, word) in [("--kerberos", "3", "ticket"), ("--saml", "4", "assertion")] {
        let tls = peers::dcmtk_tls(&gate.site);
        let options: Vec<&str> = tls.iter().map(String::as_str).chain([option, &shown, "-rsp"]).collect();
        peers::requestor("storescu", gate.address, &options, &[&files[0]]).expect_success();
        let tls = peers::scu_tls(&gate.site);
        let of_pynetdicom = ["--identity", kind, "--primary", word, "--response"];
        let options: Vec<&str> = tls.iter().map(String::as_str).chain(of_pynetdicom).collect();
        let answer = peers::scu("echo", gate.address, &options);
        assert_eq!((&answer["status"], &answer["identity"]), (&json!(0), &json!("welcome")), "{answer}");
    }
    let came = archive.events().into_iter().filter(|event| event["event"] == "A-ASSOCIATE");
    let came: Vec<Value> = came.map(|event| event["identity"].clone()).collect();
    let of = |kind: u8, text: &str| json!([kind, text, ""]);
    let (dcmtk, python) = ("ticket of dcmtk", ["ticket", "assertion"]);
    assert_eq!(came, [of(3, dcmtk), of(3, python[0]), of(4, dcmtk), of(4, python[1])]);
    let told = format!("{:?}{}", gate.records(), gate.output());
    assert!(!told.contains("ticket of dcmtk"), "a ticket is told");
}

#[test]
fn a_user_of_pynetdicom_asks_sees_and_fetches_what_the_users_own_role_says() {
    let (site, _) = site();
    let store = Store::new(&site.path("conf/users.toml"));
    let bert = dimsegate::users::read(&site.path("conf/users.toml")).expect("users").remove(1);
    store.add(User { name: "vera".into(), roles: vec!["narrow".into()], ..bert }).expect("a user");
    let destination = peers::storescp(&["-aet", "DESTINATION"]);
    let (folder, _) = peers::files_of(&[Object::ct(20_000)]);
    let (served, sent_to) =
        (folder.path().display().to_string(), format!("DESTINATION={}", destination.address.port()));
    let archive = PythonArchive::start(&["--answers", "5", "--serve", &served, "--destination", &sent_to]);
    let narrow = "[[role]]\nname = \"narrow\"\noperations = [\"all\"]\nsop-classes = [\"all\"]\n\
        query-keys = [\"StudyInstanceUID\"]\nhide = [\"PatientBirthDate\"]\nmax-answers = 3\nmax-retrievals-per-hour = 1\n";
    let (extra, roles) = (gate::leaked(format!("{USERS}{narrow}")), ROLES);
    let gate =
        Gate::start_in(site, &Setup { listener: REQUIRE, extra, roles, ..Setup::tls(archive.address()) });
    let tls = peers::scu_tls(&gate.site);
    let got = Scratch::new();
    let kept = got.path().display().to_string();
    let ask = |service: &str, user: &str, more: &[&str]| {
        let who = ["--identity", "2", "--primary", user, "--secondary", PASSCODE, "--folder", &kept];
        let options: Vec<&str> =
            tls.iter().map(String::as_str).chain(who).chain(more.iter().copied()).collect();
        peers::scu(service, gate.address, &options)
    };
    let study = ["--study", "2.25.1"];
    let seen = |answer: &Value| (answer["status"].clone(), answer["births"].as_array().map_or(0, Vec::len));
    // No key narrows it; then three of five answers, and none with a date of birth.
    assert_eq!(seen(&ask("find", "vera", &[])), (json!(0x0124), 0));
    let vera = ask("find", "vera", &study);
    assert_eq!((seen(&vera), &vera["names"][2]), ((json!(0xA700), 0), &json!("ANSWER^2")), "{vera}");
    assert_eq!(vera["names"].as_array().map(Vec::len), Some(3), "{vera}");
    for more in [&[][..], &study] {
        let bert = ask("find", "bert", more);
        assert_eq!(seen(&bert), (json!(0), 5), "{bert}");
    }
    for (user, statuses) in [("vera", [0, 0xA702, 0xA702]), ("bert", [0, 0, 0])] {
        let told = ["get", "get", "move"].map(|service| ask(service, user, &study)["status"].clone());
        assert_eq!(told, statuses.map(|status| json!(status)), "{user}");
    }
    assert_eq!(destination.stored(1).len(), 1, "bert's alone");
    let refused = gate.record("vera's query", |record| record["reason"] == "query-too-wide");
    assert_eq!(refused["operation"], "C-FIND");
}
