//! A peer that may see some studies only: its queries and retrievals, their answers, and the objects that come back.
//!
//! ```text
//!   query of studies     keys are added ------> goes on       each answer: read whole, judged, without those keys | withheld
//!   query below a study  study looked up -----> goes on       each answer: of that study                          | withheld
//!   retrieval            studies looked up ---> goes on       each object: its header judged before it goes on    | 0x0124
//!   storage commitment   studies of instances - goes on       its report: of instances that were named              | 0x0124
//!                        that it did not bring
//!   N-GET                study of its instance  goes on       its answer: read whole, judged, its study looked up   | 0x0124
//!   anything else that could tell of a study    0x0124
//! ```
//!
//! What is looked up is asked of the upstream over an association of dimsegate's own ([`Question::LookUp`](super::Question)).
//! A request that can be read in more than one way is refused, since the upstream might read it in another. Across a boundary,
//! the scope speaks of real values: requests are judged once they are restored, answers before they get their pseudonyms.
//! What a peer stores is not judged: it brings it.
//!
//! Where it is counted how many patients a peer or a user sees, the same is done for a scope that lets everybody through: the patient
//! of an answer is counted before it goes on, those of the studies that are looked up with that ([`Question::Count`](super::Question)).
//! And the same where patients have to consent, who are asked about before they are counted; there each object is judged, also one that the
//! peer brings.

mod answers;
mod counted;
mod gathering;
mod instances;
mod object;
mod reading;

use super::answer::{Answer, status_of_cause};
use super::consented;
use super::desk::Context;
use super::exchange::Exchange;
use super::request::{Refused, asks};
use super::terms::AcceptedContext;
use crate::dataset::Encoding;
use crate::dimse::{self, Command, Operation, Status};
use crate::policy::Direction;
use crate::policy::scope::{STORAGE_COMMITMENT, can_judge};
use crate::vocabulary::Cause;

pub(super) use answers::{AwaitsJudged, GathersAnswer, answer};
pub(super) use counted::ended_too_often;
pub(super) use gathering::{AwaitsLookUp, GathersRequest, HeldRequest, decide, request};
pub(super) use object::{Header, Verdict, header_of};

/// Bytes of an identifier, which is held whole: one in each direction of an association.
pub(super) const LONGEST: usize = 64 << 10;

/// Says the same whether there is such a study or not.
const OUTSIDE: &str = "not within what this peer may see";

/// Why a request is refused that is not within the scope of its peer.
pub(super) fn outside() -> Refused {
    Refused::new(Cause::OutsideScope, OUTSIDE)
}

/// Whether a request has to be judged. A scope without conditions is there for counting alone, and what a user may do by a role that
/// counts nobody is not counted.
pub(super) fn has_to_judge(cx: &Context<'_>, context: &AcceptedContext, exchange: &Exchange) -> bool {
    let Some(scope) = &cx.terms.grant.peer.scope else { return false };
    if !scope.conditions().is_empty() || cx.terms.consent.is_some() {
        return true;
    }
    match (cx.direction, exchange.operation) {
        // Judged as the retrieval is that brings it.
        (Direction::ToPeer, Operation::CStore) => !cx.books.ledger.gets_unjudged(),
        // What cannot be told is judged, if it is not refused before.
        _ => asks(cx, context, exchange, |request| Ok(cx.terms.grant.rights.counts_patients_of(request)))
            .unwrap_or(true),
    }
}

/// Whether a request can be judged at all.
pub(super) fn permits(
    cx: &Context<'_>,
    context: &AcceptedContext,
    exchange: &Exchange,
    command: &Command,
) -> Result<(), Refused> {
    consented::permits(cx, exchange, command)?;
    if !exchange.is_judged {
        return Ok(());
    }
    let refused = |comment: &str| Err(Refused::new(Cause::OutsideScope, comment));
    let class = exchange.sop_class.as_deref();
    match (cx.direction, exchange.operation) {
        (Direction::ToPeer, Operation::CEcho) => Ok(()),
        (Direction::ToPeer, Operation::CStore) => {
            let encoding = Encoding::to_read(context.transfer_syntax.as_str());
            let is_read = encoding.is_some_and(|encoding| !encoding.deflated);
            if command.has_data_set && is_read { Ok(()) } else { refused(OUTSIDE) }
        }
        (Direction::ToPeer, Operation::NEventReport) if class == Some(STORAGE_COMMITMENT) => {
            if can_read(context, exchange, command) {
                Ok(())
            } else {
                refused("this report cannot be judged")
            }
        }
        (Direction::FromPeer, operation) if can_judge(operation, class) => {
            let is_judged = !judges(exchange.operation, true) || can_read(context, exchange, command);
            if is_judged { Ok(()) } else { refused("this identifier cannot be judged") }
        }
        _ => refused("this operation cannot be judged"),
    }
}

/// Whether what a request names can be read, in one way.
fn can_read(context: &AcceptedContext, exchange: &Exchange, command: &Command) -> bool {
    use Operation::{NAction, NEventReport, NGet};
    // Some act by the class of the context, others by that of the command.
    let is_one = exchange.sop_class.as_deref() == Some(context.abstract_syntax.as_str());
    let is_read = context.encoding.is_some_and(|encoding| !encoding.deflated);
    let is_itself = match exchange.operation {
        NGet => return is_one && is_read && !command.has_data_set,
        // PS3.4 Tables J.3.2-1 and J.3.3-1.
        NAction => command.type_id() == Some(1),
        NEventReport => matches!(command.type_id(), Some(1 | 2)),
        _ => true,
    };
    is_one && is_read && is_itself && command.has_data_set
}

/// Why an operation fails whose studies could not be looked up.
fn not_known(operation: Operation) -> Refused {
    let status = match operation {
        Operation::CFind => Status::OUT_OF_RESOURCES,
        Operation::CMove | Operation::CGet => Status(0xA701),
        _ => status_of_cause(Cause::OutsideScope),
    };
    let comment = "what this peer may see could not be looked up".into();
    Refused { status, cause: Cause::ScopeNotKnown, comment }
}

/// What a retrieval, or a request for storage commitment, is answered that asks for what nobody knows: the same as one of a study
/// outside.
pub(super) fn as_outside(command: &Command, exchange: &Exchange) -> Option<(Vec<u8>, Answer)> {
    let is_retrieval = matches!(exchange.operation, Operation::CMove | Operation::CGet | Operation::NAction);
    let status = status_of_cause(Cause::OutsideScope);
    (is_retrieval && exchange.is_judged)
        .then(|| (dimse::refusal(command, status, OUTSIDE), Answer::Instead(status, Cause::OutsideScope)))
}

/// Whether this request is held until what it names is judged: its identifier, the instances of storage commitment or of its report,
/// the one of an N-GET.
pub(super) fn judges(operation: Operation, is_judged: bool) -> bool {
    use Operation::{CFind, CGet, CMove, NAction, NEventReport, NGet};
    matches!(operation, CFind | CMove | CGet | NAction | NEventReport | NGet) && is_judged
}

/// The same of a report that comes to the peer.
pub(super) fn judges_report(cx: &Context<'_>, exchange: &Exchange) -> bool {
    (cx.direction, exchange.operation) == (Direction::ToPeer, Operation::NEventReport) && exchange.is_judged
}

#[cfg(test)]
mod tests;
