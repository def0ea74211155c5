//! Which mark stands for which words, within one object.

use std::collections::HashMap;

/// What stands where words were: at least this long. Its characters are those of every character set of DICOM, and none
/// of them is a wildcard or a delimiter.
pub(super) const SHORTEST: usize = "[...]".len();
/// Different words that are remembered. Words beyond them get a number of their own each time: they stay distinct.
const MOST: usize = 1024;
/// Bytes of the longest that are remembered; of longer ones the same holds.
const LONGEST: usize = 128;

/// Which mark stands for which words, within one object. Bounded, whatever the object holds.
#[derive(Clone, Debug, Default)]
pub(in crate::rewrite) struct Marks {
    known: HashMap<Box<str>, u32>,
    last: u32,
}

impl Marks {
    /// Appends the mark that stands for `words`.
    pub(super) fn put(&mut self, words: &str, text: &mut String) {
        match self.number(words) {
            1 => text.push_str("[...]"),
            number => {
                text.push_str("[...");
                text.push_str(itoa::Buffer::new().format(number));
                text.push(']');
            }
        }
    }

    /// Characters of the longest mark among so many that come next.
    pub(super) fn longest(&self, marks: usize) -> usize {
        let number = self.last.saturating_add(u32::try_from(marks).unwrap_or(u32::MAX));
        SHORTEST + if number > 1 { number.ilog10() as usize + 1 } else { 0 }
    }

    /// Counted from 1.
    fn number(&mut self, words: &str) -> u32 {
        if let Some(known) = self.known.get(words) {
            return *known;
        }
        self.last = self.last.saturating_add(1);
        if self.known.len() < MOST && words.len() <= LONGEST {
            self.known.insert(words.into(), self.last);
        }
        self.last
    }
}

/// The bytes of a mark that `text` begins with. What came as one stands for nothing that dimsegate dropped.
pub(super) fn at_the_start_of(text: &str) -> Option<usize> {
    let inside = text.strip_prefix("[...")?;
    let digits = inside.bytes().take_while(u8::is_ascii_digit).count();
    inside.get(digits..)?.starts_with(']').then_some(SHORTEST + digits)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, MOST, Marks, at_the_start_of};

    #[test]
    fn other_words_have_another_mark_and_memory_is_bounded() {
        let mut marks = Marks::default();
        let mut put = |words: &str| {
            let mut text = String::new();
            marks.put(words, &mut text);
            text
        };
        assert_eq!(["DOE", "ROE", "DOE"].map(&mut put), ["[...]", "[...2]", "[...]"]);
        let long = "x".repeat(LONGEST + 1);
        assert_ne!(put(&long), put(&long), "distinct rather than alike");
        (0..2 * MOST).for_each(|n| drop(put(&n.to_string())));
        assert_ne!(put("later"), put("last"));
        assert_eq!(put("DOE"), "[...]");
        assert_eq!(marks.known.len(), MOST);
    }

    #[test]
    fn what_came_as_a_mark_is_known_as_one() {
        for (text, bytes) in [("[...]", Some(5)), ("[...17] CT", Some(7)), ("[..]", None), ("[...x]", None)] {
            assert_eq!(at_the_start_of(text), bytes, "{text}");
        }
    }
}
