//! The words that come with dimsegate.
//!
//! Each list says at its top where its words are from, and under which licence. They are read once, when the first set of
//! rules with them is compiled.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::fold::Folded;
use super::sense::Sense;

const SAYS: Sense = Sense::SAYS;

/// What a word of a later list does, it does beside what it does in earlier ones; but a word that joins or denies says nothing
/// alone, whatever the lists of concepts have, and a name is nothing else.
const LISTS: [(&str, Sense); 18] = [
    (include_str!("lists/english.txt"), SAYS),
    (include_str!("lists/french.txt"), SAYS),
    (include_str!("lists/german.txt"), SAYS.and(Sense::COMPOUNDS)),
    (include_str!("lists/spanish.txt"), SAYS),
    (include_str!("lists/italian.txt"), SAYS),
    (include_str!("lists/dutch.txt"), SAYS.and(Sense::COMPOUNDS)),
    (include_str!("lists/concepts.txt"), SAYS),
    (include_str!("lists/technique.txt"), SAYS),
    (include_str!("lists/agents.txt"), SAYS),
    (include_str!("lists/structures.txt"), SAYS),
    (include_str!("lists/negators.txt"), Sense::DENIES),
    (include_str!("lists/joining.txt"), Sense::JOINS),
    (include_str!("lists/particles.txt"), Sense::JOINS.and(Sense::PARTICLE)),
    (include_str!("lists/units.txt"), Sense::UNIT),
    (include_str!("lists/parameters.txt"), Sense::COUNTS),
    (include_str!("lists/ages.txt"), SAYS.and(Sense::AGES)),
    (include_str!("lists/sides.txt"), SAYS),
    (include_str!("lists/names.txt"), Sense::NOTHING),
];

static WORDS: LazyLock<HashMap<Box<[u8]>, Sense>> = LazyLock::new(read);

/// What a folded word does, where it is in a list.
pub(super) fn sense(word: &[u8]) -> Option<Sense> {
    WORDS.get(word).copied()
}

/// How many there are; reads them, where that was not done before.
pub(super) fn count() -> usize {
    WORDS.len()
}

fn read() -> HashMap<Box<[u8]>, Sense> {
    let mut words = HashMap::new();
    for (list, sense) in LISTS {
        for word in words_of(list) {
            spellings(word, |folded| {
                let known: &mut Sense = words.entry(folded.into()).or_default();
                *known = known.then(sense);
            });
        }
    }
    words
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
        for (list, _) in LISTS {
            assert!(list.starts_with("# ") && list.contains("Licence: "), "{list:.60}");
            for word in words_of(list) {
                assert!(word.chars().any(|c| c.is_alphabetic() || c == '%'), "{word}");
                assert!(word.len() < LONGEST, "{word}");
                assert!(word.bytes().filter(u8::is_ascii_digit).count() < 6, "{word}");
            }
        }
    }
}
