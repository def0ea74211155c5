//! Who asks.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::identity::Certificate;

/// Who asks, as the connection proves it. An extension of each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Where the connection comes from.
    pub source: Source,
    /// Shown and verified in the handshake.
    pub certificate: Option<Arc<Certificate>>,
    /// Where the connection came in, of one between addresses.
    pub own: Option<SocketAddr>,
    /// Whether that is behind TLS.
    pub has_tls: bool,
}

/// Where a connection comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A process of this machine, as the kernel says (SO_PEERCRED, unix(7)).
    Unix {
        /// The effective user.
        uid: u32,
        /// The effective group; the user may be in more.
        gid: u32,
        /// The process that connected, where the kernel knows it.
        pid: Option<i32>,
    },
    /// An address and a port.
    Address(SocketAddr),
}
