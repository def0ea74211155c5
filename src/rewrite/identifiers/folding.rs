//! Text as it is compared: without case, and without marks on its letters.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Letters that are not taken apart into a letter and its mark.
fn whole(one: char) -> Option<&'static str> {
    Some(match one {
        'ß' | 'ẞ' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ø' | 'Ø' => "o",
        'ł' | 'Ł' => "l",
        'đ' | 'Đ' | 'ð' | 'Ð' => "d",
        'þ' | 'Þ' => "th",
        'ı' => "i",
        'ς' => "σ",
        '’' => "'",
        _ => return None,
    })
}

/// Appends a character folded.
fn fold_one(one: char, folded: &mut String) {
    match whole(one) {
        Some(letters) => folded.push_str(letters),
        None => {
            let parts = one.nfkd().filter(|part| !is_combining_mark(*part));
            folded.extend(parts.flat_map(char::to_lowercase));
        }
    }
}

/// A text in the form in which two spellings of one name are equal.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    text.chars().for_each(|one| fold_one(one, &mut folded));
    folded
}

/// A text folded, and where each byte of that came from.
pub(super) struct Folded {
    pub(super) text: String,
    /// For each byte of it, and for its end: where the character begins that it was made of.
    from: Vec<usize>,
}

impl Folded {
    pub(super) fn of(text: &str) -> Self {
        let mut folded = Self { text: String::with_capacity(text.len()), from: Vec::new() };
        for (at, one) in text.char_indices() {
            fold_one(one, &mut folded.text);
            folded.from.resize(folded.text.len(), at);
        }
        folded.from.push(text.len());
        folded
    }

    /// Where a range came from; `None` where it begins or ends inside of a character.
    pub(super) fn range(&self, start: usize, end: usize) -> Option<Range<usize>> {
        let at = |index: usize| self.from.get(index).copied();
        let is_edge = |index: usize| index == 0 || at(index) != at(index - 1);
        (is_edge(start) && is_edge(end)).then_some(at(start)?..at(end)?)
    }
}

/// What a character is to the words around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    /// Of a script that writes words without spaces between them.
    Unspaced,
    Other,
}

fn class(one: char) -> Class {
    match one {
        'a'..='z' | 'A'..='Z' => Class::Letter,
        '0'..='9' => Class::Digit,
        '\0'..='\x7F' => Class::Other,
        '\u{E00}'..='\u{EFF}' | '\u{1100}'..='\u{11FF}' | '\u{3005}'..='\u{312F}' => Class::Unspaced,
        '\u{3130}'..='\u{318F}' | '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7FF}' => Class::Unspaced,
        '\u{F900}'..='\u{FAFF}' | '\u{FF66}'..='\u{FFDC}' | '\u{20000}'..='\u{3FFFF}' => Class::Unspaced,
        _ if one.is_numeric() => Class::Digit,
        _ if one.is_alphabetic() || is_combining_mark(one) => Class::Letter,
        _ => Class::Other,
    }
}

/// Whether a word may end, and another begin, between two characters: not between two letters, nor between two digits.
fn is_edge(before: Option<char>, behind: Option<char>) -> bool {
    let (Some(before), Some(behind)) = (before, behind) else { return true };
    let (before, behind) = (class(before), class(behind));
    before != behind || !matches!(before, Class::Letter | Class::Digit)
}

/// Whether one may at a place of a text.
pub(super) fn is_edge_at(text: &str, at: usize) -> bool {
    text.split_at_checked(at)
        .is_some_and(|(before, behind)| is_edge(before.chars().next_back(), behind.chars().next()))
}

/// Whether a word begins where a range does, and one ends where that does.
pub(super) fn is_whole(text: &str, range: &Range<usize>) -> bool {
    is_edge_at(text, range.start) && is_edge_at(text, range.end)
}

/// Whether a text is of a script in which two characters make a name.
pub(super) fn is_unspaced(text: &str) -> bool {
    text.chars().all(|one| class(one) == Class::Unspaced)
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn the_sigma_at_the_end_of_a_word_is_a_sigma() {
        assert_eq!(fold("Γιώργος"), fold("ΓΙΏΡΓΟΣ"));
    }
}
