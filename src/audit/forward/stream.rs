//! Syslog over TLS (RFC 5425).

use super::destination::Tls;
use super::pace::Pace;
use super::sender::Parcel;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A connection to a repository, which ends for its messages to arrive for sure.
pub(super) struct Stream {
    tls: TlsStream<TcpStream>,
    /// Frames not yet written.
    waiting: Vec<u8>,
    patience: Duration,
}

/// Bytes of frames written at once.
const WRITE_SIZE: usize = 64 * 1024;
/// Between two looks at a connection that ends.
const GLANCE: Duration = Duration::from_millis(5);

impl Stream {
    pub(super) async fn open(address: &str, tls: &Tls, pace: &Pace) -> io::Result<Self> {
        let opening = async {
            let socket = connect(address, Some(pace.unacknowledged)).await?;
            TlsConnector::from(tls.config.clone()).connect(tls.server_name.clone(), socket).await
        };
        let tls = within(pace.patience, opening).await?;
        Ok(Self { tls, waiting: Vec::new(), patience: pace.patience })
    }

    pub(super) async fn send(&mut self, parcel: &Parcel) -> io::Result<()> {
        self.waiting.extend_from_slice(&parcel.bytes);
        if self.waiting.len() >= WRITE_SIZE { self.flush().await } else { Ok(()) }
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        let Self { tls, waiting, patience } = self;
        let writing = async {
            tls.write_all(waiting).await?;
            tls.flush().await
        };
        within(*patience, writing).await?;
        waiting.clear();
        Ok(())
    }

    /// A repository has nothing to say; what it sends is read and dropped until it closes.
    pub(super) async fn broken(&mut self) -> io::Error {
        let mut scratch = [0; 512];
        loop {
            match self.tls.read(&mut scratch).await {
                Ok(0) => {
                    return io::Error::new(
                        io::ErrorKind::ConnectionAborted,
                        "the repository closed the connection",
                    );
                }
                Ok(_) => (),
                Err(error) => return error,
            }
        }
    }

    /// Ends the stream; Ok when the repository is known to have read all of it.
    ///
    /// TLS says so: its close_notify after ours. rsyslog (with GnuTLS) answers ours by the end of TCP alone. That is an
    /// answer where it comes soon, and without a reset: when its process closes or dies with bytes unread, or bytes come
    /// later, the kernel resets the connection. What comes late may be a middle box that ran out of patience.
    pub(super) async fn finish(mut self, pace: &Pace) -> io::Result<()> {
        within(self.patience, self.tls.shutdown()).await?;
        let ended = Instant::now();
        let answer = async {
            let mut scratch = [0; 512];
            loop {
                match self.tls.read(&mut scratch).await {
                    Ok(0) => return Ok(true),
                    Ok(_) => (),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
                    Err(error) => return Err(error),
                }
            }
        };
        if within(self.patience, answer).await? {
            return Ok(());
        }
        if ended.elapsed() > pace.bare_end {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the connection ended, too late for an answer to the end of the stream",
            ));
        }
        within(self.patience, acknowledged(self.tls.get_ref().0)).await
    }
}

/// Waits until both ends of a connection have acknowledged the other's: all bytes of it arrived before it was closed.
async fn acknowledged(socket: &TcpStream) -> io::Result<()> {
    // Without its peer the kernel is through with it (tcp(7), getpeername(2)).
    while socket.peer_addr().is_ok() {
        sleep(GLANCE).await;
    }
    socket.take_error()?.map_or(Ok(()), Err)
}

/// Connects to the first address of `host:port` that answers.
pub(super) async fn connect(address: &str, unacknowledged: Option<Duration>) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address).await?;
    let options = socket2::SockRef::from(&socket);
    options.set_tcp_nodelay(true)?;
    options.set_keepalive(true)?;
    options.set_tcp_user_timeout(unacknowledged)?;
    Ok(socket)
}

pub(super) async fn within<T>(
    patience: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, format!("nothing came within {patience:?}"));
    timeout(patience, work).await.map_err(|_| late())?
}
