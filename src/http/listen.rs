//! Where to listen, and why that cannot be had.

use std::fmt;
use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixSocket, UnixStream};

use super::Bounds;

/// Connections that wait in the kernel for an accept.
const BACKLOG: u32 = 128;

/// Owner and group may connect.
const MODE: u32 = 0o660;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An address; port 0 is one that the system chooses.
    Address(SocketAddr),
    /// A Unix socket, for its owner and its group.
    Unix(PathBuf),
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Why nobody can listen there.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {listen}: {why}")]
pub struct BindError {
    listen: Listen,
    why: Why,
}

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("another program listens there already; stop it, or choose another port")]
    AddressTaken,
    #[error(
        "ports below 1024 need privileges; choose a higher one, or give the process CAP_NET_BIND_SERVICE"
    )]
    Privileges,
    #[error("no interface of this machine has that address")]
    NotHere,
    #[error("another process answers at that socket; stop it, or choose another path")]
    SocketTaken,
    #[error("there is a file at that path that is no socket; it was left as it is, choose another path")]
    NoSocket,
    #[error("there is no folder {}; make it", .0.display())]
    NoFolder(PathBuf),
    #[error("no socket can be made in {} ({error}); the user of this process has to be able to write there", .folder.display())]
    Folder { folder: PathBuf, error: io::Error },
    #[error("the path is too long for a socket; 107 bytes are the most")]
    TooLong,
    #[error("{0}")]
    Other(#[from] io::Error),
}

/// A socket at which nobody is answered yet.
pub struct Bound {
    pub(super) socket: Socket,
    pub(super) listen: Listen,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) bounds: Bounds,
}

pub(super) enum Socket {
    Tcp(TcpListener),
    Unix { listener: UnixListener, _file: Made },
}

/// A socket's file, which goes with it as long as it is still the one that was made.
pub(super) struct Made {
    path: PathBuf,
    which: Option<(u64, u64)>,
}

impl Drop for Made {
    fn drop(&mut self) {
        if which(&self.path).is_some_and(|which| Some(which) == self.which) {
            // Whoever listens there next removes what is left.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The device and the number of a file.
fn which(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Listens, with `tls` for each connection where there is one. Whoever connects waits until it is served.
///
/// # Errors
/// [`BindError`] says what is in the way, and what to do.
pub async fn bind(
    listen: &Listen,
    tls: Option<Arc<ServerConfig>>,
    bounds: Bounds,
) -> Result<Bound, BindError> {
    let bound = match listen {
        Listen::Address(address) => tcp(*address).map_err(of_address),
        Listen::Unix(path) => unix(path).await,
    };
    let refused = |why| BindError { listen: listen.clone(), why };
    let (socket, listen) = bound.map_err(refused)?;
    Ok(Bound { socket, listen, tls, bounds })
}

fn tcp(address: SocketAddr) -> io::Result<(Socket, Listen)> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let listen = Listen::Address(listener.local_addr()?);
    Ok((Socket::Tcp(listener), listen))
}

fn of_address(error: io::Error) -> Why {
    match error.kind() {
        io::ErrorKind::AddrInUse => Why::AddressTaken,
        io::ErrorKind::PermissionDenied => Why::Privileges,
        io::ErrorKind::AddrNotAvailable => Why::NotHere,
        _ => Why::Other(error),
    }
}

async fn unix(path: &Path) -> Result<(Socket, Listen), Why> {
    make_room(path).await?;
    let socket = UnixSocket::new_stream()?;
    socket.bind(path).map_err(|error| of_path(path, error))?;
    let made = Made { path: path.to_owned(), which: which(path) };
    // Nobody can connect before it listens, and so nobody who may not.
    fs::set_permissions(path, Permissions::from_mode(MODE))?;
    let socket = Socket::Unix { listener: socket.listen(BACKLOG)?, _file: made };
    Ok((socket, Listen::Unix(path.to_owned())))
}

/// A socket whose process is gone stays behind, and is in the way.
async fn make_room(path: &Path) -> Result<(), Why> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        return Err(Why::NoSocket);
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| of_path(path, error))
        }
        // Somebody is there, also where he takes no more connections or none of ours.
        _ => Err(Why::SocketTaken),
    }
}

fn of_path(path: &Path, error: io::Error) -> Why {
    let folder = path.parent().filter(|folder| *folder != "").unwrap_or(Path::new(".")).to_owned();
    match error.kind() {
        io::ErrorKind::AddrInUse => Why::SocketTaken,
        io::ErrorKind::NotFound => Why::NoFolder(folder),
        io::ErrorKind::InvalidInput => Why::TooLong,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Why::Folder { folder, error },
        _ => Why::Other(error),
    }
}
