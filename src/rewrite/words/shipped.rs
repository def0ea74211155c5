//! The words that come with dimsegate.
//!
//! Each list says at its top where its words are from, and under which licence. They are read once, when the first set of
//! rules with them is compiled.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::endings::{self, Endings};
use super::fold::Folded;
use super::sense::Sense;

const SAYS: Sense = Sense::SAYS;

/// The words of a file, what they do, and the endings that they take beside those of the plural.
struct List {
    words: &'static str,
    sense: Sense,
    endings: Endings,
}

const fn list(words: &'static str, sense: Sense) -> List {
    List { words, sense, endings: endings::NONE }
}

/// What a word of a later list does, it does beside what it does in earlier ones; but a word that joins or denies says nothing
/// alone, whatever the lists of concepts have, and a name is nothing else.
const LISTS: [List; 18] = [
    list(include_str!("lists/english.txt"), SAYS),
    List { endings: endings::FRENCH, ..list(include_str!("lists/french.txt"), SAYS) },
    list(include_str!("lists/german.txt"), SAYS.and(Sense::COMPOUNDS)),
    List { endings: endings::SPANISH, ..list(include_str!("lists/spanish.txt"), SAYS) },
    List { endings: endings::ITALIAN, ..list(include_str!("lists/italian.txt"), SAYS) },
    list(include_str!("lists/dutch.txt"), SAYS.and(Sense::COMPOUNDS)),
    list(include_str!("lists/concepts.txt"), SAYS),
    list(include_str!("lists/technique.txt"), SAYS),
    list(include_str!("lists/agents.txt"), SAYS),
    list(include_str!("lists/structures.txt"), SAYS),
    list(include_str!("lists/negators.txt"), Sense::DENIES),
    list(include_str!("lists/joining.txt"), Sense::JOINS),
    list(include_str!("lists/particles.txt"), Sense::JOINS.and(Sense::PARTICLE)),
    list(include_str!("lists/units.txt"), Sense::UNIT),
    list(include_str!("lists/parameters.txt"), Sense::COUNTS),
    list(include_str!("lists/ages.txt"), SAYS.and(Sense::AGES)),
    list(include_str!("lists/sides.txt"), SAYS),
    list(include_str!("lists/names.txt"), Sense::NOTHING),
];

/// The endings of the languages whose words are inflected.
const INFLECTED: [Endings; 3] = [endings::FRENCH, endings::SPANISH, endings::ITALIAN];

/// What was read of the lists.
struct Read {
    words: HashMap<Box<[u8]>, Sense>,
    /// What is before the endings of words that are inflected, for each set of endings of each language.
    stems: [Vec<HashSet<Box<[u8]>>>; INFLECTED.len()],
}

static READ: LazyLock<Read> = LazyLock::new(read);

/// What a folded word does, where it is in a list.
pub(super) fn sense(word: &[u8]) -> Option<Sense> {
    READ.words.get(word).copied()
}

/// Whether a folded word is one of a list with another ending.
pub(super) fn is_inflected(word: &[u8]) -> bool {
    INFLECTED.iter().zip(&READ.stems).any(|(endings, sets)| {
        endings::stems(word, endings)
            .any(|(set, stem)| sets.get(set).is_some_and(|stems| stems.contains(stem)))
    })
}

/// How many there are; reads them, where that was not done before.
pub(super) fn count() -> usize {
    READ.words.len()
}

fn read() -> Read {
    let mut words = HashMap::new();
    for list in LISTS {
        for word in words_of(list.words) {
            spellings(word, |folded| {
                let known: &mut Sense = words.entry(folded.into()).or_default();
                *known = known.then(list.sense);
            });
        }
    }
    let stems = INFLECTED.map(|endings| stems(endings, &words));
    Read { words, stems }
}

/// The stems of the words that say something in the list with these endings.
fn stems(endings: Endings, known: &HashMap<Box<[u8]>, Sense>) -> Vec<HashSet<Box<[u8]>>> {
    let mut stems = vec![HashSet::<Box<[u8]>>::new(); endings.len()];
    for list in LISTS.iter().filter(|list| list.endings == endings) {
        for folded in words_of(list.words).filter_map(Folded::of) {
            if known.get(folded.bytes()).is_some_and(|sense| sense.is(SAYS)) {
                for (set, stem) in endings::stems(folded.bytes(), endings) {
                    if let Some(stems) = stems.get_mut(set) {
                        stems.insert(stem.into());
                    }
                }
            }
        }
    }
    stems
}

/// The words of a list: `#` begins a comment.
fn words_of(list: &str) -> impl Iterator<Item = &str> {
    list.lines().flat_map(|line| line.split('#').next().unwrap_or_default().split_whitespace())
}

/// The ways to write a word without its accents: `Schädel` is `schadel`, and `schaedel` too.
pub(super) fn spellings(word: &str, mut take: impl FnMut(&[u8])) {
    if let Some(folded) = Folded::of(word) {
        take(folded.bytes());
    }
    if word.contains(['ä', 'ö', 'ü', 'Ä', 'Ö', 'Ü']) {
        let apart = word.to_lowercase().replace('ä', "ae").replace('ö', "oe").replace('ü', "ue");
        if let Some(folded) = Folded::of(&apart) {
            take(folded.bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LISTS, words_of};
    use crate::rewrite::words::fold::LONGEST;

    #[test]
    fn each_list_says_where_it_is_from_and_holds_words() {
        for list in LISTS.map(|list| list.words) {
            assert!(list.starts_with("# ") && list.contains("Licence: "), "{list:.60}");
            for word in words_of(list) {
                assert!(word.chars().any(|c| c.is_alphabetic() || c == '%'), "{word}");
                assert!(word.len() < LONGEST, "{word}");
                assert!(word.bytes().filter(u8::is_ascii_digit).count() < 6, "{word}");
            }
        }
    }
}
