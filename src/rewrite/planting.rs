//! Canaries: known strings that are planted in a data set.

use super::creator::is_creator;
use crate::dataset::{Tag, Vr};

/// Every canary begins so; its number follows in six digits. Legal in every VR of text but those of dates, UIDs and
/// numbers.
pub const MARK: &str = "CNRY";

/// Whether a canary fits the VR. A private element of unknown VR may be text.
pub(super) fn takes(tag: Tag, vr: Vr) -> bool {
    vr.is_in_character_set()
        || matches!(vr, Vr::AE | Vr::CS)
        || vr == Vr::UN && tag.0 % 2 == 1 && !is_creator(tag)
}

/// Appends a text that no data set has by chance, with a number by which it is found again.
pub(super) fn put(_vr: Vr, number: u32, new: &mut Vec<u8>) {
    new.extend_from_slice(format!("{MARK}{:06}", number % 1_000_000).as_bytes());
}

/// The numbers of the canaries in some bytes, in any case of letters.
pub fn found(bytes: &[u8]) -> Vec<u32> {
    let mark = MARK.as_bytes();
    let starts = bytes.windows(mark.len() + 6).filter(|window| window.starts_with(mark));
    let digits =
        starts.filter_map(|window| std::str::from_utf8(window.get(mark.len()..)?).ok()?.parse().ok());
    digits.collect()
}
