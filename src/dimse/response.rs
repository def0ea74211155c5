//! Command sets that dimsegate writes itself: refusals, a C-ECHO of its own, and commands whose SOP instance UID follows a rewrite.

use super::command::{
    AFFECTED_SOP_CLASS, AFFECTED_SOP_INSTANCE, COMMAND_FIELD, DATA_SET_TYPE, GROUP_LENGTH, MESSAGE_ID,
    REQUESTED_SOP_CLASS, REQUESTED_SOP_INSTANCE, RESPONDING_TO, RESPONSE, STATUS,
};
use super::{Command, Operation, Status};

const ERROR_COMMENT: u16 = 0x0902;
const NO_DATA_SET: [u8; 2] = 0x0101_u16.to_le_bytes();

/// Error Comment is LO: at most 64 characters (PS3.7 Annex E.1, PS3.5 §6.2).
const LONGEST_COMMENT: usize = 64;

/// The response that refuses a request: its status, an Error Comment, no data set.
pub fn refusal(request: &Command, status: Status, comment: &str) -> Vec<u8> {
    let mut out = Writer::new();
    if let Some(class) = request.either(AFFECTED_SOP_CLASS, REQUESTED_SOP_CLASS) {
        out.element(AFFECTED_SOP_CLASS, class);
    }
    let field =
        request.value(COMMAND_FIELD).and_then(|value| value.try_into().ok()).map_or(0, u16::from_le_bytes);
    out.element(COMMAND_FIELD, &(field | RESPONSE).to_le_bytes());
    out.element(RESPONDING_TO, request.value(MESSAGE_ID).unwrap_or_default());
    out.element(DATA_SET_TYPE, &NO_DATA_SET);
    out.element(STATUS, &status.0.to_le_bytes());
    let comment: String = comment
        .chars()
        .map(|c| if c == '\\' || c.is_control() || !c.is_ascii() { '?' } else { c })
        .take(LONGEST_COMMENT)
        .collect();
    out.text(ERROR_COMMENT, comment.trim_end(), b' ');
    if let Some(instance) = request.either(AFFECTED_SOP_INSTANCE, REQUESTED_SOP_INSTANCE) {
        out.element(AFFECTED_SOP_INSTANCE, instance);
    }
    out.finish()
}

/// A C-ECHO-RQ (PS3.7 §9.3.5.1).
pub fn echo_request(sop_class: &str, message_id: u16) -> Vec<u8> {
    let mut out = Writer::new();
    out.text(AFFECTED_SOP_CLASS, sop_class, 0);
    out.element(COMMAND_FIELD, &Operation::CEcho.request_field().to_le_bytes());
    out.element(MESSAGE_ID, &message_id.to_le_bytes());
    out.element(DATA_SET_TYPE, &NO_DATA_SET);
    out.finish()
}

/// The command set with another Affected SOP Instance UID, everything else as it came. Without that element the
/// command is what it was.
pub fn with_affected_sop_instance(command: &Command, uid: &str) -> Vec<u8> {
    let mut out = Writer::new();
    for (element, value) in command.all() {
        match element {
            GROUP_LENGTH => {}
            AFFECTED_SOP_INSTANCE => out.text(element, uid, 0),
            _ => out.element(element, value),
        }
    }
    out.finish()
}

/// Writes elements in the order of the calls and the group length before them.
struct Writer(Vec<u8>);

impl Writer {
    fn new() -> Self {
        Self(vec![0; 12])
    }

    fn element(&mut self, element: u16, value: &[u8]) {
        self.0.extend_from_slice(&[0, 0]);
        self.0.extend_from_slice(&element.to_le_bytes());
        self.0.extend_from_slice(&length(value.len()));
        self.0.extend_from_slice(value);
    }

    fn text(&mut self, element: u16, value: &str, padding: u8) {
        let mut bytes = value.as_bytes().to_vec();
        if bytes.len() % 2 == 1 {
            bytes.push(padding);
        }
        self.element(element, &bytes);
    }

    fn finish(mut self) -> Vec<u8> {
        let rest = length(self.0.len() - 12);
        if let Some((head, _)) = self.0.split_first_chunk_mut::<12>() {
            *head = [0, 0, 0, 0, 4, 0, 0, 0, rest[0], rest[1], rest[2], rest[3]];
        }
        self.0
    }
}

/// A command set is at most as long as `max-command-length`, far below 4 GiB.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}
