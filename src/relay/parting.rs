//! The release of an association by dimsegate itself, because it stops (PS3.8 §7.2 and Table 9-10).

use std::io;
use std::time::Duration;

use super::leg::Leg;
use super::machine::Side;
use crate::config::Limits;
use crate::upper::LINGER;
use crate::wire::AbortReason;
use crate::wire::pdu::{Abort, HEADER, PduHeader, PduType, RELEASE_RP, RELEASE_RQ};

/// Asks both sides for the release. One that does not answer in time, or begins a message instead, gets an A-ABORT: what it
/// sent was not taken.
pub(super) async fn release_both(requestor: Leg, upstream: Leg, limits: &Limits) {
    let patience = limits.release_timeout.min(limits.grace);
    tokio::join!(release(requestor, Side::Requestor, patience), release(upstream, Side::Upstream, patience));
}

/// Neither leg waits for the other.
async fn release(mut leg: Leg, side: Side, patience: Duration) {
    let released = tokio::time::timeout(patience, released(&mut leg, side)).await;
    if !matches!(released, Ok(Ok(true))) {
        leg.last_word(&Abort::provider(AbortReason::NotSpecified).to_pdu(), LINGER).await;
    }
    leg.close(LINGER).await;
}

/// Whether the side is through with the association.
async fn released(leg: &mut Leg, side: Side) -> io::Result<bool> {
    leg.write_pdu(&RELEASE_RQ).await?;
    let mut collided = false;
    loop {
        let mut header = [0; HEADER];
        leg.read_exact(&mut header).await?;
        let Ok(PduHeader { pdu_type, .. }) = PduHeader::read(header) else { return Ok(false) };
        match pdu_type {
            PduType::ReleaseRp => {
                leg.read_exact(&mut [0; 4]).await?;
                // In a collision, the requestor of an association answers first: here the peer is that (Sta10, Sta12).
                if collided && side == Side::Requestor {
                    leg.write_pdu(&RELEASE_RP).await?;
                }
                return Ok(true);
            }
            PduType::ReleaseRq if !collided => {
                leg.read_exact(&mut [0; 4]).await?;
                collided = true;
                // And here it is dimsegate (Sta9, Sta11).
                if side == Side::Upstream {
                    leg.write_pdu(&RELEASE_RP).await?;
                }
            }
            PduType::Abort => return Ok(true),
            _ => return Ok(false),
        }
    }
}
