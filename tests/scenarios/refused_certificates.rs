//! Certificates and lists that no longer count: `explain` says of them what the listener does, and the records name them.

use std::fs;
use std::process::Command as Program;

use rcgen::{CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use serde_json::Value;

use crate::gate::{Gate, Setup, explained, show};
use crate::process::{self, Finished};
use crate::raw::Upstream;
use crate::site::{CLIENT_NAME, Site, openssl};
use crate::wait;

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
