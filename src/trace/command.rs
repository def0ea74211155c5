//! What a command set says, element by element (PS3.7 §6.3.1 and Annex E; always implicit VR little endian). It is read
//! leniently, to be looked at: what is wrong with it is shown, and nothing is put right.

use std::borrow::Cow;

use serde::Serialize;

use crate::dimse::{Operation, Status};
use crate::wire::escape;

/// Elements of one command set that are shown.
const MOST: usize = 64;

/// Attributes of a list that are shown.
const MOST_TAGS: usize = 32;

/// C-CANCEL-RQ (PS3.7 §9.3.2.3).
const CANCEL: u16 = 0x0FFF;
/// Of a response (PS3.7 Table E.1-1).
const RESPONSE: u16 = 0x8000;
const COMMAND_FIELD: u16 = 0x0100;
/// No data set follows.
const NO_DATA_SET: u16 = 0x0101;

/// An element as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Element {
    /// `(gggg,eeee)`.
    pub tag: String,
    /// In the standard's words; `?` for one that it does not know, or has retired.
    pub name: &'static str,
    pub value: Cow<'static, str>,
    /// What the value tells of.
    #[serde(skip)]
    pub tells: Tells,
}

/// Of whom a value may tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tells {
    /// Of nobody.
    Nothing,
    /// It names a SOP instance.
    Instance,
    /// It is text of a person or a program, of so many bytes.
    Text(usize),
}

/// How a value is shown.
#[derive(Clone, Copy)]
enum How {
    Class,
    Instance,
    Number,
    Field,
    Priority,
    DataSetType,
    Status,
    Tags,
    Title,
    Text,
}

/// The elements of PS3.7 Table E.1-1, in their order.
#[rustfmt::skip]
const ELEMENTS: [(u16, &str, How); 24] = [
    (0x0000, "Command Group Length", How::Number),
    (0x0002, "Affected SOP Class UID", How::Class),
    (0x0003, "Requested SOP Class UID", How::Class),
    (0x0100, "Command Field", How::Field),
    (0x0110, "Message ID", How::Number),
    (0x0120, "Message ID Being Responded To", How::Number),
    (0x0600, "Move Destination", How::Title),
    (0x0700, "Priority", How::Priority),
    (0x0800, "Command Data Set Type", How::DataSetType),
    (0x0900, "Status", How::Status),
    (0x0901, "Offending Element", How::Tags),
    (0x0902, "Error Comment", How::Text),
    (0x0903, "Error ID", How::Number),
    (0x1000, "Affected SOP Instance UID", How::Instance),
    (0x1001, "Requested SOP Instance UID", How::Instance),
    (0x1002, "Event Type ID", How::Number),
    (0x1005, "Attribute Identifier List", How::Tags),
    (0x1008, "Action Type ID", How::Number),
    (0x1020, "Number of Remaining Sub-operations", How::Number),
    (0x1021, "Number of Completed Sub-operations", How::Number),
    (0x1022, "Number of Failed Sub-operations", How::Number),
    (0x1023, "Number of Warning Sub-operations", How::Number),
    (0x1030, "Move Originator Application Entity Title", How::Title),
    (0x1031, "Move Originator Message ID", How::Number),
];

/// The name of the message, such as `C-STORE-RQ`, and its elements.
pub(super) fn read(bytes: &[u8]) -> (String, Vec<Element>) {
    let (mut elements, mut message, mut rest) = (Vec::new(), None, bytes);
    while !rest.is_empty() && elements.len() < MOST {
        let Some((group, number, value, left)) = next(rest) else {
            elements.push(unread(rest.len()));
            break;
        };
        if (group, number) == (0, COMMAND_FIELD) {
            message = u16_of(value).map(name_of);
        }
        elements.push(element(group, number, value));
        rest = left;
    }
    (message.unwrap_or_else(|| "a command set without a command field".into()), elements)
}

/// Group, element, value, and what comes behind.
fn next(bytes: &[u8]) -> Option<(u16, u16, &[u8], &[u8])> {
    let (&[g0, g1, e0, e1, l0, l1, l2, l3], rest) = bytes.split_first_chunk::<8>()?;
    let length = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).ok()?;
    let (value, rest) = rest.split_at_checked(length)?;
    Some((u16::from_le_bytes([g0, g1]), u16::from_le_bytes([e0, e1]), value, rest))
}

