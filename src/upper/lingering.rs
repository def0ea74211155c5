//! The end of a stream whose peer has had its last PDU.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::transport::Transport;

/// How long a peer may take to read its last PDU, and to close after it.
pub(crate) const LINGER: Duration = Duration::from_secs(2);

/// How much is read and thrown away after the last PDU, so that closing does not reset what the peer has yet to read.
const LINGER_BYTES: usize = 1 << 20;

/// Says that nothing more comes, and waits for the peer to say so too. The caller has a deadline.
///
/// # Errors
/// Those of the stream, which is over all the same.
pub(crate) async fn linger(stream: &mut (impl Transport + ?Sized)) -> io::Result<()> {
    stream.shutdown().await?;
    read_on(stream).await
}

/// Reads and throws away what still comes.
///
/// # Errors
/// As [`linger`].
pub(super) async fn read_on(stream: &mut (impl Transport + ?Sized)) -> io::Result<()> {
    let (mut scrap, mut left) = ([0_u8; 512], LINGER_BYTES);
    while left > 0 {
        match stream.read(&mut scrap).await? {
            0 => break,
            count => left = left.saturating_sub(count),
        }
    }
    Ok(())
}
