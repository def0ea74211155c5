//! What the profile keeps where it fits its VR. Nearly all does, and goes on from where it lies.

use super::super::action::Action;
use super::super::applying;
use super::super::current::Doing;
use super::super::error::{RewriteError, RewriteProblem};
use super::super::fitting;
use super::super::levels::Source;
use super::super::mode::Mode;
use super::super::output::Output;
use super::super::pixels::{Masking, is_pixel_data};
use super::super::profile::is_of_reference;
use super::super::subject::Subject;
use super::Rewriting;
use super::element::LONGEST_READ;
use crate::dataset::{Header, SOP_CLASS_UID, Tag, Vr, exact_vr_of};

impl Rewriting {
    /// The profile's rule for what may not fit, `rule` being the one that decides otherwise.
    pub(super) fn fitting(&self, header: &Header, top: bool, rule: Option<usize>) -> Option<usize> {
        let profile = self.rules.profile.as_ref().filter(|_| self.facts.mode == Mode::Forward)?;
        let is_kept = rule.is_none_or(|rule| {
            rule >= self.rules.explicit
                && matches!(self.rules.action(rule), Action::Keep | Action::Default(_))
        });
        // The command says the same class. Pixels of objects that masks fit, and of what is no object, are judged elsewhere.
        let is_object = matches!((&self.subject, &self.masking), (Subject::Object(_), Masking::Pass));
        let is_judged = top && header.tag == SOP_CLASS_UID || !top && is_pixel_data(header.tag) && !is_object;
        if !is_kept || is_judged {
            return None;
        }
        self.foreign(header.tag).then_some(profile.fit.foreign).or_else(|| profile.fit.decide(header, top))
    }

    /// Whether an element stands in the item of a reference, and is no part of that.
    fn foreign(&self, tag: Tag) -> bool {
        // The sequence and its item are open around it, and what is in a sequence of that item is a code.
        self.reference.is_some_and(|around| !is_of_reference(tag, self.open > around + 2))
    }

    /// A sequence is gone into.
    pub(super) fn enter_reference(&mut self, tag: Tag) {
        let refers = self.rules.profile.as_ref().is_some_and(|profile| profile.refers(tag));
        if refers && self.facts.mode == Mode::Forward && self.reference.is_none() {
            self.reference = Some(self.open);
        }
    }

    /// How a value is read that a rule looks at. One that is only looked at need not be held, however long it is.
    /// One in which identifiers are looked for is.
    pub(super) fn fit_or_read(&self, header: &Header, rule: Option<usize>) -> Doing {
        let length = header.length.unwrap_or(0);
        match rule.map(|rule| self.rules.action(rule)) {
            _ if self.facts.mode != Mode::Forward => Doing::Read,
            Some(Action::Fit(_)) if self.reach(header, rule).is_some() => Doing::Read,
            Some(Action::Fit(_) | Action::Kind { .. }) if length > LONGEST_READ => Doing::Watch,
            Some(Action::Fit(_) | Action::Kind { .. }) => Doing::Fit,
            _ => Doing::Read,
        }
    }

    /// Whether a part of a value is all of it, and legal.
    pub(super) fn fits(&self, part: &Source<'_>, input: &[u8]) -> bool {
        let action = self.current.planned.map(|(rule, _)| self.rules.action(rule));
        self.current.value.is_empty()
            && action.is_some_and(|action| applying::fits(action, self.own_vr(), part.bytes(input)))
    }

    /// Sends a part of a value that is too long to be held, or says that it is not legal.
    pub(super) fn watch(
        &mut self,
        part: Source<'_>,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        let vr = self.own_vr();
        let may_stand = |byte: &u8| matches!(byte, b' ' | b'\\' | 0) || fitting::may_stand_in(vr, *byte);
        if !part.bytes(input).iter().all(may_stand) {
            return Err(self.error(RewriteProblem::Misfit));
        }
        self.send(part, input, out)
    }

    /// The dictionary's VR of the element under way, where it has one.
    pub(super) fn own_vr(&self) -> Vr {
        exact_vr_of(self.current.header.tag).unwrap_or(self.current.header.vr)
    }

    /// Notes a value that did not fit.
    pub(super) fn note_misfit(&mut self, rule: usize, before: Option<&[u8]>) {
        let removes = self.rules.profile.as_ref().is_some_and(|profile| profile.fit.removes(rule));
        let is_misfit = match self.rules.action(rule) {
            Action::Fit(_) | Action::Kind { .. } => {
                before.is_none_or(|before| !fitting::are_legal(self.own_vr(), before))
            }
            _ => removes,
        };
        if is_misfit {
            self.notes.misfit();
        }
    }
}
