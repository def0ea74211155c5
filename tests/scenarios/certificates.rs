//! Whose certificate lets in whom: those that people make themselves, those of several CAs, those that no longer count; and that
//! `explain`, `check` and `certs` say the same of them as the proxy does.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command as Program, Output};

use rcgen::{CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use serde_json::Value;

use crate::gate::{self, Gate, Setup};
use crate::object::Object;
use crate::peers::SecureOrthanc;
use crate::process::{self, Finished};
use crate::raw::{self, Upstream, rejection, verification};
use crate::site::{CLIENT_NAME, Site};
use crate::wait;

const UNKNOWN_CALLING: [u8; 4] = [0, 1, 1, 3];

fn openssl(site: &Site, line: &str) {
    let mut command = Program::new("openssl");
    command.current_dir(site.path("certs")).args(line.split(' '));
    Finished::run(command).expect_success();
}

/// One certificate that signed itself, as the manual of Orthanc has it made (with a shorter key, which is made sooner).
fn recipe(site: &Site, name: &str) {
    openssl(
        site,
        &format!(
            "req -x509 -nodes -newkey rsa:2048 -keyout {name}.key -out {name}.pem -subj /C=BE/CN={name}"
        ),
    );
}

fn run(site: &Site, arguments: &[&str]) -> (i32, String) {
    let Output { status, stdout, stderr } =
        gate::command(site, arguments).output().expect("a command that starts");
    let text = String::from_utf8([stdout, stderr].concat()).expect("UTF-8");
    (status.code().expect("an exit status, not a signal"), text)
}

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

const OWN: &str = "certificate-chain = \"certs/gate.pem\"\nprivate-key = \"certs/gate.key\"\n";

#[test]
fn orthanc_and_the_gate_show_each_other_what_they_signed_themselves() {
    let site = Site::new();
    recipe(&site, "gate");
    recipe(&site, "orthanc");
    let address = process::free_address();
    let orthanc = SecureOrthanc::start(&site, "orthanc", "gate", address);
    let listener_tls = leaked(format!("{OWN}client-ca = \"certs/orthanc.pem\""));
    let upstream_tls = leaked(format!("[upstream.tls]\n{OWN}ca = \"certs/orthanc.pem\""));
    let setup = Setup { listener_tls, upstream_tls, ..Setup::tls(orthanc.archive.address) };
    let gate = Gate::start_with(site, &setup.toml().replace("127.0.0.1:0", &address.to_string()), "");
    assert!(orthanc.post("/modalities/gate/echo", b"{}").is_some(), "{}", gate.output());
    let stored = orthanc.post("/instances", &Object::ct(50_000).to_part10()).expect("an object taken");
    let instance = stored["ID"].as_str().expect("an instance").as_bytes().to_vec();
    assert!(orthanc.post("/modalities/gate/store", &instance).is_some(), "{}", gate.output());
    let closed = gate.record("the object", |record| {
        record["event"] == "association-closed" && !record["operations"]["C-STORE"].is_null()
    });
    assert_eq!(closed["operations"]["C-STORE"]["success"], 1);
    assert_eq!(closed["tls"]["subject"], "C=BE, CN=orthanc");
    assert_eq!(closed["tls"]["authority"]["subject"], "C=BE, CN=orthanc");
    // Another certificate that says the same is another one.
    let other = Site::new();
    recipe(&other, "orthanc");
    for file in ["orthanc.pem", "orthanc.key"] {
        fs::copy(other.path(&format!("certs/{file}")), gate.site.path(&format!("certs/copy-{file}")))
            .expect("a copy");
    }
    show(&gate, "copy-orthanc");
    let refused = gate.event("connection-refused");
    assert_eq!(refused["reason"], "certificate-unknown-ca");
    assert!(refused["explanation"].as_str().is_some_and(|text| text.contains("signed itself")), "{refused}");
}

#[test]
fn a_pacs_with_a_common_name_only_is_reached_by_its_key() {
    let site = Site::new();
    recipe(&site, "pacs");
    let (_, shown) = run(&site, &["certs", "show", "certs/pacs.pem"]);
    let pin =
        shown.split_whitespace().find(|word| word.starts_with("spki-sha256:")).expect("a pin").to_owned();
    let [key, certificate] = ["pacs.key", "pacs.pem"].map(|file| site.text(&format!("certs/{file}")));
    let archive = crate::peers::storescp(&["+tls", &key, &certificate, "-ic"]);
    let upstream_tls = leaked(format!("[upstream.tls]\npins = [\"{pin}\"]"));
    let setup = Setup { upstream_tls, ..Setup::plain(archive.address) };
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration written");
    let echo = |site: &Site| run(site, &["echo", "-c", "dimsegate.toml", "--upstream", "pacs"]);
    let (status, text) = echo(&site);
    assert_eq!(status, 0, "{text}");
    fs::write(site.path("dimsegate.toml"), setup.toml().replace(&pin, &pin.replace("spki-sha256:", "dns:")))
        .expect("a file");
    let (status, text) = run(&site, &["check", "-c", "dimsegate.toml"]);
    assert!(status == 78 && text.contains("names no key"), "{text}");
    // Its CA instead of its key: the words say what is missing, and the certificate.
    let ca = setup.toml().replace(&format!("pins = [\"{pin}\"]"), "ca = \"certs/pacs-ca.pem\"");
    fs::write(site.path("dimsegate.toml"), ca).expect("a file");
    let (status, text) = echo(&site);
    assert!(status == 69 && text.contains("pins") && text.contains("CN=pacs, issuer"), "{text}");
}

/// `both.pem` with the CAs `ca` and `stranger-ca`, and their lists.
fn two_cas(site: &Site) {
    let both = ["ca.pem", "stranger-ca.pem"]
        .map(|file| fs::read_to_string(site.path(&format!("certs/{file}"))).expect("PEM"));
    fs::write(site.path("certs/both.pem"), both.concat()).expect("a file written");
}

const TWO_CAS: &str = "certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\nclient-ca = \"certs/both.pem\"";

#[test]
fn a_name_is_worth_what_its_issuer_is_worth() {
    let upstream = Upstream::bind();
    let bound = format!("certificates = [\"dns:{CLIENT_NAME}\"]");
    let site = Site::new();
    two_cas(&site);
    let setup = Setup { listener_tls: TWO_CAS, peers: gate::peer(&bound), ..Setup::tls(upstream.address) };
    let gate = Gate::start_in(site, &setup);
    // Whoever has a CA of the listener has the name.
    let stranger = gate.site.tls(gate.address, "ca", Some("stranger"));
    let (requestor, acceptor) = raw::open(&stranger, &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
    let opened = gate.event("association-opened");
    assert_eq!(opened["tls"]["authority"]["subject"], "CN=stranger-ca of a test", "{opened}");
    assert_eq!(opened["tls"]["issuer"], "CN=stranger-ca of a test");
    assert!(opened["tls"]["serial"].as_str().is_some_and(|serial| !serial.is_empty()));
    let (_, said) = run(&gate.site, &["check", "-c", "dimsegate.toml"]);
    let warned = said.lines().find(|line| line.contains("for which each of these CAs"));
    let warned = warned.unwrap_or_else(|| panic!("no warning in {said}"));
    assert!(warned.contains("CN=ca of a test") && warned.contains("CN=stranger-ca of a test"), "{warned}");
    // And no longer.
    let issued = Setup { peers: gate::peer(&format!("{bound}\nissuers = [\"cn:ca of a test\"]")), ..setup };
    let loaded = gate.count("configuration-loaded");
    gate.reload(&issued.toml());
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    assert_eq!(rejection(&stranger, &verification("SITE", "PACS")), UNKNOWN_CALLING);
    let rejected = gate.event("association-rejected");
    assert_eq!(rejected["reason"], "certificate-mismatch");
    let explanation = rejected["explanation"].as_str().unwrap_or_default();
    assert!(explanation.contains("CA CN=stranger-ca of a test is not among the issuers"), "{explanation}");
    assert_eq!(gate.event("security-alert")["tls"]["authority"]["subject"], "CN=stranger-ca of a test");
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
    let (_, said) = run(&gate.site, &["check", "-c", "dimsegate.toml"]);
    assert!(!said.contains("for which each of these CAs"), "{said}");
    for (identity, status) in [("client", 0), ("stranger", 3)] {
        assert_eq!(explained(&gate.site, identity).0, status, "{identity}");
    }
}

/// CAs in files of their own.
const SEVERAL_CAS: &str = "certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\n\
    client-ca = [\"certs/ca.pem\", \"certs/other-ca.pem\"]";

#[test]
fn several_files_of_cas_are_trusted_recorded_and_read_again() {
    let (upstream, site) = (Upstream::bind(), Site::new());
    let copy = |site: &Site, from: &str| {
        fs::copy(site.path(&format!("certs/{from}.pem")), site.path("certs/other-ca.pem")).expect("a copy");
    };
    copy(&site, "pacs-ca");
    let gate = Gate::start_in(site, &Setup { listener_tls: SEVERAL_CAS, ..Setup::tls(upstream.address) });
    let let_in = |identity: &str| {
        let (requestor, acceptor) = raw::open(
            &gate.site.tls(gate.address, "ca", Some(identity)),
            &upstream,
            &verification("SITE", "PACS"),
            16384,
        );
        raw::release(requestor, acceptor);
    };
    for identity in ["client", "pacs"] {
        let_in(identity);
        assert_eq!(explained(&gate.site, identity).0, 0, "{identity}");
    }
    assert_eq!(explained(&gate.site, "stranger").0, 3);
    let before = gate.event("configuration-loaded");
    assert!(before["certificates"].to_string().contains("certs/other-ca.pem"), "{before}");
    // The file alone becomes another one.
    copy(&gate.site, "stranger-ca");
    gate.signal("HUP");
    let after = wait::until("the reload", || {
        gate.records().into_iter().filter(|record| record["event"] == "configuration-loaded").nth(1)
    });
    let_in("stranger");
    assert_eq!(explained(&gate.site, "pacs").0, 3);
    assert_ne!(after["configuration"], before["configuration"], "{after}");
    assert_eq!(after["changed"], serde_json::json!(["certs/other-ca.pem"]), "{after}");
    let (status, listed) = run(&gate.site, &["audit", "configurations", "audit"]);
    assert!(status == 0 && listed.contains("certs/other-ca.pem"), "{listed}");
}

#[test]
fn another_listeners_ca_does_not_speak_for_a_peer_without_a_word_from_check() {
    let site = Site::new();
    let other = "[[listener]]\nname = \"other\"\naddress = \"127.0.0.1:0\"\nupstream = \"pacs\"\n[listener.tls]\n\
        certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\nclient-ca = \"certs/stranger-ca.pem\"";
    let bound = format!("certificates = [\"dns:{CLIENT_NAME}\"]");
    let setup = Setup { extra: other, peers: gate::peer(&bound), ..Setup::tls(process::free_address()) };
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration written");
    let (_, said) = run(&site, &["check", "-c", "dimsegate.toml"]);
    assert!(said.contains("for which each of these CAs"), "{said}");
    let narrower = Setup { peers: gate::peer(&format!("{bound}\nlisteners = [\"remote\"]")), ..setup };
    fs::write(site.path("dimsegate.toml"), narrower.toml()).expect("a configuration written");
    let (_, said) = run(&site, &["check", "-c", "dimsegate.toml"]);
    assert!(!said.contains("for which each of these CAs"), "{said}");
}

/// A CA that has ended, and a certificate of its that has not: `certs/past-ca.pem`, `certs/past.pem` with its key. The CA is
/// added to `ca.pem`.
fn past(site: &Site) {
    let key = || KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(DnType::CommonName, "past CA");
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let issuer = CertifiedIssuer::self_signed(params, key()).expect("a certificate");
    let mut params = CertificateParams::new(vec![CLIENT_NAME.to_owned()]).expect("a DNS name");
    params.distinguished_name.push(DnType::CommonName, "past");
    let own = key();
    let certificate = params.signed_by(&own, &issuer).expect("a certificate");
    let all = fs::read_to_string(site.path("certs/ca.pem")).expect("PEM") + &issuer.pem();
    for (file, text) in [("ca.pem", all), ("past.pem", certificate.pem()), ("past.key", own.serialize_pem())]
    {
        fs::write(site.path(&format!("certs/{file}")), text).expect("a file written");
    }
}

const WITH_LIST: &str = "certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\n\
    client-ca = \"certs/ca.pem\"\nrevocation-lists = [\"certs/ca.crl\"]";
const WITHOUT_LIST: &str = "certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\n\
    client-ca = \"certs/ca.pem\"";

fn explained(site: &Site, identity: &str) -> (i32, String) {
    let certificate = format!("certs/{identity}.pem");
    let fixed = ["explain", "-c", "dimsegate.toml", "--listener", "remote", "--from", "127.0.0.1"];
    let more = ["--calling", "SITE", "--called", "PACS", "--certificate", &certificate];
    run(site, &[&fixed[..], &more].concat())
}

#[test]
fn explain_says_of_each_certificate_what_the_listener_does_and_the_record_names_it() {
    let cases = [
        ("expired", WITH_LIST, "certificate-expired"),
        ("revoked", WITH_LIST, "certificate-revoked"),
        ("stranger", WITH_LIST, "certificate-unknown-ca"),
        ("past", WITHOUT_LIST, "certificate-expired"),
        ("short", WITHOUT_LIST, "certificate-invalid"),
    ];
    for (identity, listener_tls, reason) in cases {
        let (upstream, site) = (Upstream::bind(), Site::new());
        past(&site);
        openssl(&site, "req -x509 -nodes -newkey rsa:1024 -keyout short.key -out short.pem -subj /CN=short");
        let gate = Gate::start_in(site, &Setup { listener_tls, ..Setup::tls(upstream.address) });
        let (status, said) = explained(&gate.site, identity);
        assert_eq!(status, 3, "{identity}: {said}");
        assert!(said.starts_with("refused: ") && said.contains(&format!("({reason})")), "{identity}: {said}");
        show(&gate, identity);
        let refused = gate.event("connection-refused");
        assert_eq!(refused["reason"], reason, "{refused}");
        let explanation = refused["explanation"].as_str().expect("an explanation");
        assert!(said.contains(explanation), "{explanation} in {said}");
        let alert = refused["alert"].as_str().expect("an alert");
        assert!(said.contains(&format!("a TLS alert, {alert}")), "{alert} in {said}");
        assert_named(&gate.site, identity, &refused["certificate"]);
        for alert in gate.records().iter().filter(|record| record["event"] == "security-alert") {
            assert_named(&gate.site, identity, &alert["certificate"]);
        }
        upstream.expect_nobody();
    }
    let site = Site::new();
    fs::write(site.path("dimsegate.toml"), Setup::tls(process::free_address()).toml())
        .expect("a configuration written");
    let (status, said) = explained(&site, "client");
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("CN=client, vouched for by CN=ca of a test"), "{said}");
}

/// Shows a certificate to the listener; openssl(1) also shows what rustls would not.
fn show(gate: &Gate, identity: &str) {
    let mut command = Program::new("openssl");
    let port = format!("127.0.0.1:{}", gate.address.port());
    command.current_dir(gate.site.path("certs")).args([
        "s_client",
        "-connect",
        &port,
        "-cipher",
        "DEFAULT@SECLEVEL=0",
    ]);
    command.args([
        "-cert",
        &format!("{identity}.pem"),
        "-key",
        &format!("{identity}.key"),
        "-CAfile",
        "ca.pem",
    ]);
    Finished::run(command);
}

fn assert_named(site: &Site, identity: &str, shown: &Value) {
    let mut command = Program::new("openssl");
    let file = format!("{identity}.pem");
    command.current_dir(site.path("certs")).args([
        "x509",
        "-in",
        &file,
        "-noout",
        "-serial",
        "-fingerprint",
        "-sha256",
    ]);
    let told = Finished::run(command).expect_success().replace(':', "").to_lowercase();
    assert_eq!(shown["subject"], format!("CN={identity}"), "{shown}");
    for key in ["serial", "fingerprint"] {
        let said = shown[key].as_str().unwrap_or_default();
        assert!(!said.is_empty() && told.contains(said.trim_start_matches('0')), "{key}: {said} in {told}");
    }
    assert!(shown["issuer"].as_str().is_some_and(|issuer| issuer.starts_with("CN=")), "{shown}");
}

/// A CA of its own in `certs/ca.pem`, its list in `certs/ca.crl`, which ends so soon, and a client in `certs/late.pem`.
fn ending_list(site: &Site, left: time::Duration) -> time::OffsetDateTime {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate");
    let now = time::OffsetDateTime::now_utc();
    let list = rcgen::CertificateRevocationListParams {
        this_update: now - time::Duration::HOUR,
        next_update: now + left,
        crl_number: rcgen::SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&issuer).and_then(|list| list.pem()).expect("a list");
    let own = KeyPair::generate().expect("a key");
    let late = CertificateParams::new(vec![CLIENT_NAME.to_owned()]).expect("a DNS name");
    let late = late.signed_by(&own, &issuer).expect("a certificate");
    fs::write(site.path("certs/late.pem"), late.pem()).expect("a file written");
    fs::write(site.path("certs/late.key"), own.serialize_pem()).expect("a file written");
    fs::write(site.path("certs/ca.pem"), issuer.pem()).expect("a file written");
    fs::write(site.path("certs/ca.crl"), list).expect("a file written");
    now + left
}

#[test]
fn a_list_that_ends_is_told_when_it_does_and_not_at_each_refusal() {
    let setup = Setup { listener_tls: WITH_LIST, ..Setup::tls(process::free_address()) };
    let mut gate = Gate::start(&setup);
    // Until one is in force well before it ends: machines are slow at times.
    for loaded in 1.. {
        let end = ending_list(&gate.site, time::Duration::seconds(3));
        gate.signal("HUP");
        wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
        if time::OffsetDateTime::now_utc() < end - time::Duration::seconds(1) {
            break;
        }
    }
    let ended = |record: &Value| record["reason"] == "revocation-list-ended";
    let told = gate.record("the end of a list", ended);
    assert_eq!(told["event"], "security-alert");
    let explanation = told["explanation"].as_str().unwrap_or_default();
    for part in ["[[listener]] \"remote\" tls", "the list by CN=", "certs/ca.crl ended on"] {
        assert!(explanation.contains(part), "{part} in {explanation}");
    }
    assert!(gate.output().contains(explanation), "not in the log");
    for _ in 0..3 {
        show(&gate, "late");
    }
    assert!(gate.stop().success());
    assert_eq!(gate.refusals("revocation-list-expired"), 3);
    assert_eq!(gate.records().into_iter().filter(ended).count(), 1);
}

/// A folder in which the commands of the README made everything that `conf/modality-to-pacs.toml` names.
fn made_as_told() -> Site {
    let site = Site::new();
    fs::remove_dir_all(site.path("certs")).expect("a folder removed");
    for line in [
        "certs init certs",
        "certs issue certs server --server --san localhost",
        "certs issue certs lyon --client --san gw.lyon.example",
    ] {
        let (status, said) = run(&site, &line.split(' ').collect::<Vec<_>>());
        assert_eq!(status, 0, "{said}");
    }
    for file in ["modality-to-pacs.toml", "dimsegate.toml"] {
        fs::copy(shipped(&format!("conf/{file}")), site.path(&format!("conf/{file}"))).expect("a copy");
    }
    site
}

fn shipped(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn every_example_of_explain_is_allowed_with_what_the_readme_has_made() {
    let site = made_as_told();
    let (_, help) = run(&site, &["explain", "--help"]);
    let texts =
        ["README.md", "conf/README.md"].map(|file| fs::read_to_string(shipped(file)).expect("a text"));
    let mut examples = Vec::new();
    for text in texts.iter().chain([&help]) {
        let joined = text.replace("\\\n", " ");
        let lines = joined.lines().map(str::trim).filter(|line| line.starts_with("dimsegate explain -c "));
        examples.extend(lines.map(str::to_owned));
    }
    assert!(examples.len() >= 3, "{examples:?}");
    for example in &examples {
        let words = example.split_whitespace().skip(1).map(|word| match word {
            "FILE" => "conf/modality-to-pacs.toml",
            other => other,
        });
        let (status, said) = run(&site, &words.collect::<Vec<_>>());
        assert_eq!(status, 0, "{example}: {said}");
    }
}

#[test]
fn with_the_shipped_configuration_a_revoked_site_is_out_after_sighup() {
    let (site, upstream) = (made_as_told(), Upstream::bind());
    let text = fs::read_to_string(site.path("conf/modality-to-pacs.toml")).expect("a configuration");
    let (status, said) = run(&site, &["check", "--strict", "-c", "conf/modality-to-pacs.toml"]);
    assert_eq!(status, 0, "{said}");
    let text = text
        .replace("0.0.0.0:2762", "127.0.0.1:0")
        .replace("10.0.0.5:104", &upstream.address.to_string())
        .replace("203.0.113.0/24", "127.0.0.0/8");
    let gate = Gate::start_with(site, &text, "");
    let target = gate.site.tls(gate.address, "ca", Some("lyon"));
    let request = verification("LYON_CT1", "PACS");
    let (requestor, acceptor) = raw::open(&target, &upstream, &request, 16384);
    raw::release(requestor, acceptor);
    let (status, said) = run(&gate.site, &["certs", "revoke", "certs", "lyon", "-c", "dimsegate.toml"]);
    assert!(status == 0 && said.contains("listener \"remote\" (dimsegate.toml:"), "{said}");
    assert!(said.contains("reads it, from SIGHUP on"), "{said}");
    let loaded = gate.count("configuration-loaded");
    gate.signal("HUP");
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    let refused = target.connect().and_then(|mut stream| {
        let _ = stream.write_all(&request.encode());
        stream.read_exact(&mut [0])
    });
    assert!(refused.is_err(), "a revoked certificate went in");
    assert_eq!(gate.event("connection-refused")["reason"], "certificate-revoked");
    upstream.expect_nobody();
    // What the list that nobody reads is worth, is said.
    let unread = text.replace("revocation-lists", "# revocation-lists");
    fs::write(gate.site.path("unread.toml"), unread).expect("a configuration written");
    let (status, said) = run(&gate.site, &["certs", "revoke", "certs", "lyon", "-c", "unread.toml"]);
    assert!(status == 1 && said.contains("does not read this list"), "{said}");
    let (status, said) = run(&gate.site, &["check", "--strict", "-c", "unread.toml"]);
    assert!(status == 1 && said.contains("no revocation list is named"), "{said}");
    let (status, said) = run(&gate.site, &["certs", "revoke", "certs", "lyon"]);
    assert!(status == 0 && said.contains("-c FILE"), "{said}");
}

/// The command of `certs/README.md` that begins so, as it is written there.
fn readme(begin: &str) -> String {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("certs/README.md")).expect("a file");
    let commands = text.replace("\\\n", "");
    let found =
        commands.lines().filter_map(|line| line.strip_prefix("    ")).find(|line| line.starts_with(begin));
    found.unwrap_or_else(|| panic!("no {begin} in certs/README.md")).to_owned()
}

/// The block of `certs/README.md` that begins with this table, up to the text behind it.
fn readme_block(begin: &str) -> String {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("certs/README.md")).expect("a file");
    let block = text.lines().skip_while(|line| !line.trim_start().starts_with(begin));
    let block: Vec<&str> = block.take_while(|line| line.is_empty() || line.starts_with("    ")).collect();
    assert!(!block.is_empty(), "no {begin} in certs/README.md");
    block.join("\n")
}

