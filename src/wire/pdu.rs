//! The six-byte header that every PDU begins with, and the short PDUs (PS3.8 §9.3.1, §9.3.4, §9.3.6 to §9.3.8).

use super::{AbortReason, Malformed};

/// Bytes of a PDU header: type, reserved, length.
pub const HEADER: usize = 6;

/// The seven PDU types (PS3.8 §9.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PduType {
    /// 01H: the requestor's request (PS3.8 §9.3.2).
    AssociateRq = 1,
    /// 02H: the acceptor's yes (PS3.8 §9.3.3).
    AssociateAc = 2,
    /// 03H: the acceptor's no (PS3.8 §9.3.4).
    AssociateRj = 3,
    /// 04H: fragments of messages (PS3.8 §9.3.5).
    PData = 4,
    /// 05H: a side wishes to end the association in order (PS3.8 §9.3.6).
    ReleaseRq = 5,
    /// 06H: the other side agrees (PS3.8 §9.3.7).
    ReleaseRp = 6,
    /// 07H: a side ends the association at once (PS3.8 §9.3.8).
    Abort = 7,
}

impl PduType {
    fn of(byte: u8) -> Option<Self> {
        use PduType::*;
        [AssociateRq, AssociateAc, AssociateRj, PData, ReleaseRq, ReleaseRp, Abort]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

impl std::fmt::Display for PduType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AssociateRq => "A-ASSOCIATE-RQ",
            Self::AssociateAc => "A-ASSOCIATE-AC",
            Self::AssociateRj => "A-ASSOCIATE-RJ",
            Self::PData => "P-DATA-TF",
            Self::ReleaseRq => "A-RELEASE-RQ",
            Self::ReleaseRp => "A-RELEASE-RP",
            Self::Abort => "A-ABORT",
        })
    }
}

/// A PDU's type and the length of what follows its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PduHeader {
    /// Byte 1.
    pub pdu_type: PduType,
    /// Bytes 3 to 6: bytes that follow the header. As declared, and 4 where the type has no other length.
    pub length: u32,
}

impl PduHeader {
    /// Reads a header; the length is judged by whoever knows the limit for this place.
    ///
    /// # Errors
    /// An unknown type (abort reason 1), or a short PDU whose length is not 4.
    pub fn read(bytes: [u8; HEADER]) -> Result<Self, Malformed> {
        let [kind, _, a, b, c, d] = bytes;
        let length = u32::from_be_bytes([a, b, c, d]);
        let pdu_type = PduType::of(kind).ok_or_else(|| {
            Malformed::new(
                AbortReason::UnrecognizedPdu,
                format!("PDU type {kind:02X}H is none of 01H to 07H"),
            )
        })?;
        let short = !matches!(pdu_type, PduType::AssociateRq | PduType::AssociateAc | PduType::PData);
        if short && length != 4 {
            return Err(Malformed::invalid(format!(
                "{pdu_type} declares {length} bytes where 4 are the rule"
            )));
        }
        Ok(Self { pdu_type, length })
    }
}

/// The body of an A-ABORT (PS3.8 §9.3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abort {
    /// 0 service-user, 2 service-provider.
    pub source: u8,
    /// Significant only with source 2.
    pub reason: u8,
}

impl Abort {
    /// An abort by the upper layer itself.
    pub fn provider(reason: AbortReason) -> Self {
        Self { source: 2, reason: reason as u8 }
    }

    /// An abort by the service user.
    pub const USER: Self = Self { source: 0, reason: 0 };

    pub(crate) fn from_body(body: [u8; 4]) -> Self {
        Self { source: body[2], reason: body[3] }
    }

    /// The PDU as it is sent, header and body (PS3.8 Table 9-25).
    pub fn to_pdu(self) -> [u8; 10] {
        [PduType::Abort as u8, 0, 0, 0, 0, 4, 0, 0, self.source, self.reason]
    }
}

/// The body of an A-ASSOCIATE-RJ (PS3.8 §9.3.4): result, source, reason/diag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// 1 permanent, 2 transient; as sent, other values too.
    pub result: u8,
    /// 1 service-user, 2 service-provider (ACSE), 3 service-provider (presentation); as sent.
    pub source: u8,
    /// What it means depends on the source (PS3.8 Table 9-21); as sent.
    pub reason: u8,
}

impl Rejection {
    pub(crate) fn from_body(body: [u8; 4]) -> Self {
        Self { result: body[1], source: body[2], reason: body[3] }
    }

    /// The PDU as it is sent, header and body (PS3.8 Table 9-21).
    pub fn to_pdu(self) -> [u8; 10] {
        [PduType::AssociateRj as u8, 0, 0, 0, 0, 4, 0, self.result, self.source, self.reason]
    }
}

/// A whole A-RELEASE-RQ.
pub const RELEASE_RQ: [u8; 10] = [PduType::ReleaseRq as u8, 0, 0, 0, 0, 4, 0, 0, 0, 0];
/// A whole A-RELEASE-RP.
pub const RELEASE_RP: [u8; 10] = [PduType::ReleaseRp as u8, 0, 0, 0, 0, 4, 0, 0, 0, 0];
