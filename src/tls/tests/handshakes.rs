//! Who is let in and who is not, and what each side is told.

use super::site::{Site, client_config, first_bytes, server_config, shake, shake_configs};
use crate::tls::*;
use rustls::HandshakeKind;
use rustls::client::Resumption;
use rustls::server::ServerSessionMemoryCache;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

fn of_server(connection: &rustls::ServerConnection) -> Session {
    Session::of_server(connection, connection.server_name(), None)
}

#[test]
fn mutual_tls_proves_the_certificate_and_agrees_on_the_hybrid_group() {
    let site = Site::new();
    let outcome = shake(&site.server(), &site.client(Some("lyon")));
    let session = of_server(&outcome.server.unwrap());
    assert_eq!(session.version, "1.3");
    assert_eq!(session.cipher, "TLS_AES_256_GCM_SHA384");
    assert_eq!(session.group.as_deref(), Some("X25519MLKEM768"));
    assert_eq!(session.sni.as_deref(), Some("proxy.example"));
    let certificate = session.certificate.unwrap();
    assert_eq!(certificate.subject, "CN=lyon");
    assert_eq!(certificate.san, ["dns:gw.lyon.example"]);
    let upstream = Session::of_client(&outcome.client.unwrap());
    assert_eq!(upstream.certificate.unwrap().common_name.as_deref(), Some("server"));
    assert_eq!((upstream.version, upstream.sni), ("1.3", None));
}

