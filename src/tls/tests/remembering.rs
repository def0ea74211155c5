//! What a chain that is remembered spares, and what it does not.

use super::site::{Outcome, Site, client_config, server_config, shake_configs};
use crate::tls::config::provider;
use crate::tls::trust::{Listed, Sources, Trust, Verifies};
use crate::tls::*;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use time::{Duration, OffsetDateTime};

/// Counts the chains that it is asked about.
#[derive(Debug)]
struct Counting<V: ?Sized> {
    verifier: Arc<V>,
    chains: AtomicU64,
}

impl<V: ?Sized> Counting<V> {
    fn new(verifier: Arc<V>) -> Arc<Self> {
        Arc::new(Self { verifier, chains: AtomicU64::new(0) })
    }

    fn counted(&self) -> u64 {
        self.chains.load(Ordering::Relaxed)
    }
}

type Signed = Result<HandshakeSignatureValid, Error>;

/// Signatures are none of its business.
fn unasked() -> Signed {
    Err(Error::General("the verifier of chains was asked about a signature".into()))
}

impl ClientCertVerifier for Counting<dyn ClientCertVerifier> {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.chains.fetch_add(1, Ordering::Relaxed);
        self.verifier.verify_client_cert(own, others, now)
    }

    fn verify_tls12_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct) -> Signed {
        unasked()
    }

    fn verify_tls13_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct) -> Signed {
        unasked()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

impl ServerCertVerifier for Counting<dyn ServerCertVerifier> {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.chains.fetch_add(1, Ordering::Relaxed);
        self.verifier.verify_server_cert(own, others, name, stapled, now)
    }

    fn verify_tls12_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct) -> Signed {
        unasked()
    }

    fn verify_tls13_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct) -> Signed {
        unasked()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

fn roots(site: &Site) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(site.at("ca.pem")).unwrap()).unwrap();
    Arc::new(roots)
}

/// Trust in the site's CA by this verifier.
fn trust<V: Verifies + ?Sized>(site: &Site, role: Role, verifier: &Arc<V>) -> Arc<Trust<V>> {
    let listed = Listed::of("ca", &site.at("ca.pem"), &mut Vec::new()).unwrap();
    let (listed, provider) = (&listed[..], &provider());
    let sources = Sources { listed, pins: &[], lists: &[], role, mandatory: true, provider };
    Arc::new(Trust::new(&sources, |_| Ok(verifier.clone())).unwrap())
}

fn name(name: &str) -> ServerName<'static> {
    ServerName::try_from(name.to_owned()).unwrap()
}

#[test]
fn a_clients_chain_is_verified_once() {
    let site = Site::new();
    let webpki = WebPkiClientVerifier::builder_with_provider(roots(&site), provider()).build().unwrap();
    let counting = Counting::<dyn ClientCertVerifier>::new(webpki);
    let verifier: Arc<dyn ClientCertVerifier> = counting.clone();
    let mut server = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(trust(&site, Role::Client, &verifier))
        .with_cert_resolver(server_config(&site.server()).unwrap().cert_resolver.clone());
    server.send_tls13_tickets = 0;
    let server = Arc::new(server);
    let new = client_config(&site.client(Some("lyon"))).unwrap();
    for client in [new.clone(), new, site.old_client(Some("lyon"))] {
        assert_eq!(shake_configs(&server, &client, name("proxy.example")).labels(), ("ok", "ok"));
    }
    assert_eq!(counting.counted(), 1);
    site.issue("rome", &["gw.rome.example"], |request| request.server = false);
    let other = client_config(&site.client(Some("rome"))).unwrap();
    assert_eq!(shake_configs(&server, &other, name("proxy.example")).labels(), ("ok", "ok"));
    assert_eq!(counting.counted(), 2);
}

