//! The warnings of `check`.

use super::site::Site;
use crate::tls::*;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use time::{Duration, OffsetDateTime};

fn messages(found: &[Finding]) -> Vec<String> {
    let name = |finding: &Finding| finding.file.file_name().unwrap().to_str().unwrap().to_owned();
    found.iter().map(|finding| format!("{} {}: {}", finding.key, name(finding), finding.message)).collect()
}

#[track_caller]
fn assert_one(found: &[Finding], start: &str, part: &str) {
    let all = messages(found);
    assert_eq!(
        all.iter().filter(|text| text.starts_with(start) && text.contains(part)).count(),
        1,
        "{start} {part}: {all:#?}"
    );
}

#[test]
fn a_good_site_has_no_findings() {
    let site = Site::new();
    let now = OffsetDateTime::now_utc();
    let lists = vec![site.at("ca.crl.pem")];
    let server = ServerSettings { revocation_lists: lists.clone(), ..site.server() };
    assert_eq!(messages(&inspect_server(&server, now)), [""; 0]);
    let client = ClientSettings { revocation_lists: lists, ..site.client(Some("lyon")) };
    assert_eq!(messages(&inspect_client(&client, now)), [""; 0]);
}

#[test]
fn what_ends_soon_or_has_ended_is_told() {
    let site = Site::new();
    let server = ServerSettings { revocation_lists: vec![site.at("ca.crl.pem")], ..site.server() };
    let later = |days: i64| OffsetDateTime::now_utc() + Duration::days(days);
    assert_one(&inspect_server(&server, later(24)), "revocation-lists ca.crl.pem", "ends in 5 days");
    let found = inspect_server(&server, later(720));
    assert_one(&found, "certificate-chain server.pem", "the certificate of CN=server ends in 9 days");
    assert_one(&found, "revocation-lists ca.crl.pem", "ended 690 days ago");
    let found = inspect_server(&server, later(4000));
    assert_one(&found, "certificate-chain server.pem", "ended 3270 days ago");
    assert_one(&found, "client-ca ca.pem", "the certificate of CN=site CA ended");
    let found = inspect_client(&site.client(Some("lyon")), later(729));
    assert_one(&found, "certificate-chain lyon.pem", "ends in 23 hours");
}

#[test]
fn lists_that_do_not_fit_are_told() {
    let site = Site::new();
    let elsewhere = Site::of("another CA");
    fs::copy(elsewhere.at("ca.crl.pem"), site.at("other.crl.pem")).unwrap();
    let now = OffsetDateTime::now_utc();
    let server = ServerSettings { revocation_lists: vec![site.at("other.crl.pem")], ..site.server() };
    assert_one(
        &inspect_server(&server, now),
        "revocation-lists ca.pem",
        "no revocation list is by CN=site CA",
    );
    let off = ServerSettings { client_authentication: ClientAuthentication::Off, ..server.clone() };
    assert_one(&inspect_server(&off, now), "revocation-lists other.crl.pem", "not used");
    // Of several files, the one whose CA has no list.
    fs::copy(elsewhere.at("ca.pem"), site.at("other-ca.pem")).unwrap();
    let client_ca = vec![site.at("other-ca.pem"), site.at("ca.pem")];
    let several = ServerSettings { client_ca, ..server };
    assert_one(
        &inspect_server(&several, now),
        "revocation-lists ca.pem",
        "no revocation list is by CN=site CA",
    );
    let none = ServerSettings { revocation_lists: Vec::new(), ..several };
    assert_one(&inspect_server(&none, now), "revocation-lists other-ca.pem", "CN=another CA or CN=site CA");
}

#[test]
fn certificates_in_the_wrong_place_are_told() {
    let site = Site::new();
    let now = OffsetDateTime::now_utc();
    site.issue("nameless", &["uri:urn:x"], |_| ());
    let server = ServerSettings { certificate_chain: site.at("lyon.pem"), ..site.server() };
    assert_one(
        &inspect_server(&server, now),
        "certificate-chain lyon.pem",
        "does not allow a server to show it",
    );
    let server = ServerSettings { certificate_chain: site.at("nameless.pem"), ..site.server() };
    assert_one(
        &inspect_server(&server, now),
        "certificate-chain nameless.pem",
        "no DNS or IP alternative name",
    );
    let server = ServerSettings { client_ca: vec![site.at("server.pem")], ..site.server() };
    assert_one(&inspect_server(&server, now), "client-ca server.pem", "CN=server is not a CA certificate");
    // What is trusted itself is in its place.
    let server = ServerSettings { client_ca: vec![site.at("lyon.pem")], ..site.server() };
    assert_eq!(messages(&inspect_server(&server, now)), [""; 0]);
    let client = site.client(Some("server"));
    assert_one(
        &inspect_client(&client, now),
        "certificate-chain server.pem",
        "does not allow a client to show it",
    );
}

#[test]
fn weak_certificates_are_told() {
    let site = Site::new();
    let line =
        "req -x509 -newkey rsa:1024 -sha1 -nodes -keyout weak.key -out weak-ca.pem -subj /CN=weak -days 100";
    let more = "req -newkey rsa:1024 -nodes -keyout leaf.key -out leaf.csr -subj /CN=leaf";
    let sign = "x509 -req -in leaf.csr -CA weak-ca.pem -CAkey weak.key -CAcreateserial -sha1 -days 100 -out leaf.pem";
    for line in [line, more, sign] {
        let mut command = Command::new("openssl");
        let output =
            command.args(line.split(' ')).current_dir(site.home.path()).output().expect("openssl is needed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let server = ServerSettings {
        certificate_chain: site.at("leaf.pem"),
        client_ca: vec![site.at("weak-ca.pem")],
        ..site.server()
    };
    let found = inspect_server(&server, OffsetDateTime::now_utc());
    assert_one(
        &found,
        "certificate-chain leaf.pem",
        "the certificate of CN=leaf has a weak key (RSA 1024 bit)",
    );
    assert_one(&found, "certificate-chain leaf.pem", "is signed with RSA with SHA-1");
    assert_one(&found, "client-ca weak-ca.pem", "has a weak key (RSA 1024 bit)");
    assert!(!messages(&found).iter().any(|text| text.contains("weak-ca.pem") && text.contains("SHA-1")));
}

#[test]
fn a_listener_that_cannot_shut_out_whom_its_ca_revoked_is_told() {
    let site = Site::new();
    let found = inspect_server(&site.server(), OffsetDateTime::now_utc());
    assert_one(&found, "revocation-lists ca.pem", "a certificate by CN=site CA which was revoked is let in");
}

#[test]
fn keys_that_all_can_read_and_passphrases_for_nothing_are_told() {
    let site = Site::new();
    fs::write(site.at("pass"), "x").unwrap();
    fs::set_permissions(site.at("pass"), Permissions::from_mode(0o604)).unwrap();
    fs::set_permissions(site.at("server.key"), Permissions::from_mode(0o644)).unwrap();
    let server = ServerSettings { private_key_passphrase_file: Some(site.at("pass")), ..site.server() };
    let found = inspect_server(&server, OffsetDateTime::now_utc());
    assert_one(&found, "private-key server.key", "chmod o-rwx");
    assert_one(&found, "private-key-passphrase-file pass", "chmod o-rwx");
    assert_one(&found, "private-key-passphrase-file pass", "is not encrypted");
}
