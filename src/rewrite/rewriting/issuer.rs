//! The issuer of a Patient ID (0010,0021), which says whose it is: part of what a patient is known by, and back behind the
//! Patient ID where that comes back.

use std::borrow::Cow;

use super::super::action::Action;
use super::super::applying::pad;
use super::super::character_set::CharacterSet;
use super::super::error::{RewriteError, RewriteProblem};
use super::super::lookahead::{Lookahead, Wanted};
use super::super::mode::Mode;
use super::super::output::Output;
use super::super::patient_id::{issuer_of, patient_id_of, patient_key};
use super::super::subject::Subject;
use super::super::way::Way;
use super::{Rewriting, scanner_of};
use crate::dataset::{ISSUER_OF_PATIENT_ID, PATIENT_ID, Tag, Vr, number, trim};

impl Rewriting {
    /// With a crosswalk, it has to be known whose something is before it is remembered.
    pub(in crate::rewrite) fn remember_whose(&mut self) {
        if !self.rules.with_issuer || self.facts.way == Way::ToReal {
            return;
        }
        let syntax = self.scanner.root_syntax();
        self.lookahead = match self.lookahead.take() {
            Some(lookahead) => Some(lookahead.wanting_patient(true)),
            None => {
                let wanted = Wanted { patient: true, issuer: true, ..Wanted::default() };
                Lookahead::new(scanner_of(&self.rules, syntax), wanted)
            }
        };
    }

    /// Whether all is known that has to be. What comes too late to be remembered with its patient is remembered without.
    pub(super) fn has_looked(&self, looked: Result<bool, RewriteError>) -> Result<bool, RewriteError> {
        let needs = self.refuses_nobody() || self.rules.reads_issuer();
        match looked {
            Err(error) if error.problem == RewriteProblem::TooLate && !needs => Ok(true),
            looked => looked,
        }
    }

    /// Whether an object that is on nobody is refused.
    pub(super) fn refuses_nobody(&self) -> bool {
        self.rules.needs_patient || self.facts.way == Way::ToReal
    }

    /// What the patient of a Patient ID is known by. An answer that lacks the issuer is on whom it was asked for, where
    /// that is the same Patient ID.
    pub(super) fn with_issuer(&self, patient: Vec<u8>, issuer: &[u8], set: &CharacterSet) -> Vec<u8> {
        let issuer = trim(issuer);
        let is_pattern = self.subject == Subject::Keys && set.characters().is_pattern(issuer);
        if !self.rules.with_issuer || is_pattern {
            return patient;
        }
        let about = self.facts.about.as_deref().filter(|about| patient_id_of(about) == patient);
        match about {
            Some(about) if issuer.is_empty() => about.to_vec(),
            _ => patient_key(&patient, &set.text_or_bytes(issuer)),
        }
    }

    /// The Patient ID of a data set was told: its issuer comes back with it, but for a retrieval, whose keys are the unique
    /// ones (PS3.4 C.4.2.1.4).
    pub(super) fn restore_issuer(
        &mut self,
        patient: Option<&[u8]>,
        set: &CharacterSet,
    ) -> Result<(), RewriteProblem> {
        if self.facts.way != Way::ToReal || !self.rules.with_issuer || self.facts.retrieves {
            return Ok(());
        }
        let Some(issuer) = patient.and_then(issuer_of) else { return Ok(()) };
        let text = std::str::from_utf8(issuer).ok().and_then(|text| set.encode(text));
        self.issuer = Some(text.ok_or(RewriteProblem::NotInCharacterSet)?.into_owned());
        Ok(())
    }

    /// A query for the Patient IDs of whomever asks for their issuers too: without them, nobody can tell whose the answers
    /// are.
    pub(super) fn ask_for_issuer(&mut self, tag: Tag) {
        let asks = self.facts.mode == Mode::Keys && self.facts.way == Way::ToReal && !self.facts.retrieves;
        if tag != PATIENT_ID || !asks || self.facts.patient.is_some() || !self.rules.reads_issuer() {
            return;
        }
        // Whom a name stands for is known with the issuer, or has none.
        self.issuer = match self.facts.named.as_deref() {
            Some(named) => issuer_of(named).and_then(|issuer| {
                let text = std::str::from_utf8(issuer).ok()?;
                self.scopes.character_set().encode(text).map(Cow::into_owned)
            }),
            None => Some(Vec::new()),
        };
    }

    /// Writes the issuer, once, where an element at the top stands in its place or behind it. Whether it stood there.
    pub(super) fn put_issuer(&mut self, tag: Tag, out: &mut Output) -> Result<bool, RewriteError> {
        if self.issuer.is_none() || number(tag) < number(ISSUER_OF_PATIENT_ID) {
            return Ok(false);
        }
        let Some(mut issuer) = self.issuer.take() else { return Ok(false) };
        // It is asked for already.
        if issuer.is_empty() && tag == ISSUER_OF_PATIENT_ID {
            return Ok(false);
        }
        pad(self.facts.mode, &Action::Keep, Vr::LO, &mut issuer);
        let elements = &mut self.notes.summary.elements;
        *elements = elements.saturating_add(1);
        self.put(ISSUER_OF_PATIENT_ID, Vr::LO, self.scanner.root_syntax(), &issuer, out)?;
        Ok(tag == ISSUER_OF_PATIENT_ID)
    }
}
