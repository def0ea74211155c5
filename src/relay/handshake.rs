//! Reading one PDU before an association is established, when its length is not ours to choose (PS3.8 §9.3.1).

use std::time::Duration;

use super::leg::Leg;
use crate::policy::limits::{REQUEST_PIECE, RequestPermit};
use crate::upper::{NotOpening, Opening};
use crate::wire::Malformed;
use crate::wire::pdu::{HEADER, PduHeader, PduType};

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

impl From<NotOpening> for ReadError {
    fn from(not: NotOpening) -> Self {
        match not {
            NotOpening::Malformed(malformed) => Self::Malformed(malformed),
            NotOpening::TooLong(Malformed { detail, .. }) => {
                Self::TooLong(Malformed::invalid(format!("{detail} (max-associate-length)")))
            }
        }
    }
}

/// Reads one PDU; its type and length are judged on the six bytes of its header. Gives the room that it takes, too.
///
/// # Errors
/// [`Malformed`] for anything but an A-ASSOCIATE or A-ABORT, or one longer than `limit` bytes.
///
/// Of a request that is not short, what is behind its first piece is read once there is `room` for all of it.
pub(crate) async fn read(
    leg: &mut Leg,
    limit: usize,
    room: Room<'_>,
) -> Result<(Opening, Option<RequestPermit>), ReadError> {
    let mut header = [0; HEADER];
    leg.read_exact(&mut header).await?;
    let header = PduHeader::read(header)?;
    let length = Opening::judge(header, limit)?;
    let room = Some(room).filter(|_| header.pdu_type == PduType::AssociateRq);
    let (body, taken) = body(leg, length, room).await?;
    Ok((Opening::of(header.pdu_type, body)?, taken))
}

async fn body(
    leg: &mut Leg,
    length: usize,
    room: Option<Room<'_>>,
) -> Result<(Vec<u8>, Option<RequestPermit>), ReadError> {
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
