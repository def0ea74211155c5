//! From the meaning of an A-ASSOCIATE PDU to its bytes, header included.

use super::items::{put, put_item};
use super::{AnsweredContext, AssociateAc, AssociateRq, ProposedContext, user_information};
use crate::wire::pdu::{HEADER, PduType};
use crate::wire::{Malformed, RawAeTitle};

impl AssociateRq {
    /// The whole PDU.
    ///
    /// # Errors
    /// An item that would not fit its 16-bit length.
    pub fn encode(&self) -> Result<Vec<u8>, Malformed> {
        let mut out =
            begin(PduType::AssociateRq, self.protocol_version, self.called, self.calling, &self.reserved);
        put(&mut out, 0x10, self.application_context.as_str().as_bytes())?;
        self.contexts.iter().try_for_each(|context| proposed_context(context, &mut out))?;
        user_information::encode(&self.user, &mut out)?;
        finish(out)
    }
}

impl AssociateAc {
    /// The whole PDU.
    ///
    /// # Errors
    /// An item that would not fit its 16-bit length.
    pub fn encode(&self) -> Result<Vec<u8>, Malformed> {
        let mut out =
            begin(PduType::AssociateAc, self.protocol_version, self.called, self.calling, &self.reserved);
        put(&mut out, 0x10, self.application_context.as_str().as_bytes())?;
        self.contexts.iter().try_for_each(|context| answered_context(context, &mut out))?;
        user_information::encode(&self.user, &mut out)?;
        finish(out)
    }
}

fn begin(
    kind: PduType,
    version: u16,
    called: RawAeTitle,
    calling: RawAeTitle,
    reserved: &[u8; 32],
) -> Vec<u8> {
    let mut out = vec![kind as u8, 0, 0, 0, 0, 0];
    out.extend_from_slice(&version.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&called.0);
    out.extend_from_slice(&calling.0);
    out.extend_from_slice(reserved);
    out
}

fn finish(mut out: Vec<u8>) -> Result<Vec<u8>, Malformed> {
    let length = u32::try_from(out.len() - HEADER)
        .map_err(|_| Malformed::invalid("an A-ASSOCIATE PDU would be longer than 4 GiB"))?;
    if let Some(field) = out.get_mut(2..HEADER) {
        field.copy_from_slice(&length.to_be_bytes());
    }
    Ok(out)
}

fn proposed_context(context: &ProposedContext, out: &mut Vec<u8>) -> Result<(), Malformed> {
    put_item(out, 0x20, |out| {
        out.extend_from_slice(&[context.id, 0, 0, 0]);
        put(out, 0x30, context.abstract_syntax.as_str().as_bytes())?;
        context.transfer_syntaxes.iter().try_for_each(|uid| put(out, 0x40, uid.as_str().as_bytes()))
    })
}

fn answered_context(context: &AnsweredContext, out: &mut Vec<u8>) -> Result<(), Malformed> {
    put_item(out, 0x21, |out| {
        out.extend_from_slice(&[context.id, 0, context.result.code(), 0]);
        // A refused context keeps its transfer syntax item, empty if need be: readers that are stricter than PS3.8
        // Table 9-18 expect one.
        let uid = context.transfer_syntax.as_ref().map_or("", |uid| uid.as_str());
        put(out, 0x40, uid.as_bytes())
    })
}
