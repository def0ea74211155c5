//! What the dictionary of PS3.6 says of a tag.
//!
//! Asking it takes some hundred instructions, and most of what one object holds the last one held too, so the latest
//! answers are kept. An answer is one word, which is written and read whole; where two tags share a place, the later one
//! has it, so whatever comes costs no more than asking.

use std::sync::atomic::{AtomicU64, Ordering};

use dicom_core::Tag;
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_dictionary_std::StandardDataDictionary;

use super::number;
use super::vr::Vr;

/// Places for answers: a power of two, several times as many as a header has elements.
const PLACES: usize = 1 << PLACES_BITS;
const PLACES_BITS: u32 = 10;
static KEPT: [AtomicU64; PLACES] = [const { AtomicU64::new(0) }; PLACES];

/// In an answer, below the tag and the VR.
const ANSWERED: u64 = 1;
const EXACT: u64 = 2;
const LISTED: u64 = 4;

/// The VR that the dictionary of PS3.6 has for a tag; UN for private elements and those that it does not list.
pub fn vr_of(tag: Tag) -> Vr {
    vr_in(answer(tag))
}

/// The VR that the dictionary has for a tag, where it does not depend on other elements.
pub(crate) fn exact_vr_of(tag: Tag) -> Option<Vr> {
    let answer = answer(tag);
    (answer & EXACT != 0).then(|| vr_in(answer))
}

/// The keyword that the dictionary has for a tag; `None` for private elements, group lengths, and those that it does not list.
pub(crate) fn keyword_of(tag: Tag) -> Option<&'static str> {
    let entry = StandardDataDictionary.by_tag(tag).filter(|_| tag.0.is_multiple_of(2) && tag.1 != 0);
    entry.map(|entry| entry.alias())
}

/// Whether the dictionary lists the tag itself: no group length, nothing private.
pub(crate) fn is_listed(tag: Tag) -> bool {
    answer(tag) & LISTED != 0
}

fn vr_in(answer: u64) -> Vr {
    let [.., first, second, _, _] = answer.to_be_bytes();
    Vr::from_code([first, second])
}

fn answer(tag: Tag) -> u64 {
    // Fibonacci hashing: neighbours among tags come to lie far apart.
    let place = number(tag).wrapping_mul(0x9E37_79B1) >> (u32::BITS - PLACES_BITS);
    let Some(place) = KEPT.get(place as usize) else { return ask(tag) };
    let kept = place.load(Ordering::Relaxed);
    if kept & ANSWERED != 0 && kept >> 32 == u64::from(number(tag)) {
        return kept;
    }
    let answer = ask(tag);
    place.store(answer, Ordering::Relaxed);
    answer
}

fn ask(tag: Tag) -> u64 {
    let vr = StandardDataDictionary.by_tag(tag).map(|entry| entry.vr());
    let is_exact = vr.and_then(|vr| vr.exact()).is_some_and(|vr| Vr::from(vr) != Vr::UN);
    let [first, second] = vr.map_or(Vr::UN, |vr| vr.relaxed().into()).code();
    let [t0, t1, t2, t3] = number(tag).to_be_bytes();
    let answer = u64::from_be_bytes([t0, t1, t2, t3, first, second, 0, 0]);
    let is_listed = vr.is_some() && tag.0.is_multiple_of(2) && tag.1 != 0;
    answer | ANSWERED | if is_exact { EXACT } else { 0 } | if is_listed { LISTED } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::{StandardDataDictionary, exact_vr_of, vr_of};
    use crate::dataset::{Tag, Vr};
    use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};

    #[test]
    fn every_answer_is_the_dictionarys_however_often_it_is_asked() {
        // More tags than there are places, each thrice: while its answer is kept, and when another one has its place.
        let elements = (0..=0x1F00_u16).step_by(3);
        let groups = [0x0000, 0x0008, 0x0009, 0x0010, 0x0018, 0x0020, 0x0028, 0x0040, 0x6001, 0x60EE, 0x7FE0];
        let tags = |group: u16| elements.clone().map(move |element| Tag(group, element));
        for tag in groups.into_iter().flat_map(tags).flat_map(|tag| [tag, tag, Tag(0x0008, 0x0005), tag]) {
            let entry = StandardDataDictionary.by_tag(tag);
            let relaxed = entry.map_or(Vr::UN, |entry| entry.vr().relaxed().into());
            let exact = entry.and_then(|entry| entry.vr().exact()).map(Vr::from).filter(|&vr| vr != Vr::UN);
            assert_eq!((vr_of(tag), exact_vr_of(tag)), (relaxed, exact), "{tag}");
        }
        assert_eq!(exact_vr_of(Tag(0x7FE0, 0x0010)), None, "OB or OW");
        assert_eq!(vr_of(Tag(0, 0)).code(), *b"UL");
    }
}
