//! Tokens that prove a user (PS3.7 D.3.3.7, type 5): signed by PyJWT, sent by pynetdicom, and by whoever should not have one.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::administration::{ask, get};
use crate::gate::{self, Gate, Setup, leaked};
use crate::peers::{self, PythonArchive};
use crate::process::Finished;
use crate::raw::{self, Peer, Upstream, verification};
use crate::site::Site;
use crate::upper;
use crate::wait;

const ACCEPT: &str = "user-identity = \"accept\"";
const REQUIRE: &str = "user-identity = \"require\"";
/// What the standard has for each no to a user identity.
const NO: [u8; 4] = [0, 1, 2, 1];
/// A limit.
const FULL: [u8; 4] = [0, 2, 3, 2];
const ABORTED: [u8; 4] = [0, 0, 2, 0];
pub const ROLES: &str = "[[role]]\nname = \"all\"\noperations = [\"all\"]\nsop-classes = [\"all\"]\n\
                     [[role]]\nname = \"echo\"\noperations = [\"C-ECHO\"]\nsop-classes = [\"Verification\"]\n";
const WAYS: [&str; 5] = ["ES256", "ES384", "EdDSA", "RS256", "PS256"];

/// A site with the keys of an issuer in `conf`, and its key set in `conf/login.jwks`.
pub fn site() -> Site {
    let site = Site::new();
    make_keys(&site);
    site
}

pub fn make_keys(site: &Site) {
    let mut command = peers::python("bearer.py");
    command.arg("keys").arg(site.path("conf"));
    fs::write(site.path("conf/login-next"), Finished::run(command).expect_success()).expect("a key set");
    fs::rename(site.path("conf/login-next"), site.path("conf/login.jwks")).expect("its name");
}

/// `[[issuer]]` with more keys.
pub fn issuer(keys: &str) -> &'static str {
    leaked(format!(
        "[[issuer]]\nname = \"login\"\nissuer = \"https://login.hospital.example\"\naudience = \"dimsegate\"\n\
         algorithms = {WAYS:?}\nkeys = \"conf/login.jwks\"\n{keys}\n"
    ))
}

/// A token of PyJWT.
pub fn signed(site: &Site, options: &[&str]) -> String {
    let mut command = peers::python("bearer.py");
    command.arg("sign").arg(site.path("conf")).args(options);
    Finished::run(command).expect_success().trim().to_owned()
}

pub fn claiming(site: &Site, claims: &Value) -> String {
    signed(site, &["--claims", &claims.to_string()])
}

/// 58H of type 5, a positive response asked for.
pub fn bearing(token: &str) -> upper::Request {
    let length = u16::try_from(token.len()).expect("a field that fits");
    let item = [&[5, 1], &length.to_be_bytes()[..], token.as_bytes(), &[0, 0]].concat();
    verification("SITE", "PACS").user_item(upper::item(0x58, &item))
}

fn start(setup: &Setup) -> Gate {
    Gate::start_in(site(), &Setup { roles: ROLES, peers: setup.peers.clone(), ..*setup })
}

fn rejected(gate: &Gate, reason: &str) -> Value {
    gate.record(reason, |record| record["event"] == "association-rejected" && record["reason"] == reason)
}

fn explanation(record: &Value) -> &str {
    record["explanation"].as_str().expect("an explanation")
}

/// That nothing of a token is told anywhere.
fn is_kept_back(gate: &Gate, token: &str) {
    let told = format!("{:?}{}", gate.records(), gate.output());
    assert!(
        token.split('.').filter(|part| part.len() > 20).all(|part| !told.contains(part)),
        "a token is told"
    );
}

