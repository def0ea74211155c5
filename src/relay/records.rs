//! The opening and the closing record of an association.

use std::collections::BTreeMap;

use super::arrival::{Arrival, Refused};
use super::established::Established;
use super::machine::{Ended, Side, Tally, Terms};
use super::proof::proven;
use crate::audit::{self, Event};
use crate::policy::Grant;
use crate::tls::Session;
use crate::vocabulary::{self, Reason};
use crate::wire::associate::{AnsweredContext, AssociateAc, AssociateRq, ContextResult};

/// What the closing record says that was known when the association opened.
pub(crate) struct Particulars {
    requestor: audit::Requestor,
    upstream: audit::Upstream,
    contexts: Vec<audit::Context>,
    rewrite: Option<String>,
    agreement: Option<String>,
}

impl Particulars {
    /// Of the upstream that was dialled.
    pub(super) fn upstream_address(&self) -> &str {
        &self.upstream.address
    }
}

/// Records that the request is about to be answered with an A-ASSOCIATE-AC. `address` is that of the upstream that was dialled,
/// and `tls` what was proven there.
///
/// # Errors
/// It could not be recorded in time, so that the request is not answered so. What the closing record says, where there has to
/// be one because the opening record is written later.
pub(super) async fn opened(
    arrival: &Arrival,
    established: &Established,
    (address, tls): (&str, Option<&Session>),
) -> Result<Particulars, Option<Box<Particulars>>> {
    let grant = &established.grant;
    let told = Particulars {
        requestor: arrival.requestor(&established.requested, Some(&grant.peer.name)),
        upstream: audit::Upstream {
            name: grant.upstream.to_string(),
            address: address.to_owned(),
            called_ae_title: established.offered.called.to_string(),
            calling_ae_title: established.offered.calling.to_string(),
            tls: tls.map(proven),
        },
        contexts: contexts(&established.requested, &established.answer.contexts),
        rewrite: grant.peer.rewrite.as_ref().map(ToString::to_string),
        agreement: agreement(grant),
    };
    let record = audit::AssociationOpened {
        association: arrival.id.to_string(),
        requestor: told.requestor.clone(),
        upstream: told.upstream.clone(),
        contexts: told.contexts.clone(),
        rewrite: told.rewrite.clone(),
        agreement: told.agreement.clone(),
        configuration: arrival.settings.digest.clone(),
    };
    let recorded = arrival.gate.audit.record_for_answer(Event::AssociationOpened(Box::new(record))).await;
    match recorded {
        Ok(()) => Ok(told),
        Err(audit::NotKept { queued }) => Err(queued.then(|| Box::new(told))),
    }
}

fn agreement(grant: &Grant) -> Option<String> {
    grant.rights.agreement().map(|agreement| agreement.id.to_string())
}

/// The contexts as they were answered.
pub(super) fn contexts(requested: &AssociateRq, answered: &[AnsweredContext]) -> Vec<audit::Context> {
    let context = |answer: &AnsweredContext| {
        let proposed = requested.contexts.iter().find(|proposed| proposed.id == answer.id)?;
        let accepted = answer.result == ContextResult::Acceptance;
        Some(audit::Context {
            id: answer.id,
            abstract_syntax: proposed.abstract_syntax.to_string(),
            result: answer.result.code(),
            transfer_syntax: answer.transfer_syntax.as_ref().filter(|_| accepted).map(ToString::to_string),
        })
    };
    answered.iter().filter_map(context).collect()
}

