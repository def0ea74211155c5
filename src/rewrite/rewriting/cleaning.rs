//! Texts that are kept, without the identifiers in them.

use std::sync::Arc;

use super::super::action::Action;
use super::super::applying::pad;
use super::super::character_set::CharacterSet;
use super::super::creator::{CreatorId, is_creator};
use super::super::current::Doing;
use super::super::error::{RewriteError, RewriteProblem};
use super::super::identifiers::{Collected, Reach, Sought, clean, reach};
use super::super::levels::Source;
use super::super::mode::Mode;
use super::super::output::Output;
use super::Rewriting;
use crate::dataset::{Header, SPECIFIC_CHARACTER_SET, Vr, exact_vr_of, vr_of};

impl Rewriting {
    /// All identifiers are known that are looked for in what follows.
    pub(super) fn know_identifiers(&mut self, collected: &Collected) -> Result<(), RewriteError> {
        let finder = self.recalled.finder(collected);
        if collected.is_full() || !finder.is_complete() {
            return Err(RewriteError::whole(RewriteProblem::TooManyIdentifiers));
        }
        let shapes = self.rules.identifiers.as_ref().map(|(_, shapes)| Arc::clone(shapes));
        self.facts.sought = shapes.map(|shapes| Sought { finder, shapes });
        Ok(())
    }

    /// What is looked for in the value of an element that is kept, by a rule or since there is none. What an administrator
    /// keeps stays as it is.
    pub(super) fn reach(&self, header: &Header, rule: Option<usize>) -> Option<Reach> {
        self.facts.sought.as_ref()?;
        let tag = header.tag;
        if rule.is_some_and(|rule| rule < self.rules.explicit) || tag == SPECIFIC_CHARACTER_SET {
            return None;
        }
        let named = self.rules.creators.len();
        let is_named = |creator: &CreatorId| usize::from(*creator) < named;
        if is_creator(tag) && self.scopes.creator_of_block(tag).is_some_and(|creator| is_named(&creator)) {
            return None;
        }
        let vr = text_vr(header);
        let retains = rule.is_some_and(|rule| !self.is_of_safe_private(rule));
        reach(tag, vr, retains)
    }

    /// How a text that is kept is read, where something is looked for in it.
    pub(super) fn doing_with_kept(&self, header: &Header, rule: Option<usize>) -> Doing {
        let reach = self.reach(header, rule).filter(|_| header.length != Some(0));
        reach.map_or(Doing::Pass, Doing::Clean)
    }

    /// Sends a text that is kept, without what is found in it.
    pub(super) fn clean(
        &mut self,
        reach: Reach,
        value: Source<'_>,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        let (Header { tag, syntax, .. }, vr) = (self.current.header, text_vr(&self.current.header));
        let Some(mut cleaned) = self.cleaned(vr, value.bytes(input), reach) else {
            self.send_head(input, out)?;
            return self.send(value, input, out);
        };
        pad(Mode::Forward, &Action::Keep, vr, &mut cleaned);
        self.put(tag, vr, syntax, &cleaned, out)?;
        let rule = self.rules.profile.as_ref().map_or(usize::MAX, |profile| profile.identifiers);
        let header = self.current.header;
        self.notes.changed(&self.scanner, header, rule, Some(value.bytes(input)), Some(&cleaned));
        Ok(())
    }

    /// A text without what is found in it; `None` where nothing is.
    pub(super) fn cleaned(&self, vr: Vr, text: &[u8], reach: Reach) -> Option<Vec<u8>> {
        let Sought { finder, shapes } = self.facts.sought.as_ref()?;
        clean((finder, shapes), (vr, self.scopes.character_set()), text, reach)
    }

    /// What a rule left of a text, or found nothing in, may hold identifiers all the same. Where the profile has the last word
    /// on what a pattern left, what that does decides. Whoever cleans a text by its words has looked for them before.
    pub(super) fn cleaned_of_rule(&self, rule: usize, vr: Vr, text: &[u8]) -> Option<Vec<u8>> {
        let last = self.rules.behind(rule).unwrap_or(rule);
        let reach = match self.rules.action(last) {
            Action::Pattern { .. } => Reach::All,
            Action::Fit(_) if self.current.header.tag == SPECIFIC_CHARACTER_SET => {
                (!CharacterSet::of(text).is_known()).then_some(Reach::Header)?
            }
            Action::Fit(_) => self.reach(&self.current.header, Some(last))?,
            _ => return None,
        };
        self.cleaned(vr, text, reach)
    }

    fn is_of_safe_private(&self, rule: usize) -> bool {
        self.rules.profile.as_ref().is_some_and(|profile| profile.is_safe_private(rule))
    }
}

/// Which text an attribute is, whatever its sender wrote. Of what may be written in one of two, neither is a text.
fn text_vr(header: &Header) -> Vr {
    let unsaid = || if header.vr == Vr::UN { vr_of(header.tag) } else { header.vr };
    exact_vr_of(header.tag).unwrap_or_else(unsaid)
}
