//! Keys in every form, and files that cannot be used.

use super::site::{Site, client_config, server_config, shake};
use crate::tls::authority::KeyType;
use crate::tls::*;
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::process::Command;

fn openssl(site: &Site, line: &str) {
    let output = Command::new("openssl")
        .args(line.split(' '))
        .current_dir(site.home.path())
        .output()
        .expect("openssl is needed by this test");
    assert!(output.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&output.stderr));
}

fn works(site: &Site, server: &ServerSettings) {
    assert_eq!(shake(server, &site.client(Some("lyon"))).labels(), ("ok", "ok"));
}

fn refused(server: &ServerSettings) -> (&'static str, String) {
    let error = server_config(server).unwrap_err();
    (error.key(), error.to_string())
}

#[test]
fn keys_are_read_in_every_form_that_openssl_writes() {
    let site = Site::new();
    site.issue("rsa", &["proxy.example"], |request| request.key_type = KeyType::Rsa3072);
    site.issue("p384", &["proxy.example"], |request| request.key_type = KeyType::EcP384);
    openssl(&site, "ec -in server.key -out sec1.key");
    openssl(&site, "rsa -in rsa.key -traditional -out pkcs1.key");
    for (chain, key, begin) in [
        ("server.pem", "server.key", "BEGIN PRIVATE KEY"),
        ("server.pem", "sec1.key", "BEGIN EC PRIVATE KEY"),
        ("rsa.pem", "pkcs1.key", "BEGIN RSA PRIVATE KEY"),
        ("rsa.pem", "rsa.key", "BEGIN PRIVATE KEY"),
        ("p384.pem", "p384.key", "BEGIN PRIVATE KEY"),
    ] {
        assert!(fs::read_to_string(site.at(key)).unwrap().contains(begin), "{key}");
        let server =
            ServerSettings { certificate_chain: site.at(chain), private_key: site.at(key), ..site.server() };
        works(&site, &server);
    }
}

#[test]
fn an_encrypted_key_opens_with_its_passphrase_only() {
    let site = Site::new();
    fs::write(site.at("pass"), "correct horse\n").unwrap();
    openssl(&site, "pkcs8 -topk8 -in server.key -out pbkdf2.key -passout file:pass");
    openssl(&site, "pkcs8 -topk8 -in server.key -out scrypt.key -passout file:pass -scrypt -scrypt_N 1024");
    for key in ["pbkdf2.key", "scrypt.key"] {
        let encrypted = ServerSettings { private_key: site.at(key), ..site.server() };
        let with = |name: &str, text: &str| {
            fs::write(site.at(name), text).unwrap();
            ServerSettings { private_key_passphrase_file: Some(site.at(name)), ..encrypted.clone() }
        };
        works(&site, &with("unix", "correct horse\n"));
        works(&site, &with("bare", "correct horse"));
        works(&site, &with("dos", "correct horse\r\n"));
        let (at, text) = refused(&encrypted);
        assert!(
            at == "private-key-passphrase-file" && text.contains(key) && text.contains("encrypted"),
            "{text}"
        );
        let (at, text) = refused(&with("wrong", "battery staple"));
        assert!(at == "private-key-passphrase-file" && text.contains("wrong does not open"), "{text}");
        assert!(!text.contains("battery"), "{text}");
        for odd in ["", "\n", "correct horse\nsecond\n"] {
            let (at, text) = refused(&with("odd", odd));
            assert!(at == "private-key-passphrase-file" && text.contains("only line"), "{text}");
        }
    }
}

#[test]
fn a_legacy_encrypted_key_names_the_command_that_converts_it() {
    let site = Site::new();
    openssl(&site, "ec -in server.key -aes256 -passout pass:x -out legacy.key");
    let (at, text) = refused(&ServerSettings { private_key: site.at("legacy.key"), ..site.server() });
    assert_eq!(at, "private-key");
    assert!(text.contains("openssl pkcs8 -topk8 -in") && text.contains("legacy.key"), "{text}");

    fs::write(site.at("pass"), "x").unwrap();
    openssl(&site, "pkcs8 -topk8 -v1 PBE-SHA1-3DES -in server.key -passout pass:x -out pbes1.key");
    let pbes1 = ServerSettings {
        private_key: site.at("pbes1.key"),
        private_key_passphrase_file: Some(site.at("pass")),
        ..site.server()
    };
    let (at, text) = refused(&pbes1);
    assert!(at == "private-key" && text.contains("hmacWithSHA256"), "{text}");
}