#[test]
fn each_way_of_signing_by_pyjwt_is_taken_from_pynetdicom_and_answered_with_an_empty_response() {
    let acceptor = PythonArchive::start(&[]);
    let mut gate = start(&Setup { listener: REQUIRE, extra: issuer(""), ..Setup::tls(acceptor.address()) });
    let (address, tls) = (gate.address, peers::scu_tls(&gate.site));
    let echo = |token: &str, more: &[&str]| {
        let with = ["--identity", "5", "--primary", token];
        let options: Vec<&str> =
            tls.iter().map(String::as_str).chain(with).chain(more.iter().copied()).collect();
        peers::scu("echo", address, &options)
    };
    for way in WAYS {
        let token = signed(&gate.site, &["--algorithm", way]);
        let answer = echo(&token, &["--response"]);
        assert_eq!((&answer["status"], &answer["identity"]), (&json!(0), &json!("")), "{way}: {answer}");
        is_kept_back(&gate, &token);
    }
    let token = signed(&gate.site, &[]);
    assert_eq!(echo(&token, &[])["identity"], Value::Null, "nobody asked for it");
    let two = &tls
        .iter()
        .map(String::as_str)
        .chain(["--identity", "2", "--primary", "a", "--secondary", "b"])
        .collect::<Vec<_>>();
    assert_eq!(peers::scu("echo", address, two)["established"], false, "there are no passcodes");
    gate.stop();
    let closed = gate.event("association-closed");
    assert_eq!((&closed["user"], &closed["user-identity"]), (&json!("login/anna"), &json!("proven")));
    assert_eq!(closed["factors"], json!(["token"]));
    assert_eq!(gate.refusals("user-identity-unsupported"), 1);
}

#[test]
fn a_token_with_a_jti_opens_one_association_also_after_a_restart() {
    let upstream = Upstream::bind();
    let setup = Setup {
        listener: ACCEPT,
        extra: issuer("required-claims = [\"jti\"]"),
        ..Setup::tls(upstream.address)
    };
    let mut gate = start(&setup);
    let token = claiming(&gate.site, &json!({"jti": "once"}));
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &bearing(&token), 16384);
    raw::release(requestor, acceptor);
    assert_eq!(raw::rejection(&gate.tls(), &bearing(&token)), NO);
    let told = rejected(&gate, "token-used");
    assert_eq!((&told["user"], &told["user-identity"]), (&json!("login/anna"), &json!("claimed")));
    assert_eq!(raw::rejection(&gate.tls(), &bearing(&signed(&gate.site, &[]))), NO);
    assert!(explanation(&rejected(&gate, "token-wrong")).contains("its claim jti is missing"));
    gate.stop();
    let toml = Setup { roles: ROLES, ..setup }.toml();
    let site = std::mem::replace(&mut gate.site, Site::new());
    let gate = Gate::start_with(site, &toml, "");
    assert_eq!(raw::rejection(&gate.tls(), &bearing(&token)), NO, "after a restart");
    let another = claiming(&gate.site, &json!({"jti": "twice"}));
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &bearing(&another), 16384);
    raw::release(requestor, acceptor);
    is_kept_back(&gate, &token);
}

#[test]
fn a_file_of_used_tokens_that_is_gone_is_written_again_and_one_that_others_could_write_lets_nobody_in() {
    let upstream = Upstream::bind();
    let setup = Setup { listener: ACCEPT, roles: ROLES, extra: issuer(""), ..Setup::tls(upstream.address) };
    let mut gate = Gate::start_in(site(), &setup);
    let tokens = ["a", "b", "c"].map(|jti| claiming(&gate.site, &json!({"jti": jti})));
    let file = gate.site.path("state/tokens");
    for token in &tokens[..2] {
        let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &bearing(token), 16384);
        raw::release(requestor, acceptor);
        // Somebody tidies up while it runs.
        fs::remove_file(&file).expect("no file");
    }
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &bearing(&tokens[2]), 16384);
    raw::release(requestor, acceptor);
    gate.stop();
    let toml = setup.toml();
    let site = std::mem::replace(&mut gate.site, Site::new());
    let mut gate = Gate::start_with(site, &toml, "");
    for token in &tokens {
        assert_eq!(raw::rejection(&gate.tls(), &bearing(token)), NO);
    }
    gate.stop();
    let site = std::mem::replace(&mut gate.site, Site::new());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("a mode");
    let gate = Gate::start_with(site, &toml, "");
    let fresh = claiming(&gate.site, &json!({"jti": "d"}));
    assert_eq!(raw::rejection(&gate.tls(), &bearing(&fresh)), [0, 2, 3, 1]);
    let told = rejected(&gate, "user-identity-unchecked");
    assert!(explanation(&told).contains("or others may write it"), "{told}");
    assert!(gate.output().contains("or others may write it"), "{}", gate.output());
    upstream.expect_nobody();
}

