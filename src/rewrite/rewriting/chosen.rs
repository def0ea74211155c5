//! The character set of a data set that real values come back into.

use super::super::action::Action;
use super::super::applying::pad;
use super::super::character_set::{CharacterSet, is_plain};
use super::super::correspondence::{Correspondence, Kind};
use super::super::error::{RewriteError, RewriteProblem};
use super::super::lookahead::Lookahead;
use super::super::output::Output;
use super::super::restored;
use super::super::way::Way;
use super::Rewriting;
use crate::dataset::{PATIENT_ID, SPECIFIC_CHARACTER_SET, Tag, Vr, trim, vr_of};

/// What can write everything.
const UNICODE: &[u8] = b"ISO_IR 192";

impl Rewriting {
    /// A data set in ASCII gets the character set that what is restored in it was written in, or Unicode where that was in
    /// several: its own text means the same in each of them. One that names a set has to do with that.
    pub(super) fn choose_set(&mut self, lookahead: &Lookahead) -> Result<(), RewriteError> {
        if self.facts.way != Way::ToReal || !lookahead.set.is_default() {
            return Ok(());
        }
        let mut restored = Vec::new();
        for (tag, value) in lookahead.restorable() {
            let found = self
                .restored((tag, value), &lookahead.set)
                .map_err(|problem| RewriteError::new(tag, 0, problem))?;
            restored.extend(found.into_iter().filter(|found| !is_plain(&found.real)));
        }
        let own =
            restored.iter().filter_map(|found| found.written.as_ref()).map(|written| written.set.as_slice());
        let mut sets = own.chain([UNICODE]).map(CharacterSet::of);
        let writes =
            |set: &CharacterSet| restored.iter().all(|found| restored::written(found, set).is_some());
        let chosen = sets.find(writes).filter(|set| !restored.is_empty() && !set.is_default());
        if let Some(set) = &chosen {
            self.scopes.set_character_set(set.clone());
        }
        self.chosen = chosen;
        Ok(())
    }

    /// What the values of an attribute stand for, and on whom they are.
    fn restored(
        &self,
        (tag, value): (Tag, &[u8]),
        set: &CharacterSet,
    ) -> Result<Vec<Correspondence>, RewriteProblem> {
        let (vr, pseudonyms) = (vr_of(tag), &self.facts.pseudonyms);
        let Some(action) = self.rules.action_on(tag, vr) else { return Ok(Vec::new()) };
        let (kinds, mut all) = (action.kinds(tag), Vec::new());
        for one in set.values(vr, value).map(|one| trim(one.trim_ascii_end())) {
            let end = one.iter().rposition(|b| *b != b'*').map_or(0, |last| last + 1);
            let Some(found) = pseudonyms.behind(&kinds, vr, one.get(..end).unwrap_or_default())? else {
                continue;
            };
            if let Some(patient) = &found.patient {
                all.extend(pseudonyms.row(Kind::Value(PATIENT_ID), patient)?);
            }
            all.push(found);
        }
        Ok(all)
    }

    /// Writes (0008,0005), once, where it had to be chosen.
    pub(super) fn put_chosen_set(&mut self, out: &mut Output) -> Result<(), RewriteError> {
        let Some(set) = self.chosen.take() else { return Ok(()) };
        let mut value = set.name().to_vec();
        pad(self.facts.mode, &Action::Keep, Vr::CS, &mut value);
        let elements = &mut self.notes.summary.elements;
        *elements = elements.saturating_add(1);
        self.put(SPECIFIC_CHARACTER_SET, Vr::CS, self.scanner.root_syntax(), &value, out)
    }
}
