//! How an element is called: by the sequences around it, by its keyword, and by its private creator.

use dicom_core::dictionary::DataDictionary;
use dicom_dictionary_std::StandardDataDictionary;

use crate::dataset::{SPECIFIC_CHARACTER_SET, Tag, keyword_of, trim};

/// Bytes of a private creator or a character set that are kept.
const LONGEST: usize = 256;

/// Where an element is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The sequences around it, from the outside, and its own tag; items counted from 1, 0 for the element.
    pub steps: Vec<(Tag, u32)>,
    /// Of the same steps, the creator of a private one.
    creators: Vec<Option<String>>,
}

impl Place {
    fn tag(&self) -> Tag {
        self.steps.last().map_or(Tag(0, 0), |&(tag, _)| tag)
    }

    /// Without item numbers, as `(0040,0275).(0040,0007)`; a private step as `(0009,ACME 1.0,10)`.
    pub(super) fn attribute(&self) -> String {
        let steps = self.steps.iter().zip(&self.creators).map(|((tag, _), creator)| named(*tag, creator));
        steps.collect::<Vec<_>>().join(".")
    }

    /// With item numbers, as `(0040,0275)[2].(0040,0007)`.
    pub(super) fn path(&self) -> String {
        let steps = self.steps.iter().zip(&self.creators).map(|((tag, item), creator)| match item {
            0 => named(*tag, creator),
            item => format!("{}[{item}]", named(*tag, creator)),
        });
        steps.collect::<Vec<_>>().join(".")
    }

    /// The keyword of PS3.6; empty where there is none.
    pub(super) fn keyword(&self) -> &'static str {
        keyword_of(self.tag()).unwrap_or_default()
    }

    /// What a rule calls it: the keyword, the tag, or the private creator with the low byte.
    pub(super) fn rule(&self) -> String {
        let tag = self.tag();
        let keyword = keyword_of(tag).filter(|keyword| StandardDataDictionary.by_name(keyword).is_some());
        match self.creators.last() {
            Some(Some(_)) => named(tag, self.creators.last().unwrap_or(&None)),
            _ => match keyword {
                Some(keyword) if !matches!(tag.0 >> 8, 0x50 | 0x60) => keyword.to_owned(),
                _ => tag.to_string(),
            },
        }
    }

    pub(super) fn is_private(&self) -> bool {
        self.steps.iter().any(|(tag, _)| tag.0 % 2 == 1)
    }
}

fn named(tag: Tag, creator: &Option<String>) -> String {
    match creator {
        Some(creator) => format!("({:04X},{creator},{:02X})", tag.0, tag.1 & 0xFF),
        None => tag.to_string(),
    }
}

/// What was read of one data set or item, as far as names and texts depend on it.
#[derive(Clone, Debug, Default)]
struct Level {
    creators: Vec<(Tag, String)>,
    character_set: Option<Vec<u8>>,
    /// Items of the sequence that is open in it.
    items: u32,
}

/// Private creators and character sets of a data set and the items that are open.
#[derive(Debug)]
pub(super) struct Creators {
    levels: Vec<Level>,
    place: Place,
}

impl Default for Creators {
    fn default() -> Self {
        Self { levels: vec![Level::default()], place: Place::default() }
    }
}

impl Creators {
    /// Bytes of an element's value that are needed here.
    pub(super) fn wants(tag: Tag) -> usize {
        if tag == SPECIFIC_CHARACTER_SET || reserves(tag) { LONGEST } else { 0 }
    }

    pub(super) fn read(&mut self, tag: Tag, value: &[u8]) {
        let value = value.get(..LONGEST).unwrap_or(value);
        let Some(level) = self.levels.last_mut() else { return };
        if tag == SPECIFIC_CHARACTER_SET {
            level.character_set = Some(value.to_vec());
        } else if reserves(tag) {
            level.creators.push((tag, String::from_utf8_lossy(trim(value)).into_owned()));
        }
    }

    /// Items have that of what is around them, until they say another.
    pub(super) fn character_set(&self) -> &[u8] {
        self.levels.iter().rev().find_map(|level| level.character_set.as_deref()).unwrap_or_default()
    }

    /// Where an element of the data set or item is that is open.
    pub(super) fn place(&mut self, tag: Tag) -> &Place {
        self.place.steps.truncate(self.levels.len() - 1);
        self.place.creators.truncate(self.levels.len() - 1);
        self.step(tag);
        &self.place
    }

    /// The place that was asked for last.
    pub(super) fn current(&self) -> &Place {
        &self.place
    }

    fn step(&mut self, tag: Tag) {
        let creator = self.levels.last().and_then(|level| {
            let block = Tag(tag.0, tag.1 >> 8);
            let found = |(at, _): &&(Tag, String)| *at == block && tag.0 % 2 == 1 && tag.1 > 0xFF;
            level.creators.iter().find(found).map(|(_, creator)| creator.clone())
        });
        self.place.steps.push((tag, 0));
        self.place.creators.push(creator);
    }

    pub(super) fn enter_sequence(&mut self, tag: Tag) {
        self.place(tag);
        if let Some(level) = self.levels.last_mut() {
            level.items = 0;
        }
    }

    pub(super) fn enter_item(&mut self) {
        let depth = self.levels.len();
        let Some(level) = self.levels.last_mut() else { return };
        level.items = level.items.saturating_add(1);
        if let Some((_, item)) = self.place.steps.get_mut(depth - 1) {
            *item = level.items;
        }
        self.levels.push(Level::default());
    }

    pub(super) fn leave_item(&mut self) {
        if self.levels.len() > 1 {
            self.levels.pop();
        }
        self.place.steps.truncate(self.levels.len());
        self.place.creators.truncate(self.levels.len());
    }

    pub(super) fn leave_sequence(&mut self) {
        self.place.steps.truncate(self.levels.len() - 1);
        self.place.creators.truncate(self.levels.len() - 1);
    }
}

/// Whether the element reserves a private block (PS3.5 §7.8.1).
fn reserves(tag: Tag) -> bool {
    tag.0 % 2 == 1 && (0x10..=0xFF).contains(&tag.1)
}

#[cfg(test)]
mod tests {
    use super::{Creators, Tag};

    #[test]
    fn an_element_is_called_by_what_is_around_it_and_by_its_creator() {
        let mut creators = Creators::default();
        creators.enter_sequence(Tag(0x0040, 0x0275));
        creators.enter_item();
        creators.leave_item();
        creators.enter_item();
        assert_eq!(creators.place(Tag(0x0040, 0x0007)).path(), "(0040,0275)[2].(0040,0007)");
        assert_eq!(creators.place(Tag(0x0040, 0x0007)).attribute(), "(0040,0275).(0040,0007)");
        assert_eq!(creators.place(Tag(0x0040, 0x0007)).rule(), "ScheduledProcedureStepDescription");
        creators.read(Tag(0x0009, 0x0011), b"ACME 1.0");
        let place = creators.place(Tag(0x0009, 0x1101)).clone();
        assert_eq!((place.rule(), place.is_private()), ("(0009,ACME 1.0,01)".to_owned(), true));
        creators.leave_item();
        creators.leave_sequence();
        assert_eq!(creators.place(Tag(0x0009, 0x1101)).rule(), "(0009,1101)", "that of the item is over");
        assert_eq!(creators.place(Tag(0x6002, 0x3000)).rule(), "(6002,3000)");
    }
}