/// Records how it ended: the one record that tells the whole story.
pub(super) async fn closed(
    arrival: &Arrival,
    terms: &Terms,
    tally: &Tally,
    bytes: audit::Bytes,
    ended: &Ended,
    told: Particulars,
) {
    let record = audit::AssociationClosed {
        association: arrival.id.to_string(),
        requestor: told.requestor,
        upstream: Some(told.upstream),
        contexts: told.contexts,
        operations: tally.operations(),
        bytes,
        rewrite: told.rewrite.map(|name| audit::Rewrite {
            name,
            elements: tally.elements(),
            secret_version: terms.ruleset.as_ref().and_then(|ruleset| ruleset.secret_version()),
        }),
        agreement: told.agreement,
        configuration: arrival.settings.digest.clone(),
        duration_ms: u64::try_from(arrival.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        ended: audited(ended).into(),
        reason: match ended {
            Ended::Released { .. } => None,
            other => Some(other.to_string().into()),
        },
        count: None,
    };
    log_closed(&record);
    arrival.gate.audit.record(Event::AssociationClosed(Box::new(record))).await;
}

/// What the record says, in short and under the same names; the address and the AE titles are in the spans.
fn log_closed(record: &audit::AssociationClosed) {
    let operations: Vec<String> =
        record.operations.iter().map(|(operation, counts)| format!("{operation} {counts}")).collect();
    tracing::info!(
        peer = record.requestor.peer,
        user = record.requestor.identified.as_ref().map(|one| one.user.as_str()),
        upstream = record.upstream.as_ref().map(|upstream| upstream.name.as_str()),
        operations = operations.join("; "),
        "bytes.in" = record.bytes.r#in,
        "bytes.out" = record.bytes.out,
        "duration-ms" = record.duration_ms,
        ended = record.ended.label(),
        reason = record.reason.as_deref(),
        "association closed"
    );
}

/// How it ended, in the word of the records.
pub(super) fn audited(ended: &Ended) -> vocabulary::Ended {
    match ended {
        Ended::Released { .. } => vocabulary::Ended::Released,
        Ended::Aborted { by: Side::Requestor, .. } => vocabulary::Ended::AbortedByRequestor,
        Ended::Aborted { by: Side::Upstream, .. } => vocabulary::Ended::AbortedByUpstream,
        Ended::Lost { side: Side::Requestor, .. } => vocabulary::Ended::LostRequestor,
        Ended::Lost { side: Side::Upstream, .. } => vocabulary::Ended::LostUpstream,
        Ended::TimedOut { .. } => vocabulary::Ended::Timeout,
        Ended::Protocol { .. } => vocabulary::Ended::ProtocolError,
        Ended::Policy { .. } | Ended::Ordered { .. } => vocabulary::Ended::Policy,
        Ended::Drained | Ended::Shutdown => vocabulary::Ended::Shutdown,
        Ended::Defect { .. } => vocabulary::Ended::Defect,
    }
}

/// Records an association that was opened in the records only, since they could not be written in time.
pub(super) async fn unanswered(arrival: &Arrival, told: Particulars, bytes: audit::Bytes) {
    let reason = Reason::RecordsUnavailable;
    let peer = told.requestor.peer.as_deref();
    arrival.gate.metrics.refused(&arrival.listener.name, peer, reason.label());
    let record = audit::AssociationClosed {
        association: arrival.id.to_string(),
        requestor: told.requestor,
        upstream: Some(told.upstream),
        contexts: told.contexts,
        operations: BTreeMap::new(),
        bytes,
        rewrite: None,
        agreement: told.agreement,
        configuration: arrival.settings.digest.clone(),
        duration_ms: u64::try_from(arrival.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        ended: vocabulary::Ended::Policy.into(),
        reason: Some(format!("{}: {reason}", reason.label()).into()),
        count: None,
    };
    log_closed(&record);
    arrival.gate.audit.record(Event::AssociationClosed(Box::new(record))).await;
}

/// Records an association in which the policy left nothing to do: a refusal, and gathered as such.
pub(super) fn nothing_allowed(
    arrival: &Arrival,
    requested: &AssociateRq,
    answer: &AssociateAc,
    grant: &Grant,
    bytes: audit::Bytes,
) {
    let reason = Reason::NoContextAllowed;
    let record = audit::AssociationClosed {
        association: arrival.id.to_string(),
        requestor: arrival.requestor(requested, Some(&grant.peer.name)),
        upstream: None,
        contexts: contexts(requested, &answer.contexts),
        operations: BTreeMap::new(),
        bytes,
        rewrite: None,
        agreement: agreement(grant),
        configuration: arrival.settings.digest.clone(),
        duration_ms: u64::try_from(arrival.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        ended: vocabulary::Ended::Policy.into(),
        reason: Some(format!("{}: {reason} by role {}", reason.label(), grant.rights.named()).into()),
        count: None,
    };
    let refused = Refused::new(Reason::NoContextAllowed, record.reason.as_deref().unwrap_or_default());
    arrival.seen_refused(&refused, Some(requested), Some(&grant.peer.name));
    arrival.remember(&refused, Some(requested), Some(&grant.peer.name));
    arrival.gate.metrics.refused(&arrival.listener.name, Some(&grant.peer.name), reason.label());
    let event = Event::AssociationClosed(Box::new(record));
    let Some(event) = arrival.gate.refusals.of_address(arrival.from.ip(), event) else { return };
    tracing::info!(role = %grant.rights.named(), "no presentation context is allowed");
    arrival.gate.audit.record_refusal(event);
}
