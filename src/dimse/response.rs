//! Command sets that dimsegate writes itself: refusals, requests of its own, and commands whose SOP instance UID follows a rewrite.

use super::command::{
    AFFECTED_SOP_CLASS, AFFECTED_SOP_INSTANCE, CANCEL_FIELD, COMMAND_FIELD, DATA_SET_TYPE, ERROR_COMMENT,
    GROUP_LENGTH, MESSAGE_ID, REQUESTED_SOP_CLASS, REQUESTED_SOP_INSTANCE, RESPONDING_TO, STATUS,
};
use super::kind;
use super::operation::RESPONSE;
use super::value::trim;
use super::writer::Writer;
use super::{Command, CommandField, Operation, Status};

const OFFENDING_ELEMENT: u16 = 0x0901;
const COMPLETED_SUBOPERATIONS: u16 = 0x1021;
const FAILED_SUBOPERATIONS: u16 = 0x1022;
const WARNING_SUBOPERATIONS: u16 = 0x1023;
const PRIORITY: u16 = 0x0700;
const NO_DATA_SET: [u8; 2] = 0x0101_u16.to_le_bytes();
const WITH_DATA_SET: [u8; 2] = [0, 0];
const MEDIUM: [u8; 2] = [0, 0];

/// Error Comment is LO: at most 64 characters (PS3.7 Annex E.1, PS3.5 §6.2).
const LONGEST_COMMENT: usize = 64;

/// Why a message goes nowhere, for who sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Status (0000,0900) of the response that says so.
    pub status: Status,
    /// Error Comment (0000,0902).
    pub comment: String,
    /// Group and element of the one at fault, for Offending Element (0000,0901).
    pub offending: Option<(u16, u16)>,
}

/// The response that refuses a request: its status, an Error Comment, no data set.
pub fn refusal(request: &Command, status: Status, comment: &str) -> Vec<u8> {
    failure(
        request,
        request.value(MESSAGE_ID),
        &Failure { status, comment: comment.to_owned(), offending: None },
    )
}

/// As [`refusal`], for a request whose data set is at fault.
pub fn refusal_of_data_set(request: &Command, why: &Failure) -> Vec<u8> {
    failure(request, request.value(MESSAGE_ID), why)
}

/// A response that stands for one that cannot be passed on: another status, an Error Comment, no data set.
pub fn failed_response(response: &Command, why: &Failure) -> Vec<u8> {
    failure(response, response.value(RESPONDING_TO), why)
}

/// The response to a C-FIND, C-MOVE or C-GET that nothing matches: success, no sub-operations (PS3.4 C.4.1.1.4,
/// C.4.2.1.6, C.4.3.1.4).
pub fn nothing_matches(request: &Command) -> Vec<u8> {
    let mut out = response_to(request, request.value(MESSAGE_ID), Status::SUCCESS);
    if !matches!(request.field, CommandField::Request { operation: Operation::CFind, .. }) {
        for number in [COMPLETED_SUBOPERATIONS, FAILED_SUBOPERATIONS, WARNING_SUBOPERATIONS] {
            out.element(number, &[0, 0]);
        }
    }
    out.finish()
}

/// The response to a request of which only its status is to be said, without a data set.
pub fn response(request: &Command, status: Status) -> Vec<u8> {
    let mut out = response_to(request, request.value(MESSAGE_ID), status);
    if let Some(instance) = request.either(AFFECTED_SOP_INSTANCE, REQUESTED_SOP_INSTANCE) {
        out.element(AFFECTED_SOP_INSTANCE, instance);
    }
    out.finish()
}

fn response_to(message: &Command, responding_to: Option<&[u8]>, status: Status) -> Writer {
    let mut out = Writer::new();
    let class = message.either(AFFECTED_SOP_CLASS, REQUESTED_SOP_CLASS);
    // Of a response it may come from the other side of a boundary, and be anything.
    if let Some(class) = class.filter(|class| kind::is_uid(class)) {
        out.element(AFFECTED_SOP_CLASS, class);
    }
    let field =
        message.value(COMMAND_FIELD).and_then(|value| value.try_into().ok()).map_or(0, u16::from_le_bytes);
    out.element(COMMAND_FIELD, &(field | RESPONSE).to_le_bytes());
    out.element(RESPONDING_TO, responding_to.unwrap_or_default());
    out.element(DATA_SET_TYPE, &NO_DATA_SET);
    out.element(STATUS, &status.0.to_le_bytes());
    out
}

fn failure(message: &Command, responding_to: Option<&[u8]>, why: &Failure) -> Vec<u8> {
    let mut out = response_to(message, responding_to, why.status);
    // Only with a status that says that the data set is at fault (PS3.7 Annex C, PS3.4 B.2.3).
    if let Some((group, element)) =
        why.offending.filter(|_| matches!(why.status.0, 0xA900..=0xA9FF | 0xC000..))
    {
        let ([g0, g1], [e0, e1]) = (group.to_le_bytes(), element.to_le_bytes());
        out.element(OFFENDING_ELEMENT, &[g0, g1, e0, e1]);
    }
    let comment: String = why
        .comment
        .chars()
        .map(|c| if c == '\\' || c.is_control() || !c.is_ascii() { '?' } else { c })
        .take(LONGEST_COMMENT)
        .collect();
    out.text(ERROR_COMMENT, comment.trim_end(), b' ');
    // Of a response it is on the wrong side of a boundary, and nobody needs it to tell what failed.
    if let Some(instance) = message.either(AFFECTED_SOP_INSTANCE, REQUESTED_SOP_INSTANCE)
        && message.value(RESPONDING_TO).is_none()
    {
        out.element(AFFECTED_SOP_INSTANCE, instance);
    }
    out.finish()
}

