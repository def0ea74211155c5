//! Messages in the form in which they are sent.

use super::destination::{Destination, Kind, Transport};
use super::syslog;
use crate::audit::messages::{Message, fhir};

/// A message in the form in which it is sent.
#[derive(Debug)]
pub(super) struct Parcel {
    pub bytes: Vec<u8>,
    /// Of its record.
    pub sequence: u64,
    /// Of messages, from 1.
    pub number: u64,
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
