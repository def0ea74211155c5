//! Certificates as people make them: signed by themselves, by one of several CAs, by a root that has ended, in ways that
//! are too old.

use super::site::{Outcome, Site, server_config, shake, shake_configs};
use crate::tls::*;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

fn openssl(site: &Site, line: &str) {
    let output = Command::new("openssl").args(line.split(' ')).current_dir(site.home.path()).output();
    let output = output.expect("openssl is needed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// As the manual of Orthanc has it, with a shorter key: no alternative name, and a CA by OpenSSL's defaults.
fn recipe(site: &Site, name: &str) {
    let line =
        format!("req -x509 -nodes -newkey rsa:2048 -keyout {name}.key -out {name}.pem -subj /C=BE/CN={name}");
    openssl(site, &line);
}

/// A listener with that certificate, which trusts the certificates in that file.
fn listener(site: &Site, own: &str, trusted: &str) -> ServerSettings {
    ServerSettings {
        certificate_chain: site.at(&format!("{own}.pem")),
        private_key: site.at(&format!("{own}.key")),
        client_ca: vec![site.at(trusted)],
        ..site.server()
    }
}

fn requestor(site: &Site, own: &str, trusted: &str) -> ClientSettings {
    ClientSettings { ca: vec![site.at(trusted)], ..site.client(Some(own)) }
}

fn der(site: &Site, name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(site.at(&format!("{name}.pem"))).unwrap()
}

fn judged(settings: &ServerSettings, chain: &[CertificateDer<'_>]) -> Result<Vec<String>, HandshakeFailure> {
    judged_at(settings, chain, OffsetDateTime::now_utc())
}

fn judged_at(
    settings: &ServerSettings,
    chain: &[CertificateDer<'_>],
    at: OffsetDateTime,
) -> Result<Vec<String>, HandshakeFailure> {
    let trust = server(settings).unwrap().trust.unwrap();
    let now = unix(at);
    let authorities = trust.judge(chain, now).map_err(|failure| *failure)?;
    Ok(authorities.iter().map(|one| one.subject.clone()).collect())
}

fn unix(at: OffsetDateTime) -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(u64::try_from(at.unix_timestamp()).unwrap()))
}

/// Several PEM files as one.
fn together(site: &Site, name: &str, files: &[PathBuf]) -> PathBuf {
    let text: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    fs::write(site.at(name), text).unwrap();
    site.at(name)
}

#[test]
fn each_trusts_the_others_certificate_that_signed_itself() {
    let site = Site::new();
    recipe(&site, "gate");
    recipe(&site, "orthanc");
    recipe(&site, "stranger");
    let outcome = shake(&listener(&site, "gate", "orthanc.pem"), &requestor(&site, "orthanc", "gate.pem"));
    assert_eq!(outcome.labels(), ("ok", "ok"));
    assert_eq!(
        judged(&listener(&site, "gate", "orthanc.pem"), &[der(&site, "orthanc")]).unwrap(),
        ["C=BE, CN=orthanc"]
    );
    let outcome = shake(&listener(&site, "gate", "orthanc.pem"), &requestor(&site, "stranger", "gate.pem"));
    let refused = outcome.server.err().unwrap();
    assert_eq!(refused.fault.label(), "certificate-unknown-issuer");
    for part in ["signed itself", "client-ca", "CN=stranger", "serial ", "sha256:"] {
        assert!(refused.detail.contains(part), "{part} in {}", refused.detail);
    }
    let outcome =
        shake(&listener(&site, "gate", "orthanc.pem"), &requestor(&site, "orthanc", "stranger.pem"));
    assert_eq!(outcome.labels(), ("peer-alert", "certificate-unknown-issuer"));
    let shown = outcome.client.err().unwrap().certificate.unwrap();
    assert_eq!(shown.subject, "C=BE, CN=gate");
}

#[test]
fn a_certificate_that_is_trusted_is_nothing_without_its_key() {
    let site = Site::new();
    recipe(&site, "orthanc");
    recipe(&site, "thief");
    let key = PrivateKeyDer::from_pem_file(site.at("thief.key")).unwrap();
    let key = super::super::config::provider().key_provider.load_private_key(key).unwrap();
    let stolen = Arc::new(SingleCertAndKey::from(CertifiedKey::new(vec![der(&site, "orthanc")], key)));
    let mut thief = rustls::ClientConfig::clone(&client(&site.client(Some("lyon"))).unwrap().config);
    thief.client_auth_cert_resolver = stolen.clone();
    let settings = site.client(None);
    let name = server_name(&settings).unwrap();
    let server = server_config(&listener(&site, "server", "orthanc.pem")).unwrap();
    let outcome = shake_configs(&server, &Arc::new(thief), name.clone());
    assert_eq!(outcome.labels(), ("certificate-invalid", "peer-alert"));
    // The same of an upstream, by both versions of TLS.
    let mut upstream = rustls::ServerConfig::clone(&server_config(&site.server()).unwrap());
    upstream.cert_resolver = stolen;
    for versions in [Profile::Tls13, Profile::Bcp195] {
        let settings = ClientSettings { profile: versions, ..requestor(&site, "lyon", "orthanc.pem") };
        let outcome =
            shake_configs(&Arc::new(upstream.clone()), &client(&settings).unwrap().config, name.clone());
        assert_eq!(outcome.labels(), ("peer-alert", "certificate-invalid"));
    }
}

#[test]
fn a_pinned_key_needs_neither_a_ca_nor_a_name_and_outlives_its_certificate() {
    let site = Site::new();
    recipe(&site, "pacs");
    let shown = describe(&site.at("pacs.pem"), OffsetDateTime::now_utc()).unwrap();
    let pin = shown.split_whitespace().find(|word| word.starts_with("spki-sha256:")).unwrap();
    let pins = vec![pin.parse().unwrap()];
    let upstream = ServerSettings {
        client_authentication: ClientAuthentication::Off,
        ..listener(&site, "pacs", "ca.pem")
    };
    let pinning = ClientSettings { ca: Vec::new(), pins, ..site.client(None) };
    assert_eq!(shake(&upstream, &pinning).labels(), ("ok", "ok"));
    openssl(&site, "req -x509 -key pacs.key -out pacs.pem -subj /CN=renewed -days 9");
    assert_eq!(shake(&upstream, &pinning).labels(), ("ok", "ok"));
    recipe(&site, "pacs");
    assert_eq!(shake(&upstream, &pinning).labels(), ("peer-alert", "certificate-unknown-issuer"));
    // A listener, beside its CA.
    recipe(&site, "modality");
    let shown = describe(&site.at("modality.pem"), OffsetDateTime::now_utc()).unwrap();
    let pin = shown.split_whitespace().find(|word| word.starts_with("spki-sha256:")).unwrap();
    let settings = ServerSettings { pins: vec![pin.parse().unwrap()], ..site.server() };
    for own in ["modality", "lyon"] {
        assert_eq!(shake(&settings, &site.client(Some(own))).labels(), ("ok", "ok"), "{own}");
    }
    // Whoever has the key wrote the names, unless a CA vouches for them.
    assert_eq!(judged(&settings, &[der(&site, "modality")]).unwrap(), Vec::<String>::new());
    let shown = describe(&site.at("lyon.pem"), OffsetDateTime::now_utc()).unwrap();
    let pin = shown.split_whitespace().find(|word| word.starts_with("spki-sha256:")).unwrap();
    let both = ServerSettings { pins: vec![pin.parse().unwrap()], ..site.server() };
    assert_eq!(
        judged(&both, &[der(&site, "lyon")]).unwrap(),
        judged(&site.server(), &[der(&site, "lyon")]).unwrap()
    );
}

#[test]
fn the_dates_the_usage_and_a_list_hold_for_what_is_trusted_itself() {
    let site = Site::new();
    let now = OffsetDateTime::now_utc();
    // Of the CA, but listed itself, and the CA is not.
    let serial =
        site.issue("modality", &["a.example"], |request| request.not_after = now + Duration::days(50));
    site.issue("only-server", &["a.example"], |request| request.client = false);
    let settings = listener(&site, "server", "modality.pem");
    let chain = [der(&site, "modality")];
    assert_eq!(judged(&settings, &chain).unwrap(), ["CN=modality"]);
    let label = |found: Result<Vec<String>, HandshakeFailure>| found.unwrap_err().fault.label();
    assert_eq!(label(judged_at(&settings, &chain, now + Duration::days(51))), "certificate-expired");
    assert_eq!(label(judged_at(&settings, &chain, now - Duration::days(1))), "certificate-not-yet-valid");
    assert_eq!(label(judged(&settings, &[der(&site, "lyon")])), "certificate-unknown-issuer");
    let revoking = site.list("revoking.pem", &[serial], 1, 30);
    let listed = ServerSettings { revocation_lists: vec![revoking], ..settings.clone() };
    assert_eq!(label(judged(&listed, &chain)), "certificate-revoked");
    let harmless = site.list("harmless.pem", &[], 1, 30);
    let listed = ServerSettings { revocation_lists: vec![harmless], ..settings };
    assert_eq!(judged(&listed, &chain).unwrap(), ["CN=modality"]);
    assert_eq!(label(judged_at(&listed, &chain, now + Duration::days(30))), "revocation-list-expired");
    let shown = describe(&site.at("only-server.pem"), now).unwrap();
    let pin = shown.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap();
    let pinning = ServerSettings { pins: vec![pin.parse().unwrap()], ..site.server() };
    assert_eq!(label(judged(&pinning, &[der(&site, "only-server")])), "certificate-wrong-purpose");
}

#[test]
fn what_is_no_ca_vouches_for_nobody_and_a_ca_is_not_shown_itself() {
    let site = Site::new();
    let made = "req -x509 -nodes -newkey rsa:2048 -keyout end.key -out end.pem -subj /CN=end -addext \
                basicConstraints=critical,CA:FALSE";
    openssl(&site, made);
    openssl(&site, "req -nodes -newkey rsa:2048 -keyout leaf.key -out leaf.csr -subj /CN=leaf");
    fs::write(site.at("leaf.cnf"), "subjectAltName=DNS:gw.lyon.example").unwrap();
    openssl(
        &site,
        "x509 -req -in leaf.csr -CA end.pem -CAkey end.key -CAcreateserial -days 9 -extfile leaf.cnf -out leaf.pem",
    );
    let settings = listener(&site, "server", "end.pem");
    assert_eq!(judged(&settings, &[der(&site, "end")]).unwrap(), ["CN=end"]);
    assert_eq!(
        judged(&settings, &[der(&site, "leaf")]).unwrap_err().fault.label(),
        "certificate-unknown-issuer"
    );
    // Its key usage has it sign certificates and nothing else.
    assert!(judged(&site.server(), &[der(&site, "ca")]).is_err());
}

/// A clock that stands.
#[derive(Debug)]
struct Clock(OffsetDateTime);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix(self.0))
    }
}

