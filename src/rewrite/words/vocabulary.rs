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
const CASES: [&[u8]; 4] = [b"e", b"en", b"er", b"n"];
/// Letters that a part of a compound has at least.
const SHORTEST_PART: usize = 4;
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
        if folded.iter().any(u8::is_ascii_digit) {
            return None;
        }
        let has = |endings: &[&[u8]], sense: Sense| {
            let stems = endings.iter().filter_map(|ending| folded.strip_suffix(*ending));
            let mut stems = stems.filter(|stem| stem.len() >= SHORTEST_STEM);
            stems.any(|stem| self.exact(stem).is_some_and(|known| known.is(sense)))
        };
        (has(&PLURALS, Sense::SAYS) || has(&CASES, Sense::COMPOUNDS)).then_some(Sense::SAYS)
    }
}

/// A word that is made of others, as in German and Dutch.
fn compound(folded: &[u8], most: usize) -> Option<Sense> {
    let longest = folded.len().checked_sub(SHORTEST_PART)?;
    (SHORTEST_PART..=longest).rev().find_map(|at| {
        let (first, rest) = folded.split_at_checked(at)?;
        shipped::sense(first).filter(|sense| sense.is(Sense::COMPOUNDS))?;
        let ends = LINKS.iter().filter_map(|link| rest.strip_prefix(*link));
        let mut ends = ends.filter(|end| end.len() >= SHORTEST_PART);
        ends.find_map(|end| match shipped::sense(end) {
            Some(sense) if sense.is(Sense::COMPOUNDS) => Some(Sense::SAYS),
            _ if most > 2 => compound(end, most - 1),
            _ => None,
        })
    })
}
