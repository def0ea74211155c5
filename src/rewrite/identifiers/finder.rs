//! What finds the identifiers of a data set in a text.

use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::{AhoCorasick, Match, MatchKind};

use super::super::character_set::CharacterSet;
use super::collected::Collected;
use super::folding::{Folded, is_edge};
use super::forms;
use super::sources::{Make, make_of};

/// See the [module](super).
pub(in crate::rewrite) struct Finder {
    /// Of all forms, folded. `None` where there are none, or too many to be looked for.
    forms: Option<AhoCorasick>,
    /// Of each form, whether only an institution or a device is called so.
    of_site: Vec<bool>,
    is_complete: bool,
}

impl Finder {
    pub(super) fn of(collected: &Collected) -> Self {
        let (mut all, mut of_site) = (BTreeSet::new(), BTreeSet::new());
        for entry in collected.entries() {
            let set = CharacterSet::of(entry.set);
            let text = set.text(entry.value).map_or_else(|| as_bytes(entry.value), |text| text.into_owned());
            let make = make_of(entry.tag);
            forms::add(make, &text, if make == Make::Site { &mut of_site } else { &mut all });
        }
        of_site.retain(|form| !all.contains(form));
        let (mut all, others): (Vec<String>, _) = (all.into_iter().collect(), of_site);
        let mut of_site = vec![false; all.len()];
        of_site.resize(all.len() + others.len(), true);
        all.extend(others);
        if all.is_empty() {
            return Self { forms: None, of_site: Vec::new(), is_complete: true };
        }
        let built =
            AhoCorasick::builder().match_kind(MatchKind::Standard).ascii_case_insensitive(true).build(&all);
        let forms = built.ok();
        Self { is_complete: forms.is_some(), forms, of_site }
    }

    /// Whether all that was collected is looked for.
    pub(in crate::rewrite) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Adds where identifiers stand in a text; `with_site`: names of institutions and devices too.
    pub(super) fn find(&self, text: &str, with_site: bool, found: &mut Vec<Range<usize>>) {
        let Some(forms) = &self.forms else { return };
        let counts = |one: &Match| {
            with_site || !self.of_site.get(one.pattern().as_usize()).copied().unwrap_or_default()
        };
        if text.is_ascii() {
            // Overlapping ones can always be looked for with this kind of match.
            let all = forms.try_find_overlapping_iter(text).into_iter().flatten();
            found.extend(all.filter(counts).map(|one| one.range()).filter(|range| is_whole(text, range)));
            return;
        }
        let folded = Folded::of(text);
        let all = forms.try_find_overlapping_iter(&folded.text).into_iter().flatten();
        let came_from = all.filter(counts).filter_map(|one| folded.range(one.start(), one.end()));
        found.extend(came_from.filter(|range| is_whole(text, range)));
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

/// Bytes that are no characters for certain, each as one: they are compared, and never written.
pub(super) fn as_bytes(value: &[u8]) -> String {
    value.iter().copied().map(char::from).collect()
}