#[test]
fn nobody_comes_in_under_a_root_that_has_ended() {
    let site = Site::new();
    let now = OffsetDateTime::now_utc();
    // Ten years are the root's.
    site.issue("lasting", &["gw.lyon.example"], |request| request.not_after = now + Duration::days(9000));
    let at = |days: i64| -> Outcome {
        let mut server = rustls::ServerConfig::clone(&server_config(&site.server()).unwrap());
        server.time_provider = Arc::new(Clock(now + Duration::days(days)));
        let client = client(&site.client(Some("lasting"))).unwrap().config;
        shake_configs(&Arc::new(server), &client, server_name(&site.client(None)).unwrap())
    };
    assert_eq!(at(3650).labels(), ("ok", "ok"));
    let refused = at(3660).server.err().unwrap();
    assert_eq!(refused.fault.label(), "certificate-authority-expired");
    assert!(refused.detail.contains("the CA CN=site CA ended on ") && refused.detail.contains("CN=lasting"));
    // One that has not begun is none yet.
    let early = judged_at(&site.server(), &[der(&site, "lasting")], now - Duration::minutes(90));
    assert!(early.is_err());
    // A chain that was verified is not remembered past the root's end.
    let trust = server(&site.server()).unwrap().trust.unwrap();
    let end = crate::identity::Certificate::from_der(&der(&site, "ca")).unwrap().not_after;
    assert!(trust.judge(&[der(&site, "lasting")], unix(end)).is_ok());
    assert!(trust.judge(&[der(&site, "lasting")], unix(end + Duration::seconds(1))).is_err());
}

