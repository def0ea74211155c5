//! What has to stand before an element at the top, and what is added there.

use std::sync::Arc;

use super::super::applying::{self, pad};
use super::super::character_set::CharacterSet;
use super::super::error::{RewriteError, RewriteProblem};
use super::super::output::Output;
use super::super::subject::Subject;
use super::super::table::Addition;
use super::edit::MOSTLY;
use super::{Rewriting, problem_of};
use crate::dataset::{Header, PATIENT_ID, SOP_INSTANCE_UID, SPECIFIC_CHARACTER_SET, Tag, number};

impl Rewriting {
    pub(super) fn check_pixels(&mut self, tag: Option<Tag>) -> Result<(), RewriteError> {
        let Some(pixels) = &mut self.pixels else { return Ok(()) };
        pixels.before(tag).map_err(|(tag, problem)| RewriteError::new(tag, 0, problem))
    }

    /// Whom a key names has become the Patient ID, which therefore has to be there.
    pub(super) fn check_named(&self) -> Result<(), RewriteError> {
        match (&self.facts.named, &self.notes.summary.patient_id) {
            (Some(_), None) => Err(RewriteError::new(PATIENT_ID, 0, RewriteProblem::NeedsPatientId)),
            _ => Ok(()),
        }
    }

    /// An element at the top is about to come.
    pub(super) fn before_top(&mut self, tag: Tag, out: &mut Output) -> Result<(), RewriteError> {
        if !self.notes.instance_seen && number(tag) > number(SOP_INSTANCE_UID) {
            return Err(RewriteError::new(SOP_INSTANCE_UID, 0, RewriteProblem::Missing));
        }
        if self.chosen.is_some() && number(tag) > number(SPECIFIC_CHARACTER_SET) {
            self.put_chosen_set(out)?;
        }
        if number(tag) > number(PATIENT_ID) {
            self.check_named()?;
        }
        self.check_pixels(Some(tag))?;
        self.add_before(number(tag), out)?;
        if self.rules.additions.get(self.next_addition).is_some_and(|addition| addition.tag == tag) {
            self.next_addition += 1;
        }
        Ok(())
    }

    /// What `set` adds between the last element and this one, which is nothing for nearly all.
    #[inline(always)]
    pub(super) fn add_before(&mut self, tag: u32, out: &mut Output) -> Result<(), RewriteError> {
        match self.rules.additions.get(self.next_addition) {
            Some(next) if number(next.tag) < tag => self.add_all_before(tag, out),
            _ => Ok(()),
        }
    }

    #[inline(never)]
    fn add_all_before(&mut self, tag: u32, out: &mut Output) -> Result<(), RewriteError> {
        if !matches!(self.subject, Subject::Object(_)) {
            return Ok(());
        }
        let rules = Arc::clone(&self.rules);
        while let Some(addition) =
            rules.additions.get(self.next_addition).filter(|next| number(next.tag) < tag)
        {
            self.next_addition += 1;
            let &Addition { tag, vr, rule, masked_only } = addition;
            if masked_only && !self.is_masked() {
                continue;
            }
            let rule = self.of_masked(tag, Some(rule)).unwrap_or(rule);
            let syntax = self.scanner.root_syntax();
            self.current.header = Header { tag, vr, length: None, syntax };
            let (action, mut new) = (rules.action(rule), Vec::with_capacity(MOSTLY));
            let set = &CharacterSet::DEFAULT;
            let edit = applying::edit(action, (tag, vr), syntax, set, &[], &mut self.facts, &mut new);
            edit.map_err(|cannot| self.error(problem_of(cannot, rule)))?;
            pad(self.facts.mode, action, vr, &mut new);
            self.put(tag, vr, syntax, &new, out)?;
            self.notes.added(tag, vr, rule, &new);
        }
        Ok(())
    }
}
