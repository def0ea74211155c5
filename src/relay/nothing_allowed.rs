//! An association whose every context the policy strips: answered with result 1 for each, as a requestor expects that
//! is refused by SOP class, and held open until it is released. There is nothing to ask an upstream for.

use tokio::time::timeout;

use super::arrival::Arrival;
use super::leg::Leg;
use super::{associate, records};
use crate::audit;
use crate::policy::Grant;
use crate::policy::limits::AssociationPermit;
use crate::upper::LINGER;
use crate::wire::AbortReason;
use crate::wire::associate::AssociateRq;
use crate::wire::pdu::{Abort, HEADER, PduHeader, PduType, RELEASE_RP};

pub(crate) async fn serve(
    arrival: &Arrival,
    mut requestor: Leg,
    requested: &AssociateRq,
    grant: &Grant,
    permit: AssociationPermit,
) {
    let limits = &arrival.settings.limits;
    // Nothing will ever flow, so it takes no place from an association that does something.
    drop(permit);
    let Ok(mut answer) = associate::answer(requested, None, None, limits.max_pdu_length) else { return };
    associate::answer_identity(&mut answer, requested, &arrival.listener, None);
    let Ok(bytes) = answer.encode() else { return };
    let exchange = async {
        requestor.write_pdu(&bytes).await.ok()?;
        farewell(&mut requestor).await
    };
    let ours = Some(Abort::provider(AbortReason::NotSpecified).to_pdu());
    let last = tokio::select! {
        last = timeout(limits.associate_timeout, exchange) => last.unwrap_or(ours),
        () = arrival.gate.draining() => ours,
    };
    if let Some(last) = last {
        requestor.last_word(&last, LINGER).await;
    }
    let bytes = audit::Bytes { r#in: requestor.received(), out: requestor.sent() };
    records::nothing_allowed(arrival, requested, &answer, grant, bytes);
    requestor.close(LINGER).await;
}

/// What the requestor gets as its last PDU; `None` when it has left.
async fn farewell(requestor: &mut Leg) -> Option<[u8; 10]> {
    let mut header = [0; HEADER];
    requestor.read_exact(&mut header).await.ok()?;
    match PduHeader::read(header) {
        Ok(PduHeader { pdu_type: PduType::ReleaseRq, .. }) => {
            requestor.read_exact(&mut [0; 4]).await.ok()?;
            Some(RELEASE_RP)
        }
        Ok(PduHeader { pdu_type: PduType::Abort, .. }) => None,
        Ok(_) => Some(Abort::provider(AbortReason::UnexpectedPdu).to_pdu()),
        Err(malformed) => Some(Abort::provider(malformed.reason).to_pdu()),
    }
}
