//! Command sets: group 0000 in implicit VR little endian (PS3.7 §6.3.1 and Annex E).
//!
//! A command set is read strictly and kept as it came. One reading is possible of what passes here, so the bytes
//! themselves can go on: elements ascending and once, group 0000 only, lengths that add up.

use std::ops::Range;

use super::{Operation, Status};
use crate::wire::Malformed;

/// A whole command set with the fields that a relay needs.
#[derive(Clone, Debug)]
pub struct Command {
    bytes: Vec<u8>,
    elements: Vec<(u16, Range<usize>)>,
    pub field: CommandField,
    /// (0000,0800) is not 0101H.
    pub has_data_set: bool,
}

/// What kind of message it is, with the number that ties it to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandField {
    Request {
        operation: Operation,
        message_id: u16,
    },
    Response {
        operation: Operation,
        responding_to: u16,
        status: Status,
    },
    Cancel {
        responding_to: u16,
    },
    /// A request of no service that PS3.7 defines.
    Unrecognized {
        field: u16,
        message_id: u16,
    },
}

pub(super) const GROUP_LENGTH: u16 = 0x0000;
pub(super) const AFFECTED_SOP_CLASS: u16 = 0x0002;
pub(super) const REQUESTED_SOP_CLASS: u16 = 0x0003;
pub(super) const COMMAND_FIELD: u16 = 0x0100;
pub(super) const MESSAGE_ID: u16 = 0x0110;
pub(super) const RESPONDING_TO: u16 = 0x0120;
const MOVE_DESTINATION: u16 = 0x0600;
pub(super) const DATA_SET_TYPE: u16 = 0x0800;
pub(super) const STATUS: u16 = 0x0900;
pub(super) const AFFECTED_SOP_INSTANCE: u16 = 0x1000;
pub(super) const REQUESTED_SOP_INSTANCE: u16 = 0x1001;
pub(super) const CANCEL_FIELD: u16 = 0x0FFF;
/// The bit that makes a response of a request's command field.
pub(super) const RESPONSE: u16 = 0x8000;

impl Command {
    /// Reads a whole command set.
    ///
    /// # Errors
    /// [`Malformed`] when bytes, order or fields leave more than one reading, or none.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Malformed> {
        let elements = elements(&bytes)?;
        let placeholder = CommandField::Cancel { responding_to: 0 };
        let mut command = Self { bytes, elements, field: placeholder, has_data_set: false };
        command.check_group_length()?;
        command.has_data_set =
            command.required(DATA_SET_TYPE, "Command Data Set Type (0000,0800)")? != 0x0101;
        command.field = command.read_field()?;
        Ok(command)
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Affected or Requested SOP Class UID, whichever the message has; escaped, padding removed.
    pub fn sop_class(&self) -> Option<String> {
        self.text(AFFECTED_SOP_CLASS).or_else(|| self.text(REQUESTED_SOP_CLASS))
    }

    /// Affected or Requested SOP Instance UID, whichever the message has; escaped, padding removed.
    pub fn sop_instance(&self) -> Option<String> {
        self.text(AFFECTED_SOP_INSTANCE).or_else(|| self.text(REQUESTED_SOP_INSTANCE))
    }

    /// Affected SOP Instance UID (0000,1000); escaped, padding removed.
    pub fn affected_sop_instance(&self) -> Option<String> {
        self.text(AFFECTED_SOP_INSTANCE)
    }

    /// Move Destination (0000,0600), escaped, without the spaces around it.
    pub fn move_destination(&self) -> Option<String> {
        self.text(MOVE_DESTINATION)
    }

    /// Whether the SOP instance UID could be taken for a path or a terminal sequence by whoever comes next: more than
    /// 64 characters, or any that is not a digit, a letter, a dot, a hyphen or an underscore.
    pub fn has_dangerous_sop_instance(&self) -> bool {
        let harmless = |b: u8| b.is_ascii_alphanumeric() | matches!(b, b'.' | b'_' | b'-');
        [AFFECTED_SOP_INSTANCE, REQUESTED_SOP_INSTANCE].into_iter().any(|element| {
            let value = self.value(element).map(trim).unwrap_or_default();
            // Without an end before the last byte, several are looked at at once.
            let are_harmless = value.iter().fold(true, |all, &b| all & harmless(b));
            let behind = value.get(1..).unwrap_or_default();
            let climbs = value.iter().zip(behind).fold(false, |any, pair| any | (pair == (&b'.', &b'.')));
            value.len() > 64 || !are_harmless || climbs
        })
    }

    /// Whether it names one SOP class or instance as affected and another as requested. No service has both (PS3.7 §9.3
    /// and §10.3), so two readers could judge and act on different ones.
    pub fn names_two_objects(&self) -> bool {
        let differ = |one: u16, other: u16| {
            let both = self.value(one).zip(self.value(other));
            both.is_some_and(|(one, other)| trim(one) != trim(other))
        };
        differ(AFFECTED_SOP_CLASS, REQUESTED_SOP_CLASS)
            || differ(AFFECTED_SOP_INSTANCE, REQUESTED_SOP_INSTANCE)
    }

