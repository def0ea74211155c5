//! A CA, certificates and settings in a temporary directory, and handshakes in memory.

use crate::scratch::Scratch;
use crate::tls::authority::{Directory, Request, Revoked};
use crate::tls::*;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

pub(crate) struct Site {
    pub home: Scratch,
    pub ca: Directory,
}

impl Site {
    /// `server` for proxy.example and 127.0.0.1, `lyon` for gw.lyon.example.
    pub(crate) fn new() -> Self {
        Self::of("site CA")
    }

    /// With a CA of that name.
    pub(crate) fn of(ca: &str) -> Self {
        let home = Scratch::new();
        let ca = Directory::create(home.path(), ca).unwrap();
        let site = Self { home, ca };
        site.issue("server", &["proxy.example", "127.0.0.1"], |request| request.client = false);
        site.issue("lyon", &["gw.lyon.example"], |request| request.server = false);
        site
    }

    pub(crate) fn issue(&self, name: &str, names: &[&str], change: impl FnOnce(&mut Request)) -> Vec<u8> {
        let mut request = Request::new(name, names.iter().map(|name| name.parse().unwrap()).collect());
        change(&mut request);
        self.ca.issue(name, &request).unwrap().serial
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A list made so many days ago for so many days, in a file of its own.
    pub(crate) fn list(&self, name: &str, revoked: &[Vec<u8>], made: i64, life: i64) -> PathBuf {
        let from = OffsetDateTime::now_utc() - Duration::days(made);
        let revoked: Vec<_> =
            revoked.iter().map(|serial| Revoked { serial: serial.clone(), at: from }).collect();
        let pem =
            self.ca.authority().revocation_list(&revoked, 2, from, from + Duration::days(life)).unwrap();
        fs::write(self.at(name), pem).unwrap();
        self.at(name)
    }

    pub(crate) fn server(&self) -> ServerSettings {
        ServerSettings {
            certificate_chain: self.at("server.pem"),
            private_key: self.at("server.key"),
            private_key_passphrase_file: None,
            client_authentication: ClientAuthentication::Required,
            client_ca: vec![self.at("ca.pem")],
            pins: Vec::new(),
            revocation_lists: Vec::new(),
            profile: Profile::Bcp195,
        }
    }

    /// With the certificate of that name, or none.
    pub(crate) fn client(&self, name: Option<&str>) -> ClientSettings {
        ClientSettings {
            ca: vec![self.at("ca.pem")],
            pins: Vec::new(),
            server_name: "proxy.example".into(),
            certificate_chain: name.map(|name| self.at(&format!("{name}.pem"))),
            private_key: name.map(|name| self.at(&format!("{name}.key"))),
            private_key_passphrase_file: None,
            revocation_lists: Vec::new(),
            profile: Profile::Bcp195,
        }
    }

    /// The same client, with TLS 1.2 only.
    pub(crate) fn old_client(&self, name: Option<&str>) -> Arc<ClientConfig> {
        use rustls::pki_types::pem::PemObject;
        use rustls::pki_types::{CertificateDer, PrivateKeyDer};
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.at("ca.pem")).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(crate::tls::config::provider())
            .with_protocol_versions(&[&rustls::version::TLS12])
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match name {
            None => builder.with_no_client_auth(),
            Some(name) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_file(self.at(&format!("{name}.pem"))).unwrap()],
                    PrivateKeyDer::from_pem_file(self.at(&format!("{name}.key"))).unwrap(),
                )
                .unwrap(),
        })
    }
}

/// Both ends after a handshake, or the reason of each that it failed.
pub(crate) struct Outcome {
    pub server: Result<ServerConnection, HandshakeFailure>,
    pub client: Result<ClientConnection, HandshakeFailure>,
}

impl Outcome {
    /// Labels of the server's and the client's reason; `ok` where there is none.
    pub(crate) fn labels(&self) -> (&'static str, &'static str) {
        (
            self.server.as_ref().map_or_else(|failure| failure.fault.label(), |_| "ok"),
            self.client.as_ref().map_or_else(|failure| failure.fault.label(), |_| "ok"),
        )
    }

    /// The alert that each end saw or sent.
    pub(crate) fn alerts(&self) -> (Option<&str>, Option<&str>) {
        (
            self.server.as_ref().err().and_then(|failure| failure.alert.as_deref()),
            self.client.as_ref().err().and_then(|failure| failure.alert.as_deref()),
        )
    }
}

pub(crate) fn server_config(settings: &ServerSettings) -> Result<Arc<ServerConfig>, TlsError> {
    server(settings).map(|built| built.config)
}

pub(crate) fn client_config(settings: &ClientSettings) -> Result<Arc<ClientConfig>, TlsError> {
    client(settings).map(|built| built.config)
}

pub(crate) fn shake(server: &ServerSettings, client: &ClientSettings) -> Outcome {
    let name = server_name(client).unwrap();
    shake_configs(&server_config(server).unwrap(), &client_config(client).unwrap(), name)
}

pub(crate) fn shake_configs(
    server: &Arc<ServerConfig>,
    client: &Arc<ClientConfig>,
    name: rustls::pki_types::ServerName<'static>,
) -> Outcome {
    let mut server = ServerConnection::new(server.clone()).unwrap();
    let mut client = ClientConnection::new(client.clone(), name).unwrap();
    let (mut server_error, mut client_error) = (None, None);
    // Two flights each way, and a turn for alerts and tickets.
    for _ in 0..5 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        server_error = server_error.or_else(|| deliver(&bytes, &mut server));
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        client_error = client_error.or_else(|| deliver(&bytes, &mut client));
    }
    let over = |handshaking: bool| {
        if handshaking { Some(handshake_failure(&io::ErrorKind::UnexpectedEof.into())) } else { None }
    };
    let server_error = server_error.or_else(|| over(server.is_handshaking()));
    let client_error = client_error.or_else(|| over(client.is_handshaking()));
    Outcome { server: server_error.map_or(Ok(server), Err), client: client_error.map_or(Ok(client), Err) }
}

fn deliver<D>(mut bytes: &[u8], to: &mut rustls::ConnectionCommon<D>) -> Option<HandshakeFailure> {
    while !bytes.is_empty() {
        to.read_tls(&mut bytes).unwrap();
        if let Err(error) = to.process_new_packets() {
            // As the streams wrap it.
            let error = io::Error::new(io::ErrorKind::InvalidData, crate::tls::refusal::carried(error));
            return Some(handshake_failure(&error));
        }
    }
    None
}

/// What a server makes of these first bytes.
pub(crate) fn first_bytes(server: &ServerSettings, bytes: &[u8]) -> HandshakeFailure {
    let mut connection = ServerConnection::new(server_config(server).unwrap()).unwrap();
    deliver(bytes, &mut connection).unwrap()
}