#[test]
fn a_token_that_was_copied_is_of_no_use_without_the_certificate_and_the_ae_title_it_is_for() {
    let upstream = Upstream::bind();
    let keys = "bound-to-certificate = true\ncalling-ae-titles-claim = \"ae\"";
    let roles = leaked(format!("{ROLES}require = [\"certificate\", \"token\"]\n"));
    let setup = Setup { listener: ACCEPT, extra: issuer(keys), ..Setup::tls(upstream.address) };
    let mut gate = Gate::start_in(site(), &Setup { roles, ..setup });
    let bound = |certificate: &str, ae: &str| {
        let certificate = gate.site.text(&format!("certs/{certificate}.pem"));
        let claims = json!({"ae": [ae], "roles": ["echo"]}).to_string();
        signed(&gate.site, &["--bound-to", &certificate, "--claims", &claims])
    };
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &bearing(&bound("client", "SITE")), 16384);
    raw::release(requestor, acceptor);
    assert_eq!(raw::rejection(&gate.tls(), &bearing(&bound("server", "SITE"))), NO);
    assert!(explanation(&rejected(&gate, "token-not-bound")).contains("another certificate"));
    assert_eq!(raw::rejection(&gate.tls(), &bearing(&bound("client", "OTHER"))), NO);
    assert_eq!(raw::rejection(&gate.tls(), &bearing(&claiming(&gate.site, &json!({"ae": "SITE"})))), NO);
    upstream.expect_nobody();
    gate.stop();
    assert_eq!(gate.refusals("token-not-bound"), 3);
}

