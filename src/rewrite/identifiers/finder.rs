//! What finds the identifiers of a data set in a text.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::character_set::CharacterSet;
use super::collected::Collected;
use super::forms;
pub(super) use super::readings::as_bytes;
use super::readings::{Misread, of_value};
use super::search::{Search, Which};
use super::sources::{Make, make_of};

/// What finds the identifiers of one data set, in whatever form they are written.
pub(in crate::rewrite) struct Finder {
    /// Of all forms, folded; those that only an institution or a device is called are looked for in most texts. `None` where there
    /// are none, or too many to be looked for.
    forms: Option<Search>,
    is_complete: bool,
}

impl Finder {
    pub(super) fn of(collected: &Collected) -> Self {
        let (mut all, mut of_site) = (BTreeSet::new(), BTreeSet::new());
        for entry in collected.entries() {
            let make = make_of(entry.tag);
            let forms = if make == Make::Site { &mut of_site } else { &mut all };
            for text in of_value(&CharacterSet::of(entry.set), entry.value) {
                forms::add(make, &text, forms);
            }
        }
        of_site.retain(|form| !all.contains(form));
        if all.is_empty() && of_site.is_empty() {
            return Self { forms: None, is_complete: true };
        }
        let forms = Search::of(&all, &of_site);
        Self { is_complete: forms.is_some(), forms }
    }

    /// Whether all that was collected is looked for.
    pub(in crate::rewrite) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory(&self) -> usize {
        self.forms.as_ref().map_or(0, Search::memory)
    }

    /// Adds where identifiers stand in a text; `with_site`: names of institutions and devices too.
    pub(super) fn find(&self, text: &str, with_site: bool, found: &mut Vec<Range<usize>>) {
        let which = if with_site { Which::All } else { Which::Usual };
        let Some(forms) = &self.forms else { return };
        forms.find(text, which, found);
        if text.is_ascii() {
            return;
        }
        for part in Misread::of(text) {
            let mut inside = Vec::new();
            forms.find(&part.text, which, &mut inside);
            found.extend(inside.iter().filter_map(|range| part.range(range)));
        }
    }
}
