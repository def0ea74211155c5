//! Forms looked for in a text, all at once, in a time that the length of the text bounds.

use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, Input, MatchKind};

use super::folding::{Folded, is_edge_at};

/// Bytes of all forms. Each takes memory in the automaton many times over.
const MOST_BYTES: usize = 64 << 10;
/// Bytes of all forms, times how many end in each other: the automaton has in each state all forms that end there.
const MOST_COPIES: usize = 512 << 10;
/// Forms that are tried at one end of a word. No header of a patient has so many of which each ends with the next.
const MOST_TRIED: usize = 64;

/// Finds every form that begins and ends where a word does.
pub(super) struct Search {
    all: NFA,
    /// Forms before this one are looked for in every text, those from here on only where they are asked for.
    seldom: usize,
}

/// Which forms are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// Without those that are looked for seldom.
    Usual,
}

impl Search {
    /// Of folded forms, none of them empty, and of others that are looked for seldom. `None` where they are too many.
    pub(super) fn of(usual: &BTreeSet<String>, seldom: &BTreeSet<String>) -> Option<Self> {
        let forms = || usual.iter().chain(seldom);
        let bytes = forms().map(String::len).sum::<usize>();
        if bytes > MOST_BYTES || bytes.saturating_mul(deepest(forms())) > MOST_COPIES {
            return None;
        }
        let builder = &mut NFA::builder();
        let all = builder.match_kind(MatchKind::Standard).ascii_case_insensitive(true).build(forms()).ok()?;
        Some(Self { all, seldom: usual.len() })
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory(&self) -> usize {
        self.all.memory_usage()
    }

    /// Adds where they stand in a text. What overlaps is one range.
    pub(super) fn find(&self, text: &str, which: Which, found: &mut Vec<Range<usize>>) {
        if text.is_ascii() {
            self.find_in(text, which, |at| is_edge_at(text, at).then_some(at), found);
            return;
        }
        let folded = Folded::of(text);
        let came_from = |at| folded.range(at, at).map(|range| range.start);
        self.find_in(&folded.text, which, |at| came_from(at).filter(|at| is_edge_at(text, *at)), found);
    }

    /// `edge` gives where a place in a folded text came from, where that is an edge of a word.
    fn find_in(
        &self,
        text: &str,
        which: Which,
        edge: impl Fn(usize) -> Option<usize>,
        found: &mut Vec<Range<usize>>,
    ) {
        let first = self.all.try_find(&Input::new(text).earliest(true));
        let (false, Ok(mut state)) = (matches!(first, Ok(None)), self.all.start_state(Anchored::No)) else {
            return;
        };
        let mut whole = Vec::new();
        for (at, byte) in text.bytes().enumerate() {
            state = self.all.next_state(Anchored::No, state, byte);
            if self.all.is_match(state)
                && let Some(range) = self.longest(state, which, at.saturating_add(1), &edge)
            {
                add(range, &mut whole);
            }
        }
        found.append(&mut whole);
    }

    /// The longest form that ends here and is whole: all others that end here lie in it. Where more than can be tried end
    /// here, and none of those that were is whole, all before this place is taken for one.
    fn longest(
        &self,
        state: StateID,
        which: Which,
        end: usize,
        edge: &impl Fn(usize) -> Option<usize>,
    ) -> Option<Range<usize>> {
        let ends_at = edge(end)?;
        let count = self.all.match_len(state);
        // A state has its own form first, then those of shorter and shorter ends of it.
        let mut starts = (0..count.min(MOST_TRIED)).map(|index| {
            let form = self.all.match_pattern(state, index);
            let is_wanted = which == Which::All || form.as_usize() < self.seldom;
            is_wanted.then(|| edge(end.saturating_sub(self.all.pattern_len(form)))).flatten()
        });
        let start = starts.find_map(|start| start).or((count > MOST_TRIED).then_some(0))?;
        Some(start..ends_at)
    }
}

/// How many forms end in each other, the longest such row.
fn deepest<'f>(forms: impl Iterator<Item = &'f String>) -> usize {
    let mut backwards: Vec<Vec<u8>> = forms.map(|form| form.bytes().rev().collect()).collect();
    backwards.sort_unstable();
    let (mut row, mut deepest): (Vec<&[u8]>, _) = (Vec::new(), 0);
    for form in &backwards {
        while row.pop_if(|shorter| !form.starts_with(shorter)).is_some() {}
        row.push(form);
        deepest = deepest.max(row.len());
    }
    deepest
}

