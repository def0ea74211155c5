//! From an address to a connection: TCP, a PROXY protocol header where the upstream wants one, TLS with a verified name.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Dialled, NotReached};
use crate::config::UpstreamSettings;
use crate::tls::{ClientStream, Session};
use crate::upper;
use crate::vocabulary::Reason;

/// Connects to one address. `header` is what it is told first; `extra`, how much longer than `connect-timeout` its TLS handshake
/// may take. Its system connects in its place, so an upstream that serves one connection at a time is slow there first.
///
/// # Errors
/// What went wrong.
pub(in crate::relay) async fn dial(
    upstream: &UpstreamSettings,
    address: SocketAddr,
    header: &[u8],
    extra: Duration,
) -> Result<Dialled, NotReached> {
    let socket = connect(upstream.connect_timeout, address, header).await?;
    let Some(tls) = &upstream.tls else {
        return Ok(Dialled::new(Box::new(socket), address, None));
    };
    let name = server_name(&tls.settings.server_name)?;
    let connecting = ClientStream::connect(Arc::clone(&tls.built.config), name, socket);
    let patience = upstream.connect_timeout.saturating_add(extra);
    let stream = timeout(patience, connecting).await.map_err(|_| late("the TLS handshake", patience))?;
    let stream = stream.map_err(|error| {
        let failure = crate::tls::handshake_failure(&error);
        NotReached::new(Reason::UpstreamTls, format!("TLS: {} ({})", failure.detail, failure.fault.label()))
    })?;
    let session = Session::of_client(stream.state());
    Ok(Dialled::new(Box::new(stream), address, Some(session)))
}

async fn connect(patience: Duration, address: SocketAddr, header: &[u8]) -> Result<TcpStream, NotReached> {
    let connecting = async {
        let mut socket = TcpStream::connect(address).await?;
        upper::prepare(&socket)?;
        socket.write_all(header).await?;
        Ok(socket)
    };
    let unreachable = |error: io::Error| NotReached::new(Reason::UpstreamUnreachable, error.to_string());
    let connected = timeout(patience, connecting).await.map_err(|_| late("connecting", patience));
    let connected = connected.and_then(|connected| connected.map_err(unreachable));
    connected.map_err(|failed| NotReached { connected: false, ..failed })
}

fn late(what: &str, patience: Duration) -> NotReached {
    NotReached::new(Reason::UpstreamUnreachable, format!("{what} took longer than {patience:?}"))
}

fn server_name(name: &str) -> Result<ServerName<'static>, NotReached> {
    ServerName::try_from(name.to_owned()).map_err(|_| {
        NotReached::new(Reason::UpstreamTls, format!("\"{name}\" is neither a DNS name nor an address"))
    })
}
