//! A small data set that is there whole, as that of a query is: the elements at its top, to be looked at, taken out and added.
//!
//! It is read in one way or not at all. What another reader may read otherwise, an element that comes twice or out of order, a
//! value where items belong, a length that could be a VR, is not read.

use super::encoding::{Encoding, Syntax};
use super::header::{encoded, looks_like_a_vr};
use super::scanner::{Event, HARD_MAX_DEPTH, Kind, Raw, Scanner};
use super::vr::Vr;
use super::{Tag, exact_vr_of, number, trim, vr_of};
use std::ops::Range;

/// The elements at the top of a data set.
pub struct Small<'d> {
    syntax: Syntax,
    bytes: &'d [u8],
    /// In the order of their tags.
    elements: Vec<Element>,
}

struct Element {
    tag: Tag,
    /// With its header.
    whole: Range<usize>,
    /// `None` where items are its value.
    value: Option<Range<usize>>,
}

impl<'d> Small<'d> {
    /// Reads a data set that is there from its first byte to its last. `None` where it has no reading, or more than one, and
    /// where it is deflated.
    pub fn read(encoding: Encoding, bytes: &'d [u8]) -> Option<Self> {
        if encoding.deflated {
            return None;
        }
        let mut small = Self { syntax: encoding.syntax, bytes, elements: Vec::new() };
        let mut scanner = Scanner::new(encoding.syntax, HARD_MAX_DEPTH);
        let mut at = 0;
        while let Some(Event { kind, raw }) = scanner.next(bytes, &mut at).ok()? {
            let Raw::Input(raw) = raw else { return None };
            match (kind, scanner.depth()) {
                (Kind::Element(header), 0) => {
                    let length = header.length?;
                    if !encoding.syntax.explicit && looks_like_a_vr(length) {
                        return None;
                    }
                    let end = raw.end.checked_add(usize::try_from(length).ok()?)?;
                    small.begin(header.tag, header.vr, raw.start, Some(raw.end..end))?;
                }
                (Kind::SequenceStart(header), 1) => small.begin(header.tag, header.vr, raw.start, None)?,
                (Kind::FragmentsStart(_), _) => return None,
                _ => {}
            }
        }
        scanner.finish().ok()?;
        small.end_last(bytes.len());
        Some(small)
    }

    fn begin(&mut self, tag: Tag, vr: Vr, start: usize, value: Option<Range<usize>>) -> Option<()> {
        self.end_last(start);
        let is_next = self.elements.last().is_none_or(|last| number(last.tag) < number(tag));
        // An attribute that PS3.6 lists has its own VR, or is not what it says.
        let is_itself = exact_vr_of(tag).is_none_or(|listed| listed == vr);
        self.elements.push(Element { tag, whole: start..start, value });
        (is_next && is_itself).then_some(())
    }

    fn end_last(&mut self, end: usize) {
        if let Some(last) = self.elements.last_mut() {
            last.whole.end = end;
        }
    }

    /// Whether it has the element.
    pub fn has(&self, tag: Tag) -> bool {
        self.find(tag).is_some()
    }

