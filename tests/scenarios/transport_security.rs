//! TLS as PS3.15 B.12 has it: which versions, whose certificates, what a refused one is told, and what the upstream's leg
//! checks.

use std::fs;
use std::io::{Read, Write};
use std::process::Command as Program;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, NamedGroup, RootCertStore, SupportedProtocolVersion};
use serde_json::json;

use crate::connection::{Connection, Target};
use crate::gate::{self, Gate, LISTENER_TLS, Setup, UPSTREAM_TLS};
use crate::object::Object;
use crate::peers;
use crate::process::Finished;
use crate::raw::{self, Peer, Upstream, rejection, verification};
use crate::site::{CLIENT_NAME, Site};
use crate::upper;

const UNKNOWN_CALLING: [u8; 4] = [0, 1, 1, 3];

/// A client of these versions alone, with the site's client certificate.
fn client_of(site: &Site, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    client_with(site, rustls::crypto::aws_lc_rs::default_provider(), versions)
}

fn client_with(
    site: &Site,
    provider: CryptoProvider,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates([
        CertificateDer::from_pem_file(site.path("certs/ca.pem")).expect("a certificate")
    ]);
    let chain = vec![CertificateDer::from_pem_file(site.path("certs/client.pem")).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(site.path("certs/client.key")).expect("a key");
    let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(versions);
    let builder = builder.expect("versions").with_root_certificates(roots);
    builder.with_client_auth_cert(chain, key).expect("a client configuration")
}

fn target(gate: &Gate, config: ClientConfig) -> Target {
    let name = ServerName::try_from("localhost").expect("a DNS name");
    Target { tls: Some((Arc::new(config), name)), ..gate.plain() }
}

fn echo_through(gate: &Gate, target: &Target, upstream: &Upstream) {
    let (mut requestor, mut acceptor) = raw::open(target, upstream, &verification("SITE", "PACS"), 16384);
    requestor.send_message(1, &crate::command::Command::c_echo_rq(1), None, 16384);
    let echo = acceptor.message();
    acceptor.send_message(1, &echo.command.response(0), None, 16384);
    assert_eq!(requestor.message().command.number(crate::command::STATUS), Some(0));
    raw::release(requestor, acceptor);
    gate.event("association-closed");
}

#[test]
fn both_versions_of_tls_are_spoken_and_recorded() {
    for (versions, version, cipher) in
        [([&rustls::version::TLS12], "1.2", "TLS_ECDHE_"), ([&rustls::version::TLS13], "1.3", "TLS13_")]
    {
        let upstream = Upstream::bind();
        let gate = Gate::start(&Setup::tls(upstream.address));
        echo_through(&gate, &target(&gate, client_of(&gate.site, &versions)), &upstream);
        let tls = gate.event("association-closed")["tls"].clone();
        assert_eq!(tls["version"], version);
        let named = tls["cipher"].as_str().unwrap_or_default();
        assert!(named.starts_with(cipher) || named.starts_with("TLS_AES_") && version == "1.3", "{tls}");
    }
}

#[test]
fn a_listener_for_tls_1_3_alone_takes_no_1_2() {
    let upstream = Upstream::bind();
    let listener_tls: &str = concat_static(&[LISTENER_TLS, "\nprofile = \"tls13\""]);
    let gate = Gate::start(&Setup { listener_tls, ..Setup::tls(upstream.address) });
    let old = target(&gate, client_of(&gate.site, &[&rustls::version::TLS12]));
    let error = old.connect().err().expect("no handshake").to_string();
    assert!(error.contains("ProtocolVersion"), "{error}");
    assert_eq!(gate.event("connection-refused")["reason"], "tls-handshake-failed");
    upstream.expect_nobody();
    echo_through(&gate, &target(&gate, client_of(&gate.site, &[&rustls::version::TLS13])), &upstream);
}

/// Setups borrow for ever; a scenario's process is short.
fn concat_static(parts: &[&str]) -> &'static str {
    Box::leak(parts.concat().into_boxed_str())
}

