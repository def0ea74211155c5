//! The first PDU of either side: one that may come before an association is established (PS3.8 §9.3.2 to §9.3.4, §9.3.8).

use crate::buffer::Inbox;
use crate::wire::pdu::{Abort, HEADER, PduHeader, PduType, Rejection};
use crate::wire::{AbortReason, Malformed};

/// A PDU that can come while an association is being asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// Body of an A-ASSOCIATE-RQ.
    Request(Vec<u8>),
    /// Body of an A-ASSOCIATE-AC.
    Accept(Vec<u8>),
    Reject(Rejection),
    Abort(Abort),
}

/// One as far as it has come. Its type and length are judged on the six bytes of its header, and the length reserves nothing:
/// a body grows with what is there.
pub(super) struct Reading {
    limit: usize,
    header: Option<(PduType, usize)>,
    body: Vec<u8>,
}

impl Reading {
    /// `limit`: the longest body of an A-ASSOCIATE PDU, in bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, header: None, body: Vec::new() }
    }

    /// Takes what belongs to it out of the inbox. `None`: more has to be read first.
    ///
    /// # Errors
    /// [`Malformed`] for any other PDU, and for one longer than the limit.
    pub fn take(&mut self, inbox: &mut Inbox) -> Result<Option<Opening>, Malformed> {
        loop {
            if let Some(opening) = self.step(inbox)? {
                return Ok(Some(opening));
            }
            if !inbox.next_piece() {
                return Ok(None);
            }
        }
    }

    fn step(&mut self, inbox: &mut Inbox) -> Result<Option<Opening>, Malformed> {
        let (pdu_type, length) = match self.header {
            Some(header) => header,
            None => {
                let Some((header, _)) = inbox.unread().split_first_chunk::<HEADER>() else { return Ok(None) };
                let header = self.judged(PduHeader::read(*header)?)?;
                inbox.consume(HEADER);
                *self.header.insert(header)
            }
        };
        let missing = length - self.body.len();
        let there = inbox.unread().len().min(missing);
        self.body.extend_from_slice(inbox.unread().get(..there).unwrap_or_default());
        inbox.consume(there);
        if there < missing {
            return Ok(None);
        }
        let body = std::mem::take(&mut self.body);
        Ok(Some(match (pdu_type, body.as_slice()) {
            (PduType::AssociateRq, _) => Opening::Request(body),
            (PduType::AssociateAc, _) => Opening::Accept(body),
            (PduType::AssociateRj, &[a, b, c, d]) => Opening::Reject(Rejection::from_body([a, b, c, d])),
            (_, &[a, b, c, d]) => Opening::Abort(Abort::from_body([a, b, c, d])),
            (other, _) => return Err(out_of_place(other)),
        }))
    }

    fn judged(&self, header: PduHeader) -> Result<(PduType, usize), Malformed> {
        let PduHeader { pdu_type, length } = header;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        match pdu_type {
            PduType::AssociateRq | PduType::AssociateAc if length > self.limit => {
                let limit = self.limit;
                Err(Malformed::invalid(format!("{pdu_type} of {length} bytes; at most {limit} are read")))
            }
            PduType::PData | PduType::ReleaseRq | PduType::ReleaseRp => Err(out_of_place(pdu_type)),
            _ => Ok((pdu_type, length)),
        }
    }
}

fn out_of_place(pdu_type: PduType) -> Malformed {
    let what = format!("{pdu_type} before an association is established");
    Malformed::new(AbortReason::UnexpectedPdu, what)
}