    /// The value of an element, without padding; `None` where it is absent, or holds items.
    pub fn value(&self, tag: Tag) -> Option<&'d [u8]> {
        let value = self.find(tag)?.value.clone()?;
        self.bytes.get(value).map(trim)
    }

    /// The tags of all elements that have a value, or items, in their order.
    pub fn filled(&self) -> impl Iterator<Item = Tag> + '_ {
        let is_filled = |element: &&Element| element.value.as_ref().is_none_or(|value| !value.is_empty());
        self.elements.iter().filter(is_filled).map(|element| element.tag)
    }

    /// The tags of all elements that hold items, in their order.
    pub fn sequences(&self) -> impl Iterator<Item = Tag> + '_ {
        self.elements.iter().filter(|element| element.value.is_none()).map(|element| element.tag)
    }

    /// Hands over each item of an element, read as strictly as the data set is. `None` where the element is absent or holds no
    /// items, where an item has no reading, or where `take` gives it.
    pub fn each_item(&self, tag: Tag, mut take: impl FnMut(&Small<'d>) -> Option<()>) -> Option<()> {
        let element = self.find(tag).filter(|element| element.value.is_none())?;
        let bytes = self.bytes.get(element.whole.clone())?;
        let mut scanner = Scanner::new(self.syntax, HARD_MAX_DEPTH);
        let (mut at, mut begun) = (0, 0);
        while let Some(Event { kind, raw }) = scanner.next(bytes, &mut at).ok()? {
            let Raw::Input(raw) = raw else { return None };
            match kind {
                Kind::ItemStart { syntax, .. } if scanner.depth() == 1 && syntax == self.syntax => {
                    begun = raw.end
                }
                Kind::ItemStart { .. } if scanner.depth() == 1 => return None,
                Kind::ItemEnd if scanner.depth() == 1 => {
                    let encoding = Encoding { syntax: self.syntax, deflated: false };
                    take(&Small::read(encoding, bytes.get(begun..raw.start)?)?)?;
                }
                _ => {}
            }
        }
        Some(())
    }

    fn find(&self, tag: Tag) -> Option<&Element> {
        let place = self.elements.binary_search_by_key(&number(tag), |element| number(element.tag)).ok()?;
        self.elements.get(place)
    }

    /// The data set with an empty element for each of these tags that it does not have. Group lengths go, which would no
    /// longer be right. Tags are in their order.
    pub fn with_empty(&self, tags: &[Tag]) -> Vec<u8> {
        self.emptied(tags, &[])
    }

    /// The same, with an empty element too for each of `emptied`, which are among the tags, in the place of the one that it has.
    pub fn emptied(&self, tags: &[Tag], emptied: &[Tag]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len() + tags.len() * 12);
        let stays = |tag: Tag| !emptied.contains(&tag);
        let mut missing = tags.iter().filter(|tag| !self.has(**tag) || !stays(**tag)).peekable();
        for element in self.elements.iter().filter(|element| element.tag.1 != 0 && stays(element.tag)) {
            while let Some(tag) = missing.next_if(|tag| number(**tag) < number(element.tag)) {
                self.put_empty(&mut out, *tag);
            }
            out.extend_from_slice(self.bytes.get(element.whole.clone()).unwrap_or_default());
        }
        missing.for_each(|tag| self.put_empty(&mut out, *tag));
        out
    }

    fn put_empty(&self, out: &mut Vec<u8>, tag: Tag) {
        if let Some((header, size)) = encoded(tag, vr_of(tag), self.syntax, 0) {
            out.extend_from_slice(header.get(..size).unwrap_or_default());
        }
    }

    /// The data set without these elements, and then without group lengths.
    pub fn without(&self, tags: &[Tag]) -> Vec<u8> {
        let has_any = tags.iter().any(|tag| self.has(*tag));
        let stays = |element: &&Element| !has_any || element.tag.1 != 0 && !tags.contains(&element.tag);
        let kept = self.elements.iter().filter(stays);
        kept.flat_map(|element| self.bytes.get(element.whole.clone()).unwrap_or_default()).copied().collect()
    }
}

/// Writes one element with a text for its value, padded as its VR is.
pub fn write_text(out: &mut Vec<u8>, syntax: Syntax, tag: Tag, value: &[u8]) {
    let vr = vr_of(tag);
    let length = u32::try_from(value.len().next_multiple_of(2)).unwrap_or(0);
    let Some((header, size)) = encoded(tag, vr, syntax, length) else { return };
    out.extend_from_slice(header.get(..size).unwrap_or_default());
    out.extend_from_slice(value);
    if value.len() % 2 == 1 {
        out.push(if vr == Vr::UI { 0 } else { b' ' });
    }
}

#[cfg(test)]
pub(in crate::dataset) mod tests {
    use super::{Small, trim, write_text};
    use crate::dataset::{Encoding, STUDY_INSTANCE_UID, Syntax, Tag};
    use proptest::prelude::*;
    use proptest::sample::{Index, subsequence};

    /// Some that a query has, in their order: of short and long VRs, private and of UIDs.
    const TAGS: [Tag; 12] = [
        Tag(0x0008, 0x0000),
        Tag(0x0008, 0x0005),
        Tag(0x0008, 0x0020),
        Tag(0x0008, 0x0052),
        Tag(0x0009, 0x0010),
        Tag(0x0010, 0x0010),
        Tag(0x0010, 0x0020),
        Tag(0x0010, 0x4000),
        Tag(0x0020, 0x000D),
        Tag(0x0020, 0x000E),
        Tag(0x0040, 0xA124),
        Tag(0x0040, 0xA160),
    ];