#[test]
fn the_post_quantum_group_is_agreed_on_where_the_client_offers_it() {
    for (group, expected) in [(None, "X25519MLKEM768"), (Some(NamedGroup::secp384r1), "secp384r1")] {
        let upstream = Upstream::bind();
        let gate = Gate::start(&Setup::tls(upstream.address));
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        provider.kx_groups.retain(|offered| group.is_none_or(|group| offered.name() == group));
        let config = client_with(&gate.site, provider, &[&rustls::version::TLS13]);
        echo_through(&gate, &target(&gate, config), &upstream);
        assert_eq!(gate.event("association-closed")["tls"]["group"], expected);
    }
}

#[test]
fn no_session_is_resumed_so_every_certificate_is_checked_anew() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let upstream = Upstream::bind();
        let gate = Gate::start(&Setup::tls(upstream.address));
        // One configuration, so that the client would resume if it could.
        let target = target(&gate, client_of(&gate.site, &[version]));
        for _ in 0..2 {
            let (mut requestor, acceptor) =
                raw::open(&target, &upstream, &verification("SITE", "PACS"), 16384);
            let Connection::Client(stream) = &mut requestor.stream else { panic!("TLS") };
            assert_eq!(stream.conn.handshake_kind(), Some(rustls::HandshakeKind::Full));
            raw::release(requestor, acceptor);
        }
    }
}

#[test]
fn dcmtk_echoes_and_stores_over_both_versions() {
    for (maximum, version) in [("TLSv1.2", "1.2"), ("TLSv1.3", "1.3")] {
        let (archive, site) = (peers::storescp(&[]), Site::new());
        // The cipher suites of DCMTK's profile for TLS 1.2 are for RSA.
        own_certificates(&site, "rsa3072");
        let gate = Gate::start_in(site, &Setup { listener_tls: WITH_LIST, ..Setup::tls(archive.address) });
        let settings = format!(
            "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMaxProtocol = {maximum}\n"
        );
        fs::write(gate.site.path("openssl.cnf"), settings).expect("a file written");
        let tls = peers::dcmtk_tls(&gate.site);
        let (object, port) = (Object::ct(120_000), gate.address.port().to_string());
        let (_folder, files) = peers::files_of(std::slice::from_ref(&object));
        for (program, rest) in [("echoscu", Vec::new()), ("storescu", vec![files[0].as_str()])] {
            let mut command = peers::dcmtk(program);
            command.env("OPENSSL_CONF", gate.site.path("openssl.cnf"));
            command.args(&tls).args(["-aet", "SITE", "-aec", "PACS", "127.0.0.1", &port]).args(rest);
            if program == "storescu" {
                command.args(["-xe"]);
            }
            Finished::run(command).expect_success();
        }
        assert!(archive.stored(1)[0].data_set == object.data_set, "other bytes than were sent");
        crate::wait::until("two closing records", || (gate.count("association-closed") == 2).then_some(()));
        for closed in gate.records().iter().filter(|record| record["event"] == "association-closed") {
            assert_eq!(closed["tls"]["version"], version, "{closed}");
            assert_eq!(closed["tls"]["san"], json!([format!("dns:{CLIENT_NAME}")]));
        }
    }
}

const WITH_LIST: &str = "certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\n\
    client-authentication = \"required\"\nclient-ca = \"certs/ca.pem\"\nrevocation-lists = [\"certs/ca.crl\"]";

#[test]
fn dcmtk_with_a_bad_certificate_is_refused_with_the_reason_in_the_record() {
    let cases = [
        ("expired", "certificate-expired", "CertificateExpired"),
        ("revoked", "certificate-revoked", "CertificateRevoked"),
        ("stranger", "certificate-unknown-ca", "UnknownCA"),
    ];
    for (identity, reason, alert) in cases {
        let upstream = Upstream::bind();
        let gate = Gate::start(&Setup { listener_tls: WITH_LIST, ..Setup::tls(upstream.address) });
        let [key, certificate, ca] = [format!("{identity}.key"), format!("{identity}.pem"), "ca.pem".into()]
            .map(|file| gate.site.text(&format!("certs/{file}")));
        let options = ["+tls", &key, &certificate, "+cf", &ca];
        assert!(!peers::requestor("echoscu", gate.address, &options, &[]).success, "{identity}");
        let refused = gate.event("connection-refused");
        assert_eq!(refused["reason"], reason, "{refused}");
        assert_eq!(named(&refused["alert"]), alert.to_lowercase(), "{refused}");
        assert_eq!(gate.count("association-opened"), 0);
        let alerts = usize::from(identity != "expired");
        assert_eq!(gate.count("security-alert"), alerts, "{identity}");
        upstream.expect_nobody();
    }
}

