//! The first PDU of either side: one that may come before an association is established (PS3.8 §9.3.2 to §9.3.4, §9.3.8).

use crate::buffer::Inbox;
use crate::wire::pdu::{Abort, HEADER, PduHeader, PduType, Rejection};
use crate::wire::{AbortReason, Malformed};

/// A PDU that can come while an association is being asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Body of an A-ASSOCIATE-RQ.
    Request(Vec<u8>),
    /// Body of an A-ASSOCIATE-AC.
    Accept(Vec<u8>),
    Reject(Rejection),
    Abort(Abort),
}

/// Why a PDU is none that can.
#[derive(Debug)]
pub(crate) enum NotOpening {
    Malformed(Malformed),
    /// An A-ASSOCIATE PDU that is longer than is read.
    TooLong(Malformed),
}

impl NotOpening {
    fn into_malformed(self) -> Malformed {
        let (Self::Malformed(malformed) | Self::TooLong(malformed)) = self;
        malformed
    }
}

impl Opening {
    /// The length of its body, as its header says. `limit`: that of the longest A-ASSOCIATE PDU that is read.
    ///
    /// # Errors
    /// Any other PDU, and a longer one.
    pub(crate) fn judge(header: PduHeader, limit: usize) -> Result<usize, NotOpening> {
        let PduHeader { pdu_type, length } = header;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        match pdu_type {
            PduType::AssociateRq | PduType::AssociateAc if length > limit => {
                let what = format!("{pdu_type} of {length} bytes; at most {limit} are read");
                Err(NotOpening::TooLong(Malformed::invalid(what)))
            }
            PduType::PData | PduType::ReleaseRq | PduType::ReleaseRp => {
                Err(NotOpening::Malformed(out_of_place(pdu_type)))
            }
            _ => Ok(length),
        }
    }

    /// One whose body is there.
    ///
    /// # Errors
    /// Any other PDU.
    pub(crate) fn of(pdu_type: PduType, body: Vec<u8>) -> Result<Self, Malformed> {
        Ok(match (pdu_type, body.as_slice()) {
            (PduType::AssociateRq, _) => Self::Request(body),
            (PduType::AssociateAc, _) => Self::Accept(body),
            (PduType::AssociateRj, &[a, b, c, d]) => Self::Reject(Rejection::from_body([a, b, c, d])),
            (PduType::Abort, &[a, b, c, d]) => Self::Abort(Abort::from_body([a, b, c, d])),
            (other, _) => return Err(out_of_place(other)),
        })
    }
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
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, header: None, body: Vec::new() }
    }

    /// Takes what belongs to it out of the inbox. `None`: more has to be read first.
    ///
    /// # Errors
    /// [`Malformed`] for any other PDU, and for one longer than the limit.
    pub(super) fn take(&mut self, inbox: &mut Inbox) -> Result<Option<Opening>, Malformed> {
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
                let header = PduHeader::read(*header)?;
                let length = Opening::judge(header, self.limit).map_err(NotOpening::into_malformed)?;
                inbox.consume(HEADER);
                *self.header.insert((header.pdu_type, length))
            }
        };
        let missing = length - self.body.len();
        let there = inbox.unread().len().min(missing);
        self.body.extend_from_slice(inbox.unread().get(..there).unwrap_or_default());
        inbox.consume(there);
        if there < missing {
            return Ok(None);
        }
        Opening::of(pdu_type, std::mem::take(&mut self.body)).map(Some)
    }
}

fn out_of_place(pdu_type: PduType) -> Malformed {
    let what = format!("{pdu_type} before an association is established");
    Malformed::new(AbortReason::UnexpectedPdu, what)
}
