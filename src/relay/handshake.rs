//! Reading one PDU before an association is established, when its length is not ours to choose (PS3.8 §9.3.1).

use std::time::Duration;

use super::leg::Leg;
use crate::policy::limits::{REQUEST_PIECE, RequestPermit};
use crate::wire::pdu::{Abort, HEADER, PduHeader, PduType, Rejection};
use crate::wire::{AbortReason, Malformed};

/// A body is read in steps of this many bytes: a declared length reserves nothing.
const STEP: usize = REQUEST_PIECE;

/// Between two looks for room.
const PAUSE: Duration = Duration::from_millis(20);

/// Gives room for a request of so many pieces beyond the first, or none for now.
pub(crate) type Room<'a> = &'a (dyn Fn(usize) -> Option<RequestPermit> + Send + Sync);

/// Why no PDU could be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("{0}")]
    TooLong(Malformed),
    #[error("the connection ended: {0}")]
    Io(#[from] std::io::Error),
}

/// A PDU that can come while an association is being asked for.
#[derive(Debug)]
pub(crate) enum Opening {
    /// Body of an A-ASSOCIATE-RQ, and the room that it takes.
    Request(Vec<u8>, Option<RequestPermit>),
    /// Body of an A-ASSOCIATE-AC.
    Accept(Vec<u8>),
    Reject(Rejection),
    Abort(Abort),
}

/// Reads one PDU; its type and length are judged on the six bytes of its header.
///
/// # Errors
/// [`Malformed`] for anything but an A-ASSOCIATE or A-ABORT, or one longer than `limit` bytes.
///
/// Of a request that is not short, what is behind its first piece is read once there is `room` for all of it.
pub(crate) async fn read(leg: &Leg, limit: usize, room: Room<'_>) -> Result<Opening, ReadError> {
    let mut header = [0; HEADER];
    leg.read_exact(&mut header).await?;
    let header = PduHeader::read(header)?;
    match header.pdu_type {
        PduType::AssociateRq => {
            let (body, taken) = body(leg, header, limit, Some(room)).await?;
            Ok(Opening::Request(body, taken))
        }
        PduType::AssociateAc => Ok(Opening::Accept(body(leg, header, limit, None).await?.0)),
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

async fn body(
    leg: &Leg,
    header: PduHeader,
    limit: usize,
    room: Option<Room<'_>>,
) -> Result<(Vec<u8>, Option<RequestPermit>), ReadError> {
    let length = usize::try_from(header.length).unwrap_or(usize::MAX);
    if length > limit {
        let what =
            format!("{} of {length} bytes; at most {limit} are read (max-associate-length)", header.pdu_type);
        return Err(ReadError::TooLong(Malformed::invalid(what)));
    }
    let (mut body, mut taken) = (Vec::new(), None);
    while body.len() < length {
        let start = body.len();
        if let Some(room) = room.filter(|_| start == STEP) {
            taken = Some(wait_for(room, length.div_ceil(STEP) - 1).await);
        }
        let end = length.min(start + STEP);
        body.reserve_exact(end - start);
        body.resize(end, 0);
        leg.read_exact(body.get_mut(start..).unwrap_or_default()).await?;
    }
    Ok((body, taken))
}

/// Whoever waits has a deadline, and so has whoever has the room.
async fn wait_for(room: Room<'_>, pieces: usize) -> RequestPermit {
    loop {
        match room(pieces) {
            Some(permit) => return permit,
            None => tokio::time::sleep(PAUSE).await,
        }
    }
}