/// An alert's name without the punctuation in which writers differ.
fn named(alert: &serde_json::Value) -> String {
    alert.as_str().unwrap_or_default().replace(['_', '-', ' '], "").to_lowercase()
}

#[test]
fn dcmtk_without_a_certificate_is_refused_where_one_is_required() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::tls(upstream.address));
    let ca = gate.site.text("certs/ca.pem");
    assert!(!peers::requestor("echoscu", gate.address, &["+tla", "+cf", &ca], &[]).success);
    assert_eq!(gate.event("connection-refused")["reason"], "certificate-missing");
    upstream.expect_nobody();
}

/// Two peers: one bound to the client's certificate, one open to whoever shows none.
fn bound_and_open() -> String {
    let bound =
        gate::peer(&format!("calling-ae-titles = [\"BOUND\"]\ncertificates = [\"dns:{CLIENT_NAME}\"]"));
    bound
        + "\n[[peer]]\nname = \"open\"\nnetworks = [\"127.0.0.0/8\"]\ncalling-ae-titles = [\"OPEN\"]\n\
        called-ae-titles = [\"*\"]\nrole = \"all\""
}

#[test]
fn an_optional_certificate_opens_only_what_it_is_bound_to_and_a_bad_one_nothing() {
    let upstream = Upstream::bind();
    let listener_tls = concat_static(&[&WITH_LIST.replace("\"required\"", "\"optional\"")]);
    let gate = Gate::start(&Setup { listener_tls, peers: bound_and_open(), ..Setup::tls(upstream.address) });
    let (without, with) = (gate.site.tls(gate.address, "ca", None), gate.tls());
    let (requestor, acceptor) = raw::open(&without, &upstream, &verification("OPEN", "PACS"), 16384);
    raw::release(requestor, acceptor);
    let (requestor, acceptor) = raw::open(&with, &upstream, &verification("BOUND", "PACS"), 16384);
    raw::release(requestor, acceptor);
    assert_eq!(rejection(&without, &verification("BOUND", "PACS")), UNKNOWN_CALLING);
    let rejected = gate.event("association-rejected");
    assert_eq!(rejected["reason"], "certificate-mismatch");
    assert!(rejected["tls"]["subject"].is_null() && rejected["tls"]["version"] == "1.3", "{rejected}");
    assert_eq!(gate.event("security-alert")["calling-ae-title"], "BOUND");
    for identity in ["expired", "revoked", "stranger"] {
        let said = refusal(&gate, identity);
        assert!(said.contains("Certificate") || said.contains("UnknownCA"), "{identity}: {said}");
    }
    upstream.expect_nobody();
}

/// What a requestor with that certificate gets to hear, at the latest with the first byte that it reads.
fn refusal(gate: &Gate, identity: &str) -> String {
    let target = gate.site.tls(gate.address, "ca", Some(identity));
    let refused = target.connect().and_then(|mut stream| {
        let _ = stream.write_all(&verification("SITE", "PACS").encode());
        stream.read_exact(&mut [0]).map(|()| panic!("an answer to the certificate {identity}"))
    });
    refused.expect_err("a refusal").to_string()
}

#[test]
fn a_listener_that_asks_for_no_certificate_takes_none_for_a_proof() {
    let upstream = Upstream::bind();
    let listener_tls = "certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\nclient-authentication = \"off\"";
    let gate = Gate::start(&Setup { listener_tls, peers: bound_and_open(), ..Setup::tls(upstream.address) });
    for target in [gate.site.tls(gate.address, "ca", None), gate.tls()] {
        let (requestor, acceptor) = raw::open(&target, &upstream, &verification("OPEN", "PACS"), 16384);
        raw::release(requestor, acceptor);
        assert_eq!(rejection(&target, &verification("BOUND", "PACS")), UNKNOWN_CALLING);
    }
    upstream.expect_nobody();
}

