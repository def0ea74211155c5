//! The modality's side of TLS (PS3.15 B.12): a private CA to trust, a certificate to show.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// PEM files of the modality.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub ca: PathBuf,
    pub certificate_chain: PathBuf,
    pub private_key: PathBuf,
}

/// Connects and shakes hands; the listener's certificate has to carry the address that is dialled.
///
/// # Errors
/// What TCP or TLS said, or which file is not what it should be.
pub async fn connect(address: SocketAddr, credentials: &Credentials) -> io::Result<TlsStream<TcpStream>> {
    let connector = TlsConnector::from(Arc::new(configuration(credentials)?));
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    connector.connect(ServerName::from(address.ip()), stream).await
}

/// The session in words: version, cipher suite, key exchange.
pub fn session(stream: &TlsStream<TcpStream>) -> String {
    let connection = stream.get_ref().1;
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    };
    let group = connection.negotiated_key_exchange_group();
    group.map_or_else(|| version.to_owned(), |group| format!("{version}, {:?}", group.name()))
}

fn configuration(credentials: &Credentials) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(&credentials.ca)? {
        roots.add(authority).map_err(|error| unusable(&credentials.ca, &error))?;
    }
    let key = PrivateKeyDer::from_pem_file(&credentials.private_key)
        .map_err(|error| unusable(&credentials.private_key, &error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_client_auth_cert(certificates(&credentials.certificate_chain)?, key)
        .map_err(|error| unusable(&credentials.certificate_chain, &error))
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, reason: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {reason}", path.display()))
}
