//! Content items of structured reports (PS3.15 E.3.4, PS3.3 C.17.3): what they say is judged by their concept name.

use super::concepts::CONCEPTS;
use super::rows::Concept;
use super::spec::ProfileSpec;
use crate::dataset::{Tag, trim};

const CONCEPT_NAME: Tag = Tag(0x0040, 0xA043);
const VALUE_TYPE: Tag = Tag(0x0040, 0xA040);
const CODE_VALUE: Tag = Tag(0x0008, 0x0100);
const SCHEME: Tag = Tag(0x0008, 0x0102);
/// Sequences of content items: Content, Acquisition Context, Specimen Preparation (Step Content Item), Waveform Annotation.
const HOLDERS: [Tag; 5] =
    [Tag(0x0040, 0xA730), Tag(0x0040, 0x0555), Tag(0x0040, 0x0610), Tag(0x0040, 0x0612), Tag(0x0040, 0xB020)];
/// Longest code, scheme or value type that is looked at.
const LONGEST: usize = 64;

/// Indices of the rules for values of content items.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::rewrite) struct ContentRules {
    pub listed: usize,
    pub unlisted: usize,
    pub cleaned: usize,
    pub kept: usize,
    pub code: usize,
    pub measured: usize,
}

#[derive(Clone, Debug, Default)]
struct Item {
    sequence: Option<Tag>,
    /// Whether a sequence of content items is around it.
    inside: bool,
    code: Vec<u8>,
    scheme: Vec<u8>,
    value_type: Vec<u8>,
    /// Of the item's concept name.
    concept: Option<(Vec<u8>, Vec<u8>)>,
}

/// The open items, with what is known of their concepts.
#[derive(Debug, Default)]
pub(in crate::rewrite) struct ContentItems {
    items: Vec<Item>,
}

impl ContentItems {
    pub(in crate::rewrite) fn open(&mut self, sequence: Option<Tag>) {
        let inside = self.items.last().is_some_and(|item| item.inside);
        let inside = inside || sequence.is_some_and(|sequence| HOLDERS.contains(&sequence));
        self.items.push(Item { sequence, inside, ..Item::default() });
    }

    pub(in crate::rewrite) fn close(&mut self) {
        let Some(closed) = self.items.pop() else { return };
        if let (Some(CONCEPT_NAME), Some(item)) = (closed.sequence, self.items.last_mut()) {
            item.concept = Some((closed.code, closed.scheme));
        }
    }

    /// Whether the value of an element says what the item is about.
    pub(in crate::rewrite) fn wants(&self, tag: Tag) -> bool {
        let Some(item) = self.items.last().filter(|item| item.inside) else { return false };
        match tag {
            CODE_VALUE | SCHEME => item.sequence == Some(CONCEPT_NAME),
            _ => tag == VALUE_TYPE,
        }
    }

    pub(in crate::rewrite) fn read(&mut self, tag: Tag, value: &[u8]) {
        let value = trim(value).get(..LONGEST).unwrap_or(trim(value)).to_vec();
        match (self.items.last_mut(), tag) {
            (Some(item), CODE_VALUE) => item.code = value,
            (Some(item), SCHEME) => item.scheme = value,
            (Some(item), VALUE_TYPE) => item.value_type = value,
            _ => {}
        }
    }

    /// The rule for a value of the item under way. `None`: it is not one that Table E.3.4-1 decides on.
    pub(in crate::rewrite) fn decide(
        &self,
        tag: Tag,
        spec: &ProfileSpec,
        rules: &ContentRules,
    ) -> Option<usize> {
        let item = self.items.last().filter(|item| item.inside && tag.0 == 0x0040)?;
        let concept = item.concept();
        let code = concept.map(|concept| spec.code(concept.basic, &concept.options).0);
        match (tag.1, code) {
            // A number of years over 89 cannot be told from other numbers here, so that ages go in any case.
            (0xA300, Some(_)) => Some(rules.measured),
            (0xA30A, Some(_)) => Some(rules.listed),
            (0xA168, Some("K")) => Some(rules.kept),
            (0xA168, Some(_)) => Some(rules.code),
            (0xA160 | 0xA124, Some("K")) => Some(rules.kept),
            (0xA160, Some("C")) => Some(rules.cleaned),
            (0xA160, None) => Some(rules.unlisted),
            (0xA160, Some(_)) => Some(rules.listed),
            (0xA120..=0xA122, Some(code)) if !matches!(code, "K" | "C") => Some(rules.listed),
            _ => None,
        }
    }
}

impl Item {
    fn concept(&self) -> Option<&'static Concept> {
        let (code, scheme) = self.concept.as_ref()?;
        let key = (code.as_slice(), scheme.as_slice());
        let start = CONCEPTS.partition_point(|row| (row.code.as_bytes(), row.scheme.as_bytes()) < key);
        let mut rows = CONCEPTS.iter().skip(start);
        let mut same = rows.by_ref().take_while(|row| (row.code.as_bytes(), row.scheme.as_bytes()) == key);
        same.find(|row| row.value_type.as_bytes() == self.value_type)
    }
}