#[test]
fn every_form_of_binding_names_the_certificate_that_certs_show_names() {
    let site = Site::new();
    let shown = Finished::run(gate::command(&site, &["certs", "show", "certs/client.pem"])).expect_success();
    let hashes: Vec<&str> = shown.split_whitespace().filter(|word| word.contains("sha256:")).collect();
    assert_eq!(hashes.len(), 2, "{shown}");
    drop(site);
    for form in ["dns", "cn", "sha256:", "spki-sha256:"] {
        let upstream = Upstream::bind();
        let site = Site::new();
        let shown =
            Finished::run(gate::command(&site, &["certs", "show", "certs/client.pem"])).expect_success();
        let hash =
            |prefix: &str| shown.split_whitespace().find(|word| word.starts_with(prefix)).map(str::to_owned);
        let binding = match form {
            "dns" => format!("dns:{CLIENT_NAME}"),
            "cn" => "cn:client".into(),
            prefix => hash(prefix).expect("a binding"),
        };
        let peers = gate::peer(&format!("certificates = [\"{binding}\"]"));
        let gate = Gate::start_in(site, &Setup { peers, ..Setup::tls(upstream.address) });
        let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &verification("SITE", "PACS"), 16384);
        raw::release(requestor, acceptor);
        let other = gate.site.tls(gate.address, "ca", Some("server"));
        assert_eq!(rejection(&other, &verification("SITE", "PACS")), UNKNOWN_CALLING, "{binding}");
        upstream.expect_nobody();
    }
}

#[test]
fn an_encrypted_private_key_opens_with_its_passphrase_only() {
    let upstream = Upstream::bind();
    let site = Site::new();
    encrypt(&site, "certs/server.key", "certs/server-encrypted.key");
    let listener_tls = "certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server-encrypted.key\"\n\
        private-key-passphrase-file = \"conf/passphrase\"\nclient-authentication = \"required\"\nclient-ca = \"certs/ca.pem\"";
    let setup = Setup { listener_tls, ..Setup::tls(upstream.address) };
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration written");
    write_secret(&site, "conf/passphrase", "wrong horse\n");
    let check = Finished::run(gate::command(&site, &["check", "-c", "dimsegate.toml"]));
    assert!(!check.success && check.output.contains("private-key"), "{}", check.output);
    assert!(!check.output.contains("wrong horse"), "a passphrase in a diagnostic");
    write_secret(&site, "conf/passphrase", "correct horse\n");
    let gate = Gate::start_in(site, &setup);
    echo_through(&gate, &gate.tls(), &upstream);
    assert!(!gate.output().contains("correct horse"), "a passphrase in the log");
}

fn encrypt(site: &Site, from: &str, to: &str) {
    let mut openssl = Program::new("openssl");
    openssl.current_dir(site.root()).args([
        "pkcs8",
        "-topk8",
        "-v2",
        "aes-256-cbc",
        "-passout",
        "pass:correct horse",
    ]);
    Finished::run({
        openssl.args(["-in", from, "-out", to]);
        openssl
    })
    .expect_success();
    restrict(site, to);
}

fn write_secret(site: &Site, path: &str, text: &str) {
    fs::write(site.path(path), text).expect("a file written");
    restrict(site, path);
}

fn restrict(site: &Site, path: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(site.path(path), fs::Permissions::from_mode(0o600)).expect("permissions set");
}

#[test]
fn a_new_certificate_at_the_same_place_is_shown_after_a_reload() {
    let upstream = Upstream::bind();
    let setup = Setup::tls(upstream.address);
    let gate = Gate::start(&setup);
    let serial = |gate: &Gate| {
        let stream = gate.tls().connect().expect("a handshake");
        let Connection::Client(stream) = stream else { panic!("TLS") };
        stream.conn.peer_certificates().and_then(|chain| chain.first().cloned()).expect("a certificate")
    };
    let before = serial(&gate);
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &verification("SITE", "PACS"), 16384);
    // The other certificate that the same CA signed for the same names.
    let other = Site::new();
    for file in ["ca.pem", "ca.crl", "server.pem", "server.key", "client.pem", "client.key"] {
        fs::copy(other.path(&format!("certs/{file}")), gate.site.path(&format!("certs/{file}")))
            .expect("a copy");
    }
    let loaded = gate.count("configuration-loaded");
    gate.reload(&setup.toml());
    crate::wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    assert_ne!(serial(&gate), before);
    raw::release(requestor, acceptor);
}

