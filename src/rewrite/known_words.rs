//! Free text cleaned (PS3.15 E.3.5): only words that are known to name anatomy, technique or a view stay.
//!
//! A list of what may stay cannot miss a name that nobody thought of, as a list of what must go does.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::character_set::CharacterSet;
use crate::dataset::Vr;

const ESCAPE: u8 = 0x1B;

fn words() -> &'static BTreeSet<&'static [u8]> {
    static WORDS: OnceLock<BTreeSet<&'static [u8]>> = OnceLock::new();
    WORDS.get_or_init(|| include_str!("known_words.txt").split_whitespace().map(str::as_bytes).collect())
}

/// Appends the known words of a text; numbers and all others go. What may be written in another character set goes
/// whole, since a byte of it may look like a letter.
pub(super) fn clean((vr, set): (Vr, &CharacterSet), old: &[u8], new: &mut Vec<u8>) {
    if old.contains(&ESCAPE) {
        return;
    }
    // What is of no known VR is one text.
    let vr = if vr.is_multi_valued() { vr } else { Vr::LT };
    let values = set.values(vr, old).map(|value| {
        let kept = value.split(|&b| !(b.is_ascii_alphanumeric() || b >= 0x80)).filter(|word| known(word));
        kept.collect::<Vec<_>>().join(&b' ')
    });
    let values: Vec<_> = values.collect();
    if values.iter().any(|value| !value.is_empty()) {
        new.extend(values.join(&b'\\'));
    }
}

fn known(word: &[u8]) -> bool {
    word.len() <= 20 && words().contains(word.to_ascii_uppercase().as_slice())
}

#[cfg(test)]
mod tests {
    use super::{CharacterSet, Vr, clean};

    #[test]
    fn only_known_words_stay() {
        let cleaned_in = |set: &[u8], vr, old: &[u8]| {
            let mut new = Vec::new();
            clean((vr, &CharacterSet::of(set)), old, &mut new);
            String::from_utf8(new).unwrap()
        };
        let cleaned = |vr, old: &[u8]| cleaned_in(b"", vr, old);
        assert_eq!(cleaned(Vr::LO, b"CT Chest w/o contrast, Herr DOE 12.3.1950"), "CT Chest contrast");
        assert_eq!(cleaned(Vr::LO, b"DOE\\T2 sag"), "\\T2 sag");
        assert_eq!(cleaned(Vr::LO, b"DOE\\JANE"), "");
        assert_eq!(cleaned(Vr::LO, b"\x1b$B;3ED\x1b(B CT"), "");
        assert_eq!(cleaned(Vr::LO, b"\x81CT \xC3\xA4CT CT"), "CT", "a second byte is no letter");
        assert_eq!(cleaned(Vr::LO, b"20240101"), "");
        // Half of a character separates nothing.
        assert_eq!(cleaned_in(b"GB18030", Vr::LO, b"\xD5\\ CT\\T2"), "CT\\T2");
    }
}
