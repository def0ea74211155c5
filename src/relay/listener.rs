//! Accepting connections: a permit before each accept, never a handshake on the accept loop.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use super::gate::{Gate, Stage};
use super::session;
use super::slots::Slot;

/// Connections that wait in the kernel for an accept.
const BACKLOG: u32 = 1024;

/// The longest wait after an accept that failed, as when the process has no file descriptors left.
const LONGEST_BACKOFF: Duration = Duration::from_secs(1);

/// A listener that is bound to its address and may accept connections.
pub(crate) struct Listener {
    /// Each connection takes the settings of this name that are in force when it comes.
    pub name: Arc<str>,
    /// As its settings say; those of another listener at another address are not for whoever came here.
    pub address: SocketAddr,
    /// Shared with the listener that follows it at the same address, until it has ended.
    pub socket: Arc<TcpListener>,
    /// Gone when this listener has let go of the socket.
    pub holds: oneshot::Sender<Infallible>,
}

/// Binds, with the address free again at once after a restart.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Listener {
    /// Accepts until the proxy drains or a reload takes the listener away, then waits for what it accepted.
    pub(super) async fn run(self, gate: Arc<Gate>, mut removed: watch::Receiver<bool>) {
        let mut stage = gate.stage.clone();
        let mut sessions = JoinSet::new();
        let mut backoff = Duration::ZERO;
        loop {
            let accepted = tokio::select! {
                // Whoever comes from now on is for the listener that has the socket next.
                biased;
                _ = removed.wait_for(|removed| *removed) => break,
                _ = stage.wait_for(|stage| *stage != Stage::Running) => break,
                Some(ended) = sessions.join_next() => {
                    report(ended);
                    continue;
                }
                accepted = self.accept(&gate) => accepted,
            };
            match accepted {
                Ok((slot, socket, from)) => {
                    backoff = Duration::ZERO;
                    let (gate, name, address) = (gate.clone(), self.name.clone(), self.address);
                    sessions.spawn(async move {
                        session::serve((gate, slot), (&name, address), socket, from).await;
                    });
                }
                Err(error) => {
                    backoff = (backoff * 2).clamp(Duration::from_millis(5), LONGEST_BACKOFF);
                    tracing::error!(%error, "accepting a connection failed, trying again in {backoff:?}");
                    tokio::time::sleep(backoff).await;
                }
            }
        }
        drop(self.socket);
        drop(self.holds);
        while let Some(ended) = sessions.join_next().await {
            report(ended);
        }
    }

    async fn accept(&self, gate: &Gate) -> io::Result<(Slot, TcpStream, SocketAddr)> {
        let slot = gate.slots.take().await?;
        let (socket, from) = self.socket.accept().await?;
        Ok((slot, socket, from))
    }
}

/// A defect that ends one connection must not go unseen, and must not end another. One of an association that is open has been
/// [caught](super::caught), and recorded.
fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection ended by a defect of dimsegate; please report it");
    }
}
