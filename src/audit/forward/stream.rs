//! Syslog over TLS (RFC 5425).

use super::destination::Tls;
use super::forwarder::Pace;
use super::sender::{Parcel, Taken};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A connection to a repository.
pub(super) struct Stream {
    reader: ReadHalf<TlsStream<TcpStream>>,
    writer: WriteHalf<TlsStream<TcpStream>>,
    patience: Duration,
}

/// Bytes of frames written at once.
const WRITE_SIZE: usize = 64 * 1024;

impl Stream {
    pub(super) async fn open(address: &str, tls: &Tls, pace: &Pace) -> io::Result<Self> {
        let opening = async {
            let socket = connect(address, Some(pace.unacknowledged)).await?;
            TlsConnector::from(tls.config.clone()).connect(tls.server_name.clone(), socket).await
        };
        let (reader, writer) = split(within(pace.patience, opening).await?);
        Ok(Self { reader, writer, patience: pace.patience })
    }

    pub(super) async fn send(&mut self, parcels: &[Parcel], taken: &mut Taken) -> io::Result<()> {
        let mut waiting = Vec::with_capacity(WRITE_SIZE);
        for parcel in parcels {
            waiting.extend_from_slice(&parcel.bytes);
            if waiting.len() >= WRITE_SIZE {
                self.write(&waiting).await?;
                waiting.clear();
            }
        }
        self.write(&waiting).await?;
        parcels.iter().for_each(|parcel| taken.sent(parcel));
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let writer = &mut self.writer;
        let writing = async {
            writer.write_all(bytes).await?;
            writer.flush().await
        };
        within(self.patience, writing).await
    }

    /// A repository has nothing to say; what it sends is read and dropped until it closes.
    pub(super) async fn broken(&mut self) -> io::Error {
        let mut scratch = [0; 512];
        loop {
            match self.reader.read(&mut scratch).await {
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

    /// Closes this half and waits for the other: an orderly close after ours means that all was read.
    pub(super) async fn finish(mut self) -> bool {
        let patience = self.patience;
        let ending = async {
            self.writer.shutdown().await?;
            let mut scratch = [0; 512];
            while self.reader.read(&mut scratch).await? > 0 {}
            Ok(())
        };
        within(patience, ending).await.is_ok()
    }
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
