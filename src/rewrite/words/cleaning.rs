//! A text written anew, with marks where words were.

use std::ops::Range;

use super::super::character_set::CharacterSet;
use super::judging::{Judged, judge};
use super::marks::Marks;
use super::sense::Sense;
use super::vocabulary::Vocabulary;
use crate::dataset::Vr;

/// What cleans the texts of an object.
pub(in crate::rewrite) struct Cleaner<'c> {
    pub(in crate::rewrite) vocabulary: &'c Vocabulary,
    pub(in crate::rewrite) marks: &'c mut Marks,
    /// Whether the text tells its item from others, as the name of a structure does. Then a mark stands for one of which
    /// nothing is left, so that two of them are not the same.
    pub(in crate::rewrite) distinguishes: bool,
    /// Where identifiers stand in a text, in order and none inside of another. They go, whatever the vocabulary knows of them.
    pub(in crate::rewrite) identifiers: &'c dyn Fn(&str) -> Vec<Range<usize>>,
    /// Whether words went for that which would have stayed.
    pub(in crate::rewrite) identified: bool,
}

impl Cleaner<'_> {
    /// Appends what is left of a text; nothing where nothing is left that says something. Tells whether all of it was left.
    ///
    /// What cannot be decoded for certain goes whole, since a byte of it may look like a letter. A code string goes whole
    /// too where it is not known whole: its characters leave no room for a mark.
    pub(in crate::rewrite) fn clean(
        &mut self,
        (vr, set): (Vr, &CharacterSet),
        old: &[u8],
        new: &mut Vec<u8>,
    ) -> bool {
        let (start, set) = (new.len(), set.of_vr(vr));
        // What is of no known VR is one text.
        let values = set.values(if vr.is_multi_valued() { vr } else { Vr::LT }, old);
        let (mut is_whole, mut is_empty, mut judged) = (true, true, Vec::new());
        for (index, value) in values.enumerate() {
            if index > 0 {
                new.push(b'\\');
            }
            let before = new.len();
            is_whole &= self.value((vr, set), value, &mut judged, new);
            is_empty &= new.len() == before;
        }
        if is_empty {
            new.truncate(start);
        }
        is_whole
    }

    fn value(
        &mut self,
        (vr, set): (Vr, &CharacterSet),
        value: &[u8],
        judged: &mut Vec<Judged>,
        new: &mut Vec<u8>,
    ) -> bool {
        let Some(text) = set.text(value) else { return false };
        let identifiers = (self.identifiers)(&text);
        self.identified |= judge(self.vocabulary, (&text, &identifiers), self.distinguishes, judged);
        let says = judged.iter().any(|one| one.stays.is_some_and(|sense| sense.is(Sense::SAYS)));
        if says && judged.iter().all(|one| one.stays.is_some()) {
            new.extend_from_slice(value);
            return true;
        }
        let mut left = String::new();
        if says && vr != Vr::CS {
            let most = vr.max_characters().max(text.chars().count());
            left = Writing::new(&text, self.marks, most, judged).write(judged);
        }
        if left.is_empty() && self.distinguishes && vr != Vr::CS && !text.trim().is_empty() {
            self.marks.put(text.trim(), &mut left);
        }
        if let Some(encoded) = set.encode(&left) {
            new.extend_from_slice(&encoded);
        }
        text.trim().is_empty()
    }
}

/// A value being written.
struct Writing<'w> {
    text: &'w str,
    marks: &'w mut Marks,
    /// Characters that it may have.
    most: usize,
    left: String,
    characters: usize,
    /// Characters of the longest mark that the text can get.
    longest: usize,
    /// Whether a word is there that says something.
    says: bool,
    /// The last place behind such a word where a mark would still fit, in what is left and in the text.
    fits: (usize, usize),
}

impl<'w> Writing<'w> {
    fn new(text: &'w str, marks: &'w mut Marks, most: usize, judged: &[Judged]) -> Self {
        let runs = judged.chunk_by(|one, next| one.stays.is_some() == next.stays.is_some());
        let runs = runs.filter(|run| run.first().is_some_and(|first| first.stays.is_none())).count();
        let longest = marks.longest(runs + 1);
        Self { text, marks, most, left: String::new(), characters: 0, longest, says: false, fits: (0, 0) }
    }

    fn write(mut self, judged: &[Judged]) -> String {
        let mut at = 0;
        let mut rest = judged;
        while let Some(first) = rest.first() {
            let stays = first.stays.is_some();
            let run = rest.iter().take_while(|one| one.stays.is_some() == stays);
            let run = if stays { 1 } else { run.count() };
            let end = rest.get(run - 1).map_or(at, |last| last.token.end);
            if let Some(sense) = first.stays {
                self.copy(at, end);
                self.says |= sense.is(Sense::SAYS);
                self.remember(end);
            } else {
                self.copy(at, first.token.start);
                self.mark(first.token.start, end);
            }
            (at, rest) = (end, rest.get(run..).unwrap_or_default());
        }
        self.copy(at, self.text.len());
        if self.characters > self.most {
            self.cut();
        }
        self.left
    }

    fn copy(&mut self, from: usize, to: usize) {
        let text = self.text.get(from..to).unwrap_or_default();
        self.characters += text.chars().count();
        self.left.push_str(text);
    }

    fn mark(&mut self, from: usize, to: usize) {
        let before = self.left.len();
        self.marks.put(self.text.get(from..to).unwrap_or_default(), &mut self.left);
        self.characters += self.left.len() - before;
    }

    fn remember(&mut self, at: usize) {
        if self.says && self.characters + self.longest <= self.most {
            self.fits = (self.left.len(), at);
        }
    }

    /// Marks make a text longer than its VR allows: one stands for all that does not fit. Nothing is left where no word is left that
    /// says something.
    fn cut(&mut self) {
        let (left, at) = self.fits;
        self.left.truncate(left);
        if left == 0 {
            return;
        }
        let is_apart = self.left.chars().count() + self.longest < self.most;
        if is_apart {
            self.left.push(' ');
        }
        let rest = self.text.get(at..).unwrap_or_default();
        let start = self.text.len() - rest.trim_start().len();
        self.mark(start, at + rest.trim_end().len());
    }
}
