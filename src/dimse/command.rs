//! Command sets: group 0000 in implicit VR little endian (PS3.7 §6.3.1 and Annex E).
//!
//! What goes on of a command set is what was understood of it: the elements that the standard lists for its message, in
//! their order, each once, with values of their kind and a length that adds up. Nearly every command set comes like that,
//! and its own bytes go on; another is written anew.

use std::ops::Range;

use super::operation::RESPONSE;
use super::reading::{Elements, Tolerated, understood, vr_of};
use super::value::{is_harmless_uid, trim};
use super::writer::Writer;
use super::{Operation, Status};
use crate::wire::Malformed;

/// A whole command set with the fields that a relay needs.
#[derive(Clone, Debug)]
pub struct Command {
    bytes: Vec<u8>,
    elements: Vec<(u16, Range<usize>)>,
    /// Which message it is, and of which exchange.
    pub field: CommandField,
    /// (0000,0800) is not 0101H.
    pub has_data_set: bool,
    /// Of what came, before anything was left out.
    names_two_objects: bool,
    tolerated: Vec<Tolerated>,
}

/// What kind of message it is, with the number that ties it to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandField {
    /// Asks for an operation, or notifies (N-EVENT-REPORT).
    Request {
        /// What is asked for.
        operation: Operation,
        /// Message ID (0000,0110): its sender's number for the exchange, while that is open.
        message_id: u16,
    },
    /// One of the responses to a request; a C-FIND, say, has several.
    Response {
        /// What had been asked for.
        operation: Operation,
        /// Message ID Being Responded To (0000,0120).
        responding_to: u16,
        /// Status (0000,0900).
        status: Status,
    },
    /// A C-CANCEL-RQ (PS3.7 §9.3.2.3): no response is wanted any more than the one that says so.
    Cancel {
        /// The message ID of the request that is to be cancelled.
        responding_to: u16,
    },
    /// A request of no service that PS3.7 defines.
    Unrecognized {
        /// Command Field (0000,0100) as it came.
        field: u16,
        /// Message ID (0000,0110), which the refusal of it names.
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
const EVENT_TYPE: u16 = 0x1002;
const ACTION_TYPE: u16 = 0x1008;
const MOVE_ORIGINATOR: u16 = 0x1030;
const MOVE_ORIGINATOR_MESSAGE: u16 = 0x1031;
pub(super) const DATA_SET_TYPE: u16 = 0x0800;
pub(super) const STATUS: u16 = 0x0900;
pub(super) const ERROR_COMMENT: u16 = 0x0902;
pub(super) const AFFECTED_SOP_INSTANCE: u16 = 0x1000;
pub(super) const REQUESTED_SOP_INSTANCE: u16 = 0x1001;
pub(super) const CANCEL_FIELD: u16 = 0x0FFF;

impl Command {
    /// Reads a whole command set, by its elements.
    ///
    /// # Errors
    /// [`Malformed`] where more than one reading is possible, or none: an element comes twice or is cut off, or what says
    /// which message it is cannot be read.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Malformed> {
        let Elements { found, tolerated } = Elements::read(&bytes)?;
        let placeholder = CommandField::Cancel { responding_to: 0 };
        let mut command = Self {
            bytes,
            elements: found,
            field: placeholder,
            has_data_set: false,
            names_two_objects: false,
            tolerated,
        };
        command.has_data_set =
            command.required(DATA_SET_TYPE, "Command Data Set Type (0000,0800)")? != 0x0101;
        command.field = command.read_field()?;
        command.names_two_objects = command.differ(AFFECTED_SOP_CLASS, REQUESTED_SOP_CLASS)
            || command.differ(AFFECTED_SOP_INSTANCE, REQUESTED_SOP_INSTANCE);
        command.keep_listed();
        Ok(command)
    }

    /// Leaves out what does not belong to the message, and writes anew what did not come as it should.
    fn keep_listed(&mut self) {
        let field = self.u16(COMMAND_FIELD).unwrap_or_default();
        let elements = Elements {
            found: std::mem::take(&mut self.elements),
            tolerated: std::mem::take(&mut self.tolerated),
        };
        let Elements { found, tolerated } = elements.listed_for(field, &self.bytes);
        (self.elements, self.tolerated) = (found, tolerated);
        if !self.tolerated.is_empty() {
            self.write_anew();
        }
    }

    fn write_anew(&mut self) {
        let (mut out, mut elements) = (Writer::new(), Vec::with_capacity(self.elements.len()));
        for (element, value) in self.all().filter(|(element, _)| *element != GROUP_LENGTH) {
            let (value, padding) = (understood(element, value), vr_of(element).map_or(0, |vr| vr.padding()));
            elements.push((element, out.padded(element, value, padding)));
        }
        (self.bytes, self.elements) = (out.finish(), elements);
    }

    /// Leaves out who asked for the C-MOVE that a C-STORE belongs to, and with which message ((0000,1030), (0000,1031)): PS3.7
    /// Table 9.3-1 lets it.
    pub fn withhold_move_originator(&mut self) {
        let count = self.elements.len();
        self.elements.retain(|(element, _)| !matches!(*element, MOVE_ORIGINATOR | MOVE_ORIGINATOR_MESSAGE));
        if self.elements.len() < count {
            self.write_anew();
        }
    }

    /// The bytes that go on.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it had that PS3.7 does not allow, and that is put right in [`bytes`](Self::bytes).
    pub fn tolerated(&self) -> &[Tolerated] {
        &self.tolerated
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

    /// Affected SOP Class and SOP Instance UID as bytes, without padding; empty where they are absent.
    pub fn affected(&self) -> (&[u8], &[u8]) {
        let value = |element| self.value(element).map(trim).unwrap_or_default();
        (value(AFFECTED_SOP_CLASS), value(AFFECTED_SOP_INSTANCE))
    }

    /// Move Destination (0000,0600), escaped, without the spaces around it.
    pub fn move_destination(&self) -> Option<String> {
        self.text(MOVE_DESTINATION)
    }

    /// Event Type ID (0000,1002) or Action Type ID (0000,1008), whichever the message has.
    pub fn type_id(&self) -> Option<u16> {
        self.u16(EVENT_TYPE).or_else(|| self.u16(ACTION_TYPE))
    }

    /// Whether the SOP instance UID could be taken for a path or a terminal sequence by whoever comes next: more than
    /// 64 characters, or any that is not a digit, a letter, a dot, a hyphen or an underscore.
    pub fn has_dangerous_sop_instance(&self) -> bool {
        [AFFECTED_SOP_INSTANCE, REQUESTED_SOP_INSTANCE]
            .into_iter()
            .any(|element| !is_harmless_uid(self.value(element).map(trim).unwrap_or_default()))
    }

    /// Whether it names one SOP class or instance as affected and another as requested. No service has both (PS3.7 §9.3
    /// and §10.3), so two readers could judge and act on different ones.
    pub fn names_two_objects(&self) -> bool {
        self.names_two_objects
    }

    fn differ(&self, one: u16, other: u16) -> bool {
        self.value(one).zip(self.value(other)).is_some_and(|(one, other)| trim(one) != trim(other))
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
