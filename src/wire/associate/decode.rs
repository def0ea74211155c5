//! From the body of an A-ASSOCIATE PDU to its meaning, strictly and on bounded slices.

use super::items::Reader;
use super::user_information::{self, Side};
use super::{AnsweredContext, AssociateAc, AssociateRq, ContextResult, ProposedContext, UserInformation};
use crate::wire::{Malformed, RawAeTitle, Uid};

/// The 68 bytes that both PDUs begin with.
struct Fixed {
    protocol_version: u16,
    called: RawAeTitle,
    calling: RawAeTitle,
    reserved: [u8; 32],
}

impl Fixed {
    fn read(body: &mut Reader<'_>) -> Result<Self, Malformed> {
        let protocol_version = body.u16()?;
        let _reserved: [u8; 2] = body.array()?;
        let called = RawAeTitle(body.array()?);
        let calling = RawAeTitle(body.array()?);
        Ok(Self { protocol_version, called, calling, reserved: body.array()? })
    }
}

/// The top-level items, before it is known that none is missing.
struct Items<C> {
    application_context: Option<Uid>,
    contexts: Vec<C>,
    user: Option<UserInformation>,
}

impl<C> Items<C> {
    fn read(
        body: &mut Reader<'_>,
        side: Side,
        context_type: u8,
        context: impl Fn(&[u8]) -> Result<C, Malformed>,
    ) -> Result<Self, Malformed> {
        let mut items = Self { application_context: None, contexts: Vec::new(), user: None };
        while !body.is_empty() {
            let item = body.item()?;
            match item.item_type {
                0x10 => {
                    let uid = Reader::new(&[], "application context (10H)").uid(item.value)?;
                    only(&mut items.application_context, uid, "application context (10H)")?;
                }
                0x50 => {
                    only(
                        &mut items.user,
                        user_information::decode(item.value, side)?,
                        "user information (50H)",
                    )?;
                }
                kind if kind == context_type => items.contexts.push(context(item.value)?),
                // PS3.8 §9.3.1: items that a receiver does not know are ignored.
                _ => {}
            }
        }
        Ok(items)
    }
}

fn only<T>(slot: &mut Option<T>, value: T, what: &str) -> Result<(), Malformed> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Malformed::duplicate(format!("{what} is there twice"))),
    }
}

impl AssociateRq {
    /// Reads the body of an A-ASSOCIATE-RQ, what follows the six-byte header.
    ///
    /// # Errors
    /// [`Malformed`] for lengths that leave their parent, missing or doubled items, even or doubled context IDs,
    /// contexts without exactly one abstract syntax and at least one transfer syntax, and values that are not UIDs.
    pub fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let mut body = Reader::new(body, "A-ASSOCIATE-RQ");
        let fixed = Fixed::read(&mut body)?;
        let items = Items::read(&mut body, Side::Request, 0x20, proposed_context)?;
        if items.contexts.is_empty() {
            return Err(Malformed::invalid("A-ASSOCIATE-RQ: no presentation context (20H)"));
        }
        each_id_once(items.contexts.iter().map(|context| context.id))?;
        Ok(Self {
            protocol_version: fixed.protocol_version,
            called: fixed.called,
            calling: fixed.calling,
            reserved: fixed.reserved,
            application_context: items
                .application_context
                .ok_or_else(|| missing("application context (10H)"))?,
            contexts: items.contexts,
            user: items.user.ok_or_else(|| missing("user information (50H)"))?,
        })
    }
}

impl AssociateAc {
    /// Reads the body of an A-ASSOCIATE-AC. What PS3.8 says "shall not be tested" is not.
    ///
    /// # Errors
    /// As [`AssociateRq::decode`]; an accepted context has to name its transfer syntax.
    pub fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let mut body = Reader::new(body, "A-ASSOCIATE-AC");
        let fixed = Fixed::read(&mut body)?;
        let items = Items::read(&mut body, Side::Answer, 0x21, answered_context)?;
        each_id_once(items.contexts.iter().map(|context| context.id))?;
        Ok(Self {
            protocol_version: fixed.protocol_version,
            called: fixed.called,
            calling: fixed.calling,
            reserved: fixed.reserved,
            application_context: items
                .application_context
                .ok_or_else(|| missing("application context (10H)"))?,
            contexts: items.contexts,
            user: items.user.ok_or_else(|| missing("user information (50H)"))?,
        })
    }
}

fn missing(what: &str) -> Malformed {
    Malformed::invalid(format!("the {what} is missing"))
}

fn each_id_once(ids: impl Iterator<Item = u8>) -> Result<(), Malformed> {
    let mut seen = [false; 256];
    for id in ids {
        match seen.get_mut(usize::from(id)) {
            Some(seen) if !*seen => *seen = true,
            _ => return Err(Malformed::duplicate(format!("presentation context {id} is there twice"))),
        }
    }
    Ok(())
}

fn proposed_context(value: &[u8]) -> Result<ProposedContext, Malformed> {
    let mut read = Reader::new(value, "presentation context (20H)");
    let [id, _, _, _] = read.array()?;
    if id % 2 == 0 {
        return Err(Malformed::invalid(format!("presentation context ID {id} is even")));
    }
    let (mut abstract_syntax, mut transfer_syntaxes) = (None, Vec::new());
    while !read.is_empty() {
        let item = read.item()?;
        match item.item_type {
            0x30 => {
                only(&mut abstract_syntax, read.uid(item.value)?, "abstract syntax (30H) of one context")?
            }
            0x40 => transfer_syntaxes.push(read.uid(item.value)?),
            _ => {}
        }
    }
    let abstract_syntax = abstract_syntax.ok_or_else(|| {
        Malformed::invalid(format!("presentation context {id} has no abstract syntax (30H)"))
    })?;
    if transfer_syntaxes.is_empty() {
        return Err(Malformed::invalid(format!("presentation context {id} has no transfer syntax (40H)")));
    }
    Ok(ProposedContext { id, abstract_syntax, transfer_syntaxes })
}

fn answered_context(value: &[u8]) -> Result<AnsweredContext, Malformed> {
    let mut read = Reader::new(value, "presentation context (21H)");
    let [id, _, result, _] = read.array()?;
    let result = ContextResult::from_code(result).ok_or_else(|| {
        Malformed::invalid(format!("presentation context {id}: result {result} is none of 0 to 4"))
    })?;
    if result != ContextResult::Acceptance {
        // PS3.8 Table 9-18: the transfer syntax of a refused context "shall not be tested".
        return Ok(AnsweredContext { id, result, transfer_syntax: None });
    }
    let mut transfer_syntax = None;
    while !read.is_empty() {
        let item = read.item()?;
        if item.item_type == 0x40 {
            only(
                &mut transfer_syntax,
                read.uid(item.value)?,
                "transfer syntax (40H) of one answered context",
            )?;
        }
    }
    if transfer_syntax.is_none() {
        return Err(Malformed::invalid(format!(
            "presentation context {id} is accepted without a transfer syntax"
        )));
    }
    Ok(AnsweredContext { id, result, transfer_syntax })
}
