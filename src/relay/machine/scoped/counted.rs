//! Patients, who are counted before anything shows them.

use std::num::NonZeroU32;

use super::super::desk::Context;
use super::super::request::Refused;
use super::super::want::{Count, LookUp, LookedUp, Question, Whom};
use super::{not_known, outside};
use crate::dataset::{ISSUER_OF_PATIENT_ID, PATIENT_ID, STUDY_INSTANCE_UID, Small};
use crate::dimse::{Operation, Status};
use crate::patients::Patient;
use crate::vocabulary::Cause;

/// How many patients there may be: for the peer, and for the user.
type Most = [Option<NonZeroU32>; 2];

/// Looks up what an operation names, and counts whose it is where that is limited.
pub(super) fn look_up(most: Option<Most>, look_up: LookUp, operation: Operation) -> Question {
    let of_query = operation == Operation::CFind;
    match most {
        Some(most) => Question::Count(Count { whom: Whom::LookUp(look_up), most, of_query }),
        None => Question::LookUp(look_up),
    }
}

/// Why a query is not to be asked, or not to come to its end as it did: what of it would be shown is counted, and whether something
/// matches is told by each.
pub(in super::super) fn ended_too_often(
    cx: &Context<'_>,
    most: Option<Most>,
    operation: Operation,
) -> Option<Refused> {
    let asks = cx.terms.queries.as_ref().filter(|_| operation == Operation::CFind);
    let is_over = asks.zip(most).is_some_and(|(asks, most)| !asks(most));
    is_over.then(|| refused(LookedUp::TooMany, operation))
}

/// Counts whom an answer is about. `None`: it does not say enough to tell.
pub(super) fn count(cx: &Context<'_>, most: Most, answer: &Small<'_>) -> Option<Question> {
    let patient = Patient::of(
        &cx.terms.grant.upstream,
        answer.value(PATIENT_ID),
        answer.value(ISSUER_OF_PATIENT_ID),
        answer.value(STUDY_INSTANCE_UID),
    )?;
    Some(Question::Count(Count { whom: Whom::Patient(patient), most, of_query: true }))
}

/// Why an operation does not go on for which nobody could say that it may.
pub(super) fn refused(found: LookedUp, operation: Operation) -> Refused {
    let retrieval = |status| match operation {
        Operation::CFind => Status::OUT_OF_RESOURCES,
        Operation::CMove | Operation::CGet => Status(status),
        _ => outside().status,
    };
    let (status, cause, comment) = match found {
        LookedUp::TooMany => {
            (retrieval(0xA702), Cause::TooManyPatients, "more patients today than there may be")
        }
        LookedUp::NotCounted => {
            (retrieval(0xA701), Cause::PatientsNotCounted, "whom this shows could not be counted")
        }
        // On the wire it is as if there were no such study.
        LookedUp::NoConsent => return Refused::new(Cause::NoConsent, outside().comment),
        LookedUp::ConsentNotKnown => {
            return Refused::new(
                Cause::ConsentNotKnown,
                "the consent of whom this shows could not be found out",
            );
        }
        LookedUp::NotKnown => return not_known(operation),
        LookedUp::Inside | LookedUp::Outside => return outside(),
    };
    // Of one instance that somebody guessed, another comment would tell that it is there.
    let comment = match operation {
        Operation::CFind | Operation::CMove | Operation::CGet => comment.into(),
        _ => outside().comment,
    };
    Refused { status, cause, comment }
}