#[test]
fn hostile_tokens_are_refused_one_like_the_other_and_harm_nobody_else() {
    let upstream = Upstream::bind();
    let mut gate = start(&Setup { listener: ACCEPT, extra: issuer(""), ..Setup::tls(upstream.address) });
    let (mut bystander, mut acceptor) =
        raw::open(&gate.tls(), &upstream, &verification("SITE", "PACS"), 16384);
    let site = &gate.site;
    let good = signed(site, &[]);
    let way = |name: &str| signed(site, &["--algorithm", name]);
    let header = |text: &str| signed(site, &["--header", text]);
    let claims = |value: Value| claiming(site, &value);
    let (signed_part, signature) = good.rsplit_once('.').expect("a signature");
    let stripped = format!("{signed_part}.");
    let swapped =
        format!("{}.{signature}", claims(json!({"sub": "root"})).rsplit_once('.').expect("a signature").0);
    let hostile = [
        (way("none"), "is signed by \"none\""),
        (way("HS256"), "is signed by \"HS256\""),
        (stripped, "its signature is not by the key"),
        (swapped, "its signature is not by the key"),
        (header(r#"{"kid": "other"}"#), "has no key \"other\""),
        (header(r#"{"kid": "RS256"}"#), "has no key \"RS256\" for that algorithm"),
        (header(r#"{"crit": ["x"], "x": 1}"#), "crit"),
        (header(r#"{"typ": "logout+jwt"}"#), "is of type \"logout+jwt\""),
        (claims(json!({"exp": 253_402_300_799_i64})), "lives longer than max-life"),
        (claims(json!({"exp": 1e300})), "its claim exp is no date"),
        (claims(json!({"iat": 4_000_000_000_i64, "exp": 4_000_000_100_i64})), "is good from 2096"),
        (claims(json!({"aud": "somebody"})), "is for another audience"),
        (claims(json!({"iss": "https://thief.example"})), "its issuer \"https://thief.example\""),
        (claims(json!({"sub": "anna\n\u{1b}[2J"})), "its claim sub is no name"),
        ("\0\u{1b}[2J".into(), "has not three parts"),
        (".".repeat(65_000), "has not three parts"),
        (format!("{}.e30.AA", "A".repeat(60_000)), "its header is longer"),
        (format!("e30.{}.AA", "W1".repeat(30_000)), "its part with"),
    ];
    for (token, why) in &hostile {
        assert_eq!(raw::rejection(&gate.tls(), &bearing(token)), NO, "{why}");
    }
    let expired = claims(json!({"iat": 1_000_000_000, "exp": 1_000_000_100}));
    assert_eq!(raw::rejection(&gate.tls(), &bearing(&expired)), NO);
    // Roles of the administration, and those that nobody has, give nothing.
    for roles in [json!(["administrator", "stranger"]), json!([]), json!(null), json!(7)] {
        assert_eq!(raw::rejection(&gate.tls(), &bearing(&claims(json!({ "roles": roles })))), NO);
    }
    raw::echo(&mut bystander, &mut acceptor);
    raw::release(bystander, acceptor);
    upstream.expect_nobody();
    gate.stop();
    let count = |reason: &str| gate.refusals(reason);
    assert_eq!(count("token-wrong"), hostile.len() as u64);
    assert_eq!((count("token-ended"), count("user-not-allowed")), (1, 4));
    is_kept_back(&gate, &good);
}

#[test]
fn a_token_gives_no_more_than_the_peer_has_and_no_more_than_its_roles() {
    let upstream = Upstream::bind();
    let both = |token: &str| bearing(token).context("1.2.840.10008.5.1.4.1.1.2", &[upper::IMPLICIT_LITTLE]);
    for (role, roles, contexts) in
        [("all", "echo", 1), ("echo", "all", 1), ("all", "all", 2), ("all", "echo all", 2)]
    {
        let peers = gate::peer(&format!("role = \"{role}\""));
        let gate =
            start(&Setup { listener: ACCEPT, extra: issuer(""), peers, ..Setup::tls(upstream.address) });
        let mut requestor = Peer::connect(&gate.tls());
        requestor.send(&both(&claiming(&gate.site, &json!({ "roles": roles }))).encode());
        let (acceptor, seen) = upstream.accept_all(16384);
        assert_eq!(seen.contexts.len(), contexts, "{roles} through a peer with {role}");
        assert_eq!(seen.user_item(0x58), None, "the token ends here");
        requestor.associate(upper::ASSOCIATE_AC);
        raw::release(requestor, acceptor);
    }
}

#[test]
fn an_association_ends_with_its_token_where_the_issuer_says_so() {
    const FAKED: &str = "LD_PRELOAD=/usr/lib/$(uname -m)-linux-gnu/faketime/libfaketimeMT.so.1 \
        FAKETIME_TIMESTAMP_FILE=$PWD/clock FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1 TZ=UTC; \
        export LD_PRELOAD FAKETIME_TIMESTAMP_FILE FAKETIME_NO_CACHE DONT_FAKE_MONOTONIC TZ; exec \"$@\"";
    /// 2026-10-25 00:00:00 UTC.
    const BEGIN: i64 = 1_792_886_400;
    let upstream = Upstream::bind();
    for (at_end, is_ended) in [("end", true), ("finish", false)] {
        let site = site();
        fs::write(site.path("clock"), "@2026-10-25 00:00:00\n").expect("a clock that is set");
        let extra = issuer(&format!("leeway = \"0s\"\nat-end = \"{at_end}\""));
        let setup =
            Setup { listener: ACCEPT, extra, shell: FAKED, roles: ROLES, ..Setup::tls(upstream.address) };
        let gate = Gate::start_in(site, &setup);
        let token = claiming(&gate.site, &json!({"iat": BEGIN, "exp": BEGIN + 300}));
        let (mut requestor, mut acceptor) = raw::open(&gate.tls(), &upstream, &bearing(&token), 16384);
        raw::echo(&mut requestor, &mut acceptor);
        fs::write(gate.site.path("clock"), "@2026-10-25 00:05:01\n").expect("a clock that is set");
        assert_eq!(raw::rejection(&gate.tls(), &bearing(&token)), NO);
        if is_ended {
            assert_eq!(requestor.expect(upper::ABORT), ABORTED);
            assert_eq!(acceptor.expect(upper::ABORT), ABORTED);
            let closed = gate.event("association-closed");
            assert_eq!(closed["ended"], "policy", "{closed}");
            let reason = closed["reason"].as_str().expect("a reason");
            assert!(reason.starts_with("token-ended: ") && reason.contains("login/anna"), "{reason}");
        } else {
            raw::echo(&mut requestor, &mut acceptor);
            raw::release(requestor, acceptor);
        }
    }
}

#[test]
fn keys_that_are_replaced_count_without_a_signal_and_a_bad_set_leaves_the_last_good_one() {
    let upstream = Upstream::bind();
    let limits = "reload-files = \"50ms\"";
    let gate = start(&Setup { limits, listener: ACCEPT, extra: issuer(""), ..Setup::tls(upstream.address) });
    let before = signed(&gate.site, &[]);
    let loaded = |count: usize| {
        wait::until("a reload", || (gate.count("configuration-loaded") >= count).then_some(()));
    };
    make_keys(&gate.site);
    loaded(2);
    assert_eq!(raw::rejection(&gate.tls(), &bearing(&before)), NO);
    let after = signed(&gate.site, &[]);
    let enters = || {
        let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &bearing(&after), 16384);
        raw::release(requestor, acceptor);
    };
    enters();
    let refused = || {
        gate.records()
            .into_iter()
            .filter(|record| record["event"] == "configuration-refused")
            .collect::<Vec<_>>()
    };
    fs::write(gate.site.path("conf/login.jwks"), vec![b' '; 10 << 20]).expect("a key set of 10 MB");
    let told = wait::until("the refusal", || refused().pop());
    let problem = told["problems"][0].as_str().expect("a problem");
    assert!(
        problem.contains("[[issuer]] \"login\" keys: ") && problem.contains("longer than 512 KiB"),
        "{problem}"
    );
    enters();
    wait::beyond(std::time::Duration::from_millis(400));
    assert_eq!(refused().len(), 1, "said once");
    enters();
}

#[test]
fn explain_verifies_a_token_names_what_does_not_hold_and_takes_nothing() {
    let upstream = Upstream::bind();
    let gate = start(&Setup { listener: ACCEPT, extra: issuer(""), ..Setup::tls(upstream.address) });
    let explain = |token: &str| {
        fs::write(gate.site.path("token.jwt"), format!("{token}\n")).expect("a file with a token");
        let fixed = ["explain", "-c", "dimsegate.toml", "--listener", "remote", "--from", "127.0.0.1"];
        let asks = [
            "--calling",
            "SITE",
            "--called",
            "PACS",
            "--certificate",
            "certs/client.pem",
            "--token",
            "token.jwt",
        ];
        gate::told(&gate.site, &[&fixed[..], &asks].concat())
    };
    let token = claiming(&gate.site, &json!({"jti": "once", "roles": ["echo"]}));
    for _ in 0..2 {
        let (status, text) = explain(&token);
        assert!(status == 0 && text.contains("login/anna, proven by token"), "{text}");
        assert!(text.contains("of the user: \"echo\""), "{text}");
    }
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &bearing(&token), 16384);
    raw::release(requestor, acceptor);
    let (status, text) = explain(&token);
    assert!(status == 3 && text.contains("(token-used)"), "{text}");
    // In the order of run: whom the policy refuses, and with what, before what was used.
    let toml = fs::read_to_string(gate.site.path("dimsegate.toml")).expect("a file");
    fs::write(gate.site.path("dimsegate.toml"), toml.replace("\"echo\"", "\"night\"")).expect("a file");
    let (status, text) = explain(&token);
    assert!(status == 3 && text.contains("(user-not-allowed)"), "{text}");
    fs::write(gate.site.path("dimsegate.toml"), toml).expect("a file");
    let (status, text) = explain(&claiming(&gate.site, &json!({"aud": "somebody"})));
    assert!(
        status == 3 && text.contains("(token-wrong)") && text.contains("for another audience (aud)"),
        "{text}"
    );
    assert!(text.contains("A-ASSOCIATE-RJ 1/2/1") && text.contains("to change"), "{text}");
    assert!(token.split('.').all(|part| !text.contains(part)));
}

#[test]
fn the_user_of_a_token_is_blocked_by_name_and_ends() {
    let upstream = Upstream::bind();
    let extra = leaked(format!("[admin]\nlisten = [\"unix:admin.sock\"]\n{}", issuer("")));
    let gate = start(&Setup { listener: ACCEPT, extra, ..Setup::tls(upstream.address) });
    let (mut requestor, mut acceptor) =
        raw::open(&gate.tls(), &upstream, &bearing(&signed(&gate.site, &[])), 16384);
    raw::echo(&mut requestor, &mut acceptor);
    let block = |of: &str| gate::run(&gate.site, &["block", of, "--reason", "x", "-c", "dimsegate.toml"]);
    let wrong = block("user:elsewhere/anna");
    assert!(wrong.err.contains("has nobody of this name"), "{}", wrong.err);
    assert_eq!(block("user:login/anna").status, 0);
    assert_eq!(requestor.expect(upper::ABORT), ABORTED);
    assert_eq!(acceptor.expect(upper::ABORT), ABORTED);
    assert_eq!(raw::rejection(&gate.tls(), &bearing(&signed(&gate.site, &[]))), [0, 1, 1, 1]);
}

#[test]
fn who_came_by_a_token_of_an_issuer_that_is_taken_out_or_becomes_another_ends() {
    for after in ["", "other", ONE_AUDIENCE_LESS] {
        let upstream = Upstream::bind();
        // Whoever checks no identity has no issuer.
        let listener = |extra: &str| if extra.is_empty() { "" } else { ACCEPT };
        let setup =
            |extra| Setup { listener: listener(extra), roles: ROLES, extra, ..Setup::tls(upstream.address) };
        let gate = start(&setup(issuer("")));
        let (mut requestor, mut acceptor) =
            raw::open(&gate.tls(), &upstream, &bearing(&signed(&gate.site, &[])), 16384);
        raw::echo(&mut requestor, &mut acceptor);
        // What does not change whose tokens count leaves it.
        let audiences = leaked(with_audience("[\"second\", \"dimsegate\"]"));
        for (extra, goes_on) in
            [(issuer("max-life = \"2h\""), true), (audiences, true), (leaked(of_another(after)), false)]
        {
            reload(&gate, &setup(extra));
            if goes_on {
                raw::echo(&mut requestor, &mut acceptor);
            }
        }
        assert_eq!(requestor.expect(upper::ABORT), ABORTED);
        assert_eq!(acceptor.expect(upper::ABORT), ABORTED);
        let closed = gate.event("association-closed");
        let reason = closed["reason"].as_str().expect("a reason");
        assert!(reason.starts_with("policy-changed: ") && reason.contains("issuer \"login\""), "{closed}");
        let is_of_audience = reason.contains("for audience \"dimsegate\" count no more");
        assert_eq!(is_of_audience, after == ONE_AUDIENCE_LESS, "{reason}");
    }
}

const ONE_AUDIENCE_LESS: &str = "one audience less";

/// No issuer, or one of the same name whose tokens say another `iss`, or are for another audience.
fn of_another(what: &str) -> String {
    match what {
        "" => String::new(),
        ONE_AUDIENCE_LESS => with_audience("\"second\""),
        host => issuer("").replace("login.hospital", &format!("{host}.hospital")),
    }
}

fn with_audience(audience: &str) -> String {
    issuer("").replace("audience = \"dimsegate\"", &format!("audience = {audience}"))
}

/// Another issuer of another name, with the same keys.
fn other_issuer() -> String {
    issuer("").replace("\"login\"", "\"other\"").replace("login.hospital", "other.hospital")
}

/// Puts another configuration into force.
fn reload(gate: &Gate, setup: &Setup) {
    let before = gate.count("configuration-loaded");
    gate.reload(&setup.toml());
    wait::until("the reload", || (gate.count("configuration-loaded") > before).then_some(()));
}

#[test]
fn a_token_is_held_against_the_issuers_that_were_in_force_when_its_connection_came() {
    let upstream = Upstream::bind();
    let setup = |extra| Setup { listener: ACCEPT, roles: ROLES, extra, ..Setup::tls(upstream.address) };
    let gate = start(&setup(leaked(other_issuer())));
    let token = claiming(&gate.site, &json!({"jti": "once"}));
    let mut early = Peer::connect(&gate.tls());
    reload(&gate, &setup(leaked(format!("{}{}", other_issuer(), issuer("")))));
    early.send(&bearing(&token).encode());
    assert_eq!(early.expect(upper::ASSOCIATE_RJ), NO);
    upstream.expect_nobody();
    assert!(explanation(&rejected(&gate, "token-wrong")).contains("is that of no [[issuer]]"));
    // Nobody has used it by that.
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &bearing(&token), 16384);
    raw::release(requestor, acceptor);
}

#[test]
fn a_token_that_the_policy_or_a_limit_refuses_is_as_good_as_before_and_one_of_many_at_once_is_let_in() {
    let upstream = Upstream::bind();
    let peers = || gate::peer("max-associations = 1");
    let night = leaked(ROLES.replace("\"echo\"", "\"night\""));
    let setup = |roles| Setup {
        listener: ACCEPT,
        peers: peers(),
        roles,
        extra: issuer(""),
        ..Setup::tls(upstream.address)
    };
    let gate = Gate::start_in(site(), &setup(ROLES));
    let token = claiming(&gate.site, &json!({"jti": "once", "roles": "night"}));
    assert_eq!(raw::rejection(&gate.tls(), &bearing(&token)), NO);
    assert_eq!(rejected(&gate, "user-not-allowed")["user"], "login/anna");
    reload(&gate, &setup(night));
    let other = verification("SITE", "PACS");
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &other, 16384);
    assert_eq!(raw::rejection(&gate.tls(), &bearing(&token)), FULL);
    raw::release(requestor, acceptor);
    wait::until("the place", || (gate.count("association-closed") == 1).then_some(()));
    // All at once: each is verified, and one takes it.
    reload(&gate, &Setup { peers: gate::peer(""), ..setup(night) });
    let mut all: Vec<Peer> = (0..12).map(|_| Peer::connect(&gate.tls())).collect();
    all.iter_mut().for_each(|requestor| requestor.send(&bearing(&token).encode()));
    let (mut acceptor, _) = upstream.accept_all(16384);
    let mut let_in = Vec::new();
    for mut requestor in all {
        let answer = requestor.pdu();
        match answer.kind {
            upper::ASSOCIATE_AC => let_in.push(requestor),
            _ => assert_eq!((answer.kind, answer.body), (upper::ASSOCIATE_RJ, NO.to_vec())),
        }
    }
    let [requestor] = &mut let_in[..] else { panic!("{} are let in", let_in.len()) };
    raw::echo(requestor, &mut acceptor);
    upstream.expect_nobody();
    let used = rejected(&gate, "token-used");
    assert_eq!((&used["user"], &used["user-identity"]), (&json!("login/anna"), &json!("claimed")));
}

#[test]
fn a_refusal_of_a_user_whose_issuer_is_gone_since_is_explained_as_the_refusal_that_it_would_be() {
    const INTERFACE: &str = "[admin]\nlisten = [\"unix:admin.sock\"]\n";
    let upstream = Upstream::bind();
    let setup = |issuers: &str, listener| Setup {
        listener,
        roles: ROLES,
        extra: leaked(format!("{INTERFACE}{issuers}")),
        ..Setup::tls(upstream.address)
    };
    let gate = start(&setup(issuer(""), ACCEPT));
    let token = claiming(&gate.site, &json!({"roles": "night"}));
    assert_eq!(raw::rejection(&gate.tls(), &bearing(&token)), NO);
    let id = get(&gate, "/api/v1/refusals")[0]["id"].clone();
    let explained = || ask(&gate, "POST", "/api/v1/explain", &json!({ "refusal": id }).to_string()).body;
    assert_eq!(explained()["reason"], "user-not-allowed");
    let night = leaked(ROLES.replace("\"echo\"", "\"night\""));
    reload(&gate, &Setup { roles: night, ..setup(issuer(""), ACCEPT) });
    assert_eq!(explained()["allowed"], true);
    reload(&gate, &Setup { roles: night, ..setup(&other_issuer(), ACCEPT) });
    let told = explained();
    assert_eq!((&told["allowed"], &told["reason"]), (&json!(false), &json!("token-wrong")), "{told}");
    let why = told["why"].as_str().expect("an explanation");
    assert!(why.contains("login/anna") && why.contains("issuer \"login\" is there no more"), "{why}");
    assert_eq!(raw::rejection(&gate.tls(), &bearing(&token)), NO, "so it is");
    assert_eq!(rejected(&gate, "token-wrong")["user"], "unknown");
}

#[test]
fn a_comparison_tells_of_an_issuer_that_is_new_gone_or_changed() {
    let site = site();
    let address = "127.0.0.1:104".parse().expect("an address");
    let with = |name: &str, extra: &'static str| {
        let setup = Setup { listener: ACCEPT, roles: ROLES, extra, ..Setup::tls(address) };
        fs::write(site.path(name), setup.toml()).expect("a configuration written");
    };
    with("other.toml", leaked(other_issuer()));
    with("login.toml", issuer(""));
    with("longer.toml", issuer("max-life = \"2h\""));
    let compared = |old: &str, new: &str| gate::run(&site, &["check", "--diff", old, new, "--strict"]);
    let told = compared("other.toml", "login.toml");
    let (admitted, denied) = told.out.split_once("newly denied:").expect("both");
    assert!(admitted.contains("issuer \"login\"") && !admitted.contains("issuer \"other\""), "{}", told.out);
    assert!(denied.contains("issuer \"other\"") && !denied.contains("issuer \"login\""), "{}", told.out);
    let told = compared("login.toml", "longer.toml");
    assert_eq!((told.status, told.out.matches("max-life").count()), (1, 2), "{}", told.out);
    assert_eq!(compared("login.toml", "login.toml").status, 0);
}
