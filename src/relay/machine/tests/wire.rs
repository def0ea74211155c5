//! Messages as peers write and read them.

use crate::dimse::{Command, CommandField, Operation, Status};
use crate::wire::pdu::{RELEASE_RP, RELEASE_RQ};
use crate::wire::{Deframer, Event, Kind};

pub(super) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(super) const ECHO: &str = "1.2.840.10008.1.1";
pub(super) const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
pub(super) const MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";
pub(super) const GET: &str = "1.2.840.10008.5.1.4.1.2.2.3";

/// Storage Commitment Push Model, and its one instance (PS3.4 J.3.5).
pub(super) const COMMITMENT: [&str; 2] = ["1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"];

/// The repository query (PS3.4 Annex HH).
pub(super) const REPOSITORY: &str = "1.2.840.10008.5.1.4.1.1.201.6";

/// A presentation context for each.
pub(super) const CONTEXTS: [(u8, &str); 7] =
    [(1, CT), (3, ECHO), (5, FIND), (7, MOVE), (9, GET), (11, REPOSITORY), (13, COMMITMENT[0])];

pub(super) fn context_of(class: &str) -> u8 {
    CONTEXTS.iter().find(|(_, known)| *known == class).unwrap().0
}

fn element(number: u16, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap();
    [&[0, 0][..], &number.to_le_bytes(), &length.to_le_bytes(), value].concat()
}

fn uid(text: &str) -> Vec<u8> {
    let mut value = text.as_bytes().to_vec();
    value.resize(text.len().next_multiple_of(2), 0);
    value
}

fn finish(elements: &[Vec<u8>]) -> Vec<u8> {
    let rest = elements.concat();
    [element(0, &u32::try_from(rest.len()).unwrap().to_le_bytes()), rest].concat()
}

fn data_set_type(has_data_set: bool) -> Vec<u8> {
    element(0x0800, &(if has_data_set { 1_u16 } else { 0x0101 }).to_le_bytes())
}

/// A request, with its SOP instance where it has one.
pub(super) fn request(operation: Operation, class: &str, message_id: u16, instance: Option<&str>) -> Vec<u8> {
    let has_data_set = !matches!(operation, Operation::CEcho | Operation::NGet);
    // Of an instance that is there, it is the one that is requested (PS3.7 Table 10.3-3).
    let (of_class, of_instance) = if matches!(operation, Operation::NGet | Operation::NAction) {
        (0x0003, 0x1001)
    } else {
        (0x0002, 0x1000)
    };
    let mut elements = vec![
        element(of_class, &uid(class)),
        element(0x0100, &operation.request_field().to_le_bytes()),
        element(0x0110, &message_id.to_le_bytes()),
    ];
    if operation == Operation::CMove {
        elements.push(element(0x0600, b"ANYWHERE"));
    }
    if has_data_set && !matches!(operation, Operation::NAction | Operation::NEventReport) {
        elements.push(element(0x0700, &[0, 0]));
    }
    elements.push(data_set_type(has_data_set));
    elements.extend(instance.map(|instance| element(of_instance, &uid(instance))));
    match operation {
        Operation::NEventReport => elements.push(element(0x1002, &1_u16.to_le_bytes())),
        Operation::NAction => elements.push(element(0x1008, &1_u16.to_le_bytes())),
        _ => {}
    }
    finish(&elements)
}

/// The response to a request.
pub(super) fn response(request: &Command, status: Status, has_data_set: bool) -> Vec<u8> {
    let CommandField::Request { operation, message_id } = request.field else { panic!("no request") };
    let mut elements = vec![
        element(0x0002, &uid(&request.sop_class().unwrap())),
        element(0x0100, &(operation.request_field() | 0x8000).to_le_bytes()),
        element(0x0120, &message_id.to_le_bytes()),
        data_set_type(has_data_set),
        element(0x0900, &status.0.to_le_bytes()),
    ];
    elements.extend(request.sop_instance().map(|instance| element(0x1000, &uid(&instance))));
    finish(&elements)
}

/// The C-CANCEL-RQ of a request.
pub(super) fn cancel(message_id: u16) -> Vec<u8> {
    let elements = [element(0x0100, &0x0FFF_u16.to_le_bytes()), element(0x0120, &message_id.to_le_bytes())];
    finish(&[&elements[..], &[data_set_type(false)]].concat())
}

