//! The upper layer (PS3.8 §9.3) by hand: bytes out, bytes in. It shares nothing with the library, so that it can judge it.

use std::io::{self, Read};

pub const ASSOCIATE_RQ: u8 = 1;
pub const ASSOCIATE_AC: u8 = 2;
pub const ASSOCIATE_RJ: u8 = 3;
pub const P_DATA: u8 = 4;
pub const RELEASE_RQ: u8 = 5;
pub const RELEASE_RP: u8 = 6;
pub const ABORT: u8 = 7;

/// Message control header bits (PS3.8 Annex E.2).
pub const COMMAND: u8 = 1;
pub const LAST: u8 = 2;

pub const VERIFICATION: &str = "1.2.840.10008.1.1";
pub const CT_IMAGE_STORAGE: &str = "1.2.840.10008.5.1.4.1.1.2";
pub const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
pub const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";
const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";
const IMPLEMENTATION: &str = "2.25.301234567890123456789012345678901234";

/// One PDU as it came: type and everything after the six-byte header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdu {
    pub kind: u8,
    pub body: Vec<u8>,
}

/// One presentation data value (PS3.8 §9.3.5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdv {
    pub context: u8,
    pub control: u8,
    pub value: Vec<u8>,
}

impl Pdu {
    /// The PDVs of a P-DATA-TF.
    pub fn pdvs(&self) -> io::Result<Vec<Pdv>> {
        let mut rest = self.body.as_slice();
        let mut pdvs = Vec::new();
        while !rest.is_empty() {
            let bad = || io::Error::new(io::ErrorKind::InvalidData, "a PDV does not fit its PDU");
            let length = rest.get(..4).map(be32).ok_or_else(bad)? as usize;
            let pdv = rest.get(4..4 + length).filter(|pdv| pdv.len() >= 2).ok_or_else(bad)?;
            pdvs.push(Pdv { context: pdv[0], control: pdv[1], value: pdv[2..].to_vec() });
            rest = &rest[4 + length..];
        }
        Ok(pdvs)
    }
}

/// A PDU with its header.
pub fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 0], (body.len() as u32).to_be_bytes().as_slice(), body].concat()
}

/// An item or sub-item of an A-ASSOCIATE PDU: type, reserved byte, 16-bit length, value.
pub fn item(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind, 0], (value.len() as u16).to_be_bytes().as_slice(), value].concat()
}

/// Release and abort PDUs: four bytes of body.
pub fn release_rq() -> Vec<u8> {
    pdu(RELEASE_RQ, &[0; 4])
}

pub fn release_rp() -> Vec<u8> {
    pdu(RELEASE_RP, &[0; 4])
}

pub fn abort(source: u8, reason: u8) -> Vec<u8> {
    pdu(ABORT, &[0, 0, source, reason])
}

pub fn reject(result: u8, source: u8, reason: u8) -> Vec<u8> {
    pdu(ASSOCIATE_RJ, &[0, result, source, reason])
}

/// The value of a PDV item, length included.
pub fn pdv(context: u8, control: u8, value: &[u8]) -> Vec<u8> {
    [(value.len() as u32 + 2).to_be_bytes().as_slice(), &[context, control], value].concat()
}

/// `message` as P-DATA-TF PDUs of at most `maximum` bytes of body, one PDV each, the last one marked.
pub fn p_data(context: u8, control: u8, message: &[u8], maximum: usize) -> Vec<u8> {
    let room = maximum - 6;
    let pieces: Vec<&[u8]> = if message.is_empty() { vec![&[]] } else { message.chunks(room).collect() };
    let mut out = Vec::with_capacity(message.len() + pieces.len() * 12);
    for (index, piece) in pieces.iter().enumerate() {
        let last = if index + 1 == pieces.len() { LAST } else { 0 };
        out.extend([P_DATA, 0]);
        out.extend((piece.len() as u32 + 6).to_be_bytes());
        out.extend((piece.len() as u32 + 2).to_be_bytes());
        out.extend([context, control | last]);
        out.extend_from_slice(piece);
    }
    out
}

/// An A-ASSOCIATE-RQ in pieces that a test can bend. User items beyond 51H and 52H go in as bytes.
#[derive(Clone, Debug)]
pub struct Request {
    pub calling: String,
    pub called: String,
    /// (id, abstract syntax, transfer syntaxes)
    pub contexts: Vec<(u8, String, Vec<String>)>,
    pub maximum_length: u32,
    pub user_items: Vec<Vec<u8>>,
    /// Top-level items after the user information.
    pub trailing_items: Vec<Vec<u8>>,
}

impl Request {
    pub fn new(calling: &str, called: &str) -> Self {
        Self {
            calling: calling.into(),
            called: called.into(),
            contexts: Vec::new(),
            maximum_length: 131_072,
            user_items: Vec::new(),
            trailing_items: Vec::new(),
        }
    }

    /// Proposes one more context, with the next odd id.
    pub fn context(mut self, abstract_syntax: &str, transfer_syntaxes: &[&str]) -> Self {
        let id = (self.contexts.len() * 2 + 1) as u8;
        let syntaxes = transfer_syntaxes.iter().map(|uid| uid.to_string()).collect();
        self.contexts.push((id, abstract_syntax.into(), syntaxes));
        self
    }

