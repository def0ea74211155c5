//! What finds the identifiers of a data set in a text.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::character_set::CharacterSet;
use super::collected::Collected;
use super::forms;
pub(super) use super::readings::as_bytes;
use super::readings::{Misread, of_value};
use super::search::Search;
use super::sources::{Make, make_of};

/// What finds the identifiers of one data set, in whatever form they are written.
pub(in crate::rewrite) struct Finder {
    /// Of all forms, folded, but for those of sites. `None` where there are none, or too many to be looked for.
    forms: Option<Search>,
    /// Of forms that only an institution or a device is called.
    of_site: Option<Search>,
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
        let search = |forms: &BTreeSet<String>| (!forms.is_empty()).then(|| Search::of(forms));
        let (all, of_site) = (search(&all), search(&of_site));
        let is_complete = [&all, &of_site].into_iter().flatten().all(Option::is_some);
        Self { forms: all.flatten(), of_site: of_site.flatten(), is_complete }
    }

    /// Whether all that was collected is looked for.
    pub(in crate::rewrite) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory(&self) -> usize {
        self.forms.iter().chain(&self.of_site).map(Search::memory).sum()
    }

    /// Adds where identifiers stand in a text; `with_site`: names of institutions and devices too.
    pub(super) fn find(&self, text: &str, with_site: bool, found: &mut Vec<Range<usize>>) {
        let of_site = self.of_site.as_ref().filter(|_| with_site);
        self.forms.iter().chain(of_site).for_each(|forms| find(forms, text, found));
    }
}

fn find(forms: &Search, text: &str, found: &mut Vec<Range<usize>>) {
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
