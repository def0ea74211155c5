//! The release of an association by dimsegate itself, because it stops (PS3.8 §7.2 and Table 9-10).

use std::io;
use std::time::Duration;

use super::leg::Leg;
use super::machine::Side;
use crate::config::Limits;
use crate::upper::LINGER;
use crate::wire::AbortReason;
use crate::wire::pdu::{Abort, HEADER, PduHeader, PduType, RELEASE_RP, RELEASE_RQ};

/// Asks both sides, the requestor first, for the release. One that does not answer in time, begins a message instead or has
/// begun one that is `untaken`, gets an A-ABORT: what it sent was not taken.
pub(super) async fn release_both([requestor, upstream]: [Leg; 2], untaken: [bool; 2], limits: &Limits) {
    let patience = limits.release_timeout.min(limits.grace);
    let [of_requestor, of_upstream] = untaken.map(|untaken| (!untaken).then_some(patience));
    tokio::join!(
        release(requestor, Side::Requestor, of_requestor),
        release(upstream, Side::Upstream, of_upstream)
    );
}

/// Neither leg waits for the other. Without patience, nobody is asked.
async fn release(mut leg: Leg, side: Side, patience: Option<Duration>) {
    let is_released = match patience {
        Some(patience) => {
            matches!(tokio::time::timeout(patience, released(&mut leg, side)).await, Ok(Ok(true)))
        }
        None => false,
    };
    if !is_released {
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