#[test]
fn of_two_cas_the_one_that_signed_is_named_whatever_the_chain_calls_it() {
    let site = Site::new();
    let authority = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    };
    let (lyon, paris, middle, leaf) = (
        KeyPair::generate().unwrap(),
        KeyPair::generate().unwrap(),
        KeyPair::generate().unwrap(),
        KeyPair::generate().unwrap(),
    );
    let lyon_pem = authority("Lyon CA").self_signed(&lyon).unwrap().pem();
    let paris_pem = authority("Paris CA").self_signed(&paris).unwrap().pem();
    fs::write(site.at("both.pem"), lyon_pem + &paris_pem).unwrap();
    let params = || CertificateParams::new(vec!["gw.lyon.example".to_owned()]).unwrap();
    let settings = listener(&site, "server", "both.pem");
    let honest = params().signed_by(&leaf, &Issuer::new(authority("Lyon CA"), &lyon)).unwrap();
    assert_eq!(judged(&settings, &[honest.der().clone()]).unwrap(), ["CN=Lyon CA"]);
    // Paris has an intermediate CA that it calls by the name of Lyon's.
    let impostor =
        authority("Lyon CA").signed_by(&middle, &Issuer::new(authority("Paris CA"), &paris)).unwrap();
    let forged = params().signed_by(&leaf, &Issuer::new(authority("Lyon CA"), &middle)).unwrap();
    let chain = [forged.der().clone(), impostor.der().clone()];
    assert_eq!(judged(&settings, &chain).unwrap(), ["CN=Paris CA"]);
    assert!(judged(&settings, &chain[..1]).is_err());
}

