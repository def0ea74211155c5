//! Syslog over TLS (RFC 5425).

use super::destination::Tls;
use super::pace::Pace;
use super::parcel::Parcel;
use std::io;
use std::mem::MaybeUninit;
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
                Ok(0) => return closed(),
                Ok(_) => (),
                Err(error) => return error,
            }
        }
    }

    /// Ok where the repository has not closed the connection, as far as anything has come.
    async fn still_open(&mut self) -> io::Result<()> {
        let mut scratch = [0; 512];
        loop {
            tokio::select! {
                biased;
                read = self.tls.read(&mut scratch) => match read? {
                    0 => return Err(closed()),
                    _ => continue,
                },
                () = std::future::ready(()) => {}
            }
            if !has_come(self.tls.get_ref().0)? {
                return Ok(());
            }
            // The runtime has yet to hear of it.
            sleep(GLANCE).await;
        }
    }

    /// Ends the stream; Ok when the repository is known to have read all of it.
    ///
    /// TLS says so: its close_notify after ours. One from before says nothing of what came behind it, so none may be there when
    /// the stream ends; one that crosses ours comes with a reset, where its process closes with bytes unread. rsyslog (with
    /// GnuTLS) answers ours by the end of TCP alone. That is an answer where it comes soon, and without a reset: when its
    /// process closes or dies with bytes unread, or bytes come later, the kernel resets the connection. What comes late may be
    /// a middle box that ran out of patience.
    pub(super) async fn finish(mut self, pace: &Pace) -> io::Result<()> {
        within(self.patience, self.still_open()).await?;
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
            // Who said so and leaves TCP open has said it all the same.
            return timeout(pace.bare_end, acknowledged(self.tls.get_ref().0)).await.unwrap_or(Ok(()));
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

/// Whether something has come that nobody has read, be it the end.
fn has_come(socket: &TcpStream) -> io::Result<bool> {
    match socket2::SockRef::from(socket).peek(&mut [MaybeUninit::uninit()]) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the repository closed the connection")
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

#[cfg(test)]
mod tests {
    use super::super::destination::Tls;
    use super::{Pace, Parcel, Stream};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ClientConfig, RootCertStore, ServerConfig};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::server::TlsStream;

    /// A stream with a message that was sent, and the repository, which has read nothing.
    async fn sent() -> (Stream, TlsStream<TcpStream>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let server = ServerConfig::builder().with_no_client_auth();
        let server = server.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let tls = Tls {
            config: Arc::new(client),
            server_name: "localhost".try_into().unwrap(),
            fingerprint: String::new(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, pace) = (listener.local_addr().unwrap().to_string(), Pace::default());
        let accepting = async {
            let (socket, _) = listener.accept().await.unwrap();
            TlsAcceptor::from(Arc::new(server)).accept(socket).await.unwrap()
        };
        let (ours, theirs) = tokio::join!(Stream::open(&address, &tls, &pace), accepting);
        let mut ours = ours.unwrap();
        ours.send(&Parcel { bytes: vec![b'x'; 100], sequence: 1, number: 1 }).await.unwrap();
        ours.flush().await.unwrap();
        (ours, theirs)
    }

    /// How many bytes have come and were not read, once there are more than so many.
    async fn unread(theirs: &TlsStream<TcpStream>, more_than: usize) -> usize {
        loop {
            let count = theirs.get_ref().0.peek(&mut [0; 4096]).await.unwrap();
            if count > more_than {
                return count;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn a_repository_that_closes_when_it_has_read_all_has_taken_it() {
        let (ours, mut theirs) = sent().await;
        let repository = async {
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).await.unwrap();
            theirs.shutdown().await.unwrap();
            all.len()
        };
        let pace = Pace::default();
        let (ended, read) = tokio::join!(ours.finish(&pace), repository);
        assert_eq!((ended.is_ok(), read), (true, 100));
    }

    #[tokio::test]
    async fn a_close_notify_from_before_the_end_does_not_say_that_anything_was_read() {
        let (ours, mut theirs) = sent().await;
        unread(&theirs, 0).await;
        theirs.shutdown().await.unwrap();
        let ended = ours.finish(&Pace::default()).await;
        assert!(ended.is_err(), "nothing of it was read");
        drop(theirs);
    }

    #[tokio::test]
    async fn a_close_notify_with_a_reset_does_not_say_that_anything_was_read() {
        let (ours, mut theirs) = sent().await;
        let message = unread(&theirs, 0).await;
        let repository = async move {
            // Our end is there too, and is not read either.
            unread(&theirs, message).await;
            theirs.get_mut().1.send_close_notify();
            theirs.flush().await.unwrap();
        };
        let pace = Pace::default();
        let (ended, ()) = tokio::join!(ours.finish(&pace), repository);
        assert!(ended.is_err(), "nothing of it was read");
    }
}
