//! Private creators (PS3.5 §7.8.1).

use crate::dataset::Tag;

/// A private creator that some rule names: its place in their list.
pub(super) type CreatorId = u16;

/// Whether the element reserves a private block.
pub(super) fn is_creator(tag: Tag) -> bool {
    tag.0 % 2 == 1 && (0x0010..=0x00FF).contains(&tag.1)
}

/// The place of a creator in a list of those that are known.
pub(super) fn position(known: &[String], creator: &[u8]) -> Option<CreatorId> {
    let index = known.iter().position(|known| known.as_bytes() == creator)?;
    CreatorId::try_from(index).ok()
}
