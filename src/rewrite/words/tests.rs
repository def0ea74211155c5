//! What texts become.

mod names;
mod share;
mod texts;

use super::{Cleaner, Marks, Vocabulary};
use crate::dataset::Vr;
use crate::rewrite::character_set::CharacterSet;

/// The texts of one object, cleaned in order.
struct Object {
    vocabulary: Vocabulary,
    marks: Marks,
    set: CharacterSet,
    /// Words that identify somebody.
    identifiers: Vec<&'static str>,
}

impl Object {
    fn new() -> Self {
        Self::of(b"ISO_IR 192", Vocabulary::default())
    }

    fn of(set: &[u8], vocabulary: Vocabulary) -> Self {
        Self { vocabulary, marks: Marks::default(), set: CharacterSet::of(set), identifiers: Vec::new() }
    }

    fn bytes(&mut self, vr: Vr, old: &[u8], distinguishes: bool) -> Vec<u8> {
        let mut new = Vec::new();
        let all = &self.identifiers;
        let found = |text: &str| {
            let found = all.iter().flat_map(|one| text.match_indices(*one));
            let mut found: Vec<_> = found.map(|(at, one)| at..at + one.len()).collect();
            found.sort_by_key(|range| range.start);
            found
        };
        let mut cleaner = Cleaner {
            vocabulary: &self.vocabulary,
            marks: &mut self.marks,
            distinguishes,
            identifiers: &found,
            identified: false,
        };
        cleaner.clean((vr, &self.set), old, &mut new);
        new
    }

    fn text(&mut self, text: &str) -> String {
        String::from_utf8(self.bytes(Vr::LO, text.as_bytes(), false)).unwrap()
    }

    fn name(&mut self, text: &str) -> String {
        String::from_utf8(self.bytes(Vr::LO, text.as_bytes(), true)).unwrap()
    }
}

/// A text that is the only one of its object.
fn cleaned(text: &str) -> String {
    Object::new().text(text)
}
