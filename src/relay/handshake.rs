//! Reading one PDU before an association is established, when its length is not ours to choose (PS3.8 §9.3.1).

use super::leg::Leg;
use crate::wire::pdu::{Abort, HEADER, PduHeader, PduType, Rejection};
use crate::wire::{AbortReason, Malformed};

/// A body is read in steps of this many bytes: a declared length reserves nothing.
const STEP: usize = 16 * 1024;

/// Why no PDU could be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("the connection ended: {0}")]
    Io(#[from] std::io::Error),
}

/// A PDU that can come while an association is being asked for.
#[derive(Debug)]
pub(crate) enum Opening {
    /// Body of an A-ASSOCIATE-RQ.
    Request(Vec<u8>),
    /// Body of an A-ASSOCIATE-AC.
    Accept(Vec<u8>),
    Reject(Rejection),
    Abort(Abort),
}

/// Reads one PDU; its type and length are judged on the six bytes of its header.
///
/// # Errors
/// [`Malformed`] for anything but an A-ASSOCIATE or A-ABORT, or one longer than `limit` bytes.
pub(crate) async fn read(leg: &Leg, limit: usize) -> Result<Opening, ReadError> {
    let mut header = [0; HEADER];
    leg.read_exact(&mut header).await?;
    let header = PduHeader::read(header)?;
    match header.pdu_type {
        PduType::AssociateRq => Ok(Opening::Request(body(leg, header, limit).await?)),
        PduType::AssociateAc => Ok(Opening::Accept(body(leg, header, limit).await?)),
        PduType::AssociateRj => Ok(Opening::Reject(Rejection::from_body(short(leg).await?))),
        PduType::Abort => Ok(Opening::Abort(Abort::from_body(short(leg).await?))),
        other => {
            let what = format!("{other} before an association is established");
            Err(Malformed::new(AbortReason::UnexpectedPdu, what).into())
        }
    }
}

async fn short(leg: &Leg) -> std::io::Result<[u8; 4]> {
    let mut body = [0; 4];
    leg.read_exact(&mut body).await?;
    Ok(body)
}

async fn body(leg: &Leg, header: PduHeader, limit: usize) -> Result<Vec<u8>, ReadError> {
    let length = usize::try_from(header.length).unwrap_or(usize::MAX);
    if length > limit {
        let what =
            format!("{} of {length} bytes; at most {limit} are read (max-associate-length)", header.pdu_type);
        return Err(Malformed::invalid(what).into());
    }
    let mut body = Vec::new();
    while body.len() < length {
        let start = body.len();
        body.resize(length.min(start + STEP), 0);
        leg.read_exact(body.get_mut(start..).unwrap_or_default()).await?;
    }
    Ok(body)
}
