//! The end of an association: the last PDU for each side, the records, and only then the patience of closing.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::arrival::Arrival;
use super::drive::{self, Open};
use super::leg::Leg;
use super::live::Alive;
use super::machine::{Ended, Side};
use super::parting;
use super::records::{self, Particulars};
use crate::audit;
use crate::policy::limits::AssociationPermit;
use crate::upper::LINGER;
use crate::vocabulary::Notice;

/// How long the last PDU may take to be written.
const LAST_WORD: Duration = Duration::from_secs(1);

pub(super) async fn conclude(
    arrival: &Arrival,
    open: Open,
    ended: Ended,
    told: Particulars,
    (permit, alive): (AssociationPermit, Alive<'_>),
) {
    // The place is free for the next association before this one's sockets have closed.
    drop(permit);
    let Open { machine, mut requestor, mut upstream, mut meter, .. } = open;
    for (side, leg) in [(Side::Requestor, &mut requestor), (Side::Upstream, &mut upstream)] {
        if let Some(abort) = ended.abort_for(side).filter(|_| !machine.is_condemned(side)) {
            leg.last_word(&abort.to_pdu(), LAST_WORD).await;
        }
    }
    if let Some(witness) = &arrival.witness {
        witness.ended(records::audited(&ended).label(), ended.to_string());
    }
    let untaken = [Side::Requestor, Side::Upstream].map(|side| machine.leaves_untaken(side));
    let (terms, books, entries) = machine.end();
    for entry in entries {
        meter.done(&entry.done);
        drive::record(&arrival.gate, &terms.grant.peer.name, entry).await;
    }
    if matches!(ended, Ended::Shutdown) {
        arrival.gate.aborted.fetch_add(1, Relaxed);
    }
    if let Ended::Protocol { side, malformed } = &ended {
        alert(arrival, &terms.grant.peer.name, *side, &malformed.detail).await;
    }
    if let Ended::Defect { detail } = &ended {
        tracing::error!(
            detail,
            "a defect of dimsegate ended this association, and only this one; please report it to its authors, with this log"
        );
    }
    arrival.gate.refusals.tell_association(&arrival.id).await;
    let bytes = audit::Bytes { r#in: requestor.received(), out: requestor.sent() };
    meter.moved([bytes.r#in, bytes.out]);
    meter.closed(records::audited(&ended));
    // Whoever reads that it has ended does not find it among those that are open.
    drop(alive);
    records::closed(arrival, &terms, &books.tally, bytes, &ended, told).await;
    drop((terms, books));
    if matches!(ended, Ended::Drained) {
        return parting::release_both([requestor, upstream], untaken, &arrival.settings.limits).await;
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

async fn alert(arrival: &Arrival, peer: &str, side: Side, detail: &str) {
    let record = audit::SecurityAlert {
        association: Some(arrival.id.to_string()),
        listener: Some(arrival.listener.name.to_string()),
        peer: Some(peer.to_owned()),
        address: Some(arrival.from.ip().to_canonical()),
        port: Some(arrival.from.port()),
        reason: Notice::ProtocolError.label().into(),
        explanation: format!("the {side} broke the protocol: {detail}"),
        ..audit::SecurityAlert::default()
    };
    tracing::warn!(reason = &*record.reason, explanation = record.explanation, "security alert");
    arrival.gate.audit.record(audit::Event::SecurityAlert(Box::new(record))).await;
}
