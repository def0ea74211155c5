//! The end of an association: the last PDU for each side, the records, and only then the patience of closing.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::arrival::Arrival;
use super::association::{Answer, Association};
use super::ended::{Ended, Side};
use super::leg::{LINGER, Leg};
use super::parting;
use super::records::{self, Told};
use crate::audit;
use crate::policy::limits::AssociationPermit;

/// How long the last PDU may take to be written.
const LAST_WORD: Duration = Duration::from_secs(1);

pub(super) async fn conclude(
    arrival: &Arrival,
    association: Association,
    ended: Ended,
    told: Told,
    permit: AssociationPermit,
) {
    // The place is free for the next association before this one's sockets have closed.
    drop(permit);
    for side in [Side::Requestor, Side::Upstream] {
        let leg = association.leg(side);
        if let Some(abort) = ended.abort_for(side).filter(|_| !leg.is_condemned()) {
            leg.last_word(&abort.to_pdu(), LAST_WORD).await;
        }
    }
    for (direction, exchange) in association.ledger.drain() {
        let answer = exchange.answered.map_or(Answer::Never, Answer::Status);
        association.record(direction, exchange, answer).await;
    }
    if matches!(ended, Ended::Shutdown) {
        arrival.gate.aborted.fetch_add(1, Relaxed);
    }
    if let Ended::Protocol { side, malformed } = &ended {
        alert(arrival, *side, &malformed.detail).await;
    }
    arrival.gate.refusals.tell_association(&arrival.id).await;
    records::closed(arrival, &association, &ended, told).await;
    let Association { requestor, upstream, .. } = association;
    if matches!(ended, Ended::Drained) {
        return parting::release_both(requestor, upstream, &arrival.settings.limits).await;
    }
    tokio::join!(part(requestor, Side::Requestor, &ended), part(upstream, Side::Upstream, &ended));
}

/// PS3.8 Table 9-10: whoever sent the last PDU waits for the other to close (AR-4, AA-1); whoever got it closes.
async fn part(leg: Leg, side: Side, ended: &Ended) {
    match ended {
        Ended::Released { by } if *by == side => leg.await_close(LINGER).await,
        Ended::Lost { side: lost, .. } | Ended::Aborted { by: lost, .. } if *lost == side => {}
        Ended::Released { .. } => leg.close(Duration::from_millis(200)).await,
        _ => leg.close(LINGER).await,
    }
}

async fn alert(arrival: &Arrival, side: Side, detail: &str) {
    let record = audit::SecurityAlert {
        association: Some(arrival.id.to_string()),
        listener: Some(arrival.listener.name.to_string()),
        address: Some(arrival.from.ip().to_canonical()),
        port: Some(arrival.from.port()),
        reason: "protocol-error".into(),
        explanation: format!("the {side} broke the protocol: {detail}"),
        ..audit::SecurityAlert::default()
    };
    tracing::warn!(reason = &*record.reason, explanation = record.explanation, "security alert");
    arrival.gate.audit.record(audit::Event::SecurityAlert(Box::new(record))).await;
}
