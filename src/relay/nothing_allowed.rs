//! An association whose every context the policy strips: answered with result 1 for each, as a requestor expects that
//! is refused by SOP class, and held open until it is released. There is nothing to ask an upstream for.

use tokio::time::timeout;

use super::arrival::Arrival;
use super::leg::Leg;
use super::session::LINGER;
use super::{associate, records};
use crate::policy::Grant;
use crate::policy::limits::AssociationPermit;
use crate::wire::associate::AssociateRq;
use crate::wire::pdu::{Abort, RELEASE_RP};
use crate::wire::{AbortReason, Deframer, Event};

pub(crate) async fn serve(
    arrival: &Arrival,
    requestor: Leg,
    requested: &AssociateRq,
    grant: &Grant,
    permit: AssociationPermit,
) {
    let limits = &arrival.settings.limits;
    // Nothing will ever flow, so it takes no place from an association that does something.
    drop(permit);
    let Ok(answer) = associate::answer(requested, None, None, limits.max_pdu_length) else { return };
    let Ok(bytes) = answer.encode() else { return };
    if requestor.write_pdu(&bytes).await.is_ok() {
        let patience = limits.associate_timeout;
        let last = timeout(patience, farewell(&requestor)).await;
        let last = last.unwrap_or_else(|_| Some(Abort::provider(AbortReason::NotSpecified).to_pdu()));
        if let Some(last) = last {
            requestor.last_word(&last, LINGER).await;
        }
    }
    records::nothing_allowed(arrival, requested, &answer, grant, &requestor).await;
    requestor.close(LINGER).await;
}

/// What the requestor gets as its last PDU; `None` when it has left.
async fn farewell(requestor: &Leg) -> Option<[u8; 10]> {
    let (mut bytes, mut length, mut deframer) = ([0; 64], 0, Deframer::new(0));
    loop {
        let count = requestor.read(bytes.get_mut(length..)?).await.ok().filter(|count| *count > 0)?;
        length += count;
        match deframer.next(bytes.get(..length)?) {
            Ok((_, None)) => {}
            Ok((_, Some(Event::ReleaseRq))) => return Some(RELEASE_RP),
            Ok((_, Some(Event::Abort(_)))) => return None,
            Ok(_) => return Some(Abort::provider(AbortReason::UnexpectedPdu).to_pdu()),
            Err(malformed) => return Some(Abort::provider(malformed.reason).to_pdu()),
        }
    }
}