#[test]
fn an_upstreams_chain_is_verified_once_for_each_name() {
    let site = Site::new();
    let webpki = WebPkiServerVerifier::builder_with_provider(roots(&site), provider()).build().unwrap();
    let counting = Counting::<dyn ServerCertVerifier>::new(webpki);
    let verifier: Arc<dyn ServerCertVerifier> = counting.clone();
    let mut client = ClientConfig::clone(&client_config(&site.client(Some("lyon"))).unwrap());
    client.dangerous().set_certificate_verifier(trust(&site, Role::Server, &verifier));
    let (client, server) = (Arc::new(client), server_config(&site.server()).unwrap());
    for _ in 0..3 {
        assert_eq!(shake_configs(&server, &client, name("proxy.example")).labels(), ("ok", "ok"));
    }
    assert_eq!(counting.counted(), 1);
    let wrong = shake_configs(&server, &client, name("pacs.example"));
    assert_eq!(wrong.labels(), ("peer-alert", "certificate-wrong-name"));
    assert_eq!(counting.counted(), 2);
}

#[test]
fn who_has_no_key_to_a_certificate_is_refused_although_its_chain_is_remembered() {
    let site = Site::new();
    site.issue("thief", &["thief.example"], |_| ());
    let server = server_config(&site.server()).unwrap();
    let client = client_config(&site.client(Some("lyon"))).unwrap();
    let own = |name: &str| vec![CertificateDer::from_pem_file(site.at(&format!("{name}.pem"))).unwrap()];
    let key = PrivateKeyDer::from_pem_file(site.at("thief.key")).unwrap();
    let key = provider().key_provider.load_private_key(key).unwrap();
    let mut thief = ClientConfig::clone(&client);
    thief.client_auth_cert_resolver =
        Arc::new(SingleCertAndKey::from(CertifiedKey::new(own("lyon"), key.clone())));
    let thief = Arc::new(thief);
    let shake = |client| shake_configs(&server, client, name("proxy.example")).labels();
    assert_eq!(shake(&client), ("ok", "ok"));
    for _ in 0..2 {
        assert_eq!(shake(&thief), ("certificate-invalid", "peer-alert"));
    }
    assert_eq!(shake(&client), ("ok", "ok"));

    // The same of an upstream.
    let mut upstream = rustls::ServerConfig::clone(&server);
    upstream.cert_resolver = Arc::new(SingleCertAndKey::from(CertifiedKey::new(own("server"), key)));
    let outcome = shake_configs(&Arc::new(upstream), &client, name("proxy.example"));
    assert_eq!(outcome.labels(), ("peer-alert", "certificate-invalid"));
}

/// A clock that is set.
#[derive(Debug)]
struct Clock(AtomicU64);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(self.0.load(Ordering::Relaxed))))
    }
}

#[test]
fn a_certificate_and_a_list_end_in_their_last_second_although_a_chain_is_remembered() {
    let site = Site::new();
    let now = OffsetDateTime::now_utc();
    let seconds = |later: i64| u64::try_from((now + Duration::seconds(later)).unix_timestamp()).unwrap();
    let list = site.list("list.pem", &[], 30, 30);
    site.issue("ending", &["a.example"], |request| request.not_after = now + Duration::seconds(5));
    let shake = |revocation_lists, own: &str, at: &[i64]| {
        let settings = ServerSettings { revocation_lists, ..site.server() };
        let mut server = rustls::ServerConfig::clone(&server_config(&settings).unwrap());
        let clock = Arc::new(Clock(AtomicU64::new(0)));
        server.time_provider = clock.clone();
        let server = Arc::new(server);
        let client = client_config(&site.client(Some(own))).unwrap();
        let each = |&later: &i64| -> Outcome {
            clock.0.store(seconds(later), Ordering::Relaxed);
            shake_configs(&server, &client, name("proxy.example"))
        };
        at.iter().map(|later| each(later).labels().0).collect::<Vec<_>>()
    };
    assert_eq!(shake(vec![], "ending", &[0, 5, 6, 5]), ["ok", "ok", "certificate-expired", "ok"]);
    // Made thirty days ago for thirty days.
    let around = [-4, -3, 2, -2];
    let expected = ["ok", "ok", "revocation-list-expired", "ok"];
    assert_eq!(shake(vec![list], "lyon", &around), expected);
}
