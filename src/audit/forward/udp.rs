//! Syslog over UDP (RFC 5426): sent and forgotten, one datagram after the other.

use super::parcel::Parcel;
use super::turns::Turns;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use tokio::net::{UdpSocket, lookup_host};
use tokio::time::{Instant, sleep_until};

/// A socket that sends to one receiver.
pub(super) struct Datagrams {
    socket: UdpSocket,
    turns: Turns,
}

/// Of UDP over IPv4, less its headers.
const LONGEST: usize = 65_507;

impl Datagrams {
    pub(super) async fn open(address: &str, between: Duration) -> io::Result<Self> {
        let mut found = lookup_host(address).await?;
        let to =
            found.next().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no address of that name"))?;
        let any: IpAddr = match to {
            std::net::SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            std::net::SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(to).await?;
        Ok(Self { socket, turns: Turns::new(between, Instant::now()) })
    }

    /// False for what is longer than a datagram.
    pub(super) async fn send(&mut self, parcel: &Parcel) -> io::Result<bool> {
        if parcel.bytes.len() > LONGEST {
            let sequence = parcel.sequence;
            tracing::error!(sequence, "an audit message is longer than a datagram; it is not sent");
            return Ok(false);
        }
        sleep_until(self.turns.next(Instant::now())).await;
        self.socket.send(&parcel.bytes).await?;
        Ok(true)
    }
}