/// Adds a range that ends behind all others.
fn add(mut range: Range<usize>, all: &mut Vec<Range<usize>>) {
    while let Some(last) = all.pop_if(|last| last.end > range.start) {
        range.start = range.start.min(last.start);
    }
    all.push(range);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(forms: &[String], text: &str) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let search = Search::of(&forms.iter().cloned().collect(), &BTreeSet::new()).unwrap();
        search.find(text, Which::All, &mut found);
        found.into_iter().map(|range| (range.start, range.end)).collect()
    }

    fn owned(forms: &[&str]) -> Vec<String> {
        forms.iter().map(|form| (*form).to_owned()).collect()
    }

    #[test]
    fn the_longest_whole_form_is_found_and_what_overlaps_is_one() {
        let forms = owned(&["ann", "jo ann", "o ann", "ann lee x", "lee"]);
        assert_eq!(found(&forms, "Jo Ann, ann"), [(0, 6), (8, 11)]);
        assert_eq!(found(&forms, "mo Ann"), [(3, 6)], "not the longer form that begins in a word");
        assert_eq!(found(&forms, "jo ann lee x"), [(0, 12)]);
        assert_eq!(found(&forms, "ann lee"), [(0, 3), (4, 7)]);
        assert_eq!(found(&forms, "planning, annlee"), []);
        assert_eq!(found(&owned(&["ab", "b", "b c"]), "é ab c"), [(3, 5)]);
    }

    #[test]
    fn what_is_looked_for_seldom_is_found_where_it_is_asked_for_and_hides_nothing_elsewhere() {
        let set = |forms: &[&str]| owned(forms).into_iter().collect::<BTreeSet<String>>();
        let search = Search::of(&set(&["ann lee", "may"]), &set(&["clinic of ann lee", "acme"])).unwrap();
        let found = |which| {
            let mut found = Vec::new();
            search.find("Clinic of Ann Lee, ACME, may", which, &mut found);
            found
        };
        assert_eq!(found(Which::All), [0..17, 19..23, 25..28]);
        assert_eq!(found(Which::Usual), [10..17, 25..28]);
    }

    /// Of each place in such a text, sixty forms end there.
    #[test]
    fn forms_that_lie_in_each_other_take_no_more_time_than_one() {
        let forms: Vec<String> = (4..64).map(|count| "王".repeat(count)).collect();
        let text = "王".repeat(400_000);
        assert_eq!(found(&forms, &text), [(0, text.len())]);
        let forms: Vec<String> = (4..64).map(|count| "a".repeat(count)).collect();
        assert_eq!(found(&forms, &"a".repeat(1_000_000)), []);
    }

    #[test]
    fn where_too_many_forms_would_have_to_be_tried_all_is_taken() {
        let whole = "xa ".repeat(68);
        let forms: Vec<String> = (0..67).map(|words| whole[words * 3 + 1..203].to_owned()).collect();
        assert_eq!(found(&forms, &format!("y{}", &whole[..203])), [(0, 204)]);
        assert_eq!(found(&forms[63..], &whole), []);
    }

    #[test]
    fn more_than_there_is_memory_for_is_not_looked_for() {
        let all: BTreeSet<String> = (0..65).map(|number| format!("{number:01024}")).collect();
        assert!(Search::of(&all, &BTreeSet::new()).is_none());
        let nested: BTreeSet<String> = (3..120).map(|count| "a".repeat(count)).collect();
        assert_eq!(deepest(nested.iter()), 117);
        assert!(
            Search::of(&BTreeSet::new(), &nested).is_none(),
            "each state would have all forms that end there"
        );
        let most: BTreeSet<String> = (0..60).map(|number| format!("{number:01024}")).collect();
        assert_eq!(deepest(most.iter()), 1);
        assert!(Search::of(&most, &BTreeSet::new()).is_some_and(|search| search.memory() < 4 << 20));
    }
}