/// Puts what `dimsegate certs` makes where the site's own certificates were; the list names nobody yet.
fn own_certificates(site: &Site, key_type: &str) {
    let made = |arguments: &[&str]| Finished::run(gate::command(site, arguments)).expect_success();
    made(&["certs", "init", "own"]);
    made(&["certs", "issue", "own", "server", "--server", "--san", "localhost", "--key-type", key_type]);
    made(&["certs", "issue", "own", "client", "--client", "--san", CLIENT_NAME]);
    fs::copy(site.path("own/ca.crl.pem"), site.path("certs/ca.crl")).expect("a copy");
    for file in ["ca.pem", "server.pem", "server.key", "client.pem", "client.key"] {
        fs::copy(site.path(&format!("own/{file}")), site.path(&format!("certs/{file}"))).expect("a copy");
    }
}

#[test]
fn a_revocation_counts_after_a_reload_of_the_list_at_its_place() {
    let upstream = Upstream::bind();
    let setup = Setup { listener_tls: WITH_LIST, ..Setup::tls(upstream.address) };
    let site = Site::new();
    own_certificates(&site, "ec-p256");
    let gate = Gate::start_in(site, &setup);
    let client = gate.tls();
    let (requestor, acceptor) = raw::open(&client, &upstream, &verification("SITE", "PACS"), 16384);
    Finished::run(gate::command(&gate.site, &["certs", "revoke", "own", "client"])).expect_success();
    fs::copy(gate.site.path("own/ca.crl.pem"), gate.site.path("certs/ca.crl")).expect("a copy");
    let loaded = gate.count("configuration-loaded");
    gate.reload(&setup.toml());
    crate::wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    let refused = client.connect().and_then(|mut stream| stream.read_exact(&mut [0]));
    assert!(refused.expect_err("a refusal").to_string().contains("CertificateRevoked"));
    assert_eq!(gate.event("connection-refused")["reason"], "certificate-revoked");
    // What was open goes on.
    raw::release(requestor, acceptor);
}

#[test]
fn dcmtk_behind_the_gate_speaks_tls_and_sees_our_certificate() {
    let site = Site::new();
    let [key, certificate, ca] =
        ["pacs.key", "pacs.pem", "ca.pem"].map(|file| site.text(&format!("certs/{file}")));
    let archive = peers::storescp(&["+tls", &key, &certificate, "+cf", &ca]);
    let object = Object::ct(150_000);
    let (_folder, files) = peers::files_of(std::slice::from_ref(&object));
    let gate = Gate::start_in(site, &Setup { upstream_tls: UPSTREAM_TLS, ..Setup::tls(archive.address) });
    let tls = peers::dcmtk_tls(&gate.site);
    let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
    peers::requestor("storescu", gate.address, &[&tls[..], &["-xe"]].concat(), &[&files[0]]).expect_success();
    assert!(archive.stored(1)[0].data_set == object.data_set, "other bytes than were sent");
    // Without a certificate of our own, this upstream refuses us, and the requestor hears of congestion.
    let bare = "[upstream.tls]\nca = \"certs/pacs-ca.pem\"\nserver-name = \"localhost\"";
    let other = Site::new();
    fs::copy(gate.site.path("certs/pacs-ca.pem"), other.path("certs/pacs-ca.pem")).expect("a copy");
    let other = Gate::start_in(other, &Setup { upstream_tls: bare, ..Setup::plain(archive.address) });
    assert_eq!(rejection(&other.plain(), &verification("SITE", "STORESCP")), [0, 2, 3, 1]);
    let rejected = other.event("association-rejected");
    assert_eq!(rejected["reason"], "upstream-tls");
    assert!(
        rejected["explanation"].as_str().is_some_and(|text| text.contains("wants a client certificate")),
        "{rejected}"
    );
}

