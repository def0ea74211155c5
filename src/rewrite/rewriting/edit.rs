//! Values edited, as a rule says.

use std::sync::Arc;

use super::super::action::Action;
use super::super::applying::{self, Cannot, Edit, Plan, pad};
use super::super::error::{RewriteError, RewriteProblem};
use super::super::levels::Source;
use super::super::output::Output;
use super::{Rewriting, problem_of};
use crate::dataset::{Header, Syntax, Tag, Vr};

/// Nearly all new values are no longer: room for them is made at once, not bit by bit.
pub(super) const MOSTLY: usize = 64;

impl Rewriting {
    /// Does what the rule says with the element under way, which is `plan`, its old value where that was read.
    pub(super) fn apply(
        &mut self,
        (rule, plan): (usize, Plan),
        old: Option<Source<'_>>,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        let Header { tag, vr: written, syntax, .. } = self.current.header;
        let before = old.as_ref().map(|old| old.bytes(input));
        if plan == Plan::Remove {
            self.note_misfit(rule, before);
            self.notes.changed(&self.scanner, self.current.header, rule, before, None);
            return Ok(());
        }
        let vr = if plan == Plan::Empty { written } else { self.own_vr() };
        let action = self.rules.action(rule);
        let mut new = std::mem::take(&mut self.new);
        new.clear();
        new.reserve(MOSTLY);
        let (set, old_value) = (self.scopes.character_set(), before.unwrap_or_default());
        self.facts.place(&self.scanner);
        let edit = match plan {
            Plan::Empty => Ok(Edit::New),
            _ => applying::edit(action, (tag, vr), syntax, set, old_value, &mut self.facts, &mut new),
        };
        let edit = match edit {
            Err(Cannot::Lacks(RewriteProblem::NoPatient | RewriteProblem::NoNumber))
                if self.may_lack_facts() =>
            {
                new.clear();
                Edit::New
            }
            edit => edit.map_err(|cannot| self.error(problem_of(cannot, rule)))?,
        };
        let edit = self.behind(rule, edit, (tag, vr), (syntax, old_value), &mut new)?;
        let action = self.rules.action(rule);
        let left = if edit == Edit::Same { old_value } else { new.as_slice() };
        let cleaned = self.cleaned_of_rule(rule, vr, left).filter(|_| edit != Edit::Gone);
        let told = self.told(rule, cleaned.is_some());
        let edit = match cleaned {
            Some(cleaned) => {
                new = cleaned;
                Edit::New
            }
            None => edit,
        };
        pad(self.facts.mode, action, vr, &mut new);
        if matches!(action, Action::Canary) {
            self.facts.canaries = self.facts.canaries.saturating_add(1);
        }
        if edit != Edit::Same {
            self.note_misfit(rule, before);
        }
        if edit == Edit::Gone {
            self.notes.changed(&self.scanner, self.current.header, told, before, None);
        } else if let (Edit::Same, Some(old)) = (edit, old) {
            self.send_head(input, out)?;
            self.send(old, input, out)?;
        } else if self.current.header.length == Some(0) && new.is_empty() {
            self.send_head(input, out)?;
        } else {
            self.put(tag, vr, syntax, &new, out)?;
            self.notes.changed(&self.scanner, self.current.header, told, before, Some(&new));
        }
        self.new = new;
        Ok(())
    }

    /// The rule that a change is told of: where identifiers went, what looks for them.
    fn told(&self, rule: usize, is_cleaned: bool) -> usize {
        let profile = self.rules.profile.as_ref().filter(|_| is_cleaned || self.facts.identified);
        profile.map_or(rule, |profile| profile.identifiers)
    }

    /// What the profile makes of what a pattern was replaced in.
    fn behind(
        &mut self,
        rule: usize,
        edit: Edit,
        (tag, vr): (Tag, Vr),
        (syntax, old): (Syntax, &[u8]),
        new: &mut Vec<u8>,
    ) -> Result<Edit, RewriteError> {
        let Some(then) = self.rules.behind(rule).filter(|_| edit != Edit::Gone) else { return Ok(edit) };
        let rules = Arc::clone(&self.rules);
        let replaced = if edit == Edit::Same { old.to_vec() } else { std::mem::take(new) };
        new.clear();
        let set = self.scopes.character_set();
        let then =
            applying::edit(rules.action(then), (tag, vr), syntax, set, &replaced, &mut self.facts, new);
        match then.map_err(|cannot| self.error(problem_of(cannot, rule)))? {
            Edit::Same if edit == Edit::New => {
                new.clear();
                new.extend_from_slice(&replaced);
                Ok(Edit::New)
            }
            other => Ok(other),
        }
    }
}
