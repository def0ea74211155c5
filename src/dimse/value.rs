//! Values of group 0000: how they are represented, padded, and understood.

use super::operation::{Operation, RESPONSE};

/// The longest value of VR UI or AE (PS3.5 §6.2).
const LONGEST_UID: usize = 64;
const LONGEST_TITLE: usize = 16;

/// How the values of group 0000 are represented (PS3.5 §6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::upper_case_acronyms)]
pub(super) enum Vr {
    AE,
    AT,
    LO,
    UI,
    US,
}

impl Vr {
    /// Whether a value of a message with this command field can be one of this value representation. An illegal UID of
    /// a request is kept, since the request is refused for it.
    pub(super) fn holds(self, value: &[u8], field: u16) -> bool {
        let is_request = field & RESPONSE == 0;
        match self {
            Self::US => value.len() == 2,
            Self::AT => value.len().is_multiple_of(4),
            Self::LO => true,
            Self::UI => is_request || is_harmless_uid(trim(value)),
            // Where a C-MOVE goes is judged.
            Self::AE => field == Operation::CMove.request_field() || is_title(trim(value)),
        }
    }

    /// Whether a value has no other padding than its value representation allows: one NUL behind a UID, spaces elsewhere.
    pub(super) fn is_well_padded(self, value: &[u8]) -> bool {
        match self {
            Self::UI => {
                let uid = trim(value);
                let length = uid.len().next_multiple_of(2);
                value.len() == length && value.starts_with(uid) && !value.ends_with(b" ")
            }
            Self::AE | Self::LO => {
                value.len().is_multiple_of(2) && !value.starts_with(b"\0") && !value.ends_with(b"\0")
            }
            Self::US | Self::AT => true,
        }
    }

    /// The byte that makes a value even.
    pub(super) fn padding(self) -> u8 {
        if self == Self::UI { 0 } else { b' ' }
    }
}

/// At most 64 letters, digits, dots, hyphens and underscores, and nothing that climbs out of a folder.
pub(super) fn is_harmless_uid(value: &[u8]) -> bool {
    let harmless = |b: u8| b.is_ascii_alphanumeric() | matches!(b, b'.' | b'_' | b'-');
    // Without an end before the last byte, several are looked at at once.
    let are_harmless = value.iter().fold(true, |all, &b| all & harmless(b));
    let behind = value.get(1..).unwrap_or_default();
    let climbs = value.iter().zip(behind).fold(false, |any, pair| any | (pair == (&b'.', &b'.')));
    value.len() <= LONGEST_UID && are_harmless && !climbs
}

fn is_title(value: &[u8]) -> bool {
    value.len() <= LONGEST_TITLE && value.iter().all(|b| !b.is_ascii_control() && *b != b'\\')
}

/// Without the spaces and NULs around it.
pub(super) fn trim(value: &[u8]) -> &[u8] {
    let start = value.iter().position(|b| !is_padding(*b)).unwrap_or(value.len());
    trim_end(value.get(start..).unwrap_or_default())
}

pub(super) fn trim_end(value: &[u8]) -> &[u8] {
    let end = value.iter().rposition(|b| !is_padding(*b)).map_or(0, |last| last + 1);
    value.get(..end).unwrap_or_default()
}

fn is_padding(byte: u8) -> bool {
    byte == 0 || byte == b' '
}