/// A message in PDUs, its data set in fragments of this length.
pub(super) fn message(context_id: u8, command: &[u8], data: Option<&[u8]>, fragment: usize) -> Vec<u8> {
    let mut out = pdv(context_id, 3, command);
    let Some(data) = data else { return out };
    let mut rest = data.chunks(fragment.max(2)).peekable();
    while let Some(piece) = rest.next() {
        out.extend(pdv(context_id, if rest.peek().is_none() { 2 } else { 0 }, piece));
    }
    out
}

fn pdv(context_id: u8, control: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    let mut out = vec![4, 0];
    out.extend((length + 6).to_be_bytes());
    out.extend((length + 2).to_be_bytes());
    out.extend([context_id, control]);
    out.extend(bytes);
    out
}

/// What a peer hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Message {
        context_id: u8,
        command: Vec<u8>,
        data: Option<Vec<u8>>,
    },
    ReleaseRq,
    ReleaseRp,
    /// Source and reason.
    Abort(u8, u8),
}

/// Puts what comes together, in whatever pieces. It holds the relay to PS3.8 Annex E: nothing between the fragments of a
/// message, no empty fragment, none of an odd length but the last.
pub(super) struct Ear {
    deframer: Deframer,
    bytes: Vec<u8>,
    command: Option<(u8, Vec<u8>)>,
    data: Vec<u8>,
    is_in_data: bool,
}

impl Ear {
    pub(super) fn new(maximum_length: u32) -> Self {
        let deframer = Deframer::new(maximum_length);
        Self { deframer, bytes: Vec::new(), command: None, data: Vec::new(), is_in_data: false }
    }

    pub(super) fn is_inside_message(&self) -> bool {
        self.is_in_data || self.command.is_some() || self.deframer.is_inside_pdu() || !self.bytes.is_empty()
    }

    pub(super) fn hear(&mut self, bytes: &[u8]) -> Vec<Heard> {
        self.bytes.extend_from_slice(bytes);
        let (mut heard, mut at) = (Vec::new(), 0);
        loop {
            let (used, event) = self.deframer.next(&self.bytes[at..]).expect("PDUs that the relay may write");
            at += used;
            match event {
                None => break,
                Some(Event::ReleaseRq) => heard.push(Heard::ReleaseRq),
                Some(Event::ReleaseRp) => heard.push(Heard::ReleaseRp),
                Some(Event::Abort(abort)) => heard.push(Heard::Abort(abort.source, abort.reason)),
                Some(Event::Fragment(fragment)) => {
                    let (kind, bytes) = (fragment.kind, fragment.bytes);
                    let (context_id, so_far) = self.command.get_or_insert((fragment.context_id, Vec::new()));
                    assert_eq!(*context_id, fragment.context_id, "fragments of two messages");
                    assert_eq!(
                        kind == Kind::DataSet,
                        self.is_in_data,
                        "a command set and a data set at once"
                    );
                    match kind {
                        Kind::Command => so_far.extend_from_slice(bytes),
                        Kind::DataSet => self.data.extend_from_slice(bytes),
                    }
                    if fragment.last {
                        let has_more = kind == Kind::Command && has_data_set(so_far);
                        self.is_in_data = has_more;
                        if !has_more {
                            let (context_id, command) = self.command.take().unwrap();
                            let data = std::mem::take(&mut self.data);
                            let data = (kind == Kind::DataSet).then_some(data);
                            heard.push(Heard::Message { context_id, command, data });
                        }
                    }
                }
            }
        }
        self.bytes.drain(..at);
        heard
    }
}

/// Whether one follows a command set. The answer to an operation that PS3.7 does not know is the only one that cannot be read.
fn has_data_set(command: &[u8]) -> bool {
    let is_not_recognised =
        |_: &_| command.windows(10).any(|element| element == [0, 0, 0, 9, 2, 0, 0, 0, 0x11, 2]);
    match Command::parse(command.to_vec()) {
        Ok(command) => command.has_data_set,
        Err(malformed) if is_not_recognised(&malformed) => false,
        Err(malformed) => panic!("{malformed:?}: {command:02x?}"),
    }
}

pub(super) fn release_rq() -> Vec<u8> {
    RELEASE_RQ.to_vec()
}

pub(super) fn release_rp() -> Vec<u8> {
    RELEASE_RP.to_vec()
}