    const LEVEL: Tag = Tag(0x0008, 0x0052);
    const DATE: Tag = Tag(0x0008, 0x0020);
    const ISSUER: Tag = Tag(0x0010, 0x0021);
    const SYNTAXES: [&str; 3] = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"];

    fn made(syntax: Syntax, elements: &[(Tag, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        elements.iter().for_each(|(tag, value)| write_text(&mut out, syntax, *tag, value.as_bytes()));
        out
    }

    #[test]
    fn what_is_added_lies_in_order_and_can_be_taken_out_again() {
        for encoding in SYNTAXES.map(|uid| Encoding::of(uid).unwrap()) {
            let syntax = encoding.syntax;
            let asked =
                made(syntax, &[(LEVEL, "STUDY"), (Tag(0x0010, 0x0020), "*"), (STUDY_INSTANCE_UID, "")]);
            let small = Small::read(encoding, &asked).unwrap();
            let with = small.with_empty(&[DATE, LEVEL, ISSUER, Tag(0x0020, 0x0010)]);
            let expected = [
                (DATE, ""),
                (LEVEL, "STUDY"),
                (Tag(0x0010, 0x0020), "*"),
                (ISSUER, ""),
                (STUDY_INSTANCE_UID, ""),
                (Tag(0x0020, 0x0010), ""),
            ];
            assert_eq!(with, made(syntax, &expected));
            let read = Small::read(encoding, &with).unwrap();
            assert_eq!((read.value(LEVEL), read.value(DATE)), (Some(&b"STUDY"[..]), Some(&b""[..])));
            assert_eq!(read.without(&[DATE, ISSUER, Tag(0x0020, 0x0010)]), asked);
            assert_eq!(read.without(&[Tag(0x0040, 0x0001)]), with);
            assert_eq!(read.filled().collect::<Vec<_>>(), [LEVEL, Tag(0x0010, 0x0020)]);
            let patient = Tag(0x0010, 0x0020);
            let emptied = small.emptied(&[patient, ISSUER], &[patient]);
            let expected = [(LEVEL, "STUDY"), (patient, ""), (ISSUER, ""), (STUDY_INSTANCE_UID, "")];
            assert_eq!(emptied, made(syntax, &expected));
        }
    }

    #[test]
    fn items_are_read_as_strictly_as_what_holds_them() {
        const ITEMS: Tag = Tag(0x0008, 0x1199);
        let explicit = Encoding::of(SYNTAXES[1]).unwrap();
        let uid = |text: &str| made(explicit.syntax, &[(Tag(0x0008, 0x1155), text)]);
        let item = |length: u32, content: &[u8]| {
            [&[0xFE, 0xFF, 0x00, 0xE0][..], &length.to_le_bytes(), content].concat()
        };
        let of_length = |content: Vec<u8>| item(u32::try_from(content.len()).unwrap(), &content);
        let until = |content: Vec<u8>| {
            item(u32::MAX, &[&content[..], &[0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0]].concat())
        };
        let sequence = |length: u32, items: &[Vec<u8>]| {
            [&[8, 0, 0x99, 0x11, b'S', b'Q', 0, 0][..], &length.to_le_bytes(), &items.concat()].concat()
        };
        let found = |data: &[u8]| {
            let small = Small::read(explicit, data)?;
            let mut found = Vec::new();
            small.each_item(ITEMS, |item| {
                found.push(String::from_utf8(item.value(Tag(0x0008, 0x1155))?.to_vec()).ok()?);
                Some(())
            })?;
            Some(found)
        };
        let items = [of_length(uid("1.2")), until(uid("1.3")), of_length(uid("1.4"))];
        let length = u32::try_from(items.concat().len()).unwrap();
        let delimited = [sequence(u32::MAX, &items), vec![0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]].concat();
        for data in [sequence(length, &items), delimited] {
            assert_eq!(found(&data), Some(["1.2", "1.3", "1.4"].map(str::to_owned).into()));
            let small = Small::read(explicit, &data).unwrap();
            assert_eq!(small.sequences().collect::<Vec<_>>(), [ITEMS]);
            assert_eq!(small.each_item(LEVEL, |_| Some(())), None);
        }
        assert_eq!(found(&sequence(0, &[])), Some(Vec::new()));
        let twice = [of_length([uid("1.2"), uid("1.3")].concat())];
        assert_eq!(found(&sequence(u32::try_from(twice[0].len()).unwrap(), &twice)), None);
        let none = [of_length(Vec::new())];
        assert_eq!(found(&sequence(8, &none)), None, "it has no such value");
    }

    #[test]
    fn what_others_may_read_otherwise_is_not_read() {
        let implicit = Encoding::of(SYNTAXES[0]).unwrap();
        let explicit = Encoding::of(SYNTAXES[1]).unwrap();
        let is_read = |encoding, bytes: &[u8]| Small::read(encoding, bytes).is_some();
        let twice = made(implicit.syntax, &[(STUDY_INSTANCE_UID, "1.2"), (STUDY_INSTANCE_UID, "1.3")]);
        assert!(!is_read(implicit, &twice));
        let unordered = made(implicit.syntax, &[(STUDY_INSTANCE_UID, "1.2"), (LEVEL, "STUDY")]);
        assert!(!is_read(implicit, &unordered));
        let fine = made(explicit.syntax, &[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, "1.2")]);
        assert!(is_read(explicit, &fine) && is_read(explicit, b""));
        for cut in 1..fine.len() {
            let is_between = cut == 14;
            assert_eq!(is_read(explicit, &fine[..cut]), is_between, "{cut}");
        }
        assert!(!is_read(implicit, &fine), "explicit VR, read as implicit");
        let other_vr: Vec<u8> = [&[0x20, 0, 0x0D, 0, b'L', b'O', 4, 0][..], b"1.2 "].concat();
        assert!(!is_read(explicit, &other_vr));
        assert!(!is_read(Encoding::of("1.2.840.10008.1.2.1.99").unwrap(), &fine));
        let long = made(implicit.syntax, &[(Tag(0x0008, 0x0020), &"x".repeat(0x4141))]);
        assert!(!is_read(implicit, &long));
    }

    /// Elements with texts, in the order of their tags.
    pub(in crate::dataset) fn lists() -> impl Strategy<Value = Vec<(Tag, String)>> {
        let tags = subsequence(&TAGS[..], 0..=TAGS.len());
        let texts = prop::collection::vec("[A-Z0-9.^]{0,20}", TAGS.len());
        (tags, texts).prop_map(|(tags, texts)| tags.into_iter().zip(texts).collect())
    }

    pub(in crate::dataset) fn written(syntax: Syntax, list: &[(Tag, String)]) -> Vec<u8> {
        let list: Vec<_> = list.iter().map(|(tag, text)| (*tag, text.as_str())).collect();
        made(syntax, &list)
    }

    /// What becomes of bytes that were right: a few of them are others, and perhaps the end is missing.
    #[derive(Clone, Debug)]
    pub(in crate::dataset) struct Damage {
        others: Vec<(Index, u8)>,
        cut: Option<Index>,
    }

    impl Damage {
        pub(in crate::dataset) fn any() -> impl Strategy<Value = Self> {
            let bytes = prop_oneof![any::<u8>(), 0..=40_u8];
            let others = prop::collection::vec((any::<Index>(), bytes), 0..=3);
            (others, prop::option::weighted(0.2, any::<Index>()))
                .prop_map(|(others, cut)| Self { others, cut })
        }

        pub(in crate::dataset) fn of(&self, mut bytes: Vec<u8>) -> Vec<u8> {
            let length = bytes.len();
            for (at, byte) in self.others.iter().filter(|_| length > 0) {
                bytes[at.index(length)] = *byte;
            }
            bytes.truncate(self.cut.map_or(bytes.len(), |cut| cut.index(bytes.len() + 1)));
            bytes
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn what_is_written_is_read_and_what_became_of_it_is_read_or_not(
            list in lists(),
            damage in Damage::any(),
            which in 0..3_usize,
        ) {
            let encoding = Encoding::of(SYNTAXES[which]).unwrap();
            let right = written(encoding.syntax, &list);
            let read = Small::read(encoding, &right);
            prop_assert!(read.is_some(), "{:?}", list);
            let read = read.unwrap();
            for (tag, text) in &list {
                prop_assert_eq!(read.value(*tag), Some(trim(text.as_bytes())));
            }
            let bytes = damage.of(right);
            if let Some(small) = Small::read(encoding, &bytes) {
                prop_assert_eq!(small.without(&[]), bytes.clone());
                let with = small.with_empty(&[STUDY_INSTANCE_UID]);
                prop_assert!(Small::read(encoding, &with).is_some_and(|read| read.has(STUDY_INSTANCE_UID)));
            }
        }
    }
}
