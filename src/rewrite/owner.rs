//! Whose a correspondence is, and on whom the message is that it is restored in.
//!
//! Nobody mixes two patients in one message by pseudonyms: everything that is restored is of the patient whom the data set
//! names, or its instance, or, where neither does, of the one whom the first thing restored is of.

use super::correspondence::Correspondence;
use super::error::RewriteProblem;
use super::facts::Facts;
use super::patient_id::may_be_one;
use crate::dataset::Tag;

/// (0008,1198) Failed SOP Sequence and (0008,1199) Referenced SOP Sequence: a storage commitment lists instances of
/// whomever (PS3.4 J.3).
const LISTS: [Tag; 2] = [Tag(0x0008, 0x1198), Tag(0x0008, 0x1199)];

impl Facts {
    /// Whether the message has said by now on whom it is.
    pub(super) fn is_on_somebody(&self) -> bool {
        self.patient.is_some() || self.named.is_some() || self.bound.is_some()
    }

    /// Refuses what is known as another patient's than the message's. Where the message has not said whose it is, one that
    /// is `alone` says it.
    pub(super) fn check_whose(&mut self, found: &Correspondence, alone: bool) -> Result<(), RewriteProblem> {
        let Some(owner) = &found.patient else { return Ok(()) };
        match self.patient.as_ref().or(self.named.as_ref()).or(self.bound.as_ref()) {
            Some(patient) if may_be_one(patient, owner) => {}
            Some(patient) if self.pseudonyms.is_shared(found, patient)? => {}
            Some(_) => return Err(RewriteProblem::OtherPatient),
            None if alone && !self.sequence.is_some_and(|sequence| LISTS.contains(&sequence)) => {
                self.bound = Some(owner.clone());
            }
            None => {}
        }
        Ok(())
    }
}
