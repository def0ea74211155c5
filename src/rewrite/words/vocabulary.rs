//! The words that may stay, looked up.

use std::collections::HashSet;
use std::sync::Arc;

use super::endings;
use super::fold::Folded;
use super::sense::Sense;
use super::{shipped, site};

pub use super::site::WordProblem;

/// Letters that a word has left at least, where an ending is taken from it: "spines" is "spine", "Hals" stays "Hals".
const SHORTEST_STEM: usize = 5;
/// Endings of the plural in most of the languages of the lists; in those that make compounds, of cases too.
const PLURALS: [&[u8]; 2] = [b"s", b"es"];
const CASES: [&[u8]; 5] = [b"e", b"em", b"en", b"er", b"n"];
/// Letters that a part of a compound has at least; one of a list of another language, as `Femur` in `Femurkondylus`, has more.
const SHORTEST_PART: usize = 4;
const SHORTEST_FOREIGN_PART: usize = 5;
/// Parts that a compound has at most: "Brust wirbel säulen aufnahme".
const MOST_PARTS: usize = 4;
/// What may stand between two parts of a compound, in German and Dutch.
const LINKS: [&[u8]; 5] = [b"", b"s", b"n", b"en", b"es"];

/// The words that may stay in a text: those that come with dimsegate, and those of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    site: Arc<HashSet<Box<[u8]>>>,
}

impl Vocabulary {
    /// Adds the words of a site's file, in UTF-8: one or more a line, `#` begins a comment. What is wrong is told line by
    /// line; the other lines are read.
    pub fn read(&mut self, file: &[u8]) -> Vec<WordProblem> {
        site::read(file, Arc::make_mut(&mut self.site))
    }

    /// How many words come with dimsegate, in whatever case and with or without accents.
    pub fn shipped() -> usize {
        shipped::count()
    }

    /// How many words the site has added, counted in the same way.
    pub fn of_site(&self) -> usize {
        self.site.len()
    }

    /// What a word does, where it is known: as it stands, without an ending or with another, as a compound, or by an end that
    /// only terms have.
    pub(super) fn sense(&self, word: &str) -> Option<Sense> {
        let folded = Folded::of(word)?;
        let folded = folded.bytes();
        let known = self.exact(folded).or_else(|| self.stem(folded)).or_else(|| compound(folded, MOST_PARTS));
        known.or_else(|| (shipped::is_inflected(folded) || endings::is_term(folded)).then_some(Sense::SAYS))
    }

    /// What two words do that belong together: `w/o`, `x-ray`.
    pub(super) fn pair(&self, first: &str, between: u8, second: &str) -> Option<Sense> {
        let mut folded = Folded::of(first)?;
        folded.push(between)?;
        folded.append(second)?;
        self.exact(folded.bytes())
    }

    fn exact(&self, folded: &[u8]) -> Option<Sense> {
        shipped::sense(folded).or_else(|| self.site.contains(folded).then_some(Sense::SAYS))
    }

    fn stem(&self, folded: &[u8]) -> Option<Sense> {
        let has = |sense| move |stem: &[u8]| self.exact(stem).is_some_and(|known| known.is(sense));
        has_stem(folded, has(Sense::SAYS), has(Sense::COMPOUNDS)).then_some(Sense::SAYS)
    }
}

/// Whether a word without an ending of the plural, or of a case, is one of those.
fn has_stem(folded: &[u8], in_any: impl Fn(&[u8]) -> bool, in_cases: impl Fn(&[u8]) -> bool) -> bool {
    let stem = |ending: &&[u8]| folded.strip_suffix(*ending).filter(|stem| stem.len() >= SHORTEST_STEM);
    !folded.iter().any(u8::is_ascii_digit)
        && (PLURALS.iter().filter_map(stem).any(in_any) || CASES.iter().filter_map(stem).any(in_cases))
}

/// A word that is made of others, as in German and Dutch. One of two neighbours has to be of these languages.
fn compound(folded: &[u8], most: usize) -> Option<Sense> {
    let longest = folded.len().checked_sub(SHORTEST_PART)?;
    (SHORTEST_PART..=longest).rev().find_map(|at| {
        let (first, rest) = folded.split_at_checked(at)?;
        let first = shipped::sense(first).filter(|sense| is_part(first, *sense))?;
        let ends = LINKS.iter().filter_map(|link| rest.strip_prefix(*link));
        let mut ends = ends.filter(|end| end.len() >= SHORTEST_PART);
        ends.find_map(|end| match is_end(end, first.is(Sense::COMPOUNDS)) {
            true => Some(Sense::SAYS),
            false if most > 2 && first.is(Sense::COMPOUNDS) => compound(end, most - 1),
            false => None,
        })
    })
}

/// Whether a word may be the last part of a compound.
fn is_end(end: &[u8], behind_own: bool) -> bool {
    let own = |end: &[u8]| shipped::sense(end).is_some_and(|sense| sense.is(Sense::COMPOUNDS));
    let foreign = || shipped::sense(end).is_some_and(|sense| is_part(end, sense)) || endings::is_term(end);
    own(end) || has_stem(end, own, own) || behind_own && foreign()
}

fn is_part(word: &[u8], sense: Sense) -> bool {
    sense.is(Sense::COMPOUNDS) || sense.is(Sense::SAYS) && word.len() >= SHORTEST_FOREIGN_PART
}