    /// The value of an element, padding included.
    pub(super) fn value(&self, element: u16) -> Option<&[u8]> {
        let range = self.elements.iter().find(|(tag, _)| *tag == element).map(|(_, range)| range.clone())?;
        self.bytes.get(range)
    }

    /// The value of the first of two elements that is there, padding included.
    pub(super) fn either(&self, one: u16, other: u16) -> Option<&[u8]> {
        self.value(one).or_else(|| self.value(other))
    }

    /// All elements in their order.
    pub(super) fn all(&self) -> impl Iterator<Item = (u16, &[u8])> {
        self.elements.iter().map(|(tag, range)| (*tag, self.bytes.get(range.clone()).unwrap_or_default()))
    }

    fn text(&self, element: u16) -> Option<String> {
        self.value(element).map(|value| crate::wire::escape(trim(value)))
    }

    fn u16(&self, element: u16) -> Option<u16> {
        self.value(element)?.try_into().ok().map(u16::from_le_bytes)
    }

    fn required(&self, element: u16, name: &str) -> Result<u16, Malformed> {
        self.u16(element)
            .ok_or_else(|| Malformed::invalid(format!("command set: {name} is missing or not 2 bytes")))
    }

    fn check_group_length(&self) -> Result<(), Malformed> {
        let declared =
            self.value(GROUP_LENGTH).and_then(|value| value.try_into().ok()).map(u32::from_le_bytes);
        let rest = self.bytes.len().saturating_sub(12);
        match declared.and_then(|declared| usize::try_from(declared).ok()) {
            Some(declared) if declared == rest => Ok(()),
            Some(declared) => Err(Malformed::invalid(format!(
                "command set: Command Group Length (0000,0000) says {declared} bytes and {rest} follow"
            ))),
            None => Err(Malformed::invalid("command set: Command Group Length (0000,0000) is not there")),
        }
    }

    fn read_field(&self) -> Result<CommandField, Malformed> {
        let field = self.required(COMMAND_FIELD, "Command Field (0000,0100)")?;
        let responding_to = || self.required(RESPONDING_TO, "Message ID Being Responded To (0000,0120)");
        if field == CANCEL_FIELD {
            return Ok(CommandField::Cancel { responding_to: responding_to()? });
        }
        match Operation::of_request_field(field & !RESPONSE) {
            Some(operation) if field & RESPONSE != 0 => {
                let status = Status(self.required(STATUS, "Status (0000,0900)")?);
                Ok(CommandField::Response { operation, responding_to: responding_to()?, status })
            }
            None if field & RESPONSE != 0 => Err(Malformed::invalid(format!(
                "command set: Command Field {field:04X}H is no response of PS3.7"
            ))),
            known => {
                let message_id = self.required(MESSAGE_ID, "Message ID (0000,0110)")?;
                Ok(match known {
                    Some(operation) => CommandField::Request { operation, message_id },
                    None => CommandField::Unrecognized { field, message_id },
                })
            }
        }
    }
}

fn elements(bytes: &[u8]) -> Result<Vec<(u16, Range<usize>)>, Malformed> {
    // Those of a C-STORE-RQ have nine.
    let (mut found, mut at) = (Vec::<(u16, Range<usize>)>::with_capacity(12), 0_usize);
    while let Some((header, _)) = bytes.get(at..).and_then(|rest| rest.split_first_chunk::<8>()) {
        let [g0, g1, e0, e1, l0, l1, l2, l3] = *header;
        let (group, element) = (u16::from_le_bytes([g0, g1]), u16::from_le_bytes([e0, e1]));
        let length = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        let start = at + 8;
        let end = start.checked_add(length).filter(|end| *end <= bytes.len()).ok_or_else(|| {
            let left = bytes.len() - start;
            Malformed::invalid(format!(
                "command set: ({group:04X},{element:04X}) has {length} bytes, {left} are there"
            ))
        })?;
        if group != 0 {
            return Err(Malformed::invalid(format!(
                "command set: ({group:04X},{element:04X}) is not of group 0000"
            )));
        }
        if found.last().is_some_and(|(before, _)| *before >= element) {
            return Err(Malformed::invalid(format!(
                "command set: (0000,{element:04X}) is doubled or out of order"
            )));
        }
        found.push((element, start..end));
        at = end;
    }
    match bytes.len() - at {
        0 => Ok(found),
        left => Err(Malformed::invalid(format!("command set: {left} stray bytes at its end"))),
    }
}

fn trim(value: &[u8]) -> &[u8] {
    let padding = |b: &u8| *b == 0 || *b == b' ';
    let start = value.iter().position(|b| !padding(b)).unwrap_or(value.len());
    let end = value.iter().rposition(|b| !padding(b)).map_or(start, |last| last + 1);
    value.get(start..end).unwrap_or_default()
}
