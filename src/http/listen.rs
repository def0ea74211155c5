//! Where to listen, and why that cannot be had.

use std::fmt;
use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::SocketAddr as UnixAddress;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, FileType, Mode, OFlags, RenameFlags, renameat_with};
use rustix::process::geteuid;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixSocket, UnixStream};

use super::Bounds;

/// Connections that wait in the kernel for an accept.
const BACKLOG: u32 = 128;

/// Owner and group may connect.
const MODE: u32 = 0o660;

/// Where HTTP is answered: an address, or a Unix socket.
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
    #[error(
        "anybody can put another socket in its place in {}; choose a folder where only its owner and its group can write", .0.display()
    )]
    Anybodys(PathBuf),
    #[error("the path is too long for a socket; 107 bytes are the most")]
    TooLong,
    #[error("{0}")]
    Other(#[from] io::Error),
}

/// What the handshake of a connection that begins now is held with, and what it shows; asked for each connection, so that a
/// certificate can be renewed under a socket that stays.
pub type TlsInForce = Arc<dyn Fn() -> Arc<ServerConfig> + Send + Sync>;

/// A socket at which nobody is answered yet.
pub struct Bound {
    pub(super) socket: Socket,
    pub(super) listen: Listen,
    pub(super) tls: Option<TlsInForce>,
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

/// Listens. Whoever connects waits until it is served.
///
/// # Errors
/// [`BindError`] says what is in the way, and what to do.
pub async fn bind(listen: &Listen, bounds: Bounds) -> Result<Bound, BindError> {
    let bound = match listen {
        Listen::Address(address) => tcp(*address).map_err(of_address),
        Listen::Unix(path) => unix(path).await,
    };
    let refused = |why| BindError { listen: listen.clone(), why };
    let (socket, listen) = bound.map_err(refused)?;
    Ok(Bound { socket, listen, tls: None, bounds })
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
    let folder = folder_of(path);
    if fs::metadata(folder).is_ok_and(|metadata| metadata.mode() & 0o1002 == 0o002) {
        return Err(Why::Anybodys(folder.to_owned()));
    }
    UnixAddress::from_pathname(path).map_err(|_| Why::TooLong)?;
    let fresh = folder.join(format!(".{:x}", std::process::id()));
    // Of a process that had this number, and was killed meanwhile.
    let _ = fs::remove_file(&fresh);
    let listener = named(&fresh, path).map_err(|error| {
        let _ = fs::remove_file(&fresh);
        of_path(path, error)
    })?;
    let made = Made { path: path.to_owned(), which: which(path) };
    Ok((Socket::Unix { listener, _file: made }, Listen::Unix(path.to_owned())))
}

/// Listens at a name of its own, and has the right one only when all is as it should be. Whatever has that is left as it is.
fn named(fresh: &Path, path: &Path) -> io::Result<UnixListener> {
    let socket = UnixSocket::new_stream()?;
    // The file is made with this mode, less the umask, so that nobody else ever could connect (unix(7)).
    let mode = Mode::from_raw_mode(MODE);
    rustix::fs::fchmod(&socket, mode)?;
    socket.bind(fresh)?;
    // By the file itself: a name could be made to lead elsewhere meanwhile.
    let file = rustix::fs::open(fresh, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let made = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(made.st_mode) != FileType::Socket || made.st_uid != geteuid().as_raw() {
        return Err(io::Error::other("somebody else changes the files of this folder"));
    }
    fs::set_permissions(format!("/proc/self/fd/{}", file.as_raw_fd()), Permissions::from_mode(MODE))?;
    let listener = socket.listen(BACKLOG)?;
    renameat_with(CWD, fresh, CWD, path, RenameFlags::NOREPLACE)?;
    Ok(listener)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != "").unwrap_or(Path::new("."))
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
    let folder = folder_of(path).to_owned();
    match error.kind() {
        io::ErrorKind::AddrInUse | io::ErrorKind::AlreadyExists => Why::SocketTaken,
        io::ErrorKind::NotFound => Why::NoFolder(folder),
        io::ErrorKind::InvalidInput => Why::TooLong,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Why::Folder { folder, error },
        _ => Why::Other(error),
    }
}
