//! Somebody whom the proxy refuses, so that whoever looks on sees how a refusal is told.

use std::net::SocketAddr;
use std::time::Duration;

use super::failure::Failure;
use super::requestor::secure::{self, Credentials};
use super::requestor::{RequestorError, send_study};
use super::site::ARCHIVE;
use crate::upper;
use crate::wire::pdu::Rejection;

/// A calling AE title that no peer has.
pub(super) const STRANGER: &str = "STRANGER";
/// How often it comes.
pub(super) const EVERY: Duration = Duration::from_secs(10);

/// Asks for an association, with the modality's own certificate. What the proxy answered.
///
/// # Errors
/// The proxy cannot be reached, or did not refuse it.
pub(super) async fn refused(listener: SocketAddr, credentials: &Credentials) -> Result<Rejection, Failure> {
    let stream = secure::connect(listener, credentials).await;
    let stream = stream.map_err(|error| Failure::io("connecting to the proxy", error))?;
    match send_study(stream, STRANGER, ARCHIVE, &[]).await {
        Err(RequestorError::Association(upper::Error::Rejected(rejection))) => Ok(rejection),
        Err(error) => Err(error.into()),
        Ok(_) => Err(Failure::LetIn(STRANGER)),
    }
}

/// Comes again and again, for as long as this is waited for.
pub(super) async fn comes_again(listener: SocketAddr, credentials: &Credentials) {
    loop {
        tokio::time::sleep(EVERY).await;
        // Somebody may have blocked it or widened the configuration: that is what there is to be tried.
        let _ = refused(listener, credentials).await;
    }
}