/// A C-CANCEL-RQ for a request (PS3.7 §9.3.2.3).
pub fn cancel(message_id: u16) -> Vec<u8> {
    let mut out = Writer::new();
    out.element(COMMAND_FIELD, &CANCEL_FIELD.to_le_bytes());
    out.element(RESPONDING_TO, &message_id.to_le_bytes());
    out.element(DATA_SET_TYPE, &NO_DATA_SET);
    out.finish()
}

/// The command set of a C-ECHO-RQ (PS3.7 §9.3.5.1), encoded in implicit VR little endian.
pub fn echo_request(sop_class: &str, message_id: u16) -> Vec<u8> {
    let mut out = Writer::new();
    out.text(AFFECTED_SOP_CLASS, sop_class, 0);
    out.element(COMMAND_FIELD, &Operation::CEcho.request_field().to_le_bytes());
    out.element(MESSAGE_ID, &message_id.to_le_bytes());
    out.element(DATA_SET_TYPE, &NO_DATA_SET);
    out.finish()
}

/// A C-FIND-RQ of medium priority (PS3.7 §9.3.2.1). Its identifier follows.
pub fn find_request(sop_class: &str, message_id: u16) -> Vec<u8> {
    let mut out = Writer::new();
    out.text(AFFECTED_SOP_CLASS, sop_class, 0);
    out.element(COMMAND_FIELD, &Operation::CFind.request_field().to_le_bytes());
    out.element(MESSAGE_ID, &message_id.to_le_bytes());
    out.element(PRIORITY, &MEDIUM);
    out.element(DATA_SET_TYPE, &WITH_DATA_SET);
    out.finish()
}

/// The command set of a message whose data set does not go on.
pub fn without_data_set(command: &Command) -> Vec<u8> {
    let mut out = Writer::new();
    for (element, value) in command.all() {
        match element {
            GROUP_LENGTH => {}
            DATA_SET_TYPE => out.element(element, &NO_DATA_SET),
            _ => out.element(element, value),
        }
    }
    out.finish()
}

/// A C-STORE-RQ of medium priority (PS3.7 §9.3.1.1). Its data set follows.
pub fn store_request(sop_class: &str, sop_instance: &str, message_id: u16) -> Vec<u8> {
    let mut out = Writer::new();
    out.text(AFFECTED_SOP_CLASS, sop_class, 0);
    out.element(COMMAND_FIELD, &Operation::CStore.request_field().to_le_bytes());
    out.element(MESSAGE_ID, &message_id.to_le_bytes());
    out.element(PRIORITY, &MEDIUM);
    out.element(DATA_SET_TYPE, &WITH_DATA_SET);
    out.text(AFFECTED_SOP_INSTANCE, sop_instance, 0);
    out.finish()
}

/// What a command set may say across the boundary between real values and pseudonyms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreeText {
    /// It goes on as it came.
    Passes,
    /// Error Comment (0000,0902) goes: nobody knows what it tells of patients.
    Withheld,
}

/// The SOP class of an operation, and the instance as it is called on the other side.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The SOP class that the exchange is about; `None` where it is not known, and what the command says of it goes on.
    pub class: Option<&'a str>,
    /// The instance's UID on the other side; `None` where nothing of it may be said there.
    pub instance: Option<&'a str>,
}

/// The command set as it crosses the boundary, with another SOP Instance UID, affected or requested, where it has one, and
/// without where there is none for it. Text where UIDs and tags belong, and a SOP class that is not the operation's, do not
/// go on.
pub fn across(command: &Command, named: Named<'_>, text: FreeText) -> Vec<u8> {
    let mut out = Writer::new();
    let answers = matches!(command.field, CommandField::Response { .. });
    for (element, value) in command.all() {
        match (element, named.instance) {
            (GROUP_LENGTH, _) => {}
            _ if !kind::suits(element, value, answers) => {}
            (AFFECTED_SOP_INSTANCE | REQUESTED_SOP_INSTANCE, Some(uid)) => out.text(element, uid, 0),
            (AFFECTED_SOP_INSTANCE | REQUESTED_SOP_INSTANCE, None) => {}
            (AFFECTED_SOP_CLASS | REQUESTED_SOP_CLASS, _)
                if named.class.is_some_and(|class| class.as_bytes() != trim(value)) => {}
            (ERROR_COMMENT, _) if text == FreeText::Withheld => {}
            _ => out.element(element, value),
        }
    }
    out.finish()
}

/// The command set with another Affected SOP Instance UID, everything else as it was. Without that element the
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
