//! Ways that take one message at a time.

use super::fhir::Http;
use super::parcel::Parcel;
use super::udp::Datagrams;
use std::io;

/// A way on which each message counts as delivered, or fails, by itself.
pub(super) enum Single {
    Datagrams(Datagrams),
    Http(Box<Http>),
}

impl Single {
    /// Whether it was taken; false where it never will be.
    ///
    /// # Errors
    /// It has to be sent again.
    pub(super) async fn send(&mut self, parcel: &Parcel) -> io::Result<bool> {
        match self {
            Self::Datagrams(datagrams) => datagrams.send(parcel).await,
            Self::Http(http) => http.send(parcel).await,
        }
    }
}