#[test]
fn an_upstreams_certificate_for_another_name_is_not_trusted() {
    let site = Site::new();
    let [key, certificate] = ["pacs.key", "pacs.pem"].map(|file| site.text(&format!("certs/{file}")));
    let archive = peers::storescp(&["+tls", &key, &certificate, "-ic"]);
    let upstream_tls = "[upstream.tls]\nca = \"certs/pacs-ca.pem\"\nserver-name = \"other.example\"";
    let gate = Gate::start_in(site, &Setup { upstream_tls, ..Setup::plain(archive.address) });
    assert_eq!(rejection(&gate.plain(), &verification("SITE", "PACS")), [0, 2, 3, 1]);
    let rejected = gate.event("association-rejected");
    assert_eq!(rejected["reason"], "upstream-tls");
    assert!(rejected["explanation"].as_str().is_some_and(|text| text.contains("name")), "{rejected}");
}

#[test]
fn a_handshake_that_breaks_off_is_one_record_and_harms_nobody() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::tls(upstream.address));
    let mut nonsense = Peer::plain(gate.address);
    // A handshake record that holds no ClientHello.
    nonsense.try_send(&[&[0x16, 3, 1, 0, 32][..], &[0xAA; 32]].concat());
    nonsense.rest();
    assert_eq!(gate.event("connection-refused")["reason"], "tls-handshake-failed");
    assert_eq!(gate.count("connection-refused"), 1);
    let request = verification("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &request, 16384);
    raw::release(requestor, acceptor);
}

#[test]
fn a_certificate_of_which_no_list_says_anything_is_refused() {
    let upstream = Upstream::bind();
    let site = Site::new();
    // Two CAs, and the list of one of them.
    let both = [site.path("certs/ca.pem"), site.path("certs/stranger-ca.pem")]
        .map(|path| fs::read_to_string(path).expect("a certificate"));
    fs::write(site.path("certs/both.pem"), both.concat()).expect("a file written");
    let listener_tls =
        WITH_LIST.replace("client-ca = \"certs/ca.pem\"", "client-ca = \"certs/both.pem\"").leak();
    let gate = Gate::start_in(site, &Setup { listener_tls, ..Setup::tls(upstream.address) });
    let said = refusal(&gate, "stranger");
    assert!(said.contains("Alert") || said.contains("alert"), "{said}");
    let refused = gate.event("connection-refused");
    assert_eq!(refused["reason"], "certificate-invalid", "{refused}");
    assert!(
        refused["explanation"].as_str().is_some_and(|text| text.contains("revocation list")),
        "{refused}"
    );
    upstream.expect_nobody();
    echo_through(&gate, &gate.tls(), &upstream);
}

#[test]
fn a_client_that_leaves_in_mid_handshake_is_lost_and_not_to_blame() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::tls(upstream.address));
    let mut requestor = Peer::plain(gate.address);
    requestor.send(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC]);
    drop(requestor);
    assert_eq!(gate.event("connection-refused")["reason"], "connection-lost");
    upstream.expect_nobody();
}

#[test]
fn a_role_that_asks_for_tls_1_3_refuses_a_client_of_1_2_by_name_and_takes_one_of_1_3() {
    let upstream = Upstream::bind();
    let roles: &str = concat_static(&[gate::ROLE_ALL, "\nminimum-tls = \"1.3\""]);
    let gate = Gate::start(&Setup { roles, ..Setup::tls(upstream.address) });
    let old = target(&gate, client_of(&gate.site, &[&rustls::version::TLS12]));
    assert_eq!(rejection(&old, &verification("SITE", "PACS")), [0, 1, 1, 1]);
    let rejected = gate.event("association-rejected");
    assert_eq!((&rejected["reason"], &rejected["tls"]["version"]), (&json!("tls-too-old"), &json!("1.2")));
    let why = "it came with TLS 1.2, and role \"all\" of peer \"site\" asks for TLS 1.3";
    assert!(rejected["explanation"].as_str().is_some_and(|told| told.contains(why)), "{rejected}");
    upstream.expect_nobody();
    echo_through(&gate, &target(&gate, client_of(&gate.site, &[&rustls::version::TLS13])), &upstream);
}