#[test]
fn every_bad_file_is_named_with_its_key() {
    let site = Site::new();
    let write = |name: &str, text: &str| {
        fs::write(site.at(name), text).unwrap();
        site.at(name)
    };
    let pem = fs::read_to_string(site.at("server.pem")).unwrap();
    let cut = write("cut.pem", &pem[..pem.len() / 2]);
    let garbled = write("garbled.pem", &pem.replace("MII", "*!*"));
    let empty = write("empty.pem", "");
    let not_x509 = write("not.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let crl_junk = write("junk.crl", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
    let der = write("der.crl", "0\u{3}abc");
    let site_server = site.server();
    let server = || site_server.clone();
    let chain = |file: &Path| ServerSettings { certificate_chain: file.to_owned(), ..server() };
    let key = |file: &Path| ServerSettings { private_key: file.to_owned(), ..server() };
    let ca = |file: &Path| ServerSettings { client_ca: vec![file.to_owned()], ..server() };
    let list = |file: &Path| ServerSettings { revocation_lists: vec![file.to_owned()], ..server() };
    let missing = site.at("missing");
    let cases = [
        (chain(&missing), "certificate-chain", "cannot read"),
        (chain(&cut), "certificate-chain", "no END line"),
        (chain(&garbled), "certificate-chain", "not base64"),
        (chain(&empty), "certificate-chain", "no certificate"),
        (chain(&site.at("server.key")), "certificate-chain", "no certificate"),
        (chain(&not_x509), "certificate-chain", "certificate 1"),
        (chain(&site.at("lyon.pem")), "private-key", "is not the key of the first certificate in"),
        (key(&missing), "private-key", "cannot read"),
        (key(&site.at("server.pem")), "private-key", "holds no private key"),
        (key(&site.at("lyon.key")), "private-key", "is not the key of the first certificate in"),
        (ca(&missing), "client-ca", "cannot read"),
        (ca(&empty), "client-ca", "no certificate"),
        (ca(&not_x509), "client-ca", "certificate 1"),
        (
            ServerSettings { client_ca: Vec::new(), ..server() },
            "client-ca",
            "client-authentication = \"off\"",
        ),
        (list(&missing), "revocation-lists", "cannot read"),
        (list(&empty), "revocation-lists", "no revocation list"),
        (list(&site.at("ca.pem")), "revocation-lists", "no revocation list"),
        (list(&crl_junk), "revocation-lists", "revocation list 1"),
        (list(&der), "revocation-lists", "revocation list 1"),
    ];
    for (settings, at, part) in cases {
        let (found, text) = refused(&settings);
        assert_eq!(found, at, "{text}");
        assert!(text.contains(part), "{part:?} is not in: {text}");
        assert!(at == "client-ca" || text.contains(site.home.path().to_str().unwrap()), "{text}");
    }
}

#[test]
fn an_upstream_needs_a_name_and_both_halves_of_its_certificate() {
    let site = Site::new();
    let refused = |settings: ClientSettings| {
        let error = client_config(&settings).unwrap_err();
        (error.key(), error.to_string())
    };
    let (at, text) = refused(ClientSettings { server_name: "pacs example".into(), ..site.client(None) });
    assert!(at == "server-name" && text.contains("pacs example"), "{text}");
    assert_eq!(
        refused(ClientSettings { private_key: None, ..site.client(Some("lyon")) }).0,
        "certificate-chain"
    );
    assert_eq!(
        refused(ClientSettings { certificate_chain: None, ..site.client(Some("lyon")) }).0,
        "private-key"
    );
    assert_eq!(refused(ClientSettings { ca: vec![site.at("none")], ..site.client(None) }).0, "ca");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn damaged_files_are_errors_and_never_panics(
        which in 0..4_usize,
        der in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let site = Site::new();
        let name = ["server.pem", "server.key", "ca.pem", "ca.crl.pem"][which];
        let mut bytes = fs::read(site.at(name)).unwrap();
        if der {
            bytes = x509_parser::pem::Pem::iter_from_buffer(&bytes).next().unwrap().unwrap().contents;
        }
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        fs::write(site.at(name), &bytes).unwrap();
        let server = ServerSettings { revocation_lists: vec![site.at("ca.crl.pem")], ..site.server() };
        let now = time::OffsetDateTime::now_utc();
        for finding in inspect_server(&server, now) {
            prop_assert!(!finding.message.is_empty() && finding.message.len() < 2000);
        }
        if let Ok(text) = describe(&site.at(name), now) {
            prop_assert!(text.ends_with('\n') && !text.chars().any(|c| c != '\n' && crate::identity::deceptive(c)));
        }
        match server_config(&server) {
            Ok(_) => (),
            Err(error) => prop_assert!(!error.to_string().chars().any(crate::identity::deceptive), "{}", error),
        }
    }
}