fn unread(length: usize) -> Element {
    let value = format!("{length} bytes that are no element").into();
    Element { tag: "(?,?)".into(), name: "?", value, tells: Tells::Nothing }
}

fn element(group: u16, number: u16, value: &[u8]) -> Element {
    let tag = format!("({group:04X},{number:04X})");
    let known = ELEMENTS.iter().find(|(known, ..)| group == 0 && *known == number);
    let Some((_, name, how)) = known else {
        return Element { tag, name: "?", value: bytes_of(value.len()), tells: Tells::Nothing };
    };
    let (value, tells) = how.shown(value);
    Element { tag, name, value, tells }
}

fn bytes_of(length: usize) -> Cow<'static, str> {
    format!("{length} bytes").into()
}

impl How {
    fn shown(self, value: &[u8]) -> (Cow<'static, str>, Tells) {
        let number = u16_of(value);
        let shown = match (self, number) {
            (Self::Text, _) => return (escape(trimmed(value)).into(), Tells::Text(value.len())),
            (Self::Instance, _) => return (escape(trimmed(value)).into(), Tells::Instance),
            (Self::Class, _) => class(value),
            (Self::Title, _) if value.len() <= 16 => escape(trimmed(value)).into(),
            (Self::Tags, _) => tags(value),
            (Self::Number, _) => match value {
                [a, b, c, d] => u32::from_le_bytes([*a, *b, *c, *d]).to_string().into(),
                _ => number.map_or_else(|| bytes_of(value.len()), |number| number.to_string().into()),
            },
            (Self::Field, Some(field)) => format!("{field:04X}H {}", name_of(field)).into(),
            (Self::Priority, Some(0)) => "MEDIUM".into(),
            (Self::Priority, Some(1)) => "HIGH".into(),
            (Self::Priority, Some(2)) => "LOW".into(),
            (Self::DataSetType, Some(NO_DATA_SET)) => "no data set follows".into(),
            (Self::DataSetType, Some(_)) => "a data set follows".into(),
            (Self::Status, Some(status)) => {
                let status = Status(status);
                format!("{status} {}", format!("{:?}", status.outcome()).to_lowercase()).into()
            }
            (Self::Priority, Some(other)) => other.to_string().into(),
            (Self::Title | Self::Field | Self::Priority | Self::DataSetType | Self::Status, _) => {
                bytes_of(value.len())
            }
        };
        (shown, Tells::Nothing)
    }
}

/// A UID. Anything else could be a name.
fn class(value: &[u8]) -> Cow<'static, str> {
    let uid = trimmed(value);
    let is_uid = uid.len() <= 64 && uid.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    match std::str::from_utf8(uid).ok().filter(|_| is_uid) {
        Some(uid) => uid.to_owned().into(),
        None => format!("{} bytes that are no UID", value.len()).into(),
    }
}

fn tags(value: &[u8]) -> Cow<'static, str> {
    let (all, rest) = value.as_chunks::<4>();
    if !rest.is_empty() {
        return bytes_of(value.len());
    }
    let tag = |&[a, b, c, d]: &[u8; 4]| {
        format!("({:04X},{:04X})", u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
    };
    let shown: Vec<String> = all.iter().take(MOST_TAGS).map(tag).collect();
    let more = all.len().saturating_sub(MOST_TAGS);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(" ")).into()
}

/// As in PS3.7 §9.3 and §10.3.
fn name_of(field: u16) -> String {
    if field == CANCEL {
        return "C-CANCEL-RQ".into();
    }
    let suffix = if field & RESPONSE == 0 { "RQ" } else { "RSP" };
    match Operation::of_request_field(field & !RESPONSE) {
        Some(operation) => format!("{}-{suffix}", operation.name()),
        None => format!("a message with command field {field:04X}H"),
    }
}

fn u16_of(value: &[u8]) -> Option<u16> {
    value.try_into().ok().map(u16::from_le_bytes)
}

fn trimmed(value: &[u8]) -> &[u8] {
    let end = value.iter().rposition(|byte| !matches!(byte, 0 | b' ')).map_or(0, |last| last + 1);
    value.get(..end).unwrap_or_default().trim_ascii_start()
}