#[test]
fn what_is_too_old_is_refused_in_words_on_both_legs() {
    let site = Site::new();
    let ca = site.ca.file("ca.pem");
    openssl(&site, "req -nodes -newkey rsa:2048 -keyout one.key -out one.csr -subj /CN=one");
    openssl(&site, "x509 -req -in one.csr -signkey one.key -days 9 -out one.pem");
    openssl(&site, "req -x509 -nodes -newkey rsa:1024 -keyout short.key -out short.pem -subj /CN=short");
    openssl(&site, "req -x509 -nodes -newkey rsa:2048 -sha1 -keyout sha.key -out sha.pem -subj /CN=sha");
    for (name, part) in [("one", "X.509 version 1"), ("short", "RSA 1024 bit"), ("sha", "RSA with SHA-1")] {
        // Trusted beside the CA, signed by nobody that is trusted, and by itself alone.
        let beside = together(&site, "beside.pem", &[ca.clone(), site.at(&format!("{name}.pem"))]);
        for trusted in [beside, ca.clone()] {
            let settings = ServerSettings { client_ca: vec![trusted], ..site.server() };
            let refused = judged(&settings, &[der(&site, name)]).unwrap_err();
            assert_eq!(refused.fault.label(), "certificate-unfit", "{name}");
            for part in [part, "openssl req -x509", &format!("CN={name}")] {
                assert!(refused.detail.contains(part), "{part} in {}", refused.detail);
            }
        }
        let settings = ServerSettings { client_ca: vec![site.at("beside.pem")], ..site.server() };
        let found = inspect_server(&settings, OffsetDateTime::now_utc());
        assert!(found.iter().any(|one| one.key == "client-ca" && one.message.contains(part)), "{found:#?}");
        // What an upstream shows.
        let mut upstream = rustls::ServerConfig::clone(&server_config(&site.server()).unwrap());
        let key = PrivateKeyDer::from_pem_file(site.at("server.key")).unwrap();
        let key = super::super::config::provider().key_provider.load_private_key(key).unwrap();
        upstream.cert_resolver =
            Arc::new(SingleCertAndKey::from(CertifiedKey::new(vec![der(&site, name)], key)));
        let settings = ClientSettings { ca: vec![site.at("beside.pem")], ..site.client(Some("lyon")) };
        let outcome = shake_configs(
            &Arc::new(upstream),
            &client(&settings).unwrap().config,
            server_name(&settings).unwrap(),
        );
        let refused = outcome.client.err().unwrap();
        assert_eq!(refused.fault.label(), "certificate-unfit");
        assert!(refused.detail.contains(part), "{}", refused.detail);
    }
    let alone = server(&listener(&site, "server", "one.pem")).unwrap_err().to_string();
    assert!(alone.contains("X.509 version 1") && alone.contains("openssl req"), "{alone}");
    let own = server(&listener(&site, "one", "ca.pem")).unwrap_err().to_string();
    assert!(own.contains("X.509 version 1"), "{own}");
    let found = inspect_server(&listener(&site, "sha", "ca.pem"), OffsetDateTime::now_utc());
    let own = |one: &&Finding| one.key == "certificate-chain" && one.message.contains("RSA with SHA-1");
    assert!(found.iter().find(own).is_some(), "{found:#?}");
    for (name, part) in [("sha", "whoever shows it is refused"), ("one", "X.509 version 1")] {
        let shown = describe(&site.at(&format!("{name}.pem")), OffsetDateTime::now_utc()).unwrap();
        assert!(shown.contains("WARNING") && shown.contains(part), "{shown}");
    }
    // A CA whose key is too short vouches for nobody, and is named.
    openssl(&site, "req -nodes -newkey rsa:2048 -keyout leaf.key -out leaf.csr -subj /CN=leaf");
    fs::write(site.at("leaf.cnf"), "subjectAltName=DNS:gw.lyon.example").unwrap();
    openssl(
        &site,
        "x509 -req -in leaf.csr -CA short.pem -CAkey short.key -CAcreateserial -days 9 -extfile leaf.cnf -out leaf.pem",
    );
    let beside = together(&site, "beside.pem", &[ca, site.at("short.pem")]);
    let settings = ServerSettings { client_ca: vec![beside], ..site.server() };
    let refused = judged(&settings, &[der(&site, "leaf")]).unwrap_err();
    assert_eq!(refused.fault.label(), "certificate-unfit");
    assert!(refused.detail.contains("CN=short, which signed it"), "{}", refused.detail);
}

#[test]
fn a_server_with_a_common_name_only_is_told_what_is_missing() {
    let site = Site::new();
    site.issue("bare", &["uri:urn:x"], |_| ());
    recipe(&site, "root");
    openssl(&site, "req -nodes -newkey rsa:2048 -keyout pacs.key -out pacs.csr -subj /CN=proxy.example");
    fs::write(site.at("pacs.cnf"), "basicConstraints=CA:FALSE").unwrap();
    openssl(
        &site,
        "x509 -req -in pacs.csr -CA root.pem -CAkey root.key -CAcreateserial -days 9 -extfile pacs.cnf -out pacs.pem",
    );
    let upstream = ServerSettings {
        client_authentication: ClientAuthentication::Off,
        ..listener(&site, "pacs", "ca.pem")
    };
    let outcome = shake(&upstream, &ClientSettings { ca: vec![site.at("root.pem")], ..site.client(None) });
    let refused = outcome.client.err().unwrap();
    assert_eq!(refused.fault.label(), "certificate-wrong-name");
    assert!(
        refused.detail.contains("common name only") && refused.detail.contains("pins"),
        "{}",
        refused.detail
    );
}
