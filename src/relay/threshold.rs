//! What is asked of every connection before it is let in, wherever it came.

use std::net::IpAddr;

use time::OffsetDateTime;
use tokio::net::TcpStream;

use super::arrival::{Arrival, Refused};
use super::gate::Gate;
use crate::config::Settings;
use crate::policy::Refusal;
use crate::policy::limits::ConnectionPermit;
use crate::tls::Protocol;
use crate::upper;
use crate::vocabulary::Reason;

/// Bytes that are looked at to tell what a client speaks.
const LOOKED_AT: usize = 16;

/// Whether the address may come in, and how many of its connections there are.
pub(super) fn counted(arrival: &Arrival) -> Result<ConnectionPermit, Refused> {
    let address = arrival.from.ip().to_canonical();
    admitted(&arrival.gate, &arrival.settings, &arrival.listener.name, address).map_err(Refused::from)?;
    let permit = arrival.gate.limiter.connection(address);
    permit.map_err(|over| Refused::limited(over, &arrival.settings.limit_keys))
}

/// Whether the address may come in at all, as far as that alone decides.
pub(super) fn admitted(
    gate: &Gate,
    settings: &Settings,
    listener: &str,
    address: IpAddr,
) -> Result<(), Refusal> {
    match gate.blocks.load().of_address(address, OffsetDateTime::now_utc()) {
        Some(block) => Err(block.refusal()),
        None => settings.policy.admits_address(listener, address),
    }
}

/// What a client begins with, before anything of it is taken.
pub(super) async fn spoken(socket: &TcpStream) -> Result<Protocol, Refused> {
    upper::prepare(socket).map_err(|error| lost(&error))?;
    let mut first = [0; LOOKED_AT];
    let count = socket.peek(&mut first).await.map_err(|error| lost(&error))?;
    let spoken = first.get(..count).unwrap_or_default();
    if spoken.is_empty() {
        return Err(Refused::from(Reason::ConnectionLost));
    }
    Ok(spoken_protocol(spoken))
}

pub(super) fn unexpected(has_tls: bool, protocol: Protocol) -> Refused {
    let expected = if has_tls { "TLS" } else { "plain DICOM" };
    let reason = match protocol {
        Protocol::Tls => Reason::TlsOnPlainPort,
        Protocol::Dicom => Reason::PlainDicomOnTlsPort,
        Protocol::Http => Reason::HttpOnDicomPort,
        _ => Reason::UnknownProtocol,
    };
    Refused::new(reason, format!("{protocol} on a port that expects {expected}"))
}

/// One byte can be all that has come: the first of TLS and of the upper layer say enough, and what follows is judged by
/// the reader that it goes to.
fn spoken_protocol(first: &[u8]) -> Protocol {
    match first {
        [0x16, ..] => Protocol::Tls,
        [1..=7, ..] => Protocol::Dicom,
        _ => Protocol::of(first),
    }
}

pub(super) fn handshake_failed(error: &std::io::Error) -> Refused {
    let failure = crate::tls::handshake_failure(error);
    let mut refused = Refused::new(failure.fault.reason(), failure.detail);
    refused.alert = failure.alert.map(Into::into);
    refused.certificate = failure.certificate;
    refused
}

fn lost(error: &std::io::Error) -> Refused {
    Refused::new(Reason::ConnectionLost, error.to_string())
}
