//! Syslog over UDP (RFC 5426): sent and forgotten.

use super::sender::{Parcel, Taken};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tokio::net::{UdpSocket, lookup_host};

/// A socket that sends to one receiver.
pub(super) struct Datagrams(UdpSocket);

/// Of UDP over IPv4, less its headers.
const LONGEST: usize = 65_507;

impl Datagrams {
    pub(super) async fn open(address: &str) -> io::Result<Self> {
        let mut found = lookup_host(address).await?;
        let to =
            found.next().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no address of that name"))?;
        let any: IpAddr = match to {
            std::net::SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            std::net::SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(to).await?;
        Ok(Self(socket))
    }

    pub(super) async fn send(&self, parcels: &[Parcel], taken: &mut Taken) -> io::Result<()> {
        for parcel in parcels {
            if parcel.bytes.len() > LONGEST {
                tracing::error!(
                    sequence = parcel.sequence,
                    "an audit message is longer than a datagram; it is not sent"
                );
                taken.refused(parcel);
                continue;
            }
            self.0.send(&parcel.bytes).await?;
            taken.sent(parcel);
        }
        Ok(())
    }
}