#[test]
fn tls_1_2_is_spoken_where_the_profile_has_it() {
    let site = Site::new();
    let name = server_name(&site.client(None)).unwrap();
    let both = server_config(&site.server()).unwrap();
    let outcome = shake_configs(&both, &site.old_client(Some("lyon")), name.clone());
    let session = of_server(&outcome.server.unwrap());
    assert_eq!(session.version, "1.2");
    assert_eq!(session.cipher, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    assert!(session.certificate.is_some());

    let only_13 = server_config(&ServerSettings { profile: Profile::Tls13, ..site.server() }).unwrap();
    let outcome = shake_configs(&only_13, &site.old_client(Some("lyon")), name.clone());
    assert_eq!(outcome.labels(), ("tls-version", "peer-alert"));
    assert_eq!(outcome.alerts(), (Some("protocol_version"), Some("protocol_version")));

    let outcome = shake_configs(&both, &site.old_client(None), name);
    assert_eq!(outcome.labels().0, "certificate-missing");
}

#[test]
fn a_client_without_a_good_certificate_is_refused_with_the_reason() {
    let site = Site::new();
    let elsewhere = Site::of("another CA");
    let now = OffsetDateTime::now_utc();
    site.issue("wrong", &["a.example"], |request| request.client = false);
    site.issue("expired", &["a.example"], |request| {
        request.not_before = now - Duration::days(9);
        request.not_after = now - Duration::days(1);
    });
    site.issue("early", &["a.example"], |request| request.not_before = now + Duration::days(1));
    let foreign = ClientSettings { ca: vec![site.at("ca.pem")], ..elsewhere.client(Some("lyon")) };
    let cases = [
        (site.client(None), "certificate-missing", "certificate_required"),
        (site.client(Some("wrong")), "certificate-wrong-purpose", "unsupported_certificate"),
        (foreign, "certificate-unknown-issuer", "unknown_ca"),
        (site.client(Some("expired")), "certificate-expired", "certificate_expired"),
        (site.client(Some("early")), "certificate-not-yet-valid", "certificate_expired"),
    ];
    for (client, label, alert) in cases {
        let outcome = shake(&site.server(), &client);
        assert_eq!(outcome.labels(), (label, "peer-alert"));
        assert_eq!(outcome.alerts(), (Some(alert), Some(alert)), "{label}");
    }
}

#[test]
fn revocation_is_enforced_and_so_is_the_end_of_a_list() {
    let site = Site::new();
    let serial = site.issue("bad", &["b.example"], |_| ());
    let elsewhere = Site::of("another CA");
    let revoked = site.list("list.pem", &[serial], 1, 30);
    let expired = site.list("expired.pem", &[], 31, 30);
    let cases = [
        (vec![revoked.clone()], "bad", "certificate-revoked", Some("certificate_revoked")),
        (vec![revoked.clone()], "lyon", "ok", None),
        (vec![elsewhere.at("ca.crl.pem")], "lyon", "revocation-unknown", Some("unknown_ca")),
        (vec![elsewhere.at("ca.crl.pem"), revoked], "lyon", "ok", None),
        (vec![expired], "lyon", "revocation-list-expired", Some("unknown_ca")),
    ];
    for (revocation_lists, name, label, alert) in cases {
        let server = ServerSettings { revocation_lists, ..site.server() };
        let outcome = shake(&server, &site.client(Some(name)));
        assert_eq!((outcome.labels().0, outcome.alerts()), (label, (alert, alert)));
    }
}

#[test]
fn a_ca_made_anew_under_the_same_name_is_not_the_same_ca() {
    let (site, again) = (Site::new(), Site::new());
    let client = ClientSettings { ca: vec![site.at("ca.pem")], ..again.client(Some("lyon")) };
    let outcome = shake(&site.server(), &client);
    assert_eq!(outcome.labels(), ("certificate-invalid", "peer-alert"));
    let detail = outcome.server.unwrap_err().detail;
    assert!(detail.contains("a CA of the same name"), "{detail}");
    let server = ServerSettings { revocation_lists: vec![again.at("ca.crl.pem")], ..site.server() };
    let outcome = shake(&server, &site.client(Some("lyon")));
    assert_eq!(outcome.labels(), ("revocation-unknown", "peer-alert"));
    assert_eq!(outcome.alerts(), (Some("handshake_failure"), Some("handshake_failure")));
}

#[test]
fn a_list_in_der_counts_as_well() {
    let site = Site::new();
    let serial = site.issue("bad", &["b.example"], |_| ());
    let pem = std::fs::read(site.list("list.pem", &[serial], 1, 30)).unwrap();
    let der = x509_parser::pem::Pem::iter_from_buffer(&pem).next().unwrap().unwrap().contents;
    std::fs::write(site.at("list.der"), der).unwrap();
    let server = ServerSettings { revocation_lists: vec![site.at("list.der")], ..site.server() };
    assert_eq!(shake(&server, &site.client(Some("bad"))).labels().0, "certificate-revoked");
    assert_eq!(shake(&server, &site.client(Some("lyon"))).labels(), ("ok", "ok"));
}

#[test]
fn optional_lets_the_silent_in_but_not_the_foreign() {
    let site = Site::new();
    let elsewhere = Site::of("another CA");
    let server = ServerSettings { client_authentication: ClientAuthentication::Optional, ..site.server() };
    let silent = shake(&server, &site.client(None)).server.unwrap();
    assert_eq!(of_server(&silent).certificate, None);
    let known = shake(&server, &site.client(Some("lyon"))).server.unwrap();
    assert!(of_server(&known).certificate.is_some());
    let foreign = ClientSettings { ca: vec![site.at("ca.pem")], ..elsewhere.client(Some("lyon")) };
    assert_eq!(shake(&server, &foreign).labels().0, "certificate-unknown-issuer");

    let off = ServerSettings {
        client_authentication: ClientAuthentication::Off,
        client_ca: Vec::new(),
        ..site.server()
    };
    let outcome = shake(&off, &site.client(Some("lyon")));
    assert_eq!(of_server(&outcome.server.unwrap()).certificate, None);
}

#[test]
fn no_session_is_resumed() {
    let site = Site::new();
    let name = server_name(&site.client(None)).unwrap();
    let server = server_config(&site.server()).unwrap();
    let mut eager = (*client_config(&site.client(Some("lyon"))).unwrap()).clone();
    eager.resumption = Resumption::in_memory_sessions(8);
    let mut old_eager = (*site.old_client(Some("lyon"))).clone();
    old_eager.resumption = Resumption::in_memory_sessions(8);
    for client in [Arc::new(eager.clone()), Arc::new(old_eager)] {
        for _ in 0..2 {
            let outcome = shake_configs(&server, &client, name.clone());
            assert_eq!(outcome.server.unwrap().handshake_kind(), Some(HandshakeKind::Full));
        }
    }
    // The same client does resume where a server lets it.
    let mut lax = (*server).clone();
    lax.session_storage = ServerSessionMemoryCache::new(8);
    lax.send_tls13_tickets = 1;
    let (lax, eager) = (Arc::new(lax), Arc::new(eager));
    shake_configs(&lax, &eager, name.clone());
    let again = shake_configs(&lax, &eager, name);
    assert_eq!(again.server.unwrap().handshake_kind(), Some(HandshakeKind::Resumed));
}

#[test]
fn an_upstream_is_held_to_its_name_its_ca_and_its_list() {
    let site = Site::new();
    let elsewhere = Site::of("another CA");
    let off = ServerSettings { client_authentication: ClientAuthentication::Off, ..site.server() };
    let named = |name: &str| ClientSettings { server_name: name.into(), ..site.client(None) };
    assert_eq!(shake(&off, &named("127.0.0.1")).labels(), ("ok", "ok"));
    let wrong = shake(&off, &named("pacs.example"));
    assert_eq!(wrong.labels(), ("peer-alert", "certificate-wrong-name"));
    assert_eq!(wrong.alerts().0, Some("bad_certificate"));
    let detail = wrong.client.unwrap_err().detail;
    assert!(detail.contains("pacs.example") && detail.contains("configured server name"), "{detail}");
    let foreign = ClientSettings { ca: vec![elsewhere.at("ca.pem")], ..site.client(None) };
    assert_eq!(shake(&off, &foreign).labels().1, "certificate-unknown-issuer");
    site.ca.revoke("server").unwrap();
    let listed = ClientSettings { revocation_lists: vec![site.at("ca.crl.pem")], ..site.client(None) };
    assert_eq!(shake(&off, &listed).labels().1, "certificate-revoked");
    let expired = site.list("expired.pem", &[], 31, 30);
    let late = ClientSettings { revocation_lists: vec![expired], ..site.client(None) };
    assert_eq!(shake(&off, &late).labels().1, "revocation-list-expired");
}

#[test]
fn other_protocols_on_a_tls_port_are_told_from_bad_tls() {
    let site = Site::new();
    for bytes in
        [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], &[1, 0, 0, 0, 0, 0xcd, 0, 1, 0, 0], b"SSH-2.0-x\r\n"]
    {
        assert_eq!(first_bytes(&site.server(), bytes).fault.label(), "not-tls", "{}", bytes.escape_ascii());
    }
}

#[test]
fn reasons_outside_tls_have_their_labels() {
    use std::io::{Error, ErrorKind};
    let label = |kind: ErrorKind| handshake_failure(&Error::from(kind)).fault.label();
    assert_eq!(label(ErrorKind::TimedOut), "timeout");
    assert_eq!(label(ErrorKind::UnexpectedEof), "peer-closed");
    assert_eq!(label(ErrorKind::ConnectionReset), "peer-closed");
    assert_eq!(label(ErrorKind::OutOfMemory), "other");
}
