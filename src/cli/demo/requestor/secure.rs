//! The modality's side of TLS (PS3.15 B.12): a private CA to trust, a certificate to show.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;

use crate::tls::{self, ClientSettings, ClientStream, Profile, Session};
use crate::upper;

/// PEM files of the modality.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub ca: PathBuf,
    pub certificate_chain: PathBuf,
    pub private_key: PathBuf,
}

/// Connects and shakes hands; the listener's certificate has to carry the address that is dialled.
///
/// # Errors
/// What TCP or TLS said, or which file is not what it should be.
pub(crate) async fn connect(address: SocketAddr, credentials: &Credentials) -> io::Result<ClientStream> {
    let client = tls::client(&settings(address, credentials)).map_err(io::Error::other)?;
    let socket = TcpStream::connect(address).await?;
    upper::prepare(&socket)?;
    ClientStream::connect(client.config, ServerName::from(address.ip()), socket).await
}

/// The session in words: version, key exchange.
pub(crate) fn session(stream: &ClientStream) -> String {
    let Session { version, group, .. } = Session::of_client(stream.state());
    match group {
        Some(group) => format!("TLS {version}, {group}"),
        None => format!("TLS {version}"),
    }
}

fn settings(address: SocketAddr, credentials: &Credentials) -> ClientSettings {
    ClientSettings {
        ca: vec![credentials.ca.clone()],
        pins: Vec::new(),
        server_name: address.ip().to_string(),
        certificate_chain: Some(credentials.certificate_chain.clone()),
        private_key: Some(credentials.private_key.clone()),
        private_key_passphrase_file: None,
        revocation_lists: Vec::new(),
        profile: Profile::Bcp195,
    }
}
