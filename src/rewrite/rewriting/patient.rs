//! On whom a data set is, which has to be known before its dates are.

use super::super::character_set::CharacterSet;
use super::super::correspondence::Kind;
use super::super::dates;
use super::super::error::{RewriteError, RewriteProblem};
use super::super::patient_id::{is_nobody, may_be_one};
use super::super::profile::{ProfileOption, ProfileSpec};
use super::super::subject::Subject;
use super::super::way::Way;
use super::Rewriting;
use crate::dataset::{PATIENT_ID, Tag, Vr, trim};

impl Rewriting {
    /// What is known of the patient, by the Patient ID as it came. Only an object has to say on whom it is.
    pub(super) fn know_patient(
        &mut self,
        (written, issuer): (Result<Vec<u8>, RewriteError>, &[u8]),
        set: &CharacterSet,
    ) -> Result<(), RewriteError> {
        let problem = |problem| RewriteError::new(PATIENT_ID, 0, problem);
        let real = match (written, &self.subject) {
            (Ok(written), _) => {
                let real = self.real_patient((&written, issuer), set).map_err(problem)?;
                self.restore_issuer(real.as_deref(), set).map_err(problem)?;
                real
            }
            (Err(error), Subject::Object(_)) if self.refuses_nobody() => return Err(error),
            (Err(_), _) => self.facts.about.take(),
        };
        self.check_about(real.as_deref()).map_err(problem)?;
        real.map_or(Ok(()), |patient| self.know_days(patient)).map_err(problem)
    }

    /// An instance that went out as one patient's is not changed as another's.
    fn check_about(&self, patient: Option<&[u8]>) -> Result<(), RewriteProblem> {
        let restored = self.facts.way == Way::ToReal && self.subject != Subject::Keys;
        match (patient, self.facts.about.as_deref()) {
            (Some(patient), Some(about)) if restored && !may_be_one(patient, about) => {
                Err(RewriteProblem::OtherPatient)
            }
            _ => Ok(()),
        }
    }

    fn know_days(&mut self, patient: Vec<u8>) -> Result<(), RewriteProblem> {
        let moving = |profile: &&ProfileSpec| profile.has(ProfileOption::RetainLongitudinalModifiedDates);
        let bounds = self.rules.profile().filter(moving).map(|profile| profile.date_shift_days);
        // Beside the real day of what is scheduled, a moved one would tell by how many days.
        let bounds = bounds.filter(|_| !self.shows_schedule());
        if let Some((key, bounds)) = self.rules.date_key.as_ref().zip(bounds) {
            let days = self.facts.pseudonyms.days(&patient, || dates::days(key, &patient, bounds))?;
            self.facts.days = Some(days);
        }
        self.facts.pseudonyms.patient = Some(patient.clone());
        self.facts.patient = Some(patient);
        Ok(())
    }

    /// The real Patient ID; `None` where it is no single value, or none that leads back.
    fn real_patient(
        &self,
        (written, issuer): (&[u8], &[u8]),
        set: &CharacterSet,
    ) -> Result<Option<Vec<u8>>, RewriteProblem> {
        let keys = self.subject == Subject::Keys;
        if keys && set.characters().is_pattern(written) {
            return Ok(None);
        }
        let identity = |written: &[u8]| {
            let identity = self.facts.pseudonyms.identity(Kind::Value(PATIENT_ID), (written, set));
            identity.map(|(real, _)| Some(self.with_issuer(real, issuer, set)))
        };
        if self.facts.way == Way::ToPseudonyms {
            return identity(written);
        }
        let kinds = match self.rules.action_on(PATIENT_ID, Vr::LO) {
            None => return identity(written),
            Some(action) => action.kinds(PATIENT_ID),
        };
        if kinds.is_empty() {
            return Ok(None);
        }
        let unknown = if keys { RewriteProblem::MatchesNothing } else { RewriteProblem::NotAPseudonym };
        self.facts.pseudonyms.real(&kinds, Vr::LO, written)?.map(Some).ok_or(unknown)
    }

    /// On whom a data set of the patients' side is, where that did not have to be known before.
    pub(super) fn note_whose(&mut self, tag: Tag, written: &[u8]) -> Result<(), RewriteProblem> {
        if tag != PATIENT_ID || self.facts.patient.is_some() || self.facts.way == Way::ToReal {
            return Ok(());
        }
        let whose = self.real_patient((trim(written), &[]), self.scopes.character_set())?;
        self.facts.whose = whose.filter(|whose| !is_nobody(whose));
        Ok(())
    }

    /// A text at the top, once that has been read, in UTF-8 where it can be told.
    pub(in crate::rewrite) fn text_of(&self, value: &[u8]) -> Vec<u8> {
        self.scopes.character_set().text_or_bytes(value).into_owned()
    }

    /// Whether a Patient ID of the data set is looked for with wildcards, or several.
    pub(in crate::rewrite) fn is_pattern(&self, patient: &[u8]) -> bool {
        self.scopes.character_set().characters().is_pattern(patient)
    }

    /// Whether it is an answer to a question for the requestor's own schedule.
    pub(super) fn shows_schedule(&self) -> bool {
        self.may_lack_facts() && self.facts.schedule.is_own
    }

    /// Whether what depends on a patient, or on an object's number, may be emptied where there is none.
    pub(super) fn may_lack_facts(&self) -> bool {
        self.subject == Subject::Attributes && self.facts.way == Way::ToPseudonyms
    }
}