/// Runs a line in `folder` of the site, where `dimsegate` is the one under test.
fn shell(site: &Site, folder: &str, line: &str) {
    let mut command = Program::new("sh");
    let bin = Path::new(env!("CARGO_BIN_EXE_dimsegate")).parent().expect("a folder").display();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
    command.current_dir(site.path(folder)).args(["-c", line]).env("PATH", path);
    Finished::run(command).expect_success();
}

#[test]
fn one_certificate_a_side_as_the_readme_has_it_made_is_what_check_says_of_it() {
    let long = readme("openssl req -x509").replace("rsa:4096", "rsa:2048");
    let (short, _) = long.split_once("-addext").expect("extensions");
    let tables = readme_block("[listener.tls]                         # what comes from Lyon");
    let (listener, upstream) = tables.split_once("[upstream.tls]").expect("two tables");
    let listener = listener.split_once('\n').expect("keys").1;
    for (recipe, expected) in
        [(long.as_str(), &[][..]), (short, &["no revocation list is named", "no DNS or IP alternative name"])]
    {
        let site = Site::new();
        for name in ["lyon", "gate", "orthanc"] {
            shell(&site, "certs", &recipe.replace("lyon", name));
        }
        let (_, shown) = run(&site, &["certs", "show", "certs/lyon.pem"]);
        let binding = shown.split_whitespace().find(|word| word.starts_with("sha256:")).expect("a binding");
        let setup = Setup {
            listener_tls: leaked(listener.to_owned()),
            upstream_tls: leaked(format!("[upstream.tls]\nserver-name = \"pacs\"\n{upstream}")),
            audit: "signing-key = \"conf/audit-signing.key\"",
            roles: "[[role]]\nname = \"all\"\noperations = [\"C-STORE\"]\nsop-classes = [\"storage\"]",
            peers: gate::peer(&format!("calling-ae-titles = [\"LYON\"]\ncertificates = [\"{binding}\"]")),
            ..Setup::tls(process::free_address())
        };
        fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration written");
        let (status, said) = run(&site, &["check", "-c", "dimsegate.toml", "--strict"]);
        let risks: Vec<&str> = said.lines().filter(|line| line.starts_with("risk: ")).collect();
        assert_eq!((status, risks.len()), (i32::from(!expected.is_empty()), expected.len()), "{said}");
        for expected in expected {
            assert!(risks.iter().any(|risk| risk.contains(expected)), "{expected}: {said}");
            let readme = include_str!("../../certs/README.md").replace('\n', " ");
            assert!(readme.contains(expected), "{expected} is not in certs/README.md");
        }
    }
}

#[test]
fn the_other_recipes_of_the_readme_make_what_they_say() {
    let site = Site::new();
    fs::create_dir(site.path("fresh")).expect("a new folder");
    for begin in
        ["dimsegate certs init", "dimsegate certs issue certs server", "dimsegate certs issue certs lyon"]
    {
        shell(&site, "fresh", &readme(begin));
    }
    let (_, shown) = run(&site, &["certs", "show", "fresh/certs/server.pem", "fresh/certs/lyon.pem"]);
    for name in ["dns:proxy.example", "ip:10.0.0.4", "dns:gw.lyon.example"] {
        assert!(shown.contains(name), "{name} in {shown}");
    }
    shell(&site, "fresh", &readme("openssl req -new"));
    openssl(&site, "req -in ../fresh/server.csr -noout -verify");
    // What the passphrases are is asked at a terminal.
    openssl(&site, "genrsa -aes128 -traditional -passout pass:one -out old.key 2048");
    shell(&site, "certs", &format!("{} -passin pass:one -passout pass:two", readme("openssl pkcs8")));
    let (_, shown) = run(&site, &["certs", "show", "certs/server.key"]);
    assert!(shown.contains("encrypted"), "{shown}");
}