    pub fn maximum_length(mut self, bytes: u32) -> Self {
        self.maximum_length = bytes;
        self
    }

    pub fn user_item(mut self, item: Vec<u8>) -> Self {
        self.user_items.push(item);
        self
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut body = fixed_part(&self.called, &self.calling);
        body.extend(item(0x10, APPLICATION_CONTEXT.as_bytes()));
        for (id, abstract_syntax, transfer_syntaxes) in &self.contexts {
            let mut value = vec![*id, 0, 0, 0];
            value.extend(item(0x30, abstract_syntax.as_bytes()));
            value.extend(transfer_syntaxes.iter().flat_map(|uid| item(0x40, uid.as_bytes())));
            body.extend(item(0x20, &value));
        }
        body.extend(user_information(self.maximum_length, &self.user_items));
        body.extend(self.trailing_items.concat());
        pdu(ASSOCIATE_RQ, &body)
    }
}

/// An A-ASSOCIATE-AC; each context is (id, result, transfer syntax).
pub fn associate_ac(
    called: &str,
    calling: &str,
    contexts: &[(u8, u8, String)],
    maximum_length: u32,
    user_items: &[Vec<u8>],
) -> Vec<u8> {
    let mut body = fixed_part(called, calling);
    body.extend(item(0x10, APPLICATION_CONTEXT.as_bytes()));
    for (id, result, transfer_syntax) in contexts {
        let mut value = vec![*id, 0, *result, 0];
        value.extend(item(0x40, transfer_syntax.as_bytes()));
        body.extend(item(0x21, &value));
    }
    body.extend(user_information(maximum_length, user_items));
    pdu(ASSOCIATE_AC, &body)
}

fn fixed_part(called: &str, calling: &str) -> Vec<u8> {
    let mut body = vec![0, 1, 0, 0];
    body.extend(format!("{called:<16}{calling:<16}").bytes());
    body.extend([0; 32]);
    body
}

fn user_information(maximum_length: u32, items: &[Vec<u8>]) -> Vec<u8> {
    let mut value = item(0x51, &maximum_length.to_be_bytes());
    value.extend(item(0x52, IMPLEMENTATION.as_bytes()));
    value.extend(items.concat());
    item(0x50, &value)
}

/// What an A-ASSOCIATE-RQ or -AC said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Associate {
    pub called: String,
    pub calling: String,
    /// (id, result, abstract syntax, transfer syntaxes)
    pub contexts: Vec<(u8, u8, String, Vec<String>)>,
    pub maximum_length: Option<u32>,
    /// Every user-information sub-item, 51H included: (type, value).
    pub user_items: Vec<(u8, Vec<u8>)>,
}

impl Associate {
    pub fn parse(body: &[u8]) -> Option<Self> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches([' ', '\0']).to_string();
        let mut associate =
            Self { called: text(body.get(4..20)?), calling: text(body.get(20..36)?), ..Self::default() };
        for (kind, value) in items(body.get(68..)?)? {
            match kind {
                0x20 | 0x21 => {
                    let (mut abstract_syntax, mut transfer) = (String::new(), Vec::new());
                    for (kind, uid) in items(value.get(4..)?)? {
                        if kind == 0x30 { abstract_syntax = text(uid) } else { transfer.push(text(uid)) }
                    }
                    associate.contexts.push((value[0], value[2], abstract_syntax, transfer));
                }
                0x50 => {
                    let items = items(value)?.into_iter().map(|(kind, value)| (kind, value.to_vec()));
                    associate.user_items.extend(items);
                }
                _ => {}
            }
        }
        associate.maximum_length = associate.user_item(0x51).and_then(|value| value.get(..4)).map(be32);
        Some(associate)
    }

    /// The first sub-item of that type.
    pub fn user_item(&self, kind: u8) -> Option<&[u8]> {
        self.user_items.iter().find(|(found, _)| *found == kind).map(|(_, value)| value.as_slice())
    }

    /// (id, result, transfer syntax) as an acceptor that takes the first syntax of everything would answer.
    pub fn accept_all(&self) -> Vec<(u8, u8, String)> {
        let first = |syntaxes: &[String]| syntaxes.first().cloned().unwrap_or_default();
        self.contexts.iter().map(|(id, _, _, syntaxes)| (*id, 0, first(syntaxes))).collect()
    }
}

fn items(mut rest: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let length = usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]));
        found.push((rest[0], rest.get(4..4 + length)?));
        rest = &rest[4 + length..];
    }
    Some(found)
}

/// The next PDU; `None` where the peer closed between two of them.
pub fn read_pdu(stream: &mut impl Read) -> io::Result<Option<Pdu>> {
    let mut header = [0; 6];
    let first = stream.read(&mut header)?;
    if first == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut header[first..])?;
    let length = be32(&header[2..]) as usize;
    if length > 64 << 20 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a PDU of {length} bytes")));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some(Pdu { kind: header[0], body }))
}

/// A big-endian number of four bytes.
pub fn be32(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}
