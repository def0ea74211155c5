//! What finds the identifiers of a data set in a text.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::character_set::CharacterSet;
use super::collected::Collected;
use super::folding::is_edge;
use super::forms;
pub(super) use super::readings::as_bytes;
use super::readings::{Misread, of_value};
use super::search::Search;
use super::sources::make_of;

/// See the [module](super).
pub(in crate::rewrite) struct Finder {
    /// Of all forms, folded. `None` where there are none, or too many to be looked for.
    forms: Option<Search>,
    is_complete: bool,
}

impl Finder {
    pub(super) fn of(collected: &Collected) -> Self {
        let mut all = BTreeSet::new();
        for entry in collected.entries() {
            for text in of_value(&CharacterSet::of(entry.set), entry.value) {
                forms::add(make_of(entry.tag), &text, &mut all);
            }
        }
        if all.is_empty() {
            return Self { forms: None, is_complete: true };
        }
        let forms = Search::of(&all);
        Self { is_complete: forms.is_some(), forms }
    }

    /// Whether all that was collected is looked for.
    pub(in crate::rewrite) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Adds where identifiers stand in a text.
    pub(super) fn find(&self, text: &str, found: &mut Vec<Range<usize>>) {
        let Some(forms) = &self.forms else { return };
        forms.find(text, found);
        if text.is_ascii() {
            return;
        }
        for part in Misread::of(text) {
            let mut inside = Vec::new();
            forms.find(&part.text, &mut inside);
            found.extend(inside.iter().filter_map(|range| part.range(range)));
        }
    }
}

/// Whether words begin and end where a range does.
pub(super) fn is_whole(text: &str, range: &Range<usize>) -> bool {
    let (Some(before), Some(inside), Some(behind)) =
        (text.get(..range.start), text.get(range.clone()), text.get(range.end..))
    else {
        return false;
    };
    is_edge(before.chars().next_back(), inside.chars().next())
        && is_edge(inside.chars().next_back(), behind.chars().next())
}
