//! One way to a destination.

use super::destination::{Destination, Kind, Transport};
use super::fhir::Http;
use super::forwarder::Pace;
use super::stream::Stream;
use super::syslog;
use super::udp::Datagrams;
use crate::audit::messages::{Message, fhir};
use std::io;

/// A message in the form in which it is sent.
#[derive(Debug)]
pub(super) struct Parcel {
    pub bytes: Vec<u8>,
    /// Of its record.
    pub sequence: u64,
    /// Of messages, from 1.
    pub number: u64,
}

/// An open way.
pub(super) enum Sender {
    Stream(Box<Stream>),
    Datagrams(Datagrams),
    Http(Box<Http>),
}

/// What became of some parcels: taken, or refused for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    pub sent: u64,
    pub refused: u64,
    /// The number of the last of them.
    pub through: u64,
}

impl Taken {
    pub(super) fn sent(&mut self, parcel: &Parcel) {
        self.sent += 1;
        self.through = parcel.number;
    }

    pub(super) fn refused(&mut self, parcel: &Parcel) {
        self.refused += 1;
        self.through = parcel.number;
    }
}

impl Parcel {
    pub(super) fn new(message: &Message, to: &Destination, process_id: Option<u32>, number: u64) -> Self {
        let bytes = match &to.kind {
            Kind::Fhir(_) => fhir::write(message, &to.source).to_string().into_bytes(),
            Kind::Syslog(settings) => {
                let message = syslog::message(message, &to.source, settings, process_id, number);
                match settings.transport {
                    Transport::Tls(_) => syslog::frame(&message),
                    Transport::Udp => message,
                }
            }
        };
        Self { bytes, sequence: message.sequence, number }
    }
}

impl Sender {
    pub(super) async fn open(to: &Destination, pace: &Pace) -> io::Result<Self> {
        Ok(match &to.kind {
            Kind::Fhir(endpoint) => Self::Http(Box::new(Http::new(endpoint.clone(), pace.patience))),
            Kind::Syslog(settings) => match &settings.transport {
                Transport::Tls(tls) => {
                    Self::Stream(Box::new(Stream::open(&settings.address, tls, pace).await?))
                }
                Transport::Udp => Self::Datagrams(Datagrams::open(&settings.address).await?),
            },
        })
    }

    /// Sends all, in order; `taken` counts those that were taken, also where it fails then.
    pub(super) async fn send(&mut self, parcels: &[Parcel], taken: &mut Taken) -> io::Result<()> {
        match self {
            Self::Stream(stream) => stream.send(parcels, taken).await,
            Self::Datagrams(datagrams) => datagrams.send(parcels, taken).await,
            Self::Http(http) => http.send(parcels, taken).await,
        }
    }

    /// Whether what was sent counts as delivered at once.
    pub(super) fn confirms(&self) -> bool {
        !matches!(self, Self::Stream(_))
    }

    /// Ends with the error that ends the way; never, where only sending can tell.
    pub(super) async fn broken(&mut self) -> io::Error {
        match self {
            Self::Stream(stream) => stream.broken().await,
            Self::Datagrams(_) | Self::Http(_) => std::future::pending().await,
        }
    }

    /// Ends in good order; whether everything that was sent has been read then.
    pub(super) async fn finish(self) -> bool {
        match self {
            Self::Stream(stream) => stream.finish().await,
            Self::Datagrams(_) | Self::Http(_) => true,
        }
    }
}
